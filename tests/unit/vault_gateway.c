/* unit/vault_gateway PROGRAM: the pipelines through HTTP to a real gateway over five directory clouds, with
 * clouds and a share lost. Prints seconds and resident memory. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "vault_rig.h"

#ifdef __SANITIZE_ADDRESS__
#define RESIDENT_MAX_KIB (512 * 1024) /* with shadow memory, and freed memory kept back */
#else
#define RESIDENT_MAX_KIB (64 * 1024)
#endif

static char gateway_dir[400];

static pid_t spawn(char *const argv[], int ready)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    if (ready >= 0)
        CHECK(dup2(ready, 3) == 3);
    execv(argv[0], argv);
    _exit(127);
}

static void run(char *const argv[])
{
    int status = 0;
    pid_t pid = spawn(argv, -1);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void gateway_init(const char *program, const char *dir)
{
    char cloud[5][400], option[] = "--cloud";
    char *argv[32] = { (char *)(uintptr_t)program, (char[]){ "init" }, (char[]){ "--state" }, gateway_dir };
    int n = 4;
    for (int i = 0; i < 5; i++) {
        snprintf(cloud[i], sizeof(cloud[i]), "c%d=file://%s/cloud%d", i + 1, dir, i + 1);
        argv[n++] = option;
        argv[n++] = cloud[i];
    }
    argv[n++] = (char[]){ "--k" };
    argv[n++] = (char[]){ "3" };
    run(argv);
}

static pid_t gateway_serve(const char *program)
{
    int pipefd[2];
    char word[16] = "";
    CHECK(pipe(pipefd) == 0);
    char *argv[] = { (char *)(uintptr_t)program,
                     (char[]){ "serve" },
                     (char[]){ "--state" },
                     gateway_dir,
                     (char[]){ "--idle" },
                     (char[]){ "60" },
                     (char[]){ "--ready-fd" },
                     (char[]){ "3" },
                     NULL };
    pid_t pid = spawn(argv, pipefd[1]);
    close(pipefd[1]);
    CHECK(read(pipefd[0], word, sizeof(word) - 1) >= 5 && strncmp(word, "ready", 5) == 0);
    close(pipefd[0]);
    return pid;
}

static struct vault_gw *connect_gateway(void)
{
    struct qc_err err = { 0 };
    struct vault_gw *gw = NULL;
    int dirfd = open(gateway_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(dirfd >= 0);
    CHECK_OK(vault_gw_http_new(&gw, dirfd, "gateway.sock", &err));
    close(dirfd);
    return gw;
}

static qc_rc real_open(struct rig *r, struct qc_err *err)
{
    struct vault_conf conf = rig_conf(r);
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = connect_gateway();
    vault_close(&r->v);
    return vault_open_session(&r->v, &conf, &gw, &call, err);
}

static void real_new(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_descriptor d = { .k = 3, .n = 5 };
    for (int i = 0; i < 2; i++)
        snprintf(r->share[i], sizeof(r->share[i]), "%s/share%d", r->dir.path, i + 1);
    snprintf(r->state, sizeof(r->state), "%s/state", r->dir.path);
    CHECK(mkdir(r->state, 0700) == 0);
    struct vault_conf conf = rig_conf(r);
    conf.vault = NULL;
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = connect_gateway();
    CHECK_OK(vault_create(r->id, &conf, &d, gw, &call, &err));
    vault_gw_close(&gw);
    CHECK_OK(real_open(r, &err));
}

static qc_rc count(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    (void)err;
    CHECK(s->margin == 2 && s->margin_full == 2);
    ++*(int *)ctx;
    return QC_OK;
}

static void everyday(struct rig *r, uint64_t big)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    struct vault_verify_result verified;
    int n = 0;
    CHECK_OK(rig_put(r, "empty", 0, 1, &err));
    CHECK_OK(rig_put(r, "small", 1000, 2, &err));
    CHECK_OK(rig_put(r, "small", 1001, 3, &err));
    CHECK_OK(rig_put(r, "dir/gone", 10, 4, &err));
    CHECK_OK(rig_put(r, "dir/five", 5 << 20, 5, &err));
    uint64_t t = qc_now_ms();
    CHECK_OK(rig_put(r, "big", big, 6, &err));
    uint64_t put_ms = qc_now_ms() - t;
    t = qc_now_ms();
    CHECK_OK(rig_get(r, "big", big, 6, &err));
    uint64_t get_ms = qc_now_ms() - t;
    printf("%llu MiB: put %llu ms, get %llu ms\n", (unsigned long long)(big >> 20),
           (unsigned long long)put_ms, (unsigned long long)get_ms);
    CHECK_OK(rig_get(r, "empty", 0, 1, &err));
    CHECK_OK(rig_get(r, "small", 1001, 3, &err));
    CHECK_OK(rig_get(r, "dir/five", 5 << 20, 5, &err));
    CHECK_OK(vault_remove(r->v, qc_span_str("dir/gone"), &call, &removed, &err));
    CHECK_RC(rig_get(r, "dir/gone", 10, 4, &err), QC_NOTFOUND);
    CHECK_OK(vault_list(r->v, (qc_span){ 0 }, count, &n, &call, &err));
    CHECK(n == 4);
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, NULL, NULL, &call, &verified, &err));
    CHECK(verified.good == 4 && verified.worst == QC_OK);
    for (size_t i = 0; i < r->notes.n; i++)
        fprintf(stderr, "note: %s %s\n", r->notes.v[i].cloud, r->notes.v[i].text);
    CHECK(r->notes.n == 0);
}

