/* verify: all or some of what is stored, read and opened in each way; beside a folder, where one is named. */
#include <inttypes.h>
#include <string.h>

#include "against.h"
#include "base/lot.h"
#include "listing.h"
#include "profile.h"
#include "progress.h"
#include "report.h"
#include "sites.h"
#include "text.h"

const struct qc_opt verify_opts[] = {
    { "sample", 0, "PCT", "so many per cent of the objects, 1 to 100, drawn by lot (default: all)", false },
    { "seed", 0, "S", "with --sample: draw as the run did that named this seed", false },
    { "since", 0, "TIME", "objects alone that were stored since then, by the gateway's clock", false },
    { "against", 0, "DIR", "compare with the files beneath DIR, which lie there as get -r puts them", false },
    { "report", 0, "FILE", "write what was looked at and what was found to FILE, as JSON", false },
    { "profile", 0, "ec|xor23|shamir|mirror", "how it is kept: ec, unless this says another", false },
    { 0 },
};

struct verify {
    struct client *c;
    const struct qc_args *args;
    int word;   /* the one under way; of no words: 0, and all is meant */
    bool found; /* there are objects of it */
    int none;   /* words that nothing is of */
    bool has_since;
    int64_t since_s;
    uint64_t percent; /* 0: all */
    uint64_t seed;
    struct qc_lot lot;       /* over those that the first listing counted */
    uint64_t there;          /* objects that the words name, whenever they were stored */
    struct against *against; /* or NULL */
    uint64_t is[3];          /* enum against_is */
    uint64_t extra, unread;
    struct json_t *findings; /* for the report; NULL: there is none */
    bool cut;
    struct vault_verify_result sum;
};

static void verify_done(struct verify *v)
{
    against_free(&v->against);
    qc_json_free(&v->findings);
}

/* -- which ones ------------------------------------------------------------------------------------------ */

static qc_span word_of(const struct verify *v)
{
    return v->args->argc > 0 ? qc_span_str(v->args->argv[v->word]) : (qc_span){ 0 };
}

/* Words may overlap: an object is of the first that has it. */
static bool is_new(struct verify *v, const struct vault_stat *s)
{
    v->found = true;
    return !listing_has(v->args->argv, v->word, qc_buf_span(&s->name));
}

static bool is_recent(const struct verify *v, const struct vault_stat *s)
{
    return !v->has_since || s->created_s >= v->since_s;
}

static qc_rc count(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct verify *v = ctx;
    (void)err;
    v->lot.all += is_new(v, s) && is_recent(v, s);
    return QC_OK;
}

/* What is not looked at has its place in the folder all the same. */
static qc_rc wanted(void *ctx, const struct vault_stat *s, bool *ret, struct qc_err *err)
{
    struct verify *v = ctx;
    *ret = is_new(v, s);
    v->there += *ret;
    if (*ret && v->against != NULL)
        QC_TRY(against_object(v->against, s, err));
    *ret = *ret && is_recent(v, s);
    return *ret && v->percent > 0 ? qc_lot_next(&v->lot, ret, err) : QC_OK;
}

static void take_bytes(void *ctx, qc_span bytes)
{
    const struct verify *v = ctx;
    against_bytes(v->against, bytes);
}

/* -- what is told ---------------------------------------------------------------------------------------- */

static const char *const against_words[] = {
    [AGAINST_SAME] = "same", [AGAINST_DIFFERS] = "differs", [AGAINST_MISSING] = "missing"
};

/* One row of the report; *row goes there. */
static qc_rc note(struct verify *v, struct json_t **row, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = QC_STEAL(*row);
    if (v->findings == NULL)
        return QC_OK;
    v->cut = qc_json_len(v->findings) >= QC_CLIENT_DRILL_LOST;
    return v->cut ? QC_OK : qc_json_append(v->findings, &j, err);
}

