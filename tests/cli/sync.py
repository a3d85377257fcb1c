#!/usr/bin/python3
"""qcloud sync through the real programs: the commands of docs/sync.md, both ways, what is left out, deletions and what refuses them, files that
change, odd names, the lock, Ctrl-C; and kill -9 at random instants, after which the same command finishes. The seed is printed."""
import contextlib
import errno
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import BIN, FULL, Box, check, main, part_of, seeded  # noqa: E402

FAULTS = os.environ.get("QC_FAULTS") == "1"
ROUNDS = 60 if FULL else 6


def xattrs(path):
    """Of a file, where its file system has such."""
    try:
        return {n: os.getxattr(path, n) for n in os.listxattr(path) if n.startswith("user.")}
    except OSError as e:
        check(e.errno == errno.ENOTSUP, f"{path}: {e}")
        return {}


def has_xattrs(box):
    path = box.write("xattr", b"")
    try:
        os.setxattr(path, "user.a", b"")
    except OSError:
        print("no extended attributes here: they are left out")
        return False
    return True


def folders(top):
    """{path: mode} of the folders below one."""
    top = os.fsencode(top)
    found = [os.path.join(d, n) for d, names, _ in os.walk(top) for n in names if not os.path.islink(os.path.join(d, n))]
    return {os.path.relpath(p, top): os.stat(p).st_mode & 0o777 for p in found}


def times(top):
    """{path: mtime in ns} of the folders below one."""
    return {p: os.stat(os.path.join(os.fsencode(top), p)).st_mtime_ns for p in folders(top)}


def tree(top):
    """{path: (bytes, mtime in ns, mode)} of a folder's regular files and symbolic links; and their extended attributes, where there are some."""
    found = {}
    for d, folders, names in os.walk(os.fsencode(top)):
        for n in names + folders:
            path = os.path.join(d, n)
            st = os.lstat(path)
            if os.path.islink(path):
                found[os.path.relpath(path, os.fsencode(top))] = (b"-> " + os.readlink(path), st.st_mtime_ns, "link")
                continue
            if not os.path.isfile(path):
                continue
            more = xattrs(path)
            with open(path, "rb") as f:
                found[os.path.relpath(path, os.fsencode(top))] = (f.read(), st.st_mtime_ns, st.st_mode & 0o777, *([more] if more else []))
    return found


