#include "sites.h"

#include "base/alloc.h"
#include "meter.h"
#include "text.h"

char site_letter(unsigned i)
{
    return "ABC"[i];
}

qc_rc site_parse(const char *word, unsigned *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (word[0] == site_letter(i) && word[1] == '\0') {
            *ret = i;
            return QC_OK;
        }
    return QC_FAIL(err, QC_USAGE, "a site is A, B or C, not '%.40s'", word);
}

void site_free(struct client **c)
{
    if (*c == NULL)
        return;
    (*c)->rng = NULL; /* the command's own */
    (*c)->ids = NULL;
    (*c)->rate = NULL;
    client_done(*c);
    qc_free(*c);
    *c = NULL;
}

void sites_done(struct sites *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        vault_close(&s->reader[i]);
        if (s->site[i] != NULL)
            meter_add(s->of, s->site[i]);
        site_free(&s->site[i]);
    }
    qrng_bulk_close(&s->bulk);
}

qc_rc site_new(struct client *c, unsigned i, struct client **ret, struct qc_err *err)
{
    QC_CLEANUP(site_free) struct client *site = qc_alloc(sizeof *site);
    if (site == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a site");
    site->out = c->out;
    site->out.site = site_letter(i);
    site->places = c->places;
    site->rng = c->rng;
    site->ids = c->ids;
    site->rate = c->rate;
    site->keyring = &c->passes;
    site->deadline_s = c->deadline_s;
    site->no_input = c->no_input;
    site->strict = c->strict;
    site->pad = c->pad;
    site->nice = c->nice;
    site->bulk = c->bulk;
    QC_TRY(places_site(&site->places, site_letter(i), err));
    *ret = QC_STEAL(site);
    return QC_OK;
}

/* Trouble that is not this site's alone. */
static bool ends_all(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_NOMEM || rc == QC_PASSPHRASE || rc == QC_USAGE || rc == QC_RANDOM;
}

static qc_rc open_site(struct sites *s, unsigned i, struct qc_err *err)
{
    struct client *site = NULL;
    QC_TRY(site_new(s->of, i, &site, err));
    s->site[i] = site;
    s->s.notes[i] = &site->notes;
    struct qc_err *why = &s->s.away[i];
    qc_rc rc = conf_load(&site->places, &site->conf, why);
    if (rc == QC_OK && !site->conf.has_vault)
        rc = QC_FAIL(why, QC_NOTCONF, "%s has no [vault]", site->places.conf_file);
    if (rc == QC_OK)
        rc = policy_way(&s->of->policy, &site->conf, why);
    if (rc == QC_NOTCONF) {
        site_free(&s->site[i]);
        s->s.notes[i] = NULL;
        qc_err_set(why, QC_NOTCONF, QC_HERE, "it is not set up");
        return QC_OK;
    }
    if (rc == QC_OK)
        rc = client_open(site, why);
    s->s.vault[i] = site->vault;
    if (rc == QC_OK || !ends_all(rc))
        return QC_OK;
    *err = *why;
    qc_err_wrap(err, "site %c", site_letter(i));
    return rc;
}

static void tell_away(struct sites *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        if (s->s.vault[i] != NULL)
            continue;
        out_warn(&s->of->out, MSG_W_SITE_AWAY, NULL, "site %c: %s", site_letter(i), s->s.away[i].msg);
        s->of->noted = true;
    }
}

qc_rc sites_open(struct client *c, enum msg_class class, struct sites *ret, struct qc_err *err)
{
    unsigned set_up = 0;
    ret->of = c;
    c->out.class = class;
    c->profile = QRNG_PROFILE_XOR23;
    ret->s.alone = c->scheme == VAULT_MIRROR;
    QC_TRY(client_rng(c, err));
    const enum qrng_bulk_maker maker = qrng_bulk_by(c->random.policy[QRNG_PROFILE_XOR23]);
    const qc_rng source = qrng_rng(c->rng);
    QC_TRY(qrng_bulk_open(maker, &source, &ret->bulk, err));
    ret->bulk_rng = qrng_bulk_rng(ret->bulk);
    c->bulk = qrng_bulk_text(maker);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        QC_TRY(open_site(ret, i, err));
        set_up += ret->site[i] != NULL;
    }
    if (set_up == 0) {
        const qc_rc rc = QC_FAIL(err, QC_NOTCONF, "the sites A, B and C of this profile are not set up");
        err->next = "qcloud --site A init --help";
        return rc;
    }
    if (class != MSG_SHARED_PUT) /* which does not go on without one */
        tell_away(ret);
    return QC_OK;
}

qc_rc sites_open_readers(struct sites *s, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct vault_conf conf;
        QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
        struct vault *v = s->s.vault[i];
        if (v == NULL)
            continue;
        const struct vault_call call = client_call(s->site[i]);
        QC_TRY(client_vault_conf(s->site[i], &conf, err));
        conf.rng = conf.ids;
        conf.tell = NULL;
        QC_TRY(vault_gateway(v)->ops->clone(vault_gateway(v), &gw, err));
        QC_TRY(vault_open_session(&s->reader[i], &conf, &gw, &call, err));
        s->readers.vault[i] = s->reader[i];
    }
    return QC_OK;
}

bool sites_tell_notes(struct sites *s, qc_rc rc, qc_span name)
{
    bool counts = false;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct client *site = s->site[i];
        if (site == NULL)
            continue;
        const unsigned before = site->out.warnings;
        counts = client_tell_notes(site, rc, name) || counts;
        s->of->out.warnings += site->out.warnings - before;
    }
    s->of->noted = s->of->noted || counts;
    return counts;
}

bool sites_object(struct sites *s, qc_rc rc, qc_span name, const struct qc_err *why, qc_rc *worst)
{
    const bool counts = sites_tell_notes(s, rc, name) || s->told;
    s->told = false;
    if (rc == QC_OK && counts && s->of->strict)
        rc = QC_DEGRADED;
    return client_object(s->of, rc, name, why, worst);
}
