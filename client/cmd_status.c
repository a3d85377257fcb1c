/* status: what there is, what may be lost, what a thief would need. */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "last_drill.h"
#include "looks.h"
#include "remote.h"
#include "statement.h"
#include "status.h"
#include "text.h"

#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */
enum { WHEN = QC_TIME_TEXT + 24 };

void status_done(struct status *s)
{
    qc_buf_free(&s->text);
    vault_keeper_status_done(&s->keeper);
    qc_json_free(&s->gateway);
    qc_json_free(&s->drill);
    qc_json_free(&s->reasons);
}

static qc_rc ask_gateway(struct status *s, struct qc_err *err)
{
    struct client *c = s->c;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_call call = client_call(c);
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    s->text.max = QC_JSON_MAX;
    QC_TRY(gw->ops->status(gw, &s->text, &call.op, err));
    if (remote_is(c) && !vault_gw_way_now(gw, &s->way, s->way_key, sizeof s->way_key))
        s->way = NULL;
    QC_TRY(qc_json_parse(&s->gateway, qc_buf_span(&s->text), err));
    QC_TRY(client_renew_clouds(c, gw, false, err));
    return client_has_vault(c, gw, &call.op, err); /* another one's clouds may be as well as can be */
}

/* Fragments that do not count there. A tenant is not told. */
static qc_rc owed_by(const struct json_t *cloud, int64_t *ret, struct qc_err *err)
{
    struct json_t *debts = NULL;
    *ret = 0;
    if (!qc_json_has(cloud, "debts"))
        return QC_OK;
    QC_TRY(qc_json_obj(cloud, "debts", &debts, err));
    return qc_json_int(debts, "fragments", 0, INT64_MAX, ret, err);
}

static qc_rc count_clouds(struct status *s, struct qc_err *err)
{
    struct json_t *clouds = NULL;
    QC_TRY(qc_json_int(s->gateway, "k", 1, VAULT_CLOUDS_MAX, &s->k, err));
    QC_TRY(qc_json_int(s->gateway, "n", s->k, VAULT_CLOUDS_MAX, &s->n, err));
    if (qc_json_has(s->gateway, "other_code"))
        QC_TRY(qc_json_int(s->gateway, "other_code", 0, INT64_MAX, &s->other_code, err));
    if (qc_json_has(s->gateway, "bundle_dead_bytes"))
        QC_TRY(qc_json_int(s->gateway, "bundle_dead_bytes", 0, INT64_MAX, &s->bundle_dead, err));
    QC_TRY(qc_json_int(s->gateway, "debts", 0, INT64_MAX, &s->owed_here, err));
    QC_TRY(qc_json_arr(s->gateway, "clouds", &clouds, err));
    s->clouds_all = (int64_t)qc_json_len(clouds);
    if (s->clouds_all > VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_FORMAT, "%" PRId64 " clouds, at most %d", s->clouds_all, VAULT_CLOUDS_MAX);
    for (size_t i = 0; i < qc_json_len(clouds); i++) {
        const char *state = NULL;
        int64_t owed = 0;
        QC_TRY(qc_json_str(qc_json_at(clouds, i), "state", &state, err));
        QC_TRY(owed_by(qc_json_at(clouds, i), &owed, err));
        if (strcmp(state, "ok") != 0)
            s->owed_here -= owed < s->owed_here ? owed : s->owed_here;
        s->clouds_ok += strcmp(state, "ok") == 0;
        s->clouds_lost += strcmp(state, "lost") == 0;
    }
    return QC_OK;
}

/* Clouds on one device: told, and counted. A gateway for many users does not say where its clouds lie. */
static qc_rc look_at_devices(struct status *s, struct qc_err *err)
{
    struct cloud_place places[VAULT_CLOUDS_MAX];
    struct json_t *clouds = NULL;
    if (s->gateway == NULL || remote_is(s->c))
        return QC_OK;
    QC_TRY(qc_json_arr(s->gateway, "clouds", &clouds, err));
    size_t count = qc_json_len(clouds);
    if (count > VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_FORMAT, "%zu clouds, at most %d", count, VAULT_CLOUDS_MAX);
    for (size_t i = 0; i < count; i++) {
        QC_TRY(qc_json_str(qc_json_at(clouds, i), "name", &places[i].name, err));
        QC_TRY(qc_json_str(qc_json_at(clouds, i), "url", &places[i].url, err));
    }
    return client_warn_clouds(s->c, places, count, &s->domains, &s->crowd, err);
}

