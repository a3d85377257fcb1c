/* unit/net_otp: frames under one-time pad: vectors, streams over pieces of pad, everything that is not the
 * next frame; no byte of pad in two frames, whoever crashes when. */
#include "net/otp.h"

#include <stdlib.h>

#include "base/codec.h"
#include "qc_check.h"
#include "qc_seed.h"

enum { PIECE = 70000, PIECES = 24, ALL = PIECE * PIECES };

static struct qc_err err;
static uint8_t frame[NET_OTP_FRAME_MAX + 1], room[NET_OTP_BODY_MAX], plain[NET_OTP_BODY_MAX];

/* -- pad in memory, where each byte is counted ----------------------------------------------------------- */

struct source {
    uint8_t pad[ALL], given[ALL];
    uint64_t at, end; /* end: what was filled */
    bool fails;
};

static qc_rc where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *e)
{
    struct source *s = ctx;
    if (PIECE - s->at % PIECE < least)
        s->at += PIECE - s->at % PIECE;
    if (s->at >= s->end)
        return QC_FAIL(e, QC_TEMP, "no pad is left");
    *ret_at = s->at;
    *ret_left = PIECE - s->at % PIECE;
    return QC_OK;
}

static qc_rc take(void *ctx, uint8_t *to, size_t n, struct qc_err *e)
{
    struct source *s = ctx;
    CHECK(n > 0 && s->at % PIECE + n <= PIECE && s->at + n <= s->end);
    if (s->fails)
        return QC_FAIL(e, QC_IO, "injected");
    memcpy(to, s->pad + s->at, n);
    for (size_t i = 0; i < n; i++)
        CHECK(s->given[s->at + i]++ == 0); /* I4 */
    s->at += n;
    return QC_OK;
}

struct ends {
    struct source *tx, *rx;
    struct net_otp *seal, *open;
};

static struct net_otp *end_of(struct source *s, uint64_t pool, uint32_t pad_to)
{
    struct net_otp *o = NULL;
    CHECK_OK(net_otp_new(&o,
                         &(struct net_otp_conf){ .pad = { .ctx = s, .where = where, .take = take },
                                                 .pool = pool,
                                                 .pad_to = pad_to },
                         &err));
    return o;
}

/* Two ends with the same pad: byte i = (7 i + 3) mod 256, or drawn. */
static struct ends ends_of(struct qc_rand *r, uint64_t at, uint32_t pad_to)
{
    struct ends e = { .tx = calloc(1, sizeof *e.tx), .rx = calloc(1, sizeof *e.rx) };
    CHECK(e.tx != NULL && e.rx != NULL);
    if (r != NULL)
        qc_rand_fill(r, e.tx->pad, ALL);
    for (size_t i = 0; i < ALL && r == NULL; i++)
        e.tx->pad[i] = (uint8_t)(7 * i + 3);
    memcpy(e.rx->pad, e.tx->pad, ALL);
    e.tx->at = e.rx->at = at;
    e.tx->end = e.rx->end = ALL;
    e.seal = end_of(e.tx, 0x0102030405060708, pad_to);
    e.open = end_of(e.rx, 0x0102030405060708, pad_to);
    return e;
}

static void done(struct ends *e)
{
    net_otp_free(&e->seal);
    net_otp_free(&e->open);
    free(e->tx);
    free(e->rx);
}

static uint64_t position(struct net_otp *o)
{
    uint64_t at = 0;
    CHECK_OK(net_otp_at(o, &at, &err));
    return at;
}

/* -- vectors --------------------------------------------------------------------------------------------- */

#define ROT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QUARTER(a, b, c, d)                                                                                  \
    (a += b, d = ROT(d ^ a, 16), c += d, b = ROT(b ^ c, 12), a += b, d = ROT(d ^ a, 8), c += d,              \
     b = ROT(b ^ c, 7))

