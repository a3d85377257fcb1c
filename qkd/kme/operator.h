/* What the operator sees and does: pools, rates, faults on command, which keys a node has seen; and what is
 * done by the clock. Part of qcloud-kme; uses base. Any thread: supply's lock. Keeps I4: a fault is durable
 * before it is answered. */
#pragma once
#include "supply.h"

/* Links, nodes, counts, as JSON (docs/qkd.md). */
QC_MUST qc_rc kme_network_json(struct kme *k, struct kme_answer *ret, struct qc_err *err);
/* The same for people: a page without script that renews itself. */
QC_MUST qc_rc kme_page(struct kme *k, struct kme_answer *ret, struct qc_err *err);
/* The same for a program that keeps figures over time: Prometheus' text format. */
QC_MUST qc_rc kme_metrics(struct kme *k, struct kme_answer *ret, struct qc_err *err);
/* A fault, as fault.h has it. 400, 404, or 200 with what it did. */
QC_MUST qc_rc kme_fault(struct kme *k, qc_span body, struct kme_answer *ret, struct qc_err *err);
/* Keys that a node has seen, KME_EXPOSED_PAGE at most, from behind `after` on (a number of an earlier
 * answer's "next"; NULL: from the first). */
QC_MUST qc_rc kme_exposed(struct kme *k, const char *node, const char *after, struct kme_answer *ret,
                          struct qc_err *err);

/* Often: once a second what has expired is erased and who runs out of key is told, every ten what the pools
 * have is written down. */
QC_MUST qc_rc kme_tick(struct kme *k, struct qc_err *err);
/* At the end: what the pools have is written down. */
QC_MUST qc_rc kme_settle(struct kme *k, struct qc_err *err);
