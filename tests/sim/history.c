#include "history.h"

#include <stdio.h>

#include "ending.h"
#include "gateway.h"

enum { CLIENTS = 3, LATE_DAYS = 13 }; /* a request lands at most 10^6 s late */

static unsigned k, n, cloud_count;
static uint32_t hurt;    /* clouds that lost or spoilt something, and were not found whole since */
static uint32_t wiped;   /* of these: clouds that may have lost their identity */
static uint32_t mending; /* hurt before the repair that is under way: whole only once it says so */
static bool stop_clients;

static const struct sim_mood well = { .latency_ms = 30 };

/* -- the cloth ------------------------------------------------------------------------------------------- */

static void choose_code(void)
{
    static const uint8_t codes[][2] = {
        { 2, 3 }, { 3, 5 }, { 3, 5 }, { 1, 2 }, { 2, 4 }, { 4, 6 }, { 3, 4 }
    };
    const uint64_t i = sim_below(&sim.world, sizeof codes / sizeof *codes);

    k = codes[i][0];
    n = codes[i][1];
    cloud_count = n + (unsigned)(sim_below(&sim.world, 3) == 0);
    sim_say("EC(%u,%u) on %u clouds", k, n, cloud_count);
}

static unsigned count_bits(uint32_t set)
{
    return (unsigned)__builtin_popcount(set);
}

/* -- faults ---------------------------------------------------------------------------------------------- */

static unsigned any_cloud(void)
{
    return (unsigned)sim_below(&sim.faults, cloud_count);
}

/* A rebuild puts the log on the record quorum before it serves: where k < n - k + 1, fewer clouds than could
 * restore the data cannot do (known: docs/adr/0017). */
static bool can_rebuild(uint32_t without)
{
    return cloud_count - count_bits(without) >= n - k + 1;
}

/* Without the disk a rebuild goes by the record quorum that it hears, and a cloud that was rolled back or
 * spoilt answers without what it had: then each record has to be on so many others that every quorum has it.
 * A change that was acknowledged while a cloud was away promises fewer copies, and its receipt says so. */
static bool records_bear(uint32_t with)
{
    return with == 0 || oracle_records_spare(with, cloud_count);
}

/* A cloud that may lose something: one that is hurt already, or one more than what all can bear. */
static bool may_hurt(unsigned at)
{
    const uint32_t with = hurt | UINT32_C(1) << at;

    if (gateway_disk_is_gone() && (!can_rebuild(with) || !records_bear(with)))
        return false;
    return with == hurt || (count_bits(with) <= n - k && oracle_spare(with));
}

static uintptr_t moods[SIM_CLOUDS_MAX]; /* each has had so many */

static void set_mood(unsigned at, const struct sim_mood *m)
{
    moods[at]++;
    sim_cloud_mood(at, m);
}

/* Of the mood that was meant then. */
static void cloud_heals(void *ctx)
{
    const unsigned at = (unsigned)((uintptr_t)ctx % SIM_CLOUDS_MAX);

    if ((uintptr_t)ctx / SIM_CLOUDS_MAX != moods[at])
        return;
    sim_say("cloud %u is well again", at + 1);
    set_mood(at, &well);
}

static void new_mood(unsigned at, struct sim_mood m, uint64_t least, uint64_t most)
{
    set_mood(at, &m);
    sim_at(sim.now + sim_spread(&sim.faults, least, most), cloud_heals,
           (void *)(moods[at] * SIM_CLOUDS_MAX + at));
}

static void goes_away(void)
{
    struct sim_mood m = well;
    const unsigned at = any_cloud();

    const uint64_t way = sim_below(&sim.faults, 3);
    m.away = way > 0;
    m.refuses = way == 1;
    m.lost_after = way == 0; /* each request gets there, no answer comes back */
    sim_say("cloud %u is away: %s", at + 1,
            way == 0   ? "no answer comes back"
            : way == 1 ? "connections are refused"
                       : "silence");
    counts.one_way += way == 0;
    new_mood(at, m, SIM_S, 5 * SIM_DAY);
    counts.away++;
}

