/* The key container of ETSI GS QKD 014 (table 11), parsed where it lies: no copy of a key's text is made on a
 * heap that nobody wipes (docs/adr/0025). Internal to qkd/. Pure. Keeps I5, I7.
 *
 *   { "keys": [ { "key_ID": "<uuid>", "key": "<base64>" }, .. ], .. }      other members are passed over */
#pragma once
#include "qkd/keys.h"

/* What the answer is held against. */
struct qkd_want {
    size_t number;            /* keys: at most so many, or exactly ids */
    uint32_t bits;            /* of each, a multiple of 8 */
    const struct qkd_id *ids; /* those asked for, all different; NULL: any */
    enum qkd_id_syntax syntax;
};

/* Bytes that an honest answer may have. */
size_t qkd_container_max(size_t number, uint32_t bits);

/*
 * Take the keys out of text, which is secret memory and zeros afterwards, whatever comes of it. *ret, empty
 * before, has them in the order of want->ids, or as they came.
 * QC_FORMAT: with what is wrong, and no byte of what was read; *ret stays empty. QC_NOMEM
 */
QC_MUST qc_rc qkd_container_take(struct qkd_keys *ret, uint8_t *text, size_t n, const struct qkd_want *want,
                                 struct qc_err *err);

/* Room for keys, all zeros. QC_NOMEM */
QC_MUST qc_rc qkd_keys_new(struct qkd_keys *ret, size_t count, size_t bytes, struct qc_err *err);
/* Key `from` of one becomes key `to` of the other; wiped where it was. Sizes are equal (asserted). */
void qkd_keys_move(struct qkd_keys *to, size_t at, struct qkd_keys *from, size_t i);

/* Exactly n bytes from base64 (RFC 4648 section 4, padded), which may lie behind out in the same memory.
 * false: it is no such text. Its time depends on the length alone. */
QC_MUST bool qkd_base64(const uint8_t *text, size_t length, uint8_t *out, size_t n);
