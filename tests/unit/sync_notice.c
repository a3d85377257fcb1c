/* unit/sync_notice: a change below any folder that a look has walked through is noticed, also one behind the
 * look's back; a look that broke off changes nothing; a folder that is not there counts as none that is not
 * watched. */
#include "sync/notice.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_tmpdir tmp;

static const char *at(const char *name)
{
    static char path[4][600];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", tmp.path, name);
    return p;
}

static void touch(const char *name)
{
    const int fd = open(at(name), O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
}

static bool changed(struct sync_notice *n, uint64_t ms)
{
    struct qc_err err = { 0 };
    struct sync_noticed seen;
    CHECK_OK(sync_notice_wait(n, ms, &seen, &err));
    CHECK(!seen.overflow && !seen.unmounted);
    return seen.changed;
}

static void look(struct sync_notice *n, bool whole)
{
    sync_notice_begin(n);
    sync_notice_folder(n, tmp.path);
    sync_notice_folder(n, at("a"));
    sync_notice_folder(n, at("none"));
    sync_notice_end(n, whole);
}

int main(void)
{
    QC_CLEANUP(sync_notice_done) struct sync_notice n = { 0 };
    tmp = qc_tmpdir_new();
    CHECK(mkdir(at("a"), 0700) == 0);
    CHECK(!changed(&n, 1)); /* nothing is watched yet */
    look(&n, false);
    touch("a/1");
    CHECK(!changed(&n, 1));
    look(&n, true);
    CHECK(n.folders == 3 && n.unwatched == 0 && !changed(&n, 1));
    touch("a/2");
    CHECK(changed(&n, 1000) && !changed(&n, 1));
    sync_notice_begin(&n);
    sync_notice_folder(&n, at("a"));
    touch("a/3"); /* while the look goes on: the new one has it as well as the old */
    sync_notice_end(&n, true);
    CHECK(n.folders == 1 && changed(&n, 1000));
    CHECK(rename(at("a"), at("b")) == 0 && changed(&n, 1000));
    qc_tmpdir_remove(&tmp);
    return 0;
}
