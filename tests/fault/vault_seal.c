/* fault/vault_seal: every allocation of sealing, of B, of the vault record, of names and entries, and of
 * opening them fails in turn: QC_NOMEM, nothing leaks, and the run without a fault still works. */
#include "base/alloc.h"
#include "vault/entry.h"
#include "vault/name.h"
#include "vault/record.h"
#include "vault_fix.h"

#define FAULTS_MAX 2000

static qc_key *K, *R, *coeffs, *VS;

static qc_rc seal(qc_buf *N, qc_buf *B, const struct vault_keys *keys, const struct vault_ids *ids,
                  struct qc_err *err)
{
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;
    const struct vault_sealer_params p = {
        .ids = *ids, .chunk_log2 = 16, .group_log2 = 1, .trailer_extensions = QC_LIT("\0\1\0\0\0\0")
    };
    static uint8_t buf[65536 + 128];
    const uint8_t salt[16] = { 9 };
    uint8_t M[32];
    size_t n = 0;
    QC_TRY(vault_sealer_new(&s, keys, &p, err));
    QC_TRY(qc_buf_add(N, vault_sealer_header(s), err));
    for (unsigned i = 0; i < 3; i++) {
        memset(buf, (int)i, sizeof buf);
        QC_TRY(vault_sealer_epoch(s, salt, err));
        QC_TRY(vault_sealer_chunk(s, buf, i == 2 ? 5 : 65536, i == 2, &n, err));
        QC_TRY(qc_buf_add(N, qc_span_of(buf, n), err));
    }
    const struct vault_backup_parts parts = { .ids = *ids,
                                              .generation = 1,
                                              .n2 = vault_sealer_n2(s),
                                              .R1 = keys->R1,
                                              .R2 = keys->R2,
                                              .R4 = keys->R4,
                                              .corr1 = keys->R3 };
    QC_TRY(vault_backup_make(B, &parts, err));
    return vault_sealer_finish(s, &(struct vault_meta){ .true_size = 2 * 65536 + 5, .has_mode = true }, N, M,
                               err);
}

static qc_rc object(struct qc_err *err)
{
    QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = FIX_N_MAX }, B = { .max = QC_VAULT_BACKUP_MAX },
                                   D = { .max = FIX_N_MAX };
    QC_CLEANUP(qc_key_free) qc_key *own1 = NULL;
    const struct vault_ids ids = fix_ids(1, 1);
    QC_TRY(vault_keys_from(&keys, K, R, coeffs, err));
    QC_TRY(seal(&N, &B, &keys, &ids, err));
    QC_TRY(qc_key_xor(&own1, keys.R1, keys.R3, err));
    const struct fix_way plain = { .ids = ids, .R1 = keys.R1, .R2 = keys.R2 };
    const struct fix_way with1 = { .ids = ids, .R1 = own1, .B = qc_buf_span(&B) };
    QC_TRY(fix_open(&D, qc_buf_span(&N), &plain, err));
    CHECK(D.n == 2 * 65536 + 5);
    qc_buf_clear(&D);
    QC_TRY(fix_open(&D, qc_buf_span(&N), &with1, err));
    QC_CLEANUP(vault_frame_free) struct vault_frame *f = NULL;
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    struct vault_paths paths;
    QC_TRY(fix_frame(&f, qc_buf_span(&N), err));
    QC_TRY(vault_backup_parse(&b, qc_buf_span(&B), err));
    const struct vault_unlock with = { .ids = ids, .R1 = own1, .R2 = keys.R2, .B = &b };
    const struct vault_range r = vault_geometry_chunk(&f->g, 0);
    QC_TRY(vault_paths_check(&paths, f, &with, qc_span_of(N.p + r.offset, (size_t)r.size), err));
    CHECK(paths.plain && paths.with1 && paths.with2 && paths.consistent);
    return QC_OK;
}

