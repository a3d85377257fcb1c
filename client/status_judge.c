/* What the observations come to: the loss budget, and the reasons for which a status is not green. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/time.h"
#include "last_drill.h"
#include "remote.h"
#include "status.h"
#include "text.h"

enum { WHAT = 512 };
#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

/* -- the budget ------------------------------------------------------------------------------------------ */

bool status_has_share(const struct status *s, unsigned i)
{
    return s->local.share[i].rc == QC_OK || s->local.share[i].rc == QC_NOPASS;
}

unsigned status_shares(const struct status *s)
{
    return (unsigned)status_has_share(s, 0) + (unsigned)status_has_share(s, 1);
}

/* Two of three open all: both stores and what stands for a lost one, which the gateway has, or a keeper. */
int64_t status_key_margin(const struct status *s)
{
    const int64_t backup = s->kept && (s->keeper.why.rc != QC_OK || status_keeper_changes(s)) ? 0 : 1;
    const int64_t margin = (int64_t)status_shares(s) + backup - 2;
    return margin < 0 ? -1 : margin;
}

qc_rc status_data_margin(const struct status *s, int64_t *ret, struct qc_err *err)
{
    struct json_t *margins = NULL;
    int64_t worst = s->n - s->k;
    QC_ASSERT(s->gateway != NULL);
    QC_TRY(qc_json_arr(s->gateway, "margins", &margins, err));
    for (size_t i = 0; i < qc_json_len(margins); i++) {
        int64_t m = 0;
        QC_TRY(qc_json_int(qc_json_at(margins, i), "margin", -VAULT_CLOUDS_MAX, VAULT_CLOUDS_MAX, &m, err));
        worst = m < worst ? m : worst;
    }
    /* By its own margin, without those that do not answer: what has another code still, which bears less than
     * k and n say, and what lacks a fragment on a cloud that answers, for it may lack another one on one that
     * does not. What is lost is in the margins. */
    int64_t now = s->other_code > 0 || s->owed_here > 0
                      ? worst - (s->clouds_all - s->clouds_ok - s->clouds_lost)
                      : s->n - s->k - (s->clouds_all - s->clouds_ok);
    *ret = now < worst ? now : worst;
    return QC_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* With keys for one more loss at most, the question is whether any one device may go, with all clouds and the
 * share that are on it: it may when no device has more clouds than the data bears, and none has both shares.
 */
qc_rc status_budget(const struct status *s, struct status_budget *ret, struct qc_err *err)
{
    struct status_budget b = { .keys = status_key_margin(s) };
    QC_TRY(status_data_margin(s, &b.data, err));
    b.losses = b.devices = least(b.data, b.keys);
    if (b.losses > 0 && ((int64_t)s->crowd > b.data || s->local.same_device || s->beside_store))
        b.devices = 0;
    *ret = b;
    return QC_OK;
}

/* -- reasons --------------------------------------------------------------------------------------------- */

static qc_rc add(struct status *s, const char *level, const char *what, const char *advice,
                 struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "level", level, err));
    QC_TRY(text_json(one, "what", qc_span_str(what), err));
    QC_TRY(text_json(one, "advice", qc_span_str(advice), err));
    const bool act = strcmp(level, "act") == 0;
    return qc_json_insert(s->reasons, act ? s->acts++ : qc_json_len(s->reasons), &one, err);
}

qc_rc status_reason(struct status *s, const char *level, const char *advice, struct qc_err *err,
                    const char *format, ...)
{
    char what[WHAT];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    return add(s, level, what, advice, err);
}

/* `repair` of the gateway's program is `qcloud gateway repair` here. */
static qc_rc localize(const char *advice, qc_buf *ret, struct qc_err *err)
{
    bool code = false;
    for (; *advice != '\0'; advice++) {
        const bool tick = *advice == '`';
        QC_TRY(qc_buf_addf(ret, err, "%c%s", *advice, tick && !code ? "qcloud gateway " : ""));
        code = code != tick;
    }
    return QC_OK;
}

