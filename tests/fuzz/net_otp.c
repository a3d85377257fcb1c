/* fuzz/net_otp: what comes from the wire: frames one after the other, in both kinds. The position never goes
 * back, only a good frame moves it, and no byte of pad is asked for twice. The first byte says which kind. */
#include "net/otp.h"
#include "qc_fuzz.h"

enum { PAD = 1 << 18 };
static uint64_t given;

static qc_rc where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *err)
{
    (void)ctx;
    if (PAD - given < least)
        return QC_FAIL(err, QC_TEMP, "no pad is left");
    *ret_at = given;
    *ret_left = PAD - given;
    return QC_OK;
}

static qc_rc take(void *ctx, uint8_t *room, size_t n, struct qc_err *err)
{
    (void)ctx, (void)err;
    QC_ASSERT(n <= PAD - given);
    for (size_t i = 0; i < n; i++)
        room[i] = (uint8_t)(7 * (given + i) + 3);
    given += n;
    return QC_OK;
}

static void check_head(qc_span s)
{
    struct net_otp_head h;
    struct qc_err err = { 0 };
    uint8_t again[NET_OTP_HEAD];
    if (s.n < NET_OTP_HEAD)
        return;
    s = qc_span_sub(s, 0, NET_OTP_HEAD);
    if (net_otp_head_parse(&h, s, &err) != QC_OK)
        return;
    net_otp_head_print(&h, again);
    QC_ASSERT(qc_span_eq(s, qc_span_of(again, sizeof again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[NET_OTP_BODY_MAX];
    QC_CLEANUP(net_otp_free) struct net_otp *o = NULL;
    struct qc_err err = { 0 };
    if (size == 0)
        return 0;
    given = 0;
    const struct net_otp_conf conf = { .pad = { .where = where, .take = take },
                                       .pool = 0x0102030405060708,
                                       .pad_to = data[0] & 1 ? 64 : 0 };
    qc_span in = qc_span_of(data + 1, size - 1);
    QC_ASSERT(net_otp_new(&o, &conf, &err) == QC_OK);
    check_head(in);
    for (;;) {
        uint64_t before = 0, after = 0;
        size_t used = 0, got = 0;
        enum net_otp_type type;
        if (net_otp_at(o, &before, &err) != QC_OK)
            break;
        const qc_rc rc = net_otp_open(o, in, &used, &type, room, &got, &err);
        QC_ASSERT(rc == QC_OK || rc == QC_FORMAT || rc == QC_INTEGRITY);
        QC_ASSERT(used <= in.n && got <= NET_OTP_BODY_MAX);
        if (rc != QC_OK || used == 0) {
            QC_ASSERT(used == 0 && got == 0 &&
                      (rc == QC_FORMAT || net_otp_at(o, &after, &err) != QC_OK || after == before));
            break;
        }
        in = qc_span_from(in, used);
    }
    return 0;
}
