/* What all commands of qcloud share: places, configuration, output, the opened vault. Layer 5; uses base,
 * qrng, vault. */
#pragma once
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/opt.h"
#include "base/time.h"
#include "home/conf.h"
#include "messages.h"
#include "out.h"
#include "home/places.h"
#include "home/policy.h"
#include "qrng/qrng.h"
#include "home/revival.h"
#include "vault/vault.h"
#include "vault/xor23.h"

/* Bits of qc_cmd.needs: the class of the command's messages stands above them. */
enum { NEEDS_CONF = 1, NEEDS_OWN_GATEWAY = 2, NEEDS_BOTH = 4, NEEDS_CLASS_SHIFT = 8 };
#define NEEDS_CLASS(c) ((unsigned)(c) << NEEDS_CLASS_SHIFT)

struct keeping;
struct net_rate;
enum { CLIENT_RANGE = 48 }; /* two numbers */

struct client {
    struct out out;
    struct out_log log; /* what --log-file names, where it was given */
    struct places places;
    const char *vault_name; /* of the one that is meant, borrowed; NULL: it has none */
    struct conf conf;
    struct qrng *rng;            /* by random.conf */
    struct qrng *ids;            /* the operating system's: for what is no secret */
    struct vault *vault;         /* after client_open */
    struct revival revival;      /* of the gateway, after client_gateway; of one's own */
    qc_key *token;               /* for a gateway of many users, after client_gateway */
    struct net_rate *rate;       /* over all connections, those of sites too; owned by the command's own */
    struct stat conf_seen;       /* qcloud.conf when its limit was read last, by whichever thread */
    atomic_bool conf_unread;     /* it was changed then, and makes no sense */
    struct vault_gw_waits waits; /* what calls wait for; the one of the command's own is used */
    struct vault_gw_traffic traffic; /* with the gateway, since the command began */
    struct vault_notes notes;        /* of the operation under way */
    struct vault_notes told;         /* clouds that a warning has named: not said again of each object */
    struct out_end end;              /* what a command leaves for the last line */
    unsigned lost_share; /* the share that the command is about to rebuild: no news that it is lost; or 0 */
    unsigned withheld_share;    /* the share store that a drill does without; or 0 */
    uint64_t deadline_s;        /* of each operation; 0: none */
    uint64_t wait_lock_s;       /* how long another one that has a lock is waited for */
    struct vault_passes passes; /* of the share stores */
    struct vault_passes
        *keyring;     /* instead of these: another client's, which opens this one as a site; or NULL */
    bool source_used; /* the environment's source of the passphrase was asked */
    bool declined;    /* the user typed none */
    struct vault_keeper *keeper; /* of the configuration, after client_vault_conf; or NULL */
    qc_key *W;                   /* the recovery key of the vault, of a kit that was given; or NULL */
    bool no_input;               /* never ask at the terminal */
    bool no_prompt; /* this command gets along with a locked store: do not ask for its passphrase */
    bool strict, secrets_locked;
    bool needs_both;         /* the command wants both share stores, though it may get along with tickets */
    qc_rc kept_worst;        /* of those that were to be kept: what was refused */
    struct keeping *keeping; /* versions that are to be kept until a date (prune.h); or NULL */
    bool noted;              /* a warning was given that --strict counts */
    bool open;               /* of a put it is not known whether it was done */
    struct qrng_conf random; /* after client_random_conf */
    bool random_read;
    struct qrng_provenance provenance; /* of the last object's ids and keys */
    enum qrng_profile profile;         /* whose policy is asked */
    struct policy policy;              /* of put --policy; or none */
    bool shared;                       /* the profile of the command is one of three sites: */
    enum vault_scheme scheme;          /* this one */
    bool pad;                          /* --pad, whatever the configuration says */
    bool stats, nice;                  /* of the options */
    uint64_t written;                  /* bytes of fragments on clouds, as far as the gateway says so */
    bool metered;                      /* the command's result says what it used of the way to the gateway */
    const char *bulk;                  /* what made the shares, where there are any; else NULL */
    bool random_low_told;
    char help[QC_OPT_NAME_MAX + 16]; /* what to run next after a wrong call */
    struct {                         /* of the object that is told next: as in struct msg_about */
        uint64_t kept;
        const char *range_was;
        char range_there[CLIENT_RANGE];
    } left;
};

void client_done(struct client *c);
/* What to run next after a wrong call, where nothing says more: the help of its command. Words that are no
 * kit are no matter of the call. */
void client_point_to_help(struct client *c, const struct qc_cmd *cmd, struct qc_err *err);

/* A connection to the vault's gateway. The user's own is started where needed, also when it ends under the
 * command; one for many users is greeted (remote.h). */
QC_MUST qc_rc client_gateway(struct client *c, const struct vault_op *op, struct vault_gw **ret,
                             struct qc_err *err);
/* Is it the gateway of this vault? QC_NOTCONF: it has none of this number; of a remote one QC_AUTH. */
QC_MUST qc_rc client_has_vault(const struct client *c, struct vault_gw *gw, const struct vault_op *op,
                               struct qc_err *err);
