#!/usr/bin/python3
"""I2: a put is interrupted (Ctrl-C) when the gateway has decided to commit it, which nobody takes back. Whoever asked for it is never told
that nothing of it is visible while it may still come to be: it is stored (exit 0) where that is heard in time, else its code says that it is
open (E13006). What was seen once stays; the next put says what became of it, and leaves nothing behind."""
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from harness import GATEWAY, Box, check, main  # noqa: E402

WAIT_S = 120
FOR_EVER_MS = 3_600_000


class Vault(Box):
    def gateway(self, script):
        """By hand, so that only it has the script. Passes of its fault points are in self.passed."""
        self.stop()
        self.passed = os.path.join(self.root, "passed")
        with open(self.passed, "wb"):
            pass
        r, w = os.pipe()
        p = subprocess.Popen([GATEWAY, "serve", "--state", self.state, "--idle", "600", "--ready-fd", str(w)], pass_fds=(w,),
                             env=self.env(QC_FAULT=script, QC_FAULT_LOG=self.passed), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r, "rb") as f:
            f.read(5)
        return p

    def await_point(self, point):
        until = time.monotonic() + WAIT_S
        while True:
            with open(self.passed, encoding="ascii") as f:
                if point in f.read().split():
                    return
            check(time.monotonic() < until, f"{point} is not reached")
            time.sleep(0.005)

    def interrupted(self, data, name):
        """A put that gets its Ctrl-C once it is decided."""
        p = self.start("put", self.write("in", data), name)
        self.await_point("put_decided")
        p.send_signal(signal.SIGINT)
        return p

    def told(self, p, codes=(130,)):
        _, err = p.communicate(timeout=WAIT_S)
        err = err.decode(errors="replace")
        check(p.returncode in codes, f"exit {p.returncode}, expected one of {codes}\n{err}")
        check("E13002" not in err and "Nothing" not in err, f"it is said that nothing is visible\n{err}")
        check(p.returncode == 0 or "E13006" in err, f"it is not said that it is open\n{err}")
        return p.returncode

    def settled(self, name, data):
        """The next put says what became of it, and leaves nothing."""
        said = self.expect(0, "put", self.write("in", b"next"), "next").stderr.decode()
        check("W0408" in said and "had been committed" in said, f"the next put says nothing\n{said}")
        check(not self.journal(), "a journal is left")
        check(self.get(name) == data, f"{name} is not what was committed")
        self.expect(0, "verify")


def nobody_publishes(box):
    """The gateway says that it is decided, and is killed before it is done: whoever takes over does it."""
    box.put_all({"a": b"old"})
    p = box.gateway(f"put_log:pause_ms:{FOR_EVER_MS}")
    box.told(box.interrupted(b"new", "a"))
    check(box.get("a") == b"old", "what is decided only is visible")
    p.kill()
    p.wait()
    box.stop()
    check(box.get("a") == b"new", "who took over has not done what was decided")
    box.settled("a", b"new")


def nobody_answers(box):
    """The gateway sleeps where it has decided; awake, it goes on."""
    box.put_all({"b": b"old"})
    g = box.gateway("put_decided:pause_ms:500")
    p = box.interrupted(b"new", "b")
    g.send_signal(signal.SIGSTOP)
    try:
        box.told(p, (0, 130))           # 0: it was done before the gateway fell asleep
    finally:
        g.send_signal(signal.SIGCONT)
    until = time.monotonic() + WAIT_S
    while box.get("b") == b"old":
        check(time.monotonic() < until, "it never comes to be, and nobody cancelled it")
        time.sleep(0.02)
    for _ in range(3):
        check(box.get("b") == b"new", "it was there, and is no more")
    if p.returncode != 0:
        box.settled("b", b"new")


def heard_in_time(box):
    """A moment later it is done: then it is stored, and said so, or (on a slow machine) it is open."""
    box.put_all({"c": b"old"})
    box.gateway("put_log:pause_ms:100")
    p = box.interrupted(b"new", "c")
    if box.told(p, (0, 130)) == 0:
        check(box.get("c") == b"new", "told to be stored, and is not there")
        check(not box.journal(), "a journal is left")
    return p.returncode


def test():
    with Vault() as box:
        box.init()
        box.state = next(d for d, _, names in os.walk(box.home) if "catalogue.db" in names)
        nobody_publishes(box)
        nobody_answers(box)
        code = heard_in_time(box)
        print(f"decided, and interrupted: killed, asleep, and a moment later (exit {code})")


main(test)
