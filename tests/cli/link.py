#!/usr/bin/python3
"""qcloud-link between users and a TCP service, keys from qcloud-kme over mutual TLS: both levels carry bytes; pad runs out and comes again; either end, or both, killed at any
time, goes on; no byte of pad is used twice; strangers with invented key_IDs cost the KME little and no good key."""
import base64
import collections
import concurrent.futures
import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, seeded  # noqa: E402
from kme import link, network  # noqa: E402
from ports import free_ports  # noqa: E402
from pki import Authority  # noqa: E402

LINK = os.path.join(os.environ["QC_BIN"], "qcloud-link")
FULL = os.environ.get("QC_FULL") == "1"
WAIT = 120


class Echo:
    """A service: sends back what comes, until the end."""
    def __init__(self):
        self.s = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    @staticmethod
    def one(c):
        with c:
            try:
                while True:
                    got = c.recv(65536)
                    if got == b"":
                        return
                    c.sendall(got)
            except OSError:
                pass

    def close(self):
        self.s.close()


class End:
    """One end's configuration and process."""
    def __init__(self, folder, net, command, me, peer, conf):
        self.command, self.folder = command, os.path.join(folder, command)
        os.makedirs(self.folder, exist_ok=True)
        cert, key = net.saes[me]
        self.path, self.record = (os.path.join(self.folder, x) for x in ("link.json", "uses"))
        self.conf = {"link": "L", "me": "SAE-" + me, "peer": "SAE-" + peer, "state": os.path.join(self.folder, "state"), "status": os.path.join(self.folder, "s"),
                     "kme": {"url": f"https://localhost:{net.ports[me]}", "ca": net.pki.ca, "cert": cert, "key": key}, **conf}
        self.p = None

    def start(self, manager=None):
        with open(self.path, "w") as f:
            json.dump(self.conf, f)
        r, low = os.pipe()
        w = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 32)     # a manager's descriptors are from 3 on
        os.close(low)
        more = manager.start() if manager else {"env": {}}
        words = more.pop("words", []) + [LINK, self.command, "--config", self.path, "--ready-fd", str(w)]
        self.p = subprocess.Popen(words, pass_fds=[w, *more.pop("fds", [])], stderr=open(os.path.join(self.folder, "log"), "ab"),
                                  env={**os.environ, "QC_LINK_RECORD": self.record, **more.pop("env")}, **more)
        os.close(w)
        with os.fdopen(r) as ready:
            check(ready.read() == "ready\n", "it does not start: " + self.log())
        return self

    def status(self, *form):
        p = subprocess.run([LINK, "status", *form, "--config", self.path], capture_output=True, text=True, timeout=WAIT, check=False)
        check(p.returncode == 0, f"status: {p.stdout} {p.stderr}")
        return p.stdout

    def state(self):
        """What it says of itself, by the command."""
        return json.loads(self.status("--json"))

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM):
        if self.p is None:
            return None
        self.p.send_signal(sig)
        code = self.p.wait(WAIT)
        self.p = None
        return code


