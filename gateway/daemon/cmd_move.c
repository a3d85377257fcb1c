/* Clouds come and go, on the operator's command line: a job of the daemon that serves, else of this process;
 * in both cases told of by the same JSON. */
#include "cmd_move.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/program.h"
#include "cloud_args.h"
#include "json.h"
#include "moves.h"
#include "operator.h"
#include "prices.h"
#include "print.h"
#include "tell.h"

#define RATE                                                                                                 \
    {                                                                                                        \
        "max-rate", 0, "BYTES", "read and write at most so much in a second (k, M, G: powers of 1024)",      \
            false                                                                                            \
    }
#define JSON                                                                                                 \
    {                                                                                                        \
        "json", 0, NULL, "the job as JSON", false                                                            \
    }
#define PLAN                                                                                                 \
    { "prices", 0, "FILE", "a table of prices, for the plan", false },                                       \
    {                                                                                                        \
        "yes", 0, NULL, "do not ask whether the plan is what you want", false                                \
    }

const struct qc_opt cmd_cloud_add_options[] = {
    CLOUD_ARGS_STATE,
    { "credentials", 0, "FILE", "where its keys are: a file of mode 0600, or aws:PROFILE", false },
    CMD_CLOUD_LABELS,
    RATE,
    JSON,
    { 0 },
};
const struct qc_opt cmd_cloud_drain_options[] = {
    CLOUD_ARGS_STATE,
    { "to", 0, "NAME", "everything goes to this cloud, where it can", false },
    { "cancel", 0, NULL, "it is in use again; what has moved stays where it is", false },
    RATE,
    PLAN,
    JSON,
    { 0 },
};
const struct qc_opt cmd_cloud_replace_options[] = {
    CLOUD_ARGS_STATE,
    { "credentials", 0, "FILE", "where the new one's keys are: a file of mode 0600, or aws:PROFILE", false },
    CMD_CLOUD_LABELS,
    RATE,
    PLAN,
    JSON,
    { 0 },
};
const struct qc_opt cmd_cloud_retire_options[] = {
    CLOUD_ARGS_STATE,
    { "gone", 0, NULL, "it will never answer again: what lies there is given up", false },
    JSON,
    { 0 },
};
const struct qc_opt cmd_cloud_domain_options[] = { CLOUD_ARGS_STATE, JSON, { 0 } };
const struct qc_opt cmd_plan_exit_options[] = {
    CLOUD_ARGS_STATE,
    { "prices", 0, "FILE", "a table of prices", false },
    JSON,
    { 0 },
};
const struct qc_opt cmd_plan_reprotect_options[] = {
    CLOUD_ARGS_STATE, { "prices", 0, "FILE", "a table of prices", false }, RATE, JSON, { 0 },
};

/* -- a command ------------------------------------------------------------------------------------------- */

struct command {
    struct operator op;
    struct moves moves; /* where no daemon serves */
    bool local;
    struct json_t *body, *job; /* what is asked; as it was told last */
    bool terminal, json, stopping;
};

static void command_done(struct command *c)
{
    if (c->local)
        moves_done(&c->moves);
    operator_done(&c->op);
    qc_json_free(&c->body);
    qc_json_free(&c->job);
}

static qc_rc open_command(struct command *c, void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *state = NULL;
    *(enum tell_about *)app = TELL_MOVE;
    c->terminal = isatty(STDERR_FILENO) == 1;
    c->json = qc_args_flag(args, "json");
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_json_new_obj(&c->body, err));
    QC_TRY(operator_open(&c->op, state, err));
    if (c->op.net != NULL)
        return QC_OK;
    moves_init(&c->moves);
    c->local = true;
    return gw_engine_work(c->op.e, err);
}

static qc_rc tell_job(struct command *c, const char *method, const struct json_t *body, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    if (!c->local) {
        QC_TRY(operator_ask(&c->op, method, "/v1/clouds/job", body, &said, err));
    } else {
        if (body != NULL)
            QC_TRY(moves_start(&c->moves, c->op.e, body, err));
        else if (strcmp(method, "DELETE") == 0)
            moves_cancel(&c->moves);
        QC_TRY(moves_json(&c->moves, &said, err));
    }
    qc_json_free(&c->job);
    c->job = QC_STEAL(said);
    return QC_OK;
}

/* -- following ------------------------------------------------------------------------------------------- */

enum { POLL_MS = 10, POLL_MS_MAX = 200 };

static qc_rc count_of(struct json_t *report, const char *name, uint64_t *ret, struct qc_err *err)
{
    return json_number(report, name, ret, err);
}

