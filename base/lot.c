#include "base/lot.h"

#include "base/buf.h"
#include "base/crypto.h"

qc_rc qc_lot_draw(uint64_t seed, uint64_t place, uint64_t below, uint64_t *ret, struct qc_err *err)
{
    uint8_t in[16], out[QC_SHA256_BYTES];
    QC_ASSERT(below > 0);
    qc_put_be(in, seed, 8);
    qc_put_be(in + 8, place, 8);
    QC_TRY(qc_sha256((const qc_span[]){ QC_LIT("qcloud drill"), qc_span_of(in, sizeof(in)) }, 2, out, err));
    *ret = qc_get_be(out, 8) % below;
    return QC_OK;
}

qc_rc qc_lot_next(struct qc_lot *l, bool *ret, struct qc_err *err)
{
    const uint64_t most = l->sample < l->all ? l->sample : l->all;
    const uint64_t at = l->seen;
    uint64_t x = 0;

    *ret = at < l->all;
    l->seen++;
    if (*ret && l->sample != 0) {
        QC_TRY(qc_lot_draw(l->seed, at, l->all - at, &x, err));
        *ret = most > l->taken && x < most - l->taken;
    }
    l->taken += *ret;
    return QC_OK;
}
