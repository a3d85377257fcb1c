/* Vectors of a share store (FORMAT 7): a database of three records, and its key file in clear and under a
 * passphrase. */
#include <unistd.h>

#include "gen_json.h"
#include "pass_source.h"
#include "store.h"
#include "store_file.h"
#include "vault/record.h"
#include "vault_fix.h"

#define PASSPHRASE "correct horse battery staple \xe2\x98\x83"

/* What the store draws at random: bytes("store random", i, n) at the i-th draw. */
static qc_rc draw(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    uint8_t *count = ctx;
    (void)err;
    fix_bytes(p, n, "store random", (*count)++);
    return QC_OK;
}

static void add_records(struct vault_store *s, const qc_rng *rng)
{
    static const enum vault_record_state states[] = { VAULT_RECORD_PENDING, VAULT_RECORD_COMMITTED,
                                                      VAULT_RECORD_RETIRED };
    struct qc_err err = { 0 };
    uint8_t path_tag[16];
    struct vault_head head = { .count = 3 };
    for (uint8_t i = 0; i < 3; i++) {
        struct vault_store_record r = { .generation = 1, .state = states[i], .sequence = i };
        const struct vault_ids ids = fix_ids(i, 1);
        memcpy(r.object, ids.object, 16);
        memcpy(r.version, ids.version, 16);
        r.share = fix_key("R1", (uint8_t)(i + 1), 32);
        CHECK_OK(vault_store_add(s, &r, 1, rng, &err));
        vault_store_record_done(&r);
    }
    for (uint8_t i = 0; i < 2; i++) {
        fix_bytes(path_tag, 16, "path tag", i);
        fix_bytes(head.h, 32, "head", i);
        struct vault_store_commit c = { .path_tag = path_tag, .number = 1U + 40U * i, .head = &head };
        CHECK_OK(vault_store_commit(s, &c, rng, &err));
    }
}

static void write_records(struct out *o, struct vault_store *s)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *all = NULL;
    bool row = false;
    CHECK_OK(qc_db_prepare(s->db,
                           "SELECT object_id, version_id, generation, state, sequence, sealed FROM record"
                           " ORDER BY object_id",
                           &all, &err));
    CHECK_OK(qc_stmt_bind(all, NULL, 0, &err));
    out_begin(o, "records", '[');
    for (;;) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
        uint8_t object[16], version[16];
        CHECK_OK(qc_stmt_step(all, &row, &err));
        if (!row)
            break;
        CHECK_OK(qc_col_fixed(all, 0, object, 16, &err));
        CHECK_OK(qc_col_fixed(all, 1, version, 16, &err));
        out_begin(o, NULL, '{');
        out_hex(o, "object", qc_span_of(object, 16));
        out_hex(o, "version", qc_span_of(version, 16));
        out_u64(o, "generation", (uint64_t)qc_col_int(all, 2));
        out_u64(o, "state", (uint64_t)qc_col_int(all, 3));
        out_u64(o, "sequence", (uint64_t)qc_col_int(all, 4));
        CHECK_OK(vault_store_get(s, object, version, &r, &err));
        out_key(o, "share", r.share);
        out_hex(o, "sealed", qc_col_span(all, 5));
        out_end(o, '}');
    }
    out_end(o, ']');
}

static void write_marks(struct out *o, struct vault_store *s)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *all = NULL;
    bool row = false;
    CHECK_OK(qc_db_prepare(s->db, "SELECT path_tag, number, tag FROM mark ORDER BY path_tag", &all, &err));
    CHECK_OK(qc_stmt_bind(all, NULL, 0, &err));
    out_begin(o, "marks", '[');
    for (;;) {
        CHECK_OK(qc_stmt_step(all, &row, &err));
        if (!row)
            break;
        out_begin(o, NULL, '{');
        out_hex(o, "path_tag", qc_col_span(all, 0));
        out_u64(o, "number", (uint64_t)qc_col_int(all, 1));
        out_hex(o, "tag", qc_col_span(all, 2));
        out_end(o, '}');
    }
    out_end(o, ']');
}

