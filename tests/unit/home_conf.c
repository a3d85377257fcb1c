/* unit/home_conf: the configuration is taken strictly, and comes back as it was written. */
#include "home/conf.h"
#include "home/policy.h"

#include "qc_check.h"

#define ID          "000102030405060708090a0b0c0d0e0f"
#define WHOLE       "[vault]\nid = " ID "\nshare1 = /a b/s1\nshare2=/s2\ngateway = local\n"

#define REMOTE(url) "[vault]\nid = " ID "\nshare1 = /a b/s1\nshare2=/s2\ngateway = " url "\n"

#define KEYED                                                                                                \
    REMOTE("qkd-tls://g:8442")                                                                               \
    "[qkd]\nlink = L\nme = ann\npeer = gw\nkme = https://k:1\nkme-ca = /ca\n"                                \
    "kme-cert = /c\nkme-key = /k\n"

static struct conf got;

static bool same(const struct conf *a, const struct conf *b)
{
    return a->has_vault == b->has_vault && a->idle_s == b->idle_s && strcmp(a->gateway, b->gateway) == 0 &&
           strcmp(a->token_file, b->token_file) == 0 && strcmp(a->ca, b->ca) == 0 &&
           strcmp(a->link, b->link) == 0 && strcmp(a->limit_rate, b->limit_rate) == 0 &&
           strcmp(a->level, b->level) == 0 && memcmp(a->vault, b->vault, CONF_ID_BYTES) == 0 &&
           memcmp(&a->qkd, &b->qkd, sizeof a->qkd) == 0 && strcmp(a->share[0], b->share[0]) == 0 &&
           strcmp(a->share[1], b->share[1]) == 0;
}

