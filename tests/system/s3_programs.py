#!/usr/bin/python3
"""I1, I2, through the programs: an S3 cloud fails in each of its ways while objects are put and fetched. Exit code and message are
right (three parts, cloud and cause named), nothing that was acknowledged is lost, no wrong byte comes out. On real Ceph gateways, six
clouds of which any three are enough, several faults at a time. QC_FULL=1: each fault alone as well, and every two of them.
What the driver makes of each fault is in s3_faults.py, clouds that hang in s3_late_put.py."""
import contextlib
import itertools
import os
import re
import sys
import time

sys.dont_write_bytecode = True
from clouds import Clouds  # noqa: E402
from harness import FULL, check, main, seeded  # noqa: E402
from s3box import S3Box  # noqa: E402

BIG = (18 << 20) + 4321         # two segments; a fragment of the first is larger than 4 MiB, so that it has a tail
STREAM = 64 << 20


class Fault:
    """A way in which cloud n fails: how it begins and ends, what put and status say of it (None: nothing, all is well)."""

    def __init__(self, name, on, off, put, status, code=4):
        self.name, self.on, self.off, self.put, self.status, self.code = name, on, off, put, status, code


def secret(box, n, wrong):
    """The cloud's secret is another one; the gateway reads it when it opens the cloud."""
    box.stop()
    path = box.s3[n].credentials
    with open(path, encoding="ascii") as f:
        text = f.read()
    with open(path, "w", encoding="ascii") as f:
        f.write(re.sub(r"(secret_access_key = )(.)(.*)", lambda m: m[1] + m[3] + m[2] if wrong else m[1] + m[3][-1] + m[2] + m[3][:-1], text))


def command(*words):
    return lambda box, n: box.s3.fault(words[0], n, *words[1:])


FAULTS = [
    Fault("dead", command("kill"), command("restart"), "cannot be reached", "unreachable .*cannot be reached"),
    Fault("account closed", command("suspend"), command("enable"), "the account is suspended", "unreachable .*the account is suspended"),
    Fault("full", command("quota", 1), command("quota", 0), "the quota is used up", "ok .*the last write failed: the quota is used up"),
    Fault("wrong secret", lambda box, n: secret(box, n, True), lambda box, n: secret(box, n, False), "the secret key is wrong",
          "unreachable .*the secret key is wrong"),
    Fault("wrong clock", command("clock", 1200), command("restart"), None, "ok "),
    Fault("busy", command("busy", 1), command("restart"), None, "ok "),
]
GONE = [
    Fault("bucket gone", command("drop"), None, "the bucket is not there", "lost .*the bucket is not there"),
    Fault("wiped", command("wipe"), None, "no such object|identity", "lost "),
]


