/* qcloud: the user's command. Layer 5; uses base, qrng, vault. Reads the command line, wires, prints: what it
 * does is in libqcloud (vault/vault.h). Commands and options are tables; docs/commands.md and the help come
 * from the same rows. */
#include "client.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/db.h"
#include "base/harden.h"
#include "base/log.h"
#include "gateway_opts.h"
#include "help.h"
#include "kit.h"
#include "limit.h"
#include "looks.h"
#include "meter.h"
#include "passphrase.h"
#include "profile.h"
#include "prune.h"
#include "qkd/plan.h"
#include "remote.h"
#include "secret.h"
#include "settings.h"
#include "signals.h"

enum { SECRET_BYTES = 128 * 1024 }; /* the keys of a put and a get at once, a locked page each */

static const struct qc_opt globals[] = {
    /* name        letter value     help                                                              many */
    { "vault", 0, "VAULT", "in the vault of this name, beside the one without a name (QCLOUD_VAULT)", false },
    { "config", 0, "FILE", "by this file instead of the vault's qcloud.conf (QCLOUD_CONFIG)", false },
    { "json", 0, NULL, "write JSON lines: start, item, progress, warning, result, error (QCLOUD_JSON)",
      false },
    { "quiet", 'q', NULL, "errors only (QCLOUD_LOG=quiet)", false },
    { "verbose", 'v', NULL, "reasons and places of errors (QCLOUD_LOG=verbose)", false },
    { "log-file", 0, "FILE",
      "add each message to FILE as well, with the time; it is made with mode 0600 (QCLOUD_LOG_FILE)", false },
    { "color", 0, "auto|always|never",
      "colour for the codes of errors and warnings: on a terminal, unless NO_COLOR is set or TERM is dumb",
      false },
    { "units", 0, "iec|si|raw",
      "sizes as 1.5 GiB, 1.6 GB or 1610612736 B; JSON has bytes anyway (QCLOUD_UNITS)", false },
    { "progress", 0, "auto|clouds|plain|none",
      "a bar on a terminal; with how a put fares on each cloud (so with -v); a line every 10 s; nothing "
      "(QCLOUD_PROGRESS)",
      false },
    { "limit-rate", 0, "RATE",
      "to and from the gateway at most so many bytes a second: 2M, 8M:2M (up:down), off; or a timetable: "
      "'08:00,2M 18:00,off' (qcloud.conf: gateway.limit-rate)",
      false },
    { "stats", 0, NULL,
      "say at the end how many requests and bytes went to the gateway and came from it, and what puts wrote "
      "to clouds",
      false },
    { "nice", 0, NULL, "give way to others of this machine: processor and disk", false },
    { "no-input", 0, NULL, "never ask for anything at the terminal", false },
    { "yes", 0, NULL, "where a command asks whether something is wanted: it is", false },
    { "wait-lock", 0, "SPAN",
      "where another sync or watch of the same two has the lock: wait so long, as 40s, 10m, 2h (default: not "
      "at "
      "all)",
      false },
    { "site", 0, "A|B|C", "in that site's own vault: one of the three of xor23, shamir and mirror", false },
    { "recovery-kit", 0, "FILE|-",
      "a share store is not there: open the vault by the kit of its recovery key", false },
    { "timeout", 0, "SPAN", "give each object at most this time, as 40s, 10m, 2h", false },
    { "degraded-ok", 0, NULL, "exit 0 instead of 4", false },
    { "strict", 0, NULL, "exit 4 where a warning was given", false },
    { 0 },
};
static const struct qc_opt init_opts[] = {
    { "local", 0, NULL, "make a vault with a gateway of its own on this machine", false },
    { "cloud", 0, "[NAME=]URL", "a cloud: file:///absolute/directory, s3+https://host/bucket; once for each",
      true },
    { "cloud-credentials", 0, "NAME=FILE", "where a cloud's keys are: a file of mode 0600, or aws:PROFILE",
      true },
    { "k", 0, "K", "how many clouds are enough (default: all but two)", false },
    { "n", 0, "N", "over how many clouds an object is spread (default: all)", false },
    { "gateway", 0, "URL",
      "one for many users: unix:/path, http://127.0.0.1:PORT, https:// or qkd-tls://HOST", false },
    { "token-file", 0, "FILE", "with --gateway: the token that its operator made; mode 0600", false },
    { "ca", 0, "FILE", "with --gateway https://: the authorities that vouch for it (default: the system's)",
      false },
    { "link", 0, "FILE", "with --gateway http://: the status socket of the qcloud-link that stands there",
      false },
    { "level", 0, "otp|qkd-tls|tls|plain", "with --gateway: nothing goes to it at a weaker level", false },
    { "qkd", 0, "KEY=VALUE", "with --gateway qkd-tls://: a line of section [qkd] of qcloud.conf, each",
      true },
    { "share1", 0, "DIR", "where share store 1 lies", false },
    { "share2", 0, "DIR",
      "where share store 2 lies: best on another device; label:NAME:DIR: on the disk NAME", false },
    { "profile", 0, "ec|xor23|shamir|mirror",
      "what the vault is for: all of it (ec), or, with --site, one of the three sites of the others", false },
    { "mode", 0, "stored|derived",
      "keep a share of each object (default), or two seeds that all shares come from", false },
    { "recovery", 0, "kit",
      "seal backup data under a key that is printed: no share store alone opens anything with the gateway",
      false },
    { "backup-to", 0, "URL",
      "backup data goes to a keeper, a directory or bucket of its own, and not to the gateway", false },
    { "backup-credentials", 0, "FILE", "with --backup-to s3+https://: where its keys are, as of a cloud",
      false },
    { "join", 0, NULL, "use a vault that exists, from one or both share stores", false },
    { "from-kit", 0, "FILE|-", "bring a vault back by its recovery kit; with --join: the lost share store",
      false },
    { "take-over", 0, NULL, "with --join, --from-kit: shut the gateway of the old machine out", false },
    { "kit", 0, "FILE", "with --join, --from-kit: the operator's kit, where the clouds are too few", false },
    { "no-passphrase", 0, NULL, "leave the share stores without a passphrase", false },
    { "memory", 0, "MIB", "what one try of the passphrase costs: 64 to 4096 (default: 256)", false },
    { 0 },
};
static const struct qc_opt refresh_opts[] = {
    { "backup-to", 0, "URL", "of a vault with a keeper: another one from now on, which is filled", false },
    { "backup-credentials", 0, "FILE", "with --backup-to s3+https://: where its keys are, as of a cloud",
      false },
    { 0 },
};
static const struct qc_opt passphrase_opts[] = {
    { "share", 0, "1|2", "of this share store alone (default: of both)", false },
    { "remove", 0, NULL, "take the passphrase away", false },
    { "memory", 0, "MIB", "what one try of it costs: 64 to 4096 (default: 256)", false },
    { 0 },
};
#define PROFILE                                                                                              \
    {                                                                                                        \
        "profile", 0, "ec|xor23|shamir|mirror",                                                              \
            "how it is kept (qcloud profiles): ec, unless this says another; the others at three sites",     \
            false                                                                                            \
    }
