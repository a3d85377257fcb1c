#include "base/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/harden.h"

/* -- signals --------------------------------------------------------------------------------------------- */

static struct qc_cancel stop; /* set by the signal handler, which has no other way */

static void on_signal(int sig)
{
    (void)sig;
    qc_cancel_set(&stop);
}

qc_rc qc_stop_catch(struct qc_err *err)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return QC_FAIL_OS(err, "signals");
    return QC_OK;
}

struct qc_cancel *qc_stop(void)
{
    return &stop;
}

/* -- ready ----------------------------------------------------------------------------------------------- */

qc_rc qc_ready_fd(const struct qc_args *args, int *ret, struct qc_err *err)
{
    uint64_t fd = 0;
    QC_TRY(qc_args_u64(args, "ready-fd", false, 0, 1023, &fd, err));
    *ret = qc_args_value(args, "ready-fd", NULL) != NULL ? (int)fd : -1;
    return QC_OK;
}

qc_rc qc_ready_tell(int fd, struct qc_err *err)
{
    if (fd < 0)
        return QC_OK;
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd);
    QC_TRY_AS(qc_write_all(fd, &QC_LIT("ready\n"), 1, err), err, "--ready-fd");
    return QC_OK;
}

/* -- configuration --------------------------------------------------------------------------------------- */

qc_rc qc_conf_read(const char *path, const char *what, size_t max, qc_buf *ret, struct qc_err *err)
{
    const qc_rc rc = qc_path_read(path, O_NONBLOCK, max + 1, ret, err);
    if (rc == QC_OK || rc == QC_NOMEM)
        return rc;
    qc_err_wrap(err, "%s %.200s", what, path);
    err->rc = QC_USAGE;
    return QC_USAGE;
}

/* -- a program ------------------------------------------------------------------------------------------- */

static qc_rc help(const struct qc_app *app, const struct qc_cmd *cmd, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 65536 };
    QC_TRY(qc_opt_help(app, cmd, &text, err));
    fwrite(text.p, 1, text.n, stdout);
    return QC_OK;
}

static qc_rc run(const struct qc_program *p, int argc, char **argv, struct qc_err *err)
{
    struct qc_args args = { 0 };
    bool locked = false;
    QC_TRY(qc_process_harden(&(struct qc_harden_opts){ .lock_bytes = p->lock_bytes }, &locked, err));
    QC_TRY(qc_opt_parse(&args, p->app, argc, argv, err));
    if (qc_args_version(&args)) {
        printf("%s %s\n", p->app->name, p->app->version);
        return QC_OK;
    }
    if (qc_args_flag(&args, "help") || args.cmd == NULL)
        return help(p->app, args.cmd, err);
    if (!locked && (p->lock_wanted == NULL || strcmp(args.cmd->name, p->lock_wanted) == 0))
        fprintf(stderr, "%s: keys cannot be locked in memory: raise the limit (ulimit -l)\n", p->app->name);
    return args.cmd->run(NULL, &args, err);
}

static int tell(const struct qc_program *p, const struct qc_err *err)
{
    const struct qc_program_row *row = p->rows;
    while (row->rc != QC_OK && row->rc != err->rc)
        row++;
    const int status = row->status != 0 ? row->status : qc_rc_exit(err->rc);
    fprintf(stderr, "%s: E%02d%02u %s\n   data: %s\n   next: %s\n", p->app->name, status, row->nn, err->msg,
            row->data, err->next != NULL ? err->next : row->next);
    return status;
}

int qc_program_main(const struct qc_program *p, int argc, char **argv)
{
    struct qc_err err = { 0 };
    if (run(p, argc, argv, &err) != QC_OK)
        return tell(p, &err);
    return fflush(stdout) == 0 ? 0 : 1;
}
