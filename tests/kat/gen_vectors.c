/* gen_vectors DIR: writes the vectors of tests/kat/seal, byte for byte the same at every run. See README.md
 * here. Secrets of vectors are published on purpose. */
#include "gen_json.h"

#include <inttypes.h>

#include "vault/entry.h"
#include "vault/head.h"
#include "vault/kdf.h"
#include "vault/name.h"
#include "vault/record.h"
#include "vault_fix.h"

struct out out_open(const char *dir, const char *name)
{
    char path[4096];
    CHECK((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path);
    struct out o = { .f = fopen(path, "w"), .first = true };
    CHECK(o.f != NULL);
    out_begin(&o, NULL, '{');
    return o;
}

void out_close(struct out *o)
{
    out_end(o, '}');
    CHECK(o->depth == 0);
    CHECK(fputc('\n', o->f) != EOF && fclose(o->f) == 0);
}

static void lead(struct out *o, const char *key)
{
    if (o->depth > 0)
        fprintf(o->f, "%s\n%*s", o->first ? "" : ",", (int)(2 * o->depth), "");
    o->first = false;
    if (key != NULL)
        fprintf(o->f, "\"%s\": ", key);
}

void out_begin(struct out *o, const char *key, char bracket)
{
    lead(o, key);
    fputc(bracket, o->f);
    o->depth++;
    o->first = true;
}

void out_end(struct out *o, char bracket)
{
    CHECK(o->depth > 0);
    o->depth--;
    if (!o->first)
        fprintf(o->f, "\n%*s", (int)(2 * o->depth), "");
    fputc(bracket, o->f);
    o->first = false;
}

void out_hex(struct out *o, const char *key, qc_span v)
{
    lead(o, key);
    fputc('"', o->f);
    for (size_t i = 0; i < v.n; i++)
        fprintf(o->f, "%02x", v.p[i]);
    fputc('"', o->f);
}

void out_key(struct out *o, const char *key, const qc_key *v)
{
    out_hex(o, key, qc_key_open(v));
}

void out_u64(struct out *o, const char *key, uint64_t v)
{
    lead(o, key);
    fprintf(o->f, "%" PRIu64, v);
}

void out_str(struct out *o, const char *key, const char *v)
{
    lead(o, key);
    fprintf(o->f, "\"%s\"", v);
}

void out_bool(struct out *o, const char *key, bool v)
{
    lead(o, key);
    fputs(v ? "true" : "false", o->f);
}

void out_sha(struct out *o, const char *key, qc_span v)
{
    struct qc_err err = { 0 };
    uint8_t h[32];
    CHECK_OK(qc_sha256(&v, 1, h, &err));
    out_hex(o, key, qc_span_of(h, 32));
}

void out_file(const char *dir, const char *name, qc_span v)
{
    char path[4096];
    CHECK((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path);
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(v.p, 1, v.n, f) == v.n && fclose(f) == 0);
}

/* One derivation: ikm, its PRK, label, context, info and output. */
static void kdf_case(struct out *o, const char *from, const qc_key *ikm, const char *label,
                     const qc_span *context, size_t count, size_t len)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf info = { .max = 4096 };
    uint8_t salt[32], extracted[32], out[64];
    CHECK_OK(vault_prk_new(&prk, ikm, &err));
    CHECK_OK(vault_kdf_public(out, prk, label, context, count, len, &err));
    CHECK_OK(qc_sha256((qc_span[]){ QC_LIT(VAULT_SUITE_NAME) }, 1, salt, &err));
    CHECK_OK(qc_hmac_sha256(qc_span_of(salt, 32), (qc_span[]){ qc_key_open(ikm) }, 1, extracted, &err));
    CHECK_OK(qc_info_add(&info, qc_span_str(label), &err));
    for (size_t i = 0; i < count; i++)
        CHECK_OK(qc_info_add(&info, context[i], &err));
    out_begin(o, NULL, '{');
    out_str(o, "from", from);
    out_key(o, "ikm", ikm);
    out_hex(o, "prk", qc_span_of(extracted, 32));
    out_str(o, "label", label);
    out_begin(o, "context", '[');
    for (size_t i = 0; i < count; i++)
        out_hex(o, NULL, context[i]);
    out_end(o, ']');
    out_hex(o, "info", qc_buf_span(&info));
    out_u64(o, "len", len);
    out_hex(o, "out", qc_span_of(out, len));
    out_end(o, '}');
}

