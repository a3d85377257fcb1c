/* Share files of xor23, chunk by chunk: what writer and reader have in common. Internal to vault/. FORMAT 13.
 */
#pragma once
#include "vault/xor23.h"

enum {
    XOR23_PREFIX = 16, /* of a chunk's head: what its tags cover */
    XOR23_TAGS = XOR23_PREFIX,
    XOR23_KEYS = XOR23_TAGS + 32,
    XOR23_KEY = 32,
    XOR23_ROOM = VAULT_XOR23_HEAD + SS_XOR23_BLOCK, /* a chunk of one file */
};

/* Where the tag and the key that `letter` has for `other` stand in its head: ascending among the two others.
 */
size_t xor23_slot(enum ss_xor23 letter, enum ss_xor23 other);
/* 'A', 'B', 'C' */
char xor23_name(enum ss_xor23 letter);
void xor23_prefix_write(uint8_t *head, uint64_t number, size_t n);
/* QC_FORMAT: another number, more than a block, bytes that are not zero. */
QC_MUST qc_rc xor23_prefix_parse(const uint8_t *head, uint64_t number, size_t *ret_n, struct qc_err *err);
/* The tags of a chunk, its head and its share, one under each of one key or two. QC_NOMEM, QC_GENERAL. */
QC_MUST qc_rc xor23_tags(const struct vault_xor23_header *h, enum ss_xor23 letter, const qc_span *key,
                         size_t keys, qc_span chunk, uint8_t out[][16], struct qc_err *err);
