/* What the two ends of a link say to each other, inside TLS: records, and in the stream that they carry the
 * messages of many connections (FORMAT 14.2). Pure. Numbers are big-endian. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "net/psk.h"
#include "qkd/keys.h"

/* -- records --------------------------------------------------------------------------------------------- */

enum link_kind {
    LINK_STREAM = 1,
    LINK_HELLO,
    LINK_FILL,
    LINK_FILLED,
    LINK_BEGIN,
    LINK_MOVED,
    LINK_BARE,
    LINK_AHEAD, /* keys for TLS, as LINK_FILL has them */
    LINK_HAVE,
    LINK_SHAKE,
    LINK_BURNT
};
struct link_head {
    enum link_kind kind;
    uint32_t n; /* bytes that follow: LINK_RECORD_MAX at most */
};
enum { LINK_HEAD = 8 };
/* LINK_HEAD bytes. QC_FORMAT */
QC_MUST qc_rc link_head_parse(struct link_head *ret, qc_span s, struct qc_err *err);
void link_head_print(const struct link_head *h, uint8_t ret[LINK_HEAD]);

/* A pool of pad, as one end has it. */
struct link_pool_state {
    uint64_t next;   /* number of the block that is filled next */
    uint64_t block;  /* the position; 0: nothing is there */
    uint32_t offset; /* in that block */
    uint32_t count;
    uint64_t v[QKD_PADS_MAX]; /* the blocks that it has, ascending */
};
struct link_hello {
    uint32_t block;  /* bytes of a pad block; 0: no pad on this link */
    uint32_t pad_to; /* 0: lengths are not hidden */
    struct link_pool_state tx, rx;
};
QC_MUST qc_rc link_hello_parse(struct link_hello *ret, qc_span s, struct qc_err *err);
QC_MUST qc_rc link_hello_print(const struct link_hello *h, qc_buf *ret, struct qc_err *err);

/* The keys of a pad block, in their order; or those of a batch for TLS. */
struct link_fill {
    uint64_t number; /* of the block, or the batch */
    uint32_t bytes;  /* of each key */
    uint32_t count;  /* LINK_FILL_KEYS at most */
    struct qkd_id *ids;
};
void link_fill_done(struct link_fill *f);
/* QC_FORMAT, QC_NOMEM */
QC_MUST qc_rc link_fill_parse(struct link_fill *ret, qc_span s, struct qc_err *err);
QC_MUST qc_rc link_fill_print(const struct link_fill *f, qc_buf *ret, struct qc_err *err);

struct link_filled {
    uint64_t number;
    bool done;       /* else there were no such keys */
    uint8_t tag[16]; /* of the block, under its check key */
};
QC_MUST qc_rc link_filled_parse(struct link_filled *ret, qc_span s, struct qc_err *err);
QC_MUST qc_rc link_filled_print(const struct link_filled *f, qc_buf *ret, struct qc_err *err);

/* A record of a handshake begins with the number of the connection that it makes; `moved` is that number,
 * `burnt` that of a block of pad. */
enum { LINK_NUMBER = 8 };

/* The answer to keys for TLS. */
struct link_have {
    uint64_t number;
    bool done; /* else there were no such keys */
};
QC_MUST qc_rc link_have_parse(struct link_have *ret, qc_span s, struct qc_err *err);
QC_MUST qc_rc link_have_print(const struct link_have *h, qc_buf *ret, struct qc_err *err);

/* -- messages in the stream ------------------------------------------------------------------------------ */

enum link_word { LINK_OPEN = 1, LINK_DATA, LINK_EOF, LINK_RESET, LINK_CREDIT };
struct link_message {
    enum link_word word;
    uint32_t id; /* of the connection; not 0 */
    uint32_t n;  /* LINK_DATA: bytes that follow, 1..LINK_DATA_MAX; LINK_CREDIT: 1..LINK_WINDOW; else 0 */
};
enum { LINK_MESSAGE = 12 };
/* LINK_MESSAGE bytes. QC_FORMAT */
QC_MUST qc_rc link_message_parse(struct link_message *ret, qc_span s, struct qc_err *err);
void link_message_print(const struct link_message *m, uint8_t ret[LINK_MESSAGE]);
