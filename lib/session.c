#include "session.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/harden.h"
#include "base/token.h"
#include "home/gateway_start.h"
#include "home/keeper.h"
#include "home/random.h"
#include "vault/pad.h"

enum {
    SECRET_BYTES = 1 << 20, /* that a session takes, with room */
    PASS_ROOM = (QC_PASSPHRASE_MAX + QC_KEY_STEP - 1) / QC_KEY_STEP * QC_KEY_STEP,
    STORE_TEXT = QC_CLIENT_PATH_MAX + 32,
};

const char *qcloud_version(void)
{
    return QC_VERSION;
}

int qcloud_harden(int *ret_locked)
{
    const struct qc_harden_opts opts = { .lock_bytes = SECRET_BYTES };
    struct qc_err err = { 0 };
    bool locked = false;
    const qc_rc rc = qc_process_harden(&opts, &locked, &err);
    if (ret_locked != NULL)
        *ret_locked = rc == QC_OK && locked;
    return qc_rc_exit(rc);
}

struct qcloud *qcloud_new(void)
{
    static const struct qcloud empty;
    struct qcloud *q = qc_alloc(sizeof *q);
    if (q != NULL)
        *q = empty;
    return q;
}

static void shut(struct qcloud *q)
{
    if (q->rng != NULL)
        qrng_rest(q->rng);
    vault_close(&q->vault);
    home_keeper_free(&q->keeper);
    qc_key_free(&q->token); /* after those who borrow it */
    qrng_close(&q->rng);
    qrng_close(&q->ids);
    revival_done(&q->revival);
    q->revival = (struct revival){ 0 };
    vault_passes_done(&q->passes);
}

void qcloud_free(struct qcloud *q)
{
    if (q == NULL)
        return;
    shut(q);
    net_rate_free(&q->rate);
    vault_notes_done(&q->notes);
    qc_free(q);
}

const char *qcloud_message(const struct qcloud *q)
{
    return q->err.msg;
}

void qcloud_set_timeout(struct qcloud *q, unsigned seconds)
{
    q->timeout_s = seconds;
}

static qc_rc set_rate(struct qcloud *q, const char *rate, struct qc_err *err)
{
    struct net_rate_table t = { 0 };
    if (rate != NULL && rate[0] != '\0')
        QC_TRY_AS(net_rate_parse(qc_span_str(rate), &t, err), err, "rate");
    if (q->rate == NULL)
        QC_TRY(net_rate_new(&q->rate, NULL, err));
    net_rate_set(q->rate, &t);
    return QC_OK;
}

int qcloud_set_rate(struct qcloud *q, const char *rate)
{
    qc_err_clear(&q->err);
    const qc_rc rc = set_rate(q, rate, &q->err);
    q->rate_given = q->rate_given || rc == QC_OK;
    return session_end(q, rc);
}

void qcloud_set_passphrase(struct qcloud *q, qcloud_passphrase_fn fn, void *ctx)
{
    q->pass = fn;
    q->pass_ctx = ctx;
}

void qcloud_set_progress(struct qcloud *q, qcloud_progress_fn fn, void *ctx)
{
    q->progress = fn;
    q->progress_ctx = ctx;
}

void qcloud_set_notes(struct qcloud *q, qcloud_note_fn fn, void *ctx)
{
    q->note = fn;
    q->note_ctx = ctx;
}

void qcloud_cancel(struct qcloud *q)
{
    qc_cancel_set(&q->cancel);
}

void qcloud_resume(struct qcloud *q)
{
    q->cancel = (struct qc_cancel){ 0 };
}

/* -- calls ----------------------------------------------------------------------------------------------- */

static void tell_progress(void *ctx, const struct vault_progress *p)
{
    const struct qcloud *q = ctx;
    if (q->progress != NULL)
        q->progress(q->progress_ctx, p->done, p->total);
}

static struct vault_call call_of(struct qcloud *q)
{
    struct vault_call call = {
        .op = { .cancel = &q->cancel }, .notes = &q->notes, .progress = tell_progress, .progress_ctx = q
    };
    if (q->timeout_s > 0)
        call.op.deadline = qc_deadline_in((uint64_t)q->timeout_s * 1000);
    return call;
}

qc_rc session_begin(struct qcloud *q, struct vault_call *ret)
{
    qc_err_clear(&q->err);
    *ret = call_of(q);
    return q->vault != NULL ? QC_OK : QC_FAIL(&q->err, QC_NOTCONF, "the session is not open");
}

static void tell_note(const struct qcloud *q, const struct vault_note *n)
{
    char text[sizeof n->text + sizeof n->cloud + 2];
    snprintf(text, sizeof text, "%s%s%s", n->cloud, n->cloud[0] != '\0' ? ": " : "", n->text);
    q->note(q->note_ctx, text);
}

