/* The bucket: one instant for each way, up to which what has gone is paid for. What goes next is paid for
 * after it; an instant that lies further back than a burst's time counts as that. So no more than a burst
 * above the rate goes in any stretch of time, and what a sleep oversleeps is not lost. */
#include "net/rate.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/thread.h"

#define SECOND_NS   UINT64_C(1000000000)
#define SLICE_NS    (SECOND_NS / 20) /* a Ctrl-C, and a new table, are seen this soon */
#define PIECE_LEAST 1024

struct net_rate {
    struct net_rate_clock clock;
    void (*look)(void *ctx, struct net_rate *r);
    void *look_ctx;
    atomic_bool looking;
    pthread_mutex_t lock; /* guards what follows */
    struct net_rate_table table;
    uint64_t now_bytes[NET_RATE_WAYS]; /* what the table says at this time */
    uint64_t said_ns, looked_ns;       /* since when; when the hook was asked last. 0: not yet */
    uint64_t paid_ns[NET_RATE_WAYS];
};

/* -- the machine's time ---------------------------------------------------------------------------------- */

static uint64_t machine_now(void *ctx)
{
    (void)ctx;
    return qc_now_ns();
}

static unsigned machine_minute(void *ctx)
{
    const time_t now = time(NULL);
    struct tm tm = { 0 };
    (void)ctx;
    (void)localtime_r(&now, &tm); /* of a time that has no date: Sunday, 00:00 */
    return ((unsigned)tm.tm_wday * 24 + (unsigned)tm.tm_hour) * 60 + (unsigned)tm.tm_min;
}

static void machine_sleep(void *ctx, uint64_t ns)
{
    (void)ctx;
    (void)nanosleep(
        &(struct timespec){ .tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS) }, NULL);
}

/* -- the bucket ------------------------------------------------------------------------------------------ */

void net_rate_free(struct net_rate **r)
{
    if (*r != NULL)
        qc_mutex_done(&(*r)->lock);
    qc_free(*r);
    *r = NULL;
}

qc_rc net_rate_new(struct net_rate **ret, const struct net_rate_clock *clock, struct qc_err *err)
{
    struct net_rate *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *r);
    r->clock = clock != NULL ? *clock
                             : (struct net_rate_clock){ .now_ns = machine_now,
                                                        .minute = machine_minute,
                                                        .sleep = machine_sleep };
    qc_mutex_init(&r->lock);
    *ret = r;
    return QC_OK;
}

void net_rate_set(struct net_rate *r, const struct net_rate_table *t)
{
    QC_LOCK(&r->lock);
    r->table = *t;
    r->said_ns = 0;
}

void net_rate_watch(struct net_rate *r, void (*fn)(void *ctx, struct net_rate *r), void *ctx)
{
    r->look = fn;
    r->look_ctx = ctx;
}

/* With the lock held: bytes a second now, 0: as many as there are. */
static uint64_t rate_now(struct net_rate *r, enum net_rate_way way, uint64_t now)
{
    if (r->said_ns == 0 || now - r->said_ns >= SECOND_NS) {
        const struct net_rate_from *row = net_rate_at(&r->table, r->clock.minute(r->clock.ctx));
        for (unsigned i = 0; i < NET_RATE_WAYS; i++)
            r->now_bytes[i] = row != NULL ? row->bytes[i] : 0;
        r->said_ns = now;
    }
    return r->now_bytes[way];
}

/* How long until they may pass. */
static uint64_t pay(struct net_rate *r, enum net_rate_way way, uint64_t n)
{
    QC_LOCK(&r->lock);
    const uint64_t now = r->clock.now_ns(r->clock.ctx), burst = NET_RATE_BURST_MS * (SECOND_NS / 1000);
    const uint64_t rate = rate_now(r, way, now), floor = now > burst ? now - burst : 0;
    uint64_t *paid = &r->paid_ns[way];
    if (rate == 0) {
        *paid = 0;
        return 0;
    }
    if (*paid < floor)
        *paid = floor;
    *paid += n / rate * SECOND_NS + (n % rate * SECOND_NS + rate - 1) / rate; /* rate <= 2^30: no overflow */
    return *paid > now ? *paid - now : 0;
}

/* Is it time to ask whether the table is still the right one? */
static bool look_is_due(struct net_rate *r)
{
    if (r->look == NULL)
        return false;
    QC_LOCK(&r->lock);
    const uint64_t now = r->clock.now_ns(r->clock.ctx);
    if (r->looked_ns != 0 && now - r->looked_ns < NET_RATE_LOOK_MS * (SECOND_NS / 1000))
        return false;
    r->looked_ns = now;
    return true;
}

static void look(struct net_rate *r)
{
    if (!look_is_due(r) || atomic_exchange(&r->looking, true))
        return;
    r->look(r->look_ctx, r);
    atomic_store(&r->looking, false);
}

size_t net_rate_piece(struct net_rate *r, enum net_rate_way way, size_t max)
{
    if (r == NULL)
        return max;
    QC_LOCK(&r->lock);
    const uint64_t rate = rate_now(r, way, r->clock.now_ns(r->clock.ctx));
    uint64_t piece = rate / 10 > PIECE_LEAST ? rate / 10 : PIECE_LEAST;
    return rate == 0 || piece > max ? max : (size_t)piece;
}

void net_rate_spend(struct net_rate *r, enum net_rate_way way, uint64_t n)
{
    if (r != NULL)
        (void)pay(r, way, n);
}

qc_rc net_rate_wait(struct net_rate *r, enum net_rate_way way, uint64_t n, qc_deadline deadline,
                    const struct qc_cancel *cancel, struct qc_err *err)
{
    if (r == NULL)
        return QC_OK;
    look(r);
    for (uint64_t left = pay(r, way, n); left > 0;) {
        const uint64_t slice = left < SLICE_NS ? left : SLICE_NS;
        QC_TRY(qc_go_on(deadline, cancel, "waiting for the limit of the rate", err));
        r->clock.sleep(r->clock.ctx, slice);
        left -= slice;
    }
    return QC_OK;
}
