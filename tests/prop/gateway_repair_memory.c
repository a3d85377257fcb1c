/* prop/gateway_repair_memory: a deep repair that rebuilds two fragments of every segment of full size, while
 * others read and write: never more than 256 MiB resident, and nobody waits for it to end (I6). */
#include <pthread.h>
#include <stdatomic.h>

#include "gw_repair_rig.h"

enum {
    OBJECTS = 3,
    SEGMENTS = 2,
    READERS = 3,
    SIZE = QC_GW_SEGMENT_MAX - 3, /* the last segment of a put has three more */
    MIB = 1024 * 1024,
    RESIDENT_MAX_MIB = 256,
    STEP = 65536
};

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

struct user {
    struct erig *r;
    const struct erig_put *puts;
    atomic_bool stop;
    unsigned done;
};

static struct qc_rand content_of(const struct erig_put *p, uint32_t seq)
{
    return (struct qc_rand){ .state = p->seed * 1000003 + seq };
}

static void put_segment(struct erig *r, const struct erig_put *p, uint32_t seq)
{
    const struct gw_segment_put s = { .tenant = r->tenant,
                                      .put_key = p->key,
                                      .seq = seq,
                                      .last = seq + 1 == p->segments,
                                      .size = erig_size(p, seq) };
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    struct qc_rand content = content_of(p, seq);
    struct gw_segment_receipt receipt;
    struct qc_err err = { 0 };
    uint8_t step[STEP];

    CHECK_OK(gw_engine_unit(r->e, r->tenant, s.size, qc_deadline_in(60000), &u, &err));
    for (uint32_t at = 0; at < s.size; at += STEP) {
        qc_rand_fill(&content, step, STEP);
        gw_unit_add(u, qc_span_of(step, s.size - at < STEP ? s.size - at : STEP));
    }
    CHECK_OK(gw_upload_segment(r->e, &s, u, &receipt, &err));
}

static void put(struct erig *r, const struct erig_put *p)
{
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_begin(r, p, &err));
    for (uint32_t seq = 0; seq < p->segments; seq++)
        put_segment(r, p, seq);
    CHECK_OK(erig_commit(r, p, &receipt, &err));
}

static void read_segment(struct gw_reader *reader, const struct erig_put *p, uint32_t seq, uint64_t off,
                         uint64_t size)
{
    struct qc_rand content = content_of(p, seq);
    struct qc_err err = { 0 };
    uint8_t want[STEP], got[STEP];

    for (uint32_t at = 0; at < erig_size(p, seq); at += STEP) {
        const size_t n = erig_size(p, seq) - at < STEP ? erig_size(p, seq) - at : STEP;
        qc_rand_fill(&content, want, STEP);
        for (size_t have = 0; have < n;) {
            size_t more = 0;
            CHECK_OK(gw_reader_read(reader, off + at + have, size, got + have, n - have, &more, &err));
            CHECK(more > 0);
            have += more;
        }
        CHECK(memcmp(want, got, n) == 0);
    }
}

static void read_back(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    struct qc_err err = { 0 };
    uint64_t size, off = 0;

    CHECK_OK(gw_reader_open(r->e, &ids, "0123456789abcdef", &reader, &size, &err));
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        read_segment(reader, p, seq, off, size);
        off += erig_size(p, seq);
    }
    CHECK(off == size);
}

static void *reads(void *arg)
{
    struct user *u = arg;

    do
        read_back(u->r, &u->puts[u->done++ % OBJECTS]);
    while (!atomic_load(&u->stop));
    return NULL;
}

static void *writes(void *arg)
{
    struct user *u = arg;

    do {
        u->done++;
        const struct erig_put p = erig_prepare(100 + u->done, "\1more", u->done, 1, SIZE);
        put(u->r, &p);
    } while (!atomic_load(&u->stop) && u->done < 4);
    return NULL;
}

/* One fragment is gone; of another a byte is wrong. */
static void damage(struct erig *r, const struct erig_put *p, uint32_t seq)
{
    const off_t middle = SIZE / 6;
    unsigned cloud;
    char path[600];
    uint8_t b;

    rrig_fragment(r, p, seq, seq % r->n, &cloud, path);
    CHECK(unlink(path) == 0);
    rrig_fragment(r, p, seq, (seq + 2) % r->n, &cloud, path);
    const int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, &b, 1, middle) == 1);
    b ^= 0x10;
    CHECK(pwrite(fd, &b, 1, middle) == 1 && close(fd) == 0);
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

static void repair(struct erig *r)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };

    const qc_rc rc = rrig_repair(r, true, &report);
    CHECK(rc == QC_OK && rrig_sum(&report).rebuilt == (uint64_t)2 * OBJECTS * SEGMENTS);
    CHECK_OK(gw_repair_verdict(&report, &err));
}

int main(void)
{
    static const char *const paths[OBJECTS] = { "\1a", "\1b", "\1c" };
    struct erig_put puts[OBJECTS];
    struct user users[READERS + 1];
    pthread_t threads[READERS + 1];
    struct erig r;
    unsigned reads_done = 0;

    erig_new(&r, 5, 3, 5);
    for (unsigned i = 0; i < OBJECTS; i++) {
        puts[i] = erig_prepare(i + 1, paths[i], 1, SEGMENTS, SIZE);
        put(&r, &puts[i]);
        for (uint32_t seq = 0; seq < SEGMENTS; seq++)
            damage(&r, &puts[i], seq);
    }
    for (unsigned i = 0; i <= READERS; i++) {
        users[i] = (struct user){ .r = &r, .puts = puts };
        CHECK(pthread_create(&threads[i], NULL, i < READERS ? reads : writes, &users[i]) == 0);
    }
    repair(&r);
    for (unsigned i = 0; i <= READERS; i++)
        atomic_store(&users[i].stop, true);
    for (unsigned i = 0; i <= READERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (unsigned i = 0; i < READERS; i++)
        reads_done += users[i].done;
    const long kib = resident_max_kib();
    printf("%d segments of %d MiB repaired, %u reads and %u puts meanwhile: %ld MiB resident at most\n",
           OBJECTS * SEGMENTS, QC_GW_SEGMENT_MAX / MIB, reads_done, users[READERS].done, kib / 1024);
    CHECK(SHADOWED || kib <= (long)RESIDENT_MAX_MIB * 1024);
    erig_done(&r);
    return 0;
}
