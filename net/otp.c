/* Frames (net/otp.h). A receiver holds pad that it took for a frame whose tag was wrong, and tries it on the
 * next: so no stranger can make it give up any. */
#include "net/otp.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/key.h"
#include "base/onetime.h"
#include "base/secret.h"

enum { VERSION = 1, LENGTH = 4, AHEAD = NET_OTP_HEAD + NET_OTP_KEY, ROOM = AHEAD + NET_OTP_BODY_MAX };
enum { LONG = 4096 }; /* bytes; from some KiB on OpenSSL's Poly1305 is the faster one */
_Static_assert((int)NET_OTP_TAG == (int)QC_TAG, "one-time tags");

struct net_otp {
    struct net_otp_conf conf;
    struct qc_secret pad; /* held bytes of it, from `at` on */
    size_t held;
    uint64_t at, left; /* the position, and how many are left in its piece, held ones included; 0: ask */
    uint32_t bad;      /* wrong tags */
    struct net_otp_used used;
};

/* -- the header, little-endian as RFC 8439 writes its lengths -------------------------------------------- */

static void put_le(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

void net_otp_head_print(const struct net_otp_head *h, uint8_t ret[NET_OTP_HEAD])
{
    ret[0] = VERSION;
    ret[1] = (uint8_t)h->type;
    put_le(ret + 2, 0, 2);
    put_le(ret + 4, h->n, 4);
    put_le(ret + 8, h->pool, 8);
    put_le(ret + 16, h->at, 8);
}

qc_rc net_otp_head_parse(struct net_otp_head *ret, qc_span head, struct qc_err *err)
{
    if (head.n != NET_OTP_HEAD || head.p[0] != VERSION || get_le(head.p + 2, 2) != 0)
        return QC_FAIL(err, QC_FORMAT, "no frame of a one-time pad link, or of a newer one");
    const uint8_t type = head.p[1];
    const uint64_t n = get_le(head.p + 4, 4);
    if (type != NET_OTP_DATA && type != NET_OTP_CLOSE && type != NET_OTP_ALIVE)
        return QC_FAIL(err, QC_FORMAT, "a frame of type %u", type);
    if (n > NET_OTP_BODY_MAX)
        return QC_FAIL(err, QC_FORMAT, "a frame of %llu bytes", (unsigned long long)n);
    *ret = (struct net_otp_head){ .type = (enum net_otp_type)type,
                                  .n = (uint32_t)n,
                                  .pool = get_le(head.p + 8, 8),
                                  .at = get_le(head.p + 16, 8) };
    return QC_OK;
}

qc_rc net_otp_pool(const char *link, const char *from, const char *to, uint64_t *ret, struct qc_err *err)
{
    const char *const names[] = { link, from, to };
    uint8_t digest[QC_SHA256_BYTES], sizes[3][2];
    qc_span parts[7] = { QC_LIT("qcloud/1 otp") };
    for (size_t i = 0; i < 3; i++) {
        const qc_span s = qc_span_str(names[i]);
        if (s.n > UINT16_MAX)
            return QC_FAIL(err, QC_USAGE, "a name of %zu bytes", s.n);
        qc_put_be(sizes[i], s.n, 2);
        parts[1 + 2 * i] = qc_span_of(sizes[i], 2);
        parts[2 + 2 * i] = s;
    }
    QC_TRY(qc_sha256(parts, 7, digest, err));
    *ret = qc_get_be(digest, 8);
    return QC_OK;
}

/* -- the core -------------------------------------------------------------------------------------------- */

/* A loop that -O3 makes one over vectors (CMakeLists.txt). */
static inline __attribute__((always_inline)) void xor_loop(uint8_t *to, const uint8_t *from,
                                                           const uint8_t *with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] ^ with[i];
}

#if defined(__x86_64__)
/* Not for the wider vectors alone: after OpenSSL's Poly1305, which leaves their upper halves in use, the
 * processor is slow with the narrow ones. */
__attribute__((target("avx2"))) static void xor_avx2(uint8_t *to, const uint8_t *from, const uint8_t *with,
                                                     size_t n)
{
    xor_loop(to, from, with, n);
}
#endif

/* to = from + with; `from` may be `to` */
static void xor_of(uint8_t *to, const uint8_t *from, const uint8_t *with, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        xor_avx2(to, from, with, n);
        return;
    }
#endif
    xor_loop(to, from, with, n);
}

/* RFC 8439 2.8: head, body, each filled to 16 bytes; their lengths. */
static void tag_of(const uint8_t *pad, qc_span head, qc_span body, uint8_t ret[NET_OTP_TAG])
{
    static const uint8_t zeros[16];
    uint8_t lengths[16];
    put_le(lengths, head.n, 8);
    put_le(lengths + 8, body.n, 8);
    const qc_span parts[] = { head, qc_span_of(zeros, (16 - head.n % 16) % 16), body,
                              qc_span_of(zeros, (16 - body.n % 16) % 16), qc_span_of(lengths, 16) };
    const qc_span key = qc_span_of(pad, NET_OTP_KEY);
    struct qc_err unused = { 0 };
    /* The fast one may find no memory; the other computes the same, and cannot fail. */
    if (body.n < LONG || qc_poly1305_long(key, parts, 5, ret, &unused) != QC_OK)
        qc_poly1305(key, parts, 5, ret);
}

