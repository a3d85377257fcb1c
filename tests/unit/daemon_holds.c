/* unit/daemon_holds: what pad an upload takes of a link, and who has it. */
#include "holds.h"

#include "base/thread.h"
#include "qc_check.h"

static const struct gw_id a = { { 1 } }, b = { { 2 } };

static void needs(void)
{
    CHECK(holds_need(0, 3) == 1 + 32 + 12 + 4096);
    CHECK(holds_need(300000, 3) == 100001 + 2 * 32 + 7 * 12 + 4096);
    CHECK(holds_need(300000, 0) == holds_need(300000, 1)); /* no code: all of it */
    for (uint64_t size = 0; size < 1000000; size += 4999)
        CHECK(holds_need(size + 1, 3) >= holds_need(size, 3) && holds_need(size, 3) > size / 3);
}

static void holding(void)
{
    static struct holds h;
    struct gw_id id = { { 0 } };
    holds_init(&h);
    CHECK(holds_others(&h, &a) == 0);
    holds_set(&h, &a, 1000);
    CHECK(holds_others(&h, &a) == 0 && holds_others(&h, &b) == 1000);
    holds_set(&h, &a, 700); /* begun again: once */
    holds_set(&h, &b, 50);
    CHECK(holds_others(&h, &b) == 700 && holds_others(&h, &a) == 50);
    holds_give_back(&h, &a, 300);
    CHECK(holds_others(&h, &b) == 400);
    holds_give_back(&h, &a, UINT64_MAX);
    holds_give_back(&h, &a, 1);
    CHECK(holds_others(&h, &b) == 0);
    for (unsigned i = 0; i < LEVELS_HOLDS + 10; i++) { /* no room for all: these have none */
        id.b[2] = (uint8_t)i;
        id.b[3] = (uint8_t)(i / 256 + 1);
        holds_set(&h, &id, 1);
    }
    CHECK(holds_others(&h, &a) == 50 + LEVELS_HOLDS - 1);
    holds_done(&h);
}

int main(void)
{
    needs();
    holding();
    return 0;
}
