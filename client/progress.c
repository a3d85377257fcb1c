#include "progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "signals.h"
#include "text.h"

enum {
    BAR_MS = 100,
    JSON_MS = 1000,
    PLAIN_MS = 10000,
    MARK_MS = 1000,
    ETA_MS = 5000,
    LABEL_MAX = 40,
    LABEL_MIN = 8,
    CUT = 2, /* the dots of a label of which nothing is left */
    CLOUDS_MAX = 512,
    WHY_MAX = 200,
    STALLED_MIN = 16, /* bytes of what is waited for: less says nothing */
};

void progress_begin(struct progress *p, struct out *o, qc_span label, const char *noun, bool bytes)
{
    *p = (struct progress){ .o = o, .label = label, .noun = noun, .bytes = bytes };
    p->started_ms = qc_now_ms();
    p->shown_ms = p->moved_ms = p->started_ms;
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

/* What a line has behind its label; on a narrow terminal not all of it. */
struct words {
    char per_cent[8], figures[2 * TEXT_SIZE + 32], sealed[TEXT_SIZE + 16], speed[TEXT_SIZE + 8];
    char eta[TEXT_SPAN + WHY_MAX + 16]; /* or what is waited for, */
    size_t stalled;                     /* which stands here; 0: nothing is */
    char clouds[CLOUDS_MAX], clouds_brief[CLOUDS_MAX];
};

/* -- clouds ---------------------------------------------------------------------------------------------- */

static const char *ordinal_end(uint64_t n)
{
    static const char *const ends[] = { "th", "st", "nd", "rd" };
    return n % 10 > 3 || (n % 100 > 10 && n % 100 < 14) ? ends[0] : ends[n % 10];
}

static bool is_well(const struct vault_cloud_fares *c)
{
    return c->state == VAULT_CLOUD_OK || c->state == VAULT_CLOUD_WRITING;
}

qc_rc progress_clouds_text(const struct vault_clouds *c, bool brief, qc_buf *ret, struct qc_err *err)
{
    size_t well = 0;
    for (size_t i = 0; i < c->count; i++)
        well += is_well(&c->v[i]);
    QC_TRY(qc_buf_addf(ret, err, "%zu/%zu clouds", well, c->count));
    const char *lead = " (";
    for (size_t i = 0; i < c->count && !brief && well < c->count; i++) {
        const struct vault_cloud_fares *v = &c->v[i];
        if (is_well(v))
            continue;
        QC_TRY(qc_buf_add_str(ret, lead, err));
        QC_TRY(text_escape(qc_span_str(v->name), ret, err));
        QC_TRY(v->state == VAULT_CLOUD_RETRYING ? qc_buf_addf(ret, err, ": retrying, %" PRIu64 "%s",
                                                              v->tries + 1, ordinal_end(v->tries + 1))
                                                : qc_buf_addf(ret, err, ": failed"));
        lead = "; ";
    }
    return brief || well == c->count ? QC_OK : qc_buf_add_str(ret, ")", err);
}

static void clouds_of(const struct vault_clouds *c, struct words *w)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = CLOUDS_MAX - 3 };
    struct qc_err none = { 0 };
    if (c == NULL || progress_clouds_text(c, true, &text, &none) != QC_OK)
        return;
    (void)snprintf(w->clouds_brief, sizeof w->clouds_brief, "  %.*s", (int)text.n, (const char *)text.p);
    qc_buf_clear(&text);
    const bool whole = progress_clouds_text(c, false, &text, &none) == QC_OK; /* else there are many */
    (void)snprintf(w->clouds, sizeof w->clouds, "  %.*s",
                   whole ? (int)text.n : (int)strlen(w->clouds_brief + 2),
                   whole ? (const char *)text.p : w->clouds_brief + 2);
}

static bool is_letter(uint8_t byte) /* or its first byte, in UTF-8 */
{
    return (byte & 0xC0) != 0x80;
}

/* -- what is waited for ---------------------------------------------------------------------------------- */

/* The gateway, the way to it or its keys; else clouds that are tried again. */
static qc_rc add_why(const struct progress *p, const struct vault_clouds *c, qc_buf *ret, struct qc_err *err)
{
    char why[QC_ERR_MSG_MAX] = "";
    if (p->o->waits != NULL)
        vault_gw_waits_read(p->o->waits, why);
    if (why[0] != '\0')
        return text_escape(qc_span_str(why), ret, err);
    for (size_t i = 0; c != NULL && i < c->count; i++) {
        const struct vault_cloud_fares *v = &c->v[i];
        if (v->state != VAULT_CLOUD_RETRYING)
            continue;
        QC_TRY(qc_buf_add_str(ret, ret->n > 0 ? "; cloud " : "cloud ", err));
        QC_TRY(text_escape(qc_span_str(v->name), ret, err));
        QC_TRY(qc_buf_addf(ret, err, ": "));
        QC_TRY(text_escape(qc_span_str(v->why), ret, err));
    }
    return QC_OK;
}

