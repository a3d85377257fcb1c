/* Renames: what looks like one that is gone and one that is new is the same file. Layer 4; uses base.
 *
 * A file that has another name here: the inode that the last run saw under a name, with the same size, time
 * and mode; and then its bytes say. Its ctime says nothing: on vfat, exfat and what FUSE brings it is a copy
 * of the mtime, and inodes are numbered anew at each mount, so that files of one size and time look each like
 * the other.
 * An object that has another name in the vault: the version of the last run, under another name; no two
 * objects have one in common.
 *
 * A name that has another file by now gives its object away only if that file came by a rename, too: an
 * editor that keeps the old file as NAME~ and writes NAME anew takes no versions away from NAME.
 *
 * Each name is once at most the new one and once the old one: moves form lines, whose last goes first, and
 * rings, one of which comes over as any other file would. */
#include "rename.h"

#include <stdlib.h>

#include "base/limits.h"

struct key {
    uint64_t key;
    size_t at;
    bool taken;
};

static struct sync_step *steps(const struct sync_plan *p)
{
    return (struct sync_step *)(void *)p->steps.p;
}

static struct sync_move *moves(const struct sync_plan *p)
{
    return (struct sync_move *)(void *)p->moves.p;
}

size_t sync_plan_moves(const struct sync_plan *p)
{
    return p->moves.n / sizeof(struct sync_move);
}

const struct sync_move *sync_plan_move(const struct sync_plan *p, size_t i)
{
    QC_ASSERT(i < sync_plan_moves(p));
    return &moves(p)[i];
}

static void count(struct sync_plan *p, const struct sync_step *s, bool more)
{
    const uint64_t bytes = s->what == SYNC_PUT   ? s->here->st.size
                           : s->what == SYNC_GET ? s->there->st.size
                                                 : 0;
    const size_t one = sync_step_is_dir(s) ? 0 : 1, held = s->what == SYNC_STAY && s->known ? 1 : 0;
    p->count[s->what] += more ? one : -one;
    p->held += more ? held : -held;
    p->bytes += more ? bytes : -bytes;
}

static void become(struct sync_plan *p, size_t i, enum sync_do what)
{
    count(p, &steps(p)[i], false);
    steps(p)[i].what = what;
    count(p, &steps(p)[i], true);
}

/* -- which is which -------------------------------------------------------------------------------------- */

static bool is_dir(const struct sync_entry *e)
{
    return e != NULL && sync_is_dir(&e->st);
}

static bool is_file(const struct sync_entry *e)
{
    return e != NULL && (e->kind == SYNC_FILE || e->kind == SYNC_LINK) && !sync_is_dir(&e->st);
}

static bool goes(const struct sync_step *s, enum sync_do removal)
{
    return s->what == removal || (s->what == SYNC_STAY && s->known);
}

/* An object whose file has gone from this name here. */
static bool left_here(const struct sync_step *s)
{
    if (s->base == NULL || !s->stands || s->base->open || !is_file(s->there) || is_dir(s->base))
        return false;
    return s->here == NULL ? goes(s, SYNC_REMOVE_THERE)
                           : s->base->quiet && s->what == SYNC_PUT && is_file(s->here) &&
                                 s->here->st.inode != s->base->st.inode;
}

static bool came_here(const struct sync_step *s)
{
    return s->what == SYNC_PUT && is_file(s->here) && !is_dir(s->there);
}

/* A file whose object has gone from this name in the vault. */
static bool left_there(const struct sync_step *s)
{
    if (s->base == NULL || !s->still || !is_file(s->here) || is_dir(s->there))
        return false;
    return s->there == NULL ? goes(s, SYNC_REMOVE_HERE) : s->what == SYNC_GET && !s->stands;
}

static bool came_there(const struct sync_step *s)
{
    return s->what == SYNC_GET && is_file(s->there) && !is_dir(s->here);
}

static bool folder_left_here(const struct sync_step *s)
{
    return s->base != NULL && s->here == NULL && s->stands && is_dir(s->there) && is_dir(s->base) &&
           goes(s, SYNC_REMOVE_THERE);
}

static bool folder_came_here(const struct sync_step *s)
{
    return s->what == SYNC_PUT && is_dir(s->here) && s->there == NULL;
}

static bool folder_left_there(const struct sync_step *s)
{
    return s->base != NULL && s->there == NULL && s->still && is_dir(s->here) && is_dir(s->base) &&
           goes(s, SYNC_REMOVE_HERE);
}

