/* fuzz/ec_stripe: geometry of any head's k and s, and a stripe of any content, code and loss: refused, or
 * restored. */
#include "base/limits.h"
#include "ec/coder.h"
#include "ec/geometry.h"
#include "qc_check.h"
#include "qc_fuzz.h"

#include <string.h>

enum { PIECE = 2 * QC_EC_ALIGN };

static void geometry(unsigned k, uint32_t s)
{
    struct qc_err err = { 0 };
    struct ec_geometry g;
    if (ec_geometry(k, s, &g, &err) != QC_OK) {
        CHECK(k < 1 || k > QC_EC_N_MAX);
        return;
    }
    CHECK(g.payload_size * k >= s && g.payload_size <= (uint64_t)s + QC_EC_ALIGN);
    if (g.stripe_count == 0)
        return;
    struct ec_stripe last = ec_geometry_stripe(&g, g.stripe_count - 1);
    CHECK((uint64_t)last.data_offset + last.data_size == s);
    CHECK((uint64_t)last.payload_offset + last.piece_size == g.payload_size);
}

static void code(const struct ec_coder *c, uint32_t lost, const uint8_t *data, size_t n)
{
    static uint8_t piece[QC_EC_N_MAX][PIECE], out[QC_EC_N_MAX][PIECE];
    const uint8_t *in[QC_EC_N_MAX];
    uint8_t *made[QC_EC_N_MAX];
    unsigned k = ec_coder_k(c);
    unsigned missing = 0;
    memset(piece, 0, sizeof piece);
    memcpy(piece, data, n < (size_t)k * PIECE ? n : (size_t)k * PIECE);
    for (unsigned i = k; i < ec_coder_n(c); i++)
        made[i - k] = piece[i];
    struct qc_err err = { 0 };
    CHECK_OK(ec_stripe_encode_block(c, piece[0], PIECE, made, &err));
    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        in[i] = (lost >> i) & 1U ? NULL : piece[i];
        missing += in[i] == NULL;
        made[i] = out[i];
    }
    bool enough = missing <= ec_coder_n(c) - k;
    CHECK_RC(ec_stripe_decode(c, in, PIECE, made, &err), enough ? QC_OK : QC_QUORUM);
    for (unsigned j = 0; enough && j < k; j++)
        CHECK(in[j] != NULL || memcmp(out[j], piece[j], PIECE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 10)
        return 0;
    uint32_t s = 0, lost = 0;
    memcpy(&s, data + 2, 4);
    memcpy(&lost, data + 6, 4);
    geometry(data[0], s);
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    unsigned k = data[0] % 40U, m = data[1] % 40U;
    qc_rc rc = ec_coder_get(k, m, &c, &err);
    CHECK((rc == QC_OK) == (k >= 1 && k + m <= QC_EC_N_MAX));
    if (rc == QC_OK)
        code(c, lost, data + 10, n - 10);
    return 0;
}
