#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "fault.h"
#include "net/client.h"
#include "qkd/plan.h"

enum { ANSWER_MS = 60000 };

const struct qc_opt ask_options[] = {
    { "state", 0, "DIR", "the state directory of the process that runs", false },
    { 0 },
};
const struct qc_opt ask_json_options[] = {
    { "state", 0, "DIR", "the state directory of the process that runs", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* -- asking ---------------------------------------------------------------------------------------------- */

static qc_rc open_net(const struct qc_args *args, struct net_client **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    const char *state = qc_args_value(args, "state", NULL);
    if (state == NULL)
        return QC_FAIL(err, QC_USAGE, "--state DIR is needed");
    const qc_rc rc = qc_dir_open(&dir, state, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "no qcloud-kme runs on %.200s: there is no such directory", state);
    QC_TRY_AS(rc, err, "state directory %.200s", state);
    return net_client_new_unix(ret, qc_fd_get(&dir), KME_SOCKET, err);
}

/* What it said when it refused. */
static qc_rc refusal(int status, const qc_buf *body, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const char *message = NULL;
    struct qc_err bad = { 0 };
    if (qc_json_parse(&j, qc_buf_span(body), &bad) != QC_OK ||
        qc_json_str(j, "message", &message, &bad) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "qcloud-kme answers with status %d and no reason", status);
    const qc_rc rc = status == 400 ? QC_USAGE : status == 404 ? QC_NOTFOUND : QC_GENERAL;
    qc_err_set(err, rc, QC_HERE, "%s", message);
    return rc;
}

/* One call; *ret_text is the answer as it came, with .max. */
static qc_rc ask(struct net_client *net, const char *path, qc_span body, qc_buf *ret_text,
                 struct json_t **ret, struct qc_err *err)
{
    struct net_response r = { .body = { .max = KME_ANSWER_MAX } };
    const struct net_header type = { "Content-Type", "application/json" };
    const struct net_request rq = { .method = body.n > 0 ? "POST" : "GET",
                                    .path = path,
                                    .headers = &type,
                                    .header_count = body.n > 0,
                                    .body = body,
                                    .deadline = qc_deadline_in(ANSWER_MS) };
    const qc_rc rc = net_request(net, &rq, &r, err);
    if (rc == QC_NOTFOUND || (rc == QC_TEMP && net_client_reach(net) == NET_NOTHING_SENT))
        return QC_FAIL(err, QC_NOTCONF, "no qcloud-kme runs on this state directory");
    QC_TRY(rc);
    qc_buf_free(ret_text);
    *ret_text = r.body;
    if (r.status != 200)
        return refusal(r.status, ret_text, err);
    return qc_json_parse(ret, qc_buf_span(ret_text), err);
}

static void print_text(const qc_buf *text)
{
    fwrite(text->p, 1, text->n, stdout);
    putchar('\n');
}

/* -- status ---------------------------------------------------------------------------------------------- */

/* A member for people; what is missing is a dash. */
static const char *word(const struct json_t *j, const char *name)
{
    struct qc_err none = { 0 };
    const char *s = NULL;
    return qc_json_str(j, name, &s, &none) == QC_OK ? s : "-";
}

static int64_t number(const struct json_t *j, const char *name)
{
    struct qc_err none = { 0 };
    int64_t v = 0;
    return qc_json_int(j, name, 0, INT64_MAX, &v, &none) == QC_OK ? v : 0;
}

static double real(const struct json_t *j, const char *name)
{
    struct qc_err none = { 0 };
    double v = 0;
    return qc_json_real(j, name, 0, 1e18, &v, &none) == QC_OK ? v : 0;
}

static void print_link(const struct json_t *j)
{
    char between[2 * KME_NAME_MAX + 4], errors[16] = "-", km[32] = "-", lasts[QKD_SPAN_TEXT] = "-";
    snprintf(between, sizeof between, "%s - %s", word(j, "a"), word(j, "b"));
    if (real(j, "qber") > 0)
        snprintf(errors, sizeof errors, "%.2f %%", real(j, "qber") * 100);
    if (real(j, "km") > 0)
        snprintf(km, sizeof km, "%g", real(j, "km"));
    if (qc_json_has(j, "dry_s"))
        qkd_span_text(real(j, "dry_s"), lasts);
    const double cap = (double)number(j, "cap_bits");
    printf("%-12s %-30s %-7s %11" PRId64 " %16" PRId64 " %5.1f %% %16" PRId64 " %11" PRId64 " %10s %8s %6s\n",
           word(j, "id"), between, word(j, "state"), number(j, "rate_bps"), number(j, "bits"),
           cap > 0 ? 100 * (double)number(j, "bits") / cap : 0.0, number(j, "used_bits"),
           number(j, "use_bps"), lasts, errors, km);
}

static qc_rc print_status(const struct json_t *j, struct qc_err *err)
{
    char since[QC_TIME_TEXT];
    int64_t since_s = 0;
    struct json_t *links = NULL, *nodes = NULL;
    QC_TRY(qc_json_arr(j, "links", &links, err));
    QC_TRY(qc_json_arr(j, "nodes", &nodes, err));
    QC_TRY(qc_json_int(j, "since_s", 0, INT64_C(200000000000), &since_s, err));
    qc_time_text(since_s, since);
    printf("%-12s %-30s %-7s %11s %16s %7s %16s %11s %10s %8s %6s\n", "link", "between", "state", "bit/s",
           "bits in pool", "full", "bits used", "use, bit/s", "lasts", "errors", "km");
    for (size_t i = 0; i < qc_json_len(links); i++)
        print_link(qc_json_at(links, i));
    for (size_t i = 0; i < qc_json_len(nodes); i++)
        if (strcmp(word(qc_json_at(nodes, i), "state"), "up") != 0)
            printf("node %s: %s\n", word(qc_json_at(nodes, i), "id"), word(qc_json_at(nodes, i), "state"));
    printf("%" PRId64 " keys supplied since %s, %" PRId64 " copies wait for their slaves\n",
           number(j, "supplied_keys"), since, number(j, "waiting_keys"));
    return QC_OK;
}

qc_rc ask_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(net_client_free) struct net_client *net = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    (void)app;
    QC_TRY(open_net(args, &net, err));
    QC_TRY(ask(net, "/admin/v1/network", (qc_span){ 0 }, &text, &j, err));
    if (!qc_args_flag(args, "json"))
        return print_status(j, err);
    print_text(&text);
    return QC_OK;
}

/* -- faults ---------------------------------------------------------------------------------------------- */

static const struct command {
    const char *name;
    enum kme_fault_kind kind;
} faults[] = {
    { "link cut", KME_LINK_CUT },
    { "link restore", KME_LINK_RESTORE },
    { "link rate", KME_LINK_RATE },
    { "link empty", KME_POOL_EMPTY },
    { "link qber", KME_QBER },
    { "node seize", KME_NODE_SEIZE },
    { "node release", KME_NODE_RELEASE },
};

static qc_rc fault_of(const struct qc_args *args, struct kme_fault *ret, struct qc_err *err)
{
    size_t i = 0;
    while (strcmp(faults[i].name, args->cmd->name) != 0) {
        i++;
        QC_ASSERT(i < sizeof faults / sizeof *faults);
    }
    ret->kind = faults[i].kind;
    if (ret->kind == KME_LINK_RATE)
        QC_TRY(qc_parse_u64(args->argv[1], "the rate, bits/s", false, &ret->rate, err));
    if (ret->rate > KME_RATE_MAX)
        return QC_FAIL(err, QC_USAGE, "the rate, bits/s: at most %d", KME_RATE_MAX);
    if (ret->kind == KME_QBER) {
        char *end = NULL;
        ret->qber = strtod(args->argv[1], &end);
        if (end == args->argv[1] || *end != '\0' || !(ret->qber >= 0 && ret->qber <= 0.5))
            return QC_FAIL(err, QC_USAGE, "the error rate: a number from 0 to 0.5, as 0.03");
    }
    return QC_OK;
}

qc_rc ask_fault(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(net_client_free) struct net_client *net = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = 4096 };
    struct kme_fault f = { 0 };
    (void)app;
    QC_TRY(fault_of(args, &f, err));
    QC_TRY(open_net(args, &net, err));
    QC_TRY(kme_fault_print(&f, args->argv[0], &body, err));
    QC_TRY(ask(net, "/admin/v1/fault", qc_buf_span(&body), &text, &j, err));
    if (qc_args_flag(args, "json"))
        print_text(&text);
    else if (f.kind == KME_NODE_SEIZE)
        printf("%s is seized: %" PRId64 " copies that waited are erased; it has seen %" PRId64
               " keys that were supplied (qcloud-kme node exposed %s)\n",
               args->argv[0], number(j, "erased_keys"), number(j, "exposed_keys"), args->argv[0]);
    return QC_OK;
}

