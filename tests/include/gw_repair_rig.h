/* Damage to a gateway's fragments and records behind its back, and what a repair must leave. For tests that
 * see the engine's inside. */
#pragma once
#include <fcntl.h>

#include "engine_internal.h"
#include "gateway/repair.h"
#include "gw_engine_rig.h"

/* The file of a fragment as the catalogue has it now; -1: its cloud is none of ours. */
static inline void rrig_fragment(struct erig *r, const struct erig_put *p, uint32_t seq, unsigned frag,
                                 unsigned *ret_cloud, char ret[600])
{
    struct gw_version_row v;
    struct gw_segment seg;
    struct qc_err err = { 0 };
    char key[GW_NAME_SIZE], cloud[320];
    uint64_t id;
    int at;

    const struct gw_version_ids ids = { .tenant = r->tenant, .object = p->object, .version = p->version };
    QC_LOCK(gw_cat_lock(r->e->cat));
    CHECK_OK(gw_cat_version(r->e->cat, &ids, &v, &err));
    CHECK_OK(gw_cat_segment_of(r->e->cat, v.no, seq, &id, &err));
    CHECK_OK(gw_cat_segment(r->e->cat, id, &seg, &err));
    CHECK_OK(gw_segment_key(r->e->store, &seg, frag, &at, key, &err));
    CHECK(at >= 0);
    *ret_cloud = (unsigned)at;
    erig_cloud(r, (unsigned)at, "", cloud, sizeof cloud);
    CHECK(snprintf(ret, 600, "%s/%s", cloud, key) < 600);
}

enum rrig_damage {
    RRIG_LOST,
    RRIG_EMPTY,
    RRIG_CUT,
    RRIG_LONGER,
    RRIG_FLIPPED,
    RRIG_STALE, /* the object is that of another segment: a valid fragment under the wrong key */
    RRIG_DAMAGES
};
static inline const char *rrig_damage_name(enum rrig_damage d)
{
    static const char *const names[] = { "lost", "empty", "cut", "longer", "flipped", "stale" };
    return names[d];
}
/* Does a listing show it? */
static inline bool rrig_shows(enum rrig_damage d)
{
    return d != RRIG_FLIPPED && d != RRIG_STALE;
}

static inline void rrig_read(const char *path, uint8_t **ret, size_t *ret_n)
{
    struct stat st;
    const int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    *ret_n = (size_t)st.st_size;
    *ret = malloc(*ret_n + 1);
    CHECK(*ret != NULL && read(fd, *ret, *ret_n) == (ssize_t)*ret_n);
    close(fd);
}

static inline void rrig_write(const char *path, const uint8_t *p, size_t n)
{
    const int fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

static inline void rrig_flip(const char *path, size_t at)
{
    uint8_t *b;
    size_t n;

    rrig_read(path, &b, &n);
    CHECK(at < n);
    b[at] ^= 0x10;
    rrig_write(path, b, n);
    free(b);
}

/* other: for RRIG_STALE, whose file is copied over. */
static inline void rrig_damage(const char *path, enum rrig_damage d, const char *other, struct qc_rand *rand)
{
    uint8_t *b;
    size_t n;

    if (d == RRIG_LOST) {
        CHECK(unlink(path) == 0);
        return;
    }
    rrig_read(d == RRIG_STALE ? other : path, &b, &n);
    if (d == RRIG_FLIPPED && n > 0)
        b[qc_rand_below(rand, n)] ^= (uint8_t)(1U << qc_rand_below(rand, 8));
    b[n] = 0;
    rrig_write(path, b, d == RRIG_EMPTY ? 0 : d == RRIG_CUT ? n / 2 : d == RRIG_LONGER ? n + 1 : n);
    free(b);
}

/* The fragment as it would have been written for this cloud, at this attempt. */
static inline void rrig_write_for(struct erig *r, uint32_t cloud_id, uint8_t attempt, const char *from,
                                  const char *to)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    struct gw_frag_head h;
    struct gw_frag_end e;
    struct qc_err err = { 0 };
    uint8_t *p;
    size_t n;

    rrig_read(from, &p, &n);
    CHECK_OK(gw_frag_head_parse(qc_span_of(p, GW_FRAG_HEAD_BYTES), &h, &err));
    CHECK_OK(gw_frag_keys_derive(r->e->root, h.segment_id, h.salt, &keys, &err));
    h.cloud_id = cloud_id;
    h.attempt = attempt;
    gw_frag_head_write(&h, p);
    const size_t end = gw_frag_end_size(h.stripe_count, h.n);
    CHECK_OK(gw_frag_end_parse(qc_span_of(p + n - end, end), h.stripe_count, h.n, &e, &err));
    CHECK_OK(gw_frag_mac(&keys, qc_span_of(p, GW_FRAG_HEAD_BYTES), e.tags, e.digests, p + n - GW_DIGEST_BYTES,
                         &err));
    const int fd = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n && close(fd) == 0 && unlink(from) == 0);
    free(p);
}

