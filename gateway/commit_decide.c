/* DECIDE: what is asked of each kind of change, and its record. Runs under the catalogue's lock, in one
 * transaction for the batch; checks come before writes, so that a refused change leaves no trace in it. */
#include "base/planted.h"
#include "base/time.h"
#include "commit_internal.h"
#include "make.h"
#include "rules.h"

qc_rc gw_deciding_vault(struct gw_deciding *d, const struct gw_ref *id, struct gw_vault_row **ret,
                        struct qc_err *err)
{
    for (unsigned i = 0; i < d->vault_count; i++)
        if (gw_ref_same(&d->vaults[i].row.id, id)) {
            *ret = &d->vaults[i].row;
            return QC_OK;
        }
    QC_ASSERT(d->vault_count < QC_GW_MEMBERS_MAX);
    struct gw_vault_row *row = &d->vaults[d->vault_count].row;
    QC_TRY(gw_cat_vault(d->e->cat, id, row, err));
    d->vault_count++;
    *ret = row;
    return QC_OK;
}

/* The catalogue counts what is published: what this batch has decided comes on top. */
qc_rc gw_deciding_more(struct gw_deciding *d, const struct gw_ref *vault, uint64_t more, struct qc_err *err)
{
    struct gw_batch_vault *own = NULL;
    uint64_t all = more, moves = 1;

    for (unsigned i = 0; i < d->vault_count; i++) {
        struct gw_batch_vault *v = &d->vaults[i];
        if (v->row.id.tenant == vault->tenant)
            all += v->more, moves += v->moves;
        if (gw_ref_same(&v->row.id, vault))
            own = v;
    }
    QC_ASSERT(own != NULL);
    QC_TRY(gw_quota_moves(d->e, vault->tenant, moves, err));
    if (more > 0)
        QC_TRY(gw_quota_more(d->e, vault->tenant, all, err));
    own->more += more;
    own->moves++;
    return QC_OK;
}

qc_rc gw_deciding_number(struct gw_deciding *d, const struct gw_vault_row *vault, const struct gw_entry *e,
                         uint64_t *ret_current, struct qc_err *err)
{
    uint64_t current;

    QC_TRY(gw_cat_number(d->e->cat, vault->no, e->path, &current, err));
    if (e->number != current + 1 && !qc_planted(number_unchecked))
        return QC_FAIL(err, QC_CONFLICT,
                       "entry number %" PRIu64 " is not the next one: the current is %" PRIu64, e->number,
                       current);
    *ret_current = current;
    return QC_OK;
}

/* Add a record; the head of its vault moves. */
qc_rc gw_deciding_add(struct gw_deciding *d, const struct gw_record *rec, struct gw_vault_row *vault,
                      const uint8_t *seal, struct qc_err *err)
{
    struct gw_head next;

    QC_TRY(gw_head_next(&vault->head, seal, &next, err));
    QC_TRY(gw_log_add(&d->records, rec, err));
    d->count++;
    vault->head = next;
    return QC_OK;
}

qc_rc gw_deciding_request(struct gw_deciding *d, struct gw_change *c, struct gw_request_row *row,
                          const struct gw_head *head, struct qc_err *err)
{
    row->state = GW_UPLOAD_DECIDED;
    memcpy(row->seal, c->entry->seal, sizeof row->seal);
    row->receipt = (struct gw_receipt){ .number = c->entry->number, .chain = head->count, .head = *head };
    QC_TRY(gw_cat_request_put(d->e->cat, row, err));
    c->receipt = row->receipt;
    c->decided = true;
    return QC_OK;
}

qc_rc gw_deciding_backup(struct gw_engine *e, const struct gw_backup_ids *ids, qc_span backup, qc_buf *ret,
                         struct qc_err *err)
{
    uint8_t salt[GW_SALT_BYTES];

    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    const struct gw_bkey bkey = { e->bkey, e->bkey_epoch };
    return gw_backup_seal(e->root, &bkey, salt, ids, backup, ret, err);
}

/* -- the other kinds ------------------------------------------------------------------------------------- */

