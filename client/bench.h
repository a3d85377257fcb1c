/* What `bench` measures, and how it tells it. Part of the program qcloud (layer 5); uses base, ec, vault. */
#pragma once
#include "client.h"

#include "base/file.h"

struct bench {
    struct client *c;
    struct json_t *rows; /* all that was told, for --out */
    uint64_t sealing;    /* bytes a second; 0: not measured */
    unsigned runs;       /* of paper and peers: the median of so many counts */
};

/* One figure, and what it is held against. All-zero is "not known", and is not told. */
struct bench_row {
    const char *what;
    uint64_t bytes, ns;
    uint64_t files; /* that the bytes are in, where they are many */
    unsigned tries; /* ns is the median of so many */
    const char *of; /* what was measured in the same run */
    double ratio;   /* of the rate to that one's */
    const char *tool;
    struct bench_paper {
        const char *said, *source; /* "about 3 s", and where a paper says so */
        uint64_t ns;
    } paper;
};
QC_MUST qc_rc bench_row(struct bench *b, const struct bench_row *row, struct qc_err *err);
/* bytes in so much time; of: what it cannot be faster than, and how fast that was (0: nothing is known). */
QC_MUST qc_rc bench_rate(struct bench *b, const char *what, uint64_t bytes, uint64_t ns, const char *of,
                         uint64_t of_rate, struct qc_err *err);
/* What the clouds have of so many bytes; the core paper has less than twice as many. */
QC_MUST qc_rc bench_stored(struct bench *b, const char *what, uint64_t bytes, uint64_t stored,
                           struct qc_err *err);
/* The middle one of these; sorts them. */
uint64_t bench_median(uint64_t *v, size_t count);
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
QC_MUST qc_rc bench_keys(struct bench *b, struct bench_times *t, struct qc_err *err);
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
/* A source (vault_source) of so many bytes, none like its neighbours; it cannot be read twice, so that
 * nothing of it stays to go on. */
struct bench_made {
    uint64_t left, next;
};
QC_MUST qc_rc bench_make(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err);

/* -- bench_scratch.c: one folder for all that a bench writes, and nothing of it stays -----------------------
 * In $TMPDIR, else /var/tmp; locked while its bench lives. It has a vault of its own, over five directories.
 */
struct bench_scratch {
    struct qc_fd dir; /* with the lock */
    char path[QC_CLIENT_PATH_MAX];
};
/* Takes away those whose bench was killed. QC_FULL: there is not room for so many bytes. */
QC_MUST qc_rc bench_scratch_make(struct bench_scratch *ret, uint64_t bytes, struct qc_err *err);
/* Ends the vault's gateway, and removes all; QC_OK: nothing is left. {0} is allowed. */
QC_MUST qc_rc bench_scratch_remove(struct bench_scratch *s, struct qc_err *err);
/* A path in it. QC_LIMIT */
QC_MUST qc_rc bench_scratch_path(const struct bench_scratch *s, const char *name,
                                 char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);
/* A file in it with so many bytes, no two runs of which are alike: nothing to compress or to find again. */
QC_MUST qc_rc bench_scratch_fill(const struct bench_scratch *s, const char *name, uint64_t size,
                                 struct qc_err *err);
/* Remove what is there, be it a file or a folder. */
QC_MUST qc_rc bench_scratch_drop(const struct bench_scratch *s, const char *name, struct qc_err *err);
/* All that was written is on the disk, and none of the scratch folder's files is in memory any more, as far
 * as the kernel lets go of them. */
QC_MUST qc_rc bench_scratch_cold(const struct bench_scratch *s, struct qc_err *err);
/* Bytes of the files beneath a folder in it. */
QC_MUST qc_rc bench_scratch_size(const struct bench_scratch *s, const char *name, uint64_t *ret,
                                 struct qc_err *err);
/* Is it memory (a tmpfs) where nothing is ever cold? */
bool bench_scratch_in_memory(const struct bench_scratch *s);

/* run, with a folder where there is room for so many bytes; nothing of it stays. */
typedef qc_rc (*bench_fn)(struct bench *b, const struct bench_scratch *s, const struct bench_sizes *sizes,
                          struct qc_err *err);
QC_MUST qc_rc bench_in_scratch(struct bench *b, uint64_t room, const struct bench_sizes *sizes, bench_fn run,
                               struct qc_err *err);

/* -- bench_child.c: another program, timed ----------------------------------------------------------------
 */
/* The program, on PATH; "qcloud" is this one. QC_NOTFOUND */
QC_MUST qc_rc bench_program(const char *name, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);
/*
 * Runs it to its end, within the scratch folder and with an environment in which all that programs write of
 * their own lies there. A Ctrl-C, or QC_BENCH_CHILD_MS, ends it and all that it started.
 *
 *   argv  its name first, NULL last
 *   to    where its standard output goes, or NULL: to nowhere
 *
 * QC_GENERAL  it failed: what it said last is the message. QC_TIMEOUT, QC_CANCELLED
 */
QC_MUST qc_rc bench_child(const struct bench_scratch *s, const char *program, const char *const *argv,
                          const char *to, uint64_t *ret_ns, struct qc_err *err);
/* A vault of the scratch folder's own, and its gateway runs. */
QC_MUST qc_rc bench_vault(const struct bench_scratch *s, struct qc_err *err);

/* -- bench_paper.c, bench_peers.c: beside the papers' figures, beside other programs ------------------------
 */
QC_MUST qc_rc bench_paper(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err);
QC_MUST qc_rc bench_peers(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err);
