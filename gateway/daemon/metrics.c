#include "metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/tally.h"
#include "http.h"
#include "judge.h"
#include "page.h"

/* What stands before the lines of a metric. */
static void family(struct page *p, const char *name, const char *type, const char *help)
{
    page_line(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct page *p, const char *name, const char *type, const char *help, uint64_t v)
{
    family(p, name, type, help);
    page_line(p, "%s %" PRIu64 "\n", name, v);
}

static void gauge(struct page *p, const char *name, const char *help, uint64_t v)
{
    one(p, name, "gauge", help, v);
}

static void counter(struct page *p, const char *name, const char *help, uint64_t v)
{
    one(p, name, "counter", help, v);
}

/* labels: `a="b",c="d"`, not empty. */
static void histogram(struct page *p, const char *name, const char *labels, const struct qc_hist *h)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < QC_HIST_BOUNDS; i++) {
        sum += qc_count(&h->count[i]);
        page_line(p, "%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels, qc_hist_bounds_us[i] / 1e6, sum);
    }
    sum += qc_count(&h->count[QC_HIST_BOUNDS]);
    page_line(p, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, sum);
    page_line(p, "%s_sum{%s} %.6f\n", name, labels, (double)qc_count(&h->sum_us) / 1e6);
    page_line(p, "%s_count{%s} %" PRIu64 "\n", name, labels, sum);
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

enum { LABELS_MAX = 256 };

static const struct gw_cloud_status *cloud(const struct gw_status *s, unsigned at, char labels[LABELS_MAX])
{
    /* gw_cloud_name_ok: nothing in it is to be escaped */
    (void)snprintf(labels, LABELS_MAX, "cloud=\"%s\"", s->clouds[at].name);
    return &s->clouds[at];
}

static void cloud_states(struct page *p, const struct gw_status *s)
{
    char labels[LABELS_MAX];

    family(p, "qcloud_cloud_state", "gauge",
           "1 for the state that a cloud is in. lost: it answers and is not ours any more.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_cloud_status *c = cloud(s, at, labels);
        for (unsigned i = 0; i <= GW_CLOUD_UNREACHABLE; i++)
            page_line(p, "qcloud_cloud_state{%s,state=\"%s\"} %d\n", labels,
                      gw_cloud_state_name((enum gw_cloud_state)i), c->view.state == (enum gw_cloud_state)i);
    }
    family(p, "qcloud_cloud_breaker", "gauge",
           "1 for the state of a cloud's breaker. open: it missed deadlines and is left alone for a while.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_cloud_status *c = cloud(s, at, labels);
        for (unsigned i = 0; i <= GW_BREAKER_HALF; i++)
            page_line(p, "qcloud_cloud_breaker{%s,state=\"%s\"} %d\n", labels,
                      gw_breaker_state_name((enum gw_breaker_state)i),
                      c->view.breaker == (enum gw_breaker_state)i);
    }
}

enum cloud_number {
    CLOUD_SEEN,
    CLOUD_FREE,
    CLOUD_OWED,
    CLOUD_RECORDS,
    CLOUD_SINCE,
    CLOUD_PAID,
    CLOUD_SENT,
    CLOUD_RECEIVED,
    CLOUD_NUMBERS
};

/* false: it is not known. */
static bool cloud_number(const struct gw_status *s, const struct gw_cloud_status *c, unsigned which,
                         uint64_t *ret)
{
    const bool counted = s->counted_s != 0;

    switch (which) {
    case CLOUD_SEEN:
        *ret = (uint64_t)c->view.seen_s;
        return c->view.seen_s > 0;
    case CLOUD_FREE:
        *ret = (uint64_t)c->free;
        return s->observed_s != 0 && c->free >= 0;
    case CLOUD_OWED:
        *ret = c->owed;
        return counted;
    case CLOUD_RECORDS:
        *ret = c->records_owed;
        return counted;
    case CLOUD_SINCE:
        *ret = (uint64_t)c->owed_since_s;
        return counted && c->owed_since_s > 0;
    case CLOUD_PAID:
        *ret = c->paying.paid;
        return true;
    case CLOUD_SENT:
        *ret = qc_count(&c->tally->sent);
        return true;
    default:
        *ret = qc_count(&c->tally->received);
        return true;
    }
}

static void cloud_numbers(struct page *p, const struct gw_status *s)
{
    static const struct {
        const char *name, *type, *help;
    } rows[CLOUD_NUMBERS] = {
        [CLOUD_SEEN] = { "qcloud_cloud_seen_timestamp_seconds", "gauge", "When it last gave a good answer." },
        [CLOUD_FREE] = { "qcloud_cloud_free_bytes", "gauge", "Room left, where a cloud says so." },
        [CLOUD_OWED] = { "qcloud_cloud_debt_fragments", "gauge", "Fragments that are owed to it." },
        [CLOUD_RECORDS] = { "qcloud_cloud_debt_records", "gauge", "Copies of records that are owed to it." },
        [CLOUD_SINCE] = { "qcloud_cloud_debt_oldest_timestamp_seconds", "gauge",
                          "Since when the oldest fragment is owed; nothing where none is." },
        [CLOUD_PAID] = { "qcloud_cloud_debts_paid_total", "counter",
                         "Fragments and records that were paid." },
        [CLOUD_SENT] = { "qcloud_cloud_sent_bytes_total", "counter", "Bytes of objects that it took." },
        [CLOUD_RECEIVED] = { "qcloud_cloud_received_bytes_total", "counter",
                             "Bytes of objects that it gave." },
    };
    char labels[LABELS_MAX];
    uint64_t v = 0;

    for (unsigned i = 0; i < CLOUD_NUMBERS; i++) {
        family(p, rows[i].name, rows[i].type, rows[i].help);
        for (unsigned at = 0; at < s->cloud_count; at++)
            if (cloud_number(s, cloud(s, at, labels), i, &v))
                page_line(p, "%s{%s} %" PRIu64 "\n", rows[i].name, labels, v);
    }
}

/* What the links say of themselves, that clouds are reached by; nothing where one does not say. */
enum { LINK_READY, LINK_DRY, LINK_NUMBERS };

static void cloud_links(struct page *p, const struct gw_status *s, struct levels *l)
{
    static const struct {
        const char *name, *help;
    } rows[LINK_NUMBERS] = {
        [LINK_READY] = { "qcloud_cloud_link_ready", "1: its link carries what is sent now." },
        [LINK_DRY] = { "qcloud_cloud_link_dry_seconds", "Until its link is out of key at the present use; "
                                                        "+Inf: never, as far as it is known." },
    };
    char labels[LABELS_MAX];

    for (unsigned i = 0; i < LINK_NUMBERS; i++) {
        family(p, rows[i].name, "gauge", rows[i].help);
        for (unsigned at = 0; at < s->cloud_count; at++) {
            const struct gw_cloud_status *c = cloud(s, at, labels);
            struct levels_view v;
            levels_look(l, c->url, &v);
            if (!v.known)
                continue;
            if (i == LINK_DRY && !v.state.dries)
                page_line(p, "%s{%s} +Inf\n", rows[i].name, labels);
            else
                page_line(p, "%s{%s} %" PRIu64 "\n", rows[i].name, labels,
                          i == LINK_DRY ? v.state.dry_s : (uint64_t)v.state.ready);
        }
    }
}

static void cloud_faults(struct page *p, const struct gw_status *s)
{
    char labels[LABELS_MAX];

    family(p, "qcloud_cloud_read_faults_total", "counter", "What reads found wrong with fragments on it.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        (void)cloud(s, at, labels);
        for (unsigned i = 0; i <= GW_FAULT_LOST; i++)
            page_line(p, "qcloud_cloud_read_faults_total{%s,kind=\"%s\"} %" PRIu64 "\n", labels,
                      gw_fault_kind_name((enum gw_fault_kind)i), s->read_faults[at][i]);
    }
}

/* -- the scrub ------------------------------------------------------------------------------------------- */

enum scrub_number { SCRUB_SEEN, SCRUB_LATE, SCRUB_DUE, SCRUB_PROGRESS, SCRUB_NUMBERS };

/* false: there is none. */
static bool scrub_number(const struct gw_scrub_view *v, unsigned which, double *ret)
{
    switch (which) {
    case SCRUB_SEEN:
        *ret = (double)v->last_began_s;
        return v->last_ended_s > 0;
    case SCRUB_LATE:
        *ret = v->late;
        return true;
    case SCRUB_DUE:
        *ret = (double)v->due_s;
        return v->due_s > 0;
    default:
        *ret = v->permille / 1000.0;
        return v->running;
    }
}

static void scrub_passes(struct page *p, const struct gw_status *s)
{
    static const struct {
        const char *name, *help;
    } rows[SCRUB_NUMBERS] = {
        [SCRUB_SEEN] = { "qcloud_cloud_scrub_timestamp_seconds",
                         "When the last whole pass began: all was looked at since. Nothing before the "
                         "first." },
        [SCRUB_LATE] = { "qcloud_cloud_scrub_late", "1: what lies there was not looked at for too long." },
        [SCRUB_DUE] = { "qcloud_cloud_scrub_due_timestamp_seconds",
                        "When the next pass begins by itself, or should have." },
        [SCRUB_PROGRESS] = { "qcloud_cloud_scrub_progress_ratio", "Of a pass that is under way." },
    };
    char labels[LABELS_MAX];
    double v = 0;

    for (unsigned i = 0; i < SCRUB_NUMBERS; i++) {
        family(p, rows[i].name, "gauge", rows[i].help);
        for (unsigned at = 0; at < s->cloud_count; at++)
            for (enum gw_depth d = GW_PRESENCE; d <= GW_CONTENT; d++)
                if (scrub_number(&cloud(s, at, labels)->scrub.depth[d - 1], i, &v))
                    page_line(p, "%s{%s,depth=\"%s\"} %.16g\n", rows[i].name, labels, gw_depth_name(d), v);
    }
}

static void scrub_findings(struct page *p, const struct gw_status *s)
{
    char labels[LABELS_MAX];

    family(p, "qcloud_cloud_findings", "gauge",
           "What does not lie there as it should, or should not lie there, as far as was looked.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_cloud_status *c = cloud(s, at, labels);
        for (unsigned i = 0; i < GW_FINDING_KINDS; i++)
            page_line(p, "qcloud_cloud_findings{%s,kind=\"%s\"} %" PRIu64 "\n", labels,
                      gw_finding_kind_name((enum gw_finding_kind)i), c->scrub.findings[i]);
    }
    family(p, "qcloud_cloud_mend_fragments", "gauge", "Fragments there that are to be rebuilt, debts apart.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_cloud_status *c = cloud(s, at, labels);
        page_line(p, "qcloud_cloud_mend_fragments{%s} %" PRIu64 "\n", labels, c->scrub.queue);
    }
}

static void scrub(struct page *p, const struct gw_status *s)
{
    if (s->counted_s == 0)
        return;
    scrub_passes(p, s);
    scrub_findings(p, s);
}

/* -- calls to clouds ------------------------------------------------------------------------------------- */

/* Calls that were made at least once: others would be 17 lines of zeros. */
static void cloud_calls(struct page *p, const struct gw_status *s)
{
    static const char took[] = "qcloud_cloud_request_duration_seconds";
    static const char errors[] = "qcloud_cloud_request_errors_total";
    char labels[LABELS_MAX], both[LABELS_MAX + 64];

    family(p, took, "histogram",
           "How long calls to a cloud took, whatever they said; second tries included.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct cloud_tally *t = cloud(s, at, labels)->tally;
        for (unsigned i = 0; i < CLOUD_CALL_COUNT; i++) {
            if (qc_hist_total(&t->took[i]) == 0)
                continue;
            (void)snprintf(both, sizeof both, "%s,op=\"%s\"", labels, cloud_call_name((enum cloud_call)i));
            histogram(p, took, both, &t->took[i]);
        }
    }
    family(p, errors, "counter",
           "Calls to a cloud that did not succeed. absent is often what was hoped for.");
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct cloud_tally *t = cloud(s, at, labels)->tally;
        for (unsigned i = 0; i < CLOUD_CALL_COUNT; i++)
            for (unsigned j = 0; j < CLOUD_TROUBLE_COUNT; j++)
                if (qc_count(&t->failed[i][j]) > 0)
                    page_line(p, "%s{%s,op=\"%s\",class=\"%s\"} %" PRIu64 "\n", errors, labels,
                              cloud_call_name((enum cloud_call)i), cloud_trouble_name((enum cloud_trouble)j),
                              qc_count(&t->failed[i][j]));
    }
}

