#include "messages.h"

#include <stdio.h>

#include "messages_steps.h"
#include "text.h"

#define IN(c)   (1U << (MSG_##c))
#define ALL     ((1U << MSG_CLASSES) - 1U)
#define READS   (IN(GET) | IN(VERSION) | IN(LIST) | IN(VERIFY) | IN(STATUS))
#define SETS_UP (IN(INIT) | IN(JOIN))
#define WRITES  (IN(PUT) | IN(REMOVE) | IN(SHARED_PUT))
#define GETS    (IN(GET) | IN(VERSION) | IN(SHARED_GET))
#define SHARED  (IN(SHARED_PUT) | IN(SHARED_GET))
/* A put that was sent to be committed, and no answer came. */
#define OPEN_PUT(code, n)                                                                                    \
    {                                                                                                        \
        (code), IN(PUT_OPEN),                                                                                \
        {                                                                                                    \
            (n),                                                                                             \
                "No half of it is visible. It may be stored, or may come to be yet: the next put or rm "     \
                "settles that first. Objects reported as stored before are safe.",                           \
            {                                                                                                \
                RUN_THEN(AGAIN " if it is not there", "qcloud", "stat", "{name}"), RUN("qcloud", "status")   \
            }                                                                                                \
        }                                                                                                    \
    }

struct row {
    qc_rc rc;
    unsigned classes;
    struct msg m;
};

#define DEMANDS      RUN_THEN("what is demanded of a cloud", "qcloud", "help", "clouds")
#define STATUS_THEN  RUN_THEN(AGAIN, "qcloud", "status")
#define BRING_CLOUDS SAY("bring clouds back, then the same command again")
#define REPAIR       RUN_THEN("rebuilds what the clouds lack", "qcloud", "gateway", "repair")
#define SHARED_OPEN  "No half of it is visible. Whether it is stored, the first command tells."
#define SHARED_STAT  RUN_THEN(AGAIN " if it is not there", "qcloud", "stat", "--profile", "xor23", "{name}")
#define WHICH_CLOUDS RUN_THEN("shows which are missing", "qcloud", "status")
#define PURGED_SO_FAR                                                                                        \
    "What is told as purged is gone. What was under way may be listed no more; the same command ends it, "   \
    "with its certificate where it is erased."
#define PROVES_NOTHING "Nothing was changed. The file proves nothing of what it says."
#define ASK_AGAIN                                                                                            \
    SAY("ask whoever gave it for another copy; and for the vault's key, which qcloud certificate key "       \
        "prints, "                                                                                           \
        "by another way than the file came")
#define NOT_STORED "Not stored: nothing of this attempt is visible, earlier versions are untouched."

