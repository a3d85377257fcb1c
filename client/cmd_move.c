/* gateway cloud add, drain, replace, retire, domain, and labels; plan exit, plan reprotect: clouds of one's
 * own gateway come and go, or get another code. */
#include <stdio.h>

#include "agree.h"
#include "cloud_keys.h"
#include "cmd_move.h"
#include "home/gateway_start.h"
#include "job.h"
#include "report.h"
#include "signals.h"

enum { PLAN_WORDS = 12 };

struct move {
    struct job job;
    const struct qc_args *args;
    struct json_t *ask;
};

static void move_done(struct move *m)
{
    job_done(&m->job);
    qc_json_free(&m->ask);
}

static qc_rc move_begin(struct move *m, struct client *c, const struct qc_args *args, const char *kind,
                        const char *name, struct qc_err *err)
{
    m->args = args;
    m->job = (struct job){ .c = c,
                           .path = "/v1/clouds/job",
                           .all = "fragments",
                           .done = "fragments_left",
                           .left = true,
                           .ended = "the gateway ended under this; what has moved stays where it is, and no "
                                    "margin is less than it was" };
    QC_TRY(qc_json_new_obj(&m->ask, err));
    QC_TRY(qc_json_set_str(m->ask, "kind", kind, err));
    return name == NULL ? QC_OK : qc_json_set_str(m->ask, "name", name, err);
}

/* -- arguments ------------------------------------------------------------------------------------------- */

static const char *const labels[] = { "provider", "region", "jurisdiction" };
enum { LABELS = sizeof labels / sizeof labels[0] };

bool move_has_labels(const struct qc_args *args)
{
    bool has = qc_args_value(args, "weight", NULL) != NULL;
    for (size_t i = 0; i < LABELS; i++)
        has = has || qc_args_value(args, labels[i], NULL) != NULL;
    return has;
}

static qc_rc take_labels(struct move *m, struct qc_err *err)
{
    uint64_t weight = 0;
    QC_TRY(qc_args_u64(m->args, "weight", false, 0, QC_GW_WEIGHT_MAX, &weight, err));
    if (qc_args_value(m->args, "weight", NULL) != NULL)
        QC_TRY(qc_json_set_int(m->ask, "weight", (int64_t)weight, err));
    for (size_t i = 0; i < LABELS; i++) {
        const char *label = qc_args_value(m->args, labels[i], NULL);
        if (label != NULL)
            QC_TRY(qc_json_set_str(m->ask, labels[i], label, err));
    }
    return QC_OK;
}

static qc_rc take_rate(struct move *m, struct qc_err *err)
{
    uint64_t rate = 0;
    QC_TRY(qc_args_u64(m->args, "max-rate", true, QC_GW_REPAIR_RATE_MIN, INT64_MAX >> 11, &rate, err));
    return rate == 0 ? QC_OK : qc_json_set_int(m->ask, "rate", (int64_t)rate, err);
}

/* NAME=URL of a new cloud, and where its keys are. It keeps its name for good: the user says which. */
static qc_rc take_new(struct move *m, const char *text, const char *name_member, struct qc_err *err)
{
    const char *credentials = qc_args_value(m->args, "credentials", NULL);
    const char *equals = strchr(text, '=');
    char name[CLOUD_NAME_SIZE_MAX + 1] = "", place[QC_CLIENT_PATH_MAX];
    const size_t n = equals == NULL ? 0 : (size_t)(equals - text);
    if (n == 0 || n >= sizeof name || memchr(text, '/', n) != NULL || strstr(text + n, "://") == NULL)
        return QC_FAIL(err, QC_USAGE, "%.200s: expected NAME=URL; a directory is NAME=file:///absolute/path",
                       text);
    memcpy(name, text, n);
    QC_TRY(qc_json_set_str(m->ask, name_member, name, err));
    QC_TRY(qc_json_set_str(m->ask, "url", equals + 1, err));
    QC_TRY(take_labels(m, err));
    if (credentials == NULL)
        return QC_OK;
    QC_TRY_AS(cloud_keys_place(credentials, place, err), err, "--credentials");
    return qc_json_set_str(m->ask, "credentials", place, err);
}

/* -- the plan -------------------------------------------------------------------------------------------- */

