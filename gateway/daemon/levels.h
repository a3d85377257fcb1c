/* What protects the ways to the clouds, and whether anything may be written over them now: by the clouds'
 * URLs, by what their links say of themselves (net/watch.h), and by what each tenant wants at least. Part of
 * qcloud-gateway. Keeps I6. Any thread.
 *
 * A cloud's level is in its URL; its driver refuses to write below it. A tenant's is in the configuration:
 * all clouds that get new fragments have it, and use no key from QKD for longer, or nothing of that tenant's
 * begins. Reads are never refused. */
#pragma once
#include <pthread.h>

#include "cloud/link.h"
#include "conf.h"
#include "gateway/engine.h"
#include "holds.h"
#include "net/watch.h"

/* A way that was asked for. */
struct levels_way {
    char url[CLOUD_URL_SIZE_MAX + 1]; /* "": free */
    struct cloud_way way;
    struct net_watch *link; /* or NULL */
};
struct levels {
    pthread_mutex_t lock; /* v, next; held while a link is asked */
    struct levels_way *v; /* LEVELS_WAYS of them */
    unsigned next;        /* is forgotten when there is no room */
    struct conf_levels conf;
    struct holds holds;
};
/* conf NULL: nobody wants anything. QC_NOMEM */
QC_MUST qc_rc levels_init(struct levels *l, const struct conf_levels *conf, struct qc_err *err);
void levels_done(struct levels *l);

/* What a tenant wants at least. */
const struct net_want *levels_wanted(const struct levels *l, const char *tenant);

struct levels_view {
    struct cloud_way way;
    bool known;                  /* state is */
    struct net_link_state state; /* of its link */
    struct qc_err why;           /* QC_OK: something may be written over it, as far as that goes */
};
void levels_look(struct levels *l, const char *url, struct levels_view *ret);

/* May a put begin, or go on, of a tenant that wants so much? QC_LINK: a cloud gives less, its link uses
 * keys for longer, or links keep away
 * so many that the write quorum cannot be met; the message names it. QC_NOMEM */
QC_MUST qc_rc levels_check(struct levels *l, struct gw_engine *e, const struct net_want *wanted,
                           struct qc_err *err);
/* The same, and pad for `size` bytes of the upload is there on links at the level otp, and is kept for it
 * until levels_over. Of what is larger than a link's pool three quarters of that have to be there: the rest
 * comes while it goes. */
QC_MUST qc_rc levels_begin(struct levels *l, struct gw_engine *e, const struct net_want *wanted,
                           const struct gw_id *put_key, uint64_t size, struct qc_err *err);
/* So many bytes of it went. */
void levels_gone(struct levels *l, struct gw_engine *e, const struct gw_id *put_key, uint64_t size);
/* It has ended, one way or the other. */
void levels_over(struct levels *l, const struct gw_id *put_key);
/* A write failed: was it for its links? Then that is the error; else what it was. */
qc_rc levels_reason(struct levels *l, struct gw_engine *e, const struct net_want *wanted, qc_rc rc,
                    struct qc_err *err);
