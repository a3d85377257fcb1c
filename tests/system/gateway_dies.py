#!/usr/bin/python3
"""The on-demand gateway is killed under a command: the command starts another one, repeats what may be repeated, and ends as if
nothing had been; after so many deaths, or where no gateway starts, it ends at once and says why. A time limit is kept."""
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
from harness import Box, check, main, seeded  # noqa: E402

REVIVE_MAX = 3          # QC_CLIENT_REVIVE_MAX
SIZE = (48 << 20) + 77
QUICK_S = 25            # less than QC_VAULT_PATIENCE_MS
ROUNDS = 60             # a machine may be too slow, or too quick, to meet a death in most of them


def kill_gateways(box):
    pids = list(box.processes())
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        while box.alive(pid):
            time.sleep(0.001)
    return len(pids)


def begun(box, *args):
    """A command that puts, with its own journal written: the gateway may know of it."""
    before = box.journal()
    p = box.start(*args)
    while p.poll() is None and not box.journal() - before:
        time.sleep(0.001)
    check(p.poll() is None, "the put was too fast for this test")
    return p


def finish(p, limit=600):
    t = time.monotonic()
    out, err = p.communicate(timeout=limit)
    return p.returncode, time.monotonic() - t, err.decode(errors="replace")


def put_survives(box, rng):
    """Up to three deaths of one put, at random instants; three puts that met one at least."""
    hit = round_ = 0
    while round_ < 6 or (hit < 3 and round_ < ROUNDS):
        data = rng.randbytes(SIZE)
        path = box.write("in", data)
        box.expect(0, "status")
        p = box.start("put", path, "big")
        killed = 0
        round_ += 1
        for _ in range(1 + round_ % REVIVE_MAX):
            time.sleep(rng.random() * 0.15)
            if p.poll() is None:
                killed += kill_gateways(box)
        code, _, err = finish(p)
        check(code in (0, 4), f"put with {killed} deaths: exit {code}\n{err}")
        check(box.get("big", code=(0, 4)) == data, "the object differs")
        hit += "was started anew" in err
    check(hit >= 3, f"only {hit} of {round_} puts met a death")
    return hit


def get_survives(box, rng):
    data = rng.randbytes(SIZE)
    box.expect(0, "put", box.write("in", data), "read")
    out, hit, round_ = os.path.join(box.work, "got"), 0, 0
    while round_ < 6 or (hit < 2 and round_ < ROUNDS):
        round_ += 1
        box.expect(0, "status")
        p = box.start("get", "-f", "read", out)
        time.sleep(rng.random() * 0.15)
        if p.poll() is None:
            kill_gateways(box)
        code, took, err = finish(p)
        check(code == 0, f"get after a death: exit {code}\n{err}")
        with open(out, "rb") as f:
            check(f.read() == data, "the file differs")
        check(took < QUICK_S, f"get took {took:.1f} s after a death")
        hit += "was started anew" in err
    check(hit >= 2, f"only {hit} of {round_} gets met a death")
    return hit


def gives_up(box, rng):
    """A gateway that dies whenever it is there is given up after the last start, at once, and nothing is half there."""
    path = box.write("in", rng.randbytes(SIZE))
    box.expect(0, "status")
    p = box.start("put", path, "never")
    last = time.monotonic()
    while p.poll() is None:
        if kill_gateways(box):
            last = time.monotonic()
        time.sleep(0.001)
    late = time.monotonic() - last
    _, _, err = finish(p)
    check(p.returncode in (1, 5), f"exit {p.returncode}\n{err}")
    check(late < QUICK_S, f"{late:.1f} s after the last death")
    box.stop()
    box.expect(3, "get", "never", os.path.join(box.work, "none"))
    check(box.expect(0, "status").returncode == 0, "status")


def cannot_start(box, rng):
    """The state is away when another gateway is needed: its reason, at once."""
    path = box.write("in", rng.randbytes(SIZE))
    box.expect(0, "status")
    state = next(d for d, _, names in os.walk(box.home) if "catalogue.db" in names)
    p = begun(box, "put", path, "away")
    os.rename(state, state + ".away")
    kill_gateways(box)
    code, took, err = finish(p)
    os.rename(state + ".away", state)
    check(code == 5 and "does not start again" in err, f"exit {code}\n{err}")
    check(took < QUICK_S, f"{took:.1f} s until it gave up")
    box.expect(3, "get", "away", os.path.join(box.work, "none"))


def keeps_time(box, rng):
    """A time limit ends the command within about a second, also where nothing answers any more."""
    path = box.write("in", rng.randbytes(SIZE))
    box.expect(0, "status")
    p = begun(box, "--timeout", "4", "put", path, "late")
    stopped = [pid for pid in box.processes()]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    t = time.monotonic()
    code, _, err = finish(p)
    took = time.monotonic() - t
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    check(code == 5, f"exit {code}\n{err}")
    check(took < 20, f"--timeout 4 took {took:.1f} s")      # QC_VAULT_SETTLE_MS is for those who set no limit
    check("W0408" in err or "the next" in err, f"nothing is said about what is left\n{err}")
    check(box.expect((0, 3), "stat", "late").returncode in (0, 3), "stat")
    return took


def test():
    rng = seeded("gateway_dies")
    with Box() as box:
        box.init()
        puts, gets = put_survives(box, rng), get_survives(box, rng)
        gives_up(box, rng)
        cannot_start(box, rng)
        took = keeps_time(box, rng)
        box.expect(0, "verify")
        print(f"{puts} puts and {gets} gets went on under a new gateway; --timeout 4 ended after {took:.1f} s")


main(test)
