/* What warnings mean for the data, and what to run next: the other half of messages.h. */
#include "messages_steps.h"

static const struct msg warnings[MSG_WARNINGS] = {
    [MSG_W_CLOUDS] = { 1,
                       "Every byte was verified; the other clouds had enough. While these are missing, fewer "
                       "further losses can be "
                       "borne.",
                       { RUN("qcloud", "status") } },
    [MSG_W_SHARE_MISSING] = { 2,
                              "Everything is readable with the other share and the gateway's backup data. "
                              "Until it is back, losing the other store too loses everything.",
                              { SAY("plug in or mount it"),
                                { .before = "if it is lost:",
                                  .argv = { "qcloud", "recover", "--share", "{share}" } } } },
    [MSG_W_SHARE_DAMAGED] = { 3,
                              "Everything is readable with the other share and the gateway's backup data.",
                              { SAY("rebuild it in a new directory: qcloud recover --share 1 or 2 --to DIR"),
                                { .argv = { "qcloud", "verify" } } } },
    [MSG_W_STORES_DEVICE] = { 4,
                              "Whoever loses this device loses both shares at once, and with them "
                              "everything; whoever steals it has two of three.",
                              { SAY("keep one share store elsewhere, say on a USB stick: move the directory "
                                    "and change share1 or share2 in the configuration") } },
    [MSG_W_GATEWAY_DEVICE] = { 5,
                               "One device holds the gateway and a share store without a passphrase: whoever "
                               "steals it, "
                               "with access to the clouds, can read everything.",
                               { { .before = "put a passphrase on it:", .argv = { "qcloud", "passphrase" } },
                                 SAY("keep the share stores off this device, or see that nobody gets it") } },
    [MSG_W_MARGIN_ZERO] = { 6,
                            "The loss of any one cloud loses data.",
                            { SAY("use more clouds, or a smaller --k") } },
    [MSG_W_SECRET_MEMORY] = { 7,
                              "Keys may reach the swap space of this machine.",
                              { SAY("raise the limit of locked memory: ulimit -l") } },
    [MSG_W_CLEANED] = { 8, "No half of it was ever visible.", { RUN("qcloud", "ls") } },
    [MSG_W_SKIPPED] = { 9,
                        "It was not stored; all regular files below were.",
                        { SAY("nothing, or store what it points at") } },
    [MSG_W_BACKUP] = { 11,
                       "Everything is readable with both share stores. Without this backup data, losing one "
                       "of them loses the object.",
                       { SAY("keep both share stores safe, and store the object again") } },
    [MSG_W_STORE_BEHIND] = { 12,
                             "The other share store knows the newest state; everything is readable.",
                             { SAY("make the directory writable; the next command brings it up to date") } },
    [MSG_W_MARGIN] = { 13,
                       "It is readable now. Bring the missing clouds back before more are lost.",
                       { RUN("qcloud", "status") } },
    [MSG_W_CLOUDS_DEVICE] = { 14,
                              "If that device fails, all of these clouds are gone at once, whatever k and n "
                              "are. "
                              "For a trial that is fine.",
                              { SAY(
                                  "for data that matters: clouds on devices, machines or providers of their "
                                  "own") } },
    [MSG_W_CLOUD_LACKS] = { 15,
                            "The cloud is used as far as it goes: nothing relies on what it lacks. What was "
                            "stored is untouched.",
                            { RUN_THEN("and qcloud gateway cloud validate NAME looks again", "qcloud",
                                       "gateway", "cloud", "ls") } },
    [MSG_W_SHARE_LOCKED] = { 16,
                             "Everything is readable with the other share and the gateway's backup data. "
                             "Nothing can be "
                             "stored meanwhile.",
                             { SAY("the same command at a terminal, or with QCLOUD_PASSPHRASE_COMMAND or "
                                   "QCLOUD_PASSPHRASE_FD set") } },
    [MSG_W_RANDOM] = { 17,
                       "Its keys come from the operating system's generator alone, which is recorded with "
                       "it. What was "
                       "stored before is untouched.",
                       { RUN_THEN("says what is wrong; then store it again", "qcloud", "rng", "test") } },
    [MSG_W_RANDOM_LOW] = { 18,
                           "Everything was done as asked; each command uses 4 KiB at least.",
                           { SAY("put another file of random numbers beside the last one") } },
    [MSG_W_SITE_AWAY] = { 19,
                          "Any two sites are enough to read; while one is away, the loss of another loses "
                          "what is kept there.",
                          { WHICH_SITES,
                            SAY("if it is lost: qcloud site remove, qcloud --site X init, qcloud site "
                                "rebuild") } },
    [MSG_W_SITE_WRONG] = { 20,
                           "Every byte was confirmed by two sites, which disprove or outvote the third: it "
                           "was set back, damaged, or lies.",
                           { REBUILD_SITE,
                             RUN_THEN("looks at everything", "qcloud", "verify", "--profile", "xor23") } },
    [MSG_W_SITE_SAME] = { 21,
                          "Whoever holds two sites has two shares, and with them everything; what one of "
                          "them loses, both lose.",
                          { SAY("give each site a gateway of its own") } },
    [MSG_W_RANDOM_VAULT] = { 22,
                             "All that is stored here rests on them, whatever the keys of an object are made "
                             "of; "
                             "they come from the operating system's generator alone.",
                             { RUN_THEN(
                                 "says what is wrong; then, while nothing is stored, remove what was made "
                                 "and make the vault again",
                                 "qcloud", "rng", "test") } },
    [MSG_W_VERSIONS] = { 23,
                         "The versions that are listed can be read as usual. Without a share of it nobody "
                         "can "
                         "open one of the others.",
                         { SAY("plug in or mount the other share store, then the same command again"),
                           RUN("qcloud", "status") } },
    [MSG_W_WATCH_AWAY] = { 24,
                           "Nothing is lost, and nothing was removed. What changes here meanwhile is synced "
                           "as soon as it is possible.",
                           { RUN("qcloud", "status") } },
    [MSG_W_WATCH_BLIND] = { 25,
                            "The system has a limit of watches for each user, and it is reached. All is "
                            "looked through once a minute instead (--interval).",
                            { SAY("as root: sysctl fs.inotify.max_user_watches=1048576, and a file in "
                                  "/etc/sysctl.d that says so; then the same command again") } },
    [MSG_W_WATCH_HELD] = { 26,
                           "What is gone here stays in the vault; all else is synced.",
                           { SAY("if it is meant: end the watch, then qcloud sync --delete --max-delete 100 "
                                 "with the same words; -n before it says what would go") } },
    [MSG_W_OTHER] = { 10, "The command went on.", { RUN("qcloud", "status") } },
};

