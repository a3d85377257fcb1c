#!/usr/bin/python3
"""I1, I2, I8: power loss at each step of init, put, overwrite, rm, rm --erase, get, recover, join, repair, scrub, and of adding, draining and
retiring a cloud. The programs run once, under a recorder (tests/disk/); then the real programs start on what a power cut could have left: a
disk that lost, tore or reordered what was not synced (docs/adr/0010). As after kill -9: every acknowledged version is whole within its
margin, none that was not decided is to be seen, every decided one is, stores, catalogue and clouds agree, a put works; also with two clouds
and a share store lost, and, for a part, with the gateway's disk lost as well. Syncs left out on purpose must be found.

  power.py                      cuts at every event that makes something durable; prints its seed, QC_SEED=N draws the same cuts again
  QC_FULL=1 power.py            a fiftieth of all cuts: of those at every event, in every mode; QC_PART=1: all of them, which takes hours
  QC_GO_ON=1 power.py           tells of every failure instead of the first; QC_ONLY="stored init": only these recordings
  QC_LARGE=1 QC_TMP=DIR         objects of 3 MiB, on a disk that knows O_DIRECT (memory does not)
  power.py --replay FILE        one cut again, from the file that a failure left
"""
import json
import os
import pickle
import random
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "disk")]
sys.dont_write_bytecode = True
from harness import FULL, GATEWAY, Box, Failure, check, files, flip, main, part_of, seeded  # noqa: E402
import model                                                    # noqa: E402
from checks import CLOUDS, Checks                               # noqa: E402
from phase import TOPS, Cut, Phase, disk_dir                    # noqa: E402

LIBRARY = os.environ.get("QC_DISK", "")
SIZES = (0, 3 << 20, 3 << 20, 3000001) if os.environ.get("QC_LARGE") else (0, 300, 3000, 9000)
PASSPHRASE = {"QCLOUD_PASSPHRASE_COMMAND": "echo open sesame", "QCLOUD_NEW_PASSPHRASE_COMMAND": "echo open sesame"}
NOTHING_MORE = model.MODES[0]


# ---------------------------------------------------------------- what must hold
ERASED = "old0"     # which has two versions
ERASE = ("rm", "--erase", "--yes", ERASED)


