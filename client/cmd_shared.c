/* ls, stat, explain, rm, verify with a --profile of three sites. */
#include <inttypes.h>

#include "base/codec.h"
#include "progress.h"
#include "sites.h"
#include "text.h"

typedef qc_rc (*one_fn)(struct sites *s, qc_span name, struct qc_err *err);

static qc_rc each(struct client *c, const struct qc_args *args, enum msg_class class, one_fn one,
                  struct qc_err *err)
{
    QC_CLEANUP(sites_done) struct sites s = { 0 };
    qc_rc worst = QC_OK;
    bool go_on = true;
    QC_TRY(sites_open(c, class, &s, err));
    for (int i = 0; i < args->argc && go_on; i++) {
        struct qc_err why = { 0 };
        const qc_span name = qc_span_str(args->argv[i]);
        const qc_rc rc = one(&s, name, &why);
        go_on = sites_object(&s, rc, name, &why, &worst);
    }
    return client_outcome(c, worst, class == MSG_REMOVE ? "not removed as asked" : "without an answer", err);
}

/* "ABC", "A-C" */
static void letters(unsigned sites, char out[SS_XOR23_SHARES + 1])
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        out[i] = (sites & 1U << i) != 0 ? site_letter(i) : '-';
    out[SS_XOR23_SHARES] = '\0';
}

/* --- ls --- */

struct ls {
    struct sites *s;
    bool wide, zero;
};

/* The profile is that which was asked for: qcloud stat opens an object, and says which it is. */
static qc_rc ls_json(struct client *c, const struct vault_stat *what, const char *sites, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char when[QC_TIME_TEXT];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&what->name), err));
    QC_TRY(qc_json_set_str(j, "profile", vault_scheme_text(c->scheme), err));
    QC_TRY(qc_json_set_str(j, "sites", sites, err));
    QC_TRY(qc_json_set_int(j, "share_size", (int64_t)what->size, err));
    qc_time_text(what->created_s, when);
    QC_TRY(qc_json_set_str(j, "created", when, err));
    return out_json(&c->out, &j, err);
}

static qc_rc ls_one(void *ctx, const struct vault_stat *what, unsigned sites, struct qc_err *err)
{
    const struct ls *l = ctx;
    struct client *c = l->s->of;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    char have[SS_XOR23_SHARES + 1], when[QC_TIME_TEXT], size[TEXT_SIZE];
    letters(sites, have);
    if (c->out.json)
        return ls_json(c, what, have, err);
    if (l->zero) {
        out_raw(&c->out, qc_buf_span(&what->name));
        out_raw(&c->out, QC_LIT("\0"));
        return QC_OK;
    }
    QC_TRY(text_escape(qc_buf_span(&what->name), &name, err));
    text_size(what->size, size);
    qc_time_text(what->has_mtime ? what->mtime_s : what->created_s, when);
    if (l->wide)
        out_line(&c->out, "%11s  %s  sites %s  %.*s", size, when, have, (int)name.n, (const char *)name.p);
    else
        out_line(&c->out, "%.*s", (int)name.n, (const char *)name.p);
    return QC_OK;
}

qc_rc shared_ls(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(sites_done) struct sites s = { 0 };
    struct ls l = { .s = &s, .wide = qc_args_flag(args, "long"), .zero = qc_args_flag(args, "null") };
    if (qc_args_value(args, "where", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--where says nothing of three sites; qcloud explain does");
    QC_TRY(sites_open(c, MSG_SHARED_GET, &s, err));
    const qc_rc rc =
        sites_list(&s, args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 }, ls_one, &l, err);
    sites_tell_notes(&s, rc, (qc_span){ 0 });
    return rc;
}

/* --- stat --- */

static void helds_done(struct vault_xor23_held (*held)[SS_XOR23_SHARES])
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        vault_xor23_held_done(&(*held)[i]);
}

