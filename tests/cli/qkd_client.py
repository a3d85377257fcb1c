#!/usr/bin/python3
"""The client of ETSI GS QKD 014 at a server that behaves like key managers in the field and like none: each way of being
different works, each wrong is told apart, no key is used twice, none stays in memory. The server is this test's, and
what it does wrong follows from the name of the peer in the path."""
import base64
import concurrent.futures
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from urllib.parse import parse_qs, unquote, urlsplit

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check  # noqa: E402
from pki import Authority  # noqa: E402

ASK = os.path.join(os.environ["QC_BIN"], os.pardir, "tests", "qkd_ask")


def status(mode, caller):
    s = {"source_KME_ID": "KME-A", "target_KME_ID": "KME-B", "master_SAE_ID": caller, "slave_SAE_ID": mode, "key_size": 256, "stored_key_count": 1000,
         "max_key_count": 100000, "max_key_per_request": 128, "max_key_size": 65536, "min_key_size": 64, "max_SAE_ID_count": 2}
    if mode == "one_key_256":
        s.update(max_key_per_request=1, min_key_size=256, max_key_size=256)
    if mode == "count_overflow":
        s.update(stored_key_count=10 ** 12)
    if mode == "lower_case":
        s = {k.lower(): v for k, v in s.items()}
    if mode == "real_size":
        s["key_size"] = 256.0
    return s


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1           # an answer is one write

    def log_message(self, *_):
        pass

    def give(self, code, what=b"", **headers):
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def error(self, code, text):
        self.give(code, {"message": text, "details": [{"why": "x"}]})

    def do_GET(self):
        self.answer({k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body):
        server = self.server
        parts = urlsplit(self.path).path.split("/")
        check(parts[1:4] == ["api", "v1", "keys"] and len(parts) == 6, self.path)
        mode, call = unquote(parts[4]), parts[5]
        with server.lock:
            n = server.asked[(mode, call)] = server.asked.get((mode, call), 0) + 1
            server.said.append((mode, call, self.command, body))
        caller = dict(x[0] for x in self.connection.getpeercert()["subject"])["commonName"] if server.tls else "nobody"
        if mode == "slow" or (mode == "slow_dec" and call == "dec_keys"):
            server.go_on.wait(60)
        if call == "status" and mode == "busy_till" and not server.came.is_set():
            return self.give(200, {**status(mode, caller), "stored_key_count": 0})
        if call == "status":
            return self.give(200, b"<html>" if mode == "html" else status(mode, caller))
        if mode == "post_only" and self.command == "GET" or mode == "get_only" and self.command == "POST":
            return self.give(405)
        if mode in ("busy", "busy_long") or mode == "busy_once" and n == 1 or mode == "busy_till" and not server.came.is_set():
            return self.error(503, "no keys now")
        if mode == "failing" and n <= 2:
            return self.give(500)
        if mode == "stranger":
            return self.give(401)
        if mode == "refuses":
            return self.error(400, "not all extension_mandatory parameters are supported")
        if mode == "redirect":
            return self.give(302, b"", Location="/api/v1/keys/good/" + call)
        if mode == "reset" or mode == "reset_once" and n == 1:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.close_now()
        if mode == "halfway":
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            self.wfile.write(b'{"keys":[')
            return self.close_now()
        if mode == "ten_megabytes":
            return self.give(200, b'{"keys":[' + b" " * 10_000_000 + b"]}")
        if mode == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
            return None
        return self.enc(mode, body) if call == "enc_keys" else self.dec(mode, body, n)

    def close_now(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def enc(self, mode, body):
        number, bits = int(body.get("number", 1)), int(body.get("size", 256))
        if mode == "one_key_256" and (number != 1 or bits != 256):
            return self.error(400, "one key of 256 bits")
        bits = 128 if mode == "wrong_size" else bits
        keys = [{"key_ID": str(uuid.uuid4()), "key": base64.b64encode(os.urandom(bits // 8)).decode()} for _ in range(number)]
        if mode == "fewer":
            keys = keys[:1]
        if mode == "more":
            keys += [{"key_ID": str(uuid.uuid4()), "key": base64.b64encode(os.urandom(bits // 8)).decode()}]
        if mode == "dup_key":
            keys = [keys[0]] * number
        if mode == "repeats":
            keys = [{"key_ID": "550e8400-e29b-41d4-a716-446655440000", "key": keys[0]["key"]}]
        if mode == "zeros":
            keys[0]["key"] = base64.b64encode(bytes(bits // 8)).decode()
        if mode == "bad_base64":
            keys[0]["key"] = "*" + keys[0]["key"][1:]
        if mode == "opaque":
            keys[0]["key_ID"] = "key:7_a.b-c"
        if mode == "keys_object":
            keys = keys[0]
        with self.server.lock:
            self.server.keys.update({k["key_ID"]: k["key"] for k in (keys if isinstance(keys, list) else [])})
        return self.give(200, {"keys": keys, "key_container_extension": {}})

    def dec(self, mode, body, n):
        ids = [body["key_ID"]] if "key_ID" in body else [k["key_ID"] for k in body["key_IDs"]]
        if mode == "late_sync" and n <= 2:
            return self.error(400, "one or more keys specified are not found on KME")
        with self.server.lock:
            if any(i not in self.server.keys for i in ids):
                return self.give(404) if mode == "unknown_404" else self.error(400, "one or more keys specified are not found on KME")
            keys = [{"key_ID": i.upper() if mode == "upper" else i, "key": self.server.keys[i] if mode.startswith("keep") else self.server.keys.pop(i)} for i in ids]
        if mode == "unordered":
            keys.reverse()
        if mode == "other_ids":
            keys[0]["key_ID"] = str(uuid.uuid4())
        if mode == "missing":
            keys.pop()
        return self.give(200, {"keys": keys})


class Server:
    def __init__(self, cert=None, ca=None, port=0, version=None):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.handle_error = lambda *_: None        # clients that had enough
        self.http.lock, self.http.keys, self.http.asked, self.http.said, self.http.tls = threading.Lock(), {}, {}, [], cert is not None
        self.http.daemon_threads, self.http.go_on, self.http.came = True, threading.Event(), threading.Event()
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            context.load_verify_locations(ca)
            context.verify_mode = ssl.CERT_REQUIRED
            if version:
                context.maximum_version = version
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"{'https' if cert else 'http'}://localhost:{self.http.server_address[1]}"

    def asked(self, mode, call):
        return self.http.asked.get((mode, call), 0)


class Ask:
    """One client, as a process."""
    def __init__(self, url, ca, cert, peer, *options):
        self.p = subprocess.Popen([ASK, url, ca, cert[0], cert[1], peer, "pause_ms=20", *(() if any(o.startswith("try_ms") for o in options) else ("try_ms=60000",)), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.stdout.close()
        check(self.p.wait(60) == 0, "the client ends well")

    def __call__(self, *words):
        self.p.stdin.write(" ".join(map(str, words)) + "\n")
        self.p.stdin.flush()
        return self.read()

    def read(self):
        line = self.p.stdout.readline().strip()
        check(line, "the client died")
        return line

    def keys(self, *words):
        line = self(*words)
        check(line.startswith("ok "), f"{words}: {line}")
        return dict(w.split("=") for w in line.split()[1:])

    def fails(self, code, says, *words):
        line = self(*words)
        check(line.split()[0] == code and says in line, f"{words}: {line}, expected {code} with {says!r}")
        return line

    def count(self, name):
        return int(dict(w.split("=") for w in self("counts").split()[1:])[name])


def digest(key):
    return hashlib.sha256(base64.b64decode(key)).hexdigest()


class Place:
    def __init__(self, folder):
        self.pki, self.other = Authority(folder), Authority(os.path.join(folder, "other"), "other")
        self.sae, self.kme = self.pki.vouch("SAE-A", "DNS:SAE-A"), self.pki.vouch("KME-A")
        self.server = Server(self.kme, self.pki.ca)

    def ask(self, peer, *options, **kw):
        return Ask(kw.get("url", self.server.url), kw.get("ca", self.pki.ca), kw.get("cert", self.sae), peer, *options)

    def asked(self, mode, call):
        return self.server.asked(mode, call)


def good(place):
    """Status, one key, many keys, both ends, several slaves, extensions: as the standard has it."""
    with place.ask("good") as master, place.ask("good") as slave:
        check(master("status") == "ok KME-A KME-B SAE-A good 256 64 65536 1000 100000 128 2", "status")
        one = master.keys("enc", 1, 0)
        many = master.keys("enc", 500, 1024)
        check(len(one) == 1 and len(many) == 128, "as many as the KME gives at once")
        for i, d in {**one, **many}.items():
            check(digest(place.server.http.keys[i]) == d, "the keys are the KME's")
        check(slave.keys("dec", 0, *one) == one and slave.keys("dec", 1024, *many) == many, "both ends have the same")
        slave.fails("conflict", "used once", "dec", 0, *one)
        check(place.asked("good", "dec_keys") == 2, "a key that came is not asked for again")
        master.fails("limit", "multiples of 8", "enc", 1, 100)
        master.fails("limit", "from 64 to 65536", "enc", 1, 65544)
        slave.fails("limit", "the KME has", "dec", 0, *(str(uuid.uuid4()) for _ in range(129)))
        slave.fails("usage", "another form", "dec", 0, "no-uuid")
        twice = str(uuid.uuid4())
        slave.fails("usage", "twice", "dec", 0, twice, twice.upper())
    with place.ask("several", "more=SAE-C", "more=SAE-D", "must=route:direct", "might=a:b", "might=c:d") as master:
        master.keys("enc", 2, 256)
        said = [x for x in place.server.http.said if x[0] == "several"]
        check(said[-1] == ("several", "enc_keys", "POST", {
            "number": 2, "size": 256, "additional_slave_SAE_IDs": ["SAE-C", "SAE-D"], "extension_mandatory": [{"route": "direct"}],
            "extension_optional": [{"a": "b"}, {"c": "d"}]}), str(said))
    with place.ask("several", "more=a", "more=b", "more=c") as master:
        master.fails("limit", "further SAEs", "enc", 1, 256)
    with place.ask("a/b c%?#é") as master:
        check("a/b" in master("status") and place.asked("a/b c%?#é", "status") == 1, "one segment of the path")


def differing(place):
    """What is different and right."""
    for mode in ("post_only", "get_only", "unordered", "upper", "fewer", "late_sync", "one_key_256", "count_overflow", "unknown_404", "keep", "busy_once", "failing"):
        with place.ask(mode) as master, place.ask(mode) as slave:
            want = master.keys("enc", 3, 256)
            check(len(want) == (1 if mode in ("fewer", "one_key_256") else 3), f"{mode}: {want}")
            got = {}
            for ids in ([[i] for i in want] if mode == "one_key_256" else [list(want)]):
                got.update({i.lower(): d for i, d in slave.keys("dec", 256, *ids).items()})
            check(got == want, f"{mode}: both ends have the same")
            check(master.count("lost") == 0 and slave.count("lost") == 0, f"{mode}: none is lost")
            if mode == "get_only":
                check(len(slave.keys("dec", 256, *master.keys("enc", 2, 128 * 2))) == 2 and place.asked(mode, "enc_keys") == 3, "GET is remembered")
    with place.ask("opaque", "opaque") as master:
        check(list(master.keys("enc", 1, 256)) == ["key:7_a.b-c"], "opaque key_IDs")


WRONG = (
    ("refuses", "usage", "status 400): not all extension_mandatory", 1), ("stranger", "auth", "status 401", 1), ("busy", "temporary", "status 503): no keys now", 4),
    ("redirect", "format", "redirect", 1), ("ten_megabytes", "format", "more than", 1), ("keys_object", "format", "not an array", 1), ("wrong_size", "format", "another size", 1),
    ("more", "format", "more keys", 1), ("dup_key", "format", "there twice", 1), ("zeros", "format", "same byte", 1), ("bad_base64", "format", "not base64", 1),
    ("opaque", "format", "another form", 1), ("html", "format", "status: JSON", 0), ("lower_case", "format", "source_KME_ID is missing", 0),
    ("real_size", "format", "key_size is not an integer", 0), ("reset", "temporary", "connection broke", 4), ("halfway", "temporary", "connection broke", 4),
)


def wrong(place):
    """What is wrong: each its code and text, and as many requests as are safe."""
    for mode, code, says, requests in WRONG:
        before = place.asked(mode, "enc_keys")
        with place.ask(mode) as master:
            master.fails(code, says, "enc", 2, 256)
            check(place.asked(mode, "enc_keys") - before == requests, f"{mode}: asked {place.asked(mode, 'enc_keys') - before} times")
    for mode, says, requests in (("other_ids", "missing", 1), ("missing", "1 keys, and 2", 1)):
        with place.ask(mode) as master, place.ask(mode) as slave:
            slave.fails("format", says, "dec", 256, *master.keys("enc", 2, 256))
            check(place.asked(mode, "dec_keys") == requests and slave.count("lost") == 2 and slave.count("nonsense") == 1, mode)
    for mode in ("unknown_400", "unknown_404"):
        before = place.asked(mode, "dec_keys")
        with place.ask(mode) as slave:
            slave.fails("not-found", "no such key", "dec", 256, str(uuid.uuid4()), str(uuid.uuid4()))
            check(place.asked(mode, "dec_keys") - before == 3, "a moment's grace, twice")
    with place.ask("repeats") as master:
        master.keys("enc", 1, 256)
        master.fails("integrity", "came twice", "enc", 1, 256)
        master.fails("integrity", "down", "enc", 1, 256)
        check(place.asked("repeats", "enc_keys") == 2 and master.count("broken") == 1, "a broken KME is asked no more")


def lost_answers(place):
    """Answers that do not come: Get key asks for others, and counts; the same key_ID is asked for once more at most."""
    with place.ask("reset_once") as master:
        master.keys("enc", 5, 256)
        check(master.count("lost") == 5 and master.count("keys") == 5, "what may have been given is counted")
    with place.ask("slow", "try_ms=1000") as master:
        master.fails("timeout", "", "status")
        check(place.asked("slow", "status") <= 4, "tries")
    with place.ask("slow_dec", "try_ms=1000") as slave:
        slave.fails("timeout", "", "dec", 256, str(uuid.uuid4()))
        check(place.asked("slow_dec", "dec_keys") <= 2, "once more, no oftener")
    place.server.http.go_on.set()
    with place.ask("drip", "deadline_ms=700") as master:
        begin = time.monotonic()
        master.fails("timeout", "", "enc", 1, 256)
        check(time.monotonic() - begin < 30, "the deadline is kept")
    with place.ask("busy_long") as master:
        for _ in range(20):
            before = place.asked("busy_long", "enc_keys")
            if "asked again in" in master("enc", 1, 256):
                check(place.asked("busy_long", "enc_keys") == before and before >= 5, "the circuit is open, and nobody is asked")
                return
        check(False, "the circuit never opens")


def comes_back(place):
    """While the circuit is open the KME's status is asked for now and then, which costs no key: once it has some, it is asked at once."""
    with place.ask("busy_till") as master:
        for _ in range(20):
            if "asked again in" in master("enc", 1, 256):
                break
        asked, looked, end = place.asked("busy_till", "enc_keys"), place.asked("busy_till", "status"), time.monotonic() + 5
        while time.monotonic() < end:
            check("asked again in" in master("enc", 1, 256), "it has none")
            time.sleep(0.01)
        check(place.asked("busy_till", "enc_keys") == asked, "nobody is asked for keys")
        check(1 <= place.asked("busy_till", "status") - looked <= 3, f"once every two seconds: {place.asked('busy_till', 'status') - looked}")
        place.server.http.came.set()
        came = time.monotonic()
        while not master("enc", 1, 256).startswith("ok"):
            check(time.monotonic() - came < 4, "keys are there, and it does not go on")     # 10 s and more without looking
            time.sleep(0.05)
        check(master.count("open") == 0, "closed")


def trust(place, folder):
    """Mutual TLS: another authority, another name, no certificate of ours, one that another vouches for, a key that others may read."""
    with place.ask("good", ca=place.other.ca) as c:
        c.fails("auth", "certificate", "status")
    with place.ask("good", url=place.server.url.replace("localhost", "127.0.0.2")) as c:
        c.fails("auth" if "auth" in c("status") else "temporary", "", "status")
    stranger = place.other.vouch("SAE-A")
    before = len(place.server.http.said)        # this part runs alone
    with place.ask("good", cert=stranger) as c:
        c.fails("temporary", "", "status")
    check(len(place.server.http.said) == before, "no request of a stranger's is heard")
    mixed = (place.sae[0], stranger[1])
    with place.ask("good", cert=mixed) as c:
        c.fails("auth", "our own certificate", "status")
    old = Server(place.pki.vouch("KME-O"), place.pki.ca, version=ssl.TLSVersion.TLSv1_2)
    with place.ask("good", url=old.url) as c:
        check(c("status").startswith("ok"), "TLS 1.2 is spoken to")
    readable = shutil.copy(place.sae[1], os.path.join(folder, "readable.key"))
    os.chmod(readable, 0o644)
    plain = Server()
    for url, cert, options, code in ((place.server.url, (place.sae[0], readable), (), "auth"), (plain.url, place.sae, (), "usage"),
                                     (place.server.url, ("", ""), (), "usage"), ("https://a/b", place.sae, (), "usage"), ("http://192.0.2.1", place.sae, ("plain",), "usage")):
        c = place.ask("good", *options, url=url, cert=cert)
        line = c.read()
        check(line.split()[0] == code, f"{url}: {line}")
        c.__exit__()
    for peer in ("", ".", "..", "a" * 256, "a\nb"):
        c = place.ask(peer)
        check(c.read().startswith("usage"), f"peer {peer!r}")
        c.__exit__()
    with place.ask("good", "plain", url=plain.url, ca="", cert=("", "")) as c:
        check(c("status").startswith("ok"), "in clear, where that was said")
    env = dict(https_proxy="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1", SSL_CERT_FILE=place.other.ca)
    os.environ.update(env)
    with place.ask("good") as c:
        check(c("status").startswith("ok"), "the environment has no say")
    for k in env:
        del os.environ[k]


def memory_of(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw"):
                try:
                    mem.seek(begin)
                    yield mem.read(end - begin)
                except OSError:
                    pass


def where(pid, part):
    """The mapping that holds it, and what stands around."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            try:
                mem.seek(begin)
                image = mem.read(end - begin)
            except (OSError, OverflowError, ValueError):
                continue
            if part in image:
                return f"{line.strip()} at {image.index(part):#x} of {len(image):#x}"
    return "nowhere"


def memory(place):
    """Keys that were handed over and dropped are nowhere in the process's memory: neither bytes nor base64."""
    if os.environ.get("QC_SANITIZED", "0") not in ("", "0"):
        return      # what is freed there stays, and the shadow memory has terabytes
    with place.ask("keep_memory") as master:
        ids = list(master.keys("enc", 5, 256))
        master.keys("enc", 1, 8192)
        with place.ask("keep_memory") as other:
            ids += list(master.keys("dec", 256, *other.keys("enc", 3, 256)))
        image = b"".join(memory_of(master.p.pid))
        check(ids[0].encode() in image or len(image) > 1000000, "the memory was read")
        for i in ids:
            text = place.server.http.keys[i]
            for form in (text.encode(), base64.b64decode(text)):
                for part in (form[:12], form[-16:-2]):
                    check(part not in image, f"key {i[:8]}: {len(form)} bytes of it are left in memory: {where(master.p.pid, part)}")


def scenario():
    folder = tempfile.mkdtemp(prefix="qcloud-test-")
    try:
        place = Place(folder)
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:       # no two use the same peers
            for done in [side_by_side.submit(part, place) for part in (good, differing, wrong, lost_answers, comes_back, memory)]:
                done.result()
        trust(place, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    scenario()
