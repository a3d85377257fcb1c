#include "judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "watch.h"

const char *judge_level_name(enum judge_level l)
{
    static const char *const names[] = { "well", "look", "act" };

    QC_ASSERT((size_t)l < sizeof names / sizeof *names);
    return names[l];
}

struct judging {
    const struct judge_source *src;
    judge_fn fn;
    void *ctx;
    enum judge_level turn; /* whose reasons are told now: the worst come first */
    enum judge_level worst;
    bool drill;
};

QC_PRINTF(4, 5)
static void reason(struct judging *j, enum judge_level level, const char *advice, const char *format, ...)
{
    struct judge_reason r = { .level = level, .advice = advice, .drill = j->drill };
    va_list ap;

    if (level > j->worst)
        j->worst = level;
    if (j->fn == NULL || level != j->turn)
        return;
    va_start(ap, format);
    (void)vsnprintf(r.what, sizeof r.what, format, ap);
    va_end(ap);
    j->fn(j->ctx, &r);
}

/* -- the gateway ----------------------------------------------------------------------------------------- */

static void of_gateway(struct judging *j)
{
    const struct gw_status *s = j->src->status;
    struct watch_ready ready;

    watch_ready(s, &ready);
    if (s->health.broken)
        reason(j, JUDGE_ACT, "Look at the disk under the state directory, then start the gateway again.",
               "the disk of the catalogue failed");
    if (s->health.fenced)
        reason(j, JUDGE_ACT, "Use that one; or take over again: `rebuild`.", "another gateway took over");
    if (s->health.fenced || s->health.broken)
        return;
    if (!ready.read)
        reason(j, JUDGE_ACT, "Bring clouds back: see below.",
               "%u of %u clouds are well, %u are needed to read", ready.well, s->cloud_count, s->needed);
    else if (!ready.write)
        reason(j, JUDGE_ACT, "Bring clouds back: see below.",
               "%u of %u clouds are well, %u are needed to write; reading goes on", ready.well,
               s->cloud_count, ready.write_needs);
}

static void of_observation(struct judging *j)
{
    const struct gw_status *s = j->src->status;

    if (s->observed_s == 0 || j->src->now_s - s->observed_s > QC_GW_OBSERVED_OLD_S)
        reason(j, JUDGE_LOOK, "Ask again; if that does not help, look at the gateway's log.",
               "the clouds were not asked for a while");
    if (j->src->audit_failing)
        reason(j, JUDGE_LOOK, "Free space under the state directory; what it missed is counted.",
               "the audit log cannot be written");
}

/* -- margins --------------------------------------------------------------------------------------------- */

void judge_margins(const struct gw_status *s, struct judge_margins *ret)
{
    *ret = (struct judge_margins){ .least = (int)(s->n - s->k) };
    for (unsigned i = 0; i < s->margin_count; i++) {
        const int m = s->margins[i].margin;
        const uint64_t n = s->margins[i].versions;
        if (n > 0 && m < ret->least)
            ret->least = m;
        if (m < (int)(s->n - s->k))
            ret->less += n;
        if (m == 0)
            ret->none += n;
        if (m < 0)
            ret->below += n;
    }
}

static void of_margins(struct judging *j)
{
    struct judge_margins m;

    judge_margins(j->src->status, &m);
    if (m.below > 0)
        reason(j, JUDGE_ACT, "Bring back every cloud that may have more; then `repair --deep`.",
               "versions with too few fragments on clouds that are known: %" PRIu64, m.below);
    if (m.none > 0)
        reason(j, JUDGE_ACT, "Bring clouds back; what is gone for good is rebuilt by `repair`.",
               "versions that bear no further loss: %" PRIu64, m.none);
    else if (m.less > 0 && m.below == 0)
        reason(j, JUDGE_LOOK,
               j->src->status->other_code > 0
                   ? "Segments of another code follow by themselves; else `repair --reprotect`, as before."
                   : "Debts are paid by themselves when clouds are back; else `repair`.",
               "versions with less than their full margin: %" PRIu64, m.less);
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

static void of_cloud(struct judging *j, const struct gw_cloud_status *c)
{
    /* It never had an identity, and nothing else. */
    if (c->view.state == GW_CLOUD_LOST && c->view.role == GW_ROLE_JOINING)
        reason(j, JUDGE_LOOK, "`cloud add`, said again, comes to its end.", "cloud %s is not wholly added",
               c->name);
    else if (c->view.state == GW_CLOUD_LOST)
        reason(
            j, JUDGE_ACT,
            "See to its place; where it was emptied: `repair --adopt NAME`; where it is gone for good, first "
            "`cloud set NAME --url URL`.",
            "cloud %s is gone, or is not ours any more", c->name);
    else if (c->view.state != GW_CLOUD_OK)
        reason(j, JUDGE_LOOK, "Why: `status`; `cloud validate NAME`.", "cloud %s does not answer", c->name);
    else if (c->view.suspect)
        reason(j, JUDGE_LOOK, "It is asked again by itself; look at its latencies in /metrics.",
               "cloud %s missed a deadline, and is left alone for a while", c->name);
    if (c->owed_since_s > 0 && j->src->now_s - c->owed_since_s > QC_GW_OWED_OLD_S)
        reason(j, JUDGE_LOOK, "Why: `status --json`, member debts.",
               "cloud %s has been owed fragments for more than a day", c->name);
}

/* -- the scrub ------------------------------------------------------------------------------------------- */

/* One reason for all clouds of a depth, with the one that waits longest. */
static void of_depth(struct judging *j, enum gw_depth depth)
{
    static const char *const what[] = { [GW_PRESENCE] = "what clouds list was not compared lately",
                                        [GW_CONTENT] =
                                            "what lies on clouds was not read and verified lately" };
    static const char *const advice[] = {
        [GW_PRESENCE] = "`scrub --wait` looks now.", [GW_CONTENT] = "`scrub --content --wait` reads it now."
    };
    const struct gw_status *s = j->src->status;
    const struct gw_cloud_status *worst = NULL;
    unsigned count = 0;
    char when[QC_TIME_TEXT];

    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_scrub_view *v = &s->clouds[at].scrub.depth[depth - 1];
        count += v->late;
        if (v->late && (worst == NULL || v->since_s < worst->scrub.depth[depth - 1].since_s))
            worst = &s->clouds[at];
    }
    if (worst == NULL)
        return;
    const struct gw_scrub_view *v = &worst->scrub.depth[depth - 1];
    qc_time_text(v->since_s, when);
    reason(j, JUDGE_LOOK, advice[depth], "%s: of %u of %u clouds, %s %s %s", what[depth], count,
           s->cloud_count, worst->name, v->last_ended_s != 0 ? "last" : "never, since", when);
}

