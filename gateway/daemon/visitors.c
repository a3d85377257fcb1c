#include "visitors.h"

#include <inttypes.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "http.h"

struct visitor {
    struct visitor *next;
    const void *door;
    unsigned max; /* places of its door */
    int fd;
    bool known, asked; /* whose it is; to leave, which its thread will see */
    uint32_t tenant;
    enum visitor_phase phase;
    uint64_t moved_ms; /* it came, another phase began, bytes moved */
    uint64_t unit_ms;  /* since when it fills a unit; 0: it fills none */
    size_t unit_bytes;
};

void visitors_init(struct visitors *v)
{
    qc_mutex_init(&v->lock);
    qc_cond_init(&v->freed);
}

void visitors_done(struct visitors *v)
{
    QC_ASSERT(v->first == NULL);
    qc_cond_done(&v->freed);
    qc_mutex_done(&v->lock);
}

struct visitor *visitors_enter(struct visitors *v, const void *door, unsigned max, int fd)
{
    struct visitor *who = qc_alloc(sizeof *who);

    if (who == NULL)
        return NULL;
    *who = (struct visitor){ .door = door, .max = max, .fd = fd, .moved_ms = qc_now_ms() };
    QC_LOCK(&v->lock);
    who->next = v->first;
    v->first = who;
    return who;
}

void visitors_leave(struct visitors *v, struct visitor *who)
{
    if (who == NULL)
        return;
    QC_LOCK(&v->lock);
    for (struct visitor **at = &v->first; *at != NULL; at = &(*at)->next)
        if (*at == who) {
            *at = who->next;
            break;
        }
    qc_cond_wake_all(&v->freed);
    qc_free(who);
}

/* Connections of a tenant; those of them with requests under way. */
static uint64_t count_tenant(const struct visitors *v, uint32_t tenant, uint64_t *ret_running)
{
    uint64_t n = 0;

    *ret_running = 0;
    for (const struct visitor *o = v->first; o != NULL; o = o->next) {
        if (!o->known || o->tenant != tenant)
            continue;
        n++;
        *ret_running += o->phase != VISITOR_RESTS && o->phase != VISITOR_WAITS;
    }
    return n;
}

qc_rc visitors_begin(struct visitors *v, struct visitor *who, uint32_t tenant, uint32_t requests,
                     struct qc_err *err)
{
    const qc_deadline until = qc_deadline_in(HTTP_TURN_MS);
    uint64_t running = 0;
    bool in_time = true;

    QC_LOCK(&v->lock);
    who->known = true;
    who->tenant = tenant;
    who->moved_ms = qc_now_ms();
    const uint64_t connections = count_tenant(v, tenant, &running);
    if (connections > 2 * (uint64_t)requests)
        return QC_FAIL(err, QC_TEMP, "this tenant has %" PRIu64 " connections, at most %" PRIu64, connections,
                       2 * (uint64_t)requests);
    who->phase = VISITOR_WAITS;
    while (running >= requests && in_time) {
        in_time = qc_cond_wait(&v->freed, &v->lock, until);
        (void)count_tenant(v, tenant, &running);
    }
    who->phase = running < requests ? VISITOR_RECEIVES : VISITOR_RESTS;
    who->moved_ms = qc_now_ms();
    if (running < requests)
        return QC_OK;
    return QC_FAIL(err, QC_TEMP, "%" PRIu64 " requests of this tenant are under way, at most %" PRIu32,
                   running, requests);
}

void visitors_phase(struct visitors *v, struct visitor *who, enum visitor_phase phase)
{
    if (who == NULL)
        return;
    QC_LOCK(&v->lock);
    who->phase = phase;
    who->unit_ms = 0;
    who->moved_ms = qc_now_ms();
    if (phase == VISITOR_RESTS)
        qc_cond_wake_all(&v->freed);
}

void visitors_unit(struct visitors *v, struct visitor *who, size_t bytes)
{
    if (who == NULL)
        return;
    QC_LOCK(&v->lock);
    who->moved_ms = qc_now_ms();
    if (who->unit_ms == 0)
        who->unit_ms = who->moved_ms;
    who->unit_bytes = bytes;
}