class Test:
    def __init__(self, clouds, box, rng):
        self.clouds, self.box, self.rng, self.n, self.began = clouds, box, rng, 0, time.monotonic()
        self.data, self.weak = {}, {}       # what was stored with its full margin; with less, and not repaired since

    def put(self, size, code=0, name=None):
        self.n += 1
        name = name or f"o{self.n}"
        data = self.rng.randbytes(size)
        p = self.box.expect(code, "put", self.box.write("in", data), name)
        if code == 0:
            self.data[name] = data
        elif code == 4:
            self.weak[name] = data
        return name, p

    def lap(self, what):
        now = time.monotonic()
        print(f"  {what}: {now - self.began:.1f} s", flush=True)
        self.began = now

    def all_there(self):
        for name, data in self.data.items():
            self.box.same(name, data)

    def repair(self, *words):
        """Everything has its full margin again. Said again, as its message says, where a server was too busy to answer."""
        until = time.monotonic() + 180
        p = self.box.expect((0, 4), "gateway", "repair", *words)
        while p.returncode == 4:
            said = (p.stdout + p.stderr).decode()
            check("did not answer in time" in said and time.monotonic() < until, f"a repair ended with exit 4:\n{said}")
            p = self.box.expect((0, 4), "gateway", "repair", *words)
        self.data |= self.weak
        self.weak.clear()

    # ------------------------------------------------------------ behind the gateway's back
    def damage(self):
        """A lost index and rot, more than n-k of one segment; then one is well again, and of the others one is cut and one has lost its tail.
        In this order: what has k left is rebuilt by itself before long."""
        name, _ = self.put(BIG)
        one, two, three, four = self.rng.sample(range(1, 7), 4)
        key = {n: self.box.fragment(n, 4 << 20) for n in (one, two, three, four)}
        self.clouds.fault("delete", two, key[two])
        for n in (one, three, four):
            self.clouds.fault("corrupt", n, key[n])
        check(self.box.get(name, (6, 8)) is None, "too many fragments damaged, and something was written")
        self.clouds.fault("truncate", one, key[one], 10)    # these two the server answers late, if at all
        self.clouds.fault("delete", three, key[three], "tail")
        self.clouds.fault("corrupt", four, key[four])   # the same bit again
        for _ in range(2):
            self.box.same(name, self.data[name])
        p = self.box.expect((0, 4), "--strict", "verify", name)
        bad = "|".join(map(str, (one, two, three, four)))   # none need be asked: what was bad once is not counted on
        if p.returncode == 4:
            self.box.said(p, "W0401", rf"serve: (c({bad}) \((missing|damaged|late)[^)]*\)(, )?)+$")
        if FULL:        # a cut object and a lost tail take the whole patience of the first passes: then they are known
            for _ in range(2):
                self.box.expect((0, 4), "gateway", "repair", "--deep")
        elif p.returncode == 4:
            for n in (one, three):
                with contextlib.suppress(RuntimeError):     # rebuilt meanwhile, elsewhere
                    self.clouds.fault("delete", n, key[n])
        self.repair("--deep")
        self.by_damaged(name, one, two, three)

    def by_damaged(self, name, *damaged):
        """Three clouds are enough: these."""
        with self.box.down(*(n for n in range(1, 7) if n not in damaged)):
            self.box.same(name, self.data[name])

    # ------------------------------------------------------------ clouds that refuse or are away
    def some(self, faults):
        """These at once, one on each cloud: put is as good as it can be and says why, all can be read, and it ends."""
        places = dict(zip(self.rng.sample(range(1, 7), len(faults)), faults))
        for n, fault in places.items():
            fault.on(self.box, n)
        told = {n: f for n, f in places.items() if f.put is not None}
        name, p = self.put(5000, 4 if told else 0)
        self.box.same(name, (self.data | self.weak)[name])
        if told:
            self.box.said(p, "E0401", *(rf"c{n}: {f.put}" for n, f in told.items()))
        self.box.status_says((0, 4), **{f"c{n}": f.status for n, f in places.items()})
        self.all_there()
        for n, fault in places.items():
            if fault.off is not None:
                fault.off(self.box, n)
        if faults[0].off is not None:
            self.repair()
        self.lap(", ".join(f.name for f in faults))
        return places

    def too_many(self, faults):
        """More than n-k: refused, with all reasons; afterwards all is back."""
        places = dict(zip(self.rng.sample(range(1, 7), len(faults)), faults))
        for n, fault in places.items():
            fault.on(self.box, n)
        _, p = self.put(5000, 6, "refused")
        self.box.said(p, "E0602", *(rf"c{n}: " for n in places))
        name = next(iter(self.data))
        check(self.box.get(name, 6) is None, "too few clouds, and something was written")
        for n, fault in places.items():
            fault.off(self.box, n)
        self.box.get("refused", 3)
        self.all_there()

    def gone(self):
        """A bucket that is gone and one that was emptied are filled again, and hold what they should."""
        places = self.some(GONE)
        for n, fault in places.items():
            if fault.name == "bucket gone":
                self.clouds.fault("wipe", n)        # makes it
        one, two = (f"c{n}" for n in places)
        self.box.expect(4, "gateway", "repair", "--adopt", one)
        self.repair("--adopt", two)
        self.box.expect(0, "status")
        with self.box.down(*self.rng.sample([n for n in range(1, 7) if n not in places], 3)):
            self.all_there()
        self.box.expect(0, "verify")
        self.lap("filled again")

    # ------------------------------------------------------------ in the middle
    def dies_in_put(self):
        n = self.rng.randrange(1, 7)
        data = self.rng.randbytes(STREAM)
        p = self.box.start("put", self.box.write("in", data), "stream")
        self.wait_for_requests(n, p, "PUT")
        self.clouds.fault("kill", n)
        err = p.communicate(timeout=120)[1].decode()
        check(p.returncode == 4 and re.search(rf"E0401 .*c{n}: ", err), f"put while c{n} dies: exit {p.returncode}\n{err}")
        self.clouds.fault("restart", n)
        self.stream = data
        self.box.same("stream", data)

    def dies_in_get(self):
        n = self.rng.randrange(1, 7)
        out = os.path.join(self.box.work, "got")
        p = self.box.start("get", "-f", "stream", out)
        self.wait_for_requests(n, p, "GET")
        self.clouds.fault("kill", n)
        err = p.communicate(timeout=120)[1].decode()
        check(p.returncode == 0, f"get while c{n} dies: exit {p.returncode}\n{err}")
        with open(out, "rb") as f:
            check(f.read() == self.stream, f"get while c{n} dies: the file differs")
        self.clouds.fault("restart", n)

    def wait_for_requests(self, n, p, method):
        """Until cloud n has served one more fragment; its log tells. If it serves none, the cloud dies unasked: fine as well."""
        log = os.path.join(self.clouds.folder, "log", f"client.c{n}.log")
        with open(log, encoding="utf-8", errors="replace") as f:
            f.seek(0, os.SEEK_END)
            while p.poll() is None:
                if f'"{method} /cloud-{n}/f/' in f.read():
                    return
                time.sleep(0.002)


def test():
    rng = seeded("s3_programs")
    with Clouds(6) as clouds, S3Box(clouds) as box:
        box.init()
        t = Test(clouds, box, rng)
        t.put(0)
        t.put(70001)
        t.damage()
        t.lap("damaged fragments")
        if FULL:
            for fault in FAULTS:
                t.some([fault])
            for faults in itertools.combinations(FAULTS, 2):
                t.some(faults)
        else:
            order = rng.sample(FAULTS, len(FAULTS))
            for i in range(0, len(order), 2):
                t.some(order[i:i + 2])
        t.too_many([FAULTS[0], FAULTS[1], FAULTS[3], FAULTS[0]])
        t.lap("four clouds of six")
        t.dies_in_put()
        t.lap("dies in a put")
        t.dies_in_get()
        t.lap("dies in a get")
        t.gone()


main(test)
