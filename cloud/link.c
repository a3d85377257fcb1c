#include "cloud/link.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "base/time.h"
#include "link_way.h"

/* What the scheme gives by itself. */
static enum net_level scheme_level(const struct cloud_url *u)
{
    const char *plus = strchr(u->scheme, '+');
    if (plus == NULL)
        return NET_OTP;
    return strcmp(plus, "+https") == 0 ? NET_TLS : NET_PLAIN;
}

qc_rc cloud_way_from(const struct cloud_url *u, struct cloud_way *ret, struct qc_err *err)
{
    struct cloud_way way = { .local = strchr(u->scheme, '+') == NULL, .least = scheme_level(u) };
    const bool is_link = u->link[0] != '\0', is_level = u->level[0] != '\0';
    if (way.local && (is_link || is_level))
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: link and level are for clouds that are reached by a network");
    if (is_link && (u->link[0] != '/' || !is_level))
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: expected link=/absolute/socket of a qcloud-link, and "
                       "level=LEVEL, the least for writing");
    memcpy(way.link, u->link, strlen(u->link) + 1);
    if (is_level)
        QC_TRY_AS(net_level_parse(u->level, &way.least, err), err, "cloud URL: level");
    if (!is_link && way.least > scheme_level(u))
        return QC_FAIL(err, QC_USAGE, "cloud URL: level=%.16s, where without link=.. there is %s", u->level,
                       net_level_name(scheme_level(u)));
    *ret = way;
    return QC_OK;
}

qc_rc cloud_way_of(const char *url, struct cloud_way *ret, struct qc_err *err)
{
    struct cloud_url u;
    QC_TRY(cloud_url_parse(url, &u, err));
    return cloud_way_from(&u, ret, err);
}

struct cloud_link {
    struct cloud_way way;
    pthread_mutex_t lock; /* all that follows; held while the link is asked: others wait for that answer */
    uint64_t asked_ms;    /* 0: never */
    struct net_link_state state;
    struct qc_err why; /* it did not answer */
};

qc_rc cloud_link_new(struct cloud_link **ret, const struct cloud_way *way, struct qc_err *err)
{
    QC_ASSERT(way->link[0] != '\0');
    struct cloud_link *l = qc_alloc(sizeof *l);
    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *l);
    l->way = *way;
    qc_mutex_init(&l->lock);
    *ret = l;
    return QC_OK;
}

void cloud_link_free(struct cloud_link **l)
{
    if (*l == NULL)
        return;
    qc_mutex_done(&(*l)->lock);
    qc_free(*l);
    *l = NULL;
}

qc_rc cloud_link_look(struct cloud_link *l, struct net_link_state *ret, struct qc_err *err)
{
    QC_LOCK(&l->lock);
    if (l->asked_ms == 0 || qc_now_ms() - l->asked_ms >= CLOUD_LINK_FRESH_MS) {
        l->why = (struct qc_err){ 0 };
        qc_ignore(net_link_state_ask(&l->state, l->way.link, qc_deadline_in(CLOUD_LINK_ASK_MS), &l->why),
                  "it is kept in why");
        l->asked_ms = qc_now_ms();
    }
    if (l->why.rc != QC_OK)
        return QC_FAIL(err, QC_LINK, "the link does not say how it is: %s", l->why.msg);
    *ret = l->state;
    return QC_OK;
}

qc_rc cloud_link_writable(struct cloud_link *l, struct qc_err *err)
{
    struct net_link_state s;
    QC_TRY(cloud_link_look(l, &s, err));
    if (s.least < l->way.least)
        return QC_FAIL(err, QC_LINK, "link %s may go down to %s, and %s is the least that is allowed", s.link,
                       net_level_name(s.least), net_level_name(l->way.least));
    if (!s.ready)
        return QC_FAIL(err, QC_LINK, "link %s %s%s%s", s.link,
                       s.now == NET_DOWN ? "is down" : "has no key, or no pad, that may be used",
                       s.why[0] == '\0' ? "" : ": ", s.why);
    return QC_OK;
}
