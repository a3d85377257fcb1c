#include "doors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/file.h"
#include "http.h"

enum {
    PEM_MAX = 65536, /* a certificate and those above it */
    KEY_MAX = QC_KEY_MAX,
    CONNECTION_MEMORY = 32768,
};

struct door {
    struct kme_http http;
    struct kme_doors *all;
    const struct kme_door *conf;
    struct MHD_Daemon *daemon;
};

struct kme_doors {
    struct kme *kme;
    const struct kme_network *net;
    struct door v[KME_DOORS_MAX];
};

/* -- who calls ------------------------------------------------------------------------------------------- */

/* The common name of a certificate; false: it has none, or a strange one. */
static bool common_name(const gnutls_datum_t *der, char ret[KME_NAME_MAX + 1])
{
    gnutls_x509_crt_t crt = NULL;
    size_t n = KME_NAME_MAX + 1;
    if (gnutls_x509_crt_init(&crt) != 0)
        return false;
    const bool is = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
                    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret, &n) == 0;
    gnutls_x509_crt_deinit(crt);
    return is && strlen(ret) == n;
}

/* The SAE of this connection's certificate, attached to this KME; NULL: nobody whom it serves. */
static const struct kme_sae *caller_of(const struct door *d, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0, status = 1;
    char name[KME_NAME_MAX + 1] = "";
    uint8_t digest[QC_SHA256_BYTES];
    struct qc_err err = { 0 };
    if (info == NULL || gnutls_certificate_verify_peers2(info->tls_session, &status) != 0 || status != 0)
        return NULL;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(info->tls_session, &count);
    if (peers == NULL || count == 0)
        return NULL;
    const qc_span der = qc_span_of(peers[0].data, peers[0].size);
    if (qc_sha256(&der, 1, digest, &err) != QC_OK)
        return NULL;
    const bool named = common_name(&peers[0], name);
    for (unsigned i = 0; i < d->all->net->saes; i++) {
        const struct kme_sae *s = &d->all->net->sae[i];
        const bool is =
            s->pinned ? qc_ct_eq(s->cert, digest, sizeof digest) : named && strcmp(s->id, name) == 0;
        if (is && s->node == d->conf->node)
            return s;
    }
    return NULL;
}

/* -- calls ----------------------------------------------------------------------------------------------- */

typedef qc_rc (*call_fn)(struct kme *k, const struct kme_request *r, struct kme_answer *ret,
                         struct qc_err *err);

static const struct call {
    const char *name;
    bool post;
    call_fn run;
} calls[] = {
    { "status", false, kme_status },
    { "enc_keys", true, kme_enc_keys },
    { "dec_keys", true, kme_dec_keys },
};

/* /api/v1/keys/PEER/CALL; NULL: no such call. */
static const struct call *call_of(const char *url, char peer[KME_NAME_MAX + 1])
{
    static const char before[] = "/api/v1/keys/";
    if (strncmp(url, before, sizeof before - 1) != 0)
        return NULL;
    const char *name = url + sizeof before - 1;
    const char *slash = strchr(name, '/');
    const size_t n = slash == NULL ? 0 : (size_t)(slash - name);
    if (n == 0 || n > KME_NAME_MAX)
        return NULL;
    memcpy(peer, name, n);
    peer[n] = '\0';
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(slash + 1, calls[i].name) == 0)
            return &calls[i];
    return NULL;
}

static qc_rc run(void *cls, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    char peer[KME_NAME_MAX + 1];
    const struct door *d = cls;
    const struct kme_sae *caller = caller_of(d, c->connection);
    const bool get = strcmp(c->method, "GET") == 0, post = strcmp(c->method, "POST") == 0;
    if (caller == NULL)
        return kme_error(ret, 401, "", err);
    const struct call *call = call_of(c->url, peer);
    if (call == NULL)
        return kme_error(ret, 404, "there is no such call", err);
    if (!get && !(post && call->post))
        return kme_error(ret, 405, "not by this method", err);
    if (c->too_large)
        return kme_error(ret, 413, "the request is too large", err);
    struct kme_request r = { .caller = caller, .peer = peer, .body = c->body };
    if (get) {
        r.body = (qc_span){ 0 };
        r.number = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "number");
        r.size = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "size");
        r.key_id = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "key_ID");
    }
    return call->run(d->all->kme, &r, ret, err);
}

/* -- doors ----------------------------------------------------------------------------------------------- */

