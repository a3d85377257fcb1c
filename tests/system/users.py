"""Users of one gateway: the daemon of tests/api/server.py, and a directory with a token for each of them."""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "tests", "api"))
import server as api  # noqa: E402
from harness import Box  # noqa: E402


def said(p):
    return (p.stdout + p.stderr).decode(errors="replace")


class User(Box):
    """Somebody with a token, and a directory of their own beneath the gateway's."""

    def __init__(self, server, name, url, *options, limits=()):
        super().__init__(root=server.root)
        self.server, self.name, self.url, self.options = server, name, url, options
        self.token = os.path.join(server.root, name + ".token")
        if name not in server.tokens:
            server.add(name, *limits)

    def init(self, *extra, code=0):
        return self.expect(code, "init", "--gateway", self.url, "--token-file", self.token, "--share1", self.stores[0], "--share2", self.stores[1],
                           *self.options, *extra)


__all__ = ["User", "api", "said"]
