#include "meter.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

void meter_note(struct client *c)
{
    const struct vault_gw_traffic *t = &c->traffic;
    char sent[TEXT_SIZE], received[TEXT_SIZE], written[TEXT_SIZE];
    text_size(t->sent, sent);
    text_size(t->received, received);
    text_size(c->written, written);
    out_note(&c->out, "%" PRIu64 " request%s to the gateway: %s sent, %s received%s%s", (uint64_t)t->requests,
             text_s(t->requests), sent, received, c->written > 0 ? "; fragments on clouds: " : "",
             c->written > 0 ? written : "");
}

qc_rc meter_json(const struct client *c, struct json_t *ret, struct qc_err *err)
{
    QC_TRY(qc_json_set_int(ret, "requests", (int64_t)c->traffic.requests, err));
    QC_TRY(qc_json_set_int(ret, "sent", (int64_t)c->traffic.sent, err));
    QC_TRY(qc_json_set_int(ret, "received", (int64_t)c->traffic.received, err));
    return c->written > 0 ? qc_json_set_int(ret, "written", (int64_t)c->written, err) : QC_OK;
}

static qc_rc summary(struct client *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(meter_json(c, j, err));
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}

void meter_end(struct client *c)
{
    struct qc_err none = { 0 };
    if (c->out.class == MSG_SYNC) /* it has told so already */
        return;
    if (c->stats || (c->metered && c->out.verbose))
        meter_note(c);
    if (c->metered && c->end.extra == NULL)
        qc_ignore(summary(c, &none), "no memory: the result is told without it");
}

void meter_add(struct client *c, const struct client *site)
{
    c->traffic.requests += site->traffic.requests;
    c->traffic.sent += site->traffic.sent;
    c->traffic.received += site->traffic.received;
}

void meter_give_way(struct client *c)
{
    enum { WHO_PROCESS = 1, CLASS_IDLE = 3, CLASS_SHIFT = 13 }; /* ioprio_set(2) has no header */
    if (!c->nice)
        return;
    c->nice = false; /* once */
    errno = 0;
    const int now = getpriority(PRIO_PROCESS, 0);
    if (now < QC_CLIENT_NICE && (errno != 0 || setpriority(PRIO_PROCESS, 0, QC_CLIENT_NICE) != 0))
        out_reason(&c->out, "the processor's priority stays as it is: errno %d", errno);
    if (syscall(SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE << CLASS_SHIFT) != 0)
        out_reason(&c->out, "the disk's priority stays as it is: errno %d", errno);
}
