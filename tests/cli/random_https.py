#!/usr/bin/python3
"""Services of random numbers over HTTPS, good and bad: a server of this test behaves like the ANU's quantum numbers and like a
Quantis appliance, and does wrong what its path says. Each wrong is refused, in words, and nothing is stored with the
policy required. The service's key is sent, and is in no argument,
variable or message."""
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs, urlsplit

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import Box, check, main  # noqa: E402

KEY = "lab-4711-secret-of-the-service"
RANGE = {"range": 70000, "negative": -1, "fraction": 0.5, "wide": "11170", "number": 41999}
CACHED = [os.urandom(20).hex() for _ in range(128)]


def anu(count, words):
    return {"success": True, "type": "hex16", "length": str(count), "data": [os.urandom(2 * words).hex() for _ in range(count)]}


def wrong_anu(mode, count, words):
    """The answer of this mode: text, or an object."""
    a = anu(count, words)
    if mode == "short":
        a["data"].pop()
    elif mode in RANGE:
        a["data"][3] = RANGE[mode]
    elif mode == "digits":
        a["data"][3] = "zz" * 2 * words
    elif mode == "false":
        a = {"success": False, "message": "over the quota"}
    elif mode == "type":
        a["type"] = "uint8"
    elif mode == "cached":
        a["data"] = CACHED
    elif mode == "stuck":
        a["data"] = ["41" * 2 * words] * count
        a["x"] = time.monotonic()       # no two answers are the same
    text = json.dumps(a)
    return text[:len(text) // 2] if mode == "cut" else text


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def give(self, status, body, kind="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        q = {k: v[0] for k, v in parse_qs(url.query).items()}
        mode = url.path.split("/")[1]
        self.server.keys.add(self.headers.get("x-api-key"))
        self.server.asked[mode] = self.server.asked.get(mode, 0) + 1
        if mode == "slow":
            time.sleep(3)
        if mode == "redirect":
            return self.give(302, b"", Location="/good")
        if mode == "error":
            return self.give(500, b"sorry")
        if mode == "html":
            return self.give(200, b"<html>maintenance</html>" * 200, "text/html")
        if mode == "huge":
            return self.give(200, b"{" + b" " * 100000, "application/json")
        if url.path.endswith("/api/2.0/streambytes"):
            n = int(q["size"])
            return self.give(200, os.urandom(n if mode == "quantis" else n - 1), "application/octet-stream")
        if mode == "page":      # about an error, as a proxy's, that says of itself that it is octets; each time another
            text = "".join(chr(33 + b % 94) for b in os.urandom(3000))
            return self.give(200, f"<html>{text}</html>".encode(), "application/octet-stream")
        if mode == "octets":
            return self.give(200, os.urandom(2000), "application/octet-stream")
        check(q["type"] == "hex16", str(q))
        return self.give(200, wrong_anu(mode, int(q["length"]), int(q["size"])).encode())


def certificate(box, name):
    key, cert = os.path.join(box.work, name + ".key"), os.path.join(box.work, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return key, cert


def serve(key, cert):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None       # clients that had enough
    server.keys, server.asked, server.daemon_threads = set(), {}, True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def configure(box, kind, url, ca, extra=""):
    shutil.rmtree(os.path.join(box.home, "state", "random"), ignore_errors=True)   # another source, without alarms
    box.write("../home/random.conf", f"[policy]\ndefault = required\n[source lab]\nkind = {kind}\nurl = {url}\nca = {ca}\nstall = 1000\n{extra}".encode())


BAD = (
    ("https-anu", "short", "another number of items"),
    ("https-anu", "range", "item 4 is 70000, which is out of range: a word is 0 to 65535"),
    ("https-anu", "negative", "item 4 is -1, which is out of range: a word is 0 to 65535"),
    ("https-anu", "fraction", "item 4 is 0.5, which is out of range: a word is 0 to 65535"),
    ("https-anu", "wide", "item 4 has 5 digits, which is out of range: a word has 4, 0000 to ffff (0 to 65535)"),
    ("https-anu", "number", "item 4 is a number, expected a string of hexadecimal digits"),
    ("https-anu", "digits", "item 4 has what is no hexadecimal digit"),
    ("https-anu", "false", "does not say success"),
    ("https-anu", "type", "another type"),
    ("https-anu", "cut", "it is no JSON|does not end|of another length"),
    ("https-anu", "stuck", "health test"),
    ("https-anu", "html", "page about an error"),
    ("https-anu", "redirect", "redirect (302)"),
    ("https-anu", "error", "status 500"),
    ("https-anu", "huge", "more than 65536 bytes"),
    ("https-anu", "slow", "1000 ms|no byte|stall|timed out|1 s"),
    ("https-quantis", "truncated", "4095 bytes"),
    ("https-raw", "html", "page about an error"),
    ("https-raw", "page", "health test"),
    ("https-anu", "page", "no JSON"),
    ("https-raw", "slow", "1000 ms|no byte|stall|timed out|1 s"),
    ("https-quantis", "redirect", "redirect (302)"),
    ("https-raw", "error", "status 500"),
    ("https-raw", "huge", "more than 65536 bytes"),
)


def refused(box, says, *args):
    p = box.run("--json", *args)
    check(p.returncode == 13, f"exit {p.returncode}: {p.stdout.decode()}{p.stderr.decode()}")
    what = " ".join(j.get("what", "") for j in map(json.loads, p.stdout.splitlines()))
    check(any(s in what for s in says.split("|")), f"expected {says!r}: {what}")
    check("in quarantine" in what or "shut off until it is enabled" in what, f"it is not said that it is in quarantine: {what}")
    check(KEY.encode() not in p.stdout + p.stderr, "the service's key is in a message")
    check(b"41999" not in p.stdout + p.stderr, "a number that might be a random word is in a message")


def scenario():
    with Box() as box:
        box.init()
        key, cert = certificate(box, "service")
        _, other = certificate(box, "other")
        server = serve(key, cert)
        base = f"https://localhost:{server.server_address[1]}"
        path = box.write("a", os.urandom(5000))
        secret = box.write("key", KEY.encode() + b"\n")
        os.chmod(secret, 0o600)

        configure(box, "https-anu", base + "/good", cert, f"key-file = {secret}\n")
        box.expect(0, "rng", "test", "lab")
        box.expect(0, "put", path, "anu")
        check(KEY in server.keys, "the service did not see its key")
        text = box.expect(0, "explain", "anu").stdout.decode()
        check("lab:https-anu policy=required health=remote H=7.000" in text, text)
        for kind, where in (("https-quantis", "/quantis"), ("https-raw", "/octets")):
            configure(box, kind, base + where, cert)
            box.expect(0, "put", path, kind)
        os.chmod(secret, 0o644)
        configure(box, "https-anu", base + "/good", cert, f"key-file = {secret}\n")
        refused(box, "key", "rng", "test", "lab")

        for kind, mode, says in BAD:
            configure(box, kind, f"{base}/{mode}", cert)
            refused(box, says, "rng", "test", "lab")
        configure(box, "https-anu", base + "/cached", cert)
        refused(box, "same answer as before", "rng", "bench", "lab", "--bytes", "100k")
        configure(box, "https-anu", base + "/redirect", cert)
        refused(box, "redirect", "put", path, "never")
        configure(box, "https-anu", base + "/good", other)              # vouched for by somebody else
        asked = server.asked["good"]
        refused(box, "certificate", "put", path, "never")
        configure(box, "https-anu", base.replace("localhost", "127.0.0.2") + "/good", cert)     # another name than its own
        refused(box, "certificate|cannot be reached|nobody|connect", "put", path, "never")
        configure(box, "https-anu", f"https://localhost:{server.server_address[1]}/good", "/nonexistent.pem")
        refused(box, "lab", "put", path, "never")
        check(server.asked["good"] == asked, "a request reached a server that is not trusted")
        server.shutdown()
        configure(box, "https-anu", base + "/good", cert)
        refused(box, "lab", "put", path, "never")
        names = box.expect(0, "ls").stdout.decode().split()
        check(names == ["anu", "https-quantis", "https-raw"], f"{names}")


if __name__ == "__main__":
    main(scenario)
