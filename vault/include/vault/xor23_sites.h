/* Objects of the profile xor23: their share files are ordinary objects of three vaults, under the same name,
 * each at a gateway of its own. Layer 3; uses base, ss. Source: PAPERS B1, C2; format: FORMAT 13; ADR 33.
 *
 * Each site seals its share once more, for itself: what its gateway, its clouds and its share stores do for
 * any object they do for a share. What three sites say of a name is what two of them agree on: a sharing is
 * there once the second site has committed it, and commits go one after the other, the site that is not one
 * of the two that agree first. So whatever is broken off in between leaves two sites that agree.
 *
 * A session is used by one thread of its own until the call returns; the three are not the same. */
#pragma once
#include "vault/vault.h"
#include "vault/xor23.h"

/* Three sites, by letter. */
struct vault_xor23_sites {
    struct vault *vault[SS_XOR23_SHARES];       /* NULL: this site is not there */
    struct qc_err away[SS_XOR23_SHARES];        /* then: why */
    struct vault_notes *notes[SS_XOR23_SHARES]; /* may be NULL */
    bool alone;                                 /* of a get: as in vault_xor23_restore */
};

struct vault_xor23_put_opts {
    const qc_rng *rng;        /* of the shares: vault_xor23_random bytes, and the ids */
    unsigned maker;           /* of rng, written down (FORMAT 13) */
    enum vault_scheme scheme; /* of the new shares; a renewal keeps that which is there */
    bool if_absent;           /* QC_CONFLICT when the name is taken */
    bool hasty;               /* as in vault_put_opts, at each site */
};
struct vault_xor23_stored {
    struct vault_xor23_header header; /* the letter says nothing */
    uint64_t size;
    unsigned sites; /* that have it: 3, or 2 */
    bool replaced;  /* there was one before */
    struct {
        struct qc_err why; /* rc QC_OK: it has it, and put says how */
        struct vault_put_result put;
    } site[SS_XOR23_SHARES];
};

/*
 * Share D among three sites, under a name. On QC_OK two sites at least have committed their shares; all three
 * but for one that failed at the last moment (ret->sites). On failure no two have it: what was there before
 * is there, and one site may have a share that says nothing, until the next put or renewal.
 *
 * QC_QUORUM    a site is not there: nothing was sent;  QC_CONFLICT  if_absent, or another put of the name was
 * under way; and what vault_put says, with the site's letter; what source and rng say
 */
QC_MUST qc_rc vault_xor23_put(const struct vault_xor23_sites *sites, qc_span name,
                              const struct vault_source *source, const struct vault_xor23_put_opts *opts,
                              const struct vault_call *call, struct vault_xor23_stored *ret,
                              struct qc_err *err);

struct vault_xor23_got {
    struct vault_xor23_report report;
    unsigned have; /* sites that have something under the name */
};

/*
 * Restore D from any two sites that confirm each other, by the scheme that they say; time and mode are what
 * two sites say. The sink gets a verified prefix at most before a failure.
 *
 *   all   read and check all sites to the end: for verify
 *   ret   written also on failure, as far as it came; its sites that are silent or wrong are named there
 *
 * QC_NOTFOUND  no two sites have the name; QC_SHARES, QC_INTEGRITY  as vault_xor23_restore; errors of the
 * sink
 */
QC_MUST qc_rc vault_xor23_get(const struct vault_xor23_sites *sites, qc_span name, bool all,
                              const struct vault_sink *sink, const struct vault_call *call,
                              struct vault_xor23_got *ret, struct qc_err *err);

/*
 * New shares of the same bytes, under new randomness, at all three sites: what a lost site had is made anew,
 * and a share that was stolen fits nothing any more. The bytes pass through memory here and nowhere else.
 *
 *   readers  other sessions of the same vaults; those of sites that are lost may be NULL
 *
 * Errors of both; QC_CONFLICT: the name was stored anew meanwhile
 */
QC_MUST qc_rc vault_xor23_renew(const struct vault_xor23_sites *sites,
                                const struct vault_xor23_sites *readers, qc_span name,
                                const struct vault_xor23_put_opts *opts, const struct vault_call *call,
                                struct vault_xor23_stored *ret, struct qc_err *err);

/* What a site has under a name now. */
struct vault_xor23_held {
    bool has;                         /* an object */
    struct qc_err why;                /* rc QC_OK: and it is a share file; or what is wrong with it */
    struct vault_xor23_header header; /* of it */
    struct vault_stat stat;           /* where it has */
};
void vault_xor23_held_done(struct vault_xor23_held *h);
/* Asks a site; reads the first bytes. QC_OK also where there is none; the errors of vault_stat. */
QC_MUST qc_rc vault_xor23_look(struct vault *site, enum ss_xor23 letter, qc_span name,
                               const struct vault_call *call, struct vault_xor23_held *ret,
                               struct qc_err *err);
/* The two letters that agree on a sharing; all three: 0 and 1. False: no two do. *ret_odd: the third; it
 * agrees, too, where *ret_all. */
bool vault_xor23_agree(const struct vault_xor23_held held[SS_XOR23_SHARES], unsigned *ret_odd, bool *ret_all);
