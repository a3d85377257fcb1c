/* The text of a credentials file, line by line (FORMAT 10.1): what the AWS command writes and reads, less
 * what would make a line mean two things. A window of secret memory slides over the file; a line is looked at
 * where it lies, and only the two values that were sought are copied, into other secret memory and (the key's
 * id) into the result. */
#include "credentials.h"

#include <stdio.h>
#include <string.h>

enum field { ACCESS, SECRET, TOKEN, FIELDS };

static const char *const field_names[FIELDS] = {
    [ACCESS] = "aws_access_key_id",
    [SECRET] = "aws_secret_access_key",
    [TOKEN] = "aws_session_token",
};

/* Other ways to come to keys, which need another program or a service: named when there are no keys. */
static const char *const elsewhere[] = { "credential_process", "role_arn", "source_profile", "sso_session",
                                         "sso_start_url" };

struct ini {
    const char *profile; /* sought; NULL: the only one */
    struct cloud_credentials found;
    bool seen[FIELDS];
    unsigned line;
    bool begun;        /* some profile has */
    bool matched;      /* the one that is sought has */
    bool in;           /* the lines that follow belong to it */
    bool ours;         /* its last option was one of field_names */
    size_t indent;     /* of its last option; what stands further right goes on with it */
    const char *other; /* of elsewhere[], or NULL */
};

static void ini_done(struct ini *p)
{
    cloud_credentials_done(&p->found);
}

/* Names of options are the same in any case, as for the AWS command. */
static bool is_name(qc_span s, const char *name)
{
    if (s.n != strlen(name))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != name[i])
            return false;
    return true;
}

static qc_rc take_header(struct ini *p, qc_span name, struct qc_err *err)
{
    if (p->profile == NULL && p->begun)
        return QC_FAIL(err, QC_USAGE,
                       "line %u: a second profile; a file of its own holds one (aws:PROFILE names one of "
                       "~/.aws/credentials)",
                       p->line);
    p->begun = true;
    p->in = p->profile == NULL || qc_span_eq(name, qc_span_str(p->profile));
    if (p->in && p->matched)
        return QC_FAIL(err, QC_USAGE, "line %u: the profile begins a second time", p->line);
    p->matched = p->matched || p->in;
    p->ours = false;
    p->indent = SIZE_MAX;
    return QC_OK;
}

static qc_rc take_access(struct ini *p, qc_span v, struct qc_err *err)
{
    if (v.n > CLOUD_ACCESS_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "longer than %d bytes", CLOUD_ACCESS_SIZE_MAX);
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == '/' || v.p[i] == ',') /* they separate the parts of an Authorization header */
            return QC_FAIL(err, QC_USAGE, "'/' or ',' in the id of a key; are the two keys exchanged?");
    memcpy(p->found.access, v.p, v.n);
    p->found.access[v.n] = '\0';
    return QC_OK;
}

static qc_rc take_secret(struct ini *p, qc_span v, struct qc_err *err)
{
    if (v.n > CLOUD_SECRET_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "longer than %d bytes", CLOUD_SECRET_SIZE_MAX);
    size_t len = (v.n + QC_KEY_STEP - 1) / QC_KEY_STEP * QC_KEY_STEP;
    QC_TRY(qc_key_blank(&p->found.secret, len, err));
    memcpy(qc_key_write(p->found.secret), v.p, v.n);
    qc_key_seal(p->found.secret);
    p->found.secret_size = v.n;
    return QC_OK;
}

static qc_rc take_token(struct ini *p, qc_span v, struct qc_err *err)
{
    (void)p;
    (void)v;
    return QC_FAIL(
        err, QC_USAGE,
        "keys with a session token are temporary and would shut the gateway out within hours; make "
        "a key pair that lasts");
}

static qc_rc (*const takers[FIELDS])(struct ini *p, qc_span v, struct qc_err *err) = {
    [ACCESS] = take_access,
    [SECRET] = take_secret,
    [TOKEN] = take_token,
};

static qc_rc check_value(qc_span v, struct qc_err *err)
{
    if (v.n == 0)
        return QC_FAIL(err, QC_USAGE, "no value");
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x21 || v.p[i] > 0x7e)
            return QC_FAIL(err, QC_USAGE, "a byte that is no printable ASCII, or a space, in the value");
    return QC_OK;
}

static qc_rc take_option(struct ini *p, qc_span name, qc_span value, struct qc_err *err)
{
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (is_name(name, elsewhere[i]))
            p->other = elsewhere[i];
    p->ours = false;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!is_name(name, field_names[i]))
            continue;
        if (p->seen[i])
            return QC_FAIL(err, QC_USAGE, "line %u: %s is given twice", p->line, field_names[i]);
        p->seen[i] = true;
        p->ours = true;
        QC_TRY_AS(check_value(value, err), err, "line %u: %s", p->line, field_names[i]);
        QC_TRY_AS(takers[i](p, value, err), err, "line %u: %s", p->line, field_names[i]);
    }
    return QC_OK;
}

