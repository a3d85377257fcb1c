/*   sweep -> examine (the driver; no facts) -> open again with the facts -> the calls of cloud.h -> clean
 *
 * The order matters: what a driver's own requests show comes first, so that the calls are tried the way in
 * which the gateway will use them. */
#include "validate_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "driver.h"

bool cloud_keeps_from_looking(qc_rc rc)
{
    switch ((int)rc) {
    case QC_TEMP:
    case QC_TIMEOUT:
    case QC_CANCELLED:
    case QC_NOMEM:
    case QC_AUTH:
    case QC_FULL:
    case QC_LOCKED:
    case QC_RANDOM:
        return true;
    default:
        return false;
    }
}

qc_rc cloud_expect(struct validation *v, enum cloud_check check, qc_rc got, qc_rc want, const char *what,
                   bool *ret_as_wanted, struct qc_err *err)
{
    if (got != QC_OK && cloud_keeps_from_looking(got))
        return got;
    *ret_as_wanted = got == want;
    if (got != want)
        cloud_exam_bad(&v->exam, check, "%s: %s", what,
                       got == QC_OK ? "the cloud said yes" : qc_rc_text(got));
    if (got != QC_OK)
        qc_err_clear(err);
    return QC_OK;
}

/* -- bytes ----------------------------------------------------------------------------------------------- */

/* splitmix64: not secret, never the same, and nothing that compresses. */
static void fill(uint64_t seed, uint8_t *dst, size_t n)
{
    for (size_t at = 0; at < n; at += 8) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(dst + at, &z, n - at < 8 ? n - at : 8);
    }
}

static uint64_t seed_of(const struct validation *v, unsigned i)
{
    uint64_t seed = i;
    for (size_t at = 0; v->exam.run[at] != '\0'; at++)
        seed = seed * 131 + (unsigned char)v->exam.run[at];
    return seed;
}

void cloud_test_bytes(const struct validation *v, unsigned i, uint8_t dst[CLOUD_TEST_SMALL])
{
    fill(seed_of(v, i), dst, CLOUD_TEST_SMALL);
}

/* The median of what was measured, microseconds. */
static uint64_t median_us(struct cloud_times *t)
{
    for (unsigned i = 1; i < t->count; i++)
        for (unsigned j = i; j > 0 && t->us[j] < t->us[j - 1]; j--) {
            uint64_t swap = t->us[j];
            t->us[j] = t->us[j - 1];
            t->us[j - 1] = swap;
        }
    return t->count == 0 ? 0 : t->us[t->count / 2];
}

static void time_add(struct cloud_times *t, uint64_t from_ns)
{
    if (t->count < CLOUD_TEST_TIMES)
        t->us[t->count++] = (qc_now_ns() - from_ns) / 1000 + 1;
}

static uint64_t rate(uint64_t bytes, uint64_t ns)
{
    return bytes * 1000000 / (ns / 1000 + 1);
}

/* -- the calls, one by one ------------------------------------------------------------------------------- */

static qc_rc check_round_trip(struct validation *v, const char *key, bool *ret_there, struct qc_err *err)
{
    struct cloud_exam *x = &v->exam;
    const qc_span parts[] = { qc_span_of(v->large, v->large_size / 2),
                              qc_span_of(v->large + v->large_size / 2, v->large_size - v->large_size / 2) };
    uint64_t size = 0;
    size_t got = 0;
    bool ok = false;
    *ret_there = false;

    uint64_t from = qc_now_ns();
    qc_rc rc = cloud_put(v->c, key, parts, 2, CLOUD_REPLACE, &v->op, err);
    x->report->put_bps = rate(v->large_size, qc_now_ns() - from);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_ROUND_TRIP, rc, QC_OK, "a write", &ok, err));
    if (!ok)
        return QC_OK;
    rc = cloud_head(v->c, key, &size, &v->op, err);
    QC_TRY(
        cloud_expect(v, CLOUD_CHECK_ROUND_TRIP, rc, QC_OK, "the size of an object just written", &ok, err));
    if (ok && size != v->large_size)
        cloud_exam_bad(x, CLOUD_CHECK_ROUND_TRIP, "an object of %zu bytes is said to have %" PRIu64,
                       v->large_size, size);
    from = qc_now_ns();
    rc = cloud_get(v->c, key, (struct cloud_range){ .n = v->large_size }, v->back, &got, &v->op, err);
    x->report->get_bps = rate(got, qc_now_ns() - from);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_ROUND_TRIP, rc, QC_OK, "reading an object just written", &ok, err));
    if (!ok)
        return QC_OK;
    if (got != v->large_size || memcmp(v->back, v->large, got) != 0)
        cloud_exam_bad(x, CLOUD_CHECK_ROUND_TRIP, "an object came back with other bytes");
    *ret_there = true;
    cloud_exam_good(x, CLOUD_CHECK_ROUND_TRIP);
    return QC_OK;
}

