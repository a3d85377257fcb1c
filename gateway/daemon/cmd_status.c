#include "cmd_status.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "calls.h"
#include "cloud_args.h"
#include "judge.h"
#include "print.h"
#include "qrng/qrng.h"
#include "status_watch.h"
#include "tell.h"

/* One line for each kind of label that some cloud has. */
static void wholes_text(const struct gw_status *s)
{
    for (enum gw_domain kind = GW_DOMAIN_PROVIDER; kind <= GW_DOMAIN_JURISDICTION; kind++) {
        const struct gw_whole *w = &s->wholes[kind - 1];
        const char *before = ": ";
        if (w->labelled == 0)
            continue;
        printf("%s: %u, of at most %u clouds each, %u clouds without a label; ", gw_domain_name(kind),
               w->count, w->most, w->unlabelled);
        if (w->not_borne == 0)
            printf("all can be read without any one of them\n");
        else
            printf("too little is left without one of these");
        for (unsigned i = 0; i < s->cloud_count; i++)
            if (w->not_borne >> i & 1) {
                printf("%s%s", before, gw_whole_name(s, kind, i));
                before = ", ";
            }
        if (w->not_borne != 0)
            (void)putchar('\n');
    }
}

/* One line for a cloud that is reached by a link. */
static void link_text(struct levels *l, const char *url)
{
    struct levels_view v;
    levels_look(l, url, &v);
    if (v.way.link[0] == '\0')
        return;
    printf("  link %s: at least %s; %s now", v.known ? v.state.link : v.way.link,
           net_level_name(v.way.want.least), net_level_name(v.state.now));
    if (v.state.key_id[0] != '\0')
        printf(", key %.8s of %" PRIu64 " s, %" PRIu64 " bytes", v.state.key_id, v.state.key_s,
               v.state.key_bytes);
    printf("%s%s\n", v.why.rc == QC_OK ? "" : "; nothing is written: ", v.why.rc == QC_OK ? "" : v.why.msg);
}

static void status_text(const struct gw_status *s, struct levels *l)
{
    char hex[2 * GW_ID_BYTES + 1];
    qc_hex(gw_id_span(&s->health.catalogue), hex);
    printf("gateway %s, incarnation %" PRIu32 "%s%s\n", hex, s->health.incarnation,
           s->health.fenced ? ": " : "", s->health.fenced ? s->fenced_why : "");
    printf("EC(%u,%u), write quorum %u, record quorum %u\n", s->k, s->n, s->write_quorum, s->record_quorum);
    for (unsigned i = 0; i < s->cloud_count; i++) {
        const struct gw_cloud_status *c = &s->clouds[i];
        printf("cloud %s %s %s%s%s\n", c->name, gw_cloud_state_name(c->view.state), c->url,
               c->view.why[0] != '\0' ? " : " : "", c->view.why);
        link_text(l, c->url);
        if (c->scrub.paused_s != 0) {
            char since[QC_TIME_TEXT];
            qc_time_text(c->scrub.paused_s, since);
            printf("  its scrub is paused since %s by hand\n", since);
        }
    }
    printf("%" PRIu64 " names, %" PRIu64 " versions, %" PRIu64 " bytes\n", s->objects, s->versions, s->bytes);
    for (unsigned i = 0; i < s->margin_count; i++)
        printf("%" PRIu64 " versions survive %d more lost clouds\n", s->margins[i].versions,
               s->margins[i].margin);
    wholes_text(s);
    printf("%" PRIu64 " fragments and %" PRIu64 " record copies are owed\n", s->debts, s->record_debts);
    if (s->repack.bytes > 0)
        printf("%" PRIu64 " bytes of %" PRIu64 " bundles are purged, and go when half of a bundle is%s%s\n",
               s->repack.bytes, s->repack.bundles, s->repack.why[0] != '\0' ? "; not now: " : "",
               s->repack.why);
    if (s->other_code > 0)
        printf("%" PRIu64 " segments have another code still\n", s->other_code);
    if (s->root_count > 0)
        printf("root key: shared over the clouds, any %u of %u find it\n", s->root_threshold, s->root_count);
    else
        printf("root key: off the clouds; without this directory a rebuild needs the operator's kit\n");
    char asked[QC_TIME_TEXT], counted[QC_TIME_TEXT];
    qc_time_text(s->observed_s, asked);
    qc_time_text(s->counted_s, counted);
    printf("clouds were asked %s, versions and debts counted %s\n", asked, counted);
}

/* -- the verdict ----------------------------------------------------------------------------------------- */

struct verdict {
    unsigned count;
    char first[JUDGE_TEXT];
};

/* A command is one of this program. */
static void print_advice(const char *advice)
{
    bool code = false;

    for (; *advice != '\0'; advice++) {
        if (*advice != '`')
            (void)putchar(*advice);
        else if (!code)
            (void)fputs("qcloud-gateway ", stdout);
        code = code != (*advice == '`');
    }
    (void)putchar('\n');
}

static void print_reason(void *ctx, const struct judge_reason *r)
{
    struct verdict *v = ctx;

    if (v->count == 0) {
        memcpy(v->first, r->what, sizeof v->first);
        printf("verdict: not green:\n");
    }
    v->count++;
    printf("  %-4s  %s. ", judge_level_name(r->level), r->what);
    print_advice(r->advice);
}

static qc_rc not_green(const char *first, size_t count, struct qc_err *err)
{
    return QC_FAIL(err, QC_DEGRADED, "not green: %.300s%s", first, count > 1 ? ", and more above" : "");
}

static qc_rc tell_text(struct gw_engine *e, struct levels *l, struct qc_err *err)
{
    struct verdict v = { 0 };
    struct gw_status s;

    QC_TRY(gw_engine_status(e, &s, err));
    status_text(&s, l);
    const struct judge_source src = { .status = &s, .now_s = qc_wall_s() };
    (void)judge(&src, print_reason, &v);
    if (v.count > 0)
        return not_green(v.first, v.count, err);
    printf("verdict: green: all of this was looked at, lately enough, and is as it should be\n");
    return QC_OK;
}

static qc_rc tell_json(struct gw_engine *e, struct levels *l, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct json_t *verdict = NULL, *reasons = NULL;
    const char *what = NULL;

    QC_TRY(status_json(&o, e, l, err));
    QC_TRY(print_json(o, HTTP_BODY_MAX, err));
    QC_TRY(qc_json_obj(o, "verdict", &verdict, err));
    QC_TRY(qc_json_arr(verdict, "reasons", &reasons, err));
    const size_t count = qc_json_len(reasons);
    if (count == 0)
        return QC_OK;
    QC_TRY(qc_json_str(qc_json_at(reasons, 0), "what", &what, err));
    return not_green(what, count, err);
}

qc_rc cmd_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(gw_engine_close) struct gw_engine *e = NULL;
    QC_CLEANUP(levels_done) struct levels l = { 0 };
    const char *state = NULL;

    *(enum tell_about *)app = TELL_STATUS;
    if (qc_args_flag(args, "watch")) {
        QC_TRY(cloud_args_state(args, &state, err));
        return status_watch(args, state, err);
    }
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(gw_engine_open(&e, state, &rng, err));
    QC_TRY(levels_init(&l, NULL, err));
    return qc_args_flag(args, "json") ? tell_json(e, &l, err) : tell_text(e, &l, err);
}
