/* The descriptors of the share stores follow the clouds of the user's own gateway. */
#include <string.h>

#include "base/alloc.h"
#include "vault/share_store.h"
#include "vault/vault.h"

static bool same_clouds(const struct vault_descriptor *a, const struct vault_descriptor *b)
{
    bool same = a->cloud_count == b->cloud_count;
    for (size_t i = 0; same && i < a->cloud_count; i++)
        same = a->clouds[i].id == b->clouds[i].id && strcmp(a->clouds[i].name, b->clouds[i].name) == 0 &&
               strcmp(a->clouds[i].url, b->clouds[i].url) == 0;
    return same;
}

static void drop_clouds(struct vault_descriptor *d)
{
    for (size_t i = 0; i < d->cloud_count; i++) {
        qc_free(d->clouds[i].name);
        qc_free(d->clouds[i].url);
        d->clouds[i] = (struct vault_cloud){ 0 };
    }
    d->cloud_count = 0;
}

static qc_rc renew(struct vault_store *s, const struct vault_descriptor *now, bool *ret_changed,
                   struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf fresh = { .max = VAULT_DESCRIPTOR_MAX };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    QC_TRY(vault_store_descriptor_get(s, &text, err));
    QC_TRY(vault_descriptor_parse(&d, qc_buf_span(&text), err));
    if (d.url != NULL || (same_clouds(&d, now) && d.k == now->k && d.n == now->n))
        return QC_OK;
    d.k = now->k;
    d.n = now->n;
    drop_clouds(&d);
    for (size_t i = 0; i < now->cloud_count; i++)
        QC_TRY(
            vault_descriptor_add_cloud(&d, now->clouds[i].id, now->clouds[i].name, now->clouds[i].url, err));
    QC_TRY(vault_descriptor_write(&fresh, &d, err));
    QC_TRY(vault_store_descriptor_put(s, qc_buf_span(&fresh), err));
    *ret_changed = true;
    return QC_OK;
}

qc_rc vault_renew_clouds(const struct vault_conf *conf, unsigned index, const struct vault_descriptor *now,
                         bool *ret_changed, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    const struct vault_store_expect expect = {
        .index = index, .vault = conf->vault, .passes = conf->passes, .named = conf->named[index - 1] != NULL
    };
    QC_ASSERT(index >= 1 && index <= 2 && now->cloud_count > 0);
    *ret_changed = false;
    if (conf->share[index - 1] == NULL)
        return QC_FAIL(err, QC_SHARES, "share store %u is not configured", index);
    if (conf->absent[index - 1] != NULL)
        return QC_FAIL(err, QC_SHARES, "share store %u (%s): %s", index, conf->named[index - 1],
                       conf->absent[index - 1]);
    QC_TRY(vault_store_open(&s, conf->share[index - 1], VAULT_STORE_WRITE, &expect, err));
    return renew(s, now, ret_changed, err);
}
