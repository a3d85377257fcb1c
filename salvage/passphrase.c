#include "passphrase.h"

#include <limits.h>
#include <stdlib.h>

#include "base/opt.h"
#include "secret.h"
#include "signals.h"

enum { TRIES = 3, PROMPT = QC_SALVAGE_PATH_MAX + 160 };

static bool used; /* the environment's source */

static const char *value_of(const char *name)
{
    const char *v = getenv(name);

    return v == NULL || v[0] == '\0' ? NULL : v;
}

static qc_rc from_environment(struct secret *ret, struct qc_err *err)
{
    const char *fd = value_of("QCLOUD_PASSPHRASE_FD"), *command = value_of("QCLOUD_PASSPHRASE_COMMAND");
    uint64_t number = 0;
    bool end = false;

    if (fd != NULL && command != NULL)
        return QC_FAIL(
            err, QC_USAGE,
            "QCLOUD_PASSPHRASE_FD and QCLOUD_PASSPHRASE_COMMAND are both set: one passphrase has one source");
    if (command != NULL)
        return secret_from_command(command, signals_cancel(), ret, err);
    QC_TRY(qc_parse_u64(fd, "QCLOUD_PASSPHRASE_FD", false, &number, err));
    if (number == 1 || number == 2 || number > INT_MAX)
        return QC_FAIL(err, QC_USAGE, "QCLOUD_PASSPHRASE_FD is %s, which is no descriptor to read from", fd);
    return secret_read((int)number, signals_cancel(), ret, &end, err);
}

static qc_rc from_terminal(const struct vault_pass_ask *ask, struct secret *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd terminal = { 0 };
    char prompt[PROMPT];

    if (ask->tries >= TRIES)
        return QC_FAIL(err, QC_PASSPHRASE, "%d passphrases were typed, and none opens it", TRIES);
    QC_TRY_AS(terminal_open(&terminal, err), err, "locked by a passphrase, and none was given");
    (void)snprintf(prompt, sizeof prompt, "%s of the share store in %s: ",
                   ask->tries > 0 ? "That does not open it. Passphrase" : "Passphrase", ask->dir);
    return terminal_ask(&terminal, prompt, signals_cancel(), ret, err);
}

static qc_rc ask_pass(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                      struct qc_err *err)
{
    const struct options *o = ctx;
    const bool given =
        value_of("QCLOUD_PASSPHRASE_FD") != NULL || value_of("QCLOUD_PASSPHRASE_COMMAND") != NULL;
    QC_CLEANUP(secret_done) struct secret line = { 0 };

    if (given && used)
        return QC_FAIL(err, QC_PASSPHRASE, "the passphrase that was given does not open it");
    if (!given && o->no_input)
        return QC_FAIL(err, QC_NOPASS, "locked by a passphrase, and --no-input forbids to ask");
    if (given)
        QC_TRY(from_environment(&line, err));
    else
        QC_TRY(from_terminal(ask, &line, err));
    used = given;
    if (line.n == 0)
        return QC_FAIL(err, given ? QC_PASSPHRASE : QC_NOPASS, "no passphrase was given");
    return vault_pass_new(ret, line.bytes, line.n, err);
}

struct vault_passes passphrase_source(struct options *o)
{
    return (struct vault_passes){ .ask = ask_pass, .ctx = o, .cancel = signals_cancel() };
}
