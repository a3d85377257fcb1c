/* unit/vault_chunks: get of objects that other writers may make: every chunk and group size that FORMAT 3.1
 * allows. The bytes are right, and resident memory stays within I6 whatever the sizes. */
#include <inttypes.h>
#include <malloc.h>

#include "session.h"
#include "vault/open.h"
#include "vault/seal.h"
#include "vault/shares.h"
#include "vault_rig.h"

#define MIB             ((size_t)1 << 20)
#define CLIENT_RESIDENT (64 * MIB) /* I6 */
#define PROGRAM         (16 * MIB) /* of a client that does nothing, rounded up: libraries, SQLite's caches */

/* Sanitizers keep freed memory resident. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

struct sizes {
    uint8_t chunk_log2, group_log2;
    uint64_t size;
};

/* N of the pattern. */
static void seal(struct rig *r, const struct sizes *z, const struct vault_keys *keys,
                 const struct vault_ids *ids, struct blob *N, uint8_t M[32], uint64_t *ret_n2)
{
    struct qc_err err = { 0 };
    struct vault_sealer_params params = { .ids = *ids,
                                          .chunk_log2 = z->chunk_log2,
                                          .group_log2 = z->group_log2 };
    struct vault_meta meta = { .true_size = z->size,
                               .has_mtime = true,
                               .mtime_s = 1700000000,
                               .mtime_ns = 5,
                               .has_mode = true,
                               .mode = 0640 };
    struct vault_sealer *s = NULL;
    qc_buf tail = { .max = QC_VAULT_TRAILER_MAX + 100 };
    size_t C = (size_t)1 << z->chunk_log2;
    qc_rand_fill(&r->rand, params.salt, sizeof(params.salt));
    CHECK_OK(vault_sealer_new(&s, keys, &params, &err));
    qc_span header = vault_sealer_header(s);
    N->cap = (size_t)z->size + (size_t)(z->size >> z->chunk_log2) * 32 + 2 * MIB;
    N->p = malloc(N->cap);
    CHECK(N->p != NULL);
    memcpy(N->p, header.p, header.n);
    N->n = header.n;
    for (uint64_t at = 0; at < z->size;) {
        size_t n = z->size - at < C ? (size_t)(z->size - at) : C, wrote = 0;
        CHECK(N->cap - N->n >= vault_sealer_room(s, n));
        rig_fill(5, at, N->p + N->n, n);
        at += n;
        CHECK_OK(vault_sealer_chunk(s, N->p + N->n, n, at == z->size, &wrote, &err));
        N->n += wrote;
    }
    CHECK_OK(vault_sealer_finish(s, &meta, &tail, M, &err));
    CHECK(N->cap - N->n >= tail.n);
    memcpy(N->p + N->n, tail.p, tail.n);
    N->n += tail.n;
    *ret_n2 = vault_sealer_n2(s);
    qc_buf_free(&tail);
    vault_sealer_free(&s);
}

static void add_shares(struct rig *r, const struct vault_keys *keys, const struct vault_ids *ids)
{
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);
    for (unsigned i = 0; i < 2; i++) {
        struct vault_store_record rec = { .generation = 1,
                                          .state = VAULT_RECORD_COMMITTED,
                                          .sequence = 1,
                                          .share = i == 0 ? keys->R1 : keys->R2 };
        memcpy(rec.object, ids->object, 16);
        memcpy(rec.version, ids->version, 16);
        CHECK_OK(vault_store_add(r->v->store[i], &rec, 1, &rng, &err));
    }
}

