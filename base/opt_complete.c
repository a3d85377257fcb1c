/* What may come next on a command line, from the tables. The texts of the help are read as what they are, a
 * small language: "FILE [NAME] | -r DIR", "full|quorum". A word without capitals stands for itself. */
#include <string.h>

#include "base/opt.h"
#include "opt_internal.h"

enum { TOKENS_MAX = 16 }; /* words of one way to call a command */

struct told {
    const struct qc_app *app;
    const char *typed; /* of the current word: what all that is told begins with */
    qc_span before;    /* what stands before a value in the same word: "--wait=" */
    qc_buf *ret;
    struct qc_err *err;
};

/* -- telling --------------------------------------------------------------------------------------------- */

static bool is_told(const qc_buf *b, qc_span line)
{
    for (size_t at = 0; at + line.n < b->n; at++)
        if ((at == 0 || b->p[at - 1] == '\n') && b->p[at + line.n] == '\n' &&
            memcmp(b->p + at, line.p, line.n) == 0)
            return true;
    return false;
}

/* A line, once. */
static qc_rc tell_line(struct told *t, const char *line)
{
    if (is_told(t->ret, qc_span_str(line)))
        return QC_OK;
    return qc_buf_addf(t->ret, t->err, "%s\n", line);
}

static qc_rc tell_word(struct told *t, const char *dashes, qc_span word, const char *help)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_LOG_LINE_MAX };
    const char *line = NULL;

    QC_TRY(qc_buf_addf(&text, t->err, "%.*s%s%.*s", (int)t->before.n, (const char *)t->before.p, dashes,
                       (int)word.n, (const char *)word.p));
    QC_TRY(qc_buf_cstr(&text, &line, t->err));
    if (strncmp(line, t->typed, strlen(t->typed)) != 0)
        return QC_OK;
    QC_TRY(qc_buf_addf(&text, t->err, "\t%s", help));
    QC_TRY(qc_buf_cstr(&text, &line, t->err));
    return tell_line(t, line);
}

/* but: of which the command has rows of its own; or NULL. */
static qc_rc tell_options(struct told *t, const struct qc_opt *o, const struct qc_opt *but)
{
    for (; o != NULL && o->name != NULL; o++)
        if (!qc_opt_has(but, o->name))
            QC_TRY(tell_word(t, "--", qc_span_str(o->name), o->help));
    return QC_OK;
}

/* The next word of each command that begins with lead; of one that it ends, its help. */
static qc_rc tell_commands(struct told *t, const char *lead)
{
    const size_t n = strlen(lead);

    for (const struct qc_cmd *c = t->app->cmds; c->name != NULL; c++) {
        const char *word = c->name + (n == 0 ? 0 : n + 1);
        if (n > 0 && (strncmp(c->name, lead, n) != 0 || c->name[n] != ' '))
            continue;
        const size_t length = strcspn(word, " ");
        const bool first =
            c == t->app->cmds || strncmp(c[-1].name, c->name, (size_t)(word - c->name) + length) != 0;
        if (first)
            QC_TRY(tell_word(t, "", qc_span_of(word, length), word[length] == '\0' ? c->help : ""));
    }
    return QC_OK;
}

/* -- the texts of the help ------------------------------------------------------------------------------- */

static bool is_capital(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool has_capital(qc_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_capital(s.p[i]))
            return true;
    return false;
}