static qc_rc decide_remove(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    struct gw_record rec = { .kind = GW_REC_TOMBSTONE };
    struct gw_request_row row = d->known;
    struct gw_vault_row *vault;
    uint64_t current;

    if (row.state != GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_CONFLICT, "the put key of this removal did something else");
    QC_TRY(gw_deciding_vault(d, &c->vault, &vault, err));
    QC_TRY(gw_cat_number(d->e->cat, vault->no, c->entry->path, &current, err));
    if (current == 0)
        return QC_FAIL(err, QC_NOTFOUND, "no entry of that path");
    QC_TRY(gw_deciding_number(d, vault, c->entry, &current, err));
    rec.u.tombstone = (struct gw_rec_tombstone){ .tenant = c->vault.tenant,
                                                 .vault = c->vault.id,
                                                 .path = c->entry->path,
                                                 .number = c->entry->number,
                                                 .chain = vault->head.count + 1,
                                                 .put_key = c->put_key.id,
                                                 .created = (uint64_t)qc_wall_s() };
    memcpy(rec.u.tombstone.seal, c->entry->seal, sizeof rec.u.tombstone.seal);
    QC_TRY(gw_deciding_add(d, &rec, vault, c->entry->seal, err));
    row.kind = GW_REQUEST_REMOVE;
    return gw_deciding_request(d, c, &row, &vault->head, err);
}

/* Vaults of one tenant never share a batch, so the catalogue has counted them all. */
static qc_rc check_vaults(struct gw_deciding *d, uint32_t tenant, struct qc_err *err)
{
    struct gw_usage u;
    uint64_t all;

    QC_TRY(gw_cat_usage(d->e->cat, tenant, &u, err));
    QC_TRY(gw_cat_vault_count(d->e->cat, &all, err));
    if (tenant != GW_OWNER && u.vaults >= QC_GW_TENANT_VAULTS_MAX)
        return QC_FAIL(err, QC_QUOTA, "this tenant has %" PRIu64 " vaults, at most %d", u.vaults,
                       QC_GW_TENANT_VAULTS_MAX);
    if (all + d->count >= QC_GW_VAULTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "this gateway has as many vaults as it may: %d", QC_GW_VAULTS_MAX);
    return QC_OK;
}

static qc_rc decide_vault(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    const struct gw_backup_ids ids = { .vault = c->vault.id, .object = c->vault.id };
    struct gw_record rec = { .kind = GW_REC_VAULT };

    QC_TRY(check_vaults(d, c->vault.tenant, err));
    QC_TRY(gw_deciding_backup(d->e, &ids, c->backup, &sealed, err));
    rec.u.vault = (struct gw_rec_vault){ .tenant = c->vault.tenant,
                                         .record = c->record,
                                         .backup = qc_buf_span(&sealed) };
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    c->decided = true;
    return QC_OK;
}

/* A new tenant gets the next number; a number is never given again, since no row ever goes. */
static qc_rc new_tenant(struct gw_deciding *d, struct gw_tenant *t, struct qc_err *err)
{
    struct gw_tenant other;
    struct qc_err miss = { 0 };
    uint64_t count;
    uint32_t last;

    const qc_rc rc = gw_cat_tenant_named(d->e->cat, t->name, &other, &miss);
    if (rc == QC_OK)
        return QC_FAIL(err, QC_CONFLICT, "there is a tenant '%s' already", t->name);
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_cat_tenant_last(d->e->cat, &count, &last, err));
    if (count >= QC_GW_TENANTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%" PRIu64 " tenants, at most %d", count, QC_GW_TENANTS_MAX);
    t->id = last + 1;
    t->revision = 1;
    return QC_OK;
}

static qc_rc old_tenant(struct gw_deciding *d, const struct gw_tenant *t, struct qc_err *err)
{
    struct gw_tenant have;

    QC_TRY(gw_cat_tenant(d->e->cat, t->id, &have, err));
    if (t->revision != have.revision + 1)
        return QC_FAIL(err, QC_CONFLICT, "the tenant '%s' was changed meanwhile", t->name);
    return QC_OK;
}