/* The one that has something has a mirror. */
static bool mirror_of_one(const struct vault_xor23_held held[SS_XOR23_SHARES], unsigned *ret_letter)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (held[i].has && held[i].why.rc == QC_OK && held[i].header.scheme == VAULT_MIRROR) {
            *ret_letter = i;
            return true;
        }
    return false;
}

/* Each site that is there, asked. *ret_pair: one of the letters that agree, or that of a mirror that is
 * asked for and alone; or the reason why no two do. */
static qc_rc look(struct sites *s, qc_span name, struct vault_xor23_held held[SS_XOR23_SHARES],
                  unsigned *ret_pair, struct qc_err *err)
{
    unsigned have = 0, lack = 0, odd = 0;
    bool all = false;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        if (s->s.vault[i] == NULL)
            continue;
        const struct vault_call call = client_call(s->site[i]);
        QC_TRY_AS(vault_xor23_look(s->s.vault[i], i, name, &call, &held[i], err), err, "site %c",
                  site_letter(i));
        have += held[i].has;
        lack += !held[i].has;
    }
    if (vault_xor23_agree(held, &odd, &all)) {
        *ret_pair = odd == SS_XOR23_A ? SS_XOR23_B : SS_XOR23_A;
        return QC_OK;
    }
    if (s->s.alone && have == 1 && lack == 0 && mirror_of_one(held, ret_pair))
        return QC_OK;
    if (lack >= 2)
        return QC_FAIL(err, QC_NOTFOUND, "%u of %u sites that answer %s it", have, have + lack,
                       have == 1 ? "has" : "have");
    if (have + lack < 2)
        return QC_FAIL(err, QC_SHARES, "one site alone answers");
    return QC_FAIL(err, have < 2 ? QC_SHARES : QC_INTEGRITY, "no two sites agree on a version of it");
}

static void stat_site(struct sites *s, unsigned i, const struct vault_xor23_held *h, bool agrees)
{
    struct client *c = s->of;
    char size[TEXT_SIZE];
    text_size(h->stat.stored, size);
    if (s->s.vault[i] == NULL)
        out_line(&c->out, "site %c   is not there: %s", site_letter(i), s->s.away[i].msg);
    else if (!h->has)
        out_line(&c->out, "site %c   has nothing of that name", site_letter(i));
    else if (h->why.rc != QC_OK)
        out_line(&c->out, "site %c   %s", site_letter(i), h->why.msg);
    else
        out_line(&c->out, "site %c   v%" PRIu64 ", sealed %s; data %" PRId64 " of %" PRId64 ", keys %u%s",
                 site_letter(i), h->stat.number, size, h->stat.margin, h->stat.margin_full,
                 h->stat.key_margin, agrees ? "" : "; another version than the two others");
}

static qc_rc stat_json(struct sites *s, qc_span name, const struct vault_xor23_held held[SS_XOR23_SHARES],
                       const bool agrees[SS_XOR23_SHARES], unsigned pair, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    const struct vault_xor23_header *h = &held[pair].header;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_str(j, "profile", vault_scheme_text(h->scheme), err));
    QC_TRY(qc_json_set_hex(j, "object", qc_span_of(h->ids.object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(h->ids.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "share_size", (int64_t)vault_xor23_data_size(held[pair].stat.size), err));
    QC_TRY(qc_json_set_str(j, "random", qrng_bulk_text((enum qrng_bulk_maker)h->maker), err));
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "site", (const char[2]){ site_letter(i), '\0' }, err));
        QC_TRY(qc_json_set_bool(one, "there", s->s.vault[i] != NULL, err));
        QC_TRY(qc_json_set_bool(one, "agrees", agrees[i], err));
        if (held[i].has) {
            QC_TRY(qc_json_set_int(one, "number", (int64_t)held[i].stat.number, err));
            QC_TRY(qc_json_set_int(one, "stored", (int64_t)held[i].stat.stored, err));
            QC_TRY(qc_json_set_int(one, "margin", held[i].stat.margin, err));
            QC_TRY(qc_json_set_int(one, "key_margin", held[i].stat.key_margin, err));
        }
        QC_TRY(qc_json_append(list, &one, err));
    }
    QC_TRY(qc_json_set(j, "sites", &list, err));
    return out_json(&s->of->out, &j, err);
}