#define JOBS                                                                                                 \
    {                                                                                                        \
        "jobs", 'j', "N",                                                                                    \
            "so many files over 128 KiB side by side, 1 to 8 (default: 1); each that is put takes 36 MiB "   \
            "of memory",                                                                                     \
            false                                                                                            \
    }
#define POLICY                                                                                               \
    {                                                                                                        \
        "policy", 0, "P", "as policies.conf says of P: profile, level, randomness (qcloud help policies)",   \
            false                                                                                            \
    }
static const struct qc_opt put_opts[] = {
    { "recursive", 'r', NULL, "store a directory tree", false },
    { "if-absent", 0, NULL, "refuse when the name is taken", false },
    { "retain-until", 0, "DATE", "nobody purges it before then, as with qcloud lock", false },
    { "restart", 0, NULL, "begin anew, where an interrupted put of the name could go on", false },
    { "pad", 0, NULL,
      "pad it with up to 12 % of zeros, so that its size says little; always: vault.pad = yes", false },
    POLICY,
    { "stdin-size", 0, "N",
      "standard input has so many bytes (k, M, G: powers of 1024), or nothing is stored", false },
    { "wait", 0, "full|quorum", "for all clouds (default), or for as many as must have it: the others follow",
      false },
    PROFILE,
    JOBS,
    { 0 },
};
#define RANGE                                                                                                \
    {                                                                                                        \
        "range", 0, "A-B",                                                                                   \
            "bytes A to B alone, from 0 on (k, M, G: powers of 1024); A-: to the end; -N: the last N", false \
    }
static const struct qc_opt profiles_opts[] = {
    { "size", 0, "BYTES", "of the file that the figures are for (default: 1Gi; k, M, G: powers of 1024)",
      false },
    { 0 },
};
static const struct qc_opt profile_opts[] = { PROFILE, { 0 } };
#define WHICH                                                                                                \
    {                                                                                                        \
        "version", 0, "V|ID", "this version: its number, or its id (qcloud versions NAME)", false            \
    }
#define WHICH_AT                                                                                             \
    {                                                                                                        \
        "at", 0, "TIME", "the newest version that was stored by then, by the clock of who stored it", false  \
    }
static const struct qc_opt get_opts[] = {
    { "recursive", 'r', NULL, "all objects below PREFIX, as a tree in DIR", false },
    { "force", 'f', NULL, "replace files that exist", false },
    RANGE,
    WHICH,
    WHICH_AT,
    PROFILE,
    { "sparse", 0, NULL, "in files that are got, long runs of zeros become holes, which take no room",
      false },
    JOBS,
    { 0 },
};
static const struct qc_opt cat_opts[] = { RANGE, WHICH, WHICH_AT, PROFILE, { 0 } };
#define NO_RENAMES                                                                                           \
    {                                                                                                        \
        "no-renames", 0, NULL,                                                                               \
            "do not look for renames: such a file is stored or got anew, and its old name is one that is "   \
            "gone",                                                                                          \
            false                                                                                            \
    }
#define WAIT_LOCK                                                                                            \
    {                                                                                                        \
        "wait-lock", 0, "SPAN",                                                                              \
            "wait so long, as 40s, 10m, 2h, for another sync of the same two to end (default: not at all)",  \
            false                                                                                            \
    }