static qc_rc decide_tenant(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    struct gw_tenant *t = c->tenant;
    struct gw_record rec = { .kind = GW_REC_TENANT };

    QC_TRY(c->add ? new_tenant(d, t, err) : old_tenant(d, t, err));
    rec.u.tenant = (struct gw_rec_tenant){ .tenant = t->id,
                                           .revision = t->revision,
                                           .name = qc_span_str(t->name),
                                           .state = t->enabled ? GW_TENANT_ENABLED : GW_TENANT_DISABLED,
                                           .limits = t->limits };
    memcpy(rec.u.tenant.verifier, t->verifier, sizeof t->verifier);
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    c->decided = true;
    return QC_OK;
}

/* Of what the log knows of states: one that is leaving is retired. */
static uint8_t logged_state(enum gw_cloud_life_state s)
{
    return s == GW_LIFE_DRAINING ? GW_MEMBER_DRAINING
           : s == GW_LIFE_IN_USE ? GW_MEMBER_IN_USE
                                 : GW_MEMBER_RETIRED;
}

static qc_rc add_member(struct gw_deciding *d, const struct gw_cloud_row *row, struct qc_err *err)
{
    struct gw_record rec = { .kind = GW_REC_MEMBER,
                             .u.cloud = { .id = row->id,
                                          .name = qc_span_str(row->name),
                                          .url = qc_span_str(row->url),
                                          .generation = row->generation,
                                          .state = logged_state(row->state),
                                          .weight = (uint16_t)row->labels.weight } };

    for (unsigned i = 0; i < GW_LABELS; i++)
        rec.u.cloud.labels[i] = qc_span_str(row->labels.v[i]);
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    return gw_cloud_logged(d->e->cat, row->id, row->generation, err);
}

static qc_rc decide_cloud(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    QC_TRY(add_member(d, c->cloud, err));
    c->decided = true;
    return QC_OK;
}

static qc_rc decide_domain(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    const struct gw_record rec = { .kind = GW_REC_RULES, .u.rules = { .domain = (uint8_t)c->domain } };

    QC_TRY(gw_rules_hold(d->e, NULL, c->domain, true, err));
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    QC_TRY(gw_meta_set(d->e->cat, "domain", c->domain, err));
    QC_TRY(gw_cat_end_others(d->e->cat, err));
    c->decided = true;
    return QC_OK;
}

/* The row changes with the log; so do the shares that all clouds hold by now. */
static qc_rc decide_member(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    struct gw_cat *cat = d->e->cat;
    const struct gw_cloud_row *row = c->cloud;

    if (c->has_domain)
        return decide_domain(d, c, err);
    QC_TRY(gw_rules_allow(d->e, row, err));
    QC_TRY(add_member(d, row, err));
    QC_TRY(gw_cloud_row_state(cat, row->id, row->state, row->target, err));
    QC_TRY(gw_cloud_set_labels(cat, row->id, &row->labels, err));
    QC_TRY(gw_cat_end_others(cat, err)); /* they would count, and choose, what is not so any more */
    if (c->shares != NULL)
        QC_TRY(gw_shares_write(cat, c->shares, err));
    c->decided = true;
    return QC_OK;
}

/* New segments have this code from the next one on, and records are on so many clouds. */
static qc_rc decide_code(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    struct gw_cat *cat = d->e->cat;
    const struct gw_config *conf = c->code;
    const struct gw_record rec = { .kind = GW_REC_CONFIG,
                                   .u.config = { .k = (uint8_t)conf->k,
                                                 .n = (uint8_t)conf->n,
                                                 .write_quorum = (uint8_t)conf->write_quorum,
                                                 .record_quorum = (uint8_t)conf->record_quorum } };
    uint64_t domain;

    QC_TRY(gw_meta_get(cat, "domain", &domain, err));
    QC_TRY(gw_rules_room(d->e, (enum gw_domain)domain, conf->n, err));
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    QC_TRY(gw_meta_set(cat, "k", conf->k, err));
    QC_TRY(gw_meta_set(cat, "n", conf->n, err));
    QC_TRY(gw_meta_set(cat, "write_quorum", conf->write_quorum, err));
    QC_TRY(gw_meta_set(cat, "record_quorum", conf->record_quorum, err));
    QC_TRY(gw_cat_end_others(cat, err));
    if (c->shares != NULL)
        QC_TRY(gw_shares_write(cat, c->shares, err));
    c->decided = true;
    return QC_OK;
}