/* -- the gateway ----------------------------------------------------------------------------------------- */

/* Every margin from none to full has its line, so that an alarm has something to look at. */
static void margins(struct page *p, const struct gw_status *s)
{
    const unsigned full = s->n - s->k;
    uint64_t by[QC_EC_N_MAX + 2] = { 0 }; /* one more than the margin; 0: below */
    int least = (int)full;

    for (unsigned i = 0; i < s->margin_count; i++) {
        const int m = s->margins[i].margin;
        by[m < 0 ? 0 : (unsigned)m + 1] += s->margins[i].versions;
        if (m < least && s->margins[i].versions > 0)
            least = m;
    }
    family(p, "qcloud_versions_by_margin", "gauge",
           "Versions by how many more clouds may be lost. below: too few fragments are known to be there.");
    page_line(p, "qcloud_versions_by_margin{margin=\"below\"} %" PRIu64 "\n", by[0]);
    for (unsigned m = 0; m <= QC_EC_N_MAX; m++)
        if (m <= full || by[m + 1] > 0)
            page_line(p, "qcloud_versions_by_margin{margin=\"%u\"} %" PRIu64 "\n", m, by[m + 1]);
    family(p, "qcloud_margin_data_min", "gauge",
           "The least margin of all versions; negative: below. Full where there are none.");
    page_line(p, "qcloud_margin_data_min %d\n", least);
}

