#!/usr/bin/python3
"""qcloud-kme, a QKD network in one process, asked by the client of ETSI GS QKD 014 over mutual TLS: both ends get the same keys,
once; nobody else gets them; bits are what the links yielded; a network with relays; kill -9 and a restart in between."""
import base64
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check, seeded  # noqa: E402
from pki import Authority  # noqa: E402
from ports import free_ports  # noqa: E402
from qkd_client import Ask  # noqa: E402

KME = os.path.join(os.environ["QC_BIN"], "qcloud-kme")
FULL = os.environ.get("QC_FULL") == "1"


class Network:
    """A configuration and its process; SAE-x is attached to node x."""
    def __init__(self, folder, links, nodes="AB", ends="AB", **more):
        self.folder, self.ends = folder, ends
        self.pki = Authority(os.path.join(folder, "pki"))
        self.ports = dict(zip(ends, free_ports(len(ends))))
        self.saes = {e: self.pki.vouch("SAE-" + e, "DNS:sae") for e in ends}
        kmes = []
        for e in ends:
            cert, key = self.pki.vouch("KME-" + e)
            kmes.append({"id": "KME-" + e, "node": e, "listen": f"127.0.0.1:{self.ports[e]}", "cert": cert, "key": key, "client_ca": self.pki.ca})
        self.conf = {"nodes": list(nodes), "links": links, "kmes": kmes, "saes": [{"id": "SAE-" + e, "node": e} for e in ends], **more}
        self.state = os.path.join(folder, "state")
        self.p = None

    def start(self, may_die=False, options=(), **env):
        """may_die: before it is ready, too; None then."""
        path = os.path.join(self.folder, "kme.json")
        with open(path, "w") as f:
            json.dump(self.conf, f)
        r, w = os.pipe()
        self.p = subprocess.Popen([KME, "serve", "--config", path, "--state", self.state, "--ready-fd", str(w), *options], pass_fds=[w],
                                  stderr=open(os.path.join(self.folder, "log"), "ab"), env={**os.environ, **env})
        os.close(w)
        with os.fdopen(r) as ready:
            word = ready.read()
        if word == "" and may_die and self.p.wait(60) == -signal.SIGKILL:
            self.p = None
            return None
        check(word == "ready\n", "the network does not start: " + self.log())
        return self

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()[-3000:]

    def stop(self, sig=signal.SIGTERM):
        if self.p is None:
            return None
        self.p.send_signal(sig)
        code = self.p.wait(60)
        self.p = None
        return code

    def do(self, *words, fails=None):
        """A command to the process that runs; fails: its exit status."""
        p = subprocess.run([KME, *words, "--state", self.state], capture_output=True, text=True, timeout=60)
        check(p.returncode == (fails or 0), f"{words}: {p.returncode} {p.stdout} {p.stderr}")
        return p.stderr if fails else p.stdout

    def status(self):
        s = json.loads(self.do("status", "--json"))
        return {x["id"]: x for x in s["links"]}, {x["id"]: x for x in s["nodes"]}, s

    def ask(self, end, peer, *options, cert=None):
        return Ask(f"https://localhost:{self.ports[end]}", self.pki.ca, cert or self.saes[end], "SAE-" + peer, *options)


@contextlib.contextmanager
def network(folder, name, *args, **kw):
    net = Network(os.path.join(folder, name), *args, **kw)
    try:
        yield net
    finally:
        net.stop(signal.SIGKILL)


def link(a, b, rate=1000000, bits=1000000, **more):
    return {"id": a + b, "a": a, "b": b, "rate_bps": rate, "initial_bits": bits, **more}


def status_of(line):
    return dict(zip(("ok", "source", "target", "master", "slave", "size", "least", "most", "stored", "cap", "batch", "more"), line.split()))


