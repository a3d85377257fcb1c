/* The fan: clouds, their states, their workers. */
#include "gateway/fan.h"

#include <signal.h>
#include <stdio.h>

#include "base/alloc.h"
#include "fan_internal.h"

const char *gw_cloud_state_name(enum gw_cloud_state s)
{
    static const char *const names[] = {
        [GW_CLOUD_UNKNOWN] = "unknown",
        [GW_CLOUD_OK] = "ok",
        [GW_CLOUD_LOST] = "lost",
        [GW_CLOUD_UNREACHABLE] = "unreachable",
    };

    QC_ASSERT((unsigned)s < sizeof names / sizeof names[0]);
    return names[s];
}

const char *gw_cloud_role_name(enum gw_cloud_role r)
{
    static const char *const names[] = {
        [GW_ROLE_IN_USE] = "in use",   [GW_ROLE_DRAINING] = "draining", [GW_ROLE_JOINING] = "joining",
        [GW_ROLE_LEAVING] = "leaving", [GW_ROLE_GONE] = "gone",
    };

    QC_ASSERT((unsigned)r < sizeof names / sizeof names[0]);
    return names[r];
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

bool gw_cloud_suspect(const struct gw_cloud *c)
{
    return c->stuck > 0 || c->breaker.state != GW_BREAKER_CLOSED;
}

void gw_cloud_set_state(struct gw_fan *f, struct gw_cloud *c, enum gw_cloud_state state, const char *why)
{
    if (state == GW_CLOUD_OK || state == GW_CLOUD_LOST)
        gw_breaker_answer(&c->breaker);
    else if (c->breaker.state == GW_BREAKER_HALF) /* a refusal is no answer either */
        gw_breaker_miss(&c->breaker, gw_env_now(f->env), gw_env_chance(f->env));
    c->state = state;
    (void)snprintf(c->why, sizeof c->why, "%s", why == NULL ? "" : why);
}

unsigned gw_fan_count(const struct gw_fan *f)
{
    return f->cloud_count;
}

int gw_fan_at(const struct gw_fan *f, uint32_t cloud_id)
{
    for (unsigned i = 0; i < f->cloud_count; i++) {
        if (f->clouds[i].id == cloud_id)
            return (int)i;
    }
    return -1;
}

uint32_t gw_fan_id(const struct gw_fan *f, unsigned at)
{
    QC_ASSERT(at < f->cloud_count);
    return f->clouds[at].id;
}

const char *gw_fan_name(const struct gw_fan *f, unsigned at)
{
    QC_ASSERT(at < f->cloud_count);
    return f->clouds[at].name;
}

const char *gw_fan_url(const struct gw_fan *f, unsigned at)
{
    QC_ASSERT(at < f->cloud_count);
    return f->clouds[at].url;
}

const struct cloud_tally *gw_fan_tally(const struct gw_fan *f, unsigned at)
{
    QC_ASSERT(at < f->cloud_count);
    return &f->clouds[at].tally;
}

qc_rc gw_fan_create(const struct gw_fan *f, unsigned at, struct qc_err *err)
{
    QC_ASSERT(at < f->cloud_count);
    const struct cloud_opts opts = { .name = f->clouds[at].name,
                                     .credentials = f->clouds[at].credentials,
                                     .op = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    return cloud_create_opts(f->clouds[at].url, &opts, err);
}

static gw_clouds of_roles(struct gw_fan *f, unsigned roles)
{
    QC_LOCK(&f->lock);
    gw_clouds set = 0;

    for (unsigned i = 0; i < f->cloud_count; i++)
        set |= (gw_clouds)(roles >> f->clouds[i].role & 1) << i;
    return set;
}

gw_clouds gw_fan_all(struct gw_fan *f)
{
    return of_roles(f, ~(1U << GW_ROLE_GONE));
}

gw_clouds gw_fan_witnesses(struct gw_fan *f)
{
    return of_roles(f, 1U << GW_ROLE_IN_USE | 1U << GW_ROLE_DRAINING);
}

void gw_fan_view(struct gw_fan *f, unsigned at, struct gw_cloud_view *ret)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);
    const struct gw_cloud *c = &f->clouds[at];

    *ret = (struct gw_cloud_view){
        .id = c->id,
        .generation = c->generation,
        .role = c->role,
        .labels = c->labels,
        .state = c->state,
        .suspect = gw_cloud_suspect(c),
        .breaker = c->breaker.state,
        .slow = qc_now_ms() < c->slow_until_ms,
        .seen_s = c->seen_s,
    };
    memcpy(ret->why, c->why, sizeof ret->why);
    memcpy(ret->trouble, c->trouble, sizeof ret->trouble);
}

