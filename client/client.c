#include "client.h"

#include <inttypes.h>

#include "disks.h"
#include "home/gateway_start.h"
#include "home/keeper.h"
#include "meter.h"
#include "net/rate.h"
#include "progress.h"
#include "prune.h"
#include "remote.h"
#include "signals.h"
#include "text.h"
#include "vault/pad.h"

void client_done(struct client *c)
{
    keeping_free(&c->keeping);
    if (c->rng != NULL)
        qrng_rest(c->rng); /* a command that it started ends while all else is closed */
    vault_close(&c->vault);
    home_keeper_free(&c->keeper);
    qc_key_free(&c->W);
    qc_key_free(&c->token); /* after those who borrow it */
    net_rate_free(&c->rate);
    vault_passes_done(&c->passes);
    vault_notes_done(&c->notes);
    vault_notes_done(&c->told);
    qrng_close(&c->rng);
    qrng_close(&c->ids);
    qc_json_free(&c->end.extra);
    revival_done(&c->revival);
}

struct vault_call client_call(struct client *c)
{
    struct vault_call call = { .op = { .cancel = signals_cancel() },
                               .notes = &c->notes,
                               .metered = c->stats };
    if (c->deadline_s > 0)
        call.op.deadline = qc_deadline_in(c->deadline_s * 1000);
    return call;
}

struct vault_call client_call_shown(struct client *c, struct progress *p, qc_span label, const char *noun,
                                    bool bytes)
{
    struct vault_call call = client_call(c);
    progress_begin(p, &c->out, label, noun, bytes);
    call.progress = progress_tell;
    call.progress_ctx = p;
    call.clouds = progress_clouds(p);
    return call;
}

qc_rc client_vault_conf(struct client *c, struct vault_conf *ret, struct qc_err *err)
{
    QC_TRY(client_rng(c, err));
    if (c->keeper == NULL)
        QC_TRY(conf_keeper(&c->conf, &c->keeper, err));
    *ret = (struct vault_conf){ .vault = c->conf.has_vault ? c->conf.vault : NULL,
                                .share = { c->conf.share[0], c->conf.share[1] },
                                .state = c->places.state,
                                .rng = qrng_rng(c->rng),
                                .ids = qrng_rng(c->ids),
                                .tell = client_random_tell,
                                .tell_ctx = c,
                                .pad = c->conf.pad || c->pad ? vault_padme : NULL,
                                .named = { conf_named(&c->conf, 0), conf_named(&c->conf, 1) },
                                .absent = { conf_absent(&c->conf, 0), conf_absent(&c->conf, 1) },
                                .W = c->W,
                                .keeper = c->keeper,
                                .passes = c->keyring != NULL ? c->keyring : &c->passes,
                                .unasked = c->lost_share };
    if (c->withheld_share > 0)
        ret->share[c->withheld_share - 1] = NULL;
    return QC_OK;
}

/* The user's own, started where needed. */
static qc_rc own_gateway(struct client *c, const struct vault_op *op, struct vault_gw **ret,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_TRY(gateway_ensure(c->places.gateway, c->conf.idle_s, op->deadline, op->cancel, &dir, err));
    QC_TRY(vault_gw_http_new(&gw, qc_fd_get(&dir), GATEWAY_SOCKET, err));
    revival_init(&c->revival, c->places.gateway, c->conf.idle_s);
    vault_gw_http_revive(gw, revival_hook(&c->revival));
    *ret = QC_STEAL(gw);
    return QC_OK;
}

qc_rc client_gateway(struct client *c, const struct vault_op *op, struct vault_gw **ret, struct qc_err *err)
{
    QC_TRY(remote_is(c) ? remote_gateway(c, op, ret, err) : own_gateway(c, op, ret, err));
    vault_gw_http_rate(*ret, c->rate);
    vault_gw_http_count(*ret, &c->traffic);
    vault_gw_http_waits(*ret, c->out.waits);
    meter_give_way(c); /* not before: a gateway that was started just now serves others, too */
    return QC_OK;
}

/* The gateway does not know the vault: it is another vault's, say of another --config. */
static qc_rc no_vault(const struct client *c, struct qc_err *err)
{
    if (remote_is(c))
        return remote_no_vault(err);
    const qc_rc rc = QC_FAIL(err, QC_NOTCONF, "the gateway in %s has no such vault", c->places.gateway);
    err->next = "see that --vault and --config, or QCLOUD_VAULT and QCLOUD_CONFIG, mean one vault";
    return rc;
}

qc_rc client_has_vault(const struct client *c, struct vault_gw *gw, const struct vault_op *op,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 };
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_VAULT_BACKUP_MAX };
    struct vault_head head = { 0 };
    const qc_rc rc = gw->ops->vault_get(gw, c->conf.vault, &record, &backup, &head, op, err);
    return rc == QC_NOTFOUND ? no_vault(c, err) : rc;
}

