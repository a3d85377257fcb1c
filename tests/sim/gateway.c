/* The gateway's program: opens the engine, keeps house, serves, closes, dies; and its supervisor, who starts
 * it again, or rebuilds it where its disk is gone. */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "gateway/rebuild.h"
#include "gateway/scrub.h"

enum { TIDY_MS = 2000, VAULT = 0x71, QUIET_FAILURES_MAX = 50 };

struct sim_counts counts;

struct program {
    struct sim_proc proc;
    const char *dir;
    struct gw_engine *engine;
    bool serving, stirred, rebuilding;
    bool on_demand; /* pays with the engine's threads, and leaves when nobody asks: the daemon as it is
                       started by its clients. Else: one that stays, and pays in its housekeeping */
    unsigned in_flight;
};

/* now: whom everybody asks. zombie: whose operator believes it dead, and who runs on. */
static struct program *now, *zombie;
static const char *state_dir;
static bool leave_now, closed, made, disk_gone;
static bool always_stays;
static bool look_again;   /* a rebuild is done, and the oracle has not seen what it knows */
static bool left, wanted; /* the gateway left by itself; somebody asks for it */
static unsigned failures; /* starts that came to nothing, one after the other */
static unsigned cloud_count, k, n;
static struct gw_engine_cloud clouds[SIM_CLOUDS_MAX];
static char names[SIM_CLOUDS_MAX][8];
static qc_rng rng;
static struct gw_scrub_conf scrub;

static qc_rc fill(void *ctx, uint8_t *p, size_t size, struct qc_err *err)
{
    (void)ctx;
    (void)err;
    sim_fill(&sim.engine, p, size);
    return QC_OK;
}

void gateway_new(unsigned cloud_count_, unsigned k_, unsigned n_)
{
    cloud_count = cloud_count_;
    k = k_;
    n = n_;
    rng = (qc_rng){ .fill = fill };
    scrub = gw_scrub_default; /* a month has to see several passes of content, too */
    scrub.presence_s = sim_spread(&sim.world, 86400, 10 * 86400);
    scrub.content_s = sim_spread(&sim.world, 3 * 86400, 30 * 86400);
    state_dir = "/state";
    for (unsigned at = 0; at < cloud_count; at++) {
        memcpy(names[at], "c1", 3);
        names[at][1] = (char)('1' + at);
        clouds[at] = (struct gw_engine_cloud){ .name = names[at], .url = sim_cloud_url(at) };
    }
}

void gateway_stays(bool always)
{
    always_stays = always;
}

struct sim_proc *gateway_proc(void)
{
    return now != NULL ? &now->proc : NULL;
}

bool gateway_serving(void)
{
    return now != NULL && now->serving && now->proc.alive;
}

bool gateway_has_zombie(void)
{
    return zombie != NULL && zombie->proc.alive;
}

bool gateway_publishes(void)
{
    const struct program *p = (const struct program *)(const void *)sim_current(); /* proc is the first */

    QC_ASSERT(p != NULL);
    return !p->rebuilding && (p == now || disk_gone);
}

/* -- fault points ---------------------------------------------------------------------------------------- */

static bool passed[QC_FP_COUNT];
static struct {
    uint64_t passes; /* 0: none is waited for */
    unsigned point;
    bool power;
} trap;

bool gateway_dies_at_point(uint64_t pick, uint64_t passes, bool power)
{
    unsigned count = 0;

    for (unsigned i = 0; i < QC_FP_COUNT; i++)
        count += passed[i];
    if (count == 0)
        return false;
    uint64_t nth = pick % count;
    for (unsigned i = 0; i < QC_FP_COUNT; i++)
        if (passed[i] && nth-- == 0)
            trap.point = i;
    trap.passes = passes;
    trap.power = power;
    return true;
}

void gateway_lives_on(void)
{
    trap.passes = 0;
}

void gateway_passes(unsigned point)
{
    struct sim_proc *p = sim_current();

    if (p == NULL)
        return;
    passed[point] = true;
    if (trap.passes == 0 || trap.point != point || sim.calm || now == NULL || p != &now->proc ||
        --trap.passes > 0) {
        sim_step(qc_fault_name((enum qc_fault_point)point));
        return;
    }
    sim_say("at %s", qc_fault_name((enum qc_fault_point)point));
    counts.at_point++;
    sim_kill(p, trap.power && !gateway_has_zombie()); /* which has the same machine */
}

static void zombie_dies(void *ctx)
{
    struct program *p = ctx;

    sim_say("the zombie is found");
    sim_kill(&p->proc, false);
}

void gateway_pauses(uint64_t ns)
{
    if (!gateway_serving())
        return;
    sim_say("program %u stands still", now->proc.number);
    now->proc.paused_until = sim.now + ns;
    counts.paused++;
}