bool progress_stalled(const struct progress *p, uint64_t now, const struct vault_clouds *c, qc_buf *why)
{
    struct qc_err none = { 0 };
    if (now - p->moved_ms < QC_CLIENT_STALL_MS)
        return false;
    qc_ignore(add_why(p, c, why, &none), "what fits is told");
    return why->n > 0;
}

/* What is waited for in so many bytes at most, whole letters of it. */
static void shorten(struct words *w, size_t most)
{
    size_t n = strlen(w->eta);
    most = most > w->stalled ? most : w->stalled;
    while (n > w->stalled && (n > most || !is_letter((uint8_t)w->eta[n])))
        n--;
    w->eta[n] = '\0';
}

/* "stalled 40s: the gateway is not running": in place of a time that nobody knows. */
static void stalled_of(const struct progress *p, const struct vault_progress *at, uint64_t now,
                       struct words *w)
{
    QC_CLEANUP(qc_buf_free) qc_buf why = { .max = QC_CLIENT_TEXT_MAX };
    char span[TEXT_SPAN];
    if (!progress_stalled(p, now, at->clouds, &why))
        return;
    text_span(now - p->moved_ms, span);
    (void)snprintf(w->eta, sizeof w->eta, "  stalled %s: ", span);
    w->stalled = strlen(w->eta);
    size_t n = why.n < WHY_MAX ? why.n : WHY_MAX;
    while (n > 0 && n < why.n && !is_letter(why.p[n]))
        n--;
    (void)snprintf(w->eta + w->stalled, sizeof w->eta - w->stalled, "%.*s", (int)n, (const char *)why.p);
}

/* The unit of a figure that stands beside another one. */
static void told_once(char *figure, const char *other)
{
    char *unit = strchr(figure, ' ');
    if (unit != NULL && strchr(other, ' ') != NULL && strcmp(unit, strchr(other, ' ')) == 0)
        *unit = '\0';
}

static void words_of(struct progress *p, const struct vault_progress *at, uint64_t now, struct words *w)
{
    char done[TEXT_SIZE], total[TEXT_SIZE], speed[TEXT_SIZE];
    double per_s = rate(p, now, at->done);
    int percent = progress_percent(at);
    *w = (struct words){ 0 };
    clouds_of(at->clouds, w);
    figure(p, at->done, done);
    figure(p, (uint64_t)per_s, speed);
    snprintf(total, sizeof total, "?");
    if (percent >= 0) {
        figure(p, at->total, total);
        snprintf(w->per_cent, sizeof w->per_cent, "  %3d %%", percent);
        if (now - p->started_ms >= ETA_MS && per_s >= 1 && at->total > at->done) {
            char span[TEXT_SPAN];
            text_span((uint64_t)((double)(at->total - at->done) * 1000.0 / per_s), span);
            snprintf(w->eta, sizeof w->eta, "  ETA %s", span);
        }
    }
    if (at->finishing)
        snprintf(w->eta, sizeof w->eta, "  committing");
    stalled_of(p, at, now, w);
    told_once(done, total);
    if (at->sealed > at->done) {
        char sealed[TEXT_SIZE];
        figure(p, at->sealed, sealed);
        told_once(sealed, total);
        snprintf(w->sealed, sizeof w->sealed, ", %s sealed", sealed);
    }
    snprintf(w->figures, sizeof w->figures, "  %s/%s %s", done, total, p->noun);
    snprintf(w->speed, sizeof w->speed, "  %s/s", speed);
}

/* The end of a label that fits into so many columns, each letter taken for one; what was cut is two dots. */
static qc_rc add_label(qc_span label, size_t columns, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    size_t letters = 0, skip = 0;
    QC_TRY(text_escape(label, &text, err));
    for (size_t i = 0; i < text.n; i++)
        letters += is_letter(text.p[i]);
    for (size_t more = letters > columns ? letters - columns + 2 : 0; more > 0 && skip < text.n; more--)
        for (skip++; skip < text.n && !is_letter(text.p[skip]);)
            skip++;
    if (skip > 0)
        QC_TRY(qc_buf_add(ret, QC_LIT(".."), err));
    return qc_buf_add(ret, qc_span_from(qc_buf_span(&text), skip), err);
}

/* A line of a bar never wraps: what wrapped could not be written over. What says least goes first: what is
 * sealed, the clouds, the rate, then the beginning of the label, then the figures. */