static void tell_clouds_line(struct out *o, const struct json_t *one)
{
    struct qc_err none = { 0 };
    const char *name = "?";
    const char *state = "?";
    const char *url = "";
    const char *why = "";
    int64_t free_bytes = 0;
    char size[TEXT_SIZE] = "";
    /* Fields that are missing are shown as unknown: this is a report, and a newer gateway may say more or
     * less. */
    qc_ignore(qc_json_str(one, "name", &name, &none), "shown as ?");
    qc_ignore(qc_json_str(one, "state", &state, &none), "shown as ?");
    qc_ignore(qc_json_str(one, "url", &url, &none), "left out");
    qc_ignore(qc_json_str(one, "why", &why, &none), "left out");
    bool has_free = qc_json_int(one, "free", 0, INT64_MAX, &free_bytes, &none) == QC_OK && free_bytes > 0;
    if (has_free)
        text_size((uint64_t)free_bytes, size);
    size_t n = strlen(name);
    if (strncmp(why, "cloud ", 6) == 0 && strncmp(why + 6, name, n) == 0 &&
        strncmp(why + 6 + n, ": ", 2) == 0)
        why += n + 8; /* the line begins with the name */
    out_row(o, 9, "  %-12s %-11s  %s%s%s%s%s", name, state, url, has_free ? "  free " : "", size,
            why[0] != '\0' ? "  " : "", why);
}

/* Of one's own gateway. */
static qc_rc tell_root_key(struct status *s, struct qc_err *err)
{
    struct out *o = &s->c->out;
    struct json_t *root = NULL;
    int64_t incarnation = 0, threshold = 0, count = 0;
    const char *where = "?";
    QC_TRY(qc_json_int(s->gateway, "incarnation", 0, INT64_MAX, &incarnation, err));
    QC_TRY(qc_json_obj(s->gateway, "root_key", &root, err));
    QC_TRY(qc_json_str(root, "where", &where, err));
    QC_TRY(qc_json_int(root, "threshold", 0, VAULT_CLOUDS_MAX, &threshold, err));
    QC_TRY(qc_json_int(root, "count", 0, VAULT_CLOUDS_MAX, &count, err));
    if (strcmp(where, "clouds") == 0)
        out_row(o, 9,
                "root key: on the clouds, any %" PRId64 " of %" PRId64
                " give it; gateway incarnation %" PRId64,
                threshold, count, incarnation);
    else
        out_row(o, 9, "root key: not on the clouds, in the operator's kit only; gateway incarnation %" PRId64,
                incarnation);
    return QC_OK;
}

/* At one for many users. */
static qc_rc tell_quota(struct status *s, int64_t bytes, int64_t versions, struct qc_err *err)
{
    struct out *o = &s->c->out;
    struct json_t *limits = NULL;
    int64_t most = 0;
    char have[TEXT_SIZE], size[TEXT_SIZE];
    QC_TRY(qc_json_obj(s->gateway, "limits", &limits, err));
    text_size((uint64_t)bytes, have);
    if (qc_json_has(limits, "bytes")) {
        QC_TRY(qc_json_int(limits, "bytes", 0, INT64_MAX, &most, err));
        text_size((uint64_t)most, size);
        out_row(o, 9, "quota:  %s of %s are used", have, size);
    }
    if (qc_json_has(limits, "objects")) {
        QC_TRY(qc_json_int(limits, "objects", 0, INT64_MAX, &most, err));
        out_row(o, 9, "quota:  %" PRId64 " of %" PRId64 " versions are used", versions, most);
    }
    out_row(o, 9, "gateway: %s", s->c->conf.gateway);
    if (s->way != NULL)
        out_row(o, 9, "way:    %s, key %s", s->way, s->way_key);
    return QC_OK;
}

