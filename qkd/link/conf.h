/* The configuration of one end of a link: JSON, each member checked (docs/qkd.md, "qcloud-link"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/url.h"

enum link_level { LINK_OTP, LINK_QKD_TLS };
struct link_conf {
    char name[NET_PSK_NAME_MAX + 1], me[NET_PSK_NAME_MAX + 1], peer[NET_PSK_NAME_MAX + 1];
    enum link_level level;
    struct net_address listen, to;
    char url[LINK_PATH_MAX], ca[LINK_PATH_MAX], cert[LINK_PATH_MAX], key[LINK_PATH_MAX], state[LINK_PATH_MAX];
    uint32_t pad_block, pad_blocks, pad_to;
    uint32_t wait_s, rekey_s;
};
/* QC_FORMAT, QC_USAGE: with the member */
QC_MUST qc_rc link_conf_parse(struct link_conf *ret, qc_span text, struct qc_err *err);
