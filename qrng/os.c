#include "base/limits.h"
#include "source.h"

#include <errno.h>
#include <sys/random.h>

/*
 * In slices of 256 bytes: the kernel gives those whole and no signal interrupts them once its pool is seeded
 * (getrandom(2)), so a short read means that something is wrong, and is not tried again.
 */
#define SLICE 256

static qc_rc os_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)ctx;
    for (size_t done = 0; done < n;) {
        size_t want = n - done < SLICE ? n - done : SLICE;
        ssize_t got = getrandom(p + done, want, 0);
        if (got < 0)
            return QC_FAIL(err, QC_RANDOM, "getrandom failed with error %d", errno);
        if ((size_t)got != want)
            return QC_FAIL(err, QC_RANDOM, "getrandom gave %zd bytes, expected %zu", got, want);
        done += want;
    }
    return QC_OK;
}

const struct qrng_source qrng_os = {
    .spec = "os",
    .name = "os:getrandom",
    .policy = QRNG_POLICY_OS,
    .health = QRNG_HEALTH_KERNEL,
    .fill = os_fill,
};
