/* drill: a loss, rehearsed. Clouds and a share store are left out as if they were gone, and objects are
 * really fetched, opened and verified, into nothing. */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/lot.h"
#include "last_drill.h"
#include "progress.h"
#include "report.h"
#include "text.h"

struct drill {
    struct client *c;
    uint64_t seed, sample;
    unsigned share;         /* withheld; 0: none */
    struct json_t *gateway; /* its status */
    struct json_t *clouds;  /* borrowed from it */
    int64_t k, n;
    bool out[VAULT_CLOUDS_MAX]; /* by place in clouds: withheld */
    unsigned out_count;
    bool usual; /* nobody said which, or how many */
    char without[VAULT_WITHOUT_MAX];
    struct json_t *lost; /* names of what did not come back; for the report */
    bool lost_cut;
    bool all; /* no prefix: of everything there is */
};

static void drill_done(struct drill *d)
{
    qc_json_free(&d->gateway);
    qc_json_free(&d->lost);
}

enum {
    PLACE_SHARE,
    PLACE_CLOUDS
}; /* of what is drawn; then the clouds, one after the other. Objects have the seed's
     complement */

static qc_rc take_seed(struct drill *d, const struct qc_args *args, struct qc_err *err)
{
    uint8_t bytes[4]; /* short enough to be typed again */
    const qc_rng rng = qrng_rng(d->c->ids);
    QC_TRY(qc_rng_fill(&rng, bytes, sizeof(bytes), err));
    d->seed = qc_get_be(bytes, sizeof(bytes));
    QC_TRY(qc_args_u64(args, "seed", false, 0, UINT64_MAX, &d->seed, err));
    return qc_args_u64(args, "sample", false, 1, UINT64_MAX, &d->sample, err);
}

static qc_rc take_share(struct drill *d, const struct qc_args *args, struct qc_err *err)
{
    const char *which = qc_args_value(args, "without-share", "random");
    uint64_t drawn = 0;
    QC_TRY(qc_lot_draw(d->seed, PLACE_SHARE, 2, &drawn, err));
    if (strcmp(which, "random") == 0)
        d->share = (unsigned)drawn + 1;
    else if (strcmp(which, "none") != 0 && (strlen(which) != 1 || which[0] < '1' || which[0] > '2'))
        return QC_FAIL(err, QC_USAGE, "--without-share is 1, 2, random or none, not '%.40s'", which);
    else
        d->share = which[0] == 'n' ? 0 : (unsigned)(which[0] - '0');
    d->c->withheld_share = d->c->lost_share = d->share;
    return QC_OK;
}

static qc_rc ask_gateway(struct drill *d, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    struct vault_call call = client_call(d->c);
    QC_TRY(client_gateway(d->c, &call.op, &gw, err));
    QC_TRY(gw->ops->status(gw, &text, &call.op, err));
    QC_TRY(qc_json_parse(&d->gateway, qc_buf_span(&text), err));
    QC_TRY(qc_json_int(d->gateway, "k", 1, VAULT_CLOUDS_MAX, &d->k, err));
    QC_TRY(qc_json_int(d->gateway, "n", d->k, VAULT_CLOUDS_MAX, &d->n, err));
    QC_TRY(qc_json_arr(d->gateway, "clouds", &d->clouds, err));
    if (qc_json_len(d->clouds) > VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_FORMAT, "%zu clouds, at most %d", qc_json_len(d->clouds), VAULT_CLOUDS_MAX);
    return QC_OK;
}

static qc_rc cloud_name(const struct drill *d, size_t i, const char **ret, struct qc_err *err)
{
    return qc_json_str(qc_json_at(d->clouds, i), "name", ret, err);
}

static qc_rc withhold_named(struct drill *d, const char *name, struct qc_err *err)
{
    for (size_t i = 0; i < qc_json_len(d->clouds); i++) {
        const char *is = NULL;
        QC_TRY(cloud_name(d, i, &is, err));
        if (strcmp(is, name) != 0)
            continue;
        d->out_count += !d->out[i];
        d->out[i] = true;
        return QC_OK;
    }
    (void)QC_FAIL(err, QC_NOTFOUND, "there is no cloud '%.80s'", name);
    err->next = "qcloud status";
    return QC_NOTFOUND;
}

