#include "ways.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/time.h"
#include "make.h"

static const char file_name[] = "clouds.conf";

enum way_key { CREDENTIALS, URL, VALIDATED, FACTS, KEYS };

/* -- values ---------------------------------------------------------------------------------------------- */

static qc_rc take_text(qc_span v, char *dst, size_t size, struct qc_err *err)
{
    if (v.n == 0 || v.n >= size)
        return QC_FAIL(err, QC_USAGE, "%zu bytes, expected 1..%zu", v.n, size - 1);
    memcpy(dst, v.p, v.n);
    dst[v.n] = '\0';
    return QC_OK;
}

static qc_rc take_credentials(struct gw_way *w, qc_span v, struct qc_err *err)
{
    QC_TRY(take_text(v, w->credentials, sizeof w->credentials, err));
    return cloud_check_credentials(w->credentials, err);
}

static qc_rc take_url(struct gw_way *w, qc_span v, struct qc_err *err)
{
    return take_text(v, w->url, sizeof w->url, err);
}

static qc_rc take_validated(struct gw_way *w, qc_span v, struct qc_err *err)
{
    return qc_time_parse(v, &w->validated_s, err);
}

static qc_rc take_facts(struct gw_way *w, qc_span v, struct qc_err *err)
{
    return cloud_facts_parse(v, &w->facts, err);
}

static const struct {
    const char *name;
    qc_rc (*take)(struct gw_way *w, qc_span v, struct qc_err *err);
} keys[KEYS] = {
    [CREDENTIALS] = { "credentials", take_credentials },
    [URL] = { "url", take_url },
    [VALIDATED] = { "validated", take_validated },
    [FACTS] = { "facts", take_facts },
};

/* -- reading --------------------------------------------------------------------------------------------- */

struct parse {
    struct gw_ways *w;
    struct gw_way *way; /* the section's; NULL before the first */
    bool seen[KEYS];    /* in the section */
    unsigned line;
};

static qc_rc end_section(const struct parse *p, struct qc_err *err)
{
    if (p->seen[URL] != p->seen[VALIDATED] || p->seen[URL] != p->seen[FACTS])
        return QC_FAIL(err, QC_USAGE, "cloud '%s': url, validated and facts stand together or not at all",
                       p->way->name);
    return QC_OK;
}

static qc_rc begin_section(struct parse *p, qc_span name, struct qc_err *err)
{
    char text[CLOUD_NAME_SIZE_MAX + 1];
    QC_TRY(end_section(p, err));
    memset(p->seen, 0, sizeof p->seen);
    if (name.n == 0 || name.n >= sizeof text || memchr(name.p, '\0', name.n) != NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: the name of a cloud has 1..%d bytes", p->line,
                       CLOUD_NAME_SIZE_MAX);
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (!gw_cloud_name_ok(text) || gw_ways_find(p->w, text) != NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: not the name of a cloud, or one that came before", p->line);
    return gw_ways_get(p->w, text, &p->way, err);
}

static qc_rc take_value(struct parse *p, qc_span name, qc_span value, struct qc_err *err)
{
    if (p->way == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: a cloud's [NAME] must come first", p->line);
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] < 0x20 || value.p[i] == 0x7f)
            return QC_FAIL(err, QC_USAGE, "line %u: a control character", p->line);
    for (size_t i = 0; i < KEYS; i++) {
        if (!qc_span_eq(name, qc_span_str(keys[i].name)))
            continue;
        if (p->seen[i])
            return QC_FAIL(err, QC_USAGE, "line %u: '%s' is given twice", p->line, keys[i].name);
        p->seen[i] = true;
        struct qc_err why = { 0 };
        if (keys[i].take(p->way, value, &why) != QC_OK)
            return QC_FAIL(err, QC_USAGE, "line %u: '%s': %s", p->line, keys[i].name, why.msg);
        return QC_OK;
    }
    return QC_FAIL(err, QC_USAGE, "line %u: unknown key; known: credentials, url, validated, facts", p->line);
}

