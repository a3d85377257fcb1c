"""Malformed requests, made from docs/openapi.yaml itself: whatever its schemas refuse, the gateway has to refuse, with no effect."""
import copy
import json

from openapi import METHODS, OPERATOR_BODIES
from server import check

BODY_MAX = 1 << 20
NOT_JSON = (b"", b" ", b"{", b"}", b"null", b"[]", b"1", b'"x"', b"{}x", b'{"a":1,}', b"{'a':1}", b'{"a":NaN}', b"\xff\xfe", b'{"\xff":1}', b"\0" * 8,
            b'{"path":"\\u0000"}', b'{"path":"\\ud800"}')


class Refusals:
    def __init__(self, walk, up):
        self.w, self.c, self.count = walk, walk.contract, 0
        self.open = walk.upload()                   # an upload that is open: commits are refused for their bodies only
        walk.ask("uploadBegin", {"vault": walk.vault}, self.open, expect=201)
        self.ids = {"vault": walk.vault, "object": up["object"], "version": up["version"], "put_key": self.open["put_key"], "seq": 0,
                    "request": "0" * 32, "job": 1, "tenant": "nobody"}
        entry = walk.entry(self.open, walk.path(), 1, 1)
        self.good = {
            "vaultPut": {"record": walk.record(walk.vault), "backup": "AAAA"},
            "backups": walk.backups_body(up),
            "entryGet": {"path": "AAAA"},
            "tenantAdd": {"name": "refused", "token_hash": entry["seal"], "enabled": True, "bytes": 1, "objects": 1, "uploads": 1, "requests": 1},
            "tenantChange": {"token_hash": entry["seal"], "enabled": True, "bytes": 1, "objects": 1, "uploads": 1, "requests": 1},
            "entryList": {"prefix": "AAAA", "after": "AAAB", "limit": 3, "tombstones": True},
            "entryRemove": {"path": "AAAA", "number": 7, "seal": entry["seal"], "put_key": walk.id()},
            "entryRename": walk.move_body(entry, walk.path(), 1),
            "uploadBegin": walk.upload() | {"put_key": self.open["put_key"]},
            "entrySome": {"paths": ["AAAA", "AAAB"]},
            "members": walk.members_body(walk.member(walk.path(), 1, 0, 1), walk.member(walk.path(), 1, 0, 1)),
            "readSome": {"objects": [{"object": up["object"], "version": up["version"]}]},
            "purge": {"objects": [{"object": up["object"], "version": up["version"]}]},
            "retain": {"objects": [{"object": up["object"], "version": up["version"]}], "until": 1 << 32},
            "uploadResume": {"segments": 3},
            "commit": walk.commit_body(entry, 1) | {"run": 1},
            "move": {"kind": "drain", "name": "nobody", "rate": 1 << 20},
            "repair": {"deep": True, "dry_run": True, "rate": 1 << 20},
            "scrub": {"content": True, "cloud": "c1"},
            "snapshot": {},
            **OPERATOR_BODIES,
            "drill": {"without": ["c1"], "random": 1, "sample": 1, "seed": 3},
        }

    def url(self, name, **change):
        return self.c.url(name, {k: v for k, v in (self.ids | change).items()})

    def send(self, name, url, body=None, headers=None, status=(400,), what="", **kw):
        """Refused with one of these statuses, as the page has it."""
        method = self.c.operations[name][0]
        a = self.w.server.request(method, url, body, headers, **kw)
        self.count += 1
        self.c.judge(name, a, f"{what} {str(body)[:300]}")
        check(a.status in status, f"{what}: {method} {url} {str(body)[:300]}: {a}")
        return a

    # ------------------------------------------------------------ bodies
    def bodies(self, name):
        schema = self.c.request_schema(name)
        if schema is None:
            return
        url, good = self.url(name), self.good[name]
        check(self.c.wrong(schema, good) is None, f"{name}: the good body is none: {self.c.wrong(schema, good)}")
        for text in NOT_JSON:
            self.send(name, url, text, what="not JSON")
        members = json.dumps(good)[1:-1]
        first = members.split(",")[0]
        self.send(name, url, "{%s,%s}" % (first, members), what="a member twice")
        self.send(name, url, json.dumps({**good, "more": 1}), what="unknown member")
        self.send(name, url, "[" * 40 + "]" * 40, status=(413,), what="deep")
        self.send(name, url, b"{" + b" " * (BODY_MAX + 1) + b"}", status=(413,), what="long")
        tried = 0
        for where, bad in mutations(good):
            if self.c.wrong(schema, bad) is None:
                continue
            tried += 1
            self.send(name, url, json.dumps(bad), status=(400, 413), what=f"{name} {where}")
        check(tried >= 3 * len(good), f"{name}: only {tried} bad bodies")

    # ------------------------------------------------------------ around the body
    def around(self, name):
        method, path, op, params = self.c.operations[name]
        body = json.dumps(self.good[name]) if name in self.good else b"x" if "requestBody" in op else None
        for text in ("", "0" * 15, "0" * 65, "0" * 15 + "G", "0" * 15 + "A", "0" * 16 + " 1", "../../../../etc/passwd"):
            self.send(name, self.url(name), body, {"X-Qcloud-Request": text}, what=f"request name {text!r}")
        if "requestBody" not in op:
            self.send(name, self.url(name), b"{}", what="a body where none is")
        for p in params:
            if p["in"] != "path":
                continue
            good = str(self.ids[p["name"]])
            bad = ["", "x", good + "0", "%2e%2e", "..", good + "/", good + "%2f", "+1", "-1", "%00"]
            if p["name"] == "seq":
                bad = [b for b in bad if b not in ("00",)] + ["99999999999999999999", "0x1", "1.0"]
            else:
                bad += [good[:-1], good[:-1] + "g", good[:-1] + "A", good.upper().replace("0", "A"), good[:-2] + "\xe9".encode().hex()[:1]]
            if p["name"] == "request":
                bad = ["", "x", "0" * 15, "0" * 65, "g" * 16, "A" * 16, "%2e%2e"]
            for text in bad:
                if text == good + "0" and p["name"] == "seq":
                    continue
                a = self.send(name, self.url(name, **{p["name"]: text}), body, status=(404, 400), what=f"{p['name']} {text!r}")
                check(a.status == 404 or text == "", f"{name}: {p['name']} {text!r}: {a}")

    def methods(self):
        """Methods that a path does not have, and paths that are none."""
        for path, item in self.c.page["paths"].items():
            url = path
            for k, v in self.ids.items():
                url = url.replace("{%s}" % k, str(v))
            allowed = {m.upper() for m in METHODS if m in item}
            for method in METHODS:
                if method not in item:
                    a = self.unrouted(method.upper(), url, 405, "usage")
                    allow = (a.headers["Allow"] or "").split(", ")
                    check(len(allow) == len(allowed) and set(allow) == allowed, f"{method} {path}: Allow: {allow}")
        for url in ("/", "/v1", "/v1/", "/v2/health", "/v1/health/", "//v1/health", "/v1//health", "/v1/Health", "/v1/vaults/", "/v1/health/../status", "*",
                    "/" + "a" * 8000, "/v1/vaults/" + "0" * 32 + "/entries", "/v1/uploads", "/%76%31/nothing"):
            self.unrouted("GET", url, 404, "not-found")

    def unrouted(self, method, url, status, error):
        a = self.w.server.request(method, url)
        self.count += 1
        where = f"{method} {url[:100]}: {a}"
        check(a.status == status, f"expected {status}: {where}")
        if method == "HEAD":
            return a                                # an answer without a body
        schema = self.c.schema(self.c.page["components"]["schemas"]["Error"], True)
        why = self.c.wrong(schema, a.json())
        check(why is None, f"{why}: {where}")
        check(a.json()["error"]["id"] == error and a.headers["Content-Type"] == "application/json", f"expected {error}: {where}")
        return a


