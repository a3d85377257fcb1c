#!/usr/bin/python3
"""I1, S1, S2: a gateway on PostgreSQL is killed when the server has its COMMIT and has not done it: the session that serves it stands
still (SIGSTOP), as on a starved machine. Nobody is answered by the gateway that comes next before that COMMIT is over: what it says
first it says for good. Where it stands still before it has begun the transaction the next one serves, and what is begun late does
nothing. At DECIDE; with QC_FULL=1 also at PUBLISH, and all of it ten times."""
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
from harness import FULL, Box, check, main  # noqa: E402
from postgres import Postgres  # noqa: E402
from two_gateways import Gateway, Proxy, User  # noqa: E402

WAIT_S = 120
QUIET_S = 2         # less than the server's lock_timeout of a gateway: QC_DB_BUSY_MS


class Stop(Proxy):
    """In front of the server. Where the gateway, past a fault point, sends the words that are waited for, its session at the server stands still,
    the gateway is killed, and the words arrive."""

    def __init__(self, path, behind, world):
        self.world, self.point, self.words = world, None, b""
        self.stopped, self.hit = [], threading.Event()
        super().__init__(path, [behind])

    def arm(self, point, words):
        self.hit.clear()
        self.stopped = self.world.sessions()
        self.words, self.point = words, point

    def passes(self, chunk, server):
        if self.point is None or self.words not in chunk or self.point not in self.world.passed():
            return False
        self.point = None
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)
        self.world.gateway.signal(signal.SIGKILL)
        self.world.gateway.process.wait(WAIT_S)
        server.sendall(chunk)
        self.hit.set()
        return True

    def go_on(self):
        """It does what it was sent, and ends."""
        for pid in self.stopped:
            os.kill(pid, signal.SIGCONT)
        until = time.monotonic() + WAIT_S
        while set(self.stopped) & set(self.world.sessions()):
            check(time.monotonic() < until, "the session of the dead does not end")
            time.sleep(0.02)
        self.stopped = []


class World:
    def __init__(self, server):
        self.server, self.box = server, Box()
        self.root = self.box.root
        front = os.path.join(self.root, "pg")
        os.mkdir(front)
        self.front = Stop(os.path.join(front, ".s.PGSQL.5432"), os.path.join(server.socket, ".s.PGSQL.5432"), self)
        self.gateway = Gateway(self.root, "g", self.box.env())
        self.gateways, self.door = [self.gateway], self.gateway.door
        self.log = os.path.join(self.root, "passed")
        g = self.gateway
        os.mkdir(g.state, 0o700)
        with open(os.path.join(g.state, "catalogue.conf"), "w", encoding="ascii") as f:
            f.write(f"[postgresql]\nhost = {front}\nuser = qcloud\ndbname = qcloud\n")
        for c in self.box.clouds:
            os.mkdir(c)
        g.run("init", "--config", g.conf, *[w for i, c in enumerate(self.box.clouds, 1) for w in ("--cloud", f"c{i}=file://{c}")], "--k", "3")

    def close(self):
        self.front.go_on()
        self.gateway.ending = True
        self.gateway.signal(signal.SIGKILL)
        self.front.close()
        self.box.__exit__()

    def passed(self):
        with open(self.log, encoding="ascii") as f:
            return f.read().split()

    def sessions(self):
        return [int(pid) for pid in self.server.psql("SELECT pid FROM pg_stat_activity WHERE backend_type='client backend' AND pid<>pg_backend_pid()").split()]

    def start(self):
        with open(self.log, "w", encoding="ascii"):
            pass
        self.gateway.env = self.box.env(QC_FAULT_LOG=self.log)
        self.gateway.start()

    def await_up(self):
        until = time.monotonic() + WAIT_S
        while not self.gateway.up():
            check(time.monotonic() < until, "the gateway does not come: " + self.gateway.tail())
            self.gateway.tend()
            time.sleep(0.02)


def killed(world, user, point, words, data):
    """A put of n, whose gateway dies there; its own client, too, or that one would go on."""
    world.front.arm(point, words)
    p = user.start("put", user.write("in", data), "n")
    check(world.front.hit.wait(WAIT_S), f"nothing was sent after {point}: " + world.gateway.tail())
    p.kill()
    p.communicate()


def for_good(world, user, wants, what):
    """The first answer is one of these, and everybody's; also that of the gateway after this one."""
    first = user.get("n")
    check(first in wants, f"{what}: nobody asked for that")
    for _ in range(3):
        check(user.get("n") == first, f"{what}: another answer")
    world.gateway.signal(signal.SIGKILL)
    world.gateway.process.wait(WAIT_S)
    world.start()
    world.await_up()
    check(user.get("n") == first, f"{what}: another answer after another start")
    return first


def late_commit(world, user, point, old, new):
    """True: the server did it. On a machine that is too slow it gives the transaction up before it reads that word (QC_PG_IDLE_TX_MS)."""
    killed(world, user, point, b"COMMIT\0", new)
    world.start()
    until = time.monotonic() + QUIET_S
    while time.monotonic() < until:
        check(not world.gateway.up(), f"{point}: somebody answers before the COMMIT is over")
        time.sleep(0.02)
    world.front.go_on()
    world.await_up()
    return for_good(world, user, (old, new), point) == new


def late_begin(world, user, point, old, new):
    """Of the transaction after that point, which comes before the one that decides. Nobody has to wait for it, and it does nothing."""
    killed(world, user, point, b"LOCK TABLE", new)
    world.start()
    world.await_up()
    check(user.get("n") == old, "what nobody decided is there")
    world.front.go_on()
    for_good(world, user, (old,), "begun late")


def test():
    with Postgres() as server:
        world = World(server)
        try:
            world.start()
            world.await_up()
            user = User(world, 0, None)
            user.join()
            now, late = b"0", 0
            user.put_all({"n": now})
            for i in range(10 if FULL else 1):
                for point in ("put_decide", "put_publish") if FULL else ("put_decide",):
                    for again in range(5):
                        new = f"{i} {point} {again}".encode()
                        done = late_commit(world, user, point, now, new)
                        now = new if done or point == "put_publish" else now
                        late += done
                        if done:
                            break
                    check(done, f"{point}: not one of five COMMITs was done late")
                late_begin(world, user, "put_segment_row", now, f"{i} begun".encode())
            print(f"{late} COMMITs were done after their gateway had died, and nobody was answered before; what was begun late did nothing")
        finally:
            world.close()


main(test)
