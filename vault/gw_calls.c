/* The calls of docs/API.md: paths, bodies, answers. */
#include "gw_http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "gw_json.h"
#include "net/way.h"
#include "ways.h"

enum { HEX = 2 * VAULT_ID_BYTES + 1, PATH = GW_HTTP_PATH };

static struct gw_http *http_of(struct vault_gw *gw)
{
    return (struct gw_http *)gw;
}

static void hex_of(char out[HEX], const uint8_t *id)
{
    qc_hex(qc_span_of(id, VAULT_ID_BYTES), out);
}

void gw_http_vault_path(char out[PATH], const uint8_t *vault, const char *rest)
{
    char id[HEX];
    hex_of(id, vault);
    snprintf(out, PATH, "/v1/vaults/%s%s", id, rest);
}

void gw_http_upload_path(char out[PATH], const uint8_t *put_key, const char *rest)
{
    char id[HEX];
    hex_of(id, put_key);
    snprintf(out, PATH, "/v1/uploads/%s%s", id, rest);
}

static void object_path(char out[PATH], const uint8_t *vault, const uint8_t *object, const uint8_t *version,
                        const char *rest)
{
    char v[HEX], o[HEX], w[HEX];
    hex_of(v, vault);
    hex_of(o, object);
    hex_of(w, version);
    snprintf(out, PATH, "/v1/vaults/%s/objects/%s/%s%s", v, o, w, rest);
}

qc_rc gw_http_ask(struct vault_gw *gw, struct gw_http_call call, const struct json_t *body,
                  struct json_t **ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf answer = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    if (body != NULL) {
        QC_TRY(qc_json_dump(body, &text, err));
        call.body = qc_buf_span(&text);
    }
    call.answer_max = QC_JSON_MAX;
    QC_TRY(gw_http_call(http_of(gw), &call, &answer, op, err));
    if (ret == NULL)
        return QC_OK;
    QC_TRY_AS(qc_json_parse(&root, qc_buf_span(&answer), err), err, "the gateway's answer");
    if (!qc_json_is_object(root))
        return QC_FAIL(err, QC_FORMAT, "the gateway's answer is no object");
    *ret = QC_STEAL(root);
    return QC_OK;
}

static qc_rc vault_put(struct vault_gw *gw, const uint8_t *vault, qc_span record, qc_span backup,
                       const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_b64(body, "record", record, err));
    QC_TRY(qc_json_set_b64(body, "backup", backup, err));
    return gw_http_ask(gw, (struct gw_http_call){ .method = "PUT", .path = path }, body, NULL, op, err);
}

static qc_rc vault_get(struct vault_gw *gw, const uint8_t *vault, qc_buf *record, qc_buf *backup,
                       struct vault_head *head, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "");
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    QC_TRY(gw_json_head(head, answer, err));
    QC_TRY(qc_json_b64(answer, "record", record, err));
    return qc_json_b64(answer, "backup", backup, err);
}

static qc_rc chain_page(const struct json_t *answer, struct vault_head *head, qc_buf *seals,
                        struct qc_err *err)
{
    struct json_t *list = NULL;
    QC_TRY(gw_json_head(head, answer, err));
    QC_TRY(qc_json_arr(answer, "seals", &list, err));
    size_t n = qc_json_len(list);
    if (n > QC_VAULT_CHAIN_PAGE)
        return QC_FAIL(err, QC_FORMAT, "chain: %zu seals, at most %d", n, QC_VAULT_CHAIN_PAGE);
    for (size_t i = 0; i < n; i++) {
        const char *text = qc_json_str_value(qc_json_at(list, i));
        size_t before = seals->n;
        if (text == NULL)
            return QC_FAIL(err, QC_FORMAT, "chain: a seal is no text");
        QC_TRY_AS(qc_b64_dec(qc_span_str(text), seals, err), err, "chain");
        if (seals->n - before != 32)
            return QC_FAIL(err, QC_FORMAT, "chain: a seal of %zu bytes", seals->n - before);
    }
    return QC_OK;
}

