/* A file as one segment of the erasure code, in memory: fragment i has its piece of each stripe, one after
 * the other (FORMAT 8.1). */
#pragma once
#include "ec/coder.h"
#include "ec/geometry.h"
#include "qc_check.h"

enum { CODED_N_MAX = 8 };

/* Into n fragments. data has room for a padded last stripe. */
static inline void coded_encode(const struct ec_coder *c, const struct ec_geometry *g, const uint8_t *data,
                                uint8_t *const *fragment)
{
    struct qc_err err = { 0 };
    const unsigned k = ec_coder_k(c), n = ec_coder_n(c);
    for (uint32_t i = 0; i < g->stripe_count; i++) {
        const struct ec_stripe s = ec_geometry_stripe(g, i);
        uint8_t *parity[CODED_N_MAX];
        const uint8_t *from[CODED_N_MAX];
        for (unsigned j = 0; j < k; j++) {
            from[j] = data + s.data_offset + (size_t)j * s.piece_size;
            memcpy(fragment[j] + s.payload_offset, from[j], s.piece_size);
        }
        for (unsigned j = k; j < n; j++)
            parity[j - k] = fragment[j] + s.payload_offset;
        CHECK_OK(ec_stripe_encode(c, from, s.piece_size, parity, &err));
    }
}

/* Without the first n - k fragments, into the file's order. out has room as data above. */
static inline void coded_decode(const struct ec_coder *c, const struct ec_geometry *g,
                                uint8_t *const *fragment, uint8_t *out)
{
    struct qc_err err = { 0 };
    const unsigned k = ec_coder_k(c), n = ec_coder_n(c);
    for (uint32_t i = 0; i < g->stripe_count; i++) {
        const struct ec_stripe s = ec_geometry_stripe(g, i);
        const uint8_t *pieces[CODED_N_MAX] = { NULL };
        uint8_t *to[CODED_N_MAX];
        for (unsigned j = n - k; j < n; j++)
            pieces[j] = fragment[j] + s.payload_offset;
        for (unsigned j = 0; j < k; j++) {
            to[j] = out + s.data_offset + (size_t)j * s.piece_size;
            if (pieces[j] != NULL)
                memcpy(to[j], pieces[j], s.piece_size);
        }
        CHECK_OK(ec_stripe_decode(c, pieces, s.piece_size, to, &err));
    }
}

/* Zeros, all pages of which are made now, not while a clock runs. */
static inline uint8_t *coded_room(size_t n)
{
    uint8_t *p = malloc(n);
    CHECK(p != NULL);
    memset(p, 1, n);
    memset(p, 0, n);
    return p;
}
