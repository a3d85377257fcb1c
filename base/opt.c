/* Parsing command lines by tables. */
#include "base/opt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "opt_internal.h"

const struct qc_opt qc_opt_built_in[] = {
    { .name = "help", .letter = 'h', .help = "show this text" },
    { .name = "version", .help = "show the program's version" },
    { .name = NULL },
};

struct parser {
    const struct qc_app *app;
    struct qc_args *ret;
    char **argv;
    int argc, at;
    int kept;                   /* arguments found so far, at argv[1..kept] */
    char lead[QC_OPT_NAME_MAX]; /* first words of a longer command, not settled yet; or "" */
    bool options_over;          /* after -- */
    const struct qc_opt *wants; /* the words ended where its value should stand; or NULL */
    struct qc_err *err;
};

/* The nearest name to a word that begins with it or ends at '=': none is better than one that is far. */
struct nearest {
    qc_span word;
    const char *name;
    size_t distance;
};

static struct nearest nearest_to(const char *word)
{
    return (struct nearest){ .word = qc_span_of(word, strcspn(word, "=")) };
}

static void consider(struct nearest *n, const char *name)
{
    const qc_span is = qc_span_str(name);
    size_t d = qc_near_edits(n->word, is);

    if (n->word.n <= QC_NEAR_WORD_MAX && d * 2 <= is.n + 1 && (n->name == NULL || d < n->distance)) {
        n->name = name;
        n->distance = d;
    }
}

static void consider_options(struct nearest *n, const struct qc_opt *o)
{
    for (; o != NULL && o->name != NULL; o++)
        consider(n, o->name);
}

static const struct qc_opt *find_in(const struct qc_opt *o, const char *name, size_t n, char letter)
{
    for (; o != NULL && o->name != NULL; o++) {
        if (name != NULL ? strlen(o->name) == n && strncmp(o->name, name, n) == 0 : o->letter == letter)
            return o;
    }
    return NULL;
}

