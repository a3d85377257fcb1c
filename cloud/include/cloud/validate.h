/* Is a place fit to be a cloud? Layer 2; uses base. Keeps I1, I2.
 *
 * cloud_validate does to a cloud what the gateway will do, and what a thief and an accident would do, with
 * objects of its own under keys that nobody else has, and removes them again. What every driver's calls can
 * show is done here, the rest by the driver (driver.h, examine). Nothing is taken from a maker's name: s3.md
 * section 4. */
#pragma once
#include "cloud/cloud.h"

/*
 * What is looked at: name, does a bad answer make the cloud unfit (1) or only warn (0), the fact that a good
 * one shows (cloud.h; 0: none), and what a good answer means. The names stand in reports and never change.
 */
#define CLOUD_CHECKS(X)                                                                                      \
    X(ROUND_TRIP, "round-trip", 1, 0, "an object comes back byte for byte, with its size")                   \
    X(RANGE, "range", 1, 0, "a cut of an object comes back, and nothing else")                               \
    X(REPLACE, "replace", 1, 0, "an object that is written again is replaced whole")                         \
    X(MISSING, "missing", 1, 0, "a key without an object is said to have none")                              \
    X(NEW_TWICE, "new-twice", 1, 0, "a key that is taken is not given to a second writer")                   \
    X(NEW_RACE, "new-race", 0, CLOUD_FACT_IF_NONE_MATCH, "of writers of one new key exactly one wins")       \
    X(LIST_FRESH, "list-fresh", 1, 0, "a listing shows each object right after its write")                   \
    X(LIST_PAGES, "list-pages", 1, 0, "a listing page by page is sorted and whole")                          \
    X(DELETED, "deleted", 1, 0, "what is deleted is gone at once, from reads and from listings")             \
    X(CLEANED, "cleaned", 0, 0, "no object of the test is left")                                             \
    X(WRONG_SECRET, "wrong-secret", 1, 0, "a wrong secret key is refused")                                   \
    X(UNSIGNED, "unsigned", 1, 0, "a request that nobody signed is refused")                                 \
    X(CONTENT_MD5, "content-md5", 0, CLOUD_FACT_CONTENT_MD5, "bytes that changed on the way are refused")    \
    X(ETAG_MD5, "etag-md5", 0, CLOUD_FACT_ETAG_MD5, "the cloud says which bytes it has stored")              \
    X(LIST_V2, "list-v2", 0, CLOUD_FACT_LIST_V2, "listings have opaque continuation")                        \
    X(CLOCK, "clock", 0, 0, "its clock and ours agree")                                                      \
    X(VERSIONING, "versioning", 0, 0, "what is deleted is not kept as an old version")                       \
    X(OBJECT_LOCK, "object-lock", 0, 0, "no lock forbids to delete")                                         \
    X(LIFECYCLE, "lifecycle", 0, 0, "no rule expires or archives objects")                                   \
    X(DURABLE, "durable", 1, 0, "what was written is durable: fsync and rename work")                        \
    X(NOREPLACE, "noreplace", 1, 0, "a file is never put over another by accident")                          \
    X(PRIVATE, "private", 0, 0, "nobody else may write there")                                               \
    X(SPACE, "space", 0, 0, "there is room")

enum cloud_check {
#define X(id, ...) CLOUD_CHECK_##id,
    CLOUD_CHECKS(X)
#undef X
        CLOUD_CHECK_COUNT
};

enum cloud_verdict { CLOUD_NOT_LOOKED_AT, CLOUD_GOOD, CLOUD_WARNS, CLOUD_UNFIT };

enum { CLOUD_WHY_MAX = 200 };

struct cloud_finding {
    enum cloud_verdict verdict;
    char why[CLOUD_WHY_MAX]; /* of a verdict that is not good; no secret, no test object's name */
};

struct cloud_report {
    struct cloud_finding findings[CLOUD_CHECK_COUNT];
    unsigned facts;            /* for cloud_opts.facts */
    unsigned unfit, warns;     /* findings with that verdict */
    unsigned objects, left;    /* written by the test; still there after it */
    uint64_t put_us, get_us;   /* median of small objects, microseconds; 0: not measured */
    uint64_t sync_us;          /* of one fsync; 0: not measured, or no such thing */
    uint64_t put_bps, get_bps; /* one large object, bytes per second */
    int64_t clock_s;           /* its clock less ours, seconds; 0 where it tells none */
    bool space_known;
    struct cloud_space space;
};

const char *cloud_check_name(enum cloud_check c);
const char *cloud_check_text(enum cloud_check c);     /* what a good answer means */
const char *cloud_verdict_name(enum cloud_verdict v); /* "not looked at", "good", "warning", "unfit" */

/*
 * Look at the cloud at a URL.
 *
 *   opts   as for cloud_open_opts; `facts` and `exclusive` are ignored; op limits the whole
 *   deep   more and larger objects: seconds become minutes
 *   ret    written on QC_OK: whether the cloud is fit is in ret->unfit
 *
 * The place must be a cloud already (cloud_create_opts). What keeps from looking is a failure: QC_NOTFOUND,
 * QC_AUTH (the keys are refused), QC_TEMP, QC_TIMEOUT, QC_CANCELLED, QC_FULL, QC_USAGE, QC_NOMEM. Test
 * objects are removed then, too, as far as the cloud allows it; those that an earlier, killed run left are
 * removed at the beginning.
 *
 * Blocking; starts CLOUD_TEST_WRITERS threads for a while; up to CLOUD_TEST_LARGE (deep: _DEEP) bytes of
 * memory.
 */
QC_MUST qc_rc cloud_validate(const char *url, const struct cloud_opts *opts, bool deep,
                             struct cloud_report *ret, struct qc_err *err);

enum { CLOUD_TEST_KEY_SIZE = 48 };
/* The key of a test object; run: random bytes, so that nobody else has it. A test that is killed leaves it,
 * and the next validation removes it. */
void cloud_test_key(char ret[CLOUD_TEST_KEY_SIZE], const uint8_t run[8]);
/* Does a key belong to a test object, of this run or of an earlier one that was killed? Nothing else has such
 * keys. */
bool cloud_is_test_key(const char *key);

/* Why it is unfit: the reasons, one after the other, cut to size. "" where it is fit. */
void cloud_report_unfit(const struct cloud_report *r, char *dst, size_t size);

/* The word of fact number i (< CLOUD_FACT_COUNT, asserted): bit i of facts. */
const char *cloud_fact_word(unsigned i);
/* Facts as words, "etag_md5 list_v2", appended; and back. QC_FORMAT: a word that is none, or twice. */
QC_MUST qc_rc cloud_facts_print(unsigned facts, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc cloud_facts_parse(qc_span text, unsigned *ret, struct qc_err *err);
