/* What a sync has to do: a pure decision over what is here (a folder), what is there (the vault), and what
 * the last run has seen of both. Layer 4; uses base. One thread.
 *
 * Nothing that was changed at the target since the last run is written over or removed, unless the user says
 * which side counts; nothing is removed that no run has seen on both sides. */
#pragma once
#include "sync/list.h"

enum sync_way { SYNC_UP, SYNC_DOWN, SYNC_BOTH };
enum sync_side { SYNC_NEITHER, SYNC_HERE, SYNC_THERE };

enum sync_do {
    SYNC_SAME,         /* nothing: as at the last run */
    SYNC_ADOPT,        /* nothing but to remember: both are the same, by size, time and mode, or by content */
    SYNC_PUT,          /* to the vault */
    SYNC_GET,          /* to the folder */
    SYNC_REMOVE_THERE, /* from the vault */
    SYNC_REMOVE_HERE,  /* from the folder */
    SYNC_CONFLICT,     /* left alone: the target was changed since the last run */
    SYNC_KEEP_BOTH,    /* both ways: both were changed, and each gets a name of its own */
    SYNC_KEEP,         /* left alone, as the user said */
    SYNC_BARRED,       /* left alone: a link, say, stands in the way */
    SYNC_FORGET,       /* on neither side any more */
    SYNC_STAY,         /* on the target alone, and stays there */
    SYNC_MOVE_THERE,   /* to the vault, which has it under an earlier name: see struct sync_move */
    SYNC_MOVE_HERE,    /* to the folder, which has it under an earlier name */
    SYNC_GONE,         /* such an earlier name, which nothing else takes */
    SYNC_DOS
};

struct sync_step {
    enum sync_do what;
    qc_span path;                                 /* borrowed from a list */
    const struct sync_entry *here, *there, *base; /* or NULL; borrowed. base: what is known of the last run */
    bool known;                                   /* a run has seen it on both sides */
    bool stands;                                  /* the vault has the version of the last run */
    bool still;                                   /* the file is as at the last run */
    bool doubt; /* of `base`: a run that was killed may have changed what is here, and did not say it yet */
};

/* A file, link or folder that has another name by now on the side that it comes from. The other side takes
 * the name over, and no byte goes. */
struct sync_move {
    size_t from, to; /* steps: `to` has it, `from` had it */
    bool here;       /* a file is moved; else an object, or a folder's */
    uint32_t turn; /* those of one turn have no name in common, and no one's new name is another's old one */
};

struct sync_rules {
    enum sync_way way;
    bool remove;                             /* at the target what the source has no more */
    enum sync_side counts;                   /* where both were changed */
    bool content;                            /* ask `same` of all files that both have */
    const struct sync_list *coming, *unsure; /* what a run that was killed was about to do here; or NULL */
    bool first; /* no run has seen anything: what looks the same is taken to be */
    /* Are both the same, by content? Else asked only where size, time and mode are the same and it matters:
     * of what the vault has changed since the last run, or both ways have anew, and of what a killed run
     * may have put or got. Two writes within a tick of the clock look so. NULL: that is believed. */
    qc_rc (*same)(void *ctx, qc_span path, const struct sync_entry *here, const struct sync_entry *there,
                  bool *ret, struct qc_err *err);
    bool renames; /* are looked for */
    /* Is the file at `to`, with the size, time and mode that `from` had at the last run, what the object
     * `from` is? Asked of each rename here: a new file in a freed inode looks so, a change under a time that
     * is set back, and another file where a mount numbers inodes anew. And of a name itself, going down,
     * where its file is not surely the last run's: from == to. NULL: that is believed. */
    qc_rc (*moved)(void *ctx, const struct sync_step *from, const struct sync_step *to, bool *ret,
                   struct qc_err *err);
    void *ctx;
};

struct sync_plan {
    qc_buf steps, moves;
    size_t count[SYNC_DOS]; /* of files and links; folders are not counted */
    uint64_t bytes;         /* to be put or got */
    size_t held;            /* that would be deleted if the rules said so */
};
/* Is it about a folder: does one come, go, or stay? A folder's mode and time are never in conflict. */
bool sync_step_is_dir(const struct sync_step *s);
/* Is its row sure of a file that is not there? Before anything is done under the name, the row is to be sure
 * no more (not quiet): where a ctime is a copy of the mtime, a file that comes back looks as it did; and what
 * the run has done meanwhile, and was killed before it wrote it down, would pass for the other side's doing.
 */
bool sync_step_unsure(const struct sync_step *s);
void sync_plan_done(struct sync_plan *p);
size_t sync_plan_count(const struct sync_plan *p);
const struct sync_step *sync_plan_at(const struct sync_plan *p, size_t i);

/* Renames, by turns; to be done before all else, those of a turn at once. */
size_t sync_plan_moves(const struct sync_plan *p);
const struct sync_move *sync_plan_move(const struct sync_plan *p, size_t i);
enum sync_moved {
    SYNC_MOVED,     /* what else there is to do under the earlier name has nothing to replace any more */
    SYNC_UNMOVED,   /* it comes over as any other file would, and what has the earlier name stays */
    SYNC_MOVE_OPEN, /* perhaps; or it failed as others would: both are left alone */
};
/* What became of one. */
void sync_plan_moved(struct sync_plan *p, size_t i, enum sync_moved what);

/* Steps in the order of paths. The lists are sorted and outlive the plan. Errors: those of rules->same;
 * QC_NOMEM */
QC_MUST qc_rc sync_plan_make(struct sync_plan *ret, const struct sync_rules *rules,
                             const struct sync_list *here, const struct sync_list *there,
                             const struct sync_list *base, struct qc_err *err);

/* Would the plan remove more than pct per cent of what a side has, or because the other one has nothing?
 * Then QC_USAGE, and nothing should be done. */
QC_MUST qc_rc sync_plan_check(const struct sync_plan *p, unsigned pct, struct qc_err *err);
