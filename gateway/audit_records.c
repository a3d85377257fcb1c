/* Records of the commit log as lines of the audit log: whoever decided them, and whenever they were
 * published, after a crash too. */
#include "base/codec.h"
#include "engine_internal.h"

enum { HEX = 2 * GW_ID_BYTES + 1 };

/* What was promised: the receipt has it. */
static void receipt_of(struct gw_engine *e, const struct gw_ref *put_key, struct gw_receipt *ret)
{
    struct gw_request_row row;
    struct qc_err unused = { 0 };

    *ret = (struct gw_receipt){ 0 };
    QC_LOCK(gw_cat_lock(e->cat));
    if (gw_cat_request(e->cat, put_key, &row, &unused) == QC_OK && row.state == GW_UPLOAD_LIVE)
        *ret = row.receipt;
}

static void note_commit(struct gw_engine *e, const struct gw_rec_commit *c)
{
    char vault[HEX], object[HEX], version[HEX], put_key[HEX];
    struct gw_receipt r;

    receipt_of(e, &(struct gw_ref){ c->tenant, c->put_key }, &r);
    qc_hex(gw_id_span(&c->vault), vault);
    qc_hex(gw_id_span(&c->e.object), object);
    qc_hex(gw_id_span(&c->e.version), version);
    qc_hex(gw_id_span(&c->put_key), put_key);
    GW_AUDIT(e->audit, "put", QC_U("tenant", c->tenant), QC_S("vault", vault), QC_S("object", object),
             QC_S("version", version), QC_U("number", c->e.number), QC_U("bytes", c->e.size),
             QC_U("segments", c->segment_count), QC_I("margin", r.acked_margin),
             QC_I("margin_full", r.margin_full), QC_U("records", r.record_copies), QC_S("put_key", put_key));
}

static void note_tombstone(struct gw_engine *e, const struct gw_rec_tombstone *t)
{
    char vault[HEX];
    struct gw_receipt r;

    receipt_of(e, &(struct gw_ref){ t->tenant, t->put_key }, &r);
    qc_hex(gw_id_span(&t->vault), vault);
    GW_AUDIT(e->audit, "rm", QC_U("tenant", t->tenant), QC_S("vault", vault), QC_U("number", t->number),
             QC_U("records", r.record_copies));
}

static void note_tenant(struct gw_engine *e, const struct gw_rec_tenant *t)
{
    GW_AUDIT(e->audit, "tenant", QC_U("tenant", t->tenant), QC_U("revision", t->revision),
             QC_U("enabled", t->state == GW_TENANT_ENABLED), QC_U("bytes", t->limits.bytes),
             QC_U("objects", t->limits.objects), QC_U("uploads", t->limits.uploads),
             QC_U("requests", t->limits.requests));
}

static void note_cloud(struct gw_engine *e, const struct gw_rec_cloud *c)
{
    char name[CLOUD_NAME_SIZE_MAX + 1];
    const size_t n = c->name.n < sizeof name ? c->name.n : sizeof name - 1;

    if (n > 0)
        memcpy(name, c->name.p, n);
    name[n] = '\0';
    GW_AUDIT(e->audit, "cloud", QC_U("id", c->id), QC_S("cloud", name), QC_U("generation", c->generation),
             QC_U("state", c->state));
}

static void note_purged(struct gw_engine *e, const struct gw_rec_purged *p)
{
    char vault[HEX], object[HEX], version[HEX];

    qc_hex(gw_id_span(&p->vault), vault);
    qc_hex(gw_id_span(&p->object), object);
    qc_hex(gw_id_span(&p->version), version);
    GW_AUDIT(e->audit, "purged", QC_U("tenant", p->tenant), QC_S("vault", vault), QC_S("object", object),
             QC_S("version", version));
}

static void note_retained(struct gw_engine *e, const struct gw_rec_retained *p)
{
    char vault[HEX], object[HEX], version[HEX];

    qc_hex(gw_id_span(&p->vault), vault);
    qc_hex(gw_id_span(&p->object), object);
    qc_hex(gw_id_span(&p->version), version);
    GW_AUDIT(e->audit, "retained", QC_U("tenant", p->tenant), QC_S("vault", vault), QC_S("object", object),
             QC_S("version", version), QC_U("until", p->until));
}

/* How many N went to another bundle; which, the log on the clouds says. */
static void note_repacked(struct gw_engine *e, const struct gw_rec_repacked *p)
{
    char vault[HEX], object[HEX], version[HEX];

    qc_hex(gw_id_span(&p->vault), vault);
    qc_hex(gw_id_span(&p->object), object);
    qc_hex(gw_id_span(&p->version), version);
    GW_AUDIT(e->audit, "repacked", QC_U("tenant", p->tenant), QC_S("vault", vault), QC_S("object", object),
             QC_S("version", version), QC_U("versions", p->count), QC_U("bytes", p->segment.size));
}

static void note_renamed(struct gw_engine *e, const struct gw_rec_renamed *m)
{
    char vault[HEX], object[HEX], version[HEX];
    struct gw_receipt r;

    receipt_of(e, &(struct gw_ref){ m->tenant, m->put_key }, &r);
    qc_hex(gw_id_span(&m->vault), vault);
    qc_hex(gw_id_span(&m->e.object), object);
    qc_hex(gw_id_span(&m->e.version), version);
    GW_AUDIT(e->audit, "renamed", QC_U("tenant", m->tenant), QC_S("vault", vault), QC_S("object", object),
             QC_S("version", version), QC_U("number", m->e.number), QC_U("records", r.record_copies));
}

static void note_record(struct gw_engine *e, const struct gw_record *rec)
{
    switch (rec->kind) {
    case GW_REC_COMMIT:
    case GW_REC_BUNDLED:
        note_commit(e, &rec->u.commit);
        return;
    case GW_REC_TOMBSTONE:
        note_tombstone(e, &rec->u.tombstone);
        return;
    case GW_REC_VAULT:
        GW_AUDIT(e->audit, "vault", QC_U("tenant", rec->u.vault.tenant));
        return;
    case GW_REC_TENANT:
        note_tenant(e, &rec->u.tenant);
        return;
    case GW_REC_CLOUD:
    case GW_REC_MEMBER:
        note_cloud(e, &rec->u.cloud);
        return;
    case GW_REC_CONFIG:
        GW_AUDIT(e->audit, "coding", QC_U("k", rec->u.config.k), QC_U("n", rec->u.config.n));
        return;
    case GW_REC_RULES:
        GW_AUDIT(e->audit, "domain", QC_U("domain", rec->u.rules.domain));
        return;
    case GW_REC_PURGED:
        note_purged(e, &rec->u.purged);
        return;
    case GW_REC_RETAINED:
        note_retained(e, &rec->u.retained);
        return;
    case GW_REC_REPACKED:
        note_repacked(e, &rec->u.repacked);
        return;
    case GW_REC_RENAMED:
        note_renamed(e, &rec->u.renamed);
        return;
    case GW_REC_BKEY:
    case GW_REC_BACKUP:
    case GW_REC_RECODED:
        return; /* keys, places: that they changed is in the log on the clouds */
    }
}

void gw_audit_records(struct gw_engine *e, const struct gw_log *l)
{
    struct gw_log_iter it = gw_log_records(l);
    struct gw_record rec;
    struct qc_err unused = { 0 };

    if (e->audit == NULL)
        return;
    for (bool more = true; gw_log_next(&it, &rec, &more, &unused) == QC_OK && more;)
        note_record(e, &rec);
}
