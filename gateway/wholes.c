/* What is left when all clouds of one provider, region or jurisdiction are lost at once: asked of each
 * layout, for all segments that lie as it says, and of each segment that does not. Counted as margins are: a
 * cloud that does not answer, and is not known to be lost, still has what it had. */
#include "engine_internal.h"

struct group {
    unsigned kind;  /* index of a label */
    unsigned first; /* its first cloud, in the status */
    uint32_t clouds;
    bool borne;
};
struct look {
    const struct gw_status *s;
    uint32_t alive; /* clouds of the status that are not lost */
    unsigned count;
    struct group v[GW_LABELS * QC_GW_CLOUDS_MAX];
};

static bool counts(const struct gw_cloud_view *v)
{
    return v->role == GW_ROLE_IN_USE || v->role == GW_ROLE_DRAINING;
}

static void join_group(struct look *l, unsigned kind, unsigned i)
{
    const struct gw_labels *labels = &l->s->clouds[i].view.labels;
    struct group *g = l->v;

    for (; g < l->v + l->count; g++)
        if (g->kind == kind &&
            gw_same_domain((enum gw_domain)(kind + 1), &l->s->clouds[g->first].view.labels, labels))
            break;
    if (g == l->v + l->count)
        l->v[l->count++] = (struct group){ .kind = kind, .first = i, .borne = true };
    g->clouds |= UINT32_C(1) << i;
}

/* Of the kinds that some cloud has a label of. */
static void make_groups(struct look *l, struct gw_whole wholes[GW_LABELS])
{
    for (unsigned kind = 0; kind < GW_LABELS; kind++) {
        struct gw_whole *w = &wholes[kind];
        *w = (struct gw_whole){ 0 };
        for (unsigned i = 0; i < l->s->cloud_count; i++) {
            const struct gw_cloud_view *v = &l->s->clouds[i].view;
            w->labelled += counts(v) && v->labels.v[kind][0] != '\0';
            w->unlabelled += counts(v) && v->labels.v[kind][0] == '\0';
        }
        for (unsigned i = 0; w->labelled > 0 && i < l->s->cloud_count; i++)
            if (counts(&l->s->clouds[i].view))
                join_group(l, kind, i);
    }
}

/* Clouds that are none any more have nothing. */
static uint32_t places(const struct look *l, const uint32_t *ids, unsigned count)
{
    uint32_t set = 0;

    for (unsigned i = 0; i < l->s->cloud_count; i++)
        for (unsigned j = 0; j < count; j++)
            if (ids[j] == l->s->clouds[i].view.id)
                set |= UINT32_C(1) << i;
    return set;
}

/* Is the loss of each group borne that is borne so far? Those that are not are noted. */
static bool borne(struct look *l, unsigned k, const uint32_t *ids, unsigned count, bool note)
{
    const uint32_t there = places(l, ids, count) & l->alive;
    bool all = true;

    for (struct group *g = l->v; g < l->v + l->count; g++) {
        if (!g->borne || (unsigned)__builtin_popcount(there & ~g->clouds) >= k)
            continue;
        all = false;
        g->borne = !note;
    }
    return all;
}

static void look_at(void *ctx, const struct gw_lie *lie)
{
    (void)borne(ctx, lie->k, lie->clouds, lie->count, true);
}

static qc_rc look_at_layouts(struct gw_cat *c, struct look *l, struct qc_err *err)
{
    struct gw_log_layout layout;
    uint64_t no = 0;

    for (;;) { /* ends: the number grows */
        bool sound;
        QC_TRY(gw_cat_layout_after(c, no, &no, &layout, err));
        if (no == 0)
            return QC_OK;
        if (borne(l, layout.k, layout.clouds, layout.n, false))
            continue;
        QC_TRY(gw_cat_layout_sound(c, no, &sound, err));
        if (sound)
            (void)borne(l, layout.k, layout.clouds, layout.n, true);
    }
}

static void sum_up(const struct look *l, struct gw_whole wholes[GW_LABELS])
{
    for (const struct group *g = l->v; g < l->v + l->count; g++) {
        struct gw_whole *w = &wholes[g->kind];
        const unsigned size = (unsigned)__builtin_popcount(g->clouds);
        w->count++;
        w->most = size > w->most ? size : w->most;
        w->not_borne |= g->borne ? 0 : UINT32_C(1) << g->first;
    }
}

qc_rc gw_wholes(struct gw_engine *e, struct gw_status *s, struct qc_err *err)
{
    struct look l = { .s = s };
    uint32_t lost[QC_GW_CLOUDS_MAX];
    unsigned lost_count;

    make_groups(&l, s->wholes);
    if (l.count == 0)
        return QC_OK;
    QC_TRY(gw_cat_clouds_lost(e->cat, lost, &lost_count, err));
    l.alive = ~places(&l, lost, lost_count);
    QC_TRY(look_at_layouts(e->cat, &l, err));
    QC_TRY(gw_cat_deviants(e->cat, look_at, &l, err));
    sum_up(&l, s->wholes);
    return QC_OK;
}

const char *gw_whole_name(const struct gw_status *s, enum gw_domain kind, unsigned i)
{
    const char *label = s->clouds[i].view.labels.v[kind - 1];

    return label[0] != '\0' ? label : s->clouds[i].name;
}
