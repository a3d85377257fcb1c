/* completion names: names that there are, for a shell that completes a command line. Nobody sees what goes
 * wrong here, and nobody is asked anything: where a passphrase is needed, there are no names. */
#include "help.h"
#include "settings.h"

#include <stdlib.h>

struct names {
    struct client *c;
    qc_span typed;
};

/* What a line of a terminal cannot have is left out. */
static void tell(const struct names *n, qc_span name)
{
    if (name.n < n->typed.n || !qc_span_eq(qc_span_sub(name, 0, n->typed.n), n->typed))
        return;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x20 || name.p[i] == 0x7F)
            return;
    out_line(&n->c->out, "%.*s", (int)name.n, (const char *)name.p);
}

static qc_rc tell_object(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    (void)err;
    if (!client_is_folder(s))
        tell(ctx, qc_buf_span(&s->name));
    return QC_OK;
}

static qc_rc objects(struct names *n, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf begins = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_buf_add(&begins, n->typed, err));
    QC_TRY(qc_buf_add_str(&begins, "*", err));
    QC_TRY(settings_conf(n->c, &n->c->conf, err));
    QC_TRY(client_open(n->c, err));
    struct vault_call call = client_call(n->c);
    return vault_list(n->c->vault, qc_buf_span(&begins), tell_object, n, &call, err);
}

static qc_rc clouds(struct names *n, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *status = NULL;
    struct vault_call call = client_call(n->c);
    struct json_t *list = NULL;
    QC_TRY(settings_conf(n->c, &n->c->conf, err));
    QC_TRY(client_gateway(n->c, &call.op, &gw, err));
    QC_TRY(gw->ops->status(gw, &text, &call.op, err));
    QC_TRY(qc_json_parse(&status, qc_buf_span(&text), err));
    QC_TRY(qc_json_arr(status, "clouds", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++) {
        const char *name = NULL;
        QC_TRY(qc_json_str(qc_json_at(list, i), "name", &name, err));
        tell(n, qc_span_str(name));
    }
    return QC_OK;
}

static qc_rc sources(struct names *n, struct qc_err *err)
{
    QC_TRY(client_random_conf(n->c, err));
    tell(n, QC_LIT("os")); /* always there */
    for (size_t i = 0; i < n->c->random.count; i++)
        tell(n, qc_span_str(n->c->random.source[i].name));
    return QC_OK;
}

static void tell_vault(void *ctx, const char *name)
{
    tell(ctx, qc_span_str(name));
}

/* Whichever is meant just now. */
static qc_rc vaults(struct names *n, struct qc_err *err)
{
    struct places all;
    QC_TRY(places_find(&all, err));
    places_vaults(&all, tell_vault, n);
    return QC_OK;
}

qc_rc cmd_completion_names(void *app, const struct qc_args *args, struct qc_err *err)
{
    static const struct {
        const char *word;
        qc_rc (*tell)(struct names *n, struct qc_err *err);
    } kinds[] = {
        { "objects", objects }, { "clouds", clouds }, { "sources", sources }, { "vaults", vaults }
    };
    /* A program behind these could ask the user. */
    static const char *const asking[] = { "QCLOUD_PASSPHRASE_COMMAND", "QCLOUD_PASSPHRASE_FD",
                                          "QCLOUD_TOKEN_COMMAND" };
    struct qc_args said;
    struct names n = { .c = app, .typed = qc_span_str(args->argc > 1 ? args->argv[1] : "") };
    n.c->no_input = n.c->no_prompt = true;
    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++)
        if (unsetenv(asking[i]) != 0)
            return QC_FAIL_OS(err, "%s", asking[i]);
    if (args->argc > 2) { /* --vault, --site and --config of the line, where it has them */
        qc_opt_said(&app_table, args->argv + 2, args->argc - 2, &said);
        QC_TRY(settings_places(n.c, &said, false, err));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].word, args->argv[0]) == 0)
            return kinds[i].tell(&n, err);
    return QC_FAIL(err, QC_USAGE, "there are no names of '%.40s'", args->argv[0]);
}
