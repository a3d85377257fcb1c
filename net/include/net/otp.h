/* One-time pad frames: a byte stream in one direction, sealed under pad that both ends have (FORMAT 14.1).
 * Layer 1; uses base. One thread at a time. Keeps I4 (what is its part: each byte of pad goes into one frame)
 * and I5.
 *
 * n bytes at position o of the pad: the key of a Poly1305 (RFC 8439 2.5) is its first 32 bytes, the
 * ciphertext is the plaintext xor the n after these. Encryption under a pad that is used once is perfectly
 * secret (Shannon 1949); the tag is that of Wegman and Carter (1981): whoever does not have the pad passes a
 * frame of his own with probability 8 L / 2^106 at most, L = n/16 + 4, whatever he can compute: 2^-91.
 * Header, pool (that is link and direction) and position are under the tag.
 *
 * Memory is constant: one frame's pad in locked memory. An object belongs to a pool, and outlives
 * connections. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The pad of one direction, as the caller has it. A piece is what lies together: a pad block, say. */
struct net_otp_pad {
    void *ctx;
    /* Where the next byte is, and how many follow it in its piece, `least` at least: pieces that have fewer
     * left are passed over, and their rest is never used. QC_TEMP: no pad is there. */
    qc_rc (*where)(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *err);
    /* The next n bytes of this piece. They never come again, whatever crashes: that is durable when it
     * returns. After a failure nobody has them. */
    qc_rc (*take)(void *ctx, uint8_t *room, size_t n, struct qc_err *err);
};

struct net_otp_conf {
    struct net_otp_pad pad;
    uint64_t pool;   /* names link and direction (net_otp_pool) */
    uint32_t pad_to; /* 0: a frame is as long as what it carries. Else all frames have this body, header and
                        length are under the pad, too: NET_OTP_PAD_MIN..NET_OTP_BODY_MAX */
};

struct net_otp; /* opaque */

enum net_otp_type { NET_OTP_DATA = 1, NET_OTP_CLOSE = 5, NET_OTP_ALIVE = 6 };
struct net_otp_head {
    enum net_otp_type type;
    uint32_t n; /* of the body */
    uint64_t pool, at;
};
enum { NET_OTP_HEAD = 24, NET_OTP_TAG = 16, NET_OTP_KEY = 32 };
enum { NET_OTP_FRAME_MAX = NET_OTP_HEAD + NET_OTP_BODY_MAX + NET_OTP_TAG };

/* Bytes from outside, NET_OTP_HEAD of them. QC_FORMAT: none of ours, whatever is wrong with it */
QC_MUST qc_rc net_otp_head_parse(struct net_otp_head *ret, qc_span head, struct qc_err *err);
void net_otp_head_print(const struct net_otp_head *h, uint8_t ret[NET_OTP_HEAD]);
/* The pool of a link in one direction: the names are hashed, each with its length. Source: FORMAT 14.1 */
QC_MUST qc_rc net_otp_pool(const char *link, const char *from, const char *to, uint64_t *ret,
                           struct qc_err *err);

/*
 * Both in one: body = s xor pad, and the tag over head and body. pad: NET_OTP_KEY + s.n bytes that nobody
 * used; body may be where s is. The core of RFC 8439 2.8 without ChaCha20; for its vector and for measuring.
 * Cannot fail.
 */
void net_otp_core_seal(const uint8_t *pad, qc_span head, qc_span s, uint8_t *body, uint8_t ret_tag[16]);
/* The way back, into room. false: the tag is another (compared in constant time), and room was left alone. */
QC_MUST bool net_otp_core_open(const uint8_t *pad, qc_span head, qc_span body, uint8_t *room,
                               const uint8_t tag[16]);

/* QC_USAGE: a pad_to that is none; QC_NOMEM */
QC_MUST qc_rc net_otp_new(struct net_otp **ret, const struct net_otp_conf *conf, struct qc_err *err);
void net_otp_free(struct net_otp **o);

/* Position of the next frame. QC_TEMP: there is no pad */
QC_MUST qc_rc net_otp_at(struct net_otp *o, uint64_t *ret, struct qc_err *err);
/* What frames took since this object was made: good ones alone, whole ones alone. Pad that is passed over at
 * the end of a piece is in neither. */
struct net_otp_used {
    uint64_t frames, pad;
};
struct net_otp_used net_otp_used(const struct net_otp *o);
/* The position was moved on by the owner of the pad: pad that is held here is wiped. */
void net_otp_forget(struct net_otp *o);

/*
 * One frame of as much of s as one takes (*ret_taken; all of it, unless it has more than NET_OTP_BODY_MAX
 * bytes, less with pad_to, or the piece of pad ends). s may be empty. frame has room for NET_OTP_FRAME_MAX.
 * QC_TEMP: no pad is left; what pad says. After a failure nothing may be sent of the frame.
 */
QC_MUST qc_rc net_otp_seal(struct net_otp *o, enum net_otp_type type, qc_span s, uint8_t *frame,
                           size_t *ret_taken, size_t *ret_n, struct qc_err *err);
/*
 * The first frame of `in`, if it is there whole. *ret_used: its bytes, or 0: more are needed. room has
 * NET_OTP_BODY_MAX bytes; *ret_got of them are written. The position goes on only with a good frame: whoever
 * sends rubbish uses up no pad.
 *
 * QC_FORMAT: not a frame, of another pool, or longer than the pad; QC_INTEGRITY: another position than the
 * next (a replay, a gap), or the tag is wrong; QC_FENCED: after NET_OTP_BAD_MAX wrong tags; QC_TEMP, and
 * others: from pad
 */
QC_MUST qc_rc net_otp_open(struct net_otp *o, qc_span in, size_t *ret_used, enum net_otp_type *ret_type,
                           uint8_t *room, size_t *ret_got, struct qc_err *err);
