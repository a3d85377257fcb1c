/* A gateway in memory for tests of the vault: honest by default, and as hostile as a test makes it by writing
 * to its tables. One lock; any number of connections (clones). Implements struct vault_gw_ops. */
#pragma once
#include <pthread.h>

#include "qc_check.h"
#include "vault/gw.h"

#define FAKE_MAX  512
#define FAKE_SEAL 32

/* Bytes of the fake: from malloc, so that failing allocations hit the vault alone. */
struct blob {
    uint8_t *p;
    size_t n, cap;
};

struct fake_entry {
    struct blob path, priv;
    struct vault_entry e; /* its spans are set when it is given out */
};

struct fake_version {
    uint8_t object[16], version[16];
    struct blob n, backup;
    bool live, purged;
};

struct fake_upload {
    uint8_t key[16], object[16], version[16];
    enum vault_upload_state state;
    uint64_t size; /* as announced */
    struct blob seg[64];
    uint32_t run;
    uint32_t asked; /* segments, by the last resume */
    uint32_t last;  /* number of the last segment + 1; 0: not seen */
    struct vault_gw_receipt receipt;
};

enum fake_call {
    FAKE_NONE,
    FAKE_VAULT_PUT,
    FAKE_VAULT_GET,
    FAKE_CHAIN,
    FAKE_ENTRY_GET,
    FAKE_ENTRY_LIST,
    FAKE_ENTRY_REMOVE,
    FAKE_BEGIN,
    FAKE_SEGMENT,
    FAKE_COMMIT,
    FAKE_STATE,
    FAKE_CANCEL,
    FAKE_RESUME,
    FAKE_READ,
    FAKE_BACKUP,
    FAKE_PURGE,
    FAKE_BACKUPS,
    FAKE_MOVE,
};

struct fake {
    pthread_mutex_t lock;
    pthread_cond_t came; /* a segment */
    bool has_vault;
    uint8_t vault[16];
    struct blob record, backup;
    struct fake_entry entry[FAKE_MAX];
    size_t entries;
    struct fake_version version[FAKE_MAX];
    size_t versions;
    struct fake_upload upload[FAKE_MAX];
    size_t uploads;
    uint8_t seal[FAKE_MAX][FAKE_SEAL];
    size_t commits;

    /* The next passes of a call: the n-th from now (1 = next) fails with rc; effect: after it took effect. */
    enum fake_call fail;
    unsigned fail_nth;
    bool fail_effect;
    /* The number of a segment that is refused with fail_rc, once, when all before it are there; 0: none, nor
     * the first. */
    uint32_t refuse;
    qc_rc fail_rc;
    /* Runs before each commit decides, without the lock: another writer. */
    void (*before_commit)(void *ctx);
    /* Once, after an entry was looked up and before its answer arrives; before a page's entries are seen. */
    void (*after_entry)(void *ctx);
    void (*before_list)(void *ctx);
    void *before_ctx;
    uint64_t info_more;  /* a version is told to be larger by so much, or smaller (two's complement) */
    int move_lies;       /* of what is moved: see move_one */
    bool lie_list;       /* listings of a directory hold everything */
    unsigned hide_lists; /* so many of them leave out the name that came last */
    unsigned lists;      /* begun */
    bool hiding;
    unsigned
        early_states; /* so many uploads are told to be open, as they were just before they were committed */
    int64_t acked_margin, margin_full;
    const char *degraded; /* a cloud's name in receipts, or NULL */
    struct vault_gw_faults faults;
    uint64_t read_bytes, calls[FAKE_MOVE + 1];
    unsigned handles; /* open connections */

    bool watches; /* bytes go out for some ms, and are answered when those of the next segment go out */
    unsigned going;
    uint32_t began; /* segments whose bytes went out; of one put */
    pthread_cond_t went;
};

void fake_init(struct fake *f);
void fake_done(struct fake *f);
/* The bytes of all versions, which a test has read: large ones would fill the memory. */
void fake_forget(struct fake *f);
struct vault_gw *fake_connect(struct fake *f);

static inline qc_span blob_span(const struct blob *b)
{
    return qc_span_of(b->p, b->n);
}

struct fake_entry *fake_find(struct fake *f, qc_span path);
struct fake_version *fake_version_of(struct fake *f, const uint8_t *object, const uint8_t *version);
/* Everything that the catalogue holds, copied and put back: a rollback. Bytes of versions stay. */
struct fake_image;
struct fake_image *fake_save(struct fake *f);
void fake_restore(struct fake *f, const struct fake_image *image);
void fake_image_free(struct fake_image **image);
