/* A drill: versions are read as a get reads them, without some clouds. */
#include "gateway/drill.h"

#include "base/lot.h"
#include "engine_internal.h"
#include "make.h"

enum { PAGE = 256, PIECE = 256 * 1024, TRIES = 10, PAUSE_MS = 200 };

struct drill {
    struct gw_engine *e;
    const struct gw_drill_ask *ask;
    struct gw_drilled d;
    gw_clouds without;
    unsigned promised; /* clouds that may be lost, of all that is tried */
    qc_rc worst;
    uint8_t *piece;
};

static void drill_done(struct drill *d)
{
    qc_free(d->piece);
}

/* -- what is left out ------------------------------------------------------------------------------------ */

static void leave_out(struct drill *d, unsigned at)
{
    if ((d->without >> at & 1) != 0)
        return;
    d->without |= (gw_clouds)1 << at;
    d->d.without[d->d.without_count++] = gw_fan_id(d->e->fan, at);
}

/* One more, of those that count and are left: one that came or went loses nothing. place: of the lot. */
static qc_rc draw_one(struct drill *d, uint64_t place, struct qc_err *err)
{
    const gw_clouds all = gw_fan_witnesses(d->e->fan), from = all & ~d->without;
    const unsigned left = (unsigned)__builtin_popcount(from);
    uint64_t nth = 0;

    if (left == 0)
        return QC_FAIL(err, QC_USAGE, "there are only %u clouds to do without",
                       (unsigned)__builtin_popcount(all));
    QC_TRY(qc_lot_draw(d->ask->seed, place, left, &nth, err));
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++) {
        if ((from >> at & 1) == 0 || nth-- > 0)
            continue;
        leave_out(d, at);
        break;
    }
    return QC_OK;
}

/* By the least code that something has: while another one comes, what has the old one yet bears no more than
 * it ever did, and what gets the new one no more than that. */
static qc_rc promised(struct drill *d, unsigned *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(d->e->cat));
    const unsigned now = d->e->conf.n - d->e->conf.k;
    unsigned least = now;

    QC_TRY(gw_cat_least_m(d->e->cat, &least, err));
    *ret = least < now ? least : now;
    return QC_OK;
}

static qc_rc choose(struct drill *d, struct qc_err *err)
{
    QC_TRY(promised(d, &d->promised, err));
    for (unsigned i = 0; i < d->ask->without_count; i++) {
        gw_clouds one = 0;
        if (!gw_cloud_name_ok(d->ask->without[i]))
            return QC_FAIL(err, QC_USAGE, "that is no name of a cloud");
        QC_TRY(gw_engine_clouds_named(d->e, d->ask->without[i], &one, err));
        leave_out(d, (unsigned)__builtin_ctz(one));
    }
    const unsigned more = d->ask->random == GW_DRILL_USUAL ? d->promised : (unsigned)d->ask->random;
    for (unsigned i = 0; i < more; i++)
        QC_TRY(draw_one(d, i, err));
    return QC_OK;
}

/* -- one version ----------------------------------------------------------------------------------------- */

/* Buffers are for requests first: some patience. */
static qc_rc read_some(struct drill *d, struct gw_reader *r, uint64_t off, uint64_t size, size_t *ret_got,
                       struct qc_err *err)
{
    qc_rc rc = QC_TEMP;

    for (unsigned i = 0; rc == QC_TEMP && i < TRIES; i++) {
        if (i > 0)
            qc_err_clear(err);
        QC_TRY(qc_go_on(QC_NO_DEADLINE, d->ask->cancel, "the drill", err));
        rc = gw_reader_read(r, off, size, d->piece, PIECE, ret_got, err);
        if (rc == QC_TEMP)
            (void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
    }
    return rc;
}

static qc_rc read_all(struct drill *d, const struct gw_version_ids *ids, uint64_t *ret_bytes,
                      struct qc_err *err)
{
    struct gw_reader *r = NULL;
    uint64_t size = 0, off = 0;