static qc_rc show(struct command *c, struct qc_err *err)
{
    struct json_t *report = NULL;
    const char *phase = NULL;
    uint64_t all = 0, left = 0, written = 0;
    QC_TRY(qc_json_obj(c->job, "report", &report, err));
    QC_TRY(qc_json_str(report, "phase", &phase, err));
    QC_TRY(count_of(report, "fragments", &all, err));
    QC_TRY(count_of(report, "fragments_left", &left, err));
    QC_TRY(count_of(report, "written_bytes", &written, err));
    if (c->terminal)
        (void)fprintf(stderr,
                      "\r\033[K%s: %" PRIu64 " of %" PRIu64 " fragments are left, %" PRIu64 " MiB written",
                      phase, left, all, written >> 20);
    return QC_OK;
}

static qc_rc follow(struct command *c, struct qc_err *err)
{
    long nap_ms = POLL_MS;
    for (;;) {
        const char *state = NULL;
        QC_TRY_AS(qc_json_str(c->job, "state", &state, err), err, "the gateway's answer");
        QC_TRY_AS(show(c, err), err, "the gateway's answer");
        if (strcmp(state, "running") != 0)
            break;
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap_ms * 1000000L }, NULL);
        nap_ms = nap_ms < POLL_MS_MAX / 2 ? nap_ms * 2 : POLL_MS_MAX;
        const bool end = qc_cancel_is(qc_stop()) && !c->stopping;
        c->stopping = c->stopping || end;
        QC_TRY(tell_job(c, end ? "DELETE" : "GET", NULL, err));
    }
    if (c->terminal)
        (void)fprintf(stderr, "\r\033[K");
    return QC_OK;
}

static qc_rc print_job(struct command *c, qc_rc outcome, struct qc_err *err)
{
    struct json_t *report = NULL;
    const char *kind = NULL, *cloud = NULL;
    uint64_t moved = 0, left = 0, foreign = 0;
    if (c->json)
        return print_json(c->job, HTTP_BODY_MAX, err);
    QC_TRY(qc_json_str(c->job, "kind", &kind, err));
    QC_TRY(qc_json_str(c->job, "cloud", &cloud, err));
    QC_TRY(qc_json_obj(c->job, "report", &report, err));
    QC_TRY(count_of(report, "moved", &moved, err));
    QC_TRY(count_of(report, "fragments_left", &left, err));
    QC_TRY(count_of(report, "foreign", &foreign, err));
    const bool begun = outcome == QC_OK || moved > 0; /* else the reason why not is all there is to say */
    if (begun && (strcmp(kind, "drain") == 0 || strcmp(kind, "replace") == 0))
        printf("cloud %s: %" PRIu64 " fragments moved, %" PRIu64 " left\n", cloud, moved, left);
    if (begun && strcmp(kind, "reprotect") == 0)
        printf("%" PRIu64 " segments have the new code, %" PRIu64 " another one still\n", moved, left);
    if (strcmp(kind, "retire") == 0 && foreign > 0)
        printf("cloud %s: %" PRIu64 " objects that are not ours stay there\n", cloud, foreign);
    return QC_OK;
}