int session_end(struct qcloud *q, qc_rc rc)
{
    for (size_t i = 0; q->note != NULL && i < q->notes.n; i++)
        tell_note(q, &q->notes.v[i]);
    vault_notes_done(&q->notes);
    if (rc == QC_OK)
        qc_err_clear(&q->err);
    return qc_rc_exit(rc);
}

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc ask_pass(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                      struct qc_err *err)
{
    const struct qcloud *q = ctx;
    QC_CLEANUP(qc_key_free) qc_key *room = NULL;
    if (q->pass == NULL)
        return QC_FAIL(err, QC_NOPASS, "locked by a passphrase, and nobody was given to ask");
    QC_TRY(qc_key_blank(&room, PASS_ROOM, err));
    const ptrdiff_t n =
        q->pass(q->pass_ctx, ask->dir, ask->tries, (char *)qc_key_write(room), QC_PASSPHRASE_MAX);
    qc_key_seal(room);
    if (n < 0)
        return QC_FAIL(err, ask->tries > 0 ? QC_PASSPHRASE : QC_NOPASS, "no passphrase opens %s", ask->dir);
    if (n > QC_PASSPHRASE_MAX)
        return QC_FAIL(err, QC_USAGE, "the callback gave a length of %td bytes, at most %d", n,
                       QC_PASSPHRASE_MAX);
    return vault_pass_new(ret, room, (size_t)n, err);
}

static const char *tell_random(void *ctx)
{
    struct qcloud *q = ctx;
    q->provenance = qrng_provenance(q->rng);
    return q->provenance.text;
}

static qc_rc open_gateway(struct qcloud *q, const struct vault_op *op, struct vault_gw **ret)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err *err = &q->err;
    if (q->conf.gateway[0] != '\0') {
        struct vault_gw_remote r;
        conf_remote(&q->conf, q->token, &r);
        return vault_gw_remote_new(ret, &r, err);
    }
    QC_TRY(gateway_ensure(q->places.gateway, q->conf.idle_s, op->deadline, op->cancel, &dir, err));
    QC_TRY(vault_gw_http_new(ret, qc_fd_get(&dir), GATEWAY_SOCKET, err));
    revival_init(&q->revival, q->places.gateway, q->conf.idle_s);
    vault_gw_http_revive(*ret, revival_hook(&q->revival));
    return QC_OK;
}

static qc_rc read_conf(struct qcloud *q, const char *home)
{
    struct qc_err *err = &q->err;
    QC_TRY(home != NULL ? places_beneath(home, &q->places, err) : places_by_environment(&q->places, err));
    q->conf.idle_s = CONF_IDLE_DEFAULT;
    QC_TRY(conf_load(&q->places, &q->conf, err));
    if (!q->conf.has_vault)
        return QC_FAIL(err, QC_NOTCONF, "%s has no [vault]", q->places.conf_file);
    if (home == NULL)
        QC_TRY(conf_environment(&q->conf, err));
    if (q->conf.gateway[0] != '\0' && q->conf.token_file[0] == '\0')
        return QC_FAIL(err, QC_AUTH, "%s names a gateway and no token-file", q->places.conf_file);
    if (q->conf.token_file[0] != '\0')
        QC_TRY(qc_token_read(q->conf.token_file, &q->token, err));
    return home_random_conf(&q->places, &q->random, err);
}

static qc_rc open_vault(struct qcloud *q, const char *home)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct qc_err *err = &q->err;
    const struct vault_call call = call_of(q);
    QC_TRY(read_conf(q, home));
    QC_TRY(qrng_open("os", &q->ids, err));
    QC_TRY(qrng_open_policy(&q->random, QRNG_PROFILE_EC, &q->rng, err));
    q->passes = (struct vault_passes){ .ask = ask_pass, .ctx = q, .cancel = &q->cancel };
    if (!q->rate_given)
        QC_TRY(set_rate(q, q->conf.limit_rate, err));
    QC_TRY(open_gateway(q, &call.op, &gw));
    vault_gw_http_rate(gw, q->rate);
    QC_TRY(conf_keeper(&q->conf, &q->keeper, err));
    const struct vault_conf conf = { .vault = q->conf.vault,
                                     .share = { q->conf.share[0], q->conf.share[1] },
                                     .state = q->places.state,
                                     .rng = qrng_rng(q->rng),
                                     .ids = qrng_rng(q->ids),
                                     .tell = tell_random,
                                     .tell_ctx = q,
                                     .named = { conf_named(&q->conf, 0), conf_named(&q->conf, 1) },
                                     .absent = { conf_absent(&q->conf, 0), conf_absent(&q->conf, 1) },
                                     .keeper = q->keeper,
                                     .pad = q->conf.pad ? vault_padme : NULL,
                                     .passes = &q->passes };
    return vault_open_session(&q->vault, &conf, &gw, &call, err);
}

int qcloud_open(struct qcloud *q, const char *home)
{
    qc_err_clear(&q->err);
    if (q->vault != NULL)
        return session_end(q, QC_FAIL(&q->err, QC_USAGE, "the session is open already"));
    const qc_rc rc = open_vault(q, home);
    const int code = session_end(q, rc);
    if (rc != QC_OK)
        shut(q);
    return code;
}
