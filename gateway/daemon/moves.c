#include "moves.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "json.h"

enum {
    NUMBERS_PER_SECOND = 1000, /* numbers go on over restarts, as those of jobs.c */
    AGAIN_MS = 5000,           /* between two looks for something that can go on by itself */
    REST_MS = 60000,           /* after one that left something */
};

enum move_state { MOVE_RUNNING, MOVE_DONE, MOVE_FAILED };

/* Strings of an ask. */
struct texts {
    char name[CLOUD_NAME_SIZE_MAX + 1], new_name[CLOUD_NAME_SIZE_MAX + 1], target[CLOUD_NAME_SIZE_MAX + 1];
    char url[CLOUD_URL_SIZE_MAX + 1], credentials[CLOUD_SPEC_SIZE_MAX + 1];
    char labels[GW_LABELS][QC_GW_LABEL_MAX + 1];
};

struct move_job {
    struct moves *moves;
    struct gw_engine *engine;
    uint64_t number;
    struct gw_move_ask ask;
    struct texts texts;
    bool by_itself; /* gives way to whoever asks for something else */
    struct qc_cancel cancel;
    pthread_t thread;
    int64_t started_s;
    /* Under moves->lock. */
    enum move_state state;
    int64_t ended_s;
    struct gw_move_report seen;
    qc_rc rc;
    struct qc_err why;
};

static void *run_move(void *arg);

void moves_init(struct moves *m)
{
    qc_mutex_init(&m->lock);
}

static void end_job(struct move_job **jp)
{
    struct move_job *job = *jp;
    *jp = NULL;
    if (job == NULL)
        return;
    qc_cancel_set(&job->cancel);
    QC_ASSERT(pthread_join(job->thread, NULL) == 0);
    qc_free(job);
}

void moves_done(struct moves *m)
{
    end_job(&m->job);
    qc_mutex_done(&m->lock);
}

static bool runs(const struct move_job *job)
{
    return job != NULL && job->state == MOVE_RUNNING;
}

bool moves_run(struct moves *m)
{
    QC_LOCK(&m->lock);
    return runs(m->job);
}

void moves_cancel(struct moves *m)
{
    QC_LOCK(&m->lock);
    if (m->job != NULL)
        qc_cancel_set(&m->job->cancel);
}

/* -- in the job's thread --------------------------------------------------------------------------------- */

static void see(void *ctx, const struct gw_move_report *now)
{
    struct move_job *job = ctx;
    QC_LOCK(&job->moves->lock);
    job->seen = *now;
}

static void *run_move(void *arg)
{
    struct move_job *job = arg;
    struct gw_move_report *report = qc_alloc(sizeof *report);
    struct qc_err why = { 0 };
    qc_rc rc = QC_NOMEM;
    if (report != NULL)
        rc = gw_engine_move(job->engine, &job->ask, report, &why);
    {
        QC_LOCK(&job->moves->lock);
        if (report != NULL)
            job->seen = *report;
        job->state = rc == QC_OK || rc == QC_DEGRADED ? MOVE_DONE : MOVE_FAILED;
        job->rc = rc;
        job->why = why;
        job->ended_s = qc_wall_s();
        job->moves->next_ms = qc_now_ms() + (rc == QC_OK ? AGAIN_MS : REST_MS);
    }
    QC_LOG(rc == QC_OK ? QC_LOG_INFO : QC_LOG_WARN, "cloud job ended",
           QC_S("kind", gw_move_kind_name(job->ask.kind)), QC_S("cloud", job->texts.name),
           QC_S("rc", qc_rc_name(rc)), QC_U("moved", job->seen.moved), QC_U("left", job->seen.fragments_left),
           QC_S("why", why.msg));
    qc_free(report);
    return NULL;
}

/* -- starting -------------------------------------------------------------------------------------------- */

static qc_rc take_text(const struct json_t *in, const char *name, char *dst, size_t size, const char **ret,
                       struct qc_err *err)
{
    const char *text = NULL;
    *ret = NULL;
    if (!qc_json_has(in, name))
        return QC_OK;
    QC_TRY(qc_json_str(in, name, &text, err));
    if (strlen(text) >= size)
        return QC_FAIL(err, QC_USAGE, "%s: %zu bytes, at most %zu", name, strlen(text), size - 1);
    memcpy(dst, text, strlen(text) + 1);
    *ret = dst;
    return QC_OK;
}

static qc_rc take_flag(const struct json_t *in, const char *name, bool *ret, struct qc_err *err)
{
    return qc_json_has(in, name) ? qc_json_bool(in, name, ret, err) : QC_OK;
}

