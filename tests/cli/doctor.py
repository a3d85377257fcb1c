#!/usr/bin/python3
"""qcloud doctor: each kind of fault is made, found, called what it is, told with what to run next, and is in the exit code."""
import contextlib
import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import QCLOUD, Box, check, main  # noqa: E402

made = 0


def finds(box, exit_, name, level, *words, env=None, program=QCLOUD, options=()):
    """The check of this name says that, with all of these words in what it says or would do next; and the exit code."""
    global made
    made += 1
    p = subprocess.run([program, "doctor", "--json", *options], env=box.env(**(env or {})), capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    lines = [json.loads(x) for x in p.stdout.splitlines()]
    told = [x for x in lines if "check" in x]
    here = [x for x in told if x["check"] == name and x["level"] == level]
    text = " ".join(f"{x['what']} / {x['next']}" for x in here)
    check(here and all(w in text for w in words), f"{name} should be {level} with {words}: {json.dumps(told, indent=1)}{p.stderr.decode()}")
    check(all((x["level"] == "ok") == (x["next"] == "") for x in told), f"what to run next: {told}")
    check(p.returncode == exit_ and lines[-1]["exit"] == exit_, f"{name}: exit {p.returncode}, expected {exit_}: {told}")
    check(len({x["check"] for x in told}) >= 6, f"checks are missing: {told}")
    return told


@contextlib.contextmanager
def instead(path, change):
    """The text of a file changed for a while; None: the file was not there."""
    before = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            before = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(change(before or ""))
    os.chmod(path, 0o600)
    yield
    if before is None:
        os.unlink(path)
        return
    with open(path, "w", encoding="utf-8") as f:
        f.write(before)


@contextlib.contextmanager
def mode(path, bits):
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, bits)
    yield
    os.chmod(path, before)


def configurations(box):
    conf, random = os.path.join(box.home, "qcloud.conf"), os.path.join(box.home, "random.conf")
    with instead(conf, lambda t: t.replace("share1 =", "shaer1 =")):
        told = finds(box, 2, "configuration", "bad", "unknown key 'shaer1'", "share1", conf)
        check(not any(x["check"] == "vault" for x in told), "a vault was looked at that nobody knows")
    with instead(conf, lambda t: ""):
        finds(box, 10, "configuration", "bad", "has no [vault]", "qcloud init")
    with instead(random, lambda t: "[policy]\nelse = os\n"):
        finds(box, 2, "randomness", "bad", "else", random)
    with instead(random, lambda t: "[source lab]\nkind = command\npath = /bin/cat /dev/urandom\n"):
        finds(box, 4, "randomness", "ok", "1 source")


def permissions(box):
    for path, bits, want in ((box.stores[0], 0o750, "chmod 700 " + box.stores[0]), (os.path.join(box.home, "state"), 0o755, "chmod 700"),
                             (os.path.join(box.home, "qcloud.conf"), 0o622, "chmod 600")):
        with mode(path, bits):
            finds(box, 12, "permissions", "bad", path, want)
        with mode(path, bits):
            finds(box, 4, "permissions", "ok", path, f"mended: its mode was {bits:04o}", options=("--fix",))
            check(os.stat(path).st_mode & 0o777 == int(want.split()[1], 8), f"{path}: {os.stat(path).st_mode:o}")
            finds(box, 4, "permissions", "ok", "are this user's alone")


def losses(box):
    with box.lost(box.stores[1]):
        finds(box, 4, "vault", "warn", "share store 2 cannot be opened", "qcloud recover --share 2")
        finds(box, 4, "share stores", "warn", "not there")
        with box.lost(box.stores[0]):
            finds(box, 7, "vault", "bad", "share store 1 cannot be opened")
    with box.lost(box.clouds[0]):
        finds(box, 4, "vault", "bad", "cloud c1 is gone", "3 are needed to write")
        with box.lost(*box.clouds[1:]):
            finds(box, 6, "vault", "bad")


