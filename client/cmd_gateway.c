/* gateway rebuild, kit: operator's commands to one's own on-demand gateway. */
#include "client.h"

#include "base/codec.h"
#include "cloud_keys.h"
#include "home/gateway_start.h"
#include "signals.h"

enum { REBUILD_WORDS = 4 * VAULT_CLOUDS_MAX + 10 };

qc_rc cmd_gateway_kit(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *out = qc_args_value(args, "out", NULL);
    const char *const argv[] = {
        "qcloud-gateway", "kit", "--state", c->places.gateway, out == NULL ? NULL : "--out", out, NULL
    };
    QC_TRY(gateway_stop(c->places.gateway, signals_cancel(), err));
    out_note(&c->out,
             "%s the root key: whoever has it and enough clouds reads the gateway's own "
             "data. Print it, and keep it off this machine",
             out == NULL ? "what follows is" : "that file holds");
    fflush(c->out.data);
    return gateway_run(argv, NULL, err);
}

/* The URL of a cloud: that of an option --cloud NAME=URL, else the descriptor's. */
static const char *url_of(const struct qc_args *args, const struct vault_cloud *cloud)
{
    size_t n = strlen(cloud->name);
    const char *url = cloud->url;
    const char *v = NULL;
    for (size_t i = 0; (v = qc_args_nth(args, "cloud", i)) != NULL; i++)
        if (strncmp(v, cloud->name, n) == 0 && v[n] == '=')
            url = v + n + 1;
    return url;
}

static bool knows_cloud(const struct vault_descriptor *d, const char *option)
{
    for (size_t i = 0; i < d->cloud_count; i++) {
        size_t n = strlen(d->clouds[i].name);
        if (strncmp(option, d->clouds[i].name, n) == 0 && option[n] == '=')
            return true;
    }
    return false;
}

qc_rc client_rebuild(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                     struct qc_err *err)
{
    const char *argv[REBUILD_WORDS] = { "qcloud-gateway", "rebuild", "--state", c->places.gateway };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf words = { .max = QC_CLIENT_TEXT_MAX * VAULT_CLOUDS_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf rest = { .max = QC_JSON_MAX };
    QC_CLEANUP(cloud_keys_done) struct cloud_keys keys = { 0 };
    char catalogue[2 * VAULT_ID_BYTES + 1];
    size_t at[VAULT_CLOUDS_MAX];
    size_t n = 4;
    const char *option = NULL;
    for (size_t i = 0; (option = qc_args_nth(args, "cloud", i)) != NULL; i++)
        if (!knows_cloud(d, option))
            return QC_FAIL(err, QC_USAGE, "--cloud %s: the vault has no cloud of that name (NAME=URL)",
                           option);
    for (size_t i = 0; i < d->cloud_count; i++) {
        at[i] = words.n;
        QC_TRY(qc_buf_addf(&words, err, "%s=%s", d->clouds[i].name, url_of(args, &d->clouds[i])));
        QC_TRY(qc_buf_add_zero(&words, 1, err));
    }
    for (size_t i = 0; i < d->cloud_count; i++) {
        argv[n++] = "--cloud";
        argv[n++] = (const char *)words.p + at[i];
    }
    QC_TRY(cloud_keys_take(args, &keys, err));
    n = cloud_keys_argv(&keys, argv, n);
    /* Whatever the places are by now: the vault's own gateway, and no other, is taken over. */
    static const uint8_t unknown[VAULT_ID_BYTES] = { 0 };
    qc_hex(qc_span_of(d->catalogue, VAULT_ID_BYTES), catalogue);
    if (memcmp(d->catalogue, unknown, sizeof unknown) != 0) { /* words of a kit do not say it */
        argv[n++] = "--catalogue";
        argv[n++] = catalogue;
    }
    const char *kit = qc_args_value(args, "kit", NULL);
    if (kit != NULL) {
        argv[n++] = "--kit";
        argv[n++] = kit;
    }
    QC_ASSERT(n < REBUILD_WORDS);
    QC_TRY(gateway_stop(c->places.gateway, signals_cancel(), err));
    QC_TRY_AS(gateway_run(argv, &said, err), err, "rebuild");
    QC_TRY(cloud_keys_tell(c, &said, &rest, err));
    if (!c->out.json && !c->out.quiet && rest.n > 0)
        fprintf(c->out.talk, "%.*s", (int)rest.n, (const char *)rest.p);
    return QC_OK;
}

/* Either store knows the clouds. A wrong passphrase, or Ctrl-C at the question, is no reason to try the other
 * one. */
static qc_rc read_either(struct client *c, struct vault_join *ret, struct qc_err *err)
{
    struct qc_err first = { 0 };
    for (size_t i = 0; i < 2; i++) {
        const char *const dirs[2] = { c->conf.share[i], NULL };
        qc_err_clear(err);
        qc_rc rc = vault_join_read(ret, dirs, &c->passes, err);
        if (rc == QC_OK || rc == QC_PASSPHRASE || rc == QC_CANCELLED || rc == QC_USAGE)
            return rc;
        if (i == 0)
            first = *err;
    }
    if (first.rc == QC_NOPASS) /* with its passphrase it would do; the other one is not there */
        *err = first;
    return err->rc;
}

qc_rc cmd_gateway_rebuild(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(vault_join_done) struct vault_join j = { 0 };
    QC_TRY(read_either(c, &j, err));
    QC_TRY(client_rebuild(c, args, &j.d, err));
    out_note(&c->out, "the gateway's catalogue is rebuilt from the clouds");
    return QC_OK;
}
