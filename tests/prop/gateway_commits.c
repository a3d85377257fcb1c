/* prop/gateway_commits: many writers and movers, few paths, clouds that come and go. Every acknowledgement
 * has a number of its own, a move one at both paths or none, numbers have no gaps, the chain is as long as
 * the acknowledgements, and what was acknowledged is read back. */
#include <stdatomic.h>

#include "gw_engine_rig.h"

enum { WRITERS = 6, PATHS = 4, TRIES = 1000, NUMBERS_MAX = 65536 };

static struct erig rig;
static atomic_uint acked[PATHS][NUMBERS_MAX]; /* by number: how many acknowledgements */
static atomic_uint total, stored, moved, conflicts, quorums, cancels;
static atomic_bool stop;
static qc_deadline until;
static uint64_t base_seed;

static const char *path_of(unsigned p)
{
    static const char *const names[PATHS] = { "\1alpha", "\1beta", "\1gamma", "\1delta" };
    return names[p];
}

static uint64_t current(unsigned p)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    const qc_rc rc = gw_entry_get(rig.e, OWN(rig.vault), qc_span_str(path_of(p)), &row, &err);

    if (rc == QC_NOTFOUND)
        return 0;
    CHECK(rc == QC_OK);
    const uint64_t n = row.e.number;
    gw_entry_row_done(&row);
    return n;
}

static void note(unsigned p, uint64_t number)
{
    CHECK(number < NUMBERS_MAX);
    CHECK(atomic_fetch_add(&acked[p][number], 1) == 0);
    atomic_fetch_add(&total, 1);
}

/* Until it is acknowledged: seal anew after a conflict, ask again after a quorum failure. */
static void commit_until(struct erig_put *put, unsigned p)
{
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < TRIES; i++) {
        struct gw_receipt receipt;
        err = (struct qc_err){ 0 };
        const qc_rc rc = erig_commit(&rig, put, &receipt, &err);
        if (rc == QC_OK) {
            note(p, receipt.number);
            atomic_fetch_add(&stored, 1);
            return;
        }
        if (rc == QC_CONFLICT) {
            enum gw_upload_state state;
            atomic_fetch_add(&conflicts, 1);
            CHECK_OK(gw_upload_get(rig.e, OWN(put->key), &state, &receipt, &err));
            CHECK(state == GW_UPLOAD_OPEN || state == GW_UPLOAD_DECIDED);
            if (state == GW_UPLOAD_OPEN)
                put->entry.number = put->number = current(p) + 1;
        } else {
            if (rc != QC_QUORUM && rc != QC_TEMP)
                fprintf(stderr, "commit: %s: %s\n", qc_rc_name(rc), err.msg);
            CHECK(rc == QC_QUORUM || rc == QC_TEMP); /* not decided, or decided and not done */
            atomic_fetch_add(&quorums, 1);
            usleep(20000);
        }
    }
    fprintf(stderr, "commit: %s\n", err.msg);
    CHECK(false); /* every write is acknowledged in the end */
}

static bool upload(const struct erig_put *put)
{
    struct qc_err err = { 0 };
    CHECK_OK(erig_begin(&rig, put, &err));
    for (unsigned i = 0; i < TRIES; i++) {
        const qc_rc rc = erig_segment(&rig, put, 0, &err);
        if (rc == QC_OK)
            return true;
        if (rc != QC_QUORUM)
            fprintf(stderr, "segment: %s: %s\n", qc_rc_name(rc), err.msg);
        CHECK(rc == QC_QUORUM);
        atomic_fetch_add(&quorums, 1);
        usleep(20000);
    }
    return false;
}

/* What is at one path goes to another, as seen a moment ago; what others do meanwhile may forbid it. */
static void move_from(unsigned p, unsigned q, struct qc_rand *rand)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };
    struct qc_err err = { 0 };

    if (gw_entry_get(rig.e, OWN(rig.vault), qc_span_str(path_of(p)), &row, &err) != QC_OK ||
        row.e.kind != GW_ENTRY_FILE)
        return;
    struct gw_rename m = { .away = { .path = qc_span_str(path_of(p)), .number = row.e.number + 1 },
                           .e = row.e };
    m.e.path = qc_span_str(path_of(q));
    m.e.number = current(q) + 1;
    qc_rand_fill(rand, m.put_key.b, sizeof m.put_key.b);
    qc_rand_fill(rand, m.away.seal, sizeof m.away.seal);
    qc_rand_fill(rand, m.e.seal, sizeof m.e.seal);
    for (unsigned i = 0; i < TRIES; i++) {
        err = (struct qc_err){ 0 };
        CHECK_OK(gw_entries_rename(rig.e, OWN(rig.vault), &m, 1, &err));
        if (m.rc == QC_OK) {
            note(p, m.away.number);
            note(q, m.receipt.number);
            CHECK(m.receipt.number == m.e.number);
            atomic_fetch_add(&moved, 1);
        }
        if (m.rc == QC_OK || m.rc == QC_CONFLICT || m.rc == QC_NOTFOUND)
            return;
        CHECK(m.rc == QC_QUORUM || m.rc == QC_TEMP);
        usleep(20000);
    }
    CHECK(false); /* in the end it is done, or refused */
}

