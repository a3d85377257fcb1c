/* qcloud-sim: the gateway's engine, unmodified, in a simulated world. One process, one OS thread, one seed.
 *
 *   world.c   tasks (what the product takes for threads), locks, the clock, processes that die
 *   heap.c    memory, for one thread
 *   disk.c    the machine's file system, with what was not synced
 *   vfs.c     SQLite on it
 *   cloud.c   clouds behind cloud/'s driver interface
 *   oracle.c  where what was put lies, and the invariants
 *   promises.c  what changed, what was promised, what is shown
 *   gateway.c the gateway's program, and its supervisor
 *   client.c  clients of the gateway: bundles.c many small files, names.c moves and purges
 *   history.c one history: the faults, the operator, the quiet end (ending.c)
 *
 * The product reaches this world through its link: cmake/sim lists the calls that are wrapped. Why: ADR 17.
 */
#pragma once
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"

enum {
    SIM_CLOUDS_MAX = 8,
    SIM_DAYS = 30,    /* of faults; then a history is quiet */
    SIM_MS = 1000000, /* ns */
};
#define SIM_S   (UINT64_C(1000) * SIM_MS)
#define SIM_H   (UINT64_C(3600) * SIM_S)
#define SIM_DAY (UINT64_C(24) * SIM_H)

/* -- randomness: a stream for each use, so that a change in one part leaves the others as they were -------
 */

struct sim_rand {
    uint64_t state;
};
uint64_t sim_u64(struct sim_rand *r);
uint64_t sim_below(struct sim_rand *r, uint64_t n); /* 0 .. n-1 */
uint64_t sim_between(struct sim_rand *r, uint64_t low, uint64_t high);
bool sim_one_in(struct sim_rand *r, uint64_t n); /* true once in n; n = 0: never */
void sim_fill(struct sim_rand *r, uint8_t *p, size_t n);
/* Between low and high, as likely in each power of ten. */
uint64_t sim_spread(struct sim_rand *r, uint64_t low, uint64_t high);

/* -- the world ------------------------------------------------------------------------------------------- */

/* A program that runs on the machine, and dies. Its tasks die with it. */
struct sim_proc {
    unsigned number;
    const char *dir; /* its own */
    bool alive;
    uint64_t steps;        /* that touched the outside */
    uint64_t dies_at;      /* the step; 0: not planned */
    bool power;            /* and the machine loses its power then */
    uint64_t paused_until; /* none of its tasks goes on before */
};

struct sim_task; /* opaque */
typedef void (*sim_fn)(void *ctx);

struct sim_world {
    uint64_t seed;
    bool trace;
    uint64_t now;   /* ns since the history began; monotonic */
    int64_t wall_s; /* what the machine's wall clock adds */
    uint64_t hash;  /* of everything that was traced */
    uint64_t switches, deaths;
    struct sim_rand sched, world, engine, faults;
    bool calm; /* no preemption, no planned death: the end of the history */
};
extern struct sim_world sim;

/* Make the world of a seed, run `main` in it to its end. */
void sim_run(uint64_t seed, sim_fn main, void *ctx);
/* A task; owner NULL: the world's, which never dies. ctx is borrowed. */
struct sim_task *sim_spawn(struct sim_proc *owner, const char *name, sim_fn fn, void *ctx);
void sim_sleep(uint64_t ns);
/* At a later instant, outside of all tasks. fn must not wait. */
void sim_at(uint64_t ns, sim_fn fn, void *ctx);
/* Wait for *flag, which somebody sets and tells with sim_wake, until an instant (0: never), or for no reason:
 * loop on the condition. All wake when a program dies. Returns *flag. */
bool sim_wait(const bool *flag, uint64_t until);
/* The same, and early when the flag of a cloud's call is raised. */
void sim_wait_call(const bool *flag, uint64_t until, const struct qc_cancel *cancel);
void sim_wake(const void *flag);

void sim_proc_start(struct sim_proc *p);
/* A step that the outside sees; the program may end here, and then this does not return. */
void sim_step(const char *what);
void sim_kill(struct sim_proc *p, bool power);
struct sim_proc *sim_current(void); /* NULL: the world's */
bool sim_inside(void);              /* is the caller a task? */

