#include "link_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "calls.h"
#include "cmd_ask.h"
#include "gateway/clouds.h"
#include "json.h"
#include "tell.h"

enum { LINE = 512 };

/* What is gathered over all ways. */
struct gathering {
    struct gw_engine *e;
    struct levels *l;
    bool tests;
    const char *only;            /* this cloud; NULL: all */
    struct json_t *list, *lines; /* owned */
    unsigned told, failed;
    qc_rc rc; /* of the first that failed */
    char why[QC_ERR_MSG_MAX];
};

static void gathering_done(struct gathering *g)
{
    qc_json_free(&g->list);
    qc_json_free(&g->lines);
}

static qc_rc test_json(struct json_t *o, const struct gw_link_test *t, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(json_count(one, "open_us", t->open_us, err));
    QC_TRY(json_count(one, "ask_us", t->ask_us, err));
    QC_TRY(qc_json_set_bool(one, "ok", t->rc == QC_OK, err));
    QC_TRY(json_why(one, "why", t->why, err));
    return qc_json_set(o, "test", &one, err);
}

static qc_rc line(struct gathering *g, const char *name, const struct levels_view *v,
                  const struct gw_link_test *t, struct qc_err *err)
{
    char text[LINE], test[128] = "", link[160] = "";
    if (v->way.link[0] != '\0')
        (void)snprintf(link, sizeof link, ", link %.64s %s%s%s", v->known ? v->state.link : v->way.link,
                       net_level_name(v->state.now),
                       v->why.rc == QC_OK ? "" : ": nothing is written over it: ",
                       v->why.rc == QC_OK ? "" : v->why.msg);
    if (t != NULL && t->rc == QC_OK)
        (void)snprintf(test, sizeof test, ": opened in %.1f ms, asked in %.1f ms", (double)t->open_us / 1e3,
                       (double)t->ask_us / 1e3);
    else if (t != NULL)
        (void)snprintf(test, sizeof test, ": FAILED: %s", t->why);
    (void)snprintf(text, sizeof text, "cloud %s: %s%s%s", name,
                   v->way.local ? "local" : net_level_name(v->way.want.least), link, test);
    return qc_json_append_str(g->lines, text, err);
}

static qc_rc one_way(struct gathering *g, unsigned at, const struct gw_cloud_status *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_link_test t = { .rc = QC_OK };
    struct levels_view v;
    levels_look(g->l, c->url, &v);
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "cloud", c->name, err));
    QC_TRY(way_json(o, g->l, c->url, err));
    if (g->tests) {
        QC_TRY(gw_engine_link_test(g->e, at, &t, err));
        QC_TRY(test_json(o, &t, err));
    }
    if (t.rc != QC_OK && g->failed++ == 0) {
        g->rc = t.rc;
        (void)snprintf(g->why, sizeof g->why, "cloud '%s': %s", c->name, t.why);
    }
    g->told++;
    QC_TRY(qc_json_append(g->list, &o, err));
    return line(g, c->name, &v, g->tests ? &t : NULL, err);
}

static qc_rc outcome(const struct gathering *g, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(g->rc), err));
    QC_TRY(json_why(one, "message", g->why, err));
    return qc_json_set(o, "outcome", &one, err);
}

static qc_rc gather(struct gathering *g, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_arr(&g->list, err));
    QC_TRY(qc_json_new_arr(&g->lines, err));
    for (unsigned at = 0; at < gw_engine_scrub_clouds(g->e); at++) {
        struct gw_cloud_status c = { 0 };
        if (!gw_engine_way(g->e, at, &c.name, &c.url) || (g->only != NULL && strcmp(g->only, c.name) != 0))
            continue;
        QC_TRY(one_way(g, at, &c, err));
    }
    if (g->only != NULL && g->told == 0)
        return QC_FAIL(err, QC_NOTFOUND, "the gateway has no cloud '%.64s'", g->only);
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set(o, "links", &g->list, err));
    if (g->tests)
        QC_TRY(outcome(g, o, err));
    QC_TRY(qc_json_set(o, "summary", &g->lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc link_list_json(struct json_t **ret, struct gw_engine *e, struct levels *l, struct qc_err *err)
{
    QC_CLEANUP(gathering_done) struct gathering g = { .e = e, .l = l };
    return gather(&g, ret, err);
}

qc_rc link_test_json(struct json_t **ret, struct gw_engine *e, struct levels *l, const char *cloud,
                     struct qc_err *err)
{
    QC_CLEANUP(gathering_done) struct gathering g = { .e = e, .l = l, .tests = true, .only = cloud };
    return gather(&g, ret, err);
}

/* -- calls and commands ------------------------------------------------------------------------------------
 */

qc_rc call_links(struct request *r, struct answer *ret, struct qc_err *err)
{
    return link_list_json(&ret->json, request_engine(r), &r->server->levels, err);
}

qc_rc call_links_test(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "cloud" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *cloud = NULL;
    QC_TRY(request_json(r, names, 1, &in, err));
    if (qc_json_has(in, "cloud"))
        QC_TRY(qc_json_str(in, "cloud", &cloud, err));
    return link_test_json(&ret->json, request_engine(r), &r->server->levels, cloud, err);
}

static const char nobody[] = "its links are asked by a gateway that serves";

qc_rc cmd_link_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return cmd_ask(args, &(struct cmd_ask){ .method = "GET", .path = "/v1/links", .why = nobody }, err);
}

qc_rc cmd_link_test(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    *(enum tell_about *)app = TELL_JOB;
    QC_TRY(qc_json_new_obj(&body, err));
    if (args->argc > 0)
        QC_TRY(qc_json_set_str(body, "cloud", args->argv[0], err));
    return cmd_ask(
        args, &(struct cmd_ask){ .method = "POST", .path = "/v1/links/test", .body = body, .why = nobody },
        err);
}
