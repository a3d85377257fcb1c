/* unit/ec_geometry: FORMAT 8.1 at its edges, and that stripes tile a segment and a payload without gap. */
#include "base/limits.h"
#include "ec/geometry.h"
#include "qc_check.h"

#include <stdlib.h>
#include <string.h>

static struct ec_geometry geometry(unsigned k, uint32_t s)
{
    struct ec_geometry g;
    struct qc_err err = { 0 };
    CHECK(ec_geometry(k, s, &g, &err) == QC_OK);
    return g;
}

static void known(void)
{
    struct ec_geometry g = geometry(3, 16 * 1024 * 1024);
    CHECK(g.piece_size == 349504);                     /* 64 * floor(2^20 / 192) */
    CHECK(g.stripe_count == 17 && g.last_size == 384); /* 1,024 bytes are left over */
    CHECK(g.payload_size == 16 * 349504 + 384);
    g = geometry(3, 0);
    CHECK(g.stripe_count == 0 && g.last_size == 0 && g.payload_size == 0 && g.piece_size == 349504);
    g = geometry(3, 1);
    CHECK(g.stripe_count == 1 && g.last_size == 64 && g.payload_size == 64);
    g = geometry(3, 192);
    CHECK(g.stripe_count == 1 && g.last_size == 64);
    g = geometry(3, 193);
    CHECK(g.stripe_count == 1 && g.last_size == 128);
    g = geometry(1, UINT32_MAX);
    CHECK(g.piece_size == 1048576 && g.stripe_count == 4096 && g.last_size == 1048576);
    CHECK(g.payload_size == UINT64_C(1) << 32);
    g = geometry(32, UINT32_MAX);
    CHECK(g.piece_size == 32768 && g.payload_size == UINT64_C(1) << 27);
}

/* The stripes follow one another in the segment and in the payload, and every byte is found in its stripe. */
static void tiles(unsigned k, uint32_t s)
{
    struct ec_geometry g = geometry(k, s);
    uint64_t data = 0, payload = 0;
    for (uint32_t t = 0; t < g.stripe_count; t++) {
        struct ec_stripe stripe = ec_geometry_stripe(&g, t);
        CHECK(stripe.data_offset == data && stripe.payload_offset == payload);
        CHECK(stripe.data_size > 0 && stripe.data_size <= k * stripe.piece_size);
        CHECK(stripe.piece_size % QC_EC_ALIGN == 0 && stripe.piece_size <= g.piece_size);
        CHECK(t + 1 == g.stripe_count || stripe.data_size == k * g.piece_size);
        CHECK(stripe.piece_size < QC_EC_ALIGN + (stripe.data_size + k - 1) / k); /* least padding */
        CHECK(ec_geometry_stripe_at(&g, stripe.data_offset) == t);
        CHECK(ec_geometry_stripe_at(&g, stripe.data_offset + (stripe.data_size - 1)) == t);
        data += stripe.data_size;
        payload += stripe.piece_size;
    }
    CHECK(data == s && payload == g.payload_size);
}

int main(void)
{
    known();
    for (unsigned k = 1; k <= QC_EC_N_MAX; k++) {
        uint32_t full = k * geometry(k, 0).piece_size;
        for (uint32_t d = 0; d < 3; d++) {
            for (uint32_t s = 0; s < 70; s++)
                tiles(k, s + d * 64 * k);
            for (uint32_t stripes = 1; stripes < 4; stripes++)
                tiles(k, stripes * full + d - 1);
            tiles(k, UINT32_MAX - d);
        }
    }
    struct ec_geometry g = { .k = 77 };
    struct qc_err err = { 0 };
    CHECK(ec_geometry(0, 1, &g, &err) == QC_USAGE && g.k == 77);
    CHECK(ec_geometry(QC_EC_N_MAX + 1, 1, &g, &err) == QC_USAGE && g.k == 77 && err.msg[0] != '\0');
    return 0;
}
