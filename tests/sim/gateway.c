/* The gateway's program: opens the engine, keeps house, serves, closes, dies; and its supervisor, who starts
 * it again, or rebuilds it where its disk is gone. */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/rebuild.h"

enum { TIDY_MS = 2000, VAULT = 0x71 };

struct sim_counts counts;

static const char state_dir[] = "/state";
static struct sim_proc program;
static struct gw_engine *engine;
static bool serving, leave_now, closed, made, disk_gone, stirred;
static unsigned failures; /* starts that came to nothing, one after the other */
static unsigned in_flight, cloud_count, k, n;
static struct gw_engine_cloud clouds[SIM_CLOUDS_MAX];
static char names[SIM_CLOUDS_MAX][8];
static qc_rng rng;

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
    for (unsigned at = 0; at < cloud_count; at++) {
        memcpy(names[at], "c1", 3);
        names[at][1] = (char)('1' + at);
        clouds[at] = (struct gw_engine_cloud){ .name = names[at], .url = sim_cloud_url(at) };
    }
}

struct sim_proc *gateway_proc(void)
{
    return &program;
}

bool gateway_serving(void)
{
    return serving && program.alive;
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

static qc_rc start(struct qc_err *err)
{
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh;

    if (disk_gone && made) {
        QC_TRY(rebuild(err));
        counts.rebuilt++;
        disk_gone = false;
    }
    if (!made)
        QC_TRY(make(err));
    QC_TRY(gw_engine_open(&engine, state_dir, &rng, err));
    if (made)
        return QC_OK;
    vault_record(record);
    const struct gw_id id = gateway_vault();
    QC_TRY(gw_vault_put(engine, &(struct gw_ref){ GW_OWNER, id }, qc_span_of(record, sizeof record),
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

/* The daemon's loop: soon again while there is something to do, and rarely when nothing happens: an on-demand
 * gateway would have left, and come back. */
static void serve(void)
{
    uint64_t pause = TIDY_MS;
    struct gw_health health;

    while (!leave_now) {
        struct qc_err err = { 0 };
        bool more = false;
        const qc_rc rc = gw_engine_tidy(engine, &more, &err);
        if (rc != QC_OK)
            sim_say("housekeeping: %s: %s", qc_rc_name(rc), err.msg);
        gw_engine_health(engine, &health);
        if (health.broken) {
            sim_say("the catalogue's disk failed: leaving");
            sim_kill(&program, false);
        }
        pause = more ? 200 : stirred ? TIDY_MS : pause < 6 * 3600000 ? 4 * pause : pause;
        stirred = false;
        (void)sim_wait(&stirred, sim.now + pause * SIM_MS);
    }
}

static void run(void *ctx)
{
    struct qc_err err = { 0 };
    const qc_rc rc = start(&err);

    (void)ctx;
    if (rc != QC_OK) {
        sim_say("does not start: %s: %s", qc_rc_name(rc), err.msg);
        sim_kill(&program, false);
    }
    counts.opened++;
    failures = 0;
    sim_say("serves");
    serving = true;
    sim_wake(&serving);
    serve();
    serving = false;
    while (in_flight > 0)
        sim_sleep(100 * SIM_MS);
    gw_engine_close(&engine);
    sim_say("has closed");
    closed = true;
    sim_kill(&program, false);
}

/* -- the supervisor -------------------------------------------------------------------------------------- */

void gateway_supervise(void *ctx)
{
    (void)ctx;
    while (!leave_now || !closed) {
        static unsigned number;
        engine = NULL;
        serving = false;
        closed = false;
        in_flight = 0;
        program.number = ++number;
        sim_proc_start(&program);
        sim_say("program %u starts", program.number);
        sim_spawn(&program, "gateway", run, NULL);
        while (program.alive)
            (void)sim_wait(&closed, 0);
        serving = false;
        failures++;
        if (!leave_now)
            sim_sleep(sim_spread(&sim.world, SIM_S, SIM_H) * (failures < 20 ? failures : 20));
    }
}

void gateway_leave(void)
{
    leave_now = true;
    stirred = true;
    sim_wake(&stirred);
    while (!closed)
        sim_sleep(SIM_S);
}

/* -- requests -------------------------------------------------------------------------------------------- */

static void in_program(void *ctx)
{
    struct request *r = ctx;

    r->run(r, engine);
    in_flight--;
    r->answered = true;
    stirred = true;
    sim_wake(&stirred);
    sim_wake(&r->answered);
}

struct request *gateway_ask(struct request ask, uint64_t ns)
{
    struct request *r =
        malloc(sizeof *r); /* the program may still write to it when nobody listens any more */

    QC_ASSERT(r != NULL);
    *r = ask;
    while (!gateway_serving())
        sim_sleep(5 * SIM_S);
    const unsigned number = program.number;
    in_flight++;
    sim_spawn(&program, "request", in_program, r);
    const uint64_t until = sim.now + ns;
    while (!r->answered && gateway_serving() && program.number == number && sim.now < until)
        (void)sim_wait(&r->answered, until);
    r->broken = !r->answered;
    if (!r->broken)
        return r;
    struct request *heard = malloc(sizeof *heard); /* and this one is the asker's own */
    QC_ASSERT(heard != NULL);
    *heard = *r;
    return heard;
}
