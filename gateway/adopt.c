/* Adoption: a cloud that lost its memory (wiped, made anew, or its identity object rotted) is filled again
 * under a new generation.
 *
 *   lost --> BEGUN ---> UNCOUNTED ---> FILLED -------> NAMED -----------> ok --------------> LOGGED
 *            row:       rows: nothing  roots, cuts,    commits wait:      row: generation,   a record,
 *            adopting   on it counts   log, read back  identity, written  no longer lost     for rebuilds
 *                                                      last, read back
 *
 * A1 (I1, D8): the identity is written last. Before it nothing that the cloud answers counts, and no rebuild
 * takes it for a witness; from then on it has all of the log, for no commit is decided between the last copy
 * and the identity (durability 4.3, BUG_ADOPT_EMPTY).
 *
 * A2 (I1): before the cloud stops being lost, every fragment that should be on it has a row that says that it
 * does not count; a put that wrote to it before sees another generation, and owes.
 *
 * A3: every step can be done again; what was begun is finished by the next repair, whoever asks for it. An
 * identity of an earlier generation that comes back (an old disk) is not the one that catalogue and log name.
 */
#include <stdio.h>

#include "commit_internal.h"
#include "records.h"
#include "repair_internal.h"
#include "ss/key.h"

struct adoption {
    struct gw_repairing *p;
    unsigned at;
    uint32_t id, generation; /* the new one */
    const char *name;
};

/* -- may it be adopted? ---------------------------------------------------------------------------------- */

/* Something stands where the identity belongs. It is replaced only if it is ours, or what is left of ours. */
static qc_rc judge_identity(const struct adoption *a, qc_span bytes, struct qc_err *err)
{
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
    const uint8_t *catalogue = gw_root_catalogue(a->p->e->root);
    struct qc_err why = { 0 };

    if (bytes.n < 4 || memcmp(bytes.p, "QCLI", 4) != 0)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s: what stands at %s is no identity: the place is not ours",
                       a->name, gw_name_identity);
    if (gw_identity_parse(bytes, &id, &why) != QC_OK)
        return QC_OK; /* ours once; rotten */
    if (!qc_ct_eq(id.catalogue, catalogue, GW_ID_BYTES))
        return QC_FAIL(err, QC_CONFLICT, "cloud %s: carries another gateway's identity", a->name);
    if (id.cloud_id != a->id)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s: is the place of cloud %s: two places were mixed up",
                       a->name, gw_engine_cloud_name(a->p->e, id.cloud_id));
    if (id.generation > a->generation)
        return QC_FAIL(err, QC_CONFLICT,
                       "cloud %s: shows generation %" PRIu32 ", this catalogue knows of none after %" PRIu32,
                       a->name, id.generation, a->generation);
    return QC_OK;
}

/* Enough others that know of no other gateway: any so many meet each rebuild, but for one that reached
 * nothing but this cloud. */
static qc_rc check_others(const struct adoption *a, struct qc_err *err)
{
    struct gw_engine *e = a->p->e;
    const gw_clouds others = gw_fan_witnesses(e->fan) & ~((gw_clouds)1 << a->at);
    const unsigned count = (unsigned)__builtin_popcount(others), quorum = e->conf.record_quorum;
    const unsigned good = (unsigned)__builtin_popcount(gw_repair_clouds(a->p) & others);
    const unsigned needed = quorum < count ? quorum : count;

    if (good < needed)
        return QC_FAIL(err, QC_QUORUM, "adopting cloud %s: %u other clouds answer, %u are needed", a->name,
                       good, needed);
    return QC_OK;
}

/* The place bears the mark of a cloud, answers, and is nobody else's. */
static qc_rc check_place(const struct adoption *a, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    struct gw_outcome o;

    QC_TRY_AS(gw_fan_create(a->p->e->fan, a->at, err), err, "cloud %s", a->name);
    QC_TRY(gw_identity_fetch(a->p->e, a->at, &bytes, &o, err));
    if (o.fate == GW_DONE)
        return judge_identity(a, qc_buf_span(&bytes), err);
    if (o.fate == GW_FAILED && (o.rc == QC_NOTFOUND || o.rc == QC_LIMIT) && !o.gone)
        return o.rc == QC_NOTFOUND ? QC_OK
                                   : QC_FAIL(err, QC_CONFLICT,
                                             "cloud %s: what stands at %s is no identity: the "
                                             "place is not ours",
                                             a->name, gw_name_identity);
    return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer: %s", a->name, o.why);
}