static void refused(const char *text, qc_rc want, const char *words)
{
    struct qc_err err = { 0 };
    struct conf before = { .idle_s = 77 };
    struct conf c = before;
    qc_rc rc = conf_parse(qc_span_str(text), &c, &err);
    if (rc != want || strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s: %s\n", text, qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, words) != NULL);
    CHECK(same(&c, &before));
}

static void check_good(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(conf_parse(QC_LIT(""), &got, &err));
    CHECK(!got.has_vault && got.idle_s == CONF_IDLE_DEFAULT);
    CHECK_OK(conf_parse(QC_LIT("# c\n; d\r\n\n" WHOLE "[ gateway ]\nidle=5"), &got, &err));
    CHECK(got.has_vault && got.vault[15] == 15 && got.idle_s == 5);
    CHECK(strcmp(got.share[0], "/a b/s1") == 0 && strcmp(got.share[1], "/s2") == 0);
    CHECK(got.gateway[0] == '\0' && got.token_file[0] == '\0' && got.ca[0] == '\0');
    CHECK_OK(conf_parse(QC_LIT(REMOTE("https://g.example:8440") "[gateway]\ntoken-file = /t\nca = /ca\n"),
                        &got, &err));
    CHECK(strcmp(got.gateway, "https://g.example:8440") == 0);
    CHECK(strcmp(got.token_file, "/t") == 0 && strcmp(got.ca, "/ca") == 0);
}

static void check_refusals(void)
{
    refused("[volt]\n", QC_USAGE, "line 1: unknown section 'volt'; the nearest is 'vault'");
    refused("[vault]\nshare3 = /x\n", QC_USAGE, "line 2: unknown key 'share3'; the nearest is 'share1'");
    refused("[vault]\n\nzzzzzzzz = /x\n", QC_USAGE, "line 3: unknown key 'zzzzzzzz'");
    refused("id = " ID "\n", QC_USAGE, "a section such as [vault] must come first");
    refused("[vault\n", QC_USAGE, "line 1");
    refused("[vault]\nid\n", QC_USAGE, "neither [section] nor key = value");
    refused("[vault]\nid = 00\n", QC_USAGE, "'id'");
    refused("[vault]\nid = " ID "\nid = " ID "\n", QC_USAGE, "given twice");
    refused("[vault]\nshare1 = relative\n", QC_USAGE, "absolute");
    refused("[vault]\nshare1 = /a\x01\n", QC_USAGE, "control character");
    refused("[vault]\ngateway = remote\n", QC_USAGE, "neither 'local' nor an address");
    refused("[vault]\ngateway = http://example.org:80\n", QC_USAGE, "neither 'local' nor an address");
    refused("[vault]\ngateway = https://g/path\n", QC_USAGE, "neither 'local' nor an address");
    refused("[vault]\ngateway = https://u:p@g\n", QC_USAGE, "neither 'local' nor an address");
    refused("[vault]\ngateway = unix:relative\n", QC_USAGE, "absolute path");
    refused("[vault]\ngateway = unix:/dir/\n", QC_USAGE, "absolute path");
    refused(WHOLE "[gateway]\ntoken-file = /t\n", QC_USAGE, "the gateway is local");
    refused(WHOLE "[gateway]\nlevel = tls\n", QC_USAGE, "the gateway is local");
    refused(REMOTE("http://127.0.0.1:80") "[gateway]\nlink = /l\n", QC_USAGE, "and a level");
    refused(REMOTE("http://127.0.0.1:80") "[gateway]\nlevel = tls\n", QC_USAGE, "there is plain");
    refused(REMOTE("https://g") "[gateway]\nlevel = otp\n", QC_USAGE, "there is tls");
    refused(REMOTE("https://g") "[gateway]\nlink = /l\nlevel = otp\n", QC_USAGE, "it is entered at http://");
    refused(REMOTE("http://127.0.0.1:80") "[gateway]\nlink = /l\nlevel = best\n", QC_USAGE, "is no level");
    refused(REMOTE("http://127.0.0.1:80") "[gateway]\nlink = /l\nlevel = more-than-it-may-have\n", QC_USAGE,
            "no level");
    refused("[gateway]\ntoken-file = /t\n" WHOLE, QC_USAGE, "the gateway is local");
    refused(REMOTE("unix:/s") "[gateway]\nca = /ca\n", QC_USAGE, "not reached by https");
    refused(REMOTE("https://g") "[gateway]\ntoken-file = t\n", QC_USAGE, "absolute");
    refused(REMOTE("qkd-tls://g:8442"), QC_NOTCONF, "section [qkd]: 'link' is missing");
    refused(REMOTE("qkd-tls://g:8442") "[qkd]\nlink = L\n", QC_NOTCONF, "section [qkd]: 'me' is missing");
    refused(REMOTE("https://g") "[qkd]\nlink = L\nme = ann\npeer = gw\nkme = https://k:1\nkme-ca = /ca\n"
                                "kme-cert = /c\nkme-key = /k\n",
            QC_USAGE, "it goes with a gateway at qkd-tls://");
    refused(KEYED "[gateway]\nlevel = otp\n", QC_USAGE, "there is qkd-tls");
    refused(KEYED "[gateway]\nca = /ca\n", QC_USAGE, "not reached by https");
    refused(KEYED "rekey-seconds = 60\nkey-max-seconds = 59\n", QC_USAGE, "'key-max-seconds'");
    refused(KEYED "rekey-bytes = 50000000\nkey-max-bytes = 40000000\n", QC_USAGE, "'key-max-bytes'");
    refused(KEYED "rekey-bytes = 1000\n", QC_USAGE, "65536");
    refused("[qkd]\nlink = a b\n", QC_USAGE, "without '|'");
    refused("[qkd]\nkme-cert = c\n", QC_USAGE, "'kme-cert'");
    refused("[qkd]\nkme-crt = /c\n", QC_USAGE, "the nearest is 'kme-cert'");
    refused("[gateway]\nidle = 0\n", QC_USAGE, "1 to 86400");
    refused("[gateway]\nlimit-rate = fast\n", QC_USAGE, "'limit-rate': a rate: 'fast' is not a number");
    refused("[gateway]\nlimit-rate = 08:00-18:00 2M\n", QC_USAGE, "expected HH:MM,RATE");
    refused("[gateway]\nidle = 86401\n", QC_USAGE, "1 to 86400");
    refused("[gateway]\nidle = ten\n", QC_USAGE, "1 to 86400");
    refused("[vault]\nid = " ID "\n", QC_NOTCONF, "'share1' is missing");
}

/* Cut anywhere: never half a vault. */
static void check_cuts(void)
{
    qc_span whole = QC_LIT(WHOLE);
    for (size_t n = 0; n < whole.n - 1; n++) {
        struct qc_err err = { 0 };
        static struct conf c;
        qc_rc rc = conf_parse(qc_span_sub(whole, 0, n), &c, &err);
        CHECK(rc != QC_OK || !c.has_vault);
    }
}

static void check_limit(void)
{
    struct qc_err err = { 0 };
    static uint8_t big[QC_CLIENT_CONF_MAX + 1];
    memset(big, '#', sizeof big);
    CHECK_RC(conf_parse(qc_span_of(big, sizeof big), &got, &err), QC_LIMIT);
    CHECK_OK(conf_parse(qc_span_of(big, sizeof big - 1), &got, &err));
}

static void check_print(void)
{
    static const char *const texts[] = { WHOLE,
                                         REMOTE("unix:/run/q/door") "[gateway]\ntoken-file = /t\n",
                                         REMOTE("https://[::1]:1") "[gateway]\nca = /ca\n",
                                         REMOTE(
                                             "http://127.0.0.1:80") "[gateway]\nlink = /run/l\nlevel = otp\n",
                                         REMOTE("https://g") "[gateway]\nlevel = tls\n",
                                         REMOTE("http://127.0.0.1:80"),
                                         KEYED "rekey-seconds = 30\nkey-max-bytes = 40000000\n",
                                         KEYED "[gateway]\nlevel = qkd-tls\ntoken-file = /t\n",
                                         WHOLE "[gateway]\nidle = 7\n",
                                         WHOLE "[gateway]\nlimit-rate = 08:00,2M Sat-18:00,off:1M\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct qc_err err = { 0 };
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_CONF_MAX };
        static struct conf again;
        CHECK_OK(conf_parse(qc_span_str(texts[i]), &got, &err));
        CHECK_OK(conf_print(&got, &text, &err));
        CHECK_OK(conf_parse(qc_buf_span(&text), &again, &err));
        CHECK(same(&got, &again));
    }
}