static void gen_kdf(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "kdf.json");
    const struct vault_ids ids = fix_ids(1, 1), vids = vault_ids_of_vault(ids.vault);
    uint8_t salt0[16], item[16], dirid[32];
    fix_bytes(salt0, 16, "salt", 0);
    fix_bytes(item, 16, "item id", 0);
    fix_bytes(dirid, 32, "directory id", 0);
    static const uint8_t index[8] = { 0, 0, 0, 0, 0, 0, 1, 2 }, last = 1, generation[4] = { 0, 0, 0, 1 };
    const qc_span v = qc_span_of(ids.vault, 16), b = qc_span_of(ids.object, 16),
                  w = qc_span_of(ids.version, 16);
    const qc_span salt = qc_span_of(salt0, 16), zeros = qc_span_of(vids.version, 16);
    const qc_span plain[] = { v, b, w, salt },
                  chunk[] = { v, b, w, salt, qc_span_of(index, 8), qc_span_of(&last, 1) };
    const qc_span packed[] = { v, b, w, qc_span_of(item, 16) },
                  seeded[] = { v, b, w, qc_span_of(generation, 4) };
    const qc_span vault[] = { v, v, zeros, salt },
                  dir_of[] = { v, v, zeros, qc_span_of(dirid, 32), QC_LIT("reports") };
    const qc_span top[] = { v, v, zeros, v, QC_LIT("reports") };
    QC_CLEANUP(qc_key_free) qc_key *R = fix_key("R", 1, 32), *K = fix_key("K", 1, 32),
                                   *VS = fix_key("VS", 1, 32), *R12 = fix_key("R12", 1, 32),
                                   *R1 = fix_key("R1", 1, 32), *R2 = fix_key("R2", 1, 32), *DK = NULL,
                                   *s1 = fix_key("seed", 1, 32), *s2 = fix_key("seed", 2, 32),
                                   *SK = fix_key("store key", 1, 32), *A = fix_key("Argon2id output", 1, 32);
    CHECK_OK(vault_kdf_once(&DK, K, "data", &ids, &err));
    out_str(&o, "suite", VAULT_SUITE_NAME);
    out_sha(&o, "suite_salt", QC_LIT(VAULT_SUITE_NAME));
    out_begin(&o, "cases", '[');
    kdf_case(&o, "R", R, "M", plain, 3, 32);
    kdf_case(&o, "R", R, "chunk-auth", plain, 4, 32);
    kdf_case(&o, "R", R, "n1", plain, 3, 16);
    kdf_case(&o, "R1 xor R2", R12, "n2", plain, 3, 16);
    kdf_case(&o, "R1", R1, "M14", plain, 3, 32);
    kdf_case(&o, "R2", R2, "M24", plain, 3, 32);
    kdf_case(&o, "K", K, "data", plain, 3, 32);
    kdf_case(&o, "DK", DK, "chunk", chunk, 6, 32);
    kdf_case(&o, "DK", DK, "meta", plain, 4, 32);
    kdf_case(&o, "DK", DK, "commit", plain, 3, 32);
    kdf_case(&o, "DK", DK, "item", packed, 4, 32);
    kdf_case(&o, "seed 1", s1, "share1", seeded, 4, 32);
    kdf_case(&o, "seed 2", s2, "share2", seeded, 4, 32);
    kdf_case(&o, "VS", VS, "M", vault, 3, 32);
    kdf_case(&o, "VS", VS, "commit", vault, 3, 32);
    kdf_case(&o, "VS", VS, "name", vault, 3, 64);
    kdf_case(&o, "VS", VS, "dir", top, 5, 32);
    kdf_case(&o, "VS", VS, "dir", dir_of, 5, 32);
    kdf_case(&o, "VS", VS, "entry", vault, 3, 32);
    kdf_case(&o, "VS", VS, "entry-private", vault, 4, 32);
    kdf_case(&o, "VS", VS, "mark", vault, 3, 32);
    const qc_span store = qc_span_of(item, 16); /* any id will do */
    const qc_span record[] = { v, b, w, qc_span_of(&last, 1), qc_span_of(generation, 4), salt };
    const qc_span head[] = { store, qc_span_of(&last, 1), salt }, text[] = { store, QC_LIT("descriptor") };
    kdf_case(&o, "store key", SK, "record", record, 6, 32);
    kdf_case(&o, "store key", SK, "head", head, 3, 32);
    kdf_case(&o, "store key", SK, "mark", &store, 1, 32);
    kdf_case(&o, "store key", SK, "text", text, 2, 32);
    kdf_case(&o, "Argon2id output", A, "wrap", &store, 1, 32);
    out_end(&o, ']');
    out_close(&o);
}

