#include "base/planted.h"
#include "witness.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"

/* What one cloud's job reads and writes. */
struct seat {
    const struct gw_root *root;
    struct gw_member member;
    uint32_t incarnation;
    char log_key[GW_NAME_SIZE]; /* empty: not asked */
    char root_key[GW_NAME_SIZE];
    struct gw_testimony said;
};

/* Memory of a round: the jobs' until the last of them has ended. */
struct court {
    struct seat seats[QC_GW_CLOUDS_MAX];
};

static void free_court(void *court)
{
    qc_free(court);
}

static void say(struct seat *s, enum gw_verdict v, const char *why)
{
    s->said.verdict = v;
    snprintf(s->said.why, sizeof s->said.why, "%s", why);
}

static qc_rc look_at_identity(struct seat *s, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    uint8_t bytes[GW_IDENTITY_MAX + 1];
    struct qc_err why = { 0 };
    size_t got;

    const qc_rc rc =
        cloud_get(c, gw_name_identity, (struct cloud_range){ .n = sizeof bytes }, bytes, &got, op, err);
    if (rc == QC_NOTFOUND && qc_planted(wiped_counts)) {
        say(s, GW_VERDICT_GOOD, "");
        return QC_OK;
    }
    if (rc == QC_NOTFOUND) {
        say(s, GW_VERDICT_LOST, "the cloud answers and has no identity object");
        return QC_OK;
    }
    QC_TRY(rc);
    const qc_rc right = gw_identity_check(s->root, &s->member, qc_span_of(bytes, got), &why);
    qc_wipe(bytes, sizeof bytes); /* a share of the root key */
    if (right == QC_NOMEM) {
        *err = why;
        return right;
    }
    say(s, right == QC_OK ? GW_VERDICT_GOOD : GW_VERDICT_LOST, right == QC_OK ? "" : why.msg);
    return QC_OK;
}

static qc_rc see_root(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct seat *s = ctx;
    struct gw_name name;

    QC_TRY(gw_name_parse(s->root, s->member.cloud_id, item->key, &name, err));
    if (name.kind == GW_NAME_ROOT && name.id > s->incarnation && strlen(item->key) < sizeof s->root_key)
        memcpy(s->root_key, item->key, strlen(item->key) + 1);
    return QC_OK;
}

/* Only a root that authenticates fences: a cloud cannot stop a gateway by making names up. */
static qc_rc look_at_roots(struct seat *s, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct cloud_list_query q = { .prefix = "r/", .limit = CLOUD_LIST_MAX };
    uint8_t bytes[GW_ROOT_OBJECT_BYTES + 1];
    struct gw_root_object root;
    struct cloud_page page;
    char after[32];
    size_t got;

    snprintf(after, sizeof after, "r/%08" PRIx32 "0",
             s->incarnation); /* after all names in that folder: '0' > '/' */
    q.after = after;
    QC_TRY(cloud_list(c, &q, see_root, s, &page, op, err));
    if (s->root_key[0] == 0 || qc_planted(no_witness))
        return QC_OK;
    QC_TRY(cloud_get(c, s->root_key, (struct cloud_range){ .n = sizeof bytes }, bytes, &got, op, err));
    QC_TRY(gw_root_object_parse(s->root, qc_span_of(bytes, got), &root, err));
    if (root.incarnation > s->incarnation) {
        say(s, GW_VERDICT_ROOT, "another gateway took over");
        s->said.incarnation = root.incarnation;
    }
    return QC_OK;
}

static qc_rc testify(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct seat *s = ctx;
    uint64_t size;

    QC_TRY(look_at_identity(s, c, op, err));
    if (s->said.verdict != GW_VERDICT_GOOD)
        return QC_OK;
    qc_rc rc = look_at_roots(s, c, op, err);
    if (rc == QC_OK && s->said.verdict == GW_VERDICT_GOOD && s->log_key[0] != 0) {
        rc = cloud_head(c, s->log_key, &size, op, err);
        if (rc == QC_OK)
            say(s, GW_VERDICT_LOG, "a later log object is there");
        if (rc == QC_NOTFOUND)
            rc = QC_OK;
    }
    if (rc != QC_OK)
        s->said.verdict = GW_VERDICT_SILENT;
    return rc;
}

static qc_rc seat_all(struct court *court, struct gw_fan *f, const struct gw_root *root, gw_clouds set,
                      const struct gw_witness_ask *ask, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(f); at++) {
        struct seat *s = &court->seats[at];
        struct gw_cloud_view view;
        if ((set >> at & 1) == 0)
            continue;
        gw_fan_view(f, at, &view);
        *s = (struct seat){ .root = root, .incarnation = ask->incarnation };
        s->member = (struct gw_member){ .cloud_id = view.id, .generation = view.generation };
        if (ask->log_sequence == 0)
            continue;
        const struct gw_name name = { .kind = GW_NAME_LOG,
                                      .id = ask->log_sequence,
                                      .incarnation = (uint16_t)ask->incarnation };
        QC_TRY(gw_name_make(root, view.id, &name, s->log_key, err));
    }
    return QC_OK;
}

static void hear(struct gw_fan *f, unsigned at, const struct gw_outcome *o, const struct seat *s,
                 struct gw_testimony *ret)
{
    *ret = (struct gw_testimony){ 0 };
    if (o->fate == GW_DONE) {
        *ret = s->said;
        const bool lost = ret->verdict == GW_VERDICT_LOST;
        gw_fan_set_state(f, at, lost ? GW_CLOUD_LOST : GW_CLOUD_OK, lost ? ret->why : NULL);
        return;
    }
    /* cloud_open found a place without the mark of a cloud: it is there, and it is not ours. */
    const bool unmarked = o->fate == GW_FAILED && o->gone;
    snprintf(ret->why, sizeof ret->why, "%s", o->why[0] != 0 ? o->why : "no answer in time");
    ret->verdict = unmarked ? GW_VERDICT_LOST : GW_VERDICT_SILENT;
    gw_fan_set_state(f, at, unmarked ? GW_CLOUD_LOST : GW_CLOUD_UNREACHABLE, ret->why);
}

qc_rc gw_witness(struct gw_fan *f, const struct gw_root *root, gw_clouds set,
                 const struct gw_witness_ask *ask, const struct gw_rule *rule, struct gw_testimony *ret,
                 struct qc_err *err)
{
    const unsigned count = gw_fan_count(f);
    struct court *court = qc_alloc(sizeof *court);
    QC_CLEANUP(gw_batch_free) struct gw_batch *batch = NULL;

    if (court == NULL)
        return QC_FAIL(err, QC_NOMEM, "asking the clouds");
    qc_rc rc = seat_all(court, f, root, set, ask, err);
    if (rc == QC_OK)
        rc = gw_batch_new(&batch, f, count, court, free_court, err);
    if (rc != QC_OK) {
        qc_free(court);
        return rc;
    }
    for (unsigned at = 0; at < count; at++)
        if (set >> at & 1) {
            const struct gw_job job = {
                .at = at, .lane = GW_LANE_CONTROL, .force = true, .run = testify, .ctx = &court->seats[at]
            };
            (void)gw_batch_start(batch, at, &job, rule->deadline);
        }
    while (gw_batch_next(batch, rule->deadline) >= 0)
        ;
    gw_batch_abandon(batch, true);
    for (unsigned at = 0; at < count; at++)
        if (set >> at & 1) {
            struct gw_outcome o;
            gw_batch_outcome(batch, at, &o);
            hear(f, at, &o, &court->seats[at], &ret[at]);
        }
    return QC_OK;
}
