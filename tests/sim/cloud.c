/* Simulated clouds. The engine opens them by the URLs of directories; the link (cmake/sim) leads
 * cloud_open_opts and cloud_create_opts here, and what follows goes through cloud/'s own dispatcher. A put or
 * delete that was sent happens at its cloud whether or not the sender lives, and perhaps much later. A reader
 * sees the state of one instant. */
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "driver.h"
#include "wrap.h"

SIM_CLOUD_CALLS(SIM_WRAPPED)

enum { KEYS_EVER = 1 << 16 };

struct sim_cloud {
    char url[64];
    bool there;                 /* its place bears the mark */
    struct objects now, before; /* before: a snapshot */
    bool has_before;
    struct sim_mood mood;
    unsigned exclusive;
};

struct handle {
    struct cloud base;
    unsigned at;
    bool exclusive;
};

static struct sim_cloud clouds[SIM_CLOUDS_MAX];
static unsigned cloud_count, pending;
static struct {
    uint64_t key, bytes;
} ever[KEYS_EVER]; /* the content of each key that was ever written */

static struct object *find(struct sim_cloud *c, const char *key)
{
    bool there;
    const size_t at = objects_place(&c->now, key, &there);

    return there ? &c->now.v[at] : NULL;
}

/* -- what is told to the oracle -------------------------------------------------------------------------- */

/* What is known of a key: made, with no content yet, if nothing is. */
static uint64_t *content_of(unsigned at, const char *key)
{
    const uint64_t k = sim_hash(UINT64_C(0xcbf29ce484222325) + at, key, strlen(key)) | 1;
    size_t i = (size_t)k % KEYS_EVER;

    while (ever[i].key != 0 && ever[i].key != k)
        i = (i + 1) % KEYS_EVER;
    ever[i].key = k;
    return &ever[i].bytes;
}

/* A7: a key has one content for ever; a cloud's identity is none of those. */
static void check_once(unsigned at, const char *key, const struct blob *b)
{
    if (strncmp(key, "i/", 2) == 0)
        return;
    uint64_t *bytes = content_of(at, key);
    if (*bytes != 0 && *bytes != b->hash)
        sim_broken("A7", "cloud %u: %s is written with other bytes than before", at + 1, key);
    *bytes = b->hash;
}

/* Root objects have the number of an incarnation, and a rebuild takes the first that it finds free: on a
 * cloud that forgot its own that may be one which a rebuild that came to nothing had taken there. */
static void forget_root(unsigned at, const char *key)
{
    if (strncmp(key, "r/", 2) == 0)
        *content_of(at, key) = 0;
}

static void tell_gone(unsigned at, const struct object *o, bool fault)
{
    if (fault)
        forget_root(at, o->key);
    if (!o->blob->frag.is || !o->blob->sound)
        return;
    if (fault)
        oracle_destroyed(at, o->key, &o->blob->frag);
    else
        oracle_deleted(at, o->key, &o->blob->frag);
}

/* -- requests that change something ---------------------------------------------------------------------- */

/* On its way: counted by the caller and by each landing. */
struct request {
    unsigned refs, at;
    bool landed;
    qc_rc rc;
    enum cloud_put_mode mode;
    struct blob *blob; /* NULL: a delete */
    char key[SIM_KEY_MAX];
};

static void request_drop(struct request *r)
{
    if (--r->refs > 0)
        return;
    if (r->blob != NULL)
        blob_drop(r->blob);
    free(r);
}

static qc_rc land_put(struct sim_cloud *c, struct request *r)
{
    struct object *o = find(c, r->key);

    if (c->mood.full)
        return QC_FULL;
    if (o != NULL && r->mode == CLOUD_NEW) {
        const bool same = o->blob->n == r->blob->n && memcmp(o->blob->p, r->blob->p, o->blob->n) == 0;
        return same ? QC_OK : QC_CONFLICT;
    }
    check_once(r->at, r->key, r->blob);
    if (o != NULL)
        tell_gone(r->at, o, false);
    r->blob->refs++;
    objects_set(&c->now, r->key, r->blob);
    if (r->blob->frag.is)
        oracle_landed(r->at, r->key, &r->blob->frag, r->blob->payload_hash);
    return QC_OK;
}