void gw_fan_note_write(struct gw_fan *f, unsigned at, const struct gw_outcome *o)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);
    char *trouble = f->clouds[at].trouble;

    if (o->fate == GW_DONE)
        trouble[0] = '\0';
    else if (o->fate == GW_FAILED || o->fate == GW_LATE)
        (void)snprintf(trouble, GW_WHY_MAX, "%s", o->why[0] != '\0' ? o->why : "no answer in time");
}

void gw_fan_set_state(struct gw_fan *f, unsigned at, enum gw_cloud_state state, const char *why)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    gw_cloud_set_state(f, &f->clouds[at], state, why);
}

void gw_fan_set_slow(struct gw_fan *f, unsigned at)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    f->clouds[at].slow_until_ms = qc_now_ms() + QC_GW_SLOW_MS;
}

void gw_fan_set_facts(struct gw_fan *f, unsigned at, unsigned facts)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    f->clouds[at].facts = facts;
    f->clouds[at].epoch++;
}

void gw_fan_set_role(struct gw_fan *f, unsigned at, enum gw_cloud_role role)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    f->clouds[at].role = role;
}

void gw_fan_set_labels(struct gw_fan *f, unsigned at, const struct gw_labels *l)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    f->clouds[at].labels = *l;
}

void gw_fan_set_generation(struct gw_fan *f, unsigned at, uint32_t generation)
{
    QC_ASSERT(at < f->cloud_count);
    QC_LOCK(&f->lock);

    f->clouds[at].generation = generation;
}

/* -- workers --------------------------------------------------------------------------------------------- */

static struct gw_queued pop(struct gw_lane_state *lane)
{
    const struct gw_queued q = lane->queue[0];

    lane->count--;
    memmove(lane->queue, lane->queue + 1, lane->count * sizeof lane->queue[0]);
    return q;
}

static void *work(void *arg)
{
    struct gw_worker *w = arg;
    struct gw_fan *f = w->fan;
    struct gw_lane_state *lane = &f->clouds[w->at].lanes[w->lane];
    QC_LOCK(&f->lock);

    while (!f->stop) {
        if (lane->count == 0)
            (void)qc_cond_wait(&lane->work, &f->lock, QC_NO_DEADLINE);
        else
            gw_worker_run(w, pop(lane));
    }
    w->ended = true;
    qc_cond_wake_all(&f->worker_ended);
    return NULL;
}

/* Signals are for the program's own thread. */
static qc_rc start_workers(struct gw_fan *f, unsigned at, struct qc_err *err)
{
    const unsigned per_cloud = GW_LANES * QC_GW_CLOUD_WORKERS;
    sigset_t all, before;
    int e = 0;

    (void)sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    for (unsigned i = at * per_cloud; i < (at + 1) * per_cloud && e == 0; i++) {
        struct gw_worker *w = &f->workers[i];
        *w = (struct gw_worker){
            .fan = f,
            .at = at,
            .lane = (enum gw_lane)(i / QC_GW_CLOUD_WORKERS % GW_LANES),
        };
        e = pthread_create(&w->thread, NULL, work, w);
        w->started = e == 0;
        f->worker_count = i + 1;
    }
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return e == 0 ? QC_OK : QC_FAIL(err, QC_TEMP, "cannot start %u threads for a cloud", per_cloud);
}

static qc_rc copy_cloud(struct gw_cloud *c, const struct gw_cloud_conf *conf, struct qc_err *err)
{
    c->id = conf->id;
    c->generation = conf->generation;
    c->role = conf->role;
    c->labels = conf->labels;
    (void)snprintf(c->name, sizeof c->name, "%s", conf->name);
    for (unsigned l = 0; l < GW_LANES; l++)
        qc_cond_init(&c->lanes[l].work);
    c->facts = conf->facts;
    c->url = qc_strdup(conf->url);
    if (conf->credentials != NULL)
        c->credentials = qc_strdup(conf->credentials);
    if (c->url == NULL || (conf->credentials != NULL && c->credentials == NULL))
        return QC_FAIL(err, QC_NOMEM, "cloud %s", conf->name);
    return QC_OK;
}

static void fan_cleanup(struct gw_fan **f)
{
    (void)gw_fan_free(f, UINT64_MAX);
}

