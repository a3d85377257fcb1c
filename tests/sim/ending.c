#include "ending.h"

#include "gateway.h"

void ending_read_back(void)
{
    for (unsigned path = 0; path < PATHS; path++) {
        const struct request *r =
            gateway_ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) },
                        SIM_H);
        if (r->broken || r->rc != QC_OK)
            sim_broken("A2", "path %u: %s, in quiet times: %s", path, qc_rc_name(r->rc), r->err.msg);
    }
    for (unsigned i = 0; i < oracle_count(); i++) {
        struct put *p = oracle_at(i);
        if (p->state != ACKED || !put_has_data(p) || client_sees_gone(p) || !oracle_readable(p))
            continue;
        const struct request *r = gateway_ask((struct request){ .run = ask_get, .p = p }, SIM_H);
        if (r->broken || r->rc != QC_OK)
            sim_broken("A1", "path %u, number %" PRIu64 " cannot be read, in quiet times: %s: %s", p->path,
                       p->number, qc_rc_name(r->rc), r->err.msg);
    }
}

/* What was left open is asked for, so that nothing is anybody's guess. */
void ending_close_open(void)
{
    for (unsigned i = 0; i < oracle_bundles(); i++)
        client_settles(oracle_bundle_at(i));
    for (unsigned i = 0; i < oracle_count(); i++) {
        struct put *p = oracle_at(i);
        if (p->going && !p->gone && !client_purges(&p, 1))
            sim_broken("progress", "a version of path %u is neither purged nor kept in quiet times", p->path);
        if (p->state != OPEN)
            continue;
        const struct request *r = gateway_ask((struct request){ .run = ask_cancel, .p = p }, SIM_H);
        if (!r->broken && r->has_state && r->state == GW_UPLOAD_LIVE)
            oracle_acked(p, &r->receipt);
        else if (!r->broken && r->has_state && r->state == GW_UPLOAD_CANCELLED)
            oracle_cancelled(p);
        else
            sim_broken("progress", "a put of path %u is neither live nor cancelled in quiet times: %s: %s",
                       p->path, qc_rc_name(r->rc), r->err.msg);
    }
}

/* What is dead in bundles is bounded: half of one at most, but for what is too little to be worth a record.
 */
void ending_bundles(unsigned clouds)
{
    uint64_t dead = 0;

    for (unsigned look = 0; look < 48; look++) {
        const struct request *r = gateway_ask((struct request){ .run = ask_status }, SIM_H);
        if (!r->broken && r->rc == QC_OK && oracle_packed(clouds, &dead))
            return;
        sim_sleep(SIM_H);
    }
    sim_broken("A11", "in two quiet days %" PRIu64 " dead bytes stay in bundles that are half dead", dead);
}
