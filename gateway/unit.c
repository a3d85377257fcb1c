/* The store and its pool of units (I6). A unit comes back when its last reference goes, which may be that of
 * a worker that hung (S3).
 *
 * Tenants share the pool: some units are kept for tenants who have none, so that one under load never has
 * them all; of those who wait, whoever has the fewest is next. A unit counts for its tenant until its request
 * is over: one that a hung worker keeps after that is the gateway's loss and not the tenant's. The owner is
 * exempt: where there are no others, all is as if there were no tenants. */
#include <stdio.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "gateway/tenant.h"
#include "store_internal.h"

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void unit_free(struct gw_unit *u)
{
    QC_ASSERT(munmap(u->mem, u->size) == 0);
    qc_free(u);
}

/* Under the lock: a spare one goes, out of the list of all, too. */
static void drop_unit(struct gw_store *s, struct gw_unit *u)
{
    struct gw_unit **at = &s->all;

    while (*at != u)
        at = &(*at)->sibling;
    *at = u->sibling;
    s->made--;
    unit_free(u);
}

static void drop_spare(struct gw_store *s)
{
    while (s->spare != NULL) {
        struct gw_unit *u = s->spare;
        s->spare = u->next;
        drop_unit(s, u);
    }
}

qc_rc gw_store_fit(struct gw_store *s, unsigned k, unsigned n, struct qc_err *err)
{
    struct ec_geometry g;

    QC_ASSERT(k >= 1 && k <= QC_EC_N_MAX && n <= QC_EC_N_MAX);
    QC_TRY(ec_geometry(k, QC_GW_SEGMENT_MAX, &g, err));
    const size_t slot = round_up(GW_HEAD_ROOM + (size_t)g.payload_size + GW_END_ROOM, 4096);
    QC_LOCK(&s->lock);
    if (slot <= s->slot_size && n <= s->n)
        return QC_OK;
    if (slot > s->slot_size) {
        s->slot_size = slot;
        s->k = k;
    }
    if (n > s->n)
        s->n = n;
    s->unit_size = s->n * s->slot_size;
    drop_spare(s);
    /* Each of m clouds that hang can keep as many units as it has workers, and the gateway goes on with two.
     */
    const unsigned wanted = (s->n - s->k) * QC_GW_CLOUD_WORKERS + 2;
    const unsigned room = (unsigned)(QC_GW_UNITS_BYTES / s->unit_size);
    s->unit_max = wanted > QC_GW_UNITS ? wanted : QC_GW_UNITS;
    s->unit_max = room < s->unit_max ? room : s->unit_max;
    s->unit_max = s->unit_max < 2 ? 2 : s->unit_max;
    s->unit_max = s->unit_max < s->out ? s->out : s->unit_max; /* those that are out came before */
    return QC_OK;
}

static void free_store(struct gw_store **s)
{
    gw_store_free(s);
}