static qc_rc override(const char *text, const char *key, const char *value, struct conf *ret,
                      struct qc_err *why)
{
    struct qc_err err = { 0 };
    size_t i = 0;
    CHECK_OK(conf_parse(qc_span_str(text), ret, &err));
    CHECK_OK(conf_find(key, &i, &err));
    QC_TRY(conf_override(ret, i, qc_span_str(value), why));
    return conf_check(ret, why);
}

/* What an environment says holds, if it makes sense, alone and together with the file. */
static void check_override(void)
{
    struct qc_err err = { 0 };
    static struct conf c;
    const char *const disk = "[vault]\nid = " ID "\nshare1 = label:A:q\nshare2=/s2\ngateway = https://g\n";
    CHECK_OK(override(WHOLE, "vault.share2", "/other", &c, &err));
    CHECK(strcmp(c.share[1], "/other") == 0 && strcmp(c.share[0], "/a b/s1") == 0);
    CHECK_OK(override(WHOLE, "vault.share2", "label:USB:q", &c, &err));
    CHECK(strcmp(conf_named(&c, 1), "label:USB:q") == 0);
    CHECK_OK(override(disk, "vault.share1", "/here", &c, &err));
    CHECK(conf_named(&c, 0) == NULL && strcmp(c.share[0], "/here") == 0);
    CHECK_OK(override(disk, "vault.gateway", "local", &c, &err));
    CHECK(c.gateway[0] == '\0');
    CHECK_OK(override(WHOLE, "vault.gateway", "unix:/s", &c, &err));
    CHECK(strcmp(c.gateway, "unix:/s") == 0);
    CHECK_RC(override(WHOLE, "vault.share1", "near", &c, &err), QC_USAGE);
    CHECK_RC(override(WHOLE, "vault.share1", "/a\n", &c, &err), QC_USAGE);
    CHECK_RC(override(WHOLE, "vault.gateway", "ftp://g", &c, &err), QC_USAGE);
    CHECK_RC(override(WHOLE, "vault.gateway", "qkd-tls://g:1", &c, &err), QC_NOTCONF);
    CHECK_RC(override(REMOTE("https://g") "[gateway]\nca = /ca\n", "vault.gateway", "unix:/s", &c, &err),
             QC_USAGE);
}

