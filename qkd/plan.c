#include "qkd/plan.h"

#include <math.h>

enum { TAG_BITS = 256, PAD_KEY_BITS = QKD_BITS_MAX };

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static unsigned key_bits(enum qkd_cipher c)
{
    static const unsigned bits[] = { [QKD_AES_256] = 256, [QKD_AES_128] = 128, [QKD_PAD] = PAD_KEY_BITS };
    return bits[c];
}

/* Of a key of so many bits, on each quantum link of its way. */
static double cost(const struct qkd_plan *p, unsigned bits)
{
    return p->hops > 1 ? (double)bits + TAG_BITS : bits;
}

/* Of data, on each link. */
static double share(const struct qkd_plan *p)
{
    return p->k == 0 ? 1 : 1.0 / p->k;
}

/* Bits on the link under a piece of pad: less what its frames take for their tags and heads. */
static double per_pad(const struct qkd_plan *p)
{
    const double frame = p->frame_bytes == 0 ? QKD_PLAN_FRAME : p->frame_bytes;
    return PAD_KEY_BITS / (1 + QKD_PLAN_FRAME_KEY / frame);
}

/* Key for each bit on the link by one-time pad. */
static double pad_per_bit(const struct qkd_plan *p)
{
    return cost(p, PAD_KEY_BITS) / per_pad(p);
}

/* Bits on the link under one key; INFINITY: time alone ends it, however much goes through. */
static double per_key(const struct qkd_plan *p)
{
    double bits = INFINITY;
    if (p->cipher == QKD_PAD)
        return per_pad(p);
    if (p->rekey_bytes > 0)
        bits = 8 * p->rekey_bytes;
    else if (p->rekey_s == 0)
        bits = 8.0 * QKD_PLAN_REKEY_BYTES;
    if (p->rekey_s > 0 && p->encryptor_bps > 0)
        bits = least(bits, p->encryptor_bps * p->rekey_s);
    return bits;
}

/* What time alone costs, of one connection whose rate nobody said; bits/s. */
static double by_time(const struct qkd_plan *p)
{
    const bool alone = p->cipher != QKD_PAD && p->rekey_s > 0 && p->encryptor_bps == 0;
    return alone ? cost(p, key_bits(p->cipher)) / p->rekey_s : 0;
}

static double carries(const struct qkd_plan *p, double key_per_bit)
{
    if (p->rate_bps < by_time(p))
        return 0;
    return key_per_bit == 0 ? INFINITY : p->rate_bps / key_per_bit;
}

/* For so many bits of key to come, beside those that are ready. */
static double until(const struct qkd_plan *p, double bits)
{
    const double more = bits - p->stock_bits;
    if (more <= 0)
        return 0;
    return p->rate_bps == 0 ? INFINITY : more / p->rate_bps;
}

static void of_traffic(const struct qkd_plan *p, double key_per_bit, struct qkd_budget *b)
{
    if (p->traffic_bps == 0)
        return;
    b->use_bps = most(p->traffic_bps * key_per_bit, by_time(p));
    b->keys_per_s = b->use_bps / b->cost_bits;
    if (b->use_bps > p->rate_bps && p->rate_bps > 0 && p->cipher != QKD_PAD)
        b->would_do = p->traffic_bps * share(p) * b->cost_bits / p->rate_bps / 8;
    b->stock_s = b->use_bps > p->rate_bps ? p->stock_bits / (b->use_bps - p->rate_bps) : INFINITY;
}

static void of_bytes(const struct qkd_plan *p, double key_per_bit, struct qkd_budget *b)
{
    const double line = p->traffic_bps > 0 ? 8 * p->bytes / p->traffic_bps : 0;
    if (p->bytes == 0)
        return;
    b->bytes_s = most(until(p, 8 * p->bytes * key_per_bit), line);
    if (b->carries_bps == 0 && p->stock_bits == 0)
        b->bytes_s = INFINITY;
    b->pad_bytes_s = most(until(p, 8 * p->bytes * share(p) * pad_per_bit(p)), line);
}

struct qkd_budget qkd_budget_of(const struct qkd_plan *p)
{
    struct qkd_budget b = { .key_bits = key_bits(p->cipher) };
    b.cost_bits = cost(p, b.key_bits);
    const double under = per_key(p), key_per_bit = share(p) * b.cost_bits / under; /* 0 under INFINITY */
    b.per_key = under / 8;
    b.carries_bps = carries(p, key_per_bit);
    b.pad_bps = p->rate_bps / share(p) / pad_per_bit(p);
    if (p->encryptor_bps > 0 && p->cipher != QKD_PAD)
        b.encryptors = b.carries_bps / p->encryptor_bps;
    of_traffic(p, key_per_bit, &b);
    of_bytes(p, key_per_bit, &b);
    if (p->stock_bits > 0) {
        b.stock_bytes = key_per_bit == 0 ? INFINITY : p->stock_bits / key_per_bit / 8;
        b.refill_s = p->rate_bps == 0 ? INFINITY : p->stock_bits / p->rate_bps;
    }
    return b;
}
