#!/usr/bin/python3
"""I1, I2, I6: kill -9 of a gateway that many use, with all that it ever does under way at once: users put, overwrite, move, remove, read and
give up; fragments, records and root objects are lost, cut and rot on two of five clouds, one of them is away for a while or is wiped
and filled again; scrub, repair and the payment of debts run; and a cloud is added, another one
drained and retired. It is killed at each fault point of all of these and at random instants.

After each kill, before anything else runs: what the catalogue counts as there lies on its cloud, so that no margin is overstated. What
was asked and not answered was done as a whole or not at all. In the end everything acknowledged is there byte for byte, once; all
debts are paid; one repair finds all whole, and nothing lies on the clouds that the catalogue does not name, or that the second reader
cannot explain; any two clouds may go.

On SQLite and on PostgreSQL, where a successor waits for the session of the dead, and now and then the server ends with it, as by a
crash, and has what it committed from its log: some 65 kills in all, which hit every phase on one of the two, those of clouds
that come and go on SQLite (with QC_FULL=1 250 on each, every phase on both; QC_KILLS=N on each; QC_ONLY=SQLite; QC_VERBOSE=1). The
seed is printed."""
import collections
import json
import os
import random
import re
import shutil
import signal
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
PATIENCE_S, PATIENCE_COMMANDS = 30, 50      # then a point counts as missed
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
# Clouds come and go: what is asked for, and where it dies meanwhile, in this order; then it comes to its end. While a cloud is drained
# anything else goes on, and dies.
MOVES = (("add", ("move_row", "move_filled", "shares_drawn", "shares_put", "shares_spread", "member_logged", "shares_settle", "shares_settled")),
         ("drain", ("drain_begun",)),
         ("retire", ("retire_counted", "shares_put", "shares_spread", "shares_settle", "retire_identity", "retire_cleaned")))
MOVE = tuple(dict.fromkeys(p for _, points in MOVES for p in points))
DRAINED = 4                     # deaths at any point, at least, while a cloud is drained
END = "end"                     # of a move
# Of those who do not serve, of other programs, or of work that has a test of its own. repair_bury: only where a PUT comes late, prop/gateway_late.
ELSEWHERE = ("file_", "client_", "qrng_file_", "gw_init_", "rebuild_", "repair_bury", "cat_kept", "snap", "recode_", "repack_", "pads_", "resume_", "watch_", "refresh_", "sync_", "selftest_", "members_")
Step = collections.namedtuple("Step", "point move", defaults=(None,))       # where it dies, None: some time; what is asked for


def no_point_forgotten():
    with open(TABLE, encoding="ascii") as f:
        known = re.findall(r"X\((\w+),", f.read())
    gone, new = set(PHASES + MOVE) - set(known), [p for p in known if p not in PHASES + MOVE and not p.startswith(ELSEWHERE)]
    check(not gone and not new, f"fault points that are no more: {sorted(gone)}; that nobody dies at: {new}")


# ---------------------------------------------------------------- the two kinds of catalogue
class OnSqlite:
    name, server = "SQLite", None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def prepare(self, gateway):
        self.state = gateway.state

    def over(self):
        pass

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

    def over(self):
        """What a dead gateway had sent the server is done, or is not."""
        until = time.monotonic() + LIMIT_S
        while self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE backend_type='client backend' AND pid<>pg_backend_pid()").strip() != "0":
            check(time.monotonic() < until, "sessions of a dead gateway do not end")
            time.sleep(0.02)

    def rows(self, sql):
        text = self.server.psql("SET search_path TO qcloud; " + sql)
        return [[int(v) if re.fullmatch(r"-?\d+", v) else v.removeprefix("\\x") for v in line.split("|")] for line in text.splitlines()]


