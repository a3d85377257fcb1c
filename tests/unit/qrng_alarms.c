/* unit/qrng_alarms: alarms that outlive the process: three within an hour shut a source off for all that come
 * after, a person lets it in again; several processes lose none; a damaged record is no record of health. */
#include "alarms.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feed.h"
#include "qc_check.h"
#include "qc_tmpdir.h"
#include "qrng/qrng.h"

static char dir[300];

static void rule(void)
{
    struct qrng_alarms a = { 0 };
    CHECK(!qrng_alarms_shut(&a));
    qrng_alarms_note(&a, 1000);
    qrng_alarms_note(&a, 2000);
    CHECK(!qrng_alarms_shut(&a));
    qrng_alarms_note(&a, 4600); /* an hour after the first */
    CHECK(!qrng_alarms_shut(&a));
    qrng_alarms_note(&a, 5599); /* 3,599 s after the second */
    CHECK(qrng_alarms_shut(&a) && a.at_s[0] == 5599 && a.at_s[2] == 2000);
    qrng_alarms_note(&a, 900000); /* time lets nothing in again, nor does another alarm */
    CHECK(qrng_alarms_shut(&a) && a.at_s[0] == 5599);
    struct qrng_alarms back = { .at_s = { 100, 5000, 4000 } }; /* the clock went back */
    CHECK(qrng_alarms_shut(&back));
}

static void text(void)
{
    static const char *const bad[] = { "",
                                       "qcloud-alarms 1",
                                       "qcloud-alarms 1 0 0 0",
                                       "qcloud-alarms 1 0 0\n",
                                       "qcloud-alarms 1 0 0 0 0\n",
                                       "qcloud-alarms 1 01 0 0\n",
                                       "qcloud-alarms 1 -1 0 0\n",
                                       "qcloud-alarms 2 0 0 0\n",
                                       "qcloud-alarms 1 99999999999999999999 0 0\n",
                                       "qcloud-alarms 1 253402300800 0 0\n", /* the year 10000 */
                                       "qcloud-alarms 1 0 0 0\n\n" };
    struct qc_err err = { 0 };
    struct qrng_alarms a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_RC(qrng_alarms_parse(qc_span_str(bad[i]), &a, &err), QC_FORMAT);
    CHECK_OK(qrng_alarms_parse(QC_LIT("qcloud-alarms 1 7 0 0\n"), &a, &err));
    CHECK(a.at_s[0] == 7 && a.at_s[1] == 0);
}

/* Two by a child each, at once, and one here: none is lost. */
static void together(struct qrng_conf *c)
{
    struct qc_err err = { 0 };
    struct qrng_alarms a;
    int64_t since = 0;
    for (int i = 0; i < 2; i++) {
        const pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(qrng_alarms_add(dir, "lab", 5000 + i, &a, &err) == QC_OK ? 0 : 1);
    }
    CHECK_OK(qrng_alarms_add(dir, "lab", 5010, &a, &err));
    for (int i = 0; i < 2; i++) {
        int status = 0;
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK_OK(qrng_alarms_load(dir, "lab", &a, &err));
    CHECK(qrng_alarms_shut(&a));
    CHECK_OK(qrng_source_shut(c, "lab", &since, &err));
    CHECK(since >= 5000 && since <= 5010);
    CHECK_OK(qrng_source_shut(c, "other", &since, &err));
    CHECK(since == 0);
}

static qc_rc draw(const struct qrng_source_conf *conf, struct qc_err *err)
{
    struct qrng_feed *f = NULL;
    uint8_t p[32];
    CHECK(qrng_feed_new(&f, conf, dir, err) == QC_OK);
    const qc_rc rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), err);
    qrng_feed_free(&f);
    return rc;
}

static const struct qrng_source_conf lab = { .kind = QRNG_KIND_COMMAND,
                                             .mbit = 6000,
                                             .stall_ms = 20000,
                                             .pool = 1024,
                                             .name = "lab",
                                             .path = "/bin/cat /dev/urandom" };

/* A source in health is not even opened while it is shut off; three draws from a stuck one shut it off. */
static void feeds(struct qrng_conf *c)
{
    struct qc_err err = { 0 };
    struct qrng_source_conf conf = lab;
    CHECK(draw(&conf, &err) == QC_RANDOM && strstr(err.msg, "shut off until it is enabled") != NULL &&
          strstr(err.msg, "the last at 1970-01-01T01:23") != NULL);
    CHECK_OK(qrng_source_enable(c, "lab", &err));
    CHECK_OK(draw(&conf, &err));
    snprintf(conf.path, sizeof conf.path, "%s", "/bin/cat /dev/zero");
    /* Or fewer, where a draw waited for longer than the pause before the next trial. */
    for (int i = 0; i < 3; i++)
        CHECK(draw(&conf, &err) == QC_RANDOM);
    CHECK(strstr(err.msg, "shut off") != NULL);
    snprintf(conf.path, sizeof conf.path, "%s", "/bin/cat /dev/urandom");
    CHECK(draw(&conf, &err) == QC_RANDOM && strstr(err.msg, "three health alarms") != NULL);
    CHECK_OK(qrng_source_enable(c, "lab", &err));
    CHECK_OK(draw(&conf, &err));
    snprintf(conf.path, sizeof conf.path, "%s", "/bin/false"); /* no alarm: however often it is gone */
    for (int i = 0; i < 4; i++)
        CHECK(draw(&conf, &err) == QC_RANDOM && strstr(err.msg, "shut off") == NULL);
}

static void damaged(struct qrng_conf *c)
{
    struct qc_err err = { 0 };
    struct qrng_source_conf conf = lab;
    char path[400];
    int64_t since = 0;
    snprintf(path, sizeof path, "%s/lab", dir);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("qcloud-alarms 1 0 0 0", file) >= 0 && fclose(file) == 0);
    CHECK(draw(&conf, &err) == QC_RANDOM && strstr(err.msg, "damaged") != NULL);
    CHECK_RC(qrng_source_shut(c, "lab", &since, &err), QC_FORMAT);
    CHECK_OK(qrng_source_enable(c, "lab", &err));
    CHECK_OK(draw(&conf, &err));
}

int main(void)
{
    static struct qrng_conf c;
    struct qc_tmpdir t = qc_tmpdir_new();
    snprintf(dir, sizeof dir, "%s/state/random", t.path);
    CHECK(mkdir(t.path, 0700) == 0 || errno == EEXIST);
    qrng_conf_init(&c);
    snprintf(c.alarms, sizeof c.alarms, "%s", dir);
    rule();
    text();
    together(&c);
    feeds(&c);
    damaged(&c);
    qc_tmpdir_remove(&t);
    return 0;
}
