/* fault/base_alloc: every allocation of buffers, keys, JSON, codecs, pools, queues fails in turn, once and
 * for good; nothing leaks, outputs stay as they were. */
#include "base/alloc.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/workq.h"

#include "qc_check.h"

enum { MANY = 1000 };

static qc_rc join(qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf t = { .max = ret->max };

    for (int i = 0; i < 100; i++)
        QC_TRY(qc_buf_addf(&t, err, "%d ", i));
    QC_TRY(qc_b64_enc(QC_LIT("some bytes"), &t, err));
    qc_buf_free(ret);
    *ret = QC_STEAL(t);
    return QC_OK;
}

static qc_rc buffers(struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = 4096 };
    qc_rc rc = join(&out, err);

    CHECK((rc == QC_OK) == (out.n > 0));
    return rc;
}

static qc_rc keys(struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *a = NULL, *b = NULL, *c = NULL;
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    uint8_t raw[32] = { 1 };

    qc_rc rc = qc_key_from(&a, raw, sizeof raw, err);
    CHECK(raw[0] == 0); /* wiped, also on failure */
    QC_TRY(rc);
    QC_TRY(qc_key_dup(&b, a, err));
    QC_TRY(qc_prk_new(&prk, QC_LIT("salt"), qc_key_open(a), err));
    QC_TRY(qc_prk_expand_key(&c, prk, QC_LIT("info"), 48, err));
    CHECK(a != NULL && b != NULL && c != NULL);
    return QC_OK;
}

static qc_rc json(struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL, *child = NULL, *back = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 4096 };

    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_new_arr(&child, err));
    QC_TRY(qc_json_append_str(child, "x", err));
    QC_TRY(qc_json_set_b64(j, "bytes", QC_LIT("\1\2"), err));
    QC_TRY(qc_json_set_u64(j, "number", 7, err));
    QC_TRY(qc_json_set_str(j, "text", "t", err));
    QC_TRY(qc_json_set(j, "array", &child, err));
    QC_TRY(qc_json_dump(j, &text, err));
    QC_TRY(qc_json_parse(&back, qc_buf_span(&text), err));
    CHECK(qc_json_has(back, "array") && qc_json_has(back, "number"));
    return QC_OK;
}

static void nothing(void *arg)
{
    (void)arg;
}

static qc_rc queues(struct qc_err *err)
{
    QC_CLEANUP(qc_pool_free) struct qc_pool *pool = NULL;
    QC_CLEANUP(qc_workq_free) struct qc_workq *q = NULL;
    uint8_t *p = NULL;

    QC_TRY(qc_pool_new(&pool, 2, 4096, 64, err));
    QC_TRY(qc_pool_take(pool, QC_NO_DEADLINE, &p, err));
    qc_pool_give(pool, &p);
    QC_TRY(qc_workq_new(&q, 1, 4, err));
    return qc_workq_submit(q, nothing, NULL, QC_NO_DEADLINE, err);
}

static qc_rc ciphers(struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *a = NULL;
    QC_CLEANUP(qc_sha256_free) struct qc_sha256_ctx *h = NULL;

    QC_TRY(qc_aead_new(&a, err));
    return qc_sha256_new(&h, err);
}

static qc_rc files(struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1 };

    QC_TRY(qc_dir_open(&dir, "/proc/self", err));
    qc_rc rc = qc_file_read(qc_fd_get(&dir), "status", 65536, &b, err);
    CHECK((rc == QC_OK) == (b.p != NULL));
    return rc;
}

static void every(const char *name, qc_rc (*run)(struct qc_err *), bool for_good)
{
    for (uint64_t n = 1;; n++) {
        struct qc_err err = { 0 };

        CHECK(n < MANY);
        if (for_good)
            qc_fault_alloc_from(n);
        else
            qc_fault_alloc(n);
        qc_rc rc = run(&err);
        qc_fault_alloc(0);
        CHECK(qc_alloc_live() == 0);
        if (rc == QC_OK) {
            printf("%s: %d allocations failed\n", name, (int)n - 1);
            CHECK(n > 1); /* a loop that met no fault proves nothing */
            return;
        }
        CHECK(rc == QC_NOMEM && err.rc == QC_NOMEM);
    }
}

int main(void)
{
    for (int for_good = 0; for_good < 2; for_good++) {
        every("buffers", buffers, for_good);
        every("keys", keys, for_good);
        every("json", json, for_good);
        every("queues", queues, for_good);
        every("ciphers", ciphers, for_good);
        every("files", files, for_good);
    }
    return 0;
}
