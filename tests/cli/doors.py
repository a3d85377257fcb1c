"""A door between a client and a gateway for many users: it forwards, or lies."""
import contextlib
import http.client
import re
import socket
import threading

PATIENCE_S = 60                 # a command has ten for a first word, and the machine may be busy


class Door:
    """In front of a gateway: answers what lie says where it matches, forwards everything else. Sees what comes in."""

    def __init__(self, port, matches="$^", lie=b""):
        self.port, self.matches, self.lie, self.asked, self.lied = port, re.compile(matches), lie, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, s):
        s.settimeout(PATIENCE_S)
        with s, s.makefile("rb") as f, contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                line = f.readline(65536).split()
                if len(line) != 3:
                    return
                headers = http.client.parse_headers(f)
                body = f.read(int(headers.get("Content-Length", 0)))
                self.asked += 1
                if self.matches.match(line[1].decode()):
                    self.lied += 1
                    for piece in [self.lie] if isinstance(self.lie, bytes) else self.lie():
                        s.sendall(piece)
                    return
                s.sendall(self.forward(line[0].decode(), line[1].decode(), body, headers))

    def forward(self, method, path, body, headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            c.request(method, path, body, {k: v for k, v in headers.items() if k in ("Authorization", "Content-Type", "Range")})
            r = c.getresponse()
            data = self.altered(method, path, r.read(), r.status)
            return f"HTTP/1.1 {r.status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
        finally:
            c.close()

    def altered(self, _method, _path, data, _status):
        """The body of an answer, or another one: for who inherits."""
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
