#include "home/conf.h"

#include <inttypes.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/near.h"
#include "home/keeper.h"
#include "net/rate.h"
#include "vault/gw.h"

qc_rc conf_level(struct conf *c, qc_span v, struct qc_err *err)
{
    if (v.n >= sizeof c->level)
        return QC_FAIL(err, QC_USAGE, "no level: otp, qkd-tls, tls or plain");
    memcpy(c->level, v.p, v.n);
    c->level[v.n] = '\0';
    return QC_OK;
}

qc_rc conf_way_check(const struct conf *c, struct qc_err *err)
{
    const char *link = c->link[0] != '\0' ? c->link : NULL, *level = c->level[0] != '\0' ? c->level : NULL;
    if (c->gateway[0] == '\0')
        return QC_OK;
    return vault_gw_way_check(c->gateway, link, level, err);
}

qc_rc conf_keeper_check(const struct conf *c, struct qc_err *err)
{
    const char *credentials = c->keeper_credentials[0] != '\0' ? c->keeper_credentials : NULL;
    if (c->keeper[0] == '\0' && credentials != NULL)
        return QC_FAIL(err, QC_USAGE, "'backup-credentials', and no 'backup-to' that they are for");
    if (c->keeper[0] == '\0')
        return QC_OK;
    QC_TRY_AS(home_keeper_check(c->keeper, credentials, err), err, "'backup-to'");
    return QC_OK;
}

qc_rc conf_keeper(const struct conf *c, struct vault_keeper **ret, struct qc_err *err)
{
    const char *credentials = c->keeper_credentials[0] != '\0' ? c->keeper_credentials : NULL;
    return c->keeper[0] != '\0' ? home_keeper_new(ret, c->keeper, credentials, err) : QC_OK;
}

void conf_remote(const struct conf *c, const qc_key *token, struct vault_gw_remote *ret)
{
    *ret = (struct vault_gw_remote){ .url = c->gateway,
                                     .ca = c->ca[0] != '\0' ? c->ca : NULL,
                                     .token = token,
                                     .link = c->link[0] != '\0' ? c->link : NULL,
                                     .least = c->level,
                                     .qkd = vault_gw_url_keyed(c->gateway) ? &c->qkd : NULL };
}

const char conf_correct[] = "correct the file that line one names, then: qcloud config check";

static qc_rc take_id(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_hex_dec(v, c->vault, CONF_ID_BYTES, err);
}

static qc_rc give_id(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_hex_enc(qc_span_of(c->vault, CONF_ID_BYTES), ret, err);
}

static qc_rc take_share(struct conf *c, unsigned i, qc_span v, struct qc_err *err)
{
    char place[DISK_PLACE_MAX];
    const size_t n = v.n < sizeof place ? v.n : sizeof place - 1;
    memcpy(place, v.p, n);
    place[n] = '\0';
    c->disk[i][0] = '\0';
    if (!disk_is(place))
        return qc_ini_path(v, c->share[i], sizeof c->share[i], err);
    if (v.n >= sizeof place)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", sizeof place - 1);
    QC_TRY(disk_check(place, err));
    memcpy(c->disk[i], place, sizeof place);
    disk_nowhere(place, c->share[i]);
    return QC_OK;
}

static qc_rc take_share1(void *ctx, qc_span v, struct qc_err *err)
{
    return take_share(ctx, 0, v, err);
}

static qc_rc take_share2(void *ctx, qc_span v, struct qc_err *err)
{
    return take_share(ctx, 1, v, err);
}

static qc_rc give_share1(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->disk[0][0] != '\0' ? c->disk[0] : c->share[0], err);
}

static qc_rc give_share2(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->disk[1][0] != '\0' ? c->disk[1] : c->share[1], err);
}

static qc_rc take_pad(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    c->pad = qc_span_eq(v, QC_LIT("yes"));
    return c->pad || qc_span_eq(v, QC_LIT("no")) ? QC_OK : QC_FAIL(err, QC_USAGE, "neither 'yes' nor 'no'");
}

