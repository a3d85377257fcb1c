#include "stock.h"

#include <math.h>
#include <poll.h>

#include "base/log.h"
#include "base/thread.h"

enum { SECOND_MS = 1000 };

/* All pad that was ever made in this direction and is not here any more; in bits. */
static uint64_t pad_used(const struct link *l, uint64_t next, uint64_t left)
{
    const uint64_t made = next > 0 ? (next - 1) * l->conf->pad_block : 0;
    return made > left ? 8 * (made - left) : 0;
}

void link_stock_note(struct link *l, uint64_t tx, uint64_t rx)
{
    const struct net_link_state *s = &l->state;
    const uint64_t now = qc_now_ms();
    if (l->conf->level < NET_QKD_TLS || now - l->noted_ms < SECOND_MS)
        return;
    l->noted_ms = now;
    link_forecast_used(&l->forecast, LINK_SEND, now, pad_used(l, tx, s->pad_send));
    link_forecast_used(&l->forecast, LINK_RECEIVE, now, pad_used(l, rx, s->pad_receive));
    link_forecast_used(&l->forecast, LINK_TLS, now, l->keys_used * LINK_KEY_BITS);
}

static double dry_s(const struct link *l, uint64_t now)
{
    const uint64_t pad[2] = { 8 * l->state.pad_send, 8 * l->state.pad_receive };
    return link_forecast_dry_s(&l->forecast, now, pad);
}

void link_stock_tell(const struct link *l, struct net_link_state *ret)
{
    const uint64_t now = qc_now_ms();
    const double dry = dry_s(l, now);
    ret->stock_known = l->forecast.known;
    ret->stock_bits = l->forecast.known ? l->forecast.stock : 0;
    ret->use_bps = (uint64_t)llround(link_forecast_use_bps(&l->forecast, now));
    ret->dries = isfinite(dry);
    ret->dry_s = ret->dries ? (uint64_t)llround(dry) : 0;
}

/* -- the KME --------------------------------------------------------------------------------------------- */

/* Under state_lock: that key runs out soon is told when it begins, and when it is over. */
static void tell_dry(struct link *l, uint64_t now)
{
    static const char *const says[] = {
        [QKD_DRY_NOT] = "the link's key lasts again",
        [QKD_DRY_WARN] = "W1306 the link's key is out within 4 hours at the present use",
        [QKD_DRY_ALARM] = "W1306 the link's key is out within the hour at the present use"
    };
    const double dry = dry_s(l, now);
    const enum qkd_dry is = qkd_use_dry(&l->forecast.gone, now, dry, l->dry);
    if (is != l->dry)
        QC_LOG(is == QKD_DRY_NOT ? QC_LOG_INFO : QC_LOG_WARN, says[is], QC_S("link", l->conf->name),
               QC_U("bits", l->forecast.stock), QC_U("seconds", isfinite(dry) ? (uint64_t)dry : 0));
    l->dry = is;
}

static void look(struct link *l)
{
    struct qkd_status s;
    struct qc_err err = { 0 };
    const qc_rc rc = link_keys_look(l->keys, l->stop, &s, &err);
    const uint64_t now = qc_now_ms();
    if (rc != QC_OK)
        QC_LOG(QC_LOG_DEBUG, "the KME does not say what it has", QC_S("why", err.msg));
    QC_LOCK(&l->state_lock);
    if (rc != QC_OK) {
        link_forecast_blind(&l->forecast);
        return;
    }
    if (l->conf->level == NET_OTP && l->noted_ms == 0) /* pad lies here that nobody has counted yet */
        return;
    const bool full = s.stored >= s.capacity;
    const uint64_t stored = full ? s.capacity : s.stored;
    const uint64_t pad[2] = { 8 * l->state.pad_send, 8 * l->state.pad_receive };
    link_forecast_look(&l->forecast, now, stored * s.key_bits, full, pad);
    tell_dry(l, now);
}

static void *looker_main(void *arg)
{
    struct link *l = ((struct link_looker *)arg)->link;
    for (unsigned n = 0; !qc_cancel_is(l->stop); n++) {
        const qc_deadline next = qc_deadline_in(n < LINK_LOOKS_SOON ? SECOND_MS : LINK_LOOK_MS);
        look(l);
        while (!qc_cancel_is(l->stop) && !qc_deadline_over(next))
            (void)poll(NULL, 0, LINK_POLL_MS);
    }
    return NULL;
}

qc_rc link_looker_start(struct link_looker *k, struct link *l, struct qc_err *err)
{
    k->link = l;
    if (l->conf->level < NET_QKD_TLS)
        return QC_OK;
    if (pthread_create(&k->thread, NULL, looker_main, k) != 0)
        return QC_FAIL(err, QC_NOMEM, "a thread that asks the KME for its stock");
    k->runs = true;
    return QC_OK;
}

void link_looker_end(struct link_looker *k)
{
    if (k->runs)
        pthread_join(k->thread, NULL);
    k->runs = false;
}
