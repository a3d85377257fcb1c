/* The (2,3) XOR threshold scheme: data into three shares, any two of which restore it and none of which says
 * anything about it, whatever computer looks. Layer 1; uses base. Pure functions on the caller's memory: no
 * I/O, no allocation, any thread. Time depends on lengths and on which shares they are, never on a byte
 * (ct/ss_xor23).
 *
 * Source: Fujiwara et al. 2022 (PAPERS C2). With S = S1 S2 and R = R1 R2, four parts of h bytes, + is XOR:
 *
 *   A = (S1+R1)    (S2+R1+R2)
 *   B = (S1+R1+R2) (S2+R2)
 *   C = R1         R2
 *
 * Each share is S, or zeros, XORed with a mask that is a bijection of R: with R uniform, used once and known
 * to nobody it is uniform, whatever S is. Shares carry neither their letter nor a length nor a check: whoever
 * keeps them keeps those too. A wrong share gives wrong data and no error.
 *
 * Lengths: data of n bytes has h = ceil(n / 2); with n odd S2 gets one zero byte, which is dropped again. A
 * share, and R, has 2 h bytes: n or n + 1. Long data goes through in blocks of SS_XOR23_BLOCK bytes, each for
 * itself, the last one shorter; a share is then its blocks one after the other. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum ss_xor23 { SS_XOR23_A, SS_XOR23_B, SS_XOR23_C, SS_XOR23_SHARES };

enum { SS_XOR23_BLOCK = 1024 * 1024 /* bytes of data: part of the format (FORMAT 13), stays in the cache */ };

/* Bytes of a share, and of R, for n bytes of data: n, or n + 1. n < SIZE_MAX. */
size_t ss_xor23_size(size_t n);

/*
 * Share S.
 *
 *   S      n bytes, borrowed; n may be 0
 *   R      ss_xor23_size(n) bytes: uniformly random, never used before or again, as secret as the data
 *   share  three buffers of ss_xor23_size(n) bytes, written in full. share[SS_XOR23_C] may be R itself: C is
 *          R, and nothing is copied. No other overlap
 *
 * Cost: reads S and R once, writes A and B (and C).
 */
void ss_xor23_split(qc_span S, const uint8_t *R, uint8_t *const share[SS_XOR23_SHARES]);

/*
 * Restore the data from two shares.
 *
 *   i, j  which they are, in any order
 *   x, y  ss_xor23_size(n) bytes each, borrowed
 *   n     bytes of data
 *   S     n bytes, written in full on QC_OK, untouched otherwise; no overlap
 *
 * QC_USAGE  one share twice, or none of the three
 */
QC_MUST qc_rc ss_xor23_join(enum ss_xor23 i, const uint8_t *x, enum ss_xor23 j, const uint8_t *y, size_t n,
                            uint8_t *S, struct qc_err *err);

/*
 * A lost share, made again from the other two without the data standing anywhere: each of their two sites
 * makes its part under a mask that the two agree on, and the new site adds the parts (ss_xor23_add), which is
 * the lost share, bit for bit. The new site sees two parts, uniform but for their sum, and so learns its own
 * share alone; each of the others sees its own share and the mask. Without a mask the two parts show whoever
 * has both of them all of the data.
 *
 *   lost, from  which shares
 *   share       of `from`: size bytes, borrowed
 *   mask        size bytes, uniformly random, for this block of this repair alone, the same at both sites and
 *               known to nobody else; NULL: none
 *   size        bytes of the share, even (asserted)
 *   out         size bytes; no overlap
 *
 * QC_USAGE  lost is from, or none of the three
 */
QC_MUST qc_rc ss_xor23_part(enum ss_xor23 lost, enum ss_xor23 from, const uint8_t *share, const uint8_t *mask,
                            size_t size, uint8_t *out, struct qc_err *err);
/* p = p + q, n bytes; no overlap. */
void ss_xor23_add(uint8_t *p, const uint8_t *q, size_t n);

/*
 * New randomness for shares that stand: R becomes R + D at all three sites, and a share that was stolen
 * before fits no share from after. The data does not change and is not seen.
 *
 *   which  the share
 *   D      size bytes as R, the same at all three sites: who knows it and an old share knows the new one
 *   share  size bytes, changed in place; size even (asserted)
 */
void ss_xor23_refresh(enum ss_xor23 which, const uint8_t *D, uint8_t *share, size_t size);
