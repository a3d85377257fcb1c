/* init: a new vault (--local, --gateway), or an old one on a new machine (--join, in cmd_join.c). */
#include "client.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud_keys.h"
#include "disks.h"
#include "home/gateway_start.h"
#include "home/keeper.h"
#include "kit.h"
#include "passphrase.h"
#include "profile.h"
#include "remote.h"
#include "settings.h"
#include "statement.h"
#include "text.h"
#include "vault/share_store.h"

enum { INIT_WORDS = 4 * VAULT_CLOUDS_MAX + 12 };

struct init {
    struct client *c;
    const struct qc_args *args;
    char share[2][QC_CLIENT_PATH_MAX], disk[2][DISK_PLACE_MAX]; /* as in conf */
    uint64_t k, n;
    size_t clouds;
    bool derived, recovers, kept;
    struct cloud_keys keys;
    qc_buf words;                /* NAME=URL, each with its NUL */
    size_t at[VAULT_CLOUDS_MAX]; /* offsets into words */
    struct vault_lock lock;      /* of both stores */
};

static void init_done(struct init *i)
{
    qc_buf_free(&i->words);
    cloud_keys_done(&i->keys);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           (c >= 'A' && c <= 'Z');
}

/* Length of NAME in NAME=URL; 0: a bare URL. */
static size_t name_length(const char *s)
{
    size_t n = 0;
    while (is_name_byte(s[n]))
        n++;
    return s[n] == '=' ? n : 0;
}

static qc_rc take_clouds(struct init *i, struct qc_err *err)
{
    const char *v = NULL;
    i->words.max = QC_CLIENT_TEXT_MAX * VAULT_CLOUDS_MAX;
    for (size_t at = 0; (v = qc_args_nth(i->args, "cloud", at)) != NULL; at++) {
        size_t named = name_length(v);
        const char *url = named > 0 ? v + named + 1 : v;
        if (at >= VAULT_CLOUDS_MAX)
            return QC_FAIL(err, QC_USAGE, "more than %d clouds", VAULT_CLOUDS_MAX);
        if (strstr(url, "://") == NULL)
            return QC_FAIL(err, QC_USAGE,
                           "--cloud %.80s is no URL; a directory is written file:///absolute/path", v);
        i->at[at] = i->words.n;
        if (named > 0)
            QC_TRY(qc_buf_addf(&i->words, err, "%s", v));
        else
            QC_TRY(qc_buf_addf(&i->words, err, "c%zu=%s", at + 1, v));
        QC_TRY(qc_buf_add_zero(&i->words, 1, err));
        i->clouds++;
    }
    if (i->clouds == 0)
        return QC_FAIL(err, QC_USAGE, "no cloud was given: --cloud [NAME=]URL, once for each");
    return QC_OK;
}

/* Two clouds may be lost where there are four or more, one where there are two or three. */
static uint64_t default_k(uint64_t n)
{
    return n >= 4 ? n - 2 : n >= 2 ? n - 1 : 1;
}

static qc_rc take_numbers(struct init *i, struct qc_err *err)
{
    i->n = i->clouds;
    QC_TRY(qc_args_u64(i->args, "n", false, 1, VAULT_CLOUDS_MAX, &i->n, err));
    if (i->n > i->clouds)
        return QC_FAIL(err, QC_USAGE, "--n %" PRIu64 " is more than the %zu clouds given", i->n, i->clouds);
    i->k = default_k(i->n);
    QC_TRY(qc_args_u64(i->args, "k", false, 1, VAULT_CLOUDS_MAX, &i->k, err));
    if (i->k > i->n)
        return QC_FAIL(err, QC_USAGE, "--k %" PRIu64 " is more than n = %" PRIu64, i->k, i->n);
    return QC_OK;
}

/* A share store's directory is missing, empty or half made: whatever else is there stays untouched. */
static qc_rc check_empty(const char *dir, const char *what, struct qc_err *err)
{
    DIR *d = opendir(dir);
    if (d == NULL && errno == ENOENT)
        return QC_OK;
    if (d == NULL && errno == ENOTDIR)
        return QC_FAIL(err, QC_USAGE, "%s %.200s is no directory, or something above it is none", what, dir);
    if (d == NULL)
        return QC_FAIL_OS(err, "%s %s", what, dir);
    bool used = false;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        used = used || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0);
    closedir(d);
    if (!used || vault_store_is_half(dir)) /* an init that was broken off: this one begins anew */
        return QC_OK;
    char key[QC_CLIENT_PATH_MAX];
    QC_TRY(places_join(dir, "store.key", key, err));
    if (access(key, F_OK) == 0)
        return QC_FAIL(err, QC_USAGE, "%s %s is already a share store of some vault", what, dir);
    return QC_FAIL(err, QC_USAGE, "%s %s is not empty", what, dir);
}

