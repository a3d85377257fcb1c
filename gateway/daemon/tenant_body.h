/* A new tenant, or what shall change of one, as JSON says it. Part of qcloud-gateway; docs/API.md. */
#pragma once
#include "base/json.h"
#include "gateway/tenant.h"

/* c points into the rest, and into the JSON: not copied. */
struct tenant_body {
    struct gw_tenant_change c;
    uint8_t hash[QC_SHA256_BYTES];
    bool enabled;
    uint64_t bytes, objects, uploads, requests;
};
/* name: of one that exists; NULL: a new one, which the body names. QC_FORMAT. */
QC_MUST qc_rc tenant_body_parse(struct tenant_body *ret, const char *name, const struct json_t *body,
                                struct qc_err *err);
