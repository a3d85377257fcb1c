/* qcloud-salvage: files out of what is left of the clouds and the share stores; no gateway, no catalogue, no
 * network. Part of the program (layer 5). One thread. docs/salvage.md, docs/adr/0015.
 *
 *   scan -> root key -> log -> vault -> plan -> files
 *
 * S1 (I2): no byte leaves that did not hold M, the key commitment and both tags of its chunk, as in a get.
 * S2: nothing is ever written beneath a source; outputs are made new and appear under their names whole.
 * S3: what is wrong in one place never ends the run: it is a line of the table. Only the output's own disk,
 * memory and the user end it. */
#pragma once
#include <stdio.h>

#include "base/file.h"
#include "base/key.h"
#include "base/time.h"
#include "gateway/frag.h"
#include "gateway/log.h"
#include "gateway/stands.h"
#include "index.h"
#include "vault/open.h"
#include "vault/pass.h"
#include "vault/ring.h"
#include "vault/share_store.h"

enum { SOURCES_MAX = QC_SALVAGE_SOURCES_MAX, CLOUD_IDS_MAX = 64 };

struct options {
    const char *out, *scratch, *kit, *recovery_kit;
    const char *share[2];
    const char *backup[SOURCES_MAX]; /* keepers' directories, and single files of theirs */
    unsigned backup_count;
    bool list, dry_run, partial, deleted, thorough, json, quiet, no_input, progress;
};

/* What happened to one file. */
enum fate {
    FATE_OK,       /* written whole */
    FATE_PRESENT,  /* it was there already, with the same bytes */
    FATE_PARTIAL,  /* written with holes */
    FATE_OLDER,    /* the newest version is lost; an earlier one was written beside its name */
    FATE_LOST,     /* nothing was written */
    FATE_DELETED,  /* removed by its owner, and not asked for */
    FATE_CONFLICT, /* something else stands under its name */
    FATE_READABLE, /* list, dry run: it would be written */
    FATES
};

struct counts {
    uint64_t files, logs, fragments, foreign, wrong, missing;
    uint64_t fate[FATES], bytes;
};

struct salvage {
    struct options o;
    const char *source[SOURCES_MAX];
    struct qc_fd dir[SOURCES_MAX];
    unsigned source_count;
    const struct qc_cancel *cancel;

    struct index *ix;
    struct qc_aead *aead;
    struct counts counts;

    /* the gateway's part */
    struct gw_root *root;
    uint32_t cloud_id[CLOUD_IDS_MAX]; /* under which names are tried */
    unsigned cloud_count;
    struct gw_member seen[QC_GW_CLOUDS_MAX]; /* clouds whose identity or fragments are here */
    unsigned seen_count;
    unsigned clouds_in_use, record_quorum;
    uint32_t named[QC_GW_CLOUDS_MAX]; /* clouds that the log names */
    unsigned named_count;
    unsigned
        unheard; /* clouds that are not here, where so many could hold records that are on no other; else 0 */
    struct qc_prk *bkey[QC_GW_BKEYS_MAX]; /* by epoch - 1 */
    uint64_t log_last, log_missing;
    struct gw_log log; /* the object that was opened last */
    uint64_t log_sequence;

    /* the vault's */
    struct vault_passes passes;
    struct vault_store *store[2];
    qc_key *W; /* the recovery key, where the vault has one and it is to be had; or NULL */
    struct vault_ring *ring;
    struct gw_id vault;
    uint32_t tenant;
    uint64_t known, recorded; /* commits: the stores have heard of, the log that was found tells of */
    qc_rc worst;
};

/* All of it, with the index in a scratch directory. out NULL: nothing is written. */
struct out;
QC_MUST qc_rc salvage_run(struct salvage *s, struct out *out, const char *scratch, struct qc_err *err);
void salvage_done(struct salvage *s);

/* Open a file of a source for reading. *ret_size: its size. */
QC_MUST qc_rc salvage_open(const struct salvage *s, const struct found *f, struct qc_fd *ret,
                           struct qc_err *err);
/* Does this failure end the run (S3)? */
bool salvage_ends(qc_rc rc);

/* scan.c: all sources into the index. */
QC_MUST qc_rc scan_sources(struct salvage *s, struct qc_err *err);

/* rootkey.c: G from the kit or the identity objects. QC_QUORUM, QC_INTEGRITY, QC_CONFLICT, QC_FORMAT. */
QC_MUST qc_rc rootkey_find(struct salvage *s, struct qc_err *err);

/* stores.c: B of a version as it was made, of the keeper that was given (FORMAT 17), or of what came from the
 * log: opened, where it is sealed. QC_SHARES, QC_INTEGRITY */
QC_MUST qc_rc stores_backup(const struct salvage *s, const struct gw_backup_ids *ids, qc_buf *backup,
                            struct qc_err *err);

/* chain.c: log objects into the index: entries, vaults, backup keys. */
QC_MUST qc_rc chain_read(struct salvage *s, struct qc_err *err);
/* A record again; borrowed from s->log until the next call. */
QC_MUST qc_rc chain_record(struct salvage *s, const struct record_at *at, struct gw_record *ret,
                           struct qc_err *err);
/* B of a record, opened; appended. */
QC_MUST qc_rc chain_backup(struct salvage *s, const struct gw_backup_ids *ids, qc_span sealed, qc_buf *ret,
                           struct qc_err *err);

/* stores.c: share stores, and the vault secret if it can be had (else s->ring stays NULL: no names). */
QC_MUST qc_rc stores_find(struct salvage *s, struct qc_err *err);
