/* What a driver of cloud/ fills in. Internal to cloud/; the calls of cloud.h go through here.
 *
 * The dispatcher (cloud.c) has checked keys, counts and modes, and has seen that neither the deadline has
 * passed nor the cancel flag is up; it puts the name of the cloud before every message. A driver embeds
 * struct cloud as its first member, writes `ret` only on QC_OK, and uses the codes of the table in cloud.h.
 */
#pragma once
#include "cloud/cloud.h"
#include "cloud/tally.h"
#include "url.h"

struct cloud_put_job {
    const char *key;
    const qc_span *parts;
    size_t count;
    uint64_t size; /* sum of the parts */
    enum cloud_put_mode mode;
};

struct cloud_get_job {
    const char *key;
    struct cloud_range range;
    uint8_t *dst;
};

struct cloud_list_job {
    const struct cloud_list_query *q;
    cloud_list_fn fn;
    void *ctx;
};

struct cloud_exam; /* exam.h */

struct cloud_vt {
    qc_rc (*put)(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
                 struct qc_err *err);
    qc_rc (*get)(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got, const struct cloud_op *op,
                 struct qc_err *err);
    qc_rc (*head)(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                  struct qc_err *err);
    qc_rc (*delete)(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err);
    qc_rc (*list)(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
                  const struct cloud_op *op, struct qc_err *err);
    qc_rc (*space)(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op, struct qc_err *err);
    qc_rc (*alive)(struct cloud *c, const struct cloud_op *op, struct qc_err *err);
    /*
     * The part of cloud_validate that the calls above cannot do: requests that this driver would never send,
     * and what is set for the place as a whole. Says what it found by exam.h, and measures into x->report
     * (sync_us, clock_s). Fails only by what keeps from looking (validate.h). The handle was opened without
     * facts.
     */
    qc_rc (*examine)(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err);
    void (*close)(struct cloud *c); /* frees c and all that it owns, except `name` */
};

struct cloud {
    const struct cloud_vt *vt;
    struct cloud_caps caps;
    char *name;                /* owned by the dispatcher */
    struct cloud_tally *tally; /* the dispatcher's, too; borrowed, or NULL */
    struct net_watch *link;    /* and this; owned, or NULL */
};

struct cloud_driver {
    const char *scheme;
    bool wants_credentials; /* and takes none otherwise */
    unsigned test_objects;  /* of a listing's test; more where the answers come from many machines */
    /* opts is never NULL; opts->name is for the dispatcher. */
    qc_rc (*open)(struct cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                  struct qc_err *err);
    qc_rc (*create)(const struct cloud_url *url, const struct cloud_opts *opts, struct qc_err *err);
    qc_rc (*check)(const struct cloud_url *url, struct qc_err *err); /* the rest of the URL; or NULL */
};

struct cloud_drivers {
    const struct cloud_driver *v[5];
    size_t count;
};

extern const struct cloud_driver cloud_file_driver;
extern const struct cloud_driver cloud_s3_https_driver;
extern const struct cloud_driver cloud_s3_http_driver;
extern const struct cloud_driver cloud_s3v2_http_driver;
extern const struct cloud_driver cloud_s3v2_https_driver;

/* Has a name the form of those that a gateway writes (FORMAT 9)? In a bucket that was emptied under a running
 * gateway such may lie already when it is to be filled again; whatever else lies there belongs to somebody.
 */
bool cloud_key_ours(const char *key);

/* The driver of a URL's scheme. QC_USAGE: there is none. */
QC_MUST qc_rc cloud_driver_find_of(const struct cloud_drivers *of, const char *scheme,
                                   const struct cloud_driver **ret, struct qc_err *err);
QC_MUST qc_rc cloud_driver_find(const char *scheme, const struct cloud_driver **ret, struct qc_err *err);

/* QC_CANCELLED or QC_TIMEOUT when it is time to stop; drivers ask between system calls. */
QC_MUST qc_rc cloud_op_check(const struct cloud_op *op, struct qc_err *err);

#ifdef QC_FAULT_POINTS
/*
 * Put the fault wrapper (cloud_fault.c) around *c when the environment variable QC_CLOUD_FAULTS has rules for
 * its name. Takes *c over and puts the wrapper there; on failure *c stays as it was.
 */
QC_MUST qc_rc cloud_fault_wrap(struct cloud **c, struct qc_err *err);
#endif
