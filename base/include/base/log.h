/* The log: a message with key=value pairs, one line per event. Layer 0. Any thread.
 *
 * Libraries log at debug only; programs log, once. Never a secret, never a name of the user's. Text lines:
 *   2026-01-02T03:04:05Z info put committed object=6f.. margin=2
 * or JSON objects {"time":..,"level":..,"msg":..,..}. A line is one write; control characters are escaped. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef enum qc_level { QC_LOG_DEBUG, QC_LOG_INFO, QC_LOG_WARN, QC_LOG_ERROR, QC_LOG_NONE } qc_level;
enum qc_kv_kind { QC_KV_END, QC_KV_STR, QC_KV_I64, QC_KV_U64 };

struct qc_kv {
    const char *key; /* [a-z0-9_]+ */
    enum qc_kv_kind kind;
    const char *s;
    int64_t i;
    uint64_t u;
};

#define QC_S(k, v) ((struct qc_kv){ .key = (k), .kind = QC_KV_STR, .s = (v) })
#define QC_I(k, v) ((struct qc_kv){ .key = (k), .kind = QC_KV_I64, .i = (v) })
#define QC_U(k, v) ((struct qc_kv){ .key = (k), .kind = QC_KV_U64, .u = (v) })

/* Where lines go and from which level on. Before the first call: text to fd 2, warnings and errors. Not to be
 * called while other threads log. fd is borrowed. */
void qc_log_setup(int fd, qc_level least, bool json);
/* The same for a log that is written to meanwhile: its descriptor stays. */
void qc_log_change(qc_level least, bool json);
qc_level qc_log_level(void);

/* pairs end with a QC_KV_END row; at most QC_LOG_PAIRS_MAX are written. Lines are cut at QC_LOG_LINE_MAX.
 * Cannot fail: a log that cannot be written must not stop the work. errno is kept. */
void qc_log_write(qc_level level, const char *msg, const struct qc_kv *pairs);

/* QC_LOG(QC_LOG_INFO, "put committed", QC_S("object", hex), QC_U("margin", 2)); at least one pair. */
#define QC_LOG(level, msg, ...)                                                                              \
    do {                                                                                                     \
        if ((level) >= qc_log_level())                                                                       \
            qc_log_write((level), (msg), (const struct qc_kv[]){ __VA_ARGS__, { .kind = QC_KV_END } });      \
    } while (0)
/* Without pairs. */
#define QC_LOG_MSG(level, msg) qc_log_write((level), (msg), &(const struct qc_kv){ .kind = QC_KV_END })
/* An error as pairs: rc, where, os. */
void qc_log_err(qc_level level, const char *msg, const struct qc_err *err);
