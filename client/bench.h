/* What `bench` measures, and how it tells it. Part of the program qcloud (layer 5); uses base, ec, vault. */
#pragma once
#include "client.h"

struct bench {
    struct client *c;
    struct json_t *rows; /* all that was told, for --out */
    uint64_t sealing;    /* bytes a second; 0: not measured */
};

/* bytes in so much time; of: what it cannot be faster than, and how fast that was (0: nothing is known). */
QC_MUST qc_rc bench_rate(struct bench *b, const char *what, uint64_t bytes, uint64_t ns, const char *of,
                         uint64_t of_rate, struct qc_err *err);
enum { BENCH_TRIES = 1000 };
struct bench_times {
    uint64_t ns[BENCH_TRIES];
    size_t count;
};
/* Another one; false: it is enough, by number or by time. */
bool bench_add(struct bench_times *t, uint64_t began_ns, uint64_t since_ns);
/* The median of these, and the slowest; sorts them. */
QC_MUST qc_rc bench_time(struct bench *b, const char *what, struct bench_times *t, struct qc_err *err);

/* -- bench_local.c: randomness, sealing, coding, the share stores' disks --------------------------------- */
QC_MUST qc_rc bench_local(struct bench *b, struct qc_err *err);
/* Directories in a share store's that benches of earlier programs made, and left when they were killed: gone,
 * but those of the last hour, and whatever has something else in it. */
void bench_sweep(int dirfd);
/* -- bench_gateway.c: the way there, put and get ----------------------------------------------------------
 */
struct bench_sizes {
    uint64_t v[QC_BENCH_SIZES_MAX];
    size_t count;
};
/* -- bench_names.c: names that a bench gave, in a file of the state directory, until they are purged -------
 * Random ones, below a prefix: no other command, and nobody's other machine, gives the same. Under the
 * bench's lock. */
#define BENCH_PREFIX ".qcloud-bench/"
enum { BENCH_RANDOM = 8, BENCH_NAME_MAX = sizeof BENCH_PREFIX + 2 * BENCH_RANDOM };
struct bench_names {
    char v[QC_BENCH_LEFT_MAX][BENCH_NAME_MAX];
    size_t count;
};
/* QC_FORMAT: something else stands in the file. */
QC_MUST qc_rc bench_names_read(struct bench_names *ret, int dirfd, struct qc_err *err);
/* Durable. */
QC_MUST qc_rc bench_names_write(const struct bench_names *names, int dirfd, struct qc_err *err);
/* Another one, which stands in the file when this returns. QC_LIMIT: there are QC_BENCH_LEFT_MAX. */
QC_MUST qc_rc bench_names_new(struct bench_names *names, int dirfd, const qc_rng *rng,
                              char ret[BENCH_NAME_MAX], struct qc_err *err);
void bench_names_drop(struct bench_names *names, size_t i); /* not in the file yet */

QC_MUST qc_rc bench_gateway(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err);
