#include "dashboard.h"

#include <inttypes.h>
#include <stdio.h>

#include "http.h"
#include "judge.h"
#include "page.h"

enum {
    REFRESH_S = 30, /* the page asks for itself again */
};

/* -- small ones ------------------------------------------------------------------------------------------ */

static void when(struct page *p, int64_t t)
{
    char text[QC_TIME_TEXT];

    if (t <= 0) {
        page_line(p, "never");
        return;
    }
    qc_time_text(t, text);
    page_line(p, "<time datetime=\"%s\">%s</time>", text, text);
}

static void bytes(struct page *p, uint64_t n)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double v = (double)n;
    size_t u = 0;

    while (v >= 1024 && u + 1 < sizeof units / sizeof units[0]) {
        v /= 1024;
        u++;
    }
    page_line(p, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

static void span_of_time(struct page *p, int64_t s)
{
    if (s < 120)
        page_line(p, "%" PRId64 " s", s);
    else if (s < 7200)
        page_line(p, "%" PRId64 " min", s / 60);
    else if (s < 172800)
        page_line(p, "%" PRId64 " h", s / 3600);
    else
        page_line(p, "%" PRId64 " days", s / 86400);
}

/* Never by colour alone. */
static const char *word_of(enum judge_level l)
{
    static const char *const words[] = { "&#10003; well", "! look", "&#10007; act" };

    return words[l];
}

/* -- what is not as it should be ------------------------------------------------------------------------- */

/* Commands stand between backticks, and get their program's name. */
static void advice(struct page *p, const char *text)
{
    char part[2] = "";
    bool code = false;

    for (; *text != '\0'; text++) {
        if (*text == '`') {
            page_line(p, code ? "</code>" : "<code>qcloud-gateway ");
            code = !code;
            continue;
        }
        part[0] = *text;
        page_text(p, part);
    }
}

static void reason(void *ctx, const struct judge_reason *r)
{
    struct page *p = ctx;

    page_line(p, "<li><strong class=\"%s\">%s</strong>: ", judge_level_name(r->level), word_of(r->level));
    page_text(p, r->what);
    page_line(p, ". ");
    advice(p, r->advice);
    page_line(p, "</li>\n");
}

/* -- the page -------------------------------------------------------------------------------------------- */

static void head(struct page *p)
{
    page_line(p,
              "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
              "<meta http-equiv=\"refresh\" content=\"%d\">\n<title>qcloud gateway</title>\n"
              "<link rel=\"stylesheet\" href=\"/dashboard/style.css\">\n</head>\n<body>\n"
              "<h1>qcloud gateway</h1>\n",
              REFRESH_S);
}

static void summary(struct page *p, const struct dashboard_source *src)
{
    static const char *const texts[] = { "everything is as it should be", "there is something to look at",
                                         "something below is not safe" };
    const struct judge_source what = { .status = src->status,
                                       .audit_failing = src->audit != NULL && src->audit->failing,
                                       .now_s = src->now_s };
    const enum judge_level worst = judge(&what, NULL, NULL);

    page_line(p, "<p class=\"sum %s\" role=\"status\">%s &ndash; %s</p>\n", judge_level_name(worst),
              word_of(worst), texts[worst]);
    page_line(p, "<p class=\"soft\">Clouds asked ");
    when(p, src->status->observed_s);
    page_line(p, ", catalogue counted ");
    when(p, src->status->counted_s);
    page_line(p, ", page made ");
    when(p, src->now_s);
    page_line(p, ". It renews itself every %d s. All times are UTC.</p>\n", REFRESH_S);
    if (worst == JUDGE_WELL)
        return;
    page_line(p, "<h2>What to do</h2>\n<ul id=\"findings\">\n");
    (void)judge(&what, reason, p);
    page_line(p, "</ul>\n");
}

static void margins(struct page *p, const struct gw_status *s)
{
    const unsigned full = s->n - s->k;
    struct judge_margins m;

    page_line(p, "<h2>Margins</h2>\n");
    if (s->counted_s == 0) {
        page_line(p, "<p>not counted yet</p>\n");
        return;
    }
    judge_margins(s, &m);
    page_line(
        p,
        "<p>Any %u of %u clouds' fragments make a version; %u may be lost where all is there. The least "
        "margin of all versions is <strong id=\"least\">%d</strong>.</p>\n",
        s->k, s->n, full, m.least);
    page_line(p, "<div class=\"wide\"><table id=\"margins\"><thead><tr><th>may still be lost</th>"
                 "<th class=\"n\">versions</th></tr></thead><tbody>\n");
    for (unsigned i = 0; i < s->margin_count; i++) {
        if (s->margins[i].margin < 0)
            continue;
        page_line(
            p,
            "<tr><td data-k=\"may still be lost\">%d clouds</td><td class=\"n\" data-k=\"versions\">%" PRIu64
            "</td></tr>\n",
            s->margins[i].margin, s->margins[i].versions);
    }
    if (m.below > 0)
        page_line(p,
                  "<tr><td data-k=\"may still be lost\">too few fragments known</td>"
                  "<td class=\"n\" data-k=\"versions\">%" PRIu64 "</td></tr>\n",
                  m.below);
    page_line(p, "</tbody></table></div>\n");
}

static enum judge_level level_of(const struct gw_cloud_view *v)
{
    if (v->state == GW_CLOUD_LOST)
        return JUDGE_ACT;
    return v->state != GW_CLOUD_OK || v->suspect ? JUDGE_LOOK : JUDGE_WELL;
}

static void cloud_row(struct page *p, const struct gw_status *s, const struct gw_cloud_status *c)
{
    const enum judge_level l = level_of(&c->view);

    page_line(p, "<tr><td data-k=\"cloud\">");
    page_text(p, c->name);
    page_line(p, "</td><td data-k=\"state\"><span><span class=\"%s\">%s</span> (%s)</span></td>",
              judge_level_name(l), word_of(l), gw_cloud_state_name(c->view.state));
    page_line(p, "<td data-k=\"breaker\">%s</td><td data-k=\"last good answer\">",
              gw_breaker_state_name(c->view.breaker));
    when(p, c->view.seen_s);
    page_line(p, "</td><td class=\"n\" data-k=\"free\">");
    if (s->observed_s != 0 && c->free >= 0)
        bytes(p, (uint64_t)c->free);
    else
        page_line(p, "not told");
    page_line(p, "</td><td class=\"n\" data-k=\"owed\">%" PRIu64 "</td><td data-k=\"owed since\">",
              c->owed + c->records_owed);
    if (c->owed_since_s > 0)
        when(p, c->owed_since_s);
    else
        page_line(p, "&ndash;");
    page_line(p, "</td><td class=\"n\" data-k=\"paid\">%" PRIu64 "</td></tr>\n", c->paying.paid);
}

static void clouds(struct page *p, const struct gw_status *s)
{
    page_line(
        p, "<h2>Clouds</h2>\n<div class=\"wide\"><table id=\"clouds\"><thead><tr><th>cloud</th><th>state</th>"
           "<th>breaker</th><th>last good answer</th><th class=\"n\">free</th><th class=\"n\">owed</th>"
           "<th>owed since</th><th class=\"n\">paid</th></tr></thead><tbody>\n");
    for (unsigned at = 0; at < s->cloud_count; at++)
        cloud_row(p, s, &s->clouds[at]);
    page_line(
        p, "</tbody></table></div>\n<p class=\"soft\">Owed: fragments and copies of records that a put left "
           "for later. They are paid by themselves, oldest first.</p>\n");
}

static void pass(struct page *p, enum gw_depth depth, const struct gw_scrub_view *v)
{
    page_line(p, "<td data-k=\"%s\"><span>", gw_depth_name(depth));
    if (v->late)
        page_line(p, "<span class=\"look\">%s</span> ", word_of(JUDGE_LOOK));
    when(p, v->last_began_s);
    if (v->running)
        page_line(p, " (under way: %u.%u %%)", v->permille / 10, v->permille % 10);
    page_line(p, "</span></td>");
}

static void scrub_row(struct page *p, const struct gw_cloud_status *c)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < GW_FINDING_KINDS; i++)
        found += c->scrub.findings[i];
    page_line(p, "<tr><td data-k=\"cloud\">");
    page_text(p, c->name);
    page_line(p, "</td>");
    for (enum gw_depth d = GW_PRESENCE; d <= GW_CONTENT; d++)
        pass(p, d, &c->scrub.depth[d - 1]);
    page_line(p,
              "<td class=\"n\" data-k=\"being rebuilt\">%" PRIu64
              "</td><td class=\"n\" data-k=\"findings\">%" PRIu64 "</td></tr>\n",
              c->scrub.queue, found);
}

