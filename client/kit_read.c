/* What is read of a kit: a file that was scanned or printed, or words as they are typed. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "kit.h"
#include "signals.h"
#include "vault/descriptor.h"

enum { TEXT_ROOM = VAULT_DESCRIPTOR_MAX + QC_VAULT_KIT_TEXT_MAX };

void kit_given_done(struct kit_given *g)
{
    vault_kit_done(&g->kit);
    vault_descriptor_done(&g->d);
    g->has_d = false;
}

/* Is there an empty line at the end? That is how typing ends. */
static bool is_ended(const char *p, size_t n)
{
    return n >= 2 && p[n - 1] == '\n' && p[n - 2] == '\n';
}

static qc_rc read_all(int fd, bool typed, char *p, size_t *ret, struct qc_err *err)
{
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && !(typed && is_ended(p, n))) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "waiting for a kit", err));
        if (n == TEXT_ROOM)
            return QC_FAIL(err, QC_USAGE, "more than %d bytes: that is no kit", TEXT_ROOM);
        got = read(fd, p + n, TEXT_ROOM - n);
        if (got < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "reading a kit");
        n += got > 0 ? (size_t)got : 0;
        if (got < 0)
            got = 1; /* interrupted: go_on says whether to end */
    }
    *ret = n;
    return QC_OK;
}

/* Where the vault is: the line that begins with a brace. Empty: there is none. */
static qc_span descriptor_of(qc_span text)
{
    for (size_t at = 0; at < text.n;) {
        const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
        const size_t line = end == NULL ? text.n - at : (size_t)(end - text.p) - at;
        if (line > 0 && text.p[at] == '{')
            return qc_span_sub(text, at, line);
        at += line + 1;
    }
    return (qc_span){ 0 };
}

static qc_rc understand(char *p, size_t n, struct kit_given *g, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_span d = descriptor_of(qc_span_of((const uint8_t *)p, n));
    if (d.n > 0 && vault_descriptor_parse(&g->d, d, &why) != QC_OK)
        return QC_FAIL(err, QC_USAGE, "where the vault is: %s", why.msg);
    g->has_d = d.n > 0;
    const qc_span words = qc_span_of((const uint8_t *)p, vault_kit_strip(p, n));
    const qc_rc rc = vault_kit_decode(&g->kit, words, &why);
    if (rc == QC_USAGE && words.n <= QC_VAULT_KIT_TEXT_MAX)
        return vault_kit_explain(words, err);
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    if (g->has_d && memcmp(g->d.vault, g->kit.vault, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_USAGE, "the words are of another vault than the line that says where it is");
    return QC_OK;
}

qc_rc kit_read(struct client *c, const char *file, struct kit_given *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_given_done) struct kit_given g = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd opened = { 0 };
    QC_CLEANUP(qc_secret_free) struct qc_secret text = { 0 };
    const bool from_stdin = strcmp(file, "-") == 0, typed = from_stdin && isatty(STDIN_FILENO) == 1;
    size_t n = 0;
    if (typed && c->no_input)
        return QC_FAIL(err, QC_USAGE, "--no-input: nobody is asked to type a kit");
    if (typed)
        out_note(&c->out,
                 "type the words of the kit, as many in a line as you like; an empty line ends them");
    const qc_rc rc = from_stdin ? QC_OK : qc_open_at(&opened, AT_FDCWD, file, O_RDONLY, 0, err);
    if (rc == QC_NOTFOUND)
        err->next = "check the name of the file, then the same command again";
    QC_TRY(rc);
    QC_TRY(qc_secret_new(&text, TEXT_ROOM, err));
    QC_TRY(read_all(from_stdin ? STDIN_FILENO : qc_fd_get(&opened), typed, text.p, &n, err));
    QC_TRY_AS(understand(text.p, n, &g, err), err, "kit");
    *ret = QC_STEAL(g);
    return QC_OK;
}

const char *kit_place(const struct qc_args *args)
{
    const bool here = qc_args_flag(args, "words") || qc_args_flag(args, "qr");
    return here ? "-" : qc_args_value(args, "file", qc_args_value(args, "from-kit", NULL));
}

qc_rc kit_take(struct client *c, const struct qc_args *args, struct kit_given *ret, bool *ret_given,
               struct qc_err *err)
{
    const char *file = kit_place(args);
    *ret_given = false;
    if (file == NULL)
        return QC_OK;
    QC_TRY(kit_read(c, file, ret, err));
    *ret_given = ret->kit.shares != VAULT_KIT_RECOVERY;
    if (*ret_given)
        return QC_OK;
    qc_key_free(&c->W);
    c->W = QC_STEAL(ret->kit.W);
    return QC_OK;
}

qc_rc kit_take_recovery(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(kit_given_done) struct kit_given g = { 0 };
    const char *file = qc_args_value(args, "recovery-kit", NULL);
    if (file == NULL)
        return QC_OK;
    QC_TRY(kit_read(c, file, &g, err));
    if (g.kit.shares != VAULT_KIT_RECOVERY)
        return QC_FAIL(err, QC_USAGE, "--recovery-kit: it is a kit of shares; those are for --from-kit");
    if (c->conf.has_vault && memcmp(g.kit.vault, c->conf.vault, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_USAGE, "--recovery-kit: the kit is of another vault");
    c->W = QC_STEAL(g.kit.W);
    return QC_OK;
}
