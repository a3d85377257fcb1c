#!/usr/bin/python3
"""Many files at once while share store 2 is elsewhere: put -r and sync take a ticket for each, in bundles as ever; too few tickets; tickets of what was
not stored go back; killed at each point of such a put, and at each commit of drawing, using and cancelling them. Whatever came of it, what is listed opens by either store, and no ticket is used twice."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.dont_write_bytecode = True
from harness import FULL, Box, check, main, seeded  # noqa: E402

FAULTS = os.environ.get("QC_FAULTS") == "1"
POINTS = ("client_share1", "client_receipt", "client_stored1") + (("client_journal", "client_begun", "client_shared", "client_sent", "client_done") if FULL else ())


def left(box):
    text = box.expect((0, 4, 7), "status").stdout.decode()
    for line in text.splitlines():
        if line.startswith("tickets: "):
            return int(line.split()[1])
    return 0


class Stick:
    """Share store 2, which is moved away and comes back."""

    def __init__(self, box):
        self.place = box.stores[1]

    def pull(self):
        os.rename(self.place, self.place + ".drawer")

    def plug(self):
        os.rename(self.place + ".drawer", self.place)


def draw(box, stick, n):
    stick.plug()
    box.expect(0, "tickets", "draw", str(n))
    stick.pull()


def all_there(box, data, what):
    out = os.path.join(box.work, "out")
    shutil.rmtree(out, ignore_errors=True)
    box.expect((0, 4), "get", "-r", "/", out)
    for name, d in data.items():
        with open(os.path.join(out, name), "rb") as f:
            check(f.read() == d, f"{what}: {name} differs")


def by_each(box, data, what):
    for store in box.stores:
        with box.lost(store):
            all_there(box, data, f"{what}, without {os.path.basename(store)}")


def listed(box):
    return set(box.expect(0, "ls").stdout.decode().split())


def bundles(box, stick, rng):
    """Two bundles' worth, one name that is taken, one file too large for a bundle: as many tickets as files, and as few requests as without."""
    data = {f"d{i % 7}/{i}": rng.randbytes(rng.randrange(4000)) for i in range(300)} | {"large": rng.randbytes(300000)}
    draw(box, stick, 317)
    fragments = sum(len(fs) for _, _, fs in os.walk(box.clouds[0]))
    box.expect(0, "put", "-r", box.write_tree(data), "/")
    added = sum(len(fs) for _, _, fs in os.walk(box.clouds[0])) - fragments
    check(added < 40, f"{added} objects on a cloud for 301 files: they were not put together")
    check(left(box) == 317 - 301 - 7, f"{left(box)} tickets left")      # seven folders
    all_there(box, data, "in bundles")
    check(box.expect(0, "versions", "d1/1").stdout.decode().count("\n") >= 2, "what a ticket covered is listed no more")
    stick.plug()
    box.expect(0, "put", box.write("in", b"after"), "after")
    data["after"] = b"after"
    p = box.expect(0, "verify")
    check(b"0 degraded, 0 bad" in p.stderr, p.stderr.decode())
    by_each(box, data, "bundles")
    stick.pull()
    return data


def too_few(box, stick, rng, data):
    """More files than tickets: as many as there are are stored, the others are told of, and nothing is sent for them."""
    check(left(box) == 9, f"{left(box)} tickets")
    check("few are left" in box.expect((0, 4, 7), "status").stdout.decode(), "status does not say that few are left")
    more = {f"few/{i}": rng.randbytes(50) for i in range(15)}
    p = box.expect(7, "put", "-r", box.write_tree(more), "/")
    check(re.search(r"share store 2 .*, and no ticket is left", p.stderr.decode()), p.stderr.decode())
    got = {n for n in listed(box) if n.startswith("few/")}
    check(len(got) in (8, 9) and left(box) == 0, f"{len(got)} of 15 files by 9 tickets, {left(box)} left")
    data |= {n: more[n] for n in got}
    draw(box, stick, 15)
    box.expect(0, "sync", os.path.join(box.write_tree(more), "few"), "few/")
    check(left(box) <= 15 - 6, "sync takes a ticket for each file that it stores")
    data |= more


def old_copy(box, stick, rng, data):
    """Share store 1 from before: its tickets were used since, and are not used again; what was stored with them stays what it is."""
    box.expect(0, "tickets", "cancel")
    draw(box, stick, 11)                # and one for the folder
    box.stop()
    shutil.copytree(box.stores[0], box.stores[0] + ".old")
    first = {f"old/{i}": rng.randbytes(60) for i in range(10)}
    box.expect(0, "put", "-r", box.write_tree(first), "/")
    data |= first
    box.stop()
    os.rename(box.stores[0], box.stores[0] + ".now")
    os.rename(box.stores[0] + ".old", box.stores[0])
    p = box.run("put", "-r", box.write_tree({f"again/{i}": b"again" for i in range(10)}), "/")
    check(p.returncode in (5, 7) and not any(n.startswith("again/") for n in listed(box)), f"exit {p.returncode}: {p.stderr.decode()}")
    check(b"used by another put" in p.stderr or b"no ticket is left" in p.stderr, p.stderr.decode())
    box.stop()
    shutil.rmtree(box.stores[0])
    os.rename(box.stores[0] + ".now", box.stores[0])