/* What one cloud is owed, and how its payment stands. A tenant is not told of it. */
static void tell_debt_line(struct out *o, const struct json_t *cloud)
{
    struct qc_err none = { 0 };
    struct json_t *d = NULL;
    const char *name = "?";
    const char *why = "";
    int64_t fragments = 0, records = 0, next_ms = 0;
    char span[TEXT_SPAN] = "";
    if (qc_json_obj(cloud, "debts", &d, &none) != QC_OK)
        return;
    qc_ignore(qc_json_str(cloud, "name", &name, &none), "shown as ?");
    qc_ignore(qc_json_int(d, "fragments", 0, INT64_MAX, &fragments, &none), "left out");
    qc_ignore(qc_json_int(d, "records", 0, INT64_MAX, &records, &none), "left out");
    qc_ignore(qc_json_int(d, "next_ms", 0, INT64_MAX, &next_ms, &none), "left out");
    qc_ignore(qc_json_str(d, "why", &why, &none), "left out");
    if (fragments == 0 && records == 0)
        return;
    text_span((uint64_t)next_ms, span);
    out_row(o, 9, "  %-12s %" PRId64 " fragment%s, %" PRId64 " record%s%s%s%s%s", name, fragments,
            text_s((uint64_t)fragments), records, text_s((uint64_t)records),
            next_ms > 0 ? "; tried again in " : "", next_ms > 0 ? span : "", why[0] != '\0' ? ": " : "", why);
}

static void tell_debts(const struct status *s, int64_t debts, const struct json_t *clouds)
{
    struct qc_err none = { 0 };
    int64_t records = 0;
    bool paying = false;
    qc_ignore(qc_json_int(s->gateway, "record_debts", 0, INT64_MAX, &records, &none), "a tenant has none");
    if (debts == 0 && records == 0) {
        out_row(&s->c->out, 9, "debts:  none");
        return;
    }
    qc_ignore(qc_json_bool(s->gateway, "paying", &paying, &none), "said to be nobody");
    out_row(&s->c->out, 9, "debts:  %" PRId64 " fragment%s owed to clouds that were missing", debts,
            debts == 1 ? " is" : "s are");
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        tell_debt_line(&s->c->out, qc_json_at(clouds, i));
    if (paying)
        out_row(&s->c->out, 9, "  the gateway pays them by itself, as soon as those clouds take them");
}

/* Since when all that lies there was looked at, and whether that is too long ago. A tenant hears nothing
 * else; of one's own gateway a cloud that was never looked at is told as such. */
static void scrub_when(const struct json_t *scrub, const char *depth, bool tenant, char ret[WHEN])
{
    struct qc_err none = { 0 };
    struct json_t *one = NULL;
    struct json_t *last = NULL;
    int64_t since = 0;
    bool late = false;
    char when[QC_TIME_TEXT] = "never";
    (void)snprintf(ret, WHEN, "?");
    if (qc_json_obj(scrub, depth, &one, &none) != QC_OK)
        return;
    qc_ignore(qc_json_bool(one, "late", &late, &none), "an older gateway does not say");
    if (tenant)
        qc_ignore(qc_json_int(one, "since", 1, TIME_MAX, &since, &none), "shown as never");
    else if (qc_json_obj(one, "last", &last, &none) == QC_OK)
        qc_ignore(qc_json_int(last, "began", 1, TIME_MAX, &since, &none), "shown as never");
    if (since > 0)
        qc_time_text(since, when);
    (void)snprintf(ret, WHEN, "%s%s", when, late ? " (too long ago)" : "");
}