static qc_rc chain(struct vault_gw *gw, const uint8_t *vault, uint64_t from, struct vault_head *head,
                   qc_buf *seals, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH], rest[64];
    snprintf(rest, sizeof(rest), "/chain?from=%" PRIu64 "&limit=%d", from, QC_VAULT_CHAIN_PAGE);
    gw_http_vault_path(path, vault, rest);
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    return chain_page(answer, head, seals, err);
}

static qc_rc entry_get(struct vault_gw *gw, const uint8_t *vault, qc_span entry_path,
                       struct vault_gw_entry *ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "/entries/get");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_b64(body, "path", entry_path, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    return gw_json_entry(ret, answer, err);
}

static qc_rc entry_some(struct vault_gw *gw, const uint8_t *vault, const qc_span *paths, size_t count,
                        const struct vault_gw_some *take, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct json_t *entries = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "/entries/some");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(qc_json_append_b64(list, paths[i], err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "paths", &list, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    QC_TRY(qc_json_arr(answer, "entries", &entries, err));
    if (qc_json_len(entries) > count)
        return QC_FAIL(err, QC_FORMAT, "entries: %zu for %zu paths", qc_json_len(entries), count);
    for (size_t i = 0; i < qc_json_len(entries); i++) {
        QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
        QC_TRY(gw_json_entry(&e, qc_json_at(entries, i), err));
        QC_TRY(take->fn(take->ctx, &e, err));
    }
    return QC_OK;
}

static qc_rc page_entries(const struct json_t *answer, const struct vault_gw_page *page, struct qc_err *err)
{
    struct json_t *list = NULL;
    QC_TRY(qc_json_arr(answer, "entries", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++) {
        QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
        QC_TRY(gw_json_entry(&e, qc_json_at(list, i), err));
        QC_TRY(page->fn(page->ctx, &e, err));
    }
    return QC_OK;
}

static qc_rc entry_list(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_page *page,
                        bool *ret_more, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "/entries/list");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_b64(body, "prefix", page->prefix, err));
    if (page->after.n > 0)
        QC_TRY(qc_json_set_b64(body, "after", page->after, err));
    else
        QC_TRY(qc_json_set_null(body, "after", err));
    QC_TRY(qc_json_set_int(body, "limit", page->limit, err));
    QC_TRY(qc_json_set_bool(body, "tombstones", page->tombstones, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    bool more = false;
    QC_TRY(qc_json_bool(answer, "more", &more, err));
    QC_TRY(page_entries(answer, page, err));
    *ret_more = more;
    return QC_OK;
}

static qc_rc entry_remove(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_commit *what,
                          struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                          const struct vault_op *op, struct qc_err *err)
{
    const struct vault_entry *e = what->entry;
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct vault_gw_receipt r = { .number = e->number };
    int64_t copies = 0, clouds = 0;
    char path[PATH];
    gw_http_vault_path(path, vault, "/entries/remove");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_b64(body, "path", e->path, err));
    QC_TRY(qc_json_set_int(body, "number", (int64_t)e->number, err));
    QC_TRY(qc_json_set_b64(body, "seal", qc_span_of(e->seal, sizeof(e->seal)), err));
    QC_TRY(qc_json_set_hex(body, "put_key", qc_span_of(what->put_key, 16), err));
    QC_TRY(gw_http_ask(gw,
                       (struct gw_http_call){ .method = "POST", .path = path, .ret_current = ret_current },
                       body, &answer, op, err));
    QC_TRY(gw_json_head(&r.head, answer, err));
    QC_TRY(qc_json_int(answer, "record_copies", 0, UINT32_MAX, &copies, err));
    QC_TRY(qc_json_int(answer, "clouds", 0, UINT32_MAX, &clouds, err));
    r.record_copies = (uint32_t)copies;
    r.clouds = (uint32_t)clouds;
    *ret = r;
    return QC_OK;
}

static qc_rc purge_outcome(struct vault_gw_purge *p, bool purge, const struct json_t *o, struct qc_err *err)
{
    bool purged = false;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    if (qc_json_has(o, "error"))
        return gw_json_refusal(o, &p->rc, &p->err, err);
    if (purge)
        QC_TRY(qc_json_bool(o, "purged", &purged, err));
    else
        QC_TRY(qc_json_int(o, "until", 1, INT64_MAX, &p->until, err));
    if (purge && !purged)
        return QC_FAIL(err, QC_FORMAT, "neither purged nor refused");
    p->rc = QC_OK;
    return QC_OK;
}

static qc_rc add_version(struct json_t *list, const struct vault_gw_purge *p, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_hex(o, "object", qc_span_of(p->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(o, "version", qc_span_of(p->version, VAULT_ID_BYTES), err));
    return qc_json_append(list, &o, err);
}

/* What is to become of some versions. */
struct fate {
    struct vault_gw_purge *versions;
    size_t count;
    int64_t until; /* 0: they go */
};

static qc_rc settle_fate(struct vault_gw *gw, const uint8_t *vault, const struct fate *f,
                         const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct json_t *outcomes = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, f->until == 0 ? "/objects/purge" : "/objects/retain");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < f->count; i++)
        QC_TRY(add_version(list, &f->versions[i], err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "objects", &list, err));
    if (f->until != 0)
        QC_TRY(qc_json_set_int(body, "until", f->until, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    QC_TRY(qc_json_arr(answer, "outcomes", &outcomes, err));
    if (qc_json_len(outcomes) != f->count)
        return QC_FAIL(err, QC_FORMAT, "outcomes: %zu of %zu versions", qc_json_len(outcomes), f->count);
    for (size_t i = 0; i < f->count; i++)
        QC_TRY_AS(purge_outcome(&f->versions[i], f->until == 0, qc_json_at(outcomes, i), err), err,
                  "outcome %zu", i);
    return QC_OK;
}

static qc_rc purge(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions, size_t count,
                   const struct vault_op *op, struct qc_err *err)
{
    return settle_fate(gw, vault, &(struct fate){ versions, count, 0 }, op, err);
}

static qc_rc retain(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions, size_t count,
                    int64_t until, const struct vault_op *op, struct qc_err *err)
{
    return settle_fate(gw, vault, &(struct fate){ versions, count, until }, op, err);
}

static qc_rc upload_begin(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_begin *begin,
                          const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "/uploads");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_hex(body, "put_key", qc_span_of(begin->put_key, 16), err));
    QC_TRY(qc_json_set_hex(body, "object", qc_span_of(begin->object, 16), err));
    QC_TRY(qc_json_set_hex(body, "version", qc_span_of(begin->version, 16), err));
    QC_TRY(qc_json_set_int(body, "base", (int64_t)begin->base, err));
    QC_TRY(qc_json_set_int(body, "path_number", (int64_t)begin->base + 1, err));
    if (begin->size < UINT64_C(1) << 53)
        QC_TRY(qc_json_set_int(body, "size", (int64_t)begin->size, err));
    return gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, NULL, op, err);
}

