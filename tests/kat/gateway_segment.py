#!/usr/bin/python3
"""What the gateway puts on clouds, read by the second reader (tests/reader/, written from FORMAT alone).

gateway_segment.py PROGRAM: runs it in a fresh directory; finds the root key from every three of the five identities,
checks kit, names, placement, every fragment, and decodes from every three fragments.
"""
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
import qcloud_reader as q  # noqa: E402


class Arch:
    def __init__(self, G, catalogue):
        self.G, self.catalogue = G, catalogue


def check(cond, what):
    if not cond:
        sys.exit(f"differs: {what}")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, TMPDIR=tmp)
        out = subprocess.run([sys.argv[1], "keep"], env=env, stdout=subprocess.PIPE, check=True, timeout=100).stdout
        head, *rows = [json.loads(line) for line in out.splitlines()]
        clouds = [q.Cloud(os.path.join(head["dir"], f"c{i}")) for i in range(1, 6)]
        check([c.id for c in clouds] == [1, 2, 3, 4, 5], "cloud ids")
        roots = {q.find_root_key(list(three))[0] for three in itertools.combinations(clouds, 3)}
        check(len(roots) == 1, "root key of every three clouds")
        G, catalogue = roots.pop(), clouds[0].catalogue
        digits = hashlib.sha256(q.enc(b"kit", catalogue, G)).hexdigest()[:8]
        check(head["kit"] == f"qcloud-kit 1 root {catalogue.hex()} {G.hex()} {digits}", "kit")
        for c in clouds:
            check(c.bind(G), "identity")
        arch, seen = Arch(G, catalogue), 0
        for row in rows:
            s = dict(row, tenant=1, **{f: bytes.fromhex(row[f]) for f in ("object", "version", "salt", "digest")})
            seg = q.Segment(arch, s, s["k"], s["n"])
            perm = q.permutation(G, catalogue, s["id"], s["salt"], s["n"])
            frags = {}
            for i, (cloud_id, key) in enumerate(s["keys"]):
                check(cloud_id == perm[i] + 1, "placement")
                c = clouds[cloud_id - 1]
                attempt = c.unname(key[5:])[9]
                block = q.u(8, s["id"]) + q.u(1, i) + q.u(1, attempt) + q.u(2, s["incarnation"] & 0xFFFF) + s["salt"][:4]
                check(key == f"f/{c.name(block)[:2]}/{c.name(block)}", "name")
                frags[i] = seg.fragment(c.read(key), i, c, attempt)
                seen += 1
            with open(s["file"], "rb") as f:
                data = f.read()
            for three in itertools.combinations(range(5), 3):
                check(seg.decode({i: frags[i] for i in three}) == data, f"decoded from {three}")
        print(f"{len(rows)} segments, {seen} fragments read by the second reader")


if __name__ == "__main__":
    main()
