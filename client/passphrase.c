#include "passphrase.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "settings.h"
#include "signals.h"

enum { TRIES = 3, MIB = 1024 /* KiB */, PROMPT = QC_CLIENT_PATH_MAX + 160 };

struct source {
    const char *fd, *command; /* names of variables */
};
static const struct source current = { "QCLOUD_PASSPHRASE_FD", "QCLOUD_PASSPHRASE_COMMAND" };
static const struct source next = { "QCLOUD_NEW_PASSPHRASE_FD", "QCLOUD_NEW_PASSPHRASE_COMMAND" };

static bool source_is_set(const struct source *s)
{
    return setting_variable(s->fd) != NULL || setting_variable(s->command) != NULL;
}

static const char *source_name(const struct source *s)
{
    return setting_variable(s->fd) != NULL ? s->fd : s->command;
}

static qc_rc from_descriptor(const char *name, const char *value, struct secret *ret, struct qc_err *err)
{
    uint64_t fd = 0;
    bool end = false;
    QC_TRY(qc_parse_u64(value, name, false, &fd, err));
    if (fd == STDOUT_FILENO || fd == STDERR_FILENO || fd > INT_MAX)
        return QC_FAIL(err, QC_USAGE, "%s is %s, which is no descriptor to read from", name, value);
    struct qc_err why = { 0 };
    qc_rc rc = secret_read((int)fd, signals_cancel(), ret, &end, &why);
    if (rc == QC_IO) /* not open, or not for reading */
        return QC_FAIL(err, QC_USAGE, "%s is %s: %s", name, value, why.msg);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

static qc_rc source_take(const struct source *s, struct vault_pass **ret, struct qc_err *err)
{
    QC_CLEANUP(secret_done) struct secret line = { 0 };
    const char *fd = setting_variable(s->fd), *command = setting_variable(s->command);
    if (fd != NULL && command != NULL)
        return QC_FAIL(err, QC_USAGE, "%s and %s are both set: one passphrase has one source", s->fd,
                       s->command);
    if (fd != NULL)
        QC_TRY(from_descriptor(s->fd, fd, &line, err));
    else
        QC_TRY_AS(secret_from_command(command, signals_cancel(), &line, err), err, "%s", s->command);
    if (line.n == 0)
        return QC_FAIL(err, QC_PASSPHRASE, "%s gave no passphrase", source_name(s));
    return vault_pass_new(ret, line.bytes, line.n, err);
}

/* May a terminal be asked, and is there one? QC_NOPASS, with the reason. */
static qc_rc reach_terminal(const struct client *c, struct qc_fd *ret, struct qc_err *err)
{
    if (c->no_input)
        return QC_FAIL(err, QC_NOPASS, "--no-input forbids to ask");
    return terminal_open(ret, err);
}

/* The words before the answer. Stores have one passphrase, mostly, so the first question names none of them.
 */
static void prompt_for(const struct vault_pass_ask *ask, char ret[PROMPT])
{
    char which[PROMPT - 100];
    if (ask->index != 0)
        snprintf(which, sizeof which, "share store %u (%s)", ask->index, ask->dir);
    else
        snprintf(which, sizeof which, "the share store in %s", ask->dir);
    if (ask->tries > 0)
        snprintf(ret, PROMPT, "That does not open %s. Once more (Enter: leave it locked): ", which);
    else if (ask->known > 0)
        snprintf(ret, PROMPT, "Passphrase of %s, which has another one (Enter: leave it locked): ", which);
    else
        snprintf(ret, PROMPT, "Passphrase of %s: ", ask->index == 0 ? which : "the share stores");
}

static qc_rc ask_terminal(struct client *c, const struct vault_pass_ask *ask, struct vault_pass **ret,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd terminal = { 0 };
    QC_CLEANUP(secret_done) struct secret line = { 0 };
    char prompt[PROMPT];
    QC_TRY_AS(reach_terminal(c, &terminal, err), err, "locked by a passphrase, and none was given");
    if (ask->tries >= TRIES)
        return QC_FAIL(err, QC_PASSPHRASE, "%d passphrases were typed, and none opens it", TRIES);
    prompt_for(ask, prompt);
    QC_TRY(terminal_ask(&terminal, prompt, signals_cancel(), &line, err));
    c->declined = line.n == 0 && ask->known == 0; /* the question was for both stores */
    if (line.n == 0)
        return QC_FAIL(err, QC_NOPASS, "locked by a passphrase, and none was typed");
    return vault_pass_new(ret, line.bytes, line.n, err);
}

qc_rc client_ask_pass(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                      struct qc_err *err)
{
    struct client *c = ctx;
    if (source_is_set(&current) && !c->source_used) {
        c->source_used = true;
        return source_take(&current, ret, err);
    }
    if (c->source_used)
        return QC_FAIL(err, QC_PASSPHRASE, "the passphrase from %s does not open it", source_name(&current));
    if (c->no_prompt || c->declined)
        return QC_FAIL(err, QC_NOPASS, "locked by a passphrase");
    return ask_terminal(c, ask, ret, err);
}

/* Into the keyring of the run, which owns it then. */
static struct vault_pass *keep(struct client *c, struct vault_pass **pass)
{
    struct vault_passes *ps = &c->passes;
    for (size_t i = 0; i < ps->n; i++)
        if (vault_pass_same(ps->known[i], *pass)) {
            vault_pass_free(pass);
            return ps->known[i];
        }
    QC_ASSERT(ps->n < QC_VAULT_PASS_KNOWN_MAX); /* two stores, three answers for each */
    return ps->known[ps->n++] = QC_STEAL(*pass);
}

/* Typed twice, the same. *ret NULL: none. */
static qc_rc ask_new(const struct qc_fd *terminal, const char *prompt, struct vault_pass **ret,
                     struct qc_err *err)
{
    for (int i = 0; i < TRIES; i++) {
        QC_CLEANUP(secret_done) struct secret a = { 0 }, b = { 0 };
        QC_TRY(terminal_ask(terminal, prompt, signals_cancel(), &a, err));
        if (a.n == 0)
            return QC_OK;
        QC_TRY(terminal_ask(terminal, "The same once more: ", signals_cancel(), &b, err));
        if (secret_same(&a, &b))
            return vault_pass_new(ret, a.bytes, a.n, err);
        terminal_say(terminal, "The two differ.");
    }
    return QC_FAIL(err, QC_USAGE, "no passphrase was typed twice in the same way");
}

static qc_rc take_memory(const struct qc_args *args, uint64_t *ret_mib, struct qc_err *err)
{
    return qc_args_u64(args, "memory", false, QC_VAULT_PASS_KIB_MIN / MIB, QC_VAULT_PASS_KIB_MAX / MIB,
                       ret_mib, err);
}

qc_rc client_check_lock(const struct qc_args *args, struct qc_err *err)
{
    uint64_t mib = 0;
    QC_TRY(take_memory(args, &mib, err));
    if (mib > 0 && (qc_args_flag(args, "no-passphrase") || qc_args_flag(args, "remove")))
        return QC_FAIL(err, QC_USAGE, "%s leaves no passphrase that --memory could be for",
                       qc_args_flag(args, "remove") ? "--remove" : "--no-passphrase");
    return QC_OK;
}

static qc_rc make_lock(struct client *c, const struct qc_args *args, struct vault_pass *pass,
                       struct vault_lock *ret, struct qc_err *err)
{
    uint64_t mib = VAULT_PASS_KIB / MIB;
    QC_TRY(take_memory(args, &mib, err));
    QC_TRY(client_rng(c, err));
    qc_rng rng = qrng_rng(c->rng);
    return vault_lock_make(ret, pass, (uint32_t)mib * MIB, &rng, signals_cancel(), err);
}

static qc_rc ask_first(struct client *c, struct vault_pass **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd terminal = { 0 };
    struct qc_err why = { 0 };
    /* A script that is started from a terminal has its own input or keeps our words: it is not to be stopped.
     */
    bool talks = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
    if (!talks || reach_terminal(c, &terminal, &why) != QC_OK)
        return QC_OK;
    terminal_say(
        &terminal,
        "One passphrase protects both share stores against whoever finds or copies them. It cannot be "
        "recovered:\nif it is forgotten, and no store is without one, everything is lost.");
    return ask_new(&terminal, "Passphrase (Enter: none): ", ret, err);
}

qc_rc client_first_lock(struct client *c, const struct qc_args *args, struct vault_lock *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_pass_free) struct vault_pass *pass = NULL;
    bool refused = qc_args_flag(args, "no-passphrase");
    if (!refused && source_is_set(&current))
        QC_TRY(source_take(&current, &pass, err));
    else if (!refused)
        QC_TRY(ask_first(c, &pass, err));
    if (pass != NULL)
        return make_lock(c, args, keep(c, &pass), ret, err);
    if (!refused)
        out_note(
            &c->out,
            "the share stores have no passphrase: whoever has one can use it. qcloud passphrase sets one");
    return QC_OK;
}

