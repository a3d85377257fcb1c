/* Faults on command: what happens to links and nodes of a network. Part of qcloud-kme; uses base. Pure, as
 * network.h. docs/qkd.md has the table. */
#pragma once
#include "network.h"

enum kme_fault_kind {
    KME_LINK_CUT,     /* makes nothing; its pool stays */
    KME_LINK_RESTORE, /* as the configuration has it: no cut, no alarm, its rate, its QBER */
    KME_LINK_RATE,    /* makes so much */
    KME_POOL_EMPTY,
    KME_QBER, /* so many errors: from the network's limit on, an alarm */
    KME_NODE_SEIZE,
    KME_NODE_RELEASE,
    KME_FAULT_KINDS
};

struct kme_fault {
    enum kme_fault_kind kind;
    unsigned at;   /* link or node, by its number */
    uint64_t rate; /* of KME_LINK_RATE, bits/s */
    double qber;   /* of KME_QBER */
};

/* {"fault":"link_cut","link":"L1"}: of the table in docs/qkd.md. QC_NOTFOUND: no such link or node; QC_USAGE.
 */
QC_MUST qc_rc kme_fault_parse(struct kme_fault *ret, const struct kme_network *n, qc_span text,
                              struct qc_err *err);
/* The other way: for who asks. name: of the link or node. */
QC_MUST qc_rc kme_fault_print(const struct kme_fault *f, const char *name, qc_buf *ret, struct qc_err *err);
/* It happens. */
void kme_fault_apply(struct kme_network *n, const struct kme_fault *f);
const char *kme_fault_name(enum kme_fault_kind kind);
bool kme_fault_of_node(enum kme_fault_kind kind);
