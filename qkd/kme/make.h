/* Keys out of links: drawn at one end, relayed hop by hop under one-time pad. Part of qcloud-kme; uses base.
 */
#pragma once
#include "base/key.h"
#include "base/rng.h"
#include "network.h"

/* The links' streams: 32 bytes HMAC-SHA-256(seed of the link, number of the block), the same at both ends.
 * The seeds are new in each process: a stretch of a stream is used once (I4). */
struct kme_streams {
    qc_key *seed[KME_LINKS_MAX];
};

QC_MUST qc_rc kme_streams_new(struct kme_streams *ret, unsigned links, const qc_rng *rng, struct qc_err *err);
void kme_streams_done(struct kme_streams *s);
/* n bytes of link i's stream from its offset on, which moves behind them. */
QC_MUST qc_rc kme_stream_take(const struct kme_streams *s, struct kme_network *net, unsigned i, uint8_t *ret,
                              size_t n, struct qc_err *err);
/*
 * Carry a key of n bytes over a way: at each hop c = key xor stream, and a Poly1305 tag of c under 32 bytes
 * more; the next node checks the tag and takes the stream off again. key is what came out at the far end: the
 * same. QC_INTEGRITY: it is not (a bug, or a fault that was put in).
 */
QC_MUST qc_rc kme_relay(const struct kme_streams *s, struct kme_network *net, const struct kme_route *way,
                        uint8_t *key, size_t n, struct qc_err *err);