static qc_rc next_pass(struct client *c, struct vault_pass **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd terminal = { 0 };
    struct qc_err why = { 0 };
    if (source_is_set(&next))
        return source_take(&next, ret, err);
    if (reach_terminal(c, &terminal, &why) == QC_OK) {
        QC_TRY(ask_new(&terminal, "New passphrase: ", ret, err));
        return *ret != NULL ? QC_OK
                            : QC_FAIL(err, QC_USAGE, "no passphrase was typed; --remove takes it away");
    }
    if (!source_is_set(&current))
        return QC_FAIL(err, QC_NOPASS, "no new passphrase was given, and %s", why.msg);
    if (!c->source_used) {
        c->source_used = true;
        return source_take(&current, ret, err);
    }
    return QC_OK; /* the known one: for stores that lack it */
}

qc_rc client_next_lock(struct client *c, const struct qc_args *args, struct vault_lock *ret,
                       struct qc_err *err)
{
    QC_CLEANUP(vault_pass_free) struct vault_pass *pass = NULL;
    QC_TRY(next_pass(c, &pass, err));
    struct vault_pass *kept = pass != NULL ? keep(c, &pass) : c->passes.known[0];
    QC_ASSERT(kept != NULL);
    return make_lock(c, args, kept, ret, err);
}
