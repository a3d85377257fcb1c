/* help, version, limits, completion: texts that come from the table of commands. */
#include "client.h"

#include <stdio.h>

#include "help.h"
#include "topics.h"

qc_rc help_print(struct client *c, const struct qc_cmd *cmd, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_TRY(qc_opt_help(&app_table, cmd, &text, err));
    if (cmd != NULL)
        QC_TRY(help_examples(cmd->name, &text, err));
    return out_page(&c->out, qc_buf_span(&text), err);
}

qc_rc cmd_help(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    char name[64] = "";
    for (int i = 0; i < args->argc; i++) {
        size_t n = strlen(name);
        snprintf(name + n, sizeof name - n, "%s%s", i > 0 ? " " : "", args->argv[i]);
    }
    for (const struct topic *t = topics; t->name != NULL; t++)
        if (strcmp(name, t->name) == 0)
            return out_page(&c->out, qc_span_of(t->text, t->n), err);
    if (strcmp(name, "errors") == 0 || strcmp(name, "commands") == 0) {
        QC_CLEANUP(qc_buf_free) qc_buf page = { .max = QC_JSON_MAX };
        if (name[0] == 'e')
            QC_TRY(help_errors(&page, err));
        else
            QC_TRY(help_commands(&app_table, &page, err));
        out_raw(&c->out, qc_buf_span(&page));
        return QC_OK;
    }
    const struct qc_cmd *cmd = NULL;
    if (args->argc > 0)
        QC_TRY(qc_opt_command(&app_table, name, &cmd, err));
    return help_print(app, cmd, err);
}

qc_rc cmd_version(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    (void)args;
    out_line(&c->out, "qcloud %s", QC_VERSION);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "version", QC_VERSION, err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_limits(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    (void)args;
    QC_TRY(qc_limits_print(&text, err));
    out_raw(&c->out, qc_buf_span(&text));
    return QC_OK;
}

qc_rc cmd_completion(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_TRY(qc_opt_completion(&app_table, args->argv[0], &text, err));
    out_raw(&c->out, qc_buf_span(&text));
    return QC_OK;
}

qc_rc cmd_completion_words(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_TRY(qc_opt_complete(&app_table, args->argv, args->argc, &text, err));
    out_raw(&c->out, qc_buf_span(&text));
    return QC_OK;
}

bool help_is_text(const struct qc_cmd *cmd)
{
    return cmd->run == cmd_help || cmd->run == cmd_limits || cmd->run == cmd_completion ||
           cmd->run == cmd_completion_words;
}
