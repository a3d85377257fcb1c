/* ct/gateway_token: a token's form, its hash and the search for its tenant do not branch on, or address by,
 * what was shown: neither a near miss nor the place of a hit is in the time. */
#include <valgrind/memcheck.h>

#include "base/token.h"
#include "engine_internal.h"
#include "qc_check.h"

enum { TENANTS = 50 };
static struct gw_tenant tenants[TENANTS];

int main(void)
{
    static const char text[] =
        "qcloud-token-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    uint8_t token[QC_TOKEN_BYTES], hash[QC_SHA256_BYTES];
    struct qc_err err = { 0 };

    memcpy(token, text, sizeof token);
    VALGRIND_MAKE_MEM_UNDEFINED(token, sizeof token);
    bool ok = qc_token_ok(qc_span_of(token, sizeof token));
    VALGRIND_MAKE_MEM_DEFINED(&ok, sizeof ok);
    CHECK(ok); /* that it has the form is told */
    CHECK_OK(qc_token_hash(qc_span_of(token, sizeof token), hash, &err));
    for (unsigned i = 0; i < TENANTS; i++)
        memset(tenants[i].verifier, (int)i, sizeof tenants[i].verifier);
    for (unsigned at = 0; at <= TENANTS; at++) {
        uint8_t shown[GW_DIGEST_BYTES];
        memset(shown, (int)at, sizeof shown);
        VALGRIND_MAKE_MEM_UNDEFINED(shown, sizeof shown);
        unsigned found = gw_tenant_match(tenants, TENANTS, shown);
        VALGRIND_MAKE_MEM_DEFINED(&found, sizeof found);
        CHECK(found == at);
    }
    return 0;
}