static void scrub(struct page *p, const struct gw_status *s)
{
    page_line(p, "<h2>Scrub</h2>\n");
    if (s->counted_s == 0) {
        page_line(p, "<p>not counted yet</p>\n");
        return;
    }
    page_line(p,
              "<div class=\"wide\"><table id=\"scrub\"><thead><tr><th>cloud</th><th>presence</th>"
              "<th>content</th><th class=\"n\">being rebuilt</th><th class=\"n\">findings</th></tr></thead>"
              "<tbody>\n");
    for (unsigned at = 0; at < s->cloud_count; at++)
        scrub_row(p, &s->clouds[at]);
    page_line(p,
              "</tbody></table></div>\n<p class=\"soft\">When the last whole pass began: all that was there "
              "was looked at since. Presence: the cloud's listing; content: every byte, verified.</p>\n");
}

static const char *name_of(const struct gw_status *s, uint32_t cloud_id)
{
    for (unsigned at = 0; at < s->cloud_count; at++)
        if (s->clouds[at].view.id == cloud_id)
            return s->clouds[at].name;
    return "a cloud that left";
}

static void drilled(struct page *p, const struct gw_status *s, const struct gw_drilled *d)
{
    when(p, d->ended_s);
    page_line(p, ": %" PRIu64 " of %" PRIu64 " versions came back%s, of %" PRIu64, d->back, d->tried,
              d->whole ? "" : ", a sample", d->versions);
    for (unsigned i = 0; i < d->without_count; i++) {
        page_line(p, i == 0 ? "; without " : ", ");
        page_text(p, name_of(s, d->without[i]));
    }
}

