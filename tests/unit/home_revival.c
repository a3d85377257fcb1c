/* unit/home_revival: a gateway that is gone is started, so often and not more; one that does not start is
 * the last word. The gateway here is a script. */
#include "home/revival.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
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

/* Serves for as long as the test asks it to, and leaves a dead socket behind. */
#define SERVER                                                                                               \
    "#!/usr/bin/python3\n"                                                                                   \
    "import os, socket, sys, time\n"                                                                         \
    "a = sys.argv\n"                                                                                         \
    "d = a[a.index('--state') + 1]\n"                                                                        \
    "try: os.unlink(d + '/gateway.sock')\n"                                                                  \
    "except FileNotFoundError: pass\n"                                                                       \
    "s = socket.socket(socket.AF_UNIX)\n"                                                                    \
    "s.bind(d + '/gateway.sock')\n"                                                                          \
    "s.listen(8)\n"                                                                                          \
    "os.write(int(a[a.index('--ready-fd') + 1]), b'ready\\n')\n"                                             \
    "for i in range(12000):\n"                                                                               \
    "    if os.path.exists(d + '/leave'): break\n"                                                           \
    "    time.sleep(0.01)\n"                                                                                 \
    "s.close()\n"                                                                                            \
    "os.unlink(d + '/leave')\n"

static void end_server(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/leave", tmp.path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
    for (int i = 0; i < 6000 && access(path, F_OK) == 0; i++)
        usleep(10000);
    CHECK(access(path, F_OK) != 0);
}

static qc_rc call(struct revival *r, const struct vault_op *op, struct qc_err *err)
{
    struct vault_gw_revive hook = revival_hook(r);
    return hook.fn(hook.ctx, op, err);
}

static void check_count(void)
{
    struct qc_err err = { 0 };
    const struct vault_op op = { 0 };
    struct revival r = { 0 };
    revival_init(&r, tmp.path, 1);
    fake(SERVER);
    for (unsigned i = 0; i < QC_CLIENT_REVIVE_MAX; i++) {
        CHECK_OK(call(&r, &op, &err));
        CHECK_OK(call(&r, &op, &err)); /* it answers: no other start */
        const unsigned news = revival_news(&r), again = revival_news(&r);
        CHECK(news == 1 && again == 0 && !revival_is_over(&r));
        end_server();
    }
    CHECK(call(&r, &op, &err) == QC_TEMP && strstr(err.msg, "it ended 4 times") != NULL);
    CHECK(revival_is_over(&r) && revival_news(&r) == 0);
    revival_done(&r);
}

static void check_refusal(void)
{
    struct qc_err err = { 0 };
    const struct vault_op op = { 0 };
    struct revival r = { 0 };
    revival_init(&r, tmp.path, 1);
    fake("#!/bin/sh\necho 'qcloud-gateway: E1401 no space in /x' >&2\nexit 14\n");
    /* Not "full": to the library it is a failure of contact. */
    CHECK(call(&r, &op, &err) == QC_TEMP && strstr(err.msg, "no space in /x") != NULL && revival_is_over(&r));
    fake(SERVER); /* too late */
    err = (struct qc_err){ 0 };
    CHECK(call(&r, &op, &err) == QC_TEMP && strstr(err.msg, "no space in /x") != NULL);
    revival_done(&r);
}

/* The op's own end is not the gateway's fault. */
static void check_ends(void)
{
    struct qc_err err = { 0 };
    struct qc_cancel cancel = { 0 };
    struct revival r = { 0 };
    revival_init(&r, tmp.path, 1);
    fake("#!/bin/sh\nexec /bin/sleep 60 >/dev/null 2>&1\n"); /* it outlives the test, and holds nothing */
    uint64_t t = qc_now_ms();
    CHECK_RC(call(&r, &(struct vault_op){ .deadline = qc_deadline_in(300) }, &err), QC_TIMEOUT);
    qc_cancel_set(&cancel);
    CHECK_RC(call(&r, &(struct vault_op){ .cancel = &cancel }, &err), QC_CANCELLED);
    CHECK(qc_now_ms() - t < 50000 && !revival_is_over(&r));
    revival_done(&r);
}

int main(void)
{
    tmp = qc_tmpdir_new();
    CHECK(setenv("PATH", tmp.path, 1) == 0);
    check_count();
    check_refusal();
    check_ends();
    qc_tmpdir_remove(&tmp);
    return 0;
}
