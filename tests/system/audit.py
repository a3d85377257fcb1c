#!/usr/bin/python3
"""The audit log of a serving gateway: what happens has its line, kill -9 under load leaves one chain, what is done to the files is found, and
a full disk stops nothing.

Needs QC_BIN, the folder of qcloud-gateway. QC_SEED repeats a run.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "api"))
from contract import Walk                                       # noqa: E402
from openapi import b64                                       # noqa: E402
from server import GATEWAY, Failure, Guest, ManyUsers, check    # noqa: E402

KILLS = 12 if os.environ.get("QC_FULL") else 3


def verify(server, *args, expect=0):
    p = subprocess.run([GATEWAY, "audit", "verify", "--json", *(args or ("--config", server.config))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    check(p.returncode == expect, f"audit verify {args}: exit {p.returncode}, expected {expect}: {p.stdout.decode()} {p.stderr.decode()}")
    return json.loads(p.stdout)


def files(server):
    """Of the log, in its order."""
    return sorted(os.path.join(server.state, f) for f in os.listdir(server.state) if re.fullmatch("audit-[0-9]+.log", f)) + [os.path.join(server.state, "audit.log")]


def events(server):
    return [json.loads(line) for f in files(server) for line in open(f, encoding="ascii")]


def count(server, event, **members):
    return sum(e["event"] == event and all(e.get(k) == v for k, v in members.items()) for e in events(server))


# ---------------------------------------------------------------- what happens has its line
def story(server, seed):
    ann = Walk(Guest(server, "ann"), seed)
    ann.vaults()
    up, *_ = ann.put(ann.path(), 1, b"x" * 1000)
    data = ann.random.randbytes(200000)
    up2, e, *_ = ann.put(ann.path(), 1, data)
    ann.ask("entryRemove", {"vault": ann.vault}, {"path": e["path"], "number": 2, "seal": e["seal"], "put_key": ann.id()})
    ann.server.server.request_on(server.door("socket"), "GET", "/v1/health")
    server.run("tenant", "quota", "ann", "--quota", "1G", "--config", server.config)
    version = [x for x in events(server) if x["event"] == "put"]
    check([(x["tenant"], x["vault"], x["bytes"], x["margin"], x["margin_full"]) for x in version] == [(1, ann.vault, 1000, 2, 2), (1, ann.vault, 200000, 2, 2)], f"puts: {version}")
    check(version[1]["object"] == up2["object"] and version[1]["version"] == up2["version"], "ids of a put")
    for event, n in (("start", 1), ("vault", 1), ("rm", 1), ("tenant", 2), ("cloud_state", 5)):
        check(count(server, event) == n, f"{count(server, event)} lines of {event}")
    # a fragment that rots: the cloud is blamed, once
    rot(server, up2)
    o = {"vault": ann.vault, "object": up2["object"], "version": up2["version"]}
    for _ in range(3):
        check(ann.ask("content", o) == data, "content")
    blame = [x for x in events(server) if x["event"] == "blame"]
    check(len(blame) <= 2 and all(x["kind"] == "damaged" and x["cloud"] in ("c1", "c2") for x in blame), f"blame: {blame}")
    server.request("POST", "/v1/repair", json.dumps({"deep": True}))
    until = time.monotonic() + 60
    while count(server, "repair_ended") == 0:
        check(time.monotonic() < until, "the repair does not end")
        time.sleep(0.1)
    check(count(server, "repair_began", deep=1) == 1, "a repair")
    # one that is gone, and put there again without a command
    os.remove(large(server.clouds[3])[-1])
    server.request("POST", "/v1/scrub", "{}")
    while count(server, "rebuilt", cloud="c4", fragments=1) == 0:
        check(time.monotonic() < until, "no line for a fragment that was rebuilt")
        time.sleep(0.1)
    check(count(server, "finding", cloud="c4", kind="missing", by="presence") == 1, "a finding")
    server.process.send_signal(signal.SIGHUP)
    while count(server, "reload", rc="ok") == 0:
        check(time.monotonic() < until, "no line for a reload")
        time.sleep(0.1)
    server.stop()
    check(count(server, "stop") == 1 and count(server, "refused", requests=1) == 1, "the end, and who was refused")
    text = "".join(open(f, encoding="ascii").read() for f in files(server))
    for bad in ("ann", server.tokens["ann"], "qcloud-token"):
        check(bad not in text, f"{bad} is in the audit log")
    r = verify(server)
    check(r["findings"] == [] and r["torn"] == 0 and r["lines"] == len(events(server)) == r["last"], f"{r}")
    server.start()


def large(cloud):
    """Its large fragments, the newest last."""
    found = [os.path.join(d, f) for d, _, names in os.walk(cloud) for f in names if os.path.getsize(os.path.join(d, f)) > 50000]
    return sorted(found, key=os.path.getmtime)


def rot(server, up):
    """One bit of each of the newest large fragments on two clouds."""
    for cloud in server.clouds[:2]:
        with open(large(cloud)[-1], "r+b") as f:
            f.seek(30000)
            b = f.read(1)
            f.seek(30000)
            f.write(bytes([b[0] ^ 1]))


def new_vault(walk):
    walk.ask("vaultPut", {"vault": walk.vault}, {"record": walk.record(walk.vault), "backup": b64(walk.random.randbytes(172))}, expect=201)


# ---------------------------------------------------------------- killed
def kills(server, seed):
    """Under load, again and again: one chain; every put that was acknowledged before has its line, or was the last."""
    rng = random.Random(seed)
    for i in range(KILLS):
        acked, early = [], []

        def load(n):
            w = Walk(Guest(server, "ann"), seed + 100 * i + n + 1)
            try:
                new_vault(w)
                while True:
                    up, *_ = w.put(w.path(), 1, w.random.randbytes(2000))
                    acked.append(up["version"])
            except (Failure, OSError) as e:
                if server.process is not None and server.process.poll() is None:
                    early.append(e)                 # before the kill

        threads = [threading.Thread(target=load, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        until = time.monotonic() + 60
        while len(acked) < 10 + rng.randrange(10):              # a few at least: then at any instant
            check(time.monotonic() < until and not early, f"no load: {early}")
            time.sleep(0.01)
        time.sleep(rng.random() / 10)
        server.process.kill()
        server.process.wait()
        for t in threads:
            t.join(timeout=120)
        server.process = None
        server.start()
        have = {e["version"] for e in events(server) if e["event"] == "put"}
        missing = [v for v in acked if v not in have]
        check(not missing, f"kill {i}: {len(missing)} of {len(acked)} acknowledged puts have no line")
        r = verify(server)
        check(r["findings"] == [], f"kill {i}: {r['findings']}")
    check(count(server, "start") >= KILLS + 1, "beginnings")
    return len([e for e in events(server) if e["event"] == "put"])


# ---------------------------------------------------------------- what is done to it
def tampering(server):
    server.stop()
    path = files(server)[-1]
    with open(path, "rb") as f:
        good = f.read()
    lines = good.splitlines(keepends=True)
    n = len(lines)
    ways = {
        "altered": b"".join(lines[:5] + [lines[5].replace(b'"time":"2', b'"time":"3')] + lines[6:]),
        "removed": b"".join(lines[:7] + lines[8:]),
        "exchanged": b"".join(lines[:3] + [lines[4], lines[3]] + lines[5:]),
        "cut": b"".join(lines[:-1]),
        "cut inside": good[:-20],
        "empty": b"",
        "added": good + lines[-1],
        "the first": b"".join(lines[1:]),
    }
    for name, bad in ways.items():
        with open(path, "wb") as f:
            f.write(bad)
        r = verify(server, expect=8)
        check(r["findings"], f"{name}: nothing was found")
    with open(path, "wb") as f:
        f.write(good)
    r = verify(server)
    head = r["head"]
    copy = os.path.join(server.root, "copy.log")
    with open(copy, "wb") as f:                     # elsewhere, without the note beside it: the end that was cut is not seen ..
        f.write(b"".join(lines[:-2]))
    check(verify(server, copy)["findings"] == [], "a copy")
    check(verify(server, copy, "--head", head, expect=8)["findings"], ".. but by its head, which was noted")
    check(verify(server, *files(server), "--head", head)["findings"] == [], "a good head")
    p = subprocess.run([GATEWAY, "audit", "verify", "--config", server.config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    check(p.returncode == 0 and f"{n} lines, 1 (" in p.stdout and "--head: " + head in p.stdout, f"for people: {p.stdout}")
    p = subprocess.run([GATEWAY, "audit", "verify", os.path.join(server.root, "none")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    check(p.returncode == 3 and "E0391" in p.stdout, f"no file: {p.returncode} {p.stdout}")
    server.start()


# ---------------------------------------------------------------- read by people and programs
def audit(server, *args, expect=0):
    p = subprocess.run([GATEWAY, "audit", "--config", server.config, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    check(p.returncode == expect, f"audit {args}: exit {p.returncode}, expected {expect}: {p.stdout[-2000:]} {p.stderr}")
    return p.stdout.splitlines()


def shown(server):
    """All of it while it is written, as it stands; since a time; one line of which is not what was written."""
    have = events(server)
    lines = [json.loads(line) for line in audit(server, "--json")]
    check(lines[:len(have)] == have and lines[-1]["shown"] == len(lines) - 1 and lines[-1]["findings"] == [], "what --json shows")
    since = have[len(have) // 2]["time"]
    later = [json.loads(line) for line in audit(server, "--json", "--since", since)]
    check(later[:-1] == [e for e in lines[:-1] if e["time"] >= since] and 0 < later[-1]["shown"] <= len(have), f"since {since}")
    check(audit(server, "--since", "2999-01-01") == [], "since a time to come")
    audit(server, "--since", "2026-02-30", expect=2)
    put = next(e for e in have if e["event"] == "put")
    for_people = [line for line in audit(server) if line.startswith(f"{put['time']} {put['seq']} put ")]
    check(len(for_people) == 1 and {f"tenant={put['tenant']}", f"bytes={put['bytes']}", f"version={put['version']}"} <= set(for_people[0].split()) and put["hash"] not in for_people[0], f"for people: {for_people}")
    server.stop()
    path = files(server)[-1]
    with open(path, "rb") as f:
        good = f.read()
    lines = good.splitlines(keepends=True)
    with open(path, "wb") as f:
        f.write(b"".join(lines[:7] + lines[8:]))
    said = audit(server, expect=8)
    check(len(said) == len(events(server)) + 1 and "audit.log:8: lines 8 to 8 of the log are missing before this one" in said, "a line that is gone, told where it was")
    check(json.loads(audit(server, "--json", expect=8)[-1])["findings"][0]["line"] == 8, "the same for programs")
    with open(path, "wb") as f:
        f.write(good)
    server.start()


# ---------------------------------------------------------------- a log that cannot be written
def unwritable(server, seed):
    """Something stands in the place of the file (a full disk: unit/gateway_audit): storing goes on, what the log misses is counted, and told later."""
    server.stop()
    for f in os.listdir(server.state):
        if f.startswith("audit"):
            os.remove(os.path.join(server.state, f))
    os.mkdir(os.path.join(server.state, "audit.log"))
    server.start()
    w = Walk(Guest(server, "ann"), seed + 7777)
    new_vault(w)
    w.put(w.path(), 1, b"y" * 5000)
    text = server.request("GET", "/metrics").body.decode()
    lost = int(re.search(r"\nqcloud_audit_lost_total ([0-9]+)\n", text)[1])
    check(lost >= 8 and "\nqcloud_audit_sequence 0\n" in text, f"{lost} events are counted as lost")
    check(b"the audit log cannot be written" in server.request("GET", "/dashboard").body, "the dashboard says so")
    os.rmdir(os.path.join(server.state, "audit.log"))
    w.put(w.path(), 1, b"z" * 5000)
    rows = events(server)
    check([r["event"] for r in rows] == ["gap", "put"] and rows[0]["lost"] >= lost, f"what comes after: {rows}")
    check(verify(server)["findings"] == [], "a log with a gap")


# ---------------------------------------------------------------- a new catalogue begins a new log
def made_anew(server):
    new = os.path.join(server.root, "new")
    server.run("rebuild", "--state", new, *server.cloud_options())
    with open(os.path.join(new, "audit.log"), encoding="ascii") as f:
        rows = [json.loads(line) for line in f]
    check([r["event"] for r in rows] == ["rebuild"] and rows[0]["clouds"] == rows[0]["reached"] == 5 and rows[0]["versions"] > 3, f"a rebuild: {rows}")
    check(verify(server, "--state", new)["findings"] == [], "its log")


def main():
    began = time.monotonic()
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"audit: QC_SEED={seed}", flush=True)
    with ManyUsers() as server:
        server.add("ann")
        try:
            story(server, seed)
            puts = kills(server, seed)
            shown(server)
            tampering(server)
            unwritable(server, seed)
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        server.stop()
        made_anew(server)
    print(f"audit: {puts} puts, {KILLS} kills, one chain; what was done to it was found ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
