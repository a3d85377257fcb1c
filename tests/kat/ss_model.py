#!/usr/bin/python3
"""Second implementation of Shamir over GF(2^8)/0x11d, with discrete logarithms; shares no code with ss/.

ss_model.py --check FILE   recompute every line of FILE; 1 and the line when one differs
ss_model.py --make         print the lines of tests/kat/ss_vectors.txt
Line: k n points secret coefficients shares..., all hexadecimal but k and n.
"""
import hashlib
import sys

EXP, LOG = [0] * 510, [0] * 256
x = 1
for i in range(255):
    EXP[i] = EXP[i + 255] = x
    LOG[x] = i
    x <<= 1
    if x & 0x100:
        x ^= 0x11D


def mul(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def share(k, point, secret, coefficients):
    out = bytearray(secret)
    for degree in range(1, k):
        power = EXP[LOG[point] * degree % 255]
        for b in range(len(secret)):
            out[b] ^= mul(coefficients[(degree - 1) * len(secret) + b], power)
    return bytes(out)


def pattern(label, size):
    return hashlib.shake_256(label.encode()).digest(size)


def line(k, points, secret, coefficients):
    shares = [share(k, point, secret, coefficients) for point in points]
    hexes = [p.hex() or "-" for p in (bytes(points), secret, coefficients, *shares)]
    return " ".join([str(k), str(len(points)), *hexes])


def make():
    cases = [(3, [1, 2, 3, 4], 32), (3, [1, 2, 3, 4], 1), (1, [9, 200], 16), (2, [255, 1], 7),
             (5, [2, 3, 5, 7, 11], 32), (7, list(range(1, 11)), 32), (4, [4, 3, 2, 1], 33)]
    for k, points, size in cases:
        label = f"qcloud ss {k} {points} {size}"
        coefficients = pattern(label + " coefficients", (k - 1) * size)
        print(line(k, points, pattern(label + " secret", size), coefficients))
    for filler in (0x00, 0xFF):  # all zero is a legal polynomial: the shares are the secret itself
        print(line(3, [1, 2, 3, 4], bytes([0x5A] * 32), bytes([filler] * 64)))


def check(name):
    count = 0
    with open(name, encoding="ascii") as f:
        for text in f:
            if text.startswith("#"):
                continue
            k, n, points, secret, coefficients = text.split()[:5]
            raw = [bytes.fromhex("" if p == "-" else p) for p in (points, secret, coefficients)]
            assert int(n) == len(raw[0])
            if line(int(k), list(raw[0]), raw[1], raw[2]) != text.strip():
                sys.exit(f"differs: {text}")
            count += 1
    assert count > 0, "no vectors"
    print(f"{count} vectors agree")


if __name__ == "__main__":
    if sys.argv[1:] == ["--make"]:
        make()
    elif len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    else:
        sys.exit(__doc__)
