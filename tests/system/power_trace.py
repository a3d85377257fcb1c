#!/usr/bin/python3
"""The instrument of system/power, itself under test: does the recorder see all that the kernel sees, and does the model's disk lose
what it may lose, and nothing else? A call that changes files and has no record would make every power cut milder than it is."""
import os
import pickle
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "disk")]
sys.dont_write_bytecode = True
from harness import QCLOUD, Box, check, main                # noqa: E402
import model                                                # noqa: E402
import trace as tracing                                     # noqa: E402
from phase import Phase, disk_dir                           # noqa: E402

LIBRARY = os.environ["QC_DISK"]
DRAWS = 12      # states per event and mode

# ---------------------------------------------------------------- the model
HEAD = """
import os
d = os.open('.', os.O_RDONLY)
def new(name, data, flags=os.O_CREAT | os.O_EXCL):
    f = os.open(name, os.O_WRONLY | flags, 0o600)
    os.write(f, data)
    return f
old, now = b'o' * 1536, b'n' * 1536
"""
OLD, NEW = b"o" * 1536, b"n" * 1536


def mixed(s):
    return s is not None and len(s) == 1536 and len(set(s)) == 2


# program; what a cut after its last call may leave in "a" (each must be found); what none behind the second sync may leave
PROGRAMS = (
    ("written, not synced", "new('a', now)",
     {"gone": lambda a: a is None, "empty": lambda a: a == b"", "whole": lambda a: a == NEW, "zeros": lambda a: a == bytes(1536)}, None),
    ("its name is not durable", "os.fsync(new('a', now))", {"gone": lambda a: a is None, "whole": lambda a: a == NEW}, None),
    ("its bytes are not durable", "new('a', now); os.fsync(d)", {"empty": lambda a: a == b"", "whole": lambda a: a == NEW,
                                                                 "torn": lambda a: a in (NEW[:512], NEW[:1024])}, None),
    ("durable", "os.fsync(new('a', now)); os.fsync(d)", {"only whole": lambda a: a == NEW}, None),
    ("fdatasync makes the size durable too", "os.fdatasync(new('a', now)); os.fsync(d)", {"only whole": lambda a: a == NEW}, None),
    ("written over", "os.fsync(new('a', old)); os.fsync(d); f = new('a', now, 0)",
     {"old": lambda a: a == OLD, "new": lambda a: a == NEW, "mixed": mixed}, None),
    ("cut short", "os.fsync(new('a', old)); os.fsync(d); os.truncate('a', 100)",
     {"old": lambda a: a == OLD, "short": lambda a: a == OLD[:100]}, None),
    ("replaced as it should be", "os.fsync(new('a', old)); os.fsync(d)\nos.fsync(new('b', now)); os.rename('b', 'a'); os.fsync(d)",
     {"only new": lambda a: a == NEW}, lambda a: a not in (None, OLD, NEW)),
    ("replaced without a sync of the bytes", "os.fsync(new('a', old)); os.fsync(d)\nnew('b', now); os.rename('b', 'a'); os.fsync(d)",
     {"empty": lambda a: a == b""}, None),
    ("replaced, the name not synced", "os.fsync(new('a', old)); os.fsync(d)\nos.fsync(new('b', now)); os.rename('b', 'a')",
     {"old": lambda a: a == OLD, "new": lambda a: a == NEW}, lambda a: a not in (None, OLD, NEW)),
    ("a directory of its own, whose name is not synced",
     "os.mkdir('x'); f = new('x/a', now); os.fsync(f); os.fsync(os.open('x', os.O_RDONLY)); os.link('x/a', 'b')",
     {"gone": lambda a: a is None, "whole": lambda a: a == NEW}, None, "x/a"),
    ("moved between directories",
     "os.mkdir('x'); os.fsync(d)\nos.fsync(new('a', now)); os.fsync(d); os.rename('a', 'x/a'); x = os.open('x', os.O_RDONLY); os.fsync(d)",
     {"there": lambda a: a == NEW}, None, "x/a"),
    ("removed, not synced", "os.fsync(new('a', now)); os.fsync(d); os.unlink('a')",
     {"gone": lambda a: a is None, "there": lambda a: a == NEW}, None),
    ("nameless, then linked", "f = os.open('.', os.O_WRONLY | os.O_TMPFILE, 0o600); os.write(f, now); os.fdatasync(f)\n"
     "os.link(f'/proc/self/fd/{f}', 'a', src_dir_fd=d, dst_dir_fd=d); os.fsync(d)", {"only whole": lambda a: a == NEW}, None),
    ("an fsync that failed is not made good by the next", "f = new('a', now)\ntry:\n    os.fsync(f)\nexcept OSError: pass\n"
     "os.fsync(f); os.fsync(d)", {"lost": lambda a: a == b""}, None),
)


