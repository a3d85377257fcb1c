#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"
#include "text.h"

enum { LINE_MAX_BYTES = 512, PROGRESS_MS = 1000 };

static const char *const fates[FATES] = {
    [FATE_OK] = "ok",
    [FATE_PRESENT] = "present",
    [FATE_PARTIAL] = "partial",
    [FATE_OLDER] = "older",
    [FATE_LOST] = "lost",
    [FATE_DELETED] = "deleted",
    [FATE_CONFLICT] = "conflict",
    [FATE_READABLE] = "readable",
};

/* -- lines ----------------------------------------------------------------------------------------------- */

/* A line of --json in the making; a member that does not fit, or memory that lacks, spoils it. */
struct line {
    struct json_t *j;
    struct qc_err err;
    qc_rc rc;
};

static struct line line_of(const char *type)
{
    struct line l = { 0 };

    l.rc = qc_json_new_obj(&l.j, &l.err);
    if (l.rc == QC_OK)
        l.rc = qc_json_set_int(l.j, "v", 1, &l.err);
    if (l.rc == QC_OK)
        l.rc = qc_json_set_str(l.j, "type", type, &l.err);
    return l;
}

static void add_text(struct line *l, const char *name, qc_span value)
{
    char exact[32];

    if (l->rc == QC_OK)
        l->rc = text_json(l->j, name, value, &l->err);
    (void)snprintf(exact, sizeof exact, "%s_b64", name);
    if (l->rc == QC_OK && !text_is_utf8(value))
        l->rc = qc_json_set_b64(l->j, exact, value, &l->err);
}

static void add_word(struct line *l, const char *name, const char *value)
{
    add_text(l, name, qc_span_str(value));
}

static void add_count(struct line *l, const char *name, uint64_t value)
{
    if (l->rc == QC_OK)
        l->rc = qc_json_set_int(l->j, name, value > INT64_MAX ? INT64_MAX : (int64_t)value, &l->err);
}

/* Written and freed. */
static void end_line(struct line *l)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_JSON_MAX };

    if (l->rc == QC_OK)
        l->rc = qc_json_dump(l->j, &b, &l->err);
    if (l->rc == QC_OK)
        printf("%.*s\n", (int)b.n, (const char *)b.p);
    else
        fprintf(stderr, "qcloud-salvage: cannot write a line: %s\n", l->err.msg);
    qc_json_free(&l->j);
    fflush(stdout);
}

/* Harmless on a terminal, whatever a name holds. */
static void put_text(qc_span s)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };

    if (text_escape(s, &b, &why) == QC_OK)
        printf("%.*s", (int)b.n, (const char *)b.p);
    else
        printf("(a name that cannot be shown: %s)", why.msg);
}

void report_start(const struct salvage *s)
{
    struct line l;

    if (!s->o.json)
        return;
    l = line_of("start");
    add_word(&l, "command", "salvage");
    add_word(&l, "version", QC_VERSION);
    end_line(&l);
}

/* -- what is wrong --------------------------------------------------------------------------------------- */

static bool too_many(struct salvage *s)
{
    const uint64_t before = s->counts.wrong + s->counts.missing;

    if (before == QC_SALVAGE_ROWS_MAX + 1 && !s->o.json)
        printf("..        (more; --json lists all)\n");
    return s->o.quiet || (before > QC_SALVAGE_ROWS_MAX && !s->o.json);
}

/* Counted, if it is told for the first time. *ret: it is to be told now. */
static qc_rc note(struct salvage *s, unsigned source, qc_span path, const char *what, uint64_t *count,
                  bool *ret, struct qc_err *err)
{
    bool fresh = false;

    QC_TRY(index_add_wrong(s->ix, source, path, what, &fresh, err));
    *count += fresh;
    *ret = fresh && !too_many(s);
    return QC_OK;
}

qc_rc report_wrong(struct salvage *s, unsigned source, qc_span path, struct qc_err *err, const char *fmt, ...)
{
    char what[LINE_MAX_BYTES];
    bool tell = false;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    QC_TRY(note(s, source, path, what, &s->counts.wrong, &tell, err));
    if (!tell)
        return QC_OK;
    if (s->o.json) {
        struct line l = line_of("item");
        add_word(&l, "kind", "damaged");
        add_word(&l, "directory", s->source[source]);
        add_text(&l, "path", path);
        add_word(&l, "what", what);
        end_line(&l);
        return QC_OK;
    }
    printf("damaged   %s/", s->source[source]);
    put_text(path);
    printf(": %s\n", what);
    return QC_OK;
}

