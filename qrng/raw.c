#include "raw.h"

typedef qc_rc (*open_fn)(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);

static const open_fn opens[QRNG_KIND_COUNT] = {
    [QRNG_KIND_DEVICE] = qrng_device_open, [QRNG_KIND_COMMAND] = qrng_command_open,
    [QRNG_KIND_FILE] = qrng_file_open,     [QRNG_KIND_ANU] = qrng_https_open,
    [QRNG_KIND_QUANTIS] = qrng_https_open, [QRNG_KIND_RAW] = qrng_https_open,
    [QRNG_KIND_KME] = qrng_maker_open,
};

qc_rc qrng_maker_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    if (conf->maker == NULL)
        return QC_FAIL(err, QC_RANDOM, "this program has no client for sources of kind %s",
                       qrng_kind_text(conf->kind));
    QC_TRY(conf->maker->open(&ret->ctx, conf, err));
    ret->ops = &conf->maker->ops;
    return QC_OK;
}

qc_rc qrng_raw_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    QC_ASSERT((unsigned)conf->kind < QRNG_KIND_COUNT);
    return opens[conf->kind](ret, conf, err);
}

void qrng_raw_close(struct qrng_raw *raw)
{
    if (raw->ops != NULL)
        raw->ops->close(raw->ctx);
    raw->ops = NULL;
    raw->ctx = NULL;
}
