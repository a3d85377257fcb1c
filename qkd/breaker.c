#include "breaker.h"

#include "base/limits.h"

uint64_t qkd_breaker_left(const struct qkd_breaker *b, uint64_t now_ms)
{
    return b->until_ms > now_ms ? b->until_ms - now_ms : 0;
}

void qkd_breaker_failed(struct qkd_breaker *b, uint64_t now_ms)
{
    b->in_row++;
    if (b->in_row < QKD_BREAK_AFTER)
        return;
    b->rest_ms = b->rest_ms == 0 ? QKD_BREAK_MS : 2 * b->rest_ms;
    if (b->rest_ms > QKD_BREAK_MOST_MS)
        b->rest_ms = QKD_BREAK_MOST_MS;
    b->until_ms = now_ms + b->rest_ms;
}

void qkd_breaker_answered(struct qkd_breaker *b)
{
    *b = (struct qkd_breaker){ 0 };
}

void qkd_breaker_again(struct qkd_breaker *b)
{
    b->until_ms = 0;
}
