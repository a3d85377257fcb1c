#include "fault.h"

#include <string.h>

#include "base/json.h"

/* What a fault says beside whom it meets. */
enum says { NOTHING, RATE, QBER };

static const struct row {
    const char *name;
    bool node;
    enum says says;
} rows[KME_FAULT_KINDS] = {
    [KME_LINK_CUT] = { "link_cut", false, NOTHING },
    [KME_LINK_RESTORE] = { "link_restore", false, NOTHING },
    [KME_LINK_RATE] = { "link_rate", false, RATE },
    [KME_POOL_EMPTY] = { "pool_empty", false, NOTHING },
    [KME_QBER] = { "qber", false, QBER },
    [KME_NODE_SEIZE] = { "node_seize", true, NOTHING },
    [KME_NODE_RELEASE] = { "node_release", true, NOTHING },
};

/* Members of a fault, by what it says. */
static const char *const values[] = { [RATE] = "bps", [QBER] = "value" };

const char *kme_fault_name(enum kme_fault_kind kind)
{
    return rows[kind].name;
}

bool kme_fault_of_node(enum kme_fault_kind kind)
{
    return rows[kind].node;
}

static qc_rc find_kind(const char *name, struct kme_fault *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < KME_FAULT_KINDS; i++)
        if (strcmp(rows[i].name, name) == 0) {
            ret->kind = (enum kme_fault_kind)i;
            return QC_OK;
        }
    return QC_FAIL(err, QC_USAGE, "there is no fault of this name");
}

static qc_rc find_place(const struct kme_network *n, bool node, const char *name, unsigned *ret,
                        struct qc_err *err)
{
    for (unsigned i = 0; i < (node ? n->nodes : n->links); i++)
        if (strcmp(node ? n->node[i] : n->link[i].id, name) == 0) {
            *ret = i;
            return QC_OK;
        }
    return QC_FAIL(err, QC_NOTFOUND, "there is no %s of this name", node ? "node" : "link");
}

static qc_rc take(struct kme_fault *f, const struct kme_network *n, const struct json_t *j,
                  struct qc_err *err)
{
    const char *text = NULL;
    int64_t rate = 0;
    QC_TRY(qc_json_str(j, "fault", &text, err));
    QC_TRY(find_kind(text, f, err));
    const struct row *row = &rows[f->kind];
    const char *const where = row->node ? "node" : "link";
    const char *const members[] = { "fault", where, values[row->says] };
    QC_TRY(qc_json_only(j, members, row->says == NOTHING ? 2 : 3, err));
    if (row->says == RATE)
        QC_TRY(qc_json_int(j, values[RATE], 0, KME_RATE_MAX, &rate, err));
    if (row->says == QBER)
        QC_TRY(qc_json_real(j, values[QBER], 0, 0.5, &f->qber, err));
    f->rate = (uint64_t)rate;
    QC_TRY(qc_json_str(j, where, &text, err));
    return find_place(n, row->node, text, &f->at, err);
}

qc_rc kme_fault_parse(struct kme_fault *ret, const struct kme_network *n, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct kme_fault f = { 0 };
    qc_rc rc = qc_json_parse(&j, text, err);
    if (rc == QC_OK)
        rc = take(&f, n, j, err);
    if (rc == QC_OK)
        *ret = f;
    if (rc == QC_OK || rc == QC_NOMEM || rc == QC_NOTFOUND)
        return rc;
    err->rc = QC_USAGE; /* whatever is wrong with it: it is the operator's */
    return QC_USAGE;
}

qc_rc kme_fault_print(const struct kme_fault *f, const char *name, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct row *row = &rows[f->kind];
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "fault", row->name, err));
    QC_TRY(qc_json_set_str(j, row->node ? "node" : "link", name, err));
    if (row->says == RATE)
        QC_TRY(qc_json_set_int(j, values[RATE], (int64_t)f->rate, err));
    if (row->says == QBER)
        QC_TRY(qc_json_set_real(j, values[QBER], f->qber, err));
    return qc_json_dump(j, ret, err);
}

/* -- what happens ---------------------------------------------------------------------------------------- */

static void drop(struct kme_link *l, uint64_t bits)
{
    l->bits -= bits;
    l->rest = 0;
}

static void errors(struct kme_network *n, struct kme_link *l, double qber)
{
    l->qber = qber;
    if (qber < n->qber_alarm)
        return;
    l->alarm = true;
    drop(l, kme_link_suspect(l));
    memset(l->recent, 0, sizeof l->recent);
}

/* Who has the node has what its links' pools hold. */
static void seize(struct kme_network *n, unsigned node)
{
    n->seized[node] = true;
    for (unsigned i = 0; i < n->links; i++)
        if (n->link[i].a == node || n->link[i].b == node)
            drop(&n->link[i], n->link[i].bits);
}

void kme_fault_apply(struct kme_network *n, const struct kme_fault *f)
{
    struct kme_link *l = &n->link[f->at];
    switch (f->kind) {
    case KME_LINK_CUT:
        l->cut = true;
        break;
    case KME_LINK_RESTORE:
        l->cut = l->alarm = false;
        l->rate = l->rate_conf;
        l->qber = l->qber_conf;
        break;
    case KME_LINK_RATE:
        l->rate = f->rate;
        break;
    case KME_POOL_EMPTY:
        drop(l, l->bits);
        break;
    case KME_QBER:
        errors(n, l, f->qber);
        break;
    case KME_NODE_SEIZE:
        seize(n, f->at);
        break;
    case KME_NODE_RELEASE:
        n->seized[f->at] = false;
        break;
    case KME_FAULT_KINDS:
        QC_ASSERT(false);
    }
}
