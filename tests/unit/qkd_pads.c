/* unit/qkd_pads: pad at rest: the format by a vector, each byte once and in order, restarts with and without
 * K2, damage; the state file against hostile bytes. */
#include "qkd/pads.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "pads_internal.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

enum { SMALL = QKD_PAD_BLOCK_MIN, MIB = 1048576 };

static struct qc_err err;

static struct qkd_pads *opened(const char *dir, uint32_t block, int table)
{
    struct qkd_pads *p = NULL;
    CHECK_OK(qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = block, .table = table }, &err));
    return p;
}

static struct qkd_pads_counts counts(const struct qkd_pads *p)
{
    struct qkd_pads_counts c;
    qkd_pads_counts(p, &c);
    return c;
}

static int memfd(void)
{
    const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fd >= 0);
    return fd;
}

/* What K0 makes, another way: the stream by single blocks of AES. */
static void expected_pad(const uint8_t *k0, size_t block, uint8_t *ret)
{
    uint8_t counter[16] = { 0 }, stream[16];
    for (size_t i = 0; i < block; i += 16) {
        qc_put_be(counter + 8, i / 16 + 2, 8);
        CHECK_OK(qc_aes256_block_enc(qc_span_of(k0, 32), counter, stream, &err));
        for (size_t b = 0; b < 16; b++)
            ret[i + b] = k0[32 + i + b] ^ stream[b];
    }
}

static uint64_t filled(struct qkd_pads *p, struct qc_rand *r, size_t block, uint8_t *ret_pad)
{
    uint8_t *k0 = malloc(32 + block);
    uint64_t number = 0;
    CHECK(k0 != NULL);
    qc_rand_fill(r, k0, 32 + block);
    if (ret_pad != NULL)
        expected_pad(k0, block, ret_pad);
    CHECK_OK(qkd_pads_fill(p, k0, &number, &err));
    for (size_t i = 0; i < 32 + block; i++)
        CHECK(k0[i] == 0);
    free(k0);
    return number;
}