/* Of the gateway itself; nothing before the first one. */
static void drill(struct page *p, const struct gw_status *s)
{
    const struct gw_drilled *last = &s->drills.last;

    gauge(p, "qcloud_drill_failed", "1: a drill failed, and none has tried the same with success since.",
          s->drills.failed.ended_s != 0);
    if (last->ended_s == 0)
        return;
    gauge(p, "qcloud_drill_timestamp_seconds", "When the last drill ended.", (uint64_t)last->ended_s);
    gauge(p, "qcloud_drill_versions", "Versions that it tried to read.", last->tried);
    gauge(p, "qcloud_drill_versions_back", "Of these, those that came back.", last->back);
    gauge(p, "qcloud_drill_clouds_withheld", "Clouds that it did without.", last->without_count);
}

static void counted(struct page *p, const struct gw_status *s)
{
    if (s->counted_s == 0)
        return;
    margins(p, s);
    gauge(p, "qcloud_objects", "Names that are there.", s->objects);
    gauge(p, "qcloud_versions", "Versions that are kept.", s->versions);
    gauge(p, "qcloud_stored_bytes", "Bytes of these versions, coding not counted.", s->bytes);
    gauge(p, "qcloud_uploads_open", "Uploads under way.", s->open_uploads);
    gauge(p, "qcloud_segments_dead", "Segments given up that are still to be swept.", s->dead_segments);
    gauge(p, "qcloud_bundle_dead_bytes",
          "Bytes of versions that were purged out of bundles that are there still.", s->repack.bytes);
    counter(p, "qcloud_bundles_repacked_total", "Bundles made of what lived in half dead ones.",
            s->repack.repacked);
    gauge(p, "qcloud_debt_fragments", "Fragments owed to clouds.", s->debts);
    gauge(p, "qcloud_debt_records", "Copies of records owed to clouds.", s->record_debts);
    drill(p, s);
    gauge(p, "qcloud_log_sequence", "The last record of the log.", s->log_sequence);
    if (s->snapshot.taken_s > 0)
        gauge(p, "qcloud_snapshot_timestamp_seconds", "When the newest snapshot of the catalogue was taken.",
              (uint64_t)s->snapshot.taken_s);
    gauge(p, "qcloud_snapshot_behind", "Log objects that are in no snapshot yet.", s->snapshot.behind);
    gauge(p, "qcloud_snapshot_bytes", "Of the log, in snapshots.", s->snapshot.bytes);
    if (s->catalogue_bytes > 0)
        gauge(p, "qcloud_catalogue_size_bytes", "The catalogue on this machine's disk.", s->catalogue_bytes);
    gauge(p, "qcloud_counted_timestamp_seconds", "When the catalogue was counted.", (uint64_t)s->counted_s);
}

