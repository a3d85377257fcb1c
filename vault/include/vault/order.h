/* Listings in another order than that of the names. Layer 3; uses base. Threads: as the vault's. */
#pragma once
#include "vault/vault.h"

/* The largest first; the newest first (mtime, else when it was stored). By their names what is alike. */
enum vault_order { VAULT_BY_NAME, VAULT_BY_SIZE, VAULT_BY_TIME };

/* vault_list in that order: in bounded memory, by files of the directory of state where it is much. */
QC_MUST qc_rc vault_list_by(struct vault *v, qc_span prefix, enum vault_order order, vault_list_fn fn,
                            void *ctx, const struct vault_call *call, struct qc_err *err);
