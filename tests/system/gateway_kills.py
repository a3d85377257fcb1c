#!/usr/bin/python3
"""I1, I2, I6: kill -9 of a gateway that many use, with all that it ever does under way at once: users put, overwrite, remove, read and
give up; fragments, records and root objects are lost, cut and rot on two of five clouds, one of them is away for a while or is wiped
and filled again; scrub, repair and the payment of debts run. It is killed at each fault point of all of these and at random instants.

After each kill, before anything else runs: what the catalogue counts as there lies on its cloud, so that no margin is overstated. What
was asked and not answered was done as a whole or not at all. In the end everything acknowledged is there byte for byte, once; all
debts are paid; one repair finds all whole, and nothing lies on the clouds that the catalogue does not name, or that the second reader
cannot explain; any two clouds may go.

On SQLite and on PostgreSQL, where a successor waits for the session of the dead: 50 kills in all, which hit every phase on one of the
two (with QC_FULL=1 250 on each, every phase on both; QC_KILLS=N on each; QC_ONLY=SQLite; QC_VERBOSE=1). The seed is printed."""
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
sys.dont_write_bytecode = True
import qcloud_reader as reader                                  # noqa: E402
from harness import FULL, Box, Failure, check, files, flip, main, read_again, seeded  # noqa: E402
from postgres import Postgres                                   # noqa: E402
from two_gateways import Gateway, User                          # noqa: E402

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "base", "include", "base", "fault_points.h")
KILLS = int(os.environ.get("QC_KILLS", "250"))
USERS = 3
NAMES = 7                       # of one user: overwritten and removed more than made anew
LARGE = (16 << 20) + 99         # of one object that stays as it is: two segments
SIZES = (0, 900, 5000, 70_000, 70_000, 1 << 20)
PATIENCE_S = 30                 # then a point counts as missed
LIMIT_S = 600                   # what takes seconds on an idle machine

# What a gateway passes while it serves, by the work that it belongs to.
PUT = ("put_intent", "put_intent_done", "put_frag", "put_frag_done", "put_segment_row", "put_decide", "put_decided", "put_log", "put_witness",
       "put_publish", "put_published", "put_ack", "qrng_fill", "cloud_tmp_made", "cloud_tmp_written", "cloud_tmp_synced", "cloud_published",
       "db_commit", "db_committed")
CANCEL = ("cancel_row", "cancel_done")
REFUSED = ("sweep_mark", "sweep_marked")           # a segment that too few clouds took
SWEEP = ("sweep_delete", "sweep_deleted", "sweep_round", "cloud_unlinked")
SCRUB = ("scrub_begin", "scrub_page", "scrub_paged", "scrub_end")
MEND = ("debt_put", "debt_paid", "repair_trial", "repair_trial_done", "repair_put", "repair_put_done", "repair_read_back", "repair_settle",
        "repair_settled", "cloud_tmp_linked")
REPAIR = ("repair_seen", "repair_root")
ADOPT = ("adopt_begun", "adopt_uncounted", "adopt_filled", "adopt_named", "adopt_done", "adopt_logged")
PHASES = PUT + CANCEL + REFUSED + SWEEP + SCRUB + MEND + REPAIR + ADOPT
# Of those who do not serve, of other programs, or of work that has a test of its own. repair_bury: only where a PUT comes late, prop/gateway_late.
ELSEWHERE = ("file_", "client_", "qrng_file_", "gw_init_", "rebuild_", "repair_bury", "cat_kept", "move_", "shares_", "member_", "drain_", "retire_", "snap",
             "reprotect_")


def no_point_forgotten():
    with open(TABLE, encoding="ascii") as f:
        known = re.findall(r"X\((\w+),", f.read())
    gone, new = set(PHASES) - set(known), [p for p in known if p not in PHASES and not p.startswith(ELSEWHERE)]
    check(not gone and not new, f"fault points that are no more: {sorted(gone)}; that nobody dies at: {new}")


# ---------------------------------------------------------------- the two kinds of catalogue
class OnSqlite:
    name = "SQLite"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def prepare(self, gateway):
        self.state = gateway.state

    def rows(self, sql):
        """From a copy: whoever opens the files recovers them, and that is the next gateway's part."""
        copy = self.state + ".copy"
        shutil.rmtree(copy, ignore_errors=True)
        os.mkdir(copy)
        for name in ("catalogue.db", "catalogue.db-wal"):
            if os.path.exists(os.path.join(self.state, name)):
                shutil.copy(os.path.join(self.state, name), copy)
        db = sqlite3.connect(os.path.join(copy, "catalogue.db"))
        try:
            return [[v.hex() if isinstance(v, bytes) else v for v in r] for r in db.execute(sql)]
        finally:
            db.close()


