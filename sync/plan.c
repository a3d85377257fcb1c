#include "sync/plan.h"

#include "base/limits.h"
#include "rename.h"

void sync_plan_done(struct sync_plan *p)
{
    qc_buf_free(&p->steps);
    qc_buf_free(&p->moves);
    *p = (struct sync_plan){ 0 };
}

size_t sync_plan_count(const struct sync_plan *p)
{
    return p->steps.n / sizeof(struct sync_step);
}

const struct sync_step *sync_plan_at(const struct sync_plan *p, size_t i)
{
    QC_ASSERT(i < sync_plan_count(p));
    return (const struct sync_step *)(const void *)p->steps.p + i;
}

bool sync_step_is_dir(const struct sync_step *s)
{
    const struct sync_entry *e =
        s->what == SYNC_GET || s->what == SYNC_REMOVE_THERE || s->here == NULL ? s->there : s->here;
    return e != NULL ? sync_is_dir(&e->st) : s->base != NULL && sync_is_dir(&s->base->st);
}

bool sync_step_unsure(const struct sync_step *s)
{
    return s->base != NULL && s->base->quiet && !s->base->open && !s->still;
}

/* -- one path -------------------------------------------------------------------------------------------- */

/* What is known of a path: facts, from which the tables below decide. */
struct facts {
    bool known;   /* a run has seen it on both sides */
    bool stands;  /* the vault has the version of the last run */
    bool perhaps; /* it has one that looks like what a run was about to put when it was killed */
    bool still;   /* the file is as at the last run */
    bool equal;   /* both are the same */
    bool asked;   /* which their bytes have said */
    bool half;    /* but for the mode, which a get sets at its very end: it was killed there */
};

/* By size, time and mode: as far as the vault says so in what it vouches for. Bits that a get does not set do
 * not count. */
static bool alike(const struct sync_stat *file, const struct sync_entry *object)
{
    return object->has_mtime && object->has_mode && file->size == object->st.size &&
           file->mtime_ns == object->st.mtime_ns &&
           sync_mode(file->mode & ~UINT32_C(07000)) == sync_mode(object->st.mode & ~UINT32_C(07000));
}

/* Bits that a get does not set do not count. */
static bool same_mode(const struct sync_entry *a, const struct sync_entry *b)
{
    return ((a->st.mode ^ b->st.mode) & 0777) == 0;
}

/* Each change of what a folder holds changes its time: that alone is no change of the folder. Another one
 * under its name is. */
static bool as_it_was(const struct sync_entry *here, const struct sync_entry *base)
{
    return sync_is_dir(&here->st) && sync_is_dir(&base->st)
               ? same_mode(here, base) && here->st.inode == base->st.inode
               : sync_stat_same(&here->st, &base->st);
}

/* A row that was left open: either the put never came to be, and what the row says of the file is of no use;
 * or it did, and the version in the vault is that file's. */
static void look_base(const struct sync_step *s, struct facts *f)
{
    static const uint8_t none[SYNC_VERSION_BYTES] = { 0 };
    const struct sync_entry *base = s->base;
    if (base == NULL)
        return;
    f->known = memcmp(base->version, none, sizeof(none)) != 0 && !s->doubt;
    f->still = base->quiet && !base->open && s->here != NULL && as_it_was(s->here, base);
    if (s->there == NULL)
        return;
    f->stands = f->known && memcmp(base->version, s->there->version, sizeof(none)) == 0;
    f->still = f->still && f->known;
    f->perhaps = !f->stands && base->open && alike(&base->st, s->there);
}

/* A new file with the object's size and time, and the mode of a get that is not over. */
static bool is_half(const struct sync_step *s)
{
    if (s->here == NULL || s->there == NULL || sync_is_link(&s->here->st) || sync_is_link(&s->there->st) ||
        sync_is_dir(&s->here->st) || sync_is_dir(&s->there->st) || (s->here->st.mode & 0777) != 0600 ||
        (s->base != NULL && s->base->st.inode == s->here->st.inode))
        return false;
    struct sync_stat st = s->here->st;
    st.mode = s->there->st.mode;
    return alike(&st, s->there);
}

/* What looks the same may be another's, written within the same tick of a clock or under a time that was set:
 * its bytes say. */