const struct msg *msg_warning(enum msg_warning w)
{
    QC_ASSERT(w < MSG_WARNINGS);
    return &warnings[w];
}

const char *msg_warning_when(enum msg_warning w)
{
    static const char *const when[MSG_WARNINGS] = {
        [MSG_W_CLOUDS] = "clouds or fragments were missing, late or bad, and others served",
        [MSG_W_SHARE_MISSING] = "a share store is not there",
        [MSG_W_SHARE_DAMAGED] = "a share does not verify, or lacks",
        [MSG_W_STORES_DEVICE] = "both share stores lie on one device",
        [MSG_W_GATEWAY_DEVICE] = "a share store without a passphrase and the gateway lie on one device",
        [MSG_W_MARGIN_ZERO] = "k = n",
        [MSG_W_SECRET_MEMORY] = "secrets cannot be locked in memory",
        [MSG_W_CLEANED] = "an interrupted put of an earlier command was found",
        [MSG_W_SKIPPED] = "a tree holds something that is no regular file",
        [MSG_W_BACKUP] = "the gateway's backup data is missing or wrong",
        [MSG_W_STORE_BEHIND] = "a share store cannot be brought up to date",
        [MSG_W_MARGIN] = "an object survives fewer losses than it was stored for",
        [MSG_W_CLOUDS_DEVICE] = "several directory clouds lie on one device",
        [MSG_W_CLOUD_LACKS] = "a cloud was tried, and lacks something that would be good to have",
        [MSG_W_SHARE_LOCKED] = "a share store is under a passphrase, and none was given",
        [MSG_W_RANDOM] = "an object's keys were made without the source that the policy prefers",
        [MSG_W_RANDOM_LOW] = "pre-loaded random numbers come to their end",
        [MSG_W_SITE_AWAY] = "one of the three sites of the profile xor23 is not there",
        [MSG_W_SITE_WRONG] = "one of them lacks a share, or two others disprove it",
        [MSG_W_SITE_SAME] = "two of them have one gateway",
        [MSG_W_RANDOM_VAULT] = "a vault's secrets were made without the source that the policy prefers",
        [MSG_W_VERSIONS] = "versions of an object are in no share store that is here",
        [MSG_W_WATCH_AWAY] =
            "qcloud watch cannot sync for now: the gateway, clouds, a share store or the folder is away",
        [MSG_W_WATCH_BLIND] = "qcloud watch cannot watch all folders",
        [MSG_W_WATCH_HELD] =
            "qcloud watch does not delete what is gone: too much, or something was unmounted",
        [MSG_W_OTHER] = "a remark that has no row of its own",
    };
    QC_ASSERT(w < MSG_WARNINGS);
    return when[w];
}
