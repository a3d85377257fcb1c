#!/usr/bin/python3
"""A gateway as a service: the unit's sandbox lets it do what it does and no more, the service manager hears of it, SIGHUP and SIGUSR1 do what
dist/ and docs/operating.md say, and SIGTERM under load breaks nothing.

Needs QC_BIN, the folder of qcloud-gateway; systemd-analyze (package systemd), strace, logrotate where it is there. QC_SEED repeats a run.
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "api"))
from contract import Walk                                       # noqa: E402
from openapi import b64                                         # noqa: E402
from server import GATEWAY, Failure, Guest, ManyUsers, check, parallel    # noqa: E402

UNIT, CONF, ROTATE = (os.path.join(TOP, "dist", f) for f in ("qcloud-gateway.service", "gateway.conf", "qcloud-gateway.logrotate"))
EXPOSURE = 15                   # tenths; it is 12, and 5 of these are the network


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def run(*args, **more):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **more)


class Told:
    """NOTIFY_SOCKET of a service manager."""

    def __init__(self, server):
        self.path = os.path.join(server.root, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)
        self.words = []

    def until(self, word):
        """All that is told up to a word, this one included."""
        while True:
            text = self.socket.recv(4096).decode()
            self.words.append(text)
            if word in text.split("\n"):
                return text


class Service(ManyUsers):
    """With an environment of its own."""

    def __init__(self, environment=(), lines=""):
        super().__init__()
        self.environment = dict(environment)
        self.change(lines)

    def change(self, lines):
        with open(self.config, "a", encoding="ascii") as f:
            f.write(lines)

    def wait_log(self, pattern, path=None, seconds=30):
        until = time.monotonic() + seconds
        while True:
            text = text_of(path or self.log)
            m = re.search(pattern, text)
            if m is not None:
                return m
            check(time.monotonic() < until, f"'{pattern}' is not in the log: {text[-2000:]}")
            time.sleep(0.05)


def vault_of(server, seed):
    w = Walk(Guest(server, "ann"), seed)
    w.ask("vaultPut", {"vault": w.vault}, {"record": w.record(w.vault), "backup": b64(w.random.randbytes(172))}, expect=201)
    return w


# ---------------------------------------------------------------- the unit
def unit(server):
    p = run("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", UNIT)
    check(p.returncode == 0, f"systemd-analyze security: {p.stdout[-3000:]}")
    score = re.search(r"exposure level for qcloud-gateway.service: ([0-9.]+)", p.stdout)[1]
    copy = os.path.join(server.root, "qcloud-gateway.service")
    with open(copy, "w", encoding="utf-8") as f:
        f.write(text_of(UNIT).replace("/usr/bin/qcloud-gateway", GATEWAY))
    p = run("systemd-analyze", "verify", "--man=no", copy)
    check(p.returncode == 0 and "qcloud" not in p.stdout, f"systemd-analyze verify: {p.stdout}")
    return score


def timers(server):
    """Units of the user's service manager, and of the operator's, are what systemd takes; what a timer runs is a command that there is."""
    folder = os.path.join(server.root, "units")
    os.mkdir(folder)
    for name in sorted(os.listdir(os.path.join(TOP, "dist"))):
        if name.endswith((".service", ".timer")):
            text = text_of(os.path.join(TOP, "dist", name))
            if name.endswith(".timer"):
                check(os.path.exists(os.path.join(TOP, "dist", name.replace(".timer", ".service"))) and "WantedBy=timers.target" in text, f"{name} starts nothing")
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text.replace("/usr/bin/", os.path.dirname(GATEWAY) + "/"))
    units = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
    operators = [u for u in units if "qcloud-gateway" in u or "qcloud-link@" in u]
    users = [u for u in units if u not in operators]
    check(len(users) == 7 and len(operators) == 4, f"units {units}")
    for where, those in (("--user", users), ("--system", operators)):
        p = run("systemd-analyze", where, "verify", "--man=no", *those, env={**os.environ, "XDG_RUNTIME_DIR": server.root})
        check(p.returncode == 0 and "qcloud" not in p.stdout, f"systemd-analyze {where} verify: {p.returncode} {p.stdout}")
    bad = os.path.join(folder, "qcloud-bad.timer")
    with open(bad, "w", encoding="ascii") as f:
        f.write("[Timer]\nOnCalendar=someday\n[Install]\nWantedBy=timers.target\n")
    p = run("systemd-analyze", "--user", "verify", "--man=no", bad, env={**os.environ, "XDG_RUNTIME_DIR": server.root})
    check("someday" in p.stdout or p.returncode != 0, f"a timer that is none is taken: {p.stdout}")
    server.add("ann")
    v = vault_of(server, 1)
    v.put(v.path(), 1, b"x" * 70000)
    words = re.search("^ExecStart=/usr/bin/qcloud-gateway (.*)$", text_of(os.path.join(TOP, "dist", "qcloud-gateway-drill.service")), re.M)[1]
    out = server.run(*words.replace("/etc/qcloud/gateway.conf", server.config).split())
    check(b"versions came back without" in out, f"the operator's timer runs: {out}")


def group(name):
    """System calls of a group of systemd's, those of groups in it included."""
    p = run("systemd-analyze", "syscall-filter", name)
    check(p.returncode == 0, p.stdout)
    out = set()
    for word in p.stdout.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            out |= group(word)
        elif re.fullmatch("[a-z0-9_]+", word):
            out.add(word)
    return out


