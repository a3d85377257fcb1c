#!/usr/bin/python3
"""qcloud bench paper and bench peers: their figures, with whatever of restic and rclone is installed; one scratch folder, of which nothing
stays, also after a Ctrl-C, and after a kill when the next one has run; nothing else there is touched; room is asked for before."""
import json
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "system"), os.path.dirname(os.path.abspath(__file__))]
from harness import Box, check, main  # noqa: E402
from schemas import Schemas, run  # noqa: E402

TOOLS = {"qcloud": "qcloud, five directories", "restic": "restic, one directory", "rclone": "rclone crypt, one directory",
         "cp": "cp, neither sealed nor spread"}


def begun(box, place, env):
    """A bench that has begun to write a file."""
    p = box.start("bench", "peers", "--runs", "1", "--size", "128M", env=env)
    end = time.monotonic() + 60
    while not any(os.path.exists(os.path.join(place, x, "source")) for x in os.listdir(place)):
        check(time.monotonic() < end and p.poll() is None, "nothing is written")
        time.sleep(0.01)
    return p


def figures(path):
    with open(path, encoding="utf-8") as f:
        return [r for r in json.load(f) if "ns" in r]


def test():
    schemas = Schemas()
    with Box() as box:
        place, out = os.path.join(box.root, "place"), os.path.join(box.work, "out")
        mine = os.path.join(place, "qcloud-bench-mine")     # somebody's own, of a name like that
        os.makedirs(mine, 0o700)
        with open(os.path.join(mine, "file"), "w", encoding="ascii"):
            pass
        env, alone = {"TMPDIR": place}, {"TMPDIR": place, "PATH": "/nonexistent"}

        def left():
            return sorted(set(os.listdir(place)) - {"qcloud-bench-mine"})

        p = begun(box, place, alone)
        p.kill()
        p.communicate(timeout=60)
        check(len(left()) == 1, f"a bench that was killed left {left()}")
        old = os.path.join(place, left()[0])
        os.makedirs(os.path.join(old, *["d"] * 80))         # deeper than any bench makes: it is not removed to its end
        run(schemas, box, "bench", 0, "bench", "paper", "--runs", "1", "--size", "4k,1000000", "--out", out, env=env)
        check(left() == [os.path.basename(old)] and os.listdir(mine) == ["file"], f"after the next one: {left()}")
        check(sorted(os.listdir(old)) == ["d", "made-by-qcloud-bench"], f"of a removal that was broken off: {os.listdir(old)}")
        shutil.rmtree(os.path.join(old, "d"))               # the one after that goes on
        rows = {r["what"]: r for r in figures(out)}
        steps = [f"{step} {size}{how}" for size in ("4.0 KiB", "1 MB") for step, how in
                 (("seal", ""), ("fragment", ", EC(3,5)"), ("rebuild", ", EC(3,5)"), ("put", ", EC(3,5)"), ("get", ", EC(3,5)"))]
        check({*steps, "fragment 1 MB, EC(4,6)", "rebuild 1 MB, EC(2,3)"} <= rows.keys(), f"what a paper's bench has: {sorted(rows)}")
        shared = rows["share 1 MB, XOR (2,3)"]
        check(shared["paper_ns"] == round(8e6 / 356e6 * 1e9) // 1 and "2021" in shared["paper_source"] and 0 < shared["ratio"], f"beside its figure: {shared}")
        check("paper" not in rows["fragment 1 MB, EC(3,5)"], "a figure that no paper has")

        p = begun(box, place, alone)
        p.send_signal(signal.SIGINT)
        err = p.communicate(timeout=60)[1].decode()
        check(p.returncode == 130 and not left(), f"Ctrl-C: exit {p.returncode}, left {left()}: {err}")
        check("not installed, and not measured: restic (Debian's package restic), rclone (" in err, f"what is missing: {err}")

        run(schemas, box, "bench", 0, "bench", "peers", "--runs", "1", "--size", "4k", "--out", out, env=env)
        here = {TOOLS[t] for t in TOOLS if t == "qcloud" or shutil.which(t)}
        for what in ("put of 4.0 KiB", "get of 4.0 KiB", "put of 200 files of 4.0 KiB", "get of 200 files of 4.0 KiB"):
            tools = {r["tool"]: r for r in figures(out) if r["what"] == what}
            check(tools.keys() == here and all(("ratio" in r) == (t != TOOLS["qcloud"]) for t, r in tools.items()), f"{what}: {tools}")
        check(not left(), f"peers left {left()}")

        most = os.statvfs(place)
        if most.f_bavail * most.f_frsize < 500 << 30:
            err = box.expect(14, "bench", "peers", "--runs", "15", "--size", ",".join(["1G"] * 8), env=env).stderr.decode()
            check("504.0 GiB are needed" in err and not left(), f"no room: {err}")
        box.expect(2, "bench", "paper", env={"TMPDIR": "/nonexistent"})
        print(f"measured beside: {', '.join(sorted(here))}")


if __name__ == "__main__":
    main(test)
