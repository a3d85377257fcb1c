/* profiles: what each way to keep an object is worth and what it costs, for the vault and the sites that are
 * set up here; for what is not there, as if. */
#include <inttypes.h>
#include <stdio.h>

#include "qrng/bulk.h"
#include "sites.h"
#include "text.h"
#include "vault/geometry.h"
#include "vault/gw.h"

enum {
    ANSWER = 320,
    AS_IF_K = 3, /* of a vault that is not there */
    AS_IF_N = 5,
    OTP_FRAME = 65536, /* FORMAT 14.1: so much of data at most takes 32 bytes of pad more */
    OTP_KEY = 32,
    HEAD = 256, /* of a sealed object, about: header, trailer and what stands around them */
};

#define SIZE_MOST (UINT64_C(1) << 47) /* three of it over 32 clouds each, a hundred times, are below 2^63 */

/* In the order in which they are told; the key in --json. */
enum question {
    ONE_TODAY,
    ONE_2060,
    TWO_TODAY,
    TWO_2060,
    LOST,
    STORAGE,
    TRAFFIC,
    RANDOMNESS,
    PAD,
    QUESTIONS
};
static const struct {
    const char *key, *text;
} questions[QUESTIONS] = {
    [ONE_TODAY] = { "one_today", "a thief of one place, today" },
    [ONE_2060] = { "one_2060", "the same thief in 2060" },
    [TWO_TODAY] = { "two_today", "a thief of two places, today" },
    [TWO_2060] = { "two_2060", "the same thief in 2060" },
    [LOST] = { "may_be_lost", "may be lost" },
    [STORAGE] = { "storage", "storage" },
    [TRAFFIC] = { "traffic", "traffic" },
    [RANDOMNESS] = { "randomness", "randomness" },
    [PAD] = { "pad", "pad, at otp links" },
};

/* The vault of the profile ec, or that of a site. */
struct place {
    char name[8];
    bool known;
    int64_t k, n;
    char why[QC_ERR_MSG_MAX]; /* why it is not known */
};
struct facts {
    struct place vault, site[SS_XOR23_SHARES];
    uint64_t size;              /* bytes of data that the figures are for */
    enum qrng_bulk_maker maker; /* of shares */
};
struct told {
    uint64_t stored, put, get, random; /* bytes */
    char answer[QUESTIONS][ANSWER];
};

/* --- What is set up --- */

static qc_rc ask(struct client *c, struct place *p, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    const struct vault_call call = client_call(c);
    int64_t k = 0, n = 0;
    QC_TRY(conf_load(&c->places, &c->conf, err));
    if (!c->conf.has_vault)
        return QC_FAIL(err, QC_NOTCONF, "no vault");
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(gw->ops->status(gw, &text, &call.op, err));
    QC_TRY(qc_json_parse(&said, qc_buf_span(&text), err));
    QC_TRY(qc_json_int(said, "k", 1, VAULT_CLOUDS_MAX, &k, err));
    QC_TRY(qc_json_int(said, "n", k, VAULT_CLOUDS_MAX, &n, err));
    p->k = k;
    p->n = n;
    p->known = true;
    return QC_OK;
}

