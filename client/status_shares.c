/* What status says of the share stores. */
#include <inttypes.h>

#include "signals.h"
#include "status.h"
#include "text.h"
#include "vault/keeper.h"

enum { FEW_TICKETS = 10 };

static const char *state_of(const struct status *s, unsigned i)
{
    qc_rc rc = s->local.share[i].rc;
    if (s->local.share[i].filling)
        return "partial";
    if (rc == QC_OK || rc == QC_SHARES)
        return rc == QC_OK ? "ok" : "missing";
    bool shut = rc == QC_NOPASS || rc == QC_PASSPHRASE || rc == QC_NOMEM || rc == QC_TEMP;
    return s->local.share[i].locked && shut ? "locked" : "damaged";
}

/* Why a store cannot be opened, without the words that say which one. */
static const char *reason_of(const struct status *s, unsigned i)
{
    const char *text = s->local.share[i].text;
    const char *dir = s->c->conf.share[i];
    const char *at = strstr(text, dir);
    if (strncmp(text, "share store ", 12) != 0 || at == NULL || strncmp(at + strlen(dir), "): ", 3) != 0)
        return text;
    return at + strlen(dir) + 3;
}

bool status_is_sealed(const struct status *s)
{
    return s->local.share[0].recovers || s->local.share[1].recovers;
}

/* -- the keeper -------------------------------------------------------------------------------------------
 */

/* Is the keeper a directory on the device of a share store? What takes that leaves too little. */
static bool beside_store(const struct status *s)
{
    uint64_t device = 0;
    if (!client_keeper_device(s->c, &device))
        return false;
    return device == s->local.share[0].device || device == s->local.share[1].device;
}

/* While no store could be opened, the configuration's word is taken. */
qc_rc status_keeper_look(struct status *s, const struct vault_conf *conf, struct qc_err *err)
{
    const bool asked = s->local.share[0].rc == QC_OK || s->local.share[1].rc == QC_OK;
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_SETTLE_MS), .cancel = signals_cancel() };
    s->kept = s->local.share[0].kept || s->local.share[1].kept || (!asked && conf->keeper != NULL);
    if (!s->kept)
        return QC_OK;
    s->beside_store = beside_store(s);
    if (conf->keeper == NULL) {
        qc_err_set(&s->keeper.why, QC_NOTCONF, QC_HERE, "the configuration does not say where it is");
        return QC_OK;
    }
    return vault_status_keeper(&s->keeper, conf, &op, err);
}

static void tell_before(struct status *s)
{
    for (size_t i = 0; i < s->keeper.stores.before_count; i++)
        out_row(&s->c->out, 9, "before:  %s was the keeper, and %s backup data of what %s: keep it",
                s->keeper.stores.before[i], status_keeper_changes(s) ? "has" : "may have",
                status_keeper_changes(s)
                    ? "is not refreshed yet"
                    : "was under way then, till qcloud kit refresh finds nothing under way");
}

/* Why not, without the words that say which one. */
static const char *keeper_reason(const struct status *s)
{
    const char *at = strstr(s->keeper.why.msg, s->c->conf.keeper);
    const size_t n = strlen(s->c->conf.keeper);
    return n > 0 && at != NULL && strncmp(at + n, "): ", 3) == 0 ? at + n + 3 : s->keeper.why.msg;
}

static const char *keeper_state(const struct status *s)
{
    return s->keeper.why.rc == QC_OK          ? "ok"
           : s->keeper.why.rc == QC_NOTFOUND  ? "empty"
           : s->keeper.stale                  ? "stale"
           : s->keeper.why.rc == QC_INTEGRITY ? "damaged"
           : s->keeper.why.rc == QC_NOTCONF   ? "unknown"
           : s->keeper.why.rc == QC_USAGE     ? "shared"
                                              : "away";
}

qc_rc status_keeper_json(const struct status *s, struct json_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *before = NULL;
    if (!s->kept)
        return QC_OK;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(text_json(j, "url", qc_span_str(s->c->conf.keeper), err));
    QC_TRY(qc_json_set_str(j, "state", keeper_state(s), err));
    QC_TRY(text_json(j, "why", qc_span_str(s->keeper.why.msg), err));
    QC_TRY(qc_json_new_arr(&before, err));
    for (size_t i = 0; i < s->keeper.stores.before_count; i++)
        QC_TRY(qc_json_append_str(before, s->keeper.stores.before[i], err));
    QC_TRY(qc_json_set(j, "before", &before, err));
    return qc_json_set(ret, "keeper", &j, err);
}

