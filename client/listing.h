/* What ls, stat, versions and trash say of an object. Part of the program qcloud (layer 5); uses base, vault.
 */
#pragma once
#include "base/codec.h"
#include "client.h"

enum { LISTING_TIME = 32 };
/* "2026-01-02 03:04:05 +0100" by this machine's zone; "-" where it cannot be said. */
void listing_time(int64_t t, char out[LISTING_TIME]);
/* RFC 3339; the nearest second that can be written so. */
void listing_stamp(int64_t t, char out[QC_TIME_TEXT]);
/* "v7"; "-" for 0: a version that had another name when it was stored. */
enum { LISTING_NUMBER = 24 };
void listing_number(uint64_t number, char out[LISTING_NUMBER]);
/* Clouds and key shares together. */
int64_t listing_budget(const struct vault_stat *s);
/* A line of type item; members may be added. */
QC_MUST qc_rc listing_json(const struct vault_stat *s, struct json_t **ret, struct qc_err *err);

/* --version V|ID and --at TIME. */
struct which {
    bool given;
    struct vault_which which; /* its id is `id` */
    uint8_t id[VAULT_ID_BYTES];
};
/* From the options; what says so is of the class MSG_VERSION then. QC_USAGE. */
QC_MUST qc_rc which_args(struct client *c, const struct qc_args *args, struct which *ret, struct qc_err *err);
/* "7", "v7", or 32 hex digits. QC_USAGE. */
QC_MUST qc_rc which_parse(const char *word, struct which *ret, struct qc_err *err);

/* "2036-12-31": its beginning by this machine's clock; and the forms of --at. QC_USAGE. */
QC_MUST qc_rc which_date_parse(const char *word, int64_t *ret, struct qc_err *err);

/* The versions of a name, the newest first, one line each, and the name at its end where `named` is. One that
 * cannot be opened is listed all the same, and its failure told: folded into *worst, as client_object. */
QC_MUST qc_rc listing_versions(struct client *c, qc_span name, bool named, qc_rc *worst, bool *ret_go_on,
                               struct qc_err *err);

/* Names of a listing, one behind the other (u32 length, bytes): where they go meanwhile they are gathered
 * first. QC_LIMIT: more than one command can `verb`. */
QC_MUST qc_rc listing_gather(qc_buf *names, qc_span name, const char *verb, struct qc_err *err);
/* The next of them; borrowed. */
qc_span listing_gathered(qc_rd *names);

/* Does a listing (vault_list) of one of these n prefixes, none of which is empty, have the name? */
bool listing_has(const char *const *prefix, int n, qc_span name);

/* One command for each of the names that are given: what it ends with is told, and counted. */
typedef qc_rc (*listing_one_fn)(struct client *c, qc_span name, struct qc_err *err);
QC_MUST qc_rc listing_each(struct client *c, const struct qc_args *args, listing_one_fn one, const char *what,
                           struct qc_err *err);