static void note_way(const struct gw_http *h, struct vault_ways *ways, const struct net_link_state *before)
{
    struct net_link_state after;
    struct net_way way;
    if (h->least == NET_DOWN || ways == NULL)
        return;
    const bool is = gw_http_way(h, &after);
    net_way_between(&way, h->least, before, is ? &after : NULL);
    vault_ways_own(ways, &way);
}

static qc_rc segment_put(struct vault_gw *gw, const struct vault_gw_part *part, struct vault_gw_segment *ret,
                         const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    const struct gw_http *h = (const struct gw_http *)gw;
    struct net_link_state before;
    int64_t durable = 0, n = 0;
    char path[PATH], rest[96], run[24] = "";
    const bool is = gw_http_way(h, &before);
    if (part->run > 0) /* an older gateway does not know it */
        snprintf(run, sizeof(run), "&run=%" PRIu32, part->run);
    snprintf(rest, sizeof(rest), "/segments/%" PRIu32 "?last=%d%s%s", part->seq, part->last ? 1 : 0,
             part->hasty ? "&wait=quorum" : "", run);
    gw_http_upload_path(path, part->put_key, rest);
    QC_TRY(gw_http_ask(gw,
                       (struct gw_http_call){ .method = "PUT",
                                              .path = path,
                                              .body = part->bytes,
                                              .type = "application/octet-stream",
                                              .wire = part->wire },
                       NULL, &answer, op, err));
    QC_TRY(qc_json_int(answer, "durable", 0, 255, &durable, err));
    QC_TRY(qc_json_int(answer, "n", 0, 255, &n, err));
    QC_TRY(vault_ways_take(part->ways, answer, err));
    note_way(h, part->ways, is ? &before : NULL);
    *ret = (struct vault_gw_segment){ (uint32_t)durable, (uint32_t)n };
    return QC_OK;
}

