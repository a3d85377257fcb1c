#include "glob.h"

#include <ctype.h>

#include "base/limits.h"

void glob_done(struct glob *g)
{
    qc_buf_free(&g->steps);
    qc_buf_free(&g->sets);
}

static qc_rc add(struct glob *g, enum glob_op op, uint8_t byte, struct qc_err *err)
{
    const struct glob_step s = { .op = (uint8_t)op, .byte = byte };
    return qc_buf_add(&g->steps, qc_span_of(&s, sizeof(s)), err);
}

/* -- sets ------------------------------------------------------------------------------------------------ */

struct set_reader {
    qc_span p;
    size_t at;
    uint8_t bits[32];
    bool good;
};

static int peek(const struct set_reader *r, size_t ahead)
{
    return r->at + ahead < r->p.n ? r->p.p[r->at + ahead] : -1;
}

static void take(struct set_reader *r, int low, int high)
{
    for (int c = low; c <= high; c++)
        r->bits[c / 8] |= (uint8_t)(1U << (c % 8));
}

/* git asks these of ASCII alone, whatever the locale is. */
static bool in_class(qc_span name, int c)
{
    static const struct {
        const char *name;
        int (*is)(int c);
    } classes[] = {
        { "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
        { "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
        { "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit }
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (qc_span_eq(name, qc_span_str(classes[i].name)))
            return c < 128 && (c < 0 || classes[i].is(c) != 0); /* c < 0: is there such a class? */
    return false;
}

/* "[:alpha:]": at stands on its first colon. False: no class, and the bracket stands for itself. */
static bool take_class(struct set_reader *r)
{
    size_t end = r->at + 1;
    while (end < r->p.n && r->p.p[end] != ']')
        end++;
    if (end >= r->p.n) {
        r->good = false;
        return true;
    }
    if (end < r->at + 2 || r->p.p[end - 1] != ':')
        return false;
    const qc_span name = qc_span_sub(r->p, r->at + 1, end - r->at - 2);
    r->good = r->good && in_class(name, -1);
    for (int c = 0; c < 128; c++)
        if (in_class(name, c))
            take(r, c, c);
    r->at = end;
    return true;
}

/* A byte of the set, or the end of a range, perhaps behind a backslash. At its last byte afterwards. */
static int set_byte(struct set_reader *r)
{
    if (peek(r, 0) == '\\')
        r->at++;
    return peek(r, 0);
}

/* Behind "[" and "[!"; until the bracket that closes it. A bracket in the first place is one of the set. */
static void read_set(struct set_reader *r)
{
    int before = 0; /* what a range may begin with; 0: nothing */
    do {
        const int c = peek(r, 0);
        if (c == '-' && before > 0 && peek(r, 1) >= 0 && peek(r, 1) != ']') {
            r->at++;
            const int high = set_byte(r);
            if (high >= 0)
                take(r, before, high);
            before = high < 0 ? -1 : 0;
        } else if (c == '[' && peek(r, 1) == ':') {
            r->at++;
            const bool class = take_class(r);
            r->at -= class ? 0 : 1;
            if (!class)
                take(r, '[', '[');
            before = class ? 0 : '[';
        } else {
            before = set_byte(r);
            if (before >= 0)
                take(r, before, before);
        }
        r->good = r->good && before >= 0;
        r->at++;
    } while (r->good && peek(r, 0) != ']' && peek(r, 0) >= 0);
    r->good = r->good && peek(r, 0) == ']';
}

static qc_rc compile_set(struct glob *g, qc_span p, size_t *at, struct qc_err *err)
{
    struct set_reader r = { .p = p, .at = *at + 1, .good = true };
    const bool negated = peek(&r, 0) == '!' || peek(&r, 0) == '^';
    r.at += negated ? 1 : 0;
    read_set(&r);
    if (!r.good) {
        *at = p.n;
        return add(g, GLOB_NEVER, 0, err);
    }
    for (size_t i = 0; negated && i < sizeof(r.bits); i++)
        r.bits[i] = (uint8_t)~r.bits[i];
    r.bits['/' / 8] &= (uint8_t) ~(1U << ('/' % 8));
    const struct glob_step s = { .op = GLOB_SET, .set = (uint16_t)(g->sets.n / sizeof(r.bits)) };
    QC_TRY(qc_buf_add(&g->sets, qc_span_of(r.bits, sizeof(r.bits)), err));
    *at = r.at + 1;
    return qc_buf_add(&g->steps, qc_span_of(&s, sizeof(s)), err);
}

/* -- compiling ------------------------------------------------------------------------------------------- */

/* How many bytes stand before the first that is special. */
static size_t plain(qc_span p)
{
    size_t n = 0;
    while (n < p.n && strchr("*?[\\", p.p[n]) == NULL)
        n++;
    return n;
}

/* Two stars and more are more than one where they are a whole component; and, as git has it, where nothing
 * special stands before them. */
static qc_rc compile_stars(struct glob *g, qc_span p, size_t *at, struct qc_err *err)
{
    const size_t begin = *at;
    size_t end = begin;
    while (end < p.n && p.p[end] == '*')
        end++;
    const bool starts = begin == 0 || p.p[begin - 1] == '/' || begin == plain(p);
    const size_t slash = end + 1 < p.n && p.p[end] == '\\' ? end + 1 : end;
    const bool dir = slash < p.n && p.p[slash] == '/';
    *at = end;
    if (end - begin < 2 || !starts || !(dir || end == p.n))
        return add(g, GLOB_STAR, 0, err);
    if (dir) {
        *at = slash + 1;
        QC_TRY(add(g, GLOB_DIRS, 0, err));
        QC_TRY(add(g, GLOB_MANY, 0, err));
        return add(g, GLOB_BYTE, '/', err);
    }
    return add(g, GLOB_MANY, 0, err);
}

qc_rc glob_compile(struct glob *ret, qc_span p, struct qc_err *err)
{
    QC_CLEANUP(glob_done) struct glob g = { .steps.max = QC_SYNC_PATTERN_MAX * sizeof(struct glob_step),
                                            .sets.max = QC_SYNC_PATTERN_MAX * 32U };
    if (p.n > QC_SYNC_PATTERN_MAX)
        return QC_FAIL(err, QC_LIMIT, "a pattern of %zu bytes; %d at most", p.n, QC_SYNC_PATTERN_MAX);
    for (size_t at = 0; at < p.n;) {
        switch (p.p[at]) {
        case '*':
            QC_TRY(compile_stars(&g, p, &at, err));
            break;
        case '?':
            QC_TRY(add(&g, GLOB_ANY, 0, err));
            at++;
            break;
        case '[':
            QC_TRY(compile_set(&g, p, &at, err));
            break;
        case '\\':
            QC_TRY(at + 1 < p.n ? add(&g, GLOB_BYTE, p.p[at + 1], err) : add(&g, GLOB_NEVER, 0, err));
            at += 2;
            break;
        default:
            QC_TRY(add(&g, GLOB_BYTE, p.p[at], err));
            at++;
        }
    }
    *ret = QC_STEAL(g);
    return QC_OK;
}

/* -- matching: all places in the pattern that the bytes so far may have led to --------------------------- */

/* Step i may come next; and with it what follows steps that need no byte. */
static void reach(bool *at, const struct glob_step *s, size_t n, size_t i)
{
    for (; !at[i]; i++) {
        at[i] = true;
        if (i == n)
            return;
        if (s[i].op == GLOB_DIRS)
            reach(at, s, n, i + 3); /* only as deep as components of two stars follow each other */
        else if (s[i].op != GLOB_STAR && s[i].op != GLOB_MANY)
            return;
    }
}

static bool takes(const struct glob *g, const struct glob_step *s, uint8_t c)
{
    switch ((enum glob_op)s->op) {
    case GLOB_BYTE:
        return s->byte == c;
    case GLOB_ANY:
    case GLOB_STAR:
        return c != '/';
    case GLOB_SET:
        return (g->sets.p[32U * s->set + c / 8] >> (c % 8) & 1) != 0;
    case GLOB_MANY:
        return true;
    case GLOB_DIRS:
    case GLOB_NEVER:
        break;
    }
    return false;
}

bool glob_match(const struct glob *g, qc_span path)
{
    const struct glob_step *s = (const struct glob_step *)(const void *)g->steps.p;
    const size_t n = g->steps.n / sizeof(*s);
    bool sets[2][QC_SYNC_PATTERN_MAX + 1];
    QC_ASSERT(n <= QC_SYNC_PATTERN_MAX);
    memset(sets[0], 0, n + 1);
    reach(sets[0], s, n, 0);
    for (size_t p = 0; p < path.n; p++) {
        const bool *now = sets[p % 2];
        bool *then = sets[(p + 1) % 2];
        bool any = false;
        memset(then, 0, n + 1);
        for (size_t i = 0; i < n; i++) {
            if (!now[i] || !takes(g, &s[i], path.p[p]))
                continue;
            any = true;
            reach(then, s, n, s[i].op == GLOB_STAR || s[i].op == GLOB_MANY ? i : i + 1);
        }
        if (!any)
            return false;
    }
    return sets[path.n % 2][n];
}