static qc_rc is_same(const struct sync_step *s, const struct sync_rules *r, bool *ret, struct qc_err *err)
{
    *ret = true;
    return r->same == NULL ? QC_OK : r->same(r->ctx, s->path, s->here, s->there, ret, err);
}

/* Did the put of a run that was killed come to be? Where the file is gone or is another one by now, nothing
 * is left to tell by; going up that is believed then, as what is there stays as an older version. */
static qc_rc look_perhaps(const struct sync_step *s, const struct sync_rules *r, struct facts *f,
                          struct qc_err *err)
{
    f->asked = s->here != NULL && sync_stat_same(&s->here->st, &s->base->st);
    if (f->asked)
        QC_TRY(is_same(s, r, &f->equal, err));
    f->still = f->equal;
    f->stands = f->asked ? f->equal : r->way == SYNC_UP;
    f->known = f->known || f->stands;
    return QC_OK;
}

static qc_rc look_alike(const struct sync_step *s, const struct sync_rules *r, struct facts *f,
                        struct qc_err *err)
{
    const bool new = !f->known && r->way == SYNC_BOTH && !r->first;
    f->equal = alike(&s->here->st, s->there);
    if (!f->equal || (!f->known && !new))
        return QC_OK;
    if (f->stands) /* the file alone may be another one */
        return r->moved == NULL ? QC_OK : r->moved(r->ctx, s, s, &f->equal, err);
    return is_same(s, r, &f->equal, err);
}

static qc_rc look(const struct sync_step *s, const struct sync_rules *r, struct facts *ret,
                  struct qc_err *err)
{
    struct facts f = { 0 };
    look_base(s, &f);
    if (f.perhaps)
        QC_TRY(look_perhaps(s, r, &f, err));
    if (s->here != NULL && s->there != NULL && !f.asked) {
        if (r->content)
            QC_TRY(r->same(r->ctx, s->path, s->here, s->there, &f.equal, err));
        else if (f.stands &&
                 r->way != SYNC_DOWN) /* its times say whether it was changed, whatever its size */
            f.equal = f.still;
        else if (f.known && f.still && r->way != SYNC_UP) /* the vault's may look like it, and be another */
            f.equal = f.stands;
        else
            QC_TRY(look_alike(s, r, &f, err));
    }
    if (!f.equal && is_half(s))
        QC_TRY(is_same(s, r, &f.half, err));
    *ret = f;
    return QC_OK;
}

static enum sync_do conflict(enum sync_side counts, enum sync_side source, enum sync_do action)
{
    if (counts == SYNC_NEITHER)
        return SYNC_CONFLICT;
    return counts == source ? action : SYNC_KEEP;
}

static enum sync_do decide_up(const struct sync_step *s, const struct facts *f, const struct sync_rules *r)
{
    if (s->here == NULL && s->there == NULL)
        return SYNC_FORGET;
    if (s->there == NULL)
        return SYNC_PUT;
    if (s->here == NULL) {
        if (!f->known || !r->remove)
            return SYNC_STAY;
        return f->stands ? SYNC_REMOVE_THERE : conflict(r->counts, SYNC_HERE, SYNC_REMOVE_THERE);
    }
    if (f->equal)
        return f->stands && f->still && !s->base->open ? SYNC_SAME : SYNC_ADOPT;
    /* Without a last run there is nothing to tell who was first; what is there stays as an older version. */
    return f->stands || s->base == NULL ? SYNC_PUT : conflict(r->counts, SYNC_HERE, SYNC_PUT);
}

static enum sync_do decide_down(const struct sync_step *s, const struct facts *f, const struct sync_rules *r)
{
    if (s->here == NULL && s->there == NULL)
        return SYNC_FORGET;
    if (s->here == NULL)
        return SYNC_GET;
    if (s->there == NULL) {
        if (!f->known || !r->remove)
            return SYNC_STAY;
        return f->still ? SYNC_REMOVE_HERE : conflict(r->counts, SYNC_THERE, SYNC_REMOVE_HERE);
    }
    if (f->equal)
        return f->stands && f->still && !s->base->open ? SYNC_SAME : SYNC_ADOPT;
    /* A file that no run has seen may be all that there is of it. */
    return (f->still && !f->stands) || f->half ? SYNC_GET : conflict(r->counts, SYNC_THERE, SYNC_GET);
}

/* What was seen on both sides and is gone from one goes from the other, if it is as it was there; a change
 * counts for more than a removal. */
