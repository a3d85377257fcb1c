#include "url.h"

#include <stdbool.h>
#include <string.h>

#include "base/near.h"

static bool lower(char ch)
{
    return ch >= 'a' && ch <= 'z';
}

static bool digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* What may stand in a path without being encoded (RFC 3986 pchar and '/', less the ones that shells and eyes
 * trip over). */
static bool plain(char ch)
{
    return lower(ch) || digit(ch) || (ch >= 'A' && ch <= 'Z') ||
           (ch != '\0' && strchr("-._~/+,=:@", ch) != NULL);
}

static int hex_value(char ch)
{
    if (digit(ch))
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return -1;
}

/* Decode n bytes of the path or the query (`where`) into dst, which has room for as many and the NUL. */
static qc_rc decode(const char *where, const char *s, size_t n, char *dst, struct qc_err *err)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '%') {
            if (!plain(s[i]))
                return QC_FAIL(err, QC_USAGE, "cloud URL: byte %zu of the %s must be written as %%XX", i + 1,
                               where);
            dst[to++] = s[i];
            continue;
        }
        int hi = i + 1 < n ? hex_value(s[i + 1]) : -1;
        int lo = i + 2 < n ? hex_value(s[i + 2]) : -1;
        if (hi < 0 || lo < 0)
            return QC_FAIL(err, QC_USAGE, "cloud URL: '%%' in the %s without two hex digits after it", where);
        char ch = (char)(hi * 16 + lo);
        if (ch == '\0' || (ch == '/' && strcmp(where, "path") == 0))
            return QC_FAIL(err, QC_USAGE, "cloud URL: %%%c%c in the %s", s[i + 1], s[i + 2], where);
        dst[to++] = ch;
        i += 2;
    }
    dst[to] = '\0';
    return QC_OK;
}

static qc_rc scheme_parse(const char *url, struct cloud_url *u, size_t *ret_used, struct qc_err *err)
{
    if (url[0] == '/')
        return QC_FAIL(err, QC_USAGE,
                       "a cloud is named by a URL: write file:// before the path of a directory");
    size_t n = 0;
    while (n < CLOUD_SCHEME_SIZE_MAX && (lower(url[n]) || (n > 0 && (digit(url[n]) || url[n] == '+'))))
        n++;
    if (n == 0 || strncmp(url + n, "://", 3) != 0)
        return QC_FAIL(err, QC_USAGE, "not a cloud URL; for a directory write file:///absolute/directory");
    memcpy(u->scheme, url, n);
    u->scheme[n] = '\0';
    *ret_used = n + 3;
    return QC_OK;
}

/* The value of `name=..` in the query, which any driver's cloud may have, decoded into value of
 * CLOUD_URL_SIZE_MAX + 1 bytes; it goes from the query. "": it is not there. */
static qc_rc take_out(struct cloud_url *u, const char *name, char *value, struct qc_err *err)
{
    const size_t n = strlen(name);
    value[0] = '\0';
    for (char *at = u->query; *at != '\0';) {
        const size_t whole = strcspn(at, "&"), next = whole + (at[whole] == '&');
        if (strncmp(at, name, n) != 0 || at[n] != '=') {
            at += next;
            continue;
        }
        if (value[0] != '\0')
            return QC_FAIL(err, QC_USAGE, "cloud URL: option '%s' is given twice", name);
        QC_TRY(decode("query", at + n + 1, whole - n - 1, value, err));
        if (value[0] == '\0')
            return QC_FAIL(err, QC_USAGE, "cloud URL: option '%s' needs a value: %s=...", name, name);
        memmove(at, at + next, strlen(at + next) + 1);
    }
    return QC_OK;
}

