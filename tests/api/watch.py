#!/usr/bin/python3
"""What those see who watch a gateway: /metrics as promtool wants it and as it happened, /healthz, /readyz; and who may see it.

Needs QC_BIN, the folder of qcloud-gateway; promtool (package prometheus), python3-yaml, python3-jsonschema. QC_SEED repeats a run.
"""
import http.client
import os
import re
import select
import socket
import subprocess
import sys
import time

from contract import Walk
from openapi import METHODS
from server import Failure, Guest, ManyUsers, Server, check, parallel

WATCHER_S = 10                  # HTTP_WATCHER_S
PLACES = 16                     # HTTP_WATCHERS_MAX
LINE = re.compile(r'([a-z_]+)(?:{((?:[a-z]+="[^"\\\n]*",?)*)})? ([0-9.e+-]+|\+Inf)')


class Monitor:
    """The monitor's door of a ManyUsers, as a server of contract.py's Walk."""

    def __init__(self, server):
        self.server = server

    def __getattr__(self, name):
        return getattr(self.server, name)

    def request(self, method, path, body=None, headers=None, chunked=False):
        c = http.client.HTTPConnection("127.0.0.1", self.server.monitor, timeout=60)
        return self.server.request_on(c, method, path, body, headers, chunked)


def metrics(walk):
    """{(name, ((label, value)..)): number}; every line is one that Prometheus takes, and belongs to the family before it."""
    out, family = {}, None
    for line in walk.ask("metrics").decode("ascii").splitlines():
        if line.startswith("# "):
            family = line.split()[2] if line.startswith("# TYPE") else family
            continue
        m = LINE.fullmatch(line)
        check(m is not None, f"no line of metrics: {line}")
        check(re.fullmatch(family + "(_bucket|_sum|_count)?", m[1]) is not None, f"{line} stands under {family}")
        labels = tuple(re.findall(r'([a-z]+)="([^"]*)"', m[2] or ""))
        check((m[1], labels) not in out, f"twice: {line}")
        out[m[1], labels] = float(m[3])
    return out


def total(m, name, **labels):
    """The sum of all lines of that name with these labels."""
    return sum(v for (n, ls), v in m.items() if n == name and set(labels.items()) <= set(ls))


def histograms(m):
    """Every one ascends, and ends with its count."""
    rows = {}
    for (name, labels), v in m.items():
        if name.endswith("_bucket"):
            rows.setdefault((name[:-7], labels[:-1]), []).append(v)
    check(len(rows) > 8, "too few histograms")
    for (name, labels), vs in rows.items():
        check(vs == sorted(vs) and vs[-1] == m[name + "_count", labels] and m[name + "_sum", labels] >= 0, f"{name} {labels}: {vs}")


# ---------------------------------------------------------------- the figures
def figures(server):
    """What was done is what is counted."""
    owner, watcher = Walk(server, 1), Walk(Monitor(server), 2)
    ann = Walk(Guest(server, "ann"), 3)
    before = metrics(watcher)
    data = ann.random.randbytes(300000)
    ann.vaults()
    for i in range(3):
        up, *_ = ann.put(ann.path(), 1, data)
    o = {"vault": ann.vault, "object": up["object"], "version": up["version"]}
    check(ann.ask("content", o) == data, "content")
    ann.ask("content", o | {"version": ann.id()}, expect=404)
    ann.server.server.request_on(server.door("socket"), "GET", "/v1/health")          # no token
    deadline = time.monotonic() + 60                                               # of observations: WATCH_COUNTS_MS
    while True:
        m = metrics(watcher)
        if m["qcloud_versions", ()] == before["qcloud_versions", ()] + 3:
            break
        check(time.monotonic() < deadline, f"{m['qcloud_versions', ()]} versions after 3 puts")
        time.sleep(0.5)
    histograms(m)
    puts = total(m, "qcloud_cloud_request_duration_seconds_count", op="put") - total(before, "qcloud_cloud_request_duration_seconds_count", op="put")
    check(puts >= 5 * 3 * 2 + 5, f"{puts} puts to 5 clouds: 3 fragments and 3 records each, and a vault's record")
    sent = total(m, "qcloud_cloud_sent_bytes_total") - total(before, "qcloud_cloud_sent_bytes_total")
    check(3 * len(data) * 5 / 3 < sent < 3 * len(data) * 5 / 3 + 200000, f"{sent} bytes were sent")
    received = total(m, "qcloud_cloud_received_bytes_total") - total(before, "qcloud_cloud_received_bytes_total")
    check(received > len(data), f"{received} bytes were received")
    check(total(m, "qcloud_http_received_bytes_total") > 3 * len(data) and total(m, "qcloud_http_sent_bytes_total") > len(data), "bytes of bodies")
    route = "/v1/uploads/{}/segments/#"
    check(total(m, "qcloud_http_requests_total", route=route) == total(m, "qcloud_http_requests_total", route=route, **{"class": "2xx"}) == 3, "segments")
    check(total(m, "qcloud_http_request_duration_seconds_count", route=route) == 3, "their times")
    check(total(m, "qcloud_http_requests_total", route="/v1/vaults/{}/objects/{}/{}", **{"class": "4xx"}) == 1, "a version that is not there")
    check(total(m, "qcloud_http_strangers_total") == 1 and total(m, "qcloud_http_requests_total", route="", **{"class": "4xx"}) >= 1, "a stranger")
    check(total(m, "qcloud_tenant_requests_total", tenant="1") >= 14, "requests of the first tenant")
    full = {f'margin{x}': total(m, "qcloud_versions_by_margin", margin=x) for x in ("below", "0", "1", "2")}
    check(full == {"marginbelow": 0, "margin0": 0, "margin1": 0, "margin2": m["qcloud_versions", ()]}, f"margins {full}")
    check(m["qcloud_margin_data_min", ()] == m["qcloud_margin_full", ()] == 2, "least margin")
    check(abs(m["process_start_time_seconds", ()] - time.time()) < 600 and m["process_resident_memory_bytes", ()] > 1e6, "the process")
    check(abs(m["qcloud_observed_timestamp_seconds", ()] - time.time()) < 60, "the time of the observation")
    check([total(m, "qcloud_cloud_state", cloud=f"c{i}", state="ok") for i in range(1, 6)] == [1] * 5, "states")
    check(total(m, "qcloud_cloud_state") == total(m, "qcloud_cloud_breaker") == 5, "one state each")
    check(total(m, "qcloud_cloud_scrub_late") == 0 and sum(n == "qcloud_cloud_scrub_late" for n, _ in m) == 10, "two depths of five clouds, none late")
    check(total(m, "qcloud_verdict", level="well") == total(m, "qcloud_verdict") == 1, "the verdict")
    s = owner.ask("status")
    check(m["qcloud_objects", ()] == s["objects"] and m["qcloud_stored_bytes", ()] == s["bytes"], f"status says {s}")
    return up


