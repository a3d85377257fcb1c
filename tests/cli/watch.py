#!/usr/bin/python3
"""qcloud watch through the real programs: how editors save, bursts, moves, folders that come with what is in them, a queue that runs over, folders
that cannot be watched, the folder gone or exchanged, clouds that are away, both ways, SIGTERM, and kill -9 with changes under way."""
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
from harness import FULL, Failure, check, main, seeded  # noqa: E402
from schemas import Schemas  # noqa: E402
from sync import World, tree  # noqa: E402

FAULTS = os.environ.get("QC_FAULTS") == "1"
BURST = 1000 if FULL else 40
PATIENCE = 60


class Watch:
    """A watch that runs; every line that it says is held against the schema."""
    schemas = Schemas()

    def __init__(self, box, *args, env=None):
        self.lines, self.more = [], threading.Condition()
        self.p = box.start("--json", "watch", *args, env=env)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait(lambda x: x.get("event") == "watching", "begins")

    def read(self):
        for text in self.p.stdout:
            with self.more:
                self.lines.append(json.loads(text))
                self.more.notify()

    def wait(self, is_it, what, count=1, since=0):
        """Until `count` lines from `since` on are so."""
        end = time.monotonic() + PATIENCE
        with self.more:
            while sum(bool(is_it(x)) for x in self.lines[since:]) < count:
                if not self.more.wait(max(0, end - time.monotonic())) and time.monotonic() > end:
                    raise Failure(f"the watch never {what}: {self.lines[-6:]}")
            return next(x for x in self.lines[since:] if is_it(x))

    def end(self, sig=signal.SIGINT):
        self.p.send_signal(sig)
        self.reader.join(PATIENCE)
        err = self.p.stderr.read().decode()
        code = self.p.wait(PATIENCE)
        for line in self.lines:
            self.schemas.check("watch.json", line)
        check(code == (130 if sig != signal.SIGKILL else -9), f"the watch ended with {code}: {err} {self.lines[-3:]}")
        check(sig == signal.SIGKILL or (self.lines[-1]["type"] == "error" and self.lines[-1]["exit"] == 130), f"its last line: {self.lines[-1]}")
        return self.lines


def settled(box, top, prefix, what, patience=PATIENCE):
    """Until the vault has what the folder has, no more and no less."""
    want, got = None, None
    end = time.monotonic() + patience
    while time.monotonic() < end:
        want = [os.fsencode(prefix) + n for n in sorted(tree(box.path(top)))]
        got = box.names(prefix)
        if got == want:
            return
        time.sleep(0.1)
    raise Failure(f"{what}: the vault has {got}, the folder {want}")


def content(box, name):
    return box.expect(0, "cat", name).stdout