/* As qcloud-gateway prints it, which asks the gateway that serves. what: "exit", "reprotect". */
static qc_rc plan(struct client *c, const struct qc_args *args, const char *const what[2], bool json,
                  qc_buf *ret, struct qc_err *err)
{
    static const char *const options[][2] = { { "prices", "--prices" }, { "max-rate", "--max-rate" } };
    const char *argv[PLAN_WORDS] = {
        "qcloud-gateway", "plan", what[0], what[1], "--state", c->places.gateway
    };
    size_t n = 6;
    /* of a plan to leave a cloud the rate is the drain's own matter */
    for (size_t i = 0; i < (strcmp(what[0], "exit") == 0 ? 1 : 2); i++) {
        const char *v = qc_args_value(args, options[i][0], NULL);
        if (v == NULL)
            continue;
        argv[n++] = options[i][1];
        argv[n++] = v;
    }
    if (json)
        argv[n++] = "--json";
    const qc_rc rc = gateway_run(argv, ret, err);
    if (rc == QC_NOTFOUND)
        err->next = "qcloud gateway cloud ls";
    return rc;
}

static qc_rc show_plan(struct client *c, const struct qc_args *args, const char *const what[2],
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *p = NULL;
    QC_TRY(plan(c, args, what, c->out.json, &said, err));
    if (!c->out.json) {
        out_raw(&c->out, qc_buf_span(&said));
        return QC_OK;
    }
    QC_TRY_AS(qc_json_parse(&p, qc_buf_span(&said), err), err, "qcloud-gateway's answer");
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "plan", &p, err));
    return out_json(&c->out, &item, err);
}

qc_rc cmd_plan_exit(void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *const what[2] = { "exit", args->argv[0] };
    return show_plan(app, args, what, err);
}

qc_rc cmd_plan_reprotect(void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *const what[2] = { "reprotect", args->argv[0] };
    uint64_t k = 0, n = 0;
    QC_TRY(qc_parse_code(args->argv[0], "the code", VAULT_CLOUDS_MAX, &k, &n, err));
    return show_plan(app, args, what, err);
}

/* What it takes, and whether that is wanted. Where nobody can be asked, --yes says so. */
static qc_rc agree(struct move *m, const char *cloud, struct qc_err *err)
{
    struct client *c = m->job.c;
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    const bool yes = qc_args_flag(m->args, "yes");
    if (yes && c->out.json)
        return QC_OK;
    const char *const what[2] = { "exit", cloud };
    QC_TRY(plan(c, m->args, what, false, &said, err));
    if (!c->out.quiet && !c->out.json)
        fprintf(c->out.talk, "%.*s", (int)said.n, (const char *)said.p);
    if (yes)
        return QC_OK;
    return client_agree(c, "Go on? [y/N] ", "--yes", "nothing was begun", err);
}

/* -- the job --------------------------------------------------------------------------------------------- */