static void is_flaky(void)
{
    struct sim_mood m = { .latency_ms = sim_spread(&sim.faults, 10, 5000) };
    const unsigned at = any_cloud();

    m.lost_before = sim_below(&sim.faults, 3) == 0 ? 20 : 0;
    m.lost_after = sim_below(&sim.faults, 3) == 0 ? 20 : 0;
    m.busy = sim_below(&sim.faults, 3) == 0 ? 10 : 0;
    m.late = sim_below(&sim.faults, 2) == 0 ? sim_between(&sim.faults, 2, 5) : 0;
    m.hangs = sim_below(&sim.faults, 4) == 0 ? 40 : 0;
    m.forbidden = sim_below(&sim.faults, 10) == 0;
    sim_say("cloud %u: latency %" PRIu64 " ms, lost %" PRIu64 "/%" PRIu64 ", busy %" PRIu64 ", late %" PRIu64
            ", hangs %" PRIu64 "%s",
            at + 1, m.latency_ms, m.lost_before, m.lost_after, m.busy, m.late, m.hangs,
            m.forbidden ? ", 403" : "");
    counts.late += m.late > 0;
    counts.flaky++;
    new_mood(at, m, SIM_S, 3 * SIM_DAY);
    if (m.late > 0 && gateway_serving()) /* most moods would be over before anybody puts something */
        sim_spawn(NULL, "visitor", client_comes, NULL);
}

static void is_full(void)
{
    struct sim_mood m = well;
    const unsigned at = any_cloud();

    m.full = true;
    sim_say("cloud %u is full", at + 1);
    new_mood(at, m, SIM_H, 3 * SIM_DAY);
    counts.full++;
}

static void damage(void)
{
    const unsigned at = any_cloud();

    if (!may_hurt(at))
        return;
    for (uint64_t times = sim_spread(&sim.faults, 1, 20); times > 0; times--)
        if (sim_cloud_damage(at, (enum sim_damage)sim_below(&sim.faults, SIM_SWAP + 1))) {
            hurt |= UINT32_C(1) << at;
            counts.damage++;
        }
}

/* An adoption asks the record quorum of others: where k < n - k + 1, that is more than what could restore the
 * data. */
static bool may_wipe(unsigned at)
{
    const uint32_t with = wiped | UINT32_C(1) << at;
    const unsigned quorum = n - k + 1, others = cloud_count - 1;

    return may_hurt(at) && cloud_count - count_bits(with) >= (quorum < others ? quorum : others);
}

static void wipe(void)
{
    const unsigned at = any_cloud();

    if (!may_wipe(at))
        return;
    wiped |= UINT32_C(1) << at;
    sim_cloud_wipe(at, sim_below(&sim.faults, 2) == 0);
    hurt |= UINT32_C(1) << at;
    counts.wiped++;
}

static void snapshot(void)
{
    sim_cloud_snapshot(any_cloud());
}

static void roll_back(void)
{
    const unsigned at = any_cloud();

    if (!may_wipe(at) || !sim_cloud_rollback(at, sim_below(&sim.faults, 2) == 0))
        return;
    wiped |= UINT32_C(1) << at;
    hurt |= UINT32_C(1) << at;
    counts.rolled_back++;
}

static void dies(void)
{
    struct sim_proc *p = gateway_proc();

    if (p == NULL || !p->alive || p->dies_at != 0)
        return;
    p->power = sim_below(&sim.faults, 2) == 0 && !gateway_has_zombie(); /* which has the same machine */
    p->dies_at = p->steps + 1 + sim_spread(&sim.faults, 1, 5000);
    if (p->power)
        counts.power_cut++;
    else
        counts.killed++;
}

/* Before or after what is never to be half done. */
static void dies_at_point(void)
{
    const uint64_t pick = sim_u64(&sim.faults), passes = sim_spread(&sim.faults, 1, 4);

    (void)gateway_dies_at_point(pick, passes, sim_below(&sim.faults, 2) == 0);
}

static void stands_still(void)
{
    gateway_pauses(sim_spread(&sim.faults, SIM_S, 2 * SIM_DAY));
}

