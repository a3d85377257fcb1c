/* rm --erase: names and all their versions, or old versions of one name, for good, and a signed record of it.
 *
 * What is refused is refused before anything of the name is touched, an interrupted put of it included. The
 * order is vault/erase.h's: draft, removal, purge, a look at all of it, record, a copy where --certificate
 * wants one; then the draft goes. Killed anywhere the same command goes on.
 *
 * Names are gathered between removal and purge: what is purged, and looked at, is so for up to
 * QC_VAULT_PURGE_BATCH names at once. Each has a draft and a record of its own all the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "listing.h"
#include "prune.h"
#include "purging.h"
#include "text.h"
#include "vault/erase.h"

const struct qc_opt rm_opts[] = {
    { "erase", 0, NULL, "the name and all its versions, for good: purged, and their key shares overwritten",
      false },
    { "certificate", 0, "FILE",
      "with --erase of one name: a copy of the signed record of it, which lies in the state directory too",
      false },
    { "version", 0, "V|ID", "with --erase of one name: this old version alone; the name stays", false },
    { "recursive", 'r', NULL,
      "all that lies beneath these prefixes; with --erase also what was removed there", false },
    { "dry-run", 'n', NULL, "say what would go; do nothing", false },
    { "yes", 0, NULL, "with -r, and with --erase: do not ask", false },
    { "profile", 0, "ec|xor23|shamir|mirror", "how it is kept: ec, unless this says another", false },
    { 0 },
};

/* A name that is removed, and whose versions are about to be purged, or were. */
struct going {
    struct vault_erasing *e;
    qc_buf name;
    bool gone, found, over; /* the name is; it was there; and nothing was left of it before */
    uint64_t unknown, missing;
};

struct erasing {
    struct purging run;
    const struct qc_args *args;
    bool beneath;            /* the words are prefixes */
    struct which which;      /* --version */
    struct vault_erasure *e; /* of a pass that erases: */
    struct going *going;     /* QC_VAULT_PURGE_BATCH of them */
    size_t count;
    bool stuck;       /* what was gathered could not be purged, to make room for more */
    qc_buf folder;    /* --certificate: where; empty: no copy is wanted */
    const char *file; /* and its name there; it stands in the buffer */
    uint64_t records;
};

static void forget_going(struct erasing *x)
{
    for (; x->count > 0; x->count--) {
        struct going *g = &x->going[x->count - 1];
        vault_erasing_free(&g->e);
        qc_buf_free(&g->name);
        *g = (struct going){ 0 };
    }
}

static void erasing_done(struct erasing *x)
{
    forget_going(x);
    qc_free(x->going);
    vault_erase_close(&x->e);
    qc_buf_free(&x->folder);
    purging_done(&x->run);
}

/* -- what is refused ------------------------------------------------------------------------------------- */

/* What is kept until a date stays, and so does its name: nothing is begun that would be refused half way. */
static qc_rc check_kept(struct purging *run, const struct vault_version *one, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    struct vault_stat s = { 0 };
    struct vault_gw_info info = { 0 };
    char when[LISTING_TIME];
    if (one->disputed)
        return QC_FAIL(
            err, QC_CONFLICT,
            "it is noted both that it was removed and that it was moved to another name: nothing of "
            "it is erased");
    memcpy(s.object, one->object, sizeof s.object);
    memcpy(s.version, one->version, sizeof s.version);
    QC_TRY(vault_layout(run->c->vault, &s, &call, &info, err));
    if (info.kept <= qc_wall_s())
        return QC_OK;
    listing_time(info.kept, when);
    return QC_FAIL(err, QC_AUTH, "a version of it is kept until %s (qcloud lock): nothing of it is erased",
                   when);
}

/* What of a name is to go: all versions that there are, or the one that was named. */
struct chosen {
    bool found;        /* the name is there, or was, and so is the version that was named */
    struct qc_err why; /* not found */
    struct vault_versions all;
    const struct vault_version *v; /* of all */
    size_t n;
};

