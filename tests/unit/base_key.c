/* unit/base_key: secrets are copied, combined, sealed, wiped, and die when their contract is broken. */
#include "base/key.h"

#include "base/alloc.h"

#include "qc_check.h"

static qc_rc counting(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(*(uint8_t *)ctx + i);
    return QC_OK;
}

static qc_rc broken(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)ctx;
    (void)p;
    (void)n;
    return QC_FAIL(err, QC_RANDOM, "no randomness");
}

static void check_life(void)
{
    struct qc_err err = { 0 };
    uint8_t raw[32], start = 0x10;
    qc_rng rng = { counting, &start }, none = { broken, NULL };
    QC_CLEANUP(qc_key_free) qc_key *a = NULL, *b = NULL, *x = NULL, *d = NULL, *s = NULL, *w = NULL;

    memset(raw, 0xa5, sizeof raw);
    CHECK_OK(qc_key_from(&a, raw, sizeof raw, &err));
    for (size_t i = 0; i < sizeof raw; i++)
        CHECK(raw[i] == 0 && qc_key_open(a).p[i] == 0xa5);
    CHECK_OK(qc_key_new(&b, 32, &rng, &err));
    CHECK(qc_key_open(b).p[31] == 0x2f && qc_key_len(b) == 32 && !qc_key_same(a, b));
    CHECK_OK(qc_key_xor(&x, a, b, &err));
    CHECK(qc_key_open(x).p[0] == (0xa5 ^ 0x10));
    CHECK_OK(qc_key_xor(&d, x, b, &err));
    CHECK(qc_key_same(d, a));
    CHECK_OK(qc_key_sub(&s, b, 16, 16, &err));
    CHECK(qc_key_len(s) == 16 && qc_key_open(s).p[0] == 0x20 && !qc_key_same(s, b));
    CHECK_RC(qc_key_new(&w, 32, &none, &err), QC_RANDOM);
    CHECK(w == NULL);
    CHECK_OK(qc_key_blank(&w, 48, &err));
    qc_key_write(w)[47] = 1;
    CHECK_DIES((void)qc_key_open(w));
    qc_key_seal(w);
    CHECK(qc_key_open(w).p[47] == 1);
    CHECK_DIES((void)qc_key_write(w));
    CHECK_DIES(qc_ignore(qc_key_xor(&d, a, s, &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_key_sub(&d, a, 32, 16, &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_key_blank(&d, 24, &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_key_blank(&d, QC_KEY_MAX + QC_KEY_STEP, &err), "it dies"));
}

/* A sealed key cannot be written to by a stray pointer: the page is read-only. */
static void check_read_only(void)
{
    struct qc_err err = { 0 };
    uint8_t raw[16] = { 1 };
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    int status = 0;

    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile uint8_t *)(uintptr_t)qc_key_open(k).p = 2;
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

/* A block that is used again comes as zeros; while it waits, a stray pointer to the freed key dies. */
static void check_reuse(void)
{
    struct qc_err err = { 0 };
    uint8_t raw[32];
    qc_key *k = NULL;
    int status = 0;

    memset(raw, 0x77, sizeof raw);
    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    const volatile uint8_t *stray = qc_key_open(k).p;
    qc_key_free(&k);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*stray);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    for (int i = 0; i < 2 * QC_KEY_SPARE_MAX; i++) {
        CHECK_OK(qc_key_blank(&k, 32, &err));
        for (size_t j = 0; j < 32; j++)
            CHECK(qc_key_write(k)[j] == 0);
        memset(qc_key_write(k), 0x77, 32);
        qc_key_free(&k);
    }
    qc_key *many[2 * QC_KEY_SPARE_MAX] = { NULL };
    for (int i = 0; i < 2 * QC_KEY_SPARE_MAX; i++) {
        CHECK_OK(qc_key_blank(&many[i], 32, &err));
        CHECK(qc_key_write(many[i])[0] == 0);
        qc_key_write(many[i])[0] = 1;
    }
    for (int i = 0; i < 2 * QC_KEY_SPARE_MAX; i++)
        qc_key_free(&many[i]);
}

static bool dies_at(const volatile uint8_t *stray)
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*stray);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status);
}

static bool dies_written(uint8_t *page)
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile uint8_t *)page = 1;
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status);
}

/* A key that is there at the end is as any other: read-only from then on, its page shut when it is freed. */
static void check_stays(void)
{
    struct qc_err err = { 0 };
    uint8_t raw[32] = { 7 };
    qc_key *first = NULL, *k = NULL, *blank = NULL;

    qc_keys_loose_begin();
    CHECK_OK(qc_key_blank(&first, 32, &err));
    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    CHECK_OK(qc_key_blank(&blank, 32, &err));
    qc_key_free(&first); /* another takes its place in the list */
    uint8_t *page = (uint8_t *)(uintptr_t)qc_key_open(k).p;
    CHECK(!dies_written(page));
    qc_keys_loose_end();
    CHECK(dies_written(page) && qc_key_open(k).p[0] == 7);
    qc_key_write(blank)[0] = 1;
    qc_key_seal(blank);
    qc_key_free(&blank);
    qc_key_free(&k);
    CHECK(dies_at(page));
}

/* Keys of a thread that has its pages open: the next has the page of the one before it, as zeros; more than
 * fit are as ever; at the end, that of the outer pair, all pages are shut. An end too many dies. */
static void check_loose(void)
{
    struct qc_err err = { 0 };
    qc_key *many[2 * QC_KEY_LOOSE_MAX] = { NULL };
    qc_key *k = NULL;
    uint8_t raw[32];

    qc_keys_loose_begin();
    qc_keys_loose_begin();
    qc_keys_loose_end();
    memset(raw, 0x77, sizeof raw);
    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    const volatile uint8_t *page = qc_key_open(k).p;
    qc_key_free(&k);
    CHECK(!dies_at(page) && *page == 0);
    CHECK_OK(qc_key_blank(&k, 32, &err));
    CHECK(qc_key_write(k) == page);
    qc_key_seal(k);
    CHECK_DIES((void)qc_key_write(k));
    qc_key_free(&k);
    for (size_t i = 0; i < 2 * QC_KEY_LOOSE_MAX; i++) {
        CHECK_OK(qc_key_blank(&many[i], 32, &err));
        CHECK(qc_key_write(many[i])[31] == 0);
        qc_key_write(many[i])[31] = 1;
        qc_key_seal(many[i]);
    }
    for (size_t i = 0; i < 2 * QC_KEY_LOOSE_MAX; i++)
        qc_key_free(&many[i]);
    qc_keys_loose_end();
    CHECK(dies_at(page));
    CHECK_DIES(qc_keys_loose_end());
    check_stays();
}

int main(void)
{
    check_life();
    check_reuse();
    check_read_only();
    check_loose();
    CHECK(qc_alloc_live() == 0);
    qc_key *none = NULL;
    qc_key_free(&none);
    return 0;
}
