/* Result codes, error texts, assertions. Layer 0; uses nothing. Pure functions on the caller's memory, any
 * thread.
 *
 * A function that can fail returns qc_rc, is QC_MUST, and takes `struct qc_err *err` last, never NULL. The
 * cause is set where it is known; callers add only what the callee cannot know. Messages: lower case, no full
 * stop, units, what was expected and what came; never a secret. */
#pragma once
#include <errno.h>
#include <stdbool.h>

#include "base/limits.h"

/*
 * name, exit status, HTTP status, may a retry help, id on the wire, text.
 * Exit values are frozen (docs/commands.md); ids stand in JSON answers and never change.
 */
#define QC_RC_TABLE(X)                                                                                       \
    X(OK, 0, 200, 0, "ok", "done")                                                                           \
    X(GENERAL, 1, 500, 0, "general", "failed")                                                               \
    X(USAGE, 2, 400, 0, "usage", "the request makes no sense")                                               \
    X(NOTFOUND, 3, 404, 0, "not-found", "no such thing")                                                     \
    X(DEGRADED, 4, 200, 0, "degraded", "done, but with less safety than was asked for")                      \
    X(TEMP, 5, 503, 1, "temporary", "not possible now")                                                      \
    X(NOMEM, 5, 503, 1, "no-memory", "out of memory")                                                        \
    X(TIMEOUT, 5, 504, 1, "timeout", "the deadline has passed")                                              \
    X(CONFLICT, 5, 409, 0, "conflict", "somebody else was first")                                            \
    X(CHANGED, 5, 409, 0, "changed", "the file changed while it was read")                                   \
    X(QUORUM, 6, 503, 1, "quorum", "too few clouds answered")                                                \
    X(SHARES, 7, 424, 0, "shares", "too few key shares")                                                     \
    X(INTEGRITY, 8, 502, 0, "integrity", "bytes do not verify")                                              \
    X(FORMAT, 8, 502, 0, "format", "bytes from outside do not parse")                                        \
    X(NEWER, 8, 502, 0, "newer", "needs a newer program")                                                    \
    X(NOTCONF, 10, 503, 0, "not-configured", "not configured")                                               \
    X(LOCKED, 11, 423, 0, "locked", "somebody else holds the lock")                                          \
    X(FENCED, 11, 409, 0, "fenced", "another gateway took over")                                             \
    X(AUTH, 12, 403, 0, "auth", "permission refused")                                                        \
    X(PASSPHRASE, 12, 403, 0, "passphrase", "the passphrase is wrong")                                       \
    X(NOPASS, 12, 403, 0, "no-passphrase", "a share store is locked, and no passphrase was given")           \
    X(RANDOM, 13, 503, 0, "random", "randomness is not available as the policy wants it")                    \
    X(FULL, 14, 507, 0, "full", "no space left")                                                             \
    X(LIMIT, 14, 413, 0, "limit", "over a limit")                                                            \
    X(QUOTA, 14, 507, 0, "quota", "over the quota of this tenant")                                           \
    X(UNFIT, 1, 500, 0, "unfit", "the cloud is not fit for use")                                             \
    X(IO, 1, 500, 0, "io", "input or output failed")                                                         \
    X(CANCELLED, 130, 499, 0, "cancelled", "interrupted")                                                    \
    X(LINK, 13, 503, 0, "link", "a link has not the security level that is asked for, or no key")

typedef enum qc_rc {
#define X(name, ...) QC_##name,
    QC_RC_TABLE(X)
#undef X
} qc_rc;

enum {
#define X(name, ...) +1
    QC_RC_COUNT = 0 QC_RC_TABLE(X)
#undef X
};

/* All-zero is "no error". Lives with the caller, usually on its stack; one thread at a time. */
struct qc_err {
    qc_rc rc;
    int os;                   /* errno, where a system call said no; else 0 */
    const char *where;        /* "file.c:line" of the first failure; for the log, not for the user */
    const char *next;         /* overrides the table of what to run next, or NULL; static text */
    char msg[QC_ERR_MSG_MAX]; /* "outer context: inner context: cause", cut at the tail */
};

#define QC_MUST              __attribute__((warn_unused_result))
#define QC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define QC_STRINGIFY_(x)     #x
#define QC_STRINGIFY(x)      QC_STRINGIFY_(x)
#define QC_HERE              __FILE_NAME__ ":" QC_STRINGIFY(__LINE__)

