/* Making a catalogue: what init and rebuild share. Layer 4, internal. */
#pragma once
#include "catalogue.h"
#include "state.h"

/* What a new catalogue begins with. */
struct gw_birth {
    struct gw_config conf;
    struct gw_cloud_row *clouds; /* with identities, borrowed */
    unsigned cloud_count;
    uint64_t next_segment;
    uint32_t bkey_epoch; /* the current one */
};

/* Quorums for a coding (FORMAT 9.3, config): ARCHITECTURE's w and e. */
void gw_quorums(struct gw_config *conf);
/* The write quorum of a segment of (k,n): the catalogue's own, or of a code that new ones have no more. */
unsigned gw_write_quorum(const struct gw_config *conf, unsigned k, unsigned n);
/* Names and places make sense: 1..QC_GW_CLOUDS_MAX, names [A-Za-z0-9._-], both different. QC_USAGE. */
QC_MUST qc_rc gw_clouds_check(const struct gw_engine_cloud *clouds, unsigned count, struct qc_err *err);
/* Their URLs and the names of their keys make sense together; looks at nothing. QC_USAGE. */
QC_MUST qc_rc gw_clouds_check_keys(const struct gw_engine_cloud *clouds, unsigned count, struct qc_err *err);
bool gw_cloud_name_ok(const char *name);
/* Rows for them, ids 1..count, generation 1. QC_USAGE, QC_NOMEM; qc_free them. */
QC_MUST qc_rc gw_clouds_rows(const struct gw_engine_cloud *clouds, unsigned count, struct gw_cloud_row **ret,
                             struct qc_err *err);
/* Write the rows of a birth. In a transaction. */
QC_MUST qc_rc gw_birth_write(struct gw_cat *c, const struct gw_birth *b, struct qc_err *err);
/* A bkey's row. In a transaction. */
QC_MUST qc_rc gw_birth_bkey(struct gw_cat *c, const struct gw_root *r, uint32_t epoch, const qc_key *bkey,
                            const qc_rng *rng, struct qc_err *err);
