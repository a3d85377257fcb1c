/* config show, get, set, check: qcloud.conf, key by key. */
#include "client.h"

#include "text.h"

/* A key with what it says; its origin: the file, or what holds without it. */
static qc_rc tell(struct client *c, size_t i, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_CLIENT_CONF_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    bool said = false;
    QC_TRY(conf_value(&c->conf, i, &value, &said, err));
    if (!said)
        return QC_OK;
    out_line(&c->out, "%s = %.*s", conf_key(i), (int)value.n, (const char *)value.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "key", conf_key(i), err));
    QC_TRY(text_json(j, "value", qc_buf_span(&value), err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_config_show(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    (void)args;
    for (size_t i = 0; conf_key(i) != NULL; i++)
        QC_TRY(tell(c, i, err));
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
    return tell(c, i, err);
}

/* What the programs would refuse to run with: qcloud.conf was read before this runs. */
qc_rc cmd_config_check(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    (void)args;
    QC_TRY(client_random_conf(c, err));
    out_note(&c->out, "%s and random.conf can be used; whether what they name is there: qcloud doctor",
             c->places.conf_file);
    return QC_OK;
}
