/* Where the command's randomness comes from: random.conf beside qcloud.conf. */
#include "client.h"

#include <inttypes.h>

#include "home/random.h"

enum { TRIAL = 32 /* bytes */ };

qc_rc client_random_conf(struct client *c, struct qc_err *err)
{
    c->random_read = true;
    QC_TRY(home_random_conf(&c->places, &c->random, err));
    return policy_random(&c->policy, &c->random, err);
}

qc_rc client_rng(struct client *c, struct qc_err *err)
{
    if (c->rng != NULL)
        return QC_OK;
    if (!c->random_read)
        QC_TRY(client_random_conf(c, err));
    if (c->ids == NULL)
        QC_TRY(qrng_open("os", &c->ids, err));
    QC_TRY(qrng_open_policy(&c->random, c->profile, &c->rng, err));
    if (c->out.class == MSG_SHARED_PUT)
        qrng_warm(c->rng); /* its start-up test runs while the gateways and the stores are opened */
    return QC_OK;
}

void client_random_warm(void *ctx)
{
    const struct client *c = ctx;
    qrng_warm(c->rng);
}

void client_random_ahead(void *ctx)
{
    const struct client *c = ctx;
    qrng_ahead(c->rng);
}

qc_rc client_random_ready(struct client *c, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *drop = NULL;
    QC_TRY(client_rng(c, err));
    const qc_rng rng = qrng_rng(c->rng);
    return qc_key_new(&drop, TRIAL, &rng, err);
}

/* A word of the record (FORMAT 11.1): before the device, whose name goes to the end. */
static void add_bulk(struct qrng_provenance *p, const char *bulk)
{
    char text[sizeof p->text];
    const char *device = strstr(p->text, " device=");
    const size_t before = device != NULL ? (size_t)(device - p->text) : strlen(p->text);
    const int n = snprintf(text, sizeof text, "%.*s bulk=%s%s", (int)before, p->text, bulk, p->text + before);
    if (n > 0 && (size_t)n < sizeof text)
        memcpy(p->text, text, (size_t)n + 1);
}

const char *client_random_tell(void *ctx)
{
    struct client *c = ctx;
    c->provenance = qrng_provenance(c->rng);
    if (c->bulk != NULL)
        add_bulk(&c->provenance, c->bulk);
    return c->provenance.text;
}

bool client_random_warn(struct client *c)
{
    if (c->provenance.text[0] == '\0') /* no keys were drawn: an interrupted put went on */
        return false;
    if (c->provenance.left < QC_QRNG_FILE_LOW && !c->random_low_told) {
        c->random_low_told = true;
        out_warn(&c->out, MSG_W_RANDOM_LOW, NULL,
                 "%" PRIu64 " bytes are left of the pre-loaded random numbers", c->provenance.left);
    }
    if (!c->provenance.fell_back)
        return false;
    out_warn(&c->out, c->out.class == MSG_INIT ? MSG_W_RANDOM_VAULT : MSG_W_RANDOM, NULL,
             "made without a quantum source: %s", c->provenance.why);
    return true;
}
