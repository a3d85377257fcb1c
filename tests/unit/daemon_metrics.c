/* unit/daemon_metrics: the largest page there can be fits its limit; what is not known is not said; the page
 * of a small gateway is, line for line, what it should be. */
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "cloud/tally.h"
#include "http.h"
#include "qc_check.h"

/* In the place of routes.c: as many routes as there may be. */
static qc_rc no_call(struct request *r, struct answer *ret, struct qc_err *err)
{
    (void)r;
    (void)ret;
    return QC_FAIL(err, QC_GENERAL, "none");
}
#define ROW                                                                                                  \
    {                                                                                                        \
        "DELETE", "/v1/vaults/{}/objects/{}/{}/backup", WHO_ANY, BODY_NONE, no_call                          \
    }
#define ROWS ROW, ROW, ROW, ROW, ROW, ROW, ROW
const struct route routes[QC_GW_METRIC_ROUTES - 1] = { ROWS, ROWS, ROWS, ROWS, ROWS,
                                                       ROWS, ROWS, ROWS, ROWS, ROWS };
const size_t routes_count = QC_GW_METRIC_ROUTES - 1;

static struct figures figures;
static struct gw_status status;
static struct cloud_tally tallies[QC_GW_CLOUDS_MAX];

/* What consists of counters alone. */
static void count_all(void *p, size_t size)
{
    atomic_uint_fast64_t *v = p;

    CHECK(size % sizeof v[0] == 0);
    for (size_t i = 0; i < size / sizeof v[0]; i++)
        atomic_store(&v[i], UINT64_MAX / 64);
}

static void fill(void)
{
    static char names[QC_GW_CLOUDS_MAX][CLOUD_NAME_SIZE_MAX + 1];

    count_all(&figures, sizeof figures);
    count_all(tallies, sizeof tallies);
    status = (struct gw_status){
        .k = 1, .n = QC_EC_N_MAX, .cloud_count = QC_GW_CLOUDS_MAX, .observed_s = 1, .counted_s = 1
    };
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++) {
        memset(names[at], 'a', CLOUD_NAME_SIZE_MAX);
        status.clouds[at] = (struct gw_cloud_status){ .name = names[at], .tally = &tallies[at] };
        status.clouds[at].view.seen_s = status.clouds[at].owed_since_s = INT64_MAX;
    }
}

static char *print(void)
{
    qc_buf text = { .max = QC_GW_METRICS_MAX };
    static const struct keyed_counts door = { .connections = 2, .keys = 9, .refused = UINT64_MAX };
    const struct metrics_source src = {
        .figures = &figures, .status = &status, .keyed = &door, .connections = 3
    };
    struct qc_err err = { 0 };

    CHECK_OK(metrics_print(&src, &text, &err));
    char *s = malloc(text.n + 1);
    CHECK(s != NULL);
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    qc_buf_free(&text);
    return s;
}

static void largest(void)
{
    fill();
    char *s = print();
    CHECK(strstr(s, "{tenant=\"1000\"}") != NULL && strstr(s, "{tenant=\"1001\"}") == NULL);
    CHECK(strstr(s, "{margin=\"31\"}") != NULL);
    printf("%zu bytes of %d\n", strlen(s), QC_GW_METRICS_MAX);
    free(s);
}

static void has(const char *page, const char *line)
{
    char whole[256];

    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (strstr(page, whole) == NULL)
        fprintf(stderr, "no line %s in:\n%s\n", line, page);
    CHECK(strstr(page, whole) != NULL);
}

