/* The configuration: JSON, each member checked. */
#include "network.h"

#include <stddef.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "decoy.h"

/* A name in paths and messages: letters, digits, '.', '_', '-'. */
static qc_rc name(const struct json_t *j, const char *member, char ret[KME_NAME_MAX + 1], struct qc_err *err)
{
    const char *s = NULL;
    size_t n = 0;
    QC_TRY(qc_json_str(j, member, &s, err));
    for (; s[n] != '\0'; n++) {
        const bool alnum =
            (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= '0' && s[n] <= '9');
        if (!alnum && strchr("._-", s[n]) == NULL)
            break;
    }
    if (n == 0 || n > KME_NAME_MAX || s[n] != '\0' || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return QC_FAIL(err, QC_USAGE, "%s: a name has 1 to %d letters, digits, '.', '_' and '-'", member,
                       KME_NAME_MAX);
    memcpy(ret, s, n + 1);
    return QC_OK;
}

static qc_rc number(const struct json_t *j, const char *member, int64_t min, int64_t max, int64_t otherwise,
                    int64_t *ret, struct qc_err *err)
{
    *ret = otherwise;
    if (otherwise >= 0 && !qc_json_given(j, member))
        return QC_OK;
    return qc_json_int(j, member, min, max, ret, err);
}

static qc_rc real(const struct json_t *j, const char *member, double min, double max, double otherwise,
                  double *ret, struct qc_err *err)
{
    *ret = otherwise;
    return qc_json_given(j, member) ? qc_json_real(j, member, min, max, ret, err) : QC_OK;
}

/* A member that names a node. */
static qc_rc node_of(const struct kme_network *n, const struct json_t *j, const char *member, unsigned *ret,
                     struct qc_err *err)
{
    char text[KME_NAME_MAX + 1];
    QC_TRY(name(j, member, text, err));
    for (unsigned i = 0; i < n->nodes; i++)
        if (strcmp(n->node[i], text) == 0) {
            *ret = i;
            return QC_OK;
        }
    return QC_FAIL(err, QC_USAGE, "%s: there is no node %s", member, text);
}

static qc_rc path(const struct json_t *j, const char *member, char ret[KME_PATH_MAX], struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    if (s[0] != '/' || strlen(s) >= KME_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "%s: an absolute path of less than %d bytes", member, KME_PATH_MAX);
    memcpy(ret, s, strlen(s) + 1);
    return QC_OK;
}

static qc_rc take_node(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *holder = NULL;
    const char *s = qc_json_str_value(j);
    if (s == NULL)
        return QC_FAIL(err, QC_USAGE, "a node is a name");
    QC_TRY(qc_json_new_obj(&holder, err));
    QC_TRY(qc_json_set_str(holder, "node", s, err));
    QC_TRY(name(holder, "node", n->node[n->nodes], err));
    for (unsigned i = 0; i < n->nodes; i++)
        if (strcmp(n->node[i], s) == 0)
            return QC_FAIL(err, QC_USAGE, "node %s is there twice", s);
    n->nodes++;
    return QC_OK;
}

/* Numbers of a link's devices: name, where it goes, from and to. */
struct device {
    const char *name;
    size_t at;
    double min, max;
};
static const struct device devices[] = {
    { "pulse_hz", offsetof(struct kme_devices, pulse_hz), 1, 1e11 },
    { "mu", offsetof(struct kme_devices, mu), 1e-3, 10 },
    { "nu", offsetof(struct kme_devices, nu), 1e-4, 10 },
    { "loss_db_km", offsetof(struct kme_devices, loss_db_km), 0, 10 },
    { "efficiency", offsetof(struct kme_devices, efficiency), 0, 1 },
    { "dark", offsetof(struct kme_devices, dark), 0, 1 },
    { "misalignment", offsetof(struct kme_devices, misalignment), 0, 0.5 },
    { "f_ec", offsetof(struct kme_devices, f_ec), 1, 10 },
    { "sift", offsetof(struct kme_devices, sift), 0, 1 },
};
enum { DEVICES = sizeof devices / sizeof *devices };

/* Rate and errors of a link by its devices and its length. */
static qc_rc take_decoy(struct kme_link *l, const struct json_t *link, struct qc_err *err)
{
    const char *names[DEVICES];
    struct kme_devices d = kme_devices_gys;
    struct kme_decoy at;
    struct json_t *j = NULL;
    QC_TRY(qc_json_obj(link, "decoy", &j, err));
    for (size_t i = 0; i < DEVICES; i++) {
        double *to = (double *)(void *)((char *)&d + devices[i].at);
        names[i] = devices[i].name;
        QC_TRY(real(j, devices[i].name, devices[i].min, devices[i].max, *to, to, err));
    }
    QC_TRY(qc_json_only(j, names, DEVICES, err));
    if (!qc_json_given(link, "km") || qc_json_given(link, "rate_bps") || qc_json_given(link, "qber"))
        return QC_FAIL(err, QC_USAGE, "link %s: decoy goes with km, without rate_bps and qber", l->id);
    if (d.nu >= d.mu)
        return QC_FAIL(err, QC_USAGE, "link %s: nu, a decoy's photons, is less than mu", l->id);
    kme_decoy(&d, l->km, &at);
    l->rate_conf = at.bps < KME_RATE_MAX ? (uint64_t)at.bps : KME_RATE_MAX;
    l->qber_conf = at.qber;
    return QC_OK;
}

static qc_rc take_link(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    static const char *const members[] = { "id",           "a",  "b",    "rate_bps", "cap_bits",
                                           "initial_bits", "km", "qber", "decoy" };
    const bool decoy = qc_json_given(j, "decoy");
    struct kme_link *l = &n->link[n->links];
    int64_t rate = 0, cap = 0, bits = 0;
    QC_TRY(qc_json_only(j, members, sizeof members / sizeof *members, err));
    QC_TRY(name(j, "id", l->id, err));
    QC_TRY(node_of(n, j, "a", &l->a, err));
    QC_TRY(node_of(n, j, "b", &l->b, err));
    QC_TRY(number(j, "rate_bps", 0, KME_RATE_MAX, decoy ? 0 : -1, &rate, err));
    QC_TRY(number(j, "cap_bits", 1, INT64_MAX, 8000000000, &cap, err));
    QC_TRY(number(j, "initial_bits", 0, cap, 0, &bits, err));
    QC_TRY(real(j, "km", 0, KME_KM_MAX, 0, &l->km, err));
    QC_TRY(real(j, "qber", 0, 0.5, 0, &l->qber_conf, err));
    if (l->a == l->b)
        return QC_FAIL(err, QC_USAGE, "link %s: both ends are one node", l->id);
    for (unsigned i = 0; i < n->links; i++)
        if (strcmp(n->link[i].id, l->id) == 0)
            return QC_FAIL(err, QC_USAGE, "link %s is there twice", l->id);
    l->rate_conf = (uint64_t)rate;
    if (decoy)
        QC_TRY_AS(take_decoy(l, j, err), err, "decoy");
    l->rate = l->rate_conf;
    l->qber = l->qber_conf;
    l->cap = (uint64_t)cap;
    l->bits = (uint64_t)bits;
    n->links++;
    return QC_OK;
}

static qc_rc take_address(struct net_address *d, const struct json_t *j, const char *member,
                          struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    QC_TRY_AS(net_address_parse(s, d, err), err, "%s", member);
    return QC_OK;
}

static qc_rc take_door(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    static const char *const members[] = { "id", "node", "listen", "cert", "key", "client_ca" };
    struct kme_door *d = &n->door[n->doors];
    QC_TRY(qc_json_only(j, members, sizeof members / sizeof *members, err));
    QC_TRY(name(j, "id", d->id, err));
    QC_TRY(node_of(n, j, "node", &d->node, err));
    QC_TRY(take_address(&d->at, j, "listen", err));
    QC_TRY(path(j, "cert", d->cert, err));
    QC_TRY(path(j, "key", d->key, err));
    QC_TRY(path(j, "client_ca", d->client_ca, err));
    if (kme_network_door(n, d->node) != NULL)
        return QC_FAIL(err, QC_USAGE, "node %s has two KMEs", n->node[d->node]);
    n->doors++;
    return QC_OK;
}

static qc_rc take_sae(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    static const char *const members[] = { "id", "node", "cert_sha256" };
    struct kme_sae *s = &n->sae[n->saes];
    QC_TRY(qc_json_only(j, members, sizeof members / sizeof *members, err));
    QC_TRY(name(j, "id", s->id, err));
    QC_TRY(node_of(n, j, "node", &s->node, err));
    s->pinned = qc_json_given(j, "cert_sha256");
    if (s->pinned)
        QC_TRY(qc_json_hex(j, "cert_sha256", s->cert, sizeof s->cert, err));
    if (kme_network_sae(n, s->id) != NULL)
        return QC_FAIL(err, QC_USAGE, "SAE %s is there twice", s->id);
    if (kme_network_door(n, s->node) == NULL)
        return QC_FAIL(err, QC_USAGE, "SAE %s: its node %s has no KME", s->id, n->node[s->node]);
    n->saes++;
    return QC_OK;
}

struct list {
    const char *member, *what;
    unsigned max;
    qc_rc (*take)(struct kme_network *n, const struct json_t *j, struct qc_err *err);
};

/* The page shows names and pools to whoever comes: to this machine alone. */
static qc_rc take_page(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    if (!qc_json_given(j, "page"))
        return QC_OK;
    QC_TRY(take_address(&n->page, j, "page", err));
    if (strncmp(n->page.host, "127.", 4) != 0)
        return QC_FAIL(err, QC_USAGE, "page: an address of this machine's own, 127.0.0.1");
    return QC_OK;
}

/* In this order: later ones name what stands in earlier ones. */
static const struct list lists[] = {
    { "nodes", "node", KME_NODES_MAX, take_node },
    { "links", "link", KME_LINKS_MAX, take_link },
    { "kmes", "KME", KME_DOORS_MAX, take_door },
    { "saes", "SAE", KME_SAES_MAX, take_sae },
};

static qc_rc take_list(struct kme_network *n, const struct json_t *j, const struct list *l,
                       struct qc_err *err)
{
    struct json_t *all = NULL;
    QC_TRY(qc_json_arr(j, l->member, &all, err));
    if (qc_json_len(all) > l->max)
        return QC_FAIL(err, QC_USAGE, "%s: more than %u", l->member, l->max);
    for (size_t i = 0; i < qc_json_len(all); i++)
        QC_TRY_AS(l->take(n, qc_json_at(all, i), err), err, "%s %zu", l->what, i + 1);
    return QC_OK;
}

static qc_rc take_limits(struct kme_network *n, const struct json_t *all, struct qc_err *err)
{
    static const char *const members[] = { "key_size",      "min_key_size",
                                           "max_key_size",  "max_key_per_request",
                                           "max_key_count", "max_SAE_ID_count" };
    struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *none = NULL;
    int64_t v[6] = { 0 };
    QC_TRY(qc_json_new_obj(&none, err));
    j = none;
    if (qc_json_given(all, "limits"))
        QC_TRY(qc_json_obj(all, "limits", &j, err));
    QC_TRY(qc_json_only(j, members, 6, err));
    QC_TRY(number(j, members[0], 8, KME_BITS_MAX, 256, &v[0], err));
    QC_TRY(number(j, members[1], 8, v[0], v[0] < 64 ? v[0] : 64, &v[1], err));
    QC_TRY(number(j, members[2], v[0], KME_BITS_MAX, KME_BITS_MAX, &v[2], err));
    QC_TRY(number(j, members[3], 1, KME_BATCH_MAX, 128, &v[3], err));
    QC_TRY(number(j, members[4], 1, INT64_MAX, 100000, &v[4], err));
    QC_TRY(number(j, members[5], 0, KME_MORE_MAX, 2, &v[5], err));
    for (int i = 0; i < 3; i++)
        if (v[i] % 8 != 0)
            return QC_FAIL(err, QC_USAGE, "%s: a multiple of 8 bits", members[i]);
    n->limits = (struct kme_limits){ .key_size = (uint32_t)v[0],
                                     .min_key_size = (uint32_t)v[1],
                                     .max_key_size = (uint32_t)v[2],
                                     .max_key_per_request = (uint32_t)v[3],
                                     .max_key_count = (uint64_t)v[4],
                                     .max_saes = (uint32_t)v[5] };
    return QC_OK;
}

static qc_rc take_rest(struct kme_network *n, const struct json_t *j, struct qc_err *err)
{
    int64_t ttl = 0, window = 0, record = 0;
    QC_TRY_AS(take_limits(n, j, err), err, "limits");
    QC_TRY(take_page(n, j, err));
    QC_TRY(number(j, "key_ttl_s", 1, KME_TTL_MAX_S, 300, &ttl, err));
    QC_TRY(number(j, "qber_window_s", 1, KME_WINDOW_MAX_S, 60, &window, err));
    QC_TRY(number(j, "record_s", 0, KME_RECORD_MAX_S, 86400, &record, err));
    QC_TRY(real(j, "qber_alarm", 0.001, 0.5, 0.08, &n->qber_alarm, err));
    n->ttl_s = (uint64_t)ttl;
    n->window_ms = (uint64_t)window * 1000;
    n->record_s = (uint64_t)record;
    if (n->doors == 0)
        return QC_FAIL(err, QC_USAGE, "kmes: at least one");
    return QC_OK;
}

enum { OF_TOPOLOGY = 2, OF_CONF = 2, MEMBERS = 10 }; /* nodes and links; then kmes and saes */

/* The first lists from a topology, the others from a configuration; each of them or NULL. */
static qc_rc take_all(struct kme_network *n, const struct json_t *topology, const struct json_t *conf,
                      struct qc_err *err)
{
    static const char *const members[MEMBERS] = { "nodes",         "links",   "kmes",      "saes",
                                                  "page",          "limits",  "key_ttl_s", "qber_alarm",
                                                  "qber_window_s", "record_s" };
    const size_t before = topology != NULL ? OF_TOPOLOGY : 0; /* those are not the configuration's then */
    if (topology != NULL)
        QC_TRY_AS(qc_json_only(topology, members, OF_TOPOLOGY, err), err, "topology");
    if (conf != NULL)
        QC_TRY(qc_json_only(conf, members + before, MEMBERS - before, err));
    for (size_t i = 0; i < OF_TOPOLOGY; i++)
        QC_TRY(take_list(n, topology != NULL ? topology : conf, &lists[i], err));
    if (conf == NULL)
        return QC_OK;
    for (size_t i = OF_TOPOLOGY; i < OF_TOPOLOGY + OF_CONF; i++)
        QC_TRY(take_list(n, conf, &lists[i], err));
    return take_rest(n, conf, err);
}

static qc_rc parse_both(struct kme_network *n, qc_span topology, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *t = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    if (topology.n > 0)
        QC_TRY_AS(qc_json_parse(&t, topology, err), err, "topology");
    if (text.n > 0 || topology.n == 0)
        QC_TRY(qc_json_parse(&j, text, err));
    return take_all(n, t, j, err);
}

qc_rc kme_network_parse(struct kme_network *ret, qc_span topology, qc_span text, struct qc_err *err)
{
    *ret = (struct kme_network){ 0 };
    const qc_rc rc = parse_both(ret, topology, text, err);
    if (rc == QC_OK || rc == QC_NOMEM)
        return rc;
    err->rc = QC_USAGE; /* whatever is wrong with it: it is the operator's */
    return QC_USAGE;
}