static qc_rc open_once(struct client *c, struct qc_err *err)
{
    struct vault_conf conf;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_call call = client_call(c);
    QC_TRY(client_vault_conf(c, &conf, err));
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    if (c->out.class == MSG_PUT)
        vault_gw_http_aside(gw, client_random_warm, c);
    const qc_rc rc = vault_open_session(&c->vault, &conf, &gw, &call, err);
    if (rc == QC_OK && c->out.class == MSG_PUT)
        vault_gw_http_aside(vault_gateway(c->vault), client_random_ahead, c);
    return rc == QC_NOTFOUND ? no_vault(c, err) : rc;
}

/* A disk with a share store is not there, and the command cannot do without it: no store is, or it needs both
 * and no ticket stands for the second one. */
static bool lacks_disk(struct client *c, qc_rc rc)
{
    const bool tickets = c->out.class == MSG_PUT || c->out.class == MSG_SYNC;
    if (conf_absent(&c->conf, 0) == NULL && conf_absent(&c->conf, 1) == NULL)
        return false;
    if (rc != QC_OK)
        return rc == QC_SHARES;
    return c->needs_both && !(tickets && vault_tickets_left(c->vault) > 0);
}

static qc_rc open_vault(struct client *c, struct qc_err *err)
{
    for (unsigned tries = 0;; tries++) {
        struct qc_err why = { 0 };
        bool again = false;
        const qc_rc rc = open_once(c, &why);
        if (tries < QC_CLIENT_DISK_TRIES && lacks_disk(c, rc))
            QC_TRY(client_ask_disk(c, &again, err));
        if (!again) {
            if (rc == QC_OK)
                client_tell_notes(c, QC_OK, (qc_span){ 0 });
            else
                *err = why;
            return rc;
        }
        vault_close(&c->vault);
        vault_notes_done(&c->notes);
        revival_done(&c->revival);
    }
}

qc_rc client_open(struct client *c, struct qc_err *err)
{
    qc_rc rc = open_vault(c, err);
    /* Nothing was begun yet: the messages of put and rm, which leave open how far it came, would be wrong. */
    if (rc == QC_TEMP || rc == QC_TIMEOUT)
        c->out.class = MSG_CALL;
    return rc;
}

qc_rc client_open_reader(struct client *c, struct vault **ret, struct qc_err *err)
{
    struct vault_conf conf;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    const struct vault_call call = client_call(c);
    QC_TRY(client_vault_conf(c, &conf, err));
    conf.rng = conf.ids;
    conf.tell = NULL;
    QC_TRY(vault_gateway(c->vault)->ops->clone(vault_gateway(c->vault), &gw, err));
    return vault_open_session(ret, &conf, &gw, &call, err);
}

/* Which warning a remark of the library becomes. */
static enum msg_warning warning_of(enum vault_note_kind kind)
{
    switch (kind) {
    case VAULT_NOTE_SHARE_MISSING:
        return MSG_W_SHARE_MISSING;
    case VAULT_NOTE_SHARE_LOCKED:
        return MSG_W_SHARE_LOCKED;
    case VAULT_NOTE_SHARE_DAMAGED:
        return MSG_W_SHARE_DAMAGED;
    case VAULT_NOTE_CLOUD:
        return MSG_W_CLOUDS;
    case VAULT_NOTE_MARGIN:
        return MSG_W_MARGIN;
    case VAULT_NOTE_BACKUP:
        return MSG_W_BACKUP;
    case VAULT_NOTE_UNFINISHED:
        return MSG_W_CLEANED;
    case VAULT_NOTE_STORE_BEHIND:
        return MSG_W_STORE_BEHIND;
    case VAULT_NOTE_VERSIONS:
        return MSG_W_VERSIONS;
    case VAULT_NOTE_SKIPPED:
        break;
    }
    return MSG_W_OTHER;
}

/* "lost", "lost 3 times". A fragment that is read in pieces counts once for each. */
static qc_rc add_kind(qc_buf *ret, const struct vault_note *n, bool more, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "%s%s", more ? ", " : "", n->text));
    return n->count > 1 ? qc_buf_addf(ret, err, " %" PRIu64 " times", n->count) : QC_OK;
}