/* A line of the trace, and of its hash. */
void sim_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An invariant does not hold: say so and end this history. */
_Noreturn void sim_broken(const char *invariant, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* In a child: its memory begins on a page of its own. */
void heap_forked(void);

/* -- the machine's disk ---------------------------------------------------------------------------------- */

struct sim_disk_faults {
    uint64_t sync_eio; /* one fsync in so many fails; 0: none */
    bool full;         /* nothing grows */
};
extern struct sim_disk_faults sim_disk;
void sim_disk_new(void);
void sim_disk_power_cut(void);            /* what was not synced is lost, in some subset */
void sim_disk_closed(struct sim_proc *p); /* all that a dead program had open */
void sim_disk_lost(void);                 /* a new, empty disk */
void sim_vfs_register(void);

/* Files for vfs.c. */
struct sim_inode;
struct sim_inode *sim_file(const char *path, bool create, bool *ret_created);
struct sim_inode *sim_file_unnamed(void);
void sim_file_ref(struct sim_inode *f, int delta); /* open handles */
int64_t sim_file_size(const struct sim_inode *f);
size_t sim_file_read(const struct sim_inode *f, uint64_t off, void *dst, size_t n);
int sim_file_write(struct sim_inode *f, uint64_t off, const void *p, size_t n); /* 0, or errno */
void sim_file_truncate(struct sim_inode *f, uint64_t size);
int sim_file_sync(struct sim_inode *f); /* 0, or errno */
int sim_file_remove(const char *path);
int sim_dir_sync_of(const char *path);       /* of the directory that holds path */
void **sim_file_shared(struct sim_inode *f); /* a pointer for vfs.c's shared memory; gone with the program */

/* -- clouds ---------------------------------------------------------------------------------------------- */

/* How a cloud behaves for a while. One in so many requests; 0: none. */
struct sim_mood {
    uint64_t latency_ms;              /* typical */
    uint64_t lost_before, lost_after; /* the request; the answer */
    uint64_t late;                    /* the caller hears nothing, and it lands much later */
    uint64_t busy;                    /* 503 */
    uint64_t hangs;                   /* the call ignores its deadline */
    bool away;                        /* nobody answers */
    bool refuses;                     /* connections, at once */
    bool forbidden;                   /* 403 */
    bool full;
};
void sim_clouds_new(unsigned count);
void sim_cloud_mood(unsigned at, const struct sim_mood *mood);
const char *sim_cloud_url(unsigned at);
unsigned sim_cloud_count(void);
bool sim_clouds_late(void); /* does one of them let changes land late? */
/* What befalls what lies there. */
enum sim_damage { SIM_LOSE, SIM_FLIP, SIM_CUT, SIM_SWAP };
bool sim_cloud_damage(unsigned at, enum sim_damage kind); /* false: nothing to damage */
void sim_cloud_stranger(unsigned at, bool there);         /* an object that is not ours */
void sim_cloud_wipe(unsigned at, bool place_too);
void sim_cloud_snapshot(unsigned at);
bool sim_cloud_rollback(unsigned at, bool keep_identity);
void sim_clouds_closed(void);      /* the handles of a dead program */
unsigned sim_clouds_pending(void); /* requests that have not landed */
/* Called for each fragment object that lies on a cloud, as it should or not. */
typedef void (*sim_object_fn)(void *ctx, unsigned cloud, const char *key, uint64_t segment, unsigned index);
void sim_clouds_each(sim_object_fn fn, void *ctx);

/* What an object is, as its bytes say. */
struct sim_frag {
    bool is;
    uint64_t segment; /* its id, mixed with its salt: a rebuild may give an id again that was never decided */
    uint64_t id;
    unsigned index;
};

uint64_t sim_segment_name(uint64_t id, const uint8_t *salt);

/* -- the oracle's ears (called by cloud.c) --------------------------------------------------------------- */

void oracle_landed(unsigned cloud, const char *key, const struct sim_frag *f, uint64_t payload_hash);
void oracle_deleted(unsigned cloud, const char *key, const struct sim_frag *f);
void oracle_destroyed(unsigned cloud, const char *key, const struct sim_frag *f); /* by a fault */
void oracle_restored(unsigned cloud, const char *key, const struct sim_frag *f);  /* by a rollback */