static qc_rc give_pad(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->pad ? "yes" : "no", err);
}

static qc_rc take_text(char *ret, size_t size, qc_span v, struct qc_err *err)
{
    if (v.n >= size)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", size - 1);
    memcpy(ret, v.p, v.n);
    ret[v.n] = '\0';
    return QC_OK;
}

/* Whether the two make sense is looked at when both were read. */
static qc_rc take_keeper(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return take_text(c->keeper, sizeof c->keeper, v, err);
}

static qc_rc give_keeper(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->keeper, err);
}

static qc_rc take_keeper_credentials(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return take_text(c->keeper_credentials, sizeof c->keeper_credentials, v, err);
}

static qc_rc give_keeper_credentials(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->keeper_credentials, err);
}

static qc_rc take_gateway(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    c->gateway[0] = '\0';
    if (qc_span_eq(v, QC_LIT("local")))
        return QC_OK;
    if (v.n >= sizeof c->gateway)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", sizeof c->gateway - 1);
    memcpy(c->gateway, v.p, v.n);
    c->gateway[v.n] = '\0';
    QC_TRY_AS(vault_gw_url_check(c->gateway, err), err, "neither 'local' nor an address of a gateway");
    return QC_OK;
}

static qc_rc give_gateway(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->gateway[0] == '\0' ? "local" : c->gateway, err);
}

static qc_rc take_token_file(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->token_file, sizeof c->token_file, err);
}

static qc_rc take_ca(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->ca, sizeof c->ca, err);
}

static qc_rc give_token_file(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->token_file, err);
}

static qc_rc give_ca(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->ca, err);
}

static qc_rc take_link(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->link, sizeof c->link, err);
}

static qc_rc give_link(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->link, err);
}

static qc_rc take_level(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return conf_level(c, v, err);
}

static qc_rc give_level(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->level, err);
}

static qc_rc take_limit_rate(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    struct net_rate_table t;
    if (v.n >= sizeof c->limit_rate)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", sizeof c->limit_rate - 1);
    QC_TRY(net_rate_parse(v, &t, err));
    memcpy(c->limit_rate, v.p, v.n);
    c->limit_rate[v.n] = '\0';
    return QC_OK;
}

static qc_rc give_limit_rate(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_add_str(ret, c->limit_rate, err);
}

static qc_rc take_idle(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t seconds = 0;
    QC_TRY(qc_ini_u64(v, 1, 86400, &seconds, err));
    c->idle_s = (uint32_t)seconds;
    return QC_OK;
}

static qc_rc give_idle(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    return qc_buf_addf(ret, err, "%" PRIu32, c->idle_s);
}

