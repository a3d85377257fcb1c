/* kat/qrng_cutoffs: the health tests' cutoffs are those of an independent computation (qrng_cutoffs.py), for
 * 21 entropies of bytes and 10 of bits, and those that others published. */
#include <stdio.h>

#include "qc_check.h"
#include "qrng/health.h"

static unsigned check_file(void)
{
    FILE *f = fopen(QC_TESTS_DIR "/kat/qrng_cutoffs.txt", "r");
    char line[128];
    unsigned count = 0;
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned window = 0, alpha = 0, mbit = 0, repetition = 0, proportion = 0;
        if (line[0] == '#')
            continue;
        CHECK(sscanf(line, "%u %u %u %u %u", &window, &alpha, &mbit, &repetition, &proportion) == 5);
        count++;
        if (repetition == 0) {
            CHECK(qrng_cutoff_values(mbit, window, alpha) == proportion);
            continue;
        }
        const struct qrng_cutoffs c = qrng_cutoffs(mbit, window, alpha);
        if (c.repetition != repetition || c.proportion != proportion) {
            fprintf(stderr, "%s got %u %u\n", line, c.repetition, c.proportion);
            exit(1);
        }
    }
    CHECK(fclose(f) == 0);
    return count;
}

int main(void)
{
    CHECK(check_file() == 2 * 21 + 2 * 10 + 2 * 5);
    CHECK(qrng_cutoffs(8000, 512, 20).proportion == 13); /* a maker's data sheet */
    CHECK(qrng_cutoffs(500, 512, 20).repetition == 41);  /* Go's entropy package */
    CHECK(qrng_cutoffs(500, 512, 20).proportion == 410);
    CHECK(qrng_cutoffs(1000, 1024, 20).proportion == 589); /* SP 800-90B's own example */
    CHECK_DIES((void)qrng_cutoffs(0, 512, 40));
    CHECK_DIES((void)qrng_cutoffs(8001, 512, 40));
    CHECK_DIES((void)qrng_cutoffs(6000, 1025, 40));
    return 0;
}
