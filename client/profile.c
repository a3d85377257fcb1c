#include "profile.h"

qc_rc profile_shared(const struct qc_args *args, bool *ret, enum vault_scheme *ret_scheme, struct qc_err *err)
{
    const char *name = qc_args_value(args, "profile", "ec");
    unsigned s = 0;
    while (s < VAULT_SCHEMES && strcmp(vault_scheme_text(s), name) != 0)
        s++;
    if (s == VAULT_SCHEMES && strcmp(name, "ec") != 0)
        return QC_FAIL(err, QC_USAGE, "--profile is ec, xor23, shamir or mirror, not '%.80s'", name);
    *ret = s < VAULT_SCHEMES;
    if (ret_scheme != NULL && *ret)
        *ret_scheme = s;
    return QC_OK;
}