/* -- whose time is over ---------------------------------------------------------------------------------- */

/* Its thread reads the end of the connection, and leaves. */
static void ask_to_leave(struct visitor *who, const char *why, struct quiet *quiet)
{
    who->asked = true;
    (void)shutdown(who->fd, SHUT_RDWR);
    if (quiet_may(quiet))
        QC_LOG(QC_LOG_INFO, "a connection is closed", QC_S("why", why), QC_U("tenant", who->tenant));
}

/* Slower than anybody's line, and others wait for the unit that it fills. */
static bool crawls(const struct visitor *who, uint64_t now)
{
    const uint64_t ms = now - who->unit_ms;
    return who->unit_ms != 0 && ms >= HTTP_CRAWL_MS &&
           (uint64_t)who->unit_bytes * 1000 / ms < HTTP_CRAWL_RATE;
}

/* Does nothing move, and is that its client's doing? */
static bool rests(const struct visitor *who, uint64_t now)
{
    static const uint64_t after_ms[] = { [VISITOR_RESTS] = HTTP_REST_MS,
                                         [VISITOR_WAITS] = UINT64_MAX,
                                         [VISITOR_RECEIVES] = HTTP_STALL_MS,
                                         [VISITOR_WORKS] = UINT64_MAX,
                                         [VISITOR_SENDS] = HTTP_STALL_MS };
    return now - who->moved_ms >= (who->known ? after_ms[who->phase] : HTTP_KNOCK_MS);
}

static unsigned count_of(const struct visitors *v, const struct visitor *like)
{
    unsigned n = 0;

    for (const struct visitor *o = v->first; o != NULL; o = o->next)
        n += o->door == like->door && !o->asked && o->known == like->known && o->tenant == like->tenant;
    return n;
}

static unsigned at_door(const struct visitors *v, const void *door)
{
    unsigned n = 0;

    for (const struct visitor *o = v->first; o != NULL; o = o->next)
        n += o->door == door && !o->asked;
    return n;
}

/* Of those that rest at a crowded door: the one that did so longest, of whoever has the most. */
static struct visitor *who_gives_way(struct visitors *v, const void *door, uint64_t now)
{
    struct visitor *best = NULL;
    unsigned most = 0;

    for (struct visitor *o = v->first; o != NULL; o = o->next) {
        if (o->door != door || o->asked || !rests(o, now))
            continue;
        const unsigned n = count_of(v, o);
        if (best == NULL || n > most || (n == most && o->moved_ms < best->moved_ms)) {
            best = o;
            most = n;
        }
    }
    return best;
}

/* A few at a time: each look is a pass over all pairs. True: it is crowded. */
static bool make_room(struct visitors *v, const struct visitor *at, uint64_t now, struct quiet *quiet)
{
    const unsigned few = at->max - at->max / 8;
    const bool crowded = at_door(v, at->door) >= few;

    for (unsigned i = 0; i < HTTP_GIVE_WAY && at_door(v, at->door) >= few; i++) {
        struct visitor *who = who_gives_way(v, at->door, now);
        if (who == NULL)
            break;
        ask_to_leave(who, "others come", quiet);
    }
    return crowded;
}

/* Is there one of the same door before it in the list? */
static bool door_seen(const struct visitors *v, const struct visitor *who)
{
    const struct visitor *o = v->first;

    while (o->door != who->door)
        o = o->next;
    return o != who;
}

bool visitors_tick(struct visitors *v, bool wanted, struct quiet *quiet)
{
    const uint64_t now = qc_now_ms();
    bool crowded = false;

    QC_LOCK(&v->lock);
    for (struct visitor *who = v->first; who != NULL; who = who->next) {
        if (!who->asked && !who->known && now - who->moved_ms >= HTTP_STRANGER_MS)
            ask_to_leave(who, "no request came", quiet);
        if (!who->asked && wanted && crawls(who, now))
            ask_to_leave(who, "it crawls, and others wait", quiet);
    }
    for (struct visitor *who = v->first; who != NULL; who = who->next)
        if (!door_seen(v, who))
            crowded = make_room(v, who, now, quiet) || crowded;
    return crowded;
}