static qc_rc stat_one(struct sites *s, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(helds_done) struct vault_xor23_held held[SS_XOR23_SHARES] = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    unsigned pair = 0, agree = 0;
    bool agrees[SS_XOR23_SHARES];
    char size[TEXT_SIZE], version[2 * VAULT_ID_BYTES + 1];
    QC_TRY(look(s, name, held, &pair, err));
    const struct vault_xor23_header *h = &held[pair].header;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        agrees[i] = held[i].has && held[i].why.rc == QC_OK &&
                    memcmp(&held[i].header.ids, &h->ids, sizeof h->ids) == 0;
        agree += agrees[i];
    }
    QC_TRY(text_escape(name, &shown, err));
    text_size(vault_xor23_data_size(held[pair].stat.size), size);
    qc_hex(qc_span_of(h->ids.version, VAULT_ID_BYTES), version);
    out_line(&s->of->out, "name     %.*s", (int)shown.n, (const char *)shown.p);
    out_line(&s->of->out, "profile  %s", vault_scheme_text(h->scheme));
    out_line(&s->of->out, "sharing  %s  %s from %s", version,
             h->scheme == VAULT_MIRROR ? "keys of tags" : "shares",
             qrng_bulk_text((enum qrng_bulk_maker)h->maker));
    out_line(&s->of->out, "size     %s", size);
    const unsigned needs = vault_scheme_needs(h->scheme);
    out_line(&s->of->out, "budget   %u (%u of 3 sites agree, any %s enough)", agree - needs, agree,
             needs == 1 ? "one is" : "two are");
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        stat_site(s, i, &held[i], agrees[i]);
    return stat_json(s, name, held, agrees, pair, err);
}

qc_rc shared_stat(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    return each(c, args, MSG_SHARED_GET, stat_one, err);
}

/* --- explain --- */

/* A line and a member, if there is something to say. */
static qc_rc explain_tell(struct sites *s, unsigned i, const char *what, qc_span text, struct json_t *j,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    char key[8];
    if (text.n == 0)
        return QC_OK;
    snprintf(key, sizeof key, "%s_%c", what, site_letter(i));
    QC_TRY(text_escape(text, &shown, err));
    out_line(&s->of->out, "%-4s %c   %.*s", what, site_letter(i), (int)shown.n, (const char *)shown.p);
    return text_json(j, key, text, err);
}

/* Of a site: the randomness of its share's sealing, and what carried it there and on to its clouds. */
static qc_rc explain_site(struct sites *s, unsigned i, qc_span name, struct json_t *j, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat stat = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf ways = { .max = QC_CLIENT_TEXT_MAX };
    const struct vault_call call = client_call(s->site[i]);
    struct qc_err why = { 0 };
    if (vault_explain(s->s.vault[i], name, &call, &stat, &text, &ways, &why) != QC_OK)
        QC_TRY(qc_buf_addf(&text, err, "not to be read: %s", why.msg));
    QC_TRY(explain_tell(s, i, "site", qc_buf_span(&text), j, err));
    return explain_tell(s, i, "way", qc_buf_span(&ways), j, err);
}

