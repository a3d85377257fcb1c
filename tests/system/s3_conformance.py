#!/usr/bin/python3
"""The one conformance suite on real S3: a Ceph gateway; with QC_FULL=1 five of them by TLS, and OpenStack Swift."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from clouds import Clouds  # noqa: E402
from harness import FULL, check  # noqa: E402

SUITE = os.environ["QC_SUITE"]


def run(count, kind, tls):
    with Clouds(count, kind, tls) as clouds:
        urls = [f"{c.tls_url}&ca={clouds.ca}" if tls else c.url for c in clouds.all]
        suites = [subprocess.Popen([SUITE, u, c.credentials], stderr=subprocess.PIPE) for u, c in zip(urls, clouds.all)]
        for suite, url in zip(suites, urls):
            _, told = suite.communicate(timeout=1500)
            check(suite.returncode == 0, f"{url}: exit {suite.returncode}\n{told.decode(errors='replace')}")
            print(f"{kind}: {url}: conforms")


run(1, "ceph", False)
if FULL:
    run(5, "ceph", True)
    run(1, "swift", False)