qc_rc cloud_url_parse(const char *url, struct cloud_url *ret, struct qc_err *err)
{
    size_t n = strnlen(url, CLOUD_URL_SIZE_MAX + 1);
    if (n == 0 || n > CLOUD_URL_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "cloud URL: %s", n == 0 ? "empty" : "too long");
    struct cloud_url u;
    size_t at = 0;
    QC_TRY(scheme_parse(url, &u, &at, err));

    size_t authority = strcspn(url + at, "/?#");
    if (memchr(url + at, '@', authority) != NULL)
        return QC_FAIL(err, QC_USAGE, "cloud URL: credentials do not belong in a URL");
    memcpy(u.authority, url + at, authority);
    u.authority[authority] = '\0';
    at += authority;

    size_t path = strcspn(url + at, "?#");
    QC_TRY(decode("path", url + at, path, u.path, err));
    at += path;
    u.query[0] = '\0';
    if (url[at] == '?') {
        size_t query = strcspn(url + at + 1, "#");
        for (size_t i = 0; i < query; i++)
            if (!plain(url[at + 1 + i]) && strchr("&%", url[at + 1 + i]) == NULL)
                return QC_FAIL(err, QC_USAGE, "cloud URL: byte %zu of the query must be written as %%XX",
                               i + 1);
        memcpy(u.query, url + at + 1, query);
        u.query[query] = '\0';
        at += 1 + query;
    }
    if (url[at] == '#')
        return QC_FAIL(err, QC_USAGE, "cloud URL: '#' has no meaning here");
    QC_TRY(take_out(&u, "link", u.link, err));
    QC_TRY(take_out(&u, "level", u.level, err));
    *ret = u;
    return QC_OK;
}

static const struct cloud_url_key *key_find(const struct cloud_url_key *keys, size_t count, const char *name,
                                            size_t n, struct qc_err *err)
{
    const struct cloud_url_key *near = NULL;
    size_t least = 0;
    char word[33];
    n = n < sizeof word ? n : sizeof word - 1;
    memcpy(word, name, n);
    word[n] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, word) == 0)
            return &keys[i];
        const size_t edits = qc_near_edits(qc_span_str(word), qc_span_str(keys[i].name));
        if (near == NULL || edits < least) {
            near = &keys[i];
            least = edits;
        }
    }
    if (near == NULL)
        qc_err_set(err, QC_USAGE, QC_HERE,
                   "cloud URL: this driver has no options, so nothing may follow a '?'");
    else
        qc_err_set(err, QC_USAGE, QC_HERE, "cloud URL: unknown option '%s'; did you mean '%s'?", word,
                   near->name);
    return NULL;
}

/* One `name=value` of n bytes. */
static qc_rc pair_take(const char *pair, size_t n, const struct cloud_url_key *keys, size_t count,
                       struct qc_err *err)
{
    const char *equals = memchr(pair, '=', n);
    size_t name = equals != NULL ? (size_t)(equals - pair) : n;
    const struct cloud_url_key *k = key_find(keys, count, pair, name, err);
    if (k == NULL)
        return QC_USAGE;
    if (k->value[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "cloud URL: option '%s' is given twice", k->name);
    char value[CLOUD_URL_SIZE_MAX + 1];
    QC_TRY(decode("query", equals != NULL ? equals + 1 : "", equals != NULL ? n - name - 1 : 0, value, err));
    if (value[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "cloud URL: option '%s' needs a value: %s=...", k->name, k->name);
    if (strlen(value) >= k->size)
        return QC_FAIL(err, QC_USAGE, "cloud URL: option '%s' is longer than %zu bytes", k->name,
                       k->size - 1);
    memcpy(k->value, value, strlen(value) + 1);
    return QC_OK;
}

qc_rc cloud_url_query(const struct cloud_url *url, const struct cloud_url_key *keys, size_t count,
                      struct qc_err *err)
{
    for (size_t i = 0; i < count; i++)
        keys[i].value[0] = '\0';
    for (const char *at = url->query; *at != '\0';) {
        size_t n = strcspn(at, "&");
        if (n > 0)
            QC_TRY(pair_take(at, n, keys, count, err));
        at += n + (at[n] == '&');
    }
    return QC_OK;
}
