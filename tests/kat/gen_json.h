/* Writing the vectors: a file of JSON, two spaces of indentation, keys in the order of the calls. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/key.h"

struct out {
    FILE *f;
    unsigned depth;
    bool first; /* of the innermost object or list */
};

struct out out_open(const char *dir, const char *name);
void out_close(struct out *o);

/* key NULL: an item of a list. */
void out_begin(struct out *o, const char *key, char bracket);
void out_end(struct out *o, char bracket);
void out_hex(struct out *o, const char *key, qc_span v);
void out_key(struct out *o, const char *key, const qc_key *v);
void out_u64(struct out *o, const char *key, uint64_t v);
void out_str(struct out *o, const char *key, const char *v);
void out_bool(struct out *o, const char *key, bool v);
void out_sha(struct out *o, const char *key, qc_span v); /* SHA-256 of v */
void out_file(const char *dir, const char *name, qc_span v);

void gen_objects(const char *dir);
void gen_refusals(const char *dir);
void gen_store(const char *dir);
