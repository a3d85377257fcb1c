/* Every message of the command, as data: for each failure of each kind of command what it means for the data
 * and what to run next. Part of the program qcloud (layer 5); uses base, text. Pure.
 *
 * A message has three parts (what, data, next) and a code: Eeenn for errors, Weenn for warnings, ee the exit
 * status, nn the case. The first part comes from the error itself. Codes are frozen; docs/errors/ has a line
 * for each. */
#pragma once
#include "base/buf.h"

/* What kind of command speaks. */
enum msg_class {
    MSG_CALL, /* the command line itself, before a command runs */
    MSG_INIT,
    MSG_JOIN,
    MSG_PUT,
    MSG_PUT_OPEN, /* failed, and what was sent may be committed all the same */
    MSG_GET,
    MSG_VERSION, /* what reads a version that was named, or lists them */
    MSG_LIST,
    MSG_REMOVE,
    MSG_RENAME,      /* names alone */
    MSG_PURGE,       /* versions for good */
    MSG_CERTIFICATE, /* of what was erased */
    MSG_VERIFY,
    MSG_AGAINST, /* verify --against: all that was looked at is whole, and the folder is not it */
    MSG_DRILL,
    MSG_RECOVER,
    MSG_PASSPHRASE,
    MSG_KIT,
    MSG_REFRESH,
    MSG_STATUS,
    MSG_DOCTOR,
    MSG_CONFIG, /* config ..: nothing but qcloud.conf is touched */
    MSG_GATEWAY,
    MSG_REPAIR,
    MSG_SCRUB,
    MSG_MOVE,
    MSG_RANDOM,
    MSG_SYNC,
    MSG_SHARED_PUT, /* put with --profile xor23, site rebuild */
    MSG_SHARED_GET, /* what reads with it, and the commands of sites */
    MSG_CLASSES
};

enum msg_warning {
    MSG_W_CLOUDS,         /* clouds missing or bad while everything was read */
    MSG_W_SHARE_MISSING,  /* a share store is not there */
    MSG_W_SHARE_DAMAGED,  /* it is there and does not verify */
    MSG_W_STORES_DEVICE,  /* both share stores on one device */
    MSG_W_GATEWAY_DEVICE, /* a share store and the gateway on one device */
    MSG_W_MARGIN_ZERO,    /* no cloud may be lost */
    MSG_W_SECRET_MEMORY,  /* secrets could not be locked in memory */
    MSG_W_CLEANED,        /* an interrupted put was found and undone or finished */
    MSG_W_SKIPPED,        /* a tree held something that is no file */
    MSG_W_BACKUP,         /* the gateway's backup data is missing or wrong */
    MSG_W_STORE_BEHIND,   /* a share store could not be brought up to date */
    MSG_W_MARGIN,         /* an object survives fewer losses than it was stored for */
    MSG_W_CLOUDS_DEVICE,  /* several clouds on one device */
    MSG_W_CLOUD_LACKS,    /* a cloud was validated and lacks something */
    MSG_W_SHARE_LOCKED,   /* it is under a passphrase, and none was given */
    MSG_W_RANDOM,         /* an object's keys were made without the source that the policy prefers */
    MSG_W_RANDOM_LOW,     /* pre-loaded random numbers come to their end */
    MSG_W_SITE_AWAY,      /* one of the sites of shares is not there */
    MSG_W_SITE_WRONG,     /* one of them lacks its share, or two others disprove it */
    MSG_W_SITE_SAME,      /* two of them are one */
    MSG_W_RANDOM_VAULT,   /* a vault's secrets were made without the source that the policy prefers */
    MSG_W_VERSIONS,       /* versions of an object are in no share store that is here */
    MSG_W_WATCH_AWAY,     /* qcloud watch: what it syncs to, or the folder, is not there for now */
    MSG_W_WATCH_BLIND,    /* it cannot watch all folders */
    MSG_W_WATCH_HELD,     /* it deletes nothing of what is gone */
    MSG_W_OTHER,
    MSG_WARNINGS
};

enum { MSG_STEPS_MAX = 4, MSG_WORDS_MAX = 6, MSG_VAULT_MAX = 6, MSG_CODE = 8 };

/* One thing to do next: an argument list that can be run, in which {name}, {share} and {dir} stand for what
 * the failure was about, and words before and after it; or words alone (argv[0] NULL). */
struct msg_step {
    const char *before;
    const char *argv[MSG_WORDS_MAX];
    const char *after;
    bool again; /* before says it: the command as it was given, which JSON has word by word */
};

struct msg {
    unsigned nn;      /* the case within the exit status: 1..99 */
    const char *data; /* one or two sentences */
    struct msg_step next[MSG_STEPS_MAX];
};

/* What placeholders stand for; NULL or empty where there is nothing. Borrowed. */
struct msg_about {
    qc_span name;
    const char *share;
    const char *dir;
    const char *data;          /* what it means, where more is known than the row says */
    const char *scrub, *drill; /* the word itself, where that command would help */
    uint64_t kept;             /* of a put: bytes that stay stored, from which the same command goes on */
    struct {
        const char *was, *there; /* a part that is not there, as its word in argv, and one that is */
    } range;
};

/* The row for a failure; never NULL. rc is not QC_OK (asserted). */
const struct msg *msg_of(enum msg_class c, qc_rc rc);
const struct msg *msg_warning(enum msg_warning w);
/* "clouds were missing, and all was read": when a warning is given, for docs/errors/. */
const char *msg_warning_when(enum msg_warning w);
/* "cannot store", "cannot read": the beginning of the first line; "" for MSG_CALL. */
const char *msg_verb(enum msg_class c);
/* "E0601"; "W0402": warnings carry the status that --strict would give, 4. */
void msg_code(const struct msg *m, qc_rc rc, char out[MSG_CODE]);
void msg_warning_code(const struct msg *m, char out[MSG_CODE]);

/* The argument list of a step, placeholders filled in; "--" stands before a name that begins with a dash. */
struct msg_argv {
    qc_buf words[MSG_WORDS_MAX + 1 + MSG_VAULT_MAX];
    size_t n;
};
void msg_argv_free(struct msg_argv *a);
/* Options that say which vault is meant, as --vault NAME: what is to be run next has them, too. Borrowed for
 * as long as the program runs; said once, at its beginning. */
void msg_vault(const char *option, const char *value);
const char *msg_vault_word(size_t i); /* the words of that, one by one; then NULL */
/* A command of the error's own ("qcloud ..") with them; anything else as it is. Appended. */
QC_MUST qc_rc msg_next_own(const char *next, qc_buf *ret, struct qc_err *err);
/* QC_NOTFOUND: the step is words alone, or about lacks what it needs. ret must be empty. */
QC_MUST qc_rc msg_step_argv(const struct msg_step *s, const struct msg_about *about, struct msg_argv *ret,
                            struct qc_err *err);
/* What stands after "next: ", with `between` between alternatives; steps whose placeholders cannot be filled
 * are left out. */
QC_MUST qc_rc msg_next_text(const struct msg *m, const struct msg_about *about, const char *between,
                            qc_buf *ret, struct qc_err *err);

/* For the test that walks the tables. */
size_t msg_rows(void);
const struct msg *msg_row(size_t i, qc_rc *ret_rc);
