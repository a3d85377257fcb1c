/* fuzz/net_url: any text is an address or none; what is taken says the same when it is written out again. */
#include "net/url.h"

#include <string.h>

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct net_url u, again;
    char text[512], base[NET_URL_SIZE_MAX + 1];
    if (size >= sizeof text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (net_url_parse(text, &u, &err) != QC_OK)
        return 0;
    QC_ASSERT(u.port >= 1 && u.port <= 65535 && u.host[0] != '\0');
    QC_ASSERT(u.tls || net_host_is_loopback(u.host));
    net_url_base(&u, base);
    QC_ASSERT(net_url_parse(base, &again, &err) == QC_OK);
    QC_ASSERT(again.tls == u.tls && again.port == u.port && strcmp(again.host, u.host) == 0);
    return 0;
}