/* The first row that has the code and the class counts; the last row of each code is for all classes. */
static const struct row rows[] = {
    /* 1 */
    { QC_IO,
      GETS,
      { 3,
        "Nothing stands under the final name but a whole, verified file, if that; what is stored is "
        "untouched.",
        { SAY("see to the place that the message names, then the same command again") } } },
    OPEN_PUT(QC_IO, 7),
    { QC_IO,
      IN(PURGE),
      { 8,
        PURGED_SO_FAR,
        { SAY("see to the file or disk that the message names, then the same command again") } } },
    { QC_IO,
      ALL,
      { 2,
        "What was stored and acknowledged before is untouched; this command changed nothing that is visible.",
        { SAY("see to the file or disk that the message names, then the same command again") } } },
    { QC_UNFIT,
      SETS_UP,
      { 4,
        "No vault was made. The test objects that were written there are removed again.",
        { SAY("choose another place for that cloud, or mend what line one names; qcloud-gateway cloud "
              "validate "
              "--url URL --deep looks again"),
          DEMANDS } } },
    { QC_UNFIT,
      IN(MOVE),
      { 6,
        "Nothing of that place is used, and nothing is stored there.",
        { SAY("mend what line one names, or choose another place, then the same command again"),
          DEMANDS } } },
    { QC_UNFIT,
      ALL,
      { 5,
        "What lies on the cloud is untouched, and it stays in use.",
        { SAY("mend what line one names, or move to another place: qcloud gateway cloud set NAME --url URL"),
          RUN_THEN("shows what is known of each cloud", "qcloud", "gateway", "cloud", "ls"), DEMANDS } } },
    { QC_GENERAL,
      ALL,
      { 1,
        "What was stored and acknowledged before is untouched.",
        { RUN_THEN(AGAIN " with -v", "qcloud", "status") } } },
    /* 2 */
    { QC_USAGE,
      SETS_UP,
      { 2, "No vault was made and no configuration was written.", { RUN("qcloud", "init", "--help") } } },
    { QC_USAGE,
      IN(SYNC),
      { 3, "Nothing was done: both sides are as they were.", { RUN("qcloud", "sync", "--help") } } },
    { QC_USAGE,
      IN(KIT),
      { 4,
        "Nothing was changed.",
        { SAY("look at the sheet again; the first four letters of each word are enough"),
          RUN("qcloud", "kit", "print", "--help") } } },
    { QC_USAGE, ALL, { 1, "Nothing was done.", { RUN("qcloud", "help") } } },
    /* 3 */
    { QC_NOTFOUND,
      IN(SHARED_PUT),
      { 6,
        "Nothing was sent; what is stored is untouched.",
        { SAY("check the name, then the same command again"), RUN("qcloud", "ls", "--profile", "xor23") } } },
    { QC_NOTFOUND,
      IN(SHARED_GET),
      { 5, "Nothing was changed; no output was written.", { RUN("qcloud", "ls", "--profile", "xor23") } } },
    { QC_NOTFOUND,
      IN(PUT),
      { 2,
        "Nothing was sent; what is stored is untouched.",
        { SAY("check the name of the file, then the same command again") } } },
    { QC_NOTFOUND,
      SETS_UP,
      { 3,
        "Nothing was written outside the directories that the command line names.",
        { SAY("make the directory, or plug in and mount what holds it, then the same command again") } } },
    { QC_NOTFOUND,
      IN(SYNC),
      { 7,
        "Nothing was done, and nothing was removed: a source that is not there is no empty one.",
        { SAY("check the name, or mount what holds it, then the same command again"),
          RUN("qcloud", "ls") } } },
    { QC_NOTFOUND,
      IN(VERSION),
      { 8,
        "Nothing was changed; no output was written.",
        { RUN_THEN("lists the versions that there are", "qcloud", "versions", "{name}"), RUN("qcloud", "ls"),
          RUN("qcloud", "trash", "ls") } } },
    { QC_NOTFOUND,
      IN(CERTIFICATE),
      { 10,
        "Nothing was changed.",
        { SAY("check the name of the file, then the same command again"),
          RUN("qcloud", "certificate", "ls") } } },
    { QC_NOTFOUND, IN(CONFIG), { 9, "Nothing was changed.", { RUN("qcloud", "config", "show") } } },
    { QC_NOTFOUND, IN(MOVE), { 4, "Nothing was changed.", { RUN("qcloud", "gateway", "cloud", "ls") } } },
    { QC_NOTFOUND, ALL, { 1, "Nothing was changed; no output was written.", { RUN("qcloud", "ls") } } },
    /* 4 */
    { QC_DEGRADED,
      IN(PUT),
      { 1,
        "Safe and readable now, with the margin that line one names instead of the full one.",
        { RUN("qcloud", "stat", "{name}"),
          RUN_THEN("shows which clouds are missing", "qcloud", "status") } } },
    { QC_DEGRADED,
      IN(SHARED_PUT),
      { 11,
        "Safe, and readable from two sites now; what line one names as missing is not behind it yet.",
        { REBUILD_SITE, WHICH_SITES } } },
    { QC_DEGRADED,
      IN(SHARED_GET),
      { 12,
        "Everything that line one does not name can be read now; one more site lost, and it may be gone.",
        { WHICH_SITES, RUN_THEN("shares anew what a site lacks", "qcloud", "site", "rebuild"),
          REBUILD_SITE } } },
    { QC_DEGRADED,
      IN(REMOVE),
      { 2,
        "The removal is recorded in enough places; those that line one names have not heard of it yet.",
        { RUN("qcloud", "status") } } },
    { QC_DEGRADED,
      IN(RENAME),
      { 25,
        "The move is recorded in enough places; those that line one names have not heard of it yet.",
        { RUN("qcloud", "status") } } },
    { QC_DEGRADED,
      IN(VERIFY),
      { 3,
        "Everything can be read now; something that would be needed after a loss is missing.",
        { REPAIR, RUN("qcloud", "recover", "--share", "{share}") } } },
    { QC_DEGRADED,
      IN(AGAINST),
      { 26,
        "What is stored is whole, as far as it was looked at; the files that the lines above name are not "
        "it. "
        "Nothing was changed.",
        { RUN_THEN("shows what would be stored anew", "qcloud", "sync", "-n", "--checksum", "{dir}",
                   "{name}"),
          SAY("if the folder is what was damaged: qcloud get of what the lines above name") } } },
    { QC_DEGRADED,
      IN(RECOVER),
      { 4,
        "What is not rebuilt has one share only; the store says itself that it is not whole, and status "
        "does.",
        { RUN_THEN("goes on where it stopped", "qcloud", "recover", "--share", "{share}"),
          SAY("bring back what was missing, if anything was, before that") } } },
    { QC_DEGRADED,
      IN(REFRESH),
      { 15,
        "All can be read. What the lines above name opens by its old shares still: a stolen copy is worth "
        "something there.",
        { SAY("bring back what the lines above miss, then the same command again: it goes on where it "
              "stopped") } } },
    { QC_DEGRADED,
      IN(DOCTOR),
      { 23,
        "Nothing was changed. Each line above says what it is about and what it means.",
        { SAY("what the lines above say, the first one first") } } },
    { QC_DEGRADED,
      IN(STATUS),
      { 6,
        "Everything can be read now, as far as was looked. The budget above says how many more losses are "
        "borne, the reasons what keeps it from green.",
        { RUN("qcloud", "recover", "--share", "{share}"),
          RUN_THEN("reads and verifies all that lies on the clouds", "qcloud", "gateway", "{scrub}",
                   "--content", "--wait"),
          RUN_THEN("rehearses a loss", "qcloud", "{drill}"),
          SAY("bring back what is missing; what is gone from clouds, qcloud gateway repair rebuilds") } } },
    { QC_DEGRADED,
      IN(PASSPHRASE),
      { 7,
        "Each share store is whole, and opens with the passphrase that it has.",
        { SAY("bring what line one names in order, then the same command again") } } },
    { QC_DEGRADED,
      IN(REPAIR),
      { 8,
        "Everything can be read. What the lines above name as left has less behind it than it should have.",
        { SAY("bring back the clouds that the lines above name, then the same command again"),
          WHICH_CLOUDS } } },
    { QC_DEGRADED,
      IN(SCRUB),
      { 9,
        "Everything can be read as far as is known. What is missing or bad is rebuilt by itself; what nobody "
        "can explain is not touched.",
        { RUN("qcloud", "gateway", "status"), SAY("look at unknown and foreign objects yourself: an unknown "
                                                  "one may mean that the catalogue is too old") } } },
    { QC_DEGRADED,
      IN(MOVE),
      { 10,
        "Everything can be read; no margin is less than it was.",
        { SAY(
            "bring back the clouds that are away, or wait for uploads; the same command again goes on") } } },
    { QC_DEGRADED,
      IN(SYNC),
      { 13,
        "Nothing of it was written over or removed: what either side had is there. What is not named was "
        "synced as asked.",
        { SAY("see to what line one says, then the same command again: it does what is left") } } },
    { QC_DEGRADED,
      IN(INIT),
      { 14,
        "The vault can be used as it is.",
        { RUN_THEN("says what is wrong with the source", "qcloud", "rng", "test"),
          RUN("qcloud", "status") } } },
    { QC_DEGRADED,
      IN(PURGE),
      { 24,
        "What is told as purged is gone. The names that the lines above tell of have all their versions.",
        { REPAIR, RUN("qcloud", "status") } } },
    { QC_DEGRADED, ALL, { 5, "Done, with less than was asked for.", { RUN("qcloud", "status") } } },
    /* 5 */
    { QC_CHANGED,
      ALL,
      { 4,
        "Nothing of this attempt is visible; earlier versions are untouched.",
        { SAY("wait until nobody writes to the file, then the same command again") } } },
    { QC_CONFLICT,
      GETS,
      { 11, "The file is as it was.", { SAY("name another file, or replace it with --force") } } },
    { QC_CONFLICT,
      IN(RECOVER),
      { 12,
        "What is in that directory is as it was.",
        { SAY("make room as line one says, or name another directory with --to DIR") } } },
    { QC_CONFLICT,
      IN(REPAIR),
      { 13,
        "What lies on the clouds is as it was.",
        { SAY(
            "wait for the repair that runs; or see to the place that line one names: a cloud needs an empty "
            "directory or bucket of its own") } } },
    { QC_CONFLICT,
      IN(MOVE),
      { 14,
        "No margin is less than it was.",
        { RUN_THEN("shows what each cloud is for, and what lies there", "qcloud", "gateway", "cloud",
                   "ls") } } },
    { QC_CONFLICT,
      IN(PURGE),
      { 20,
        "That version is there as before, with its key shares: a name points at it by now.",
        { RUN("qcloud", "versions", "{name}"), RUN("qcloud", "ls") } } },
    { QC_CONFLICT,
      IN(RENAME),
      { 25,
        "The name that line one begins with is as it was, and nothing was overwritten.",
        { SAY("choose another name; or --force: what is there becomes an old version of it"),
          RUN("qcloud", "ls") } } },
    { QC_CONFLICT, ALL, { 5, "Nothing was overwritten.", { SAME } } },
    OPEN_PUT(QC_NOMEM, 15),
    { QC_NOMEM,
      ALL,
      { 3,
        "What was stored and acknowledged before is untouched; no half of anything is visible.",
        { SAY("free memory, then the same command again") } } },
    { QC_TIMEOUT, IN(SHARED_PUT), { 18, SHARED_OPEN, { SHARED_STAT, WHICH_SITES } } },
    OPEN_PUT(QC_TIMEOUT, 16),
    { QC_TIMEOUT, IN(PUT), { 8, NOT_STORED, { STATUS_THEN } } },
    { QC_TIMEOUT,
      IN(REMOVE),
      { 9,
        "Either it is removed or it is there as before: the first command tells.",
        { RUN_THEN(AGAIN " if it is there", "qcloud", "stat", "{name}"), RUN("qcloud", "status") } } },
    { QC_TIMEOUT,
      IN(RENAME),
      { 26,
        "Either it is moved or it is there as before, never half of it: the first command tells.",
        { RUN_THEN(AGAIN " if it is there", "qcloud", "stat", "{name}"), RUN("qcloud", "status") } } },
    { QC_TIMEOUT, IN(PURGE), { 21, PURGED_SO_FAR, { STATUS_THEN } } },
    { QC_TIMEOUT, ALL, { 2, "What was stored is untouched.", { STATUS_THEN } } },
    { QC_TEMP, IN(SHARED_PUT), { 19, SHARED_OPEN, { SHARED_STAT, WHICH_SITES } } },
    OPEN_PUT(QC_TEMP, 17),
    { QC_TEMP, IN(PUT), { 7, NOT_STORED, { STATUS_THEN } } },
    { QC_TEMP,
      IN(REMOVE),
      { 10,
        "Either it is removed or it is there as before: the first command tells.",
        { RUN_THEN(AGAIN " if it is there", "qcloud", "stat", "{name}"), RUN("qcloud", "status") } } },
    { QC_TEMP,
      IN(RENAME),
      { 27,
        "Either it is moved or it is there as before, never half of it: the first command tells.",
        { RUN_THEN(AGAIN " if it is there", "qcloud", "stat", "{name}"), RUN("qcloud", "status") } } },
    { QC_TEMP, IN(PURGE), { 22, PURGED_SO_FAR, { STATUS_THEN } } },
    { QC_TEMP, ALL, { 1, "What was stored is untouched.", { STATUS_THEN } } },
    /* 6 */
    { QC_QUORUM,
      IN(SHARED_PUT),
      { 9,
        "Not stored: nothing of this attempt is visible, earlier versions are untouched. Shares are made "
        "for three sites, so that one of them may be lost afterwards.",
        { WHICH_SITES, SAY("bring the site back; or put another in its place: qcloud site remove, qcloud "
                           "--site X init, qcloud site rebuild") } } },
    { QC_QUORUM, IN(PUT), { 2, NOT_STORED, { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM,
      IN(REMOVE),
      { 3, "Not removed: the object is there as before.", { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM,
      IN(RENAME),
      { 11, "Not moved: the object has the name that it had.", { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM,
      IN(STATUS),
      { 5,
        "What is stored is untouched, and nothing is lost by waiting; too few clouds answer to read it now.",
        { BRING_CLOUDS } } },
    { QC_QUORUM,
      IN(REPAIR),
      { 6,
        "Nothing is lost by waiting: what cannot be read now may lie on the clouds that are away. All else "
        "is "
        "repaired.",
        { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM,
      IN(DRILL),
      { 7,
        "Nothing was changed, and nothing more is lost than before. Had the clouds gone that the drill left "
        "out, "
        "what the lines above name could not be read.",
        { REPAIR, WHICH_CLOUDS } } },
    { QC_QUORUM,
      IN(MOVE),
      { 8,
        "No margin is less than it was.",
        { SAY("what line one says is missing: bring clouds back, or add one; the same command again goes "
              "on") } } },
    { QC_QUORUM,
      READS,
      { 1,
        "Nothing was written to the output. The fragments on the missing clouds are needed; nothing else is "
        "lost by waiting.",
        { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM, IN(PURGE), { 10, PURGED_SO_FAR, { BRING_CLOUDS, WHICH_CLOUDS } } },
    { QC_QUORUM,
      ALL,
      { 4, "Nothing was changed that the next run could not go on from.", { BRING_CLOUDS, WHICH_CLOUDS } } },
    /* 7 */
    { QC_SHARES,
      SHARED,
      { 6,
        "Nothing was changed and no output was written. One share says nothing about the data, to nobody, "
        "us included.",
        { WHICH_SITES, SAY("bring a second site back, then the same command again") } } },
    { QC_SHARES,
      IN(PUT),
      { 2,
        "Nothing was sent. A version is stored only once both share stores have its key shares.",
        { SAY("plug in or mount the share store that is missing, then the same command again"),
          RUN("qcloud", "recover", "--share", "{share}") } } },
    { QC_SHARES,
      IN(DRILL),
      { 5,
        "Nothing was changed. Had the share store gone that the drill left out, what the lines above name "
        "could not "
        "be opened; if the other store is missing now, nothing could.",
        { RUN_THEN("shows which share stores are there", "qcloud", "status"), RUN("qcloud", "verify") } } },
    { QC_SHARES,
      SETS_UP,
      { 4,
        "Nothing was written. Without at least one share store nobody, we included, can open the vault.",
        { SAY("name the directory of a share store of this vault, or of a copy of one") } } },
    { QC_SHARES,
      IN(PURGE),
      { 7,
        "Nothing was purged: the key shares of a version go from both share stores, so both have to be "
        "there.",
        { SAY("plug in or mount the share store that is missing, then the same command again") } } },
    { QC_SHARES,
      ALL,
      { 1,
        "What lies on the clouds may be complete, but without enough key shares nobody, we included, can "
        "open it. Nothing was changed and no output was written.",
        { SAY("plug in or mount a share store, or put a copy of one where the message says, then the same "
              "command again"),
          SAY("a vault of --mode derived comes back by its sheets: qcloud kit restore --words") } } },
    /* 8 */
    { QC_INTEGRITY,
      SHARED,
      { 9,
        "Not one byte that two sites do not confirm was released; nothing stands under the final name.",
        { { .before = "keep everything as it is; this shows what each site has:",
            .argv = { "qcloud", "verify", "--profile", "xor23", "{name}" } },
          WHICH_SITES } } },
    { QC_INTEGRITY,
      IN(GET),
      { 1,
        "Not one byte that fails its check was released; nothing stands under the final name.",
        { { .before = "keep everything as it is; this shows what is damaged:",
            .argv = { "qcloud", "verify", "{name}" } },
          RUN("qcloud", "status") } } },
    { QC_INTEGRITY,
      IN(VERSION),
      { 10,
        "Not one byte that fails its check was released; nothing stands under the final name. Another "
        "version "
        "may be whole.",
        { RUN_THEN("shows which versions open", "qcloud", "versions", "{name}"),
          RUN("qcloud", "status") } } },
    { QC_INTEGRITY,
      IN(DRILL),
      { 6,
        "Nothing was changed, and no wrong byte was taken for a right one. Without what the drill left out, "
        "what the "
        "lines above name could not be read.",
        { RUN_THEN("tries every way to open them", "qcloud", "verify"), REPAIR } } },
    { QC_INTEGRITY,
      IN(REPAIR),
      { 5,
        "What the lines above name as beyond repair cannot be read again; all else is as it should be.",
        { { .before =
                "keep everything as it is, and bring back any cloud that may have more of it; this names the "
                "files:",
            .argv = { "qcloud", "verify" } } } } },
    { QC_INTEGRITY, IN(CERTIFICATE), { 11, PROVES_NOTHING, { ASK_AGAIN } } },
    OPEN_PUT(QC_INTEGRITY, 8),
    { QC_INTEGRITY,
      ALL,
      { 2,
        "Nothing was changed. What does not verify was not used.",
        { { .before = "keep everything as it is; this shows what is damaged:",
            .argv = { "qcloud", "verify" } } } } },
    { QC_FORMAT, IN(CERTIFICATE), { 12, PROVES_NOTHING, { ASK_AGAIN } } },
    OPEN_PUT(QC_FORMAT, 7),
    { QC_FORMAT,
      ALL,
      { 3,
        "Nothing was changed. What does not parse was not used.",
        { { .before = "keep everything as it is; this shows what is damaged:",
            .argv = { "qcloud", "verify" } } } } },
    { QC_NEWER,
      ALL,
      { 4,
        "Nothing was changed; what was stored is whole as far as this program can tell.",
        { { .before = "install a newer qcloud; this one:", .argv = { "qcloud", "version" } } } } },
    /* 10 */
    { QC_NOTCONF,
      SHARED,
      { 2,
        "Nothing was changed.",
        { RUN_THEN("sets a site up: so B and C", "qcloud", "--site", "A", "init", "--help"),
          RUN_THEN("makes a vault of the profile ec", "qcloud", "init", "--help") } } },
    { QC_NOTCONF,
      ALL,
      { 1,
        "Nothing was changed.",
        { RUN_THEN("makes a new vault", "qcloud", "init", "--help"),
          SAY("qcloud init --join DIR uses one that exists") } } },
    /* 11 */
    { QC_LOCKED,
      ALL,
      { 1,
        "Nothing was changed.",
        { SAY("wait for the other process, or end it, then the same command again; one that has died holds "
              "nothing") } } },
    OPEN_PUT(QC_FENCED, 3),
    { QC_FENCED,
      ALL,
      { 2,
        "Nothing was changed. Another gateway has taken this vault's clouds over; what it acknowledged is "
        "safe there.",
        { SAY("go on at the machine that took over, or take over here: qcloud gateway rebuild") } } },
    /* 12 */
    { QC_AUTH,
      WRITES,
      { 2,
        "Not done: nothing of this attempt is visible, earlier versions are untouched.",
        { SAY("make the place that the message names readable and writable for you, then the same command "
              "again") } } },
    { QC_AUTH,
      IN(PURGE),
      { 6,
        "That version is there as before, with its key shares.",
        { SAY("wait for the date that line one names; or see to the permissions of the place that it "
              "names") } } },
    { QC_AUTH,
      ALL,
      { 1,
        "Nothing was changed.",
        { SAY(
            "see to the permissions of the place that the message names, then the same command again") } } },
    { QC_PASSPHRASE,
      ALL,
      { 3,
        "Nothing was changed and nothing was sent.",
        { SAY("the same command again with the right passphrase"),
          SAY("if that of one store is forgotten and the other store opens: qcloud recover --share 1 or 2 "
              "--to DIR "
              "rebuilds it") } } },
    { QC_NOPASS,
      ALL,
      { 4,
        "Nothing was changed and nothing was sent.",
        { SAY("the same command at a terminal, or with QCLOUD_PASSPHRASE_COMMAND or QCLOUD_PASSPHRASE_FD "
              "set") } } },
    /* 13 */
    { QC_RANDOM,
      IN(RANDOM),
      { 2,
        "Nothing that is stored is touched. With the policy required nothing is stored until this is mended.",
        { SAY("see to the source; qcloud rng list shows what is configured") } } },
    { QC_RANDOM,
      ALL,
      { 1,
        "Nothing was sent and no key was made.",
        { RUN_THEN("says which source it is; then the same command again", "qcloud", "rng", "test") } } },
    { QC_LINK,
      WRITES,
      { 3,
        "Not stored: nothing of this attempt is visible. Reading goes on.",
        { SAY("see that the link that the message names is up and its key manager has keys (qcloud-link "
              "status), then the same command again"),
          SAY("or under a policy that takes less, where it may: qcloud put --policy NAME (qcloud help "
              "policies)") } } },
    { QC_LINK,
      ALL,
      { 4,
        "Nothing that is stored is touched.",
        { SAY("see that the link that the message names is up and its key manager has keys (qcloud-link "
              "status), then the same command again") } } },
    /* 14 */
    { QC_FULL,
      GETS,
      { 3,
        "Nothing stands under the final name but a whole, verified file, if that; what is stored is "
        "untouched.",
        { SAY("free space where the output goes, then the same command again") } } },
    { QC_FULL,
      IN(PURGE),
      { 7, PURGED_SO_FAR, { SAY("free space where the message says, then the same command again") } } },
    { QC_FULL,
      ALL,
      { 1,
        "Nothing of this attempt is visible; what was acknowledged before is untouched.",
        { SAY("free space where the message says, then the same command again") } } },
    { QC_QUOTA,
      WRITES,
      { 4,
        "Not stored: nothing of this attempt is visible. Reading and removing go on; removing frees nothing, "
        "since every version is kept.",
        { RUN_THEN("shows what is used", "qcloud", "status"),
          SAY("ask the operator of the gateway for a greater quota, then the same command again") } } },
    { QC_QUOTA,
      ALL,
      { 5,
        "Nothing was changed that the next run could not go on from. Reading goes on.",
        { SAY("ask the operator of the gateway for a greater quota, then the same command again") } } },
    OPEN_PUT(QC_LIMIT, 6),
    { QC_LIMIT, ALL, { 2, "Nothing was changed.", { SAY("stay below the limit that the message names") } } },
    /* 130 */
    OPEN_PUT(QC_CANCELLED, 6),
    { QC_CANCELLED,
      IN(PUT) | IN(SHARED_PUT),
      { 2,
        "Nothing of what was under way is visible; objects reported as stored before are safe.",
        { SAME } } },
    { QC_CANCELLED,
      GETS,
      { 3,
        "Nothing stands under a final name but whole, verified files; what is stored is untouched.",
        { SAME } } },
    { QC_CANCELLED,
      IN(SYNC),
      { 7,
        "What was reported as stored or got before is safe; no file on either side is half written.",
        { SAME_DOES_THE_REST } } },
    { QC_CANCELLED,
      IN(REPAIR),
      { 5, "What was repaired before stays; nothing is less than it was.", { SAME } } },
    { QC_CANCELLED, IN(PURGE), { 8, PURGED_SO_FAR, { SAME } } },
    { QC_CANCELLED, IN(RECOVER), { 4, "What was rebuilt before is kept.", { SAME_GOES_ON } } },
    { QC_CANCELLED, ALL, { 1, "What was done before is kept; nothing is half done.", { SAME } } },
};

static const char *const verbs[MSG_CLASSES] = {
    [MSG_CALL] = "",
    [MSG_INIT] = "cannot set up the vault",
    [MSG_JOIN] = "cannot join the vault",
    [MSG_PUT] = "cannot store",
    [MSG_PUT_OPEN] = "not known to have stored",
    [MSG_GET] = "cannot read",
    [MSG_VERSION] = "cannot read",
    [MSG_LIST] = "cannot look up",
    [MSG_REMOVE] = "cannot remove",
    [MSG_RENAME] = "cannot move",
    [MSG_PURGE] = "cannot purge",
    [MSG_CERTIFICATE] = "cannot vouch for",
    [MSG_VERIFY] = "cannot vouch for",
    [MSG_AGAINST] = "not the same",
    [MSG_DRILL] = "the drill failed",
    [MSG_RECOVER] = "cannot recover",
    [MSG_PASSPHRASE] = "cannot change the passphrase",
    [MSG_KIT] = "not done",
    [MSG_REFRESH] = "cannot refresh the shares",
    [MSG_STATUS] = "cannot tell the status",
    [MSG_DOCTOR] = "not as it should be",
    [MSG_CONFIG] = "not done",
    [MSG_GATEWAY] = "gateway command not done",
    [MSG_REPAIR] = "not all is repaired",
    [MSG_SCRUB] = "not all is as it should be",
    [MSG_MOVE] = "not done",
    [MSG_RANDOM] = "no randomness",
    [MSG_SYNC] = "not synced",
    [MSG_SHARED_PUT] = "cannot store",
    [MSG_SHARED_GET] = "cannot read",
};

size_t msg_rows(void)
{
    return sizeof rows / sizeof rows[0];
}

const struct msg *msg_row(size_t i, qc_rc *ret_rc)
{
    QC_ASSERT(i < msg_rows());
    *ret_rc = rows[i].rc;
    return &rows[i].m;
}

const struct msg *msg_of(enum msg_class c, qc_rc rc)
{
    QC_ASSERT(rc != QC_OK);
    for (size_t i = 0; i < msg_rows(); i++)
        if (rows[i].rc == rc && (rows[i].classes & 1U << c) != 0)
            return &rows[i].m;
    QC_ASSERT(rc != QC_GENERAL);
    return msg_of(c, QC_GENERAL);
}

const char *msg_verb(enum msg_class c)
{
    QC_ASSERT(c < MSG_CLASSES);
    return verbs[c];
}

void msg_code(const struct msg *m, qc_rc rc, char out[MSG_CODE])
{
    snprintf(out, MSG_CODE, "E%02u%02u", (unsigned)qc_rc_exit(rc) % 1000U, m->nn % 100U);
}

void msg_warning_code(const struct msg *m, char out[MSG_CODE])
{
    snprintf(out, MSG_CODE, "W%02u%02u", (unsigned)qc_rc_exit(QC_DEGRADED) % 100U, m->nn % 100U);
}
