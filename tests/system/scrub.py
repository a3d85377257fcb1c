#!/usr/bin/python3
"""I1, ADR 18: loss is noticed and mended without a repair. The gateway is killed at each step of a scrub and of what it mends, and goes on where it
was: what a pass has counted it counts once. Then a cloud's fragments go while a client writes and reads: no read fails, and the margin comes back by itself; and all it has, its
identity with it: the same, once it was said that it may be filled again."""
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from debts import fragments, serve, status, until
from harness import FULL, Box, check, files, flip, main, second_reader, seeded

SIZES = (0, 900, 40_000, 300_000, 900_000)
BEGUN = ("scrub_begin", "scrub_page", "scrub_paged", "scrub_end")
MENDS = ("repair_trial_done", "repair_put", "repair_put_done", "repair_read_back", "repair_settle", "repair_settled")


def scrubs(box):
    return {c["name"]: c["scrub"] for c in status(box)["clouds"]}


def scrub(box, *args, code=(0, 4)):
    p = box.expect(code, "--json", "gateway", "scrub", "--wait", *args)
    return next(r["scrub"] for r in map(json.loads, p.stdout.splitlines()) if r["type"] == "item")


def rests(box):
    """No pass is under way, and nothing is to be mended."""
    s = scrubs(box)
    return all(c[d]["state"] == "resting" for c in s.values() for d in ("presence", "content")) and not any(c["queue"]["fragments"] for c in s.values())


def dies(p, step):
    try:
        p.wait(timeout=120)
    except subprocess.TimeoutExpired:
        p.kill()
        check(False, f"{step} was not reached")
    check(p.returncode == -signal.SIGKILL, f"{step}: exit {p.returncode}")


def clean(box):
    """What a pass over what is whole counts, by cloud and depth."""
    got = scrub(box, "--content", code=0)
    check(got["outcome"]["id"] == "ok", f"nothing was planted: {got['findings']}")
    return {(c["name"], d): c["scrub"][d]["last"]["objects"] for c in got["clouds"] for d in ("presence", "content")}


def killed_scrub(box, whole):
    """Each time it goes on: the counts of the pass that ends are those of one that nobody killed."""
    before = {k: v["last"]["ended"] for c, s in scrubs(box).items() for k, v in (((c, d), s[d]) for d in ("presence", "content"))}
    for n in range(3 if FULL else 1):
        box.expect(0, "gateway", "scrub", "--content")  # anew: of ten passes a round lets eight end
        box.stop(signal.SIGKILL)
        for step in BEGUN:
            dies(serve(box, f"{step}:kill:{1 + n}"), step)
    p = serve(box)
    until(lambda: rests(box), "a scrub that was killed does not end")
    for (cloud, depth), objects in whole.items():
        last = scrubs(box)[cloud][depth]["last"]
        check(last["ended"] >= before[cloud, depth] and last["objects"] == objects, f"{cloud} {depth}: {last}, and {objects} objects are there")
    box.stop(signal.SIGTERM)
    p.wait(timeout=120)


def killed_mending(box, rng):
    """Everything of one cloud is gone, and something of another one rots; the one who mends is killed at each step."""
    for f in list(files(os.path.join(box.clouds[1], "f"))):
        os.unlink(f)
    rotten = [f for f in files(os.path.join(box.clouds[3], "f")) if os.path.getsize(f) > 300]
    for f in rng.sample(rotten, 3):
        flip(f, rng.randrange(os.path.getsize(f)), rng.randrange(8))
    box.expect(0, "gateway", "scrub", "--content")
    box.stop(signal.SIGKILL)
    for step in MENDS:
        dies(serve(box, f"{step}:kill:1"), step)
    p = serve(box)
    until(lambda: rests(box), "what was found is not mended")
    check(fragments(box.clouds[1]) == fragments(box.clouds[0]), f"{fragments(box.clouds[1])} of {fragments(box.clouds[0])} fragments")
    box.stop(signal.SIGTERM)
    p.wait(timeout=120)


class Client(threading.Thread):
    """Writes and reads, until told to stop; what fails is remembered."""

    def __init__(self, box, rng):
        super().__init__()
        self.box, self.data, self.rng, self.over, self.why, self.reads = box, {}, rng, False, None, 0

    def run(self):
        try:
            n = 0
            while not self.over:
                name = f"live{n % 12}"
                self.data[name] = self.rng.randbytes(self.rng.choice(SIZES))
                self.box.expect((0, 4), "put", self.box.write("live", self.data[name]), name)
                name = self.rng.choice(sorted(self.data))
                check(self.box.get(name, code=0) == self.data[name], f"{name} differs")
                self.reads += 1
                n += 1
        except BaseException as e:      # pylint: disable=broad-except
            self.why = e


def emptied(box):
    """All fragments, and nothing else: it comes back by itself."""
    for f in list(files(os.path.join(box.clouds[2], "f"))):
        if not os.path.basename(f).startswith("."):
            os.unlink(f)
    scrub(box)


def replaced(box):
    """All there was, its identity with it, as of a new disk: it is lost, and filled again when somebody says that it may be."""
    gone = os.path.join(box.work, "gone")
    os.rename(box.clouds[2], gone)
    os.mkdir(box.clouds[2])
    while os.path.exists(gone):     # a write that is under way may make a name in what is being removed
        shutil.rmtree(gone, ignore_errors=True)
    until(lambda: status(box)["clouds"][2]["state"] == "lost", "nobody notices that a cloud is another one")
    box.expect((0, 4), "gateway", "repair", "--adopt", "c3")


def wiped(box, rng, data, harm):
    """A cloud loses what it has while a client works: no read fails, and the margin is full again."""
    live = Client(box, rng)
    live.start()
    try:
        until(lambda: live.reads >= 2 or live.why, "the client does not come to work")
        harm(box)
        until(lambda: rests(box) or live.why, "the margin does not come back")
        before = live.reads
        until(lambda: live.reads >= before + 2 or live.why, "the client does not come to work")
    finally:
        live.over = True
        live.join()
    check(live.why is None, f"while a cloud was {harm.__name__}: {live.why}")
    data |= live.data
    until(lambda: rests(box) and status(box)["debts"] == 0, "something is left")
    s = status(box)
    check([m["margin"] for m in s["margins"]] == [2], f"margins: {s['margins']}")
    for name, d in data.items():
        check(box.get(name, code=0) == d, f"{name} differs")
    print(f"a cloud {harm.__name__} under a client: {live.reads} reads, none failed", flush=True)


def test():
    rng = seeded("scrub")
    with Box() as box:
        box.init()
        data = {f"w{i}": rng.randbytes(size) for i, size in enumerate(SIZES)}
        box.put_all(data)
        killed_scrub(box, clean(box))
        killed_mending(box, rng)
        wiped(box, rng, data, emptied)
        wiped(box, rng, data, replaced)
        check(scrub(box, "--content", code=0)["outcome"]["id"] == "ok", "a second scrub finds something")
        second_reader(box, data)


main(test)
