#!/usr/bin/python3
"""Every vector of tests/kat/seal against the second reader: what the C programs wrote is what FORMAT.md says.

Objects, backup data and the vault record are also written anew here, from the secrets in the vectors and the page alone, and
compared byte for byte. Then every field of every file is changed, one at a time, and each change must be noticed: a field
that nobody looks at would prove nothing.

    vectors.py [DIR]        QC_QUICK=1: without the changed fields
"""
import copy
import json
import os
import sys
import tempfile

import qcloud_reader as q

HERE = os.path.dirname(os.path.abspath(__file__))
DIR = os.path.join(os.path.dirname(HERE), "kat", "seal")


class Failure(Exception):
    pass


def equal(what, got, want):
    if isinstance(got, bytes) and isinstance(want, str):
        got = got.hex()
    if got != want or type(got) is not type(want):
        raise Failure(f"{what}: the second reader has {str(got)[:120]}, the vector {str(want)[:120]}")


def refused(what, call):
    try:
        call()
    except q.Refused as e:
        return e.kind
    raise Failure(f"{what}: was not refused")


class Vectors:
    def __init__(self, directory):
        self.dir, self.files, self.blobs, self.thorough = directory, {}, {}, True
        for name in sorted(os.listdir(directory)):
            with open(os.path.join(directory, name), "rb") as f:
                if name.endswith(".json"):
                    self.files[name[:-5]] = json.load(f)
                else:
                    self.blobs[name] = f.read()
        self.whole = {}                             # object name: N, once it was written anew

    def N(self, name):
        if name not in self.whole:
            self.whole[name] = write_object(self.files["object_" + name])[0]
        return self.whole[name]


def b(text):
    return bytes.fromhex(text)


def ids_of(d):
    return b(d["vault"]), b(d["object"]), b(d["version"])


def pattern(n):
    return bytes((131 * i + 17 * (i >> 8) + 7) & 255 for i in range(n))


def share(secret, coefficients, x):
    """The polynomial of 1.2 at x."""
    linear, quadratic = coefficients[:32], coefficients[32:]
    return bytes(s ^ q.mul(a, x) ^ q.mul(c, q.mul(x, x)) for s, a, c in zip(secret, linear, quadratic))


# ---------------------------------------------------------------- 1.1, 1.2, 3.3
LABELS = {"M", "chunk-auth", "n1", "n2", "M14", "M24", "data", "chunk", "meta", "commit", "item", "share1", "share2", "name", "dir", "entry",
          "entry-private", "mark", "record", "head", "text", "wrap"}


def check_kdf(v, d, suite=1):
    name, digest = q.SUITES[suite]
    salt = q.hashlib.new(digest, name).digest()
    equal("suite", name.decode(), d["suite"])
    equal("suite salt", salt, d["suite_salt"])
    for c in d["cases"]:
        info = q.enc(c["label"].encode(), *map(b, c["context"]))
        equal("info", info, c["info"])
        equal("prk", q.hmac.new(salt, b(c["ikm"]), digest).digest(), c["prk"])
        equal(f"KDF {c['label']}", q.kdf(b(c["ikm"]), c["label"], *map(b, c["context"]), n=c["len"], suite=suite), c["out"])
    equal("labels without a vector", sorted(LABELS - {c["label"] for c in d["cases"]}), [])
    return len(d["cases"])


def check_kdf_suite2(v, d):
    return check_kdf(v, d, 2)


def check_shamir(v, d):
    for c in d["cases"]:
        R = b(c["R"])
        equal("KR", q.xor(b(c["K"]), R), c["KR"])
        if c["mode"] == "stored":
            shares = {x: share(R, b(c["coefficients"]), x) for x in (1, 2, 3, 4)}
        else:
            equal("mode", c["mode"], "derived")
            through = {1: b(c["R1"]), 2: b(c["R2"])}
            shares = {x: at_points(R, through, x) for x in (1, 2, 3, 4)}
        for x, y in shares.items():
            equal(f"R{x}", y, c[f"R{x}"])
        equal("triples", sorted(t["points"] for t in c["triples"]), [[1, 2, 3], [1, 2, 4], [1, 3, 4], [2, 3, 4]])
        for t in c["triples"]:
            equal("R of a triple", q.combine({x: shares[x] for x in t["points"]}), t["R"])
    return len(d["cases"])


