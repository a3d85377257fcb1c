/* prop/vault_seal: random objects (size, padding, epochs, extensions, group size, keys) open on a random
 * path; one random change of N, anywhere, is refused and releases only true bytes before it. QC_FULL=1:
 * 20,000 cases. */
#include "qc_seed.h"
#include "vault_fix.h"

static struct fix_spec random_spec(struct qc_rand *r, uint8_t *ext)
{
    static const uint64_t around[] = { 0, 65536, 131072, 262144 };
    const uint64_t base = around[qc_rand_below(r, 4)];
    struct fix_spec s = { .object = (uint8_t)qc_rand_u64(r),
                          .version = (uint8_t)qc_rand_u64(r),
                          .keys = (uint8_t)qc_rand_u64(r),
                          .group_log2 = (uint8_t)qc_rand_between(r, 1, 3) };
    s.size = base + qc_rand_below(r, qc_rand_below(r, 2) ? 40 : 65536);
    if (qc_rand_below(r, 3) == 0)
        s.padded = s.size + qc_rand_below(r, 70000);
    const uint64_t L = s.padded > s.size ? s.padded : s.size;
    const uint64_t chunks = L == 0 ? 1 : (L + 65535) / 65536;
    for (uint64_t at = qc_rand_below(r, 3); at < chunks && s.epochs < FIX_EPOCHS_MAX;
         at += 1 + qc_rand_below(r, 3))
        s.epoch_start[s.epochs++] = at;
    qc_put_be(ext, qc_rand_below(r, 0x8000), 2);
    qc_put_be(ext + 2, qc_rand_below(r, 20), 4);
    if (qc_rand_below(r, 2))
        s.header_ext = qc_span_of(ext, 6 + ext[5]);
    if (qc_rand_below(r, 2))
        s.trailer_ext = qc_span_of(ext, 6 + ext[5]);
    s.meta.has_mode = qc_rand_below(r, 2);
    return s;
}

static void change(struct qc_rand *r, const struct fix *f, const struct fix_way *way)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
    const uint64_t at = qc_rand_below(r, f->N.n);
    const uint8_t by = (uint8_t)qc_rand_between(r, 1, 255);
    f->N.p[at] ^= by;
    const qc_rc rc = fix_open(&D, qc_buf_span(&f->N), way, &err);
    f->N.p[at] ^= by;
    if (rc != QC_INTEGRITY && rc != QC_FORMAT && rc != QC_NEWER) {
        fprintf(stderr, "byte %llu: %s\n", (unsigned long long)at, qc_rc_name(rc));
        exit(1);
    }
    CHECK(D.n <= f->spec.size);
    uint8_t *want = malloc(D.n + 1);
    CHECK(want != NULL);
    fix_pattern(want, 0, D.n);
    CHECK(D.n == 0 || memcmp(want, D.p, D.n) == 0);
    free(want);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    const unsigned cases = getenv("QC_FULL") != NULL ? 20000 : 300;
    for (unsigned i = 0; i < cases; i++) {
        uint8_t ext[64];
        qc_rand_fill(&r, ext, sizeof ext);
        const struct fix_spec spec = random_spec(&r, ext);
        struct fix f = fix_make(&spec);
        const uint64_t path = qc_rand_below(&r, 3);
        const struct fix_way way = path == 0 ? fix_plain(&f) : fix_with(&f, (unsigned)path);
        fix_opens(&f, qc_buf_span(&f.N), &way);
        for (unsigned k = 0; k < 3; k++)
            change(&r, &f, &way);
        fix_free(&f);
    }
    return 0;
}
