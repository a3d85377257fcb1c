/* Tenants, on the operator's command line. A token is made here, goes into its file, and nothing but its hash
 * goes on to the gateway. */
#include "cmd_tenant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/token.h"
#include "calls.h"
#include "cloud_args.h"
#include "json.h"
#include "operator.h"
#include "print.h"
#include "tell.h"

#define LIMITS                                                                                               \
    { "quota", 0, "BYTES|none", "what may be stored, every version counted (20G, 2T)", false },              \
        { "objects", 0, "N|none", "how many versions", false },                                              \
        { "uploads", 0, "N", "how many uploads may be open", false },                                        \
    {                                                                                                        \
        "requests", 0, "N", "how many requests at once", false                                               \
    }

const struct qc_opt cmd_tenant_add_options[] = { CLOUD_ARGS_STATE,
                                                 { "token-file", 0, "FILE",
                                                   "where its token goes: made, with mode 0600", false },
                                                 LIMITS,
                                                 { 0 } };
const struct qc_opt cmd_tenant_token_options[] = {
    CLOUD_ARGS_STATE,
    { "token-file", 0, "FILE", "where the new token goes: made, with mode 0600", false },
    { 0 }
};
const struct qc_opt cmd_tenant_quota_options[] = { CLOUD_ARGS_STATE, LIMITS, { 0 } };
const struct qc_opt cmd_tenant_ls_options[] = { CLOUD_ARGS_STATE,
                                                { "json", 0, NULL, "as JSON", false },
                                                { 0 } };
const struct qc_opt cmd_tenant_options[] = { CLOUD_ARGS_STATE, { 0 } };

/* What all of them have. */
struct command {
    struct operator op;
    const char *state;
    struct json_t *body, *answer;
};

static void command_done(struct command *c)
{
    operator_done(&c->op);
    qc_json_free(&c->body);
    qc_json_free(&c->answer);
}

static qc_rc begin(struct command *c, void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_TENANT;
    QC_TRY(cloud_args_state(args, &c->state, err));
    return qc_json_new_obj(&c->body, err);
}

/* Once all that was given is known to make sense. */
static qc_rc reach(struct command *c, struct qc_err *err)
{
    return operator_open(&c->op, c->state, err);
}

/* Not given: no change. none: null. */
static qc_rc take_limit(struct command *c, const struct qc_args *args, const char *option, const char *name,
                        bool units, struct qc_err *err)
{
    const char *text = qc_args_value(args, option, NULL);
    uint64_t v = 0;
    if (text == NULL)
        return QC_OK;
    if (strcmp(text, "none") == 0)
        return qc_json_set_null(c->body, name, err);
    char what[32];
    (void)snprintf(what, sizeof what, "--%s", option);
    QC_TRY(qc_parse_u64(text, what, units, &v, err));
    return json_count(c->body, name, v, err);
}

static qc_rc take_limits(struct command *c, const struct qc_args *args, struct qc_err *err)
{
    QC_TRY(take_limit(c, args, "quota", "bytes", true, err));
    QC_TRY(take_limit(c, args, "objects", "objects", false, err));
    QC_TRY(take_limit(c, args, "uploads", "uploads", false, err));
    return take_limit(c, args, "requests", "requests", false, err);
}

/* A new token in its file, its hash in the body. */
static qc_rc make_token(struct command *c, const char *file, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *token = NULL;
    uint8_t hash[QC_SHA256_BYTES];
    QC_TRY(qc_token_new(&token, &c->op.rng, err));
    QC_TRY(qc_token_hash(qc_key_open(token), hash, err));
    QC_TRY(qc_json_set_b64(c->body, "token_hash", qc_span_of(hash, sizeof hash), err));
    return qc_token_write(file, token, err);
}

/* Was it certainly not done? */
static bool refused(qc_rc rc)
{
    return rc == QC_USAGE || rc == QC_NOTFOUND || rc == QC_CONFLICT || rc == QC_LIMIT || rc == QC_FENCED ||
           rc == QC_AUTH || rc == QC_NOMEM;
}

/* A change with a token that lies in file: where it was refused, the token is nobody's and goes. */
static qc_rc change_with_token(struct command *c, const char *name, const char *file, struct qc_err *err)
{
    const qc_rc rc = operator_change(&c->op, name, c->body, &c->answer, err);
    if (rc != QC_OK && refused(rc))
        (void)unlink(file);
    else if (rc != QC_OK)
        err->next = "qcloud-gateway tenant ls    if it shows the change, the token file is good; else remove "
                    "the file "
                    "and give the same command again";
    return rc;
}

static qc_rc token_file_of(const struct qc_args *args, const char **ret, struct qc_err *err)
{
    *ret = qc_args_value(args, "token-file", NULL);
    return *ret != NULL ? QC_OK : QC_FAIL(err, QC_USAGE, "--token-file FILE is missing");
}

static qc_rc check_name(const char *name, struct qc_err *err)
{
    if (gw_tenant_name_ok(qc_span_str(name)))
        return QC_OK;
    return QC_FAIL(err, QC_USAGE, "a tenant's name has 1..%d of a-z 0-9 . _ -, the first a letter or digit",
                   QC_GW_TENANT_NAME_MAX);
}