def runs(program, fail=False):
    """(the disk before, the disk's events) of a small program under the recorder, and whether the trace told the truth."""
    place = tempfile.mkdtemp(prefix="qcloud-test-", dir=disk_dir())
    try:
        root = os.path.join(place, "root")
        os.mkdir(root)
        t = tracing.Trace(place + "/trace", root, 1 << 22)
        if fail:
            t.fail(tracing.SYNC, os=5, at=1)
        before = pickle.dumps(model.Disk(root, ()))
        subprocess.run([sys.executable, "-c", HEAD + program], cwd=root, check=True,
                       env={**os.environ, "LD_PRELOAD": LIBRARY, "QC_DISK_TRACE": place + "/trace"})
        events = t.events()
        t.close()
        disk = pickle.loads(before)
        for e in events:
            disk.follow(e)
        return pickle.loads(before), events, disk.differences()
    finally:
        shutil.rmtree(place)


def outcomes(program, path, fail):
    """What path may hold after a cut at the end, and after a cut anywhere behind the second sync: sets, None: it is not there."""
    disk, events, wrong = runs(program, fail)
    check(not wrong, f"the trace is not what happened: {wrong}")
    ends, later = set(), set()
    for at in range(len(events) + 1):
        for mode in model.MODES:
            for draw in range(DRAWS):
                state = disk.cut(mode, random.Random(f"{at} {mode} {draw}"), at)
                got = next((content for p, _, content in state if p == path), None)
                if sum(e.op == "sync" for e in events[:at]) >= 2:
                    later.add(got)
                if at == len(events):
                    ends.add(got)
        if at < len(events):
            disk.follow(events[at])
    return ends, later


def a_call_past_the_recorder():
    """The C library's own streams write without a call that a preloaded library sees: then the trace is not what happened."""
    _, _, wrong = runs("import ctypes\nc = ctypes.CDLL(None)\nc.fopen.restype = ctypes.c_void_p\nf = ctypes.c_void_p(c.fopen(b'a', b'w'))\n"
                       "c.fputs(b'text', f); c.fclose(f)")
    check(wrong, "a change that was not recorded was not noticed")


def model_keeps_its_word():
    for what, program, wanted, never, *path in PROGRAMS:
        ends, later = outcomes(program, path[0] if path else "a", "except OSError" in program)
        for name, is_it in wanted.items():
            check(any(is_it(a) for a in ends), f"{what}: '{name}' was never found")
            if name.startswith("only"):
                check(all(is_it(a) for a in ends), f"{what}: not {name}: {[a and a[:20] for a in ends]}")
        if never:
            check(not any(never(a) for a in later), f"{what}: a cut left what it never may")
    print(f"  {len(PROGRAMS)} small programs: the disk loses what it may, and keeps what was synced", flush=True)


# ---------------------------------------------------------------- the recorder
# Calls that change files or their names, by what the recorder makes of them. What strace shows beside these, on a file of ours, must
# be one of HARMLESS.
RECORDED = {
    "write": ("write", "writev", "pwrite64", "pwritev", "pwritev2"), "size": ("ftruncate", "truncate"), "reserve": ("fallocate",),
    "mode": ("fchmod", "chmod", "fchmodat", "fchmodat2"), "mkdir": ("mkdir", "mkdirat"), "link": ("link", "linkat"),
    "rename": ("rename", "renameat", "renameat2"), "unlink": ("unlink", "unlinkat"), "rmdir": ("rmdir",), "map": ("mmap",),
}
HARMLESS = {"read", "readv", "pread64", "preadv", "openat", "open", "close", "fstat", "stat", "lstat", "newfstatat", "statx", "statfs",
            "fstatfs", "lseek", "getdents64", "flock", "fcntl", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "chdir",
            "getcwd", "munmap", "utimensat", "sync_file_range", "fadvise64", "ioctl", "connect", "bind", "execve", "poll", "dup", "dup3",
            "dup2", "fchown", "getxattr", "lgetxattr", "close_range", "sendmsg", "sendto", "recvmsg", "recvfrom", "epoll_ctl"}
