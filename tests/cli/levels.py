#!/usr/bin/python3
"""A gateway with two of five clouds behind links keyed by QKD: it writes there at their level alone; in a QKD outage a put that needs them ends with exit 13 and reads go on;
it goes by itself when keys come. What a tenant wants is held to."""
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import GATEWAY, Box, check  # noqa: E402
from kme import link, network  # noqa: E402
from link import WAIT, Link  # noqa: E402
from tiny_s3 import TinyS3  # noqa: E402

import signal  # noqa: E402
import subprocess  # noqa: E402


class Linked(Box):
    """Three directories, and two buckets behind links: c4 and c5."""
    def __init__(self, buckets, links, level="qkd-tls"):
        super().__init__(3, 3)
        self.buckets = buckets
        self.urls = [f"s3+http://127.0.0.1:{l.local}/{b.bucket}?link={l.dial.conf['status']}&level={level}" for b, l in zip(buckets, links)]

    def words(self):
        return [w for n, (b, url) in enumerate(zip(self.buckets, self.urls), 4) for w in ("--cloud", f"c{n}={url}", "--cloud-credentials", f"c{n}={b.credentials}")]

    def raw(self, method, path, body=b""):
        """-> (head, body) of a call at the gateway's own socket; any command starts one."""
        self.run("ls")
        call = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        path = next(os.path.join(where, "gateway.sock") for where, _, names in os.walk(self.root) if "gateway.sock" in names)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(WAIT)
            s.connect(path)
            s.sendall(call + body)
            got = b"".join(iter(lambda: s.recv(65536), b""))
        head, _, text = got.partition(b"\r\n\r\n")
        return head.decode(), text.decode()

    def call(self, *words):
        head, text = self.raw(*words)
        return head, json.loads(text)

    def links(self):
        """What /metrics says of them: {(metric, cloud): value}."""
        return {(m, c): float(v) for m, c, v in re.findall(r'^qcloud_cloud_link_(\w+)\{cloud="(\w+)"\} (\S+)$', self.raw("GET", "/metrics")[1], re.M)}

    def start_vault(self):
        self.expect(0, "init", "--local", *[w for i, c in enumerate(self.clouds, 1) for w in ("--cloud", f"c{i}=file://{c}")], *self.words(), "--k", "3",
                    "--share1", self.stores[0], "--share2", self.stores[1], "--no-passphrase")

    def status(self):
        return {c["name"]: c for c in self.call("GET", "/v1/status")[1]["clouds"]}

    def begin(self, **more):
        """A put's first call, whatever comes of it. -> (head, JSON, path of the upload)"""
        vault = self.call("GET", "/v1/vaults")[1]["vaults"][0]
        ids = {k: os.urandom(16).hex() for k in ("put_key", "object", "version")}
        return *self.call("POST", f"/v1/vaults/{vault}/uploads", json.dumps({**ids, "base": 0, "path_number": 1, **more}).encode()), "/v1/uploads/" + ids["put_key"]


def told(box, name, level="qkd-tls"):
    """explain says what carried it: the two clouds behind links, each under a key of its own. -> key_IDs"""
    text = box.expect(0, "explain", name).stdout.decode()
    ways = dict(re.findall(r"^way      (c\d)=(.*)$", text, re.M))
    check(list(ways) == ["c4", "c5"], f"clouds that are reached by a network: {text}")
    item = next(x for x in map(json.loads, box.expect(0, "explain", "--json", name).stdout.decode().splitlines()) if x["type"] == "item")
    check(item["ways"] == " ".join(f"{c}={w}" for c, w in ways.items()), f"{item} {ways}")
    for way in ways.values():
        check(re.fullmatch(level + r",(key=[0-9a-f-]{36}|keys=\d+,first=[0-9a-f-]{36},last=[0-9a-f-]{36})", way), f"a way: {way}")
    ids = [re.findall(r"[0-9a-f-]{36}", way) for way in ways.values()]
    check(not set(ids[0]) & set(ids[1]), f"each link has keys of its own: {ids}")
    return ids