class Check(Checks):
    """What must hold after a cut. acked: what was stored before the phase."""

    def __init__(self, box, phase, acked, cut):
        super().__init__(box, random.Random(f"{cut.seed} {cut.at} {cut.mode}"))
        self.phase, self.acked, self.at = phase, acked, cut.at
        self.rebuild = FULL and self.rng.random() < 0.1 or cut.mode == NOTHING_MORE and self.rng.random() < 0.25

    def outputs(self):
        """What get wrote under a final name is whole; once it said so, it is there."""
        for o in (o for o in self.phase.ops if o.kind == "get"):
            path = os.path.join(self.box.root, "out", o.name)
            there = os.path.exists(path)
            check(there or self.at < o.end, f"{path} was acknowledged and is gone")
            if there:
                with open(path, "rb") as f:
                    check(f.read() == o.data, f"{path} is there and not whole")

    def stored(self):
        """put, overwrite, rm, get."""
        want = self.phase.expected(self.at, self.acked)
        self.outputs()
        late = self.rng.random() < 0.5      # who meets the state first, a reader or a writer?
        if not late:
            self.put(want)
        want = self.tree(want, "after the cut")
        if late:
            self.put(want)
        self.box.expect(0, "verify")
        self.settled()
        self.lost(want)

    def certificates(self):
        """Those that are there: each holds, and what it names is gone."""
        folder = os.path.join(self.box.home, "state", "certificates")
        there = os.listdir(folder) if os.path.isdir(folder) else []
        for name in (n for n in there if n.endswith(".cert")):
            said = self.box.expect(0, "certificate", "verify", os.path.join(folder, name)).stdout.decode()
            check(f"'{ERASED}': removed" in said and said.count(" share, share\n") == 2, said)
            check(not self.box.expect(0, "versions", ERASED).stdout, f"{name} certifies what is there")
        return [n for n in there if n.endswith((".cert", ".draft"))]

    def erased(self):
        """rm --erase: said again it ends with one certificate; acknowledged it has."""
        want = self.tree(self.phase.expected(self.at, self.acked), "after the cut")
        self.certificates()
        if self.at < self.phase.ops[-1].end:
            self.box.expect(0, *ERASE)
            want[ERASED] = {None}
        left = self.certificates()
        check(len(left) == 1 and left[0].endswith(".cert"), f"after the erasure: {left}")
        check(not self.box.expect(0, "versions", ERASED).stdout, "it is not erased")
        self.put(want)
        self.box.expect(0, "verify")
        self.settled()
        self.lost(want)

    def short(self):
        """A put that was acknowledged with less (exit 4), a cloud being away: the margin that it had then, it has."""
        want = self.tree(self.phase.expected(self.at, self.acked), "after the cut")
        self.put(want, 4)
        self.lost(want, clouds=[self.rng.randrange(CLOUDS - 1)])

    def repaired(self):
        """gateway repair, of lost and rotten fragments or of a whole cloud: what it left is found by saying it again."""
        op = self.phase.ops[-1]
        want = self.tree({name: {data} for name, data in self.acked.items()}, "after the cut")
        if self.at < op.end:
            self.box.expect(0, *op.data)
        self.put(want)
        self.box.expect(0, "verify")
        self.settled()
        self.lost(want)

    def mended(self):
        """By itself, by the gateway that goes on."""
        end = time.monotonic() + 120
        while {m["margin"] for m in self.status()["gateway"]["margins"]} != {2}:
            check(time.monotonic() < end, "what was found is not mended")
            time.sleep(0.05)

    def scrubbed(self):
        """gateway scrub: what it said that it found, the next gateway knows, and mends, so that another scrub finds nothing."""
        op = self.phase.ops[-1]
        want = self.tree({name: {data} for name, data in self.acked.items()}, "after the cut")
        if self.at < op.end:
            scrub(self.box)
        self.mended()
        said = scrub(self.box)
        check(" findings in " not in said, f"what was found is found again:\n{said}")
        self.put(want)
        self.box.expect(0, "verify")
        self.settled()
        self.lost(want, clouds=self.rng.sample([c for c in range(CLOUDS) if c not in op.name], 2))

    def member(self, name):
        said = map(json.loads, self.box.expect(0, "--json", "gateway", "cloud", "ls").stdout.splitlines())
        return next((c for line in said for c in line.get("gateway", {}).get("clouds", ()) if c["name"] == name), None)

    def moved(self):
        """A cloud came, another one was drained or is gone: no margin is less at any step, and said again each comes to its end."""
        box, want = self.box, self.tree({name: {data} for name, data in self.acked.items()}, "after the cut")
        self.settled(codes=(0, 4))      # a new cloud that has no identity yet is none
        for op in self.phase.ops:
            if self.at >= op.end:
                continue
            end = time.monotonic() + 120
            while True:                 # the one who asks is in doubt: it may have been done, or it goes on by itself
                p = box.run(*op.data)
                if {"add": (self.member("c6") or {}).get("role") == "in use", "drain": (self.member("c1") or {"fragments": 0})["fragments"] == 0,
                        "retire": self.member("c1") is None}[op.kind]:
                    break
                check(time.monotonic() < end, f"{op.kind} said again: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
        check(self.member("c1") is None and self.member("c6")["role"] == "in use", "an end that was acknowledged is none")
        left = [f for f in files(box.clouds[0]) if "/." not in f[len(box.root):]]
        check(not left, f"left on the cloud that is gone: {left}")
        self.put(want)
        box.expect(0, "verify")
        self.settled()
        self.lost(want, clouds=self.rng.sample(range(1, CLOUDS + 1), 2))

    def done_before(self, args):
        """Say it again: it goes through, or (needed once it was acknowledged) it has been through."""
        p = self.box.run(*args)
        done = p.returncode == 2 and b"already set up" in p.stderr
        check(done or (self.at < self.phase.ops[-1].end and p.returncode == 0), f"said again: exit {p.returncode}\n{p.stderr.decode()}")

    def initialised(self):
        self.done_before(self.phase.ops[-1].data)
        want = {}
        self.put(want)
        self.settled()
        self.lost(want)
        for store in self.box.stores if self.at == len(self.phase.events) else ():
            check(not [n for n in os.listdir(store) if n.startswith(".tmp")], f"{store}: a second name of a key file is left")

    def recovered(self):
        """What recover left unfinished is finished by saying it again; then the other store may be lost."""
        op = self.phase.ops[-1]
        want = {name: {data} for name, data in self.acked.items()}
        if self.at < op.end:
            self.tree(want, "before recover is said again")
            self.box.expect(0, *op.data)
        self.lost(want, 1 - op.name)
        if not self.rebuild:
            self.put(want)
            self.box.expect(0, "verify")
            self.settled()

    def joined(self):
        self.done_before(self.phase.ops[-1].data)
        want = {name: {data} for name, data in self.acked.items()}
        self.tree(want, "after joining")
        self.box.expect(0, "recover", "--share", "2")
        self.put(want)
        self.settled()
        self.lost(want)


    def locked(self):
        """passphrase: each store opens with what it had (nothing) or with the new one; said again, with the new one."""
        op = self.phase.ops[-1]
        want = {name: {data} for name, data in self.acked.items()}
        self.tree(want, "after the cut")
        if self.at < op.end:
            self.box.expect(0, *op.data)
        self.box.extra = {}
        self.box.expect(12, "get", "-r", "", os.path.join(self.box.work, "tree"))
        self.box.extra = PASSPHRASE
        self.put(want)
        self.lost(want)


# ---------------------------------------------------------------- recordings
def ask(box, phase, kind, name, data, *args, code=0):
    got, said = phase.run(box, kind, name, data, *args)
    check(code is None or got == code, f"{' '.join(args)}: exit {got}\n{said}")


def init_words(box):
    clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
    return ("init", "--local", *clouds, "--k", str(box.k), "--share1", box.stores[0], "--share2", box.stores[1])


def record_init(box, phase, _rng, _acked):
    ask(box, phase, "init", None, init_words(box), *init_words(box))


def record_stored(box, phase, rng, acked):
    for name in ("new", "old0"):
        data = rng.randbytes(rng.choice(SIZES))
        ask(box, phase, "put", name, data, "put", box.write("in", data), name)
    ask(box, phase, "rm", "old1", None, "rm", "old1")
    ask(box, phase, "get", "er/old2", acked["deep/er/old2"], "get", "-r", "deep", os.path.join(box.root, "out"))


def record_erase(box, phase, _rng, _acked):
    ask(box, phase, "rm", ERASED, None, *ERASE)


def record_repair(box, phase, _rng, _acked):
    ask(box, phase, "repair", None, ("gateway", "repair", "--deep"), "gateway", "repair", "--deep")


def record_adopt(box, phase, _rng, _acked):
    ask(box, phase, "repair", None, ("gateway", "repair", "--adopt", "c5"), "gateway", "repair", "--adopt", "c5")


def scrub_words(box):
    return ("scrub", "--content", "--state", os.path.join(box.home, "state", "gateway"))


def scrub(box):
    """By the program itself, which is not held to a rate."""
    box.stop()
    p = box.start(*scrub_words(box), program=GATEWAY)
    out, err = p.communicate(timeout=120)
    check(p.returncode in (0, 4), f"scrub: exit {p.returncode}\n{(out + err).decode()}")
    return out.decode()


def record_scrub(box, phase, _rng, _acked):
    code, said = phase.run(box, "scrub", box.spoilt, None, *scrub_words(box), program=GATEWAY)
    # 4: it was not mended yet. Of two in one segment who mends the one finds the other.
    check(code in (0, 4) and " findings in " in said, f"scrub: exit {code}\n{said}")


def record_move(box, phase, _rng, _acked):
    for kind, *words in (("add", f"c6=file://{box.clouds[5]}"), ("drain", "c1", "--yes"), ("retire", "c1")):
        args = ("gateway", "cloud", kind, *words)
        ask(box, phase, kind, None, args, *args)


def record_put(box, phase, rng, _acked):
    data = rng.randbytes(2000)
    ask(box, phase, "put", "old0", data, "put", box.write("in", data), "old0")


def record_passphrase(box, phase, _rng, _acked):
    box.extra = PASSPHRASE
    ask(box, phase, "passphrase", None, ("passphrase",), "passphrase")


def record_short(box, phase, rng, _acked):
    data = rng.randbytes(700)
    ask(box, phase, "put", "short", data, "put", box.write("in", data), "short", code=4)


def record_recover(box, phase, _rng, _acked):
    args = ("recover", "--share", str(box.gone + 1))
    ask(box, phase, "recover", box.gone, args, *args)


def record_join(box, phase, _rng, _acked):
    args = ("init", "--join", box.stores[0], "--take-over", "--share2", box.stores[1])
    ask(box, phase, "join", None, args, *args)


# What is made ready before the recording begins; nothing of it is at stake.
def before_stored(box, rng, acked):
    for name in ("old0", "old1", "deep/er/old2"):
        acked[name] = rng.randbytes(rng.choice(SIZES[name != "old0":]))
        box.expect(0, "put", box.write("in", acked[name]), name)


def before_init(box, _rng, acked):
    box.extra = {}
    box.stop()
    acked.clear()
    for t in TOPS:
        shutil.rmtree(os.path.join(box.root, t), ignore_errors=True)


def before_repair(box, rng, _acked):
    """A fragment lost, one rotten, on two clouds."""
    if not os.path.exists(box.stores[1]):
        box.expect(0, "recover", "--share", "2")
    box.stop()
    box.spoilt = rng.sample(range(CLOUDS), 2)
    lost, rotten = (sorted(files(os.path.join(box.clouds[i], "f"))) for i in box.spoilt)
    os.unlink(rng.choice(lost))
    path = rng.choice(rotten)
    flip(path, rng.randrange(os.path.getsize(path)), rng.randrange(8))


def before_move(box, _rng, _acked):
    box.stop()
    box.clouds[CLOUDS:] = [os.path.join(box.root, "cloud6")]


def before_passphrase(box, _rng, _acked):
    """The one that was retired is nobody's loss."""
    box.clouds[:] = box.clouds[-CLOUDS:]


def before_short(box, _rng, _acked):
    box.stop()
    shutil.rmtree(box.clouds[4])


def before_recover(box, rng, _acked):
    box.stop()
    box.gone = rng.randrange(2)
    shutil.rmtree(box.stores[box.gone])


def before_join(box, _rng, _acked):
    box.stop()
    shutil.rmtree(box.home)
    shutil.rmtree(box.stores[1])


# title: (made ready, recorded, checked, part of the syncs that are cut at without QC_FULL)
PHASES = {
    "init": (before_init, record_init, Check.initialised, 0.025),
    "stored": (before_stored, record_stored, Check.stored, 0.325),
    "erase": (None, record_erase, Check.erased, 0.04),
    "recover": (before_recover, record_recover, Check.recovered, 0.35),
    "join": (before_join, record_join, Check.joined, 0.03),
    "repair": (before_repair, record_repair, Check.repaired, 0.1),
    "short": (before_short, record_short, Check.short, 0.05),
    "adopt": (None, record_adopt, Check.repaired, 0.035),
    "scrub": (before_repair, record_scrub, Check.scrubbed, 0.035),
    "move": (before_move, record_move, Check.moved, 0.015),
    "passphrase": (before_passphrase, record_passphrase, Check.locked, 1),      # the last: what follows would wait for it
}
SLOW = ("passphrase",)      # QC_FULL only: each opening of a store costs a second
# title: (made ready, recorded, checked, changes that it makes): a process dies at one of them, and the command is said again.
KILLED = {
    "init-killed": (before_init, record_init, Check.initialised, 750),
    "put-killed": (None, record_put, Check.stored, 320),
    "recover-killed": (before_recover, record_recover, Check.recovered, 160),
}

# Syncs that are left out, by the path that they make durable; each must be found. What is not here needs no sync: the names of the
# journals of SQLite and of `state`, that are there already. A rollback journal is missed only where the database was half written.
JOURNAL = r"store\.db-journal$"
PLANTED = {
    "init": (r"^\.$", r"^home$", r"gateway$", r"root\.key$", r"qcloud\.conf$", r"catalogue\.db-wal$", r"^share\d$", r"store\.key$",
             r"^cloud\d$", r"^cloud\d/i/", r"^cloud\d/r/", r"^cloud\d/l"),
    "stored": (r"store\.db$", JOURNAL, r"catalogue\.db-wal$", r"state/journal$", r"state/journal/", r"^cloud\d/f$",
               r"^cloud\d/f/..$", r"^cloud\d/f/../", r"^cloud\d/l/..$", r"^cloud\d/l/../", r"^\.$", r"^out$", r"^out/er$", r"^out/er/"),
    "erase": (r"state/certificates$", r"state/certificates/"),
    "recover": (r"^\.$", r"^share\d$", r"store\.db$", r"store\.key$"),
    "scrub": (r"catalogue\.db(-wal)?$",),      # it ends in good order, and leaves no journal
    "move": (r"catalogue\.db-wal$", r"^cloud6/f/../", r"^cloud6/i/"),
}


# ---------------------------------------------------------------- cuts
def cuts_of(phase, rng, seed, all_part):
    """Full: before every event, in every mode, such a part of them. Else before each sync in some mode, or just after it with nothing saved but what is
    synced; and at the end."""
    end = [Cut(len(phase.events), NOTHING_MORE, seed)]
    if FULL:
        events = phase.syncs() if phase.title in SLOW else range(len(phase.events))
        return [Cut(at, m, seed) for at in events for m in model.MODES if rng.random() < all_part] + end
    part = PHASES[phase.title][3]
    some = [at for at in phase.syncs() if rng.random() < part]
    return [Cut(at + 1, NOTHING_MORE, seed) if i % 3 == 0 else Cut(at, rng.choice(model.MODES[1:]), seed)
            for i, at in enumerate(some)] + end


def keep(phase, acked, cut):
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"qcloud-power-{phase.title}-{cut.at}-{cut.seed}")
    with open(path, "wb") as f:
        pickle.dump((phase, acked, cut), f)
    return path