static void write_items(struct out *o, struct vault_store *s)
{
    static const char *const items[] = { "head", "descriptor", "vault_head" };
    struct qc_err err = { 0 };
    out_begin(o, "items", '{');
    for (size_t i = 0; i < 3; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_VAULT_ITEM_MAX };
        CHECK_OK(store_item_get(s, items[i], &value, &err));
        out_hex(o, items[i], qc_buf_span(&value));
    }
    out_end(o, '}');
}

/* Argon2id's cost is the least that a reader takes. */
static void write_keys(struct out *o, struct vault_store *s, const struct vault_lock *lock)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *clear = NULL, *wrapped = NULL, *A = NULL;
    CHECK_OK(qc_pwhash(&A, QC_LIT(PASSPHRASE), &lock->how, NULL, &err));
    out_hex(o, "passphrase", QC_LIT(PASSPHRASE));
    out_u64(o, "passes", lock->how.passes);
    out_u64(o, "kib", lock->how.kib);
    out_hex(o, "salt", qc_span_of(lock->how.salt, sizeof lock->how.salt));
    out_key(o, "A", A);
    out_key(o, "SK", s->SK);
    CHECK_OK(store_key_encode(&clear, s->id, s->SK, &(struct vault_lock){ 0 }, NULL, &err));
    CHECK_OK(store_key_encode(&wrapped, s->id, s->SK, lock, NULL, &err));
    out_key(o, "key_clear", clear);
    out_key(o, "key_wrapped", wrapped);
}

static void copy_db(const char *from, const char *dir)
{
    static uint8_t bytes[1 << 20];
    char path[4200];
    CHECK((size_t)snprintf(path, sizeof path, "%s/store.db", from) < sizeof path);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    CHECK(n > 0 && n < sizeof bytes && fclose(f) == 0);
    out_file(dir, "store.db", qc_span_of(bytes, n));
}

void gen_store(const char *dir)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "store.json");
    uint8_t draws = 0;
    const qc_rng rng = { .fill = draw, .ctx = &draws };
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32), *VS1 = fix_key("VS1", 1, 32);
    QC_CLEANUP(vault_pass_free) struct vault_pass *pass = pass_of(PASSPHRASE);
    struct vault_lock lock = { pass, { .passes = QC_VAULT_PASS_PASSES_MIN, .kib = QC_VAULT_PASS_KIB_MIN } };
    struct vault_store_params params = { .index = 1, .generation = 1, .VS_i = VS1, .lock = lock };
    struct vault_store *s = NULL;
    char place[4100];
    fix_bytes(params.lock.how.salt, 16, "salt of the passphrase", 0);
    lock = params.lock;
    memcpy(params.vault, ids.vault, 16);
    CHECK_OK(vault_record_commitment(params.commitment, VS, ids.vault, &err));
    params.descriptor = QC_LIT("{\"format\":1,\"of\":\"this vector\"}");
    CHECK((size_t)snprintf(place, sizeof place, "%s/store.making", dir) < sizeof place);
    CHECK_OK(vault_store_create(&s, place, &params, &rng, &err));
    add_records(s, &rng);
    out_hex(&o, "vault", qc_span_of(ids.vault, 16));
    out_hex(&o, "store", qc_span_of(s->id, 16));
    out_u64(&o, "index", 1);
    out_u64(&o, "generation", 1);
    out_key(&o, "VS_i", VS1);
    out_hex(&o, "commitment", qc_span_of(params.commitment, 32));
    write_keys(&o, s, &lock);
    write_items(&o, s);
    write_records(&o, s);
    write_marks(&o, s);
    out_close(&o);
    CHECK_OK(vault_store_made(place, &err));
    qc_db_close(&s->db);
    copy_db(place, dir);
    vault_store_unmake(&s);
    CHECK(rmdir(place) == 0);
}