class Client(User):
    """Who has few names, and sometimes loses patience."""

    moved = 0

    def fresh(self):
        return f"n{self.rng.randrange(NAMES)}"

    def move(self, name, to):
        """Over what is there. Unanswered it may be at either name, and come to be later; never at both, nor at none."""
        data, old = self.acked[name], self.acked.get(to)
        p = self.start("--timeout", "30", "mv", "--force", name, to)
        _, err = p.communicate(timeout=LIMIT_S)
        if p.returncode in (0, 4):
            self.acknowledge(name, None)
            self.acknowledge(to, data)
            self.done += 1
            self.moved += 1
            return
        check(p.returncode in (5, 6, 11, 130), f"mv: exit {p.returncode}: {err.decode(errors='replace')}")
        self.failed += 1
        self.unanswered(name, None)
        self.unanswered(to, data)
        for n in (to, name):
            self.settle(n)
        if self.acked.get(to) == data != old:
            check(name not in self.acked, f"{name} was moved to {to}, and is there")
        elif old != data:
            self.unanswered(to, data)
            if name not in self.acked:      # it came to be in between
                self.settle(to)
                check(self.acked.get(to) == data, f"{name} was moved to {to}, and is at neither")

    def one(self):
        time.sleep(self.rng.random() * 0.1)
        name = self.fresh()
        kind = "stop" if self.world.hurry else self.rng.choice(("put", "put", "rm", "get", "stop", "prune", "mv", "mv", "mv")) if name in self.acked else "put"
        if kind == "mv":
            to = self.fresh()
            if to != name and not {name, to} & set(self.maybe):
                self.move(name, to)
                return
            kind = "put"
        if kind == "get":
            self.settle(name)
            return
        if kind == "prune":             # old versions go, and nothing that a name has
            p = self.start("--timeout", "30", "prune", "--keep-last", self.rng.choice("12"), "--yes")
            _, err = p.communicate(timeout=LIMIT_S)
            check(p.returncode in (0, 3, 4, 5, 6, 11, 130), f"prune: exit {p.returncode}: {err}")
            return
        data = None if kind == "rm" else self.rng.randbytes(4 << 20 if self.world.hurry else self.rng.choice(SIZES))
        args = ("rm", name) if kind == "rm" else ("put", self.write("in", data), name)
        p = self.start("--timeout", "30", *args)
        if kind == "stop":
            time.sleep(self.rng.random() * self.rng.choice((0.1, 0.4, 1.5)))
            p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=LIMIT_S)
        self.ended(name, data, p.returncode, err, (3, 5, 6, 11, 130, *([-signal.SIGINT] if kind == "stop" else ())))

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
class World:
    def __init__(self, catalogue, rng):
        self.catalogue, self.rng = catalogue, rng
        self.box = Box()
        self.root = self.box.root
        self.gateway = Gateway(self.root, "g", self.box.env())
        self.gateways, self.door = [self.gateway], self.gateway.door
        self.planted = set()                # files that we took
        self.stood = {}                     # (segment, fragment): number of the cloud on which it counted last
        self.names = {c: f"c{i}" for i, c in enumerate(self.box.clouds, 1)}
        self.victims = rng.sample(self.box.clouds, 2)
        self.leaving = self.coming = None   # clouds; there is a sixth one between the end of add and that of retire
        self.hit, self.draining, self.crashes = collections.Counter(), 0, 0
        self.away, self.wiped, self.users = [], False, []
        self.kills = 0
        self.hurry = False                  # users give up what they began
        self.make()
        clouds = [reader.Cloud(c) for c in self.box.clouds]
        self.G, _ = reader.find_root_key(clouds)
        self.ids, self.clouds = clouds[0].catalogue, {}
        self.know()

    def know(self):
        """The numbers of the clouds, but for those that are away, or have lost theirs."""
        for cloud in map(reader.Cloud, [c for c in self.box.clouds if os.path.exists(os.path.join(c, "i", "cloud"))]):
            if cloud.bind(self.G):
                self.clouds[cloud.id] = cloud

    def make(self):
        g = self.gateway
        os.mkdir(g.state, 0o700)
        with open(g.conf, "a", encoding="ascii") as f:
            f.write("[scrub]\nbytes-per-second = 0\nrequests-per-second = 0\n")
        self.catalogue.prepare(g)
        for c in self.box.clouds:
            os.mkdir(c)
        g.run("init", "--config", g.conf, *[w for c, name in self.names.items() for w in ("--cloud", f"{name}=file://{c}")], "--k", "3")

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

    def commands(self):
        return sum(u.done + u.failed for u in self.users)

    def dies(self, point, patience, commands=0, move=None):
        """Did it die by itself, within so many seconds, and commands of users: on a slow machine less happens in a second? The points of a move
        are waited for as long as it has not come to its end; an adoption is asked for until it is begun."""
        p, began, before = self.gateway.process, time.monotonic(), self.commands()
        quiet, ask = began, 0
        while p.poll() is None:
            now = time.monotonic()
            if now - began >= LIMIT_S or now - quiet >= patience and self.commands() - before >= commands:
                break
            complain(self.users)
            if move and now >= ask:     # asking costs it something, too
                quiet = now if self.move(move) and point in MOVE else quiet
                ask = now + max(0.05, 4 * (time.monotonic() - now))
            elif point in ADOPT and now >= ask:
                self.adopt()
                ask = now + max(1, 4 * (time.monotonic() - now))
            time.sleep(0.002)
        hit = p.poll() is not None
        if not hit:
            p.send_signal(signal.SIGKILL)
        p.wait(60)
        check(p.returncode == -signal.SIGKILL, f"exit {p.returncode}\n{self.gateway.tail()}")
        self.catalogue.over()
        return hit

    def ask(self, method, path, body=None):
        """The answer, or None of a gateway that died meanwhile."""
        return self.gateway.ask(method, path, body)

    def state_of_all(self):
        s = self.ask("GET", "/v1/status") or {}
        return {**{k: s.get(k) for k in ("debts", "record_debts", "margins", "paying")},
                **{c["name"]: (c["state"], c["why"], c["breaker"], c["debts"], c["scrub"]) for c in s.get("clouds", [])}}

    # ------------------------------------------------------------ harm
    def damage(self, kinds="fl", share=0.15):
        """On the two clouds that are allowed to be bad; nothing is served meanwhile."""
        for cloud in self.victims:
            if not os.path.isdir(cloud):
                continue
            for f in (f for kind in kinds for f in files(os.path.join(cloud, kind))):
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
        cloud = self.victims[1]
        self.planted |= set(files(cloud))
        shutil.rmtree(cloud)
        os.mkdir(cloud)
        self.wiped = True

    def go(self, count=1):
        for cloud in self.victims[:count]:
            os.rename(cloud, cloud + ".away")
            self.away.append(cloud)

    def come(self):
        for cloud in self.away:
            os.rename(cloud + ".away", cloud)
        self.away.clear()

    def adopt(self):
        """Ask for it until it is begun; the one who asks is in doubt after a kill. What is away for a while is not made anew."""
        if self.victims[1] not in self.away:
            self.ask("POST", "/v1/repair", {"adopt": self.names[self.victims[1]]})

    # ------------------------------------------------------------ clouds come and go
    def move(self, kind):
        """Asked for, unless it runs, or has been done (False): whoever asks is in doubt after a kill."""
        job, member = self.ask("GET", "/v1/clouds/job") or {}, self.member(self.coming if kind == "add" else self.leaving)
        if job.get("state") == "running" or member is None:
            return True
        if self.moved(kind, member):
            return False
        args = {"name": self.names[self.coming], "url": "file://" + self.coming} if kind == "add" else {"name": self.names[self.leaving]}
        self.ask("POST", "/v1/clouds/job", {"kind": kind, **args})
        return True

    def member(self, cloud):
        """What the gateway says of a cloud: {} of one that it does not have, None where it says nothing."""
        s = self.ask("GET", "/v1/clouds")
        return s and next((c for c in s["clouds"] if c["name"] == self.names[cloud]), {})

    @staticmethod
    def moved(kind, member):
        return not member if kind == "retire" else member and member["role"] == ("in use" if kind == "add" else "draining")

    def begin(self, kind):
        if kind == "add":
            self.leaving = self.rng.choice(self.box.clouds)
            self.coming = os.path.join(self.root, f"cloud{len(self.names) + 1}")
            self.names[self.coming] = f"c{len(self.names) + 1}"
            self.box.clouds.append(self.coming)

    def finish(self, kind):
        """What was begun comes to its end; with a drain nothing is left on the cloud."""
        def done():
            self.move(kind)
            member = self.member(self.coming if kind == "add" else self.leaving)
            return member is not None and self.moved(kind, member) and (kind != "drain" or member["fragments"] == 0)

        self.come()
        self.start()
        self.until(done, kind + " does not end")
        self.gateway.signal(signal.SIGKILL)
        self.gateway.process.wait(60)
        gone = self.lost()                  # and where all stands now
        check(not gone, f"{kind}: {len(gone)} fragments count and are not there: {gone[:3]}")
        if kind == "retire":
            left = [f for f in files(self.leaving) if "/." not in f[len(self.root):]]
            check(not left, f"left on the cloud that is retired: {left[:3]}")
            shutil.rmtree(self.leaving)
            self.box.clouds.remove(self.leaving)
            self.victims = [v for v in self.victims if v != self.leaving]
            self.victims += self.rng.sample([c for c in self.box.clouds if c not in self.victims], 2 - len(self.victims))
            self.leaving = self.coming = None

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
                    if at not in self.clouds:
                        self.know()
                    self.stood[seg, i] = at
                    name = self.clouds[at].name(reader.Archive.block({"id": seg, "incarnation": incarnation, "salt": salt}, i, attempt))
                    yield os.path.join(self.clouds[at].path, "f", name[:2], name)

    def lost(self):
        """Fragments that count, and are not there. The bad ones were taken by us."""
        gone = []
        for path in self.counted():
            there = path
            for cloud in self.away:
                there = there.replace(cloud + "/", cloud + ".away/")
            if not os.path.exists(there) and path not in self.planted:
                gone.append(path)
        return gone

    def overstated(self):
        """Segments that have less than was acknowledged, apart from what we took: what counted on a cloud that may be bad, though it is wanted
        on another one since. Called after lost(), which looks where all stands."""
        victims = {i for i, c in self.clouds.items() if c.path in self.victims}
        short = {}
        for version, seg, slack, acked, frag, state, at in self.catalogue.rows(
                "SELECT v.version_no, s.segment_id, l.n-l.k, v.acked, d.frag, d.state, d.cloud_id FROM version v JOIN segment s ON s.version_no=v.version_no"
                " JOIN layout l ON l.layout_id=s.layout_id JOIN deviation d ON d.segment_id=s.segment_id"
                " WHERE v.state=3 AND s.seq IS NOT NULL AND d.state<>3"):
            stood = self.stood.get((seg, frag), at)
            if not {at, stood} & victims:
                short.setdefault((version, seg, slack - acked), []).append((frag, state, at, stood))
        return [(*key, missing, self.victims, self.leaving) for key, missing in short.items() if len(missing) > key[2]]

    # ------------------------------------------------------------ ends
    def rests(self):
        """All is mended, paid, swept."""
        s = self.ask("GET", "/v1/status")
        if s is None:
            return False
        busy = any(c["scrub"][d]["state"] != "resting" for c in s["clouds"] for d in ("presence", "content"))
        return not busy and s["debts"] == 0 and s["record_debts"] == 0 and not any(c["scrub"]["queue"]["fragments"] for c in s["clouds"])

    def progress(self, least):
        """What changes while anything is being mended, and only then: users make new debts all the time, so that the least of them counts."""
        s = self.ask("GET", "/v1/status") or {"clouds": []}
        for what in ("debts", "record_debts"):
            least[what] = min(least.get(what, 1 << 60), s.get(what, 1 << 60))
        drained = self.leaving and (self.member(self.leaving) or {}).get("fragments")
        return dict(least), drained, [(c["debts"]["paid"], c["scrub"]["queue"]["fragments"], *((d["last"], d["now"] and d["now"]["objects"]) for d in (
            c["scrub"]["presence"], c["scrub"]["content"]))) for c in s["clouds"]]

    def until(self, condition, what):
        """As long as something gets on: a machine may be slow, and asking costs it something, too."""
        end, look, now, least = time.monotonic() + LIMIT_S, 0, None, {}
        while True:
            began = time.monotonic()
            if condition():
                return
            if began > look:
                was, now, look = now, self.progress(least), began + 10
                end = end if was == now else began + LIMIT_S
            check(self.gateway.process.poll() is None, f"the gateway has ended: {self.gateway.tail()}")
            check(began < end, f"{what}: {self.state_of_all()}\n{self.gateway.tail()}")
            time.sleep(max(0.05, 3 * (time.monotonic() - began)))

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
        self.look()
        self.planted.clear()

    def look(self):
        self.until(lambda: self.ask("POST", "/v1/scrub", {"content": True}) is not None, "no scrub begins")
        self.until(self.rests, "it is not mended")


