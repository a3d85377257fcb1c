/* versions, trash ls, trash restore; and what ls, stat say of versions. */
#include "listing.h"

#include <inttypes.h>

#include "base/codec.h"
#include "progress.h"
#include "text.h"

enum { BEHIND = 7 }; /* its number */

/* -- lists ------------------------------------------------------------------------------------------------
 */

struct row {
    const struct vault_version *one;
    const struct vault_stat *s; /* NULL: it could not be opened */
    qc_span name;               /* empty: not shown */
};

static void row_text(struct client *c, const struct row *r)
{
    char id[2 * VAULT_ID_BYTES + 1];
    char when[LISTING_TIME] = "-";
    char size[TEXT_SIZE] = "-";
    char budget[24] = "-", number[LISTING_NUMBER];
    listing_number(r->one->number, number);
    qc_hex(qc_span_of(r->one->version, VAULT_ID_BYTES), id);
    if (r->s != NULL) {
        listing_time(vault_stat_stored(r->s), when);
        text_size(r->s->size, size);
        snprintf(budget, sizeof budget, "%" PRId64, listing_budget(r->s));
    }
    out_row(&c->out, BEHIND, "%-5s  %-25s  %11s  budget %s  %s%s%s%.*s", number, when, size, budget, id,
            r->one->current   ? "  current"
            : r->one->removed ? "  removed"
                              : "",
            r->name.n > 0 ? "  " : "", (int)r->name.n, r->name.n > 0 ? (const char *)r->name.p : "");
}

static qc_rc row_json(struct client *c, const struct row *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(listing_json(r->s, &j, err));
    QC_TRY(qc_json_set_bool(j, "current", r->one->current, err));
    if (r->one->removed) {
        listing_stamp(r->one->removed_s, when);
        QC_TRY(qc_json_set_str(j, "removed", when, err));
    }
    return out_json(&c->out, &j, err);
}

struct rows {
    struct client *c;
    bool named;
    qc_rc *worst;
    bool go_on; /* false: what failed would stop the others, too */
};

static qc_rc one_row(struct rows *rows, qc_span name, const struct vault_versions *all, size_t i,
                     struct qc_err *err)
{
    struct client *c = rows->c;
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    const struct vault_call call = client_call(c);
    struct qc_err why = { 0 };
    const qc_rc rc = vault_versions_stat(c->vault, name, all, i, &call, &s, &why);
    if (rows->named)
        QC_TRY(text_escape(name, &shown, err));
    const struct row r = { &all->v[i], rc == QC_OK ? &s : NULL, qc_buf_span(&shown) };
    row_text(c, &r);
    if (rc == QC_OK)
        QC_TRY(row_json(c, &r, err));
    rows->go_on = client_object(c, rc, name, &why, rows->worst);
    return QC_OK;
}

qc_rc listing_versions(struct client *c, qc_span name, bool named, qc_rc *worst, bool *ret_go_on,
                       struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    const struct vault_call call = client_call(c);
    struct rows rows = { .c = c, .named = named, .worst = worst, .go_on = true };
    QC_TRY(vault_versions(c->vault, name, &call, &all, err));
    for (size_t i = 0; i < all.n && rows.go_on; i++)
        QC_TRY(one_row(&rows, name, &all, i, err));
    if (all.unknown > 0 && rows.go_on)
        out_note(&c->out, "no share store that is here has noted what was there up to v%" PRIu64,
                 all.unknown);
    if (all.gone > 0 && rows.go_on)
        out_note(&c->out, "%" PRIu64 " version%s purged, and not here any more", all.gone,
                 all.gone == 1 ? " was" : "s were");
    if (all.moved && all.n > 0 && rows.go_on)
        out_note(&c->out, "what the name had then was moved to another name, with its versions");
    else if (all.removed && all.n > 0 && rows.go_on)
        out_note(&c->out, "the name was removed; qcloud trash restore stores its last version again");
    *ret_go_on = rows.go_on;
    return QC_OK;
}