/* As a client of another make would put it: shares, N and B at the gateway, the entry sealed, the chain. */
static void put(struct rig *r, const char *name, const struct sizes *z)
{
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);
    struct vault_keys keys = { 0 };
    struct vault_ids ids = { 0 };
    struct fake_version *v = &r->fake->version[r->fake->versions++];
    struct fake_entry *fe = &r->fake->entry[r->fake->entries++];
    struct vault_entry e = { .number = 1, .kind = VAULT_ENTRY_FILE, .sequence = 1 };
    qc_buf path = { .max = QC_VAULT_PATH_MAX }, priv = { .max = QC_VAULT_PRIVATE_MAX };
    uint8_t salt[16];
    uint64_t n2 = 0;
    memcpy(ids.vault, r->id, 16);
    qc_rand_fill(&r->rand, ids.object, 16);
    qc_rand_fill(&r->rand, ids.version, 16);
    qc_rand_fill(&r->rand, salt, 16);
    CHECK_OK(vault_keys_draw(&keys, &rng, &err));
    seal(r, z, &keys, &ids, &v->n, e.M, &n2);
    memcpy(v->object, ids.object, 16);
    memcpy(v->version, ids.version, 16);
    v->live = true;
    add_shares(r, &keys, &ids);
    CHECK_OK(vault_name_seal(&path, r->v->ring, qc_span_str(name), &err));
    memcpy(e.object, ids.object, 16);
    memcpy(e.version, ids.version, 16);
    e.size = v->n.n;
    e.path = qc_buf_span(&path);
    CHECK_OK(vault_entry_private_seal(&priv, &e, r->v->ring, &(struct vault_meta){ .true_size = z->size },
                                      salt, &err));
    e.priv = qc_buf_span(&priv);
    CHECK_OK(vault_entry_seal(&e, r->v->ring, &err));
    fe->path = (struct blob){ .p = malloc(path.n), .n = path.n, .cap = path.n };
    fe->priv = (struct blob){ .p = malloc(priv.n), .n = priv.n, .cap = priv.n };
    CHECK(fe->path.p != NULL && fe->priv.p != NULL);
    memcpy(fe->path.p, path.p, path.n);
    memcpy(fe->priv.p, priv.p, priv.n);
    fe->e = e;
    memcpy(r->fake->seal[r->fake->commits++], e.seal, 32);
    qc_buf_free(&path);
    qc_buf_free(&priv);
    vault_keys_done(&keys);
}

/* Resident bytes now, or the most since the last reset. */
static size_t resident(const char *what)
{
    char line[200];
    size_t kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    CHECK(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = (size_t)strtoull(line + strlen(what), NULL, 10);
    fclose(f);
    return kib * 1024;
}

static bool reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "we");
    if (f == NULL)
        return false;
    bool ok = fputs("5", f) >= 0;
    return fclose(f) == 0 && ok;
}

/* One part; what it may ask of the gateway: the ends of N, the chunks that it touches, their tag blocks. */
static void part(struct rig *r, const char *name, const struct sizes *z, uint64_t first, uint64_t last)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    const struct rig_pattern whole = { .size = z->size, .salt = 5 };
    const uint64_t C = (uint64_t)1 << z->chunk_log2, before = r->fake->read_bytes;
    const uint64_t chunks = last / C - first / C + 1;
    char range[64];
    uint64_t came = 0;
    snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, first, last);
    CHECK_OK(rig_get_part(r, name, &whole, range, &got, &came, &err));
    CHECK(came == last - first + 1 && got.fetched == r->fake->read_bytes - before);
    const uint64_t ends = 2 * VAULT_HEAD_FIRST + C + VAULT_TAIL_FIRST;
    const uint64_t tags = (chunks / ((uint64_t)1 << z->group_log2) + 2) * 32 << z->group_log2;
    CHECK(got.fetched <= ends + chunks * C + VAULT_INSERT_BYTES + tags);
}

/* From and to every edge of a chunk and of a group, and the bytes beside them. */
static void parts(struct rig *r, const char *name, const struct sizes *z)
{
    const uint64_t C = (uint64_t)1 << z->chunk_log2, G = C << z->group_log2, S = z->size;
    const uint64_t edge[] = { 0, C - 1, C, C + 1, 2 * C, G - 1, G, G + C, S / C * C - 1, S / C * C, S - 1 };
    const size_t n = sizeof edge / sizeof edge[0];
    const size_t step = z->chunk_log2 > 17 ? 7 : 1; /* large chunks: some of them */
    for (size_t at = 0; at < n * n; at += step) {
        const uint64_t first = edge[at / n], last = edge[at % n];
        if (first <= last && last < S)
            part(r, name, z, first, last);
    }
}

