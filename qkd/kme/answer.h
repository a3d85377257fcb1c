/* Answers of a KME: JSON, and keys written in secret memory. Part of qcloud-kme; uses base. Keeps I5. */
#pragma once
#include "supply.h"

struct json_t;

struct kme_keys {
    size_t count, room; /* room: bytes for each at most */
    char (*id)[37];     /* UUIDs */
    size_t *bytes;      /* of each: room, unless set to less */
    struct qc_secret secret;
};

QC_MUST qc_rc kme_keys_new(struct kme_keys *ret, size_t count, size_t room, struct qc_err *err);
void kme_keys_done(struct kme_keys *k);
uint8_t *kme_keys_room(const struct kme_keys *k, size_t i);

QC_MUST qc_rc kme_answer_json(struct kme_answer *ret, unsigned status, const struct json_t *j,
                              struct qc_err *err);
/* A key container (table 11). */
QC_MUST qc_rc kme_answer_keys(struct kme_answer *ret, const struct kme_keys *keys, struct qc_err *err);

/* Digits and nothing else. */
QC_MUST bool kme_digits(qc_span *s, uint64_t *ret);
