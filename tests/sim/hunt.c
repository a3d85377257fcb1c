#include "hunt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "history.h"
#include "plays.h"

#ifdef QC_FAULT_POINTS
enum { ROUNDS_MAX = 99, ROUND_SEEDS = 100000 };

static const struct {
    const char *name, *text;
    unsigned number;
} planted[QC_PLANTED_COUNT] = {
#define X(name, number, text) [QC_PLANTED_##name] = { #name, text, number },
    QC_PLANTED_TABLE(X)
#undef X
};

static bool passes_with(enum qc_planted bug, uint64_t seed)
{
    struct sim_result r;

    qc_planted_bug = bug;
    return plays_one(seed, history_run, &r);
}

/* Histories until the bug shows; 0: it did not, in so many, or what shows is not the bug. */
static uint64_t hunt(enum qc_planted bug, uint64_t seed, uint64_t histories)
{
    for (uint64_t i = 0; i < histories; i++) {
        if (passes_with(bug, seed + i))
            continue;
        if (passes_with(QC_PLANTED_none, seed + i))
            return i + 1;
        printf("  seed %" PRIu64 " fails without it, too\n", seed + i);
        return 0;
    }
    return 0;
}

/* "few" are those that show soon, for CI. The client's is found elsewhere: fault/vault_put_planted. */
static bool wanted(const char *which, unsigned bug)
{
    const bool soon = bug == QC_PLANTED_ack_early || bug == QC_PLANTED_unverified ||
                      bug == QC_PLANTED_key_reuse || bug == QC_PLANTED_no_tombstone ||
                      bug == QC_PLANTED_purge_current;

    if (bug == QC_PLANTED_shares_late)
        return false;
    if (strcmp(which, "few") == 0)
        return soon;
    return strcmp(which, "all") == 0 || strcmp(which, planted[bug].name) == 0;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Was it found in each round? */
static bool hunt_one(enum qc_planted bug, const struct hunt *h)
{
    uint64_t needed[ROUNDS_MAX];

    printf("bug %u, %s: %s\n", planted[bug].number, planted[bug].name, planted[bug].text);
    for (uint64_t round = 0; round < h->rounds; round++) {
        needed[round] = hunt(bug, h->seed + round * ROUND_SEEDS, h->histories);
        if (needed[round] == 0) {
            printf("  NOT found in %" PRIu64 " histories from seed %" PRIu64 "\n", h->histories,
                   h->seed + round * ROUND_SEEDS);
            return false;
        }
    }
    qsort(needed, h->rounds, sizeof *needed, ascending);
    if (h->rounds == 1)
        printf("  found in history %" PRIu64 " of %" PRIu64 " at most\n", needed[0], h->histories);
    else
        printf("  found in history %" PRIu64 " in the median of %" PRIu64 " rounds, %" PRIu64 " to %" PRIu64
               ", of %" PRIu64 " at most\n",
               needed[h->rounds / 2], h->rounds, needed[0], needed[h->rounds - 1], h->histories);
    return true;
}

int hunt_all(const struct hunt *h)
{
    unsigned missed = 0, hunted = 0;

    if (h->rounds < 1 || h->rounds > ROUNDS_MAX)
        return 2;
    for (unsigned bug = QC_PLANTED_none + 1; bug < QC_PLANTED_COUNT; bug++) {
        if (!wanted(h->which, bug))
            continue;
        hunted++;
        missed += !hunt_one((enum qc_planted)bug, h);
    }
    printf("%u planted bugs, %u not found; %.1f s of a processor\n", hunted, missed, plays_cpu_seconds());
    return hunted > 0 && missed == 0 ? 0 : 1;
}
#else
int hunt_all(const struct hunt *h)
{
    (void)h;
    fprintf(stderr, "qcloud-sim: no bugs can be planted in a release\n");
    return 2;
}
#endif
