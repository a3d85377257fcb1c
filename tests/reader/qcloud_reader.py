#!/usr/bin/python3
"""A second reader of qcloud's formats, written from docs/FORMAT.md alone. It shares no code with the C programs.

It opens what qcloud stored from raw fragments and share stores: no gateway, no catalogue.

    qcloud_reader.py --cloud DIR... --store DIR... list
    qcloud_reader.py --cloud DIR... --store DIR... get NAME FILE
    qcloud_reader.py --cloud DIR... --store DIR... all DIR

Give as many cloud directories as are left (C-m are enough) and one or both share stores; --passphrase-file FILE, whose lines are tried
on stores that are under a passphrase. Section numbers in comments are FORMAT's.
Needs python3-cryptography, and python3-argon2 for passphrases. Slow and simple on purpose.
"""
import argparse
import collections
import functools
import hashlib
import hmac
import itertools
import os
import re
import sqlite3
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV


class Refused(Exception):
    """What a reader must refuse; `kind` is FORMAT, INTEGRITY, NEWER, SHARES or PASSPHRASE, the text names the check."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


def need(cond, kind, text):
    if not cond:
        raise Refused(kind, text)


# ---------------------------------------------------------------- 1 conventions
def u(width, value):
    return value.to_bytes(width, "big")


def enc(*items):
    return b"".join(u(8, len(x)) + x for x in items)


def sha(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def same(a, b):
    return hmac.compare_digest(a, b)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Reader:
    """Reads a structure front to back; any shortage or rest is FORMAT."""

    def __init__(self, data, what):
        self.d, self.o, self.what = data, 0, what

    def take(self, n):
        need(n <= len(self.d) - self.o, "FORMAT", f"{self.what}: too short")
        self.o += n
        return self.d[self.o - n:self.o]

    def int(self, width):
        return int.from_bytes(self.take(width), "big")

    def lp32(self):
        return self.take(self.int(4))

    def rest(self):
        return self.take(len(self.d) - self.o)

    def end(self):
        need(self.o == len(self.d), "FORMAT", f"{self.what}: bytes left over")


def extensions(data, what, known=()):
    r, out, last = Reader(data, what), {}, -1
    while r.o < len(data):
        t = r.int(2)
        v = r.take(r.int(4))
        need(t > last, "FORMAT", f"{what}: extension types not ascending")
        need(t in known or not t & 0x8000, "NEWER", f"{what}: extension {t:#x} must be understood")
        out[t], last = v, t
    return out


SUITES = {1: (b"qcloud-seal-1/HKDF-SHA-256/AES-256-GCM", "sha256"), 2: (b"qcloud-seal-2/HKDF-SHA-512/AES-256-GCM", "sha512")}
SUITE_G = (b"qcloud-gateway-1/HKDF-SHA-256/AES-256-GCM", "sha256")


def hkdf(suite, ikm, info, n):
    name, digest = suite
    prk = hmac.new(hashlib.new(digest, name).digest(), ikm, digest).digest()
    t, out, i = b"", b"", 1
    while len(out) < n:
        t = hmac.new(prk, t + info + bytes([i]), digest).digest()
        out, i = out + t, i + 1
    return out[:n]


def kdf(ikm, label, *ctx, n=32, suite=1):
    return hkdf(SUITES[suite], ikm, enc(label.encode(), *ctx), n)


def kdfg(ikm, label, *ctx, n=32):
    return hkdf(SUITE_G, ikm, enc(label.encode(), *ctx), n)


def gcm_open(key, nonce, aad, ct, tag, what):
    try:
        return AESGCM(key).decrypt(nonce, ct + tag, aad)
    except InvalidTag:
        raise Refused("INTEGRITY", what) from None


def gmac(key, nonce, aad):
    return AESGCM(key).encrypt(nonce, b"", aad)


ZERO12 = bytes(12)

# ---------------------------------------------------------------- 1.2 Shamir, and the field
EXP, LOG = [0] * 510, [0] * 256
_x = 1
for _i in range(255):
    EXP[_i] = EXP[_i + 255] = _x
    LOG[_x] = _i
    _x = (_x << 1) ^ (0x11d if _x & 0x80 else 0)


def mul(a, b):
    return 0 if a == 0 or b == 0 else EXP[LOG[a] + LOG[b]]


def inv(a):
    return EXP[255 - LOG[a]]


TABLES = {}


def scale(data, c):
    """c times every byte, as an integer (so that XOR of long strings is fast)."""
    if c not in TABLES:
        TABLES[c] = bytes(mul(c, v) for v in range(256))
    return int.from_bytes(data.translate(TABLES[c]), "big")


def combine(shares, at=0):
    """shares: {x: bytes}; the polynomial's value at `at`."""
    need(0 not in shares, "FORMAT", "share point 0")
    out = 0
    size = len(next(iter(shares.values())))
    for xj, y in shares.items():
        c = 1
        for xm in shares:
            if xm != xj:
                c = mul(c, mul(at ^ xm, inv(xj ^ xm)))
        out ^= scale(y, c)
    return out.to_bytes(size, "big")


# ---------------------------------------------------------------- 3 the sealed object
Header = collections.namedtuple("Header", "raw size chunk group ids salt commitment ext")


def parse_header(data):
    r = Reader(data, "header")
    need(r.take(4) == b"QCLN", "FORMAT", "header: not a sealed object")
    version, profile, suite, layout = r.take(4)
    need(version >= 1 and profile >= 1 and suite >= 1, "FORMAT", "header: version, profile or suite 0")
    need((version, profile, suite, layout) == (1, 1, 1, 0), "NEWER", "header: version, profile, suite or layout")
    size = r.int(4)
    need(120 <= size <= 65656 and size <= len(data), "FORMAT", "header: size")
    r = Reader(data[:size], "header")
    r.take(12)
    need(r.int(2) == 0, "FORMAT", "header: flags")
    chunk_log2, group_log2 = r.int(1), r.int(1)
    need(16 <= chunk_log2 <= 24 and 1 <= group_log2 <= 12, "FORMAT", "header: chunk or group size")
    ids = (r.take(16), r.take(16), r.take(16))
    salt, commitment = r.take(16), r.take(32)
    k, n, length = r.int(1), r.int(1), r.int(2)
    pts = r.take(n)
    need(length == 32 and 1 <= k <= n and 0 not in pts and len(set(pts)) == n, "FORMAT", "header: shares")
    need((k, n, pts) == (3, 4, bytes((1, 2, 3, 4))), "NEWER", "header: shares of another kind")
    ext = extensions(r.rest(), "header")
    return Header(data[:size], size, 1 << chunk_log2, 1 << group_log2, ids, salt, commitment, ext)


Trailer = collections.namedtuple("Trailer", "raw padded salts groups meta ext chunks")


