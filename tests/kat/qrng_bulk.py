#!/usr/bin/env python3
"""The bulk generator's bytes (qrng/bulk.h) by a second implementation: the openssl command's AES-256-CTR.

qrng_bulk.py: prints SHA-256 of what unit/qrng_bulk draws, seed 00 01 .. 1f."""
import hashlib
import subprocess

PIECE = 65536


def ctr(key, n):
    done = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-nosalt", "-K", key.hex(), "-iv", "00" * 16],
                          input=bytes(n), capture_output=True, check=True)
    return done.stdout


def draw(key, n):
    """n bytes and the next key."""
    out = b""
    while len(out) < n:
        take = min(n - len(out), PIECE)
        stream = ctr(key, 32 + take)
        key, out = stream[:32], out + stream[32:]
    return out, key


def main():
    key = bytes(range(32))
    first, key = draw(key, 200001)
    second, key = draw(key, 5)
    print(hashlib.sha256(first + second).hexdigest())
    print((first + second)[:16].hex(), second.hex())


main()
