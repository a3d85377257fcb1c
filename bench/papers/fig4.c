/* bench_fig4: the core paper's figure 4 (PAPERS A12) in memory: (a) EC(3,5) from 4 to 100 MB, (b) EC(2,3),
 * EC(3,5) and EC(4,6) at 100 MB, fragmenting and rebuilding with as many data fragments lost as the code
 * bears; (c) what is stored. One thread, by its processor time; the least of some runs. CSV on stdout. Usage:
 * bench_fig4 [--largest MB] [--runs N] */
#include <inttypes.h>

#include "coded.h"
#include "pair.h"

enum { MB = 1000000, N_MAX = 6 };

static struct qc_err err;
static uint8_t *data, *fragment[N_MAX], *got;
static const unsigned codes[3][2] = { { 3, 5 }, { 2, 3 }, { 4, 6 } };
static const unsigned sizes[] = { 4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 100 };

static void point(const char *panel, unsigned code, unsigned mb, unsigned runs)
{
    const unsigned k = codes[code][0], n = codes[code][1];
    const struct ec_coder *c = NULL;
    struct ec_geometry g;
    uint64_t best[2] = { UINT64_MAX, UINT64_MAX };
    CHECK_OK(ec_coder_get(k, n - k, &c, &err));
    CHECK_OK(ec_geometry(k, mb * MB, &g, &err));
    for (unsigned r = 0; r < runs; r++) {
        uint64_t at = pair_cpu_ns();
        coded_encode(c, &g, data, fragment);
        uint64_t spent = pair_cpu_ns() - at;
        best[0] = spent < best[0] ? spent : best[0];
        memset(got, 0, (size_t)mb * MB);
        at = pair_cpu_ns();
        coded_decode(c, &g, fragment, got);
        spent = pair_cpu_ns() - at;
        best[1] = spent < best[1] ? spent : best[1];
        CHECK(memcmp(got, data, (size_t)mb * MB) == 0);
    }
    printf("%s,%u,%u,%u,%.6f,%.6f,%" PRIu64 "\n", panel, k, n, mb, (double)best[0] / 1e9,
           (double)best[1] / 1e9, g.payload_size * n);
}

/* No more is stored than the geometry says, whatever was measured. */
static void stored(unsigned code, unsigned mb)
{
    const unsigned k = codes[code][0], n = codes[code][1];
    struct ec_geometry g;
    CHECK_OK(ec_geometry(k, mb * MB, &g, &err));
    printf("c,%u,%u,%u,,,%" PRIu64 "\n", k, n, mb, g.payload_size * n);
}

int main(int argc, char **argv)
{
    unsigned long largest = 100, runs = 5;
    for (int i = 1; i + 1 < argc; i += 2)
        *(strcmp(argv[i], "--largest") == 0 ? &largest : &runs) = strtoul(argv[i + 1], NULL, 10);
    CHECK(largest >= 4 && largest <= 100 && runs >= 1);
    const size_t room = (size_t)largest * MB + (4U << 20); /* the last stripe is padded */
    data = coded_room(room);
    got = coded_room(room);
    for (unsigned i = 0; i < N_MAX; i++)
        fragment[i] = coded_room(room / 2 + (4U << 20));
    for (size_t i = 0; i < (size_t)largest * MB; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 13);
    printf("panel,k,n,mb,fragment_s,rebuild_s,stored\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i] <= largest)
            point("a", 0, sizes[i], (unsigned)runs);
    for (unsigned c = 0; c < 3; c++)
        point("b", c, (unsigned)largest, (unsigned)runs);
    for (unsigned c = 0; c < 3; c++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            if (sizes[i] <= largest)
                stored(c, sizes[i]);
    for (unsigned i = 0; i < N_MAX; i++)
        free(fragment[i]);
    free(got);
    free(data);
    return 0;
}
