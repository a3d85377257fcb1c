#include "conf.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log_level.h"
#include "base/program.h"
#include "gateway/tenant.h"
#include "net/psk.h"

enum {
    TEXT_MAX = 65536,
    MODE_DEFAULT = 0600,
    STOP_S = 20,
    STOP_MAX_S = 600,
    ROTATE_MIN = 65536,
    ROTATE_MAX = 1 << 30,
    CONNECTIONS_MIN = 16,
    CONNECTIONS_DEFAULT = 128,
    HOUR_S = 3600,
    DAY_S = 86400,
    HOURS_MAX = 24 * 3660, /* ten years */
    DAYS_MAX = 3660,
    CONNECTIONS_MAX = 1024, /* each is a thread and 256 KiB of buffers while it is used */
};

/* -- taking ---------------------------------------------------------------------------------------------- */

static qc_rc take_state(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->state, sizeof c->state, err);
}

static qc_rc take_log_file(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->log_file, sizeof c->log_file, err);
}

static qc_rc take_json_log(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_bool(v, &c->json_log, err);
}

static qc_rc take_level(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    if (qc_level_of_name(v, &c->log_level))
        return QC_OK;
    return QC_FAIL(err, QC_USAGE, "debug, info, warn or error is needed");
}

static qc_rc take_stop(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t n = 0;
    QC_TRY(qc_ini_u64(v, 0, STOP_MAX_S, &n, err));
    c->stop_s = (unsigned)n;
    return QC_OK;
}

static qc_rc take_socket(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    QC_TRY(qc_ini_path(v, c->socket, sizeof c->socket, err));
    if (v.p[v.n - 1] == '/')
        return QC_FAIL(err, QC_USAGE, "the name of a socket is needed, not that of a directory");
    return QC_OK;
}

static qc_rc take_mode(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    unsigned mode = 0;
    if (v.n != 4 || v.p[0] != '0')
        return QC_FAIL(err, QC_USAGE, "four octal digits are needed, such as 0660");
    for (size_t i = 1; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '7')
            return QC_FAIL(err, QC_USAGE, "four octal digits are needed, such as 0660");
        mode = 8 * mode + (unsigned)(v.p[i] - '0');
    }
    if ((mode & 0600) != 0600 || (mode & 0111) != 0)
        return QC_FAIL(err, QC_USAGE, "the owner reads and writes a socket, and nobody executes it");
    c->socket_mode = mode;
    return QC_OK;
}

static qc_rc take_address(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return conf_address(v, &c->address, err);
}

static qc_rc take_monitor(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return conf_address(v, &c->monitor, err);
}

static qc_rc take_certificate(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->certificate, sizeof c->certificate, err);
}

static qc_rc take_key(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_path(v, c->key, sizeof c->key, err);
}

static qc_rc take_connections(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t n = 0;
    QC_TRY(qc_ini_u64(v, CONNECTIONS_MIN, CONNECTIONS_MAX, &n, err));
    c->connections = (unsigned)n;
    return QC_OK;
}

static qc_rc take_audit(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_bool(v, &c->audit, err);
}

static qc_rc take_rotate(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_u64(v, ROTATE_MIN, ROTATE_MAX, &c->audit_rotate, err);
}

static qc_rc take_keep(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t n = 0;
    QC_TRY(qc_ini_u64(v, 0, QC_GW_AUDIT_FILES_MAX, &n, err));
    c->audit_keep = (unsigned)n;
    return QC_OK;
}

static qc_rc take_presence(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t hours = 0;
    QC_TRY(qc_ini_u64(v, 0, HOURS_MAX, &hours, err));
    c->scrub.presence_s = hours * HOUR_S;
    return QC_OK;
}

static qc_rc take_content(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    uint64_t days = 0;
    QC_TRY(qc_ini_u64(v, 0, DAYS_MAX, &days, err));
    c->scrub.content_s = days * DAY_S;
    return QC_OK;
}

static qc_rc take_bytes(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_u64(v, 0, INT64_MAX, &c->scrub.bytes_per_s, err);
}