def parse_trailer(raw, h):
    r = Reader(raw, "trailer")
    padded = r.int(8)
    chunks = max(1, -(-padded // h.chunk))
    need(chunks <= 1 << 30, "FORMAT", "trailer: too many chunks")
    count = r.int(4)
    need(count <= 4096, "FORMAT", "trailer: epochs")
    epochs = [(r.int(8), r.take(16)) for _ in range(count)]
    need(all(a < b for (a, _), (b, _) in zip(epochs, epochs[1:])), "FORMAT", "trailer: epochs not ascending")
    need(not epochs or epochs[-1][0] < chunks, "FORMAT", "trailer: epoch beyond the end")
    groups = r.int(4)
    need(groups == -(-chunks // h.group), "FORMAT", "trailer: groups")
    digests = [r.take(32) for _ in range(groups)]
    mlen = r.int(4)
    need(24 <= mlen <= 1 << 20, "FORMAT", "trailer: metadata length")
    meta = r.take(mlen)
    rest = r.rest()
    need(len(rest) <= 65536, "FORMAT", "trailer: extensions")
    return Trailer(raw, padded, [(0, h.salt)] + epochs, digests, meta, extensions(rest, "trailer"), chunks)


Backup = collections.namedtuple("Backup", "r4 mac1 mac2 ids generation n2 R4 corr1 corr2")


def unseal_backup(data, W):
    """B of kind 0 from what the gateway has (4, sealed B)."""
    if data is None or data[:4] != b"QCLB" or data[6:7] != b"\1":
        return data
    need(W is not None, "SHARES", "backup data: sealed under the recovery key")
    need(len(data) >= 188, "FORMAT", "backup data: too short")
    front = data[:64]
    ids = (front[8:24], front[24:40], front[40:56])
    rest = siv_open(kdf(W, "backup", *ids, front[56:60], n=64), front, data[64:], "backup data: seal")
    return front[:6] + b"\0" + front[7:] + rest


def is_kept(data):
    """What the gateway has of a B that is with a keeper (4, kept B)."""
    return data is not None and data[:4] == b"QCLB" and data[6:7] == b"\2"


def keeper_key(ids):
    """Where a keeper has the B of these ids (17)."""
    vault, obj, version = (i.hex() for i in ids)
    return f"b/{vault}/{obj[:2]}/{obj}{version}"


def parse_front(data):
    need(len(data) == 64 and data[4:6] == b"\1\1", "FORMAT", "backup data: front")
    generation = int.from_bytes(data[56:60], "big")
    need(generation >= 1, "FORMAT", "backup data: generation")
    return Backup(None, None, None, (data[8:24], data[24:40], data[40:56]), generation, 0, None, None, None)


def parse_backup(data):
    if is_kept(data):
        return parse_front(data)
    need(len(data) >= 172, "FORMAT", "backup data: too short")
    r = Reader(data[:-64], "backup data")
    need(r.take(4) == b"QCLB", "FORMAT", "backup data: magic")
    version, suite, kind, flags = r.take(4)
    need(version >= 1 and suite >= 1, "FORMAT", "backup data: version or suite 0")
    need(version == 1 and suite == 1 and kind == 0, "NEWER", "backup data: version, suite or kind")
    need(not flags & ~3, "FORMAT", "backup data: flags")
    ids = (r.take(16), r.take(16), r.take(16))
    generation = r.int(4)
    need(generation >= 1, "FORMAT", "backup data: generation")
    outside, inside, length = r.int(1), r.int(1), r.int(2)
    need((outside, inside, length) == (1, 2, 32), "FORMAT", "backup data: shares")
    n2, R4 = r.int(8), r.take(32)
    corr1 = r.take(32) if flags & 1 else None
    corr2 = r.take(32) if flags & 2 else None
    extensions(r.lp32(), "backup data")
    r.end()
    return Backup(data[:-64], data[-64:-32], data[-32:], ids, generation, n2, R4, corr1, corr2)


def check_backup(b, ids, which, share):
    """Returns the effective share after M14 or M24 holds (4)."""
    need(b.R4 is not None, "SHARES", "backup data: a keeper has it")
    corr = (b.corr1, b.corr2)[which - 1]
    eff = xor(share, corr) if corr else share
    m = (b.mac1, b.mac2)[which - 1]
    need(same(mac(kdf(eff, "M%d4" % which, *ids), b.r4), m), "INTEGRITY", "backup data: M%d4" % which)
    need(b.ids == ids, "INTEGRITY", "backup data: of another object")
    return eff


def position(ikm, label, ids, places):
    return int.from_bytes(kdf(ikm, label, *ids, n=16), "big") % places


class Opened:
    """An unlocked object: everything under M and the key commitment has been checked."""

    def __init__(self, N, ids=None, R1=None, R2=None, B=None, entry_M=None):
        self.N = N
        h = self.h = parse_header(N[:65656])
        need(ids is None or h.ids == ids, "INTEGRITY", "header: of another object, version or vault")
        need(len(N) >= h.size + 64 + 32 + 36, "FORMAT", "object: too short")
        tl = int.from_bytes(N[-36:-32], "big")
        need(0 < tl <= min(len(N) - h.size - 36, 16 << 20), "FORMAT", "trailer length")
        t = self.t = parse_trailer(N[-36 - tl:-36], h)
        need(len(N) == h.size + t.padded + 64 + 32 * t.chunks + tl + 36, "FORMAT", "length of the object")
        M = N[-32:]
        c0 = min(t.padded, h.chunk)
        head = N[h.size:h.size + c0 + 64]
        shares = {}
        b = parse_backup(B) if B is not None else None
        if R1 is not None and R2 is not None:
            if b is not None and (b.corr1 or b.corr2):
                R1, R2 = check_backup(b, h.ids, 1, R1), check_backup(b, h.ids, 2, R2)
            shares = {1: R1, 2: R2}
            n2 = position(xor(R1, R2), "n2", h.ids, c0 + 33)
        elif b is not None and (R1 is not None or R2 is not None):
            i = 1 if R1 is not None else 2
            shares = {i: check_backup(b, h.ids, i, R1 if i == 1 else R2), 4: b.R4}
            n2 = b.n2
        else:
            raise Refused("SHARES", "fewer than three shares")
        need(n2 <= c0 + 32, "INTEGRITY", "backup data: n2")
        shares[3] = head[n2:n2 + 32]
        R = combine(shares)
        E1 = head[:n2] + head[n2 + 32:]
        n1 = position(R, "n1", h.ids, c0 + 1)
        KR = E1[n1:n1 + 32]
        self.ct0 = E1[:n1] + E1[n1 + 32:]
        calc = mac(kdf(R, "M", *h.ids), enc(b"M", h.raw, KR, shares[3], u(8, n1) + u(8, n2), t.raw))
        need(same(calc, M), "INTEGRITY", "seal M")
        need(entry_M is None or same(M, entry_M), "INTEGRITY", "seal M: not the version that the entry names")
        self.R, self.M, self.n1, self.n2, self.R3 = R, M, n1, n2, shares[3]
        self.K = xor(KR, R)
        self.DK = kdf(self.K, "data", *h.ids)
        need(same(kdf(self.DK, "commit", *h.ids), h.commitment), "INTEGRITY", "key commitment")
        self.hh = sha(h.raw)
        key = kdf(self.DK, "meta", *h.ids, t.salts[-1][1])
        meta = Reader(gcm_open(key, ZERO12, self.hh, t.meta[:-16], t.meta[-16:], "private metadata"), "private metadata")
        self.size = meta.int(8)
        need(self.size <= t.padded, "FORMAT", "private metadata: true length")
        self.meta = extensions(meta.rest(), "private metadata", (0x8008,))
        self.folder = int.from_bytes(self.meta.get(2, b""), "big") & 0o170000 == 0o040000
        need(self.folder == (0x8008 in self.meta) and not (self.folder and self.size), "FORMAT", "a folder's object")

    def salt(self, i):
        return [s for start, s in self.t.salts if start <= i][-1]

    def chunk_offset(self, i):
        return self.h.size + (64 if i else 0) + i * self.h.chunk + (i // self.h.group) * self.h.group * 32

    def tag_block(self, g):
        lo, hi = g * self.h.group, min(self.t.chunks, (g + 1) * self.h.group)
        end = self.h.size + 64 + min(self.t.padded, hi * self.h.chunk) + g * self.h.group * 32
        block = self.N[end:end + 32 * (hi - lo)]
        need(same(sha(enc(b"group", u(8, g), block)), self.t.groups[g]), "INTEGRITY", f"group {g}: tag table")
        return block

    def chunk(self, i, block):
        size = min(self.h.chunk, self.t.padded - i * self.h.chunk)
        ct = self.ct0 if i == 0 else self.N[self.chunk_offset(i):self.chunk_offset(i) + size]
        tag, auth = block[:16], block[16:]
        ids, salt, last = self.h.ids, self.salt(i), int(i == self.t.chunks - 1)
        calc = gmac(kdf(self.R, "chunk-auth", *ids, salt), bytes(4) + u(8, i), b"".join(ids) + u(8, i) + ct + tag)
        need(same(calc, auth), "INTEGRITY", f"chunk {i}: second tag")
        key = kdf(self.DK, "chunk", *ids, salt, u(8, i), u(1, last))
        return gcm_open(key, bytes((last, 0, 0, 0)) + u(8, i), self.hh, ct, tag, f"chunk {i}: tag")

    def data(self):
        left = self.size
        for g in range(len(self.t.groups)):
            block = self.tag_block(g)
            for j in range(len(block) // 32):
                d = self.chunk(g * self.h.group + j, block[32 * j:32 * j + 32])
                yield d[:left]
                left -= min(left, len(d))


# ---------------------------------------------------------------- 5 names and entries
class Names:
    def __init__(self, VS, vault):
        self.VS, self.vault, self.ids = VS, vault, (vault, vault, bytes(16))
        self.siv = AESSIV(kdf(VS, "name", *self.ids, n=64))
        self.key = kdf(VS, "entry", *self.ids)

    def decode(self, path):
        r, out, parent = Reader(path, "path"), [], self.vault
        need(0 < len(path) <= 81920, "FORMAT", "path: length")
        while r.o < len(path):
            ct = r.take(r.int(2))
            need(len(ct) >= 32 and len(ct) % 16 == 0, "FORMAT", "path: component length")
            try:
                p = self.siv.decrypt(ct, [enc(b"name", parent)])
            except InvalidTag:
                raise Refused("INTEGRITY", "name") from None
            c = p.rstrip(b"\0")
            need(c[-1:] == b"\x80", "FORMAT", "name: padding")
            c = c[:-1]
            need(0 < len(c) <= 4096 and b"/" not in c and b"\0" not in c and c not in (b".", b".."), "FORMAT", "name: component")
            need(len(p) == (len(c) // 16 + 1) * 16, "FORMAT", "name: padding")
            out.append(c)
            parent = kdf(self.VS, "dir", *self.ids, parent, c)
        name = b"/".join(out)
        need(len(name) <= 4096, "FORMAT", "name: too long")
        return name

    def encode(self, name):
        out, parent = b"", self.vault
        for c in name.split(b"/"):
            need(0 < len(c) <= 4096 and b"\0" not in c and c not in (b".", b".."), "FORMAT", "name: component")
            p = c + b"\x80" + bytes(-(len(c) + 1) % 16)
            ct = self.siv.encrypt(p, [enc(b"name", parent)])
            out += u(2, len(ct)) + ct
            parent = kdf(self.VS, "dir", *self.ids, parent, c)
        return out

    def seal(self, e):
        return mac(self.key, enc(b"entry", e["path"], u(8, e["number"]), u(1, e["kind"]), e["object"], e["version"],
                                 u(8, e["sequence"]), u(8, e["size"]), e["M"], e["private"]))

    def check(self, e):
        need(same(self.seal(e), e["seal"]), "INTEGRITY", "entry seal")

    def private(self, e):
        p = e["private"]
        need(len(p) >= 40, "FORMAT", "entry: private part")
        key = kdf(self.VS, "entry-private", *self.ids, p[:16])
        aad = enc(b"private", e["path"], u(8, e["number"]), e["object"], e["version"])
        r = Reader(gcm_open(key, ZERO12, aad, p[16:-16], p[-16:], "entry: private part"), "entry")
        size = r.int(8)
        return size, extensions(r.rest(), "entry")


def head_step(h, i, seal):
    return sha(enc(b"head", h, u(8, i), seal))


def head_start(vault):
    return sha(enc(b"head", vault))


# ---------------------------------------------------------------- 6.1 vault record
def open_vault(record, backup, VS1=None, VS2=None):
    r = Reader(record, "vault record")
    need(r.take(4) == b"QCLV", "FORMAT", "vault record: magic")
    need(r.take(4) == b"\1\1\0\0", "NEWER", "vault record: version or suite")
    vault, _generation, VS3, commitment, tag = r.take(16), r.int(4), r.take(32), r.take(32), r.take(32)
    r.end()
    ids = (vault, vault, bytes(16))
    if VS1 is not None and VS2 is not None:
        b = parse_backup(backup) if backup is not None else None
        if b is not None and (b.corr1 or b.corr2):
            VS1, VS2 = check_backup(b, ids, 1, VS1), check_backup(b, ids, 2, VS2)
        VS = combine({1: VS1, 2: VS2, 3: VS3})
    else:
        need(VS1 is not None or VS2 is not None, "SHARES", "no share store")
        i, own = (1, VS1) if VS1 is not None else (2, VS2)
        b = parse_backup(backup)
        VS = combine({i: check_backup(b, ids, i, own), 3: VS3, 4: b.R4})
    need(same(kdf(VS, "commit", *ids), commitment), "INTEGRITY", "vault record: commitment")
    need(same(mac(kdf(VS, "M", *ids), record[:92]), tag), "INTEGRITY", "vault record: MAC")
    return VS, vault


# ---------------------------------------------------------------- 7 share store
@functools.lru_cache(maxsize=64)
def argon2id(passphrase, salt, passes, kib):
    from argon2.low_level import Type, hash_secret_raw
    return hash_secret_raw(passphrase, salt, passes, kib, 1, 32, Type.ID, 0x13)


def store_key(k, passphrases=()):
    """(store id, store key) of a key file (7.1)."""
    need(38 <= len(k) <= 4096 and k[:4] == b"QCLK", "FORMAT", "store key: magic or size")
    need(same(sha(k[:-32]), k[-32:]), "INTEGRITY", "store key: checksum")
    need(k[4] >= 1, "FORMAT", "store key: version 0")
    need(k[4] == 1 and k[5] <= 1, "NEWER", "store key: version or kind")
    need(len(k) == (112, 128)[k[5]] and k[6:8] == bytes(2), "FORMAT", "store key: size or reserved bytes")
    store = k[8:24]
    if k[5] == 0:
        need(k[24:48] == bytes(24), "FORMAT", "store key: reserved bytes")
        return store, k[48:80]
    passes, kib, salt = int.from_bytes(k[24:28], "big"), int.from_bytes(k[28:32], "big"), k[32:48]
    need(2 <= passes <= 64 and 65536 <= kib <= 4194304, "FORMAT", "store key: cost of the passphrase")
    for p in passphrases:
        need(1 <= len(p) <= 1024 and not set(p) & {0, 10}, "FORMAT", "a passphrase that none may be")
        try:
            return store, gcm_open(kdf(argon2id(p, salt, passes, kib), "wrap", store), ZERO12, k[:48], k[48:80], k[80:96], "")
        except Refused:
            continue
    raise Refused("PASSPHRASE", "store key: wrapped by a passphrase, and none given opens it")


class Store:
    def __init__(self, path, passphrases=()):
        self.path = path
        with open(os.path.join(path, "store.key"), "rb") as f:
            k = f.read(4097)
        self.id, self.key = store_key(k, passphrases)
        self.db = sqlite3.connect("file:%s?mode=ro&immutable=1" % os.path.join(path, "store.db").replace("?", "%3f"), uri=True)
        app, = self.db.execute("PRAGMA application_id").fetchone()
        version, = self.db.execute("PRAGMA user_version").fetchone()
        need(app == 0x51434C53, "FORMAT", "store: application id")
        need(version == 1, "NEWER", "store: version")
        self.open_head()

    def open_head(self):
        self.gens = {}                                          # generation: (seed or None, share of VS)
        self.halves = {}                                        # generation: half of the recovery key
        self.generation = self.read_gen("head")
        self.seed, self.VS = self.gens[self.generation]
        if self.db.execute("SELECT 1 FROM item WHERE name='other'").fetchone():
            self.read_gen("other")

    def read_gen(self, what):
        v = self.item(what)
        for i in (1, 2):                                       # the index is inside; the key depends on it
            try:
                r = Reader(self.unseal(kdf(self.key, "head", self.id, u(1, i), v[:16]), enc(what.encode()), v, what), "store head")
                break
            except Refused:
                if i == 2:
                    raise
        version = r.int(1)
        need(version in (1, 2, 3), "NEWER", "store head: version")
        self.kept = version == 3                               # backup data is with a keeper
        self.index, mode, zero = r.int(1), r.int(1), r.int(1)
        need(self.index == i and mode in (1, 2) and zero == 0 and (version == 1 or mode == 1), "FORMAT", "store head: index or mode")
        self.vault, store = r.take(16), r.take(16)
        generation, secret, self.commitment = r.int(4), r.take(32), r.take(32)
        if version == 2:
            self.halves[generation], self.W_commitment = r.take(32), r.take(32)
        r.end()
        need(store == self.id and generation >= 1, "INTEGRITY", "store head: of another store")
        self.gens[generation] = (secret, None) if mode == 2 else (None, secret)
        if mode == 2:
            self.gens[generation] = secret, self.derive(generation, (self.vault, self.vault, bytes(16)))
        return generation

    def item(self, name):
        row = self.db.execute("SELECT value FROM item WHERE name=?", (name,)).fetchone()
        need(row is not None, "FORMAT", f"store: no {name}")
        return bytes(row[0])

    @staticmethod
    def unseal(key, aad, v, what):
        need(len(v) >= 32, "FORMAT", f"store: {what} too short")
        return gcm_open(key, ZERO12, aad, v[16:-16], v[-16:], f"store: {what}")

    def text(self, name):
        v = self.item(name)
        need(len(v) >= 32 and same(mac(kdf(self.key, "text", self.id, name.encode()), v[:-32]), v[-32:]), "INTEGRITY", f"store: {name}")
        return v[:-32]

    def derive(self, generation, ids):
        return kdf(self.gens[generation][0], "share%d" % self.index, *ids, u(4, generation))

    def own(self, ids, B=None):
        """The share as the corrections of B want it: what a seed gives as it is, what is kept with the correction taken back (4)."""
        want = None if B is None else B.generation
        corr = None if B is None else (B.corr1, B.corr2)[self.index - 1]
        rows = self.db.execute("SELECT generation, state, sequence, sealed FROM record WHERE object_id=? AND version_id=? "
                               "ORDER BY generation DESC", ids[1:]).fetchall()
        for generation, state, sequence, v in sorted(rows, key=lambda r: r[0] != want):
            v = bytes(v)
            key = kdf(self.key, "record", *ids, u(1, self.index), u(4, generation), v[:16])
            share = self.unseal(key, enc(u(1, state), u(8, sequence)), v, "record")
            if share or self.seed is None:
                return xor(share, corr) if corr else share
            return self.derive(generation, ids)
        if self.seed is None:
            return None
        return self.derive(want if want in self.gens else self.generation, ids)

    def share(self, ids):
        return self.own(ids)

    def secret(self, B):
        """Its share of VS, as B's corrections want it."""
        seed, VS = self.gens.get(B.generation, (self.seed, self.VS))
        corr = (B.corr1, B.corr2)[self.index - 1]
        return xor(VS, corr) if corr and seed is None else VS


# ---------------------------------------------------------------- 8, 9 clouds
class Cloud:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "i", "cloud"), "rb") as f:
            d = self.identity = f.read()
        r = Reader(d, "identity")
        need(r.take(4) == b"QCLI", "FORMAT", "identity: magic")
        need(r.int(1) == 1, "NEWER", "identity: version")
        slots = r.int(1)
        need(slots <= 2 and r.int(2) == 0, "FORMAT", "identity: slots")
        self.catalogue, self.id, self.generation = r.take(16), r.int(4), r.int(4)
        self.slots = []
        for _ in range(slots):
            poly, threshold, count, x, zero, share = r.take(16), r.int(1), r.int(1), r.int(1), r.int(1), r.take(32)
            need(zero == 0 and 1 <= threshold <= count and 1 <= x <= count, "FORMAT", "identity: slot")
            self.slots.append((poly, threshold, x, share))
        checksum, self.tag = r.take(32), r.take(32)
        r.end()
        need(same(sha(enc(b"identity", d[:-64])), checksum), "INTEGRITY", "identity: checksum")

    def bind(self, G):
        self.names = kdfg(G, "names", self.catalogue, u(4, self.id))
        return same(mac(kdfg(G, "identity", self.catalogue), self.identity[:-32]), self.tag)

    def name(self, block):
        e = Cipher(algorithms.AES(self.names), modes.ECB()).encryptor()
        return (e.update(block) + e.finalize()).hex()

    def unname(self, text):
        e = Cipher(algorithms.AES(self.names), modes.ECB()).decryptor()
        return e.update(bytes.fromhex(text)) + e.finalize()

    def read(self, key):
        try:
            with open(os.path.join(self.path, key), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def roots(self):
        """(incarnation in the folder's name, block, bytes) of every root and cut object (9.2)."""
        for root, _, files in os.walk(os.path.join(self.path, "r")):
            for f in files:
                if not f.startswith("."):
                    with open(os.path.join(root, f), "rb") as h:
                        yield self.unname(f), h.read()

    def fragments(self):
        """(name, key) of every object under f/."""
        for root, _, files in os.walk(os.path.join(self.path, "f")):
            for f in files:
                if not f.startswith("."):
                    yield f, os.path.relpath(os.path.join(root, f), self.path)

    def logs(self):
        for root, _, files in os.walk(os.path.join(self.path, "l")):
            for f in files:
                if not f.startswith("."):
                    yield f, os.path.relpath(os.path.join(root, f), self.path)


def find_root_key(clouds):
    polys = collections.defaultdict(list)
    for c in clouds:
        for poly, threshold, x, share in c.slots:
            polys[poly, threshold].append((x, share))
    for (_, threshold), shares in polys.items():
        for subset in itertools.combinations(sorted(set(shares)), threshold):
            if len({x for x, _ in subset}) < threshold:
                continue
            G = combine(dict(subset))
            good = [c for c in clouds if c.bind(G)]
            if good:
                return G, good
    raise Refused("SHARES", "too few clouds for the root key")


def permutation(G, catalogue, seg, salt, n):
    S = kdfg(G, "place", catalogue, u(8, seg), salt, n=64)
    perm = list(range(n))
    for i in range(n - 1, 0, -1):
        at = 2 * (n - 1 - i)
        j = int.from_bytes(S[at:at + 2], "big") % (i + 1)
        perm[i], perm[j] = perm[j], perm[i]
    return perm


class Segment:
    """Geometry and keys of one segment (8)."""

    def __init__(self, arch, s, k, n):
        self.arch, self.s, self.k, self.n = arch, s, k, n
        self.P = 64 * ((1 << 20) // (64 * k))
        q, r = divmod(s["size"], k * self.P)
        self.pieces = [self.P] * q + ([64 * -(-r // (64 * k))] if r else [])
        self.payload = sum(self.pieces)
        ctx = (arch.catalogue, u(8, s["id"]), s["salt"])
        self.piece_key, self.frag_key = kdfg(arch.G, "piece", *ctx), kdfg(arch.G, "fragment", *ctx)

    def fragment(self, data, i, cloud, attempt, incarnation=None):
        """The verified pieces of fragment i; incarnation: the low 16 bits, of one that was written again by a later gateway."""
        h = Reader(data, "fragment")
        need(h.take(4) == b"QCLF", "FORMAT", "fragment: magic")
        need(h.int(1) == 1 and h.int(1) == 1, "NEWER", "fragment: version or coding")
        hs = h.int(2)
        need(136 <= hs <= 8192, "FORMAT", "fragment: head size")
        need(len(data) == hs + self.payload + 16 * len(self.pieces) + 32 * self.n + 32, "FORMAT", "fragment: size")
        body = data[:-32]
        tags = data[hs + self.payload:hs + self.payload + 16 * len(self.pieces)]
        table = data[-32 - 32 * self.n:-32]
        need(same(mac(self.frag_key, enc(data[:hs], tags, table)), data[-32:]), "INTEGRITY", "fragment: tag")
        s, a = self.s, self.arch
        want = (a.catalogue, s["incarnation"] & 0xFFFF if incarnation is None else incarnation, s["tenant"], s["object"], s["version"], s["id"], s["seq"], self.k, self.n, i, attempt,
                s["size"], self.P, len(self.pieces), cloud.id, s["salt"], self.payload)
        catalogue, incarnation, tenant = h.take(16), h.int(4), h.int(4)
        obj, ver, seg, seq, k, n = h.take(16), h.take(16), h.int(8), h.int(4), h.int(1), h.int(1)
        idx, att, size, P, stripes, cid = h.int(1), h.int(1), h.int(4), h.int(4), h.int(4), h.int(4)
        salt, _base, payload = h.take(16), h.int(8), h.int(8)
        got = (catalogue, incarnation & 0xFFFF, tenant, obj, ver, seg, seq, k, n, idx, att, size, P, stripes, cid, salt, payload)
        need(got == want, "INTEGRITY", "fragment: not the one asked for")
        need(h.int(1) in (0, 1) and h.take(7) == bytes(7), "FORMAT", "fragment: flags")
        extensions(data[136:hs], "fragment")
        need(same(sha(enc(b"segment", u(8, seg), u(4, size), table)), s["digest"]), "INTEGRITY", "fragment: segment digest")
        need(same(sha(enc(b"tags", u(1, i), tags)), table[32 * i:32 * i + 32]), "INTEGRITY", "fragment: tag table")
        out, at = [], hs
        for t, p in enumerate(self.pieces):
            piece = body[at:at + p]
            tag = gmac(self.piece_key, u(1, i) + bytes(3) + u(8, t), piece)
            need(same(tag, tags[16 * t:16 * t + 16]), "INTEGRITY", f"fragment: piece {t}")
            out.append(piece)
            at += p
        return out

    def decode(self, frags):
        """frags: {index: pieces}, k of them."""
        k = self.k
        rows = sorted(frags)[:k]
        matrix = [[int(i == j) for j in range(k)] if i < k else [inv(i ^ j) for j in range(k)] for i in rows]
        inverse = invert(matrix)
        out = []
        for t, p in enumerate(self.pieces):
            for j in range(k):
                if j in frags:
                    out.append(frags[j][t])
                    continue
                v = 0
                for c, row in zip(inverse[j], rows):
                    if c:
                        v ^= scale(frags[row][t], c)
                out.append(v.to_bytes(p, "big"))
        return b"".join(out)[:self.s["size"]]


def invert(m):
    k = len(m)
    a = [row[:] + [int(i == j) for j in range(k)] for i, row in enumerate(m)]
    for c in range(k):
        p = next((r for r in range(c, k) if a[r][c]), None)
        need(p is not None, "INTEGRITY", "coding matrix is singular")
        a[c], a[p] = a[p], a[c]
        f = inv(a[c][c])
        a[c] = [mul(f, v) for v in a[c]]
        for r in range(k):
            if r != c and a[r][c]:
                f = a[r][c]
                a[r] = [v ^ mul(f, w) for v, w in zip(a[r], a[c])]
    return [row[k:] for row in a]


class Archive:
    """Everything that clouds alone tell: the log's records, in order."""

    def __init__(self, dirs):
        clouds, self.trouble, self.found = [], [], None
        for d in dirs:
            try:
                clouds.append(Cloud(d))
            except (OSError, Refused) as e:
                self.trouble.append(f"{d}: {e}")
        need(clouds, "SHARES", "no cloud could be read")
        self.G, self.clouds = find_root_key(clouds)
        self.catalogue = self.clouds[0].catalogue
        self.tenants = {}
        self.bkeys, self.entries, self.vaults, self.chains, self.backups, self.versions = {}, {}, {}, {}, {}, []
        self.read_log()

    def read_log(self):
        found = collections.defaultdict(list)
        for c in self.clouds:
            for name, key in c.logs():
                block = c.unname(name)
                if block[8] == 0xFE and block[9] == 0 and block[12:] == bytes(4):
                    found[int.from_bytes(block[:8], "big")].append((c, key, block))
        cuts = self.read_cuts()
        wrote = {(seq, self.incarnation(b)) for seq, places in found.items() for _, _, b in places}
        cuts = {c for c in cuts if not self.void(c, cuts, wrote)}
        stand = {seq: [p for p in places if all(self.incarnation(p[2]) >= by or seq <= last for by, last in cuts)]
                 for seq, places in found.items()}
        previous = bytes(32)
        for seq in range(1, max((s for s, places in stand.items() if places), default=0) + 1):
            raw = self.log_object(seq, stand.get(seq, []), previous)
            previous = sha(raw)

    @staticmethod
    def incarnation(block):
        return int.from_bytes(block[10:12], "big")

    def read_cuts(self):
        """{(incarnation that cut, last sequence that stands)} (9.2)."""
        key, cuts = kdfg(self.G, "cut", self.catalogue), set()
        for c in self.clouds:
            for block, d in c.roots():
                if block[8] != 0xFC:
                    continue
                try:
                    r = Reader(d, "cut")
                    need(r.take(8) == b"QCLC\1\0\0\0" and r.take(16) == self.catalogue, "FORMAT", "cut: head")
                    by, _cut_off, last, tag = r.int(4), r.int(4), r.int(8), r.take(32)
                    r.end()
                    need(same(mac(key, d[:-32]), tag), "INTEGRITY", "cut: tag")
                    cuts.add((by, last))
                except Refused as e:
                    self.trouble.append(f"{c.path}: {e}")
        return cuts

    @staticmethod
    def void(cut, cuts, wrote):
        by, last = cut
        return any(later > by and further > last and not any(seq == last + 1 and by <= inc < later for seq, inc in wrote)
                   for later, further in cuts)

    def log_object(self, seq, places, previous):
        why = "not found"
        for c, key, block in sorted(places, key=lambda p: -int.from_bytes(p[2][10:12], "big")):
            raw = c.read(key)
            try:
                need(raw[:8] == b"QCLL\1\0\0\0", "FORMAT", "log object: head")
                incarnation = int.from_bytes(block[10:12], "big")
                k = kdfg(self.G, "log", self.catalogue, u(4, incarnation), u(8, seq), raw[8:24])
                r = Reader(gcm_open(k, ZERO12, enc(raw[:24], block), raw[24:-16], raw[-16:], "log object"), "log object")
                need(r.int(8) == seq and r.int(4) == incarnation, "INTEGRITY", "log object: sequence")
                need(same(r.take(32), previous), "INTEGRITY", "log object: chain")
                for _ in range(r.int(4)):
                    self.record(r.int(1), r.lp32())
                r.end()
                return raw
            except Refused as e:
                why = str(e)
                self.trouble.append(f"{c.path}: log {seq}: {e}")
        raise Refused("INTEGRITY", f"log object {seq}: {why}")

    def record(self, kind, body):
        r = Reader(body, f"record {kind}")
        if kind in (1, 140):
            self.commit(r, kind == 140)
        elif kind == 2:
            e = dict(tenant=r.int(4), vault=r.take(16), path=r.lp32(), number=r.int(8), seal=r.take(32), kind=2, object=bytes(16),
                     version=bytes(16), sequence=0, size=0, M=bytes(32), private=b"")
            e["chain"], _put, _created = r.int(8), r.take(16), r.int(8)
            r.end()
            self.place(e)
        elif kind == 3:
            tenant, record, backup = r.int(4), r.lp32(), r.lp32()
            r.end()
            need(tenant == 0 or tenant in self.tenants, "INTEGRITY", f"a vault of tenant {tenant}, who is not in the log")
            vault = record[8:24]
            self.vaults.setdefault((tenant, vault), record)
            self.backups.setdefault((tenant, vault, vault, bytes(16)), backup)
        elif kind == 6:
            epoch = r.int(4)
            self.bkeys[epoch] = r.take(32)
            r.end()
        elif kind == 7:
            tenant, obj, ver, b = r.int(4), r.take(16), r.take(16), r.lp32()
            r.end()
            key = next(i for i in self.backups if i[0] == tenant and i[2:] == (obj, ver))
            self.backups[key] = b
        elif kind == 136:
            self.tenant(r)
        elif kind == 137:
            _id, name, url, _gen, state, weight = r.int(4), r.lp32(), r.lp32(), r.int(4), r.int(1), r.int(2)
            labels = [r.lp32() for _ in range(3)]
            r.end()
            need(0 < len(name) <= 64 and url and state in (1, 2, 3) and weight <= 1000, "FORMAT", "member record")
            need(all(re.fullmatch(rb"(|[a-z0-9][a-z0-9._-]{0,63})", x) for x in labels), "FORMAT", "member record: labels")
        elif kind == 138:
            need(r.int(1) <= 3, "FORMAT", "rules record")
            r.end()
        elif kind == 139:
            self.recoded(r)
        elif kind == 143:
            self.renamed(r)
        elif kind == 144:
            self.repacked(r)
        elif kind in (141, 142):                    # gone for good; kept until a time
            tenant, _vault, obj, ver, number = r.int(4), r.take(16), r.take(16), r.take(16), r.int(8)
            need(kind == 141 or r.int(8) < 1 << 63, "FORMAT", "retained record: time")
            r.end()
            need(number < 1 << 63 and (kind == 141 or number > 0), "FORMAT", f"record {kind}: time")
            if kind == 141:
                self.versions = [e for e in self.versions if (e["tenant"], e["object"], e["version"]) != (tenant, obj, ver)]
        else:
            need(kind in (4, 5) or not kind & 0x80, "NEWER", f"record kind {kind}")

    def tenant(self, r):
        t = dict(id=r.int(4), revision=r.int(8), name=r.lp32(), state=r.int(1), verifier=r.take(32), bytes=r.int(8), objects=r.int(8),
                 uploads=r.int(4), requests=r.int(4))
        r.end()
        need(t["id"] > 0 and t["state"] in (1, 2) and re.fullmatch(rb"[a-z0-9][a-z0-9._-]{0,63}", t["name"]), "FORMAT", "tenant record")
        need(max(t["bytes"], t["objects"]) < 1 << 63 and min(t["uploads"], t["requests"]) > 0, "FORMAT", "tenant record: limits")
        old = self.tenants.get(t["id"])
        need(t["revision"] == (old["revision"] if old else 0) + 1, "INTEGRITY", "tenant record: revision")
        self.tenants[t["id"]] = t

    def renamed(self, r):
        """An entry is moved: a tombstone at the one path, the same version at the other (5.2, 9.3)."""
        tenant, vault, chain, _put, _created = r.int(4), r.take(16), r.int(8), r.take(16), r.int(8)
        away = dict(tenant=tenant, vault=vault, path=r.lp32(), number=r.int(8), seal=r.take(32), kind=2, object=bytes(16),
                    version=bytes(16), sequence=0, size=0, M=bytes(32), private=b"", chain=chain)
        new = dict(path=r.lp32(), number=r.int(8), object=r.take(16), version=r.take(16), sequence=r.int(8), size=r.int(8), M=r.take(32),
                   private=r.lp32(), seal=r.take(32), chain=chain + 1)
        _created = r.int(8)
        r.end()
        old = self.entries.get(((tenant, vault), away["path"]))
        need(old is not None and away["path"] != new["path"], "INTEGRITY", "renamed record: nothing is there")
        need(all(old[x] == new[x] for x in ("object", "version", "sequence", "size", "M")), "INTEGRITY", "renamed record: another version")
        self.place(away)
        self.place(old | new)               # the segments are those of its commit, and shared with it

    def recoded(self, r):
        """A segment lies elsewhere, by another code, under another id (9.3)."""
        tenant, obj, ver, seq, old = r.int(4), r.take(16), r.take(16), r.int(4), r.int(8)
        new = dict(id=r.int(8), size=r.int(4), incarnation=r.int(4), salt=r.take(16), digest=r.take(32))
        need(r.int(2) == 0 and old != new["id"], "FORMAT", "recoded record")
        k, n = r.int(1), r.int(1)
        clouds = [r.int(4) for _ in range(n)]
        r.end()
        need(0 < k <= n <= 32 and len(set(clouds)) == n, "FORMAT", "recoded record: layout")
        for e in self.versions:
            if e["tenant"] != tenant or seq >= len(e["segments"]):
                continue
            s = e["segments"][seq]
            if (s["object"], s["version"], s["id"]) == (obj, ver, old):
                need(s["size"] == new["size"], "FORMAT", "recoded record: size")
                s.update(new, layout=(k, n, clouds))

    def repacked(self, r):
        """Versions that lay in bundles lie in another one, which has one segment (9.3)."""
        tenant, _vault, obj, ver, created = r.int(4), r.take(16), r.take(16), r.take(16), r.int(8)
        new = dict(id=r.int(8), size=r.int(4), incarnation=r.int(4), salt=r.take(16), digest=r.take(32))
        need(r.int(2) == 0 and created < 1 << 63, "FORMAT", "repacked record")
        k, n = r.int(1), r.int(1)
        clouds = [r.int(4) for _ in range(n)]
        need(0 < k <= n <= 32 and len(set(clouds)) == n, "FORMAT", "repacked record: layout")
        count = r.int(4)
        need(count > 0, "FORMAT", "repacked record: nothing")
        for _ in range(count):
            whose, start = (tenant, r.take(16), r.take(16)), r.int(8)
            for e in self.versions:             # one that is purged by now is not among them
                if (e["tenant"], e["object"], e["version"]) == whose:
                    need("start" in e and start + e["size"] <= new["size"], "FORMAT", "repacked record: place")
                    e["start"] = start
                    e["segments"] = [dict(new, layout=(k, n, clouds), seq=0, tenant=tenant, object=obj, version=ver)]
        r.end()

    def verifier(self, token):
        """What a tenant record has of a token."""
        return mac(kdfg(self.G, "token", self.catalogue), hashlib.sha256(token).digest())

    def commit(self, r, bundled):
        e = dict(tenant=r.int(4), vault=r.take(16), path=r.lp32(), number=r.int(8), kind=r.int(1), object=r.take(16),
                 version=r.take(16), sequence=r.int(8), size=r.int(8), M=r.take(32), private=r.lp32(), seal=r.take(32))
        e["chain"], _put, _created = r.int(8), r.take(16), r.int(8)
        layouts = []
        for _ in range(r.int(2)):
            k, n = r.int(1), r.int(1)
            layouts.append((k, n, [r.int(4) for _ in range(n)]))
        e["segments"] = []
        for seq in range(r.int(4)):
            s = dict(id=r.int(8), size=r.int(4), incarnation=r.int(4), salt=r.take(16), digest=r.take(32), layout=r.int(2), seq=seq,
                     tenant=e["tenant"], object=e["object"], version=e["version"])
            need(s["layout"] < len(layouts), "FORMAT", "commit record: layout")
            s["layout"] = layouts[s["layout"]]
            e["segments"].append(s)
        self.backups[e["tenant"], e["vault"], e["object"], e["version"]] = r.lp32()
        stored = sum(s["size"] for s in e["segments"])
        if bundled:                             # the segments are the bundle's, and many N lie in them
            ids = dict(object=r.take(16), version=r.take(16))
            _put, e["start"] = r.take(16), r.int(8)
            for s in e["segments"]:
                s.update(ids)
            need(0 < e["size"] <= 262144 and e["start"] + e["size"] <= stored, "FORMAT", "bundled record: place")
        else:
            need(stored == e["size"], "FORMAT", "commit record: size")
        r.end()
        self.versions.append(e)
        self.place(e)

    def place(self, e):
        whose = e["tenant"], e["vault"]
        chain = self.chains.setdefault(whose, [])
        need(e["chain"] == len(chain) + 1, "INTEGRITY", "vault head: commits out of order")
        chain.append(e["seal"])
        old = self.entries.get((whose, e["path"]))
        need(e["number"] == (old["number"] if old else 0) + 1, "INTEGRITY", "entry number")
        self.entries[whose, e["path"]] = e

    def backup(self, tenant, ids):
        b = self.backups[tenant, *ids]
        epoch, salt = int.from_bytes(b[:4], "big"), b[4:20]
        need(epoch in self.bkeys, "INTEGRITY", "backup data: key epoch")
        key = kdfg(self.bkeys[epoch], "B", self.catalogue, salt)
        return gcm_open(key, ZERO12, enc(b"B", *ids), b[20:-16], b[-16:], "backup data: seal of the gateway")

    def segment(self, s):
        k, n, layout = s["layout"]
        seg = Segment(self, s, k, n)
        perm = permutation(self.G, self.catalogue, s["id"], s["salt"], n)
        home = {c.id: c for c in self.clouds}
        frags = {}
        for i in range(n):
            if len(frags) == k:
                break
            pieces = self.pieces(seg, i)
            if pieces is not None:
                frags[i] = pieces
            elif layout[perm[i]] in home:
                self.trouble.append(f"{home[layout[perm[i]]].path}: fragment {i} of segment {s['id']} is missing")
        need(len(frags) == k, "QUORUM", f"segment {s['id']}: {len(frags)} of {k} fragments")
        return seg.decode(frags)

    def pieces(self, seg, i):
        """Of fragment i, wherever it lies: the newest of its copies that verifies (9.4)."""
        for incarnation, attempt, c, key in self.copies(seg.s, i):
            try:
                return seg.fragment(c.read(key), i, c, attempt, incarnation)
            except Refused as e:
                self.trouble.append(f"{c.path}: fragment {i} of segment {seg.s['id']}: {e}")
        return None

    def copies(self, s, i):
        """(low bits of the writer's incarnation, attempt, cloud, key) of a fragment's objects, the newest first."""
        if self.found is None:
            self.found = collections.defaultdict(list)
            for c in self.clouds:
                for name, key in c.fragments():
                    b = c.unname(name)
                    if b[8] < 32:
                        self.found[b[:9] + b[12:]].append((int.from_bytes(b[10:12], "big"), b[9], c, key))
        return sorted(self.found[u(8, s["id"]) + u(1, i) + s["salt"][:4]], key=lambda x: x[:2], reverse=True)

    def expected(self, cloud):
        """The fragment files that committed versions have on this cloud."""
        out = set()
        for e in self.versions:
            for s in e["segments"]:
                k, n, layout = s["layout"]
                perm = permutation(self.G, self.catalogue, s["id"], s["salt"], n)
                for i in range(n):
                    if layout[perm[i]] == cloud.id:
                        name = cloud.name(self.block(s, i))
                        out.add(os.path.join(cloud.path, "f", name[:2], name))
        return out

    @staticmethod
    def block(s, i, attempt=0):
        return u(8, s["id"]) + u(1, i) + u(1, attempt) + u(2, s["incarnation"] & 0xFFFF) + s["salt"][:4]

    def object(self, e):
        N = b"".join(self.segment(s) for s in e["segments"])
        if "start" in e:
            N = N[e["start"]:e["start"] + e["size"]]
        need(len(N) == e["size"], "INTEGRITY", "size of the object")
        return N


def siv_open(key, aad, data, what):
    try:
        return AESSIV(key).decrypt(data, [aad])
    except InvalidTag:
        raise Refused("INTEGRITY", what) from None


class Vault:
    def __init__(self, archive, store_dirs, passphrases=(), W=None, keeper=None):
        self.a, self.stores, self.keeper, locked = archive, {}, keeper, False
        for d in store_dirs:
            try:
                s = Store(d, passphrases)
                self.stores[s.index] = s
            except (OSError, Refused, sqlite3.Error) as e:
                locked = locked or getattr(e, "kind", "") == "PASSPHRASE"
                archive.trouble.append(f"{d}: {e}")
        need(self.stores or not locked, "PASSPHRASE", "no share store opens without another passphrase")
        need(self.stores, "SHARES", "both share stores are missing")
        vaults = {s.vault for s in self.stores.values()}
        need(len(vaults) == 1, "INTEGRITY", "share stores of two vaults")
        self.id, = vaults
        self.W = self.recovery_key(W)
        self.tenant, self.VS = self.find()
        self.names = Names(self.VS, self.id)
        self.check_head()

    def backup(self, tenant, ids):
        """Of the keeper (17), where there is one: else, with both stores, the front does."""
        if any(s.kept for s in self.stores.values()):
            path = os.path.join(self.keeper, keeper_key(ids)) if self.keeper else ""
            if os.path.exists(path):
                with open(path, "rb") as f:
                    B = f.read()
                need(parse_backup(B).ids == ids and not is_kept(B), "INTEGRITY", "backup data: of another version")
                return B
            need(len(self.stores) == 2, "SHARES", "backup data: a keeper has it")
        return unseal_backup(self.a.backup(tenant, ids), self.W)

    def find(self):
        """An id holds within a tenant: the vault is the one that the share stores open."""
        ids, why = (self.id, self.id, bytes(16)), Refused("FORMAT", "the vault is not on these clouds")
        for tenant, vault in self.a.vaults:
            if vault != self.id:
                continue
            try:
                backup = self.backup(tenant, ids)
                VS = {i: s.secret(parse_backup(backup)) for i, s in self.stores.items()}
                return tenant, open_vault(self.a.vaults[tenant, vault], backup, VS.get(1), VS.get(2))[0]
            except Refused as e:
                why = e
        raise why

    def recovery_key(self, given):
        """Of both stores, or as given; held against what a store knows of it (4, 7.2)."""
        one, two = self.stores.get(1), self.stores.get(2)
        W = given
        if one and two:
            both = max(set(one.halves) & set(two.halves), default=None)
            W = xor(one.halves[both], two.halves[both]) if both is not None else given
        for s in self.stores.values():
            need(W is None or (s.halves and same(kdf(W, "commit", s.vault, s.vault, bytes(16)), s.W_commitment)), "INTEGRITY", "recovery key")
        return W

    def check_head(self):
        h, heads = head_start(self.id), []
        heads.append(h)
        for i, seal in enumerate(self.a.chains.get((self.tenant, self.id), []), 1):
            h = head_step(h, i, seal)
            heads.append(h)
        for s in self.stores.values():
            v = s.text("vault_head")
            count = int.from_bytes(v[:8], "big")
            need(len(v) == 40 and count < len(heads) and same(heads[count], v[8:]), "INTEGRITY", "vault head: rolled back")

    def entries(self):
        out = []
        for (whose, _), e in self.a.entries.items():
            if whose == (self.tenant, self.id):
                self.names.check(e)
                if e["kind"] == 1:
                    out.append((self.names.decode(e["path"]), e))
        return sorted(out, key=lambda x: x[0])

    def open(self, e):
        ids = (self.id, e["object"], e["version"])
        shares, why = {}, []
        B = self.backup(self.tenant, ids)
        parsed = parse_backup(B)
        for i, s in self.stores.items():
            try:
                r = s.own(ids, parsed)
                if r is not None:
                    shares[i] = r
            except Refused as x:
                why.append(str(x))
        if len(shares) == 2 and not parsed.corr1 and not parsed.corr2:
            B = None                                           # both shares and N are enough
        return Opened(self.a.object(e), ids, shares.get(1), shares.get(2), B, e["M"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cloud", action="append", default=[], metavar="DIR")
    p.add_argument("--store", action="append", default=[], metavar="DIR")
    p.add_argument("--passphrase-file", metavar="FILE")
    p.add_argument("--recovery-key", metavar="HEX", help="what a recovery kit's words stand for")
    p.add_argument("--keeper", metavar="DIR", help="a keeper of backup data")
    p.add_argument("command", choices=("list", "get", "all"))
    p.add_argument("args", nargs="*")
    a = p.parse_args()
    archive = None
    try:
        archive = Archive(a.cloud)
        passphrases = []
        if a.passphrase_file:
            with open(a.passphrase_file, "rb") as f:
                passphrases = [line for line in f.read().split(b"\n") if line]
        vault = Vault(archive, a.store, passphrases, bytes.fromhex(a.recovery_key) if a.recovery_key else None, a.keeper)
        for name, e in vault.entries():
            if a.command == "list":
                size, _ = vault.names.private(e)
                print(f"{size}\t{name.decode('utf-8', 'backslashreplace')}")
                continue
            if a.command == "get" and name != os.fsencode(a.args[0]):
                continue
            out = os.fsencode(a.args[1]) if a.command == "get" else os.path.join(os.fsencode(a.args[0]), name)
            os.makedirs(os.path.dirname(out) or b".", exist_ok=True)
            opened = vault.open(e)
            if opened.folder:
                os.makedirs(out, exist_ok=True)
                continue
            with open(out, "wb") as f:
                for d in opened.data():
                    f.write(d)
            print(f"{opened.size}\t{name.decode('utf-8', 'backslashreplace')}")
    except Refused as e:
        print(f"refused: {e}", file=sys.stderr)
        return {"SHARES": 7, "QUORUM": 6, "PASSPHRASE": 12}.get(e.kind, 8)
    finally:
        for t in archive.trouble if archive else ():
            print(f"note: {t}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
