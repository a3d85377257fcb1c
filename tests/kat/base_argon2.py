#!/usr/bin/python3
"""The Argon2id vectors of base_crypto.txt by libargon2, the reference implementation: ours are computed by libsodium."""
import sys

from argon2.low_level import Type, hash_secret_raw


def main():
    count = 0
    for line in open(sys.argv[1], encoding="ascii"):
        fields = line.split()
        if fields and fields[0] == "argon2id":
            passphrase, salt, cost, want = (bytes.fromhex(f) for f in fields[1:])
            passes, kib = int.from_bytes(cost[:4], "big"), int.from_bytes(cost[4:], "big")
            got = hash_secret_raw(passphrase, salt, passes, kib, 1, 32, Type.ID, 19)
            if got != want:
                sys.exit(f"argon2id, {passes} passes, {kib} KiB: the file says {want.hex()}, libargon2 {got.hex()}")
            count += 1
    assert count >= 6, "vectors are missing"


main()
