/* The root key's object, for the files of this module that derive from it. */
#pragma once
#include <pthread.h>

#include "gateway/root.h"

/* Names are made by the million (listings, sweeps): the key of each cloud is derived once. */
struct gw_name_key {
    uint32_t cloud_id;
    qc_key *key;
};

struct gw_root {
    uint8_t catalogue[GW_ID_BYTES];
    qc_key *G;
    struct qc_prk *prk;
    pthread_mutex_t names_lock; /* guards the two members below; a key once in the table stays */
    struct gw_name_key names[QC_GW_CLOUDS_MAX];
    unsigned name_count;
};
