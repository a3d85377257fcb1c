/* A gateway's engine over directory clouds, for tests: make, open, put, read, lose. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "gateway/engine.h"
#include "gateway/rebuild.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "qrng/qrng.h"

/* An id of the gateway's owner's. */
#define OWN(id_) (&(const struct gw_ref){ GW_OWNER, (id_) })

struct erig {
    struct qc_tmpdir dir;
    char state[320];
    unsigned clouds, k, n;
    struct qrng *source;
    qc_rng rng;
    struct gw_engine *e;
    uint32_t tenant; /* whose vault it is, and who puts */
    bool hasty;      /* puts wait for the quorum alone */
    uint32_t run;    /* of the upload, in segments and commits */
    struct gw_id vault;
};

static inline void erig_path(const struct erig *r, const char *name, char *ret, size_t size)
{
    CHECK(snprintf(ret, size, "%s/%s", r->dir.path, name) < (int)size);
}

static inline void erig_cloud(const struct erig *r, unsigned i, const char *suffix, char *ret, size_t size)
{
    CHECK(snprintf(ret, size, "%s/c%u%s", r->dir.path, i + 1, suffix) < (int)size);
}

struct erig_clouds {
    struct gw_engine_cloud v[QC_GW_CLOUDS_MAX];
    char names[QC_GW_CLOUDS_MAX][16], urls[QC_GW_CLOUDS_MAX][320];
};

static inline void erig_clouds(const struct erig *r, struct erig_clouds *ret)
{
    for (unsigned i = 0; i < r->clouds; i++) {
        CHECK(snprintf(ret->names[i], sizeof ret->names[i], "c%u", i + 1) > 0);
        CHECK(snprintf(ret->urls[i], sizeof ret->urls[i], "file://%s/c%u", r->dir.path, i + 1) > 0);
        ret->v[i] = (struct gw_engine_cloud){ .name = ret->names[i], .url = ret->urls[i] };
    }
}

/* A state directory's catalogue is in PostgreSQL where a server for tests is named
 * (tests/system/postgres.py). */
static inline void erig_home(const struct erig *r, const char *state)
{
    const char *host = getenv("QC_TEST_PG");
    char path[400];
    uint8_t name[6];
    struct qc_err err = { 0 };

    CHECK(snprintf(path, sizeof path, "%s/catalogue.conf", state) < (int)sizeof path);
    if (host == NULL || access(path, F_OK) == 0)
        return;
    CHECK(mkdir(state, 0700) == 0 || errno == EEXIST);
    CHECK_OK(qc_rng_fill(&r->rng, name, sizeof name, &err));
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fprintf(f, "[postgresql]\nhost = %s\nuser = qcloud\ndbname = qcloud\nschema = t", host);
    for (size_t i = 0; i < sizeof name; i++)
        fprintf(f, "%02x", name[i]);
    CHECK(fprintf(f, "\n") > 0 && fclose(f) == 0);
}

/* Such a catalogue does not lie in the state directory: tests that copy one do not apply. */
static inline bool erig_elsewhere(void)
{
    return getenv("QC_TEST_PG") != NULL;
}

static inline qc_rc erig_init(struct erig *r, const char *state, struct qc_err *err)
{
    struct erig_clouds c;

    erig_home(r, state);
    erig_clouds(r, &c);
    const struct gw_engine_setup setup = { .clouds = c.v, .count = r->clouds, .k = r->k, .n = r->n };
    return gw_engine_init(state, &setup, &r->rng, err);
}

static inline qc_rc erig_rebuild(struct erig *r, const char *state, struct gw_rebuild_report *ret,
                                 struct qc_err *err)
{
    struct erig_clouds c;

    erig_home(r, state);
    erig_clouds(r, &c);
    const struct gw_rebuild_setup setup = { .clouds = c.v, .count = r->clouds };
    return gw_rebuild(state, &setup, &r->rng, ret, err);
}

/* The engine ends, and one takes its place that is made of the clouds alone, under that name. */
static inline void erig_from_clouds(struct erig *r, const char *name)
{
    struct gw_rebuild_report report = { 0 };
    struct qc_err err = { 0 };
    char state[320];

    gw_engine_close(&r->e);
    erig_path(r, name, state, sizeof state);
    CHECK_OK(erig_rebuild(r, state, &report, &err));
    CHECK_OK(gw_engine_open(&r->e, state, &r->rng, &err));
}

static inline void erig_start(struct erig *r, unsigned clouds, unsigned k, unsigned n)
{
    struct qc_err err = { 0 };

    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    *r = (struct erig){ .dir = qc_tmpdir_new(), .clouds = clouds, .k = k, .n = n };
    erig_path(r, "state", r->state, sizeof r->state);
    CHECK_OK(qrng_open("os", &r->source, &err));
    r->rng = qrng_rng(r->source);
    CHECK_OK(qc_rng_fill(&r->rng, r->vault.b, sizeof r->vault.b, &err));
}