qc_rc report_failed(struct salvage *s, const struct found *f, const struct qc_err *why, const char *what,
                    struct qc_err *err)
{
    QC_ASSERT(why->rc != QC_OK);
    if (!salvage_ends(why->rc))
        return report_wrong(s, f->source, f->path, err, "%s: %s", what, why->msg);
    *err = *why;
    return err->rc;
}

qc_rc report_missing(struct salvage *s, uint32_t cloud, const char *key, struct qc_err *err, const char *fmt,
                     ...)
{
    char what[LINE_MAX_BYTES];
    bool tell = false;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    QC_TRY(note(s, SOURCES_MAX + cloud, qc_span_str(key), what, &s->counts.missing, &tell, err));
    if (!tell)
        return QC_OK;
    if (s->o.json) {
        struct line l = line_of("item");
        add_word(&l, "kind", "missing");
        add_count(&l, "cloud", cloud);
        add_word(&l, "path", key);
        add_word(&l, "what", what);
        end_line(&l);
    } else if (cloud == 0)
        printf("missing   everywhere: %s\n", what);
    else
        printf("missing   cloud %" PRIu32 ", %s: %s\n", cloud, key, what);
    return QC_OK;
}

/* -- files ----------------------------------------------------------------------------------------------- */

static void add_holes(struct line *l, const struct outcome *o)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;

    if (l->rc == QC_OK)
        l->rc = qc_json_new_arr(&list, &l->err);
    for (size_t i = 0; l->rc == QC_OK && i < o->hole_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *hole = NULL;
        struct line part = { 0 };
        part.rc = qc_json_new_obj(&part.j, &part.err);
        add_count(&part, "from", o->holes[i].from);
        add_count(&part, "size", o->holes[i].size);
        hole = part.j;
        l->rc = part.rc == QC_OK ? qc_json_append(list, &hole, &l->err) : part.rc;
    }
    if (l->rc == QC_OK)
        l->rc = qc_json_set(l->j, "holes", &list, &l->err);
}

static void file_json(const struct outcome *o)
{
    struct line l = line_of("item");

    add_word(&l, "kind", "file");
    add_word(&l, "state", fates[o->fate]);
    add_text(&l, "name", o->name);
    if (o->as != NULL)
        add_word(&l, "as", o->as);
    add_count(&l, "size", o->size);
    add_count(&l, "lost", o->lost);
    if (o->k > 0) {
        add_count(&l, "k", o->k);
        add_count(&l, "n", o->n);
        add_count(&l, "fragments", o->k + (unsigned)o->margin); /* margin is -k at least */
    }
    if (o->hole_count > 0)
        add_holes(&l, o);
    add_count(&l, "exit", (uint64_t)qc_rc_exit(o->rc));
    if (o->rc != QC_OK)
        add_word(&l, "what", o->why);
    end_line(&l);
}

static void file_text(const struct outcome *o)
{
    printf("%-9s %12" PRIu64 "  ", fates[o->fate], o->size);
    put_text(o->name);
    if (o->as != NULL && !qc_span_eq(qc_span_str(o->as), o->name)) {
        printf("  as ");
        put_text(qc_span_str(o->as));
    }
    if (o->rc != QC_OK)
        printf("  (%s)", o->why);
    printf("\n");
    for (size_t i = 0; i < o->hole_count; i++)
        printf("          bytes %" PRIu64 " to %" PRIu64 " are lost\n", o->holes[i].from,
               o->holes[i].from + o->holes[i].size - 1);
}

void report_file(struct salvage *s, const struct outcome *o)
{
    s->counts.fate[o->fate]++;
    if (o->fate != FATE_LOST && o->fate != FATE_CONFLICT)
        s->counts.bytes += o->size - o->lost;
    s->worst = qc_rc_worse(s->worst, o->rc);
    if (s->o.json)
        file_json(o);
    else if (!s->o.quiet || o->rc != QC_OK)
        file_text(o);
    fflush(stdout);
}

