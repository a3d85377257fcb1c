/* What a way has to be for data to go over it, as an operator says it: LEVEL[:SECONDS[:BYTES]], the least
 * level, and for how long and how many bytes a key from QKD is used there at most. Layer 1; uses base. Keeps
 * I7. */
#pragma once
#include "net/link_state.h"

struct net_want {
    enum net_level least;
    uint64_t key_s, key_bytes; /* 0: as long as the link does */
};
/* Bytes from outside. QC_USAGE: what is wrong, without a name of what it belongs to */
QC_MUST qc_rc net_want_parse(qc_span v, struct net_want *ret, struct qc_err *err);
/* The same text. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc net_want_print(const struct net_want *w, qc_buf *ret, struct qc_err *err);
/* Does a link hold to the ages, by its own configuration? At `otp` that is the age of its pad, no byte of
 * which is used twice. QC_LINK: it does not, or does not say; the message names the link */
QC_MUST qc_rc net_want_age(const struct net_want *w, const struct net_link_state *s, struct qc_err *err);
