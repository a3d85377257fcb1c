/* The gateway as the vault needs it: an interface declared by its consumer. Layer 3; uses base. Calls:
 * docs/API.md.
 *
 * Whatever comes from a gateway is untrusted: sizes are bounded here, meaning is checked by the caller
 * (seals, heads, tags). A gateway handle is one connection and belongs to one thread at a time; clone makes
 * another one to the same gateway. Each implementation repeats what may be repeated (nothing sent,
 * idempotent, 503 with Retry-After, jittered) until the deadline of the op. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "base/thread.h"
#include "vault/entry.h"
#include "vault/head.h"
#include "vault/ids.h"
#include "vault/op.h"

struct vault_gw;

#define VAULT_REQUEST_ID_BYTES 33 /* 32 hex digits and a NUL */
#define VAULT_CLOUD_NAME_MAX   64
#define VAULT_WITHOUT_MAX      2080 /* of 32 names */
#define VAULT_CLOUD_WHY_MAX    160  /* of a reason; it is for people, and may be cut */

/* An entry as the gateway gives it; owns its bytes. */
struct vault_gw_entry {
    struct vault_entry e; /* spans point into path and priv */
    qc_buf path, priv;
    bool has_margins; /* false in tombstones */
    int64_t acked_margin, margin, margin_full;
    int64_t created; /* seconds since 1970, by the gateway's clock */
    bool marked;     /* nobody's word: each store that can be written has its number as the mark */
};
void vault_gw_entry_done(struct vault_gw_entry *e);

struct vault_gw_receipt {
    uint64_t number, chain; /* chain: which commit of the vault this is */
    struct vault_head head;
    int64_t acked_margin, margin_full;
    uint32_t durable_min, n, record_copies, clouds;
    char degraded[32][VAULT_CLOUD_NAME_MAX];
    char degraded_why[32][VAULT_CLOUD_WHY_MAX]; /* "": not known */
    size_t degraded_count;
    char following[32][VAULT_CLOUD_NAME_MAX]; /* not waited for, and not failed */
    size_t following_count;
};

enum vault_upload_state {
    VAULT_UPLOAD_UNKNOWN,
    VAULT_UPLOAD_OPEN,
    VAULT_UPLOAD_CANCELLED,
    VAULT_UPLOAD_DECIDED, /* will be live */
    VAULT_UPLOAD_LIVE,
};

struct vault_gw_info {
    uint64_t size; /* |N| */
    uint32_t k, n;
    int64_t acked_margin, margin;
    /* Seconds since 1970: committed; then the oldest of the observations behind the margin, written where
     * there was none since. All 0: a gateway that does not say. */
    int64_t written, presence, content;
    int64_t kept; /* not purged before then, seconds since 1970; 0: at any time */
    uint64_t segments;
    struct {
        char name[VAULT_CLOUD_NAME_MAX];
        uint64_t fragments, missing, bytes;
    } clouds[32];
    size_t cloud_count;
};

struct vault_gw_segment {
    uint32_t durable, n;
};

struct vault_gw_resumed {
    uint32_t run, segments;
};

/* An operator's call: JSON in, JSON out. */
struct vault_gw_operation {
    const char *method, *path;
    qc_span body; /* empty: none */
};

/* One fault beneath a request, and the reason for its failure if it failed. */
struct vault_gw_faults {
    struct {
        char cloud[VAULT_CLOUD_NAME_MAX];
        char kind[16]; /* missing, damaged, unreachable, late, lost */
        uint64_t count;
    } v[64];
    size_t n;
    qc_rc rc; /* QC_OK: no failure remembered */
    char message[256];
};

/* What an upload will be. */
struct vault_gw_begin {
    uint8_t put_key[16];
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t base; /* number of the current entry; 0: none */
    uint64_t size; /* of what comes, as far as it is known; VAULT_SIZE_UNKNOWN */
};

