/* What lies on a simulated cloud: bytes under keys, in the order of the keys. */
#pragma once
#include "cloud/cloud.h"
#include "sim.h"

enum { SIM_KEY_MAX = CLOUD_KEY_SIZE_MAX + 1 };

/* Bytes that never change, counted: by the objects and snapshots that have them. */
struct blob {
    unsigned refs;
    bool sound; /* as somebody put it */
    uint64_t hash, payload_hash;
    struct sim_frag frag;
    size_t n;
    uint8_t p[];
};

struct object {
    char key[SIM_KEY_MAX];
    struct blob *blob;
};

struct objects {
    struct object *v;
    size_t count, room;
};

uint64_t sim_hash(uint64_t h, const void *p, size_t n);

struct blob *blob_new(size_t n);
struct blob *blob_of(const qc_span *parts, size_t count, uint64_t size);
void blob_read(struct blob *b); /* what the bytes say of themselves */
void blob_drop(struct blob *b);

/* Where the key is, or belongs. */
size_t objects_place(const struct objects *o, const char *key, bool *ret_there);
void objects_set(struct objects *o, const char *key, struct blob *b); /* b is the objects' from now on */
void objects_remove(struct objects *o, size_t at);
void objects_clear(struct objects *o);
void objects_copy(struct objects *to, const struct objects *from);
