/* mv: names become other names; nothing is read or sent but entries. Moves are gathered in batches, each of
 * which is one request (vault/rename.c). What fails or is interrupted leaves each name as it was or as it
 * shall be, and the same command again moves the rest. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "client.h"
#include "text.h"

const struct qc_opt mv_opts[] = {
    { "recursive", 'r', NULL, "all objects below a prefix, to below another one", false },
    { "force", 'f', NULL, "also to names that are taken: what they have becomes an old version", false },
    { 0 },
};

/* Moves that wait for the next request. Names: u32 length, bytes; the old one and the new one, in turns. */
struct mv {
    struct client *c;
    bool force;
    qc_buf names;
    struct vault_move v[QC_VAULT_CALL_FILES];
    size_t n;
    uint64_t moved;
    qc_rc worst;
    bool go_on;
};

static void mv_free(struct mv **m)
{
    if (*m != NULL)
        qc_buf_free(&(*m)->names);
    qc_free(*m);
    *m = NULL;
}

static qc_rc tell(struct mv *run, const struct vault_move *m, struct qc_err *err)
{
    struct client *c = run->c;
    QC_CLEANUP(qc_buf_free) qc_buf from = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf to = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const bool behind = m->record_copies < m->clouds;
    QC_TRY(text_quote(m->from, &from, err));
    QC_TRY(text_quote(m->to, &to, err));
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, m->from, err));
    QC_TRY(text_json(j, "to", m->to, err));
    if (!text_is_utf8(m->to))
        QC_TRY(qc_json_set_b64(j, "to_b64", m->to, err));
    QC_TRY(qc_json_set_int(j, "exit", behind ? 4 : 0, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)m->number, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(m->moved, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "record_copies", m->record_copies, err));
    QC_TRY(qc_json_set_int(j, "clouds", m->clouds, err));
    QC_TRY(out_json(&c->out, &j, err));
    run->moved++;
    out_note(&c->out, "moved %.*s to %.*s", (int)from.n, (const char *)from.p, (int)to.n, (const char *)to.p);
    return behind ? QC_FAIL(err, QC_DEGRADED, "moved to %.*s; %u of %u clouds have recorded it", (int)to.n,
                            (const char *)to.p, m->record_copies, m->clouds)
                  : QC_OK;
}

/* The spans of a batch, now that no name is added any more. */
static void place(struct mv *run)
{
    qc_rd r = { .s = qc_buf_span(&run->names) };
    for (size_t i = 0; i < run->n; i++) {
        run->v[i].from = qc_rd_bytes(&r, qc_rd_be(&r, 4));
        run->v[i].to = qc_rd_bytes(&r, qc_rd_be(&r, 4));
    }
    QC_ASSERT(qc_rd_end(&r));
}

static qc_rc flush(struct mv *run, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    if (run->n == 0 || !run->go_on)
        return QC_OK;
    place(run);
    QC_TRY(vault_move_many(run->c->vault, run->v, run->n, &call, err));
    for (size_t i = 0; i < run->n; i++) {
        const struct vault_move *m = &run->v[i];
        struct qc_err why = m->err;
        const qc_rc rc = m->rc == QC_OK ? tell(run, m, &why) : m->rc;
        run->go_on = client_object(run->c, rc, m->from, &why, &run->worst) && run->go_on;
    }
    run->n = 0;
    qc_buf_clear(&run->names);
    return QC_OK;
}

static qc_rc add_name(qc_buf *names, qc_span head, qc_span tail, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(names, head.n + tail.n, 4, err));
    QC_TRY(qc_buf_add(names, head, err));
    return qc_buf_add(names, tail, err);
}

/* from is to be head and then tail. */
static qc_rc add(struct mv *run, qc_span from, qc_span head, qc_span tail, struct qc_err *err)
{
    static const uint8_t nothing[VAULT_ID_BYTES];
    if (run->n == QC_VAULT_CALL_FILES)
        QC_TRY(flush(run, err));
    run->v[run->n++] = (struct vault_move){ .over = run->force ? NULL : nothing };
    QC_TRY(add_name(&run->names, from, (qc_span){ 0 }, err));
    return add_name(&run->names, head, tail, err);
}

/* -- words ----------------------------------------------------------------------------------------------- */

static bool is_prefix(const char *word)
{
    const size_t n = strlen(word);
    return n > 0 && word[n - 1] == '/';
}

static qc_span last_part(qc_span name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '/')
        at--;
    return qc_span_from(name, at);
}

