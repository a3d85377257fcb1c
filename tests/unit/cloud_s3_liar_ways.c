/* unit/cloud_s3_liar_ways: the S3 driver against answers that no real server gives on demand: what a write
 * comes to and what is learnt from it, clocks, silence, the dead; opening and making; threads. As in
 * unit/cloud_s3_liar the server is written by hand. */
#include "s3_liar.h"

#include <time.h>

/* --- Writes --- */

static const char *held(const char *body)
{
    return http("200 OK", "", body);
}

static void writes(void)
{
    const struct row rows[] = {
        { "plain", PUT, { { PUT_OK } }, QC_OK, "", 1 },
        { "ETag of something else, same bytes",
          PUT,
          { { http("200 OK", "ETag: \"x-1\"\r\n", "") }, { held("0123456789") } },
          QC_OK,
          "",
          2 },
        { "stored wrongly once",
          PUT,
          { { http("200 OK", "", "") }, { held("012345678x") }, { PUT_OK } },
          QC_OK,
          "",
          3 },
        { "stored wrongly twice",
          PUT,
          { { http("200 OK", "", "") },
            { held("012345678x") },
            { http("200 OK", "", "") },
            { held("01234") } },
          QC_IO,
          "other bytes than were sent, twice",
          4 },
    };
    ALL(rows);
}

static void writes_of_new(void)
{
    const struct row rows[] = {
        { "new, obeyed",
          PUT_NEW,
          { { GONE }, { PUT_OK }, { error("412 No", "", "PreconditionFailed") } },
          QC_OK,
          "",
          3 },
        { "new, passed over", PUT_NEW, { { GONE }, { PUT_OK }, { PUT_OK } }, QC_OK, "", 3 },
        { "new, not known",
          PUT_NEW,
          { { GONE }, { error("501 No", "", "NotImplemented") }, { PUT_OK } },
          QC_OK,
          "",
          3 },
        { "new, ours already", PUT_NEW, { { held("0123456789") } }, QC_OK, "", 1 },
        { "new, another's", PUT_NEW, { { held("0123456780") } }, QC_CONFLICT, "holds another object", 1 },
        { "new, a longer one",
          PUT_NEW,
          { { held("0123456789 and more") } },
          QC_CONFLICT,
          "holds another object",
          1 },
        { "new, taken meanwhile",
          PUT_NEW,
          { { GONE }, { error("412 No", "", "PreconditionFailed") }, { held("another's") } },
          QC_CONFLICT,
          "holds another object",
          3 },
        { "new, broke off but done",
          PUT_NEW,
          { { GONE },
            { "", LIAR_CLOSE },
            { error("412 No", "", "PreconditionFailed") },
            { held("0123456789") } },
          QC_OK,
          "",
          4 },
        { "new, gone again",
          PUT_NEW,
          { { GONE }, { error("412 No", "", "PreconditionFailed") }, { GONE } },
          QC_TEMP,
          "appeared and went again",
          3 },
        { "deleted", DELETE, { { "HTTP/1.1 204 No Content\r\n\r\n" } }, QC_OK, "", 1 },
        { "deleted or not",
          DELETE,
          { { "", LIAR_CLOSE }, { "HTTP/1.1 204 No Content\r\n\r\n" } },
          QC_OK,
          "",
          2 },
    };
    ALL(rows);
}

