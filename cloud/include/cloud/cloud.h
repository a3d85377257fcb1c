/* A cloud: one independent failure domain that stores objects under keys. Layer 2; uses base. Keeps I1, I6,
 * I7.
 *
 * One small interface over drivers: directories (`file:`), S3 servers (`s3+https:`, `s3+http:`). A driver is
 * chosen by the scheme of the URL that the operator wrote; nothing above this header knows which it is.
 *
 * Threads: one handle may be used by any number of threads at once; cloud_close is called by the last user.
 * Blocking: every call may block on the cloud. Drivers look at the deadline and at the cancel flag between
 * system calls (a large write goes in slices of CLOUD_SLICE); a system call that hangs, as on a dead network
 * mount, holds its thread. Whoever must not hang gives the call to a worker and stops waiting for it.
 *
 * What the codes mean, for every driver and every call:
 *
 *   QC_OK         done; for put and delete: durable
 *   QC_NOTFOUND   the cloud answers and has no object under this key: an erasure. From cloud_open: nothing
 *                 there bears the mark of a cloud (not mounted, or never made by cloud_create)
 *   QC_CONFLICT   CLOUD_NEW, and the key holds other bytes; or a key would lie below another key
 *   QC_TEMP       the cloud is lost or cannot be reached now: directory gone, replaced or unmounted, device
 *                 gone; from cloud_put: its link has not the level that its URL asks for (link.h). Says
 * nothing about its objects QC_TIMEOUT    the deadline passed; the outcome of a put is unknown: put the same
 * bytes under the same key again QC_CANCELLED  the cancel flag was raised; the outcome of a put is unknown
 *   QC_FULL       no space, or a quota is used up; reads go on
 *   QC_AUTH       permission refused or read-only; no retry helps
 *   QC_IO         the cloud answered with an error of its own (EIO), or with what cannot be an object: an
 *                 erasure
 *   QC_LIMIT      an object or part list larger than the cloud or limits.h takes
 *   QC_LOCKED     cloud_open with `exclusive`: another program has this cloud
 *   QC_USAGE      the URL makes no sense
 *
 * After QC_TEMP, QC_AUTH or QC_IO ask cloud_alive whether it is the cloud or the object.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include <stdbool.h>

struct cloud;       /* opaque */
struct cloud_tally; /* tally.h */

/* How long a call may take and what stops it early. Copied by the call; `cancel` may be NULL and is borrowed.
 */
struct cloud_op {
    qc_deadline deadline;
    const struct qc_cancel *cancel;
};

/* What a cloud can do; fixed for the life of the handle. */
struct cloud_caps {
    const char *driver;       /* scheme, as "file" */
    uint64_t object_size_max; /* bytes of one cloud_put */
    bool put_new_atomic;      /* CLOUD_NEW is decided by the cloud in one step, also between programs */
    bool list_strong;         /* a list shows every put and delete that returned before it began */
    bool space_known;         /* cloud_space tells bytes; else QC_USAGE */
    unsigned parallel_hint;   /* requests at once that still make it faster */
};

struct cloud_space {
    uint64_t total; /* bytes */
    uint64_t avail; /* bytes that this process may still write */
};

/*
 * What cloud_validate (cloud/validate.h) has shown of a cloud, as bits. A driver relies on such a thing only
 * where it was shown: never on a maker's name or papers. FORMAT 10.2 has the names by which they are kept.
 */
#define CLOUD_FACTS(X)                                                                                       \
    X(ETAG_MD5, "etag_md5")           /* the ETag of a PUT is the MD5 of its bytes: tells what was stored */ \
    X(CONTENT_MD5, "content_md5")     /* a PUT with a wrong Content-MD5 is refused */                        \
    X(IF_NONE_MATCH, "if_none_match") /* of several writers of a new key one wins, and the others hear it */ \
    X(LIST_V2, "list_v2")             /* listings by ListObjectsV2; else by the older form with a marker */

enum cloud_fact_at {
#define X(name, ...) CLOUD_FACT_AT_##name,
    CLOUD_FACTS(X)
#undef X
        CLOUD_FACT_COUNT
};
enum cloud_fact {
#define X(name, ...) CLOUD_FACT_##name = 1 << CLOUD_FACT_AT_##name,
    CLOUD_FACTS(X)
#undef X
};

