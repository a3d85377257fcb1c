#include "vault/descriptor.h"

#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/json.h"
#include "vault/gw.h"

void vault_descriptor_done(struct vault_descriptor *d)
{
    for (size_t i = 0; i < d->cloud_count; i++) {
        qc_free(d->clouds[i].name);
        qc_free(d->clouds[i].url);
    }
    qc_free(d->url);
    qc_free(d->keeper);
    vault_descriptor_drop_before(d, NULL);
    *d = (struct vault_descriptor){ 0 };
}

qc_rc vault_descriptor_set_url(struct vault_descriptor *d, const char *url, struct qc_err *err)
{
    struct qc_err why = { 0 };
    QC_ASSERT(vault_gw_url_check(url, &why) == QC_OK && d->cloud_count == 0);
    char *copy = qc_strdup(url);
    if (copy == NULL)
        return QC_FAIL(err, QC_NOMEM, "descriptor: no memory for an address");
    qc_free(d->url);
    d->url = copy;
    return QC_OK;
}

qc_rc vault_descriptor_set_keeper(struct vault_descriptor *d, const char *url, struct qc_err *err)
{
    char *copy = qc_strdup(url);
    if (copy == NULL)
        return QC_FAIL(err, QC_NOMEM, "descriptor: no memory for an address");
    qc_free(d->keeper);
    d->keeper = copy;
    return QC_OK;
}

qc_rc vault_descriptor_add_before(struct vault_descriptor *d, const char *url, struct qc_err *err)
{
    for (size_t i = 0; i < d->before_count; i++)
        if (strcmp(d->before[i], url) == 0)
            return QC_OK;
    if (d->before_count == VAULT_KEEPERS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%d changes of the keeper came to no end: one more is too many",
                       VAULT_KEEPERS_MAX);
    char *copy = qc_strdup(url);
    if (copy == NULL)
        return QC_FAIL(err, QC_NOMEM, "descriptor: no memory for an address");
    d->before[d->before_count++] = copy;
    return QC_OK;
}

void vault_descriptor_drop_before(struct vault_descriptor *d, const char *url)
{
    size_t n = 0;
    for (size_t i = 0; i < d->before_count; i++) {
        if (url == NULL || strcmp(d->before[i], url) == 0)
            qc_free(d->before[i]);
        else
            d->before[n++] = d->before[i];
    }
    d->before_count = n;
}

qc_rc vault_descriptor_add_cloud(struct vault_descriptor *d, uint32_t id, const char *name, const char *url,
                                 struct qc_err *err)
{
    if (d->cloud_count == VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_LIMIT, "descriptor: more than %d clouds", VAULT_CLOUDS_MAX);
    QC_CLEANUP(qc_free_ptr) char *name_copy = qc_strdup(name);
    QC_CLEANUP(qc_free_ptr) char *url_copy = qc_strdup(url);
    if (name_copy == NULL || url_copy == NULL)
        return QC_FAIL(err, QC_NOMEM, "descriptor: no memory for a cloud");
    d->clouds[d->cloud_count++] =
        (struct vault_cloud){ .id = id, .name = QC_STEAL(name_copy), .url = QC_STEAL(url_copy) };
    return QC_OK;
}

static qc_rc write_clouds(struct json_t *gateway, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *clouds = NULL;
    QC_TRY(qc_json_new_arr(&clouds, err));
    for (size_t i = 0; i < d->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *cloud = NULL;
        QC_TRY(qc_json_new_obj(&cloud, err));
        QC_TRY(qc_json_set_int(cloud, "id", (int64_t)d->clouds[i].id, err));
        QC_TRY(qc_json_set_str(cloud, "name", d->clouds[i].name, err));
        QC_TRY(qc_json_set_str(cloud, "url", d->clouds[i].url, err));
        QC_TRY(qc_json_append(clouds, &cloud, err));
    }
    return qc_json_set(gateway, "clouds", &clouds, err);
}

