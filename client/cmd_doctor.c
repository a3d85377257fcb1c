/* doctor: what is wrong here, also where no vault is set up or the gateway does not start. What `status`
 * looks at is looked at and judged by its functions (status.h); the rest is this machine: files and their
 * modes, programs, clocks, room, leftovers. Changes nothing but what --fix is for. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "home/gateway_start.h"
#include "remote.h"
#include "settings.h"
#include "text.h"

enum needs { NOTHING, VAULT, LOOK }; /* that there is a vault; that it was looked at */
enum { WHAT = 700 };
enum { BEHIND_CHECK = 21 }; /* columns of a line before what it says */
/* From where on something is said, and from where on it is called bad. */
enum {
    CLOCK_LOW_S = 60,
    CLOCK_BAD_S = 900, /* S3 takes no signature that is older */
    ROOM_LOW = 1024 * 1024 * 1024,
    ROOM_BAD = 64 * 1024 * 1024, /* what a busy gateway's catalogue may grow by in a day */
};

struct check {
    const char *name;
    enum needs needs;
    const char *means; /* what it means for the user where it is not well */
    qc_rc (*run)(struct doctor *d, struct qc_err *err);
};

/* -- telling --------------------------------------------------------------------------------------------- */

#define tell       doctor_tell
#define tell_at    doctor_tell_at
#define tell_error doctor_tell_error

enum level doctor_level(qc_rc rc)
{
    return rc == QC_OK ? LEVEL_OK : rc == QC_DEGRADED ? LEVEL_WARN : LEVEL_BAD;
}

/* next: as it is shown, or empty. */
static qc_rc tell_whole(struct doctor *d, enum level level, qc_rc rc, const char *next, const char *what,
                        struct qc_err *err)
{
    static const char *const words[LEVELS] = { "ok", "warn", "bad" };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    d->count[level]++;
    d->worst = qc_rc_worse(d->worst, rc);
    out_row(&d->c->out, BEHIND_CHECK, "%-4s  %-13s  %s", words[level], d->check, what);
    if (next[0] != '\0' && strstr(next, "qcloud") == NULL)
        out_row(&d->c->out, BEHIND_CHECK, "%*snext: %s", (int)out_indent(&d->c->out, BEHIND_CHECK), "", next);
    else if (next[0] != '\0') /* whole: it may be copied from there */
        out_line(&d->c->out, "%*snext: %s", (int)out_indent(&d->c->out, BEHIND_CHECK), "", next);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "check", d->check, err));
    QC_TRY(qc_json_set_str(j, "level", words[level], err));
    QC_TRY(text_json(j, "what", qc_span_str(what), err));
    QC_TRY(text_json(j, "next", qc_span_str(next), err));
    return out_json(&d->c->out, &j, err);
}

qc_rc doctor_tell_at(struct doctor *d, enum level level, qc_rc rc, const char *next, struct qc_err *err,
                     const char *format, ...)
{
    QC_CLEANUP(qc_buf_free) qc_buf own = { .max = QC_CLIENT_TEXT_MAX };
    char what[WHAT];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    if (next != NULL)
        QC_TRY(msg_next_own(next, &own, err));
    QC_TRY(qc_buf_cstr(&own, &next, err));
    return tell_whole(d, level, rc, next, what, err);
}

qc_rc doctor_tell_error(struct doctor *d, const struct qc_err *why, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf next = { .max = QC_CLIENT_TEXT_MAX };
    const struct msg_about about = { 0 };
    const char *text = NULL;
    if (why->next != NULL)
        QC_TRY(msg_next_own(why->next, &next, err));
    else /* it has --vault and its like */
        QC_TRY(msg_next_text(msg_of(MSG_STATUS, why->rc), &about, "; or: ", &next, err));
    QC_TRY(qc_buf_cstr(&next, &text, err));
    return tell_whole(d, doctor_level(why->rc), why->rc, text, why->msg, err);
}

/* -- this machine ---------------------------------------------------------------------------------------- */

