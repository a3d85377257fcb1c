#include "conf.h"

#include <inttypes.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/opt.h"
#include "near.h"
#include "text.h"

/* One row per key: where it stands, how its value is taken and given. */
struct key {
    const char *section, *name;
    bool needed; /* once its section is there */
    qc_rc (*take)(qc_span value, struct conf *c, struct qc_err *err);
    qc_rc (*give)(const struct conf *c, qc_buf *ret, struct qc_err *err);
};

static qc_rc take_id(qc_span v, struct conf *c, struct qc_err *err)
{
    QC_TRY(qc_hex_dec(v, c->vault, CONF_ID_BYTES, err));
    return QC_OK;
}

static qc_rc give_id(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_hex_enc(qc_span_of(c->vault, CONF_ID_BYTES), ret, err);
}

static qc_rc take_share(qc_span v, char to[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    if (v.n == 0 || v.p[0] != '/')
        return QC_FAIL(err, QC_USAGE, "an absolute path is needed");
    if (v.n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "longer than %d bytes", QC_CLIENT_PATH_MAX - 1);
    memcpy(to, v.p, v.n);
    to[v.n] = '\0';
    return QC_OK;
}

static qc_rc take_share1(qc_span v, struct conf *c, struct qc_err *err)
{
    return take_share(v, c->share[0], err);
}

static qc_rc take_share2(qc_span v, struct conf *c, struct qc_err *err)
{
    return take_share(v, c->share[1], err);
}

static qc_rc give_share1(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->share[0], err);
}

static qc_rc give_share2(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->share[1], err);
}

static qc_rc take_gateway(qc_span v, struct conf *c, struct qc_err *err)
{
    (void)c;
    if (!qc_span_eq(v, QC_LIT("local")))
        return QC_FAIL(err, QC_USAGE, "the only value that this program knows is 'local'");
    return QC_OK;
}

static qc_rc give_gateway(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    (void)c;
    return qc_buf_add_str(ret, "local", err);
}

static qc_rc take_idle(qc_span v, struct conf *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 32 };
    const char *s = NULL;
    uint64_t seconds = 0;
    if (qc_buf_add(&text, v, err) != QC_OK || qc_buf_cstr(&text, &s, err) != QC_OK ||
        qc_parse_u64(s, "idle", false, &seconds, err) != QC_OK || seconds < 1 || seconds > 86400)
        return QC_FAIL(err, QC_USAGE, "a number of seconds from 1 to 86400 is needed");
    c->idle_s = (uint32_t)seconds;
    return QC_OK;
}

static qc_rc give_idle(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_addf(ret, err, "%" PRIu32, c->idle_s);
}

static const struct key keys[] = {
    { "vault", "id", true, take_id, give_id },
    { "vault", "share1", true, take_share1, give_share1 },
    { "vault", "share2", true, take_share2, give_share2 },
    { "vault", "gateway", true, take_gateway, give_gateway },
    { "gateway", "idle", false, take_idle, give_idle },
};
enum { KEYS = sizeof keys / sizeof keys[0] };

struct parse {
    struct conf c;
    const char *section; /* of keys[], or NULL */
    bool seen[KEYS];
    unsigned line;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static qc_span trim(qc_span s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = qc_span_from(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A word of the file for a message: quoted, cut. */
static qc_rc unknown(const struct parse *p, const char *what, qc_span word, const char *nearest,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf quoted = { .max = 512 };
    if (word.n > 64)
        word.n = 64;
    QC_TRY(text_quote(word, &quoted, err));
    if (nearest == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: unknown %s %.*s", p->line, what, (int)quoted.n,
                       (const char *)quoted.p);
    return QC_FAIL(err, QC_USAGE, "line %u: unknown %s %.*s; the nearest is '%s'", p->line, what,
                   (int)quoted.n, (const char *)quoted.p, nearest);
}

static qc_rc parse_section(struct parse *p, qc_span name, struct qc_err *err)
{
    const char *names[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        names[i] = keys[i].section;
        if (qc_span_eq(name, qc_span_str(keys[i].section))) {
            p->section = keys[i].section;
            return QC_OK;
        }
    }
    return unknown(p, "section", name, near_word(name, names, KEYS), err);
}

static qc_rc parse_value(struct parse *p, qc_span name, qc_span value, struct qc_err *err)
{
    const char *names[KEYS];
    size_t count = 0;
    if (p->section == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: a section such as [vault] must come first", p->line);
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].section, p->section) != 0)
            continue;
        names[count++] = keys[i].name;
        if (!qc_span_eq(name, qc_span_str(keys[i].name)))
            continue;
        if (p->seen[i])
            return QC_FAIL(err, QC_USAGE, "line %u: '%s' is given twice", p->line, keys[i].name);
        for (size_t b = 0; b < value.n; b++)
            if (value.p[b] < 0x20 || value.p[b] == 0x7F)
                return QC_FAIL(err, QC_USAGE, "line %u: '%s': a control character", p->line, keys[i].name);
        p->seen[i] = true;
        struct qc_err why = { 0 };
        if (keys[i].take(value, &p->c, &why) != QC_OK)
            return QC_FAIL(err, QC_USAGE, "line %u: '%s': %s", p->line, keys[i].name, why.msg);
        return QC_OK;
    }
    return unknown(p, "key", name, near_word(name, names, count), err);
}