void gateway_take_over(uint64_t ns)
{
    static const char *const dirs[] = { "/state2", "/state3", "/state4", "/state5", "/state6", "/state7" };
    static size_t used;

    if (!gateway_serving() || gateway_has_zombie() || used == sizeof dirs / sizeof *dirs)
        return;
    sim_say("the gateway is believed dead: another takes over");
    zombie = now;
    zombie->proc.dies_at = 0;
    if (sim_below(&sim.faults, 2) == 0) /* it had only stopped, and goes on beside the other */
        gateway_pauses(sim_spread(&sim.faults, SIM_S, ns));
    now = NULL;
    state_dir = dirs[used++];
    disk_gone = true;
    counts.zombie++;
    sim_at(sim.now + ns, zombie_dies, zombie);
    sim_wake(&closed);
}

void gateway_disk_lost(void)
{
    sim_disk_lost();
    disk_gone = true;
}

bool gateway_disk_is_gone(void)
{
    return disk_gone;
}

struct gw_id gateway_vault(void);

/* -- the program ----------------------------------------------------------------------------------------- */

static void vault_record(uint8_t ret[QC_GW_RECORD_SIZE])
{
    memset(ret, VAULT, QC_GW_RECORD_SIZE);
    memcpy(ret, "QCLV\1\1\0\0", 8);
}

static qc_rc make(struct qc_err *err)
{
    const struct gw_engine_setup setup = { .clouds = clouds, .count = cloud_count, .k = k, .n = n };
    const qc_rc rc = gw_engine_init(state_dir, &setup, &rng, err);

    /* Whoever was killed after the last step is told that there is one already. */
    return rc == QC_CONFLICT && gw_engine_there(state_dir, err) == QC_OK ? QC_OK : rc;
}

static qc_rc rebuild(struct qc_err *err)
{
    const struct gw_rebuild_setup setup = { .clouds = clouds, .count = cloud_count };
    struct gw_rebuild_report *r = calloc(1, sizeof *r);

    QC_ASSERT(r != NULL);
    QC_TRY(gw_rebuild(state_dir, &setup, &rng, r, err));
    sim_say("rebuilt: incarnation %" PRIu32 ", %" PRIu64 " log objects, %" PRIu64 " versions", r->incarnation,
            r->log_objects, r->versions);
    return QC_OK;
}

static qc_rc start(struct program *me, struct qc_err *err)
{
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh;

    if (disk_gone && made) {
        me->rebuilding = true;
        QC_TRY(rebuild(err));
        me->rebuilding = false;
        counts.rebuilt++;
        disk_gone = false;
        look_again = true;
    }
    if (!made)
        QC_TRY(make(err));
    QC_TRY(gw_engine_open(&me->engine, me->dir, &rng, err));
    gw_engine_scrub_conf(me->engine, &scrub);
    if (look_again)
        client_look_again(me->engine);
    look_again = false;
    if (me->on_demand)
        QC_TRY(gw_engine_work(me->engine, err));
    counts.on_demand += me->on_demand;
    if (made)
        return QC_OK;
    vault_record(record);
    const struct gw_id id = gateway_vault();
    QC_TRY(gw_vault_put(me->engine, &(struct gw_ref){ GW_OWNER, id }, qc_span_of(record, sizeof record),
                        QC_LIT("vault backup"), &fresh, err));
    made = true;
    return QC_OK;
}

struct gw_id gateway_vault(void)
{
    struct gw_id id;

    memset(id.b, VAULT, sizeof id.b);
    return id;
}

/* One round of the daemon's loop. *ret_more: there is more to do at once. */
static void tidy(struct program *me, bool *ret_more)
{
    struct gw_health health;
    struct qc_err err = { 0 };
    const qc_rc rc = gw_engine_tidy(me->engine, ret_more, &err);

    if (rc != QC_OK)
        sim_say("housekeeping: %s: %s", qc_rc_name(rc), err.msg);
    gw_engine_health(me->engine, &health);
    if (!health.broken)
        return;
    sim_say("the catalogue's disk failed: leaving");
    sim_kill(&me->proc, false);
}

/* Soon again while there is something to do, and rarely when nothing happens. */
static void stay(struct program *me)
{
    uint64_t pause = TIDY_MS;

    while (!leave_now) {
        bool more = false;
        tidy(me, &more);
        pause = more || me->stirred ? TIDY_MS : pause < 3600000 ? 100 * pause : pause;
        me->stirred = false;
        (void)sim_wait(&me->stirred, sim.now + (more ? UINT64_C(200) : pause) * SIM_MS);
    }
}

