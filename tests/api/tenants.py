#!/usr/bin/python3
"""The doors of tenants: who gets in, and that what is another's is not there, whatever is asked and however.

Needs QC_BIN, the folder of qcloud-gateway; openssl, python3-yaml and python3-jsonschema. QC_SEED repeats a run.
"""
import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from contract import Walk
from openapi import OPERATOR_BODIES, b64
from server import GATEWAY, Failure, Guest, ManyUsers, check, parallel

TOKEN = re.compile("qcloud-token-v1-[0-9a-f]{64}")
STRANGER_S = 10                 # HTTP_STRANGER_MS
OPERATOR = {"tenants", "tenantAdd", "tenantChange", "repair", "jobGet", "jobCancel", "scrub", "scrubGet", "drill", "drillGet", "drillCancel", "clouds", "exitPlan", "codePlan", "move", "moveGet", "moveCancel", "snapshot", "snapshots", "snapshotCheck", "jobs", "debts", "jobAct", "debtsRetry", "logGet", "logLevel", "links", "linksTest", "sweep", "metrics", "dashboard", "style", "healthz", "readyz", "selftest", "cloudTest", "scrubHand"}


class Tenant(Walk):
    """The walk of contract.py through a tenant's door."""

    def empty(self):
        s = self.ask("status")
        check((s["k"], s["n"], s["objects"], s["versions"], s["bytes"], s["margins"], s["debts"]) == (3, 5, 0, 0, 0, [], 0), f"status {s}")
        check(self.ask("vaults") == {"vaults": []}, "vaults of a new tenant")

    def all(self):
        """Everything that a client does; the ids that were used."""
        self.empty()
        self.unknown()
        self.vaults()
        up, e, body, data = self.uploads()
        self.versions(up, e, body, data)
        self.entries(e)
        second = self.overwrite(up, e)
        self.listing(second)
        self.remove(second)
        self.chain()
        self.cancels()
        s = self.ask("status")
        check(s["margins"] == [{"margin": 2, "versions": s["versions"]}] and s["versions"] > 9 and s["objects"] > 9, f"status after all: {s}")
        name = self.id()
        self.ask("content", {"vault": self.vault, "object": up["object"], "version": up["version"]}, headers={"X-Qcloud-Request": name})
        return {"vault": self.vault, "object": up["object"], "version": up["version"], "put_key": up["put_key"], "seq": 0, "request": name,
                "path": e["path"], "entry": e, "commit": body}


def bodies(walk, ids):
    """A good body for every call that has one."""
    return {
        "vaultPut": {"record": walk.record(ids["vault"]), "backup": "AAAA"},
        "backups": walk.backups_body({k: ids[k] for k in ("vault", "object", "version")}, generation=9),
        "entryGet": {"path": ids["path"]},
        "entryList": {"prefix": ""},
        "entrySome": {"paths": [ids["path"]]},
        "members": {"members": [{"put_key": "7" * 32, "start": 0, "entry": ids["commit"]["entry"], "backup": "AAAA"}], "segments": 1},
        "membersBytes": walk.members_bytes({"put_key": "7" * 32, "start": 0, "entry": ids["commit"]["entry"], "backup": "AAAA"}),
        "readSome": {"objects": [{k: ids[k] for k in ("object", "version")}]},
        "purge": {"objects": [{k: ids[k] for k in ("object", "version")}]},
        "retain": {"objects": [{k: ids[k] for k in ("object", "version")}], "until": 1 << 32},
        "entryRename": walk.move_body(ids["entry"], walk.path(), 1),
        "entryRemove": {"path": ids["path"], "number": 2, "seal": b64(bytes(32)), "put_key": "9" * 32},
        "uploadBegin": {"put_key": "8" * 32, "object": ids["object"], "version": ids["version"], "base": 0, "path_number": 1},
        "commit": ids["commit"],
        "uploadResume": {"segments": 1},
        "segmentPut": b"a segment",
        "tenantAdd": {"name": "eve", "token_hash": b64(bytes(32))},
        "tenantChange": {"enabled": True},
        "repair": {"deep": True},
        "scrub": {"content": True},
        "snapshot": {},
        **OPERATOR_BODIES,
        "move": {"kind": "domain", "domain": "cloud"},
        "drill": {"sample": 1},
    }


