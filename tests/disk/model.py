"""A disk that may lose what was not synced: it follows a trace, and at any event gives a state that a power cut could leave.

What it promises is what POSIX promises and no more (docs/adr/0010):
 D1 bytes and size of a file survive once fsync or fdatasync of it returned; its mode once fsync returned;
 D2 later writes: each sector holds one of the contents that it had since; the size is one of those that it had since; where the file
    grew and its sector was not written there are zeros, or what lay on the disk before (junk);
 D3 names survive once fsync of their directory returned; later changes: each name independently is one of what it was since;
 D4 a rename is one step for its new name; the old name may stay, but never go without the new one being there;
 D5 fsync of a file says nothing of its name, fsync of a directory nothing of the files in it or of its own name;
 D6 what a failed fsync was to write is never written by a later one.
"""
import os

SECTORS = (512, 4096)
# (bytes, names): how what was not synced fares. "past": the disk stood still some time before the cut, but for what was synced. "one"
# (or "one:NAME"): of one file something came to the disk, of the others nothing.
MODES = (("lost", "lost"), ("all", "all"), ("lost", "all"), ("all", "lost"), ("zeros", "all"), ("junk", "all"), ("sectors", "random"),
         ("sectors", "all"), ("lost", "random"), ("last", "random"), ("torn", "all"), ("past", "past"), ("one", "all"))
MOST_OF_ALL = MODES[0]


