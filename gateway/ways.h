/* Ways to the clouds: whose keys open each, and what was shown of it. The file clouds.conf of the state
 * directory (FORMAT 10.2), mode 0600. Layer 4, internal; uses base, cloud. Keeps I5, I7.
 *
 * It holds names of key files and no key. It belongs to this machine: the clouds, the log and the catalogue
 * know nothing of it, and a rebuild keeps what is there.
 *
 *   # comment (also ;), whole lines only
 *   [NAME of a cloud]
 *   credentials = /absolute/file, or aws:PROFILE    only where the cloud needs keys
 *   url = URL                                       the place that was validated; these three together, or
 * none validated = 2026-01-02T03:04:05Z facts = etag_md5 list_v2                        may be empty */
#pragma once
#include "cloud/validate.h"
#include "state.h"

struct gw_way {
    char name[CLOUD_NAME_SIZE_MAX + 1];
    char credentials[CLOUD_SPEC_SIZE_MAX + 1]; /* "": none */
    char url[CLOUD_URL_SIZE_MAX + 1];          /* "": never validated */
    int64_t validated_s;
    unsigned facts;
};

struct gw_ways {
    struct gw_way v[QC_GW_CLOUDS_MAX];
    unsigned count;
};

/* QC_USAGE with the line's number: unknown or repeated names and keys, values that cannot be; QC_LIMIT. *ret
 * is written on QC_OK. */
QC_MUST qc_rc gw_ways_parse(qc_span text, struct gw_ways *ret, struct qc_err *err);
/* Appends the text. */
QC_MUST qc_rc gw_ways_print(const struct gw_ways *w, qc_buf *ret, struct qc_err *err);

/* No file: none. qc_free it. QC_AUTH: others may read or write the file; gw_ways_parse's. */
QC_MUST qc_rc gw_ways_load(const struct gw_state *s, struct gw_ways **ret, struct qc_err *err);
/* Durable, whole. */
QC_MUST qc_rc gw_ways_save(const struct gw_state *s, const struct gw_ways *w, struct qc_err *err);

/* The way to a cloud; NULL: nothing is known. */
struct gw_way *gw_ways_find(struct gw_ways *w, const char *name);
/* The same, made where it is missing. QC_USAGE: there are QC_GW_CLOUDS_MAX others. */
QC_MUST qc_rc gw_ways_get(struct gw_ways *w, const char *name, struct gw_way **ret, struct qc_err *err);
/* NULL: none. At most CLOUD_SPEC_SIZE_MAX bytes (asserted). */
void gw_way_set_credentials(struct gw_way *way, const char *credentials);
/* For cloud_opts: NULL where there are none. */
const char *gw_way_credentials(const struct gw_way *way);
/* What may be relied on at a URL: nothing, where another place was validated. way may be NULL. */
unsigned gw_way_facts(const struct gw_way *way, const char *url);
bool gw_way_is_validated(const struct gw_way *way, const char *url);