static void clock_jumps(void)
{
    const uint64_t by = sim_spread(&sim.faults, 1, UINT64_C(10) * 365 * 86400);

    sim.wall_s += sim_below(&sim.faults, 2) == 0 ? (int64_t)by : -(int64_t)by;
    if (sim.wall_s < 86400)
        sim.wall_s = 86400;
    sim_say("the wall clock jumps by %" PRIu64 " s", by);
    counts.clock++;
}

static void disk_is_well(void *ctx)
{
    (void)ctx;
    sim_disk = (struct sim_disk_faults){ 0 };
}

static void disk_fails(void)
{
    if (sim_below(&sim.faults, 2) == 0) {
        sim_disk.sync_eio = 10;
        sim_say("fsync may fail");
        counts.disk_eio++;
        if (gateway_serving()) /* most of such spells would be over before anything is written */
            sim_spawn(NULL, "visitor", client_comes, NULL);
    } else {
        sim_disk.full = true;
        sim_say("the disk is full");
        counts.disk_full++;
    }
    sim_at(sim.now + sim_spread(&sim.faults, SIM_S, SIM_DAY), disk_is_well, NULL);
}

/* Somebody takes a gateway for dead, and it is not. */
static void taken_over(void)
{
    if (can_rebuild(hurt) && records_bear(hurt))
        gateway_take_over(sim_spread(&sim.faults, SIM_H, 3 * SIM_DAY));
}

/* The machine's disk is gone: what the clouds have must do. */
static void loses_disk(void)
{
    if (!can_rebuild(hurt) || !records_bear(hurt) || !gateway_serving() || gateway_has_zombie())
        return;
    sim_say("the disk is lost");
    sim_kill(gateway_proc(), false);
    gateway_disk_lost();
    counts.disk_lost++;
}

/* -- a disaster ------------------------------------------------------------------------------------------ */

/* D4 at its edge. Of the clouds that will survive some are silent at first. Then, at the very moment at which
 * a client hears that its change is there, the disk is lost, all clouds go that may go, and those that were
 * silent are back: the record has to be on one of them. */
static struct {
    bool armed;
    uint32_t takes; /* clouds */
} disaster;

static void disaster_strikes(void)
{
    /* It strikes in the midst of a repair, too, and what that has not brought back is still gone: with one of
     * EC(1,2)'s two clouds wiped there is no record quorum, whatever the repair was about to do. */
    const uint32_t lame = hurt | mending;

    disaster.armed = false;
    if (!can_rebuild(lame) || !gateway_serving() || gateway_has_zombie() || (lame & ~disaster.takes) != 0)
        return;
    for (unsigned at = 0; at < cloud_count; at++) {
        const struct sim_mood gone = { .latency_ms = 30, .away = true, .refuses = true };
        if ((disaster.takes >> at & 1) != 0)
            new_mood(at, gone, SIM_DAY / 10, 5 * SIM_DAY);
        else
            set_mood(at, &well);
    }
    hurt |= disaster.takes; /* nothing else may go before a repair has seen them */
    sim_say("a disaster: the disk is lost, and clouds %" PRIx32 " are away", disaster.takes);
    sim_kill(gateway_proc(), false);
    gateway_disk_lost();
    counts.disaster++;
}

void history_acked(void)
{
    if (disaster.armed && sim_below(&sim.faults, 2) == 0)
        disaster_strikes();
}

static void disaster_in_time(void *ctx)
{
    (void)ctx;
    if (disaster.armed && !sim.calm)
        disaster_strikes();
}

static void disaster_looms(void)
{
    uint32_t takes = hurt;

    if (disaster.armed || count_bits(hurt) > n - k)
        return;
    while (count_bits(takes) < n - k)
        takes |= UINT32_C(1) << any_cloud();
    const uint64_t silent = sim_below(&sim.faults, cloud_count - count_bits(takes) + 1);
    for (unsigned at = 0; at < cloud_count; at++) {
        struct sim_mood m = { .latency_ms = 30, .away = true };
        if ((takes >> at & 1) == 0 && sim_below(&sim.faults, cloud_count - count_bits(takes)) < silent)
            new_mood(at, m, SIM_DAY, 2 * SIM_DAY);
    }
    disaster.armed = true;
    disaster.takes = takes;
    sim_at(sim.now + sim_spread(&sim.faults, SIM_H, 2 * SIM_DAY), disaster_in_time, NULL);
}