/* The same by variables, all of them or none. */
static void check_environment(void)
{
    struct qc_err err = { 0 };
    static struct conf c;
    CHECK_OK(conf_parse(QC_LIT(WHOLE), &c, &err));
    CHECK_OK(conf_environment(&c, &err));
    CHECK(strcmp(c.share[1], "/s2") == 0);
    CHECK(setenv("QCLOUD_SHARE2", "/other", 1) == 0 && setenv("QCLOUD_GATEWAY", "unix:/g", 1) == 0);
    CHECK_OK(conf_environment(&c, &err));
    CHECK(strcmp(c.share[1], "/other") == 0 && strcmp(c.gateway, "unix:/g") == 0);
    CHECK(setenv("QCLOUD_GATEWAY", "nowhere", 1) == 0);
    CHECK(conf_environment(&c, &err) == QC_USAGE);
    CHECK(strstr(err.msg, "QCLOUD_GATEWAY: ") != NULL);
    CHECK(unsetenv("QCLOUD_SHARE2") == 0 && unsetenv("QCLOUD_GATEWAY") == 0);
}

/* Each key knows its line, and one that is not there has none. */
static void check_lines(void)
{
    struct qc_err err = { 0 };
    static struct conf c;
    unsigned said = 0;
    CHECK_OK(conf_parse(QC_LIT("# c\n" WHOLE "\n[gateway]\nidle = 5\n"), &c, &err));
    for (size_t i = 0; conf_key(i) != NULL; i++) {
        const char *key = conf_key(i);
        const unsigned want = strcmp(key, "vault.id") == 0        ? 3
                              : strcmp(key, "vault.share1") == 0  ? 4
                              : strcmp(key, "vault.share2") == 0  ? 5
                              : strcmp(key, "vault.gateway") == 0 ? 6
                              : strcmp(key, "gateway.idle") == 0  ? 9
                                                                  : 0;
        CHECK(c.line[i] == want);
        said += want != 0;
    }
    CHECK(said == 5);
}

static void check_file(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    static struct conf again;
    char dir[] = "/tmp/qc-conf-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    snprintf(p.conf_dir, sizeof p.conf_dir, "%s/deep/er", dir);
    snprintf(p.conf_file, sizeof p.conf_file, "%s/deep/er/qcloud.conf", dir);
    CHECK_RC(conf_load(&p, &again, &err), QC_NOTCONF);
    CHECK_OK(conf_save(&p, &got, &err));
    CHECK_OK(conf_load(&p, &again, &err));
    CHECK(same(&got, &again));
    snprintf(p.conf_file, sizeof p.conf_file, "%s/deep/er/another", dir); /* whatever it is called */
    CHECK_RC(conf_load(&p, &again, &err), QC_NOTCONF);
    CHECK_OK(conf_save(&p, &got, &err));
    CHECK_OK(conf_load(&p, &again, &err));
    CHECK(unlink(p.conf_file) == 0);
    snprintf(p.conf_file, sizeof p.conf_file, "%s/deep/er/qcloud.conf", dir);
    CHECK(unlink(p.conf_file) == 0 && rmdir(p.conf_dir) == 0);
    snprintf(p.conf_dir, sizeof p.conf_dir, "%s/deep", dir);
    CHECK(rmdir(p.conf_dir) == 0 && rmdir(dir) == 0);
}

/* -- policies.conf --------------------------------------------------------------------------------------- */

#define POLICIES                                                                                             \
    "# mine\n[genomes]\nprofile = xor23\nlevel=otp\nrandom = required\n[lab]\nwait = quorum\npad = yes\n[ "  \
    "a-b_c.9 ]\n"

