/* unit/home_gateway_start: what a gateway says when it does not start becomes the user's message; one that
 * starts is waited for; one that another command is starting is found. The gateway here is a script. */
#include "home/gateway_start.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_tmpdir tmp;

static void fake(const char *script)
{
    char path[300];
    snprintf(path, sizeof path, "%s/qcloud-gateway", tmp.path);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(script, f) >= 0 && fclose(f) == 0 && chmod(path, 0700) == 0);
}

static void refused(const char *script, qc_rc want, const char *words)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    fake(script);
    qc_rc rc = gateway_ensure(tmp.path, 1, QC_NO_DEADLINE, NULL, &dir, &err);
    if (rc != want || strstr(err.msg, words) == NULL)
        fprintf(stderr, "got %s: %s\n", qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, words) != NULL && !qc_fd_is(&dir));
}

static void check_refusals(void)
{
    refused("#!/bin/sh\necho 'qcloud-gateway: E1401 no space in /x' >&2\necho '  data: d' >&2\nexit 14\n",
            QC_FULL, "no space in /x");
    refused("#!/bin/sh\necho '2026 warn x' >&2; echo 'qcloud-gateway: E0551 taken' >&2; exit 5\n",
            QC_CONFLICT, "taken");
    refused("#!/bin/sh\nexit 8\n", QC_INTEGRITY, "ended with status 8 and said nothing");
    refused("#!/bin/sh\nkill -9 $$\n", QC_GENERAL, "killed by signal 9");
    refused("#!/bin/sh\necho 'qcloud-gateway: E1101 held by process 7' >&2; exit 11\n", QC_LOCKED,
            "process 7");
    refused("#!/bin/sh\necho 'qcloud-gateway: E1156 another gateway took over' >&2; exit 11\n", QC_FENCED,
            "took over");
}

static void check_missing(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    CHECK_RC(gateway_ensure("/none/such", 1, QC_NO_DEADLINE, NULL, &dir, &err), QC_NOTCONF);
    CHECK(setenv("PATH", "/none:relative:", 1) == 0);
    CHECK_RC(gateway_ensure(tmp.path, 1, QC_NO_DEADLINE, NULL, &dir, &err), QC_NOTCONF);
    CHECK(setenv("PATH", tmp.path, 1) == 0);
}

static void check_cancel(void)
{
    struct qc_err err = { 0 };
    struct qc_cancel cancel = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    fake("#!/bin/sh\nexec /bin/sleep 2\n");
    qc_cancel_set(&cancel);
    CHECK_RC(gateway_ensure(tmp.path, 1, QC_NO_DEADLINE, &cancel, &dir, &err), QC_CANCELLED);
}

#define SERVER                                                                                               \
    "import os, socket, sys\n"                                                                               \
    "a = sys.argv\n"                                                                                         \
    "d = a[a.index('--state') + 1]\n"                                                                        \
    "s = socket.socket(socket.AF_UNIX)\n"                                                                    \
    "s.bind(d + '/gateway.sock')\n"                                                                          \
    "s.listen(4)\n"                                                                                          \
    "s.settimeout(int(a[a.index('--idle') + 1]))\n"                                                          \
    "os.write(int(a[a.index('--ready-fd') + 1]), b'ready\\n')\n"                                             \
    "try:\n"                                                                                                 \
    "    while True: s.accept()\n"                                                                           \
    "except socket.timeout: os.unlink(d + '/gateway.sock')\n"

static void check_starts(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd again = { 0 };
    fake("#!/usr/bin/python3\n" SERVER);
    CHECK_OK(gateway_ensure(tmp.path, 2, QC_NO_DEADLINE, NULL, &dir, &err));
    CHECK(qc_fd_is(&dir));
    fake("#!/bin/sh\nexit 1\n"); /* the second command must not need it */
    CHECK_OK(gateway_ensure(tmp.path, 2, QC_NO_DEADLINE, NULL, &again, &err));
}

static void check_run(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = 64 };
    const char *const argv[] = { "qcloud-gateway", "status", NULL };
    fake("#!/bin/sh\necho \"ran $1\"\n");
    CHECK_OK(gateway_run(argv, &said, &err));
    CHECK(qc_span_eq(qc_buf_span(&said), QC_LIT("ran status\n")));
    fake("#!/bin/sh\necho 'qcloud-gateway: E0601 too few' >&2; exit 6\n");
    CHECK(gateway_run(argv, &said, &err) == QC_QUORUM && strcmp(err.msg, "too few") == 0);
}

int main(void)
{
    tmp = qc_tmpdir_new();
    CHECK(setenv("PATH", tmp.path, 1) == 0);
    check_refusals();
    check_missing();
    check_cancel();
    check_run();
    check_starts();
    qc_tmpdir_remove(&tmp);
    return 0;
}