static enum sync_do decide_one_side(const struct sync_step *s, const struct facts *f,
                                    const struct sync_rules *r)
{
    const bool unchanged = f->known && (s->here != NULL ? f->still : f->stands);
    if (unchanged && !r->remove)
        return SYNC_STAY;
    if (s->here != NULL)
        return unchanged ? SYNC_REMOVE_HERE : SYNC_PUT;
    return unchanged ? SYNC_REMOVE_THERE : SYNC_GET;
}

static enum sync_do decide_both(const struct sync_step *s, const struct facts *f, const struct sync_rules *r)
{
    if (s->here == NULL && s->there == NULL)
        return SYNC_FORGET;
    if (s->here == NULL || s->there == NULL)
        return decide_one_side(s, f, r);
    if (f->equal)
        return f->stands && f->still && !s->base->open ? SYNC_SAME : SYNC_ADOPT;
    if (f->half || (f->known && f->still && !f->stands))
        return SYNC_GET;
    if ((f->known && f->stands) || r->counts == SYNC_HERE)
        return SYNC_PUT;
    return r->counts == SYNC_THERE ? SYNC_GET : SYNC_KEEP_BOTH;
}

/* -- folders -----------------------------------------------------------------------------------------------
 */

/* A folder alone, on whichever sides it is? */
static bool is_folder(const struct sync_step *s)
{
    return (s->here != NULL || s->there != NULL) && (s->here == NULL || sync_is_dir(&s->here->st)) &&
           (s->there == NULL || sync_is_dir(&s->there->st));
}

static bool same_folder(const struct sync_entry *a, const struct sync_entry *b)
{
    return same_mode(a, b) && a->st.mtime_ns == b->st.mtime_ns;
}

static struct facts facts_of_folder(const struct sync_step *s)
{
    struct facts f = { 0 };
    look_base(s, &f);
    f.equal = s->here != NULL && s->there != NULL && s->there->has_mode && s->there->has_mtime &&
              same_folder(s->here, s->there);
    return f;
}

static enum sync_do both_changed(const struct sync_step *s, const struct facts *f, const struct sync_rules *r)
{
    const bool here = f->known && !f->still && same_mode(s->there, s->base);
    return here || r->counts == SYNC_HERE ? SYNC_PUT : SYNC_GET;
}

static enum sync_do decide_folder(const struct sync_step *s, const struct sync_rules *r)
{
    const struct facts f = facts_of_folder(s);
    if (s->there == NULL && r->way == SYNC_UP)
        return SYNC_PUT;
    if (s->here == NULL && r->way == SYNC_DOWN)
        return SYNC_GET;
    if (r->way == SYNC_BOTH && (s->here == NULL || s->there == NULL))
        return decide_one_side(s, &f, r);
    if (s->here == NULL || s->there == NULL)
        return !f.known || !r->remove ? SYNC_STAY : s->here == NULL ? SYNC_REMOVE_THERE : SYNC_REMOVE_HERE;
    if (f.equal)
        return f.stands && same_folder(s->here, s->base) && !s->base->open ? SYNC_SAME : SYNC_ADOPT;
    if (r->way != SYNC_BOTH)
        return r->way == SYNC_UP ? SYNC_PUT : SYNC_GET;
    if (f.stands)
        return SYNC_PUT;
    return f.known && same_folder(s->here, s->base) ? SYNC_GET : both_changed(s, &f, r);
}

