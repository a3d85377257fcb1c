#include "out.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/time.h"
#include "text.h"

#define OUT_V 1
/* Of a terminal: bold red, bold yellow, as before. */
#define COLOR_ERROR   "\033[1;31m"
#define COLOR_WARNING "\033[1;33m"
#define COLOR_OFF     "\033[0m"

enum { INDENT = 4 };        /* of a sentence's further lines on a terminal */
enum { NAME_SHOWN = 1024 }; /* bytes of a name in the first line of a message; JSON has it whole */

void out_init(struct out *o, const char *command, enum msg_class c)
{
    *o = (struct out){ .data = stdout, .talk = stderr, .json_to = stdout, .command = command, .class = c };
    o->terminal = isatty(STDERR_FILENO) == 1;
}

void out_called(struct out *o, int argc, char *const *argv)
{
    o->word_count = argc <= QC_CLIENT_AGAIN_MAX ? argc : 0;
    for (int i = 0; i < o->word_count; i++)
        o->words[i] = argv[i];
}

bool out_reader_left(const struct out *o)
{
    struct pollfd p = { .fd = fileno(o->data), .events = POLLOUT };
    return p.fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

void out_bytes_on_stdout(struct out *o)
{
    o->json_to = o->talk;
}

static size_t columns_of(const struct out *o, FILE *to)
{
    struct winsize size;
    if (o->held != NULL)
        return o->held->columns;
    const int fd = fileno(to);
    return fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : SIZE_MAX;
}

size_t out_columns(const struct out *o)
{
    return columns_of(o, o->talk);
}

static void bar_end(struct out *o)
{
    if (fflush(o->data) != 0) /* what was said before comes before, where both go to one place */
        o->failed = true;
    if (o->bar_drawn)
        fputs("\r\033[K", o->talk);
    o->bar_drawn = false;
}

static void to_data(struct out *o, qc_span s)
{
    if (s.n > 0 && fwrite(s.p, 1, s.n, o->data) != s.n)
        o->failed = true;
}

void out_raw(struct out *o, qc_span s)
{
    to_data(o, s);
}

/* Where a line of a page goes on: beneath the words behind a gap ("  --name   what it is for"), where that is
 * not too far to the right; else where it begins, and a little further. */
static size_t hanging(qc_span line, size_t columns)
{
    size_t start = 0;
    while (start < line.n && line.p[start] == ' ')
        start++;
    size_t at = start;
    while (at + 1 < line.n && !(line.p[at] == ' ' && line.p[at + 1] == ' '))
        at++;
    while (at < line.n && line.p[at] == ' ')
        at++;
    if (at + 1 < line.n && at <= columns / 2)
        return at;
    return start == 0 ? 0 : start + INDENT; /* a paragraph of its own */
}

qc_rc out_page(struct out *o, qc_span text, struct qc_err *err)
{
    const size_t columns = columns_of(o, o->data);
    while (text.n > 0) {
        QC_CLEANUP(qc_buf_free) qc_buf broken = { 0 };
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const qc_span line = qc_span_sub(text, 0, end == NULL ? text.n : (size_t)(end - text.p));
        broken.max = (line.n + 1) * (columns == SIZE_MAX ? 1 : columns + 1);
        QC_TRY(text_wrap(line, columns, hanging(line, columns), &broken, err));
        to_data(o, qc_buf_span(&broken));
        if (end != NULL)
            to_data(o, QC_LIT("\n"));
        text = qc_span_from(text, line.n + (end != NULL ? 1 : 0));
    }
    return QC_OK;
}

/* How wide a line is, and where it goes on behind its end. */
struct width {
    size_t columns, indent;
};

/* A line for people. Whoever chose a word in it moves nobody's terminal. */
QC_PRINTF(3, 0)
static qc_rc make_line(const char *start, qc_buf *ret, const char *fmt, va_list ap, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_buf_addv(&said, err, fmt, ap));
    QC_TRY(qc_buf_add_str(ret, start, err));
    return text_harmless(qc_buf_span(&said), ret, err);
}

/* False: it did not come out whole. */
static bool put_wrapped(FILE *to, struct width w, qc_span text)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = 8 * QC_CLIENT_TEXT_MAX + 64 };
    if (text_wrap(text, w.columns, w.indent, &line, &err) != QC_OK ||
        qc_buf_add(&line, QC_LIT("\n"), &err) != QC_OK)
        return false;
    return fwrite(line.p, 1, line.n, to) == line.n;
}

