/* unit/qrng_file: pre-loaded files. Bytes come once, in order, over processes and files; what was used is
 * gone from the file; a kill at each fault point, and at random instants, never gives a byte twice (each use
 * is recorded); a copy that is put back, a cut file, a foreign one, a damaged position are refused. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "position.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "raw.h"

enum { BLOCK = QC_QRNG_FILE_BLOCK, BLOCKS = 12, ROOM = BLOCKS * BLOCK };

static char dir[256], apart[300];
static bool read_only;
static uint8_t content[ROOM + 100];
static struct qc_rand r;

static void path_of(const char *name, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s", dir, name);
}

static void write_file(const char *name, const uint8_t *p, size_t n)
{
    char path[400];
    path_of(name, path, sizeof path);
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0 && chmod(path, 0600) == 0);
}

static void read_back(const char *name, uint8_t *p, size_t n)
{
    char path[400];
    path_of(name, path, sizeof path);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL && fread(p, 1, n, f) == n && fclose(f) == 0);
}

static void drop(const char *name)
{
    char path[400];
    path_of(name, path, sizeof path);
    CHECK(unlink(path) == 0);
}

static struct qrng_source_conf conf_of(const char *name)
{
    struct qrng_source_conf c = {
        .name = "f", .kind = QRNG_KIND_FILE, .mbit = 7000, .stall_ms = 200, .pool = 1024
    };
    if (read_only)
        snprintf(c.position, sizeof c.position, "%s", apart);
    snprintf(c.path, sizeof c.path, "%s%s%s", dir, name[0] == '\0' ? "" : "/", name);
    return c;
}

/* n bytes by a source that is opened for them alone. */
static qc_rc take(const char *name, uint8_t *p, size_t n, uint64_t *left, struct qc_err *err)
{
    struct qrng_raw raw = { 0 };
    const struct qrng_source_conf conf = conf_of(name);
    QC_TRY(qrng_raw_open(&raw, &conf, err));
    const qc_rc rc = raw.ops->read(raw.ctx, p, n, NULL, err);
    if (left != NULL)
        *left = raw.ops->left(raw.ctx);
    qrng_raw_close(&raw);
    return rc;
}

static void in_order(void)
{
    struct qc_err err = { 0 };
    static uint8_t got[ROOM], after[sizeof content];
    uint64_t left = 0;
    write_file("a", content, sizeof content);
    CHECK_OK(take("a", got, 100, &left, &err)); /* of the first block; the rest of it is lost */
    CHECK(memcmp(got, content, 100) == 0 && left == ROOM - BLOCK);
    CHECK_OK(take("a", got, BLOCK + 1, &left, &err));
    CHECK(memcmp(got, content + BLOCK, BLOCK + 1) == 0 && left == ROOM - 3 * BLOCK);
    read_back("a", after, sizeof content); /* erased behind it, and as it was before it */
    for (size_t i = 0; i < 3 * BLOCK; i++)
        CHECK(after[i] == 0);
    CHECK(memcmp(after + 3 * BLOCK, content + 3 * BLOCK, sizeof content - 3 * BLOCK) == 0);
    CHECK_OK(take("a", got, ROOM - 3 * BLOCK, &left, &err));
    CHECK(memcmp(got, content + 3 * BLOCK, ROOM - 3 * BLOCK) == 0 && left == 0);
    CHECK(take("a", got, 1, &left, &err) == QC_RANDOM &&
          strstr(err.msg, "all of its bytes are used") != NULL);
    drop("a");
    drop("a.qcloud-position");
}