static void chosen_done(struct chosen *ch)
{
    vault_versions_done(&ch->all);
    *ch = (struct chosen){ 0 };
}

/* The one that was named; one that is gone already is none. */
static qc_rc choose_one(const struct which *w, struct chosen *ch, struct qc_err *err)
{
    ch->v = NULL;
    ch->n = 0;
    for (size_t i = 0; i < ch->all.n; i++) {
        const struct vault_version *one = &ch->all.v[i];
        if (w->which.version != NULL ? memcmp(one->version, w->id, VAULT_ID_BYTES) != 0
                                     : one->number != w->which.number)
            continue;
        if (one->current)
            return QC_FAIL(err, QC_CONFLICT,
                           "that is the version that the name has: it goes with the whole name, without "
                           "--version, or once another one was stored");
        ch->v = one;
        ch->n = 1;
        return QC_OK;
    }
    return QC_FAIL(err, QC_NOTFOUND, "it has no such version: qcloud versions lists those that it has");
}

static qc_rc choose(struct erasing *x, qc_span name, struct chosen *ch, struct qc_err *err)
{
    QC_TRY(purging_versions(&x->run, name, &ch->all, err));
    ch->v = ch->all.v;
    ch->n = ch->all.n;
    return x->which.given ? choose_one(&x->which, ch, err) : QC_OK;
}

/* How many of the newest are not in a list of before. */
static size_t newer(const struct chosen *now, const struct chosen *before)
{
    if (before->n == 0 || now->n < before->n)
        return now->n;
    const size_t at = now->n - before->n;
    return memcmp(now->v[at].version, before->v[0].version, VAULT_ID_BYTES) == 0 ? at : now->n;
}

/* The versions as they are now, none of which stands in the way. Of those that were looked at before nothing
 * is asked again. */
static qc_rc look(struct erasing *x, qc_span name, struct chosen *ret, struct qc_err *err)
{
    QC_CLEANUP(chosen_done) struct chosen before = QC_STEAL(*ret);
    const qc_rc rc = choose(x, name, ret, &ret->why);
    ret->found = rc == QC_OK;
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = ret->why;
        return rc;
    }
    for (size_t i = 0; i < ret->n; i++) {
        if (!purging_may(&x->run, &ret->v[i]))
            return QC_FAIL(err, QC_CONFLICT,
                           "another version was stored after the question: nothing of it is erased");
        if (i < newer(ret, &before))
            QC_TRY(check_kept(&x->run, &ret->v[i], err));
    }
    return QC_OK;
}

/* -- the record ------------------------------------------------------------------------------------------ */

/* Where the copy of the record goes: nothing is overwritten there but an earlier copy of the same record. */
static qc_rc check_copy(struct erasing *x, const struct vault_erasing *e, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf there = { 0 };
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err why = { 0 };
    const uint8_t *id = vault_erase_id(e);
    if (x->file == NULL)
        return QC_OK;
    QC_TRY_AS(qc_dir_open(&dir, (const char *)x->folder.p, err), err, "--certificate");
    qc_rc rc = qc_file_read(qc_fd_get(&dir), x->file, QC_VAULT_CERTIFICATE_MAX, &there, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc == QC_OK)
        rc = vault_certificate_parse(&c, qc_buf_span(&there), &why);
    if (rc != QC_OK || id == NULL || memcmp(c.id, id, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_USAGE, "--certificate %s: something is there, and stays: name another file",
                       qc_args_value(x->args, "certificate", ""));
    return QC_OK;
}

static qc_rc write_copy(struct erasing *x, const struct vault_erasing *e, const struct vault_erased_record *r,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    const qc_span bytes = qc_buf_span(&r->bytes);
    if (x->file == NULL)
        return QC_OK;
    QC_TRY(check_copy(x, e, err)); /* it may be there since the look before */
    QC_TRY_AS(qc_dir_open(&dir, (const char *)x->folder.p, err), err, "--certificate");
    QC_TRY_AS(qc_file_write_atomic(qc_fd_get(&dir), x->file, &bytes, 1, 0600, err), err,
              "--certificate: the record is %s, and the same command copies it", r->path);
    return QC_OK;
}

static qc_rc tell_record(struct erasing *x, qc_span name, const struct vault_erased_record *r,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct out *o = &x->run.c->out;
    QC_TRY(text_escape(name, &shown, err));
    out_line(o, "certificate  %s  %.*s", r->path, (int)shown.n, (const char *)shown.p);
    if (r->left > 0)
        out_note(o, "%zu version%s that an earlier run meant to erase, too, %s there, and not in it", r->left,
                 text_s(r->left), r->left == 1 ? "is" : "are");
    if (r->anew)
        out_note(
            o, "%.*s was stored again meanwhile: the certificate is of the version%s erased, not of the name",
            (int)shown.n, (const char *)shown.p, r->versions == 1 ? " that was" : "s that were");
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_hex(j, "certificate", qc_span_of(r->id, VAULT_ID_BYTES), err));
    QC_TRY(text_json(j, "file", qc_span_str(r->path), err));
    QC_TRY(qc_json_set_int(j, "versions", (int64_t)r->versions, err));
    return out_json(o, &j, err);
}

