/* Directory clouds with identities, a fan and a store over them, for tests of the gateway's storage. */
#pragma once
#include <unistd.h>

#include "base/alloc.h"
#include "gateway/fan.h"
#include "gateway/place.h"
#include "gateway/probe.h"
#include "gateway/root.h"
#include "gateway/segment.h"
#include "gateway/tenant.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

struct rig {
    struct qc_tmpdir dir;
    unsigned clouds, k, n;
    struct qc_rand rand;
    struct gw_root *root;
    struct gw_fan *fan;
    struct gw_store *store;
};

/* Memory where there is some: thousands of small durable files are no test of a disk. */
static inline void rig_in_memory(void)
{
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
}

static inline void rig_url(const struct rig *r, unsigned i, char *ret, size_t size)
{
    CHECK(snprintf(ret, size, "file://%s/c%u", r->dir.path, i + 1) < (int)size);
}

static inline void rig_path(const struct rig *r, unsigned i, const char *key, char *ret, size_t size)
{
    CHECK(snprintf(ret, size, "%s/c%u/%s", r->dir.path, i + 1, key) < (int)size);
}

/* A new fan and store over the same clouds, which were probed. */
static inline void rig_open(struct rig *r)
{
    struct gw_cloud_conf conf[QC_GW_CLOUDS_MAX];
    char urls[QC_GW_CLOUDS_MAX][320], names[QC_GW_CLOUDS_MAX][16];
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < r->clouds; i++) {
        rig_url(r, i, urls[i], sizeof urls[i]);
        CHECK(snprintf(names[i], sizeof names[i], "c%u", i + 1) < (int)sizeof names[i]);
        conf[i] = (struct gw_cloud_conf){ .id = i + 1, .generation = 1, .name = names[i], .url = urls[i] };
    }
    CHECK_OK(gw_fan_new(&r->fan, conf, r->clouds, &err));
    CHECK_OK(gw_store_new(&r->store, r->root, r->fan, r->k, r->n, &err));
    gw_store_races(r->store, 0); /* what is asked for is waited for: damage is seen on a busy machine, too */
}

static inline void rig_close(struct rig *r)
{
    if (r->fan == NULL)
        return;
    CHECK(gw_fan_free(&r->fan, 60000));
    gw_store_free(&r->store);
}

/* The identities of all clouds, freshly made. */
static inline void rig_identities(struct rig *r)
{
    struct gw_member m[QC_GW_CLOUDS_MAX];
    qc_buf b[QC_GW_CLOUDS_MAX] = { { 0 } };
    qc_span s[QC_GW_CLOUDS_MAX];
    const char *keys[QC_GW_CLOUDS_MAX];
    struct gw_answer a;
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);

    for (unsigned i = 0; i < r->clouds; i++)
        m[i] = (struct gw_member){ i + 1, 1 };
    CHECK_OK(gw_identity_make(r->root, m, r->clouds, r->clouds - (r->n - r->k), &rng, b, &err));
    for (unsigned i = 0; i < r->clouds; i++) {
        s[i] = qc_buf_span(&b[i]);
        keys[i] = gw_name_identity;
    }
    const struct gw_ask ask = { .set = gw_fan_all(r->fan),
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(30000) } };
    CHECK_OK(gw_fan_put_each(r->fan, &ask, s, CLOUD_REPLACE, &a, &err));
    CHECK(a.done == ask.set);
    for (unsigned i = 0; i < r->clouds; i++)
        qc_buf_free(&b[i]);
}

static inline gw_clouds rig_probe(struct rig *r)
{
    struct qc_err err = { 0 };
    gw_clouds ok = 0;

    CHECK_OK(gw_probe(r->fan, r->root, gw_fan_all(r->fan), qc_deadline_in(20000), &ok, &err));
    return ok;
}

static inline struct rig rig_new(struct qc_rand rand, unsigned clouds, unsigned k, unsigned n)
{
    struct rig r = { .dir = qc_tmpdir_new(), .clouds = clouds, .k = k, .n = n, .rand = rand };
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r.rand);

    CHECK_OK(gw_root_random(&r.root, &rng, &err));
    for (unsigned i = 0; i < clouds; i++) {
        char url[320];
        rig_url(&r, i, url, sizeof url);
        CHECK_OK(cloud_create(url, &err));
    }
    rig_open(&r);
    rig_identities(&r);
    CHECK(rig_probe(&r) == gw_fan_all(r.fan));
    return r;
}

static inline void rig_done(struct rig *r)
{
    rig_close(r);
    gw_root_free(&r->root);
    qc_tmpdir_remove(&r->dir);
}

