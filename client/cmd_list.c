/* stat, explain: objects without their bytes. */
#include "listing.h"

#include <inttypes.h>
#include <time.h>

#include "base/codec.h"
#include "profile.h"
#include "prune.h"
#include "sites.h"
#include "text.h"
#include "where.h"

enum { BEHIND = 9 }; /* where what is said of an object begins */

int64_t listing_budget(const struct vault_stat *s)
{
    return s->margin < (int64_t)s->key_margin ? s->margin : (int64_t)s->key_margin;
}

/* Times that a sealed object or a gateway says can be any. */
void listing_stamp(int64_t t, char out[QC_TIME_TEXT])
{
    const int64_t last = INT64_C(253402300799); /* of the year 9999 */
    qc_time_text(t < 0 ? 0 : t > last ? last : t, out);
}

qc_rc listing_json(const struct vault_stat *s, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&s->name), err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)s->size, err));
    QC_TRY(qc_json_set_int(j, "stored", (int64_t)s->stored, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)s->number, err));
    QC_TRY(qc_json_set_hex(j, "object", qc_span_of(s->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(s->version, VAULT_ID_BYTES), err));
    listing_stamp(s->created_s, when);
    QC_TRY(qc_json_set_str(j, "created", when, err));
    if (s->has_stored) {
        listing_stamp(s->stored_s, when);
        QC_TRY(qc_json_set_str(j, "sealed", when, err));
    }
    if (s->has_mtime) {
        qc_time_text(s->mtime_s, when);
        QC_TRY(qc_json_set_str(j, "mtime", when, err));
    }
    if (s->has_mode)
        QC_TRY(qc_json_set_int(j, "mode", s->mode, err));
    QC_TRY(qc_json_set_int(j, "margin", s->margin, err));
    QC_TRY(qc_json_set_int(j, "margin_full", s->margin_full, err));
    QC_TRY(qc_json_set_int(j, "key_margin", s->key_margin, err));
    QC_TRY(qc_json_set_int(j, "loss_budget", listing_budget(s), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

void listing_time(int64_t t, char out[LISTING_TIME])
{
    struct tm tm;
    time_t at = (time_t)t;
    if (localtime_r(&at, &tm) == NULL || strftime(out, LISTING_TIME, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
        snprintf(out, LISTING_TIME, "-");
}

void listing_number(uint64_t number, char out[LISTING_NUMBER])
{
    snprintf(out, LISTING_NUMBER, number == 0 ? "-" : "v%" PRIu64, number);
}

/* What the data margin goes by: no figure without the time of what is behind it. */
static void ages_text(struct client *c, const struct vault_gw_info *info)
{
    char written[32], presence[32], content[32];
    if (info->written == 0) {
        out_row(&c->out, BEHIND, "seen     the gateway does not say when");
        return;
    }
    listing_time(info->written, written);
    listing_time(info->presence, presence);
    listing_time(info->content, content);
    if (info->presence == info->written)
        out_row(&c->out, BEHIND, "seen     data as written at %s; not looked at since", written);
    else if (info->content == info->written)
        out_row(&c->out, BEHIND, "seen     data there at %s; its bytes as written at %s, not read since",
                presence, written);
    else
        out_row(&c->out, BEHIND, "seen     data there at %s; all bytes read and verified at %s", presence,
                content);
}

/* Where it is known, and there is some. */
static void padding_text(struct client *c, const struct vault_stat *s)
{
    char size[TEXT_SIZE];
    text_size(s->padding, size);
    if (s->padding > 0)
        out_row(&c->out, BEHIND, "padding  %s (%" PRIu64 " bytes)", size, s->padding);
}

static void clouds_text(struct client *c, const struct vault_gw_info *info)
{
    char size[TEXT_SIZE];
    out_row(&c->out, BEHIND, "coding   %u of %u, %" PRIu64 " segment%s", info->k, info->n, info->segments,
            text_s(info->segments));
    for (size_t i = 0; i < info->cloud_count; i++) {
        text_size(info->clouds[i].bytes, size);
        out_row(&c->out, BEHIND, "cloud    %-12s  %" PRIu64 " fragment%s, %" PRIu64 " missing, %s",
                info->clouds[i].name, info->clouds[i].fragments, text_s(info->clouds[i].fragments),
                info->clouds[i].missing, size);
    }
}

static void stat_text(struct client *c, const struct vault_stat *s, const struct vault_gw_info *info,
                      qc_span name)
{
    char size[TEXT_SIZE];
    char stored[TEXT_SIZE];
    char when[32];
    char version[2 * VAULT_ID_BYTES + 1], number[LISTING_NUMBER];
    listing_number(s->number, number);
    text_size(s->size, size);
    text_size(s->stored, stored);
    listing_time(s->created_s, when);
    qc_hex(qc_span_of(s->version, VAULT_ID_BYTES), version);
    out_row(&c->out, BEHIND, "name     %.*s", (int)name.n, (const char *)name.p);
    out_row(&c->out, BEHIND, "version  %s  %s  stored %s", number, version, when);
    if (s->has_stored) {
        listing_time(s->stored_s, when);
        out_row(&c->out, BEHIND, "sealed   %s, by the clock of the machine that stored it", when);
    }
    out_row(&c->out, BEHIND, "size     %s (%" PRIu64 " bytes); sealed %s", size, s->size, stored);
    padding_text(c, s);
    if (s->has_mtime) {
        listing_time(s->mtime_s, when);
        out_row(&c->out, BEHIND, "file     last changed %s", when);
    }
    if (info->kept > 0) {
        listing_time(info->kept, when);
        out_row(&c->out, BEHIND, "kept     until %s", when);
    }
    out_row(&c->out, BEHIND, "budget   %" PRId64 " (data %" PRId64 " of %" PRId64 ", keys %u)",
            listing_budget(s), s->margin, s->margin_full, s->key_margin);
    ages_text(c, info);
    listing_time((int64_t)time(NULL), when);
    out_row(&c->out, BEHIND, "seen     keys at %s", when);
    clouds_text(c, info);
}

/* Which observations are behind margin and key_margin; presence and content are left out where what is known
 * of them is that they were written. */
static qc_rc ages_json(struct json_t *j, const struct vault_gw_info *info, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *seen = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(qc_json_new_obj(&seen, err));
    const struct {
        const char *name;
        int64_t at;
    } rows[] = { { "written", info->written },
                 { "presence", info->presence > info->written ? info->presence : 0 },
                 { "content", info->content > info->written ? info->content : 0 },
                 { "keys", (int64_t)time(NULL) } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].at == 0)
            continue;
        qc_time_text(rows[i].at, when);
        QC_TRY(qc_json_set_str(seen, rows[i].name, when, err));
    }
    return qc_json_set(j, "seen", &seen, err);
}

static qc_rc stat_layout_json(struct json_t *j, const struct vault_gw_info *info, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *clouds = NULL;
    QC_TRY(qc_json_set_int(j, "k", info->k, err));
    QC_TRY(qc_json_set_int(j, "n", info->n, err));
    QC_TRY(qc_json_set_int(j, "segments", (int64_t)info->segments, err));
    QC_TRY(qc_json_new_arr(&clouds, err));
    for (size_t i = 0; i < info->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(text_json(one, "name", qc_span_str(info->clouds[i].name), err));
        QC_TRY(qc_json_set_int(one, "fragments", (int64_t)info->clouds[i].fragments, err));
        QC_TRY(qc_json_set_int(one, "missing", (int64_t)info->clouds[i].missing, err));
        QC_TRY(qc_json_set_int(one, "bytes", (int64_t)info->clouds[i].bytes, err));
        QC_TRY(qc_json_append(clouds, &one, err));
    }
    return qc_json_set(j, "clouds", &clouds, err);
}

/* which: NULL: the current version, by its entry. */
static qc_rc stat_of(struct client *c, qc_span name, const struct vault_which *which, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char stamp[QC_TIME_TEXT];
    struct vault_gw_info info = { 0 };
    struct vault_call call = client_call(c);
    QC_TRY(which != NULL ? vault_version_stat(c->vault, name, which, &call, &s, err)
                         : vault_stat(c->vault, name, &call, &s, err));
    QC_TRY(vault_layout(c->vault, &s, &call, &info, err));
    if (!c->out.json) {
        QC_TRY(text_escape(name, &shown, err));
        stat_text(c, &s, &info, qc_buf_span(&shown));
        return QC_OK;
    }
    QC_TRY(listing_json(&s, &j, err));
    if (which != NULL) /* it was opened */
        QC_TRY(qc_json_set_int(j, "padding", (int64_t)s.padding, err));
    QC_TRY(ages_json(j, &info, err));
    QC_TRY(stat_layout_json(j, &info, err));
    if (info.kept > 0) {
        listing_stamp(info.kept, stamp);
        QC_TRY(qc_json_set_str(j, "kept_until", stamp, err));
    }
    return out_json(&c->out, &j, err);
}

/* What carried it: a line for each cloud that is reached by a network. */
static qc_rc ways_text(struct client *c, qc_span ways, struct qc_err *err)
{
    while (ways.n > 0) {
        QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
        const uint8_t *blank = memchr(ways.p, ' ', ways.n);
        const size_t n = blank == NULL ? ways.n : (size_t)(blank - ways.p);
        QC_TRY(text_escape(qc_span_sub(ways, 0, n), &shown, err));
        out_row(&c->out, BEHIND, "way      %.*s", (int)shown.n, shown.n > 0 ? (const char *)shown.p : "");
        ways = qc_span_from(ways, blank == NULL ? n : n + 1);
    }
    return QC_OK;
}

static qc_rc stat_one(struct client *c, qc_span name, struct qc_err *err)
{
    return stat_of(c, name, NULL, err);
}

/* Where each of the four shares is, and how the two local ones came about. */
static qc_rc shares_text(struct client *c, const struct vault_stat *s, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf place = { .max = QC_CLIENT_TEXT_MAX };
        const struct vault_origin *o = &s->origin[i];
        QC_TRY(text_escape(qc_span_str(c->conf.share[i]), &place, err));
        if (o->is)
            out_row(&c->out, BEHIND, "share%u   %s, generation %" PRIu32 ", in %.*s", i + 1,
                    o->seeded ? "made from the store's seed" : "drawn", o->generation, (int)place.n,
                    (const char *)place.p);
        else
            out_row(&c->out, BEHIND, "share%u   not to be had: %.*s", i + 1, (int)place.n,
                    (const char *)place.p);
    }
    out_row(&c->out, BEHIND, "share3   inside the sealed object, on the clouds");
    out_row(&c->out, BEHIND, "share4   in the backup data, %s",
            vault_is_kept(c->vault) ? "with the keeper"
                                    : "at the gateway and in commit records on the clouds");
    return QC_OK;
}

static qc_rc shares_json(struct json_t *j, struct client *c, const struct vault_stat *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        const struct vault_origin *o = &s->origin[i];
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_int(one, "share", i + 1, err));
        QC_TRY(text_json(one, "place", qc_span_str(c->conf.share[i]), err));
        QC_TRY(qc_json_set_str(one, "from", !o->is ? "absent" : o->seeded ? "seed" : "drawn", err));
        QC_TRY(qc_json_set_int(one, "generation", o->generation, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(j, "shares", &list, err);
}

static qc_rc explain_one(struct client *c, qc_span name, struct qc_err *err)
{
    struct vault_gw_info info = { 0 };
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf ways = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char version[2 * VAULT_ID_BYTES + 1];
    struct vault_call call = client_call(c);
    QC_TRY(vault_explain(c->vault, name, &call, &s, &text, &ways, err));
    QC_TRY(vault_layout(c->vault, &s, &call, &info, err));
    QC_TRY(text_escape(name, &shown, err));
    qc_hex(qc_span_of(s.version, VAULT_ID_BYTES), version);
    out_row(&c->out, BEHIND, "name     %.*s", (int)shown.n, (const char *)shown.p);
    out_row(&c->out, BEHIND, "version  v%" PRIu64 "  %s", s.number, version);
    qc_buf_clear(&shown);
    QC_TRY(text_escape(qc_buf_span(&text), &shown, err));
    padding_text(c, &s);
    out_row(&c->out, BEHIND, "random   %.*s", (int)shown.n, shown.n > 0 ? (const char *)shown.p : "");
    QC_TRY(shares_text(c, &s, err));
    clouds_text(c, &info);
    QC_TRY(ways_text(c, qc_buf_span(&ways), err));
    if (vault_is_kept(c->vault))
        out_row(&c->out, BEHIND, "backup   with the keeper, %s", c->conf.keeper);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)s.number, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(s.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "padding", (int64_t)s.padding, err));
    QC_TRY(text_json(j, "random", qc_buf_span(&text), err));
    QC_TRY(text_json(j, "ways", qc_buf_span(&ways), err));
    if (vault_is_kept(c->vault))
        QC_TRY(text_json(j, "keeper", qc_span_str(c->conf.keeper), err));
    QC_TRY(shares_json(j, c, &s, err));
    QC_TRY(stat_layout_json(j, &info, err));
    return out_json(&c->out, &j, err);
}

qc_rc listing_gather(qc_buf *names, qc_span name, const char *verb, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(names, name.n, 4, err));
    QC_TRY_AS(qc_buf_add(names, name, err), err, "more names than one command can %s: name a longer prefix",
              verb);
    return QC_OK;
}

