"""One recording of the programs at work: the disk before, the trace, what was asked and what was answered; and the states that a
power cut at any event could leave, each made in the place where it was recorded (the configuration names absolute paths)."""
import collections
import os
import pickle
import random
import shutil

import model
import trace as tracing

# The directories of a Box (tests/system/harness.py) that are on the disk which loses power.
TOPS = ("home", "cloud1", "cloud2", "cloud3", "cloud4", "cloud5", "cloud6", "share1", "share2", "out")
# A change happens after its first and before its last fault point: before DECIDE nothing of it may be seen, after it all of it must.
UNDECIDED, DECIDED = "put_decide", "put_decided"

# start, end: of the command, as events. undecided, decided: the events before which nothing and from which everything is to be seen;
# with a code that is not 0 (it was killed) nobody knows.
Op = collections.namedtuple("Op", "kind name data start end code undecided decided")
# A cut at event `at` (which did not happen any more), seen under a mode (model.MODES), drawn with a seed.
Cut = collections.namedtuple("Cut", "at mode seed")


def disk_dir():
    """Where to record and to cut: in memory, where there is room (some 30 MiB are used); nothing here needs a disk to be slow."""
    shm = "/dev/shm"
    s = os.statvfs(shm) if os.access(shm, os.W_OK) else None
    return os.environ.get("QC_TMP") or (shm if s and s.f_bavail * s.f_frsize > 128 << 20 else None)


def is_shared_memory(path):
    return path.endswith("-shm")


class Phase:
    def __init__(self, box, title, library):
        self.title, self.root = title, box.root
        box.stop()
        self.before = pickle.dumps(model.Disk(box.root, TOPS))
        self.files = os.path.join(box.work, title)
        with open(self.files + ".marks", "w", encoding="ascii"):
            pass
        self.trace = tracing.Trace(self.files + ".trace", box.root)
        self.env = {"LD_PRELOAD": library, "QC_DISK_TRACE": self.files + ".trace", "QC_FAULT_LOG": self.files + ".marks"}
        self.asked, self.ops, self.events, self.marks = [], [], [], {}

    # ------------------------------------------------------------ recording
    def run(self, box, kind, name, data, *args, **how):
        """A command under the recorder: (exit status, what it said). kind: put, rm and get are known here; name, data: what is to be
        there afterwards, or, for another kind, whatever the check of this phase wants to know."""
        start = self.trace.count
        p = box.start(*args, env=self.env, **how)
        out, err = p.communicate(timeout=120)
        self.asked.append((kind, name, data, start, p.pid, p.returncode))
        return p.returncode, (out + err).decode(errors="replace")

    def finish(self, box):
        """The recording is whole. Returns what is wrong with it: a trace that left something out is worth nothing."""
        box.stop()
        marks = os.stat(self.files + ".marks").st_ino
        self.events = self.trace.events()
        self.marks = {e.at: e.data.decode().strip() for e in self.events if e.op == "write" and e.ino == marks}
        ends = {e.pid: e.at for e in self.events if e.op == "end"}
        for i, (kind, name, data, start, pid, code) in enumerate(self.asked):
            end = ends.get(pid, self.asked[i + 1][3] if i + 1 < len(self.asked) else len(self.events))  # killed: no end of its own
            first, done = (next((at for at, m in self.marks.items() if m == point and start <= at < end), end)
                           for point in (UNDECIDED, DECIDED))
            self.ops.append(Op(kind, name, data, start, end, code, first, done))
        disk = self.disk()
        for e in self.events:
            disk.follow(e)
        self.close()
        return ([f"a call that the model does not know: {name}" for name in disk.foreign] +
                disk.differences(lambda p: is_shared_memory(p) or os.path.dirname(p) == self.root and os.path.basename(p) not in TOPS))

    def close(self):
        self.trace.close()
        for end in (".trace", ".marks"):
            os.unlink(self.files + end)
        self.trace = None

    # ------------------------------------------------------------ power cuts
    def disk(self):
        return pickle.loads(self.before)

    def syncs(self):
        """The events that make something durable: between two of them nothing that is sure to survive changes."""
        disk, out = self.disk(), []
        for e in self.events:
            if e.op == "sync" and e.ino in disk.nodes:
                n = disk.nodes[e.ino]
                if n.pending or n.mode != n.mode_synced:
                    out.append(e.at)
            disk.follow(e)
        return out

    def synced_paths(self):
        """For each sync, the path of what it makes durable: the name that it has, or the one that it gets later."""
        disk, at = self.disk(), {}
        for e in self.events:
            if e.op == "sync" and e.ino in disk.nodes:
                at[e.at] = disk.nodes[e.ino]
            disk.follow(e)
        return {i: disk.path_of(node) for i, node in at.items()}

    def states(self, box, cuts, left_out=frozenset()):
        """For each cut, in the order of the trace: the cut, with its state in place of the box's directories; a state that was there
        before, where the same must hold, is not made again. left_out: syncs (events) that are taken as not done: a planted bug."""
        disk, done, seen = self.disk(), 0, set()
        for cut in sorted(cuts):
            for e in self.events[done:cut.at]:
                if e.at not in left_out:
                    disk.follow(e)
            done = cut.at
            state = disk.cut(cut.mode, random.Random(f"{cut.seed} {cut.at} {cut.mode}"), cut.at)
            same = hash((*state, *(at <= cut.at for o in self.ops for at in (o.start, o.undecided, o.decided, o.end))))
            if same in seen:
                continue
            seen.add(same)
            box.stop()
            for t in TOPS:
                shutil.rmtree(os.path.join(self.root, t), ignore_errors=True)
            model.lay_down(state, self.root)
            yield cut

    def where(self, at):
        """An event in words."""
        op = next((o for o in self.ops if o.start <= at <= o.end), None)
        mark = max((a for a in self.marks if a < at), default=None)
        e = self.events[at] if at < len(self.events) else None
        return (f"{self.title}: before event {at}" + (f" ({e.op} {e.name or e.ino})" if e else "") +
                (f", in {op.kind} {op.name or ''}" if op else "") + (f", after {self.marks[mark]}" if mark is not None else ""))

    # ------------------------------------------------------------ what must be there
    def expected(self, at, acked):
        """name -> the contents that it may have (None: is not there) after a cut at event `at`; acked: before the phase."""
        out = {name: {data} for name, data in acked.items()}
        for o in self.ops:
            if o.kind not in ("put", "rm") or o.start > at:
                continue
            old = out.get(o.name, {None})
            said = o.code in (0, 4)
            out[o.name] = old if at < o.undecided and said else {o.data} if at >= min(o.decided, o.end) and said else old | {o.data}
        return out