/* RFC 8439 2.3, only here: the pad of its vector. */
static void chacha_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12], uint8_t ret[64])
{
    uint32_t s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, x[16];
    for (unsigned i = 0; i < 8; i++)
        memcpy(&s[4 + i], key + 4 * (size_t)i, 4);
    s[12] = counter;
    memcpy(&s[13], nonce, 12);
    memcpy(x, s, sizeof x);
    for (int i = 0; i < 10; i++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (unsigned i = 0; i < 16; i++) {
        x[i] += s[i];
        memcpy(ret + 4 * (size_t)i, &x[i], 4);
    }
}

static void hex_is(const uint8_t *p, size_t n, const char *want)
{
    char hex[2 * 64 + 1];
    qc_hex(qc_span_of(p, n), hex);
    CHECK(strcmp(hex, want) == 0);
}

/* 2.8.2 of the RFC, with its key stream as pad. */
static void check_rfc_8439(void)
{
    static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                               "for the future, sunscreen would be it.";
    static const uint8_t aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
    static const uint8_t nonce[] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 };
    uint8_t key[32], pad[192], block[64], body[sizeof text], tag[16];
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)(0x80 + i);
    chacha_block(key, 0, nonce, block);
    memcpy(pad, block, 32);
    hex_is(pad, 32, "7bac2b252db447af09b67a55a4e955840ae1d6731075d9eb2a9375783ed553ff");
    chacha_block(key, 1, nonce, pad + 32);
    chacha_block(key, 2, nonce, pad + 96);
    memcpy(body, text, sizeof body);
    const qc_span head = qc_span_of(aad, sizeof aad), sealed = qc_span_of(body, 114);
    net_otp_core_seal(pad, head, sealed, body, tag);
    hex_is(body, 16, "d31a8d34648e60db7b86afbc53ef7ec2");
    hex_is(body + 112, 2, "6116");
    hex_is(tag, 16, "1ae10b594f09e26a7e902ecbd0600691");
    CHECK(net_otp_core_open(pad, head, sealed, room, tag) && memcmp(room, text, 114) == 0);
    CHECK(net_otp_core_open(pad, head, sealed, body, tag) && memcmp(body, text, 114) == 0);
    net_otp_core_seal(pad, head, qc_span_of(text, 114), body, tag); /* from elsewhere: the same */
    hex_is(tag, 16, "1ae10b594f09e26a7e902ecbd0600691");
    tag[15] ^= 1;
    memset(room, 0x77, 114);
    CHECK(!net_otp_core_open(pad, head, sealed, room, tag) && room[0] == 0x77 && room[113] == 0x77);
}

/* Computed apart from this program. */
static void check_vector(void)
{
    struct ends e = ends_of(NULL, 64, 0);
    size_t taken = 0, n = 0, used = 0, got = 0;
    enum net_otp_type type;
    CHECK_OK(net_otp_seal(e.seal, NET_OTP_DATA, QC_LIT("GET / HTTP/1.1\r\n"), frame, &taken, &n, &err));
    CHECK(taken == 16 && n == 24 + 16 + 16);
    hex_is(frame, 24, "010100001000000008070605040302014000000000000000");
    hex_is(frame + 24, 16, "e4efe59890e685808fb2c6c1d9cf0806");
    hex_is(frame + 40, 16, "70ffec3d2622dab908d327bb8bf135c0");
    CHECK_OK(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err));
    CHECK(used == n && got == 16 && type == NET_OTP_DATA && memcmp(room, "GET / HTTP/1.1\r\n", 16) == 0);
    CHECK(position(e.seal) == 64 + 48 && position(e.open) == 64 + 48);
    done(&e);
}

/* -- a stream -------------------------------------------------------------------------------------------- */

/* Frames of any size, over the ends of pieces: what comes out is what went in, and no byte was taken twice.
 */
static void check_stream(struct qc_rand *r, uint32_t pad_to)
{
    struct ends e = ends_of(r, 0, pad_to);
    size_t taken = 0, n = 0, used = 0, got = 0;
    enum net_otp_type type;
    uint64_t frames = 0;
    for (;; frames++) {
        const size_t want = (size_t)qc_rand_below(r, qc_rand_below(r, 4) == 0 ? 65537 : 300);
        qc_rand_fill(r, plain, want);
        const qc_rc rc = net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, want), frame, &taken, &n, &err);
        if (rc == QC_TEMP)
            break;
        CHECK_RC(rc, QC_OK);
        CHECK(taken <= want && (taken > 0 || want == 0));
        CHECK(pad_to == 0 || n == 24 + 16 + pad_to);
        CHECK_OK(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err));
        CHECK(used == n && got == taken && memcmp(room, plain, got) == 0);
    }
    CHECK(frames >= PIECES);
    CHECK_RC(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err), QC_TEMP);
    done(&e);
}

/* -- what is not the next frame --------------------------------------------------------------------------
 */

static void refused(struct ends *e, qc_span in, qc_rc a, qc_rc b)
{
    const uint64_t before = position(e->open);
    size_t used = 7, got = 7;
    enum net_otp_type type;
    const qc_rc rc = net_otp_open(e->open, in, &used, &type, room, &got, &err);
    CHECK(rc == a || rc == b);
    CHECK(used == 0 && got == 0 && position(e->open) == before);
}