/* One line to be alarmed by: whatever makes the dashboard anything but green. */
static void verdict(struct page *p, const struct metrics_source *src)
{
    const struct judge_source what = { .status = src->status,
                                       .audit_failing = src->audit != NULL && src->audit->failing,
                                       .now_s = qc_wall_s() };
    const enum judge_level worst = judge(&what, NULL, NULL);

    family(p, "qcloud_verdict", "gauge",
           "1 for what the dashboard says: well; look: something is not as it should be; act: or not safe.");
    for (unsigned i = JUDGE_WELL; i <= JUDGE_ACT; i++)
        page_line(p, "qcloud_verdict{level=\"%s\"} %d\n", judge_level_name((enum judge_level)i),
                  worst == (enum judge_level)i);
}

static void gateway(struct page *p, const struct gw_status *s)
{
    family(p, "qcloud_build_info", "gauge", "1; the version of the program is a label.");
    page_line(p, "qcloud_build_info{version=\"%s\"} 1\n", QC_VERSION);
    gauge(p, "qcloud_gateway_fenced", "1: another gateway took over, and this one does nothing more.",
          s->health.fenced);
    gauge(p, "qcloud_gateway_incarnation", "Counts rebuilds of this gateway.", s->health.incarnation);
    gauge(p, "qcloud_catalogue_broken", "1: the disk of the catalogue failed.", s->health.broken);
    gauge(p, "qcloud_paying", "1: debts are paid by threads of their own.", s->paying);
    gauge(p, "qcloud_margin_full", "The margin of a version that has all of its fragments.", s->n - s->k);
    gauge(p, "qcloud_clouds", "Clouds of this gateway.", s->cloud_count);
    gauge(p, "qcloud_clouds_needed", "Any so many hold whatever has its full margin.", s->needed);
    if (s->observed_s != 0)
        gauge(p, "qcloud_observed_timestamp_seconds", "When all clouds were asked.", (uint64_t)s->observed_s);
}