/* What does not answer is told as if, with the reason. */
static qc_rc look(struct client *c, struct place *p, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = ask(c, p, &why);
    if (rc == QC_CANCELLED || rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        snprintf(p->why, sizeof p->why, "%s", rc == QC_NOTCONF ? "not set up" : why.msg);
    return QC_OK;
}

static qc_rc look_all(struct client *c, struct facts *f, struct qc_err *err)
{
    QC_TRY(client_random_conf(c, err));
    f->maker = qrng_bulk_by(c->random.policy[QRNG_PROFILE_XOR23]);
    f->vault = (struct place){ .name = "vault", .k = AS_IF_K, .n = AS_IF_N };
    QC_TRY(look(c, &f->vault, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        QC_CLEANUP(site_free) struct client *site = NULL;
        f->site[i] = (struct place){ .name = { site_letter(i) }, .k = 1, .n = 1 };
        QC_TRY(site_new(c, i, &site, err));
        QC_TRY(look(site, &f->site[i], err));
    }
    return QC_OK;
}

/* --- Figures --- */

/* An object of so many bytes, as it leaves the vault. */
static qc_rc sealed(uint64_t size, uint64_t *ret, struct qc_err *err)
{
    const struct vault_geometry given = { .header_size = HEAD,
                                          .trailer_size = HEAD,
                                          .chunk_log2 = VAULT_CHUNK_LOG2,
                                          .group_log2 = VAULT_GROUP_LOG2,
                                          .L = size };
    struct vault_geometry g;
    QC_TRY(vault_geometry_init(&g, &given, err));
    *ret = g.size;
    return QC_OK;
}

static uint64_t coded(uint64_t bytes, const struct place *p)
{
    const uint64_t k = (uint64_t)p->k, n = (uint64_t)p->n;
    return (bytes + k - 1) / k * n;
}

static uint64_t pad_of(uint64_t bytes)
{
    return bytes + (bytes + OTP_FRAME - 1) / OTP_FRAME * OTP_KEY;
}

static qc_rc costs(const struct facts *f, bool sites, enum vault_scheme s, struct told *t, struct qc_err *err)
{
    uint64_t one = 0;
    QC_TRY(sealed(sites ? vault_xor23_file_size(f->size) : f->size, &one, err));
    if (!sites) {
        t->stored = t->put = coded(one, &f->vault);
        t->get = one;
        return QC_OK;
    }
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        t->stored += coded(one, &f->site[i]);
    t->put = SS_XOR23_SHARES * one;
    t->get = 2 * one; /* of mirrors, too: two confirm each other */
    t->random = vault_xor23_random(s, f->size);
    return QC_OK;
}

/* --- Words --- */

#define SAY(t, q, ...) snprintf((t)->answer[q], ANSWER, __VA_ARGS__)

/* What so many of k data fragments are of the whole: they stand in them as they are. */
static void part(int64_t have, int64_t k, char out[32])
{
    if (have >= k)
        snprintf(out, 32, "all");
    else
        snprintf(out, 32, "%" PRId64 "/%" PRId64, have, k);
}

static void say_ec(const struct facts *f, struct told *t)
{
    const struct place *v = &f->vault;
    char one[32], two[32];
    part(1, v->k, one);
    part(2, v->k, two);
    SAY(t, ONE_TODAY, "ciphertext, %s of it, sizes and times: nothing of the data", one);
    SAY(t, ONE_2060,
        "nothing as long as AES-256 holds, which no known quantum computer changes; if it does not, %s of "
        "the "
        "data",
        one);
    SAY(t, TWO_TODAY, "ciphertext, %s of it: nothing of the data", two);
    SAY(t, TWO_2060, "nothing as long as AES-256 holds; if it does not, %s of the data", two);
    SAY(t, LOST, "any %" PRId64 " of %" PRId64 " clouds, and one of the two share stores, and the gateway",
        v->n - v->k, v->n);
    SAY(t, RANDOMNESS, "some hundred bytes an object, whatever its size");
}

static void say_one_share(const struct facts *f, struct told *t)
{
    SAY(t, ONE_TODAY, "a sealed share, sizes and times: nothing of the data");
    if (f->maker == QRNG_BULK_STREAM)
        SAY(t, ONE_2060, "names, sizes, times and one share, which says nothing, whatever computes");
    else
        SAY(t, ONE_2060,
            "names, sizes, times and one share, which says nothing as long as AES-256 holds: it makes the "
            "shares here; with xor23 = required in random.conf nothing, whatever computes");
    SAY(t, TWO_TODAY, "two sealed shares: nothing of the data without a share store of each");
    SAY(t, TWO_2060, "everything, if AES-256 does not hold");
}

static void say_one_copy(struct told *t)
{
    SAY(t, ONE_TODAY,
        "a sealed copy, sizes and times: nothing of the data without a share store of that site");
    SAY(t, ONE_2060, "everything, if AES-256 does not hold");
    SAY(t, TWO_TODAY, "the same as of one");
    SAY(t, TWO_2060, "the same as of one");
}

static void say_sites(const struct facts *f, enum vault_scheme s, struct told *t)
{
    char random[TEXT_SIZE];
    text_size(t->random, random);
    if (s == VAULT_MIRROR)
        say_one_copy(t);
    else
        say_one_share(f, t);
    SAY(t, LOST,
        "any %s; within sites A, B, C any %" PRId64 ", %" PRId64 ", %" PRId64 " clouds and one share store",
        s == VAULT_MIRROR ? "two sites with all that they have" : "one site with all that it has",
        f->site[0].n - f->site[0].k, f->site[1].n - f->site[1].k, f->site[2].n - f->site[2].k);
    SAY(t, RANDOMNESS, "%s%s%s", random, s == VAULT_MIRROR ? ", for the keys of tags" : "",
        f->maker == QRNG_BULK_STREAM ? ", from the source itself, which sets the pace"
                                     : ", made by AES-256 from 32 bytes a GiB of the source");
}

static void say_costs(const struct facts *f, bool sites, struct told *t)
{
    char stored[TEXT_SIZE], put[TEXT_SIZE], get[TEXT_SIZE], put_pad[TEXT_SIZE], get_pad[TEXT_SIZE];
    const uint64_t hundredths = (t->stored * 100 + f->size / 2) / f->size;
    text_size(t->stored, stored);
    text_size(t->put, put);
    text_size(t->get, get);
    text_size(pad_of(t->put), put_pad);
    text_size(pad_of(t->get), get_pad);
    SAY(t, STORAGE, "%s: %" PRIu64 ".%02" PRIu64 " bytes for each byte", stored, hundredths / 100,
        hundredths % 100);
    SAY(t, TRAFFIC, "%s out, %s back (%s)", put, get,
        sites ? "between here and the sites" : "between the gateway and the clouds");
    SAY(t, PAD, "%s out, %s back", put_pad, get_pad);
}

/* --- Output --- */

static qc_rc place_json(struct json_t *list, const struct place *p, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "place", p->name, err));
    QC_TRY(qc_json_set_bool(one, "known", p->known, err));
    QC_TRY(qc_json_set_int(one, "k", p->k, err));
    QC_TRY(qc_json_set_int(one, "n", p->n, err));
    if (!p->known)
        QC_TRY(text_json(one, "why", qc_span_str(p->why), err));
    return qc_json_append(list, &one, err);
}

