/* A connection between two ends, as a byte stream: TLS keyed by QKD (psk.h), TLS by certificates (cert.h), or
 * nothing (plain). Layer 1; uses base and OpenSSL's TLS. One thread at a time for a connection. Keeps I5. The
 * process ignores SIGPIPE (base/harden.h). */
#pragma once
#include "base/buf.h"
#include "base/time.h"

struct net_line; /* opaque */

/* Nothing protects it: for what stays on this machine, or where somebody said so. fd is made non-blocking,
 * and left to the caller to close after the connection. QC_NOMEM */
QC_MUST qc_rc net_line_plain(struct net_line **ret, int fd, struct qc_err *err);
/* Says goodbye as far as that goes at once, and wipes. */
void net_line_close(struct net_line **l);
/* "X25519", as OpenSSL names it; "none" */
const char *net_line_group(const struct net_line *l);

/* Up to max bytes, one at least; 0 where the other end said goodbye. QC_TEMP: it went without; QC_INTEGRITY:
 * what came is not what was sent; QC_TIMEOUT */
QC_MUST qc_rc net_line_read(struct net_line *l, uint8_t *room, size_t max, size_t *ret_got, qc_deadline d,
                            struct qc_err *err);
/* All of it. */
QC_MUST qc_rc net_line_write(struct net_line *l, qc_span s, qc_deadline d, struct qc_err *err);
/* As much as goes at once, which may be nothing. For who waits for more than one thing: a read with a
 * deadline that is over does not wait, either. */
QC_MUST qc_rc net_line_write_some(struct net_line *l, qc_span s, size_t *ret_done, struct qc_err *err);

/* -- one after another over the same descriptor: the end of l, and what goes on behind it (psk.h) -- */

/* holds: what l writes, and a line after it, waits in the kernel, so that little pieces go as one; until
 * false, or a write of more than 16 KiB by a line after it, and 200 ms at most. A descriptor that knows no
 * such thing sends at once. */
void net_line_hold(struct net_line *l, bool holds);
/* Says goodbye, and no more; what the other end says is read on, up to its own. *ret_done false: not yet. */
QC_MUST qc_rc net_line_end(struct net_line *l, bool *ret_done, struct qc_err *err);
/* Writes where `before` did, which said goodbye; reads where it did, which heard one. */
QC_MUST qc_rc net_line_write_after(struct net_line *l, const struct net_line *before, struct qc_err *err);
QC_MUST qc_rc net_line_read_after(struct net_line *l, const struct net_line *before, struct qc_err *err);
