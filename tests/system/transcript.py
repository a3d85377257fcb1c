#!/usr/bin/python3
"""I3, I5: everything that the gateway and the clouds receive and store is recorded; no 12-byte window of plaintext, names, K, R,
R1, R2 or R1 xor R2 is in it, raw, hex or base64. The search is then tried on copies with planted canaries, which it must find."""
import base64
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
sys.dont_write_bytecode = True
import qcloud_reader as reader                                  # noqa: E402
from harness import Box, check, files, main, seeded             # noqa: E402

W = 12


class Proxy:
    """Stands where the gateway's socket was and copies both directions into the transcript."""

    def __init__(self, path):
        self.path, self.real = path, path + ".real"
        os.rename(path, self.real)
        self.parts = []
        self.s = socket.socket(socket.AF_UNIX)
        self.bind(path)
        self.s.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def bind(self, path):
        fd = os.open(os.path.dirname(path), os.O_DIRECTORY)     # the path may be longer than a socket address
        self.s.bind(f"/proc/self/fd/{fd}/{os.path.basename(path)}")
        self.fd = fd
        os.chmod(path, 0o600)

    def accept(self):
        while True:
            c, _ = self.s.accept()
            g = socket.socket(socket.AF_UNIX)
            g.connect(f"/proc/self/fd/{self.fd}/{os.path.basename(self.real)}")
            threading.Thread(target=self.pump, args=(c, g), daemon=True).start()
            threading.Thread(target=self.pump, args=(g, c), daemon=True).start()

    def pump(self, a, b):
        got = []
        try:
            while True:
                d = a.recv(1 << 20)
                if not d:
                    break
                got.append(d)
                b.sendall(d)
        except OSError:
            pass
        self.parts.append(b"".join(got))
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def windows(secret):
    forms = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + secret)
        cut = text[4 if lead else 0:].rstrip(b"=")[:-1]
        forms += [cut, cut.replace(b"+", b"-").replace(b"/", b"_")]
    return {f[i:i + W] for f in forms for i in range(len(f) - W + 1)}


def search(transcript, wanted):
    hits = 0
    for part in transcript:
        view = bytes(part)
        for i in range(len(view) - W + 1):
            if view[i:i + W] in wanted:
                hits += 1
    return hits


def stored(*tops):
    out = []
    for top in tops:
        for f in files(top):
            out.append(os.fsencode(os.path.relpath(f, top)))
            if os.path.isfile(f):
                with open(f, "rb") as h:
                    out.append(h.read())
    return out


def secrets(box, data):
    archive = reader.Archive(box.clouds)
    vault = reader.Vault(archive, box.stores)
    out = [vault.VS] + [s.VS for s in vault.stores.values()] + [s.seed for s in vault.stores.values() if s.seed]
    seen = 0
    for name, e in vault.entries():
        ids = (vault.id, e["object"], e["version"])
        R1, R2 = (vault.stores[i].share(ids) for i in (1, 2))
        o = vault.open(e)
        check(b"".join(o.data()) == data[name], "the second reader disagrees")
        out += [R1, R2, reader.xor(R1, R2), o.K, o.R, o.DK]
        seen += 1
    check(seen == len(data), f"{seen} objects of {len(data)} seen")
    check(archive.clouds and not archive.trouble, f"trouble: {archive.trouble}")
    return out, archive.G


def socket_of(box):
    found = [f for f in files(box.home) if f.endswith("gateway.sock")]
    check(len(found) == 1, f"gateway.sock: {found}")
    return found[0]


def test():
    rng = seeded("transcript")
    data = {b"patients/Aurelia-Quincunx-1961/genome-reads.fastq": rng.randbytes(150_000),
            b"patients/Aurelia-Quincunx-1961/letter-to-family.txt": b"".join(b"line %06d of a letter nobody else may read\n" % i for i in range(900)),
            b"tiny-object-of-one-secret": b"a small secret of 31 bytes here",
            b"large-enough-for-two-segments": rng.randbytes((16 << 20) + 5) if os.environ.get("QC_FULL") == "1" else rng.randbytes(1 << 20)}
    mode = rng.choice(("stored", "derived"))
    print(f"shares: {mode}", flush=True)
    with Box() as box:
        box.init("--mode", mode)
        box.expect(0, "status")
        proxy = Proxy(socket_of(box))
        box.put_all(data)
        # Two of one padded size, which is all that is said of it.
        padded = {b"one-of-4900-bytes": rng.randbytes(4900), b"one-of-5100-bytes": rng.randbytes(5100)}
        for name, d in padded.items():
            box.expect(0, "put", "--pad", box.write("in", d), os.fsdecode(name))
        data |= padded
        for name, d in data.items():
            check(box.get(os.fsdecode(name)) == d, f"{name} differs")
        os.rename(box.stores[0], box.stores[0] + ".away")
        for name in data:
            box.get(os.fsdecode(name))
        os.rename(box.stores[0] + ".away", box.stores[0])
        box.expect(0, "ls")
        box.expect(0, "verify")
        box.stop(15)
        sent = list(proxy.parts)
        check(sum(map(len, sent)) > 2 * sum(map(len, data.values())), "the proxy saw too little")
        transcript = sent + stored(*box.clouds) + stored(os.path.dirname(socket_of_dir(box)))
        said = b"".join(sent)
        check(said.count(b'"size":5120') == 2, "the padded size was announced twice")
        check(not any(b'"size":%d' % len(d) in said for d in padded.values()), "the size of a padded file was told")
        keys, G = secrets(box, data)
        wanted = set().union(*(windows(k) for k in keys), *(windows(n) for n in data),
                             *(windows(d[:200_000]) for d in data.values()))
        hits = search(transcript, wanted)
        check(hits == 0, f"{hits} windows of secrets in the transcript")
        total = sum(map(len, transcript))
        found = 0
        for secret in keys + list(data) + [d[5000:5020] for d in data.values() if len(d) > 6000]:
            for form in (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(b"x" + secret)):
                if len(form) >= 20:
                    planted = bytearray(rng.randbytes(400))
                    planted[100:100 + len(form)] = form
                    check(search([planted], wanted) > 0, f"a planted canary of {len(form)} bytes was not found")
                    found += 1
    print(f"{total} bytes recorded, {len(wanted)} windows searched, none found; {found} planted canaries all found")


def socket_of_dir(box):
    return [f for f in files(box.home) if "gateway.sock" in os.path.basename(f)][0]


main(test)