static qc_rc take_shares(struct init *i, struct qc_err *err)
{
    static const char *const options[] = { "share1", "share2" };
    static const char *const names[] = { "share 1", "share 2" };
    for (unsigned s = 0; s < 2; s++) {
        char place[QC_CLIENT_PATH_MAX];
        QC_TRY(client_share_place(i->c, s + 1, place, err));
        const char *meant = NULL;
        QC_TRY(setting_share(s, place, &meant, err));
        meant = qc_args_value(i->args, options[s], meant);
        QC_TRY_AS(client_place(i->c, meant, i->share[s], i->disk[s], err), err, "--%s", options[s]);
    }
    if (places_within(i->share[0], i->share[1]) || places_within(i->share[1], i->share[0]))
        return QC_FAIL(err, QC_USAGE,
                       "share 1 (%s) and share 2 (%s) must be two places, none within the other", i->share[0],
                       i->share[1]);
    for (unsigned s = 0; s < 2; s++) {
        char cloud_mark[QC_CLIENT_PATH_MAX];
        QC_TRY(places_join(i->share[s], ".qcloud-cloud", cloud_mark, err));
        if (access(cloud_mark, F_OK) == 0)
            return QC_FAIL(err, QC_USAGE, "%s %s is a cloud's directory", names[s], i->share[s]);
        QC_TRY(check_empty(i->share[s], names[s], err));
    }
    return QC_OK;
}

static qc_rc take_mode(struct init *i, struct qc_err *err)
{
    const char *mode = qc_args_value(i->args, "mode", "stored");
    i->derived = strcmp(mode, "derived") == 0;
    if (!i->derived && strcmp(mode, "stored") != 0)
        return QC_FAIL(err, QC_USAGE, "--mode is stored or derived, and not '%.40s'", mode);
    const char *recovery = qc_args_value(i->args, "recovery", NULL);
    i->recovers = recovery != NULL;
    if (i->recovers && strcmp(recovery, "kit") != 0)
        return QC_FAIL(err, QC_USAGE, "--recovery is kit, and not '%.40s'", recovery);
    if (i->recovers && i->derived)
        return QC_FAIL(
            err, QC_USAGE,
            "--recovery kit and --mode derived do not go together: seeds have sheets of their own, and "
            "what they need after kit refresh would be sealed under a third one");
    return QC_OK;
}

/* Is the keeper's place one of its own? */
static qc_rc check_apart(const struct init *i, struct qc_err *err)
{
    const char *const share[] = { i->share[0], i->share[1] };
    struct vault_cloud clouds[VAULT_CLOUDS_MAX] = { 0 };
    for (size_t at = 0; at < i->clouds; at++)
        clouds[at].url = strchr((char *)i->words.p + i->at[at], '=') + 1;
    QC_TRY(home_keeper_apart(i->c->conf.keeper, clouds, i->clouds, share, err));
    return remote_is(i->c) ? QC_OK : home_keeper_off_gateway(i->c->conf.keeper, i->c->places.gateway, err);
}

/* The keeper goes into the configuration. */
static qc_rc take_keeper(struct init *i, struct qc_err *err)
{
    const char *refused = i->derived ? "--mode derived" : i->recovers ? "--recovery kit" : NULL;
    QC_TRY(client_take_keeper(i->c, i->args, &i->kept, err));
    if (!i->kept)
        return QC_OK;
    if (refused != NULL)
        return QC_FAIL(err, QC_USAGE, "--backup-to and %s do not go together: %s", refused,
                       i->derived
                           ? "what the sheets of the seeds need after kit refresh would be with the "
                             "keeper; leave --mode derived out"
                           : "each by itself keeps a share store and the gateway from opening anything; "
                             "leave one of them out");
    return check_apart(i, err);
}

