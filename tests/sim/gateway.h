/* The gateway's program on the machine, and requests to it. */
#pragma once
#include "gateway/repair.h"
#include "oracle.h"

/* What happened, for the report: a history without it shows nothing. */
#define SIM_COUNTS(X)                                                                                        \
    X(put)                                                                                                   \
    X(acked)                                                                                                 \
    X(margin_short)                                                                                          \
    X(removed)                                                                                               \
    X(purged)                                                                                                \
    X(bundles)                                                                                               \
    X(bundled)                                                                                               \
    X(moved)                                                                                                 \
    X(erased)                                                                                                \
    X(repacked)                                                                                              \
    X(cancelled)                                                                                             \
    X(unknown)                                                                                               \
    X(rivals)                                                                                                \
    X(conflict)                                                                                              \
    X(got)                                                                                                   \
    X(listed)                                                                                                \
    X(unreadable)                                                                                            \
    X(killed)                                                                                                \
    X(power_cut)                                                                                             \
    X(at_point)                                                                                              \
    X(opened)                                                                                                \
    X(repair)                                                                                                \
    X(repair_whole)                                                                                          \
    X(mended)                                                                                                \
    X(rebuilt)                                                                                               \
    X(damage)                                                                                                \
    X(wiped)                                                                                                 \
    X(rolled_back)                                                                                           \
    X(away)                                                                                                  \
    X(flaky)                                                                                                 \
    X(late)                                                                                                  \
    X(full)                                                                                                  \
    X(clock)                                                                                                 \
    X(disk_eio)                                                                                              \
    X(disk_full)                                                                                             \
    X(disk_lost)                                                                                             \
    X(paused)                                                                                                \
    X(one_way)                                                                                               \
    X(hung_up)                                                                                               \
    X(zombie)                                                                                                \
    X(disaster)                                                                                              \
    X(on_demand)                                                                                             \
    X(quiet_spell)                                                                                           \
    X(scrubbed)                                                                                              \
    X(scrub_mended)                                                                                          \
    X(gateway_lost)                                                                                          \
    X(gateway_waited)
struct sim_counts {
#define X(name) uint64_t name;
    SIM_COUNTS(X)
#undef X
};
extern struct sim_counts counts;

/* Of one of several changes. */
struct outcome {
    qc_rc rc;
    struct qc_err err;
    struct gw_receipt receipt;
};

struct request {
    void (*run)(struct request *r, struct gw_engine *e); /* in the program */
    struct put *p;
    struct bundle *bundle;
    struct put *v[MEMBERS]; /* of moves and purges */
    unsigned count;
    unsigned path;
    uint64_t least, leasts[PATHS], chain; /* what was acknowledged before somebody asks */
    bool deep;
    const char *adopt;
    /* answers */
    bool answered, broken; /* broken: the connection, before an answer */
    qc_rc rc;
    struct qc_err err;
    enum gw_upload_state state;
    struct gw_receipt receipt;
    struct outcome each[MEMBERS]; /* with QC_OK */
    uint64_t number, numbers[PATHS];
    struct put *at[PATHS];                /* what they point at */
    uint64_t debts, dead, short_versions; /* of a status */
    uint64_t mended;                      /* by a repair: fragments and records */
    unsigned copies;                      /* of a purge: clouds that have its record */
    bool scrubbing;                       /* of a look at the scrub: it is not over */
    uint32_t strangers;                   /* clouds on which something stands that is not ours */
    bool has_state;
};

void gateway_new(unsigned clouds, unsigned k, unsigned n);
void gateway_stays(bool always); /* none leaves when nobody asks */
/* Tasks of the world: make the gateway, then keep it running until gateway_leave. */
void gateway_supervise(void *ctx);
void gateway_leave(void); /* as the history ends: waits until it has closed */
struct sim_proc *gateway_proc(void);
/* Does what the program publishes happen now? Not what a rebuild replays, nor what a gateway publishes late,
 * that another has taken over from. */
bool gateway_publishes(void);
/* The program is to die when it passes a fault point for the n-th time from now on: one of those that were
 * passed in this history. false: none was. */
bool gateway_dies_at_point(uint64_t pick, uint64_t passes, bool power);
void gateway_lives_on(void);         /* no point is waited for any more */
void gateway_passes(unsigned point); /* enum qc_fault_point */
bool gateway_serving(void);
/* The state directory is gone: the next start is a rebuild. */
void gateway_disk_lost(void);
bool gateway_disk_is_gone(void); /* and not rebuilt yet */
/* The gateway is believed dead, and runs on for so long: a zombie. Another is rebuilt from the clouds,
 * elsewhere. */
void gateway_take_over(uint64_t ns);
bool gateway_has_zombie(void);
void gateway_pauses(uint64_t ns); /* all of the program stands still, and then goes on */
/* Send a request, once the gateway serves, and wait for its answer for so long; what comes later is not
 * heard. */
struct request *gateway_ask(struct request ask, uint64_t ns);
/* By a client that has not heard of the new one. */
struct request *gateway_ask_zombie(struct request ask, uint64_t ns);

/* Requests. */
void ask_put(struct request *r, struct gw_engine *e);
void ask_remove(struct request *r, struct gw_engine *e);
void ask_move(struct request *r, struct gw_engine *e);   /* of each in v, or of p */
void ask_bundle(struct request *r, struct gw_engine *e); /* all of it */
void ask_bundle_cancel(struct request *r, struct gw_engine *e);
void ask_entries(struct request *r, struct gw_engine *e); /* of all paths */
void ask_cancel(struct request *r, struct gw_engine *e);
void ask_state(struct request *r, struct gw_engine *e);
void ask_entry(struct request *r, struct gw_engine *e);
void ask_list(struct request *r, struct gw_engine *e);
void ask_get(struct request *r, struct gw_engine *e);   /* of the put's version */
void ask_purge(struct request *r, struct gw_engine *e); /* of v */
void ask_repair(struct request *r, struct gw_engine *e);
void ask_status(struct request *r, struct gw_engine *e);
void ask_scrub(struct request *r, struct gw_engine *e); /* all of it, and soon */
void ask_scrubbing(struct request *r, struct gw_engine *e);

/* A client, for as long as *ctx (a bool) is false. */
void client_run(void *ctx);
void client_comes(void *ctx); /* at once, for a few puts */
/* Was it purged? Then a read has to say so. */
bool client_sees_gone(struct put *p);
/* Ask for purges, once; false: nobody knows what became of them. */
bool client_purges(struct put *const *v, unsigned count);
/* In quiet times it becomes known what became of a bundle. */
void client_settles(struct bundle *b);
/* Where what was put in bundles lies, now that the catalogue was made anew. */
void client_look_again(struct gw_engine *e);
