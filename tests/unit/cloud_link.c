/* unit/cloud_link: what a cloud's URL says of the way to it. */
#include "cloud/link.h"

#include <string.h>

#include "cloud/cloud.h"
#include "qc_check.h"

static struct qc_err err;

static void ways(void)
{
    static const struct {
        const char *url;
        qc_rc rc;
        bool local;
        enum net_level least;
        const char *link;
    } rows[] = {
        { "file:///c", QC_OK, true, NET_OTP, "" },
        { "s3+https://h/b-1", QC_OK, false, NET_TLS, "" },
        { "s3+http://127.0.0.1:1/b-1?region=r", QC_OK, false, NET_PLAIN, "" },
        { "s3+https://h/b-1?level=plain&region=r", QC_OK, false, NET_PLAIN, "" },
        { "s3+https://h/b-1?level=tls", QC_OK, false, NET_TLS, "" },
        { "s3+https://h/b-1?level=qkd-tls", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?level=tls", QC_USAGE, false, NET_DOWN, "" },
        { "s3v2+http://127.0.0.1/b-1?link=/run/l&level=otp", QC_OK, false, NET_OTP, "/run/l" },
        { "s3+http://127.0.0.1/b-1?region=r&link=/run/l%202&level=qkd-tls", QC_OK, false, NET_QKD_TLS,
          "/run/l 2" },
        { "s3+http://127.0.0.1/b-1?link=/l&level=qkd-tls:x", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/l&level=qkd-tls:1:2:3", QC_USAGE, false, NET_DOWN, "" },
        { "s3+https://h/b-1?level=tls:60", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/run/l", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=run&level=otp", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&link=/b&level=otp", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&level=", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&level=down", QC_USAGE, false, NET_DOWN, "" },
        { "file:///c?level=tls", QC_USAGE, false, NET_DOWN, "" },
        { "file:///c?link=/a&level=otp", QC_USAGE, false, NET_DOWN, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cloud_way w = { .local = !rows[i].local };
        CHECK_RC(cloud_way_of(rows[i].url, &w, &err), rows[i].rc);
        if (rows[i].rc == QC_OK)
            CHECK(w.local == rows[i].local && w.want.least == rows[i].least && w.want.key_s == 0 &&
                  w.want.key_bytes == 0 && strcmp(w.link, rows[i].link) == 0);
        struct cloud *c = NULL; /* and it is refused wherever a cloud is opened or made */
        if (rows[i].rc != QC_OK) {
            CHECK_RC(cloud_check(rows[i].url, NULL, &err), QC_USAGE);
            CHECK_RC(cloud_create(rows[i].url, &err), QC_USAGE);
            CHECK_RC(cloud_open(&c, rows[i].url, &err), QC_USAGE);
        }
    }
}

static void aged(void)
{
    struct cloud_way w;
    CHECK_OK(cloud_way_of("s3+http://127.0.0.1/b-1?link=/l&level=qkd-tls:60:1000&region=r", &w, &err));
    CHECK(w.want.least == NET_QKD_TLS && w.want.key_s == 60 && w.want.key_bytes == 1000);
}

int main(void)
{
    ways();
    aged();
    return 0;
}