class World(Box):
    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def file(self, name, data, old=True):
        """old: changed long before, as far as its times say."""
        path = os.path.join(os.fsencode(self.work), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.islink(path):
            os.unlink(path)
        with open(path, "wb") as f:
            f.write(data)
        if old:
            os.utime(path, ns=(10**18, 10**18 + 12345))

    def sync(self, code, *args, **kw):
        """The summary of a run, and what it said of each file."""
        p = self.expect(code, "--json", "sync", *args, **kw)
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        check(lines[-1]["exit"] == code, f"the last line says {lines[-1]}")
        self.lines = [line for line in lines if line["type"] == "item"]
        return lines[-1].get("summary", lines[-1])

    def did(self, code, *args, files=0, unchanged=0, deleted=0, failed=0):
        s = self.sync(code, *args)
        got = {k: s.get(k) for k in ("files", "unchanged", "deleted", "failed")}
        want = {"files": files, "unchanged": unchanged, "deleted": deleted, "failed": failed}
        check(got == want, f"sync {args}: {got}, expected {want}: {self.lines}")

    def says(self, code, *words):
        p = self.expect(code, "sync", *words[1:])
        check(words[0] in p.stderr.decode(), f"sync {words[1:]} does not say '{words[0]}': {p.stderr.decode()}")

    def names(self, prefix):
        return self.expect(0, "ls", "-0", prefix).stdout.split(b"\0")[:-1]


def page(box):
    """The page's commands, as they stand there."""
    with open(os.path.join(TOP, "docs", "sync.md"), encoding="utf-8") as f:
        blocks = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
    check(len(blocks) == 5, "docs/sync.md has other blocks of commands")
    p = subprocess.run(["bash", "-e", "-c", "".join(blocks)], cwd=box.work, env=box.env(PATH=BIN + ":" + os.environ["PATH"]), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=120)
    check(p.returncode == 0, f"the page's commands: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
    said = p.stderr.decode()
    for text in ("0 files (0 B) stored, 2 unchanged, 0 deleted, 0 failed", "1 deleted", "0 files (0 B) stored, 1 renamed, "):
        check(text in said, f"the page's commands do not say '{text}': {said}")
    check(p.stdout.decode().splitlines() == ["store   archive/genomes/2026/p1.fa", "store   archive/genomes/p2.fa", "delete  archive/genomes/p2.fa",
                                             "rename  archive/genomes/p3.fa -> archive/genomes/2026/p4.fa"],
          f"dry runs: {p.stdout.decode()}")
    check(sorted(tree(box.path("copy"))) == [b".qcloudignore", b"2026/p1.fa"], f"the copy has {sorted(tree(box.path('copy')))}")
    names = [n.decode() for n in box.names("archive/genomes/")]
    check(len(names) == 4 and names[0].endswith("/.qcloudignore") and names[1].endswith("/p1.fa") and "/2026/p1.fa.local-20" in names[2] and
          names[3].endswith("/2026/p4.fa"), f"the vault has {names}")
    check(box.get(names[1]) == b"CCCC\n" and box.get(names[2]) == b"GGGG\n", "not both are kept")


def ways(box):
    """Which word is the folder is never guessed."""
    os.makedirs(box.path("both"))
    os.makedirs(box.path("d"))
    at = os.getcwd()
    os.chdir(box.work)
    try:
        box.says(2, "to fetch: qcloud sync both/ ./d", "both", "d/")
        box.says(2, "to fetch: qcloud sync both/ ./d", "both/", "d")
        box.says(2, "neither word is a folder", "none", "other/")
        box.says(2, "both paths", "./both", "./d")
        box.says(2, "ends in a slash", "both", "x")
        box.says(2, "no folder here", "x/")
        box.says(2, "--max-delete goes with --delete", "--max-delete", "10", "both", "x/")
        box.says(2, "keep-both, local or remote", "--conflict", "mine", "both", "x/")
        box.says(3, "none", "./none", "x/")
        box.says(3, "no object below", "x/", "./both")
        box.did(0, "./both", "d/")      # now there is no doubt
        box.did(0, "both", "x/")
        check(not os.path.exists(box.path("new")), "")
        box.says(3, "no object below", "-n", "x/", "./new")
        check(not os.path.exists(box.path("new")), "a dry run made a folder")
    finally:
        os.chdir(at)


def up_and_down(box):
    d, e = box.path("tree"), box.path("back")
    box.file("tree/a", b"a")
    box.file("tree/sub/b", b"b" * 100000)
    box.file(b"tree/sub/odd \xff\n'name", b"")
    box.file("tree/-x", b"dash")
    os.chmod(box.path("tree/a"), 0o640)
    os.mkfifo(box.path("tree/pipe"))
    p = box.expect(0, "sync", "-n", d, "t/")
    check(p.stdout.count(b"\n") == 4 and b"store   t/sub/odd \\xff\\x0a" in p.stdout, f"a dry run says {p.stdout}")
    check(box.names("t/") == [], "a dry run stored something")
    p = box.expect(0, "sync", d, "t/")
    check(p.stderr.count(b"W0409") == 1, f"not a word for the pipe: {p.stderr}")
    check(b"4 files (97.6 KiB) stored, 0 unchanged, 0 deleted, 0 failed" in p.stderr, f"the last line: {p.stderr}")
    box.did(0, d, "t/", unchanged=4)
    box.did(0, "--checksum", d, "t/", unchanged=4)
    box.did(0, "t/", e, files=4)
    check(tree(e) == tree(d), "what came back is something else")
    box.did(0, "t/", e, unchanged=4)
    # Only what changed, by whatever shows it: size; inode; the same size and times, but not within a tick.
    box.file("tree/a", b"aa")
    os.chmod(box.path("tree/-x"), 0o600)
    box.did(0, d, "t/", files=2, unchanged=2)
    box.file("tree/a", b"bb")
    box.did(0, d, "t/", files=1, unchanged=3)
    check(box.get("t/a") == b"bb", "a change was missed")
    # Without its state nothing is stored again.
    shutil.rmtree(os.path.join(box.home, "state", "sync"))
    box.did(0, d, "t/", unchanged=4)
    box.did(0, d, "t/", unchanged=4)
    box.did(4, "t/", e, files=0, unchanged=2, failed=2)      # without a state, a file that differs may be all there is of it
    box.did(0, "--conflict", "remote", "t/", e, files=2, unchanged=2)
    check(tree(e) == {k: v for k, v in tree(d).items() if k not in (b"link", b"pipe")}, "what came back is something else")


def conflicts(box):
    d, e = box.path("mine"), box.path("theirs")
    box.file("mine/x", b"1")
    box.did(0, d, "c/", files=1)
    box.did(0, "c/", e, files=1)
    box.file("mine/x", b"22")
    box.did(0, d, "c/", files=1)
    box.file("theirs/x", b"333")
    box.did(4, e, "c/", failed=1)           # somebody else's version
    check(box.get("c/x") == b"22" and box.lines[0]["id"] == "E0413", f"it was written over: {box.lines}")
    box.did(4, "c/", e, failed=1)           # a file of one's own
    box.did(0, "--conflict", "local", "c/", e)
    box.did(0, "--conflict", "local", e, "c/", files=1)
    check(box.get("c/x") == b"333", "--conflict local did not")
    box.did(0, "c/", d, files=1)            # unchanged since it was stored: brought up to date
    # Deletions: only what was seen on both sides, and is as it was.
    box.file("mine/own", b"never stored")
    box.file("theirs/gone", b"")
    box.file("theirs/gone too", b"")
    box.did(0, e, "c/", files=2, unchanged=1)
    box.did(0, "c/", d, files=2, unchanged=1)
    os.unlink(box.path("theirs/gone"))
    os.unlink(box.path("theirs/gone too"))
    box.file("mine/gone too", b"changed meanwhile")
    box.did(2, "--delete", "--max-delete", "10", e, "c/", files=None, unchanged=None, deleted=None, failed=None)
    box.did(2, "--delete", e, "c/", files=None, unchanged=None, deleted=None, failed=None)      # 2 of 3
    box.did(0, "--delete", "--max-delete", "70", e, "c/", unchanged=1, deleted=2)
    box.did(4, "--delete", "c/", d, unchanged=1, deleted=1, failed=1)
    check(sorted(tree(d)) == [b"gone too", b"own", b"x"], f"deleted too much or too little: {sorted(tree(d))}")
    # A source that is empty, or away, deletes nothing, whatever is allowed.
    os.unlink(box.path("theirs/x"))
    p = box.expect(2, "sync", "--delete", "--max-delete", "100", e, "c/")
    check(b"nothing to sync from" in p.stderr and b"-n" in p.stderr, f"an empty source: {p.stderr}")
    os.rmdir(e)
    box.says(3, "theirs", "--delete", e, "c/")
    check(box.get("c/x") == b"333", "deleted")
    box.expect(0, "rm", "c/x")
    box.says(3, "no object below", "--delete", "c/", d)


def left_out(box):
    d = box.path("some")
    for name in ("a.tmp", "keep.tmp", "build/x", "sub/build/x", "sub/c"):
        box.file("some/" + name, b"")
    box.file("some/.qcloudignore", b"*.tmp\n!keep.tmp\n/build/\n")
    box.file("some/sub/.qcloudignore", b"c\n")
    box.did(0, d, "i/", files=4)
    check(box.names("i/") == [b"i/.qcloudignore", b"i/keep.tmp", b"i/sub/.qcloudignore", b"i/sub/build/x"], f"stored: {box.names('i/')}")
    box.did(0, "--exclude", "build", "--delete", d, "i/", unchanged=3)      # left out: not deleted either
    box.did(0, d, "i/", unchanged=4)
    # A link stands where a folder should come: nothing is written through it. It is what both have, or nobody's.
    os.makedirs(box.path("elsewhere"))
    os.makedirs(box.path("trap"))
    os.symlink("../elsewhere", box.path("trap/sub"))
    box.did(4, "i/", box.path("trap"), files=2, failed=4)      # two folders and two files
    check(os.listdir(box.path("elsewhere")) == [], "something was written through a link")
    # What a get would write first has the name of a file of the user's.
    box.file("part/x", b"x")
    box.file("part/x.part", b"mine")
    os.chmod(box.path("part/x.part"), 0o600)
    box.did(0, box.path("part"), "r/", files=2)
    os.unlink(box.path("part/x"))
    box.did(4, "r/", box.path("part"), unchanged=1, failed=1)
    check(tree(box.path("part"))[b"x.part"][0] == b"mine", "a file of the user's was taken for a rest")
    # Share stores and state are nobody's files.
    plain = [n for n in os.listdir(box.home) if os.path.isfile(os.path.join(box.home, n))]
    box.did(0, "--exclude", f"/{os.path.basename(box.work)}/", "--exclude", "cloud*", box.root, "own/", files=len(plain))
    check(not [n for n in box.names("own/") if b"share" in n or b"state" in n], f"stored: {box.names('own/')}")


def links(box):
    """Symbolic links are kept as what they are, whatever they lead to; nothing is written through one."""
    d, e = box.path("ln"), box.path("ln-back")
    box.file("ln/a", b"a")
    outside = box.path("outside")
    os.makedirs(outside)
    for name, target in (("to-a", "a"), ("nowhere", "no/such"), ("out", outside), ("up", "../../.."), (b"odd \xff", b"\xfe\n'"), ("long", "x" * 4000)):
        os.symlink(target, os.path.join(os.fsencode(d), os.fsencode(name)) if isinstance(name, bytes) else box.path("ln", name))
        os.utime(os.path.join(os.fsencode(d), os.fsencode(name)), ns=(10**18, 10**18 + 777), follow_symlinks=False)
    box.did(0, d, "l/", files=7)
    box.did(0, d, "l/", unchanged=7)
    box.did(0, "l/", e, files=7)
    check(tree(e) == tree(d), f"what came back: {tree(e)}")
    check(box.expect(0, "cat", "l/to-a").stdout == b"a", "a link's bytes are not its target")
    box.did(0, "--checksum", d, "l/", unchanged=7)
    # Another target; a file in a link's place, and a link in a file's.
    os.unlink(box.path("ln/to-a"))
    os.symlink("b", box.path("ln/to-a"))
    os.unlink(box.path("ln/nowhere"))
    box.file("ln/nowhere", b"now a file", old=False)
    os.unlink(box.path("ln/a"))
    os.symlink("nowhere", box.path("ln/a"))
    box.did(0, d, "l/", files=3, unchanged=4)
    box.did(0, "l/", e, files=3, unchanged=4)
    check(tree(e) == tree(d), f"what came back: {tree(e)}")
    # What the vault has behind a name that is a link, too, goes nowhere: by sync, by get -r.
    box.expect(0, "put", box.write("in", b"evil"), "l/out/x")
    box.did(4, "l/", e, failed=1, unchanged=7)
    p = box.expect((4, 5), "get", "-r", "l", box.path("ln-all"))
    check(os.listdir(outside) == [] and b"a symbolic link stands in the way" in p.stderr, f"written through a link, or: {p.stderr}")
    check({k: v for k, v in tree(box.path("ln-all")).items()} == tree(d), "get -r makes something else of links")
    box.expect(0, "rm", "l/out/x")
    # Both sides have another one: both are kept.
    for top, target in ((d, "here"), (e, "there")):
        os.unlink(os.path.join(top, "up"))
        os.symlink(target, os.path.join(top, "up"))
    box.did(0, e, "l/", files=1, unchanged=6)
    box.expect(4, "sync", "--both", d, "l/")
    kept = {k: v[0] for k, v in tree(d).items() if k.startswith(b"up")}
    check(kept.pop(b"up") == b"-> there" and list(kept.values()) == [b"-> here"], f"kept: {kept}")
    os.unlink(box.path("ln/out"))
    s = box.sync(0, "--both", "--delete", d, "l/")
    check(s["deleted"] == 1 and b"l/out" not in box.names("l/"), f"a link that is gone: {s}")


def sparse(box):
    """A file of holes comes back with them, where that is asked for; a second name of a file is told, and kept as a file."""
    box.file("sp/disk", b"begins")
    with open(box.path("sp/disk"), "r+b") as f:
        f.seek(20 << 20)
        f.write(b"in the middle")
        f.truncate(30 << 20)
    os.link(box.path("sp/disk"), box.path("sp/same disk"))
    p = box.expect(0, "sync", box.path("sp"), "sp/")
    check(b"2 files have more than one name (hard links)" in p.stderr, f"says {p.stderr}")
    for how, *args in (("sync", "--sparse", "sp/", box.path("sp-back")), ("get", "--sparse", "-r", "sp", box.path("sp-got"))):
        box.expect(0, how, *args)
        check(tree(args[-1]) == tree(box.path("sp")), f"{how}: something else came back")
        used = os.stat(os.path.join(args[-1], "disk")).st_blocks * 512
        check(used <= 1 << 20, f"{how} --sparse: {used} bytes are in use")


def unreadable(box):
    """Root reads everything, unless it gives the right to do so away."""
    shut = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    d = box.path("shut")
    box.file("shut/a", b"a")
    box.file("shut/b", b"b")
    box.file("shut/dir/c", b"c")
    box.did(0, d, "s/", files=3)
    os.utime(box.path("shut/b"))
    os.chmod(box.path("shut/b"), 0)
    os.chmod(box.path("shut/dir"), 0)
    p = box.start("sync", "--delete", d, "s/", wrap=shut)
    err = p.communicate()[1].decode()
    os.chmod(box.path("shut/dir"), 0o700)
    if "bounding" in err:
        print("rights could not be given up here, unreadable files left out")
        return
    check(p.returncode == 4 and "shut/b" in err.replace("'s/b'", "shut/b") and "'s/dir'" in err, f"exit {p.returncode}: {err}")
    check(len(box.names("s/")) == 3, "what could not be read was deleted")


def on_clouds(box):
    return sum(len(names) for c in box.clouds for _, _, names in os.walk(c))


def stopped(box, fault, *args):
    """A sync that has stopped itself at a fault point."""
    p = box.start("sync", *args, env={"QC_FAULT": f"{fault}:stop:1"})
    wait_stopped(p.pid, p)
    return p


def wait_stopped(pid, p):
    """Until a process has stopped itself, which p waits for or is."""
    until = time.monotonic() + 60
    while open(f"/proc/{pid}/stat", "rb").read().rsplit(b")", 1)[1].split()[0] != b"T":
        check(time.monotonic() < until and p.poll() is None, f"{p.args} never came to where it is stopped")
        time.sleep(0.01)


def together(box):
    """Small files travel together, each with its own outcome: one that others change while they are under way is left alone."""
    d, e, names = box.path("small"), box.path("small-back"), [f"{i // 9}/{i}" for i in range(60)]
    for i, name in enumerate(names):
        box.file(f"small/{name}", b"%d" % i * i)
    os.symlink("0/0", box.path("small/link"))
    box.file("small/large", bytes(200_000))
    before = on_clouds(box)
    s = box.sync(0, d, "j/")
    check(s["files"] == 62 and s["requests"] <= 16 and on_clouds(box) - before <= 20, f"{on_clouds(box) - before} objects for {s}")
    s = box.sync(0, "j/", e)
    check(s["files"] == 62 and s["requests"] <= 12 and tree(e) == tree(d), f"down: {s}")
    box.did(0, d, "j/", unchanged=62)
    box.did(0, "--both", e, "j/", unchanged=62)
    if not FAULTS:
        return
    for i, name in enumerate(names[:20]):
        box.file(f"small/{name}", b"again %d" % i)
    p = stopped(box, "client_shared", d, "j/")
    box.expect(0, "put", box.write("in", b"somebody else's"), "j/" + names[7])
    p.send_signal(signal.SIGCONT)
    err = p.communicate(timeout=60)[1].decode()
    check(p.returncode == 4 and err.count("E0413") == 1 and f"j/{names[7]}" in err and "19 files" in err, f"exit {p.returncode}: {err}")
    check(box.get("j/" + names[7]) == b"somebody else's", "written over")
    p = stopped(box, "client_part", "j/", e)
    box.file(f"small-back/{names[3]}", b"mine", old=False)
    p.send_signal(signal.SIGCONT)
    err = p.communicate(timeout=60)[1].decode()
    check(p.returncode == 4 and err.count("E0413") == 1 and "changed here while the sync ran" in err and "19 files" in err, f"exit {p.returncode}: {err}")
    check(tree(e)[names[3].encode()][0] == b"mine" and tree(e)[names[7].encode()][0] == b"somebody else's", "written over, or not got")


def aimed(box):
    """A folder whose object lies behind a link in the vault: that the link comes makes it none of what is outside, whose mode and time stay."""
    src, home, tops = box.path("aim"), box.path("aim-home"), (((), box.path("aim-down")), (("--both",), box.path("aim-both")))
    box.file("aim/d", b"a file")
    box.did(0, src, "aim/", files=1)
    for _, top in tops:
        box.did(0, "aim/", top, files=1)
    os.makedirs(os.path.join(home, ".ssh"))
    os.chmod(os.path.join(home, ".ssh"), 0o700)
    os.utime(os.path.join(home, ".ssh"), ns=(10**18, 10**18))
    os.unlink(box.path("aim/d"))
    os.symlink(home, box.path("aim/d"))
    box.did(0, src, "aim/", files=1)
    os.makedirs(box.path("aim-more/.ssh"))
    os.chmod(box.path("aim-more/.ssh"), 0o777)
    box.did(0, box.path("aim-more"), "aim/d/")
    for how, top in tops:
        for _ in range(2):
            box.sync(4, *how, *((top, "aim/") if how else ("aim/", top)))
            check(os.readlink(os.path.join(top, "d")) == home, "the link did not come")
            check(folders(home) == {b".ssh": 0o700} and times(home) == {b".ssh": 10**18}, f"{how}: set through a link: {folders(home)} {times(home)}")


def others_times(box):
    """Times of folders that others change while a sync runs: up, it writes nothing here; down, to none in which it did nothing."""
    d, e = box.path("times"), box.path("times-back")
    for name in ("a/1", "a/2", "b/3", "b/4"):
        box.file(f"times/{name}", name.encode())
    box.did(0, d, "times/", files=4)
    box.did(0, "times/", e, files=4)
    for turn, (fault, top, *words) in enumerate((("client_shared", d, d, "times/"), ("client_part", e, "times/", e))):
        if turn == 0:
            for name in ("a/1", "a/2"):
                box.file(f"times/{name}", b"again " + name.encode())
            os.utime(box.path("times/a"), ns=(10**18, 10**18 + 1))
        p = stopped(box, fault, *words)
        for name in ("b", "a") if turn == 0 else ("b",):
            os.utime(os.path.join(top, name), ns=(10**18, 10**18 + 5))
        p.send_signal(signal.SIGCONT)
        err = p.communicate(timeout=60)[1].decode()
        check(p.returncode == 0 and "2 files" in err, f"exit {p.returncode}: {err}")
        got = times(top)
        check(got == {b"a": 10**18 + (1 if turn else 5), b"b": 10**18 + 5}, f"{words}: times were set: {got}")


def metadata(box):
    """Folders, be they empty, with their modes and times, and extended attributes: by sync and by put -r and get -r."""
    d, e, f, x = box.path("meta"), box.path("meta-back"), box.path("meta-both"), box.xattrs
    box.file("meta/a/file", b"1")
    os.makedirs(box.path("meta/a/empty/deep"))
    os.makedirs(box.path("meta/shut"))
    os.makedirs(box.path("meta/tmp/gone"))
    box.file("meta/shut/file", b"2")
    box.file("meta/.qcloudignore", b"/tmp/\n")
    if x:
        for name, value in (("user.b", b"\0\xff"), ("user.a", b""), ("user.long", b"x" * 2000)):
            os.setxattr(box.path("meta/a/file"), name, value)
        before = xattrs(box.path("meta/a/file"))
    os.chmod(box.path("meta/a/empty"), 0o711)
    os.chmod(box.path("meta/shut"), 0o555)
    for i, name in enumerate(("a/empty/deep", "a/empty", "a", "shut")):
        os.utime(box.path("meta", name), ns=(10**18, 10**18 + i))
    box.did(0, d, "meta/", files=3)
    box.did(0, d, "meta/", unchanged=3)
    check(len(box.names("meta/")) == 3, f"ls shows folders: {box.names('meta/')}")
    kept = box.expect(0, "ls", "--folders", "meta/").stdout.decode().split()
    check([n for n in kept if n.endswith("/")] == ["meta/a/", "meta/a/empty/", "meta/a/empty/deep/", "meta/shut/"], f"ls --folders: {kept}")
    want, when = {p: m for p, m in folders(d).items() if not p.startswith(b"tmp")}, {p: t for p, t in times(d).items() if not p.startswith(b"tmp")}
    box.did(0, "meta/", e, files=3)
    box.expect(0, "get", "-r", "meta", box.path("meta-got"))
    box.expect(0, "put", "-r", d, "meta-put")
    box.expect(0, "get", "-r", "meta-put", box.path("meta-put"))
    shutil.rmtree(box.path("meta-put/tmp"))
    for top in ("meta-back", "meta-got", "meta-put"):
        check(folders(box.path(top)) == want and times(box.path(top)) == when, f"{top}: {folders(box.path(top))} {times(box.path(top))}, not {want} {when}")
        check(tree(box.path(top)) == tree(d), f"{top}: {tree(box.path(top))}")
    box.did(0, "meta/", e, unchanged=3)
    # An attribute, a mode, a time, a folder that is new, one that is gone; both ways, and what is gone with all that it had.
    os.makedirs(f)
    box.did(0, "--both", f, "meta/", files=3)
    if x:
        os.setxattr(box.path("meta/a/file"), "user.c", b"new")
        os.removexattr(box.path("meta/a/file"), "user.b")
    os.chmod(box.path("meta/shut"), 0o755)
    os.makedirs(box.path("meta/new/one"))
    os.rmdir(box.path("meta/a/empty/deep"))
    box.did(0, "--both", "--delete", d, "meta/", files=x, unchanged=3 - x)
    box.file("meta-both/shut/mine", b"3")
    os.unlink(box.path("meta/shut/file"))
    os.rmdir(box.path("meta/shut"))
    box.did(0, "--both", "--delete", d, "meta/", unchanged=2, deleted=1)
    box.did(0, "--both", "--delete", f, "meta/", files=1 + x, unchanged=2 - x, deleted=1)      # shut stays, for what is new in it
    box.did(0, "--both", "--delete", d, "meta/", files=1, unchanged=2)
    for _ in range(2):
        box.did(0, "--both", "--delete", f, "meta/", unchanged=3)
        box.did(0, "--both", "--delete", d, "meta/", unchanged=3)
    shutil.rmtree(box.path("meta/tmp"))
    check(folders(d) == folders(f) == {b"a": 0o755, b"a/empty": 0o711, b"new": 0o755, b"new/one": 0o755, b"shut": 0o555}, f"both: {folders(d)} {folders(f)}")
    check(tree(d) == tree(f) and times(d) == times(f), f"both: {tree(d)} {tree(f)} {times(d)} {times(f)}")
    # A file where a folder was, and the other way round.
    shutil.rmtree(box.path("meta/a"))
    box.file("meta/a", b"a file now")
    os.unlink(box.path("meta/shut/mine"))
    os.rmdir(box.path("meta/shut"))
    box.file("meta/shut", b"and this")
    box.did(0, "--both", "--delete", "--max-delete", "100", d, "meta/", files=2, unchanged=1, deleted=2)
    box.did(0, "--both", "--delete", "--max-delete", "100", f, "meta/", files=2, unchanged=1, deleted=2)
    check(tree(d) == tree(f) and folders(d) == folders(f) == {b"new": 0o755, b"new/one": 0o755}, f"in a folder's place: {tree(f)} {folders(f)}")
    os.unlink(box.path("meta/a"))
    os.makedirs(box.path("meta/a/b"))
    box.did(0, "--both", "--delete", d, "meta/", unchanged=2)
    box.did(0, "--both", "--delete", f, "meta/", unchanged=2)
    check(tree(d) == tree(f) and folders(d) == folders(f), f"in a file's place: {tree(f)} {folders(f)}")
    box.did(4, "meta/", e, unchanged=1, failed=1)       # the folder has a file that is not to be deleted
    box.did(0, "--delete", "--max-delete", "100", "meta/", e, files=1, unchanged=1, deleted=2)
    check(tree(e) == tree(d) and folders(e) == folders(d), f"down: {tree(e)} {folders(e)}")


def rests(box):
    """What a get that was killed left goes with the next one: it is no file of the user's, whichever way is synced."""
    a, b = box.path("rest-a"), box.path("rest-b")
    for i in range(9):
        box.file(f"rest-a/{i}", b"%d" % i * 100)
    box.did(0, a, "q/", files=9)
    os.makedirs(b)
    if FAULTS:
        p = stopped(box, "client_part", "--both", b, "q/")
        p.kill()
        p.communicate()
        check([n for n in os.listdir(b) if n.endswith(".part")], "nothing was left")
    if FAULTS:      # a link beside its name, which is not wanted any more; and one that has come, with what it was written to first
        os.symlink("away", box.path("rest-a/gone"))
        os.symlink("nowhere", box.path("rest-a/link"))
        box.sync(0, "--both", a, "q/")
        for name, fault, left in (("gone", "client_linked", ["gone.part", "gone.part-link"]), ("link", "client_renamed", ["link", "link.part"])):
            p = stopped(box, fault, "--both", b, "q/")
            p.kill()
            p.communicate()
            there = sorted(n for n in os.listdir(b) if n.startswith(name))
            check(there == left, f"a kill at {fault} left {there}")
            if name == "gone":
                os.unlink(box.path("rest-a", name))
                box.sync(0, "--both", "--delete", a, "q/")
        box.sync(0, "--both", "--delete", b, "q/")
        check(sorted(os.listdir(b)) == sorted(os.listdir(a)), f"rests: {sorted(os.listdir(b))}")
    box.file("rest-b/mine.part", b"mine")
    os.chmod(box.path("rest-b/mine.part"), 0o600)
    s = box.sync(0, "--both", b, "q/")
    check(s["files"] == (1 if FAULTS else 10), f"rests were stored: {s} {box.lines}")
    box.did(0, "--both", b, "q/", unchanged=10 + FAULTS)
    names = [b"q/%d" % i for i in range(9)] + FAULTS * [b"q/link"] + [b"q/mine.part"]
    check(box.names("q/") == names, f"the vault has {box.names('q/')}")
    check({**tree(a), b"mine.part": tree(b)[b"mine.part"]} == tree(b), f"what came: {tree(b)}")


def moved(box, *args, renamed=0, files=0, unchanged=0, deleted=0, code=0):
    """A sync, whose renames cost no byte of any file, either way."""
    s = box.sync(code, *args)
    got = {k: s[k] for k in ("renamed", "files", "unchanged", "deleted")}
    want = {"renamed": renamed, "files": files, "unchanged": unchanged, "deleted": deleted}
    check(got == want, f"sync {args}: {got}, expected {want}: {box.lines}")
    check(files or (s["sent"] < 65536 and s["received"] < 65536), f"renames cost {s}")
    return s


def renames(box):
    """A file that has another name: the vault's object has it, too, and the other folder's file; nothing is sent."""
    d, e, args = box.path("ren"), box.path("ren-back"), ("--both", "--delete")
    box.file("ren/big", bytes(64 << 20), old=False)
    for i in range(6):
        box.file(f"ren/sub/{i}", b"%d" % i * 300)
    for i, name in enumerate("abcxy"):
        box.file(f"ren/{name}", name.encode() * (100_000 + i))
    os.symlink("a", box.path("ren/link"))
    os.mkdir(box.path("ren/sub/none"))
    box.file("ren/a", b"before", old=False)
    box.did(0, d, "ren/", files=13)
    box.file("ren/a", b"a" * 100_000)
    box.did(0, d, "ren/", files=1, unchanged=12)
    box.did(0, "ren/", e, files=13)

    def rename(*pairs, top="ren"):
        for old, new in pairs:
            os.rename(box.path(top, old), box.path(top, new))

    # One way up, and down: a file, its versions with it, a folder, another case, a link; without --delete as well.
    rename(("big", "large"), ("sub", "below"), ("a", "A"), ("link", "to a"))
    p = box.expect(0, "sync", "-n", d, "ren/")
    check(p.stdout.count(b"\n") == 9 and b"rename  ren/a -> ren/A\n" in p.stdout and b"rename  ren/sub/5 -> ren/below/5\n" in p.stdout, f"a dry run says {p.stdout}")
    s = moved(box, "--delete", "--max-delete", "0", d, "ren/", renamed=9, unchanged=4)
    check(s["requests"] < 16, f"{s['requests']} requests for 9 renames")
    check(b"ren/below/none/" in box.expect(0, "ls", "--folders", "ren/").stdout and b"ren/sub/" not in box.expect(0, "ls", "--folders", "ren/").stdout, "a folder")
    told = box.expect(0, "versions", "ren/A").stdout
    check(told.count(b"\n") >= 2, f"the versions of the new name: {told}")
    moved(box, "ren/", e, renamed=9, unchanged=4)
    check(tree(e) == tree(d) and folders(e) == folders(d) and times(e) == times(d), f"down: {sorted(tree(e))} {folders(e)}")
    for _ in range(2):
        moved(box, d, "ren/", unchanged=13)
        moved(box, "ren/", e, unchanged=13)
        moved(box, *args, e, "ren/", unchanged=13)
    # Both ways, each side others; one name passed on, over one that is there, to one that is left out.
    box.expect(0, "mv", "ren/large", "ren/below/large")
    rename(("c", "d"), ("b", "c"), ("x", "y"), ("A", "a"), top="ren-back")
    box.expect(0, "sync", *args, "-n", e, "ren/")
    moved(box, *args, e, "ren/", renamed=5, unchanged=7)
    moved(box, *args, d, "ren/", renamed=5, unchanged=7)
    check(tree(e) == tree(d) and sorted(os.fsdecode(n) for n in tree(d)) == sorted(["a", *(f"below/{i}" for i in range(6)), "below/large", "c", "d", "to a", "y"]), f"both: {sorted(tree(d))}")
    box.expect(0, "cat", "ren/y")
    # Two names exchanged: the smaller one comes over. What a file is called that is left out is gone.
    rename(("c", "t"), ("d", "c"), ("t", "d"), ("below/0", "o.tmp"))
    p = moved(box, *args, "--exclude", "*.tmp", d, "ren/", renamed=1, files=1, unchanged=9, deleted=1)
    rename(("o.tmp", "below/0"))
    box.did(0, *args, d, "ren/", files=1, unchanged=11)
    # Another file in a name's place, as editors have it: the name keeps its versions. One that is changed, one that looks like it.
    rename(("a", "a~"), ("y", "z"), ("below/1", "twin"))
    box.file("ren/a", b"edited", old=False)
    box.file("ren/z", b"and edited", old=False)
    st = os.stat(box.path("ren/twin"))
    with open(box.path("ren/twin"), "r+b") as f:
        f.write(b"X")
    os.utime(box.path("ren/twin"), ns=(st.st_atime_ns, st.st_mtime_ns))
    moved(box, d, "ren/", files=4, unchanged=9)
    check(box.expect(0, "versions", "ren/a").stdout.count(b"\n") >= 3 and box.get("ren/twin")[:1] == b"X" and box.get("ren/z") == b"and edited", "renamed and changed")
    box.sync(0, "--delete", "--max-delete", "100", d, "ren/")
    box.sync(0, *args, "--max-delete", "100", e, "ren/")
    check(tree(e) == tree(d), f"both: {sorted(tree(e))} {sorted(tree(d))}")
    # A name that somebody else has taken; what is not wanted at all.
    rename(("z", "taken"))
    box.expect(0, "put", box.write("in", b"theirs"), "ren/taken")
    box.expect(4, "sync", *args, d, "ren/")
    aside = [os.fsdecode(n) for n in box.names("ren/") if b"taken.local-" in n]
    check(box.get("ren/taken") == b"theirs" and [box.get(n) for n in aside] == [b"and edited"], f"one of two is lost: {aside}")
    rename(("a~", "b"))
    s = box.sync(0, *args, "--no-renames", d, "ren/")
    check(s["renamed"] == 0 and s["files"] == 1 and s["deleted"] == 1, f"--no-renames: {s}")
    # Two names of one file here, of which the vault's takes the other's place. Another file that looks like it, going down.
    box.file("twice/a", b"one" * 50)
    os.link(box.path("twice/a"), box.path("twice/b"))
    box.did(0, box.path("twice"), "twice/", files=2)
    box.expect(0, "mv", "--force", "twice/a", "twice/b")
    moved(box, *args, "--max-delete", "100", box.path("twice"), "twice/", renamed=1)
    check(list(tree(box.path("twice"))) == [b"b"], f"two names of one file: {tree(box.path('twice'))}")
    box.did(0, "twice/", box.path("twice"), unchanged=1)
    st = os.stat(box.path("twice/b"))
    os.unlink(box.path("twice/b"))
    box.file("twice/b", b"two" * 50, old=False)
    os.utime(box.path("twice/b"), ns=(st.st_atime_ns, st.st_mtime_ns))
    box.sync(4, "twice/", box.path("twice"))
    check(tree(box.path("twice"))[b"b"][0] == b"two" * 50 and box.get("twice/b") == b"one" * 50, "one that looks like it")
    box.did(0, box.path("twice"), "twice/", files=1)
    if FAULTS:
        killed_renames(box, d, e, args)
        came_back(box)


def killed_renames(box, d, e, args):
    """Killed on either side of each rename: the next run has nothing to send, and both are alike."""
    last = "below"
    box.sync(0, *args, e, "ren/")
    for n, (fault, top, back) in enumerate([("client_moved", d, e), ("sync_renamed", e, d)] + FULL * [("client_noted", e, d), ("client_moved", e, d), ("sync_renamed", d, e)]):
        now = f"under{n}"
        os.rename(os.path.join(top, last), os.path.join(top, now))
        for i in (2, 3):
            os.rename(os.path.join(top, f"{n - 1}-{i}" if n else f"{now}/{i}"), os.path.join(top, f"{n}-{i}"))
        last = now
        for at in (top, back):
            if fault == "sync_renamed" or at == top:
                p = stopped(box, fault, *args, at, "ren/")
                p.kill()
                p.communicate()
            s = box.sync(0, *args, at, "ren/")
            check(s["files"] == 0 and s["deleted"] == 0 and s["sent"] < 65536, f"{fault}, {at}: {s} {box.lines}")
        check(tree(e) == tree(d) and folders(e) == folders(d), f"{fault}: {sorted(tree(e))} {sorted(tree(d))} {folders(e)} {folders(d)}")


def came_back(box):
    """Killed when the vault has removed a file, and the file comes back with all that the state has of it, as on vfat, where a ctime is a copy of
    the mtime: nobody has removed it in the vault, and it is stored."""
    d, args = box.path("came"), ("--both", "--delete", "--max-delete", "100")
    for name in "ab":
        box.file(f"came/{name}", name.encode())
    box.did(0, *args, d, "came/", files=2)
    os.rename(box.path("came/a"), box.path("away"))
    p = stopped(box, "client_removed", *args, d, "came/")
    p.kill()
    p.communicate()
    check(box.names("came/") == [b"came/b"], "it was not removed")
    os.rename(box.path("away"), box.path("came/a"))
    top, st, rows = os.path.join(box.home, "state", "sync"), os.stat(box.path("came/a")), 0
    for name in os.listdir(top):
        if name.endswith(".db"):
            with contextlib.closing(sqlite3.connect(os.path.join(top, name))) as db, db:
                rows += db.execute("UPDATE file SET ctime=? WHERE path=? AND inode=?", (st.st_ctime_ns, b"a", st.st_ino)).rowcount
    check(rows == 1, f"{rows} rows")
    box.did(0, *args, d, "came/", files=1, unchanged=1)
    check(sorted(tree(d)) == [b"a", b"b"] and box.names("came/") == [b"came/a", b"came/b"], "a file that came back is gone")


def moving(box):
    """A file that is changed while it is read, and one that is written again within a tick of its first look."""
    d = box.path("moving")
    box.file("moving/x", os.urandom(3_000_000))
    if FAULTS:
        p = stopped(box, "client_shared", d, "m/")
        # Another one at the lock: it does not wait, or as long as it is told to.
        q = box.expect(11, "sync", d, "m/")
        check(b"of these two is running: qcloud (process %d on host " % p.pid in q.stderr and b"--wait-lock 10m" in q.stderr, f"the holder is not named: {q.stderr}")
        began = time.monotonic()
        box.expect(11, "sync", "--wait-lock", "1s", d, "m/")
        check(time.monotonic() - began >= 1, "it did not wait")
        q = box.start("sync", "-n", "--wait-lock", "1m", d, "m/")
        with open(box.path("moving/x"), "r+b") as f:
            f.write(b"new")
        p.send_signal(signal.SIGCONT)
        err = p.communicate(timeout=60)[1]
        check(p.returncode == 4 and b"E0413" in err and b"changed while it was read" in err, f"exit {p.returncode}: {err}")
        err = q.communicate(timeout=60)[1]
        check(q.returncode == 0 and b"dry run" in err, f"what waited for the lock: exit {q.returncode}: {err}")
        check(box.names("m/") == [], "half a file is there")
    s = box.sync(0, "--nice", d, "m/")
    check(s["files"] == 1 and 3_000_000 < s["sent"] < 4_000_000 and s["requests"] > 3 and s["received"] > 0, f"what went over: {s}")
    for i in range(3):                  # written and stored at once: never missed
        box.file("moving/y", b"%d" % i, old=True)
        box.sync(0, d, "m/")
        check(box.get("m/y") == b"%d" % i, "a change was missed")


def beside(box):
    """-j: files side by side are told of in the order of their names; one that fails stops no other; a Ctrl-C leaves nothing half done."""
    names = [f"{i:02}" for i in range(9)]
    for i, name in enumerate(names):
        box.file(f"side/{name}", os.urandom(200_000 + 70_000 * (i * 5 % 9)))
    for name in ("x", "y"):
        box.file(f"side/{name}", b"small")
    d, want = box.path("side"), tree(box.path("side"))
    told = [json.loads(x) for x in box.expect(0, "--json", "put", "-r", "-j", "4", d, "side").stdout.splitlines()]
    check([x["name"] for x in told if x["type"] == "item" and x["name"][5:] in names] == [f"side/{n}" for n in names], f"the order: {told}")
    there = box.path("side.got")
    box.expect(0, "get", "-r", "-j", "3", "side/", there)
    check(tree(there) == want, "what came is another")
    for name in ("02", "07"):
        os.unlink(os.path.join(there, name))
    err = box.run("get", "-r", "-j", "3", "side/", there).stderr
    check(tree(there) == want and err.count(b"got 'side/") == 2 and err.count(b"E0") >= 7, f"one that is there stops the others: {err.decode()}")
    box.sync(0, "-j", "3", d, "side2/")
    box.sync(0, "-j", "3", "side2/", box.path("side2"))
    check(tree(box.path("side2")) == want, "a sync side by side")
    p = box.start("put", "-r", "-j", "4", "--limit-rate", "64k", d, "side3")
    end = time.monotonic() + 60
    while len(box.journal()) < 4:
        check(time.monotonic() < end and p.poll() is None, "four are not under way")
        time.sleep(0.02)
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=60)[1]
    check(p.returncode == 130 and not box.journal() and box.names("side3") == [], f"Ctrl-C: exit {p.returncode}, {box.journal()}: {err.decode()}")
    box.expect(0, "put", "-r", "-j", "8", d, "side3")
    box.expect(0, "verify", "side3")


def lots(box):
    """get -r in several lots at once: each file is told in its order, and one of which a name is another's for a while comes, too, be it in
    the same lot or at the end of one and the beginning of the next."""
    for i in range(450):
        box.file(f"lots/{i // 150}/{i:03}", b"%d" % i * 9)
    for name in ("197.part", "p", "p.part"):
        box.file(f"lots/1/{name}", name.encode())
    for name in ("200-link", "200-link.part-link"):
        os.symlink(f"/no/{name}", box.path(f"lots/1/{name}"))
    box.sync(0, box.path("lots"), "lots/")
    want = sorted(f"lots/{os.fsdecode(p)}" for p in tree(box.path("lots")))
    for i, jobs in enumerate(((), ("-j", "3"))):
        told = [json.loads(x) for x in box.expect(0, "--json", "get", "-f", "-r", *jobs, "lots/", box.path(f"lots.got{i}")).stdout.splitlines()]
        names = [x["name"] for x in told if x["type"] == "item"]
        check(names == want, f"{len(names)} of {len(want)}, or their order: {[a for a, b in zip(names, want) if a != b][:3]}")
        check(tree(box.path(f"lots.got{i}")) == tree(box.path("lots")), "what came is another")
    box.expect(0, "rm", "lots/0/000", "lots/2/449")
    p = box.expect(5, "get", "-r", "lots/", box.path("lots.got0"))
    check(p.stderr.count(b"E0511") == 453 and tree(box.path("lots.got0")) == tree(box.path("lots")), f"{p.stderr.count(b'E0511')} of 453 are there")


def gone_meanwhile(box):
    """Files of a bundle that is still to be sealed, in either half of it, go away, or become links to what is no file of the tree: they are
    named, nothing that a link leads to is stored, and all others are whole. put -r, and sync."""
    if not FAULTS:
        return
    for i, args in enumerate((("put", "-r"), ("sync",))):
        d, n, name = box.path(f"going{i}"), 580, f"going{i}"
        for k in range(n):
            box.file(f"{name}/{k:03}", b"%d of %d" % (k, i) * 50)
        box.file(f"outside{i}", b"not of the tree" * 10)
        p = box.start(*args, d, name + "/", env={"QC_FAULT": "client_journal:stop:1"})   # a bundle is sealed; of the second none is open yet
        wait_stopped(p.pid, p)
        for k in (513, 520, 560):
            os.unlink(os.path.join(d, f"{k:03}"))
        for k in (530, 570):
            os.unlink(os.path.join(d, f"{k:03}"))
            if args[0] == "put":            # a sync keeps links
                os.symlink(box.path(f"outside{i}"), os.path.join(d, f"{k:03}"))
        p.send_signal(signal.SIGCONT)
        err = p.communicate(timeout=120)[1]
        check(p.returncode not in (0, -6) and err.count(b"/513'") + err.count(b"/530'") >= 2, f"{args}: exit {p.returncode}: {err[-2000:]}")
        back = box.path(f"{name}.got")
        box.expect(0, "get", "-r", name + "/", back)
        got, want = tree(back), {k: v for k, v in ((b"%03d" % k, b"%d of %d" % (k, i) * 50) for k in range(n)) if k not in (b"513", b"520", b"530", b"560", b"570")}
        check(len(got) == len(want), f"{args}: {len(got)} came back, not {len(want)}")
        for k in want:
            with open(os.path.join(os.fsencode(back), k), "rb") as f:
                check(f.read() == want[k], f"{args}: {k} came back as another")


def folders_of_their_own(box):
    """get -r of many folders: files and folders of all lots that are under way stay below the limit of descriptors, be there two lots or eight."""
    for i in range(450):
        box.file(f"each/{i:03}/f", b"%d" % i)
    box.expect(0, "put", "-r", box.path("each"), "each")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, hard))         # of 1,024; the command inherits it
    try:
        box.expect(0, "get", "-r", "each/", box.path("each.got"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    check(tree(box.path("each.got")) == tree(box.path("each")), "what came is another")


def fares(box):
    """How a bundle fares on the clouds, where its gateway takes a while over it: it is stopped once the fragments are there. Whether the client
    asks meanwhile is for the clock to say, so a few are tried."""
    for n in range(5):
        for i in range(9):
            box.file(f"fare{n}/{i}", b"%d" % i * 1000)
        box.stop()
        box.expect(0, "ls", env={"QC_FAULT": "put_frag_done:stop:1"})        # it is what starts the gateway
        p = box.start("--json", "put", "-r", box.path(f"fare{n}"), f"fare{n}", "--progress=clouds")
        gateway, = box.processes(b"qcloud-gateway")
        wait_stopped(gateway, p)
        time.sleep(2)
        os.kill(gateway, signal.SIGCONT)
        lines = [json.loads(x) for x in p.communicate(timeout=60)[0].splitlines()]
        check(p.returncode == 0, f"exit {p.returncode}: {lines[-1]}")
        told = [x for x in lines if x["type"] == "progress" and "clouds" in x]
        check(all(x["name"] == "9 small files" and len(x["clouds"]) == 3 for x in told), f"how it fares: {told}")
        if told:
            break
    check(told, "nobody says how a bundle fares")
    box.stop()


def limits(box):
    """--limit-rate holds for all that a command moves: it is not faster, whatever the machine is. A change of qcloud.conf holds for what
    goes on already: what would take more than an hour is done at once."""
    for name in ("slow/a", "slow/b", *(f"slow/{i}" for i in range(12))):
        box.file(name, os.urandom(1_000_000 if len(name) == 6 and name[-1] in "ab" else 20_000))
    d = box.path("slow")
    for words in (("put", "-r", d, "slow"), ("get", "-r", "slow/", box.path("slow.got"))):
        began = time.monotonic()
        said = box.expect(0, *words, "--limit-rate", "2M", "--stats").stderr
        took = time.monotonic() - began
        check(took > 2_240_000 / (2 << 20) - 0.2, f"{words} took {took} s at 2 MiB a second")
        check(b"requests to the gateway: " in said and (b"fragments on clouds: " in said) == (words[0] == "put"), said)
    *_, said = map(json.loads, box.expect(0, "--json", "put", "--stats", "-r", d, "slow").stdout.splitlines())
    want = 3 * 2_240_000 // 2
    check(want < said["summary"]["written"] < want + 200_000, f"what was written to clouds, about {want}: {said}")
    box.expect(0, "config", "set", "gateway.limit-rate", "16k")
    p = box.start("sync", d, "slower/")
    end = time.monotonic() + 60
    while not box.journal():
        check(time.monotonic() < end and p.poll() is None, "nothing is sent")
        time.sleep(0.02)
    box.expect(0, "config", "set", "gateway.limit-rate", "off", "--limit-rate", "off")
    began = time.monotonic()
    err = p.communicate(timeout=120)[1]
    check(p.returncode == 0 and time.monotonic() - began < 60, f"exit {p.returncode}: {err}")


def interrupted(box):
    """Ctrl-C: what is told as stored or got is, what is left is counted, and the next run does just that. It is told once, whatever was under way."""
    d, e, files = box.path("many"), box.path("many-back"), 112
    for i in range(12):
        box.file(f"many/{i}", os.urandom(400_000))
    for i in range(files - 12):
        box.file(f"many/s/{i}", os.urandom(3000))
    for words in ((d, "k/"), ("k/", e)):
        left = files
        for how in ((), ("-j", "3")):
            p = box.start("sync", "--limit-rate", "3M", *how, *words)
            seen = p.stderr.readline()
            p.send_signal(signal.SIGINT)
            err = (seen + p.stderr.read()).decode()     # what readline has read ahead, too
            check(p.wait(timeout=60) == 130, f"Ctrl-C: exit {p.returncode}: {err}")
            done = err.count(": stored 'k/") + err.count(": got 'k/")
            check(err.count("E13") == 1 and "the same command again: it does what is left" in err, f"Ctrl-C: {err}")
            told = re.search(r"interrupted: (\d+) of (\d+) files to do are left, the next is 'k/(.*)'", err)
            check(told is not None and int(told[2]) <= left and int(told[1]) == int(told[2]) - done and os.path.isfile(os.path.join(d, told[3])), f"Ctrl-C, {done} of {left}: {err}")
            check(f"qcloud: {done} file{'' if done == 1 else 's'} (" in err and " 0 failed" in err, f"Ctrl-C, {done}: {err}")
            left = int(told[1])
        p = box.start("--json", "sync", "--limit-rate", "3M", *words)
        while b'"item"' not in p.stdout.readline():
            check(p.poll() is None, "it did nothing")
        p.send_signal(signal.SIGINT)
        last = json.loads(p.stdout.read().splitlines()[-1])
        check(p.wait(timeout=60) == 130, f"Ctrl-C: exit {p.returncode}: {last}")
        s = last.get("summary", {})
        check(last["type"] == "error" and last["exit"] == 130 and last["counts"].get("130") is None and s["failed"] == 0 and s["files"] + s["left"] <= left and
              s["unchanged"] + s["files"] + s["left"] == files, f"Ctrl-C: {last}")
        after = box.sync(0, *words)     # one that was on its way may have come to its end all the same
        check(after["files"] <= s["left"] and after["files"] + after["unchanged"] == files, f"after {s}: {after}")
    check(tree(e) == tree(d), "they are not alike")


def attribute(box, rng, path):
    """An extended attribute of a file comes, changes or goes."""
    if not box.xattrs or os.path.islink(path):
        return
    name = "user." + rng.choice("pq")
    if rng.random() < 0.3 and name in xattrs(path):
        os.removexattr(path, name)
    else:
        os.setxattr(path, name, rng.randbytes(rng.choice((0, 3, 300))))


def change_folder(box, rng, top):
    """One comes, gets another mode, or goes where it is empty."""
    there = sorted(os.fsdecode(p) for p in folders(box.path(top)))
    what = rng.random()
    if what < 0.4 or not there:
        os.makedirs(box.path(top, "/".join(rng.choice("abst") for _ in range(rng.randrange(1, 4)))), exist_ok=True)
        return
    path = box.path(top, rng.choice(there))
    if what < 0.7:
        os.chmod(path, rng.choice((0o700, 0o755, 0o750)))
    elif not os.listdir(path):
        os.rmdir(path)


def change(box, rng, top):
    """Some files come, change, move, go; at least one stays."""
    names = [os.fsdecode(n) for n in tree(os.path.join(box.work, top))]
    for _ in range(rng.randrange(1, 3)):
        change_folder(box, rng, top)
    for _ in range(rng.randrange(1, 10)):
        what = rng.random()
        if names:
            attribute(box, rng, box.path(top, rng.choice(names)))
        old = rng.choice(names) if names else None
        if what < 0.5 or len(names) < 3:
            name = "/".join(rng.choice("abc") for _ in range(rng.randrange(1, 3))) + f".{rng.randrange(9)}"
            box.file(f"{top}/{name}", rng.randbytes(rng.choice((0, 10, 3000, 200_000))), old=rng.random() < 0.3)
            names.append(name)
        elif what < 0.7:
            box.file(f"{top}/{old}", rng.randbytes(rng.choice((10, 3000))), old=rng.random() < 0.5)
        elif what < 0.78:
            new = "/".join(rng.choice("abc") for _ in range(rng.randrange(1, 3))) + f".{rng.randrange(9)}"
            os.makedirs(os.path.dirname(box.path(top, new)), exist_ok=True)
            os.replace(box.path(top, old), box.path(top, new))
            names = [n for n in names if n not in (old, new)] + [new]
        elif what < 0.85:
            os.unlink(box.path(top, old))
            names = [n for n in names if n != old]
        elif what < 0.92 or os.path.islink(box.path(top, old)):
            os.unlink(box.path(top, old))
            os.symlink(rng.choice(("a", "../b", "/nowhere")), box.path(top, old))
        else:
            os.chmod(box.path(top, old), rng.choice((0o600, 0o644, 0o755)))


def kills(box, rng):
    """Up and down, killed at random; then once more, and both are alike, with nothing to be told."""
    struck = 0
    os.makedirs(box.path("live"))
    took = 0.5
    for _ in range(ROUNDS):
        change(box, rng, "live")
        for i in range(10):             # enough for a bundle
            box.file(f"live/{i}", rng.randbytes(rng.choice((10, 3000))), old=False)
        for args in (("--delete", "--max-delete", "100", box.path("live"), "kill/"), ("--delete", "--max-delete", "100", "kill/", box.path("mirror"))):
            for _ in range(2):
                p = box.start("sync", "-j", str(rng.choice((1, 3))), *args)
                try:
                    err = p.communicate(timeout=rng.uniform(0, took))[1]
                    check(p.returncode == 0, f"sync {args}: exit {p.returncode}: {err.decode()}")
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.communicate()
                    struck += 1
            began = time.monotonic()
            p = box.expect(0, "sync", "-j", str(rng.choice((1, 3))), *args)
            took = 0.02 + 1.5 * (time.monotonic() - began)
        want = tree(box.path("live"))
        check(tree(box.path("mirror")) == want, f"the mirror is not like it: {sorted(tree(box.path('mirror')))} {sorted(want)}")
        dirs = [(folders(box.path(top)), times(box.path(top))) for top in ("live", "mirror")]
        check(dirs[0] == dirs[1], f"the mirror's folders are not like them: {dirs}")
        check(box.names("kill/") == [b"kill/" + n for n in sorted(want)], "the vault is not like it")
        s = box.sync(0, box.path("live"), "kill/")
        check(s["files"] == 0 and s["unchanged"] == len(want), f"a sync after a sync: {s}")
    print(f"{struck} of {4 * ROUNDS} syncs were killed; all was finished by the next one")
    check(struck >= ROUNDS // 2, "hardly one was killed")


def edit(box, rng, top):
    """What one user does in a round: {path: content} of what they wrote or moved there last, and did not touch again."""
    wrote = {}
    for _ in range(rng.randrange(1, 6)):
        have = sorted(os.fsdecode(p) for p in tree(box.path(top)) if p != b"keep")
        name = rng.choice(("", "s/", "s/t/")) + rng.choice("wxyz")
        what, old = rng.random(), rng.choice(have) if have else None
        change_folder(box, rng, top)
        if old and rng.random() < 0.3:
            attribute(box, rng, box.path(top, old))
        os.makedirs(os.path.dirname(box.path(top, name)), exist_ok=True)
        if what < 0.5:
            wrote[name] = rng.randbytes(rng.choice((9, 3000)))
            box.file(f"{top}/{name}", wrote[name], old=False)
            if rng.random() < 0.5:      # of a time of its own: a first sync goes by size and time
                os.utime(box.path(top, name), ns=(10**18, 10**18 + rng.randrange(10**9)))
        elif what < 0.65:
            target = f"{top}-{rng.randrange(10**9)}"
            if os.path.lexists(box.path(top, name)):
                os.unlink(box.path(top, name))
            os.symlink(target, box.path(top, name))
            wrote[name] = b"-> " + target.encode()
        elif what < 0.85 and old:
            os.unlink(box.path(top, old))
            wrote.pop(old, None)
        elif old and old != name:
            wrote[name] = tree(box.path(top))[os.fsencode(old)][0]
            os.replace(box.path(top, old), box.path(top, name))
            wrote.pop(old, None)
    return wrote


def both_ways(box, rng):
    """Two folders, each synced both ways with one prefix, edited at random and killed now and then: in the end all three are alike, what a user wrote
    and did not touch again is there, under its name or beside it, and so is what nobody touched."""
    struck, told, took = 0, 0, 0.3
    tops = ("left", "right")
    args = ("sync", "--both", "--delete", "--max-delete", "100")
    rounds = int(1000 * part_of(0.05)) if FULL else 3
    for top in tops:
        os.makedirs(box.path(top))
    box.file("left/keep", b"keep")
    for top, mode in zip(tops, (0o644, 0o600)):         # the same bytes: the vault's time and mode count
        box.file(f"{top}/same", b"the same", old=False)
        os.chmod(box.path(top, "same"), mode)
    for top in 2 * tops:
        box.expect(0, *args, box.path(top), "two/")
    check(tree(box.path("left")) == tree(box.path("right")), f"the same bytes: {tree(box.path('left'))} {tree(box.path('right'))}")
    for top in 2 * tops:
        if os.path.exists(box.path(top, "same")):
            os.unlink(box.path(top, "same"))
        box.expect(0, *args, box.path(top), "two/")
    for n in range(rounds):
        before = {p: c for p, (c, *_) in tree(box.path("left")).items()}
        wrote = [edit(box, rng, top) for top in tops]
        now = [{p: c for p, (c, *_) in tree(box.path(top)).items()} for top in tops]
        untouched = [c for p, c in before.items() if all(t.get(p) == c for t in now)]
        for top in 2 * tops:
            p = box.start(*args, box.path(top), "two/")
            try:
                err = p.communicate(timeout=rng.uniform(0, took))[1]
                check(p.returncode in (0, 4), f"round {n}: exit {p.returncode}: {err.decode()}")
                told += p.returncode == 4
            except subprocess.TimeoutExpired:
                p.kill()
                p.communicate()
                struck += 1
        for code in ((0, 4), (0, 4), 0, 0):
            for top in tops:
                began = time.monotonic()
                told += box.expect(code, *args, box.path(top), "two/").returncode == 4
                took = 2 * (time.monotonic() - began)
        left, right = (tree(box.path(top)) for top in tops)
        odd = [(p, [(t[p][0][:20], *t[p][1:]) if p in t else None for t in (left, right)]) for p in {**left, **right} if left.get(p) != right.get(p)]
        check(not odd, f"round {n}: not alike: {odd}")
        dirs = [folders(box.path(top)) for top in tops]
        check(dirs[0] == dirs[1], f"round {n}: folders not alike: {dirs}")
        check(box.names("two/") == [b"two/" + name for name in sorted(left)], f"round {n}: the vault is not like them")
        contents = [c for c, *_ in left.values()]
        for top, names in zip(tops, wrote):
            for name, data in names.items():
                check(data in contents, f"round {n}: {name} of {top} is lost")
        check(all(c in contents for c in untouched), f"round {n}: something that nobody touched is gone")
        for path in [p for p in left if b".local-" in p][20:]:      # looked at, and removed
            os.unlink(os.path.join(os.fsencode(box.path("left")), path))
    kept = sum(b".local-" in name for name in left)
    print(f"both ways, {rounds} rounds: {struck} syncs were killed, {told} told of a conflict, {kept} files were kept aside in the end")
    check(struck > 0 and (told > 0 or not FULL), "hardly anything happened")


def test():
    rng = seeded("cli/sync")
    with World(k=2, n=3) as box:
        box.init()
        box.xattrs = has_xattrs(box)
        for part in (page, ways, up_and_down, conflicts, left_out, links, sparse, unreadable, together, aimed, gone_meanwhile, *([others_times] if FAULTS else []), metadata, rests, renames, moving, beside, *([fares] if FAULTS else []), lots, folders_of_their_own, limits, interrupted):
            part(box)
        kills(box, rng)
        both_ways(box, rng)


if __name__ == "__main__":
    main(test)
