#include "net/way.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum net_level weaker(enum net_level a, enum net_level b)
{
    if (a == NET_DOWN || b == NET_DOWN)
        return a == NET_DOWN ? b : a;
    return a < b ? a : b;
}

/* As one state has it. */
static void look(struct net_way *w, const struct net_link_state *s)
{
    *w = (struct net_way){ .level = s->now };
    if (s->now == NET_DOWN)
        return;
    (void)snprintf(w->first, sizeof w->first, "%s", s->key_id);
    (void)snprintf(w->last, sizeof w->last, "%s", s->key_id);
    w->keys = s->key_id[0] != '\0';
    w->pad_first = w->pad_last = s->now == NET_OTP ? s->pad_block : 0;
}

void net_way_between(struct net_way *ret, enum net_level least, const struct net_link_state *before,
                     const struct net_link_state *after)
{
    struct net_way w = { 0 }, end = { 0 };
    if (before != NULL)
        look(&w, before);
    if (after != NULL)
        look(&end, after);
    net_way_add(&w, &end);
    /* Its own count knows of those in between; a link that began anew counts from one. */
    if (before != NULL && after != NULL && w.keys > 1 && after->keys >= before->keys)
        w.keys = after->keys - before->keys + 1;
    if (w.level == NET_DOWN)
        w.level = least;
    *ret = w;
}

void net_way_add(struct net_way *w, const struct net_way *more)
{
    w->level = weaker(w->level, more->level);
    if (more->keys > 0) {
        const bool goes_on = w->keys > 0 && strcmp(w->last, more->first) == 0;
        w->keys += more->keys - (goes_on ? 1 : 0);
        if (w->first[0] == '\0')
            memcpy(w->first, more->first, sizeof w->first);
        memcpy(w->last, more->last, sizeof w->last);
    }
    if (more->pad_first == 0)
        return;
    if (w->pad_first == 0 || more->pad_first < w->pad_first)
        w->pad_first = more->pad_first;
    if (more->pad_last > w->pad_last)
        w->pad_last = more->pad_last;
}

qc_rc net_way_print(const struct net_way *w, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "%s", net_level_name(w->level)));
    if (w->keys == 1)
        QC_TRY(qc_buf_addf(ret, err, ",key=%s", w->first));
    else if (w->keys > 1)
        QC_TRY(qc_buf_addf(ret, err, ",keys=%" PRIu64 ",first=%s,last=%s", w->keys, w->first, w->last));
    if (w->pad_first != 0)
        QC_TRY(qc_buf_addf(ret, err, ",pad=%" PRIu64, w->pad_first));
    if (w->pad_last != w->pad_first)
        QC_TRY(qc_buf_addf(ret, err, "-%" PRIu64, w->pad_last));
    return QC_OK;
}