static qc_rc land_delete(struct sim_cloud *c, struct request *r)
{
    bool there;
    const size_t at = objects_place(&c->now, r->key, &there);

    if (!there)
        return QC_OK;
    tell_gone(r->at, &c->now.v[at], false);
    objects_remove(&c->now, at);
    return QC_OK;
}

static void land(void *ctx)
{
    struct request *r = ctx;
    struct sim_cloud *c = &clouds[r->at];

    pending--;
    if (!c->there)
        r->rc = QC_TEMP;
    else
        r->rc = r->blob != NULL ? land_put(c, r) : land_delete(c, r);
    if (r->blob != NULL && r->blob->frag.is)
        sim_say("cloud %u: put %.14s lands: %s; fragment %u of %" PRIx64, r->at + 1, r->key,
                qc_rc_name(r->rc), r->blob->frag.index, r->blob->frag.segment);
    else
        sim_say("cloud %u: %s %.14s lands: %s", r->at + 1, r->blob != NULL ? "put" : "delete", r->key,
                qc_rc_name(r->rc));
    r->landed = true;
    sim_wake(&r->landed);
    request_drop(r);
}

static void send(struct request *r, uint64_t at)
{
    r->refs++;
    pending++;
    sim_at(at, land, r);
}

/* -- the way there and back ------------------------------------------------------------------------------ */

static uint64_t latency(const struct sim_cloud *c)
{
    const uint64_t typical = c->mood.latency_ms * SIM_MS;
    const uint64_t more =
        sim_below(&sim.world, typical + 1); /* one draw a statement: their order is the seed's */

    return typical / 2 + more + sim_below(&sim.world, SIM_MS);
}

static const bool never = false;

static uint64_t deadline_of(const struct cloud_op *op)
{
    return op->deadline.at_ms == 0 ? sim.now + 60 * SIM_S : op->deadline.at_ms * SIM_MS;
}

/* No answer comes: until the caller has enough. */
static qc_rc silence(const struct cloud_op *op, struct qc_err *err)
{
    sim_wait_call(&never, deadline_of(op), op->cancel);
    if (qc_cancel_is(op->cancel))
        return QC_FAIL(err, QC_CANCELLED, "interrupted");
    return QC_FAIL(err, QC_TIMEOUT, "no answer");
}

/* The answer does not come: silence, or the connection breaks. */
static qc_rc no_answer(const struct cloud_op *op, struct qc_err *err)
{
    if (sim_below(&sim.world, 2) == 0)
        return silence(op, err);
    sim_wait_call(&never, sim.now + 5 * SIM_MS, op->cancel);
    return QC_FAIL(err, QC_TEMP, "the connection broke");
}

/* Wait that long, as a driver does. */
static qc_rc pass(uint64_t ns, const struct cloud_op *op, struct qc_err *err)
{
    const uint64_t until = sim.now + ns;

    sim_wait_call(&never, until < deadline_of(op) ? until : deadline_of(op), op->cancel);
    if (qc_cancel_is(op->cancel))
        return QC_FAIL(err, QC_CANCELLED, "interrupted");
    return sim.now >= until ? QC_OK : QC_FAIL(err, QC_TIMEOUT, "no answer in time");
}

static qc_rc no_connection(struct qc_err *err)
{
    return QC_FAIL(err, QC_TEMP, "connection refused");
}

/* Does the request get to the cloud at all? */
static qc_rc arrive(struct sim_cloud *c, const char *what, const struct cloud_op *op, struct qc_err *err)
{
    const struct sim_mood *m = &c->mood;

    sim_step(what);
    if (sim_one_in(&sim.world, m->hangs))
        sim_sleep(sim_spread(&sim.world, SIM_S, SIM_DAY));
    if (m->away)
        return m->refuses ? no_connection(err) : silence(op, err);
    if (!c->there)
        return QC_FAIL(err, QC_TEMP, "the place is gone");
    if (m->forbidden)
        return QC_FAIL(err, QC_AUTH, "forbidden");
    if (sim_one_in(&sim.world, m->busy))
        return QC_FAIL(err, QC_TEMP, "busy");
    return QC_OK;
}

/* A request that reads: there and back. */
static qc_rc ask(struct sim_cloud *c, const char *what, const struct cloud_op *op, struct qc_err *err)
{
    QC_TRY(arrive(c, what, op, err));
    if (sim_one_in(&sim.world, c->mood.lost_before) || sim_one_in(&sim.world, c->mood.lost_after))
        return no_answer(op, err);
    return pass(latency(c), op, err);
}

