/* bench/vault_seal: bytes per second of sealing and of opening, one thread, 1 MiB chunks as written; JSON
 * lines. Usage: bench_vault_seal [MIB], default 512. Not a ctest: a shared machine cannot judge seconds. */
#include <inttypes.h>
#include <time.h>

#include "vault_fix.h"

#define CHUNK ((size_t)1 << 20)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, uint64_t mib, double seconds)
{
    printf("{\"bench\":\"%s\",\"mib\":%" PRIu64 ",\"seconds\":%.3f,\"mib_per_s\":%.0f}\n", what, mib, seconds,
           (double)mib / seconds);
}

int main(int argc, char **argv)
{
    struct qc_err err = { 0 };
    const uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 512;
    CHECK(mib > 0 && mib < 4096);
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 1, .size = 1 });
    const size_t size = (size_t)mib * CHUNK + CHUNK;
    uint8_t *N = malloc(size);
    CHECK(N != NULL);
    memset(N, 7, size);
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf tail = { .max = QC_VAULT_TRAILER_MAX };
    const struct vault_sealer_params p = { .ids = f.ids };
    uint8_t M[32];
    double start = now();
    CHECK_OK(vault_sealer_new(&s, &f.keys, &p, &err));
    const qc_span header = vault_sealer_header(s);
    size_t at = header.n, n = 0;
    memcpy(N, header.p, header.n);
    for (uint64_t i = 0; i < mib; i++, at += n)
        CHECK_OK(vault_sealer_chunk(s, N + at, CHUNK, i == mib - 1, &n, &err));
    CHECK_OK(vault_sealer_finish(s, &(struct vault_meta){ .true_size = mib * CHUNK }, &tail, M, &err));
    report("seal", mib, now() - start);
    memcpy(N + at, tail.p, tail.n);
    const qc_span all = qc_span_of(N, at + tail.n);
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    QC_CLEANUP(vault_tags_done) struct vault_tags tags = { 0 };
    const struct fix_way plain = { .ids = f.ids, .R1 = f.keys.R1, .R2 = f.keys.R2, .M = M };
    start = now();
    CHECK_OK(fix_frame(&frame, all, &err));
    CHECK_OK(fix_unlock(&o, frame, all, &plain, &err));
    const struct vault_range t = vault_geometry_tags(&frame->g, 0);
    CHECK_OK(vault_opened_group(&tags, o, 0, qc_span_sub(all, (size_t)t.offset, (size_t)t.size), &err));
    for (uint64_t i = 0; i < mib; i++) {
        const struct vault_range r = vault_geometry_chunk(&frame->g, i);
        CHECK_OK(vault_opened_chunk(o, &tags, i, N + r.offset, (size_t)r.size, &n, &err));
    }
    report("open", mib, now() - start);
    free(N);
    fix_free(&f);
    return 0;
}
