/* The folder is walked in the order of a listing, beside it: its names are compared as they stand in a path,
 * a folder's with the slash behind it. So files that no object is of are found by one pass, and nothing is
 * kept of what was passed. */
#include "against.h"

#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "below.h"
#include "get.h"

enum { PIECE = 64 * 1024 };

struct against {
    struct qc_fd root;
    char dir[QC_CLIENT_PATH_MAX];
    qc_span word;
    bool begins; /* the word is the beginning of names */
    bool below;  /* there are objects below the word */
    /* The walk, while files that are no objects are looked for: */
    FTS *tree;
    const FTSENT *at; /* a file, or NULL: no more of them */
    qc_buf own;       /* where the object of the word's very name lies; empty: there is none */
    against_extra_fn extra;
    void *ctx;
    /* The object under way: */
    bool folder;
    char place[AGAINST_WHY / 2]; /* beneath the folder; cut where it is long */
    struct qc_fd file;
    struct qc_err why;   /* it could not be opened */
    uint64_t done, size; /* of the file: what was compared, and all of it */
    uint64_t other;      /* the first byte that differs, where one does: */
    bool differs;
    uint8_t piece[PIECE];
};

static void walk_end(struct against *a)
{
    if (a->tree != NULL)
        fts_close(a->tree);
    a->tree = NULL;
    a->at = NULL;
    a->own.n = 0;
}

void against_free(struct against **a)
{
    if (*a == NULL)
        return;
    walk_end(*a);
    qc_buf_free(&(*a)->own);
    qc_fd_close(&(*a)->root);
    qc_fd_close(&(*a)->file);
    qc_free(*a);
    *a = NULL;
}

qc_rc against_new(struct against **ret, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(against_free) struct against *a = qc_alloc(sizeof(*a));
    if (a == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory");
    memset(a, 0, sizeof(*a));
    a->own.max = QC_CLIENT_PATH_MAX;
    const int n = snprintf(a->dir, sizeof a->dir, "%s", dir);
    if (n < 0 || (size_t)n >= sizeof a->dir)
        return QC_FAIL(err, QC_LIMIT, "a path of more than %zu bytes", sizeof a->dir - 1);
    QC_TRY(qc_open_at(&a->root, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, err));
    *ret = QC_STEAL(a);
    return QC_OK;
}

/* -- files that are no objects --------------------------------------------------------------------------- */

/* As the names of a listing are ordered: "a-b" before "a/b", which stands before "ab". */
static int as_listed(const FTSENT **a, const FTSENT **b)
{
    const char *x = (*a)->fts_name, *y = (*b)->fts_name;
    size_t i = 0;
    while (x[i] != '\0' && x[i] == y[i])
        i++;
    const int cx = x[i] != '\0' ? (uint8_t)x[i] : (*a)->fts_info == FTS_D ? '/' : -1;
    const int cy = y[i] != '\0' ? (uint8_t)y[i] : (*b)->fts_info == FTS_D ? '/' : -1;
    return cx - cy;
}

static qc_span path_of(const struct against *a)
{
    qc_span rest = qc_span_str(a->at->fts_path + strlen(a->dir));
    while (rest.n > 0 && rest.p[0] == '/')
        rest = qc_span_from(rest, 1);
    return rest;
}

static bool is_unread(const FTSENT *e)
{
    return e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS;
}

/* To the next file. */
static qc_rc step(struct against *a, struct qc_err *err)
{
    do {
        errno = 0;
        a->at = fts_read(a->tree);
        if (a->at == NULL && errno != 0)
            return QC_FAIL_OS(err, "%s", a->dir);
        if (a->at != NULL && is_unread(a->at))
            QC_TRY(a->extra(a->ctx, path_of(a), strerrordesc_np(a->at->fts_errno), err));
    } while (a->at != NULL && a->at->fts_info != FTS_F);
    return QC_OK;
}

/* Files that stand before an object's; all that are left, where rest is NULL. */
static qc_rc pass(struct against *a, const qc_span *rest, struct qc_err *err)
{
    while (a->at != NULL) {
        const qc_span path = path_of(a);
        const int order = rest != NULL ? qc_span_cmp(path, *rest) : -1;
        if (order > 0)
            return QC_OK;
        if (order < 0 && !(a->own.n > 0 && qc_span_eq(path, qc_buf_span(&a->own))))
            QC_TRY(a->extra(a->ctx, path, NULL, err));
        QC_TRY(step(a, err));
    }
    return QC_OK;
}

/* -- objects --------------------------------------------------------------------------------------------- */

qc_rc against_word(struct against *a, qc_span word, against_extra_fn extra, void *ctx, struct qc_err *err)
{
    char *const roots[] = { a->dir, NULL };
    walk_end(a);
    a->begins = word.n > 0 && word.p[word.n - 1] == '*';
    while (word.n > 0 && a->begins && word.p[word.n - 1] != '/') /* of names that begin so: their folder */
        word.n--;
    while (word.n > 0 && word.p[word.n - 1] == '/')
        word.n--;
    a->word = word;
    a->below = false;
    a->extra = extra;
    a->ctx = ctx;
    if (extra == NULL || a->begins)
        return QC_OK;
    a->tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, as_listed);
    if (a->tree == NULL)
        return QC_FAIL_OS(err, "%s", a->dir);
    return step(a, err);
}

