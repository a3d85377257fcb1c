#include "caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"

/* The socket's mode keeps others out; this holds where a directory's rights were opened by mistake. */
static qc_rc check_peer(struct MHD_Connection *connection, struct qc_err *err)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer = { 0 };
    socklen_t n = sizeof peer;
    if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
        return QC_FAIL(err, QC_AUTH, "the peer cannot be identified");
    if (peer.uid != geteuid())
        return QC_FAIL(err, QC_AUTH, "another user's connection");
    return QC_OK;
}

/* All Authorization headers of a request. */
struct found {
    unsigned count;
    char *text;
};

static enum MHD_Result find(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct found *f = cls;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) != 0 || value == NULL)
        return MHD_YES;
    f->count++;
    f->text = (char *)(uintptr_t)value; /* microhttpd's own copy of what came: auth_parse overwrites it */
    return MHD_YES;
}

static qc_rc show_token(struct request *r, struct gw_tenant *ret, struct qc_err *err)
{
    uint8_t hash[QC_SHA256_BYTES];
    struct found f = { 0 };
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, find, &f);
    if (f.count > 1)
        return QC_FAIL(err, QC_USAGE, "more than one Authorization");
    if (f.count == 0)
        return QC_FAIL(err, QC_AUTH, "Authorization: Bearer and a token of this gateway are needed");
    QC_TRY(auth_parse(f.text, hash, err));
    return gw_tenant_of_token(r->server->engine, hash, ret, err);
}

static qc_rc tenant_enters(struct request *r, struct qc_err *err)
{
    struct gw_tenant t;
    const qc_rc rc = show_token(r, &t, err);
    if (rc == QC_AUTH) { /* RFC 9110 11.6.1 */
        r->refused = MHD_HTTP_UNAUTHORIZED;
        r->header = MHD_HTTP_HEADER_WWW_AUTHENTICATE;
        (void)snprintf(r->header_text, sizeof r->header_text, "Bearer realm=\"qcloud-gateway\"");
    }
    if (rc == QC_AUTH)
        qc_count_add(&r->server->figures.refused, 1);
    QC_TRY(rc);
    if (!t.enabled)
        return QC_FAIL(err, QC_AUTH, "the operator of the gateway has disabled this tenant");
    r->tenant = t.id;
    r->wanted = levels_wanted(&r->server->levels, t.name);
    const qc_rc room = visitors_begin(&r->server->visitors, r->visitor, t.id, t.limits.requests, err);
    if (room != QC_OK)
        r->refused = MHD_HTTP_TOO_MANY_REQUESTS;
    return room;
}

/* A page of another site may make a browser on this machine call here, under a name of its own that leads to
 * this address: its name is in Host. */
static qc_rc check_host(struct request *r, struct qc_err *err)
{
    static const char *const ours[] = { "127.0.0.1", "[::1]", "localhost" };
    const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

    for (size_t i = 0; host != NULL && i < sizeof ours / sizeof ours[0]; i++) {
        const size_t n = strlen(ours[i]);
        if (strncasecmp(host, ours[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
            return QC_OK;
    }
    r->refused = MHD_HTTP_MISDIRECTED_REQUEST;
    return QC_FAIL(err, QC_AUTH, "Host: 127.0.0.1, [::1] or localhost is expected here");
}

qc_rc caller_identify(struct request *r, struct qc_err *err)
{
    r->wanted = &r->server->levels.conf.all;
    if (r->door->owner)
        return check_peer(r->connection, err);
    if (r->door->monitor)
        return check_host(r, err);
    return tenant_enters(r, err);
}

qc_rc caller_may(const struct request *r, struct qc_err *err)
{
    if (r->door->owner || (r->door->monitor ? r->route->who == WHO_WATCHER : r->route->who == WHO_ANY))
        return QC_OK;
    return QC_FAIL(err, QC_AUTH, "this call is the operator's, at the gateway's own socket");
}

const char *caller_told(const struct request *r, const struct qc_err *why)
{
    static const qc_rc own[] = { QC_USAGE, QC_NOTFOUND, QC_CONFLICT, QC_LIMIT, QC_QUOTA, QC_AUTH };
    if (r->door->owner || (why->rc == QC_FORMAT && !r->understood) || r->refused != 0)
        return why->msg;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (why->rc == own[i])
            return why->msg;
    return qc_rc_text(why->rc);
}
