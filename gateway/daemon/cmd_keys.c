/* What key there is for the ways that are keyed by QKD: to clouds behind a qcloud-link, which knows, and of
 * the door for tenants, of which the KME does. No key is drawn, and no cloud is asked. */
#include "cmd_keys.h"

#include "base/alloc.h"
#include "base/program.h"
#include "cloud/link.h"
#include "cloud_args.h"
#include "conf.h"
#include "http.h"
#include "moves.h"
#include "operator.h"
#include "print.h"
#include "qkd/stock.h"
#include "tell.h"

const struct qc_opt cmd_keys_options[] = {
    CLOUD_ARGS_STATE,
    QKD_STOCK_OPTIONS,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

struct ways {
    struct qkd_stock_link v[QC_GW_CLOUDS_MAX + QKD_KEYED_PEERS];
    struct cloud_way way[QC_GW_CLOUDS_MAX];
    struct json_t *clouds; /* whose names they are */
    size_t count, linked;
};

static void ways_free(struct ways **w)
{
    if (*w != NULL)
        qc_json_free(&(*w)->clouds);
    qc_free(*w);
    *w = NULL;
}

/* The daemon is asked which clouds there are, else the catalogue; neither is held while links are watched. */
static qc_rc list_clouds(const char *state, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_TRY(operator_open(&o, state, err));
    return o.net != NULL ? operator_ask(&o, "GET", "/v1/clouds", NULL, ret, err)
                         : clouds_list_json(ret, o.e, err);
}

static qc_rc add_clouds(struct ways *w, struct qc_err *err)
{
    struct json_t *list = NULL;
    QC_TRY(qc_json_arr(w->clouds, "clouds", &list, err));
    for (size_t i = 0; i < qc_json_len(list) && w->linked < QC_GW_CLOUDS_MAX; i++) {
        const char *name = NULL, *url = NULL;
        struct cloud_way *way = &w->way[w->linked];
        QC_TRY(qc_json_str(qc_json_at(list, i), "name", &name, err));
        QC_TRY(qc_json_str(qc_json_at(list, i), "url", &url, err));
        QC_TRY(cloud_way_of(url, way, err));
        if (way->link[0] == '\0')
            continue;
        w->v[w->count++] = (struct qkd_stock_link){ .socket = way->link, .cloud = name };
        w->linked++;
    }
    return QC_OK;
}

static void add_peers(struct ways *w, const struct conf_qkd *door)
{
    for (unsigned i = 0; door->address.port != 0 && i < door->count; i++)
        w->v[w->count++] = (struct qkd_stock_link){ .keyed = &door->way, .peer = door->peers[i] };
}

qc_rc cmd_keys(void *app, const struct qc_args *args, struct qc_err *err)
{
    static struct conf conf; /* 20 KiB of paths */
    QC_CLEANUP(ways_free) struct ways *w = qc_alloc(sizeof *w);
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *file = qc_args_value(args, "config", NULL), *state = NULL;
    uint64_t watch_s = 0;
    *(enum tell_about *)app = TELL_KEYS;
    if (w == NULL)
        return QC_FAIL(err, QC_NOMEM, "links");
    QC_TRY(qkd_stock_watch(args, &watch_s, err));
    QC_TRY(cloud_args_state(args, &state, err));
    if (file != NULL)
        QC_TRY(conf_load(file, &conf, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(list_clouds(state, &w->clouds, err));
    QC_TRY_AS(add_clouds(w, err), err, "clouds");
    add_peers(w, &conf.qkd);
    if (w->count == 0)
        return QC_FAIL(
            err, QC_NOTCONF,
            "nothing here is keyed by QKD: no cloud's URL names a qcloud-link, and there is no section "
            "[qkd]");
    QC_TRY(qkd_stock_report(w->v, w->count, watch_s, qc_stop(), &report, err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_BODY_MAX, err));
    return qc_json_outcome(report, err);
}
