/* Inside of the ring of keys under VS. Layer 3, internal. */
#pragma once
#include "base/crypto.h"
#include "vault/ring.h"

struct vault_ring {
    struct vault_ids ids; /* (vault, vault, zeros) */
    struct qc_prk *VS;    /* parent of directory ids and of the keys of private parts */
    qc_key *name;         /* AES-256-SIV, 64 bytes */
    qc_key *entry;        /* HMAC key of entry seals */
    qc_key *mark;         /* HMAC key of path tags */
};
