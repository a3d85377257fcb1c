/* A line of the audit log: writer and reader. FORMAT 13. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit_internal.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"

static const char domain[] = "qcloud-audit-v1\n";
static const char before_prev[] = ",\"prev\":\"", before_hash[] = ",\"hash\":\"", end_of_line[] = "\"}";
enum {
    HEX = 2 * QC_SHA256_BYTES,
    HASH_PART = sizeof before_hash - 1 + HEX + sizeof end_of_line - 1,
    PREV_PART = sizeof before_prev - 1 + HEX + 1,
};

/* What the hash covers: all before `,"hash"`. */
static qc_rc hash_of(qc_span body, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(domain, sizeof domain - 1), body };

    return qc_sha256(parts, 2, ret, err);
}

void gw_audit_name(uint64_t first, char ret[GW_AUDIT_NAME_MAX])
{
    (void)snprintf(ret, GW_AUDIT_NAME_MAX, "audit-%016" PRIu64 ".log", first);
}

/* -- writing --------------------------------------------------------------------------------------------- */

/* ASCII; bytes that are none stand for themselves: a text that was cut inside a character stays a line. */
static qc_rc add_text(qc_buf *b, const char *s, struct qc_err *err)
{
    QC_TRY(qc_buf_add(b, QC_LIT("\""), err));
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            QC_TRY(qc_buf_addf(b, err, "\\%c", c));
        else if (c < 0x20 || c >= 0x7f)
            QC_TRY(qc_buf_addf(b, err, "\\u%04x", c));
        else
            QC_TRY(qc_buf_add(b, qc_span_of(s, 1), err));
    }
    return qc_buf_add(b, QC_LIT("\""), err);
}

static qc_rc add_pair(qc_buf *b, const struct qc_kv *kv, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(b, err, ",\"%s\":", kv->key));
    if (kv->kind == QC_KV_STR)
        return add_text(b, kv->s == NULL ? "" : kv->s, err);
    if (kv->kind == QC_KV_I64)
        return qc_buf_addf(b, err, "%" PRId64, kv->i);
    return qc_buf_addf(b, err, "%" PRIu64,
                       kv->u > INT64_MAX ? (uint64_t)INT64_MAX : kv->u); /* JSON readers */
}

static qc_rc make(struct gw_audit_line *l, const struct qc_kv *pairs, qc_buf *b, struct qc_err *err)
{
    char time[QC_TIME_TEXT], hex[HEX + 1];

    qc_time_text(l->time_s, time);
    QC_TRY(qc_buf_addf(b, err, "{\"seq\":%" PRIu64 ",\"time\":\"%s\",\"event\":\"%s\"", l->sequence, time,
                       l->event));
    for (size_t i = 0; i < QC_LOG_PAIRS_MAX && pairs[i].kind != QC_KV_END; i++)
        QC_TRY(add_pair(b, &pairs[i], err));
    qc_hex(qc_span_of(l->prev, sizeof l->prev), hex);
    QC_TRY(qc_buf_addf(b, err, "%s%s\"", before_prev, hex));
    QC_TRY(hash_of(qc_buf_span(b), l->hash, err));
    qc_hex(qc_span_of(l->hash, sizeof l->hash), hex);
    return qc_buf_addf(b, err, "%s%s%s\n", before_hash, hex, end_of_line);
}

qc_rc gw_audit_line_make(struct gw_audit_line *l, const struct qc_kv *pairs, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_GW_AUDIT_LINE_MAX };

    QC_TRY(make(l, pairs, &b, err));
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* `LABEL HEX "` at a place. */
static bool take_hex(qc_span line, size_t at, const char *label, uint8_t ret[QC_SHA256_BYTES])
{
    const size_t n = strlen(label);
    struct qc_err unused = { 0 };

    return at + n + HEX + 1 <= line.n && memcmp(line.p + at, label, n) == 0 &&
           qc_hex_dec(qc_span_of(line.p + at + n, HEX), ret, QC_SHA256_BYTES, &unused) == QC_OK &&
           line.p[at + n + HEX] == '"';
}

