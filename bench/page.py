#!/usr/bin/python3
"""docs/PERFORMANCE.md from the lines that bench/run.sh wrote. Usage: bench/page.py RESULTS.jsonl [MORE.jsonl...] >docs/PERFORMANCE.md"""
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model        # noqa: E402

KERNELS = [
    ("memcpy", "memcpy, from memory"), ("gcm_seal", "AES-256-GCM, seal"), ("gcm_open", "AES-256-GCM, open"), ("gmac", "GMAC"),
    ("sha256", "SHA-256"), ("hmac", "HMAC-SHA-256"), ("qrng_bulk", "bulk randomness, generator"), ("xor", "XOR of two buffers"),
    ("xor23_split", "(2,3) by XOR, three shares"), ("xor23_join", "(2,3) by XOR, two shares joined"),
    ("xor23_files", "the same into three share files: randomness and tags with it"), ("xor23_restore", "two share files verified and joined"),
    ("ec_encode", "EC(3,5), encode"), ("ec_decode", "EC(3,5), decode two lost pieces"),
    ("seal", "a chunk of 1 MiB sealed: GCM, second tag, key"), ("open", "a chunk of 1 MiB verified and opened"), ("tcp", "loopback TCP"),
    ("unix", "UNIX socket"), ("cache", "page cache, read"), ("disk", "disk, files of 32 MiB, each fsynced"),
    ("disk_direct", "the same past the page cache (O_DIRECT)"),
]
CALLS = [("small_seal", "GCM of 64 bytes"), ("small_hkdf", "HKDF, 32 bytes"), ("small_key", "HKDF into locked memory"), ("small_siv", "a name's component sealed")]
NAMES = {"put": "put", "get": "get", "get_share_lost": "get with a share store lost", "get_file": "get into a file, synced"}


def median_of(lines, **want):
    v = [x[key] for x in lines for key in ("gb_per_s", "us") if key in x and all(x.get(k) == w for k, w in want.items())]
    return statistics.median(v) if v else None


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for r in rows:
        yield "| " + " | ".join(r) + " |"
    yield ""


def machine(lines):
    m = next(x for x in lines if x["kind"] == "machine")
    yield (f"Measured {m['when']} on {m['cpu']} ({', '.join(m['flags'])}), {m['used']} of {m['cores']} cores used, {m['memory_gib']} GiB of memory, "
           f"Linux {m['kernel']}, {m['file_system']}; load average {m['load']} when it began. Such machines are shared and noisy: the ratios are meant, "
           "each against a ceiling of the same run. GB are 10^9 bytes.")
    yield ""


def whole_path(lines):
    got = model.ratios(lines)
    if not got:
        return
    size = next(x["mib"] for x in lines if x["kind"] == "path")
    runs = len(next(iter(got.values()))[3])
    yield "## The whole path"
    yield (f"A random file of {size} MiB, five directory clouds on one disk, EC(3,5), everything durable, client and gateway together on two cores. "
           f"{runs} run{'s' if runs > 1 else ''}, interleaved with the ceilings; medians.")
    yield ""
    floors = {name: (floor, what) for name, floor, what in model.RATIOS}
    yield from table(["", "GB/s", "ceiling, GB/s", "ratio", "floor", "the ceiling"],
                     [[NAMES[n], f"{rate:.2f}", f"{top:.2f}", f"**{ratio:.2f}**", f"{floors[n][0]:.2f}" if floors[n][0] else "", floors[n][1]]
                      for n, (ratio, rate, top, _) in got.items()])
    cpu = [[NAMES[n], *(f"{statistics.median(x[k] for x in lines if x.get('name') == n and k in x):.2f}" for k in ("client_cpu_s_per_gib", "gateway_cpu_s_per_gib"))]
           for n in got]
    yield "Processor seconds per GiB of data, system calls included:"
    yield ""
    yield from table(["", "client", "gateway"], cpu)


def kernels(lines):
    rows = [[text, f"{median_of(lines, name=n):.1f}"] for n, text in KERNELS if median_of(lines, name=n)]
    yield "## What one core can do"
    yield from table(["", "GB/s"], rows)
    yield from table(["one call", "µs"], [[text, f"{median_of(lines, name=n):.2f}"] for n, text in CALLS if median_of(lines, name=n)])


def peaks(lines):
    rows = [[x["what"], f"{x['client']:.0f}", f"{x['gateway']:.0f}"] for x in lines if x["kind"] == "peak"]
    if rows:
        yield "## Memory"
        yield f"Most that was ever resident (VmHWM), MiB; the greatest of the clients at once. Limits: {model.PEAKS[0][1]} and {model.PEAKS[1][1]}."
        yield ""
        yield from table(["", "client", "gateway"], rows)


