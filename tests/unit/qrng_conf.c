/* unit/qrng_conf: random.conf. */
#include "qc_check.h"
#include "qrng/conf.h"

static void good(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    CHECK_OK(qrng_conf_parse((qc_span){ 0 }, &c, &err));
    CHECK(c.count == 0 && c.policy[QRNG_PROFILE_EC] == QRNG_POLICY_OS);
    CHECK_OK(qrng_conf_parse(QC_LIT("# nothing\n\n[policy]\ndefault = os\n"), &c, &err));
    CHECK_OK(qrng_conf_parse(
        QC_LIT("[source lab-1]\nkind = device\npath = /dev/qrandom0\n"
               "[policy]\nxor23 = required\ndefault = preferred\n"
               "  [source paper]  \nkind=file\npath = /srv/random numbers\nentropy = 6.25\n"
               "condition = toeplitz\nidentity = QR-100 no. 4711\nrate = 1000\nstall = 50\npool = 4096"),
        &c, &err));
    CHECK(c.count == 2 && c.policy[QRNG_PROFILE_EC] == QRNG_POLICY_PREFERRED &&
          c.policy[QRNG_PROFILE_XOR23] == QRNG_POLICY_REQUIRED);
    CHECK(strcmp(c.source[0].name, "lab-1") == 0 && strcmp(c.source[0].path, "/dev/qrandom0") == 0);
    CHECK(c.source[0].mbit == 6000 && c.source[0].condition == QRNG_CONDITION_HMAC &&
          c.source[0].pool == 4096 && c.source[0].stall_ms == QC_QRNG_STALL_MS && c.source[0].rate == 0);
    CHECK(c.source[1].kind == QRNG_KIND_FILE && c.source[1].mbit == 6250 &&
          c.source[1].condition == QRNG_CONDITION_TOEPLITZ && c.source[1].rate == 1000 &&
          c.source[1].stall_ms == 50 && c.source[1].pool == 4096 &&
          strcmp(c.source[1].identity, "QR-100 no. 4711") == 0);
}

#define SOURCE "[source a]\nkind = device\npath = /dev/q\n"

static void bad(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "default = os\n", "line 1" },
        { "[policy]\ndefault = test\n", "line 2" },
        { "[policy]\ndefault = required\n", "no [source NAME]" },
        { "[policy]\n[policy]\n", "line 2: [policy] is given twice" },
        { "\n[polic]\n", "line 2: a section is" },
        { "[source]\n", "a section is" },
        { "[source os]\n", "and not os" },
        { "[source A]\n", "name of a source" },
        { "[source a b]\n", "name of a source" },
        { "[source aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", "name of a source" },
        { SOURCE SOURCE, "line 4: the source 'a' is given twice" },
        { "[source a]\nkind = device\n", "no path" },
        { "[source a]\nkind = https-anu\n", "no url" },
        { "[source a]\nkind = https-anu\nurl = https://h/ b\n", "line 3" },
        { "[source a]\nkind = https-raw\nurl = http://example.org/x\n", "line 3" },
        { "[source a]\nkind = https-raw\npath = /x\n", "for services" },
        { SOURCE "ca = /x\n", "for services" },
        { SOURCE "url = https://h/x\n", "" },
        { "[source a]\npath = /x\n", "no kind" },
        { "[source a]\nkind = kme\n", "no url" },
        { "[source a]\nkind = kme\nurl = https://h\nca = /c\ncert = /d\npeer = B\n", "lacks one of" },
        { "[source a]\nkind = https-raw\nurl = https://h\npeer = B\n", "are for kme" },
        { SOURCE "cert = /x\n", "are for kme" },
        { SOURCE "position = /x\n", "is for files" },
        { "[source a]\nkind = quantum\n", "line 2" },
        { SOURCE "path = relative\n", "line 4" },
        { SOURCE "entropy = 0.4\n", "line 4" },
        { SOURCE "entropy = 8.001\n", "line 4" },
        { SOURCE "entropy = 8.0.0\n", "line 4" },
        { SOURCE "entropy = .5\n", "line 4" },
        { SOURCE "entropy = 6,0\n", "line 4" },
        { SOURCE "entropy = 6.0000\n", "line 4" },
        { SOURCE "entropy =\n", "line 4" },
        { SOURCE "pool = 100\n", "line 4" },
        { SOURCE "stall = 0\n", "line 4" },
        { SOURCE "identity = \xc3\xa4\n", "line 4" },
        { SOURCE "colour = red\n", "line 4: unknown key" },
        { SOURCE "[x\n", "line 4" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct qc_err err = { 0 };
        static struct qrng_conf c;
        c.count = 77;
        const qc_rc rc = qrng_conf_parse(qc_span_str(rows[i].text), &c, &err);
        if (rc == QC_OK || strstr(err.msg, rows[i].says) == NULL || c.count != 77) {
            fprintf(stderr, "%s: %s\n", rows[i].text, err.msg);
            exit(1);
        }
    }
}

static void services(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    CHECK_OK(qrng_conf_parse(
        QC_LIT("[source a]\nkind = https-anu\nurl = https://qrng.example.org:8443/v1\nca = /etc/ca.pem\n"
               "key-file = /etc/key\n[source b]\nkind = https-raw\nurl = http://127.0.0.1:80\n"),
        &c, &err));
    CHECK(c.count == 2 && qrng_kind_is_remote(c.source[0].kind) && c.source[0].mbit == 7000);
    CHECK(strcmp(c.source[0].ca, "/etc/ca.pem") == 0 && strcmp(c.source[0].key_file, "/etc/key") == 0);
    CHECK_OK(qrng_conf_parse(
        QC_LIT("[source q]\nkind = kme\nurl = https://kme.example.org:8443\nca = /c\ncert = /d\n"
               "key-file = /k\npeer = SAE-B\n"),
        &c, &err));
    CHECK(qrng_kind_is_remote(c.source[0].kind) && strcmp(c.source[0].cert, "/d") == 0 &&
          strcmp(c.source[0].peer, "SAE-B") == 0 && c.source[0].maker == NULL);
}

static void many(void)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    char text[2000] = "";
    for (unsigned i = 0; i <= QC_QRNG_SOURCES_MAX; i++) {
        const size_t n = strlen(text);
        CHECK(i == 0 || qrng_conf_parse(qc_span_str(text), &c, &err) == QC_OK);
        snprintf(text + n, sizeof text - n, "[source s%u]\nkind = device\npath = /dev/q\n", i);
    }
    CHECK(c.count == QC_QRNG_SOURCES_MAX);
    CHECK_RC(qrng_conf_parse(qc_span_str(text), &c, &err), QC_LIMIT);
}

int main(void)
{
    good();
    bad();
    services();
    many();
    return 0;
}