static qc_rc take_code(const struct json_t *in, struct gw_move_ask *a, struct qc_err *err)
{
    int64_t k = 0, n = 0;
    if (a->kind != GW_MOVE_REPROTECT)
        return QC_OK;
    QC_TRY(qc_json_int(in, "k", 1, QC_EC_N_MAX, &k, err));
    QC_TRY(qc_json_int(in, "n", k, QC_EC_N_MAX, &n, err));
    a->k = (unsigned)k;
    a->n = (unsigned)n;
    return QC_OK;
}

static qc_rc take_numbers(const struct json_t *in, struct gw_move_ask *a, struct qc_err *err)
{
    uint64_t weight = 0;
    if (qc_json_has(in, "rate"))
        QC_TRY(json_number(in, "rate", &a->rate, err));
    if (qc_json_has(in, "rate") && a->rate < QC_GW_REPAIR_RATE_MIN)
        return QC_FAIL(err, QC_USAGE, "rate: at least %d bytes a second", QC_GW_REPAIR_RATE_MIN);
    a->has_weight = qc_json_has(in, "weight");
    if (a->has_weight)
        QC_TRY(json_number(in, "weight", &weight, err));
    if (weight > QC_GW_WEIGHT_MAX)
        return QC_FAIL(err, QC_USAGE, "weight: at most %d", QC_GW_WEIGHT_MAX);
    a->weight = (unsigned)weight;
    return QC_OK;
}

static qc_rc take_ask(const struct json_t *in, struct gw_move_ask *a, struct texts *t, struct qc_err *err)
{
    const char *kind = NULL, *domain = NULL;
    char text[32];
    QC_TRY(qc_json_str(in, "kind", &kind, err));
    if (!gw_move_kind_of(kind, &a->kind))
        return QC_FAIL(err, QC_USAGE, "kind: add, drain, undrain, replace, retire, set, domain or reprotect");
    QC_TRY(take_text(in, "name", t->name, sizeof t->name, &a->name, err));
    if (a->kind != GW_MOVE_DOMAIN && a->kind != GW_MOVE_REPROTECT && a->name == NULL)
        return QC_FAIL(err, QC_USAGE, "name: which cloud?");
    QC_TRY(take_text(in, "new_name", t->new_name, sizeof t->new_name, &a->new_name, err));
    QC_TRY(take_text(in, "target", t->target, sizeof t->target, &a->target, err));
    QC_TRY(take_text(in, "url", t->url, sizeof t->url, &a->url, err));
    QC_TRY(take_text(in, "credentials", t->credentials, sizeof t->credentials, &a->credentials, err));
    for (unsigned i = 0; i < GW_LABELS; i++)
        QC_TRY(take_text(in, gw_domain_name((enum gw_domain)(i + 1)), t->labels[i], sizeof t->labels[i],
                         &a->labels[i], err));
    QC_TRY(take_text(in, "domain", text, sizeof text, &domain, err));
    if (a->kind == GW_MOVE_DOMAIN && (domain == NULL || !gw_domain_of_name(domain, &a->domain)))
        return QC_FAIL(err, QC_USAGE, "domain: cloud, provider, region or jurisdiction");
    QC_TRY(take_flag(in, "gone", &a->gone, err));
    QC_TRY(take_code(in, a, err));
    return take_numbers(in, a, err);
}

static uint64_t next_number(struct moves *m)
{
    const uint64_t now = (uint64_t)qc_wall_s() * NUMBERS_PER_SECOND;
    m->last = now > m->last ? now : m->last + 1;
    return m->last;
}

/* Takes the job's memory. */
static qc_rc start(struct moves *m, struct move_job *job, struct qc_err *err)
{
    struct move_job *before = NULL;
    {
        QC_LOCK(&m->lock);
        if (runs(m->job)) {
            qc_free(job);
            const char *of = m->job->texts.name;
            return QC_FAIL(err, QC_CONFLICT, "%s%s%s%s is under way already", of[0] != '\0' ? "cloud " : "",
                           of, of[0] != '\0' ? ": " : "", gw_move_kind_name(m->job->ask.kind));
        }
        job->number = next_number(m);
        job->started_s = qc_wall_s();
        job->ask.cancel = &job->cancel;
        job->ask.tell = see;
        job->ask.ctx = job;
        job->seen.kind = job->ask.kind;
        if (pthread_create(&job->thread, NULL, run_move, job) != 0) {
            qc_free(job);
            return QC_FAIL(err, QC_TEMP, "cannot start a thread");
        }
        before = QC_STEAL(m->job);
        m->job = job;
    }
    end_job(&before); /* over: its thread is at its end */
    return QC_OK;
}