static void losses(struct rig *r, uint64_t big)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result recovered;
    struct vault_put_result put;
    struct rig_pattern p = { .size = 100, .salt = 7 };
    rig_lose(r, "cloud2");
    CHECK_OK(rig_put_from(r, "late", &p, &put, &err));
    CHECK(put.degraded && put.margin == 1 && put.degraded_count == 1);
    CHECK(strcmp(put.degraded_clouds[0], "c2") == 0);
    rig_lose(r, "cloud5");
    vault_close(&r->v);
    rig_lose(r, "share1");
    CHECK_OK(real_open(r, &err));
    CHECK_OK(rig_get(r, "big", big, 6, &err));
    CHECK_OK(rig_get(r, "small", 1001, 3, &err));
    CHECK_OK(rig_get(r, "late", 100, 7, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, 1) && rig_noted(r, VAULT_NOTE_CLOUD, 0));
    CHECK_RC(rig_put(r, "late", 1, 1, &err), QC_SHARES);
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &recovered, &err));
    CHECK(recovered.failed == 0 && recovered.written == recovered.records);
    CHECK_OK(real_open(r, &err));
    CHECK_OK(rig_get(r, "small", 1001, 3, &err));
    rig_lose(r, "cloud1");
    uint64_t at = 0;
    CHECK_RC(rig_get_at(r, "big", big, 6, &at, &err), QC_QUORUM);
    CHECK_RC(rig_put(r, "late", 1, 1, &err), QC_QUORUM);
    CHECK(rig_leftovers(r) == 0);
    vault_close(&r->v);
    rig_lose(r, "share1");
    rig_lose(r, "share2");
    CHECK_RC(real_open(r, &err), QC_SHARES);
}

int main(int argc, char **argv)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct rusage use;
    const char *mib = getenv("QC_BIG_MIB");
    const uint64_t big = (uint64_t)(mib != NULL ? strtoull(mib, NULL, 10) : 70) << 20;
    CHECK(argc == 2 && r != NULL);
    r->dir = qc_tmpdir_new();
    r->rand = qc_rand_start();
    snprintf(gateway_dir, sizeof(gateway_dir), "%s/gateway", r->dir.path);
    gateway_init(argv[1], r->dir.path);
    pid_t gateway = gateway_serve(argv[1]);
    real_new(r);
    everyday(r, big);
    losses(r, big);
    vault_close(&r->v);
    CHECK(getrusage(RUSAGE_SELF, &use) == 0);
    printf("client: %ld MiB resident at most\n", use.ru_maxrss / 1024);
    CHECK(use.ru_maxrss < RESIDENT_MAX_KIB);
    kill(gateway, SIGTERM);
    CHECK(waitpid(gateway, NULL, 0) == gateway);
    vault_notes_done(&r->notes);
    qc_tmpdir_remove(&r->dir);
    free(r);
    return 0;
}
