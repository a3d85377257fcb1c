#include "decoy.h"

#include <math.h>

const struct kme_devices kme_devices_gys = { .pulse_hz = 2e6,
                                             .mu = 0.48,
                                             .nu = 0.05,
                                             .loss_db_km = 0.21,
                                             .efficiency = 0.045,
                                             .dark = 1.7e-6,
                                             .misalignment = 0.033,
                                             .f_ec = 1.22,
                                             .sift = 0.5 };

/* Binary entropy. */
static double h2(double p)
{
    return p <= 0 || p >= 1 ? 0 : -p * log2(p) - (1 - p) * log2(1 - p);
}

/* A pulse of x photons in the mean: clicks, and wrong ones. */
struct gain {
    double q, eq;
};
static struct gain gain(const struct kme_devices *d, double eta, double x)
{
    const double arrived = -expm1(-eta * x);
    return (struct gain){ d->dark + arrived, d->dark / 2 + d->misalignment * arrived };
}

void kme_decoy(const struct kme_devices *d, double km, struct kme_decoy *ret)
{
    const double eta = d->efficiency * pow(10, -d->loss_db_km * km / 10), mu = d->mu, nu = d->nu;
    const struct gain signal = gain(d, eta, mu), weak = gain(d, eta, nu);
    const double part = nu * nu / (mu * mu);
    const double y1 =
        mu / (mu * nu - nu * nu) * (weak.q * exp(nu) - signal.q * exp(mu) * part - (1 - part) * d->dark);
    const double e1 = y1 > 0 ? (weak.eq * exp(nu) - d->dark / 2) / (y1 * nu) : 0.5;
    const double qber = signal.q > 0 ? signal.eq / signal.q : 0.5;
    *ret = (struct kme_decoy){ .qber = qber, .y1 = y1 > 0 ? y1 : 0, .e1 = e1 < 0.5 ? e1 : 0.5 };
    const double r = d->sift * (ret->y1 * mu * exp(-mu) * (1 - h2(ret->e1)) - signal.q * d->f_ec * h2(qber));
    ret->bps = r > 0 ? r * d->pulse_hz : 0;
}
