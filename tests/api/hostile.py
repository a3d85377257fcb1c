#!/usr/bin/python3
"""Clients that do not speak HTTP, or stop in the middle: the gateway goes on serving, keeps its limits, and gives everything back.

Each attack ends with whole puts and a read that must work. Needs QC_BIN. QC_SEED repeats a run.
"""
import contextlib
import json
import os
import random
import select
import socket
import sys
import time

from contract import Walk
from server import GATEWAY, Connection, Failure, Server, check, parallel

HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
UNITS = 6                       # QC_GW_UNITS
CONNECTIONS = 64                # HTTP_CONNECTIONS_MAX
SEGMENT_MAX = 18 << 20


def status_line(s):
    """The status of the next answer on a socket; None when it was closed without one."""
    got = b""
    while b"\r\n" not in got:
        part = receive(s)
        if not part:
            return None
        got += part
    check(got.startswith(b"HTTP/1."), f"no answer of HTTP: {got[:200]!r}")
    return int(got.split(b" ", 2)[1])


def receive(s):
    try:
        return s.recv(65536)
    except ConnectionError:
        return b""


def drain(s):
    out = b""
    while part := receive(s):
        out += part
    return out


def send(s, data):
    """False when the other side has closed."""
    try:
        s.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


class Hostile:
    def __init__(self, server, seed):
        self.server, self.random, self.walk = server, random.Random(seed), Walk(server, seed)
        w = self.walk
        w.ask("vaultPut", {"vault": w.vault}, {"record": w.record(w.vault), "backup": "AAAA"}, expect=201)
        self.up = w.upload()
        w.ask("uploadBegin", {"vault": w.vault}, self.up, expect=201)
        self.segment = w.contract.url("segmentPut", {"put_key": self.up["put_key"], "seq": 0})

    def works(self):
        """Two segments at once, a commit, a read: nothing was lost to whoever came before."""
        self.server.alive()
        w, begun = self.walk, time.monotonic()
        up, size = w.upload(), 2 << 20
        w.ask("uploadBegin", {"vault": w.vault}, up, expect=201)
        datas = [self.random.randbytes(size) for _ in range(2)]
        parallel([lambda i=i, d=d: w.ask("segmentPut", {"put_key": up["put_key"], "seq": i}, d, {"last": i}) for i, d in enumerate(datas)])
        w.ask("commit", {"put_key": up["put_key"]}, w.commit_body(w.entry(up, w.path(), 1, 2 * size), 2))
        got = w.ask("content", {"vault": w.vault, "object": up["object"], "version": up["version"]})
        check(got == b"".join(datas), "what was read is not what was put")
        check(time.monotonic() - begun < 60, f"a put took {time.monotonic() - begun:.0f} s")

    # ------------------------------------------------------------ heads
    def head(self, text, allowed, limit=1 << 22):
        """Sends the bytes that text yields until the gateway has had enough; its answer is one of those allowed."""
        with self.server.connect() as s:
            sent = 0
            for part in text:
                sent += len(part)
                if not send(s, part):
                    break
                check(sent < limit, f"{sent} bytes of a head were taken")
            status = status_line(s)
            check(status in allowed, f"answer {status}, expected {allowed}")

    def heads(self):
        def forever(first, part):
            yield first
            while True:
                yield part

        def line():
            return b"X-%d: %s\r\n" % (self.random.getrandbits(60), b"a" * 2000)

        refused = (400, 413, 414, 431, None)
        self.head(forever(b"GET /v1/health HTTP/1.1\r\n", line()), refused)
        self.head(forever(b"GET /v1/health HTTP/1.1\r\nX: ", b"a" * 4096), refused)
        self.head(forever(b"GET /", b"a" * 4096), refused)
        self.head(forever(b"", b"\r\n" * 2048), refused + (200,))
        self.head(forever(b"", b"\0" * 4096), refused)
        self.head(forever(b"GET /v1/vaults/" + b"0" * 32 + b"/chain?", b"from=1&" * 500), refused)
        for text in (b"\0\r\n\r\n", b"GET\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"GET /v1/health\r\n\r\n", b"GET /v1/health HTTP/9.9\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"GET /v1/health HTTP/1.1\r\nno colon\r\n\r\n",
                     b"GET /v1/health HTTP/1.1\r\n: empty\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"get /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"):
            with self.server.connect() as s:
                send(s, text)
                s.shutdown(socket.SHUT_WR)
                status = status_line(s)
                # a reader of heads may be lenient where nothing depends on it
                check(status in (200, 400, 404, 405, 414, 431, 501, 505, None), f"{text[:60]!r}: {status}")

    def lengths(self):
        """Content-Length that is none, more than allowed, or beside chunks: never taken for a body of another length."""
        def put(headers, body=b"", allowed=(400, 413, None), path=self.segment, method=b"PUT"):
            with self.server.connect(timeout=60) as s:
                send(s, method + b" " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + body)
                s.shutdown(socket.SHUT_WR)
                status = status_line(s)
                check(status in allowed, f"{headers!r}: {status}")

        for n in (b"18446744073709551616", b"99999999999999999999999999", b"-1", b"+5", b"0x10", b"1e3", b"", b" ", b"5,5", b"5 5", b"18874369",
                  b"9223372036854775807", b"18446744073709551615"):
            put(b"Content-Length: " + n + b"\r\n", b"hello")
        put(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")
        # chunks have no length: a segment is refused, whatever stands beside them
        put(b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", b"5\r\nhello\r\n0\r\n\r\n")
        put(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n")
        put(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n", (411,))
        put(b"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", b"hello", (200, 400, 501, None))
        get = f"/v1/vaults/{self.walk.vault}/entries/get"
        for chunks in (b"zz\r\n", b"-1\r\nx\r\n", b"ffffffffffffffffff\r\nx", b"5\r\nhelloXX0\r\n\r\n", b"1" * 9000):
            put(b"Transfer-Encoding: chunked\r\n", chunks, (400, 413, None), get, b"POST")
        put(b"Transfer-Encoding: chunked\r\n", b"f\r\n{\"path\":\"AAAA\"}\r\n0\r\n\r\n", (404,), get, b"POST")
        put(b"Content-Length: 1099511627776\r\n", b"{" * (3 << 20), (400, 413, None), get, b"POST")

    # ------------------------------------------------------------ bodies
    def begin_segment(self, size, sent):
        s = self.server.connect(timeout=60)
        send(s, f"PUT {self.segment}?last=1 HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(sent))
        return s

    def cut(self):
        """More segments than there are units end in the middle, at every stage."""
        for i in range(4 * UNITS):
            s = self.begin_segment(SEGMENT_MAX, (0, 1, 1 << 16, 3 << 20)[i % 4])
            if i % 3 == 0:
                s.shutdown(socket.SHUT_WR)
                check(status_line(s) in (400, None), "an answer to half a segment")
            s.close()
        self.nothing_came()

    def nothing_came(self):
        """What was cut is not part of the upload: a commit of it is refused."""
        w = self.walk
        w.ask("commit", {"put_key": self.up["put_key"]}, w.commit_body(w.entry(self.up, w.path(), 1, SEGMENT_MAX), 1), expect=400, error="usage")

    def slow(self):
        """All units in the hands of clients that stopped sending: others are told to come again, and are served before long."""
        held = [self.begin_segment(1 << 20, 1000) for _ in range(UNITS)]
        refused, url, end = 0, self.segment.replace("/segments/0", "/segments/1"), time.monotonic() + 100
        while True:
            a = self.server.request("PUT", url, b"one more")
            value = self.walk.contract.judge("segmentPut", a)
            if a.status == 200 and refused > 0:
                break
            check(time.monotonic() < end, f"with all units held: {a}, {refused} times refused")
            if a.status == 503:
                refused += 1
                check(value["error"]["id"] == "temporary" and value["error"]["retry"], f"with all units held: {a}")
                self.walk.ask("health")             # what needs no unit is served
                self.walk.ask("uploadGet", {"put_key": self.up["put_key"]})
        check(all(status_line(s) is None for s in held), "a client that sends nothing keeps its connection")
        for s in held:
            s.close()

    def stopped_readers(self):
        """Clients that ask for bytes and stop taking them: others get their units, and they get their bytes when they go on."""
        w = self.walk
        up, data = w.upload(), self.random.randbytes(8 << 20)
        w.ask("uploadBegin", {"vault": w.vault}, up, expect=201)
        w.segments(up, data)
        w.ask("commit", {"put_key": up["put_key"]}, w.commit_body(w.entry(up, w.path(), 1, len(data)), 1))
        url = w.contract.url("content", {"vault": w.vault, "object": up["object"], "version": up["version"]})
        held = []
        for i in range(UNITS):
            s = self.server.connect()
            send(s, f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes={i}-\r\n\r\n".encode())
            held.append((s, s.recv(1000)))
        end = time.monotonic() + 60
        while (a := self.server.request("GET", url)).status != 200 or a.body != data:
            check(time.monotonic() < end, f"stopped readers keep all units: {a.status}, {len(a.body)} bytes")
        self.works()
        for i, (s, got) in enumerate(held):
            body = (got + drain(s)).split(b"\r\n\r\n", 1)[1]
            check(body == data[i:], f"a reader that went on has {len(body)} bytes of {len(data) - i}")
            s.close()

    # ------------------------------------------------------------ connections
    def pipelines(self):
        with self.server.connect() as s:
            send(s, HEALTH * 5 + b"garbage \0\xff\r\n\r\n" + HEALTH)
            s.shutdown(socket.SHUT_WR)
            got = drain(s)
            check(got.count(b"HTTP/1.1 200") in (5, 6) and got.count(b'"ok":true') in (5, 6), f"five requests and garbage: {got[-600:]!r}")
        with self.server.connect() as s:            # a body that nobody asked for, that looks like a request
            body = HEALTH * 20
            send(s, b"GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            s.shutdown(socket.SHUT_WR)
            got = drain(s)
            check(got.count(b"HTTP/1.1") == 1 and got.startswith(b"HTTP/1.1 400"), f"a body is no request: {got[:600]!r}")
        c = Connection(self.server.state)
        for _ in range(500):                        # one connection, many requests
            c.request("GET", "/v1/health")
            r = c.getresponse()
            check(r.status == 200 and json.loads(r.read())["ok"], "a request on a connection that stays")
        c.close()

    def crowd(self):
        """A hundred connections at once: as many as the limit says are served, the others wait, and have their turn."""
        left = [self.server.connect(timeout=60) for _ in range(100)]
        for s in left:
            send(s, HEALTH)
        served = self.answered(left, CONNECTIONS)
        check(len(served) == CONNECTIONS, f"{len(served)} connections were served at once, the limit is {CONNECTIONS}")
        for s in served:
            s.close()
        left = [s for s in left if s not in served]
        check(len(self.answered(left, len(left))) == len(left), "those that waited were not served")
        for s in left:
            s.close()

    @staticmethod
    def answered(sockets, count):
        """Those that get an answer: waits for as many as are expected, and a little for more."""
        out, poll, end = [], select.poll(), time.monotonic() + 30
        by_fd = {s.fileno(): s for s in sockets}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        while time.monotonic() < end:
            ready = poll.poll(500)
            for fd, _ in ready:
                poll.unregister(fd)
                check(status_line(by_fd[fd]) == 200, "a connection was closed without an answer")
                out.append(by_fd[fd])
            if not ready and len(out) >= count:
                break
        return out

    def noise(self, count=400):
        """Good requests with a few bytes changed, removed or put in."""
        good = [HEALTH, f"GET /v1/vaults/{self.walk.vault}/chain?from=0&limit=5 HTTP/1.1\r\nHost: x\r\nX-Qcloud-Request: {'0' * 32}\r\n\r\n".encode(),
                f"POST /v1/vaults/{self.walk.vault}/entries/get HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n".encode() + b'{"path":"AAAA"}',
                f"PUT {self.segment} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello".encode()]
        for _ in range(count):
            data = bytearray(self.random.choice(good))
            for _ in range(self.random.randint(1, 4)):
                at = self.random.randrange(len(data))
                what = self.random.randrange(4)
                if what == 0:
                    data[at] = self.random.randrange(256)
                elif what == 1:
                    del data[at:at + self.random.randint(1, 9)]
                elif what == 2:
                    data[at:at] = self.random.randbytes(self.random.randint(1, 9))
                else:
                    data = data[:at + 1]
                if not data:
                    data = bytearray(b"\0")
            with self.server.connect(timeout=30) as s:
                send(s, bytes(data))
                s.shutdown(socket.SHUT_WR)
                drain(s)
        self.server.alive()

    # ------------------------------------------------------------ what is given back
    def descriptors(self, base):
        """Without those of the clouds: a cloud's workers open it when they first have something to do, and keep it."""
        count = 0
        for fd in os.listdir(base + "/fd"):
            with contextlib.suppress(FileNotFoundError):
                count += not os.readlink(f"{base}/fd/{fd}").startswith(tuple(self.server.clouds))
        return count

    def holds(self):
        """(descriptors, threads, resident KiB) of the gateway, once nothing is connected."""
        base, end, last = f"/proc/{self.server.process.pid}", time.monotonic() + 20, None
        while True:
            with open(base + "/status", encoding="ascii") as f:
                rows = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            now = (self.descriptors(base), int(rows["Threads"]), int(rows["VmRSS"].split()[0]))
            if last is not None and now[:2] == last[:2] or time.monotonic() > end:
                return now
            last = now
            time.sleep(0.3)                         # for threads that are ending; the loop has a limit

    def run(self):
        self.works()
        before = self.holds()
        for attack in (self.heads, self.lengths, self.cut, self.pipelines, self.crowd, self.noise, self.slow, self.stopped_readers):
            begun = time.monotonic()
            attack()
            self.works()
            print(f"{attack.__name__}: served on, {time.monotonic() - begun:.1f} s", flush=True)
        after = self.holds()
        print(f"descriptors, threads, resident KiB: {before} before, {after} after")
        check(after[0] <= before[0] + 2 and after[1] <= before[1] + 2, "descriptors or threads were not given back")
        stalled = self.begin_segment(1 << 20, 10)   # a client in the middle does not keep the gateway from leaving
        self.server.stop()
        stalled.close()


def main():
    check(os.access(GATEWAY, os.X_OK), "QC_BIN must name the folder of qcloud-gateway")
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"hostile: QC_SEED={seed}", flush=True)
    with Server() as server:
        try:
            Hostile(server, seed).run()
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