static void drill(struct page *p, const struct gw_status *s)
{
    page_line(p, "<h2>Drill</h2>\n<p id=\"drill\">The last one: ");
    if (s->drills.last.ended_s != 0)
        drilled(p, s, &s->drills.last);
    else
        page_line(p, "none yet");
    if (s->drills.failed.ended_s != 0) {
        page_line(p, ". <strong class=\"act\">%s</strong>, none has tried this with success since: ",
                  word_of(JUDGE_ACT));
        drilled(p, s, &s->drills.failed);
    }
    page_line(p, ".</p>\n");
}

static void number(struct page *p, const char *name, uint64_t v)
{
    page_line(p, "<tr><th scope=\"row\">%s</th><td class=\"n\">%" PRIu64 "</td></tr>\n", name, v);
}

static void figures(struct page *p, const struct dashboard_source *src)
{
    const struct gw_status *s = src->status;

    page_line(p, "<h2>Catalogue</h2>\n");
    if (s->counted_s == 0) {
        page_line(p, "<p>not counted yet</p>\n");
        return;
    }
    page_line(p, "<table id=\"figures\"><tbody>\n");
    number(p, "names", s->objects);
    number(p, "versions", s->versions);
    page_line(p, "<tr><th scope=\"row\">stored, coding not counted</th><td class=\"n\">");
    bytes(p, s->bytes);
    page_line(p, "</td></tr>\n");
    number(p, "uploads under way", s->open_uploads);
    number(p, "fragments owed", s->debts);
    number(p, "copies of records owed", s->record_debts);
    number(p, "segments to be swept", s->dead_segments);
    page_line(p, "<tr><th scope=\"row\">purged, in bundles that are there still</th><td class=\"n\">");
    bytes(p, s->repack.bytes);
    page_line(p, "</td></tr>\n");
    page_line(p, "</tbody></table>\n");
}

static void gateway(struct page *p, const struct dashboard_source *src)
{
    struct figures_problem last;

    figures_last(src->figures, &last);
    page_line(p, "<h2>Gateway</h2>\n<p>Version " QC_VERSION ", up for ");
    span_of_time(p, src->now_s - src->since_s);
    page_line(p, ", since ");
    when(p, src->since_s);
    page_line(p, ". Incarnation %" PRIu32 ".</p>\n<p id=\"problem\">Last answer that was a failure: ",
              src->status->health.incarnation);
    if (last.at_s == 0 || last.rc >= QC_RC_COUNT)
        page_line(p, "none since then");
    else {
        when(p, last.at_s);
        page_line(p, ", %s", qc_rc_text((qc_rc)last.rc));
        if (last.route < routes_count)
            page_line(p, " (<code>%s %s</code>)", routes[last.route].method, routes[last.route].pattern);
    }
    page_line(p, ".</p>\n");
    if (src->audit != NULL)
        page_line(p, "<p>Audit log: line %" PRIu64 ", %" PRIu64 " events could not be written.</p>\n",
                  src->audit->sequence, src->audit->lost);
    page_line(
        p, "<p class=\"soft\">Figures for machines: <code>/metrics</code>. Reasons, addresses and names of "
           "tenants: <code>qcloud-gateway status</code>, on the gateway's own account.</p>\n");
}

qc_rc dashboard_print(const struct dashboard_source *src, qc_buf *ret, struct qc_err *err)
{
    struct page p = { .to = ret, .err = err };

    head(&p);
    summary(&p, src);
    margins(&p, src->status);
    clouds(&p, src->status);
    scrub(&p, src->status);
    drill(&p, src->status);
    figures(&p, src);
    gateway(&p, src);
    page_line(&p, "</body>\n</html>\n");
    return p.rc;
}
