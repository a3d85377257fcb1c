/* One-time pad at rest, with erasure (docs/qkd.md, "Pad at rest"; FORMAT 10.8; Fujiwara et al. 2022, figure
 * 5). Layer 2; uses base. One thread at a time. Keeps I4 (no byte is given twice, whatever crash comes when)
 * and I5 (K0, K2, K4 in locked memory, wiped after use).
 *
 * Key from QKD for a pad block is K0 = K2 (32 bytes) || K1 (the block's bytes). K1 lies on disk, K2 in memory
 * alone; the pad K4 = K1 xor AES-256-CTR(K2) is made window by window when it is taken, and wiped as it is
 * taken. Who has the disk has uniform bytes.
 *
 *   fill:   K1 durable, K2 in the table -> READY durable -> K0 wiped
 *   take:   K1 verified -> OPEN durable -> bytes, each once; at a start what is OPEN is burnt
 *   spent:  K4 and K2 wiped -> K1 overwritten, punched, removed -> forgotten. Before K1 goes OPEN is durable,
 * and SPENT where there is no next block that could say so with its own OPEN, or where blocks are burnt
 *
 * While a block is taken from, threads of the pool's own read the next one and erase the last one, one each
 * (docs/adr/0051); when a pool is closed, or a call finds no pad, nothing is left to erase. Memory: two
 * blocks.
 *
 * Blocks are taken in the order of their numbers. Two ends that fill alike get the same pad at the same
 * positions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct qkd_pads; /* opaque */

struct qkd_pads_opts {
    const char *dir; /* made if missing, of mode 0700 */
    uint32_t block;  /* bytes of a pad block: a multiple of QKD_PAD_WINDOW, QKD_PAD_BLOCK_MIN.._MAX */
    int table; /* where K2 are: a memfd that an earlier process had, or an empty one; duplicated. -1: of this
                  process's own, and whatever lies on the disk is lost */
};

/* What is OPEN, and what has no K2, is erased: see qkd_pads_counts.
 * QC_LOCKED: another process has it; QC_USAGE: a block of another size, a table that is none; QC_INTEGRITY:
 * the state is damaged; QC_NEWER, QC_NOMEM, QC_IO */
QC_MUST qc_rc qkd_pads_open(struct qkd_pads **ret, const struct qkd_pads_opts *o, struct qc_err *err);
/* Is that a table as an earlier process made it, of this version's size? */
bool qkd_pads_is_table(int fd);
/* Wipes what is in memory; K2 in a table that was handed over stay there. */
void qkd_pads_close(struct qkd_pads **p);

/* A new pad block from k0, 32 bytes + block, which is wiped in any case: keep it in secret memory. QC_LIMIT:
 * the pool is full; else as below. */
QC_MUST qc_rc qkd_pads_fill(struct qkd_pads *p, uint8_t *k0, uint64_t *ret_number, struct qc_err *err);

struct qkd_pad_at {
    uint64_t block;  /* its number */
    uint32_t offset; /* in the block */
    uint32_t n;      /* bytes that were taken */
};
/*
 * The next bytes of pad, max at most and QKD_PAD_WINDOW at most, fewer at the end of a window. They are the
 * caller's alone: it wipes them after use. max > 0 (asserted).
 *
 * QC_TEMP: no pad is left; QC_INTEGRITY: the next block was damaged on disk, and is erased: the peer's is of
 * no use either; QC_IO and others: nothing was taken, or what was taken is wiped. After a state that could
 * not be written every call fails with QC_FENCED until the pool is opened anew: what is durable is not known.
 */
QC_MUST qc_rc qkd_pads_take(struct qkd_pads *p, uint8_t *room, size_t max, struct qkd_pad_at *ret,
                            struct qc_err *err);
/* Erase all blocks below a number, whatever is left of them: the peer is further on. */
QC_MUST qc_rc qkd_pads_burn(struct qkd_pads *p, uint64_t below, struct qc_err *err);

/* -- agreeing with the other end, forwards only -- */

/* The blocks that can be taken from, ascending: numbers into room, QKD_PADS_MAX of them at most. */
size_t qkd_pads_list(const struct qkd_pads *p, uint64_t *room);
/* Where the next byte is: block and offset. false: there is none. */
bool qkd_pads_at(const struct qkd_pads *p, uint64_t *ret_block, uint32_t *ret_offset);
/* All blocks below this number are more than max_s old, by the clock of the wall: 0: none is. */
uint64_t qkd_pads_old(const struct qkd_pads *p, uint64_t max_s);
/* Erases all blocks but those of these numbers: the other end has no others. */
QC_MUST qc_rc qkd_pads_keep(struct qkd_pads *p, const uint64_t *numbers, size_t count, struct qc_err *err);
/* The next block that is filled gets this number at least; durable. */
QC_MUST qc_rc qkd_pads_skip(struct qkd_pads *p, uint64_t next, struct qc_err *err);

struct qkd_pads_counts {
    uint64_t ready, bytes; /* blocks not begun; bytes that can be taken */
    uint64_t burnt;        /* at this start: blocks that were OPEN */
    uint64_t lost;         /* at this start: blocks without K2 or K1; and since: damaged ones */
    uint64_t next;         /* the number of the next block to be filled */
    bool locked;           /* all of K2 and K4 is locked in memory */
};
void qkd_pads_counts(const struct qkd_pads *p, struct qkd_pads_counts *ret);