def ranges(lines):
    rows = [[f"{x['bytes']:,} of {x['mib']:,} MiB", f"{x['fetched']:,}", f"{x['gateway_read']:,}", f"{x['ms']:.0f}", f"{x['whole_ms']:.0f}"] for x in lines if x["kind"] == "range"]
    if rows:
        yield "## A part of an object"
        yield "`qcloud cat --range`, at places drawn by lot: bytes that the client asks of the gateway, and that the gateway reads; milliseconds, start and end of the command included."
        yield ""
        yield from table(["bytes", "fetched", "read by the gateway", "ms", "all of it, ms"], rows)


def small(lines):
    rows = [[x["name"], f"{x['files']:,}", f"{x['ms_per_file']:.1f}", f"{x['client_cpu_ms']:.1f}", f"{x['gateway_cpu_ms']:.1f}"] for x in lines if x["kind"] == "small"]
    if rows:
        yield "## Small files"
        yield "Files of 4 KiB in one command; each is an object of its own, durable on five clouds with a commit record on three."
        yield ""
        yield from table(["", "files", "ms each", "client, cpu ms", "gateway, cpu ms"], rows)
        objects = [x for x in lines if x["kind"] == "small" and x["name"] == "put" and "objects" in x]
        if objects:
            yield f"After the put {objects[0]['objects']:,} objects are on the five clouds together."
    beside = [x for x in lines if x["kind"] in ("small", "small_other")]
    if any(x["kind"] == "small_other" for x in beside):
        yield "The same tree by others (`bench/run.sh --trees`), new to each; what is stored and what is fetched is on the disk when the clock stops. ms each, medians."
        yield ""
        tools = list(dict.fromkeys(x.get("tool", "qcloud, five directories") for x in beside))
        yield from table(["", "store", "fetch"], [[t, *(f"{statistics.median(x['ms_per_file'] for x in beside if x.get('tool', 'qcloud, five directories') == t and x['name'] == n):.2f}"
                                                        for n in ("put", "get"))] for t in tools])


def unchanged(lines):
    rows = [[x["tool"], f"{x['files']:,}", f"{x['seconds']:.2f}", f"{x['most']:.2f}", f"{x['cpu_s']:.2f}" if "cpu_s" in x else ""] for x in lines if x["kind"] == "unchanged"]
    if rows:
        yield "## Where nothing has changed"
        yield "Made by `bench/run.sh --unchanged`. A second run over a tree of files of 4 KiB; each tool with what it keeps of the run before. Seconds, medians and the most; processor seconds of client and gateway."
        yield ""
        yield from table(["", "files", "s", "at most", "cpu s"], rows)


def others(lines):
    tools = list(dict.fromkeys(x["tool"] for x in lines if x["kind"] == "other"))
    if tools:
        yield "## What one would take instead"
        yield "The same file, new to each; a store ends with a sync of the file system, a fetch goes to /dev/null from a warm cache. GB/s, medians."
        yield ""
        rows = [[t, *(f"{statistics.median(x[k] for x in lines if x.get('tool') == t):.2f}" for k in ("put_gb_per_s", "get_gb_per_s"))] for t in tools]
        yield from table(["", "store", "fetch"], rows)


def cloud_cpu(lines):
    rows = [[x["clouds"], x["name"], *(f"{x[k]:.1f}" for k in ("client_cpu_ms_per_mb", "gateway_cpu_ms_per_mb", "servers_cpu_ms_per_mb")), f"{x['gateway_to_servers']:.2f}"]
            for x in lines if x["kind"] == "cloud_cpu"]
    if rows:
        yield "## Beside the clouds' own work"
        yield "Processor milliseconds per MB of data (10^6 bytes), when the clouds are servers on the same machine."
        yield ""
        yield from table(["clouds", "", "client", "gateway", "the servers", "gateway / servers"], rows)


LINK_NAMES = {"kernel": "XOR and Poly1305 of 64 KiB, pad from memory", "tcp": "plain TCP", "otp_link": "frames under one-time pad",
              "otp_link_hidden": "frames that hide their lengths", "tls": "TLS 1.3 by certificates", "qkd_tls": "TLS 1.3 keyed by QKD",
              "qkd_tls_rekeyed": "the same, 100 new keys a second"}