static qc_rc take_requests(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return qc_ini_u64(v, 0, INT32_MAX, &c->scrub.requests_per_s, err);
}

static qc_rc take_least(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    return net_want_parse(v, &c->levels.all, err);
}

/* NAME=LEVEL, which has no blank in it. */
static qc_rc take_tenant(struct conf_levels *l, qc_span word, struct qc_err *err)
{
    size_t n = 0;
    while (n < word.n && word.p[n] != '=')
        n++;
    if (n == word.n || !gw_tenant_name_ok(qc_span_sub(word, 0, n)))
        return QC_FAIL(err, QC_USAGE, "NAME=LEVEL is needed for each tenant");
    if (l->count == CONF_LEVELS)
        return QC_FAIL(err, QC_USAGE, "more than %d tenants", CONF_LEVELS);
    for (unsigned i = 0; i < l->count; i++)
        if (qc_span_eq(qc_span_sub(word, 0, n), qc_span_str(l->tenants[i].name)))
            return QC_FAIL(err, QC_USAGE, "tenant %s is named twice", l->tenants[i].name);
    QC_TRY(net_want_parse(qc_span_from(word, n + 1), &l->tenants[l->count].want, err));
    memcpy(l->tenants[l->count].name, word.p, n);
    l->tenants[l->count++].name[n] = '\0';
    return QC_OK;
}

/* The next word of several with blanks between them; false: there is none. */
static bool take_word(qc_span *v, qc_span *ret)
{
    size_t n = 0;
    while (v->n > 0 && qc_is_blank(v->p[0]))
        *v = qc_span_from(*v, 1);
    while (n < v->n && !qc_is_blank(v->p[n]))
        n++;
    *ret = qc_span_sub(*v, 0, n);
    *v = qc_span_from(*v, n);
    return n > 0;
}

static qc_rc take_tenants(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    qc_span word = { 0 };
    while (take_word(&v, &word))
        QC_TRY(take_tenant(&c->levels, word, err));
    return QC_OK;
}

/* -- the door keyed by QKD ------------------------------------------------------------------------------- */

static qc_rc take_qkd_address(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    char text[64] = ""; /* what is longer is none */
    memcpy(text, v.p, v.n < sizeof text ? v.n : sizeof text - 1);
    return net_address_parse(text, &c->qkd.address, err);
}

static qc_rc take_peer(struct conf_qkd *q, qc_span name, struct qc_err *err)
{
    if (q->count == QKD_KEYED_PEERS)
        return QC_FAIL(err, QC_USAGE, "more than %d SAEs", QKD_KEYED_PEERS);
    QC_TRY(net_psk_name(name, q->peers[q->count], err));
    for (unsigned i = 0; i < q->count; i++)
        if (strcmp(q->peers[i], q->peers[q->count]) == 0)
            return QC_FAIL(err, QC_USAGE, "%s is named twice", q->peers[i]);
    q->count++;
    return QC_OK;
}

static qc_rc take_peers(void *ctx, qc_span v, struct qc_err *err)
{
    struct conf *c = ctx;
    qc_span word = { 0 };
    while (take_word(&v, &word))
        QC_TRY(take_peer(&c->qkd, word, err));
    return c->qkd.count > 0 ? QC_OK
                            : QC_FAIL(err, QC_USAGE, "the SAE ID of a client, or some with blanks between");
}

/* Of qkd/keyed.h, what a door has: who comes is in peers, and when another key comes is for them to say. */
#define DOOR_KEYS(X)                                                                                         \
    X(LINK, link, "link", true)                                                                              \
    X(ME, me, "me", true)                                                                                    \
    X(KME, kme, "kme", true)                                                                                 \
    X(KME_CA, kme_ca, "kme-ca", true)                                                                        \
    X(KME_CERT, kme_cert, "kme-cert", true)                                                                  \
    X(KME_KEY, kme_key, "kme-key", true)                                                                     \
    X(KEY_MAX_S, key_max_s, "key-max-seconds", false)                                                        \
    X(KEY_MAX_BYTES, key_max_bytes, "key-max-bytes", false)
