/* Share stores on removable disks: where they are, and who asks for them. home/disks.h says how they are
 * found. */
#include "disks.h"

#include <stdio.h>
#include <unistd.h>

#include "secret.h"
#include "signals.h"

enum { PROMPT = DISK_PLACE_MAX + 160 };

/* Somebody is there to plug it in. A script that is started from a terminal has its own input. */
static bool may_ask(const struct client *c, struct qc_fd *ret)
{
    struct qc_err why = { 0 };
    return !c->no_input && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 &&
           terminal_open(ret, &why) == QC_OK;
}

/* *ret: the disk is to be looked for again; else it is done without. */
static qc_rc ask(const struct client *c, const char *why, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd terminal = { 0 };
    QC_CLEANUP(secret_done) struct secret line = { 0 };
    char prompt[PROMPT];
    *ret = false;
    if (!may_ask(c, &terminal))
        return QC_OK;
    (void)snprintf(prompt, sizeof prompt,
                   "%.1000s: plug it in, mount it and press Enter (n: without it): ", why);
    QC_TRY(terminal_ask(&terminal, prompt, signals_cancel(), &line, err));
    *ret = line.n == 0;
    return QC_OK;
}

qc_rc client_ask_disk(struct client *c, bool *ret, struct qc_err *err)
{
    *ret = false;
    for (unsigned i = 0; i < 2; i++) {
        const char *why = conf_absent(&c->conf, i);
        if (why == NULL || c->lost_share == i + 1 || c->withheld_share == i + 1)
            continue;
        QC_TRY(ask(c, why, ret, err));
        if (!*ret)
            return QC_OK;
        conf_find_disks(&c->conf);
    }
    return QC_OK;
}

qc_rc client_place(struct client *c, const char *given, char ret[QC_CLIENT_PATH_MAX],
                   char ret_disk[DISK_PLACE_MAX], struct qc_err *err)
{
    struct qc_err why = { 0 };
    ret_disk[0] = '\0';
    if (!disk_is(given))
        return places_absolute(given, ret, err);
    QC_TRY(disk_check(given, err));
    (void)snprintf(ret_disk, DISK_PLACE_MAX, "%s", given);
    for (unsigned tries = 0; tries < QC_CLIENT_DISK_TRIES; tries++) {
        bool again = false;
        qc_err_clear(&why);
        if (disk_find(NULL, given, ret, &why) == QC_OK)
            return QC_OK;
        if (why.rc == QC_SHARES)
            QC_TRY(ask(c, why.msg, &again, err));
        if (!again)
            break;
    }
    *err = why;
    return why.rc;
}
