/* put: small files, together. Those that wait, and bundles that are on their way. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "client.h"
#include "progress.h"
#include "put_run.h"
#include "text.h"
#include "vault/bundle.h"
#include "vault/pad.h"
#include "vault/source_file.h"

/* A small file that waits for others, with which it is put. */
struct put_waiting {
    char *path; /* NULL: a folder */
    qc_buf name;
    struct vault_source_file *file;
    bool again; /* it is to be put alone */
};

/* Some that wait, or are on their way. */
struct put_group {
    struct put_run *run;
    struct vault_put_item items[QC_VAULT_BUNDLE_FILES];
    struct put_waiting v[QC_VAULT_BUNDLE_FILES];
    size_t count, told;
    uint64_t bytes;
    bool again;        /* some are to be put alone */
    struct progress p; /* of those that are on their way */
    char label[32];
};

static uint64_t about(const struct put_run *run, uint64_t size)
{
    return QC_VAULT_N_ABOUT + (run->c->pad || run->c->conf.pad ? vault_padme(size) : size);
}

static void group_empty(struct put_group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        vault_source_file_free(&g->v[i].file);
        qc_buf_free(&g->v[i].name);
        qc_free(g->v[i].path);
        g->v[i] = (struct put_waiting){ 0 };
    }
    g->count = g->told = 0;
    g->again = false;
    g->bytes = 0;
}

void put_small_free(struct put_group **g)
{
    if (*g != NULL)
        group_empty(*g);
    qc_free(*g);
    *g = NULL;
}

struct put_group *put_small_new(struct put_run *run)
{
    struct put_group *g = qc_alloc(sizeof(*g));
    if (g != NULL)
        g->run = run;
    return g;
}

/* One that waited, alone. */
static void put_waited(struct put_run *run, const struct put_waiting *w)
{
    const qc_span name = qc_buf_span(&w->name);
    struct qc_err why = { 0 };
    bool open = false;
    if (w->path != NULL) {
        put_run_file(run, w->path, name);
        return;
    }
    const qc_rc rc = put_run_source(run, vault_source_file_source(w->file), name, &open, &why);
    run->go_on = put_run_told(run, rc, open, name, &why) && rc != QC_SHARES;
}

/* Those that others, who wrote the name meanwhile, kept from being put with the rest. */
static void put_again(struct put_group *g)
{
    for (size_t i = 0; i < g->count && g->run->go_on; i++)
        if (g->v[i].again)
            put_waited(g->run, &g->v[i]);
}

/* Those that are over, all of which was told of. */
static void put_over(struct put_run *run)
{
    while (run->sent_count > 0 && run->sent[0]->told == run->sent[0]->count) {
        QC_CLEANUP(put_small_free) struct put_group *g = run->sent[0];
        run->sent_count--;
        for (size_t i = 0; i < run->sent_count; i++)
            run->sent[i] = run->sent[i + 1];
        if (!g->again)
            continue;
        vault_put_many_end(run->c->vault);
        put_again(g);
    }
}

/* What is on its way comes to its end. */
void put_small_sent(struct put_run *run)
{
    if (run->sent_count == 0)
        return;
    vault_put_many_end(run->c->vault);
    put_over(run);
}

static void told_of_many(void *ctx, size_t i, qc_rc rc, bool again, struct vault_put_result *r,
                         const struct qc_err *err)
{
    struct put_group *g = ctx;
    struct put_run *run = g->run;
    const qc_span name = qc_buf_span(&g->v[i].name);
    struct qc_err why = *err;
    g->told++;
    progress_end(&g->p);
    if (rc != QC_OK && again && run->go_on) {
        g->v[i].again = g->again = true;
        return;
    }
    if (rc == QC_OK)
        rc = client_stored(run->c, name, g->v[i].path == NULL, r, &why);
    if (rc == QC_OK)
        rc = client_kept_all(g->v[i].file, false, name, &why);
    const bool go_on = put_run_told(run, rc, r->open, name, &why) && rc != QC_SHARES;
    run->go_on = run->go_on && go_on;
}

