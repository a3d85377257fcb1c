#include "dashboard.h"

#include <inttypes.h>
#include <stdio.h>

#include "http.h"
#include "page.h"

enum {
    REFRESH_S = 30, /* the page asks for itself again */
    OLD_S = 300,    /* an observation that is no news any more */
    OWED_S = 86400, /* a debt that should be paid by now */
};

enum level { LEVEL_WELL, LEVEL_LOOK, LEVEL_ACT };

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

static const char *class_of(enum level l)
{
    static const char *const names[] = { "well", "look", "act" };

    return names[l];
}

/* Never by colour alone. */
static const char *word_of(enum level l)
{
    static const char *const words[] = { "&#10003; well", "! look", "&#10007; act" };

    return words[l];
}

/* -- what is not as it should be ------------------------------------------------------------------------- */

/* Findings go to a page; without one they are judged alone. */
struct findings {
    struct page *p; /* NULL: only counted */
    enum level worst;
    unsigned count;
};

static bool finding(struct findings *f, enum level level)
{
    f->count++;
    if (level > f->worst)
        f->worst = level;
    if (f->p != NULL)
        page_line(f->p, "<li><strong class=\"%s\">%s</strong>: ", class_of(level), word_of(level));
    return f->p != NULL;
}

static void advice(struct findings *f, const char *text)
{
    if (f->p != NULL)
        page_line(f->p, ". %s</li>\n", text);
}

static void of_gateway(struct findings *f, const struct dashboard_source *src)
{
    const struct gw_status *s = src->status;
    struct watch_ready ready;

    watch_ready(s, &ready);
    if (s->health.broken && finding(f, LEVEL_ACT))
        page_line(f->p, "the disk of the catalogue failed");
    if (s->health.broken)
        advice(f, "Look at the disk under the state directory, then start the gateway again.");
    if (s->health.fenced && finding(f, LEVEL_ACT))
        page_line(f->p, "another gateway took over");
    if (s->health.fenced)
        advice(f, "Use that one; or take over again: <code>qcloud-gateway rebuild</code>.");
    if (!s->health.fenced && !s->health.broken && !ready.read) {
        if (finding(f, LEVEL_ACT))
            page_line(f->p, "%u of %u clouds are well, %u are needed to read", ready.well, s->cloud_count,
                      s->needed);
        advice(f, "Bring clouds back: see below.");
    } else if (!s->health.fenced && !s->health.broken && !ready.write) {
        if (finding(f, LEVEL_ACT))
            page_line(f->p, "%u of %u clouds are well, %u are needed to write; reading goes on", ready.well,
                      s->cloud_count, ready.write_needs);
        advice(f, "Bring clouds back: see below.");
    }
    if (s->observed_s == 0 || src->now_s - s->observed_s > OLD_S) {
        if (finding(f, LEVEL_LOOK))
            page_line(f->p, "the clouds were not asked for a while");
        advice(f, "Open this page again; if that does not help, look at the gateway's log.");
    }
}

/* Least margin: ret[0]; versions with less than full: ret[1]; with none left or too few known: ret[2]. */
struct margins {
    int least;
    uint64_t less, none, below;
};