/* -- restore ----------------------------------------------------------------------------------------------
 */

struct restore {
    struct client *c;
    struct vault *reader;
    uint64_t done;
};

static void restore_done(struct restore *r)
{
    vault_close(&r->reader);
}

/* The id of what is to be restored. *ret_name: the name is there, or was. *ret_newest: it is the newest
 * already. What is not found is the name or the version, not a file that was to be put. */
static qc_rc choose(struct client *c, qc_span name, const struct which *w, struct which *ret, bool *ret_name,
                    bool *ret_newest, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    const struct vault_call call = client_call(c);
    QC_TRY(vault_versions(c->vault, name, &call, &all, err));
    *ret_name = true;
    if (!w->given && !all.removed)
        return QC_FAIL(err, QC_NOTFOUND, "it is not in the trash: it is there, in v%" PRIu64, all.number);
    if (!w->given && (all.n == 0 || (!all.moved && all.v[0].number != all.number - 1)))
        return QC_FAIL(err, QC_NOTFOUND, "no share store that is here has a record of its last version");
    *ret = *w;
    if (!w->given)
        memcpy(ret->id, all.v[0].version, sizeof ret->id);
    if (!w->given || w->which.version != NULL)
        ret->which.version = ret->id;
    *ret_newest = all.n > 0 && all.v[0].current &&
                  (ret->which.version != NULL ? memcmp(ret->id, all.v[0].version, sizeof ret->id) == 0
                                              : ret->which.number == all.v[0].number);
    return QC_OK;
}

static qc_rc restore_it(struct restore *run, qc_span name, const struct which *w, bool *ret_open,
                        struct qc_err *err)
{
    struct client *c = run->c;
    struct vault_put_result r = { 0 };
    struct progress p;
    struct vault_call call = client_call_shown(c, &p, name, "durable", true);
    const qc_rc rc = vault_restore(c->vault, run->reader, name, &w->which, &call, &r, err);
    progress_end(&p);
    *ret_open = r.open;
    QC_TRY(rc);
    QC_TRY(client_stored(c, name, false, &r, err));
    run->done++;
    return QC_OK;
}

/* w not given: the last version before the removal. */
static bool restore_one(struct restore *run, qc_span name, const struct which *w, qc_rc *worst)
{
    struct client *c = run->c;
    const enum msg_class usual = c->out.class;
    struct which chosen = { 0 };
    struct qc_err why = { 0 };
    bool there = false, newest = false, open = false;
    qc_rc rc = choose(c, name, w, &chosen, &there, &newest, &why);
    if (rc == QC_OK && newest)
        out_note(&c->out, "it is the newest version already: nothing was done");
    else if (rc == QC_OK)
        rc = restore_it(run, name, &chosen, &open, &why);
    if (rc == QC_NOTFOUND) /* its versions are no help where it has none */
        c->out.class = there ? MSG_VERSION : MSG_LIST;
    const bool go_on = client_put_object(c, rc, open, name, &why, worst);
    c->out.class = usual;
    return go_on && rc != QC_SHARES && rc != QC_RANDOM;
}

static qc_rc keep_removed(void *ctx, const struct vault_removed *r, struct qc_err *err)
{
    qc_buf *names = ctx;
    if (r->emptied)
        return QC_OK;
    return listing_gather(names, r->name, "restore", err);
}

/* What was removed below a prefix is gathered before the first is restored, and leaves the trash. False: the
 * run is to end. */
