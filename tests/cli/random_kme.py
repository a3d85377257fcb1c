#!/usr/bin/python3
"""Keys of a QKD network as a source of randomness: qcloud-kme gives them over mutual TLS, each object says so; without keys, without
the key manager and with a certificate that it does not know, nothing is stored with the policy required."""
import os
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kme import link, network, status_of  # noqa: E402
from harness import Box, check, main  # noqa: E402

KEYS = 400


def configure(box, net, pair, policy="required", lacks=()):
    lines = {"kind": "kme", "url": f"https://localhost:{net.ports['A']}", "ca": net.pki.ca, "cert": pair[0], "key-file": pair[1], "peer": "SAE-B",
             "identity": "link 1", "stall": "20000"}
    text = "".join(f"{k} = {v}\n" for k, v in lines.items() if k not in lacks)
    box.write("../home/random.conf", f"[policy]\ndefault = {policy}\n[source qkd]\n{text}".encode())


def refused(box, code, says, *args):
    p = box.run(*args)
    text = (p.stdout + p.stderr).decode(errors="replace")
    check(p.returncode == code and says in text, f"{args}: exit {p.returncode}, expected {code} and {says!r}: {text}")


def stored(net):
    with net.ask("A", "B") as ask:
        return int(status_of(ask("status"))["stored"])


def scenario(folder):
    with network(folder, "net", [link("A", "B", rate=0, bits=256 * KEYS)]) as net, Box() as box:
        net.start()
        box.init()
        path = box.write("a", os.urandom(3000))
        configure(box, net, net.saes["A"])
        refused(box, 0, "healthy  qkd", "rng", "test", "qkd")
        before = stored(net)
        refused(box, 0, "", "put", path, "a")
        used = before - stored(net)
        check(0 < used <= 128, f"a put took {used} keys")
        refused(box, 0, "random   qkd:kme policy=required health=remote H=7.000", "explain", "a")
        refused(box, 0, "device=link 1", "explain", "a")
        refused(box, 0, "a", "ls", "--where", "rng=qkd")
        outsider = net.pki.vouch("SAE-X", "DNS:sae")
        configure(box, net, outsider)
        refused(box, 13, "the source qkd ", "put", path, "never")
        configure(box, net, net.saes["A"])
        refused(box, 13, "the source qkd ", "rng", "read", "qkd", "--bytes", "64k")   # all keys that there are
        refused(box, 13, "the source qkd ", "put", path, "never")
        configure(box, net, net.saes["A"], "preferred")
        refused(box, 4, "W0417", "put", path, "b")
        refused(box, 0, "os:getrandom policy=preferred", "explain", "b")
        net.stop(signal.SIGTERM)
        configure(box, net, net.saes["A"])
        refused(box, 13, "the source qkd ", "put", path, "never")
        for word in ("ca", "cert", "key-file", "peer"):
            configure(box, net, net.saes["A"], lacks=(word,))
            refused(box, 10, "lacks one of ca, cert, key-file, peer", "put", path, "never")
        box.write("../home/random.conf", b"[source x]\nkind = https-raw\nurl = https://localhost/\npeer = SAE-B\n")
        refused(box, 2, "are for kme", "put", path, "never")
        os.unlink(os.path.join(box.home, "random.conf"))
        names = box.run("ls").stdout.split()
        check(names == [b"a", b"b"], f"{names}")
        print(f"a put took {used} keys of 256 bits")


def test():
    with tempfile.TemporaryDirectory() as folder:
        scenario(folder)


if __name__ == "__main__":
    main(test)
