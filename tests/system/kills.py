#!/usr/bin/python3
"""I1, I2, I8: kill -9 of client or gateway, at every fault point of put, overwrite, rm and a put of many and at random instants. After each kill:
every acknowledged version reads back byte for byte, an unacknowledged one is there as a whole or not at all, and in the end share
stores, catalogue and clouds agree, with nothing left over. 100 kills (600 with QC_FULL=1); the seed is printed."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
sys.dont_write_bytecode = True
import qcloud_reader as reader                                  # noqa: E402
from harness import FULL, GATEWAY, Box, Known, check, files, main, seeded  # noqa: E402

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "base", "include", "base", "fault_points.h")
KILLS = 600 if FULL else 100
SIZES = (0, 3000, 70_000, (16 << 20) + 99) * 2 + (900, 40 << 20)     # three segments in one of ten: they take the most of the time


# Which side passes which points, in which operation. The others belong to init, rebuild, get, recover, sweeps of cancelled puts:
# they have tests of their own (tests/fault/).
COMMIT = ("put_decide", "put_decided", "put_log", "put_witness", "put_publish", "put_published", "put_ack")
CLOUD = ("cloud_tmp_made", "cloud_tmp_written", "cloud_tmp_synced", "cloud_published")
SEND = ("put_intent", "put_intent_done", "put_frag", "put_frag_done", "put_segment_row", "qrng_fill")
CLIENT = ("client_journal", "client_begun", "client_share1", "client_shared", "client_sent", "client_receipt", "client_stored1",
          "client_stored", "client_done")
PHASES = {
    "put": {"gateway": SEND + COMMIT + CLOUD + ("db_commit", "db_committed"), "client": CLIENT + ("db_commit", "db_committed", "qrng_fill")},
    "rm": {"gateway": COMMIT + CLOUD + ("db_commit", "db_committed"), "client": ("client_removed", "db_commit", "db_committed")},
}
PHASES["overwrite"] = PHASES["put"]
PHASES["many"] = {"gateway": COMMIT + ("put_frag_done", "put_segment_row"), "client": CLIENT}    # what differs where small files are put together
MANY = 8                                                # as QC_VAULT_BUNDLE_LEAST
BUNDLE = 26                                             # files of 118,000 bytes in QC_VAULT_BUNDLE_MAX


def points():
    """The table's names that the phases use: a renamed point must not drop out unnoticed."""
    with open(TABLE) as f:
        known = set(re.findall(r"X\((\w+),", f.read()))
    wanted = {p for sides in PHASES.values() for names in sides.values() for p in names}
    gone = {p for p in wanted if p not in known}
    check(not gone, f"fault points that are no more: {sorted(gone)}")
    return sorted(wanted)


class World(Known):
    def __init__(self, box, rng):
        super().__init__()
        self.box, self.rng = box, rng
        self.state = None
        self.cut = {}           # puts of several segments that did not come to their end, by name: they can go on

    def gateway(self, script=None):
        """Start the gateway by hand, so that only it gets the script."""
        env = self.box.env(**({"QC_FAULT": script} if script else {}))
        r, w = os.pipe()
        p = subprocess.Popen([GATEWAY, "serve", "--state", self.state, "--idle", "60", "--ready-fd", str(w)], env=env, pass_fds=(w,),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r, "rb") as f:
            f.read(5)
        return p

    def operation(self, kind):
        names = sorted(self.acked)
        kind = kind if len(names) > 3 else "put"
        if kind == "many":
            return self.many(names)
        name = f"n{self.rng.randrange(10 ** 9)}" if kind == "put" else self.rng.choice(names)
        if kind == "rm":
            return kind, {name: None}, ["rm", name]
        data = self.rng.randbytes(self.rng.choice(SIZES))
        return kind, {name: data}, ["put", self.box.write("in", data), name]

    def many(self, names):
        """A tree of small files: some names are there already, the others are new. One time in four they are two bundles, one of which is
        sealed while the other is on its way."""
        tree = os.path.join(self.box.work, "tree")
        shutil.rmtree(tree, ignore_errors=True)
        os.mkdir(tree)
        names = self.rng.sample(names, 3)
        two = self.rng.random() < 0.25
        new = [f"m{self.rng.randrange(10 ** 9)}" for _ in range((BUNDLE + 2 * MANY if two else MANY) - len(names))]
        data = {n: self.rng.randbytes(self.rng.choice((118000, 121000) if two else (0, 1, 900, 5000))) for n in names + new}
        for n, d in data.items():
            with open(os.path.join(tree, n), "wb") as f:
                f.write(d)
        return "many", data, ["put", "-r", tree, "/"]

    def settle(self, name):
        """Ask what the unanswered operation came to."""
        want, settled = self.may_be(name), not self.box.journal()
        p = self.box.run("get", name, os.path.join(self.box.work, "out"))
        check(p.returncode in (0, 3), f"get {name} after a kill: exit {p.returncode}\n{p.stderr.decode()}")
        got = None
        if p.returncode == 0:
            with open(os.path.join(self.box.work, "out"), "rb") as f:
                got = f.read()
            os.unlink(os.path.join(self.box.work, "out"))
        check(got in want, f"{name}: neither the old nor the new content ({None if got is None else len(got)} bytes)")
        self.saw(name, got, settled)