/* A cut inside, one over the end, one beyond it. */
static qc_rc check_range(struct validation *v, const char *key, struct qc_err *err)
{
    const struct cloud_range cuts[] = { { .off = 1, .n = 1000 },
                                        { .off = v->large_size / 2 + 7, .n = 4097 },
                                        { .off = v->large_size - 5, .n = 100 },
                                        { .off = v->large_size, .n = 10 },
                                        { .off = v->large_size + 1000, .n = 10 } };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        uint64_t left = cuts[i].off < v->large_size ? v->large_size - cuts[i].off : 0;
        size_t want = left < cuts[i].n ? (size_t)left : cuts[i].n;
        size_t got = 0;
        bool ok = false;
        qc_rc rc = cloud_get(v->c, key, cuts[i], v->back, &got, &v->op, err);
        QC_TRY(cloud_expect(v, CLOUD_CHECK_RANGE, rc, QC_OK, "a cut of an object", &ok, err));
        if (ok && (got != want || (want > 0 && memcmp(v->back, v->large + cuts[i].off, want) != 0)))
            cloud_exam_bad(&v->exam, CLOUD_CHECK_RANGE,
                           "a cut of %zu bytes from byte %" PRIu64 " came back wrong (%zu bytes)", want,
                           cuts[i].off, got);
    }
    cloud_exam_good(&v->exam, CLOUD_CHECK_RANGE);
    return QC_OK;
}

/* Does a key hold the bytes of small object i? Else a bad finding. */
static qc_rc holds(struct validation *v, enum cloud_check check, const char *key, unsigned i,
                   struct qc_err *err)
{
    uint8_t want[CLOUD_TEST_SMALL], back[CLOUD_TEST_SMALL + 1];
    size_t got = 0;
    bool ok = false;
    cloud_test_bytes(v, i, want);
    uint64_t from = qc_now_ns();
    qc_rc rc = cloud_get(v->c, key, (struct cloud_range){ .n = sizeof back }, back, &got, &v->op, err);
    time_add(&v->gets, from);
    QC_TRY(cloud_expect(v, check, rc, QC_OK, "reading it back", &ok, err));
    if (ok && (got != sizeof want || memcmp(back, want, sizeof want) != 0))
        cloud_exam_bad(&v->exam, check, "the object under the key is not the one that should be there");
    return QC_OK;
}

/* A put of small object i, and what should come of it. */
struct attempt {
    unsigned i;
    enum cloud_put_mode mode;
    qc_rc want;
    const char *what;
};

static qc_rc put_small(struct validation *v, enum cloud_check check, const char *key, const struct attempt *a,
                       struct qc_err *err)
{
    uint8_t bytes[CLOUD_TEST_SMALL];
    bool ok = false;
    cloud_test_bytes(v, a->i, bytes);
    uint64_t from = qc_now_ns();
    qc_rc rc = cloud_put(v->c, key, &(qc_span){ bytes, sizeof bytes }, 1, a->mode, &v->op, err);
    if (rc == QC_OK)
        time_add(&v->puts, from);
    return cloud_expect(v, check, rc, a->want, a->what, &ok, err);
}

/* Shorter bytes over longer ones: none of the old may shine through. */
static qc_rc check_replace(struct validation *v, const char *key, struct qc_err *err)
{
    const struct attempt again = { 1, CLOUD_REPLACE, QC_OK, "writing an object again" };
    QC_TRY(put_small(v, CLOUD_CHECK_REPLACE, key, &again, err));
    QC_TRY(holds(v, CLOUD_CHECK_REPLACE, key, 1, err));
    cloud_exam_good(&v->exam, CLOUD_CHECK_REPLACE);
    return QC_OK;
}

static qc_rc check_missing(struct validation *v, struct qc_err *err)
{
    char key[CLOUD_TEST_KEY_SIZE];
    uint64_t size = 0;
    uint8_t byte = 0;
    size_t got = 0;
    bool ok = false;
    cloud_exam_key(&v->exam, key);
    qc_rc rc = cloud_head(v->c, key, &size, &v->op, err);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_MISSING, rc, QC_NOTFOUND, "the size of what is not there", &ok, err));
    rc = cloud_get(v->c, key, (struct cloud_range){ .n = 1 }, &byte, &got, &v->op, err);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_MISSING, rc, QC_NOTFOUND, "reading what is not there", &ok, err));
    rc = cloud_delete(v->c, key, &v->op, err);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_MISSING, rc, QC_OK, "deleting what is not there", &ok, err));
    cloud_exam_good(&v->exam, CLOUD_CHECK_MISSING);
    return QC_OK;
}