def play(box, phase, acked, cuts):
    n = 0
    for cut in phase.states(box, cuts):
        n += 1
        try:
            (PHASES | KILLED)[phase.title][2](Check(box, phase, acked, cut))
        except Failure as e:
            text = f"power cut {phase.where(cut.at)}, mode {cut.mode}\n{e}\nagain: tests/system/power.py --replay {keep(phase, acked, cut)}"
            if not os.environ.get("QC_GO_ON"):
                raise Failure(text) from e
            print(f"FAILED: {text}", flush=True)
    return n


def plant(box, phase, acked, seed):
    """Each sync that matters, left out: some cut must show it."""
    paths, rng, tries = phase.synced_paths(), random.Random(seed), 0
    for pattern in PLANTED.get(phase.title, ()):
        left_out = frozenset(at for at, p in paths.items() if re.search(pattern, p))
        check(left_out, f"{phase.title}: no sync of {pattern}: the list of planted bugs is out of date")
        half = [at for at, p in paths.items() if p.endswith("store.db")] if pattern == JOURNAL else ()
        # At the end, where it is acknowledged; then where it would have been.
        cuts = [Cut(len(phase.events), NOTHING_MORE, seed)]
        for i in range(60):
            at = rng.choice([s for s in paths if s > min(left_out)] or [len(phase.events)])
            cuts.append(Cut(at, rng.choice((NOTHING_MORE, ("lost", "all"), ("all", "lost"))), seed) if not half else
                        Cut(rng.choice(half), ("one:store.db", "all"), seed + i))
        for cut in cuts:
            tries += 1
            for _ in phase.states(box, [cut], left_out):
                c = Check(box, phase, acked, cut)
                c.rebuild = c.rebuild or "/l" in pattern    # the log is for rebuilding
                try:
                    PHASES[phase.title][2](c)
                except Failure:
                    break
            else:
                continue
            break
        else:
            raise Failure(f"{phase.title}: syncs of {pattern} left out, and {len(cuts)} cuts did not show it")
        if os.environ.get("QC_GO_ON"):
            print(f"    {pattern}: {tries}", flush=True)
    return len(PLANTED.get(phase.title, ())), tries


