/* The root key's object, for the files of this module that derive from it. */
#pragma once
#include <pthread.h>

#include "gateway/root.h"

/* Names are made by the million (listings, sweeps): the key of each cloud is derived once. */
struct gw_name_key {
    uint32_t cloud_id;
    qc_key *key;
};

/* A segment's fragments are asked for one after the other, and each needs the permutation of all. */
enum { GW_PLACES = 64 };
struct gw_place_known {
    uint64_t segment_id;
    uint8_t salt[GW_SALT_BYTES];
    uint8_t n; /* 0: nothing is known */
    uint8_t perm[QC_EC_N_MAX];
};

struct gw_root {
    uint8_t catalogue[GW_ID_BYTES];
    qc_key *G;
    struct qc_prk *prk;
    pthread_mutex_t names_lock; /* guards the members below; a key once in the table stays */
    struct gw_name_key names[QC_GW_CLOUDS_MAX];
    unsigned name_count;
    struct gw_place_known places[GW_PLACES]; /* by id, modulo */
};