static qc_rc check_new_twice(struct validation *v, struct qc_err *err)
{
    const enum cloud_check check = CLOUD_CHECK_NEW_TWICE;
    static const struct attempt attempts[] = {
        { 2, CLOUD_NEW, QC_OK, "the first writer of a key" },
        { 2, CLOUD_NEW, QC_OK, "the same bytes again" },
        { 3, CLOUD_NEW, QC_CONFLICT, "other bytes for a key that is taken" },
    };
    char key[CLOUD_TEST_KEY_SIZE];
    cloud_exam_key(&v->exam, key);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        QC_TRY(put_small(v, check, key, &attempts[i], err));
    QC_TRY(holds(v, check, key, 2, err));
    cloud_exam_good(&v->exam, check);
    return QC_OK;
}

static qc_rc check_space(struct validation *v, struct qc_err *err)
{
    struct cloud_report *r = v->exam.report;
    bool ok = false;
    if (!cloud_caps(v->c)->space_known)
        return QC_OK;
    qc_rc rc = cloud_space(v->c, &r->space, &v->op, err);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_SPACE, rc, QC_OK, "asking for its room", &ok, err));
    r->space_known = ok;
    if (ok && r->space.avail < CLOUD_TEST_ROOM)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_SPACE, "%" PRIu64 " MiB are free", r->space.avail >> 20);
    cloud_exam_good(&v->exam, CLOUD_CHECK_SPACE);
    return QC_OK;
}

/* -- cleaning -------------------------------------------------------------------------------------------- */

/* Is this key one that only a test makes? PREFIX, 16 hex digits, '-', four digits. */
bool cloud_is_test_key(const char *key)
{
    size_t n = strlen(CLOUD_TEST_PREFIX);
    const char *s = key + n;
    return strncmp(key, CLOUD_TEST_PREFIX, n) == 0 && strspn(s, "0123456789abcdef") == 16 && s[16] == '-' &&
           strspn(s + 17, "0123456789") == 4 && s[21] == '\0';
}

void cloud_test_key(char ret[CLOUD_TEST_KEY_SIZE], const uint8_t run[8])
{
    char hex[17];
    qc_hex(qc_span_of(run, 8), hex);
    (void)snprintf(ret, CLOUD_TEST_KEY_SIZE, CLOUD_TEST_PREFIX "%s-0000", hex);
    QC_ASSERT(cloud_is_test_key(ret));
}

struct swept {
    char keys[CLOUD_TEST_SWEEP][CLOUD_TEST_KEY_SIZE];
    unsigned count;
};

static qc_rc note_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct swept *s = ctx;
    (void)err;
    if (cloud_is_test_key(item->key) && s->count < CLOUD_TEST_SWEEP) {
        memcpy(s->keys[s->count], item->key, strlen(item->key) + 1);
        s->count++;
    }
    return QC_OK;
}

/* Remove test objects below a prefix, whoever's; *ret_left: how many are still listed then. */
static qc_rc sweep(struct validation *v, const char *prefix, const struct cloud_op *op, unsigned *ret_left,
                   struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct swept *s = qc_alloc(sizeof *s);
    const struct cloud_list_query q = { .prefix = prefix, .after = "", .limit = CLOUD_TEST_SWEEP };
    struct cloud_page page;
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "a list of test objects");
    QC_TRY(cloud_list(v->c, &q, note_key, s, &page, op, err));
    for (unsigned i = 0; i < s->count; i++)
        QC_TRY(cloud_delete(v->c, s->keys[i], op, err));
    if (s->count > 0) {
        s->count = 0;
        QC_TRY(cloud_list(v->c, &q, note_key, s, &page, op, err));
    }
    *ret_left = s->count;
    return QC_OK;
}

/* Every key that was handed out: a cloud whose listings were not seen to be good may have more than it lists.
 */
static unsigned delete_by_name(struct validation *v, const struct cloud_op *op, struct qc_err *err)
{
    const unsigned count = v->exam.next_key;
    unsigned failed = 0;
    for (unsigned i = 0; i < count && failed < CLOUD_TEST_WRITERS; i++) {
        char key[CLOUD_TEST_KEY_SIZE];
        v->exam.next_key = i;
        cloud_exam_key(&v->exam, key);
        failed += cloud_delete(v->c, key, op, err) != QC_OK;
    }
    v->exam.next_key = count;
    return failed;
}

