/* unit/net_way: keys that come and go while something is carried; two segments one after the other, and at a
 * time. */
#include "net/way.h"

#include "qc_check.h"

static struct qc_err err;

static struct net_link_state state(enum net_level now, const char *key, uint64_t keys, uint64_t block)
{
    struct net_link_state s = {
        .level = NET_OTP, .least = NET_QKD_TLS, .now = now, .keys = keys, .pad_block = block
    };
    (void)snprintf(s.key_id, sizeof s.key_id, "%s", key);
    return s;
}

static void prints(const struct net_way *w, const char *want)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 1024 };
    CHECK_OK(net_way_print(w, &text, &err));
    CHECK(qc_span_eq(qc_buf_span(&text), qc_span_str(want)));
}

/* before, after: NULL where the link said nothing. */
static void between(const struct net_link_state *before, const struct net_link_state *after, const char *want)
{
    struct net_way w;
    net_way_between(&w, NET_QKD_TLS, before, after);
    prints(&w, want);
}

int main(void)
{
    const struct net_link_state a = state(NET_QKD_TLS, "a", 7, 0), b = state(NET_QKD_TLS, "b", 9, 0),
                                anew = state(NET_QKD_TLS, "c", 1, 0), down = state(NET_DOWN, "", 9, 0),
                                plain = state(NET_PLAIN, "", 0, 0), p3 = state(NET_OTP, "a", 7, 3),
                                p5 = state(NET_OTP, "a", 7, 5);
    between(NULL, NULL, "qkd-tls"); /* it could not have gone at less */
    between(&a, &a, "qkd-tls,key=a");
    between(NULL, &a, "qkd-tls,key=a");
    between(&a, &down, "qkd-tls,key=a");
    between(&down, &down, "qkd-tls");
    between(&a, &b, "qkd-tls,keys=3,first=a,last=b"); /* one of them was not seen */
    between(&b, &anew, "qkd-tls,keys=2,first=b,last=c");
    between(&plain, &plain, "plain");
    between(&p3, &p3, "otp,key=a,pad=3");
    between(&p3, &p5, "otp,key=a,pad=3-5");
    between(&p3, &a, "qkd-tls,key=a,pad=3"); /* pad ran out: the weaker counts */

    struct net_way w = { 0 }, more;
    net_way_between(&more, NET_QKD_TLS, &a, &a);
    net_way_add(&w, &more); /* to nothing */
    net_way_add(&w, &more); /* the same key goes on */
    prints(&w, "qkd-tls,key=a");
    net_way_between(&more, NET_QKD_TLS, &a, &b);
    net_way_add(&w, &more);
    prints(&w, "qkd-tls,keys=3,first=a,last=b");
    net_way_between(&more, NET_QKD_TLS, &p5, &p5);
    net_way_add(&w, &more);
    prints(&w, "qkd-tls,keys=4,first=a,last=a,pad=5");
    net_way_between(&more, NET_QKD_TLS, &p3, &p3);
    net_way_add(&w, &more);
    prints(&w, "qkd-tls,keys=4,first=a,last=a,pad=3-5");
    qc_buf small = { .max = 10 };
    CHECK_RC(net_way_print(&w, &small, &err), QC_LIMIT);
    qc_buf_free(&small);
    return 0;
}
