/* unit/daemon_watch: who observes, when, and what the others are told meanwhile. The engine is one of our
 * own, below: it counts how often it is asked, and waits where it is told to. */
#include "watch.h"

#include <stdatomic.h>

#include "base/thread.h"
#include "qc_check.h"

static struct watch w;
static atomic_uint asked, counted, alive, looked;
static atomic_int fails;   /* a qc_rc: what asking says */
static atomic_bool broken; /* the catalogue */

/* A gate at which a call waits while it is closed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static bool closed;
static unsigned waiting;

static void pass_gate(void)
{
    (void)pthread_mutex_lock(&lock);
    waiting++;
    (void)pthread_cond_broadcast(&moved);
    while (closed)
        (void)pthread_cond_wait(&moved, &lock);
    waiting--;
    (void)pthread_mutex_unlock(&lock);
}

static void set_gate(bool to)
{
    (void)pthread_mutex_lock(&lock);
    closed = to;
    (void)pthread_cond_broadcast(&moved);
    (void)pthread_mutex_unlock(&lock);
}

static void await_one(void)
{
    (void)pthread_mutex_lock(&lock);
    while (waiting == 0)
        (void)pthread_cond_wait(&moved, &lock);
    (void)pthread_mutex_unlock(&lock);
}

/* -- the engine ------------------------------------------------------------------------------------------ */

void gw_engine_look(struct gw_engine *e, struct gw_status *ret)
{
    (void)e;
    ret->cloud_count = 5;
    ret->log_sequence = atomic_fetch_add(&looked, 1) + 1;
}

qc_rc gw_engine_ask(struct gw_engine *e, struct gw_status *ret, struct qc_err *err)
{
    atomic_fetch_add(&asked, 1);
    pass_gate();
    if (atomic_load(&fails) != QC_OK)
        return QC_FAIL(err, (qc_rc)atomic_load(&fails), "no");
    gw_engine_look(e, ret);
    ret->observed_s = (int64_t)atomic_load(&asked);
    return QC_OK;
}

qc_rc gw_engine_counts(struct gw_engine *e, struct gw_status *ret, struct qc_err *err)
{
    (void)e;
    (void)err;
    ret->counted_s = (int64_t)atomic_fetch_add(&counted, 1) + 1;
    return QC_OK;
}

qc_rc gw_engine_alive(struct gw_engine *e, struct qc_err *err)
{
    (void)e;
    (void)err;
    atomic_fetch_add(&alive, 1);
    pass_gate();
    return QC_OK;
}

void gw_engine_health(struct gw_engine *e, struct gw_health *ret)
{
    (void)e;
    *ret = (struct gw_health){ .broken = atomic_load(&broken) };
}

/* -- observations ---------------------------------------------------------------------------------------- */

static void *get(void *arg)
{
    struct gw_status s = { 0 };
    struct qc_err err = { 0 };

    (void)arg;
    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(s.cloud_count == 5 && s.counted_s > 0);
    return NULL;
}

/* Many ask at once, before there is anything: one observes, all wait for it. */
static void first(void)
{
    pthread_t t[4];

    set_gate(true);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, get, NULL) == 0);
    await_one();
    set_gate(false);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(atomic_load(&asked) == 1 && atomic_load(&counted) == 1);
}

/* While one observes, the others go on with what there is. */
static void meanwhile(void)
{
    struct gw_status s = { 0 };
    struct qc_err err = { 0 };
    pthread_t t;

    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(atomic_load(&asked) == 1 && s.observed_s == 1); /* fresh enough */
    w.ask_ms = 0;
    set_gate(true);
    CHECK(pthread_create(&t, NULL, get, NULL) == 0);
    await_one();
    const uint64_t before = atomic_load(&looked);
    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(atomic_load(&asked) == 2 && s.observed_s == 1);
    CHECK(s.log_sequence == before + 1); /* what the process knows is as it is now */
    set_gate(false);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(s.observed_s == 2 && atomic_load(&asked) == 2 && atomic_load(&counted) == 1);
    w.count_ms = 0;
    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(s.counted_s == 2 && atomic_load(&asked) == 2);
}

/* A failure is told to whoever asked, and does not become an observation; the next try is not at once. */
static void failure(void)
{
    struct gw_status s = { .n = 77 };
    struct qc_err err = { 0 };

    atomic_store(&fails, QC_NOMEM);
    w.ask_ms = 0;
    CHECK_RC(watch_get(&w, NULL, &s, &err), QC_NOMEM);
    CHECK(s.n == 77);
    CHECK_OK(watch_get(&w, NULL, &s, &err));
    CHECK(s.observed_s == 2 && !w.looking);
    atomic_store(&fails, QC_OK);
}

/* -- alive ----------------------------------------------------------------------------------------------- */

static void *ask_alive(void *arg)
{
    struct qc_err err = { 0 };

    (void)arg;
    CHECK_OK(watch_alive(&w, NULL, &err));
    return NULL;
}

static void silent(void)
{
    struct qc_err err = { 0 };
    pthread_t t;

    CHECK_OK(watch_alive(&w, NULL, &err));
    set_gate(true);
    CHECK(pthread_create(&t, NULL, ask_alive, NULL) == 0);
    await_one();
    CHECK_OK(watch_alive(&w, NULL, &err)); /* not for long yet */
    {
        QC_LOCK(&w.lock);
        CHECK(w.reading_ms > WATCH_SILENT_MS);
        w.reading_ms -= WATCH_SILENT_MS;
    }
    CHECK_RC(watch_alive(&w, NULL, &err), QC_TEMP);
    set_gate(false);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK_OK(watch_alive(&w, NULL, &err));
    CHECK(atomic_load(&alive) == 3);
    atomic_store(&broken, true);
    CHECK_RC(watch_alive(&w, NULL, &err), QC_IO);
    CHECK(atomic_load(&alive) == 3);
}

/* -- ready ----------------------------------------------------------------------------------------------- */

static void ready(void)
{
    static const struct {
        unsigned ok, suspect;
        bool fenced, broken, read, write;
    } rows[] = {
        { 5, 0, false, false, true, true },   { 4, 0, false, false, true, true },
        { 3, 0, false, false, true, false },  { 2, 0, false, false, false, false },
        { 5, 1, false, false, true, true },   { 5, 2, false, false, true, false },
        { 5, 3, false, false, false, false }, { 5, 0, true, false, false, false },
        { 5, 0, false, true, false, false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gw_status s = {
            .k = 3, .n = 5, .write_quorum = 4, .record_quorum = 3, .needed = 3, .cloud_count = 5
        };
        struct watch_ready r;
        for (unsigned at = 0; at < 5; at++) {
            s.clouds[at].view.state = at < rows[i].ok ? GW_CLOUD_OK : GW_CLOUD_LOST;
            s.clouds[at].view.suspect = at < rows[i].suspect;
        }
        s.health.fenced = rows[i].fenced;
        s.health.broken = rows[i].broken;
        watch_ready(&s, &r);
        CHECK(r.read == rows[i].read && r.write == rows[i].write && r.write_needs == 4);
        CHECK(r.well == rows[i].ok - rows[i].suspect);
    }
}

int main(void)
{
    watch_init(&w);
    first();
    meanwhile();
    failure();
    silent();
    ready();
    watch_done(&w);
    return 0;
}