static qc_rc figures_json(struct json_t *j, const struct facts *f, const struct told *t, struct qc_err *err)
{
    const struct {
        const char *key;
        uint64_t v;
    } figures[] = { { "size", f->size },
                    { "stored", t->stored },
                    { "put", t->put },
                    { "get", t->get },
                    { "random", t->random },
                    { "put_pad", pad_of(t->put) },
                    { "get_pad", pad_of(t->get) } };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        QC_TRY(qc_json_set_int(j, figures[i].key, (int64_t)figures[i].v, err));
    return QC_OK;
}

static qc_rc tell_json(struct client *c, const struct facts *f, bool sites, const char *name,
                       const struct told *t, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *places = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "profile", name, err));
    QC_TRY(qc_json_new_arr(&places, err));
    for (unsigned i = 0; i < (sites ? SS_XOR23_SHARES : 1); i++)
        QC_TRY(place_json(places, sites ? &f->site[i] : &f->vault, err));
    QC_TRY(qc_json_set(j, "places", &places, err));
    for (size_t q = 0; q < QUESTIONS; q++)
        QC_TRY(qc_json_set_str(j, questions[q].key, t->answer[q], err));
    QC_TRY(figures_json(j, f, t, err));
    return out_json(&c->out, &j, err);
}

static void tell_place(struct client *c, const struct place *p)
{
    out_line(&c->out, "%s%s: %s%sany %" PRId64 " of %" PRId64 " clouds", p->name[1] == '\0' ? "site " : "",
             p->name, p->why, p->known ? "" : "; as if ", p->k, p->n);
}

static const char *what(bool sites, enum vault_scheme s)
{
    static const char *const of[VAULT_SCHEMES] = {
        [VAULT_XOR23] = "for what nobody may ever open: shared by XOR among three sites, any two restore it",
        [VAULT_SHAMIR] = "for comparison: Shamir's sharing of the data itself, any two of three sites",
        [VAULT_MIRROR] = "for comparison: a whole copy at each of three sites, any one is enough",
    };
    return sites ? of[s]
                 : "the default: sealed once, coded over the clouds; its keys are shared, two shares "
                   "with you";
}

static qc_rc tell(struct client *c, const struct facts *f, bool sites, enum vault_scheme s,
                  struct qc_err *err)
{
    struct told t = { .stored = 0 };
    const char *name = sites ? vault_scheme_text(s) : "ec";
    QC_TRY(costs(f, sites, s, &t, err));
    if (sites)
        say_sites(f, s, &t);
    else
        say_ec(f, &t);
    say_costs(f, sites, &t);
    out_line(&c->out, "%s", "");
    out_line(&c->out, "%s: %s", name, what(sites, s));
    for (size_t q = 0; q < QUESTIONS; q++)
        out_line(&c->out, "  %-30s %s", questions[q].text, t.answer[q]);
    return tell_json(c, f, sites, name, &t, err);
}

qc_rc cmd_profiles(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct facts f = { .size = UINT64_C(1) << 30 };
    char size[TEXT_SIZE];
    if (qc_args_value(args, "site", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--site is one of the three sites, and '%s' is about all of them",
                       args->cmd->name);
    QC_TRY(qc_args_u64(args, "size", true, 1, SIZE_MOST, &f.size, err));
    QC_TRY(look_all(c, &f, err));
    text_size(f.size, size);
    out_line(&c->out, "for a file of %s; a place is a cloud in ec, a site in the others", size);
    tell_place(c, &f.vault);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        tell_place(c, &f.site[i]);
    QC_TRY(tell(c, &f, false, VAULT_XOR23, err));
    for (unsigned s = 0; s < VAULT_SCHEMES; s++)
        QC_TRY(tell(c, &f, true, s, err));
    return QC_OK;
}
