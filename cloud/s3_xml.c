/* The XML of errors and listings, by expat: no document types, no entities but XML's own five, bounded depth
 * and text. */
#include "s3_reply.h"

#include <expat.h>
#include <string.h>

enum { DEPTH_MAX = 8, ENTRY_HEAD = 8 };

/* A parse under way. */
struct walk {
    XML_Parser xml;
    qc_rc rc; /* why it was stopped; QC_OK: it was not */
    struct qc_err *err;
    unsigned depth;
    char text[CLOUD_S3_TEXT_MAX + 1]; /* of the innermost element */
    size_t text_n;
    void (*element)(struct walk *w, const char *name); /* an element of depth w->depth has ended */
    const char *root;                                  /* how the outermost is called, or NULL: anything */

    struct s3_reply *reply; /* an error's */
    const char *name;       /* the element that is looked for */
    char *dst;
    size_t dst_size;
    bool found;
    struct s3_page *page; /* a listing's */
    char key[CLOUD_S3_TEXT_MAX + 1];
    bool key_seen, size_seen, encoded;
    uint64_t size;
};

static void stop(struct walk *w, qc_rc rc)
{
    if (w->rc == QC_OK)
        w->rc = rc;
    XML_StopParser(w->xml, XML_FALSE);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct walk *w = ctx;
    w->text_n = 0;
    if (w->depth == 0 && w->root != NULL && strcmp(name, w->root) != 0)
        stop(w, QC_FAIL(w->err, QC_IO, "the answer is '%.32s', expected %s", name, w->root));
    else if (++w->depth > DEPTH_MAX)
        stop(w, QC_FAIL(w->err, QC_IO, "the answer has more than %d levels", DEPTH_MAX));
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct walk *w = ctx;
    w->text[w->text_n] = '\0';
    w->element(w, name);
    w->text_n = 0;
    if (w->depth > 0)
        w->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int len)
{
    struct walk *w = ctx;
    const size_t n = (size_t)len;
    if (n > sizeof w->text - 1 - w->text_n) {
        stop(w, QC_FAIL(w->err, QC_IO, "a text of more than %d bytes in the answer", CLOUD_S3_TEXT_MAX));
        return;
    }
    memcpy(w->text + w->text_n, s, n);
    w->text_n += n;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
                               int internal)
{
    (void)name, (void)sysid, (void)pubid, (void)internal;
    struct walk *w = ctx;
    stop(w, QC_FAIL(w->err, QC_IO, "the answer has a document type"));
}

/* Parse all of it; what came before a failure has been told. */
static qc_rc walk_run(struct walk *w, qc_span in)
{
    enum { SLICE = 1 << 20 };
    w->xml = XML_ParserCreate("UTF-8");
    if (w->xml == NULL)
        return QC_FAIL(w->err, QC_NOMEM, "XML");
    XML_SetUserData(w->xml, w);
    XML_SetElementHandler(w->xml, on_start, on_end);
    XML_SetCharacterDataHandler(w->xml, on_text);
    XML_SetStartDoctypeDeclHandler(w->xml, on_doctype);
    enum XML_Status good = XML_STATUS_OK;
    for (size_t at = 0, last = 0; good == XML_STATUS_OK && !last; at += SLICE) {
        const size_t n = in.n - at < SLICE ? in.n - at : SLICE;
        last = at + n == in.n;
        good = XML_Parse(w->xml, (const char *)in.p + at, (int)n, (int)last);
    }
    qc_rc rc = w->rc;
    if (good != XML_STATUS_OK && rc == QC_OK) {
        const enum XML_Error e = XML_GetErrorCode(w->xml);
        rc = e == XML_ERROR_NO_MEMORY
                 ? QC_FAIL(w->err, QC_NOMEM, "XML")
                 : QC_FAIL(w->err, QC_IO, "the answer is no XML: %s", XML_ErrorString(e));
    }
    XML_ParserFree(w->xml);
    return rc;
}

/* --- Errors --- */

static void print_safe(char *dst, size_t size, const char *src)
{
    size_t n = 0;
    for (; n < size - 1 && src[n] != '\0'; n++)
        dst[n] = src[n] >= ' ' && src[n] < 0x7f ? src[n] : '?';
    dst[n] = '\0';
}