static void *write_puts(void *arg)
{
    const unsigned w = *(unsigned *)arg;
    struct qc_rand rand = { .state = base_seed + w };

    for (unsigned i = 0; !qc_deadline_over(until); i++) {
        const unsigned p = (unsigned)qc_rand_below(&rand, PATHS);
        struct qc_err err = { 0 };
        struct erig_put put = erig_prepare(base_seed + w * 100000 + i + 1, path_of(p), current(p) + 1, 1,
                                           (uint32_t)qc_rand_between(&rand, 1, 3000));
        CHECK(upload(&put));
        if (qc_rand_below(&rand, 8) == 0) {
            enum gw_upload_state state;
            struct gw_receipt receipt;
            CHECK_OK(gw_upload_cancel(rig.e, OWN(put.key), &state, &receipt, &err));
            atomic_fetch_add(&cancels, 1);
            continue;
        }
        commit_until(&put, p);
        if (qc_rand_below(&rand, 3) == 0)
            move_from(p, (p + 1 + (unsigned)qc_rand_below(&rand, PATHS - 1)) % PATHS, &rand);
        for (unsigned t = 0; t < TRIES; t++) {
            const qc_rc rc = erig_check(&rig, &put, &err);
            if (rc == QC_OK)
                break;
            CHECK(rc == QC_QUORUM && t + 1 < TRIES);
            usleep(20000);
        }
    }
    return NULL;
}

/* One cloud away at a time, or two: below the write quorum for a while. */
static void *shake(void *arg)
{
    struct qc_rand rand = { .state = base_seed ^ 7 };
    (void)arg;
    while (!atomic_load(&stop)) {
        const unsigned first = (unsigned)qc_rand_below(&rand, rig.clouds);
        const unsigned second = (first + 1) % rig.clouds;
        const bool both = qc_rand_below(&rand, 3) == 0;
        erig_lose(&rig, first);
        if (both)
            erig_lose(&rig, second);
        usleep(150000);
        erig_find(&rig, first);
        if (both)
            erig_find(&rig, second);
    }
    return NULL;
}

static void *tidy(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        struct qc_err err = { 0 };
        bool more;
        const qc_rc rc = gw_engine_tidy(rig.e, &more, &err);
        CHECK(rc == QC_OK || rc == QC_QUORUM);
        usleep(20000);
    }
    return NULL;
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    pthread_t writers[WRITERS], shaker, housekeeper;
    unsigned numbers[WRITERS];
    struct qc_err err = { 0 };
    struct gw_status s;

    base_seed = qc_rand_u64(&rand) >> 8;
    until = qc_deadline_in(qc_rand_cases(8000, 120000));
    erig_new(&rig, 5, 3, 5);
    for (unsigned i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&writers[i], NULL, write_puts, &numbers[i]) == 0);
    }
    CHECK(pthread_create(&shaker, NULL, shake, NULL) == 0);
    CHECK(pthread_create(&housekeeper, NULL, tidy, NULL) == 0);
    for (unsigned i = 0; i < WRITERS; i++)
        CHECK(pthread_join(writers[i], NULL) == 0);
    atomic_store(&stop, true);
    CHECK(pthread_join(shaker, NULL) == 0);
    CHECK(pthread_join(housekeeper, NULL) == 0);

    uint64_t sum = 0;
    for (unsigned p = 0; p < PATHS; p++) {
        const uint64_t n = current(p);
        for (uint64_t i = 1; i <= n; i++)
            CHECK(atomic_load(&acked[p][i]) == 1);
        sum += n;
    }
    CHECK(sum == atomic_load(&total) && sum > 0);
    usleep(1100 * 1000);
    const qc_deadline patience = qc_deadline_in(120000);
    do {
        bool more;
        CHECK_OK(gw_engine_tidy(rig.e, &more, &err));
        CHECK_OK(gw_engine_status(rig.e, &s, &err));
    } while ((s.record_debts > 0 || s.dead_segments > 0) && !qc_deadline_over(patience));
    CHECK(s.record_debts == 0 && s.dead_segments == 0 && s.open_uploads == 0 &&
          s.versions == atomic_load(&stored));
    CHECK(atomic_load(&moved) > 0 && sum == atomic_load(&stored) + 2 * (uint64_t)atomic_load(&moved));
    struct gw_vault v = { 0 };
    CHECK_OK(gw_vault_get(rig.e, OWN(rig.vault), &v, &err));
    CHECK(v.head.count == sum);
    gw_vault_done(&v);
    gw_engine_close(&rig.e);

    /* And a rebuild finds every acknowledgement. */
    struct gw_rebuild_report report;
    char other[320];
    erig_path(&rig, "other", other, sizeof other);
    CHECK_OK(erig_rebuild(&rig, other, &report, &err));
    CHECK(report.versions == atomic_load(&stored) && report.log_sequence == s.log_sequence &&
          report.unreadable == 0);
    fprintf(stderr,
            "%u acknowledged, %u moves, %u conflicts, %u without quorum, %u cancelled, %llu log objects\n",
            atomic_load(&total), atomic_load(&moved), atomic_load(&conflicts), atomic_load(&quorums),
            atomic_load(&cancels), (unsigned long long)s.log_sequence);
    erig_done(&rig);
    return 0;
}
