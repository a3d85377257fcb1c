/* The gateway's state directory: its lock, its root key. Layer 4, internal; uses base.
 *
 *   lock           flock: one process at a time
 *   root.key       `QCLG` | u8 1 | 3 zero | catalogue id 16 | G 32 | SHA-256 of the bytes before; mode 0600
 *   catalogue.db, catalogue.conf: home.h
 *   incarnation    u32 of the last rebuild that was tried here (rebuild_clouds.c)
 */
#pragma once
#include "base/file.h"
#include "gateway/root.h"

enum { GW_STATE_PATH_MAX = 4096 };

struct gw_state {
    char path[GW_STATE_PATH_MAX]; /* of the directory */
    struct qc_fd dir, lock;
};

/* Is there a root key? QC_NOTCONF. Writes nothing, and takes no lock. */
QC_MUST qc_rc gw_state_there(const char *path, struct qc_err *err);

/* create: made if missing, mode 0700. QC_NOTCONF: not there; QC_LOCKED; QC_AUTH: others may enter it. */
QC_MUST qc_rc gw_state_open(struct gw_state *ret, const char *path, bool create, struct qc_err *err);
void gw_state_close(struct gw_state *s);
/* Path of a file in it: GW_STATE_PATH_MAX bytes. */
QC_MUST qc_rc gw_state_path(const struct gw_state *s, const char *name, char *ret, struct qc_err *err);
/* *ret: is there a file of that name? */
QC_MUST qc_rc gw_state_has(const struct gw_state *s, const char *name, bool *ret, struct qc_err *err);

/* Durable. QC_CONFLICT: there is one already. */
QC_MUST qc_rc gw_state_put_root(const struct gw_state *s, const char *name, const struct gw_root *r,
                                struct qc_err *err);
/* QC_NOTCONF: none; QC_FORMAT, QC_NEWER, QC_INTEGRITY. */
QC_MUST qc_rc gw_state_get_root(const struct gw_state *s, const char *name, struct gw_root **ret,
                                struct qc_err *err);

extern const char gw_state_root[];

/* A bkey as the catalogue keeps it: salt 16 | ciphertext 32 | tag 16, under KDFG(G, "bkey", catalogue, epoch,
 * salt). */
QC_MUST qc_rc gw_bkey_seal(const struct gw_root *r, uint32_t epoch, const uint8_t salt[GW_SALT_BYTES],
                           const qc_key *bkey, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc gw_bkey_open(const struct gw_root *r, uint32_t epoch, qc_span sealed, qc_key **ret,
                           struct qc_err *err);