/* A request that changes something. */
static qc_rc change(struct sim_cloud *c, struct request *r, const char *what, const struct cloud_op *op,
                    struct qc_err *err)
{
    const struct sim_mood m = c->mood;
    const uint64_t way = latency(c);

    QC_TRY(arrive(c, what, op, err));
    if (sim_one_in(&sim.world, m.lost_before))
        return no_answer(op, err);
    if (sim_one_in(&sim.world, m.late)) {
        send(r, sim.now + sim_spread(&sim.world, SIM_S, UINT64_C(1000000) * SIM_S));
        if (sim_below(&sim.world, 2) == 0) /* and once more: somebody on the way has tried again */
            send(r, sim.now + sim_spread(&sim.world, SIM_S, UINT64_C(1000000) * SIM_S));
        return no_answer(op, err);
    }
    send(r, sim.now + way / 2);
    if (sim_one_in(&sim.world, m.lost_after))
        return no_answer(op, err);
    sim_wait_call(&r->landed, deadline_of(op), op->cancel);
    if (!r->landed)
        return silence(op, err);
    QC_TRY(pass(way / 2, op, err));
    return r->rc == QC_OK ? QC_OK : QC_FAIL(err, r->rc, "refused");
}

static struct request *request_new(unsigned at, const char *key, struct blob *b)
{
    struct request *r = calloc(1, sizeof *r);

    QC_ASSERT(r != NULL);
    r->refs = 1;
    r->at = at;
    r->blob = b;
    snprintf(r->key, sizeof r->key, "%s", key);
    return r;
}

/* -- the driver ------------------------------------------------------------------------------------------ */

static struct handle *handle_of(struct cloud *c)
{
    return (struct handle *)c; /* base is the first member */
}

static struct sim_cloud *cloud_of(struct cloud *c)
{
    return &clouds[handle_of(c)->at];
}

static qc_rc d_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
                   struct qc_err *err)
{
    struct request *r = request_new(handle_of(c)->at, job->key, blob_of(job->parts, job->count, job->size));

    r->mode = job->mode;
    const qc_rc rc = change(cloud_of(c), r, "put", op, err);
    request_drop(r);
    return rc;
}

static qc_rc d_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    struct request *r = request_new(handle_of(c)->at, key, NULL);
    const qc_rc rc = change(cloud_of(c), r, "delete", op, err);

    request_drop(r);
    return rc;
}

static qc_rc d_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got,
                   const struct cloud_op *op, struct qc_err *err)
{
    QC_TRY(ask(cloud_of(c), "get", op, err));
    const struct object *o = find(cloud_of(c), job->key);
    size_t n = 0;

    if (o == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "no such object");
    if (job->range.off < o->blob->n) {
        const size_t left = o->blob->n - (size_t)job->range.off;
        n = left < job->range.n ? left : job->range.n;
        if (n > 0)
            memcpy(job->dst, o->blob->p + job->range.off, n);
    }
    *ret_got = n;
    return QC_OK;
}

static qc_rc d_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                    struct qc_err *err)
{
    QC_TRY(ask(cloud_of(c), "head", op, err));
    const struct object *o = find(cloud_of(c), key);

    if (o == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "no such object");
    *ret_size = o->blob->n;
    return QC_OK;
}

static qc_rc d_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
                    const struct cloud_op *op, struct qc_err *err)
{
    const struct cloud_list_query *q = job->q;

    QC_TRY(ask(cloud_of(c), "list", op, err));
    *ret = (struct cloud_page){ 0 };
    snprintf(ret->last, sizeof ret->last, "%s", q->after);
    const struct objects *o = &cloud_of(c)->now;
    const size_t prefix = strlen(q->prefix);
    bool there;
    for (size_t i = objects_place(o, strcmp(q->after, q->prefix) > 0 ? q->after : q->prefix, &there);
         i < o->count && strncmp(o->v[i].key, q->prefix, prefix) == 0; i++) {
        const struct cloud_item item = { .key = o->v[i].key, .size = o->v[i].blob->n };
        if (strcmp(item.key, q->after) <= 0)
            continue;
        if (ret->count == q->limit) {
            ret->more = true;
            break;
        }
        QC_TRY(job->fn(job->ctx, &item, err)); /* the product's callbacks do not wait */
        ret->count++;
        snprintf(ret->last, sizeof ret->last, "%s", item.key);
    }
    return QC_OK;
}