/* What is missing or bad is in margins, too; what nobody can explain is not. */
static void of_findings(struct judging *j)
{
    const struct gw_status *s = j->src->status;
    uint64_t odd = 0, queue = 0;

    for (unsigned at = 0; at < s->cloud_count; at++) {
        odd += s->clouds[at].scrub.findings[GW_FINDING_UNKNOWN];
        queue += s->clouds[at].scrub.queue;
    }
    if (odd > 0)
        reason(j, JUDGE_LOOK,
               "`scrub` names them; they are not touched. The catalogue may be older than the clouds.",
               "objects of ours on clouds that nothing explains: %" PRIu64, odd);
    if (queue > 0)
        reason(j, JUDGE_LOOK, "They are rebuilt by themselves; `scrub` names them.",
               "fragments that are missing or bad: %" PRIu64, queue);
}

/* Nothing that was acknowledged hangs on one: it is told when it fails for days. */
static void of_snapshot(struct judging *j)
{
    const struct gw_status *s = j->src->status;
    const int64_t since = s->snapshot.taken_s != 0 ? s->snapshot.taken_s : s->oldest_s;
    char when[QC_TIME_TEXT];

    if (s->snapshot.tried_s == 0 || since == 0 || j->src->now_s - since < QC_GW_SNAPSHOT_OLD_S)
        return;
    qc_time_text(since, when);
    reason(j, JUDGE_LOOK, "It is tried again by itself. Without it a rebuild takes longer, and knows less.",
           "the catalogue has no snapshot since %s: %s", when, s->snapshot.why);
}

/* -- the drill ------------------------------------------------------------------------------------------- */

static void of_drill(struct judging *j)
{
    const struct gw_status *s = j->src->status;
    const struct gw_drilled *last = &s->drills.last, *failed = &s->drills.failed;
    const int64_t since_s = last->ended_s != 0 ? last->ended_s : s->oldest_s;
    char when[QC_TIME_TEXT];

    if (failed->ended_s != 0) {
        qc_time_text(failed->ended_s, when);
        reason(j, JUDGE_ACT,
               "`repair --deep` rebuilds what clouds lack; then `drill` without the same clouds.",
               "a drill failed, %s: %" PRIu64 " of %" PRIu64 " versions came back without %u clouds", when,
               failed->back, failed->tried, failed->without_count);
        return;
    }
    if (s->oldest_s == 0 || j->src->now_s - since_s <= QC_DRILL_OLD_S)
        return;
    qc_time_text(since_s, when);
    j->drill = true;
    reason(j, JUDGE_LOOK, "`drill` rehearses a loss.",
           last->ended_s != 0 ? "the last drill was %s"
                              : "there was no drill, and something is stored since %s",
           when);
    j->drill = false;
}

static void of_all(struct judging *j)
{
    const struct gw_status *s = j->src->status;

    of_gateway(j);
    of_observation(j);
    of_margins(j);
    for (unsigned at = 0; at < s->cloud_count; at++)
        of_cloud(j, &s->clouds[at]);
    of_depth(j, GW_PRESENCE);
    of_depth(j, GW_CONTENT);
    of_findings(j);
    of_snapshot(j);
    of_drill(j);
}

enum judge_level judge(const struct judge_source *src, judge_fn fn, void *ctx)
{
    struct judging j = { .src = src, .fn = fn, .ctx = ctx };

    for (j.turn = JUDGE_ACT; j.turn > JUDGE_WELL; j.turn--)
        of_all(&j);
    return j.worst;
}
