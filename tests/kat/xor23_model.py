#!/usr/bin/env python3
"""Share files of the profile xor23 by a second implementation, from FORMAT 13 alone.

xor23_model.py: prints the vectors; xor23_model.py --check FILE: are they FILE's?
A line: data, randomness as it is drawn (for a chunk R, then the keys of A, of B, of C), files A, B, C; all hex, - for nothing.
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


def share(data, random):
    h = (len(data) + 1) // 2
    s1, s2 = data[:h], data[h:].ljust(h, b"\0")
    r1, r2 = random[:h], random[h:]
    return [xor(s1, r1) + xor(s2, r1, r2), xor(s1, r1, r2) + xor(s2, r2), r1 + r2]


def header(letter, maker=2):
    return b"QCX3" + bytes([1, letter + 1, maker, 20]) + OBJECT + VERSION


def files(data, random):
    """The three files, and what is left of the randomness."""
    out = [header(i) for i in range(3)]
    for number in range(len(data) // CHUNK + 1):
        piece = data[number * CHUNK:(number + 1) * CHUNK]
        n = len(piece) + len(piece) % 2
        shares, keys, random = share(piece, random[:n]), random[n:n + 192], random[n + 192:]
        key = {(i, j): keys[64 * j + 32 * k:][:32] for j in range(3) for k, i in enumerate(x for x in range(3) if x != j)}
        prefix = number.to_bytes(8, "big") + len(piece).to_bytes(4, "big") + bytes(4)
        for i in range(3):
            others = [j for j in range(3) if j != i]
            tags = [poly1305(key[i, j], header(i) + prefix + shares[i]) for j in others]
            out[i] += prefix + b"".join(tags) + b"".join(key[j, i] for j in others) + shares[i]
    return out, random


def stream(seed, n):
    return hashlib.shake_128(seed.encode()).digest(n)


def cases():
    for n in (0, 1, 2, 3, 17, 64):
        data, random = stream(f"data {n}", n), stream(f"random {n}", n + n % 2 + 192)
        out, left = files(data, random)
        assert left == b""
        yield data, random, out


def vectors():
    return "".join(" ".join(x.hex() or "-" for x in (data, random, *out)) + "\n" for data, random, out in cases())


def corpus(folder):
    os.makedirs(folder, exist_ok=True)
    for data, _, out in cases():
        with open(os.path.join(folder, f"whole-{len(data)}"), "wb") as f:
            f.write(bytes([170, 15]) + b"".join(out))
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