QC_PRINTF(3, 0) static bool put_line(FILE *to, struct width w, const char *fmt, va_list ap)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = 4 * QC_CLIENT_TEXT_MAX + 64 };
    return make_line("", &line, fmt, ap, &err) == QC_OK && put_wrapped(to, w, qc_buf_span(&line));
}

void out_line(struct out *o, const char *fmt, ...)
{
    if (o->json)
        return;
    bar_end(o);
    va_list ap;
    va_start(ap, fmt);
    if (!put_line(o->data, (struct width){ SIZE_MAX, 0 }, fmt, ap))
        o->failed = true;
    va_end(ap);
}

size_t out_indent(const struct out *o, size_t wanted)
{
    return wanted > columns_of(o, o->data) / 5 ? INDENT : wanted;
}

void out_row(struct out *o, size_t indent, const char *fmt, ...)
{
    if (o->json)
        return;
    bar_end(o);
    va_list ap;
    va_start(ap, fmt);
    if (!put_line(o->data, (struct width){ columns_of(o, o->data), out_indent(o, indent) }, fmt, ap))
        o->failed = true;
    va_end(ap);
}

/* One write for all lines of a message: those of others come before or after it. */
static void log_lines(struct out *o, qc_span text)
{
    char lead[QC_TIME_TEXT + 32];
    char now[QC_TIME_TEXT];
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = 16 * QC_CLIENT_TEXT_MAX };
    if (o->log == NULL)
        return;
    qc_time_text(qc_wall_s(), now);
    (void)snprintf(lead, sizeof lead, "%s [%ld] ", now, (long)getpid());
    qc_rc rc = QC_OK;
    while (text.n > 0 && rc == QC_OK) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const qc_span line = qc_span_sub(text, 0, end == NULL ? text.n : (size_t)(end - text.p));
        rc = qc_buf_addf(&all, &err, "%s%.*s\n", lead, (int)line.n, (const char *)line.p);
        text = qc_span_from(text, line.n + (end != NULL ? 1 : 0));
    }
    const qc_span bytes = qc_buf_span(&all);
    if (rc != QC_OK || qc_write_all(qc_fd_get(&o->log->file), &bytes, 1, &err) != QC_OK)
        o->log->failed = true;
}

QC_PRINTF(2, 0) static void talk(struct out *o, const char *fmt, va_list ap)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = 4 * QC_CLIENT_TEXT_MAX + 64 };
    bar_end(o);
    if (make_line("qcloud: ", &line, fmt, ap, &err) != QC_OK ||
        !put_wrapped(o->talk, (struct width){ out_columns(o), INDENT }, qc_buf_span(&line)))
        fputs("qcloud: a message could not be written\n", o->talk);
    log_lines(o, qc_buf_span(&line));
}

void out_note(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!o->quiet && !o->json)
        talk(o, fmt, ap);
    va_end(ap);
}

void out_reason(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (o->verbose > 0 && !o->json)
        talk(o, fmt, ap);
    va_end(ap);
}

qc_rc out_json_new(const char *type, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "v", OUT_V, err));
    QC_TRY(qc_json_set_str(j, "type", type, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc out_json_name(struct json_t *obj, qc_span name, struct qc_err *err)
{
    QC_TRY(text_json(obj, "name", name, err));
    return text_is_utf8(name) ? QC_OK : qc_json_set_b64(obj, "name_b64", name, err);
}

qc_rc out_json(struct out *o, struct json_t **obj, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = QC_STEAL(*obj);
    if (!o->json)
        return QC_OK;
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_JSON_MAX };
    QC_TRY(qc_json_dump(j, &b, err));
    QC_TRY(qc_buf_add(&b, QC_LIT("\n"), err));
    if (fwrite(b.p, 1, b.n, o->json_to) != b.n || fflush(o->json_to) != 0)
        o->failed = true;
    return QC_OK;
}

/* A message must come out even when there is no memory left to make it with. */
static void last_resort(struct out *o, const struct qc_err *err)
{
    fprintf(o->talk, "qcloud: cannot write a message: %s\n", err->msg);
}

void out_start(struct out *o)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    if (!o->json)
        return;
    if (out_json_new("start", &j, &err) != QC_OK ||
        qc_json_set_str(j, "command", o->command, &err) != QC_OK ||
        qc_json_set_str(j, "version", QC_VERSION, &err) != QC_OK || out_json(o, &j, &err) != QC_OK)
        last_resort(o, &err);
}