qc_rc gw_store_new(struct gw_store **ret, const struct gw_root *root, struct gw_fan *fan, unsigned k,
                   unsigned n, struct qc_err *err)
{
    const struct ec_coder *coder;

    QC_ASSERT(k >= 1 && k <= n);
    QC_ASSERT(n <= QC_EC_N_MAX);
    QC_TRY(ec_coder_get(k, n - k, &coder, err));
    QC_CLEANUP(free_store) struct gw_store *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "store");
    s->root = root;
    s->fan = fan;
    gw_pace_init(&s->pace);
    qc_mutex_init(&s->lock);
    qc_cond_init(&s->returned);
    QC_TRY(gw_store_fit(s, k, n, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

static unsigned units_out(struct gw_store *s)
{
    QC_LOCK(&s->lock);

    return s->out;
}

void gw_store_free(struct gw_store **sp)
{
    struct gw_store *s = *sp;

    *sp = NULL;
    if (s == NULL || units_out(s) > 0)
        return; /* a stuck worker has one: it stays with its store until the program ends */
    drop_spare(s);
    qc_cond_done(&s->returned);
    qc_mutex_done(&s->lock);
    gw_pace_done(&s->pace);
    qc_free(s);
}

static qc_rc unit_new(struct gw_store *s, struct gw_unit **ret, struct qc_err *err)
{
    struct gw_unit *u = qc_alloc(sizeof *u);

    if (u == NULL)
        return QC_FAIL(err, QC_NOMEM, "a unit of %zu bytes", s->unit_size);
    u->store = s;
    u->size = s->unit_size;
    u->slot_size = s->slot_size;
    u->n = s->n;
    u->mem = mmap(NULL, u->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (u->mem == MAP_FAILED) {
        qc_free(u);
        return QC_FAIL(err, QC_NOMEM, "a unit of %zu bytes", s->unit_size);
    }
    (void)madvise(u->mem, u->size, MADV_HUGEPAGE);
    *ret = u;
    return QC_OK;
}

static unsigned held_by(const struct gw_store *s, uint32_t tenant)
{
    unsigned n = 0;

    for (const struct gw_unit *u = s->all; u != NULL; u = u->sibling)
        n += u->charged && u->tenant == tenant;
    return n;
}

/* Units that only those may have who have none. */
static unsigned kept_back(const struct gw_store *s)
{
    return s->unit_max < 3 ? 1 : s->unit_max / 3;
}

static bool may_take(const struct gw_store *s, uint32_t tenant)
{
    const unsigned left = s->unit_max - s->out;

    return left > 0 && (tenant == GW_OWNER || left > kept_back(s) || held_by(s, tenant) == 0);
}

/* Under the lock: who is next? NULL: nobody may. */
static const struct unit_waiter *next_waiter(const struct gw_store *s)
{
    const struct unit_waiter *best = NULL;
    unsigned least = 0;

    for (const struct unit_waiter *w = s->waiters; w != NULL; w = w->next) {
        if (!may_take(s, w->tenant))
            continue;
        const unsigned n = held_by(s, w->tenant);
        if (best == NULL || n < least) {
            best = w;
            least = n;
        }
    }
    return best;
}

static void stop_waiting(struct gw_store *s, const struct unit_waiter *w)
{
    for (struct unit_waiter **at = &s->waiters; *at != NULL; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

/* Under the lock: wait for one's turn. QC_TEMP. */
static qc_rc await_turn(struct gw_store *s, uint32_t tenant, qc_deadline deadline, struct qc_err *err)
{
    struct unit_waiter me = { .tenant = tenant };
    struct unit_waiter **last = &s->waiters;
    bool in_time = true;

    while (*last != NULL)
        last = &(*last)->next;
    *last = &me;
    while (next_waiter(s) != &me && in_time)
        in_time = qc_cond_wait(&s->returned, &s->lock, deadline);
    const bool mine = next_waiter(s) == &me;
    stop_waiting(s, &me);
    if (mine)
        return QC_OK;
    return QC_FAIL(err, QC_TEMP, "all %u segment buffers are in use", s->unit_max);
}

qc_rc gw_unit_take(struct gw_store *s, uint32_t tenant, qc_deadline deadline, struct gw_unit **ret,
                   struct qc_err *err)
{
    QC_LOCK(&s->lock);
    QC_TRY(await_turn(s, tenant, deadline, err));
    struct gw_unit *u = s->spare;

    if (u != NULL) {
        s->spare = u->next;
    } else {
        QC_TRY(unit_new(s, &u, err));
        s->made++;
        u->sibling = s->all;
        s->all = u;
    }
    s->out++;
    u->next = NULL;
    u->tenant = tenant;
    u->charged = true;
    atomic_store(&u->refs, 1);
    qc_cond_wake_all(&s->returned); /* there may be one for the next, too */
    *ret = u;
    return QC_OK;
}

bool gw_store_wanted(struct gw_store *s)
{
    QC_LOCK(&s->lock);

    return s->waiters != NULL;
}

void gw_unit_discharge(struct gw_unit *u)
{
    if (u == NULL)
        return;
    QC_LOCK(&u->store->lock);
    u->charged = false;
    qc_cond_wake_all(&u->store->returned);
}

struct gw_unit *gw_unit_share(struct gw_unit *u)
{
    QC_ASSERT(atomic_fetch_add(&u->refs, 1) > 0);
    return u;
}

/* Under the lock. */
static void give_back(struct gw_store *s, struct gw_unit *u)
{
    s->out--;
    u->charged = false;
    if (u->size == s->unit_size && u->slot_size == s->slot_size) {
        u->next = s->spare;
        s->spare = u;
    } else { /* the store grew meanwhile */
        drop_unit(s, u);
    }
    qc_cond_wake_all(&s->returned);
}

void gw_unit_give(struct gw_unit **up)
{
    struct gw_unit *u = *up;

    *up = NULL;
    if (u == NULL || atomic_fetch_sub(&u->refs, 1) != 1)
        return;
    QC_LOCK(&u->store->lock);
    give_back(u->store, u);
}

/* Both in one step: in between, a tenant whose units are all charged to nobody and not back yet would get
 * some of those that are kept for others. */
void gw_unit_done(struct gw_unit **up)
{
    struct gw_unit *u = *up;

    *up = NULL;
    if (u == NULL)
        return;
    QC_LOCK(&u->store->lock);
    u->charged = false;
    if (atomic_fetch_sub(&u->refs, 1) == 1)
        give_back(u->store, u);
    else
        qc_cond_wake_all(&u->store->returned);
}

void gw_unit_begin(struct gw_unit *u, unsigned k, uint32_t size)
{
    struct qc_err never = { 0 };

    QC_ASSERT(size >= 1 && size <= QC_GW_SEGMENT_MAX);
    QC_ASSERT(ec_geometry(k, size, &u->coming, &never) == QC_OK);
    QC_ASSERT(gw_unit_holds(u, &u->coming, k));
    u->have = 0;
    u->coded = 0;
}

uint32_t gw_unit_missing(const struct gw_unit *u)
{
    return u->coming.segment_size - u->have;
}

/* From piece to piece: they are a third of a megabyte, so this is a memcpy. */
void gw_unit_add(struct gw_unit *u, qc_span bytes)
{
    QC_ASSERT(bytes.n <= gw_unit_missing(u));
    while (bytes.n > 0) {
        const struct ec_stripe st =
            ec_geometry_stripe(&u->coming, ec_geometry_stripe_at(&u->coming, u->have));
        const uint32_t in_stripe = u->have - st.data_offset, in_piece = in_stripe % st.piece_size;
        const size_t room = st.piece_size - in_piece, n = bytes.n < room ? bytes.n : room;
        memcpy(gw_unit_out(u, in_stripe / st.piece_size) + st.payload_offset + in_piece, bytes.p, n);
        u->have += (uint32_t)n;
        bytes = qc_span_from(bytes, n);
    }
}

unsigned gw_store_spare(struct gw_store *s)
{
    QC_LOCK(&s->lock);

    return s->unit_max - s->out;
}

uint8_t *gw_unit_out(const struct gw_unit *u, unsigned i)
{
    return u->mem + i * u->slot_size + GW_FRAG_HEAD_BYTES;
}

uint8_t *gw_unit_payload(const struct gw_unit *u, unsigned i)
{
    return u->mem + i * u->slot_size + GW_HEAD_ROOM;
}

bool gw_unit_holds(const struct gw_unit *u, const struct ec_geometry *g, unsigned n)
{
    return n <= u->n && GW_HEAD_ROOM + g->payload_size + GW_END_ROOM <= u->slot_size;
}

/* The bytes that are in it, from piece to piece. */
static qc_span held_at(const struct gw_unit *u, uint32_t at)
{
    const struct ec_stripe st = ec_geometry_stripe(&u->coming, ec_geometry_stripe_at(&u->coming, at));
    const uint32_t in_stripe = at - st.data_offset, in_piece = in_stripe % st.piece_size;
    const uint32_t room = st.piece_size - in_piece, left = u->have - at;

    return qc_span_of(gw_unit_out(u, in_stripe / st.piece_size) + st.payload_offset + in_piece,
                      room < left ? room : left);
}

bool gw_unit_is_for(const struct gw_unit *u, unsigned k, unsigned n)
{
    return u->coming.k == k && gw_unit_holds(u, &u->coming, n);
}

qc_rc gw_unit_copy(const struct gw_unit *from, unsigned k, qc_deadline deadline, struct gw_unit **ret,
                   struct qc_err *err)
{
    QC_TRY(gw_unit_take(from->store, from->tenant, deadline, ret, err));
    gw_unit_begin(*ret, k, from->coming.segment_size);
    for (uint32_t at = 0; at < from->have;) {
        const qc_span part = held_at(from, at);
        gw_unit_add(*ret, part);
        at += (uint32_t)part.n;
    }
    return QC_OK;
}

bool gw_unit_fits(const struct gw_store *s, const struct ec_geometry *g, unsigned n)
{
    return n <= s->n && GW_HEAD_ROOM + g->payload_size + GW_END_ROOM <= s->slot_size;
}