def links(lines):
    begun = next((x for x in lines if x["kind"] == "links"), None)
    if begun is None:
        return
    rows = [[LINK_NAMES[x["name"]], f"{x['gbit_per_cpu_s']:.1f}", f"{x['gbit_per_s']:.1f}"] for x in lines if x["kind"] == "link" and "gbit_per_s" in x]
    yield "## Links"
    yield (f"Made by `bench/run.sh --links`; measured {begun['when']}, load average {begun['load']} when it began. Over loopback TCP, a thread at each end, each on a core of its own; keys and pad in memory. "
           f"Medians of rounds in which all kinds have their turn: {begun['otp'][1]} of {begun['otp'][0]} MiB for one-time pads, {begun['tls'][1]} of {begun['tls'][0]} MiB for TLS. Gb are 10^9 bits; by the "
           "processor time of the end that used more, which is what a core does where nobody else is, and by the clock, in which the machine's other work is. "
           "Pad is read from 64 MiB at each end, more than the caches hold; that a link takes it into locked memory and wipes it is in its figures, and not in those of the kernel. "
           "(More than 1: with nothing to compute, the receiver of plain TCP goes to sleep, and is woken, twice as often as the link's.) "
           "New keys: in forty connections, slices of 0.12 s with them and without in turns, each beside its neighbour; the interval counts those of one connection together. Sockets of both kinds have TCP_NODELAY, as a link's, and Reno. " +
           ("Both threads ran before all else that the machine does (SCHED_FIFO). " if begun.get("first") else "") +
           "What was disturbed (the threads were ready, and had no core, for a thirty-second part of the time) was measured anew.")
    yield ""
    yield from table(["", "Gb/s of a core", "Gb/s by the clock"], rows)
    found = {(x["level"], x["name"]): x for x in lines if x["kind"] == "link"}
    held = [(what, found[level, name], bound, name) for level, name, bound, what in model.LINKS if (level, name) in found]
    yield from table(["", "floor or limit", "by processor time", "95 % interval", "", "by the clock", "95 % interval", "", "of", "anew", "disturbed"],
                     [[what, f"{'at most' if name == 'rekey' else 'at least'} {bound}", f"**{x['of']:.3f}**", f"{x['low']:.3f} to {x['high']:.3f}", model.link_verdict(x),
                       f"**{x['by_clock']:.3f}**", f"{x['clock_low']:.3f} to {x['clock_high']:.3f}", model.link_verdict(x, "clock_"),
                       f"{x['times']} {'pairs' if name == 'rekey' else 'rounds'}", str(x["again"]), str(x["disturbed"])]
                      for what, x, bound, name in held])


SITE_NAMES = {"store": "store: shares, tags, frames for three", "restore": "restore: frames of two, tags, data", "disk": "store, with shares and pads on one disk"}


def sites(lines):
    begun = next((x for x in lines if x["kind"] == "sites"), None)
    if begun is None:
        return
    found = [x for x in lines if x["kind"] == "site"]
    missed = [what for what, _, _, ok in model.verdicts(lines) if not ok]
    yield "## Three sites"
    yield (f"Made by `bench/run.sh --xor23`; measured {begun['when']}, load average {begun['load']} when it began. {begun['mib']} MiB by the profile xor23, each site behind a link at otp, "
           f"this end alone, pads in memory or on the disk; medians of {begun['rounds']} rounds. Gb are 10^9 bits of data. What is in and what is out: heads of bench/xor23.c and bench/xor23_disk.c. The papers have 0.356 (store) and "
           "0.502 (restore) with a network between.")
    yield ""
    yield from table(["", "Gb/s by the clock", "Gb/s of two cores' processor time", "the disk's model, Gb/s"],
                     [[SITE_NAMES[x["name"]], f"{x['gbit_per_s']:.2f}", f"{x['two_cores']:.2f}", f"{x['model']:.2f}" if "model" in x else ""] for x in found])
    yield from table(["", "median", "floor"], [[what, f"**{x[member]:.2f}**{' (missed)' if what in missed else ''}", str(floor)]
                                               for name, member, floor, what in model.SITES for x in found if x["name"] == name])


def main():
    lines = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as f:
            lines += [json.loads(x) for x in f]
    print("# Performance\n")
    print("Made by `bench/run.sh --memory --compare --clouds --out FILE && bench/run.sh --links --out MORE && bench/run.sh --xor23 --out SITES && bench/page.py FILE MORE SITES >docs/PERFORMANCE.md`; do not edit. How to measure and to profile: "
          "[HACKING](HACKING.md#measure-and-profile); why the paths are as they are: [adr/0011](adr/0011-past-the-page-cache.md).\n")
    for part in (machine, whole_path, ranges, peaks, small, unchanged, others, cloud_cpu, links, sites, kernels):
        for line in part(lines):
            print(line)


if __name__ == "__main__":
    main()
