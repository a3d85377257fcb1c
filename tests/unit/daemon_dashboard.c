/* unit/daemon_dashboard: what is on the page in each state; what a name could do to it; the largest page
 * fits. */
#include "dashboard.h"

#include <stdio.h>
#include <stdlib.h>

#include "http.h"
#include "page.h"
#include "qc_check.h"

const struct route routes[] = { { "GET", "/v1/x", WHO_ANY, BODY_NONE, NULL } };
const size_t routes_count = 1;

enum { NOW = 1700000000 };

static struct figures figures;
static struct gw_status status;
static struct gw_audit_view audit;

static void good(void)
{
    static const char *const names[] = { "c1", "c2", "c3", "c4", "c5" };

    memset(&figures, 0, sizeof figures);
    audit = (struct gw_audit_view){ .sequence = 12 };
    status = (struct gw_status){ .k = 3,
                                 .n = 5,
                                 .write_quorum = 4,
                                 .record_quorum = 3,
                                 .needed = 3,
                                 .cloud_count = 5,
                                 .observed_s = NOW - 5,
                                 .counted_s = NOW - 9,
                                 .versions = 70,
                                 .margin_count = 1 };
    status.margins[0].margin = 2;
    status.margins[0].versions = 70;
    for (unsigned at = 0; at < 5; at++) {
        status.clouds[at] = (struct gw_cloud_status){ .name = names[at], .free = 1 << 20 };
        status.clouds[at].view.state = GW_CLOUD_OK;
        status.clouds[at].view.seen_s = NOW - 3;
    }
}

static char *print(void)
{
    qc_buf text = { .max = QC_GW_DASHBOARD_MAX };
    const struct dashboard_source src = {
        .figures = &figures, .status = &status, .audit = &audit, .since_s = NOW - 100, .now_s = NOW
    };
    struct qc_err err = { 0 };

    CHECK_OK(dashboard_print(&src, &text, &err));
    char *s = malloc(text.n + 1);
    CHECK(s != NULL);
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    qc_buf_free(&text);
    return s;
}

/* The page has the words, and is in that state. */
static void says(const char *class, const char *words)
{
    char sum[64];
    char *s = print();

    (void)snprintf(sum, sizeof sum, "class=\"sum %s\"", class);
    if (strstr(s, sum) == NULL || strstr(s, words) == NULL)
        fprintf(stderr, "not %s, or no '%s' in:\n%s\n", class, words, s);
    CHECK(strstr(s, sum) != NULL && strstr(s, words) != NULL);
    CHECK((strstr(s, "id=\"findings\"") == NULL) == (strcmp(class, "well") == 0));
    free(s);
}

static void states(void)
{
    good();
    says("well", "everything is as it should be");
    says("well", "none since then");
    figures_problem(&figures, 0, QC_QUORUM);
    says("well", "too few clouds answered (<code>GET /v1/x</code>)");
    status.clouds[1].view.state = GW_CLOUD_UNREACHABLE;
    says("look", "cloud c2 does not answer");
    status.clouds[1].view.state = GW_CLOUD_OK;
    status.clouds[1].view.suspect = true;
    says("look", "cloud c2 missed a deadline");
    good();
    status.clouds[4].view.state = GW_CLOUD_LOST;
    status.clouds[4].view.role = GW_ROLE_JOINING;
    says("look", "cloud c5 is not wholly added");
    status.clouds[4].view.role = GW_ROLE_IN_USE;
    says("act", "cloud c5 is gone, or is not ours any more");
    status.clouds[3].view.state = GW_CLOUD_LOST;
    says("act", "3 of 5 clouds are well, 4 are needed to write; reading goes on");
    status.clouds[2].view.state = GW_CLOUD_LOST;
    says("act", "2 of 5 clouds are well, 3 are needed to read");
    good();
    status.margins[0].margin = 1;
    says("look", "versions with less than their full margin: 70");
    status.margins[0].margin = 0;
    says("act", "versions that bear no further loss: 70");
    status.margins[0].margin = -1;
    says("act", "versions with too few fragments on clouds that are known: 70");
    good();
    status.clouds[0].owed = 4;
    status.clouds[0].owed_since_s = NOW - 3600;
    says("well", "everything is as it should be");
    status.clouds[0].owed_since_s = NOW - 100000;
    says("look", "cloud c1 has been owed fragments for more than a day");
    good();
    status.health.fenced = true;
    says("act", "another gateway took over");
    good();
    status.health.broken = true;
    says("act", "the disk of the catalogue failed");
    good();
    audit.failing = true;
    says("look", "the audit log cannot be written");
    good();
    status.observed_s = NOW - 1000;
    says("look", "the clouds were not asked for a while");
    status.observed_s = status.counted_s = 0;
    says("look", "not counted yet");
}