/* What one's own gateway says. An older one says nothing of it. */
static qc_rc of_gateway(struct status *s, struct qc_err *err)
{
    struct json_t *verdict = NULL;
    struct json_t *list = NULL;
    QC_TRY(qc_json_obj(s->gateway, "verdict", &verdict, err));
    QC_TRY(qc_json_arr(verdict, "reasons", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
        const char *level = NULL;
        const char *what = NULL;
        const char *advice = NULL;
        bool drill = false;
        QC_TRY(qc_json_bool(qc_json_at(list, i), "drill", &drill, err));
        if (drill)
            continue; /* one's own drill goes further than the gateway's */
        QC_TRY(qc_json_str(qc_json_at(list, i), "level", &level, err));
        QC_TRY(qc_json_str(qc_json_at(list, i), "what", &what, err));
        QC_TRY(qc_json_str(qc_json_at(list, i), "advice", &advice, err));
        if (strcmp(level, "look") != 0 && strcmp(level, "act") != 0)
            return QC_FAIL(err, QC_NEWER, "a reason of level '%.40s'", level);
        QC_TRY(localize(advice, &text, err));
        QC_TRY(qc_buf_add_zero(&text, 1, err));
        QC_TRY(add(s, level, what, (const char *)text.p, err));
    }
    return QC_OK;
}

/* What a tenant sees of a gateway for many users. */
static qc_rc of_clouds(struct status *s, struct qc_err *err)
{
    int64_t margin = 0;
    if (s->clouds_ok < s->clouds_all)
        QC_TRY(status_reason(s, s->clouds_ok < s->k ? "act" : "look", "Ask the operator of the gateway.", err,
                             "%" PRId64 " of %" PRId64 " clouds answer", s->clouds_ok, s->clouds_all));
    QC_TRY(status_data_margin(s, &margin, err));
    if (s->clouds_ok == s->clouds_all && margin < s->n - s->k)
        QC_TRY(status_reason(
            s, margin < 1 ? "act" : "look", "Ask the operator of the gateway, if it stays so.", err,
            "something bears the loss of %" PRId64 " more clouds, not of %" PRId64, margin, s->n - s->k));
    return QC_OK;
}

static bool is_late(const struct json_t *scrub, const char *depth)
{
    struct qc_err none = { 0 };
    struct json_t *one = NULL;
    bool late = false;
    return qc_json_obj(scrub, depth, &one, &none) == QC_OK &&
           qc_json_bool(one, "late", &late, &none) == QC_OK && late;
}

/* Is it worth a look at the clouds? Of one's own gateway each says so, of another one all together. */
static bool any_late(const struct status *s)
{
    struct qc_err none = { 0 };
    struct json_t *clouds = NULL;
    struct json_t *scrub = NULL;
    bool late = false;
    if (qc_json_obj(s->gateway, "scrub", &scrub, &none) == QC_OK)
        return is_late(scrub, "presence") || is_late(scrub, "content");
    if (qc_json_arr(s->gateway, "clouds", &clouds, &none) != QC_OK)
        return false;
    for (size_t i = 0; i < qc_json_len(clouds) && !late; i++)
        if (qc_json_obj(qc_json_at(clouds, i), "scrub", &scrub, &none) == QC_OK)
            late = is_late(scrub, "presence") || is_late(scrub, "content");
    return late;
}

static qc_rc of_shares(struct status *s, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (s->local.share[i].filling)
            QC_TRY(status_reason(s, status_key_margin(s) < 0 ? "act" : "look",
                                 i == 0 ? "`qcloud recover --share 1` goes on."
                                        : "`qcloud recover --share 2` goes on.",
                                 err, "share store %u is rebuilt in part, and counts as lost", i + 1));
        else if (!status_has_share(s, i))
            QC_TRY(status_reason(s, status_key_margin(s) < 0 ? "act" : "look",
                                 i == 0
                                     ? "Plug it in or mount it; if it is lost: `qcloud recover --share 1`."
                                     : "Plug it in or mount it; if it is lost: `qcloud recover --share 2`.",
                                 err, "share store %u cannot be opened%s%.200s", i + 1,
                                 s->absent[i] != NULL ? ": " : "", s->absent[i] != NULL ? s->absent[i] : ""));
    return QC_OK;
}

/* The keepers of before, one after the other. */
static qc_rc all_before(const struct status *s, qc_buf *ret, struct qc_err *err)
{
    const struct vault_descriptor *d = &s->keeper.stores;
    for (size_t i = 0; i < d->before_count; i++)
        QC_TRY(qc_buf_addf(ret, err, "%s%s", i == 0 ? "" : ", ", d->before[i]));
    return qc_buf_add_zero(ret, 1, err);
}

bool status_keeper_changes(const struct status *s)
{
    return s->keeper.stores.before_count > 0 &&
           (s->local.refreshing || s->keeper.stale || s->keeper.why.rc == QC_NOTFOUND);
}

qc_rc status_keeper_judge(struct status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf before = { .max = QC_CLIENT_TEXT_MAX };
    if (!status_keeper_changes(s))
        return QC_OK;
    QC_TRY(all_before(s, &before, err));
    return status_reason(
        s, "act", "Keep that till `qcloud kit refresh`, which goes on, says that it is at its end.", err,
        "the change of keeper is not at its end: what is not refreshed yet has its backup data at %s alone",
        (const char *)before.p);
}

static qc_rc of_keeper(struct status *s, struct qc_err *err)
{
    if (!s->kept || s->keeper.why.rc == QC_OK)
        return QC_OK;
    const char *named = s->keeper.stores.keeper; /* by the stores: as it was written there, on some machine */
    const bool another = named != NULL && strcmp(named, s->c->conf.keeper) != 0;
    if (s->keeper.why.rc == QC_NOTFOUND)
        return status_reason(
            s, "act",
            "If it is the right place, `qcloud kit refresh` gives it all; else mount the disk that "
            "has it.",
            err, "the keeper (%s) has nothing of this vault%s%.200s: nothing can be stored",
            s->c->conf.keeper, another ? "; the share stores name " : "", another ? named : "");
    if (s->keeper.stale || s->keeper.why.rc == QC_INTEGRITY)
        return status_reason(s, "act",
                             "If another place is the keeper by now, `qcloud config set vault.backup-to URL` "
                             "says it; if it is "
                             "this one, `qcloud kit refresh` gives it all anew.",
                             err, "nothing can be stored: %.300s%s%.200s", s->keeper.why.msg,
                             another ? "; the share stores name " : "", another ? named : "");
    if (s->keeper.why.rc == QC_NOTCONF)
        return status_reason(s, "act", "`qcloud config set vault.backup-to URL` says it.", err,
                             "it is not known where the keeper of backup data is: nothing can be stored");
    if (s->keeper.why.rc == QC_USAGE)
        return status_reason(s, "act",
                             "`qcloud kit refresh --backup-to URL` makes another, which has all after it.",
                             err, "nothing can be stored: %.300s", s->keeper.why.msg);
    return status_reason(
        s, "act",
        "Mount its disk, or bring its server back; if it is lost, `qcloud kit refresh --backup-to URL` "
        "makes another.",
        err, "nothing can be stored: %.300s", s->keeper.why.msg);
}

static qc_rc of_refresh(struct status *s, struct qc_err *err)
{
    if (!s->local.refreshing)
        return QC_OK;
    return status_reason(
        s, "look", "`qcloud kit refresh` goes on where it stopped.", err,
        "a refresh of the shares is not at its end: old copies of the stores still open some "
        "of it");
}

/* -- the drill ------------------------------------------------------------------------------------------- */

int64_t status_drill_due(const struct status *s)
{
    struct qc_err none = { 0 };
    const char *when = NULL;
    int64_t since = 0;
    if (s->drill != NULL && qc_json_str(s->drill, "when", &when, &none) == QC_OK &&
        qc_time_parse(qc_span_str(when), &since, &none) == QC_OK)
        return since + QC_DRILL_OLD_S;
    if (s->gateway != NULL && qc_json_has(s->gateway, "oldest") &&
        qc_json_int(s->gateway, "oldest", 1, TIME_MAX, &since, &none) == QC_OK)
        return since + QC_DRILL_OLD_S;
    return 0;
}

static qc_rc of_drill(struct status *s, struct qc_err *err)
{
    static const char again[] = "`qcloud drill` rehearses a loss.";
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    char when[QC_TIME_TEXT];
    const int64_t due = status_drill_due(s);
    bool failed = false;
    if (s->drill_bad)
        return status_reason(s, "look", again, err, "what the last drill left cannot be read");
    if (s->drill != NULL) {
        QC_TRY(last_drill_failed(s->drill, &failed, &text, err));
        QC_TRY(qc_buf_add_zero(&text, 1, err));
    }
    if (failed)
        return status_reason(
            s, "act",
            "`qcloud verify` names what is damaged; then a drill of everything without the same clouds.", err,
            "a drill failed: %s", (const char *)text.p);
    if (due == 0 || s->now_s <= due)
        return QC_OK;
    qc_time_text(due - QC_DRILL_OLD_S, when);
    return status_reason(s, "look", again, err,
                         s->drill != NULL ? "the last drill was %s"
                                          : "there was no drill, and something is stored since %s",
                         when);
}

static qc_rc of_answer(struct status *s, struct qc_err *err)
{
    if (s->rc != QC_OK)
        QC_TRY(status_reason(s, "act", "See the message below.", err,
                             "the gateway does not serve this vault: %s", s->why.msg));
    return !remote_is(s->c) && qc_json_has(s->gateway, "verdict") ? of_gateway(s, err) : of_clouds(s, err);
}

qc_rc status_judge(struct status *s, struct qc_err *err)
{
    QC_TRY(qc_json_new_arr(&s->reasons, err));
    if (s->gateway == NULL)
        QC_TRY(status_reason(s, "act", "See the message below.", err,
                             "the gateway does not answer: nothing is known of the clouds"));
    else
        QC_TRY(of_answer(s, err));
    s->scrub_late = s->gateway != NULL && any_late(s);
    if (s->scrub_late && remote_is(s->c))
        QC_TRY(status_reason(s, "look",
                             "Ask the operator of the gateway; `qcloud verify` reads all that is yours.", err,
                             "what lies on the clouds was not looked at for too long"));
    QC_TRY(of_shares(s, err));
    QC_TRY(of_keeper(s, err));
    QC_TRY(status_keeper_judge(s, err));
    QC_TRY(of_refresh(s, err));
    QC_TRY(status_random_judge(s, err));
    const size_t before = qc_json_len(s->reasons);
    QC_TRY(of_drill(s, err));
    s->drill_wanted = qc_json_len(s->reasons) > before;
    return QC_OK;
}
