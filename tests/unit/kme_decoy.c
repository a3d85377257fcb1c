/* unit/kme_decoy: the rate of a link against values that were published, and against others that were
 * computed from the same formulas by hand (data: link km, R per pulse, QBER, Y1, e1). */
#include "decoy.h"

#include <math.h>

#include "qc_check.h"

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fabs(b);
}

/* Where the key ends, km. */
static double reach(const struct kme_devices *d)
{
    struct kme_decoy at;
    double low = 1, high = 400;
    while (high - low > 1e-4) {
        const double km = (low + high) / 2;
        kme_decoy(d, km, &at);
        *(at.bps > 0 ? &low : &high) = km;
    }
    return low;
}

/* Computed apart from this program, in Python, with GYS's devices. */
static void check_values(void)
{
    static const struct {
        double km, r, qber, y1, e1;
    } rows[] = {
        { 0, 2.414245466388e-03, 3.303715005310e-02, 4.438483387311e-02, 3.515286838543e-02 },
        { 15, 1.158627944924e-03, 3.307629745721e-02, 2.148303720844e-02, 3.520543747704e-02 },
        { 45, 2.678624134882e-04, 3.332399842045e-02, 5.036083529224e-03, 3.535282682593e-02 },
        { 100, 1.602004526821e-05, 3.758212612608e-02, 3.539933514705e-04, 3.749238322139e-02 },
        { 140, 7.377906324337e-08, 6.295870456826e-02, 5.261496413693e-05, 5.063259342325e-02 },
    };
    struct kme_decoy at;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kme_decoy(&kme_devices_gys, rows[i].km, &at);
        CHECK(near(at.bps, rows[i].r * kme_devices_gys.pulse_hz, 1e-6));
        CHECK(near(at.qber, rows[i].qber, 1e-9) && near(at.y1, rows[i].y1, 1e-9) &&
              near(at.e1, rows[i].e1, 1e-9));
    }
}

/* Ma, Qi, Zhao, Lo 2005, for GYS: vacuum and a weak decoy of 0.05 come as far as 140 km, where decoys without
 * number come to 142. */
static void check_reach(void)
{
    struct kme_devices d = kme_devices_gys;
    CHECK(reach(&d) > 140.3 && reach(&d) < 140.8);
    d.nu = 0.001; /* the bound becomes that of decoys without number */
    CHECK(reach(&d) > 141.8 && reach(&d) < 142.2);
    d.dark = 0;
    CHECK(reach(&d) > 399); /* without dark counts nothing ends it */
}

/* Bounds stay bounds, and worse devices never yield more. */
static void check_sense(void)
{
    struct kme_decoy at, less;
    for (double km = 0; km <= 300; km += 7) {
        const double eta = kme_devices_gys.efficiency * pow(10, -kme_devices_gys.loss_db_km * km / 10);
        struct kme_devices d = kme_devices_gys;
        kme_decoy(&d, km, &at);
        CHECK(at.y1 <= d.dark + eta && at.e1 >= d.misalignment * 0.99 && at.qber <= 0.5 && at.bps >= 0);
        kme_decoy(&d, km + 1, &less);
        CHECK(less.bps <= at.bps && less.qber >= at.qber);
        d.misalignment *= 1.1;
        kme_decoy(&d, km, &less);
        CHECK(less.bps <= at.bps);
        d = kme_devices_gys;
        d.dark *= 2;
        kme_decoy(&d, km, &less);
        CHECK(less.bps <= at.bps);
    }
    kme_decoy(&kme_devices_gys, 1000, &at);
    CHECK(at.bps == 0 && near(at.qber, 0.5, 1e-3));
}

int main(void)
{
    check_values();
    check_reach();
    check_sense();
    return 0;
}