/* Until nobody has asked for so long. */
static void stay_while_asked(struct program *me)
{
    const uint64_t idle = sim_spread(&sim.world, 5 * SIM_S, 60 * SIM_S);
    uint64_t last = sim.now;
    bool more = false;

    while (!leave_now && (more || me->in_flight > 0 || sim.now - last < idle)) {
        tidy(me, &more);
        last = me->stirred || me->in_flight > 0 ? sim.now : last;
        me->stirred = false;
        (void)sim_wait(&me->stirred, sim.now + (more ? UINT64_C(200) : TIDY_MS) * SIM_MS);
    }
    left = !leave_now;
}

static void run(void *ctx)
{
    struct program *me = ctx;
    struct qc_err err = { 0 };
    const qc_rc rc = start(me, &err);

    if (rc != QC_OK) {
        sim_say("does not start: %s: %s", qc_rc_name(rc), err.msg);
        sim_kill(&me->proc, false);
    }
    counts.opened++;
    failures = 0;
    sim_say("serves");
    me->serving = true;
    if (me->on_demand)
        stay_while_asked(me);
    else
        stay(me);
    me->serving = false;
    while (me->in_flight > 0)
        sim_sleep(100 * SIM_MS);
    gw_engine_close(&me->engine);
    sim_say("has closed");
    closed |= now == me; /* and not one that stood still while another took its place */
    sim_kill(&me->proc, false);
}

/* -- the supervisor -------------------------------------------------------------------------------------- */

/* Somebody asks for a gateway that left; or its timer goes off, for what it left undone. */
static void until_wanted(void)
{
    left = wanted = false;
    (void)sim_wait(&wanted, sim.now + sim_spread(&sim.world, 60 * SIM_S, 6 * SIM_H));
}

/* Faults are over, or have to be: whoever lets them happen may wait for the gateway himself. */
static bool quiet(void)
{
    return sim.calm || sim.now > (uint64_t)2 * SIM_DAYS * SIM_DAY;
}

void gateway_supervise(void *ctx)
{
    static unsigned number;

    (void)ctx;
    while (!leave_now || !closed) {
        struct program *p = calloc(1, sizeof *p); /* its tasks may still look at it */
        QC_ASSERT(p != NULL);
        closed = false;
        p->proc.number = ++number;
        p->dir = p->proc.dir = state_dir;
        p->on_demand = !always_stays && sim_below(&sim.world, 2) == 0;
        now = p;
        sim_proc_start(&p->proc);
        sim_say("program %u starts", p->proc.number);
        sim_spawn(&p->proc, "gateway", run, p);
        while (now == p && p->proc.alive)
            (void)sim_wait(&closed, 0);
        if (left && !leave_now) {
            until_wanted();
            continue;
        }
        if (++failures > QUIET_FAILURES_MAX && quiet())
            sim_broken("progress", "in quiet times the gateway does not start: %u times, one after the other",
                       failures);
        if (!leave_now)
            sim_sleep(sim_spread(&sim.world, SIM_S, SIM_H) * (failures < 20 ? failures : 20));
    }
}

void gateway_leave(void)
{
    leave_now = wanted = true;
    now->stirred = true;
    sim_wake(&now->stirred);
    sim_wake(&wanted);
    while (!closed)
        sim_sleep(SIM_S);
}

/* -- requests -------------------------------------------------------------------------------------------- */

struct errand {
    struct request r; /* first: who waits knows only this part */
    struct program *to;
};

static void in_program(void *ctx)
{
    struct errand *e = ctx;

    e->r.run(&e->r, e->to->engine);
    e->to->in_flight--;
    e->r.answered = true;
    e->to->stirred = true;
    sim_wake(&e->to->stirred);
    sim_wake(&e->r.answered);
}

static struct request *send(struct program *to, struct request ask, uint64_t ns)
{
    struct errand *e = malloc(sizeof *e); /* the program may still write to it when nobody listens any more */
    const uint64_t until = sim.now + ns;

    QC_ASSERT(e != NULL);
    *e = (struct errand){ ask, to };
    to->in_flight++;
    sim_spawn(&to->proc, "request", in_program, e);
    while (!e->r.answered && to->proc.alive && sim.now < until)
        (void)sim_wait(&e->r.answered, until);
    e->r.broken = !e->r.answered;
    if (!e->r.broken)
        return &e->r;
    struct request *heard = malloc(sizeof *heard); /* and this one is the asker's own */
    QC_ASSERT(heard != NULL);
    *heard = e->r;
    return heard;
}

struct request *gateway_ask(struct request ask, uint64_t ns)
{
    while (!gateway_serving()) {
        wanted = true;
        sim_wake(&wanted);
        sim_sleep(5 * SIM_S);
    }
    return send(now, ask, ns);
}

struct request *gateway_ask_zombie(struct request ask, uint64_t ns)
{
    return gateway_has_zombie() && zombie->serving ? send(zombie, ask, ns) : gateway_ask(ask, ns);
}