/* What goes on by itself can do so later. */
static void give_way(struct moves *m)
{
    struct move_job *job = NULL;
    {
        QC_LOCK(&m->lock);
        if (m->job != NULL && m->job->by_itself)
            job = QC_STEAL(m->job);
    }
    end_job(&job);
}

qc_rc moves_start(struct moves *m, struct gw_engine *e, const struct json_t *body, struct qc_err *err)
{
    struct move_job *job = qc_alloc(sizeof *job);
    if (job == NULL)
        return QC_FAIL(err, QC_NOMEM, "a job");
    job->moves = m;
    job->engine = e;
    const qc_rc rc = take_ask(body, &job->ask, &job->texts, err);
    if (rc != QC_OK) {
        qc_free(job);
        return rc;
    }
    give_way(m);
    return start(m, job, err);
}

/* Whoever asked for it. */
static void last_turn(struct moves *m, struct gw_move_turn *ret)
{
    QC_LOCK(&m->lock);
    if (m->job == NULL)
        return;
    ret->kind = m->job->ask.kind;
    memcpy(ret->name, m->job->texts.name, sizeof ret->name);
}

static qc_rc go_on(struct moves *m, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct move_job *job = qc_alloc(sizeof *job);
    struct gw_move_turn turn = { 0 };
    bool found = false;
    if (job == NULL)
        return QC_FAIL(err, QC_NOMEM, "a job");
    job->moves = m;
    job->engine = e;
    last_turn(m, &turn);
    QC_TRY(gw_engine_move_open(e, &turn, &found, err));
    if (!found)
        return QC_OK;
    job->ask.kind = turn.kind;
    memcpy(job->texts.name, turn.name, sizeof job->texts.name);
    job->ask.name = job->texts.name; /* a reprotect has none, and goes on to the code that there is */
    job->by_itself = true;
    return start(m, QC_STEAL(job), err);
}

void moves_tick(struct moves *m, struct gw_engine *e)
{
    struct qc_err err = { 0 };
    {
        QC_LOCK(&m->lock);
        if (runs(m->job) || qc_now_ms() < m->next_ms)
            return;
        m->next_ms = qc_now_ms() + AGAIN_MS;
    }
    if (go_on(m, e, &err) != QC_OK)
        qc_log_err(QC_LOG_WARN, "a drain, or a reprotect, goes on", &err);
}

void moves_again(struct moves *m, struct gw_engine *e)
{
    {
        QC_LOCK(&m->lock);
        m->next_ms = 0;
    }
    moves_tick(m, e);
}

/* -- JSON ------------------------------------------------------------------------------------------------ */

