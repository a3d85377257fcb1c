#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/frag.h"

enum { OBJECTS_MAX = 8192 };

/* -- bytes ----------------------------------------------------------------------------------------------- */

uint64_t sim_hash(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
    return h;
}

struct blob *blob_new(size_t n)
{
    struct blob *b = calloc(1, sizeof *b + n);

    QC_ASSERT(b != NULL);
    b->refs = 1;
    b->n = n;
    return b;
}

void blob_drop(struct blob *b)
{
    if (--b->refs == 0)
        free(b);
}

uint64_t sim_segment_name(uint64_t id, const uint8_t *salt)
{
    return sim_hash(sim_hash(UINT64_C(0xcbf29ce484222325), &id, sizeof id), salt, GW_SALT_BYTES);
}

/* What the bytes say of themselves. */
void blob_read(struct blob *b)
{
    struct gw_frag_head h;
    struct qc_err err = { 0 };

    b->hash = sim_hash(UINT64_C(0xcbf29ce484222325), b->p, b->n);
    if (b->n < GW_FRAG_HEAD_BYTES ||
        gw_frag_head_parse(qc_span_of(b->p, GW_FRAG_HEAD_BYTES), &h, &err) != QC_OK ||
        b->n < GW_FRAG_HEAD_BYTES + h.payload_size)
        return;
    b->frag = (struct sim_frag){
        .is = true, .segment = sim_segment_name(h.segment_id, h.salt), .id = h.segment_id, .index = h.index
    };
    b->payload_hash =
        sim_hash(UINT64_C(0xcbf29ce484222325), b->p + GW_FRAG_HEAD_BYTES, (size_t)h.payload_size);
}

struct blob *blob_of(const qc_span *parts, size_t count, uint64_t size)
{
    struct blob *b = blob_new((size_t)size);
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].n > 0)
            memcpy(b->p + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    b->sound = true;
    blob_read(b);
    return b;
}

/* -- objects --------------------------------------------------------------------------------------------- */

/* Where the key is, or belongs. */
size_t objects_place(const struct objects *o, const char *key, bool *ret_there)
{
    size_t low = 0, high = o->count;

    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (strcmp(o->v[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_there = low < o->count && strcmp(o->v[low].key, key) == 0;
    return low;
}

void objects_set(struct objects *o, const char *key, struct blob *b)
{
    bool there;
    const size_t at = objects_place(o, key, &there);

    if (there) {
        blob_drop(o->v[at].blob);
        o->v[at].blob = b;
        return;
    }
    QC_ASSERT(o->count < OBJECTS_MAX);
    if (o->count == o->room) {
        o->room = o->room == 0 ? 256 : 2 * o->room;
        o->v = realloc(o->v, o->room * sizeof *o->v);
        QC_ASSERT(o->v != NULL);
    }
    memmove(o->v + at + 1, o->v + at, (o->count - at) * sizeof *o->v);
    o->count++;
    snprintf(o->v[at].key, sizeof o->v[at].key, "%s", key);
    o->v[at].blob = b;
}

void objects_remove(struct objects *o, size_t at)
{
    blob_drop(o->v[at].blob);
    memmove(o->v + at, o->v + at + 1, (o->count - at - 1) * sizeof *o->v);
    o->count--;
}

void objects_clear(struct objects *o)
{
    for (size_t i = 0; i < o->count; i++)
        blob_drop(o->v[i].blob);
    o->count = 0;
}

void objects_copy(struct objects *to, const struct objects *from)
{
    objects_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        from->v[i].blob->refs++;
        objects_set(to, from->v[i].key, from->v[i].blob);
    }
}
