/* kit print, kit restore, kit verify: the seeds of the share stores on paper. */
#include "kit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "text.h"

enum { COLUMNS = 4, DATE = 16 };

const struct qc_opt kit_print_opts[] = {
    { "share", 0, "1|2|both", "a sheet for one share store, or one for both", false },
    { "recovery", 0, NULL, "a sheet of the recovery key (init --recovery kit) instead", false },
    { "words", 0, NULL, "the words, here (the default)", false },
    { "qr", 0, NULL, "the codes, here: for a camera", false },
    { "file", 0, "FILE", "a new file: .pdf (a page), .png (its codes), .txt (its words)", false },
    { "to", 0, "FILE", "the same", false },
    { 0 },
};
const struct qc_opt kit_restore_opts[] = {
    { "words", 0, NULL, "the words are typed here", false },
    { "qr", 0, NULL, "a scanner types the codes here", false },
    { "file", 0, "FILE|-", "what kit print wrote, or a scanner read", false },
    { "share", 0, "1|2", "the share store that is lost, of a vault that is set up here", false },
    { "to", 0, "DIR", "with --share: where to write it (default: where it was)", false },
    { "take-over", 0, NULL, "on a new machine: shut the gateway of the old one out", false },
    { "gateway", 0, "URL", "on a new machine: of a vault at a gateway for many users", false },
    { "token-file", 0, "FILE", "with --gateway: the token that its operator made; mode 0600", false },
    { "ca", 0, "FILE", "with --gateway https://: the authorities that vouch for it", false },
    { "cloud", 0, "NAME=URL", "on a new machine: a cloud, where the kit does not say where they are", true },
    { "cloud-credentials", 0, "NAME=FILE", "where a cloud's keys are: a file of mode 0600, or aws:PROFILE",
      true },
    { "kit", 0, "FILE", "the operator's kit, where the clouds are too few", false },
    { "share1", 0, "DIR", "on a new machine: where share store 1 lies", false },
    { "share2", 0, "DIR", "on a new machine: where share store 2 lies", false },
    { "no-passphrase", 0, NULL, "on a new machine: leave the share stores without a passphrase", false },
    { "memory", 0, "MIB", "what one try of the passphrase costs: 64 to 4096 (default: 256)", false },
    { 0 },
};

struct print {
    struct client *c;
    struct vault_kit kit;
    struct vault_kit_words words;
    struct vault_descriptor d;
    qc_buf where;
    char date[DATE];
};

static void print_done(struct print *p)
{
    vault_kit_done(&p->kit);
    vault_kit_words_done(&p->words);
    vault_descriptor_done(&p->d);
    qc_buf_free(&p->where);
}

static qc_rc take_shares(const struct qc_args *args, unsigned *ret, struct qc_err *err)
{
    static const char *const names[] = { "1", "2", "both" };
    const char *share = qc_args_value(args, "share", "");
    if (share[0] != '\0' && qc_args_flag(args, "recovery"))
        return QC_FAIL(err, QC_USAGE, "--share and --recovery are two sheets: print one at a time");
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(share, names[i]) == 0) {
            *ret = i + 1;
            return QC_OK;
        }
    if (share[0] == '\0' && qc_args_flag(args, "recovery")) {
        *ret = VAULT_KIT_RECOVERY;
        return QC_OK;
    }
    if (share[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "--share is 1, 2 or both, not '%.40s'", share);
    return QC_FAIL(
        err, QC_USAGE,
        "say what is to be printed: --share 1 and --share 2 are two sheets for two places, --share both is "
        "one for all. (--recovery is that of a vault of init --recovery kit)");
}

static const char *kit_of(const struct vault_kit *kit)
{
    static const char *const names[] = { "", "share 1", "share 2", "both shares", "the recovery key" };
    return names[kit->shares];
}

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

/* How it is printed, or read: one way at a time. */
static qc_rc one_way(const struct qc_args *args, const char *const *ways, size_t count, struct qc_err *err)
{
    const char *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!qc_args_flag(args, ways[i]))
            continue;
        if (first != NULL)
            return QC_FAIL(err, QC_USAGE, "--%s and --%s are two ways: one at a time", first, ways[i]);
        first = ways[i];
    }
    return QC_OK;
}

