/* bench_xor23_disk: store by xor23 where the shares of three sites and the pads of their links are on one
 * disk: each byte of data writes three bytes of shares, reads three of pad and erases them where they lay.
 * Beside it what the disk can do of the same, in the same round: as many bytes read, written over in place,
 * and written to new files, directly and in MiB, and synced: one kind after the other by a thread for each
 * site, and all at once by two for each. The faster of both is the disk's.
 *
 * In: vault_xor23_share, frames of net/otp.h, pools of pad at rest (qkd/pads.h: K1 on disk under AES,
 * verified, erased), shares as objects of 16 MiB of a directory cloud (cloud/), written past the page cache.
 * Out: sockets, the seal of each site's own vault, the pads of the other ends.
 *
 * JSON lines: {"name":"round",..} for each, then {"name":"disk","gbit_per_s":..,"model":..,"ratio":..}:
 * medians, of data. Usage: bench_xor23_disk MIB ROUNDS DIR (which is empty; seven times MIB of room)
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/key.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/workq.h"
#include "cloud/cloud.h"
#include "net/otp.h"
#include "qkd/pads.h"
#include "sharing.h"

enum { MIB = 1 << 20, MOST = 99, SITES = SHARING_SITES, SEGMENT = 16 * MIB, BLOCK = 16 * MIB, BUFFERS = 2 };

static struct qc_err err;
static struct sharing all;
static const char *top;

struct site;
struct job {
    struct site *s;
    uint8_t *p;
    size_t n;
    unsigned number;
};
struct site {
    struct qkd_pads *pads;
    struct cloud *cloud;
    struct qc_pool *buffers;
    struct qc_workq *writer;
    struct job job[BUFFERS];
    unsigned next;
    struct handoff *shares; /* its letter's */
    char dir[2][256];       /* pads, cloud */
};
static struct site sites[SITES];

/* -- the pool's pad, as qcloud-link has it --------------------------------------------------------------- */

static qc_rc pad_where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *e)
{
    struct qkd_pads *p = ctx;
    uint64_t block = 0;
    uint32_t offset = 0;
    while (qkd_pads_at(p, &block, &offset)) {
        if (BLOCK - offset >= least) {
            *ret_at = (block - 1) * BLOCK + offset;
            *ret_left = BLOCK - offset;
            return QC_OK;
        }
        QC_TRY(qkd_pads_burn(p, block + 1, e));
    }
    return QC_FAIL(e, QC_TEMP, "no pad is left");
}

static qc_rc pad_take(void *ctx, uint8_t *room, size_t n, struct qc_err *e)
{
    for (size_t done = 0; done < n;) {
        struct qkd_pad_at at;
        QC_TRY(qkd_pads_take(ctx, room + done, n - done, &at, e));
        done += at.n;
    }
    return QC_OK;
}

/* -- a site's threads: one seals, one writes ------------------------------------------------------------- */

static void write_job(void *arg)
{
    struct job *j = arg;
    struct qc_err e = { 0 };
    char key[32];
    const struct cloud_op op = { .cancel = NULL };
    const qc_span part = qc_span_of(j->p, j->n);
    snprintf(key, sizeof key, "f/%u", j->number);
    CHECK_OK(cloud_put(j->s->cloud, key, &part, 1, CLOUD_REPLACE, &op, &e));
    qc_pool_give(j->s->buffers, &j->p);
}

static void submit(struct site *s, uint8_t *p, size_t n)
{
    struct qc_err e = { 0 };
    struct job *j = &s->job[s->next % BUFFERS]; /* whose buffer was given back: there is no other */
    *j = (struct job){ s, p, n, s->next++ };
    CHECK_OK(qc_workq_submit(s->writer, write_job, j, QC_NO_DEADLINE, &e));
}

static void seal_all(struct net_otp *o, const uint8_t *p, size_t n, uint8_t *frame)
{
    for (size_t at = 0; at < n;) {
        size_t taken = 0, unused = 0;
        struct qc_err e = { 0 };
        CHECK_OK(net_otp_seal(o, NET_OTP_DATA, qc_span_of(p + at, n - at), frame, &taken, &unused, &e));
        at += taken;
    }
}