/* On its way; those that made room for it have come to their end. */
static void put_together(struct put_run *run)
{
    struct put_group *g = QC_STEAL(run->waiting);
    for (size_t i = 0; i < g->count; i++)
        g->items[i] = (struct vault_put_item){ .name = qc_buf_span(&g->v[i].name),
                                               .source = vault_source_file_source(g->v[i].file) };
    const struct vault_put_many many = { .items = g->items,
                                         .count = g->count,
                                         .if_absent = run->opts.if_absent,
                                         .hasty = run->opts.hasty,
                                         .told = told_of_many,
                                         .ctx = g };
    (void)snprintf(g->label, sizeof g->label, "%zu small files", g->count);
    const struct vault_call call = client_call_shown(run->c, &g->p, qc_span_str(g->label), "durable", true);
    run->sent[run->sent_count++] = g;
    vault_put_many(run->c->vault, &many, &call);
    put_over(run);
    run->waiting = put_small_new(run);
}

/* All that wait. Of few the reading of one would cost more than their putting saves. */
void put_small_all(struct put_run *run)
{
    struct put_group *g = run->waiting;
    if (g == NULL)
        return;
    if (g->count >= QC_VAULT_BUNDLE_LEAST) {
        put_together(run);
        return;
    }
    put_small_sent(run);
    for (size_t i = 0; i < g->count && run->go_on; i++)
        put_waited(run, &g->v[i]);
    group_empty(g);
}

static qc_rc wait_for_others(struct put_group *g, const char *path, qc_span name, uint64_t size,
                             struct qc_err *err)
{
    struct put_waiting *w = &g->v[g->count];
    QC_TRY(vault_source_file_later(&w->file, AT_FDCWD, path, g->run->follow, err));
    g->count++;
    g->bytes += about(g->run, size);
    w->path = qc_strdup(path);
    w->name.max = QC_CLIENT_TEXT_MAX;
    if (w->path == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", path);
    return qc_buf_add(&w->name, name, err);
}

/* A folder waits as a file of no bytes does. */
static qc_rc folder_waits(struct put_group *g, const struct stat *st, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(vault_source_folder_new(&f, st->st_mode & 07777, st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec,
                                   err));
    QC_TRY(qc_buf_add(&text, name, err));
    g->v[g->count++] = (struct put_waiting){ .name = QC_STEAL(text), .file = QC_STEAL(f) };
    g->bytes += about(g->run, 0);
    return QC_OK;
}

/* Of a tree. Sites keep none. */
void put_small_folder(struct put_run *run, const struct stat *st, qc_span name)
{
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    if (run->sites != NULL || !run->go_on)
        return;
    if (run->waiting != NULL && (run->waiting->count == QC_VAULT_BUNDLE_FILES ||
                                 run->waiting->bytes + about(run, 0) > QC_VAULT_BUNDLE_MAX))
        put_small_all(run);
    if (run->go_on && run->waiting == NULL)
        rc = QC_FAIL(&why, QC_NOMEM, "no memory for a folder");
    else if (run->go_on)
        rc = folder_waits(run->waiting, st, name, &why);
    if (rc != QC_OK)
        run->go_on = put_run_told(run, rc, false, name, &why);
}

/* Of a file with so many bytes, as was seen. */
void put_small_add(struct put_run *run, const char *path, qc_span name, uint64_t size)
{
    struct qc_err why = { 0 };
    if (run->waiting->count == QC_VAULT_BUNDLE_FILES ||
        run->waiting->bytes + about(run, size) > QC_VAULT_BUNDLE_MAX)
        put_small_all(run);
    if (!run->go_on)
        return;
    struct put_group *g = run->waiting;
    if (g == NULL) { /* no memory for others, either */
        put_small_sent(run);
        if (run->go_on)
            put_run_file(run, path, name);
        return;
    }
    const size_t before = g->count;
    const qc_rc rc = wait_for_others(g, path, name, size, &why);
    if (rc == QC_OK)
        return;
    run->go_on = put_run_told(run, rc, false, name, &why);
    if (g->count > before) { /* it is no whole one */
        struct put_waiting *w = &g->v[--g->count];
        vault_source_file_free(&w->file);
        qc_buf_free(&w->name);
        qc_free(w->path);
        *w = (struct put_waiting){ 0 };
    }
}
