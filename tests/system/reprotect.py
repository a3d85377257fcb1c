#!/usr/bin/python3
"""I1, ADR 24: what is stored gets another code. (3,5) on five clouds, two are added, then (4,7): killed at each step, and at random under a
load of puts, gets, overwrites and removals, and resumed; at each kill the catalogue can be rebuilt from as few clouds as the log asks for. No
margin that status shows is ever below that of the start. At the end all has (4,7) and margin 3: byte-identical without any 3 clouds, and
after the loss of the gateway's disk with 3 clouds; the second reader and qcloud-salvage open it. Sets of clouds are drawn;
QC_FULL=1 takes all of them (4 at each kill), and kills ten times as often. The seed is printed."""
import contextlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import BIN, FULL, Box, check, main, second_reader, seeded, small_files
from moving import SIZES, Load, clouds, gateway, killed, killed_under_load, margins, rebuilds

BIG = (16 << 20) + 99
TO, DOWN = ("repair", "--reprotect", "4,7"), ("repair", "--reprotect", "3,5")
# Of a record, one is reached: whoever is killed there finds it published when he comes again.
RAISE = ("recode_quorum", "shares_drawn", "shares_put", "shares_spread")
DECIDE = ("put_decided", "put_log", "put_publish", "recode_code")
SETTLE = ("shares_settle", "shares_settled")
SEGMENT = ("recode_reserved", "recode_put", "recode_put_done", "recode_read_back", "recode_record")
COUNT = ("put_decided", "put_log", "put_publish", "recode_recorded")


def code_of(box):
    for line in box.expect((0, 4), "--json", "status").stdout.splitlines():
        now = json.loads(line).get("status", {}).get("gateway")
        if now:
            check(now["other_code"] == 0, f"{now['other_code']} segments have another code")
            return now["k"], now["n"]
    check(False, "no status")


def until_done(box, args):
    """To its end; a put of the load may have the gateway for itself just then."""
    for _ in range(60):
        p = gateway(box, tuple(range(20)), *args)
        if p.returncode == 0:
            return p
        time.sleep(0.2)
    check(False, f"{args}: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")


def changed(box, rng, data, to, decide, count):
    """To another code, killed at each step that there is on the way."""
    before, after = code_of(box), tuple(map(int, to[-1].split(",")))
    first = before == (3, 5) and not box.raised     # records stay on as many clouds as they were once
    box.raised = box.raised or after == (4, 7)
    steps = (*(RAISE if first else ()), decide, *(SETTLE if first else ()), *SEGMENT, count, "sweep_deleted")
    # How many clouds may be missing: by the record quorum, which never falls.
    box.k, box.n = (3, 5) if first else (4, 7)
    hit = []
    for step in steps:
        if first and step in (*SETTLE, *SEGMENT):
            box.k, box.n = 4, 7
        if killed(box, to, step):
            hit.append(step)
            rebuilds(box, rng, len(data), full=4)
    until_done(box, to)
    check(hit == list(steps), f"{before} to {after}: killed at {hit} of {steps}")
    check(code_of(box) == after and set(margins(box)) == {after[1] - after[0]}, f"{to}: {code_of(box)}, margins {margins(box)}")
    all_there(box, data, f"{before} to {after}")
    return hit


def by_itself(box, data):
    """Killed between two segments; a gateway that somebody asks something goes on with it."""
    check(killed(box, TO, "recode_put"), "it was done before its first segment")
    end = time.monotonic() + 120
    left = None
    while left != 0:
        check(time.monotonic() < end, f"{left} segments have another code still")
        for line in box.expect((0, 4, 5), "--json", "status").stdout.splitlines():
            now = json.loads(line).get("status", {}).get("gateway") or {}
            left = now.get("other_code", left)
    check(code_of(box) == (4, 7) and set(margins(box)) == {3}, f"by itself: {code_of(box)}, margins {margins(box)}")
    all_there(box, data, "by itself")


def drawn(rng, things, r, usual):
    sets = list(itertools.combinations(things, r))
    return sets if FULL else rng.sample(sets, min(usual, len(sets)))


def all_there(box, data, what):
    for name, d in data.items():
        check(box.get(name, code=(0, 4)) == d, f"{what}: {name} differs")


