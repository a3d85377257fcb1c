/* unit/vault_seal: what is sealed opens on all three paths, for every size around a chunk and a group, for
 * every place of KR and R3, with epochs, padding, extensions and metadata; ranges open alone. */
#include "vault_fix.h"

#define C UINT64_C(65536)

static void opens_every_way(const struct fix *f)
{
    const struct fix_way plain = fix_plain(f), with1 = fix_with(f, 1), with2 = fix_with(f, 2);
    fix_opens(f, qc_buf_span(&f->N), &plain);
    fix_opens(f, qc_buf_span(&f->N), &with1);
    fix_opens(f, qc_buf_span(&f->N), &with2);
}

static void sizes(void)
{
    static const uint64_t size[] = { 0,         1,     2,         C - 1, C,         C + 1,
                                     2 * C - 1, 2 * C, 2 * C + 1, 4 * C, 4 * C + 1, 5 * C };
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 1, .size = size[i] });
        opens_every_way(&f);
        fix_free(&f);
    }
    static const uint64_t big[] = { (1 << 20) - 1, 1 << 20, (1 << 20) + 1 };
    for (size_t i = 0; i < 3; i++) {
        struct fix f =
            fix_make(&(struct fix_spec){ .keys = 2, .size = big[i], .chunk_log2 = 20, .group_log2 = 12 });
        opens_every_way(&f);
        fix_free(&f);
    }
}

/* seal.md row 23: keys are tried until every place of KR and of R3 in a first chunk of c0 bytes has been
 * seen. */
static void places(uint64_t c0)
{
    const size_t n1_count = (size_t)c0 + 1, n2_count = (size_t)c0 + 33;
    bool seen[8 * 40] = { false };
    size_t left = n1_count * n2_count;
    CHECK(left <= sizeof seen);
    for (unsigned tries = 0; left > 0; tries++) {
        CHECK(tries < 20000);
        struct fix f = fix_make(&(struct fix_spec){
            .object = (uint8_t)tries, .version = (uint8_t)(tries >> 8), .keys = 3, .size = c0 });
        /* The place of KR, from N itself: the reader finds it by derivation only. */
        QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
        QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
        struct qc_err err = { 0 };
        const struct fix_way plain = fix_plain(&f);
        CHECK_OK(fix_frame(&frame, qc_buf_span(&f.N), &err));
        CHECK_OK(fix_unlock(&o, frame, qc_buf_span(&f.N), &plain, &err));
        uint8_t region[128];
        CHECK(c0 + 64 <= sizeof region);
        memcpy(region, f.N.p + 120, (size_t)c0 + 64);
        CHECK(memcmp(region + f.n2, qc_key_open(f.keys.R3).p, 32) == 0);
        memmove(region + f.n2, region + f.n2 + 32, (size_t)(c0 + 32 - f.n2));
        size_t n1 = 0;
        while (memcmp(region + n1, qc_key_open(f.keys.KR).p, 32) != 0)
            CHECK(++n1 < n1_count);
        if (!seen[n1 * n2_count + f.n2]) {
            seen[n1 * n2_count + f.n2] = true;
            left--;
            opens_every_way(&f);
        }
        fix_free(&f);
    }
}

static void metadata(void)
{
    struct qc_err err = { 0 };
    struct fix_spec spec = { .keys = 4, .size = 3 };
    spec.meta = (struct vault_meta){ .has_mtime = true,
                                     .mtime_s = -5,
                                     .mtime_ns = 999999999,
                                     .has_mode = true,
                                     .mode = 0100644,
                                     .has_from = true,
                                     .provenance = QC_LIT("os:getrandom") };
    fix_bytes(spec.meta.from, 16, "version id", 9);
    struct fix f = fix_make(&spec);
    opens_every_way(&f);
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    const struct fix_way plain = fix_plain(&f);
    CHECK_OK(fix_frame(&frame, qc_buf_span(&f.N), &err));
    CHECK_OK(fix_unlock(&o, frame, qc_buf_span(&f.N), &plain, &err));
    const struct vault_meta *m = vault_opened_meta(o);
    CHECK(m->true_size == 3 && m->has_mtime && m->mtime_s == -5 && m->mtime_ns == 999999999);
    CHECK(m->has_mode && m->mode == 0100644 && m->has_from && memcmp(m->from, spec.meta.from, 16) == 0);
    CHECK(qc_span_eq(m->provenance, QC_LIT("os:getrandom")));
    CHECK(vault_opened_n2(o) == f.n2);
    for (uint8_t x = 0; x <= 4; x++) {
        const qc_key *want[] = { f.keys.R, f.keys.R1, f.keys.R2, f.keys.R3, f.keys.R4 };
        QC_CLEANUP(qc_key_free) qc_key *share = NULL;
        CHECK_OK(vault_opened_share(&share, o, x, &err));
        CHECK(qc_key_same(share, want[x]));
    }
    fix_free(&f);
}