static qc_rc check_file(const char *file, struct qc_err *err)
{
    if (file != NULL && !ends_with(file, ".pdf") && !ends_with(file, ".png") && !ends_with(file, ".txt"))
        return QC_FAIL(err, QC_USAGE, "%s: the name ends in .pdf (a sheet), .png (the codes alone) or .txt",
                       file);
    return QC_OK;
}

/* Remarks, the words in their order (columns would be read line by line), the descriptor: as kit_read takes
 * it. */
static qc_rc text(const struct print *p, struct kit_file *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    const size_t room = p->words.count * 16 + p->where.n + 512;
    char hex[2 * VAULT_ID_BYTES + 1];
    qc_hex(qc_span_of(p->kit.vault, VAULT_ID_BYTES), hex);
    QC_TRY(qc_secret_new(&f.bytes, room, err));
    char *const out = f.bytes.p;
    f.n = (size_t)snprintf(out, room,
                           "# qcloud recovery kit of %s: SECRET\n# vault %s, generation %" PRIu32 ", %s\n",
                           kit_of(&p->kit), hex, p->kit.generation, p->date);
    for (size_t i = 0; i < p->words.count; i++) {
        char word[VAULT_KIT_WORD_MAX + 1];
        kit_word(&p->words, i, word);
        f.n += (size_t)snprintf(out + f.n, room - f.n, "%2zu %-8s%s", i + 1, word,
                                (i + 1) % COLUMNS == 0 ? "\n" : "  ");
        qc_wipe(word, sizeof word);
    }
    f.n += (size_t)snprintf(out + f.n, room - f.n, "%.*s\n", (int)p->where.n, (const char *)p->where.p);
    *ret = QC_STEAL(f);
    return QC_OK;
}

static qc_rc write_file(const struct print *p, const char *file, struct qc_err *err)
{
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char path[QC_CLIENT_PATH_MAX];
    const struct kit_sheet sheet = {
        .kit = &p->kit, .words = &p->words, .d = &p->d, .where = qc_buf_span(&p->where), .date = p->date
    };
    QC_TRY(places_absolute(file, path, err));
    char *const name = strrchr(path, '/');
    QC_TRY(ends_with(file, ".pdf")   ? kit_pdf(&sheet, &f, err)
           : ends_with(file, ".png") ? kit_png(&sheet, &f, err)
                                     : text(p, &f, err));
    *name = '\0';
    QC_TRY(qc_dir_open(&dir, name == path ? "/" : path, err));
    return qc_file_write_new(qc_fd_get(&dir), name + 1, &(qc_span){ f.bytes.p, f.n }, 1, 0600, err);
}

/* To the terminal, or wherever standard output goes. */
static qc_rc show(const struct print *p, bool codes, struct qc_err *err)
{
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    const struct kit_sheet sheet = { .words = &p->words, .where = qc_buf_span(&p->where) };
    QC_TRY(codes ? kit_blocks(&sheet, isatty(STDOUT_FILENO) == 1, &f, err) : text(p, &f, err));
    out_raw(&p->c->out, qc_span_of(f.bytes.p, f.n));
    return QC_OK;
}

static qc_rc summary(const struct print *p, const char *file, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_hex(j, "vault", qc_span_of(p->kit.vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "shares", p->kit.shares, err));
    QC_TRY(qc_json_set_int(j, "generation", p->kit.generation, err));
    if (file != NULL)
        QC_TRY(text_json(j, "file", qc_span_str(file), err));
    p->c->end.extra = QC_STEAL(j);
    return QC_OK;
}

static qc_rc today(char out[DATE], struct qc_err *err)
{
    const time_t now = (time_t)qc_wall_s();
    struct tm t;
    if (gmtime_r(&now, &t) == NULL || strftime(out, DATE, "%Y-%m-%d", &t) == 0)
        return QC_FAIL(err, QC_GENERAL, "the clock's date is none");
    return QC_OK;
}

static qc_rc where_of(struct print *p, struct qc_err *err)
{
    p->where.max = VAULT_DESCRIPTOR_MAX;
    QC_TRY(vault_where(p->c->vault, &p->where, err));
    return vault_descriptor_parse(&p->d, qc_buf_span(&p->where), err);
}