def salvaged(box, data, dirs, out):
    args = [a for s in box.stores for a in ("--share", s)]
    p = subprocess.run([os.path.join(BIN, "qcloud-salvage"), *args, "--out", out, *dirs], env=box.env(), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    check(p.returncode in (0, 4), f"salvage: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
    for name, d in data.items():
        with open(os.path.join(out, name), "rb") as f:
            check(f.read() == d, f"salvage: {name} differs")


def disk_lost(box, data, gone):
    """The gateway's state and the user's configuration are gone, and these clouds with them."""
    home = box.home + ".kept"
    copies = {c: c + ".kept" for c in box.clouds}
    box.stop()
    os.rename(box.home, home)
    for c, kept in copies.items():
        shutil.copytree(c, kept, symlinks=True)
    stores = {s: s + ".kept" for s in box.stores}
    for s, kept in stores.items():
        shutil.copytree(s, kept)
    with box.lost(*gone):
        box.expect((0, 4), "init", "--join", *box.stores, "--take-over")
        all_there(box, data, f"rebuilt without {gone}")
        box.stop()
    for path, kept in (*copies.items(), *stores.items()):
        shutil.rmtree(path)
        os.rename(kept, path)
    shutil.rmtree(box.home)
    os.rename(home, box.home)


def test():
    rng = seeded("reprotect")
    with Box() as box:
        box.init()
        box.raised = False
        data = {f"n{i}": rng.randbytes(size) for i, size in enumerate((*SIZES, BIG))}
        box.put_all(data)
        small = small_files(rng)
        box.put_tree(small)
        data |= small
        box.stop(signal.SIGTERM)
        p = gateway(box, 6, *TO)
        check(b"add 2 first" in p.stderr, p.stderr.decode())
        gateway(box, 2, "repair", "--reprotect", "7,4")
        gateway(box, 2, "repair", "--reprotect", "4")
        for i in (6, 7):
            path = os.path.join(box.root, f"cloud{i}")
            box.expect(0, "gateway", "cloud", "add", f"c{i}=file://{path}")
            box.clouds.append(path)
        hit = changed(box, rng, data, TO, rng.choice(DECIDE), rng.choice(COUNT))
        rebuilds(box, rng, len(data), full=4)
        print(f"(3,5) to (4,7): killed at {len(hit)} steps, rebuilt from sets of clouds at each", flush=True)
        hit = changed(box, rng, data, DOWN, rng.choice(DECIDE), rng.choice(COUNT))
        print(f"(4,7) to (3,5): killed at {len(hit)} steps", flush=True)
        for decide, count in zip(DECIDE, COUNT) if FULL else ():
            for to in (TO, DOWN):
                changed(box, rng, data, to, decide, count)
        by_itself(box, data)
        print("killed before its first segment, a gateway went on with it by itself", flush=True)
        until_done(box, DOWN)
        with Load(box, rng, data) as load:
            time.sleep(1)
            kills = killed_under_load(box, rng, TO, 40 if FULL else 4)
            until_done(box, TO)
            load.least = min([load.least, *margins(box)])
        check(load.least >= 2, f"a margin of {load.least} was shown")
        # What the load began before the code was changed, and committed after it.
        p = box.expect(0, "--json", "gateway", "repair", "--reprotect", "4,7")
        job = next(r["move"] for r in map(json.loads, p.stdout.splitlines()) if r["type"] == "item")
        check(job["kind"] == "reprotect" and job["report"]["fragments_left"] == 0, f"{job}")
        check(set(margins(box)) == {3}, f"margins {margins(box)}")
        print(f"(4,7) under {load.ops} operations, killed {kills} times; the least margin in {load.samples} samples was {load.least}", flush=True)

        for store in box.stores:
            with contextlib.closing(sqlite3.connect(f"file:{store}/store.db?mode=ro", uri=True)) as db:
                text, = db.execute("SELECT value FROM item WHERE name='descriptor'").fetchone()
            names = json.loads(text[:-32])["gateway"]
            check((names["k"], names["n"]) == (4, 7), f"a share store names {names}")
        all_there(box, data, "after the load")
        for gone in drawn(rng, box.clouds, 3, 3):
            with box.lost(*gone):
                all_there(box, data, f"without {gone}")
        for gone in drawn(rng, box.clouds, 3, 2):
            disk_lost(box, data, gone)
        second_reader(box, data)
        for i, four in enumerate(drawn(rng, box.clouds, 4, 1)):
            salvaged(box, data, four, os.path.join(box.work, f"salvaged{i}"))
        box.expect(0, "gateway", "repair", "--deep")
        print("byte-identical without 3 clouds, after the loss of the disk and 3 clouds, by the second reader and by salvage from 4", flush=True)


main(test)
