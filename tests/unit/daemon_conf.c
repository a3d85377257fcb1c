/* unit/daemon_conf: what the configuration of a gateway may say; each refusal says why, and where. */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "qc_check.h"

static struct conf conf;

static qc_rc parse(const char *text, struct qc_err *err)
{
    memset(&conf, 0xee, sizeof conf);
    return conf_parse(qc_span_str(text), &conf, err);
}

static const struct {
    const char *text, *words;
    qc_rc rc;
} refused[] = {
#define DOOR                                                                                                 \
    "[gateway]\nstate = /s\n[qkd]\naddress = 192.0.2.7:8442\nlink = L\nme = gw\nkme = https://k\nkme-ca = "  \
    "/ca\nkme-cert = /c\nkme-key = /k\n"
    { "", "'state' is missing", QC_NOTCONF },
    { "[gateway]\nlog-file = /x\n", "'state' is missing", QC_NOTCONF },
    { "[gateway]\nstate = rel\n", "line 2", QC_USAGE },
    { "[gateway]\nstat = /s\n", "state", QC_USAGE }, /* the nearest */
    { "[gateway]\nstate = /s\n[lissen]\n", "listen", QC_USAGE },
    { "[gateway]\nstate = /s\njson-log = maybe\n", "line 3", QC_USAGE },
    { "[gateway]\nstate = /s\nstate = /t\n", "line 3", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket = /dir/\n", "name of a socket", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket-mode = 0660\n", "without 'socket'", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket = /x\nsocket-mode = 660\n", "octal", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket = /x\nsocket-mode = 0680\n", "octal", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket = /x\nsocket-mode = 0770\n", "nobody executes", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\nsocket = /x\nsocket-mode = 0066\n", "owner reads", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 0.0.0.0:1\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.2:1\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = [::]:80\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = localhost:80\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 192.168.1.7:80\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 80\n", "this machine only", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1\n", "PORT", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:\n", "PORT", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:0\n", "port", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:65536\n", "port", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:80x\n", "port", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:80\ncertificate = /c\n", "belong together",
      QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\naddress = 127.0.0.1:80\nkey = /k\n", "belong together", QC_USAGE },
    { "[gateway]\nstate = /s\n[listen]\ncertificate = /c\nkey = /k\n", "without 'address'", QC_USAGE },
    { "[gateway]\nstate = /s\n[limits]\nconnections = 15\n", "16", QC_USAGE },
    { "[gateway]\nstate = /s\n[limits]\nconnections = 1025\n", "1024", QC_USAGE },
    { "[gateway]\nstate = /s\n[scrub]\npresence-hours = 87841\n", "87840", QC_USAGE },
    { "[gateway]\nstate = /s\n[scrub]\ncontent-days = never\n", "", QC_USAGE },
    { "[gateway]\nstate = /s\n[scrub]\nrequests-per-second = -1\n", "", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\nleast = down\n", "no level", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\nleast = qkd-tls-and-more-than-that\n", "is needed", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\nleast = otp:x\n", "", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\nleast = otp:60:1:2\n", "all there is", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = ann=otp:99999999999\n", "", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = ann\n", "NAME=LEVEL", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = =otp\n", "NAME=LEVEL", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = Ann=otp\n", "NAME=LEVEL", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = ann=otp ann=tls\n", "twice", QC_USAGE },
    { "[gateway]\nstate = /s\n[levels]\ntenants = ann=otp, bob=tls\n", "no level", QC_USAGE },
    { DOOR, "'peers' is missing", QC_NOTCONF },
    { DOOR "peers = \n", "the SAE ID of a client", QC_USAGE },
    { DOOR "peers = ann gw\n", "gw is our own name", QC_USAGE },
    { DOOR "peers = ann bob ann\n", "ann is named twice", QC_USAGE },
    { DOOR "peers = a|b\n", "without '|'", QC_USAGE },
    { DOOR "peer = ann\n", "the nearest is 'peers'", QC_USAGE },
    { DOOR "peers = ann\nkey-max-bytes = 65536\n", "33554432", QC_USAGE },
    { DOOR "peers = ann\nkey-max-seconds = 0\n", "86400", QC_USAGE },
    { "[gateway]\nstate = /s\n[qkd]\naddress = gw.example:8442\n", "an address and a port", QC_USAGE },
    { "[gateway]\nstate = /s\n[qkd]\nkme = http://127.0.0.1:1\n", "https:// is needed", QC_USAGE },
};

static void refuses(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct qc_err err = { 0 };
        const qc_rc rc = parse(refused[i].text, &err);
        if (rc != refused[i].rc || strstr(err.msg, refused[i].words) == NULL)
            fprintf(stderr, "%s: %s: %s\n", refused[i].text, qc_rc_name(rc), err.msg);
        CHECK(rc == refused[i].rc && strstr(err.msg, refused[i].words) != NULL);
    }
}

static void defaults(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(parse("[gateway]\nstate = /s\n", &err));
    CHECK(strcmp(conf.state, "/s") == 0 && conf.log_file[0] == '\0' && conf.socket[0] == '\0');
    CHECK(!conf.json_log && !conf.address.is && conf.certificate[0] == '\0' && conf.key[0] == '\0');
    CHECK(conf.socket_mode == 0600 && conf.connections == 128);
    CHECK(conf.scrub.presence_s == 86400 && conf.scrub.content_s == 30 * 86400);
    CHECK(conf.scrub.bytes_per_s == 8 << 20 && conf.scrub.requests_per_s == 20);
}

static void levels(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(parse("[gateway]\nstate = /s\n", &err));
    CHECK(conf.levels.all.least == NET_PLAIN && conf.levels.count == 0);
    CHECK_OK(parse("[gateway]\nstate = /s\n[levels]\nleast = qkd-tls\ntenants = ann=otp bob=plain\n", &err));
    CHECK(conf.levels.all.least == NET_QKD_TLS && conf.levels.count == 2);
    CHECK(strcmp(conf.levels.tenants[0].name, "ann") == 0 && conf.levels.tenants[0].want.least == NET_OTP);
    CHECK(strcmp(conf.levels.tenants[1].name, "bob") == 0 && conf.levels.tenants[1].want.least == NET_PLAIN);
    CHECK_OK(
        parse("[gateway]\nstate = /s\n[levels]\nleast = qkd-tls:60:1000\ntenants = ann=otp:3600\n", &err));
    CHECK(conf.levels.all.key_s == 60 && conf.levels.all.key_bytes == 1000);
    CHECK(conf.levels.tenants[0].want.key_s == 3600 && conf.levels.tenants[0].want.key_bytes == 0);
}

static void door(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(parse("[gateway]\nstate = /s\n", &err));
    CHECK(conf.qkd.address.port == 0 && conf.qkd.count == 0);
    CHECK_OK(parse(DOOR "peers = ann  bob\nkey-max-bytes = 33554432\n", &err));
    CHECK(conf.qkd.address.port == 8442 && strcmp(conf.qkd.address.host, "192.0.2.7") == 0);
    CHECK(conf.qkd.count == 2 && strcmp(conf.qkd.peers[1], "bob") == 0);
    CHECK(strcmp(conf.qkd.way.link, "L") == 0 && strcmp(conf.qkd.way.me, "gw") == 0);
    CHECK(conf.qkd.way.key_max_bytes == 33554432 && conf.qkd.way.key_max_s == 0);
}

/* What is printed is read again as the same. */
static void prints(void)
{
    static const char *const texts[] = {
        "[gateway]\nstate = /s\n",
        "[gateway]\nstate = /s\nlog-file = /l\njson-log = yes\n[listen]\nsocket = /run/q/d\nsocket-mode = "
        "0666\n"
        "address = [::1]:8440\ncertificate = /c\nkey = /k\n[limits]\nconnections = 16\n"
        "[scrub]\npresence-hours = 6\ncontent-days = 0\nbytes-per-second = 0\nrequests-per-second = 3\n",
        "[gateway]\nstate = /s\n[levels]\nleast = tls:0:70000\ntenants =  ann=otp:5   bob=plain\n",
        DOOR "peers =  ann  bob \nkey-max-seconds = 60\n",
        "[listen]\naddress = 127.0.0.1:65535\n[gateway]\nstate = /with = signs and spaces\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf first = { .max = 65536 };
        QC_CLEANUP(qc_buf_free) qc_buf second = { .max = 65536 };
        struct qc_err err = { 0 };
        CHECK_OK(parse(texts[i], &err));
        const struct conf_address a = conf.address;
        CHECK_OK(conf_print(&conf, &first, &err));
        CHECK_OK(conf_parse(qc_buf_span(&first), &conf, &err));
        CHECK_OK(conf_print(&conf, &second, &err));
        CHECK(qc_span_eq(qc_buf_span(&first), qc_buf_span(&second)));
        CHECK(a.is == conf.address.is && a.v6 == conf.address.v6 && a.port == conf.address.port);
    }
    CHECK(conf.address.is && !conf.address.v6 && conf.address.port == 65535);
    CHECK(strcmp(conf.state, "/with = signs and spaces") == 0);
}

int main(void)
{
    refuses();
    defaults();
    levels();
    door();
    prints();
    return 0;
}