/* One more, of those that are left. */
static qc_rc withhold_drawn(struct drill *d, struct qc_err *err)
{
    const uint64_t left = qc_json_len(d->clouds) - d->out_count;
    if (left == 0)
        return QC_FAIL(err, QC_USAGE, "there are only %u clouds to do without", d->out_count);
    uint64_t nth = 0;
    QC_TRY(qc_lot_draw(d->seed, PLACE_CLOUDS + d->out_count, left, &nth, err));
    for (size_t i = 0; i < qc_json_len(d->clouds); i++) {
        if (d->out[i] || nth-- > 0)
            continue;
        d->out[i] = true;
        d->out_count++;
        break;
    }
    return QC_OK;
}

/* Those that were named, then those that were asked for at random; nothing said: as many as may be lost. */
static qc_rc take_clouds(struct drill *d, const struct qc_args *args, struct qc_err *err)
{
    struct qc_lot_without w;
    const char *name;
    QC_TRY(qc_lot_without(args, &w, err));
    d->usual = !w.said;
    unsigned random = w.said ? w.random : (unsigned)(d->n - d->k);
    for (unsigned i = 0; i < w.named; i++)
        QC_TRY(withhold_named(d, w.names[i], err));
    while (random-- > 0)
        QC_TRY(withhold_drawn(d, err));
    for (size_t i = 0, at = 0; i < qc_json_len(d->clouds); i++) {
        if (!d->out[i])
            continue;
        QC_TRY(cloud_name(d, i, &name, err));
        const int n = snprintf(d->without + at, sizeof(d->without) - at, "%s%s", at == 0 ? "" : ",", name);
        if (n < 0 || (size_t)n >= sizeof(d->without) - at)
            return QC_FAIL(err, QC_LIMIT, "names of clouds: too many bytes");
        at += (size_t)n;
    }
    return QC_OK;
}

static qc_rc tell_one(void *ctx, const struct vault_drilled *one, struct qc_err *err)
{
    struct drill *d = ctx;
    struct client *c = d->c;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    out_count(&c->out, one->rc);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&one->what->name), err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(one->rc), err));
    QC_TRY(text_json(j, "why", qc_span_str(one->text), err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)one->what->size, err));
    QC_TRY(out_json(&c->out, &j, err));
    if (one->rc == QC_OK && c->out.verbose == 0)
        return QC_OK; /* a line for each of many would hide those that count */
    QC_TRY(text_escape(qc_buf_span(&one->what->name), &name, err));
    out_line(&c->out, "%-4s  %.*s%s%s", one->rc == QC_OK ? "back" : "LOST", (int)name.n, (const char *)name.p,
             one->rc == QC_OK ? "" : ": ", one->text);
    if (one->rc == QC_OK)
        return QC_OK;
    d->lost_cut = qc_json_len(d->lost) >= QC_CLIENT_DRILL_LOST;
    if (d->lost_cut)
        return QC_OK;
    QC_CLEANUP(qc_json_free) struct json_t *row = NULL;
    QC_TRY(qc_json_new_obj(&row, err));
    QC_TRY(out_json_name(row, qc_buf_span(&one->what->name), err));
    QC_TRY(qc_json_set_int(row, "exit", qc_rc_exit(one->rc), err));
    QC_TRY(text_json(row, "why", qc_span_str(one->text), err));
    return qc_json_append(d->lost, &row, err);
}

