/* Inside libqc_disk.so: the trace (recorder.c) and what the calls (calls.c) need to write it. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* trace.py has the same numbers. */
enum op {
    OP_START = 1, /* a process: its name */
    OP_END,       /* it ends by itself: whatever it did lies before this */
    OP_MAKE,      /* dir, name -> ino, a new file; n: its mode */
    OP_NAMELESS,  /* ino, a new file without a name; n: its mode */
    OP_MKDIR,     /* dir, name -> ino */
    OP_WRITE,     /* ino, off, data */
    OP_SIZE,      /* ino gets the size n */
    OP_RESERVE,   /* ino: off, n are allocated; dir: 1 where the size stays */
    OP_MODE,      /* ino gets the mode n */
    OP_LINK,      /* ino gets the further name dir, name */
    OP_RENAME,    /* ino: dir, name becomes dir2, name2 */
    OP_UNLINK,    /* dir, name goes */
    OP_RMDIR,     /* dir, name goes */
    OP_SYNC,      /* ino: fsync or fdatasync (n = 1); os: it failed */
    OP_SYNC_ALL,  /* the file system */
    OP_MAP,       /* ino is mapped shared and writable */
    OP_STRUCK,    /* a call of the kind n on ino (or its name) fails with os */
    OP_FOREIGN,   /* a call that the model does not know: name */
};

struct event {
    uint32_t bytes; /* all of it, a multiple of 8 */
    uint16_t op;
    uint16_t name_n, name2_n;
    uint16_t zero;
    int32_t pid;
    int32_t os;
    uint32_t data_n;
    uint64_t ino, dir, dir2, off, n;
    /* name, name2, data */
};
_Static_assert(sizeof(struct event) == 64, "trace.py reads it");

enum { FAIL_SPACE = 1, FAIL_SYNC = 2 };

/* At the beginning of the trace. The test fills in magic, size, dev and the failures; the lock is made by the
 * first process. */
struct head {
    uint64_t magic;                  /* MAGIC */
    uint64_t size;                   /* of the file */
    uint64_t used;                   /* bytes of events behind the head */
    uint64_t count;                  /* events */
    uint64_t dev;                    /* of our directories */
    uint64_t ready;                  /* the lock is made */
    uint64_t full;                   /* events did not fit */
    uint64_t fail_kinds, fail_os;    /* which calls (FAIL_), the errno */
    uint64_t fail_at, fail_from;     /* the fail_at-th of them, from 1; fail_from: and all that follow */
    uint64_t fail_seen, fail_struck; /* how many there were; how many failed */
    uint64_t file_dev;               /* of our files: overlayfs says two numbers */
    uint64_t kill_at;                /* the process that writes this event, from 1, dies after it; 0: none */
    pthread_mutex_t lock;
};
#define MAGIC UINT64_C(0x4b5349442d4351) /* QC-DISK */
enum { EVENTS = 4096 };
_Static_assert(sizeof(struct head) <= EVENTS, "the head has its page");

extern struct head *rec_head; /* NULL: nothing is recorded */

/* The one lock: a call and its record are one step (R1). */
void rec_lock(void);
void rec_unlock(void);
/* Under the lock: append. name, name2: may be NULL; the data is the first data_n bytes of parts. */
void rec_emit(struct event e, const char *name, const char *name2, const struct iovec *parts);
/* Under the lock: the errno that this call, one of `kind` on ino, or on a name in the directory ino, fails
 * with; 0: it does not. */
int rec_strike(unsigned kind, uint64_t ino, const char *name);
/* A call that the model has no rule for, on our file system; takes the lock. */
void rec_foreign(const char *call);
