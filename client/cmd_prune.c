/* trash empty, prune, and the run that they share with rm --erase: versions that go for good.
 *
 * What is found is gathered in batches, which are purged together (vault/purge.c); with --dry-run they are
 * told instead. Before anything goes, somebody has agreed: at the terminal, after a look at all of it, or by
 * --yes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "base/alloc.h"
#include "listing.h"
#include "prune.h"
#include "purging.h"
#include "text.h"
#include "vault/keepers.h"

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

enum { AGREED_MAX = 1024 * 1024 }; /* versions that one question is about */

static void batch_clear(struct purging_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        qc_buf_free(&b->d[i].name);
    b->count = 0;
}

static void batch_free(struct purging_batch **b)
{
    if (*b != NULL)
        batch_clear(*b);
    qc_free(*b);
    *b = NULL;
}

/* -- what is told of each -------------------------------------------------------------------------------- */

static qc_rc doomed_json(struct client *c, const struct purging_doomed *d, const struct vault_doomed *v,
                         bool look, struct qc_err *err)
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

static qc_rc tell(struct purging *run, const struct purging_doomed *d, const struct vault_doomed *v,
                  struct qc_err *err)
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

qc_rc purging_versions(struct purging *run, qc_span name, struct vault_versions *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault *v = run->c->vault;
    const struct vault_call call = client_call(run->c);
    uint64_t done = 0;
    QC_TRY(vault_versions(v, name, &call, &all, err));
    if (!run->dry)
        QC_TRY(vault_settle_disputes(v, name, &all, &call, &done, err));
    if (done > 0)
        vault_versions_done(&all);
    if (done > 0)
        QC_TRY(vault_versions(v, name, &call, &all, err));
    *ret = QC_STEAL(all);
    return QC_OK;
}

/* -- batches --------------------------------------------------------------------------------------------- */

