/* recover: a lost share store is written anew, from the other one and backup data. */
#include <inttypes.h>

#include "client.h"
#include "disks.h"
#include "kit.h"
#include "progress.h"
#include "text.h"

static qc_rc recover_place(struct client *c, const struct qc_args *args, unsigned index,
                           char ret[QC_CLIENT_PATH_MAX], char ret_disk[DISK_PLACE_MAX], struct qc_err *err)
{
    const char *named = conf_named(&c->conf, index - 1);
    const char *to = qc_args_value(args, "to", named != NULL ? named : c->conf.share[index - 1]);
    QC_TRY_AS(client_place(c, to, ret, ret_disk, err), err, "--to");
    if (places_within(ret, c->conf.share[2 - index]) || places_within(c->conf.share[2 - index], ret))
        return QC_FAIL(err, QC_USAGE, "share %u would lie in the other share store's directory", index);
    return QC_OK;
}

static qc_rc recover_summary(const struct vault_recover_result *r, const char *dir, struct json_t **ret,
                             struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "records", (int64_t)r->records, err));
    QC_TRY(qc_json_set_int(j, "written", (int64_t)r->written, err));
    QC_TRY(qc_json_set_int(j, "present", (int64_t)r->present, err));
    QC_TRY(qc_json_set_int(j, "failed", (int64_t)r->failed, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)r->bytes, err));
    QC_TRY(qc_json_set_int(j, "left", (int64_t)r->left, err));
    QC_TRY(qc_json_set_bool(j, "whole", r->whole, err));
    QC_TRY(text_json(j, "dir", qc_span_str(dir), err));
    QC_TRY(qc_json_set_bool(j, "passphrase", r->locked, err));
    QC_TRY(qc_json_set_bool(j, "derived", r->derived, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

/* Into the file, where only this changes: what the environment says of it stays out. */
static qc_rc keep_place(struct client *c, unsigned index, const char *place, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf before = { .max = QC_CLIENT_CONF_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf after = { .max = QC_CLIENT_CONF_MAX };
    size_t key = 0;
    QC_TRY(conf_find(index == 1 ? "vault.share1" : "vault.share2", &key, err));
    QC_TRY(conf_text(&c->places, &before, err));
    QC_TRY(conf_set(qc_buf_span(&before), key, qc_span_str(place), &after, err));
    return conf_save_text(&c->places, qc_buf_span(&after), err);
}

/* What it has come to. share: "1", "2". */
static qc_rc conclude(struct client *c, const char *share, const char *dir,
                      const struct vault_recover_result *r, struct qc_err *err)
{
    const uint64_t has = r->written + r->present;
    if (r->locked)
        out_note(&c->out, "it is under the passphrase of the other share store");
    if (!r->derived && vault_derives(c->vault, share[0] == '1' ? 2 : 1))
        out_note(&c->out, "its seed is lost: it keeps a share of each object from now on, and has no kit");
    c->end.about.share = share;
    if (r->left > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "share %s in %s has what was named, %" PRIu64 " version%s; %" PRIu64
                       " more %s not in it yet",
                       share, dir, has, text_s(has), r->left, r->left == 1 ? "is" : "are");
    if (r->failed > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "share %s rebuilt for %" PRIu64 " of %" PRIu64 " versions; %" PRIu64 " could not be",
                       share, has, r->records, r->failed);
    if (!r->whole)
        return QC_FAIL(err, QC_DEGRADED,
                       "share %s has all that the other store has, which is itself rebuilt in part alone",
                       share);
    return QC_OK;
}

static qc_rc take_words(const struct qc_args *args, uint64_t *ret_index, struct vault_recovering *ret,
                        struct qc_err *err)
{
    *ret_index = 0;
    QC_TRY(qc_args_u64(args, "share", false, 1, 2, ret_index, err));
    if (*ret_index == 0)
        return QC_FAIL(err, QC_USAGE, "say which share store is lost: --share 1 or --share 2");
    ret->only = qc_args_flag(args, "only");
    ret->names = args->argv;
    ret->count = args->argc;
    if (ret->only && args->argc == 0)
        return QC_FAIL(err, QC_USAGE, "--only is of names, and there are none");
    return QC_OK;
}

qc_rc cmd_recover(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct vault_recover_result r = { 0 };
    struct vault_recovering how = { 0 };
    struct progress p;
    QC_CLEANUP(kit_given_done) struct kit_given kit = { 0 };
    char dir[QC_CLIENT_PATH_MAX], disk[DISK_PLACE_MAX];
    uint64_t index = 0;
    bool has_kit = false;
    QC_TRY(take_words(args, &index, &how, err));
    QC_TRY(recover_place(c, args, (unsigned)index, dir, disk, err));
    QC_TRY(kit_take(c, args, &kit, &has_kit, err));
    how.kit = has_kit ? &kit.kit : NULL;
    c->lost_share = (unsigned)index;
    QC_TRY(client_open(c, err));
    struct vault_call call = client_call_shown(c, &p, QC_LIT("recover"), "objects", false);
    qc_rc rc = vault_recover_as(c->vault, (unsigned)index, dir, &how, &call, &r, err);
    progress_end(&p);
    client_tell_notes(c, rc, (qc_span){ 0 });
    if (rc == QC_NOTFOUND)
        err->next = "qcloud ls";
    QC_TRY(rc);
    if (strcmp(dir, c->conf.share[index - 1]) != 0 || strcmp(disk, c->conf.disk[index - 1]) != 0) {
        memcpy(c->conf.share[index - 1], dir, sizeof dir);
        memcpy(c->conf.disk[index - 1], disk, sizeof disk);
        QC_TRY(keep_place(c, (unsigned)index, disk[0] != '\0' ? disk : dir, err));
    }
    QC_TRY(recover_summary(&r, dir, &c->end.extra, err));
    if (r.whole && r.failed == 0)
        out_note(&c->out,
                 "share %" PRIu64 " is whole again in %s: %" PRIu64 " version%s (%" PRIu64
                 " written, %" PRIu64 " there before), each checked against its seal",
                 index, dir, r.written + r.present, text_s(r.written + r.present), r.written, r.present);
    return conclude(c, index == 1 ? "1" : "2", dir, &r, err);
}
