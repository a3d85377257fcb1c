/* What must be refused: one case is an object, edits of it, and the check that fires. */
#pragma once
#include "gen_objects.h"

#define GEN_EDITS_MAX 6
#define GEN_C         UINT64_C(65536)

enum { PLAIN = 1, WITH1 = 2, WITH2 = 4, ALL = 7 };

struct edit {
    uint64_t at, remove;
    qc_span insert;         /* or, where from is set: */
    const struct fix *from; /* bytes of its N */
    uint64_t from_at, from_size;
};

struct kase {
    const char *name;
    unsigned row; /* of the table of refusals */
    const struct fix *f;
    struct edit edit[GEN_EDITS_MAX], B_edit[GEN_EDITS_MAX]; /* up to the first empty one */
    const struct vault_ids *ids;
    const qc_key *R1, *R2;
    const uint8_t *M;
    unsigned ways;
    qc_rc rc;
    const char *check;
    uint64_t released;
};

extern struct fix gen_fixed[GEN_OBJECTS];

/* Other bytes at a place. */
struct edit gen_set(uint64_t at, qc_span v);
/* Bytes of another object's N at a place, as many as are removed. */
struct edit gen_copy(uint64_t at, uint64_t size, const struct fix *from, uint64_t from_at);

/* b with the edits done, in their order. */
void gen_apply(qc_buf *b, const struct edit *edits);
bool gen_used(const struct edit *e);
qc_span gen_inserted(const struct edit *e);

/* Run a case, then write it. */
void gen_put(const struct kase *k);

void gen_fields(void);
void gen_mixtures(void);
void gen_holders(void);
