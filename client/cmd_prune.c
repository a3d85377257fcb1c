/* trash empty, prune, rm --erase: versions that go for good.
 *
 * What is found is gathered in batches, which are purged together (vault/purge.c); with --dry-run they are
 * told instead. Before anything goes, somebody has agreed: at the terminal, after a look at all of it, or by
 * --yes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "keep.h"
#include "listing.h"
#include "prune.h"
#include "text.h"

#define LOOK                                                                                                 \
    {                                                                                                        \
        "dry-run", 'n', NULL, "say what would go; purge nothing", false                                      \
    }
#define YES                                                                                                  \
    {                                                                                                        \
        "yes", 0, NULL, "do not ask", false                                                                  \
    }
const struct qc_opt empty_opts[] = {
    { "older-than", 0, "D", "what was removed that long ago or longer: 30d, 1y6m, 12h", false },
    LOOK,
    YES,
    { 0 },
};
const struct qc_opt prune_opts[] = {
    { "keep-last", 0, "N", "the newest N versions of each name (or 'unlimited', here and below)", false },
    { "keep-hourly", 0, "N", "of the last N hours that have versions the newest version each", false },
    { "keep-daily", 0, "N", "likewise of days", false },
    { "keep-weekly", 0, "N", "likewise of weeks", false },
    { "keep-monthly", 0, "N", "likewise of months", false },
    { "keep-yearly", 0, "N", "likewise of years", false },
    { "keep-within", 0, "D", "all that are younger than the newest one by less than D: 30d, 1y6m, 12h",
      false },
    LOOK,
    YES,
    { 0 },
};

const struct qc_opt rm_opts[] = {
    { "erase", 0, NULL, "the name and all its versions, for good: purged, and their key shares overwritten",
      false },
    { "yes", 0, NULL, "with --erase: do not ask", false },
    { "profile", 0, "ec|xor23|shamir|mirror", "how it is kept: ec, unless this says another", false },
    { 0 },
};

/* A version that is about to go. */
struct doomed {
    qc_buf name;
    uint64_t number;
    bool opened; /* size and time are known */
    uint64_t size;
    int64_t stored_s;
};

struct batch {
    struct vault_doomed v[QC_VAULT_PURGE_BATCH];
    struct doomed d[QC_VAULT_PURGE_BATCH];
    size_t count;
};

/* What a pass may purge: whatever it finds (--yes), or what was shown before the question. */
enum consent { ALL, SHOWING, SHOWN };

enum { AGREED_MAX = 1024 * 1024 }; /* versions that one question is about */

struct run {
    struct client *c;
    bool look; /* nothing is purged */
    enum consent consent;
    qc_buf agreed;               /* ids of the versions that were shown, in order once that is over */
    const struct qc_args *names; /* rm --erase: of these */
    struct batch *batch;
    qc_rc worst;
    uint64_t told, kept, bytes, left; /* of this pass; left: names that were left alone */
    uint64_t gone;                    /* versions that are purged */
    /* trash empty */
    bool has_age;
    int64_t before_s; /* removed before then */
    /* prune */
    struct keep keep;
};

static void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        qc_buf_free(&b->d[i].name);
    b->count = 0;
}

static void batch_free(struct batch **b)
{
    if (*b != NULL)
        batch_clear(*b);
    qc_free(*b);
    *b = NULL;
}

/* -- what is told of each -------------------------------------------------------------------------------- */

static qc_rc doomed_json(struct client *c, const struct doomed *d, const struct vault_doomed *v, bool look,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char stamp[QC_TIME_TEXT];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&d->name), err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)d->number, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(v->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_bool(j, "purged", !look, err));
    if (d->opened) {
        listing_stamp(d->stored_s, stamp);
        QC_TRY(qc_json_set_int(j, "size", (int64_t)d->size, err));
        QC_TRY(qc_json_set_str(j, "sealed", stamp, err));
    }
    return out_json(&c->out, &j, err);
}

