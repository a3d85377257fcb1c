#include "limit.h"

#include "base/alloc.h"
#include "net/rate.h"

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A configuration says nothing: no limit. */
static qc_rc set_from(struct net_rate *rate, const struct conf *conf, struct qc_err *err)
{
    struct net_rate_table t = { 0 };
    if (conf->limit_rate[0] != '\0')
        QC_TRY(net_rate_parse(qc_span_str(conf->limit_rate), &t, err));
    net_rate_set(rate, &t);
    return QC_OK;
}

/* A command may run for days: another schedule holds as soon as it stands in the file. */
static void look(void *ctx, struct net_rate *rate)
{
    struct client *c = ctx;
    struct stat st;
    struct qc_err none = { 0 };
    if (stat(c->places.conf_file, &st) != 0 || same_file(&st, &c->conf_seen))
        return;
    QC_CLEANUP(qc_free_ptr) struct conf *conf = qc_alloc(sizeof *conf);
    if (conf == NULL)
        return; /* the next look */
    c->conf_seen = st;
    qc_rc rc = conf_load(&c->places, conf, &none);
    if (rc == QC_OK)
        rc = set_from(rate, conf, &none);
    atomic_store(&c->conf_unread, rc != QC_OK);
}

qc_rc limit_check(const char *given, struct qc_err *err)
{
    struct net_rate_table t;
    if (given != NULL)
        QC_TRY_AS(net_rate_parse(qc_span_str(given), &t, err), err, "--limit-rate");
    return QC_OK;
}

qc_rc limit_begin(struct client *c, const char *given, struct qc_err *err)
{
    struct net_rate_table t;
    QC_TRY(net_rate_new(&c->rate, NULL, err));
    if (given != NULL) {
        QC_TRY_AS(net_rate_parse(qc_span_str(given), &t, err), err, "--limit-rate");
        net_rate_set(c->rate, &t);
        return QC_OK;
    }
    if (stat(c->places.conf_file, &c->conf_seen) == 0)
        net_rate_watch(c->rate, look, c);
    return set_from(c->rate, &c->conf, err);
}

void limit_tell(struct client *c)
{
    if (atomic_load(&c->conf_unread))
        out_warn(&c->out, MSG_W_OTHER, NULL,
                 "%s was changed meanwhile and cannot be used: the limit of the rate stayed as it was before",
                 c->places.conf_file);
}