qc_rc cmd_tenant_add(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    const char *file = NULL;
    int64_t number = 0;
    QC_TRY(begin(&c, app, args, err));
    QC_TRY(check_name(args->argv[0], err));
    QC_TRY(token_file_of(args, &file, err));
    QC_TRY(qc_json_set_str(c.body, "name", args->argv[0], err));
    QC_TRY(take_limits(&c, args, err));
    QC_TRY(reach(&c, err));
    QC_TRY(make_token(&c, file, err));
    QC_TRY(change_with_token(&c, NULL, file, err));
    QC_TRY(qc_json_int(c.answer, "tenant", 1, UINT32_MAX, &number, err));
    printf("tenant %s (number %" PRId64 ") may come in; its token is in %s\n", args->argv[0], number, file);
    return QC_OK;
}

qc_rc cmd_tenant_token(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    const char *file = NULL;
    QC_TRY(begin(&c, app, args, err));
    QC_TRY(check_name(args->argv[0], err));
    QC_TRY(token_file_of(args, &file, err));
    QC_TRY(reach(&c, err));
    QC_TRY(make_token(&c, file, err));
    QC_TRY(change_with_token(&c, args->argv[0], file, err));
    printf("tenant %s has a new token, in %s; the old one is worth nothing from now on\n", args->argv[0],
           file);
    return QC_OK;
}

qc_rc cmd_tenant_quota(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(begin(&c, app, args, err));
    QC_TRY(check_name(args->argv[0], err));
    if (args->given_count < 2) /* one says where */
        return QC_FAIL(err, QC_USAGE, "which limit? --quota, --objects, --uploads or --requests");
    QC_TRY(take_limits(&c, args, err));
    QC_TRY(reach(&c, err));
    QC_TRY(operator_change(&c.op, args->argv[0], c.body, &c.answer, err));
    printf("tenant %s has its new limits\n", args->argv[0]);
    return QC_OK;
}

static qc_rc set_enabled(void *app, const struct qc_args *args, bool enabled, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    QC_TRY(begin(&c, app, args, err));
    QC_TRY(check_name(args->argv[0], err));
    QC_TRY(qc_json_set_bool(c.body, "enabled", enabled, err));
    QC_TRY(reach(&c, err));
    QC_TRY(operator_change(&c.op, args->argv[0], c.body, &c.answer, err));
    printf("tenant %s is %s\n", args->argv[0],
           enabled ? "enabled" : "disabled: it is let in no more, and all that it has stays");
    return QC_OK;
}

qc_rc cmd_tenant_disable(void *app, const struct qc_args *args, struct qc_err *err)
{
    return set_enabled(app, args, false, err);
}

qc_rc cmd_tenant_enable(void *app, const struct qc_args *args, struct qc_err *err)
{
    return set_enabled(app, args, true, err);
}

/* -- ls -------------------------------------------------------------------------------------------------- */

/* "17 of 100", "17" where there is no limit. */
static qc_rc of_limit(const struct json_t *used, const struct json_t *limits, const char *name, char ret[48],
                      struct qc_err *err)
{
    int64_t have = 0, most = 0;
    QC_TRY(qc_json_int(used, name, 0, INT64_MAX, &have, err));
    if (!qc_json_has(limits, name)) {
        (void)snprintf(ret, 48, "%" PRId64, have);
        return QC_OK;
    }
    QC_TRY(qc_json_int(limits, name, 0, INT64_MAX, &most, err));
    (void)snprintf(ret, 48, "%" PRId64 " of %" PRId64, have, most);
    return QC_OK;
}

static qc_rc print_tenant(const struct json_t *t, struct qc_err *err)
{
    struct json_t *used = NULL, *limits = NULL;
    const char *name = NULL;
    char bytes[48], objects[48], uploads[48];
    int64_t number = 0, requests = 0;
    bool enabled = false;
    QC_TRY(qc_json_int(t, "tenant", 1, UINT32_MAX, &number, err));
    QC_TRY(qc_json_str(t, "name", &name, err));
    QC_TRY(qc_json_bool(t, "enabled", &enabled, err));
    QC_TRY(qc_json_obj(t, "used", &used, err));
    QC_TRY(qc_json_obj(t, "limits", &limits, err));
    QC_TRY(qc_json_int(limits, "requests", 1, INT64_MAX, &requests, err));
    QC_TRY(of_limit(used, limits, "bytes", bytes, err));
    QC_TRY(of_limit(used, limits, "objects", objects, err));
    QC_TRY(of_limit(used, limits, "uploads", uploads, err));
    printf("%" PRId64 " %s %s: %s bytes, %s versions, %s open uploads, %" PRId64 " requests at once\n",
           number, name, enabled ? "enabled" : "disabled", bytes, objects, uploads, requests);
    return QC_OK;
}

qc_rc cmd_tenant_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(command_done) struct command c = { 0 };
    struct json_t *list = NULL;
    QC_TRY(begin(&c, app, args, err));
    QC_TRY(reach(&c, err));
    QC_TRY(operator_tenants(&c.op, &c.answer, err));
    if (qc_args_flag(args, "json")) {
        QC_TRY(print_json(c.answer, HTTP_ANSWER_MAX, err));
        return QC_OK;
    }
    QC_TRY(qc_json_arr(c.answer, "tenants", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++)
        QC_TRY(print_tenant(qc_json_at(list, i), err));
    return QC_OK;
}