/* Those of section [qkd]: one row each in qkd/keyed.h. */
#define X(key, member, ...)                                                                                  \
    static qc_rc take_##member##_of_qkd(void *ctx, qc_span v, struct qc_err *err)                            \
    {                                                                                                        \
        struct conf *c = ctx;                                                                                \
        return qkd_keyed_take(&c->qkd, QKD_KEYED_##key, v, err);                                             \
    }                                                                                                        \
    static qc_rc give_##member##_of_qkd(const struct conf *c, qc_buf *ret, struct qc_err *err)               \
    {                                                                                                        \
        return qkd_keyed_give(&c->qkd, QKD_KEYED_##key, ret, err);                                           \
    }
QKD_KEYED_KEYS(X)
#undef X

/* In the order in which they are printed: section, key, whether its section needs it, what takes and gives
 * it. */
#define CONF_KEYS(X)                                                                                         \
    X(ID, "vault", "id", true, id)                                                                           \
    X(SHARE1, "vault", "share1", true, share1)                                                               \
    X(SHARE2, "vault", "share2", true, share2)                                                               \
    X(GATEWAY, "vault", "gateway", true, gateway)                                                            \
    X(PAD, "vault", "pad", false, pad)                                                                       \
    X(KEEPER, "vault", "backup-to", false, keeper)                                                           \
    X(KEEPER_CREDENTIALS, "vault", "backup-credentials", false, keeper_credentials)                          \
    X(IDLE, "gateway", "idle", false, idle)                                                                  \
    X(TOKEN_FILE, "gateway", "token-file", false, token_file)                                                \
    X(CA, "gateway", "ca", false, ca)                                                                        \
    X(LINK, "gateway", "link", false, link)                                                                  \
    X(LEVEL, "gateway", "level", false, level)                                                               \
    X(LIMIT_RATE, "gateway", "limit-rate", false, limit_rate)

enum {
#define X(key, ...) KEY_##key,
    CONF_KEYS(X)
#undef X
#define X(key, ...) KEY_QKD_##key,
        QKD_KEYED_KEYS(X)
#undef X
            KEYS
};

_Static_assert((int)KEYS <= (int)QC_INI_KEYS_MAX, "each key has a line");

static const struct qc_ini_key keys[KEYS] = {
#define X(key, section, name, needed, fn) [KEY_##key] = { section, name, needed, take_##fn },
    CONF_KEYS(X)
#undef X
#define X(key, member, name, kind, needed) [KEY_QKD_##key] = { "qkd", name, needed, take_##member##_of_qkd },
        QKD_KEYED_KEYS(X)
#undef X
};

static qc_rc (*const gives[KEYS])(const struct conf *c, qc_buf *ret, struct qc_err *err) = {
#define X(key, section, name, needed, fn) [KEY_##key] = give_##fn,
    CONF_KEYS(X)
#undef X
#define X(key, member, ...) [KEY_QKD_##key] = give_##member##_of_qkd,
        QKD_KEYED_KEYS(X)
#undef X
};

static bool is_https(const struct conf *c)
{
    return strncmp(c->gateway, "https:", 6) == 0;
}

qc_rc conf_qkd(struct conf *c, const char *given, struct qc_err *err)
{
    const char *names[QKD_KEYED_COUNT], *equals = strchr(given, '=');
    const qc_span name = qc_span_of(given, equals == NULL ? strlen(given) : (size_t)(equals - given));
    for (unsigned i = 0; i < QKD_KEYED_COUNT; i++) {
        names[i] = qkd_keyed_name(i);
        if (equals == NULL || !qc_span_eq(name, qc_span_str(names[i])))
            continue;
        QC_TRY_AS(qkd_keyed_take(&c->qkd, i, qc_span_str(equals + 1), err), err, "%s", names[i]);
        return QC_OK;
    }
    const char *near = qc_near_word(name, names, QKD_KEYED_COUNT);
    return QC_FAIL(err, QC_USAGE, "'%.64s': KEY=VALUE is needed, of a key of section [qkd]%s%s", given,
                   near != NULL ? "; the nearest is " : "", near != NULL ? near : "");
}

qc_rc conf_qkd_check(const struct conf *c, struct qc_err *err)
{
    bool any = false;
    for (unsigned i = 0; i < QKD_KEYED_COUNT; i++)
        any = any || qkd_keyed_says(&c->qkd, i);
    if (vault_gw_url_keyed(c->gateway))
        return qkd_keyed_check(&c->qkd, err);
    if (any)
        return QC_FAIL(err, QC_USAGE, "it goes with a gateway at qkd-tls://HOST:PORT, and this one is %s",
                       c->gateway[0] == '\0' ? "local" : c->gateway);
    return QC_OK;
}

/* What one key means without another one. */
qc_rc conf_check(const struct conf *c, struct qc_err *err)
{
    if (c->line[KEY_TOKEN_FILE] != 0 && c->gateway[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "section [gateway]: 'token-file', but the gateway is local");
    if (c->line[KEY_CA] != 0 && !is_https(c))
        return QC_FAIL(err, QC_USAGE, "section [gateway]: 'ca', but the gateway is not reached by https");
    if ((c->line[KEY_LINK] != 0 || c->line[KEY_LEVEL] != 0) && c->gateway[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "section [gateway]: '%s', but the gateway is local",
                       c->line[KEY_LINK] != 0 ? "link" : "level");
    QC_TRY_AS(conf_keeper_check(c, err), err, "section [vault]");
    QC_TRY_AS(conf_way_check(c, err), err, "section [gateway]");
    QC_TRY_AS(conf_qkd_check(c, err), err, "section [qkd]");
    return QC_OK;
}

/* What says nothing is not printed. */
static bool is_said(const struct conf *c, size_t key)
{
    if (key >= KEY_QKD_LINK)
        return qkd_keyed_says(&c->qkd, (enum qkd_keyed_key)(key - KEY_QKD_LINK));
    switch (key) {
    case KEY_IDLE:
        return c->gateway[0] == '\0';
    case KEY_PAD:
        return c->pad;
    case KEY_KEEPER:
        return c->keeper[0] != '\0';
    case KEY_KEEPER_CREDENTIALS:
        return c->keeper_credentials[0] != '\0';
    case KEY_TOKEN_FILE:
        return c->token_file[0] != '\0';
    case KEY_CA:
        return c->ca[0] != '\0';
    case KEY_LINK:
        return c->link[0] != '\0';
    case KEY_LEVEL:
        return c->level[0] != '\0';
    case KEY_LIMIT_RATE:
        return c->limit_rate[0] != '\0';
    default:
        return c->has_vault;
    }
}

qc_rc conf_parse(qc_span text, struct conf *ret, struct qc_err *err)
{
    struct conf c = { .idle_s = CONF_IDLE_DEFAULT };
    struct qc_ini ini = { .keys = keys, .count = KEYS };
    QC_TRY(qc_ini_parse(text, QC_CLIENT_CONF_MAX, &ini, &c, err));
    memcpy(c.line, ini.line, sizeof c.line);
    QC_TRY(conf_check(&c, err));
    c.has_vault = ini.line[KEY_ID] != 0;
    *ret = c;
    return QC_OK;
}

qc_rc conf_print(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    const char *section = "";
    QC_ASSERT(c->idle_s >= 1);
    QC_TRY(qc_buf_add_str(
        ret, "# Written by qcloud init. Nothing in it is secret; share1 and share2 are places.\n", err));
    for (size_t i = 0; i < KEYS; i++) {
        if (!is_said(c, i))
            continue;
        if (strcmp(section, keys[i].section) != 0)
            QC_TRY(qc_buf_addf(ret, err, "\n[%s]\n", keys[i].section));
        section = keys[i].section;
        QC_TRY(qc_buf_addf(ret, err, "%s = ", keys[i].name));
        QC_TRY(gives[i](c, ret, err));
        QC_TRY(qc_buf_add(ret, QC_LIT("\n"), err));
    }
    return QC_OK;
}

/* -- single keys ----------------------------------------------------------------------------------------- */

const char *conf_key(size_t i)
{
    static const char *const names[KEYS] = {
#define X(key, section, name, ...) [KEY_##key] = section "." name,
        CONF_KEYS(X)
#undef X
#define X(key, member, name, ...) [KEY_QKD_##key] = "qkd." name,
            QKD_KEYED_KEYS(X)
#undef X
    };
    return i < KEYS ? names[i] : NULL;
}

qc_rc conf_value(const struct conf *c, size_t i, qc_buf *ret, bool *ret_said, struct qc_err *err)
{
    QC_ASSERT(i < KEYS);
    *ret_said = is_said(c, i);
    return *ret_said ? gives[i](c, ret, err) : QC_OK;
}

qc_rc conf_override(struct conf *c, size_t i, qc_span value, struct qc_err *err)
{
    QC_ASSERT(i < KEYS);
    for (size_t b = 0; b < value.n; b++) /* as in the file */
        if (value.p[b] < 0x20 || value.p[b] == 0x7F)
            return QC_FAIL(err, QC_USAGE, "a control character");
    return keys[i].take(c, value, err);
}

qc_rc conf_find(const char *key, size_t *ret, struct qc_err *err)
{
    const char *all[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        all[i] = conf_key(i);
        if (strcmp(all[i], key) == 0) {
            *ret = i;
            return QC_OK;
        }
    }
    const char *near = qc_near_word(qc_span_str(key), all, KEYS);
    return QC_FAIL(err, QC_USAGE, "no key '%.64s'%s%s%s", key, near != NULL ? "; did you mean '" : "",
                   near != NULL ? near : "", near != NULL ? "'?" : ": qcloud config show names them");
}

/* -- a line of the text ---------------------------------------------------------------------------------- */

static qc_span trimmed(qc_span s)
{
    while (s.n > 0 && qc_is_blank(s.p[0]))
        s = qc_span_of(s.p + 1, s.n - 1);
    while (s.n > 0 && qc_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line of *text, with its end, if it has one. */
static qc_span take_line(qc_span *text)
{
    const uint8_t *end = memchr(text->p, '\n', text->n);
    const size_t n = end != NULL ? (size_t)(end - text->p) + 1 : text->n;
    const qc_span line = qc_span_of(text->p, n);
    *text = qc_span_of(text->p + n, text->n - n);
    return line;
}

static bool is_section(qc_span line, const char *name)
{
    const size_t n = strlen(name);
    return line.n == n + 2 && line.p[0] == '[' && line.p[n + 1] == ']' && memcmp(line.p + 1, name, n) == 0;
}

static bool is_key(qc_span line, const char *name)
{
    const uint8_t *equals = line.n > 0 ? memchr(line.p, '=', line.n) : NULL;
    return equals != NULL &&
           qc_span_eq(trimmed(qc_span_of(line.p, (size_t)(equals - line.p))), qc_span_str(name));
}

static qc_rc add_key(const char *name, qc_span value, qc_buf *ret, struct qc_err *err)
{
    if (ret->n > 0 && ret->p[ret->n - 1] != '\n')
        QC_TRY(qc_buf_add(ret, QC_LIT("\n"), err));
    return qc_buf_addf(ret, err, "%s = %.*s\n", name, (int)value.n, (const char *)value.p);
}

qc_rc conf_set(qc_span text, size_t i, qc_span value, qc_buf *ret, struct qc_err *err)
{
    const struct qc_ini_key *key = &keys[i];
    bool within = false, done = false;
    struct conf c;
    if (value.n > 0 && memchr(value.p, '\n', value.n) != NULL)
        return QC_FAIL(err, QC_USAGE, "a value is one line");
    while (text.n > 0) {
        const qc_span line = take_line(&text), bare = trimmed(line);
        const bool ends = bare.n > 0 && bare.p[0] == '[';
        if (ends && within && !done) { /* its section ends without it */
            QC_TRY(add_key(key->name, value, ret, err));
            done = true;
        }
        within = ends ? is_section(bare, key->section) : within;
        if (!within || !is_key(bare, key->name))
            QC_TRY(qc_buf_add(ret, line, err));
        else if (!done)
            QC_TRY(add_key(key->name, value, ret, err));
        done = done || (within && is_key(bare, key->name));
    }
    if (!done && !within)
        QC_TRY(qc_buf_addf(ret, err, "%s[%s]\n", ret->n > 0 ? "\n" : "", key->section));
    if (!done)
        QC_TRY(add_key(key->name, value, ret, err));
    return conf_parse(qc_buf_span(ret), &c, err);
}

qc_rc conf_set_keeper(qc_span text, const char *url, const char *credentials, qc_buf *ret, struct qc_err *err)
{
    bool within = false;
    struct conf c;
    while (text.n > 0) {
        const qc_span line = take_line(&text), bare = trimmed(line);
        const bool begins = bare.n > 0 && bare.p[0] == '[';
        within = begins ? is_section(bare, "vault") : within;
        if (!within || begins || (!is_key(bare, "backup-to") && !is_key(bare, "backup-credentials")))
            QC_TRY(qc_buf_add(ret, line, err));
        if (!within || !begins)
            continue;
        QC_TRY(add_key("backup-to", qc_span_str(url), ret, err));
        if (credentials != NULL)
            QC_TRY(add_key("backup-credentials", qc_span_str(credentials), ret, err));
    }
    return conf_parse(qc_buf_span(ret), &c, err);
}

/* -- the file -------------------------------------------------------------------------------------------- */

/* The file's folder, and its name in it: borrowed. */
static const char *folder_of(const struct places *p, char ret[QC_CLIENT_PATH_MAX])
{
    const char *slash = strrchr(p->conf_file, '/');
    QC_ASSERT(slash != NULL); /* the path is absolute, and clean */
    const size_t n = slash == p->conf_file ? 1 : (size_t)(slash - p->conf_file);
    memcpy(ret, p->conf_file, n);
    ret[n] = '\0';
    return slash + 1;
}

qc_rc conf_text(const struct places *p, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char folder[QC_CLIENT_PATH_MAX];
    const char *name = folder_of(p, folder);
    qc_rc rc = qc_dir_open(&dir, folder, err);
    if (rc == QC_OK)
        rc = qc_file_read(qc_fd_get(&dir), name, QC_CLIENT_CONF_MAX, ret, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "no vault is set up for this user (%s does not exist)", p->conf_file);
    QC_TRY_AS(rc, err, "configuration %s", p->conf_file);
    return QC_OK;
}

const char *conf_named(const struct conf *c, unsigned i)
{
    return c->disk[i][0] != '\0' ? c->disk[i] : NULL;
}

const char *conf_absent(const struct conf *c, unsigned i)
{
    return c->absent[i].rc != QC_OK ? c->absent[i].msg : NULL;
}

const char *conf_variable(size_t i)
{
    return i == KEY_GATEWAY  ? "QCLOUD_GATEWAY"
           : i == KEY_SHARE1 ? "QCLOUD_SHARE1"
           : i == KEY_SHARE2 ? "QCLOUD_SHARE2"
                             : NULL;
}

qc_rc conf_environment(struct conf *c, struct qc_err *err)
{
    bool any = false;
    for (size_t i = 0; i < KEYS; i++) {
        const char *variable = conf_variable(i), *value = NULL;
        if (variable == NULL || (value = places_variable(variable)) == NULL)
            continue;
        any = true;
        QC_TRY_AS(conf_override(c, i, qc_span_str(value), err), err, "%s", variable);
        QC_TRY_AS(conf_check(c, err), err, "%s", variable);
    }
    if (any)
        conf_find_disks(c);
    return QC_OK;
}

void conf_find_disks(struct conf *c)
{
    for (unsigned i = 0; i < 2; i++) {
        qc_err_clear(&c->absent[i]);
        if (c->disk[i][0] == '\0' || disk_find(NULL, c->disk[i], c->share[i], &c->absent[i]) == QC_OK)
            continue;
        disk_nowhere(c->disk[i], c->share[i]);
    }
}

qc_rc conf_load(const struct places *p, struct conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    QC_TRY(conf_text(p, &text, err));
    const qc_rc rc = conf_parse(qc_buf_span(&text), ret, err);
    if (rc == QC_USAGE || rc == QC_NOTCONF)
        err->next = conf_correct;
    QC_TRY_AS(rc, err, "configuration %s", p->conf_file);
    conf_find_disks(ret);
    return QC_OK;
}

qc_rc conf_save_text(const struct places *p, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char folder[QC_CLIENT_PATH_MAX];
    const char *name = folder_of(p, folder);
    QC_TRY_AS(qc_dir_make_path(folder, 0700, err), err, "configuration");
    QC_TRY_AS(qc_dir_open(&dir, folder, err), err, "configuration");
    QC_TRY_AS(qc_file_write_atomic(qc_fd_get(&dir), name, &text, 1, 0600, err), err, "configuration %s",
              p->conf_file);
    return QC_OK;
}

qc_rc conf_save(const struct places *p, const struct conf *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_CONF_MAX };
    QC_TRY(conf_print(c, &text, err));
    return conf_save_text(p, qc_buf_span(&text), err);
}
