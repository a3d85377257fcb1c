/* A program around qkd/client.h, for tests in Python: options on the command line, calls on standard input,
 * an answer a line. A key is shown by its SHA-256. Not for the product.
 *
 *   qkd_ask URL CA CERT KEY PEER [more=SAE] [must=NAME:VALUE] [might=NAME:VALUE] [opaque] [try_ms=N]
 * [pause_ms=N] status | enc NUMBER BITS | dec BITS ID.. | counts
 *   -> ok ... | CODE MESSAGE */
#include "qkd/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "qc_check.h"

enum { WORDS = 2048, LINE = 200000 };

static struct qkd_client *client;
static char line[LINE];
static char *words[WORDS];

static size_t split(void)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(line, " \n", &rest); w != NULL; w = strtok_r(NULL, " \n", &rest)) {
        CHECK(n < WORDS);
        words[n++] = w;
    }
    return n;
}

static unsigned number(const char *text)
{
    char *end = NULL;
    const unsigned long v = strtoul(text, &end, 10);
    CHECK(end != text && *end == '\0');
    return (unsigned)v;
}

static void show(const struct qkd_keys *k)
{
    struct qc_err err = { 0 };
    printf("ok");
    for (size_t i = 0; i < k->count; i++) {
        uint8_t digest[QC_SHA256_BYTES];
        char hex[2 * QC_SHA256_BYTES + 1];
        const qc_span key = qkd_keys_open(k, i);
        CHECK_OK(qc_sha256(&key, 1, digest, &err));
        qc_hex(qc_span_of(digest, sizeof digest), hex);
        printf(" %s=%s", k->ids[i].text, hex);
    }
    printf("\n");
}

static qc_rc show_status(const struct qkd_op *op, struct qc_err *err)
{
    struct qkd_status s;
    QC_TRY(qkd_client_status(client, op, &s, err));
    printf("ok %s %s %s %s %u %u %u %" PRIu64 " %" PRIu64 " %u %u\n", s.source_kme, s.target_kme, s.master,
           s.slave, s.key_bits, s.min_bits, s.max_bits, s.stored, s.capacity, s.per_request, s.more_saes);
    return QC_OK;
}

static void show_counts(void)
{
    const struct qkd_counts n = qkd_client_counts(client);
    printf("ok requests=%" PRIu64 " failures=%" PRIu64 " keys=%" PRIu64 " lost=%" PRIu64 " nonsense=%" PRIu64
           " open=%d broken=%d\n",
           n.requests, n.failures, n.keys, n.lost, n.nonsense, n.open, n.broken);
}

static qc_rc call(size_t n, const struct qkd_op *op, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
    if (strcmp(words[0], "status") == 0)
        return show_status(op, err);
    if (strcmp(words[0], "enc") == 0) {
        CHECK(n == 3);
        QC_TRY(qkd_client_enc_keys(client, number(words[1]), number(words[2]), op, &k, err));
    } else {
        static struct qkd_id ids[WORDS];
        CHECK(strcmp(words[0], "dec") == 0 && n > 2);
        for (size_t i = 2; i < n; i++) {
            ids[i - 2] = (struct qkd_id){ 0 };
            strncat(ids[i - 2].text, words[i], QKD_ID_MAX);
        }
        QC_TRY(qkd_client_dec_keys(client, ids, n - 2, number(words[1]), op, &k, err));
    }
    show(&k);
    return QC_OK;
}

/* NAME:VALUE */
static struct qkd_extension extension(char *text)
{
    char *colon = strchr(text, ':');
    CHECK(colon != NULL);
    *colon = '\0';
    return (struct qkd_extension){ .name = text, .value = colon + 1 };
}

int main(int argc, char **argv)
{
    const char *more[QKD_SAES_MAX + 1];
    struct qkd_extension must[QKD_EXTENSIONS_MAX], might[QKD_EXTENSIONS_MAX];
    struct qc_err err = { 0 };
    unsigned long deadline_ms = 60000;
    CHECK(argc >= 6 && argc < QKD_SAES_MAX);
    struct qkd_conf conf = { .url = argv[1], .peer = argv[5], .more = more, .must = must, .might = might };
    conf.ca = argv[2][0] == '\0' ? NULL : argv[2];
    conf.cert = argv[3][0] == '\0' ? NULL : argv[3];
    conf.key = argv[4][0] == '\0' ? NULL : argv[4];
    for (int i = 6; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value != NULL)
            *value++ = '\0';
        if (strcmp(argv[i], "more") == 0)
            more[conf.more_count++] = value;
        else if (strcmp(argv[i], "must") == 0)
            must[conf.must_count++] = extension(value);
        else if (strcmp(argv[i], "might") == 0)
            might[conf.might_count++] = extension(value);
        else if (strcmp(argv[i], "opaque") == 0)
            conf.ids = QKD_ID_OPAQUE;
        else if (strcmp(argv[i], "plain") == 0)
            conf.plain = true;
        else if (strcmp(argv[i], "try_ms") == 0)
            conf.try_ms = number(value);
        else if (strcmp(argv[i], "pause_ms") == 0)
            conf.pause_ms = number(value);
        else
            CHECK(strcmp(argv[i], "deadline_ms") == 0 && (deadline_ms = number(value)) > 0);
    }
    qc_rc rc = qkd_client_new(&client, &conf, &err);
    if (rc != QC_OK) {
        printf("%s %s\n", qc_rc_name(rc), err.msg);
        return 0;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        const size_t n = split();
        const struct qkd_op op = { .deadline = qc_deadline_in(deadline_ms) };
        if (n == 0)
            continue;
        if (strcmp(words[0], "counts") == 0) {
            show_counts();
        } else {
            qc_err_clear(&err);
            rc = call(n, &op, &err);
            if (rc != QC_OK)
                printf("%s %s\n", qc_rc_name(rc), err.msg);
        }
        fflush(stdout);
    }
    qkd_client_free(&client);
    return 0;
}
