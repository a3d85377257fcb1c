/* unit/gateway_inspect: what an inspection makes of fragments that do not come in time: a cloud that is slow,
 * one that was away and is back, an object that begins and does not end. */
#include "cloud/tally.h"
#include "gw_rig.h"

#include <pthread.h>
#include <unistd.h>

enum { PATIENT_MS = 60000, SIZE = 300000 };

static uint8_t bytes[SIZE];

static void *well_again(void *rig)
{
    (void)usleep(500000);
    rig_faults(rig, "");
    return NULL;
}

/* All five, within ms; the first of those with the rule on its cloud is judged so. */
static enum gw_found judged(struct rig *r, const struct gw_segment *s, const char *rule, uint64_t ms)
{
    struct gw_inspection in;
    struct gw_read *read = NULL;
    struct qc_err err = { 0 };
    char path[512], rules[64];
    const unsigned cloud = rig_fragment(r, s, 1, path, sizeof path);

    CHECK(snprintf(rules, sizeof rules, "c%u=%s", cloud + 1, rule) > 0);
    rig_faults(r, rule[0] != '\0' ? rules : "");
    CHECK_OK(gw_segment_inspect(r->store, s, 0x1f, qc_deadline_in(ms), &in, &read, &err));
    CHECK(read != NULL); /* by the others */
    gw_read_free(&read);
    for (unsigned i = 0; i < 5; i++)
        CHECK(i == 1 || in.found[i] == GW_FOUND_GOOD);
    CHECK((in.why[1][0] != '\0') == (in.found[1] != GW_FOUND_GOOD));
    rig_faults(r, "");
    rig_calm(r);
    return in.found[1];
}

static struct gw_range whole(const struct gw_segment *s)
{
    return (struct gw_range){ 0, s->size };
}

/* Without early races slow data fragments are raced after QC_GW_HEDGE_MS, then passed over at once. */
static void hung_reads(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 300000);
    struct gw_faults f;
    char path[512], rules[64];

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    const unsigned slow = rig_fragment(r, &s, 0, path, sizeof path);
    CHECK(snprintf(rules, sizeof rules, "c%u=get:delay:20000", slow + 1) > 0);
    rig_faults(r, rules);
    const uint64_t t0 = qc_now_ms();
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
    const uint64_t took = qc_now_ms() - t0;
    CHECK(took >= QC_GW_HEDGE_MS && took < 10000);
    CHECK(f.count == 1 && f.v[0].kind == GW_FAULT_LATE && f.v[0].cloud_id == slow + 1);
    CHECK(rig_view(r, slow).slow && !rig_view(r, slow).suspect);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0); /* not asked at all */
    rig_faults(r, "*=get:delay:20000");
    CHECK(rig_read(r, &s, whole(&s), bytes, 700, &f) == QC_QUORUM && f.count >= 3);
    rig_faults(r, "");
    rig_calm(r);
}

static uint64_t gets_of(const struct rig *r, unsigned at)
{
    return qc_hist_total(&gw_fan_tally(r->fan, at)->took[CLOUD_CALL_GET]);
}

/* A read does not wait for a slow cloud longer than others usually take, and soon does not ask it any more.
 * Nobody is blamed for being slower than others. */
static void slow_reads(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 300000);
    struct gw_faults f;
    char path[512], rules[64];
    unsigned waited = 0;

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    const unsigned slow = rig_fragment(r, &s, 0, path, sizeof path);
    CHECK(snprintf(rules, sizeof rules, "c%u=get:delay:3000", slow + 1) > 0);
    for (unsigned i = 0; i < 40; i++)
        CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
    gw_store_races(r->store, QC_GW_HEDGE_PERCENT);
    rig_faults(r, rules);
    for (unsigned i = 0; i < 40; i++) {
        const uint64_t t0 = qc_now_ms();
        CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
        const bool long_time = qc_now_ms() - t0 >= QC_GW_HEDGE_MS;
        waited += long_time;
        /* Where the machine itself is that slow, others are late, too. */
        CHECK(long_time || f.count == 0 ||
              (f.count == 1 && f.v[0].kind == GW_FAULT_LATE && f.v[0].cloud_id == slow + 1));
    }
    CHECK(waited < 20); /* of 40, which are as many where each waits */
    rig_calm(r);        /* what it was asked has ended */
    const uint64_t asked = gets_of(r, slow);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
    CHECK(gets_of(r, slow) == asked); /* not asked at all */
    gw_store_races(r->store, 0);
    rig_faults(r, "");
    rig_calm(r);
}

int main(void)
{
    char text[320];
    rig_in_memory();
    struct rig r = rig_new(qc_rand_start(), 5, 3, 5);
    rig_close(&r);
    rig_faults(&r, "");
    CHECK(snprintf(text, sizeof text, "@%s/faults", r.dir.path) > 0 &&
          setenv("QC_CLOUD_FAULTS", text, 1) == 0);
    rig_open(&r);
    CHECK(rig_probe(&r) == 0x1f);
    struct gw_segment s = rig_segment(&r, SIZE);
    const struct gw_written w = rig_write(&r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == 5);
    memcpy(s.digest, w.digest, sizeof s.digest);

    CHECK(judged(&r, &s, "", PATIENT_MS) == GW_FOUND_GOOD);
    CHECK(judged(&r, &s, "get:flip", PATIENT_MS) == GW_FOUND_DAMAGED);
    CHECK(judged(&r, &s, "get:missing", PATIENT_MS) == GW_FOUND_MISSING);
    CHECK(judged(&r, &s, "get:fail:temporary", PATIENT_MS) == GW_FOUND_AWAY);
    CHECK(judged(&r, &s, "get:delay:60000", 2000) == GW_FOUND_AWAY);    /* nothing comes */
    CHECK(judged(&r, &s, "get:stall:60000", 2000) == GW_FOUND_DAMAGED); /* it begins, and does not end */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, well_again, &r) == 0);
    CHECK(judged(&r, &s, "get:stall:60000", 2000) == GW_FOUND_AWAY); /* the cloud hung, and is back */
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(judged(&r, &s, "", PATIENT_MS) == GW_FOUND_GOOD);
    hung_reads(&r);
    slow_reads(&r);
    rig_done(&r);
    return 0;
}