def calls(server, trace):
    """Every system call of a gateway that began, served, read again and ended is one that the unit allows."""
    allowed = set()
    for line in re.findall("^SystemCallFilter=(.*)$", text_of(UNIT), re.M):
        words = set().union(*(group(w) if w.startswith("@") else {w} for w in line.lstrip("~").split()))
        allowed = allowed - words if line.startswith("~") else allowed | words
    check({"openat", "fsync", "mlock", "accept4"} <= allowed and not {"chown", "setuid", "mount", "ptrace", "reboot"} & allowed, "what the unit allows")
    used = {m[1] for f in os.listdir(trace) for m in re.finditer(r"^(?:[0-9.]+ )?([a-z_0-9]+)\(", text_of(os.path.join(trace, f)), re.M)}
    check(len(used) > 30 and "fsync" in used, f"used: {sorted(used)}")
    used -= {"fchown"} if os.geteuid() == 0 else set()      # SQLite's, as root alone
    check(used <= allowed, f"the unit does not let it call {sorted(used - allowed)}")
    return len(used)


def under_strace(seed):
    with Service() as server:
        server.add("ann")
        server.stop()
        trace = os.path.join(server.root, "trace")
        os.mkdir(trace)
        wrapper = os.path.join(server.root, "bin", "qcloud-gateway")
        os.mkdir(os.path.dirname(wrapper))
        with open(wrapper, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\nexec strace -ff -qq -o {trace}/t {GATEWAY} \"$@\"\n")
        os.chmod(wrapper, 0o755)
        r, w = os.pipe()
        with open(server.log, "ab") as log:
            p = subprocess.Popen([wrapper, "serve", "--config", server.config, "--ready-fd", str(w)], pass_fds=(w,), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(w)
        check(os.read(r, 64) == b"ready\n", server.tail())
        os.close(r)
        v = vault_of(server, seed)
        up, *_ = v.put(v.path(), 1, v.random.randbytes(300000))
        v.ask("content", {"vault": v.vault, "object": up["object"], "version": up["version"]})
        for path in ("/metrics", "/dashboard"):
            http.client.HTTPConnection("127.0.0.1", server.monitor, timeout=30).request("GET", path)
        pid = int(run("pgrep", "-P", str(p.pid)).stdout.split()[0]) if run("pgrep", "-P", str(p.pid)).stdout else p.pid
        os.kill(pid, signal.SIGHUP)
        server.wait_log("read again")
        os.kill(pid, signal.SIGTERM)
        check(p.wait(timeout=60) == 0, f"under strace: {server.tail()}")
        return calls(server, trace)


# ---------------------------------------------------------------- what the manager is told, and asks for
def manager():
    with Service(lines="[gateway]\nstop-seconds = 20\n") as server:
        server.stop()
        told = Told(server)
        server.environment = {"NOTIFY_SOCKET": told.path, "WATCHDOG_USEC": "600000"}
        server.start()
        told.until("READY=1")
        told.until("WATCHDOG=1")
        told.until("WATCHDOG=1")
        server.process.send_signal(signal.SIGHUP)
        text = told.until("RELOADING=1")
        check(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[0-9]+", text) is not None, f"{text}")
        told.until("READY=1")
        server.stop()
        told.until("STOPPING=1")
        server.environment = {"NOTIFY_SOCKET": told.path, "WATCHDOG_USEC": "600000", "WATCHDOG_PID": "1"}
        told.words.clear()
        server.start()
        told.until("READY=1")
        time.sleep(1)                               # time for what must not come
        server.stop()
        told.until("STOPPING=1")
        check("WATCHDOG=1" not in told.words, f"a watchdog of another process is fed: {told.words}")


def reload():
    """What is read again is used; what is not is named; rubbish changes nothing; a log that was moved away is begun anew."""
    with Service() as server:
        where = server.log
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("read again")
        check("what needs a restart" not in text_of(where), "nothing changed")
        good = text_of(server.config)
        server.change("[gateway]\njson-log = yes\nlog-level = warn\nstop-seconds = 3\n[audit]\nkeep = 3\n[limits]\n")
        with open(server.config, encoding="ascii") as f:
            text = f.read().replace("connections = 128", "connections = 64")
        with open(server.config, "w", encoding="ascii") as f:
            f.write(text)
        server.process.send_signal(signal.SIGHUP)
        m = server.wait_log(r'\{.*what needs a restart.*\}')
        check(json.loads(m[0])["keys"] == "gateway.stop-seconds audit.keep limits.connections" and json.loads(m[0])["level"] == "warn", m[0])
        with open(server.config, "w", encoding="ascii") as f:
            f.write(good + "[gateway]\nnonsense = 1\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("the configuration is not used.*nonsense")
        check(server.request("GET", "/healthz").status == 200, "it serves on")
        moved = where + ".1"
        os.rename(where, moved)
        server.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + 120
        while not os.path.exists(where):
            check(time.monotonic() < until, "SIGUSR1 opens no log")
            time.sleep(0.05)
        check(os.stat(where).st_mode & 0o777 == 0o600, "mode of the new log")
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("the configuration is not used", where)
        rotate(server)
        with open(server.config, "w", encoding="ascii") as f:
            f.write(good)
        server.stop()


def rotate(server):
    """The snippet of dist/, by logrotate itself, with paths and account of this test."""
    if shutil.which("logrotate") is None:
        return
    text = text_of(ROTATE).replace("/var/log/qcloud-gateway/gateway.log", server.log).replace("weekly", "size 1").replace("su qcloud-gateway qcloud-gateway", "")
    text, n = re.subn("/bin/systemctl kill .*", f"kill -USR1 {server.process.pid}", text)
    check(n == 1, "the snippet's signal")
    conf, state = os.path.join(server.root, "rotate.conf"), os.path.join(server.root, "rotate.state")
    with open(conf, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(conf, 0o644)
    os.chmod(server.root, 0o755)
    before = os.stat(server.log).st_ino
    p = run("logrotate", "-s", state, conf)
    check(p.returncode == 0, f"logrotate: {p.stdout}")
    until = time.monotonic() + 120
    while not os.path.exists(server.log) or os.stat(server.log).st_ino == before:
        check(time.monotonic() < until, "the log was not opened again")
        time.sleep(0.05)


# ---------------------------------------------------------------- the end
class Load:
    """Puts, one after the other, in a thread; what was acknowledged, and how it ended."""

    def __init__(self, server, seed):
        self.walk, self.acked, self.end = vault_of(server, seed), [], None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while True:
                up, e, *_ = self.walk.put(self.walk.path(), 1, self.walk.random.randbytes(3000))
                self.acked.append((up, e))
        except (Failure, OSError) as e:
            self.end = str(e)

    def join(self):
        self.thread.join(timeout=60)
        check(not self.thread.is_alive(), "a client hangs")


def gently(seed):
    """Under load of small puts: it ends with 0, soon; whatever was acknowledged is there afterwards, and who was refused was told to try again."""
    with Service() as server:
        server.add("ann")
        loads = [Load(server, seed + i) for i in range(3)]
        until = time.monotonic() + 60
        while any(len(x.acked) < 3 for x in loads):
            check(time.monotonic() < until and not any(x.end for x in loads), f"no load: {[x.end for x in loads]}")
            time.sleep(0.01)
        began = time.monotonic()
        server.stop()
        took = time.monotonic() - began
        check(took < 15, f"{took:.1f} s to stop")
        for x in loads:
            x.join()
            check("503" in x.end or "ConnectionRefused" in x.end or "No such file" in x.end or "RemoteDisconnected" in x.end or "gateway ended" in x.end, f"the end of a client: {x.end}")
        server.start()
        for x in loads:
            for up, e in x.acked:
                check(x.walk.ask("uploadGet", {"put_key": up["put_key"]})["state"] == "live", "an acknowledged put is not there")
        return sum(len(x.acked) for x in loads), took


def slowly(seed, delay_ms, stop_s):
    """A put that takes long is under way when the gateway is told to stop: (how it ended for the client, seconds until the gateway was gone)."""
    with Service(lines=f"[gateway]\nstop-seconds = {stop_s}\n") as server:
        server.add("ann")
        w = vault_of(server, seed)
        server.stop()
        server.environment = {"QC_CLOUD_FAULTS": f"c1=put:delay:{delay_ms}"}
        server.start()
        x = Slow(server, w)
        until = time.monotonic() + 120
        while b'route="/v1/uploads/{}/segments/#"' in server.request("GET", "/metrics").body or not x.begun.wait(0.01):
            check(time.monotonic() < until, "no put")
        time.sleep(0.5)                             # it waits for the cloud now; later would do, too
        began = time.monotonic()
        server.stop()
        took = time.monotonic() - began
        x.thread.join(timeout=60)
        server.environment = {}
        server.start()
        state = w.ask("uploadGet", {"put_key": x.up["put_key"]})["state"]
        check(state == "open", f"an upload whose segment was under way is {state}")
        w.ask("segmentPut", {"put_key": x.up["put_key"], "seq": 0}, x.data, {"last": 1})
        w.ask("commit", {"put_key": x.up["put_key"]}, w.commit_body(w.entry(x.up, w.path(), 1, len(x.data)), 1))
        return x.status, x.durable, took


class Slow:
    """One segment, on its way."""

    def __init__(self, server, walk):
        self.server, self.walk, self.up, self.data, self.status, self.durable = server, walk, walk.upload(), walk.random.randbytes(100000), None, None
        walk.ask("uploadBegin", {"vault": walk.vault}, self.up, expect=201)
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        c = self.server.door("socket")
        try:
            c.request("PUT", f"/v1/uploads/{self.up['put_key']}/segments/0?last=1", self.data, {"Authorization": "Bearer " + self.server.tokens["ann"]})
            self.begun.set()
            r = c.getresponse()
            self.status, self.durable = r.status, json.loads(r.read()).get("durable")
        except (OSError, http.client.HTTPException) as e:
            self.status = type(e).__name__


def main():
    began = time.monotonic()
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"service: QC_SEED={seed}", flush=True)
    with Service() as server:
        score = unit(server)
        timers(server)
    p = run(GATEWAY, "config", "show", "--config", CONF)
    check(p.returncode == 0 and "address = 127.0.0.1:8441" in p.stdout, f"dist/gateway.conf: {p.stdout}")
    count, _, _, (puts, took), short, long = parallel([lambda: under_strace(seed), manager, reload, lambda: gently(seed + 100), lambda: slowly(seed + 200, 3000, 20),
                                                       lambda: slowly(seed + 300, 25000, 1)])
    status, durable, waited = short
    check((status, durable) == (200, 5) and 1 < waited < 20, f"a put of three seconds ended with {status}, {durable} durable, the gateway after {waited:.1f} s")
    status, durable, waited = long                          # broken off: the quorum has it, and the answer says so
    check((status, durable) == (200, 4) and waited < 20, f"a put that would take 25 s ended with {status}, {durable} durable, the gateway after {waited:.1f} s")
    print(f"service: exposure {score}, {count} system calls are within it; {puts} puts, then the end within {took:.1f} s ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