static qc_rc upload_commit(struct vault_gw *gw, const struct vault_gw_commit *what,
                           struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                           const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *entry = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    gw_http_upload_path(path, what->put_key, "/commit");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(gw_json_entry_build(&entry, what->entry, err));
    QC_TRY(qc_json_set(body, "entry", &entry, err));
    QC_TRY(qc_json_set_int(body, "segments", what->segments, err));
    QC_TRY(qc_json_set_b64(body, "backup", what->backup, err));
    if (what->hasty)
        QC_TRY(qc_json_set_str(body, "wait", "quorum", err));
    if (what->run > 0)
        QC_TRY(qc_json_set_int(body, "run", what->run, err));
    QC_TRY(gw_http_ask(gw,
                       (struct gw_http_call){ .method = "POST", .path = path, .ret_current = ret_current },
                       body, &answer, op, err));
    return gw_json_receipt(ret, answer, err);
}

static qc_rc upload_state(struct vault_gw *gw, const uint8_t put_key[16], enum vault_upload_state *ret,
                          struct vault_gw_receipt *receipt, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    gw_http_upload_path(path, put_key, "");
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    return gw_json_upload(ret, receipt, answer, err);
}

static qc_rc upload_resume(struct vault_gw *gw, const uint8_t put_key[16], uint32_t most,
                           struct vault_gw_resumed *ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    int64_t run = 0, segments = 0;
    char path[PATH];
    gw_http_upload_path(path, put_key, "/resume");
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_int(body, "segments", most, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    QC_TRY(qc_json_int(answer, "run", 1, UINT32_MAX, &run, err));
    QC_TRY(qc_json_int(answer, "segments", 0, most, &segments, err));
    *ret = (struct vault_gw_resumed){ .run = (uint32_t)run, .segments = (uint32_t)segments };
    return QC_OK;
}

static qc_rc upload_cancel(struct vault_gw *gw, const uint8_t put_key[16], const struct vault_op *op,
                           struct qc_err *err)
{
    char path[PATH];
    gw_http_upload_path(path, put_key, "");
    return gw_http_ask(gw, (struct gw_http_call){ .method = "DELETE", .path = path }, NULL, NULL, op, err);
}

/* A streamed answer, counted. */
struct counted {
    const struct vault_gw_read *what;
    uint64_t got;
};

static qc_rc count_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct counted *c = ctx;
    if (bytes.n > c->what->size - c->got)
        return QC_FAIL(err, QC_FORMAT, "the gateway sent more than the %" PRIu64 " bytes asked for",
                       c->what->size);
    c->got += bytes.n;
    return c->what->write(c->what->ctx, bytes, err);
}

static qc_rc read_range(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_read *what,
                        const struct vault_op *op, struct qc_err *err)
{
    struct counted c = { .what = what };
    char object[PATH], path[PATH + VAULT_WITHOUT_MAX], range[64];
    QC_ASSERT(what->size > 0);
    object_path(object, vault, what->object, what->version, "");
    const bool drill = what->without != NULL && what->without[0] != '\0';
    const int n =
        snprintf(path, sizeof(path), "%s%s%s", object, drill ? "?without=" : "", drill ? what->without : "");
    if (n < 0 || (size_t)n >= sizeof(path))
        return QC_FAIL(err, QC_LIMIT, "names of clouds to do without: too many bytes");
    snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, what->offset, what->offset + what->size - 1);
    QC_TRY(gw_http_call(http_of(gw),
                        &(struct gw_http_call){ .method = "GET",
                                                .path = path,
                                                .range = range,
                                                .write = count_write,
                                                .ctx = &c,
                                                .answer_max = 65536 },
                        NULL, op, err));
    if (c.got != what->size)
        return QC_FAIL(err, QC_TEMP, "the gateway sent %" PRIu64 " of %" PRIu64 " bytes", c.got, what->size);
    return QC_OK;
}

