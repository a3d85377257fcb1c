/* bench_kernels: what this machine and these libraries can do, each measured for a fraction of a second; JSON
 * lines {"name":..,"gb_per_s":..} or {"name":..,"us":..}. Usage: bench_kernels [--scale PERCENT] [NAME...];
 * `disk:DIR`, `cache:FILE` and `disk_direct:DIR` take a place. bench/run.py runs it beside the whole path, so
 * that a ratio has both of its sides from one minute of one machine. GB are 10^9 bytes.
 *
 * One thread, but for tcp and unix, which have one at each end. */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/time.h"
#include "ec/coder.h"
#include "qrng/bulk.h"
#include "qrng/condition.h"
#include "qrng/health.h"
#include "ss/xor23.h"
#include "vault/xor23.h"
#include "vault_fix.h"

enum {
    MIB = 1 << 20,
    BLOCK = 512 * 1024, /* of a socket: what both programs use */
    DISK_FILE = 32,     /* MiB per file that is synced */
    PIECE = MIB / 3 / 64 * 64,
    CALLS = 20000,
};

static struct qc_err err;
static uint8_t tag[QC_TAG], digest[QC_SHA256_BYTES];
static const uint8_t key[64] = { 1 }, nonce[QC_GCM_NONCE] = { 2 };
static uint8_t *data; /* 64 MiB, never the same twice: no layer below can fold it */
static size_t mib;    /* to move per measurement */
static const char *place;

enum { DATA = 64 };

static void fill(void)
{
    uint64_t x = qc_now_ns() | 1;

    for (size_t i = 0; i < (size_t)DATA * MIB; i += sizeof x) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(data + i, &x, sizeof x);
    }
}

/* -- memory and ciphers: 1 MiB at a time, in the cache; `far` ones walk through 64 MiB ------------------- */

static uint8_t *at(size_t i)
{
    return data + i % DATA * MIB;
}

static void far_memcpy(void)
{
    for (size_t i = 0; i < mib; i++)
        memcpy(at(2 * i + 1), at(2 * i), MIB);
}

static struct qc_aead *aead;
static const struct qc_gcm gcm = { .key = { key, 32 }, .nonce = nonce };

static void gcm_seal(void)
{
    for (size_t i = 0; i < mib; i++)
        CHECK_OK(qc_aead_seal(aead, &gcm, qc_span_of(data, MIB), data, tag, &err));
}

/* Decryption is timed with its tag checked; making the ciphertext again is not. */
static uint64_t gcm_open(void)
{
    uint64_t spent = 0;

    for (size_t i = 0; i < mib; i++) {
        CHECK_OK(qc_aead_seal(aead, &gcm, qc_span_of(data, MIB), data, tag, &err));
        const uint64_t start = qc_now_ns();
        CHECK_OK(qc_aead_open(aead, &gcm, qc_span_of(data, MIB), tag, data, &err));
        spent += qc_now_ns() - start;
    }
    return spent;
}

static void gmac(void)
{
    const qc_span part = qc_span_of(data, MIB);

    for (size_t i = 0; i < mib; i++)
        CHECK_OK(qc_aead_mac(aead, &gcm, &part, 1, tag, &err));
}

static void sha256(void)
{
    const qc_span part = qc_span_of(data, MIB);

    for (size_t i = 0; i < mib; i++)
        CHECK_OK(qc_sha256(&part, 1, digest, &err));
}

static void hmac(void)
{
    const qc_span part = qc_span_of(data, MIB);

    for (size_t i = 0; i < mib; i++)
        CHECK_OK(qc_hmac_sha256(gcm.key, &part, 1, digest, &err));
}

/* -- randomness: raw bytes of a source that are tested, and extracted, at a declared 6 bits ----------------
 */

static struct qrng_tests health;
static struct qrng_conditioner conditioner;

/* On data of its own: those before have copied theirs about, and the test would say so. */
static uint64_t qrng_test(void)
{
    QC_ASSERT(mib <= DATA);
    fill();
    const uint64_t start = qc_now_ns();
    qrng_health_init(&health, 6000, QRNG_ALPHA);
    for (size_t i = 0; i < mib; i++)
        CHECK(qrng_health_take(&health, at(i), MIB));
    return qc_now_ns() - start;
}