qc_span listing_gathered(qc_rd *names)
{
    return qc_rd_bytes(names, qc_rd_be(names, 4));
}

static bool has(qc_span prefix, qc_span name)
{
    const uint8_t end = prefix.p[prefix.n - 1];
    const size_t n = end == '*' ? prefix.n - 1 : prefix.n;
    if (name.n < n || !qc_span_eq(qc_span_sub(name, 0, n), qc_span_sub(prefix, 0, n)))
        return false;
    return end == '*' || end == '/' || name.n == n || name.p[n] == '/';
}

bool listing_has(const char *const *prefix, int n, qc_span name)
{
    for (int i = 0; i < n; i++)
        if (has(qc_span_str(prefix[i]), name))
            return true;
    return false;
}

qc_rc listing_each(struct client *c, const struct qc_args *args, listing_one_fn one, const char *what,
                   struct qc_err *err)
{
    qc_rc worst = QC_OK;
    bool go_on = true;
    if (args->argc == 1) /* what fails before its turn is about it, too */
        c->end.about.name = qc_span_str(args->argv[0]);
    QC_TRY(client_open(c, err));
    for (int i = 0; i < args->argc && go_on; i++) {
        struct qc_err why = { 0 };
        qc_span name = qc_span_str(args->argv[i]);
        qc_rc rc = one(c, name, &why);
        go_on = client_object(c, rc, name, &why, &worst);
    }
    return client_outcome(c, worst, what, err);
}

