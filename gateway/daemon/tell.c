#include "tell.h"

#include <stdio.h>

struct row {
    qc_rc rc; /* QC_OK: any other */
    unsigned nn;
    const char *data, *next;
};

/* The codes' second half starts at 50: qcloud itself uses 01 to 49. */
static const struct row calls[] = {
    { QC_OK, 50, "nothing was done.", "qcloud-gateway --help" },
};
static const struct row inits[] = {
    { QC_CONFLICT, 51, "nothing was overwritten.",
      "choose an empty directory for each cloud and for the state" },
    { QC_QUORUM, 52, "nothing is stored yet.",
      "bring the clouds back; the same call again goes on where it stopped" },
    { QC_FULL, 53, "nothing is stored yet.", "free space, then the same call again" },
    { QC_UNFIT, 67,
      "nothing is stored yet, and of the test objects there none is left but those that line one counts.",
      "qcloud-gateway cloud validate --url URL [--credentials FILE]    or choose another place for that "
      "cloud; the list of demands: qcloud help clouds" },
    { QC_AUTH, 68, "nothing is stored yet.",
      "chmod 600 the file that line one names, or give the keys that the cloud takes; then the same call "
      "again" },
    { QC_OK, 54, "nothing is stored yet.", "correct the cause, then the same call again" },
};
static const struct row serves[] = {
    { QC_LOCKED, 55,
      "nothing is wrong: another process serves this directory, or listens where line one says.",
      "use that one, or end it; one without a configuration leaves by itself when idle" },
    { QC_FENCED, 56,
      "another gateway took over; what it holds is newer than this catalogue. Nothing here was changed.",
      "qcloud gateway rebuild    (to take over again), or go on with the other one" },
    { QC_NOTCONF, 57, "nothing is stored here.", "qcloud init --local --cloud URL ..." },
    { QC_INTEGRITY, 58, "the local catalogue is damaged; what lies on the clouds is not touched by that.",
      "qcloud gateway rebuild" },
    { QC_FORMAT, 59, "the local catalogue does not parse; what lies on the clouds is not touched by that.",
      "qcloud gateway rebuild" },
    { QC_FULL, 60, "nothing acknowledged is lost; the local disk is full.",
      "free space, then the same call again" },
    { QC_OK, 61, "nothing acknowledged is lost.", "correct the cause, then the same call again" },
};
static const struct row rebuilds[] = {
    { QC_QUORUM, 62, "nothing was changed. The catalogue cannot be known from so few clouds.",
      "bring more clouds back, or give the operator's kit: --kit FILE" },
    { QC_CONFLICT, 63, "nothing was taken over.",
      "wait until the other rebuild has ended, then use that gateway" },
    { QC_INTEGRITY, 66, "nothing was cut off: what the clouds that are away have is not lost.",
      "bring more clouds back. If they are gone for good: qcloud-gateway rebuild with --accept-loss" },
    { QC_DEGRADED, 127,
      "nothing was changed. What is missing is missing on the clouds, whatever catalogue there is.",
      "qcloud-gateway repair    rebuilds fragments from the others; bring clouds back that are away" },
    { QC_OK, 64, "the clouds keep all that they had; a rebuild deletes nothing.",
      "correct the cause, then the same call again" },
};
static const struct row restores[] = {
    { QC_QUORUM, 136, "nothing was changed. The catalogue cannot be known from so few clouds.",
      "bring more clouds back, or give the operator's kit: --kit FILE" },
    { QC_CONFLICT, 137, "nothing was changed.",
      "qcloud-gateway snapshot restore    without a generation: it takes the newest one, and all of the log "
      "after it" },
    { QC_NOTFOUND, 138, "nothing was changed; the log on the clouds has everything that was acknowledged.",
      "qcloud-gateway rebuild    makes the catalogue from the log, with or without snapshots" },
    { QC_INTEGRITY, 139, "nothing was cut off: what the clouds that are away have is not lost.",
      "bring more clouds back. If they are gone for good: qcloud-gateway rebuild with --accept-loss" },
    { QC_OK, 140, "the clouds keep all that they had.", "correct the cause, then the same call again" },
};
static const struct row keys[] = {
    { QC_LINK, 141,
      "nothing was sent, and no key was drawn. What needs that link waits, or is refused, until it has keys.",
      "see to the KME that line one names; qcloud-gateway keys --forecast    says how long the others last" },
    { QC_NOTCONF, 142, "nothing is wrong with what is stored.",
      "docs/qkd.md says how a way is keyed by QKD: link= in a cloud's URL, section [qkd] of gateway.conf" },
    { QC_OK, 143, "nothing was changed, and no key was drawn.",
      "correct the cause, then the same call again" },
};
static const struct row statuses[] = {
    { QC_DEGRADED, 114, "nothing was changed. The margins above say what may still be lost.",
      "the commands above, beside their reasons" },
    { QC_OK, 65, "nothing was changed.", "qcloud status" },
};

