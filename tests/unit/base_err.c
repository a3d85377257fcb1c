/* unit/base_err: the table, texts that are cut at the tail, assertions. */
#include "base/err.h"

#include "qc_check.h"

static qc_rc inner(struct qc_err *err)
{
    return QC_FAIL(err, QC_INTEGRITY, "digest differs");
}

static qc_rc outer(struct qc_err *err)
{
    QC_TRY_AS(inner(err), err, "put %s: segment %d", "scan.vcf", 3);
    return QC_OK;
}

static qc_rc system_call(struct qc_err *err)
{
    errno = ENOSPC;
    return QC_FAIL_OS(err, "write");
}

static void check_table(void)
{
    for (unsigned i = 0; i < QC_RC_COUNT; i++) {
        qc_rc rc = (qc_rc)i, back = QC_OK;

        CHECK(qc_rc_from_name(qc_rc_name(rc), &back) && back == rc);
        CHECK(qc_rc_text(rc)[0] != '\0');
        CHECK((qc_rc_exit(rc) == 0) == (rc == QC_OK));
        CHECK(qc_rc_http(rc) >= 200 && qc_rc_http(rc) < 600);
        CHECK(qc_rc_worse(rc, QC_OK) == rc && qc_rc_worse(QC_OK, rc) == rc);
        CHECK(qc_rc_worse(rc, rc) == rc);
    }
    qc_rc untouched = QC_FULL;
    CHECK(!qc_rc_from_name("no-such-code", &untouched) && untouched == QC_FULL);
    CHECK(qc_rc_exit(QC_QUORUM) == 6 && qc_rc_http(QC_QUORUM) == 503 && qc_rc_retry(QC_QUORUM));
    CHECK(!qc_rc_retry(QC_INTEGRITY));
    CHECK_DIES((void)qc_rc_exit((qc_rc)QC_RC_COUNT));
}

static void check_worse(void)
{
    static const qc_rc worst_first[] = { QC_INTEGRITY, QC_SHARES,   QC_QUORUM, QC_AUTH,
                                         QC_FULL,      QC_RANDOM,   QC_LOCKED, QC_TEMP,
                                         QC_NOTFOUND,  QC_DEGRADED, QC_OK };
    size_t n = sizeof worst_first / sizeof *worst_first;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            CHECK(qc_rc_worse(worst_first[i], worst_first[j]) == worst_first[i]);
            CHECK(qc_rc_worse(worst_first[j], worst_first[i]) == worst_first[i]);
        }
    }
    CHECK(qc_rc_worse(QC_FORMAT, QC_INTEGRITY) == QC_FORMAT); /* equals: the first */
}

static void check_texts(void)
{
    struct qc_err err = { 0 };
    char longest[2 * QC_ERR_MSG_MAX];

    CHECK(outer(&err) == QC_INTEGRITY);
    CHECK(strcmp(err.msg, "put scan.vcf: segment 3: digest differs") == 0);
    CHECK(strstr(err.where, "base_err.c:") == err.where);
    CHECK(system_call(&err) == QC_FULL && err.os == ENOSPC);
    CHECK(strcmp(err.msg, "write: No space left on device") == 0);

    /* The outermost context survives. */
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    qc_err_set(&err, QC_IO, "here", "%s", longest);
    CHECK(strlen(err.msg) == QC_ERR_MSG_MAX - 1);
    qc_err_wrap(&err, "put");
    CHECK(strncmp(err.msg, "put: xxx", 8) == 0 && strlen(err.msg) == QC_ERR_MSG_MAX - 1);
    for (int i = 0; i < 3; i++) { /* a context that fills the text, and one that leaves a byte of room */
        qc_err_set(&err, QC_IO, "here", "cause");
        qc_err_wrap(&err, "%.*s", QC_ERR_MSG_MAX - 1 - i, longest);
        CHECK(strlen(err.msg) == QC_ERR_MSG_MAX - 1);
        CHECK(strncmp(err.msg, longest, (size_t)(QC_ERR_MSG_MAX - 1 - i)) == 0);
    }
    qc_err_clear(&err);
    CHECK(err.rc == QC_OK && err.msg[0] == '\0');
}

int main(void)
{
    check_table();
    check_worse();
    check_texts();
    CHECK(qc_rc_from_errno(EACCES) == QC_AUTH && qc_rc_from_errno(ENOENT) == QC_NOTFOUND);
    CHECK(qc_rc_from_errno(ENOMEM) == QC_NOMEM && qc_rc_from_errno(EIO) == QC_IO &&
          qc_rc_from_errno(0) == QC_IO);
    CHECK_DIES(QC_ASSERT(1 + 1 == 3));
    return 0;
}