# ---------------------------------------------------------------- a kill
def one_kill(world, step):
    """The gateway dies at a point, or some time. Where chance gave it too little to do it dies some time, and has another try."""
    point = step.point
    if point == END:
        return world.finish(step.move)
    for harm in (0.1, 0.3, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6):
        if a_life(world, point, 0.5 if point in MEND + REPAIR + SWEEP else harm, step.move):
            world.hit[point] += 1
            return None
    raise Failure(f"{point} was not reached; {world.state_of_all()}\n{world.gateway.tail()}")


def a_life(world, point, harm, move):
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
    # An adoption begins with nothing each time, and fills the cloud with all of the log.
    patience = (rng.random() ** 2 * 1.5,) if point is None else (LIMIT_S,) if point in ADOPT else (PATIENCE_S, PATIENCE_COMMANDS)
    hit = world.dies(point, *patience, move=move) or point is None
    if world.catalogue.server and rng.random() < 0.2:
        world.catalogue.server.stop("immediate")
        world.catalogue.server.start()
        world.crashes += 1
    world.hurry = False
    world.wiped = world.wiped and not (hit and point == "adopt_logged")
    world.draining += move == "drain" and any(f.startswith(world.leaving + "/") for f in world.counted())
    gone = world.lost()
    check(not gone, f"{point}: {len(gone)} fragments count and are not there: {gone[:3]}")
    less = world.overstated()
    check(not less, f"{point}: (version, segment, may lack, [(fragment, state, cloud, where it stood)]) with less than was acknowledged: {less[:3]}")
    world.kills += 1
    return hit