static qc_rc words(struct mv *run, const struct qc_args *args, struct qc_err *err)
{
    const char *last = args->argv[args->argc - 1];
    const qc_span to = qc_span_str(last);
    if (!is_prefix(last) && args->argc > 2)
        return QC_FAIL(err, QC_USAGE, "several names need a prefix as the last word: PREFIX/");
    for (int i = 0; i + 1 < args->argc && run->go_on; i++) {
        const qc_span from = qc_span_str(args->argv[i]);
        if (is_prefix(args->argv[i]))
            return QC_FAIL(err, QC_USAGE, "'%.200s' is no name of an object: all below it is moved with -r",
                           args->argv[i]);
        QC_TRY(add(run, from, to, is_prefix(last) ? last_part(from) : (qc_span){ 0 }, err));
    }
    return flush(run, err);
}

/* -- all below a prefix ---------------------------------------------------------------------------------- */

static qc_rc keep(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    return add_name(ctx, qc_buf_span(&s->name), (qc_span){ 0 }, err);
}

static bool begins(qc_span s, qc_span with)
{
    return s.n >= with.n && qc_span_eq(qc_span_sub(s, 0, with.n), with);
}

/* Is an object of this name there? QC_NOTFOUND is an answer. */
static qc_rc look(struct mv *run, qc_span name, bool *ret_found, bool *ret_folder, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    const struct vault_call call = client_call(run->c);
    struct qc_err why = { 0 };
    const qc_rc rc = vault_stat(run->c->vault, name, &call, &s, &why);
    *ret_found = rc == QC_OK;
    *ret_folder = rc == QC_OK && client_is_folder(&s);
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = why;
    return rc;
}

/* The folder that is named by the prefix goes along, but where the new prefix has one. */
static qc_rc folder_itself(struct mv *run, qc_span from, qc_span to, bool *ret, struct qc_err *err)
{
    const qc_span old = qc_span_sub(from, 0, from.n - 1), new = qc_span_sub(to, 0, to.n - 1);
    bool found = false, folder = false, taken = false, unused = false;
    *ret = false;
    if (old.n == 0 || new.n == 0)
        return QC_OK;
    QC_TRY(look(run, old, &found, &folder, err));
    if (folder)
        QC_TRY(look(run, new, &taken, &unused, err));
    *ret = folder && !taken;
    return *ret ? add(run, old, new, (qc_span){ 0 }, err) : QC_OK;
}

/* Names are gathered before the first is moved: a listing under way would meet some twice. */
static qc_rc below(struct mv *run, qc_span from, qc_span to, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_NAMES_MAX };
    const struct vault_call call = client_call(run->c);
    QC_TRY(vault_list(run->c->vault, from, keep, &names, &call, err));
    bool folder = false;
    QC_TRY(folder_itself(run, from, to, &folder, err));
    if (names.n == 0 && !folder)
        return QC_FAIL(err, QC_NOTFOUND, "no object is below that prefix");
    qc_rd r = { .s = qc_buf_span(&names) };
    while (r.at < r.s.n && run->go_on) {
        const qc_span name = qc_rd_bytes(&r, qc_rd_be(&r, 4));
        QC_ASSERT(qc_rd_ok(&r) && begins(name, from));
        QC_TRY(add(run, name, to, qc_span_from(name, from.n), err));
    }
    return flush(run, err);
}

static qc_rc check_prefixes(const struct qc_args *args, struct qc_err *err)
{
    if (args->argc != 2 || !is_prefix(args->argv[0]) || !is_prefix(args->argv[1]))
        return QC_FAIL(err, QC_USAGE, "-r takes two prefixes, each of which ends with a slash");
    const qc_span from = qc_span_str(args->argv[0]), to = qc_span_str(args->argv[1]);
    if (begins(from, to) || begins(to, from))
        return QC_FAIL(err, QC_USAGE,
                       "one of the two prefixes is below the other: names would be moved onto each other; "
                       "move them elsewhere first");
    return QC_OK;
}

qc_rc cmd_mv(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(mv_free) struct mv *run = qc_alloc(sizeof *run);
    const bool tree = qc_args_flag(args, "recursive");
    if (run == NULL)
        return QC_FAIL(err, QC_NOMEM, "moves");
    *run = (struct mv){ .c = c, .force = qc_args_flag(args, "force"), .worst = QC_OK, .go_on = true };
    run->names.max = (size_t)2 * QC_VAULT_CALL_FILES * (QC_VAULT_NAME_MAX + 4);
    if (tree)
        QC_TRY(check_prefixes(args, err));
    if (args->argc == 2 && !tree) /* what fails before its turn is about it, too */
        c->end.about.name = qc_span_str(args->argv[0]);
    QC_TRY(client_open(c, err));
    QC_TRY(tree ? below(run, qc_span_str(args->argv[0]), qc_span_str(args->argv[1]), err)
                : words(run, args, err));
    if (run->moved > 1)
        out_note(&c->out, "%" PRIu64 " names moved; no byte of what they name was", run->moved);
    return client_outcome(c, run->worst, "not moved as asked", err);
}