LINE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+)")


def seen_by_kernel(log, root):
    """op -> number of successful calls on files below root; and calls that nobody knows."""
    counts, strange, pending = {}, [], {}
    of = {call: op for op, calls in RECORDED.items() for call in calls}
    ours = re.compile(re.escape(root) + r'(?!/work\b)[/>"]')
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            pid = line.split(None, 1)[0]
            if "<unfinished ...>" in line:
                pending[pid] = line.split(" <unfinished", 1)[0]
                continue
            resumed = re.match(r"^\d+\s+<\.\.\. \w+ resumed>(.*)", line)
            m = LINE.match(pending.pop(pid, "") + resumed.group(1) if resumed else line)
            if not m or not ours.search(m.group(3)) or m.group(4).startswith("-"):
                continue
            call, args = m.group(2), m.group(3)
            if call == "mmap" and ("MAP_SHARED" not in args or "PROT_WRITE" not in args):
                continue
            if call == "fchmodat" and args.endswith('.sock", 0600'):
                continue        # a socket holds nothing
            op = "rmdir" if "AT_REMOVEDIR" in args else of.get(call)
            if op:
                counts[op] = counts.get(op, 0) + 1
            elif call not in HARMLESS:
                strange.append(line.strip()[:200])
    return counts, strange


# Called all the time, on no file's content: without them strace is bearable.
QUIET = "!futex,read,pread64,poll,epoll_wait,clock_nanosleep,clock_gettime,mprotect,madvise,brk,rt_sigprocmask,sched_yield,getrandom"


def traced(box, phase, log, commands):
    """Commands one after the other, in one shell under strace; it ends when the gateway does."""
    script = "\n".join(["set -e", *(shlex.join([QCLOUD, *c]) for c in commands), "echo well"])
    p = subprocess.Popen(["strace", "-f", "-y", "-qq", "--seccomp-bpf", "-s", "0", "-e", "signal=none", "-e", "trace=" + QUIET, "-o", log,
                          "sh", "-c", script], env=box.env(**phase.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    said = []
    for line in p.stdout:
        said.append(line)
        if line == "well\n":
            break
    box.stop()
    p.communicate(timeout=60)
    check(said and said[-1] == "well\n", "under strace: " + "".join(said))


def recorder_sees_all():
    with Box(root=disk_dir()) as box:
        phase = Phase(box, "trace", LIBRARY)
        log = os.path.join(box.work, "strace")
        clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
        data = box.write("in", b"x" * 5000)
        traced(box, phase, log, (
            ("init", "--local", *clouds, "--k", "3", "--share1", box.stores[0], "--share2", box.stores[1]),
            ("put", data, "a"), ("put", data, "b"), ("put", data, "a"), ("rm", "b"), ("get", "a", box.root + "/out/"),
            ("recover", "--share", "1"), ("verify",)))
        wrong = phase.finish(box)
        check(not wrong, "the trace is not what happened:\n  " + "\n  ".join(wrong))
        kernel, strange = seen_by_kernel(log, box.root)
        os.unlink(log)
        check(not strange, "calls on files of ours that have no record:\n  " + "\n  ".join(strange[:10]))
        disk, recorded = phase.disk(), dict.fromkeys(kernel, 0)
        for e in phase.events:
            disk.follow(e)
            if e.op in RECORDED and (e.ino in disk.nodes or e.op not in ("write", "size", "reserve", "mode", "map")):
                recorded[e.op] = recorded.get(e.op, 0) + 1
        check(kernel == recorded, f"the kernel saw {sorted(kernel.items())},\nthe recorder {sorted(recorded.items())}")
        check(kernel["write"] > 500, "next to nothing happened: this comparison would prove nothing")
        print(f"  the recorder has every change that strace saw: {sorted(kernel.items())}", flush=True)


def test():
    model_keeps_its_word()
    a_call_past_the_recorder()
    recorder_sees_all()


main(test)