const struct qc_cmd *qc_opt_find(const struct qc_app *app, const char *name)
{
    for (const struct qc_cmd *c = app->cmds; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

/* By name, or by letter when name is NULL: in the command's table, then the program's, then the built-in one.
 * The first words of a longer command may be one, too: the end tells which it was (rebind). */
static const struct qc_opt *find_option(const struct parser *p, const char *name, size_t n, char letter)
{
    const struct qc_cmd *cmd = p->ret->cmd != NULL ? p->ret->cmd : qc_opt_find(p->app, p->lead);
    const struct qc_opt *o = cmd == NULL ? NULL : find_in(cmd->options, name, n, letter);

    if (o == NULL)
        o = find_in(p->app->globals, name, n, letter);
    return o != NULL ? o : find_in(qc_opt_built_in, name, n, letter);
}

static qc_rc unknown_option(const struct parser *p, const char *name)
{
    struct nearest near = nearest_to(name);

    if (p->ret->cmd != NULL)
        consider_options(&near, p->ret->cmd->options);
    consider_options(&near, p->app->globals);
    consider_options(&near, qc_opt_built_in);
    if (near.name == NULL)
        return QC_FAIL(p->err, QC_USAGE, "unknown option --%.40s; --help names those that there are", name);
    return QC_FAIL(p->err, QC_USAGE, "unknown option --%.40s; did you mean --%s?", name, near.name);
}

static qc_rc unknown_command(const struct parser *p, const char *name)
{
    struct nearest near = nearest_to(name);

    for (const struct qc_cmd *c = p->app->cmds; c->name != NULL; c++)
        consider(&near, c->name);
    if (near.name == NULL)
        return QC_FAIL(p->err, QC_USAGE, "unknown command '%.40s'; --help names those that there are", name);
    return QC_FAIL(p->err, QC_USAGE, "unknown command '%.40s'; did you mean '%s'?", name, near.name);
}

static qc_rc give(struct parser *p, const struct qc_opt *o, const char *value)
{
    struct qc_args *a = p->ret;

    if (!o->many && o->arg != NULL) {
        for (size_t i = 0; i < a->given_count; i++) {
            const struct qc_opt *was = a->given[i].opt;
            if (was->arg != NULL && strcmp(was->name, o->name) == 0) /* whichever table has it */
                return QC_FAIL(p->err, QC_USAGE, "--%s is given twice", o->name);
        }
    }
    if (a->given_count == QC_OPT_GIVEN_MAX)
        return QC_FAIL(p->err, QC_USAGE, "more than %d options", QC_OPT_GIVEN_MAX);
    a->given[a->given_count++] = (struct qc_given){ o, value };
    return QC_OK;
}

/* The value that stands after an option, as the next word. */
static qc_rc next_value(struct parser *p, const struct qc_opt *o, const char **ret)
{
    if (p->at >= p->argc) {
        p->wants = o;
        return QC_FAIL(p->err, QC_USAGE, "--%s needs a value: %s", o->name, o->arg);
    }
    *ret = p->argv[p->at++];
    return QC_OK;
}

static qc_rc long_option(struct parser *p, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *value = equals == NULL ? NULL : equals + 1;
    const struct qc_opt *o = find_option(p, text, equals == NULL ? strlen(text) : (size_t)(equals - text), 0);

    if (o == NULL)
        return unknown_option(p, text);
    if (o->arg == NULL && value != NULL)
        return QC_FAIL(p->err, QC_USAGE, "--%s takes no value", o->name);
    if (o->arg != NULL && value == NULL)
        QC_TRY(next_value(p, o, &value));
    return give(p, o, value);
}

static qc_rc letters(struct parser *p, const char *text)
{
    for (; *text != '\0'; text++) {
        const struct qc_opt *o = find_option(p, NULL, 0, *text);
        const char *value = NULL;

        if (o == NULL)
            return QC_FAIL(p->err, QC_USAGE,
                           "unknown option -%c; a word that begins with - and is no option stands after --",
                           *text);
        if (o->arg != NULL && text[1] != '\0') {
            return give(p, o, text + 1); /* -n5 */
        }
        if (o->arg != NULL)
            QC_TRY(next_value(p, o, &value));
        QC_TRY(give(p, o, value));
    }
    return QC_OK;
}

/* Does a longer command begin with these words? */
static bool begins_command(const struct qc_app *app, const char *words)
{
    size_t n = strlen(words);

    for (const struct qc_cmd *c = app->cmds; c->name != NULL; c++) {
        if (strncmp(c->name, words, n) == 0 && c->name[n] == ' ')
            return true;
    }
    return false;
}

/* The words that may follow those first ones. */
static void followers(const struct parser *p, char *ret, size_t size)
{
    const size_t n = strlen(p->lead);
    size_t at = 0;

    for (const struct qc_cmd *c = p->app->cmds; c->name != NULL && at < size; c++) {
        if (strncmp(c->name, p->lead, n) != 0 || c->name[n] != ' ')
            continue;
        const int more = snprintf(ret + at, size - at, "%s%s", at > 0 ? ", " : "", c->name + n + 1);
        at += more > 0 ? (size_t)more : 0;
    }
}

static qc_rc needs_another(const struct parser *p)
{
    char words[256] = "";

    followers(p, words, sizeof words);
    return QC_FAIL(p->err, QC_USAGE, "'%.40s' needs another word: %s", p->lead, words);
}

qc_rc qc_opt_command(const struct qc_app *app, const char *name, const struct qc_cmd **ret,
                     struct qc_err *err)
{
    struct parser p = { .app = app, .err = err };
    const struct qc_cmd *cmd = qc_opt_find(app, name);
    if (cmd == NULL && strlen(name) < sizeof p.lead && begins_command(app, name)) {
        memcpy(p.lead, name, strlen(name) + 1);
        return needs_another(&p);
    }
    if (cmd == NULL)
        return unknown_command(&p, name);
    *ret = cmd;
    return QC_OK;
}

static qc_rc keep(struct parser *p, char *word)
{
    if (p->kept >= QC_OPT_ARGS_MAX)
        return QC_FAIL(p->err, QC_USAGE, "more than %d arguments", QC_OPT_ARGS_MAX);
    p->argv[++p->kept] = word;
    return QC_OK;
}

/* A word after the first ones of a longer command: one more of them, its last, or no word of it. */
static qc_rc settle(struct parser *p, char *word)
{
    char words[QC_OPT_NAME_MAX] = "";
    int n = snprintf(words, sizeof words, "%s %s", p->lead, word);

    if (n > 0 && (size_t)n < sizeof words) {
        if (begins_command(p->app, words)) {
            memcpy(p->lead, words, sizeof words);
            return QC_OK;
        }
        p->ret->cmd = qc_opt_find(p->app, words);
    }
    if (p->ret->cmd != NULL) {
        p->lead[0] = '\0';
        return QC_OK;
    }
    p->ret->cmd = qc_opt_find(p->app, p->lead);
    if (p->ret->cmd == NULL && n > 0 && (size_t)n < sizeof words)
        return unknown_command(p, words);
    if (p->ret->cmd == NULL)
        return QC_FAIL(p->err, QC_USAGE, "unknown command '%.40s %.40s'", p->lead, word);
    p->lead[0] = '\0';
    return keep(p, word);
}

static qc_rc argument(struct parser *p, char *word)
{
    if (p->lead[0] != '\0')
        return settle(p, word);
    if (p->ret->cmd != NULL)
        return keep(p, word);
    if (strlen(word) < sizeof p->lead && begins_command(p->app, word)) {
        memcpy(p->lead, word, strlen(word) + 1);
        return QC_OK;
    }
    p->ret->cmd = qc_opt_find(p->app, word);
    return p->ret->cmd == NULL ? unknown_command(p, word) : QC_OK;
}

/* Options that came before the last word of a longer command are its own, or it has none such. */
static qc_rc rebind(const struct parser *p)
{
    const struct qc_cmd *cmd = p->ret->cmd;

    for (size_t i = 0; i < p->ret->given_count; i++) {
        const struct qc_opt **given = &p->ret->given[i].opt;
        const char *name = (*given)->name;
        const size_t n = strlen(name);
        if (find_in(p->app->globals, name, n, 0) == *given || find_in(qc_opt_built_in, name, n, 0) == *given)
            continue;
        const struct qc_opt *o = find_in(cmd->options, name, n, 0);
        if (o == NULL || (o->arg == NULL) != ((*given)->arg == NULL))
            return unknown_option(p, name);
        *given = o;
    }
    return QC_OK;
}

static qc_rc finish(struct parser *p)
{
    struct qc_args *a = p->ret;

    if (p->lead[0] != '\0') {
        a->cmd = qc_opt_find(p->app, p->lead);
        if (a->cmd == NULL && !qc_args_flag(a, "help"))
            return needs_another(p);
    }
    a->argv = (const char *const *)(p->argv + 1);
    a->argc = p->kept;
    if (a->cmd == NULL || qc_args_flag(a, "help") || qc_args_version(a))
        return QC_OK;
    QC_TRY(rebind(p));
    if (a->argc < a->cmd->min)
        return QC_FAIL(p->err, QC_USAGE, "%s: %d argument%s, expected %s", a->cmd->name, a->argc,
                       a->argc == 1 ? "" : "s", a->cmd->args);
    const bool none = a->cmd->args == NULL || a->cmd->args[0] == '\0';
    if (a->cmd->max >= 0 && a->argc > a->cmd->max)
        return QC_FAIL(p->err, QC_USAGE, "%s: '%.80s' is one argument too many; expected %s", a->cmd->name,
                       a->argv[a->cmd->max], none ? "none" : a->cmd->args);
    return QC_OK;
}

static qc_rc next_word(struct parser *p)
{
    char *word = p->argv[p->at++];

    if (p->options_over || word[0] != '-' || word[1] == '\0')
        return argument(p, word);
    if (strcmp(word, "--") == 0) {
        p->options_over = true;
        return QC_OK;
    }
    return word[1] == '-' ? long_option(p, word + 2) : letters(p, word + 1);
}

qc_rc qc_opt_parse(struct qc_args *ret, const struct qc_app *app, int argc, char **argv, struct qc_err *err)
{
    struct parser p = { .app = app, .ret = ret, .argv = argv, .argc = argc, .at = 1, .err = err };

    *ret = (struct qc_args){ 0 };
    while (p.at < argc)
        QC_TRY(next_word(&p));
    return finish(&p);
}

void qc_opt_walk(const struct qc_app *app, int argc, char **argv, struct qc_args *ret_args,
                 struct qc_opt_place *ret)
{
    struct qc_args args = { 0 };
    struct qc_err why = { 0 };
    struct parser p = { .app = app, .ret = &args, .argv = argv, .argc = argc, .at = 1, .err = &why };

    bool lost = false;
    while (p.at <
           argc) { /* a wrong option does not keep what follows from being told, a wrong command does */
        const bool option = argv[p.at][0] == '-';
        lost = (next_word(&p) != QC_OK && !option && args.cmd == NULL) || lost;
    }
    *ret = (struct qc_opt_place){
        .cmd = args.cmd, .wants = p.wants, .args = p.kept, .options_over = p.options_over, .lost = lost
    };
    memcpy(ret->lead, p.lead, sizeof ret->lead);
    if (ret->cmd == NULL && p.lead[0] != '\0')
        ret->cmd = qc_opt_find(app, p.lead);
    *ret_args = args;
}

bool qc_opt_has(const struct qc_opt *o, const char *name)
{
    return find_in(o, name, strlen(name), 0) != NULL;
}

const struct qc_opt *qc_opt_named(const struct qc_app *app, const struct qc_cmd *cmd, const char *name,
                                  size_t n)
{
    struct qc_args args = { .cmd = cmd };
    const struct parser p = { .app = app, .ret = &args };

    return find_option(&p, name, n, 0);
}

bool qc_args_version(const struct qc_args *a)
{
    for (size_t i = 0; i < a->given_count; i++)
        if (a->given[i].opt->arg == NULL && strcmp(a->given[i].opt->name, "version") == 0)
            return true;
    return false;
}

bool qc_args_flag(const struct qc_args *a, const char *name)
{
    return qc_args_nth(a, name, 0) != NULL;
}

const char *qc_args_value(const struct qc_args *a, const char *name, const char *otherwise)
{
    const char *value = otherwise;

    for (size_t i = 0; i < a->given_count; i++) {
        if (strcmp(a->given[i].opt->name, name) == 0 && a->given[i].value != NULL)
            value = a->given[i].value;
    }
    return value;
}

const char *qc_args_nth(const struct qc_args *a, const char *name, size_t i)
{
    for (size_t j = 0; j < a->given_count; j++) {
        if (strcmp(a->given[j].opt->name, name) == 0 && i-- == 0)
            return a->given[j].value == NULL ? "" : a->given[j].value;
    }
    return NULL;
}

qc_rc qc_parse_u64(const char *text, const char *what, bool units, uint64_t *ret, struct qc_err *err)
{
    static const char letters_of[] = "kMGTP";
    const char *s = text;
    uint64_t v = 0;
    bool fits = true;

    for (; *s >= '0' && *s <= '9'; s++)
        fits = fits && qc_mul_u64(v, 10, &v) && qc_add_u64(v, (uint64_t)(*s - '0'), &v);
    const char letter = *s == 'K' ? 'k' : *s;
    const char *unit = s != text && units && letter != '\0' ? strchr(letters_of, letter) : NULL;
    if (unit != NULL) {
        for (const char *u = letters_of; fits && u <= unit; u++)
            fits = qc_mul_u64(v, 1024, &v);
        s++;
    }
    if (s == text || *s != '\0')
        return QC_FAIL(err, QC_USAGE, "%s: '%.40s' is not a number%s", what, text,
                       units ? " (such as 20, 4k, 16M, 1G)" : "");
    if (!fits)
        return QC_FAIL(err, QC_USAGE, "%s: '%.40s' is too large a number", what, text);
    *ret = v;
    return QC_OK;
}

qc_rc qc_parse_span(const char *text, const char *what, uint64_t *ret_s, struct qc_err *err)
{
    static const struct {
        char letter;
        uint64_t s;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    const size_t n = strspn(text, "0123456789");
    char digits[24];
    uint64_t v = 0, unit = text[n] == '\0' ? 1 : 0;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text[n] == units[i].letter && text[n + 1] == '\0')
            unit = units[i].s;
    }
    if (n == 0 || unit == 0)
        return QC_FAIL(err, QC_USAGE, "%s: '%.40s' is no span of time: seconds, or such as 40s, 10m, 2h, 1d",
                       what, text);
    (void)snprintf(digits, sizeof digits, "%s", text);
    digits[n < sizeof digits ? n : 0] = '\0';
    if (n >= sizeof digits || qc_parse_u64(digits, what, false, &v, err) != QC_OK || !qc_mul_u64(v, unit, &v))
        return QC_FAIL(err, QC_USAGE, "%s: '%.40s' is too long a span of time", what, text);
    *ret_s = v;
    return QC_OK;
}

qc_rc qc_parse_code(const char *text, const char *what, unsigned max, uint64_t *ret_k, uint64_t *ret_n,
                    struct qc_err *err)
{
    const char *comma = strchr(text, ',');
    char part[16] = "", name[64];
    uint64_t k = 0, n = 0;

    if (comma == NULL || (size_t)(comma - text) >= sizeof part)
        return QC_FAIL(err, QC_USAGE, "%s %.64s: expected K,N: any K of N clouds give everything", what,
                       text);
    memcpy(part, text, (size_t)(comma - text));
    (void)snprintf(name, sizeof name, "%s: K", what);
    QC_TRY(qc_parse_u64(part, name, false, &k, err));
    (void)snprintf(name, sizeof name, "%s: N", what);
    QC_TRY(qc_parse_u64(comma + 1, name, false, &n, err));
    if (k < 1 || k > n || n > max)
        return QC_FAIL(err, QC_USAGE, "%s %.64s: expected K,N with 1 <= K <= N <= %u", what, text, max);
    *ret_k = k;
    *ret_n = n;
    return QC_OK;
}

qc_rc qc_args_u64(const struct qc_args *a, const char *name, bool units, uint64_t min, uint64_t max,
                  uint64_t *ret, struct qc_err *err)
{
    const char *text = qc_args_value(a, name, NULL);
    char option[QC_OPT_NAME_MAX + 4];
    uint64_t v = 0;

    if (text == NULL)
        return QC_OK;
    (void)snprintf(option, sizeof option, "--%s", name);
    QC_TRY(qc_parse_u64(text, option, units, &v, err));
    if (v < min && max > UINT64_C(1000000000000000)) /* a bound that nobody meets is no help */
        return QC_FAIL(err, QC_USAGE, "--%s is %" PRIu64 ", expected %" PRIu64 " at least", name, v, min);
    if (v < min || v > max)
        return QC_FAIL(err, QC_USAGE, "--%s is %" PRIu64 ", expected %" PRIu64 " to %" PRIu64, name, v, min,
                       max);
    *ret = v;
    return QC_OK;
}

/* "7d" for 604800: the greatest unit of which it is a whole number. */
static const char *span_text(uint64_t s, char ret[24])
{
    const uint64_t unit = s % 86400 == 0 ? 86400 : s % 3600 == 0 ? 3600 : s % 60 == 0 ? 60 : 1;

    (void)snprintf(ret, 24, "%" PRIu64 "%s", s / unit,
                   unit == 86400  ? "d"
                   : unit == 3600 ? "h"
                   : unit == 60   ? "m"
                                  : "s");
    return s == 0 ? "0s" : ret;
}

qc_rc qc_args_span(const struct qc_args *a, const char *name, uint64_t min_s, uint64_t max_s, uint64_t *ret_s,
                   struct qc_err *err)
{
    const char *text = qc_args_value(a, name, NULL);
    char option[QC_OPT_NAME_MAX + 4], least[24], most[24];
    uint64_t s = 0;

    if (text == NULL)
        return QC_OK;
    (void)snprintf(option, sizeof option, "--%s", name);
    QC_TRY(qc_parse_span(text, option, &s, err));
    if (s < min_s || s > max_s)
        return QC_FAIL(err, QC_USAGE, "--%s is %.40s, expected %s to %s", name, text, span_text(min_s, least),
                       span_text(max_s, most));
    *ret_s = s;
    return QC_OK;
}