/* b, then c; a file that comes later is found, and a name that ends like a position is none. */
static void in_a_row(void)
{
    struct qc_err err = { 0 };
    static uint8_t got[4 * BLOCK], second[2 * BLOCK];
    uint64_t left = 0;
    qc_rand_fill(&r, second, sizeof second);
    write_file("b", content, 2 * BLOCK);
    write_file("c", second, sizeof second);
    CHECK_OK(take("", got, 10, &left, &err));
    CHECK(left == 3 * BLOCK && memcmp(got, content, 10) == 0);
    CHECK_OK(take("", got, BLOCK + 5, &left, &err)); /* across the end of the first */
    CHECK(memcmp(got, content + BLOCK, BLOCK) == 0 && memcmp(got + BLOCK, second, 5) == 0 && left == BLOCK);
    CHECK_OK(take("", got, BLOCK, NULL, &err));
    CHECK(take("", got, 1, NULL, &err) == QC_RANDOM);
    write_file("d", content, BLOCK);
    CHECK_OK(take("", got, BLOCK, NULL, &err));
    CHECK(memcmp(got, content, BLOCK) == 0);
    for (char name[] = "b"; name[0] <= 'd'; name[0]++) {
        char position[40];
        drop(name);
        snprintf(position, sizeof position, "%s.qcloud-position", name);
        drop(position);
    }
}

static void refused(const char *why)
{
    struct qc_err err = { 0 };
    uint8_t p[16];
    CHECK(take("a", p, sizeof p, NULL, &err) == QC_RANDOM);
    if (strstr(err.msg, why) == NULL) {
        fprintf(stderr, "%s: %s\n", why, err.msg);
        exit(1);
    }
}

static void refusals(void)
{
    struct qc_err err = { 0 };
    static uint8_t got[3 * BLOCK];
    char path[400];
    path_of("a", path, sizeof path);
    write_file("a", content, ROOM);
    CHECK_OK(take("a", got, sizeof got, NULL, &err));
    write_file("a", content, ROOM); /* the copy from before */
    refused("copy of a used file");
    write_file("a", content, ROOM - BLOCK);
    refused("its position is of a file of");
    drop("a.qcloud-position");
    CHECK(chmod(path, 0644) == 0);
    refused("");
    CHECK(chmod(path, 0600) == 0);
    write_file("a.qcloud-position", (const uint8_t *)"qcloud-position 1 0 0 00000000\n", 31);
    refused("damaged");
    drop("a.qcloud-position");
    drop("a");
    CHECK(mkfifo(path, 0600) == 0);
    refused("no regular file");
    drop("a");
    refused("");
    write_file("a", content, BLOCK - 1);
    refused("all of its bytes are used");
    drop("a");
}

/* The position is lost: the zeros tell. */
static void lost_position(void)
{
    struct qc_err err = { 0 };
    static uint8_t got[2 * BLOCK];
    write_file("a", content, ROOM);
    CHECK_OK(take("a", got, sizeof got, NULL, &err));
    drop("a.qcloud-position");
    CHECK_OK(take("a", got, 64, NULL, &err));
    CHECK(memcmp(got, content + 2 * BLOCK, 64) == 0);
    drop("a.qcloud-position");
    drop("a");
}

static void locked(void)
{
    struct qc_err err = { 0 };
    char path[400];
    uint8_t p[16];
    path_of("a", path, sizeof path);
    write_file("a", content, ROOM);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct timespec pause = { .tv_nsec = 80000000 };
        struct qc_fd fd = { 0 };
        CHECK_OK(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY, 0, &err));
        CHECK(flock(qc_fd_get(&fd), LOCK_EX) == 0);
        nanosleep(&pause, NULL);
        _exit(0);
    }
    CHECK(pid > 0);
    CHECK_OK(take("a", p, sizeof p, NULL,
                  &err)); /* waits its turn; see the crash test for who is not waited for */
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    drop("a.qcloud-position");
    drop("a");
}

/* A file that repeats itself, or is empty from some place on, is refused before any of it is used. */
static void broken_files(void)
{
    struct qc_err err = { 0 };
    static uint8_t big[64 * BLOCK], again[sizeof big], got[64];
    char path[400];
    qc_rand_fill(&r, big, sizeof big);
    for (size_t i = 5000; i < sizeof big; i++)
        big[i] = big[i - 5000];
    write_file("a", big, sizeof big);
    CHECK(take("a", got, sizeof got, NULL, &err) == QC_RANDOM &&
          strstr(err.msg, "bytes that came before") != NULL);
    read_back("a", again, sizeof again);
    CHECK(memcmp(big, again, sizeof big) == 0);
    path_of("a.qcloud-position", path, sizeof path);
    CHECK(access(path, F_OK) != 0);
    qc_rand_fill(&r, big, sizeof big);
    memset(big + 40 * BLOCK, 0, BLOCK); /* a hole in the middle */
    write_file("a", big, sizeof big);
    CHECK(take("a", got, sizeof got, NULL, &err) == QC_RANDOM && strstr(err.msg, "repetition count") != NULL);
    drop("a");
}

