#!/usr/bin/env python3
"""Share files of the profiles xor23, shamir and mirror by a second implementation, from FORMAT 13 alone.

xor23_model.py: prints the vectors; xor23_model.py --check FILE: are they FILE's?
A line: scheme, data, randomness as it is drawn (for a chunk R, then the keys of A, of B, of C), files A, B, C; all hex, - for nothing.
xor23_model.py --corpus DIR: seeds for fuzz/vault_xor23."""
import hashlib
import os
import sys

P = (1 << 130) - 5
CHUNK = 1 << 20
OBJECT, VERSION = bytes(range(16)), bytes(range(16, 32))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    a = 0
    for i in range(0, len(message), 16):
        a = (a + int.from_bytes(message[i:i + 16] + b"\1", "little")) * r % P
    return ((a + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def xor(*parts):
    return bytes(a ^ b ^ c for a, b, c in zip(*(list(parts) + [bytes(len(parts[0]))] * (3 - len(parts)))))


def times(x, byte):
    """In GF(2^8) with 0x11d."""
    product = 0
    while x:
        product ^= byte * (x & 1)
        x, byte = x >> 1, byte << 1 ^ (0x11d if byte & 0x80 else 0)
    return product


def share(scheme, data, random):
    """The three shares; those of a mirror take no randomness."""
    if scheme == "mirror":
        return [data.ljust(len(data) + len(data) % 2, b"\0")] * 3
    if scheme == "shamir":   # f(0) is the data, f(1) is drawn
        data = data.ljust(len(random), b"\0")
        slope = xor(data, random) if data else b""
        return [bytes(s ^ times(x, c) for s, c in zip(data, slope)) for x in (1, 2, 3)]
    h = (len(data) + 1) // 2
    s1, s2 = data[:h], data[h:].ljust(h, b"\0")
    r1, r2 = random[:h], random[h:]
    return [xor(s1, r1) + xor(s2, r1, r2), xor(s1, r1, r2) + xor(s2, r2), r1 + r2]


def header(scheme, letter, maker=2):
    return {"xor23": b"QCX3", "shamir": b"QCS3", "mirror": b"QCM3"}[scheme] + bytes([1, letter + 1, maker, 20]) + OBJECT + VERSION


def files(scheme, data, random):
    """The three files, and what is left of the randomness."""
    out = [header(scheme, i) for i in range(3)]
    for number in range(len(data) // CHUNK + 1):
        piece = data[number * CHUNK:(number + 1) * CHUNK]
        n = 0 if scheme == "mirror" else len(piece) + len(piece) % 2
        shares, keys, random = share(scheme, piece, random[:n]), random[n:n + 192], random[n + 192:]
        key = {(i, j): keys[64 * j + 32 * k:][:32] for j in range(3) for k, i in enumerate(x for x in range(3) if x != j)}
        prefix = number.to_bytes(8, "big") + len(piece).to_bytes(4, "big") + bytes(4)
        for i in range(3):
            others = [j for j in range(3) if j != i]
            tags = [poly1305(key[i, j], header(scheme, i) + prefix + shares[i]) for j in others]
            out[i] += prefix + b"".join(tags) + b"".join(key[j, i] for j in others) + shares[i]
    return out, random


def stream(seed, n):
    return hashlib.shake_128(seed.encode()).digest(n)


def cases(scheme="xor23", sizes=(0, 1, 2, 3, 17, 64)):
    for n in sizes:
        data, random = stream(f"data {n}", n), stream(f"random {n}", (0 if scheme == "mirror" else n + n % 2) + 192)
        out, left = files(scheme, data, random)
        assert left == b""
        yield data, random, out


def vectors():
    return "".join(" ".join((scheme, *(x.hex() or "-" for x in (data, random, *out)))) + "\n"
                   for scheme, sizes in (("xor23", (0, 1, 2, 3, 17, 64)), ("shamir", (0, 5, 64)), ("mirror", (0, 5)))
                   for data, random, out in cases(scheme, sizes))


def corpus(folder):
    os.makedirs(folder, exist_ok=True)
    for data, _, out in cases():
        with open(os.path.join(folder, f"whole-{len(data)}"), "wb") as f:
            f.write(bytes([170, 15]) + b"".join(out))
    for scheme in ("shamir", "mirror"):
        for _, _, other in cases(scheme, (9,)):
            with open(os.path.join(folder, scheme), "wb") as f:
                f.write(bytes([170, 15]) + b"".join(other))
            if scheme == "mirror":   # of one site alone
                with open(os.path.join(folder, "alone"), "wb") as f:
                    f.write(bytes([0, 20]) + other[2])
    for name, at in (("header", 30), ("number", 47), ("length", 51), ("tag", 60), ("key", 90), ("share", 155)):
        bad = bytearray(out[1])
        bad[at] ^= 1
        with open(os.path.join(folder, f"wrong-{name}"), "wb") as f:
            f.write(bytes([170, 7]) + out[0] + bad + out[2])
    with open(os.path.join(folder, "two"), "wb") as f:
        f.write(bytes([170, 5]) + b"".join(out))


def main():
    if sys.argv[1:2] == ["--corpus"]:
        corpus(sys.argv[2])
    elif sys.argv[1:2] == ["--check"]:
        with open(sys.argv[2], encoding="ascii") as f:
            if f.read() != vectors():
                sys.exit(f"{sys.argv[2]} is not what the model writes")
    else:
        sys.stdout.write(vectors())


main()
