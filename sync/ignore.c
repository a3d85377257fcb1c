#include "sync/ignore.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "glob.h"

struct rule {
    bool negated, dirs, anywhere; /* anywhere: asked of the last component alone */
    bool plain;                   /* without anything special: its bytes are what it matches */
    struct glob glob;
    qc_buf text;
};

/* The rules of one file. */
struct set {
    qc_buf dir; /* "" or "a/b/" */
    struct rule *rules;
    size_t count, room;
};

struct sync_ignore {
    struct set given; /* by the command line */
    struct set *files;
    size_t count, room; /* sorted by dir */
    size_t patterns;
};

static void set_done(struct set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        glob_done(&s->rules[i].glob);
        qc_buf_free(&s->rules[i].text);
    }
    qc_free(s->rules);
    qc_buf_free(&s->dir);
    *s = (struct set){ 0 };
}

qc_rc sync_ignore_new(struct sync_ignore **ret, struct qc_err *err)
{
    *ret = qc_alloc(sizeof(**ret));
    return *ret != NULL ? QC_OK : QC_FAIL(err, QC_NOMEM, "no memory for patterns");
}

void sync_ignore_free(struct sync_ignore **ig)
{
    if (*ig == NULL)
        return;
    set_done(&(*ig)->given);
    for (size_t i = 0; i < (*ig)->count; i++)
        set_done(&(*ig)->files[i]);
    qc_free((*ig)->files);
    qc_free(*ig);
    *ig = NULL;
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* One more of size bytes in a growing array; NULL: no memory. */
static void *grown(void *v, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return v;
    const size_t more = *room < 8 ? 8 : 2 * *room;
    void *now = qc_realloc(v, more * size);
    if (now != NULL)
        *room = more;
    return now;
}

static qc_rc add_rule(struct sync_ignore *ig, struct set *to, qc_span line, struct qc_err *err)
{
    struct rule r = { .text.max = QC_SYNC_PATTERN_MAX };
    if (line.n > 0 && line.p[0] == '!') {
        r.negated = true;
        line = qc_span_from(line, 1);
    }
    if (line.n > 0 && line.p[line.n - 1] == '/') {
        r.dirs = true;
        line.n--;
    }
    r.anywhere = line.n == 0 || memchr(line.p, '/', line.n) == NULL;
    if (line.n > 0 && line.p[0] == '/')
        line = qc_span_from(line, 1);
    r.plain = true;
    for (size_t i = 0; i < line.n; i++)
        r.plain = r.plain && strchr("*?[\\", line.p[i]) == NULL;
    if (ig->patterns >= QC_SYNC_PATTERNS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d patterns", QC_SYNC_PATTERNS_MAX);
    struct rule *rules = grown(to->rules, to->count, &to->room, sizeof(*rules));
    if (rules == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a pattern");
    to->rules = rules;
    QC_TRY(r.plain ? qc_buf_add(&r.text, line, err) : glob_compile(&r.glob, line, err));
    to->rules[to->count++] = r;
    ig->patterns++;
    return QC_OK;
}

/* Blanks at the end do not count, unless a backslash stands before them. */
static qc_span without_blanks(qc_span line)
{
    size_t end = 0;
    for (size_t i = 0; i < line.n; i++) {
        const bool taken = line.p[i] == '\\';
        i += taken ? 1 : 0;
        if (i == line.n)
            return line;
        end = taken || line.p[i] != ' ' ? i + 1 : end;
    }
    return (qc_span){ line.p, end };
}

static qc_rc add_lines(struct sync_ignore *ig, struct set *to, qc_span text, struct qc_err *err)
{
    static const uint8_t mark[] = { 0xEF, 0xBB, 0xBF }; /* some editors put it before UTF-8 */
    if (text.n >= sizeof(mark) && memcmp(text.p, mark, sizeof(mark)) == 0)
        text = qc_span_from(text, sizeof(mark));
    while (text.n > 0) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        const size_t n = nl == NULL ? text.n : (size_t)(nl - text.p);
        qc_span line = qc_span_sub(text, 0, n);
        text = qc_span_from(text, nl == NULL ? n : n + 1);
        if (nl != NULL && line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (n == 0 || line.n == 0 || line.p[0] == '#')
            continue;
        QC_TRY(add_rule(ig, to, without_blanks(line), err));
    }
    return QC_OK;
}

qc_rc sync_ignore_add(struct sync_ignore *ig, qc_span pattern, struct qc_err *err)
{
    return add_rule(ig, &ig->given, pattern, err);
}

static size_t place_of(const struct sync_ignore *ig, qc_span dir)
{
    size_t low = 0, high = ig->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (qc_span_cmp(qc_buf_span(&ig->files[mid].dir), dir) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

qc_rc sync_ignore_add_file(struct sync_ignore *ig, qc_span dir, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(set_done) struct set s = { .dir.max = QC_VAULT_NAME_MAX + 1 };
    QC_TRY(qc_buf_add(&s.dir, dir, err));
    if (dir.n > 0)
        QC_TRY(qc_buf_add(&s.dir, QC_LIT("/"), err));
    QC_TRY(add_lines(ig, &s, text, err));
    struct set *files = grown(ig->files, ig->count, &ig->room, sizeof(*files));
    if (files == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for patterns");
    ig->files = files;
    const size_t at = place_of(ig, qc_buf_span(&s.dir));
    memmove(&files[at + 1], &files[at], (ig->count - at) * sizeof(*files));
    files[at] = QC_STEAL(s);
    ig->count++;
    return QC_OK;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static bool rule_matches(const struct rule *r, qc_span rest, qc_span last, bool is_dir)
{
    const qc_span asked = r->anywhere ? last : rest;
    if (r->dirs && !is_dir)
        return false;
    return r->plain ? qc_span_eq(qc_buf_span(&r->text), asked) : glob_match(&r->glob, asked);
}

/* The last rule that matches decides. */
static const struct rule *of_set(const struct set *s, qc_span path, qc_span last, bool is_dir)
{
    const qc_span rest = qc_span_from(path, s->dir.n);
    for (size_t i = s->count; i > 0; i--)
        if (rule_matches(&s->rules[i - 1], rest, last, is_dir))
            return &s->rules[i - 1];
    return NULL;
}

/* Length of the folder of the first n bytes of a path, with its slash; 0: the root. */
static size_t folder(qc_span path, size_t n)
{
    while (n > 0 && path.p[n - 1] != '/')
        n--;
    return n;
}

bool sync_ignore_is_one(const struct sync_ignore *ig, qc_span path, bool is_dir)
{
    size_t dir = folder(path, path.n);
    const qc_span last = qc_span_from(path, dir);
    const struct rule *r = of_set(&ig->given, path, last, is_dir);
    while (r == NULL) {
        const size_t at = place_of(ig, qc_span_sub(path, 0, dir));
        if (at < ig->count && qc_span_eq(qc_buf_span(&ig->files[at].dir), qc_span_sub(path, 0, dir)))
            r = of_set(&ig->files[at], path, last, is_dir);
        if (dir == 0)
            break;
        dir = folder(path, dir - 1);
    }
    return r != NULL && !r->negated;
}

bool sync_ignore_is(const struct sync_ignore *ig, qc_span path, bool is_dir)
{
    for (size_t i = 1; i < path.n; i++)
        if (path.p[i] == '/' && sync_ignore_is_one(ig, qc_span_sub(path, 0, i), true))
            return true;
    return sync_ignore_is_one(ig, path, is_dir);
}
