#include "object.h"

#include "ahead.h"

#include <inttypes.h>
#include <string.h>

void object_done(struct object *o)
{
    vault_opened_free(&o->opened);
    vault_frame_free(&o->frame);
    vault_backup_done(&o->B);
    qc_buf_free(&o->backup);
    qc_buf_free(&o->head);
    qc_buf_free(&o->tail);
    for (unsigned i = 0; i < 2; i++) {
        qc_key_free(&o->share[i]);
        qc_key_free(&o->own[i]);
    }
}

qc_rc object_begin(struct object *o, struct vault *v, const uint8_t object[VAULT_ID_BYTES],
                   const uint8_t version[VAULT_ID_BYTES], const struct vault_call *call, struct qc_err *err)
{
    *o = (struct object){ .v = v, .call = call };
    memcpy(o->ids.vault, v->id, VAULT_ID_BYTES);
    memcpy(o->ids.object, object, VAULT_ID_BYTES);
    memcpy(o->ids.version, version, VAULT_ID_BYTES);
    o->backup.max = QC_VAULT_BACKUP_MAX;
    if (ahead_bytes(v->ahead, &o->ids).n == 0)
        session_look_end(v); /* the gateway will be asked, for as long as that takes */
    return session_request(v, o->request, err);
}

struct taking {
    qc_buf *to;
    const struct object_here *here;
};

static qc_rc take_bytes(void *ctx, qc_span bytes, struct qc_err *err)
{
    const struct taking *t = ctx;
    QC_TRY(qc_buf_add(t->to, bytes, err));
    if (t->here != NULL)
        t->here->fn(t->here->ctx, t->to->n);
    return QC_OK;
}

/* What came of it stays: who is told may have used it by then. */
static qc_rc fetch_rest(const struct object *o, struct vault_gw *gw, struct object_range range,
                        struct taking *t, struct qc_err *err)
{
    struct vault_gw_read what = { .without = o->without, .write = take_bytes, .ctx = t };
    memcpy(what.object, o->ids.object, VAULT_ID_BYTES);
    memcpy(what.version, o->ids.version, VAULT_ID_BYTES);
    what.offset = range.offset + t->to->n;
    what.size = range.size - t->to->n;
    return gw->ops->read(gw, o->v->id, &what, &o->call->op, err);
}

qc_rc object_fetch(const struct object *o, struct vault_gw *gw, struct object_range range, qc_buf *ret,
                   const struct object_here *here, struct qc_err *err)
{
    struct taking t = { ret, here };
    qc_buf_clear(ret);
    const qc_span have = ahead_bytes(o->v->ahead, &o->ids);
    if (o->without == NULL && range.size <= have.n && range.offset <= have.n - range.size)
        return qc_buf_add(ret, qc_span_sub(have, (size_t)range.offset, (size_t)range.size), err);
    QC_TRY(qc_buf_reserve(ret, (size_t)range.size, err));
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < QC_RETRY_MAX; i++) {
        rc = fetch_rest(o, gw, range, &t, err);
        if (rc == QC_OK || ret->n == range.size) {
            qc_err_clear(err); /* what broke after the last byte matters to nobody */
            return QC_OK;
        }
        rc = session_read_reason(gw, o->request, &o->call->op, rc, err);
        if (rc != QC_TEMP)
            break;
    }
    /* Its entry is sealed, or a share of it is here: the version was made. Who denies it withholds it, and
     * the user is not told that there is no such object. */
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_QUORUM, "the gateway says that it has no data of this version");
    return rc;
}

static qc_rc fetch_into(struct object *o, qc_buf *ret, uint64_t offset, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = (size_t)size };
    QC_TRY(object_fetch(o, o->v->gw, (struct object_range){ offset, size }, &bytes, NULL, err));
    qc_buf_free(ret);
    *ret = QC_STEAL(bytes);
    o->fetched += size;
    return QC_OK;
}