static void no_policy(const char *text, const char *name, qc_rc want, const char *words)
{
    struct qc_err err = { 0 };
    struct policy p = { .name = "before" };
    const qc_rc rc = policy_parse(qc_span_str(text), name, &p, &err);
    if (rc != want || strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s: %s\n", text, qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, words) != NULL && strcmp(p.name, "before") == 0);
}

/* The way that stands in qcloud.conf, and what a policy makes of it. */
static void way(const char *gateway, const char *level, const char *wants, qc_rc want, const char *then)
{
    static struct conf c;
    struct qc_err err = { 0 };
    struct policy p = { .name = "genomes" };
    c = (struct conf){ 0 };
    (void)snprintf(c.gateway, sizeof c.gateway, "%s", gateway);
    (void)snprintf(c.level, sizeof c.level, "%s", level);
    (void)snprintf(p.level, sizeof p.level, "%s", wants);
    const qc_rc rc = policy_way(&p, &c, &err);
    if (rc != want || strcmp(c.level, then) != 0)
        fprintf(stderr, "%s at %s, %s: %s, '%s': %s\n", gateway, level, wants, qc_rc_name(rc), c.level,
                err.msg);
    CHECK(rc == want && strcmp(c.level, then) == 0);
    CHECK(rc == QC_OK || strstr(err.msg, "policy 'genomes' wants ") == err.msg);
}

static void check_random(enum qrng_policy has, enum qrng_policy wants, size_t sources, qc_rc want,
                         enum qrng_policy then)
{
    static struct qrng_conf c;
    struct qc_err err = { 0 };
    const struct policy p = { .has_random = true, .random = wants };
    qrng_conf_init(&c);
    c.count = sources;
    c.policy[QRNG_PROFILE_EC] = c.policy[QRNG_PROFILE_XOR23] = has;
    CHECK(policy_random(&p, &c, &err) == want);
    CHECK(c.policy[QRNG_PROFILE_EC] == then && c.policy[QRNG_PROFILE_XOR23] == then);
}

static void policies(void)
{
    struct qc_err err = { 0 };
    struct policy p = { 0 };
    CHECK_OK(policy_parse(qc_span_str(POLICIES), "genomes", &p, &err));
    CHECK(strcmp(p.profile, "xor23") == 0 && strcmp(p.level, "otp") == 0 && p.has_random &&
          p.random == QRNG_POLICY_REQUIRED && p.wait[0] == '\0' && !p.pad);
    CHECK_OK(policy_parse(qc_span_str(POLICIES), "lab", &p, &err));
    CHECK(p.profile[0] == '\0' && strcmp(p.wait, "quorum") == 0 && p.pad && !p.has_random);
    CHECK_OK(policy_parse(qc_span_str(POLICIES), "a-b_c.9", &p, &err));
    CHECK_OK(policy_parse(qc_span_str(POLICIES), NULL, NULL, &err));
    CHECK_OK(policy_parse(qc_span_str(""), NULL, NULL, &err));
    no_policy(POLICIES, "genome", QC_NOTCONF, "no policy 'genome'; there are: genomes lab a-b_c.9");
    no_policy("", "lab", QC_NOTCONF, "there is none");
    no_policy("[lab]\nprofil = ec\n", "lab", QC_USAGE,
              "line 2: unknown key 'profil'; the nearest is 'profile'");
    no_policy("[lab]\n\nlevel = qkd\n", "lab", QC_USAGE, "otp, qkd-tls, tls or plain is wanted");
    no_policy("[lab]\nrandom = test\n", "lab", QC_USAGE, "required, preferred or os is wanted");
    no_policy("[lab]\npad = maybe\n", "lab", QC_USAGE, "line 2");
    no_policy("[lab]\n[x]\n[lab]\n", "lab", QC_USAGE, "line 3: [lab] is given twice");
    no_policy("[lab]\n[a b]\n", "lab", QC_USAGE, "line 2: a section is [NAME]");
    no_policy("[lab]\n[\n", "lab", QC_USAGE, "line 2: a section is [NAME]");
    no_policy("[]\n", "lab", QC_USAGE, "line 1: a section is [NAME]");
    no_policy("[lab\n", "lab", QC_USAGE, "line 1");
    no_policy("pad = yes\n[lab]\n", "lab", QC_USAGE, "line 1");
    way("", "", "otp", QC_OK, "");
    way("unix:/run/door", "plain", "otp", QC_OK, "plain");
    way("https://g", "", "tls", QC_OK, "tls");
    way("https://g", "", "plain", QC_OK, "plain");
    way("https://g", "tls", "plain", QC_OK, "tls");
    way("https://g", "", "qkd-tls", QC_LINK, "");
    way("https://g", "tls", "otp", QC_LINK, "tls");
    check_random(QRNG_POLICY_OS, QRNG_POLICY_PREFERRED, 1, QC_OK, QRNG_POLICY_PREFERRED);
    check_random(QRNG_POLICY_REQUIRED, QRNG_POLICY_OS, 1, QC_OK, QRNG_POLICY_REQUIRED);
    check_random(QRNG_POLICY_OS, QRNG_POLICY_REQUIRED, 0, QC_RANDOM, QRNG_POLICY_OS);
    check_random(QRNG_POLICY_OS, QRNG_POLICY_OS, 0, QC_OK, QRNG_POLICY_OS);
}

int main(void)
{
    policies();
    check_good();
    check_refusals();
    check_cuts();
    check_limit();
    check_print();
    check_override();
    check_environment();
    check_lines();
    check_file();
    return 0;
}
