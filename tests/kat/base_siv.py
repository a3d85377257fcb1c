#!/usr/bin/python3
"""A second AES-SIV, from RFC 5297 alone: checks itself on the RFC's vector A.1, then the vectors of base_crypto.txt."""
import sys
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def block(key, data):
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return e.update(data) + e.finalize()


def double(b):
    v = int.from_bytes(b, "big") << 1
    if v >> 128:
        v = (v & ((1 << 128) - 1)) ^ 0x87
    return v.to_bytes(16, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def cmac(key, m):
    k1 = double(block(key, bytes(16)))
    n = max(1, (len(m) + 15) // 16)
    last = m[16 * (n - 1):]
    last = xor(last, k1) if len(last) == 16 else xor((last + b"\x80").ljust(16, b"\0"), double(k1))
    x = bytes(16)
    for i in range(n - 1):
        x = block(key, xor(x, m[16 * i:16 * i + 16]))
    return block(key, xor(x, last))


def siv(key, aad, text):
    k1, k2 = key[:len(key) // 2], key[len(key) // 2:]
    d = xor(double(cmac(k1, bytes(16))), cmac(k1, aad))
    if len(text) >= 16:
        t = text[:-16] + xor(text[-16:], d)
    else:
        t = xor(double(d), (text + b"\x80").ljust(16, b"\0"))
    v = cmac(k1, t)
    q = int.from_bytes(v, "big") & ~(1 << 63) & ~(1 << 31)
    stream = b"".join(block(k2, ((q + i) % (1 << 128)).to_bytes(16, "big")) for i in range((len(text) + 15) // 16))
    return v + xor(text, stream)


def main():
    rfc = siv(bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
              bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627"),
              bytes.fromhex("112233445566778899aabbccddee"))
    assert rfc.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c", "RFC 5297 A.1"
    count = 0
    for line in open(sys.argv[1], encoding="ascii"):
        fields = line.split()
        if fields and fields[0] == "siv":
            key, aad, text = (bytes.fromhex(f) for f in fields[1:4])
            want = siv(key, aad, text).hex()
            if len(sys.argv) > 2 and sys.argv[2] == "--print":
                print(*fields[:4], want)
            elif fields[4] != want:
                sys.exit(f"siv {fields[3]}: the file says {fields[4]}, this program {want}")
            count += 1
    assert count >= 4, "no vectors in the file"


main()
