#include "qkd/keyed.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/ini.h"
#include "net/keyed.h"
#include "net/url.h"
#include "qkd/tls_keys.h"

/* -- single keys ----------------------------------------------------------------------------------------- */

enum kind { NAME, URL, PATH, SECONDS, BYTES, BYTES_MOST };
static const struct {
    enum kind kind;
    size_t at;
    const char *name;
    bool needed;
} rows[QKD_KEYED_COUNT] = {
#define X(key, member, text, what, is_needed)                                                                \
    [QKD_KEYED_##key] = { what, offsetof(struct qkd_keyed, member), text, is_needed },
    QKD_KEYED_KEYS(X)
#undef X
};

static qc_rc take_url(qc_span v, char ret[LINK_PATH_MAX], struct qc_err *err)
{
    struct net_url url;
    char text[LINK_PATH_MAX] = "";
    if (v.n >= sizeof text)
        return QC_FAIL(err, QC_USAGE, "longer than %zu bytes", sizeof text - 1);
    memcpy(text, v.p, v.n);
    QC_TRY(net_url_parse(text, &url, err));
    if (!url.tls)
        return QC_FAIL(err, QC_USAGE, "https:// is needed: a key manager is known by its certificate");
    memcpy(ret, text, sizeof text);
    return QC_OK;
}

qc_rc qkd_keyed_take(struct qkd_keyed *k, enum qkd_keyed_key key, qc_span v, struct qc_err *err)
{
    void *to = (char *)k + rows[key].at;
    switch (rows[key].kind) {
    case NAME:
        return net_psk_name(v, to, err);
    case URL:
        return take_url(v, to, err);
    case PATH:
        return qc_ini_path(v, to, LINK_PATH_MAX, err);
    case SECONDS:
        return qc_ini_u64(v, 1, LINK_REKEY_MAX_S, to, err);
    case BYTES:
        return qc_ini_u64(v, LINK_REKEY_BYTES_MIN, LINK_REKEY_BYTES_MAX, to, err);
    case BYTES_MOST:
        break;
    }
    return qc_ini_u64(v, QKD_KEYED_BYTES_MIN, LINK_REKEY_BYTES_MAX, to, err);
}

bool qkd_keyed_says(const struct qkd_keyed *k, enum qkd_keyed_key key)
{
    const void *at = (const char *)k + rows[key].at;
    return rows[key].kind <= PATH ? *(const char *)at != '\0' : *(const uint64_t *)at != 0;
}

qc_rc qkd_keyed_give(const struct qkd_keyed *k, enum qkd_keyed_key key, qc_buf *ret, struct qc_err *err)
{
    const void *at = (const char *)k + rows[key].at;
    if (!qkd_keyed_says(k, key))
        return QC_OK;
    return rows[key].kind <= PATH ? qc_buf_add_str(ret, at, err)
                                  : qc_buf_addf(ret, err, "%" PRIu64, *(const uint64_t *)at);
}

const char *qkd_keyed_name(enum qkd_keyed_key key)
{
    return rows[key].name;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

static uint64_t times(uint64_t v, uint64_t least, uint64_t most)
{
    v *= LINK_KEY_MAX_TIMES;
    return v < least ? least : v > most ? most : v;
}

void qkd_keyed_ages(const struct qkd_keyed *k, struct net_keyed *ret)
{
    uint64_t s = k->rekey_s, bytes = k->rekey_bytes;
    if (s == 0) /* nothing is older than it may be */
        s = k->key_max_s != 0 && k->key_max_s < LINK_REKEY_S ? k->key_max_s : LINK_REKEY_S;
    if (bytes == 0)
        bytes = k->key_max_bytes != 0 && k->key_max_bytes < LINK_REKEY_BYTES ? k->key_max_bytes
                                                                             : LINK_REKEY_BYTES;
    ret->rekey_s = (uint32_t)s;
    ret->rekey_bytes = bytes;
    ret->key_max_s = (uint32_t)(k->key_max_s != 0 ? k->key_max_s : times(s, 0, LINK_REKEY_MAX_S));
    ret->key_max_bytes =
        k->key_max_bytes != 0 ? k->key_max_bytes : times(bytes, QKD_KEYED_BYTES_MIN, LINK_REKEY_BYTES_MAX);
}

qc_rc qkd_keyed_check(const struct qkd_keyed *k, struct qc_err *err)
{
    struct net_keyed ages;
    for (unsigned i = 0; i < QKD_KEYED_COUNT; i++)
        if (rows[i].needed && !qkd_keyed_says(k, i))
            return QC_FAIL(err, QC_NOTCONF, "'%s' is missing", rows[i].name);
    qkd_keyed_ages(k, &ages);
    if (strcmp(k->me, k->peer) == 0)
        return QC_FAIL(err, QC_USAGE, "'peer': the other end has a name of its own");
    if (ages.rekey_s > ages.key_max_s)
        return QC_FAIL(err, QC_USAGE, "'key-max-seconds': not less than rekey-seconds");
    if (ages.rekey_bytes > ages.key_max_bytes)
        return QC_FAIL(err, QC_USAGE, "'key-max-bytes': not less than rekey-bytes");
    return QC_OK;
}

/* A file that cannot be read is told of before anybody is asked for a key. */
static qc_rc check_file(const char *path, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const qc_rc rc = qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "section [qkd]: '%s': there is no file %s", name, path);
    QC_TRY_AS(rc, err, "section [qkd]: '%s': %s", name, path);
    return QC_OK;
}

qc_rc qkd_keyed_open(const struct qkd_keyed *k, const char *peer, struct qkd_tls_keys **ret,
                     struct qc_err *err)
{
    const struct qkd_conf conf = {
        .url = k->kme, .ca = k->kme_ca, .cert = k->kme_cert, .key = k->kme_key, .peer = peer
    };
    QC_TRY(check_file(k->kme_ca, "kme-ca", err));
    QC_TRY(check_file(k->kme_cert, "kme-cert", err));
    QC_TRY(check_file(k->kme_key, "kme-key", err));
    const qc_rc rc = qkd_tls_keys_new(ret, &conf, err);
    QC_TRY_AS(rc, err, rc == QC_AUTH ? "section [qkd]: 'kme-key'" : "section [qkd]");
    return QC_OK;
}

qc_rc qkd_keyed_look(const struct qkd_keyed *k, const char *peer, qc_deadline d, uint64_t *ret_stored,
                     struct qc_err *err)
{
    QC_CLEANUP(qkd_tls_keys_free) struct qkd_tls_keys *keys = NULL;
    struct qkd_status s = { 0 };
    struct qc_err why = { 0 };
    QC_TRY(qkd_keyed_open(k, peer, &keys, err));
    const qc_rc rc = qkd_tls_keys_look(keys, d, &s, &why);
    if (rc != QC_OK)
        return QC_FAIL(err, QC_LINK, "%s", why.msg);
    if (strcmp(s.master, k->me) != 0)
        return QC_FAIL(err, QC_LINK, "KME %s takes us for %s, not for %s", k->kme, s.master, k->me);
    if (s.min_bits > LINK_KEY_BITS || s.max_bits < LINK_KEY_BITS)
        return QC_FAIL(err, QC_LINK, "KME %s has no keys of %d bits", k->kme, LINK_KEY_BITS);
    *ret_stored = s.stored < s.capacity ? s.stored : s.capacity;
    return QC_OK;
}