def save(path, data):
    """As editors do: a new file beside it, its name last."""
    with open(path + ".tmp~", "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".tmp~", path)


def work(box):
    """A day's work on a folder, one watch."""
    box.file("w/first", b"1")
    box.file("w/sub/second", b"2")
    os.symlink("first", box.path("w/link"))
    w = Watch(box, "--delete", "--exclude", "*.swp", box.path("w"), "w/")
    settled(box, "w", "w/", "what was there")
    for i in range(5):
        save(box.path("w/first"), b"saved %d" % i)
        box.file("w/.first.swp", b"x" * i, old=False)
    os.unlink(box.path("w/.first.swp"))
    os.rename(box.path("w/sub/second"), box.path("w/second~"))     # and the other way: away, and anew
    box.file("w/sub/second", b"2b", old=False)
    w.wait(lambda x: x.get("name") == "w/sub/second" and x.get("number") == 2, "stores what was saved")
    w.wait(lambda x: x.get("name") == "w/first" and x.get("number", 0) >= 2, "stores what was saved")
    os.unlink(box.path("w/second~"))
    for i in range(BURST):
        box.file(f"w/burst/{i % 7}/{i}", b"%d" % i, old=False)
    os.rename(box.path("w/sub"), box.path("w/burst/0/moved"))
    os.makedirs(box.path("w/deep/er/still"))
    box.file("w/deep/er/still/x", b"x", old=False)
    settled(box, "w", "w/", "a burst, and folders that came and were moved")
    box.file("w/deep/er/still/x", b"xx", old=False)     # a folder that was not there when it began
    w.wait(lambda x: x.get("name") == "w/deep/er/still/x" and x.get("size") == 2, "sees into a new folder")
    check(content(box, "w/first") == b"saved 4" and content(box, "w/burst/0/moved/second") == b"2b", "not what was saved last")
    since = len(w.lines)
    os.rename(box.path("w/deep/er/still/x"), box.path("w/deep/renamed"))
    w.wait(lambda x: x.get("renamed") and x["to"] == "w/deep/renamed", "finds a rename", since=since)
    w.wait(lambda x: x.get("event") == "pass" and x["summary"]["renamed"] == 1 and x["summary"]["files"] == 0, "renames, and sends nothing", since=since)
    overflow(box, w)
    too_much(box, w)
    lines = w.end()
    check(not any(x.get("id") == "W0409" for x in lines), "something is not stored")
    check(not any("tmp~" in x.get("name", "") or "swp" in x.get("name", "") for x in lines), "a file in between was stored")


def overflow(box, w):
    """Stopped while 17,000 events come, of which the system keeps 16,384: what was changed among them is found all the same."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
        most = int(f.read())
    since = len(w.lines)
    w.p.send_signal(signal.SIGSTOP)
    for i in range(most // 2 + 500):
        for name in ("first", "deep"):
            os.utime(box.path("w", name), ns=(10**18, 10**18 + i))
    box.file("w/last of all", b"here", old=False)
    w.p.send_signal(signal.SIGCONT)
    w.wait(lambda x: x.get("event") == "overflow", "notices that its queue ran over", since=since)
    w.wait(lambda x: x.get("name") == "w/last of all", "finds what it had no event of", since=since)


def too_much(box, w):
    """More than half of the files go: none is deleted, once told; a few go."""
    before = box.names("w/")
    shutil.move(box.path("w/burst"), box.path("burst"))
    w.wait(lambda x: x.get("id") == "W0426", "holds back what is too much")
    box.file("w/after", b"a", old=False)
    w.wait(lambda x: x.get("name") == "w/after", "goes on")
    check(set(before) <= set(box.names("w/")), "too much was deleted")
    shutil.move(box.path("burst"), box.path("w/burst"))
    os.unlink(box.path("w/last of all"))
    settled(box, "w", "w/", "what was held back is here again, and one is gone")
    check(sum(x.get("id") == "W0426" for x in w.lines) == 1, "told more than once")


def folder_goes(box):
    """The folder is moved away, another one stands in its place, it is removed with all that is in it: nothing of it is taken for a deletion."""
    for i in range(4):
        box.file(f"g/{i}", b"%d" % i)
    names = [b"g/%d" % i for i in range(4)]
    w = Watch(box, "--delete", "--max-delete", "100", "--interval", "1", box.path("g"), "g/")
    os.rename(box.path("g"), box.path("g.away"))
    os.mkdir(box.path("g"))
    box.file("g/other", b"of another", old=False)
    w.wait(lambda x: x.get("id") == "W0424", "says that the folder is another")
    time.sleep(1.2)     # it looks again, and again
    check(box.names("g/") == names, f"another folder was taken for it: {box.names('g/')}")
    shutil.rmtree(box.path("g"))
    os.rename(box.path("g.away"), box.path("g"))
    w.wait(lambda x: x.get("event") == "back", "goes on when it is back")
    shutil.rmtree(box.path("g"))
    time.sleep(3.5)     # longer than what deletions wait for
    check(box.names("g/") == names, f"the folder's removal was taken for that of its files: {box.names('g/')}")
    lines = w.end(signal.SIGTERM)
    check(not any(x.get("deleted") for x in lines), "something was deleted")
    check(sum(x.get("id") == "W0424" for x in lines) == 2, "it is told once each time")


def clouds_away(box):
    """Two of three clouds are away for some seconds, with files side by side: said once, and what was changed meanwhile is stored after it."""
    box.file("o/a", b"a")
    for i in range(3):
        box.file(f"o/large {i}", bytes(200_000))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(box.path("manager"))
        manager.settimeout(PATIENCE)
        w = Watch(box, "-j", "2", box.path("o"), "o/", env={"NOTIFY_SOCKET": box.path("manager")})
        told = manager.recv(100)
        check(told == b"READY=1", f"the service manager is told {told}")
        with box.lost(*box.clouds[:2]):
            box.file("o/b", bytes(200_000), old=False)
            box.file("o/c", bytes(200_001), old=False)
            w.wait(lambda x: x.get("id") == "W0424", "says that it cannot")
            time.sleep(1.5)
        w.wait(lambda x: x.get("event") == "back", "goes on")
        settled(box, "o", "o/", "after clouds were away")
        lines = w.end()
        told = manager.recv(100)
        check(told == b"STOPPING=1", f"the service manager is told {told}")
    check(sum(x.get("id") == "W0424" for x in lines) == 1, "said more than once")


def both(box):
    """Both ways: what others store comes, by looking."""
    os.mkdir(box.path("b"))
    w = Watch(box, "--both", "--delete", "--nice", "--interval", "1", box.path("b"), "b/")
    with open(f"/proc/{w.p.pid}/stat", "rb") as f:
        nice = int(f.read().rsplit(b")", 1)[1].split()[16])
    check(nice == max(os.nice(0), 10), f"its priority is {nice}")
    box.expect(0, "put", box.write("theirs", b"theirs"), "b/theirs")
    box.file("b/mine", b"mine", old=False)
    w.wait(lambda x: x.get("name") == "b/theirs" and "file" in x, "gets what is new in the vault")
    settled(box, "b", "b/", "both ways")
    box.expect(0, "rm", "b/theirs")
    w.wait(lambda x: x.get("deleted"), "deletes what is gone from the vault")
    check(sorted(tree(box.path("b"))) == [b"mine"], f"here is {sorted(tree(box.path('b')))}")
    w.end()


def blind(box):
    """No folder can be watched: looked through as often as is asked, told once."""
    os.mkdir(box.path("n"))
    w = Watch(box, "--interval", "1", box.path("n"), "n/", env={"QC_FAULT": "watch_limit:error+:1"})
    box.file("n/a/b", b"b", old=False)
    settled(box, "n", "n/", "unwatched")
    check(sum(x.get("id") == "W0425" for x in w.end()) == 1, "not told once")


def killed(box, rng):
    """kill -9 while files come; the next watch has all of them."""
    for n in range(20 if FULL else 3):
        w = Watch(box, "--delete", box.path("k"), "k/") if n else (os.mkdir(box.path("k")), Watch(box, "--delete", box.path("k"), "k/"))[1]
        for i in range(12):
            box.file(f"k/{rng.randrange(20)}", rng.randbytes(2000), old=False)
            time.sleep(rng.uniform(0, 0.1))
        time.sleep(rng.uniform(0, 0.6))
        w.end(signal.SIGKILL)
    w = Watch(box, "--delete", box.path("k"), "k/")
    settled(box, "k", "k/", "after kills")
    w.end()
    out = box.path("back")
    box.expect(0, "get", "-r", "k", out)
    check({n: d for n, (d, _, _) in tree(out).items()} == {n: d for n, (d, _, _) in tree(box.path("k")).items()}, "not what was written last")


def refusals(box):
    p = box.expect(2, "watch", "x/", box.path("w"))
    check(b"a folder is watched" in p.stderr, f"says {p.stderr.decode()}")
    w = Watch(box, box.path("w"), "w/")
    box.expect(11, "sync", box.path("w"), "w/")
    box.expect(11, "watch", box.path("w"), "w/")
    w.end()


def test():
    rng = seeded("cli/watch")
    with World(k=2, n=3) as box:
        box.init()
        for part in (work, folder_goes, clouds_away, both, *((blind,) if FAULTS else ())):
            began = time.monotonic()
            part(box)
            print(f"{part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        killed(box, rng)
        refusals(box)
    unseen = [kind for where, kind in Watch.schemas.unseen() if where == "watch.json"]
    check(not unseen, f"lines that the schema has and nobody saw: {unseen}")


if __name__ == "__main__":
    main(test)