/* Figures of a drill; the members of <state>/drill.json, of the report and of the result's summary. */
static qc_rc figures(const struct drill *d, const struct vault_drill_result *r, struct json_t **ret,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *names = NULL;
    char when[QC_TIME_TEXT], seed[TEXT_SIZE];
    qc_time_text((int64_t)time(NULL), when);
    snprintf(seed, sizeof(seed), "%" PRIu64, d->seed);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_new_arr(&names, err));
    for (size_t i = 0; i < qc_json_len(d->clouds); i++) {
        const char *name = NULL;
        if (!d->out[i])
            continue;
        QC_TRY(cloud_name(d, i, &name, err));
        QC_TRY(qc_json_append_str(names, name, err));
    }
    QC_TRY(qc_json_set_int(j, "v", 1, err));
    QC_TRY(qc_json_set_str(j, "when", when, err));
    QC_TRY(qc_json_set(j, "without", &names, err));
    QC_TRY(qc_json_set_int(j, "share", d->share, err));
    QC_TRY(qc_json_set_str(j, "seed", seed, err));
    QC_TRY(qc_json_set_bool(j, "whole", d->all && r->tried == r->objects && r->fewer == 0, err));
    QC_TRY(qc_json_set_int(j, "objects", (int64_t)r->objects, err));
    QC_TRY(qc_json_set_int(j, "tried", (int64_t)r->tried, err));
    QC_TRY(qc_json_set_int(j, "back", (int64_t)r->back, err));
    QC_TRY(qc_json_set_int(j, "fewer", (int64_t)r->fewer, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)r->bytes, err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(r->worst), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

/* With the names of what was lost. */
static qc_rc write_report(struct drill *d, const char *path, const struct vault_drill_result *r,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(figures(d, r, &j, err));
    QC_TRY(qc_json_set(j, "lost", &d->lost, err));
    QC_TRY(qc_json_set_bool(j, "lost_cut", d->lost_cut, err));
    return report_file(path, j, err);
}

/* What is about to be left out. */
static void tell_plan(const struct drill *d)
{
    char share[16] = "no share", names[2 * VAULT_WITHOUT_MAX];
    size_t n = 0;
    for (const char *p = d->out_count > 0 ? d->without : "no cloud"; *p != '\0'; p++) {
        names[n++] = *p;
        if (*p == ',')
            names[n++] = ' ';
    }
    names[n] = '\0';
    if (d->share > 0)
        (void)snprintf(share, sizeof(share), "share %u", d->share);
    out_note(&d->c->out, "drill: as if %s%s%s were lost (seed %" PRIu64 "); nothing is changed", names,
             d->share > 0 || d->out_count == 0 ? " and " : "", d->share > 0 || d->out_count == 0 ? share : "",
             d->seed);
}

/* Figures into the result, the state directory and the report; then what it comes to. */
static qc_rc conclude(struct drill *d, const struct qc_args *args, const struct vault_drill_result *r,
                      struct qc_err *err)
{
    struct client *c = d->c;
    QC_CLEANUP(qc_json_free) struct json_t *kept = NULL;
    char bytes[TEXT_SIZE];
    const char *report = qc_args_value(args, "report", NULL);
    QC_TRY(figures(d, r, &c->end.extra, err));
    QC_TRY(figures(d, r, &kept, err));
    if (report != NULL)
        QC_TRY_AS(write_report(d, report, r, err), err, "report");
    if (d->out_count <= d->n - d->k)
        QC_TRY_AS(last_drill_keep(c, &kept, err), err, "the drill's figures");
    else
        out_note(&c->out, "more clouds were left out than may be lost: status goes on with the drill before");
    if (r->fewer > 0)
        out_note(&c->out,
                 "%" PRIu64 " object%s another code still, and %s tried with no more of these clouds missing "
                 "than that bears",
                 r->fewer, r->fewer == 1 ? " has" : "s have", r->fewer == 1 ? "was" : "were");
    text_size(r->bytes, bytes);
    if (r->back == r->tried) {
        out_note(&c->out, "%" PRIu64 " of %" PRIu64 " object%s came back, %s, every byte verified%s", r->back,
                 r->tried, text_s(r->tried), bytes, r->tried < r->objects ? " (a sample)" : "");
        return QC_OK;
    }
    qc_err_set(err, r->worst, QC_HERE, "%" PRIu64 " of %" PRIu64 " object%s would have been lost",
               r->tried - r->back, r->tried, text_s(r->tried));
    return r->worst;
}

qc_rc cmd_drill(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(drill_done) struct drill d = { .c = c, .all = args->argc == 0 };
    struct vault_drill_result r = { 0 };
    struct progress p;
    const char *report = qc_args_value(args, "report", NULL);
    if (report != NULL)
        QC_TRY_AS(report_place(report, err), err, "--report");
    QC_TRY(client_rng(c, err));
    QC_TRY(take_seed(&d, args, err));
    QC_TRY(take_share(&d, args, err));
    QC_TRY_AS(ask_gateway(&d, err), err, "the gateway's status");
    QC_TRY(take_clouds(&d, args, err));
    QC_TRY(qc_json_new_arr(&d.lost, err));
    tell_plan(&d);
    QC_TRY(client_open(c, err));
    const struct vault_drill what = { .prefix = args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 },
                                      .without = d.without,
                                      .by_code = d.usual,
                                      .sample = d.sample,
                                      .seed = ~d.seed };
    struct vault_call call = client_call_shown(c, &p, QC_LIT("drill"), "verified", true);
    qc_rc rc = vault_drill(c->vault, &what, tell_one, &d, &call, &r, err);
    progress_end(&p);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    if (r.tried == 0)
        return QC_FAIL(err, QC_NOTFOUND, "there is no object to try");
    return conclude(&d, args, &r, err);
}