static void padding_and_epochs(void)
{
    const uint64_t padded[] = { 1, C, C + 1, 3 * C + 5 };
    for (size_t i = 0; i < 4; i++) {
        struct fix f = fix_make(&(struct fix_spec){ .keys = 5, .size = i == 2 ? C : 0, .padded = padded[i] });
        opens_every_way(&f);
        fix_free(&f);
    }
    struct fix f =
        fix_make(&(struct fix_spec){ .keys = 5, .size = 5 * C + 9, .epochs = 3, .epoch_start = { 0, 2, 5 } });
    opens_every_way(&f);
    fix_free(&f);
    f = fix_make(&(struct fix_spec){ .keys = 5, .size = 5 * C, .epochs = 2, .epoch_start = { 1, 3 } });
    opens_every_way(&f);
    fix_free(&f);
}

static void extensions(void)
{
    /* type 7, optional, three bytes; type 9, empty */
    const qc_span ext = QC_LIT("\0\7\0\0\0\3abc\0\x09\0\0\0\0");
    struct fix f =
        fix_make(&(struct fix_spec){ .keys = 6, .size = 100, .header_ext = ext, .trailer_ext = ext });
    opens_every_way(&f);
    fix_free(&f);
}

/* seal.md row 28: any chunk opens alone, whatever was read before. */
static void ranges(void)
{
    struct qc_err err = { 0 };
    struct fix f =
        fix_make(&(struct fix_spec){ .keys = 7, .size = 6 * C + 77, .epochs = 1, .epoch_start = { 3 } });
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    QC_CLEANUP(vault_tags_done) struct vault_tags tags = { 0 };
    const struct fix_way plain = fix_plain(&f);
    CHECK_OK(fix_frame(&frame, qc_buf_span(&f.N), &err));
    CHECK_OK(fix_unlock(&o, frame, qc_buf_span(&f.N), &plain, &err));
    static const uint64_t order[] = { 6, 0, 3, 2, 2, 5, 1, 4, 0 };
    uint8_t *want = malloc(C);
    CHECK(want != NULL);
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        QC_CLEANUP(qc_buf_free) qc_buf D = { .max = C };
        CHECK_OK(fix_chunk(&D, o, frame, &tags, qc_buf_span(&f.N), order[k], &err));
        CHECK(D.n == (order[k] == 6 ? 77 : C));
        fix_pattern(want, order[k] * C, D.n);
        CHECK(memcmp(want, D.p, D.n) == 0);
    }
    free(want);
    fix_free(&f);
}

static void contracts(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .keys = 8, .size = 1 });
    const struct vault_sealer_params bad[] = {
        { .chunk_log2 = 15 },
        { .chunk_log2 = 25 },
        { .group_log2 = 13 },
        { .header_extensions = QC_LIT("\0\1\0\0\0\1") },
        { .trailer_extensions = QC_LIT("\0\2\0\0\0\0\0\2\0\0\0\0") },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vault_sealer *s = NULL;
        CHECK_RC(vault_sealer_new(&s, &f.keys, &bad[i], &err), QC_USAGE);
        CHECK(s == NULL);
    }
    struct vault_sealer *s = NULL;
    uint8_t buf[1024] = { 0 }, M[32];
    size_t n = 0;
    CHECK_OK(vault_sealer_new(&s, &f.keys, &(struct vault_sealer_params){ .ids = f.ids }, &err));
    CHECK_DIES(qc_ignore(vault_sealer_chunk(s, buf, 5, false, &n, &err), "dies"));
    CHECK_OK(vault_sealer_chunk(s, buf, 5, true, &n, &err));
    CHECK(n == 5 + 64 + 32);
    CHECK_DIES(qc_ignore(vault_sealer_chunk(s, buf, 5, true, &n, &err), "dies"));
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = 1024 };
    CHECK_RC(vault_sealer_finish(s, &(struct vault_meta){ .true_size = 6 }, &out, M, &err), QC_USAGE);
    CHECK(out.n == 0);
    CHECK_OK(vault_sealer_finish(s, &(struct vault_meta){ .true_size = 5 }, &out, M, &err));
    CHECK_DIES(
        qc_ignore(vault_sealer_finish(s, &(struct vault_meta){ .true_size = 5 }, &out, M, &err), "dies"));
    vault_sealer_free(&s);
    vault_sealer_free(&s);
    fix_free(&f);
}

int main(void)
{
    sizes();
    places(0);
    places(1);
    places(3);
    metadata();
    padding_and_epochs();
    extensions();
    ranges();
    contracts();
    return 0;
}