/* One version, of one name. */
static qc_rc stat_version(struct client *c, const struct qc_args *args, const struct which *w,
                          struct qc_err *err)
{
    const qc_span name = qc_span_str(args->argv[0]);
    struct qc_err why = { 0 };
    qc_rc worst = QC_OK;
    if (args->argc != 1)
        return QC_FAIL(err, QC_USAGE, "--version is of one name");
    c->end.about.name = name;
    QC_TRY(client_open(c, err));
    const qc_rc rc = stat_of(c, name, &w->which, &why);
    (void)client_object(c, rc, name, &why, &worst);
    return client_outcome(c, worst, "without an answer", err);
}

qc_rc cmd_stat(void *app, const struct qc_args *args, struct qc_err *err)
{
    bool shared = false;
    struct which w = { 0 };
    QC_TRY(profile_shared(args, &shared, NULL, err));
    QC_TRY(which_args(app, args, &w, err));
    if (w.given)
        return stat_version(app, args, &w, err);
    return shared ? shared_stat(app, args, err) : listing_each(app, args, stat_one, "without an answer", err);
}

qc_rc cmd_explain(void *app, const struct qc_args *args, struct qc_err *err)
{
    bool shared = false;
    QC_TRY(profile_shared(args, &shared, NULL, err));
    return shared ? shared_explain(app, args, err)
                  : listing_each(app, args, explain_one, "without an answer", err);
}