static qc_rc check_first_time(const struct client *c, struct qc_err *err)
{
    if (access(c->places.conf_file, F_OK) == 0)
        return QC_FAIL(err, QC_USAGE, "a vault is already set up here (%s)", c->places.conf_file);
    return QC_OK;
}

/* *ret_found: this state directory has a gateway already; make_vault looks whether it is the one asked for,
 * made by an init that was interrupted later. */
static qc_rc make_gateway(struct init *i, bool *ret_found, struct qc_err *err)
{
    const char *argv[INIT_WORDS] = { "qcloud-gateway", "init", "--state", i->c->places.gateway, "--k" };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf rest = { .max = QC_CLIENT_TEXT_MAX };
    char k[24];
    char n[24];
    size_t w = 5;
    snprintf(k, sizeof k, "%" PRIu64, i->k);
    snprintf(n, sizeof n, "%" PRIu64, i->n);
    argv[w++] = k;
    if (i->n != i->clouds) {
        argv[w++] = "--n";
        argv[w++] = n;
    }
    for (size_t at = 0; at < i->clouds; at++) {
        argv[w++] = "--cloud";
        argv[w++] = (const char *)i->words.p + i->at[at];
    }
    w = cloud_keys_argv(&i->keys, argv, w);
    QC_ASSERT(w < INIT_WORDS);
    QC_TRY_AS(qc_dir_make_path(i->c->places.gateway, 0700, err), err, "gateway state");
    char catalogue[QC_CLIENT_PATH_MAX];
    QC_TRY(places_join(i->c->places.gateway, "catalogue.db", catalogue, err));
    bool found = access(catalogue, F_OK) == 0;
    qc_rc rc = gateway_run(argv, &said, err);
    if (rc == QC_CONFLICT && found) {
        *ret_found = true;
        return QC_OK;
    }
    if (rc == QC_USAGE && !found) /* what was made for a gateway that there will not be */
        places_unmake(&i->c->places);
    struct qc_err unused = { 0 };
    qc_ignore(cloud_keys_tell(i->c, &said, &rest, &unused), "warnings about clouds; the outcome is told");
    return rc;
}

/* What the stores shall know of the gateway, as it says itself. */
static qc_rc describe(struct init *i, struct vault_gw *gw, const struct vault_call *call,
                      struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct json_t *clouds = NULL;
    int64_t v = 0;
    QC_TRY(gw->ops->status(gw, &text, &call->op, err));
    QC_TRY(qc_json_parse(&j, qc_buf_span(&text), err));
    QC_TRY(qc_json_hex(j, "catalogue", d->catalogue, VAULT_ID_BYTES, err));
    QC_TRY(qc_json_int(j, "k", 1, VAULT_CLOUDS_MAX, &v, err));
    d->k = (unsigned)v;
    QC_TRY(qc_json_int(j, "n", d->k, VAULT_CLOUDS_MAX, &v, err));
    d->n = (unsigned)v;
    QC_TRY(qc_json_arr(j, "clouds", &clouds, err));
    if (!remote_is(i->c))
        return client_describe_clouds(clouds, d, err);
    i->clouds = qc_json_len(clouds);
    return vault_descriptor_set_url(d, i->c->conf.gateway, err);
}

/* Is d what this command line asks for? */
static bool same_gateway(const struct init *i, const struct vault_descriptor *d)
{
    bool same = d->k == i->k && d->n == i->n && d->cloud_count == i->clouds;
    for (size_t at = 0; same && at < i->clouds; at++) {
        const char *word = (const char *)i->words.p + i->at[at];
        size_t n = strlen(d->clouds[at].name);
        same = strncmp(word, d->clouds[at].name, n) == 0 && word[n] == '=' &&
               strcmp(word + n + 1, d->clouds[at].url) == 0;
    }
    return same;
}