static const uint8_t *delimiter(qc_span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '=' || line.p[i] == ':')
            return line.p + i;
    return NULL;
}

static qc_rc take_line(struct ini *p, qc_span whole, struct qc_err *err)
{
    size_t indent = 0;
    while (indent < whole.n && qc_is_blank(whole.p[indent]))
        indent++;
    qc_span line = qc_span_trim(whole);
    p->line++;
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return QC_OK;
    if (memchr(line.p, '\0', line.n) != NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: a NUL; this is no text", p->line);
    if (line.p[0] == '[' && indent == 0) {
        if (line.p[line.n - 1] != ']')
            return QC_FAIL(err, QC_USAGE, "line %u: a profile begins with [NAME]", p->line);
        return take_header(p, qc_span_trim(qc_span_sub(line, 1, line.n - 2)), err);
    }
    if (!p->begun)
        return QC_FAIL(err, QC_USAGE, "line %u: a profile such as [default] must come first", p->line);
    if (!p->in)
        return QC_OK;         /* somebody else's lines */
    if (indent > p->indent) { /* the AWS command takes it for more of the last value */
        if (p->ours)
            return QC_FAIL(err, QC_USAGE, "line %u: a key that goes on in a second line", p->line);
        return QC_OK;
    }
    p->indent = indent;
    const uint8_t *at = delimiter(line);
    if (at == NULL)
        return QC_FAIL(err, QC_USAGE, "line %u: neither [profile] nor name = value", p->line);
    size_t n = (size_t)(at - line.p);
    return take_option(p, qc_span_trim(qc_span_sub(line, 0, n)), qc_span_trim(qc_span_from(line, n + 1)),
                       err);
}

static qc_rc finish(struct ini *p, struct qc_err *err)
{
    if (!p->matched && p->profile != NULL)
        return QC_FAIL(err, QC_NOTFOUND, "no profile [%s]", p->profile);
    if (!p->matched)
        return QC_FAIL(err, QC_NOTFOUND,
                       "no profile in it: the two keys stand below a line such as [default]");
    for (size_t i = ACCESS; i <= SECRET; i++) {
        if (p->seen[i])
            continue;
        if (p->other != NULL)
            return QC_FAIL(err, QC_USAGE, "the profile has no %s; it has %s, which qcloud does not follow",
                           field_names[i], p->other);
        return QC_FAIL(err, QC_USAGE, "the profile has no %s", field_names[i]);
    }
    return QC_OK;
}

struct window {
    qc_key *bytes;
    size_t n;     /* bytes in it */
    size_t total; /* read so far */
    bool end;
};

static void window_done(struct window *w)
{
    qc_key_free(&w->bytes);
}

static qc_rc window_fill(struct window *w, const struct cloud_credentials_source *from, struct qc_err *err)
{
    size_t got = 0, room = QC_KEY_MAX - w->n;
    QC_TRY(from->read(from->ctx, qc_key_write(w->bytes) + w->n, room, &got, err));
    QC_ASSERT(got <= room);
    w->n += got;
    w->total += got;
    w->end = got == 0;
    if (w->total > CLOUD_CREDENTIALS_FILE_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d bytes", CLOUD_CREDENTIALS_FILE_MAX);
    return QC_OK;
}

/* Take the lines that are whole; what is left moves to the front. */
static qc_rc window_lines(struct window *w, struct ini *p, struct qc_err *err)
{
    size_t at = 0;
    while (at < w->n) {
        qc_span rest = qc_span_of(qc_key_write(w->bytes) + at, w->n - at);
        const uint8_t *nl = memchr(rest.p, '\n', rest.n);
        if (nl == NULL && !w->end)
            break;
        size_t n = nl == NULL ? rest.n : (size_t)(nl - rest.p);
        QC_TRY(take_line(p, qc_span_sub(rest, 0, n), err));
        at += nl == NULL ? n : n + 1;
    }
    memmove(qc_key_write(w->bytes), qc_key_write(w->bytes) + at, w->n - at);
    w->n -= at;
    if (w->n == QC_KEY_MAX)
        return QC_FAIL(err, QC_LIMIT, "line %u: %d bytes or more", p->line + 1, QC_KEY_MAX);
    return QC_OK;
}

qc_rc cloud_credentials_parse(struct cloud_credentials *ret, const struct cloud_credentials_source *from,
                              const char *profile, struct qc_err *err)
{
    QC_CLEANUP(window_done) struct window w = { 0 };
    QC_CLEANUP(ini_done) struct ini p = { .profile = profile };
    QC_TRY(qc_key_blank(&w.bytes, QC_KEY_MAX, err));
    while (!w.end) {
        QC_TRY(window_fill(&w, from, err));
        QC_TRY(window_lines(&w, &p, err));
    }
    QC_TRY(finish(&p, err));
    *ret = QC_STEAL(p.found);
    return QC_OK;
}