/* Empty: the folder itself, where the word is a stored one. */
static qc_span place_of(const struct against *a, qc_span name)
{
    const qc_span nothing = { 0 };
    if (qc_span_eq(name, a->word))
        return a->folder ? nothing : get_last_component(name);
    return a->word.n > 0 && name.n > a->word.n + 1 ? qc_span_from(name, a->word.n + 1) : name;
}

static qc_rc open_file(struct against *a, qc_span place, struct qc_err *err)
{
    struct stat st;
    if (place.n == 0) /* against_new has opened it */
        return QC_OK;
    const int flags = a->folder ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
    QC_TRY(below_open(qc_fd_get(&a->root), place, flags, &a->file, err));
    if (a->folder)
        return QC_OK;
    if (fstat(qc_fd_get(&a->file), &st) != 0)
        return QC_FAIL_OS(err, "cannot look at it");
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_NOTFOUND, "no file");
    a->size = (uint64_t)st.st_size;
    return QC_OK;
}

qc_rc against_object(struct against *a, const struct vault_stat *s, struct qc_err *err)
{
    const qc_span name = qc_buf_span(&s->name);
    qc_fd_close(&a->file);
    a->folder = client_is_folder(s);
    a->below = a->below || !qc_span_eq(name, a->word);
    const qc_span place = place_of(a, name);
    (void)snprintf(a->place, sizeof a->place, "%.*s", (int)place.n, (const char *)place.p);
    a->done = a->size = a->other = 0;
    a->differs = false;
    qc_err_clear(&a->why);
    if (a->tree != NULL && qc_span_eq(name, a->word) && a->own.n == 0)
        QC_TRY(qc_buf_add(&a->own, place, err));
    else if (a->tree != NULL && !a->folder)
        QC_TRY(pass(a, &place, err));
    qc_ignore(open_file(a, place, &a->why), "it is the verdict");
    return QC_OK;
}

qc_rc against_last(struct against *a, struct qc_err *err)
{
    if (a->own.n > 0 && !a->below) /* one file is meant, and not what else lies beside it */
        return QC_OK;
    return a->tree != NULL ? pass(a, NULL, err) : QC_OK;
}

static size_t first_other(const uint8_t *x, const uint8_t *y, size_t n)
{
    size_t i = 0;
    while (i < n && x[i] == y[i])
        i++;
    return i;
}

void against_bytes(struct against *a, qc_span bytes)
{
    while (bytes.n > 0 && a->why.rc == QC_OK && !a->differs) {
        const size_t most = bytes.n < PIECE ? bytes.n : PIECE;
        const ssize_t got = pread(qc_fd_get(&a->file), a->piece, most, (off_t)a->done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            (void)QC_FAIL_OS(&a->why, "it cannot be read");
        const size_t n = got > 0 ? (size_t)got : 0;
        const size_t same = first_other(a->piece, bytes.p, n);
        a->differs = got == 0 || same < n;
        a->done += same;
        a->other = a->done;
        bytes = qc_span_from(bytes, same);
    }
}

enum against_is against_verdict(struct against *a, char why[AGAINST_WHY])
{
    why[0] = '\0';
    if (a->why.rc == QC_NOTFOUND) {
        (void)snprintf(why, AGAINST_WHY, "there is no %s %s", a->folder ? "folder" : "file", a->place);
        return AGAINST_MISSING;
    }
    if (a->why.rc != QC_OK) {
        (void)snprintf(why, AGAINST_WHY, "%s", a->why.msg);
        return AGAINST_DIFFERS;
    }
    if (a->folder || (!a->differs && a->done == a->size))
        return AGAINST_SAME;
    if (a->differs)
        (void)snprintf(why, AGAINST_WHY, "the first byte that differs is that at %" PRIu64, a->other);
    else
        (void)snprintf(why, AGAINST_WHY, "the file goes on behind its %" PRIu64 " bytes, to %" PRIu64,
                       a->done, a->size);
    return AGAINST_DIFFERS;
}
