#include "network.h"

#include <string.h>

#include "base/err.h"

const struct kme_sae *kme_network_sae(const struct kme_network *n, const char *id)
{
    for (unsigned i = 0; i < n->saes; i++)
        if (strcmp(n->sae[i].id, id) == 0)
            return &n->sae[i];
    return NULL;
}

const struct kme_door *kme_network_door(const struct kme_network *n, unsigned node)
{
    for (unsigned i = 0; i < n->doors; i++)
        if (n->door[i].node == node)
            return &n->door[i];
    return NULL;
}

static bool seized(const struct kme_network *n, const struct kme_link *l)
{
    return n->seized[l->a] || n->seized[l->b];
}

uint64_t kme_link_yield(const struct kme_network *n, const struct kme_link *l)
{
    return l->cut || l->alarm || seized(n, l) ? 0 : l->rate;
}

const char *kme_link_state(const struct kme_network *n, const struct kme_link *l)
{
    return seized(n, l) ? "seized" : l->alarm ? "alarm" : l->cut ? "cut" : "up";
}

uint64_t kme_link_suspect(const struct kme_link *l)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < KME_RECENT; i++)
        if (!qc_add_u64(sum, l->recent[i], &sum))
            return l->bits;
    return sum < l->bits ? sum : l->bits;
}

/* A slot is the window's part such that all but the one that is being filled make up the window. */
static uint64_t slot_of(const struct kme_network *n, uint64_t ms)
{
    const uint64_t slot_ms = n->window_ms / (KME_RECENT - 1) + 1;
    return ms / slot_ms;
}

void kme_network_suspect_all(struct kme_network *n)
{
    for (unsigned i = 0; i < n->links; i++)
        n->link[i].recent[slot_of(n, n->clock_ms) % KME_RECENT] = n->link[i].bits;
}

/* What comes at an end of a stretch of time counts as if it had come at its very end. */
static void next_slots(struct kme_network *n, uint64_t ms)
{
    const uint64_t was = slot_of(n, n->clock_ms), is = slot_of(n, n->clock_ms + ms);
    for (uint64_t slot = was; slot < is && slot < was + KME_RECENT; slot++)
        for (unsigned i = 0; i < n->links; i++)
            n->link[i].recent[(is - (slot - was)) % KME_RECENT] = 0;
    n->clock_ms += ms;
}

void kme_network_pass(struct kme_network *n, uint64_t ms)
{
    next_slots(n, ms);
    for (unsigned i = 0; i < n->links; i++) {
        struct kme_link *l = &n->link[i];
        const uint64_t was = l->bits;
        uint64_t more = 0;
        /* A pool that is full by then is full, whatever the product. */
        if (!qc_mul_u64(kme_link_yield(n, l), ms, &more) || !qc_add_u64(more, l->rest, &more) ||
            more / 1000 >= l->cap - l->bits) {
            l->bits = l->cap;
            l->rest = 0;
        } else {
            l->bits += more / 1000;
            l->rest = more % 1000;
        }
        l->recent[slot_of(n, n->clock_ms) % KME_RECENT] += l->bits - was;
    }
}

void kme_network_use(struct kme_network *n, unsigned i, uint64_t bits)
{
    struct kme_link *l = &n->link[i];
    QC_ASSERT(bits <= l->bits);
    l->bits -= bits;
    l->used += bits;
    qkd_use_note(&l->use, n->clock_ms, bits);
}

double kme_link_dry_s(const struct kme_network *n, const struct kme_link *l)
{
    return qkd_use_dry_s(&l->use, n->clock_ms, l->bits, kme_link_yield(n, l));
}

static unsigned far_end(const struct kme_link *l, unsigned node)
{
    return l->a == node ? l->b : l->a;
}

static bool at(const struct kme_link *l, unsigned node)
{
    return l->a == node || l->b == node;
}

enum { NOWHERE = KME_NODES_MAX };

/* Hops from each node to `to` over links of at least so many bits; NOWHERE: none. */
static void distances(const struct kme_network *n, unsigned to, uint64_t least, unsigned ret[KME_NODES_MAX])
{
    for (unsigned i = 0; i < KME_NODES_MAX; i++)
        ret[i] = NOWHERE;
    ret[to] = 0;
    for (bool more = true; more;) {
        more = false;
        for (unsigned i = 0; i < n->links; i++) {
            const struct kme_link *l = &n->link[i];
            if (l->bits < least || seized(n, l))
                continue;
            if (ret[l->a] + 1 < ret[l->b]) {
                ret[l->b] = ret[l->a] + 1;
                more = true;
            }
            if (ret[l->b] + 1 < ret[l->a]) {
                ret[l->a] = ret[l->b] + 1;
                more = true;
            }
        }
    }
}

/* The largest of the links' levels at which there is a way: each of them is tried from above. */
static bool widest(const struct kme_network *n, unsigned from, unsigned to, uint64_t *ret)
{
    unsigned far[KME_NODES_MAX];
    uint64_t below = UINT64_MAX;
    for (unsigned round = 0; round < n->links; round++) {
        uint64_t level = 0;
        bool any = false;
        for (unsigned i = 0; i < n->links; i++)
            if ((round == 0 || n->link[i].bits < below) && (!any || n->link[i].bits > level)) {
                level = n->link[i].bits;
                any = true;
            }
        if (!any)
            return false;
        distances(n, to, level, far);
        if (far[from] != NOWHERE) {
            *ret = level;
            return true;
        }
        below = level;
    }
    return false;
}

/* From here the next link of a shortest way: the one that leads to the first name; of several to one node,
 * the fuller. */
static unsigned next_link(const struct kme_network *n, unsigned here, uint64_t least, const unsigned *far)
{
    unsigned best = KME_LINKS_MAX;
    for (unsigned i = 0; i < n->links; i++) {
        const struct kme_link *l = &n->link[i];
        if (!at(l, here) || seized(n, l) || l->bits < least || far[far_end(l, here)] + 1 != far[here])
            continue;
        const int order = best == KME_LINKS_MAX
                              ? -1
                              : strcmp(n->node[far_end(l, here)], n->node[far_end(&n->link[best], here)]);
        if (order < 0 || (order == 0 && l->bits > n->link[best].bits))
            best = i;
    }
    QC_ASSERT(best != KME_LINKS_MAX);
    return best;
}

bool kme_network_route(const struct kme_network *n, unsigned from, unsigned to, struct kme_route *ret)
{
    unsigned far[KME_NODES_MAX];
    uint64_t least = UINT64_MAX;
    *ret = (struct kme_route){ .node = { from }, .bits = UINT64_MAX };
    if (n->seized[from] || n->seized[to])
        return false;
    if (from == to)
        return true;
    if (!widest(n, from, to, &least))
        return false;
    distances(n, to, least, far);
    ret->bits = least;
    for (unsigned here = from; here != to;) {
        const unsigned i = next_link(n, here, least, far);
        here = far_end(&n->link[i], here);
        ret->link[ret->hops++] = i;
        ret->node[ret->hops] = here;
    }
    return true;
}

uint64_t kme_route_cost(const struct kme_route *r, uint64_t bits)
{
    return r->hops > 1 ? bits + 256 : bits;
}
