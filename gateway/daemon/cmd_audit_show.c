/* audit: the lines of the audit log, told to people or to programs, while its chain is verified. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cloud_args.h"
#include "cmd_audit.h"
#include "http.h"
#include "json.h"
#include "print.h"
#include "tell.h"

const struct qc_opt cmd_audit_options[] = {
    CLOUD_ARGS_STATE,
    { "since", 0, "TIME", "from then on: 2026-01-31, by this machine's clock, or 2026-01-31T12:00:00Z",
      false },
    { "json", 0, NULL, "the lines as they stand in the log, then one with what was found", false },
    { 0 },
};

struct showing {
    bool json;
    int64_t since_s;
    uint64_t shown;
    struct json_t *findings;
    struct qc_err err; /* of building them */
};

static void showing_done(struct showing *s)
{
    qc_json_free(&s->findings);
}

/* A text that is one word stands without its quotes. The escapes of others stay: a record is one line. */
static void print_text(qc_span text)
{
    bool plain = text.n > 0;

    for (size_t i = 0; i < text.n; i++)
        plain = plain && text.p[i] > ' ' && memchr("\"\\=", text.p[i], 3) == NULL;
    printf(plain ? "%.*s" : "\"%.*s\"", (int)text.n, (const char *)text.p);
}

/* Bytes of the text that begins at s, up to the quote that ends it. */
static size_t text_length(qc_span s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != '"')
        n += s.p[n] == '\\' ? 2 : 1;
    return n < s.n ? n : s.n;
}

/* `,"tenant":1,"rc":"ok"` as ` tenant=1 rc=ok`. It was parsed before: names are words, values texts or
 * numbers. */
static void print_members(qc_span m)
{
    size_t at = 0;

    while (at + 2 < m.n) {
        const size_t name = text_length(qc_span_from(m, at + 2));
        printf(" %.*s=", (int)name, (const char *)m.p + at + 2);
        at += 2 + name + 2; /* `,"`, the name, `":` */
        if (at < m.n && m.p[at] == '"') {
            const size_t n = text_length(qc_span_from(m, at + 1));
            print_text(qc_span_sub(m, at + 1, n));
            at += n + 2;
        }
        for (; at < m.n && m.p[at] != ','; at++)
            putchar(m.p[at]);
    }
}

static void show(void *ctx, const struct gw_audit_line *l, qc_span line)
{
    struct showing *s = ctx;
    char time[QC_TIME_TEXT];

    if (l->time_s < s->since_s)
        return;
    s->shown++;
    if (s->json) {
        printf("%.*s\n", (int)line.n, (const char *)line.p);
        return;
    }
    qc_time_text(l->time_s, time);
    printf("%s %" PRIu64 " %s", time, l->sequence, l->event);
    print_members(gw_audit_line_members(line, l));
    putchar('\n');
}

/* Where it belongs among the records, which begin with a time. */
static void tell(void *ctx, const char *file, uint64_t line, const char *what)
{
    struct showing *s = ctx;

    if (!s->json)
        printf("%s:%" PRIu64 ": %s\n", file, line, what);
    else if (s->err.rc == QC_OK)
        qc_ignore(cmd_audit_finding(s->findings, file, line, what, &s->err),
                  "kept in s->err, and looked at in the end");
}

static qc_rc print_end(struct showing *s, const struct gw_audit_check *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;

    QC_TRY(cmd_audit_report(&o, c, &s->findings, err));
    QC_TRY(json_count(o, "shown", s->shown, err));
    return print_json(o, HTTP_ANSWER_MAX, err);
}

qc_rc cmd_audit(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct gw_audit_head noted = { 0 };
    QC_CLEANUP(showing_done) struct showing s = { .json = qc_args_flag(args, "json") };
    struct gw_audit_check c = { .tell = tell, .seen = show, .ctx = &s, .heads = &noted };
    const char *state = NULL;
    const char *since = qc_args_value(args, "since", NULL);

    *(enum tell_about *)app = TELL_AUDIT;
    QC_TRY(cloud_args_state(args, &state, err));
    if (since != NULL && !qc_time_read(since, true, &s.since_s))
        return QC_FAIL(
            err, QC_USAGE,
            "--since takes 2026-01-31, by this machine's clock, or 2026-01-31T12:00:00Z, not '%.60s'", since);
    QC_TRY(qc_json_new_arr(&s.findings, err));
    QC_TRY(cmd_audit_check(&c, state, &noted, err));
    if (s.err.rc != QC_OK)
        *err = s.err;
    QC_TRY(s.err.rc);
    if (s.json)
        QC_TRY(print_end(&s, &c, err));
    return cmd_audit_verdict(&c, err);
}