/* What was not looked at for too long, and what was found. */
static void scrubs(void)
{
    good();
    status.clouds[1].scrub.depth[0] = (struct gw_scrub_view){
        .late = true, .since_s = NOW - 200000, .last_began_s = NOW - 200000, .last_ended_s = NOW - 199000
    };
    says("look", "what clouds list was not compared lately: of 1 of 5 clouds, c2 last 2023-11-12T14:40:00Z. "
                 "<code>qcloud-gateway scrub --wait</code> looks now.");
    says("look", "<td data-k=\"presence\"><span><span class=\"look\">! look</span> <time "
                 "datetime=\"2023-11-12T14:40:00Z\">");
    status.clouds[1].scrub.depth[0].late = false;
    says("well", "<td data-k=\"presence\"><span><time datetime=\"2023-11-12T14:40:00Z\">");
    status.clouds[3].scrub.depth[1] = (struct gw_scrub_view){ .late = true, .since_s = NOW - 9000000 };
    status.clouds[4].scrub.depth[1] = (struct gw_scrub_view){ .late = true, .since_s = NOW - 8000000 };
    says("look", "what lies on clouds was not read and verified lately: of 2 of 5 clouds, c4 never, since "
                 "2023-08-02T");
    good();
    status.clouds[0].scrub.findings[GW_FINDING_FOREIGN] = 3;
    says("well", "<td class=\"n\" data-k=\"findings\">3</td>");
    status.clouds[0].scrub.findings[GW_FINDING_UNKNOWN] = 2;
    says("look", "objects of ours on clouds that nothing explains: 2");
    good();
    status.clouds[2].scrub.queue = 7;
    says("look", "fragments that are missing or bad: 7");
}

static void drills(void)
{
    good();
    says("well", "The last one: none yet.");
    status.oldest_s = NOW - 34 * 86400;
    says("well", "The last one: none yet.");
    status.oldest_s = NOW - 36 * 86400;
    says("look", "there was no drill, and something is stored since 2023-10-09T22:13:20Z. "
                 "<code>qcloud-gateway drill</code>");
    status.clouds[1].view.id = 7;
    status.drills.last = (struct gw_drilled){ .ended_s = NOW - 34 * 86400,
                                              .versions = 9,
                                              .tried = 9,
                                              .back = 9,
                                              .whole = true,
                                              .without_count = 2,
                                              .without = { 7, 8 } };
    says("well", "9 of 9 versions came back, of 9; without c2, a cloud that left.");
    status.drills.last.ended_s = NOW - 36 * 86400;
    says("look", "the last drill was 2023-10-09T22:13:20Z");
    status.drills.failed = (struct gw_drilled){
        .ended_s = NOW - 90 * 86400, .versions = 9, .tried = 5, .back = 3, .without_count = 2
    };
    status.drills.last.ended_s = NOW;
    says("act", "a drill failed, 2023-08-16T22:13:20Z: 3 of 5 versions came back without 2 clouds. "
                "<code>qcloud-gateway repair --deep</code>");
}

/* Names are checked where clouds are made; the page does not rest on that. */
static void names(void)
{
    good();
    status.clouds[2].name = "<script>alert(\"&'\x01\")</script>";
    status.clouds[2].view.state = GW_CLOUD_LOST;
    char *s = print();
    CHECK(strstr(s, "<script") == NULL && strstr(s, "&#60;script&#62;alert(&#34;&#38;&#39;&#34;)") != NULL);
    free(s);
}

static void largest(void)
{
    static char name[CLOUD_NAME_SIZE_MAX + 1];

    good();
    memset(name, '&', CLOUD_NAME_SIZE_MAX);
    status.cloud_count = QC_GW_CLOUDS_MAX;
    status.margin_count = GW_MARGIN_ROWS;
    for (unsigned i = 0; i < GW_MARGIN_ROWS; i++) {
        status.margins[i].margin = (int)i - 1;
        status.margins[i].versions = UINT64_MAX;
    }
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++) {
        status.clouds[at] = (struct gw_cloud_status){ .name = name, .free = INT64_MAX, .owed_since_s = 1 };
        status.clouds[at].view.state = GW_CLOUD_LOST;
    }
    char *s = print();
    printf("%zu bytes of %d\n", strlen(s), QC_GW_DASHBOARD_MAX);
    free(s);
}

int main(void)
{
    states();
    scrubs();
    drills();
    names();
    largest();
    return 0;
}