static inline void erig_open(struct erig *r)
{
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_open(&r->e, r->state, &r->rng, &err));
}

/* A vault record whose shape is right; its contents are the client's business. */
static inline void erig_record(const struct erig *r, uint8_t ret[QC_GW_RECORD_SIZE])
{
    memset(ret, 0x5a, QC_GW_RECORD_SIZE);
    memcpy(ret, "QCLV\1\1\0\0", 8);
    memcpy(ret + 8, r->vault.b, 16);
}

static inline void erig_new(struct erig *r, unsigned clouds, unsigned k, unsigned n)
{
    struct qc_err err = { 0 };
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh = false;

    erig_start(r, clouds, k, n);
    CHECK_OK(erig_init(r, r->state, &err));
    erig_open(r);
    erig_record(r, record);
    CHECK_OK(gw_vault_put(r->e, OWN(r->vault), qc_span_of(record, sizeof record), QC_LIT("vault backup"),
                          &fresh, &err));
    CHECK(fresh);
}

static inline void erig_done(struct erig *r)
{
    gw_engine_close(&r->e);
    qrng_close(&r->source);
    qc_tmpdir_remove(&r->dir);
}

/* The directory of a cloud goes away, or comes back. */
static inline void erig_lose(const struct erig *r, unsigned i)
{
    char here[320], away[320];
    erig_cloud(r, i, "", here, sizeof here);
    erig_cloud(r, i, ".away", away, sizeof away);
    CHECK(rename(here, away) == 0);
}
static inline void erig_find(const struct erig *r, unsigned i)
{
    char here[320], away[320];
    erig_cloud(r, i, "", here, sizeof here);
    erig_cloud(r, i, ".away", away, sizeof away);
    CHECK(rename(away, here) == 0);
}

/* One put: what it says of itself follows from a seed, so that it can be said again. */
struct erig_put {
    uint64_t seed, number;
    const char *path;
    uint32_t segments, size; /* each segment has so many bytes, the last one a few more */
    struct gw_id key, object, version;
    uint8_t backup[40];
    struct gw_entry entry;
    uint8_t private_part[48];
};

static inline uint32_t erig_size(const struct erig_put *p, uint32_t seq)
{
    return seq + 1 == p->segments ? p->size + 3 : p->size;
}

static inline void erig_bytes(const struct erig_put *p, uint32_t seq, uint8_t *ret)
{
    struct qc_rand rand = { .state = p->seed * 1000003 + seq };
    qc_rand_fill(&rand, ret, erig_size(p, seq));
}

static inline struct erig_put erig_prepare(uint64_t seed, const char *path, uint64_t number,
                                           uint32_t segments, uint32_t size)
{
    struct erig_put p = { .seed = seed, .number = number, .path = path, .segments = segments, .size = size };
    struct qc_rand rand = { .state = seed ^ UINT64_C(0x9999) };
    qc_rand_fill(&rand, p.key.b, sizeof p.key.b);
    qc_rand_fill(&rand, p.object.b, sizeof p.object.b);
    qc_rand_fill(&rand, p.version.b, sizeof p.version.b);
    qc_rand_fill(&rand, p.backup, sizeof p.backup);
    qc_rand_fill(&rand, p.private_part, sizeof p.private_part);
    p.entry = (struct gw_entry){
        .kind = GW_ENTRY_FILE, .number = number, .object = p.object, .version = p.version
    };
    p.entry.sequence = number;
    p.entry.size = (uint64_t)segments * size + 3;
    qc_rand_fill(&rand, p.entry.m, sizeof p.entry.m);
    qc_rand_fill(&rand, p.entry.seal, sizeof p.entry.seal);
    return p;
}

static inline qc_rc erig_begin(struct erig *r, const struct erig_put *p, struct qc_err *err)
{
    const struct gw_upload u = { .tenant = r->tenant,
                                 .put_key = p->key,
                                 .vault = r->vault,
                                 .object = p->object,
                                 .version = p->version,
                                 .base = p->number - 1 };
    bool fresh;
    return gw_upload_begin(r->e, &u, &fresh, err);
}

static inline qc_rc erig_segment(struct erig *r, const struct erig_put *p, uint32_t seq, struct qc_err *err)
{
    const struct gw_segment_put s = { .tenant = r->tenant,
                                      .put_key = p->key,
                                      .seq = seq,
                                      .last = seq + 1 == p->segments,
                                      .run = r->run,
                                      .size = erig_size(p, seq),
                                      .hasty = r->hasty };
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    struct gw_segment_receipt receipt;
    QC_TRY(gw_engine_unit(r->e, r->tenant, s.size, qc_deadline_in(QC_GW_UNIT_MS), &u, err));
    uint8_t *bytes = malloc(s.size);
    CHECK(bytes != NULL);
    erig_bytes(p, seq, bytes);
    gw_unit_add(u, qc_span_of(bytes, s.size));
    free(bytes);
    return gw_upload_segment(r->e, &s, u, &receipt, err);
}