static qc_rc parse_line(struct parse *p, qc_span line, struct qc_err *err)
{
    line = trim(line);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return QC_OK;
    if (line.p[0] == '[') {
        if (line.p[line.n - 1] != ']')
            return QC_FAIL(err, QC_USAGE, "line %u: a section is written [name]", p->line);
        return parse_section(p, trim(qc_span_sub(line, 1, line.n - 2)), err);
    }
    const uint8_t *eq = memchr(line.p, '=', line.n);
    if (eq == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: neither [section] nor key = value", p->line);
    size_t at = (size_t)(eq - line.p);
    return parse_value(p, trim(qc_span_sub(line, 0, at)), trim(qc_span_from(line, at + 1)), err);
}

static qc_rc check_needed(const struct parse *p, struct qc_err *err)
{
    bool any = false;
    for (size_t i = 0; i < KEYS; i++)
        any = any || (keys[i].needed && p->seen[i]);
    for (size_t i = 0; any && i < KEYS; i++)
        if (keys[i].needed && !p->seen[i])
            return QC_FAIL(err, QC_NOTCONF, "section [%s]: '%s' is missing", keys[i].section, keys[i].name);
    return QC_OK;
}

qc_rc conf_parse(qc_span text, struct conf *ret, struct qc_err *err)
{
    struct parse p = { .c = { .idle_s = CONF_IDLE_DEFAULT } };
    if (text.n > QC_CLIENT_CONF_MAX)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes, the limit is %d", text.n, QC_CLIENT_CONF_MAX);
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        p.line++;
        QC_TRY(parse_line(&p, qc_span_sub(text, 0, n), err));
        text = qc_span_from(text, end == NULL ? n : n + 1);
    }
    QC_TRY(check_needed(&p, err));
    p.c.has_vault = p.seen[0];
    *ret = p.c;
    return QC_OK;
}

qc_rc conf_print(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    const char *section = "";
    QC_ASSERT(c->idle_s >= 1);
    QC_TRY(qc_buf_add_str(
        ret, "# Written by qcloud init. Nothing in it is secret; share1 and share2 are places.\n", err));
    for (size_t i = 0; i < KEYS; i++) {
        if (!c->has_vault && strcmp(keys[i].section, "vault") == 0)
            continue;
        if (strcmp(section, keys[i].section) != 0)
            QC_TRY(qc_buf_addf(ret, err, "\n[%s]\n", keys[i].section));
        section = keys[i].section;
        QC_TRY(qc_buf_addf(ret, err, "%s = ", keys[i].name));
        QC_TRY(keys[i].give(c, ret, err));
        QC_TRY(qc_buf_add(ret, QC_LIT("\n"), err));
    }
    return QC_OK;
}

qc_rc conf_load(const struct places *p, struct conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    qc_rc rc = qc_dir_open(&dir, p->conf_dir, err);
    if (rc == QC_OK)
        rc = qc_file_read(qc_fd_get(&dir), "qcloud.conf", QC_CLIENT_CONF_MAX, &text, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "no vault is set up for this user (%s does not exist)", p->conf_file);
    QC_TRY_AS(rc, err, "configuration %s", p->conf_file);
    QC_TRY_AS(conf_parse(qc_buf_span(&text), ret, err), err, "configuration %s", p->conf_file);
    return QC_OK;
}

qc_rc conf_save(const struct places *p, const struct conf *c, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_CONF_MAX };
    QC_TRY(conf_print(c, &text, err));
    QC_TRY_AS(qc_dir_make_path(p->conf_dir, 0700, err), err, "configuration");
    QC_TRY_AS(qc_dir_open(&dir, p->conf_dir, err), err, "configuration");
    qc_span part = qc_buf_span(&text);
    QC_TRY_AS(qc_file_write_atomic(qc_fd_get(&dir), "qcloud.conf", &part, 1, 0600, err), err,
              "configuration %s", p->conf_file);
    return QC_OK;
}