/* What was seen of one cloud, and when; what stands. A tenant is not told of it. */
static void tell_scrub_line(struct out *o, const struct json_t *cloud)
{
    static const char *const kinds[] = { "missing", "size", "damaged", "stale", "unknown", "foreign" };
    struct qc_err none = { 0 };
    struct json_t *scrub = NULL;
    struct json_t *queue = NULL;
    struct json_t *findings = NULL;
    const char *name = "?";
    int64_t n = 0;
    char presence[WHEN];
    char content[WHEN];
    char line[256] = "";
    size_t at = 0;
    if (qc_json_obj(cloud, "scrub", &scrub, &none) != QC_OK)
        return;
    qc_ignore(qc_json_str(cloud, "name", &name, &none), "shown as ?");
    scrub_when(scrub, "presence", false, presence);
    scrub_when(scrub, "content", false, content);
    if (qc_json_obj(scrub, "queue", &queue, &none) == QC_OK &&
        qc_json_int(queue, "fragments", 1, INT64_MAX, &n, &none) == QC_OK)
        at += (size_t)snprintf(line, sizeof line, "; %" PRId64 " being rebuilt", n);
    if (qc_json_int(scrub, "paused", 1, TIME_MAX, &n, &none) == QC_OK) {
        char since[QC_TIME_TEXT];
        qc_time_text(n, since);
        at += (size_t)snprintf(line + at, sizeof line - at, "; paused since %s by hand", since);
    }
    if (qc_json_obj(scrub, "findings", &findings, &none) == QC_OK)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && at < sizeof line; i++)
            if (qc_json_int(findings, kinds[i], 1, INT64_MAX, &n, &none) == QC_OK)
                at += (size_t)snprintf(line + at, sizeof line - at, "; %" PRId64 " %s", n, kinds[i]);
    out_row(o, 9, "  %-12s presence %s, content %s%s", name, presence, content, line);
}

static void tell_scrub(const struct status *s, const struct json_t *clouds)
{
    struct qc_err none = { 0 };
    struct json_t *scrub = NULL;
    char presence[WHEN];
    char content[WHEN];
    if (qc_json_obj(s->gateway, "scrub", &scrub, &none) == QC_OK) { /* a tenant is told of no cloud alone */
        scrub_when(scrub, "presence", true, presence);
        scrub_when(scrub, "content", true, content);
        out_row(&s->c->out, 9, "all was looked at since: presence %s, content %s", presence, content);
    }
    if (remote_is(s->c))
        return;
    out_row(&s->c->out, 9, "all was looked at since:");
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        tell_scrub_line(&s->c->out, qc_json_at(clouds, i));
}

/* What a rebuild would have beside the log, and from when. */
static void tell_snapshot(const struct status *s)
{
    struct json_t *snapshot = NULL;
    struct qc_err none = { 0 };
    int64_t taken = 0, behind = 0;
    char when[QC_TIME_TEXT];
    if (qc_json_obj(s->gateway, "snapshot", &snapshot, &none) != QC_OK ||
        qc_json_int(snapshot, "taken", 0, INT64_MAX, &taken, &none) != QC_OK ||
        qc_json_int(snapshot, "behind", 0, INT64_MAX, &behind, &none) != QC_OK)
        return; /* another's gateway does not say */
    if (taken == 0) {
        out_row(&s->c->out, 9, "catalogue: no snapshot on the clouds yet; its log is there");
        return;
    }
    qc_time_text(taken, when);
    out_row(&s->c->out, 9, "catalogue: snapshot of %s, %" PRId64 " log object%s since", when, behind,
            text_s((uint64_t)behind));
}

/* Worst first. */
static qc_rc tell_margins(const struct status *s, struct qc_err *err)
{
    struct json_t *margins = NULL;
    QC_TRY(qc_json_arr(s->gateway, "margins", &margins, err));
    for (size_t i = 0; i < qc_json_len(margins); i++) {
        const struct json_t *one = qc_json_at(margins, i);
        int64_t margin = 0, versions = 0;
        QC_TRY(qc_json_int(one, "margin", -VAULT_CLOUDS_MAX, VAULT_CLOUDS_MAX, &margin, err));
        QC_TRY(qc_json_int(one, "versions", 0, INT64_MAX, &versions, err));
        if (margin < 0)
            out_row(&s->c->out, 9,
                    "margin: %" PRId64 " version%s lost, as far as is known: too few fragments are left",
                    versions, versions == 1 ? " is" : "s are");
        else
            out_row(&s->c->out, 9, "margin: %" PRId64 " version%s the loss of %" PRId64 " more cloud%s%s",
                    versions, versions == 1 ? " bears" : "s bear", margin, text_s((uint64_t)margin),
                    margin < s->n - s->k ? ", and should bear that of more" : "");
    }
    return QC_OK;
}