/* Each bit flipped, each length cut: refused, and the good frame still passes. */
static void check_damage(struct qc_rand *r, uint32_t pad_to)
{
    struct ends e = ends_of(r, 0, pad_to);
    size_t taken = 0, n = 0, used = 0, got = 0;
    enum net_otp_type type;
    qc_rand_fill(r, plain, 100);
    CHECK_OK(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, 90), frame, &taken, &n, &err));
    for (size_t i = 0; i < n; i++)
        refused(&e, qc_span_of(frame, i), QC_OK, QC_OK);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (bit / 8 >= 4 && bit / 8 < 8 && pad_to == 0) { /* another length: more is waited for, or refused */
            const qc_rc rc = net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err);
            CHECK((rc == QC_OK && used == 0) || rc == QC_FORMAT || rc == QC_INTEGRITY);
        } else {
            refused(&e, qc_span_of(frame, n), QC_INTEGRITY, QC_FORMAT);
        }
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    frame[n] = 0x55; /* and of a longer input, as much as is the frame's */
    CHECK_OK(net_otp_open(e.open, qc_span_of(frame, n + 1), &used, &type, room, &got, &err));
    CHECK(used == n && got == 90 && memcmp(room, plain, 90) == 0);
    refused(&e, qc_span_of(frame, n), QC_INTEGRITY, QC_FORMAT); /* a replay */
    done(&e);
}

/* A frame too early, one of the other direction, one of another link. */
static void check_others(struct qc_rand *r)
{
    static uint8_t second[NET_OTP_FRAME_MAX];
    struct ends e = ends_of(r, 0, 0), back = ends_of(r, 0, 0);
    size_t taken = 0, n = 0, m = 0, used = 0, got = 0;
    enum net_otp_type type;
    struct net_otp *other = end_of(back.tx, 99, 0);
    CHECK_OK(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, 50), frame, &taken, &n, &err));
    CHECK_OK(net_otp_seal(e.seal, NET_OTP_CLOSE, (qc_span){ 0 }, second, &taken, &m, &err));
    refused(&e, qc_span_of(second, m), QC_INTEGRITY, QC_INTEGRITY);
    CHECK_OK(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err));
    CHECK_OK(net_otp_open(e.open, qc_span_of(second, m), &used, &type, room, &got, &err));
    CHECK(type == NET_OTP_CLOSE && got == 0);
    CHECK_OK(net_otp_seal(back.seal, NET_OTP_DATA, qc_span_of(plain, 114), frame, &taken, &n, &err));
    CHECK(position(back.seal) == 146);
    CHECK_OK(net_otp_seal(back.seal, NET_OTP_DATA, qc_span_of(plain, 50), frame, &taken, &n, &err));
    e.rx->at = 146; /* to where that frame is: the same numbers, under another pad */
    net_otp_forget(e.open);
    refused(&e, qc_span_of(frame, n), QC_INTEGRITY, QC_INTEGRITY);
    back.tx->at = 300;
    CHECK_OK(net_otp_seal(other, NET_OTP_DATA, qc_span_of(plain, 50), frame, &taken, &n, &err));
    refused(&e, qc_span_of(frame, n), QC_FORMAT, QC_FORMAT);
    net_otp_free(&other);
    done(&e);
    done(&back);
}

static void check_heads(void)
{
    struct net_otp_head h = { .type = NET_OTP_ALIVE, .n = 65536, .pool = 1, .at = UINT64_MAX }, again;
    uint8_t p[NET_OTP_HEAD + 1] = { 0 };
    net_otp_head_print(&h, p);
    CHECK_OK(net_otp_head_parse(&again, qc_span_of(p, 24), &err));
    CHECK(again.type == h.type && again.n == h.n && again.pool == h.pool && again.at == h.at);
    CHECK_RC(net_otp_head_parse(&again, qc_span_of(p, 23), &err), QC_FORMAT);
    CHECK_RC(net_otp_head_parse(&again, qc_span_of(p, 25), &err), QC_FORMAT);
    static const struct {
        size_t at;
        uint8_t v;
    } bad[] = { { 0, 0 }, { 0, 2 }, { 1, 0 }, { 1, 2 }, { 1, 7 }, { 2, 1 }, { 3, 0x80 }, { 4, 1 }, { 7, 1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        net_otp_head_print(&h, p);
        p[bad[i].at] = bad[i].v;
        CHECK_RC(net_otp_head_parse(&again, qc_span_of(p, 24), &err), QC_FORMAT);
    }
    uint64_t a = 0, b = 0, c = 0;
    CHECK_OK(net_otp_pool("L", "A", "B", &a, &err));
    CHECK_OK(net_otp_pool("L", "B", "A", &b, &err));
    CHECK_OK(net_otp_pool("LA", "", "B", &c, &err));
    CHECK(a != b && a != c && b != c);
}

/* Wrong tags without end: none moves the position, and after so many nobody tries any more. */
static void check_forger(void)
{
    struct ends e = ends_of(NULL, 0, 0);
    size_t used = 0, got = 0;
    enum net_otp_type type;
    uint8_t forged[40] = { 0 };
    net_otp_head_print(&(struct net_otp_head){ .type = NET_OTP_CLOSE, .pool = 0x0102030405060708 }, forged);
    for (uint32_t i = 0; i < NET_OTP_BAD_MAX; i++) {
        memcpy(forged + 24, &i, 4);
        CHECK_RC(net_otp_open(e.open, qc_span_of(forged, 40), &used, &type, room, &got, &err), QC_INTEGRITY);
    }
    CHECK(position(e.open) == 0 && e.rx->at == 32);
    CHECK_RC(net_otp_open(e.open, qc_span_of(forged, 40), &used, &type, room, &got, &err), QC_FENCED);
    done(&e);
}

static void check_pad(void)
{
    struct ends e = ends_of(NULL, 0, 0);
    size_t taken = 0, n = 0;
    struct net_otp *o = NULL;
    e.tx->end = 0;
    CHECK_RC(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, 9), frame, &taken, &n, &err), QC_TEMP);
    e.tx->end = PIECE;
    e.tx->fails = true;
    CHECK_RC(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, 9), frame, &taken, &n, &err), QC_IO);
    e.tx->fails = false;
    CHECK_OK(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, 9), frame, &taken, &n, &err));
    const struct net_otp_conf bad[] = { { .pad_to = NET_OTP_PAD_MIN - 1 },
                                        { .pad_to = NET_OTP_BODY_MAX + 1 } };
    for (size_t i = 0; i < 2; i++)
        CHECK_RC(net_otp_new(&o, &bad[i], &err), QC_USAGE);
    done(&e);
}