static bool folder_came_there(const struct sync_step *s)
{
    return s->what == SYNC_GET && is_dir(s->there) && s->here == NULL;
}

static uint64_t inode_left(const struct sync_step *s)
{
    return s->base->st.inode;
}

static uint64_t inode_came(const struct sync_step *s)
{
    return s->here->st.inode;
}

static uint64_t version_of(const struct sync_entry *e)
{
    uint64_t key;
    memcpy(&key, e->version, sizeof key);
    return key;
}

static uint64_t version_left(const struct sync_step *s)
{
    return version_of(s->base);
}

static uint64_t version_came(const struct sync_step *s)
{
    return version_of(s->there);
}

static bool same_stat(const struct sync_stat *a, const struct sync_stat *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && ((a->mode ^ b->mode) & (S_IFMT | 0777)) == 0;
}

static bool same_file(const struct sync_step *from, const struct sync_step *to)
{
    return to->here->st.mode == from->base->st.mode && same_stat(&to->here->st, &from->base->st);
}

static bool same_object(const struct sync_step *from, const struct sync_step *to)
{
    return memcmp(from->base->version, to->there->version, SYNC_VERSION_BYTES) == 0 &&
           same_stat(&from->here->st, &to->there->st);
}

/* Its time and mode come along: another one would be a folder to be stored. */
static bool same_folder(const struct sync_step *from, const struct sync_step *to)
{
    return same_file(from, to) && same_stat(&to->here->st, &from->there->st);
}

static bool same_version(const struct sync_step *from, const struct sync_step *to)
{
    return memcmp(from->base->version, to->there->version, SYNC_VERSION_BYTES) == 0;
}

/* Two sets of steps, and which of the one is which of the other. */
struct kind {
    bool (*left)(const struct sync_step *s);
    bool (*came)(const struct sync_step *s);
    uint64_t (*key_left)(const struct sync_step *s);
    uint64_t (*key_came)(const struct sync_step *s);
    bool (*same)(const struct sync_step *from, const struct sync_step *to);
};
static const struct kind kinds[] = {
    { left_here, came_here, inode_left, inode_came, same_file },
    { left_there, came_there, version_left, version_came, same_object },
    { folder_left_here, folder_came_here, inode_left, inode_came, same_folder },
    { folder_left_there, folder_came_there, version_left, version_came, same_version },
};
enum { FILES_HERE, FILES_THERE, FOLDERS_HERE, FOLDERS_THERE };

