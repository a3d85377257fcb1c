/* kit refresh: other shares of the same secrets. */
#include "client.h"

#include <inttypes.h>

#include "home/keeper.h"
#include "progress.h"
#include "text.h"
#include "vault/keepers.h"

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
             "nothing with what the %s gives from now on",
             c->conf.share[0], c->conf.share[1], vault_is_kept(c->vault) ? "keeper" : "gateway");
    out_note(o, "they do open what was stored till now with backup data that somebody kept: who had the %s",
             vault_is_kept(c->vault) ? "keeper's place, or has an older copy of it"
                                     : "gateway, or gets its root key (its disk, or enough clouds), for its "
                                       "log has the old one");
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

/* Another keeper: it is made, and the configuration names it, before it is filled: from then on nothing is
 * stored before the refresh is at its end. before: the old one's address. */
static qc_rc take_keeper(struct client *c, const struct qc_args *args, char before[CONF_KEEPER_MAX],
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_CONF_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf fresh = { .max = QC_CLIENT_CONF_MAX };
    const struct vault_call call = client_call(c);
    bool given = false;
    memcpy(before, c->conf.keeper, CONF_KEEPER_MAX);
    QC_TRY(client_take_keeper(c, args, &given, err));
    QC_TRY(client_open(c, err)); /* a vault without a keeper says so */
    if (!given)
        return QC_OK; /* vault_refresh looks at it */
    QC_TRY(client_keeper_apart_now(c, err));
    const char *credentials = c->conf.keeper_credentials[0] != '\0' ? c->conf.keeper_credentials : NULL;
    QC_TRY(home_keeper_make(c->conf.keeper, credentials, &call.op, err));
    QC_TRY(conf_text(&c->places, &text, err));
    QC_TRY(conf_set_keeper(qc_buf_span(&text), c->conf.keeper, credentials, &fresh, err));
    return conf_save_text(&c->places, qc_buf_span(&fresh), err);
}

/* It is said before anything is done and again when that came to no end: who is killed says nothing, and the
 * configuration names the new one by now. */
static void keep_before(struct client *c, const char *before)
{
    out_note(
        &c->out,
        "what is not refreshed yet has its backup data at %s alone: keep that till qcloud kit refresh says "
        "that it is at its end",
        before);
}

/* Only of those that are another place: one by another name has all that there is. */
static void tell_end(struct client *c, const struct vault_refresh_result *r)
{
    const char *now = c->conf.keeper;
    for (size_t i = 0; vault_keeper_before(c->vault, i) != NULL; i++) {
        const char *before = vault_keeper_before(c->vault, i);
        if (r->pending > 0)
            out_note(&c->out,
                     "the keeper is %s now; what is under way may have its backup data at %s: keep that till "
                     "qcloud kit refresh finds nothing under way, then remove it",
                     now, before);
        else
            out_note(&c->out,
                     "the keeper is %s now; what is left at %s opens nothing with the new shares: remove it",
                     now, before);
    }
}

qc_rc cmd_kit_refresh(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct vault_refresh_result r = { 0 };
    struct progress p;
    char before[CONF_KEEPER_MAX];
    QC_TRY(take_keeper(c, args, before, err));
    const bool changes = before[0] != '\0' && strcmp(before, c->conf.keeper) != 0;
    if (changes)
        keep_before(c, before);
    struct vault_call call = client_call_shown(c, &p, QC_LIT("kit refresh"), "versions", false);
    const qc_rc rc = vault_refresh(c->vault, &call, &r, err);
    progress_end(&p);
    client_tell_notes(c, rc, (qc_span){ 0 });
    if (rc != QC_OK || !r.done)
        for (size_t i = 0; vault_keeper_before(c->vault, i) != NULL; i++)
            keep_before(c, vault_keeper_before(c->vault, i));
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
    tell_end(c, &r);
    return QC_OK;
}