/* "c1 (lost 3 times), c2 (unreachable, damaged)": notes of one cloud stand together. */
static qc_rc list_clouds(const struct vault_notes *notes, qc_buf *ret, struct qc_err *err)
{
    for (size_t i = 0; i < notes->n; i++) {
        const struct vault_note *first = &notes->v[i];
        bool told = first->kind != VAULT_NOTE_CLOUD;
        for (size_t j = 0; j < i && !told; j++)
            told = notes->v[j].kind == VAULT_NOTE_CLOUD && strcmp(notes->v[j].cloud, first->cloud) == 0;
        if (told)
            continue;
        QC_TRY(qc_buf_addf(ret, err, "%s%s (", ret->n > 0 ? ", " : "", first->cloud));
        for (size_t j = i; j < notes->n; j++) {
            const struct vault_note *n = &notes->v[j];
            if (n->kind == VAULT_NOTE_CLOUD && strcmp(n->cloud, first->cloud) == 0)
                QC_TRY(add_kind(ret, n, j > i, err));
        }
        QC_TRY(qc_buf_add(ret, QC_LIT(")"), err));
    }
    return QC_OK;
}

/* Is there a cloud, or a fault of one, that the command has not told of? --json says it of each object. */
static bool clouds_are_news(struct client *c)
{
    bool news = c->out.json;
    for (size_t i = 0; i < c->notes.n; i++) {
        const struct vault_note *n = &c->notes.v[i];
        bool known = n->kind != VAULT_NOTE_CLOUD;
        for (size_t j = 0; j < c->told.n && !known; j++)
            known = strcmp(c->told.v[j].cloud, n->cloud) == 0 && strcmp(c->told.v[j].text, n->text) == 0;
        if (!known)
            vault_notes_add(&c->told, n);
        news = news || !known;
    }
    return news;
}

/* All clouds that did not serve, in one sentence. After a failure the error itself names the clouds that
 * count. */
static void tell_clouds(struct client *c, qc_rc rc)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };
    qc_ignore(list_clouds(&c->notes, &line, &why), "cut: what fits is told");
    if (line.n > 0 && rc == QC_OK && clouds_are_news(c))
        out_warn(&c->out, MSG_W_CLOUDS, NULL, "some clouds did not serve: %.*s", (int)line.n,
                 (const char *)line.p);
    else if (line.n > 0)
        out_reason(&c->out, "clouds that did not serve: %.*s", (int)line.n, (const char *)line.p);
}

/* Of a store that is not there: what hangs on the other one. ret stays empty where that is not known. */
static void count_hanging(struct client *c, const struct vault_note *n, char ret[256])
{
    struct qc_err why = { 0 };
    const unsigned other = 3 - n->share;
    uint64_t count = 0;
    if (n->kind != VAULT_NOTE_SHARE_MISSING || c->vault == NULL ||
        vault_share_objects(c->vault, other, &count, &why) != QC_OK || count == 0)
        return;
    (void)snprintf(ret, 256,
                   "Everything is readable with share %u and the gateway's backup data. Until share %u is "
                   "back, losing share %u too loses all that it knows: %" PRIu64
                   " object%s, with folders and the trash.",
                   other, n->share, other, count, text_s(count));
}

static void tell_note(struct client *c, const struct vault_note *n, qc_span name)
{
    char share[4] = "", data[256] = "";
    struct msg_about about = { .name = name };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };
    bool of_object =
        n->kind == VAULT_NOTE_MARGIN || n->kind == VAULT_NOTE_BACKUP || n->kind == VAULT_NOTE_VERSIONS;
    if (of_object && name.n > 0 && text_quote(name, &shown, &why) == QC_OK)
        qc_ignore(qc_buf_add(&shown, QC_LIT(": "), &why), "then without it");
    if (n->share == 1 || n->share == 2) {
        snprintf(share, sizeof share, "%u", n->share);
        about.share = share;
        about.dir = c->conf.share[n->share - 1];
        count_hanging(c, n, data);
        about.data = data[0] != '\0' ? data : NULL;
    }
    out_warn(&c->out, warning_of(n->kind), &about, "%.*s%s", (int)shown.n, (const char *)shown.p, n->text);
}

/* A share store that is not there, or locked, is no news to who rebuilds it, and the error itself where a put
 * needs both. */
static bool is_news(const struct client *c, const struct vault_note *n)
{
    return (n->kind != VAULT_NOTE_SHARE_MISSING && n->kind != VAULT_NOTE_SHARE_LOCKED) ||
           (c->out.class != MSG_PUT && (n->share != c->lost_share || n->share == 0));
}

bool client_tell_notes(struct client *c, qc_rc rc, qc_span name)
{
    bool counts = false;
    unsigned starts = revival_news(&c->revival);
    if (starts > 0)
        out_note(&c->out,
                 "the gateway ended under this command and was started anew; its log is %s/" GATEWAY_LOG,
                 c->places.gateway);
    tell_clouds(c, rc);
    for (size_t i = 0; i < c->notes.n; i++) {
        const struct vault_note *n = &c->notes.v[i];
        counts = counts || n->kind != VAULT_NOTE_UNFINISHED;
        if (n->kind != VAULT_NOTE_CLOUD && is_news(c, n))
            tell_note(c, n, name);
    }
    if (c->notes.dropped > 0)
        out_warn(&c->out, MSG_W_OTHER, NULL, "%zu more remarks could not be kept", c->notes.dropped);
    vault_notes_done(&c->notes);
    c->noted = c->noted || counts;
    return counts;
}

