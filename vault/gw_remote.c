/* Gateways for many users: their addresses, and a token at the door. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "gw_http.h"

/* The path of "unix:/path", or NULL. */
static const char *socket_path(const char *url)
{
    return strncmp(url, "unix:", 5) == 0 ? url + 5 : NULL;
}

static const char keyed_scheme[] = "qkd-tls://";
enum { KEYED_SCHEME = sizeof keyed_scheme - 1 };

bool vault_gw_url_keyed(const char *url)
{
    return strncmp(url, keyed_scheme, KEYED_SCHEME) == 0;
}

/* HTTP over TLS, whatever keys it. */
static qc_rc parse_url(const char *url, struct net_url *ret, struct qc_err *err)
{
    char https[NET_URL_SIZE_MAX + 1];
    if (!vault_gw_url_keyed(url))
        return net_url_parse(url, ret, err);
    const int n = snprintf(https, sizeof https, "https://%s", url + KEYED_SCHEME);
    if (n < 0 || (size_t)n >= sizeof https)
        return QC_FAIL(err, QC_USAGE, "an address longer than %d bytes", NET_URL_SIZE_MAX);
    return net_url_parse(https, ret, err);
}

static qc_rc check_path(const char *path, struct qc_err *err)
{
    const size_t n = strlen(path);
    if (path[0] != '/' || path[n - 1] == '/')
        return QC_FAIL(err, QC_USAGE, "unix: and the absolute path of a socket are needed");
    if (n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "the path has more than %d bytes", QC_CLIENT_PATH_MAX - 1);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
            return QC_FAIL(err, QC_USAGE, "the path has a control character");
    if (path[n - 1] == ' ')
        return QC_FAIL(err, QC_USAGE, "the path ends with a blank");
    return QC_OK;
}

qc_rc vault_gw_url_check(const char *url, struct qc_err *err)
{
    struct net_url parsed;
    const char *path = socket_path(url);
    return path != NULL ? check_path(path, err) : parse_url(url, &parsed, err);
}

static qc_rc connect_socket(struct gw_http *h, const char *path, struct qc_err *err)
{
    char dir[QC_CLIENT_PATH_MAX];
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const char *slash = strrchr(path, '/');
    const size_t n = slash == path ? 1 : (size_t)(slash - path);
    QC_ASSERT(n < sizeof dir);
    memcpy(dir, path, n);
    dir[n] = '\0';
    const qc_rc rc = qc_dir_open(&fd, dir, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_TEMP, "the gateway is not running (no socket '%s')", h->name);
    QC_TRY_AS(rc, err, "the gateway's socket '%s'", path);
    return net_client_new_unix(&h->net, qc_fd_get(&fd), slash + 1, err);
}

/* What protects the way to an address by itself: nobody listens at a socket of this machine. */
static enum net_level url_level(const char *url)
{
    if (socket_path(url) != NULL)
        return NET_OTP;
    if (vault_gw_url_keyed(url))
        return NET_QKD_TLS;
    return strncmp(url, "https:", 6) == 0 ? NET_TLS : NET_PLAIN;
}

qc_rc vault_gw_way_check(const char *url, const char *link, const char *least, struct qc_err *err)
{
    enum net_level level = NET_PLAIN;
    if (link != NULL && (link[0] != '/' || least == NULL))
        return QC_FAIL(err, QC_USAGE,
                       "link: expected the absolute path of a qcloud-link's socket, and a level");
    if (link != NULL && strncmp(url, "http:", 5) != 0)
        return QC_FAIL(err, QC_USAGE, "link: it is entered at http://127.0.0.1:PORT, and the gateway is %s",
                       url);
    if (least != NULL)
        QC_TRY_AS(net_level_parse(least, &level, err), err, "level");
    if (link == NULL && level > url_level(url))
        return QC_FAIL(err, QC_USAGE, "level: %s, where without a link there is %s", least,
                       net_level_name(url_level(url)));
    return QC_OK;
}

static qc_rc watch_link(struct gw_http *h, const struct vault_gw_remote *r, struct qc_err *err)
{
    if (r->link == NULL) {
        h->least = socket_path(r->url) != NULL ? NET_DOWN : url_level(r->url);
        return QC_OK;
    }
    if ((h->link = qc_strdup(r->link)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    QC_TRY(net_level_parse(r->least, &h->least, err));
    return net_watch_new(&h->watch, r->link, &(struct net_want){ .least = h->least }, err);
}

/* keyed: goes over, or NULL. */
static qc_rc make(struct vault_gw **ret, const struct vault_gw_remote *r, struct gw_keyed *keyed,
                  struct qc_err *err)
{
    QC_CLEANUP(gw_http_free) struct gw_http *h = NULL;
    struct net_url url;
    const char *path = socket_path(r->url);
    const qc_rc rc = gw_http_blank(&h, r->url, err);
    if (rc != QC_OK) {
        gw_keyed_free(&keyed);
        return rc;
    }
    h->keyed = keyed;
    if (r->ca != NULL && (h->ca = qc_strdup(r->ca)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    QC_TRY(watch_link(h, r, err));
    if (path != NULL) {
        QC_TRY(connect_socket(h, path, err));
    } else {
        QC_TRY(parse_url(r->url, &url, err));
        QC_TRY(net_client_new_url(&h->net, &url, r->ca, err));
    }
    if (h->keyed != NULL)
        net_client_keyed(h->net, gw_keyed_net(h->keyed));
    h->token = r->token;
    net_client_bearer(h->net, h->token);
    *ret = &QC_STEAL(h)->gw;
    return QC_OK;
}

qc_rc vault_gw_remote_new(struct vault_gw **ret, const struct vault_gw_remote *r, struct qc_err *err)
{
    struct gw_keyed *keyed = NULL;
    QC_ASSERT(r->token != NULL);
    QC_TRY(vault_gw_url_check(r->url, err));
    if (vault_gw_url_keyed(r->url) != (r->qkd != NULL))
        return QC_FAIL(err, QC_NOTCONF, "section [qkd] and the address qkd-tls:// belong together");
    if (r->qkd != NULL)
        QC_TRY(gw_keyed_new(&keyed, r->qkd, err));
    return make(ret, r, keyed, err);
}

qc_rc gw_remote_clone(const struct gw_http *h, struct vault_gw **ret, struct qc_err *err)
{
    const struct vault_gw_remote r = {
        .url = h->name,
        .ca = h->ca,
        .token = h->token,
        .link = h->link,
        .least = net_level_name(h->least) /* not read where there is no link */
    };
    return make(ret, &r, h->keyed == NULL ? NULL : gw_keyed_ref(h->keyed), err);
}

void gw_remote_advise(const struct gw_http *h, struct qc_err *err, int status)
{
    if (err->rc == QC_LINK && h->keyed != NULL && status == 0)
        err->next =
            "see that the key managers of both ends run and have keys, and to section [qkd] of qcloud.conf, "
            "then the same command again";
    if (err->rc != QC_AUTH)
        return;
    if (status == 401)
        err->next = "ask the operator of the gateway for a token, and put it in the token file, mode 0600";
    else if (status != 0)
        err->next = "ask the operator of the gateway";
    else if (socket_path(h->name) != NULL)
        err->next = "ask the operator of the gateway for access to its socket";
    else
        err->next = "name the file of the authority that vouches for the gateway: init --ca FILE, or ca in "
                    "qcloud.conf, section [gateway]";
}
