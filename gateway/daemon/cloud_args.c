#include "cloud_args.h"

#include <string.h>

#include "conf.h"

/* Bytes of NAME in NAME=VALUE. What stands after it is not repeated in a message: somebody may have put a key
 * there. */
static qc_rc name_of(const char *option, const char *what, const char *text, size_t *ret, struct qc_err *err)
{
    const char *is = strchr(text, '=');
    if (is == NULL || is == text || (size_t)(is - text) > CLOUD_NAME_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "--%s: expected NAME=%s, the name of 1 to %d bytes", option, what,
                       CLOUD_NAME_SIZE_MAX);
    *ret = (size_t)(is - text);
    return QC_OK;
}

static struct gw_engine_cloud *find(struct cloud_args *c, const char *name, size_t n)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strlen(c->names[i]) == n && memcmp(c->names[i], name, n) == 0)
            return &c->v[i];
    return NULL;
}

static qc_rc take_credentials(const struct qc_args *args, struct cloud_args *c, struct qc_err *err)
{
    const char *text = NULL;
    for (size_t i = 0; (text = qc_args_nth(args, "cloud-credentials", i)) != NULL; i++) {
        size_t n = 0;
        QC_TRY(name_of("cloud-credentials", "FILE, or NAME=aws:PROFILE", text, &n, err));
        struct gw_engine_cloud *cloud = find(c, text, n);
        if (cloud == NULL)
            return QC_FAIL(err, QC_USAGE, "--cloud-credentials %.*s=..: there is no --cloud %.*s=URL", (int)n,
                           text, (int)n, text);
        if (cloud->credentials != NULL)
            return QC_FAIL(err, QC_USAGE, "--cloud-credentials %.*s=..: given twice", (int)n, text);
        cloud->credentials = text + n + 1;
    }
    return QC_OK;
}

qc_rc cloud_args_take(const struct qc_args *args, struct cloud_args *ret, struct qc_err *err)
{
    const char *text = NULL;
    for (size_t i = 0; (text = qc_args_nth(args, "cloud", i)) != NULL; i++) {
        size_t n = 0;
        QC_TRY(name_of("cloud", "URL", text, &n, err));
        if (ret->count == QC_GW_CLOUDS_MAX)
            return QC_FAIL(err, QC_USAGE, "more than %d clouds", QC_GW_CLOUDS_MAX);
        char *name = ret->names[ret->count];
        memcpy(name, text, n);
        name[n] = '\0';
        ret->v[ret->count++] = (struct gw_engine_cloud){ .name = name, .url = text + n + 1 };
    }
    if (ret->count == 0)
        return QC_FAIL(err, QC_USAGE, "no --cloud NAME=URL was given");
    return take_credentials(args, ret, err);
}

qc_rc cloud_args_state(const struct qc_args *args, const char **ret, struct qc_err *err)
{
    static struct conf conf; /* its path lives as long as that of argv */
    const char *file = qc_args_value(args, "config", NULL);
    *ret = qc_args_value(args, "state", NULL);
    if ((*ret == NULL) == (file == NULL))
        return QC_FAIL(err, QC_USAGE, "either --state DIR, or --config FILE, which names it, is needed");
    if (file != NULL)
        QC_TRY(conf_load(file, &conf, err));
    if (file != NULL)
        *ret = conf.state;
    return QC_OK;
}
