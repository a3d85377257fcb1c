#!/usr/bin/python3
"""I1, I2: two gateways on one catalogue in PostgreSQL, under load from users who reach either, one of them killed every few seconds
and started again, as a service manager would. One sleeps for longer than its lease and wakes; the PostgreSQL server is ended as by
a crash; its connections are cut, some of them between a COMMIT and its answer. Meanwhile a cloud is added, another one drained and retired, and
each time the gateway that was not asked ends, and is back with what there is now. Nothing acknowledged is lost, nothing is there twice, an
unanswered command was done as a whole or not at all; in the end one repair calls everything whole, and nothing lies about that nobody
wants. 9 s of load; two minutes with QC_FULL=1, which only then has time for the sleeper and for another code. The seed is printed."""
import collections
import http.client
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from harness import FULL, GATEWAY, Box, Failure, Known, check, main, seeded  # noqa: E402
from postgres import Postgres  # noqa: E402

LOAD_S = 120 if FULL else 9
EVERY_S = 5 if FULL else 2
SLEEP_S = 25                # QC_PG_LEASE_MS, the other's two looks, and some
USERS = 3
WAIT_S = 600                # for what takes seconds on an idle machine


def pump(a, b, cut):
    """Bytes from a to b, until either ends; cut(chunk): end both now?"""
    try:
        while True:
            chunk = a.recv(65536)
            if not chunk or cut(chunk):
                break
            b.sendall(chunk)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy:
    """A UNIX socket in front of others: each connection goes to one that takes it, chosen anew."""

    def __init__(self, path, behind, rng=None):
        self.path, self.behind, self.rng = path, behind, rng or random.Random(1)
        self.cut_commit, self.cuts = False, 0
        self.open = set()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        for path in self.rng.sample(self.behind, len(self.behind)):
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(path)
                break
            except OSError:
                server.close()
        else:
            client.close()
            return
        pair = (client, server)
        self.open.add(pair)
        armed = [False]

        def up(chunk):
            armed[0] = armed[0] or (self.cut_commit and b"COMMIT\0" in chunk)
            return self.passes(chunk, server)

        def down(chunk):
            """The server has committed and says so; nobody hears it."""
            if armed[0] and self.cut_commit and b"COMMIT\0" in chunk:
                self.cut_commit, self.cuts = False, self.cuts + 1
                return True
            return False

        threads = [threading.Thread(target=pump, args=(client, server, up), daemon=True),
                   threading.Thread(target=pump, args=(server, client, down), daemon=True)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.open.discard(pair)
        for s in pair:
            s.close()

    def passes(self, chunk, server):
        """What a client sends. True: nothing more goes through this connection."""
        return False

    def cut_all(self):
        for a, b in list(self.open):
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()
        self.cut_all()


class Operator(http.client.HTTPConnection):
    """A gateway's socket for its operator."""

    def __init__(self, state, timeout=600):
        super().__init__("gateway", timeout=timeout)
        self.path = os.path.join(state, "gateway.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Gateway:
    """One of the two, with a state directory and a door of its own; started again whenever it ends."""

    def __init__(self, root, name, env):
        self.root, self.name, self.env = root, name, env
        self.state, self.door = os.path.join(root, name), os.path.join(root, name + ".door")
        self.conf, self.log = os.path.join(root, name + ".conf"), os.path.join(root, name + ".log")
        self.starts, self.process, self.ending = 0, None, False
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(f"[gateway]\nstate = {self.state}\n[listen]\nsocket = {self.door}\nsocket-mode = 0666\n")

    def run(self, *args, codes=(0,)):
        p = subprocess.run([GATEWAY, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, env=self.env, check=False)
        check(p.returncode in codes, f"qcloud-gateway {args[0]}: exit {p.returncode}: {(p.stdout + p.stderr).decode(errors='replace')}")
        return p.stdout

    def start(self):
        self.starts += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([GATEWAY, "serve", "--config", self.conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.env)

    def tend(self):
        """As a service manager: it runs, or is started again."""
        if not self.ending and (self.process is None or self.process.poll() is not None):
            self.start()

    def up(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            s.connect(self.door)
            return True
        except OSError:
            return False
        finally:
            s.close()

    def signal(self, number):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self):
        self.ending = True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.process is not None:
            self.process.wait(60)

    def ask(self, method, path, body=None):
        """The answer, or None of one that died meanwhile."""
        o = Operator(self.state)
        try:
            o.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} if body else {})
            return json.loads(o.getresponse().read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None
        finally:
            o.close()

    def tail(self):
        with open(self.log, "rb") as f:
            return f.read()[-3000:].decode(errors="replace")


def told(data):
    return None if data is None else f"{len(data)} bytes {data[:4].hex()}"


class User(Box, Known):
    """Somebody who puts, overwrites, removes and reads, and knows what was acknowledged."""

    def __init__(self, world, number, rng):
        Box.__init__(self, root=world.root)
        Known.__init__(self)
        self.world, self.number, self.rng = world, number, rng
        self.done, self.failed, self.why = 0, 0, None
        self.before = {}        # by name: what could be, and what was found
        token = os.path.join(world.root, f"user{number}.token")
        world.gateways[0].run("tenant", "add", f"user{number}", "--token-file", token, "--config", world.gateways[0].conf)
        self.token = token

    def join(self):
        self.expect((0, 4), "init", "--gateway", "unix:" + self.world.door, "--token-file", self.token, "--share1", self.stores[0],
                    "--share2", self.stores[1])

    def settle(self, name):
        """What came of the unanswered command?"""
        want, settled = self.may_be(name), not self.journal()
        out = os.path.join(self.work, "out")
        until = time.monotonic() + WAIT_S
        while True:
            p = self.run("--timeout", "30", "get", "-f", name, out)
            if p.returncode in (0, 3):
                break
            check(time.monotonic() < until, f"get {name}: exit {p.returncode}: {p.stderr.decode(errors='replace')}")
            time.sleep(0.3)
        got = None
        if p.returncode == 0:
            with open(out, "rb") as f:
                got = f.read()
        check(got in want, f"{name}: neither what was acknowledged nor what was asked for: {told(got)}, not of {[told(w) for w in want]}; "
              f"before: {self.before.get(name)}")
        self.before.setdefault(name, collections.deque(maxlen=8)).append((round(time.time(), 2), *(told(w) for w in want), "then", told(got)))
        self.saw(name, got, settled)

    def ended(self, name, data, code, err, codes):
        """A put, or a removal where data is None, ended with a code: 0, 4, or one of these."""
        if code in (0, 4):
            self.acknowledge(name, data)
            self.done += 1
            return
        check(code in codes, f"{'rm' if data is None else 'put'}: exit {code}: {err.decode(errors='replace')}")
        self.failed += 1
        self.unanswered(name, data, err)
        self.settle(name)

    def close(self):
        """A put settles what was left open; then it is known."""
        self.expect((0, 4), "put", self.write("in", b"closed"), "closed")
        self.acknowledge("closed", b"closed")
        check(not self.journal(), "a put is left open by the next one")
        for name in sorted(self.maybe):
            self.settle(name)

    def one(self):
        names = sorted(self.acked)
        kind = self.rng.choice(("put", "put", "over", "rm", "get")) if len(names) > 3 else "put"
        name = f"n{self.rng.randrange(10 ** 9)}" if kind == "put" else self.rng.choice(names)
        if kind == "get":
            self.settle(name)
            return
        data = None if kind == "rm" else self.rng.randbytes(self.rng.choice((0, 900, 70_000, 1 << 20)))
        args = ("rm", name) if kind == "rm" else ("put", self.write("in", data), name)
        p = self.run("--timeout", "30", *args)
        self.ended(name, data, p.returncode, p.stderr, (5, 6, 11, 130, 3))

    def load(self, over):
        try:
            while not over.is_set():
                self.one()
        except (Failure, OSError, subprocess.SubprocessError) as e:
            self.why = e

    def check_all(self):
        self.close()
        for name in sorted(self.acked):
            self.settle(name)
        listed = [n for n in self.expect((0, 4), "ls").stdout.decode().split("\n") if n]
        check(len(listed) == len(self.acked), f"{len(listed)} names are listed, {len(self.acked)} were acknowledged")
        self.expect((0, 4), "verify", timeout=600)


class Mover(threading.Thread):
    """The operator, who asks either gateway until it is done: one of them is the right one, and may die meanwhile."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.done, self.why = world, [], None
        self.plan = {"add": {"name": "c6"}, "drain": {"name": "c1"}, "retire": {"name": "c1"}, **({"reprotect": {"k": 2, "n": 5}} if FULL else {})}
        self.sixth, self.first = os.path.join(world.root, "cloud6"), world.box.clouds[0]
        self.plan["add"]["url"] = "file://" + self.sixth

    def over(self, kind, s, g):
        c = {c["name"]: c for c in s["clouds"]}
        if kind == "reprotect":
            return s["k"] == 2 and (g.ask("GET", "/v1/status") or {}).get("other_code") == 0
        if kind == "add":
            return c.get("c6", {}).get("role") == "in use"
        if kind == "drain":
            return c["c1"]["role"] == "draining" and c["c1"]["fragments"] == 0
        return "c1" not in c

    def one(self, kind, body):
        until = time.monotonic() + 600
        while time.monotonic() < until:
            for g in self.world.gateways:
                s = g.ask("GET", "/v1/clouds")
                if s is None or "clouds" not in s:
                    continue
                if self.over(kind, s, g):
                    self.done.append(kind)
                    return
                if (g.ask("GET", "/v1/clouds/job") or {}).get("state") != "running":
                    g.ask("POST", "/v1/clouds/job", {"kind": kind, **body})
            time.sleep(0.2)
        raise Failure(f"{kind} comes to no end: " + str([(g.ask("GET", "/v1/clouds/job"), g.tail()) for g in self.world.gateways]))

    def run(self):
        try:
            for kind, body in self.plan.items():
                self.one(kind, body)
        except Exception as e:      # for the main thread to tell
            self.why = e

    def check(self):
        check(self.why is None and self.done == list(self.plan), f"clouds: {self.done}: {self.why}")
        left = [f for _, _, names in os.walk(self.first) for f in names if not f.startswith(".")]
        check(not left, f"left on the retired cloud: {left[:3]}")
        self.world.box.clouds[0] = self.sixth
        ended = 0
        for g in self.world.gateways:
            with open(g.log, "rb") as f:
                ended += f.read().count(b"changed the clouds")
        check(ended > 0, "no gateway ended when the other changed the clouds")


class World:
    def __init__(self, server, rng):
        self.server, self.rng = server, rng
        self.box = Box()
        self.root, self.door = self.box.root, os.path.join(self.box.root, "door")
        # The gateways reach the server through a socket that can be cut.
        front = os.path.join(self.root, "pg")
        os.mkdir(front)
        self.link = Proxy(os.path.join(front, ".s.PGSQL.5432"), [os.path.join(server.socket, ".s.PGSQL.5432")])
        self.gateways = [Gateway(self.root, name, self.box.env()) for name in ("a", "b")]
        self.make(front)
        self.front = Proxy(self.door, [g.door for g in self.gateways], rng)

    def make(self, front):
        a, b = self.gateways
        for g in self.gateways:
            os.mkdir(g.state, 0o700)
            with open(os.path.join(g.state, "catalogue.conf"), "w", encoding="ascii") as f:
                f.write(f"[postgresql]\nhost = {front}\nuser = qcloud\ndbname = qcloud\n")
        for c in self.box.clouds:
            os.mkdir(c)
        a.run("init", "--config", a.conf, *[w for i, c in enumerate(self.box.clouds, 1) for w in ("--cloud", f"c{i}=file://{c}")], "--k", "3")
        for name in ("root.key", "clouds.conf"):
            if os.path.exists(os.path.join(a.state, name)):
                shutil.copy(os.path.join(a.state, name), b.state)
        for g in self.gateways:
            g.start()
        self.wait_up()

    def wait_up(self):
        until = time.monotonic() + WAIT_S
        while not all(g.up() for g in self.gateways):
            check(time.monotonic() < until, "a gateway does not come: " + "".join(g.tail() for g in self.gateways))
            for g in self.gateways:
                g.tend()
            time.sleep(0.1)

    def close(self):
        for g in self.gateways:
            g.ending = True
            g.signal(signal.SIGCONT)
            g.signal(signal.SIGKILL)
        self.front.close()
        self.link.close()
        self.box.__exit__()

    # ------------------------------------------------------------ what happens to them
    def kill(self):
        self.rng.choice(self.gateways).signal(signal.SIGKILL)

    def crash(self):
        self.server.stop("immediate")
        time.sleep(0.3)
        self.server.start()

    def cut(self):
        self.link.cut_all()

    def cut_answer(self):
        self.link.cut_commit = True

    def sleep(self):
        """Longer than its lease: it must come back as another session, and never as this one."""
        g = self.rng.choice(self.gateways)
        starts = g.starts
        g.signal(signal.SIGSTOP)
        time.sleep(SLEEP_S)
        g.signal(signal.SIGCONT)
        until = time.monotonic() + WAIT_S
        while g.starts == starts and time.monotonic() < until:
            g.tend()
            time.sleep(0.1)
        check(g.starts > starts, "a gateway that slept for longer than its lease goes on: " + g.tail())

    def disturb(self, until, enough):
        """Until then; on a busy machine until there was enough of everything to show something."""
        counts = {}
        last = until + 240
        plan = ["cut_answer", "kill", "crash", "kill", "cut", "cut_answer", "kill"]
        if FULL:
            plan.insert(4, "sleep")
        i = 0
        while time.monotonic() < until or (not enough(counts) and time.monotonic() < last):
            what = plan[i] if i < len(plan) else self.rng.choice(("kill", "kill", "kill", "cut", "cut_answer"))
            i += 1
            getattr(self, what)()
            counts[what] = counts.get(what, 0) + 1
            end = time.monotonic() + EVERY_S
            while time.monotonic() < end:
                for g in self.gateways:
                    g.tend()
                time.sleep(0.1)
        counts["answers cut"] = self.link.cuts
        return counts


def whole(world):
    """Both have left in good order: a repair calls everything whole."""
    for g in world.gateways:
        g.stop()
    return json.loads(world.gateways[0].run("repair", "--state", world.gateways[0].state, "--json").decode().strip().split("\n")[-1])


def orphans(world):
    """Fragments on the clouds that no row names: a dead key is swept, in rounds, while a gateway runs; what stays would stay for ever."""
    return sum(len(files) for c in world.box.clouds for _, _, files in os.walk(os.path.join(c, "f")))


def scenario():
    rng = seeded("two_gateways")
    with Postgres() as server:
        world = World(server, rng)
        try:
            users = [User(world, i, random.Random(rng.random())) for i in range(USERS)]
            for u in users:
                u.join()
            over = threading.Event()

            def enough(counts):
                return any(u.why for u in users) or (sum(u.done for u in users) > LOAD_S / 4 and counts.get("kill", 0) >= 2)

            mover = Mover(world)
            threads = [mover, *(threading.Thread(target=u.load, args=(over,)) for u in users)]
            for t in threads:
                t.start()
            try:
                counts = world.disturb(time.monotonic() + LOAD_S, enough)
            finally:
                over.set()
            for t in threads:
                while t.is_alive():
                    for g in world.gateways:
                        g.tend()
                    t.join(0.1)
            for u in users:
                if u.why is not None:
                    raise Failure(f"user {u.number}: {u.why}\n" + "\n".join(g.tail() for g in world.gateways)) from u.why
            mover.check()
            world.wait_up()
            for u in users:
                u.check_all()
            report = whole(world)
            rows = int(server.psql("SELECT SUM(l.n) - (SELECT COUNT(*) FROM qcloud.deviation WHERE state<>3) FROM qcloud.segment s JOIN"
                                   " qcloud.layout l USING (layout_id) WHERE s.seq IS NOT NULL"))
            there = orphans(world)
            check(there == rows, f"{there} fragments lie on the clouds, the catalogue has {rows}")
            done, failed = sum(u.done for u in users), sum(u.failed for u in users)
            print(f"two_gateways: {counts}; {done} commands acknowledged, {failed} not; {', '.join(mover.done)}; starts {[g.starts for g in world.gateways]}; "
                  f"repair {json.dumps(report)[:300]}")
            check(done > LOAD_S / 4 and counts.get("kill", 0) >= 2, "the load was too small to show anything")
            check(counts["answers cut"] > 0, "no answer to a COMMIT was cut")
            world.box.stop()
            for u in users:
                u.stop()
        finally:
            world.close()


if __name__ == "__main__":
    main(scenario)