static qc_rc tell(struct run *run, const struct doomed *d, const struct vault_doomed *v, struct qc_err *err)
{
    struct client *c = run->c;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    char when[LISTING_TIME] = "-";
    char size[TEXT_SIZE] = "-", number[LISTING_NUMBER];
    listing_number(d->number, number);
    QC_TRY(text_escape(qc_buf_span(&d->name), &shown, err));
    if (d->opened) {
        listing_time(d->stored_s, when);
        text_size(d->size, size);
    }
    out_line(&c->out, "%s  %-5s  %-25s  %11s  %.*s", run->look ? "would go" : "purged", number, when, size,
             (int)shown.n, (const char *)shown.p);
    run->told++;
    run->gone += !run->look;
    run->bytes += d->size;
    return doomed_json(c, d, v, run->look, err);
}

/* -- batches --------------------------------------------------------------------------------------------- */

static qc_rc flush(struct run *run, struct qc_err *err)
{
    struct batch *b = run->batch;
    const struct vault_call call = client_call(run->c);
    if (b->count == 0)
        return QC_OK;
    if (!run->look)
        QC_TRY(vault_purge(run->c->vault, b->v, b->count, &call, err));
    for (size_t i = 0; i < b->count; i++) {
        if (run->look || b->v[i].rc == QC_OK)
            QC_TRY(tell(run, &b->d[i], &b->v[i], err));
        else if (!client_object(run->c, b->v[i].rc, qc_buf_span(&b->d[i].name), &b->v[i].err, &run->worst))
            return QC_FAIL(err, b->v[i].rc, "what follows was left alone");
    }
    batch_clear(b);
    return QC_OK;
}

/* What another name may show by now does not go. */
static qc_rc leave_disputed(struct run *run, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(text_quote(name, &shown, err));
    out_note(&run->c->out,
             "%.*s: it is noted both that it was removed and that it was moved to another name: left alone",
             (int)shown.n, (const char *)shown.p);
    run->left++;
    return QC_OK;
}

static int id_cmp(const void *a, const void *b)
{
    return memcmp(a, b, VAULT_ID_BYTES);
}

static bool may_go(const struct run *run, const struct vault_version *one)
{
    return run->consent != SHOWN ||
           (run->agreed.n > 0 && bsearch(one->version, run->agreed.p, run->agreed.n / VAULT_ID_BYTES,
                                         VAULT_ID_BYTES, id_cmp) != NULL);
}

static qc_rc doom(struct run *run, qc_span name, const struct vault_version *one, const struct vault_stat *s,
                  struct qc_err *err)
{
    struct batch *b = run->batch;
    if (one->disputed)
        return leave_disputed(run, name, err);
    if (!may_go(run, one))
        return QC_OK; /* it came to be so after the question */
    if (run->consent == SHOWING)
        QC_TRY_AS(qc_buf_add(&run->agreed, qc_span_of(one->version, VAULT_ID_BYTES), err), err,
                  "more than one question can be about: name a prefix, or --yes");
    if (b->count == QC_VAULT_PURGE_BATCH)
        QC_TRY(flush(run, err));
    struct doomed *d = &b->d[b->count];
    struct vault_doomed *v = &b->v[b->count];
    *d = (struct doomed){ .name = { .max = QC_VAULT_NAME_MAX }, .number = one->number, .opened = s != NULL };
    *v = (struct vault_doomed){ .sequence = one->sequence };
    memcpy(v->object, one->object, VAULT_ID_BYTES);
    memcpy(v->version, one->version, VAULT_ID_BYTES);
    if (s != NULL) {
        d->size = s->size;
        d->stored_s = vault_stat_stored(s);
    }
    b->count++;
    return qc_buf_add(&d->name, name, err);
}

/* -- the run: one look, or a look, a question and a second run ------------------------------------------- */

typedef qc_rc (*pass_fn)(struct run *run, qc_span prefix, struct qc_err *err);

static qc_rc one_pass(struct run *run, pass_fn pass, qc_span prefix, struct qc_err *err)
{
    run->told = run->kept = run->bytes = run->left = 0;
    run->worst = QC_OK;
    QC_TRY(pass(run, prefix, err));
    return flush(run, err);
}

/* An earlier run that was cut off. */
static qc_rc finish_earlier(struct run *run, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    uint64_t done = 0;
    QC_TRY(vault_purge_settle(run->c->vault, &call, &done, err));
    if (done > 0)
        out_note(&run->c->out,
                 "an earlier run was cut off: what it had begun with %" PRIu64 " version%s is done", done,
                 text_s(done));
    return QC_OK;
}

