/* The file system's insides, for disk.c and files.c. */
#pragma once
#include <sys/stat.h>

#include "sim.h"

enum {
    SIM_FD_FIRST = 100000,
    SIM_FDS = 256,
    SIM_NAME_MAX = 64,
    SIM_ENTRIES = 64,
    SIM_SINCE = 64, /* changes of names between two syncs of a directory; older ones count as synced */
};

struct sim_bytes {
    uint8_t *p;
    size_t n, room;
};

struct sim_entry {
    char name[SIM_NAME_MAX];
    struct sim_inode *f;
};

struct sim_names {
    unsigned count;
    struct sim_entry v[SIM_ENTRIES];
};

/* Since the last sync. */
struct sim_sector {
    uint32_t dirt; /* 0, or a sim_dirt (disk.c) */
    uint32_t old;  /* where in the inode's `old`, in sectors, from 1 on; 0: beyond its size */
};

struct sim_inode {
    uint64_t number;
    bool dir;
    mode_t mode;
    struct sim_bytes seen;
    size_t synced_n;      /* the size that the last sync left */
    struct sim_bytes old; /* sectors as it left them, of those that were changed since */
    struct sim_sector *sectors;
    size_t sector_room, dirty_from, dirty_to;
    bool changed;
    struct sim_names *names;              /* of a directory */
    struct sim_names *history[SIM_SINCE]; /* its states since the last sync, the synced one first */
    unsigned history_count;
    int refs;      /* open handles */
    int locked_by; /* a descriptor that holds the flock, or 0 */
    void *shared;
};

struct sim_fd {
    struct sim_inode *f;
    uint64_t at;
    struct sim_proc *proc;
};

extern struct sim_inode *sim_root;
extern struct sim_fd sim_fds[SIM_FDS];

struct sim_inode *sim_fs_inode_new(bool dir, mode_t mode);
struct sim_entry *sim_fs_find(struct sim_inode *dir, const char *name);
/* The directory of a path, and the last name in it; 0, or errno. */
int sim_fs_walk(struct sim_inode *from, const char *path, struct sim_inode **ret_dir,
                char leaf[SIM_NAME_MAX]);
int sim_fs_look_up(struct sim_inode *from, const char *path, struct sim_inode **ret);
int sim_fs_make(struct sim_inode *from, const char *path, mode_t mode, struct sim_inode **ret);
void sim_fs_remember(struct sim_inode *dir); /* before a change of names */
void sim_fs_add_name(struct sim_inode *dir, const char *name, struct sim_inode *f);
void sim_fs_drop_name(struct sim_inode *dir, struct sim_entry *e);
int sim_fs_dir_sync(struct sim_inode *dir);