static qc_rc finish(struct move *m, struct qc_err *err)
{
    struct out *o = &m->job.c->out;
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct json_t *report = NULL;
    const char *kind = NULL, *cloud = NULL;
    int64_t moved = 0, left = 0, foreign = 0;
    struct qc_err why = { 0 };
    const qc_rc rc = qc_json_outcome(m->job.seen, &why);
    QC_TRY_AS(qc_json_obj(m->job.seen, "report", &report, err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_str(m->job.seen, "kind", &kind, err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_str(m->job.seen, "cloud", &cloud, err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_int(report, "moved", 0, INT64_MAX, &moved, err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_int(report, "fragments_left", 0, INT64_MAX, &left, err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_int(report, "foreign", 0, INT64_MAX, &foreign, err), err, "the gateway's answer");
    const bool begun = rc == QC_OK || moved > 0; /* else the reason why not is all there is to say */
    if (begun && (strcmp(kind, "drain") == 0 || strcmp(kind, "replace") == 0))
        out_line(o, "cloud %s: %lld fragments moved, %lld left", cloud, (long long)moved, (long long)left);
    if (begun && strcmp(kind, "reprotect") == 0)
        out_line(o, "%lld segments have the new code, %lld another one still", (long long)moved,
                 (long long)left);
    if (foreign > 0)
        out_line(o, "cloud %s: %lld objects that are not ours stay there", cloud, (long long)foreign);
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "move", &m->job.seen, err));
    QC_TRY(out_json(o, &item, err));
    if (rc == QC_NOTFOUND || rc == QC_CONFLICT)
        why.next = "qcloud gateway cloud ls";
    *err = why;
    return rc;
}

static qc_rc run(struct move *m, struct qc_err *err)
{
    progress_begin(&m->job.progress, &m->job.c->out, QC_LIT("cloud"), "fragments", false);
    qc_rc rc = job_begin(&m->job, m->job.path, m->ask, err);
    if (rc == QC_OK)
        rc = job_follow(&m->job, err);
    progress_end(&m->job.progress);
    QC_TRY(rc);
    QC_TRY(client_renew_clouds(m->job.c, m->job.gw, true, err));
    return finish(m, err);
}

static qc_rc reach(struct move *m, struct qc_err *err)
{
    const struct vault_call begun = client_call(m->job.c);
    return client_gateway(m->job.c, &begun.op, &m->job.gw, err);
}

qc_rc cmd_gateway_cloud_add(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    QC_TRY(move_begin(&m, app, args, "add", NULL, err));
    QC_TRY(take_new(&m, args->argv[0], "name", err));
    QC_TRY(reach(&m, err));
    return run(&m, err);
}

qc_rc cmd_gateway_cloud_drain(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    const bool cancel = qc_args_flag(args, "cancel");
    const char *to = qc_args_value(args, "to", NULL);
    QC_TRY(move_begin(&m, app, args, cancel ? "undrain" : "drain", args->argv[0], err));
    if (to != NULL)
        QC_TRY(qc_json_set_str(m.ask, "target", to, err));
    QC_TRY(take_rate(&m, err));
    QC_TRY(reach(&m, err));
    if (!cancel)
        QC_TRY(agree(&m, args->argv[0], err));
    return run(&m, err);
}

qc_rc cmd_gateway_cloud_replace(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    QC_TRY(move_begin(&m, app, args, "replace", args->argv[0], err));
    QC_TRY(take_new(&m, args->argv[1], "new_name", err));
    QC_TRY(take_rate(&m, err));
    QC_TRY(reach(&m, err));
    QC_TRY(agree(&m, args->argv[0], err));
    return run(&m, err);
}

qc_rc cmd_gateway_cloud_retire(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    QC_TRY(move_begin(&m, app, args, "retire", args->argv[0], err));
    QC_TRY(qc_json_set_bool(m.ask, "gone", qc_args_flag(args, "gone"), err));
    QC_TRY(reach(&m, err));
    return run(&m, err);
}

qc_rc cmd_gateway_cloud_domain(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    QC_TRY(move_begin(&m, app, args, "domain", NULL, err));
    QC_TRY(qc_json_set_str(m.ask, "domain", args->argv[0], err));
    QC_TRY(reach(&m, err));
    return run(&m, err);
}

qc_rc move_label(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    QC_TRY(move_begin(&m, c, args, "set", args->argv[0], err));
    QC_TRY(take_labels(&m, err));
    QC_TRY(reach(&m, err));
    return run(&m, err);
}

/* K,N */
static qc_rc take_code(struct move *m, const char *text, struct qc_err *err)
{
    uint64_t k = 0, n = 0;
    QC_TRY(qc_parse_code(text, "--reprotect", VAULT_CLOUDS_MAX, &k, &n, err));
    QC_TRY(qc_json_set_int(m->ask, "k", (int64_t)k, err));
    return qc_json_set_int(m->ask, "n", (int64_t)n, err);
}

qc_rc move_reprotect(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(move_done) struct move m = { 0 };
    const char *const what[2] = { "reprotect", qc_args_value(args, "reprotect", NULL) };
    if (qc_args_flag(args, "deep") || qc_args_value(args, "adopt", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--reprotect: not with --deep or --adopt");
    if (qc_args_flag(args, "dry-run"))
        return show_plan(c, args, what, err);
    QC_TRY(move_begin(&m, c, args, "reprotect", NULL, err));
    QC_TRY(take_code(&m, qc_args_value(args, "reprotect", NULL), err));
    QC_TRY(take_rate(&m, err));
    QC_TRY(reach(&m, err));
    return run(&m, err);
}
