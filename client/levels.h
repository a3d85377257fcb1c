/* A listing of some levels alone: what lies deeper is told as its folder, once, with what it comes to. Part
 * of the program qcloud (layer 5); uses base, vault, client. */
#pragma once
#include "client.h"

struct levels {
    unsigned depth; /* 0: all levels */
    size_t base;    /* bytes of a name before its first level */
    qc_buf folder;  /* that is being gathered, with its slash; empty: none */
    uint64_t objects, size;
    int64_t newest, budget; /* the least */
};

void levels_done(struct levels *l);
/* depth: of what lies below the prefix, as vault_list has it. QC_USAGE: it is no number of levels. */
QC_MUST qc_rc levels_begin(struct levels *l, const struct qc_args *args, struct qc_err *err);
/* Is the name not of the folder that is being gathered, and is there one? It is to be told, and ended. */
bool levels_ends(const struct levels *l, qc_span name);
void levels_end(struct levels *l);
/* *ret: the object lies deeper, and was counted. */
QC_MUST qc_rc levels_take(struct levels *l, const struct vault_stat *s, bool *ret, struct qc_err *err);
