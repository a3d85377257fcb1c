#include "profile.h"

#include "text.h"

enum { QUESTIONS = 9 };

struct profile {
    const char *name;
    bool stores;                   /* --profile takes it */
    const char *what;              /* one line */
    int storage, put, get, random; /* bytes for 1,000 of data, as in the example that is named */
    const char *example;
    const char *answers[QUESTIONS];
};

/* In the order in which they are told; the key in --json. */
static const struct {
    const char *key, *text;
} questions[QUESTIONS] = {
    { "one_today", "a thief of one place, today" },
    { "one_2060", "the same thief in 2060" },
    { "two_today", "a thief of two places, today" },
    { "two_2060", "the same thief in 2060" },
    { "may_be_lost", "may be lost" },
    { "storage", "storage" },
    { "traffic", "traffic" },
    { "randomness", "randomness" },
    { "pad", "pad, at otp links" },
};

static const char ec_2060[] =
    "nothing as long as AES-256 holds, which no known quantum computer changes; if it does not, pieces "
    "of the data";
static const char xor23_2060[] =
    "names, sizes, times and one share; with shares from 'stream' (policy required) it says nothing, "
    "whatever computes; with 'aes-256-ctr' as long as AES-256 holds";
static const char xor23_random[] =
    "1 byte for each byte, from the source itself where the policy is required: it sets the pace; else "
    "32 bytes a GiB";
/* A place is a cloud in ec and mirror, a site in xor23 and shamir. 2060 stands for whatever comes: a computer
 * that opens AES and SHA-2. FORMAT 2, 3, 13; THREATS; bench/papers for shamir and mirror, as the core paper
 * compares them. */
static const struct profile profiles[] = {
    { "ec",
      true,
      "the default: sealed once, coded over n clouds; its keys are shared, two shares with you",
      1667,
      1667,
      1000,
      0,
      "k,n = 3,5",
      { "ciphertext in pieces, sizes and times: nothing of the data", ec_2060,
        "the same; with k of n clouds all of the ciphertext",
        "as of one; with k of n clouds and AES open, the data",
        "any n-k clouds, and one of the two share stores, and the gateway", "n/k bytes for each byte",
        "n/k out, 1 back", "some hundred bytes an object",
        "as the traffic, where a link to a cloud is keyed so" } },
    { "xor23",
      true,
      "for what nobody may ever open: shared by XOR among three sites, any two restore it",
      3000,
      3000,
      2000,
      1000,
      "sites with one cloud each",
      { "a sealed share, sizes and times: nothing of the data", xor23_2060,
        "two sealed shares: nothing of the data without a share store of each", "everything",
        "any one site with all that it has; within each site what its own k and n allow",
        "3 bytes for each byte, times n/k of each site, and 0.03 % for tags and keys",
        "3 out, 2 back; a lost site: 2 back and 3 out", xor23_random, "3 out, 2 back" } },
    { "shamir",
      false,
      "for comparison: Shamir's sharing of the data itself, any two of three",
      3000,
      3000,
      2000,
      1000,
      "2 of 3",
      { "one share: nothing of the data", "nothing, whatever computes", "everything", "everything",
        "any one place", "3 bytes for each byte", "3 out, 2 back", "1 byte for each byte",
        "3 out, 2 back" } },
    { "mirror",
      false,
      "for comparison: whole copies, in clear",
      3000,
      3000,
      1000,
      0,
      "3 copies",
      { "everything", "everything", "everything", "everything", "all places but one", "3 bytes for each byte",
        "3 out, 1 back", "none", "3 out, 1 back" } },
};

qc_rc profile_shared(const struct qc_args *args, bool *ret, struct qc_err *err)
{
    const char *name = qc_args_value(args, "profile", "ec");
    *ret = strcmp(name, "xor23") == 0;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return profiles[i].stores ? QC_OK
                                      : QC_FAIL(err, QC_USAGE,
                                                "%s is there for comparison (qcloud profiles); --profile is "
                                                "ec or xor23",
                                                name);
    return QC_FAIL(err, QC_USAGE, "--profile is ec or xor23, not '%.80s'", name);
}

static void tell(struct client *c, const struct profile *p)
{
    out_line(&c->out, "%s%s: %s", p->name, p->stores ? "" : " (not a profile to store with)", p->what);
    for (size_t q = 0; q < QUESTIONS; q++)
        out_line(&c->out, "  %-30s %s", questions[q].text, p->answers[q]);
}

static qc_rc tell_json(struct client *c, const struct profile *p, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "profile", p->name, err));
    QC_TRY(qc_json_set_bool(j, "stores", p->stores, err));
    QC_TRY(qc_json_set_str(j, "what", p->what, err));
    for (size_t q = 0; q < QUESTIONS; q++)
        QC_TRY(qc_json_set_str(j, questions[q].key, p->answers[q], err));
    QC_TRY(qc_json_set_str(j, "example", p->example, err));
    const struct {
        const char *key;
        int v;
    } figures[] = { { "stored_per_mille", p->storage },
                    { "put_per_mille", p->put },
                    { "get_per_mille", p->get },
                    { "random_per_mille", p->random } };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        QC_TRY(qc_json_set_int(j, figures[i].key, figures[i].v, err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_profiles(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    (void)args;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (i > 0)
            out_line(&c->out, "%s", "");
        tell(c, &profiles[i]);
        QC_TRY(tell_json(c, &profiles[i], err));
    }
    return QC_OK;
}
