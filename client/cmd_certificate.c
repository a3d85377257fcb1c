/* certificate verify, ls, key: the signed records of what rm --erase has erased (FORMAT 16). */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/file.h"
#include "listing.h"
#include "prune.h"
#include "text.h"
#include "vault/erase.h"

const struct qc_opt certificate_opts[] = {
    { "key", 0, "HEX", "the key of the vault that should have signed it (default: of the vault here)",
      false },
    { 0 },
};

enum { KEY_TEXT = 2 * QC_SIGN_PUBLIC + 1, ID_TEXT = 2 * VAULT_ID_BYTES + 1 };

/* What no record can say, bit by bit. */
static const struct {
    uint32_t bit;
    const char *word, *text;
} unseen[] = {
    { VAULT_UNSEEN_COPIES, "copies", "copies of the share stores, and recovery kits" },
    { VAULT_UNSEEN_LOG, "log", "older states of the gateway's log and catalogue, with backup data in them" },
    { VAULT_UNSEEN_PROVIDERS, "providers",
      "what clouds keep of removed objects: versioning, snapshots, backups" },
    { VAULT_UNSEEN_DISKS, "disks", "old blocks of disks, those of databases' journals among them" },
    { VAULT_UNSEEN_FRAGMENTS, "fragments",
      "when each cloud removed its fragments: the gateway was asked to" },
    { VAULT_UNSEEN_CLOCK, "clock", "whether the clock of the machine that erased it was right" },
};
static const char *const had_words[] = { "", "share", "none", "derived", "before" };

/* -- a record, told -------------------------------------------------------------------------------------- */

static qc_rc store_json(struct json_t *list, const struct vault_certificate *c, unsigned i,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_hex(j, "store", qc_span_of(c->store[i].id, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_bool(j, "derived", c->store[i].derived, err));
    QC_TRY(qc_json_set_bool(j, "overwritten", !c->draft && !c->store[i].replaced, err));
    return qc_json_append(list, &j, err);
}

static qc_rc unseen_json(struct json_t *j, const struct vault_certificate *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++)
        if ((c->unseen & unseen[i].bit) != 0)
            QC_TRY(qc_json_append_str(list, unseen[i].word, err));
    return qc_json_set(j, "not_confirmed", &list, err);
}