    QC_TRY(gw_reader_open(d->e, ids, "", &r, &size, err));
    gw_reader_withhold(r, d->without);
    qc_rc rc = QC_OK;
    while (rc == QC_OK && off < size) {
        size_t got = 0;
        rc = read_some(d, r, off, size, &got, err);
        off += rc == QC_OK ? got : 0;
    }
    gw_reader_close(&r);
    *ret_bytes = off;
    return rc;
}

static qc_rc try_one(struct drill *d, uint64_t no, struct qc_err *err)
{
    struct gw_version_row v;
    struct qc_err why = { 0 };
    uint64_t bytes = 0;
    {
        QC_LOCK(gw_cat_lock(d->e->cat));
        QC_TRY(gw_cat_version_no(d->e->cat, no, &v, err));
    }
    const struct gw_version_ids ids = {
        .tenant = v.tenant, .vault = v.vault, .object = v.object, .version = v.version
    };
    const qc_rc rc = read_all(d, &ids, &bytes, &why);
    if (rc != QC_OK && rc != QC_QUORUM && rc != QC_INTEGRITY) { /* nothing is known of the version */
        *err = why;
        return rc;
    }
    d->d.tried++;
    d->d.back += rc == QC_OK;
    d->d.bytes += rc == QC_OK ? bytes : 0;
    d->worst = qc_rc_worse(d->worst, rc);
    d->d.exit = (uint8_t)qc_rc_exit(d->worst);
    const struct gw_drill_lost lost = {
        .tenant = v.tenant, .object = v.object, .version = v.version, .rc = rc, .text = why.msg
    };
    if (rc != QC_OK && d->ask->lost != NULL)
        QC_TRY(d->ask->lost(d->ask->ctx, &lost, err));
    if (d->ask->tell != NULL)
        d->ask->tell(d->ask->ctx, &d->d);
    return QC_OK;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

static qc_rc count(struct drill *d, struct qc_err *err)
{
    struct gw_counts n;
    QC_LOCK(gw_cat_lock(d->e->cat));

    QC_TRY(gw_cat_counts(d->e->cat, &n, err));
    d->d.versions = n.versions;
    return QC_OK;
}

static qc_rc try_all(struct drill *d, struct qc_err *err)
{
    struct qc_lot lot = { .seed = ~d->ask->seed, .all = d->d.versions, .sample = d->ask->sample };
    uint64_t nos[PAGE], after = 0;
    unsigned found = PAGE;

    while (found == PAGE) {
        {
            QC_LOCK(gw_cat_lock(d->e->cat));
            QC_TRY(gw_cat_live_after(d->e->cat, after, nos, PAGE, &found, err));
        }
        for (unsigned i = 0; i < found; i++) {
            bool wanted = false;
            QC_TRY(qc_lot_next(&lot, &wanted, err));
            if (wanted)
                QC_TRY(try_one(d, nos[i], err));
            after = nos[i];
        }
    }
    d->d.whole = d->d.tried == d->d.versions;
    return QC_OK;
}

/* -- what is kept ---------------------------------------------------------------------------------------- */

static bool is_retired(struct gw_engine *e, uint32_t cloud_id)
{
    const int at = gw_fan_at(e->fan, cloud_id);

    return at < 0 || (gw_fan_all(e->fan) >> at & 1) == 0;
}

/* All versions came back without what the failed one did without. Nobody can do so without a retired cloud
 * again. */
static bool outdoes(struct gw_engine *e, const struct gw_drilled *d, const struct gw_drilled *failed)
{
    bool all = d->exit == 0 && d->whole;

    for (unsigned i = 0; i < failed->without_count && all; i++) {
        bool found = is_retired(e, failed->without[i]);
        for (unsigned k = 0; k < d->without_count; k++)
            found |= d->without[k] == failed->without[i];
        all = found;
    }
    return all;
}

static qc_rc keep(struct drill *d, struct qc_err *err)
{
    struct gw_drills drills;
    unsigned now;

    QC_TRY(promised(d, &now, err));
    if (d->d.without_count > d->promised || d->d.without_count > now)
        return QC_OK; /* more than is promised, or was when it began */
    QC_LOCK(gw_cat_lock(d->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(d->e->cat, &tx, err));
    QC_TRY(gw_cat_drills_get(d->e->cat, &drills, err));
    drills.last = d->d;
    if (d->d.exit != 0)
        drills.failed = d->d;
    else if (drills.failed.ended_s != 0 && outdoes(d->e, &d->d, &drills.failed))
        drills.failed = (struct gw_drilled){ 0 };
    QC_TRY(gw_cat_drills_put(d->e->cat, &drills, err));
    return gw_cat_commit(d->e->cat, &tx, err);
}

static qc_rc run(struct drill *d, struct qc_err *err)
{
    QC_TRY(gw_engine_may(d->e, err));
    QC_TRY(choose(d, err));
    QC_TRY(count(d, err));
    if (d->d.versions == 0)
        return QC_FAIL(err, QC_NOTFOUND, "there is nothing stored to try");
    if ((d->piece = qc_alloc(PIECE)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "a drill");
    QC_TRY(try_all(d, err));
    d->d.ended_s = qc_wall_s();
    return keep(d, err);
}

qc_rc gw_engine_drill(struct gw_engine *e, const struct gw_drill_ask *ask, struct gw_drilled *ret,
                      struct qc_err *err)
{
    QC_CLEANUP(drill_done) struct drill d = { .e = e,
                                              .ask = ask,
                                              .d = { .began_s = qc_wall_s(), .seed = ask->seed } };

    const qc_rc rc = run(&d, err);
    *ret = d.d;
    return rc;
}

qc_rc gw_drill_verdict(const struct gw_drilled *d, struct qc_err *err)
{
    if (d->back == d->tried)
        return QC_OK;
    return QC_FAIL(err, d->exit == qc_rc_exit(QC_INTEGRITY) ? QC_INTEGRITY : QC_QUORUM,
                   "%" PRIu64 " of %" PRIu64 " versions would have been lost", d->tried - d->back, d->tried);
}

qc_rc gw_engine_drills(struct gw_engine *e, struct gw_drills *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));

    return gw_cat_drills_get(e->cat, ret, err);
}
