/* How likely is it that a year takes more clouds than an object can bear? By formula, by drawing lives, and
 * by the engine at rates that are high enough to see it happen (lives.c). docs/choosing.md has the tables. */
#pragma once
#include <stdbool.h>

#include "sim.h"

#define LOSS_YEAR_DAYS 365.25

/* A placement of n clouds, any k of which give the object back. */
struct loss_setup {
    unsigned k, n;
    double afr;       /* of a cloud: the chance that it is lost for good within a year */
    double mttr_days; /* from the loss of a cloud until its fragments are on another, on average */
};

/* Losses a year: 1 / mean time to loss of a Markov chain with repair. */
double loss_markov(const struct loss_setup *s);
/* The chance of loss within a year in which nobody repairs anything. */
double loss_binomial(const struct loss_setup *s);
/* The chance of loss within so many years, by the same chain, from its start with all clouds there. */
double loss_within(const struct loss_setup *s, double years);
/* What rot adds: losses a year of one segment, where a fragment rots `rot` times a year, and all are looked
 * at every so many days. */
double loss_rot(const struct loss_setup *s, double rot, double scrub_days);
/* Losses a year, drawn: lives between two instants at which all clouds are there, in which loss is made
 * likely and counted at what it weighs. *ret_sigma: standard error, as a part of the figure. */
double loss_drawn(const struct loss_setup *s, struct sim_rand *r, double *ret_sigma);

/* Print the tables, as Markdown; or one setup's row. */
void loss_tables(void);
void loss_row(const struct loss_setup *s);
/* Does what is drawn agree with the formulas? Tells what does not. */
bool loss_check(void);
