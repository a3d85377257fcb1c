/* unit/gateway_dead: what lies under a dead key goes, and not before its fragment counts elsewhere. (I1) */
#include "gw_repair_rig.h"

/* As a repair leaves it that put a fragment on another cloud, and was cut short before that one counted: the
 * key is dead, and what it names is there. */
static void leave_trial(struct erig *r, const struct erig_put *p, unsigned frag, unsigned spare)
{
    struct gw_cat *cat = r->e->cat;
    struct gw_version_row v;
    struct gw_segment seg;
    struct qc_err err = { 0 };
    struct gw_frag_key key = { .frag = frag,
                               .cloud_id = gw_fan_id(r->e->fan, spare),
                               .attempt = 1,
                               .incarnation = r->e->conf.incarnation };
    char is[600], copy[608], becomes[900], cloud[320], name[GW_NAME_SIZE];
    unsigned at;
    uint8_t *b;
    size_t n;
    int there;

    rrig_fragment(r, p, 0, frag, &at, is);
    {
        const struct gw_version_ids ids = { .tenant = r->tenant, .object = p->object, .version = p->version };
        QC_LOCK(gw_cat_lock(cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        CHECK_OK(gw_cat_version(cat, &ids, &v, &err));
        CHECK_OK(gw_cat_segment_of(cat, v.no, 0, &key.segment_id, &err));
        CHECK_OK(gw_cat_segment(cat, key.segment_id, &seg, &err));
        CHECK_OK(gw_cat_begin(cat, &tx, &err));
        CHECK_OK(gw_cat_dead_key_add(cat, &key, seg.salt, &err));
        CHECK_OK(gw_cat_commit(cat, &tx, &err));
    }
    seg.cloud[frag] = key.cloud_id;
    seg.attempt[frag] = key.attempt;
    seg.writer[frag] = key.incarnation;
    CHECK_OK(gw_segment_key(r->e->store, &seg, frag, &there, name, &err));
    CHECK(there == (int)spare);
    erig_cloud(r, spare, "", cloud, sizeof cloud);
    CHECK(snprintf(becomes, sizeof becomes, "%s/%s", cloud, name) > 0);
    for (char *end = becomes + strlen(cloud) + 1; (end = strchr(end, '/')) != NULL; *end++ = '/') {
        *end = '\0';
        CHECK(mkdir(becomes, 0700) == 0 || errno == EEXIST);
    }
    CHECK(snprintf(copy, sizeof copy, "%s.copy", is) > 0);
    rrig_read(is, &b, &n);
    const int fd = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, b, n) == (ssize_t)n && close(fd) == 0);
    free(b);
    rrig_write_for(r, key.cloud_id, key.attempt, copy, becomes);
}

/* Nothing is mended by it. */
static void sweep(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = true;

    for (unsigned i = 0; i < 2 * QC_GW_SWEEP_ROUNDS; i++)
        CHECK_OK(gw_tidy_sweep(r->e, &more, &err));
}

/* The clouds are asked, what they say is remembered, and nothing is mended. */
static void ask_all(struct erig *r)
{
    const struct gw_repair_ask ask = { .dry_run = true };
    struct gw_repair_report report;
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_repair(r->e, &ask, &report, &err));
}

/* What lies under a dead key is not swept while the fragment counts nowhere: not while the cloud that has it
 * is lost, and not while it is known to be gone. (I1) */
static void last_copy(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig r;
    unsigned spare = 0, home;
    char path[600];

    erig_new(&r, 5, 3, 4);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    while (rrig_files(&r, spare, "/f/") > 0)
        spare++;
    rrig_fragment(&r, &p, 0, 2, &home, path);

    leave_trial(&r, &p, 2, spare);
    erig_lose(&r, home);
    ask_all(&r);
    sweep(&r);
    CHECK(rrig_files(&r, spare, "/f/") == 1);
    erig_find(&r, home);
    ask_all(&r);
    sweep(&r);
    CHECK(rrig_files(&r, spare, "/f/") == 0);

    leave_trial(&r, &p, 2, spare);
    CHECK(unlink(path) == 0);
    ask_all(&r);
    sweep(&r);
    CHECK(rrig_files(&r, spare, "/f/") == 1);
    CHECK(rrig_repair(&r, false, &report) == QC_OK && rrig_sum(&report).rebuilt == 1);
    sweep(&r);
    CHECK(rrig_files(&r, spare, "/f/") == 0 && rrig_files(&r, home, "/f/") == 1);
    rrig_whole(&r, &p, 1);
    erig_done(&r);
}

#ifdef QC_FAULT_POINTS
/* Too few clouds take a segment, and the catalogue cannot be told that it is wanted no more: its place among
 * the busy is free, and its objects go, once it can. */
static void undropped(void)
{
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 5000);
    struct erig r;
    struct qc_err err = { 0 };
    bool more = true;

    erig_new(&r, 5, 3, 5);
    erig_lose(&r, 3);
    erig_lose(&r, 4);
    CHECK_OK(erig_begin(&r, &p, &err));
    qc_fault_script("sweep_mark:error:1");
    CHECK_RC(erig_segment(&r, &p, 0, &err), QC_QUORUM);
    CHECK(r.e->busy_count == 1 && r.e->undropped_count == 1);
    CHECK(rrig_files(&r, 0, "/f/") == 1);
    qc_fault_script("sweep_mark:error:1");
    CHECK(gw_engine_tidy(r.e, &more, &err) != QC_OK && r.e->busy_count == 1);
    qc_fault_script(NULL);
    for (unsigned i = 0; i < 20 && rrig_files(&r, 0, "/f/") > 0; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK(r.e->busy_count == 0 && r.e->undropped_count == 0);
    CHECK(rrig_files(&r, 0, "/f/") == 0);
    erig_find(&r, 3);
    erig_find(&r, 4);
    erig_done(&r);
}
#endif

int main(void)
{
    last_copy();
#ifdef QC_FAULT_POINTS
    undropped();
#endif
    return 0;
}
