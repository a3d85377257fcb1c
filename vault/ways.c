#include "ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "net/way.h"
#include "vault/gw.h"

struct one {
    char cloud[VAULT_CLOUD_NAME_MAX];
    struct net_way way;
};
struct vault_ways {
    pthread_mutex_t lock; /* all that follows */
    unsigned count;
    struct one v[QC_VAULT_WAYS_MAX];
};

qc_rc vault_ways_new(struct vault_ways **ret, struct qc_err *err)
{
    struct vault_ways *w = qc_alloc(sizeof *w);
    if (w == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *w);
    qc_mutex_init(&w->lock);
    *ret = w;
    return QC_OK;
}

void vault_ways_free(struct vault_ways **w)
{
    if (*w == NULL)
        return;
    qc_mutex_done(&(*w)->lock);
    qc_free(*w);
    *w = NULL;
}

/* -- an answer ------------------------------------------------------------------------------------------- */

/* It is shown, and stands between commas and blanks: printable, and without these. */
static qc_rc take_word(const struct json_t *j, const char *member, char *room, size_t size,
                       struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    const size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (s[i] <= 0x20 || s[i] > 0x7e || s[i] == ',' || s[i] == '=')
            return QC_FAIL(err, QC_FORMAT, "%s: not a word", member);
    if (n >= size)
        return QC_FAIL(err, QC_FORMAT, "%s: %zu bytes, at most %zu", member, n, size - 1);
    memcpy(room, s, n + 1);
    return QC_OK;
}

static qc_rc take_count(const struct json_t *j, const char *member, uint64_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(j, member, 0, INT64_MAX, &v, err));
    *ret = (uint64_t)v;
    return QC_OK;
}

static qc_rc parse(const struct json_t *j, struct one *ret, struct qc_err *err)
{
    struct one o = { 0 };
    const char *level = NULL;
    struct qc_err why = { 0 };
    if (!qc_json_is_object(j))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(take_word(j, "cloud", o.cloud, sizeof o.cloud, err));
    QC_TRY(qc_json_str(j, "level", &level, err));
    if (o.cloud[0] == '\0' || net_level_parse(level, &o.way.level, &why) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "no cloud, or no level");
    QC_TRY(take_word(j, "first", o.way.first, sizeof o.way.first, err));
    QC_TRY(take_word(j, "last", o.way.last, sizeof o.way.last, err));
    QC_TRY(take_count(j, "keys", &o.way.keys, err));
    QC_TRY(take_count(j, "pad_first", &o.way.pad_first, err));
    QC_TRY(take_count(j, "pad_last", &o.way.pad_last, err));
    const bool named = o.way.first[0] != '\0' && o.way.last[0] != '\0';
    if (named != (o.way.keys > 0) || o.way.pad_last < o.way.pad_first ||
        (o.way.pad_first == 0 && o.way.pad_last != 0))
        return QC_FAIL(err, QC_FORMAT, "keys that contradict each other");
    *ret = o;
    return QC_OK;
}

/* More clouds than there can be are not kept. */
static void add(struct vault_ways *w, const struct one *o)
{
    unsigned i = 0;
    QC_LOCK(&w->lock);
    while (i < w->count && strcmp(w->v[i].cloud, o->cloud) != 0)
        i++;
    if (i < w->count)
        net_way_add(&w->v[i].way, &o->way);
    else if (i < QC_VAULT_WAYS_MAX)
        w->v[w->count++] = *o;
}

qc_rc vault_ways_take(struct vault_ways *w, const struct json_t *answer, struct qc_err *err)
{
    struct json_t *list = NULL;
    if (!qc_json_has(answer, "ways"))
        return QC_OK; /* of a gateway that does not know them */
    QC_TRY(qc_json_arr(answer, "ways", &list, err));
    if (qc_json_len(list) > QC_VAULT_WAYS_MAX)
        return QC_FAIL(err, QC_FORMAT, "ways: %zu clouds, at most %d", qc_json_len(list), QC_VAULT_WAYS_MAX);
    for (size_t i = 0; i < qc_json_len(list); i++) {
        struct one o;
        QC_TRY_AS(parse(qc_json_at(list, i), &o, err), err, "ways");
        if (w != NULL)
            add(w, &o);
    }
    return QC_OK;
}

void vault_ways_own(struct vault_ways *w, const struct net_way *way)
{
    const struct one o = { .cloud = VAULT_WAY_GATEWAY, .way = *way };
    add(w, &o);
}

/* -- as a text ------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct one *)a)->cloud, ((const struct one *)b)->cloud);
}

qc_rc vault_ways_print(struct vault_ways *w, qc_buf *ret, struct qc_err *err)
{
    QC_LOCK(&w->lock);
    if (w->count > 0)
        qsort(w->v, w->count, sizeof *w->v, by_name);
    for (unsigned i = 0; i < w->count; i++) {
        QC_TRY(qc_buf_addf(ret, err, "%s%s=", i == 0 ? "" : " ", w->v[i].cloud));
        QC_TRY(net_way_print(&w->v[i].way, ret, err));
    }
    return QC_OK;
}