static qc_rc make_vault(struct init *i, bool found, struct vault_descriptor *d, struct qc_err *err)
{
    struct client *c = i->c;
    struct vault_conf conf;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_call call = client_call(c);
    memcpy(c->conf.share, i->share, sizeof c->conf.share);
    memcpy(c->conf.disk, i->disk, sizeof c->conf.disk);
    QC_TRY(client_vault_conf(c, &conf, err));
    conf.lock = i->lock;
    conf.derived = i->derived;
    conf.recovers = i->recovers;
    conf.kept = i->kept;
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(describe(i, gw, &call, d, err));
    if (found && !same_gateway(i, d))
        return QC_FAIL(err, QC_USAGE, "%s has a gateway already, with other clouds or another k",
                       c->places.gateway);
    if (i->kept) {
        const char *credentials = c->conf.keeper_credentials;
        QC_TRY(home_keeper_make(c->conf.keeper, credentials[0] != '\0' ? credentials : NULL, &call.op, err));
        QC_TRY(vault_descriptor_set_keeper(d, c->conf.keeper, err));
    }
    QC_TRY(vault_create(c->conf.vault, &conf, d, gw, &call, err));
    client_tell_notes(c, QC_OK, (qc_span){ 0 });
    c->conf.has_vault = true;
    QC_TRY(conf_save(&c->places, &c->conf, err));
    for (unsigned s = 0; s < 2; s++) {
        struct qc_err unused = { 0 };
        qc_ignore(vault_store_made(i->share[s], &unused), "the next command to open the store does it");
    }
    return QC_OK;
}

bool client_keeper_device(const struct client *c, uint64_t *ret)
{
    struct stat st;
    if (strncmp(c->conf.keeper, "file://", 7) != 0 || stat(c->conf.keeper + 7, &st) != 0)
        return false;
    *ret = st.st_dev;
    return true;
}

static void warn_keeper(struct client *c, const uint64_t share[2], uint64_t gateway)
{
    uint64_t device = 0;
    if (!client_keeper_device(c, &device))
        return;
    if (device == share[0] || device == share[1])
        out_warn(&c->out, MSG_W_STORES_DEVICE, NULL, "share %s and the keeper (%s) lie on one device",
                 device == share[0] ? "1" : "2", c->conf.keeper + 7);
    if (!remote_is(c) && device == gateway)
        out_warn(&c->out, MSG_W_OTHER, NULL,
                 "the keeper (%s) lies on the gateway's device: whoever has that and a share store can read "
                 "everything",
                 c->conf.keeper + 7);
}

qc_rc client_warn_places(struct client *c, const char *share1, const char *share2, unsigned k, unsigned n,
                         struct qc_err *err)
{
    uint64_t device[2] = { 0, 0 };
    uint64_t gateway = 0;
    QC_TRY(places_device(share1, &device[0], err));
    QC_TRY(places_device(share2, &device[1], err));
    if (!remote_is(c))
        QC_TRY(places_device(c->places.gateway, &gateway, err));
    if (device[0] == device[1])
        out_warn(&c->out, MSG_W_STORES_DEVICE, NULL, "share 1 (%s) and share 2 (%s) lie on one device",
                 share1, share2);
    bool open1 = !remote_is(c) && device[0] == gateway && !vault_store_is_locked(share1);
    bool open2 = !remote_is(c) && device[1] == gateway && !vault_store_is_locked(share2);
    if (open1 || open2)
        out_warn(&c->out, MSG_W_GATEWAY_DEVICE, NULL, "one device holds share %s and the gateway",
                 !open1   ? "2"
                 : !open2 ? "1"
                          : "1, share 2");
    warn_keeper(c, device, gateway);
    if (n == k && n > 0)
        out_warn(&c->out, MSG_W_MARGIN_ZERO, NULL, "k = n = %u: every cloud is needed", n);
    return QC_OK;
}

static qc_rc summary(const struct init *i, const struct vault_descriptor *d, struct qc_err *err)
{
    struct client *c = i->c;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_hex(j, "vault", qc_span_of(c->conf.vault, CONF_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "k", d->k, err));
    QC_TRY(qc_json_set_int(j, "n", d->n, err));
    QC_TRY(qc_json_set_int(j, "clouds", (int64_t)i->clouds, err));
    QC_TRY(text_json(j, "gateway", qc_span_str(remote_is(c) ? c->conf.gateway : "local"), err));
    QC_TRY(text_json(j, "share1", qc_span_str(c->conf.share[0]), err));
    QC_TRY(text_json(j, "share2", qc_span_str(c->conf.share[1]), err));
    QC_TRY(qc_json_set_str(j, "mode", i->derived ? "derived" : "stored", err));
    QC_TRY(qc_json_set_bool(j, "recovery_kit", i->recovers, err));
    if (i->kept)
        QC_TRY(text_json(j, "keeper", qc_span_str(c->conf.keeper), err));
    QC_TRY(qc_json_set_bool(j, "passphrase", i->lock.pass != NULL, err));
    QC_TRY(text_json(j, "random", qc_span_str(c->provenance.text), err));
    QC_TRY(qc_json_set_str(j, "statement", client_statement(i->recovers, i->kept), err));
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}

