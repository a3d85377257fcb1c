#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "operator.h"
#include "qkd/plan.h"
#include "supply_internal.h"

/* It asks for itself again every 5 s. Names have no character that means something in HTML (conf.c), so
 * nothing is escaped here. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta http-equiv=\"refresh\" content=\"5\">\n<title>qcloud-kme</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.6rem}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .7rem .3rem 0;"
    "border-bottom:1px solid #8886}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}.bad{font-weight:700;color:#c62828}\n"
    "progress{width:8rem}\n</style>\n</head>\n<body>\n<h1>A QKD network in one process</h1>\n"
    "<p>No photon is sent: it is for trials and planning.</p>\n";

static qc_rc state(qc_buf *to, const char *word, struct qc_err *err)
{
    const bool up = strcmp(word, "up") == 0;
    return qc_buf_addf(to, err, "<td%s>%s</td>", up ? "" : " class=\"bad\"", word);
}

/* How fast it is used, and for how long it lasts. */
static qc_rc use_cells(const struct kme_network *net, const struct kme_link *l, qc_buf *to,
                       struct qc_err *err)
{
    const double dry = kme_link_dry_s(net, l);
    char lasts[QKD_SPAN_TEXT] = "";
    if (isfinite(dry))
        qkd_span_text(dry, lasts);
    return qc_buf_addf(to, err, "<td class=\"n\">%.0f</td><td class=\"n%s\">%s</td>",
                       qkd_use_bps(&l->use, net->clock_ms, false), l->dry == QKD_DRY_NOT ? "" : " bad",
                       lasts);
}

static qc_rc link_row(const struct kme_network *net, const struct kme_link *l, qc_buf *to, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(to, err, "<tr><td>%s</td><td>%s &ndash; %s</td>", l->id, net->node[l->a],
                       net->node[l->b]));
    QC_TRY(state(to, kme_link_state(net, l), err));
    QC_TRY(qc_buf_addf(to, err,
                       "<td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
                       "</td><td><progress max=\"%" PRIu64 "\" value=\"%" PRIu64
                       "\"></progress></td><td class=\"n\">%" PRIu64 "</td>",
                       kme_link_yield(net, l), l->bits, l->cap, l->bits, l->used));
    QC_TRY(use_cells(net, l, to, err));
    if (l->qber > 0)
        QC_TRY(qc_buf_addf(to, err, "<td class=\"n\">%.2f %%</td>", l->qber * 100));
    else
        QC_TRY(qc_buf_add_str(to, "<td></td>", err));
    if (l->km > 0)
        return qc_buf_addf(to, err, "<td class=\"n\">%g</td></tr>\n", l->km);
    return qc_buf_add_str(to, "<td></td></tr>\n", err);
}

static qc_rc links(const struct kme_network *net, qc_buf *to, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(to,
                          "<h2>Links</h2>\n<table id=\"links\"><thead><tr><th>link</th><th>between</th>"
                          "<th>state</th><th class=\"n\">bit/s</th><th class=\"n\">bits in the pool</th>"
                          "<th></th><th class=\"n\">used since the start</th><th class=\"n\">use, bit/s</th>"
                          "<th class=\"n\">lasts</th><th class=\"n\">errors</th>"
                          "<th class=\"n\">km</th></tr></thead><tbody>\n",
                          err));
    for (unsigned i = 0; i < net->links; i++)
        QC_TRY(link_row(net, &net->link[i], to, err));
    return qc_buf_add_str(to, "</tbody></table>\n", err);
}

static qc_rc nodes(const struct kme_network *net, qc_buf *to, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(to,
                          "<h2>Nodes</h2>\n<table id=\"nodes\"><thead><tr><th>node</th><th>state</th>"
                          "<th>key manager</th></tr></thead><tbody>\n",
                          err));
    for (unsigned i = 0; i < net->nodes; i++) {
        const struct kme_door *d = kme_network_door(net, i);
        QC_TRY(qc_buf_addf(to, err, "<tr><td>%s</td>", net->node[i]));
        QC_TRY(state(to, net->seized[i] ? "seized" : "up", err));
        QC_TRY(qc_buf_addf(to, err, "<td>%s</td></tr>\n", d == NULL ? "" : d->id));
    }
    return qc_buf_add_str(to, "</tbody></table>\n", err);
}

/* Under the lock. */
static qc_rc print(struct kme *k, qc_buf *to, struct qc_err *err)
{
    char now[QC_TIME_TEXT], since[QC_TIME_TEXT];
    uint64_t waiting = 0;
    QC_TRY(kme_store_waiting(k->store, &waiting, err));
    qc_time_text(qc_wall_s(), now);
    qc_time_text(k->since_s, since);
    QC_TRY(qc_buf_add_str(to, head, err));
    QC_TRY(qc_buf_addf(to, err,
                       "<p id=\"counts\">%" PRIu64 " keys supplied since %s, %" PRIu64
                       " copies wait for their slaves. Made %s; it renews itself every 5 s.</p>\n",
                       k->supplied, since, waiting, now));
    QC_TRY(links(k->net, to, err));
    QC_TRY(nodes(k->net, to, err));
    return qc_buf_add_str(to,
                          "<p>Changes are made by <code>qcloud-kme link</code> and <code>qcloud-kme node"
                          "</code>; figures for programs: <code>/admin/v1/network</code>.</p>\n"
                          "</body>\n</html>\n",
                          err);
}

qc_rc kme_page(struct kme *k, struct kme_answer *ret, struct qc_err *err)
{
    return kme_answer_print(k, "text/html; charset=utf-8", print, ret, err);
}
