#include "cmd_cloud.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cloud_args.h"
#include "cloud_test.h"
#include "cmd_ask.h"
#include "cmd_move.h"
#include "gateway/clouds.h"
#include "json.h"
#include "moves.h"
#include "print.h"
#include "tell.h"

const struct qc_opt cmd_cloud_validate_options[] = {
    { "state", 0, "DIR", "the state directory, for a cloud of a gateway", false },
    { "config", 0, "FILE", "or a configuration, which names it", false },
    { "url", 0, "URL", "a place that is no gateway's cloud yet; it becomes one (a directory gets its mark)",
      false },
    { "credentials", 0, "FILE", "with --url: where its keys are: a file of mode 0600, or aws:PROFILE",
      false },
    { "deep", 0, NULL, "more and larger objects: minutes instead of seconds", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};
const struct qc_opt cmd_cloud_set_options[] = {
    CLOUD_ARGS_STATE,
    { "credentials", 0, "FILE", "where its keys are: a file of mode 0600, or aws:PROFILE", false },
    { "untried", 0, NULL, "also where the cloud does not answer now", false },
    { "url", 0, "URL", "it is there now: moved, or an empty place for what is gone (repair --adopt fills it)",
      false },
    CMD_CLOUD_LABELS,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* -- ls -------------------------------------------------------------------------------------------------- */

static qc_rc info_text(void *ctx, const struct gw_cloud_info *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf facts = { .max = HTTP_BODY_MAX };
    char time[QC_TIME_TEXT] = "never";
    (void)ctx;
    QC_TRY(cloud_facts_print(c->facts, &facts, err));
    if (c->validated)
        qc_time_text(c->validated_s, time);
    printf("%s %s\n  %s, weight %u%s%s%s%s%s%s, %" PRIu64 " fragments, about %" PRIu64 " bytes\n", c->name,
           c->url, gw_cloud_role_name(c->role), c->labels.weight,
           c->labels.v[0][0] != '\0' ? ", provider " : "", c->labels.v[0],
           c->labels.v[1][0] != '\0' ? ", region " : "", c->labels.v[1],
           c->labels.v[2][0] != '\0' ? ", jurisdiction " : "", c->labels.v[2], c->fragments, c->bytes);
    printf("  keys: %s\n  validated: %s%s%.*s\n", c->credentials != NULL ? c->credentials : "none", time,
           facts.n > 0 ? ", shown: " : "", (int)facts.n, facts.n > 0 ? (const char *)facts.p : "");
    return QC_OK;
}

qc_rc cmd_cloud_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    const char *state = NULL;
    *(enum tell_about *)app = TELL_CLOUD;
    QC_TRY(cloud_args_state(args, &state, err));
    if (!qc_args_flag(args, "json"))
        return gw_clouds_list(state, info_text, NULL, err);
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(gw_clouds_list(state, cloud_info_json, list, err));
    QC_TRY(qc_json_set(o, "clouds", &list, err));
    return print_json(o, HTTP_BODY_MAX, err);
}

/* -- reports --------------------------------------------------------------------------------------------- */

void cmd_cloud_told(void *ctx, const char *cloud, const struct cloud_report *r)
{
    (void)ctx;
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++)
        if (r->findings[i].verdict == CLOUD_WARNS || r->findings[i].verdict == CLOUD_UNFIT)
            printf("cloud %s: %s: %s\n", cloud, cloud_check_name((enum cloud_check)i), r->findings[i].why);
}

static void report_numbers(const struct cloud_report *r)
{
    if (r->put_us > 0)
        printf("  small objects: %.1f ms to write, %.1f ms to read; a large one: %.0f MiB/s, %.0f MiB/s\n",
               (double)r->put_us / 1e3, (double)r->get_us / 1e3, (double)r->put_bps / 1048576,
               (double)r->get_bps / 1048576);
    if (r->sync_us > 0)
        printf("  one fsync: %.1f ms\n", (double)r->sync_us / 1e3);
    if (r->space_known)
        printf("  free: %.1f of %.1f GiB\n", (double)r->space.avail / 1073741824,
               (double)r->space.total / 1073741824);
    if (r->findings[CLOUD_CHECK_CLOCK].verdict != CLOUD_NOT_LOOKED_AT)
        printf("  its clock less ours: %" PRId64 " s\n", r->clock_s);
}

static void report_text(const char *cloud, const struct cloud_report *r)
{
    printf("%s: %s\n", cloud, r->unfit > 0 ? "not fit for use" : "fit for use");
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++) {
        const struct cloud_finding *f = &r->findings[i];
        const enum cloud_check c = (enum cloud_check)i;
        if (f->verdict != CLOUD_NOT_LOOKED_AT)
            printf("  %-8s %-13s %s\n", cloud_verdict_name(f->verdict), cloud_check_name(c),
                   f->verdict == CLOUD_GOOD ? cloud_check_text(c) : f->why);
    }
    report_numbers(r);
}

