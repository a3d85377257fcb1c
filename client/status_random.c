/* What status says of the sources of randomness: which are shut off, and what that means for the next put. A
 * source is not touched for it: what is told is the record of alarms (docs/adr/0027). */
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "status.h"
#include "text.h"

bool status_source_shut(const struct status *s, size_t i, char ret[STATUS_SHUT])
{
    const struct qrng_conf *conf = &s->c->random;
    struct qc_err why = { 0 };
    char when[QC_TIME_TEXT];
    int64_t since = 0;
    const qc_rc rc = qrng_source_shut(conf, conf->source[i].name, &since, &why);
    qc_time_text(since, when);
    (void)snprintf(ret, STATUS_SHUT, "%s%s", rc == QC_OK ? "since " : "", rc == QC_OK ? when : why.msg);
    return rc != QC_OK || since != 0;
}

static bool policy_is(const struct status *s, enum qrng_policy p)
{
    const struct qrng_conf *conf = &s->c->random;
    for (size_t i = 0; i < QRNG_PROFILE_COUNT; i++)
        if (conf->policy[i] == p)
            return true;
    return false;
}

qc_rc status_random_tell(const struct status *s, struct qc_err *err)
{
    const struct qrng_conf *conf = &s->c->random;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    char shut[STATUS_SHUT];
    if (conf->count == 0)
        return QC_OK;
    for (size_t i = 0; i < conf->count; i++) {
        const bool is = status_source_shut(s, i, shut);
        QC_TRY(qc_buf_addf(&text, err, "%s%s%s%s%s", i > 0 ? ", " : "", conf->source[i].name,
                           is ? " (shut off " : "", is ? shut : "", is ? ")" : ""));
    }
    out_row(&s->c->out, 9, "random: policy %s (objects), %s (xor23); %.*s",
            qrng_policy_text(conf->policy[QRNG_PROFILE_EC]),
            qrng_policy_text(conf->policy[QRNG_PROFILE_XOR23]), (int)text.n, (const char *)text.p);
    return QC_OK;
}

static qc_rc source_json(const struct status *s, size_t i, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct qrng_source_conf *source = &s->c->random.source[i];
    char shut[STATUS_SHUT];
    const bool is = status_source_shut(s, i, shut);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "source", source->name, err));
    QC_TRY(qc_json_set_str(j, "kind", qrng_kind_text(source->kind), err));
    QC_TRY(qc_json_set_bool(j, "shut_off", is, err));
    if (is)
        QC_TRY(text_json(j, "why", qc_span_str(shut), err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc status_random_json(const struct status *s, struct json_t *into, struct qc_err *err)
{
    const struct qrng_conf *conf = &s->c->random;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *sources = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_new_arr(&sources, err));
    for (size_t i = 0; i < conf->count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(source_json(s, i, &one, err));
        QC_TRY(qc_json_append(sources, &one, err));
    }
    QC_TRY(qc_json_set_str(j, "policy_ec", qrng_policy_text(conf->policy[QRNG_PROFILE_EC]), err));
    QC_TRY(qc_json_set_str(j, "policy_xor23", qrng_policy_text(conf->policy[QRNG_PROFILE_XOR23]), err));
    QC_TRY(qc_json_set(j, "sources", &sources, err));
    return qc_json_set(into, "random", &j, err);
}

/* Where a source is required and none is left, no put is made; else the next ones go on, with another source
 * or with exit 4. By the policy os nobody asks a source. */
qc_rc status_random_judge(struct status *s, struct qc_err *err)
{
    const struct qrng_conf *conf = &s->c->random;
    char shut[STATUS_SHUT],
        advice[sizeof "`qcloud rng enable ` tests it, and uses it again if it passes." + QC_QRNG_NAME_MAX];
    size_t left = 0;
    if (!policy_is(s, QRNG_POLICY_REQUIRED) && !policy_is(s, QRNG_POLICY_PREFERRED))
        return QC_OK;
    for (size_t i = 0; i < conf->count; i++)
        left += !status_source_shut(s, i, shut);
    const bool stops = left == 0 && policy_is(s, QRNG_POLICY_REQUIRED);
    for (size_t i = 0; i < conf->count; i++) {
        const char *name = conf->source[i].name;
        if (!status_source_shut(s, i, shut))
            continue;
        (void)snprintf(advice, sizeof advice,
                       "`qcloud rng enable %s` tests it, and uses it again if it passes.", name);
        QC_TRY(status_reason(s, stops ? "act" : "look", advice, err,
                             "the source of randomness %s is shut off %s%s", name, shut,
                             stops ? ": nothing is stored, since the policy requires one" : ""));
    }
    return QC_OK;
}
