/* passphrase: set, change or remove it, for the share stores that are there. */
#include "client.h"

#include "base/fault.h"
#include "base/file.h"
#include "passphrase.h"
#include "signals.h"
#include "vault/share_store.h"

enum outcome { UNTOUCHED, MISSING, SET, CHANGED, REMOVED };
static const char *const outcomes[] = { "untouched", "missing", "set", "changed", "removed" };

struct change {
    struct client *c;
    unsigned only; /* 1, 2; 0: both */
    struct vault_store *store[2];
    enum outcome outcome[2];
    size_t open, done;
};

static void change_done(struct change *p)
{
    vault_store_close(&p->store[0]);
    vault_store_close(&p->store[1]);
}

/* A store that is not there keeps what it has; anything else that is wrong ends the command before a change.
 */
static qc_rc open_one(struct change *p, unsigned i, struct qc_err *err)
{
    struct client *c = p->c;
    struct vault_store_expect expect = {
        .index = i + 1, .vault = c->conf.vault, .passes = &c->passes, .named = conf_named(&c->conf, i) != NULL
    };
    const struct msg_about about = { .share = i == 0 ? "1" : "2", .dir = c->conf.share[i] };
    struct qc_err why = { 0 };
    if (p->only != 0 && p->only != i + 1)
        return QC_OK;
    qc_rc rc = vault_store_open(&p->store[i], c->conf.share[i], VAULT_STORE_WRITE, &expect, &why);
    if (rc == QC_SHARES && p->only == 0) {
        p->outcome[i] = MISSING;
        out_warn(&c->out, MSG_W_SHARE_MISSING, &about, "%s; its passphrase stays as it is", why.msg);
        return QC_OK;
    }
    if (rc != QC_OK)
        *err = why;
    p->open += rc == QC_OK;
    return rc;
}

static qc_rc open_stores(struct change *p, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(open_one(p, i, err));
    return p->open > 0 ? QC_OK : QC_FAIL(err, QC_SHARES, "neither share store is there");
}

static qc_rc change_one(struct change *p, unsigned i, const struct vault_lock *lock, struct qc_err *err)
{
    if (p->store[i] == NULL)
        return QC_OK;
    bool had = vault_store_lock(p->store[i]).pass != NULL;
    enum outcome o = lock->pass == NULL ? (had ? REMOVED : UNTOUCHED) : (had ? CHANGED : SET);
    if (p->done > 0)
        QC_TRY(qc_fault(client_relocked, err));
    if (o != UNTOUCHED)
        QC_TRY(vault_store_relock(p->store[i], lock, signals_cancel(), err));
    p->outcome[i] = o;
    p->done++;
    out_note(&p->c->out, "share store %u (%s): %s", i + 1, p->c->conf.share[i],
             o == UNTOUCHED ? "has no passphrase"
             : o == REMOVED ? "its passphrase is removed"
             : o == SET     ? "its passphrase is set"
                            : "its passphrase is changed");
    return QC_OK;
}

static qc_rc summary(struct change *p, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "share1", outcomes[p->outcome[0]], err));
    QC_TRY(qc_json_set_str(j, "share2", outcomes[p->outcome[1]], err));
    p->c->end.extra = QC_STEAL(j);
    return QC_OK;
}

static qc_rc change_all(struct change *p, const struct vault_lock *lock, struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < 2 && rc == QC_OK; i++)
        rc = change_one(p, i, lock, &why);
    if (rc != QC_OK && p->done == 0) {
        *err = why;
        return rc;
    }
    QC_TRY(summary(p, err));
    if (rc != QC_OK)
        return QC_FAIL(err, QC_DEGRADED, "share store 1 has its new state, share store 2 opens as before: %s",
                       why.msg);
    if (p->only == 0 && p->open < 2)
        return QC_FAIL(err, QC_DEGRADED, "done for share store %u alone; the other one is not there",
                       p->store[0] != NULL ? 1U : 2U);
    return QC_OK;
}

qc_rc cmd_passphrase(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(change_done) struct change p = { .c = c };
    QC_CLEANUP(qc_fd_close) struct qc_fd state = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd alone = { 0 };
    struct vault_lock lock = { 0 };
    uint64_t only = 0;
    QC_TRY(qc_args_u64(args, "share", false, 1, 2, &only, err));
    p.only = (unsigned)only;
    QC_TRY(client_check_lock(args, err));
    QC_TRY_AS(qc_dir_make_path(c->places.state, 0700, err), err, "state");
    QC_TRY(qc_dir_open(&state, c->places.state, err));
    QC_TRY_AS(qc_lock_file(&alone, qc_fd_get(&state), "passphrase.lock", err), err,
              "another qcloud passphrase");
    QC_TRY(open_stores(&p, err));
    if (!qc_args_flag(args, "remove"))
        QC_TRY(client_next_lock(c, args, &lock, err));
    return change_all(&p, &lock, err);
}
