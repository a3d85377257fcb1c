/* unit/qrng_mixed: the policies. What each does with a source in health and with one that is not, what it
 * says of it, and that the output is never the source's alone. */
#include "qc_check.h"
#include "qrng/qrng.h"

static void conf_of(struct qrng_conf *c, enum qrng_policy policy, const char *command)
{
    qrng_conf_init(c);
    c->policy[QRNG_PROFILE_EC] = policy;
    c->count = 1;
    c->source[0] =
        (struct qrng_source_conf){ .name = "lab",
                                   .kind = QRNG_KIND_COMMAND,
                                   .mbit = 6000,
                                   .stall_ms = 60000, /* a machine that stalls is not what is tested */
                                   .pool = 1024,
                                   .identity = "no. 4711" };
    snprintf(c->source[0].path, sizeof c->source[0].path, "%s", command);
}

static struct qrng *open_with(enum qrng_policy policy, const char *command)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    struct qrng *q = NULL;
    conf_of(&c, policy, command);
    CHECK_OK(qrng_open_policy(&c, QRNG_PROFILE_EC, &q, &err));
    return q;
}

static void healthy(enum qrng_policy policy)
{
    struct qc_err err = { 0 };
    uint8_t p[200], again[200];
    QC_CLEANUP(qrng_close) struct qrng *q = open_with(policy, "/bin/cat /dev/urandom");
    qrng_warm(q);
    CHECK_OK(qrng_fill(q, p, sizeof p, &err));
    const struct qrng_provenance a = qrng_provenance(q);
    CHECK(!a.fell_back && a.health == QRNG_HEALTH_OK && a.policy == policy && a.bytes == 200);
    CHECK(strncmp(a.text, "lab:command policy=", 19) == 0);
    CHECK(
        strstr(a.text,
               " health=ok H=6.000 rct=8 apt=35 alarms=0 condition=hmac-sha-256 mixed=os bytes=200 time=") !=
        NULL);
    CHECK(strcmp(a.text + strlen(a.text) - 16, " device=no. 4711") == 0);
    CHECK_OK(qrng_fill(q, again, 7, &err));
    CHECK(strstr(qrng_provenance(q).text, " bytes=7 ") != NULL); /* of what came since */
    CHECK(memcmp(p, again, 7) != 0);
}

static void required(void)
{
    struct qc_err err = { 0 };
    uint8_t p[64];
    static const uint8_t zeros[64];
    QC_CLEANUP(qrng_close) struct qrng *q = open_with(QRNG_POLICY_REQUIRED, "/bin/cat /dev/zero");
    for (unsigned i = 0; i < 2; i++) {
        memset(p, 1, sizeof p);
        CHECK(qrng_fill(q, p, sizeof p, &err) == QC_RANDOM && memcmp(p, zeros, sizeof p) == 0);
        CHECK(strstr(err.msg, "lab") != NULL && strstr(err.msg, "repetition count") != NULL);
        qc_err_clear(&err);
    }
}

static void preferred(void)
{
    struct qc_err err = { 0 };
    uint8_t p[64] = { 0 };
    static const uint8_t zeros[64];
    QC_CLEANUP(qrng_close) struct qrng *q = open_with(QRNG_POLICY_PREFERRED, "/bin/cat /dev/zero");
    CHECK_OK(qrng_fill(q, p, sizeof p, &err));
    CHECK(memcmp(p, zeros, sizeof p) != 0);
    const struct qrng_provenance a = qrng_provenance(q);
    CHECK(a.fell_back && a.health == QRNG_HEALTH_KERNEL && strstr(a.why, "repetition count") != NULL);
    CHECK(strncmp(a.text, "os:getrandom policy=preferred health=kernel bytes=64 time=", 58) == 0);
    CHECK(strstr(a.text, " instead=lab") != NULL);
}

/* A source that everybody knows, declared to be conditioned: what comes out differs from it, and each time.
 */
static void mixing(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    uint8_t p[2][64];
    conf_of(&c, QRNG_POLICY_REQUIRED, "/usr/bin/openssl enc -aes-256-ctr -nosalt -K 00 -iv 00 -in /dev/zero");
    c.source[0].condition = QRNG_CONDITION_NONE;
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qrng_close) struct qrng *q = NULL;
        CHECK_OK(qrng_open_policy(&c, QRNG_PROFILE_EC, &q, &err));
        CHECK_OK(qrng_fill(q, p[i], 64, &err));
    }
    CHECK(memcmp(p[0], p[1], 64) != 0);
}

static void by_os(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    qrng_conf_init(&c);
    CHECK_OK(qrng_open_policy(&c, QRNG_PROFILE_EC, &q, &err));
    CHECK(strcmp(qrng_provenance(q).text, "os:getrandom policy=os health=kernel") == 0);
}

/* The second source stands in for the first. */
static void two(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    uint8_t p[64];
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    conf_of(&c, QRNG_POLICY_REQUIRED, "/bin/cat /dev/zero");
    c.count = 2;
    c.source[1] = c.source[0];
    snprintf(c.source[1].name, sizeof c.source[1].name, "spare");
    snprintf(c.source[1].path, sizeof c.source[1].path, "/bin/cat /dev/urandom");
    CHECK_OK(qrng_open_policy(&c, QRNG_PROFILE_EC, &q, &err));
    CHECK_OK(qrng_fill(q, p, sizeof p, &err));
    CHECK(strncmp(qrng_provenance(q).text, "spare:command ", 14) == 0);
}

int main(void)
{
    healthy(QRNG_POLICY_REQUIRED);
    healthy(QRNG_POLICY_PREFERRED);
    required();
    preferred();
    mixing();
    by_os();
    two();
    return 0;
}
