#include "journal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void note_failure(struct vault_local_status *st, unsigned i, qc_rc rc, const char *text)
{
    st->share[i].rc = rc;
    snprintf(st->share[i].text, sizeof(st->share[i].text), "%.255s", text);
}

/* One store: is it there, whole as far as a look tells, and what does it hold? Fails only when the user broke
 * off. */
static qc_rc look(struct vault_local_status *st, unsigned i, const struct vault_conf *conf,
                  struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    struct vault_store_health h = { 0 };
    struct vault_head head = { 0 };
    struct qc_err why = { 0 };
    struct stat dir;
    if (conf->share[i] == NULL) {
        note_failure(st, i, QC_SHARES, "not configured");
        return QC_OK;
    }
    if (conf->absent[i] != NULL) {
        note_failure(st, i, QC_SHARES, conf->absent[i]);
        return QC_OK;
    }
    if (stat(conf->share[i], &dir) == 0)
        st->share[i].device = dir.st_dev;
    struct vault_store_expect expect = {
        .index = i + 1, .vault = conf->vault, .passes = conf->passes, .named = conf->named[i] != NULL
    };
    st->share[i].locked = vault_store_is_locked(conf->share[i]);
    qc_rc rc = vault_store_open(&s, conf->share[i], VAULT_STORE_ANY, &expect, &why);
    if (rc == QC_OK)
        rc = vault_store_count(s, &h, &why);
    if (rc == QC_OK)
        rc = vault_store_head_get(s, &head, &why);
    if (rc == QC_OK)
        rc = vault_store_tickets_count(s, &st->share[i].tickets, &why);
    if (rc == QC_CANCELLED) {
        *err = why;
        return rc;
    }
    st->share[i].filling = rc == QC_OK && vault_store_is_filling(s);
    if (st->share[i].filling) {
        st->share[i].records = h.records;
        rc = QC_FAIL(&why, QC_SHARES, "rebuilt in part: its recovery is not at its end");
    }
    if (rc != QC_OK) {
        note_failure(st, i, rc, why.msg);
        return QC_OK;
    }
    st->share[i].writable = vault_store_writable(s);
    st->share[i].recovers = vault_store_recovers(s);
    st->share[i].kept = vault_store_kept(s);
    st->share[i].derived = vault_store_derives(s);
    st->share[i].records = h.records;
    st->share[i].pending = h.pending;
    st->share[i].commits = head.count;
    st->share[i].generation = vault_store_generation(s);
    st->share[i].other = vault_store_other(s);
    return QC_OK;
}

qc_rc vault_status_local(struct vault_local_status *ret, const struct vault_conf *conf, struct qc_err *err)
{
    struct vault_local_status st = { 0 };
    QC_TRY(look(&st, 0, conf, err));
    QC_TRY(look(&st, 1, conf, err));
    st.same_device = st.share[0].device != 0 && st.share[0].device == st.share[1].device;
    st.refreshing = st.share[0].other != 0 || st.share[1].other != 0 ||
                    (st.share[0].rc == QC_OK && st.share[1].rc == QC_OK &&
                     st.share[0].generation != st.share[1].generation);
    if (conf->state != NULL)
        QC_TRY(journal_count(conf->state, &st.unfinished, &st.waiting, err));
    *ret = st;
    return QC_OK;
}

void vault_keeper_status_done(struct vault_keeper_status *s)
{
    vault_descriptor_done(&s->stores);
}

/* Of store i, where it opens. *generation: the least of the shares in use, 0 till one is known. */
static qc_rc described(struct vault_descriptor *ret, uint32_t *generation, unsigned i,
                       const struct vault_conf *conf, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    const struct vault_store_expect expect = {
        .index = i + 1, .vault = conf->vault, .passes = conf->passes, .named = conf->named[i] != NULL
    };
    if (conf->share[i] == NULL || conf->absent[i] != NULL)
        return QC_FAIL(err, QC_SHARES, "share store %u is not there", i + 1);
    QC_TRY(vault_store_open(&s, conf->share[i], VAULT_STORE_ANY, &expect, err));
    if (*generation == 0 || vault_store_generation(s) < *generation)
        *generation = vault_store_generation(s);
    QC_TRY(vault_store_descriptor_get(s, &text, err));
    return vault_descriptor_parse(ret, qc_buf_span(&text), err);
}

/* What both say; of what differs, the first one's. */
static qc_rc read_stores(struct vault_descriptor *ret, uint32_t *generation, const struct vault_conf *conf,
                         struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
        struct qc_err why = { 0 };
        const qc_rc rc = described(&d, generation, i, conf, &why);
        if (rc == QC_CANCELLED || rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            continue;
        if (ret->keeper == NULL) {
            *ret = QC_STEAL(d);
            continue;
        }
        for (size_t k = 0; k < d.before_count; k++)
            if (vault_descriptor_add_before(ret, d.before[k], &why) == QC_NOMEM)
                return QC_FAIL(err, QC_NOMEM, "status");
    }
    return QC_OK;
}

qc_rc vault_status_keeper(struct vault_keeper_status *ret, const struct vault_conf *conf,
                          const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(vault_keeper_status_done) struct vault_keeper_status s = { 0 };
    const char *const share[] = { conf->share[0], conf->share[1] };
    struct vault_keeper *k = conf->keeper;
    uint32_t generation = 0;
    QC_TRY(read_stores(&s.stores, &generation, conf, err));
    qc_rc rc = k->ops->look(k, conf->vault, op, &s.why);
    if (rc == QC_OK && generation > 0) { /* as each put does */
        rc = vault_keeper_current(k, conf->vault, generation, op, &s.why);
        s.stale = rc == QC_NOTCONF;
    }
    if (rc == QC_OK)
        rc = k->ops->apart(k, s.stores.clouds, s.stores.cloud_count, share, op, &s.why);
    if (rc == QC_CANCELLED) {
        *err = s.why;
        return rc;
    }
    vault_descriptor_drop_before(&s.stores, k->url);
    *ret = QC_STEAL(s);
    return QC_OK;
}