struct cloud_opts {
    const char *name;        /* how messages and QC_CLOUD_FAULTS call it; NULL: the URL. Copied. */
    const char *credentials; /* where the keys are: /absolute/file or aws:PROFILE (FORMAT 10.1), never the
                                keys; NULL for a driver that needs none. Copied. */
    unsigned facts;     /* enum cloud_fact: what may be relied on; 0, before anything was shown: nothing */
    bool exclusive;     /* refuse (QC_LOCKED) when another open handle, here or elsewhere, is exclusive too */
    struct cloud_op op; /* for the opening itself */
    struct cloud_tally *tally; /* calls are counted there (tally.h); NULL: nowhere. Outlives the handle. */
};

/* Cut of an object: n bytes from off. */
struct cloud_range {
    uint64_t off;
    size_t n;
};

enum cloud_put_mode {
    CLOUD_REPLACE, /* whatever was there is replaced in one step: a reader sees the old or the new bytes,
                      whole */
    CLOUD_NEW, /* the key must be free, or hold these very bytes already (QC_OK: an earlier try got through)
                */
};

struct cloud_list_query {
    const char *prefix; /* only keys that begin so; "" for all. Need not end at a '/'. */
    const char *after;  /* only keys that sort after this one, as bytes; "" from the beginning */
    size_t limit;       /* keys at most, 1 .. CLOUD_LIST_MAX */
};

struct cloud_item {
    const char *key; /* until the callback returns */
    uint64_t size;   /* bytes */
};

/* Called for each key, in ascending order of its bytes, under no lock. Anything but QC_OK ends the list with
 * that code. */
typedef qc_rc (*cloud_list_fn)(void *ctx, const struct cloud_item *item, struct qc_err *err);

struct cloud_page {
    size_t count; /* keys told */
    bool more;    /* limit was reached, and there may be more: ask again with after = last */
    char last[CLOUD_KEY_SIZE_MAX + 1]; /* the last key told; the query's `after` when none was */
};

/*
 * Is this a key? `[a-z0-9._/-]`, 1 .. CLOUD_KEY_SIZE_MAX bytes, at most CLOUD_KEY_DEPTH_MAX components
 * between slashes, none of them empty or beginning with '.'. All drivers take exactly these keys (s3.md 2.2:
 * every provider agrees on them unencoded). Calls with another key die: keys are made by the gateway, and
 * those read from outside are checked with this function first. A key may not lie below another ("a" and
 * "a/b"): a directory answers QC_CONFLICT, also where the keys below are deleted. Give all keys one shape.
 */
bool cloud_key_ok(const char *key);

/*
 * Do a URL and the name of its credentials (NULL: none) make sense together? Looks at no cloud and no file.
 * QC_USAGE: the URL does not parse, its scheme is unknown, credentials are missing (and how to give them), or
 * there is no use for them.
 */
QC_MUST qc_rc cloud_check(const char *url, const char *credentials, struct qc_err *err);
/* Can it be the name of credentials: /absolute/file or aws:PROFILE? Looks at no file. QC_USAGE. */
QC_MUST qc_rc cloud_check_credentials(const char *credentials, struct qc_err *err);
/* Are both URLs of one bucket, whatever they say of the way there? By the text alone: a server may have
 * several names. False: one of them is of no bucket. */
bool cloud_same_bucket(const char *a, const char *b);

/*
 * Open the cloud at a URL. Never writes to a place that does not bear the mark.
 *
 *   ret    the handle; cloud_close it
 *   url    `file:///absolute/dir`, `s3+https://host[:port]/bucket?region=R`, .. (FORMAT 10.3)
 *   opts   see there; cloud_open is without a name, shared, with no limit of time
 *
 * QC_USAGE (unknown scheme, credentials in the URL, a plain path, ...), QC_NOTFOUND (no mark), QC_AUTH,
 * QC_TEMP, QC_LOCKED, QC_NOMEM, QC_IO
 *
 * Costs a few system calls, and one directory listing where an earlier program died (its temporary files
 * are removed); for a bucket one request, and none where it answered well within the last two seconds. A
 * directory is held open: its disk cannot be unmounted before cloud_close (EBUSY). `exclusive` of a bucket
 * holds within this process alone: S3 has no locks. After a loss (QC_TEMP from cloud_alive), close the handle
 * and open the URL again once the disk is back.
 */
QC_MUST qc_rc cloud_open(struct cloud **ret, const char *url, struct qc_err *err);
QC_MUST qc_rc cloud_open_opts(struct cloud **ret, const char *url, const struct cloud_opts *opts,
                              struct qc_err *err);

