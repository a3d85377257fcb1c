#!/usr/bin/python3
"""TLS keyed by QKD, against the openssl command at the other end: s_client and s_server with the PSK work, also after a HelloRetryRequest;
without it, with another key, cipher, name, or a certificate instead, nothing is agreed on."""
import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check  # noqa: E402
from pki import Authority  # noqa: E402
from ports import free_ports  # noqa: E402

END = os.path.join(os.environ["QC_BIN"], os.pardir, "tests", "psk_end")
NAMES = ("link-1", "SAE-A", "SAE-B")


def der(tag, content):
    return bytes([tag, len(content)]) + content


def session(folder, key, identity):
    """A file for -psk_session: the PSK as the ASN.1 of a session, made here and not by the product."""
    psk = hmac.new(hmac.new(b"qcloud/1 qkd-tls", key, "sha384").digest(), identity.encode() + b"\x01", "sha384").digest()
    body = der(2, b"\x01") + der(2, b"\x03\x04") + der(4, b"\x13\x02") + der(4, b"") + der(4, psk)
    path = os.path.join(folder, hashlib.sha256(psk).hexdigest()[:8])
    with open(path, "w") as f:
        f.write("-----BEGIN SSL SESSION PARAMETERS-----\n" + base64.encodebytes(der(0x30, body)).decode() + "-----END SSL SESSION PARAMETERS-----\n")
    return path


class Server:
    """Ours."""
    def __init__(self, key_id, key):
        self.p = subprocess.Popen([END, "server", *NAMES, key_id, key.hex()], stdout=subprocess.PIPE, text=True)
        self.port = self.p.stdout.readline().strip()

    def met(self):
        return self.p.stdout.readline().split()

    def end(self):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


def s_client(port, *options):
    """-> what it said, with what came back for "hello"."""
    p = subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:" + port, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    try:
        p.stdin.write(b"hello\n")
        p.stdin.flush()
        while b"HELLO" not in said:
            more = os.read(p.stdout.fileno(), 65536)
            if more == b"":
                break
            said += more
    except BrokenPipeError:
        pass
    p.kill()
    p.wait()
    for f in (p.stdin, p.stdout):
        try:
            f.close()
        except BrokenPipeError:
            pass
    return said.decode(errors="replace")


def their_client(folder):
    key, key_id = os.urandom(32), str(uuid.uuid4())
    identity = "|".join(("qcloud/1", *NAMES, key_id))
    good = ("-psk_session", session(folder, key, identity), "-psk_identity", identity)
    ours = Server(key_id, key)
    try:
        said = s_client(ours.port, *good)
        check("HELLO" in said and "Reused, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in said, said)
        met = ours.met()
        check(met[0] == "ok" and met[1].lower() == "x25519" and met[2] == "1", str(met))
        check("HELLO" in s_client(ours.port, *good, "-groups", "P-384") and ours.met()[0] == "ok", "the other group")
        wrong = session(folder, os.urandom(32), identity)
        other = "|".join(("qcloud/1", *NAMES, str(uuid.uuid4())))
        mirrored = "|".join(("qcloud/1", "link-1", "SAE-B", "SAE-A", key_id))
        for what, options in (("another key", ("-psk_session", wrong, "-psk_identity", identity)), ("an unknown key_ID", ("-psk_session", good[1], "-psk_identity", other)),
                              ("mirrored names", ("-psk_session", good[1], "-psk_identity", mirrored)), ("no identity of ours", ("-psk_session", good[1], "-psk_identity", "x" * 300)),
                              ("no PSK", ()), ("another cipher", (*good, "-ciphersuites", "TLS_AES_128_GCM_SHA256")), ("an older version", ("-tls1_2",))):
            said = s_client(ours.port, *options)
            met = ours.met()
            check("HELLO" not in said and met[0] in ("auth", "temporary"), f"{what}: {met} {said}")
        check("HELLO" in s_client(ours.port, *good) and ours.met()[0] == "ok", "and it still serves")
    finally:
        ours.end()


def their_server(folder):
    key, key_id = os.urandom(32), str(uuid.uuid4())
    identity = "|".join(("qcloud/1", *NAMES, key_id))
    cert, cert_key = Authority(os.path.join(folder, "pki")).vouch("localhost")
    psk = ("-psk_session", session(folder, key, identity), "-psk_identity", identity)

    def meet(options, with_key):
        port = str(free_ports(1)[0])
        p = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:" + port, "-tls1_3", "-naccept", "1", "-rev", *options], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while True:         # it listens when the kernel says so: a connection would be its only one
                with open("/proc/net/tcp") as f:
                    if any(line.split()[1] == "0100007F:%04X" % int(port) and line.split()[3] == "0A" for line in f.readlines()[1:]):
                        break
                check(time.monotonic() < end and p.poll() is None, "s_server listens")
                time.sleep(0.01)
            return subprocess.run([END, "client", port, *NAMES, key_id, with_key.hex(), "hello\nCLOSE\n"], capture_output=True, text=True, timeout=60, check=True).stdout
        finally:
            p.kill()
            p.wait()
            p.stdin.close()
    said = meet(("-nocert", *psk), key)
    check(said.startswith("ok ") and "olleh" in said, said)
    said = meet(("-nocert", *psk, "-groups", "P-384"), key)     # not what our first message has a share of
    check(said.lower().startswith("ok secp384r1") and "olleh" in said, "after a HelloRetryRequest: " + said)
    check(meet(("-nocert", *psk), os.urandom(32)).startswith("auth "), "another key")
    said = meet(("-cert", cert, "-key", cert_key), key)
    check(said.startswith("auth "), "a server that knows no PSK and shows a certificate: " + said)
    check(meet(("-cert", cert, "-key", cert_key, *psk), key).startswith("ok "), "one that has both takes the PSK")


if __name__ == "__main__":
    where = tempfile.mkdtemp(prefix="qcloud-test-")
    try:
        their_client(where)
        their_server(where)
    finally:
        shutil.rmtree(where, ignore_errors=True)
