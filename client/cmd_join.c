/* init --join: a vault that exists, on a machine that does not know it. */
#include "client.h"

#include "base/file.h"
#include "base/json.h"
#include "disks.h"
#include "home/keeper.h"
#include "kit.h"
#include "remote.h"
#include "settings.h"
#include "statement.h"

/* The directories given are stores 1, 2 or both; the other one gets the place of its option, or the usual
 * one. */
static qc_rc take_shares(struct client *c, const struct qc_args *args, const struct vault_join *j,
                         struct qc_err *err)
{
    static const char *const options[] = { "share1", "share2" };
    for (unsigned s = 0; s < 2; s++) {
        char place[QC_CLIENT_PATH_MAX];
        QC_TRY(client_share_place(c, s + 1, place, err));
        const char *option = NULL;
        QC_TRY(setting_share(s, place, &option, err));
        option = qc_args_value(args, options[s], option);
        const bool is_given = j->share[s] != NULL;
        if (j->share[s] != NULL && qc_args_value(args, options[s], NULL) != NULL)
            return QC_FAIL(err, QC_USAGE, "%s is share %u of the vault, so --%s has nothing to say",
                           j->share[s], s + 1, options[s]);
        QC_TRY_AS(client_place(c, is_given ? j->share[s] : option, c->conf.share[s], c->conf.disk[s], err),
                  err, "share %u", s + 1);
    }
    return QC_OK;
}

static qc_rc summary(struct client *c, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_hex(j, "vault", qc_span_of(d->vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "k", d->k, err));
    QC_TRY(qc_json_set_int(j, "n", d->n, err));
    QC_TRY(qc_json_set_bool(j, "share1_open", vault_has_share(c->vault, 1), err));
    QC_TRY(qc_json_set_bool(j, "share2_open", vault_has_share(c->vault, 2), err));
    QC_TRY(qc_json_set_str(j, "statement",
                           client_statement(vault_recovers(c->vault), vault_is_kept(c->vault)), err));
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}

