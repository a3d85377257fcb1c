/* unit/gateway_drill: a drill reads what it should, without what it should do without; what would be lost is
 * told, with the cloud to blame, and stays told until a drill as great comes back. Nothing on the clouds is
 * changed. What the catalogue has of drills and does not parse is refused. (I2, ADR 23) */
#include "gw_repair_rig.h"

#include "gateway/drill.h"

enum { OBJECTS = 7, DRILLS_BYTES = 2 * (4 + 7 * 8 + 4 * QC_GW_CLOUDS_MAX) };

struct told {
    unsigned lost, tells;
    struct gw_id object;
    char text[QC_ERR_MSG_MAX];
    struct qc_cancel *cancel; /* set at the first version */
};

static qc_rc lost(void *ctx, const struct gw_drill_lost *one, struct qc_err *err)
{
    struct told *t = ctx;

    (void)err;
    t->lost++;
    t->object = one->object;
    CHECK(snprintf(t->text, sizeof t->text, "%s", one->text) > 0);
    return QC_OK;
}

static void tell(void *ctx, const struct gw_drilled *now)
{
    struct told *t = ctx;

    CHECK(now->tried == ++t->tells && now->back <= now->tried && now->ended_s == 0);
    if (t->cancel != NULL)
        qc_cancel_set(t->cancel);
}

static struct gw_drilled drill(struct erig *r, const char *one, const char *two, uint64_t sample,
                               struct told *t, qc_rc expect)
{
    const char *names[] = { one, two };
    struct gw_drill_ask ask = { .without = names,
                                .without_count = one == NULL   ? 0
                                                 : two == NULL ? 1
                                                               : 2,
                                .sample = sample,
                                .seed = 7,
                                .cancel = t->cancel,
                                .lost = lost,
                                .tell = tell,
                                .ctx = t };
    struct gw_drilled d;
    struct qc_err err = { 0 };

    CHECK_RC(gw_engine_drill(r->e, &ask, &d, &err), expect);
    return d;
}

/* By lot: the same seed does without the same clouds; more than there are cannot be drawn. */
static void drawn(struct erig *r)
{
    struct gw_drill_ask ask = { .random = GW_DRILL_USUAL, .seed = 3 };
    struct gw_drilled a, b;
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_drill(r->e, &ask, &a, &err));
    CHECK(a.without_count == 2 && a.whole && a.exit == 0 && a.back == OBJECTS);
    CHECK_OK(gw_engine_drill(r->e, &ask, &b, &err));
    CHECK(memcmp(a.without, b.without, sizeof a.without) == 0);
    ask.random = 6;
    CHECK_RC(gw_engine_drill(r->e, &ask, &b, &err), QC_USAGE);
    const char *odd[] = { "nobody" };
    ask = (struct gw_drill_ask){ .without = odd, .without_count = 1 };
    CHECK_RC(gw_engine_drill(r->e, &ask, &b, &err), QC_NOTFOUND);
    odd[0] = "c1,c2";
    CHECK_RC(gw_engine_drill(r->e, &ask, &b, &err), QC_USAGE);
}

/* One fragment of one version goes: it is lost only without two clouds more. */
static void failing(struct erig *r, const struct erig_put *puts)
{
    char path[600], blame[64];
    const char *one = NULL, *two = NULL;
    struct told t = { 0 };
    struct gw_drills kept;
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    unsigned cloud;

    rrig_fragment(r, &puts[3], 0, 0, &cloud, path);
    CHECK(unlink(path) == 0);
    static const char *const names[] = { "c1", "c2", "c3", "c4", "c5" };
    for (unsigned i = 0; i < 5; i++)
        if (i != cloud) {
            two = one;
            one = names[i];
        }
    struct gw_drilled d = drill(r, one, two, 0, &t, QC_OK);
    CHECK(d.tried == OBJECTS && d.back == OBJECTS - 1 && d.whole && t.lost == 1 && t.tells == OBJECTS);
    CHECK(d.exit == qc_rc_exit(QC_QUORUM) && gw_id_same(&t.object, &puts[3].object));
    CHECK(snprintf(blame, sizeof blame, "%s missing, 2 withheld", names[cloud]) > 0);
    CHECK(strstr(t.text, blame) != NULL);
    CHECK_RC(gw_drill_verdict(&d, &err), QC_QUORUM);
    CHECK_OK(gw_engine_drills(r->e, &kept, &err));
    CHECK(kept.failed.ended_s != 0 && kept.failed.back == d.back && kept.last.back == d.back);

    t = (struct told){ 0 };
    (void)drill(r, one, NULL, 0, &t, QC_OK); /* too little */
    t = (struct told){ 0 };
    (void)drill(r, names[cloud], one, 1, &t, QC_OK); /* a sample, and others */
    CHECK_OK(gw_engine_drills(r->e, &kept, &err));
    CHECK(kept.failed.ended_s != 0 && kept.last.tried == 1 && !kept.last.whole && kept.last.exit == 0);
    CHECK_OK(rrig_repair(r, true, &report));
    t = (struct told){ 0 };
    d = drill(r, two, one, 0, &t, QC_OK);
    CHECK(d.back == OBJECTS && t.lost == 0);
    CHECK_OK(gw_engine_drills(r->e, &kept, &err));
    CHECK(kept.failed.ended_s == 0 && kept.last.whole);
}