void kme_doors_close(struct kme_doors **d)
{
    if (*d == NULL)
        return;
    for (unsigned i = 0; i < KME_DOORS_MAX; i++)
        if ((*d)->v[i].daemon != NULL)
            MHD_stop_daemon((*d)->v[i].daemon);
    qc_free(*d);
    *d = NULL;
}

/* A PEM file as a text. */
static qc_rc read_pem(const char *path, qc_buf *ret, struct qc_err *err)
{
    const char *text = NULL;
    qc_buf_init(ret, PEM_MAX + 2);
    QC_TRY_AS(qc_path_read(path, O_NONBLOCK, PEM_MAX + 1, ret, err), err, "%s", path);
    if (ret->n > PEM_MAX)
        return QC_FAIL(err, QC_LIMIT, "%s has more than %d bytes", path, PEM_MAX);
    return qc_buf_cstr(ret, &text, err);
}

/* A private key, into secret memory (I5); zeros behind it end the text. */
static qc_rc read_key(const char *path, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    size_t n = 0;
    QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err), err, "%s", path);
    QC_TRY_AS(qc_file_private(qc_fd_get(&fd), err), err, "%s", path);
    QC_TRY(qc_key_blank(&key, KEY_MAX, err));
    QC_TRY_AS(qc_read_full(qc_fd_get(&fd), qc_key_write(key), KEY_MAX, &n, err), err, "%s", path);
    qc_key_seal(key);
    if (n == KEY_MAX)
        return QC_FAIL(err, QC_LIMIT, "%s has more than %d bytes", path, KEY_MAX - 1);
    *ret = QC_STEAL(key);
    return QC_OK;
}

qc_rc kme_listen(const struct net_address *where, const char *what, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(where->port) };
    const int yes = 1;
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    QC_ASSERT(inet_pton(AF_INET, where->host, &at.sin_addr) == 1);
    if (!qc_fd_is(&s) || setsockopt(qc_fd_get(&s), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return QC_FAIL_OS(err, "socket");
    if (bind(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at) != 0 && errno == EADDRINUSE)
        return QC_FAIL(err, QC_LOCKED, "%s: another program listens at %s:%u", what, where->host,
                       (unsigned)where->port);
    if (listen(qc_fd_get(&s), 64) != 0)
        return QC_FAIL_OS(err, "%s: %s:%u", what, where->host, (unsigned)where->port);
    *ret = QC_STEAL(s);
    return QC_OK;
}

static qc_rc open_door(struct door *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf cert = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf ca = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_CLEANUP(qc_fd_close) struct qc_fd s = { 0 };
    QC_TRY(read_pem(d->conf->cert, &cert, err));
    QC_TRY(read_pem(d->conf->client_ca, &ca, err));
    QC_TRY(read_key(d->conf->key, &key, err));
    QC_TRY(kme_listen(&d->conf->at, d->conf->id, &s, err));
    d->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS | MHD_USE_ITC, 0, NULL, NULL, kme_http_handle, &d->http,
        MHD_OPTION_LISTEN_SOCKET, qc_fd_get(&s), MHD_OPTION_NOTIFY_COMPLETED, kme_http_completed, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)KME_CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)KME_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_HTTPS_MEM_CERT,
        (const char *)cert.p, MHD_OPTION_HTTPS_MEM_KEY, (const char *)qc_key_open(key).p,
        MHD_OPTION_HTTPS_MEM_TRUST, (const char *)ca.p, MHD_OPTION_END);
    if (d->daemon == NULL)
        return QC_FAIL(err, QC_FORMAT, "KME %s: certificate, key and client_ca cannot be used together",
                       d->conf->id);
    (void)QC_STEAL(s); /* microhttpd closes it */
    return QC_OK;
}

/* I5: what GnuTLS has of requests and answers is overwritten before its memory is given back. */
static void tls_memory_wipes(void)
{
#undef gnutls_free /* a macro over the variable */
    gnutls_free = qc_free_wiped;
}

qc_rc kme_doors_open(struct kme_doors **ret, struct kme *k, const struct kme_network *net, struct qc_err *err)
{
    QC_CLEANUP(kme_doors_close) struct kme_doors *d = qc_alloc(sizeof *d);
    if (d == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *d);
    d->kme = k;
    d->net = net;
    tls_memory_wipes();
    for (unsigned i = 0; i < net->doors; i++) {
        d->v[i].all = d;
        d->v[i].conf = &net->door[i];
        d->v[i].http = (struct kme_http){ .run = run, .cls = &d->v[i] };
        QC_TRY(open_door(&d->v[i], err));
    }
    *ret = QC_STEAL(d);
    return QC_OK;
}