static void count_margins(const struct gw_status *s, struct margins *ret)
{
    *ret = (struct margins){ .least = (int)(s->n - s->k) };
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

static void of_margins(struct findings *f, const struct gw_status *s)
{
    struct margins m;

    count_margins(s, &m);
    if (m.below > 0) {
        if (finding(f, LEVEL_ACT))
            page_line(f->p, "versions with too few fragments on clouds that are known: %" PRIu64, m.below);
        advice(f,
               "Bring back every cloud that may have more; then <code>qcloud-gateway repair --deep</code>.");
    }
    if (m.none > 0) {
        if (finding(f, LEVEL_ACT))
            page_line(f->p, "versions that bear no further loss: %" PRIu64, m.none);
        advice(f,
               "Bring clouds back; what is gone for good is rebuilt by <code>qcloud-gateway repair</code>.");
    } else if (m.less > 0 && m.below == 0) {
        if (finding(f, LEVEL_LOOK))
            page_line(f->p, "versions with less than their full margin: %" PRIu64, m.less);
        advice(f,
               "Debts are paid by themselves when clouds are back; else <code>qcloud-gateway repair</code>.");
    }
}

static void of_cloud(struct findings *f, const struct dashboard_source *src, const struct gw_cloud_status *c)
{
    if (c->view.state == GW_CLOUD_LOST) {
        if (finding(f, LEVEL_ACT)) {
            page_line(f->p, "cloud ");
            page_text(f->p, c->name);
            page_line(f->p, " answers, and is not ours any more");
        }
        advice(f, "See to its place; where it was emptied: <code>qcloud-gateway repair --adopt NAME</code>.");
    } else if (c->view.state != GW_CLOUD_OK) {
        if (finding(f, LEVEL_LOOK)) {
            page_line(f->p, "cloud ");
            page_text(f->p, c->name);
            page_line(f->p, " does not answer");
        }
        advice(f,
               "Why: <code>qcloud-gateway status</code>; <code>qcloud-gateway cloud validate NAME</code>.");
    } else if (c->view.suspect) {
        if (finding(f, LEVEL_LOOK)) {
            page_line(f->p, "cloud ");
            page_text(f->p, c->name);
            page_line(f->p, " missed a deadline, and is left alone for a while");
        }
        advice(f, "It is asked again by itself; look at its latencies in <code>/metrics</code>.");
    }
    if (c->owed_since_s > 0 && src->now_s - c->owed_since_s > OWED_S) {
        if (finding(f, LEVEL_LOOK)) {
            page_line(f->p, "cloud ");
            page_text(f->p, c->name);
            page_line(f->p, " has been owed fragments for more than a day");
        }
        advice(f, "Why: <code>qcloud-gateway status --json</code>, member <code>debts</code>.");
    }
}

static void judge(struct findings *f, const struct dashboard_source *src)
{
    of_gateway(f, src);
    of_margins(f, src->status);
    for (unsigned at = 0; at < src->status->cloud_count; at++)
        of_cloud(f, src, &src->status->clouds[at]);
    if (src->audit != NULL && src->audit->failing) {
        if (finding(f, LEVEL_LOOK))
            page_line(f->p, "the audit log cannot be written");
        advice(f, "Free space under the state directory; what it missed is counted.");
    }
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
    struct findings f = { 0 };

    judge(&f, src);
    page_line(p, "<p class=\"sum %s\" role=\"status\">%s &ndash; %s</p>\n", class_of(f.worst),
              word_of(f.worst), texts[f.worst]);
    page_line(p, "<p class=\"soft\">Clouds asked ");
    when(p, src->status->observed_s);
    page_line(p, ", catalogue counted ");
    when(p, src->status->counted_s);
    page_line(p, ", page made ");
    when(p, src->now_s);
    page_line(p, ". It renews itself every %d s. All times are UTC.</p>\n", REFRESH_S);
    if (f.count == 0)
        return;
    page_line(p, "<h2>What to do</h2>\n<ul id=\"findings\">\n");
    f = (struct findings){ .p = p };
    judge(&f, src);
    page_line(p, "</ul>\n");
}

static void margins(struct page *p, const struct gw_status *s)
{
    const unsigned full = s->n - s->k;
    struct margins m;

    page_line(p, "<h2>Margins</h2>\n");
    if (s->counted_s == 0) {
        page_line(p, "<p>not counted yet</p>\n");
        return;
    }
    count_margins(s, &m);
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

static enum level level_of(const struct gw_cloud_view *v)
{
    if (v->state == GW_CLOUD_LOST)
        return LEVEL_ACT;
    return v->state != GW_CLOUD_OK || v->suspect ? LEVEL_LOOK : LEVEL_WELL;
}

static void cloud_row(struct page *p, const struct gw_status *s, const struct gw_cloud_status *c)
{
    const enum level l = level_of(&c->view);

    page_line(p, "<tr><td data-k=\"cloud\">");
    page_text(p, c->name);
    page_line(p, "</td><td data-k=\"state\"><span><span class=\"%s\">%s</span> (%s)</span></td>", class_of(l),
              word_of(l), gw_cloud_state_name(c->view.state));
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
    figures(&p, src);
    gateway(&p, src);
    page_line(&p, "</body>\n</html>\n");
    return p.rc;
}
