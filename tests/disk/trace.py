"""The trace of libqc_disk.so (recorder.c): making it, reading it, telling the recorder which calls shall fail."""
import collections
import errno
import mmap
import os
import struct

MAGIC = 0x4B5349442D4351
HEAD = struct.Struct("<15Q")    # magic size used count dev ready full | kinds os at from seen struck | file_dev | kill
EVENT = struct.Struct("<IHHHHiiIQQQQQ")
EVENTS = 4096
OPS = ("", "start", "end", "make", "nameless", "mkdir", "write", "size", "reserve", "mode", "link", "rename", "unlink", "rmdir",
       "sync", "sync_all", "map", "struck", "foreign")
SPACE, SYNC = 1, 2

Event = collections.namedtuple("Event", "at op pid os ino dir dir2 off n name name2 data")


class Trace:
    """A trace on its way or whole. `at` of an event is its number, from 0. of: a directory; what lies on its device is recorded."""

    def __init__(self, path, of=None, size=1 << 30):
        self.path = path
        new = of is not None
        fd = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        try:
            if new:
                os.truncate(fd, size)
            self.map = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
        if new:
            HEAD.pack_into(self.map, 0, MAGIC, size, 0, 0, os.stat(of).st_dev, *[0] * 8, os.stat(path).st_dev, 0)
        self.read_to, self.read_count = EVENTS, 0

    def close(self):
        self.map.close()

    def head(self):
        return HEAD.unpack_from(self.map, 0)

    @property
    def count(self):
        return self.head()[3]

    def fail(self, kinds, os=errno.ENOSPC, at=1, forever=False):
        """From now on the at-th call of these kinds fails; kinds = 0: none."""
        struct.pack_into("<6Q", self.map, 7 * 8, kinds, os, at, forever, 0, 0)

    def kill(self, at):
        """The process that makes the change number `at` from now on dies right after it; 0: none does."""
        struct.pack_into("<Q", self.map, 14 * 8, self.count + at if at else 0)

    def struck(self):
        """(calls that were counted, calls that failed) since fail()."""
        return self.head()[11:13]

    def events(self):
        """Those that came since the last call."""
        head = self.head()
        assert head[0] == MAGIC and not head[6], "the trace is full"
        out = []
        while self.read_to < EVENTS + head[2]:
            size, op, n1, n2, _, pid, err, nd, ino, d1, d2, off, n = EVENT.unpack_from(self.map, self.read_to)
            p = self.read_to + EVENT.size
            out.append(Event(self.read_count, OPS[op], pid, err, ino, d1, d2, off, n, os.fsdecode(self.map[p:p + n1]),
                             os.fsdecode(self.map[p + n1:p + n1 + n2]), self.map[p + n1 + n2:p + n1 + n2 + nd]))
            self.read_to += size
            self.read_count += 1
        return out