#define X(key, member, ...)                                                                                  \
    static qc_rc take_qkd_##member(void *ctx, qc_span v, struct qc_err *err)                                 \
    {                                                                                                        \
        struct conf *c = ctx;                                                                                \
        return qkd_keyed_take(&c->qkd.way, QKD_KEYED_##key, v, err);                                         \
    }
DOOR_KEYS(X)
#undef X

enum {
    KEY_STATE,
    KEY_LOG_FILE,
    KEY_JSON_LOG,
    KEY_LEVEL,
    KEY_STOP,
    KEY_SOCKET,
    KEY_MODE,
    KEY_ADDRESS,
    KEY_CERTIFICATE,
    KEY_KEY,
    KEY_MONITOR,
    KEY_AUDIT,
    KEY_ROTATE,
    KEY_KEEP,
    KEY_CONNECTIONS,
    KEY_LEAST,
    KEY_TENANTS,
    KEY_PRESENCE,
    KEY_CONTENT,
    KEY_BYTES,
    KEY_REQUESTS,
    KEY_QKD_ADDRESS,
    KEY_QKD_PEERS,
#define X(key, ...) KEY_QKD_##key,
    DOOR_KEYS(X)
#undef X
        KEYS
};
static const struct qc_ini_key keys[KEYS] = {
    [KEY_STATE] = { "gateway", "state", true, take_state },
    [KEY_LOG_FILE] = { "gateway", "log-file", false, take_log_file },
    [KEY_JSON_LOG] = { "gateway", "json-log", false, take_json_log },
    [KEY_LEVEL] = { "gateway", "log-level", false, take_level },
    [KEY_STOP] = { "gateway", "stop-seconds", false, take_stop },
    [KEY_SOCKET] = { "listen", "socket", false, take_socket },
    [KEY_MODE] = { "listen", "socket-mode", false, take_mode },
    [KEY_ADDRESS] = { "listen", "address", false, take_address },
    [KEY_CERTIFICATE] = { "listen", "certificate", false, take_certificate },
    [KEY_KEY] = { "listen", "key", false, take_key },
    [KEY_MONITOR] = { "monitor", "address", false, take_monitor },
    [KEY_AUDIT] = { "audit", "log", false, take_audit },
    [KEY_ROTATE] = { "audit", "rotate", false, take_rotate },
    [KEY_KEEP] = { "audit", "keep", false, take_keep },
    [KEY_CONNECTIONS] = { "limits", "connections", false, take_connections },
    [KEY_LEAST] = { "levels", "least", false, take_least },
    [KEY_TENANTS] = { "levels", "tenants", false, take_tenants },
    [KEY_PRESENCE] = { "scrub", "presence-hours", false, take_presence },
    [KEY_CONTENT] = { "scrub", "content-days", false, take_content },
    [KEY_BYTES] = { "scrub", "bytes-per-second", false, take_bytes },
    [KEY_REQUESTS] = { "scrub", "requests-per-second", false, take_requests },
    [KEY_QKD_ADDRESS] = { "qkd", "address", true, take_qkd_address },
    [KEY_QKD_PEERS] = { "qkd", "peers", true, take_peers },
#define X(key, member, name, needed) [KEY_QKD_##key] = { "qkd", name, needed, take_qkd_##member },
    DOOR_KEYS(X)
#undef X
};

static qc_rc take_port(qc_span s, uint16_t *ret, struct qc_err *err)
{
    uint64_t port = 0;
    QC_TRY_AS(qc_ini_u64(s, 1, 65535, &port, err), err, "port");
    *ret = (uint16_t)port;
    return QC_OK;
}

qc_rc conf_address(qc_span v, struct conf_address *ret, struct qc_err *err)
{
    static const qc_span v4 = { (const uint8_t *)"127.0.0.1:", 10 };
    static const qc_span v6 = { (const uint8_t *)"[::1]:", 6 };
    struct conf_address a = { .is = true };

    a.v6 = v.n > v6.n && qc_span_eq(qc_span_sub(v, 0, v6.n), v6);
    if (!a.v6 && (v.n <= v4.n || !qc_span_eq(qc_span_sub(v, 0, v4.n), v4)))
        return QC_FAIL(err, QC_USAGE,
                       "127.0.0.1:PORT or [::1]:PORT is needed: without a link that protects it, a gateway "
                       "listens on this machine only");
    QC_TRY(take_port(qc_span_from(v, a.v6 ? v6.n : v4.n), &a.port, err));
    *ret = a;
    return QC_OK;
}

/* What one key means without another one. */
static qc_rc check(const struct conf *c, const struct qc_ini *ini, struct qc_err *err)
{
    if (ini->line[KEY_STATE] == 0)
        return QC_FAIL(err, QC_NOTCONF, "section [gateway]: 'state' is missing");
    if (ini->line[KEY_MODE] != 0 && ini->line[KEY_SOCKET] == 0)
        return QC_FAIL(err, QC_USAGE, "section [listen]: 'socket-mode' without 'socket'");
    if ((ini->line[KEY_CERTIFICATE] != 0) != (ini->line[KEY_KEY] != 0))
        return QC_FAIL(err, QC_USAGE, "section [listen]: 'certificate' and 'key' belong together");
    if (ini->line[KEY_CERTIFICATE] != 0 && !c->address.is)
        return QC_FAIL(err, QC_USAGE, "section [listen]: 'certificate' without 'address'");
    if (c->address.is && c->monitor.is && c->address.port == c->monitor.port &&
        c->address.v6 == c->monitor.v6)
        return QC_FAIL(err, QC_USAGE, "section [monitor]: the tenants' address is another one");
    for (unsigned i = 0; i < c->qkd.count; i++)
        if (strcmp(c->qkd.peers[i], c->qkd.way.me) == 0)
            return QC_FAIL(err, QC_USAGE, "section [qkd]: 'peers': %s is our own name", c->qkd.way.me);
    return QC_OK;
}

qc_rc conf_parse(qc_span text, struct conf *ret, struct qc_err *err)
{
    static _Thread_local struct conf c; /* 20 KiB of paths */
    struct qc_ini ini = { .keys = keys, .count = KEYS };

    c = (struct conf){ .socket_mode = MODE_DEFAULT,
                       .connections = CONNECTIONS_DEFAULT,
                       .log_level = QC_LOG_INFO,
                       .stop_s = STOP_S,
                       .audit = true,
                       .audit_rotate = QC_GW_AUDIT_ROTATE,
                       .audit_keep = QC_GW_AUDIT_KEEP,
                       .levels.all.least = NET_PLAIN,
                       .scrub = { .presence_s = QC_GW_SCRUB_PRESENCE_S,
                                  .content_s = QC_GW_SCRUB_CONTENT_S,
                                  .bytes_per_s = QC_GW_SCRUB_RATE,
                                  .requests_per_s = QC_GW_SCRUB_REQUESTS } };
    QC_TRY(qc_ini_parse(text, TEXT_MAX, &ini, &c, err));
    QC_TRY(check(&c, &ini, err));
    *ret = c;
    return QC_OK;
}

/* -- giving ---------------------------------------------------------------------------------------------- */

static qc_rc give(qc_buf *ret, const char *name, const char *value, struct qc_err *err)
{
    if (value[0] == '\0')
        return qc_buf_addf(ret, err, "# %s is not set\n", name);
    return qc_buf_addf(ret, err, "%s = %s\n", name, value);
}

static qc_rc give_address(qc_buf *ret, const struct conf_address *a, struct qc_err *err)
{
    if (!a->is)
        return give(ret, "address", "", err);
    return qc_buf_addf(ret, err, "address = %s:%u\n", a->v6 ? "[::1]" : "127.0.0.1", (unsigned)a->port);
}

static qc_rc give_levels(qc_buf *ret, const struct conf_levels *l, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "\n[levels]\nleast = "));
    QC_TRY(net_want_print(&l->all, ret, err));
    QC_TRY(qc_buf_addf(ret, err, "\n"));
    if (l->count == 0)
        return give(ret, "tenants", "", err);
    QC_TRY(qc_buf_addf(ret, err, "tenants ="));
    for (unsigned i = 0; i < l->count; i++) {
        QC_TRY(qc_buf_addf(ret, err, " %s=", l->tenants[i].name));
        QC_TRY(net_want_print(&l->tenants[i].want, ret, err));
    }
    return qc_buf_addf(ret, err, "\n");
}