/* -- requests -------------------------------------------------------------------------------------------- */

static void route_label(char labels[LABELS_MAX], size_t i)
{
    if (i < routes_count)
        (void)snprintf(labels, LABELS_MAX, "method=\"%s\",route=\"%s\"", routes[i].method, routes[i].pattern);
    else
        (void)snprintf(labels, LABELS_MAX, "method=\"\",route=\"\"");
}

/* Routes that were asked for at least once. */
static void requests(struct page *p, const struct figures *f)
{
    static const char took[] = "qcloud_http_request_duration_seconds";
    static const char *const classes[FIGURES_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
    char labels[LABELS_MAX];

    family(
        p, "qcloud_http_requests_total", "counter",
        "Requests by call and class of answer. No call: refused before one was known. none: without answer.");
    for (size_t i = 0; i <= routes_count; i++) {
        route_label(labels, i);
        for (unsigned j = 0; j < FIGURES_CLASSES; j++)
            if (qc_count(&f->routes[i].answers[j]) > 0)
                page_line(p, "qcloud_http_requests_total{%s,class=\"%s\"} %" PRIu64 "\n", labels, classes[j],
                          qc_count(&f->routes[i].answers[j]));
    }
    family(p, took, "histogram", "From a request's head to the end of its answer, both bodies included.");
    for (size_t i = 0; i <= routes_count; i++) {
        route_label(labels, i);
        if (qc_hist_total(&f->routes[i].took) > 0)
            histogram(p, took, labels, &f->routes[i].took);
    }
    family(p, "qcloud_tenant_requests_total", "counter",
           "Requests by the number of the tenant; 0 is the owner.");
    for (unsigned i = 0; i <= QC_GW_TENANTS_MAX; i++)
        if (qc_count(&f->tenants[i]) > 0)
            page_line(p, "qcloud_tenant_requests_total{tenant=\"%u\"} %" PRIu64 "\n", i,
                      qc_count(&f->tenants[i]));
    counter(p, "qcloud_http_received_bytes_total", "Bytes of the bodies of requests.",
            qc_count(&f->received));
    counter(p, "qcloud_http_sent_bytes_total", "Bytes of the bodies of answers.", qc_count(&f->sent));
    counter(p, "qcloud_http_strangers_total", "Requests without a token that is known.",
            qc_count(&f->refused));
}

/* -- the process ----------------------------------------------------------------------------------------- */

/* Of /proc/self/stat: the start in ticks since the machine's, bytes of virtual memory, pages in memory. */
struct process {
    unsigned long long start, size;
    long resident;
};

static bool process_stat(struct process *ret)
{
    char text[1024] = "";
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    size_t n = 0;

    if (qc_open_at(&fd, AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, &err) != QC_OK ||
        qc_read_full(qc_fd_get(&fd), (uint8_t *)text, sizeof text - 1, &n, &err) != QC_OK)
        return false;
    const char *end = strrchr(text, ')'); /* of the program's name */
    return end != NULL &&
           sscanf(end + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%llu %llu %ld",
                  &ret->start, &ret->size, &ret->resident) == 3;
}

/* Seconds since 1970 at which the machine started. */
static double boot_s(void)
{
    struct timespec wall, up;

    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)(wall.tv_sec - up.tv_sec) + (double)(wall.tv_nsec - up.tv_nsec) / 1e9;
}