static qc_rc public_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memcpy(p, data, n);
    return QC_OK;
}

static void qrng_extract(void)
{
    const qc_rng public = { .fill = public_seed };
    uint8_t out[QRNG_OUT_MAX];

    CHECK_OK(qrng_conditioner_init(&conditioner, QRNG_CONDITION_TOEPLITZ, 6000, &public, &err));
    for (size_t i = 0; i < mib; i++)
        for (size_t off = 0; off < MIB; off += conditioner.raw)
            CHECK_OK(qrng_conditioner_apply(&conditioner, at(i) + off, out, &err));
}

/* The generator of bulk randomness, as a put draws from it: as much as a block of data. */
static void qrng_bulk(void)
{
    const qc_rng source = { .fill = public_seed };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;

    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &source, &b, &err));
    for (size_t i = 0; i < mib; i++)
        CHECK_OK(qrng_bulk_fill(b, at(1), MIB, &err));
}

/* -- erasure code: EC(3,5), stripes of 1 MiB ------------------------------------------------------------- */

static const struct ec_coder *coder;

static void ec_encode(void)
{
    uint8_t *parity[2] = { at(10), at(11) };

    for (size_t i = 0; i < mib; i++)
        CHECK_OK(ec_stripe_encode_block(coder, data, PIECE, parity, &err));
}

static void ec_decode(void)
{
    const uint8_t *pieces[5] = { NULL, NULL, data, at(1), at(2) };
    uint8_t *out[3] = { at(10), at(11), NULL };

    for (size_t i = 0; i < mib; i++)
        CHECK_OK(ec_stripe_decode(coder, pieces, PIECE, out, &err));
}

/* -- sharing by XOR, blocks of 1 MiB; `xor` is what one pass over two buffers costs here ------------------
 */

static void xor_pass(void)
{
    for (size_t i = 0; i < mib; i++)
        ss_xor23_add(at(10), at(11), MIB);
}

static void xor23_split(void)
{
    for (size_t i = 0; i < mib; i++)
        ss_xor23_split(qc_span_of(data, MIB), at(1), (uint8_t *[]){ at(2), at(3), at(1) });
}

static void xor23_join(void)
{
    for (size_t i = 0; i < mib; i++) {
        const unsigned lost = (unsigned)(i % 3), x = (lost + 1) % 3, y = (lost + 2) % 3;
        CHECK_OK(ss_xor23_join(x, at(1 + x), y, at(1 + y), MIB, data, &err));
    }
}

/* -- share files: with bulk randomness and tags, from memory into memory ----------------------------------
 */

struct files {
    size_t left; /* MiB that the source still gives */
    uint8_t *file[SS_XOR23_SHARES];
    size_t n[SS_XOR23_SHARES], max;
};

static qc_rc files_source(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *e)
{
    struct files *f = ctx;
    (void)e;
    *ret_got = f->left > 0 ? max : 0;
    f->left -= f->left > 0;
    if (*ret_got > 0)
        memcpy(dst, data, max);
    return QC_OK;
}

/* What does not fit is dropped. */
static qc_rc files_out(void *ctx, enum ss_xor23 letter, qc_span s, struct qc_err *e)
{
    struct files *f = ctx;
    (void)e;
    if (f->n[letter] + s.n <= f->max)
        memcpy(f->file[letter] + f->n[letter], s.p, s.n);
    f->n[letter] += s.n;
    return QC_OK;
}

static qc_rc files_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *e)
{
    (void)e;
    memcpy(p, (const uint8_t *)ctx + offset, n);
    *ret_got = n;
    return QC_OK;
}

static qc_rc files_sink(void *ctx, qc_span s, struct qc_err *e)
{
    (void)e;
    memcpy(ctx, s.p, s.n);
    return QC_OK;
}

static void make_files(struct files *f)
{
    const qc_rng seed = { .fill = public_seed };
    const struct vault_source source = { .read = files_source, .ctx = f };
    const struct vault_xor23_out out = { .write = files_out, .ctx = f };
    const struct vault_xor23_header h = { .maker = 2 };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;
    uint64_t size = 0;

    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &b, &err));
    const qc_rng rng = qrng_bulk_rng(b);
    memset(f->n, 0, sizeof f->n);
    CHECK_OK(vault_xor23_share(&source, &h, &rng, &out, &size, &err));
}