struct sync_step *plan_step_of(const struct sync_plan *p, qc_span path)
{
    struct sync_step *steps = (struct sync_step *)(void *)p->steps.p;
    size_t low = 0, high = sync_plan_count(p);
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int c = qc_span_cmp(path, steps[mid].path);
        if (c == 0)
            return &steps[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* Of a path that stays: a folder above it stays, too. */
static void keep_above(const struct sync_plan *p, const struct sync_step *s, const struct sync_rules *r)
{
    const bool both = r->way == SYNC_BOTH && r->remove;
    const bool comes = s->what == SYNC_GET || s->what == SYNC_KEEP_BOTH || s->what == SYNC_MOVE_HERE;
    const bool goes = s->what == SYNC_PUT || s->what == SYNC_KEEP_BOTH || s->what == SYNC_MOVE_THERE;
    const bool gone = s->what == SYNC_GONE;
    const bool here = comes || (s->here != NULL && s->what != SYNC_REMOVE_HERE && !gone);
    const bool there = goes || (s->there != NULL && s->what != SYNC_REMOVE_THERE && !gone);
    for (size_t i = 1; i < s->path.n; i++) {
        struct sync_step *above = s->path.p[i] == '/' ? plan_step_of(p, qc_span_sub(s->path, 0, i)) : NULL;
        if (above == NULL || !is_folder(above))
            continue;
        if (here && above->what == SYNC_REMOVE_HERE)
            above->what = both ? SYNC_PUT : SYNC_STAY;
        if (there && (above->what == SYNC_REMOVE_THERE || above->what == SYNC_GONE))
            above->what = both ? SYNC_GET : SYNC_STAY;
    }
}

/* -- all of them ----------------------------------------------------------------------------------------- */

struct maker {
    const struct sync_rules *rules;
    const struct sync_list *here, *there, *base;
    bool bars;    /* something here is no file */
    bool folders; /* some are to go */
    qc_buf doubts;
    struct sync_plan plan;
};

/* What stands at the path, or at a folder above it, and is neither file nor folder. A link is synced as it
 * is, and never gone through. */
static const struct sync_entry *bar(const struct maker *m, qc_span path)
{
    for (size_t i = 1; m->bars && i <= path.n; i++) {
        const struct sync_entry *e = NULL;
        if (i == path.n || path.p[i] == '/')
            e = sync_list_find(m->here, qc_span_sub(path, 0, i));
        if (e != NULL && e->kind != SYNC_FILE && e->kind != SYNC_DIR &&
            !(e->kind == SYNC_LINK && i == path.n))
            return e;
    }
    return NULL;
}

/* The version of the row may be what is in the vault again, by a rename there, while what is here came of
 * another one. */
static bool is_doubtful(const struct maker *m, const struct sync_step *s)
{
    if (s->base == NULL)
        return false;
    if (s->here != NULL && (s->base->quiet || s->base->open) && sync_stat_same(&s->here->st, &s->base->st))
        return false;
    const struct sync_list *coming = m->rules->coming, *unsure = m->rules->unsure;
    return (coming != NULL && sync_list_find(coming, s->path) != NULL) ||
           (unsure != NULL && sync_list_find(unsure, s->path) != NULL) ||
           plan_in_doubt(&m->doubts, m->base, s->base);
}

static qc_rc add(struct maker *m, struct sync_step *s, struct qc_err *err)
{
    static enum sync_do (*const decide[])(const struct sync_step *s, const struct facts *f,
                                          const struct sync_rules *r) = {
        [SYNC_UP] = decide_up, [SYNC_DOWN] = decide_down, [SYNC_BOTH] = decide_both
    };
    struct facts f = { 0 };
    const struct sync_entry *barred = bar(m, s->path);
    s->doubt = is_doubtful(m, s);
    look_base(s, &f);
    s->known = f.known;
    s->stands = f.stands;
    s->still = f.still && f.known;
    if (barred != NULL) {
        /* Down, an object cannot go there. Up, what may be behind it is not known: nothing is removed. */
        s->here = barred;
        s->what = s->there == NULL ? SYNC_STAY : SYNC_BARRED;
    } else if (is_folder(s)) {
        s->what = decide_folder(s, m->rules);
        m->plan.held += s->what == SYNC_STAY && s->known;
        m->folders = m->folders || s->what == SYNC_REMOVE_HERE || s->what == SYNC_REMOVE_THERE;
    } else {
        QC_TRY(look(s, m->rules, &f, err));
        s->what = decide[m->rules->way](s, &f, m->rules);
        if (s->what == SYNC_KEEP_BOTH && (sync_is_dir(&s->here->st) || sync_is_dir(&s->there->st)))
            s->what = SYNC_CONFLICT; /* a folder has no name of its own to be kept under */
        s->known = f.known;
        m->plan.held += s->what == SYNC_STAY && f.known;
    }
    if (!sync_step_is_dir(s))
        m->plan.count[s->what]++;
    if (s->what == SYNC_PUT)
        m->plan.bytes += s->here->st.size;
    if (s->what == SYNC_GET)
        m->plan.bytes += s->there->st.size;
    m->plan.steps.max = 3 * QC_SYNC_FILES_MAX * sizeof(*s);
    return qc_buf_add(&m->plan.steps, qc_span_of(s, sizeof(*s)), err);
}

/* The entry at *i when its path is that of the step; then the next one's turn comes. */
static const struct sync_entry *take(const struct sync_list *l, size_t *i, qc_span path)
{
    if (*i >= sync_list_count(l) || !qc_span_eq(sync_list_path(l, sync_list_at(l, *i)), path))
        return NULL;
    return sync_list_at(l, (*i)++);
}

static qc_span first(const struct maker *m, const size_t at[3], bool *ret_any)
{
    const struct sync_list *lists[] = { m->here, m->there, m->base };
    qc_span least = { 0 };
    *ret_any = false;
    for (size_t i = 0; i < 3; i++) {
        if (at[i] >= sync_list_count(lists[i]))
            continue;
        const qc_span path = sync_list_path(lists[i], sync_list_at(lists[i], at[i]));
        if (!*ret_any || qc_span_cmp(path, least) < 0)
            least = path;
        *ret_any = true;
    }
    return least;
}

static void plan_free(struct maker *m)
{
    sync_plan_done(&m->plan);
    qc_buf_free(&m->doubts);
}

qc_rc sync_plan_make(struct sync_plan *ret, const struct sync_rules *rules, const struct sync_list *here,
                     const struct sync_list *there, const struct sync_list *base, struct qc_err *err)
{
    QC_CLEANUP(plan_free) struct maker m = { .rules = rules, .here = here, .there = there, .base = base };
    size_t at[3] = { 0 };
    for (size_t i = 0; i < sync_list_count(here); i++)
        m.bars =
            m.bars || (sync_list_at(here, i)->kind != SYNC_FILE && sync_list_at(here, i)->kind != SYNC_DIR);
    QC_TRY(plan_doubts(here, base, &m.doubts, err));
    for (;;) {
        bool any = false;
        struct sync_step s = { .path = first(&m, at, &any) };
        if (!any)
            break;
        s.here = take(here, &at[0], s.path);
        s.there = take(there, &at[1], s.path);
        s.base = take(base, &at[2], s.path);
        QC_TRY(add(&m, &s, err));
    }
    bool folders = false;
    QC_TRY(plan_renames(&m.plan, rules, &folders, err));
    for (size_t i = 0; (m.folders || folders) && i < sync_plan_count(&m.plan); i++)
        keep_above(&m.plan, sync_plan_at(&m.plan, i), rules);
    QC_TRY(plan_moves(&m.plan, err));
    *ret = QC_STEAL(m.plan);
    return QC_OK;
}

/* One target: `removed` of the `target` files that it has; the other side has `source`. */
static qc_rc check_side(size_t removed, size_t source, size_t target, unsigned pct, struct qc_err *err)
{
    if (removed == 0)
        return QC_OK;
    if (source == 0)
        return QC_FAIL(err, QC_USAGE,
                       "there is nothing to sync from, and all %zu files that are known would be deleted",
                       removed);
    if (removed * 100 > (uint64_t)pct * target)
        return QC_FAIL(err, QC_USAGE, "%zu of %zu files would be deleted, more than %u %%", removed, target,
                       pct);
    return QC_OK;
}

qc_rc sync_plan_check(const struct sync_plan *p, unsigned pct, struct qc_err *err)
{
    size_t here = 0, there = 0, all_here = 0, all_there = 0, dirs_here = 0, dirs_there = 0;
    for (size_t i = 0; i < sync_plan_count(p); i++) {
        const struct sync_step *s = sync_plan_at(p, i);
        const bool dir = sync_step_is_dir(s);
        here += s->here != NULL && s->here->kind <= SYNC_LINK;
        there += s->there != NULL && !sync_is_dir(&s->there->st);
        all_here += s->here != NULL && s->here->kind <= SYNC_DIR;
        all_there += s->there != NULL;
        dirs_here += dir && s->what == SYNC_REMOVE_HERE;
        dirs_there += dir && s->what == SYNC_REMOVE_THERE;
    }
    if ((dirs_here > 0 && all_there == 0) || (dirs_there > 0 && all_here == 0))
        return QC_FAIL(err, QC_USAGE,
                       "there is nothing to sync from, and all that is known would be deleted");
    QC_TRY(check_side(p->count[SYNC_REMOVE_HERE], there, here, pct, err));
    return check_side(p->count[SYNC_REMOVE_THERE], here, there, pct, err);
}
