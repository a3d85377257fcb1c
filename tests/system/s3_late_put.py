#!/usr/bin/python3
"""I1, I2: writes that arrive late. A cloud hangs with whole requests in its socket buffers, those who sent them are gone or have gone
on without it, names are written anew and removed meanwhile; then the cloud wakes up and does what it was asked. Nothing that was
removed or replaced comes back, nothing newer is overwritten: not for the gateway that is there, and not for one that is made anew
from the clouds alone. That late writes did arrive is seen in the cloud's own index."""
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
from clouds import Clouds  # noqa: E402
from harness import FULL, check, main, seeded  # noqa: E402
from s3box import S3Box  # noqa: E402


def buffered(port):
    """Bytes that sockets of this port hold and nobody has read."""
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            w = line.split()
            if int(w[1].split(":")[1], 16) == port and w[3] in ("01", "08"):        # established, or closed by the peer
                total += int(w[4].split(":")[1], 16)
    return total


def wait_for(what, condition, limit=20):
    end = time.monotonic() + limit
    while not condition():
        check(time.monotonic() < end, f"{what}: not within {limit} s")
        time.sleep(0.01)


class Late:
    def __init__(self, clouds, box, rng):
        self.clouds, self.box, self.rng = clouds, box, rng
        self.data, self.removed = {}, set()

    def put(self, name, codes):
        data = self.rng.randbytes(self.rng.randrange(1, 9000))
        self.box.expect(codes, "put", self.box.write("in", data), name)
        self.data[name] = data
        self.removed.discard(name)

    def rm(self, name, codes):
        self.box.expect(codes, "rm", name)
        del self.data[name]
        self.removed.add(name)

    def all_right(self):
        for name, data in self.data.items():
            self.box.same(name, data, code=(0, 4))
        for name in self.removed:
            check(self.box.get(name, 3) is None, f"{name} was removed and is back")
        listed = self.box.expect(0, "ls").stdout.decode().split()
        check(sorted(listed) == sorted(self.data), f"ls shows {listed}, expected {sorted(self.data)}")

    def leave_behind(self, n):
        """In the buffers of cloud n, which hangs: the record of a removal that goes on without it after its grace, and the fragment
        of a put whose command and gateway are killed before anybody was told of the version."""
        empty = buffered(self.clouds[n].port)
        p = self.box.start("put", self.box.write("in", self.rng.randbytes(5000)), "doc")
        wait_for("a fragment in the buffers", lambda: buffered(self.clouds[n].port) > empty + 1500)
        fragment = buffered(self.clouds[n].port)
        self.rm("gone", (0, 4))
        check(buffered(self.clouds[n].port) > fragment, "no record in the buffers")
        p.send_signal(signal.SIGKILL)
        p.communicate()
        self.box.stop()

    def one(self, n):
        for name in ("doc", "gone", "twice", "stays"):
            self.put(name, (0, 4))
        self.rm("twice", (0, 4))
        before = set(self.clouds.list(n))
        self.clouds.fault("pause", n)
        self.leave_behind(n)
        self.put("gone", (0, 4))        # a new life of the name, which the late record must not end
        self.put("doc", (0, 4))
        self.rm("stays", (0, 4))
        self.put("twice", (0, 4))
        self.rm("twice", (0, 4))
        check(set(self.clouds.list(n)) == before, "the cloud that hangs has written something")
        self.box.stop()
        self.clouds.fault("resume", n)
        wait_for("late writes", lambda: {"f", "l"} <= {k[0] for k in set(self.clouds.list(n)) - before})
        self.all_right()
        self.rebuilt()

    def rebuilt(self):
        """The same, out of the clouds alone."""
        self.box.stop()
        shutil.rmtree(os.path.join(self.box.home, "state"))
        self.box.expect((0, 4), "gateway", "rebuild", *self.box.keys())
        self.all_right()


def test():
    rng = seeded("s3_late_put")
    with Clouds(5) as clouds, S3Box(clouds) as box:
        box.init()
        late = Late(clouds, box, rng)
        for n in rng.sample(range(1, 6), 5 if FULL else 1):
            late.one(n)
            print(f"cloud {n} woke up, and nothing came back", flush=True)
        box.expect(0, "verify")


main(test)
