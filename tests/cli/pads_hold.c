/* A program around qkd/pads.h, for tests in Python that search its disk and its memory. Commands on standard
 * input, an answer a line; keys come by descriptor 3. Not for the product.
 *
 *   pads_hold DIR BLOCK
 *   fill | take N (SHA-256 of the N bytes, which are wiped) | hold N (the same, not wiped) | counts */
#include "qkd/pads.h"

#include <inttypes.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/harden.h"
#include "base/secret.h"
#include "qc_check.h"

static struct qc_err err;
static struct qkd_pads *pads;
static uint32_t block;

static void fill(void)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret k0 = { 0 };
    uint64_t number = 0;
    size_t got = 0;
    CHECK_OK(qc_secret_new(&k0, 32 + block, &err));
    CHECK_OK(qc_read_full(3, k0.p, 32 + block, &got, &err));
    CHECK(got == 32 + block);
    CHECK_OK(qkd_pads_fill(pads, k0.p, &number, &err));
    printf("ok %" PRIu64 "\n", number);
}

static void take(size_t n, bool hold)
{
    static struct qc_secret room;
    uint8_t digest[QC_SHA256_BYTES];
    char hex[2 * QC_SHA256_BYTES + 1];
    CHECK_OK(qc_secret_new(&room, n, &err));
    for (size_t done = 0; done < n;) {
        struct qkd_pad_at at;
        CHECK_OK(qkd_pads_take(pads, (uint8_t *)room.p + done, n - done, &at, &err));
        done += at.n;
    }
    const qc_span all = qc_span_of(room.p, n);
    CHECK_OK(qc_sha256(&all, 1, digest, &err));
    qc_hex(qc_span_of(digest, sizeof digest), hex);
    if (!hold)
        qc_secret_free(&room);
    printf("ok %s\n", hex);
}

int main(int argc, char **argv)
{
    char line[100];
    bool locked = false;
    CHECK(argc == 3);
    CHECK_OK(qc_process_harden(&(struct qc_harden_opts){ .lock_bytes = 4 * 1024 * 1024 }, &locked, &err));
    block = (uint32_t)strtoul(argv[2], NULL, 10);
    CHECK_OK(
        qkd_pads_open(&pads, &(struct qkd_pads_opts){ .dir = argv[1], .block = block, .table = -1 }, &err));
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct qkd_pads_counts c;
        if (strcmp(line, "fill\n") == 0)
            fill();
        else if (strncmp(line, "take ", 5) == 0 || strncmp(line, "hold ", 5) == 0)
            take(strtoul(line + 5, NULL, 10), line[0] == 'h');
        else {
            qkd_pads_counts(pads, &c);
            printf("ok %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d\n", c.ready, c.bytes, c.burnt,
                   c.lost, c.locked);
        }
        fflush(stdout);
    }
    qkd_pads_close(&pads);
    return 0;
}