/* Bytes of an answer, in order. Anything but QC_OK breaks the request off with that code. */
typedef qc_rc (*vault_gw_write_fn)(void *ctx, qc_span bytes, struct qc_err *err);
/* One entry of a page; borrowed for the call. */
typedef qc_rc (*vault_gw_entry_fn)(void *ctx, const struct vault_gw_entry *e, struct qc_err *err);

struct vault_gw_some {
    vault_gw_entry_fn fn;
    void *ctx;
};
struct vault_gw_page {
    qc_span prefix, after; /* after.n = 0: from the start */
    uint32_t limit;        /* 1..1,000 */
    bool tombstones;
    vault_gw_entry_fn fn; /* gets the entries, in byte order of their paths */
    void *ctx;
};

/* What is told of a segment's bytes, by the thread that sends them. */
struct vault_gw_wire {
    void (*begins)(void *ctx); /* they are to go out, once more perhaps; may wait for others' */
    void (*sent)(void *ctx);   /* they are out, and get there whatever becomes of this program */
    void *ctx;
};

/* A segment on its way. bytes must stay as they are until the call returns: they may be sent again. */
struct vault_ways; /* vault/ways.h */
struct vault_gw_part {
    const uint8_t *put_key; /* 16 bytes */
    uint32_t seq, run;      /* run: as of the commit */
    bool last;
    bool hasty; /* the write quorum is enough; the others follow */
    qc_span bytes;
    struct vault_ways *ways;   /* what the gateway says of its ways is added; NULL: nowhere */
    struct vault_gw_wire wire; /* functions NULL: nobody asks */
};

/* What a commit, or a removal, decides. */
struct vault_gw_commit {
    const uint8_t *put_key;
    const struct vault_entry *entry; /* sealed */
    uint32_t segments;               /* commit only */
    uint32_t run;                    /* commit only: what upload_resume said last; 0 */
    qc_span backup;                  /* commit only */
    bool hasty;                      /* commit only: as of its segments */
};

/* One of many N in a bundle, which lie one after the other in one segment of one upload. */
struct vault_gw_member {
    const uint8_t *put_key;          /* its own */
    const struct vault_entry *entry; /* sealed */
    uint64_t start;                  /* in the segment */
    qc_span backup;
    qc_rc rc;               /* out; QC_OK: it is committed */
    uint64_t number, chain; /* out: of its receipt */
    struct qc_err err;      /* out: why not */
};
struct vault_gw_bundle {
    const uint8_t *put_key; /* of the upload */
    struct vault_gw_member *members;
    size_t count; /* 1..QC_VAULT_CALL_FILES */
    bool hasty;
    struct vault_gw_receipt *receipt; /* out, of one that is committed: all that is the same for the others */
};

/* One entry that shall lie under another path. */
struct vault_gw_move {
    const uint8_t *put_key;          /* its own */
    const struct vault_entry *away;  /* the tombstone at the old path, sealed */
    const struct vault_entry *entry; /* sealed */
    qc_rc rc;                        /* out; QC_OK: both are so */
    uint64_t number, chain;          /* out: of its receipt: the entry's; the tombstone's chain is one less */
    uint32_t record_copies, clouds;  /* out */
    struct qc_err err;               /* out: why not */
};

/* B in the place of the one that is there; version zeros, and object the vault's id: the vault's. */
struct vault_gw_backup {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    qc_span backup;
};

/* Several stored versions. */
struct vault_gw_version {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
};

/* One that shall be gone for good. */
struct vault_gw_purge {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    qc_rc rc;          /* out: QC_OK: it is gone, now or before; or it is kept until `until` */
    struct qc_err err; /* out: why not */
    int64_t until;     /* out, of retain */
};

struct vault_gw_read {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t offset, size; /* exactly these bytes of N; size 1.. */
    const char *without; /* "NAME,NAME": clouds that are not asked (a drill); NULL: none. VAULT_WITHOUT_MAX */
    vault_gw_write_fn write;
    void *ctx;
};

