/* What a serving gateway notes in its audit log by itself: states of clouds as they change, requests without
 * a token, its own beginning and end. Part of qcloud-gateway; the main loop's thread alone. */
#pragma once
#include "http.h"

struct chronicle {
    struct {
        bool known;
        enum gw_cloud_state state;
        enum gw_breaker_state breaker;
    } clouds[QC_GW_CLOUDS_MAX];
    uint64_t refused;    /* as told */
    uint64_t refused_ms; /* when the next are told */
};
/* Beginning. The clouds are noted as they are. */
void chronicle_begin(struct chronicle *c, struct http_server *server);
/* Now and then. What changed and changed back in between is not seen. */
void chronicle_tick(struct chronicle *c, struct http_server *server);
/* The end; why: "signal", "idle", or what failed. */
void chronicle_end(struct chronicle *c, struct http_server *server, const char *why);
