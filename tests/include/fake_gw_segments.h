/* In which order segments come to the fake gateway: a part of tests/unit/fake_gw.c, which includes it. */
#pragma once
#include <unistd.h>

/* Two segments are under way at a time: which of them comes first must not be by chance. */
static void await_all_before(struct fake *f, const struct fake_upload *u, uint32_t seq,
                             const struct vault_op *op)
{
    for (uint32_t i = 0; i < seq; i++)
        while (u->seg[i].n == 0)
            CHECK(qc_cond_wait(&f->came, &f->lock, op->deadline));
}

/* One segment's bytes go out after those of another, in their order; and before that one is answered. */
static void go_out(struct fake *f, const struct vault_gw_part *part)
{
    part->wire.begins(part->wire.ctx);
    {
        QC_LOCK(&f->lock);
        CHECK(f->going++ == 0 && f->began++ == part->seq);
        qc_cond_wake_all(&f->went);
    }
    CHECK(usleep(5000) == 0);
    {
        QC_LOCK(&f->lock);
        f->going--;
    }
    part->wire.sent(part->wire.ctx);
    const qc_deadline d = qc_deadline_in(60000);
    QC_LOCK(&f->lock);
    while (!part->last && f->began == part->seq + 1)
        CHECK(qc_cond_wait(&f->went, &f->lock, d));
}