static qc_rc give_qkd(qc_buf *ret, const struct conf_qkd *q, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "\n[qkd]\n"));
    if (q->address.port == 0)
        return give(ret, "address", "", err);
    QC_TRY(qc_buf_addf(ret, err, "address = %s:%u\npeers =", q->address.host, (unsigned)q->address.port));
    for (unsigned i = 0; i < q->count; i++)
        QC_TRY(qc_buf_addf(ret, err, " %s", q->peers[i]));
    QC_TRY(qc_buf_addf(ret, err, "\n"));
    for (unsigned i = 0; i < QKD_KEYED_COUNT; i++) {
        if (!qkd_keyed_says(&q->way, i))
            continue;
        QC_TRY(qc_buf_addf(ret, err, "%s = ", qkd_keyed_name(i)));
        QC_TRY(qkd_keyed_give(&q->way, i, ret, err));
        QC_TRY(qc_buf_addf(ret, err, "\n"));
    }
    return QC_OK;
}

qc_rc conf_print(const struct conf *c, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add(ret, QC_LIT("[gateway]\n"), err));
    QC_TRY(give(ret, "state", c->state, err));
    QC_TRY(give(ret, "log-file", c->log_file, err));
    QC_TRY(give(ret, "json-log", c->json_log ? "yes" : "no", err));
    QC_TRY(give(ret, "log-level", qc_level_name(c->log_level), err));
    QC_TRY(qc_buf_addf(ret, err, "stop-seconds = %u\n", c->stop_s));
    QC_TRY(qc_buf_add(ret, QC_LIT("\n[listen]\n"), err));
    QC_TRY(give(ret, "socket", c->socket, err));
    if (c->socket[0] != '\0')
        QC_TRY(qc_buf_addf(ret, err, "socket-mode = %04o\n", c->socket_mode));
    QC_TRY(give_address(ret, &c->address, err));
    QC_TRY(give(ret, "certificate", c->certificate, err));
    QC_TRY(give(ret, "key", c->key, err));
    QC_TRY(qc_buf_add(ret, QC_LIT("\n[monitor]\n"), err));
    QC_TRY(give_address(ret, &c->monitor, err));
    QC_TRY(qc_buf_addf(ret, err, "\n[audit]\nlog = %s\nrotate = %" PRIu64 "\nkeep = %u\n",
                       c->audit ? "yes" : "no", c->audit_rotate, c->audit_keep));
    QC_TRY(qc_buf_addf(ret, err, "\n[limits]\nconnections = %u\n", c->connections));
    QC_TRY(give_levels(ret, &c->levels, err));
    QC_TRY(give_qkd(ret, &c->qkd, err));
    return qc_buf_addf(ret, err,
                       "\n[scrub]\npresence-hours = %" PRIu64 "\ncontent-days = %" PRIu64
                       "\nbytes-per-second = %" PRIu64 "\nrequests-per-second = %" PRIu64 "\n",
                       c->scrub.presence_s / HOUR_S, c->scrub.content_s / DAY_S, c->scrub.bytes_per_s,
                       c->scrub.requests_per_s);
}

qc_rc conf_load(const char *path, struct conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = TEXT_MAX + 1 };

    QC_TRY(qc_conf_read(path, "configuration", TEXT_MAX, &text, err));
    QC_TRY_AS(conf_parse(qc_buf_span(&text), ret, err), err, "configuration '%.200s'", path);
    return QC_OK;
}
