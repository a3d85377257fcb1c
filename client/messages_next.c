/* What to run next, as an argument list and as text. */
#include "messages.h"
#include "text.h"

/* Fetched once per process, from the command line. */
static const char *vault_words[MSG_VAULT_MAX];
static size_t vault_count;

void msg_vault(const char *option, const char *value)
{
    QC_ASSERT(vault_count + 2 <= MSG_VAULT_MAX);
    vault_words[vault_count++] = option;
    vault_words[vault_count++] = value;
}

const char *msg_vault_word(size_t i)
{
    return i < vault_count ? vault_words[i] : NULL;
}

void msg_argv_free(struct msg_argv *a)
{
    for (size_t i = 0; i < sizeof a->words / sizeof a->words[0]; i++)
        qc_buf_free(&a->words[i]);
    a->n = 0;
}

static qc_rc add_word(struct msg_argv *a, qc_span s, struct qc_err *err)
{
    QC_ASSERT(a->n < sizeof a->words / sizeof a->words[0]);
    qc_buf *w = &a->words[a->n++];
    qc_buf_init(w, QC_CLIENT_TEXT_MAX);
    return qc_buf_add(w, s, err);
}

static qc_span or_nothing(const char *s)
{
    static const qc_span nothing = { 0 };
    return s == NULL ? nothing : qc_span_str(s);
}

qc_rc msg_step_argv(const struct msg_step *s, const struct msg_about *about, struct msg_argv *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(msg_argv_free) struct msg_argv a = { 0 };
    for (size_t i = 0; i < MSG_WORDS_MAX && s->argv[i] != NULL; i++) {
        qc_span word = qc_span_str(s->argv[i]);
        if (strcmp(s->argv[i], "{name}") == 0) {
            word = about->name;
            if (word.n > 0 && word.p[0] == '-')
                QC_TRY(add_word(&a, QC_LIT("--"), err));
        } else if (strcmp(s->argv[i], "{share}") == 0) {
            word = or_nothing(about->share);
        } else if (strcmp(s->argv[i], "{dir}") == 0) {
            word = or_nothing(about->dir);
        } else if (strcmp(s->argv[i], "{scrub}") == 0) {
            word = or_nothing(about->scrub);
        } else if (strcmp(s->argv[i], "{drill}") == 0) {
            word = or_nothing(about->drill);
        }
        if (word.n == 0)
            return QC_FAIL(err, QC_NOTFOUND, "nothing stands for %s", s->argv[i]);
        QC_TRY(add_word(&a, word, err));
        for (size_t v = 0; i == 0 && v < vault_count && qc_span_eq(word, QC_LIT("qcloud")); v++)
            QC_TRY(add_word(&a, qc_span_str(vault_words[v]), err));
    }
    if (a.n == 0)
        return QC_FAIL(err, QC_NOTFOUND, "words alone");
    *ret = QC_STEAL(a);
    return QC_OK;
}

static qc_rc step_text(const struct msg_step *s, const struct msg_about *about, qc_buf *ret,
                       struct qc_err *err)
{
    QC_CLEANUP(msg_argv_free) struct msg_argv a = { 0 };
    if (s->argv[0] != NULL)
        QC_TRY(msg_step_argv(s, about, &a, err));
    if (s->before != NULL)
        QC_TRY(qc_buf_addf(ret, err, "%s%s", s->before, a.n > 0 ? " " : ""));
    for (size_t i = 0; i < a.n; i++) {
        QC_TRY(qc_buf_add_str(ret, i > 0 ? " " : "", err));
        QC_TRY(text_shell(qc_buf_span(&a.words[i]), ret, err));
    }
    if (s->after != NULL)
        QC_TRY(qc_buf_addf(ret, err, "   # %s", s->after)); /* a shell takes it for a comment */
    return QC_OK;
}

qc_rc msg_next_own(const char *next, qc_buf *ret, struct qc_err *err)
{
    static const char program[] = "qcloud ";
    const size_t n = sizeof program - 1;
    if (vault_count == 0 || strncmp(next, program, n) != 0)
        return qc_buf_add_str(ret, next, err);
    QC_TRY(qc_buf_add_str(ret, program, err));
    for (size_t v = 0; v < vault_count; v++) {
        QC_TRY(text_shell(qc_span_str(vault_words[v]), ret, err));
        QC_TRY(qc_buf_add(ret, QC_LIT(" "), err));
    }
    return qc_buf_add_str(ret, next + n, err);
}

qc_rc msg_next_text(const struct msg *m, const struct msg_about *about, const char *between, qc_buf *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = ret->max };
    for (size_t i = 0; i < MSG_STEPS_MAX; i++) {
        const struct msg_step *s = &m->next[i];
        if (s->before == NULL && s->argv[0] == NULL)
            continue;
        QC_CLEANUP(qc_buf_free) qc_buf one = { .max = ret->max };
        struct qc_err why = { 0 };
        qc_rc rc = step_text(s, about, &one, &why);
        if (rc == QC_NOTFOUND)
            continue;
        if (rc != QC_OK) {
            *err = why;
            return rc;
        }
        QC_TRY(qc_buf_add_str(&all, all.n > 0 ? between : "", err));
        QC_TRY(qc_buf_add(&all, qc_buf_span(&one), err));
    }
    return qc_buf_add(ret, qc_buf_span(&all), err);
}
