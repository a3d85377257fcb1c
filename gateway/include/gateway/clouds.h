/* The clouds of a gateway for its operator: what is known of each, whose keys open it, is it fit? Layer 4;
 * uses base, cloud. One process at a time has a state directory: a gateway that serves must be ended first
 * (QC_LOCKED). */
#pragma once
#include "gateway/engine.h"

/* A cloud as this machine knows it; no cloud is asked. */
struct gw_cloud_info {
    const char *name, *url;
    const char *credentials; /* NULL: none */
    bool validated;          /* at this URL */
    int64_t validated_s;     /* wall clock */
    unsigned facts;
    uint32_t id;
    enum gw_cloud_role role;
    struct gw_labels labels;
    uint64_t fragments, bytes; /* that should be on it; about */
    uint64_t dead;             /* dead objects that may be there still */
};

/* Strings live until the callback returns. */
typedef qc_rc (*gw_cloud_fn)(void *ctx, const struct gw_cloud_info *cloud, struct qc_err *err);

/* The same of a gateway that is open. */
QC_MUST qc_rc gw_engine_cloud_list(struct gw_engine *e, gw_cloud_fn fn, void *ctx, struct qc_err *err);
/* How they may be chosen: the rule, and in how many domains new fragments may lie. */
struct gw_domains {
    enum gw_domain rule;
    unsigned count, k, n;
};
void gw_engine_domains(struct gw_engine *e, struct gw_domains *ret);

/* In the order of their ids. QC_NOTCONF, QC_LOCKED, and as gw_engine_open for damaged files. */
QC_MUST qc_rc gw_clouds_list(const char *state_dir, gw_cloud_fn fn, void *ctx, struct qc_err *err);

/*
 * Validate a cloud, and remember what was shown, also where it is unfit: it stays in use, since data lies
 * there. ret  written on QC_OK and on QC_UNFIT QC_NOTFOUND  no cloud of that name;  QC_UNFIT;  else as
 * cloud_validate: nothing is remembered then
 */
QC_MUST qc_rc gw_cloud_validate(const char *state_dir, const char *name, bool deep, struct cloud_report *ret,
                                struct qc_err *err);

/* The same of a place that is no cloud of a gateway yet. It is made a cloud first, as init would
 * (cloud_create_opts). */
QC_MUST qc_rc gw_place_validate(const char *url, const char *credentials, bool deep, struct cloud_report *ret,
                                struct qc_err *err);

/*
 * From now on the keys of a cloud are elsewhere. They are tried first: what they do not open stays as it was.
 * unreachable_ok: a cloud that does not answer gets them untried.
 * Codes as gw_cloud_validate; QC_AUTH: the cloud refuses them, or their file is open to others.
 */
QC_MUST qc_rc gw_cloud_set(const char *state_dir, const char *name, const char *credentials,
                           bool unreachable_ok, struct cloud_report *ret, struct qc_err *err);

/*
 * A cloud is at another place from now on, under its name: where its bytes were moved to, or an empty one for
 * what is gone for good, which counts as lost until it is adopted (GW_REPAIR with adopt) and filled. The
 * place is made a cloud first, as init would, and validated: an unfit one changes nothing. credentials  of
 * the new place; NULL: as they are QC_CONFLICT  another cloud is there, or this one is already; codes as
 * gw_cloud_validate
 */
QC_MUST qc_rc gw_cloud_move(const char *state_dir, const char *name, const char *url, const char *credentials,
                            struct cloud_report *ret, struct qc_err *err);

/* What a test does to a cloud: who it is; then an object of QC_GW_CLOUD_TEST_SIZE random bytes goes there,
 * comes back, is removed, and is gone. */
enum gw_test_step { GW_TEST_IDENTITY, GW_TEST_PUT, GW_TEST_GET, GW_TEST_REMOVE, GW_TEST_GONE, GW_TEST_STEPS };
const char *gw_test_step_name(enum gw_test_step s); /* "identity", "put", .. */
struct gw_cloud_test {
    bool took[GW_TEST_STEPS];
    uint64_t us[GW_TEST_STEPS]; /* of those that it took */
    qc_rc rc;                   /* QC_OK: all went well; else of the first step that did not: */
    enum gw_test_step failed;
    char why[GW_WHY_MAX];
};
/*
 * Try a cloud of a gateway that is open, over its own connections, also one that is lost or suspect; each
 * step within QC_GW_CLOUD_TEST_MS. What it shows of the cloud's state the engine knows from then on. Nothing
 * is written where the cloud does not show that it is ours. ret  ->rc: QC_UNFIT  it is not our cloud, or
 * gives back something else;  QC_TEMP, QC_TIMEOUT, QC_AUTH, QC_FULL, .. QC_NOTFOUND  no cloud of that name;
 * QC_FENCED, QC_RANDOM, QC_NOMEM
 */
QC_MUST qc_rc gw_engine_cloud_test(struct gw_engine *e, const char *name, struct gw_cloud_test *ret,
                                   struct qc_err *err);

/* A way to a cloud, tried anew: a connection of its own, with all that is agreed on for it, then one request.
 */
struct gw_link_test {
    uint64_t open_us, ask_us; /* where it went well */
    qc_rc rc; /* QC_OK, QC_TEMP, QC_TIMEOUT, QC_AUTH, QC_NOTFOUND: it is no cloud of ours, .. */
    char why[GW_WHY_MAX];
};
/* at: a cloud's position; both within QC_GW_CLOUD_TEST_MS. QC_FENCED, QC_NOMEM */
QC_MUST qc_rc gw_engine_link_test(struct gw_engine *e, unsigned at, struct gw_link_test *ret,
                                  struct qc_err *err);
/* Name and URL of the cloud at a position (gw_engine_scrub_clouds); until gw_engine_close. false: it is gone.
 */
bool gw_engine_way(struct gw_engine *e, unsigned at, const char **ret_name, const char **ret_url);