static size_t line_length(const qc_buf *b)
{
    size_t n = 0;
    while (n < b->n && b->p[n] >= 0x20)
        n++;
    return n;
}

static qc_rc check_programs(struct doctor *d, struct qc_err *err)
{
    static const char *const words[] = { "qcloud-gateway", "version", NULL };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_LOG_LINE_MAX };
    char program[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    if (d->configured && remote_is(d->c))
        return tell(d, QC_OK, NULL, err, "qcloud %s", QC_VERSION);
    if (gateway_program(program, &why) != QC_OK || gateway_run(words, &said, &why) != QC_OK)
        return tell_error(d, &why, err);
    if (!qc_span_eq(qc_buf_span(&said), QC_LIT("qcloud-gateway " QC_VERSION "\n")))
        return tell(d, QC_DEGRADED, "install qcloud and qcloud-gateway of one version", err,
                    "qcloud is %s, and %s another: %.*s", QC_VERSION, program, (int)line_length(&said),
                    (const char *)said.p);
    return tell(d, QC_OK, NULL, err, "qcloud and qcloud-gateway are %s", QC_VERSION);
}

static qc_rc check_memory(struct doctor *d, struct qc_err *err)
{
    if (d->c->secrets_locked)
        return tell(d, QC_OK, NULL, err, "secrets are locked in memory");
    return tell(d, QC_DEGRADED, "raise the limit: ulimit -l", err,
                "secrets cannot be locked in memory, and may come to lie in the swap space");
}

static qc_rc check_configuration(struct doctor *d, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (settings_conf(d->c, &d->c->conf, &why) != QC_OK)
        return tell_error(d, &why, err);
    d->configured = true;
    return tell(d, QC_OK, NULL, err, "%s can be used", d->c->places.conf_file);
}

/* One place: whose it is, and who else may. others: the bits that nobody else should have. */
static qc_rc check_mode(struct doctor *d, const char *path, mode_t others, bool *bad, struct qc_err *err)
{
    char next[QC_CLIENT_PATH_MAX + 32];
    struct stat st;
    if (path[0] == '\0' || stat(path, &st) != 0)
        return QC_OK; /* what is not there is told by those who need it */
    *bad = true;
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return tell(d, QC_AUTH, "give it to this user: chown", err, "%s is another user's (number %u)", path,
                    (unsigned)st.st_uid);
    const mode_t mode = st.st_mode & 07777 & ~others;
    if ((st.st_mode & others) != 0 && d->fix && st.st_uid == geteuid()) {
        if (chmod(path, mode) != 0)
            return QC_FAIL_OS(err, "%s: its mode cannot be changed", path);
        return tell(d, QC_OK, NULL, err, "%s was open to others; mended: its mode was %04o and is %04o", path,
                    (unsigned)(st.st_mode & 07777), (unsigned)mode);
    }
    if ((st.st_mode & others) != 0) {
        (void)snprintf(next, sizeof next, "chmod %o %s", (unsigned)(st.st_mode & 0777 & ~others), path);
        return tell(d, QC_AUTH, next, err, "%s is open to others: its mode is %04o", path,
                    (unsigned)(st.st_mode & 07777));
    }
    *bad = false;
    return QC_OK;
}

static qc_rc check_permissions(struct doctor *d, struct qc_err *err)
{
    const struct client *c = d->c;
    const struct {
        const char *path;
        mode_t others;
    } places[] = { { c->places.conf_dir, 022 }, { c->places.conf_file, 022 },       { c->places.state, 077 },
                   { c->places.gateway, 077 },  { c->conf.token_file, 077 },        { c->conf.share[0], 077 },
                   { c->conf.share[1], 077 },   { c->conf.keeper_credentials, 077 } };
    unsigned bad = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bool is = false;
        QC_TRY(check_mode(d, places[i].path, places[i].others, &is, err));
        bad += is;
    }
    return bad > 0 ? QC_OK : tell(d, QC_OK, NULL, err, "files and directories are this user's alone");
}

