/* policies.conf, beside qcloud.conf: what objects of a kind want of how they are kept. Layer 4; uses base,
 * net, qrng. Read and never written by qcloud. ADR 85.
 *
 *   [genomes]                    the name that put --policy takes: [A-Za-z0-9_.-], 1 to 32 bytes
 *   profile = xor23              ec, xor23, shamir or mirror; ec when not given
 *   level = otp                  the way to the gateway, or to each site, is no weaker
 *   random = required            its keys and shares: required, preferred or os
 *   wait = full                  full or quorum, as put --wait
 *   pad = yes                    as put --pad
 *
 * A policy asks for more than qcloud.conf and random.conf, never for less. */
#pragma once
#include "base/buf.h"
#include "home/conf.h"
#include "home/places.h"
#include "qrng/conf.h"

enum { POLICY_NAME_MAX = 32, POLICY_WORD_MAX = 16 };

/* {0}: none, which asks for nothing. */
struct policy {
    char name[POLICY_NAME_MAX + 1];
    char profile[POLICY_WORD_MAX], level[POLICY_WORD_MAX], wait[POLICY_WORD_MAX]; /* empty: not said */
    bool has_random, pad;
    enum qrng_policy random;
};

/* name NULL: *ret is left alone, and the text is looked at alone. QC_USAGE: with the line's number;
 * QC_NOTCONF: there is none of that name, and which there are; QC_LIMIT */
QC_MUST qc_rc policy_parse(qc_span text, const char *name, struct policy *ret, struct qc_err *err);
/* The same of the file. Without one: QC_NOTCONF, where a name is given. */
QC_MUST qc_rc policy_load(const struct places *p, const char *name, struct policy *ret, struct qc_err *err);

/* What it asks for of the way to a gateway, into c, where that is more than what stands there. QC_LINK: the
 * way does not give so much. */
QC_MUST qc_rc policy_way(const struct policy *p, struct conf *c, struct qc_err *err);
/* The same of random.conf. QC_RANDOM: a source is wanted, and there is none. */
QC_MUST qc_rc policy_random(const struct policy *p, struct qrng_conf *c, struct qc_err *err);