/* Under a time of its own: what ended the checks may have been their deadline. */
static void clean(struct validation *v)
{
    const struct cloud_op op = { .deadline = qc_deadline_in(CLOUD_TEST_CLEAN_MS) };
    struct cloud_report *r = v->exam.report;
    char prefix[CLOUD_TEST_KEY_SIZE];
    struct qc_err why = { 0 };
    unsigned left = 0, failed = 0;
    if (r->findings[CLOUD_CHECK_LIST_PAGES].verdict != CLOUD_GOOD)
        failed = delete_by_name(v, &op, &why);
    (void)snprintf(prefix, sizeof prefix, CLOUD_TEST_PREFIX "%s-", v->exam.run);
    qc_rc rc = sweep(v, prefix, &op, &left, &why);
    r->objects = v->exam.next_key;
    r->left = left > 0 ? left : rc != QC_OK ? failed : 0;
    if (r->left > 0)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_CLEANED,
                       "%u test objects could not be removed (keys below " CLOUD_TEST_PREFIX ")", r->left);
    else if (rc != QC_OK || failed > 0)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_CLEANED,
                       "test objects may be left (keys below " CLOUD_TEST_PREFIX ")");
    cloud_exam_good(&v->exam, CLOUD_CHECK_CLEANED);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static qc_rc run_checks(struct validation *v, struct qc_err *err)
{
    char key[CLOUD_TEST_KEY_SIZE];
    bool there = false;
    cloud_exam_key(&v->exam, key);
    QC_TRY(check_round_trip(v, key, &there, err));
    if (!there)
        return QC_OK; /* nothing else would tell anything new */
    QC_TRY(check_range(v, key, err));
    QC_TRY(check_replace(v, key, err));
    QC_TRY(check_missing(v, err));
    QC_TRY(check_new_twice(v, err));
    v->exam.report->put_us = median_us(&v->puts);
    v->exam.report->get_us = median_us(&v->gets);
    QC_TRY(cloud_check_race(v, err));
    QC_TRY(cloud_check_lists(v, err));
    return check_space(v, err);
}

static qc_rc begin(struct validation *v, const char *url, bool deep, struct qc_err *err)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return QC_FAIL(err, QC_RANDOM, "getrandom for the names of test objects");
    (void)snprintf(v->exam.run, sizeof v->exam.run, "%016" PRIx64, random);
    v->exam.deep = deep;
    v->large_size = deep ? CLOUD_TEST_LARGE_DEEP : CLOUD_TEST_LARGE;
    v->large = qc_alloc(v->large_size);
    v->back = qc_alloc(v->large_size);
    if (v->large == NULL || v->back == NULL)
        return QC_FAIL(err, QC_NOMEM, "test objects of %zu bytes", v->large_size);
    fill(seed_of(v, 0), v->large, v->large_size);
    struct cloud_url u;
    const struct cloud_driver *driver = NULL;
    QC_TRY(cloud_url_parse(url, &u, err));
    QC_TRY(cloud_driver_find(u.scheme, &driver, err));
    v->objects = driver->test_objects * (deep ? CLOUD_TEST_DEEPER : 1);
    return QC_OK;
}

static qc_rc validate(struct validation *v, const char *url, const struct cloud_opts *opts,
                      struct qc_err *err)
{
    struct cloud_opts o = *opts;
    unsigned left = 0;
    o.facts = 0;
    o.exclusive = false;
    QC_TRY(cloud_open_opts(&v->c, url, &o, err));
    QC_TRY(sweep(v, CLOUD_TEST_PREFIX, &v->op, &left, err));
    QC_TRY_AS(v->c->vt->examine(v->c, &v->exam, &v->op, err), err, "cloud %s", cloud_name(v->c));
    o.facts = v->exam.report->facts;
    QC_CLEANUP(cloud_close) struct cloud *first = QC_STEAL(v->c);
    const qc_rc rc = cloud_open_opts(&v->c, url, &o, err);
    if (rc != QC_OK)
        v->c = QC_STEAL(first); /* to clean with */
    QC_TRY(rc);
    return run_checks(v, err);
}

static void validation_done(struct validation *v)
{
    if (v->c != NULL)
        clean(v);
    cloud_close(&v->c);
    qc_free(v->large);
    qc_free(v->back);
    v->large = v->back = NULL;
}

qc_rc cloud_validate(const char *url, const struct cloud_opts *opts, bool deep, struct cloud_report *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct cloud_report *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "report");
    {
        QC_CLEANUP(validation_done) struct validation v = { .exam = { .report = r }, .op = opts->op };
        QC_TRY(begin(&v, url, deep, err));
        QC_TRY(validate(&v, url, opts, err));
    }
    *ret = *r;
    return QC_OK;
}