/* A message as it is about to be shown. Spans are borrowed. */
struct shown {
    const char *type; /* error, warning, item */
    const char *code;
    const struct msg *m;
    const struct msg_about *about;
    qc_span what;
    qc_rc rc;         /* of an error */
    const char *next; /* what the error itself says to run next, or NULL */
};

/* A command of the error's own, words by blanks, as an argument list. */
static qc_rc add_own_next(struct json_t *list, const char *next, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *words = NULL;
    QC_TRY(qc_json_new_arr(&words, err));
    for (bool first = true; *next != '\0'; first = false) {
        char word[64];
        size_t n = strcspn(next, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, next);
        if (n > 0)
            QC_TRY(qc_json_append_str(words, word, err));
        for (size_t v = 0; first && msg_vault_word(v) != NULL; v++)
            QC_TRY(qc_json_append_str(words, msg_vault_word(v), err));
        next += n + (next[n] == ' ');
    }
    return qc_json_append(list, &words, err);
}

/* Is the part that is not there this word of the command line, or the end of it ("--range=A-B")? *ret_from:
 * where it begins. */
static bool is_part(const struct msg_about *about, const char *word, size_t *ret_from)
{
    const char *equals = strchr(word, '=');
    if (about->range.was == NULL || (about->range.was != word && about->range.was - 1 != equals))
        return false;
    *ret_from = (size_t)(about->range.was - word);
    return true;
}

/* A word of the command line, with a part that is there in the place of one that is not. */
static qc_rc again_word(const struct out *o, int i, const struct msg_about *about, qc_buf *ret,
                        struct qc_err *err)
{
    size_t from = 0;
    const char *word = i == 0 ? "qcloud" : o->words[i];
    qc_buf_clear(ret);
    if (i == 0 || !is_part(about, word, &from))
        return qc_buf_add_str(ret, word, err);
    QC_TRY(qc_buf_add(ret, qc_span_of(word, from), err));
    return qc_buf_add_str(ret, about->range.there, err);
}

/* The command as it was given. Left out where it is too long, or no UTF-8. */
static qc_rc add_again(struct json_t *list, const struct out *o, const struct msg_about *about,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *words = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_CLIENT_TEXT_MAX };
    bool fits = o->word_count > 0;
    for (int i = 1; i < o->word_count && fits; i++)
        fits = strlen(o->words[i]) < QC_CLIENT_PATH_MAX && text_is_utf8(qc_span_str(o->words[i]));
    if (!fits)
        return QC_OK;
    QC_TRY(qc_json_new_arr(&words, err));
    for (int i = 0; i < o->word_count; i++) {
        const char *word = NULL;
        QC_TRY(again_word(o, i, about, &b, err));
        QC_TRY(qc_buf_cstr(&b, &word, err));
        QC_TRY(qc_json_append_str(words, word, err));
    }
    return qc_json_append(list, &words, err);
}

/* The same as text, for a shell. */
static qc_rc again_text(const struct out *o, const struct msg_about *about, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_CLIENT_TEXT_MAX };
    if (o->word_count == 0)
        return qc_buf_addf(ret, err, "the same command with --range %s", about->range.there);
    for (int i = 0; i < o->word_count; i++) {
        QC_TRY(again_word(o, i, about, &b, err));
        QC_TRY(qc_buf_add_str(ret, i > 0 ? " " : "", err));
        QC_TRY(text_shell(qc_buf_span(&b), ret, err));
    }
    return QC_OK;
}