/* The configured vault: gateway started where needed, share stores opened, chain replayed. Warnings are told.
 */
QC_MUST qc_rc client_open(struct client *c, struct qc_err *err);
/* A second session of the open vault, which draws nothing secret: to read in one thread while another
 * writes. */
QC_MUST qc_rc client_open_reader(struct client *c, struct vault **ret, struct qc_err *err);
/* The parameters of libqcloud from a configuration; borrowed from c. Opens the source of randomness. */
QC_MUST qc_rc client_vault_conf(struct client *c, struct vault_conf *ret, struct qc_err *err);
/* A call with this client's deadline, cancel flag and notes. */
struct vault_call client_call(struct client *c);
struct progress;
/* The same, with its progress told: progress_begin of p, which outlives the call; its owner ends it. */
struct vault_call client_call_shown(struct client *c, struct progress *p, qc_span label, const char *noun,
                                    bool bytes);
/* Tell the notes of the last operation, which ended with rc, as warnings, and forget them. name: of its
 * object, or empty. True when there were any that --strict counts. */
bool client_tell_notes(struct client *c, qc_rc rc, qc_span name);
/* The sources of randomness, by random.conf; nothing of them is touched before bytes are drawn. */
QC_MUST qc_rc client_rng(struct client *c, struct qc_err *err);
/* Before what cannot be taken back: QC_RANDOM if the policy wants a source in health and none is. */
QC_MUST qc_rc client_random_ready(struct client *c, struct qc_err *err);
/* random.conf into c->random. Errors: home_random_conf's. */
QC_MUST qc_rc client_random_conf(struct client *c, struct qc_err *err);
/* For vault_gw_http_aside: bytes will be wanted soon. ctx: the client. */
void client_random_warm(void *ctx);
/* The same, later: what is there is tested, and made ready for the first draw. */
void client_random_ahead(void *ctx);
/* For vault_conf.tell: what c->provenance says now. */
const char *client_random_tell(void *ctx);
/* After an object was stored: warnings about its randomness. True: the policy prefers a source, and its keys
 * were made without one. */
bool client_random_warn(struct client *c);

/* An object was stored: tell it, and what is to be said of its randomness. QC_DEGRADED: with less than was
 * asked for; err says what. folder: one of a tree, for which nobody has asked by its name: told with -v
 * alone. */
QC_MUST qc_rc client_stored(struct client *c, qc_span name, bool folder, struct vault_put_result *r,
                            struct qc_err *err);
struct vault_source_file;
struct vault_sink_file;
/* QC_DEGRADED: some extended attributes of the file were not stored; were not given to the one at path; sites
 * keep none. The file itself is well. */
QC_MUST qc_rc client_kept_all(const struct vault_source_file *f, bool at_sites, qc_span name,
                              struct qc_err *err);
QC_MUST qc_rc client_gave_all(const struct vault_sink_file *f, const char *path, struct qc_err *err);

struct timespec client_time_of(int64_t ns); /* since 1970 */
/* Mode (but for bits that a get does not set) and time of the folder rest below root, where it has others;
 * NULL: not that one. No link is gone through. ret: how it is now. QC_CHANGED: it is none, or lies behind a
 * link; QC_AUTH */
QC_MUST qc_rc client_give_folder(int root, qc_span rest, const uint32_t *mode, const int64_t *mtime_ns,
                                 struct stat *ret, struct qc_err *err);
/* Is this object a folder? */
bool client_is_folder(const struct vault_stat *s);
/* The folder dir/rest, and those above it, made durably where they are not there; nothing goes through a
 * link. */
QC_MUST qc_rc client_make_below(const char *dir, qc_span rest, char path[QC_CLIENT_PATH_MAX],
                                struct qc_err *err);
/* dir/rest, and the directories between them made, durably: a file is only as safe as they are. QC_LIMIT: too
 * long. */
QC_MUST qc_rc client_place_below(const char *dir, qc_span rest, char path[QC_CLIENT_PATH_MAX],
                                 struct qc_err *err);
/* The same beside a place that was just found so, or NULL: where both lie in one directory it is there. */
QC_MUST qc_rc client_place_beside(const char *dir, const char *last, qc_span rest,
                                  char path[QC_CLIENT_PATH_MAX], struct qc_err *err);
/* One directory, durably. Its parent must be there: a path that begins at a disk that is not mounted shall
 * not come into being on another one. */
QC_MUST qc_rc client_make_dir(const char *dir, struct qc_err *err);

/* An object's end that is that of all others, too. */
bool client_ends_run(qc_rc rc);
/* For a run over several objects: tell one object's outcome, and fold it into *worst. False: the run should
 * end (its cause would stop the others too). */
bool client_object(struct client *c, qc_rc rc, qc_span name, const struct qc_err *why, qc_rc *worst);
/* The same of a put. open: it failed, and what was sent may be committed all the same. */
bool client_put_object(struct client *c, qc_rc rc, bool open, qc_span name, const struct qc_err *why,
                       qc_rc *worst);