static qc_rc checks_json(struct json_t *o, const struct cloud_report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        const struct cloud_finding *f = &r->findings[i];
        if (f->verdict == CLOUD_NOT_LOOKED_AT)
            continue;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "check", cloud_check_name((enum cloud_check)i), err));
        QC_TRY(qc_json_set_str(one, "verdict", cloud_verdict_name(f->verdict), err));
        if (f->verdict != CLOUD_GOOD)
            QC_TRY(qc_json_set_str(one, "why", f->why, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "checks", &list, err);
}

static qc_rc report_json(const char *cloud, const struct cloud_report *r, struct qc_err *err)
{
    const struct json_row rows[] = { { "objects", r->objects },        { "left", r->left },
                                     { "put_us", r->put_us },          { "get_us", r->get_us },
                                     { "sync_us", r->sync_us },        { "put_bytes_per_s", r->put_bps },
                                     { "get_bytes_per_s", r->get_bps } };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "cloud", cloud, err));
    QC_TRY(qc_json_set_bool(o, "fit", r->unfit == 0, err));
    QC_TRY(cloud_facts_json(o, r->facts, err));
    QC_TRY(checks_json(o, r, err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    if (r->space_known)
        QC_TRY(json_count(o, "free", r->space.avail, err));
    if (r->findings[CLOUD_CHECK_CLOCK].verdict != CLOUD_NOT_LOOKED_AT)
        QC_TRY(qc_json_set_int(o, "clock_s", r->clock_s, err));
    return print_json(o, HTTP_BODY_MAX, err);
}

static qc_rc report(const struct qc_args *args, const char *cloud, const struct cloud_report *r,
                    struct qc_err *err)
{
    if (qc_args_flag(args, "json"))
        return report_json(cloud, r, err);
    report_text(cloud, r);
    return QC_OK;
}

/* -- validate, set --------------------------------------------------------------------------------------- */

qc_rc cmd_cloud_validate(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct cloud_report *r = qc_alloc(sizeof *r);
    const char *url = qc_args_value(args, "url", NULL);
    const char *credentials = qc_args_value(args, "credentials", NULL);
    const bool deep = qc_args_flag(args, "deep");
    const char *state = NULL;
    struct qc_err why = { 0 };
    *(enum tell_about *)app = TELL_CLOUD;
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "report");
    if ((url == NULL) == (args->argc == 0))
        return QC_FAIL(err, QC_USAGE, "either the NAME of a cloud of the gateway, or --url URL");
    if (url == NULL && credentials != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "--credentials goes with --url; a gateway's cloud has its own (cloud set)");
    if (url == NULL)
        QC_TRY(cloud_args_state(args, &state, err));
    const qc_rc rc = url != NULL ? gw_place_validate(url, credentials, deep, r, &why)
                                 : gw_cloud_validate(state, args->argv[0], deep, r, &why);
    if (rc == QC_OK || rc == QC_UNFIT)
        QC_TRY(report(args, url != NULL ? url : args->argv[0], r, err));
    if (rc != QC_OK)
        *err = why;
    return rc;
}

qc_rc cmd_cloud_set(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct cloud_report *r = qc_alloc(sizeof *r);
    const char *credentials = qc_args_value(args, "credentials", NULL);
    const char *url = qc_args_value(args, "url", NULL);
    const bool untried = qc_args_flag(args, "untried"), anew = credentials != NULL || url != NULL;
    const char *state = NULL;
    struct qc_err why = { 0 };
    *(enum tell_about *)app = TELL_CLOUD;
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "report");
    if (cmd_cloud_has_labels(args) && !anew)
        return cmd_cloud_label(app, args, err);
    QC_TRY(cloud_args_state(args, &state, err));
    if (!anew || cmd_cloud_has_labels(args))
        return QC_FAIL(err, QC_USAGE,
                       "either --url URL and --credentials FILE, or aws:PROFILE; or a weight and labels: one "
                       "after the other");
    if (url != NULL && untried)
        return QC_FAIL(err, QC_USAGE,
                       "--untried goes with --credentials alone: another place is tried first");
    const qc_rc rc = url != NULL ? gw_cloud_move(state, args->argv[0], url, credentials, r, &why)
                                 : gw_cloud_set(state, args->argv[0], credentials, untried, r, &why);
    if (rc == QC_OK || rc == QC_UNFIT)
        QC_TRY(report(args, args->argv[0], r, err));
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* -- test ------------------------------------------------------------------------------------------------ */

static qc_rc test_here(struct json_t **ret, struct operator* o, const struct json_t *body, struct qc_err *err)
{
    return cloud_test_json(ret, o->e, body, err);
}

qc_rc cmd_cloud_test(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    *(enum tell_about *)app = TELL_CLOUD;
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_str(body, "cloud", args->argv[0], err));
    return cmd_ask(args,
                   &(struct cmd_ask){
                       .method = "POST", .path = "/v1/clouds/test", .body = body, .here = test_here },
                   err);
}