/* <Error><Code>..</Code>..</Error>, or one level deeper; each the first that comes. */
static void error_element(struct walk *w, const char *name)
{
    struct s3_reply *r = w->reply;
    const struct {
        const char *name;
        char *dst;
        size_t size;
    } rows[] = {
        { "Code", r->code, sizeof r->code },
        { "Message", r->message, sizeof r->message },
        { "Region", r->region, sizeof r->region },
        { "RequestId", r->request_id, sizeof r->request_id },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (w->depth >= 2 && w->depth <= 3 && strcmp(name, rows[i].name) == 0 && rows[i].dst[0] == '\0')
            print_safe(rows[i].dst, rows[i].size, w->text);
}

void s3_reply_error(struct s3_reply *r, qc_span xml)
{
    struct qc_err ignored = { 0 };
    struct walk w = { .err = &ignored, .element = error_element, .reply = r };
    if (xml.n > 0)
        qc_ignore(walk_run(&w, xml), "proxies answer in HTML, or not at all");
}

/* --- Settings of a bucket --- */

static void find_element(struct walk *w, const char *name)
{
    if (w->found || strcmp(name, w->name) != 0)
        return;
    print_safe(w->dst, w->dst_size, w->text);
    w->found = true;
}

bool s3_xml_find(qc_span xml, const char *name, char *ret, size_t size)
{
    struct qc_err ignored = { 0 };
    struct walk w = { .err = &ignored, .element = find_element, .name = name, .dst = ret, .dst_size = size };
    if (xml.n > 0)
        qc_ignore(walk_run(&w, xml), "what was found before is there");
    return w.found;
}

/* --- Listings --- */

void s3_page_done(struct s3_page *p)
{
    qc_buf_free(&p->keys);
    *p = (struct s3_page){ 0 };
}

static void entry_end(struct walk *w)
{
    struct s3_page *p = w->page;
    if (!w->key_seen || !w->size_seen || w->key[0] == '\0') {
        stop(w, QC_FAIL(w->err, QC_IO, "an entry of the listing without key or size"));
        return;
    }
    qc_rc rc = qc_buf_add_be(&p->keys, w->size, ENTRY_HEAD, w->err);
    if (rc == QC_OK)
        rc = qc_buf_add(&p->keys, qc_span_of(w->key, strlen(w->key) + 1), w->err);
    if (rc != QC_OK)
        stop(w, rc);
    p->count++;
    w->key_seen = w->size_seen = false;
}

static void take_size(struct walk *w)
{
    uint64_t v = 0;
    bool good = w->text_n > 0;
    for (size_t i = 0; i < w->text_n && good; i++)
        good = w->text[i] >= '0' && w->text[i] <= '9' && qc_mul_u64(v, 10, &v) &&
               qc_add_u64(v, (uint64_t)(w->text[i] - '0'), &v);
    if (!good)
        stop(w, QC_FAIL(w->err, QC_IO, "an entry of the listing has no size"));
    w->size = v;
    w->size_seen = true;
}

static void page_element(struct walk *w, const char *name)
{
    struct s3_page *p = w->page;
    if (w->depth == 3 && strcmp(name, "Key") == 0) {
        memcpy(w->key, w->text, w->text_n + 1);
        w->key_seen = true;
    } else if (w->depth == 3 && strcmp(name, "Size") == 0) {
        take_size(w);
    } else if (w->depth != 2) {
        return;
    } else if (strcmp(name, "Contents") == 0) {
        entry_end(w);
    } else if (strcmp(name, "IsTruncated") == 0) {
        p->truncated = strcmp(w->text, "true") == 0;
    } else if (strcmp(name, "EncodingType") == 0) {
        w->encoded = strcmp(w->text, "url") == 0;
    } else if (strcmp(name, "Marker") == 0) {
        p->v1 = true;
    } else if (strcmp(name, "NextContinuationToken") == 0) {
        memcpy(p->token, w->text, w->text_n + 1);
    }
}

static int hex_value(uint8_t ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Percent-decode a key in place; a '+' is a plus (s3.md 2.5). Its new length; 0: it is none. */
static size_t key_decode(uint8_t *s)
{
    size_t to = 0;
    for (size_t i = 0; s[i] != 0; i++) {
        if (s[i] != '%') {
            s[to++] = s[i];
            continue;
        }
        const int hi = hex_value(s[i + 1]);
        const int lo = hi < 0 ? -1 : hex_value(s[i + 2]);
        if (lo < 0 || hi + lo == 0)
            return 0;
        s[to++] = (uint8_t)(hi * 16 + lo);
        i += 2;
    }
    s[to] = 0;
    return to;
}

/* The page's keys as the store has them: the element that says how they are encoded may stand after them. */
static qc_rc page_decode(struct s3_page *p, struct qc_err *err)
{
    size_t to = 0;
    for (size_t at = 0; at < p->keys.n;) {
        uint8_t *entry = p->keys.p + at;
        const size_t before = strlen((const char *)entry + ENTRY_HEAD);
        const size_t n = key_decode(entry + ENTRY_HEAD);
        if (n == 0)
            return QC_FAIL(err, QC_IO, "a key of the listing is encoded wrongly");
        memmove(p->keys.p + to, entry, ENTRY_HEAD + n + 1);
        to += ENTRY_HEAD + n + 1;
        at += ENTRY_HEAD + before + 1;
    }
    p->keys.n = to;
    return QC_OK;
}

qc_rc s3_page_parse(qc_span xml, struct s3_page *ret, struct qc_err *err)
{
    QC_CLEANUP(s3_page_done) struct s3_page p = { .keys = { .max = CLOUD_S3_LIST_SIZE_MAX } };
    struct walk w = { .err = err, .element = page_element, .root = "ListBucketResult", .page = &p };
    QC_TRY(walk_run(&w, xml));
    if (w.encoded)
        QC_TRY(page_decode(&p, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}