static void xor23_files(void)
{
    struct files f = { .left = mib };

    make_files(&f);
}

/* Files of 8 MiB of data are restored again and again, from each pair. */
static uint64_t xor23_restore(void)
{
    enum { EACH = 8 };
    struct files f = { .left = EACH, .max = (EACH + 1) * MIB };
    struct vault_xor23_report rep;
    const struct vault_sink sink = { .write = files_sink, .ctx = at(40) };
    uint64_t spent = 0;

    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        f.file[i] = at(10 + 10 * i);
    make_files(&f);
    const size_t rounds = (mib + EACH - 1) / EACH;
    for (size_t r = 0; r < rounds; r++) {
        struct vault_xor23_restore from = { 0 };
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            if (i != r % SS_XOR23_SHARES)
                from.site[i] = (struct vault_xor23_site){ .read = files_read, .ctx = f.file[i] };
        const uint64_t start = qc_now_ns();
        CHECK_OK(vault_xor23_restore(&from, &sink, &rep, &err));
        spent += qc_now_ns() - start;
    }
    mib = rounds * EACH;
    return spent;
}

/* -- the sealed object: chunks of 1 MiB, as written ------------------------------------------------------ */

static struct fix fix;

static void seal(void)
{
    const struct vault_sealer_params p = { .ids = fix.ids };
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;

    CHECK_OK(vault_sealer_new(&s, &fix.keys, &p, &err));
    for (size_t i = 0; i < mib; i++) {
        size_t n = 0; /* a tag block behind the last chunk has room in the next MiB */
        CHECK_OK(vault_sealer_chunk(s, at(i % (DATA - 1)), MIB, i == mib - 1, &n, &err));
    }
}

/* An object of 8 MiB is opened again and again; its copy is not timed. */
static uint64_t open_chunks(void)
{
    enum { CHUNKS = 8 };
    const struct vault_sealer_params p = { .ids = fix.ids };
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = (CHUNKS + 1) * MIB };
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    QC_CLEANUP(vault_tags_done) struct vault_tags tags = { 0 };
    uint8_t M[32];
    uint64_t spent = 0;

    CHECK_OK(qc_buf_reserve(&N, N.max, &err));
    CHECK_OK(vault_sealer_new(&s, &fix.keys, &p, &err));
    CHECK_OK(qc_buf_add(&N, vault_sealer_header(s), &err));
    for (unsigned i = 0; i < CHUNKS; i++) {
        size_t n = 0;
        memcpy(N.p + N.n, at(i), MIB);
        CHECK_OK(vault_sealer_chunk(s, N.p + N.n, MIB, i == CHUNKS - 1, &n, &err));
        N.n += n;
    }
    CHECK_OK(vault_sealer_finish(s, &(struct vault_meta){ .true_size = CHUNKS * MIB }, &N, M, &err));
    const qc_span all = qc_buf_span(&N);
    const struct fix_way way = { .ids = fix.ids, .R1 = fix.keys.R1, .R2 = fix.keys.R2, .M = M };
    CHECK_OK(fix_frame(&frame, all, &err));
    CHECK_OK(fix_unlock(&o, frame, all, &way, &err));
    const struct vault_range t = vault_geometry_tags(&frame->g, 0);
    CHECK_OK(vault_opened_group(&tags, o, 0, qc_span_sub(all, (size_t)t.offset, (size_t)t.size), &err));
    for (size_t i = 0; i < mib; i++) {
        const struct vault_range r = vault_geometry_chunk(&frame->g, i % CHUNKS);
        size_t n = 0;
        memcpy(at(10), N.p + r.offset, (size_t)r.size);
        const uint64_t start = qc_now_ns();
        CHECK_OK(vault_opened_chunk(o, &tags, i % CHUNKS, at(10), (size_t)r.size, &n, &err));
        spent += qc_now_ns() - start;
    }
    return spent;
}

/* -- what one call costs --------------------------------------------------------------------------------- */

static void small_seal(void)
{
    for (int i = 0; i < CALLS; i++)
        CHECK_OK(qc_aead_seal(aead, &gcm, qc_span_of(data, 64), data, tag, &err));
}

