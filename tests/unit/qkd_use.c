/* unit/qkd_use: the pace of use and what it foretells; when it is told. */
#include "qkd/use.h"

#include <math.h>

#include "base/limits.h"
#include "qc_check.h"

static bool about(double a, double b, double part)
{
    return fabs(a - b) <= part * b;
}

/* From `from` on, a use each 100 ms, for ms. */
static void go_on(struct qkd_use *u, uint64_t from, uint64_t ms, uint64_t bits)
{
    for (uint64_t t = from; t < from + ms; t += 100)
        qkd_use_note(u, t, bits);
}

/* As soon as a second of use was seen, and from then on, both means are the pace. */
static void check_steady(void)
{
    static const uint64_t spans[] = { 2000, 60000, 600000, 7200000 };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct qkd_use u = { 0 };
        go_on(&u, 5000, spans[i], 1000);
        const uint64_t now = 5000 + spans[i];
        CHECK(about(qkd_use_bps(&u, now, false), 10000, 0.06) &&
              about(qkd_use_bps(&u, now, true), 10000, 0.06));
        CHECK(about(qkd_use_dry_s(&u, now, 1000000, 0), 100, 0.06));
        CHECK(about(qkd_use_dry_s(&u, now, 1000000, 5000), 200, 0.13));
        CHECK(isinf(qkd_use_dry_s(&u, now, 1000000, 11000)) && qkd_use_dry_s(&u, now, 0, 0) == 0);
    }
}

/* Nothing was used, or once; times that go back; the largest numbers. */
static void check_edges(void)
{
    struct qkd_use u = { 0 };
    CHECK(qkd_use_bps(&u, 1000000, false) == 0 && isinf(qkd_use_dry_s(&u, 5, 5, 0)));
    qkd_use_note(&u, 7000, UINT64_MAX);
    CHECK(qkd_use_bps(&u, 7500, true) == 0 && qkd_use_bps(&u, 9000, true) == 0);
    qkd_use_note(&u, 9000, UINT64_MAX);
    qkd_use_note(&u, 8000, UINT64_MAX);
    CHECK(isfinite(qkd_use_bps(&u, 9000, false)) && qkd_use_bps(&u, 9000, false) > 1e18);
    CHECK(qkd_use_bps(&u, 6000, false) == 0);
    CHECK(isfinite(qkd_use_dry_s(&u, 9000, UINT64_MAX, UINT64_MAX - 1)));
    CHECK(qkd_use_bps(&u, UINT64_MAX, false) == 0); /* long ago */
}

/* A burst is seen within minutes, and an idle hour does not hide a day. */
static void check_both_means(void)
{
    struct qkd_use u = { 0 };
    go_on(&u, 0, 12 * 3600000ULL, 1000);
    uint64_t now = 12 * 3600000ULL;
    CHECK(about(qkd_use_dry_s(&u, now, 36000000, 0), 3600, 0.02));
    now += 3600000; /* an hour of nothing */
    CHECK(qkd_use_bps(&u, now, false) < 50 && about(qkd_use_bps(&u, now, true), 10000, 0.15));
    CHECK(about(qkd_use_dry_s(&u, now, 36000000, 0), 3600, 0.2));
    go_on(&u, now, 600000, 10000); /* ten times as much, ten minutes */
    CHECK(qkd_use_bps(&u, now + 600000, false) > 60000 && qkd_use_bps(&u, now + 600000, true) < 13000);
}

static void check_told(void)
{
    struct qkd_use u = { 0 };
    go_on(&u, 0, 30000, 1000);
    CHECK(qkd_use_dry(&u, 30000, 10, QKD_DRY_NOT) == QKD_DRY_NOT); /* not in the first minute */
    go_on(&u, 30000, 40000, 1000);
    const uint64_t t = 70000;
    CHECK(qkd_use_dry(&u, t, INFINITY, QKD_DRY_NOT) == QKD_DRY_NOT);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_WARN_S - 1, QKD_DRY_NOT) == QKD_DRY_WARN);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_WARN_S + 1, QKD_DRY_NOT) == QKD_DRY_NOT);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_WARN_S * 1.09, QKD_DRY_WARN) == QKD_DRY_WARN);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_WARN_S * 1.11, QKD_DRY_WARN) == QKD_DRY_NOT);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_ALARM_S - 1, QKD_DRY_WARN) == QKD_DRY_ALARM);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_ALARM_S * 1.09, QKD_DRY_ALARM) == QKD_DRY_ALARM);
    CHECK(qkd_use_dry(&u, t, QKD_DRY_ALARM_S * 1.11, QKD_DRY_ALARM) == QKD_DRY_WARN);
    CHECK(qkd_use_dry(&u, t, INFINITY, QKD_DRY_ALARM) == QKD_DRY_NOT);
}

int main(void)
{
    check_steady();
    check_edges();
    check_both_means();
    check_told();
    return 0;
}
