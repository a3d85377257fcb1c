/* The configuration of one end of a link: JSON, each member checked (docs/qkd.md, "qcloud-link"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/link_state.h"
#include "net/url.h"

/* What is done when there is no key, or no pad, and what is there may not be used any more. */
enum link_without {
    LINK_WAITS,  /* up to wait_s, then connections break */
    LINK_FAILS,  /* they break at once */
    LINK_WEAKER, /* after wait_s it goes on at conf.least */
};
struct link_conf {
    char name[NET_PSK_NAME_MAX + 1], me[NET_PSK_NAME_MAX + 1], peer[NET_PSK_NAME_MAX + 1];
    enum net_level level, least; /* least: level, unless without is LINK_WEAKER */
    enum link_without without;
    struct net_address listen, to;
    char url[LINK_PATH_MAX], ca[LINK_PATH_MAX], cert[LINK_PATH_MAX], key[LINK_PATH_MAX], state[LINK_PATH_MAX];
    char status[LINK_PATH_MAX];                                                  /* "": none */
    char tls_ca[LINK_PATH_MAX], tls_cert[LINK_PATH_MAX], tls_key[LINK_PATH_MAX]; /* level tls */
    char tls_peer[LINK_PATH_MAX];                      /* the other end's name in its certificate */
    uint32_t pad_block, pad_blocks, pad_to, pad_max_s; /* pad_max_s 0: of any age */
    uint32_t wait_s, rekey_s, key_max_s;
    uint64_t rekey_bytes, key_max_bytes;
};
/* QC_FORMAT, QC_USAGE: with the member */
QC_MUST qc_rc link_conf_parse(struct link_conf *ret, qc_span text, struct qc_err *err);