static struct qc_prk *prk;

static void small_hkdf(void)
{
    for (int i = 0; i < CALLS; i++)
        CHECK_OK(qc_prk_expand(prk, qc_span_of(key, 64), digest, 32, &err));
}

static void small_key(void)
{
    for (int i = 0; i < CALLS; i++) {
        QC_CLEANUP(qc_key_free) qc_key *k = NULL;
        CHECK_OK(qc_prk_expand_key(&k, prk, qc_span_of(key, 64), 32, &err));
    }
}

static void small_siv(void)
{
    uint8_t out[128];

    for (int i = 0; i < CALLS; i++)
        CHECK_OK(qc_siv_seal(qc_span_of(key, 64), qc_span_of(data, 64), qc_span_of(data, 64), out, &err));
}

/* -- sockets --------------------------------------------------------------------------------------------- */

static void *send_all(void *arg)
{
    const int fd = *(const int *)arg;

    for (size_t left = mib * MIB, n = 0; left > 0; left -= n) {
        const ssize_t w =
            write(fd, data + (mib * MIB - left) % ((size_t)DATA * MIB - BLOCK), left < BLOCK ? left : BLOCK);
        CHECK(w > 0);
        n = (size_t)w;
    }
    return NULL;
}

static void through(int from, int to)
{
    pthread_t sender;
    uint8_t *block = aligned_alloc(4096, BLOCK);

    CHECK(block != NULL && pthread_create(&sender, NULL, send_all, &from) == 0);
    for (size_t left = mib * MIB; left > 0;) {
        const ssize_t r = read(to, block, BLOCK);
        CHECK(r > 0);
        left -= (size_t)r;
    }
    CHECK(pthread_join(sender, NULL) == 0);
    free(block);
    close(from);
    close(to);
}

static void unix_socket(void)
{
    int fd[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    through(fd[0], fd[1]);
}

static void tcp(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(listening >= 0 && from >= 0);
    CHECK(bind(listening, (const struct sockaddr *)&a, sizeof a) == 0 && listen(listening, 1) == 0);
    CHECK(getsockname(listening, (struct sockaddr *)&a, &n) == 0);
    CHECK(connect(from, (const struct sockaddr *)&a, sizeof a) == 0);
    through(from, accept4(listening, NULL, NULL, SOCK_CLOEXEC));
    close(listening);
}

/* -- files ----------------------------------------------------------------------------------------------- */

static void cache_pass(int fd)
{
    ssize_t n;

    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (size_t left = mib; left > 0; left--) {
        n = read(fd, data, MIB);
        CHECK(n >= 0);
        if (n == 0) /* a file that is shorter is read again */
            CHECK(lseek(fd, 0, SEEK_SET) == 0);
    }
}

/* Once to bring it to the cache, then timed. */
static uint64_t cache(void)
{
    const int fd = open(place, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    cache_pass(fd);
    const uint64_t start = qc_now_ns();
    cache_pass(fd);
    const uint64_t spent = qc_now_ns() - start;
    close(fd);
    return spent;
}

static void disk_file(int dir, unsigned i, int flags, size_t size_mib)
{
    char name[32];

    snprintf(name, sizeof name, "bench-%u", i);
    const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600);
    CHECK(fd >= 0);
    for (size_t m = 0; m < size_mib; m++)
        CHECK(write(fd, at(i * DISK_FILE + m), MIB) == MIB);
    CHECK(fsync(fd) == 0 && close(fd) == 0);
}

/* Files one after the other, each synced; they go when the clock has stopped. */
static uint64_t disk_with(int flags)
{
    const int dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unsigned count = 0;

    CHECK(dir >= 0);
    const uint64_t start = qc_now_ns();
    for (size_t left = mib; left > 0; count++) {
        const size_t n = left < DISK_FILE ? left : DISK_FILE;
        disk_file(dir, count, flags, n);
        left -= n;
    }
    const uint64_t spent = qc_now_ns() - start;
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "bench-%u", i);
        CHECK(unlinkat(dir, name, 0) == 0);
    }
    CHECK(fsync(dir) == 0);
    close(dir);
    return spent;
}