/* What was learnt of If-None-Match and ETags changes what is asked afterwards. */
static void learnt(void)
{
    struct cloud *c = opened();
    const struct liar_reply first[] = { { GONE }, { PUT_OK }, { error("412 No", "", "PreconditionFailed") } };
    const struct liar_reply then[] = { { PUT_OK } };
    liar_script(&liar, first, 3);
    OK(run(c, PUT_NEW, &forever, &err));
    CHECK(strstr(liar.heads[1], "if-none-match: *\r\n") != NULL);
    liar_script(&liar, then, 1);
    OK(run(c, PUT_NEW, &forever, &err)); /* one request from now on */
    CHECK(liar_requests(&liar) == 1 && strstr(liar.heads[0], "if-none-match: *\r\n") != NULL);
    cloud_close(&c);

    c = opened(); /* a new place: nothing is known of it */
    const struct liar_reply old[] = { { GONE }, { PUT_OK }, { PUT_OK } };
    const struct liar_reply plain[] = { { GONE }, { PUT_OK } };
    liar_script(&liar, old, 3);
    OK(run(c, PUT_NEW, &forever, &err));
    liar_script(&liar, plain, 2);
    OK(run(c, PUT_NEW, &forever, &err)); /* looked at first, then written plainly */
    CHECK(liar_requests(&liar) == 2 && strstr(liar.heads[1], "if-none-match") == NULL);
    cloud_close(&c);

    c = opened(); /* ETags are no MD5s here: from the second put on the size is asked for */
    const struct liar_reply kms[] = {
        { http("200 OK", "ETag: \"00000000000000000000000000000000\"\r\n", "") }, { held("0123456789") }
    };
    const struct liar_reply sized[] = { { http("200 OK", "", "") }, { CUT("0-0/10", "0") } };
    const struct liar_reply lost[] = { { http("200 OK", "", "") }, { CUT("0-0/9", "0") } };
    liar_script(&liar, kms, 2);
    OK(run(c, PUT, &forever, &err));
    liar_script(&liar, sized, 2);
    OK(run(c, PUT, &forever, &err));
    CHECK(liar_requests(&liar) == 2 && strstr(liar.heads[1], "range: bytes=0-0\r\n") != NULL);
    liar_script(&liar, lost, 2);
    struct qc_err why = { 0 };
    CHECK(run(c, PUT, &forever, &why) != QC_OK);
    cloud_close(&c);

    c = opened(); /* where ETags are MD5s, a small object is summed when it is read */
    const struct liar_reply put[] = { { PUT_OK } };
    const struct liar_reply rot[] = { { http("206 P",
                                             "Content-Range: bytes 0-9/10\r\n"
                                             "ETag: \"781e5e245d69b566979b86e28d23f2c7\"\r\n",
                                             "0123456799") },
                                      { http("206 P",
                                             "Content-Range: bytes 0-9/10\r\n"
                                             "ETag: \"781e5e245d69b566979b86e28d23f2c7\"\r\n",
                                             "0123456789") } };
    liar_script(&liar, put, 1);
    OK(run(c, PUT, &forever, &err));
    liar_script(&liar, rot, 2);
    OK(run(c, GET, &forever, &err)); /* the second try has the right bytes */
    CHECK(liar_requests(&liar) == 2);
    cloud_close(&c);
    texts_free();
}

/* A refusal that comes while the body still goes out may be lost with the connection. The second try asks
 * first. */
static void early_refusal(void)
{
    enum { SIZE = 32 * 1024 * 1024 };
    const struct liar_reply replies[] = { { error("403 No", "", "QuotaExceeded"), LIAR_EARLY } };
    uint8_t *bytes = calloc(1, SIZE);
    CHECK(bytes != NULL);
    const qc_span part = qc_span_of(bytes, SIZE);
    struct cloud *c = opened();
    liar_script(&liar, replies, 1);
    FAILS(QC_FULL, cloud_put(c, "k/x", &part, 1, CLOUD_REPLACE, &forever, &err));
    CHECK(liar_requests(&liar) <= 2);
    free(bytes);
    cloud_close(&c);
    texts_free();
}

/* --- Clocks --- */

/* Seconds that a request's x-amz-date is ahead of now. */
static int64_t dated(const char *head)
{
    struct qc_err err = { 0 };
    const char *d = liar_value(head, "x-amz-date");
    int64_t t = 0;
    char iso[32];
    CHECK(d != NULL);
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 9, d + 11, d + 13);
    CHECK_OK(qc_time_parse(qc_span_str(iso), &t, &err));
    return t - qc_wall_s();
}

/* The liar's dates were written at `since`, and its answers fall behind by what has passed from then on. */
static bool near(int64_t got, int64_t want, int64_t since)
{
    return got >= want - (qc_wall_s() - since) - 1 && got <= want + 1;
}