static bool there(const char *dir, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void hex_is(const uint8_t *p, size_t n, const char *want)
{
    char hex[2 * 64 + 1];
    qc_hex(qc_span_of(p, n), hex);
    CHECK(strcmp(hex, want) == 0);
}

/* Computed apart from this program, when the format was designed. */
static void check_vector(const char *dir)
{
    uint8_t *k0 = malloc(32 + MIB), *pad = malloc(MIB), digest[QC_SHA256_BYTES];
    struct qkd_pads *p = opened(dir, MIB, -1);
    QC_CLEANUP(qc_buf_free) qc_buf file = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    uint64_t number = 0;
    CHECK(k0 != NULL && pad != NULL);
    for (uint64_t i = 0; i < 32 + MIB; i++)
        k0[i] = (uint8_t)(i * i + 5 * i + 1);
    CHECK_OK(qkd_pads_fill(p, k0, &number, &err));
    CHECK(number == 1);
    CHECK_OK(qc_dir_open(&d, dir, &err));
    CHECK_OK(qc_file_read(qc_fd_get(&d), "seg-1.k1", MIB + 100, &file, &err));
    CHECK(file.n == MIB + 16);
    hex_is(file.p + MIB, 16, "e99a9dac32f9fcf97cbe410397c44ac4");
    for (uint32_t at = 0; at < MIB;) {
        struct qkd_pad_at got;
        CHECK_OK(qkd_pads_take(p, pad + at, MIB - at, &got, &err));
        CHECK(got.block == 1 && got.offset == at && got.n == QKD_PAD_WINDOW);
        at += got.n;
    }
    hex_is(pad, 16, "6d92d597de5e6c103910d37bc3d825ca");
    const qc_span all = qc_span_of(pad, MIB);
    CHECK_OK(qc_sha256(&all, 1, digest, &err));
    hex_is(digest, 32, "891d192cbf355032b715c18588141fa66d4b048859371007d144836e872d281f");
    qkd_pads_close(&p);
    CHECK(!there(dir, "seg-1.k1")); /* it is erased behind, and waited for */
    free(k0);
    free(pad);
}

/* By takings of any size: all bytes of each block, in order, once; both ends alike. */
static void check_taking(const char *dir, struct qc_rand *r)
{
    static uint8_t want[3][SMALL * 2];
    static uint8_t room[SMALL * 2];
    struct qkd_pads *p = opened(dir, SMALL * 2, -1);
    struct qkd_pad_at at;
    CHECK_RC(qkd_pads_take(p, room, 1, &at, &err), QC_TEMP);
    for (unsigned i = 0; i < 3; i++)
        CHECK(filled(p, r, SMALL * 2, want[i]) == i + 1);
    CHECK(counts(p).ready == 3 && counts(p).bytes == 3 * SMALL * 2 && counts(p).next == 4);
    uint64_t taken = 0;
    while (taken < 3 * SMALL * 2) {
        const size_t max = 1 + (size_t)qc_rand_below(r, 40000);
        CHECK_OK(qkd_pads_take(p, room, max, &at, &err));
        CHECK(at.n > 0 && at.n <= max && (at.block - 1) * SMALL * 2 + at.offset == taken);
        CHECK(memcmp(room, want[at.block - 1] + at.offset, at.n) == 0);
        taken += at.n;
        CHECK(counts(p).bytes == 3 * SMALL * 2 - taken);
    }
    CHECK_RC(qkd_pads_take(p, room, 1, &at, &err), QC_TEMP);
    CHECK(!there(dir, "seg-3.k1")); /* where nothing else is to be done, erasing is waited for */
    filled(p, r, SMALL * 2, want[0]);
    filled(p, r, SMALL * 2, want[1]);
    CHECK_OK(qkd_pads_take(p, room, 1, &at, &err));
    CHECK(at.block == 4);
    CHECK_OK(qkd_pads_burn(p, 5, &err)); /* the peer is at the fifth */
    CHECK(!there(dir, "seg-4.k1") && there(dir, "seg-5.k1"));
    CHECK_OK(qkd_pads_take(p, room, 7, &at, &err));
    CHECK(at.block == 5 && at.offset == 0 && memcmp(room, want[1], 7) == 0);
    qkd_pads_close(&p);
}

/* What two ends do to agree: the blocks of one that the other has, too; numbers that are passed over. */
static void check_agreeing(const char *dir, struct qc_rand *r)
{
    uint64_t v[QKD_PADS_MAX], block = 0, number = 0;
    uint32_t offset = 7;
    uint8_t room[10], *k0 = malloc(32 + SMALL);
    struct qkd_pad_at at;
    struct qkd_pads *p = opened(dir, SMALL, -1);
    CHECK(k0 != NULL && qkd_pads_list(p, v) == 0 && !qkd_pads_at(p, &block, &offset));
    for (unsigned i = 0; i < 4; i++)
        filled(p, r, SMALL, NULL);
    CHECK(qkd_pads_at(p, &block, &offset) && block == 1 && offset == 0);
    CHECK_OK(qkd_pads_take(p, room, sizeof room, &at, &err));
    CHECK(qkd_pads_at(p, &block, &offset) && block == 1 && offset == 10);
    CHECK(qkd_pads_list(p, v) == 4 && v[0] == 1 && v[3] == 4);
    CHECK_OK(qkd_pads_keep(p, (const uint64_t[]){ 1, 2, 4, 9 }, 4, &err));
    CHECK(qkd_pads_list(p, v) == 3 && v[2] == 4 && !there(dir, "seg-3.k1"));
    CHECK(qkd_pads_at(p, &block, &offset) && block == 1 && offset == 10);
    CHECK_OK(qkd_pads_keep(p, (const uint64_t[]){ 4 }, 1, &err)); /* also what is open */
    CHECK(!there(dir, "seg-1.k1") && qkd_pads_at(p, &block, &offset) && block == 4 && offset == 0);
    CHECK_OK(qkd_pads_skip(p, 9, &err));
    CHECK_OK(qkd_pads_skip(p, 3, &err)); /* never backwards */
    qkd_pads_close(&p);
    p = opened(dir, SMALL, -1);
    CHECK(counts(p).next == 9);
    qc_rand_fill(r, k0, 32 + SMALL);
    CHECK_OK(qkd_pads_fill(p, k0, &number, &err));
    CHECK(number == 9);
    CHECK_OK(qkd_pads_keep(p, NULL, 0, &err));
    CHECK(qkd_pads_list(p, v) == 0 && !qkd_pads_at(p, &block, &offset));
    qkd_pads_close(&p);
    free(k0);
}

/* With the table of the process before: what was ready goes on, what was open is burnt. Without: all is lost.
 */
static void check_restart(const char *dir, struct qc_rand *r)
{
    static uint8_t room[SMALL], want[SMALL];
    const int table = memfd();
    struct qkd_pads *p = opened(dir, SMALL, table);
    struct qkd_pad_at at;
    filled(p, r, SMALL, NULL);
    filled(p, r, SMALL, want);
    filled(p, r, SMALL, NULL);
    CHECK_OK(qkd_pads_take(p, room, 100, &at, &err));
    struct qkd_pads *second = NULL;
    CHECK_RC(qkd_pads_open(&second, &(struct qkd_pads_opts){ .dir = dir, .block = SMALL, .table = -1 }, &err),
             QC_LOCKED);
    qkd_pads_close(&p);
    p = opened(dir, SMALL, table);
    CHECK(counts(p).burnt == 1 && counts(p).lost == 0 && counts(p).ready == 2 && counts(p).next == 4);
    CHECK(!there(dir, "seg-1.k1"));
    CHECK_OK(qkd_pads_take(p, room, SMALL, &at, &err));
    CHECK(at.block == 2 && at.offset == 0 && memcmp(room, want, SMALL) == 0);
    qkd_pads_close(&p);
    CHECK(there(dir, "seg-3.k1"));
    p = opened(dir, SMALL, -1); /* power was cut */
    CHECK(counts(p).lost == 1 && counts(p).ready == 0 && counts(p).next == 4);
    CHECK(!there(dir, "seg-3.k1"));
    CHECK(filled(p, r, SMALL, NULL) == 4); /* no number comes twice */
    qkd_pads_close(&p);
    CHECK_RC(qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = 2 * SMALL, .table = -1 }, &err),
             QC_USAGE);
    CHECK_RC(qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = SMALL + 1, .table = -1 }, &err),
             QC_USAGE);
    CHECK_RC(qkd_pads_open(&p, &(struct qkd_pads_opts){ .dir = dir, .block = SMALL, .table = 0 }, &err),
             QC_USAGE);
    close(table);
}

