/* unit/gateway_breaker: closed, open, half-open: who is asked, when, and how long it stays open. */
#include "base/limits.h"
#include "gateway/breaker.h"
#include "gateway/env.h"
#include "qc_check.h"

/* The longest and the shortest wait of a failure. */
static void backoff(void)
{
    CHECK(gw_backoff_ms(1, 1000, 60000, 0) == 500 && gw_backoff_ms(1, 1000, 60000, 500) == 1000);
    CHECK(gw_backoff_ms(1, 1000, 60000, 501) == 500);
    CHECK(gw_backoff_ms(2, 1000, 60000, 1000) == 2000 && gw_backoff_ms(6, 1000, 60000, 0) == 16000);
    CHECK(gw_backoff_ms(7, 1000, 60000, 30000) == 60000 &&
          gw_backoff_ms(UINT32_MAX, 1000, 60000, 0) == 30000);
    CHECK(gw_backoff_ms(1, 1, 1, 77) == 1 && gw_backoff_ms(9, 7, 7, UINT32_MAX) <= 7);
    CHECK(gw_backoff_ms(UINT32_MAX, 1, UINT64_MAX, UINT32_MAX) > UINT64_MAX / 2);
}

static void life(void)
{
    struct gw_breaker b = { 0 };
    const uint64_t most = QC_GW_BREAKER_MOST_MS;

    CHECK(b.state == GW_BREAKER_CLOSED && gw_breaker_due(&b, 0) && gw_breaker_probe(&b, 0));
    CHECK(b.state == GW_BREAKER_CLOSED);
    gw_breaker_miss(&b, 100, UINT32_MAX);
    CHECK(b.state == GW_BREAKER_OPEN && b.misses == 1);
    const uint64_t until = b.until_ms;
    CHECK(until >= 100 + QC_GW_PROBE_AGAIN_MS / 2 && until <= 100 + QC_GW_PROBE_AGAIN_MS);
    gw_breaker_miss(&b, 101, 7); /* the same outage */
    CHECK(b.misses == 1 && b.until_ms == until);
    gw_breaker_work(&b); /* late news of before */
    CHECK(b.misses == 1);
    CHECK(!gw_breaker_due(&b, until - 1) && !gw_breaker_probe(&b, until - 1));
    CHECK(gw_breaker_probe(&b, until) && b.state == GW_BREAKER_HALF);
    CHECK(!gw_breaker_probe(&b, until)); /* one at a time */
    CHECK(!gw_breaker_probe(&b, until + most - 1));
    gw_breaker_miss(&b, until + 5, 0);
    CHECK(b.state == GW_BREAKER_OPEN && b.misses == 2 && b.until_ms == until + 5 + QC_GW_PROBE_AGAIN_MS);
    CHECK(gw_breaker_probe(&b, b.until_ms));
    const uint64_t lost = b.until_ms;
    CHECK(gw_breaker_probe(&b, lost)); /* whoever probed never came back */
    CHECK(lost == until + 5 + QC_GW_PROBE_AGAIN_MS + most);
    gw_breaker_answer(&b);
    CHECK(b.state == GW_BREAKER_CLOSED && b.misses == 2 && gw_breaker_due(&b, 0));
    gw_breaker_miss(&b, 0, 0); /* it answers, and hangs */
    CHECK(b.misses == 3 && b.until_ms == 2 * QC_GW_PROBE_AGAIN_MS);
    gw_breaker_answer(&b);
    gw_breaker_work(&b);
    CHECK(b.misses == 0);
    for (unsigned i = 0; i < 100; i++) {
        b.until_ms = 0;
        gw_breaker_miss(&b, 0, UINT32_MAX - i);
        CHECK(b.until_ms <= most);
    }
    CHECK(b.until_ms >= most / 2);
}

static void names(void)
{
    CHECK(strcmp(gw_breaker_state_name(GW_BREAKER_CLOSED), "closed") == 0);
    CHECK(strcmp(gw_breaker_state_name(GW_BREAKER_OPEN), "open") == 0);
    CHECK(strcmp(gw_breaker_state_name(GW_BREAKER_HALF), "half-open") == 0);
}

static void real(void)
{
    const uint64_t a = gw_env_now(&gw_env_real);
    uint32_t any = 0, all = UINT32_MAX;

    for (unsigned i = 0; i < 200; i++) {
        const uint32_t x = gw_env_chance(&gw_env_real);
        any |= x;
        all &= x;
    }
    CHECK(any == UINT32_MAX && all == 0); /* each bit is both */
    CHECK(gw_env_now(&gw_env_real) >= a);
}

int main(void)
{
    backoff();
    life();
    names();
    real();
    return 0;
}