/* Waits for what is erased behind: whole blocks below the one that is open. */
static void erased(struct qkd_pads *p)
{
    struct qc_err e = { 0 };
    uint64_t block = 0;
    uint32_t offset = 0;
    CHECK(qkd_pads_at(p, &block, &offset));
    CHECK_OK(qkd_pads_burn(p, block, &e));
}

static void *sender(void *arg)
{
    struct site *s = arg;
    struct qc_err e = { 0 };
    struct net_otp *o = NULL;
    static _Thread_local uint8_t frame[NET_OTP_FRAME_MAX];
    pair_pin(1);
    CHECK_OK(net_otp_new(
        &o, &(struct net_otp_conf){ .pad = { .ctx = s->pads, .where = pad_where, .take = pad_take } }, &e));
    for (size_t got = 1; got > 0;) {
        uint8_t *segment = NULL;
        size_t n = 0;
        CHECK_OK(qc_pool_take(s->buffers, QC_NO_DEADLINE, &segment, &e));
        for (; n < SEGMENT && got > 0; n += got) {
            const size_t room = SEGMENT - n < MIB ? SEGMENT - n : MIB;
            CHECK_OK(handoff_take(s->shares, segment + n, room, &got, &e));
            seal_all(o, segment + n, got, frame);
        }
        submit(s, segment, n);
    }
    qc_workq_drain(s->writer);
    erased(s->pads);
    net_otp_free(&o);
    return NULL;
}

static void store(void)
{
    void *arg[SITES];
    for (unsigned i = 0; i < SITES; i++) {
        arg[i] = &sites[i];
        sites[i].shares = &all.to[i];
    }
    sharing_run(&all, sender, arg);
}

/* -- what the disk can do -------------------------------------------------------------------------------- */

enum way { READ, OVER, READ_OVER, WRITE };

struct pass {
    unsigned site;
    enum way way;
    pthread_t thread;
};

static void *pass(void *arg)
{
    const struct pass *p = arg;
    char name[300];
    uint8_t *block = aligned_alloc(4096, MIB);
    CHECK(block != NULL);
    memset(block, 0x5a, MIB);
    snprintf(name, sizeof name, "%s/model-%u-%u", top, p->site, p->way == WRITE ? 1U : 0U);
    const int fd = open(name, O_RDWR | O_DIRECT | O_CLOEXEC | (p->way == WRITE ? O_CREAT | O_EXCL : 0), 0600);
    CHECK(fd >= 0);
    for (size_t at = 0; at < all.size; at += MIB) {
        if (p->way == READ || p->way == READ_OVER)
            CHECK(pread(fd, block, MIB, (off_t)at) == MIB);
        if (p->way != READ)
            CHECK(pwrite(fd, block, MIB, (off_t)at) == MIB);
    }
    CHECK(p->way == READ || fdatasync(fd) == 0);
    close(fd);
    free(block);
    return NULL;
}

/* By a thread for each site and way. */
static double model_pass(const enum way *ways, unsigned count)
{
    struct pass p[2 * SITES];
    const uint64_t start = qc_now_ns();
    for (unsigned i = 0; i < count * SITES; i++) {
        p[i] = (struct pass){ .site = i % SITES, .way = ways[i / SITES] };
        CHECK(pthread_create(&p[i].thread, NULL, pass, &p[i]) == 0);
    }
    for (unsigned i = 0; i < count * SITES; i++)
        CHECK(pthread_join(p[i].thread, NULL) == 0);
    return (double)(qc_now_ns() - start);
}

static void model_files(bool make)
{
    for (unsigned i = 0; i < SITES; i++)
        for (unsigned k = 0; k < 2; k++) {
            char name[300];
            snprintf(name, sizeof name, "%s/model-%u-%u", top, i, k);
            (void)unlink(name);
            if (!make || k == 1)
                continue;
            uint8_t *block = aligned_alloc(4096, MIB);
            const int fd = open(name, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
            CHECK(block != NULL && fd >= 0);
            memset(block, 0xa5, MIB);
            for (size_t at = 0; at < all.size; at += MIB)
                CHECK(write(fd, block, MIB) == MIB);
            CHECK(fsync(fd) == 0 && close(fd) == 0);
            free(block);
        }
}

static double model(void)
{
    static const enum way in_turn[] = { READ, OVER, WRITE }, at_once[] = { READ_OVER, WRITE };
    double turns = 0;
    model_files(true);
    for (unsigned i = 0; i < 3; i++)
        turns += model_pass(&in_turn[i], 1);
    model_files(true);
    const double once = model_pass(at_once, 2);
    model_files(false);
    return once < turns ? once : turns;
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

/* Blocks that were just written are read from the disk, not from the page cache. */
static void forget_cache(const char *dir)
{
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        const int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && strncmp(e->d_name, "seg-", 4) == 0)
            CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
        if (fd >= 0)
            close(fd);
    }
    closedir(d);
}

