#include "base/ini.h"

#include <inttypes.h>
#include <string.h>

#include "base/near.h"
#include "base/opt.h"

enum { SHOWN_MAX = 64 }; /* bytes of a word of the file in a message */

struct parse {
    struct qc_ini *ini;
    void *ctx;
    const char *section; /* of the table, or NULL */
    unsigned line;
};

/* A word of the file for a message: cut, and nothing in it that moves a terminal's cursor. */
static void show(qc_span word, char ret[SHOWN_MAX + 1])
{
    const size_t n = word.n < SHOWN_MAX ? word.n : SHOWN_MAX;

    for (size_t i = 0; i < n; i++)
        ret[i] = word.p[i] < 0x20 || word.p[i] >= 0x7F ? '?' : (char)word.p[i];
    ret[n] = '\0';
}

static qc_rc unknown(const struct parse *p, const char *what, qc_span word, const char *nearest,
                     struct qc_err *err)
{
    char shown[SHOWN_MAX + 1];

    show(word, shown);
    if (nearest == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: unknown %s '%s'", p->line, what, shown);
    return QC_FAIL(err, QC_USAGE, "line %u: unknown %s '%s'; the nearest is '%s'", p->line, what, shown,
                   nearest);
}

static qc_rc take_section(struct parse *p, qc_span name, struct qc_err *err)
{
    const char *names[QC_INI_KEYS_MAX];

    for (size_t i = 0; i < p->ini->count; i++) {
        names[i] = p->ini->keys[i].section;
        if (qc_span_eq(name, qc_span_str(names[i]))) {
            p->section = names[i];
            return QC_OK;
        }
    }
    return unknown(p, "section", name, qc_near_word(name, names, p->ini->count), err);
}

static qc_rc take_value(struct parse *p, size_t at, qc_span value, struct qc_err *err)
{
    const struct qc_ini_key *key = &p->ini->keys[at];
    struct qc_err why = { 0 };

    if (p->ini->line[at] != 0)
        return QC_FAIL(err, QC_USAGE, "line %u: '%s' is given twice", p->line, key->name);
    for (size_t b = 0; b < value.n; b++)
        if (value.p[b] < 0x20 || value.p[b] == 0x7F)
            return QC_FAIL(err, QC_USAGE, "line %u: '%s': a control character", p->line, key->name);
    p->ini->line[at] = p->line;
    if (key->take(p->ctx, value, &why) != QC_OK)
        return QC_FAIL(err, QC_USAGE, "line %u: '%s': %s", p->line, key->name, why.msg);
    return QC_OK;
}

static qc_rc take_key(struct parse *p, qc_span name, qc_span value, struct qc_err *err)
{
    const char *names[QC_INI_KEYS_MAX];
    size_t count = 0;

    if (p->section == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: a section such as [%s] must come first", p->line,
                       p->ini->keys[0].section);
    for (size_t i = 0; i < p->ini->count; i++) {
        if (strcmp(p->ini->keys[i].section, p->section) != 0)
            continue;
        if (qc_span_eq(name, qc_span_str(p->ini->keys[i].name)))
            return take_value(p, i, value, err);
        names[count++] = p->ini->keys[i].name;
    }
    return unknown(p, "key", name, qc_near_word(name, names, count), err);
}

static qc_rc take_line(struct parse *p, qc_span line, struct qc_err *err)
{
    line = qc_span_trim(line);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return QC_OK;
    if (line.p[0] == '[') {
        if (line.p[line.n - 1] != ']')
            return QC_FAIL(err, QC_USAGE, "line %u: a section is written [name]", p->line);
        return take_section(p, qc_span_trim(qc_span_sub(line, 1, line.n - 2)), err);
    }
    const uint8_t *eq = memchr(line.p, '=', line.n);
    if (eq == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: neither [section] nor key = value", p->line);
    const size_t at = (size_t)(eq - line.p);
    return take_key(p, qc_span_trim(qc_span_sub(line, 0, at)), qc_span_trim(qc_span_from(line, at + 1)), err);
}

static bool section_is(const struct qc_ini *ini, const char *section)
{
    for (size_t i = 0; i < ini->count; i++)
        if (ini->line[i] != 0 && strcmp(ini->keys[i].section, section) == 0)
            return true;
    return false;
}

static qc_rc check_needed(const struct qc_ini *ini, struct qc_err *err)
{
    for (size_t i = 0; i < ini->count; i++)
        if (ini->keys[i].needed && ini->line[i] == 0 && section_is(ini, ini->keys[i].section))
            return QC_FAIL(err, QC_NOTCONF, "section [%s]: '%s' is missing", ini->keys[i].section,
                           ini->keys[i].name);
    return QC_OK;
}

qc_rc qc_ini_parse(qc_span text, size_t max, struct qc_ini *ini, void *ctx, struct qc_err *err)
{
    struct parse p = { .ini = ini, .ctx = ctx };

    QC_ASSERT(ini->count >= 1 && ini->count <= QC_INI_KEYS_MAX);
    memset(ini->line, 0, sizeof ini->line);
    if (text.n > max)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes, the limit is %zu", text.n, max);
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        p.line++;
        QC_TRY(take_line(&p, qc_span_sub(text, 0, n), err));
        text = qc_span_from(text, end == NULL ? n : n + 1);
    }
    return check_needed(ini, err);
}

/* -- values ---------------------------------------------------------------------------------------------- */

qc_rc qc_ini_u64(qc_span value, uint64_t min, uint64_t max, uint64_t *ret, struct qc_err *err)
{
    char text[24] = "";
    struct qc_err why = { 0 };
    uint64_t v = 0;

    if (value.n > 0 && value.n < sizeof text)
        memcpy(text, value.p, value.n);
    if (qc_parse_u64(text, "number", false, &v, &why) != QC_OK || v < min || v > max)
        return QC_FAIL(err, QC_USAGE, "a number from %" PRIu64 " to %" PRIu64 " is needed", min, max);
    *ret = v;
    return QC_OK;
}

qc_rc qc_ini_bool(qc_span value, bool *ret, struct qc_err *err)
{
    const bool yes = qc_span_eq(value, QC_LIT("yes"));

    if (!yes && !qc_span_eq(value, QC_LIT("no")))
        return QC_FAIL(err, QC_USAGE, "yes or no is needed");
    *ret = yes;
    return QC_OK;
}

qc_rc qc_ini_path(qc_span value, char *ret, size_t size, struct qc_err *err)
{
    if (value.n == 0 || value.p[0] != '/')
        return QC_FAIL(err, QC_USAGE, "an absolute path is needed");
    if (value.n >= size)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", size - 1);
    memcpy(ret, value.p, value.n);
    ret[value.n] = '\0';
    return QC_OK;
}

/* -- sections with names --------------------------------------------------------------------------------- */

static qc_span line_of(qc_span text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] != '\n')
        n++;
    return qc_span_sub(text, 0, n < text.n ? n + 1 : n);
}

