/* The configuration of randomness, random.conf: which sources there are, and what may be made without them.
 * Layer 2; uses base. Pure. Read and never written by qcloud.
 *
 *   [policy]
 *   default = preferred          required, preferred or os; os when not given
 *   ec = required                the same for objects of one profile
 *   [source NAME]                in the order in which they are asked; NAME: [a-z0-9-]
 *   kind = device                device, command, file, https-anu, https-quantis, https-raw, kme
 *   path = /dev/qrandom0         a device or FIFO; a program and its arguments; a file or a directory of
 * files entropy = 6.0                declared min-entropy, bits per byte, 0.5 to 8 condition = hmac hmac,
 * toeplitz, or none (the maker conditions) identity = QR-100 no. 4711   what the record of an object says of
 * the device rate = 100000                bytes per second at most; 0: as fast as it gives stall = 2000
 * milliseconds without a byte pool = 4096                  bytes that are kept ready
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "qrng/condition.h"

enum qrng_policy {
    QRNG_POLICY_OS,        /* the kernel's generator is what was asked for */
    QRNG_POLICY_PREFERRED, /* a source if one is in health, else the kernel's, and the object says so */
    QRNG_POLICY_REQUIRED,  /* a source in health, or nothing */
    QRNG_POLICY_TEST,      /* bytes that a test wrote down; no configuration leads here */
    QRNG_POLICY_COUNT,
};
/* "os", "preferred", "required", "test" */
const char *qrng_policy_text(enum qrng_policy p);

enum qrng_kind {
    QRNG_KIND_DEVICE,
    QRNG_KIND_COMMAND,
    QRNG_KIND_FILE,
    QRNG_KIND_ANU,
    QRNG_KIND_QUANTIS,
    QRNG_KIND_RAW,
    QRNG_KIND_KME, /* keys of a QKD network */
    QRNG_KIND_COUNT
};
const char *qrng_kind_text(enum qrng_kind k);
/* Is it a service, which has seen every byte that it gives? */
bool qrng_kind_is_remote(enum qrng_kind k);

enum qrng_profile { QRNG_PROFILE_EC, QRNG_PROFILE_XOR23, QRNG_PROFILE_COUNT };

struct qrng_source_conf {
    char name[QC_QRNG_NAME_MAX + 1];
    char path[QC_QRNG_PATH_MAX + 1];
    char url[QC_QRNG_PATH_MAX + 1], ca[QC_QRNG_PATH_MAX + 1], key_file[QC_QRNG_PATH_MAX + 1]; /* or empty */
    char position[QC_QRNG_PATH_MAX +
                  1]; /* of file: the directory of positions, for media that cannot be written; or empty */
    char cert[QC_QRNG_PATH_MAX + 1], peer[QC_QRNG_PEER_MAX + 1]; /* of kme */
    char identity[QC_QRNG_IDENTITY_MAX + 1];
    enum qrng_kind kind;
    enum qrng_conditioning condition;
    unsigned mbit; /* thousandths of a bit per byte */
    uint32_t rate; /* bytes per second, 0: no limit */
    uint32_t stall_ms;
    uint32_t pool; /* bytes */
    const struct qrng_maker
        *maker; /* of kme: who asks there (qrng/maker.h). Not of the file: its reader fills it in */
};

struct qrng_conf {
    enum qrng_policy policy[QRNG_PROFILE_COUNT];
    size_t count; /* of source: what stands behind them there is never read, nor written for its own sake */
    /* The directory where alarms are kept from one process to the next; empty: they are not. Not of the file:
     * its reader fills it in. */
    char alarms[QC_CLIENT_PATH_MAX];
    /* For a person who looks at one source: without the kernel's bytes, which hide whatever is wrong with it.
     * Nothing is made of what comes. Not of the file. */
    bool unmixed;
    struct qrng_source_conf source[QC_QRNG_SOURCES_MAX]; /* 6 KiB each */
};

/* What there is without a configuration: no source, policy os. The places of sources are left as they are. */
void qrng_conf_init(struct qrng_conf *c);
/*
 * QC_USAGE  with the line's number: an unknown section, key or value, a source twice, a policy without a
 * source QC_NOTCONF  a source without its kind or path; QC_LIMIT
 */
QC_MUST qc_rc qrng_conf_parse(qc_span text, struct qrng_conf *ret, struct qc_err *err);
