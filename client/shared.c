/* put and get with a --profile of three sites: one object among them. */
#include <inttypes.h>

#include "progress.h"
#include "sites.h"
#include "text.h"

/* --- put --- */

/* Of the three sites' keys, and of the shares' seed that was drawn with the first: the least good. */
static void take_provenance(struct sites *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (i == 0 || s->site[i]->provenance.fell_back)
            s->of->provenance = s->site[i]->provenance;
}

static qc_rc site_json(struct json_t *list, unsigned i, const struct vault_xor23_stored *r,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    const struct vault_put_result *p = &r->site[i].put;
    const char name[2] = { site_letter(i), '\0' };
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "site", name, err));
    QC_TRY(qc_json_set_int(one, "exit", qc_rc_exit(r->site[i].why.rc), err));
    if (r->site[i].why.rc == QC_OK) {
        QC_TRY(qc_json_set_hex(one, "version", qc_span_of(p->version, VAULT_ID_BYTES), err));
        QC_TRY(qc_json_set_int(one, "number", (int64_t)p->number, err));
        QC_TRY(qc_json_set_int(one, "stored", (int64_t)p->stored, err));
        QC_TRY(qc_json_set_int(one, "margin", p->margin, err));
        QC_TRY(qc_json_set_int(one, "margin_full", p->margin_full, err));
    }
    return qc_json_append(list, &one, err);
}

/* Sites that may be lost with all that they have. */
static unsigned budget(const struct vault_xor23_stored *r)
{
    return r->sites - vault_scheme_needs(r->header.scheme);
}

static qc_rc stored_json(struct sites *s, qc_span name, const struct vault_xor23_stored *r, bool degraded,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "exit", degraded ? 4 : 0, err));
    QC_TRY(qc_json_set_str(j, "profile", vault_scheme_text(r->header.scheme), err));
    QC_TRY(qc_json_set_hex(j, "object", qc_span_of(r->header.ids.object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(r->header.ids.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)r->size, err));
    QC_TRY(qc_json_set_str(j, "random", s->of->bulk, err));
    QC_TRY(qc_json_set_int(j, "random_bytes", (int64_t)(qrng_bulk_tell(s->bulk).given - s->given), err));
    QC_TRY(qc_json_set_int(j, "loss_budget", budget(r), err));
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        QC_TRY(site_json(list, i, r, err));
    QC_TRY(qc_json_set(j, "sites", &list, err));
    return out_json(&s->of->out, &j, err);
}

/* "; not at site C: .."; "; at site A with less: missing c2". True: something lacks. */
static qc_rc lacks(const struct vault_xor23_stored *r, qc_buf *line, bool *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const struct vault_put_result *p = &r->site[i].put;
        if (r->site[i].why.rc != QC_OK)
            QC_TRY(qc_buf_addf(line, err, "; not at site %c: %s", site_letter(i), r->site[i].why.msg));
        else if (p->degraded)
            QC_TRY(qc_buf_addf(line, err, "; at site %c not on all clouds (data %" PRId64 " of %" PRId64 ")",
                               site_letter(i), p->margin, p->margin_full));
        *ret = *ret || r->site[i].why.rc != QC_OK || p->degraded;
    }
    return QC_OK;
}

static qc_rc stored(struct sites *s, qc_span name, const struct vault_xor23_stored *r, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    const bool mirror = r->header.scheme == VAULT_MIRROR;
    char size[TEXT_SIZE];
    take_provenance(s);
    bool degraded = client_random_warn(s->of);
    text_size(r->size, size);
    QC_TRY(qc_buf_add_str(&line, "stored ", err));
    QC_TRY(text_quote(name, &line, err));
    QC_TRY(qc_buf_addf(&line, err, ": %s %s, %s from %s; loss budget %u", size,
                       mirror ? "at three sites, a whole copy at each" : "among three sites",
                       mirror ? "keys of tags" : "shares", s->of->bulk, budget(r)));
    QC_TRY(lacks(r, &line, &degraded, err));
    QC_TRY(stored_json(s, name, r, degraded, err));
    if (degraded)
        return QC_FAIL(err, QC_DEGRADED, "%.*s", (int)line.n, (const char *)line.p);
    out_note(&s->of->out, "%.*s", (int)line.n, (const char *)line.p);
    return QC_OK;
}