/* Files of a cloud below a folder ("/f/"), temporary ones left out. */
static unsigned rrig_count_;
static const char *rrig_folder_;
static inline int rrig_see_(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    rrig_count_ += kind == FTW_F && strstr(path, rrig_folder_) != NULL && strstr(path, "/.") == NULL;
    return 0;
}
static inline unsigned rrig_files(const struct erig *r, unsigned cloud, const char *folder)
{
    char path[320];
    erig_cloud(r, cloud, "", path, sizeof path);
    rrig_count_ = 0;
    rrig_folder_ = folder;
    CHECK(nftw(path, rrig_see_, 16, FTW_PHYS) == 0);
    return rrig_count_;
}

static inline qc_rc rrig_repair(struct erig *r, bool deep, struct gw_repair_report *ret)
{
    const struct gw_repair_ask ask = { .deep = deep };
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_repair(r->e, &ask, ret, &err));
    return gw_repair_verdict(ret, &err);
}

struct rrig_sums {
    uint64_t missing, damaged, found, rebuilt, left, records, records_left, dead, unknown, foreign;
};
static inline struct rrig_sums rrig_sum(const struct gw_repair_report *r)
{
    struct rrig_sums s = { 0 };
    for (unsigned i = 0; i < r->cloud_count; i++) {
        s.missing += r->clouds[i].missing;
        s.damaged += r->clouds[i].damaged;
        s.found += r->clouds[i].found;
        s.rebuilt += r->clouds[i].rebuilt;
        s.left += r->clouds[i].left;
        s.records += r->clouds[i].records;
        s.records_left += r->clouds[i].records_left;
        s.dead += r->clouds[i].dead;
        s.unknown += r->clouds[i].unknown;
        s.foreign += r->clouds[i].foreign;
    }
    return s;
}

/* What a version's worst segment really has, all fragments read: its margin. */
static inline int rrig_true_margin(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = p->object, .version = p->version };
    struct gw_version_row v;
    struct qc_err err = { 0 };
    int worst = QC_EC_N_MAX;

    for (uint32_t seq = 0; seq < p->segments; seq++) {
        struct gw_inspection in;
        struct gw_read *read = NULL;
        struct gw_segment seg;
        uint64_t id;
        {
            QC_LOCK(gw_cat_lock(r->e->cat));
            CHECK_OK(gw_cat_version(r->e->cat, &ids, &v, &err));
            CHECK_OK(gw_cat_segment_of(r->e->cat, v.no, seq, &id, &err));
            CHECK_OK(gw_cat_segment(r->e->cat, id, &seg, &err));
        }
        CHECK_OK(gw_segment_inspect(r->e->store, &seg, (UINT32_C(1) << seg.n) - 1, qc_deadline_in(30000), &in,
                                    &read, &err));
        gw_read_free(&read);
        if ((int)in.good - (int)seg.k < worst)
            worst = (int)in.good - (int)seg.k;
    }
    return worst;
}

