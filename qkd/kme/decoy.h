/* The secure key rate of a link from its length and its devices: BB84 with weak coherent pulses, decoy states
 * vacuum and weak, in the limit of long runs. Part of qcloud-kme. Pure.
 *
 * H.-K. Lo, X. Ma, K. Chen, Phys. Rev. Lett. 94 (2005) 230504: decoy states. X. Ma, B. Qi, Y. Zhao, H.-K. Lo,
 * Phys. Rev. A 72 (2005) 012326: the bounds for vacuum and one weak decoy, and the channel's model.
 * D. Gottesman, H.-K. Lo, N. Luetkenhaus, J. Preskill, Quant. Inf. Comput. 4 (2004) 325 (GLLP): the rate.
 *
 *   eta = efficiency 10^(-loss km/10)     Q_x = Y0 + 1 - e^(-eta x)     E_x Q_x = Y0/2 + e_d (1 - e^(-eta x))
 *   Y1 >= mu/(mu nu - nu^2) (Q_nu e^nu - Q_mu e^mu nu^2/mu^2 - (mu^2 - nu^2)/mu^2 Y0)
 *   e1 <= (E_nu Q_nu e^nu - Y0/2)/(Y1 nu)
 *   R  >= sift (Y1 mu e^-mu (1 - H2(e1)) - Q_mu f H2(E_mu))           per pulse
 *
 * Finite runs, dead time and the pulses that are decoys are not in it: a real link yields less. */
#pragma once

struct kme_devices {
    double pulse_hz;     /* signal pulses a second */
    double mu, nu;       /* photons of a signal and of a weak decoy, in the mean; mu > nu > 0 */
    double loss_db_km;   /* of the fibre */
    double efficiency;   /* of the receiver with its detector, 0..1 */
    double dark;         /* Y0: clicks of an empty pulse, 0..1 */
    double misalignment; /* e_d: wrong detector for a photon, 0..1/2 */
    double f_ec;         /* of error correction, >= 1 */
    double sift;         /* of the pulses whose bases agree: 1/2, nearly 1 where bases are biased */
};

/* Those of Gobby, Yuan, Shields (Appl. Phys. Lett. 84 (2004) 3762) as the second paper takes them, at 2 MHz.
 */
extern const struct kme_devices kme_devices_gys;

struct kme_decoy {
    double bps;    /* bits/s; 0: no key comes so far */
    double qber;   /* of the signal pulses */
    double y1, e1; /* bounds for single photons; e1 1/2 at most */
};
void kme_decoy(const struct kme_devices *d, double km, struct kme_decoy *ret);
