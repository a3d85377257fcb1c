/* The URL of a cloud, taken apart. Internal to cloud/. Pure function on the caller's memory.
 * The text comes from the operator or from a configuration file: strict, and fuzzed (fuzz/cloud_url, I7). */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct cloud_url {
    char scheme[CLOUD_SCHEME_SIZE_MAX + 1];
    char authority[CLOUD_URL_SIZE_MAX +
                   1];                  /* host, or host:port; not checked further; "" when there is none */
    char path[CLOUD_URL_SIZE_MAX + 1];  /* decoded, no NUL inside; begins with '/', or is "" */
    char query[CLOUD_URL_SIZE_MAX + 1]; /* as it stands, without the '?', and without link and level */
    char link[CLOUD_URL_SIZE_MAX + 1];  /* decoded values of these two, looked at no further (link.h); "": */
    char level[CLOUD_URL_SIZE_MAX + 1]; /* not given */
};

/*
 * Take `scheme://authority/path?query` apart.
 *
 *   url   text of at most CLOUD_URL_SIZE_MAX bytes
 *
 * QC_USAGE   not of this form, a plain path (the message says how to write it), bytes that must be encoded, a
 * bad %XX or an encoded NUL or '/', a fragment, or credentials before an '@'. Messages never repeat a URL
 * that has an '@' in it (I5). Also: link or level given twice.
 */
QC_MUST qc_rc cloud_url_parse(const char *url, struct cloud_url *ret, struct qc_err *err);

/* An option that a driver takes from the query. */
struct cloud_url_key {
    const char *name;
    char *value; /* where its value goes, decoded, with a NUL; "" when it is not given */
    size_t size; /* of value, in bytes, the NUL included */
};

/*
 * The options of a driver: `name=value&name=value`, each at most once, none of them empty.
 *
 * QC_USAGE   an unknown option (the message has the nearest known one), one given twice, without a value or
 * too long, bytes that must be encoded. Values already written stay.
 */
QC_MUST qc_rc cloud_url_query(const struct cloud_url *url, const struct cloud_url_key *keys, size_t count,
                              struct qc_err *err);