qc_rc gw_deciding_places(struct gw_engine *e, const uint32_t *cloud_id, const uint32_t *generation,
                         unsigned n, bool *ret, struct qc_err *err)
{
    *ret = true;
    for (unsigned i = 0; i < n && *ret; i++) {
        struct gw_cloud_life life;
        QC_TRY(gw_cloud_life(e->cat, cloud_id[i], &life, err));
        *ret = life.adopting == 0 && life.generation == generation[i] && gw_takes_new(e, cloud_id[i]);
    }
    return QC_OK;
}

/* The version, the segment that it has there, and the one that was put. QC_NOTFOUND: one of them is gone. */
static qc_rc recoded_rows(struct gw_engine *e, const struct gw_recoded *r, struct gw_version_row *ret_v,
                          uint64_t *ret_id, struct gw_segment *ret_now, struct qc_err *err)
{
    struct gw_version_ids ids = { .tenant = r->seg.tenant };

    memcpy(ids.object.b, r->seg.object, sizeof ids.object.b);
    memcpy(ids.version.b, r->seg.version, sizeof ids.version.b);
    QC_TRY(gw_cat_version(e->cat, &ids, ret_v, err));
    QC_TRY(gw_cat_segment_of(e->cat, ret_v->no, r->seg.seq, ret_id, err));
    return gw_cat_segment(e->cat, r->seg.id, ret_now, err);
}

/* In the transaction: is all as it was when the segment was put? What is gone since, as by a purge, is no
 * failure. */
static qc_rc recoded_holds(struct gw_engine *e, const struct gw_recoded *r, bool *ret, struct qc_err *err)
{
    struct gw_version_row v;
    struct gw_segment now;
    struct qc_err miss = { 0 };
    uint64_t id;

    *ret = false;
    const qc_rc rc = recoded_rows(e, r, &v, &id, &now, &miss);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = miss;
        return rc;
    }
    *ret = v.state == GW_VERSION_LIVE && id == r->old && now.size == 0;
    return *ret ? gw_deciding_places(e, r->cloud_id, r->generation, r->seg.n, ret, err) : QC_OK;
}

static qc_rc add_recoded(struct gw_deciding *d, const struct gw_recoded *r, struct qc_err *err)
{
    struct gw_record rec = {
        .kind = GW_REC_RECODED,
        .u.recoded = { .tenant = r->seg.tenant,
                       .seq = r->seg.seq,
                       .old = r->old,
                       .segment = { .id = r->seg.id, .size = r->seg.size, .incarnation = r->seg.incarnation },
                       .layout = { .k = (uint8_t)r->seg.k, .n = (uint8_t)r->seg.n } }
    };
    struct gw_rec_recoded *to = &rec.u.recoded;

    memcpy(to->object.b, r->seg.object, sizeof to->object.b);
    memcpy(to->version.b, r->seg.version, sizeof to->version.b);
    memcpy(to->segment.salt, r->seg.salt, sizeof to->segment.salt);
    memcpy(to->segment.digest, r->seg.digest, sizeof to->segment.digest);
    memcpy(to->layout.clouds, r->seg.layout, sizeof to->layout.clouds);
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    return QC_OK;
}

static qc_rc decide_recoded(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    for (unsigned i = 0; i < c->recoded_count; i++) {
        bool holds;
        QC_TRY(recoded_holds(d->e, &c->recoded[i], &holds, err));
        c->recoded[i].refused = !holds;
        if (!holds)
            continue;
        QC_TRY(add_recoded(d, &c->recoded[i], err));
        c->decided = true;
    }
    c->answered = !c->decided;
    return QC_OK;
}