static qc_rc d_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op, struct qc_err *err)
{
    QC_TRY(ask(cloud_of(c), "space", op, err));
    *ret = (struct cloud_space){ .total = UINT64_C(1) << 40, .avail = UINT64_C(1) << 39 };
    return QC_OK;
}

static qc_rc d_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    return ask(cloud_of(c), "alive", op, err);
}

static qc_rc d_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err)
{
    (void)c;
    (void)x;
    (void)op;
    return QC_FAIL(err, QC_GENERAL, "simulated clouds are not examined");
}

static void d_close(struct cloud *c)
{
    struct handle *h = handle_of(c);

    clouds[h->at].exclusive -= h->exclusive;
    qc_free(h);
}

static const struct cloud_vt vt = {
    .put = d_put,
    .get = d_get,
    .head = d_head,
    .delete = d_delete,
    .list = d_list,
    .space = d_space,
    .alive = d_alive,
    .examine = d_examine,
    .close = d_close,
};

static unsigned at_of(const char *url)
{
    for (unsigned at = 0; at < cloud_count; at++)
        if (strcmp(clouds[at].url, url) == 0)
            return at;
    sim_broken("the simulator", "a cloud that is not simulated: %s", url);
}

qc_rc __wrap_cloud_open_opts(struct cloud **ret, const char *url, const struct cloud_opts *opts,
                             struct qc_err *err)
{
    const unsigned at = at_of(url);
    struct sim_cloud *c = &clouds[at];

    QC_TRY(cloud_op_check(&opts->op, err));
    if (!c->there && !c->mood.away)
        return QC_FAIL(err, QC_NOTFOUND, "no cloud there");
    QC_TRY(ask(c, "open", &opts->op, err));
    if (!c->there)
        return QC_FAIL(err, QC_NOTFOUND, "no cloud there");
    if (opts->exclusive && c->exclusive > 0)
        return QC_FAIL(err, QC_LOCKED, "in use");
    struct handle *h = qc_alloc(sizeof *h);
    QC_ASSERT(h != NULL);
    *h = (struct handle){ .base = { .vt = &vt,
                                    .caps = { .driver = "sim",
                                              .object_size_max = CLOUD_OBJECT_SIZE_MAX,
                                              .put_new_atomic = true,
                                              .list_strong = true,
                                              .space_known = true,
                                              .parallel_hint = 2 },
                                    .name = qc_strdup(opts->name != NULL ? opts->name : url) },
                          .at = at,
                          .exclusive = opts->exclusive };
    c->exclusive += opts->exclusive;
    *ret = &h->base;
    return QC_OK;
}

qc_rc __wrap_cloud_create_opts(const char *url, const struct cloud_opts *opts, struct qc_err *err)
{
    struct sim_cloud *c = &clouds[at_of(url)];
    const bool there = c->there;

    c->there = true;
    const qc_rc rc = ask(c, "create", &opts->op, err);
    if (rc != QC_OK)
        c->there = there;
    return rc;
}

void sim_clouds_closed(void)
{
    for (unsigned at = 0; at < cloud_count; at++)
        clouds[at].exclusive = 0;
}

/* -- what befalls them ----------------------------------------------------------------------------------- */

void sim_clouds_new(unsigned count)
{
    memset(clouds, 0, sizeof clouds);
    memset(ever, 0, sizeof ever);
    cloud_count = count;
    pending = 0;
    for (unsigned at = 0; at < count; at++)
        snprintf(clouds[at].url, sizeof clouds[at].url, "file:///cloud%u", at + 1);
}

void sim_cloud_mood(unsigned at, const struct sim_mood *mood)
{
    clouds[at].mood = *mood;
}

const char *sim_cloud_url(unsigned at)
{
    return clouds[at].url;
}

unsigned sim_cloud_count(void)
{
    return cloud_count;
}

bool sim_clouds_late(void)
{
    for (unsigned at = 0; at < cloud_count; at++)
        if (clouds[at].mood.late > 0)
            return true;
    return false;
}

unsigned sim_clouds_pending(void)
{
    return pending;
}

/* A sound fragment or log object, chosen. */
static struct object *victim(struct sim_cloud *c)
{
    if (c->now.count == 0)
        return NULL;
    struct object *o = &c->now.v[sim_below(&sim.faults, c->now.count)];
    return (strncmp(o->key, "f/", 2) == 0 || strncmp(o->key, "l/", 2) == 0) && o->blob->sound ? o : NULL;
}