/* against: a word of these, and why; or NULL. */
static qc_rc verdict_json(const struct vault_verdict *v, const char *against, const char *why,
                          struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const bool differs = against != NULL && why[0] != '\0';
    const qc_rc rc = v->rc == QC_OK && differs ? QC_DEGRADED : v->rc;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&v->what->name), err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(rc), err));
    QC_TRY(text_json(j, "what", qc_span_str(v->text == NULL ? "" : v->text), err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)v->what->size, err));
    QC_TRY(qc_json_set_bool(j, "both_shares", v->plain, err));
    QC_TRY(qc_json_set_bool(j, "share1_and_backup", v->with1, err));
    QC_TRY(qc_json_set_bool(j, "share2_and_backup", v->with2, err));
    QC_TRY(qc_json_set_bool(j, "backup_ok", v->backup_ok, err));
    QC_TRY(qc_json_set_int(j, "margin", v->what->margin, err));
    if (against != NULL)
        QC_TRY(qc_json_set_str(j, "against", against, err));
    if (differs)
        QC_TRY(text_json(j, "against_why", qc_span_str(why), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc tell_verdict(void *ctx, const struct vault_verdict *one, struct qc_err *err)
{
    struct verify *v = ctx;
    struct client *c = v->c;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL, *row = NULL;
    const char *against = NULL;
    char why[AGAINST_WHY] = "";
    if (v->against != NULL && (one->rc == QC_OK || one->rc == QC_DEGRADED)) { /* all of its bytes came */
        const enum against_is is = against_verdict(v->against, why);
        against = against_words[is];
        v->is[is]++;
    }
    const bool differs = why[0] != '\0';
    out_count(&c->out, one->rc == QC_OK && differs ? QC_DEGRADED : one->rc);
    QC_TRY(verdict_json(one, against, why, &j, err));
    QC_TRY(out_json(&c->out, &j, err));
    if (one->rc != QC_OK || differs) {
        QC_TRY(verdict_json(one, against, why, &row, err));
        QC_TRY(note(v, &row, err));
    }
    QC_TRY(text_escape(qc_buf_span(&one->what->name), &name, err));
    const char *word = one->rc == QC_OK ? "ok" : one->rc == QC_DEGRADED ? "degraded" : "bad";
    if (one->rc != QC_OK || !differs)
        out_line(&c->out, "%-8s  %.*s%s%s", word, (int)name.n, (const char *)name.p,
                 one->rc == QC_OK ? "" : ": ", one->rc == QC_OK || one->text == NULL ? "" : one->text);
    if (differs)
        out_line(&c->out, "%-8s  %.*s: %s", against, (int)name.n, (const char *)name.p, why);
    return QC_OK;
}

static qc_rc extra_json(qc_span path, const char *why, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, path, err));
    QC_TRY(qc_json_set_str(j, "against", why == NULL ? "extra" : "unread", err));
    if (why != NULL)
        QC_TRY(text_json(j, "against_why", qc_span_str(why), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc tell_extra(void *ctx, qc_span path, const char *why, struct qc_err *err)
{
    struct verify *v = ctx;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL, *row = NULL;
    *(why == NULL ? &v->extra : &v->unread) += 1;
    QC_TRY(text_escape(path, &shown, err));
    QC_TRY(extra_json(path, why, &j, err));
    QC_TRY(out_json(&v->c->out, &j, err));
    QC_TRY(extra_json(path, why, &row, err));
    QC_TRY(note(v, &row, err));
    out_line(&v->c->out, "%-8s  %.*s: %s", why == NULL ? "extra" : "unread", (int)shown.n,
             shown.n > 0 ? (const char *)shown.p : "",
             why == NULL ? "in the folder, and not in the vault" : why);
    return QC_OK;
}

/* -- the run --------------------------------------------------------------------------------------------- */

static void add_up(struct vault_verify_result *sum, const struct vault_verify_result *r)
{
    sum->objects += r->objects;
    sum->good += r->good;
    sum->degraded += r->degraded;
    sum->bad += r->bad;
    sum->bytes += r->bytes;
    sum->worst = qc_rc_worse(sum->worst, r->worst);
}

/* Nothing is of a word that was named: told, where there are others. */
static qc_rc none_of_it(struct verify *v, struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_rc worst = QC_OK;
    v->none++;
    (void)QC_FAIL(&why, QC_NOTFOUND, "no object of that name and none below it");
    if (v->args->argc > 1)
        return client_object(v->c, QC_NOTFOUND, word_of(v), &why, &worst) ? QC_OK
                                                                          : QC_FAIL(err, worst, "ended");
    *err = why;
    return QC_NOTFOUND;
}

/* Of a part nobody can say what else is in the folder, and of several words neither. */
static qc_rc verify_word(struct verify *v, struct qc_err *err)
{
    const struct vault_verify_some some = {
        .wanted = wanted, .bytes = v->against != NULL ? take_bytes : NULL, .verdict = tell_verdict, .ctx = v
    };
    struct vault_verify_result r = { 0 };
    struct progress p;
    const qc_span word = word_of(v);
    v->found = false;
    if (v->against != NULL)
        QC_TRY_AS(against_word(v->against, word, v->args->argc < 2 ? tell_extra : NULL, v, err), err,
                  "--against");
    struct vault_call call = client_call_shown(v->c, &p, word, "verified", true);
    const qc_rc rc = vault_verify_some(v->c->vault, word, &some, &call, &r, err);
    progress_end(&p);
    add_up(&v->sum, &r);
    QC_TRY(rc);
    if (!v->found && word.n > 0)
        return none_of_it(v, err);
    return v->against != NULL ? against_last(v->against, err) : QC_OK;
}

/* How many there are, before the lots are drawn. */
static qc_rc count_all(struct verify *v, struct qc_err *err)
{
    const struct vault_call call = client_call(v->c);
    const int words = v->args->argc > 0 ? v->args->argc : 1;
    if (v->percent == 0)
        return QC_OK;
    for (v->word = 0; v->word < words; v->word++)
        QC_TRY(vault_list(v->c->vault, word_of(v), count, v, &call, err));
    v->lot.seed = v->seed;
    v->lot.sample = (v->lot.all * v->percent + 99) / 100;
    return QC_OK;
}

static qc_rc verify_all(struct verify *v, struct qc_err *err)
{
    const int words = v->args->argc > 0 ? v->args->argc : 1;
    QC_TRY(count_all(v, err));
    for (v->word = 0; v->word < words; v->word++)
        QC_TRY(verify_word(v, err));
    return QC_OK;
}

/* -- what it comes to ------------------------------------------------------------------------------------ */

static bool differs(const struct verify *v)
{
    return v->is[AGAINST_DIFFERS] + v->is[AGAINST_MISSING] + v->extra + v->unread > 0;
}

static qc_rc against_json(const struct verify *v, struct json_t *to, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    if (v->against == NULL)
        return QC_OK;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(text_json(j, "dir", qc_span_str(qc_args_value(v->args, "against", "")), err));
    for (unsigned i = 0; i < sizeof against_words / sizeof against_words[0]; i++)
        QC_TRY(qc_json_set_int(j, against_words[i], (int64_t)v->is[i], err));
    QC_TRY(qc_json_set_int(j, "extra", (int64_t)v->extra, err));
    QC_TRY(qc_json_set_int(j, "unread", (int64_t)v->unread, err));
    return qc_json_set(to, "against", &j, err);
}

/* Of the last line, and of the report. */
static qc_rc figures(const struct verify *v, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char seed[TEXT_SIZE], since[QC_TIME_TEXT];
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "objects", (int64_t)v->sum.objects, err));
    QC_TRY(qc_json_set_int(j, "of", (int64_t)v->there, err));
    QC_TRY(qc_json_set_int(j, "good", (int64_t)v->sum.good, err));
    QC_TRY(qc_json_set_int(j, "degraded", (int64_t)v->sum.degraded, err));
    QC_TRY(qc_json_set_int(j, "bad", (int64_t)v->sum.bad, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)v->sum.bytes, err));
    if (v->percent > 0) {
        snprintf(seed, sizeof seed, "%" PRIu64, v->seed);
        QC_TRY(qc_json_set_int(j, "sample", (int64_t)v->percent, err));
        QC_TRY(qc_json_set_str(j, "seed", seed, err));
    }
    if (v->has_since) {
        listing_stamp(v->since_s, since);
        QC_TRY(qc_json_set_str(j, "since", since, err));
    }
    QC_TRY(against_json(v, j, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc write_report(struct verify *v, const char *path, qc_rc rc, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL, *words = NULL;
    char when[QC_TIME_TEXT];
    qc_time_text(qc_wall_s(), when);
    QC_TRY(figures(v, &j, err));
    QC_TRY(qc_json_new_arr(&words, err));
    for (int i = 0; i < v->args->argc; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
        const char *word = NULL;
        QC_TRY(text_lossy(qc_span_str(v->args->argv[i]), &text, err));
        QC_TRY(qc_buf_cstr(&text, &word, err));
        QC_TRY(qc_json_append_str(words, word, err));
    }
    QC_TRY(qc_json_set_int(j, "v", 1, err));
    QC_TRY(qc_json_set_str(j, "when", when, err));
    QC_TRY(qc_json_set(j, "names", &words, err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(rc), err));
    QC_TRY(qc_json_set(j, "findings", &v->findings, err));
    QC_TRY(qc_json_set_bool(j, "findings_cut", v->cut, err));
    return report_file(path, j, err);
}

static void tell_figures(const struct verify *v)
{
    struct out *o = &v->c->out;
    const struct vault_verify_result *r = &v->sum;
    char bytes[TEXT_SIZE], of[64] = "", part[160] = "", when[LISTING_TIME];
    listing_time(v->since_s, when);
    if (v->percent > 0 || v->has_since)
        (void)snprintf(of, sizeof of, " of %" PRIu64, v->there);
    if (v->percent > 0)
        (void)snprintf(part, sizeof part, " (%" PRIu64 " %%%s%s, by lot, seed %" PRIu64 ")", v->percent,
                       v->has_since ? " of those stored since " : "", v->has_since ? when : "", v->seed);
    else if (v->has_since)
        (void)snprintf(part, sizeof part, " (stored since %s)", when);
    text_size(r->bytes, bytes);
    out_note(o,
             "verified %" PRIu64 "%s object%s%s, %s: %" PRIu64 " good, %" PRIu64 " degraded, %" PRIu64 " bad",
             r->objects, of, text_s(of[0] != '\0' ? v->there : r->objects), part, bytes, r->good, r->degraded,
             r->bad);
    if (v->against != NULL)
        out_note(o,
                 "against %s: %" PRIu64 " the same, %" PRIu64 " differ%s, %" PRIu64
                 " %s missing there, %" PRIu64 " %s there and not in the vault",
                 qc_args_value(v->args, "against", ""), v->is[AGAINST_SAME], v->is[AGAINST_DIFFERS],
                 v->is[AGAINST_DIFFERS] == 1 ? "s" : "", v->is[AGAINST_MISSING],
                 v->is[AGAINST_MISSING] == 1 ? "is" : "are", v->extra, v->extra == 1 ? "is" : "are");
}

static bool is_folder(const char *word)
{
    const size_t n = strlen(word);
    return n > 0 && word[n - 1] == '/';
}

/* The worst of it, in its words. counts: a warning was given that --strict counts. */
static qc_rc judge(const struct verify *v, bool counts, struct qc_err *err)
{
    struct client *c = v->c;
    const struct vault_verify_result *r = &v->sum;
    const bool missing = !vault_has_share(c->vault, 1) || !vault_has_share(c->vault, 2);
    const bool degraded = r->worst == QC_DEGRADED || missing || (counts && c->strict);
    if (r->worst != QC_OK && r->worst != QC_DEGRADED && qc_rc_worse(r->worst, QC_NOTFOUND) == r->worst) {
        qc_err_set(err, r->worst, QC_HERE, "%" PRIu64 " of %" PRIu64 " object%s cannot be read", r->bad,
                   r->objects, text_s(r->objects));
        return r->worst;
    }
    if (v->none > 0)
        return QC_FAIL(err, QC_NOTFOUND, "nothing is of %d of the %d names; see above", v->none,
                       v->args->argc);
    if (degraded)
        return QC_FAIL(err, QC_DEGRADED,
                       "all objects open; %" PRIu64 " of %" PRIu64 " without a part that a loss would need%s",
                       r->degraded, r->objects, missing ? ", and a share store is missing" : "");
    if (!differs(v))
        return QC_OK;
    c->out.class = MSG_AGAINST;
    if (v->args->argc == 1 && is_folder(v->args->argv[0])) {
        c->end.about.name = qc_span_str(v->args->argv[0]);
        c->end.about.dir = qc_args_value(v->args, "against", NULL);
    }
    return QC_FAIL(err, QC_DEGRADED,
                   "the folder is not what is stored: %" PRIu64 " differ%s, %" PRIu64
                   " missing there, %" PRIu64 " there alone%s",
                   v->is[AGAINST_DIFFERS], v->is[AGAINST_DIFFERS] == 1 ? "s" : "", v->is[AGAINST_MISSING],
                   v->extra, v->unread > 0 ? "; not all of it can be read" : "");
}

static qc_rc open_folder(struct verify *v, const char *dir, struct qc_err *err)
{
    const qc_rc rc = against_new(&v->against, dir, err);
    if (rc != QC_OK)
        err->next = "qcloud verify --help";
    return rc;
}

static qc_rc take_options(struct verify *v, struct qc_err *err)
{
    const struct qc_args *args = v->args;
    const char *since = qc_args_value(args, "since", NULL), *dir = qc_args_value(args, "against", NULL);
    const char *to = qc_args_value(args, "report", NULL);
    uint8_t bytes[4]; /* short enough to be typed again */
    QC_TRY(qc_args_u64(args, "sample", false, 1, 100, &v->percent, err));
    if (v->percent == 0 && qc_args_value(args, "seed", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--seed is for --sample, which is missing");
    for (int i = 0; i < args->argc && args->argc > 1; i++)
        if (args->argv[i][0] == '\0')
            return QC_FAIL(err, QC_USAGE, "an empty name is everything that is stored: name what is meant");
    if (v->percent > 0) {
        QC_TRY(client_rng(v->c, err));
        const qc_rng rng = qrng_rng(v->c->ids);
        QC_TRY(qc_rng_fill(&rng, bytes, sizeof bytes, err));
        v->seed = qc_get_be(bytes, sizeof bytes);
        QC_TRY(qc_args_u64(args, "seed", false, 0, UINT64_MAX, &v->seed, err));
    }
    v->has_since = since != NULL;
    if (since != NULL)
        QC_TRY_AS(which_date_parse(since, &v->since_s, err), err, "--since");
    if (dir != NULL)
        QC_TRY_AS(open_folder(v, dir, err), err, "--against");
    if (to == NULL)
        return QC_OK;
    QC_TRY_AS(report_place(to, err), err, "--report");
    return qc_json_new_arr(&v->findings, err);
}

/* What was found is not hidden by a report that could not be written: rc is what it came to. */
static qc_rc report(struct verify *v, qc_rc rc, struct qc_err *err)
{
    const char *path = qc_args_value(v->args, "report", NULL);
    struct qc_err why = { 0 };
    if (path == NULL || write_report(v, path, rc, &why) == QC_OK)
        return QC_OK;
    if (rc == QC_OK || rc == QC_DEGRADED)
        return QC_FAIL(err, why.rc, "--report: %s", why.msg);
    out_warn(&v->c->out, MSG_W_OTHER, NULL, "the report is not written: %s", why.msg);
    return QC_OK;
}

/* What sites have none of. */
static qc_rc verify_shared(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    static const char *const words[] = { "sample", "seed", "since", "against", "report" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (qc_args_value(args, words[i], NULL) != NULL)
            return QC_FAIL(err, QC_USAGE, "--%s is of objects of the profile ec alone", words[i]);
    return shared_verify(c, args, err);
}

qc_rc cmd_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(verify_done) struct verify v = { .c = c, .args = args };
    struct qc_err why = { 0 };
    bool shared = false;
    QC_TRY(profile_shared(args, &shared, NULL, err));
    if (shared)
        return verify_shared(c, args, err);
    QC_TRY(take_options(&v, err));
    QC_TRY(client_open(c, err));
    qc_rc rc = verify_all(&v, err);
    const bool counts = client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    QC_TRY(figures(&v, &c->end.extra, err));
    tell_figures(&v);
    rc = judge(&v, counts, &why);
    QC_TRY(report(&v, rc, err));
    if (rc == QC_OK)
        return QC_OK;
    c->end.about.share = !vault_has_share(c->vault, 1) ? "1" : !vault_has_share(c->vault, 2) ? "2" : NULL;
    *err = why;
    return rc;
}
