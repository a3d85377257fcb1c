/* Every limit, in one place (I6). Layer 0; uses nothing.
 *
 * A row: name, value, unit, reason. Each becomes an enum constant (or, beyond int, a uint64_t constant).
 * Modules append their rows to their own block. qc_limits_print (base/opt.h) lists the rows for the user. */
#pragma once
#include <stdint.h>

#define QC_LIMITS(X)                                                                                         \
    /* base */                                                                                               \
    X(QC_ERR_MSG_MAX, 512, "bytes", "three contexts and a cause fit; lives on stacks")                       \
    X(QC_KEY_MIN, 16, "bytes", "the smallest secret in use: an n1 or n2 derivation")                         \
    X(QC_KEY_MAX, 4096, "bytes", "a passphrase or a slot of pad; one guarded page")                          \
    X(QC_KEY_STEP, 16, "bytes", "guarded blocks end at a page's end; other sizes come out unaligned")        \
    X(QC_HKDF_MAX, 255 * 32, "bytes", "RFC 5869: 255 blocks of the hash")                                    \
    X(QC_LOG_LINE_MAX, 4096, "bytes", "one write is one line up to PIPE_BUF")                                \
    X(QC_LOG_PAIRS_MAX, 16, "pairs", "a line stays readable")                                                \
    X(QC_JSON_MAX, 16 * 1024 * 1024, "bytes", "a page of a listing, with entries")                           \
    X(QC_JSON_DEPTH_MAX, 16, "levels", "our documents have five; bounds the parser's recursion")             \
    X(QC_FILE_NAME_MAX, 255, "bytes", "NAME_MAX of the file systems in use")                                 \
    X(QC_FILE_PARTS_MAX, 64, "spans", "one writev below IOV_MAX")                                            \
    X(QC_DB_BUSY_MS, 10000, "ms", "a writer waits for another process's transaction no longer")              \
    X(QC_DB_SQL_MAX, 65536, "bytes", "our longest statement is a schema")                                    \
    X(QC_DB_VALUE_MAX, 64 * 1024 * 1024, "bytes", "SQLITE_LIMIT_LENGTH of every connection of ours")         \
    X(QC_OPT_ARGS_MAX, 4096, "arguments", "a shell's expansion of a directory")                              \
    X(QC_OPT_GIVEN_MAX, 64, "options", "more than every command has")                                        \
    X(QC_POOL_COUNT_MAX, 4096, "buffers", "bounds the pool's table")                                         \
    X(QC_POOL_SIZE_MAX, 64 * 1024 * 1024, "bytes", "a segment with room to spare")                           \
    X(QC_WORKQ_THREADS_MAX, 256, "threads", "32 clouds, eight transfers")                                    \
    X(QC_WORKQ_DEPTH_MAX, 65536, "jobs", "bounds the queue's table")                                         \
    X(QC_RETRY_MAX, 5, "attempts", "then the caller hears of it")                                            \
    X(QC_WRITE_RETRY_MAX, 1000, "short writes", "a device that takes a byte at a time is broken")

/* Values beyond int, as uint64_t constants. */
#define QC_LIMITS_WIDE(X)                                                                                    \
    X(QC_FILE_READ_MAX, UINT64_C(1) << 30, "bytes", "a whole file in memory; larger ones are streamed")

enum {
#define X(name, value, unit, reason) name = (value),
    QC_LIMITS(X)
#undef X
};

#define X(name, value, unit, reason) static const uint64_t name __attribute__((unused)) = (value);
QC_LIMITS_WIDE(X)
#undef X
