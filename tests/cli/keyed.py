#!/usr/bin/python3
"""qcloud at a gateway's door that is keyed by QKD, with configuration alone: no qcloud-link anywhere. What goes by is TLS 1.3 with a PSK whose identity names the key_ID, and no
certificate; each connection has a key of its own; without keys it is exit 13 in time, and goes on by itself once there are some; who has no key, or another, is not let in."""
import base64
import concurrent.futures
import http.client
import json
import os
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
import uuid

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
from harness import check, main  # noqa: E402
from kme import Network, link  # noqa: E402
from ports import free_ports  # noqa: E402
from psk import session  # noqa: E402
from users import User, api, said  # noqa: E402

NAMES = ("campus", "SAE-user", "SAE-server")


def door(net, port, peers="SAE-user"):
    """Section [qkd] of gateway.conf."""
    cert, key = net.saes["server"]
    return (f"[qkd]\naddress = 127.0.0.1:{port}\npeers = {peers}\nlink = {NAMES[0]}\nme = {NAMES[2]}\nkme = https://localhost:{net.ports['server']}\nkme-ca = {net.pki.ca}\n"
            f"kme-cert = {cert}\nkme-key = {key}\n")


class Gateway(api.ManyUsers):
    """Its door keyed by QKD is at port `door`."""

    def __init__(self, net):
        super().__init__(3, 2)
        self.door, = free_ports(1)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(door(net, self.door, "SAE-other SAE-user"))


class Tap:
    """A port of this machine in front of another one, which keeps what goes either way."""

    def __init__(self, to):
        self.to, self.sent, self.came, self.bytes = to, [], [], []     # the first of each connection's; how many, both ways
        self.s = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            for kept in (self.sent, self.came):
                kept.append(bytearray())
            self.bytes.append([0, 0])
            for i, (a, b, keep) in enumerate(((c, there, self.sent[-1]), (there, c, self.came[-1]))):
                threading.Thread(target=self.move, args=(a, b, keep, self.bytes[-1], i), daemon=True).start()

    @staticmethod
    def move(a, b, keep, count, i):
        try:
            while True:
                got = a.recv(65536)
                if len(keep) < 65536:
                    keep += got
                count[i] += len(got)
                if got == b"":
                    b.shutdown(socket.SHUT_WR)
                    return
                b.sendall(got)
        except OSError:
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.s.close()


def records(data):
    """(type, body) of TLS's records that are there whole."""
    at = 0
    while at + 5 <= len(data) and at + 5 + int.from_bytes(data[at + 3:at + 5], "big") <= len(data):
        n = int.from_bytes(data[at + 3:at + 5], "big")
        yield data[at], bytes(data[at + 5:at + 5 + n])
        at += 5 + n


def extensions(hello):
    """Of a ClientHello or ServerHello: {type: content}."""
    at = 4 + 2 + 32
    at += 1 + hello[at]
    if hello[0] == 1:
        at += 2 + int.from_bytes(hello[at:at + 2], "big")
        at += 1 + hello[at]
    else:
        at += 2 + 1
    end, found = at + 2 + int.from_bytes(hello[at:at + 2], "big"), {}
    at += 2
    while at < end:
        kind, n = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        found[kind] = hello[at + 4:at + 4 + n]
        at += 4 + n
    return found


def way(net, end="user", **more):
    """Options of init."""
    cert, key = net.saes[end]
    qkd = {"link": NAMES[0], "me": "SAE-" + end, "peer": NAMES[2], "kme": f"https://localhost:{net.ports[end]}", "kme-ca": net.pki.ca, "kme-cert": cert, "kme-key": key, **more}
    return [w for k, v in qkd.items() if v is not None for w in ("--qkd", f"{k}={v}")]


def used(net):
    return sum(x["used_bits"] for x in net.status()[0].values()) // 256