static qc_rc tell_whole(struct out *o, const struct json_t *one, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_TEXT_MAX };
    struct json_t *list = NULL;
    const char *kind = NULL;
    int64_t count = 0, most = 0, unlabelled = 0;
    QC_TRY(qc_json_str(one, "kind", &kind, err));
    QC_TRY(qc_json_int(one, "count", 0, VAULT_CLOUDS_MAX, &count, err));
    QC_TRY(qc_json_int(one, "most_clouds", 0, VAULT_CLOUDS_MAX, &most, err));
    QC_TRY(qc_json_int(one, "unlabelled", 0, VAULT_CLOUDS_MAX, &unlabelled, err));
    QC_TRY(qc_json_arr(one, "not_borne", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++) {
        const char *name = qc_json_str_value(qc_json_at(list, i));
        if (name == NULL)
            return QC_FAIL(err, QC_FORMAT, "not_borne: no text");
        QC_TRY(qc_buf_addf(&names, err, "%s%s", i > 0 ? ", " : ": ", name));
    }
    out_row(
        o, 9,
        "whole:  %s: %" PRId64 ", of at most %" PRId64 " cloud%s each, %" PRId64 " without a label; %s%.*s",
        kind, count, most, text_s((uint64_t)most), unlabelled,
        names.n == 0 ? "all can be read without any one of them" : "too little is left without one of these",
        (int)names.n, names.n == 0 ? "" : (const char *)names.p);
    return QC_OK;
}

/* What may be lost at once, by the labels that clouds have. A tenant, and an older gateway, do not hear it.
 */
