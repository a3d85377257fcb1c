/* fuzz/link_conf: an end's configuration: taken, then every member is in its range; or refused. */
#include "conf.h"

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct link_conf c;
    struct qc_err err = { 0 };
    if (size > LINK_CONF_MAX)
        return 0;
    const qc_rc rc = link_conf_parse(&c, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_FORMAT || rc == QC_USAGE || rc == QC_LIMIT);
    if (rc != QC_OK)
        return 0;
    QC_ASSERT(c.name[0] != '\0' && c.me[0] != '\0' && c.peer[0] != '\0' && strcmp(c.me, c.peer) != 0);
    QC_ASSERT(c.listen.port != 0 && c.to.port != 0 &&
              (c.level < NET_QKD_TLS || (c.url[0] != '\0' && c.ca[0] == '/')));
    QC_ASSERT(c.pad_block % QKD_PAD_WINDOW == 0 && c.pad_block >= QKD_PAD_BLOCK_MIN);
    QC_ASSERT(c.pad_blocks > 0 && c.pad_to <= NET_OTP_BODY_MAX && c.wait_s > 0 && c.rekey_s > 0);
    QC_ASSERT(c.key_max_s >= c.rekey_s && c.key_max_bytes >= c.rekey_bytes && c.rekey_bytes > 0);
    QC_ASSERT(c.least <= c.level && (c.least < c.level) == (c.without == LINK_WEAKER));
    QC_ASSERT(c.level != NET_TLS || (c.tls_ca[0] == '/' && c.tls_key[0] == '/' && c.tls_peer[0] != '\0'));
    QC_ASSERT(c.status[0] == '\0' || c.status[0] == '/');
    QC_ASSERT(c.level != NET_OTP || c.state[0] == '/');
    return 0;
}