/* "[NAME]...", "DIR/": the word in it. */
static qc_span bare(qc_span s)
{
    while (s.n > 0 && s.p[0] == '[')
        s = qc_span_from(s, 1);
    while (s.n > 0 && strchr("].,/", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

static qc_span cut(qc_span *rest, uint8_t at)
{
    size_t n = 0;

    while (n < rest->n && rest->p[n] != at)
        n++;
    const qc_span word = qc_span_sub(*rest, 0, n);
    *rest = qc_span_from(*rest, n < rest->n ? n + 1 : n);
    return word;
}

/* What a word in capitals stands for: files, directories, commands, or names that the program has. */
static qc_rc tell_kind(struct told *t, qc_span word)
{
    if (qc_span_eq(word, QC_LIT("FILE")))
        return tell_line(t, ":file");
    if (qc_span_eq(word, QC_LIT("DIR")))
        return is_told(t->ret, QC_LIT(":file")) ? QC_OK : tell_line(t, ":dir");
    if (qc_span_eq(word, QC_LIT("COMMAND")))
        return tell_commands(t, "");
    for (const struct qc_named *n = t->app->named; n != NULL && n->word != NULL; n++)
        if (qc_span_eq(word, qc_span_str(n->word)))
            return tell_line(t, n->kind);
    return QC_OK;
}

/* "full|quorum", "A|B|C", "NAME|random", "FILE", "-". */
static qc_rc tell_token(struct told *t, qc_span token)
{
    const bool many = memchr(token.p, '|', token.n) != NULL;
    qc_span rest = bare(token);

    while (rest.n > 0) {
        const qc_span word = bare(cut(&rest, '|'));
        const bool itself = !has_capital(word) || (many && word.n == 1);
        if (word.n == 0 || qc_span_eq(word, QC_LIT("-")))
            continue;
        QC_TRY(itself ? tell_word(t, "", word, "") : tell_kind(t, word));
    }
    return QC_OK;
}

/* The words of one way to call a command, without its options. Advances *rest to the next way. */
static size_t take_way(const struct told *t, const struct qc_cmd *cmd, qc_span *rest, qc_span ret[TOKENS_MAX])
{
    size_t n = 0;
    bool value = false;

    while (rest->n > 0) {
        const qc_span token = cut(rest, ' ');
        const qc_span word = bare(token);
        if (qc_span_eq(token, QC_LIT("|")))
            break;
        const bool option = word.n > 1 && word.p[0] == '-';
        if (!option && !value && token.n > 0 && n < TOKENS_MAX)
            ret[n++] = token;
        const struct qc_opt *o = NULL;
        if (option && word.n > 2 && word.p[1] == '-')
            o = qc_opt_named(t->app, cmd, (const char *)word.p + 2, word.n - 2);
        value = o != NULL && o->arg != NULL;
    }
    return n;
}

static bool repeats(qc_span token)
{
    return token.n > 3 && memcmp(token.p + token.n - 3, "...", 3) == 0;
}

/* The argument at this place of each way to call the command. */
static qc_rc tell_argument(struct told *t, const struct qc_cmd *cmd, size_t place)
{
    qc_span rest = qc_span_str(cmd->args == NULL ? "" : cmd->args);
    qc_span token[TOKENS_MAX];

    while (rest.n > 0) {
        const size_t n = take_way(t, cmd, &rest, token);
        for (size_t i = 0; i < n; i++)
            if (i == place || (i < place && repeats(token[i])))
                QC_TRY(tell_token(t, token[i]));
    }
    return QC_OK;
}

/* -- where one is ---------------------------------------------------------------------------------------- */

/* "--name=..": is the name an option's that takes a value? Then that value. */
static qc_rc tell_value_of(struct told *t, const struct qc_opt_place *at, const char *equals)
{
    const size_t n = (size_t)(equals - t->typed) - 2;
    const struct qc_opt *o = qc_opt_named(t->app, at->cmd, t->typed + 2, n);

    if (o == NULL || o->arg == NULL)
        return QC_OK;
    t->before = qc_span_of(t->typed, n + 3);
    return tell_token(t, qc_span_str(o->arg));
}

static qc_rc tell_all(struct told *t, const struct qc_opt_place *at)
{
    const bool dash = t->typed[0] == '-' && !at->options_over;
    const char *equals = strchr(t->typed, '=');

    if (at->wants != NULL)
        return tell_token(t, qc_span_str(at->wants->arg));
    if (dash && t->typed[1] == '-' && equals != NULL)
        return tell_value_of(t, at, equals);
    if (dash) {
        const struct qc_opt *own = at->cmd == NULL ? NULL : at->cmd->options;
        QC_TRY(tell_options(t, own, NULL));
        QC_TRY(tell_options(t, t->app->globals, own));
        return tell_options(t, qc_opt_built_in, NULL);
    }
    if (at->lost)
        return QC_OK;
    if (at->cmd == NULL || at->lead[0] != '\0')
        QC_TRY(tell_commands(t, at->lead));
    return at->cmd == NULL ? QC_OK : tell_argument(t, at->cmd, (size_t)at->args);
}

/* bash takes "--wait=full" for three words. */
static void follow(const struct qc_app *app, const char *const *words, int count, struct qc_args *ret_said,
                   struct qc_opt_place *ret)
{
    char *argv[QC_OPT_COMPLETE_MAX + 1] = { NULL };
    int argc = 1;

    for (int i = 0; i < count; i++)
        if (strcmp(words[i], "=") != 0)
            argv[argc++] = (char *)(uintptr_t)words[i]; /* the order is changed, not the words */
    qc_opt_walk(app, argc, argv, ret_said, ret);
    ret_said->argv = NULL; /* it was ours */
    ret_said->argc = 0;
}

void qc_opt_said(const struct qc_app *app, const char *const *words, int count, struct qc_args *ret)
{
    struct qc_opt_place at;

    *ret = (struct qc_args){ 0 };
    if (count <= QC_OPT_COMPLETE_MAX)
        follow(app, words, count, ret, &at);
}

qc_rc qc_opt_complete(const struct qc_app *app, const char *const *words, int count, qc_buf *ret,
                      struct qc_err *err)
{
    struct qc_opt_place at;
    struct qc_args said;

    if (count < 1 || count > QC_OPT_COMPLETE_MAX)
        return QC_OK;
    const char *typed = strcmp(words[count - 1], "=") == 0 ? "" : words[count - 1];
    follow(app, words, count - 1, &said, &at);
    struct told t = { .app = app, .typed = typed, .ret = ret, .err = err };
    return tell_all(&t, &at);
}
