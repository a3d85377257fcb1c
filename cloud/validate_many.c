/* The checks that need several requests at once: listings right after writes and deletes, and a race for one
 * key. */
#include "validate_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "base/workq.h"

/* -- listings -------------------------------------------------------------------------------------------- */

/* One object of the listing's test: its job's own. */
struct small {
    struct validation *v;
    unsigned i;
    char key[CLOUD_TEST_KEY_SIZE];
    qc_rc rc; /* of the first call that failed */
    struct qc_err err;
    bool listed; /* as seen by this job's last listing */
    uint64_t listed_size;
    bool readable; /* after its delete */
};

static qc_rc see(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct small *s = ctx;
    (void)err;
    if (strcmp(item->key, s->key) == 0) {
        s->listed = true;
        s->listed_size = item->size;
    }
    return QC_OK;
}

static qc_rc look(struct small *s)
{
    const struct cloud_list_query q = { .prefix = s->key, .after = "", .limit = 2 };
    struct cloud_page page;
    s->listed = false;
    return cloud_list(s->v->c, &q, see, s, &page, &s->v->op, &s->err);
}

static void write_and_look(void *arg)
{
    struct small *s = arg;
    uint8_t bytes[CLOUD_TEST_SMALL];
    cloud_test_bytes(s->v, s->i, bytes);
    s->rc =
        cloud_put(s->v->c, s->key, &(qc_span){ bytes, sizeof bytes }, 1, CLOUD_REPLACE, &s->v->op, &s->err);
    if (s->rc == QC_OK)
        s->rc = look(s);
}

static void delete_and_look(void *arg)
{
    struct small *s = arg;
    uint64_t size = 0;
    s->readable = false;
    s->rc = cloud_delete(s->v->c, s->key, &s->v->op, &s->err);
    if (s->rc == QC_OK)
        s->rc = look(s);
    if (s->rc != QC_OK)
        return;
    s->rc = cloud_head(s->v->c, s->key, &size, &s->v->op, &s->err);
    s->readable = s->rc == QC_OK;
    if (s->rc == QC_NOTFOUND) {
        s->rc = QC_OK;
        qc_err_clear(&s->err);
    }
}

static void queue_free(struct qc_workq **q)
{
    if (*q != NULL)
        qc_workq_free(q);
}

/* One job per object, CLOUD_TEST_WRITERS at a time; then what keeps from looking is passed up, and other
 * failures are bad findings. */
static qc_rc for_all(struct small *s, unsigned count, qc_job job, enum cloud_check check, const char *what,
                     struct qc_err *err)
{
    QC_CLEANUP(queue_free) struct qc_workq *q = NULL;
    QC_TRY(qc_workq_new(&q, CLOUD_TEST_WRITERS, count, err));
    for (unsigned i = 0; i < count; i++)
        QC_TRY(qc_workq_submit(q, job, &s[i], QC_NO_DEADLINE, err)); /* its depth takes all at once */
    qc_workq_drain(q);
    for (unsigned i = 0; i < count; i++) {
        bool ok = false;
        if (s[i].rc != QC_OK)
            *err = s[i].err;
        QC_TRY(cloud_expect(s->v, check, s[i].rc, QC_OK, what, &ok, err));
    }
    return QC_OK;
}

/* A listing in small pages: each key once, ascending, with the continuation that the page gives. */
struct walk {
    const struct small *objects;
    unsigned count, seen; /* objects that were told, in order */
    unsigned disorder;    /* keys that do not come after the one before */
    char last[CLOUD_KEY_SIZE_MAX + 1];
};

static qc_rc step(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct walk *w = ctx;
    (void)err;
    w->disorder += strcmp(item->key, w->last) <= 0;
    (void)snprintf(w->last, sizeof w->last, "%s", item->key);
    for (unsigned i = 0; i < w->count; i++)
        w->seen += strcmp(item->key, w->objects[i].key) == 0;
    return QC_OK;
}

