/* Clouds come and go: added, drained, replaced, retired. Layer 4; uses base, cloud. Keeps I1, I6.
 *
 * Roles, orders of writes, and why a rebuild is right at each instant: docs/adr/0019 and the heads of
 * gateway/join.c, drain.c, retire.c, recode.c. Each call runs in the caller's thread, beside all other calls
 * of the engine; it may be killed, cancelled or begun again at any instant. What it is about is in the
 * catalogue, so that the same call, or gw_engine_move_open, goes on where it stopped.
 */
#pragma once
#include "gateway/engine.h"

enum gw_move_kind {
    GW_MOVE_ADD,       /* a new cloud, validated first; afterwards it gets what is new */
    GW_MOVE_DRAIN,     /* all fragments go elsewhere; it is still read, and counts */
    GW_MOVE_UNDRAIN,   /* in use again; what has moved stays where it is */
    GW_MOVE_REPLACE,   /* a new cloud, and a drain to it */
    GW_MOVE_RETIRE,    /* one that is drained goes */
    GW_MOVE_SET,       /* labels and weight */
    GW_MOVE_DOMAIN,    /* which label is the failure domain */
    GW_MOVE_REPROTECT, /* another code: of what is new, and of what is stored */
};
const char *gw_move_kind_name(enum gw_move_kind k); /* "add", .. as in API.md */
bool gw_move_kind_of(const char *name, enum gw_move_kind *ret);

enum gw_move_phase {
    GW_MOVING_CHECKING,   /* may it be done? */
    GW_MOVING_VALIDATING, /* the new cloud */
    GW_MOVING_FILLING,    /* the log goes to it */
    GW_MOVING_SHARING,    /* shares of the root key follow */
    GW_MOVING_FRAGMENTS,
    GW_MOVING_SWEEPING, /* what is dead there goes */
    GW_MOVING_CLEANING, /* what else is ours there goes */
    GW_MOVING_DONE,
};
const char *gw_move_phase_name(enum gw_move_phase p); /* "checking", .. as in API.md */

struct gw_move_report {
    enum gw_move_kind kind;
    enum gw_move_phase phase;
    char cloud[CLOUD_NAME_SIZE_MAX + 1];
    uint64_t fragments,
        fragments_left;         /* on it when the call began; now. REPROTECT: segments of other codes */
    uint64_t bytes, bytes_left; /* about: of these */
    uint64_t moved, failed;     /* fragments, or segments, that lie elsewhere now; were passed over */
    uint64_t read_bytes, written_bytes;
    uint64_t dead;    /* dead objects that are still there */
    uint64_t foreign; /* objects that nobody can explain: left there */
    uint64_t busy;    /* segments that an upload works on */
    uint64_t took_ms; /* in this call, while fragments moved */
    bool cancelled;
    char why[GW_WHY_MAX];          /* the last reason for which something was passed over */
    struct cloud_report validated; /* of an add; ran: phase is beyond validating */
};
/* Borrowed: until the next step. */
typedef void (*gw_move_fn)(void *ctx, const struct gw_move_report *now);

struct gw_move_ask {
    enum gw_move_kind kind;
    const char *name;        /* the cloud; ADD: its new name. DOMAIN: NULL */
    const char *url;         /* ADD, REPLACE: of the new one */
    const char *credentials; /* ADD, REPLACE; may be NULL */
    const char *new_name;    /* REPLACE: of the new one */
    const char *target;      /* DRAIN: an in-use cloud that all goes to; or NULL */
    bool gone;               /* RETIRE: it will never answer again */
    bool untried;            /* ADD, REPLACE: without validation; for tests */
    bool has_weight;         /* SET, ADD */
    unsigned weight;
    const char *labels[GW_LABELS];  /* SET, ADD: NULL: as it was */
    enum gw_domain domain;          /* DOMAIN */
    unsigned k, n;                  /* REPROTECT; 0, 0: as it is, for what is left */
    uint64_t rate;                  /* bytes a second, read and written together; 0: as fast as it goes */
    const struct qc_cancel *cancel; /* may be NULL */
    gw_move_fn tell;                /* now and then; may be NULL */
    void *ctx;
};

/*
 * Do it, or go on with it. ret is written whatever is returned.
 *
 * QC_OK        it is done
 * QC_DEGRADED  a drain came to its end, and fragments are left: ret->why; the same call again
 * QC_CONFLICT  another move runs; a name or place is taken; retire: something is left on it
 * QC_QUORUM    clouds that must answer do not; or a rule cannot be met with the clouds there are: the message
 *              says what is missing
 * QC_UNFIT     the new cloud fails its validation: ret->validated; nothing of it is used
 * QC_NOTFOUND  no cloud of that name;  QC_USAGE
 * QC_CANCELLED, QC_FENCED, QC_LIMIT, QC_FULL, QC_AUTH, QC_IO, QC_NOMEM
 */
QC_MUST qc_rc gw_engine_move(struct gw_engine *e, const struct gw_move_ask *ask, struct gw_move_report *ret,
                             struct qc_err *err);

struct gw_move_turn {
    enum gw_move_kind kind;
    char name[CLOUD_NAME_SIZE_MAX + 1]; /* of the cloud; "": it is about none */
};
/* Something that was begun and can go on by itself: segments of another code than the gateway's, a drain that
 * has something left. They take turns, for one may wait for another: turn: the one before, {0}: none; and the
 * next one. false: there is none. */
QC_MUST qc_rc gw_engine_move_open(struct gw_engine *e, struct gw_move_turn *turn, bool *ret_found,
                                  struct qc_err *err);

/* -- what would it cost? --------------------------------------------------------------------------------- */

struct gw_exit_plan {
    uint64_t fragments, bytes;      /* on the cloud */
    uint64_t dead;                  /* dead objects there */
    uint64_t log_objects;           /* copies of the log there */
    uint64_t read_bytes, reads;     /* of other clouds and this one: k pieces, and the reading back */
    uint64_t written_bytes, writes; /* on other clouds */
    uint64_t deletes;               /* on this cloud */
    uint64_t bytes_per_s;           /* of the last move of this process; 0: there was none */
    unsigned clouds, needed;        /* domains that could take it; that are needed */
    bool possible;
};
/* QC_NOTFOUND */
QC_MUST qc_rc gw_engine_plan_exit(struct gw_engine *e, const char *name, struct gw_exit_plan *ret,
                                  struct qc_err *err);

struct gw_code_plan {
    unsigned was_k, was_n, k, n;    /* the code of what is new now; the one that was asked about */
    uint64_t segments, bytes;       /* stored, and of another code than that */
    uint64_t read_bytes, reads;     /* k pieces of each, and the reading back of all that is new */
    uint64_t written_bytes, writes; /* new fragments, and the records that name them */
    uint64_t deletes;               /* of the old ones */
    uint64_t lying_bytes, will_lie; /* about: of the fragments of these segments, now and then */
    uint64_t bytes_per_s;           /* of the last move of this process; 0: there was none */
    unsigned was_margin, margin; /* losses that all that is stored survives when it is whole, now and then */
    unsigned was_quorum, quorum; /* clouds that each record is on, now and then */
    unsigned clouds, needed;     /* domains there are; that are needed */
    bool possible;
};
/* What it takes to give all that is stored the code (k, n). Nothing is begun. QC_USAGE: no code. */
QC_MUST qc_rc gw_engine_plan_code(struct gw_engine *e, unsigned k, unsigned n, struct gw_code_plan *ret,
                                  struct qc_err *err);
