/* unit/qrng_os: what the kernel could answer. getrandom is replaced by this program's own. */
#include "base/cleanup.h"
#include "qc_check.h"
#include "qrng/qrng.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

/* Libraries ask while they are loaded: theirs goes to the kernel. */
static bool ours;

static struct {
    unsigned calls;
    unsigned bad_call; /* which call misbehaves, 1 is the first; 0 none */
    int error;         /* errno of that call; 0: it gives one byte less */
} kernel;

ssize_t getrandom(void *buf, size_t n, unsigned flags)
{
    if (!ours)
        return (ssize_t)syscall(SYS_getrandom, buf, n, flags);
    CHECK(flags == 0 && n >= 1 && n <= 256);
    bool bad = ++kernel.calls == kernel.bad_call;
    if (bad && kernel.error != 0) {
        errno = kernel.error;
        return -1;
    }
    memset(buf, 0xa5, n - bad);
    return (ssize_t)(n - bad);
}

/* The n-th slice of 1,000 bytes fails: the whole fill fails, and leaves zeros. */
static void slice_fails(unsigned n, int error)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    kernel.bad_call = 0;
    CHECK(qrng_open("os", &q, &err) == QC_OK);
    uint8_t p[1000];
    memset(p, 1, sizeof p);
    kernel.calls = 0;
    kernel.bad_call = n;
    kernel.error = error;
    CHECK(qrng_fill(q, p, sizeof p, &err) == QC_RANDOM);
    CHECK(kernel.calls == n);
    static const uint8_t zeros[1000];
    CHECK(memcmp(p, zeros, sizeof p) == 0);
    CHECK(qrng_fill(q, p, 1, &err) == QC_RANDOM && kernel.calls == n); /* not asked again */
    CHECK(qrng_provenance(q).health == QRNG_HEALTH_FAILED);
}

static void open_fails(int error)
{
    struct qc_err err = { 0 };
    struct qrng *q = NULL;
    kernel.calls = 0;
    kernel.bad_call = 1;
    kernel.error = error;
    CHECK(qrng_open("os", &q, &err) == QC_RANDOM && q == NULL);
}

static void whole_fill(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    kernel.bad_call = 0;
    CHECK(qrng_open("os", &q, &err) == QC_OK);
    for (size_t n = 0; n < 600; n++) { /* nothing beside the n bytes is written */
        uint8_t p[602] = { 0 };
        CHECK(qrng_fill(q, p + 1, n, &err) == QC_OK);
        for (size_t i = 0; i < sizeof p; i++)
            CHECK(p[i] == (i >= 1 && i <= n ? 0xa5 : 0));
    }
}

int main(void)
{
    ours = true;
    static const int errors[] = { 0, EINTR, EAGAIN, ENOSYS, EFAULT };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        for (unsigned n = 1; n <= 4; n++)
            slice_fails(n, errors[i]);
        open_fails(errors[i]);
    }
    whole_fill();
    return 0;
}