static const struct qc_opt sync_opts[] = {
    { "dry-run", 'n', NULL, "say what would be done; do nothing", false },
    { "both", 0, NULL, "both ways: what is new on either side goes to the other", false },
    { "delete", 0, NULL,
      "delete at the target what the source has no more, and a sync has seen on both sides", false },
    { "max-delete", 0, "PCT", "with --delete: refuse to delete more of the target's files (default: 50)",
      false },
    { "exclude", 0, "PATTERN", "leave this out, as .qcloudignore does", true },
    { "checksum", 0, NULL, "compare what is in the files, not sizes and times: reads everything", false },
    { "conflict", 0, "keep-both|local|remote",
      "what the target has changed since the last sync: leave it (default), or which side counts", false },
    WAIT_LOCK,
    POLICY,
    { "sparse", 0, NULL, "in files that are got, long runs of zeros become holes, which take no room",
      false },
    NO_RENAMES,
    JOBS,
    { 0 },
};
static const struct qc_opt watch_opts[] = {
    { "both", 0, NULL, "both ways: what is new on either side goes to the other", false },
    { "delete", 0, NULL, "delete at the target what the source has no more, once it has been quiet for 2 s",
      false },
    { "max-delete", 0, "PCT", "with --delete: never more of the target's files at a time (default: 50)",
      false },
    { "exclude", 0, "PATTERN", "leave this out, as .qcloudignore does", true },
    { "conflict", 0, "keep-both|local|remote",
      "what the target has changed since the last sync: leave it (default), or which side counts", false },
    { "interval", 0, "SPAN",
      "look through everything at least so often (default: 1h; 1m with --both, or where not all folders "
      "can "
      "be watched)",
      false },
    WAIT_LOCK,
    POLICY,
    { "sparse", 0, NULL, "in files that are got, long runs of zeros become holes, which take no room",
      false },
    NO_RENAMES,
    JOBS,
    { 0 },
};
static const struct qc_opt stat_opts[] = { WHICH, WHICH_AT, PROFILE, { 0 } };
static const struct qc_opt versions_opts[] = {
    { "restore", 0, "V|ID", "make this version the newest: its bytes are read, verified and sealed anew",
      false },
    { 0 },
};
static const struct qc_opt trash_restore_opts[] = {
    { "recursive", 'r', NULL, "all that was removed below these prefixes", false },
    { 0 },
};
static const struct qc_opt ls_opts[] = {
    { "long", 'l', NULL, "size, time, version, loss budget", false },
    { "versions", 0, NULL, "all versions of each, as qcloud versions lists them", false },
    { "null", '0', NULL, "names as they are, each ended by a NUL", false },
    { "recursive", 'R', NULL, "all levels, which a listing has anyway", false },
    { "depth", 0, "N",
      "so many levels alone: what lies deeper is listed as its folder, with what it comes to", false },
    { "sort", 0, "name|size|time", "by name (default), the largest first, the newest first", false },
    { "folders", 0, NULL, "folders that are kept for their own sake, too", false },
    { "where", 0, "rng=SOURCE", "whose keys came from this source (os, unknown, a name); each is opened",
      false },
    PROFILE,
    { 0 },
};
static const struct qc_opt reseal_opts[] = {
    { "where", 0, "rng=SOURCE", "all whose keys came from this source, as in ls", false },
    { 0 },
};
static const struct qc_opt drill_opts[] = {
    { "without-cloud", 0, "CLOUD|random|none",
      "a cloud to do without (default: as many at random as may be lost)", true },
    { "without-share", 0, "1|2|random|none", "the share store to do without (default: random)", false },
    { "sample", 0, "N", "try so many objects, drawn by lot (default: all)", false },
    { "seed", 0, "S", "draw as the drill did that named this seed", false },
    { "report", 0, "FILE", "write what was tried and what was lost to FILE, as JSON", false },
    { 0 },
};
static const struct qc_opt recover_opts[] = {
    { "share", 0, "1|2", "the share store that is lost", false },
    { "to", 0, "DIR", "where to write it (default: where it was)", false },
    { "from-kit", 0, "FILE|-", "its recovery kit: the seed that it had comes back", false },
    { "only", 0, NULL, "these names alone, for now; without it they come first, and then the rest", false },
    { 0 },
};
static const struct qc_opt doctor_opts[] = {
    { "fix", 0, NULL,
      "mend what is safe to mend: take from others what they may not, settle interrupted puts, remove empty "
      "leftovers; say what was done",
      false },
    { 0 },
};
static const struct qc_opt bench_opts[] = {
    { "size", 0, "LIST",
      "sizes to put and get, with commas (default: 4k,1M,64M; of paper 4000000,40000000,100000000; of peers "
      "64M; k, M: powers of 1024)",
      false },
    { "runs", 0, "N", "of paper and peers: the median of so many (default: 3)", false },
    { "out", 0, "FILE", "write all figures to FILE, as JSON", false },
    { 0 },
};
static const struct qc_opt plan_keys_opts[] = { QKD_PLAN_OPTIONS, { 0 } };
static const struct qc_opt rng_bytes_opts[] = {
    { "bytes", 0, "N", "how many (k, M, G: powers of 1024)", false },
    { 0 },
};
static const struct qc_opt rng_read_opts[] = {
    { "bytes", 0, "N", "how many (k, M, G: powers of 1024)", false },
    { "raw", 0, NULL,
      "its bytes as they come: tested, but neither conditioned nor mixed; for samples, never for keys",
      false },
    { 0 },
};
static const struct qc_opt rng_test_opts[] = {
    { "sample", 0, "FILE", "test the bytes of a file instead; none of them is used up", false },
    { "battery", 0, "rngtest|dieharder",
      "Debian's rngtest (seconds), dieharder (hours) or dieharder:NUMBER (one of its tests) instead, on one "
      "source or the sample",
      false },
    { "raw", 0, NULL, "with --battery: the source's bytes as they come, neither conditioned nor mixed",
      false },
    { "entropy", 0, "MBIT", "with --sample: thousandths of a bit per byte that are declared (default: 6000)",
      false },
    { 0 },
};
static const struct qc_opt status_opts[] = { LOOKS_OPTIONS, { 0 } };
static const struct qc_cmd cmds[] = {
    /* name    args                             help                                       min max needs
       options run */
    { "init",
      "--local --cloud [NAME=]URL... | --gateway URL --token-file FILE | --join DIR [DIR] | --from-kit "
      "FILE|-",
      "make a vault, or use one on a new machine", 0, 2, NEEDS_CLASS(MSG_INIT), init_opts, cmd_init },
    { "put", "FILE [NAME] | FILE... PREFIX/ | -r DIR [PREFIX] | - NAME", "store files", 1, -1,
      NEEDS_CLASS(MSG_PUT) | NEEDS_CONF | NEEDS_BOTH, put_opts, cmd_put },
    { "get", "NAME [FILE|-] | NAME... DIR/ | -r PREFIX DIR", "fetch objects, every byte verified", 1, -1,
      NEEDS_CLASS(MSG_GET) | NEEDS_CONF, get_opts, cmd_get },
    { "cat", "NAME...", "objects to standard output, each byte after it is verified", 1, -1,
      NEEDS_CLASS(MSG_GET) | NEEDS_CONF, cat_opts, cmd_cat },
    { "sync", "DIR [PREFIX/] | PREFIX/ DIR", "make the vault like a folder, or a folder like the vault", 1, 2,
      NEEDS_CLASS(MSG_SYNC) | NEEDS_CONF | NEEDS_BOTH, sync_opts, cmd_sync },
    { "watch", "DIR [PREFIX/]", "keep the vault like a folder: sync whenever something changes", 1, 2,
      NEEDS_CLASS(MSG_SYNC) | NEEDS_CONF | NEEDS_BOTH, watch_opts, cmd_watch },
    { "ls", "[PREFIX]", "list objects", 0, 1, NEEDS_CLASS(MSG_LIST) | NEEDS_CONF, ls_opts, cmd_ls },
    { "stat", "NAME...", "size, times, version, margins, layout", 1, -1, NEEDS_CLASS(MSG_LIST) | NEEDS_CONF,
      stat_opts, cmd_stat },
    { "versions", "NAME", "list the versions of an object, each opened; or restore one", 1, 1,
      NEEDS_CLASS(MSG_VERSION) | NEEDS_CONF, versions_opts, cmd_versions },
    { "trash ls", "[PREFIX]", "list what was removed, when, and the version that it had", 0, 1,
      NEEDS_CLASS(MSG_LIST) | NEEDS_CONF, NULL, cmd_trash_ls },
    { "trash restore", "NAME... | -r PREFIX...", "store again the last version before the removal", 1, -1,
      NEEDS_CLASS(MSG_PUT) | NEEDS_CONF | NEEDS_BOTH, trash_restore_opts, cmd_trash_restore },
    { "trash empty", "[PREFIX]", "purge what was removed: all its versions, for good", 0, 1,
      NEEDS_CLASS(MSG_PURGE) | NEEDS_CONF | NEEDS_BOTH, empty_opts, cmd_trash_empty },
    { "prune", "--keep-... N [PREFIX]", "purge old versions of each name, but those that a rule keeps", 0, 1,
      NEEDS_CLASS(MSG_PURGE) | NEEDS_CONF | NEEDS_BOTH, prune_opts, cmd_prune },
    { "lock", "NAME... --until DATE", "nobody purges this version before a date", 1, -1,
      NEEDS_CLASS(MSG_PURGE) | NEEDS_CONF, lock_opts, cmd_lock },
    { "explain", "NAME...", "where an object's keys, shares and fragments are from, and what carried it", 1,
      -1, NEEDS_CLASS(MSG_LIST) | NEEDS_CONF, profile_opts, cmd_explain },
    { "reseal", "NAME... | --where rng=SOURCE [PREFIX]", "seal objects anew, under keys that are drawn now",
      0, -1, NEEDS_CLASS(MSG_PUT) | NEEDS_CONF | NEEDS_BOTH, reseal_opts, cmd_reseal },
    { "mv", "NAME NAME | NAME... PREFIX/ | -r PREFIX/ PREFIX/", "other names for objects: no data moves", 2,
      -1, NEEDS_CLASS(MSG_RENAME) | NEEDS_CONF, mv_opts, cmd_mv },
    { "rm", "NAME... | -r PREFIX...",
      "remove objects from the listing (versions stay stored: qcloud trash); --erase: for good", 1, -1,
      NEEDS_CLASS(MSG_REMOVE) | NEEDS_CONF, rm_opts, cmd_rm },
    { "certificate verify", "FILE", "is it a certificate of this vault's, and what does it say was erased?",
      1, 1, NEEDS_CLASS(MSG_CERTIFICATE), certificate_opts, cmd_certificate_verify },
    { "certificate ls", "", "certificates of what rm --erase has erased from here", 0, 0,
      NEEDS_CLASS(MSG_CERTIFICATE), NULL, cmd_certificate_ls },
    { "certificate key", "", "the key by which others check this vault's certificates", 0, 0,
      NEEDS_CLASS(MSG_CERTIFICATE) | NEEDS_CONF, NULL, cmd_certificate_key },
    { "verify", "[NAME|PREFIX...]", "read everything and try all three ways to open it", 0, -1,
      NEEDS_CLASS(MSG_VERIFY) | NEEDS_CONF, verify_opts, cmd_verify },
    { "drill", "[NAME|PREFIX]", "rehearse a loss: fetch objects without some clouds and a share store", 0, 1,
      NEEDS_CLASS(MSG_DRILL) | NEEDS_CONF, drill_opts, cmd_drill },
    { "recover", "--share 1|2 [--to DIR] [NAME|PREFIX...]", "rebuild a lost share store", 0, -1,
      NEEDS_CLASS(MSG_RECOVER) | NEEDS_CONF, recover_opts, cmd_recover },
    { "kit print", "--share 1|2|both | --recovery [--words | --qr | --file FILE]",
      "the recovery kit: words and codes to keep on paper", 0, 0, NEEDS_CLASS(MSG_KIT) | NEEDS_CONF,
      kit_print_opts, cmd_kit_print },
    { "kit restore", "--words | --qr | --file FILE|- [--share 1|2]",
      "what was lost comes back by its kit: a share store; or the vault, on a new machine", 0, 0,
      NEEDS_CLASS(MSG_KIT), kit_restore_opts, cmd_kit_restore },
    { "kit verify", "FILE|-", "are these words a kit, and which one?", 1, 1, NEEDS_CLASS(MSG_KIT), NULL,
      cmd_kit_verify },
    { "kit refresh", "[--backup-to URL]",
      "other shares of the same secrets: old copies of stores and kits are worth nothing", 0, 0,
      NEEDS_CLASS(MSG_REFRESH) | NEEDS_CONF | NEEDS_BOTH, refresh_opts, cmd_kit_refresh },
    { "tickets draw", "N", "have N tickets here: so many puts go on while share store 2 is elsewhere", 1, 1,
      NEEDS_CLASS(MSG_KIT) | NEEDS_CONF | NEEDS_BOTH, NULL, cmd_tickets_draw },
    { "tickets cancel", "", "void the tickets that are left", 0, 0, NEEDS_CLASS(MSG_KIT) | NEEDS_CONF, NULL,
      cmd_tickets_cancel },
    { "passphrase", "[--share 1|2] [--remove]", "set, change or remove the passphrase of the share stores", 0,
      0, NEEDS_CLASS(MSG_PASSPHRASE) | NEEDS_CONF, passphrase_opts, cmd_passphrase },
    { "profiles", "", "how objects can be kept: who could open them, what may be lost, what it costs", 0, 0,
      NEEDS_CLASS(MSG_CALL), profiles_opts, cmd_profiles },
    { "site list", "", "the three sites of xor23, shamir and mirror, and which of them answer", 0, 0,
      NEEDS_CLASS(MSG_SHARED_GET), NULL, cmd_site_list },
    { "site rebuild", "[NAME...]",
      "new shares at all three sites: of what one of them lacks, or of these objects", 0, -1,
      NEEDS_CLASS(MSG_SHARED_PUT), NULL, cmd_site_rebuild },
    { "site remove", "A|B|C", "use a site no longer; nothing is deleted", 1, 1, NEEDS_CLASS(MSG_SHARED_GET),
      NULL, cmd_site_remove },
    { "status", "", "clouds, share stores, margins, and what a thief would need", 0, 0,
      NEEDS_CLASS(MSG_STATUS) | NEEDS_CONF, status_opts, cmd_status },
    { "config show", "", "what holds, key by key: of qcloud.conf and the environment", 0, 0,
      NEEDS_CLASS(MSG_CONFIG) | NEEDS_CONF, config_show_opts, cmd_config_show },
    { "config get", "KEY", "what it says of one key, as vault.share2", 1, 1,
      NEEDS_CLASS(MSG_CONFIG) | NEEDS_CONF, NULL, cmd_config_get },
    { "config set", "KEY VALUE", "change one key; comments and all else stay as they are", 2, 2,
      NEEDS_CLASS(MSG_CONFIG) | NEEDS_CONF, NULL, cmd_config_set },
    { "config check", "", "can qcloud.conf, random.conf and policies.conf be used?", 0, 0,
      NEEDS_CLASS(MSG_CONFIG) | NEEDS_CONF, NULL, cmd_config_check },
    { "doctor", "[DIR...]",
      "what is wrong here: configuration, permissions, programs, clock, room, leftovers, and all of status",
      0, -1, NEEDS_CLASS(MSG_DOCTOR), doctor_opts, cmd_doctor },
    { "selftest", "", "does this program compute what it should: sealing, shares, signatures, randomness", 0,
      0, NEEDS_CLASS(MSG_DOCTOR), NULL, cmd_selftest },
    { "bench", "[local|gateway|paper|peers]",
      "how fast this machine, the way to the gateway, put and get are; beside papers and other programs", 0,
      1, NEEDS_CLASS(MSG_CALL), bench_opts, cmd_bench },
    { "gateway status", "", "the gateway's own state", 0, 0, NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF,
      status_opts, cmd_gateway_status },
    { "gateway repair", "", "find and rebuild what is missing or damaged on the clouds", 0, 0,
      NEEDS_CLASS(MSG_REPAIR) | NEEDS_CONF | NEEDS_OWN_GATEWAY, repair_opts, cmd_gateway_repair },
    { "gateway scrub", "", "look whether the clouds have what they should", 0, 0,
      NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY, scrub_opts, cmd_gateway_scrub },
    { "gateway scrub start", "", "the same", 0, 0, NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY,
      scrub_opts, cmd_gateway_scrub },
    { "gateway scrub status", "", "how passes stand, what was found, what was set by hand", 0, 0,
      NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_scrub_status },
    { "gateway scrub pause", "", "no pass goes on or begins until it is resumed, or for 24 hours", 0, 0,
      NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY, scrub_pause_opts, cmd_gateway_scrub_pause },
    { "gateway scrub resume", "", "passes go on where they were", 0, 0,
      NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY, scrub_pause_opts, cmd_gateway_scrub_resume },
    { "gateway scrub rate", "BYTES|off|default",
      "bytes a second that passes read, from now on; default: as it comes", 1, 1,
      NEEDS_CLASS(MSG_SCRUB) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_scrub_rate },
    { "gateway drill", "", "rehearse a loss of clouds, up to what the gateway can see", 0, 0,
      NEEDS_CLASS(MSG_DRILL) | NEEDS_CONF | NEEDS_OWN_GATEWAY, gateway_drill_opts, cmd_gateway_drill },
    { "gateway job ls", "", "long works that are under way, or were the last of their kind", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_job_ls },
    { "gateway job show", "repair|clouds|drill|scrub", "one of them, with its report", 1, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_job_show },
    { "gateway job cancel", "repair|clouds|drill|scrub", "it stops where that is safe; what was done stays",
      1, 1, NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_job_cancel },
    { "gateway job resume", "clouds|scrub", "what can go on does, now", 1, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_job_resume },
    { "gateway link ls", "", "what protects the ways to the clouds, and what their links say", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_link_ls },
    { "gateway link test", "[CLOUD]", "a connection is opened anew, and asked for something small", 0, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_link_test },
    { "gateway log level", "[debug|info|warn|error]", "what the gateway logs, until it starts again", 0, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_log_level },
    { "gateway debt ls", "", "what clouds are owed, since when, and how it is paid", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_debt_ls },
    { "gateway debt retry", "", "clouds that did not take what they are owed are tried again now", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_debt_retry },
    { "gateway snapshot", "", "as gateway snapshot create", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_snapshot },
    { "gateway snapshot create", "", "keep the gateway's catalogue on the clouds, now; say what lies where",
      0, 0, NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_snapshot },
    { "gateway snapshot ls", "", "snapshots of the catalogue: of when, how large, on which clouds", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_snapshot_ls },
    { "gateway snapshot verify", "[GENERATION]",
      "fetch them and make a catalogue of them, to see whether they hold", 0, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_snapshot_verify },
    { "gateway snapshot restore", "[GENERATION]",
      "the catalogue anew, from a snapshot on the clouds and all that came after it", 0, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, restore_opts, cmd_gateway_snapshot_restore },
    { "gateway rebuild", "", "make the gateway's catalogue anew from the clouds", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, rebuild_opts, cmd_gateway_rebuild },
    { "gateway audit", "",
      "what was done at the gateway, from its audit log, which is verified as it is read", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, gateway_audit_opts, cmd_gateway_audit },
    { "gateway selftest", "",
      "does the gateway compute what it should: codes, hashes, encryption, randomness", 0, 0,
      NEEDS_CLASS(MSG_DOCTOR) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_selftest },
    { "gateway cloud ls", "", "clouds, whose keys open them, what was shown of them", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_cloud_ls },
    { "gateway cloud validate", "CLOUD", "is a cloud fit for use? tried with objects that are removed again",
      1, 1, NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, validate_opts,
      cmd_gateway_cloud_validate },
    { "gateway cloud test", "CLOUD",
      "is it there? one small object goes there, comes back and goes; validate is the whole trial", 1, 1,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_cloud_test },
    { "gateway cloud set", "CLOUD", "labels and weight of a cloud; or it, or its keys, are elsewhere now", 1,
      1, NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, set_opts, cmd_gateway_cloud_set },
    { "gateway cloud add", "NAME=URL", "one more cloud: validated, then used", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, add_opts, cmd_gateway_cloud_add },
    { "gateway cloud drain", "CLOUD", "everything on a cloud goes elsewhere", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, drain_opts, cmd_gateway_cloud_drain },
    { "gateway cloud replace", "CLOUD NEWNAME=URL", "a new cloud gets what an old one has", 2, 2,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, replace_opts, cmd_gateway_cloud_replace },
    { "gateway cloud retire", "CLOUD", "a drained cloud goes for good", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, retire_opts, cmd_gateway_cloud_retire },
    { "gateway cloud domain", "cloud|provider|region|jurisdiction", "what fails together", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, NULL, cmd_gateway_cloud_domain },
    { "gateway keys", "", "what key there is for each way to a cloud that is keyed by QKD", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, keys_opts, cmd_keys },
    { "gateway plan exit", "CLOUD", "what it takes to leave a cloud; nothing is begun", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, plan_opts, cmd_plan_exit },
    { "gateway plan reprotect", "K,N", "what it takes to give what is stored another code; nothing is begun",
      1, 1, NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, plan_code_opts, cmd_plan_reprotect },
    { "gateway kit", "", "the operator's kit (the root key: keep it safe)", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF | NEEDS_OWN_GATEWAY, kit_opts, cmd_gateway_kit },
    { "rng list", "", "sources of randomness and policies, as configured", 0, 0, NEEDS_CLASS(MSG_RANDOM),
      NULL, cmd_rng_list },
    { "rng test", "[SOURCE...]", "start each source and test it; or test a sample", 0, QC_QRNG_SOURCES_MAX,
      NEEDS_CLASS(MSG_RANDOM), rng_test_opts, cmd_rng_test },
    { "rng enable", "SOURCE", "use a source again that three alarms have shut off", 1, 1,
      NEEDS_CLASS(MSG_RANDOM), NULL, cmd_rng_enable },
    { "rng bench", "SOURCE", "how fast a source gives", 1, 1, NEEDS_CLASS(MSG_RANDOM), rng_bytes_opts,
      cmd_rng_bench },
    { "rng read", "SOURCE", "write random bytes of a source to standard output", 1, 1,
      NEEDS_CLASS(MSG_RANDOM), rng_read_opts, cmd_rng_read },
    { "keys", "", "what key there is for each way that is keyed by QKD, and how long it lasts", 0, 0,
      NEEDS_CLASS(MSG_GATEWAY) | NEEDS_CONF, keys_opts, cmd_keys },
    { "plan exit", "CLOUD", "what it takes to leave a cloud; nothing is begun", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, plan_opts, cmd_plan_exit },
    { "plan reprotect", "K,N", "what it takes to give what is stored another code; nothing is begun", 1, 1,
      NEEDS_CLASS(MSG_MOVE) | NEEDS_CONF | NEEDS_OWN_GATEWAY, plan_code_opts, cmd_plan_reprotect },
    { "plan keys", "", "what key from QKD carries, and what some traffic needs", 0, 0, NEEDS_CLASS(MSG_CALL),
      plan_keys_opts, cmd_plan_keys },
    { "completion", "bash|zsh|fish", "the script by which a shell completes commands, options and names", 1,
      1, NEEDS_CLASS(MSG_CALL), NULL, cmd_completion },
    { "completion words", "WORD...", "what may come next on a command line: those scripts ask", 0, -1,
      NEEDS_CLASS(MSG_CALL), NULL, cmd_completion_words },
    { "completion names", "objects|clouds|sources|vaults [BEGINNING [WORD...]]",
      "names that there are, from a vault that opens without a passphrase, and that the words of a line "
      "choose: those scripts ask",
      1, -1, NEEDS_CLASS(MSG_LIST), NULL, cmd_completion_names },
    { "limits", "", "every limit of this program, with its reason", 0, 0, NEEDS_CLASS(MSG_CALL), NULL,
      cmd_limits },
    { "version", "", "the version of this program", 0, 0, NEEDS_CLASS(MSG_CALL), NULL, cmd_version },
    { "help", "[COMMAND|" HELP_TOPICS "]", "this text, a command's, or a whole page", 0, 3,
      NEEDS_CLASS(MSG_CALL), NULL, cmd_help },
    { 0 },
};

