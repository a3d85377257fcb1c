/* qcloud-sim: plays histories of the gateway's engine, each from a seed, and checks the invariants of
 * oracle.h; says how likely loss is (loss.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hunt.h"
#include "lives.h"
#include "loss.h"
#include "plays.h"

enum {
    HISTORIES = 200,
    HISTORIES_FULL = 10000,
    HISTORIES_PLANTED = 1000, /* in so many each planted bug is found */
};

struct options {
    uint64_t seed, histories, twice, rounds, jobs;
    bool loss, check;
    struct loss_setup setup;
    const char *planted;
};

static const char usage[] =
    "usage: qcloud-sim [--seed S] [--histories N | --full] [--jobs J] [--trace] [--twice N]\n"
    "       qcloud-sim --planted BUG|few|all [--seed S] [--histories N] [--rounds R]\n"
    "       qcloud-sim --loss [--code K,N] [--afr PERCENT] [--mttr DAYS] | --loss-check\n";

static bool number(const char *s, uint64_t most, uint64_t *ret)
{
    char *end;

    *ret = strtoull(s, &end, 10);
    return s[0] >= '0' && s[0] <= '9' && *end == '\0' && *ret <= most;
}

static bool real(const char *s, double least, double most, double *ret)
{
    char *end;

    *ret = strtod(s, &end);
    return end != s && *end == '\0' && *ret >= least && *ret <= most;
}

static bool code(const char *s, struct loss_setup *ret)
{
    char rest;

    return sscanf(s, "%u,%u%c", &ret->k, &ret->n, &rest) == 2 && ret->k >= 1 && ret->k < ret->n &&
           ret->n <= QC_EC_N_MAX;
}

static bool parse_value(const char *name, const char *v, struct options *o)
{
    static const struct {
        const char *name;
        size_t at;
        uint64_t most;
    } numbers[] = {
        { "--seed", offsetof(struct options, seed), UINT64_MAX },
        { "--histories", offsetof(struct options, histories), 10000000 },
        { "--twice", offsetof(struct options, twice), 10000000 },
        { "--rounds", offsetof(struct options, rounds), 99 },
        { "--jobs", offsetof(struct options, jobs), SIM_JOBS_MAX }, /* 0: one for each processor */
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return number(v, numbers[i].most, (uint64_t *)(void *)((char *)o + numbers[i].at));
    if (strcmp(name, "--planted") == 0)
        o->planted = v;
    else if (strcmp(name, "--code") == 0)
        return code(v, &o->setup);
    else if (strcmp(name, "--afr") == 0) {
        const bool good = real(v, 0.0001, 99, &o->setup.afr);
        o->setup.afr /= 100;
        return good;
    } else if (strcmp(name, "--mttr") == 0)
        return real(v, 0.001, 3650, &o->setup.mttr_days);
    else
        return false;
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            sim.trace = true;
        else if (strcmp(argv[i], "--full") == 0)
            o->histories = HISTORIES_FULL;
        else if (strcmp(argv[i], "--loss") == 0)
            o->loss = true;
        else if (strcmp(argv[i], "--loss-check") == 0)
            o->check = true;
        else if (i + 1 == argc || !parse_value(argv[i], argv[i + 1], o))
            return false;
        else
            i++;
    }
    return o->rounds >= 1;
}

static void tell_counts(const struct sim_counts *c)
{
    const char *before = "";
#define X(name)                                                                                              \
    printf("%s" #name " %" PRIu64, before, c->name);                                                         \
    before = ", ";
    SIM_COUNTS(X)
#undef X
    printf("\n");
}

static unsigned jobs_of(const struct options *o)
{
    const long there = sysconf(_SC_NPROCESSORS_ONLN);

    if (o->jobs > 0)
        return (unsigned)o->jobs;
    return there < 1 ? 1 : there > SIM_JOBS_MAX ? SIM_JOBS_MAX : (unsigned)there;
}

static int histories(const struct options *o)
{
    const struct sim_plays p = {
        .seed = o->seed, .histories = o->histories, .twice = o->twice, .jobs = jobs_of(o)
    };
    const struct sim_sums s = plays_all(&p);
    const double cpu = plays_cpu_seconds();

    tell_counts(&s.counts);
    printf("%" PRIu64 " histories, %" PRIu64 " failed; %" PRIu64
           " days, %.1f s of a processor, %.1f histories a second\n",
           s.histories, s.failed, s.days, cpu, (double)s.histories / cpu);
    if (s.histories < o->histories)
        printf("stopped: %" PRIu64 " were wanted\n", o->histories);
    return s.failed == 0 && s.histories == o->histories ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *full = getenv("QC_FULL");
    const bool is_full = full != NULL && full[0] != '\0';
    struct options o = { .seed = 1, .jobs = 1, .rounds = 1, .setup = { 0, 0, 0.01, 7 } };

    if (!parse(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.loss && o.setup.n > 0)
        loss_row(&o.setup);
    else if (o.loss)
        loss_tables();
    if (o.loss)
        return 0;
    plays_warm_up();
    if (o.check)
        return loss_check() && lives_check(is_full) ? 0 : 1;
    if (o.histories == 0)
        o.histories = o.planted != NULL ? HISTORIES_PLANTED : is_full ? HISTORIES_FULL : HISTORIES;
    if (o.planted != NULL)
        return hunt_all(&(struct hunt){ .which = is_full && strcmp(o.planted, "few") == 0 ? "all" : o.planted,
                                        .seed = o.seed,
                                        .histories = o.histories,
                                        .rounds = o.rounds });
    return histories(&o);
}