/* The gateway of the vault's own kind: taken over from the clouds. */
static qc_rc take_over(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                       struct qc_err *err)
{
    static const char *const others[] = { "gateway", "token-file", "ca", "link", "level", "qkd" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (qc_args_flag(args, others[i]))
            return QC_FAIL(err, QC_USAGE, "this vault has a gateway of its own: --%s says nothing",
                           others[i]);
    if (!qc_args_flag(args, "take-over"))
        return QC_FAIL(
            err, QC_USAGE,
            "this vault has a gateway of its own, on the machine that made it. Joining makes one here and "
            "shuts the old one out of the clouds for good; say so with --take-over. (Two machines at once "
            "need a gateway for many users.)");
    QC_TRY_AS(qc_dir_make_path(c->places.gateway, 0700, err), err, "gateway state");
    return client_rebuild(c, args, d, err);
}

/* Is the gateway that answers the one of the vault? */
static qc_rc check_catalogue(struct client *c, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    uint8_t catalogue[VAULT_ID_BYTES];
    struct vault_call call = client_call(c);
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(gw->ops->health(gw, &text, &call.op, err));
    QC_TRY(qc_json_parse(&j, qc_buf_span(&text), err));
    QC_TRY(qc_json_hex(j, "catalogue", catalogue, sizeof catalogue, err));
    if (memcmp(catalogue, d->catalogue, sizeof catalogue) != 0)
        return QC_FAIL(err, QC_USAGE, "%s is another gateway than that of the vault", c->conf.gateway);
    return QC_OK;
}

/* A gateway for many users goes on as it is; a machine more comes to it. */
static qc_rc come_to(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                     struct qc_err *err)
{
    static const char *const others[] = { "take-over", "kit", "cloud", "cloud-credentials" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (qc_args_flag(args, others[i]))
            return QC_FAIL(err, QC_USAGE, "this vault's gateway serves many users: --%s says nothing",
                           others[i]);
    /* Nothing vouches for what a share store says before the vault is open, and the token goes to whom is
     * named: the user names whom the operator named. */
    if (remote_meant(args) == NULL)
        return QC_FAIL(
            err, QC_USAGE,
            "--gateway URL is missing. The share store says %s: is that what the gateway's operator "
            "gave you with the token?",
            d->url);
    QC_TRY(remote_take(c, args, err));
    return check_catalogue(c, d, err);
}

/* The store that was not there comes back from its kit. */
static qc_rc recover(struct client *c, const struct kit_given *kit, struct qc_err *err)
{
    struct vault_recover_result r = { 0 };
    const unsigned lost = vault_has_share(c->vault, 1) ? 2 : 1;
    struct vault_call call = client_call(c);
    const struct vault_recovering how = { .kit = &kit->kit };
    const qc_rc rc = vault_recover_as(c->vault, lost, c->conf.share[lost - 1], &how, &call, &r, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    out_note(&c->out, "share store %u is back from its kit, in %s", lost, c->conf.share[lost - 1]);
    vault_close(&c->vault);
    c->lost_share = 0;
    return client_open(c, err);
}

/* Where the store says that it is, or where it is now. */
static qc_rc take_keeper(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                         struct qc_err *err)
{
    bool given = false;
    QC_TRY(client_take_keeper(c, args, &given, err));
    if (given && d->keeper == NULL)
        return QC_FAIL(err, QC_USAGE, "this vault has no keeper: --backup-to says nothing");
    if (given) {
        const char *const share[] = { c->conf.share[0], c->conf.share[1] };
        QC_TRY(home_keeper_apart(c->conf.keeper, d->clouds, d->cloud_count, share, err));
        if (!remote_is(c))
            QC_TRY(home_keeper_off_gateway(c->conf.keeper, c->places.gateway, err));
    }
    if (given || d->keeper == NULL)
        return QC_OK;
    if (strlen(d->keeper) >= sizeof c->conf.keeper)
        return QC_FAIL(err, QC_FORMAT, "the share store's address of the keeper is too long");
    memcpy(c->conf.keeper, d->keeper, strlen(d->keeper) + 1);
    struct qc_err why = { 0 };
    if (conf_keeper_check(&c->conf, &why) != QC_OK)
        return QC_FAIL(
            err, QC_USAGE,
            "the keeper of this vault is at %.200s: --backup-to URL says where it is from here, with "
            "--backup-credentials (%.200s)",
            d->keeper, why.msg);
    return QC_OK;
}

qc_rc client_join(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(vault_join_done) struct vault_join j = { 0 };
    QC_CLEANUP(kit_given_done) struct kit_given kit = { 0 };
    bool has_kit = false;
    char dirs[2][QC_CLIENT_PATH_MAX], disks[2][DISK_PLACE_MAX];
    const char *given[2] = { NULL, NULL };
    if (args->argc < 1 || args->argc > 2)
        return QC_FAIL(err, QC_USAGE, "--join takes the directory of one share store, or of both");
    if (qc_args_value(args, "recovery", NULL) != NULL)
        return QC_FAIL(
            err, QC_USAGE,
            "a vault that exists has a recovery key or none: --recovery says nothing; --from-kit takes its "
            "kit");
    if (qc_args_value(args, "mode", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "a vault that exists has the mode that it was made with: --mode says nothing");
    if (qc_args_flag(args, "no-passphrase") || qc_args_value(args, "memory", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "the share stores of a vault that exists have the passphrase that they have: "
                       "--no-passphrase and --memory are for new ones");
    for (int i = 0; i < args->argc; i++) {
        QC_TRY(client_place(c, args->argv[i], dirs[i], disks[i], err));
        given[i] = dirs[i];
    }
    QC_TRY(vault_join_read(&j, given, &c->passes, err));
    QC_TRY(kit_take(c, args, &kit, &has_kit, err));
    if (has_kit && j.share[0] != NULL && j.share[1] != NULL)
        return QC_FAIL(err, QC_USAGE, "both share stores are there: --from-kit has nothing to say");
    if (has_kit)
        c->lost_share = j.share[0] != NULL ? 2 : 1;
    QC_TRY(take_shares(c, args, &j, err));
    for (int i = 0; i < args->argc; i++) /* which of them is which store is known now */
        memcpy(c->conf.disk[j.share[0] == given[i] ? 0 : 1], disks[i], sizeof disks[i]);
    QC_TRY(take_keeper(c, args, &j.d, err));
    QC_TRY(j.d.url != NULL ? come_to(c, args, &j.d, err) : take_over(c, args, &j.d, err));
    memcpy(c->conf.vault, j.d.vault, sizeof c->conf.vault);
    c->conf.has_vault = true;
    /* The configuration first: should the vault not open now, every other command can say why. */
    QC_TRY(conf_save(&c->places, &c->conf, err));
    QC_TRY(client_open(c, err));
    if (has_kit)
        QC_TRY(recover(c, &kit, err));
    const bool sealed = vault_recovers(c->vault), kept = vault_is_kept(c->vault);
    out_note(&c->out, "joined: any %u of %u clouds are enough, and %s", j.d.k, j.d.n,
             sealed ? "both share stores, or one and the recovery kit"
             : kept ? "both share stores, or one and the keeper"
                    : "one of the two share stores");
    out_note(&c->out, "%s", client_statement(sealed, kept));
    QC_TRY(client_warn_places(c, c->conf.share[0], c->conf.share[1], j.d.k, j.d.n, err));
    QC_TRY(client_warn_descriptor(c, &j.d, err));
    return summary(c, &j.d, err);
}