/* The room where things lie; one line for each file system that has too little, or one for all. */
static qc_rc check_room(struct doctor *d, struct qc_err *err)
{
    const struct client *c = d->c;
    const char *const places[] = { c->places.state, c->conf.share[0], c->conf.share[1] };
    uint64_t least = UINT64_MAX;
    char size[TEXT_SIZE];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct statvfs v;
        if (places[i][0] == '\0' || statvfs(places[i], &v) != 0)
            continue;
        const uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
        least = room < least ? room : least;
        text_size(room, size);
        if (room < ROOM_LOW)
            QC_TRY(tell(d, room < ROOM_BAD ? QC_FULL : QC_DEGRADED,
                        "free some space there, or move it to a larger disk", err, "%s has %s left",
                        places[i], size));
    }
    text_size(least, size);
    if (least == UINT64_MAX)
        return tell(d, QC_OK, NULL, err, "nothing lies on this machine yet");
    return least < ROOM_LOW ? QC_OK : tell(d, QC_OK, NULL, err, "at least %s are left", size);
}

/* -- the clock ------------------------------------------------------------------------------------------- */

/* by: seconds that ours is ahead of what. */
static qc_rc tell_clock(struct doctor *d, int64_t by, const char *what, struct qc_err *err)
{
    const int64_t apart = by < 0 ? -by : by;
    if (apart <= CLOCK_LOW_S)
        return tell(d, QC_OK, NULL, err, "this machine's clock and %s are %" PRId64 " s apart", what, apart);
    return tell(d, apart > CLOCK_BAD_S ? QC_GENERAL : QC_DEGRADED,
                "set the clock; timedatectl says whether it is kept right", err,
                "this machine's clock is %" PRId64 " s %s %s", apart, by < 0 ? "behind" : "ahead of", what);
}

/* Against the gateway's, which was asked just now; a clock that was put back shows by what was written. */
static qc_rc check_clock(struct doctor *d, struct qc_err *err)
{
    const int64_t now = (int64_t)time(NULL);
    struct qc_err none = { 0 };
    int64_t theirs = 0;
    struct stat st;
    if (stat(d->c->places.conf_file, &st) == 0 && (int64_t)st.st_mtime > now + CLOCK_LOW_S)
        return tell_clock(d, now - (int64_t)st.st_mtime, "the time at which qcloud.conf was written", err);
    if (d->looked && d->s.gateway != NULL &&
        qc_json_int(d->s.gateway, "observed", 1, INT64_MAX, &theirs, &none) == QC_OK)
        return tell_clock(d, d->s.now_s - theirs, "the gateway's", err);
    return tell(d, QC_OK, NULL, err, "nothing to compare it with; it is not before what was written last");
}

/* -- the vault ------------------------------------------------------------------------------------------- */

static qc_rc check_random(struct doctor *d, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (client_random_conf(d->c, &why) != QC_OK)
        return tell_error(d, &why, err);
    return tell(d, QC_OK, NULL, err, "%zu source%s beside the operating system's", d->c->random.count,
                text_s(d->c->random.count));
}

/* All that status looks at; what it has reasons for is told with its words. */
static qc_rc check_status(struct doctor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf log = { .max = QC_CLIENT_TEXT_MAX };
    struct status *s = &d->s;
    struct qc_err why = { 0 };
    const char *level = NULL, *what = NULL, *advice = NULL;
    qc_rc rc = status_look(s, &why);
    if (rc == QC_CANCELLED) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        return tell_error(d, &why, err);
    d->looked = true;
    QC_TRY_AS(status_judge(s, err), err, "the gateway's answer");
    if (s->rc != QC_OK)
        QC_TRY(tell_error(d, &s->why, err));
    for (size_t i = 0; i < qc_json_len(s->reasons); i++) {
        QC_TRY(qc_json_str(qc_json_at(s->reasons, i), "level", &level, err));
        QC_TRY(qc_json_str(qc_json_at(s->reasons, i), "what", &what, err));
        QC_TRY(qc_json_str(qc_json_at(s->reasons, i), "advice", &advice, err));
        if (s->rc != QC_OK && i == 0)
            continue; /* that the gateway does not answer was told, with its cause */
        const bool act = strcmp(level, "act") == 0;
        QC_TRY(tell_at(d, act ? LEVEL_BAD : LEVEL_WARN, act ? status_verdict(s, &why) : QC_DEGRADED, advice,
                       err, "%s", what));
    }
    if (qc_json_len(s->reasons) > 0)
        return QC_OK;
    return tell(d, QC_OK, NULL, err,
                "green: %" PRId64 " of %" PRId64 " clouds answer, both share stores%s are there",
                s->clouds_ok, s->clouds_all, s->kept ? " and the keeper" : "");
}