static void shamir_case(struct out *o, const char *mode, const struct vault_keys *k, const qc_key *coeffs)
{
    struct qc_err err = { 0 };
    const qc_key *share[] = { NULL, k->R1, k->R2, k->R3, k->R4 };
    out_begin(o, NULL, '{');
    out_str(o, "mode", mode);
    out_key(o, "K", k->K);
    out_key(o, "R", k->R);
    out_key(o, "KR", k->KR);
    if (coeffs != NULL)
        out_key(o, "coefficients", coeffs);
    static const char *const name[] = { "", "R1", "R2", "R3", "R4" };
    for (unsigned x = 1; x <= 4; x++)
        out_key(o, name[x], share[x]);
    out_begin(o, "triples", '[');
    for (uint8_t skip = 4; skip >= 1; skip--) {
        struct vault_triple t = { 0 };
        for (uint8_t x = 1, at = 0; x <= 4; x++)
            if (x != skip) {
                t.x[at] = x;
                t.share[at++] = share[x];
            }
        QC_CLEANUP(qc_key_free) qc_key *R = NULL;
        CHECK_OK(vault_triple_at(&R, &t, 0, &err));
        CHECK(qc_key_same(R, k->R));
        out_begin(o, NULL, '{');
        out_begin(o, "points", '[');
        for (unsigned i = 0; i < 3; i++)
            out_u64(o, NULL, t.x[i]);
        out_end(o, ']');
        out_key(o, "R", R);
        out_end(o, '}');
    }
    out_end(o, ']');
    out_end(o, '}');
}

static void gen_shamir(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "shamir.json");
    out_begin(&o, "cases", '[');
    for (uint8_t seed = 1; seed <= 3; seed++) {
        QC_CLEANUP(qc_key_free) qc_key *K = fix_key("K", seed, 32), *R = fix_key("R", seed, 32),
                                       *coeffs = fix_key("coefficients", seed, 64),
                                       *R1 = fix_key("R1", seed, 32), *R2 = fix_key("R2", seed, 32);
        QC_CLEANUP(vault_keys_done) struct vault_keys stored = { 0 }, derived = { 0 };
        CHECK_OK(vault_keys_from(&stored, K, R, coeffs, &err));
        shamir_case(&o, "stored", &stored, coeffs);
        CHECK_OK(vault_keys_through(&derived, K, R, R1, R2, &err));
        shamir_case(&o, "derived", &derived, NULL);
    }
    out_end(&o, ']');
    out_close(&o);
}

static void gen_places(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "places.json");
    static const uint64_t c0[] = { 0, 1, 1000, 65536, 1048576, 16777216 };
    out_begin(&o, "cases", '[');
    for (size_t i = 0; i < sizeof c0 / sizeof c0[0]; i++) {
        const struct vault_ids ids = fix_ids((uint8_t)i, 1);
        QC_CLEANUP(qc_key_free) qc_key *R = fix_key("R", (uint8_t)i, 32),
                                       *R12 = fix_key("R12", (uint8_t)i, 32);
        uint64_t n1 = 0, n2 = 0;
        CHECK_OK(vault_kdf_position(&n1, R, "n1", &ids, c0[i], &err));
        CHECK_OK(vault_kdf_position(&n2, R12, "n2", &ids, c0[i] + 32, &err));
        out_begin(&o, NULL, '{');
        out_begin(&o, "ids", '{');
        out_hex(&o, "vault", qc_span_of(ids.vault, 16));
        out_hex(&o, "object", qc_span_of(ids.object, 16));
        out_hex(&o, "version", qc_span_of(ids.version, 16));
        out_end(&o, '}');
        out_key(&o, "R", R);
        out_key(&o, "R12", R12);
        out_u64(&o, "c0", c0[i]);
        out_u64(&o, "n1", n1);
        out_u64(&o, "n2", n2);
        out_end(&o, '}');
    }
    out_end(&o, ']');
    out_close(&o);
}