static qc_rc decide_first(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    if (d->sequence != 1 || d->count != 0)
        return QC_FAIL(err, QC_CONFLICT, "the log has begun already");
    QC_TRY(qc_buf_reserve(&d->records, c->first.n, err));
    QC_TRY(qc_buf_add(&d->records, c->first, err));
    d->count += c->first_count;
    c->decided = true;
    return QC_OK;
}

/* -- all kinds ------------------------------------------------------------------------------------------- */

/* As it shall be, and nothing is on its way. */
static qc_rc known_member(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_GW_LOG_MAX };
    struct gw_cloud_row row;
    uint64_t domain, sequence;

    *ret_live = false;
    QC_TRY(gw_cat_outbox(e->cat, &sequence, &body, err));
    if (sequence != 0)
        return QC_OK;
    QC_TRY(gw_meta_get(e->cat, "domain", &domain, err));
    if (c->has_domain) {
        *ret_live = domain == c->domain;
        return QC_OK;
    }
    QC_TRY(gw_cloud_row(e->cat, c->cloud->id, &row, err));
    *ret_live = row.state == c->cloud->state && row.target == c->cloud->target &&
                gw_same_labels(&row.labels, &c->cloud->labels);
    return QC_OK;
}

static qc_rc known_code(struct gw_engine *e, const struct gw_config *want, bool *ret_live, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_GW_LOG_MAX };
    struct gw_config have;
    uint64_t sequence;

    QC_TRY(gw_cat_outbox(e->cat, &sequence, &body, err));
    QC_TRY(gw_config_get(e->cat, &have, err));
    *ret_live = sequence == 0 && have.k == want->k && have.n == want->n &&
                have.write_quorum == want->write_quorum && have.record_quorum == want->record_quorum;
    return QC_OK;
}

/* All that were not refused count under their new ids. */
static qc_rc known_recoded(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    unsigned live = 0, of = 0;

    for (unsigned i = 0; i < c->recoded_count; i++) {
        bool is = false;
        if (c->recoded[i].refused)
            continue;
        QC_TRY(gw_cat_segment_live(e->cat, c->recoded[i].seg.id, &is, err));
        live += is;
        of++;
    }
    *ret_live = of > 0 && live == of;
    return QC_OK;
}

/* Is it published? */
static qc_rc known_record(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    struct gw_vault_row vault;
    struct gw_log_row row;
    struct gw_cloud_life life;
    struct qc_err miss = { 0 };

    if (c->kind == GW_CHANGE_MEMBER)
        return known_member(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_CODE)
        return known_code(e, c->code, ret_live, err);
    if (c->kind == GW_CHANGE_RECODED)
        return known_recoded(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_PURGE)
        return gw_known_purge(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_BACKUPS)
        return gw_known_backups(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_RETAIN)
        return gw_known_retain(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_REPACKED)
        return gw_known_repacked(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_CLOUD) { /* what was decided before is published: see gw_roll's callers */
        QC_TRY(gw_cloud_life(e->cat, c->cloud->id, &life, err));
        *ret_live = life.logged >= c->cloud->generation;
        return QC_OK;
    }
    const qc_rc rc = c->kind == GW_CHANGE_VAULT ? gw_cat_vault(e->cat, &c->vault, &vault, &miss)
                                                : gw_cat_log_get(e->cat, 1, &row, &miss);
    *ret_live = rc == QC_OK;
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = miss;
    return rc;
}

static qc_rc known_tenant(struct gw_engine *e, const struct gw_tenant *t, bool *ret_live, struct qc_err *err)
{
    struct gw_tenant have;
    struct qc_err miss = { 0 };

    *ret_live = false;
    if (t->id == GW_OWNER)
        return QC_OK;
    const qc_rc rc = gw_cat_tenant(e->cat, t->id, &have, &miss);
    if (rc == QC_OK)
        *ret_live = have.revision == t->revision &&
                    qc_ct_eq(have.verifier, t->verifier, sizeof t->verifier) && have.enabled == t->enabled;
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = miss;
    return rc;
}

