/* bench peers: a large file and a tree of small ones, put and fetched by this program and by others that are
 * here, in turn. Each put ends when it is durable; each get begins with nothing of what it reads in memory,
 * and ends when what it wrote is durable (docs/adr/0086). */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "bench.h"
#include "signals.h"
#include "text.h"

enum { PUT, GET, VERBS, WORDS = 8, SMALL = 4096, LABEL = 80 };

/* It sees to durability itself; a file comes back by its standard output; a tree with its whole path. */
enum { DURABLE = 1, PIPED = 2, NESTED = 4 };

/* Words that stand for others: "<" the source, ">" where it comes back, "@" a name for this run, "%" a place
 * of the program's own. */
struct words {
    const char *argv[WORDS];
};
static const struct peer {
    const char *tool, *program, *package;
    struct words file[VERBS], tree[VERBS];
    unsigned traits;
} peers[] = {
    /* clang-format off */
    { "qcloud, five directories", "qcloud", "qcloud",
      { { { "-q", "put", "<", "@" } }, { { "-q", "get", "@", ">" } } },
      { { { "-q", "put", "-r", "<", "@" } }, { { "-q", "get", "-r", "@", ">" } } }, DURABLE },
    { "restic, one directory", "restic", "restic",
      { { { "backup", "-q", "--no-cache", "--force", "<" } },
        { { "dump", "-q", "--no-cache", "latest", "<" } } },
      { { { "backup", "-q", "--no-cache", "--force", "<" } },
        { { "restore", "-q", "--no-cache", "latest", "--target", ">" } } }, PIPED | NESTED },
    { "rclone crypt, one directory", "rclone", "rclone",
      { { { "copyto", "-q", "<", "crypt:@" } }, { { "copyto", "-q", "crypt:@", ">" } } },
      { { { "copy", "-q", "<", "crypt:@" } }, { { "copy", "-q", "crypt:@", ">" } } }, 0 },
    { "cp, neither sealed nor spread", "cp", "coreutils",
      { { { "<", "%" } }, { { "%", ">" } } },
      { { { "-r", "<", "%" } }, { { "-r", "%", ">" } } }, 0 },
    /* clang-format on */
};
enum { PEERS = sizeof peers / sizeof peers[0] };

/* What is put and fetched. */
struct thing {
    uint64_t bytes, files;
    bool tree;
};

struct turns {
    const struct bench_scratch *s;
    bool here[PEERS];
    char program[PEERS][QC_CLIENT_PATH_MAX];
    char source[QC_CLIENT_PATH_MAX], back[QC_CLIENT_PATH_MAX], copy[QC_CLIENT_PATH_MAX], name[32];
    uint64_t ns[PEERS][VERBS][QC_BENCH_RUNS_MAX];
};

/* -- one run of one program ------------------------------------------------------------------------------ */

static const char *word(const struct turns *t, const char *w, char crypt[QC_CLIENT_PATH_MAX])
{
    if (strcmp(w, "crypt:@") == 0) {
        (void)snprintf(crypt, QC_CLIENT_PATH_MAX, "crypt:%s", t->name);
        return crypt;
    }
    return strcmp(w, "<") == 0   ? t->source
           : strcmp(w, ">") == 0 ? t->back
           : strcmp(w, "@") == 0 ? t->name
           : strcmp(w, "%") == 0 ? t->copy
                                 : w;
}

static qc_rc run_one(struct turns *t, size_t p, const struct thing *what, unsigned verb, uint64_t *ret_ns,
                     struct qc_err *err)
{
    const struct peer *peer = &peers[p];
    const struct words *w = what->tree ? &peer->tree[verb] : &peer->file[verb];
    const bool piped = verb == GET && (peer->traits & PIPED) != 0 && !what->tree;
    const char *argv[WORDS + 2] = { peer->program };
    char crypt[QC_CLIENT_PATH_MAX];
    for (size_t i = 0; i < WORDS && w->argv[i] != NULL; i++)
        argv[i + 1] = word(t, w->argv[i], crypt);
    QC_TRY(bench_child(t->s, t->program[p], argv, piped ? t->back : NULL, ret_ns, err));
    if ((peer->traits & DURABLE) != 0)
        return QC_OK;
    const uint64_t began = qc_now_ns();
    QC_TRY(qc_sync_all(qc_fd_get(&t->s->dir), err));
    *ret_ns += qc_now_ns() - began;
    return QC_OK;
}