qc_rc cmd_kit_print(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(print_done) struct print p = { .c = c };
    static const char *const ways[] = { "words", "qr", "file", "to" };
    const char *file = qc_args_value(args, "file", qc_args_value(args, "to", NULL));
    unsigned shares = 0;
    QC_TRY(one_way(args, ways, sizeof ways / sizeof ways[0], err));
    QC_TRY(take_shares(args, &shares, err));
    QC_TRY(check_file(file, err));
    if (file == NULL && c->out.json)
        return QC_FAIL(err, QC_USAGE, "--json says what was done, and no secret: name a file with --file");
    QC_TRY(client_open(c, err));
    QC_TRY(shares == VAULT_KIT_RECOVERY ? vault_recovery_kit(&p.kit, c->vault, err)
                                        : vault_kit_of(&p.kit, c->vault, shares, err));
    QC_TRY(vault_kit_encode(&p.words, &p.kit, err));
    QC_TRY(where_of(&p, err));
    QC_TRY(today(p.date, err));
    QC_TRY_AS(file != NULL ? write_file(&p, file, err) : show(&p, qc_args_flag(args, "qr"), err), err, "%s",
              file != NULL ? file : "words");
    QC_TRY(summary(&p, file, err));
    if (file != NULL)
        out_note(&c->out,
                 "%s is a secret: print it, keep the sheet where no share store is, and delete the file",
                 file);
    return QC_OK;
}

/* Is a vault set up here? */
static qc_rc load_conf(struct client *c, bool *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = conf_load(&c->places, &c->conf, &why);
    *ret = rc == QC_OK && c->conf.has_vault;
    if (rc == QC_OK || rc == QC_NOTCONF)
        return QC_OK;
    *err = why;
    return rc;
}

/* What recover --from-kit and init --from-kit do: which of them, says what there is. */
qc_rc cmd_kit_restore(void *app, const struct qc_args *args, struct qc_err *err)
{
    static const char *const ways[] = { "words", "qr", "file" };
    static const char *const anew[] = { "take-over", "gateway",           "token-file", "ca",
                                        "cloud",     "cloud-credentials", "kit",        "share1",
                                        "share2",    "no-passphrase",     "memory" };
    struct client *c = app;
    bool here = false;
    QC_TRY(one_way(args, ways, sizeof ways / sizeof ways[0], err));
    if (kit_place(args) == NULL)
        return QC_FAIL(err, QC_USAGE,
                       "say where the kit is: --words (typed here), --qr (scanned), --file FILE");
    QC_TRY(load_conf(c, &here, err));
    if (!here && qc_args_flag(args, "share"))
        return QC_FAIL(err, QC_USAGE,
                       "--share is for a vault that is set up here, and none is: without it "
                       "the kit brings the vault back");
    if (!here) {
        c->out.class = MSG_INIT;
        return client_init_from_kit(c, args, err);
    }
    for (size_t i = 0; i < sizeof anew / sizeof anew[0]; i++)
        if (qc_args_flag(args, anew[i]))
            return QC_FAIL(err, QC_USAGE, "--%s is for a new machine, and a vault is set up here (%s)",
                           anew[i], c->places.conf_file);
    c->out.class = MSG_RECOVER;
    return cmd_recover(c, args, err);
}

qc_rc cmd_kit_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(kit_given_done) struct kit_given kit = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    char hex[2 * VAULT_ID_BYTES + 1];
    bool here = false;
    QC_TRY(kit_read(c, args->argv[0], &kit, err));
    QC_TRY(load_conf(c, &here, err));
    qc_hex(qc_span_of(kit.kit.vault, VAULT_ID_BYTES), hex);
    out_note(&c->out, "the words are whole: a kit of %s of vault %s, generation %" PRIu32, kit_of(&kit.kit),
             hex, kit.kit.generation);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "vault", hex, err));
    QC_TRY(qc_json_set_int(j, "shares", kit.kit.shares, err));
    QC_TRY(qc_json_set_int(j, "generation", kit.kit.generation, err));
    QC_TRY(qc_json_set_bool(j, "here", here, err));
    if (here) {
        QC_TRY(client_open(c, err));
        QC_TRY(vault_kit_here(&kit.kit, c->vault, err));
        out_note(&c->out, "it opens the vault that is set up here, as that is now");
    }
    c->end.extra = QC_STEAL(j);
    return QC_OK;
}
