#include "base/lot.h"

#include <string.h>

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

qc_rc qc_lot_without(const struct qc_args *args, struct qc_lot_without *ret, struct qc_err *err)
{
    const char *name;
    unsigned said = 0;
    bool none = false;

    *ret = (struct qc_lot_without){ 0 };
    for (; (name = qc_args_nth(args, "without-cloud", said)) != NULL; said++) {
        if (strcmp(name, "random") == 0)
            ret->random++;
        else if (strcmp(name, "none") == 0)
            none = true;
        else
            ret->names[ret->named++] = name;
    }
    if (none && said > 1)
        return QC_FAIL(err, QC_USAGE, "--without-cloud none stands alone");
    ret->said = said > 0;
    return QC_OK;
}