def unused(box, stick, data):
    """A file that cannot be stored costs its ticket no use where nothing was drawn with it: the name is taken."""
    draw(box, stick, 25)
    names = [f"u{i}" for i in range(10)]
    box.expect(0, "put", "--if-absent", *(box.write(n, b"x") for n in names), "few/")
    check(left(box) == 15, f"{left(box)} tickets of 25 after 10 files")
    p = box.run("put", "--if-absent", *(box.write(n, b"y") for n in names), "few/")
    check(p.returncode != 0 and left(box) == 15, f"{left(box)} tickets after a put that stored nothing")
    data |= {f"few/{n}": b"x" for n in names}


def killed(box, stick, rng, data):
    for point in POINTS:
        draw(box, stick, 40)
        new = {f"k/{point}/{i}": rng.randbytes(rng.randrange(1, 900)) for i in range(9)}
        p = box.run("put", "-r", box.write_tree(new), "/", env={"QC_FAULT": f"{point}:kill:1"})
        check(p.returncode == -9, f"{point}: exit {p.returncode}\n{p.stderr.decode()}")
        check(left(box) in (29, 30, 31), f"{point}: {left(box)} tickets of 40 after those of 9 files, and of folders, were taken")
        box.expect(0, "put", "-r", box.write_tree(new), "/")             # settles, and stores what is not there
        data |= new
        all_there(box, new, f"killed at {point}")
        stick.plug()
        box.expect(0, "put", box.write("in", point.encode()), "last")
        check(b"0 degraded, 0 bad" in box.expect(0, "verify").stderr, f"killed at {point}: not whole")
        stick.pull()
    data["last"] = POINTS[-1].encode()


def at_each_commit(box, *command):
    """The command, killed before and after each commit in a share store, from the first on, until it comes to its end by itself. What is left of
    tickets each time, as status says it."""
    for point in ("db_commit", "db_committed"):
        for nth in range(1, 40):
            box.expect((0, 4, 7), "status")         # the gateway runs, and is not told of the fault
            p = box.run(*command, env={"QC_FAULT": f"{point}:kill:{nth}"})
            check(p.returncode in (0, -9), f"{command}, {point} {nth}: exit {p.returncode}\n{p.stderr.decode()}")
            yield p.returncode == 0, left(box)
            if p.returncode == 0:
                break


def broken_off(box, stick, rng, data):
    """Killed at each commit of drawing, using, cancelling: status says how many there are, the next draw goes on from there, and all of them are
    good. None is used twice: the gateway refuses that, and no put here is refused."""
    box.expect(0, "tickets", "cancel")
    stick.plug()
    seen, last = set(), 0
    for over, n in at_each_commit(box, "tickets", "draw", "70"):        # a batch of 64, and one of 6
        check(n in (0, 64, 70) and n >= last and (n == 70 or not over), f"{n} tickets, {last} before")
        seen.add(n)
        last = n
        if over:
            box.expect(0, "tickets", "cancel")
            last = 0
    check(seen == {0, 64, 70}, f"a draw that was killed left {sorted(seen)}")
    box.expect(0, "tickets", "draw", "70")
    stick.pull()
    last, kept = 70, data.get("used")
    for over, n in at_each_commit(box, "put", box.write("used", b"by a ticket"), "used"):
        check(n == last - 1 or (n == last and not over), f"{n} tickets, {last} before one put")
        last = n
        stick.plug()                                                        # what was killed is settled: all of it is there, or nothing
        box.expect(0, "put", box.write("in", b"%d" % n), "settled")
        now = box.run("get", "used", "-").stdout or None
        check(now in (kept, b"by a ticket") and (now or not over), f"killed: {now}")
        kept = now
        stick.pull()
    data["used"], data["settled"] = kept, b"%d" % last
    for name, d in (more := {f"more/{i}": b"%d" % i for i in range(last - 5)}).items():
        data[name] = d
    box.expect(0, "put", "-r", box.write_tree(more), "/")               # all that are left are good; one for the folder
    check(left(box) == 4, f"{left(box)} tickets left")
    stick.plug()
    box.expect(0, "tickets", "draw", "70")
    for over, n in at_each_commit(box, "tickets", "cancel"):
        check(n in (0, 6, 70) and (n == 0 or not over), f"{n} tickets of 70 after a cancellation that was killed")
        if over:
            box.expect(0, "tickets", "draw", "70")
    box.expect(0, "tickets", "cancel")
    check(b"0 degraded, 0 bad" in box.expect(0, "verify", "used").stderr, "not whole")
    stick.pull()


def test():
    rng = seeded("tickets")
    with Box(k=2, n=3) as box:
        stick = Stick(box)
        box.init("--no-passphrase")
        box.expect(0, "put", box.write("in", b"before"), "d1/1")
        stick.pull()
        data = bundles(box, stick, rng)
        too_few(box, stick, rng, data)
        unused(box, stick, data)
        old_copy(box, stick, rng, data)
        if FAULTS:
            killed(box, stick, rng, data)
            broken_off(box, stick, rng, data)
        stick.plug()
        box.expect(0, "put", box.write("in", b"end"), "end")
        data["end"] = b"end"
        box.expect(0, "verify")
        by_each(box, data, "at the end")
    print(f"tickets: {len(data)} objects, each by either store{'' if FAULTS else '; no fault points here'}{' (full)' if FULL else ''}")


main(test)
