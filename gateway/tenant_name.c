/* Apart from what serves tenants: whoever reads the log needs this and nothing else of them. */
#include "gateway/tenant.h"

bool gw_tenant_name_ok(qc_span name)
{
    if (name.n < 1 || name.n > QC_GW_TENANT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        const uint8_t c = name.p[i];
        const bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}
