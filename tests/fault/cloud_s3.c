/* fault/cloud_s3: the S3 driver when memory runs out, at each allocation of each call, once and from then on:
 * an error that says so, nothing leaked, and the next call is good. The server is written by hand
 * (qc_liar.h). */
#include "s3_liar.h"

/* What the liar says to each call when all goes well. */
struct way {
    enum op op;
    struct liar_reply replies[4];
};

static size_t replies_of(const struct way *w)
{
    size_t n = 0;
    while (n < 4 && w->replies[n].text != NULL)
        n++;
    return n;
}

/* A call on a new handle, all allocations of both counted, the n-th failing. */
static qc_rc whole_call(const struct way *w, struct qc_err *err)
{
    const struct cloud_opts opts = { .name = "liar", .credentials = credentials };
    struct cloud *c = NULL;
    qc_rc rc = cloud_open_opts(&c, url(), &opts, err);
    if (rc == QC_OK)
        rc = run(c, w->op, &forever, err);
    cloud_close(&c);
    return rc;
}

static unsigned each(const struct way *w, void (*fail)(uint64_t n))
{
    for (uint64_t n = 1; n < 200; n++) {
        struct qc_err err = { 0 };
        struct cloud *held =
            opened(); /* keeps the place: then it stays proved, and the script is the call's alone */
        const int64_t live = qc_alloc_live();
        liar_script(&liar, w->replies, replies_of(w));
        fail(n);
        const qc_rc rc = whole_call(w, &err);
        qc_fault_alloc(0);
        CHECK(qc_alloc_live() <= live + 1); /* a connection may have been kept */
        cloud_close(&held);
        texts_free();
        if (rc == QC_OK)
            return (unsigned)n;
        if (rc != QC_NOMEM)
            fprintf(stderr, "op %d, allocation %llu: %s: %s\n", (int)w->op, (unsigned long long)n,
                    qc_rc_name(rc), err.msg);
        CHECK(rc == QC_NOMEM);
    }
    const bool always_fails = true;
    CHECK(!always_fails);
    return 0;
}

int main(void)
{
    rig_start();
    const char *const ten =
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n0123456789";
    const char *const one = "HTTP/1.1 206 P\r\nContent-Range: bytes 0-0/10\r\nContent-Length: 1\r\n\r\n0";
    const char *const put = "HTTP/1.1 200 OK\r\nETag: \"@MD5@\"\r\nContent-Length: 0\r\n\r\n";
    const char *const gone =
        "HTTP/1.1 404 No\r\nContent-Length: 40\r\n\r\n<Error><Code>NoSuchKey</Code></Error>    ";
    const char *const taken = "HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n";
    const char *const keys =
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult><Contents><Key>k/a</Key>"
        "<Size>5</Size></Contents></ListBucketResult>";
    const struct way ways[] = {
        { GET, { { ten } } },
        { HEAD, { { one } } },
        { PUT, { { put } } },
        { PUT_NEW, { { gone }, { put }, { taken } } },
        { LIST, { { keys, LIAR_CLOSE } } },
        { ALIVE, { { keys, LIAR_CLOSE } } },
        { DELETE, { { "HTTP/1.1 204 No\r\n\r\n" } } },
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const unsigned n = each(&ways[i], qc_fault_alloc);
        CHECK(n > 3 && each(&ways[i], qc_fault_alloc_from) == n);
    }
    rig_stop();
    return 0;
}