/* -- steps ----------------------------------------------------------------------------------------------- */

static qc_rc write_begun(const struct adoption *a, struct qc_err *err)
{
    struct gw_cat *cat = a->p->e->cat;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cloud_adopt(cat, a->id, a->generation, err));
    QC_TRY(gw_cloud_set_lost(cat, a->id, true, err));
    QC_TRY(gw_cat_commit(cat, &tx, err));
    return qc_fault(adopt_begun, err);
}

static qc_rc uncount_window(const struct adoption *a, const uint64_t *ids, unsigned count, struct qc_err *err)
{
    struct gw_cat *cat = a->p->e->cat;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(cat, &tx, err));
    for (unsigned x = 0; x < count; x++) {
        struct gw_segment seg;
        const qc_rc rc = gw_cat_segment(cat, ids[x], &seg, err);
        if (rc == QC_NOTFOUND) { /* dropped since */
            qc_err_clear(err);
            continue;
        }
        QC_TRY(rc);
        QC_TRY(gw_repair_uncount(a->p->e, a->id, &seg, GW_DEV_LOST, err));
    }
    return gw_cat_commit(cat, &tx, err);
}

/* A2: segments that are written from now on see that the cloud is being adopted, and owe their fragment. */
static qc_rc uncount_all(const struct adoption *a, struct qc_err *err)
{
    struct gw_cat *cat = a->p->e->cat;
    uint64_t ids[GW_WINDOW], end;
    unsigned count;

    {
        QC_LOCK(gw_cat_lock(cat));
        QC_TRY(gw_meta_get(cat, "next_segment", &end, err));
    }
    for (uint64_t from = 0; from < end; from += GW_WINDOW) {
        QC_TRY(gw_repair_go_on(a->p, err));
        {
            QC_LOCK(gw_cat_lock(cat));
            QC_TRY(gw_cat_window_all(cat, from, ids, &count, err));
        }
        if (count > 0)
            QC_TRY(uncount_window(a, ids, count, err));
    }
    return qc_fault(adopt_uncounted, err);
}

/* As a commit like others: with small k it needs the cloud itself. */
static qc_rc write_record(const struct adoption *a, struct qc_err *err)
{
    struct gw_engine *e = a->p->e;
    struct gw_cloud_row row;
    struct gw_change change = { .kind = GW_CHANGE_CLOUD, .cloud = &row };

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cloud_row(e->cat, a->id, &row, err));
    }
    row.generation = a->generation;
    QC_TRY(gw_commit(e, &change, err));
    return qc_fault(adopt_logged, err);
}

/* -- the identity ---------------------------------------------------------------------------------------- */

/* Shares of the root key that other clouds' identities hold, all of one polynomial. */
struct shares {
    struct gw_identity ids[QC_GW_CLOUDS_MAX];
    uint8_t x[QC_GW_CLOUDS_MAX];
    const qc_key *share[QC_GW_CLOUDS_MAX];
    unsigned count;
    const struct gw_slot *first; /* whose polynomial it is */
};

static void shares_done(struct shares *s)
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        gw_identity_done(&s->ids[i]);
}

static qc_rc add_share(struct shares *s, unsigned at, qc_span bytes, struct qc_err *err)
{
    struct gw_identity *id = &s->ids[at];

    QC_TRY(gw_identity_parse(bytes, id, err));
    if (id->slot_count == 0)
        return QC_OK;
    if (s->first == NULL)
        s->first = &id->slots[0];
    if (!qc_ct_eq(id->slots[0].polynomial, s->first->polynomial, GW_ID_BYTES))
        return QC_OK;
    s->x[s->count] = id->slots[0].x;
    s->share[s->count++] = id->slots[0].share;
    return QC_OK;
}