/* The same object, with bytes that nobody put there. */
static void spoil(unsigned at, struct object *o, const uint8_t *p, size_t n)
{
    struct blob *b = blob_new(n);

    if (n > 0)
        memcpy(b->p, p, n);
    blob_read(b);
    tell_gone(at, o, true);
    objects_set(&clouds[at].now, o->key, b);
}

bool sim_cloud_damage(unsigned at, enum sim_damage kind)
{
    struct sim_cloud *c = &clouds[at];
    struct object *o = victim(c), *other = victim(c);

    if (o == NULL || o->blob->n == 0 || (kind == SIM_SWAP && (other == NULL || other == o)))
        return false;
    sim_say("cloud %u: %.14s is %s", at + 1, o->key,
            kind == SIM_LOSE   ? "lost"
            : kind == SIM_FLIP ? "flipped"
            : kind == SIM_CUT  ? "cut"
                               : "swapped");
    if (kind == SIM_LOSE) {
        tell_gone(at, o, true);
        objects_remove(&c->now, (size_t)(o - c->now.v));
    } else if (kind == SIM_CUT) {
        spoil(at, o, o->blob->p, sim_below(&sim.faults, o->blob->n));
    } else if (kind == SIM_SWAP) {
        struct blob *b = other->blob;
        spoil(at, o, b->p, b->n);
    } else {
        struct blob *b = blob_new(o->blob->n);
        memcpy(b->p, o->blob->p, b->n);
        b->p[sim_below(&sim.faults, b->n)] ^= (uint8_t)(1 << sim_below(&sim.faults, 8));
        spoil(at, o, b->p, b->n);
        blob_drop(b);
    }
    return true;
}

void sim_cloud_stranger(unsigned at, bool there)
{
    static const char key[] = "f/no/nobody-knows-it";
    struct object *o = find(&clouds[at], key);

    if (there && o == NULL) {
        struct blob *b = blob_new(1);
        b->p[0] = 0;
        blob_read(b);
        objects_set(&clouds[at].now, key, b);
    } else if (!there && o != NULL) {
        objects_remove(&clouds[at].now, (size_t)(o - clouds[at].now.v));
    }
}

void sim_cloud_wipe(unsigned at, bool place_too)
{
    struct sim_cloud *c = &clouds[at];

    sim_say("cloud %u is wiped%s", at + 1, place_too ? ", place and all" : "");
    for (size_t i = 0; i < c->now.count; i++)
        tell_gone(at, &c->now.v[i], true);
    objects_clear(&c->now);
    c->there = !place_too;
}

void sim_cloud_snapshot(unsigned at)
{
    objects_copy(&clouds[at].before, &clouds[at].now);
    clouds[at].has_before = true;
}

bool sim_cloud_rollback(unsigned at, bool keep_identity)
{
    struct sim_cloud *c = &clouds[at];
    struct object *id = find(c, "i/cloud");
    struct blob *identity = id != NULL ? id->blob : NULL;

    if (!c->has_before || !c->there)
        return false;
    sim_say("cloud %u is as it was before%s", at + 1, keep_identity ? ", but for its identity" : "");
    if (identity != NULL)
        identity->refs++;
    for (size_t i = 0; i < c->now.count; i++)
        tell_gone(at, &c->now.v[i], true);
    objects_copy(&c->now, &c->before);
    for (size_t i = 0; i < c->now.count; i++)
        if (c->now.v[i].blob->frag.is && c->now.v[i].blob->sound)
            oracle_restored(at, c->now.v[i].key, &c->now.v[i].blob->frag);
    if (identity != NULL && keep_identity)
        objects_set(&c->now, "i/cloud", identity);
    else if (identity != NULL)
        blob_drop(identity);
    return true;
}

void sim_clouds_each(sim_object_fn fn, void *ctx)
{
    for (unsigned at = 0; at < cloud_count; at++)
        for (size_t i = 0; i < clouds[at].now.count; i++) {
            const struct object *o = &clouds[at].now.v[i];
            const bool is = o->blob->frag.is && o->blob->sound; /* another's bytes, swapped, say nothing */
            if (strncmp(o->key, "f/", 2) == 0)
                fn(ctx, at, o->key, is ? o->blob->frag.segment : 0, o->blob->frag.index);
        }
}