def mutations(good, path=()):
    """Bodies that differ from a good one in one place."""
    for k, v in good.items():
        where = "/".join(path + (k,))
        yield f"without {where}", {x: y for x, y in good.items() if x != k}
        for bad in (None, True, 0, -1, 1.5, 1 << 53, 1 << 70, [], {}, "", "x", [v], {"x": v}):
            yield f"{where}: {bad!r}", good | {k: bad}
        if isinstance(v, str):
            # one digit less, one more, bytes too many, other alphabets, not the one way to write it
            for bad in (v[:-1], v + "A", v + "AAAA" * 40000, v[:-1] + "=", v[:-1] + "+", v[:-1] + "/", v[:-1] + " ", v[:-1] + "\u00e9", v.upper(),
                        v + "=", "AB", v[:-1] + "\x00"):
                yield f"{where}: {bad[:40]!r}", good | {k: bad}
        if isinstance(v, int) and not isinstance(v, bool):
            yield f"{where}: text", good | {k: str(v)}
        if isinstance(v, list) and v:
            for bad in (None, True, 7, [v[0]]):
                yield f"{where}: with {bad!r}", good | {k: v + [bad]}
            for inner, bad in mutations(v[-1], path + (k,)) if isinstance(v[-1], dict) else ():
                yield inner, good | {k: v[:-1] + [copy.deepcopy(bad)]}
        if isinstance(v, dict):
            yield f"{where}: unknown member", good | {k: {**v, "more": 0}}
            for inner, bad in mutations(v, path + (k,)):
                yield inner, good | {k: copy.deepcopy(bad)}


def run(walk, up):
    """All of it; how many requests were sent. The log, the uploads and the vault must be as they were."""
    r = Refusals(walk, up)
    passing = ("clouds", "dead_segments", "observed", "counted")   # free space; swept in the background; a clock
    before = {k: v for k, v in walk.ask("status").items() if k not in passing}
    chain = walk.ask("chain", {"vault": walk.vault})
    for name in r.c.operations:
        r.bodies(name)
        r.around(name)
    r.methods()
    after = {k: v for k, v in walk.ask("status").items() if k not in passing}
    check(after == before, f"refused requests changed something: {before} {after}")
    check(walk.ask("chain", {"vault": walk.vault}) == chain, "refused requests changed the chain")
    check(walk.ask("uploadGet", {"put_key": r.open["put_key"]})["state"] == "open", "refused commits closed the upload")
    walk.ask("uploadCancel", {"put_key": r.open["put_key"]})
    return r.count