/* From clouds that show who they are. */
static qc_rc gather_shares(const struct adoption *a, struct shares *s, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(a->p->e->fan); at++) {
        qc_buf bytes = { 0 };
        struct gw_outcome o;
        if (at == a->at || !gw_repair_usable(a->p, at))
            continue;
        QC_TRY(gw_identity_fetch(a->p->e, at, &bytes, &o, err));
        struct qc_err why = { 0 };
        if (o.fate == GW_DONE)
            qc_ignore(add_share(s, at, qc_buf_span(&bytes), &why), "one that does not parse is no share");
        gw_log_wipe(&bytes); /* a share of the root key */
    }
    return QC_OK;
}

/* The share that the catalogue knows to be its own; *ret_found. After a rebuild it may know none. */
static qc_rc own_identity(const struct adoption *a, qc_buf *ret, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf had = { .max = GW_IDENTITY_MAX };
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
    const struct gw_member m = { a->id, a->generation };
    struct qc_err why = { 0 };

    {
        QC_LOCK(gw_cat_lock(a->p->e->cat));
        QC_TRY(gw_cloud_identity(a->p->e->cat, a->id, &had, err));
    }
    *ret_found = gw_identity_parse(qc_buf_span(&had), &id, &why) == QC_OK && id.slot_count == 1;
    return *ret_found ? gw_identity_renew(a->p->e->root, &m, id.slots, 1, ret, err) : QC_OK;
}

/* Its place among those that count, by id: FORMAT 9.1. */
static uint8_t point_of(const struct adoption *a)
{
    const gw_clouds below = ((gw_clouds)1 << a->at) - 1; /* positions are in the order of ids */

    return (uint8_t)(__builtin_popcount(gw_fan_witnesses(a->p->e->fan) & below) + 1);
}

/* Its share is a point of the polynomial that the others' shares give: the one that it had. */
static qc_rc combine_identity(const struct adoption *a, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(shares_done) struct shares s = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *share = NULL;
    const struct gw_member m = { a->id, a->generation };
    struct gw_slot slot = { 0 };

    QC_TRY(gather_shares(a, &s, err));
    if (s.count == 0)
        return gw_identity_renew(a->p->e->root, &m, NULL, 0, ret, err);
    const struct gw_slot *like = s.first;
    if (s.count < like->threshold)
        return QC_FAIL(err, QC_QUORUM,
                       "adopting cloud %s: %u shares of the root key on the others, %u are needed", a->name,
                       s.count, like->threshold);
    slot.threshold = like->threshold;
    slot.count = like->count;
    slot.x = point_of(a);
    for (unsigned i = 0; i < s.count; i++)
        if (s.x[i] == slot.x)
            return QC_FAIL(err, QC_INTEGRITY, "another cloud has the share of cloud %s", a->name);
    memcpy(slot.polynomial, like->polynomial, sizeof slot.polynomial);
    QC_TRY(ss_key_combine(like->threshold, s.x, s.share, slot.x, &share, err));
    slot.share = share;
    return gw_identity_renew(a->p->e->root, &m, &slot, 1, ret, err);
}

static qc_rc make_identity(const struct adoption *a, qc_buf *ret, struct qc_err *err)
{
    bool found;

    QC_TRY(own_identity(a, ret, &found, err));
    return found ? QC_OK : combine_identity(a, ret, err);
}

static qc_rc write_adopted(const struct adoption *a, qc_span identity, struct qc_err *err)
{
    struct gw_engine *e = a->p->e;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cloud_adopted(e->cat, a->id, a->generation, identity, err));
    QC_TRY(qc_fault(adopt_done, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    gw_fan_set_generation(e->fan, a->at, a->generation);
    gw_fan_set_state(e->fan, a->at, GW_CLOUD_OK, NULL);
    return QC_OK;
}

/* What is decided is rolled forward, and leaves its log object, or a debt, on this cloud. With few clouds
 * that may need this very one: then it has the object first, and is counted when the roll is tried again. */
static qc_rc roll_or_copy(const struct adoption *a, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_GW_LOG_MAX };
    struct gw_engine *e = a->p->e;
    struct gw_log_row row = { .incarnation = e->conf.incarnation };
    bool right = false;
    const qc_rc rc = gw_roll(e, false, err);

    if (rc != QC_QUORUM)
        return rc;
    qc_err_clear(err);
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_outbox(e->cat, &row.sequence, &body, err));
    }
    const qc_span bytes = qc_buf_span(&body);
    QC_TRY(qc_sha256(&bytes, 1, row.hash, err));
    QC_TRY(gw_record_put(e, a->at, &row, bytes, &right, err));
    if (!right)
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not take the log", a->name);
    return QC_OK;
}

