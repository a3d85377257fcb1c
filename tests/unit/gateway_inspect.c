/* unit/gateway_inspect: what an inspection makes of fragments that do not come in time: a cloud that is slow,
 * one that was away and is back, an object that begins and does not end. */
#include "gw_rig.h"

#include <pthread.h>
#include <unistd.h>

enum { PATIENT_MS = 60000, SIZE = 300000 };

static uint8_t bytes[SIZE];

/* The rules of cloud/cloud_fault.h, changed while clouds are open. */
static void faults(const struct rig *r, const char *rules)
{
    char path[300], tmp[310];

    CHECK(snprintf(path, sizeof path, "%s/faults", r->dir.path) > 0);
    CHECK(snprintf(tmp, sizeof tmp, "%s.new", path) > 0);
    FILE *f = fopen(tmp, "w");
    CHECK(f != NULL && fputs(rules, f) >= 0 && fclose(f) == 0 && rename(tmp, path) == 0);
}

static void *well_again(void *rig)
{
    (void)usleep(500000);
    faults(rig, "");
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
    faults(r, rule[0] != '\0' ? rules : "");
    CHECK_OK(gw_segment_inspect(r->store, s, 0x1f, qc_deadline_in(ms), &in, &read, &err));
    CHECK(read != NULL); /* by the others */
    gw_read_free(&read);
    for (unsigned i = 0; i < 5; i++)
        CHECK(i == 1 || in.found[i] == GW_FOUND_GOOD);
    CHECK((in.why[1][0] != '\0') == (in.found[1] != GW_FOUND_GOOD));
    faults(r, "");
    while (gw_store_spare(r->store) != QC_GW_UNITS)
        (void)usleep(10000); /* until what was abandoned has ended */
    (void)rig_probe(r);
    return in.found[1];
}

int main(void)
{
    char text[320];
    rig_in_memory();
    struct rig r = rig_new(qc_rand_start(), 5, 3, 5);
    rig_close(&r);
    faults(&r, "");
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
    CHECK(judged(&r, &s, "get:delay:60000", 1000) == GW_FOUND_AWAY);    /* nothing comes */
    CHECK(judged(&r, &s, "get:stall:60000", 1000) == GW_FOUND_DAMAGED); /* it begins, and does not end */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, well_again, &r) == 0);
    CHECK(judged(&r, &s, "get:stall:60000", 1000) == GW_FOUND_AWAY); /* the cloud hung, and is back */
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(judged(&r, &s, "", PATIENT_MS) == GW_FOUND_GOOD);
    rig_done(&r);
    return 0;
}
