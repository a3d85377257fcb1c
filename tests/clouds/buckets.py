#!/usr/bin/python3
"""Wait for clouds and make their buckets. Lines of stdin: N PORT ACCESS SECRET.

Signs by SigV2 (HMAC-SHA1), which Ceph and Swift take beside SigV4 and which fits in a few lines.
"""
import base64
import email.utils
import hashlib
import hmac
import http.client
import sys
import time

LIMIT_S = 120      # Swift reads two seconds of Python for each process, on a busy machine much longer


def ask(port, access, secret, method, path):
    date = email.utils.formatdate(usegmt=True)
    mac = hmac.new(secret.encode(), f"{method}\n\n\n{date}\n{path}".encode(), hashlib.sha1).digest()
    c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    c.request(method, path, headers={"Date": date, "Content-Length": "0",
                                     "Authorization": f"AWS {access}:{base64.b64encode(mac).decode()}"})
    r = c.getresponse()
    return r.status, r.read().decode(errors="replace")


def make(n, *cloud):
    status, text = ask(*cloud, "PUT", f"/cloud-{n}")
    if status != 200 and "BucketAlreadyOwnedByYou" not in text:
        sys.exit(f"clouds: cloud {n}: no bucket: status {status}: {text}")
    status, text = ask(*cloud, "GET", f"/cloud-{n}")
    if status != 200:
        sys.exit(f"clouds: cloud {n}: a bucket that is not there: status {status}: {text}")


def main():
    end = time.monotonic() + LIMIT_S
    for line in sys.stdin:
        cloud = line.split()
        while True:
            try:
                make(*cloud)
                break
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    sys.exit(f"clouds: cloud {cloud[0]} does not listen")
                time.sleep(0.02)


main()