/* -- the operator ---------------------------------------------------------------------------------------- */

/* A cloud that the gateway calls lost is to be filled again: the hurt ones are tried in turn. */
static const char *to_adopt(void)
{
    static char name[] = "c0";

    if (hurt == 0 || sim_below(&sim.world, 2) == 0)
        return NULL;
    for (unsigned at = any_cloud();; at = (at + 1) % cloud_count)
        if ((hurt >> at & 1) != 0) {
            name[1] = (char)('1' + at);
            return name;
        }
}

static bool repair(bool deep, const char *adopt)
{
    const uint32_t before = hurt, wiped_before = wiped;

    mending = hurt;
    hurt = wiped = 0; /* what is hurt meanwhile counts anew */
    sim_say("operator: repair%s%s%s", deep ? " --deep" : "", adopt != NULL ? " --adopt " : "",
            adopt != NULL ? adopt : "");
    const struct request *r =
        gateway_ask((struct request){ .run = ask_repair, .deep = deep, .adopt = adopt }, SIM_DAY);
    counts.repair++;
    counts.mended += r->mended;
    mending = 0;
    if (!r->broken && r->rc == QC_OK && deep) {
        sim_say("operator: all is whole");
        return true;
    }
    hurt |= before;
    wiped |= wiped_before;
    sim_say("operator: %s: %s", r->broken ? "no answer" : qc_rc_name(r->rc), r->broken ? "" : r->err.msg);
    return false;
}

static void operator_repairs(void)
{
    const bool deep = sim_below(&sim.world, 3) != 0;

    (void)repair(deep, to_adopt());
}

static void nothing(void)
{
}

/* -- a quiet spell --------------------------------------------------------------------------------------- */

static void all_well(void)
{
    for (unsigned at = 0; at < cloud_count; at++)
        set_mood(at, &well);
    sim_disk = (struct sim_disk_faults){ 0 };
}

/* Every debt is paid once its cloud is back, and nobody has to ask for it: the clouds are whole, one goes,
 * puts go on, it is back. A client's put may leave a debt at the very moment of a look: so there are several.
 */
static void debts_are_paid(void)
{
    const struct request *r = NULL;

    for (unsigned look = 0; look < 24; look++) {
        sim_sleep(SIM_H);
        r = gateway_ask((struct request){ .run = ask_status }, SIM_H);
        if (hurt != 0 || disaster.armed || gateway_has_zombie())
            return;
        if (r->broken || r->rc != QC_OK || r->debts + r->short_versions > 0)
            continue;
        oracle_full();
        counts.quiet_spell++;
        return;
    }
    sim_broken("A8",
               "all clouds are whole and well for a day, and there are %" PRIu64 " debts, %" PRIu64
               " versions short of their margin",
               r->debts, r->short_versions);
}

/* Some go: so many that what is left could just restore the data. */
static void some_go(void)
{
    const struct sim_mood gone = { .latency_ms = 30, .away = true, .refuses = true };

    for (uint32_t set = 0; count_bits(set) < n - k;) {
        const unsigned at = any_cloud();
        set |= UINT32_C(1) << at;
        set_mood(at, &gone);
    }
}

/* The disk is lost, and n - k clouds are away. Those that are left have the whole log, and a rebuild goes on
 * from them: if they are a record quorum. Where they are fewer, as in EC(1,2) and EC(2,4), it waits, and
 * nothing is acknowledged that the others could contradict. docs/choosing.md */
static void gateway_is_lost(void)
{
    const bool can = cloud_count - (n - k) >= n - k + 1;

    some_go();
    sim_say("a quiet spell, but for the disk and %u clouds", n - k);
    sim_kill(gateway_proc(), false);
    gateway_disk_lost();
    counts.disk_lost++;
    sim_sleep(2 * SIM_DAY);
    if (gateway_disk_is_gone() == can)
        sim_broken(can ? "progress" : "D4", "with %u of %u clouds a gateway is %s", cloud_count - (n - k),
                   cloud_count, can ? "not rebuilt" : "rebuilt, though they are no record quorum");
    all_well();
    sim_sleep(2 * SIM_DAY);
    if (gateway_disk_is_gone())
        sim_broken("progress", "all clouds are back, and the gateway is not rebuilt");
    counts.gateway_lost++;
    counts.gateway_waited += !can;
}

