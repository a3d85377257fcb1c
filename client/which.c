/* Words for a version, and for a time. */
#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

qc_rc which_parse(const char *word, struct which *ret, struct qc_err *err)
{
    struct which w = { .given = true };
    struct qc_err why = { 0 };
    const char *digits = word[0] == 'v' ? word + 1 : word;
    if (strlen(word) == 2 * (size_t)VAULT_ID_BYTES &&
        qc_hex_dec(qc_span_str(word), w.id, sizeof(w.id), &why) == QC_OK) {
        *ret = w;
        ret->which.version = ret->id;
        return QC_OK;
    }
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
        qc_parse_u64(digits, "a version", false, &w.which.number, &why) != QC_OK || w.which.number == 0)
        return QC_FAIL(err, QC_USAGE,
                       "a version is its number (3, v3) or its id of %d hex digits, not '%.60s': qcloud "
                       "versions NAME lists them",
                       2 * VAULT_ID_BYTES, word);
    *ret = w;
    return QC_OK;
}

qc_rc which_date_parse(const char *word, int64_t *ret, struct qc_err *err)
{
    if (qc_time_read(word, true, ret))
        return QC_OK;
    return QC_FAIL(err, QC_USAGE,
                   "a date is 2036-12-31, by this machine's clock, or 2036-12-31T12:00:00Z, not '%.60s'",
                   word);
}

static qc_rc parse_time(const char *word, int64_t *ret, struct qc_err *err)
{
    if (qc_time_read(word, false, ret))
        return QC_OK;
    return QC_FAIL(err, QC_USAGE,
                   "--at takes 2026-01-02T03:04:05Z, or '2026-01-02 03:04' by this machine's clock, not "
                   "'%.60s'",
                   word);
}

qc_rc which_args(struct client *c, const struct qc_args *args, struct which *ret, struct qc_err *err)
{
    const char *version = qc_args_value(args, "version", NULL);
    const char *at = qc_args_value(args, "at", NULL);
    struct which w = { 0 };
    if (version != NULL && at != NULL)
        return QC_FAIL(err, QC_USAGE, "--version and --at exclude each other");
    if ((version != NULL || at != NULL) && strcmp(qc_args_value(args, "profile", "ec"), "ec") != 0)
        return QC_FAIL(err, QC_USAGE, "--version and --at are for objects of --profile ec");
    if (version != NULL)
        QC_TRY_AS(which_parse(version, &w, err), err, "--version");
    if (at != NULL)
        QC_TRY(parse_time(at, &w.which.at_s, err));
    w.which.by_time = at != NULL;
    w.given = version != NULL || at != NULL;
    if (w.given)
        c->out.class = MSG_VERSION;
    *ret = w;
    if (w.which.version != NULL)
        ret->which.version = ret->id;
    return QC_OK;
}
