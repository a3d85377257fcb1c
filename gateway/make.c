#include "make.h"

#include "base/alloc.h"

void gw_quorums(struct gw_config *conf)
{
    const unsigned m = conf->n - conf->k;

    conf->record_quorum = m + 1;
    conf->write_quorum = conf->k + 1 > m + 1 ? conf->k + 1 : m + 1;
    if (conf->write_quorum > conf->n)
        conf->write_quorum = conf->n;
}

unsigned gw_write_quorum(const struct gw_config *conf, unsigned k, unsigned n)
{
    struct gw_config other = { .k = k, .n = n };

    gw_quorums(&other);
    return k == conf->k && n == conf->n ? conf->write_quorum : other.write_quorum;
}

bool gw_cloud_name_ok(const char *name)
{
    const size_t n = strlen(name);

    return n >= 1 && n <= CLOUD_NAME_SIZE_MAX && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

qc_rc gw_clouds_check(const struct gw_engine_cloud *clouds, unsigned count, struct qc_err *err)
{
    if (count < 1 || count > QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_USAGE, "%u clouds, expected 1..%d", count, QC_GW_CLOUDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (!gw_cloud_name_ok(clouds[i].name))
            return QC_FAIL(err, QC_USAGE, "cloud name '%s': expected 1..%d of letters, digits, '.', '_', '-'",
                           clouds[i].name, CLOUD_NAME_SIZE_MAX);
        if (strlen(clouds[i].url) < 1 || strlen(clouds[i].url) > CLOUD_URL_SIZE_MAX)
            return QC_FAIL(err, QC_USAGE, "cloud %s: a URL of %zu bytes", clouds[i].name,
                           strlen(clouds[i].url));
        for (unsigned j = 0; j < i; j++)
            if (strcmp(clouds[i].name, clouds[j].name) == 0 || strcmp(clouds[i].url, clouds[j].url) == 0)
                return QC_FAIL(err, QC_USAGE, "cloud %s: named twice, or in the same place as cloud %s",
                               clouds[i].name, clouds[j].name);
    }
    return QC_OK;
}

qc_rc gw_clouds_check_keys(const struct gw_engine_cloud *clouds, unsigned count, struct qc_err *err)
{
    for (unsigned i = 0; i < count; i++)
        QC_TRY_AS(cloud_check(clouds[i].url, clouds[i].credentials, err), err, "cloud %s", clouds[i].name);
    return QC_OK;
}

qc_rc gw_clouds_rows(const struct gw_engine_cloud *clouds, unsigned count, struct gw_cloud_row **ret,
                     struct qc_err *err)
{
    QC_TRY(gw_clouds_check(clouds, count, err));
    struct gw_cloud_row *rows = qc_alloc(count * sizeof *rows);
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    for (unsigned i = 0; i < count; i++) {
        rows[i].id = i + 1;
        rows[i].generation = 1;
        rows[i].labels.weight = GW_WEIGHT_DEFAULT;
        memcpy(rows[i].name, clouds[i].name, strlen(clouds[i].name) + 1);
        memcpy(rows[i].url, clouds[i].url, strlen(clouds[i].url) + 1);
    }
    *ret = rows;
    return QC_OK;
}

qc_rc gw_birth_write(struct gw_cat *c, const struct gw_birth *b, struct qc_err *err)
{
    const struct gw_log_tip tip = { 0 };

    QC_TRY(gw_config_put(c, &b->conf, err));
    QC_TRY(gw_tip_put(c, &tip, err));
    QC_TRY(gw_meta_set(c, "next_segment", b->next_segment, err));
    QC_TRY(gw_meta_set(c, "bkey_epoch", b->bkey_epoch, err));
    for (unsigned i = 0; i < b->cloud_count; i++)
        QC_TRY(gw_cloud_put(c, &b->clouds[i], err));
    return gw_cloud_recount(c, err);
}

qc_rc gw_birth_bkey(struct gw_cat *c, const struct gw_root *r, uint32_t epoch, const qc_key *bkey,
                    const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = 256 };
    uint8_t salt[GW_SALT_BYTES];

    QC_TRY(qc_rng_fill(rng, salt, sizeof salt, err));
    QC_TRY(gw_bkey_seal(r, epoch, salt, bkey, &sealed, err));
    return gw_bkey_put(c, epoch, qc_buf_span(&sealed), err);
}
