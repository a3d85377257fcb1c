/* How far an operation is, and how a put fares on each cloud meanwhile: for people. Layer 3. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/descriptor.h"
#include "vault/gw.h"

/* As its gateway says. */
struct vault_clouds {
    size_t count;
    struct vault_cloud_fares {
        char name[VAULT_CLOUD_NAME_MAX];
        enum { VAULT_CLOUD_OK, VAULT_CLOUD_WRITING, VAULT_CLOUD_RETRYING, VAULT_CLOUD_FAILED } state;
        uint64_t durable, failed;      /* fragments */
        uint64_t tries;                /* writes that failed since the last one that did not */
        char why[VAULT_CLOUD_WHY_MAX]; /* of the last failure; "": none */
    } v[VAULT_CLOUDS_MAX];
};
const char *vault_cloud_state(const struct vault_cloud_fares *c); /* "ok", "writing", "retrying", "failed" */

/* How far an operation is; called on the caller's thread, often: the callee decides what to show. */
struct vault_progress {
    uint64_t done;   /* put: bytes of D that are durable; get, verify: bytes verified; recover: objects */
    uint64_t total;  /* of the same; VAULT_SIZE_UNKNOWN when it is not known */
    uint64_t sent;   /* put: bytes of N handed to the gateway, sent again or not */
    uint64_t sealed; /* put: bytes of D that are sealed, durable or on their way; 0: not known */
    bool finishing;  /* put: all is durable, the commit is under way */
    const struct vault_clouds
        *clouds; /* where vault_call.clouds asks for it and something is known; else NULL */
};
typedef void (*vault_progress_fn)(void *ctx, const struct vault_progress *p);
