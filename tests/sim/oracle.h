/* What clients were told, what the clouds hold, and what must follow from it. Knows nothing of the engine but
 * its answers, and which segments a version has. Invariants by the names of their design:
 *
 *   A1  acknowledged: of each segment at least k + margin fragments are there, or were destroyed by a fault
 *   A2  the entry of a path is a decided one, and none older than what was acknowledged
 *   A3  what was cancelled is never seen
 *   A4  no delete takes the last copy of a fragment that counts
 *   A5  no margin is shown, and nothing called whole, that is not
 *   A6  bytes are those that were put, or none
 *   A7  a key has one content (cloud.c)
 *   A9  what was purged never comes back, and nothing is purged that a name points at
 *   A10 an object is under one path at each time, a move does both or neither, and each change has its seal
 * in the chain A11 a bundle that is half dead is put together with others, once all is well: what is dead is
 * bounded A8  when all is well again there is no debt, nothing is missing, and nothing lies there without
 * reason
 */
#pragma once
#include "gateway/engine.h"
#include "sim.h"

enum {
    PATHS = 16,
    SMALL = 6, /* from here on they are of small files, which are put in bundles */
    SEGMENTS = 3,
    MEMBERS = 8, /* of a bundle; and so many moves, or purges, in one request */
};

enum promise {
    OPEN,      /* nobody knows */
    ACKED,     /* done, with a receipt */
    CANCELLED, /* never to be seen; durable */
};

/* Many small files in one upload. */
struct bundle {
    struct gw_id key, object, version;
    struct put *v[MEMBERS];
    unsigned count;
    uint32_t size;
};

/* A put, a removal or a move: what follows from its seed, and what was said of it. */
struct put {
    uint64_t seed;
    unsigned path;
    bool removal;
    struct put *moved; /* of a move: what lay under `from` until then, and from then on under path */
    unsigned from;
    uint64_t from_number;
    struct bundle *in; /* it lies in one, or lay there when it was put */
    uint32_t start;
    struct put *beside;      /* in the same segment */
    uint32_t segments, size; /* bytes of each segment; the last has 3 more */
    struct gw_id key, object, version;
    uint8_t backup[40], private_part[48], seal[GW_DIGEST_BYTES], from_seal[GW_DIGEST_BYTES],
        m[GW_DIGEST_BYTES];
    uint64_t number, sequence;
    enum promise state;
    struct gw_receipt receipt;
    bool in_pass, spread; /* a repair found its record on all clouds */
    bool going, gone;     /* a purge of it was asked for; one was acknowledged */
    unsigned gone_copies; /* clouds that had the record of that, when it was */
    bool placed;          /* the segments below are known */
    uint64_t segment[SEGMENTS];
};

static inline bool put_has_data(const struct put *p)
{
    return !p->removal && p->moved == NULL;
}

void oracle_new(unsigned k, unsigned n);
struct put *oracle_put(unsigned path, bool removal, uint64_t number);
/* Another version of an object that is there. */
struct put *oracle_put_over(unsigned path, uint64_t number, const struct put *old);
struct put *oracle_move(struct put *what, unsigned from, uint64_t from_number, unsigned to, uint64_t number);
struct bundle *oracle_bundle(void);
void oracle_bundle_add(struct bundle *b, unsigned path, uint64_t number,
                       const struct put *old); /* NULL: none */
unsigned oracle_bundles(void);
struct bundle *oracle_bundle_at(unsigned i);
unsigned oracle_count(void);
struct put *oracle_at(unsigned i);
/* The greatest number of a path that was acknowledged, or shown, until now. */
uint64_t oracle_number(unsigned path);
/* Does no path point at it, and will none, whatever became of what is open? */
bool oracle_loose(const struct put *p);
void oracle_acked(struct put *p, const struct gw_receipt *r);
void oracle_cancelled(struct put *p);
/* A purge was acknowledged; so many clouds have its record. It was refused, for a name points at it. */
void oracle_purged(struct put *p, unsigned copies);
void oracle_kept(struct put *p);
void oracle_placed(struct put *p, const uint64_t *ids, unsigned count);
/* It lies in a bundle's segment from now on. whole: all of that was seen on all of its clouds (a record says
 * so). bundle: its version id. */
void oracle_lies_in(struct put *p, uint64_t segment, const struct gw_id *bundle, bool whole);
void oracle_repacked(void); /* by a record that is on a record quorum */
void oracle_promise(struct put *p, int margin);

uint64_t put_total(const struct put *p);
uint32_t put_size(const struct put *p, uint32_t seq);
void put_bytes(const struct put *p, uint32_t seq, uint8_t *ret);

/* What a client was shown. least: the number that was acknowledged before it asked; row NULL: no entry. */
void oracle_entry(unsigned path, const struct gw_entry_row *row, uint64_t least);
/* The chain's seals from the first one on; least: as many were acknowledged before it was asked for. */
void oracle_seals(const uint8_t *seals, uint64_t count, uint64_t least);
uint64_t oracle_chain(void);
struct put *oracle_version(const struct gw_id *version); /* what was put, and not what was moved */
void oracle_margin(const struct put *p, int margin);

/* A pass of repair begins; it ended and calls everything whole. */
void oracle_pass_begins(void);
void oracle_pass_whole(void);
/* A pass calls a segment beyond repair, with so many good fragments on clouds that are there; the version may
 * be that of a bundle. */
void oracle_gone(const struct gw_id *version, uint32_t seq, unsigned good);
/* May a cloud lose something now, so that all that was acknowledged still survives? */
bool oracle_spare(uint32_t hurt);
/* Will a rebuild from any record quorum of so many clouds meet the record of each change that was
 * acknowledged, though what is hurt may answer without it? By the copies that the receipts promise. */
bool oracle_records_spare(uint32_t hurt, unsigned clouds);
/* Acknowledged versions that faults took beyond their margin. */
unsigned oracle_lost(void);
/* Is of each segment that was acknowledged a fragment on this cloud? */
bool oracle_all_on(unsigned cloud);
bool oracle_readable(const struct put *p);
void oracle_full(void);  /* A8: of all that was acknowledged every fragment is there */
void oracle_quiet(void); /* and nothing else */
bool oracle_packed(unsigned clouds, uint64_t *ret_dead); /* A11; the dead bytes in bundles */