static qc_rc add_next_json(const struct out *o, struct json_t *j, const struct shown *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    bool again = s->about->kept > 0 || s->about->range.was != NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    if (s->next != NULL && strncmp(s->next, "qcloud ", 7) == 0)
        QC_TRY(add_own_next(list, s->next, err));
    for (size_t i = 0; s->next == NULL && s->about->range.was == NULL && i < MSG_STEPS_MAX; i++) {
        again = again || s->m->next[i].again;
        QC_CLEANUP(msg_argv_free) struct msg_argv a = { 0 };
        struct qc_err why = { 0 };
        bool runs = msg_step_argv(&s->m->next[i], s->about, &a, &why) == QC_OK;
        for (size_t w = 0; runs && w < a.n; w++)
            runs = text_is_utf8(qc_buf_span(&a.words[w]));
        if (!runs)
            continue;
        QC_CLEANUP(qc_json_free) struct json_t *words = NULL;
        QC_TRY(qc_json_new_arr(&words, err));
        for (size_t w = 0; w < a.n; w++) {
            const char *word = NULL;
            QC_TRY(qc_buf_cstr(&a.words[w], &word, err));
            QC_TRY(qc_json_append_str(words, word, err));
        }
        QC_TRY(qc_json_append(list, &words, err));
    }
    if (again)
        QC_TRY(add_again(list, o, s->about, err));
    return qc_json_set(j, "next", &list, err);
}

static const char *data_of(const struct shown *s)
{
    return s->about->data != NULL ? s->about->data : s->m->data;
}

