/* tickets draw, tickets cancel: puts while share store 2 is elsewhere. */
#include "client.h"

#include <inttypes.h>

#include "text.h"

static qc_rc summary(struct client *c, const char *key, uint64_t n, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, key, (int64_t)n, err));
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}

qc_rc cmd_tickets_draw(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    uint64_t want = 0, have = 0;
    QC_TRY(qc_parse_u64(args->argv[0], "how many tickets", false, &want, err));
    if (want < 1 || want > QC_VAULT_TICKETS_MAX)
        return QC_FAIL(err, QC_USAGE, "%" PRIu64 " tickets: expected 1 to %d", want, QC_VAULT_TICKETS_MAX);
    QC_TRY(client_open(c, err));
    struct vault_call call = client_call(c);
    const qc_rc rc = vault_tickets_draw(c->vault, want, &call, &have, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    out_note(&c->out,
             "share store 1 (%s) has %" PRIu64
             " ticket%s: as many puts go on while share store 2 is not there",
             c->conf.share[0], have, text_s(have));
    out_note(&c->out,
             "whoever copies share store 1 now, and has its passphrase, has both shares of what is put with "
             "these tickets later; a ticket is wiped at its use");
    return summary(c, "tickets", have, err);
}

qc_rc cmd_tickets_cancel(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    uint64_t n = 0;
    (void)args;
    QC_TRY(client_open(c, err));
    struct vault_call call = client_call(c);
    const qc_rc rc = vault_tickets_cancel(c->vault, &call, &n, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    out_note(&c->out, "%" PRIu64 " ticket%s void", n, n == 1 ? " is" : "s are");
    return summary(c, "cancelled", n, err);
}
