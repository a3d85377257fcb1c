#include "base/log.h"
#include "base/log_level.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_least = QC_LOG_WARN;
static atomic_bool log_json;
static atomic_bool log_hand; /* log_least was set by hand */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* A line that is cut where it is full; two bytes are kept for its end. */
struct line {
    char text[QC_LOG_LINE_MAX];
    size_t n;
};

static void put(struct line *l, char c)
{
    if (l->n < sizeof l->text - 2)
        l->text[l->n++] = c;
}

static void puts_raw(struct line *l, const char *s)
{
    for (; *s != '\0'; s++)
        put(l, *s);
}

/* With \n, \t, quotes, backslashes and other control characters escaped. */
static void puts_escaped(struct line *l, const char *s)
{
    char code[8];

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\') {
            put(l, '\\');
            put(l, *s);
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(code, sizeof code, "\\u%04x", c);
            puts_raw(l, code);
        } else {
            put(l, *s);
        }
    }
}

static void puts_quoted(struct line *l, const char *s)
{
    put(l, '"');
    puts_escaped(l, s);
    put(l, '"');
}

static void put_value(struct line *l, const struct qc_kv *kv, bool json)
{
    char number[32];

    if (kv->kind == QC_KV_STR) {
        const char *s = kv->s == NULL ? "-" : kv->s;

        if (json || strpbrk(s, " =\"\\") != NULL || *s == '\0')
            puts_quoted(l, s);
        else
            puts_escaped(l, s);
        return;
    }
    if (kv->kind == QC_KV_I64)
        snprintf(number, sizeof number, "%" PRId64, kv->i);
    else
        snprintf(number, sizeof number, "%" PRIu64, kv->u);
    puts_raw(l, number);
}

static void head(struct line *l, qc_level level, const char *msg, bool json)
{
    char now[QC_TIME_TEXT];

    qc_time_text(qc_wall_s(), now);
    puts_raw(l, json ? "{\"time\":\"" : "");
    puts_raw(l, now);
    puts_raw(l, json ? "\",\"level\":\"" : " ");
    puts_raw(l, level_names[level]);
    puts_raw(l, json ? "\",\"msg\":" : " ");
    if (json)
        puts_quoted(l, msg);
    else
        puts_escaped(l, msg);
}

void qc_log_setup(int fd, qc_level least, bool json)
{
    atomic_store(&log_fd, fd);
    qc_log_change(least, json);
}

void qc_log_change(qc_level least, bool json)
{
    atomic_store(&log_least, (int)least);
    atomic_store(&log_hand, false);
    atomic_store(&log_json, json);
}

void qc_log_by_hand(qc_level least)
{
    atomic_store(&log_least, (int)least);
    atomic_store(&log_hand, true);
}

bool qc_log_is_by_hand(void)
{
    return atomic_load(&log_hand);
}

const char *qc_level_name(qc_level l)
{
    QC_ASSERT(l < QC_LOG_NONE);
    return level_names[l];
}

bool qc_level_of_name(qc_span name, qc_level *ret)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
        if (qc_span_eq(name, qc_span_str(level_names[i]))) {
            *ret = (qc_level)i;
            return true;
        }
    return false;
}

qc_level qc_log_level(void)
{
    return (qc_level)atomic_load(&log_least);
}

void qc_log_write(qc_level level, const char *msg, const struct qc_kv *pairs)
{
    int kept = errno;
    bool json = atomic_load(&log_json);
    struct line l = { .n = 0 };

    QC_ASSERT(level < QC_LOG_NONE);
    if (level < qc_log_level())
        return;
    head(&l, level, msg, json);
    for (size_t i = 0; i < QC_LOG_PAIRS_MAX && pairs[i].kind != QC_KV_END; i++) {
        size_t before = l.n;

        put(&l, json ? ',' : ' ');
        if (json)
            puts_quoted(&l, pairs[i].key);
        else
            puts_raw(&l, pairs[i].key);
        put(&l, json ? ':' : '=');
        put_value(&l, &pairs[i], json);
        if (l.n >= sizeof l.text - 2) { /* half a pair would not parse: the line ends before it */
            l.n = before;
            break;
        }
    }
    if (json)
        l.text[l.n++] = '}';
    l.text[l.n++] = '\n';
    ssize_t n = write(atomic_load(&log_fd), l.text, l.n);
    (void)n; /* there is nobody left to tell */
    errno = kept;
}

void qc_log_err(qc_level level, const char *msg, const struct qc_err *err)
{
    QC_LOG(level, msg, QC_S("rc", qc_rc_name(err->rc)), QC_S("cause", err->msg), QC_S("where", err->where),
           QC_I("os", err->os));
}