static qc_rc check_pages(struct validation *v, const struct small *s, size_t limit, struct qc_err *err)
{
    struct walk w = { .objects = s, .count = v->objects };
    struct cloud_page page = { .more = true };
    char prefix[CLOUD_TEST_KEY_SIZE];
    bool ok = true;
    unsigned pages = 0;
    (void)snprintf(prefix, sizeof prefix, CLOUD_TEST_PREFIX "%s-", v->exam.run);
    for (; page.more && ok && pages <= CLOUD_TEST_KEYS_MAX; pages++) {
        char after[CLOUD_KEY_SIZE_MAX + 1];
        memcpy(after, page.last, sizeof after);
        const struct cloud_list_query q = { .prefix = prefix, .after = after, .limit = limit };
        qc_rc rc = cloud_list(v->c, &q, step, &w, &page, &v->op, err);
        QC_TRY(cloud_expect(v, CLOUD_CHECK_LIST_PAGES, rc, QC_OK, "a listing", &ok, err));
    }
    if (ok && (w.seen != v->objects || w.disorder > 0 || pages > CLOUD_TEST_KEYS_MAX))
        cloud_exam_bad(&v->exam, CLOUD_CHECK_LIST_PAGES,
                       "a listing in pages of %zu told %u of %u objects, %u of them out of order", limit,
                       w.seen, v->objects, w.disorder);
    cloud_exam_good(&v->exam, CLOUD_CHECK_LIST_PAGES);
    return QC_OK;
}

static void judge_fresh(struct validation *v, const struct small *s)
{
    unsigned missed = 0, wrong = 0;
    for (unsigned i = 0; i < v->objects; i++) {
        missed += !s[i].listed;
        wrong += s[i].listed && s[i].listed_size != CLOUD_TEST_SMALL;
    }
    if (missed > 0)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_LIST_FRESH,
                       "a listing right after a write missed %u of %u objects", missed, v->objects);
    if (wrong > 0)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_LIST_FRESH, "a listing told a wrong size of %u of %u objects",
                       wrong, v->objects);
    cloud_exam_good(&v->exam, CLOUD_CHECK_LIST_FRESH);
}

static void judge_deleted(struct validation *v, const struct small *s)
{
    unsigned listed = 0, readable = 0;
    for (unsigned i = 0; i < v->objects; i++) {
        listed += s[i].listed;
        readable += s[i].readable;
    }
    if (listed + readable > 0)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_DELETED,
                       "of %u deleted objects %u were still listed, %u still readable", v->objects, listed,
                       readable);
    cloud_exam_good(&v->exam, CLOUD_CHECK_DELETED);
}

qc_rc cloud_check_lists(struct validation *v, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct small *s = qc_alloc(v->objects * sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%u test objects", v->objects);
    for (unsigned i = 0; i < v->objects; i++) {
        s[i].v = v;
        s[i].i = i;
        cloud_exam_key(&v->exam, s[i].key);
    }
    QC_TRY(for_all(s, v->objects, write_and_look, CLOUD_CHECK_LIST_FRESH, "writing and listing", err));
    judge_fresh(v, s);
    QC_TRY(check_pages(v, s, CLOUD_TEST_PAGE, err));
    if (v->exam.deep) /* and pages as large as the cloud gives them, of which there are several */
        QC_TRY(check_pages(v, s, CLOUD_LIST_MAX, err));
    QC_TRY(for_all(s, v->objects, delete_and_look, CLOUD_CHECK_DELETED, "deleting and looking", err));
    judge_deleted(v, s);
    return QC_OK;
}

/* -- the race -------------------------------------------------------------------------------------------- */

/* All writers wait here until the last has come. */
struct gate {
    pthread_mutex_t lock; /* guards arrived */
    pthread_cond_t open;
    unsigned arrived;
};

struct racer {
    struct validation *v;
    struct gate *gate;
    const char *key;
    unsigned i;
    qc_rc rc;
    struct qc_err err;
};

static void gate_pass(struct gate *g)
{
    const qc_deadline until = qc_deadline_in(CLOUD_TEST_GATE_MS);
    QC_LOCK(&g->lock);
    g->arrived++;
    qc_cond_wake_all(&g->open);
    while (g->arrived < CLOUD_TEST_WRITERS && qc_cond_wait(&g->open, &g->lock, until))
        ;
}

static void race(void *arg)
{
    struct racer *r = arg;
    uint8_t bytes[CLOUD_TEST_SMALL];
    cloud_test_bytes(r->v, r->i, bytes);
    gate_pass(r->gate);
    r->rc = cloud_put(r->v->c, r->key, &(qc_span){ bytes, sizeof bytes }, 1, CLOUD_NEW, &r->v->op, &r->err);
}

static qc_rc run_race(struct validation *v, const char *key, struct racer r[CLOUD_TEST_WRITERS],
                      struct qc_err *err)
{
    struct gate gate = { .arrived = 0 };
    QC_CLEANUP(queue_free) struct qc_workq *q = NULL;
    QC_TRY(qc_workq_new(&q, CLOUD_TEST_WRITERS, CLOUD_TEST_WRITERS, err));
    qc_mutex_init(&gate.lock);
    qc_cond_init(&gate.open);
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < CLOUD_TEST_WRITERS && rc == QC_OK; i++) {
        r[i] = (struct racer){ .v = v, .gate = &gate, .key = key, .i = 100 + i };
        rc = qc_workq_submit(q, race, &r[i], QC_NO_DEADLINE, err);
    }
    qc_workq_drain(q);
    qc_cond_done(&gate.open);
    qc_mutex_done(&gate.lock);
    return rc;
}