static void clocks(void)
{
    const int64_t since = qc_wall_s();
    struct cloud *c = opened();
    const struct liar_reply once[] = { { error("403 No", date(7200), "RequestTimeTooSkewed") }, { TEN_OK } };
    const struct liar_reply always[] = { { error("403 No", date(7200), "RequestTimeTooSkewed") } };
    const struct liar_reply far[] = { { error("403 No", date(200000), "RequestTimeTooSkewed") } };
    const struct liar_reply untold[] = { { error("403 No", "", "RequestTimeTooSkewed") } };
    const struct liar_reply ten[] = { { TEN_OK } };
    struct qc_err why = { 0 };
    liar_script(&liar, once, 2);
    OK(run(c, GET, &forever, &err));
    CHECK(liar_requests(&liar) == 2 && near(dated(liar.heads[0]), 0, since) &&
          near(dated(liar.heads[1]), 7200, since));
    liar_script(&liar, ten, 1);
    OK(run(c, GET, &forever, &err)); /* it is remembered */
    CHECK(near(dated(liar.heads[0]), 7200, since));
    liar_script(&liar, always, 1);
    CHECK(run(c, GET, &forever, &why) == QC_AUTH &&
          strstr(why.msg, "clocks of this machine and of the cloud") != NULL);
    CHECK(liar_requests(&liar) == 2); /* corrected once; then it is permanent */
    liar_script(&liar, far, 1);
    why = (struct qc_err){ 0 };
    CHECK(run(c, GET, &forever, &why) == QC_AUTH);
    const char *told = strstr(why.msg, " by ");
    CHECK(told != NULL && near(strtoll(told + 4, NULL, 10), 200000, since));
    CHECK(liar_requests(&liar) == 1); /* two days: not believed */
    liar_script(&liar, untold, 1);
    FAILS(QC_AUTH, run(c, GET, &forever, &err));
    CHECK(liar_requests(&liar) == 1);
    cloud_close(&c);
    texts_free();
}

/* --- Silence and slowness: deadline and cancel flag end a call --- */

static void *cancel_soon(void *arg)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    qc_cancel_set(arg);
    return NULL;
}

static void stops(void)
{
    const struct liar_reply replies[][1] = {
        { { "", LIAR_STALL } },
        { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n01234",
            LIAR_STALL } },
        { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n0123456789",
            LIAR_DRIP } },
        { { "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n", LIAR_KEEP } },
    };
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct cloud *c = opened();
        struct qc_cancel cancel = { false };
        const struct cloud_op late = { .deadline = qc_deadline_in(400) };
        const struct cloud_op cancelled = { .cancel = &cancel };
        pthread_t thread;
        struct qc_err why = { 0 };
        liar_script(&liar, replies[i], 1);
        uint64_t from = qc_now_ms();
        qc_rc rc = run(c, GET, &late, &why);
        /* A pause that would not end in time is not begun: then the cloud's own words are told, at once. */
        CHECK(i == 3 ? rc == QC_TEMP : rc == QC_TIMEOUT);
        CHECK(qc_now_ms() - from < 15000); /* CLOUD_S3_STALL_S */
        CHECK(pthread_create(&thread, NULL, cancel_soon, &cancel) == 0);
        from = qc_now_ms();
        FAILS(QC_CANCELLED, run(c, i == 1 ? PUT : GET, &cancelled, &err));
        CHECK(qc_now_ms() - from < 15000); /* CLOUD_S3_STALL_S */
        CHECK(pthread_join(thread, NULL) == 0);
        cloud_close(&c);
    }
}

/* A dead host: nobody listens any more. */
static void dead(void)
{
    static struct liar shot;
    struct cloud *c = NULL;
    struct qc_err why = { 0 };
    const struct liar_reply ok[] = { { LIST_OK, LIAR_CLOSE } };
    const struct cloud_opts opts = { .name = "dead", .credentials = credentials };
    liar_start(&shot);
    liar_script(&shot, ok, 1);
    const char *there = say("s3+http://127.0.0.1:%u/bucket", shot.port);
    OK(cloud_open_opts(&c, there, &opts, &err));
    liar_stop(&shot);
    CHECK(run(c, GET, &forever, &why) == QC_TEMP &&
          strstr(why.msg, "cloud dead: get k/x: cannot be reached") == why.msg);
    FAILS(QC_TEMP, run(c, PUT, &forever, &err));
    cloud_close(&c);
    FAILS(QC_TEMP, cloud_open_opts(&c, there, &opts, &err));
    FAILS(QC_TEMP, cloud_create_opts(there, &opts, &err));
    texts_free();
}

/* --- What leaves this machine --- */