/* One's own may run since before an upgrade; another's is its operator's. */
static qc_rc check_versions(struct doctor *d, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *health = NULL;
    struct vault_call call = client_call(d->c);
    struct qc_err why = { 0 };
    const char *version = "?";
    if (d->s.gateway == NULL)
        return tell(d, QC_OK, NULL, err, "the gateway does not answer");
    qc_rc rc = client_gateway(d->c, &call.op, &gw, &why);
    if (rc == QC_OK)
        rc = gw->ops->health(gw, &text, &call.op, &why);
    if (rc != QC_OK)
        return tell_error(d, &why, err);
    QC_TRY_AS(qc_json_parse(&health, qc_buf_span(&text), err), err, "the gateway's answer");
    QC_TRY_AS(qc_json_str(health, "version", &version, err), err, "the gateway's answer");
    if (strcmp(version, QC_VERSION) == 0)
        return tell(d, QC_OK, NULL, err, "the gateway that answers is %s, too", version);
    return tell(d, QC_DEGRADED,
                remote_is(d->c) ? "ask its operator which version is meant"
                                : "wait until it has left, some 30 seconds without a command",
                err, "qcloud is %s, and the gateway that answers is %.40s", QC_VERSION, version);
}

static qc_rc check_devices(struct doctor *d, struct qc_err *err)
{
    if (status_shares(&d->s) < 2)
        return tell(d, QC_DEGRADED, "bring it back, then the same command again", err,
                    "a share store is not there: whether both lie on one device cannot be seen");
    if (d->s.local.same_device)
        return tell(d, QC_DEGRADED,
                    "keep one elsewhere, say on a USB stick: move the directory and change the configuration",
                    err, "both share stores lie on one device");
    return tell(d, QC_OK, NULL, err, "the share stores lie on two devices");
}

/* The key manager of the way to a gateway at qkd-tls://. */
static qc_rc check_keys(struct doctor *d, struct qc_err *err)
{
    const struct qkd_keyed *k = &d->c->conf.qkd;
    struct qc_err why = { 0 };
    uint64_t stored = 0;
    const qc_rc rc = qkd_keyed_look(k, k->peer, qc_deadline_in(LINK_KME_MS), &stored, &why);
    if (rc != QC_OK)
        return tell(d, rc, "see to the key manager, and to section [qkd] of qcloud.conf", err,
                    "the way to the gateway: %s", why.msg);
    if (stored == 0)
        return tell(d, QC_DEGRADED, "qcloud plan keys says what a key rate carries", err,
                    "the way to the gateway: key manager %s has no key for it now", k->kme);
    return tell(d, QC_OK, NULL, err, "key manager %s has %" PRIu64 " key%s for the way to the gateway",
                k->kme, stored, text_s(stored));
}