static void open_site(struct site *s, unsigned i)
{
    char url[300];
    snprintf(s->dir[0], sizeof s->dir[0], "%s/pads-%u", top, i);
    snprintf(s->dir[1], sizeof s->dir[1], "%s/cloud-%u", top, i);
    snprintf(url, sizeof url, "file://%s", s->dir[1]);
    CHECK_OK(qkd_pads_open(&s->pads, &(struct qkd_pads_opts){ .dir = s->dir[0], .block = BLOCK, .table = -1 },
                           &err));
    CHECK(mkdir(s->dir[1], 0700) == 0);
    CHECK_OK(cloud_create(url, &err));
    CHECK_OK(cloud_open(&s->cloud, url, &err));
    CHECK_OK(qc_pool_new(&s->buffers, BUFFERS, SEGMENT, 4096, &err));
    CHECK_OK(qc_workq_new(&s->writer, 1, BUFFERS, &err));
}

static void fill_site(struct site *s, unsigned salt)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret k0 = { 0 };
    const size_t file = vault_xor23_file_size(all.size);
    const size_t need = (file + file / NET_OTP_BODY_MAX * NET_OTP_KEY * 2) / (BLOCK - MIB) + 2;
    struct qkd_pads_counts c;
    CHECK_OK(qc_secret_new(&k0, 32 + BLOCK, &err));
    for (qkd_pads_counts(s->pads, &c); c.ready < need; qkd_pads_counts(s->pads, &c)) {
        uint8_t key[32] = { (uint8_t)salt, (uint8_t)c.next };
        uint64_t number = 0;
        memset(k0.p, 0, 32 + BLOCK);
        CHECK_OK(qc_aes256_ctr_xor(qc_span_of(key, sizeof key), 0, k0.p, 32 + BLOCK, &err));
        CHECK_OK(qkd_pads_fill(s->pads, k0.p, &number, &err));
    }
    forget_cache(s->dir[0]);
    s->next = 0;
}

static void tell(const char *name, double rate, double model_rate, double ratio, double cores)
{
    printf("{\"name\":\"%s\",\"gbit_per_s\":%.3f,\"model\":%.3f,\"ratio\":%.3f,\"two_cores\":%.3f}\n", name,
           rate, model_rate, ratio, cores);
}

int main(int argc, char **argv)
{
    static double rate[MOST], of_model[MOST], ratio[MOST], cores[MOST];
    const unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    const unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    CHECK(argc == 4 && mib > 0 && rounds > 0 && rounds <= MOST);
    top = argv[3];
    sharing_new(&all, mib * MIB);
    for (unsigned i = 0; i < SITES; i++)
        open_site(&sites[i], i);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < SITES; i++)
            fill_site(&sites[i], i);
        const struct spent start = sharing_spent();
        store();
        const struct sharing_rate ours = sharing_rate(&all, start);
        rate[r] = ours.clock;
        cores[r] = ours.cores;
        of_model[r] = (double)all.size * 8 / model();
        ratio[r] = rate[r] / of_model[r];
        tell("round", rate[r], of_model[r], ratio[r], cores[r]);
    }
    tell("disk", pair_median(rate, rounds), pair_median(of_model, rounds), pair_median(ratio, rounds),
         pair_median(cores, rounds));
    for (unsigned i = 0; i < SITES; i++) {
        qc_workq_free(&sites[i].writer);
        qc_pool_free(&sites[i].buffers);
        qkd_pads_close(&sites[i].pads);
        cloud_close(&sites[i].cloud);
    }
    free(all.data);
    return 0;
}