def scrubbed(server):
    """A pass that came to its end is told, with the time at which it began."""
    owner, watcher = Walk(server, 10), Walk(Monitor(server), 11)
    began = int(time.time())
    owner.ask("scrub", body={"content": True, "cloud": "c2"}, expect=202)
    deadline = time.monotonic() + 60
    while True:
        m = metrics(watcher)
        told = {depth: total(m, "qcloud_cloud_scrub_timestamp_seconds", cloud="c2", depth=depth) for depth in ("presence", "content")}
        if min(told.values()) > 0:
            break
        check(time.monotonic() < deadline, f"passes of c2: {told}")
        time.sleep(0.2)
    check(all(began <= t <= time.time() for t in told.values()), f"since {told}, asked at {began}")
    check(sum(n == "qcloud_cloud_scrub_timestamp_seconds" for n, _ in m) == 2, "only c2 was looked at")
    check(total(m, "qcloud_cloud_findings") == total(m, "qcloud_cloud_mend_fragments") == 0, "nothing was found")


def promtool(server):
    a = server.request("GET", "/metrics")
    p = subprocess.run(["promtool", "check", "metrics"], input=a.body, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    check(p.returncode == 0 and p.stdout == b"", f"promtool: {p.returncode} {p.stdout.decode(errors='replace')}")


# ---------------------------------------------------------------- who may see it
def secrets(server, up):
    """No name of a tenant, no token, no id of what is stored, no place of a cloud or of this machine."""
    texts = [Monitor(server).request("GET", p).body.decode() for p in ("/metrics", "/healthz", "/readyz", "/readyz?for=write")]
    texts += [Monitor(server).request("GET", p).body.decode() for p in ("/v1/status", "/readyz?for=x", "/v1/tenants")]
    for t in texts:
        for bad in ("ann", server.root, "file:", server.tokens["ann"], up["object"], up["version"], up["put_key"], str(server.port)):
            check(bad not in t, f"{bad}: {t[max(0, t.index(bad) - 100):][:300] if bad in t else ''}")
        check(re.search("[0-9a-f]{32}", t) is None, "an id")


def doors(server):
    """The monitor's door has these calls and no other, for no other Host; the tenants' doors have none of them."""
    walk = Walk(Monitor(server), 4)
    ids = {"vault": walk.id(), "object": walk.id(), "version": walk.id(), "put_key": walk.id(), "seq": 1, "request": walk.id(), "tenant": "ann", "job": 1}
    for name, (method, path, op, _) in walk.contract.operations.items():
        a = walk.server.request(method, walk.contract.url(name, {k: v for k, v in ids.items() if "{%s}" % k in path}), headers={"Authorization": "Bearer " + server.tokens["ann"]})
        check(a.status == (200 if op.get("security") == [] else 403), f"{name} at the monitor's door: {a}")
        if op.get("security") == []:
            for way in ("socket", "address"):
                check(Guest(server, "ann", way).request(method, path).status == 403, f"{name} at a tenants' door")
                check(server.request_on(server.door(way), method, path).status == 401, f"{name} at a tenants' door, without a token")
            for other in METHODS:
                if other not in ("get", "head"):
                    check(walk.server.request(other.upper(), path).status == 405, f"{other} {path}")
    for host, status in (("127.0.0.1", 200), ("localhost:1", 200), ("[::1]:8441", 200), ("LOCALHOST", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421),
                         ("", 421), ("localhost.evil.example:8441", 421), ("10.0.0.1", 421), ("0.0.0.0", 421)):
        for path in ("/metrics", "/healthz", "/readyz", "/v1/status"):
            a = walk.server.request("GET", path, headers={"Host": host})
            check(a.status == (403 if status == 200 and path == "/v1/status" else status), f"Host: {host} {path}: {a}")
    a = walk.server.request("GET", "/metrics")
    check("Access-Control-Allow-Origin" not in a.headers and "default-src 'none'" in a.headers["Content-Security-Policy"] and a.headers["Cache-Control"] == "no-store",
          f"headers {dict(a.headers)}")


def hostile(server):
    """Rubbish at the monitor's door ends with a refusal, or with the connection."""
    walk = Walk(Monitor(server), 5)
    for text in (b"GET /metrics HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", b"\x00\xff" * 500 + b"\r\n\r\n", b"GET " + b"/" * 200000,
                 b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 300000, b"GET /readyz?for=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET /metrics/../v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /metrics%2f HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /../metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.monitor), timeout=30) as s:
            try:
                s.sendall(text)
                s.shutdown(socket.SHUT_WR)
                answer = s.recv(65536)
            except ConnectionError:
                answer = b""
            if answer:
                check(re.match(b"HTTP/1.1 4[0-9][0-9] ", answer) is not None or b"Host: evil" in text, f"{text[:80]}: {answer[:200]}")
    server.alive()
    check(walk.ask("healthz")["alive"], "after rubbish")


def crowd(server):
    """Connections that say nothing take all places; they are closed, and who asks gets an answer. The other doors feel nothing."""
    silent = [socket.create_connection(("127.0.0.1", server.monitor), timeout=60) for _ in range(PLACES)]
    began = time.monotonic()
    try:
        check(Walk(server, 6).ask("healthz")["alive"] and not select.select(silent, [], [], 0)[0], "the operator's door waits for places to be free")
        check(Walk(Monitor(server), 7).ask("healthz")["alive"], "the monitor's door is closed")
        check(time.monotonic() - began < 4 * WATCHER_S, f"{time.monotonic() - began:.1f} s for an answer")
    finally:
        for s in silent:
            s.close()


# ---------------------------------------------------------------- ready
def ready(server):
    """As many clouds as reading, and writing, needs; what is said beside a refusal."""
    walk = Walk(server, 8)
    with server.away(0):
        r = walk.ask("readyz", query={"for": "write"})
        check((r["read"], r["write"], r["well"], r["write_needs"], r["read_needs"]) == (True, True, 4, 4, 3), f"one away: {r}")
    with server.away(0, 1):
        check(not walk.ask("readyz", query={"for": "read"})["write"], "two away: write")
        walk.ask("readyz", query={"for": "write"}, expect=503, error="quorum")
        r = server.request("GET", "/readyz?for=write")
        check(r.headers["Retry-After"] == "1" and r.json()["well"] == 3 and r.json()["read"], f"two away: {r}")
        m = metrics(walk)
        check(total(m, "qcloud_cloud_state", state="ok") == 3 and m["qcloud_margin_data_min", ()] == 0, "two away: metrics")
    with server.away(0, 1, 2):
        walk.ask("readyz", expect=503, error="quorum")
        check(walk.ask("healthz")["alive"], "it lives all the same")


def fenced():
    """Another gateway takes over: this one is alive, and ready for nothing."""
    with Server() as server:
        walk = Walk(server, 9)
        server.run("rebuild", "--state", os.path.join(server.root, "new"), *server.cloud_options())
        walk.ask("readyz", expect=503, error="fenced")
        walk.ask("healthz")
        check(metrics(walk)["qcloud_gateway_fenced", ()] == 1, "metrics do not say that it is fenced")


def watched():
    with ManyUsers() as server:
        server.add("ann")
        try:
            check(metrics(Walk(Monitor(server), 1))["qcloud_margin_data_min", ()] == 2, "least margin of nothing")
            promtool(server)
            up = figures(server)
            scrubbed(server)
            promtool(server)
            secrets(server, up)
            doors(server)
            hostile(server)
            ready(server)
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        server.stop()


def crowded():
    with ManyUsers() as server:
        crowd(server)


def main():
    began = time.monotonic()
    parallel([watched, crowded, fenced])
    print(f"watch: figures, doors and refusals are as docs/API.md says ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