class Isolation:
    def __init__(self, server, seed):
        self.server, self.random, self.count = server, random.Random(seed), 0
        self.seed = seed

    def send(self, guest, walk, name, ids, body=None, headers=None):
        """The whole of an answer that could tell anything."""
        self.count += 1
        data = json.dumps(body) if isinstance(body, dict) else body
        a = guest.request(walk.contract.operations[name][0], walk.contract.url(name, {k: v for k, v in ids.items() if k in PATHS}), data, headers)
        walk.contract.judge(name, a)
        return a.status, sorted((k, v) for k, v in a.headers.items() if k != "Date"), a.body

    # ------------------------------------------------------------ the same ids for two tenants
    def twins(self):
        """Two tenants do everything at once, with the same ids for everything, through two doors. Neither notices."""
        guests = Guest(self.server, "ann", "socket"), Guest(self.server, "bob", "address")
        walks = [Tenant(g, self.seed) for g in guests]
        ids = parallel([w.all for w in walks])
        check(walks[0].vault == walks[1].vault and ids[0]["put_key"] == ids[1]["put_key"], "this test gives both the same ids")
        return walks[0], ids[0]

    # ------------------------------------------------------------ what is another's
    def foreign(self, walk, ids):
        """Every call with ids of another tenant: byte for byte what is answered for ids that nobody has."""
        eve, judge = Guest(self.server, "eve"), Walk(self.server, 1)
        before = self.all_of(walk, ids)
        last = ["uploadCancel", "vaultPut"]         # after them an upload, and a vault, of that id are eve's, too
        for name in [x for x in judge.contract.operations if x not in OPERATOR | {"health", "status", "vaults", *last}] + last:
            for change in range(4):                 # which ids are another's; the others are nobody's
                nobodys = ids | {k: self.random.randbytes(16).hex() for k in ("vault", "object", "version", "put_key", "request")}
                anothers = nobodys | {k: ids[k] for k in (("vault", "object", "version", "put_key", "request"), ("vault", "put_key"), ("object", "version"),
                                                          ("version", "request"))[change]}
                body = bodies(judge, anothers)
                told = [self.send(eve, judge, name, i, bodies(judge, i)[name] if name in body else None) for i in (anothers, nobodys)]
                if name == "vaultPut":              # both are made, and eve's own
                    check(told[0] == told[1] and told[0][0] == 201, f"{name} tells what is another's: {told}")
                    break
                check(told[0] == told[1], f"{name} tells what is another's: {told}")
                check(told[0][0] == (200 if name in ("uploadGet", "uploadCancel") else 404) or change == 1, f"{name}: {told}")
        check(self.all_of(walk, ids) == before, "another tenant's calls changed something")
        listed = json.loads(self.send(eve, judge, "vaults", {})[2])["vaults"]
        check(len(listed) == 2 and ids["vault"] in listed, f"eve's own vaults: {listed}")
        check(walk.ask("vaults") == {"vaults": [ids["vault"]]}, "ann's vaults")

    def all_of(self, walk, ids):
        """All that a tenant can see."""
        o = {k: ids[k] for k in ("vault", "object", "version")}
        passing = ("clouds", "dead_segments", "observed", "counted", "scrub")
        receipt = walk.ask("uploadGet", {"put_key": ids["put_key"]})["receipt"]
        del receipt["record_copies"]                # a rebuild knows of the quorum alone
        info = walk.ask("info", o)
        check(all(at >= info["written"] for at in info.pop("seen").values()), f"seen before it was written: {info}")    # passes go on
        return ({k: v for k, v in walk.ask("status").items() if k not in passing}, walk.ask("vaults"), walk.ask("vaultGet", {"vault": ids["vault"]}),
                walk.ask("chain", {"vault": ids["vault"]}), walk.ask("entryList", {"vault": ids["vault"]}, {"prefix": "", "tombstones": True}),
                walk.ask("content", o), walk.ask("backup", o), info, receipt)

    def status(self, walk):
        """What a tenant is told of the whole: no addresses, no counts of others, no keys of objects."""
        eve = Walk(Guest(self.server, "eve"), 2)
        s, all_ = eve.ask("status"), Walk(self.server, 3).ask("status")
        check(s["objects"] == s["versions"] == 0 < walk.ask("status")["objects"], f"counts of others: {s}")
        text = json.dumps(s)
        check(not any(c["url"] in text for c in all_["clouds"]) and self.server.root not in text, f"addresses: {text}")
        check([c["name"] for c in s["clouds"]] == [c["name"] for c in all_["clouds"]], f"clouds: {s}")

    # ------------------------------------------------------------ who gets in
    def tokens(self, walk, ids):
        """Every call with something that is not the token: refused before anything else is looked at."""
        good, judge = self.server.tokens["ann"], Walk(self.server, 1)
        flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
        wrong = [None, "", "Bearer", "Bearer ", good, "Basic " + good, "Bearer " + flipped, "Bearer " + good.upper(), "Bearer " + good[:-1], "Bearer " + good + "0",
                 f"Bearer {good} {good}", f"Bearer {good},", "Bearer " + "a" * 8000, "Bearer " + self.server.old_token, 'Digest username="ann"',
                 "Bearer " + good.replace("v1", "v2")]
        check(len(TOKEN.findall(good)) == 1, "this test knows what a token is")
        for name, (method, *_) in judge.contract.operations.items():
            for way in ("socket", "address"):
                for text in wrong if name in ("health", "content", "segmentPut", "tenants") else self.random.sample(wrong, 3):
                    self.refused(judge, name, ids, way, {} if text is None else {"Authorization": text}, 401)
        self.refused(judge, "health", ids, "socket", {"Authorization": "Bearer " + self.server.tokens["out"]}, 403)
        for name in OPERATOR:
            self.refused(judge, name, ids, "address", {"Authorization": "Bearer " + good}, 403)
        for text in ("Bearer " + good, "bearer  " + good, "BEARER " + good):
            check(self.raw([("Authorization", text)])[0] == 200, f"this is the token: {text[:9]}")
        check(self.raw([("Authorization", "Bearer " + good)] * 2)[0] == 400, "two tokens")
        check(self.raw([("authorization", "Bearer " + flipped), ("Authorization", "Bearer " + good)])[0] == 400, "two tokens, one of them good")
        status, headers = self.raw([("Authorization", "Bearer " + flipped)], "/v1/nothing/here")
        check(status == 401 and headers["WWW-Authenticate"].startswith("Bearer"), "who has no token is told of no path")
        check(self.raw([], "/v1/health", "OPTIONS")[0] == 401, "nor of methods")

    def refused(self, judge, name, ids, way, headers, status):
        self.count += 1
        ids = {**ids, "tenant": "ann", "job": 1}
        url = judge.contract.url(name, {k: v for k, v in ids.items() if k in PATHS})
        body = bodies(judge, ids).get(name)
        a = self.server.request_on(self.server.door(way), judge.contract.operations[name][0], url, json.dumps(body) if isinstance(body, dict) else body, headers)
        judge.contract.judge(name, a)
        check(a.status == status, f"{name} with {str(headers)[:60]}: {a}")

    def raw(self, headers, url="/v1/health", method="GET"):
        c = self.server.door("socket")
        c.putrequest(method, url)
        for k, v in headers:
            c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        r.read()
        c.close()
        return r.status, r.headers

    def rotation(self, walk):
        """Another token: the old one is worth nothing at the next request, also on a connection that is open."""
        c = self.server.door("socket")
        headers = Guest(self.server, "bob").headers()

        def ask():
            c.request("GET", "/v1/vaults", headers=headers)
            r = c.getresponse()
            return r.status, r.read()

        check(ask()[0] == 200, "the old token")
        path = os.path.join(self.server.root, "bob.second")
        self.server.run("tenant", "token", "bob", "--token-file", path, "--state", self.server.state)
        check(ask()[0] == 401, "the old token, on a connection that it opened")
        with open(path, encoding="ascii") as f:
            self.server.old_token, self.server.tokens["bob"] = self.server.tokens["bob"], f.read().strip()
        check(Guest(self.server, "bob").request("GET", "/v1/vaults").status == 200, "the new token")
        check(os.stat(path).st_mode & 0o777 == 0o600, "mode of a token file")
        for command in (("token", "bob", "--token-file", path), ("add", "zoe", "--token-file", path)):
            check(self.fails("tenant", *command, "--state", self.server.state) == 5, f"{command}: what is there is not overwritten")
        check(self.fails("tenant", "add", "bob", "--token-file", path + ".3", "--state", self.server.state) == 5, "a name that is taken")
        check(not os.path.exists(path + ".3"), "a token that opens nothing is left over")

    def fails(self, *args):
        return subprocess.run([GATEWAY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode

    # ------------------------------------------------------------ how much
    def quotas(self):
        """Over a quota: writing is refused with 507, everything else goes on; a greater one, and it goes on where it was."""
        name = "tight"
        self.server.add(name, "--quota", "300000", "--objects", "3", "--uploads", "2")
        w = Tenant(Guest(self.server, name), self.seed)
        self.count += 1
        w.ask("vaultPut", {"vault": w.vault}, {"record": w.record(w.vault), "backup": "AAAA"}, expect=201)
        path = w.path()
        w.put(path, 1, b"a" * 200000)
        up = w.upload()
        key = {"put_key": up["put_key"]}
        w.ask("uploadBegin", {"vault": w.vault}, up, expect=201)
        w.ask("segmentPut", key | {"seq": 0}, b"b" * 200000, {"last": 1}, expect=507, error="quota")
        w.ask("segmentPut", key | {"seq": 0}, b"b" * 50000, {"last": 1})
        w.ask("segmentPut", key | {"seq": 0}, b"c" * 50000, {"last": 1})        # again: counted once
        e = w.entry(up, w.path(), 1, 50000)
        w.ask("commit", key, w.commit_body(e, 1))
        w.seals.append(b"")
        check(60000 > w.ask("status")["bytes"] - 200000 >= 50000, f"bytes: {w.ask('status')}")
        ups = [w.upload() for _ in range(3)]
        w.ask("uploadBegin", {"vault": w.vault}, ups[0], expect=201)
        w.ask("uploadBegin", {"vault": w.vault}, ups[1], expect=507, error="quota")        # the third version is under way
        self.server.run("tenant", "quota", name, "--objects", "none", "--quota", "1M", "--config", self.server.config)
        w.ask("uploadBegin", {"vault": w.vault}, ups[1], expect=201)
        w.ask("uploadBegin", {"vault": w.vault}, ups[2], expect=507, error="quota")        # two uploads are open
        w.ask("uploadCancel", {"put_key": ups[0]["put_key"]})
        w.ask("uploadBegin", {"vault": w.vault}, ups[2], expect=201)
        self.server.run("tenant", "quota", name, "--quota", "0", "--config", self.server.config)
        w.ask("segmentPut", {"put_key": ups[2]["put_key"], "seq": 0}, b"d", {"last": 1}, expect=507, error="quota")
        listed = w.ask("entryList", {"vault": w.vault}, {"prefix": ""})["entries"]
        check(len(listed) == 2 and w.ask("content", {"vault": w.vault, "object": e["object"], "version": e["version"]}) == b"c" * 50000, "reading over quota")
        w.ask("entryRemove", {"vault": w.vault}, {"path": e["path"], "number": 2, "seal": b64(bytes(32)), "put_key": w.id()})
        check(w.ask("status")["limits"] == {"bytes": 0, "objects": None, "uploads": 2, "requests": 16}, "limits")

    def requests(self):
        """As many requests at once as a tenant may have; others do not feel it."""
        self.server.add("busy", "--requests", "2")
        guest = Guest(self.server, "busy")
        judge, held = Walk(guest, 1), []
        for _ in range(2):
            s = guest.connect()
            s.sendall(b"POST /v1/vaults/%s/entries/get HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{" %
                      (b"0" * 32, self.server.tokens["busy"].encode()))
            held.append(s)
        end = time.monotonic() + 120
        while (a := guest.once("GET", "/v1/vaults")).status != 429:
            check(a.status == 200 and time.monotonic() < end, f"two requests under way: {a}")
        value = judge.contract.judge("vaults", a)
        check(value["error"]["id"] == "temporary" and value["error"]["retry"], f"too many: {a}")
        check(Guest(self.server, "ann").request("GET", "/v1/vaults").status == 200, "another tenant feels it")
        for s in held:
            s.close()
        while guest.once("GET", "/v1/vaults").status != 200:
            check(time.monotonic() < end, "requests that ended are counted on")

    def strangers(self):
        """Connections without a request; to be closed in time, not at once."""
        def wait(s, since, end):
            end.append(s.recv(1) == b"" and time.monotonic() - since)

        strangers = []
        for way in ("socket", "address"):
            s, end = Guest(self.server, "ann", way).connect(timeout=8 * STRANGER_S), []
            strangers.append((s, threading.Thread(target=wait, args=(s, time.monotonic(), end), daemon=True), end))
            strangers[-1][1].start()
        return strangers

    def strangers_gone(self, strangers):
        for s, thread, end in strangers:
            thread.join(9 * STRANGER_S)
            check(end and end[0], "an answer to nothing, or none")
            check(STRANGER_S - 1 < end[0] < 3 * STRANGER_S, f"a stranger stays {end[0]:.1f} s")
            s.close()

    # ------------------------------------------------------------ what does not survive what
    def restart(self, walk, ids):
        """Ownership and tokens after a restart, and after a rebuild from the clouds alone."""
        before = self.all_of(walk, ids)
        self.server.stop()
        check(not os.path.exists(self.server.socket), "a socket's name is left over")
        self.server.start()
        check(self.all_of(walk, ids) == before, "after a restart")
        check(Guest(self.server, "out").request("GET", "/v1/health").status == 403, "disabled after a restart")
        tenants = Walk(self.server, 1).ask("tenants")
        self.server.stop()
        self.server.state = os.path.join(self.server.root, "rebuilt")
        with open(self.server.config, encoding="ascii") as f:
            text = f.read()
        with open(self.server.config, "w", encoding="ascii") as f:
            f.write(re.sub("state = .*", "state = " + self.server.state, text))
        self.server.run("rebuild", "--config", self.server.config, *self.server.cloud_options())
        self.server.start()
        after = self.all_of(walk, ids)
        check(after == before, f"after a rebuild from the clouds alone: {[(a, b) for a, b in zip(after, before) if a != b]}")
        got = Walk(self.server, 1).ask("tenants")
        for t in [*got["tenants"], *tenants["tenants"]]:
            if t["name"] == "tight":                # its open uploads were on the gateway's disk alone
                t["used"] = None
        check(got == tenants, f"tenants after a rebuild: {got}, before: {tenants}")
        check(Guest(self.server, "out").request("GET", "/v1/health").status == 403, "disabled after a rebuild")
        headers = {"Authorization": "Bearer " + self.server.old_token}
        check(self.server.request_on(self.server.door("socket"), "GET", "/v1/vaults", None, headers).status == 401, "an old token after a rebuild")
        check(walk.ask("vaults") == {"vaults": [ids["vault"]]}, "whose vault it is after a rebuild")

    def secrets(self):
        """No token in the log, in the state directory, or on the clouds; nor its hash."""
        import hashlib
        wanted = []
        for t in [*self.server.tokens.values(), self.server.old_token]:
            digest = hashlib.sha256(t.encode()).digest()
            wanted += [t.encode(), t[16:].encode(), bytes.fromhex(t[16:]), digest, digest.hex().encode(), b64(digest).encode()]
        looked = 0
        for top in (self.server.state, self.server.log, *self.server.clouds):
            for path in [top] if os.path.isfile(top) else [os.path.join(d, f) for d, _, names in os.walk(top) for f in names]:
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                looked += len(data)
                check(not any(w in data for w in wanted), f"a token, or its hash, lies in {os.path.relpath(path, self.server.root)}")
        check(looked > 1 << 20, f"only {looked} bytes were looked at")
        with open(self.server.log, encoding="utf-8", errors="replace") as f:
            check("a tenant was added" in f.read(), "the log tells of tenants")
        return looked

    def run(self):
        s = self.server
        for name in ("ann", "bob", "eve", "out"):
            s.add(name)
        s.old_token = s.tokens["ann"][:16] + "0" * 64
        s.run("tenant", "disable", "out", "--config", s.config)
        strangers = self.strangers()
        walk, ids = self.twins()
        self.status(walk)
        self.foreign(walk, ids)
        self.rotation(walk)
        self.tokens(walk, ids)
        self.quotas()
        self.requests()
        self.strangers_gone(strangers)
        self.restart(walk, ids)
        looked = self.secrets()
        print(f"{self.count} calls with what is another's, nobody's, or no token; {looked >> 20} MiB looked at for tokens")


PATHS = ("vault", "object", "version", "put_key", "seq", "request", "tenant", "job")


def tls():
    """TLS 1.3 and nothing older; another certificate at SIGHUP, while a connection goes on."""
    with ManyUsers(tls=True) as s:
        s.add("ann")
        guest = Guest(s, "ann", "address")
        first = s.door("address")
        first.request("GET", "/v1/health", headers=guest.headers())
        r = first.getresponse()
        check(r.status == 200 and json.loads(r.read())["ok"], "health by TLS")
        serial = ssl.DER_cert_to_PEM_cert(first.sock.getpeercert(True))
        old = ssl.create_default_context(cafile=s.cert)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            old.wrap_socket(socket.create_connection(("127.0.0.1", s.port)), server_hostname="localhost").close()
            raise Failure("TLS 1.2 is spoken")
        except ssl.SSLError:
            pass
        a = http.client.HTTPConnection("127.0.0.1", s.port, timeout=30)
        try:
            a.request("GET", "/v1/health", headers=guest.headers())
            check(a.getresponse().status >= 400, "HTTP in clear where TLS is")
        except (http.client.HTTPException, ConnectionError):
            pass
        with open(s.key, "rb") as f:
            key = f.read()
        s.certify()
        with open(s.key, "rb") as f:
            new_key = f.read()
        with open(s.key, "wb") as f:
            f.write(key)                            # not the certificate's: it has to go on as it was
        s.process.send_signal(signal.SIGHUP)
        wait(lambda: "the configuration is not used" in s.tail(), "a key that does not fit")
        check(same(s, serial), "after a key that does not fit: another certificate")
        with open(s.key, "wb") as f:
            f.write(new_key)
        os.rename(s.log, s.log + ".1")
        s.process.send_signal(signal.SIGHUP)
        wait(lambda: os.path.exists(s.log) and "read again" in s.tail(), "the configuration is not read again")
        check(guest.request("GET", "/v1/health").status == 200 and not same(s, serial), "the new certificate is not served")
        first.request("GET", "/v1/health", headers=guest.headers())
        check(first.getresponse().status == 200, "a connection of before breaks")
        first.close()
        s.stop()


def same(s, pem):
    with ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", s.port)), server_hostname="localhost") as c:
        return ssl.DER_cert_to_PEM_cert(c.getpeercert(True)) == pem


def wait(done, text, seconds=20):
    end = time.monotonic() + seconds
    while not done():
        check(time.monotonic() < end, text)
        time.sleep(0.02)                            # bounded by `end`


def main():
    check(os.access(GATEWAY, os.X_OK), "QC_BIN must name the folder of qcloud-gateway")
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"tenants: QC_SEED={seed}", flush=True)
    with ManyUsers() as server:
        try:
            Isolation(server, seed).run()
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        server.stop()
    tls()


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