static const struct row clouds[] = {
    { QC_UNFIT, 69, "what lies there stays in use; write nothing new there that you cannot lose.",
      "correct the setting that the reason names, or move to another place: qcloud gateway rebuild --cloud "
      "NAME=URL" },
    { QC_LOCKED, 70, "nothing was changed.",
      "end the gateway that serves this directory, then the same call again" },
    { QC_AUTH, 71, "nothing was changed.",
      "chmod 600 the file that line one names, or give the keys that the cloud takes; then the same call "
      "again" },
    { QC_NOTFOUND, 72, "nothing was changed.", "qcloud-gateway cloud ls --state DIR" },
    { QC_OK, 73, "nothing was changed.", "correct the cause, then the same call again" },
};

static const struct row repairs[] = {
    { QC_DEGRADED, 80, "everything can be read; what is left has less behind it than it should have.",
      "bring back the clouds that the lines above name, then the same call again" },
    { QC_QUORUM, 81,
      "nothing is lost by waiting: what cannot be read now may be on the clouds that are away.",
      "bring clouds back, then the same call again" },
    { QC_INTEGRITY, 82, "what is named as beyond repair cannot be read again; all else is as it should be.",
      "keep everything as it is, bring back any cloud that may have more of it; qcloud verify names the "
      "files" },
    { QC_CANCELLED, 83, "what was repaired before stays; nothing is less than it was.",
      "the same call again" },
    { QC_LOCKED, 84, "nothing was changed.",
      "end the gateway that serves this directory, or ask it: qcloud gateway repair" },
    { QC_CONFLICT, 85, "nothing was changed on that cloud.",
      "see to the place that line one names; a cloud needs an empty directory or bucket of its own" },
    { QC_FENCED, 86, "another gateway took over; what it holds is newer than this catalogue.",
      "run the repair there" },
    { QC_OK, 87, "what was repaired before stays; nothing is less than it was.",
      "correct the cause, then the same call again" },
};

static const struct row tenants[] = {
    { QC_CONFLICT, 74, "nothing was changed.", "qcloud-gateway tenant ls --state DIR" },
    { QC_NOTFOUND, 75, "nothing was changed.", "qcloud-gateway tenant ls --state DIR" },
    { QC_QUORUM, 76, "it may still take effect; it is not durable on enough clouds yet.",
      "bring more clouds back, then the same call again" },
    { QC_TEMP, 77, "it may have taken effect: the gateway did not answer to the end.",
      "qcloud-gateway tenant ls --state DIR    then the same call again where it did not" },
    { QC_USAGE, 78, "nothing was changed.", "qcloud-gateway tenant --help" },
    { QC_OK, 79, "what tenants have stored is not touched by that.",
      "correct the cause, then the same call again" },
};
static const struct row confs[] = {
    { QC_NOTCONF, 88, "nothing was changed.",
      "correct the file; a gateway is made with: qcloud-gateway init --state DIR --cloud NAME=URL ..." },
    { QC_OK, 89, "nothing was changed.", "correct the file, then the same call again" },
};

static const struct row audits[] = {
    { QC_INTEGRITY, 90, "what is stored is not touched by that; the log of what was done with it is.",
      "keep the files as they are, and compare them with copies elsewhere; the lines above say where to "
      "look" },
    { QC_NOTFOUND, 91, "nothing was changed.",
      "a gateway that serves with a configuration has an audit log, in its state directory" },
    { QC_OK, 92, "nothing was changed.", "correct the cause, then the same call again" },
};

static const struct row sweeps[] = {
    { QC_FENCED, 93, "another gateway took over; what is dead here may live there. Nothing more was deleted.",
      "use that one; it sweeps by itself" },
    { QC_QUORUM, 94,
      "nothing was deleted: too few clouds answer to be sure that this catalogue is the newest.",
      "bring clouds back, then the same call again" },
    { QC_OK, 95, "nothing that lives was touched.", "correct the cause, then the same call again" },
};
static const struct row snapshots[] = {
    { QC_DEGRADED, 120,
      "the catalogue can be rebuilt from it, and from the log, which every commit writes to the clouds.",
      "bring the clouds back that line one names; the next snapshot writes what is missing" },
    { QC_QUORUM, 121, "the snapshot before, if there was one, and the log stay on the clouds as they were.",
      "bring clouds back, then the same call again" },
    { QC_TEMP, 122, "nothing is less than it was: a snapshot is being made, or another gateway makes them.",
      "the same call again, later" },
    { QC_FENCED, 123, "another gateway took over; its catalogue is the one to keep.", "use that one" },
    { QC_INTEGRITY, 125,
      "nothing was changed, and nothing is lost: every commit is in the log on the clouds, whatever packs "
      "hold.",
      "qcloud-gateway snapshot create    then verify again; if it says the same, keep everything as it is, "
      "and: "
      "qcloud-gateway repair --deep" },
    { QC_NOTFOUND, 126, "nothing was changed.", "qcloud-gateway snapshot ls    names those that there are" },
    { QC_OK, 124, "the log stays on the clouds as it was, and the snapshot before.",
      "correct the cause, then the same call again" },
};
static const struct row scrubs[] = {
    { QC_DEGRADED, 96, "what was found is remembered; what is missing or bad is rebuilt without a command.",
      "the same call again, later; objects that nobody can explain are yours to look at" },
    { QC_NOTFOUND, 97, "nothing was changed.", "qcloud-gateway cloud ls --state DIR" },
    { QC_CANCELLED, 98, "what was found before stays; the pass goes on where it was.",
      "the same call again" },
    { QC_OK, 99, "what was found before stays; nothing is less than it was.",
      "correct the cause, then the same call again" },
};

