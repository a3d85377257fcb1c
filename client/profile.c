#include "profile.h"

#include "settings.h"

static qc_rc parse(const char *name, bool *ret, enum vault_scheme *ret_scheme, struct qc_err *err)
{
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

qc_rc profile_shared(const struct qc_args *args, bool *ret, enum vault_scheme *ret_scheme, struct qc_err *err)
{
    return parse(qc_args_value(args, "profile", "ec"), ret, ret_scheme, err);
}

qc_rc profile_of(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    const char *name = qc_args_value(args, "policy", NULL), *given = qc_args_value(args, "profile", NULL);
    const struct setting vault = setting_of(args, SETTING_VAULT);
    if (name != NULL) { /* of the vault, and of its user where that has sites */
        QC_TRY(places_find(&c->places, err));
        if (vault.origin != ORIGIN_DEFAULT)
            QC_TRY_AS(places_vault(&c->places, vault.value, err), err, "%s", vault.by);
        QC_TRY(policy_load(&c->places, name, &c->policy, err));
    }
    const char *wanted = c->policy.profile[0] != '\0' ? c->policy.profile : "ec";
    if (name != NULL && given != NULL && strcmp(given, wanted) != 0)
        return QC_FAIL(err, QC_USAGE, "--profile %.40s, and policy '%s' has the profile %s", given, name,
                       wanted);
    return parse(given != NULL ? given : wanted, &c->shared, &c->scheme, err);
}