static const struct qc_named named[] = {
    /* cmd_completion_names knows them */
    { "NAME", ":objects" },   { "PREFIX", ":objects" }, { "CLOUD", ":clouds" },
    { "SOURCE", ":sources" }, { "VAULT", ":vaults" },   { 0 },
};

const struct qc_app app_table = {
    .name = "qcloud",
    .summary = "stores files on several clouds that nobody has to trust",
    .version = QC_VERSION,
    .globals = globals,
    .cmds = cmds,
    .footer = HELP_FOOTER,
    .named = named,
};

static qc_rc take_globals(struct client *c, const struct qc_args *args, bool plain, struct qc_err *err)
{
    QC_TRY(settings_take(c, args, plain, err));
    c->no_input = qc_args_flag(args, "no-input");
    c->strict = qc_args_flag(args, "strict");
    c->stats = qc_args_flag(args, "stats");
    c->nice = qc_args_flag(args, "nice");
    c->end.degraded_ok = qc_args_flag(args, "degraded-ok");
    QC_TRY(qc_args_span(args, "wait-lock", 0, QC_CLIENT_WAIT_MAX_S, &c->wait_lock_s, err));
    QC_TRY(limit_check(qc_args_value(args, "limit-rate", NULL), err));
    return qc_args_span(args, "timeout", 1, 86400 * 365, &c->deadline_s, err);
}