/*
 * Errors of every call: QC_TEMP (not reachable until the deadline), QC_TIMEOUT, QC_CANCELLED, QC_NOMEM;
 * QC_FORMAT for an answer that does not parse; and what the gateway says by its error's id. vault: 16 bytes.
 * Where the table says "conflict", a QC_CONFLICT also fills the named output; the others are untouched on
 * failure.
 */
struct vault_gw_ops {
    void (*close)(struct vault_gw *gw);
    qc_rc (*clone)(struct vault_gw *gw, struct vault_gw **ret, struct qc_err *err);
    /* The id under which the gateway remembers faults for the following calls; "" for none. */
    void (*set_request)(struct vault_gw *gw, const char *id);

    qc_rc (*vault_put)(struct vault_gw *gw, const uint8_t *vault, qc_span record, qc_span backup,
                       const struct vault_op *op, struct qc_err *err);
    /* QC_NOTFOUND  the gateway does not know the vault. record and backup are appended to. */
    qc_rc (*vault_get)(struct vault_gw *gw, const uint8_t *vault, qc_buf *record, qc_buf *backup,
                       struct vault_head *head, const struct vault_op *op, struct qc_err *err);
    /* Seals of commits from+1 .., 32 bytes each, appended to seals: at most 10,000. */
    qc_rc (*chain)(struct vault_gw *gw, const uint8_t *vault, uint64_t from, struct vault_head *head,
                   qc_buf *seals, const struct vault_op *op, struct qc_err *err);

