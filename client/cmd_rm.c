/* rm: names leave the listing; their versions stay. With --erase: cmd_erase.c. */
#include <inttypes.h>

#include "agree.h"
#include "listing.h"
#include "profile.h"
#include "prune.h"
#include "sites.h"
#include "text.h"

static qc_rc rm_one(struct client *c, qc_span name, struct qc_err *err)
{
    struct vault_remove_result r = { 0 };
    struct vault_call call = client_call(c);
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(vault_remove(c->vault, name, &call, &r, err));
    QC_TRY(text_quote(name, &shown, err));
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "exit", r.record_copies < r.clouds ? 4 : 0, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)r.number, err));
    QC_TRY(qc_json_set_int(j, "record_copies", r.record_copies, err));
    QC_TRY(qc_json_set_int(j, "clouds", r.clouds, err));
    QC_TRY(out_json(&c->out, &j, err));
    if (r.record_copies < r.clouds)
        return QC_FAIL(err, QC_DEGRADED, "removed %.*s; %u of %u clouds have recorded it", (int)shown.n,
                       (const char *)shown.p, r.record_copies, r.clouds);
    out_note(&c->out, "removed %.*s (its versions stay stored)", (int)shown.n, (const char *)shown.p);
    return QC_OK;
}

static qc_rc would_go(struct client *c, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(text_escape(name, &shown, err));
    out_line(&c->out, "would go  %.*s", (int)shown.n, (const char *)shown.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_bool(j, "removed", false, err));
    return out_json(&c->out, &j, err);
}

static qc_rc look_one(struct client *c, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    const struct vault_call call = client_call(c);
    QC_TRY(vault_stat(c->vault, name, &call, &s, err));
    return would_go(c, name, err);
}

/* -- all below a prefix ---------------------------------------------------------------------------------- */

/* Names are gathered first: a listing does not bear that its names go meanwhile. */
struct below {
    qc_buf names;
    uint64_t count, bytes;
    const char *const *words; /* prefixes that were looked at before */
    int done;
    bool found; /* beneath the one that is looked at now, whether or not it is new */
};

static void below_done(struct below *b)
{
    qc_buf_free(&b->names);
}

/* Prefixes may overlap: a name is gathered by the first that has it. */
static qc_rc keep(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct below *b = ctx;
    b->found = true;
    if (listing_has(b->words, b->done, qc_buf_span(&s->name)))
        return QC_OK;
    b->count++;
    b->bytes += s->size;
    return listing_gather(&b->names, qc_buf_span(&s->name), "remove", err);
}

/* False: the run is to end. */
static bool gather(struct client *c, qc_span prefix, struct below *b, qc_rc *worst)
{
    const struct vault_call call = client_call(c);
    struct qc_err why = { 0 };
    b->found = false;
    qc_rc rc = vault_list(c->vault, prefix, keep, b, &call, &why);
    if (rc == QC_OK && !b->found)
        rc = QC_FAIL(&why, QC_NOTFOUND, "no object of that name and none below it");
    return rc == QC_OK || client_object(c, rc, prefix, &why, worst);
}

static qc_rc agreed(struct client *c, const struct qc_args *args, const struct below *b, struct qc_err *err)
{
    char size[TEXT_SIZE], question[160];
    if (b->count == 0 || qc_args_flag(args, "yes"))
        return QC_OK;
    text_size(b->bytes, size);
    (void)snprintf(question, sizeof question, "%" PRIu64 " name%s (%s) to the trash. Go on? [y/N] ", b->count,
                   text_s(b->count), size);
    return client_agree(c, question, "--yes, or --dry-run to look", "nothing was removed", err);
}

static qc_rc rm_below(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(below_done) struct below b = { .names = { .max = QC_CLIENT_NAMES_MAX } };
    const bool look = qc_args_flag(args, "dry-run");
    qc_rc worst = QC_OK;
    bool go_on = true;
    for (int i = 0; i < args->argc; i++)
        if (args->argv[i][0] == '\0') /* a variable of a shell that is not set */
            return QC_FAIL(err, QC_USAGE, "an empty prefix is everything that is stored: name what is meant");
    QC_TRY(client_open(c, err));
    b.words = args->argv;
    for (; b.done < args->argc && go_on; b.done++)
        go_on = gather(c, qc_span_str(args->argv[b.done]), &b, &worst);
    if (go_on && !look)
        QC_TRY(agreed(c, args, &b, err));
    qc_rd r = { .s = qc_buf_span(&b.names) };
    while (qc_rd_left(&r) > 0 && go_on) {
        struct qc_err why = { 0 };
        const qc_span name = listing_gathered(&r);
        const qc_rc rc = look ? would_go(c, name, &why) : rm_one(c, name, &why);
        go_on = client_object(c, rc, name, &why, &worst);
    }
    return client_outcome(c, worst, "not removed as asked", err);
}

/* -- the command ----------------------------------------------------------------------------------------- */

/* What says how it is erased makes no sense where it is not. */
static qc_rc without_erase(const struct qc_args *args, struct qc_err *err)
{
    static const char *const words[] = { "certificate", "version" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (qc_args_value(args, words[i], NULL) != NULL)
            return QC_FAIL(err, QC_USAGE,
                           "--%s is of rm --erase: a removal keeps all versions, and can be taken back",
                           words[i]);
    return QC_OK;
}

/* What sites have none of. */
static qc_rc rm_shared(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    static const char *const words[] = { "erase", "recursive", "dry-run" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (qc_args_flag(args, words[i]))
            return QC_FAIL(err, QC_USAGE, "--%s is of objects of the profile ec alone", words[i]);
    return shared_rm(c, args, err);
}

qc_rc cmd_rm(void *app, const struct qc_args *args, struct qc_err *err)
{
    bool shared = false;
    QC_TRY(profile_shared(args, &shared, NULL, err));
    if (!qc_args_flag(args, "erase"))
        QC_TRY(without_erase(args, err));
    if (shared)
        return rm_shared(app, args, err);
    if (qc_args_flag(args, "erase"))
        return client_erase(app, args, err);
    if (qc_args_flag(args, "recursive"))
        return rm_below(app, args, err);
    return listing_each(app, args, qc_args_flag(args, "dry-run") ? look_one : rm_one, "not removed as asked",
                        err);
}