static qc_rc vault(struct qc_err *err)
{
    const struct vault_ids ids = fix_ids(1, 1);
    QC_CLEANUP(vault_secret_done) struct vault_secret secret = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf raw = { .max = 124 }, rawB = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(qc_key_free) qc_key *again = NULL, *share = NULL;
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    QC_TRY(vault_secret_from(&secret, VS, coeffs, err));
    const qc_rc rc = vault_record_make(&raw, &rawB, &secret, ids.vault, 1, err);
    CHECK(rc == QC_OK || (raw.n == 0 && rawB.n == 0));
    QC_TRY(rc);
    QC_TRY(vault_record_parse(&r, qc_buf_span(&raw), err));
    QC_TRY(vault_backup_parse(&b, qc_buf_span(&rawB), err));
    QC_TRY(vault_record_open(&again, &r, ids.vault, NULL, secret.VS2, &b, err));
    CHECK(qc_key_same(again, VS));
    return vault_record_share(&share, 1, &r, NULL, secret.VS2, &b, err);
}

static qc_rc names(struct qc_err *err)
{
    const struct vault_ids ids = fix_ids(1, 1);
    QC_CLEANUP(vault_ring_free) struct vault_ring *ring = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX }, name = { .max = QC_VAULT_NAME_MAX },
                                   priv = { .max = 4096 };
    QC_CLEANUP(vault_name_cache_done) struct vault_name_cache cache = { 0 };
    QC_TRY(vault_ring_new(&ring, VS, ids.vault, err));
    QC_TRY(vault_name_seal(&path, ring, QC_LIT("a/b/c"), err));
    QC_TRY(vault_name_open(&name, ring, qc_buf_span(&path), &cache, err));
    CHECK(qc_span_eq(qc_buf_span(&name), QC_LIT("a/b/c")));
    struct vault_entry e = {
        .path = qc_buf_span(&path), .number = 1, .kind = VAULT_ENTRY_FILE, .sequence = 1, .size = 1
    };
    struct vault_meta m = { .true_size = 1 };
    const uint8_t salt[16] = { 1 };
    QC_TRY(vault_entry_private_seal(&priv, &e, ring, &m, salt, err));
    e.priv = qc_buf_span(&priv);
    QC_TRY(vault_entry_seal(&e, ring, err));
    QC_TRY(vault_entry_check(&e, ring, e.path, err));
    return vault_entry_private_open(&m, &e, ring, err);
}

static void every_fault(const char *what, qc_rc (*run)(struct qc_err *))
{
    const int64_t live = qc_alloc_live();
    for (uint64_t n = 1;; n++) {
        struct qc_err err = { 0 };
        CHECK(n < FAULTS_MAX);
        qc_fault_alloc(n);
        const qc_rc rc = run(&err);
        qc_fault_alloc(0);
        if (rc != QC_OK && rc != QC_NOMEM) {
            fprintf(stderr, "%s: fault %llu: %s \"%s\"\n", what, (unsigned long long)n, qc_rc_name(rc),
                    err.msg);
            exit(1);
        }
        CHECK(qc_alloc_live() == live);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            CHECK(n > 10);
#endif
            printf("%s: %llu allocations\n", what, (unsigned long long)n - 1);
            return;
        }
    }
}

int main(void)
{
    struct qc_err err = { 0 };
    K = fix_key("K", 1, 32);
    R = fix_key("R", 1, 32);
    coeffs = fix_key("coefficients", 1, 64);
    VS = fix_key("VS", 1, 32);
    CHECK_OK(object(&err)); /* what OpenSSL keeps for the process is there from now on */
    CHECK_OK(vault(&err));
    CHECK_OK(names(&err));
    every_fault("object", object);
    every_fault("vault", vault);
    every_fault("names", names);
    qc_key_free(&K);
    qc_key_free(&R);
    qc_key_free(&coeffs);
    qc_key_free(&VS);
    return 0;
}