def on_the_wire(tap, net, before):
    """Every connection: TLS 1.3, one PSK that names a key of ours, a key agreement; not a byte of a certificate, nothing in clear."""
    keys = []
    for sent, came in zip(tap.sent, tap.came):
        first, answer = next(records(sent)), next(records(came))
        check(first[0] == 22 and first[1][0] == 1 and answer[0] == 22 and answer[1][0] == 2, "TLS begins with its hellos")
        ours, theirs = extensions(first[1]), extensions(answer[1])
        n = int.from_bytes(ours[41][2:4], "big")
        check(int.from_bytes(ours[41][:2], "big") == 2 + n + 4, "one identity")
        identity = ours[41][4:4 + n].decode("ascii").split("|")
        check(identity[:4] == ["qcloud/1", *NAMES] and str(uuid.UUID(identity[4])) == identity[4].lower(), f"identity {identity}")
        keys.append(identity[4])
        check(theirs[41] == b"\x00\x00" and theirs[43] == b"\x03\x04" and 51 in theirs, f"the server took the PSK, TLS 1.3 and a key share: {theirs}")
        check(ours[45] == b"\x01\x01" and 42 not in ours, "psk_dhe_ke alone, and no early data")
        check(all(kind in (20, 22, 23) for kind, _ in [*records(sent), *records(came)]) and b"HTTP/1.1" not in sent + came and b"Bearer" not in sent, "in clear")
    check(len(set(keys)) == len(keys) > 0, "each connection has a key of its own")
    check(used(net) - before == len(keys), f"{len(keys)} connections took {used(net) - before} keys from the network")
    return keys


def story(net, gateway, tap):
    data = os.urandom(20 << 20)     # two segments
    before = used(net)
    with User(gateway, "ann", f"qkd-tls://127.0.0.1:{tap.port}") as ann:
        ann.init(*way(net), "--level", "qkd-tls")
        conf = open(os.path.join(ann.home, "qcloud.conf"), encoding="utf-8").read()
        check("[qkd]\nlink = campus\n" in conf, conf)
        path = ann.write("f", data)
        ann.expect(0, "put", path, "f")
        with concurrent.futures.ThreadPoolExecutor() as at_once:
            list(at_once.map(lambda i: ann.expect(0, "get", "f", os.path.join(ann.work, f"got{i}")), range(3)))
        for i in range(3):
            check(open(os.path.join(ann.work, f"got{i}"), "rb").read() == data, "what three commands got at once")
        text = ann.expect(0, "explain", "f").stdout.decode()
        own = re.search(r"^way      \(gateway\)=qkd-tls,keys?=(\S*)", text, re.M)
        status = ann.expect(0, "status").stdout.decode()
        now = re.search(r"^way:    qkd-tls, key ([0-9a-f-]{36})$", status, re.M)
        told = next(x["status"]["way"] for x in map(json.loads, ann.expect(0, "status", "--json").stdout.splitlines()) if x["type"] == "item")
        keys = on_the_wire(tap, net, before)
        check(own is not None and any(k in own[1] for k in keys), f"explain names the key: {text}")
        check(now is not None and now[1] in keys and told["level"] == "qkd-tls" and told["key_id"] in keys, f"status names the key: {status} {told}")
        check(not list(ann.processes()), "a process of its own")
        of_operator = gateway.request("GET", "/v1/status").json()["door"]
        check(of_operator["link"] == "campus" and of_operator["keys"] == len(keys) and of_operator["key_id"] == keys[-1] and of_operator["peer"] == NAMES[1], str(of_operator))
        text = said(ann.run("doctor"))
        check(re.search(r"^ok    links          key manager https://localhost:\d+ has \d+ keys for the way to the gateway$", text, re.M) is not None, f"doctor: {text}")
        with User(gateway, "carl", f"qkd-tls://127.0.0.1:{gateway.door}") as carl:      # another SAE, at the same door
            carl.init(*way(net, "other"))
            carl.expect(0, "ls")
        next_key(ann, tap, data + data)
        old_key(net, gateway, ann, tap, data)
        without_keys(net, gateway, ann)
        crowd(gateway, ann)
        inventors(gateway, ann)
        stocks(net, gateway, ann)
        wrong(net, gateway, ann)
    print(f"{len(keys)} connections, each under a key of its own", flush=True)


