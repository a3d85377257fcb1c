/* ls: what there is, all of it, or some levels alone. */
#include "listing.h"

#include <inttypes.h>
#include <unistd.h>

#include "levels.h"
#include "profile.h"
#include "sites.h"
#include "text.h"
#include "vault/order.h"
#include "where.h"

struct ls_run {
    struct client *c;
    bool wide, zero, columns; /* columns: for a person at a terminal */
    bool versions;            /* all of each name */
    bool folders;             /* those that are kept, too */
    enum vault_order order;
    struct levels levels;
    qc_rc worst;
};

static qc_rc folder_json(struct ls_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&run->levels.folder), err));
    QC_TRY(qc_json_set_int(j, "objects", (int64_t)run->levels.objects, err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)run->levels.size, err));
    listing_stamp(run->levels.newest, when);
    QC_TRY(qc_json_set_str(j, "newest", when, err));
    QC_TRY(qc_json_set_int(j, "loss_budget", run->levels.budget, err));
    return out_json(&run->c->out, &j, err);
}

/* One line, of an object or a folder; number 0: it has none. */
static void tell_line(struct ls_run *run, qc_span name, uint64_t size, int64_t time, uint64_t number,
                      int64_t budget)
{
    struct out *o = &run->c->out;
    char bytes[TEXT_SIZE], when[LISTING_TIME], version[LISTING_NUMBER];
    text_size(size, bytes);
    listing_time(time, when);
    listing_number(number, version);
    if (run->wide)
        out_line(o, "%11s  %s  %-5s  budget %" PRId64 "  %.*s", bytes, when, version, budget, (int)name.n,
                 (const char *)name.p);
    else if (run->columns)
        out_line(o, "%11s  %.*s", bytes, (int)name.n, (const char *)name.p);
    else
        out_line(o, "%.*s", (int)name.n, (const char *)name.p);
}

static void tell_zero(struct ls_run *run, qc_span name)
{
    out_raw(&run->c->out, name);
    out_raw(&run->c->out, QC_LIT("\0"));
}

/* What lies deeper than is listed: the sum of the sizes, the newest time, the least budget. */
static qc_rc tell_folder(struct ls_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    const struct levels *l = &run->levels;
    if (run->c->out.json)
        return folder_json(run, err);
    QC_TRY(text_escape(qc_buf_span(&l->folder), &name, err));
    if (run->zero)
        tell_zero(run, qc_buf_span(&l->folder));
    else
        tell_line(run, qc_buf_span(&name), l->size, l->newest, 0, l->budget);
    return QC_OK;
}

/* *ret: it lies deeper than is listed, and was counted there. s NULL: there is no other. */
static qc_rc by_level(struct ls_run *run, const struct vault_stat *s, bool *ret, struct qc_err *err)
{
    const qc_span name = s != NULL ? qc_buf_span(&s->name) : (qc_span){ 0 };
    *ret = false;
    if (levels_ends(&run->levels, name)) {
        QC_TRY(tell_folder(run, err));
        levels_end(&run->levels);
    }
    return s == NULL ? QC_OK : levels_take(&run->levels, s, ret, err);
}

static qc_rc ls_one(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct ls_run *run = ctx;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    bool go_on = true, deeper = false;
    if (client_is_folder(s) && !run->folders)
        return QC_OK;
    QC_TRY(by_level(run, s, &deeper, err));
    if (deeper)
        return QC_OK;
    if (run->versions) {
        QC_TRY(listing_versions(run->c, qc_buf_span(&s->name), true, &run->worst, &go_on, err));
        return go_on ? QC_OK : QC_FAIL(err, run->worst, "the listing is not whole");
    }
    if (run->c->out.json) {
        QC_TRY(listing_json(s, &j, err));
        return out_json(&run->c->out, &j, err);
    }
    if (run->zero) {
        tell_zero(run, qc_buf_span(&s->name));
        return QC_OK;
    }
    QC_TRY(text_escape(qc_buf_span(&s->name), &name, err));
    if (client_is_folder(s))
        QC_TRY(qc_buf_add_str(&name, "/", err));
    tell_line(run, qc_buf_span(&name), s->size, s->has_mtime ? s->mtime_s : s->created_s, s->number,
              listing_budget(s));
    return QC_OK;
}

/* --sort and --depth, and what they do not go with. */
static qc_rc ls_order(struct ls_run *run, const struct qc_args *args, bool shared, struct qc_err *err)
{
    static const char *const words[] = { "name", "size", "time" }; /* as enum vault_order */
    const char *sort = qc_args_value(args, "sort", words[0]);
    unsigned i = 0;
    while (i < 3 && strcmp(sort, words[i]) != 0)
        i++;
    if (i == 3)
        return QC_FAIL(err, QC_USAGE, "--sort is name, size or time, not '%.40s'", sort);
    run->order = (enum vault_order)i;
    QC_TRY(levels_begin(&run->levels, args, err));
    if (run->levels.depth > 0 && (i > 0 || run->versions || run->folders || shared))
        return QC_FAIL(err, QC_USAGE,
                       "ls --depth does without --sort by size or time, --versions, --folders and the "
                       "profiles of three sites");
    if (i > 0 && (shared || qc_args_value(args, "where", NULL) != NULL))
        return QC_FAIL(err, QC_USAGE,
                       "ls --sort by size or time does without --where and the profiles of three sites");
    return QC_OK;
}

static void ls_run_done(struct ls_run *run)
{
    levels_done(&run->levels);
}

qc_rc cmd_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(ls_run_done) struct ls_run run = { .c = c,
                                                  .wide = qc_args_flag(args, "long"),
                                                  .zero = qc_args_flag(args, "null"),
                                                  .columns = isatty(STDOUT_FILENO) == 1,
                                                  .versions = qc_args_flag(args, "versions"),
                                                  .folders = qc_args_flag(args, "folders"),
                                                  .worst = QC_OK };
    const char *condition = qc_args_value(args, "where", NULL);
    struct where w = { 0 };
    qc_rc worst = QC_OK;
    bool shared = false, unused = false;
    QC_TRY(profile_shared(args, &shared, NULL, err));
    QC_TRY(ls_order(&run, args, shared, err));
    if (run.versions && (shared || run.zero || condition != NULL))
        return QC_FAIL(err, QC_USAGE,
                       "ls --versions does without --null, --where and the profiles of three sites");
    if (shared)
        return shared_ls(c, args, err);
    if (condition != NULL)
        QC_TRY(where_parse(condition, &w, err));
    QC_TRY(client_open(c, err));
    struct vault_call call = client_call(c);
    qc_span prefix = args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 };
    if (condition != NULL) {
        QC_TRY(where_list(c, &w, prefix, ls_one, &run, &worst, err));
        QC_TRY(by_level(&run, NULL, &unused, err));
        client_tell_notes(c, worst, (qc_span){ 0 });
        return worst == QC_OK ? QC_OK : client_outcome(c, worst, "without an answer", err);
    }
    qc_rc rc = vault_list_by(c->vault, prefix, run.order, ls_one, &run, &call, err);
    if (rc == QC_OK)
        rc = by_level(&run, NULL, &unused, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    return run.versions ? client_outcome(c, run.worst, "not opened", err) : QC_OK;
}
