/* bench_xor23_disk: store by xor23 where the shares of three sites and the pads of their links are on one
 * disk: each byte of data writes three bytes of shares, reads three of pad and erases them where they lay.
 * Beside it what the disk can do of the same, in the same round: as many bytes read, written over in place,
 * and written to new files, by three threads, directly and in MiB, and synced.
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
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/key.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/workq.h"
#include "cloud/cloud.h"
#include "handoff.h"
#include "net/otp.h"
#include "pair.h"
#include "qkd/pads.h"
#include "qrng/bulk.h"
#include "vault/xor23.h"

enum { MIB = 1 << 20, MOST = 99, SITES = SS_XOR23_SHARES, SEGMENT = 16 * MIB, BLOCK = 16 * MIB, BUFFERS = 2 };

static struct qc_err err;
static size_t size; /* bytes of data */
static uint8_t *data;
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
    struct handoff bytes;
    pthread_t thread;
    char dir[2][256]; /* pads, cloud */
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

static void *sender(void *arg)
{
    struct site *s = arg;
    struct qc_err e = { 0 };
    struct net_otp *o = NULL;
    static _Thread_local uint8_t frame[NET_OTP_FRAME_MAX];
    CHECK_OK(net_otp_new(
        &o, &(struct net_otp_conf){ .pad = { .ctx = s->pads, .where = pad_where, .take = pad_take } }, &e));
    for (size_t got = 1; got > 0;) {
        uint8_t *segment = NULL;
        size_t n = 0;
        CHECK_OK(qc_pool_take(s->buffers, QC_NO_DEADLINE, &segment, &e));
        for (; n < SEGMENT && got > 0; n += got) {
            const size_t room = SEGMENT - n < MIB ? SEGMENT - n : MIB;
            CHECK_OK(handoff_take(&s->bytes, segment + n, room, &got, &e));
            seal_all(o, segment + n, got, frame);
        }
        submit(s, segment, n);
    }
    qc_workq_drain(s->writer);
    net_otp_free(&o);
    return NULL;
}

/* -- the store ------------------------------------------------------------------------------------------- */

static size_t given;

static qc_rc source_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *e)
{
    const size_t n = size - given < max ? size - given : max;
    (void)ctx;
    (void)e;
    memcpy(dst, data + given, n);
    given += n;
    *ret_got = n;
    return QC_OK;
}

static qc_rc out_write(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *e)
{
    (void)ctx;
    return handoff_give(&sites[letter].bytes, bytes, e);
}

static qc_rc public_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memset(p, 7, n);
    return QC_OK;
}

static double process_ns(void)
{
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return 1e9 * (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e3 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double store(double *ret_cpu_ns)
{
    const qc_rng seed = { .fill = public_seed };
    const struct vault_source source = { .read = source_read };
    const struct vault_xor23_header header = { .maker = QRNG_BULK_GENERATOR };
    const struct vault_xor23_out out = { .write = out_write };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;
    uint64_t n = 0;
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &b, &err));
    const qc_rng rng = qrng_bulk_rng(b);
    const uint64_t start = qc_now_ns();
    const double cpu = process_ns();
    given = 0;
    for (unsigned i = 0; i < SITES; i++) {
        handoff_init(&sites[i].bytes);
        CHECK(pthread_create(&sites[i].thread, NULL, sender, &sites[i]) == 0);
    }
    CHECK_OK(vault_xor23_share(&source, &header, &rng, &out, &n, &err));
    for (unsigned i = 0; i < SITES; i++)
        handoff_end(&sites[i].bytes, NULL);
    for (unsigned i = 0; i < SITES; i++) {
        CHECK(pthread_join(sites[i].thread, NULL) == 0);
        handoff_done(&sites[i].bytes);
    }
    *ret_cpu_ns = process_ns() - cpu;
    return (double)(qc_now_ns() - start);
}

/* -- what the disk can do -------------------------------------------------------------------------------- */

enum way { READ, OVER, WRITE };

struct pass {
    unsigned site;
    enum way way;
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
    for (size_t at = 0; at < size; at += MIB)
        CHECK((p->way == READ ? pread(fd, block, MIB, (off_t)at) : pwrite(fd, block, MIB, (off_t)at)) == MIB);
    CHECK(p->way == READ || fdatasync(fd) == 0);
    close(fd);
    free(block);
    return NULL;
}

/* By a thread for each site. */
static double model_pass(enum way way)
{
    pthread_t thread[SITES];
    struct pass p[SITES];
    const uint64_t start = qc_now_ns();
    for (unsigned i = 0; i < SITES; i++) {
        p[i] = (struct pass){ i, way };
        CHECK(pthread_create(&thread[i], NULL, pass, &p[i]) == 0);
    }
    for (unsigned i = 0; i < SITES; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
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
            for (size_t at = 0; at < size; at += MIB)
                CHECK(write(fd, block, MIB) == MIB);
            CHECK(fsync(fd) == 0 && close(fd) == 0);
            free(block);
        }
}

static double model(void)
{
    model_files(true);
    const double ns = model_pass(READ) + model_pass(OVER) + model_pass(WRITE);
    model_files(false);
    return ns;
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
    const size_t file = vault_xor23_file_size(size);
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
    double cpu_ns = 0;
    const unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    const unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    CHECK(argc == 4 && mib > 0 && rounds > 0 && rounds <= MOST);
    size = mib * MIB;
    top = argv[3];
    data = malloc(size);
    CHECK(data != NULL);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 167 + (i >> 8));
    for (unsigned i = 0; i < SITES; i++)
        open_site(&sites[i], i);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < SITES; i++)
            fill_site(&sites[i], i);
        const double bits = (double)size * 8, ours = store(&cpu_ns), disk = model();
        rate[r] = bits / ours;
        of_model[r] = bits / disk;
        ratio[r] = disk / ours;
        cores[r] = 2 * bits / cpu_ns;
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
    free(data);
    return 0;
}
