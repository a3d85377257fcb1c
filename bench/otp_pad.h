/* Pad from memory, as long as it takes, for benchmarks of frames under one-time pad: not for secrets, because
 * it comes again after 64 MiB. */
#pragma once
#include "net/otp.h"
#include "qc_check.h"

enum { OTP_PAD = 64 << 20 };

struct otp_pad {
    const uint8_t *bytes; /* OTP_PAD of them */
    uint64_t at;
    size_t body; /* of a frame, each of which then has a piece of its own and is whole; 0: they come as they
                    come */
};

/* Malloc'ed. */
static inline uint8_t *otp_pad_new(void)
{
    uint8_t *p = malloc(OTP_PAD);
    CHECK(p != NULL);
    for (size_t i = 0; i < OTP_PAD; i++)
        p[i] = (uint8_t)(i * 167 + (i >> 8));
    return p;
}

static inline qc_rc otp_pad_where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left,
                                  struct qc_err *err)
{
    struct otp_pad *s = ctx;
    (void)err;
    const uint64_t left = OTP_PAD - s->at % OTP_PAD;
    const uint64_t one = s->body == 0 ? least : s->body + NET_OTP_KEY + (least > s->body ? NET_OTP_HEAD : 0);
    if (left < one)
        s->at += left;
    *ret_at = s->at;
    *ret_left = s->body == 0 ? OTP_PAD - s->at % OTP_PAD : one;
    return QC_OK;
}

static inline qc_rc otp_pad_take(void *ctx, uint8_t *room, size_t n, struct qc_err *err)
{
    struct otp_pad *s = ctx;
    (void)err;
    memcpy(room, s->bytes + s->at % OTP_PAD, n);
    s->at += n;
    return QC_OK;
}

/* An end that takes from s. pad_to: as in net/otp.h. */
static inline struct net_otp *otp_pad_end(struct otp_pad *s, uint32_t pad_to)
{
    struct qc_err err = { 0 };
    struct net_otp *o = NULL;
    const struct net_otp_conf conf = { .pad = { .ctx = s, .where = otp_pad_where, .take = otp_pad_take },
                                       .pad_to = pad_to };
    CHECK_OK(net_otp_new(&o, &conf, &err));
    return o;
}