static qc_rc report_json(struct json_t **ret, const struct gw_move_report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const struct json_row rows[] = { { "fragments", r->fragments },
                                     { "fragments_left", r->fragments_left },
                                     { "bytes", r->bytes },
                                     { "bytes_left", r->bytes_left },
                                     { "moved", r->moved },
                                     { "passed_over", r->failed },
                                     { "busy", r->busy },
                                     { "read_bytes", r->read_bytes },
                                     { "written_bytes", r->written_bytes },
                                     { "dead", r->dead },
                                     { "foreign", r->foreign },
                                     { "took_ms", r->took_ms } };
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "phase", gw_move_phase_name(r->phase), err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    QC_TRY(json_why(o, "why", r->why, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc outcome_json(struct json_t *o, const struct move_job *job, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (job->state == MOVE_RUNNING)
        return qc_json_set_null(o, "outcome", err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(job->rc), err));
    QC_TRY(json_why(one, "message", job->rc == QC_OK ? "done" : job->why.msg, err));
    return qc_json_set(o, "outcome", &one, err);
}

qc_rc moves_json(struct moves *m, struct json_t **ret, struct qc_err *err)
{
    static const char *const states[] = { "running", "done", "failed" };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_LOCK(&m->lock);
    const struct move_job *job = m->job;
    if (job == NULL)
        return QC_FAIL(err, QC_NOTFOUND,
                       "no cloud was added, drained or retired since the gateway was started");
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "job", job->number, err));
    QC_TRY(qc_json_set_str(o, "kind", gw_move_kind_name(job->ask.kind), err));
    QC_TRY(qc_json_set_str(o, "cloud", job->texts.name, err));
    QC_TRY(qc_json_set_str(o, "state", states[job->state], err));
    QC_TRY(qc_json_set_int(o, "started", job->started_s, err));
    if (job->state == MOVE_RUNNING)
        QC_TRY(qc_json_set_null(o, "ended", err));
    else
        QC_TRY(qc_json_set_int(o, "ended", job->ended_s, err));
    QC_TRY(outcome_json(o, job, err));
    QC_TRY(report_json(&report, &job->seen, err));
    QC_TRY(qc_json_set(o, "report", &report, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

qc_rc cloud_facts_json(struct json_t *obj, unsigned facts, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < CLOUD_FACT_COUNT; i++)
        if (facts >> i & 1)
            QC_TRY(qc_json_append_str(list, cloud_fact_word(i), err));
    return qc_json_set(obj, "facts", &list, err);
}

qc_rc cloud_info_json(void *list, const struct gw_cloud_info *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    char time[QC_TIME_TEXT];
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_int(o, "id", c->id, err));
    QC_TRY(qc_json_set_str(o, "name", c->name, err));
    QC_TRY(qc_json_set_str(o, "url", c->url, err));
    QC_TRY(qc_json_set_str(o, "role", gw_cloud_role_name(c->role), err));
    QC_TRY(qc_json_set_int(o, "weight", c->labels.weight, err));
    for (unsigned i = 0; i < GW_LABELS; i++)
        QC_TRY(qc_json_set_str(o, gw_domain_name((enum gw_domain)(i + 1)), c->labels.v[i], err));
    QC_TRY(json_count(o, "fragments", c->fragments, err));
    QC_TRY(json_count(o, "bytes", c->bytes, err));
    QC_TRY(json_count(o, "dead", c->dead, err));
    if (c->credentials != NULL)
        QC_TRY(qc_json_set_str(o, "credentials", c->credentials, err));
    if (c->validated) {
        qc_time_text(c->validated_s, time);
        QC_TRY(qc_json_set_str(o, "validated", time, err));
        QC_TRY(cloud_facts_json(o, c->facts, err));
    }
    return qc_json_append(list, &o, err);
}

qc_rc clouds_list_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    struct gw_domains d;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(gw_engine_cloud_list(e, cloud_info_json, list, err));
    gw_engine_domains(e, &d);
    QC_TRY(qc_json_set_str(o, "domain", gw_domain_name(d.rule), err));
    QC_TRY(qc_json_set_int(o, "domains", d.count, err));
    QC_TRY(qc_json_set_int(o, "k", d.k, err));
    QC_TRY(qc_json_set_int(o, "n", d.n, err));
    QC_TRY(qc_json_set(o, "clouds", &list, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc exit_plan_json(struct json_t **ret, struct gw_engine *e, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_exit_plan p;
    QC_TRY(gw_engine_plan_exit(e, name, &p, err));
    const struct json_row rows[] = {
        { "fragments", p.fragments },         { "bytes", p.bytes },           { "dead", p.dead },
        { "log_objects", p.log_objects },     { "read_bytes", p.read_bytes }, { "reads", p.reads },
        { "written_bytes", p.written_bytes }, { "writes", p.writes },         { "deletes", p.deletes },
        { "bytes_per_s", p.bytes_per_s },     { "domains", p.clouds },        { "needed", p.needed }
    };
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "cloud", name, err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    QC_TRY(qc_json_set_bool(o, "possible", p.possible, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc code_plan_json(struct json_t **ret, struct gw_engine *e, unsigned k, unsigned n, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_code_plan p;
    QC_TRY(gw_engine_plan_code(e, k, n, &p, err));
    const struct json_row rows[] = {
        { "k_now", p.was_k },
        { "n_now", p.was_n },
        { "k", p.k },
        { "n", p.n },
        { "segments", p.segments },
        { "bytes", p.bytes },
        { "stored_bytes_now", p.lying_bytes },
        { "stored_bytes", p.will_lie },
        { "read_bytes", p.read_bytes },
        { "reads", p.reads },
        { "written_bytes", p.written_bytes },
        { "writes", p.writes },
        { "deletes", p.deletes },
        { "margin_now", p.was_margin },
        { "margin", p.margin },
        { "record_quorum_now", p.was_quorum },
        { "record_quorum", p.quorum },
        { "bytes_per_s", p.bytes_per_s },
        { "domains", p.clouds },
        { "needed", p.needed },
    };
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    QC_TRY(qc_json_set_bool(o, "possible", p.possible, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}
