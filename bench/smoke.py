#!/usr/bin/python3
"""bench/smoke: run.sh --quick, with and without --links and --xor23, measures every kind of thing, and page.py makes every part of the page. No figure is judged."""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FULL = os.environ.get("QC_FULL") == "1"
KINDS = {"machine", "kernel", "path", "range", "peak", "small", "links", "link", "sites", "site"}
PARTS = ["The whole path", "A part of an object", "Memory", "Small files", "Links", "Three sites", "What one core can do"]


def main():
    with tempfile.TemporaryDirectory(prefix="qcloud-bench-") as top:
        outs = [os.path.join(top, "results.jsonl"), os.path.join(top, "links.jsonl"), os.path.join(top, "sites.jsonl")]
        for out, more in zip(outs, (["--clouds"] if FULL else [], ["--links"], ["--xor23"])):
            subprocess.run([os.path.join(HERE, "run.sh"), "--quick", "--place", top, "--out", out, *more], check=True)
        lines = []
        for out in outs:
            with open(out, encoding="utf-8") as f:
                lines += [json.loads(x) for x in f]
        page = subprocess.run([os.path.join(HERE, "page.py"), *outs], check=True, stdout=subprocess.PIPE, text=True).stdout
    kinds = {x["kind"] for x in lines}
    parts = re.findall(r"^## (.*)$", page, re.M)
    if FULL:
        KINDS.update({"cloud_cpu", "slow_get", "slow_put", "slow_ratio"})
        PARTS.insert(4, "Beside the clouds' own work")
    if kinds != KINDS or parts != PARTS:
        sys.exit(f"kinds {sorted(kinds)}, parts {parts}")
    for x in lines:
        for key, value in x.items():
            if key.endswith(("per_s", "us", "seconds", "per_file")) and not value > 0:
                sys.exit(f"nothing was measured: {x}")


if __name__ == "__main__":
    main()
