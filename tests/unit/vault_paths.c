/* unit/vault_paths: the table of seal.md 3.4: which of the three ways of opening still works tells what is
 * damaged. */
#include "vault_fix.h"

static void check(const struct fix *f, const qc_key *R1, const qc_key *R2, qc_span B, qc_span N,
                  const char *want)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    struct vault_unlock with = { .ids = f->ids, .R1 = R1, .R2 = R2 };
    if (B.n > 0) {
        CHECK_OK(vault_backup_parse(&b, B, &err));
        with.B = &b;
    }
    CHECK_OK(fix_frame(&frame, N, &err));
    struct vault_paths p;
    const struct vault_range r = vault_geometry_chunk(&frame->g, 0);
    CHECK_OK(vault_paths_check(&p, frame, &with, qc_span_sub(N, (size_t)r.offset, (size_t)r.size), &err));
    char got[5] = { p.plain ? '1' : '0', p.with1 ? '1' : '0', p.with2 ? '1' : '0', p.consistent ? '1' : '0',
                    0 };
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "got %s (%s), expected %s\n", got, vault_paths_text(&p), want);
        exit(1);
    }
    CHECK(p.plain || p.plain_err.msg[0] != '\0');
    CHECK(p.with1 || p.with1_err.msg[0] != '\0');
    CHECK(p.with2 || p.with2_err.msg[0] != '\0');
    CHECK((strcmp(vault_paths_text(&p), "healthy") == 0) == (strcmp(want, "1111") == 0));
}

int main(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 1, .size = 70 });
    struct fix o = fix_make(&(struct fix_spec){ .object = 2, .version = 1, .keys = 2, .size = 70 });
    QC_CLEANUP(qc_key_free) qc_key *bad = fix_key("bad", 1, 32), *R1d = NULL, *R2d = NULL;
    const qc_key *R1 = f.keys.R1, *R2 = f.keys.R2;
    const qc_span N = qc_buf_span(&f.N), B = qc_buf_span(&f.B), none = { 0 };
    uint8_t B14[VAULT_BACKUP_BYTES], B24[VAULT_BACKUP_BYTES], N_bad[1024];
    memcpy(B14, f.B.p, f.B.n);
    memcpy(B24, f.B.p, f.B.n);
    B14[120] ^= 1;
    B24[171] ^= 1;
    CHECK(f.N.n <= sizeof N_bad);
    memcpy(N_bad, f.N.p, f.N.n);
    N_bad[f.N.n - 1] ^= 1;
    CHECK_OK(qc_key_xor(&R1d, R1, bad, &err));
    CHECK_OK(qc_key_xor(&R2d, R2, bad, &err));
    check(&f, R1, R2, B, N, "1111");
    check(&f, R1, R2, qc_span_of(B24, sizeof B24), N, "1101");
    check(&f, R1, R2, qc_span_of(B14, sizeof B14), N, "1011");
    check(&f, R1, bad, B, N, "0100");
    check(&f, bad, R2, B, N, "0010");
    check(&f, R1, R2, qc_buf_span(&o.B), N, "1000");
    check(&f, R2, R1, B, N, "1000");
    check(&f, R1d, R2d, B, N, "1000");
    check(&f, R1, R2, B, qc_span_of(N_bad, f.N.n), "0000");
    check(&f, o.keys.R1, o.keys.R2, B, N, "0000");
    check(&f, R1, NULL, B, N, "0100");
    check(&f, NULL, R2, B, N, "0010");
    check(&f, R1, R2, none, N, "1000");
    check(&f, NULL, NULL, none, N, "0000");
    /* B whose MACs hold but whose n2 is another: made with the right shares by a broken writer. */
    struct fix w = f;
    w.n2 = f.n2 == 0 ? 1 : f.n2 - 1;
    w.B = (qc_buf){ .max = QC_VAULT_BACKUP_MAX };
    fix_backup(&w, &w.B);
    check(&f, R1, R2, qc_buf_span(&w.B), N, "1000");
    qc_buf_free(&w.B);
    fix_free(&f);
    fix_free(&o);
    return 0;
}
