/* unit/vault_entry: seals and private parts of entries; every field bound (rows 10, 11); heads (row 12). */
#include "vault/entry.h"
#include "vault/head.h"
#include "vault/name.h"
#include "vault_fix.h"

static struct vault_ring *ring;
static qc_buf path = { .max = QC_VAULT_PATH_MAX }, path_b = { .max = QC_VAULT_PATH_MAX };

static struct vault_entry make(qc_buf *priv)
{
    struct qc_err err = { 0 };
    struct vault_entry e = {
        .path = qc_buf_span(&path), .number = 7, .kind = VAULT_ENTRY_FILE, .sequence = 3, .size = 400
    };
    const struct vault_meta meta = { .true_size = 9,
                                     .has_mode = true,
                                     .mode = 0100600,
                                     .provenance = QC_LIT("dropped"),
                                     .ways = QC_LIT("c4=tls") };
    uint8_t salt[16];
    fix_bytes(e.object, 16, "object id", 1);
    fix_bytes(e.version, 16, "version id", 1);
    fix_bytes(e.M, 32, "M", 1);
    fix_bytes(salt, 16, "salt", 1);
    CHECK_OK(vault_entry_private_seal(priv, &e, ring, &meta, salt, &err));
    e.priv = qc_buf_span(priv);
    CHECK_OK(vault_entry_seal(&e, ring, &err));
    CHECK_OK(vault_entry_check(&e, ring, qc_buf_span(&path), &err));
    CHECK_OK(vault_entry_check(&e, ring, (qc_span){ 0 }, &err));
    return e;
}

static void refused(const struct vault_entry *e, const char *check)
{
    struct qc_err err = { 0 };
    CHECK(vault_entry_check(e, ring, (qc_span){ 0 }, &err) == QC_INTEGRITY);
    CHECK(strcmp(err.msg, check) == 0);
}

static void every_field(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf priv = { .max = 4096 };
    const struct vault_entry good = make(&priv);
    struct vault_entry e = good;
    e.path = qc_buf_span(&path_b);
    refused(&e, "entry: seal");
    CHECK(vault_entry_check(&good, ring, qc_buf_span(&path_b), &err) == QC_INTEGRITY);
    CHECK(strcmp(err.msg, "entry: answers for another path") == 0);
    e = good;
    e.number--;
    refused(&e, "entry: seal");
    e = good;
    e.sequence--;
    refused(&e, "entry: seal");
    e = good;
    e.size++;
    refused(&e, "entry: seal");
    for (unsigned i = 0; i < 16; i++) {
        e = good;
        e.object[i] ^= 1;
        refused(&e, "entry: seal");
        e = good;
        e.version[i] ^= 0x80;
        refused(&e, "entry: seal");
    }
    for (unsigned i = 0; i < 32; i++) {
        e = good;
        e.M[i] ^= 1;
        refused(&e, "entry: seal");
        e = good;
        e.seal[i] ^= 1;
        refused(&e, "entry: seal");
    }
    for (size_t i = 0; i < priv.n; i++) {
        priv.p[i] ^= 1;
        refused(&good, "entry: seal");
        struct vault_meta m = { .mode = 5 };
        CHECK(vault_entry_private_open(&m, &good, ring, &err) == QC_INTEGRITY);
        CHECK(strcmp(err.msg, "entry private part: tag") == 0 && m.mode == 5);
        priv.p[i] ^= 1;
    }
    struct vault_meta m;
    CHECK_OK(vault_entry_private_open(&m, &good, ring, &err));
    CHECK(m.true_size == 9 && m.has_mode && m.mode == 0100600 && !m.has_mtime && m.provenance.n == 0);
    QC_CLEANUP(qc_buf_free) qc_buf ways = { .max = 6 };
    CHECK_OK(vault_entry_ways(&ways, &good, ring, &err));
    CHECK(m.ways.n == 0 && qc_span_eq(qc_buf_span(&ways), QC_LIT("c4=tls")));
    e = good; /* the private part of one entry in another */
    e.number++;
    CHECK_RC(vault_entry_private_open(&m, &e, ring, &err), QC_INTEGRITY);
    CHECK_RC(vault_entry_ways(&ways, &e, ring, &err), QC_INTEGRITY);
    e = good;
    e.path = qc_buf_span(&path_b);
    CHECK_RC(vault_entry_private_open(&m, &e, ring, &err), QC_INTEGRITY);
}

