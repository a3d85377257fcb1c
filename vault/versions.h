/* Which versions a name has, and one of them opened. Layer 3; get, reseal and the public calls of versions.c
 * stand on it. ADR 34. */
#pragma once
#include "object.h"

/* One version that was meant. */
struct versions_found {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t number, sequence;
    bool current;
    uint8_t M[32]; /* current: its entry's */
};

/* QC_NOTFOUND: names the versions that there are. */
QC_MUST qc_rc versions_find(struct vault *v, qc_span name, const struct vault_which *which,
                            const struct vault_call *call, struct versions_found *ret, struct qc_err *err);

/*
 * Open it: the share stores' record says that it was stored, the gateway what it weighs; ids and M say that
 * what comes is this very version. stat: filled from the sealed object, but for margins and created_s, which
 * are the gateway's. Chunks are not read. o: object_done it, also after a failure; f outlives it.
 */
QC_MUST qc_rc versions_open(struct object *o, struct vault *v, qc_span name, const struct versions_found *f,
                            const struct vault_call *call, struct vault_stat *ret, struct qc_err *err);

/* The note of a path's removal under this number, and of the object that this change of it moved away.
 * QC_NOTFOUND: no store that is here has it. */
QC_MUST qc_rc versions_removal(struct vault *v, const uint8_t path_tag[16], uint64_t number,
                               const struct vault_call *call, struct vault_store_removal *ret,
                               struct qc_err *err);
QC_MUST qc_rc versions_moved(struct vault *v, const uint8_t path_tag[16], uint64_t number,
                             const struct vault_call *call, struct vault_store_moved *ret,
                             struct qc_err *err);
