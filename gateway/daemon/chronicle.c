#include "chronicle.h"

#include "base/alloc.h"
#include "base/codec.h"

enum { REFUSED_MS = 60000 /* requests without a token are told of once in a minute, as a number */ };

static void tell_clouds(struct chronicle *c, struct gw_engine *e)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return;
    gw_engine_look(e, s);
    for (unsigned at = 0; at < s->cloud_count; at++) {
        const struct gw_cloud_view *v = &s->clouds[at].view;
        if (c->clouds[at].known && c->clouds[at].state == v->state && c->clouds[at].breaker == v->breaker)
            continue;
        c->clouds[at].known = true;
        c->clouds[at].state = v->state;
        c->clouds[at].breaker = v->breaker;
        GW_AUDIT(gw_engine_audit(e), "cloud_state", QC_S("cloud", s->clouds[at].name),
                 QC_S("state", gw_cloud_state_name(v->state)),
                 QC_S("breaker", gw_breaker_state_name(v->breaker)), QC_S("why", v->why));
    }
}

static void tell_refused(struct chronicle *c, struct http_server *server)
{
    const uint64_t now = qc_count(&server->figures.refused);

    if (now != c->refused)
        GW_AUDIT(gw_engine_audit(server->engine), "refused", QC_U("requests", now - c->refused),
                 QC_S("why", "no token that is known"));
    c->refused = now;
    c->refused_ms = qc_now_ms() + REFUSED_MS;
}

void chronicle_begin(struct chronicle *c, struct http_server *server)
{
    char hex[2 * GW_ID_BYTES + 1];
    struct gw_health h;

    gw_engine_health(server->engine, &h);
    qc_hex(gw_id_span(&h.catalogue), hex);
    GW_AUDIT(gw_engine_audit(server->engine), "start", QC_S("version", QC_VERSION), QC_S("catalogue", hex),
             QC_U("incarnation", h.incarnation), QC_U("fenced", h.fenced));
    tell_refused(c, server);
    chronicle_tick(c, server);
}

void chronicle_tick(struct chronicle *c, struct http_server *server)
{
    if (gw_engine_audit(server->engine) == NULL)
        return;
    tell_clouds(c, server->engine);
    if (qc_now_ms() >= c->refused_ms)
        tell_refused(c, server);
    gw_audit_tick(gw_engine_audit(server->engine));
}

void chronicle_end(struct chronicle *c, struct http_server *server, const char *why)
{
    tell_refused(c, server);
    GW_AUDIT(gw_engine_audit(server->engine), "stop", QC_S("why", why));
}