void report_note(const struct salvage *s, const char *fmt, ...)
{
    char what[LINE_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (s->o.json) {
        struct line l = line_of("warning");
        add_word(&l, "what", what);
        end_line(&l);
    } else if (!s->o.quiet)
        fprintf(stderr, "qcloud-salvage: %s\n", what);
}

void report_progress(struct salvage *s, const char *doing, uint64_t done, uint64_t of)
{
    static uint64_t last;
    const uint64_t now = qc_now_ms();

    if (!s->o.progress || now - last < PROGRESS_MS)
        return;
    last = now;
    if (s->o.json) {
        struct line l = line_of("progress");
        add_word(&l, "doing", doing);
        add_count(&l, "done", done);
        add_count(&l, "total", of);
        end_line(&l);
    } else if (of > 0)
        fprintf(stderr, "qcloud-salvage: %s: %" PRIu64 " of %" PRIu64 "\n", doing, done, of);
    else
        fprintf(stderr, "qcloud-salvage: %s: %" PRIu64 "\n", doing, done);
}

/* -- the end --------------------------------------------------------------------------------------------- */

struct row {
    qc_rc rc; /* QC_OK: any other */
    unsigned nn;
    const char *data, *next;
};
/* docs/salvage.md has a line for each. Codes from 90 on are this program's. */
static const struct row rows[] = {
    { QC_USAGE, 90, "nothing was read or written.", "qcloud-salvage --help" },
    { QC_DEGRADED, 91,
      "what is listed as ok is whole and verified; the lines above say what is not the newest.",
      "add copies of the clouds that are not here, then the same command again: what is written already "
      "stays" },
    { QC_QUORUM, 92, "what is listed as ok is whole and verified; nothing that was given was changed.",
      "add copies of more clouds (--kit FILE where the root key is missing), then the same command again; "
      "--partial "
      "writes what is left of files with holes" },
    { QC_SHARES, 93, "what is listed as ok is whole and verified; the clouds alone can be read by nobody.",
      "add the other share store: --share DIR" },
    { QC_PASSPHRASE, 94, "nothing was written.",
      "the same command again, with the passphrase of the share store" },
    { QC_NOPASS, 94, "nothing was written.",
      "the same command at a terminal, or with QCLOUD_PASSPHRASE_FD or QCLOUD_PASSPHRASE_COMMAND" },
    { QC_AUTH, 94, "nothing that was given was changed.",
      "see to what may not be read; of a share store that was left in the middle of a change, give a copy "
      "that "
      "you may write to (docs/salvage.md)" },
    { QC_CONFLICT, 95, "what stood in the output before is as it was.",
      "the same command with another, empty --out directory" },
    { QC_LOCKED, 95, "nothing was written.",
      "wait until the other salvage has ended, or take another --out directory" },
    { QC_CANCELLED, 96, "files that have their names are whole; nothing that was given was changed.",
      "the same command again goes on" },
    { QC_FULL, 97, "files that have their names are whole; nothing that was given was changed.",
      "make room, or take another --out directory, then the same command again" },
    { QC_INTEGRITY, 98, "no byte was released that does not verify; what is listed as ok is whole.",
      "keep everything that was given as it is; add copies of more clouds, then the same command again" },
    { QC_OK, 99, "nothing that was given was changed.", "see to the cause, then the same command again" },
};

static int tell(const struct salvage *s, qc_rc rc, const char *what)
{
    const struct row *row = rows;
    const int status = qc_rc_exit(rc);

    while (row->rc != QC_OK && row->rc != rc)
        row++;
    if (s->o.json) {
        struct line l = line_of("error");
        char id[8];
        (void)snprintf(id, sizeof id, "E%02d%02u", status, row->nn);
        add_word(&l, "id", id);
        add_count(&l, "exit", (uint64_t)status);
        add_word(&l, "rc", qc_rc_name(rc));
        add_word(&l, "what", what);
        add_word(&l, "data", row->data);
        add_word(&l, "next", row->next);
        end_line(&l);
    } else
        fprintf(stderr, "qcloud-salvage: E%02d%02u %s\n   data: %s\n   next: %s\n", status, row->nn, what,
                row->data, row->next);
    return status;
}

static void counts_json(const struct salvage *s, int status)
{
    const struct counts *c = &s->counts;
    struct line l = line_of("result"), by = { 0 };

    by.rc = qc_json_new_obj(&by.j, &by.err);
    for (unsigned i = 0; i < FATES; i++)
        add_count(&by, fates[i], c->fate[i]);
    add_count(&l, "exit", (uint64_t)status);
    if (l.rc == QC_OK)
        l.rc = by.rc;
    if (l.rc == QC_OK)
        l.rc = qc_json_set(l.j, "files", &by.j, &l.err);
    qc_json_free(&by.j);
    add_count(&l, "bytes", c->bytes);
    add_count(&l, "damaged", c->wrong);
    add_count(&l, "missing", c->missing);
    add_count(&l, "looked_at", c->files);
    add_count(&l, "fragments", c->fragments);
    add_count(&l, "foreign", c->foreign);
    add_count(&l, "log_last", s->log_last);
    add_count(&l, "log_missing", s->log_missing);
    add_count(&l, "clouds", s->seen_count);
    add_count(&l, "clouds_in_use", s->clouds_in_use);
    end_line(&l);
}

static void counts_text(const struct salvage *s)
{
    const struct counts *c = &s->counts;

    fprintf(stderr,
            "qcloud-salvage: %" PRIu64 " files looked at, of %u clouds (%u in use); %" PRIu64
            " fragments, %" PRIu64 " log objects, %" PRIu64 " foreign files\n",
            c->files, s->seen_count, s->clouds_in_use, c->fragments, c->logs, c->foreign);
    fprintf(stderr, "qcloud-salvage: %" PRIu64 " damaged, %" PRIu64 " missing", c->wrong, c->missing);
    for (unsigned i = 0; i < FATES; i++)
        if (c->fate[i] > 0)
            fprintf(stderr, "; %" PRIu64 " %s", c->fate[i], fates[i]);
    fprintf(stderr, "; %" PRIu64 " bytes\n", c->bytes);
}

/* All files came: could there be newer ones of which nothing is here? */
static qc_rc verdict(const struct salvage *s, char what[LINE_MAX_BYTES])
{
    if (s->worst != QC_OK && s->worst != QC_DEGRADED) {
        (void)snprintf(what, LINE_MAX_BYTES,
                       "%" PRIu64 " files are lost, %" PRIu64 " came with holes, %" PRIu64
                       " in an older version",
                       s->counts.fate[FATE_LOST], s->counts.fate[FATE_PARTIAL], s->counts.fate[FATE_OLDER]);
        return s->worst;
    }
    if (s->log_missing > 0) {
        (void)snprintf(what, LINE_MAX_BYTES,
                       "%" PRIu64 " objects of the log are missing: what they told of is not known",
                       s->log_missing);
        return QC_DEGRADED;
    }
    if (s->known > s->recorded) {
        (void)snprintf(what, LINE_MAX_BYTES, "the newest %" PRIu64 " changes are missing",
                       s->known - s->recorded);
        return QC_DEGRADED;
    }
    if (s->unheard > 0) {
        (void)snprintf(what, LINE_MAX_BYTES,
                       "of %u clouds %u are not here: newer changes may lie there of which nothing is known",
                       s->clouds_in_use, s->unheard);
        return QC_DEGRADED;
    }
    (void)snprintf(what, LINE_MAX_BYTES, "some files came, but not as the newest version");
    return s->worst;
}

int report_end(struct salvage *s, qc_rc rc, const struct qc_err *err)
{
    char what[LINE_MAX_BYTES];
    const bool ran = rc == QC_OK;

    if (ran)
        rc = verdict(s, what);
    else
        (void)snprintf(what, sizeof what, "%s", err->msg[0] != '\0' ? err->msg : qc_rc_text(rc));
    if (ran && s->o.json)
        counts_json(s, qc_rc_exit(rc));
    else if (ran && !s->o.quiet)
        counts_text(s);
    int status = qc_rc_exit(rc);
    if (rc != QC_OK && !(ran && s->o.json))
        status = tell(s, rc, what);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = status == 0 ? qc_rc_exit(QC_IO) : status;
    return status;
}