/*
 * Make the place at a URL a cloud, for `init` and `cloud add`: create the directory where it is missing (its
 * parent must exist) and write the mark, durably. A place that is a cloud already is left as it is. One that
 * holds other things is refused (QC_CONFLICT): nobody's home directory becomes a cloud by a slip. A bucket is
 * made at its provider, and must be there (QC_NOTFOUND), answer as S3 does (QC_IO) and refuse a wrong
 * signature (QC_AUTH); nothing is written to it.
 */
QC_MUST qc_rc cloud_create(const char *url, struct qc_err *err);
/* The same, with the name, credentials and limits of opts; `exclusive` has no meaning here. */
QC_MUST qc_rc cloud_create_opts(const char *url, const struct cloud_opts *opts, struct qc_err *err);

/*
 * The same calls by these drivers alone. cloud_few: directories, and S3 servers that take a signature of
 * version 4; for programs that are started for each command, since what is not named costs them nothing.
 */
struct cloud_drivers;
extern const struct cloud_drivers cloud_few;
QC_MUST qc_rc cloud_check_of(const struct cloud_drivers *of, const char *url, const char *credentials,
                             struct qc_err *err);
QC_MUST qc_rc cloud_open_of(struct cloud **ret, const struct cloud_drivers *of, const char *url,
                            const struct cloud_opts *opts, struct qc_err *err);
QC_MUST qc_rc cloud_create_of(const struct cloud_drivers *of, const char *url, const struct cloud_opts *opts,
                              struct qc_err *err);

/* Wait for nothing, release everything; *c is NULL afterwards. Accepts NULL. */
void cloud_close(struct cloud **c);

/* As given at the opening; never NULL; until cloud_close. */
const char *cloud_name(const struct cloud *c);
const struct cloud_caps *cloud_caps(const struct cloud *c);

/*
 * Store an object: the parts one after the other. Durable when it returns QC_OK; whatever else it returns, no
 * reader ever sees a part of the object under the key (I1, I2).
 *
 *   parts, n   0 .. CLOUD_PARTS_MAX spans, borrowed for the call; written from where they lie, without a copy
 *
 * QC_CONFLICT, QC_FULL, QC_AUTH, QC_TEMP, QC_TIMEOUT, QC_CANCELLED, QC_LIMIT, QC_IO, QC_NOMEM as in the table
 * above.
 */
QC_MUST qc_rc cloud_put(struct cloud *c, const char *key, const qc_span *parts, size_t n,
                        enum cloud_put_mode mode, const struct cloud_op *op, struct qc_err *err);

/*
 * Read a cut of an object into dst.
 *
 *   dst       range.n bytes; its content is undefined unless QC_OK
 *   ret_got   bytes read: range.n, or less where the object ends before; 0 when off lies at or beyond its end
 *
 * QC_NOTFOUND, QC_TEMP, QC_TIMEOUT, QC_CANCELLED, QC_AUTH, QC_IO. The bytes are whatever the cloud says they
 * are: check the tags before use.
 */
QC_MUST qc_rc cloud_get(struct cloud *c, const char *key, struct cloud_range range, uint8_t *dst,
                        size_t *ret_got, const struct cloud_op *op, struct qc_err *err);

/* The size of an object in bytes. Codes as cloud_get. */
QC_MUST qc_rc cloud_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                         struct qc_err *err);

/* Delete an object, durably; QC_OK, too, when there is none. Other codes as cloud_put. */
QC_MUST qc_rc cloud_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err);

/*
 * Tell the keys of a cloud, page by page, sorted as bytes. Objects that appear or go while it runs may be
 * told or not; all others are told exactly once. Names that are not keys are left out: they are not ours.
 *
 *   fn, ctx   called for each
 *   ret       how to go on; written on QC_OK
 *
 * Codes as cloud_get, and whatever fn returned. Memory is bounded however many objects there are.
 */
QC_MUST qc_rc cloud_list(struct cloud *c, const struct cloud_list_query *q, cloud_list_fn fn, void *ctx,
                         struct cloud_page *ret, const struct cloud_op *op, struct qc_err *err);

/* Room left, where caps.space_known; else QC_USAGE. */
QC_MUST qc_rc cloud_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op,
                          struct qc_err *err);

/*
 * Is the cloud there, and the same one as at the opening? QC_OK; QC_TEMP: lost or unreachable, open it again
 * once it is back; QC_AUTH, QC_IO: it is there and refuses.
 */
QC_MUST qc_rc cloud_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err);
