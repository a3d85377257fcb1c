#include "progress.h"

#include <inttypes.h>

#include "base/time.h"
#include "signals.h"
#include "text.h"

enum { BAR_MS = 100, JSON_MS = 1000, PLAIN_MS = 10000, MARK_MS = 1000, ETA_MS = 5000, LABEL_MAX = 40 };

void progress_begin(struct progress *p, struct out *o, qc_span label, const char *noun, bool bytes)
{
    *p = (struct progress){ .o = o, .label = label, .noun = noun, .bytes = bytes };
    p->started_ms = qc_now_ms();
    p->shown_ms = p->started_ms;
}

int progress_percent(const struct vault_progress *at)
{
    if (at->total == VAULT_SIZE_UNKNOWN)
        return -1;
    if (at->total == 0 || at->done >= at->total)
        return 99;
    int percent = (int)((double)at->done / (double)at->total * 100.0);
    return percent > 99 ? 99 : percent;
}

static void mark(struct progress *p, uint64_t now, uint64_t done)
{
    if (p->mark_count > 0 && now - p->marked_ms < MARK_MS)
        return;
    p->marked_ms = now;
    p->marks[p->mark_count++ % PROGRESS_MARKS].at_ms = now;
    p->marks[(p->mark_count - 1) % PROGRESS_MARKS].done = done;
}

/* Units a second over the marks that are kept. */
static double rate(const struct progress *p, uint64_t now, uint64_t done)
{
    if (p->mark_count == 0)
        return 0;
    size_t oldest = p->mark_count <= PROGRESS_MARKS ? 0 : p->mark_count % PROGRESS_MARKS;
    uint64_t ms = now - p->marks[oldest].at_ms;
    if (ms == 0 || done < p->marks[oldest].done)
        return 0;
    return (double)(done - p->marks[oldest].done) * 1000.0 / (double)ms;
}

static void figure(const struct progress *p, uint64_t v, char out[TEXT_SIZE])
{
    if (p->bytes)
        text_size(v, out);
    else
        snprintf(out, TEXT_SIZE, "%" PRIu64, v);
}

static void line(struct progress *p, const struct vault_progress *at, uint64_t now, char *out, size_t max)
{
    char done[TEXT_SIZE], total[TEXT_SIZE], speed[TEXT_SIZE], eta[TEXT_SPAN + 8] = "", per_cent[16] = "";
    double per_s = rate(p, now, at->done);
    int percent = progress_percent(at);
    figure(p, at->done, done);
    figure(p, (uint64_t)per_s, speed);
    snprintf(total, sizeof total, "?");
    if (percent >= 0) {
        figure(p, at->total, total);
        snprintf(per_cent, sizeof per_cent, "%3d %%  ", percent);
        if (now - p->started_ms >= ETA_MS && per_s >= 1 && at->total > at->done) {
            char span[TEXT_SPAN];
            text_span((uint64_t)((double)(at->total - at->done) * 1000.0 / per_s), span);
            snprintf(eta, sizeof eta, "  ETA %s", span);
        }
    }
    if (at->finishing)
        snprintf(eta, sizeof eta, "  committing");
    snprintf(out, max, "%s%s/%s %s  %s/s%s", per_cent, done, total, p->noun, speed, eta);
}

static qc_rc record(struct progress *p, const struct vault_progress *at, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("progress", &j, err));
    QC_TRY(out_json_name(j, p->label, err));
    QC_TRY(qc_json_set_int(j, "done", (int64_t)at->done, err));
    if (at->total != VAULT_SIZE_UNKNOWN) {
        QC_TRY(qc_json_set_int(j, "total", (int64_t)at->total, err));
        QC_TRY(qc_json_set_int(j, "percent", progress_percent(at), err));
    }
    if (at->sent > 0)
        QC_TRY(qc_json_set_int(j, "sent", (int64_t)at->sent, err));
    return out_json(p->o, &j, err);
}

static uint64_t pause_of(const struct progress *p)
{
    if (p->o->json)
        return JSON_MS;
    if (p->o->progress == OUT_PROGRESS_PLAIN)
        return PLAIN_MS;
    return p->o->terminal && p->o->progress == OUT_PROGRESS_AUTO && !p->o->quiet ? BAR_MS : UINT64_MAX;
}

void progress_tell(void *ctx, const struct vault_progress *at)
{
    struct progress *p = ctx;
    uint64_t now = qc_now_ms();
    mark(p, now, at->done);
    bool asked = signals_report_asked();
    if (!asked && now - p->shown_ms < pause_of(p))
        return;
    p->shown_ms = now;
    struct qc_err why = { 0 };
    if (p->o->json) {
        qc_ignore(record(p, at, &why),
                  "progress is an extra: a lack of memory shows in the operation itself");
        return;
    }
    char text[160];
    QC_CLEANUP(qc_buf_free) qc_buf label = { .max = QC_CLIENT_TEXT_MAX };
    line(p, at, now, text, sizeof text);
    qc_span shown = p->label.n > LABEL_MAX ? qc_span_from(p->label, p->label.n - LABEL_MAX) : p->label;
    if (text_escape(shown, &label, &why) != QC_OK)
        return;
    bool bar = p->o->terminal && p->o->progress == OUT_PROGRESS_AUTO && !asked;
    fprintf(p->o->talk, bar ? "\r%.*s  %s\033[K" : "%.*s  %s\n", (int)label.n, (const char *)label.p, text);
    p->o->bar_drawn = bar;
    fflush(p->o->talk);
}

void progress_end(struct progress *p)
{
    if (p->o->bar_drawn)
        fputs("\r\033[K", p->o->talk);
    p->o->bar_drawn = false;
}