qc_rc purging_flush(struct purging *run, struct qc_err *err)
{
    struct purging_batch *b = run->batch;
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

void purging_forget(struct purging *run)
{
    batch_clear(run->batch);
}

/* What another name may show by now does not go. */
static qc_rc leave_disputed(struct purging *run, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(text_quote(name, &shown, err));
    out_note(&run->c->out,
             "%.*s: it is noted both that it was removed and that it was moved to another name: left alone%s",
             (int)shown.n, (const char *)shown.p, run->dry ? "; without --dry-run that is found out" : "");
    run->left++;
    return QC_OK;
}

static int id_cmp(const void *a, const void *b)
{
    return memcmp(a, b, VAULT_ID_BYTES);
}

bool purging_may(const struct purging *run, const struct vault_version *one)
{
    return run->consent != SHOWN ||
           (run->agreed.n > 0 && bsearch(one->version, run->agreed.p, run->agreed.n / VAULT_ID_BYTES,
                                         VAULT_ID_BYTES, id_cmp) != NULL);
}

qc_rc purging_add(struct purging *run, qc_span name, const struct vault_version *one,
                  const struct vault_stat *s, struct qc_err *err)
{
    struct purging_batch *b = run->batch;
    if (one->disputed)
        return leave_disputed(run, name, err);
    if (!purging_may(run, one))
        return QC_OK; /* it came to be so after the question */
    if (run->consent == SHOWING)
        QC_TRY_AS(qc_buf_add(&run->agreed, qc_span_of(one->version, VAULT_ID_BYTES), err), err,
                  "more than one question can be about: name a prefix, or --yes");
    if (b->count == QC_VAULT_PURGE_BATCH)
        QC_TRY(purging_flush(run, err));
    struct purging_doomed *d = &b->d[b->count];
    struct vault_doomed *v = &b->v[b->count];
    *d = (struct purging_doomed){ .name = { .max = QC_VAULT_NAME_MAX },
                                  .number = one->number,
                                  .opened = s != NULL };
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

static qc_rc one_pass(struct purging *run, purging_pass_fn pass, qc_span prefix, struct qc_err *err)
{
    run->told = run->kept = run->bytes = run->left = 0;
    run->worst = QC_OK;
    QC_TRY(pass(run, prefix, err));
    return purging_flush(run, err);
}

/* An earlier run that was cut off. */
static qc_rc finish_earlier(struct purging *run, struct qc_err *err)
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

/* What lies with a keeper and belongs to nothing: killed puts of machines that are lost, versions that were
 * purged while another place was the keeper. It is no part of what was asked for: a failure is told. */
static qc_rc sweep_keeper(struct purging *run, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    struct vault_swept swept = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = vault_keeper_sweep(run->c->vault, QC_VAULT_STRAY_S, &call, &swept, &why);
    if (rc == QC_CANCELLED) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        out_note(&run->c->out, "what lies with the keeper was not looked through: %s", why.msg);
    if (swept.removed > 0)
        out_note(&run->c->out, "%" PRIu64 " that lay with the keeper and belonged to nothing %s removed",
                 swept.removed, swept.removed == 1 ? "is" : "are");
    return QC_OK;
}

static qc_rc agree(struct purging *run, purging_pass_fn pass, qc_span prefix, struct qc_err *err)
{
    struct client *c = run->c;
    static const char instead[] = "--yes, or --dry-run to look";
    QC_TRY(client_agree_can(c, instead, err)); /* before all of it is looked at */
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
    return client_agree(c, "They are gone for good then: nothing brings them back. Go on? [y/N] ", instead,
                        "nothing was purged", err);
}

qc_rc purging_run(struct purging *run, const struct qc_args *args, purging_pass_fn pass, struct qc_err *err)
{
    struct client *c = run->c;
    const qc_span prefix = args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 };
    run->batch = qc_alloc(sizeof *run->batch);
    if (run->batch == NULL)
        return QC_FAIL(err, QC_NOMEM, "purging");
    QC_TRY(client_open(c, err));
    run->look = run->dry = qc_args_flag(args, "dry-run");
    if (!run->look) {
        const qc_rc agreed = qc_args_flag(args, "yes") ? QC_OK : agree(run, pass, prefix, err);
        if (agreed == QC_CANCELLED)
            c->out.class = MSG_CALL; /* nothing was under way */
        QC_TRY(agreed);
        QC_TRY(finish_earlier(run, err));
    }
    const qc_rc rc = one_pass(run, pass, prefix, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    if (!run->look && !run->one_kind)
        QC_TRY(sweep_keeper(run, err));
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
    struct purging *run = ctx;
    struct client *c = run->c;
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
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
    const qc_rc rc = purging_versions(run, r->name, &all, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK; /* it is another name's, as was found out now */
    if (rc != QC_OK)
        return client_object(c, rc, r->name, &why, &run->worst)
                   ? QC_OK
                   : QC_FAIL(err, rc, "what follows was left alone");
    for (size_t i = 0; i < all.n && all.removed; i++) /* else it was stored again meanwhile */
        QC_TRY(purging_add(run, r->name, &all.v[i], NULL, err));
    return QC_OK;
}

static qc_rc empty_pass(struct purging *run, qc_span prefix, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    return vault_trash(run->c->vault, prefix, empty_one, run, &call, err);
}

void purging_done(struct purging *run)
{
    batch_free(&run->batch);
    qc_buf_free(&run->agreed);
}

qc_rc cmd_trash_empty(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(purging_done) struct purging run = { .c = app };
    const char *age = qc_args_value(args, "older-than", NULL);
    struct keep_span span = { 0 };
    run.has_age = age != NULL;
    if (run.has_age) {
        QC_TRY(keep_span_parse(age, "older-than", &span, err));
        run.before_s = keep_before(qc_wall_s(), &span);
    }
    return purging_run(&run, args, empty_pass, err);
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

static qc_rc open_all(struct purging *run, qc_span name, const struct vault_versions *all, struct opened *o,
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
static bool newest_holds(struct purging *run, qc_span name, const struct opened *o)
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
    struct purging *run = ctx;
    struct client *c = run->c;
    const qc_span name = qc_buf_span(&now->name);
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(opened_done) struct opened o = { 0 };
    struct qc_err why = { 0 };
    if (now->number == 1 && now->sequence == 1)
        return QC_OK; /* it never had another one, under this name or another */
    const qc_rc rc = purging_versions(run, name, &all, &why);
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
            QC_TRY(purging_add(run, name, &all.v[at], &o.s[at], err));
    }
    return QC_OK;
}

static qc_rc prune_pass(struct purging *run, qc_span prefix, struct qc_err *err)
{
    const struct vault_call call = client_call(run->c);
    return vault_list(run->c->vault, prefix, prune_one, run, &call, err);
}

qc_rc cmd_prune(void *app, const struct qc_args *args, struct qc_err *err)
{
    static const char *const options[KEEP_RULES] = { "keep-last",   "keep-hourly",  "keep-daily",
                                                     "keep-weekly", "keep-monthly", "keep-yearly" };
    QC_CLEANUP(purging_done) struct purging run = { .c = app };
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
    return purging_run(&run, args, prune_pass, err);
}