bool qc_ini_section(qc_span *text, unsigned *line, struct qc_ini_section *ret)
{
    if (text->n == 0)
        return false;
    *ret = (struct qc_ini_section){ .line = *line };
    qc_span first = line_of(*text);
    const qc_span word = qc_span_trim(first);
    if (word.n > 0 && word.p[0] == '[') {
        ret->head = word;
        *text = qc_span_from(*text, first.n);
        ++*line;
    }
    ret->body = qc_span_sub(*text, 0, 0);
    while (text->n > 0) {
        first = line_of(*text);
        const qc_span w = qc_span_trim(first);
        if (w.n > 0 && w.p[0] == '[')
            break;
        ret->body.n += first.n;
        *text = qc_span_from(*text, first.n);
        ++*line;
    }
    return true;
}

qc_rc qc_ini_section_take(const struct qc_ini_section *s, const char *head, size_t max, struct qc_ini *ini,
                          void *ctx, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 2 * max };
    for (unsigned i = 1; i < s->line; i++)
        QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    QC_TRY(qc_buf_add_str(&text, head, err));
    if (head[0] != '\0')
        QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    QC_TRY(qc_buf_add(&text, s->body, err));
    return qc_ini_parse(qc_buf_span(&text), 2 * max, ini, ctx, err);
}
