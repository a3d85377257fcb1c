#!/usr/bin/python3
"""I1, ADR 14: what a cloud is owed is paid by itself. One cloud is away during 20 puts and back after them; the gateway that pays is
killed at each step of a payment, and once more with nobody asking it anything. In the end nothing is owed, nothing is doubled, and any two clouds may go. And a
cloud that is only away costs no put more than a moment."""
import itertools
import json
import os
import signal
import subprocess
import time

from harness import GATEWAY, FULL, Box, check, files, main, second_reader, seeded

PUTS = 20
SIZES = (0, 900, 40_000, 300_000)
BIG = (16 << 20) + 4097         # two segments
LIMIT = 600                     # seconds: what is due at once on an idle machine takes a few
STEPS = ("debt_put", "debt_paid", "repair_put", "repair_put_done", "repair_read_back", "repair_settle", "repair_settled", "cloud_published",
         "db_commit")


def status(box):
    p = box.expect((0, 4), "--json", "status")
    for line in p.stdout.splitlines():
        r = json.loads(line)
        if "status" in r:
            return r["status"]["gateway"]
    check(False, f"no status: {p.stdout.decode()}")


def until(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        check(time.monotonic() < end, what)
        time.sleep(0.05)


def serve(box, script=None, faults=None):
    state = os.path.dirname(next(f for f in files(box.home) if f.endswith("catalogue.db")))
    env = box.env(**({"QC_FAULT": script} if script else {}), **({"QC_CLOUD_FAULTS": faults} if faults else {}))
    r, w = os.pipe()
    p = subprocess.Popen([GATEWAY, "serve", "--state", state, "--idle", "60", "--ready-fd", str(w)], env=env, pass_fds=(w,),
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        f.read(5)
    return p


def fragments(cloud):
    return sum(1 for f in files(os.path.join(cloud, "f")) if not os.path.basename(f).startswith("."))


def puts_with_one_away(box, rng, data):
    box.stop(signal.SIGTERM)
    away = box.clouds[4] + ".away"
    os.rename(box.clouds[4], away)
    slowest = 0
    for i in range(PUTS):
        data[f"d{i}"] = rng.randbytes(BIG if i == 7 else rng.choice(SIZES))
        t = time.monotonic()
        box.expect(4, "put", box.write("in", data[f"d{i}"]), f"d{i}")
        slowest = max(slowest, time.monotonic() - t)
    s = status(box)
    c5 = s["clouds"][4]
    check(c5["debts"]["fragments"] == s["debts"] == PUTS + 1, f"{s['debts']} fragments are owed, not {PUTS + 1}")
    check(c5["debts"]["records"] == s["record_debts"] == PUTS, f"{s['record_debts']} records are owed, not {PUTS}")
    check(s["paying"] and abs(s["observed"] - time.time()) < 60 and c5["debts"]["since"] <= time.time(), f"status: {s}")
    check(s["margins"] == [{"margin": 1, "versions": len(data)}], f"margins: {s['margins']}")
    until(lambda: status(box)["clouds"][4]["debts"]["why"] != "", "nobody tries to pay")
    text = box.expect(4, "status").stdout.decode()
    check(f"{PUTS + 1} fragments are owed" in text and f"c5           {PUTS + 1} fragments, {PUTS} records; tried again in " in text, text)
    box.stop(signal.SIGKILL)
    os.rename(away, box.clouds[4])
    print(f"{PUTS} puts with a cloud away; the slowest took {slowest:.2f} s", flush=True)


def kill_at_each_step(box):
    """All of them stop in the middle of some payment; what is there is never less."""
    had = fragments(box.clouds[4])
    for step in STEPS:
        p = serve(box, f"{step}:kill:2")
        try:
            p.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            p.kill()
            check(False, f"{step} was not reached")
        check(p.returncode == -signal.SIGKILL, f"{step}: exit {p.returncode}")
        now = fragments(box.clouds[4])
        check(now >= had, f"{step}: {now} fragments, {had} before")
        had = now
    check(had < fragments(box.clouds[0]), "all was paid before the last step")


def paid(box, data):
    """By a gateway that nobody asks for anything."""
    whole = fragments(box.clouds[0])
    p = serve(box)
    until(lambda: fragments(box.clouds[4]) == whole, f"{fragments(box.clouds[4])} of {whole} fragments after {LIMIT} s")
    until(lambda: status(box)["debts"] == 0 and status(box)["record_debts"] == 0, "something is owed for ever")
    s = status(box)
    check(s["margins"] == [{"margin": 2, "versions": len(data)}], f"margins: {s['margins']}")
    check(s["clouds"][4]["debts"]["paid"] > 0 and s["clouds"][4]["debts"]["why"] == "", f"cloud: {s['clouds'][4]}")
    box.stop(signal.SIGTERM)
    p.wait(timeout=LIMIT)
    for away in itertools.islice(itertools.combinations(range(5), 2), None if FULL else 2):
        with box.lost(*(box.clouds[i] for i in away)):
            for name, d in data.items():
                check(box.get(name, code=0) == d, f"{name} without clouds {away}")
    second_reader(box, data)


def comes_and_goes(box, rng, data):
    """An on-demand gateway pays while commands use it, and the next one goes on."""
    for round_ in range(10 if FULL else 2):
        os.rename(box.clouds[2], box.clouds[2] + ".away")
        for i in range(3):
            data[f"r{round_}.{i}"] = rng.randbytes(5000)
            box.expect(4, "put", box.write("in", data[f"r{round_}.{i}"]), f"r{round_}.{i}")
        os.rename(box.clouds[2] + ".away", box.clouds[2])
        if round_ % 2:
            box.stop(signal.SIGKILL)
            box.expect(0, "ls")
        until(lambda: fragments(box.clouds[2]) == fragments(box.clouds[0]), "not paid while the gateway lives")
    second_reader(box, data)


def slow_cloud(box, rng, data):
    """One of five takes 3 s for each put, or an hour. --wait full waits for it; --wait quorum does not, says so, and the rest follows."""
    box.expect(2, "put", "--wait", "half", box.write("in", b"x"), "x")
    for policy, seconds in (("full", 3), ("quorum", 3600), ("quorum", 3)):
        box.stop(signal.SIGKILL)
        p = serve(box, faults=f"c3=put:delay:{seconds}000")
        name = f"s{len(data)}"
        data[name] = rng.randbytes(70_000)
        t = time.monotonic()
        out = box.expect(0, "put", "--wait", policy, box.write("in", data[name]), name).stderr.decode()
        took = time.monotonic() - t
        check(policy == "quorum" or took >= seconds, f"--wait {policy}: {took:.1f} s")
        # In 3 s a slow machine may be no quicker than that cloud.
        check(seconds == 3 or "on its way to c3; loss budget 1 (data 1 of 2, keys 1)" in out, out)
        check(policy == "quorum" or "loss budget 1 (data 2 of 2, keys 1)" in out, out)
        print(f"a cloud that takes {seconds} s for each object, --wait {policy}: {took:.2f} s", flush=True)
    until(lambda: status(box)["debts"] == 0 and status(box)["record_debts"] == 0, "what was on its way never came")
    box.stop(signal.SIGTERM)
    p.wait(timeout=LIMIT)
    second_reader(box, data)


def test():
    rng = seeded("debts")
    with Box() as box:
        box.init()
        data = {f"w{i}": rng.randbytes(size) for i, size in enumerate(SIZES)}
        box.put_all(data)
        puts_with_one_away(box, rng, data)
        kill_at_each_step(box)
        paid(box, data)
        comes_and_goes(box, rng, data)
        slow_cloud(box, rng, data)


if __name__ == "__main__":
    main(test)