/* No more is claimed than there is, and what there is can be read. */
static inline void rrig_honest(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    struct gw_version_info info;
    struct qc_err err = { 0 };

    CHECK_OK(gw_version_info(r->e, &ids, &info, &err));
    CHECK(info.margin <= rrig_true_margin(r, p));
    CHECK_OK(erig_check(r, p, &err));
}

/* Faults that the reads of erig_check have met. */
static inline uint64_t rrig_faults(struct erig *r)
{
    struct qc_err ignored = { 0 };
    struct gw_request q = { 0 };
    uint64_t sum = 0;

    qc_ignore(gw_request_get(r->e, r->tenant, "0123456789abcdef", &q, &ignored), "nothing was read yet");
    for (unsigned i = 0; i < q.count; i++)
        sum += q.faults[i].count;
    return sum;
}

/* All of it is there: margins, debts, listings, and a read that meets nothing bad. */
static inline void rrig_whole(struct erig *r, const struct erig_put *puts, unsigned count)
{
    struct qc_err err = { 0 };
    struct gw_status s;

    CHECK_OK(gw_engine_status(r->e, &s, &err));
    CHECK(s.debts == 0 && s.record_debts == 0 && s.dead_segments == 0);
    CHECK(s.margin_count == 1 && s.margins[0].margin == (int)(r->n - r->k) && s.margins[0].versions == count);
    for (unsigned i = 0; i < count; i++) {
        const struct gw_version_ids ids = {
            .tenant = r->tenant, .vault = r->vault, .object = puts[i].object, .version = puts[i].version
        };
        struct gw_version_info info;
        CHECK_OK(gw_version_info(r->e, &ids, &info, &err));
        CHECK(info.margin == (int)(r->n - r->k));
        for (unsigned c = 0; c < info.cloud_count; c++)
            CHECK(info.clouds[c].missing == 0);
        const uint64_t before = rrig_faults(r);
        CHECK_OK(erig_check(r, &puts[i], &err));
        CHECK(rrig_faults(r) == before);
    }
}

/* As a pass leaves a fragment of which two gateways before this one had a key each: the one under which it
 * was counted is dead, for a DELETE of it may be on its way, and it counts no more. */
static inline void rrig_doom(struct erig *r, const struct erig_put *p, unsigned frag, struct gw_frag_key *ret)
{
    struct qc_err err = { 0 };
    struct gw_cat *cat = r->e->cat;
    const struct gw_version_ids ids = { .object = p->object, .version = p->version };
    struct gw_version_row version;
    struct gw_segment seg;
    unsigned cloud;
    uint64_t id;
    char path[600];

    rrig_fragment(r, p, 0, frag, &cloud, path);
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    CHECK_OK(gw_cat_begin(cat, &tx, &err));
    CHECK_OK(gw_cat_version(cat, &ids, &version, &err));
    CHECK_OK(gw_cat_segment_of(cat, version.no, 0, &id, &err));
    CHECK_OK(gw_cat_segment(cat, id, &seg, &err));
    *ret = (struct gw_frag_key){ .segment_id = id,
                                 .frag = frag,
                                 .cloud_id = gw_fan_id(r->e->fan, cloud),
                                 .incarnation = seg.incarnation,
                                 .attempt = seg.attempt[frag] };
    CHECK_OK(gw_cat_deviate(cat, id, frag, ret->cloud_id, GW_DEV_SUSPECT, &err));
    CHECK_OK(gw_cat_dead_key_add(cat, ret, seg.salt, &err));
    CHECK_OK(gw_cat_commit(cat, &tx, &err));
}

static inline bool rrig_is_doomed(struct erig *r, const struct gw_frag_key *key)
{
    struct qc_err err = { 0 };
    bool dead;
    QC_LOCK(gw_cat_lock(r->e->cat));
    CHECK_OK(gw_cat_dead_key_is(r->e->cat, key, &dead, &err));
    return dead;
}
