/* A list of files by path, sorted by bytes: of a folder, of a prefix in the vault, or as a state remembers
 * them. Layer 4; uses base. One thread. Paths are relative, any bytes but NUL, components joined by "/". */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"

enum { SYNC_VERSION_BYTES = 16 };

enum sync_kind {
    SYNC_FILE,
    SYNC_LINK,    /* a symbolic link: its bytes are its target */
    SYNC_DIR,     /* a folder: its mode and time; size 0 */
    SYNC_SPECIAL, /* a device, socket or pipe */
    SYNC_SHUT,    /* cannot be looked at; errno in os */
    SYNC_OWN,     /* qcloud's own: share stores, configuration, state */
    SYNC_REST,    /* what a get that was killed left: nobody's file */
};

/* What tells an unchanged file. Times in ns since 1970, held at the ends of int64_t. */
struct sync_stat {
    uint64_t size, inode;
    int64_t mtime_ns, ctime_ns;
    uint32_t mode; /* the lower 12 bits, and S_IFLNK of a symbolic link, S_IFDIR of a folder */
};

struct sync_entry {
    size_t at;  /* of the path in the list's bytes */
    uint32_t n; /* of the path */
    enum sync_kind kind;
    int os; /* of SYNC_SHUT: errno */
    struct sync_stat st;
    bool shared;              /* a file that has other names, too: hard links */
    bool touched;             /* a folder that the run has made, or in which something came or went by it */
    bool has_mtime, has_mode; /* of an object; a file and a link have both */
    /* Of a state: open: it was about to be stored so when the run ended, and whether it was is not known.
     * quiet: whatever changed the file later shows in its times. */
    bool open, quiet;
    uint8_t version[SYNC_VERSION_BYTES]; /* of an object, or of a state: zeros, none */
};

struct sync_list {
    qc_buf paths, entries;
};
void sync_list_done(struct sync_list *l);

/* The path is copied; at and n of what are not looked at. QC_LIMIT: more than QC_SYNC_FILES_MAX, or than
 * QC_SYNC_NAMES_MAX bytes of paths; QC_NOMEM */
QC_MUST qc_rc sync_list_add(struct sync_list *l, qc_span path, const struct sync_entry *what,
                            struct qc_err *err);
/* By path. Before the calls below; what points into the list is void then. */
void sync_list_sort(struct sync_list *l);
size_t sync_list_count(const struct sync_list *l);
const struct sync_entry *sync_list_at(const struct sync_list *l, size_t i); /* i < count (asserted) */
qc_span sync_list_path(const struct sync_list *l, const struct sync_entry *e);
/* It is a rest, as it turns out. */
void sync_list_rest(struct sync_list *l, size_t i); /* i < count (asserted) */
/* Something came or went in this folder by the run. False: the list has no folder of that path. */
bool sync_list_touch(struct sync_list *l, qc_span path);
const struct sync_entry *sync_list_find(const struct sync_list *l, qc_span path); /* NULL: none */

struct sync_stat sync_stat_of(const struct stat *st);
/* What counts of a mode: a link and a folder are other things than a file. */
uint32_t sync_mode(uint32_t mode);
bool sync_is_link(const struct sync_stat *st);
bool sync_is_dir(const struct sync_stat *st);
int64_t sync_time_ns(int64_t s, uint32_t ns);
bool sync_stat_same(const struct sync_stat *a, const struct sync_stat *b);
/* Is a time of a file so far behind this instant that each later change gets another one? The clock of its
 * file system ticks each 10 ms at worst; but where the time is a whole second, each second one, perhaps. */
bool sync_time_past(int64_t time_ns, int64_t now_ns);
