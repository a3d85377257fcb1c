/* site list, remove, rebuild: the three sites of the profile xor23. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "sites.h"
#include "text.h"

/* --- list --- */

static qc_rc tell_site(struct sites *s, unsigned i, struct qc_err *err)
{
    struct client *c = s->of;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct places p = c->places;
    QC_TRY(places_site(&p, site_letter(i), err));
    const char *word = s->site[i] == NULL ? "none" : s->s.vault[i] == NULL ? "away" : "ready";
    const char *gateway = s->site[i] == NULL                    ? ""
                          : s->site[i]->conf.gateway[0] != '\0' ? s->site[i]->conf.gateway
                                                                : "local";
    out_line(&c->out, "%c  %-5s  %s%s%s%s%s", site_letter(i), word, gateway, gateway[0] != '\0' ? "  " : "",
             p.conf_dir, s->s.vault[i] == NULL ? ": " : "", s->s.vault[i] == NULL ? s->s.away[i].msg : "");
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "site", (const char[2]){ site_letter(i), '\0' }, err));
    QC_TRY(qc_json_set_str(j, "state", word, err));
    QC_TRY(text_json(j, "gateway", qc_span_str(gateway), err));
    QC_TRY(text_json(j, "place", qc_span_str(p.conf_dir), err));
    if (s->s.vault[i] == NULL)
        QC_TRY(text_json(j, "why", qc_span_str(s->s.away[i].msg), err));
    return out_json(&c->out, &j, err);
}

/* Who holds two shares holds all: two sites behind one gateway are one. */
static void warn_same(struct sites *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        for (unsigned j = i + 1; j < SS_XOR23_SHARES; j++) {
            const struct client *a = s->site[i], *b = s->site[j];
            if (a == NULL || b == NULL || a->conf.gateway[0] == '\0' ||
                strcmp(a->conf.gateway, b->conf.gateway) != 0)
                continue;
            out_warn(&s->of->out, MSG_W_SITE_SAME, NULL, "sites %c and %c have one gateway, %s",
                     site_letter(i), site_letter(j), a->conf.gateway);
            s->of->noted = true;
        }
}

qc_rc cmd_site_list(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites s = { 0 };
    unsigned ready = 0;
    (void)args;
    /* As before a put, where a site that is away is no warning but the outcome. */
    const qc_rc rc = sites_open(c, MSG_SHARED_PUT, &s, err);
    c->out.class = MSG_SHARED_GET;
    if (rc != QC_OK && rc != QC_NOTCONF)
        return rc;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct qc_err why = { 0 };
        QC_TRY(tell_site(&s, i, &why));
        ready += s.s.vault[i] != NULL;
    }
    warn_same(&s);
    sites_tell_notes(&s, rc, (qc_span){ 0 });
    if (rc == QC_OK && ready < SS_XOR23_SHARES)
        return QC_FAIL(err, ready < 2 ? QC_SHARES : QC_DEGRADED, "%u of 3 sites ready", ready);
    return rc;
}

/* --- remove --- */

/* DIR becomes DIR.removed-N; what is not there is no failure. */
static qc_rc set_aside(const char *dir, unsigned n, unsigned *moved, struct qc_err *err)
{
    char to[QC_CLIENT_PATH_MAX];
    const int len = snprintf(to, sizeof to, "%s.removed-%u", dir, n);
    if (len < 0 || len >= (int)sizeof to)
        return QC_FAIL(err, QC_LIMIT, "the path of %s is too long", dir);
    if (access(dir, F_OK) != 0)
        return QC_OK;
    if (rename(dir, to) != 0)
        return QC_FAIL_OS(err, "%s", dir);
    ++*moved;
    return qc_dir_make_path(to, 0700, err); /* syncs its parent */
}

/* The first N for which none of the three is taken. */
static unsigned free_number(const char *const dirs[3])
{
    for (unsigned n = 1;; n++) {
        bool taken = false;
        for (unsigned i = 0; i < 3; i++) {
            char to[QC_CLIENT_PATH_MAX + 32];
            snprintf(to, sizeof to, "%s.removed-%u", dirs[i], n);
            taken = taken || access(to, F_OK) == 0;
        }
        if (!taken)
            return n;
    }
}

