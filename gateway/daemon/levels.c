#include "levels.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

enum { LEVELS_WAYS = 2 * QC_GW_CLOUDS_MAX }; /* a cloud that moved has two */

qc_rc levels_init(struct levels *l, const struct conf_levels *conf, struct qc_err *err)
{
    *l = (struct levels){ .v = qc_alloc(LEVELS_WAYS * sizeof *l->v) };
    if (l->v == NULL)
        return QC_FAIL(err, QC_NOMEM, "levels of clouds");
    l->conf.all.least = NET_PLAIN;
    if (conf != NULL)
        l->conf = *conf;
    qc_mutex_init(&l->lock);
    holds_init(&l->holds);
    return QC_OK;
}

void levels_done(struct levels *l)
{
    if (l->v == NULL)
        return;
    for (unsigned i = 0; i < LEVELS_WAYS; i++)
        net_watch_free(&l->v[i].link);
    qc_free(l->v);
    l->v = NULL;
    qc_mutex_done(&l->lock);
    holds_done(&l->holds);
}

const struct net_want *levels_wanted(const struct levels *l, const char *tenant)
{
    for (unsigned i = 0; i < l->conf.count; i++)
        if (strcmp(l->conf.tenants[i].name, tenant) == 0)
            return &l->conf.tenants[i].want;
    return &l->conf.all;
}

/* -- ways ------------------------------------------------------------------------------------------------ */

static qc_rc fill(struct levels_way *w, const char *url, struct qc_err *err)
{
    net_watch_free(&w->link);
    w->url[0] = '\0';
    QC_TRY(cloud_way_of(url, &w->way, err));
    if (w->way.link[0] != '\0')
        QC_TRY(net_watch_new(&w->link, w->way.link, &w->way.want, err));
    QC_ASSERT(strlen(url) < sizeof w->url); /* it parses */
    memcpy(w->url, url, strlen(url) + 1);
    return QC_OK;
}

/* Under the lock. NULL: why is in err. */
static struct levels_way *way_of(struct levels *l, const char *url, struct qc_err *err)
{
    struct levels_way *room = NULL;
    for (unsigned i = 0; i < LEVELS_WAYS; i++) {
        if (strcmp(l->v[i].url, url) == 0)
            return &l->v[i];
        if (room == NULL && l->v[i].url[0] == '\0')
            room = &l->v[i];
    }
    if (room == NULL)
        room = &l->v[l->next++ % LEVELS_WAYS];
    return fill(room, url, err) == QC_OK ? room : NULL;
}

void levels_look(struct levels *l, const char *url, struct levels_view *ret)
{
    *ret = (struct levels_view){ .way.want.least = NET_DOWN };
    QC_LOCK(&l->lock);
    const struct levels_way *w = way_of(l, url, &ret->why);
    if (w == NULL)
        return;
    ret->way = w->way;
    if (w->link == NULL)
        return;
    struct qc_err unused = { 0 };
    ret->known = net_watch_look(w->link, &ret->state, &unused) == QC_OK;
    qc_ignore(net_watch_allowed(w->link, NULL, &ret->why), "it is kept in why");
}

/* -- may it be written? ---------------------------------------------------------------------------------- */

/* Clouds that get new fragments and whose links let them. */
struct tried {
    uint64_t need, held; /* pad of a link at otp: for this, and what others have */
    unsigned count, open;
    struct qc_err why; /* of the first that does not */
};

/* Is there pad? */
static void look_for_pad(const struct tried *t, struct levels_view *v)
{
    const struct net_link_state *s = &v->state;
    if (t->need == 0 || v->why.rc != QC_OK || !v->known || s->now != NET_OTP)
        return;
    const uint64_t most = s->pad_full / 4 * 3, free = s->pad_send > t->held ? s->pad_send - t->held : 0;
    const uint64_t need = s->pad_full > 0 && t->need > most ? most : t->need;
    if (free < need)
        qc_err_set(&v->why, QC_LINK, QC_HERE,
                   "link %s has %" PRIu64 " bytes of pad, %" PRIu64
                   " of them kept for uploads under way; %" PRIu64 " are needed",
                   s->link, s->pad_send, t->held < s->pad_send ? t->held : s->pad_send, need);
}

static qc_rc look_at(struct levels *l, const struct gw_cloud_status *c, const struct net_want *wanted,
                     struct tried *t, struct qc_err *err)
{
    struct levels_view v;
    levels_look(l, c->url, &v);
    look_for_pad(t, &v);
    t->count++;
    if (!v.way.local && v.way.want.least < wanted->least && v.way.want.least != NET_DOWN)
        return QC_FAIL(err, QC_LINK, "cloud %s is reached at %s, and %s is the least that is wanted", c->name,
                       net_level_name(v.way.want.least), net_level_name(wanted->least));
    if (v.known)
        QC_TRY_AS(net_want_age(wanted, &v.state, err), err, "cloud %s", c->name);
    if (v.why.rc == QC_OK)
        t->open++;
    else if (t->why.rc == QC_OK)
        qc_err_set(&t->why, QC_LINK, QC_HERE, "cloud %s: %s", c->name, v.why.msg);
    return QC_OK;
}

/* put_key NULL: no pad is asked for. */
static qc_rc check(struct levels *l, struct gw_engine *e, const struct net_want *wanted,
                   const struct gw_id *put_key, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    struct tried t = { 0 };
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *s);
    gw_engine_look(e, s);
    if (put_key != NULL) {
        t.need = holds_need(size, s->k);
        t.held = holds_others(&l->holds, put_key);
    }
    for (unsigned i = 0; i < s->cloud_count; i++)
        if (s->clouds[i].view.role == GW_ROLE_IN_USE)
            QC_TRY(look_at(l, &s->clouds[i], wanted, &t, err));
    if (t.open >= s->write_quorum || t.open == t.count)
        return QC_OK;
    return QC_FAIL(err, QC_LINK, "%u of %u clouds can be written to at their level, %u are needed; %s",
                   t.open, t.count, s->write_quorum, t.why.msg);
}

qc_rc levels_check(struct levels *l, struct gw_engine *e, const struct net_want *wanted, struct qc_err *err)
{
    return check(l, e, wanted, NULL, 0, err);
}

static unsigned code_of(struct gw_engine *e)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return 1; /* more is given back, then: it is asked for anew by the next */
    gw_engine_look(e, s);
    return s->k;
}

qc_rc levels_begin(struct levels *l, struct gw_engine *e, const struct net_want *wanted,
                   const struct gw_id *put_key, uint64_t size, struct qc_err *err)
{
    QC_TRY(check(l, e, wanted, put_key, size, err));
    holds_set(&l->holds, put_key, holds_need(size, code_of(e)));
    return QC_OK;
}

void levels_gone(struct levels *l, struct gw_engine *e, const struct gw_id *put_key, uint64_t size)
{
    holds_give_back(&l->holds, put_key, size / code_of(e));
}

void levels_over(struct levels *l, const struct gw_id *put_key)
{
    holds_give_back(&l->holds, put_key, UINT64_MAX);
}

qc_rc levels_reason(struct levels *l, struct gw_engine *e, const struct net_want *wanted, qc_rc rc,
                    struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (rc != QC_QUORUM && rc != QC_TIMEOUT && rc != QC_TEMP)
        return rc;
    if (levels_check(l, e, wanted, &why) != QC_LINK)
        return rc;
    *err = why;
    return QC_LINK;
}
