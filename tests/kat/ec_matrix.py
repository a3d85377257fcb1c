#!/usr/bin/python3
"""Second implementation of FORMAT 8.1: runs kat/ec_matrix and computes again every line that it prints.

ec_matrix.py PROGRAM
"""
import subprocess
import sys


def mul(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11D
        b >>= 1
    return product


MUL = [[mul(a, b) for b in range(256)] for a in range(256)]
INV = [0] + [next(b for b in range(256) if MUL[a][b] == 1) for a in range(1, 256)]


def coefficient(i, j):
    return INV[i ^ j]


def geometry(k, s):
    piece = 64 * (2**20 // (64 * k))
    full, rest = divmod(s, k * piece)
    last = 64 * -(-rest // (64 * k))
    payload = full * piece + last
    return [piece, full + (rest > 0), last if rest else piece if full else 0, payload]


def matrix(k, m):
    return bytes(coefficient(i, j) for i in range(k, k + m) for j in range(k))


def stripe(k, m, size):
    data = [[(b * 7 + j * 29 + b // 64) % 256 for b in range(size)] for j in range(k)]
    out = bytearray()
    for i in range(k, k + m):
        rows = [MUL[coefficient(i, j)] for j in range(k)]
        for b in range(size):
            value = 0
            for j in range(k):
                value ^= rows[j][data[j][b]]
            out.append(value)
    return bytes(out)


def check(words):
    kind, numbers = words[0], words[1:]
    if kind == "geometry":
        k, s, *rest = map(int, numbers)
        return rest == geometry(k, s)
    if kind == "matrix":
        return bytes.fromhex(numbers[2]) == matrix(int(numbers[0]), int(numbers[1]))
    if kind == "stripe":
        return bytes.fromhex(numbers[3]) == stripe(*map(int, numbers[:3]))
    return False


def main(program):
    done = subprocess.run([program], check=True, capture_output=True, text=True, timeout=60)
    counts = {}
    for line in done.stdout.splitlines():
        if not check(line.split()):
            sys.exit(f"differs: {line}")
        counts[line.split()[0]] = counts.get(line.split()[0], 0) + 1
    assert counts == {"matrix": 496, "stripe": 31, "geometry": 320}, counts
    print("agree:", counts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
