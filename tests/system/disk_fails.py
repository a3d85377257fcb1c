#!/usr/bin/python3
"""I1, I8: a full disk, or one whose fsync fails, at each call of put, overwrite, rm, get and recover that takes space or syncs, in the
client or in the gateway, once or from then on. The message has three parts and names a place, the exit code is right, nothing
acknowledged is lost, also when the power goes right after it (a failed fsync is not made good by a later one), and once the disk is
well again everything goes on. QC_FULL=1: a fifth of the calls (QC_PART=1: every call); else some of each, drawn by the printed seed."""
import errno
import os
import random
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "disk")]
sys.dont_write_bytecode = True
from harness import FULL, Box, Failure, check, main, part_of, seeded  # noqa: E402
import model                                                    # noqa: E402
import trace as tracing                                         # noqa: E402
from checks import CLOUDS, Checks                               # noqa: E402
from phase import Cut, Phase, disk_dir                          # noqa: E402

LIBRARY = os.environ.get("QC_DISK", "")
# (calls, errno, from then on). Exit codes: done, or done with less; not now, or not on enough clouds; no space, or input and output
# failed.
FAILURES = {"full once": (tracing.SPACE, errno.ENOSPC, False), "full": (tracing.SPACE, errno.ENOSPC, True),
            "fsync": (tracing.SYNC, errno.EIO, False)}
CODES = {errno.ENOSPC: (0, 4, 5, 6, 14), errno.EIO: (0, 4, 5, 6, 1)}


def overwrite(box, rng):
    data = rng.randbytes(2000)
    return "put", "old0", data, ("put", box.write("in", data), "old0")


def remove(_box, _rng):
    return "rm", "old1", None, ("rm", "old1")


def get(box, _rng):
    return "get", "old2", None, ("get", "-r", "dir", os.path.join(box.root, "out"))


def recover(box, _rng):
    return "recover", None, None, ("recover", "--share", str(box.gone + 1))


OPERATIONS = {"overwrite": overwrite, "rm": remove, "get": get, "recover": recover}


def ready(box, title, rng, acked):
    """What the operation needs, made on a disk that is well."""
    shutil.rmtree(os.path.join(box.root, "out"), ignore_errors=True)
    for name in ("old0", "old1", "dir/old2"):
        if name not in acked:
            acked[name] = rng.randbytes(1000)
            box.expect(0, "put", box.write("in", acked[name]), name)
    box.stop()
    if title == "recover":
        box.gone = rng.randrange(2)
        shutil.rmtree(box.stores[box.gone])


def three_parts(box, said, code):
    lines = said.splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("qcloud: E")]
    check(at and all(any(line.startswith(part) for line in lines[at[-1]:]) for part in ("  data: ", "  next: ")),
          f"exit {code} without a message of three parts:\n{said}")
    what = lines[at[-1]]
    check(code == 4 or box.root in what or any(f"c{i}" in what for i in range(1, CLOUDS + 1)) or "share store" in what,
          f"exit {code}: the message names no place: {what}")


def where(phase):
    """The files whose calls failed."""
    disk, nodes = phase.disk(), []
    for e in phase.events:
        disk.follow(e)
        if e.op == "struck" and e.ino in disk.nodes:
            nodes.append((disk.nodes[e.ino], e.name))
    return sorted({os.path.join(disk.path_of(n), name).rstrip("/") or "a file that never got its name" for n, name in nodes})[:3]


def one(box, title, how, at, rng, acked):
    """Returns (calls that there were, did one fail, the exit code)."""
    kinds, os_error, forever = FAILURES[how]
    ready(box, title, rng, acked)
    phase = Phase(box, title, LIBRARY)
    del phase.env["QC_FAULT_LOG"]           # its calls are not the program's
    phase.trace.fail(kinds, os_error, at, forever)
    kind, name, data, args = OPERATIONS[title](box, rng)
    code, said = phase.run(box, kind, name, data, *args)
    seen, struck = phase.trace.struck()
    phase.trace.fail(0)
    fresh = rng.randbytes(50)
    force = ("--force",) if title == "get" else ()      # it may be whole under its name, and not known to be durable
    again = phase.run(box, "again", None, None, *args, *force) if title in ("get", "recover") and code else (0, "")
    then = phase.run(box, "put", "fresh", fresh, "put", box.write("in", fresh), "fresh")
    if "must be started anew" in then[1]:   # after a failed fsync of the catalogue this gateway writes no more; it leaves at once
        end = time.monotonic() + 120
        while list(box.processes()) and time.monotonic() < end:
            time.sleep(0.02)
        then = phase.run(box, "put", "fresh", fresh, "put", box.write("in", fresh), "fresh")
    wrong = phase.finish(box)
    try:
        check(not wrong, "the trace does not tell what happened:\n  " + "\n  ".join(wrong))
        check(code in (CODES[os_error] if struck else (0,)), f"exit {code}\n{said}")
        if code:
            three_parts(box, said, code)
        check(again[0] == 0, f"said again on a disk that is well: exit {again[0]}\n{again[1]}")
        check(then[0] in (0, 4) if code == 4 else then[0] == 0, f"a put on a disk that is well again: exit {then[0]}\n{then[1]}")
        for mode in (model.MODES[0], rng.choice(model.MODES[1:])):
            for cut in phase.states(box, [Cut(len(phase.events), mode, rng.randrange(1 << 30))]):
                c = Checks(box, random.Random(cut.seed))
                path = os.path.join(box.root, "out", "old2")
                if title == "get" and (code == 0 or os.path.exists(path)):
                    with open(path, "rb") as f:
                        check(f.read() == acked["dir/old2"], f"{path} is not whole")
                want = c.tree(phase.expected(cut.at, acked), f"after a power cut, {mode}")
                c.put(want)
                if code == 4 or then[0] == 4:
                    c.lost(want, clouds=[rng.randrange(CLOUDS)])
                    box.expect(0, "gateway", "repair")
                box.expect(0, "verify")
                c.settled()
                c.lost(want)
        acked.update({n: d for n, d in ((n, next(iter(ds))) for n, ds in want.items()) if d is not None})
        for n in [n for n, ds in want.items() if ds == {None}]:
            acked.pop(n, None)
    except Failure as e:
        raise Failure(f"{title}, {how} at call {at} of {seen} ({where(phase)}), exit {code}:\n{e}") from e
    return seen, struck, code


def test():
    rng = seeded("disk_fails")
    t0, tally, part = time.monotonic(), {}, part_of(0.2)
    with Box(n=CLOUDS, root=disk_dir()) as box:
        box.init()
        acked = {}
        for title in OPERATIONS:
            for how in FAILURES:
                calls, _, _ = one(box, title, how, 1 << 40, rng, acked)
                check(calls > 0, f"{title}: not one call to fail")
                some = max(1, round(calls * part)) if FULL else min(calls, 4 if title == "overwrite" else 1)
                for at in sorted(rng.sample(range(1, calls + 1), some)):
                    _, struck, code = one(box, title, how, at, rng, acked)
                    if struck:
                        tally.setdefault((title, how), []).append(code)
    for (title, how), codes in tally.items():
        print(f"  {title}, {how}: {len(codes)} failures, exit " + ", ".join(f"{c}: {codes.count(c)}" for c in sorted(set(codes))))
    print(f"{sum(map(len, tally.values()))} failures, {time.monotonic() - t0:.1f} s", flush=True)


main(test)
