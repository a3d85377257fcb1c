/* What `status` found, and what it comes to. Part of the program qcloud (layer 5). */
#pragma once
#include "client.h"
#include "vault/keepers.h"

struct status {
    struct client *c;
    struct vault_local_status local;
    const char *absent[2];  /* the disk of a share store is not there: which and why; borrowed, or NULL */
    qc_buf text;            /* the gateway's answer */
    struct json_t *gateway; /* parsed; NULL: it does not answer */
    struct qc_err why;      /* then: why not */
    const char *way;        /* level of the way there, where it is keyed by QKD; else NULL, */
    char way_key[QKD_ID_MAX + 1]; /* and its key_ID */
    qc_rc rc;
    int64_t k, n, clouds_ok, clouds_all, clouds_lost;
    int64_t owed_here;   /* fragments that do not count on clouds that answer, or on who knows which */
    int64_t other_code;  /* segments that have another code than that; a tenant is told of his own */
    int64_t bundle_dead; /* bytes of purged versions in bundles; an own gateway alone says it */
    bool kept;           /* backup data is with a keeper, as far as a store could be asked: */
    bool beside_store;   /* it lies on the device of a share store */
    struct vault_keeper_status keeper; /* why: QC_NOTCONF, too: the configuration does not say where it is */
    struct json_t *drill;              /* the last one; NULL: none */
    bool drill_bad;                    /* what it left cannot be read: */
    struct qc_err drill_why;
    unsigned domains;       /* clouds that share no device; 0: not known */
    unsigned crowd;         /* the most clouds on one device; 0: not known */
    int64_t now_s;          /* wall clock: when clouds and shares were looked at */
    struct json_t *reasons; /* status_judge; not green where there are any. The worst come first: */
    size_t acts;            /* so many of level "act" */
    bool scrub_late, drill_wanted;
};

void status_done(struct status *s);
/* Look at the share stores, the gateway and what it says of the clouds, the last drill, the sources of
 * randomness; s->c is set, all else zero. A gateway that does not answer is no error: s->rc, s->why. Nobody
 * is asked for a passphrase. QC_CANCELLED; QC_FORMAT: the gateway's answer; errors of the configuration. */
QC_MUST qc_rc status_look(struct status *s, struct qc_err *err);
/* status_shares.c: what is to be said of the stores, for people and as JSON. Sealed: the vault has a recovery
 * key, as far as a store could be asked. */
void status_tell_shares(struct status *s);
QC_MUST qc_rc status_share_json(const struct status *s, unsigned i, struct json_t **ret, struct qc_err *err);
bool status_is_sealed(const struct status *s);
/* The keeper: asked; as JSON, member "keeper" of ret. */
QC_MUST qc_rc status_keeper_look(struct status *s, const struct vault_conf *conf, struct qc_err *err);
/* Is a change of keeper not at its end? What is not refreshed has its backup data with the one before. */
bool status_keeper_changes(const struct status *s);
QC_MUST qc_rc status_keeper_judge(struct status *s, struct qc_err *err);
QC_MUST qc_rc status_keeper_json(const struct status *s, struct json_t *ret, struct qc_err *err);
/* The worst of what was found, after status_judge: the exit code of `status`. */
QC_MUST qc_rc status_verdict(const struct status *s, struct qc_err *err);

/* A locked store is there: whoever knows the passphrase opens it. */
bool status_has_share(const struct status *s, unsigned i);
unsigned status_shares(const struct status *s); /* how many are */
/* How many more may be lost of share stores, and of the keeper where there is one; -1: what is there opens
 * nothing. */
int64_t status_key_margin(const struct status *s);
/* How many more clouds may be lost: the worst version's margin as the gateway's catalogue has it; with clouds
 * down now, what is left of it at least. The gateway answered (asserted). QC_FORMAT */
QC_MUST qc_rc status_data_margin(const struct status *s, int64_t *ret, struct qc_err *err);

struct status_budget {
    int64_t data, keys; /* clouds, share stores that may be lost, one by one */
    int64_t losses;     /* the lesser of the two */
    int64_t devices; /* the same over failure domains: devices that may be lost with all that is on them, as
                        far as it is seen which lies where */
};
QC_MUST qc_rc status_budget(const struct status *s, struct status_budget *ret, struct qc_err *err);

/* Why the status is not green: what the gateway says of itself and the clouds, the shares, and what was not
 * looked at for too long (docs/adr/0023). Fills s->reasons with {"level","what","advice"}; commands stand
 * between backticks. QC_FORMAT: the gateway's answer. */
QC_MUST qc_rc status_judge(struct status *s, struct qc_err *err);
/* Seconds since 1970 at which the next drill is due; 0: nothing is stored yet, or it is not known since when.
 */
int64_t status_drill_due(const struct status *s);

/* A reason more. level: "look", "act"; advice: what to run or do. Into s->reasons. */
QC_PRINTF(5, 6)
QC_MUST qc_rc status_reason(struct status *s, const char *level, const char *advice, struct qc_err *err,
                            const char *format, ...);

/* -- randomness (status_random.c); c->random was read ---------------------------------------------------- */

enum { STATUS_SHUT = 256 };
/* Is the source shut off until a person looks? ret: then since when, or why that is not known. */
bool status_source_shut(const struct status *s, size_t i, char ret[STATUS_SHUT]);
/* A line, where sources are configured. */
QC_MUST qc_rc status_random_tell(const struct status *s, struct qc_err *err);
/* The member "random". */
QC_MUST qc_rc status_random_json(const struct status *s, struct json_t *into, struct qc_err *err);
/* A reason for each source that is shut off while a policy asks for it. */
QC_MUST qc_rc status_random_judge(struct status *s, struct qc_err *err);
