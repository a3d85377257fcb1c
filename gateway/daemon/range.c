#include <string.h>

#include "http.h"

/* Digits at *p; advances. False when there is none, or too many. */
static bool digits(const char **p, uint64_t *ret)
{
    uint64_t v = 0;
    const char *at = *p;
    while (*at >= '0' && *at <= '9') {
        if (!qc_mul_u64(v, 10, &v) || !qc_add_u64(v, (uint64_t)(*at - '0'), &v))
            return false;
        at++;
    }
    if (at == *p)
        return false;
    *p = at;
    *ret = v;
    return true;
}

qc_rc range_parse(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_to, bool *ret_partial,
                  struct qc_err *err)
{
    static const char unit[] = "bytes=";
    uint64_t from = 0;
    uint64_t last = 0;
    if (text == NULL) {
        *ret_from = 0;
        *ret_to = size;
        *ret_partial = false;
        return QC_OK;
    }
    if (strncmp(text, unit, sizeof unit - 1) != 0)
        return QC_FAIL(err, QC_USAGE, "Range: only one range of bytes is understood");
    const char *p = text + sizeof unit - 1;
    bool has_from = digits(&p, &from);
    bool dash = *p++ == '-';
    bool has_last = dash && digits(&p, &last);
    if (!dash || (!has_from && !has_last) || *p != '\0')
        return QC_FAIL(err, QC_USAGE, "Range: only one range of bytes is understood");
    if (!has_from) { /* the last N bytes */
        from = last < size ? size - last : 0;
        last = size;
    } else if (has_last && last < from)
        return QC_FAIL(err, QC_USAGE, "Range: ends before it begins");
    else
        last = has_last && last < size ? last + 1 : size;
    if (from >= last)
        return QC_FAIL(err, QC_USAGE, "Range: nothing of it lies in the object");
    *ret_from = from;
    *ret_to = last;
    *ret_partial = true;
    return QC_OK;
}
