/* What goes on beside the taking of pad: the next block is read, the last one erased. Internal to qkd/. One
 * caller at a time; the work is done by two threads of its own, which touch K1 alone: what is durable, and in
 * which order, is the caller's (qkd/pads.c). */
#pragma once
#include "pads_internal.h"

struct pads_side; /* opaque */

/* dir: borrowed. QC_NOMEM, and others */
QC_MUST qc_rc pads_side_new(struct pads_side **ret, int dir, uint32_t block, struct qc_err *err);
/* Waits for what is under way. */
void pads_side_free(struct pads_side **s);

/* Begin to read and verify a block, unless one is ahead already. Its K2 stays as it is until the block is
 * taken or dropped. */
QC_MUST qc_rc pads_ahead_begin(struct pads_side *s, const struct pad_slot *k2, struct qc_err *err);
/* Waits for it. true: *k1 has it, and what was in *k1 before is gone; false: this block was not read ahead,
 * or not well. */
bool pads_ahead_take(struct pads_side *s, uint64_t number, struct qc_secret *k1);
/* This block is not read ahead any more: its K2 may go. */
void pads_ahead_drop(struct pads_side *s, uint64_t number);

/* Begin to erase a block. None is under way, and the end of the one before was asked for (asserted). */
QC_MUST qc_rc pads_behind_begin(struct pads_side *s, uint64_t number, struct qc_err *err);
/* The one whose end was not asked for; 0: none. */
uint64_t pads_behind(const struct pads_side *s);
/* *ret: the block that is erased; 0: none, or, unless wait, not yet. Its failure; it is not asked for again.
 */
QC_MUST qc_rc pads_behind_end(struct pads_side *s, bool wait, uint64_t *ret, struct qc_err *err);