def recorded(phase, box):
    wrong = phase.finish(box)
    check(not wrong, "the trace does not tell what happened:\n  " + "\n  ".join(wrong))


def after(box, phase, acked):
    """The box as the phase left it."""
    for _ in phase.states(box, [Cut(len(phase.events), ("all", "all"), 0)]):
        pass
    for o in phase.ops:
        if o.kind in ("put", "rm"):
            acked[o.name] = o.data
    for name in [n for n, d in acked.items() if d is None]:
        del acked[name]
    return 0


def wanted(title):
    return title in os.environ.get("QC_ONLY", title).split()


def run_phase(box, title, rng, acked, seed, all_part):
    ready, record, _, _ = PHASES[title]
    t0 = time.monotonic()
    if ready:
        ready(box, rng, acked)
    phase = Phase(box, title, LIBRARY)
    record(box, phase, rng, acked)
    recorded(phase, box)
    if not wanted(title):
        return after(box, phase, acked)
    n = play(box, phase, dict(acked), cuts_of(phase, rng, seed, all_part))
    planted, tries = plant(box, phase, dict(acked), seed)
    print(f"  {title}: {len(phase.events)} events, {n} power cuts; {planted} kinds of sync left out, each found ({tries} cuts); "
          f"{time.monotonic() - t0:.1f} s", flush=True)
    return n + after(box, phase, acked)