static unsigned open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n < 3 ? 0 : n - 3; /* two names of directories, and the descriptor that read them */
}

static void process(struct page *p)
{
    struct process now = { 0 };
    struct rusage used;
    struct rlimit files;

    if (process_stat(&now)) {
        family(p, "process_start_time_seconds", "gauge", "When the process started.");
        page_line(p, "process_start_time_seconds %.2f\n",
                  boot_s() + (double)now.start / (double)sysconf(_SC_CLK_TCK));
        gauge(p, "process_virtual_memory_bytes", "Address space.", now.size);
        gauge(p, "process_resident_memory_bytes", "Memory in use.",
              (uint64_t)now.resident * (uint64_t)sysconf(_SC_PAGESIZE));
    }
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        family(p, "process_cpu_seconds_total", "counter", "Processor time, of user and system.");
        page_line(p, "process_cpu_seconds_total %.2f\n",
                  (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    }
    gauge(p, "process_open_fds", "Open descriptors.", open_files());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        gauge(p, "process_max_fds", "As many may be open.", files.rlim_cur);
}

/* The door keyed by QKD. */
static void keyed_door(struct page *p, const struct keyed_counts *c)
{
    gauge(p, "qcloud_keyed_connections", "Connections that are open at the door keyed by QKD.",
          c->connections);
    counter(p, "qcloud_keyed_keys_total", "Keys that came into use there: one for a connection.", c->keys);
    counter(p, "qcloud_keyed_refused_total", "Connections without a key of ours, sent away.", c->refused);
}

qc_rc metrics_print(const struct metrics_source *src, qc_buf *ret, struct qc_err *err)
{
    struct page p = { .to = ret, .err = err };

    verdict(&p, src);
    gateway(&p, src->status);
    counted(&p, src->status);
    cloud_states(&p, src->status);
    cloud_numbers(&p, src->status);
    if (src->levels != NULL)
        cloud_links(&p, src->status, src->levels);
    cloud_faults(&p, src->status);
    scrub(&p, src->status);
    cloud_calls(&p, src->status);
    gauge(&p, "qcloud_http_connections", "Connections that are open.", src->connections);
    if (src->keyed != NULL)
        keyed_door(&p, src->keyed);
    requests(&p, src->figures);
    if (src->audit != NULL) {
        gauge(&p, "qcloud_audit_sequence", "The last line of the audit log.", src->audit->sequence);
        counter(&p, "qcloud_audit_lost_total", "Events that it could not take.", src->audit->lost);
    }
    process(&p);
    return p.rc;
}
