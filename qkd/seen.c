#include "seen.h"

#include "base/alloc.h"

enum { PLACES = 2 * QKD_SEEN }; /* half of them are free: a search is short */

_Static_assert((PLACES & (PLACES - 1)) == 0, "places are found by a mask");

void qkd_seen_done(struct qkd_seen *s)
{
    qc_free(s->young);
    qc_free(s->old);
    *s = (struct qkd_seen){ 0 };
}

/* Of the text in lower case: FNV-1a, then mixed. A chance meeting has 2^-47 for a full table. */
static uint64_t hash(const struct qkd_id *id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *p = id->text; *p != '\0'; p++) {
        const uint64_t c = *p >= 'A' && *p <= 'Z' ? (uint64_t)(*p - 'A' + 'a') : (uint64_t)(uint8_t)*p;
        h = (h ^ c) * UINT64_C(0x100000001b3);
    }
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    return h == 0 ? 1 : h;
}

/* The place of h, or the free one where it would stand. */
static size_t place(const uint64_t *table, uint64_t h)
{
    size_t i = (size_t)h & (PLACES - 1);
    while (table[i] != 0 && table[i] != h)
        i = (i + 1) & (PLACES - 1);
    return i;
}

static bool has(const uint64_t *table, uint64_t h)
{
    return table != NULL && table[place(table, h)] == h;
}

bool qkd_seen_has(const struct qkd_seen *s, const struct qkd_id *id)
{
    const uint64_t h = hash(id);
    return has(s->young, h) || has(s->old, h);
}

qc_rc qkd_seen_add(struct qkd_seen *s, const struct qkd_id *id, struct qc_err *err)
{
    const uint64_t h = hash(id);
    if (s->young == NULL || s->count == QKD_SEEN) {
        uint64_t *table = qc_alloc(PLACES * sizeof *table);
        if (table == NULL)
            return QC_FAIL(err, QC_NOMEM, "key_IDs that came");
        qc_free(s->old);
        s->old = s->young;
        s->young = table;
        s->count = 0;
    }
    s->count += !has(s->young, h);
    s->young[place(s->young, h)] = h;
    return QC_OK;
}