/* What is gone of the name is recorded; a draft of what is not gone goes. */
static qc_rc record(struct erasing *x, const struct going *g, struct qc_err *err)
{
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record r = { 0 };
    const struct vault_call call = client_call(x->run.c);
    QC_TRY(vault_erase_record(g->e, g->gone, &call, &r, err));
    if (r.made) {
        QC_TRY(write_copy(x, g->e, &r, err));
        QC_TRY(tell_record(x, qc_buf_span(&g->name), &r, err));
        x->records++;
    }
    return vault_erase_end(g->e, err);
}

/* -- a name ---------------------------------------------------------------------------------------------- */

/* What of it nobody here could erase. */
static qc_rc tell_left(struct erasing *x, const struct going *g, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct client *c = x->run.c;
    uint64_t derived = 0;
    if (!g->found || g->over)
        return QC_OK;
    for (unsigned i = 1; i <= 2; i++)
        derived += vault_derives(c->vault, i);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&g->name), err));
    QC_TRY(qc_json_set_int(j, "unknown", (int64_t)g->unknown, err));
    QC_TRY(qc_json_set_int(j, "missing", (int64_t)g->missing, err));
    QC_TRY(qc_json_set_int(j, "derived", (int64_t)derived, err));
    QC_TRY(out_json(&c->out, &j, err));
    if (x->which.given)
        return QC_OK; /* the others were not meant */
    if (g->unknown > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "what was there up to v%" PRIu64 " no share store here has noted: it is not erased",
                       g->unknown);
    if (g->missing > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " of its versions no share store here has a whole record of: not erased",
                       g->missing);
    return QC_OK;
}

/* The name goes. One that goes by itself meanwhile, as by a removal that an earlier run was not told the end
 * of, is gone as was wanted: what was seen of it is erased all the same. */
