/* Which clouds a segment goes to, and which fragment to which of them. Layer 4; uses base. Format:
 * FORMAT 9.4. Pure functions; any thread.
 */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/rng.h"
#include "gateway/root.h"

/* What fails together: the clouds that bear the same label. A cloud without it is a domain of its own. */
enum gw_domain { GW_DOMAIN_CLOUD, GW_DOMAIN_PROVIDER, GW_DOMAIN_REGION, GW_DOMAIN_JURISDICTION };
enum { GW_LABELS = 3, GW_WEIGHT_DEFAULT = 100 };
const char *gw_domain_name(enum gw_domain d); /* "cloud", "provider", .. */
bool gw_domain_of_name(const char *name, enum gw_domain *ret);

/* A label: empty, or 1..QC_GW_LABEL_MAX of a-z 0-9 . _ -, the first a letter or digit. */
bool gw_label_ok(qc_span label);

struct gw_labels {
    unsigned weight;                        /* 0..QC_GW_WEIGHT_MAX */
    char v[GW_LABELS][QC_GW_LABEL_MAX + 1]; /* provider, region, jurisdiction: index is enum gw_domain - 1 */
};
bool gw_same_labels(const struct gw_labels *a, const struct gw_labels *b);
/* Do two different clouds fail together? */
bool gw_same_domain(enum gw_domain d, const struct gw_labels *a, const struct gw_labels *b);

/* A cloud that may be chosen. */
struct gw_candidate {
    uint32_t cloud_id;
    bool usable;     /* false: known lost or not answering; taken only when there are not enough others */
    unsigned weight; /* 0: only when there are not enough others of its kind */
    unsigned domain; /* 0: its own; clouds of the same other number are never both chosen */
};

/*
 * Choose n of count clouds, usable ones before others, and of those of a kind ones with a weight before those
 * without: one after the other, each with the chance of its weight among those that are left and whose domain
 * has none yet. With equal weights and domains of their own all n-subsets are equally likely. The chosen
 * stand in the order of the candidates, so that equal sets are equal layouts. n, count <= QC_GW_CLOUDS_MAX
 * (asserted). Asks rng only where there is a choice.
 * QC_QUORUM: fewer than n domains; the message says how many. QC_RANDOM and what else rng says.
 */
QC_MUST qc_rc gw_place_clouds(const struct gw_candidate *candidates, unsigned count, unsigned n,
                              const qc_rng *rng, uint32_t *ret, struct qc_err *err);

/* The permutation of a segment: fragment i lies on layout[ret[i]]. n <= QC_EC_N_MAX (asserted). QC_NOMEM. */
QC_MUST qc_rc gw_place_permutation(const struct gw_root *r, uint64_t segment_id,
                                   const uint8_t salt[GW_SALT_BYTES], unsigned n, uint8_t *ret,
                                   struct qc_err *err);