static bool event_ok(const char *s)
{
    const size_t n = strlen(s);

    return n > 0 && n < GW_AUDIT_EVENT_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz_") == n;
}

/* The members that every line has, and those of one that tells of torn bytes. */
static qc_rc take_members(const struct json_t *o, struct gw_audit_line *l, struct qc_err *err)
{
    int64_t seq = 0, torn = 0;
    const char *time = NULL, *event = NULL, *hash = NULL;

    QC_TRY(qc_json_int(o, "seq", 1, INT64_MAX, &seq, err));
    QC_TRY(qc_json_str(o, "time", &time, err));
    QC_TRY(qc_json_str(o, "event", &event, err));
    QC_TRY(qc_time_parse(qc_span_str(time), &l->time_s, err));
    if (!event_ok(event))
        return QC_FAIL(err, QC_FORMAT, "no name of an event");
    l->sequence = (uint64_t)seq;
    (void)snprintf(l->event, sizeof l->event, "%s", event);
    l->torn = strcmp(event, "torn") == 0;
    if (!l->torn)
        return QC_OK;
    QC_TRY(qc_json_int(o, "bytes", 1, INT64_MAX, &torn, err));
    QC_TRY(qc_json_str(o, "sha256", &hash, err));
    l->torn_bytes = (uint64_t)torn;
    return qc_hex_dec(qc_span_str(hash), l->torn_hash, QC_SHA256_BYTES, err);
}

enum { BEGINNING_MAX = 96 + GW_AUDIT_EVENT_MAX };

/* As we write it. Bytes of it, the comma behind it included. */
static size_t beginning(const struct gw_audit_line *l, char text[BEGINNING_MAX])
{
    char time[QC_TIME_TEXT];

    qc_time_text(l->time_s, time);
    const int n = snprintf(text, BEGINNING_MAX, "{\"seq\":%" PRIu64 ",\"time\":\"%s\",\"event\":\"%s\",",
                           l->sequence, time, l->event);
    QC_ASSERT(n > 0 && n < BEGINNING_MAX);
    return (size_t)n;
}

/* No other text has the same members. */
static bool begins_right(qc_span line, const struct gw_audit_line *l)
{
    char text[BEGINNING_MAX];
    const size_t n = beginning(l, text);

    return line.n > n && memcmp(line.p, text, n) == 0;
}

qc_span gw_audit_line_members(qc_span line, const struct gw_audit_line *l)
{
    char text[BEGINNING_MAX];
    const size_t at = beginning(l, text) - 1, end = line.n - HASH_PART - PREV_PART;

    QC_ASSERT(at <= end);
    return qc_span_sub(line, at, end - at);
}

qc_rc gw_audit_line_parse(qc_span line, struct gw_audit_line *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_audit_line l = { 0 };
    uint8_t hash[QC_SHA256_BYTES];

    if (line.n >= QC_GW_AUDIT_LINE_MAX || line.n < HASH_PART + PREV_PART + 2)
        return QC_FAIL(err, QC_FORMAT, "%zu bytes are no line of an audit log", line.n);
    const size_t body = line.n - HASH_PART;
    if (!take_hex(line, body, before_hash, l.hash) || line.p[line.n - 1] != '}' ||
        !take_hex(line, body - PREV_PART, before_prev, l.prev))
        return QC_FAIL(err, QC_FORMAT, "it does not end with the chain's hashes");
    QC_TRY(qc_json_parse(&o, line, err));
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no JSON object");
    QC_TRY(take_members(o, &l, err));
    if (!begins_right(line, &l))
        return QC_FAIL(err, QC_FORMAT, "it does not begin with seq, time and event");
    QC_TRY(hash_of(qc_span_sub(line, 0, body), hash, err));
    if (!qc_ct_eq(hash, l.hash, sizeof hash))
        return QC_FAIL(err, QC_INTEGRITY, "its bytes are not those that were hashed");
    *ret = l;
    return QC_OK;
}
