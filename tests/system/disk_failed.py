#!/usr/bin/python3
"""I1: the gateway's disk refuses to commit, at each transaction of a put, an overwrite and an rm. The gateway leaves by itself, with
exit 1; the next command finds a new one, in which everything acknowledged is there; the same command then succeeds. A transaction that
no operation makes ends the loop, and too few of them fail the test."""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from harness import GATEWAY, Box, check, files, main, seeded  # noqa: E402


def serve(box, state, nth):
    """A gateway whose nth commit fails. One that a client had only just started may hold the lock still: then once more."""
    for _ in range(20):
        box.stop()
        p = start(box, state, nth)
        if wait_short(p) != 11:
            return p
        p.communicate()
    return p


def wait_short(p):
    try:
        return p.wait(0.05)
    except subprocess.TimeoutExpired:
        return None


def passed(box):
    """The fault points that it passed."""
    return os.path.join(box.root, "passed")


def start(box, state, nth):
    with open(passed(box), "w", encoding="ascii"):
        pass
    r, w = os.pipe()
    p = subprocess.Popen([GATEWAY, "serve", "--state", state, "--ready-fd", str(w)], env=box.env(QC_FAULT=f"db_commit:error:{nth}", QC_FAULT_LOG=passed(box)),
                         pass_fds=(w,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        f.read(5)
    return p


def left_by_itself(box, p, nth):
    """Its exit status, or None if so many transactions were not begun before the end of the command."""
    with open(passed(box), encoding="ascii") as f:
        if f.read().split().count("db_commit") < nth:
            return None
    return p.wait(600)


def test():
    rng = seeded("disk_failed")
    with Box() as box:
        box.init()
        box.expect(0, "put", box.write("old", rng.randbytes(5000)), "over")
        state = os.path.dirname([f for f in files(box.home) if f.endswith("catalogue.db")][0])
        failures = 0
        for kind in ("put", "over", "rm"):
            for nth in range(1, 40):
                name = f"{kind}{nth}"
                old, new = rng.randbytes(3000), rng.randbytes(4000)
                if kind != "put":
                    box.expect(0, "put", box.write("in", old), name)
                p = serve(box, state, nth)
                args = ["rm", name] if kind == "rm" else ["put", box.write("in", new), name]
                done = box.run("--timeout", "4", *args)
                code = left_by_itself(box, p, nth)
                if code is None:  # so many transactions there are not
                    check(done.returncode == 0, f"{args}: exit {done.returncode} and a gateway that serves")
                    box.stop()
                    p.communicate()
                    break
                failures += 1
                text = p.communicate()[1].decode()
                check(code == 1 and ("write the catalogue" in text or "db_commit" in text), f"the gateway left with {code}: {text}")
                after = {"put": new, "over": new, "rm": None}[kind]
                before = {"put": None, "over": old, "rm": old}[kind]
                got = box.get(name, code=(0, 3))
                check(got == after or (got == before and done.returncode != 0), f"{args}: exit {done.returncode}, and then neither")
                box.expect((0, 3) if kind == "rm" else 0, *args)
                check(box.get(name, code=(0, 3)) == after, f"{name} after the second try")
            else:
                check(False, "no end of transactions")
        box.expect(0, "verify")
        print(f"disk_failed: {failures} refused transactions")
        check(failures >= 8, "too few transactions were refused")


t0 = time.monotonic()
main(test)
print(f"{time.monotonic() - t0:.1f} s")
