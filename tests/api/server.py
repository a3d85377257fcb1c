"""A gateway over directory clouds in a temporary folder, and HTTP over its UNIX socket; with tenants also over a port of loopback."""
import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from ports import free_ports  # noqa: E402

BIN = os.environ.get("QC_BIN", "")
GATEWAY = os.path.join(BIN, "qcloud-gateway")
READY_S = 60
ANSWER_S = 90


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


class Connection(http.client.HTTPConnection):
    """http.client over a UNIX socket whose path may be longer than an address: it goes through the directory."""

    def __init__(self, directory, name="gateway.sock", timeout=ANSWER_S):
        super().__init__("localhost", timeout=timeout)
        self.directory, self.name = directory, name

    def connect(self):
        self.sock = unix(self.directory, self.timeout, self.name)


def unix(directory, timeout=ANSWER_S, name="gateway.sock"):
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(f"/proc/self/fd/{fd}/{name}")                 # waits where the gateway's backlog is full
        s.settimeout(timeout)
        return s
    finally:
        os.close(fd)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Server:
    """k of n on five clouds. The state directory's path is longer than a socket's address may be."""

    environment = {}                                # beside this process's own

    def __init__(self, n=5, k=3):
        self.root = tempfile.mkdtemp(prefix="qcloud-api-", dir=os.environ.get("QC_TMP"))
        self.state = os.path.join(self.root, "s" * 120, "state")
        self.clouds = [os.path.join(self.root, f"cloud{i}") for i in range(1, n + 1)]
        self.k, self.n, self.process, self.log = k, n, None, os.path.join(self.root, "log")
        os.mkdir(os.path.dirname(self.state))
        for c in self.clouds:
            os.mkdir(c)

    def __enter__(self):
        try:
            self.run("init", "--state", self.state, *self.cloud_options(), "--k", str(self.k))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def cloud_options(self):
        return [a for i, c in enumerate(self.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]

    def run(self, *args):
        p = subprocess.run([GATEWAY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        check(p.returncode == 0, f"qcloud-gateway {args[0]}: exit {p.returncode}: {p.stderr.decode(errors='replace')}")
        return p.stdout

    def serve_options(self):
        return ["--state", self.state]

    def start(self):
        r, w = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([GATEWAY, "serve", *self.serve_options(), "--ready-fd", str(w)], pass_fds=(w,),
                                            env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(w)
        try:
            check(bool(select.select([r], [], [], READY_S)[0]) and os.read(r, 64) == b"ready\n", f"the gateway is not ready: {self.tail()}")
        finally:
            os.close(r)

    def stop(self):
        """As an operator does; it must leave by itself, with exit status 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        check(code == 0, f"stopped by SIGTERM: exit {code}: {self.tail()}")
        self.process = None

    def alive(self):
        code = self.process.poll()
        check(code is None, f"the gateway ended with {code}: {self.tail()}")

    def tail(self):
        with open(self.log, "rb") as f:
            return f.read()[-4000:].decode(errors="replace")

    def connect(self, timeout=ANSWER_S):
        return unix(self.state, timeout)

    def request(self, method, path, body=None, headers=None, chunked=False):
        return self.request_on(Connection(self.state), method, path, body, headers, chunked)

    def request_on(self, c, method, path, body=None, headers=None, chunked=False):
        """One request on its own connection. A closed connection instead of an answer is a failure of the test."""
        try:
            try:
                c.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
            except (BrokenPipeError, ConnectionResetError):
                pass                                # refused before its body was sent: the answer is there already
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        except (http.client.HTTPException, ConnectionError) as e:
            self.alive()
            raise Failure(f"{method} {path}: {type(e).__name__} {e}") from e
        finally:
            c.close()

    @contextlib.contextmanager
    def moved(self, *paths):
        """These files or folders are elsewhere inside the block."""
        for p in paths:
            os.rename(p, p + ".away")
        try:
            yield
        finally:
            for p in paths:
                os.rename(p + ".away", p)

    @contextlib.contextmanager
    def away(self, *clouds):
        """These clouds (from 0) are gone inside the block. A gateway that runs keeps a directory that is only renamed."""
        self.stop()
        try:
            with self.moved(*(self.clouds[i] for i in clouds)):
                self.start()
                yield
                self.stop()
        finally:
            if self.process is None:
                self.start()


class ManyUsers(Server):
    """A gateway with doors for tenants: a UNIX socket, and a port of this machine, which speaks TLS where tls is said."""

    def __init__(self, n=5, k=3, tls=False, connections=128):
        super().__init__(n, k)
        self.tls, self.connections, self.tokens = tls, connections, {}
        self.port, self.monitor = free_ports(2)
        self.config, self.socket = os.path.join(self.root, "gateway.conf"), os.path.join(self.root, "door")
        self.cert, self.key = os.path.join(self.root, "cert.pem"), os.path.join(self.root, "key.pem")
        if tls:
            self.certify()
        with open(self.config, "w", encoding="ascii") as f:
            f.write(f"[gateway]\nstate = {self.state}\nlog-file = {self.log}\n[listen]\nsocket = {self.socket}\naddress = 127.0.0.1:{self.port}\n"
                    f"[monitor]\naddress = 127.0.0.1:{self.monitor}\n[limits]\nconnections = {connections}\n")
            if tls:
                f.write(f"[listen]\ncertificate = {self.cert}\nkey = {self.key}\n")

    def certify(self):
        """Another certificate of its own, for two days."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key, "-out", self.cert,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o600)

    def serve_options(self):
        return ["--config", self.config]

    def add(self, name, *limits):
        """A tenant; its token. Works whether the gateway runs or not."""
        path = os.path.join(self.root, name + ".token")
        self.run("tenant", "add", name, "--token-file", path, "--config", self.config, *limits)
        with open(path, encoding="ascii") as f:
            self.tokens[name] = f.read().strip()
        return self.tokens[name]

    def door(self, way):
        """A connection that is not used yet."""
        if way == "socket":
            return Connection(self.root, "door")
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        context = ssl.create_default_context(cafile=self.cert)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return http.client.HTTPSConnection("localhost", self.port, timeout=ANSWER_S, context=context)


class Guest:
    """A tenant's view of a ManyUsers: what it sends goes through one of the tenants' doors, with its token."""

    def __init__(self, server, name, way="socket"):
        self.server, self.name, self.way = server, name, way

    def __getattr__(self, name):
        return getattr(self.server, name)

    def headers(self, headers=None):
        return {"Authorization": "Bearer " + self.server.tokens[self.name]} | (headers or {})

    def request(self, method, path, body=None, headers=None, chunked=False):
        """As a client does: where the tenant has too much under way, again in a moment."""
        for _ in range(200):
            a = self.once(method, path, body, headers, chunked)
            if a.status != 429:
                break
            time.sleep(0.1)                         # 200 times at most
        return a

    def once(self, method, path, body=None, headers=None, chunked=False):
        return self.server.request_on(self.server.door(self.way), method, path, body, self.headers(headers), chunked)

    def connect(self, timeout=ANSWER_S):
        c = self.server.door(self.way)
        c.timeout = timeout
        c.connect()
        return c.sock


def parallel(jobs):
    """Runs all of them at once; the first failure is raised when all have ended."""
    failures, results = [], [None] * len(jobs)

    def one(i, job):
        try:
            results[i] = job()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=one, args=(i, job)) for i, job in enumerate(jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=300)
    check(not any(t.is_alive() for t in threads), "a request does not end")
    if failures:
        raise failures[0]
    return results