/* Does stdout carry an object's bytes? Then nothing else may go there. */
static bool carries_bytes(const struct qc_args *args)
{
    if (args->cmd->run == cmd_rng_read || args->cmd->run == cmd_cat)
        return true;
    return strcmp(args->cmd->name, "get") == 0 && args->argc == 2 && !qc_args_flag(args, "recursive") &&
           strcmp(args->argv[1], "-") == 0;
}

static qc_rc run_command(struct client *c, const struct qc_args *args, bool plain, struct qc_err *err)
{
    /* Text for people, asked for as such; and the kit, which is a file. */
    if (plain || (args->cmd != NULL && args->cmd->run == cmd_gateway_kit))
        c->out.json = false;
    if (qc_args_version(args))
        return cmd_version(c, args, err);
    if (qc_args_flag(args, "help"))
        return help_print(c, args->cmd, err);
    if (args->cmd == NULL)
        return QC_FAIL(err, QC_USAGE, "no command was given");
    if (carries_bytes(args))
        out_bytes_on_stdout(&c->out);
    out_start(&c->out);
    if (plain || args->cmd->run == cmd_version)
        return args->cmd->run(c, args, err);
    QC_TRY(secret_none_in_environment(err));
    c->passes = (struct vault_passes){ .ask = client_ask_pass, .ctx = c, .cancel = signals_cancel() };
    QC_TRY(profile_of(c, args, err));
    if (args->cmd->run == cmd_init) /* which makes one vault at a time, of whatever profile */
        c->shared = false;
    QC_TRY(settings_places(
        c, args, c->shared || c->out.class == MSG_SHARED_GET || c->out.class == MSG_SHARED_PUT, err));
    c->conf.idle_s = CONF_IDLE_DEFAULT;
    const bool needs_conf = (args->cmd->needs & NEEDS_CONF) != 0 && !c->shared; /* but those of the sites */
    c->needs_both = (args->cmd->needs & NEEDS_BOTH) != 0;
    if (needs_conf)
        QC_TRY(settings_conf(c, &c->conf, err));
    QC_TRY(policy_way(&c->policy, &c->conf, err));
    QC_TRY(limit_begin(c, qc_args_value(args, "limit-rate", NULL), err));
    QC_TRY(kit_take_recovery(c, args, err));
    if ((args->cmd->needs & NEEDS_OWN_GATEWAY) != 0 && remote_is(c))
        return remote_refuse(c, args->cmd->name, err);
    return args->cmd->run(c, args, err);
}