static qc_rc tell_wholes(const struct status *s, struct qc_err *err)
{
    struct json_t *list = NULL;
    if (!qc_json_has(s->gateway, "whole_losses"))
        return QC_OK;
    QC_TRY(qc_json_arr(s->gateway, "whole_losses", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++)
        QC_TRY(tell_whole(&s->c->out, qc_json_at(list, i), err));
    return QC_OK;
}

static qc_rc tell_gateway(struct status *s, struct qc_err *err)
{
    struct out *o = &s->c->out;
    struct json_t *clouds = NULL;
    int64_t objects = 0, versions = 0, bytes = 0, debts = 0;
    char size[TEXT_SIZE], when[QC_TIME_TEXT];
    QC_TRY(qc_json_arr(s->gateway, "clouds", &clouds, err));
    QC_TRY(qc_json_int(s->gateway, "objects", 0, INT64_MAX, &objects, err));
    QC_TRY(qc_json_int(s->gateway, "versions", 0, INT64_MAX, &versions, err));
    QC_TRY(qc_json_int(s->gateway, "bytes", 0, INT64_MAX, &bytes, err));
    QC_TRY(qc_json_int(s->gateway, "debts", 0, INT64_MAX, &debts, err));
    text_size((uint64_t)bytes, size);
    qc_time_text(s->now_s, when);
    out_row(o, 9,
            "clouds: %" PRId64 " of %" PRId64 " answer; any %" PRId64 " of %" PRId64 " are enough (asked %s)",
            s->clouds_ok, s->clouds_all, s->k, s->n, when);
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        tell_clouds_line(o, qc_json_at(clouds, i));
    out_row(o, 9, "stored: %" PRId64 " object%s, %" PRId64 " version%s, %s sealed", objects,
            text_s((uint64_t)objects), versions, text_s((uint64_t)versions), size);
    if (s->other_code > 0)
        out_row(o, 9, "code:   %" PRId64 " segment%s another one still, and follow%s", s->other_code,
                s->other_code == 1 ? " has" : "s have", s->other_code == 1 ? "s" : "");
    if (s->bundle_dead > 0) {
        text_size((uint64_t)s->bundle_dead, size);
        out_row(o, 9, "purged: %s in bundles of small files, whose room comes back when half of one is",
                size);
    }
    QC_TRY(tell_margins(s, err));
    QC_TRY(tell_wholes(s, err));
    tell_debts(s, debts, clouds);
    tell_scrub(s, clouds);
    tell_snapshot(s);
    return remote_is(s->c) ? tell_quota(s, bytes, versions, err) : tell_root_key(s, err);
}

static qc_rc tell_budget(struct status *s, struct qc_err *err)
{
    struct status_budget b;
    QC_TRY(status_budget(s, &b, err));
    if (b.losses < 0)
        out_row(&s->c->out, 9,
                "budget: overdrawn (data %" PRId64 ", keys %" PRId64 "): not everything can be read now",
                b.data, b.keys);
    else
        out_row(&s->c->out, 9,
                "budget: %" PRId64 " (data %" PRId64 ", keys %" PRId64
                "): so many losses, whichever they are, leave all readable",
                b.losses, b.data, b.keys);
    if (b.devices < b.losses)
        out_row(&s->c->out, 9, "budget: %" PRId64 " over devices: what lies together is lost together",
                b.devices);
    return QC_OK;
}

/* What was rehearsed, with its time; a file that is none is said to be so. */
static qc_rc tell_drill(struct status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    char when[QC_TIME_TEXT];
    if (s->drill_bad)
        return out_row(&s->c->out, 9, "drill:  what the last one left cannot be read: %s", s->drill_why.msg),
               QC_OK;
    const int64_t due = status_drill_due(s);
    qc_time_text(due, when);
    if (s->drill == NULL)
        return out_row(&s->c->out, 9, "drill:  none yet%s%s (qcloud drill rehearses a loss)",
                       due == 0 ? "" : "; due by ", due == 0 ? "" : when),
               QC_OK;
    QC_TRY(last_drill_text(s->drill, &text, err));
    out_row(&s->c->out, 9, "drill:  %.*s; the next is due by %s", (int)text.n, (const char *)text.p, when);
    return QC_OK;
}

/* Commands lose their ticks: they stand out by themselves. */
static qc_rc tell_reason(struct out *o, const struct json_t *one, struct qc_err *err)
{
    const char *level = NULL;
    const char *what = NULL;
    const char *advice = NULL;
    QC_TRY(qc_json_str(one, "level", &level, err));
    QC_TRY(qc_json_str(one, "what", &what, err));
    QC_TRY(qc_json_str(one, "advice", &advice, err));
    out_row(o, 9, "  %-4s  %s. %s", level, what, advice);
    return QC_OK;
}

static qc_rc tell_verdict(struct status *s, struct qc_err *err)
{
    QC_TRY_AS(status_judge(s, err), err, "the gateway's answer");
    const size_t count = qc_json_len(s->reasons);
    out_row(&s->c->out, 9, "verdict: %s",
            count == 0 ? "green: all of this was looked at, lately enough, and is as it should be"
                       : "not green:");
    for (size_t i = 0; i < count; i++)
        QC_TRY(tell_reason(&s->c->out, qc_json_at(s->reasons, i), err));
    return QC_OK;
}

static qc_rc way_json(const struct status *s, struct json_t *to, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "level", s->way, err));
    QC_TRY(qc_json_set_str(j, "key_id", s->way_key, err));
    return qc_json_set(to, "way", &j, err);
}

static qc_rc summary(struct status *s, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *shares = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_new_arr(&shares, err));
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(status_share_json(s, i, &one, err));
        QC_TRY(qc_json_append(shares, &one, err));
    }
    QC_TRY(qc_json_set(j, "shares", &shares, err));
    QC_TRY(status_keeper_json(s, j, err));
    QC_TRY(qc_json_set_int(j, "key_margin", status_key_margin(s), err));
    if (s->gateway != NULL) {
        struct status_budget b;
        QC_TRY(status_budget(s, &b, err));
        QC_TRY(qc_json_set_int(j, "data_margin", b.data, err));
        QC_TRY(qc_json_set_int(j, "loss_budget", b.losses, err));
        QC_TRY(qc_json_set_int(j, "device_budget", b.devices, err));
        QC_TRY(qc_json_set_int(j, "clouds_ok", s->clouds_ok, err));
        QC_TRY(qc_json_set_int(j, "clouds", s->clouds_all, err));
        QC_TRY(qc_json_set_int(j, "failure_domains", s->domains, err));
        QC_TRY(qc_json_set(j, "gateway", &s->gateway, err));
        if (s->way != NULL)
            QC_TRY(way_json(s, j, err));
    }
    if (s->drill != NULL)
        QC_TRY(qc_json_set(j, "drill", &s->drill, err));
    QC_TRY(status_random_json(s, j, err));
    qc_time_text(s->now_s, when);
    QC_TRY(qc_json_set_str(j, "observed", when, err));
    QC_TRY(qc_json_set_bool(j, "green", qc_json_len(s->reasons) == 0, err));
    QC_TRY(qc_json_set(j, "reasons", &s->reasons, err));
    QC_TRY(qc_json_set_bool(j, "stores_on_one_device", s->local.same_device, err));
    QC_TRY(qc_json_set_int(j, "unfinished", (int64_t)s->local.unfinished, err));
    QC_TRY(qc_json_set_int(j, "waiting", (int64_t)s->local.waiting, err));
    QC_TRY(qc_json_set_bool(j, "refreshing", s->local.refreshing, err));
    QC_TRY(qc_json_set_str(j, "statement", client_statement(status_is_sealed(s), s->kept), err));
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "status", &j, err));
    *ret = QC_STEAL(item);
    return QC_OK;
}

