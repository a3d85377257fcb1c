/* Names that are gone, and what they were. */
#include <string.h>

#include "list.h"
#include "versions.h"

struct trash {
    struct vault *v;
    const struct vault_call *call;
    vault_removed_fn fn;
    void *ctx;
};

/* Of a name that an object was moved away from: what it was before that one, if it was anything. */
static qc_rc one_moved(struct trash *t, struct vault_removed *r, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = vault_versions(t->v, r->name, t->call, &all, &why);
    if (rc == QC_NOTFOUND || (rc == QC_OK && all.n == 0))
        return QC_OK; /* nothing of it is here */
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    r->known = true;
    r->newest = all.v[0].number;
    r->removed_s = all.v[0].removed_s;
    return t->fn(t->ctx, r, err);
}

static qc_rc one_removed(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct trash *t = ctx;
    struct vault_store_moved moved = { 0 };
    struct vault_removed r = { .name = qc_buf_span(&s->name),
                               .number = s->number,
                               .created_s = s->created_s };
    struct vault_store_removal note = { 0 };
    struct qc_err why = { 0 };
    uint8_t tag[16];
    QC_TRY(vault_name_tag(tag, t->v->ring, r.name, err));
    qc_rc rc = versions_moved(t->v, tag, s->number, t->call, &moved, &why);
    if (rc == QC_OK)
        return one_moved(t, &r, err);
    if (rc == QC_NOTFOUND)
        rc = versions_removal(t->v, tag, s->number, t->call, &note, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = why;
        return rc;
    }
    r.known = rc == QC_OK;
    r.removed_s = note.when_s;
    r.newest = r.known ? note.number - 1 : 0;
    bool all = r.known;
    for (unsigned i = 0; i < 2 && all; i++) /* each store that is here says so */
        if (t->v->store[i] != NULL) {
            QC_TRY(vault_store_all_gone(t->v->store[i], note.object, &all, err));
            r.emptied = all;
        }
    return t->fn(t->ctx, &r, err);
}

qc_rc vault_trash(struct vault *v, qc_span prefix, vault_removed_fn fn, void *ctx,
                  const struct vault_call *call, struct qc_err *err)
{
    struct trash t = { .v = v, .call = call, .fn = fn, .ctx = ctx };
    struct list_totals totals = { 0 };
    char text[NAME_TEXT];
    session_name_text(text, prefix);
    const struct list_to to = { .fn = one_removed, .ctx = &t, .removed = true };
    QC_TRY_AS(list_objects(v, prefix, &to, call, &totals, err), err, "%s", text);
    return QC_OK;
}
