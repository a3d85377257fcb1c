"""One cloud of five takes 3 s for each request: what gets and puts of 1 MiB then take beside what they take while all are well. Five Ceph
gateways on this machine (tests/clouds), one of them behind a relay that holds each request back. Used by run.py."""
import os
import socket
import statistics
import threading
import time

from clouds import Clouds
from s3box import S3Box

HOLD_S = 3
SIZE = 1 << 20


class Relay:
    """TCP on loopback: passes on what comes; the first bytes of each request wait for `hold` seconds."""

    def __init__(self, port):
        self.to, self.hold = port, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return              # closed: the end
            server = socket.create_connection(("127.0.0.1", self.to))
            answered = threading.Event()
            answered.set()
            threading.Thread(target=self.pump, args=(client, server, answered, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, answered, False), daemon=True).start()

    def pump(self, source, sink, answered, requests):
        try:
            while data := source.recv(1 << 16):
                if requests and answered.is_set():
                    answered.clear()
                    time.sleep(self.hold)
                elif not requests:
                    answered.set()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (source, sink):
                s.close()

    def close(self):
        self.listener.close()


class Slow(S3Box):
    """Cloud 3 is behind the relay."""

    def __init__(self, clouds):
        super().__init__(clouds)
        self.relay = Relay(clouds[3].port)

    def url(self, cloud):
        return cloud.url.replace(f":{cloud.port}/", f":{self.relay.port}/") if cloud.n == 3 else cloud.url

    def __exit__(self, *a):
        super().__exit__(*a)
        self.relay.close()


def percentile(rows, p):
    return sorted(rows)[min(len(rows) - 1, round(p / 100 * len(rows)))]


def measure(out, bench, count):
    with Clouds(5) as clouds, Slow(clouds) as box:
        box.init()
        source = os.path.join(box.work, "source")
        bench.random_file(source, SIZE)
        for i in range(20):
            bench.Command(box, "put", source, f"object-{i}").wait()
        took = {}
        for what, hold in (("all are well", 0.0), ("one is slow", HOLD_S)):
            box.relay.hold = hold
            took[what] = [bench.Command(box, "get", f"object-{i % 20}", "-").wait().seconds for i in range(count)]
            rows = took[what]
            out.add("slow_get", what=what, gets=count, p50_ms=round(1000 * statistics.median(rows), 1),
                    p95_ms=round(1000 * percentile(rows, 95), 1), p99_ms=round(1000 * percentile(rows, 99), 1), most_ms=round(1000 * max(rows), 1))
        out.add("slow_ratio", p50=round(statistics.median(took["one is slow"]) / statistics.median(took["all are well"]), 2),
                p99=round(percentile(took["one is slow"], 99) / percentile(took["all are well"], 99), 2))
        for policy in ("full", "quorum"):
            rows = [bench.Command(box, "put", "--wait", policy, source, f"{policy}-{i}", ok=(0, 4)).wait().seconds for i in range(5)]
            out.add("slow_put", wait=policy, puts=len(rows), median_s=round(statistics.median(rows), 3))