class Manager:
    """A service manager that keeps descriptors, as systemd does: sd_notify(3), sd_listen_fds(3)."""
    FIRST = 3

    def __init__(self, folder):
        self.path, self.kept = os.path.join(folder, "notify"), {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(WAIT)

    def take(self):
        """What a process gives it: one message."""
        text, fds, _, _ = socket.recv_fds(self.socket, 4096, 8)
        said = dict(line.split("=", 1) for line in text.decode().split("\n"))
        check(said.get("FDSTORE") == "1" and len(fds) == 1 and said["FDNAME"] not in self.kept, f"{said} {fds}")
        self.kept[said["FDNAME"]] = fcntl.fcntl(fds[0], fcntl.F_DUPFD_CLOEXEC, 64)
        os.close(fds[0])

    def start(self):
        names, fds = list(self.kept), list(range(self.FIRST, self.FIRST + len(self.kept)))

        def place():
            for n, name in zip(fds, names):
                os.dup2(self.kept[name], n)
        return {"words": ["/bin/bash", "-c", 'LISTEN_PID=$$ exec "$@"', "bash"], "fds": fds, "preexec_fn": place if names else None,
                "env": {"NOTIFY_SOCKET": self.path, "LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(names)}}

    def close(self):
        self.socket.close()
        for fd in self.kept.values():
            os.close(fd)


class Link:
    """Both ends and the service: with Link(..) as l: l.ask(bytes)."""
    def __init__(self, folder, net, level, service=None, start=True, **more):
        """service: what stands behind it, with a port and close; its own echo. start: of itself."""
        self.starts = start
        self.echo = service or Echo()
        self.between, self.local = free_ports(2)
        more = {"level": level, "pad_block": 65536, "pad_blocks": 3, "wait_s": 60, **more}
        self.serve = End(folder, net, "serve", "B", "A", {"listen": f"127.0.0.1:{self.between}", "to": f"127.0.0.1:{self.echo.port}", **more})
        self.dial = End(folder, net, "dial", "A", "B", {"listen": f"127.0.0.1:{self.local}", "to": f"127.0.0.1:{self.between}", **more})

    def start(self):
        self.serve.start()
        self.dial.start()

    def __enter__(self):
        if self.starts:
            self.start()
        return self

    def __exit__(self, *_):
        self.serve.stop(signal.SIGKILL)
        self.dial.stop(signal.SIGKILL)
        self.echo.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.local), timeout=WAIT)

    def once(self, data):
        """-> what came back, until the end; OSError: refused or broken."""
        with self.connect() as s:
            sender = threading.Thread(target=self.send, args=(s, data), daemon=True)
            sender.start()
            got = b""
            while True:
                more = s.recv(65536)
                if more == b"":
                    break
                got += more
            sender.join(WAIT)
            return got

    @staticmethod
    def send(s, data):
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def ask(self, data):
        """Until it goes: a link that is down, or has no key, comes again by itself."""
        end = time.monotonic() + WAIT
        while True:
            try:
                got = self.once(data)
            except OSError:
                got = b""
            check(got == data or data.startswith(got), "bytes that nobody sent")
            if got == data:
                return
            check(time.monotonic() < end, "nothing goes through:\n" + self.serve.log()[-3000:] + "\n" + self.dial.log()[-3000:])
            time.sleep(0.2)

    def logs(self):
        return self.serve.log() + self.dial.log()

    def until(self, what, why):
        end = time.monotonic() + WAIT
        while not what():
            check(time.monotonic() < end, f"{why}: {self.logs()[-4000:]}")
            time.sleep(0.1)

    def used_once(self):
        """Each byte of pad that an end used for sending, and of what it received: once. -> bytes."""
        total = 0
        for end in (self.serve, self.dial):
            uses = collections.defaultdict(list)
            with open(end.record) as f:
                for line in f:
                    if line.startswith("key "):
                        continue
                    which, block, at, n = line.split()
                    uses[which, int(block)].append((int(at), int(n)))
            for where, v in uses.items():
                last = 0
                for at, n in sorted(v):
                    check(at >= last, f"pad used twice: {end.command} {where} at {at}")
                    last, total = at + n, total + n
        return total


    def keys_once(self):
        """Each key that an end used for TLS: once. -> [of dial, of serve]"""
        ids = []
        for end in (self.dial, self.serve):
            with open(end.record) as f:
                ids.append([line.split()[1] for line in f if line.startswith("key ")])
            check(len(set(ids[-1])) == len(ids[-1]), f"a key used twice: {end.command} {collections.Counter(ids[-1]).most_common(1)}")
        return ids


def carries(folder, net, level, **more):
    name = f"{level}-{more.get('pad_to', 0)}"
    with Link(os.path.join(folder, name), net, level, **more) as l:
        l.ask(b"")
        l.ask(b"hello")
        l.ask(os.urandom(100000))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:      # many at once
            list(pool.map(l.ask, [os.urandom(random.randrange(1, 9000)) for _ in range(24)]))
        with l.connect() as one:                                    # both ways at a time, in small steps
            for i in range(50):
                one.sendall(b"x%d" % i)
                check(one.recv(100) == b"x%d" % i, "in turn")
        check("the link is up" in l.logs(), "it says so")
        check((l.serve.stop(), l.dial.stop()) == (0, 0), "both end well: " + l.logs())
        if level == "otp":
            used = l.used_once()
            print(f"{name}: {used} bytes of pad, each once", flush=True)
            check(used > 2 * 2 * 100000, "all went under pad")


def turns_keys(folder, net, level):
    """A connection that is always in use goes on under one key after another; not a byte is lost or comes twice, and no key_ID comes twice."""
    least, each = (5, 400000) if level == "otp" else (60, 100000)     # so many that they are drawn in batches
    with Link(os.path.join(folder, "turns-" + level), net, level, rekey_s=1, rekey_bytes=each, pad_blocks=8) as l:
        l.ask(b"up")
        sent, got = hashlib.sha256(), hashlib.sha256()
        over, counts, ids, levels, began = threading.Event(), [0, 0], set(), set(), time.monotonic()
        with l.connect() as s:
            def send():
                while not over.is_set():
                    if counts[0] - counts[1] > 200000:
                        time.sleep(0.01)
                        continue
                    data = os.urandom(20000)
                    s.sendall(data)
                    sent.update(data)
                    counts[0] += len(data)
                s.shutdown(socket.SHUT_WR)

            def look():
                state = l.dial.state()
                ids.add(state["key_id"])
                levels.add(state["now"])
                return int(state["keys"]) >= least
            sender = threading.Thread(target=send, daemon=True)

            def receive():
                while (data := s.recv(65536)) != b"":
                    got.update(data)
                    counts[1] += len(data)
            receiver = threading.Thread(target=receive, daemon=True)
            sender.start()
            receiver.start()
            try:
                l.until(look, "no new keys")
            finally:
                over.set()
            sender.join(WAIT)
            receiver.join(WAIT)
            check(counts[0] == counts[1] and sent.digest() == got.digest(), f"{counts}")
        l.until(lambda: l.dial.state()["ready"], "pad has come, or the key that is being changed")
        state, there = l.dial.state(), l.serve.state()
        check(levels == {level} and (state["end"], there["end"], state["least"]) == ("dial", "serve", level), f"{levels} {state} {there}")
        used, theirs = l.keys_once()
        check(len(used) >= least and used[:len(theirs)] == theirs, f"keys: {used} {theirs}")
        check(l.dial.log().count("the link has a new key") <= 2 + time.monotonic() - began, "one line in a second")
        check(l.dial.log().count("the link is up") == 1 and "down" not in l.logs(), "one session")
        if level == "otp":
            l.used_once()
        print(f"turns {level}: {counts[0]} bytes under {len(used)} keys", flush=True)


def without_keys(folder, net):
    """Levels tls and plain: they carry, and say what they are; each end holds to its own: another authority, another name, a weaker level get nothing."""
    pki, other = Authority(os.path.join(folder, "link-pki")), Authority(os.path.join(folder, "other-pki"), "other")
    ends = {n: pki.vouch(n, f"DNS:{n}.link") for n in "ab"}

    def tls_of(me, peer, cert=None, ca=pki.ca):
        cert, key = cert or ends[me]
        return {"ca": ca, "cert": cert, "key": key, "peer": f"{peer}.link"}
    for level in ("tls", "plain"):
        with Link(os.path.join(folder, "without-" + level), net, level, start=False) as l:
            l.serve.conf["tls"], l.dial.conf["tls"] = tls_of("b", "a"), tls_of("a", "b")
            l.start()
            l.ask(b"hello")
            l.ask(os.urandom(100000))
            for end in (l.serve, l.dial):
                s = end.state()
                check((s["level"], s["least"], s["now"], s["key_id"], s["ready"]) == (level, level, level, "", True), f"{s}")

            def gets_nothing(why, **conf):
                l.dial.stop()
                kept = dict(l.dial.conf)
                l.dial.conf.update(conf)
                l.dial.start()
                l.until(lambda: why in l.logs(), f"it does not say '{why}'")
                try:
                    check(l.once(b"let me in") == b"", "nothing goes")
                except OSError:
                    pass
                l.dial.stop()
                l.dial.conf = kept
                l.dial.start()
            if level == "tls":
                gets_nothing("certificate", tls=tls_of("a", "c"))                               # it is not whom we call
                gets_nothing("a handshake failed", tls=tls_of("a", "b", other.vouch("x", "DNS:a.link")))
                gets_nothing("a handshake failed", level="plain")
                l.ask(b"and as before")


def grows_old(folder):
    """No key comes: the old one is used up to its end, then nothing goes; with `fail` at once. Both ends hold to it. Then keys come."""
    with network(folder, "old", [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net, \
            Link(os.path.join(folder, "old-link"), net.start(), "qkd-tls", rekey_s=1, key_max_s=4, wait_s=2) as l:
        l.ask(b"while it is young")
        with l.connect() as s:
            s.sendall(b"under way")
            check(s.recv(100) == b"under way", "it goes")
            net.stop(signal.SIGKILL)
            l.until(lambda: "E1304" in l.dial.log(), "a key that does not come is told")
            l.until(lambda: l.dial.state()["now"] == "down" and l.serve.state()["now"] == "down", "down at both ends")
            check("may not be used any more" in l.logs(), "it says why")
            check(l.dial.state()["why"] != "" and l.dial.state()["key_id"] == "", "the state, too")
            try:
                check(s.recv(100) == b"", "the connection is broken, not ended")
                check(False, "reset")
            except ConnectionResetError:
                pass
        net.start()
        l.ask(b"keys came")


def goes_bare(folder):
    """No pad, and both ends allow qkd-tls then: it goes on and says so; where one end does not allow it, nothing goes."""
    bits = 8 * 2 * 65700 + 256 * 40
    with network(folder, "bare", [link("A", "B", rate=0, bits=bits)]) as net, \
            Link(os.path.join(folder, "bare-link"), net.start(), "otp", pad_blocks=1, wait_s=2, without_key="qkd-tls", rekey_s=600) as l:
        def padded():
            l.ask(b"while there is some")
            return l.dial.state()["now"] == "otp"
        l.until(padded, "pad is used where it is")
        check(l.dial.state()["least"] == "qkd-tls", "what it may do")
        data = os.urandom(150000)
        l.ask(data)
        state = l.dial.state()
        check(state["now"] == "qkd-tls" and "W1305" in l.logs(), f"never silently: {state}")
        net.do("link", "rate", "AB", "1000000000")

        def again():
            l.ask(os.urandom(2000))
            return l.dial.state()["now"] == "otp" and l.serve.state()["now"] == "otp"
        l.until(again, "pad again")
        net.do("link", "rate", "AB", "0")
        l.serve.stop()
        l.serve.conf["without_key"] = "wait"
        net.do("link", "empty", "AB")
        l.serve.start()

        def refused():
            try:
                l.once(os.urandom(60000))
            except OSError:
                pass
            return "not allowed here" in l.serve.log() or "no pad came" in l.serve.log() or "E1301" in l.dial.log()
        l.until(refused, "the other end does not allow it")
        check(l.serve.state()["now"] != "qkd-tls", "not here")
        l.used_once()


def runs_dry(folder):
    """Key for one block of pad each way, and no more comes: connections break, new ones are refused, with a message; then key comes."""
    bits = 8 * 2 * 65700 + 256 * 40
    with network(folder, "dry", [link("A", "B", rate=0, bits=bits)]) as net, Link(os.path.join(folder, "dry-link"), net.start(), "otp", pad_blocks=1, wait_s=3) as l:
        l.ask(b"while there is some")
        end = time.monotonic() + WAIT
        while "no pad came within 3 s" not in l.logs():
            check(time.monotonic() < end, "it does not run dry: " + l.logs()[-3000:])
            try:
                l.once(os.urandom(30000))
            except OSError:
                pass
        while "E1301" not in l.dial.log():
            check(time.monotonic() < end, "nobody is refused: " + l.dial.log()[-3000:])
            try:
                l.once(b"refused?")
            except OSError:
                pass
        check("E1302" in l.logs(), "what is missing")
        net.do("link", "rate", "AB", "1000000000")
        l.ask(os.urandom(40000))
        print(f"dry: {l.used_once()} bytes of pad, each once", flush=True)


def ages_pad(folder, net):
    """Pad that nobody used in time is wiped at both ends, and other pad comes; what goes then, goes under that."""
    with Link(os.path.join(folder, "ages"), net, "otp", pad_blocks=2, pad_max_s=2) as l:
        def block(end, least):
            s = end.state()
            return int(s["pad_block"]) > least and int(s["pad_receive"]) > 0
        l.ask(b"while it is new")
        first = [int(end.state()["pad_block"]) for end in (l.serve, l.dial)]
        l.until(lambda: all(block(end, n + 2) for end, n in zip((l.serve, l.dial), first)), "pad that is too old is still there")
        l.ask(os.urandom(30000))
        check("pad that is too old is wiped" in l.dial.log() and "pad that is too old is wiped" in l.serve.log(), "it says so")
        check("down" not in l.logs() and l.dial.state()["pad_max_s"] == "2", f"in one session: {l.dial.state()} {l.logs()}")
        l.used_once()


def keeps_pad(folder):
    """The service manager has K2 while there is no process: after kill -9 the pad that was not begun is used, though no key comes any more; and none of it twice."""
    bits, block = 8 * 2 * 3 * 65700 + 256 * 40, 65536
    with network(folder, "keeps", [link("A", "B", rate=0, bits=bits)]) as net, Link(os.path.join(folder, "keeps-link"), net.start(), "otp", pad_blocks=3, start=False, rekey_s=600) as l:
        managers = [Manager(end.folder) for end in (l.serve, l.dial)]
        try:
            for end, manager in zip((l.serve, l.dial), managers):
                end.start(manager)
                manager.take()
                manager.take()
            check(all(sorted(m.kept) == ["pad-rx", "pad-tx"] for m in managers), "both directions of both ends")
            l.until(lambda: all(int(end.state()[x]) == 3 * block for end in (l.serve, l.dial) for x in ("pad_send", "pad_receive")), "all the pad there is")
            l.ask(b"begins a block each way")
            for end, manager in zip((l.serve, l.dial), managers):
                end.stop(signal.SIGKILL)
                end.start(manager)
            l.until(lambda: l.dial.state()["now"] == "otp", "up again")
            left = [int(end.state()[x]) for end in (l.serve, l.dial) for x in ("pad_send", "pad_receive")]
            check(left == [2 * block] * 4, f"what was begun is lost, the rest is not: {left}")
            l.ask(os.urandom(20000))
            l.dial.stop(signal.SIGKILL)
            l.dial.start()          # without what was kept: nothing is left of it
            l.until(lambda: int(l.serve.state()["pad_send"]) == 0, "the other end gives up what is lost here")
            print(f"keeps: {l.used_once()} bytes of pad, each once", flush=True)
        finally:
            for m in managers:
                m.close()


def foretold(folder):
    """Key for a while, bytes at a steady pace, and no more comes: when it is out is what both ends have said. How exact that is, is unit/link_forecast's: here
    what is used is a few dozen blocks of pad, of which some are under way at any time and count neither here nor at the KME."""
    size, pace, bits = 8192, 0.05, 8 * 120 * 65700
    with network(folder, "foretold", [link("A", "B", rate=0, bits=bits, cap_bits=bits)], limits={"max_key_count": 1000000}) as net, \
            Link(os.path.join(folder, "foretold-link"), net.start(), "otp", pad_blocks=2, wait_s=2, rekey_s=3600) as l:
        l.ask(b"begin")
        told, began, last, i = [], time.monotonic(), 0, 0
        with l.connect() as s:
            s.settimeout(30)
            try:
                while True:
                    time.sleep(max(0, began + i * pace - time.monotonic()))    # behind: it makes up for it
                    s.sendall(bytes(size))
                    got = 0
                    while got < size:
                        n = len(s.recv(size - got))
                        check(n > 0, "reset, not ended")
                        got += n
                    last, i = time.monotonic(), i + 1
                    if 6 + len(told) < last - began and len(told) < 5:
                        told.append((last, i, *(int(end.state().get("dry_s", -1)) for end in (l.dial, l.serve))))
                        if len(told) == 5:
                            text, metrics, state = l.dial.status(), l.dial.status("--metrics"), l.dial.state()
            except (TimeoutError, OSError):
                pass
        check(len(told) == 5, f"it is out too soon: {told} {l.logs()[-2000:]}")
        # At the pace until then: a machine that was too slow for the pace, and is not any more, says nothing.
        ratios = [sorted(t[e] * t[1] / (t[0] - began) / (i - t[1]) for t in told)[2] for e in (2, 3)]
        print(f"foretold: {told[0][2]} and {told[0][3]} s, {last - told[0][0]:.1f} it was; the median of five is {ratios[0]:.3f} and {ratios[1]:.3f} of it; {state['use_bps']} bit/s", flush=True)
        check(all(0.8 <= r <= 1.25 for r in ratios), f"{ratios} {told}")
        check(re.search(r"^out       \d\S* \S+ at the present use$", text, re.M) and re.search(r"^stock     \S+ .bit at the KME; \S+ .bit/s are used$", text, re.M), text)
        check(re.search(r'^qcloud_link_dry_seconds\{link="L",end="dial"\} \d+$', metrics, re.M) and 'qcloud_link_ready{link="L",end="dial"} 1\n' in metrics, metrics)
        l.until(lambda: l.dial.state().get("dry_s") in ("0", "1"), "there is none")


def kills(folder, rng, level):
    """kill -9 of either end, both, or the KME, while bytes go, and keys are drawn ahead in batches: it goes on by itself, and no pad and no key is used twice."""
    rounds, size = 200 if FULL else 6, 20000 if level == "otp" else 400000
    name = "kills-" + level
    with network(folder, name, [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net, \
            Link(os.path.join(folder, name + "-link"), net.start(), level, pad_blocks=2, rekey_bytes=65536) as l:
        over = threading.Event()

        def traffic():
            while not over.is_set():
                try:
                    l.once(os.urandom(size))
                except OSError:
                    time.sleep(0.05)
        t = threading.Thread(target=traffic, daemon=True)
        l.ask(b"begin")
        t.start()
        try:
            for i in range(rounds):
                time.sleep(rng.uniform(0, 0.7))     # when it strikes is what is tried here
                who = (["serve"], ["dial"], ["kme"], ["serve", "dial"], ["serve", "dial", "kme"])[i % 5]
                for name in who:
                    (net if name == "kme" else getattr(l, name)).stop(signal.SIGKILL)
                for name in who:
                    (net if name == "kme" else getattr(l, name)).start()
                if i % 3 == 2:
                    l.ask(os.urandom(1000))
        finally:
            over.set()
        l.ask(b"end")
        t.join(WAIT)
        print(f"kills {level}: {rounds}; {l.used_once()} bytes of pad and {len(l.keys_once()[0])} keys, each once", flush=True)


def delivered(net):
    """A key from A's KME, as the link has it -> (key_ID, key)."""
    cert, key = net.saes["A"]
    tls = ssl.create_default_context(cafile=net.pki.ca)
    tls.load_cert_chain(cert, key)
    request = urllib.request.Request(f"https://localhost:{net.ports['A']}/api/v1/keys/SAE-B/enc_keys", data=b'{"number":1,"size":256}', headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=tls, timeout=WAIT) as r:
        one = json.load(r)["keys"][0]
    return one["key_ID"], base64.b64decode(one["key"])


def strangers(folder):
    """Handshakes with invented key_IDs: the KME is asked for few; a good key_ID with a wrong key burns nothing; the link goes on."""
    psk_end = os.path.join(os.environ["QC_BIN"], os.pardir, "tests", "psk_end")

    def shake(port, key_id, key):
        return subprocess.run([psk_end, "client", str(port), "L", "SAE-A", "SAE-B", key_id, key.hex(), "x"], capture_output=True, text=True, timeout=WAIT, check=False).stdout
    with network(folder, "strangers", [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net, Link(os.path.join(folder, "strangers-link"), net.start(), "qkd-tls") as l:
        l.ask(b"before")
        for _ in range(5):
            good, key = delivered(net)
            began = time.monotonic()
            check(not shake(l.between, good, os.urandom(32)).startswith("ok"), "a wrong key")
            said = shake(l.between, good, key)
            if said.startswith("ok") or time.monotonic() - began < 10:
                break       # a key is kept for 30 s, a handshake has 15: a machine that is slower than that says nothing
        check(said.startswith("ok"), f"the key was not burnt: {said} {l.serve.log()[-2000:]}")
        check(not shake(l.between, good, key).startswith("ok"), "and is used once")
        l.ask(b"and the link comes back")
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            said = list(pool.map(lambda _: shake(l.between, str(uuid.uuid4()), os.urandom(32)), range(16)))
        took = time.monotonic() - began
        check(not any(x.startswith("ok") for x in said), "nobody got in")
        asked, refused = l.serve.log().count("the KME was asked for a key that it has not"), l.serve.log().count("too many handshakes")
        print(f"strangers: 16 invented key_IDs in {took:.1f} s, {asked} asked for, {refused} refused unasked", flush=True)
        check(0 < asked <= 8 + took / 2 + 1, f"asked for {asked} in {took} s")
        l.ask(b"meanwhile and after")


def with_keys(folder):
    with network(folder, "net", [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net:
        net.start()
        carries(folder, net, "qkd-tls")
        carries(folder, net, "otp")
        carries(folder, net, "otp", pad_to=1024)
        turns_keys(folder, net, "qkd-tls")
        turns_keys(folder, net, "otp")
        without_keys(folder, net)
        ages_pad(folder, net)


def says_why(folder):
    """No KME, or one that does not know us: exit 13, with what to do."""
    with network(folder, "why", [link("A", "B")]) as net:
        end = End(os.path.join(folder, "why-link"), net, "check", "A", "B", {"level": "qkd-tls", "listen": "127.0.0.1:1", "to": "127.0.0.1:1"})

        def run(status, text):
            with open(end.path, "w") as f:
                json.dump(end.conf, f)
            p = subprocess.run([LINK, "check", "--config", end.path], capture_output=True, text=True, timeout=WAIT, check=False)
            check(p.returncode == status and text in p.stdout + p.stderr and (status == 0 or "\n   next: " in p.stderr), f"{p.returncode} {p.stdout} {p.stderr}")
        run(13, "E1310")
        net.start()
        run(0, "KME-A, we are SAE-A")
        end.conf["me"] = "SAE-Z"
        run(13, "takes us for SAE-A")
        end.conf["me"], (end.conf["kme"]["cert"], end.conf["kme"]["key"]) = "SAE-A", net.pki.vouch("SAE-X", "DNS:sae")
        run(13, "E1311")
        end.conf["level"] = "none"
        run(2, "level: 'none' is no level")
        end.conf["level"] = "tls"
        run(2, "tls")
        end.conf.update({"level": "plain", "to": "192.0.2.1:1"})
        run(2, "unprotected")
        end.conf["unprotected"] = True
        run(0, "plain, without keys from QKD")


if __name__ == "__main__":
    where, rng = tempfile.mkdtemp(prefix="qcloud-test-"), seeded("link")
    try:
        beside = concurrent.futures.ThreadPoolExecutor(1)   # it waits, mostly
        waits = beside.submit(foretold, where)
        for part in (says_why, with_keys, grows_old, goes_bare, runs_dry, keeps_pad, strangers, *(lambda folder, x=x: kills(folder, rng, x) for x in ("otp", "qkd-tls"))):
            part(where)
        waits.result()
    finally:
        shutil.rmtree(where, ignore_errors=True)
