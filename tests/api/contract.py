#!/usr/bin/python3
"""A running gateway against docs/openapi.yaml: every path, method and status of the page is asked for, in a sensible order,
and every answer is judged by the page. What the page does not name is a failure, and so is what nobody could provoke.

Needs QC_BIN, the folder of qcloud-gateway; python3-yaml and python3-jsonschema. QC_SEED repeats a run.
"""
import hashlib
import itertools
import json
import os
import random
import sqlite3
import sys
import time

import refusals
from openapi import Contract, b64, unb64
from server import GATEWAY, Failure, Server, check, parallel

# What this test cannot bring about, and why; everything else that the page names has to be seen.
EXEMPT = {
    ("*", "401"), ("*", "429"),                     # of the tenants' doors: tests/api/tenants.py
    ("*", "403"),       # needs another user
    ("*", "423"),       # needs a second program that writes the catalogue
    ("health", "5XX"), ("request", "5XX"), ("vaults", "5XX"), ("vaultGet", "5XX"), ("chain", "5XX"), ("entryGet", "5XX"),
    ("entryList", "5XX"), ("uploadGet", "5XX"), ("uploadClouds", "5XX"), ("uploadCancel", "5XX"), ("backup", "5XX"), ("info", "5XX"), ("status", "5XX"),
    ("uploadBegin", "5XX"), ("uploadResume", "5XX"), ("tenants", "5XX"), ("repair", "5XX"), ("sweep", "5XX"), ("linksTest", "5XX"), ("links", "5XX"), ("logLevel", "5XX"), ("logGet", "5XX"), ("debtsRetry", "5XX"), ("jobAct", "5XX"), ("debts", "5XX"), ("jobs", "5XX"), ("snapshot", "5XX"), ("snapshots", "5XX"), ("snapshotCheck", "5XX"), ("jobGet", "5XX"), ("jobCancel", "5XX"), ("scrub", "5XX"), ("scrubGet", "5XX"), ("drill", "5XX"), ("drillGet", "5XX"), ("drillCancel", "5XX"), ("selftest", "5XX"), ("cloudTest", "5XX"), ("scrubHand", "5XX"),      # need a failing disk: tests/fault does that beneath the engine
    ("clouds", "5XX"), ("exitPlan", "5XX"), ("codePlan", "5XX"), ("move", "5XX"), ("moveGet", "5XX"), ("moveCancel", "5XX"),
    ("metrics", "5XX"), ("dashboard", "5XX"), ("style", "5XX"), ("healthz", "503"), ("healthz", "5XX"), ("readyz", "503"), ("readyz", "5XX"),       # tests/api/watch.py
    ("entrySome", "5XX"), ("members", "5XX"), ("membersBytes", "5XX"), ("purge", "5XX"), ("retain", "5XX"), ("backups", "5XX"), ("entryRename", "5XX"),
    ("content", "5XX"),                             # where a read fails, its answer has begun: see broken_read
}


def enc(*items):
    return b"".join(len(x).to_bytes(8, "big") + x for x in items)


def sha(data):
    return hashlib.sha256(data).digest()