static enum gw_request_kind request_kind(enum gw_change_kind kind)
{
    return kind == GW_CHANGE_PUT      ? GW_REQUEST_PUT
           : kind == GW_CHANGE_REMOVE ? GW_REQUEST_REMOVE
                                      : GW_REQUEST_RENAME;
}

/* *row: of its put key, if it has one. */
static qc_rc known_with(struct gw_engine *e, struct gw_change *c, struct gw_request_row *row, bool *ret_live,
                        struct qc_err *err)
{
    if (c->kind >= GW_CHANGE_CLOUD || c->kind == GW_CHANGE_VAULT)
        return known_record(e, c, ret_live, err);
    if (c->kind == GW_CHANGE_TENANT)
        return known_tenant(e, c->tenant, ret_live, err);
    *ret_live = false;
    QC_TRY(gw_cat_request(e->cat, &c->put_key, row, err));
    if (row->state != GW_UPLOAD_LIVE)
        return QC_OK;
    if (row->kind != request_kind(c->kind) ||
        !qc_span_eq(qc_span_of(row->seal, sizeof row->seal), qc_span_of(c->entry->seal, sizeof row->seal)))
        return QC_FAIL(err, QC_CONFLICT, "this put key is live with another entry");
    c->receipt = row->receipt;
    *ret_live = true;
    return QC_OK;
}

qc_rc gw_known(struct gw_engine *e, struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    struct gw_request_row row;

    return known_with(e, c, &row, ret_live, err);
}

qc_rc gw_known_answer(struct gw_engine *e, struct gw_change *change, bool *ret_live, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_known(e, change, ret_live, err);
}

/* k <= n at each instant, for those who look without the lock. */
static void take_code(struct gw_engine *e, const struct gw_config *code)
{
    if (code->n < e->conf.n)
        e->conf.k = code->k;
    e->conf.n = code->n;
    e->conf.k = code->k;
    e->conf.write_quorum = code->write_quorum;
    e->conf.record_quorum = code->record_quorum;
}

void gw_decided(struct gw_engine *e, const struct gw_change *c)
{
    if (c->kind == GW_CHANGE_CODE && !c->answered)
        take_code(e, c->code);
    if (c->kind != GW_CHANGE_MEMBER || c->answered)
        return;
    if (c->has_domain) {
        atomic_store(&e->domain, c->domain);
        return;
    }
    const int at = gw_fan_at(e->fan, c->cloud->id);
    if (at >= 0)
        gw_fan_set_labels(e->fan, (unsigned)at, &c->cloud->labels);
}

qc_rc gw_decide(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    bool live = false;

    QC_TRY(known_with(d->e, c, &d->known, &live, err));
    if (c->kind != GW_CHANGE_PUT || c->in == NULL) /* what is known of a bundle is of changes in a row */
        gw_deciding_bundle_free(&d->bundle);
    if (live) {
        c->answered = true;
        return QC_OK;
    }
    switch (c->kind) {
    case GW_CHANGE_PUT:
        return gw_decide_put(d, c, err);
    case GW_CHANGE_REMOVE:
        return decide_remove(d, c, err);
    case GW_CHANGE_RENAME:
        return gw_decide_rename(d, c, err);
    case GW_CHANGE_VAULT:
        return decide_vault(d, c, err);
    case GW_CHANGE_TENANT:
        return decide_tenant(d, c, err);
    case GW_CHANGE_CLOUD:
        return decide_cloud(d, c, err);
    case GW_CHANGE_MEMBER:
        return decide_member(d, c, err);
    case GW_CHANGE_CODE:
        return decide_code(d, c, err);
    case GW_CHANGE_RECODED:
        return decide_recoded(d, c, err);
    case GW_CHANGE_PURGE:
        return gw_decide_purge(d, c, err);
    case GW_CHANGE_BACKUPS:
        return gw_decide_backups(d, c, err);
    case GW_CHANGE_RETAIN:
        return gw_decide_retain(d, c, err);
    case GW_CHANGE_REPACKED:
        return gw_decide_repacked(d, c, err);
    case GW_CHANGE_FIRST:
        return decide_first(d, c, err);
    }
    return QC_FAIL(err, QC_GENERAL, "a change of no kind");
}