/* -- what it is ------------------------------------------------------------------------------------------ */

static qc_rc make_source(const struct turns *t, const struct thing *what, struct qc_err *err)
{
    char name[32];
    if (!what->tree)
        return bench_scratch_fill(t->s, "source", what->bytes, err);
    if (mkdirat(qc_fd_get(&t->s->dir), "source", 0700) != 0)
        return QC_FAIL_OS(err, "%s", t->source);
    for (uint64_t i = 0; i < what->files; i++) {
        (void)snprintf(name, sizeof name, "source/%05" PRIu64, i);
        QC_TRY(bench_scratch_fill(t->s, name, SMALL, err));
    }
    return QC_OK;
}

static qc_rc same_file(const char *a, const char *b, struct qc_err *err)
{
    enum { PIECE = 1 << 20 };
    QC_CLEANUP(qc_free_ptr) uint8_t *room = qc_alloc(2 * (size_t)PIECE);
    QC_CLEANUP(qc_fd_close) struct qc_fd fa = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd fb = { 0 };
    if (room == NULL)
        return QC_FAIL(err, QC_NOMEM, "%d bytes", 2 * PIECE);
    QC_TRY_AS(qc_open_at(&fa, AT_FDCWD, a, O_RDONLY, 0, err), err, "%s", a);
    QC_TRY_AS(qc_open_at(&fb, AT_FDCWD, b, O_RDONLY, 0, err), err, "%s", b);
    for (size_t got = 1, there = 0; got > 0;) {
        QC_TRY(qc_read_full(qc_fd_get(&fa), room, PIECE, &got, err));
        QC_TRY(qc_read_full(qc_fd_get(&fb), room + PIECE, PIECE, &there, err));
        if (!qc_span_eq(qc_span_of(room, got), qc_span_of(room + PIECE, there)))
            return QC_FAIL(err, QC_INTEGRITY, "%s is not what was put", b);
    }
    return QC_OK;
}

/* A figure of bytes that are others would be none. */
static qc_rc same(const struct turns *t, const struct peer *peer, const struct thing *what,
                  struct qc_err *err)
{
    if (!what->tree)
        return same_file(t->source, t->back, err);
    for (uint64_t i = 0; i < what->files; i++) {
        char a[QC_CLIENT_PATH_MAX + 32], b[2 * QC_CLIENT_PATH_MAX + 32];
        (void)snprintf(a, sizeof a, "%s/%05" PRIu64, t->source, i);
        (void)snprintf(b, sizeof b, "%s%s/%05" PRIu64, t->back, (peer->traits & NESTED) != 0 ? t->source : "",
                       i);
        QC_TRY(same_file(a, b, err));
    }
    return QC_OK;
}

static qc_rc turn(struct turns *t, size_t p, const struct thing *what, unsigned run, struct qc_err *err)
{
    QC_TRY(run_one(t, p, what, PUT, &t->ns[p][PUT][run], err));
    QC_TRY(bench_scratch_cold(t->s, err));
    QC_TRY(run_one(t, p, what, GET, &t->ns[p][GET][run], err));
    QC_TRY_AS(same(t, &peers[p], what, err), err, "%s", peers[p].tool);
    QC_TRY(bench_scratch_drop(t->s, "copy", err));
    return bench_scratch_drop(t->s, "back", err);
}

/* -- telling --------------------------------------------------------------------------------------------- */

static qc_rc tell(struct bench *b, struct turns *t, const struct thing *what, unsigned verb,
                  struct qc_err *err)
{
    static const char *const verbs[] = { "put", "get" };
    char size[TEXT_SIZE], said[LABEL];
    text_size(what->tree ? SMALL : what->bytes, size);
    if (what->tree)
        (void)snprintf(said, sizeof said, "%s of %" PRIu64 " files of %s", verbs[verb], what->files, size);
    else
        (void)snprintf(said, sizeof said, "%s of %s", verbs[verb], size);
    out_line(&b->c->out, "%s", said);
    for (size_t p = 0; p < PEERS; p++) {
        uint64_t own[QC_BENCH_RUNS_MAX];
        if (!t->here[p])
            continue;
        memcpy(own, t->ns[0][verb], sizeof own); /* as they came: a median sorts */
        const uint64_t ours = bench_median(own, b->runs), ns = bench_median(t->ns[p][verb], b->runs);
        const struct bench_row row = { .what = said,
                                       .bytes = what->bytes,
                                       .ns = ns,
                                       .files = what->files,
                                       .tries = b->runs,
                                       .of = "qcloud",
                                       .ratio = p == 0 ? 0 : (double)ours / (double)(ns > 0 ? ns : 1),
                                       .tool = peers[p].tool };
        QC_TRY(bench_row(b, &row, err));
    }
    return QC_OK;
}