class File:
    kind = "file"

    def __init__(self, ino, mode, content=b""):
        self.ino, self.mode, self.mode_synced = ino, mode, mode
        self.synced = bytes(content)        # what is sure to survive
        self.now = bytearray(content)
        self.pending = []                   # (at, offset, bytes) or (at, size, None), not synced
        self.mapped = False                 # changed behind the trace's back
        self.up = None                      # (directory, name) that it got last

    def write(self, at, off, data):
        self.pending.append((at, off, data))
        apply(self.now, off, data)

    def resize(self, at, n):
        self.pending.append((at, n, None))
        apply(self.now, n, None)

    def sync(self, failed, data_only):
        if not failed:
            if self.pending:
                old = bytearray(self.synced)
                for _, off, data in self.pending:
                    apply(old, off, data)
                self.synced = bytes(old)
            self.mode_synced = self.mode_synced if data_only else self.mode
        self.pending = []

    def cut(self, how, rng, sector, upto):
        """The bytes after a power cut."""
        if self.mapped:
            return rng.choice((b"", bytes(len(self.now)), rng.randbytes(len(self.now))))
        if not self.pending or how == "lost":
            return self.synced
        if how == "all":
            return bytes(self.now)
        out = bytearray(self.synced)
        if how in ("zeros", "junk"):
            grown = len(self.now) - len(out)
            return bytes(out[:len(self.now)]) + (rng.randbytes(max(grown, 0)) if how == "junk" else bytes(max(grown, 0)))
        if how == "last":
            apply(out, *self.pending[-1][1:])
        elif how == "past":
            for at, off, data in self.pending:
                if at < upto:
                    apply(out, off, data)
        elif how == "torn":     # in order, and the last one that came to the disk came in part
            n = rng.randrange(len(self.pending))
            for _, off, data in self.pending[:n]:
                apply(out, off, data)
            _, off, data = self.pending[n]
            if data:
                first = sector - off % sector
                apply(out, off, data[:first + sector * rng.randrange(len(data) // sector + 1)])
        else:
            self.sectors(out, rng, sector)
        return bytes(out)

    def sectors(self, out, rng, sector):
        """Each sector, and the size, stands as after some of the writes."""
        last = len(self.pending)
        kept = {}
        for i, (_, off, data) in enumerate(self.pending):
            p = 0
            while data and p < len(data):
                s = (off + p) // sector
                n = min(len(data) - p, (s + 1) * sector - off - p)
                if i < kept.setdefault(s, rng.choice((0, last, rng.randint(0, last)))):
                    apply(out, off + p, data[p:p + n])
                p += n
        size = bytearray(len(self.synced))
        for _, off, data in self.pending[:rng.choice((0, last, last, rng.randint(0, last)))]:
            apply(size, off, data)
        apply(out, len(size), None)


class Dir:
    kind = "dir"

    def __init__(self, ino, mode):
        self.ino, self.mode, self.mode_synced = ino, mode, mode
        self.now, self.synced, self.up = {}, {}, None
        self.pending = {}                   # name -> [Change], not synced

    def change(self, at, name, node, needs=None):
        c = Change(at, self, name, node, needs)
        self.pending.setdefault(name, []).append(c)
        if node is None:
            self.now.pop(name, None)
        else:
            self.now[name] = node
            node.up = (self, name)
        return c

    def sync(self, failed, _data_only):
        if failed:
            return                          # names stay in memory; a later sync may write them: journals do
        for name, changes in self.pending.items():
            if changes[-1].node is None:
                self.synced.pop(name, None)
            else:
                self.synced[name] = changes[-1].node
            for c in changes:
                c.durable = True
                if c.needs and not c.needs.durable:
                    c.needs.forced = True   # D4
        self.pending = {}
        self.mode_synced = self.mode


class Change:
    """name becomes node, or goes (None). needs: the change that must survive if this one does."""
    __slots__ = ("at", "dir", "name", "node", "needs", "durable", "forced")

    def __init__(self, at, dir, name, node, needs):
        self.at, self.dir, self.name, self.node, self.needs, self.durable, self.forced = at, dir, name, node, needs, False, False


def lay_down(state, to):
    """Write what Disk.cut gave into the directory `to`."""
    for path, perm, content in state:
        p = os.path.join(to, path)
        if content is None:
            os.mkdir(p, 0o700)
        elif isinstance(content, str):
            os.link(os.path.join(to, content), p)
        else:
            fd = os.open(p, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(fd, content)
            os.fchmod(fd, perm)
            os.close(fd)
    for path, perm, content in reversed(state):
        if content is None:
            os.chmod(os.path.join(to, path), perm)


def apply(b, off, data):
    """A write at off, or (None) the size off."""
    if data is None:
        if off < len(b):
            del b[off:]
        else:
            b.extend(bytes(off - len(b)))
    elif data:
        if off > len(b):
            b.extend(bytes(off - len(b)))
        b[off:off + len(data)] = data


class Disk:
    """root: a directory; tops: those below it that lose power, whether they are there when the trace begins or not."""

    def __init__(self, root, tops):
        self.root = root
        self.nodes, self.tops = {}, {}
        self.foreign = []
        for t in tops:
            if os.path.isdir(os.path.join(root, t)):
                self.tops[t] = self.scan(os.path.join(root, t))
        top = os.stat(root)
        self.top = Dir(top.st_ino, top.st_mode & 0o7777)
        for t, node in self.tops.items():
            node.up = (self.top, t)
        self.top.now, self.top.synced = dict(self.tops), dict(self.tops)
        self.nodes[top.st_ino] = self.top

    def scan(self, path):
        st = os.lstat(path)
        node = Dir(st.st_ino, st.st_mode & 0o7777)
        self.nodes[st.st_ino] = node
        for e in os.scandir(path):
            st = e.stat(follow_symlinks=False)
            if e.is_dir(follow_symlinks=False):
                child = self.scan(e.path)
            elif e.is_file(follow_symlinks=False):
                child = self.nodes.get(st.st_ino)
                if child is None:
                    with open(e.path, "rb") as f:
                        child = File(st.st_ino, st.st_mode & 0o7777, f.read())
            else:
                continue
            self.nodes[st.st_ino] = child
            node.now[e.name] = node.synced[e.name] = child
            child.up = (node, e.name)
        return node

    # ------------------------------------------------------------ following the trace
    def follow(self, e):
        getattr(self, "on_" + e.op, lambda e: None)(e)

    def on_make(self, e):
        d = self.nodes.get(e.dir)
        self.nodes.pop(e.ino, None)
        if d is not None:
            self.nodes[e.ino] = File(e.ino, e.n)
            d.change(e.at, e.name, self.nodes[e.ino])

    def on_nameless(self, e):
        self.nodes[e.ino] = File(e.ino, e.n)

    def on_mkdir(self, e):
        d = self.nodes.get(e.dir)
        self.nodes.pop(e.ino, None)
        if d is not None:
            self.nodes[e.ino] = Dir(e.ino, e.n)
            d.change(e.at, e.name, self.nodes[e.ino])

    def on_write(self, e):
        if e.ino in self.nodes:
            self.nodes[e.ino].write(e.at, e.off, e.data)

    def on_size(self, e):
        if e.ino in self.nodes:
            self.nodes[e.ino].resize(e.at, e.n)

    def on_reserve(self, e):
        f = self.nodes.get(e.ino)
        if f is not None and not e.dir and e.off + e.n > len(f.now):
            f.resize(e.at, e.off + e.n)

    def on_mode(self, e):
        if e.ino in self.nodes:
            self.nodes[e.ino].mode = e.n

    def on_link(self, e):
        d, node = self.nodes.get(e.dir), self.nodes.get(e.ino)
        if d is not None and node is not None:
            d.change(e.at, e.name, node)

    def on_rename(self, e):
        d, d2, node = self.nodes.get(e.dir), self.nodes.get(e.dir2), self.nodes.get(e.ino)
        if node is None:
            return
        new = d2.change(e.at, e.name2, node) if d2 is not None else None
        if d is not None:
            d.change(e.at, e.name, None, new)

    def on_unlink(self, e):
        d = self.nodes.get(e.dir)
        if d is not None and e.name in d.now:
            d.change(e.at, e.name, None)

    on_rmdir = on_unlink

    def on_sync(self, e):
        if e.ino in self.nodes:
            self.nodes[e.ino].sync(e.os != 0, e.n == 1)

    def on_sync_all(self, _):
        for node in self.nodes.values():
            node.sync(False, False)

    def on_map(self, e):
        if e.ino in self.nodes:
            self.nodes[e.ino].mapped = True

    def on_foreign(self, e):
        self.foreign.append(e.name)

    @staticmethod
    def path_of(node):
        """The path below root that the node got last; "." is root, "" a file that never had a name."""
        parts = []
        while node.up:
            parts.append(node.up[1])
            node = node.up[0]
        return "/".join(reversed(parts)) or ("" if node.kind == "file" else ".")

    # ------------------------------------------------------------ the power cut
    def cut(self, mode, rng, at):
        """A state after a cut at event `at`: [(path below the root, mode, bytes)], None for a directory, a path for a further name of
        the file that has it."""
        data, names = mode
        data, _, name = data.partition(":")
        sector, upto = rng.choice(SECTORS), rng.randint(max(at - 60, 0), at)
        dirty = [n for n in self.nodes.values() if n.kind == "file" and n.pending and n.up and name in ("", n.up[1])]
        one = rng.choice(dirty) if data == "one" and dirty else None
        chosen = self.choose(names, rng, upto)
        made, out = {}, []

        def lay(d, path):
            entries = dict(d.synced)
            for name, changes in d.pending.items():
                n = chosen[(id(d), name)]
                if n > 0:
                    entries[name] = changes[n - 1].node
            for name, node in sorted(entries.items()):
                if node is None:
                    continue
                p = os.path.join(path, name)
                perm = node.mode_synced if data == "lost" else node.mode
                if node.kind == "dir":
                    out.append((p, perm, None))
                    lay(node, p)
                elif node in made:
                    out.append((p, perm, made[node]))
                else:
                    made[node] = p
                    how = data if data != "one" else "sectors" if node is one else "lost"
                    out.append((p, perm, node.cut(how, rng, sector, upto)))

        lay(self.top, "")
        return out

    def choose(self, names, rng, upto):
        """For each name with changes: how many of them survived."""
        dirs, seen = [self.top], set()
        chosen, all_changes = {}, {}
        while dirs:
            d = dirs.pop()
            if id(d) in seen:
                continue
            seen.add(id(d))
            dirs.extend(n for n in (*d.synced.values(), *(c.node for cs in d.pending.values() for c in cs)) if n and n.kind == "dir")
            for name, changes in d.pending.items():
                last = len(changes)
                least = max((i + 1 for i, c in enumerate(changes) if c.forced), default=0)
                n = (0 if names == "lost" else last if names == "all" else rng.choice((0, last, rng.randint(0, last)))
                     if names == "random" else sum(c.at < upto for c in changes))
                chosen[(id(d), name)] = max(n, least)
                all_changes[(id(d), name)] = changes
        stable = False
        while not stable:                   # D4
            stable = True
            for key, n in list(chosen.items()):
                for c in all_changes[key][:n]:
                    if c.needs is None or c.needs.durable:
                        continue
                    other = (id(c.needs.dir), c.needs.name)
                    if other in chosen:
                        least = all_changes[other].index(c.needs) + 1
                        if chosen[other] < least:
                            chosen[other], stable = least, False
        return chosen

    # ------------------------------------------------------------ does the trace tell the truth?
    def differences(self, skip=lambda name: False):
        """What of the real tree is not as the trace says: a change that was not recorded."""
        out = []

        def walk(d, path):
            real = {e.name: e for e in os.scandir(path) if e.is_dir(follow_symlinks=False) or e.is_file(follow_symlinks=False)}
            for name in sorted(set(real) | set(d.now)):
                p = os.path.join(path, name)
                if skip(p):
                    continue
                if name not in real or name not in d.now:
                    out.append(f"{p}: {'is' if name in real else 'is not'} on the disk, {'is' if name in d.now else 'is not'} in the trace")
                elif d.now[name].kind == "dir":
                    walk(d.now[name], p)
                else:
                    with open(p, "rb") as f:
                        if not d.now[name].mapped and f.read() != d.now[name].now:
                            out.append(f"{p}: its bytes differ from the trace's")
                    if os.stat(p).st_mode & 0o7777 != d.now[name].mode:
                        out.append(f"{p}: mode {os.stat(p).st_mode & 0o7777:o}, {d.now[name].mode:o} in the trace")

        walk(self.top, self.root)
        return out