static qc_rc explain_one(struct sites *s, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(helds_done) struct vault_xor23_held held[SS_XOR23_SHARES] = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    unsigned pair = 0;
    QC_TRY(look(s, name, held, &pair, err));
    QC_TRY(text_escape(name, &shown, err));
    out_line(&s->of->out, "name     %.*s", (int)shown.n, (const char *)shown.p);
    const char *bulk = qrng_bulk_text((enum qrng_bulk_maker)held[pair].header.maker);
    const char *profile = vault_scheme_text(held[pair].header.scheme);
    out_line(&s->of->out, "profile  %s", profile);
    out_line(&s->of->out, "shares   %s", bulk);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_str(j, "profile", profile, err));
    QC_TRY(qc_json_set_str(j, "shares", bulk, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (s->s.vault[i] != NULL && held[i].has)
            QC_TRY(explain_site(s, i, name, j, err));
    return out_json(&s->of->out, &j, err);
}

qc_rc shared_explain(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    return each(c, args, MSG_SHARED_GET, explain_one, err);
}

/* --- rm --- */

static qc_rc rm_one(struct sites *s, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    unsigned removed = 0, none = 0;
    bool behind = false;
    QC_TRY(qc_buf_add_str(&line, "removed ", err));
    QC_TRY(text_quote(name, &line, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct vault_remove_result r = { 0 };
        struct qc_err why = s->s.away[i];
        qc_rc rc = QC_QUORUM;
        if (s->s.vault[i] != NULL) {
            const struct vault_call call = client_call(s->site[i]);
            rc = vault_remove(s->s.vault[i], name, &call, &r, &why);
        }
        removed += rc == QC_OK;
        none += rc == QC_NOTFOUND;
        if (rc == QC_CANCELLED) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK && rc != QC_NOTFOUND)
            QC_TRY(qc_buf_addf(&line, err, "; not at site %c: %s", site_letter(i), why.msg));
        else if (r.record_copies < r.clouds)
            QC_TRY(qc_buf_addf(&line, err, "; at site %c %u of %u clouds have recorded it", site_letter(i),
                               r.record_copies, r.clouds));
        behind = behind || (rc != QC_OK && rc != QC_NOTFOUND) || r.record_copies < r.clouds;
    }
    if (removed == 0 && none >= 2)
        return QC_FAIL(err, QC_NOTFOUND, "no site that answers has it");
    if (removed + none < 2) /* two may still agree on it */
        return QC_FAIL(err, QC_QUORUM, "%.*s", (int)line.n, (const char *)line.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "exit", behind ? 4 : 0, err));
    QC_TRY(qc_json_set_int(j, "sites", removed + none, err));
    QC_TRY(out_json(&s->of->out, &j, err));
    if (behind)
        return QC_FAIL(err, QC_DEGRADED, "%.*s", (int)line.n, (const char *)line.p);
    out_note(&s->of->out, "%.*s (its versions stay stored)", (int)line.n, (const char *)line.p);
    return QC_OK;
}

qc_rc shared_rm(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    return each(c, args, MSG_REMOVE, rm_one, err);
}

/* --- verify --- */

struct verify {
    struct sites *s;
    uint64_t objects, good, degraded, bad, bytes;
    qc_rc worst;
};

static qc_rc drop(void *ctx, qc_span bytes, struct qc_err *err)
{
    uint64_t *n = ctx;
    (void)err;
    *n += bytes.n;
    return QC_OK;
}

/* Everything of all three, to the end. QC_DEGRADED: two confirm each other, and the third does not. */
static qc_rc verify_one(struct verify *v, qc_span name, char why[QC_ERR_MSG_MAX], struct qc_err *err)
{
    struct vault_xor23_got g;
    struct progress p;
    struct qc_err failure = { 0 };
    const struct vault_sink sink = { .write = drop, .ctx = &v->bytes };
    const struct vault_call call = client_call_shown(v->s->of, &p, name, "verified", true);
    const qc_rc rc = vault_xor23_get(&v->s->s, name, true, &sink, &call, &g, &failure);
    progress_end(&p);
    if (rc == QC_CANCELLED || rc == QC_NOMEM) {
        *err = failure;
        return rc;
    }
    snprintf(why, QC_ERR_MSG_MAX, "%s",
             rc == QC_NOTFOUND ? "one site alone has it: removed, or lost" : failure.msg);
    for (unsigned i = 0; i < SS_XOR23_SHARES && rc == QC_OK; i++)
        if (v->s->s.vault[i] == NULL || g.report.site[i].why[0] != '\0') {
            snprintf(why, QC_ERR_MSG_MAX, "site %c: %.400s", site_letter(i),
                     v->s->s.vault[i] == NULL ? v->s->s.away[i].msg : g.report.site[i].why);
            return QC_DEGRADED;
        }
    return rc == QC_NOTFOUND ? QC_DEGRADED : rc;
}

