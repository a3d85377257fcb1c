/* gateway rebuild, kit: operator's commands to one's own on-demand gateway. */
#include "client.h"

#include "agree.h"
#include "base/codec.h"
#include "cloud_keys.h"
#include "home/gateway_start.h"
#include "signals.h"

enum { REBUILD_WORDS = 4 * VAULT_CLOUDS_MAX + 16 };

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

/* Words before and behind the clouds of a call of qcloud-gateway that makes the catalogue; each ends with
 * NULL. */
struct remake {
    const char *const *head, *const *tail;
};

static size_t add_words(const char **argv, size_t n, const char *const *words)
{
    for (; *words != NULL; words++)
        argv[n++] = *words;
    return n;
}

/* --cloud NAME=URL for each cloud of the descriptor, into words, which keeps them. */
static qc_rc add_clouds(const struct qc_args *args, const struct vault_descriptor *d, qc_buf *words,
                        const char **argv, size_t *n, struct qc_err *err)
{
    size_t at[VAULT_CLOUDS_MAX];
    const char *option = NULL;
    for (size_t i = 0; (option = qc_args_nth(args, "cloud", i)) != NULL; i++)
        if (!knows_cloud(d, option))
            return QC_FAIL(err, QC_USAGE, "--cloud %s: the vault has no cloud of that name (NAME=URL)",
                           option);
    for (size_t i = 0; i < d->cloud_count; i++) {
        at[i] = words->n;
        QC_TRY(qc_buf_addf(words, err, "%s=%s", d->clouds[i].name, url_of(args, &d->clouds[i])));
        QC_TRY(qc_buf_add_zero(words, 1, err));
    }
    for (size_t i = 0; i < d->cloud_count; i++) {
        argv[(*n)++] = "--cloud";
        argv[(*n)++] = (const char *)words->p + at[i];
    }
    return QC_OK;
}

static qc_rc remake(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                    const struct remake *how, struct qc_err *err)
{
    const char *argv[REBUILD_WORDS] = { "qcloud-gateway" };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf words = { .max = QC_CLIENT_TEXT_MAX * VAULT_CLOUDS_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf rest = { .max = QC_JSON_MAX };
    QC_CLEANUP(cloud_keys_done) struct cloud_keys keys = { 0 };
    char catalogue[2 * VAULT_ID_BYTES + 1];
    size_t n = add_words(argv, 1, how->head);
    argv[n++] = "--state";
    argv[n++] = c->places.gateway;
    QC_TRY(add_clouds(args, d, &words, argv, &n, err));
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
    n = add_words(argv, n, how->tail);
    QC_ASSERT(n < REBUILD_WORDS);
    QC_TRY(gateway_stop(c->places.gateway, signals_cancel(), err));
    struct qc_err why = { 0 };
    const qc_rc rc = gateway_run(argv, &said, &why);
    if (rc != QC_OK && rc != QC_DEGRADED) {
        *err = why;
        QC_TRY_AS(rc, err, "%s", strcmp(how->head[0], "snapshot") == 0 ? "restore" : "rebuild");
    }
    QC_TRY(cloud_keys_tell(c, &said, &rest, err));
    if (!c->out.json && !c->out.quiet && rest.n > 0)
        fprintf(c->out.talk, "%.*s", (int)rest.n, (const char *)rest.p);
    *err = why;
    return rc;
}

qc_rc client_rebuild(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                     struct qc_err *err)
{
    static const char *const head[] = { "rebuild", NULL }, *const tail[] = { NULL };
    return remake(c, args, d, &(struct remake){ head, tail }, err);
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
    const bool verify = qc_args_flag(args, "verify-only");
    const char *const head[] = { "rebuild", NULL };
    const char *const tail[] = { verify ? "--verify-only" : NULL, NULL };
    QC_CLEANUP(vault_join_done) struct vault_join j = { 0 };
    QC_TRY(read_either(c, &j, err));
    const qc_rc rc = remake(c, args, &j.d, &(struct remake){ head, tail }, err);
    if (rc == QC_DEGRADED)
        err->next = "qcloud gateway repair";
    QC_TRY(rc);
    if (!verify)
        out_note(&c->out, "the gateway's catalogue is rebuilt from the clouds");
    return QC_OK;
}

/* One that is older than the newest is refused, and none may be there at all. */
static qc_rc restore(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                     const struct remake *how, struct qc_err *err)
{
    const qc_rc rc = remake(c, args, d, how, err);
    if (rc == QC_CONFLICT && how->head[2] != NULL)
        err->next = "qcloud gateway snapshot restore";
    if (rc == QC_NOTFOUND)
        err->next = how->head[2] != NULL ? "qcloud gateway snapshot ls" : "qcloud gateway rebuild";
    return rc;
}

qc_rc cmd_gateway_snapshot_restore(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *const head[] = { "snapshot", "restore", args->argc > 0 ? args->argv[0] : NULL, NULL };
    static const char *const look[] = { "--dry-run", NULL }, *const go[] = { "--yes", NULL };
    const bool yes = qc_args_flag(args, "yes"), dry_run = qc_args_flag(args, "dry-run");
    QC_CLEANUP(vault_join_done) struct vault_join j = { 0 };
    if (!yes && !dry_run) /* before anything is looked at, which may take long */
        QC_TRY(client_agree_can(c, "--yes", err));
    QC_TRY(read_either(c, &j, err));
    if (!yes)
        QC_TRY(restore(c, args, &j.d, &(struct remake){ head, look }, err));
    if (dry_run)
        return QC_OK;
    if (!yes)
        QC_TRY(client_agree(c, "Go on? [y/N] ", "--yes", "nothing was changed", err));
    QC_TRY(restore(c, args, &j.d, &(struct remake){ head, go }, err));
    out_note(&c->out, "the gateway's catalogue is restored from the snapshot and the log after it");
    return QC_OK;
}