/* The vault is there: say so. */
static qc_rc tell_made(const struct init *i, const struct vault_descriptor *d, struct qc_err *err)
{
    struct client *c = i->c;
    out_note(&c->out, "the vault is ready: any %u of %u clouds are enough, and %s", d->k, d->n,
             i->recovers ? "both share stores, or one and the recovery kit"
             : i->kept   ? "both share stores, or one and the keeper"
                         : "one of the two share stores");
    if (i->recovers)
        out_note(&c->out,
                 "print the recovery kit now, before anything is stored: qcloud kit print --recovery");
    if (i->kept)
        out_note(&c->out, "backup data goes to the keeper at %s, which every put needs", c->conf.keeper);
    out_note(&c->out, "share 1 is %s, share 2 is %s; the configuration is %s", c->conf.share[0],
             c->conf.share[1], c->places.conf_file);
    out_note(&c->out, "%s", client_statement(i->recovers, i->kept));
    if (i->derived)
        out_note(&c->out, "%s", STATEMENT_DERIVED);
    QC_TRY(client_warn_places(c, c->conf.share[0], c->conf.share[1], d->k, d->n, err));
    QC_TRY(client_warn_descriptor(c, d, err));
    c->provenance = qrng_provenance(c->rng);
    QC_TRY(summary(i, d, err));
    if (client_random_warn(c))
        return QC_FAIL(err, QC_DEGRADED,
                       "the vault is ready; its secrets were made without a quantum source");
    return QC_OK;
}

/* Options that say something about another way to make, or to join, a vault. */
static qc_rc refuse_options(const struct qc_args *args, const char *way, const char *const *options,
                            size_t count, struct qc_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (qc_args_flag(args, options[i]))
            return QC_FAIL(err, QC_USAGE, "--%s says nothing with %s", options[i], way);
    if (args->argc > 0)
        return QC_FAIL(err, QC_USAGE, "init %s takes no argument, '%.80s' was given", way, args->argv[0]);
    return QC_OK;
}

/* At a gateway for many users. It is asked first: nothing is made, and no passphrase typed, for one that does
 * not take the token. */
static qc_rc init_remote(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    static const char *const others[] = { "cloud", "cloud-credentials", "k", "n", "take-over", "kit" };
    QC_CLEANUP(init_done) struct init i = { .c = c, .args = args };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    QC_TRY(refuse_options(args, "--gateway", others, sizeof others / sizeof others[0], err));
    QC_TRY(remote_take(c, args, err));
    QC_TRY(take_shares(&i, err));
    QC_TRY(take_mode(&i, err));
    QC_TRY(take_keeper(&i, err));
    {
        QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
        struct vault_call call = client_call(c);
        QC_TRY(client_gateway(c, &call.op, &gw, err));
    }
    QC_TRY(client_first_lock(c, args, &i.lock, err));
    QC_TRY(make_vault(&i, false, &d, err));
    return tell_made(&i, &d, err);
}

/* The one that was started for a vault that is not to be: it would hold its lock until it is idle, against
 * the same command, corrected. */
static void leave_gateway(struct client *c)
{
    struct qc_err unused = { 0 };
    qc_ignore(gateway_stop(c->places.gateway, NULL, &unused), "it leaves by itself when it is idle");
}

static qc_rc init_local(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    static const char *const others[] = { "token-file", "ca", "link", "level", "qkd", "take-over", "kit" };
    QC_CLEANUP(init_done) struct init i = { .c = c, .args = args };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    bool found = false;
    QC_TRY(refuse_options(args, "--local", others, sizeof others / sizeof others[0], err));
    QC_TRY(take_clouds(&i, err));
    QC_TRY(cloud_keys_take(args, &i.keys, err));
    QC_TRY(take_numbers(&i, err));
    QC_TRY(take_shares(&i, err));
    QC_TRY(take_mode(&i, err));
    QC_TRY(take_keeper(&i, err));
    QC_TRY(client_first_lock(c, args, &i.lock, err));
    QC_TRY(client_random_ready(c, err)); /* a gateway is not made for a vault that cannot be */
    QC_TRY(make_gateway(&i, &found, err));
    const qc_rc rc = make_vault(&i, found, &d, err);
    if (rc != QC_OK)
        leave_gateway(c);
    QC_TRY(rc);
    return tell_made(&i, &d, err);
}

