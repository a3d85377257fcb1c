/* unit/net_url: an address is host and port and nothing else, in clear to this machine only. */
#include "net/url.h"

#include <string.h>

#include "qc_check.h"

static const struct row {
    const char *text, *base; /* base NULL: refused */
    const char *words;
} rows[] = {
    { "http://127.0.0.1:8000", "http://127.0.0.1:8000", NULL },
    { "http://[::1]:1", "http://[::1]:1", NULL },
    { "http://localhost:65535", "http://localhost:65535", NULL },
    { "http://127.0.0.1", "http://127.0.0.1:80", NULL },
    { "https://gw.example.org:8443", "https://gw.example.org:8443", NULL },
    { "https://GW-1.example.org", "https://GW-1.example.org:443", NULL },
    { "https://10.0.0.7:443", "https://10.0.0.7:443", NULL },
    { "https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443", NULL },
    { "https://127.0.0.1:8443", "https://127.0.0.1:8443", NULL },
    { "http://gw.example.org:80", NULL, "needs https://" },
    { "http://10.0.0.7", NULL, "needs https://" },
    { "http://127.0.0.1.example.org", NULL, "needs https://" },
    { "http://127.0.0.2:80", NULL, "needs https://" },
    { "http://localhost.:80", NULL, "needs https://" },
    { "http://[::2]", NULL, "needs https://" },
    { "ftp://127.0.0.1", NULL, "http:// or https://" },
    { "HTTPS://gw", NULL, "http:// or https://" },
    { "127.0.0.1:80", NULL, "http:// or https://" },
    { "", NULL, "http:// or https://" },
    { "https://", NULL, "no host" },
    { "https://:443", NULL, "no host" },
    { "https://-gw", NULL, "no host" },
    { "https://.gw", NULL, "no host" },
    { "https://[]:1", NULL, "no host" },
    { "https://[::1", NULL, "no host" },
    { "https://[::1%25eth0]:1", NULL, "no host" },
    { "https://user@gw", NULL, "no name and no password" },
    { "https://user:secret@gw", NULL, "no name and no password" },
    { "https://gw/", NULL, "nothing may follow" },
    { "https://gw?x", NULL, "nothing may follow" },
    { "https://gw#x", NULL, "nothing may follow" },
    { "https://gw:80/", NULL, "a port is" },
    { "https://gw:", NULL, "a port is" },
    { "https://gw:0", NULL, "a port is" },
    { "https://gw:080", NULL, "a port is" },
    { "https://gw:65536", NULL, "a port is" },
    { "https://gw:9999999999", NULL, "a port is" },
    { "https://gw:8 0", NULL, "a port is" },
    { "https://g w", NULL, "nothing may follow" },
    { "https://gw\n", NULL, "nothing may follow" },
    { "https://g\xc3\xa4w", NULL, "nothing may follow" },
    { "http://127.0.0.1\\@evil", NULL, "no name and no password" },
};

static void refuses_long(void)
{
    struct qc_err err = { 0 };
    struct net_url u;
    char text[400] = "https://";
    memset(text + 8, 'a', 255);
    CHECK_OK(net_url_parse(text, &u, &err));
    text[8 + 255] = 'a';
    CHECK_RC(net_url_parse(text, &u, &err), QC_USAGE);
    memset(text + 8, 'a', sizeof text - 9);
    CHECK_RC(net_url_parse(text, &u, &err), QC_USAGE);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct qc_err err = { 0 };
        struct net_url u = { .port = 7 };
        char base[NET_URL_SIZE_MAX + 1] = "";
        const qc_rc rc = net_url_parse(rows[i].text, &u, &err);
        if (rc == QC_OK)
            net_url_base(&u, base);
        if (rows[i].base == NULL ? rc != QC_USAGE || strstr(err.msg, rows[i].words) == NULL || u.port != 7
                                 : rc != QC_OK || strcmp(base, rows[i].base) != 0) {
            fprintf(stderr, "'%s': %s: %s\n", rows[i].text, qc_rc_name(rc), rc == QC_OK ? base : err.msg);
            return 1;
        }
    }
    refuses_long();
    return 0;
}