/* One that a recovery has not filled yet, beside what it is filled from. */
static void tell_partial(const struct status *s, unsigned i, const char *dir)
{
    char of[32] = "";
    if (s->local.share[1 - i].rc == QC_OK)
        (void)snprintf(of, sizeof of, " of %" PRIu64, s->local.share[1 - i].records);
    out_row(&s->c->out, 9,
            "share %u: partial  %s  %" PRIu64
            "%s records: it counts as lost till qcloud recover --share %u is at its "
            "end",
            i + 1, dir, s->local.share[i].records, of, i + 1);
}

void status_tell_shares(struct status *s)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *named = conf_named(&s->c->conf, i);
        const char *dir = conf_absent(&s->c->conf, i) != NULL ? named : s->c->conf.share[i];
        if (s->local.share[i].rc == QC_OK)
            out_row(&s->c->out, 9, "share %u: ok       %s%s%s%s  %" PRIu64 " record%s%s%s%s", i + 1, dir,
                    named != NULL ? " (" : "", named != NULL ? named : "", named != NULL ? ")" : "",
                    s->local.share[i].records, text_s(s->local.share[i].records),
                    s->local.share[i].derived ? "  (from a seed)" : "",
                    s->local.share[i].locked ? "  (under a passphrase)" : "",
                    s->local.share[i].writable ? "" : "  (read-only)");
        else if (s->local.share[i].filling)
            tell_partial(s, i, dir);
        else
            out_row(&s->c->out, 9, "share %u: %-7s  %s  (%s)", i + 1, state_of(s, i), dir,
                    s->local.share[i].rc == QC_NOPASS ? "under a passphrase; not looked into"
                                                      : reason_of(s, i));
    }
    if (status_is_sealed(s))
        out_row(
            &s->c->out, 9,
            "recovery: backup data is sealed: while a share store is not there, nothing opens without the "
            "recovery kit, and the budget counts on its sheet");
    if (s->kept)
        out_row(&s->c->out, 9,
                "keeper:  %-7s  %s%s%s%s  every put needs it, and a get while a share store is not there",
                keeper_state(s), s->c->conf.keeper, s->keeper.why.rc == QC_OK ? "" : "  (",
                s->keeper.why.rc == QC_OK ? "" : keeper_reason(s), s->keeper.why.rc == QC_OK ? "" : ")");
    tell_before(s);
    if (s->local.share[0].tickets > 0)
        out_row(&s->c->out, 9, "tickets: %" PRIu64 " left for puts while share store 2 is elsewhere%s",
                s->local.share[0].tickets,
                s->local.share[0].tickets < FEW_TICKETS
                    ? "; few are left: with it plugged in, qcloud tickets draw N"
                    : "");
    if (s->local.refreshing)
        out_row(&s->c->out, 9, "refresh: begun, and not at its end; qcloud kit refresh goes on with it");
    const uint64_t settled = s->local.unfinished - s->local.waiting;
    if (settled > 0)
        out_row(&s->c->out, 9, "unfinished: %" PRIu64 " interrupted put%s; the next put or rm settles %s",
                settled, text_s(settled), settled == 1 ? "it" : "them");
    if (s->local.waiting > 0)
        out_row(&s->c->out, 9,
                "unfinished: %" PRIu64
                " interrupted put%s that the same put goes on with (rm of the name gives %s up)",
                s->local.waiting, text_s(s->local.waiting), s->local.waiting == 1 ? "it" : "them");
}

qc_rc status_share_json(const struct status *s, unsigned i, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "share", i + 1, err));
    QC_TRY(text_json(j, "dir", qc_span_str(s->c->conf.share[i]), err));
    if (conf_named(&s->c->conf, i) != NULL)
        QC_TRY(text_json(j, "disk", qc_span_str(conf_named(&s->c->conf, i)), err));
    QC_TRY(qc_json_set_str(j, "state", state_of(s, i), err));
    QC_TRY(qc_json_set_bool(j, "passphrase", s->local.share[i].locked, err));
    QC_TRY(qc_json_set_bool(j, "writable", s->local.share[i].writable, err));
    QC_TRY(qc_json_set_bool(j, "derived", s->local.share[i].derived, err));
    QC_TRY(qc_json_set_bool(j, "recovery_kit", s->local.share[i].recovers, err));
    QC_TRY(qc_json_set_int(j, "tickets", (int64_t)s->local.share[i].tickets, err));
    QC_TRY(qc_json_set_int(j, "records", (int64_t)s->local.share[i].records, err));
    QC_TRY(qc_json_set_int(j, "pending", (int64_t)s->local.share[i].pending, err));
    QC_TRY(text_json(j, "why", qc_span_str(s->local.share[i].text), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}