static qc_rc not_green(const struct status *s, struct qc_err *err)
{
    const size_t more = qc_json_len(s->reasons) - 1;
    const char *what = NULL;
    QC_TRY(qc_json_str(qc_json_at(s->reasons, 0), "what", &what, err));
    return QC_FAIL(err, QC_DEGRADED, "everything is readable, as far as was looked; not green: %.300s%s",
                   what, more > 0 ? ", and more above" : "");
}

/* The worst of what was found: shares first, since both missing means that nothing opens. */
qc_rc status_verdict(const struct status *s, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (s->local.share[i].rc == QC_PASSPHRASE)
            return QC_FAIL(err, QC_PASSPHRASE, "%s", s->local.share[i].text);
    if (status_shares(s) == 1 && status_key_margin(s) < 0)
        return QC_FAIL(err, QC_SHARES, "one share store is there alone: %.300s", s->keeper.why.msg);
    if (status_key_margin(s) < 0)
        return QC_FAIL(err, QC_SHARES, "neither share store can be opened: share 1: %s; share 2: %s",
                       s->local.share[0].text, s->local.share[1].text);
    if (s->rc != QC_OK) {
        *err = s->why;
        return s->rc;
    }
    if (s->clouds_ok < s->k)
        return QC_FAIL(err, QC_QUORUM, "%" PRId64 " of %" PRId64 " clouds answer, %" PRId64 " are needed",
                       s->clouds_ok, s->clouds_all, s->k);
    if (status_shares(s) < 2 || s->clouds_ok < s->clouds_all)
        return QC_FAIL(err, QC_DEGRADED,
                       "everything is readable; %" PRId64 " of %" PRId64
                       " clouds and %u of 2 share stores are there",
                       s->clouds_ok, s->clouds_all, status_shares(s));
    return qc_json_len(s->reasons) == 0 ? QC_OK : not_green(s, err);
}

/* What there is, in the order of what it is made of; then what it comes to. */
static qc_rc tell_all(struct status *s, struct qc_err *err)
{
    struct client *c = s->c;
    if (s->gateway != NULL)
        QC_TRY_AS(look_at_devices(s, err), err, "the gateway's answer");
    if (s->gateway != NULL && !c->out.json)
        QC_TRY_AS(tell_gateway(s, err), err, "the gateway's answer");
    else if (!c->out.json)
        out_row(&c->out, 9, "gateway: %s", s->rc == QC_AUTH ? "no access" : "does not answer");
    status_tell_shares(s);
    if (s->gateway != NULL)
        QC_TRY_AS(tell_budget(s, err), err, "the gateway's answer");
    QC_TRY(status_random_tell(s, err));
    QC_TRY(tell_drill(s, err));
    QC_TRY(tell_verdict(s, err));
    if (status_shares(s) == 2) /* where one is not, its place says nothing of where it was */
        QC_TRY(client_warn_places(c, c->conf.share[0], c->conf.share[1], (unsigned)s->k,
                                  s->gateway == NULL ? 0 : (unsigned)s->n, err));
    if (!c->secrets_locked)
        out_warn(&c->out, MSG_W_SECRET_MEMORY, NULL, "secrets cannot be locked in memory here");
    out_row(&c->out, 9, "price:  %s", client_statement(status_is_sealed(s), s->kept));
    return QC_OK;
}