/* -- crashes --------------------------------------------------------------------------------------------- */

/* A process is new: the piece that it was in is burnt. */
static void crash(struct source *s, struct net_otp **o)
{
    const uint32_t pad_to = 0;
    net_otp_free(o);
    if (s->at % PIECE != 0)
        s->at += PIECE - s->at % PIECE;
    *o = end_of(s, 0x0102030405060708, pad_to);
}

/* Both say where they are, and go on from the greater. */
static bool agree(struct ends *e)
{
    uint64_t a = 0, b = 0;
    if (net_otp_at(e->seal, &a, &err) != QC_OK || net_otp_at(e->open, &b, &err) != QC_OK)
        return false;
    if (a < b) {
        net_otp_forget(e->seal);
        e->tx->at = b;
    } else if (b < a) {
        net_otp_forget(e->open);
        e->rx->at = a;
    }
    return true;
}

/* Frames sent, lost, damaged, and either end crashes: what arrives is right, source counts uses (I4). */
static void check_crashes(struct qc_rand *r)
{
    struct ends e = ends_of(r, 0, 0);
    size_t taken = 0, n = 0, used = 0, got = 0;
    enum net_otp_type type;
    unsigned arrived = 0, crashes = 0;
    for (uint64_t last = 0; agree(&e);) {
        for (uint64_t i = qc_rand_below(r, 20); i > 0; i--) {
            const size_t want = 1 + (size_t)qc_rand_below(r, 3000);
            uint64_t at = 0;
            qc_rand_fill(r, plain, want);
            if (net_otp_at(e.seal, &at, &err) != QC_OK)
                break;
            CHECK(at >= last);
            last = at;
            CHECK_OK(net_otp_seal(e.seal, NET_OTP_DATA, qc_span_of(plain, want), frame, &taken, &n, &err));
            const uint64_t fate = qc_rand_below(r, 12);
            if (fate == 0)
                break; /* lost with its connection */
            if (fate == 1) {
                frame[qc_rand_below(r, n)] ^= 0x10;
                CHECK(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err) != QC_OK ||
                      used == 0);
                break;
            }
            CHECK_OK(net_otp_open(e.open, qc_span_of(frame, n), &used, &type, room, &got, &err));
            CHECK(used == n && got == taken && memcmp(room, plain, got) == 0);
            arrived++;
        }
        const uint64_t who = qc_rand_below(r, 8);
        crashes += who < 2;
        if (who == 0)
            crash(e.tx, &e.seal);
        if (who == 1)
            crash(e.rx, &e.open);
    }
    CHECK(arrived > 20 && crashes > 3);
    done(&e);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    check_rfc_8439();
    check_vector();
    check_heads();
    check_stream(&r, 0);
    check_stream(&r, 1024);
    check_stream(&r, NET_OTP_BODY_MAX);
    check_damage(&r, 0);
    check_damage(&r, 128);
    check_others(&r);
    check_pad();
    check_forger();
    for (uint64_t i = 0; i < qc_rand_cases(10, 500); i++)
        check_crashes(&r);
    return 0;
}