static qc_rc write_gateway(struct json_t *root, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *gateway = NULL;
    QC_TRY(qc_json_new_obj(&gateway, err));
    QC_TRY(qc_json_set_str(gateway, "kind", d->url != NULL ? "remote" : "local", err));
    QC_TRY(qc_json_set_hex(gateway, "catalogue", qc_span_of(d->catalogue, sizeof(d->catalogue)), err));
    QC_TRY(qc_json_set_int(gateway, "k", (int64_t)d->k, err));
    QC_TRY(qc_json_set_int(gateway, "n", (int64_t)d->n, err));
    if (d->url != NULL)
        QC_TRY(qc_json_set_str(gateway, "url", d->url, err));
    else
        QC_TRY(write_clouds(gateway, d, err));
    return qc_json_set(root, "gateway", &gateway, err);
}

static qc_rc write_before(struct json_t *root, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *before = NULL;
    if (d->before_count == 0)
        return QC_OK;
    QC_TRY(qc_json_new_arr(&before, err));
    for (size_t i = 0; i < d->before_count; i++)
        QC_TRY(qc_json_append_str(before, d->before[i], err));
    return qc_json_set(root, "backup-before", &before, err);
}

qc_rc vault_descriptor_write(qc_buf *ret, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *stores = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
    QC_TRY(qc_json_new_obj(&root, err));
    QC_TRY(qc_json_set_int(root, "format", 1, err));
    QC_TRY(qc_json_set_hex(root, "vault", qc_span_of(d->vault, sizeof(d->vault)), err));
    QC_TRY(qc_json_set_str(root, "mode", d->derived ? "derived" : "stored", err));
    QC_TRY(qc_json_new_arr(&stores, err));
    for (size_t i = 0; i < 2; i++) {
        char hex[2 * VAULT_ID_BYTES + 1];
        qc_hex(qc_span_of(d->stores[i], VAULT_ID_BYTES), hex);
        QC_TRY(qc_json_append_str(stores, hex, err));
    }
    QC_TRY(qc_json_set(root, "stores", &stores, err));
    QC_TRY(write_gateway(root, d, err));
    if (d->keeper != NULL)
        QC_TRY(qc_json_set_str(root, "backup-to", d->keeper, err));
    QC_TRY(write_before(root, d, err));
    QC_TRY_AS(qc_json_dump(root, &text, err), err, "descriptor");
    return qc_buf_add(ret, qc_buf_span(&text), err);
}

static qc_rc parse_clouds(struct vault_descriptor *d, const struct json_t *gateway, struct qc_err *err)
{
    struct json_t *clouds = NULL;
    QC_TRY(qc_json_arr(gateway, "clouds", &clouds, err));
    for (size_t i = 0; i < qc_json_len(clouds); i++) {
        const struct json_t *cloud = qc_json_at(clouds, i);
        const char *name = NULL, *url = NULL;
        int64_t id = 0;
        if (!qc_json_is_object(cloud))
            return QC_FAIL(err, QC_FORMAT, "cloud %zu is no object", i);
        QC_TRY(qc_json_int(cloud, "id", 0, UINT32_MAX, &id, err));
        QC_TRY(qc_json_str(cloud, "name", &name, err));
        QC_TRY(qc_json_str(cloud, "url", &url, err));
        QC_TRY(vault_descriptor_add_cloud(d, (uint32_t)id, name, url, err));
    }
    return QC_OK;
}

static qc_rc parse_url(struct vault_descriptor *d, const struct json_t *gateway, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const char *url = NULL;
    QC_TRY(qc_json_str(gateway, "url", &url, err));
    if (vault_gw_url_check(url, &why) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "url: %s", why.msg);
    return vault_descriptor_set_url(d, url, err);
}

