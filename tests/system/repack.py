#!/usr/bin/python3
"""A thousand small files are put together, six hundred of them put again, and the old versions purged: the room on the clouds comes back before and beyond the last of a
bundle; what lives comes back byte for byte, whole and in parts, with one cloud lost, by the second reader, by salvage, and from the clouds alone."""
import json
import os
import shutil
import subprocess
import sys
import time

from harness import BIN, Box, check, main, seeded

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader", "qcloud_reader.py")
SALVAGE = os.path.join(BIN, "qcloud-salvage")
COUNT, PURGED, SIZE = 1000, 600, 4096


def room(box):
    """Bytes and objects of fragments on all clouds."""
    sizes = [os.path.getsize(os.path.join(d, f)) for c in box.clouds for d, _, fs in os.walk(os.path.join(c, "f")) for f in fs]
    return sum(sizes), len(sizes)


def gateway(box):
    lines = map(json.loads, box.expect(0, "gateway", "status", "--json").stdout.splitlines())
    return next(line["gateway"] for line in lines if "gateway" in line)


def quiet(box, dead_most=0):
    """Until nothing is left for the gateway to do, and at most so much is dead in bundles."""
    end, before = time.monotonic() + 60, None
    while True:
        s, now = gateway(box), room(box)
        if s["dead_segments"] == 0 and s["bundle_dead_bytes"] <= dead_most and now == before:
            return s, now
        check(time.monotonic() < end, f"it does not come to an end: {s}")
        before = now
        time.sleep(0.2)


def same(folder, live, what):
    for name, d in live.items():
        with open(os.path.join(folder, name), "rb") as f:
            check(f.read() == d, f"{what}: {name} differs")
    check(sum(len(fs) for _, _, fs in os.walk(folder)) == len(live), f"{what}: there are others, too")


def all_of(box, live, what):
    out = os.path.join(box.work, "out")
    shutil.rmtree(out, ignore_errors=True)
    box.expect((0, 4), "get", "-r", "d", out)
    same(out, {os.path.relpath(n, "d"): d for n, d in live.items()}, what)


def other_programs(box, live):
    out = os.path.join(box.work, "read")
    args = [a for c in box.clouds[1:4] for a in ("--cloud", c)] + [a for s in box.stores for a in ("--store", s)]
    p = subprocess.run([sys.executable, "-B", READER, *args, "all", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(p.returncode == 0, f"reader: exit {p.returncode}: {p.stderr.decode()[-2000:]}")
    same(out, live, "second reader")
    out = os.path.join(box.work, "salvaged")
    p = subprocess.run([SALVAGE, "--share", box.stores[0], "--share", box.stores[1], "--out", out, *box.clouds], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(p.returncode == 0, f"salvage: exit {p.returncode}: {p.stdout.decode()[-1000:]}{p.stderr.decode()[-2000:]}")
    same(out, live, "salvage")


def test():
    rng = seeded("repack")
    with Box() as box:
        box.init("--memory", "64")
        data = {f"d/{i % 10}/{i}": rng.randbytes(SIZE) for i in range(COUNT)}
        box.put_tree(data)
        _, (alone, _) = quiet(box)
        live = data | {n: rng.randbytes(SIZE) for n in rng.sample(sorted(data), PURGED)}        # in the place of so many
        box.put_tree({n: d for n, d in live.items() if d != data[n]})
        _, (full, objects) = quiet(box)
        box.expect(0, "prune", "--keep-last", "1", "--yes")
        s, (left, fewer) = quiet(box, 0.3 * alone * box.k / box.n)
        print(f"{COUNT + PURGED} versions of {SIZE} bytes: {full} bytes in {objects} fragments; {PURGED} of {COUNT} purged: {left} bytes in {fewer}; "
              f"{s['bundles_repacked']} bundles made, {s['bundle_dead_bytes']} bytes dead in others", flush=True)
        check(s["bundles_repacked"] > 0 and s["repack_why"] == "", f"nothing was put together: {s}")
        # A bundle of which, by chance, less than half is gone stays as it is, and status has what is dead in it.
        stays = s["bundle_dead_bytes"] * box.n / box.k
        check(stays < 0.3 * alone, "more than a bundle or two stay")
        check(full - left + stays > 0.95 * alone * PURGED / COUNT, "the room did not come back")
        check(left - stays <= 1.05 * alone, "1,000 files take more room than they did")
        all_of(box, live, "after it")
        for name in rng.sample(sorted(live), 5):
            at = rng.randrange(SIZE)
            n = rng.randrange(1, SIZE - at + 1)
            got = box.expect(0, "cat", "--range", f"{at}-{at + n - 1}", name).stdout
            check(got == live[name][at:at + n], f"{name}: bytes {at} to {at + n} differ")
        box.stop(15)
        other_programs(box, live)
        with box.lost(box.clouds[0]):
            all_of(box, live, "without a cloud")
        shutil.rmtree(box.home)
        box.expect((0, 4), "init", "--join", *box.stores, "--take-over")
        all_of(box, live, "from the clouds alone")
        versions = s["versions"]                                    # folders, too
        s, again = quiet(box, s["bundle_dead_bytes"])
        check(again == (left, fewer) and s["versions"] == versions, f"after a rebuild: {again} bytes and fragments, {s['versions']} versions")


main(test)
