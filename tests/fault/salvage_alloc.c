/* fault/salvage_alloc: memory that runs out at any allocation of a run ends it, or changes nothing; it is
 * never taken for damage, nothing is left allocated, and no file is half there. */
#include "salvage_rig.h"

#include <fcntl.h>

#include "base/alloc.h"

static struct salvage s;

static bool whole(const char *name, const char *want)
{
    const char *got = rig_read(name);

    CHECK(got == NULL || strcmp(got, want) == 0);
    return got != NULL;
}

/* False: the run met no fault any more. */
static bool one(uint64_t n)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    const struct rig_run run = { .share = { true, n % 3 != 0 }, .kit = n % 2 == 0, .thorough = true };
    const int64_t live = qc_alloc_live();
    struct qc_err err = { 0 };
    int status = 0;

    rig_copy(t.path);
    qc_fault_alloc(n);
    const qc_rc rc = rig_salvage(&run, &s, &status, &err);
    qc_fault_alloc(0);
    if (rc != QC_OK && rc != QC_NOMEM)
        fprintf(stderr, "allocation %llu: %s: %s\n", (unsigned long long)n, qc_rc_name(rc), err.msg);
    CHECK(rc == QC_OK || rc == QC_NOMEM);
    CHECK(qc_alloc_live() == live);
    unsigned there = whole("a/twice", "the newest version") ? 1 : 0;
    there += whole("empty", "") ? 1 : 0;
    there += rig_read("a/b/some bytes") != NULL ? 1 : 0;
    if (rc == QC_OK && (s.counts.wrong > 0 || status != 0 || there != 3))
        fprintf(stderr, "allocation %llu: %llu wrong, status %d, %u files\n", (unsigned long long)n,
                (unsigned long long)s.counts.wrong, status, there);
    CHECK(rc != QC_OK || (s.counts.wrong == 0 && status == 0 && there == 3));
    return rc == QC_NOMEM;
}

int main(void)
{
    const bool full = getenv("QC_FULL") != NULL;
    unsigned runs = 0;
    uint64_t last = 0;

    rig_start();
    CHECK(freopen("/dev/null", "w", stdout) != NULL);
    /* An early allocation fails in each run; later ones, of which there are thousands, by growing steps. */
    for (uint64_t n = 1; n < 200000; n += full || n < 30 ? 1 : 1 + n / 12) {
        runs++;
        if (one(n))
            last = n;
        else if (n > last + last / 4 +
                         40) /* some failures are borne: a few runs in a row without one are the end */
            break;
    }
    fprintf(stderr, "%u runs, the last allocation that ended one was %llu\n", runs, (unsigned long long)last);
    CHECK(last > 200);
    return 0;
}