/* A segment's row with random ids, on clouds 1..n. */
static inline struct gw_segment rig_segment(struct rig *r, uint32_t size)
{
    struct gw_segment s = { .id = qc_rand_u64(&r->rand) >> 8,
                            .tenant = 1,
                            .seq = (uint32_t)qc_rand_below(&r->rand, 100),
                            .last = qc_rand_below(&r->rand, 2) == 1,
                            .base = qc_rand_below(&r->rand, 1000),
                            .incarnation = 1 + (uint32_t)qc_rand_below(&r->rand, 100000),
                            .size = size,
                            .k = r->k,
                            .n = r->n };

    qc_rand_fill(&r->rand, s.object, sizeof s.object);
    qc_rand_fill(&r->rand, s.version, sizeof s.version);
    qc_rand_fill(&r->rand, s.salt, sizeof s.salt);
    for (unsigned i = 0; i < r->n; i++)
        s.layout[i] = i + 1;
    return s;
}

/* Write random bytes as the segment; they are copied to `bytes` (size of it), the digest to seg. */
static inline struct gw_written rig_write(struct rig *r, struct gw_segment *seg, uint8_t *bytes, uint64_t ms)
{
    struct gw_unit *u = NULL;
    struct gw_written w;
    struct qc_err err = { 0 };

    CHECK_OK(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(ms), &u, &err));
    qc_rand_fill(&r->rand, bytes, seg->size);
    gw_unit_begin(u, seg->k, seg->size);
    gw_unit_add(u, qc_span_of(bytes, seg->size));
    CHECK_OK(gw_segment_write(r->store, seg, u, qc_deadline_in(ms), &w, &err));
    gw_unit_give(&u);
    memcpy(seg->digest, w.digest, sizeof seg->digest);
    return w;
}

/* Read a range and compare it with `bytes` (of the whole segment). The code, when nothing came. */
static inline qc_rc rig_read(struct rig *r, const struct gw_segment *seg, struct gw_range range,
                             const uint8_t *bytes, uint64_t ms, struct gw_faults *faults)
{
    struct gw_read *rd = NULL;
    struct qc_err err = { 0 };

    *faults = (struct gw_faults){ 0 };
    qc_rc rc = gw_segment_read(r->store, seg, range, qc_deadline_in(ms), faults, &rd, &err);
    if (rc != QC_OK) {
        CHECK(rd == NULL && err.msg[0] != '\0');
        if (getenv("QC_VERBOSE") != NULL)
            fprintf(stderr, "%s: %s\n", qc_rc_name(rc), err.msg);
        return rc;
    }
    uint8_t *got = malloc(range.to - range.from);
    CHECK(got != NULL);
    gw_read_copy(rd, range.from, got, range.to - range.from);
    CHECK(memcmp(got, bytes + range.from, range.to - range.from) == 0);
    free(got);
    gw_read_free(&rd);
    return rc;
}

/* Where fragment i lies: its cloud (from 0) and its path. */
static inline unsigned rig_fragment(struct rig *r, const struct gw_segment *seg, unsigned i, char *path,
                                    size_t size)
{
    char key[GW_NAME_SIZE];
    struct qc_err err = { 0 };
    int at = -1;

    CHECK_OK(gw_segment_key(r->store, seg, i, &at, key, &err));
    CHECK(at >= 0);
    rig_path(r, (unsigned)at, key, path, size);
    return (unsigned)at;
}

/* The rules of cloud/cloud_fault.h, changed while clouds are open. */
static inline void rig_faults(const struct rig *r, const char *rules)
{
    char path[300], tmp[310];

    CHECK(snprintf(path, sizeof path, "%s/faults", r->dir.path) > 0);
    CHECK(snprintf(tmp, sizeof tmp, "%s.new", path) > 0);
    FILE *f = fopen(tmp, "w");
    CHECK(f != NULL && fputs(rules, f) >= 0 && fclose(f) == 0 && rename(tmp, path) == 0);
}

static inline struct gw_cloud_view rig_view(struct rig *r, unsigned at)
{
    struct gw_cloud_view v;

    gw_fan_view(r->fan, at, &v);
    return v;
}

/* Until every unit is back and no breaker is open. */
static inline void rig_calm(struct rig *r)
{
    const qc_deadline d = qc_deadline_in(60000);
    bool suspect = true;

    while (suspect || gw_store_spare(r->store) != QC_GW_UNITS) {
        CHECK(!qc_deadline_over(d));
        (void)usleep(20000);
        (void)rig_probe(r); /* only an answer closes a breaker */
        suspect = false;
        for (unsigned i = 0; i < 5; i++)
            suspect |= rig_view(r, i).suspect;
    }
}
