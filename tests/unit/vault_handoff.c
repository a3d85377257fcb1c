/* unit/vault_handoff: what is given or lent comes in order and whole, however it is taken; lending returns
 * before all is taken, settling does not; an end with a reason takes back what is lent; who leaves stops the
 * giver. */
#include "handoff.h"

#include <stdatomic.h>

#include "qc_check.h"

enum { PIECES = 200 };

static struct qc_err err;
static struct handoff h;
static uint8_t bytes[PIECES];
static atomic_int taken;

static void *take_all(void *arg)
{
    struct qc_err e = { 0 };
    uint8_t room[2];
    (void)arg;
    for (size_t got = 1, at = 0; got > 0; at += got) {
        if (handoff_take(&h, room, sizeof room, &got, &e) != QC_OK)
            break;
        CHECK(got <= sizeof room && memcmp(room, bytes + at, got) == 0);
        atomic_fetch_add(&taken, (int)got);
    }
    handoff_leave(&h);
    return NULL;
}

/* Pieces of one to three bytes, a third of them given. */
static void all_come(void)
{
    pthread_t t;
    size_t at = 0;
    handoff_init(&h);
    atomic_store(&taken, 0);
    CHECK(pthread_create(&t, NULL, take_all, NULL) == 0);
    for (size_t i = 0; at < PIECES; i++) {
        const size_t n = PIECES - at < i % 3 + 1 ? PIECES - at : i % 3 + 1;
        const qc_span s = qc_span_of(bytes + at, n);
        CHECK_OK(i % 3 == 1 ? handoff_give(&h, s, &err) : handoff_lend(&h, s, &err));
        at += n;
        CHECK(i % 3 != 1 || atomic_load(&taken) >= (int)at - 2);
    }
    handoff_settle(&h);
    handoff_end(&h, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(atomic_load(&taken) == PIECES);
    handoff_done(&h);
}

/* Nobody takes, and so many may be lent; then one is taken back, and the reason is told. */
static void lent_and_ended(void)
{
    const struct qc_err why = { .rc = QC_INTEGRITY, .msg = "spoilt" };
    uint8_t room[4];
    size_t got = 0;
    handoff_init(&h);
    for (unsigned i = 0; i < HANDOFF_LENT - 1; i++)
        CHECK_OK(handoff_lend(&h, qc_span_of(bytes + 2 * i, 2), &err));
    CHECK_OK(handoff_take(&h, room, sizeof room, &got, &err));
    CHECK(got == 2 && memcmp(room, bytes, 2) == 0);
    handoff_end(&h, &why);
    handoff_settle(&h);
    CHECK_RC(handoff_take(&h, room, sizeof room, &got, &err), QC_INTEGRITY);
    CHECK_RC(handoff_wait(&h, &err), QC_INTEGRITY);
    handoff_done(&h);
}

static void left(void)
{
    handoff_init(&h);
    CHECK_OK(handoff_lend(&h, qc_span_of(bytes, 2), &err));
    handoff_leave(&h);
    handoff_settle(&h);
    CHECK_RC(handoff_lend(&h, qc_span_of(bytes, 2), &err), QC_CANCELLED);
    CHECK_RC(handoff_give(&h, qc_span_of(bytes, 2), &err), QC_CANCELLED);
    handoff_done(&h);
}

int main(void)
{
    for (size_t i = 0; i < PIECES; i++)
        bytes[i] = (uint8_t)(i * 37);
    all_come();
    lent_and_ended();
    left();
    return 0;
}