/* What ls and verify say alike. */
static qc_rc head_json(const struct vault_certificate *c, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char stamp[QC_TIME_TEXT];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&c->name), err));
    QC_TRY(qc_json_set_hex(j, "certificate", qc_span_of(c->id, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "vault", qc_span_of(c->vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "key", qc_span_of(c->key, sizeof c->key), err));
    QC_TRY(qc_json_set_bool(j, "draft", c->draft, err));
    listing_stamp(c->begun_s, stamp);
    QC_TRY(qc_json_set_str(j, "begun", stamp, err));
    if (!c->draft) {
        listing_stamp(c->ended_s, stamp);
        QC_TRY(qc_json_set_str(j, "ended", stamp, err));
    }
    QC_TRY(qc_json_set_bool(j, "whole", c->whole, err));
    QC_TRY(qc_json_set_int(j, "versions", (int64_t)c->n, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc record_json(struct client *client, const struct vault_certificate *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *stores = NULL;
    QC_TRY(head_json(c, &j, err));
    QC_TRY(qc_json_set_hex(j, "gateway", qc_span_of(c->catalogue, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_bool(j, "keeper", c->kept, err));
    QC_TRY(qc_json_set_int(j, "unknown", (int64_t)c->unknown, err));
    QC_TRY(qc_json_set_int(j, "missing", (int64_t)c->missing, err));
    QC_TRY(qc_json_new_arr(&stores, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(store_json(stores, c, i, err));
    QC_TRY(qc_json_set(j, "stores", &stores, err));
    QC_TRY(unseen_json(j, c, err));
    return out_json(&client->out, &j, err);
}

static qc_rc version_json(struct client *client, const struct vault_erased *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *had = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *digests = NULL;
    char hex[2 * 32 + 1];
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)e->number, err));
    QC_TRY(qc_json_set_hex(j, "object", qc_span_of(e->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(e->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_new_arr(&had, err));
    QC_TRY(qc_json_new_arr(&digests, err));
    for (unsigned i = 0; i < 2; i++) {
        qc_hex(qc_span_of(e->digest[i], sizeof e->digest[i]), hex);
        QC_TRY(qc_json_append_str(had, had_words[e->had[i]], err));
        QC_TRY(qc_json_append_str(digests, e->had[i] == VAULT_ERASED_SHARE ? hex : "", err));
    }
    QC_TRY(qc_json_set(j, "had", &had, err));
    QC_TRY(qc_json_set(j, "digests", &digests, err));
    return out_json(&client->out, &j, err);
}

static qc_rc tell_name(struct client *client, const struct vault_certificate *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(text_quote(qc_buf_span(&c->name), &shown, err));
    out_line(&client->out, "name       %.*s: %s", (int)shown.n, (const char *)shown.p,
             c->whole ? "removed, and all versions that it had are erased"
                      : "these of its versions are erased");
    return QC_OK;
}

static void tell_lines(struct out *o, const struct vault_certificate *c)
{
    char id[ID_TEXT], vault[ID_TEXT], gateway[ID_TEXT], key[KEY_TEXT];
    char begun[QC_TIME_TEXT], ended[QC_TIME_TEXT];
    qc_hex(qc_span_of(c->id, VAULT_ID_BYTES), id);
    qc_hex(qc_span_of(c->vault, VAULT_ID_BYTES), vault);
    qc_hex(qc_span_of(c->catalogue, VAULT_ID_BYTES), gateway);
    qc_hex(qc_span_of(c->key, sizeof c->key), key);
    listing_stamp(c->begun_s, begun);
    listing_stamp(c->ended_s, ended);
    out_line(o, "certificate  %s", id);
    out_line(o, "vault      %s", vault);
    out_line(o, "signed by  %s (Ed25519)", key);
    out_line(o, "when       %s to %s, by the clock of the machine that did it", begun, ended);
    out_line(o, "gateway    %s: recorded that the versions are gone, and was asked to remove the fragments",
             gateway);
    if (c->kept)
        out_line(o, "keeper     has removed their backup data");
    for (unsigned i = 0; i < 2; i++) {
        char store[ID_TEXT];
        qc_hex(qc_span_of(c->store[i].id, VAULT_ID_BYTES), store);
        out_line(o, "store %u    %s: %s%s", i + 1, store,
                 c->store[i].replaced ? "another one stood there in the end: not known to be overwritten"
                                      : "overwritten, and read back",
                 c->store[i].derived ? "; it makes shares anew from its seed: not erased" : "");
    }
}

static void tell_versions(struct out *o, const struct vault_certificate *c)
{
    for (size_t i = 0; i < c->n; i++) {
        char number[LISTING_NUMBER], version[ID_TEXT];
        listing_number(c->v[i].number, number);
        qc_hex(qc_span_of(c->v[i].version, VAULT_ID_BYTES), version);
        out_line(o, "version    %-5s  %s  %s, %s", number, version, had_words[c->v[i].had[0]],
                 had_words[c->v[i].had[1]]);
    }
    if (c->unknown > 0)
        out_line(o, "not known  what was there up to v%" PRIu64, c->unknown);
    if (c->missing > 0)
        out_line(o, "not known  %" PRIu64 " version%s without a whole record", c->missing,
                 text_s(c->missing));
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++)
        if ((c->unseen & unseen[i].bit) != 0)
            out_line(o, "not confirmed  %s", unseen[i].text);
}

static qc_rc tell_record(struct client *client, const struct vault_certificate *c, struct qc_err *err)
{
    tell_lines(&client->out, c);
    QC_TRY(tell_name(client, c, err));
    tell_versions(&client->out, c);
    QC_TRY(record_json(client, c, err));
    for (size_t i = 0; i < c->n; i++)
        QC_TRY(version_json(client, &c->v[i], err));
    return QC_OK;
}

/* -- certificate verify ---------------------------------------------------------------------------------- */

static qc_rc read_record(const char *path, struct vault_certificate *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_VAULT_CERTIFICATE_MAX + 1 };
    QC_TRY(qc_path_read(path, 0, QC_VAULT_CERTIFICATE_MAX + 1, &bytes, err));
    return vault_certificate_parse(ret, qc_buf_span(&bytes), err);
}

/* Whose signature it has to be: what was given, or the vault's that is set up here. */
static qc_rc expected_key(struct client *c, const struct qc_args *args, uint8_t ret[QC_SIGN_PUBLIC],
                          struct qc_err *err)
{
    const char *given = qc_args_value(args, "key", NULL);
    struct qc_err why = { 0 };
    if (given != NULL) {
        if (qc_hex_dec(qc_span_str(given), ret, QC_SIGN_PUBLIC, &why) != QC_OK)
            return QC_FAIL(err, QC_USAGE, "--key is %d hex digits, as qcloud certificate key prints them",
                           KEY_TEXT - 1);
        return QC_OK;
    }
    const qc_rc rc = conf_load(&c->places, &c->conf, &why);
    if (rc == QC_NOTCONF)
        return QC_FAIL(err, QC_USAGE,
                       "whose certificate should it be? There is no vault here: --key says the key of one");
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    QC_TRY(client_open(c, err));
    return vault_certificate_key(ret, c->vault, err);
}

qc_rc cmd_certificate_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(vault_certificate_done) struct vault_certificate cert = { 0 };
    uint8_t key[QC_SIGN_PUBLIC];
    char hex[KEY_TEXT];
    QC_TRY_AS(read_record(args->argv[0], &cert, err), err, "%s", args->argv[0]);
    QC_TRY(expected_key(c, args, key, err));
    qc_hex(qc_span_of(cert.key, sizeof cert.key), hex);
    if (!qc_ct_eq(cert.key, key, sizeof key))
        return QC_FAIL(err, QC_INTEGRITY, "%s: signed by another key than it should be: %s", args->argv[0],
                       hex);
    if (cert.draft)
        return QC_FAIL(err, QC_INTEGRITY,
                       "%s: the draft of an erasure that was cut off, which certifies nothing",
                       args->argv[0]);
    QC_TRY(tell_record(c, &cert, err));
    out_note(&c->out, "the certificate holds: signed by %s, and as it was signed", hex);
    return QC_OK;
}

/* -- certificate ls -------------------------------------------------------------------------------------- */

/* One that was found: what ls says of it, and when it was. */
struct found {
    int64_t when_s;
    struct json_t *j;
    qc_buf line;
};

struct finding {
    struct client *c;
    struct found *v;
    size_t n, cap;
};

static void finding_done(struct finding *f)
{
    for (size_t i = 0; i < f->n; i++) {
        qc_json_free(&f->v[i].j);
        qc_buf_free(&f->v[i].line);
    }
    qc_free(f->v);
}

static qc_rc room(struct finding *f, struct qc_err *err)
{
    if (f->n < f->cap)
        return QC_OK;
    if (f->n == QC_CLIENT_CERTIFICATES_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d certificates: move old ones elsewhere",
                       QC_CLIENT_CERTIFICATES_MAX);
    const size_t cap = f->cap == 0 ? 16 : 2 * f->cap;
    struct found *more = qc_realloc(f->v, cap * sizeof *more);
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of certificates");
    f->v = more;
    f->cap = cap;
    return QC_OK;
}

static qc_rc keep_found(struct finding *f, const struct vault_certificate *c, const char *path,
                        struct qc_err *err)
{
    char when[LISTING_TIME];
    QC_TRY(room(f, err));
    struct found *one = &f->v[f->n++];
    *one =
        (struct found){ .when_s = c->draft ? c->begun_s : c->ended_s, .line = { .max = QC_CLIENT_TEXT_MAX } };
    listing_time(one->when_s, when);
    QC_TRY(head_json(c, &one->j, err));
    QC_TRY(text_json(one->j, "file", qc_span_str(path), err));
    QC_TRY(qc_buf_addf(&one->line, err, "%s  %6zu version%s  %s  ", when, c->n, c->n == 1 ? " " : "s", path));
    QC_TRY(text_escape(qc_buf_span(&c->name), &one->line, err));
    return c->draft ? qc_buf_addf(&one->line, err, "  cut off: qcloud rm --erase of this name finishes it")
                    : QC_OK;
}

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static int by_time(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->when_s > y->when_s) - (x->when_s < y->when_s);
}

static qc_rc read_kept(int dir, const char *name, struct vault_certificate *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    QC_TRY(qc_file_read(dir, name, QC_VAULT_CERTIFICATE_MAX, &bytes, err));
    return vault_certificate_parse(ret, qc_buf_span(&bytes), err);
}

static qc_rc find_all(struct finding *f, const char *folder, qc_rc *worst, struct qc_err *err)
{
    QC_CLEANUP(qc_list_close) DIR *d = opendir(folder);
    if (d == NULL && errno != ENOENT)
        return QC_FAIL_OS(err, "%s", folder);
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
        char path[QC_CLIENT_PATH_MAX];
        struct qc_err why = { 0 };
        if (!ends_with(e->d_name, ".cert") && !ends_with(e->d_name, ".draft"))
            continue;
        QC_TRY(places_join(folder, e->d_name, path, err));
        const qc_rc rc = read_kept(dirfd(d), e->d_name, &c, &why);
        if (rc == QC_OK)
            QC_TRY(keep_found(f, &c, path, err));
        else if (!client_object(f->c, rc, qc_span_str(path), &why, worst))
            return QC_FAIL(err, rc, "what follows was not looked at");
    }
    return QC_OK;
}

qc_rc cmd_certificate_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(finding_done) struct finding f = { .c = c };
    char folder[QC_CLIENT_PATH_MAX];
    qc_rc worst = QC_OK;
    (void)args;
    QC_TRY(places_join(c->places.state, "certificates", folder, err));
    QC_TRY(find_all(&f, folder, &worst, err));
    if (f.n > 0)
        qsort(f.v, f.n, sizeof *f.v, by_time);
    for (size_t i = 0; i < f.n; i++) {
        out_line(&c->out, "%.*s", (int)f.v[i].line.n, (const char *)f.v[i].line.p);
        QC_TRY(out_json(&c->out, &f.v[i].j, err));
    }
    return client_outcome(c, worst, "no certificates", err);
}

/* -- certificate key ------------------------------------------------------------------------------------- */

qc_rc cmd_certificate_key(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    uint8_t key[QC_SIGN_PUBLIC];
    char hex[KEY_TEXT];
    (void)args;
    QC_TRY(client_open(c, err));
    QC_TRY(vault_certificate_key(key, c->vault, err));
    qc_hex(qc_span_of(key, sizeof key), hex);
    out_line(&c->out, "%s", hex);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "key", hex, err));
    QC_TRY(qc_json_set_str(j, "algorithm", "Ed25519", err));
    return out_json(&c->out, &j, err);
}