def watch(world, client, gateway, side):
    """Until the client has ended. A gateway that died is started anew in half of the runs: the client's retries must then neither
    lose nor double anything. Returns (did the death come before the client's end, the second gateway or None)."""
    second, inside = None, side == "client"
    while client.poll() is None:
        if side == "gateway" and not inside and gateway.poll() is not None:
            inside = True
            if world.rng.random() < 0.5:
                second = world.gateway()
        time.sleep(0.002)
    return inside and (side == "gateway" or client.returncode == -9), second


def run_one(world, plan):
    """One operation with one kill. Returns (what it was, was it killed, was it killed inside the operation)."""
    box, rng = world.box, world.rng
    wanted, side, point = plan
    kind, data, args = world.operation(wanted)
    most = max(len(d or b"") for d in data.values())
    script = f"{point}:kill:{rng.choice((1, 1, 1, 2))}" if point else None
    box.stop()
    gateway = world.gateway(script if side == "gateway" else None)
    t0 = time.monotonic()
    client = box.start("--timeout", "3", *args, env={"QC_FAULT": script} if side == "client" and script else {})
    if not script:
        time.sleep(rng.random() * (0.02 + 0.25 * (most > 1 << 20)))
        (client if side == "client" else gateway).send_signal(signal.SIGKILL)
    inside, second = watch(world, client, gateway, side)
    _, err = client.communicate(timeout=120)
    killed = (client.returncode == -9) if side == "client" else (gateway.poll() == -9)
    for name, d in data.items():
        if client.returncode in (0, 4) or (client.returncode != -9 and f"stored '{name}'".encode() in err):
            world.acknowledge(name, d)
            world.cut.pop(name, None)
        else:
            if d is not None and len(d) > 16 << 20:
                world.cut[name] = d
            world.unanswered(name, d, None if client.returncode == -9 else err)
    box.stop()
    gateway.wait()
    if second:
        second.wait()
    for name in data:
        world.settle(name)
    if time.monotonic() - t0 > 8:
        print(f"  slow: {time.monotonic() - t0:.1f} s for {kind} with {side} {script}, exit {client.returncode}", flush=True)
    return kind, killed, inside


def in_two_requests(world):
    """A bundle whose entries are more than one request takes (names of 2,500 bytes). The client dies between both: those of the first are
    there, the others are not and will not be, until they are put again."""
    box, n = world.box, 400
    tree, prefix = os.path.join(box.work, "requests"), "two/" + "/".join(10 * ["d" * 250])
    os.mkdir(tree)
    data = {f"{prefix}/{i:03}": world.rng.randbytes(3) for i in range(n)}
    for name, d in data.items():
        with open(os.path.join(tree, name[-3:]), "wb") as f:
            f.write(d)
    names, args = sorted(data), ("put", "-r", tree, prefix)
    before = box.journal()          # puts that can go on wait for that
    some = None
    for script, code in (("client_some:kill:1", -9), ("client_some:error:1", 1), (None, 0)):
        p = box.run(*args, env={"QC_FAULT": script} if script else {})
        check(p.returncode == code, f"{script}: exit {p.returncode}: {p.stderr.decode()[-500:]}")
        box.expect(0, "put", box.write("in", b"settled"), "the last")
        check(not box.journal() - before, "a bundle is left open by the next command")
        listed = [line.split("\t")[-1] for line in box.expect(0, "ls", "two/").stdout.decode().splitlines()]
        some = some or len(listed)
        check(100 < some < n, f"{some} of {n} in the first request")
        check(listed == names[:some if script else n], f"{script}: {len(listed)} are there")
    for name in names:
        world.acknowledge(name, data[name])