/* --- The crash test ---
 *
 * A child uses the file block by block, and writes down each use (the block's number, which its bytes tell)
 * before the next. It is killed at a fault point, or at a random instant. The next child goes on. No block is
 * written down twice, and none comes after a later one. A block may be lost; how many is told. */

static void child(int log, const char *fault)
{
    struct qc_err err = { 0 };
    static uint8_t p[BLOCK];
    struct qrng_raw raw = { 0 };
    struct qrng_source_conf conf = conf_of("a");
    conf.stall_ms = 60000; /* for its turn */
    qc_fault_script(fault);
    if (qrng_raw_open(&raw, &conf, &err) != QC_OK)
        _exit(3);
    while (raw.ops->read(raw.ctx, p, sizeof p, NULL, &err) == QC_OK)
        if (write(log, p, 4) != 4)
            _exit(4);
    _exit(strstr(err.msg, "all of its bytes are used") != NULL ? 0 : 5);
}

static off_t size_of(int fd)
{
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    return st.st_size;
}

/* So long, and in every other life from the child's next use on: a machine that stalls it gets on all the
 * same.
 */
static void pause_us(int log, pid_t pid, uint64_t us)
{
    const struct timespec pause = { .tv_nsec = (long)us * 1000 }, look = { .tv_nsec = 1000000 };
    const off_t before = size_of(log);
    siginfo_t info = { .si_pid = 0 };
    for (bool wait = us % 2 == 0; wait && size_of(log) == before; nanosleep(&look, NULL)) {
        CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
        wait = info.si_pid == 0; /* it has not ended */
    }
    nanosleep(&pause, NULL);
}

