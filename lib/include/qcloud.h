/* libqcloud: store and fetch files in a qcloud vault from a program of one's own.
 *
 * What the command qcloud does with a vault, with the same configuration, stores and gateway, and as safely:
 * what these functions report as stored is durable, what they hand over was verified. They print nothing.
 *
 *     struct qcloud *q = qcloud_new();
 *     if (q == NULL || qcloud_open(q, NULL) != QCLOUD_OK ||
 *         qcloud_put_file(q, "reports/1.pdf", "/tmp/1.pdf") > QCLOUD_DEGRADED)
 *         fprintf(stderr, "%s\n", q == NULL ? "out of memory" : qcloud_message(q));
 *     qcloud_free(q);
 *
 * A struct qcloud belongs to one thread at a time; several may be open at once, of one vault, too. Only
 * qcloud_cancel may be called while another call runs, and nothing else by what a call calls back. Names are
 * paths such as "a/b", of at most 4096 bytes but 0, in any encoding. Strings that are given are copied; those
 * that are returned belong to the library.
 *
 * Stable: nothing here is removed or changed while the library's name is libqcloud.so.0; what comes is added.
 * Compile and link with `pkg-config --cflags --libs qcloud`. */
#ifndef QCLOUD_H
#define QCLOUD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QCLOUD_API __attribute__((visibility("default")))
#else
#define QCLOUD_API
#endif

/* What a call returns: the exit statuses of the command (qcloud(1)), and with the same meanings. */
enum qcloud_code {
    QCLOUD_OK = 0,
    QCLOUD_GENERAL = 1,     /* failed */
    QCLOUD_USAGE = 2,       /* the call makes no sense: a name, a range */
    QCLOUD_NOT_FOUND = 3,   /* no such object */
    QCLOUD_DEGRADED = 4,    /* done, but with less safety than was asked for: the message says what */
    QCLOUD_TEMPORARY = 5,   /* not possible now: the same call may work later */
    QCLOUD_CLOUDS = 6,      /* too few clouds answered */
    QCLOUD_SHARES = 7,      /* too few key shares */
    QCLOUD_INTEGRITY = 8,   /* bytes that do not verify: none of them was handed over */
    QCLOUD_NOT_SET_UP = 10, /* no configuration, or no vault in it */
    QCLOUD_LOCKED = 11,     /* somebody else holds it */
    QCLOUD_PERMISSION = 12, /* of the system, of the gateway, or a passphrase */
    QCLOUD_RANDOM = 13,     /* randomness, or a link's keys, are not there as the policy wants them */
    QCLOUD_FULL = 14,       /* no space, or over a limit */
    QCLOUD_CANCELLED = 130  /* qcloud_cancel, or a callback said so */
};

struct qcloud;

/* "0.1.0": of the library that runs. Any thread. */
QCLOUD_API const char *qcloud_version(void);

/* Keep the secrets of this whole process out of core dumps, away from debuggers and out of swap, as the
 * command does: once, early. Optional, as it changes limits of the process. 0, or a code; *ret_locked: memory
 * for secrets can be locked (may be NULL). */
QCLOUD_API int qcloud_harden(int *ret_locked);

/* ---- a session ---- */

/* NULL: out of memory. */
QCLOUD_API struct qcloud *qcloud_new(void);
/* Closes, wipes, frees. Accepts NULL. */
QCLOUD_API void qcloud_free(struct qcloud *q);

/* About the last call of q: what happened, in one line without a full stop; "" after QCLOUD_OK. Until the
 * next call. */
QCLOUD_API const char *qcloud_message(const struct qcloud *q);

/* Seconds that a call may take; 0, as at the start: as long as it needs. */
QCLOUD_API void qcloud_set_timeout(struct qcloud *q, unsigned seconds);

/* Bytes a second to the gateway and from it, over all of its connections: what `qcloud --limit-rate` takes,
 * "10M", "1M:off" (to it, and from it), or a timetable; "off", or NULL: as many as there are. In the place of
 * what the configuration says; before qcloud_open or between calls. QCLOUD_USAGE. */
QCLOUD_API int qcloud_set_rate(struct qcloud *q, const char *rate);

/*
 * Where passphrases of share stores come from; before qcloud_open. The callback writes one into dst (locked
 * memory, at most max bytes, no end mark) and returns its length; or -1: there is none, and the store counts
 * as missing. tries: how many of its answers for this store were wrong.
 */
typedef ptrdiff_t (*qcloud_passphrase_fn)(void *ctx, const char *store, unsigned tries, char *dst,
                                          size_t max);
QCLOUD_API void qcloud_set_passphrase(struct qcloud *q, qcloud_passphrase_fn fn, void *ctx);

/* How far a put (bytes that are durable), a get or a verify (bytes verified, of all its objects) is; total
 * UINT64_MAX: not known. On the caller's thread, often. */
typedef void (*qcloud_progress_fn)(void *ctx, uint64_t done, uint64_t total);
QCLOUD_API void qcloud_set_progress(struct qcloud *q, qcloud_progress_fn fn, void *ctx);

/* Remarks that are no failure: a share store that is missing, a cloud that did not serve. text until it
 * returns. */
