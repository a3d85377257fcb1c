/* fuzz/gateway_root: identity, root and cut objects, names of a listing, and kits. The first byte chooses;
 * checksums are made to fit where it says so, since no fuzzer finds SHA-256 by trying. */
#include "gateway/root.h"
#include "qc_check.h"
#include "qc_fuzz.h"
#include "qc_seed.h"

static struct gw_root *root(void)
{
    static struct gw_root *r; /* for the life of the program */
    struct qc_rand rand = { .state = 1 };
    const qc_rng rng = qc_rand_rng(&rand);
    struct qc_err err = { 0 };

    if (r == NULL)
        CHECK_OK(gw_root_random(&r, &rng, &err));
    return r;
}

static void identity(uint8_t *p, size_t n, bool fit)
{
    struct gw_identity id = { .cloud_id = 4711 };
    struct gw_root *found = NULL;
    struct qc_err err = { 0 };
    bool good = true;
    const qc_span in = qc_span_of(p, n);

    if (fit && n > 64) {
        uint8_t len[2][8];
        qc_put_be(len[0], 8, 8);
        qc_put_be(len[1], n - 64, 8);
        CHECK_OK(qc_sha256((qc_span[]){ { len[0], 8 }, QC_LIT("identity"), { len[1], 8 }, { p, n - 64 } }, 4,
                           p + n - 64, &err));
    }
    const qc_rc rc = gw_identity_parse(in, &id, &err);
    if (rc == QC_OK)
        CHECK(n == 96 + 52 * (size_t)id.slot_count);
    else
        CHECK(id.cloud_id == 4711 && (rc == QC_FORMAT || rc == QC_NEWER || rc == QC_INTEGRITY));
    gw_identity_done(&id);
    CHECK(gw_identity_check(root(), &(struct gw_member){ 1, 1 }, in, &err) != QC_OK);
    CHECK(gw_identity_combine(&in, 1, &found, &good, &err) != QC_OK && found == NULL);
}

static void name(const uint8_t *p, size_t n)
{
    char key[64], again[GW_NAME_SIZE];
    struct gw_name got;
    struct qc_err err = { 0 };

    n = n < sizeof key - 1 ? n : sizeof key - 1;
    memcpy(key, p, n);
    key[n] = '\0';
    CHECK_OK(gw_name_parse(root(), 1, key, &got, &err));
    if (got.kind == GW_NAME_FOREIGN)
        return;
    CHECK_OK(gw_name_make(root(), 1, &got, again, &err));
    CHECK(strcmp(key, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_root *none = NULL;
    struct gw_root_object ro;
    struct gw_cut_object co;
    struct qc_err err = { 0 };
    uint8_t copy[512];

    if (size < 1)
        return 0;
    const size_t n = size - 1 < sizeof copy ? size - 1 : sizeof copy;
    memcpy(copy, data + 1, n);
    switch (data[0] % 5) {
    case 0:
        identity(copy, n, (data[0] & 0x80) != 0);
        break;
    case 1:
        name(copy, n);
        break;
    case 2:
        CHECK(gw_root_object_parse(root(), qc_span_of(copy, n), &ro, &err) != QC_OK);
        break;
    case 3:
        CHECK(gw_cut_object_parse(root(), qc_span_of(copy, n), &co, &err) != QC_OK);
        break;
    default:
        if (gw_kit_parse(qc_span_of(copy, n), &none, &err) == QC_OK)
            gw_root_free(&none);
    }
    return 0;
}
