/* config show, get, set, check: qcloud.conf, key by key. */
#include "client.h"

#include <stdio.h>

#include "remote.h"
#include "settings.h"
#include "text.h"

const struct qc_opt config_show_opts[] = {
    { "origin", 0, NULL,
      "say of each whether an option, the environment, a line of the file or the default won; with the "
      "program's own settings",
      false },
    { 0 },
};

enum { WHERE = 48 };

/* What won, in words: "line 3", "environment QCLOUD_SHARE2", "option --units", "default". */
static void where_text(enum origin o, const char *by, unsigned line, char ret[WHERE])
{
    if (o == ORIGIN_FILE)
        (void)snprintf(ret, WHERE, "line %u", line);
    else if (o == ORIGIN_DEFAULT)
        (void)snprintf(ret, WHERE, "default");
    else
        (void)snprintf(ret, WHERE, "%s %s", origin_text(o), by);
}

/* A key with what it says; and what said it, where that is asked for. by: an option or a variable, or NULL.
 */
struct said {
    const char *key;
    qc_span value;
    enum origin origin;
    const char *by;
    unsigned line; /* of the file */
};

static qc_rc tell_origin(struct json_t *j, const struct said *s, struct qc_err *err)
{
    QC_TRY(qc_json_set_str(j, "origin", origin_text(s->origin), err));
    if (s->origin == ORIGIN_FILE)
        QC_TRY(qc_json_set_int(j, "line", s->line, err));
    return s->origin == ORIGIN_FILE || s->origin == ORIGIN_DEFAULT ? QC_OK
                                                                   : qc_json_set_str(j, "by", s->by, err);
}

static qc_rc tell_said(struct client *c, const struct said *s, bool origin, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char where[WHERE] = "";
    where_text(s->origin, s->by, s->line, where);
    out_line(&c->out, "%s%s%s = %.*s", origin ? where : "", origin ? ": " : "", s->key, (int)s->value.n,
             (const char *)s->value.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "key", s->key, err));
    QC_TRY(text_json(j, "value", s->value, err));
    if (origin)
        QC_TRY(tell_origin(j, s, err));
    return out_json(&c->out, &j, err);
}

/* What said a key that is said: --limit-rate of the command line, a variable, the file, or nobody. */
static void find_origin(const struct client *c, size_t i, const char *limit, struct said *ret)
{
    const char *variable = conf_variable(i);
    ret->origin = c->conf.line[i] != 0 ? ORIGIN_FILE : ORIGIN_DEFAULT;
    ret->line = c->conf.line[i];
    if (variable != NULL && setting_variable(variable) != NULL) {
        ret->origin = ORIGIN_ENVIRONMENT;
        ret->by = variable;
    }
    const char *token = setting_variable("QCLOUD_TOKEN_FILE");
    if (remote_is(c) && strcmp(ret->key, "gateway.token-file") == 0 && token != NULL) {
        ret->origin = ORIGIN_ENVIRONMENT;
        ret->by = "QCLOUD_TOKEN_FILE";
        ret->value = qc_span_str(token);
    }
    if (limit != NULL && strcmp(ret->key, "gateway.limit-rate") == 0) {
        ret->origin = ORIGIN_OPTION;
        ret->by = "--limit-rate";
        ret->value = qc_span_str(limit);
    }
}

/* args: NULL for what the file alone says. */
static qc_rc tell(struct client *c, size_t i, const struct qc_args *args, bool origin, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_CLIENT_CONF_MAX };
    struct said s = { .key = conf_key(i) };
    bool said = false;
    QC_TRY(conf_value(&c->conf, i, &value, &said, err));
    s.value = qc_buf_span(&value);
    if (args != NULL)
        find_origin(c, i, qc_args_value(args, "limit-rate", NULL), &s);
    if (s.value.n == 0 && origin && strcmp(s.key, "vault.pad") == 0)
        s.value = QC_LIT("no"); /* nobody says so, and so it is */
    return s.value.n > 0 ? tell_said(c, &s, origin, err) : QC_OK;
}

/* Those of the program, which qcloud.conf has nothing of. */
static qc_rc tell_settings(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        const struct setting s = setting_of(args, id);
        const struct said said = { s.name, qc_span_str(s.value), s.origin, s.by, 0 };
        if (s.value[0] != '\0')
            QC_TRY(tell_said(c, &said, true, err));
    }
    return QC_OK;
}

qc_rc cmd_config_show(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const bool origin = qc_args_flag(args, "origin");
    for (size_t i = 0; conf_key(i) != NULL; i++)
        QC_TRY(tell(c, i, args, origin, err));
    if (origin)
        QC_TRY(tell_settings(c, args, err));
    out_note(&c->out, "of %s", c->places.conf_file);
    return QC_OK;
}

qc_rc cmd_config_get(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_CLIENT_CONF_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    bool said = false;
    size_t i = 0;
    QC_TRY(conf_find(args->argv[0], &i, err));
    QC_TRY(conf_value(&c->conf, i, &value, &said, err));
    if (!said)
        return QC_FAIL(err, QC_NOTFOUND, "%s says nothing of %s", c->places.conf_file, conf_key(i));
    out_line(&c->out, "%.*s", (int)value.n, (const char *)value.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "key", conf_key(i), err));
    QC_TRY(text_json(j, "value", qc_buf_span(&value), err));
    return out_json(&c->out, &j, err);
}

/* The keeper is a place of its own, as far as that can be seen now: whether it is one with a cloud is looked
 * at again before anything is stored (kept_begin). */
static qc_rc check_keeper(struct client *c, size_t i, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (strcmp(conf_key(i), "vault.backup-to") != 0 || c->conf.keeper[0] == '\0')
        return QC_OK;
    const qc_rc rc = client_keeper_apart_now(c, &why);
    if (rc == QC_USAGE || rc == QC_CANCELLED) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        out_note(&c->out,
                 "whether %s is apart from the clouds could not be asked, and is before the next put: "
                 "%.200s",
                 c->conf.keeper, why.msg);
    return QC_OK;
}

qc_rc cmd_config_set(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_buf_free) qc_buf before = { .max = QC_CLIENT_CONF_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf after = { .max = QC_CLIENT_CONF_MAX };
    size_t i = 0;
    QC_TRY(conf_find(args->argv[0], &i, err));
    if (strcmp(conf_key(i), "vault.id") == 0)
        return QC_FAIL(err, QC_USAGE, "vault.id is which vault it is: qcloud init --join uses another one");
    QC_TRY(conf_text(&c->places, &before, err));
    QC_TRY_AS(conf_set(qc_buf_span(&before), i, qc_span_str(args->argv[1]), &after, err), err, "%s",
              conf_key(i));
    QC_TRY(conf_parse(qc_buf_span(&after), &c->conf, err));
    QC_TRY(check_keeper(c, i, err));
    QC_TRY(conf_save_text(&c->places, qc_buf_span(&after), err));
    const char *variable = conf_variable(i);
    if (variable != NULL && setting_variable(variable) != NULL)
        out_note(&c->out, "%s is set, and wins over the file", variable);
    return tell(c, i, NULL, false, err);
}

/* What the programs would refuse to run with: qcloud.conf was read before this runs. */
qc_rc cmd_config_check(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    (void)args;
    QC_TRY(client_random_conf(c, err));
    QC_TRY(policy_load(&c->places, NULL, NULL, err));
    out_note(&c->out,
             "%s, random.conf and policies.conf can be used; whether what they name is there: qcloud doctor",
             c->places.conf_file);
    return QC_OK;
}