/* Exactly one may hear yes, and it is its bytes that stand there. */
static qc_rc judge_race(struct validation *v, const char *key, const struct racer r[CLOUD_TEST_WRITERS],
                        struct qc_err *err)
{
    uint8_t back[CLOUD_TEST_SMALL + 1], want[CLOUD_TEST_SMALL];
    unsigned won = 0, winner = 0;
    size_t got = 0;
    bool ok = true;
    for (unsigned i = 0; i < CLOUD_TEST_WRITERS && ok; i++) {
        if (r[i].rc != QC_OK)
            *err = r[i].err;
        if (r[i].rc == QC_OK)
            winner = r[i].i;
        won += r[i].rc == QC_OK;
        if (r[i].rc != QC_CONFLICT)
            QC_TRY(cloud_expect(v, CLOUD_CHECK_NEW_RACE, r[i].rc, QC_OK, "one of several writers", &ok, err));
    }
    qc_err_clear(err);
    if (ok && won != 1)
        cloud_exam_bad(&v->exam, CLOUD_CHECK_NEW_RACE, "of %d writers of one new key %u heard that they won",
                       CLOUD_TEST_WRITERS, won);
    if (!ok || won != 1)
        return QC_OK;
    qc_rc rc = cloud_get(v->c, key, (struct cloud_range){ .n = sizeof back }, back, &got, &v->op, err);
    QC_TRY(cloud_expect(v, CLOUD_CHECK_NEW_RACE, rc, QC_OK, "reading what the winner wrote", &ok, err));
    cloud_test_bytes(v, winner, want);
    if (ok && (got != sizeof want || memcmp(back, want, sizeof want) != 0))
        cloud_exam_bad(&v->exam, CLOUD_CHECK_NEW_RACE,
                       "a writer of a new key heard that it won, and another's "
                       "bytes stand there");
    return QC_OK;
}

qc_rc cloud_check_race(struct validation *v, struct qc_err *err)
{
    const unsigned rounds = v->exam.deep ? CLOUD_TEST_RACES_DEEP : 1;
    if (!cloud_caps(v->c)->put_new_atomic) {
        cloud_exam_bad(&v->exam, CLOUD_CHECK_NEW_RACE,
                       "it does not decide by itself who writes a new key first (no If-None-Match)");
        return QC_OK;
    }
    for (unsigned i = 0; i < rounds; i++) {
        struct racer r[CLOUD_TEST_WRITERS];
        char key[CLOUD_TEST_KEY_SIZE];
        cloud_exam_key(&v->exam, key);
        QC_TRY(run_race(v, key, r, err));
        QC_TRY(judge_race(v, key, r, err));
    }
    cloud_exam_good(&v->exam, CLOUD_CHECK_NEW_RACE);
    return QC_OK;
}
