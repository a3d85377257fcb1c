/* The objects of the vectors, for objects and refusals alike. */
#pragma once
#include "gen_json.h"
#include "vault_fix.h"

enum {
    GEN_EMPTY,
    GEN_ABC,
    GEN_MIB,
    GEN_GROUPS,
    GEN_GROUPS_B, /* another version of the same object */
    GEN_EPOCHS,
    GEN_PADDED,
    GEN_EXTENDED,
    GEN_ABC_B, /* another object of the same size */
    GEN_ABC_C, /* another version of abc */
    GEN_OBJECTS
};

struct gen_object {
    const char *name;
    bool file; /* N goes to a file of its own */
    struct fix_spec spec;
};
extern const struct gen_object gen_object[GEN_OBJECTS];

void gen_ids(struct out *o, const char *key, const struct vault_ids *ids);