qc_rc status_look(struct status *s, struct qc_err *err)
{
    struct vault_conf conf;
    s->c->no_prompt = true; /* what it tells, it tells of a locked store as well */
    QC_TRY(client_vault_conf(s->c, &conf, err));
    memcpy(s->absent, conf.absent, sizeof s->absent);
    QC_TRY(vault_status_local(&s->local, &conf, err));
    QC_TRY(status_keeper_look(s, &conf, err));
    s->rc = ask_gateway(s, &s->why);
    if (s->rc == QC_CANCELLED) {
        *err = s->why;
        return s->rc;
    }
    s->now_s = (int64_t)time(NULL);
    s->drill_bad = last_drill_read(s->c, &s->drill, &s->drill_why) != QC_OK;
    if (s->gateway != NULL)
        QC_TRY_AS(count_clouds(s, err), err, "the gateway's answer");
    return QC_OK;
}

/* Figures of one line. */
static void line_of(const struct status *s, char *ret, size_t max)
{
    struct status_budget b;
    struct qc_err none = { 0 };
    size_t at = 0;
    if (s->gateway != NULL && status_budget(s, &b, &none) == QC_OK)
        at = (size_t)snprintf(ret, max,
                              "budget %" PRId64 " (data %" PRId64 ", keys %" PRId64 ")  clouds %" PRId64
                              "/%" PRId64 "  ",
                              b.losses, b.data, b.keys, s->clouds_ok, s->clouds_all);
    (void)snprintf(ret + at, max - at, "shares %u/2", status_shares(s));
}

static qc_rc look(struct client *c, struct looked *ret, struct qc_err *err)
{
    QC_CLEANUP(status_done) struct status s = { .c = c };
    ret->rc = status_look(&s, &ret->why);
    if (ret->rc == QC_OK)
        ret->rc = tell_all(&s, &ret->why);
    if (ret->rc == QC_CANCELLED || ret->rc == QC_NOMEM)
        *err = ret->why;
    if (ret->rc != QC_OK)
        return ret->rc == QC_CANCELLED || ret->rc == QC_NOMEM ? ret->rc : QC_OK;
    ret->rc = status_verdict(&s, &ret->why);
    c->end.about.share = !status_has_share(&s, 0) ? "1" : !status_has_share(&s, 1) ? "2" : NULL;
    c->end.about.scrub = s.scrub_late && !remote_is(c) ? "scrub" : NULL;
    c->end.about.drill = s.drill_wanted ? "drill" : NULL;
    line_of(&s, ret->line, sizeof ret->line);
    return summary(&s, &ret->item, err);
}

qc_rc cmd_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    return looks_run(app, args, look, err);
}

/* -- the gateway alone ----------------------------------------------------------------------------------- */

static qc_rc look_at_gateway(struct status *s, struct looked *ret, struct qc_err *err)
{
    QC_TRY(ask_gateway(s, err));
    s->now_s = (int64_t)time(NULL);
    QC_TRY_AS(count_clouds(s, err), err, "the gateway's answer");
    (void)snprintf(ret->line, sizeof ret->line, "clouds %" PRId64 "/%" PRId64, s->clouds_ok, s->clouds_all);
    if (!s->c->out.json)
        return tell_gateway(s, err);
    QC_TRY(out_json_new("item", &ret->item, err));
    return qc_json_set(ret->item, "gateway", &s->gateway, err);
}

static qc_rc look_gateway(struct client *c, struct looked *ret, struct qc_err *err)
{
    QC_CLEANUP(status_done) struct status s = { .c = c };
    ret->rc = look_at_gateway(&s, ret, &ret->why);
    if (ret->rc != QC_CANCELLED && ret->rc != QC_NOMEM)
        return QC_OK;
    *err = ret->why;
    return ret->rc;
}

qc_rc cmd_gateway_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    return looks_run(app, args, look_gateway, err);
}