class OnPostgres:
    name = "PostgreSQL"

    def __init__(self):
        self.server = Postgres()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()

    def prepare(self, gateway):
        with open(os.path.join(gateway.state, "catalogue.conf"), "w", encoding="ascii") as f:
            f.write(f"[postgresql]\nhost = {self.server.socket}\nuser = qcloud\ndbname = qcloud\n")

    def rows(self, sql):
        text = self.server.psql("SET search_path TO qcloud; " + sql)
        return [[int(v) if re.fullmatch(r"-?\d+", v) else v.removeprefix("\\x") for v in line.split("|")] for line in text.splitlines()]


class Client(User):
    """Who has few names, and sometimes loses patience."""

    def fresh(self):
        return f"n{self.rng.randrange(NAMES)}"

    def one(self):
        time.sleep(self.rng.random() * 0.1)
        name = self.fresh()
        kind = "stop" if self.world.hurry else self.rng.choice(("put", "put", "rm", "get", "stop")) if name in self.acked else "put"
        if kind == "get":
            self.settle(name)
            return
        data = None if kind == "rm" else self.rng.randbytes(4 << 20 if self.world.hurry else self.rng.choice(SIZES))
        args = ("rm", name) if kind == "rm" else ("put", self.write("in", data), name)
        p = self.start("--timeout", "30", *args)
        if kind == "stop":
            time.sleep(self.rng.random() * self.rng.choice((0.1, 0.4, 1.5)))
            p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=LIMIT_S)
        if self.acknowledged(name, data, p.returncode):
            return
        check(p.returncode in (3, 5, 6, 11, 130) or kind == "stop" and p.returncode == -signal.SIGINT, f"{args[0]}: exit {p.returncode}: {err.decode(errors='replace')}")
        self.failed += 1
        self.maybe[name] = {data}
        self.settle(name)


    def read_all(self):
        """With whatever is lost."""
        out = os.path.join(self.work, "tree")
        shutil.rmtree(out, ignore_errors=True)
        self.expect(0, "get", "-r", "", out)
        got = {}
        for f in files(out):
            with open(f, "rb") as h:
                got[os.path.relpath(f, out)] = h.read()
        check(got == self.acked, f"user {self.number} reads something else: {sorted(got)}, {sorted(self.acked)}")


