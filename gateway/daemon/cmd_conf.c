#include "cmd_conf.h"

#include <stdio.h>

#include "gateway/engine.h"
#include "keyed.h"
#include "serve.h"
#include "tell.h"

const struct qc_opt cmd_conf_options[] = { { "config", 0, "FILE", "the configuration", false }, { 0 } };

static struct conf conf; /* 20 KiB of paths */

static qc_rc load(void *app, const struct qc_args *args, const char **ret_file, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_CONF;
    *ret_file = qc_args_value(args, "config", NULL);
    if (*ret_file == NULL)
        return QC_FAIL(err, QC_USAGE, "--config FILE is missing");
    return conf_load(*ret_file, &conf, err);
}

/* What `serve` would look at before it opens its doors. */
qc_rc cmd_conf_check(void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *file = NULL;
    QC_TRY(load(app, args, &file, err));
    QC_TRY(gw_engine_there(conf.state, err));
    if (conf.certificate[0] != '\0')
        QC_TRY(serve_check_tls(&conf, err));
    if (conf.qkd.address.port != 0)
        QC_TRY(keyed_check(&conf, err));
    printf("%s can be used\n", file);
    return QC_OK;
}

qc_rc cmd_conf_show(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 128 * 1024 };
    const char *file = NULL;
    QC_TRY(load(app, args, &file, err));
    QC_TRY(conf_print(&conf, &text, err));
    printf("%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}