def next_key(ann, tap, data):
    """A key for some segments: what comes after goes by the new key's connection, and no more by the old one's."""
    most, begun = 20 << 20, len(tap.bytes)
    ann.expect(0, "config", "set", "qkd.rekey-bytes", str(most))
    ann.expect(0, "put", ann.write("n", data), "n")
    carried = [sum(x) for x in tap.bytes[begun:]]
    check(sum(carried) > len(data) and max(carried) <= most and sum(x > most // 2 for x in carried) >= 2, f"{most} bytes for a key, and by connections: {carried}")


def old_key(net, gateway, ann, tap, data):
    """A key for less than an object has: another connection in its middle, and it arrives."""
    before = used(net)
    ann.expect(0, "config", "set", "qkd.rekey-bytes", "1000000")
    ann.expect(0, "put", ann.write("g", data), "g")
    check(ann.get("g") == data and used(net) - before >= 6, f"{used(net) - before} keys for 40 MiB at a megabyte each")
    text = ann.expect(0, "explain", "g").stdout.decode()
    check(re.search(r"\(gateway\)=qkd-tls,keys=[2-9],first=", text) is not None, text)


def without_keys(net, gateway, ann):
    net.stop(9)
    began = time.monotonic()
    p = ann.expect(13, "--timeout", "2", "put", ann.write("h", b"x"), "h")
    took = time.monotonic() - began
    check(took < 12 and "no key from QKD" in said(p) and "campus" in said(p), f"{took:.1f} s: {said(p)}")
    check("the key managers" in said(p), f"the way out: {said(p)}")
    net.start()
    ann.expect(0, "put", ann.write("h", b"x"), "h")
    net.do("link", "cut", "userserver")
    net.do("link", "empty", "userserver")
    p = ann.expect(13, "--timeout", "2", "get", "h", os.path.join(ann.work, "none"))
    check("not enough key" in said(p) or "no key from QKD" in said(p), said(p))
    text = said(ann.run("doctor"))
    check("has no key for it now" in text, f"doctor: {text}")
    net.do("link", "restore", "userserver")
    end = time.monotonic() + 30
    while ann.run("get", "--force", "h", os.path.join(ann.work, "there")).returncode != 0:
        check(time.monotonic() < end, "it does not go on")


def stocks(net, gateway, ann):
    """What key there is, for whom, and how long it lasts: by the user's end, and by the gateway's; a stock that falls, one that is out, a KME that is away."""
    def told(code, *options):
        return next(x["keys"]["links"] for x in map(json.loads, ann.expect(code, "keys", "--json", *options).stdout.splitlines()) if x["type"] == "item")

    net.do("link", "cut", "userserver")
    before = used(net)
    one, = told(0)
    check((one["link"], one["peer"], one["by"], one["key_bits"], one["cloud"], one["change_bps"], one["hours_left"]) == ("campus", NAMES[2], "kme", 256, None, None, None), f"{one}")
    check(one["stock_bits"] == 256 * one["keys"] > 0 and used(net) == before, f"asked, and nothing drawn: {one}")
    taker = threading.Timer(0.3, lambda: [key_of(net) for _ in range(4)])
    taker.start()
    began = time.monotonic()
    now, = told(0, "--forecast", "--for", "2")
    took = time.monotonic() - began
    taker.join()
    lost = 256 * (used(net) - before)
    check(lost == 1024 and one["stock_bits"] - now["stock_bits"] == lost and lost / took < -now["change_bps"] <= lost / 2, f"{lost} bits were taken: {now}")
    check(abs(now["hours_left"] * 3600 * -now["change_bps"] / now["stock_bits"] - 1) < 0.01, f"hours: {now}")
    text = said(ann.expect(0, "keys"))
    check(re.search(rf"^link campus to {NAMES[2]}, by https://localhost:\d+: {now['keys']} keys of 256 bits, {now['stock_bits']} bits$", text, re.M) is not None, text)
    text = gateway.run("keys", "--config", gateway.config).decode()
    check(re.findall(r"^link campus to (SAE-\w+), by ", text, re.M) == ["SAE-other", "SAE-user"], text)
    net.do("link", "empty", "userserver")
    check(told(13)[0]["keys"] == 0 and "there is no key" in said(ann.expect(13, "keys")), "a stock that is out")
    net.do("link", "restore", "userserver")
    check("--forecast" in said(ann.expect(2, "keys", "--for", "3")), "--for alone")
    end = time.monotonic() + 30
    while ann.run("ls").returncode != 0:
        check(time.monotonic() < end, "it does not go on")


def crowd(gateway, ann):
    """Many who connect from some addresses and say nothing: the oldest of them give way, all go soon, and it is counted."""
    ann.expect(0, "config", "set", "vault.gateway", f"qkd-tls://127.0.0.1:{gateway.door}")
    before, silent = gateway.request("GET", "/v1/status").json()["door"]["refused"], []
    for i in range(100):
        silent.append(socket.create_connection(("127.0.0.1", gateway.door), 10, (f"127.0.0.{2 + i % 5}", 0)))
        silent[-1].send(b"\x16"[:i % 2])
    began = time.monotonic()
    ann.expect(0, "ls")
    took = time.monotonic() - began
    for s in silent:
        s.settimeout(8)
        try:
            check(s.recv(100)[:1] in (b"", b"\x15"), "an answer to nothing")
        except ConnectionResetError:
            pass
        s.close()
    gone = time.monotonic() - began
    refused_now = gateway.request("GET", "/v1/status").json()["door"]["refused"]
    while refused_now - before < 100 and time.monotonic() - began < 20:      # who was asked to leave is counted by a thread that sees it go
        time.sleep(0.05)
        refused_now = gateway.request("GET", "/v1/status").json()["door"]["refused"]
    count = refused_now - before
    told = dict(re.findall(r"^qcloud_keyed_(\w+) (\d+)$", gateway.request("GET", "/metrics").body.decode(), re.M))
    check(set(told) == {"connections", "keys_total", "refused_total"} and int(told["refused_total"]) >= refused_now and int(told["keys_total"]) > 0, f"/metrics: {told}")
    check(took < 3 and gone < 8 and count >= 100, f"who has a key waited {took:.1f} s, they were gone after {gone:.1f} s, counted: {count}")


def invent(gateway, ann, address):
    """Somebody at that address who names a key that nobody has."""
    name = "|".join(["qcloud/1", *NAMES, str(uuid.uuid4())])
    return subprocess.Popen(["openssl", "s_client", "-bind", address, "-connect", f"127.0.0.1:{gateway.door}", "-tls1_3", "-psk_session", session(ann.work, bytes(32), name),
                             "-psk_identity", name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def inventors(gateway, ann):
    """Two addresses name keys that nobody has, as many as they may: who has one waits for none of their second tries."""
    liars = [invent(gateway, ann, f"127.0.0.{2 + i % 2}:0") for i in range(16)]
    time.sleep(0.3)
    began = time.monotonic()
    ann.expect(0, "ls")
    took = time.monotonic() - began
    for p in liars:
        check(p.wait(timeout=60) != 0, "an invented key let somebody in")
    check(took < 3, f"who has a key waited {took:.1f} s for those who invent some")


def stops(net, gateway):
    """While a handshake waits for a KME that says nothing."""
    with User(gateway, "dora", f"qkd-tls://127.0.0.1:{gateway.door}") as dora:
        net.p.send_signal(signal.SIGSTOP)
        liar = invent(gateway, dora, "127.0.0.4:0")
        time.sleep(0.5)
        began = time.monotonic()
        gateway.stop()
        took = time.monotonic() - began
        net.p.send_signal(signal.SIGCONT)
        liar.wait(timeout=60)
        check(took < 5, f"the gateway stopped after {took:.1f} s")


def refused(door, *options):
    """-> what openssl s_client says when it is not let in."""
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{door}", "-tls1_3", *options], input=b"GET / HTTP/1.1\r\n\r\n", capture_output=True, timeout=60, check=False)
    text = (p.stdout + p.stderr).decode(errors="replace")
    check("alert" in text and "HTTP/1.1" not in text, f"let in: {text}")
    return text


def key_of(net):
    """A key from the user's KME, as a program without qcloud would ask for it."""
    tls = ssl.create_default_context(cafile=net.pki.ca)
    tls.load_cert_chain(*net.saes["user"])
    c = http.client.HTTPSConnection("localhost", net.ports["user"], context=tls, timeout=30)
    c.request("GET", "/api/v1/keys/SAE-server/enc_keys?number=1&size=256")
    one = json.loads(c.getresponse().read())["keys"][0]
    c.close()
    return one["key_ID"], base64.b64decode(one["key"])


def wrong(net, gateway, ann):
    """No key, one that nobody has, a good name with another key, another link; the key behind a name that was stolen still serves its owner."""
    refused(gateway.door)
    folder = ann.work
    key_id, key = key_of(net)
    identity = "|".join(["qcloud/1", *NAMES, key_id])
    for name, with_key in ((identity, bytes(32)), (identity.replace(key_id, str(uuid.uuid4())), key), (identity.replace("campus", "other"), key),
                           (identity.replace("SAE-user", "SAE-nobody"), key)):
        refused(gateway.door, "-psk_session", session(folder, with_key, name), "-psk_identity", name)
    p = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{gateway.door}", "-tls1_3", "-psk_session", session(folder, key, identity), "-psk_identity", identity],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    p.stdin.write(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
    p.stdin.flush()
    check(p.stdout.read(12) == b"HTTP/1.1 401", "who has the key is let in, and wants a token")
    p.kill()
    p.wait()
    for f in (p.stdin, p.stdout):
        f.close()
    refused(gateway.door, "-psk_session", session(folder, key, identity), "-psk_identity", identity)    # not a second time
    ann.expect(0, "config", "set", "vault.gateway", f"qkd-tls://127.0.0.1:{gateway.door}")
    ann.expect(0, "ls")
    ann.expect(0, "config", "set", "qkd.link", "other")
    p = ann.expect(13, "--timeout", "2", "ls")
    check("is not taken there" in said(p), said(p))
    ann.expect(0, "config", "set", "qkd.link", "campus")
    by_certificate(net, ann)


def by_certificate(net, ann):
    """A server with a good certificate, and without the key, hears no request."""
    cert, key = net.pki.vouch("liar")
    port, = free_ports(1)
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, "-tls1_3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    try:
        check(b"ACCEPT" in p.stdout.readline() + p.stdout.readline(), "s_server listens")
        ann.expect(0, "config", "set", "vault.gateway", f"qkd-tls://127.0.0.1:{port}")
        ann.expect(13, "--timeout", "2", "ls")
    finally:
        p.kill()
        text = p.communicate()[0]
    check(b"GET /" not in text and b"Bearer" not in text, f"a request went: {text}")


def configuration(net, gateway):
    """What is missing or does not fit is told with its name, exit 10 or 2, before anything is sent."""
    url = f"qkd-tls://127.0.0.1:{gateway.door}"
    before = used(net)
    for code, name, options in ((10, "'kme-key' is missing", way(net, **{"kme-key": None})), (10, "'link' is missing", []), (2, "kme-cert", way(net, **{"kme-cert": "cert.pem"})),
                                (2, "kme-kez", way(net, **{"kme-kez": "x"})), (2, "'peer'", way(net, peer=NAMES[1])), (2, "kme", way(net, kme="http://127.0.0.1:1")),
                                (10, "'kme-ca': there is no file", way(net, **{"kme-ca": "/nowhere/ca.pem"})), (2, "key-max-bytes", way(net, **{"key-max-bytes": "1000000"}))):
        with User(gateway, "bob", url) as bob:
            p = bob.init(*options, code=code)
            check(name in said(p), f"{name}: {said(p)}")
    with User(gateway, "bob", f"http://127.0.0.1:{gateway.port}") as bob:
        check("qkd-tls://" in said(bob.init(*way(net), code=2)), "a section that says nothing there")
        check("qkd-tls" in said(bob.init("--level", "qkd-tls", code=2)), "in clear, and more is the least")
    with User(gateway, "bob", url) as bob:
        check("otp" in said(bob.init(*way(net), "--level", "otp", code=2)), "it is not as much as otp")
    check(used(net) == before, "a key was taken for nothing")
    check(b"can be used" in gateway.run("config", "check", "--config", gateway.config), "config check")
    text = gateway.run("config", "show", "--config", gateway.config).decode()
    check(f"address = 127.0.0.1:{gateway.door}\npeers = SAE-other SAE-user\nlink = campus\n" in text, text)


def scenario():
    folder = tempfile.mkdtemp(prefix="qcloud-test-", dir=os.environ.get("QC_TMP"))
    net = Network(os.path.join(folder, "network"), [link(x, "server", 10 ** 6, 10 ** 6, cap_bits=10 ** 7) for x in ("user", "other")],
                  nodes=["user", "other", "server"], ends=["user", "other", "server"])
    try:
        net.start()
        with Gateway(net) as gateway:
            tap = Tap(gateway.door)
            configuration(net, gateway)
            story(net, gateway, tap)
            tap.close()
            stops(net, gateway)
    finally:
        net.stop(9)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(scenario)
