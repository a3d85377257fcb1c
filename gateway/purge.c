/* Versions that go for good.
 *
 *   live --asked, no name points at it--> DECIDE: a record: purged
 *        --the record is evident (commit_roll.c)--> published: one txn: the version is dead, its segments are
 *          in the ledger, B is not there any more; a bundle's when the last N in it is dead
 *        --the sweep--> DELETE, seen absent, in rounds; the rows of the ledger stay (sweep.c)
 *
 * X1 (D5, D6): nothing of it is less before the record is on a record quorum: a rebuild that does not know of
 * the record finds all of it, one that does takes none of it for lost.
 * X2 (I1): a version that a name points at is refused, in the transaction that decides. Names point at what a
 * put has just decided; a purge has a batch of its own, so that all of them are published by then.
 * X3 (D7): nothing is purged because a time has come: somebody asks. What is kept until a date is refused
 * before it, by what the gateway knows of time at its most cautious (known_time.h). */
#include "base/planted.h"
#include "base/time.h"
#include "commit_internal.h"
#include "known_time.h"

/* In the transaction: is it kept, still? */
static qc_rc check_kept(struct gw_engine *e, const struct gw_version_row *v, struct qc_err *err)
{
    char until[QC_TIME_TEXT], known[QC_TIME_TEXT];
    uint64_t now;

    if (v->kept == 0)
        return QC_OK;
    QC_TRY(gw_time_known(e->cat, &now, err));
    if (now >= v->kept)
        return QC_OK;
    qc_time_text((int64_t)v->kept, until);
    qc_time_text((int64_t)now, known);
    return QC_FAIL(err, QC_AUTH, "it is kept until %s, and by all that the gateway knows it is %s", until,
                   known);
}

/* In the transaction. *ret_gone: it is so already. */
static qc_rc check(struct gw_engine *e, const struct gw_purge *p, struct gw_version_row *ret, bool *ret_gone,
                   struct qc_err *err)
{
    bool current;

    *ret_gone = false;
    QC_TRY(gw_cat_version(e->cat, &p->ids, ret, err));
    if (!gw_id_same(&ret->vault, &p->ids.vault) || ret->bundle)
        return QC_FAIL(err, QC_NOTFOUND, "no such version in this vault");
    *ret_gone = ret->state == GW_VERSION_DEAD;
    if (*ret_gone)
        return QC_OK;
    if (ret->state != GW_VERSION_LIVE)
        return QC_FAIL(err, QC_CONFLICT, "it is being put");
    QC_TRY(gw_cat_version_current(e->cat, ret->no, &current, err));
    if (current && !qc_planted(purge_current))
        return QC_FAIL(err, QC_CONFLICT, "a name points at it: remove the name first");
    return check_kept(e, ret, err);
}

/* A reason that is one version's own. */
static bool refuses(qc_rc rc)
{
    return rc == QC_NOTFOUND || rc == QC_CONFLICT || rc == QC_AUTH;
}

/* -- kept until a date ----------------------------------------------------------------------------------- */

static qc_rc keep_one(struct gw_deciding *d, struct gw_change *c, struct gw_purge *p, uint64_t known,
                      struct qc_err *err)
{
    struct gw_version_row v;
    const struct gw_record rec = { .kind = GW_REC_RETAINED,
                                   .u.retained = { .tenant = p->ids.tenant,
                                                   .vault = p->ids.vault,
                                                   .object = p->ids.object,
                                                   .version = p->ids.version,
                                                   .until = c->until,
                                                   .known = known } };

    QC_TRY(gw_cat_version(d->e->cat, &p->ids, &v, err));
    if (!gw_id_same(&v.vault, &p->ids.vault) || v.bundle || v.state != GW_VERSION_LIVE)
        return QC_FAIL(err, QC_NOTFOUND, "no such version in this vault");
    p->until = v.kept > c->until ? v.kept : c->until;
    if (v.kept >= c->until)
        return QC_OK;
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    c->decided = true;
    return QC_OK;
}

/* A date that has come, by what is known, keeps nothing: the wall clock may say otherwise, and is not asked.
 */
static qc_rc check_until(uint64_t until, uint64_t known, struct qc_err *err)
{
    char until_text[QC_TIME_TEXT], known_text[QC_TIME_TEXT];

    if (until > known)
        return QC_OK;
    qc_time_text((int64_t)until, until_text);
    qc_time_text((int64_t)known, known_text);
    return QC_FAIL(err, QC_USAGE,
                   "kept until %s holds nothing: by all that the gateway knows it is %s already", until_text,
                   known_text);
}