# ---------------------------------------------------------------- one gateway, its clouds, and what happens to both
class Operator(http.client.HTTPConnection):
    """The gateway's socket for its operator."""

    def __init__(self, state):
        super().__init__("gateway", timeout=LIMIT_S)
        self.path = os.path.join(state, "gateway.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(LIMIT_S)
        self.sock.connect(self.path)


class World:
    def __init__(self, catalogue, rng):
        self.catalogue, self.rng = catalogue, rng
        self.box = Box()
        self.root = self.box.root
        self.gateway = Gateway(self.root, "g", self.box.env())
        self.gateways, self.door = [self.gateway], self.gateway.door
        self.planted = set()                # files that we took
        self.victims = rng.sample(range(5), 2)
        self.away, self.wiped, self.users = [], False, []
        self.kills = 0
        self.hurry = False                  # users give up what they began
        self.make()
        clouds = [reader.Cloud(c) for c in self.box.clouds]
        self.G, _ = reader.find_root_key(clouds)
        self.clouds = {c.id: c for c in clouds if c.bind(self.G)}
        self.ids = clouds[0].catalogue

    def make(self):
        g = self.gateway
        os.mkdir(g.state, 0o700)
        with open(g.conf, "a", encoding="ascii") as f:
            f.write("[scrub]\nbytes-per-second = 0\nrequests-per-second = 0\n")
        self.catalogue.prepare(g)
        for c in self.box.clouds:
            os.mkdir(c)
        g.run("init", "--config", g.conf, *[w for i, c in enumerate(self.box.clouds, 1) for w in ("--cloud", f"c{i}=file://{c}")], "--k", "3")

    def close(self):
        self.gateway.ending = True
        self.gateway.signal(signal.SIGKILL)
        self.box.__exit__()

    # ------------------------------------------------------------ the gateway
    def start(self, script=None):
        g = self.gateway
        g.env = self.box.env(**({"QC_FAULT": script} if script else {}))
        g.start()
        until = time.monotonic() + LIMIT_S
        while not g.up() and g.process.poll() is None:
            check(time.monotonic() < until, "the gateway does not come: " + g.tail())
            time.sleep(0.005)

    def dies(self, until):
        """Did it die by itself?"""
        p = self.gateway.process
        while p.poll() is None and time.monotonic() < until:
            complain(self.users)
            time.sleep(0.002)
        hit = p.poll() is not None
        if not hit:
            p.send_signal(signal.SIGKILL)
        p.wait(60)
        check(p.returncode == -signal.SIGKILL, f"exit {p.returncode}\n{self.gateway.tail()}")
        return hit

    def ask(self, method, path, body=None):
        """The answer, or None of a gateway that died meanwhile."""
        o = Operator(self.gateway.state)
        try:
            o.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} if body else {})
            return json.loads(o.getresponse().read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None
        finally:
            o.close()

    def state_of_all(self):
        s = self.ask("GET", "/v1/status") or {}
        return {**{k: s.get(k) for k in ("debts", "record_debts", "margins", "paying")},
                **{c["name"]: (c["state"], c["why"], c["breaker"], c["debts"], c["scrub"]) for c in s.get("clouds", [])}}

    # ------------------------------------------------------------ harm
    def cloud(self, at):
        return self.box.clouds[at]

    def damage(self, kinds="fl", share=0.15):
        """On the two clouds that are allowed to be bad; nothing is served meanwhile."""
        for at in self.victims:
            if not os.path.isdir(self.cloud(at)):
                continue
            for f in (f for kind in kinds for f in files(os.path.join(self.cloud(at), kind))):
                if self.rng.random() < share and not os.path.basename(f).startswith("."):
                    harm, size = self.rng.randrange(3), os.path.getsize(f)
                    if harm == 0:
                        os.unlink(f)
                    elif harm == 1:
                        os.truncate(f, self.rng.randrange(size + 1))
                    elif size:
                        flip(f, self.rng.randrange(size), self.rng.randrange(8))
                    self.planted.add(f)

    def wipe(self):
        at = self.victims[1]
        self.planted |= set(files(self.cloud(at)))
        shutil.rmtree(self.cloud(at))
        os.mkdir(self.cloud(at))
        self.wiped = True

    def go(self, count=1):
        for at in self.victims[:count]:
            os.rename(self.cloud(at), self.cloud(at) + ".away")
            self.away.append(at)

    def come(self):
        for at in self.away:
            os.rename(self.cloud(at) + ".away", self.cloud(at))
        self.away.clear()

    def adopt(self):
        """Ask for it until it is begun; the one who asks is in doubt after a kill."""
        self.ask("POST", "/v1/repair", {"adopt": f"c{self.victims[1] + 1}"})

    # ------------------------------------------------------------ what must hold after each kill
    def counted(self):
        """The files that the catalogue counts as being there."""
        moved = {(s, f): rest for s, f, *rest in self.catalogue.rows("SELECT segment_id, frag, state, cloud_id, attempt, incarnation FROM deviation")}
        for seg, inc, salt, k, n, clouds in self.catalogue.rows(
                "SELECT s.segment_id, s.incarnation, s.salt, l.k, l.n, l.clouds FROM segment s JOIN layout l ON l.layout_id=s.layout_id"
                " WHERE s.seq IS NOT NULL"):
            salt = bytes.fromhex(salt)
            places = [int(clouds[8 * i:8 * i + 8], 16) for i in range(n)]
            perm = reader.permutation(self.G, self.ids, seg, salt, n)
            check(k == 3 and n == 5, f"EC({k},{n})")
            for i in range(n):
                state, at, attempt, incarnation = moved.get((seg, i), (3, places[perm[i]], 0, inc))
                if state == 3:
                    name = self.clouds[at].name(reader.Archive.block({"id": seg, "incarnation": incarnation, "salt": salt}, i, attempt))
                    yield os.path.join(self.clouds[at].path, "f", name[:2], name)

    def lost(self):
        """Fragments that count, and are not there. The bad ones were taken by us."""
        gone = []
        for path in self.counted():
            there = path
            for at in self.away:
                there = there.replace(self.cloud(at) + "/", self.cloud(at) + ".away/")
            if not os.path.exists(there) and path not in self.planted:
                gone.append(path)
        return gone

    def overstated(self):
        """Segments that have less than was acknowledged, apart from what we took."""
        victims = {i for i, c in self.clouds.items() if c.path in map(self.cloud, self.victims)}
        short = {}
        for version, seg, slack, acked, at in self.catalogue.rows(
                "SELECT v.version_no, s.segment_id, l.n-l.k, v.acked, d.cloud_id FROM version v JOIN segment s ON s.version_no=v.version_no"
                " JOIN layout l ON l.layout_id=s.layout_id JOIN deviation d ON d.segment_id=s.segment_id"
                " WHERE v.state=3 AND s.seq IS NOT NULL AND d.state<>3"):
            key = version, seg, slack - acked
            short[key] = short.get(key, 0) + (at not in victims)
        return [key for key, missing in short.items() if missing > key[2]]

    # ------------------------------------------------------------ ends
    def rests(self):
        """All is mended, paid, swept."""
        s = self.ask("GET", "/v1/status")
        if s is None:
            return False
        busy = any(c["scrub"][d]["state"] != "resting" for c in s["clouds"] for d in ("presence", "content"))
        return not busy and s["debts"] == 0 and s["record_debts"] == 0 and not any(c["scrub"]["queue"]["fragments"] for c in s["clouds"])

    def until(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while not condition():
            check(self.gateway.process.poll() is None, f"the gateway has ended: {self.gateway.tail()}")
            check(time.monotonic() < end, f"{what}: {self.state_of_all()}\n{self.gateway.tail()}")
            time.sleep(0.05)

    def mend(self):
        """Everything comes back by itself; a cloud that was wiped, when it is taken up again."""
        self.come()
        self.start()
        if self.wiped:
            def adopted():
                self.adopt()
                return all(c["state"] == "ok" for c in (self.ask("GET", "/v1/status") or {"clouds": [{"state": ""}]})["clouds"])
            self.until(adopted, "the wiped cloud is not taken up again")
            self.wiped = False
        for _ in range(2):              # the first may be one that was under way, and past what was spoilt since
            self.until(lambda: self.ask("POST", "/v1/scrub", {"content": True}) is not None, "no scrub begins")
            self.until(self.rests, "it is not mended")
        self.planted.clear()


# ---------------------------------------------------------------- a kill
def one_kill(world, point):
    """The gateway dies at a point, or some time. Where chance gave it too little to do it dies some time, and has another try."""
    for harm in (0.1, 0.3, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6):
        if a_life(world, point, 0.5 if point in MEND + REPAIR + SWEEP else harm):
            return
    raise Failure(f"{point} was not reached; {world.state_of_all()}\n{world.gateway.tail()}")


def a_life(world, point, harm):
    """It starts on what the last kill left and on new harm, is given work, and dies. Was it at the point?"""
    rng = world.rng
    world.come()
    if point in ADOPT:
        world.wipe()
    world.damage(share=harm)
    if point in ("repair_root", "cloud_tmp_linked"):
        world.damage("r" if point == "repair_root" else "l", 0.8)
    elif point in REFUSED:
        world.go(2)
    elif point in PUT + SCRUB + SWEEP and not world.wiped and rng.random() < 0.2:
        world.go()
    world.start(f"{point}:kill:{rng.choice((1, 1, 2)) if point in PUT else 1}" if point else None)
    if world.wiped:
        world.adopt()
    elif point in REPAIR or point in PUT + (None,) and rng.random() < (0.3 if point else 0.5):
        world.ask("POST", "/v1/repair", {"deep": rng.random() < 0.3})
    world.ask("POST", "/v1/scrub", {"content": point in MEND or rng.random() < 0.3})
    world.hurry = point in CANCEL
    until = time.monotonic() + (rng.random() ** 2 * 1.5 if point is None else PATIENCE_S)
    hit = world.dies(until) or point is None
    world.hurry = False
    world.wiped = world.wiped and not (hit and point == "adopt_logged")
    gone = world.lost()
    check(not gone, f"{point}: {len(gone)} fragments count and are not there: {gone[:3]}")
    less = world.overstated()
    check(not less, f"{point}: (version, segment, may lack) with less than was acknowledged: {less[:3]}")
    world.kills += 1
    return hit


def whole(world, users):
    """In the end."""
    g = world.gateway
    for u in users:
        for name in sorted(u.maybe):
            u.settle(name)
        u.read_all()
        listed = [n for n in u.expect((0, 4), "ls").stdout.decode().split("\n") if n]
        check(len(listed) == len(u.acked), f"user {u.number}: {len(listed)} names, {len(u.acked)} were acknowledged")
        if FULL:
            u.expect(0, "verify", timeout=LIMIT_S)
    world.until(world.rests, "something is left")
    s = world.ask("GET", "/v1/status")
    check([m["margin"] for m in s["margins"]] == [2], f"margins: {s['margins']}")
    g.stop()
    report = json.loads(g.run("repair", "--deep", "--state", g.state, "--json").decode().strip().split("\n")[-1])
    did = {c["name"]: {k: v for k, v in c.items() if k in ("missing", "damaged", "rebuilt", "left") and v} for c in report["clouds"]}
    check(not any(did.values()), f"a repair finds something: {did}")
    named = set(world.counted())
    there = {f for c in world.box.clouds for f in files(os.path.join(c, "f"))}
    check(there == named, f"{len(there - named)} fragments that nobody names: {sorted(there - named)[:3]}; {len(named - there)} are not there")
    read_again(world.box.clouds, [(u.stores, u.acked) for u in users])
    g.ending = False
    for lost in (world.rng.sample(world.box.clouds, 2) for _ in range(5 if FULL else 1)):
        for c in lost:
            os.rename(c, c + ".away")
        world.start()
        for u in users:
            u.read_all()
        g.signal(signal.SIGTERM)
        g.process.wait(60)
        for c in lost:
            os.rename(c + ".away", c)


def plans(rng, points, kills):
    """In random order, but a cloud is wiped and filled once."""
    parts = [[p] for p in points if p not in ADOPT] + [[None]] * max(kills - len(points), 2)
    parts += [[p for p in ADOPT if p in points]]
    rng.shuffle(parts)
    return [p for part in parts for p in part]


def scenario(kind, rng, mine, kills):
    began = time.monotonic()
    with kind() as catalogue:
        world = World(catalogue, rng)
        try:
            world.start()
            users = world.users = [Client(world, i, random.Random(rng.random())) for i in range(USERS)]
            for u in users:
                u.join()
            for u in users:
                for _ in range(3):
                    u.one()
            large = rng.randbytes(LARGE)
            users[0].expect(0, "put", users[0].write("in", large), "large")
            users[0].acked["large"] = large
            world.gateway.signal(signal.SIGKILL)
            world.gateway.process.wait(60)
            over = threading.Event()
            threads = [threading.Thread(target=u.load, args=(over,), daemon=True) for u in users]
            for t in threads:
                t.start()
            try:
                slow = load(world, users, plans(rng, mine, kills))
            finally:
                over.set()
            world.mend()
            for t in threads:
                t.join(LIMIT_S)
            complain(users)
            whole(world, users)
            done, failed = sum(u.done for u in users), sum(u.failed for u in users)
            print(f"{catalogue.name}: {world.kills} kills, {len(mine)} phases, {done} commands acknowledged, {failed} not, "
                  f"{sum(len(u.acked) for u in users)} objects whole; {time.monotonic() - began:.0f} s; slowest {slow}", flush=True)
        finally:
            world.close()


def complain(users):
    for u in users:
        if u.why is not None:
            raise Failure(f"user {u.number}: {u.why}") from u.why


def load(world, users, todo):
    took = []
    for i, point in enumerate(todo):
        began = time.monotonic()
        one_kill(world, point)
        complain(users)
        took.append((round(time.monotonic() - began, 1), point))
        if os.environ.get("QC_VERBOSE"):
            print(f"  {took[-1]}, {sum(u.done for u in users)} done", flush=True)
        if i % 50 == 49:                # other clouds become bad
            print(f"  {world.catalogue.name}: {i + 1} kills", flush=True)
            world.mend()
            world.gateway.signal(signal.SIGKILL)
            world.gateway.process.wait(60)
            world.victims = world.rng.sample(range(5), 2)
    return sorted(took, key=lambda t: -t[0])[:4]


def test():
    rng = seeded("gateway_kills")
    no_point_forgotten()
    phases = list(PHASES)
    rng.shuffle(phases)
    kills = {OnSqlite: 40, OnPostgres: 10}
    points = {OnSqlite: phases[:38], OnPostgres: phases[38:]}
    if FULL or "QC_KILLS" in os.environ:
        kills, points = dict.fromkeys(kills, KILLS), dict.fromkeys(points, phases)
    only = os.environ.get("QC_ONLY", "SQLite PostgreSQL")
    for kind in kills:
        if kind.name in only:
            scenario(kind, rng, points[kind], kills[kind])


if __name__ == "__main__":
    main(test)
