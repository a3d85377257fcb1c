/* gateway snapshot: the catalogue of one's own gateway is kept on the clouds, now. */
#include "ask.h"

qc_rc cmd_gateway_snapshot(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/snapshot", QC_LIT("{}") }, "snapshot",
                       true, err);
}