static qc_rc verify_named(void *ctx, const struct vault_stat *what, unsigned sites, struct qc_err *err)
{
    struct verify *v = ctx;
    struct client *c = v->s->of;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char why[QC_ERR_MSG_MAX] = "";
    (void)sites;
    const qc_rc rc = verify_one(v, qc_buf_span(&what->name), why, err);
    if (rc == QC_CANCELLED || rc == QC_NOMEM)
        return rc;
    v->objects++;
    *(rc == QC_OK ? &v->good : rc == QC_DEGRADED ? &v->degraded : &v->bad) += 1;
    v->worst = qc_rc_worse(v->worst, rc);
    out_count(&c->out, rc);
    QC_TRY(text_escape(qc_buf_span(&what->name), &name, err));
    out_line(&c->out, "%-8s  %.*s%s%s",
             rc == QC_OK         ? "ok"
             : rc == QC_DEGRADED ? "degraded"
                                 : "bad",
             (int)name.n, (const char *)name.p, rc == QC_OK ? "" : ": ", rc == QC_OK ? "" : why);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&what->name), err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(rc), err));
    QC_TRY(text_json(j, "what", qc_span_str(why), err));
    return out_json(&c->out, &j, err);
}

/* A word that nothing is of is told, where there are others. */
static qc_rc verify_words(struct verify *v, const struct qc_args *args, int *none, struct qc_err *err)
{
    const int words = args->argc > 0 ? args->argc : 1;
    for (int i = 0; i < words; i++) {
        const qc_span prefix = args->argc > 0 ? qc_span_str(args->argv[i]) : (qc_span){ 0 };
        const uint64_t before = v->objects;
        struct qc_err why = { 0 };
        qc_rc worst = QC_OK;
        const qc_rc rc = sites_list(v->s, prefix, verify_named, v, err);
        sites_tell_notes(v->s, rc, (qc_span){ 0 });
        QC_TRY(rc);
        if (v->objects > before || prefix.n == 0)
            continue;
        ++*none;
        (void)QC_FAIL(&why, QC_NOTFOUND, "no object of that name and none below it");
        if (words > 1 && client_object(v->s->of, QC_NOTFOUND, prefix, &why, &worst))
            continue;
        *err = why;
        return QC_NOTFOUND;
    }
    return QC_OK;
}

qc_rc shared_verify(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(sites_done) struct sites s = { 0 };
    struct verify v = { .s = &s, .worst = QC_OK };
    char bytes[TEXT_SIZE];
    int none = 0;
    QC_TRY(sites_open(c, MSG_SHARED_GET, &s, err));
    QC_TRY(verify_words(&v, args, &none, err));
    text_size(v.bytes, bytes);
    out_note(&c->out,
             "verified %" PRIu64 " object%s at three sites, %s: %" PRIu64 " good, %" PRIu64
             " degraded, %" PRIu64 " bad",
             v.objects, text_s(v.objects), bytes, v.good, v.degraded, v.bad);
    if (none > 0 && qc_rc_worse(v.worst, QC_NOTFOUND) == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTFOUND, "nothing is of %d of the %d names; see above", none, args->argc);
    if (v.worst == QC_OK)
        return QC_OK;
    if (v.worst == QC_DEGRADED)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " of %" PRIu64 " object%s with less than three good shares", v.degraded,
                       v.objects, text_s(v.objects));
    qc_err_set(err, v.worst, QC_HERE, "%" PRIu64 " of %" PRIu64 " object%s cannot be read", v.bad, v.objects,
               text_s(v.objects));
    return v.worst;
}