/* -- which keys a node has seen -------------------------------------------------------------------------- */

static void print_exposed(const struct json_t *keys)
{
    char at[QC_TIME_TEXT];
    for (size_t i = 0; i < qc_json_len(keys); i++) {
        const struct json_t *k = qc_json_at(keys, i);
        qc_time_text(number(k, "at_s"), at);
        printf("%s %s %s -> %s over %s\n", word(k, "key_ID"), at, word(k, "master_SAE_ID"),
               word(k, "slave_SAE_ID"), word(k, "nodes"));
    }
}

qc_rc ask_exposed(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(net_client_free) struct net_client *net = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    int64_t after = 0;
    (void)app;
    for (const char *s = args->argv[0]; *s != '\0'; s++) /* it goes into a query */
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *s) == NULL)
            return QC_FAIL(err, QC_NOTFOUND, "there is no node of this name");
    QC_TRY(open_net(args, &net, err));
    do {
        QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
        struct json_t *keys = NULL;
        char path[128 + KME_NAME_MAX];
        if (snprintf(path, sizeof path, "/admin/v1/exposed?node=%s&after=%" PRId64, args->argv[0], after) >=
            (int)sizeof path)
            return QC_FAIL(err, QC_NOTFOUND, "there is no node of this name");
        QC_TRY(ask(net, path, (qc_span){ 0 }, &text, &j, err));
        QC_TRY(qc_json_arr(j, "keys", &keys, err));
        after = number(j, "next");
        if (qc_args_flag(args, "json"))
            print_text(&text); /* a line for each part */
        else
            print_exposed(keys);
    } while (after != 0);
    return QC_OK;
}
