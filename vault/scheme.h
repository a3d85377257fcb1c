/* How a chunk becomes three shares, and comes back from some of them. Internal to vault/. FORMAT 13. */
#pragma once
#include "vault/xor23.h"

struct scheme {
    const char *word, *magic;
    unsigned needs;      /* shares that give the data */
    enum ss_xor23 drawn; /* the share that is randomness, as long as the data; SS_XOR23_SHARES: none is */
    /*
     * S      n bytes, and a zero behind them where n is odd; n > 0
     * share  three of ss_xor23_size(n) bytes; that which is drawn is there, the others are written in full
     */
    qc_rc (*split)(const uint8_t *S, size_t n, uint8_t *const share[SS_XOR23_SHARES], struct qc_err *err);
    /*
     * i, x, j, y  two shares; where one is enough: that one twice
     * S           has room for ss_xor23_size(n) bytes
     */
    qc_rc (*join)(enum ss_xor23 i, const uint8_t *x, enum ss_xor23 j, const uint8_t *y, size_t n, uint8_t *S,
                  struct qc_err *err);
};

const struct scheme *scheme_of(enum vault_scheme s);
