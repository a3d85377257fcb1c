#include "levels.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

enum { LEVELS_WAYS = 2 * QC_GW_CLOUDS_MAX }; /* a cloud that moved has two */

qc_rc levels_init(struct levels *l, const struct conf_levels *conf, struct qc_err *err)
{
    *l = (struct levels){ .v = qc_alloc(LEVELS_WAYS * sizeof *l->v) };
    if (l->v == NULL)
        return QC_FAIL(err, QC_NOMEM, "levels of clouds");
    l->conf.least = NET_PLAIN;
    if (conf != NULL)
        l->conf = *conf;
    qc_mutex_init(&l->lock);
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
}

enum net_level levels_wanted(const struct levels *l, const char *tenant)
{
    for (unsigned i = 0; i < l->conf.count; i++)
        if (strcmp(l->conf.tenants[i].name, tenant) == 0)
            return l->conf.tenants[i].least;
    return l->conf.least;
}

/* -- ways ------------------------------------------------------------------------------------------------ */

static qc_rc fill(struct levels_way *w, const char *url, struct qc_err *err)
{
    net_watch_free(&w->link);
    w->url[0] = '\0';
    QC_TRY(cloud_way_of(url, &w->way, err));
    if (w->way.link[0] != '\0')
        QC_TRY(net_watch_new(&w->link, w->way.link, w->way.least, err));
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
    *ret = (struct levels_view){ .way.least = NET_DOWN };
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
    unsigned count, open;
    struct qc_err why; /* of the first that does not */
};

static qc_rc look_at(struct levels *l, const struct gw_cloud_status *c, enum net_level wanted,
                     struct tried *t, struct qc_err *err)
{
    struct levels_view v;
    levels_look(l, c->url, &v);
    t->count++;
    if (!v.way.local && v.way.least < wanted && v.way.least != NET_DOWN)
        return QC_FAIL(err, QC_LINK, "cloud %s is reached at %s, and %s is the least that is wanted", c->name,
                       net_level_name(v.way.least), net_level_name(wanted));
    if (v.why.rc == QC_OK)
        t->open++;
    else if (t->why.rc == QC_OK)
        qc_err_set(&t->why, QC_LINK, QC_HERE, "cloud %s: %s", c->name, v.why.msg);
    return QC_OK;
}

qc_rc levels_check(struct levels *l, struct gw_engine *e, enum net_level wanted, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    struct tried t = { 0 };
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *s);
    gw_engine_look(e, s);
    for (unsigned i = 0; i < s->cloud_count; i++)
        if (s->clouds[i].view.role == GW_ROLE_IN_USE)
            QC_TRY(look_at(l, &s->clouds[i], wanted, &t, err));
    if (t.open >= s->write_quorum || t.open == t.count)
        return QC_OK;
    return QC_FAIL(err, QC_LINK, "%u of %u clouds can be written to at their level, %u are needed; %s",
                   t.open, t.count, s->write_quorum, t.why.msg);
}

qc_rc levels_reason(struct levels *l, struct gw_engine *e, enum net_level wanted, qc_rc rc,
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