static qc_rc run_args(struct client *c, int argc, char **argv, struct qc_args *args, struct qc_err *err)
{
    struct qc_harden_opts harden = { .lock_bytes = SECRET_BYTES };
    QC_TRY(qc_process_harden(&harden, &c->secrets_locked, err));
    QC_TRY(signals_install(err));
    const qc_rc parsed = qc_opt_parse(args, &app_table, argc, argv, err);
    if (parsed != QC_OK) { /* told in the way that was asked for, as far as that could be read */
        const bool json = c->out.json;
        struct qc_err none = { 0 };
        qc_ignore(settings_take(c, args, false, &none), "what is wrong with the words is told");
        c->out.json = json;
        return parsed;
    }
    if (args->cmd != NULL) {
        c->out.command = args->cmd->name;
        c->out.class = (enum msg_class)(args->cmd->needs >> NEEDS_CLASS_SHIFT);
        if (c->out.class == MSG_INIT && qc_args_flag(args, "join"))
            c->out.class = MSG_JOIN;
    }
    const bool plain =
        qc_args_flag(args, "help") || qc_args_version(args) || (args->cmd != NULL && help_is_text(args->cmd));
    QC_TRY(take_globals(c, args, plain, err));
    return run_command(c, args, plain && !qc_args_version(args), err);
}