/* Where a vault of its own gateway is: what was scanned with the words, else the clouds of the command line.
 */
static qc_rc take_where(struct init *i, struct kit_given *kit, struct vault_descriptor *ret,
                        struct qc_err *err)
{
    if (kit->has_d) {
        *ret = QC_STEAL(kit->d);
        kit->has_d = false;
        return QC_OK;
    }
    if (!qc_args_flag(i->args, "cloud"))
        return QC_FAIL(
            err, QC_USAGE,
            "the words do not say where the vault is: scan both codes of the sheet into one file, or name "
            "each cloud with --cloud NAME=URL, or the gateway with --gateway URL");
    QC_TRY(take_clouds(i, err));
    for (size_t at = 0; at < i->clouds; at++) {
        char word[QC_CLIENT_PATH_MAX];
        snprintf(word, sizeof word, "%s", (const char *)i->words.p + i->at[at]);
        char *url = strchr(word, '=');
        QC_ASSERT(url != NULL);
        *url = '\0';
        QC_TRY(vault_descriptor_add_cloud(ret, (uint32_t)at + 1, word, url + 1, err));
    }
    return QC_OK;
}

/* The gateway that the kit's vault has, or had: reached, or made anew from its clouds. */
static qc_rc find_gateway(struct init *i, struct kit_given *kit, struct qc_err *err)
{
    static const char *const own[] = { "token-file", "ca",       "k",         "n",
                                       "mode",       "recovery", "backup-to", "backup-credentials" };
    static const char *const remote[] = {
        "cloud",     "cloud-credentials", "k", "n", "take-over", "kit", "mode", "recovery",
        "backup-to", "backup-credentials"
    };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor where = { 0 };
    struct client *c = i->c;
    if (remote_meant(i->args) != NULL && !qc_args_flag(i->args, "take-over")) {
        QC_TRY(refuse_options(i->args, "--from-kit and --gateway", remote, sizeof remote / sizeof remote[0],
                              err));
        return remote_take(c, i->args, err);
    }
    QC_TRY(refuse_options(i->args, "--from-kit", own, sizeof own / sizeof own[0], err));
    QC_TRY(take_where(i, kit, &where, err));
    if (where.url != NULL)
        return QC_FAIL(
            err, QC_USAGE,
            "--gateway URL is missing. The kit says %s: is that what the gateway's operator gave you with "
            "the token?",
            where.url);
    if (!qc_args_flag(i->args, "take-over"))
        return QC_FAIL(
            err, QC_USAGE,
            "the vault comes back with a gateway of its own here, and the old machine's is shut out of the "
            "clouds for good; say so with --take-over");
    QC_TRY_AS(qc_dir_make_path(c->places.gateway, 0700, err), err, "gateway state");
    return client_rebuild(c, i->args, &where, err);
}