static qc_rc parse_gateway(struct vault_descriptor *d, const struct json_t *root, struct qc_err *err)
{
    struct json_t *gateway = NULL;
    const char *kind = NULL;
    int64_t k = 0, n = 0;
    QC_TRY(qc_json_obj(root, "gateway", &gateway, err));
    QC_TRY(qc_json_str(gateway, "kind", &kind, err));
    const bool remote = strcmp(kind, "remote") == 0;
    if (!remote && strcmp(kind, "local") != 0)
        return QC_FAIL(err, QC_NEWER, "gateway of a kind that this program does not know");
    QC_TRY(qc_json_hex(gateway, "catalogue", d->catalogue, sizeof(d->catalogue), err));
    QC_TRY(qc_json_int(gateway, "k", 1, VAULT_CLOUDS_MAX, &k, err));
    QC_TRY(qc_json_int(gateway, "n", k, VAULT_CLOUDS_MAX, &n, err));
    d->k = (unsigned)k;
    d->n = (unsigned)n;
    return remote ? parse_url(d, gateway, err) : parse_clouds(d, gateway, err);
}

static qc_rc parse_keepers(struct vault_descriptor *d, const struct json_t *root, struct qc_err *err)
{
    struct json_t *before = NULL;
    const char *keeper = NULL;
    if (qc_json_has(root, "backup-to")) {
        QC_TRY(qc_json_str(root, "backup-to", &keeper, err));
        QC_TRY(vault_descriptor_set_keeper(d, keeper, err));
    }
    if (!qc_json_has(root, "backup-before"))
        return QC_OK;
    QC_TRY(qc_json_arr(root, "backup-before", &before, err));
    if (qc_json_len(before) > VAULT_KEEPERS_MAX)
        return QC_FAIL(err, QC_FORMAT, "backup-before: %zu of them, at most %d", qc_json_len(before),
                       VAULT_KEEPERS_MAX);
    for (size_t i = 0; i < qc_json_len(before); i++) {
        keeper = qc_json_str_value(qc_json_at(before, i));
        if (keeper == NULL)
            return QC_FAIL(err, QC_FORMAT, "backup-before: no text");
        QC_TRY(vault_descriptor_add_before(d, keeper, err));
    }
    return QC_OK;
}

static qc_rc parse(struct vault_descriptor *d, const struct json_t *root, struct qc_err *err)
{
    struct json_t *stores = NULL;
    const char *mode = NULL;
    int64_t format = 0;
    if (!qc_json_is_object(root))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_int(root, "format", 1, INT32_MAX, &format, err));
    QC_TRY(qc_json_str(root, "mode", &mode, err));
    d->derived = strcmp(mode, "derived") == 0;
    if (format != 1 || (!d->derived && strcmp(mode, "stored") != 0))
        return QC_FAIL(err, QC_NEWER, "needs a newer program");
    QC_TRY(qc_json_hex(root, "vault", d->vault, sizeof(d->vault), err));
    QC_TRY(qc_json_arr(root, "stores", &stores, err));
    if (qc_json_len(stores) != 2)
        return QC_FAIL(err, QC_FORMAT, "stores: %zu of them, 2 expected", qc_json_len(stores));
    for (size_t i = 0; i < 2; i++) {
        const char *hex = qc_json_str_value(qc_json_at(stores, i));
        if (hex == NULL)
            return QC_FAIL(err, QC_FORMAT, "stores: no text");
        QC_TRY(qc_hex_dec(qc_span_str(hex), d->stores[i], VAULT_ID_BYTES, err));
    }
    QC_TRY(parse_keepers(d, root, err));
    return parse_gateway(d, root, err);
}

qc_rc vault_descriptor_parse(struct vault_descriptor *ret, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    if (text.n > VAULT_DESCRIPTOR_MAX)
        return QC_FAIL(err, QC_FORMAT, "descriptor: %zu bytes, at most %d", text.n, VAULT_DESCRIPTOR_MAX);
    QC_TRY_AS(qc_json_parse(&root, text, err), err, "descriptor");
    QC_TRY_AS(parse(&d, root, err), err, "descriptor");
    *ret = QC_STEAL(d);
    return QC_OK;
}