static void small(void)
{
    memset(&figures, 0, sizeof figures);
    memset(tallies, 0, sizeof tallies);
    status = (struct gw_status){ .k = 3, .n = 5, .cloud_count = 1, .needed = 3 };
    status.clouds[0] = (struct gw_cloud_status){ .name = "a.b-c", .tally = &tallies[0], .free = -1 };
    char *s = print();
    static const char *const not_known[] = { "\nqcloud_objects ",          "\nqcloud_versions_by_margin{",
                                             "\nqcloud_cloud_free_bytes{", "\nqcloud_cloud_debt_fragments{",
                                             "\nqcloud_observed",          "\nqcloud_cloud_seen",
                                             "\nqcloud_cloud_scrub",       "\nqcloud_cloud_findings" };
    for (size_t i = 0; i < sizeof not_known / sizeof not_known[0]; i++)
        CHECK(strstr(s, not_known[i]) == NULL);
    free(s);

    status.counted_s = 9;
    status.observed_s = 8;
    status.margin_count = 3;
    status.margins[0].margin = -2;
    status.margins[0].versions = 4;
    status.margins[1].margin = -1;
    status.margins[1].versions = 1;
    status.margins[2].margin = 2;
    status.margins[2].versions = 70;
    status.clouds[0].free = 12;
    qc_hist_note(&tallies[0].took[CLOUD_CALL_PUT], 1500000);
    qc_hist_note(&tallies[0].took[CLOUD_CALL_PUT], 60000000);
    qc_count_add(&tallies[0].failed[CLOUD_CALL_PUT][CLOUD_TROUBLE_TIMEOUT], 1);
    figures_request(&figures, QC_GW_METRIC_ROUTES - 2, 7, 503, 0);
    figures_request(&figures, QC_GW_METRIC_ROUTES - 1, 4000000000, 401, 0);
    figures_request(&figures, QC_GW_METRIC_ROUTES - 1, 0, 0, 0);
    s = print();
    has(s, "qcloud_versions_by_margin{margin=\"below\"} 5");
    has(s, "qcloud_versions_by_margin{margin=\"0\"} 0");
    has(s, "qcloud_versions_by_margin{margin=\"2\"} 70");
    has(s, "qcloud_margin_data_min -2");
    has(s, "qcloud_cloud_free_bytes{cloud=\"a.b-c\"} 12");
    has(s, "qcloud_cloud_request_duration_seconds_bucket{cloud=\"a.b-c\",op=\"put\",le=\"1\"} 0");
    has(s, "qcloud_cloud_request_duration_seconds_bucket{cloud=\"a.b-c\",op=\"put\",le=\"2.5\"} 1");
    has(s, "qcloud_cloud_request_duration_seconds_bucket{cloud=\"a.b-c\",op=\"put\",le=\"+Inf\"} 2");
    has(s, "qcloud_cloud_request_duration_seconds_sum{cloud=\"a.b-c\",op=\"put\"} 61.500000");
    has(s, "qcloud_cloud_request_errors_total{cloud=\"a.b-c\",op=\"put\",class=\"timeout\"} 1");
    has(s, "qcloud_http_requests_total{method=\"\",route=\"\",class=\"4xx\"} 1");
    has(s, "qcloud_http_requests_total{method=\"\",route=\"\",class=\"none\"} 1");
    has(s, "qcloud_tenant_requests_total{tenant=\"7\"} 1");
    has(s, "qcloud_http_connections 3");
    has(s, "qcloud_keyed_connections 2");
    has(s, "qcloud_keyed_keys_total 9");
    has(s, "qcloud_keyed_refused_total 18446744073709551615");
    CHECK(strstr(s, "op=\"get\"") == NULL);
    free(s);
}

/* On the page that small() left. */
static void looked_at(void)
{
    status.clouds[0].scrub.depth[0] = (struct gw_scrub_view){ .running = true,
                                                              .permille = 250,
                                                              .last_began_s = 1700000000,
                                                              .last_ended_s = 1700000100,
                                                              .due_s = 1700086400 };
    status.clouds[0].scrub.depth[1] = (struct gw_scrub_view){ .late = true, .since_s = 1 };
    status.clouds[0].scrub.findings[GW_FINDING_STALE] = 6;
    status.clouds[0].scrub.queue = 7;
    char *s = print();
    has(s, "qcloud_cloud_scrub_timestamp_seconds{cloud=\"a.b-c\",depth=\"presence\"} 1700000000");
    has(s, "qcloud_cloud_scrub_due_timestamp_seconds{cloud=\"a.b-c\",depth=\"presence\"} 1700086400");
    has(s, "qcloud_cloud_scrub_late{cloud=\"a.b-c\",depth=\"presence\"} 0");
    has(s, "qcloud_cloud_scrub_late{cloud=\"a.b-c\",depth=\"content\"} 1");
    has(s, "qcloud_cloud_scrub_progress_ratio{cloud=\"a.b-c\",depth=\"presence\"} 0.25");
    CHECK(strstr(s, "scrub_timestamp_seconds{cloud=\"a.b-c\",depth=\"content\"}") == NULL);
    has(s, "qcloud_cloud_findings{cloud=\"a.b-c\",kind=\"stale\"} 6");
    has(s, "qcloud_cloud_mend_fragments{cloud=\"a.b-c\"} 7");
    has(s, "qcloud_drill_failed 0");
    CHECK(strstr(s, "qcloud_drill_timestamp_seconds") == NULL);
    has(s, "qcloud_verdict{level=\"act\"} 1");
    has(s, "qcloud_verdict{level=\"well\"} 0");
    free(s);

    status.drills.failed.ended_s = 5;
    status.drills.last =
        (struct gw_drilled){ .ended_s = 1700000000, .tried = 9, .back = 8, .without_count = 2 };
    s = print();
    has(s, "qcloud_drill_failed 1");
    has(s, "qcloud_drill_timestamp_seconds 1700000000");
    has(s, "qcloud_drill_versions 9");
    has(s, "qcloud_drill_versions_back 8");
    has(s, "qcloud_drill_clouds_withheld 2");
    free(s);
}

int main(void)
{
    largest();
    small();
    looked_at();
    return 0;
}
