/* The steps of a run, in their order. */
#include "files.h"

void salvage_done(struct salvage *s)
{
    index_close(&s->ix);
    vault_ring_free(&s->ring);
    qc_key_free(&s->W);
    vault_store_close(&s->store[0]);
    vault_store_close(&s->store[1]);
    vault_passes_done(&s->passes);
    gw_log_done(&s->log);
    for (unsigned i = 0; i < QC_GW_BKEYS_MAX; i++)
        qc_prk_free(&s->bkey[i]);
    gw_root_free(&s->root);
    qc_aead_free(&s->aead);
    for (unsigned i = 0; i < s->source_count; i++)
        qc_fd_close(&s->dir[i]);
}

qc_rc salvage_run(struct salvage *s, struct out *out, const char *scratch, struct qc_err *err)
{
    QC_TRY(qc_aead_new(&s->aead, err));
    QC_TRY(index_open(&s->ix, scratch, err));
    QC_TRY(scan_sources(s, err));
    QC_TRY(rootkey_find(s, err));
    QC_TRY(chain_read(s, err));
    QC_TRY(stores_find(s, err));
    return files_salvage(s, out, err);
}