static void debts_arise(void)
{
    struct sim_mood m = well;
    const unsigned at = any_cloud();

    m.away = true;
    m.refuses = sim_below(&sim.faults, 2) == 0;
    set_mood(at, &m);
    sim_say("a quiet spell, but for cloud %u", at + 1);
    sim_sleep(sim_spread(&sim.faults, SIM_H, 3 * SIM_DAY));
    all_well();
    debts_are_paid();
}

/* Some that n - k clouds have is spoilt, or one cloud is as it was before. *ret_stranger: and this one has
 * something that is not ours. false: nothing came of it. */
static bool spoil_some(unsigned *ret_stranger)
{
    uint32_t set = 0;

    while (count_bits(set) < n - k)
        set |= UINT32_C(1) << any_cloud();
    *ret_stranger = any_cloud();
    if (!oracle_spare(set))
        return false;
    hurt |= set;
    if (sim_below(&sim.faults, 3) == 0 && sim_cloud_rollback((unsigned)__builtin_ctz(set), true))
        set &= set - 1;
    for (unsigned at = 0; at < cloud_count; at++)
        for (uint64_t times = sim_spread(&sim.faults, 1, 20); (set >> at & 1) != 0 && times > 0; times--)
            counts.damage += sim_cloud_damage(at, (enum sim_damage)sim_below(&sim.faults, SIM_SWAP + 1));
    sim_cloud_stranger(*ret_stranger, true);
    return true;
}

/* Until it is over, and what it found is mended: nobody asks for a repair. Returns clouds with strangers. */
static uint32_t scrub_all(void)
{
    const struct request *r = NULL;
    uint32_t strangers;

    for (bool asked = false; !asked;) {
        r = gateway_ask((struct request){ .run = ask_scrub }, SIM_H);
        asked = !r->broken && r->rc == QC_OK;
        sim_sleep(SIM_S);
    }
    for (unsigned look = 0; look < 72; look++) {
        sim_sleep(SIM_H);
        r = gateway_ask((struct request){ .run = ask_scrubbing }, SIM_H);
        if (r->broken || r->rc != QC_OK || r->scrubbing)
            continue;
        strangers = r->strangers;
        r = gateway_ask((struct request){ .run = ask_status }, SIM_H);
        if (!r->broken && r->rc == QC_OK && r->debts + r->short_versions == 0)
            return strangers;
    }
    sim_broken("A8", "all clouds are well, and in three days a scrub has not come to its end");
}

/* What is lost or spoilt is found by the scrub and mended by itself: the next repair finds nothing to do. */
static void scrub_mends(void)
{
    unsigned stranger;

    if (!spoil_some(&stranger))
        return;
    sim_say("a quiet spell, but for what was spoilt");
    counts.scrubbed++;
    (void)scrub_all(); /* a pass may have been under way, and past what was spoilt then */
    if ((scrub_all() >> stranger & 1) == 0)
        sim_broken("A8", "cloud %u has an object that is not ours, and no scrub found it", stranger + 1);
    oracle_full();
    sim_cloud_stranger(stranger, false);
    const uint64_t mended = counts.mended;
    if (!repair(true, NULL))
        sim_broken("A8", "the clouds were scrubbed, and a repair does not call everything whole");
    if (counts.mended != mended)
        sim_broken("A8", "the clouds were scrubbed, and a repair had to mend %" PRIu64 " objects",
                   counts.mended - mended);
    counts.scrub_mended++;
}

static void quiet_spell(void)
{
    if (gateway_has_zombie() || disaster.armed || oracle_lost() > 0)
        return;
    all_well();
    if (gateway_proc() != NULL)
        gateway_proc()->dies_at = gateway_proc()->paused_until = 0;
    gateway_lives_on();
    bool whole = repair(true, NULL);
    for (unsigned tries = 0; !whole && tries < 2 * cloud_count; tries++)
        whole = repair(true, to_adopt());
    if (!whole)
        return;
    const uint64_t which = sim_below(&sim.faults, 5);
    if (which < 2)
        debts_arise();
    else if (which < 4)
        scrub_mends();
    else if (gateway_serving())
        gateway_is_lost();
}

