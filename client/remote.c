#include "remote.h"

#include "base/token.h"
#include "secret.h"
#include "settings.h"
#include "signals.h"

static const char file_variable[] = "QCLOUD_TOKEN_FILE";
static const char command_variable[] = "QCLOUD_TOKEN_COMMAND";

bool remote_is(const struct client *c)
{
    return c->conf.gateway[0] != '\0';
}

qc_rc remote_refuse(const struct client *c, const char *command, struct qc_err *err)
{
    const qc_rc rc = QC_FAIL(err, QC_USAGE, "'%s' is a command of the gateway's operator, and %s has one",
                             command, c->conf.gateway);
    err->next = "ask the operator of the gateway";
    return rc;
}

/* -- the token ------------------------------------------------------------------------------------------- */

static const char in_file[] =
    "put the token that the gateway's operator gave you into the token file, mode 0600";

/* What is no token, or not there, is for the user to put in order: it is not the vault that is damaged. */
static qc_rc as_permission(qc_rc rc, const char *next, struct qc_err *err)
{
    if (rc != QC_NOTFOUND && rc != QC_FORMAT && rc != QC_PASSPHRASE && rc != QC_AUTH)
        return rc;
    err->rc = QC_AUTH;
    err->next = next;
    return QC_AUTH;
}

static qc_rc from_command(const char *command, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(secret_done) struct secret line = { 0 };
    QC_TRY(secret_from_command(command, signals_cancel(), &line, err));
    return qc_token_take(line.bytes, line.n, ret, err);
}

/* Into secret memory, once for each run (I5). */
static qc_rc fetch_token(struct client *c, struct qc_err *err)
{
    const char *file = setting_variable(file_variable), *command = setting_variable(command_variable);
    if (c->token != NULL)
        return QC_OK;
    if (file != NULL && command != NULL)
        return QC_FAIL(err, QC_USAGE, "%s and %s are both set: one token has one source", file_variable,
                       command_variable);
    if (command != NULL) {
        QC_TRY_AS(as_permission(from_command(command, &c->token, err), "see that it prints the token alone",
                                err),
                  err, "%s", command_variable);
        return QC_OK;
    }
    if (file == NULL && c->conf.token_file[0] != '\0')
        file = c->conf.token_file;
    if (file != NULL)
        return as_permission(qc_token_read(file, &c->token, err), in_file, err);
    const qc_rc none =
        QC_FAIL(err, QC_AUTH, "no token: qcloud.conf names no token-file, and neither %s nor %s is set",
                file_variable, command_variable);
    return as_permission(none, in_file, err);
}

qc_rc remote_no_vault(struct qc_err *err)
{
    const qc_rc rc = QC_FAIL(err, QC_AUTH, "this token's tenant has no such vault at the gateway");
    err->next = "use the token of the tenant that the vault was made for";
    return rc;
}

/* -- contact --------------------------------------------------------------------------------------------- */

/* The first words: is it there, and does it take the token? What follows waits longer for a gateway that is
 * started anew, and need not wonder whether there is one. */
static qc_rc greet(struct vault_gw *gw, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    struct vault_op first = *op;
    first.deadline = qc_deadline_min(op->deadline, qc_deadline_in(QC_CLIENT_CONTACT_MS));
    const qc_rc rc = gw->ops->health(gw, &text, &first, err);
    if (rc == QC_TEMP || rc == QC_TIMEOUT)
        err->next = "ask the operator of the gateway whether it runs, then the same command again";
    return rc;
}

qc_rc remote_gateway(struct client *c, const struct vault_op *op, struct vault_gw **ret, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_gw_remote r;
    QC_TRY(fetch_token(c, err));
    conf_remote(&c->conf, c->token, &r);
    QC_TRY(vault_gw_remote_new(&gw, &r, err));
    QC_TRY(greet(gw, op, err));
    *ret = QC_STEAL(gw);
    return QC_OK;
}

/* -- init ------------------------------------------------------------------------------------------------ */

static qc_rc take_path(const struct qc_args *args, const char *option, char ret[QC_CLIENT_PATH_MAX],
                       struct qc_err *err)
{
    const char *path = qc_args_value(args, option, NULL);
    if (path != NULL)
        QC_TRY_AS(places_absolute(path, ret, err), err, "--%s", option);
    return QC_OK;
}

static qc_rc take_qkd(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    const char *v = NULL;
    for (size_t i = 0; (v = qc_args_nth(args, "qkd", i)) != NULL; i++)
        QC_TRY_AS(conf_qkd(&c->conf, v, err), err, "--qkd");
    QC_TRY_AS(conf_qkd_check(&c->conf, err), err, "--qkd KEY=VALUE");
    return QC_OK;
}

static qc_rc take_way(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_TRY(take_path(args, "link", c->conf.link, err));
    QC_TRY_AS(conf_level(&c->conf, qc_span_str(qc_args_value(args, "level", "")), err), err, "--level");
    QC_TRY_AS(conf_way_check(&c->conf, err), err, "--gateway");
    return QC_OK;
}

const char *remote_meant(const struct qc_args *args)
{
    const char *given = qc_args_value(args, "gateway", NULL), *meant = setting_variable("QCLOUD_GATEWAY");
    if (given != NULL)
        return given;
    return meant != NULL && strcmp(meant, "local") != 0 ? meant : NULL;
}

qc_rc remote_take(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    const char *meant = remote_meant(args);
    const char *by = qc_args_flag(args, "gateway") ? "--gateway" : "QCLOUD_GATEWAY";
    const bool by_variable =
        setting_variable(file_variable) != NULL || setting_variable(command_variable) != NULL;
    if (meant == NULL)
        return QC_FAIL(err, QC_USAGE, "--gateway URL is missing");
    const bool secret = strchr(meant, '@') != NULL; /* it may be a password */
    QC_TRY_AS(vault_gw_url_check(meant, err), err, "%s %.80s", by, secret ? ".." : meant);
    QC_ASSERT(strlen(meant) < sizeof c->conf.gateway);
    memcpy(c->conf.gateway, meant, strlen(meant) + 1);
    QC_TRY(take_path(args, "token-file", c->conf.token_file, err));
    QC_TRY(take_path(args, "ca", c->conf.ca, err));
    QC_TRY(take_way(c, args, err));
    QC_TRY(take_qkd(c, args, err));
    if (c->conf.token_file[0] == '\0' && !by_variable)
        return QC_FAIL(err, QC_USAGE,
                       "--token-file FILE is missing: the token that the gateway's operator made");
    if (c->conf.ca[0] != '\0' && strncmp(meant, "https:", 6) != 0)
        return QC_FAIL(err, QC_USAGE, "--ca goes with https://, and the gateway is %s", meant);
    return QC_OK;
}