/* For the next object; what is drawn for it is counted from here. */
static struct vault_xor23_put_opts put_opts(struct sites *s)
{
    s->given = qrng_bulk_tell(s->bulk).given;
    return (struct vault_xor23_put_opts){ .rng = &s->bulk_rng,
                                          .maker = qrng_bulk_tell(s->bulk).maker,
                                          .scheme = s->of->scheme };
}

qc_rc sites_put(struct sites *s, const struct vault_source *source, qc_span name,
                const struct vault_put_opts *opts, struct qc_err *err)
{
    struct vault_xor23_stored r;
    struct progress p;
    struct vault_xor23_put_opts shared = put_opts(s);
    shared.if_absent = opts->if_absent;
    shared.hasty = opts->hasty;
    const struct vault_call call = client_call_shown(s->of, &p, name, "durable", true);
    const qc_rc rc = vault_xor23_put(&s->s, name, source, &shared, &call, &r, err);
    progress_end(&p);
    QC_TRY(rc);
    return stored(s, name, &r, err);
}

qc_rc sites_renew(struct sites *s, qc_span name, struct qc_err *err)
{
    struct vault_xor23_stored r;
    struct progress p;
    const struct vault_xor23_put_opts opts = put_opts(s);
    const struct vault_call call = client_call_shown(s->of, &p, name, "durable", true);
    const qc_rc rc = vault_xor23_renew(&s->s, &s->readers, name, &opts, &call, &r, err);
    progress_end(&p);
    QC_TRY(rc);
    return stored(s, name, &r, err);
}

/* --- get --- */

void sites_tell_report(struct sites *s, qc_span name, const struct vault_xor23_got *g)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err err = { 0 };
    const struct msg_about about = { .name = name };
    qc_ignore(text_quote(name, &shown, &err), "then without it");
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const char *why = g->report.site[i].why;
        if (s->s.vault[i] == NULL || why[0] == '\0')
            continue;
        s->told = true;
        if (g->report.site[i].first == UINT64_MAX)
            out_warn(&s->of->out, MSG_W_SITE_WRONG, &about, "%.*s: site %c: %s", (int)shown.n,
                     (const char *)shown.p, site_letter(i), why);
        else
            out_warn(&s->of->out, MSG_W_SITE_WRONG, &about, "%.*s: site %c, from chunk %" PRIu64 " on: %s",
                     (int)shown.n, (const char *)shown.p, site_letter(i), g->report.site[i].first, why);
    }
}

static qc_rc got_json(struct sites *s, qc_span name, const struct vault_xor23_got *g, const char *file,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *used = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "exit", 0, err));
    QC_TRY(qc_json_set_str(j, "profile", vault_scheme_text(g->report.header.scheme), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(g->report.header.ids.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)g->report.size, err));
    QC_TRY(qc_json_new_arr(&used, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (g->report.site[i].used > 0)
            QC_TRY(qc_json_append_str(used, (const char[2]){ site_letter(i), '\0' }, err));
    QC_TRY(qc_json_set(j, "used", &used, err));
    if (file != NULL)
        QC_TRY(text_json(j, "file", qc_span_str(file), err));
    return out_json(&s->of->out, &j, err);
}

qc_rc sites_get(struct sites *s, qc_span name, const struct vault_sink *sink, const char *file,
                struct qc_err *err)
{
    struct vault_xor23_got g;
    struct progress p;
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    char size[TEXT_SIZE];
    const struct vault_call call = client_call_shown(s->of, &p, name, "verified", true);
    const qc_rc rc = vault_xor23_get(&s->s, name, false, sink, &call, &g, err);
    progress_end(&p);
    QC_TRY(rc);
    sites_tell_report(s, name, &g);
    QC_TRY(got_json(s, name, &g, file, err));
    text_size(g.report.size, size);
    QC_TRY(text_quote(name, &line, err));
    if (file != NULL) {
        QC_TRY(qc_buf_add_str(&line, " to ", err));
        QC_TRY(text_quote(qc_span_str(file), &line, err));
    }
    out_note(&s->of->out, "got %.*s: %s, %s", (int)line.n, (const char *)line.p, size,
             g.report.alone > 0 ? "from one site alone, which no other confirms"
                                : "every byte confirmed by two sites");
    return QC_OK;
}