static const struct {
    unsigned weight;
    void (*fn)(void);
} acts[] = {
    { 10, goes_away },       { 12, is_flaky },    { 3, is_full },
    { 8, damage },           { 3, wipe },         { 4, snapshot },
    { 3, roll_back },        { 25, dies },        { 3, clock_jumps },
    { 5, disk_fails },       { 1, loses_disk },   { 1, taken_over },
    { 8, operator_repairs }, { 5, nothing },      { 3, disaster_looms },
    { 4, quiet_spell },      { 3, stands_still }, { 15, dies_at_point },
};

static void one_act(void)
{
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        sum += acts[i].weight;
    uint64_t at = sim_below(&sim.faults, sum);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (at < acts[i].weight) {
            acts[i].fn();
            return;
        }
        at -= acts[i].weight;
    }
}

/* -- the quiet end --------------------------------------------------------------------------------------- */

/* Passes until one calls everything whole; clouds that are lost are adopted, one after the other. */
static void make_whole(void)
{
    static char name[] = "c0";
    const unsigned lost = oracle_lost();

    for (unsigned pass = 0; pass < 4 * cloud_count; pass++) {
        const unsigned at = pass % cloud_count;
        name[1] = (char)('1' + at);
        if ((hurt >> at & 1) == 0 && pass + 1 < 4 * cloud_count && pass % 3 != 0)
            continue;
        if (repair(true, (hurt >> at & 1) != 0 ? name : NULL))
            return;
    }
    if (lost == 0)
        sim_broken("A8", "all clouds are well, and no repair makes everything whole");
    sim_say("%u versions were lost to faults beyond their margin", lost);
}

static void quiet_end(void)
{
    stop_clients = true;
    disaster.armed = false;
    sim.calm = true;
    if (gateway_proc() != NULL)
        gateway_proc()->paused_until = 0;
    all_well();
    sim_say("all is well, and stays so");
    sim_sleep(SIM_DAY);
    sim_sleep((uint64_t)LATE_DAYS * SIM_DAY); /* all that is late has landed */
    all_well();
    QC_ASSERT(sim_clouds_pending() == 0);
    make_whole();
    ending_close_open();
    make_whole();
    if (oracle_lost() == 0)
        ending_bundles(cloud_count);
    ending_read_back();
    if (oracle_lost() > 0)
        return;
    oracle_quiet();
    const struct request *r = gateway_ask((struct request){ .run = ask_status }, SIM_H);
    if (r->broken || r->rc != QC_OK || r->debts + r->dead + r->short_versions != 0)
        sim_broken("A8",
                   "in quiet times there are %" PRIu64 " debts, %" PRIu64 " dead segments, and %" PRIu64
                   " versions short of their margin",
                   r->debts, r->dead, r->short_versions);
}

void history_run(void *ctx)
{
    const uint64_t end = sim.now + (uint64_t)SIM_DAYS * SIM_DAY;

    (void)ctx;
    hurt = wiped = mending = 0;
    disaster.armed = false;
    stop_clients = false;
    choose_code();
    sim_disk_new();
    sim_clouds_new(cloud_count);
    all_well();
    oracle_new(k, n);
    gateway_new(cloud_count, k, n);
    sim_spawn(NULL, "supervisor", gateway_supervise, NULL);
    while (!gateway_serving()) {
        if (sim_below(&sim.faults, 4) == 0)
            dies();
        sim_sleep(sim_spread(&sim.faults, SIM_MS, 100 * SIM_S));
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        sim_spawn(NULL, i == 0 ? "client 1" : i == 1 ? "client 2" : "client 3", client_run, &stop_clients);
    while (sim.now < end) {
        sim_sleep(sim_spread(&sim.faults, 60 * SIM_S, 2 * SIM_DAY));
        one_act();
    }
    quiet_end();
    gateway_leave();
    sim_say("the end");
}