def whole(world, users):
    """In the end."""
    g = world.gateway
    for u in users:
        u.close()
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


def plans(rng, points, kills, moves):
    """In random order, but a cloud is wiped and filled once; so often a cloud comes and another one goes, with some of the rest while it
    is drained."""
    some = [Step(p) for p in points if p not in ADOPT] + [Step(None)] * max(kills - len(points) - moves * sum(len(p) for _, p in MOVES), 2)
    rng.shuffle(some)
    parts = [[Step(p) for p in ADOPT if p in points]]
    for _ in range(moves):
        able = [s for s in some if s.point not in REFUSED]      # those need all clouds but five to be away
        meanwhile = able[:max(DRAINED, len(able) // (2 * moves))]
        for s in meanwhile:
            some.remove(s)
        parts.append([Step(p, kind) for kind, its in MOVES for p in (*its, *(s.point for s in meanwhile if kind == "drain"), END)])
    parts += [[s] for s in some]
    rng.shuffle(parts)
    return [p for part in parts for p in part]


def scenario(kind, rng, mine, kills, moves):
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
                slow = load(world, users, plans(rng, mine, kills, moves))
            finally:
                over.set()
            world.mend()
            for t in threads:
                t.join(LIMIT_S)
            complain(users)
            # A put that outlived the last harm and was committed behind a pass has what it lost found by the next one.
            world.look()
            whole(world, users)
            done, failed, moved = sum(u.done for u in users), sum(u.failed for u in users), sum(u.moved for u in users)
            if moves:
                mine = [*mine, *MOVE]
            check(set(mine) <= set(world.hit), f"nobody died at {set(mine) - set(world.hit)}")
            check(not (FULL and moves) or world.draining > 0, "nobody died while a cloud was drained")
            if FULL:
                print("  " + ", ".join(f"{p or 'some time'} {n}" for p, n in sorted(world.hit.items(), key=str)), flush=True)
            print(f"{catalogue.name}: {world.kills} kills, {world.draining} of them while a cloud was drained, {world.crashes} of the server, too, {len(mine)} phases, each hit, "
                  f"{done} commands acknowledged, {moved} of them moves of names, {failed} not, "
                  f"{sum(len(u.acked) for u in users)} objects whole; {time.monotonic() - began:.0f} s; slowest {slow}", flush=True)
        finally:
            world.close()


def complain(users):
    for u in users:
        if u.why is not None:
            raise Failure(f"user {u.number}: {u.why}") from u.why


def load(world, users, todo):
    took, mended = [], -1
    for i, step in enumerate(todo):
        began = time.monotonic()
        if step.move and todo[i - 1].move != step.move:
            world.begin(step.move)
        one_kill(world, step)
        complain(users)
        took.append((round(time.monotonic() - began, 1), *filter(None, step)))
        if os.environ.get("QC_VERBOSE"):
            print(f"  {took[-1]}, {sum(u.done for u in users)} done", flush=True)
        # Other clouds become bad, but not while one is added or retired: that is owed what only saying it again pays.
        if i - mended >= 50 and len(todo) - i > 25 and (step.move in (None, "drain") or step.point == END):
            mended = i
            print(f"  {world.catalogue.name}: {i + 1} kills", flush=True)
            world.mend()
            world.gateway.signal(signal.SIGKILL)
            world.gateway.process.wait(60)
            world.victims = world.rng.sample(world.box.clouds, 2)
    return sorted(took, key=lambda t: -t[0])[:4]


def test():
    rng = seeded("gateway_kills")
    no_point_forgotten()
    phases = [p for p in PHASES if p not in ADOPT]
    rng.shuffle(phases)
    kills = {OnSqlite: 58, OnPostgres: 8}
    points = {OnSqlite: phases[:36] + list(ADOPT), OnPostgres: phases[36:]}     # ADOPT is one piece
    if FULL or "QC_KILLS" in os.environ:
        kills, points = dict.fromkeys(kills, KILLS), dict.fromkeys(points, list(PHASES))
    only = os.environ.get("QC_ONLY", "SQLite PostgreSQL")
    for kind in kills:
        if kind.name in only:
            scenario(kind, rng, points[kind], kills[kind], max(1, kills[kind] // 60) if kills[kind] > 20 else 0)


if __name__ == "__main__":
    main(test)
