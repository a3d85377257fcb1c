#include "quiet.h"

#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"

enum { LINES_PER_S = 20 };

void quiet_init(struct quiet *q)
{
    qc_mutex_init(&q->lock);
}

void quiet_done(struct quiet *q)
{
    qc_mutex_done(&q->lock);
}

bool quiet_may(struct quiet *q)
{
    const uint64_t now = qc_now_ms() / 1000;
    QC_LOCK(&q->lock);
    if (now != q->second) {
        q->second = now;
        q->told = 0;
    }
    if (q->told == LINES_PER_S) {
        q->held_back++;
        return false;
    }
    q->told++;
    return true;
}

void quiet_tick(struct quiet *q)
{
    uint64_t n = 0;
    {
        QC_LOCK(&q->lock);
        if (q->held_back == 0 || qc_now_ms() / 1000 == q->second)
            return;
        n = q->held_back;
        q->held_back = 0;
    }
    QC_LOG(QC_LOG_WARN, "refusals and closed connections that were not told one by one", QC_U("count", n));
}