static void change(const char *dir, const char *name, uint64_t at)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd f = { 0 };
    uint8_t byte = 0;
    size_t got = 0;
    CHECK_OK(qc_dir_open(&d, dir, &err));
    CHECK_OK(qc_open_at(&f, qc_fd_get(&d), name, O_RDWR, 0, &err));
    CHECK_OK(qc_pread_full(qc_fd_get(&f), &byte, 1, at, &got, &err));
    byte ^= 1;
    CHECK_OK(qc_pwrite_all(qc_fd_get(&f), qc_span_of(&byte, 1), at, &err));
}

/* A block that is not as it was written is erased, and told; the next one is good. So is a strange file. */
static void check_damage(const char *dir, struct qc_rand *r)
{
    static uint8_t room[SMALL], want[SMALL];
    struct qkd_pads *p = opened(dir, SMALL, -1);
    struct qkd_pad_at at;
    const uint64_t first = filled(p, r, SMALL, NULL);
    char name[40], path[400];
    filled(p, r, SMALL, NULL);
    filled(p, r, SMALL, want);
    snprintf(name, sizeof name, "seg-%u.k1", (unsigned)first);
    change(dir, name, 4711);
    CHECK_RC(qkd_pads_take(p, room, 10, &at, &err), QC_INTEGRITY);
    CHECK(!there(dir, name));
    snprintf(path, sizeof path, "%s/seg-%u.k1", dir, (unsigned)first + 1);
    CHECK(truncate(path, SMALL) == 0);
    CHECK_RC(qkd_pads_take(p, room, 10, &at, &err), QC_INTEGRITY);
    CHECK_OK(qkd_pads_take(p, room, SMALL, &at, &err));
    CHECK(at.block == first + 2 && memcmp(room, want, SMALL) == 0 && counts(p).lost == 2);
    qkd_pads_close(&p);
    snprintf(path, sizeof path, "%s/seg-99.k1", dir);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs("orphan", f) >= 0 && fclose(f) == 0);
    p = opened(dir, SMALL, -1);
    CHECK(!there(dir, "seg-99.k1"));
    qkd_pads_close(&p);
}

/* Blocks that are read ahead: one is at most behind; what is damaged is told when it is its turn; what is
 * burnt or dropped while it is ahead is not given out. */
