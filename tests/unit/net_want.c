/* unit/net_want: LEVEL[:SECONDS[:BYTES]] as a text, and which links hold to it. */
#include "net/want.h"

#include <string.h>

#include "qc_check.h"

static struct qc_err err;

static void texts(void)
{
    static const struct {
        const char *text;
        struct net_want want;
        const char *again; /* as it is printed; NULL: it is refused */
    } rows[] = {
        { "plain", { NET_PLAIN, 0, 0 }, "plain" },
        { "otp:3600", { NET_OTP, 3600, 0 }, "otp:3600" },
        { "qkd-tls:60:1073741824", { NET_QKD_TLS, 60, 1073741824 }, "qkd-tls:60:1073741824" },
        { "qkd-tls:0:1", { NET_QKD_TLS, 0, 1 }, "qkd-tls:0:1" },
        { "tls:0:0", { NET_TLS, 0, 0 }, "tls" },
        { "", { 0 }, NULL },
        { "down", { 0 }, NULL },
        { ":60", { 0 }, NULL },
        { "a-level-of-16-ch", { 0 }, NULL },
        { "otp:x", { 0 }, NULL },
        { "otp:60s", { 0 }, NULL },
        { "otp:-1", { 0 }, NULL },
        { "otp:31536001", { 0 }, NULL },
        { "otp:1:274877906945", { 0 }, NULL },
        { "otp:1:2:3", { 0 }, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 64 };
        struct net_want w = { .key_s = 7 };
        const qc_rc rc = net_want_parse(qc_span_str(rows[i].text), &w, &err);
        if (rows[i].again == NULL) {
            CHECK(rc == QC_USAGE && w.key_s == 7);
            continue;
        }
        CHECK(rc == QC_OK && w.least == rows[i].want.least && w.key_s == rows[i].want.key_s &&
              w.key_bytes == rows[i].want.key_bytes);
        CHECK_OK(net_want_print(&w, &text, &err));
        CHECK(qc_span_eq(qc_buf_span(&text), qc_span_str(rows[i].again)));
    }
}

static void age(const struct net_link_state *s, uint64_t key_s, uint64_t key_bytes, qc_rc want,
                const char *words)
{
    const struct net_want w = { NET_PLAIN, key_s, key_bytes };
    const qc_rc rc = net_want_age(&w, s, &err);
    CHECK(rc == want && (rc == QC_OK || strstr(err.msg, words) != NULL));
}

static void ages(void)
{
    struct net_link_state s = {
        .link = "L", .level = NET_QKD_TLS, .least = NET_QKD_TLS, .key_max_s = 60, .key_max_bytes = 1000
    };
    age(&s, 0, 0, QC_OK, "");
    age(&s, 60, 1000, QC_OK, "");
    age(&s, 59, 0, QC_LINK, "link L uses a key for 60 s, and 59 is");
    age(&s, 0, 999, QC_LINK, "link L uses a key for 1000 bytes, and 999 is");
    s.key_max_s = 0; /* an older link does not say */
    age(&s, 60, 0, QC_LINK, "a key of any age");
    s.level = s.least = NET_OTP; /* it is pad that counts */
    age(&s, 0, 999, QC_OK, "");
    age(&s, 60, 0, QC_LINK, "pad of any age");
    s.pad_max_s = 60;
    age(&s, 60, 0, QC_OK, "");
    s.least = NET_QKD_TLS; /* and a key, where there is no pad */
    age(&s, 60, 0, QC_LINK, "a key of any age");
    s.level = s.least = NET_TLS; /* it has none: the level is too low, which is told elsewhere */
    age(&s, 1, 1, QC_OK, "");
}

int main(void)
{
    texts();
    ages();
    return 0;
}
