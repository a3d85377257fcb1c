"""A test's own requests to a cloud, as an operator makes them: signed by SigV2, which is a few lines."""
import base64
import email.utils
import hashlib
import hmac
import http.client

from harness import check


def ask(cloud, method, what, body=b"", **amz):
    """what: a key, or "?acl" and its like for the bucket; amz: x-amz- headers. The answer's body."""
    access, secret = cloud.keys()
    date, path = email.utils.formatdate(usegmt=True), f"/{cloud.bucket}" + (what if what.startswith("?") else "/" + what)
    headers = {f"x-amz-{k.replace('_', '-')}": v for k, v in amz.items()}
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode() if body else ""
    text = "\n".join([method, md5, "", date, *(f"{k}:{v}" for k, v in sorted(headers.items())), path])
    mac = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    c = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    c.request(method, path, body, {**headers, "Date": date, "Authorization": f"AWS {access}:{mac}", **({"Content-MD5": md5} if md5 else {})})
    r = c.getresponse()
    got = r.read()
    check(r.status < 300, f"{method} {what}: status {r.status}: {got[:300]}")
    return got
