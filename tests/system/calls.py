#!/usr/bin/python3
"""What a put, a get and a small file cost in system calls: syncs, threads, connections, and that large writes pass the page cache.
Nothing is timed; a count does not depend on how busy the machine is. Each number is the difference of two gateway's lives, so
that starting costs nothing. Limits are what was counted when this was written, and a little room: whoever needs more says why."""
import filecmp
import os
import shutil
import signal

from harness import Box, check, main

# Counted: a file is five fragments and three log objects, each a fdatasync, a fsync of its directory, and of that one's parents when
# it is new; two share stores commit twice. A segment is five fragments. Threads and connections belong to the command, not to a file. What the
# gateway does by itself (housekeeping) comes on top, a few syncs.
SMALL_PUT = {"qcloud": {"fsync": 5, "fdatasync": 20, "thread": 0.2, "connect": 0.2},
             "qcloud-gateway": {"fsync": 23, "fdatasync": 15, "thread": 0.2}}
# What goes on with a put of several segments is synced when it begins and each 256 MiB, and its folder when it comes and when it goes.
SEGMENT_PUT = {"qcloud": {"fsync": 1, "fdatasync": 0, "thread": 0.5, "connect": 0.5},
               "qcloud-gateway": {"fsync": 14, "fdatasync": 8, "thread": 0.5}}
GET = {"qcloud": {"fsync": 3, "fdatasync": 0, "thread": 3, "connect": 7}}
# An entry of a listing: its keys are made in pages that stay open, its marks read under one lock, for a whole page of entries.
LISTED = {"qcloud": {"mprotect": 1, "lock": 1, "fsync": 0, "connect": 0}}
SHIM = os.environ["QC_COUNT_SHIM"]
MIB = 1 << 20
# Of a tree with more of them: all are one bundle, whatever their number.
TOGETHER = {"qcloud": {"mprotect": 6, "fsync": 0.1, "fdatasync": 0.2, "thread": 0.1, "connect": 0.1},
            "qcloud-gateway": {"fsync": 0.2, "fdatasync": 0.2, "thread": 0.1}}
# All of them are synced, bytes and then names, by two calls; marks and shares are read under one lock.
GET_TOGETHER = {"qcloud": {"fsync": 0.1, "fdatasync": 0.05, "thread": 0.1, "connect": 0.1, "mprotect": 1, "lock": 1}, "qcloud-gateway": {"thread": 0.1}}
FILES, MORE = 6, 180      # fewer than QC_VAULT_BUNDLE_LEAST; with 16 more, not more than a lot of get -r holds: a second one has a session of its own


class Counted(Box):
    def env(self, **extra):
        return super().env(LD_PRELOAD=SHIM, QC_COUNT_DIR=self.counts, **extra)

    def count(self, *commands):
        """program -> counter -> total of these commands and of the gateway that they shared."""
        self.counts = os.path.join(self.root, "counts")
        self.stop(signal.SIGTERM)
        shutil.rmtree(self.counts, ignore_errors=True)
        os.mkdir(self.counts)
        for c in commands:
            self.expect(0, *c)
        self.stop(signal.SIGTERM)
        total = {}
        for name in os.listdir(self.counts):
            of = total.setdefault(name.split(".")[0], {})
            with open(os.path.join(self.counts, name), encoding="ascii") as f:
                for line in f:
                    key, value = line.split()
                    of[key] = of.get(key, 0) + int(value)
        check(set(total) == {"qcloud", "qcloud-gateway"}, f"counted {sorted(total)}")
        return total


def less(b, a, units):
    return {p: {k: (b[p][k] - a[p][k]) / units for k in b[p]} for p in b}


def limit(what, got, limits):
    print(what, got, flush=True)
    for program, rows in limits.items():
        for key, most in rows.items():
            check(got[program][key] <= most, f"{what}: {program} has {got[program][key]:.1f} of {key}, at most {most}")


def test():
    with Counted() as box:
        box.counts = box.root
        box.init()
        trees = []
        for count in (1, 1 + FILES, 16, 16 + MORE):
            trees.append(os.path.join(box.work, f"tree{count}"))
            os.mkdir(trees[-1])
            for i in range(count):
                with open(os.path.join(trees[-1], f"{i}"), "wb") as f:
                    f.write(os.urandom(4096))
        segment, five = (box.write(f"{n}", os.urandom(n * MIB)) for n in (16, 80))
        one, many = (box.count(("put", "-r", t, name)) for t, name in zip(trees[:2], ("few", "small")))
        limit("a small file's put", less(many, one, FILES), SMALL_PUT)
        one, many = (box.count(("put", "-r", t, name)) for t, name in zip(trees[2:], ("some", "together")))
        limit("a small file's put with others", less(many, one, MORE), TOGETHER)
        one, many = (box.count(("get", "-r", name, os.path.join(box.work, f"back-{name}"))) for name in ("some", "together"))
        limit("a small file's get with others", less(many, one, MORE), GET_TOGETHER)
        check(filecmp.dircmp(trees[3], os.path.join(box.work, "back-together")).same_files == sorted(os.listdir(trees[3])), "what came back differs")
        one, many = (box.count(("ls", name)) for name in ("some", "together"))
        limit("an entry that is listed", less(many, one, MORE), LISTED)
        one, many = (box.count(("put", p, "large")) for p in (segment, five))
        got = less(many, one, 4)
        limit("a segment's put", got, SEGMENT_PUT)
        on_disk = got["qcloud-gateway"]["direct_kib"] > 0
        if on_disk:     # else a file system without O_DIRECT
            check(got["qcloud-gateway"]["direct_kib"] > 16 * 1024 * 5 / 3 * 0.98, "fragments go through the page cache")
        got = box.count(("get", "large", os.path.join(box.work, "large")))
        limit("a get", got, GET)
        check(not on_disk or got["qcloud"]["direct_kib"] > 60 * 1024, "a file that is fetched goes through the page cache")


main(test)
