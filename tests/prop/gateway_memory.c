/* prop/gateway_memory: eight transfers at once, segments of full size, two fragments of each gone: never more
 * than 256 MiB resident, whatever is moved (I6). The clouds' files are not counted: they are not this
 * process's. */
#include "gw_rig.h"

#include <pthread.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED 1 /* a sanitizer's own memory is counted, too */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHADOWED 1
#endif
#endif
#ifndef SHADOWED
#define SHADOWED 0
#endif

enum {
    TRANSFERS = 8,
    SEGMENTS = SHADOWED ? 2 : 5, /* a sanitizer looks at what is done, not how often */
    PATIENT_MS = 120000,
    MIB = 1024 * 1024,
    RESIDENT_MAX_MIB = 256,
    STEP = 65536
};

struct transfer {
    struct rig rig; /* shares fan and store, has its own generator */
    pthread_t thread;
};

static void write_segment(struct rig *r, struct gw_segment *s, uint64_t seed)
{
    struct qc_rand content = { .state = seed };
    struct gw_unit *u = NULL;
    struct gw_written w;
    struct qc_err err = { 0 };

    CHECK_OK(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(PATIENT_MS), &u, &err));
    uint8_t step[STEP];
    gw_unit_begin(u, s->k, s->size);
    for (uint32_t at = 0; at < s->size; at += STEP) {
        qc_rand_fill(&content, step, STEP);
        gw_unit_add(u, qc_span_of(step, STEP));
    }
    CHECK_OK(gw_segment_write(r->store, s, u, qc_deadline_in(PATIENT_MS), &w, &err));
    CHECK(w.durable == 5);
    memcpy(s->digest, w.digest, sizeof s->digest);
    gw_unit_give(&u);
}

static void read_segment(struct rig *r, const struct gw_segment *s, uint64_t seed)
{
    struct qc_rand content = { .state = seed };
    struct gw_faults f = { 0 };
    struct gw_read *rd = NULL;
    struct qc_err err = { 0 };
    uint8_t want[STEP], got[STEP];

    CHECK_OK(gw_segment_read(r->store, s, (struct gw_range){ 0, s->size }, qc_deadline_in(PATIENT_MS), &f,
                             &rd, &err));
    for (uint32_t at = 0; at < s->size; at += STEP) {
        qc_rand_fill(&content, want, STEP);
        gw_read_copy(rd, at, got, STEP);
        CHECK(memcmp(want, got, STEP) == 0);
    }
    gw_read_free(&rd);
}

static void *transfer(void *arg)
{
    struct rig *r = &((struct transfer *)arg)->rig;

    for (unsigned i = 0; i < SEGMENTS; i++) {
        struct gw_segment s = rig_segment(r, QC_GW_SEGMENT_MAX);
        const uint64_t seed = qc_rand_u64(&r->rand);
        write_segment(r, &s, seed);
        s.absent = 0x5;
        read_segment(r, &s, seed);
        for (unsigned k = 0; k < s.n; k++) {
            char path[512];
            (void)rig_fragment(r, &s, k, path, sizeof path);
            CHECK(unlink(path) == 0);
        }
    }
    return NULL;
}

static long resident_max_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    CHECK(fclose(f) == 0 && kib > 0);
    return kib;
}

int main(void)
{
    static struct transfer t[TRANSFERS];

    rig_in_memory();
    struct rig r = rig_new(qc_rand_start(), 5, 3, 5);
    for (unsigned i = 0; i < TRANSFERS; i++) {
        t[i].rig = r;
        t[i].rig.rand.state = qc_rand_u64(&r.rand);
    }
    for (unsigned i = 0; i < TRANSFERS; i++)
        CHECK(pthread_create(&t[i].thread, NULL, transfer, &t[i]) == 0);
    for (unsigned i = 0; i < TRANSFERS; i++)
        CHECK(pthread_join(t[i].thread, NULL) == 0);
    const long kib = resident_max_kib();
    printf("%d segments of %d MiB by %d transfers at once: %ld MiB resident at most\n", TRANSFERS * SEGMENTS,
           QC_GW_SEGMENT_MAX / MIB, TRANSFERS, kib / 1024);
    CHECK(SHADOWED || kib <= (long)RESIDENT_MAX_MIB * 1024);
    rig_done(&r);
    return 0;
}
