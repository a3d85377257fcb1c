/* All drivers, and the calls that know them. */
#include "driver.h"

static const struct cloud_drivers all = {
    .v = { &cloud_file_driver, &cloud_s3_https_driver, &cloud_s3_http_driver, &cloud_s3v2_http_driver,
           &cloud_s3v2_https_driver },
    .count = 5,
};

qc_rc cloud_driver_find(const char *scheme, const struct cloud_driver **ret, struct qc_err *err)
{
    return cloud_driver_find_of(&all, scheme, ret, err);
}

qc_rc cloud_check(const char *url, const char *credentials, struct qc_err *err)
{
    return cloud_check_of(&all, url, credentials, err);
}

qc_rc cloud_open(struct cloud **ret, const char *url, struct qc_err *err)
{
    struct cloud_opts opts = { .op = { .deadline = QC_NO_DEADLINE } };
    return cloud_open_opts(ret, url, &opts, err);
}

qc_rc cloud_open_opts(struct cloud **ret, const char *url, const struct cloud_opts *opts, struct qc_err *err)
{
    return cloud_open_of(ret, &all, url, opts, err);
}

qc_rc cloud_create(const char *url, struct qc_err *err)
{
    struct cloud_opts opts = { .op = { .deadline = QC_NO_DEADLINE } };
    return cloud_create_opts(url, &opts, err);
}

qc_rc cloud_create_opts(const char *url, const struct cloud_opts *opts, struct qc_err *err)
{
    return cloud_create_of(&all, url, opts, err);
}