    /* QC_NOTFOUND  the path never existed; a tombstone is an answer. */
    qc_rc (*entry_get)(struct vault_gw *gw, const uint8_t *vault, qc_span path, struct vault_gw_entry *ret,
                       const struct vault_op *op, struct qc_err *err);
    /* Of up to QC_VAULT_CALL_FILES paths: fn gets the entries that are there, in the order of the paths. */
    qc_rc (*entry_some)(struct vault_gw *gw, const uint8_t *vault, const qc_span *paths, size_t count,
                        const struct vault_gw_some *take, const struct vault_op *op, struct qc_err *err);
    qc_rc (*entry_list)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_page *page,
                        bool *ret_more, const struct vault_op *op, struct qc_err *err);
    /* The entry is a tombstone. Conflict: *ret_current (its e.number 0: no entry). */
    qc_rc (*entry_remove)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_commit *what,
                          struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                          const struct vault_op *op, struct qc_err *err);

    /* 1..QC_VAULT_BUNDLE_FILES, of no more than QC_VAULT_MEMBERS_BODY bytes. Idempotent by put keys. QC_OK:
     * each has its outcome; of one QC_NOTFOUND: nothing is at the old path; QC_CONFLICT: another number, or
     * version, is there by now. */
    qc_rc (*entries_move)(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_move *moves,
                          size_t count, const struct vault_op *op, struct qc_err *err);

    /* 1..QC_VAULT_PURGE_BATCH. QC_OK: each has its outcome. QC_CONFLICT of one: a name points at it;
     * QC_AUTH: it is kept until a date; QC_NOTFOUND: there never was such a version. Again: the same. */
    qc_rc (*purge)(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions, size_t count,
                   const struct vault_op *op, struct qc_err *err);
    /* Kept until then, seconds since 1970, at least. */
    qc_rc (*retain)(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions, size_t count,
                    int64_t until, const struct vault_op *op, struct qc_err *err);

    qc_rc (*upload_begin)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_begin *begin,
                          const struct vault_op *op, struct qc_err *err);
    qc_rc (*segment_put)(struct vault_gw *gw, const struct vault_gw_part *part, struct vault_gw_segment *ret,
                         const struct vault_op *op, struct qc_err *err);
    /* Idempotent by put_key. Conflict: *ret_current as above. */
    qc_rc (*upload_commit)(struct vault_gw *gw, const struct vault_gw_commit *what,
                           struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                           const struct vault_op *op, struct qc_err *err);
    /* Idempotent by put keys. QC_OK: each has its outcome; one that is refused takes no other with it. */
    qc_rc (*bundle_commit)(struct vault_gw *gw, const struct vault_gw_bundle *b, const struct vault_op *op,
                           struct qc_err *err);
    /* receipt is filled for DECIDED (where the gateway gives one) and LIVE. */
    qc_rc (*upload_state)(struct vault_gw *gw, const uint8_t put_key[16], enum vault_upload_state *ret,
                          struct vault_gw_receipt *receipt, const struct vault_op *op, struct qc_err *err);
    /* A new run of an open upload, with the first segments that are durable, at most `most`, never the last
     * one. What an earlier run has sent, a commit too, counts no more from now on. QC_NOTFOUND; QC_CONFLICT
     * it is not open. */
    qc_rc (*upload_resume)(struct vault_gw *gw, const uint8_t put_key[16], uint32_t most,
                           struct vault_gw_resumed *ret, const struct vault_op *op, struct qc_err *err);
    /* Durable, also for an unknown key. QC_CONFLICT  it is decided or live. */
    qc_rc (*upload_cancel)(struct vault_gw *gw, const uint8_t put_key[16], const struct vault_op *op,
                           struct qc_err *err);

    qc_rc (*read)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_read *what,
                  const struct vault_op *op, struct qc_err *err);
    /* All of them, N after N, appended: up to QC_VAULT_CALL_FILES, of no more than ret's max together. */
    qc_rc (*read_some)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_version *versions,
                       size_t count, qc_buf *ret, const struct vault_op *op, struct qc_err *err);
    /* B, appended. QC_NOTFOUND. */
    qc_rc (*backup_get)(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object,
                        const uint8_t *version, qc_buf *ret, const struct vault_op *op, struct qc_err *err);
    /* 1..QC_VAULT_CALL_FILES, all or none, durable; again: nothing changes. QC_NOTFOUND; QC_CONFLICT what
     * is there is of a later generation. */
    qc_rc (*backups_put)(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_backup *v,
                         size_t count, const struct vault_op *op, struct qc_err *err);
    qc_rc (*info)(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object, const uint8_t *version,
                  struct vault_gw_info *ret, const struct vault_op *op, struct qc_err *err);
    qc_rc (*faults)(struct vault_gw *gw, const char *request_id, struct vault_gw_faults *ret,
                    const struct vault_op *op, struct qc_err *err);
    /* GET /v1/status and /v1/health: the JSON text as it came (syntax checked), appended. */
    qc_rc (*status)(struct vault_gw *gw, qc_buf *ret, const struct vault_op *op, struct qc_err *err);
    qc_rc (*health)(struct vault_gw *gw, qc_buf *ret, const struct vault_op *op, struct qc_err *err);
    /* Repair and jobs: the JSON text as it came (syntax checked), appended. */
    qc_rc (*operate)(struct vault_gw *gw, const struct vault_gw_operation *what, qc_buf *ret,
                     const struct vault_op *op, struct qc_err *err);
};

struct vault_gw {
    const struct vault_gw_ops *ops; /* the implementation's object begins with this struct */
    bool few;                       /* it takes QC_VAULT_CALL_FILES of a bundle at a time: an older one */
};

/* Closes; *gw is NULL. Accepts NULL. */
void vault_gw_close(struct vault_gw **gw);

/*
 * The gateway behind a UNIX socket (docs/API.md) in a directory; connects at the first call.
 *   dirfd  duplicated;  name  "gateway.sock"
 */
QC_MUST qc_rc vault_gw_http_new(struct vault_gw **ret, int dirfd, const char *name, struct qc_err *err);