static void sent(void)
{
    struct cloud *c = opened();
    const struct liar_reply replies[] = { { PUT_OK } };
    liar_script(&liar, replies, 1);
    OK(run(c, PUT, &forever, &err));
    const char *head = liar.heads[0];
    CHECK(strncmp(head, "PUT /bucket/k/x HTTP/1.1\r\n", 26) == 0);
    CHECK(strstr(head, "content-md5: eB5eJF1ptWaXm4bijSPyxw==\r\n") != NULL);
    CHECK(strstr(head, "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n") != NULL);
    CHECK(
        strstr(
            head,
            "/somewhere/s3/aws4_request, SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date, ") !=
        NULL);
    CHECK(liar_value(head, "expect") == NULL && liar_value(head, "transfer-encoding") == NULL);
    for (unsigned i = 0; i < liar_requests(&liar); i++)
        CHECK(strstr(liar.heads[i], SECRET) == NULL);
    cloud_close(&c);
    texts_free();
}

/* --- Making and opening --- */

static void making(void)
{
    const struct liar_reply forged_ok[] = { { LIST_OK } };
    const struct liar_reply foreign[] = { { list(ITEM("letter.txt")) },
                                          { error("403 No", "", "SignatureDoesNotMatch") },
                                          { GONE } };
    const struct liar_reply ours[] = { { list(ITEM("i/cloud")) },
                                       { error("403 No", "", "SignatureDoesNotMatch") },
                                       { CUT("0-0/10", "0") } };
    const struct liar_reply dots[] = { { list(ITEM(".trash/x")) },
                                       { error("403 No", "", "SignatureDoesNotMatch") } };
    struct qc_err why = { 0 };
    liar_script(&liar, forged_ok, 1);
    CHECK(run(NULL, OPEN, &forever, &why) == QC_AUTH && strstr(why.msg, "anybody can write there") != NULL);
    liar_script(&liar, foreign, 3);
    why = (struct qc_err){ 0 };
    CHECK(run(NULL, OPEN, &forever, &why) == QC_CONFLICT && strstr(why.msg, "holds other things") != NULL);
    liar_script(&liar, ours, 3);
    OK(run(NULL, OPEN, &forever, &err));
    liar_script(&liar, dots, 2);
    OK(run(NULL, OPEN, &forever, &err));

    struct cloud *c = NULL;
    struct cloud *two = NULL;
    struct cloud_opts opts = { .name = "one", .credentials = credentials, .exclusive = true };
    liar_script(&liar, forged_ok, 1);
    OK(cloud_open_opts(&c, url(), &opts, &err));
    FAILS(QC_LOCKED, cloud_open_opts(&two, url(), &opts, &err)); /* also by another name */
    opts.exclusive = false;
    OK(cloud_open_opts(&two, url(), &opts, &err));
    CHECK(liar_requests(&liar) == 1); /* a place that just answered is not asked again */
    cloud_close(&two);
    cloud_close(&c);
    opts.exclusive = true;
    OK(cloud_open_opts(&c, url(), &opts, &err));
    cloud_close(&c);
    opts.credentials = NULL;
    FAILS(QC_USAGE, cloud_open_opts(&c, url(), &opts, &err));
    texts_free();
}

/* --- Many threads, one handle --- */

enum { THREADS = 8, ROUNDS = 30 };

static void *worker(void *arg)
{
    struct cloud *c = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        OK(run(c, PUT, &forever, &err));
        struct cloud *own = NULL;
        const struct cloud_opts opts = { .name = "own", .credentials = credentials };
        if (i % 10 == 0) {
            OK(cloud_open_opts(&own, cloud_name(c), &opts, &err));
            cloud_close(&own);
        }
    }
    return NULL;
}

static void threads(void)
{
    const struct cloud_opts opts = { .credentials = credentials };
    struct liar_reply replies[REPLIES] = { { PUT_OK } };
    struct cloud *c = NULL;
    pthread_t thread[THREADS];
    const struct liar_reply ok[] = { { LIST_OK } };
    liar_script(&liar, ok, 1);
    OK(cloud_open_opts(&c, url(), &opts, &err));
    liar_script(&liar, replies, 1);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, worker, c) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(liar_requests(&liar) >= THREADS * ROUNDS);
    cloud_close(&c);
    texts_free();
}

int main(void)
{
    rig_start();
    writes();
    writes_of_new();
    learnt();
    early_refusal();
    clocks();
    stops();
    dead();
    sent();
    making();
    threads();
    rig_stop();
    return 0;
}
