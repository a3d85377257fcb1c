/* Listing with what verify needs besides the objects. Layer 3. */
#pragma once
#include "session.h"
#include "vault/order.h"

struct list_totals {
    uint64_t entries; /* below the prefix's directory, tombstones included where asked for */
    uint64_t numbers; /* sum of their numbers: the commits that they stand for */
};

struct list_to {
    vault_list_fn fn;
    vault_find_fn find; /* instead of fn: as vault_find */
    void *ctx;
    enum vault_order order;
    bool tombstones; /* counted in the totals; never given to fn */
    bool removed;    /* names that are not there any more are given, with number and created_s alone, and no
                        others */
};

/* A failure that is not the object's: it ends a run over many. */
bool list_ends(qc_rc rc);
/* Was what was listed under this number removed since? Its path's tombstone says so, under a greater one. */
bool list_removed_since(struct vault *v, qc_span path, uint64_t number, const struct vault_call *call);

/* As vault_list. ret is written before fn is first called. */
QC_MUST qc_rc list_objects(struct vault *v, qc_span prefix, const struct list_to *to,
                           const struct vault_call *call, struct list_totals *ret, struct qc_err *err);