static void rules(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf priv = { .max = 4096 };
    const struct vault_entry good = make(&priv);
    struct vault_entry e = good;
    e.kind = 3;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_NEWER);
    e.kind = 0;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    e = good;
    e.number = 0;
    CHECK_RC(vault_entry_seal(&e, ring, &err), QC_USAGE);
    e = good;
    e.sequence = 0;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    e = good;
    e.priv.n = 39;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    struct vault_meta m;
    CHECK_RC(vault_entry_private_open(&m, &e, ring, &err), QC_FORMAT);
    struct vault_entry t = { .path = qc_buf_span(&path), .number = 8, .kind = VAULT_ENTRY_TOMBSTONE };
    CHECK_OK(vault_entry_seal(&t, ring, &err));
    CHECK_OK(vault_entry_check(&t, ring, qc_buf_span(&path), &err));
    e = t;
    e.kind = VAULT_ENTRY_FILE;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    e = t;
    e.object[3] = 1;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    e = t;
    e.size = 1;
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
    e = good;
    e.kind = VAULT_ENTRY_TOMBSTONE; /* a file's fields as a tombstone */
    CHECK_RC(vault_entry_check(&e, ring, (qc_span){ 0 }, &err), QC_FORMAT);
}

static void heads(void)
{
    struct qc_err err = { 0 };
    const struct vault_ids ids = fix_ids(0, 0);
    struct vault_head h[13], parsed;
    uint8_t seals[12][32], encoded[VAULT_HEAD_BYTES];
    CHECK_OK(vault_head_zero(&h[0], ids.vault, &err));
    for (uint8_t i = 0; i < 12; i++) {
        fix_bytes(seals[i], 32, "seal", i);
        h[i + 1] = h[i];
        CHECK_OK(vault_head_step(&h[i + 1], seals[i], &err));
    }
    vault_head_encode(encoded, &h[9]);
    CHECK_OK(vault_head_parse(&parsed, qc_span_of(encoded, sizeof encoded), &err));
    CHECK(parsed.count == 9 && memcmp(parsed.h, h[9].h, 32) == 0);
    for (size_t n = 0; n < VAULT_HEAD_BYTES; n++)
        CHECK_RC(vault_head_parse(&parsed, qc_span_of(encoded, n), &err), QC_FORMAT);
    for (size_t from = 0; from <= 12; from++)
        for (size_t to = 0; to <= 12; to++) {
            const qc_span between =
                qc_span_of(seals[from < 12 ? from : 11], to > from ? 32 * (to - from) : 0);
            if (to >= from)
                CHECK_OK(vault_head_extends(&h[from], between, &h[to], &err));
            else
                CHECK_RC(vault_head_extends(&h[from], between, &h[to], &err), QC_INTEGRITY);
        }
    CHECK_RC(vault_head_extends(&h[9], qc_span_of(seals[9], 64), &h[12], &err), QC_FORMAT);
    uint8_t other[3][32]; /* one exchanged, one left out and another put in */
    memcpy(other[0], seals[10], 32);
    memcpy(other[1], seals[9], 32);
    memcpy(other[2], seals[11], 32);
    CHECK_RC(vault_head_extends(&h[9], qc_span_of(other, 96), &h[12], &err), QC_INTEGRITY);
    struct vault_head wrong = h[12];
    wrong.h[0] ^= 1;
    CHECK_RC(vault_head_extends(&h[9], qc_span_of(seals[9], 96), &wrong, &err), QC_INTEGRITY);
    wrong = h[9];
    wrong.h[0] ^= 1; /* same count, another history */
    CHECK_RC(vault_head_extends(&h[9], (qc_span){ 0 }, &wrong, &err), QC_INTEGRITY);
}

int main(void)
{
    struct qc_err err = { 0 };
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32);
    CHECK_OK(vault_ring_new(&ring, VS, ids.vault, &err));
    CHECK_OK(vault_name_seal(&path, ring, QC_LIT("dir/A"), &err));
    CHECK_OK(vault_name_seal(&path_b, ring, QC_LIT("other/A"), &err));
    every_field();
    rules();
    heads();
    qc_buf_free(&path);
    qc_buf_free(&path_b);
    vault_ring_free(&ring);
    return 0;
}
