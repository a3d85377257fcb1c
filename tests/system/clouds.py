#!/usr/bin/python3
"""Real S3 clouds for a test program: Ceph's gateways, or OpenStack Swift's, by tests/clouds/clouds.

    with Clouds(5) as clouds:
        clouds[1].url, clouds[1].credentials          # cloud 1 of 5
        clouds.fault("kill", 2)

They listen on free ports of loopback and are gone after the block, and also when this process dies, however it dies.

As a program: start clouds, run a command, end them. {url1} {v2url1} {tlsurl1} {credentials1} {ca} in its words stand for
those of cloud 1, and so on. Usage: clouds.py [--count N] [--kind ceph|swift] [--tls] -- COMMAND [WORD...]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clouds", "clouds")


class Cloud:
    def __init__(self, told):
        self.n, self.port, self.tls_port = told["n"], told["port"], told["tls_port"]
        self.region, self.bucket, self.credentials = told["region"], told["bucket"], told["credentials"]

    def url_of(self, scheme, port=None, query=""):
        return f"{scheme}://127.0.0.1:{port or self.port}/{self.bucket}?region={self.region}{query}"

    @property
    def url(self):
        return self.url_of("s3+http")

    @property
    def tls_url(self):
        return self.url_of("s3+https", self.tls_port)

    @property
    def v2_url(self):
        return f"s3v2+http://127.0.0.1:{self.port}/{self.bucket}"

    def keys(self):
        """Access key and secret, for a test's own requests."""
        with open(self.credentials, encoding="ascii") as f:
            return re.search(r"id = (\S+)\n.*key = (\S+)\n", f.read()).groups()


class Clouds:
    def __init__(self, count=5, kind="ceph", tls=False):
        self.folder = tempfile.mkdtemp(prefix="qcloud-clouds-", dir=os.environ.get("QC_TMP"))
        # The watcher of the clouds reads the other end: it ends them when this process is gone.
        theirs, self.alive = os.pipe()
        try:
            self.fault("start", "--count", count, "--kind", kind, *(["--tls"] if tls else []), "--owner-fd", theirs,
                       pass_fds=(theirs,))
            told = json.loads(self.fault("status", "--json"))
        except BaseException:
            self.close()
            raise
        finally:
            os.close(theirs)
        self.ca = told["ca"]
        self.all = [Cloud(c) for c in told["clouds"]]

    def __getitem__(self, n):
        """Cloud n, from 1."""
        return self.all[n - 1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if os.path.exists(os.path.join(self.folder, "conf")):
            self.fault("destroy")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.alive)

    def fault(self, command, *words, **kw):
        """A command of tests/clouds/clouds; what it printed."""
        p = subprocess.run([SCRIPT, command, self.folder, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=300, check=False, **kw)
        if p.returncode != 0:
            raise RuntimeError(f"clouds {command} {words}: exit {p.returncode}\n{p.stderr.decode(errors='replace')}")
        return p.stdout.decode()

    def list(self, n):
        """{key: size} as the cloud's index has it; also while its gateway is down."""
        return {key: int(size) for size, key in (line.split(" ", 1) for line in self.fault("list", n).splitlines())}


def run(args):
    at = args.index("--")
    options, command = args[:at], args[at + 1:]
    value = lambda name, default: options[options.index(name) + 1] if name in options else default  # noqa: E731
    with Clouds(int(value("--count", 1)), value("--kind", "ceph"), "--tls" in options) as clouds:
        words = {"{ca}": clouds.ca}
        for c in clouds.all:
            words |= {f"{{url{c.n}}}": c.url, f"{{v2url{c.n}}}": c.v2_url, f"{{tlsurl{c.n}}}": c.tls_url,
                      f"{{credentials{c.n}}}": c.credentials}
        put = re.compile("|".join(map(re.escape, words)))
        return subprocess.run([put.sub(lambda m: words[m[0]], w) for w in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