qc_rc gw_fan_new(struct gw_fan **ret, const struct gw_cloud_conf *clouds, unsigned count, struct qc_err *err)
{
    QC_CLEANUP(fan_cleanup) struct gw_fan *f = qc_alloc(sizeof *f);

    QC_ASSERT(count >= 1 && count <= QC_GW_CLOUDS_MAX);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "fan-out to %u clouds", count);
    qc_mutex_init(&f->lock);
    qc_cond_init(&f->worker_ended);
    f->env = &gw_env_real;
    f->clouds = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *f->clouds);
    f->workers = qc_alloc((size_t)QC_GW_CLOUDS_MAX * GW_LANES * QC_GW_CLOUD_WORKERS * sizeof *f->workers);
    if (f->clouds == NULL || f->workers == NULL)
        return QC_FAIL(err, QC_NOMEM, "fan-out to %u clouds", count);
    for (unsigned i = 0; i < count; i++) {
        QC_ASSERT(gw_fan_at(f, clouds[i].id) == -1);
        QC_TRY(gw_fan_add(f, &clouds[i], err));
    }
    *ret = QC_STEAL(f);
    return QC_OK;
}

/* Its position is told when all is in place. One whose threads do not start stays behind as gone: its threads
 * that did wait for work that never comes. */
qc_rc gw_fan_add(struct gw_fan *f, const struct gw_cloud_conf *cloud, struct qc_err *err)
{
    QC_LOCK(&f->lock);
    const unsigned at = f->cloud_count;
    struct gw_cloud *c = &f->clouds[at];

    if (gw_fan_at(f, cloud->id) >= 0)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is there already", cloud->name);
    if (at == QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%u clouds, those retired since the gateway was started included", at);
    const qc_rc rc = copy_cloud(c, cloud, err);
    f->cloud_count = at + 1;
    if (rc != QC_OK)
        c->role = GW_ROLE_GONE;
    QC_TRY(rc);
    const qc_rc started = start_workers(f, at, err);
    if (started != QC_OK)
        c->role = GW_ROLE_GONE;
    return started;
}

/* Under the lock: wait until all workers have ended. */
static bool wait_workers(struct gw_fan *f, qc_deadline d)
{
    for (unsigned i = 0; i < f->worker_count; i++) {
        while (f->workers[i].started && !f->workers[i].ended) {
            if (!qc_cond_wait(&f->worker_ended, &f->lock, d))
                return false;
        }
    }
    return true;
}

static bool has_ended(struct gw_fan *f, const struct gw_worker *w)
{
    QC_LOCK(&f->lock);

    return w->ended;
}

static void let_go(struct gw_fan *f)
{
    for (unsigned i = 0; i < f->worker_count; i++) {
        struct gw_worker *w = &f->workers[i];
        if (!w->started)
            continue;
        const int e = has_ended(f, w) ? pthread_join(w->thread, NULL) : pthread_detach(w->thread);
        QC_ASSERT(e == 0);
    }
}

static bool stop_workers(struct gw_fan *f, uint64_t wait_ms)
{
    QC_LOCK(&f->lock);

    f->stop = true;
    for (unsigned i = 0; i < f->cloud_count; i++) {
        for (unsigned l = 0; l < GW_LANES; l++) {
            QC_ASSERT(f->clouds[i].lanes[l].count == 0); /* batches are freed before the fan */
            qc_cond_wake_all(&f->clouds[i].lanes[l].work);
        }
    }
    return wait_workers(f, qc_deadline_in(wait_ms));
}

bool gw_fan_free(struct gw_fan **fp, uint64_t wait_ms)
{
    struct gw_fan *f = *fp;

    *fp = NULL;
    if (f == NULL)
        return true;
    const bool all = stop_workers(f, wait_ms);
    let_go(f);
    if (!all)
        return false;
    for (unsigned i = 0; i < f->worker_count; i++)
        cloud_close(&f->workers[i].handle);
    for (unsigned i = 0; i < f->cloud_count; i++) {
        for (unsigned l = 0; l < GW_LANES; l++)
            qc_cond_done(&f->clouds[i].lanes[l].work);
        qc_free(f->clouds[i].url);
        qc_free(f->clouds[i].credentials);
    }
    qc_free(f->workers);
    qc_free(f->clouds);
    qc_cond_done(&f->worker_ended);
    qc_mutex_done(&f->lock);
    qc_free(f);
    return true;
}
