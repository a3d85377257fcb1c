"""How fast does the margin come back? One of five clouds is emptied; what its fragments take to be rebuilt, by itself and by a command, beside
what it takes to read k clouds: `get` of the same objects in the same run, into nothing where they are large, of a whole tree where they are small.
Used by run.py."""
import json
import os
import shutil
import statistics
import subprocess
import time

from clouds import Clouds
from harness import QCLOUD, Box, check, files
from s3box import S3Box

CLOUDS = 5


def fragments(box, n):
    return sum(1 for k in box.s3.list(n) if k.startswith("f/")) if isinstance(box, S3Box) else sum(1 for _ in files(os.path.join(box.clouds[n - 1], "f")))


def lose(box, n):
    """All fragments of a cloud."""
    if isinstance(box, S3Box):
        for key in [k for k in box.s3.list(n) if k.startswith("f/")]:
            box.s3.fault("delete", n, key)
    else:
        for f in list(files(os.path.join(box.clouds[n - 1], "f"))):
            os.unlink(f)


def clouds(box):
    p = subprocess.run([QCLOUD, "--json", "status"], env=box.env(), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    return next(r["status"]["gateway"]["clouds"] for r in map(json.loads, p.stdout.splitlines()) if "status" in r)


def owed(box):
    return sum(c["scrub"]["queue"]["fragments"] + c["debts"]["fragments"] for c in clouds(box))


def rests(box):
    return all(c["scrub"][d]["state"] == "resting" for c in clouds(box) for d in ("presence", "content"))


def by_itself(box, bench, whole):
    """From when it is looked for, to when nothing is owed."""
    began = time.monotonic()
    bench.Command(box, "gateway", "scrub", "--cloud", "c2", ok=(0, 4)).wait()
    while fragments(box, 2) < whole or owed(box) > 0:
        time.sleep(0.05)
    return time.monotonic() - began


def put(box, bench, size, count):
    """Small ones as a tree."""
    source = os.path.join(box.work, "source")
    if size >= 1 << 20:
        bench.random_file(source, size)
        for i in range(count):
            bench.Command(box, "put", source, f"object-{i}").wait()
        return
    os.mkdir(source)
    for i in range(count):
        bench.random_file(os.path.join(source, str(i)), size)
    bench.Command(box, "put", "-r", source, "source").wait()


def read(box, bench, size, count):
    if size >= 1 << 20:
        return sum(bench.Command(box, "get", f"object-{i}", "-").wait().seconds for i in range(count))
    tree = os.path.join(box.work, "tree")
    took = bench.Command(box, "get", "-r", "source", tree).wait().seconds
    shutil.rmtree(tree)
    return took


def by_command(box, bench, _):
    return bench.Command(box, "gateway", "repair", ok=(0, 4)).wait().seconds


def rounds(out, bench, box, where, size, count, runs):
    put(box, bench, size, count)
    whole = fragments(box, 2)
    took = {"get": [], "repair": [], "by itself": []}
    for _ in range(runs):
        for name, way in (("get", None), ("repair", by_command), ("get", None), ("by itself", by_itself)):
            bench.gateway_of(box)
            if way is None:
                took[name].append(read(box, bench, size, count))
                continue
            while not rests(box):
                time.sleep(0.05)
            lose(box, 2)
            took[name].append(way(box, bench, whole))
            check(fragments(box, 2) == whole, f"{fragments(box, 2)} of {whole} fragments are back")
    median = {name: statistics.median(rows) for name, rows in took.items()}
    for name, s in median.items():
        out.add("repair", clouds=where, name=name, mib=count * size >> 20, segments=whole, runs=runs, seconds=round(s, 3), mb_per_s=round(count * size / s / 1e6, 1))
    for name in ("repair", "by itself"):
        out.add("repair_ratio", clouds=where, name=name, segments=whole, to_read=round(median[name] / median["get"], 2))


def measure(out, bench, place, quick, clouds, runs):
    """Large segments, where bytes are what counts, and many small ones, where it is steps; on directories, and on real S3 servers."""
    sizes = ((16 << 20, 2), (100_000, 10)) if quick else ((128 << 20, 8), (100_000, 1000))
    for size, count in sizes:
        with Box(root=place) as box:
            box.init()
            rounds(out, bench, box, "directories", size, count, runs)
        if clouds:
            with Clouds(CLOUDS) as servers, S3Box(servers) as box:
                box.init()
                rounds(out, bench, box, "five of Ceph", size, count if size < 1 << 20 else max(1, count // 4), runs)
