/* Segments on their way to the gateway: two buffers, each with a thread and a connection, so that sealing,
 * sending and the waiting for disks overlap; an only segment is sent by the caller's own. They may be
 * answered in any order (API: segments). Layer 3. Keeps I6. The bytes of a buffer stay as they are until they
 * are durable: what is sent again is the same.
 *
 * P4: one goes out after the other, in their order. A segment is out when the system has its last byte; then
 * it gets there whatever becomes of this program. So one at most is sent in part (docs/adr/0070). */
#pragma once
#include "vault/gw.h"

struct sender;

struct sender_opts {
    const uint8_t *put_key;  /* 16 bytes */
    bool hasty;              /* the write quorum is enough */
    uint32_t run;            /* of the upload */
    uint32_t first;          /* the first segment that is sent; those before it are durable, */
    uint64_t durable;        /* with so many bytes of D */
    struct vault_ways *ways; /* of struct vault_gw_part */
    void (*idle)(void *ctx); /* called now and then while take and drain wait; or NULL */
    void *idle_ctx;
};
/* gw (which is cloned once there are several segments), what opts name and op are borrowed until sender_free.
 * QC_NOMEM */
QC_MUST qc_rc sender_new(struct sender **ret, struct vault_gw *gw, const struct sender_opts *opts,
                         const struct vault_op *op, struct qc_err *err);
/* Waits for what is under way. */
void sender_free(struct sender **s);

/*
 * A free buffer, empty, with room for QC_VAULT_SEGMENT_MAX bytes; the caller's until it is given to
 * sender_send. Waits for the segment that was in it. What that one failed with comes back here, and from then
 * on always.
 */
QC_MUST qc_rc sender_take(struct sender *s, qc_buf **ret, struct qc_err *err);
/* Send the buffer last taken as the next segment. data: bytes of D in it, for progress. QC_NOMEM, and what
 * cloning says. */
QC_MUST qc_rc sender_send(struct sender *s, bool last, uint64_t data, struct qc_err *err);
/* Wait until all is durable, or has failed. */
QC_MUST qc_rc sender_drain(struct sender *s, struct qc_err *err);

uint32_t sender_segments(const struct sender *s); /* given to send so far */
uint64_t sender_sealed(const struct sender *s);   /* bytes of D in them, and in those before the first */
/* Bytes of D that are durable, and bytes of N handed to the gateway. */
void sender_progress(struct sender *s, uint64_t *ret_done, uint64_t *ret_sent);