def programs(box):
    """qcloud alone in a folder, and nothing on PATH: its gateway cannot be started, and that is said."""
    box.stop()
    alone = os.path.join(box.root, "alone")
    os.mkdir(alone)
    shutil.copy(QCLOUD, alone)
    finds(box, 10, "programs", "bad", "qcloud-gateway", env={"PATH": alone}, program=os.path.join(alone, "qcloud"))
    other = os.path.join(alone, "qcloud-gateway")
    with open(other, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho qcloud-gateway 9.9\n")
    os.chmod(other, 0o755)
    finds(box, 1, "programs", "warn", "9.9", "one version", env={"PATH": alone + ":/bin"}, program=os.path.join(alone, "qcloud"))


def gateways(box):
    """One's own that does not start tells why; another's that is away is named; its token is for one user."""
    box.stop()
    state = os.path.join(box.home, "state", "gateway")
    with box.lost(state):
        finds(box, 10, "vault", "bad", state)
    catalogue = os.path.join(state, "catalogue.db")
    check(os.path.exists(catalogue), f"no catalogue to damage: {os.listdir(state)}")
    kept = catalogue + ".kept"
    shutil.copy(catalogue, kept)
    with open(catalogue, "r+b") as f:
        f.write(b"no database at all")
    finds(box, 8, "vault", "bad", "catalogue")
    os.replace(kept, catalogue)
    box.stop()
    token = os.path.join(box.root, "token")
    with open(token, "w", encoding="ascii") as f:
        f.write("none\n")
    os.chmod(token, 0o644)
    conf = os.path.join(box.home, "qcloud.conf")
    away = lambda t: t.split("[gateway]")[0].replace("gateway = local", "gateway = unix:/nowhere/door") + f"[gateway]\ntoken-file = {token}\n"  # noqa: E731
    with instead(conf, away):
        finds(box, 12, "permissions", "bad", token, "chmod 600")
        with open(token, "wb") as f:
            f.write(subprocess.run([os.path.join(os.path.dirname(QCLOUD), "qcloud-gateway"), "version"], capture_output=True, check=True).stdout)
        os.chmod(token, 0o600)
        finds(box, 12, "vault", "bad", "token")


def leftovers(box):
    """What was killed: named, and removed where nothing can be in it; every byte of anybody's stays."""
    box.stop()      # killed: its socket is there
    dead, held = (os.path.join(box.home, f".tmp-999999-{x * 16}") for x in "0f")
    for path in (dead, held):
        with open(path, "wb") as f:
            f.write(b"half")
    tree = os.path.join(box.work, "got")
    os.makedirs(os.path.join(tree, "sub"))
    parts = {"sub/left.part": 0o600, "mine.part": 0o644, "left": 0o600}
    for name, bits in parts.items():
        with open(os.path.join(tree, name), "wb") as f:
            f.write(name.encode())
        os.chmod(f.name, bits)
    with open(held, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        told = finds(box, 4, "leftovers", "ok", "2 files of writes that were killed", "gateway that was killed is there", "sub/left.part was left by a get", options=(tree,))
        check(not any("mine.part" in x["what"] or "got/left " in x["what"] for x in told), told)
        box.stop()
        finds(box, 4, "leftovers", "ok", "1 file removed", "gateway that was killed was removed", "left.part", options=("--fix", tree))
        check(not os.path.exists(dead) and os.path.exists(held), "a file that is held, or one that is not")
    for name in parts:
        with open(os.path.join(tree, name), "rb") as f:
            check(f.read() == name.encode(), f"{name} was touched")
    os.unlink(held)
    box.stop(signal.SIGTERM)
    finds(box, 4, "leftovers", "ok", "no command that was killed left anything")


def locks(box):
    """Who holds one is named; one whose holder is gone is held all the same where a child has it, and stays."""
    folder = os.path.join(box.home, "state", "sync")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, "ab.lock")
    with open(path, "wb") as f:
        finds(box, 4, "locks", "ok", "no command holds any" if not list(box.processes()) else "which runs")
        fcntl.flock(f, fcntl.LOCK_EX)
        finds(box, 4, "locks", "ok", f"{path} is held by process {os.getpid()} (", "which runs", options=("--fix",))
        fcntl.flock(f, fcntl.LOCK_UN)
        r, w = os.pipe()
        first = os.fork()
        if first == 0:
            fcntl.flock(f, fcntl.LOCK_EX)
            if os.fork() == 0:
                os.close(w)
                os.read(r, 1)       # until the test has looked
            os._exit(0)
        os.close(r)
        os.waitpid(first, 0)
        finds(box, 4, "locks", "warn", f"{path} is held, and not by a process that is seen", "lsof", options=("--fix",))
        os.close(w)
    check(os.path.exists(path), "a lock's file was removed")
    os.unlink(path)


def interrupted(box):
    """A put that was killed after all had gone: settled by --fix, with the version that it had. A large one stays, and goes on."""
    if os.environ.get("QC_FAULTS") != "1":
        return
    box.run("put", box.write("g", b"killed"), "g", env={"QC_FAULT": "client_receipt:kill:1"})
    finds(box, 4, "unfinished", "warn", "1 interrupted put is not settled", "qcloud doctor --fix")
    finds(box, 4, "unfinished", "ok", "1 interrupted put settled", options=("--fix",))
    finds(box, 4, "unfinished", "ok", "no put was interrupted")
    check(box.get("g") == b"killed", "what had been committed is gone")
    box.run("rm", "--erase", "--yes", "g", env={"QC_FAULT": "client_purged:kill:1"})
    finds(box, 4, "unfinished", "warn", "1 erasure was cut off", "rm --erase ends each", options=("--fix",))
    box.expect(0, "rm", "--erase", "--yes", "g")
    finds(box, 4, "unfinished", "ok", "no put was interrupted")
    large = box.write("large", os.urandom(40_000_000))
    box.run("put", large, "large", env={"QC_FAULT": "client_sent:kill:1"})
    finds(box, 4, "unfinished", "ok", "1 interrupted put waits for the same command", options=("--fix",))
    check(json.loads(box.expect(0, "--json", "put", large, "large").stdout.splitlines()[1])["kept"] > 0, "it went on with nothing")
    os.unlink(large)


def clocks(box):
    conf = os.path.join(box.home, "qcloud.conf")
    finds(box, 4, "clock", "ok", "the gateway's")
    for ahead, level, exit_ in ((300, "warn", 4), (7200, "bad", 1)):
        os.utime(conf, (time.time() + ahead,) * 2)
        finds(box, exit_, "clock", level, "behind", "timedatectl")
    os.utime(conf)
    fake = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if os.environ.get("QC_SANITIZED") == "1":
        return # whose library wants to be the first
    check(fake, "there is no libfaketime: tools/setup --dev")
    box.expect(0, "gateway", "status")  # the gateway runs, by the true time
    finds(box, 1, "clock", "bad", "ahead of the gateway's", env={"LD_PRELOAD": fake[0], "FAKETIME": "+2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})


def full(box):
    """A share store on a file system of its own, which has too little room; with it, both are on two devices."""
    small = box.stores[1]
    kept = small + ".kept"
    os.rename(small, kept)
    os.mkdir(small, 0o700)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", small], capture_output=True, check=False)
    if done.returncode != 0:
        os.rmdir(small)
        os.rename(kept, small)
        print("doctor: no file system can be mounted here: a full disk was not looked at")
        return
    try:
        subprocess.run(["cp", "-a", kept + "/.", small], check=True)
        finds(box, 14, "room", "bad", small, "free some space")
        finds(box, 14, "share stores", "ok", "two devices")
    finally:
        subprocess.run(["umount", small], check=True)
        os.rmdir(small)
        os.rename(kept, small)


def test():
    with Box(k=2, n=3) as box:
        finds(box, 10, "configuration", "bad", "no vault is set up", "qcloud init")
        box.init("--no-passphrase")
        box.expect(0, "put", box.write("f", b"x"), "f")
        finds(box, 4, "share stores", "warn", "one device")
        finds(box, 4, "vault", "ok", "green: 3 of 3 clouds")
        p = box.expect(4, "doctor")
        check(b"warn  share stores" in p.stdout and b"next: keep one elsewhere" in p.stdout and b"that is: " in p.stdout, p.stdout.decode())
        box.expect(0, "doctor", "--degraded-ok")
        for part in (configurations, permissions, leftovers, locks, interrupted, losses, clocks, full, gateways, programs):
            part(box)
    print(f"doctor: {made} times, each fault was named")


main(test)
