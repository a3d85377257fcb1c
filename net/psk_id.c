#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "net/psk.h"

static const char prefix[] = "qcloud/1|";
enum { PREFIX = sizeof prefix - 1, WIRE_MAX = 255 };

/* A field up to the next '|' or the end, into room of max bytes and a NUL. */
static bool take(qc_span *s, char *room, size_t max, bool last)
{
    size_t n = 0;
    while (n < s->n && s->p[n] != '|') {
        if (s->p[n] < 0x21 || s->p[n] > 0x7e || n == max)
            return false;
        room[n] = (char)s->p[n];
        n++;
    }
    room[n] = '\0';
    if (n == 0 || last != (n == s->n))
        return false;
    *s = qc_span_from(*s, last ? n : n + 1);
    return true;
}

qc_rc net_psk_id_parse(struct net_psk_id *ret, qc_span identity, struct qc_err *err)
{
    struct net_psk_id id = { 0 };
    qc_span s = identity;
    bool is =
        s.n <= WIRE_MAX && s.n > PREFIX && qc_span_eq(qc_span_sub(s, 0, PREFIX), qc_span_of(prefix, PREFIX));
    if (is) {
        s = qc_span_from(s, PREFIX);
        is = take(&s, id.link, NET_PSK_NAME_MAX, false) && take(&s, id.master, NET_PSK_NAME_MAX, false) &&
             take(&s, id.slave, NET_PSK_NAME_MAX, false) && take(&s, id.key_id, NET_PSK_KEY_ID_MAX, true);
    }
    if (!is)
        return QC_FAIL(err, QC_FORMAT, "a PSK identity that is none of ours");
    *ret = id;
    return QC_OK;
}

qc_rc net_psk_id_print(const struct net_psk_id *id, char ret[NET_PSK_IDENTITY], struct qc_err *err)
{
    struct net_psk_id again;
    char text[NET_PSK_IDENTITY];
    const int n =
        snprintf(text, sizeof text, "%s%s|%s|%s|%s", prefix, id->link, id->master, id->slave, id->key_id);
    QC_ASSERT(n > 0 && n < NET_PSK_IDENTITY);
    if (net_psk_id_parse(&again, qc_span_str(text), err) != QC_OK)
        return QC_FAIL(err, QC_USAGE,
                       "names of links and SAEs have printable characters, no '|', and 255 bytes in all");
    memcpy(ret, text, (size_t)n + 1);
    return QC_OK;
}

qc_rc net_psk_name(qc_span v, char ret[NET_PSK_NAME_MAX + 1], struct qc_err *err)
{
    char name[NET_PSK_NAME_MAX + 1];
    if (!take(&v, name, NET_PSK_NAME_MAX, true))
        return QC_FAIL(err, QC_USAGE, "1 to %d printable characters without '|'", NET_PSK_NAME_MAX);
    memcpy(ret, name, strlen(name) + 1);
    return QC_OK;
}

qc_rc net_psk_key(uint8_t ret[NET_PSK_BYTES], qc_span qkd_key, const struct net_psk_id *id,
                  struct qc_err *err)
{
    char identity[NET_PSK_IDENTITY];
    if (qkd_key.n < NET_PSK_KEY_MIN)
        return QC_FAIL(err, QC_USAGE, "a key from QKD for TLS has %d bytes at least", NET_PSK_KEY_MIN);
    QC_TRY(net_psk_id_print(id, identity, err));
    return qc_hkdf_sha384(QC_LIT("qcloud/1 qkd-tls"), qkd_key, qc_span_str(identity), ret, err);
}