/* Record the cause: code, place, text. Use QC_FAIL. */
void qc_err_set(struct qc_err *err, qc_rc rc, const char *where, const char *fmt, ...) QC_PRINTF(4, 5);
/* As qc_err_set; the code follows from the errno e, whose text is appended. Never returns QC_OK. Use
 * QC_FAIL_OS. */
QC_MUST qc_rc qc_err_set_os(struct qc_err *err, int e, const char *where, const char *fmt, ...)
    QC_PRINTF(4, 5);
/* Put a context before the message: "context: message". The outermost context survives a cut. */
void qc_err_wrap(struct qc_err *err, const char *fmt, ...) QC_PRINTF(2, 3);
/* Forget: err is as new. */
void qc_err_clear(struct qc_err *err);

/*
 * The code for an errno: ENOSPC EDQUOT -> FULL; EACCES EPERM EROFS -> AUTH; ENOENT ENOTDIR -> NOTFOUND;
 * ENOMEM -> NOMEM; EAGAIN EMFILE ENFILE -> TEMP; ETIMEDOUT -> TIMEOUT; EEXIST -> CONFLICT; EFBIG -> LIMIT;
 * all else IO. Never QC_OK.
 */
QC_MUST qc_rc qc_rc_from_errno(int e);

int qc_rc_exit(qc_rc rc);         /* exit status of a program that ends with rc */
int qc_rc_http(qc_rc rc);         /* HTTP status */
bool qc_rc_retry(qc_rc rc);       /* may the same request succeed later, with nothing changed by hand? */
const char *qc_rc_name(qc_rc rc); /* the id on the wire: "not-found" */
const char *qc_rc_text(qc_rc rc); /* the table's text */

/* The code of an id; false, and *ret untouched, when there is none such. */
QC_MUST bool qc_rc_from_name(const char *name, qc_rc *ret);

/*
 * The code by which a run over several objects ends: the worse of two. Worst first by exit status: 130, 8, 7,
 * 6, 12, 14, 13, 11, 10, 2, 1, 5, 3, 4, 0 (130, 10, 2 and 1 end a run, so their place decides little).
 * Equals: a.
 */
qc_rc qc_rc_worse(qc_rc a, qc_rc b);

/* Evaluates to the literal code, so that compilers and analysers see that it is not QC_OK. */
#define QC_FAIL(err, rc, ...) (qc_err_set((err), (rc), QC_HERE, __VA_ARGS__), (rc))

/* The failure of a system call, from errno, or from an error number that was kept. */
#define QC_FAIL_OS(err, ...) QC_FAIL_ERRNO(err, errno, __VA_ARGS__)
#define QC_FAIL_ERRNO(err, e, ...)                                                                           \
    __extension__({                                                                                          \
        qc_rc rc_os_ = qc_err_set_os((err), (e), QC_HERE, __VA_ARGS__);                                      \
        if (rc_os_ == QC_OK)                                                                                 \
            __builtin_unreachable();                                                                         \
        rc_os_;                                                                                              \
    })

/* An int such as close()'s does not compile here. cppcheck 2.10 does not parse _Generic. */
#ifdef __cppcheck__
#define QC_IS_RC(e) (e)
#else
#define QC_IS_RC(e) _Generic((e), qc_rc : (e))
#endif

/* Pass a failure up. */
#define QC_TRY(e)                                                                                            \
    do {                                                                                                     \
        qc_rc rc_ = QC_IS_RC(e);                                                                             \
        if (rc_ != QC_OK)                                                                                    \
            return rc_;                                                                                      \
    } while (0)

/* Pass a failure up with a context that the callee could not know. */
#define QC_TRY_AS(e, err, ...)                                                                               \
    do {                                                                                                     \
        qc_rc rc_ = QC_IS_RC(e);                                                                             \
        if (rc_ != QC_OK) {                                                                                  \
            qc_err_wrap((err), __VA_ARGS__);                                                                 \
            return rc_;                                                                                      \
        }                                                                                                    \
    } while (0)

/* An error that may be ignored, visibly, and why. */
static inline void qc_ignore(qc_rc rc, const char *why)
{
    (void)rc;
    (void)why;
}

/* Only a bug of ours can break it. On in every build; prints the expression and the place, no values; aborts.
 */
#define QC_ASSERT(c) (__builtin_expect(!!(c), 1) ? (void)0 : qc_assert_failed(#c, QC_HERE))
_Noreturn void qc_assert_failed(const char *expression, const char *where);