qc_rc cmd_site_remove(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct places p = c->places;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    unsigned i = 0, moved = 0;
    QC_TRY(site_parse(args->argv[0], &i, err));
    QC_TRY(places_site(&p, site_letter(i), err));
    /* The configuration first: without it the site is none, and what is left of it is found again. */
    const char *const dirs[] = { p.conf_dir, p.state, p.data };
    if (access(p.conf_file, F_OK) != 0)
        return QC_FAIL(err, QC_NOTFOUND, "site %c is not set up (%s)", site_letter(i), p.conf_file);
    const unsigned n = free_number(dirs);
    for (unsigned d = 0; d < 3; d++)
        QC_TRY(set_aside(dirs[d], n, &moved, err));
    out_note(&c->out, "site %c is no longer used; nothing is deleted: what was its own lies in %s.removed-%u",
             site_letter(i), p.conf_dir, n);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "site", args->argv[0], err));
    QC_TRY(qc_json_set_int(j, "moved", moved, err));
    return out_json(&c->out, &j, err);
}

/* --- rebuild --- */

struct rebuild {
    struct sites *s;
    qc_rc worst;
    uint64_t whole, made;
    qc_buf names; /* u32 length, name, of those that lack something */
};

static void rebuild_done(struct rebuild *r)
{
    qc_buf_free(&r->names);
}

/* Do all three agree on it? The heads of their files tell; qcloud verify reads the rest. */
static qc_rc is_whole(struct sites *s, qc_span name, bool *ret, struct qc_err *err)
{
    struct vault_xor23_held held[SS_XOR23_SHARES] = { 0 };
    unsigned odd = 0;
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < SS_XOR23_SHARES && rc == QC_OK; i++) {
        const struct vault_call call = client_call(s->site[i]);
        rc = vault_xor23_look(s->s.vault[i], i, name, &call, &held[i], err);
    }
    *ret = rc == QC_OK && vault_xor23_agree(held, &odd, ret) && *ret;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        vault_xor23_held_done(&held[i]);
    return rc;
}

static qc_rc collect(void *ctx, const struct vault_stat *what, unsigned sites, struct qc_err *err)
{
    struct rebuild *r = ctx;
    const qc_span name = qc_buf_span(&what->name);
    bool whole = false;
    if (sites == (1U << SS_XOR23_SHARES) - 1)
        QC_TRY(is_whole(r->s, name, &whole, err));
    r->whole += whole;
    if (whole)
        return QC_OK;
    QC_TRY(qc_buf_add_be(&r->names, name.n, 4, err));
    return qc_buf_add(&r->names, name, err);
}

static bool one(struct rebuild *r, qc_span name)
{
    struct qc_err why = { 0 };
    const qc_rc rc = sites_renew(r->s, name, &why);
    r->made += rc == QC_OK || rc == QC_DEGRADED;
    return sites_object(r->s, rc, name, &why, &r->worst);
}

qc_rc cmd_site_rebuild(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites s = { 0 };
    QC_CLEANUP(rebuild_done) struct rebuild r = { .s = &s, .worst = QC_OK };
    bool go_on = true;
    r.names.max = QC_CLIENT_NAMES_MAX;
    QC_TRY(sites_open(c, MSG_SHARED_PUT, &s, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (s.s.vault[i] == NULL)
            return QC_FAIL(err, QC_QUORUM, "site %c: %s", site_letter(i), s.s.away[i].msg);
    QC_TRY(sites_open_readers(&s, err));
    for (int i = 0; i < args->argc && go_on; i++)
        go_on = one(&r, qc_span_str(args->argv[i]));
    if (args->argc == 0)
        QC_TRY(sites_list(&s, (qc_span){ 0 }, collect, &r, err));
    qc_rd at = { .s = qc_buf_span(&r.names) };
    while (go_on && qc_rd_left(&at) > 0)
        go_on = one(&r, qc_rd_bytes(&at, qc_rd_be(&at, 4)));
    out_note(&c->out, "shared anew: %" PRIu64 " object%s; %" PRIu64 " whole at all three sites already",
             r.made, text_s(r.made), r.whole);
    return client_outcome(c, r.worst, "not shared anew", err);
}
