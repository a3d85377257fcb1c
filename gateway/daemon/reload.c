#include "reload.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* A log that was moved away goes on under its old name. The new file takes the descriptor's number. */
qc_rc reload_log(const struct serve_options *o, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    if (o->log_file == NULL || !qc_fd_is(o->log))
        return QC_OK;
    QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, o->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                         0600, err),
              err, "log");
    if (dup3(qc_fd_get(&fd), qc_fd_get(o->log), O_CLOEXEC) < 0)
        return QC_FAIL_OS(err, "log");
    return QC_OK;
}

static bool same_address(const struct conf_address *a, const struct conf_address *b)
{
    return a->is == b->is && a->v6 == b->v6 && a->port == b->port;
}

static bool same_want(const struct net_want *a, const struct net_want *b)
{
    return a->least == b->least && a->key_s == b->key_s && a->key_bytes == b->key_bytes;
}

static bool same_levels(const struct conf_levels *a, const struct conf_levels *b)
{
    bool same = same_want(&a->all, &b->all) && a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++)
        same = same_want(&a->tenants[i].want, &b->tenants[i].want) &&
               strcmp(a->tenants[i].name, b->tenants[i].name) == 0;
    return same;
}

static bool same_qkd(const struct conf_qkd *a, const struct conf_qkd *b)
{
    bool same = a->address.port == b->address.port && strcmp(a->address.host, b->address.host) == 0 &&
                a->count == b->count && memcmp(&a->way, &b->way, sizeof a->way) == 0;
    for (unsigned i = 0; same && i < a->count; i++)
        same = strcmp(a->peers[i], b->peers[i]) == 0;
    return same;
}

/* What is looked at when the gateway starts, and then no more. */
static void compare(const struct conf *a, const struct conf *b, char restart[RELOAD_NAMES])
{
    const struct {
        const char *name;
        bool same;
    } rows[] = {
        { "gateway.state", strcmp(a->state, b->state) == 0 },
        { "gateway.log-file", strcmp(a->log_file, b->log_file) == 0 },
        { "gateway.stop-seconds", a->stop_s == b->stop_s },
        { "listen.socket", strcmp(a->socket, b->socket) == 0 },
        { "listen.socket-mode", a->socket_mode == b->socket_mode },
        { "listen.address", same_address(&a->address, &b->address) },
        { "listen.certificate", (a->certificate[0] == '\0') == (b->certificate[0] == '\0') },
        { "monitor.address", same_address(&a->monitor, &b->monitor) },
        { "audit.log", a->audit == b->audit },
        { "audit.rotate", a->audit_rotate == b->audit_rotate },
        { "audit.keep", a->audit_keep == b->audit_keep },
        { "levels", same_levels(&a->levels, &b->levels) },
        { "qkd", same_qkd(&a->qkd, &b->qkd) },
        { "limits.connections", a->connections == b->connections },
    };
    size_t n = 0;

    restart[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!rows[i].same)
            n += (size_t)snprintf(restart + n, RELOAD_NAMES - n, "%s%s", n == 0 ? "" : " ", rows[i].name);
    QC_ASSERT(n < RELOAD_NAMES); /* all of them fit */
}

qc_rc reload_config(const struct serve_options *o, struct doors *doors, char restart[RELOAD_NAMES],
                    struct qc_err *err)
{
    static struct conf conf; /* 20 KiB of paths */

    QC_TRY(reload_log(o, err));
    QC_TRY(conf_load(o->config, &conf, err));
    compare(&conf, o->conf, restart);
    QC_TRY(doors_renew(doors, &conf, err));
    qc_log_change(conf.log_level, conf.json_log);
    return QC_OK;
}
