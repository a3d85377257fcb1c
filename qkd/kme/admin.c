#include "admin.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/unix.h"
#include "doors.h"
#include "http.h"

enum { CONNECTION_MEMORY = 32768 };

struct kme_admin {
    struct kme *kme;
    struct MHD_Daemon *socket, *page;
    struct kme_http http[2]; /* of socket, of page */
};

/* -- calls ----------------------------------------------------------------------------------------------- */

typedef qc_rc (*call_fn)(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err);

static qc_rc network(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    (void)c;
    return kme_network_json(k, ret, err);
}

static qc_rc page(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    (void)c;
    return kme_page(k, ret, err);
}

static qc_rc metrics(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    (void)c;
    return kme_metrics(k, ret, err);
}

static qc_rc fault(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    return kme_fault(k, c->body, ret, err);
}

static qc_rc exposed(struct kme *k, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    const char *node = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "node");
    const char *after = MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "after");
    return kme_exposed(k, node == NULL ? "" : node, after, ret, err);
}

static const struct call {
    const char *method, *url;
    bool page; /* at the page's port, too */
    call_fn run;
} calls[] = {
    { "GET", "/", true, page },
    { "GET", "/metrics", true, metrics },
    { "GET", "/admin/v1/network", true, network },
    { "GET", "/admin/v1/exposed", false, exposed },
    { "POST", "/admin/v1/fault", false, fault },
};

static qc_rc run(struct kme *k, bool at_page, const struct kme_call *c, struct kme_answer *ret,
                 struct qc_err *err)
{
    bool other = false;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].url, c->url) != 0 || (at_page && !calls[i].page))
            continue;
        if (strcmp(calls[i].method, c->method) == 0 && !c->too_large)
            return calls[i].run(k, c, ret, err);
        other = true;
    }
    return kme_error(ret, c->too_large ? 413 : other ? 405 : 404, "there is no such call", err);
}

static qc_rc run_socket(void *cls, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    const struct kme_admin *a = cls;
    return run(a->kme, false, c, ret, err);
}

static qc_rc run_page(void *cls, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err)
{
    const struct kme_admin *a = cls;
    return run(a->kme, true, c, ret, err);
}

/* -- doors ----------------------------------------------------------------------------------------------- */

void kme_admin_close(struct kme_admin **a)
{
    if (*a == NULL)
        return;
    if ((*a)->socket != NULL) {
        MHD_stop_daemon((*a)->socket);
        if (unlinkat(kme_dirfd((*a)->kme), KME_SOCKET, 0) != 0)
            QC_LOG(QC_LOG_WARN, "the socket's name stays", QC_S("name", KME_SOCKET));
    }
    if ((*a)->page != NULL)
        MHD_stop_daemon((*a)->page);
    qc_free(*a);
    *a = NULL;
}

/* Takes the socket over. */
static qc_rc start(struct qc_fd *s, struct kme_http *http, struct MHD_Daemon **ret, struct qc_err *err)
{
    *ret = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, kme_http_handle,
                            http, MHD_OPTION_LISTEN_SOCKET, qc_fd_get(s), MHD_OPTION_NOTIFY_COMPLETED,
                            kme_http_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)KME_CLIENTS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)KME_IDLE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (*ret == NULL)
        return QC_FAIL(err, QC_TEMP, "the operator's door does not open");
    (void)QC_STEAL(*s); /* microhttpd closes it */
    return QC_OK;
}

qc_rc kme_admin_open(struct kme_admin **ret, struct kme *k, const struct net_address *page_at,
                     struct qc_err *err)
{
    QC_CLEANUP(kme_admin_close) struct kme_admin *a = qc_alloc(sizeof *a);
    QC_CLEANUP(qc_fd_close) struct qc_fd s = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd p = { 0 };
    if (a == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *a);
    a->kme = k;
    a->http[0] = (struct kme_http){ .run = run_socket, .cls = a };
    a->http[1] = (struct kme_http){ .run = run_page, .cls = a };
    if (unlinkat(kme_dirfd(k), KME_SOCKET, 0) != 0 &&
        errno != ENOENT) /* kme.lock is ours: it is a dead one's */
        return QC_FAIL_OS(err, "the old %s", KME_SOCKET);
    QC_TRY(qc_unix_listen(kme_dirfd(k), KME_SOCKET, 0600, &s, err));
    QC_TRY(start(&s, &a->http[0], &a->socket, err));
    if (page_at->port != 0) {
        QC_TRY(kme_listen(page_at, "page", &p, err));
        QC_TRY(start(&p, &a->http[1], &a->page, err));
    }
    *ret = QC_STEAL(a);
    return QC_OK;
}