static void check_ahead(const char *dir, struct qc_rand *r)
{
    static uint8_t room[SMALL], want[8][SMALL];
    struct qkd_pads *p = opened(dir, SMALL, -1);
    struct qkd_pad_at at;
    char name[40];
    for (unsigned i = 0; i < 8; i++)
        CHECK(filled(p, r, SMALL, want[i]) == i + 1);
    change(dir, "seg-3.k1", 99);
    for (uint64_t block = 1; block <= 8; block++) {
        if (block == 3) {
            CHECK_RC(qkd_pads_take(p, room, SMALL, &at, &err), QC_INTEGRITY);
            CHECK(!there(dir, "seg-3.k1") && counts(p).lost == 1);
            continue;
        }
        CHECK_OK(qkd_pads_take(p, room, SMALL - 1, &at, &err));
        CHECK(at.block == block && memcmp(room, want[block - 1], SMALL - 1) == 0);
        if (block == 5) { /* 6 is ahead, and the other end does not have it */
            CHECK_OK(qkd_pads_keep(p, (const uint64_t[]){ 5, 7, 8 }, 3, &err));
            CHECK(!there(dir, "seg-6.k1"));
        }
        block += block == 5;
        CHECK_OK(qkd_pads_take(p, room, 10, &at, &err));
        CHECK(at.n == 1 && room[0] == want[at.block - 1][SMALL - 1]);
        snprintf(name, sizeof name, "seg-%u.k1", (unsigned)at.block - 1);
        CHECK(block == 1 || !there(dir, name));
    }
    qkd_pads_close(&p);
}

static void check_state(void)
{
    static struct pads_state s, again;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = PADS_STATE_MAX };
    s = (struct pads_state){
        .block = MIB, .next = 10, .count = 2, .v = { { 3, PAD_OPEN }, { 9, PAD_READY } }
    };
    CHECK_OK(pads_state_print(&s, &text, &err));
    CHECK_OK(pads_state_parse(&again, qc_buf_span(&text), &err));
    CHECK(again.block == MIB && again.next == 10 && again.count == 2 && again.v[0].number == 3 &&
          again.v[0].state == PAD_OPEN && again.v[1].number == 9 && again.v[1].state == PAD_READY);
    for (size_t n = 0; n < text.n; n++)
        CHECK_RC(pads_state_parse(&again, qc_span_of(text.p, n), &err), QC_INTEGRITY);
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] ^= 0x10;
        CHECK_RC(pads_state_parse(&again, qc_buf_span(&text), &err), i == 7 ? QC_NEWER : QC_INTEGRITY);
        text.p[i] ^= 0x10;
    }
    CHECK_OK(qc_buf_add_zero(&text, 1, &err));
    CHECK_RC(pads_state_parse(&again, qc_buf_span(&text), &err), QC_INTEGRITY);
    const struct pads_state bad[] = {
        { .block = MIB, .next = 10, .count = 2, .v = { { 9, PAD_OPEN }, { 3, PAD_READY } } },
        { .block = MIB, .next = 10, .count = 2, .v = { { 3, PAD_OPEN }, { 3, PAD_READY } } },
        { .block = MIB, .next = 3, .count = 1, .v = { { 3, PAD_OPEN } } },
        { .block = MIB, .next = 3, .count = 1, .v = { { 0, PAD_OPEN } } },
        { .block = MIB, .next = 3, .count = 1, .v = { { 1, (enum pad_state)0 } } },
        { .block = MIB, .next = 3, .count = 1, .v = { { 1, (enum pad_state)4 } } },
        { .block = MIB, .next = 0 },
        { .block = MIB + 1, .next = 1 },
        { .block = 0, .next = 1 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qc_buf_clear(&text);
        CHECK_OK(pads_state_print(&bad[i], &text, &err));
        CHECK_RC(pads_state_parse(&again, qc_buf_span(&text), &err), QC_INTEGRITY);
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    for (unsigned i = 0; i < 6; i++) {
        QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
        if (i == 0)
            check_vector(dir.path);
        else if (i == 1)
            check_taking(dir.path, &r);
        else if (i == 2)
            check_restart(dir.path, &r);
        else if (i == 3)
            check_agreeing(dir.path, &r);
        else if (i == 4)
            check_damage(dir.path, &r);
        else
            check_ahead(dir.path, &r);
    }
    check_state();
    return 0;
}