static qc_rc run(struct client *c, int argc, char **argv, struct qc_err *err)
{
    struct qc_args args = { 0 };
    const qc_rc rc = run_args(c, argc, argv, &args, err);
    if (rc != QC_OK)
        client_point_to_help(c, args.cmd, err);
    return rc;
}

/* A warning that belongs to no object, such as a share store that is not there, counts as well. */
static void apply_strict(struct client *c, struct qc_err *err)
{
    if (c->end.rc == QC_OK && c->strict && c->noted)
        c->end.rc = QC_FAIL(err, QC_DEGRADED, "done, with the warnings above");
}

int main(int argc, char **argv)
{
    static struct client c; /* 30 KiB of paths: too much for a stack's comfort */
    struct qc_err err = { 0 };
    qc_db_in_program();
    out_init(&c.out, "qcloud", MSG_CALL);
    vault_gw_waits_init(&c.waits);
    c.out.waits = &c.waits;
    c.out.json = setting_asks_json(argc, argv);
    out_called(&c.out, argc, argv);
    c.end.rc = run(&c, argc, argv, &err);
    limit_tell(&c);
    meter_end(&c);
    apply_strict(&c, &err);
    c.end.err = &err;
    int status = out_finish(&c.out, &c.end);
    qc_fd_close(&c.log.file);
    client_done(&c);
    return status;
}