static qc_rc add_line(const struct progress *p, struct words *w, size_t columns, qc_buf *ret,
                      struct qc_err *err)
{
    const size_t label = p->label.n < LABEL_MAX ? p->label.n : LABEL_MAX;
    const size_t room =
        columns - 1; /* a cursor behind the last column is in the next line on some terminals */
    size_t rest = strlen(w->per_cent) + strlen(w->figures) + strlen(w->speed) + strlen(w->eta);
    const char *clouds = w->clouds;
    if (label + rest + strlen(w->sealed) + strlen(clouds) > room)
        w->sealed[0] = '\0';
    rest += strlen(w->sealed);
    if (label + rest + strlen(clouds) > room)
        clouds = w->clouds_brief;
    if (label + rest + strlen(clouds) > room)
        clouds = "";
    rest += strlen(clouds);
    if (label + rest > room) {
        rest -= strlen(w->speed);
        w->speed[0] = '\0';
    }
    if (LABEL_MIN + rest > room && w->stalled > 0) {
        const size_t over = LABEL_MIN + rest - room, n = strlen(w->eta);
        shorten(w, n > over + w->stalled + STALLED_MIN ? n - over : w->stalled + STALLED_MIN);
        rest -= n - strlen(w->eta);
    }
    if (LABEL_MIN + rest > room && (w->per_cent[0] != '\0' || w->stalled > 0)) {
        rest -= strlen(w->figures);
        w->figures[0] = '\0';
    }
    if (w->stalled > 0 && rest + CUT > room) { /* that it stalls, as far as there is room */
        const size_t others = rest - strlen(w->eta);
        w->stalled = 0;
        shorten(w, others + CUT < room ? room - others - CUT : 0);
        rest = others + strlen(w->eta);
    }
    const size_t left = rest < room ? room - rest : 0;
    QC_TRY(add_label(p->label, left < LABEL_MAX ? left : LABEL_MAX, ret, err));
    return qc_buf_addf(ret, err, "%s%s%s%s%s%s", w->per_cent, w->figures, w->sealed, w->speed, w->eta,
                       clouds);
}

static qc_rc clouds_json(struct json_t *into, const struct vault_clouds *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < c->count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
        QC_TRY(qc_json_new_obj(&o, err));
        QC_TRY(text_json(o, "name", qc_span_str(c->v[i].name), err));
        QC_TRY(qc_json_set_str(o, "state", vault_cloud_state(&c->v[i]), err));
        QC_TRY(qc_json_set_int(o, "durable", (int64_t)c->v[i].durable, err));
        QC_TRY(qc_json_set_int(o, "failed", (int64_t)c->v[i].failed, err));
        QC_TRY(qc_json_set_int(o, "tries", (int64_t)c->v[i].tries, err));
        QC_TRY(text_json(o, "why", qc_span_str(c->v[i].why), err));
        QC_TRY(qc_json_append(list, &o, err));
    }
    return qc_json_set(into, "clouds", &list, err);
}

static qc_rc record(struct progress *p, const struct vault_progress *at, uint64_t now, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf why = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(out_json_new("progress", &j, err));
    QC_TRY(out_json_name(j, p->label, err));
    QC_TRY(qc_json_set_int(j, "done", (int64_t)at->done, err));
    if (at->total != VAULT_SIZE_UNKNOWN) {
        QC_TRY(qc_json_set_int(j, "total", (int64_t)at->total, err));
        QC_TRY(qc_json_set_int(j, "percent", progress_percent(at), err));
    }
    if (at->sent > 0)
        QC_TRY(qc_json_set_int(j, "sent", (int64_t)at->sent, err));
    if (at->sealed > 0)
        QC_TRY(qc_json_set_int(j, "sealed", (int64_t)at->sealed, err));
    if (at->clouds != NULL)
        QC_TRY(clouds_json(j, at->clouds, err));
    if (progress_stalled(p, now, at->clouds, &why)) {
        QC_TRY(qc_json_set_int(j, "stalled", (int64_t)((now - p->moved_ms) / 1000), err));
        QC_TRY(text_json(j, "waits_for", qc_buf_span(&why), err));
    }
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

bool progress_clouds(const struct progress *p)
{
    return p->o->clouds && pause_of(p) != UINT64_MAX;
}

void progress_tell(void *ctx, const struct vault_progress *at)
{
    struct progress *p = ctx;
    uint64_t now = qc_now_ms();
    mark(p, now, at->done);
    if (at->done + at->sent != p->moved)
        p->moved_ms = now;
    p->moved = at->done + at->sent;
    bool asked = signals_report_asked();
    if (!asked && now - p->shown_ms < pause_of(p))
        return;
    p->shown_ms = now;
    struct qc_err why = { 0 };
    if (p->o->json) {
        qc_ignore(record(p, at, now, &why),
                  "progress is an extra: a lack of memory shows in the operation itself");
        return;
    }
    struct words words;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    bool bar = p->o->terminal && p->o->progress == OUT_PROGRESS_AUTO && !asked;
    words_of(p, at, now, &words);
    if (add_line(p, &words, bar ? out_columns(p->o) : SIZE_MAX, &text, &why) != QC_OK)
        return;
    fprintf(p->o->talk, bar ? "\r%.*s\033[K" : "%.*s\n", (int)text.n, (const char *)text.p);
    p->o->bar_drawn = bar;
    fflush(p->o->talk);
}

void progress_end(struct progress *p)
{
    if (p->o->bar_drawn)
        fputs("\r\033[K", p->o->talk);
    p->o->bar_drawn = false;
}