static uint64_t disk(void)
{
    return disk_with(0);
}

static uint64_t disk_direct(void)
{
    return disk_with(O_DIRECT);
}

/* -- the table ------------------------------------------------------------------------------------------- */

struct row {
    const char *name;
    size_t mib;                /* to move at 100 %; 0: CALLS calls, reported in microseconds each */
    void (*run)(void);         /* timed as a whole, or */
    uint64_t (*clocked)(void); /* says what it took */
    bool place;
};

static const struct row rows[] = {
    { "memcpy", 2048, far_memcpy, NULL, false },
    { "gcm_seal", 1024, gcm_seal, NULL, false },
    { "gcm_open", 1024, NULL, gcm_open, false },
    { "gmac", 2048, gmac, NULL, false },
    { "sha256", 512, sha256, NULL, false },
    { "hmac", 512, hmac, NULL, false },
    { "qrng_test", DATA, NULL, qrng_test, false },
    { "qrng_extract", 512, qrng_extract, NULL, false },
    { "qrng_bulk", 1024, qrng_bulk, NULL, false },
    { "ec_encode", 4096, ec_encode, NULL, false },
    { "ec_decode", 2048, ec_decode, NULL, false },
    { "xor", 4096, xor_pass, NULL, false },
    { "xor23_split", 2048, xor23_split, NULL, false },
    { "xor23_join", 2048, xor23_join, NULL, false },
    { "xor23_files", 512, xor23_files, NULL, false },
    { "xor23_restore", 1024, NULL, xor23_restore, false },
    { "seal", 1024, seal, NULL, false },
    { "open", 1024, NULL, open_chunks, false },
    { "small_seal", 0, small_seal, NULL, false },
    { "small_hkdf", 0, small_hkdf, NULL, false },
    { "small_key", 0, small_key, NULL, false },
    { "small_siv", 0, small_siv, NULL, false },
    { "tcp", 2048, tcp, NULL, false },
    { "unix", 2048, unix_socket, NULL, false },
    { "cache", 1024, NULL, cache, true },
    { "disk", 1024, NULL, disk, true },
    { "disk_direct", 1024, NULL, disk_direct, true },
};

static void run_row(const struct row *r, unsigned long percent)
{
    mib = r->mib * percent / 100;
    if (mib < 1)
        mib = 1;
    const uint64_t start = qc_now_ns();
    uint64_t spent = 0;
    if (r->clocked != NULL) {
        spent = r->clocked();
    } else {
        r->run();
        spent = qc_now_ns() - start;
    }
    if (r->mib == 0)
        printf("{\"name\":\"%s\",\"us\":%.3f}\n", r->name, (double)spent / 1000.0 / CALLS);
    else
        printf("{\"name\":\"%s\",\"gb_per_s\":%.4f}\n", r->name, (double)mib * MIB / (double)spent);
    fflush(stdout);
}

/* `name` or `name:place`. */
static bool named(const struct row *r, const char *word)
{
    const size_t n = strlen(r->name);

    if (strncmp(word, r->name, n) != 0 || (word[n] != '\0' && word[n] != ':'))
        return false;
    place = word[n] == ':' ? word + n + 1 : NULL;
    CHECK(r->place == (place != NULL));
    return true;
}

int main(int argc, char **argv)
{
    unsigned long percent = 100;
    int first = 1;

    if (argc > 2 && strcmp(argv[1], "--scale") == 0) {
        percent = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    CHECK(percent >= 1 && percent <= 10000);
    data = aligned_alloc(4096, (size_t)DATA * MIB);
    CHECK(data != NULL);
    fill();
    fix = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 1, .size = 1 });
    CHECK_OK(qc_aead_new(&aead, &err));
    CHECK_OK(qc_prk_new(&prk, qc_span_of(key, 32), qc_span_of(key, 32), &err));
    CHECK_OK(ec_coder_get(3, 2, &coder, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted = first == argc && !rows[i].place;
        for (int a = first; a < argc && !wanted; a++)
            wanted = named(&rows[i], argv[a]);
        if (wanted)
            run_row(&rows[i], percent);
    }
    qc_prk_free(&prk);
    qc_aead_free(&aead);
    fix_free(&fix);
    free(data);
    return 0;
}
