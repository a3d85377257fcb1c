"""A vault on real S3 clouds, driven only through the programs. See clouds.py and harness.py."""
import contextlib
import re

from harness import Box, check


class S3Box(Box):
    def __init__(self, clouds, k=3, scheme="s3+http", numbers=None):
        """numbers: of the clouds that it uses; all. Cloud N is called cN."""
        self.s3, self.scheme = clouds, scheme
        self.used = [clouds[n] for n in numbers] if numbers else clouds.all
        super().__init__(k, len(self.used))

    def url(self, cloud):
        if self.scheme.startswith("s3v2"):
            return cloud.v2_url
        return f"{cloud.tls_url}&ca={self.s3.ca}" if self.scheme == "s3+https" else cloud.url

    def keys(self):
        return [w for c in self.used for w in ("--cloud-credentials", f"c{c.n}={c.credentials}")]

    def init(self, *extra):
        clouds = [w for c in self.used for w in ("--cloud", f"c{c.n}={self.url(c)}")]
        return self.expect(0, "init", "--local", *clouds, *self.keys(), "--k", str(self.k), "--share1", self.stores[0], "--share2", self.stores[1],
                           "--no-passphrase", *extra)

    def fragment(self, n, least=0):
        """The key of a fragment on cloud n of more than `least` bytes."""
        return next(k for k, size in sorted(self.s3.list(n).items()) if k.startswith("f/") and size > least)

    def said(self, p, code, *patterns):
        """The message of a command that ended so has three parts (what happened, what it means for the data, what to run next),
        and its first line matches each pattern."""
        text = p.stderr.decode(errors="replace")
        lines = text.splitlines()
        at = [i for i, line in enumerate(lines) if re.search(rf"\b{code}\b", line)]
        check(at and len(lines) > at[-1] + 2, f"no {code} of three parts in:\n{text}")
        what, data, following = lines[at[-1]:at[-1] + 3]
        check(data.startswith("  data: ") and following.startswith("  next: "), f"{code} has not three parts:\n{text}")
        for pattern in patterns:
            check(re.search(pattern, what), f"{code} does not say '{pattern}':\n{text}")

    def status_says(self, code, **causes):
        """status ends with this code, and its line of each cloud matches."""
        text = self.expect(code, "status").stdout.decode()
        for name, pattern in causes.items():
            check(re.search(rf"^ +{name} +{pattern}", text, re.M), f"status does not say '{pattern}' of {name}:\n{text}")

    def same(self, name, data, code=0, **kw):
        got = self.get(name, code=code, **kw)
        check(got == data, f"{name}: {'nothing' if got is None else f'{len(got)} bytes'} came back, expected {len(data)}")

    @contextlib.contextmanager
    def down(self, *numbers):
        """The gateways of these clouds are dead inside the block."""
        for n in numbers:
            self.s3.fault("kill", n)
        try:
            yield
        finally:
            for n in numbers:
                self.s3.fault("restart", n)