static qc_rc message_json(const struct out *o, const struct shown *s, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new(s->type, &j, err));
    if (s->about->name.n > 0)
        QC_TRY(out_json_name(j, s->about->name, err));
    if (strcmp(s->type, "warning") != 0) {
        QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(s->rc), err));
        QC_TRY(qc_json_set_str(j, "rc", qc_rc_name(s->rc), err));
    }
    QC_TRY(qc_json_set_str(j, "id", s->code, err));
    QC_TRY(text_json(j, "what", s->what, err));
    QC_TRY(qc_json_set_str(j, "data", data_of(s), err));
    if (s->about->kept > 0)
        QC_TRY(qc_json_set_int(j, "kept", (int64_t)s->about->kept, err));
    QC_TRY(add_next_json(o, j, s, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

/* What to run next, a line for each. One with a command in it is left whole: it may be copied from there. */
static qc_rc add_next_lines(qc_span next, size_t columns, qc_buf *ret, struct qc_err *err)
{
    while (next.n > 0) {
        const uint8_t *end = memchr(next.p, '\n', next.n);
        const qc_span line = qc_span_sub(next, 0, end == NULL ? next.n : (size_t)(end - next.p));
        const bool runs = memmem(line.p, line.n, "qcloud", 6) != NULL;
        QC_TRY(text_wrap(line, runs ? SIZE_MAX : columns, 2 * INDENT, ret, err));
        QC_TRY(qc_buf_add(ret, QC_LIT("\n"), err));
        next = qc_span_from(next, line.n + (end != NULL ? 1 : 0));
    }
    return QC_OK;
}

enum { LEAD = MSG_CODE + 24 };

/* How a message begins: whose it is, and its code. */
static void lead_of(const struct shown *s, char ret[LEAD])
{
    (void)snprintf(ret, LEAD, "qcloud: %s%s", strcmp(s->type, "warning") == 0 ? "warning " : "", s->code);
}

/* The lines of a message, at most so wide; appended. */
static qc_rc message_lines(const struct out *o, const struct shown *s, size_t columns, qc_buf *ret,
                           struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf next = { .max = 2 * QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf what = { .max = 4 * QC_CLIENT_TEXT_MAX + 64 };
    char lead[LEAD];
    lead_of(s, lead);
    QC_TRY(qc_buf_addf(&what, err, "%s ", lead));
    QC_TRY(text_harmless(s->what, &what, err));
    QC_TRY(text_wrap(qc_buf_span(&what), columns, INDENT, ret, err));
    QC_TRY(qc_buf_add(ret, QC_LIT("\n"), err));
    qc_buf_clear(&what);
    QC_TRY(qc_buf_addf(&what, err, "  data: %s", data_of(s)));
    QC_TRY(text_wrap(qc_buf_span(&what), columns, 2 * INDENT, ret, err));
    QC_TRY(qc_buf_add_str(&next, "  next: ", err));
    if (s->next != NULL)
        QC_TRY(msg_next_own(s->next, &next, err));
    else if (s->about->range.was != NULL)
        QC_TRY(again_text(o, s->about, &next, err));
    else
        QC_TRY(msg_next_text(s->m, s->about, "\n    or: ", &next, err));
    QC_TRY(qc_buf_add_str(ret, "\n", err));
    return add_next_lines(qc_buf_span(&next), columns, ret, err);
}

static qc_rc message_text(struct out *o, const struct shown *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf lines = { .max = 8 * QC_CLIENT_TEXT_MAX + 64 };
    char lead[LEAD];
    QC_TRY(message_lines(o, s, out_columns(o), &lines, err));
    bar_end(o);
    lead_of(s, lead);
    const size_t n = strlen(lead);
    const bool whole = lines.n >= n && memcmp(lines.p, lead, n) == 0; /* else it is broken: a few columns */
    if (o->color && whole)
        fprintf(o->talk, "%s%s" COLOR_OFF, s->type[0] == 'w' ? COLOR_WARNING : COLOR_ERROR, lead);
    const size_t from = o->color && whole ? n : 0;
    fprintf(o->talk, "%.*s", (int)(lines.n - from), (const char *)lines.p + from);
    return QC_OK;
}

/* Also where what is shown is JSON. */
static void message_log(struct out *o, const struct shown *s)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf lines = { .max = 8 * QC_CLIENT_TEXT_MAX + 64 };
    if (o->log == NULL)
        return;
    if (message_lines(o, s, SIZE_MAX, &lines, &err) != QC_OK)
        o->log->failed = true;
    log_lines(o, qc_buf_span(&lines));
}

/* What the last line has besides. */
struct last {
    struct json_t *counts, *summary; /* or NULL */
};

/* last: what is taken of it is NULL then; or NULL. */
static void show(struct out *o, const struct shown *s, struct last *last)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    qc_rc rc = QC_OK;
    message_log(o, s);
    if (!o->json) {
        rc = message_text(o, s, &err);
    } else {
        rc = message_json(o, s, &j, &err);
        if (rc == QC_OK && last != NULL && last->counts != NULL)
            rc = qc_json_set(j, "counts", &last->counts, &err);
        if (rc == QC_OK && last != NULL && last->summary != NULL)
            rc = qc_json_set(j, "summary", &last->summary, &err);
        if (rc == QC_OK)
            rc = out_json(o, &j, &err);
    }
    if (rc != QC_OK)
        last_resort(o, &err);
}

void out_warn(struct out *o, enum msg_warning w, const struct msg_about *about, const char *fmt, ...)
{
    static const struct msg_about nothing = { 0 };
    char what[QC_ERR_MSG_MAX * 2] = "";
    char code[MSG_CODE];
    int n = 0;
    o->warnings++;
    if (o->quiet && !o->json)
        return;
    va_list ap;
    va_start(ap, fmt);
    if (o->site != 0)
        n = snprintf(what, sizeof what, "site %c: ", o->site);
    vsnprintf(what + n, sizeof what - (size_t)n, fmt, ap);
    va_end(ap);
    const struct msg *m = msg_warning(w);
    msg_warning_code(m, code);
    show(o,
         &(struct shown){ .type = "warning",
                          .code = code,
                          .m = m,
                          .about = about == NULL ? &nothing : about,
                          .what = qc_span_str(what) },
         NULL);
}

/* "cannot store 'x': why". The name is left out when the reason has it. */
static qc_rc first_line(const struct out *o, qc_rc rc, const struct msg_about *about,
                        const struct qc_err *why, qc_buf *ret, struct qc_err *err)
{
    const char *reason = why->msg[0] != '\0' ? why->msg : qc_rc_text(rc);
    /* A status that was told is no failure to tell it. */
    bool told = rc == QC_DEGRADED || (o->class == MSG_STATUS && (rc == QC_QUORUM || rc == QC_SHARES));
    if (told || o->class == MSG_CALL)
        return qc_buf_add_str(ret, reason, err);
    QC_TRY(qc_buf_add_str(ret, msg_verb(o->class), err));
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    const bool whole = about->name.n <= NAME_SHOWN;
    QC_TRY(text_quote(whole ? about->name : qc_span_sub(about->name, 0, NAME_SHOWN), &name, err));
    if (!whole)
        QC_TRY(qc_buf_add(&name, QC_LIT(".."), err));
    if (about->name.n > 0 && strncmp(reason, (const char *)name.p, name.n) == 0) /* "'x': why" already */
        return qc_buf_addf(ret, err, " %s", reason);
    if (about->name.n > 0 && memmem(reason, strlen(reason), name.p, name.n) == NULL)
        QC_TRY(qc_buf_addf(ret, err, " %.*s", (int)name.n, (const char *)name.p));
    return qc_buf_addf(ret, err, ": %s", reason);
}

static void show_error(struct out *o, const char *type, qc_rc rc, const struct msg_about *about,
                       const struct qc_err *why, struct last *last)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf what = { .max = QC_CLIENT_TEXT_MAX };
    char code[MSG_CODE];
    const struct msg *m = msg_of(o->class, rc);
    msg_code(m, rc, code);
    if (first_line(o, rc, about, why, &what, &err) != QC_OK)
        last_resort(o, &err);
    show(o,
         &(struct shown){ .type = type,
                          .code = code,
                          .m = m,
                          .about = about,
                          .what = qc_buf_span(&what),
                          .rc = rc,
                          .next = why->next },
         last);
    if (why->where != NULL)
        out_reason(o, "%s at %s", qc_rc_name(rc), why->where);
}