static const struct row moves[] = {
    { QC_DEGRADED, 110, "everything can be read; no margin is less than it was.",
      "bring back the clouds that are away, or wait for uploads; the same call again goes on" },
    { QC_QUORUM, 111, "no margin is less than it was.",
      "what line one says is missing: bring clouds back, or add one; the same call again goes on" },
    { QC_UNFIT, 113, "nothing of that place is used, and nothing is stored there.",
      "qcloud-gateway cloud validate --url URL [--credentials FILE]    or choose another place; the list of "
      "demands: qcloud help clouds" },
    { QC_OK, 112, "no margin is less than it was.",
      "qcloud-gateway cloud ls --state DIR    correct the cause, then the same call again goes on" },
};

static const struct row drills[] = {
    { QC_QUORUM, 105,
      "nothing was changed, and nothing more is lost than before. Had the clouds gone that the drill left "
      "out, "
      "what the lines above name could not be read.",
      "qcloud-gateway repair    (rebuilds what clouds lack), then the same drill again" },
    { QC_INTEGRITY, 106,
      "nothing was changed, and no wrong byte was taken for a right one. Without those clouds, what the "
      "lines "
      "above name could not be read.",
      "qcloud-gateway repair --deep    (reads everything), then the same drill again" },
    { QC_NOTFOUND, 107, "nothing was changed.", "qcloud-gateway cloud ls --state DIR" },
    { QC_CONFLICT, 108, "nothing was changed.",
      "wait for the drill that is under way, then the same call again" },
    { QC_OK, 109, "nothing was changed: a drill reads.", "correct the cause, then the same call again" },
};

static const struct row selftests[] = {
    { QC_RANDOM, 130, "nothing was stored or changed by that; what is stored is not touched.",
      "see to the source of randomness that the system has; store nothing before" },
    { QC_GENERAL, 131,
      "nothing was changed by that. What this program stores now may not be what it should be.",
      "store nothing with it: install qcloud-gateway and the libraries that it needs again, or use another "
      "machine" },
    { QC_OK, 132, "nothing was changed.", "correct the cause, then the same call again" },
};

static const struct row jobs[] = {
    { QC_NOTFOUND, 133, "nothing was changed.", "qcloud-gateway job ls --state DIR" },
    { QC_TEMP, 134, "nothing was changed.", "qcloud-gateway serve --state DIR    then the same call again" },
    { QC_OK, 135, "what was done stays, and nothing is less than it was.",
      "correct the cause, then the same call again" },
};

static const struct row *const tables[] = {
    [TELL_CALL] = calls,         [TELL_INIT] = inits,      [TELL_SERVE] = serves,
    [TELL_REBUILD] = rebuilds,   [TELL_STATUS] = statuses, [TELL_CLOUD] = clouds,
    [TELL_REPAIR] = repairs,     [TELL_TENANT] = tenants,  [TELL_CONF] = confs,
    [TELL_AUDIT] = audits,       [TELL_SWEEP] = sweeps,    [TELL_SCRUB] = scrubs,
    [TELL_MOVE] = moves,         [TELL_DRILL] = drills,    [TELL_SNAPSHOT] = snapshots,
    [TELL_SELFTEST] = selftests, [TELL_JOB] = jobs,        [TELL_RESTORE] = restores,
    [TELL_KEYS] = keys,
};

int tell_error(enum tell_about about, const struct qc_err *err)
{
    const struct row *row = tables[about];
    while (row->rc != QC_OK && row->rc != err->rc)
        row++;
    fprintf(stderr, "qcloud-gateway: E%02d%02u %s\n   data: %s\n   next: %s\n", qc_rc_exit(err->rc), row->nn,
            err->msg, row->data, err->next != NULL ? err->next : row->next);
    return qc_rc_exit(err->rc);
}