def outage(net, box, links):
    """No keys: a put that needs the links ends with 13, what is stored can be read; then keys come."""
    before = os.urandom(300000)
    box.start_vault()
    box.expect(0, "put", box.write("in", before), "before")
    check(all(any(k.startswith("f/") for k in b.objects) for b in box.buckets), "fragments lie behind the links")
    seen = box.status()
    check(seen["c1"]["level"] == "local" and seen["c1"]["link"] is None, f"{seen['c1']}")
    told(box, "before")
    l = seen["c4"]["link"]
    for n in range(10):         # a key that came this moment has carried nothing yet
        if l["key_bytes"] > 0:
            break
        box.expect(0, "put", box.write("in", b"x" * 1000), f"more-{n}")
        l = box.status()["c4"]["link"]
    check(seen["c4"]["level"] == "qkd-tls" and (l["now"], l["ready"], l["why"]) == ("qkd-tls", True, "") and len(l["key_id"]) == 36 and l["key_bytes"] > 0, f"{l}")

    told_of = box.links()
    check(told_of == {(m, c): told_of[m, c] for m in ("ready", "dry_seconds") for c in ("c4", "c5")}, f"{told_of}")
    check(all(told_of["ready", c] == 1 and told_of["dry_seconds", c] > 600 for c in ("c4", "c5")), f"{told_of}")

    net.stop(signal.SIGKILL)
    for one in links:
        one.until(lambda: not one.dial.state()["ready"], "its key is old")
    began = time.monotonic()
    p = box.expect(13, "put", box.write("in", os.urandom(300000)), "during")
    said = p.stderr.decode()
    check("E1303" in said and ("cloud c4: link L" in said or "cloud c5: link L" in said) and "Reading goes on" in said, said)
    print(f"outage: a put ends with 13 after {time.monotonic() - began:.1f} s", flush=True)
    head, refusal, _ = box.begin()
    check(head.startswith("HTTP/1.1 503 ") and re.search(r"^Retry-After: \d+\r?$", head, re.M | re.I) and refusal["error"]["id"] == "link", f"not accepted: {head} {refusal}")
    check(box.get("before") == before, "reads go on")
    box.get("during", code=3)       # nothing of it is visible
    l = box.status()["c4"]["link"]
    check(l["now"] == "down" and not l["ready"] and l["why"] != "", f"{l}")

    net.start()
    end, after = time.monotonic() + WAIT, os.urandom(200000)
    while (p := box.run("put", box.write("in", after), "after")).returncode != 0:
        check(p.returncode in (4, 13), f"{p.returncode} {p.stderr.decode()}")
        check(time.monotonic() < end, f"it does not go on: {p.stderr.decode()} {links[0].logs()[-2000:]}")
        time.sleep(0.5)
    check(box.get("after") == after and box.get("before") == before, "all of it")