def at_points(R, two, x):
    """The polynomial through (0, R) and two shares, at x; Lagrange's formula with 0 as a point."""
    (x1, y1), (x2, y2) = two.items()

    def weight(i, *others):
        w = 1
        for o in others:
            w = q.mul(w, q.mul(x ^ o, q.inv(i ^ o)))
        return w

    w0, w1, w2 = weight(0, x1, x2), weight(x1, 0, x2), weight(x2, 0, x1)
    return bytes(q.mul(w0, r) ^ q.mul(w1, a) ^ q.mul(w2, c) for r, a, c in zip(R, y1, y2))


def check_places(v, d):
    for c in d["cases"]:
        ids = ids_of(c["ids"])
        equal("n1", q.position(b(c["R"]), "n1", ids, c["c0"] + 1), c["n1"])
        equal("n2", q.position(b(c["R12"]), "n2", ids, c["c0"] + 33), c["n2"])
    return len(d["cases"])


# ---------------------------------------------------------------- 3, 4 whole objects, written from the page
def write_header(d, DK):
    ids = ids_of(d["ids"])
    tail = b(d["header"])[120:]                     # extensions, whose bytes the page leaves to the writer
    q.extensions(tail, "header")
    commitment = q.kdf(DK, "commit", *ids)
    equal("commitment", commitment, d["commitment"])
    return (b"QCLN" + bytes((1, 1, 1, 0)) + q.u(4, 120 + len(tail)) + bytes(2) + bytes((d["chunk_log2"], d["group_log2"])) + b"".join(ids)
            + b(d["salt"]) + commitment + bytes((3, 4, 0, 32, 1, 2, 3, 4)) + tail)


def salt_of(d, i):
    return [b(d["salt"]), *(b(e["salt"]) for e in d["epochs"] if e["start"] <= i)][-1]


def write_chunk(d, keys, hh, i, text, last):
    """Ciphertext, tag, second tag; and what a vector shows of it."""
    ids, salt = ids_of(d["ids"]), salt_of(d, i)
    key = q.kdf(keys["DK"], "chunk", *ids, salt, q.u(8, i), q.u(1, last))
    nonce, auth_nonce = bytes((last, 0, 0, 0)) + q.u(8, i), bytes(4) + q.u(8, i)
    sealed = q.AESGCM(key).encrypt(nonce, text, hh)
    ct, tag = sealed[:-16], sealed[-16:]
    auth_key = q.kdf(keys["R"], "chunk-auth", *ids, salt)
    auth = q.gmac(auth_key, auth_nonce, b"".join(ids) + q.u(8, i) + ct + tag)
    shown = dict(index=i, last=bool(last), key=key.hex(), nonce=nonce.hex(), aad=hh.hex(), auth_key=auth_key.hex(),
                 auth_nonce=auth_nonce.hex(), tag=tag.hex(), auth=auth.hex())
    return ct, tag + auth, shown


def write_keys(d):
    K, R, ids = b(d["K"]), b(d["R"]), ids_of(d["ids"])
    keys = dict(K=K, R=R, KR=q.xor(K, R), DK=q.kdf(K, "data", *ids))
    for x in (1, 2, 3, 4):
        keys[f"R{x}"] = share(R, b(d["coefficients"]), x)
    for name, value in keys.items():
        equal(name, value, d[name])
    return keys