static qc_rc read_some(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_version *versions,
                       size_t count, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    char path[PATH];
    gw_http_vault_path(path, vault, "/objects/read");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
        QC_TRY(qc_json_new_obj(&o, err));
        QC_TRY(qc_json_set_hex(o, "object", qc_span_of(versions[i].object, VAULT_ID_BYTES), err));
        QC_TRY(qc_json_set_hex(o, "version", qc_span_of(versions[i].version, VAULT_ID_BYTES), err));
        QC_TRY(qc_json_append(list, &o, err));
    }
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "objects", &list, err));
    QC_TRY(qc_json_dump(body, &text, err));
    return gw_http_call(
        http_of(gw),
        &(struct gw_http_call){
            .method = "POST", .path = path, .body = qc_buf_span(&text), .answer_max = ret->max },
        ret, op, err);
}

static qc_rc backup_get(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object,
                        const uint8_t *version, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf answer = { .max = QC_VAULT_BACKUP_MAX };
    char path[PATH];
    object_path(path, vault, object, version, "/backup");
    QC_TRY(gw_http_call(http_of(gw),
                        &(struct gw_http_call){
                            .method = "GET", .path = path, .answer_max = QC_VAULT_BACKUP_MAX },
                        &answer, op, err));
    return qc_buf_add(ret, qc_buf_span(&answer), err);
}

static qc_rc backups_put(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_backup *v,
                         size_t count, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    char path[PATH];
    gw_http_vault_path(path, vault, "/backups");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
        QC_TRY(qc_json_new_obj(&o, err));
        QC_TRY(qc_json_set_hex(o, "object", qc_span_of(v[i].object, VAULT_ID_BYTES), err));
        QC_TRY(qc_json_set_hex(o, "version", qc_span_of(v[i].version, VAULT_ID_BYTES), err));
        QC_TRY(qc_json_set_b64(o, "backup", v[i].backup, err));
        QC_TRY(qc_json_append(list, &o, err));
    }
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "backups", &list, err));
    return gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, NULL, op, err);
}

static qc_rc info(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object, const uint8_t *version,
                  struct vault_gw_info *ret, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    object_path(path, vault, object, version, "/info");
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    return gw_json_info(ret, answer, err);
}

static qc_rc faults(struct vault_gw *gw, const char *request_id, struct vault_gw_faults *ret,
                    const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    char path[PATH];
    snprintf(path, sizeof(path), "/v1/requests/%.64s", request_id);
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    return gw_json_faults(ret, answer, err);
}

static qc_rc text_of(struct vault_gw *gw, const char *path, qc_buf *ret, const struct vault_op *op,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "GET", .path = path }, NULL, &answer, op, err));
    return qc_json_dump(answer, ret, err);
}

static qc_rc status(struct vault_gw *gw, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    return text_of(gw, "/v1/status", ret, op, err);
}

static qc_rc health(struct vault_gw *gw, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    return text_of(gw, "/v1/health", ret, op, err);
}

static qc_rc operate(struct vault_gw *gw, const struct vault_gw_operation *what, qc_buf *ret,
                     const struct vault_op *op, struct qc_err *err)
{
    const struct gw_http_call call = { .method = what->method, .path = what->path, .body = what->body };
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    QC_TRY(gw_http_ask(gw, call, NULL, &answer, op, err));
    return qc_json_dump(answer, ret, err);
}

const struct vault_gw_ops gw_http_ops = {
    .close = gw_http_close,
    .clone = gw_http_clone,
    .set_request = gw_http_set_request,
    .vault_put = vault_put,
    .vault_get = vault_get,
    .chain = chain,
    .entry_get = entry_get,
    .entry_some = entry_some,
    .entry_list = entry_list,
    .entry_remove = entry_remove,
    .entries_move = gw_http_entries_move,
    .purge = purge,
    .retain = retain,
    .upload_begin = upload_begin,
    .segment_put = segment_put,
    .upload_commit = upload_commit,
    .bundle_commit = gw_http_bundle_commit,
    .upload_state = upload_state,
    .upload_resume = upload_resume,
    .upload_cancel = upload_cancel,
    .read = read_range,
    .read_some = read_some,
    .backup_get = backup_get,
    .backups_put = backups_put,
    .info = info,
    .faults = faults,
    .status = status,
    .health = health,
    .operate = operate,
};