static inline qc_rc erig_commit(struct erig *r, const struct erig_put *p, struct gw_receipt *ret,
                                struct qc_err *err)
{
    struct gw_upload_commit c = { .tenant = r->tenant,
                                  .put_key = p->key,
                                  .vault = r->vault,
                                  .entry = p->entry,
                                  .segments = p->segments,
                                  .run = r->run,
                                  .hasty = r->hasty,
                                  .backup = qc_span_of(p->backup, sizeof p->backup) };
    c.entry.path = qc_span_str(p->path);
    c.entry.private_part = qc_span_of(p->private_part, sizeof p->private_part);
    return gw_upload_commit(r->e, &c, ret, err);
}

static inline qc_rc erig_put(struct erig *r, const struct erig_put *p, struct gw_receipt *ret,
                             struct qc_err *err)
{
    QC_TRY(erig_begin(r, p, err));
    for (uint32_t seq = 0; seq < p->segments; seq++)
        QC_TRY(erig_segment(r, p, seq, err));
    return erig_commit(r, p, ret, err);
}

static inline qc_rc erig_remove(struct erig *r, const struct erig_put *p, struct gw_receipt *ret,
                                struct qc_err *err)
{
    struct gw_entry t = { .kind = GW_ENTRY_TOMBSTONE, .number = p->number, .path = qc_span_str(p->path) };
    memcpy(t.seal, p->entry.seal, sizeof t.seal);
    return gw_entry_remove(r->e, &(struct gw_ref){ r->tenant, r->vault }, &t, &p->key, ret, err);
}

/* The entry of p moves to another path, whose number is `there`; the tombstone's seal is the entry's, undone.
 */
static inline struct gw_rename erig_move_of(const struct erig_put *p, uint64_t key, const char *to,
                                            uint64_t there)
{
    struct gw_rename m = { .away = { .path = qc_span_str(p->path), .number = p->number + 1 }, .e = p->entry };
    struct qc_rand rand = { .state = key };

    qc_rand_fill(&rand, m.put_key.b, sizeof m.put_key.b);
    qc_rand_fill(&rand, m.e.seal, sizeof m.e.seal);
    for (size_t i = 0; i < sizeof m.away.seal; i++)
        m.away.seal[i] = m.e.seal[i] ^ 0xff;
    m.e.path = qc_span_str(to);
    m.e.number = there + 1;
    m.e.private_part = qc_span_of(p->private_part, sizeof p->private_part);
    return m;
}

/* What a path points at: "3 file", "4 none"; "0": it never did. */
static inline void erig_at(struct erig *r, const char *path, const char *want)
{
    struct gw_entry_row row = { 0 };
    struct qc_err err = { 0 };
    char text[64] = "0";
    const qc_rc rc =
        gw_entry_get(r->e, &(struct gw_ref){ r->tenant, r->vault }, qc_span_str(path), &row, &err);

    CHECK(rc == QC_OK || rc == QC_NOTFOUND);
    if (rc == QC_OK)
        snprintf(text, sizeof text, "%u %s", (unsigned)row.e.number,
                 row.e.kind == GW_ENTRY_FILE ? "file" : "none");
    if (strcmp(text, want) != 0) {
        fprintf(stderr, "'%s' is '%s', not '%s'\n", path + 1, text, want);
        exit(1);
    }
    gw_entry_row_done(&row);
}

/* All bytes of a version come back as they were, in strides that cross segments. */
static inline qc_rc erig_check(struct erig *r, const struct erig_put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 4096 };
    uint64_t size, off = 0;

    QC_TRY(gw_version_backup(r->e, &ids, &b, err));
    CHECK(qc_span_eq(qc_buf_span(&b), qc_span_of(p->backup, sizeof p->backup)));
    QC_TRY(gw_reader_open(r->e, &ids, "0123456789abcdef", &reader, &size, err));
    CHECK(size == p->entry.size);
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        uint8_t *want = malloc(erig_size(p, seq) + 1), *got = malloc(erig_size(p, seq) + 1);
        CHECK(want != NULL && got != NULL);
        erig_bytes(p, seq, want);
        qc_rc rc = QC_OK;
        for (size_t at = 0; at < erig_size(p, seq) && rc == QC_OK;) {
            size_t n = 0;
            rc = gw_reader_read(reader, off + at, size, got + at, erig_size(p, seq) - at, &n, err);
            at += n;
        }
        const bool same = rc != QC_OK || memcmp(want, got, erig_size(p, seq)) == 0;
        free(want);
        free(got);
        if (rc != QC_OK)
            return rc;
        CHECK(same);
        off += erig_size(p, seq);
    }
    CHECK(off == size);
    return QC_OK;
}
