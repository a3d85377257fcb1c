"""What the gateway costs on S3 clouds, beside what the servers cost: five Ceph gateways on this machine (tests/clouds), EC(3,5), a random
file. A whole put or get over loopback measures Ceph; the processor time of each program is what can be compared. Used by run.py."""
import os
import statistics

from clouds import Clouds
from s3box import S3Box

WAYS = {"s3+http": (range(1, 6), "five of Ceph, plain"), "s3+https": (range(6, 11), "five of Ceph, TLS")}
FIELDS = ("client", "gateway", "servers")


def servers(clouds):
    """Processes of the cluster: monitor, OSD, gateways."""
    for name in os.listdir(os.path.join(clouds.folder, "pid")):
        with open(os.path.join(clouds.folder, "pid", name), encoding="ascii") as f:
            yield int(f.read().split()[0])


def one(bench, clouds, box, *args):
    """Processor seconds of client, gateway and servers for one command."""
    pid = bench.gateway_of(box)
    before = bench.cpu_s(pid), sum(map(bench.cpu_s, servers(clouds)))
    client = bench.Command(box, *args).wait().cpu
    return client, bench.cpu_s(pid) - before[0], sum(map(bench.cpu_s, servers(clouds))) - before[1]


def measure(out, bench, size, runs):
    """bench: the module run.py. MB (10^6 bytes) are those of the user; a put writes 5/3 as much."""
    seen = {}
    with Clouds(10, tls=True) as clouds:
        boxes = {way: S3Box(clouds, scheme=way, numbers=numbers) for way, (numbers, _) in WAYS.items()}
        try:
            source = os.path.join(boxes["s3+http"].work, "source")
            bench.random_file(source, size)
            for box in boxes.values():
                box.init()
            for run in range(runs):
                for way, box in boxes.items():      # interleaved: what drifts meets both alike
                    for name, args in (("put", ("put", source, f"object-{run}")), ("get", ("get", f"object-{run}", "-"))):
                        seen.setdefault((way, name), []).append(one(bench, clouds, box, *args))
        finally:
            for box in boxes.values():
                box.__exit__()
    for (way, name), rows in seen.items():
        middle = [statistics.median(column) for column in zip(*rows)]
        out.add("cloud_cpu", clouds=WAYS[way][1], name=name, mib=size >> 20, runs=runs,
                **{f"{field}_cpu_ms_per_mb": round(1e9 * s / size, 3) for field, s in zip(FIELDS, middle)},
                gateway_to_servers=round(statistics.median(g / s for _, g, s in rows), 3))