/* What an earlier get left: so many right bytes, and one wrong one. */
static void left(struct rig *r, const char *name, const struct sizes *z, uint64_t right, uint64_t bytes)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    struct rig_left l = { .s = { .salt = 5, .size = z->size }, .left = bytes, .salt = 5, .wrong_at = right };
    const uint64_t C = (uint64_t)1 << z->chunk_log2, before = r->fake->read_bytes;
    CHECK_OK(rig_get_left(r, name, &l, &got, &err));
    const uint64_t good = right < bytes ? right : bytes;
    CHECK(got.kept == (good >= z->size ? z->size : good / C * C) && got.left == bytes);
    const uint64_t asked = r->fake->read_bytes - before, tags = (z->size / C + 1) * 32;
    CHECK(got.fetched == asked && asked <= z->size - got.kept + C + VAULT_HEAD_FIRST + VAULT_TAIL_FIRST +
                                               2 * tags + VAULT_INSERT_BYTES * 2 + 4096);
}

static void lefts(struct rig *r, const char *name, const struct sizes *z)
{
    const uint64_t C = (uint64_t)1 << z->chunk_log2, G = C << z->group_log2, S = z->size;
    const uint64_t edge[] = { 1, C - 1, C, C + 1, 2 * C, G, G + C + 1, S / C * C, S - 1, S, S + 1 };
    for (size_t i = 0; i<sizeof edge / sizeof edge[0]; i += z->chunk_log2> 17 ? 5 : 1)
        if (edge[i] <= S + 1)
            left(r, name, z, UINT64_MAX, edge[i]);
    left(r, name, z, C + C / 2, S);
    left(r, name, z, S - 1, S);
    left(r, name, z, 0, S);
}

int main(void)
{
    static const struct sizes all[] = {
        { 16, 1, (5 << 20) + 3 },   /* a tag block after every second chunk */
        { 16, 12, (9 << 20) + 70 }, /* many small chunks in one fetch */
        { 17, 2, 8 << 20 },         { 22, 1, (29 << 20) + 1 },
        { 23, 12, (40 << 20) - 1 }, { 24, 1, (16 << 20) + 1 }, /* the second chunk has one byte */
        { 24, 1, 80 << 20 },        { 24, 12, (70 << 20) + 9 },
    };
    static struct rig r;
    struct qc_err err = { 0 };
    CHECK(SANITIZED || mallopt(M_MMAP_THRESHOLD, 1 << 16) == 1); /* what is freed is not resident any more */
    rig_new(&r, qc_rand_start());
    /* What is resident is measured without a sanitizer, which looks at the smaller ones: each byte costs it
     * more. */
    for (size_t i = 0; i < (SANITIZED ? 4 : sizeof(all) / sizeof(all[0])); i++) {
        char name[20];
        snprintf(name, sizeof(name), "object%zu", i);
        put(&r, name, &all[i]);
        bool measured = reset_peak();
        size_t before = resident("VmRSS:");
        CHECK_OK(rig_get(&r, name, all[i].size, 5, &err));
        size_t peak = resident("VmHWM:");
        size_t used = peak > before ? peak - before : 0;
        fprintf(stderr, "chunks of 2^%u, groups of 2^%u, %llu bytes: %.1f MiB more resident\n",
                (unsigned)all[i].chunk_log2, (unsigned)all[i].group_log2, (unsigned long long)all[i].size,
                (double)used / (double)MIB);
        if (measured && !SANITIZED)
            CHECK(used + PROGRAM <= CLIENT_RESIDENT);
        parts(&r, name, &all[i]);
        lefts(&r, name, &all[i]);
        free(r.fake->version[r.fake->versions - 1].n.p);
        r.fake->version[r.fake->versions - 1].n = (struct blob){ 0 };
    }
    CHECK(r.notes.n == 0);
    rig_done(&r);
    return 0;
}