def leftovers(box):
    """Fragments on the clouds that no committed version names."""
    archive = reader.Archive(box.clouds)
    check(not archive.trouble, f"trouble: {archive.trouble}")
    wanted = set()
    for c in archive.clouds:
        wanted |= archive.expected(c)
    have = {os.path.relpath(f, box.root) for c in box.clouds for f in files(os.path.join(c, "f"))}
    names = {os.path.relpath(f, box.root) for f in wanted}
    return have - names, names - have


def all_are_whole(world, codes, when):
    """All at once, and some of them one by one: a program for each would take longer than all that is done here."""
    box = world.box
    check(box.get_all(codes) == world.acked, f"all at once {when}: differ")
    names = sorted(world.acked)
    for name in names if FULL else world.rng.sample(names, min(16, len(names))):
        check(box.get(name) == world.acked[name], f"{name} {when}: differs")


def agree(world):
    box = world.box
    world.acked["the last"] = b"settled"                        # the next command that writes settles what a killed one left
    for name, data in sorted(world.cut.items()):                # but what can go on waits for the same put, or for another one of its name
        box.expect(0, "put", box.write("in", data), name)
        world.acknowledge(name, data)
    box.expect(0, "put", box.write("in", b"settled"), "the last")
    check(not box.journal(), "a put is left open by the next one")
    for name in sorted(world.maybe):
        world.settle(name)
    box.expect(0, "verify")
    all_are_whole(world, 0, "in the end")
    listed = box.expect(0, "ls").stdout.decode().splitlines()
    check(sorted(line.split("\t")[-1] for line in listed) == sorted(world.acked), "ls and what was acknowledged differ")
    end = time.monotonic() + 60
    while True:
        extra, missing = leftovers(box)
        check(not missing, f"missing on the clouds: {sorted(missing)[:5]}")
        if not extra:
            break
        check(time.monotonic() < end, f"{len(extra)} fragments of unfinished puts were never swept: {sorted(extra)[:3]}")
        box.expect(0, "status")
        time.sleep(0.5)


def plans(rng):
    """Every phase of every operation on the side that passes it, then random instants, in random order."""
    phases = [(kind, side, p) for kind, sides in PHASES.items() for side, names in sides.items() for p in names]
    rest = [(rng.choice(sorted(PHASES)), rng.choice(("client", "gateway")), None) for _ in range(max(KILLS - len(phases), 20))]
    out = phases + rest
    rng.shuffle(out)
    return phases, out


def test():
    rng = seeded("kills")
    with Box() as box:
        box.init("--mode", rng.choice(("stored", "derived")))
        world = World(box, rng)
        box.expect(0, "status")
        world.state = os.path.dirname([f for f in files(box.home) if f.endswith("catalogue.db")][0])
        points()
        phases, todo = plans(rng)
        kills = inside = tried = 0
        hit, turn = set(), 0
        t0 = time.monotonic()
        while kills < KILLS or set(phases) - hit:
            check(tried < 4 * KILLS, f"only {kills} kills in {tried} tries; never hit: {sorted(set(phases) - hit)}")
            left = [p for p in phases if p not in hit]
            plan = todo[turn] if turn < len(todo) else rng.choice(left) if left else (rng.choice(sorted(PHASES)), "client", None)
            kind, killed, within = run_one(world, plan)
            turn, tried, kills, inside = turn + 1, tried + 1, kills + killed, inside + (killed and within)
            if killed and plan[2]:
                hit.add((kind, plan[1], plan[2]))
            if tried % 50 == 0:
                print(f"  {tried} operations, {kills} kills, {time.monotonic() - t0:.0f} s", flush=True)
        in_two_requests(world)
        agree(world)
        for lost in (rng.sample(range(5), 2) for _ in range(2)):
            with box.lost(*(box.clouds[i] for i in lost), box.stores[rng.randrange(2)]):
                all_are_whole(world, (0, 4), f"without clouds {lost} and a share")
        print(f"{kills} kills in {tried} operations, {inside} inside an operation; all {len(phases)} phases of put, overwrite, rm and a put of many hit; "
              f"{len(world.acked)} objects whole, also without two clouds and a share", flush=True)
        check(inside >= 0.9 * kills, f"only {inside} of {kills} kills were inside an operation")


main(test)
