#include "holds.h"

#include <string.h>

#include "base/thread.h"
#include "base/time.h"

/* Of a frame of the link, of a message in it, and of the head of a request to S3 (FORMAT 14.1, 14.2). */
enum { FRAME = 65536, FRAME_KEY = 32, MESSAGE = 16384, MESSAGE_HEAD = 12, REQUEST = 4096 };

void holds_init(struct holds *h)
{
    memset(h->v, 0, sizeof h->v);
    qc_mutex_init(&h->lock);
}

void holds_done(struct holds *h)
{
    qc_mutex_done(&h->lock);
}

uint64_t holds_need(uint64_t size, unsigned k)
{
    const uint64_t share = size / (k == 0 ? 1 : k) + 1;
    return share + (share / FRAME + 1) * FRAME_KEY + (share / MESSAGE + 1) * MESSAGE_HEAD + REQUEST;
}

static bool is_held(struct hold *v)
{
    if (v->until_ms != 0 && qc_now_ms() >= v->until_ms)
        *v = (struct hold){ 0 };
    return v->until_ms != 0;
}

static struct hold *find(struct holds *h, const struct gw_id *put_key)
{
    for (unsigned i = 0; i < LEVELS_HOLDS; i++)
        if (is_held(&h->v[i]) && gw_id_same(&h->v[i].put_key, put_key))
            return &h->v[i];
    return NULL;
}

uint64_t holds_others(struct holds *h, const struct gw_id *put_key)
{
    uint64_t sum = 0;
    QC_LOCK(&h->lock);
    for (unsigned i = 0; i < LEVELS_HOLDS; i++)
        if (is_held(&h->v[i]) && !gw_id_same(&h->v[i].put_key, put_key))
            sum += h->v[i].bytes < UINT64_MAX - sum ? h->v[i].bytes : UINT64_MAX - sum;
    return sum;
}

void holds_set(struct holds *h, const struct gw_id *put_key, uint64_t bytes)
{
    QC_LOCK(&h->lock);
    struct hold *v = find(h, put_key);
    for (unsigned i = 0; v == NULL && i < LEVELS_HOLDS; i++)
        if (!is_held(&h->v[i]))
            v = &h->v[i];
    if (v != NULL)
        *v = (struct hold){ .put_key = *put_key, .bytes = bytes, .until_ms = qc_now_ms() + LEVELS_HOLD_MS };
}

void holds_give_back(struct holds *h, const struct gw_id *put_key, uint64_t bytes)
{
    QC_LOCK(&h->lock);
    struct hold *v = find(h, put_key);
    if (v == NULL)
        return;
    if (bytes >= v->bytes) {
        *v = (struct hold){ 0 };
        return;
    }
    v->bytes -= bytes;
    v->until_ms = qc_now_ms() + LEVELS_HOLD_MS;
}