static qc_rc agree(struct run *run, pass_fn pass, qc_span prefix, struct qc_err *err)
{
    struct client *c = run->c;
    char line[16] = "";
    if (c->no_input || c->out.json || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return QC_FAIL(err, QC_USAGE,
                       "nobody can be asked whether this is wanted: --yes, or --dry-run to look");
    run->look = true;
    run->consent = SHOWING;
    run->agreed.max = (size_t)AGREED_MAX * VAULT_ID_BYTES;
    const qc_rc rc = one_pass(run, pass, prefix, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    if (run->worst != QC_OK) /* it may not have seen all that the next pass would */
        return client_outcome(c, run->worst, "not looked at: nothing was purged", err);
    run->look = false;
    run->consent = SHOWN;
    if (run->agreed.n == 0)
        return QC_OK; /* and nothing goes */
    qsort(run->agreed.p, run->agreed.n / VAULT_ID_BYTES, VAULT_ID_BYTES, id_cmp);
    fprintf(c->out.talk, "They are gone for good then: nothing brings them back. Go on? [y/N] ");
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return QC_FAIL(err, QC_CANCELLED, "nothing was purged");
    return QC_OK;
}

static qc_rc run_it(struct run *run, const struct qc_args *args, pass_fn pass, struct qc_err *err)
{
    struct client *c = run->c;
    const qc_span prefix = args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 };
    run->batch = qc_alloc(sizeof *run->batch);
    if (run->batch == NULL)
        return QC_FAIL(err, QC_NOMEM, "purging");
    QC_TRY(client_open(c, err));
    run->look = qc_args_flag(args, "dry-run");
    if (!run->look) {
        if (!qc_args_flag(args, "yes"))
            QC_TRY(agree(run, pass, prefix, err));
        QC_TRY(finish_earlier(run, err));
    }
    const qc_rc rc = one_pass(run, pass, prefix, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    char size[TEXT_SIZE];
    text_size(run->bytes, size);
    out_note(&c->out, "%" PRIu64 " version%s %s%s%s", run->told, text_s(run->told),
             run->look ? "would go" : "purged", run->bytes > 0 ? ", as large as " : "",
             run->bytes > 0 ? size : "");
    return client_outcome(c, run->worst, "not purged as asked", err);
}

/* -- trash empty ----------------------------------------------------------------------------------------- */

static qc_rc empty_one(void *ctx, const struct vault_removed *r, struct qc_err *err)
{
    struct run *run = ctx;
    struct client *c = run->c;
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    const struct vault_call call = client_call(c);
    struct qc_err why = { 0 };
    if (r->emptied || (run->has_age && r->known && r->removed_s >= run->before_s))
        return QC_OK;
    if (!r->known) {
        QC_TRY(text_quote(r->name, &shown, err));
        out_note(&c->out, "%.*s: no share store that is here has noted what it was: left alone", (int)shown.n,
                 (const char *)shown.p);
        run->left++;
        return QC_OK;
    }
    const qc_rc rc = vault_versions(c->vault, r->name, &call, &all, &why);
    if (rc != QC_OK)
        return client_object(c, rc, r->name, &why, &run->worst)
                   ? QC_OK
                   : QC_FAIL(err, rc, "what follows was left alone");
    for (size_t i = 0; i < all.n && all.removed; i++) /* else it was stored again meanwhile */
        QC_TRY(doom(run, r->name, &all.v[i], NULL, err));
    return QC_OK;
}

static qc_rc empty_pass(struct run *run, qc_span prefix, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    return vault_trash(run->c->vault, prefix, empty_one, run, &call, err);
}

static void run_done(struct run *run)
{
    batch_free(&run->batch);
    qc_buf_free(&run->agreed);
}

qc_rc cmd_trash_empty(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(run_done) struct run run = { .c = app };
    const char *age = qc_args_value(args, "older-than", NULL);
    struct keep_span span = { 0 };
    run.has_age = age != NULL;
    if (run.has_age) {
        QC_TRY(keep_span_parse(age, "older-than", &span, err));
        run.before_s = keep_before(qc_wall_s(), &span);
    }
    return run_it(&run, args, empty_pass, err);
}

/* -- prune ----------------------------------------------------------------------------------------------- */

/* A name's versions, each opened: when they were stored is what their seals say. */
struct opened {
    struct vault_stat *s;
    bool *whole, *stays;
    int64_t *times;
    size_t *at; /* of all versions: those whose time is known */
    size_t n, count;
};

static void opened_done(struct opened *o)
{
    for (size_t i = 0; i < o->n && o->s != NULL; i++)
        vault_stat_done(&o->s[i]);
    qc_free(o->s);
    qc_free(o->whole);
    qc_free(o->stays);
    qc_free(o->times);
    qc_free(o->at);
}

static qc_rc open_all(struct run *run, qc_span name, const struct vault_versions *all, struct opened *o,
                      struct qc_err *err)
{
    struct client *c = run->c;
    const struct vault_call call = client_call(c);
    o->s = qc_alloc(all->n * sizeof *o->s);
    o->whole = qc_alloc(all->n * sizeof *o->whole);
    o->stays = qc_alloc(all->n * sizeof *o->stays);
    o->times = qc_alloc(all->n * sizeof *o->times);
    o->at = qc_alloc(all->n * sizeof *o->at);
    if (o->s == NULL || o->whole == NULL || o->stays == NULL || o->times == NULL || o->at == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions of an object");
    for (o->n = 0; o->n < all->n; o->n++) {
        struct qc_err why = { 0 };
        const size_t i = o->n;
        const qc_rc rc = vault_versions_stat(c->vault, name, all, i, &call, &o->s[i], &why);
        o->whole[i] = rc == QC_OK;
        if (rc != QC_OK && !client_object(c, rc, name, &why, &run->worst))
            return QC_FAIL(err, rc, "what follows was left alone");
        if (rc != QC_OK)
            continue;
        o->times[o->count] = vault_stat_stored(&o->s[i]);
        o->at[o->count++] = i;
    }
    return QC_OK;
}

/* An old version goes only where the newest one opens, and bears what was promised for it. */
static bool newest_holds(struct run *run, qc_span name, const struct opened *o)
{
    const struct vault_stat *s = &o->s[0];
    struct qc_err why = { 0 };
    if (!o->whole[0])
        return false; /* told already */
    if (s->margin >= s->acked_margin)
        return true;
    const qc_rc rc = QC_FAIL(&why, QC_DEGRADED,
                             "the newest version survives fewer losses than it was stored for: nothing older "
                             "goes before it is repaired");
    (void)client_object(run->c, rc, name, &why, &run->worst);
    return false;
}

static qc_rc prune_one(void *ctx, const struct vault_stat *now, struct qc_err *err)
{
    struct run *run = ctx;
    struct client *c = run->c;
    const qc_span name = qc_buf_span(&now->name);
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(opened_done) struct opened o = { 0 };
    const struct vault_call call = client_call(c);
    struct qc_err why = { 0 };
    if (now->number == 1 && now->sequence == 1)
        return QC_OK; /* it never had another one, under this name or another */
    const qc_rc rc = vault_versions(c->vault, name, &call, &all, &why);
    if (rc != QC_OK)
        return client_object(c, rc, name, &why, &run->worst)
                   ? QC_OK
                   : QC_FAIL(err, rc, "what follows was left alone");
    if (all.n < 2 || all.removed)
        return QC_OK;
    QC_TRY(open_all(run, name, &all, &o, err));
    if (!newest_holds(run, name, &o)) {
        run->left++;
        return QC_OK;
    }
    keep_apply(&run->keep, o.times, o.count, o.stays);
    for (size_t i = 0; i < o.count; i++) {
        const size_t at = o.at[i];
        if (o.stays[i] || all.v[at].current)
            run->kept++;
        else
            QC_TRY(doom(run, name, &all.v[at], &o.s[at], err));
    }
    return QC_OK;
}

static qc_rc prune_pass(struct run *run, qc_span prefix, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    return vault_list(run->c->vault, prefix, prune_one, run, &call, err);
}

qc_rc cmd_prune(void *app, const struct qc_args *args, struct qc_err *err)
{
    static const char *const options[KEEP_RULES] = { "keep-last",   "keep-hourly",  "keep-daily",
                                                     "keep-weekly", "keep-monthly", "keep-yearly" };
    QC_CLEANUP(run_done) struct run run = { .c = app };
    const char *within = qc_args_value(args, "keep-within", NULL);
    for (unsigned i = 0; i < KEEP_RULES; i++) {
        const char *word = qc_args_value(args, options[i], NULL);
        if (word != NULL)
            QC_TRY(keep_count_parse(word, options[i], &run.keep.count[i], err));
    }
    if (within != NULL)
        QC_TRY(keep_span_parse(within, "keep-within", &run.keep.within, err));
    if (!keep_any(&run.keep))
        return QC_FAIL(err, QC_USAGE,
                       "no rule says what is kept: --keep-last, --keep-daily, --keep-within, ..");
    return run_it(&run, args, prune_pass, err);
}

/* -- rm --erase ------------------------------------------------------------------------------------------ */

/* What is kept until a date stays, and so does its name: nothing is begun that would be refused half way. */
static qc_rc check_kept(struct run *run, const struct vault_version *one, struct qc_err *err)
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

/* What of it nobody here could erase. */
static qc_rc tell_left(struct run *run, qc_span name, const struct vault_versions *all, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    uint64_t derived = 0;
    for (unsigned i = 1; i <= 2; i++)
        derived += vault_derives(run->c->vault, i);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "unknown", (int64_t)all->unknown, err));
    QC_TRY(qc_json_set_int(j, "missing", (int64_t)all->missing, err));
    QC_TRY(qc_json_set_int(j, "derived", (int64_t)derived, err));
    QC_TRY(out_json(&run->c->out, &j, err));
    if (all->unknown > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "what was there up to v%" PRIu64 " no share store here has noted: it is not erased",
                       all->unknown);
    if (all->missing > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " of its versions no share store here has a whole record of: not erased",
                       all->missing);
    return QC_OK;
}

static qc_rc erase_name(struct run *run, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    const struct vault_call call = client_call(run->c);
    struct vault_remove_result removed = { 0 };
    if (!run->look) /* an interrupted put of it has a share in each store, and does not go on */
        QC_TRY(vault_settle_name(run->c->vault, name, &call, err));
    const qc_rc rc = vault_versions(run->c->vault, name, &call, &all, err);
    if (rc == QC_NOTFOUND && run->look)
        return QC_OK; /* the next pass says so, once what an interrupted put of it has left is gone */
    QC_TRY(rc);
    for (size_t i = 0; i < all.n; i++) {
        if (!may_go(run, &all.v[i]))
            return QC_FAIL(err, QC_CONFLICT,
                           "another version was stored after the question: nothing of it is erased");
        QC_TRY(check_kept(run, &all.v[i], err));
    }
    if (!run->look && !all.removed) /* the version that a name has is not purged: X2 of gateway/purge.c */
        QC_TRY(vault_remove_version(run->c->vault, name, all.v[0].version, &call, &removed, err));
    for (size_t i = 0; i < all.n; i++)
        QC_TRY(doom(run, name, &all.v[i], NULL, err));
    return run->look ? QC_OK : tell_left(run, name, &all, err);
}

static qc_rc erase_pass(struct run *run, qc_span prefix, struct qc_err *err)
{
    (void)prefix;
    for (int i = 0; i < run->names->argc; i++) {
        const qc_span name = qc_span_str(run->names->argv[i]);
        struct qc_err why = { 0 };
        const qc_rc rc = erase_name(run, name, &why);
        if (rc != QC_OK && !client_object(run->c, rc, name, &why, &run->worst))
            return QC_FAIL(err, rc, "what follows was left alone");
    }
    return QC_OK;
}

/* What was done, and what nobody here can vouch for. */
static void tell_erased(struct client *c)
{
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
             "journals among them");
}

qc_rc client_erase(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(run_done) struct run run = { .c = c, .names = args };
    c->out.class = MSG_PURGE;
    const qc_rc rc = run_it(&run, args, erase_pass, err);
    if (run.gone > 0)
        tell_erased(c);
    return rc;
}