static void stopped(struct erig *r)
{
    struct qc_cancel cancel = { 0 };
    struct told t = { .cancel = &cancel };
    struct gw_drills before, after;
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_drills(r->e, &before, &err));
    CHECK(drill(r, "c1", NULL, 0, &t, QC_CANCELLED).tried == 1);
    CHECK_OK(gw_engine_drills(r->e, &after, &err));
    CHECK(after.last.tried == before.last.tried && after.last.without_count == before.last.without_count &&
          after.failed.ended_s == 0); /* nothing came of it */
}

static void put_row(struct erig *r, const uint8_t *p, size_t n)
{
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
    CHECK_OK(gw_meta_set_bytes(r->e->cat, "drills", qc_span_of(p, n), &err));
    CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
}

/* A row of every shorter length, a longer one, and fields that cannot be. */
static void hostile(struct erig *r)
{
    uint8_t row[DRILLS_BYTES + 1] = { 0 };
    struct gw_drills d;
    struct qc_err err = { 0 };

    {
        QC_LOCK(gw_cat_lock(r->e->cat));
        CHECK_OK(gw_meta_get_bytes(r->e->cat, "drills", row, DRILLS_BYTES, &err));
    }
    CHECK_OK(gw_engine_drills(r->e, &d, &err));
    for (size_t n = 0; n <= DRILLS_BYTES + 1; n++) {
        put_row(r, row, n);
        CHECK_RC(gw_engine_drills(r->e, &d, &err), n == DRILLS_BYTES ? QC_OK : QC_INTEGRITY);
    }
    static const struct {
        size_t at;
        uint8_t to;
    } bad[] = { { 0, 2 },  { 1, 2 }, { 3, QC_GW_CLOUDS_MAX + 1 }, { 4, 0x80 }, { 12, 0x80 },
                { 36, 1 }, { 44, 1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint8_t was = row[bad[i].at];
        row[bad[i].at] = bad[i].to;
        put_row(r, row, DRILLS_BYTES);
        CHECK_RC(gw_engine_drills(r->e, &d, &err), QC_INTEGRITY);
        row[bad[i].at] = was;
    }
    put_row(r, row, DRILLS_BYTES);
}

int main(void)
{
    static char paths[OBJECTS][16];
    struct erig r;
    struct erig_put puts[OBJECTS];
    struct gw_receipt receipt;
    struct gw_drilled none;
    struct qc_err err = { 0 };
    const struct gw_drill_ask ask = { .seed = 1 };

    erig_new(&r, 5, 3, 5);
    CHECK_RC(gw_engine_drill(r.e, &ask, &none, &err), QC_NOTFOUND);
    for (unsigned i = 0; i < OBJECTS; i++) {
        CHECK(snprintf(paths[i], sizeof paths[i], "\1o%u", i) > 0);
        puts[i] = erig_prepare(10 + i, paths[i], 1, 1 + i % 2, 5000);
        CHECK_OK(erig_put(&r, &puts[i], &receipt, &err));
    }
    const unsigned files = rrig_files(&r, 1, "");
    drawn(&r);
    CHECK(rrig_files(&r, 1, "") == files);
    failing(&r, puts);
    stopped(&r);
    hostile(&r);
    erig_done(&r);
    return 0;
}
