#include "home/revival.h"

#include "base/thread.h"
#include "home/gateway_start.h"

void revival_init(struct revival *r, const char *state, uint32_t idle_s)
{
    if (r->ready) /* a second connection of one command: the count goes on */
        return;
    *r = (struct revival){ .state = state, .idle_s = idle_s, .ready = true };
    qc_mutex_init(&r->lock);
}

void revival_done(struct revival *r)
{
    if (r->ready)
        qc_mutex_done(&r->lock);
    r->ready = false;
}

void revival_again(struct revival *r)
{
    if (!r->ready)
        return;
    QC_LOCK(&r->lock);
    r->starts = r->told = 0;
    qc_err_clear(&r->why);
}

static qc_rc start(struct revival *r, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    if (r->starts == QC_CLIENT_REVIVE_MAX)
        return QC_FAIL(err, QC_TEMP, "it ended %u times", r->starts + 1);
    r->starts++;
    return gateway_ensure(r->state, r->idle_s, op->deadline, op->cancel, &dir, err);
}

/* Nobody, or somebody whom another thread or command has started meanwhile. */
static bool answers(const struct revival *r)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err why = { 0 };
    return qc_dir_open(&dir, r->state, &why) == QC_OK && gateway_answers(qc_fd_get(&dir), &why) == QC_OK;
}

static qc_rc revive(void *ctx, const struct vault_op *op, struct qc_err *err)
{
    struct revival *r = ctx;
    struct qc_err why = { 0 };
    QC_LOCK(&r->lock);
    if (r->why.rc == QC_OK) {
        if (answers(r) || start(r, op, &why) == QC_OK)
            return QC_OK;
        QC_TRY(qc_go_on(op->deadline, op->cancel, "starting the gateway anew", err));
        /* To the library a gateway that cannot be had is a failure of contact, whatever it ended with. */
        qc_err_set(&r->why, QC_TEMP, QC_HERE,
                   "the gateway has ended and does not start again: %s (log: %s/%s)", why.msg, r->state,
                   GATEWAY_LOG);
        r->why.next = why.next;
    }
    *err = r->why;
    return QC_TEMP;
}

struct vault_gw_revive revival_hook(struct revival *r)
{
    return (struct vault_gw_revive){ .fn = revive, .ctx = r };
}

unsigned revival_news(struct revival *r)
{
    if (!r->ready)
        return 0;
    QC_LOCK(&r->lock);
    unsigned n = r->starts - r->told;
    r->told = r->starts;
    return n;
}

bool revival_is_over(struct revival *r)
{
    if (!r->ready)
        return false;
    QC_LOCK(&r->lock);
    return r->why.rc != QC_OK;
}
