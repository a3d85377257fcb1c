#include "vault/slice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"

enum { NUMBER_MAX = 24 }; /* 2^64 has 20 digits; a unit, an end, and room for what is no number */

static qc_rc number(const char *text, size_t n, uint64_t *ret, struct qc_err *err)
{
    char word[NUMBER_MAX] = "";
    if (n >= sizeof word)
        return QC_FAIL(err, QC_USAGE, "a byte: '%.40s' is not a number", text);
    memcpy(word, text, n);
    return qc_parse_u64(word, "a byte", true, ret, err);
}

qc_rc vault_slice_parse(struct vault_slice *ret, const char *text, struct qc_err *err)
{
    const char *dash = strchr(text, '-');
    struct vault_slice s = { 0 };
    if (dash == NULL || (dash == text && dash[1] == '\0'))
        return QC_FAIL(err, QC_USAGE, "'%.40s': expected FIRST-LAST, FIRST- or -COUNT, in bytes from 0 on",
                       text);
    s.has_first = dash != text;
    s.has_last = dash[1] != '\0';
    if (s.has_first)
        QC_TRY(number(text, (size_t)(dash - text), &s.first, err));
    if (s.has_last)
        QC_TRY(number(dash + 1, strlen(dash + 1), &s.last, err));
    if (s.has_first && s.has_last && s.last < s.first)
        return QC_FAIL(err, QC_USAGE, "'%.40s': it ends before it begins", text);
    if (!s.has_first && s.last == 0)
        return QC_FAIL(err, QC_USAGE, "'%.40s': that is no byte", text);
    *ret = s;
    return QC_OK;
}

static qc_rc beyond(const struct vault_slice *s, uint64_t size, struct qc_err *err)
{
    if (!s->has_first)
        return QC_FAIL(err, QC_USAGE,
                       "the last %" PRIu64 " bytes are asked for, and it has %" PRIu64 " bytes", s->last,
                       size);
    if (!s->has_last)
        return QC_FAIL(err, QC_USAGE, "bytes from %" PRIu64 " on are asked for, and it has %" PRIu64 " bytes",
                       s->first, size);
    return QC_FAIL(err, QC_USAGE,
                   "bytes %" PRIu64 " to %" PRIu64 " are asked for, and it has %" PRIu64 " bytes, from 0 on",
                   s->first, s->last, size);
}

qc_rc vault_slice_of(const struct vault_slice *s, uint64_t size, struct vault_range *ret, struct qc_err *err)
{
    const bool last_only = s->has_last && !s->has_first;
    if (last_only ? s->last > size : s->first > size || (s->has_last && s->last >= size))
        return beyond(s, size, err);
    if (last_only)
        *ret = (struct vault_range){ size - s->last, s->last };
    else
        *ret = (struct vault_range){ s->first, (s->has_last ? s->last + 1 : size) - s->first };
    return QC_OK;
}
