/* bench: which names it gave. Nothing is taken away that does not stand in this file. */
#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "bench.h"

#define NAMES_FILE "bench.names"
enum { HEAD = sizeof BENCH_PREFIX - 1, LENGTH = BENCH_NAME_MAX - 1 };

/* One that new_name below may have given: whatever else stands there is nobody's to purge. */
static bool is_name(qc_span line)
{
    uint8_t bytes[BENCH_RANDOM];
    struct qc_err unused = { 0 };
    return line.n == LENGTH && memcmp(line.p, BENCH_PREFIX, HEAD) == 0 &&
           qc_hex_dec(qc_span_sub(line, HEAD, LENGTH - HEAD), bytes, sizeof bytes, &unused) == QC_OK;
}

qc_rc bench_names_read(struct bench_names *ret, int dirfd, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    ret->count = 0;
    const qc_rc rc = qc_file_read(dirfd, NAMES_FILE, (size_t)QC_BENCH_LEFT_MAX * (LENGTH + 1), &text, err);
    if (rc == QC_NOTFOUND) {
        qc_err_clear(err);
        return QC_OK;
    }
    QC_TRY(rc);
    const qc_span all = qc_buf_span(&text);
    for (size_t at = 0; at < all.n; at += LENGTH + 1) {
        if (all.n - at < LENGTH + 1 || all.p[at + LENGTH] != '\n' || !is_name(qc_span_sub(all, at, LENGTH)))
            return QC_FAIL(err, QC_FORMAT, "%s: line %zu is no name that a bench gave; remove that file",
                           NAMES_FILE, at / (LENGTH + 1) + 1);
        memcpy(ret->v[ret->count], all.p + at, LENGTH);
        ret->v[ret->count++][LENGTH] = '\0';
    }
    return QC_OK;
}

qc_rc bench_names_write(const struct bench_names *names, int dirfd, struct qc_err *err)
{
    qc_span parts[2 * QC_BENCH_LEFT_MAX];
    if (names->count == 0)
        return qc_file_remove(dirfd, NAMES_FILE, err);
    for (size_t i = 0; i < names->count; i++) {
        parts[2 * i] = qc_span_str(names->v[i]);
        parts[2 * i + 1] = QC_LIT("\n");
    }
    return qc_file_write_atomic(dirfd, NAMES_FILE, parts, 2 * names->count, 0600, err);
}

void bench_names_drop(struct bench_names *names, size_t i)
{
    QC_ASSERT(i < names->count);
    names->count--;
    memmove(names->v[i], names->v[i + 1], (names->count - i) * sizeof names->v[0]);
}

qc_rc bench_names_new(struct bench_names *names, int dirfd, const qc_rng *rng, char ret[BENCH_NAME_MAX],
                      struct qc_err *err)
{
    uint8_t bytes[BENCH_RANDOM];
    if (names->count == QC_BENCH_LEFT_MAX)
        return QC_FAIL(err, QC_LIMIT,
                       "%d objects of benches could not be purged; they lie below " BENCH_PREFIX,
                       QC_BENCH_LEFT_MAX);
    QC_TRY(qc_rng_fill(rng, bytes, sizeof bytes, err));
    memcpy(ret, BENCH_PREFIX, HEAD);
    qc_hex(qc_span_of(bytes, sizeof bytes), ret + HEAD);
    memcpy(names->v[names->count++], ret, BENCH_NAME_MAX);
    return bench_names_write(names, dirfd, err);
}
