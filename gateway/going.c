#include "going.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "engine_internal.h"

struct gw_going {
    struct gw_ref put_key;
    uint64_t stamp; /* of when it was heard of last */
    struct gw_progress p;
    uint32_t flying[QC_GW_CLOUDS_MAX]; /* fragments on their way, by row of p */
};

void gw_goings_init(struct gw_goings *g)
{
    qc_mutex_init(&g->lock);
}

void gw_goings_done(struct gw_goings *g)
{
    for (unsigned i = 0; i < QC_GW_GOING_MAX; i++)
        qc_free(g->v[i]);
    qc_mutex_done(&g->lock);
}

static bool is_of(const struct gw_going *u, const struct gw_ref *put_key)
{
    return u != NULL && u->put_key.tenant == put_key->tenant && gw_id_same(&u->put_key.id, &put_key->id);
}

/* Under the lock. NULL: there is none. */
static struct gw_going *find(const struct gw_goings *g, const struct gw_ref *put_key)
{
    for (unsigned i = 0; i < QC_GW_GOING_MAX; i++)
        if (is_of(g->v[i], put_key))
            return g->v[i];
    return NULL;
}

/* The same, or a new one in the place of none, or of that which was not heard of for longest. NULL: no
 * memory, and then nobody is told. */
static struct gw_going *take(struct gw_goings *g, const struct gw_ref *put_key)
{
    struct gw_going *u = find(g, put_key);
    unsigned at = 0;
    if (u == NULL) {
        for (unsigned i = 0; i < QC_GW_GOING_MAX && g->v[at] != NULL; i++)
            if (g->v[i] == NULL || g->v[i]->stamp < g->v[at]->stamp)
                at = i;
        if (g->v[at] == NULL)
            g->v[at] = qc_alloc(sizeof *u);
        u = g->v[at];
        if (u == NULL)
            return NULL;
        *u = (struct gw_going){ .put_key = *put_key };
    }
    u->stamp = ++g->stamp;
    return u;
}

/* NULL: as many clouds as there can be, and another one. */
static struct gw_progress_cloud *row_of(struct gw_going *u, uint32_t cloud_id)
{
    for (unsigned i = 0; i < u->p.count; i++)
        if (u->p.v[i].cloud_id == cloud_id)
            return &u->p.v[i];
    if (u->p.count == QC_GW_CLOUDS_MAX)
        return NULL;
    u->p.v[u->p.count] = (struct gw_progress_cloud){ .cloud_id = cloud_id };
    return &u->p.v[u->p.count++];
}

static void failed_once(struct gw_progress_cloud *c, const struct gw_outcome *o)
{
    c->tries++;
    (void)snprintf(c->why, sizeof c->why, "%s", o->why[0] != '\0' ? o->why : "no answer in time");
}

static void told(void *ctx, unsigned i, uint32_t cloud_id, uint64_t bytes, const struct gw_outcome *o,
                 bool last)
{
    struct gw_going_segment *s = ctx;
    const uint32_t bit = (uint32_t)1 << i;
    const bool flew = (s->flying & bit) != 0;
    QC_LOCK(&s->of->lock);
    struct gw_going *u = take(s->of, &s->put_key);
    struct gw_progress_cloud *c = u != NULL ? row_of(u, cloud_id) : NULL;
    if (c == NULL)
        return;
    uint32_t *flying = &u->flying[c - u->p.v];
    s->bytes = bytes;
    s->flying = o->fate == GW_PENDING ? s->flying | bit : s->flying & ~bit;
    *flying += o->fate == GW_PENDING && !flew;
    *flying -= o->fate != GW_PENDING && flew && *flying > 0; /* an entry that was replaced has none */
    if (o->fate == GW_DONE)
        c->tries = 0;
    else if (o->fate != GW_PENDING && o->fate != GW_LEFT && (flew || (last && o->fate != GW_FAILED)))
        failed_once(c, o); /* a failure that was told already is not counted again */
}

struct gw_watcher gw_going_watch(struct gw_going_segment *s, struct gw_goings *g,
                                 const struct gw_ref *put_key)
{
    *s = (struct gw_going_segment){ .of = g, .put_key = *put_key };
    return (struct gw_watcher){ told, s };
}

void gw_going_end(const struct gw_going_segment *s, const struct gw_written *w, unsigned n)
{
    QC_LOCK(&s->of->lock);
    struct gw_going *u = find(s->of, &s->put_key);
    if (u == NULL)
        return;
    u->p.segments++;
    for (unsigned i = 0; i < n; i++) {
        struct gw_progress_cloud *c = row_of(u, w->cloud_id[i]);
        const bool durable = (w->durable_set >> i & 1) != 0;
        if (c == NULL)
            continue;
        c->durable += durable;
        c->bytes += durable ? s->bytes : 0;
        c->failed += !durable && (w->left_set >> i & 1) == 0; /* what nobody waited for is neither */
    }
}

const char *gw_progress_state(const struct gw_progress_cloud *c)
{
    if (c->writing)
        return c->tries > 0 ? "retrying" : "writing";
    return c->tries > 0 ? "failed" : "ok";
}

qc_rc gw_upload_progress(struct gw_engine *e, const struct gw_ref *put_key, struct gw_progress *ret,
                         struct qc_err *err)
{
    QC_TRY(gw_engine_may(e, err));
    return gw_goings_look(&e->goings, put_key, ret, err);
}

qc_rc gw_goings_look(struct gw_goings *g, const struct gw_ref *put_key, struct gw_progress *ret,
                     struct qc_err *err)
{
    QC_LOCK(&g->lock);
    struct gw_going *u = find(g, put_key);
    if (u == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "nothing of such an upload was heard of since this gateway began");
    *ret = u->p;
    for (unsigned i = 0; i < ret->count; i++)
        ret->v[i].writing = u->flying[i] > 0;
    return QC_OK;
}
