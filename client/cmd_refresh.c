/* kit refresh: other shares of the same secrets. */
#include "client.h"

#include <inttypes.h>

#include "progress.h"
#include "text.h"

static qc_rc summary(struct client *c, const struct vault_refresh_result *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "generation", r->generation, err));
    QC_TRY(qc_json_set_bool(j, "went_on", r->went_on, err));
    QC_TRY(qc_json_set_int(j, "versions", (int64_t)r->versions, err));
    QC_TRY(qc_json_set_int(j, "left", (int64_t)r->left, err));
    QC_TRY(qc_json_set_int(j, "pending", (int64_t)r->pending, err));
    QC_TRY(qc_json_set_int(j, "tickets_cancelled", (int64_t)r->tickets, err));
    QC_TRY(qc_json_set_bool(j, "done", r->done, err));
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}

/* Which copies are worth nothing now, and which are worth something still. */
static void advise(struct client *c, const struct vault_refresh_result *r)
{
    struct out *o = &c->out;
    const bool derives[] = { vault_derives(c->vault, 1), vault_derives(c->vault, 2) };
    for (unsigned i = 0; i < 2; i++)
        if (derives[i])
            out_note(o,
                     "destroy each sheet of share %u that says generation %" PRIu32
                     " or less, and print another: qcloud kit print --share %u --to sheet%u.pdf",
                     i + 1, r->generation - 1, i + 1, i + 1);
    out_note(o,
             "destroy what was copied of %s and of %s before now: backups, images, old sticks. They open "
             "nothing with what the gateway gives from now on",
             c->conf.share[0], c->conf.share[1]);
    out_note(
        o, "they do open what was stored till now with backup data that somebody kept: who had the gateway, "
           "or gets its root key (its disk, or enough clouds), for its log has the old one");
    if (r->tickets > 0)
        out_note(o, "%" PRIu64 " ticket%s void, for %s a share of before: qcloud tickets draw makes others",
                 r->tickets, r->tickets == 1 ? " is" : "s are", r->tickets == 1 ? "it had" : "they had");
    if (r->pending > 0)
        out_note(o,
                 "%" PRIu64
                 " put%s under way, or never came to an end: what comes of %s is refreshed when this "
                 "is run the next time",
                 r->pending, r->pending == 1 ? " is" : "s are", r->pending == 1 ? "it" : "them");
}

qc_rc cmd_kit_refresh(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct vault_refresh_result r = { 0 };
    struct progress p;
    (void)args;
    QC_TRY(client_open(c, err));
    struct vault_call call = client_call_shown(c, &p, QC_LIT("kit refresh"), "versions", false);
    const qc_rc rc = vault_refresh(c->vault, &call, &r, err);
    progress_end(&p);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    QC_TRY(summary(c, &r, err));
    if (!r.done)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " version%s refreshed; %" PRIu64
                       " could not be, and open by their old shares",
                       r.versions, r.versions == 1 ? " is" : "s are", r.left);
    out_note(&c->out,
             "the shares are new, of generation %" PRIu32 ": of %" PRIu64 " version%s, and of the names%s",
             r.generation, r.versions, text_s(r.versions), r.went_on ? " (an earlier run is finished)" : "");
    advise(c, &r);
    return QC_OK;
}