/* Head and tail of N; N whole when it is small. */
static qc_rc fetch_ends(struct object *o, uint64_t head, uint64_t tail, struct qc_err *err)
{
    if (o->size <= QC_VAULT_WHOLE_MAX || head + tail >= o->size) {
        if (o->size > (uint64_t)QC_VAULT_TRAILER_MAX + 3 * (uint64_t)QC_VAULT_SEGMENT_MAX)
            return QC_FAIL(err, QC_FORMAT, "N: header and trailer would be all of it");
        if (!o->whole)
            QC_TRY(fetch_into(o, &o->head, 0, o->size, err));
        o->whole = true;
        return QC_OK;
    }
    if (head > o->head.n)
        QC_TRY(fetch_into(o, &o->head, 0, head, err));
    if (tail > o->tail.n)
        QC_TRY(fetch_into(o, &o->tail, o->size - tail, tail, err));
    return QC_OK;
}

static qc_span tail_of(const struct object *o)
{
    return qc_buf_span(o->whole ? &o->head : &o->tail);
}

qc_rc object_frame(struct object *o, struct qc_err *err)
{
    struct vault_need need = { .head = o->size < VAULT_HEAD_FIRST ? o->size : VAULT_HEAD_FIRST,
                               .tail = o->size < VAULT_TAIL_FIRST ? o->size : VAULT_TAIL_FIRST };
    for (unsigned round = 0; o->frame == NULL; round++) {
        if (round == 4)
            return QC_FAIL(err, QC_FORMAT, "N: its parts do not settle");
        if (need.head > o->size || need.tail > o->size)
            return QC_FAIL(err, QC_FORMAT, "N: %" PRIu64 " bytes are too few", o->size);
        QC_TRY(fetch_ends(o, need.head, need.tail, err));
        QC_TRY(vault_frame_parse(&o->frame, &need, o->size, qc_buf_span(&o->head), tail_of(o), err));
    }
    struct vault_range zero = vault_geometry_chunk(&o->frame->g, 0);
    return fetch_ends(o, zero.offset + zero.size, o->tail.n, err);
}

qc_span object_head0(const struct object *o)
{
    struct vault_range zero = vault_geometry_chunk(&o->frame->g, 0);
    return qc_span_sub(qc_buf_span(&o->head), (size_t)zero.offset, (size_t)zero.size);
}

static void take_share(struct object *o, unsigned i, struct vault_store_record *r)
{
    qc_key_free(&o->share[i]);
    o->share[i] = QC_STEAL(r->share);
    o->generation[i] = r->generation;
    o->given[i] = r->given;
}

/* Share i of this generation in the place of the one that is there, if its store has it. */
static qc_rc share_at(struct object *o, unsigned i, uint32_t generation, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_err why = { 0 };
    if (o->share[i] == NULL || o->v->store[i] == NULL || o->generation[i] == generation)
        return QC_OK;
    const qc_rc rc = vault_store_get_at(o->v->store[i], o->ids.object, o->ids.version, generation, &r, &why);
    if (rc == QC_OK)
        take_share(o, i, &r);
    else if (rc != QC_NOTFOUND && !session_is_damage(rc)) {
        *err = why;
        return rc;
    }
    return QC_OK;
}

qc_rc object_shares(struct object *o, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
        if (o->v->store[i] == NULL) {
            o->share_why[i] = o->v->why[i];
            continue;
        }
        qc_rc rc = vault_store_get(o->v->store[i], o->ids.object, o->ids.version, &r, &o->share_why[i]);
        if (rc == QC_OK)
            take_share(o, i, &r);
        else if (rc == QC_NOTFOUND && vault_store_is_filling(o->v->store[i]))
            continue; /* as its opening has told */
        else if (rc == QC_NOTFOUND || session_is_damage(rc))
            vault_note(o->call->notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc, "%s", o->share_why[i].msg);
        else {
            *err = o->share_why[i];
            return rc;
        }
    }
    if (o->share[0] == NULL || o->share[1] == NULL || o->generation[0] == o->generation[1])
        return QC_OK;
    const unsigned ahead = o->generation[0] > o->generation[1] ? 0 : 1; /* a refresh was broken off */
    return share_at(o, ahead, o->generation[1 - ahead], err);
}

/* B corrects what seeds give (FORMAT 4): a share that a store keeps is handed over so that it comes out as it
 * is. */
