/* A circuit breaker: after some failures in a row a KME is left alone for a while, then asked once. Internal
 * to qkd/. Pure: the time is an argument. {0} is closed. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct qkd_breaker {
    unsigned in_row;   /* failures since the last answer */
    uint64_t rest_ms;  /* of the last opening; 0: none since the last answer */
    uint64_t until_ms; /* open until then */
};

/* Milliseconds until the KME may be asked; 0: now. */
uint64_t qkd_breaker_left(const struct qkd_breaker *b, uint64_t now_ms);
void qkd_breaker_failed(struct qkd_breaker *b, uint64_t now_ms);
void qkd_breaker_answered(struct qkd_breaker *b);
/* It looks well again: the next request may go; a failure opens it for twice as long as before. */
void qkd_breaker_again(struct qkd_breaker *b);