/* The job, from its beginning to its end. */
static qc_rc run(struct command *c, const char *kind, const char *name, struct qc_err *err)
{
    struct qc_err why = { 0 };
    QC_TRY(qc_json_set_str(c->body, "kind", kind, err));
    if (name != NULL)
        QC_TRY(qc_json_set_str(c->body, "name", name, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(tell_job(c, "POST", c->body, err));
    QC_TRY(follow(c, err));
    const qc_rc rc = qc_json_outcome(c->job, &why);
    QC_TRY(print_job(c, rc, err));
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* -- arguments ------------------------------------------------------------------------------------------- */

bool cmd_cloud_has_labels(const struct qc_args *args)
{
    bool has = qc_args_value(args, "weight", NULL) != NULL;
    for (unsigned i = 1; i <= GW_LABELS; i++)
        has = has || qc_args_value(args, gw_domain_name((enum gw_domain)i), NULL) != NULL;
    return has;
}

static qc_rc take_labels(struct command *c, const struct qc_args *args, struct qc_err *err)
{
    uint64_t weight = 0;
    if (qc_args_value(args, "weight", NULL) != NULL) {
        QC_TRY(qc_args_u64(args, "weight", false, 0, QC_GW_WEIGHT_MAX, &weight, err));
        QC_TRY(json_count(c->body, "weight", weight, err));
    }
    for (unsigned i = 1; i <= GW_LABELS; i++) {
        const char *name = gw_domain_name((enum gw_domain)i);
        const char *label = qc_args_value(args, name, NULL);
        if (label != NULL)
            QC_TRY(qc_json_set_str(c->body, name, label, err));
    }
    return QC_OK;
}

static qc_rc take_rate(struct command *c, const struct qc_args *args, struct qc_err *err)
{
    uint64_t rate = 0;
    QC_TRY(qc_args_u64(args, "max-rate", true, QC_GW_REPAIR_RATE_MIN, INT64_MAX >> 11, &rate, err));
    return rate == 0 ? QC_OK : json_count(c->body, "rate", rate, err);
}

static qc_rc take_credentials(struct command *c, const struct qc_args *args, struct qc_err *err)
{
    const char *credentials = qc_args_value(args, "credentials", NULL);
    return credentials == NULL ? QC_OK : qc_json_set_str(c->body, "credentials", credentials, err);
}

/* [NAME=]URL: the name is what stands before the first '=', where that can be one; else the end of the URL.
 */
static qc_rc split(const char *text, char name[CLOUD_NAME_SIZE_MAX + 1], const char **ret_url,
                   struct qc_err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const size_t n = strspn(text, letters);
    const char *end = text + strlen(text);
    if (n >= 1 && text[n] == '=' && n <= CLOUD_NAME_SIZE_MAX) {
        memcpy(name, text, n);
        name[n] = '\0';
        *ret_url = text + n + 1;
        return QC_OK;
    }
    while (end > text && end[-1] == '/')
        end--;
    const char *from = end;
    while (from > text && strchr(letters, from[-1]) != NULL)
        from--;
    if (from == end || (size_t)(end - from) > CLOUD_NAME_SIZE_MAX || from[0] == '-')
        return QC_FAIL(err, QC_USAGE, "the URL ends in no name: give one, NAME=URL");
    memcpy(name, from, (size_t)(end - from));
    name[end - from] = '\0';
    *ret_url = text;
    return QC_OK;
}

/* -- the plan -------------------------------------------------------------------------------------------- */

static qc_rc get_plan(struct command *c, const char *cloud, struct json_t **ret, struct qc_err *err)
{
    char path[64 + CLOUD_NAME_SIZE_MAX];
    if (strspn(cloud, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(cloud) ||
        strlen(cloud) > CLOUD_NAME_SIZE_MAX)
        return QC_FAIL(err, QC_NOTFOUND, "this gateway has no cloud '%.64s'", cloud);
    if (c->local)
        return exit_plan_json(ret, c->op.e, cloud, err);
    (void)snprintf(path, sizeof path, "/v1/clouds/plan?cloud=%s", cloud);
    return operator_ask(&c->op, "GET", path, NULL, ret, err);
}

/* With what it costs, as far as that is known. */
static qc_rc priced(const struct qc_args *args, struct json_t *plan, struct qc_err *err)
{
    struct prices prices = { 0 };
    const char *file = qc_args_value(args, "prices", NULL);
    if (file != NULL)
        QC_TRY(prices_load(file, &prices, err));
    return prices_apply(&prices, file != NULL, plan, err);
}

static qc_rc show_plan(struct command *c, const struct qc_args *args, const char *cloud, FILE *to,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *plan = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    QC_TRY(get_plan(c, cloud, &plan, err));
    QC_TRY(priced(args, plan, err));
    if (c->json && to == stdout)
        return print_json(plan, HTTP_BODY_MAX, err);
    QC_TRY(prices_text(plan, &text, err));
    (void)fprintf(to, "%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}

/* What it takes, and whether that is wanted. Where nobody can be asked, --yes says so. */
static qc_rc agree(struct command *c, const struct qc_args *args, const char *cloud, struct qc_err *err)
{
    char line[16] = "";
    if (qc_args_flag(args, "yes"))
        return c->json ? QC_OK : show_plan(c, args, cloud, stderr, err);
    QC_TRY(show_plan(c, args, cloud, stderr, err));
    if (isatty(STDIN_FILENO) != 1)
        return QC_FAIL(err, QC_USAGE, "nobody can be asked whether this is wanted: --yes");
    (void)fprintf(stderr, "Go on? [y/N] ");
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return QC_FAIL(err, QC_CANCELLED, "nothing was begun");
    return QC_OK;
}

/* -- commands -------------------------------------------------------------------------------------------- */

qc_rc cmd_cloud_add(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    char name[CLOUD_NAME_SIZE_MAX + 1];
    const char *url = NULL;
    QC_TRY(split(args->argv[0], name, &url, err));
    QC_TRY(open_command(&c, app, args, err));
    QC_TRY(qc_json_set_str(c.body, "url", url, err));
    QC_TRY(take_credentials(&c, args, err));
    QC_TRY(take_labels(&c, args, err));
    QC_TRY(take_rate(&c, args, err));
    return run(&c, "add", name, err);
}

qc_rc cmd_cloud_drain(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    const char *to = qc_args_value(args, "to", NULL);
    QC_TRY(open_command(&c, app, args, err));
    if (qc_args_flag(args, "cancel")) {
        struct qc_err unused = { 0 };
        qc_ignore(tell_job(&c, "DELETE", NULL, &unused), "there may be no job");
        if (c.job != NULL)
            QC_TRY(follow(&c, err));
        return run(&c, "undrain", args->argv[0], err);
    }
    if (to != NULL)
        QC_TRY(qc_json_set_str(c.body, "target", to, err));
    QC_TRY(take_rate(&c, args, err));
    QC_TRY(agree(&c, args, args->argv[0], err));
    return run(&c, "drain", args->argv[0], err);
}

qc_rc cmd_cloud_replace(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    char name[CLOUD_NAME_SIZE_MAX + 1];
    const char *url = NULL;
    QC_TRY(split(args->argv[1], name, &url, err));
    QC_TRY(open_command(&c, app, args, err));
    QC_TRY(qc_json_set_str(c.body, "url", url, err));
    QC_TRY(qc_json_set_str(c.body, "new_name", name, err));
    QC_TRY(take_credentials(&c, args, err));
    QC_TRY(take_labels(&c, args, err));
    QC_TRY(take_rate(&c, args, err));
    QC_TRY(agree(&c, args, args->argv[0], err));
    return run(&c, "replace", args->argv[0], err);
}

qc_rc cmd_cloud_retire(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(open_command(&c, app, args, err));
    if (qc_args_flag(args, "gone"))
        QC_TRY(qc_json_set_bool(c.body, "gone", true, err));
    return run(&c, "retire", args->argv[0], err);
}

qc_rc cmd_cloud_domain(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    enum gw_domain unused;
    if (!gw_domain_of_name(args->argv[0], &unused))
        return QC_FAIL(err, QC_USAGE,
                       "what fails together is cloud, provider, region or jurisdiction, not '%.40s'",
                       args->argv[0]);
    QC_TRY(open_command(&c, app, args, err));
    QC_TRY(qc_json_set_str(c.body, "domain", args->argv[0], err));
    return run(&c, "domain", NULL, err);
}

qc_rc cmd_cloud_label(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(open_command(&c, app, args, err));
    QC_TRY(take_labels(&c, args, err));
    return run(&c, "set", args->argv[0], err);
}

static qc_rc get_code_plan(struct command *c, uint64_t k, uint64_t n, struct json_t **ret, struct qc_err *err)
{
    char path[96];
    if (c->local)
        return code_plan_json(ret, c->op.e, (unsigned)k, (unsigned)n, err);
    (void)snprintf(path, sizeof path, "/v1/clouds/plan/code?k=%" PRIu64 "&n=%" PRIu64, k, n);
    return operator_ask(&c->op, "GET", path, NULL, ret, err);
}

/* What another code would take: plan reprotect, and repair --reprotect --dry-run. */
static qc_rc show_code_plan(struct command *c, const struct qc_args *args, const char *code,
                            struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *plan = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    uint64_t k = 0, n = 0, rate = 0;
    QC_TRY(qc_parse_code(code, "the code", QC_EC_N_MAX, &k, &n, err));
    QC_TRY(qc_args_u64(args, "max-rate", true, QC_GW_REPAIR_RATE_MIN, INT64_MAX >> 11, &rate, err));
    QC_TRY(get_code_plan(c, k, n, &plan, err));
    QC_TRY(priced(args, plan, err));
    if (c->json)
        return print_json(plan, HTTP_BODY_MAX, err);
    QC_TRY(prices_code_text(plan, rate, &text, err));
    printf("%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}

/* K,N */
static qc_rc take_code(struct command *c, const char *text, struct qc_err *err)
{
    uint64_t k = 0, n = 0;
    QC_TRY(qc_parse_code(text, "--reprotect", QC_EC_N_MAX, &k, &n, err));
    QC_TRY(json_count(c->body, "k", k, err));
    return json_count(c->body, "n", n, err);
}

qc_rc cmd_reprotect(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    if (qc_args_flag(args, "deep") || qc_args_value(args, "adopt", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--reprotect: not with --deep or --adopt");
    QC_TRY(open_command(&c, app, args, err));
    if (qc_args_flag(args, "dry-run"))
        return show_code_plan(&c, args, qc_args_value(args, "reprotect", NULL), err);
    QC_TRY(take_code(&c, qc_args_value(args, "reprotect", NULL), err));
    QC_TRY(take_rate(&c, args, err));
    return run(&c, "reprotect", NULL, err);
}

qc_rc cmd_plan_exit(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(open_command(&c, app, args, err));
    return show_plan(&c, args, args->argv[0], stdout, err);
}

qc_rc cmd_plan_reprotect(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(open_command(&c, app, args, err));
    return show_code_plan(&c, args, args->argv[0], err);
}