static void name_case(struct out *o, const struct vault_ring *ring, const qc_key *VS, qc_span name)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    CHECK_OK(vault_name_seal(&path, ring, name, &err));
    CHECK_OK(vault_prk_new(&prk, VS, &err));
    out_begin(o, NULL, '{');
    out_hex(o, "name", name);
    out_hex(o, "path", qc_buf_span(&path));
    const struct vault_ids ids = vault_ids_of_vault(vault_ring_vault(ring));
    uint8_t id[32];
    size_t id_n = 16, start = 0;
    memcpy(id, ids.vault, 16);
    out_begin(o, "parent_ids", '[');
    out_hex(o, NULL, qc_span_of(id, id_n));
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '/') {
            const qc_span parts[] = { qc_span_of(ids.vault, 16), qc_span_of(ids.object, 16),
                                      qc_span_of(ids.version, 16), qc_span_of(id, id_n),
                                      qc_span_sub(name, start, i - start) };
            CHECK_OK(vault_kdf_public(id, prk, "dir", parts, 5, 32, &err));
            id_n = 32;
            start = i + 1;
            out_hex(o, NULL, qc_span_of(id, id_n));
        }
    out_end(o, ']');
    uint8_t tag[16];
    CHECK_OK(vault_ring_path_tag(tag, ring, qc_buf_span(&path), &err));
    out_hex(o, "path_tag", qc_span_of(tag, 16));
    out_end(o, '}');
}

static void gen_names(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "names.json");
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32);
    QC_CLEANUP(vault_ring_free) struct vault_ring *ring = NULL;
    CHECK_OK(vault_ring_new(&ring, VS, ids.vault, &err));
    out_key(&o, "VS", VS);
    out_hex(&o, "vault", qc_span_of(ids.vault, 16));
    static uint8_t n255[255], n4096[4096];
    memset(n255, 'n', sizeof n255);
    memset(n4096, 0xff, sizeof n4096);
    out_begin(&o, "names", '[');
    name_case(&o, ring, VS, QC_LIT("a"));
    name_case(&o, ring, VS, QC_LIT("fifteen bytes.."));
    name_case(&o, ring, VS, QC_LIT("sixteen bytes..."));
    name_case(&o, ring, VS, QC_LIT("reports/2026/scan.vcf"));
    name_case(&o, ring, VS, QC_LIT("reports/2026"));
    name_case(&o, ring, VS, QC_LIT("other/2026"));
    name_case(&o, ring, VS, QC_LIT("...\x80\xff\x01 not UTF-8"));
    name_case(&o, ring, VS, qc_span_of(n255, sizeof n255));
    name_case(&o, ring, VS, qc_span_of(n4096, sizeof n4096));
    out_end(&o, ']');
    out_begin(&o, "refused_names", '[');
    const qc_span refused[] = { QC_LIT(""),  QC_LIT("/"),    QC_LIT("/a"),    QC_LIT("a/"),  QC_LIT("a//b"),
                                QC_LIT("."), QC_LIT("a/.."), QC_LIT("a/./b"), QC_LIT("a\0b") };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_RC(vault_name_check(refused[i], &err), QC_USAGE);
        out_hex(&o, NULL, refused[i]);
    }
    out_end(&o, ']');
    out_close(&o);
}

static void entry_case(struct out *o, const struct vault_ring *ring, struct vault_entry *e, qc_span clear)
{
    struct qc_err err = { 0 };
    CHECK_OK(vault_entry_seal(e, ring, &err));
    CHECK_OK(vault_entry_check(e, ring, e->path, &err));
    out_begin(o, NULL, '{');
    out_hex(o, "path", e->path);
    out_u64(o, "number", e->number);
    out_u64(o, "kind", e->kind);
    out_hex(o, "object", qc_span_of(e->object, 16));
    out_hex(o, "version", qc_span_of(e->version, 16));
    out_u64(o, "sequence", e->sequence);
    out_u64(o, "size", e->size);
    out_hex(o, "M", qc_span_of(e->M, 32));
    out_hex(o, "private", e->priv);
    out_hex(o, "private_clear", clear);
    out_hex(o, "seal", qc_span_of(e->seal, 32));
    out_end(o, '}');
}

