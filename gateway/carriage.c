#include "carriage.h"

#include "base/log.h"
#include "net/way.h"

/* A link that does not say how it is now does not stop what it carries. */
static bool look(const struct gw_carriage *c, struct net_link_state *ret)
{
    struct qc_err why = { 0 };
    if (c->way.link[0] == '\0')
        return false;
    const qc_rc rc = net_link_state_ask(ret, c->way.link, qc_deadline_in(NET_WATCH_ASK_MS), &why);
    if (rc != QC_OK)
        QC_LOG(QC_LOG_DEBUG, "a link does not say how it is", QC_S("why", why.msg));
    return rc == QC_OK;
}

void gw_carriage_begin(struct gw_carriage *c, const char *url)
{
    struct qc_err why = { 0 };
    *c = (struct gw_carriage){ 0 };
    c->local = cloud_way_of(url, &c->way, &why) != QC_OK || c->way.local;
    c->known = !c->local && look(c, &c->before);
}

void gw_carriage_end(const struct gw_carriage *c, char ret[GW_CARRIAGE_MAX])
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = GW_CARRIAGE_MAX - 1 };
    struct net_link_state after;
    struct net_way way;
    struct qc_err why = { 0 };
    ret[0] = '\0';
    if (c->local)
        return;
    const bool known = look(c, &after);
    net_way_between(&way, c->way.want.least, c->known ? &c->before : NULL, known ? &after : NULL);
    if (net_way_print(&way, &text, &why) != QC_OK) {
        qc_log_err(QC_LOG_WARN, "what carried a fragment is not in the audit log", &why);
        return;
    }
    memcpy(ret, text.p, text.n);
    ret[text.n] = '\0';
}