/* The outcome of such a run, whose messages were told object by object. what: "not stored as asked". */
QC_MUST qc_rc client_outcome(struct client *c, qc_rc worst, const char *what, struct qc_err *err);

/* "share 1" of a directory's default place: <data>/share1. */
QC_MUST qc_rc client_share_place(const struct client *c, unsigned index, char ret[QC_CLIENT_PATH_MAX],
                                 struct qc_err *err);

qc_rc cmd_help(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_version(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_limits(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_completion(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_completion_words(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_init(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_put(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_get(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cat(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_sync(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_watch(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_stat(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_explain(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_reseal(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rng_list(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rng_test(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rng_enable(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rng_bench(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rng_read(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_completion_names(void *app, const struct qc_args *args, struct qc_err *err);
extern const struct qc_opt keys_opts[];
qc_rc cmd_keys(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_plan_keys(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_certificate_verify(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_certificate_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_certificate_key(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_rm(void *app, const struct qc_args *args, struct qc_err *err);
extern const struct qc_opt mv_opts[];
qc_rc cmd_mv(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_versions(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_trash_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_trash_empty(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_prune(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_lock(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_trash_restore(void *app, const struct qc_args *args, struct qc_err *err);
extern const struct qc_opt verify_opts[];
qc_rc cmd_verify(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_passphrase(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_drill(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_recover(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tickets_draw(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tickets_cancel(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_kit_print(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_kit_restore(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_kit_verify(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_kit_refresh(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_profiles(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_site_list(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_site_remove(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_site_rebuild(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_status(void *app, const struct qc_args *args, struct qc_err *err);
extern const struct qc_opt config_show_opts[];
qc_rc cmd_config_show(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_config_get(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_config_set(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_config_check(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_bench(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_doctor(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_status(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_rebuild(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_validate(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_test(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_set(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_add(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_drain(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_replace(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_retire(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_cloud_domain(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_plan_exit(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_plan_reprotect(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_repair(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_scrub(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_job_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_job_show(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_job_cancel(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_job_resume(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_link_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_link_test(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_log_level(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_debt_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_debt_retry(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_scrub_status(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_scrub_pause(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_scrub_resume(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_scrub_rate(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_selftest(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_selftest(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_audit(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_snapshot(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_snapshot_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_snapshot_restore(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_snapshot_verify(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_drill(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_gateway_kit(void *app, const struct qc_args *args, struct qc_err *err);
/* --backup-to and --backup-credentials into the configuration. *ret: they were given. QC_USAGE */
QC_MUST qc_rc client_take_keeper(struct client *c, const struct qc_args *args, bool *ret, struct qc_err *err);
/* init --join. */
QC_MUST qc_rc client_join(struct client *c, const struct qc_args *args, struct qc_err *err);
/* init --from-kit: a vault that is nowhere here comes back by its kit (kit_place). */
QC_MUST qc_rc client_init_from_kit(struct client *c, const struct qc_args *args, struct qc_err *err);
/* The device of the keeper, where it is a directory that is there. */
bool client_keeper_device(const struct client *c, uint64_t *ret);
/* Things that lie on one device and should not; told as warnings. n, k: of the vault. */
QC_MUST qc_rc client_warn_places(struct client *c, const char *share1, const char *share2, unsigned k,
                                 unsigned n, struct qc_err *err);
/* A cloud and where it lies; borrowed. */
struct cloud_place {
    const char *name, *url;
};
/* The same of the clouds that are directories, and there. *ret_domains: how many of the clouds do not share a
 * device with an earlier one; *ret_crowd: the most on one. count: up to VAULT_CLOUDS_MAX. QC_NOMEM. */
QC_MUST qc_rc client_warn_clouds(struct client *c, const struct cloud_place *places, size_t count,
                                 unsigned *ret_domains, unsigned *ret_crowd, struct qc_err *err);
/* The same of a descriptor's. */
QC_MUST qc_rc client_warn_descriptor(struct client *c, const struct vault_descriptor *d, struct qc_err *err);
/* Is there nothing else of the vault at the keeper's place, as the configuration has it and the stores, and
 * the gateway, which is asked, its clouds? Errors: home_keeper_apart's, the gateway's. */
QC_MUST qc_rc client_keeper_apart_now(struct client *c, struct qc_err *err);
/* Clouds as a gateway's status has them, with id, name and URL, behind those that d has. QC_FORMAT */
QC_MUST qc_rc client_describe_clouds(const struct json_t *clouds, struct vault_descriptor *d,
                                     struct qc_err *err);
/* The share stores that are there name the gateway's clouds as they are now. tell: a store that cannot be
 * written is told as a warning. A gateway for many users: nothing is done. Errors: those of the gateway. */
QC_MUST qc_rc client_renew_clouds(struct client *c, struct vault_gw *gw, bool tell, struct qc_err *err);
/* Rebuild the gateway's state from the clouds of a descriptor; cloud options NAME=URL replace places. */
QC_MUST qc_rc client_rebuild(struct client *c, const struct qc_args *args, const struct vault_descriptor *d,
                             struct qc_err *err);
