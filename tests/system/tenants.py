#!/usr/bin/python3
"""Two tenants of one gateway, one of them under load and hostile with all that HTTP gives: the other one is served all the while, and
keeps its own. Then kill -9 under that load, and the loss of the gateway's disk: quotas and ownership are as they were.

QC_FULL=1: ten times as long. QC_SEED repeats the data.
"""
import collections
import http.client
import json
import os
import re
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import FULL, Failure, check, main, seeded  # noqa: E402
from users import User, api, said  # noqa: E402

LOAD_S = 100 if FULL else 10
PATIENCE_S = 60                 # so long, where the machine is busy, until the load was one
QUOTA = 16 << 20
CONNECTIONS = 48                # at each of the tenants' doors
MIB = 1 << 20


class Hostile:
    """What one tenant, and strangers, do at once. Counts every answer; keeps what would be a leak."""

    def __init__(self, server, name, rng, ids, hidden):
        self.server, self.name, self.rng, self.ids, self.hidden = server, name, rng, ids, hidden
        self.stop, self.lock, self.seen, self.wrong = threading.Event(), threading.Lock(), collections.Counter(), []
        self.threads = []

    def token(self):
        return self.server.tokens[self.name]

    def ask(self, what, method, path, body=None, token=None, way="address"):
        """One request; anything may happen to it, and nothing may be told by it."""
        c = self.server.door(way)
        c.timeout = 30
        try:
            c.request(method, path, body=json.dumps(body) if isinstance(body, dict) else body, headers={"Authorization": "Bearer " + (token or self.token())})
            r = c.getresponse()
            data = r.read()
            self.count(what, r.status)
            if any(x in data or x in str(r.headers).encode() for x in self.hidden):
                self.wrong.append(f"{what}: {method} {path}: {r.status} {data[:300]!r}")
            return r.status, data
        except (OSError, http.client.HTTPException):
            self.count(what, "broken")
            return None, b""
        finally:
            c.close()

    def count(self, what, status):
        with self.lock:
            self.seen[what, status] += 1

    # ------------------------------------------------------------ what it does
    def id(self):
        with self.lock:
            return self.rng.randbytes(16).hex()

    def upload(self):
        """Uploads without an end, a segment of them again and again."""
        vault = self.mine
        while not self.stop.is_set():
            key = self.id()
            status, _ = self.ask("begin", "POST", f"/v1/vaults/{vault}/uploads",
                                 {"put_key": key, "object": self.id(), "version": self.id(), "base": 0, "path_number": 1})
            for seq in range(4):
                if self.stop.is_set() or status not in (200, 201):
                    break
                status, _ = self.ask("segment", "PUT", f"/v1/uploads/{key}/segments/{seq}", bytes(2 * MIB))
            if status == 507:
                self.ask("cancel", "DELETE", f"/v1/uploads/{key}")

    def guess(self):
        """The other tenant's ids, tokens that are nearly right, the operator's calls."""
        good = self.token()
        calls = [("GET", "/v1/vaults/{vault}", None), ("GET", "/v1/vaults/{vault}/chain", None), ("GET", "/v1/vaults/{vault}/objects/{object}/{version}", None),
                 ("GET", "/v1/vaults/{vault}/objects/{object}/{version}/backup", None), ("GET", "/v1/vaults/{vault}/objects/{object}/{version}/info", None),
                 ("POST", "/v1/vaults/{vault}/entries/list", {"prefix": ""}), ("POST", "/v1/vaults/{vault}/entries/get", {"path": "AAAA"}),
                 ("POST", "/v1/vaults/{vault}/entries/remove", {"path": "AAAA", "number": 2, "seal": "A" * 43, "put_key": "1" * 32}),
                 ("POST", "/v1/vaults/{vault}/uploads", {"put_key": "1" * 32, "object": "2" * 32, "version": "3" * 32, "base": 0, "path_number": 1})]
        while not self.stop.is_set():
            for method, path, body in calls:
                status, data = self.ask("guess", method, path.format(**self.ids), body)
                if status not in (404, 429, 503, None):
                    self.wrong.append(f"{method} {path}: {status} {data[:200]!r}")
            flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
            status, _ = self.ask("token", "GET", "/v1/vaults", token=flipped)
            if status not in (401, None):
                self.wrong.append(f"a token that is nearly right: {status}")
            for method, path in (("GET", "/v1/tenants"), ("POST", "/v1/tenants"), ("POST", "/v1/tenants/good"), ("POST", "/v1/repair")):
                status, _ = self.ask("operator", method, path, {} if method == "POST" else None)
                if status not in (403, 429, None):
                    self.wrong.append(f"{method} {path}: {status}")
            self.ask("status", "GET", "/v1/status")
            self.ask("vaults", "GET", "/v1/vaults")

    def hold(self, head, most, trickle=b""):
        """Connections that begin something and do not go on, or a byte at a time; again whenever they are closed."""
        held = []
        while not self.stop.is_set():
            try:
                if len(held) < most:
                    s = socket.create_connection(("127.0.0.1", self.server.port), timeout=5)
                    s.sendall(head)
                    held.append(s)
                    continue
            except OSError:
                self.count("held", "refused")
            for s in list(held):
                try:
                    if trickle:
                        s.sendall(trickle)
                    s.setblocking(False)
                    if s.recv(1) == b"":
                        raise OSError
                except BlockingIOError:
                    s.settimeout(5)
                except OSError:
                    held.remove(s)
                    s.close()
                    self.count("held", "closed")
            self.stop.wait(0.05)
        for s in held:
            s.close()

    def start(self):
        self.mine = self.id()
        auth = b"Authorization: Bearer " + self.token().encode() + b"\r\n"
        status, _ = self.ask("vault", "PUT", f"/v1/vaults/{self.mine}", {"record": api_record(self.mine), "backup": "AAAA"})
        check(status in (200, 201), f"a vault of one's own: {status}")
        key = self.id()
        self.ask("begin", "POST", f"/v1/vaults/{self.mine}/uploads", {"put_key": key, "object": self.id(), "version": self.id(), "base": 0, "path_number": 1})
        slow = f"PUT /v1/uploads/{key}/segments/0 HTTP/1.1\r\nHost: x\r\nContent-Length: {16 * MIB}\r\n".encode() + auth + b"\r\n"
        jobs = [self.upload] * 12 + [self.guess] * 2 + [
            lambda: self.hold(b"", 40), lambda: self.hold(b"GET /v1/health HTTP/1.1\r\nX: ", 40, b"a"), lambda: self.hold(slow, 6, b"x")]
        self.threads = [threading.Thread(target=j, daemon=True) for j in jobs]
        for t in self.threads:
            t.start()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(timeout=60)
        check(not any(t.is_alive() for t in self.threads), "a request does not end")
        check(not self.wrong, f"{len(self.wrong)} answers that should not be: {self.wrong[:3]}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()


def api_record(vault):
    import base64
    return base64.urlsafe_b64encode(b"QCLV" + bytes((1, 1, 0, 0)) + bytes.fromhex(vault) + bytes(100)).rstrip(b"=").decode()


def ids_of(user):
    """What another tenant would like to know: ids of a vault, an object and a version, as its own store has them."""
    conf = open(os.path.join(user.home, "qcloud.conf"), encoding="utf-8").read()
    item = next(x for x in map(json.loads, user.expect(0, "stat", "--json", "kept").stdout.splitlines()) if x["type"] == "item")
    return {"vault": re.search("id = ([0-9a-f]{32})", conf).group(1), "object": item["object"], "version": item["version"]}


def work(user, rng, more, took):
    """What the good tenant does meanwhile; every command ends as it should."""
    n = 0
    while more():
        data = rng.randbytes(rng.choice((1000, 300000, 3 * MIB)))
        user.write("f", data)
        for command in (("put", os.path.join(user.work, "f"), f"o{n % 5}"), ("ls",), ("status",)):
            begun = time.monotonic()
            user.expect(0, *command)
            took[command[0]].append(time.monotonic() - begun)
        begun = time.monotonic()
        check(user.get(f"o{n % 5}") == data, "what was got under load is not what was put")
        took["get"].append(time.monotonic() - begun)
        n += 1
    return n


def told(took):
    return ", ".join(f"{k} {sorted(v)[len(v) // 2]:.2f} s (at most {max(v):.2f})" for k, v in took.items() if v)


def tenants(server):
    out = server.run("tenant", "ls", "--json", "--config", server.config)
    return {t["name"]: t for t in json.loads(out)["tenants"]}


def missing(seen):
    """What must have happened for the load to be one: work, each kind of refusal, a full quota, held connections that were closed."""
    wanted = ("segment", 200), ("segment", 507), ("guess", 404), ("token", 401), ("operator", 403), ("held", "closed")
    return [w for w in wanted if seen[w] == 0]


def under_load(server, good, rng, ids):
    """Everything at once. The good tenant's commands all succeed; the other one stays within what it may have."""
    hidden = [ids["vault"].encode(), server.tokens["good"][-64:].encode(), server.root.encode(), b"file://"]
    quiet, loud = collections.defaultdict(list), collections.defaultdict(list)
    alone = time.monotonic() + 2
    work(good, rng, lambda: time.monotonic() < alone, quiet)
    begun = time.monotonic()
    with Hostile(server, "bad", rng, ids, hidden) as h:
        n = work(good, rng, lambda: time.monotonic() < begun + (PATIENCE_S if missing(h.seen) else LOAD_S), loud)
        used = tenants(server)["bad"]["used"]
        check(used["bytes"] <= QUOTA, f"over its quota: {used}")
    server.alive()
    seen = h.seen
    check(not missing(seen), f"the load was none: never {missing(seen)}, but {seen}")
    check(n >= 2, f"only {n} rounds in {time.monotonic() - begun:.0f} s")
    print(f"alone: {told(quiet)}\nunder load: {told(loud)}; {n} rounds, {sum(seen.values())} requests of the other one")
    return h


def killed(server, good, rng, ids):
    """kill -9 under load, twice: what is counted is what is there, and the quota holds."""
    for _ in range(2):
        with Hostile(server, "bad", rng, ids, []):
            time.sleep(1.5)                         # the load is under way
            server.process.kill()
            server.process.wait()
        server.start()
        used = tenants(server)["bad"]["used"]
        check(used["bytes"] <= QUOTA, f"over its quota after kill -9: {used}")
        check(good.get("kept") == KEPT, "read after kill -9")
        good.expect(0, "verify")


KEPT = b"kept " * 100000


def disk_lost(server, good, bad):
    """The gateway's disk is gone. From the clouds alone: the same tenants, limits, tokens; and each vault its own tenant's."""
    before = tenants(server)
    server.stop()
    os.rename(server.state, server.state + ".lost")
    server.run("rebuild", "--config", server.config, *server.cloud_options())
    server.start()
    after = tenants(server)
    for t in (*before.values(), *after.values()):
        for k in ("bytes", "objects", "uploads"):       # open uploads were on that disk alone
            if t["name"] == "bad":
                t["used"][k] = 0
    check(after == before, f"tenants after the loss: {after}, before: {before}")
    check(good.get("kept") == KEPT, "read after the loss of the gateway's disk")
    good.expect(0, "verify")
    p = good.expect(12, "ls", env={"QCLOUD_TOKEN_FILE": bad.token})
    check("no such vault" in said(p), f"another tenant's token after the loss: {said(p)}")


def moved_out(server, url):
    """Somebody who may move no more names: what a sync finds under another name is stored anew, and removed where it was by the next one."""
    with User(server, "mover", url, limits=("--objects", "4")) as u:
        u.init()
        d, args = os.path.join(u.work, "d"), ("--json", "sync", "--delete", "--max-delete", "100")
        os.mkdir(d)
        u.write("d/a", b"a" * 1000)
        os.utime(os.path.join(d, "a"), (1, 1))
        u.expect(0, *args, d, "d/")
        for a, b in (("d/a", "e"), ("e", "d/a")) * 2:
            u.expect(0, "mv", a, b)
        p = u.expect(14, "mv", "d/a", "e")
        check("names would have been moved" in said(p), f"moves without a limit: {said(p)}")
        u.expect(0, *args, d, "d/")
        os.rename(os.path.join(d, "a"), os.path.join(d, "c"))
        for want in (0, 1, 0), (0, 0, 1):
            s = json.loads(u.expect(0, *args, d, "d/").stdout.splitlines()[-1])["summary"]
            check((s["renamed"], s["files"], s["deleted"]) == want, f"a sync that may not move: {s}")
        check(u.expect(0, "ls", "d/").stdout == b"d/c\n" and u.get("d/c") == b"a" * 1000, "stored anew")


def run():
    rng = seeded("tenants")
    with api.ManyUsers(connections=CONNECTIONS) as server:
        url = f"http://127.0.0.1:{server.port}"
        try:
            with User(server, "good", url) as good, User(server, "bad", url, limits=("--quota", str(QUOTA))) as bad:
                good.init()
                good.write("kept", KEPT)
                good.expect(0, "put", os.path.join(good.work, "kept"))
                ids = ids_of(good)
                under_load(server, good, rng, ids)
                killed(server, good, rng, ids)
                disk_lost(server, good, bad)
            moved_out(server, url)
            server.stop()
        except (Failure, api.Failure):
            print(server.tail(), file=sys.stderr)
            raise


main(run)