def point_to_point(folder):
    with network(folder, "p2p", [link("A", "B", rate=0, bits=256 * 300)], nodes="AB", ends="AB") as net:
        net.start()
        outsider = net.pki.vouch("SAE-X", "DNS:sae")
        with net.ask("A", "B") as a, net.ask("B", "A") as b, net.ask("A", "B", cert=outsider) as x, net.ask("A", "B", cert=net.saes["B"]) as wrong_kme:
            s = status_of(a("status"))
            check((s["source"], s["target"], s["master"], s["slave"], s["stored"]) == ("KME-A", "KME-B", "SAE-A", "SAE-B", "300"), str(s))
            keys = a.keys("enc", 128, 256)
            check(len(keys) == 128 and len(set(keys.values())) == 128, "keys")
            check(b.keys("dec", 256, *keys) == keys, "both ends have the same")
            check(status_of(a("status"))["stored"] == "172", "what was supplied is gone from the pool")
            more = a.keys("enc", 2, 1024)
            with net.ask("B", "A") as b2:       # another client: the first would not ask
                b2.fails("not-found", "status 400): one or more keys", "dec", 256, *keys)
                check(b2.keys("dec", 1024, *more) == more, "keys of 1,024 bits")
                mixed = list(a.keys("enc", 1, 256)) + [str(uuid.uuid4())]
                b2.fails("not-found", "", "dec", 256, *mixed)
                b2.keys("dec", 256, mixed[0])   # all or nothing: it was not erased
            mine = a.keys("enc", 1, 256)
            with net.ask("A", "A") as a_itself:
                a_itself.fails("auth", "401", "dec", 256, *mine)
            for stranger in (x, wrong_kme):
                stranger.fails("auth", "401", "status")
            a.fails("temporary", "503): there is not enough key", "enc", 128, 65536)
        with net.ask("A", "Z") as z:
            z.fails("usage", "400): slave_SAE_ID", "status")
        with net.ask("A", "B", "must=no:thing") as m:
            m.fails("usage", "extension_mandatory", "enc", 1, 256)
        check(net.stop() == 0, "it ends well")