/* Stores by the kit; then what the gateway's listing says of versions. */
static qc_rc revive(struct init *i, const struct kit_given *kit, struct vault_descriptor *d,
                    struct qc_err *err)
{
    struct client *c = i->c;
    struct vault_conf conf;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_call call = client_call(c);
    uint64_t objects = 0;
    memcpy(c->conf.share, i->share, sizeof c->conf.share);
    memcpy(c->conf.disk, i->disk, sizeof c->conf.disk);
    QC_TRY(client_vault_conf(c, &conf, err));
    conf.lock = i->lock;
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(describe(i, gw, &call, d, err));
    QC_TRY(vault_revive(&conf, &kit->kit, d, gw, &call, err));
    vault_gw_close(&gw);
    memcpy(c->conf.vault, kit->kit.vault, sizeof c->conf.vault);
    c->conf.has_vault = true;
    QC_TRY(conf_save(&c->places, &c->conf, err));
    for (unsigned s = 0; s < 2; s++) {
        struct qc_err unused = { 0 };
        if (kit->kit.seed[s] != NULL)
            qc_ignore(vault_store_made(i->share[s], &unused), "the next command to open the store does it");
    }
    c->lost_share = kit->kit.shares == 1 ? 2 : kit->kit.shares == 2 ? 1 : 0; /* that it is lost is no news */
    QC_TRY(client_open(c, err));
    call = client_call(c);
    const qc_rc rc = vault_relearn(c->vault, &call, &objects, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    out_note(&c->out,
             "the vault is back: %" PRIu64 " object%s. Versions before the newest of each are not in the "
             "gateway's listing, and cannot be fetched by number any more",
             objects, text_s(objects));
    return QC_OK;
}

static qc_rc init_from_kit(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(init_done) struct init i = { .c = c, .args = args, .derived = true };
    QC_CLEANUP(kit_given_done) struct kit_given kit = { 0 };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    bool given = false;
    QC_TRY(take_shares(&i, err));
    QC_TRY(kit_take(c, args, &kit, &given, err));
    if (!given)
        return QC_FAIL(
            err, QC_USAGE,
            "the kit is of a recovery key, which opens a vault together with a share store: init --join DIR "
            "--from-kit FILE");
    QC_TRY(find_gateway(&i, &kit, err));
    QC_TRY(client_first_lock(c, args, &i.lock, err));
    QC_TRY(revive(&i, &kit, &d, err));
    i.clouds = d.url != NULL ? i.clouds : d.cloud_count;
    c->provenance = qrng_provenance(c->rng);
    QC_TRY(summary(&i, &d, err));
    if (kit.kit.shares != 3)
        return QC_FAIL(err, QC_DEGRADED,
                       "the vault is back with share %u alone: share store %u is still lost", kit.kit.shares,
                       3 - kit.kit.shares);
    return QC_OK;
}

/* A place is taken: for the caller that is a call to mend, not one to repeat. */
static qc_rc as_usage(qc_rc rc, struct qc_err *err)
{
    if (rc != QC_CONFLICT)
        return rc;
    err->rc = QC_USAGE;
    return QC_USAGE;
}

qc_rc client_init_from_kit(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    QC_TRY(client_check_lock(args, err));
    QC_TRY(check_first_time(c, err));
    return as_usage(init_from_kit(c, args, err), err);
}

/* What the vault is for: three sites are three vaults, each of which is made by itself. */
static qc_rc check_profile(const struct qc_args *args, bool *ret_site, struct qc_err *err)
{
    const char *profile = qc_args_value(args, "profile", NULL), *site = qc_args_value(args, "site", NULL);
    QC_TRY(profile_shared(args, ret_site, NULL, err));
    if (*ret_site && site == NULL) {
        const qc_rc rc =
            QC_FAIL(err, QC_USAGE,
                    "%s is kept at three sites, and each is a vault of its own: --site A, then B and C",
                    profile);
        err->next = "qcloud --site A init --help";
        return rc;
    }
    return QC_OK;
}

static qc_rc make_or_find(struct client *c, const struct qc_args *args, struct qc_err *err)
{
    const char *meant = setting_variable("QCLOUD_GATEWAY");
    const bool join = qc_args_flag(args, "join"), kit = qc_args_flag(args, "from-kit") && !join;
    const bool given = qc_args_flag(args, "gateway") && !join && !kit; /* such a vault may have moved */
    const bool said = join || kit || given || qc_args_flag(args, "local");
    const bool local = qc_args_flag(args, "local") || (!said && meant != NULL && strcmp(meant, "local") == 0);
    const bool remote = given || (!said && !local && meant != NULL);
    if (join + local + remote + kit != 1)
        return QC_FAIL(
            err, QC_USAGE,
            "one of --local (a new vault, with a gateway of its own), --gateway URL (a new vault, at one "
            "for many users), --join DIR [DIR] and --from-kit FILE (a vault that exists)");
    if (kit)
        return client_init_from_kit(c, args, err);
    QC_TRY(client_check_lock(args, err));
    QC_TRY(check_first_time(c, err));
    return as_usage(join    ? client_join(c, args, err)
                    : local ? init_local(c, args, err)
                            : init_remote(c, args, err),
                    err);
}

qc_rc cmd_init(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    bool site = false;
    QC_TRY(check_profile(args, &site, err));
    const qc_rc rc = make_or_find(c, args, err);
    if (site && (rc == QC_OK || rc == QC_DEGRADED))
        out_note(&c->out, "site %s is there; qcloud site list shows which of the three are",
                 qc_args_value(args, "site", ""));
    return rc;
}