/* Runs a child until it is killed or done; true: done. */
static bool one_life(int log, const char *fault, uint64_t kill_after_us)
{
    int status = 0;
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child(log, fault);
    if (kill_after_us > 0) {
        pause_us(log, pid, kill_after_us);
        kill(pid, SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

enum { MARK = 0x2b000000 }; /* and a block's number, at its begin */

/* A file of so many blocks, and the log; returns the log. */
static int marked_file(unsigned blocks)
{
    static uint8_t big[64 * BLOCK];
    char path[400];
    CHECK(blocks * BLOCK <= sizeof big);
    qc_rand_fill(&r, big, sizeof big);
    for (unsigned i = 0; i < blocks; i++)
        qc_put_be(big + (size_t)i * BLOCK, MARK + i, 4);
    write_file("a", big, (size_t)blocks * BLOCK);
    path_of("log", path, sizeof path);
    const int log = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    CHECK(log >= 0);
    return log;
}

static void crash(bool random)
{
    static const char *const faults[] = { "qrng_file_reserved:kill:2", "qrng_file_erased:kill:2",
                                          "file_tmp_written:kill:2", "file_tmp_synced:kill:1",
                                          "file_renamed:kill:2" };
    const unsigned blocks = 64;
    char path[400];
    unsigned lives = 0;
    const int log = marked_file(blocks);
    for (bool done = false; !done; lives++) {
        const char *fault = random || lives % 6 == 5 ? "" : faults[lives % 5];
        done = one_life(log, fault, random ? qc_rand_between(&r, 1000, 30000) : 0);
        CHECK(lives < 2000);
        if (!random && lives % 6 == 5)
            break; /* the sixth was let to the end */
    }
    uint8_t use[4];
    unsigned used = 0;
    uint64_t last = 0;
    for (off_t at = 0; pread(log, use, 4, at) == 4; at += 4, used++) {
        const uint64_t which = qc_get_be(use, 4);
        CHECK(which > last && which >= MARK && which < MARK + (uint64_t)blocks); /* no block twice */
        last = which;
    }
    printf("%s kills: %u lives used %u of %u blocks, none twice\n", random ? "random" : "planned", lives,
           used, blocks);
    CHECK(used > (random ? 3 : blocks / 4));
    close(log);
    drop("log");
    drop("a");
    snprintf(path, sizeof path, "%s/a.qcloud-position", read_only ? apart : dir);
    CHECK(unlink(path) == 0);
}

/* Two processes at a time use the file, and are killed at random instants: no block comes twice, to one of
 * them or to both. */
static void crash_together(void)
{
    enum { BLOCKS_HERE = 24, AT_ONCE = 2 };
    bool seen[BLOCKS_HERE] = { false }, done = false;
    unsigned lives = 0, used = 0;
    uint8_t use[4];
    const int log = marked_file(BLOCKS_HERE);
    for (; !done; lives += AT_ONCE) {
        pid_t pid[AT_ONCE];
        for (unsigned i = 0; i < AT_ONCE; i++) {
            pid[i] = fork();
            CHECK(pid[i] >= 0);
            if (pid[i] == 0)
                child(log, "");
        }
        pause_us(log, pid[0], qc_rand_between(&r, 1000, 30000));
        done = true;
        for (unsigned i = 0; i < AT_ONCE; i++) {
            int status = 0;
            kill(pid[i], SIGKILL);
            CHECK(waitpid(pid[i], &status, 0) == pid[i]);
            CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
            done = done && WIFEXITED(status);
        }
        CHECK(lives < 4000);
    }
    for (off_t at = 0; pread(log, use, 4, at) == 4; at += 4, used++) {
        const uint64_t which = qc_get_be(use, 4) - MARK;
        CHECK(which < BLOCKS_HERE && !seen[which]);
        seen[which] = true;
    }
    printf("two at a time: %u lives used %u of %u blocks, none twice\n", lives, used, (unsigned)BLOCKS_HERE);
    CHECK(used > 3);
    close(log);
    drop("log");
    drop("a");
    drop("a.qcloud-position");
}

/* Media that cannot be written: bytes come once all the same, by the position alone. */
static void on_read_only(void)
{
    struct qc_err err = { 0 };
    static uint8_t got[3 * BLOCK], after[ROOM];
    uint64_t left = 0;
    char path[400];
    read_only = true;
    write_file("a", content, ROOM);
    CHECK_OK(take("a", got, sizeof got, &left, &err));
    CHECK(memcmp(got, content, sizeof got) == 0 && left == ROOM - sizeof got);
    CHECK_OK(take("a", got, 64, &left, &err));
    CHECK(memcmp(got, content + 3 * BLOCK, 64) == 0);
    read_back("a", after, sizeof after);
    CHECK(memcmp(after, content, sizeof after) == 0);
    path_of("a.qcloud-position", path, sizeof path);
    CHECK(access(path, F_OK) != 0);
    drop("a");
    snprintf(path, sizeof path, "%s/a.qcloud-position", apart);
    CHECK(unlink(path) == 0);
    crash(false);
    read_only = false;
}

static void position(void)
{
    struct qc_err err = { 0 };
    struct qrng_position p = { 0 };
    static const char *const bad[] = { "",
                                       "qcloud-position 1 ",
                                       "qcloud-position 1 5 0 ",
                                       "qcloud-position 2 0 0 00000000\n",
                                       "qcloud-position 1 00 0 00000000\n",
                                       "qcloud-position 1 99999999999999999999 0 0\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(qrng_position_parse(qc_span_str(bad[i]), &p, &err), QC_FORMAT);
    CHECK(qrng_position_is_name("a.qcloud-position") && !qrng_position_is_name(".qcloud-position") &&
          !qrng_position_is_name("a"));
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir place = qc_tmpdir_new();
    snprintf(dir, sizeof dir, "%s", place.path);
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir other = qc_tmpdir_new();
    snprintf(apart, sizeof apart, "%s", other.path);
    r = qc_rand_start();
    qc_rand_fill(&r, content, sizeof content);
    position();
    in_order();
    in_a_row();
    refusals();
    lost_position();
    locked();
    broken_files();
    crash(false);
    on_read_only();
    crash_together();
    for (uint64_t i = 0; i < qc_rand_cases(1, 40); i++)
        crash(true);
    return 0;
}
