/* Help from the tables. */
#include "base/opt.h"

#include <inttypes.h>

#include "opt_internal.h"

enum { HELP_LEFT = 30 };

static qc_rc option_line(const struct qc_opt *o, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf left = { .max = QC_LOG_LINE_MAX };
    const char *text = NULL;

    if (o->letter != 0)
        QC_TRY(qc_buf_addf(&left, err, "  -%c, ", o->letter));
    else
        QC_TRY(qc_buf_add_str(&left, "      ", err));
    QC_TRY(qc_buf_addf(&left, err, "--%s%s%s", o->name, o->arg == NULL ? "" : " ",
                       o->arg == NULL ? "" : o->arg));
    QC_TRY(qc_buf_cstr(&left, &text, err));
    return qc_buf_addf(ret, err, "%-*s  %s%s\n", HELP_LEFT, text, o->help,
                       o->many ? " (may be repeated)" : "");
}

/* but: of which the command has rows of its own, that say more; or NULL. */
static qc_rc option_lines(const struct qc_opt *o, const struct qc_opt *but, const char *title, qc_buf *ret,
                          struct qc_err *err)
{
    if (o == NULL || o->name == NULL)
        return QC_OK;
    QC_TRY(qc_buf_addf(ret, err, "\n%s:\n", title));
    for (; o->name != NULL; o++)
        if (!qc_opt_has(but, o->name))
            QC_TRY(option_line(o, ret, err));
    return QC_OK;
}

static qc_rc command_lines(const struct qc_app *app, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "%s - %s\n\nUsage: %s [OPTIONS] COMMAND [ARGUMENTS]\n\nCommands:\n",
                       app->name, app->summary, app->name));
    for (const struct qc_cmd *c = app->cmds; c->name != NULL; c++) {
        QC_CLEANUP(qc_buf_free) qc_buf left = { .max = QC_LOG_LINE_MAX };
        const char *text = NULL;

        QC_TRY(qc_buf_addf(&left, err, "  %s %s", c->name, c->args == NULL ? "" : c->args));
        QC_TRY(qc_buf_cstr(&left, &text, err));
        QC_TRY(qc_buf_addf(ret, err, "%-*s  %s\n", HELP_LEFT, text, c->help));
    }
    return QC_OK;
}

static qc_rc usage_line(const struct qc_app *app, const struct qc_cmd *cmd, qc_buf *ret, struct qc_err *err)
{
    const bool options = (cmd->options != NULL && cmd->options->name != NULL) ||
                         (app->globals != NULL && app->globals->name != NULL);
    const char *args = cmd->args == NULL ? "" : cmd->args;

    return qc_buf_addf(ret, err, "Usage: %s %s%s%s%s\n", app->name, cmd->name, options ? " [OPTIONS]" : "",
                       args[0] == '\0' ? "" : " ", args);
}

qc_rc qc_opt_help(const struct qc_app *app, const struct qc_cmd *cmd, qc_buf *ret, struct qc_err *err)
{
    if (cmd == NULL) {
        QC_TRY(command_lines(app, ret, err));
        QC_TRY(option_lines(app->globals, NULL, "Options", ret, err));
        QC_TRY(qc_buf_addf(ret, err, "\n%s COMMAND --help tells more of one command.\n", app->name));
    } else {
        QC_TRY(usage_line(app, cmd, ret, err));
        QC_TRY(qc_buf_addf(ret, err, "\n%s\n", cmd->help));
        QC_TRY(option_lines(cmd->options, NULL, "Options", ret, err));
        QC_TRY(option_lines(app->globals, cmd->options, "Options of every command", ret, err));
    }
    if (app->footer != NULL)
        QC_TRY(qc_buf_addf(ret, err, "\n%s\n", app->footer));
    return QC_OK;
}

struct limit_row {
    const char *name, *unit, *reason;
    uint64_t value;
};

qc_rc qc_limits_print(qc_buf *ret, struct qc_err *err)
{
    static const struct limit_row rows[] = {
#define X(name, value, unit, reason) { #name, unit, reason, (uint64_t)(value) },
        QC_LIMITS(X) QC_LIMITS_WIDE(X)
#undef X
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        QC_TRY(qc_buf_addf(ret, err, "%-28s %12" PRIu64 " %-12s %s\n", rows[i].name, rows[i].value,
                           rows[i].unit, rows[i].reason));
    return QC_OK;
}
