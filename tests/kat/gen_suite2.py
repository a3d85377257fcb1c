#!/usr/bin/python3
"""The derivations of suite 2 (FORMAT 1.1), which is reserved: the inputs of kdf.json under its name and SHA-512. No program of ours
computes them yet; this one does by OpenSSL's HKDF, the second reader by HMAC alone.

    gen_suite2.py DIR            writes DIR/kdf_suite2.json
    gen_suite2.py --check DIR    compares
"""
import hashlib
import hmac
import json
import os
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NAME = b"qcloud-seal-2/HKDF-SHA-512/AES-256-GCM"


def main():
    directory = sys.argv[-1]
    with open(os.path.join(directory, "kdf.json"), encoding="ascii") as f:
        one = json.load(f)
    salt = hashlib.sha512(NAME).digest()
    cases = []
    for c in one["cases"]:
        ikm, info = bytes.fromhex(c["ikm"]), bytes.fromhex(c["info"])
        out = HKDF(hashes.SHA512(), c["len"], salt, info).derive(ikm)
        cases.append({**{k: c[k] for k in ("from", "ikm")}, "prk": hmac.new(salt, ikm, "sha512").hexdigest(),
                      **{k: c[k] for k in ("label", "context", "info", "len")}, "out": out.hex()})
    text = json.dumps({"suite": NAME.decode(), "suite_salt": salt.hex(), "cases": cases}, indent=2) + "\n"
    path = os.path.join(directory, "kdf_suite2.json")
    if sys.argv[1] != "--check":
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return
    with open(path, encoding="ascii") as f:
        if f.read() != text or len(cases) < 26:
            sys.exit("kdf_suite2.json is not what this program writes")


main()
