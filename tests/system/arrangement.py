#!/usr/bin/python3
"""The core paper's whole arrangement: qcloud -> gateway -> five links -> five S3 servers, every way keyed by QKD, keys from qcloud-kme over mutual TLS. With TLS keyed by QKD
qcloud comes by the gateway's own door; with one-time pad by a qcloud-link. Two clouds and a key share are lost, and the file comes back; with TLS keyed by QKD on every link, and with one-time pad on every link; with QC_FULL=1 more of it."""
import concurrent.futures
import contextlib
import http.client
import os
import re
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "tests", "cli"))
sys.path.append(os.path.join(TOP, "tests", "system"))
from clouds import Clouds  # noqa: E402
import keyed  # noqa: E402
from harness import FULL, check, main  # noqa: E402
from kme import Network, link  # noqa: E402
from link import End  # noqa: E402
from ports import free_ports  # noqa: E402
from users import User, api  # noqa: E402

N, K = 5, 3
SITES = ["cloud-%d" % i for i in range(1, N + 1)]
SIZES = {"qkd-tls": 40 << 20 if FULL else 3 << 20, "otp": 40 << 20 if FULL else 300000}   # pad costs three times as much
BITS = 10 ** 10


class Pair:
    """A link between two sites, by name of the site that serves: dial at `near`, serve at `far`, before a service at port `to`."""

    def __init__(self, folder, net, level, near, far, to):
        self.name, self.near, self.far = far, near, far
        between, self.port = free_ports(2)
        more = {"link": far, "level": level, "pad_block": 262144, "pad_blocks": 4, "wait_s": 120}
        self.serve = End(os.path.join(folder, far), net, "serve", far, near, {**more, "listen": f"127.0.0.1:{between}", "to": f"127.0.0.1:{to}"})
        self.dial = End(os.path.join(folder, far), net, "dial", near, far, {**more, "listen": f"127.0.0.1:{self.port}", "to": f"127.0.0.1:{between}"})

    def start(self):
        self.serve.start()
        self.dial.start()
        end = time.monotonic() + 180
        while not self.answers():       # it is up, it has pad, and the service is there
            check(time.monotonic() < end, f"{self.name} does not come up: {self.dial.log()[-2000:]}{self.serve.log()[-2000:]}")
            time.sleep(0.05)

    def answers(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request("GET", "/")
            return c.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            c.close()

    def stop(self, sig):
        self.dial.stop(sig)
        self.serve.stop(sig)

    def keys(self):
        """The beginnings of the key_IDs of its connections; both ends name the same."""
        return set(re.findall(r"the link is up.*\bkey=\"?([0-9a-f]{8})", self.dial.log()))


class Gateway(api.ManyUsers):
    """Its clouds are S3 servers behind the ports of links."""

    def __init__(self, urls, net):
        super().__init__(N, K)
        self.urls = urls
        self.door, = free_ports(1)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(keyed.door(net, self.door))

    def cloud_options(self):
        return [w for name, (url, keys) in self.urls.items() for w in ("--cloud", f"{name}={url}", "--cloud-credentials", f"{name}={keys}")]


def used(net):
    """Bits of key that each quantum link gave, by its far end."""
    return {x["b"]: x["used_bits"] for x in net.status()[0].values()}


def arrange(folder, net, level, s3):
    """s3: {site: (how to make its URL of a port, the server's own port, its credentials)}. -> contextmanager: (gateway, the user's pair or None, the clouds' pairs)"""
    @contextlib.contextmanager
    def whole():
        with contextlib.ExitStack() as stack:
            pairs = {}
            for site, (_, port, _) in s3.items():
                pairs[site] = Pair(folder, net, level, "server", site, port)
                stack.callback(pairs[site].stop, 9)
            with concurrent.futures.ThreadPoolExecutor() as side_by_side:
                list(side_by_side.map(Pair.start, pairs.values()))
            gateway = stack.enter_context(Gateway({site: (url(pairs[site].port), keys) for site, (url, _, keys) in s3.items()}, net))
            user = None
            if level == "otp":
                user = Pair(folder, net, level, "user", "server", gateway.port)
                stack.callback(user.stop, 9)
                user.start()
            yield gateway, user, pairs
    return whole()


def story(folder, net, level, s3, lose):
    """lose: two sites, and how each of them goes."""
    began, before = time.monotonic(), used(net)
    with arrange(folder, net, level, s3) as (gateway, user_pair, pairs):
        url, options = (f"qkd-tls://127.0.0.1:{gateway.door}", keyed.way(net)) if user_pair is None else (f"http://127.0.0.1:{user_pair.port}", ("--link", user_pair.dial.conf["status"]))
        with User(gateway, "ann", url) as ann:
            ann.init(*options, "--level", level)
            data = {"whole": os.urandom(SIZES[level]), "small": b"a line of text\n"}
            for name, d in data.items():
                ann.expect(0, "put", ann.write(name, d), name)
            text = ann.expect(0, "stat", "--json", "whole").stdout.decode()
            check('"loss_budget":1' in text or '"loss_budget":2' in text, f"all five clouds have it: {text}")
            text = ann.expect(0, "explain", "whole").stdout.decode()
            own = re.search(rf"^way      \(gateway\)={level},keys?=\S*\b([0-9a-f]{{8}})-", text, re.M)
            check(own is not None and (user_pair is None or own[1] in user_pair.dial.log()), f"the way to the gateway is not what its link had: {text}")
            after = {site: bits - before[site] for site, bits in used(net).items()}
            for site, go in lose.items():
                go(pairs[site])
            with ann.lost(ann.stores[0]):
                for name, d in data.items():
                    check(ann.get(name) == d, f"{name}: two clouds and a key share are lost, and it does not come back")
            shutil.rmtree(ann.stores[0])
            ann.expect((0, 4), "recover", "--share", "1")
            check(ann.get("small") == data["small"], "with the share made again")
        keys = {p.name: p.keys() for p in (user_pair, *pairs.values()) if p is not None}
        if user_pair is None:
            keys["user"] = {own[1]}
        check(all(keys.values()) and len(set().union(*keys.values())) == sum(map(len, keys.values())), f"each link has keys of its own: {keys}")
        size = SIZES[level]
        part = 8 * size // K if level == "otp" else 256
        check(all(bits >= (8 * size if level == "otp" and site == "server" else part) for site, bits in after.items()), f"what went over a link took its key: {after}")
    print(f"{level}: {size} bytes stored, {' and '.join(lose)} and a key share lost, all back in {time.monotonic() - began:.1f} s; bits of key: {after}", flush=True)


@contextlib.contextmanager
def network(folder):
    """A user, a server, and clouds around it, as dist/topologies/metropolitan.json has them; of more key than a test waits for."""
    links = [link("user", "server", BITS // 100, BITS, cap_bits=2 * BITS), *(link("server", site, BITS // 100, BITS, cap_bits=2 * BITS) for site in SITES)]
    net = Network(os.path.join(folder, "network"), links, nodes=["user", "server", *SITES], ends=["user", "server", *SITES])
    try:
        yield net.start()
    finally:
        net.stop(9)


def scenario():
    folder = tempfile.mkdtemp(prefix="qcloud-test-", dir=os.environ.get("QC_TMP"))
    try:
        with network(folder) as net, Clouds(N) as clouds:
            s3 = {site: (lambda port, c=clouds[i]: c.url_of("s3+http", port), clouds[i].port, clouds[i].credentials) for i, site in enumerate(SITES, 1)}
            for level in SIZES:
                story(os.path.join(folder, level), net, level, s3, {"cloud-2": lambda _: clouds.fault("kill", 2), "cloud-4": lambda pair: pair.stop(9)})
                clouds.fault("restart", 2)
                for n in range(1, N + 1):
                    clouds.fault("wipe", n)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(scenario)
