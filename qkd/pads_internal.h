/* What the files of qkd/pads share. */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/secret.h"
#include "qkd/pads.h"

/* -- the state file (FORMAT 10.8) -- */
enum pad_state { PAD_READY = 1, PAD_OPEN, PAD_SPENT };
struct pad_entry {
    uint64_t number;
    enum pad_state state;
};
struct pads_state {
    uint32_t block;
    uint64_t next;
    uint32_t count;
    struct pad_entry v[QKD_PADS_MAX]; /* by number */
};
/* QC_INTEGRITY: not as it was written; QC_NEWER. *ret is undefined then. */
QC_MUST qc_rc pads_state_parse(struct pads_state *ret, qc_span text, struct qc_err *err);
QC_MUST qc_rc pads_state_print(const struct pads_state *s, qc_buf *ret, struct qc_err *err);
void pads_state_drop(struct pads_state *s, uint32_t at);
enum { PADS_STATE_MAX = 24 + 9 * QKD_PADS_MAX + 32 };

/* -- K2 in memory -- */
enum { PAD_K2 = 32 };
struct pad_slot {
    uint64_t number; /* 0: free */
    uint8_t k2[PAD_K2];
};
struct pads_table {
    struct pad_slot *v; /* QKD_PADS_MAX, shared with whoever has the memfd */
    size_t n;           /* bytes */
    bool locked;
};
/* fd: a memfd, empty or of an earlier table; -1: a new one. QC_USAGE: of another size, or none */
QC_MUST qc_rc pads_table_open(struct pads_table *ret, int fd, struct qc_err *err);
void pads_table_close(struct pads_table *t);
/* NULL: none of that number (0: no free one). */
struct pad_slot *pads_table_find(const struct pads_table *t, uint64_t number);

/* -- K1 on the disk -- */
enum { PAD_NAME = 40 };
void pads_name(uint64_t number, char ret[PAD_NAME]);
/* Poly1305 of K1 under the first bytes of K2's stream. */
QC_MUST qc_rc pads_tag(const uint8_t *k2, qc_span k1, uint8_t ret[QC_TAG], struct qc_err *err);
/* K1 of the block of a K2, and the tag behind it, as the first of the bytes of *k1, which is made where it is
 * empty and stays: not locked, since K1 lies on the disk in clear as well. QC_INTEGRITY: it is not as it was
 * written; QC_NOTFOUND; QC_IO and others */
QC_MUST qc_rc pads_load(int dirfd, const struct pad_slot *slot, uint32_t block, struct qc_secret *k1,
                        struct qc_err *err);
/* Over it, away with its blocks, away with its name; nothing where there is none. Without K2 it is of no use
 * to anybody: on flash the first two may reach other cells than those that it lay in. */
QC_MUST qc_rc pads_erase(int dirfd, const char *name, struct qc_err *err);