static qc_rc take_away(struct erasing *x, qc_span name, const struct chosen *ch, struct qc_err *err)
{
    QC_CLEANUP(chosen_done) struct chosen now = { 0 };
    const struct vault_call call = client_call(x->run.c);
    struct vault_remove_result removed = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = vault_remove_version(x->run.c->vault, name, ch->all.v[0].version, &call, &removed, &why);
    if (rc == QC_NOTFOUND) {
        QC_TRY(look(x, name, &now, err));
        if (!now.found || now.all.removed)
            return QC_OK;
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* The name goes, and its versions are to. */
static qc_rc begin(struct erasing *x, const struct going *g, const struct chosen *ch, struct qc_err *err)
{
    const qc_span name = qc_buf_span(&g->name);
    const bool whole = !x->which.given;
    QC_TRY(vault_erase_note(g->e, &ch->all, ch->v, ch->n, whole, err));
    if (whole && !ch->all.removed) /* the version that a name has is not purged: X2 of gateway/purge.c */
        QC_TRY(take_away(x, name, ch, err));
    x->stuck = true;
    for (size_t i = 0; i < ch->n; i++)
        QC_TRY(purging_add(&x->run, name, &ch->v[i], NULL, err));
    x->stuck = false;
    return QC_OK;
}

/* All that were gathered, up to their records. */
static qc_rc purge_all(struct erasing *x, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_erasing **all = qc_alloc(x->count * sizeof(struct vault_erasing *));
    const struct vault_call call = client_call(x->run.c);
    if (all == NULL)
        return QC_FAIL(err, QC_NOMEM, "erasure");
    QC_TRY(purging_flush(&x->run, err));
    for (size_t i = 0; i < x->count; i++)
        all[i] = x->going[i].e;
    return vault_erase_confirm(all, x->count, &call, err);
}

/* What was gathered goes, and is recorded. What is not done to its end has its draft, and is not tried again
 * by this run, which says of all of it that it was not done. */
static qc_rc finish(struct erasing *x, struct qc_err *err)
{
    struct qc_err why = { 0 };
    bool over = false;
    if (x->count == 0)
        return QC_OK;
    qc_rc all = purge_all(x, &why);
    purging_forget(&x->run);
    for (size_t i = 0; i < x->count; i++) {
        const struct going *g = &x->going[i];
        struct qc_err each = why; /* of one: of all of them */
        qc_rc rc = all;
        if (rc == QC_OK)
            rc = record(x, g, &each);
        if (rc == QC_OK)
            rc = tell_left(x, g, &each);
        if (rc == QC_OK || client_object(x->run.c, rc, qc_buf_span(&g->name), &each, &x->run.worst))
            continue;
        over = true;
        all = rc; /* of those behind it, too */
        why = each;
    }
    forget_going(x);
    return over ? QC_FAIL(err, all, "what follows was left alone") : QC_OK;
}

/* What was gathered is not purged by this run: each of it is told, since it is listed no more. */
static void give_up(struct erasing *x, qc_rc rc)
{
    struct qc_err why = { 0 };
    rc = QC_FAIL(&why, rc, "its name is removed; what it has is not purged, as the run did not come so far");
    purging_forget(&x->run);
    for (size_t i = 0; i < x->count; i++)
        (void)client_object(x->run.c, rc, qc_buf_span(&x->going[i].name), &why, &x->run.worst);
    forget_going(x);
    x->stuck = false;
}

static qc_rc show_name(struct erasing *x, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(chosen_done) struct chosen ch = { 0 };
    QC_TRY(look(x, name, &ch, err)); /* not found: the next pass says so, once what an interrupted put of it
                                        has left is gone */
    for (size_t i = 0; i < ch.n; i++)
        QC_TRY(purging_add(&x->run, name, &ch.v[i], NULL, err));
    return QC_OK;
}

/* A name that was removed, and erased before: of many it is no news. */
static bool is_over(const struct erasing *x, const struct chosen *ch)
{
    return x->beneath && ch->n == 0 && ch->all.unknown == 0 && ch->all.missing == 0;
}

/* What the draft of an earlier command is of may be there anew, and this one erases a version alone. */
static bool is_gone(const struct erasing *x, const struct chosen *ch)
{
    return !x->which.given && (!ch->found || ch->all.removed || ch->n > 0);
}

/* A name that comes twice is done before it is looked at again: it has one draft. */
static bool is_going(const struct erasing *x, qc_span name)
{
    for (size_t i = 0; i < x->count; i++)
        if (qc_span_eq(qc_buf_span(&x->going[i].name), name))
            return true;
    return false;
}

/* One that came to nothing, or is cut off, takes no part in what follows; its draft, where it has one, stays.
 */
static void take_out(struct erasing *x, size_t had)
{
    if (x->count == had)
        return;
    struct going *g = &x->going[had];
    vault_erasing_free(&g->e);
    qc_buf_free(&g->name);
    *g = (struct going){ 0 };
    x->count = had;
}

static qc_rc erase_name(struct erasing *x, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(chosen_done) struct chosen ch = { 0 };
    const struct vault_call call = client_call(x->run.c);
    struct going *g = &x->going[x->count];
    bool drafted = false;
    QC_TRY(look(x, name, &ch, err));
    if (!x->which.given) { /* an interrupted put of it has a share in each store, and does not go on */
        QC_TRY(vault_settle_name(x->run.c->vault, name, &call, err));
        QC_TRY(look(x, name, &ch, err));
    }
    x->count++; /* forget_going has it from here on */
    g->name.max = QC_VAULT_NAME_MAX;
    QC_TRY(qc_buf_add(&g->name, name, err));
    QC_TRY(vault_erase_begin(&g->e, x->e, name, &drafted, err));
    if (!ch.found && !drafted) {
        *err = ch.why;
        return QC_NOTFOUND;
    }
    g->gone = is_gone(x, &ch);
    g->found = ch.found;
    g->over = is_over(x, &ch);
    g->unknown = ch.all.unknown;
    g->missing = ch.all.missing;
    if (ch.n == 0 && !drafted) {
        const qc_rc rc = tell_left(x, g, err);
        take_out(x, x->count - 1);
        return rc;
    }
    QC_TRY(check_copy(x, g->e, err)); /* before anything goes */
    return ch.n > 0 ? begin(x, g, &ch, err) : QC_OK;
}

static qc_rc one_name(struct erasing *x, qc_span name, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (x->count == QC_VAULT_PURGE_BATCH || is_going(x, name))
        QC_TRY(finish(x, err));
    const size_t had = x->count;
    const qc_rc rc = x->run.look ? show_name(x, name, &why) : erase_name(x, name, &why);
    if (rc == QC_OK)
        return QC_OK;
    take_out(x, had);
    if (!client_object(x->run.c, rc, name, &why, &x->run.worst))
        return QC_FAIL(err, rc, "what follows was left alone");
    if (x->stuck)
        give_up(x, rc);
    return QC_OK;
}

/* -- what lies beneath a prefix -------------------------------------------------------------------------- */

static qc_rc keep_name(qc_buf *names, qc_span name, struct qc_err *err)
{
    return listing_gather(names, name, "erase", err);
}

static qc_rc keep_listed(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    return keep_name(ctx, qc_buf_span(&s->name), err);
}

static qc_rc keep_removed(void *ctx, const struct vault_removed *r, struct qc_err *err)
{
    return keep_name(ctx, r->name, err);
}

/* Of word `at`, but what words before it have. The names are gathered first: a listing does not bear that its
 * names go meanwhile. */
static qc_rc all_beneath(struct erasing *x, int at, struct qc_err *err)
{
    const qc_span prefix = qc_span_str(x->args->argv[at]);
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_NAMES_MAX };
    const struct vault_call call = client_call(x->run.c);
    QC_TRY(vault_list(x->run.c->vault, prefix, keep_listed, &names, &call, err));
    QC_TRY(vault_trash(x->run.c->vault, prefix, keep_removed, &names, &call, err));
    if (names.n == 0)
        return QC_FAIL(err, QC_NOTFOUND, "nothing is stored beneath it, or was removed there");
    qc_rd r = { .s = qc_buf_span(&names) };
    while (qc_rd_left(&r) > 0) {
        const qc_span name = listing_gathered(&r);
        if (!listing_has(x->args->argv, at, name))
            QC_TRY(one_name(x, name, err));
    }
    return QC_OK;
}

static qc_rc erase_words(struct erasing *x, struct qc_err *err)
{
    struct purging *run = &x->run;
    for (int i = 0; i < x->args->argc; i++) {
        const qc_span word = qc_span_str(x->args->argv[i]);
        struct qc_err why = { 0 };
        const qc_rc rc = x->beneath ? all_beneath(x, i, &why) : one_name(x, word, &why);
        if (rc != QC_OK && (!x->beneath || !client_object(run->c, rc, word, &why, &run->worst))) {
            *err = why;
            return rc;
        }
    }
    return finish(x, err);
}

static qc_rc erase_pass(struct purging *run, qc_span prefix, struct qc_err *err)
{
    struct erasing *x = run->ctx;
    (void)prefix;
    if (!run->look) {
        QC_TRY(vault_erase_open(&x->e, run->c->vault, err));
        x->going = qc_alloc(QC_VAULT_PURGE_BATCH * sizeof *x->going);
        if (x->going == NULL)
            return QC_FAIL(err, QC_NOMEM, "erasure");
    }
    const qc_rc rc = erase_words(x, err);
    if (rc != QC_OK)
        give_up(x, rc);
    return rc;
}

/* What was done, and what nobody here can vouch for. */
static void tell_erased(struct erasing *x)
{
    struct client *c = x->run.c;
    out_note(&c->out,
             "their key shares are overwritten in both share stores, the gateway gives neither them nor "
             "backup data, and removes the fragments from its clouds as they answer; those of what was put "
             "together with others stay until half of their bundle is dead");
    for (unsigned i = 1; i <= 2; i++)
        if (vault_derives(c->vault, i))
            out_warn(&c->out, MSG_W_OTHER, NULL,
                     "not erased: share %u comes from a seed (mode derived): with the store, or its kit, it "
                     "is made anew. Who kept a copy of the sealed object and of its backup data opens it "
                     "with that",
                     i);
    out_note(&c->out,
             "not confirmed: copies of share stores, kits and the gateway's log; what providers keep of "
             "removed objects (versioning, snapshots, backups); old blocks of disks, those of databases' "
             "journals among them. The certificate says the same");
}

static qc_rc take_args(struct erasing *x, struct qc_err *err)
{
    const char *version = qc_args_value(x->args, "version", NULL);
    const char *file = qc_args_value(x->args, "certificate", NULL);
    char path[QC_CLIENT_PATH_MAX];
    x->beneath = qc_args_flag(x->args, "recursive");
    if ((version != NULL || file != NULL) && (x->beneath || x->args->argc != 1))
        return QC_FAIL(err, QC_USAGE, "--%s is of one name", version != NULL ? "version" : "certificate");
    for (int i = 0; i < x->args->argc && x->beneath; i++)
        if (x->args->argv[i][0] == '\0') /* a variable of a shell that is not set */
            return QC_FAIL(err, QC_USAGE, "an empty prefix is everything that is stored: name what is meant");
    if (version != NULL)
        QC_TRY(which_parse(version, &x->which, err));
    if (file == NULL)
        return QC_OK;
    QC_TRY(places_absolute(file, path, err));
    char *const slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0' || strlen(slash + 1) > QC_FILE_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "--certificate names a file");
    *slash = '\0';
    x->folder = (qc_buf){ .max = 2 * QC_CLIENT_PATH_MAX };
    const char *dir = slash == path ? "/" : path;
    QC_TRY(qc_buf_add(&x->folder, qc_span_of((const uint8_t *)dir, strlen(dir) + 1), err));
    const size_t at = x->folder.n;
    QC_TRY(qc_buf_add(&x->folder, qc_span_of((const uint8_t *)slash + 1, strlen(slash + 1) + 1), err));
    x->file = (const char *)x->folder.p + at;
    return QC_OK;
}

qc_rc client_erase(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(erasing_done) struct erasing x = { .run = { .c = c, .one_kind = true }, .args = args };
    c->out.class = MSG_PURGE;
    x.run.ctx = &x;
    QC_TRY(take_args(&x, err));
    const qc_rc rc = purging_run(&x.run, args, erase_pass, err);
    if (x.run.gone > 0 || x.records > 0)
        tell_erased(&x);
    else if (rc == QC_OK && x.file != NULL && !x.run.dry)
        out_note(&c->out, "nothing was left to erase: there is no certificate of it");
    return rc;
}