typedef void (*qcloud_note_fn)(void *ctx, const char *text);
QCLOUD_API void qcloud_set_notes(struct qcloud *q, qcloud_note_fn fn, void *ctx);

/*
 * Open the vault of a configuration; a gateway on demand is started where the configuration wants one.
 *
 *   home  a folder with qcloud.conf, as QCLOUD_HOME is to the command; NULL: as the command finds it, by the
 *         environment: QCLOUD_HOME, QCLOUD_VAULT, QCLOUD_CONFIG, and what it says of gateway and share stores
 *
 * QCLOUD_NOT_SET_UP, QCLOUD_SHARES, QCLOUD_PERMISSION, QCLOUD_INTEGRITY, QCLOUD_TEMPORARY, ..
 */
QCLOUD_API int qcloud_open(struct qcloud *q, const char *home);

/* From any thread, or a signal's handler: the call that runs ends with QCLOUD_CANCELLED where it is safe.
 * Lasts until qcloud_resume. */
QCLOUD_API void qcloud_cancel(struct qcloud *q);
QCLOUD_API void qcloud_resume(struct qcloud *q);

/* ---- objects ---- */

/* Bytes to store: up to max into dst, their number returned; 0 at the end; -1 ends the put, nothing is
 * stored. */
typedef ptrdiff_t (*qcloud_read_fn)(void *ctx, uint8_t *dst, size_t max);
/* Verified bytes, in order; perhaps in a thread of the library. 0, or anything else to end the get. */
typedef int (*qcloud_write_fn)(void *ctx, const uint8_t *bytes, size_t n);

/*
 * Store under a name, as its next version. On QCLOUD_OK and QCLOUD_DEGRADED it is durable: both key shares,
 * the fragments and the commit. Else it is not visible, unless the message says that this is not known: then
 * the next call that writes finds out.
 *
 *   size  of all bytes, for the progress; UINT64_MAX: not known
 */
QCLOUD_API int qcloud_put(struct qcloud *q, const char *name, qcloud_read_fn fn, void *ctx, uint64_t size);
/* A regular file, with its time and mode. QCLOUD_TEMPORARY: it changed while it was read; nothing is
 * stored. */
QCLOUD_API int qcloud_put_file(struct qcloud *q, const char *name, const char *path);

/* Fetch and verify the current version. On a failure fn has got a verified beginning at most. */
QCLOUD_API int qcloud_get(struct qcloud *q, const char *name, qcloud_write_fn fn, void *ctx);
/* length bytes from offset on, of which only what they touch is fetched. QCLOUD_USAGE: not all inside. */
QCLOUD_API int qcloud_get_range(struct qcloud *q, const char *name, uint64_t offset, uint64_t length,
                                qcloud_write_fn fn, void *ctx);
/* Into a file, which appears whole or not at all; one that is there is replaced. */
QCLOUD_API int qcloud_get_file(struct qcloud *q, const char *name, const char *path);

/* The name is gone; its versions stay stored (qcloud trash). */
QCLOUD_API int qcloud_remove(struct qcloud *q, const char *name);

/*
 * Another name for an object and its versions: no byte of it is read or sent, and after a failure each name
 * is as it was, unless the message says that this is not known. Both share stores have to be there.
 *
 *   over  what `to` stands for becomes an old version of it; 0: then QCLOUD_TEMPORARY
 */
QCLOUD_API int qcloud_move(struct qcloud *q, const char *from, const char *to, int over);

/* An object, for the length of a callback. */
struct qcloud_entry;
QCLOUD_API const char *qcloud_entry_name(const struct qcloud_entry *e);
QCLOUD_API uint64_t qcloud_entry_size(const struct qcloud_entry *e);
/* Seconds since 1970: of the file that was stored, where it had one; else of the storing. */
QCLOUD_API int64_t qcloud_entry_time(const struct qcloud_entry *e);
/* Number of the version, from 1 on. */
QCLOUD_API uint64_t qcloud_entry_version(const struct qcloud_entry *e);
/* How many clouds may be lost now, and the object still comes back. */
QCLOUD_API int64_t qcloud_entry_margin(const struct qcloud_entry *e);

/* 0, or anything else to end the listing. */
typedef int (*qcloud_entry_fn)(void *ctx, const struct qcloud_entry *e);
/* Objects below a prefix ("": all; "a/b": what lies below it), in the order of their bytes; but for folders
 * that are kept for their own sake (qcloud ls --folders). */
QCLOUD_API int qcloud_list(struct qcloud *q, const char *prefix, qcloud_entry_fn fn, void *ctx);
/* One of exactly this name. QCLOUD_NOT_FOUND. */
QCLOUD_API int qcloud_stat(struct qcloud *q, const char *name, qcloud_entry_fn fn, void *ctx);

/* Fetch and verify everything of the objects below a prefix, by all ways that a loss would need. QCLOUD_OK:
 * all is well; else the worst that was found; *ret_bad (may be NULL): of so many objects. */
QCLOUD_API int qcloud_verify(struct qcloud *q, const char *prefix, uint64_t *ret_bad);

#ifdef __cplusplus
}
#endif
#endif