static qc_rc take_line(struct parse *p, qc_span line, struct qc_err *err)
{
    line = qc_span_trim(line);
    p->line++;
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return QC_OK;
    if (line.p[0] == '[') {
        if (line.p[line.n - 1] != ']')
            return QC_FAIL(err, QC_USAGE, "line %u: a cloud is written [NAME]", p->line);
        return begin_section(p, qc_span_sub(line, 1, line.n - 2), err);
    }
    const uint8_t *eq = memchr(line.p, '=', line.n);
    if (eq == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: neither [NAME] nor key = value", p->line);
    size_t at = (size_t)(eq - line.p);
    return take_value(p, qc_span_trim(qc_span_sub(line, 0, at)), qc_span_trim(qc_span_from(line, at + 1)),
                      err);
}

qc_rc gw_ways_parse(qc_span text, struct gw_ways *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *w = qc_alloc(sizeof *w);
    struct parse p = { .w = w };
    if (w == NULL)
        return QC_FAIL(err, QC_NOMEM, "ways to the clouds");
    if (text.n > QC_GW_WAYS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes, the limit is %d", text.n, QC_GW_WAYS_MAX);
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        QC_TRY(take_line(&p, qc_span_sub(text, 0, n), err));
        text = qc_span_from(text, end == NULL ? n : n + 1);
    }
    QC_TRY(end_section(&p, err));
    *ret = *w;
    return QC_OK;
}

/* -- writing --------------------------------------------------------------------------------------------- */

static qc_rc print_way(const struct gw_way *way, qc_buf *ret, struct qc_err *err)
{
    char time[QC_TIME_TEXT];
    QC_TRY(qc_buf_addf(ret, err, "\n[%s]\n", way->name));
    if (way->credentials[0] != '\0')
        QC_TRY(qc_buf_addf(ret, err, "credentials = %s\n", way->credentials));
    if (way->url[0] == '\0')
        return QC_OK;
    qc_time_text(way->validated_s, time);
    QC_TRY(qc_buf_addf(ret, err, "url = %s\nvalidated = %s\nfacts = ", way->url, time));
    QC_TRY(cloud_facts_print(way->facts, ret, err));
    return qc_buf_add(ret, QC_LIT("\n"), err);
}

qc_rc gw_ways_print(const struct gw_ways *w, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(
        qc_buf_add_str(ret,
                       "# Written by qcloud-gateway: where the keys of each cloud are, and what was shown of "
                       "it.\n# No key stands here. Change it with: qcloud-gateway cloud set NAME "
                       "--credentials FILE\n",
                       err));
    for (unsigned i = 0; i < w->count; i++)
        QC_TRY(print_way(&w->v[i], ret, err));
    return QC_OK;
}

/* -- the file -------------------------------------------------------------------------------------------- */

static qc_rc load(const struct gw_state *s, struct gw_ways *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    struct stat st;
    if (fstatat(qc_fd_get(&s->dir), file_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return QC_OK;
        return QC_FAIL_OS(err, "looking for it");
    }
    if ((st.st_mode & 077) != 0)
        return QC_FAIL(err, QC_AUTH, "mode %03o lets others read or write it, expected 600",
                       (unsigned)st.st_mode & 0777);
    QC_TRY(qc_file_read(qc_fd_get(&s->dir), file_name, QC_GW_WAYS_MAX, &text, err));
    return gw_ways_parse(qc_buf_span(&text), ret, err);
}

qc_rc gw_ways_load(const struct gw_state *s, struct gw_ways **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *w = qc_alloc(sizeof *w);
    if (w == NULL)
        return QC_FAIL(err, QC_NOMEM, "ways to the clouds");
    QC_TRY_AS(load(s, w, err), err, "%s/%s", s->path, file_name);
    *ret = QC_STEAL(w);
    return QC_OK;
}

qc_rc gw_ways_save(const struct gw_state *s, const struct gw_ways *w, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_WAYS_MAX };
    QC_TRY(gw_ways_print(w, &text, err));
    qc_span part = qc_buf_span(&text);
    return qc_file_write_atomic(qc_fd_get(&s->dir), file_name, &part, 1, 0600, err);
}

/* -- looking up ------------------------------------------------------------------------------------------ */

struct gw_way *gw_ways_find(struct gw_ways *w, const char *name)
{
    for (unsigned i = 0; i < w->count; i++)
        if (strcmp(w->v[i].name, name) == 0)
            return &w->v[i];
    return NULL;
}

qc_rc gw_ways_get(struct gw_ways *w, const char *name, struct gw_way **ret, struct qc_err *err)
{
    struct gw_way *way = gw_ways_find(w, name);
    if (way == NULL && w->count == QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_USAGE, "more than %d clouds", QC_GW_CLOUDS_MAX);
    if (way == NULL) {
        QC_ASSERT(gw_cloud_name_ok(name));
        way = &w->v[w->count++];
        *way = (struct gw_way){ 0 };
        memcpy(way->name, name, strlen(name) + 1);
    }
    *ret = way;
    return QC_OK;
}

const char *gw_way_credentials(const struct gw_way *way)
{
    return way == NULL || way->credentials[0] == '\0' ? NULL : way->credentials;
}

void gw_way_set_credentials(struct gw_way *way, const char *credentials)
{
    const char *text = credentials == NULL ? "" : credentials;
    QC_ASSERT(strlen(text) < sizeof way->credentials);
    memcpy(way->credentials, text, strlen(text) + 1);
}

bool gw_way_is_validated(const struct gw_way *way, const char *url)
{
    return way != NULL && strcmp(way->url, url) == 0;
}

unsigned gw_way_facts(const struct gw_way *way, const char *url)
{
    return gw_way_is_validated(way, url) ? way->facts : 0;
}