/* Where a gateway for many users is, and as whom one comes. */
struct qkd_keyed;
struct vault_gw_remote {
    /* "unix:/absolute/path", "http://127.0.0.1:PORT", "https://HOST[:PORT]", "qkd-tls://HOST[:PORT]"; copied
     */
    const char *url;
    const char *ca; /* https: file of the authorities that may vouch for it; NULL: the system's; copied */
    const qc_key *token; /* base/token.h; borrowed, also by clones */
    /* The socket of the qcloud-link that url leads into; copied; NULL: none. Then nothing goes, either way,
     * unless that link may go to no weaker level than `least` and is ready; a call waits for it to be ready
     * as for a gateway that is away, and ends with QC_LINK. */
    const char *link;
    const char *least; /* a level (docs/qkd.md), with link; of vault_gw_way_check */
    /* qkd-tls: where keys come from (qkd/keyed.h); copied. Then each connection has a key of its own, and a
     * call waits for one as for a gateway that is away, and ends with QC_LINK. */
    const struct qkd_keyed *qkd;
};
/* Could it be one? QC_USAGE: with what is wrong; http:// to another machine is. */
QC_MUST qc_rc vault_gw_url_check(const char *url, struct qc_err *err);
/* Can an address (of vault_gw_url_check) be reached at that least level, by the link whose socket is named?
 * link, least: NULL: none. QC_USAGE: no level, more than the address gives without a link, a link without a
 * level or to an address that is none of this machine's */
QC_MUST qc_rc vault_gw_way_check(const char *url, const char *link, const char *least, struct qc_err *err);
/* Is that the address of a door keyed by QKD? */
bool vault_gw_url_keyed(const char *url);
/* Connects at the first call. QC_USAGE; QC_TEMP, QC_AUTH: the socket's directory; QC_NOTCONF: a file of qkd;
 * QC_NOMEM. */
QC_MUST qc_rc vault_gw_remote_new(struct vault_gw **ret, const struct vault_gw_remote *r, struct qc_err *err);

/*
 * What a caller can do when nobody answers at the socket: bring a gateway up. Called by the thread that met
 * the silence, with the op of its call; threads with clones may call it at once. QC_OK: the same request is
 * tried again. A failure ends the call with it: QC_TEMP, or QC_TIMEOUT and QC_CANCELLED as the op wants it.
 * How often it may work is for the callee to bound. {0}: nobody can; the call waits for one to come.
 */
struct vault_gw_revive {
    qc_rc (*fn)(void *ctx, const struct vault_op *op, struct qc_err *err);
    void *ctx; /* borrowed, also by clones */
};
/* gw: of vault_gw_http_new. For later calls, and for later clones. */
void vault_gw_http_revive(struct vault_gw *gw, struct vault_gw_revive revive);

/* What protects the way to the gateway of vault_gw_remote_new now, where it is keyed by QKD: level and
 * key_ID. false: it is not, or no connection was made yet. */
bool vault_gw_way_now(const struct vault_gw *gw, const char **ret_level, char *room, size_t size);

/* What went over the connections of a gateway: requests, tries that failed among them, and bytes of bodies.
 */
struct vault_gw_traffic {
    _Atomic uint64_t requests, sent, received;
};
/* Count there from now on, also by later clones; borrowed. gw: of vault_gw_http_new or vault_gw_remote_new.
 */
void vault_gw_http_count(struct vault_gw *gw, struct vault_gw_traffic *to);
/* What calls over the connections of a gateway wait for, for people. Any thread. */
struct vault_gw_waits {
    pthread_mutex_t lock;      /* guards what follows */
    const struct vault_gw *by; /* which of them says so, until its call ends; NULL: none waits */
    char why[QC_ERR_MSG_MAX];  /* what the last try failed with, which is made again; or "" */
};
void vault_gw_waits_init(struct vault_gw_waits *w);
void vault_gw_waits_read(struct vault_gw_waits *w, char out[QC_ERR_MSG_MAX]);
/* Say so there from now on, also of later clones; borrowed. gw: as above. */
void vault_gw_http_waits(struct vault_gw *gw, struct vault_gw_waits *to);
/* net_client_rate of its connection, and of later clones; borrowed. gw: as above. */
struct net_rate;
void vault_gw_http_rate(struct vault_gw *gw, struct net_rate *rate);
/* net_client_aside of its connection. gw: as above. */
void vault_gw_http_aside(struct vault_gw *gw, void (*fn)(void *ctx), void *ctx);