/* A1: nothing is decided from the last look at the log to the end. */
static qc_rc name_cloud(const struct adoption *a, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf identity = { .max = GW_IDENTITY_MAX };
    bool all;

    QC_TRY(roll_or_copy(a, err));
    QC_TRY(gw_repair_pay(a->p, a->at, &all, err));
    if (!all)
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not take the log", a->name);
    QC_TRY(make_identity(a, &identity, err));
    QC_TRY(gw_identity_store(a->p->e, a->at, qc_buf_span(&identity), err));
    QC_TRY(qc_fault(adopt_named, err));
    return write_adopted(a, qc_buf_span(&identity), err);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static qc_rc adopt(const struct adoption *a, struct qc_err *err)
{
    bool all, held;

    QC_TRY(check_others(a, err));
    QC_TRY(check_place(a, err));
    QC_TRY(write_begun(a, err));
    QC_TRY(uncount_all(a, err));
    QC_TRY(gw_repair_fill(a->p, a->at, &all, err));
    if (!all)
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s does not take the log, or parts of it are on no other cloud: %s", a->name,
                       a->p->r->clouds[a->at].refused);
    QC_TRY(qc_fault(adopt_filled, err));
    gw_commit_hold(a->p->e);
    qc_rc rc = gw_engine_hold_others(a->p->e, &held, err); /* they decide nothing, either */
    if (rc == QC_OK)
        rc = name_cloud(a, err);
    gw_engine_let_others(a->p->e, &held);
    gw_commit_release(a->p->e);
    QC_TRY(rc);
    return write_record(a, err);
}

static qc_rc life_of(struct gw_engine *e, uint32_t id, struct gw_cloud_life *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cloud_life(e->cat, id, ret, err);
}

static bool is_lost(struct gw_repairing *p, unsigned at)
{
    struct gw_cloud_view view;

    gw_fan_view(p->e->fan, at, &view);
    return view.state == GW_CLOUD_LOST;
}

static bool asked_for(const struct gw_repairing *p, unsigned at)
{
    return p->ask->adopt != NULL && strcmp(p->ask->adopt, gw_fan_name(p->e->fan, at)) == 0;
}

/* One cloud: what was begun, or what is asked for. */
static qc_rc adopt_one(struct gw_repairing *p, unsigned at, struct qc_err *err)
{
    struct adoption a = {
        .p = p, .at = at, .id = gw_fan_id(p->e->fan, at), .name = gw_fan_name(p->e->fan, at)
    };
    struct gw_cloud_life life;
    struct qc_err why = { 0 };

    QC_TRY(life_of(p->e, a.id, &life, err));
    if (life.adopting == 0 && asked_for(p, at) && !is_lost(p, at) && !gw_repair_usable(p, at))
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s does not answer: only one that does, and is lost, can be adopted", a.name);
    const bool begin = life.adopting == 0 && asked_for(p, at) && is_lost(p, at);
    const bool log = life.adopting == 0 && !begin && life.generation > 1 && life.logged < life.generation;
    if (!begin && !log && life.adopting == 0)
        return QC_OK; /* one that is there needs nothing */
    a.generation = life.adopting != 0 ? life.adopting : life.generation + begin;
    const qc_rc rc = log ? write_record(&a, &why) : adopt(&a, &why);
    if (rc == QC_OK || (!asked_for(p, at) && !gw_repair_fatal(p, rc))) /* begun, and not to be finished now */
        return QC_OK;
    *err = why;
    return rc;
}

qc_rc gw_repair_adopt(struct gw_repairing *p, struct qc_err *err)
{
    bool known = p->ask->adopt == NULL;

    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++)
        known = known || asked_for(p, at);
    if (!known)
        return QC_FAIL(err, QC_USAGE, "this gateway has no cloud '%s'", p->ask->adopt);
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++)
        QC_TRY(adopt_one(p, at, err));
    return QC_OK;
}