def pages(pid):
    """What a process may read, piece by piece, as far as we may look."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw"):
                with contextlib.suppress(OSError, OverflowError, ValueError):
                    mem.seek(begin)
                    yield mem.read(end - begin)


def memory(folder):
    """I5: once its last copy was fetched, a key is nowhere in the process: not in TLS's memory, not in its database's."""
    if os.environ.get("QC_SANITIZED", "0") not in ("", "0") or os.geteuid() != 0:
        return      # what is freed there stays; only root may look
    with network(folder, "memory", [link("A", "B", rate=0, bits=256 * 300)], ends="AB") as net:
        net.start()

        def call(end, what, body):
            context = ssl.create_default_context(cafile=net.pki.ca)
            context.load_cert_chain(*net.saes[end])
            with urllib.request.urlopen(urllib.request.Request(f"https://localhost:{net.ports[end]}/api/v1/keys/{what}", json.dumps(body).encode(),
                                                               {"Content-Type": "application/json"}), context=context, timeout=60) as r:
                return {k["key_ID"]: k["key"] for k in json.load(r)["keys"]}

        keys = call("A", "SAE-B/enc_keys", {"number": 64, "size": 256})
        needles = [n for k in keys.values() for n in (k[:20].encode(), base64.b64decode(k)[:16])]
        check(any(n in page for page in pages(net.p.pid) for n in needles), "keys that wait are not seen: this looks at the wrong place")
        check(call("B", "SAE-A/dec_keys", {"key_IDs": [{"key_ID": i} for i in keys]}) == keys, "both ends have the same")
        end = time.monotonic() + 60
        while any(n in page for page in pages(net.p.pid) for n in needles):
            check(time.monotonic() < end, "keys that nobody may fetch any more stay in memory")
            time.sleep(0.2)
        again = call("A", "SAE-B/enc_keys", {"number": 1, "size": 256})     # on the database that was opened anew
        check(call("B", "SAE-A/dec_keys", {"key_IDs": [{"key_ID": i} for i in again]}) == again, "and it goes on")


def relayed(folder):
    """A - M - C and A - N - O - C: the wider way, then the shorter; bits are paid on each link, a tag's too."""
    links = [link("A", "M", 0, 10 ** 6), link("M", "C", 0, 10 ** 4), link("A", "N", 0, 10 ** 5), link("N", "O", 0, 10 ** 5), link("O", "C", 0, 10 ** 5)]
    with network(folder, "relay", links, nodes="AMNOC", ends="AC") as net:
        net.start()
        with net.ask("A", "C") as a, net.ask("C", "A") as c:
            check(status_of(a("status"))["stored"] == str(10 ** 5 // 512), "the wide way")
            keys = a.keys("enc", 100, 256)
            check(c.keys("dec", 256, *keys) == keys, "relayed keys are the same at both ends")
            check(status_of(a("status"))["stored"] == str((10 ** 5 - 51200) // 512), "256 bits more for each")
            a.keys("enc", 90, 256)              # 48,800 left there: less than 46,080 more is not enough, then M - C has 10,000
            check(status_of(a("status"))["stored"] == str(10 ** 4 // 512), "the other way is the wider one now")
            a.fails("temporary", "not enough", "enc", 20, 256)
            check(len(a.keys("enc", 19, 256)) == 19, "to the last key")


def several_slaves(folder):
    links = [link("A", "B"), link("A", "C"), link("B", "C")]
    with network(folder, "several", links, nodes="ABC", ends="ABC") as net:
        net.start()
        with net.ask("A", "B", "more=SAE-C") as a, net.ask("B", "A") as b, net.ask("C", "A") as c, net.ask("C", "B") as c_of_b:
            keys = a.keys("enc", 5, 512)
            c_of_b.fails("auth", "401", "dec", 512, *keys)
            check(b.keys("dec", 512, *keys) == keys and c.keys("dec", 512, *keys) == keys, "each slave once")
        with net.ask("C", "A") as again:
            again.fails("not-found", "", "dec", 512, *keys)


def rates(folder):
    """A link yields what it says, to its cap; keys that nobody fetches are erased."""
    with network(folder, "rates", [link("A", "B", rate=256000, bits=0, cap_bits=25600)], ends="AB", key_ttl_s=1) as net:
        net.start()
        with net.ask("A", "B") as a, net.ask("B", "A") as b:
            end = time.monotonic() + 60
            while status_of(a("status"))["stored"] != "100":
                check(time.monotonic() < end, "the pool fills to its cap")
                time.sleep(0.01)
            keys = list(a.keys("enc", 1, 256))
            end = time.monotonic() + 60
            while "keys expired" not in net.log():
                check(time.monotonic() < end, "a key that nobody fetches expires")
                time.sleep(0.05)
            b.fails("not-found", "", "dec", 256, *keys)


def kills(folder):
    """kill -9 in between, at each commit and at random: no key_ID comes twice, no copy leaves twice, both ends' keys agree, pools only fall."""
    rand = seeded("kme")
    got, fetched, gone, lives = {}, {}, set(), 200 if FULL else 6
    with network(folder, "kills", [link("A", "B", rate=0, bits=10 ** 7)], ends="AB") as net:
        left = 10 ** 7 // 256
        for life in range(lives):
            point = rand.choice(("db_commit", "db_committed"))
            if net.start(may_die=True, QC_FAULT=f"{point}:kill:{rand.randrange(1, 8)}") is None:
                continue        # at the commit that makes its database
            with net.ask("A", "B", "pause_ms=1") as a, net.ask("B", "A", "pause_ms=1") as b:
                waiting = [i for i in got if i not in fetched and i not in gone]
                mine = []
                for _ in range(20):
                    line = a("enc", 3, 256)
                    if not line.startswith("ok "):
                        break
                    keys = dict(w.split("=") for w in line.split()[1:])
                    check(not set(keys) & set(got), "a key_ID came twice")
                    got.update(keys)
                    waiting += list(keys)
                    mine = waiting[:2]
                    line = b("dec", 256, *mine)
                    if not line.startswith("ok "):
                        break
                    keys = dict(w.split("=") for w in line.split()[1:])
                    check(all(got[i] == d for i, d in keys.items()), "both ends have the same")
                    check(not set(keys) & set(fetched), "a copy left twice")
                    fetched.update(keys)
                    waiting = waiting[2:]
                net.p.wait(60)
            net.p = None
            net.start()
            if fetched:
                with net.ask("B", "A", "pause_ms=1") as again:
                    for i in list(fetched)[-4:]:
                        again.fails("not-found", "", "dec", 256, i)
            with net.ask("A", "B") as a:
                now = int(status_of(a("status"))["stored"])
                check(now <= left and now <= 10 ** 7 // 256 - len(got), "no bit of a pool comes back")
                left = now
            net.stop(signal.SIGKILL)
            gone.update(mine)       # what was asked for when it died may be gone
        print(f"{lives} lives, {len(got)} keys, {len(fetched)} of them fetched by the other end", flush=True)


def faults(folder):
    """A - M - C and A - N - C: what is cut, slow, empty, in alarm or seized, and which keys were seen; all of it stays over a restart."""
    links = [link("A", "M", 0, 10 ** 6, km=45, qber=0.03), link("M", "C", 0, 10 ** 6), link("A", "N", 0, 10 ** 5), link("N", "C", 0, 10 ** 5)]
    page = free_ports(1)[0]
    with network(folder, "faults", links, nodes="AMNC", ends="AC", page=f"127.0.0.1:{page}") as net:
        net.start()
        with net.ask("A", "C") as a, net.ask("C", "A") as c:
            seen = a.keys("enc", 3, 256)
            fetched = list(seen)[0]
            c.keys("dec", 256, fetched)
            net.do("link", "cut", "AM")
            more = a.keys("enc", 1, 256)        # a pool lasts
            s = net.status()
            check(s[0]["AM"]["state"] == "cut" and s[0]["AM"]["bits"] == 10 ** 6 - 4 * 512 and s[0]["AM"]["used_bits"] == 2048, str(s))
            check((s[0]["AM"]["km"], s[0]["AM"]["qber"], s[2]["supplied_keys"], s[2]["waiting_keys"]) == (45, 0.03, 4, 3), str(s))
            said = net.do("node", "seize", "M")
            check("3 copies that waited are erased" in said and "has seen 4 keys" in said, said)
            exposed = [line.split()[0] for line in net.do("node", "exposed", "M").splitlines()]
            check(exposed == list(seen) + list(more), "in the order in which they were supplied")
            check(net.do("node", "exposed", "N") == "", "N has seen none")
            s = net.status()
            check(s[1]["M"]["state"] == "seized" and s[0]["AM"]["bits"] == s[0]["MC"]["bits"] == 0 and s[2]["waiting_keys"] == 0, str(s))
            c.fails("not-found", "", "dec", 256, list(seen)[1])
            around = a.keys("enc", 2, 256)      # past M
            check(c.keys("dec", 256, *around) == around, "the other way")
            check("over A N C" in net.do("node", "exposed", "N"), "N has seen these")
            net.do("link", "qber", "NC", "0.08")
            check(net.status()[0]["NC"]["bits"] == 0, "all that it had may have come just before the start")
            a.fails("temporary", "not enough", "enc", 1, 256)
            net.do("link", "empty", "AN")
            net.do("link", "rate", "AN", "777")
        before = net.status()
        check(net.stop() == 0, "it ends well")
        net.start()
        after = net.status()
        check({i: x["state"] for i, x in after[0].items()} == {i: x["state"] for i, x in before[0].items()} == {"AM": "seized", "MC": "seized", "AN": "up", "NC": "alarm"}, str(after))
        check(after[1] == before[1] and after[0]["AN"]["rate_bps"] == 777 and after[0]["NC"]["qber"] == 0.08, str(after))
        text = net.do("status")
        check(re.search(r"^NC +N - C +alarm +0 ", text, re.M) and "node M: seized" in text, text)
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/", timeout=60) as r:
            html = r.read().decode()
        check('<td class="bad">seized</td>' in html and "<td>NC</td><td>N &ndash; C</td><td class=\"bad\">alarm</td>" in html, html)
        for path, data in (("/admin/v1/exposed?node=M", None), ("/admin/v1/fault", b"{}")):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{page}{path}", data, timeout=60)
                check(False, "the page changes nothing and names no key")
            except urllib.error.HTTPError as e:
                check(e.code == 404, str(e))
        net.do("link", "restore", "AN")
        net.do("link", "restore", "AM")
        net.do("link", "restore", "NC")
        net.do("node", "release", "M")
        s = net.status()
        check(s[0]["AN"]["rate_bps"] == 0 and all(x["state"] == "up" for x in (*s[0].values(), *s[1].values())), str(s))
        for words, code, says in ((("link", "cut", "XX"), 3, "E03127 there is no link"), (("node", "seize", "XX"), 3, "E03127"), (("node", "exposed", "XX"), 3, "E03127"),
                                  (("link", "rate", "AN", "fast"), 2, "E02120"), (("link", "qber", "AN", "1"), 2, "E02120")):
            check(says in net.do(*words, fails=code), f"{words}")
        mode = os.stat(os.path.join(net.state, "qcloud-kme.sock")).st_mode & 0o777
        check(mode == 0o600, oct(mode))
        net.stop()
        check("E10126" in net.do("status", fails=10), "nobody runs")


def figures(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as r:
        check(r.headers["Content-Type"].startswith("text/plain"), str(r.headers))
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in r.read().decode().splitlines() if not line.startswith("#"))}


def forecast(folder):
    """When a pool is out at the present use: in figures for programs, status and page. (That it comes so: unit/kme_network, by a clock of its own.)"""
    page = free_ports(1)[0]
    with network(folder, "forecast", [link("A", "B", rate=0, bits=256 * 4000), link("B", "C", rate=0)], nodes="ABC", ends="AB", page=f"127.0.0.1:{page}") as net:
        net.start()
        check(net.status()[0]["AB"]["dry_s"] is None and figures(page)['qcloud_kme_link_dry_seconds{link="AB"}'] == float("inf"), "nothing was used yet")
        with net.ask("A", "B") as a:
            first = [time.monotonic(), a.keys("enc", 100, 256) and time.monotonic()]
            for i in range(20):     # a pace, as far as the machine keeps it
                time.sleep(max(0, first[1] + 0.1 * (i + 1) - time.monotonic()))
                a.keys("enc", 100, 256)
            last = [time.monotonic()]
            f = figures(page)
            last.append(time.monotonic())
        left, used = f['qcloud_kme_link_pool_bits{link="AB"}'], 256 * 2000
        check(left == 256 * 1900 and f['qcloud_kme_link_used_bits_total{link="AB"}'] == 256 * 2100, str(f))
        soonest, latest = (left * seconds / used for seconds in (last[0] - first[1], last[1] - first[0]))
        dry = f['qcloud_kme_link_dry_seconds{link="AB"}']
        check(0.9 * soonest <= dry <= 1.1 * latest, f"{soonest} {dry} {latest}")
        check(f['qcloud_kme_link_dry_seconds{link="BC"}'] == float("inf") and f["qcloud_kme_supplied_keys_total"] == 2100, str(f))
        later = net.status()[0]
        check(later["AB"]["dry_s"] >= dry and later["AB"]["use_bps"] > 0 and later["BC"]["dry_s"] is None, str(later))
        check(re.search(r"^AB +A - B +up .* [0-9.]+ (s|min) +- +- *$", net.do("status"), re.M), net.do("status"))
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/", timeout=60) as r:
            check(re.search(r'<td class="n">[0-9.]+ (s|min)</td>', r.read().decode()), "the page")
        print(f"a pool that is out in {dry:.3g} s by its figures, in {soonest:.3g} to {latest:.3g} s by ours", flush=True)


def older_state(folder):
    """A state directory of version 1: its pools and waiting copies are taken over."""
    with network(folder, "older", [link("A", "B", rate=0)], ends="AB") as net:
        os.makedirs(net.state, 0o700)
        key_id = str(uuid.uuid4())
        db = sqlite3.connect(os.path.join(net.state, "kme.db"))
        db.executescript("""CREATE TABLE pool(link TEXT NOT NULL PRIMARY KEY, bits INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE copy(key_id TEXT NOT NULL, slave TEXT NOT NULL, master TEXT NOT NULL, exposed TEXT NOT NULL, expires INTEGER NOT NULL, key BLOB NOT NULL,
            PRIMARY KEY(key_id,slave)) WITHOUT ROWID; CREATE INDEX copy_expires ON copy(expires); PRAGMA application_id=0x714b4d45; PRAGMA user_version=1;""")
        db.execute("INSERT INTO pool VALUES('AB',5120)")
        db.execute("INSERT INTO copy VALUES(?,'SAE-B','SAE-A','A B',?,?)", (key_id, int(time.time()) + 300, bytes(range(32))))
        db.commit()
        db.close()
        net.start()
        check(net.status()[0]["AB"]["bits"] == 5120, "the pool")
        with net.ask("B", "A") as b:
            check(len(b.keys("dec", 256, key_id)) == 1, "the copy")


def topologies(folder):
    """The ready ones: taken by name, beneath a configuration that has no nodes and links of its own; a rate from devices and distance."""
    def check_it(*words, code=0):
        p = subprocess.run([KME, "check", *words], capture_output=True, text=True, timeout=60)
        check(p.returncode == code, f"{words}: {p.stdout}{p.stderr}")
        return p.stdout + p.stderr
    for name, counts in (("point-to-point", (2, 1)), ("metropolitan", (7, 6)), ("tokyo", (5, 5))):
        check(check_it("--topology", name) == "%d nodes, %d links, 0 KMEs, 0 SAEs\n" % counts, name)
    check("L2: koganei-2 - otemachi, 1100 bit/s, 90 km, errors 2.60 %" in check_it("--topology", "tokyo", "--links"), "links")
    check("E02120" in check_it("--topology", "atlantis", code=2), "a name that is none")
    with network(folder, "tokyo", [], nodes=(), ends=("koganei-1", "koganei-2")) as net:
        del net.conf["nodes"], net.conf["links"]
        net.start(options=("--topology", "tokyo"))
        links, nodes, _ = net.status()
        check(links["L3"]["rate_bps"] == 1000000 and nodes["koganei-2"]["kme"] == "KME-koganei-2", str(links))
        with net.ask("koganei-1", "koganei-2") as a, net.ask("koganei-2", "koganei-1") as b:
            end = time.monotonic() + 60
            while status_of(a("status"))["stored"] == "0":      # by way of koganei-3 and -4, which make more than otemachi's 1,100 bits/s
                check(time.monotonic() < end, "the links make key")
                time.sleep(0.01)
            keys = a.keys("enc", 1, 256)
            check(b.keys("dec", 256, *keys) == keys, "over the middle")
        check("koganei-1 koganei-3 koganei-4 koganei-2" in net.do("node", "exposed", "koganei-3"), "by which way")
        own = os.path.join(net.folder, "own.json")
        with open(own, "w") as f:
            json.dump({"nodes": ["a", "b"], "links": [{"id": "L", "a": "a", "b": "b", "km": 45, "decoy": {"pulse_hz": 1e9}}]}, f)
        check("L: a - b, 267862 bit/s, 45 km, errors 3.33 %" in check_it("--topology", own, "--links"), "a rate from devices")
        good = {"id": "L", "a": "a", "b": "b", "km": 45, "decoy": {"pulse_hz": 1e9}}
        for bad, says in (({"rate_bps": 5}, "without rate_bps"), ({"decoy": {"nu": 0.5}}, "less than mu"), ({"decoy": {"speed": 1}}, "unknown"), ({"decoy": {"f_ec": 0.5}}, "f_ec")):
            with open(own, "w") as f:
                json.dump({"nodes": ["a", "b"], "links": [{**good, **bad}]}, f)
            check(says in check_it("--topology", own, code=2), says)
        net.stop()
        net.conf["nodes"] = ["x"]
        with open(os.path.join(net.folder, "kme.json"), "w") as f:
            json.dump(net.conf, f)
        check("unknown" in check_it("--topology", "tokyo", "--config", os.path.join(net.folder, "kme.json"), code=2), "nodes are said once")


def start_fails(folder):
    with network(folder, "bad", [link("A", "B")], ends="AB") as net:
        net.start()
        path = os.path.join(net.folder, "kme.json")

        def serve(state):
            return subprocess.run([KME, "serve", "--config", path, "--state", state], capture_output=True, text=True, timeout=60)
        p = serve(net.state)
        check(p.returncode == 11 and "E11121" in p.stderr, p.stderr)
        p = serve(os.path.join(net.folder, "other"))
        check(p.returncode == 11 and "another program listens" in p.stderr, p.stderr)
        check(net.stop() == 0, "it ends well")
        bad = [({}, "nodes is missing"), ({"nodes": ["A", "A"]}, "there twice"), ({"x": 1}, "unknown"), ({"links": [dict(link("A", "B"), b="Q")]}, "no node Q"),
               ({"links": [link("A", "A")]}, "one node"), ({"links": [dict(link("A", "B"), rate_bps=-1)]}, "rate_bps"), ({"kmes": []}, "has no KME"),
               ({"kmes": [dict(net.conf["kmes"][0], listen="here")]}, "listen"), ({"kmes": [dict(net.conf["kmes"][0], key="k")]}, "absolute path"),
               ({"saes": [{"id": "a/b", "node": "A"}]}, "a name has"), ({"limits": {"key_size": 257}}, "multiple of 8"), ({"limits": {"min_key_size": 512}}, "min_key_size"),
               ({"page": "0.0.0.0:8080"}, "of this machine"), ({"qber_alarm": 0}, "qber_alarm"), ({"links": [dict(link("A", "B"), km="far")]}, "km")]
        for change, says in bad:
            with open(path, "w") as f:
                json.dump({**net.conf, **change} if change else {}, f)
            p = subprocess.run([KME, "check", "--config", path], capture_output=True, text=True, timeout=60)
            check(p.returncode == 2 and "E02120" in p.stderr and says in p.stderr and re.search(r"\n   data: .*\n   next: ", p.stderr), f"{says}: {p.stderr}")
        with open(path, "w") as f:
            json.dump(net.conf, f)
        os.chmod(net.conf["kmes"][0]["key"], 0o644)
        p = serve(os.path.join(net.folder, "third"))
        check(p.returncode == 12 and "E12122" in p.stderr, p.stderr)
        p = subprocess.run([KME, "check", "--config", path], capture_output=True, text=True, timeout=60)
        check(p.returncode == 0 and p.stdout == "2 nodes, 1 links, 2 KMEs, 2 SAEs\n", p.stdout + p.stderr)


PARTS = (memory, point_to_point, relayed, several_slaves, rates, faults, forecast, older_state, topologies, kills, start_fails)


def scenario():
    folder = tempfile.mkdtemp(prefix="qcloud-test-")
    try:
        parts = [p for p in PARTS if p is not kills or os.environ.get("QC_FAULTS") != "0"]
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:
            for done in [side_by_side.submit(part, folder) for part in parts]:
                done.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    scenario()