/* Would the same cause stop every other object of the run? */
bool client_ends_run(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_FENCED || rc == QC_RANDOM || rc == QC_NOTCONF || rc == QC_NOMEM ||
           rc == QC_LINK;
}

bool client_object(struct client *c, qc_rc rc, qc_span name, const struct qc_err *why, qc_rc *worst)
{
    struct msg_about about = { .name = name,
                               .kept = c->left.kept,
                               .range = { c->left.range_was, c->left.range_there } };
    bool counts = client_tell_notes(c, rc, name);
    if (rc == QC_SHARES && c->vault != NULL && !vault_has_share(c->vault, 1))
        about.share = "1";
    else if (rc == QC_SHARES && c->vault != NULL && !vault_has_share(c->vault, 2))
        about.share = "2";
    if (rc == QC_OK && counts && c->strict)
        rc = QC_DEGRADED;
    if (rc == QC_OK || (rc == QC_DEGRADED && why->rc != QC_DEGRADED))
        out_count(&c->out, rc);
    else
        out_object(&c->out, rc, &about, why);
    c->left.kept = 0;
    c->left.range_was = NULL;
    *worst = rc == QC_CANCELLED ? rc : qc_rc_worse(*worst, rc);
    return !client_ends_run(rc) && !revival_is_over(&c->revival);
}

bool client_put_object(struct client *c, qc_rc rc, bool open, qc_span name, const struct qc_err *why,
                       qc_rc *worst)
{
    const enum msg_class usual = c->out.class;
    c->open = c->open || open;
    if (open)
        c->out.class = MSG_PUT_OPEN;
    const bool go_on = client_object(c, rc, name, why, worst);
    c->out.class = usual;
    return go_on;
}

qc_rc client_outcome(struct client *c, qc_rc worst, const char *what, struct qc_err *err)
{
    unsigned all = 0;
    c->end.told = true;
    if (c->open)
        c->out.class = MSG_PUT_OPEN;
    for (size_t i = 0; i < sizeof c->out.counts / sizeof c->out.counts[0]; i++)
        all += c->out.counts[i];
    if (worst == QC_OK)
        return QC_OK;
    unsigned left = all - c->out.counts[0] - c->out.counts[(unsigned)qc_rc_exit(QC_DEGRADED)];
    qc_err_set(err, worst, QC_HERE, "%u of %u %s; see the messages above",
               worst == QC_DEGRADED ? all - c->out.counts[0] : left, all, what);
    if (all > 1)
        out_note(&c->out, "%s", err->msg);
    return worst;
}

qc_rc client_share_place(const struct client *c, unsigned index, char ret[QC_CLIENT_PATH_MAX],
                         struct qc_err *err)
{
    QC_ASSERT(index == 1 || index == 2);
    return places_join(c->places.data, index == 1 ? "share1" : "share2", ret, err);
}

qc_rc client_take_keeper(struct client *c, const struct qc_args *args, bool *ret, struct qc_err *err)
{
    const char *url = qc_args_value(args, "backup-to", NULL);
    const char *credentials = qc_args_value(args, "backup-credentials", NULL);
    *ret = url != NULL;
    if (url == NULL && credentials != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "--backup-credentials is for the keeper of --backup-to, which is missing");
    if (url == NULL)
        return QC_OK;
    if (strlen(url) >= sizeof c->conf.keeper ||
        (credentials != NULL && strlen(credentials) >= sizeof c->conf.keeper_credentials))
        return QC_FAIL(err, QC_USAGE, "--backup-to: longer than %zu bytes", sizeof c->conf.keeper - 1);
    (void)snprintf(c->conf.keeper, sizeof c->conf.keeper, "%s", url);
    (void)snprintf(c->conf.keeper_credentials, sizeof c->conf.keeper_credentials, "%s",
                   credentials != NULL ? credentials : "");
    QC_TRY_AS(home_keeper_check(url, credentials, err), err, "--backup-to");
    return QC_OK;
}

void client_point_to_help(struct client *c, const struct qc_cmd *cmd, struct qc_err *err)
{
    if (err->rc != QC_USAGE || err->next != NULL || cmd == NULL || strcmp(cmd->name, "help") == 0 ||
        cmd->run == cmd_kit_verify)
        return;
    (void)snprintf(c->help, sizeof c->help, "qcloud %s --help", cmd->name);
    err->next = c->help;
}