static qc_rc fit(struct object *o, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(share_at(o, i, o->B.generation, err));
        qc_key_free(&o->own[i]);
        if (o->share[i] != NULL && !o->given[i] && (i == 0 ? o->B.corr1 : o->B.corr2) != NULL)
            QC_TRY(vault_backup_correct(&o->own[i], &o->B, i + 1, o->share[i], err));
    }
    return QC_OK;
}

qc_rc object_backup(struct object *o, struct qc_err *err)
{
    if (o->has_B || o->B_why.rc != QC_OK)
        return QC_OK;
    const struct vault_gw_version version = session_version(o->ids.object, o->ids.version);
    qc_rc rc = session_backup_get(o->v, o->v->gw, &version, &o->backup, &o->call->op, &o->B_why);
    if (rc == QC_OK)
        rc = vault_backup_parse(&o->B, qc_buf_span(&o->backup), &o->B_why);
    o->has_B = rc == QC_OK;
    if (rc != QC_OK && rc != QC_NOTFOUND && rc != QC_SHARES && rc != QC_FORMAT && rc != QC_NEWER &&
        rc != QC_INTEGRITY) {
        *err = o->B_why;
        return rc;
    }
    return o->has_B ? fit(o, err) : QC_OK;
}

struct vault_unlock object_ways(const struct object *o, bool with1, bool with2, bool with_B)
{
    const bool B = with_B && o->has_B;
    return (struct vault_unlock){ .ids = o->ids,
                                  .R1 = !with1                   ? NULL
                                        : B && o->own[0] != NULL ? o->own[0]
                                                                 : o->share[0],
                                  .R2 = !with2                   ? NULL
                                        : B && o->own[1] != NULL ? o->own[1]
                                                                 : o->share[1],
                                  .B = B ? &o->B : NULL,
                                  .M = o->M };
}

/* Shares of which B alone may know how they are meant: a seed gives one, and they were refreshed. */
static bool wants_B(const struct object *o)
{
    return (o->given[0] && o->generation[0] > 1) || (o->given[1] && o->generation[1] > 1);
}

static qc_rc open_by(struct object *o, bool with1, bool with2, struct qc_err *err)
{
    struct vault_unlock with = object_ways(o, with1, with2, !(with1 && with2) || wants_B(o));
    return vault_open(&o->opened, o->frame, &with, object_head0(o), err);
}

/* One share is left: B must help. */
static qc_rc unlock_one(struct object *o, unsigned i, struct qc_err *err)
{
    QC_TRY(object_backup(o, err));
    if (!o->has_B)
        return QC_FAIL(err, QC_SHARES,
                       "share %u alone does not open it, and there is no backup data: %.150s; %.150s", i + 1,
                       o->B_why.msg, o->share_why[1 - i].msg);
    return open_by(o, i == 0, i == 1, err);
}

/* Both are there, and one of them (or N) is wrong: which one, B tells. */
static qc_rc unlock_other(struct object *o, qc_rc rc, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (object_backup(o, &why) != QC_OK || !o->has_B)
        return rc;
    for (unsigned i = 0; i < 2; i++) {
        if (open_by(o, i == 0, i == 1, &why) != QC_OK)
            continue;
        vault_note(o->call->notes, VAULT_NOTE_SHARE_DAMAGED, 2 - i, rc,
                   "share %u of this object is wrong (%s)", 2 - i, err->msg);
        qc_err_clear(err);
        return QC_OK;
    }
    return rc;
}

qc_rc object_unlock(struct object *o, struct qc_err *err)
{
    QC_TRY(object_shares(o, err));
    if (o->share[0] == NULL && o->share[1] == NULL)
        return QC_FAIL(err, QC_SHARES, "both shares are missing: %.200s; %.200s", o->share_why[0].msg,
                       o->share_why[1].msg);
    if (o->share[0] == NULL || o->share[1] == NULL)
        return unlock_one(o, o->share[0] != NULL ? 0 : 1, err);
    qc_rc rc = open_by(o, true, true, err);
    if (rc == QC_INTEGRITY && wants_B(o) && !o->has_B) {
        qc_err_clear(err);
        QC_TRY(object_backup(o, err));
        rc = open_by(o, true, true, err); /* with B, if it is there; else with the same outcome */
    }
    return rc == QC_INTEGRITY ? unlock_other(o, rc, err) : rc;
}
