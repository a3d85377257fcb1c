/* Key budget of links keyed by QKD: how much data a key rate carries, and which rate some traffic needs.
 * Layer 2; uses base. Pure: arithmetic on what was asked. Any thread. Source: Ma, Li, Li et al. 2023, section
 * IV, where 25.6 kb/s of key serve one encryptor of 12 Gb/s that takes 100 keys of 256 bits a second, so that
 * 80 kb/s serve 12 x 80 / 25.6 = 37.5 Gb/s; docs/qkd.md, "What key there is, and what it carries".
 *
 * Rates are in bit/s, data in bytes, key in bits. "Data" is the client's: a code over n links puts 1/k of it
 * on each of them. What a link uses comes out per link. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/opt.h"

struct json_t;

enum qkd_cipher { QKD_AES_256, QKD_AES_128, QKD_PAD }; /* QKD_PAD: one-time pad, the level otp */

/* 0: not said. All others are more than 0 and at most QKD_PLAN_MAX, times at least QKD_PLAN_LEAST_NS. */
struct qkd_plan {
    enum qkd_cipher cipher;
    double rate_bps;      /* key that the network makes for each link */
    double rekey_s;       /* a new key after so long.. */
    double rekey_bytes;   /* ..or so much data, whatever comes first; neither: QKD_PLAN_REKEY_BYTES */
    double encryptor_bps; /* a connection that takes keys by time moves so much; more data, more of them */
    double frame_bytes;   /* one-time pad: data in a frame; 0: QKD_PLAN_FRAME */
    double traffic_bps;   /* data that is to go through */
    double bytes;         /* data that is to go through once */
    double stock_bits;    /* key that each link has ready */
    unsigned k, n;        /* code; 0, 0: all of the data goes over one link */
    unsigned hops;        /* quantum links between the two ends: key is relayed over more than one; 0 as 1 */
};

/* INFINITY stands for "no bound", or "never"; 0 where the plan does not say what it takes to know. */
struct qkd_budget {
    unsigned key_bits;
    double cost_bits;   /* of a key on each quantum link: a relayed one is authenticated by 256 bits more */
    double per_key;     /* bytes on the link under one key; INFINITY: no rule but time */
    double carries_bps; /* data that the rate carries */
    double encryptors;  /* that it serves, of encryptor_bps each */
    double pad_bps;     /* data that the rate would carry by one-time pad */
    double use_bps;     /* key that the traffic uses: the rate that it needs */
    double keys_per_s;  /* of them */
    double would_do;    /* use above rate: a key for so many bytes on the link would do */
    double bytes_s;     /* for the bytes to go through */
    double pad_bytes_s; /* by one-time pad */
    double stock_bytes; /* data that the stock carries */
    double stock_s;     /* it lasts at the traffic, with the rate */
    double refill_s;    /* from nothing, when nothing is used */
};
struct qkd_budget qkd_budget_of(const struct qkd_plan *p);

/* -- for commands: the same options, lines and members of JSON in every program ---------------------------
 */

/* Rows of a table of options. */
#define QKD_PLAN_OPTIONS                                                                                     \
    { "rate", 0, "BPS", "key that the QKD network makes for each link, bit/s", false },                      \
        { "cipher", 0, "NAME", "aes-256 (default), aes-128, or otp: one-time pad", false },                  \
        { "rekey-seconds", 0, "S", "a new key after so long, as 0.01", false },                              \
        { "rekey-bytes", 0, "BYTES", "a new key after so much data (default: 1Gi)", false },                 \
        { "encryptor", 0, "BPS", "what a connection moves that takes keys by time, bit/s", false },          \
        { "traffic", 0, "BPS", "data that is to go through, bit/s", false },                                 \
        { "bytes", 0, "BYTES", "data that is to go through once", false },                                   \
        { "stock", 0, "BITS", "key that each link has ready", false },                                       \
        { "code", 0, "K,N", "the data is spread over N links, any K of them give it back", false },          \
        { "frame", 0, "BYTES", "with otp: data in a frame (default: 64Ki)", false },                         \
    {                                                                                                        \
        "hops", 0, "N", "quantum links between the ends (default: 1); key is relayed over more", false       \
    }

/* "49.5k": a number with or without a fraction, then nothing, k M G T P (powers of 1000) or Ki Mi Gi Ti Pi
 * (of 1024); more than 0, at most QKD_PLAN_MAX. what names it in the message. QC_USAGE */
QC_MUST qc_rc qkd_plan_number(const char *text, const char *what, double *ret, struct qc_err *err);
/* From the options above. QC_USAGE: one is no number, out of range, or beside one that it does not go with;
 * or there is nothing to reckon with. */
QC_MUST qc_rc qkd_plan_take(const struct qc_args *args, struct qkd_plan *ret, struct qc_err *err);
/* Lines for people, each ended; appended. */
QC_MUST qc_rc qkd_plan_text(const struct qkd_plan *p, qc_buf *ret, struct qc_err *err);
/* Members of an object: what was said, and what comes of it; null: no bound, or never. */
QC_MUST qc_rc qkd_plan_json(const struct qkd_plan *p, struct json_t *to, struct qc_err *err);

enum { QKD_SPAN_TEXT = 32 };
/* "37.5 Gb/s": three digits, powers of 1000. unit: "b/s", "B". */
void qkd_amount_text(double v, const char *unit, char ret[QKD_SPAN_TEXT]);
/* "93 days", "9.9 h"; INFINITY: "for ever". */
void qkd_span_text(double seconds, char ret[QKD_SPAN_TEXT]);
