#include "arrival.h"

#include "base/limits.h"
#include "base/thread.h"
#include "engine_internal.h"

void gw_arrivals_init(struct gw_arrivals *a)
{
    qc_mutex_init(&a->lock);
    qc_cond_init(&a->changed);
}

void gw_arrivals_done(struct gw_arrivals *a)
{
    qc_cond_done(&a->changed);
    qc_mutex_done(&a->lock);
}

void gw_arrival_begin(struct gw_engine *e, struct gw_arrival *s, const struct gw_ref *put_key)
{
    struct gw_arrivals *a = &e->arrivals;

    QC_ASSERT(s->of == NULL);
    QC_LOCK(&a->lock);
    *s = (struct gw_arrival){ .of = a, .put_key = *put_key, .moved_ms = qc_now_ms(), .next = a->first };
    a->first = s;
}

void gw_arrival_moves(struct gw_arrival *s, bool whole)
{
    if (s->of == NULL)
        return;
    QC_LOCK(&s->of->lock);
    s->moved_ms = qc_now_ms();
    s->whole = whole;
}

void gw_arrival_end(struct gw_arrival *s)
{
    struct gw_arrivals *a = s->of;

    if (a == NULL)
        return;
    QC_LOCK(&a->lock);
    for (struct gw_arrival **at = &a->first; *at != NULL; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    s->of = NULL;
    qc_cond_wake_all(&a->changed);
}

/* Under the lock. A connection whose other end is gone may not say so for a while. */
static bool is_awaited(const struct gw_arrivals *a, const struct gw_ref *put_key)
{
    const uint64_t now = qc_now_ms();

    for (const struct gw_arrival *s = a->first; s != NULL; s = s->next)
        if (s->put_key.tenant == put_key->tenant && gw_id_same(&s->put_key.id, &put_key->id) &&
            (s->whole || now - s->moved_ms < QC_GW_ARRIVAL_STILL_MS))
            return true;
    return false;
}

void gw_arrivals_wait(struct gw_arrivals *a, const struct gw_ref *put_key, qc_deadline until)
{
    QC_LOCK(&a->lock);
    while (is_awaited(a, put_key) && !qc_deadline_over(until))
        (void)qc_cond_wait(&a->changed, &a->lock, qc_deadline_in(QC_GW_ARRIVAL_STILL_MS / 10));
}
