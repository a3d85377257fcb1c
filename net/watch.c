#include "net/watch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "base/time.h"

struct net_watch {
    char *link;
    struct net_want want;
    pthread_mutex_t lock; /* all that follows; held while the link is asked: others wait for that answer */
    uint64_t asked_ms;    /* 0: never */
    struct net_link_state state;
    struct qc_err why; /* it did not answer */
};

qc_rc net_watch_new(struct net_watch **ret, const char *link, const struct net_want *want, struct qc_err *err)
{
    QC_ASSERT(link[0] == '/' && want->least != NET_DOWN);
    struct net_watch *w = qc_alloc(sizeof *w);
    char *copy = w == NULL ? NULL : qc_strdup(link);
    if (copy == NULL) {
        qc_free(w);
        return QC_FAIL(err, QC_NOMEM, "what watches a link");
    }
    w->link = copy;
    w->want = *want;
    qc_mutex_init(&w->lock);
    *ret = w;
    return QC_OK;
}

void net_watch_free(struct net_watch **w)
{
    if (*w == NULL)
        return;
    qc_mutex_done(&(*w)->lock);
    qc_free((*w)->link);
    qc_free(*w);
    *w = NULL;
}

qc_rc net_watch_look(struct net_watch *w, struct net_link_state *ret, struct qc_err *err)
{
    QC_LOCK(&w->lock);
    if (w->asked_ms == 0 || qc_now_ms() - w->asked_ms >= NET_WATCH_FRESH_MS) {
        w->why = (struct qc_err){ 0 };
        qc_ignore(net_link_state_ask(&w->state, w->link, qc_deadline_in(NET_WATCH_ASK_MS), &w->why),
                  "it is kept in why");
        w->asked_ms = qc_now_ms();
    }
    if (w->why.rc != QC_OK)
        return QC_FAIL(err, QC_LINK, "the link does not say how it is: %s", w->why.msg);
    *ret = w->state;
    return QC_OK;
}

qc_rc net_watch_allowed(struct net_watch *w, bool *ret_later, struct qc_err *err)
{
    struct net_link_state s;
    bool unused = false;
    bool *later = ret_later != NULL ? ret_later : &unused;
    *later = true;
    QC_TRY(net_watch_look(w, &s, err));
    *later = false;
    if (s.least < w->want.least)
        return QC_FAIL(err, QC_LINK, "link %s may go down to %s, and %s is the least that is allowed", s.link,
                       net_level_name(s.least), net_level_name(w->want.least));
    QC_TRY(net_want_age(&w->want, &s, err));
    *later = true;
    if (!s.ready)
        return QC_FAIL(err, QC_LINK, "link %s %s%s%s", s.link,
                       s.now == NET_DOWN ? "is down" : "has no key, or no pad, that may be used",
                       s.why[0] == '\0' ? "" : ": ", s.why);
    return QC_OK;
}