/* Of one's own gateway: a cloud that is reached by a qcloud-link. */
static qc_rc check_links(struct doctor *d, struct qc_err *err)
{
    struct qc_err none = { 0 };
    if (vault_gw_url_keyed(d->c->conf.gateway))
        return check_keys(d, err);
    struct json_t *clouds = NULL, *link = NULL;
    unsigned links = 0, down = 0;
    if (d->s.gateway == NULL || qc_json_arr(d->s.gateway, "clouds", &clouds, &none) != QC_OK)
        return tell(d, QC_OK, NULL, err, "nothing is known of any");
    for (size_t i = 0; i < qc_json_len(clouds); i++) {
        const char *name = "?", *why = "";
        bool ready = false;
        if (qc_json_obj(qc_json_at(clouds, i), "link", &link, &none) != QC_OK)
            continue;
        links++;
        qc_ignore(qc_json_str(qc_json_at(clouds, i), "name", &name, &none), "shown as ?");
        qc_ignore(qc_json_str(link, "why", &why, &none), "left out");
        if (qc_json_bool(link, "ready", &ready, &none) == QC_OK && ready)
            continue;
        down++;
        QC_TRY(tell(d, QC_DEGRADED, "qcloud-link status --config FILE on both ends", err,
                    "the link to cloud %s has no key, or is down%s%s", name, why[0] != '\0' ? ": " : "",
                    why));
    }
    return down > 0 ? QC_OK : tell(d, QC_OK, NULL, err, "%u link%s, all ready", links, text_s(links));
}

/* In the order in which one needs the other. */
static const struct check checks[] = {
    { "memory", NOTHING, "a thief of the disk could find a key in the swap space.", check_memory },
    { "configuration", NOTHING, "no command that needs the vault works.", check_configuration },
    { "programs", NOTHING, "one's own gateway cannot be started, or speaks another version.",
      check_programs },
    { "permissions", NOTHING, "others of this machine may read keys, or change where they lie.",
      check_permissions },
    { "randomness", VAULT, "nothing is stored while the sources cannot be told from the file.",
      check_random },
    { "leftovers", VAULT, "it takes room, and nothing else.", doctor_leftovers },
    { "locks", VAULT, "a command that needs it ends with exit 11.", doctor_locks },
    { "vault", VAULT, "what is stored bears fewer losses than it should, or cannot be read now.",
      check_status },
    { "unfinished", LOOK,
      "a name may have the version of an interrupted put, or the one before; what an erasure that was cut "
      "off is about may be there, or gone without a certificate.",
      doctor_unfinished },
    { "versions", LOOK, "what only the newer one knows cannot be used.", check_versions },
    { "share stores", LOOK, "what takes that device takes both, and everything with them.", check_devices },
    { "links", LOOK, "what wants more than that link gives is not stored there.", check_links },
    { "clock", NOTHING,
      "S3 refuses what a clock that is 15 minutes off has signed; times in listings are wrong.",
      check_clock },
    { "room", NOTHING, "puts end with exit 14, and the gateway's catalogue stands still.", check_room },
};

static void doctor_done(struct doctor *d)
{
    status_done(&d->s);
}

qc_rc cmd_doctor(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(doctor_done) struct doctor d = { .c = app, .args = args, .fix = qc_args_flag(args, "fix") };
    d.s.c = app;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const struct check *k = &checks[i];
        const unsigned before = d.count[LEVEL_WARN] + d.count[LEVEL_BAD];
        if ((k->needs >= VAULT && !d.configured) || (k->needs == LOOK && !d.looked))
            continue;
        d.check = k->name;
        QC_TRY(k->run(&d, err));
        if (d.count[LEVEL_WARN] + d.count[LEVEL_BAD] > before)
            out_row(&d.c->out, BEHIND_CHECK, "%*sthat is: %s", (int)out_indent(&d.c->out, BEHIND_CHECK), "",
                    k->means);
    }
    if (!d.looked)
        out_line(&d.c->out, "      what needs the vault was not looked at");
    if (d.worst == QC_OK)
        return QC_OK;
    qc_err_set(err, d.worst, QC_HERE, "%u thing%s bad, %u to be looked at; each is told above",
               d.count[LEVEL_BAD], d.count[LEVEL_BAD] == 1 ? " is" : "s are", d.count[LEVEL_WARN]);
    err->next = "what the lines above say, the first one first";
    return d.worst;
}