static bool restore_below(struct restore *run, qc_span prefix, qc_rc *worst)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_NAMES_MAX };
    const struct vault_call call = client_call(run->c);
    const struct which last = { 0 };
    struct qc_err why = { 0 };
    bool go_on = true;
    qc_rc rc = vault_trash(run->c->vault, prefix, keep_removed, &names, &call, &why);
    if (rc == QC_OK && names.n == 0)
        rc = QC_FAIL(&why, QC_NOTFOUND, "nothing of that name or below it is in the trash");
    if (rc != QC_OK) {
        const enum msg_class usual = run->c->out.class;
        run->c->out.class = rc == QC_NOTFOUND ? MSG_VERSION : usual; /* as restore_one */
        go_on = client_object(run->c, rc, prefix, &why, worst);
        run->c->out.class = usual;
        return go_on;
    }
    qc_rd r = { .s = qc_buf_span(&names) };
    while (qc_rd_left(&r) > 0 && go_on)
        go_on = restore_one(run, listing_gathered(&r), &last, worst);
    return go_on;
}

/* w: which version of each word; NULL: all that was removed below it, as it was last. */
static qc_rc restore_words(struct client *c, const struct qc_args *args, const struct which *w,
                           struct qc_err *err)
{
    QC_CLEANUP(restore_done) struct restore run = { .c = c };
    qc_rc worst = QC_OK;
    bool go_on = true;
    QC_TRY(client_open(c, err));
    QC_TRY(client_open_reader(c, &run.reader, err));
    for (int i = 0; i < args->argc && go_on; i++) {
        const qc_span word = qc_span_str(args->argv[i]);
        go_on = w != NULL ? restore_one(&run, word, w, &worst) : restore_below(&run, word, &worst);
    }
    if (run.done > 0) /* once, whatever their number */
        out_note(&c->out, "every byte of %s was read, verified and sealed anew; no version was overwritten",
                 run.done == 1 ? "it" : "them");
    return client_outcome(c, worst, "not restored", err);
}

/* -- commands ---------------------------------------------------------------------------------------------
 */

qc_rc cmd_versions(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *restore = qc_args_value(args, "restore", NULL);
    const qc_span name = qc_span_str(args->argv[0]);
    struct which w = { 0 };
    qc_rc worst = QC_OK;
    bool go_on = true;
    c->end.about.name = name;
    if (restore != NULL) {
        c->out.class = MSG_PUT;
        QC_TRY_AS(which_parse(restore, &w, err), err, "--restore");
        return restore_words(c, args, &w, err);
    }
    QC_TRY(client_open(c, err));
    const qc_rc rc = listing_versions(c, name, false, &worst, &go_on, err);
    client_tell_notes(c, rc, name);
    if (rc == QC_NOTFOUND) /* what lists versions would say the same again */
        c->out.class = MSG_LIST;
    QC_TRY(rc);
    return client_outcome(c, worst, "not opened", err);
}

static qc_rc trash_one(void *ctx, const struct vault_removed *r, struct qc_err *err)
{
    struct client *c = ctx;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    char when[LISTING_TIME];
    char stamp[QC_TIME_TEXT];
    char newest[32] = "not known";
    const int64_t at = r->known ? r->removed_s : r->created_s;
    if (r->emptied)
        return QC_OK;
    if (r->known)
        snprintf(newest, sizeof newest, "v%" PRIu64, r->newest);
    listing_time(at, when);
    QC_TRY(text_escape(r->name, &shown, err));
    out_line(&c->out, "%-25s  %-9s  %.*s", when, newest, (int)shown.n, (const char *)shown.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, r->name, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)r->number, err));
    listing_stamp(at, stamp);
    QC_TRY(qc_json_set_str(j, "removed", stamp, err));
    QC_TRY(qc_json_set_bool(j, "restorable", r->known, err));
    if (r->known)
        QC_TRY(qc_json_set_int(j, "newest", (int64_t)r->newest, err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_trash_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const qc_span prefix = args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 };
    QC_TRY(client_open(c, err));
    const struct vault_call call = client_call(c);
    const qc_rc rc = vault_trash(c->vault, prefix, trash_one, c, &call, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    return rc;
}

qc_rc cmd_trash_restore(void *app, const struct qc_args *args, struct qc_err *err)
{
    const struct which last = { 0 };
    return restore_words(app, args, qc_args_flag(args, "recursive") ? NULL : &last, err);
}