static void head_case(struct out *o, const struct vault_head *head)
{
    uint8_t encoded[VAULT_HEAD_BYTES];
    vault_head_encode(encoded, head);
    out_begin(o, NULL, '{');
    out_u64(o, "count", head->count);
    out_hex(o, "h", qc_span_of(head->h, 32));
    out_hex(o, "encoded", qc_span_of(encoded, sizeof encoded));
    out_end(o, '}');
}

static void gen_entries(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "entries.json");
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32);
    QC_CLEANUP(vault_ring_free) struct vault_ring *ring = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    struct vault_head head;
    uint8_t seals[3][32];
    CHECK_OK(vault_ring_new(&ring, VS, ids.vault, &err));
    CHECK_OK(vault_name_seal(&path, ring, QC_LIT("reports/2026/scan.vcf"), &err));
    out_key(&o, "VS", VS);
    out_hex(&o, "vault", qc_span_of(ids.vault, 16));
    out_begin(&o, "entries", '[');
    for (uint8_t i = 0; i < 3; i++) {
        struct vault_entry e = { .path = qc_buf_span(&path), .number = i + 1u, .kind = VAULT_ENTRY_FILE };
        QC_CLEANUP(qc_buf_free) qc_buf priv = { .max = 4096 }, clear = { .max = 4096 };
        if (i == 2) {
            e.kind = VAULT_ENTRY_TOMBSTONE;
        } else {
            const struct vault_meta meta = { .true_size = 1000u + i,
                                             .has_mtime = true,
                                             .mtime_s = 1700000000,
                                             .mtime_ns = 5,
                                             .has_mode = true,
                                             .mode = 0100600 };
            uint8_t salt[16];
            fix_bytes(e.object, 16, "object id", 1);
            fix_bytes(e.version, 16, "version id", i);
            fix_bytes(e.M, 32, "M", i);
            fix_bytes(salt, 16, "salt", i);
            e.sequence = i + 1u;
            e.size = 1300u + i;
            CHECK_OK(vault_meta_write(&clear, &meta, &err));
            CHECK_OK(vault_entry_private_seal(&priv, &e, ring, &meta, salt, &err));
            e.priv = qc_buf_span(&priv);
        }
        entry_case(&o, ring, &e, qc_buf_span(&clear));
        memcpy(seals[i], e.seal, 32);
    }
    out_end(&o, ']');
    out_begin(&o, "heads", '[');
    CHECK_OK(vault_head_zero(&head, ids.vault, &err));
    head_case(&o, &head);
    for (uint8_t i = 0; i < 3; i++) {
        CHECK_OK(vault_head_step(&head, seals[i], &err));
        head_case(&o, &head);
    }
    out_end(&o, ']');
    out_close(&o);
}

static void gen_record(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "vault_record.json");
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32), *coeffs = fix_key("coefficients", 9, 64);
    QC_CLEANUP(vault_secret_done) struct vault_secret secret = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = VAULT_RECORD_BYTES }, B = { .max = QC_VAULT_BACKUP_MAX };
    uint8_t commitment[32];
    CHECK_OK(vault_secret_from(&secret, VS, coeffs, &err));
    CHECK_OK(vault_record_make(&record, &B, &secret, ids.vault, 1, &err));
    CHECK_OK(vault_record_commitment(commitment, VS, ids.vault, &err));
    out_hex(&o, "vault", qc_span_of(ids.vault, 16));
    out_key(&o, "VS", VS);
    out_key(&o, "coefficients", coeffs);
    out_key(&o, "VS1", secret.VS1);
    out_key(&o, "VS2", secret.VS2);
    out_key(&o, "VS3", secret.VS3);
    out_key(&o, "VS4", secret.VS4);
    out_hex(&o, "commitment", qc_span_of(commitment, 32));
    out_u64(&o, "generation", 1);
    out_hex(&o, "record", qc_buf_span(&record));
    out_hex(&o, "B", qc_buf_span(&B));
    out_close(&o);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    gen_kdf(argv[1]);
    gen_shamir(argv[1]);
    gen_places(argv[1]);
    gen_names(argv[1]);
    gen_entries(argv[1]);
    gen_record(argv[1]);
    gen_objects(argv[1]);
    gen_refusals(argv[1]);
    gen_store(argv[1]);
    return 0;
}