def pad_is_kept(folder, buckets):
    """Links at otp with a small pool, and no key for more: uploads begin as long as there is pad for all of each; then 503, until one ends. Nobody uses what another began with."""
    block, blocks = 65536, 4
    with network(folder, "pad", [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net:
        net.start()
        with Link(os.path.join(folder, "p4"), net, "otp", buckets[0], link="P4", pad_blocks=blocks, wait_s=2, rekey_s=600) as l4, \
                Link(os.path.join(folder, "p5"), net, "otp", buckets[1], link="P5", pad_blocks=blocks, wait_s=2, rekey_s=600) as l5, Linked(buckets, (l4, l5), "otp") as box:
            def pad():
                return [int(x.dial.state()["pad_send"]) for x in (l4, l5)]
            def full():
                return all(int(e.state()["pad_send"]) >= block * blocks for x in (l4, l5) for e in (x.dial, x.serve))
            l4.until(full, "their pools are full")
            check(l4.dial.state()["pad_full"] == str(block * blocks), f"{l4.dial.state()}")
            box.start_vault()
            l4.until(full, "again")
            links = next(x["keys"]["links"] for x in map(json.loads, box.expect(0, "keys", "--json").stdout.splitlines()) if x["type"] == "item")
            check([(x["cloud"], x["link"], x["by"], x["id"], x["stock_bits"] is None or x["stock_bits"] >= 0) for x in links] ==
                  [("c4", "P4", "qcloud-link", "ok", True), ("c5", "P5", "qcloud-link", "ok", True)], f"what key there is: {links}")
            net.do("link", "rate", "AB", "0")
            net.do("link", "empty", "AB")
            room = min(pad())
            size = 3 * (room // 2 - 10000)  # two of them fill a pool, with what goes beside the data
            got = [box.begin(size=size) for _ in range(3)]
            check([g[0].split()[1] for g in got] == ["201", "201", "503"], f"{[g[0] for g in got]} {pad()} {size}")
            head, refusal, _ = got[2]
            check(re.search(r"^Retry-After: \d+\r?$", head, re.M | re.I) and refusal["error"]["id"] == "link" and "bytes of pad" in refusal["error"]["message"], f"{head} {refusal}")
            p = box.expect(13, "put", box.write("in", os.urandom(size // 2)), "refused")
            check("E1303" in p.stderr.decode(), p.stderr.decode())
            check(box.call("DELETE", got[0][2])[0].split()[1] == "200", "one ends")
            box.expect((0, 4), "put", box.write("in", os.urandom(size // 2)), "fits")
            check(min(pad()) < room - size // 6, f"it took pad: {room} {pad()}")
            print(f"pad: {room} bytes, three uploads of {size}: two begin; then {pad()}", flush=True)
            for one in (l4, l5):
                one.used_once()


def events(box):
    state = next(where for where, _, names in os.walk(box.root) if "audit.log" in names)
    with open(os.path.join(state, "audit.log"), encoding="ascii") as f:
        return [json.loads(x) for x in f]


def rebuilt(box, one):
    """A fragment that is lost behind a link comes back without a command; the audit log says which level and which keys carried it."""
    bucket = box.buckets[0]
    del bucket.objects[next(k for k in bucket.objects if k.startswith("f/"))]
    before = one.dial.state()
    began = len(events(box))
    end = time.monotonic() + WAIT
    while box.expect((0, 4), "gateway", "scrub", "--wait").returncode == 4:    # on a busy machine a link that is slow is asked again
        check(time.monotonic() < end, "a cloud is not looked at")
    while not (lines := [x for x in events(box)[began:] if x["event"] == "rebuilt" and x["cloud"] == "c4"]):
        check(time.monotonic() < end, "the fragment does not come back")
        time.sleep(0.1)
    after = one.dial.state()
    way = re.fullmatch(r"qkd-tls,(?:key=([0-9a-f-]{36})|keys=\d+,first=([0-9a-f-]{36}),last=([0-9a-f-]{36}))", lines[0]["way"])
    check(way is not None, f"{lines}")
    if before["keys"] == after["keys"]:     # no new key meanwhile: it was that one
        check(way[1] == after["key_id"], f"{lines} {before} {after}")
    print(f"rebuilt: {lines[0]['way']}, the link's keys {before['key_id']} to {after['key_id']}", flush=True)


def noted(box, ids):
    """The audit log has what explain has, joined to the line of the put."""
    lines = events(box)
    put, carried = (next(x for x in reversed(lines) if x["event"] == event) for event in ("put", "carried"))
    check((carried["put_key"], carried["segment"], carried["tenant"]) == (put["put_key"], 0, put["tenant"]) and carried["bytes"] == put["bytes"], f"{put} {carried}")
    check([re.findall(r"[0-9a-f-]{36}", w) for w in carried["ways"].split()] == ids, f"{carried} {ids}")


def aged(box):
    """A cloud's URL says for how long a key is used at most: where its link uses one for longer, nothing is written."""
    for level, why in (("qkd-tls:3", "link L4 uses a key for 4 s, and 3 is the most that is wanted"), ("qkd-tls:0:1000", "and 1000 is the most that is wanted")):
        p = box.run("gateway", "cloud", "set", "c4", "--url", re.sub(r"level=.*", "level=" + level, box.urls[0]))
        check(p.returncode == 5 and why in p.stderr.decode(), f"{p.returncode} {p.stderr.decode()}")


def wanted(box, one):
    """What the configuration wants of all ways, or of a tenant's, is held to; one that goes over a link which may be weaker is not written to."""
    box.stop(signal.SIGTERM)
    state = next(os.path.dirname(os.path.join(where, "x")) for where, _, names in os.walk(box.root) if "gateway.sock" in names or "catalogue.db" in names)
    conf = os.path.join(box.root, "gateway.conf")
    for least, code, why in (("otp", 13, "is reached at qkd-tls, and otp is the least that is wanted"), ("qkd-tls:3", 13, "uses a key for 4 s, and 3 is the most that is wanted"), ("qkd-tls:4", 0, "")):
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"[gateway]\nstate = {state}\nstop-seconds = 5\n[levels]\nleast = {least}\ntenants = ann=otp bob=plain\n")
        r, w = os.pipe()
        p = subprocess.Popen([GATEWAY, "serve", "--config", conf, "--ready-fd", str(w)], pass_fds=[w], stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r) as ready:
            check(ready.read() == "ready\n", "the gateway does not start")
        try:
            name = "at-" + least.replace(":", "-")
            got = box.expect(code, "put", box.write("in", b"x" * 1000), name).stderr.decode()
            if code == 0:
                noted(box, told(box, name))
                rebuilt(box, one)
            check(why in got, got)
            check(box.get("after") is not None, "reads go on")
        finally:
            p.terminate()
            p.wait(WAIT)


if __name__ == "__main__":
    where = tempfile.mkdtemp(prefix="qcloud-test-")
    try:
        buckets = [TinyS3(where, f"fragments-{i}") for i in (4, 5)]
        with network(where, "levels", [link("A", "B", rate=10 ** 9, bits=10 ** 9)]) as net:
            net.start()
            ages = {"rekey_s": 1, "key_max_s": 4, "wait_s": 1}
            with Link(os.path.join(where, "l4"), net, "qkd-tls", buckets[0], link="L4", **ages) as l4, \
                    Link(os.path.join(where, "l5"), net, "qkd-tls", buckets[1], link="L5", **ages) as l5:
                for one in (l4, l5):
                    one.until(lambda: one.dial.state()["ready"], "up")
                with Linked(buckets, (l4, l5), "qkd-tls:4:5368709120") as box:
                    outage(net, box, (l4, l5))
                    aged(box)
                    wanted(box, l4)
        pad_is_kept(where, [TinyS3(where, f"padded-{i}") for i in (4, 5)])
    finally:
        shutil.rmtree(where, ignore_errors=True)
