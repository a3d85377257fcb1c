#!/usr/bin/python3
"""Checks tests/kat/seal with the second reader (tests/reader), which was written from FORMAT.md alone. See README.md here.

    seal_check.py DIR        exit 0 when every vector holds
"""
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
import qcloud_reader as q  # noqa: E402

DIR = sys.argv[1]
count = 0


def check(cond, what):
    global count
    count += 1
    if not cond:
        sys.exit(f"seal_check: {what} does not hold")


def load(name):
    with open(os.path.join(DIR, name), encoding="ascii") as f:
        return json.load(f)


def h(text):
    return bytes.fromhex(text)


def rule(what, number, n):
    return b"".join(hashlib.sha256(what + bytes((number, i))).digest() for i in range(-(-n // 32)))[:n]


def pattern(n):
    return bytes((131 * i + 17 * (i >> 8) + 7) & 255 for i in range(n))


def kdf():
    v = load("kdf.json")
    check(q.sha(v["suite"].encode()) == h(v["suite_salt"]), "suite salt")
    check(q.SUITES[1][0].decode() == v["suite"], "suite name")
    for c in v["cases"]:
        context = [h(x) for x in c["context"]]
        check(q.enc(c["label"].encode(), *context) == h(c["info"]), "info of " + c["label"])
        check(q.mac(h(v["suite_salt"]), h(c["ikm"])) == h(c["prk"]), "prk of " + c["label"])
        check(q.kdf(h(c["ikm"]), c["label"], *context, n=c["len"]) == h(c["out"]), "KDF " + c["label"])
    check(len(v["cases"]) == 26, "number of derivations")


def shamir():
    for c in load("shamir.json")["cases"]:
        share = {x: h(c["R%d" % x]) for x in (1, 2, 3, 4)}
        R = h(c["R"])
        check(q.xor(h(c["K"]), R) == h(c["KR"]), "KR")
        for t in c["triples"]:
            check(q.combine({x: share[x] for x in t["points"]}) == R == h(t["R"]), "triple")
        check(len({tuple(t["points"]) for t in c["triples"]}) == 4, "four triples")
        check(q.xor(share[1], share[2]) == q.xor(R, share[3]), "R1 xor R2 = R xor R3")
        if c["mode"] == "stored":
            a, b = h(c["coefficients"])[:32], h(c["coefficients"])[32:]
            for x in share:
                y = bytes(R[i] ^ q.mul(a[i], x) ^ q.mul(b[i], q.mul(x, x)) for i in range(32))
                check(y == share[x], f"share {x} of the polynomial")


def places():
    for c in load("places.json")["cases"]:
        ids = tuple(h(c["ids"][k]) for k in ("vault", "object", "version"))
        check(q.position(h(c["R"]), "n1", ids, c["c0"] + 1) == c["n1"], "n1")
        check(q.position(h(c["R12"]), "n2", ids, c["c0"] + 33) == c["n2"], "n2")


def n_of(v):
    if "N" in v:
        return h(v["N"])
    if "N_file" in v:
        with open(os.path.join(DIR, v["N_file"]), "rb") as f:
            return f.read()
    return None


def seal(v):
    """N made from the inputs alone: the writer of FORMAT 3, for the vector whose N is in no file."""
    ids = tuple(h(v["ids"][k]) for k in ("vault", "object", "version"))
    D = pattern(v["plaintext"]["size"]) + bytes(v["padded"] - v["plaintext"]["size"])
    K, R = h(v["K"]), h(v["R"])
    DK = q.kdf(K, "data", *ids)
    C, G = 1 << v["chunk_log2"], 1 << v["group_log2"]
    chunks = max(1, -(-len(D) // C))
    salts = [(0, h(v["salt"]))] + [(e["start"], h(e["salt"])) for e in v["epochs"]]
    header = h(v["header"])
    body, digests, block = [], [], b""
    for i in range(chunks):
        salt = [s for start, s in salts if start <= i][-1]
        last = int(i == chunks - 1)
        key = q.kdf(DK, "chunk", *ids, salt, q.u(8, i), q.u(1, last))
        sealed = q.AESGCM(key).encrypt(bytes((last, 0, 0, 0)) + q.u(8, i), D[i * C:i * C + C], q.sha(header))
        ct, tag = sealed[:-16], sealed[-16:]
        auth = q.gmac(q.kdf(R, "chunk-auth", *ids, salt), bytes(4) + q.u(8, i), b"".join(ids) + q.u(8, i) + ct + tag)
        block += tag + auth
        if i == 0:
            n1 = q.position(R, "n1", ids, len(ct) + 1)
            n2 = q.position(q.xor(h(v["R1"]), h(v["R2"])), "n2", ids, len(ct) + 33)
            check((n1, n2) == (v["n1"], v["n2"]), "n1 and n2 of an object")
            ct = ct[:n1] + q.xor(K, R) + ct[n1:]
            ct = ct[:n2] + h(v["R3"]) + ct[n2:]
        body.append(ct)
        if last or (i + 1) % G == 0:
            digests.append(q.sha(q.enc(b"group", q.u(8, i // G), block)))
            body.append(block)
            block = b""
    trailer = h(v["trailer"])
    check([x.hex() for x in digests] == v["group_digests"], "group digests")
    M = q.mac(q.kdf(R, "M", *ids), q.enc(b"M", header, q.xor(K, R), h(v["R3"]), q.u(8, n1) + q.u(8, n2), trailer))
    check(M == h(v["M"]), "M")
    return header + b"".join(body) + trailer + q.u(4, len(trailer)) + M


def objects():
    names = sorted(n for n in os.listdir(DIR) if n.startswith("object_") and n.endswith(".json"))
    check(len(names) == 10, "number of objects")
    for name in names:
        v = load(name)
        ids = tuple(h(v["ids"][k]) for k in ("vault", "object", "version"))
        N = seal(v)
        check(N == (n_of(v) or N), name + ": N")
        check(len(N) == v["N_size"] and q.sha(N) == h(v["N_sha256"]), name + ": digest of N")
        for way in (dict(R1=h(v["R1"]), R2=h(v["R2"])), dict(R1=h(v["R1"]), B=h(v["B"])), dict(R2=h(v["R2"]), B=h(v["B"]))):
            o = q.Opened(N, ids=ids, entry_M=h(v["M"]), **way)
            D = b"".join(o.data())
            check(len(D) == v["plaintext"]["size"] and q.sha(D) == h(v["plaintext"]["sha256"]), name + ": plaintext")
            check(D == pattern(len(D)), name + ": pattern")
            check((o.DK, o.n1, o.n2, o.R3) == (h(v["DK"]), v["n1"], v["n2"], h(v["R3"])), name + ": keys")
            for c in v["chunk_vectors"]:
                block = o.tag_block(c["index"] >> v["group_log2"])
                at = 32 * (c["index"] & ((1 << v["group_log2"]) - 1))
                check(block[at:at + 32] == h(c["tag"]) + h(c["auth"]), name + ": tags")
                check(q.kdf(o.DK, "chunk", *ids, o.salt(c["index"]), q.u(8, c["index"]), q.u(1, c["last"])) == h(c["key"]),
                      name + ": chunk key")
                check(o.hh == h(c["aad"]) == h(v["HH"]), name + ": HH")


def refresh():
    r = load("refresh.json")
    v = load("object_%s.json" % r["object"])
    N, ids = n_of(v), tuple(h(v["ids"][k]) for k in ("vault", "object", "version"))
    s, d = r["stored"], r["derived"]
    g = {x: q.mul(x, x ^ 3) for x in (1, 2, 4)}
    for x in (1, 2, 4):
        want = bytes(a ^ q.mul(c, g[x]) for a, c in zip(h(v["R%d" % x]), h(s["c"])))
        check(want == h(s["R%d" % x]), "refreshed share")
    check(q.kdf(h(d["seed1"]), "share1", *ids, q.u(4, d["generation"])) == h(d["share1"]), "share of seed 1")
    check(q.kdf(h(d["seed2"]), "share2", *ids, q.u(4, d["generation"])) == h(d["share2"]), "share of seed 2")
    check(q.xor(h(d["share2"]), h(d["corr2"])) == h(d["R2"]), "corr2")
    for way in (dict(R1=h(s["R1"]), R2=h(s["R2"])), dict(R1=h(s["R1"]), B=h(s["B"])), dict(R2=h(s["R2"]), B=h(s["B"])),
                dict(R1=h(d["share1"]), R2=h(d["share2"]), B=h(d["B"])), dict(R1=h(d["share1"]), B=h(d["B"])),
                dict(R2=h(d["share2"]), B=h(d["B"]))):
        check(b"".join(q.Opened(N, ids=ids, **way).data()) == pattern(v["plaintext"]["size"]), "refreshed object")


def names():
    v = load("names.json")
    n = q.Names(h(v["VS"]), h(v["vault"]))
    for c in v["names"]:
        check(n.encode(h(c["name"])) == h(c["path"]), "path of a name")
        check(n.decode(h(c["path"])) == h(c["name"]), "name of a path")
        parent, ids = [h(v["vault"])], (h(v["vault"]), h(v["vault"]), bytes(16))
        for comp in h(c["name"]).split(b"/")[:-1]:
            parent.append(q.kdf(h(v["VS"]), "dir", *ids, parent[-1], comp))
        check([x.hex() for x in parent] == c["parent_ids"], "directory ids")
        check(q.mac(q.kdf(h(v["VS"]), "mark", *ids), h(c["path"]))[:16] == h(c["path_tag"]), "path tag")
    for c in v["refused_names"]:
        try:
            n.encode(h(c))
            check(False, "a refused name")
        except q.Refused:
            check(True, "")


def entries():
    v = load("entries.json")
    n = q.Names(h(v["VS"]), h(v["vault"]))
    head, seals = q.head_start(h(v["vault"])), []
    for e in v["entries"]:
        e = {k: h(x) if isinstance(x, str) else x for k, x in e.items()}
        n.check(e)
        if e["kind"] == 1:
            size, ext = n.private(e)
            clear = q.u(8, size) + b"".join(q.u(2, t) + q.u(4, len(x)) + x for t, x in ext.items())
            check(clear == e["private_clear"], "private part")
        else:
            check(e["private"] == b"", "tombstone")
        seals.append(e["seal"])
    for i, c in enumerate(v["heads"]):
        if i > 0:
            head = q.head_step(head, i, seals[i - 1])
        check((c["count"], h(c["h"])) == (i, head) and h(c["encoded"]) == q.u(8, i) + head, "vault head")


def record():
    v = load("vault_record.json")
    for way in (dict(VS1=h(v["VS1"]), VS2=h(v["VS2"])), dict(VS1=h(v["VS1"])), dict(VS2=h(v["VS2"]))):
        check(q.open_vault(h(v["record"]), h(v["B"]), **way) == (h(v["VS"]), h(v["vault"])), "vault record")


def refused(kind, what, call):
    try:
        call()
    except q.Refused as e:
        check(e.kind == kind, f"{what}: refused as {e.kind}")
    else:
        check(False, what + ": not refused")


def backup():
    """Kinds 1 and 2 (4, 17): what lies at the gateway gives B with W, or nothing at all without the keeper's."""
    v = load("backup.json")
    o, r = load("object_%s.json" % v["object"]), load("vault_record.json")
    ids, vault = tuple(h(o["ids"][k]) for k in ("vault", "object", "version")), h(r["vault"])
    W, N, plain = h(v["W"]), n_of(o), pattern(o["plaintext"]["size"])
    for of, its in ((v["of_object"], ids), (v["of_vault"], (vault, vault, bytes(16)))):
        B, front = h(of["B"]), h(of["front"])
        check(front == B[:6] + b"\2" + B[7:64], "front of a kept B")
        check(q.is_kept(front) and not q.is_kept(B), "kind")
        check(q.parse_backup(front).ids == q.parse_backup(B).ids == its, "ids of a kept B")
        check(q.parse_backup(front).generation == q.parse_backup(B).generation, "generation of a kept B")
        check(q.keeper_key(its) == of["key"], "a keeper's key")
        check(q.unseal_backup(h(of["sealed"]), W) == B and len(of["sealed"]) == 2 * (len(B) + 16), "sealed B")
        refused("SHARES", "sealed B without W", lambda sealed=h(of["sealed"]): q.unseal_backup(sealed, None))
        refused("FORMAT", "a front cut short", lambda cut=front[:-1]: q.parse_backup(cut))
    B, front = h(v["of_object"]["B"]), h(v["of_object"]["front"])
    shares = dict(R1=h(o["R1"]), R2=h(o["R2"]))
    check(b"".join(q.Opened(N, ids=ids, B=front, **shares).data()) == plain, "both shares, the keeper away")
    for one in ("R1", "R2"):
        check(b"".join(q.Opened(N, ids=ids, B=B, **{one: shares[one]}).data()) == plain, "one share and the keeper")
        refused("SHARES", "one share and the gateway", lambda one=one: q.Opened(N, ids=ids, B=front, **{one: shares[one]}))
    B, front = h(v["of_vault"]["B"]), h(v["of_vault"]["front"])
    for one in ("VS1", "VS2"):
        check(q.open_vault(h(r["record"]), B, **{one: h(r[one])})[0] == h(r["VS"]), "names: one share and the keeper")
        refused("SHARES", "names: one share and the gateway", lambda one=one: q.open_vault(h(r["record"]), front, **{one: h(r[one])}))


def edited(data, edits, originals):
    for e in edits:
        new = originals[e["from"]][e["from_at"]:e["from_at"] + e["from_size"]] if "from" in e else h(e["insert"])
        data = data[:e["at"]] + new + data[e["at"] + e["remove"]:]
    return data


def refusals():
    v = {n[7:-5]: load(n) for n in os.listdir(DIR) if n.startswith("object_") and n.endswith(".json")}
    originals = {n: n_of(x) for n, x in v.items()}
    cases = load("refusals.json")["cases"]
    check(len({c["name"] for c in cases}) == len(cases) >= 100, "number of refusals")
    for c in cases:
        o = v[c["object"]]
        N, B = edited(originals[c["object"]], c["edits"], originals), edited(h(o["B"]), c["B_edits"], originals)
        ids = tuple(h(c.get("ids", o["ids"])[k]) for k in ("vault", "object", "version"))
        share = {k: h(c.get(k, o[k])) for k in ("R1", "R2")}
        give = dict(plain=dict(**share), with1=dict(R1=share["R1"], B=B), with2=dict(R2=share["R2"], B=B))
        for way in c["ways"]:
            released, exit_status = 0, 0
            try:
                for d in q.Opened(N, ids=ids, entry_M=h(c.get("M", o["M"])), **give[way]).data():
                    released += len(d)
            except q.Refused as e:
                exit_status = {"FORMAT": 8, "INTEGRITY": 8, "NEWER": 8, "SHARES": 7}[e.kind]
            got = (exit_status, released)
            check(got == (c["expect"]["exit"], c["expect"]["released"]), f"{c['name']} {way}: got {got}")


for part in (kdf, shamir, places, objects, refresh, names, entries, record, backup, refusals):
    part()
print(f"seal_check: {count} checks hold")