def write_groups(d, keys, hh, text):
    """E'' before the insertion, as (chunk 0, the rest), the group digests and the chunks that a vector shows."""
    size, group = 1 << d["chunk_log2"], 1 << d["group_log2"]
    chunks = max(1, -(-len(text) // size))
    equal("chunks", chunks, d["chunks"])
    equal("groups", -(-chunks // group), d["groups"])
    first, rest, digests, shown, block = b"", [], [], {}, b""
    for i in range(chunks):
        ct, tags, shown[i] = write_chunk(d, keys, hh, i, text[i * size:(i + 1) * size], int(i == chunks - 1))
        block += tags
        if i == 0:
            first = ct
        else:
            rest.append(ct)
        if (i + 1) % group == 0 or i == chunks - 1:
            rest.append(block)
            digests.append(q.sha(q.enc(b"group", q.u(8, i // group), block)))
            block = b""
    return first, b"".join(rest), digests, [shown[i] for i in sorted({0, chunks - 1})]


def write_trailer(d, keys, hh, digests):
    last_salt = salt_of(d, 1 << 62)
    meta = q.AESGCM(q.kdf(keys["DK"], "meta", *ids_of(d["ids"]), last_salt)).encrypt(q.ZERO12, b(d["meta_clear"]), hh)
    out = q.u(8, d["padded"]) + q.u(4, len(d["epochs"])) + b"".join(q.u(8, e["start"]) + b(e["salt"]) for e in d["epochs"])
    out += q.u(4, len(digests)) + b"".join(digests) + q.u(4, len(meta)) + meta
    tail = b(d["trailer"])[len(out):]               # extensions
    q.extensions(tail, "trailer")
    return out + tail


def write_backup(d, keys, ids, n2, generation, corr=(b"", b""), R4="R4"):
    flags = (1 if corr[0] else 0) | (2 if corr[1] else 0)
    r4 = (b"QCLB" + bytes((1, 1, 0, flags)) + b"".join(ids) + q.u(4, generation) + bytes((1, 2, 0, 32)) + q.u(8, n2) + keys[R4] + corr[0]
          + corr[1] + q.u(4, 0))
    return r4 + q.mac(q.kdf(keys["R1"], "M14", *ids), r4) + q.mac(q.kdf(keys["R2"], "M24", *ids), r4)


def write_object(d):
    ids, keys, plain = ids_of(d["ids"]), write_keys(d), pattern(d["plaintext"]["size"])
    header = write_header(d, keys["DK"])
    equal("header", header, d["header"])
    hh = q.sha(header)
    equal("HH", hh, d["HH"])
    text = plain + bytes(d["padded"] - len(plain))
    first, rest, digests, shown = write_groups(d, keys, hh, text)
    equal("group digests", [x.hex() for x in digests], d["group_digests"])
    equal("chunk vectors", shown, d["chunk_vectors"])
    trailer = write_trailer(d, keys, hh, digests)
    equal("trailer", trailer, d["trailer"])
    n1 = q.position(keys["R"], "n1", ids, len(first) + 1)
    n2 = q.position(q.xor(keys["R1"], keys["R2"]), "n2", ids, len(first) + 33)
    equal("n1", n1, d["n1"])
    equal("n2", n2, d["n2"])
    region = first[:n1] + keys["KR"] + first[n1:]
    region = region[:n2] + keys["R3"] + region[n2:]
    M = q.mac(q.kdf(keys["R"], "M", *ids), q.enc(b"M", header, keys["KR"], keys["R3"], q.u(8, n1) + q.u(8, n2), trailer))
    equal("M", M, d["M"])
    equal("head region", q.sha(region), d["head_region_sha256"])
    return header + region + rest + trailer + q.u(4, len(trailer)) + M, plain, keys


def check_object(v, d):
    N, plain, keys = write_object(d)
    ids = ids_of(d["ids"])
    equal("plaintext", q.sha(plain), d["plaintext"]["sha256"])
    if "hex" in d["plaintext"] or len(plain) <= 64:
        equal("plaintext", plain, d["plaintext"]["hex"])
    equal("size of N", len(N), d["N_size"])
    equal("N", q.sha(N), d["N_sha256"])
    if len(N) <= 4096:
        equal("N", N, d["N"])
    if "N_file" in d:
        equal("N in its file", q.sha(v.blobs[d["N_file"]]), d["N_sha256"])
    B = write_backup(d, keys, ids, d["n2"], d["generation"])
    equal("B", B, d["B"])
    for shares in ((keys["R1"], keys["R2"], None), (keys["R1"], None, B), (None, keys["R2"], B)):
        o = q.Opened(N, ids, *shares, entry_M=b(d["M"]))
        equal("opened", b"".join(o.data()), plain)
        equal("K", o.K, d["K"])
    refused("one share", lambda: q.Opened(N, ids, keys["R1"], None, None))
    refused("no share", lambda: q.Opened(N, ids, None, None, B))
    return 3


def check_refresh(v, d):
    base = v.files["object_" + d["object"]]
    N, plain, keys = write_object(base)
    ids = ids_of(base["ids"])
    s = d["stored"]
    new = dict(keys)
    for x in (1, 2, 4):
        new[f"R{x}"] = bytes(y ^ q.mul(c, q.mul(x, x ^ 3)) for y, c in zip(keys[f"R{x}"], b(s["c"])))
        equal(f"refreshed R{x}", new[f"R{x}"], s[f"R{x}"])
    check_opens(N, ids, plain, s, new, (b"", b""), (new["R1"], new["R2"]))
    t = d["derived"]
    own = [q.kdf(b(t[f"seed{i}"]), f"share{i}", *ids, q.u(4, t["generation"])) for i in (1, 2)]
    new = dict(keys)
    for i in (1, 2):
        equal(f"share{i}", own[i - 1], t[f"share{i}"])
        new[f"R{i}"] = q.xor(own[i - 1], b(t[f"corr{i}"])) if t[f"corr{i}"] else own[i - 1]
        equal(f"R{i}", new[f"R{i}"], t[f"R{i}"])
    equal("R2 on the polynomial", at_points(keys["R"], {1: new["R1"], 3: keys["R3"]}, 2), t["R2"])
    new["R4"] = at_points(keys["R"], {1: new["R1"], 2: new["R2"]}, 4)
    equal("R4", new["R4"], t["R4"])
    check_opens(N, ids, plain, t, new, (b(t["corr1"]), b(t["corr2"])), own)
    return 2


def check_backup(v, d):
    """B of an object and of the vault, where another than the gateway has it (4, 17): sealed, and with a keeper."""
    o, r, W = v.files["object_" + d["object"]], v.files["vault_record"], b(d["W"])
    vault = b(r["vault"])
    for of, whole, ids in ((d["of_object"], o["B"], ids_of(o["ids"])), (d["of_vault"], r["B"], (vault, vault, bytes(16)))):
        B = b(whole)
        equal("B", B, of["B"])
        front = B[:6] + b"\1" + B[7:64]
        sealed = front + q.AESSIV(q.kdf(W, "backup", *ids, front[56:60], n=64)).encrypt(B[64:], [front])
        equal("sealed B", sealed, of["sealed"])
        equal("front of a kept B", B[:6] + b"\2" + B[7:64], of["front"])
        equal("key at the keeper", "b/%s/%s/%s%s" % (ids[0].hex(), ids[1].hex()[:2], ids[1].hex(), ids[2].hex()), of["key"])
        equal("unsealed", q.unseal_backup(b(of["sealed"]), W), B)
        equal("without W", refused("sealed B", lambda of=of: q.unseal_backup(b(of["sealed"]), None)), "SHARES")
    N, plain = write_object(o)[:2]
    ids, front = ids_of(o["ids"]), b(d["of_object"]["front"])
    equal("both shares", b"".join(q.Opened(N, ids=ids, R1=b(o["R1"]), R2=b(o["R2"]), B=front).data()), plain)
    for one in ("R1", "R2"):
        equal(one + " and the keeper", b"".join(q.Opened(N, ids=ids, B=b(d["of_object"]["B"]), **{one: b(o[one])}).data()), plain)
        equal(one + " and the gateway", refused("a front", lambda one=one: q.Opened(N, ids=ids, B=front, **{one: b(o[one])})), "SHARES")
    return 2


def check_opens(N, ids, plain, d, keys, corr, own):
    n2 = q.position(q.xor(keys["R1"], keys["R2"]), "n2", ids, len(plain) + 33)
    B = write_backup(d, keys, ids, n2, d["generation"], corr)
    equal("B", B, d["B"])
    ways = [(own[0], None, B), (None, own[1], B), (own[0], own[1], B)]
    if not any(corr):
        ways.append((own[0], own[1], None))
    for way in ways:
        equal("opened after a refresh", b"".join(q.Opened(N, ids, *way).data()), plain)


# ---------------------------------------------------------------- 5, 6
def check_names(v, d):
    vault, VS = b(d["vault"]), b(d["VS"])
    names, ids = q.Names(VS, vault), (vault, vault, bytes(16))
    for c in d["names"]:
        path = b(c["path"])
        equal("path", names.encode(b(c["name"])), c["path"])
        equal("name", names.decode(path), c["name"])
        parents = [vault]
        for part in b(c["name"]).split(b"/")[:-1]:
            parents.append(q.kdf(VS, "dir", *ids, parents[-1], part))
        equal("parents", [p.hex() for p in parents], c["parent_ids"])
        equal("path tag", q.mac(q.kdf(VS, "mark", *ids), path)[:16], c["path_tag"])
        for cut in (1, 2, len(path) - 1):
            refused("a cut path", lambda: names.decode(path[:cut]))
    if "name_key" in d:
        equal("name key", q.kdf(VS, "name", *ids, n=64), d["name_key"])
    for name in d["refused_names"]:
        refused(f"name {b(name)!r}", lambda: names.encode(b(name)))
    return len(d["names"]) + len(d["refused_names"])


def entry_of(c):
    e = {k: b(c[k]) for k in ("path", "object", "version", "M", "private", "seal")}
    return e | {k: c[k] for k in ("number", "kind", "sequence", "size")}


def check_entries(v, d):
    names = q.Names(b(d["VS"]), b(d["vault"]))
    head = q.head_start(b(d["vault"]))
    heads = [head]
    for i, c in enumerate(d["entries"], 1):
        e = entry_of(c)
        equal("entry seal", names.seal(e), c["seal"])
        names.check(e)
        if e["kind"] == 1:
            size, ext = names.private(e)
            clear = q.u(8, size) + b"".join(q.u(2, t) + q.u(4, len(x)) + x for t, x in ext.items())
            equal("private part", clear, c["private_clear"])
        else:
            equal("tombstone", (e["object"], e["version"], e["sequence"], e["size"], e["M"], e["private"], c["private_clear"]),
                  (bytes(16), bytes(16), 0, 0, bytes(32), b"", ""))
        head = q.head_step(head, i, e["seal"])
        heads.append(head)
    equal("heads", [{"count": i, "h": h.hex(), "encoded": (q.u(8, i) + h).hex()} for i, h in enumerate(heads)], d["heads"])
    return len(d["entries"]) + len(heads)


def check_vault_record(v, d):
    vault, VS = b(d["vault"]), b(d["VS"])
    ids = (vault, vault, bytes(16))
    keys = {f"R{x}": share(VS, b(d["coefficients"]), x) for x in (1, 2, 3, 4)}
    for x in (1, 2, 3, 4):
        equal(f"VS{x}", keys[f"R{x}"], d[f"VS{x}"])
    commitment = q.kdf(VS, "commit", *ids)
    equal("commitment", commitment, d["commitment"])
    record = b"QCLV" + bytes((1, 1, 0, 0)) + vault + q.u(4, d["generation"]) + keys["R3"] + commitment
    record += q.mac(q.kdf(VS, "M", *ids), record)
    equal("record", record, d["record"])
    B = write_backup(d, keys, ids, 0, d["generation"])
    equal("B", B, d["B"])
    for own in ((keys["R1"], keys["R2"]), (keys["R1"], None), (None, keys["R2"])):
        equal("VS", q.open_vault(record, B, *own), (VS, vault))
    for i in range(len(record)):
        bad = record[:i] + bytes((record[i] ^ 1,)) + record[i + 1:]
        refused(f"record with byte {i} changed", lambda: q.open_vault(bad, B, keys["R1"], keys["R2"]))
    return 3 + len(record)


# ---------------------------------------------------------------- 7 share store
def write_store_keys(d):
    """Both key files, written from the page."""
    store, SK = b(d["store"]), b(d["SK"])
    A = q.argon2id(b(d["passphrase"]), b(d["salt"]), d["passes"], d["kib"])
    equal("A", A, d["A"])
    clear = b"QCLK" + bytes((1, 0, 0, 0)) + store + bytes(24) + SK
    wrapped = b"QCLK" + bytes((1, 1, 0, 0)) + store + q.u(4, d["passes"]) + q.u(4, d["kib"]) + b(d["salt"])
    wrapped += q.AESGCM(q.kdf(A, "wrap", store)).encrypt(q.ZERO12, SK, wrapped)
    return clear + q.sha(clear), wrapped + q.sha(wrapped)


def check_key_refusals(d):
    right, file = b(d["passphrase"]), b(d["key_wrapped"])
    for wrong in (right[:-1], right + b" ", b"x"):
        equal("wrong passphrase", refused("a wrong passphrase", lambda: q.store_key(file, (wrong,))), "PASSPHRASE")
    equal("no passphrase", refused("no passphrase", lambda: q.store_key(file)), "PASSPHRASE")
    equal("second of two", q.store_key(file, (b"x", right)), (b(d["store"]), b(d["SK"])))
    for i in range(len(file)):
        bad = file[:i] + bytes((file[i] ^ 1,)) + file[i + 1:]
        kind = refused(f"key file with byte {i} changed", lambda: q.store_key(bad, (right,)))
        equal(f"key file with byte {i} changed", kind, "FORMAT" if i < 4 else "INTEGRITY")
    for at, value, kind in ((4, 2, "NEWER"), (5, 2, "NEWER"), (4, 0, "FORMAT"), (6, 1, "FORMAT"), (27, 1, "FORMAT"), (27, 65, "FORMAT"),
                            (29, 0, "FORMAT"), (28, 1, "FORMAT"), (8, file[8] ^ 1, "PASSPHRASE"), (95, file[95] ^ 1, "PASSPHRASE")):
        bad = file[:at] + bytes((value,)) + file[at + 1:96]
        equal(f"byte {at} = {value}", refused(f"byte {at}", lambda: q.store_key(bad + q.sha(bad), (right,))), kind)
    return len(file) + 15


def check_store_db(v, d, key_file):
    """The database, opened with a key file: everything that it holds is what the vector says."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("store.key", key_file), ("store.db", v.blobs["store.db"])):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        s = q.Store(folder, (b(d["passphrase"]),))
        got = (s.id, s.key, s.index, s.vault, s.generation, s.VS, s.commitment)
        equal("head", got, (b(d["store"]), b(d["SK"]), d["index"], b(d["vault"]), d["generation"], b(d["VS_i"]), b(d["commitment"])))
        for name, value in d["items"].items():
            equal(f"item {name}", s.item(name), value)
        s.text("descriptor"), s.text("vault_head")
        rows = s.db.execute("SELECT object_id, version_id, generation, state, sequence, sealed FROM record ORDER BY object_id").fetchall()
        equal("records", [list(r) for r in rows],
              [[b(r["object"]), b(r["version"]), r["generation"], r["state"], r["sequence"], b(r["sealed"])] for r in d["records"]])
        for r in d["records"]:
            equal("share", s.share((s.vault, b(r["object"]), b(r["version"]))), r["share"])
        marks = s.db.execute("SELECT path_tag, number, tag FROM mark ORDER BY path_tag").fetchall()
        equal("marks", [list(m) for m in marks], [[b(m["path_tag"]), m["number"], b(m["tag"])] for m in d["marks"]])
        for m in d["marks"]:
            tag = q.mac(q.kdf(s.key, "mark", s.id), q.enc(b(m["path_tag"]), q.u(8, m["number"])))[:16]
            equal("tag of a mark", tag, m["tag"])
        s.db.close()
    return 10 + 2 * len(d["records"]) + 2 * len(d["marks"])


def check_store(v, d):
    clear, wrapped = write_store_keys(d)
    equal("key file in clear", clear, d["key_clear"])
    equal("key file under a passphrase", wrapped, d["key_wrapped"])
    equal("three records", len(d["records"]), 3)
    return sum(check_store_db(v, d, k) for k in (clear, wrapped)) + (check_key_refusals(d) if v.thorough else 0)


# ---------------------------------------------------------------- refusals
def edited(v, data, edits):
    for e in edits:
        new = b(e["insert"]) if "insert" in e else v.N(e["from"])[e["from_at"]:e["from_at"] + e["from_size"]]
        data = data[:e["at"]] + new + data[e["at"] + e["remove"]:]
    return data


def attempt(N, ids, way, M):
    """(kind or "ok", bytes released before it)."""
    out = 0
    try:
        for part in q.Opened(N, ids, *way, entry_M=M).data():
            out += len(part)
    except q.Refused as e:
        return e.kind.lower(), out
    return "ok", out


def check_refusals(v, d):
    count = 0
    for c in d["cases"]:
        base = v.files["object_" + c["object"]]
        N, B = edited(v, v.N(c["object"]), c["edits"]), edited(v, b(base["B"]), c["B_edits"])
        ids = ids_of(c.get("ids", base["ids"]))
        R1, R2, M = (b(c.get(k, base[k])) for k in ("R1", "R2", "M"))
        ways = {"plain": (R1, R2, None), "with1": (R1, None, B), "with2": (None, R2, B)}
        want = c["expect"]
        if not c["ways"]:
            raise Failure(f"{c['name']}: no way is tried")
        for way in c["ways"]:
            rc, released = attempt(N, ids, ways[way], M)
            equal(f"{c['name']} {way}: end", rc, want["rc"])
            equal(f"{c['name']} {way}: bytes released", released, want["released"])
            equal(f"{c['name']}: exit", 0 if rc == "ok" else 8, want["exit"])
            count += 1
    return count


CHECKS = {"kdf": check_kdf, "kdf_suite2": check_kdf_suite2, "store": check_store, "shamir": check_shamir, "places": check_places, "refresh": check_refresh, "names": check_names,
          "entries": check_entries, "backup": check_backup, "vault_record": check_vault_record, "refusals": check_refusals}
# For people, and names that are refused also when they are changed.
NOT_CHECKED = {("kdf", "from"), ("kdf_suite2", "from"), ("refusals", "name"), ("refusals", "row"), ("refusals", "check"), ("names", "refused_names")}
INPUTS = {"object", "from", "ways", "ids", "R1", "R2", "M", "edits", "B_edits"}     # of a refusal: another one may end alike


def check_of(name):
    return check_object if name.startswith("object_") else CHECKS[name]


# ---------------------------------------------------------------- every field changed
def leaves(node, path=()):
    if isinstance(node, dict):
        for k, x in node.items():
            yield from leaves(x, path + (k,))
    elif isinstance(node, list):
        for i, x in enumerate(node):
            yield from leaves(x, path + (i,))
    else:
        yield path, node


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value == "":
        return "00"
    try:
        raw = bytearray.fromhex(value)
    except ValueError:
        return value + "x"
    raw[len(raw) // 2] ^= 1
    return raw.hex()


def unnoticed(v, name):
    """Fields of a file that can be changed without a word."""
    out, count = [], 0
    for path, value in leaves(v.files[name]):
        words = [p for p in path if isinstance(p, str)]
        if any((name, w) in NOT_CHECKED for w in words) or (name == "refusals" and INPUTS & set(words)):
            continue
        if name == "places" and path[-1] == "R" and v.files[name]["cases"][path[1]]["c0"] <= 1:
            continue                                # one or two places: another R may well give the same
        other = copy.copy(v)
        other.thorough = False
        other.files = dict(v.files)
        other.files[name] = d = copy.deepcopy(v.files[name])
        at = d
        for p in path[:-1]:
            at = at[p]
        at[path[-1]] = changed(value)
        if name == "refusals":                      # one case at a time: the others were looked at before
            d["cases"] = [d["cases"][path[1]]]
        count += 1
        try:
            check_of(name)(other, d)
        except (Failure, q.Refused, KeyError, ValueError, IndexError):
            continue
        out.append("/".join(map(str, path)))
    return out, count


def main():
    v = Vectors(sys.argv[1] if len(sys.argv) > 1 else DIR)
    missing = set(CHECKS) - set(v.files)
    if missing or not any(n.startswith("object_") for n in v.files):
        raise Failure(f"vectors are missing: {sorted(missing) or 'objects'}")
    used = {v.files[n].get("N_file") for n in v.files if n.startswith("object_")} | {"store.db"}
    equal("files beside the objects", sorted(set(v.blobs) - used), [])
    total = 0
    for name, d in v.files.items():
        if name not in CHECKS and not name.startswith("object_"):
            raise Failure(f"{name}.json: nobody checks it")
        try:
            total += check_of(name)(v, d)
        except q.Refused as e:
            raise Failure(f"{name}: {e}") from e
        except Failure as e:
            raise Failure(f"{name}: {e}") from e
    print(f"{len(v.files)} files, {total} vectors agree with the second reader")
    if os.environ.get("QC_QUICK") == "1":
        return
    count = 0
    for name in v.files:
        bad, n = unnoticed(v, name)
        if bad:
            raise Failure(f"{name}: a change of these fields is not noticed: {bad[:20]}")
        count += n
    print(f"{count} fields changed one at a time, each change noticed")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