def killed(box, title, rng, acked, seed):
    """A process is killed at some change; the command is said again and acknowledged; then the power goes. What the killed one had made
    and not synced, the next one must not take for durable."""
    ready, record, _, changes = KILLED[title]
    if ready:
        ready(box, rng, acked)
    phase = Phase(box, title, LIBRARY)
    phase.trace.kill(rng.randrange(1, changes))
    state = rng.getstate()
    try:
        record(box, phase, rng, acked)
    except Failure:
        pass                            # as it should
    box.stop(programs=(b"qcloud", b"qcloud-gateway"))   # a gateway on its way still has the client's name
    box.stop()
    phase.trace.kill(0)
    if phase.asked[-1][-1] != 0:
        rng.setstate(state)
        record(box, phase, rng, acked)
    recorded(phase, box)
    n = play(box, phase, dict(acked), [Cut(len(phase.events), m, seed) for m in (NOTHING_MORE, rng.choice(model.MODES[1:]))])
    return n + after(box, phase, acked)


def test():
    rng = seeded("power")
    seed = rng.randrange(1 << 32)
    total, all_part = 0, part_of(0.02)
    with Box(n=CLOUDS, root=disk_dir()) as box:
        acked, t0 = {}, time.monotonic()
        for title in filter(wanted, list(KILLED) * (20 if FULL else 2)):
            total += killed(box, title, rng, acked, seed)
            if not acked:
                before_stored(box, rng, acked)
        print(f"  killed, said again, then {total} power cuts; {time.monotonic() - t0:.1f} s", flush=True)
        for title in (t for t in PHASES if FULL or t not in SLOW):
            total += run_phase(box, title, rng, acked, seed, all_part)
    print(f"{total} power cuts", flush=True)


def replay(path):
    """The cut of a failure again; the state stays, as it was before anything was started on it and after the check."""
    with open(path, "rb") as f:
        phase, acked, cut = pickle.load(f)
    print(f"power cut {phase.where(cut.at)}, mode {cut.mode}")
    with Box(at=phase.root, keep=True) as box:
        if phase.title == "move":
            before_move(box, None, None)
        for _ in phase.states(box, [cut]):
            shutil.copytree(box.root, box.root + ".state")
            print(f"the state: {box.root}.state; what the check makes of it: {box.root}")
        play(box, phase, acked, [cut])


if len(sys.argv) == 3 and sys.argv[1] == "--replay":
    main(lambda: replay(sys.argv[2]))
else:
    main(test)