class Walk:
    def __init__(self, server, seed):
        self.server, self.contract, self.random = server, Contract(), random.Random(seed)
        self.vault = self.id()
        self.seals = []                             # of the vault's chain
        self.calls = 0

    # ------------------------------------------------------------ asking
    def id(self):
        return self.random.randbytes(16).hex()

    def ask(self, name, ids=None, body=None, query=None, headers=None, expect=200, error=None):
        """One call by its operationId; a dict as body is sent as JSON, and must fit the page. Returns the answer's JSON or bytes."""
        c, data = self.contract, body
        if isinstance(body, dict):
            why = c.wrong(c.request_schema(name), body)
            check(why is None, f"{name}: this test sends what the page does not allow: {why}")
            data = json.dumps(body)
        url = c.url(name, ids or {}, query)
        a = self.server.request(c.operations[name][0], url, data, headers)
        self.calls += 1
        value = c.judge(name, a, str(data)[:200] if isinstance(body, dict) else "")
        check(a.status == expect, f"{name}: expected {expect}: {c.operations[name][0]} {url}: {a}")
        if error is not None:
            check(value["error"]["id"] == error, f"{name}: expected {error}: {a}")
        return a.body if value is None else value

    def head(self):
        h = sha(enc(b"head", bytes.fromhex(self.vault)))
        for i, seal in enumerate(self.seals, 1):
            h = sha(enc(b"head", h, i.to_bytes(8, "big"), seal))
        return {"count": len(self.seals), "hash": b64(h)}

    # ------------------------------------------------------------ what is sent
    def record(self, vault):
        return b64(b"QCLV" + bytes((1, 1, 0, 0)) + bytes.fromhex(vault) + self.random.randbytes(100))

    def backup(self, o, generation=1):
        """B of a version of this vault, as far as a gateway sees it (FORMAT 4)."""
        ids = b"".join(bytes.fromhex(i) for i in (o.get("vault", self.vault), o["object"], o["version"]))
        return b64(b"QCLB" + bytes((1, 1, 0, 0)) + ids + generation.to_bytes(4, "big") + bytes((1, 2, 0, 32)) + self.random.randbytes(108))

    def backups_body(self, *versions, generation=1):
        return {"backups": [{"object": o["object"], "version": o["version"], "backup": self.backup(o, generation)} for o in versions]}

    def path(self, prefix=b"", n=34):
        return prefix + self.random.randbytes(n)

    def upload(self):
        return {"put_key": self.id(), "object": self.id(), "version": self.id(), "base": 0, "path_number": 1}

    def entry(self, up, path, number, size, sequence=1):
        return {"path": b64(path), "number": number, "kind": 1, "object": up["object"], "version": up["version"], "sequence": sequence,
                "size": size, "m": b64(self.random.randbytes(32)), "private": b64(self.random.randbytes(60)),
                "seal": b64(self.random.randbytes(32))}

    def commit_body(self, entry, segments, backup=None):
        return {"entry": entry, "segments": segments, "backup": b64(backup or self.random.randbytes(172))}

    def segments(self, up, *datas):
        for i, data in enumerate(datas):
            got = self.ask("segmentPut", {"put_key": up["put_key"], "seq": i}, data, {"last": int(i == len(datas) - 1)})
            check(got["seq"] == i and got["n"] == self.server.n, f"segment {i}: {got}")
        return sum(map(len, datas))

    def put(self, path, number, *datas, sequence=1):
        """A whole put; (upload, entry, commit body, receipt)."""
        up = self.upload()
        self.ask("uploadBegin", {"vault": self.vault}, up, expect=201)
        e = self.entry(up, path, number, self.segments(up, *datas), sequence)
        body = self.commit_body(e, len(datas))
        receipt = self.ask("commit", {"put_key": up["put_key"]}, body)
        self.seals.append(unb64(e["seal"]))
        check(receipt["number"] == number and receipt["chain"] == len(self.seals) and receipt["head"] == self.head(), f"receipt {receipt}")
        return up, e, body, receipt

    def member(self, path, number, start, size):
        up = self.upload()
        return {"put_key": up["put_key"], "start": start, "entry": self.entry(up, path, number, size), "backup": b64(self.random.randbytes(172))}

    def members_bytes(self, *members):
        """FORMAT 5.3."""
        def one(m):
            e = m["entry"]
            return b"".join((bytes.fromhex(m["put_key"]), *(v.to_bytes(8, "big") for v in (m["start"], e["number"], e["sequence"], e["size"])),
                             bytes.fromhex(e["object"] + e["version"]), unb64(e["m"]), unb64(e["seal"]),
                             *(len(x).to_bytes(4, "big") + x for x in map(unb64, (e["path"], e["private"], m["backup"])))))
        return b"".join(map(one, members))

    def members_body(self, *members):
        return {"members": list(members), "segments": 1}

    # ------------------------------------------------------------ the walk
    def empty(self):
        h = self.ask("health")
        check(h["ok"] and not h["fenced"], f"health {h}")
        s = self.ask("status")
        check([c["state"] for c in s["clouds"]] == ["ok"] * self.server.n and (s["k"], s["n"]) == (3, 5), f"status {s}")
        check(s["catalogue"] == h["catalogue"] and s["objects"] == s["versions"] == s["open_uploads"] == 0, f"status {s}")
        check(self.ask("vaults") == {"vaults": []}, "vaults of a new gateway")
        check(self.ask("healthz")["alive"] and self.ask("readyz")["read"] and self.ask("readyz", query={"for": "write"})["write"], "a new gateway is not ready")
        check(b"<h2>Clouds</h2>" in self.ask("dashboard") and b"{" in self.ask("style"), "dashboard of a new gateway")
        check(b"\nqcloud_clouds %d\n" % self.server.n in self.ask("metrics"), "metrics of a new gateway")
        check(self.ask("tenants") == {"tenants": []}, "tenants of a new gateway")

    def unknown(self):
        """Nothing is there yet: every call that names something says so."""
        v, o = {"vault": self.vault}, {"vault": self.vault, "object": self.id(), "version": self.id()}
        for name in ("vaultGet", "chain"):
            self.ask(name, v, expect=404, error="not-found")
        path = b64(self.path())
        self.ask("entryGet", v, {"path": path}, expect=404, error="not-found")
        self.ask("entryList", v, {"prefix": ""}, expect=404, error="not-found")
        self.ask("entryRemove", v, {"path": path, "number": 1, "seal": b64(bytes(32)), "put_key": self.id()}, expect=404, error="not-found")
        self.ask("entryRename", v, self.move_body(self.entry(self.upload(), self.path(), 1, 1), self.path(), 1), expect=404, error="not-found")
        self.ask("uploadBegin", v, self.upload(), expect=404, error="not-found")
        for name in ("content", "backup", "info"):
            self.ask(name, o, expect=404, error="not-found")
        key = {"put_key": self.id()}
        check(self.ask("uploadGet", key) == {"state": "unknown", "receipt": None}, "state of an unknown upload")
        self.ask("segmentPut", key | {"seq": 0}, b"x", expect=404, error="not-found")
        self.ask("commit", key, self.commit_body(self.entry(self.upload(), self.path(), 1, 1), 1), expect=404, error="not-found")
        self.ask("entrySome", v, {"paths": [path]}, expect=404, error="not-found")
        self.ask("readSome", v, {"objects": [{"object": self.id(), "version": self.id()}]}, expect=404, error="not-found")
        self.ask("purge", {"vault": self.id()}, {"objects": [{"object": self.id(), "version": self.id()}]}, expect=404, error="not-found")
        self.ask("backups", v, self.backups_body(o), expect=404, error="not-found")
        self.ask("retain", {"vault": self.id()}, {"objects": [{"object": self.id(), "version": self.id()}], "until": 1}, expect=404, error="not-found")
        self.ask("members", key, self.members_body(self.member(self.path(), 1, 0, 1)), expect=404, error="not-found")
        self.ask("membersBytes", key, self.members_bytes(self.member(self.path(), 1, 0, 1)), expect=404, error="not-found")
        self.ask("uploadResume", key, {"segments": 1}, expect=404, error="not-found")
        self.ask("request", {"request": self.id()}, expect=404, error="not-found")

    def vaults(self):
        v = {"vault": self.vault}
        body = {"record": self.record(self.vault), "backup": self.backup({"object": self.vault, "version": "0" * 32})}
        self.ask("vaultPut", v, {"record": self.record(self.id()), "backup": body["backup"]}, expect=400, error="usage")
        self.ask("vaultPut", v, {"record": b64(b"QCLV" + bytes((2, 1, 0, 0)) + bytes(116)), "backup": body["backup"]}, expect=502, error="newer")
        self.ask("vaultPut", v, body, expect=201)
        self.ask("vaultPut", v, body, expect=200)
        self.ask("vaultPut", v, body | {"backup": b64(bytes(172))}, expect=409, error="conflict")
        self.ask("vaultPut", v, body | {"record": self.record(self.vault)}, expect=409, error="conflict")
        check(self.ask("vaultGet", v) == body | {"head": self.head()}, "the vault as it was put")
        check(self.ask("vaults") == {"vaults": [self.vault]}, "list of vaults")
        check(self.ask("chain", v) == {"head": self.head(), "seals": []}, "chain of a new vault")

    def uploads(self):
        v, up, path = {"vault": self.vault}, self.upload(), self.path(b"a" * 16)
        key = {"put_key": up["put_key"]}
        check(self.ask("uploadBegin", v, up, expect=201) == key, "begun")
        check(self.ask("uploadBegin", v, up, expect=200) == key, "begun twice")
        self.ask("uploadBegin", v, up | {"object": self.id()}, expect=409, error="conflict")
        self.ask("uploadBegin", v, up | {"put_key": self.id()}, expect=409, error="conflict")      # object and version taken
        check(self.ask("uploadGet", key) == {"state": "open", "receipt": None}, "state of an open upload")
        datas = [self.random.randbytes(3 << 20), self.random.randbytes(70001)]
        self.segment_refusals(key)
        self.ask("uploadClouds", {"put_key": self.id()}, expect=404, error="not-found")
        self.ask("segmentPut", key | {"seq": 1}, b"replaced by what follows", {"last": 1})
        size = self.segments(up, *datas)
        fares = self.ask("uploadClouds", key)
        check(fares["segments"] == 3 and len(fares["clouds"]) == 5 and all(c["state"] == "ok" and c["durable"] == 3 and c["failed"] == c["tries"] == 0 and c["why"] == ""
              and c["bytes"] > len(datas[0]) // 3 for c in fares["clouds"]), f"how it fares: {fares}")
        e = self.entry(up, path, 1, size)
        self.commit_refusals(key, e)
        body = self.commit_body(e, 2)
        self.resume(key, datas, body)
        body = body | {"run": 3}
        receipt = self.ask("commit", key, body)
        self.seals.append(unb64(e["seal"]))
        want = {"number": 1, "chain": 1, "head": self.head(), "acked_margin": 2, "margin_full": 2, "durable_min": 5, "n": 5, "degraded": [], "degraded_why": [],
                "following": [], "record_copies": 5, "clouds": 5}
        check(receipt == want, f"receipt {receipt}, expected {want}")
        check(self.ask("commit", key, body) == receipt, "the same commit again")
        got = self.ask("commit", key, self.commit_body(e | {"number": 2, "seal": b64(bytes(32))}, 2), expect=409, error="conflict")
        check(got["current"]["number"] == 1 and got["current"]["seal"] == e["seal"], f"current of a conflict: {got}")
        self.ask("uploadBegin", v, up | {"version": self.id()}, expect=409, error="conflict")
        self.ask("segmentPut", key | {"seq": 0}, b"late", expect=409, error="conflict")
        check(self.ask("uploadGet", key) == {"state": "live", "receipt": receipt}, "state of a live upload")
        self.ask("uploadResume", key, {"segments": 1}, expect=409, error="conflict")
        got = self.ask("uploadCancel", key, expect=409, error="conflict")
        check((got["state"], got["receipt"]) == ("live", receipt), f"cancel of a live upload: {got}")
        return up, e, body, b"".join(datas)

    def resume(self, key, datas, body):
        """It goes on: with what is asked for, never with the last segment, and the run before counts no more."""
        first = {"run": 1, "segments": 1, "bytes": len(datas[0])}
        check(self.ask("uploadResume", key, {"segments": 1000000}) == first, "it goes on")
        self.ask("segmentPut", key | {"seq": 1}, datas[1], {"last": 1}, expect=409, error="conflict")
        self.ask("commit", key, body, expect=409, error="conflict")
        self.ask("commit", key, body | {"run": 1}, expect=400, error="usage")           # the last one is gone
        check(self.ask("uploadResume", key, {"segments": 0}) == {"run": 2, "segments": 0, "bytes": 0}, "with nothing")
        self.ask("segmentPut", key | {"seq": 0}, datas[0], {"run": 2})
        check(self.ask("uploadResume", key, {"segments": 7}) == first | {"run": 3}, "once more")
        self.ask("segmentPut", key | {"seq": 0}, datas[0], {"run": 2}, expect=409, error="conflict")
        self.ask("segmentPut", key | {"seq": 1}, datas[1], {"last": 1, "run": 3})

    def tenants(self):
        """The operator's calls; tests/api/tenants.py is about what tenants can do."""
        hash_, limits = b64(self.random.randbytes(32)), {"bytes": None, "objects": 1000000, "uploads": 64, "requests": 16}
        want = {"tenant": 1, "name": "ann", "enabled": True, "revision": 1, "limits": limits,
                "used": {"bytes": 0, "objects": 0, "uploads": 0, "vaults": 0}}
        check(self.ask("tenantAdd", body={"name": "ann", "token_hash": hash_}, expect=201) == want, "a new tenant")
        self.ask("tenantAdd", body={"name": "ann", "token_hash": hash_}, expect=409, error="conflict")
        top = self.contract.page["components"]["schemas"]
        most = {"bytes": 0, "objects": top["Count"]["maximum"], "uploads": top["UploadsLimit"]["maximum"], "requests": top["RequestsLimit"]["maximum"]}
        got = self.ask("tenantChange", {"tenant": "ann"}, most | {"enabled": False, "token_hash": b64(bytes(32))})
        check(got == want | {"revision": 2, "enabled": False, "limits": most}, f"a changed tenant: {got}")
        got = self.ask("tenantChange", {"tenant": "ann"}, {"objects": None})
        check(got["limits"] == most | {"objects": None} and got["revision"] == 3, f"no limit: {got}")
        self.ask("tenantChange", {"tenant": "bob"}, {"enabled": True}, expect=404, error="not-found")
        check(self.ask("tenants") == {"tenants": [got]}, "the list of tenants")

    def segment_refusals(self, key):
        at = key | {"seq": 0}
        self.ask("segmentPut", at, b"", expect=413, error="limit")
        self.ask("segmentPut", key | {"seq": 1000000}, b"x", expect=413, error="limit")
        self.ask("segmentPut", key | {"seq": 1 << 40}, b"x", expect=413, error="limit")
        self.ask("segmentPut", at, b"x", {"last": 2}, expect=400, error="usage")
        self.ask("segmentPut", at, b"x", {"last": "true"}, expect=400, error="usage")
        self.ask("segmentPut", at, b"x", {"wait": "some"}, expect=400, error="usage")
        a = self.server.request("PUT", self.contract.url("segmentPut", at), iter([b"no length"]), {"Transfer-Encoding": "chunked"}, chunked=True)
        self.contract.judge("segmentPut", a)
        check(a.status == 411, f"a segment without a length: {a}")

    def commit_refusals(self, key, e):
        for change, segments, error in (({"size": e["size"] + 1}, 2, "usage"), ({}, 1, "usage"), ({}, 3, "usage"), ({"object": self.id()}, 2, "usage"),
                                        ({"version": self.id()}, 2, "usage")):
            self.ask("commit", key, self.commit_body(e | change, segments), expect=400, error=error)
        for wrong in ({"wait": None}, {"run": None}):   # given, and of no use: not as if it were not there
            self.ask("commit", key, json.dumps(self.commit_body(e, 2) | wrong).encode(), expect=400)
        got = self.ask("commit", key, self.commit_body(e | {"number": 2}, 2), expect=409, error="conflict")
        check(got["current"] is None, f"current of a path that never was: {got}")

    def versions(self, up, e, body, data):
        o = {"vault": self.vault, "object": up["object"], "version": up["version"]}
        check(self.ask("content", o) == data, "the bytes of a version")
        n = len(data)
        for text, lo, hi in (("0-0", 0, 1), (f"{n - 1}-", n - 1, n), ("-1", n - 1, n), ("5-1048580", 5, 1048581), (f"100-{n + 5}", 100, n),
                             (f"-{n + 7}", 0, n), (f"{(3 << 20) - 2}-{(3 << 20) + 2}", (3 << 20) - 2, (3 << 20) + 3)):
            a = self.server.request("GET", self.contract.url("content", o), None, {"Range": f"bytes={text}"})
            self.contract.judge("content", a, text)
            check(a.status == 206 and a.body == data[lo:hi], f"range {text}: {a.status}, {len(a.body)} bytes")
            check(a.headers["Content-Range"] == f"bytes {lo}-{hi - 1}/{n}", f"range {text}: {a.headers['Content-Range']}")
        for text in (f"bytes={n}-", f"bytes={n}-{n + 9}", "bytes=5-4", "bytes=-0", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=x-", "items=0-1",
                     "bytes=0-1 ", "bytes=18446744073709551616-", "bytes=0-99999999999999999999999", "0-1"):
            a = self.server.request("GET", self.contract.url("content", o), None, {"Range": text})
            self.contract.judge("content", a, text)
            check(a.status in (416, 206) if text == "bytes=0-1 " else a.status == 416, f"range {text}: {a}")     # a parser may trim
            check(a.status == 206 or a.headers["Content-Range"] == f"bytes */{n}", f"range {text}: {a.headers['Content-Range']}")
        check(self.ask("backup", o) == unb64(body["backup"]), "backup data")
        i = self.ask("info", o)
        check((i["size"], i["k"], i["n"], i["state"], i["acked_margin"], i["margin"], i["segments"]) == (n, 3, 5, "live", 2, 2, 2), f"info {i}")
        check(abs(i["written"] - time.time()) < 3600 and i["seen"] == {"presence": i["written"], "content": i["written"]}, f"info, not looked at yet: {i}")
        check(len(i["clouds"]) == 5 and all(c["fragments"] == 2 and c["missing"] == 0 for c in i["clouds"]), f"info {i}")
        for k in o:                                 # another vault's, object's or version's id
            for name in ("content", "backup", "info"):
                self.ask(name, o | {k: self.id()}, expect=404, error="not-found")

    def renewed(self, o, other):
        """B in the place of what is there: of versions, of the vault, all or none; a generation is never left out, nor given twice."""
        v, own = {"vault": self.vault}, {"vault": self.vault, "object": self.vault, "version": "0" * 32}
        body = self.backups_body(o, other, own, generation=2)
        self.ask("backups", v, body)
        self.ask("backups", v, body)                # again: nothing changes
        for at, one in enumerate((o, other)):
            check(self.ask("backup", one) == unb64(body["backups"][at]["backup"]), "the new backup data")
        check(self.ask("vaultGet", v)["backup"] == body["backups"][2]["backup"], "the vault's new backup data")
        self.ask("backups", v, self.backups_body(o, generation=1), expect=409, error="conflict")
        self.ask("backups", v, self.backups_body(own, generation=1), expect=409, error="conflict")
        missing = {"vault": self.vault, "object": o["object"], "version": self.id()}
        for ahead in (self.backups_body(own, generation=4), self.backups_body(own, generation=0xFFFFFFFF), self.backups_body(o, generation=3),
                      self.backups_body(own, generation=2), self.backups_body(o, generation=2)):
            self.ask("backups", v, ahead, expect=409, error="conflict")
        self.ask("backups", v, self.backups_body(own, missing, generation=3), expect=404, error="not-found")
        twice = self.backups_body(o, own, o, generation=3)          # not the same bytes
        check(twice["backups"][0] != twice["backups"][2], "two that differ")
        self.ask("backups", v, twice, expect=400, error="usage")
        mixed = self.backups_body(o, generation=3)
        mixed["backups"][0]["version"] = other["version"]
        self.ask("backups", v, mixed, expect=400, error="usage")
        self.ask("backups", v, {"backups": [{**body["backups"][0], "backup": b64(bytes(172))}]}, expect=400, error="usage")
        self.ask("backups", v, self.backups_body({**own, "object": self.id()}, generation=3), expect=400, error="usage")
        check(self.ask("backup", o) == unb64(body["backups"][0]["backup"]), "a refused call has changed something")
        check(self.ask("vaultGet", v)["backup"] == body["backups"][2]["backup"], "a refused call has changed something of the vault")

    def entries(self, e):
        v = {"vault": self.vault}
        got = self.ask("entryGet", v, {"path": e["path"]})
        check({k: got[k] for k in e} == e, f"entry {got}")
        check((got["acked_margin"], got["margin"], got["margin_full"]) == (2, 2, 2) and abs(got["created"] - time.time()) < 3600, f"entry {got}")
        check(self.ask("entryList", v, {"prefix": ""}) == {"entries": [got], "more": False}, "list of one")
        self.ask("entryGet", v, {"path": b64(unb64(e["path"])[:-1])}, expect=404, error="not-found")

    def overwrite(self, first_up, first):
        path = unb64(first["path"])
        up, e, _, _ = self.put(path, 2, b"the second version", sequence=2)
        old, new = ({"vault": self.vault, "object": u["object"], "version": u["version"]} for u in (first_up, up))
        check(self.ask("info", old)["state"] == "old" and self.ask("info", new)["state"] == "live", "states after an overwrite")
        self.renewed(old, new)
        check(self.ask("content", new) == b"the second version" and len(self.ask("content", old)) == first["size"], "both versions can be read")
        check(self.ask("entryGet", {"vault": self.vault}, {"path": first["path"]})["version"] == e["version"], "the entry names the new one")
        return e

    def listing(self, old):
        """Twenty puts at once (the committer batches them), and pages of them."""
        v, prefix = {"vault": self.vault}, b"p" * 20
        paths = sorted(self.path(prefix, n) for n in (1, 2, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 300, 300, 300, 300, 300, 300, 300))
        ups = []
        for _ in paths:
            up = self.upload()
            self.ask("uploadBegin", v, up, expect=201)
            self.segments(up, b"small")
            ups.append(up)
        bodies = [self.commit_body(self.entry(up, p, 1, 5), 1) for up, p in zip(ups, paths)]
        receipts = parallel([lambda u=u, x=x: self.ask("commit", {"put_key": u["put_key"]}, x) for u, x in zip(ups, bodies)])
        order = sorted(range(len(paths)), key=lambda i: receipts[i]["chain"])
        check([receipts[i]["chain"] for i in order] == list(range(len(self.seals) + 1, len(self.seals) + len(paths) + 1)), "chain of parallel commits")
        for i in order:
            self.seals.append(unb64(bodies[i]["entry"]["seal"]))
            check(receipts[i]["head"] == self.head(), f"head of receipt {i}")
        got, after = [], None
        while True:
            page = self.ask("entryList", v, {"prefix": b64(prefix), "after": after, "limit": 7, "tombstones": None})
            got += [x["path"] for x in page["entries"]]
            check(len(page["entries"]) == 7 or not page["more"], f"a page of {len(page['entries'])}")
            if not page["more"]:
                break
            after = got[-1]
        check(got == [b64(p) for p in paths], "pages in the order of path bytes")
        check([x["path"] for x in self.ask("entryList", v, {"prefix": ""})["entries"]] == [old["path"]] + got, "everything, in order")
        check(self.ask("entryList", v, {"prefix": b64(prefix + b"\xff" * 90)}) == {"entries": [], "more": False}, "an empty page")
        check(len(self.ask("entryList", v, {"prefix": b64(paths[3]), "limit": 1})["entries"]) == 1, "a prefix that is a whole path")

    def members_refused(self, key, one):
        """Bytes that are no members, and arguments that are none."""
        for body in (b"", *(one[:n] for n in range(1, len(one))), one + b"0", one + one[:-1], one * 513, one[:16] + b"\0\x20" + one[18:],
                     one[:144] + bytes(4) + one[148:], one[:144] + (81921).to_bytes(4, "big") + bytes(81921) + one[148:]):
            self.ask("membersBytes", key, body, expect=400, error="format")
        self.ask("membersBytes", key, bytes((1 << 20) + 1), expect=413, error="limit")
        for query in ({"segments": 0}, {"segments": 1000001}, {"segments": "x"}, {"wait": "some"}):
            self.ask("membersBytes", key, one, query, expect=400, error="usage")

    def bundle(self):
        """Many in one segment: each its own version, entry, receipt and refusal."""
        v, up = {"vault": self.vault}, self.upload()
        key, datas = {"put_key": up["put_key"]}, [self.random.randbytes(n) for n in (1, 900, 4096, 70000, 5)]
        self.ask("uploadBegin", v, up, expect=201)
        self.segments(up, b"".join(datas))
        paths = sorted(self.path(b"b" * 20) for _ in datas)
        starts = [sum(map(len, datas[:i])) for i in range(len(datas))]
        good = [self.member(p, 1, s, len(d)) for p, s, d in zip(paths, starts, datas)]
        most = sum(map(len, datas))
        bad = {"conflict": self.member(self.path(), 2, 0, 1), "usage": self.member(self.path(), 1, most, 1)}
        twice = self.member(self.path(), 1, 0, 1)
        twice["entry"] |= {k: good[0]["entry"][k] for k in ("object", "version")}
        body = self.members_body(*good[:4], *bad.values(), twice)
        got = self.ask("members", key, body)["outcomes"]
        check([o["error"]["id"] for o in got[4:]] == ["conflict", "usage", "conflict"], f"members that are refused: {got[4:]}")
        receipts = [o["receipt"] for o in got[:4]]
        for m, r in zip(good, receipts):
            self.seals.append(unb64(m["entry"]["seal"]))
            check((r["number"], r["chain"], r["head"]) == (1, len(self.seals), self.head()), f"a member's receipt {r}")
            check((r["acked_margin"], r["margin_full"], r["durable_min"], r["n"], r["record_copies"]) == (2, 2, 5, 5, 5), f"a member's receipt {r}")
        check(self.ask("members", key, self.members_body(*good[:4]))["outcomes"] == got[:4], "the same again")
        live = self.ask("uploadGet", key)
        check(live["state"] == "live" and live["receipt"]["n"] == 5, f"the bundle itself: {live}")
        check(self.ask("uploadGet", {"put_key": good[2]["put_key"]}) == {"state": "live", "receipt": receipts[2]}, "a member's put key")
        again = self.ask("membersBytes", key, self.members_bytes(*good[:4], *bad.values(), twice))
        check(again["outcomes"][:4] == [{k: r[k] for k in ("number", "chain")} for r in receipts] and again["receipt"] == receipts[3], f"as bytes: {again}")
        check([o["error"] for o in again["outcomes"][4:]] == [o["error"] for o in got[4:]], f"as bytes, refused: {again}")
        check("receipt" not in self.ask("membersBytes", key, self.members_bytes(twice)), "a receipt of none")
        late = self.ask("membersBytes", key, self.members_bytes(good[4]), {"segments": 1, "wait": "quorum"})["receipt"]          # of the same bundle, later
        self.seals.append(unb64(good[4]["entry"]["seal"]))
        check(late["head"] == self.head(), f"a member that comes later: {late}")
        check(self.ask("uploadGet", {"put_key": good[4]["put_key"]}) == {"state": "live", "receipt": late}, "a member that came as bytes")
        self.members_refused(key, self.members_bytes(good[4]))
        ids = [{k: m["entry"][k] for k in ("object", "version")} for m in good]
        for i, d in zip(ids, datas):
            check(self.ask("content", v | i) == d, "a member's bytes")
            info = self.ask("info", v | i)
            check((info["size"], info["segments"], info["margin"], len(info["clouds"])) == (len(d), 1, 2, 5), f"info of a member: {info}")
        a = self.server.request("GET", self.contract.url("content", v | ids[2]), None, {"Range": "bytes=4000-4095"})
        check(a.status == 206 and a.body == datas[2][4000:], "a range of a member")
        check(self.ask("backup", v | ids[1]) == unb64(good[1]["backup"]), "a member's backup data")
        check(self.ask("readSome", v, {"objects": ids[::-1]}) == b"".join(datas[::-1]), "several members in one answer")
        self.ask("readSome", v, {"objects": [ids[3]] * 16}, expect=413, error="limit")
        some = self.ask("entrySome", v, {"paths": [b64(paths[3]), b64(self.path()), b64(paths[0])]})["entries"]
        check([x["path"] for x in some] == [b64(paths[3]), b64(paths[0])] and some[1] == self.ask("entryGet", v, {"path": b64(paths[0])}), f"entries of some: {some}")
        for name in ("content", "info", "backup"):      # a bundle is nobody's version
            if name != "backup":
                self.ask(name, v | {k: up[k] for k in ("object", "version")}, expect=404, error="not-found")
        s = self.ask("status")
        check(sum(m["versions"] for m in s["margins"]) == s["versions"], f"versions and their margins: {s}")
        gone = self.upload()
        self.ask("uploadBegin", v, gone, expect=201)
        self.segments(gone, b"nobody's")
        self.ask("uploadCancel", {"put_key": gone["put_key"]})
        got = self.ask("members", {"put_key": gone["put_key"]}, self.members_body(self.member(self.path(), 1, 0, 8)))["outcomes"]
        check(got[0]["error"]["id"] == "conflict", f"a member of a cancelled bundle: {got}")

    def move_body(self, e, to, number):
        """The entry goes to another path, under that number."""
        return {"moves": [{"put_key": self.id(), "from": {"path": e["path"], "number": e["number"] + 1, "seal": b64(self.random.randbytes(32))},
                           "entry": {k: e[k] for k in ("kind", "object", "version", "sequence", "size", "m", "private")}
                           | {"path": b64(to), "number": number, "seal": b64(self.random.randbytes(32))}}]}

    def rename(self, e):
        """There and back: the path has two changes more."""
        v, to = {"vault": self.vault}, self.path()
        body = self.move_body(e, to, 1)
        wrong = self.move_body(e, to, 1)["moves"][0]
        for change in ({"from": wrong["from"] | {"number": e["number"]}}, {"entry": wrong["entry"] | {"number": 2}}, {"entry": wrong["entry"] | {"version": self.id()}}):
            got = self.ask("entryRename", v, {"moves": [wrong | change]})["outcomes"]
            check(got[0]["error"]["id"] == "conflict", f"a move that is refused: {got}")
        got = self.ask("entryRename", v, {"moves": [wrong | {"from": wrong["from"] | {"path": b64(self.path())}}]})["outcomes"]
        check(got[0]["error"]["id"] == "not-found", f"a move of nothing: {got}")
        self.ask("entryRename", v, {"moves": [wrong | {"entry": wrong["entry"] | {"path": e["path"]}}]}, expect=400, error="usage")
        got = self.ask("entryRename", v, body)["outcomes"][0]["receipt"]
        for seal in (body["moves"][0]["from"]["seal"], body["moves"][0]["entry"]["seal"]):
            self.seals.append(unb64(seal))
        check(got["head"] == self.head() and (got["number"], got["chain"], got["n"]) == (1, len(self.seals), 0), f"a move: {got}")
        check(self.ask("entryRename", v, body)["outcomes"][0]["receipt"] == got, "the same move again")
        check(self.ask("uploadGet", {"put_key": body["moves"][0]["put_key"]})["receipt"] == got, "a move's put key")
        there = self.ask("entryGet", v, {"path": b64(to)})
        check((there["kind"], there["number"], there["version"], there["m"]) == (1, 1, e["version"], e["m"]), f"where it was moved to: {there}")
        check(self.ask("entryGet", v, {"path": e["path"]})["kind"] == 2, "where it was moved from")
        back = self.move_body(there, unb64(e["path"]), e["number"] + 2)
        check("receipt" in self.ask("entryRename", v, back)["outcomes"][0], "a move back")
        for seal in (back["moves"][0]["from"]["seal"], back["moves"][0]["entry"]["seal"]):
            self.seals.append(unb64(seal))
        return self.ask("entryGet", v, {"path": e["path"]})

    def remove(self, e):
        v, path = {"vault": self.vault}, e["path"]
        tomb = {"path": path, "number": e["number"] + 1, "seal": b64(self.random.randbytes(32)), "put_key": self.id()}
        got = self.ask("entryRemove", v, tomb | {"number": e["number"]}, expect=409, error="conflict")
        check(got["current"]["seal"] == e["seal"], f"current of a conflict: {got}")
        self.ask("entryRemove", v, tomb | {"path": b64(self.path())}, expect=404, error="not-found")
        receipt = self.ask("entryRemove", v, tomb)
        self.seals.append(unb64(tomb["seal"]))
        check(receipt["head"] == self.head() and receipt["number"] == tomb["number"], f"receipt {receipt}")
        check((receipt["record_copies"], receipt["clouds"], receipt["n"], receipt["durable_min"], receipt["degraded"]) == (5, 5, 0, 0, []), f"receipt {receipt}")
        check(self.ask("entryRemove", v, tomb) == receipt, "the same removal again")
        got = self.ask("entryRemove", v, tomb | {"number": tomb["number"] + 1, "seal": b64(bytes(32))}, expect=409, error="conflict")
        check(got["current"]["kind"] == 2, f"current is the tombstone: {got}")
        got = self.ask("entryGet", v, {"path": path})
        check((got["kind"], got["number"], got["seal"]) == (2, tomb["number"], tomb["seal"]), f"tombstone {got}")
        check(path not in [x["path"] for x in self.ask("entryList", v, {"prefix": ""})["entries"]], "a tombstone is not listed")
        check(path in [x["path"] for x in self.ask("entryList", v, {"prefix": "", "tombstones": True})["entries"]], "unless it is asked for")
        o = {"vault": self.vault, "object": e["object"], "version": e["version"]}
        check(self.ask("info", o)["state"] == "old" and self.ask("content", o) == b"the second version", "versions outlive the removal")
        check(self.ask("uploadGet", {"put_key": tomb["put_key"]})["state"] == "live", "a removal's put key")
        ids, none = {k: o[k] for k in ("object", "version")}, {"object": self.id(), "version": self.id()}
        check(self.ask("info", o)["kept"] == 0, "kept for no time")
        until = int(time.time()) + 3
        self.ask("retain", v, {"objects": [ids, none], "until": until - 1000}, expect=400, error="usage")    # it would hold nothing
        got = self.ask("retain", v, {"objects": [ids, none], "until": until})["outcomes"]
        check(got[0] == {"until": until} and got[1]["error"]["id"] == "not-found" and self.ask("info", o)["kept"] == until, f"kept until: {got}")
        got = self.ask("purge", v, {"objects": [ids, none]})["outcomes"]
        check("error" in got[0] or time.time() >= until, f"kept until {until}: {got}")
        end = time.monotonic() + 60
        while "error" in got[0] and time.monotonic() < end:
            check(self.ask("content", o) == b"the second version", "what is kept")
            time.sleep(0.5)
            got = self.ask("purge", v, {"objects": [ids, none]})["outcomes"]
        check(got[0] == {"purged": True} and got[1]["error"]["id"] == "not-found", f"a purge: {got}")
        check(self.ask("purge", v, {"objects": [ids, none]})["outcomes"] == got, "the same purge again")
        for name in ("info", "content", "backup"):
            self.ask(name, o, expect=404, error="not-found")
        self.put(unb64(path), tomb["number"] + 1, b"back again", sequence=3)

    def chain(self):
        v, n = {"vault": self.vault}, len(self.seals)
        all_ = [b64(s) for s in self.seals]
        check(self.ask("chain", v) == {"head": self.head(), "seals": all_}, "the whole chain")
        for start, limit, want in ((0, 1, all_[:1]), (2, 3, all_[2:5]), (n - 1, 10000, all_[-1:]), (n, 1, []), (n + 5, 1, []), (9223372036854775807, 1, [])):
            got = self.ask("chain", v, query={"from": start, "limit": limit})
            check(got == {"head": self.head(), "seals": want}, f"chain from {start}, {limit}: {got}")
        for query in ({"from": "x"}, {"from": -1}, {"from": ""}, {"limit": 0}, {"limit": 10001}, {"limit": "1.5"}, {"from": 1 << 63}, {"from": 1 << 64},
                      {"from": "0x10"}, {"from": "+1"}, {"from": "%201"}):
            self.ask("chain", v, query=query, expect=400, error="usage")

    def extremes(self):
        """The greatest that the page allows is taken, and given back whole."""
        schemas = self.contract.page["components"]["schemas"]
        top, most = schemas["Count"]["maximum"], {k: schemas[k]["maxLength"] * 3 // 4 for k in ("Path", "PrivatePart", "Backup")}
        v, up = {"vault": self.id()}, self.upload() | {"base": top, "path_number": top}
        record = {"record": self.record(v["vault"]), "backup": b64(self.random.randbytes(most["Backup"]))}
        self.ask("vaultPut", v, record, expect=201)
        check(self.ask("vaultGet", v)["backup"] == record["backup"], "the longest backup data of a vault")
        self.ask("uploadBegin", v, up, expect=201)
        op = self.contract.operations["segmentPut"][2]
        data = self.random.randbytes(op["requestBody"]["content"]["application/octet-stream"]["schema"]["maxLength"])
        size = self.segments(up, data, b"1")
        path, backup = self.random.randbytes(most["Path"]), self.random.randbytes(most["Backup"])
        e = self.entry(up, path, 1, size, sequence=top) | {"private": b64(self.random.randbytes(most["PrivatePart"]))}
        self.ask("commit", {"put_key": up["put_key"]}, self.commit_body(e, 2, backup))
        got = self.ask("entryGet", v, {"path": e["path"]})
        check({k: got[k] for k in e} == e, "the longest entry")
        check(self.ask("entryList", v, {"prefix": e["path"], "limit": self.list_max(), "tombstones": False})["entries"] == [got], "a longest prefix")
        check(self.ask("entryList", v, {"prefix": "", "after": e["path"]}) == {"entries": [], "more": False}, "after the longest path")
        o = v | {"object": up["object"], "version": up["version"]}
        check(self.ask("backup", o) == backup and self.ask("content", o) == data + b"1", "the longest backup data and segment")
        self.ask("entryRemove", v, {"path": e["path"], "number": top, "seal": e["seal"], "put_key": self.id()}, expect=409, error="conflict")
        self.ask("commit", {"put_key": up["put_key"]}, self.commit_body(e | {"number": top, "seal": b64(bytes(32))}, 1000000), expect=409)

    def list_max(self):
        return self.contract.request_schema("entryList")["properties"]["limit"]["anyOf"][1]["maximum"]

    def cancels(self):
        v, up = {"vault": self.vault}, self.upload()
        key = {"put_key": up["put_key"]}
        self.ask("uploadBegin", v, up, expect=201)
        self.segments(up, b"never seen")
        for _ in range(2):
            check(self.ask("uploadCancel", key) == {"state": "cancelled", "receipt": None}, "cancelled")
        check(self.ask("uploadGet", key)["state"] == "cancelled", "state of a cancelled upload")
        self.ask("uploadBegin", v, up, expect=409, error="conflict")
        self.ask("segmentPut", key | {"seq": 0}, b"late", expect=409, error="conflict")
        self.ask("commit", key, self.commit_body(self.entry(up, self.path(), 1, 10), 1), expect=409, error="conflict")
        late = self.upload()
        check(self.ask("uploadCancel", {"put_key": late["put_key"]})["state"] == "cancelled", "cancel of an unknown key")
        self.ask("uploadBegin", v, late, expect=409, error="conflict")
        self.ask("commit", {"put_key": late["put_key"]}, self.commit_body(self.entry(late, self.path(), 1, 1), 1), expect=409, error="conflict")

    def swept(self):
        """What a put that was given up leaves on a cloud that is away waits there, is told of, and goes when the cloud is back."""
        def keys(n, why):
            until = time.monotonic() + 60
            while True:
                s = self.ask("sweep")
                if s["keys"] == n:
                    return s
                check(time.monotonic() < until, f"{why}: {s}")
                time.sleep(0.2)

        keys(0, "what was cancelled before is swept")
        up, size = self.upload(), 40000
        self.ask("uploadBegin", {"vault": self.vault}, up, expect=201)
        self.segments(up, self.random.randbytes(size))
        with self.server.away(3):
            self.ask("uploadCancel", {"put_key": up["put_key"]})
            s = keys(1, "all but the one on the cloud that is away")
            one = s["dead"][0]
            check(s["clouds"] == [{"name": "c4", "keys": 1, "bytes": s["bytes"]}] and one["away"] and one["why"] == "given-up" and one["cloud"] == "c4", f"sweep {s}")
            check(size / 3 <= s["bytes"] < size / 3 + 4096, f"bytes of a fragment: {s}")
            path = os.path.join(self.server.clouds[3] + ".away", one["key"])
            check(os.path.exists(path), f"{path} is what lies there")
            self.server.stop()
            for args, want in ((["--dry-run"], 1), (["--dry-run"], 1), ([], 1)):                    # the cloud is away still
                got = json.loads(self.server.run("sweep", "--json", "--state", self.server.state, *args))
                check(got["keys"] == want and got["dead"][0]["key"] == one["key"], f"sweep {args}: {got}")
            text = self.server.run("sweep", "--dry-run", "--state", self.server.state).decode()
            check(f"c4 {one['key']} {one['bytes']} given-up, when the cloud is back\n" in text and "1 dead keys" in text, f"for people: {text}")
            self.server.start()
        keys(0, "the cloud is back")
        check(not os.path.exists(path.replace(".away", "")), "the fragment is there still")

    # ------------------------------------------------------------ with clouds away
    def degraded(self):
        """One cloud gone: acknowledged with the margin that was reached."""
        with self.server.away(1):
            up = self.upload()
            self.ask("uploadBegin", {"vault": self.vault}, up, expect=201)
            got = self.ask("segmentPut", {"put_key": up["put_key"], "seq": 0}, b"one less", {"last": 1, "wait": "quorum"})
            check((got["durable"], got["n"], got["owed"], got["following"]) == (4, 5, ["c2"], []), f"segment with a cloud away: {got}")
            e = self.entry(up, self.path(b"d"), 1, 8)
            receipt = self.ask("commit", {"put_key": up["put_key"]}, self.commit_body(e, 1) | {"wait": "full"})
            self.seals.append(unb64(e["seal"]))
            check((receipt["acked_margin"], receipt["margin_full"], receipt["durable_min"], receipt["degraded"], receipt["record_copies"]) ==
                  (1, 2, 4, ["c2"], 4), f"receipt with a cloud away: {receipt}")
            check(len(receipt["degraded_why"]) == 1 and receipt["degraded_why"][0] != "", f"no reason: {receipt}")
            s = self.ask("status")
            check([c["state"] for c in s["clouds"]].count("ok") == 4 and s["debts"] == 1 and s["record_debts"] == 1, f"status {s}")
        return {"vault": self.vault, "object": up["object"], "version": up["version"]}

    def quorum(self, up, data):
        """Three clouds gone: nothing can be written, nothing of this can be read."""
        o, new = {"vault": self.vault, "object": up["object"], "version": up["version"]}, self.upload()
        small = self.put(self.path(b"s"), 1, b"small")[0]
        self.ask("uploadBegin", {"vault": self.vault}, new, expect=201)
        self.segments(new, b"before the loss")
        e = self.entry(new, self.path(b"q"), 1, 15)
        body = self.commit_body(e, 1)
        tomb = {"path": b64(self.path(b"a" * 16)), "number": 1, "seal": b64(bytes(32)), "put_key": self.id()}
        with self.server.away(0, 2, 4):
            self.ask("segmentPut", {"put_key": new["put_key"], "seq": 1}, b"y", expect=503, error="quorum")
            self.ask("commit", {"put_key": new["put_key"]}, body, expect=503)
            other = self.id()
            vault = {"record": self.record(other), "backup": b64(bytes(172))}
            self.ask("vaultPut", {"vault": other}, vault, expect=503)
            self.ask("entryRemove", {"vault": self.vault}, tomb | {"path": e["path"], "number": 2}, expect=503)
            self.ask("readSome", {"vault": self.vault}, {"objects": [{k: small[k] for k in ("object", "version")}]}, expect=503, error="quorum")
            self.ask("tenantAdd", body={"name": "late", "token_hash": b64(bytes(32))}, expect=503)
            self.ask("tenantChange", {"tenant": "ann"}, {"enabled": True}, expect=503)
            self.broken_read(o)
        self.settle(new, body, e)
        check(self.ask("content", o) == data, "readable again once the clouds are back")

    def broken_read(self, o):
        """A read that cannot be done: an error, or an answer that breaks off early and tells why under its request's name."""
        name = self.id()
        short = False
        try:
            a = self.server.request("GET", self.contract.url("content", o), None, {"X-Qcloud-Request": name})
            self.contract.judge("content", a)
            check(a.status >= 500, f"a read from two of five clouds: {a}")
        except Failure as e:
            check("IncompleteRead" in str(e) or "RemoteDisconnected" in str(e), str(e))
            short = True
        got = self.ask("request", {"request": name})
        check(len(got["faults"]) >= 1, f"faults of a read without clouds: {got}")
        check(not short or (got["error"] is not None and got["error"]["id"] == "quorum"), f"the reason of a read that broke off: {got}")

    def settle(self, up, body, e):
        """The same commit again, until the clouds are heard: it must end, and count once."""
        key, end = {"put_key": up["put_key"]}, time.monotonic() + 60
        while True:
            a = self.server.request("POST", self.contract.url("commit", key), json.dumps(body))
            value = self.contract.judge("commit", a)
            if a.status == 200:
                break
            check(a.status == 503 and time.monotonic() < end, f"commit after the clouds came back: {a}")
        others = self.ask("chain", {"vault": self.vault}, query={"from": len(self.seals)})["seals"]
        check(others.count(e["seal"]) == 1, f"seals after a commit that was repeated: {others}")
        self.seals += [unb64(s) for s in others]
        check(self.ask("vaultGet", {"vault": self.vault})["head"] == self.head(), "head after a commit that was repeated")
        check(value["number"] == 1, f"receipt {value}")

    def faults(self, up, data):
        """Fragments removed from two clouds: read all the same, and told under the request's name, not under another one."""
        o, end = {"vault": self.vault, "object": up["object"], "version": up["version"]}, time.monotonic() + 60
        pairs, got = itertools.cycle(itertools.combinations(range(self.server.n), 2)), {"faults": []}
        while not got["faults"] and time.monotonic() < end:     # parity that is not asked for is not missed: another pair then
            pair, name = next(pairs), self.id()
            with self.server.moved(*(os.path.join(self.server.clouds[i], "f") for i in pair)):
                check(self.ask("content", o, headers={"X-Qcloud-Request": name}) == data, "read from three of five")
            got = self.ask("request", {"request": name})
        missing = {f["cloud"] for f in got["faults"] if f["kind"] == "missing"}
        check(missing and missing <= {f"c{i + 1}" for i in pair} and got["error"] is None, f"without {pair}: faults of a read: {got}")
        other = self.ask("request", {"request": name}, headers={"X-Qcloud-Request": self.id()})
        check(other == got, f"the path says which request is meant, not the header: {other}")
        told = self.ask("status")["read_faults"]
        check({(f["cloud"], f["kind"]): f["count"] for f in told} == {(f["cloud"], f["kind"]): f["count"] for f in got["faults"]}, f"status: {told}")

    def job(self, number):
        """Follow a job to its end."""
        end = time.monotonic() + 60
        while True:
            got = self.ask("jobGet", {"job": number})
            check(got["job"] == number and (got["outcome"] is None) == (got["state"] == "running"), f"job {got}")
            if got["state"] != "running":
                return got
            check(time.monotonic() < end, f"a job that does not end: {got}")
            time.sleep(0.02)

    def repairs(self, up, data):
        """A fragment is lost: a dry run says so, a repair puts it back; one at a time; and it can be stopped."""
        self.ask("jobGet", {"job": 7}, expect=404, error="not-found")
        self.ask("jobCancel", {"job": 7}, expect=404, error="not-found")
        whole = self.job(self.ask("repair", body={}, expect=202)["job"])       # pays what earlier steps left owed
        check(whole["state"] == "done" and whole["outcome"]["id"] == "ok", f"repair {whole}")
        held = sorted(os.path.join(d, f) for d, _, files in os.walk(os.path.join(self.server.clouds[2], "f")) for f in files)
        os.remove(held[0])
        dry = self.job(self.ask("repair", body={"dry_run": True}, expect=202)["job"])
        check(dry["outcome"]["id"] == "degraded" and dry["report"]["rebuildable"] == 1 and not os.path.exists(held[0]), f"dry run {dry}")
        got = self.job(self.ask("repair", body={"deep": False, "dry_run": None, "adopt": None}, expect=202)["job"])
        row = [c for c in got["report"]["clouds"] if c["name"] == "c3"][0]
        check(got["outcome"]["id"] == "ok" and (row["missing"], row["rebuilt"], row["left"]) == (1, 1, 0) and os.path.exists(held[0]), f"repair {got}")
        check(got["report"]["phase"] == "done" and any("c3" in line for line in got["report"]["summary"]), f"summary {got}")
        slow = self.ask("repair", body={"deep": True, "rate": 1024}, expect=202)
        check(self.ask("repair", body={"deep": True}, expect=409, error="conflict")["job"] == slow["job"], "one repair at a time")
        self.ask("jobGet", {"job": whole["job"]}, expect=404, error="not-found")
        check(self.ask("jobCancel", {"job": slow["job"]})["job"] == slow["job"], "told to stop")
        check(self.job(slow["job"])["outcome"]["id"] == "cancelled", "stopped")
        check(self.ask("jobCancel", {"job": slow["job"]})["state"] == "failed", "told again")
        for bad in ({"adopt": "nobody"}, {"adopt": "c1", "dry_run": True}, {"rate": 1}):
            a = self.server.request("POST", self.contract.url("repair", {}), json.dumps(bad))
            self.contract.judge("repair", a)
            check(a.status == 400, f"repair {bad}: {a}")
        o = {"vault": self.vault, "object": up["object"], "version": up["version"]}
        check(self.ask("content", o) == data, "readable after repairs")

    def scrubbed(self):
        """Until no pass is under way, and nothing is to be rebuilt."""
        end = time.monotonic() + 60
        while True:
            got = self.ask("scrubGet")
            if not got["busy"] and not any(c["scrub"]["queue"]["fragments"] for c in got["clouds"]):
                return got
            check(time.monotonic() < end, f"a scrub that does not end: {got}")
            time.sleep(0.02)

    def scrubs(self, up):
        """A fragment goes, and something strange comes: both are found, one is rebuilt without a command, the other is not touched."""
        held = sorted(os.path.join(d, f) for d, _, files in os.walk(os.path.join(self.server.clouds[1], "f")) for f in files)
        strange = os.path.join(self.server.clouds[3], "strange.txt")
        os.remove(held[0])
        with open(strange, "w", encoding="utf-8") as f:
            f.write("nothing of ours")
        self.ask("scrub", body={"cloud": "nobody"}, expect=404, error="not-found")
        begun = self.ask("scrub", body={"content": True}, expect=202)
        check(any(c["scrub"][d]["state"] != "resting" for c in begun["clouds"] for d in ("presence", "content")), f"nothing begins: {begun}")
        got = self.scrubbed()
        new = [(f["cloud"], f["key"], f["kind"], f["ended"] != 0) for f in got["findings"] if f["by"] != "read"]
        check(sorted(new) == [("c2", os.path.relpath(held[0], self.server.clouds[1]), "missing", True), ("c4", "strange.txt", "foreign", False)], f"findings {got['findings']}")
        check(os.path.exists(held[0]) and os.path.exists(strange) and got["outcome"]["id"] == "degraded", f"after a scrub: {got}")
        check(all(c["scrub"][d]["last"] and c["scrub"][d]["now"] is None for c in got["clouds"] for d in ("presence", "content")), f"passes {got['clouds']}")
        os.remove(strange)
        self.ask("scrub", body={"cloud": "c4"}, expect=202)
        got = self.scrubbed()
        check(got["outcome"]["id"] == "ok", "nothing stands")
        i = self.ask("info", {"vault": self.vault, "object": up["object"], "version": up["version"]})
        oldest = {d: min(c["scrub"][d]["last"]["began"] for c in got["clouds"]) for d in ("presence", "content")}
        oldest["presence"] = min(max(c["scrub"][d]["last"]["began"] for d in ("presence", "content")) for c in got["clouds"])
        check(i["seen"] == {d: max(at, i["written"]) for d, at in oldest.items()}, f"{i} after {oldest}")

    def by_hand(self):
        """Paused, a pass that is asked for waits, also for a gateway that was begun anew; then it goes on. A rate is set, and not set."""
        self.ask("scrubHand", body={"paused": True, "cloud": "nobody"}, expect=404, error="not-found")
        for bad in ({}, {"paused": True, "rate": 0}, {"rate": 1 << 20, "cloud": "c1"}, {"rate": 1023}):
            a = self.server.request("POST", "/v1/scrub/hand", json.dumps(bad))
            self.contract.judge("scrubHand", a)
            check(a.status == 400, f"{bad}: {a}")
        self.ask("scrubHand", body={"paused": True})
        self.ask("scrub", body={}, expect=202)
        self.server.stop()
        self.server.start()
        got = self.ask("scrubGet")
        check(all(c["scrub"]["paused"] > 0 and "by hand" in c["scrub"]["presence"]["why"] and c["scrub"]["presence"]["state"] != "resting" for c in got["clouds"]) and not got["busy"], f"paused: {got}")
        check(sum("paused since" in line and "scrub resume" in line for line in got["summary"]) == len(got["clouds"]), f"paused: {got['summary']}")
        check(all(c["scrub"]["paused"] > 0 for c in self.ask("status")["clouds"]), "status does not say that it is paused")
        self.ask("scrubHand", body={"paused": False, "cloud": "c1"})
        got = self.scrubbed()
        check([c["scrub"]["paused"] > 0 for c in got["clouds"]] == [False] + [True] * 4 and got["clouds"][0]["scrub"]["presence"]["state"] == "resting", f"one goes on: {got}")
        before = self.ask("scrubHand", body={"paused": False})["rate"]
        got = self.scrubbed()
        check(got["outcome"]["id"] == "ok" and all(c["scrub"]["paused"] == 0 and c["scrub"]["presence"]["why"] == "" for c in got["clouds"]), f"all go on: {got}")
        for rate, is_now, by_hand in ((1 << 20, 1 << 20, True), (0, 0, True), (None, before["bytes_per_s"], False)):
            got = self.ask("scrubHand", body={"rate": rate})
            check(got["rate"] == {"bytes_per_s": is_now, "by_hand": by_hand}, f"rate {rate}: {got['rate']}")

    def works(self):
        """Long works in one list; each is shown, and stopped or let go on where that makes sense."""
        jobs = self.ask("jobs")
        check([j["id"] for j in jobs["jobs"]] == ["repair", "clouds", "drill", "scrub"] and len(jobs["summary"]) == 4, f"jobs: {jobs}")
        for j in jobs["jobs"]:
            shown = self.ask("jobAct", body={"job": j["id"], "action": "show"})
            check(shown["job"] == j and shown["report"], f"{j['id']}: {shown['job']} is not {j}")
            check(j["state"] in ("done", "failed", "resting") and (j["id"] == "scrub" or j["started"] <= (j["ended"] or j["started"])), f"{j}")
            if j["id"] != "scrub":
                self.ask("jobAct", body={"job": j["id"], "action": "cancel"}, expect=404, error="not-found")
        self.ask("jobAct", body={"job": "nothing", "action": "show"}, expect=404, error="not-found")
        for job in ("repair", "drill"):
            self.ask("jobAct", body={"job": job, "action": "resume"}, expect=400, error="usage")
        self.ask("jobAct", body={"job": "clouds", "action": "resume"})      # nothing is left to go on
        check(self.ask("jobAct", body={"job": "scrub", "action": "cancel"})["job"]["state"] == "paused", "a scrub is paused")
        check(self.ask("jobAct", body={"job": "scrub", "action": "resume"})["job"]["state"] == "resting", "a scrub goes on")

    def links(self):
        """The ways to all clouds; each is opened and asked, also where one is away."""
        names = [c["name"] for c in self.ask("status")["clouds"]]
        got = self.ask("links")
        check([(k["cloud"], k["level"], k["link"]) for k in got["links"]] == [(n, "local", None) for n in names] and len(got["summary"]) == len(names), f"links: {got}")
        got = self.ask("linksTest", body={})
        check(got["outcome"]["id"] == "ok" and [k["test"]["ok"] for k in got["links"]] == [True] * len(names), f"links: {got}")
        place = self.server.clouds[1]
        os.rename(place, place + ".away")
        got = self.ask("linksTest", body={})
        check([k["test"]["ok"] for k in got["links"]] == [n != "c2" for n in names] and got["outcome"]["id"] != "ok" and "c2" in got["outcome"]["message"], f"links without c2: {got}")
        os.rename(place + ".away", place)
        check(len(self.ask("linksTest", body={"cloud": "c2"})["links"]) == 1, "one link")
        self.ask("linksTest", body={"cloud": "none"}, expect=404, error="not-found")

    def log_level(self):
        """By hand, until the gateway starts again; status says so."""
        configured = self.ask("logGet")["log"]
        check(configured == self.ask("status")["log"] == {"level": "info", "by_hand": False}, f"log: {configured}")
        self.ask("logLevel", body={"level": "error"})
        check(self.ask("status")["log"] == {"level": "error", "by_hand": True}, "status does not say that the level was set by hand")
        size = os.path.getsize(self.server.log)
        self.server.request("GET", "/v1/none")
        check(os.path.getsize(self.server.log) == size, "a refusal is logged, at the level error")
        self.ask("logLevel", body={"level": "debug"})
        self.server.request("GET", "/v1/none")
        check(os.path.getsize(self.server.log) > size, "a refusal is not logged, at the level debug")
        self.server.stop()
        self.server.start()
        check(self.ask("logGet")["log"] == configured, "a level that was set by hand outlives the gateway")

    def debts(self):
        """A cloud is away during a put, and comes back: what it is owed is told, and paid when somebody asks."""
        check(self.ask("debts")["clouds"] == [] and self.ask("debtsRetry", body={})["fragments"] == 0, "nothing is owed")
        place = self.server.clouds[3]
        os.rename(place, place + ".away")
        self.put(self.path(b"owed"), 1, b"while c4 is away")
        owed = self.ask("debts")
        check([c["name"] for c in owed["clouds"]] == ["c4"] and owed["clouds"][0]["debts"]["fragments"] == owed["fragments"] == 1 and owed["records"] >= 1, f"owed: {owed}")
        check(self.ask("debtsRetry", body={})["fragments"] == 1, "paid to a cloud that is away")
        os.rename(place + ".away", place)
        end = time.monotonic() + 60
        self.ask("debtsRetry", body={})
        while self.ask("debts")["clouds"]:
            check(time.monotonic() < end, "it is not paid")
            time.sleep(0.05)

    def move(self, outcome="ok", **body):
        """A cloud comes, or goes: followed to its end."""
        got = self.ask("move", body=body, expect=202)
        end = time.monotonic() + 120
        while got["state"] == "running":
            check(time.monotonic() < end, f"a move that does not end: {got}")
            time.sleep(0.02)
            got = self.ask("moveGet")
        check(got["outcome"]["id"] == outcome and got["kind"] == body["kind"], f"{body}: {got}")
        return got

    def code_plan(self):
        """What another code would take, and what takes nothing: the one that is there."""
        for bad in ("", "?k=3", "?k=5&n=4", "?k=0&n=4", "?k=x&n=4", "?k=3&n=33"):
            a = self.server.request("GET", "/v1/clouds/plan/code" + bad)
            self.contract.judge("codePlan", a)
            check(a.status == 400, f"a plan for the code '{bad}': {a}")
        same, less, more = (self.ask("codePlan", query={"k": str(k), "n": str(n)}) for k, n in ((3, 5), (2, 5), (4, 7)))
        check((same["k_now"], same["n_now"], same["segments"], same["read_bytes"], same["writes"], same["possible"]) == (3, 5, 0, 0, 0, True), f"as it is: {same}")
        check((same["margin_now"], same["margin"], less["margin"], less["record_quorum_now"], less["record_quorum"]) == (2, 2, 3, 3, 4), f"margins {less}")
        check(less["segments"] > 0 and less["stored_bytes"] == less["written_bytes"] and less["read_bytes"] == less["bytes"] + less["written_bytes"], f"bytes {less}")
        check(2.5 * less["bytes"] <= less["stored_bytes"] <= 2.5 * less["bytes"] + 5 * less["segments"], f"5 pieces of a half each: {less}")
        check(less["reads"] == 8 * less["segments"] and less["deletes"] == 10 * less["segments"], f"requests {less}")
        check(not more["possible"] and (more["domains"], more["needed"], more["segments"]) == (5, 7, less["segments"]), f"no room: {more}")
        check(self.ask("codePlan", query={"k": "2", "n": "5"}) == less, "nothing was begun")

    def moves(self, up, data):
        """A sixth cloud is added, labelled, drained and retired; one move at a time; and it can be stopped."""
        self.ask("moveGet", expect=404, error="not-found")
        self.ask("moveCancel", expect=404, error="not-found")
        self.ask("exitPlan", query={"cloud": "nobody"}, expect=404, error="not-found")
        a = self.server.request("GET", "/v1/clouds/plan")
        self.contract.judge("exitPlan", a)
        check(a.status == 400, f"a plan for no cloud: {a}")
        plan = self.ask("exitPlan", query={"cloud": "c1"})
        check(not plan["possible"] and plan["domains"] == 4 and plan["needed"] == 5 and plan["fragments"] > 0, f"plan {plan}")
        self.code_plan()
        self.move("quorum", kind="drain", name="c1")
        self.move("not-found", kind="retire", name="nobody")
        sixth = os.path.join(self.server.root, "sixth")
        self.move(kind="add", name="c6", url=f"file://{sixth}", weight=50, provider="acme")
        self.move(kind="set", name="c1", provider="acme", region="north")
        check(self.ask("exitPlan", query={"cloud": "c1"})["possible"], "room for c1")
        self.move(kind="domain", domain="provider")
        now = self.ask("clouds")
        check(now["domain"] == "provider" and now["domains"] == 5 and now["clouds"][5]["weight"] == 50, f"clouds {now}")
        self.move("quorum", kind="set", name="c2", provider="acme")
        self.ask("move", body={"kind": "drain", "name": "c1", "rate": 1024}, expect=202)
        self.ask("move", body={"kind": "undrain", "name": "c1"}, expect=409, error="conflict")
        self.ask("moveCancel")
        while self.ask("moveGet")["state"] == "running":
            time.sleep(0.02)
        check(self.ask("moveGet")["outcome"]["id"] == "cancelled", "stopped")
        self.move(kind="undrain", name="c1")
        self.move(kind="domain", domain="cloud")
        self.move("conflict", kind="retire", name="c6")
        moved = self.move(kind="drain", name="c6")
        check(moved["report"]["fragments_left"] == 0, f"drain {moved}")
        self.move(kind="retire", name="c6")
        check(len(self.ask("clouds")["clouds"]) == 5, "retired")
        o = {"vault": self.vault, "object": up["object"], "version": up["version"]}
        check(self.ask("content", o) == data, "readable after moves")

    def drilled(self):
        end = time.monotonic() + 60
        while True:
            got = self.ask("drillGet")
            if not got["running"]:
                return got
            check(time.monotonic() < end, f"a drill that does not end: {got}")
            time.sleep(0.02)

    def drills(self):
        """All comes back without two clouds; what would be lost without them is named, with the cloud to blame, and shows in the status."""
        self.ask("drillGet", expect=404, error="not-found")
        self.ask("drillCancel", expect=404, error="not-found")
        self.ask("drill", body={"without": ["nobody"]}, expect=404, error="not-found")
        begun = self.ask("drill", body={"seed": 7}, expect=202)
        got = self.drilled()
        check(begun["seed"] == "7" and got["outcome"]["id"] == "ok" and got["tried"] == got["back"] == got["versions"] > 0 and len(got["without"]) == 2 and got["whole"], f"drill {got}")
        again = self.ask("drill", body={"seed": 7, "sample": 1}, expect=202) and self.drilled()
        check(again["without"] == got["without"] and again["tried"] == 1 and not again["whole"] or got["versions"] == 1, f"the seed draws others: {again}")
        status = self.ask("status")["drills"]
        check(status["failed"] is None and status["last"]["without"] == got["without"] and status["last"]["back"] == 1, f"status {status}")
        c1 = os.path.join(self.server.clouds[0], "f")
        before = {os.path.join(d, f) for d, _, files in os.walk(c1) for f in files}
        self.put(self.path(b"d"), 1, b"which one drill cannot read")
        new = {os.path.join(d, f) for d, _, files in os.walk(c1) for f in files} - before
        check(len(new) == 1, f"new fragments: {new}")
        with self.server.moved(*new):
            self.ask("drill", body={"without": ["c2", "c4"], "random": 0}, expect=202)
            check(self.ask("drillGet")["without"] in ([], ["c2", "c4"]), "it runs")
            got = self.drilled()
            check(got["outcome"]["id"] == "quorum" and got["lost_count"] == 1 == got["tried"] - got["back"], f"drill {got}")
            check("c1 missing" in got["lost"][0]["why"] and any("LOST" in line and "c1 missing" in line for line in got["summary"]), f"blame {got['lost']}")
        s = self.ask("status")
        check(s["drills"]["failed"]["back"] == s["drills"]["last"]["back"] == got["back"] and s["verdict"]["level"] == "act"
              and any("a drill failed" in r["what"] for r in s["verdict"]["reasons"]), f"status {s['drills']} {s['verdict']}")
        self.job(self.ask("repair", body={"deep": True}, expect=202)["job"])
        self.ask("drill", body={"without": ["c2"]}, expect=202)
        check(self.drilled()["outcome"]["id"] == "ok" and self.ask("status")["drills"]["failed"] is not None, "one that does without less outdoes it")
        self.ask("drill", body={"without": ["c4", "c2"]}, expect=202)
        check(self.drilled()["outcome"]["id"] == "ok" and self.ask("status")["drills"]["failed"] is None, "it is not outdone")
        self.ask("drill", body={"without": ["c1", "c2", "c3"]}, expect=202)
        check(self.drilled()["outcome"]["id"] == "quorum" and self.ask("status")["drills"]["failed"] is None, "more than is promised is kept")

        for _ in range(200):                    # most are told before they have ended
            self.ask("drill", body={}, expect=202)
            a = self.server.request("DELETE", "/v1/drill")
            self.contract.judge("drillCancel", a)
            got = self.drilled()["outcome"]["id"]
            check((a.status, got) in ((200, "cancelled"), (200, "ok"), (404, "ok")), f"told to stop: {a} {got}")
            if got == "cancelled":
                break
        check(got == "cancelled", "nobody hears that a drill is to stop")

    def restart(self, commits):
        before = {k: self.ask(k, {"vault": self.vault}) for k in ("vaultGet", "chain")}
        self.server.stop()
        self.server.start()
        for key, body, receipt in commits:
            check(self.ask("commit", key, body) == receipt, "a receipt after a restart")
        check({k: self.ask(k, {"vault": self.vault}) for k in before} == before, "vault and chain after a restart")

    def rotten(self):
        """What the gateway's own disk holds and does not parse, or not verify, is no mistake of the client's: 502."""
        up = self.put(self.path(b"r"), 1, b"of which the backup data rots")[0]
        o = {"vault": self.vault, "object": up["object"], "version": up["version"]}
        good = None
        for cut, error in ((5, "format"), (-1, "integrity"), (None, None)):
            self.server.stop()
            db = sqlite3.connect(os.path.join(self.server.state, "catalogue.db"))
            no, now = db.execute("SELECT version_no, sealed FROM backup ORDER BY version_no DESC LIMIT 1").fetchone()
            good = good or now
            db.execute("UPDATE backup SET sealed = ? WHERE version_no = ?", (good[:cut], no))
            db.commit()
            db.close()
            self.server.start()
            self.ask("backup", o, **({} if error is None else {"expect": 502, "error": error}))

    def fenced(self, up, e, body):
        """A second gateway is rebuilt from the same clouds: the first one says so, to every call but three."""
        new = os.path.join(self.server.root, "rebuilt")
        self.server.run("rebuild", "--state", new, *self.server.cloud_options())
        self.ask("vaultPut", {"vault": "f" * 32}, {"record": self.record("f" * 32), "backup": b64(b"x")}, expect=409, error="fenced")
        v, key = {"vault": self.vault}, {"put_key": up["put_key"]}
        o = {"vault": self.vault, "object": up["object"], "version": up["version"]}
        check(self.ask("health")["fenced"] and not self.ask("health")["ok"], "health of a fenced gateway")
        check(self.ask("status")["fenced_why"] != "", "why it is fenced")
        tomb = {"path": e["path"], "number": 1, "seal": b64(bytes(32)), "put_key": self.id()}
        for name, ids, sent in (("vaults", {}, None), ("vaultGet", v, None), ("chain", v, None), ("entryGet", v, {"path": e["path"]}),
                                ("entryList", v, {"prefix": ""}), ("entrySome", v, {"paths": [e["path"]]}), ("entryRemove", v, tomb), ("uploadBegin", v, self.upload()),
                                ("segmentPut", key | {"seq": 0}, b"x"), ("commit", key, body), ("members", key, self.members_body(self.member(self.path(), 1, 0, 1))),
                                ("membersBytes", key, self.members_bytes(self.member(self.path(), 1, 0, 1))), ("uploadGet", key, None), ("uploadClouds", key, None),
                                ("readSome", v, {"objects": [{k: o[k] for k in ("object", "version")}]}),
                                ("sweep", {}, None), ("tenants", {}, None), ("tenantAdd", {}, {"name": "x", "token_hash": b64(bytes(32))}),
                                ("tenantChange", {"tenant": "ann"}, {}), ("uploadCancel", key, None), ("content", o, None), ("backup", o, None), ("info", o, None)):
            self.ask(name, ids, sent, expect=409, error="fenced")
        self.ask("repair", body={}, expect=409, error="fenced")
        self.ask("purge", {"vault": self.vault}, {"objects": [{"object": self.id(), "version": self.id()}]}, expect=409, error="fenced")
        self.ask("retain", {"vault": self.vault}, {"objects": [{"object": self.id(), "version": self.id()}], "until": 1}, expect=409, error="fenced")
        self.ask("entryRename", {"vault": self.vault}, self.move_body(e, self.path(), 1), expect=409, error="fenced")
        self.ask("scrub", body={}, expect=409, error="fenced")
        self.ask("move", body={"kind": "domain", "domain": "cloud"}, expect=409, error="fenced")
        self.ask("drill", body={}, expect=409, error="fenced")
        self.ask("snapshot", body={}, expect=409, error="fenced")
        self.ask("cloudTest", body={"cloud": "c1"}, expect=409, error="fenced")
        self.ask("scrubHand", body={"paused": True}, expect=409, error="fenced")
        self.ask("jobAct", body={"job": "scrub", "action": "cancel"}, expect=409, error="fenced")
        self.ask("debtsRetry", body={}, expect=409, error="fenced")
        self.ask("linksTest", body={}, expect=409, error="fenced")
        self.ask("snapshots", expect=409, error="fenced")
        self.ask("snapshotCheck", body={}, expect=409, error="fenced")
        self.ask("request", {"request": self.id()}, expect=404, error="not-found")

    def selftests(self):
        """Of the gateway's own process: all hold, and they are those that its program names."""
        tests = self.ask("selftest", body={})
        named = json.loads(self.server.run("selftest", "--json"))
        check(tests == named and tests["failed"] == 0 and tests["outcome"]["id"] == "ok" and len(tests["tests"]) >= 12 and all(t["ok"] for t in tests["tests"]), f"self-tests: {tests}")
        check(json.loads(self.server.run("selftest", "--json", "--state", self.server.state)) == named, "by the program, of the daemon")

    def tests(self):
        """A cloud that is there, one that is away, another one's, one that takes nothing; nothing stays of it."""
        def steps(cloud, outcome, *want):
            t = self.ask("cloudTest", body={"cloud": cloud})
            check(t["outcome"]["id"] == outcome and [s["step"] for s in t["steps"]] == list(want) and all(s["ok"] for s in t["steps"][:-1]), f"test of {cloud}: {t}")
            check(t["steps"][-1]["ok"] == (outcome == "ok") and len(t["summary"]) == len(want), f"test of {cloud}: {t}")
            left = [f for d in self.server.clouds for _, _, names in os.walk(d) for f in names if f.startswith("qcloud-test-")]
            check(not left, f"a test left {left}")
        all_steps = ("identity", "put", "get", "remove", "gone")
        steps("c3", "ok", *all_steps)
        self.ask("cloudTest", body={"cloud": "none"}, expect=404, error="not-found")
        place = self.server.clouds[2]
        os.rename(place, place + ".away")
        steps("c3", "unfit", "identity")
        os.symlink(self.server.clouds[3], place)
        steps("c3", "unfit", "identity")
        os.unlink(place)
        os.rename(place + ".away", place)
        steps("c3", "ok", *all_steps)

    def snapshots(self):
        """Taken now: what was written where, and what there was before."""
        a = self.server.request("POST", self.contract.url("snapshot", {}), json.dumps({"all": True}))
        self.contract.judge("snapshot", a)
        check(a.status == 400, f"an unknown member: {a}")
        first = self.ask("snapshot", body={})
        check(first["outcome"]["id"] == "ok" and first["notes"]["written"] and first["pack"]["written"], f"snapshot {first}")
        check([len(p["clouds"]) for p in (first["pack"], first["notes"])] == [5, 5] and all(c["seen"] for c in first["pack"]["clouds"] + first["notes"]["clouds"]), f"snapshot {first}")
        check(first["pack"]["first"] == 1 and first["pack"]["last"] == first["log_sequence"] == self.ask("status")["log_sequence"], f"snapshot {first}")
        again = self.ask("snapshot", body={})
        check(again["previous"]["taken"] == first["taken"] and again["previous"]["behind"] == 0 and not again["pack"]["written"] and again["notes"]["written"], f"the second: {again}")

    def checked(self):
        """All of them fetched, and a catalogue made of them: whole; with a piece lost and one rotten; of one alone."""
        listed = self.ask("snapshots")
        check(listed["behind"] == 0 and len(listed["snapshots"]) == 2 and len(listed["packs"]) == 1, f"snapshots {listed}")
        check(all(c["piece"] == "there" for p in listed["snapshots"] + listed["packs"] for c in p["clouds"]), f"pieces {listed}")
        got = self.ask("snapshotCheck", body={})
        made, status = got["catalogue"], self.ask("status")
        check(got["outcome"]["id"] == "ok" and made["compared"] and made["log_packed"] == made["log_sequence"] == status["log_sequence"], f"check {got}")
        check((made["versions"], made["log_else"], got["lacking"], got["faults"]) == (status["versions"], 0, 0, 0), f"check {got}")
        check(all(c["piece"] == "holds" for p in got["snapshots"] + got["packs"] for c in p["clouds"]), f"pieces {got}")
        check(not [n for n in os.listdir(self.server.state) if n.startswith("snapshot")], "what was made is gone")
        one = got["snapshots"][1]["generation"]
        older = self.ask("snapshotCheck", body={"generation": one})
        check([s["generation"] for s in older["snapshots"]] == [one] and older["outcome"]["id"] == "ok", f"one of them {older}")
        self.ask("snapshotCheck", body={"generation": "9.1"}, expect=404, error="not-found")
        for bad in ({"generation": "1"}, {"generation": ".1"}, {"generation": "0.1"}, {"generation": "1.x"}, {"generation": "1.99999999999"}, {"generation": 1}, {"which": "1.1"}):
            a = self.server.request("POST", self.contract.url("snapshotCheck", {}), json.dumps(bad))
            self.contract.judge("snapshotCheck", a)
            check(a.status == 400, f"{bad}: {a}")
        held = {}
        for d, _, names in os.walk(os.path.join(self.server.clouds[1], "s")):
            for n in names:
                with open(os.path.join(d, n), "rb") as f:
                    held[f.name] = f.read()
        pack, notes = (by(held, key=lambda p: len(held[p])) for by in (max, min))
        os.remove(pack)
        with open(notes, "r+b") as f:
            f.seek(110)
            f.write(bytes([held[notes][110] ^ 1]))
        got = self.ask("snapshotCheck", body={})
        seen = {c["piece"] for p in got["snapshots"] + got["packs"] for c in p["clouds"] if c["name"] == "c2"}
        check(got["outcome"]["id"] == "degraded" and seen == {"holds", "missing", "damaged"} and (got["lacking"], got["faults"]) == (2, 0), f"a piece lost, one rotten: {got}")
        for path, data in held.items():
            with open(path, "wb") as f:
                f.write(data)
        check(self.ask("snapshotCheck", body={})["outcome"]["id"] == "ok", "as before")

    def run(self):
        self.empty()
        self.unknown()
        self.vaults()
        self.tenants()
        up, e, body, data = self.uploads()
        self.versions(up, e, body, data)
        self.entries(e)
        count = refusals.run(self, up)
        second = self.overwrite(up, e)
        self.listing(second)
        self.bundle()
        self.remove(self.rename(second))
        self.chain()
        self.cancels()
        self.extremes()
        self.faults(up, data)
        self.degraded()
        self.swept()
        self.quorum(up, data)
        self.repairs(up, data)
        self.scrubs(up)
        self.by_hand()
        self.selftests()
        self.tests()
        self.snapshots()
        self.checked()
        self.moves(up, data)
        self.drills()
        self.works()
        self.debts()
        self.links()
        self.log_level()
        last = self.put(self.path(b"z"), 1, b"before the restart")
        self.rotten()
        self.restart([({"put_key": last[0]["put_key"]}, last[2], last[3])])
        self.fenced(up, e, body)
        missed = self.contract.uncalled(EXEMPT)
        check(not missed, f"documented, and never answered: {missed}")
        print(f"{self.calls + count} calls ({count} of them malformed), {len(self.contract.operations)} operations, "
              f"{sum(map(len, self.contract.seen.values()))} documented answers seen")


def main():
    check(os.access(GATEWAY, os.X_OK), "QC_BIN must name the folder of qcloud-gateway")
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"contract: QC_SEED={seed}", flush=True)
    with Server() as server:
        try:
            Walk(server, seed).run()
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        server.stop()


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
