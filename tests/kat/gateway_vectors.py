#!/usr/bin/python3
"""Second implementation of gateway_vectors.txt: computes each line again with the second reader (tests/reader/).

gateway_vectors.py FILE
"""
import hashlib
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
import qcloud_reader as q  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: E402


def ramp(n, start=0):
    return bytes((start + i) & 255 for i in range(n))


G, CAT, SALT, SEG = ramp(32), ramp(16, 0xA0), ramp(16, 0x10), 0x0102030405060708


def name(prefix, block):
    e = Cipher(algorithms.AES(q.kdfg(G, "names", CAT, q.u(4, 3))), modes.ECB()).encryptor()
    text = (e.update(block) + e.finalize()).hex()
    return (f"{prefix}/{text}" if prefix[0] == "r" else f"{prefix}/{text[:2]}/{text}").encode()


def pack_piece(block):
    """FORMAT 9.6: piece 1 of EC(1,2), whose parity is the data (the inverse of 1 is 1)."""
    objects = (b"one", b"", b"three")
    clear = q.u(4, 3) + b"".join(q.u(4, 1 + i) + q.u(4, len(x)) + x for i, x in enumerate(objects))
    sealed = AESGCM(q.kdfg(G, "snapshot", CAT, block, SALT)).encrypt(bytes(12), clear, q.enc(block))
    head = (b"QCLS\1\1\1\2\1" + bytes(3) + q.u(4, 3) + CAT + block + SALT + q.u(4, len(sealed)) + bytes(4) + q.sha(sealed)
            + sealed + bytes(-len(sealed) % 64))
    return head + q.mac(q.kdfg(G, "snapshot piece", CAT, block, SALT), head)


def expected():
    ctx = (CAT, q.u(8, SEG), SALT)
    piece, tags, digests = ramp(128), ramp(32, 0x40), ramp(160, 0x60)
    yield "name.fragment", name("f", q.u(8, SEG) + bytes([4, 1]) + q.u(2, 2) + SALT[:4])
    yield "name.log", name("l", q.u(8, 7) + b"\xfe\0" + q.u(2, 2) + bytes(4))
    yield "name.root", name("r/00001234", q.u(8, 0x1234) + b"\xfd" + bytes(7))
    yield "name.cut", name("r/00001234", q.u(8, 0x1234) + b"\xfc" + bytes(7))
    pack = q.u(8, 7) + b"\xfb\0" + q.u(2, 2) + q.u(4, 0x0A0B0C0D)
    yield "name.pack", name("s", pack)
    yield "name.notes", name("s", q.u(8, 7) + b"\xfa\0" + q.u(2, 2) + q.u(4, 0x0A0B0C0D))
    yield "pack.piece", pack_piece(pack)
    yield "piece.tag", q.gmac(q.kdfg(G, "piece", *ctx), b"\4\0\0\0" + q.u(8, 9), piece)
    yield "tags.digest", q.sha(q.enc(b"tags", b"\4", tags))
    yield "segment.digest", q.sha(q.enc(b"segment", q.u(8, SEG), q.u(4, 5000000), digests))
    yield "fragment.tag", q.mac(q.kdfg(G, "fragment", *ctx), q.enc(piece, tags, digests))
    yield "permutation.5", bytes(q.permutation(G, CAT, SEG, SALT, 5))
    yield "permutation.32", bytes(q.permutation(G, CAT, SEG, SALT, 32))
    P = 64 * ((1 << 20) // (64 * 3))
    whole, rest = divmod(5000000, 3 * P)
    payload = whole * P + 64 * -(-rest // (64 * 3))
    yield "fragment.head", (
        b"QCLF\1\1" + q.u(2, 136) + CAT + q.u(4, 2) + q.u(4, 1) + ramp(16, 0xB0) + ramp(16, 0xC0) + q.u(8, SEG) + q.u(4, 6)
        + bytes([3, 5, 4, 1]) + q.u(4, 5000000) + q.u(4, P) + q.u(4, whole + (rest > 0)) + q.u(4, 3) + SALT + q.u(8, 17)
        + q.u(8, payload) + b"\1" + bytes(7))
    root = b"QCLR\1\0\0\0" + CAT + q.u(4, 0x1234) + ramp(16, 0xD0) + q.u(8, 99)
    yield "root", root + q.mac(q.kdfg(G, "root", CAT), root)
    cut = b"QCLC\1\0\0\0" + CAT + q.u(4, 0x1234) + q.u(4, 0x1233) + q.u(8, 98)
    yield "cut", cut + q.mac(q.kdfg(G, "cut", CAT), cut)
    digits = hashlib.sha256(q.enc(b"kit", CAT, G)).hexdigest()[:8]
    yield "kit", f"qcloud-kit 1 root {CAT.hex()} {G.hex()} {digits}".encode()


def main():
    with open(sys.argv[1]) as f:
        lines = [(n, bytes.fromhex(v)) for n, v in (x.split() for x in f)]
    want = list(expected())
    if lines[:len(want)] != want:
        sys.exit("differs: " + next(a[0] for a, b in zip(lines, want) if a != b))
    shares, members = {}, []
    for n, v in lines[len(want):]:
        head, poly, rest = v[:32], v[32:48], v[48:]
        if n != "identity" or head[:24] != b"QCLI\1\1\0\0" + CAT or rest[:2] != b"\2\3" or rest[3] != 0:
            sys.exit("differs: identity")
        if v[-64:-32] != q.sha(q.enc(b"identity", v[:-64])) or v[-32:] != q.mac(q.kdfg(G, "identity", CAT), v[:-32]):
            sys.exit("differs: sums of an identity")
        shares[rest[2]] = rest[4:36]
        members.append((head[24:], poly))
    ids = [q.u(4, i) + q.u(4, g) for i, g in ((1, 1), (2, 5), (7, 1))]
    if [m for m, _ in members] != ids or len({p for _, p in members}) != 1 or set(shares) != {1, 2, 3}:
        sys.exit("differs: members")
    for two in itertools.combinations(shares.items(), 2):
        if q.combine(dict(two)) != G:
            sys.exit("differs: shares do not give G")
    print(f"{len(lines)} vectors")


if __name__ == "__main__":
    main()