/* -- keys ------------------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static struct key *keys(const qc_buf *b, size_t *ret_n)
{
    *ret_n = b->n / sizeof(struct key);
    return (struct key *)(void *)b->p;
}

static qc_rc add_key(qc_buf *b, uint64_t key, size_t at, struct qc_err *err)
{
    const struct key k = { .key = key, .at = at };
    b->max = 3 * QC_SYNC_FILES_MAX * sizeof k;
    return qc_buf_add(b, qc_span_of(&k, sizeof k), err);
}

static void sort_keys(qc_buf *b)
{
    size_t n = 0;
    struct key *v = keys(b, &n);
    if (n > 1)
        qsort(v, n, sizeof *v, by_key);
}

/* The first with that key; NULL: none. Those that follow it up to *ret_end have it, too. */
static struct key *find_key(const qc_buf *b, uint64_t key, struct key **ret_end)
{
    size_t n = 0, low = 0;
    struct key *v = keys(b, &n);
    for (size_t high = n; low < high;) {
        const size_t mid = low + (high - low) / 2;
        if (v[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_end = v + n;
    return low < n && v[low].key == key ? &v[low] : NULL;
}

/* -- rows in doubt --------------------------------------------------------------------------------------- */

static qc_rc changed_rows(const struct sync_list *here, const struct sync_list *base, qc_buf *ret,
                          struct qc_err *err)
{
    size_t h = 0;
    for (size_t b = 0; b < sync_list_count(base); b++) {
        const struct sync_entry *row = sync_list_at(base, b), *file = NULL;
        const qc_span path = sync_list_path(base, row);
        int c = -1;
        for (; h < sync_list_count(here) && c < 0; h += c < 0 ? 1 : 0) {
            file = sync_list_at(here, h);
            c = qc_span_cmp(sync_list_path(here, file), path);
        }
        if (!sync_is_dir(&row->st) && (c != 0 || !sync_stat_same(&file->st, &row->st)))
            QC_TRY(add_key(ret, version_of(row), b, err));
    }
    sort_keys(ret);
    return QC_OK;
}

/* Those of the changed ones that have the version of the row b. */
static qc_rc add_twins(const struct sync_list *base, size_t b, const qc_buf *changed, qc_buf *ret,
                       struct qc_err *err)
{
    static const uint8_t none[SYNC_VERSION_BYTES] = { 0 };
    const struct sync_entry *row = sync_list_at(base, b);
    const uint64_t key = version_of(row);
    struct key *end = NULL;
    if (memcmp(row->version, none, sizeof none) == 0)
        return QC_OK;
    for (const struct key *k = find_key(changed, key, &end); k != NULL && k < end && k->key == key; k++)
        if (k->at != b && memcmp(sync_list_at(base, k->at)->version, row->version, sizeof none) == 0)
            QC_TRY(add_key(ret, k->at, 0, err));
    return QC_OK;
}

qc_rc plan_doubts(const struct sync_list *here, const struct sync_list *base, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf changed = { 0 };
    QC_TRY(changed_rows(here, base, &changed, err));
    for (size_t b = 0; changed.n > 0 && b < sync_list_count(base); b++)
        QC_TRY(add_twins(base, b, &changed, ret, err));
    sort_keys(ret);
    return QC_OK;
}

bool plan_in_doubt(const qc_buf *doubts, const struct sync_list *base, const struct sync_entry *row)
{
    struct key *end = NULL;
    return doubts->n > 0 && find_key(doubts, (uint64_t)(row - sync_list_at(base, 0)), &end) != NULL;
}

/* -- pairs ----------------------------------------------------------------------------------------------- */

static qc_rc pair(struct sync_plan *p, const struct kind *k, const qc_buf *left, size_t to, qc_buf *ret,
                  struct qc_err *err)
{
    const struct sync_step *s = &steps(p)[to];
    struct key *end = NULL;
    for (struct key *l = find_key(left, k->key_came(s), &end); l != NULL && l < end; l++) {
        if (l->key != k->key_came(s))
            break;
        if (l->taken || l->at == to || !k->same(&steps(p)[l->at], s))
            continue;
        const struct sync_move m = { .from = l->at, .to = to };
        l->taken = true;
        return qc_buf_add(ret, qc_span_of(&m, sizeof m), err);
    }
    return QC_OK;
}

/* In the order of `to`. */
static qc_rc pairs(struct sync_plan *p, const struct kind *k, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf left = { 0 };
    ret->max = QC_SYNC_FILES_MAX * sizeof(struct sync_move);
    for (size_t i = 0; i < sync_plan_count(p); i++)
        if (k->left(&steps(p)[i]))
            QC_TRY(add_key(&left, k->key_left(&steps(p)[i]), i, err));
    sort_keys(&left);
    for (size_t i = 0; left.n > 0 && i < sync_plan_count(p); i++)
        if (k->came(&steps(p)[i]))
            QC_TRY(pair(p, k, &left, i, ret, err));
    return QC_OK;
}

static int by_to(const void *a, const void *b)
{
    const struct sync_move *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Did what is here under the earlier name come by a rename as well? */
static bool may_leave(const struct sync_plan *p, const struct sync_move *m, const qc_buf *all)
{
    const struct sync_move by = { .to = m->from };
    return steps(p)[m->from].here == NULL ||
           bsearch(&by, all->p, all->n / sizeof by, sizeof by, by_to) != NULL;
}

static qc_rc is_that_file(const struct sync_plan *p, const struct sync_move *m, const struct sync_rules *r,
                          bool *ret, struct qc_err *err)
{
    const struct sync_step *from = &steps(p)[m->from], *to = &steps(p)[m->to];
    *ret = true;
    return r->moved == NULL ? QC_OK : r->moved(r->ctx, from, to, ret, err);
}

static qc_rc take(struct sync_plan *p, const struct sync_move *m, bool here, struct qc_err *err)
{
    const struct sync_move one = { .from = m->from, .to = m->to, .here = here };
    become(p, m->to, here ? SYNC_MOVE_HERE : SYNC_MOVE_THERE);
    const enum sync_do what = steps(p)[m->from].what;
    if (what == SYNC_STAY || what == SYNC_REMOVE_HERE || what == SYNC_REMOVE_THERE)
        become(p, m->from, SYNC_GONE);
    p->moves.max = 3 * QC_SYNC_FILES_MAX * sizeof one;
    return qc_buf_add(&p->moves, qc_span_of(&one, sizeof one), err);
}

static qc_rc files_here(struct sync_plan *p, const struct sync_rules *rules, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { 0 };
    QC_TRY(pairs(p, &kinds[FILES_HERE], &all, err));
    for (size_t i = 0; i < all.n / sizeof(struct sync_move); i++) {
        const struct sync_move *m = (const struct sync_move *)(const void *)all.p + i;
        bool is = false;
        if (!may_leave(p, m, &all))
            continue;
        QC_TRY(is_that_file(p, m, rules, &is, err));
        if (is)
            QC_TRY(take(p, m, false, err));
    }
    return QC_OK;
}

/* Does something stand here where a folder above it should be? It makes room in its turn, after renames. */
static bool has_room(const struct sync_plan *p, size_t to)
{
    const qc_span path = steps(p)[to].path;
    for (size_t i = 1; i < path.n; i++) {
        const struct sync_step *above = path.p[i] == '/' ? plan_step_of(p, qc_span_sub(path, 0, i)) : NULL;
        if (above != NULL && above->here != NULL && !is_dir(above->here))
            return false;
    }
    return true;
}

static qc_rc files_there(struct sync_plan *p, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { 0 };
    QC_TRY(pairs(p, &kinds[FILES_THERE], &all, err));
    for (size_t i = 0; i < all.n / sizeof(struct sync_move); i++) {
        const struct sync_move *m = (const struct sync_move *)(const void *)all.p + i;
        if (has_room(p, m->to))
            QC_TRY(take(p, m, true, err));
    }
    return QC_OK;
}

/* A folder in the vault is moved as a file is. One here is made, and the old one goes when it is empty. */
static qc_rc folders(struct sync_plan *p, const struct kind *k, bool here, bool *ret_any, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { 0 };
    QC_TRY(pairs(p, k, &all, err));
    for (size_t i = 0; i < all.n / sizeof(struct sync_move); i++) {
        const struct sync_move *m = (const struct sync_move *)(const void *)all.p + i;
        become(p, m->from, here ? SYNC_REMOVE_HERE : SYNC_GONE);
        if (!here)
            QC_TRY(qc_buf_add(&p->moves, qc_span_of(m, sizeof *m), err));
        *ret_any = true;
    }
    return QC_OK;
}

qc_rc plan_renames(struct sync_plan *p, const struct sync_rules *rules, bool *ret_folders, struct qc_err *err)
{
    if (!rules->renames)
        return QC_OK;
    p->moves.max = 3 * QC_SYNC_FILES_MAX * sizeof(struct sync_move);
    if (rules->way != SYNC_DOWN) {
        QC_TRY(files_here(p, rules, err));
        QC_TRY(folders(p, &kinds[FOLDERS_HERE], false, ret_folders, err));
    }
    if (rules->way != SYNC_UP) {
        QC_TRY(files_there(p, err));
        QC_TRY(folders(p, &kinds[FOLDERS_THERE], true, ret_folders, err));
    }
    return QC_OK;
}

/* -- in which order -------------------------------------------------------------------------------------- */

/* The move that makes room for this one. */
static size_t next(const struct sync_plan *p, const qc_buf *by_from, size_t i)
{
    struct key *end = NULL;
    const struct key *k = find_key(by_from, moves(p)[i].to, &end);
    return k == NULL ? SIZE_MAX : k->at;
}

static qc_rc index_moves(struct sync_plan *p, qc_buf *ret, struct qc_err *err)
{
    qc_buf_clear(ret);
    for (size_t i = 0; i < sync_plan_moves(p); i++) {
        moves(p)[i].turn = UINT32_MAX;
        QC_TRY(add_key(ret, moves(p)[i].from, i, err));
    }
    sort_keys(ret);
    return QC_OK;
}

static uint64_t size_of(const struct sync_plan *p, size_t i)
{
    const struct sync_move *m = &moves(p)[i];
    const struct sync_step *to = &steps(p)[m->to];
    return (m->here ? to->there : to->here)->st.size;
}

/* The least one of a ring comes over. `from` says that it is none any more. */
static void open_ring(struct sync_plan *p, const qc_buf *by_from, size_t first)
{
    size_t least = first;
    for (size_t i = next(p, by_from, first); i != first; i = next(p, by_from, i))
        least = size_of(p, i) < size_of(p, least) ? i : least;
    struct sync_move *m = &moves(p)[least];
    become(p, m->to, m->here ? SYNC_GET : SYNC_PUT);
    m->from = SIZE_MAX;
}

static void open_rings(struct sync_plan *p, const qc_buf *by_from)
{
    for (size_t i = 0; i < sync_plan_moves(p); i++) {
        size_t j = i;
        while (j != SIZE_MAX && moves(p)[j].turn == UINT32_MAX) {
            moves(p)[j].turn = (uint32_t)i;
            j = next(p, by_from, j);
        }
        if (j == i && moves(p)[i].turn == (uint32_t)i && next(p, by_from, i) != SIZE_MAX)
            open_ring(p, by_from, i);
    }
}

/* Those that are none: of a ring that is open, of a folder that stays. */
static void drop(struct sync_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < sync_plan_moves(p); i++) {
        const struct sync_move m = moves(p)[i];
        const bool folder = m.from != SIZE_MAX && sync_step_is_dir(&steps(p)[m.to]);
        if (m.from == SIZE_MAX || (folder && steps(p)[m.from].what != SYNC_GONE))
            continue;
        if (folder)
            become(p, m.to, SYNC_MOVE_THERE);
        moves(p)[n++] = m;
    }
    p->moves.n = n * sizeof(struct sync_move);
}

static void give_turns(struct sync_plan *p, const qc_buf *by_from)
{
    for (size_t i = 0; i < sync_plan_moves(p); i++) {
        uint32_t behind = 0;
        size_t j = i;
        for (; j != SIZE_MAX && moves(p)[j].turn == UINT32_MAX; j = next(p, by_from, j))
            behind++;
        behind += j == SIZE_MAX ? 0 : moves(p)[j].turn + 1;
        for (j = i; behind > 0 && j != SIZE_MAX && moves(p)[j].turn == UINT32_MAX; j = next(p, by_from, j))
            moves(p)[j].turn = --behind;
    }
}

static int by_turn(const void *a, const void *b)
{
    const struct sync_move *x = a, *y = b;
    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    if (x->here != y->here)
        return x->here ? 1 : -1;
    return x->to < y->to ? -1 : x->to > y->to;
}

qc_rc plan_moves(struct sync_plan *p, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf by_from = { 0 };
    if (sync_plan_moves(p) == 0)
        return QC_OK;
    QC_TRY(index_moves(p, &by_from, err));
    open_rings(p, &by_from);
    drop(p);
    QC_TRY(index_moves(p, &by_from, err));
    give_turns(p, &by_from);
    if (sync_plan_moves(p) > 1)
        qsort(moves(p), sync_plan_moves(p), sizeof(struct sync_move), by_turn);
    return QC_OK;
}

/* What was to leave stays: so do the folders above it. */
static void keep_folders(struct sync_plan *p, size_t i)
{
    const qc_span path = steps(p)[i].path;
    for (size_t n = 1; n < path.n; n++) {
        struct sync_step *above = path.p[n] == '/' ? plan_step_of(p, qc_span_sub(path, 0, n)) : NULL;
        if (above != NULL && sync_step_is_dir(above) &&
            (above->what == SYNC_REMOVE_HERE || above->what == SYNC_REMOVE_THERE))
            above->what = SYNC_STAY;
    }
}

void sync_plan_moved(struct sync_plan *p, size_t i, enum sync_moved what)
{
    QC_ASSERT(i < sync_plan_moves(p));
    const struct sync_move *m = &moves(p)[i];
    struct sync_step *from = &steps(p)[m->from];
    if (what != SYNC_MOVED) {
        keep_folders(p, m->from);
        become(p, m->to, what == SYNC_MOVE_OPEN ? SYNC_KEEP : m->here ? SYNC_GET : SYNC_PUT);
        if (from->what == SYNC_GONE)
            become(p, m->from, what == SYNC_MOVE_OPEN ? SYNC_KEEP : SYNC_STAY);
    } else if (from->what != SYNC_GONE) {
        *(m->here ? &from->here : &from->there) = NULL;
        from->base = NULL;
        from->known = from->stands = from->still = false;
    }
}
