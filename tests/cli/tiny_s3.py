"""As much of S3 as a gateway asks of a bucket, in memory, with SigV4 checked: for tests of what stands before a server, not of servers."""
import datetime
import email.utils
import hashlib
import hmac
import http.server
import os
import re
import threading
import urllib.parse
from xml.sax.saxutils import escape


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class TinyS3:
    """bucket: the one there is; what lies in it: objects, {key: bytes}. credentials: the file for a gateway, made in `folder`."""
    def __init__(self, folder, bucket="fragments"):
        self.bucket, self.objects, self.lock = bucket, {}, threading.Lock()
        self.id, self.secret = "tiny", os.urandom(16).hex()
        self.credentials = os.path.join(folder, f"{bucket}.keys")
        with open(os.open(self.credentials, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(f"[keys]\naws_access_key_id = {self.id}\naws_secret_access_key = {self.secret}\n")
        tiny = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 120

            def do_GET(self):
                tiny.answer(self)
            do_PUT = do_HEAD = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):     # a link that breaks resets connections
                pass
        self.http = Server(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def signed(self, h, path, query):
        m = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$",
                     h.headers.get("Authorization", ""))
        if m is None or m[1] != self.id:
            return False
        _, day, region, names, signature = m.groups()
        lines = "".join(f"{n}:{' '.join(h.headers.get(n, '').split())}\n" for n in names.split(";"))
        pairs = sorted((urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~")) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = "\n".join([h.command, path, "&".join(f"{k}={v}" for k, v in pairs), lines, names, h.headers.get("x-amz-content-sha256", "")])
        text = "\n".join(["AWS4-HMAC-SHA256", h.headers.get("x-amz-date", ""), f"{day}/{region}/s3/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
        key = digest(digest(digest(digest(("AWS4" + self.secret).encode(), day), region), "s3"), "aws4_request")
        return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), signature)

    def answer(self, h):
        path, _, query = h.path.partition("?")
        body = h.rfile.read(int(h.headers.get("Content-Length") or 0))
        status, headers, data = self.do(h, path, query, body)
        h.send_response(status)
        for name, value in {"Last-Modified": email.utils.formatdate(usegmt=True), **headers}.items():
            h.send_header(name, value)
        if "Content-Length" not in headers and status != 204:
            h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        if h.command != "HEAD":
            h.wfile.write(data)

    @staticmethod
    def error(status, code):
        return status, {"Content-Type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'.encode()

    def do(self, h, path, query, body):
        if not self.signed(h, path, query):
            return self.error(403, "SignatureDoesNotMatch" if self.id in h.headers.get("Authorization", "") else "AccessDenied")
        parts = urllib.parse.unquote(path).lstrip("/").split("/", 1)
        if parts[0] != self.bucket:
            return self.error(404, "NoSuchBucket")
        key, wanted = parts[1] if len(parts) > 1 else "", dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        with self.lock:
            return self.of_object(h, key, body) if key else self.of_bucket(h, wanted)

    def of_bucket(self, h, wanted):
        if h.command == "HEAD":
            return 200, {}, b""
        if h.command != "GET" or any(k in wanted for k in ("versioning", "lifecycle", "object-lock", "policy", "acl", "location")):
            return self.error(501, "NotImplemented")
        most, after = int(wanted.get("max-keys", "1000")), wanted.get("continuation-token") or wanted.get("start-after") or wanted.get("marker") or ""
        keys = sorted(k for k in self.objects if k.startswith(wanted.get("prefix", "")) and k > after)
        cut = len(keys) > most
        keys = keys[:most]
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        rows = "".join(f"<Contents><Key>{escape(k)}</Key><LastModified>{now}</LastModified><ETag>&quot;{hashlib.md5(self.objects[k]).hexdigest()}&quot;</ETag>"
                       f"<Size>{len(self.objects[k])}</Size><StorageClass>STANDARD</StorageClass></Contents>" for k in keys)
        more = f"<NextContinuationToken>{escape(keys[-1])}</NextContinuationToken>" if cut and keys else ""
        return 200, {"Content-Type": "application/xml"}, (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{self.bucket}</Name><Prefix>{escape(wanted.get('prefix', ''))}</Prefix><KeyCount>{len(keys)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"<IsTruncated>{'true' if cut else 'false'}</IsTruncated>{more}{rows}</ListBucketResult>").encode()

    def of_object(self, h, key, body):
        if h.command == "PUT":
            if h.headers.get("If-None-Match") == "*" and key in self.objects:
                return self.error(412, "PreconditionFailed")
            self.objects[key] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
        if h.command == "DELETE":
            self.objects.pop(key, None)
            return 204, {}, b""
        if key not in self.objects:
            return self.error(404, "NoSuchKey")
        data = self.objects[key]
        headers = {"ETag": f'"{hashlib.md5(data).hexdigest()}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        m = re.match(r"bytes=(\d+)-(\d+)$", h.headers.get("Range", ""))
        if h.command == "HEAD":
            return 200, {**headers, "Content-Length": str(len(data))}, b""
        if m is None:
            return 200, headers, data
        first, last = int(m[1]), min(int(m[2]), len(data) - 1)
        if first >= len(data):
            return self.error(416, "InvalidRange")
        return 206, {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"}, data[first:last + 1]