qc_rc gw_decide_retain(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    uint64_t known;

    QC_TRY(gw_time_known(d->e->cat, &known, err));
    QC_TRY(check_until(c->until, known, err));
    for (unsigned i = 0; i < c->purge_count; i++) {
        struct gw_purge *p = &c->purges[i];
        struct qc_err why = { 0 };
        p->rc = keep_one(d, c, p, known, &why);
        p->err = why;
        if (p->rc != QC_OK && !refuses(p->rc)) {
            *err = why;
            return p->rc;
        }
    }
    c->answered = !c->decided;
    return QC_OK;
}

/* Before it is decided nothing is known: whether the date holds is for DECIDE to say. */
qc_rc gw_known_retain(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    *ret_live = false;
    if (!c->decided)
        return QC_OK;
    for (unsigned i = 0; i < c->purge_count; i++) {
        struct gw_version_row v;
        struct qc_err miss = { 0 };
        if (c->purges[i].rc != QC_OK)
            continue;
        const qc_rc rc = gw_cat_version(e->cat, &c->purges[i].ids, &v, &miss);
        if (rc == QC_NOTFOUND || (rc == QC_OK && (v.state != GW_VERSION_LIVE || v.kept < c->until)))
            return QC_OK; /* it is to be looked at */
        if (rc != QC_OK) {
            *err = miss;
            return rc;
        }
        c->purges[i].until = v.kept;
    }
    *ret_live = true;
    return QC_OK;
}

/* -- gone ------------------------------------------------------------------------------------------------ */

static qc_rc add_record(struct gw_deciding *d, const struct gw_purge *p, struct qc_err *err)
{
    const struct gw_record rec = { .kind = GW_REC_PURGED,
                                   .u.purged = { .tenant = p->ids.tenant,
                                                 .vault = p->ids.vault,
                                                 .object = p->ids.object,
                                                 .version = p->ids.version,
                                                 .created = (uint64_t)qc_wall_s() } };

    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    return QC_OK;
}

qc_rc gw_decide_purge(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    for (unsigned i = 0; i < c->purge_count; i++) {
        struct gw_purge *p = &c->purges[i];
        struct gw_version_row v = { 0 };
        struct qc_err why = { 0 };
        bool gone;
        const qc_rc rc = check(d->e, p, &v, &gone, &why);
        if (rc != QC_OK && !refuses(rc)) {
            *err = why;
            return rc;
        }
        p->rc = rc;
        p->err = why;
        if (rc != QC_OK || gone)
            continue;
        QC_TRY(add_record(d, p, err));
        if (qc_planted(purge_early))
            QC_TRY(gw_cat_version_purge(d->e->cat, &v, err));
        c->decided = true;
    }
    c->answered = !c->decided;
    return QC_OK;
}

qc_rc gw_known_purge(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    *ret_live = false;
    for (unsigned i = 0; i < c->purge_count; i++) {
        struct gw_version_row v;
        struct qc_err miss = { 0 };
        if (c->purges[i].rc != QC_OK)
            continue;
        const struct gw_version_ids *ids = &c->purges[i].ids;
        const qc_rc rc = gw_cat_version(e->cat, ids, &v, &miss);
        const bool gone = rc == QC_OK && v.state == GW_VERSION_DEAD && !v.bundle &&
                          gw_id_same(&v.vault, &ids->vault); /* of another vault it is not there */
        if (rc == QC_NOTFOUND || (rc == QC_OK && !gone))
            return QC_OK; /* it is to be looked at */
        if (rc != QC_OK) {
            *err = miss;
            return rc;
        }
    }
    *ret_live = true;
    return QC_OK;
}

static qc_rc ask(struct gw_engine *e, struct gw_change *change, struct qc_err *err)
{
    QC_TRY(gw_engine_may(e, err));
    if (change->purge_count < 1 || change->purge_count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "versions: %u, expected 1..%d", change->purge_count,
                       QC_GW_BATCH_CHANGES_MAX);
    for (unsigned i = 0; i < change->purge_count; i++)
        change->purges[i].rc = QC_OK;
    QC_TRY(gw_commit(e, change, err));
    return qc_fault(put_ack, err);
}

qc_rc gw_versions_purge(struct gw_engine *e, struct gw_purge *v, unsigned count, struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_PURGE, .purges = v, .purge_count = count };

    return ask(e, &change, err);
}

qc_rc gw_versions_retain(struct gw_engine *e, struct gw_purge *v, unsigned count, uint64_t until,
                         struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_RETAIN, .purges = v, .purge_count = count, .until = until };

    if (until < 1 || until > GW_RETAIN_MAX)
        return QC_FAIL(err, QC_USAGE,
                       "kept until %" PRIu64 ", expected seconds since 1970, before the year 10000", until);
    return ask(e, &change, err);
}

qc_rc gw_engine_time(struct gw_engine *e, struct qc_err *err)
{
    uint64_t known;
    bool wanted;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_time_wanted(e->cat, &wanted, err));
    if (!wanted)
        return QC_OK;
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_time_known(e->cat, &known, err));
    return gw_cat_commit(e->cat, &tx, err);
}
