/* fault/qkd_pads: pad at rest, killed and failing at each step: no byte of pad is used twice, K2 is gone
 * before K1, what is left behind is erased, and work goes on. Every use is recorded in memory that outlives
 * the process. */
#include "qkd/pads.h"

#include <dirent.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "pads_internal.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

enum { BLOCK = QKD_PAD_BLOCK_MIN, USES = 100000, TAKE = 30000 };

static const enum qc_fault_point points[] = {
    QC_FP_pads_k1,    QC_FP_pads_ready,       QC_FP_pads_opening,    QC_FP_pads_opened,
    QC_FP_pads_taken, QC_FP_pads_k2,          QC_FP_pads_spent,      QC_FP_pads_over,
    QC_FP_pads_gone,  QC_FP_file_tmp_written, QC_FP_file_tmp_synced, QC_FP_file_renamed,
};
enum { POINTS = sizeof points / sizeof *points };

/* What was used, by all lives; the first bytes of a use beside its place. */
struct record {
    unsigned uses;
    struct qkd_pad_at at[USES];
    uint8_t pad[USES][16];
};
static struct record *record;
static struct qc_err err;

static struct qkd_pads *opened(const char *dir, int table)
{
    struct qkd_pads *p = NULL;
    CHECK_OK(qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = BLOCK, .table = table }, &err));
    return p;
}

static void note(const struct qkd_pad_at *at, const uint8_t *pad)
{
    CHECK(record->uses < USES);
    record->at[record->uses] = *at;
    memcpy(record->pad[record->uses], pad, 16);
    record->uses++;
}

/* Two blocks come, and as much is taken as there is, twice. true: nothing failed. */
static bool work(const char *dir, int table, struct qc_rand *r)
{
    static uint8_t k0[32 + BLOCK], room[TAKE];
    struct qkd_pads *p = NULL;
    bool well = true;
    if (qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = BLOCK, .table = table }, &err) !=
        QC_OK)
        return false;
    for (unsigned round = 0; round < 2 && well; round++) {
        uint64_t number = 0;
        qc_rc rc = QC_OK;
        for (unsigned i = 0; i < 2 && well; i++) {
            qc_rand_fill(r, k0, sizeof k0);
            well = qkd_pads_fill(p, k0, &number, &err) == QC_OK;
        }
        while (well && rc == QC_OK) {
            struct qkd_pad_at at;
            rc = qkd_pads_take(p, room, TAKE, &at, &err);
            if (rc == QC_OK)
                note(&at, room);
        }
        well = well && rc == QC_TEMP;
    }
    qkd_pads_close(&p);
    return well;
}

static void check_uses(void)
{
    for (unsigned i = 0; i < record->uses; i++)
        for (unsigned k = 0; k < i; k++) {
            const struct qkd_pad_at *a = &record->at[i], *b = &record->at[k];
            CHECK(a->block != b->block || a->offset >= b->offset + b->n || b->offset >= a->offset + a->n);
            CHECK(memcmp(record->pad[i], record->pad[k], 16) != 0); /* nor under another number */
        }
}

/* Nothing is left behind but what the state names as ready. */
static void check_rest(const char *dir, int table)
{
    struct qkd_pads *p = opened(dir, table);
    struct qkd_pads_counts c;
    unsigned files = 0;
    qkd_pads_counts(p, &c);
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        files += strncmp(e->d_name, "seg-", 4) == 0;
        CHECK(strncmp(e->d_name, ".tmp-", 5) != 0);
    }
    closedir(d);
    CHECK(files == c.ready);
    qkd_pads_close(&p);
}

/* K2 live on in the table, or go with the process. */
static void check_point(enum qc_fault_point point, const char *how, unsigned pass, bool handed,
                        struct qc_rand *r)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    const int table = handed ? memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    char script[80];
    int status = 0;
    record->uses = 0;
    snprintf(script, sizeof script, "%s:%s:%u", qc_fault_name(point), how, pass);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        qc_fault_script(script);
        const bool well = work(dir.path, table, r);
        const bool reached = qc_fault_passes(point) >= pass;
        _exit(reached && !well ? 1 : reached ? 2 : 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) ? strcmp(how, "kill") == 0 : WEXITSTATUS(status) != 2);
    CHECK(pass > 1 || WIFSIGNALED(status) || WEXITSTATUS(status) == 1); /* each point is reached */
    check_rest(dir.path, table);
    struct qc_rand other = *r;
    uint8_t skip[8];
    qc_rand_fill(&other, skip, sizeof skip); /* or the next life would have the keys of this one */
    CHECK(work(dir.path, table, &other));
    check_rest(dir.path, table);
    check_uses();
    *r = other;
    if (table >= 0)
        close(table);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    const bool full = getenv("QC_FULL") != NULL;
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(record != MAP_FAILED);
    for (unsigned i = 0; i < POINTS; i++)
        for (unsigned pass = 1; pass <= (full ? 12U : 2U); pass++)
            for (unsigned handed = 0; handed < 2; handed++) {
                if (!full && handed != (i + pass) % 2)
                    continue;
                check_point(points[i], "kill", pass, handed != 0, &r);
                if (full || pass == 1)
                    check_point(points[i], "error", pass, handed != 0, &r);
            }
    return 0;
}