static qc_rc measure_thing(struct bench *b, struct turns *t, const struct thing *what, struct qc_err *err)
{
    for (unsigned run = 0; run < b->runs; run++) {
        (void)snprintf(t->name, sizeof t->name, "%s-%" PRIu64 "-%u", what->tree ? "tree" : "file",
                       what->bytes, run);
        QC_TRY(make_source(t, what, err));
        for (size_t p = 0; p < PEERS; p++)
            if (t->here[p])
                QC_TRY(turn(t, p, what, run, err));
        QC_TRY(bench_scratch_drop(t->s, "source", err));
    }
    QC_TRY(tell(b, t, what, PUT, err));
    return tell(b, t, what, GET, err);
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static qc_rc find_all(struct bench *b, struct turns *t, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf lacking = { .max = QC_CLIENT_TEXT_MAX };
    const char *text = "";
    for (size_t p = 0; p < PEERS; p++) {
        struct qc_err why = { 0 };
        const qc_rc rc = bench_program(peers[p].program, t->program[p], &why);
        t->here[p] = rc == QC_OK;
        if (rc != QC_OK && rc != QC_NOTFOUND) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            QC_TRY(qc_buf_addf(&lacking, err, "%s%s (Debian's package %s)", lacking.n > 0 ? ", " : "",
                               peers[p].program, peers[p].package));
    }
    if (lacking.n == 0)
        return QC_OK;
    QC_TRY(qc_buf_cstr(&lacking, &text, err));
    out_warn(&b->c->out, MSG_W_OTHER, NULL, "not installed, and not measured: %s", text);
    return QC_OK;
}

static qc_rc begin_stores(const struct turns *t, struct qc_err *err)
{
    static const char *const init[] = { "restic", "init", "-q", NULL };
    uint64_t ns = 0;
    QC_TRY(bench_vault(t->s, err));
    return t->here[1] ? bench_child(t->s, t->program[1], init, NULL, &ns, err) : QC_OK;
}

static qc_rc measure(struct bench *b, const struct bench_scratch *s, const struct bench_sizes *sizes,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct turns *t = qc_alloc(sizeof *t);
    const struct thing tree = { .bytes = (uint64_t)QC_BENCH_TREE * SMALL,
                                .files = QC_BENCH_TREE,
                                .tree = true };
    if (t == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *t);
    t->s = s;
    QC_TRY(find_all(b, t, err));
    QC_TRY(bench_scratch_path(s, "source", t->source, err));
    QC_TRY(bench_scratch_path(s, "back", t->back, err));
    QC_TRY(bench_scratch_path(s, "copy", t->copy, err));
    QC_TRY(begin_stores(t, err));
    out_note(&b->c->out,
             "Each figure is the median of %u. A put's source is in memory, a get begins with %s; both end "
             "when all "
             "is durable. The ratio is that to qcloud's rate: above 1 the other one is faster.",
             b->runs,
             bench_scratch_in_memory(s) ? "all of it in memory, too, as TMPDIR is (a tmpfs)"
                                        : "nothing in memory, as far as the kernel lets go of it");
    for (size_t i = 0; i < sizes->count; i++) {
        const struct thing file = { .bytes = sizes->v[i] };
        QC_TRY(measure_thing(b, t, &file, err));
    }
    return measure_thing(b, t, &tree, err);
}

qc_rc bench_peers(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err)
{
    uint64_t room = 0;
    for (size_t i = 0; i < sizes->count; i++) /* each run 5/3 of it, and once for restic and for rclone */
        room += (4 * (uint64_t)b->runs + 3) * sizes->v[i];
    return bench_in_scratch(b, room, sizes, measure, err);
}