void out_count(struct out *o, qc_rc rc)
{
    o->counts[(unsigned)qc_rc_exit(rc) & 255U]++;
}

void out_object(struct out *o, qc_rc rc, const struct msg_about *about, const struct qc_err *why)
{
    out_count(o, rc);
    if (rc != QC_OK && !o->muted)
        show_error(o, "item", rc, about, why, NULL);
}

static qc_rc counts_json(const struct out *o, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    for (unsigned i = 0; i < 256; i++) {
        char key[4];
        snprintf(key, sizeof key, "%u", i);
        if (o->counts[i] > 0)
            QC_TRY(qc_json_set_int(j, key, o->counts[i], err));
    }
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc result_json(struct out *o, struct out_end *e, int status, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *counts = NULL;
    QC_TRY(out_json_new("result", &j, err));
    QC_TRY(qc_json_set_int(j, "exit", status, err));
    QC_TRY(qc_json_set_str(j, "rc", qc_rc_name(e->rc), err));
    QC_TRY(counts_json(o, &counts, err));
    QC_TRY(qc_json_set(j, "counts", &counts, err));
    QC_TRY(qc_json_set_int(j, "warnings", o->warnings, err));
    if (e->extra != NULL)
        QC_TRY(qc_json_set(j, "summary", &e->extra, err));
    return out_json(o, &j, err);
}

/* What is missing there was said here. */
static void tell_log(struct out *o)
{
    if (o->log == NULL || !o->log->failed)
        return;
    out_warn(o, MSG_W_OTHER, NULL, "not all messages could be written to %s", o->log->path);
}

int out_finish(struct out *o, struct out_end *e)
{
    struct qc_err unwritten = { 0 };
    const struct qc_err *err = e->err;
    tell_log(o);
    struct last last = { .summary = e->extra };
    bool good = e->rc == QC_OK || e->rc == QC_DEGRADED;
    if (fflush(o->data) != 0)
        o->failed = true;
    if (good && o->failed) {
        e->told = e->told || out_reader_left(o);
        qc_err_set(&unwritten, QC_IO, QC_HERE, "the output could not be written to the end");
        e->rc = QC_IO;
        err = &unwritten;
        good = false;
    }
    int status = e->rc == QC_DEGRADED && e->degraded_ok ? 0 : qc_rc_exit(e->rc);
    if ((!good || (e->rc == QC_DEGRADED && !e->told)) && !(e->told && !o->json)) {
        struct qc_err none = { 0 };
        qc_ignore(counts_json(o, &last.counts, &none), "the counts are an extra of the message");
        if (good) /* a line of its own has it, below */
            last.summary = NULL;
        show_error(o, good ? "item" : "error", e->rc, &e->about, err, &last);
        e->extra = good ? e->extra : last.summary;
        qc_json_free(&last.counts);
    }
    struct qc_err why = { 0 };
    if (good && o->json && result_json(o, e, status, &why) != QC_OK)
        last_resort(o, &why);
    qc_json_free(&e->extra);
    bar_end(o);
    fflush(o->talk);
    return status;
}