void net_otp_core_seal(const uint8_t *pad, qc_span head, qc_span s, uint8_t *body, uint8_t ret_tag[16])
{
    xor_of(body, s.p, pad + NET_OTP_KEY, s.n);
    tag_of(pad, head, qc_span_of(body, s.n), ret_tag);
}

bool net_otp_core_open(const uint8_t *pad, qc_span head, qc_span body, uint8_t *room, const uint8_t tag[16])
{
    uint8_t want[NET_OTP_TAG];
    tag_of(pad, head, body, want);
    const bool good = qc_ct_eq(want, tag, sizeof want);
    qc_wipe(want, sizeof want); /* of a frame that was never sent, it would be a forgery */
    if (good)
        xor_of(room, body.p, pad + NET_OTP_KEY, body.n);
    return good;
}

/* -- a pool ---------------------------------------------------------------------------------------------- */

qc_rc net_otp_new(struct net_otp **ret, const struct net_otp_conf *conf, struct qc_err *err)
{
    QC_CLEANUP(net_otp_free) struct net_otp *o = NULL;
    if (conf->pad_to != 0 && (conf->pad_to < NET_OTP_PAD_MIN || conf->pad_to > NET_OTP_BODY_MAX))
        return QC_FAIL(err, QC_USAGE, "frames that hide their lengths have %d to %d bytes", NET_OTP_PAD_MIN,
                       NET_OTP_BODY_MAX);
    o = qc_alloc(sizeof *o);
    if (o == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *o);
    o->conf = *conf;
    QC_TRY(qc_secret_new(&o->pad, ROOM, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

void net_otp_free(struct net_otp **o)
{
    if (*o == NULL)
        return;
    qc_secret_free(&(*o)->pad);
    qc_free(*o);
    *o = NULL;
}

/* Bytes of pad before the body's: the header's, where it is hidden, and the tag's key. */
static size_t ahead(const struct net_otp *o)
{
    return o->conf.pad_to != 0 ? AHEAD : NET_OTP_KEY;
}

/* The least frame; what is left of a piece and less is passed over, at both ends. */
static size_t least(const struct net_otp *o)
{
    return ahead(o) + (o->conf.pad_to != 0 ? o->conf.pad_to : 1);
}

void net_otp_forget(struct net_otp *o)
{
    qc_wipe(o->pad.p, o->held);
    o->held = 0;
    o->left = 0;
}

/* A piece with room for a frame. */
static qc_rc settle(struct net_otp *o, struct qc_err *err)
{
    if (o->left >= least(o))
        return QC_OK;
    net_otp_forget(o);
    QC_TRY(o->conf.pad.where(o->conf.pad.ctx, least(o), &o->at, &o->left, err));
    QC_ASSERT(o->left >= least(o));
    return QC_OK;
}

qc_rc net_otp_at(struct net_otp *o, uint64_t *ret, struct qc_err *err)
{
    QC_TRY(settle(o, err));
    *ret = o->at;
    return QC_OK;
}

/* The first n bytes from the position on are in o->pad. */
static qc_rc hold(struct net_otp *o, size_t n, struct qc_err *err)
{
    QC_ASSERT(n <= ROOM && n <= o->left);
    if (o->held >= n)
        return QC_OK;
    uint8_t *to = (uint8_t *)o->pad.p + o->held;
    const qc_rc rc = o->conf.pad.take(o->conf.pad.ctx, to, n - o->held, err);
    if (rc != QC_OK) {
        net_otp_forget(o); /* where it stands now, pad knows */
        return rc;
    }
    o->held = n;
    return QC_OK;
}

struct net_otp_used net_otp_used(const struct net_otp *o)
{
    return o->used;
}

/* A frame took n bytes. */
static void spend(struct net_otp *o, size_t n)
{
    uint8_t *p = o->pad.p;
    memmove(p, p + n, o->held - n);
    qc_wipe(p + o->held - n, n);
    o->held -= n;
    o->at += n;
    o->left -= n;
    o->used.frames++;
    o->used.pad += n;
}

/* -- sealing --------------------------------------------------------------------------------------------- */

/* The body of a frame that hides its length: u32, the bytes, zeros. */
static size_t fill_body(const struct net_otp *o, qc_span s, uint8_t *body)
{
    const size_t room = o->conf.pad_to - LENGTH, n = s.n < room ? s.n : room;
    put_le(body, n, LENGTH);
    memcpy(body + LENGTH, s.p, n);
    memset(body + LENGTH + n, 0, room - n);
    return n;
}

qc_rc net_otp_seal(struct net_otp *o, enum net_otp_type type, qc_span s, uint8_t *frame, size_t *ret_taken,
                   size_t *ret_n, struct qc_err *err)
{
    const bool hide = o->conf.pad_to != 0;
    uint8_t *body = frame + NET_OTP_HEAD;
    QC_TRY(settle(o, err));
    const uint64_t most = o->left - ahead(o);
    size_t n = s.n < NET_OTP_BODY_MAX ? s.n : NET_OTP_BODY_MAX;
    size_t taken = n = n < most ? n : (size_t)most;
    if (hide)
        n = o->conf.pad_to;
    QC_TRY(hold(o, ahead(o) + n, err));
    const struct net_otp_head h = { .type = type, .n = (uint32_t)n, .pool = o->conf.pool, .at = o->at };
    net_otp_head_print(&h, frame);
    uint8_t *pad = o->pad.p;
    if (hide) {
        taken = fill_body(o, s, body);
        xor_of(frame, frame, pad, NET_OTP_HEAD);
        pad += NET_OTP_HEAD;
    }
    net_otp_core_seal(pad, qc_span_of(frame, NET_OTP_HEAD), qc_span_of(hide ? body : s.p, n), body, body + n);
    spend(o, ahead(o) + n);
    *ret_taken = taken;
    *ret_n = NET_OTP_HEAD + n + NET_OTP_TAG;
    return QC_OK;
}

/* -- opening --------------------------------------------------------------------------------------------- */

/* Is this the frame that has to come? Only then its tag is looked at. */
static qc_rc expected(const struct net_otp *o, const struct net_otp_head *h, struct qc_err *err)
{
    if (h->pool != o->conf.pool)
        return QC_FAIL(err, QC_FORMAT, "a frame of another link or direction");
    if (h->at != o->at)
        return QC_FAIL(err, QC_INTEGRITY, "a frame at position %llu of the pad, where %llu is next",
                       (unsigned long long)h->at, (unsigned long long)o->at);
    if (h->n + ahead(o) > o->left || (o->conf.pad_to != 0 && h->n != o->conf.pad_to))
        return QC_FAIL(err, QC_FORMAT, "a frame of %u bytes, which the pad there has not", (unsigned)h->n);
    return QC_OK;
}

/* What the body of a frame with a hidden length carries, to its beginning. */
static qc_rc empty_body(const struct net_otp *o, uint8_t *body, size_t *ret_got, struct qc_err *err)
{
    const uint64_t n = get_le(body, LENGTH);
    if (n > o->conf.pad_to - LENGTH)
        return QC_FAIL(err, QC_FORMAT, "a hidden length of %llu bytes", (unsigned long long)n);
    memmove(body, body + LENGTH, (size_t)n);
    *ret_got = (size_t)n;
    return QC_OK;
}

static qc_rc read_head(struct net_otp *o, qc_span in, struct net_otp_head *ret, struct qc_err *err)
{
    uint8_t head[NET_OTP_HEAD];
    memcpy(head, in.p, sizeof head);
    if (o->conf.pad_to != 0) {
        QC_TRY(hold(o, AHEAD, err));
        xor_of(head, head, o->pad.p, sizeof head);
    }
    QC_TRY(net_otp_head_parse(ret, qc_span_of(head, sizeof head), err));
    return expected(o, ret, err);
}

qc_rc net_otp_open(struct net_otp *o, qc_span in, size_t *ret_used, enum net_otp_type *ret_type,
                   uint8_t *room, size_t *ret_got, struct qc_err *err)
{
    struct net_otp_head h;
    *ret_used = 0;
    *ret_got = 0;
    if (o->bad >= NET_OTP_BAD_MAX)
        return QC_FAIL(err, QC_FENCED, "%d frames had wrong tags: this pool is not used any more",
                       NET_OTP_BAD_MAX);
    if (in.n < NET_OTP_HEAD)
        return QC_OK;
    QC_TRY(settle(o, err));
    QC_TRY(read_head(o, in, &h, err));
    const size_t all = NET_OTP_HEAD + h.n + NET_OTP_TAG;
    if (in.n < all)
        return QC_OK;
    QC_TRY(hold(o, ahead(o) + h.n, err));
    const uint8_t *pad = (const uint8_t *)o->pad.p + ahead(o) - NET_OTP_KEY;
    const qc_span head = qc_span_of(in.p, NET_OTP_HEAD), body = qc_span_of(in.p + NET_OTP_HEAD, h.n);
    if (!net_otp_core_open(pad, head, body, room, body.p + h.n)) {
        o->bad++;
        return QC_FAIL(err, QC_INTEGRITY, "a frame with a wrong tag");
    }
    spend(o, ahead(o) + h.n);
    size_t got = h.n;
    if (o->conf.pad_to != 0)
        QC_TRY(empty_body(o, room, &got, err));
    *ret_got = got;
    *ret_used = all;
    *ret_type = h.type;
    return QC_OK;
}
