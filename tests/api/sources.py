#!/usr/bin/python3
"""docs/openapi.yaml against the sources: the table of errors, the table of routes, and every limit that both name.

Needs no program; contract.py compares the page with what a running gateway answers.
"""
import os
import re
import sys

from openapi import METHODS, TOP, Contract
from server import Failure, check


def text_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def limits():
    """{name: value} of base/limits.h and of the gateway's http.h."""
    out = {}
    rows = re.findall(r"^\s*X\((\w+), ([0-9* +]+), \"", text_of("base/include/base/limits.h"), re.M)
    rows += re.findall(r"^\s+(HTTP_\w+) =\s+([0-9* +]+),", text_of("gateway/daemon/http.h"), re.M)
    for name, value in rows:
        out[name] = eval(value, {"__builtins__": {}})       # digits, spaces, * and + only
    check("QC_GW_SEGMENT_MAX" in out and "HTTP_BODY_MAX" in out, "the limits were not found")
    return out


def check_limits(page, known):
    """Every x-limit beside a greatest value, and every x-bytes beside the length of its base64."""
    count = 0

    def walk(node, where):
        nonlocal count
        if isinstance(node, list):
            for i, x in enumerate(node):
                walk(x, f"{where}/{i}")
        if not isinstance(node, dict):
            return
        if "x-limit" in node:
            name, minus = re.fullmatch(r"(\w+)(?: - (\d+))?", node["x-limit"]).groups()
            want = known[name] - int(minus or 0)
            tops = [node[k] for k in ("maximum", "maxLength", "maxItems") if k in node]
            tops += [int(n) for n in re.findall(r",(\d+)}", node.get("pattern", ""))]
            check(tops == [want], f"{where}: {tops}, but {node['x-limit']} is {want}")
            count += 1
        if "x-bytes" in node:
            n = known[node["x-bytes"]]
            want = n // 3 * 4 + (0, 2, 3)[n % 3]
            check(node["maxLength"] == want, f"{where}: {node['maxLength']} digits, but {n} bytes have {want}")
            count += 1
        for k, x in node.items():
            walk(x, f"{where}/{k}")

    walk(page, "")
    check(count >= 15, f"only {count} limits are named")
    return count


def check_routes(page):
    """Methods and paths of routes.c, who may call them, and no others."""
    table = re.findall(r'^\s*{ "([A-Z]+)",\s*"(/[^"]+)",\s*(WHO_\w+),\s*(BODY_\w+),', text_of("gateway/daemon/routes.c"), re.M)
    there = {(m, re.sub(r"{}|#|\*|@", "{}", p)): (who, body) for m, p, who, body in table}
    ours = {}
    for path, item in page["paths"].items():
        for method in METHODS:
            if method in item:
                kinds = list(item[method].get("requestBody", {}).get("content", {}))
                bytes_ = "BODY_SEGMENT" if "{seq}" in path else "BODY_BYTES"
                body = {(): "BODY_NONE", ("application/json",): "BODY_JSON", ("application/octet-stream",): bytes_}[tuple(kinds)]
                who = {None: "WHO_ANY", "[{}]": "WHO_OPERATOR", "[]": "WHO_WATCHER"}[str(item[method]["security"]) if "security" in item[method] else None]
                ours[method.upper(), re.sub(r"{\w+}", "{}", path)] = (who, body)
    check(len(table) > 10, "routes.c: the table was not found")
    check(there == ours, f"routes.c alone: {set(there.items()) - set(ours.items())}; the page alone: {set(ours.items()) - set(there.items())}")
    return len(ours)


def main():
    c = Contract()
    ids = set(c.errors) - {"ok"}
    said = set(c.page["components"]["schemas"]["ErrorBody"]["properties"]["id"]["enum"])
    check(said == ids, f"ids of errors: {said ^ ids}")
    for name, response in c.page["components"]["responses"].items():
        check(set(response["x-errors"]) <= ids, f"{name}: {set(response['x-errors']) - ids}")
    for id_, (status, _) in c.errors.items():
        if status >= 500:
            check(id_ in c.page["components"]["responses"]["Server"]["x-errors"], f"{id_} ({status}) is not in Server")
    known = limits()
    body = c.page["components"]["responses"]["Limit"]["description"]
    for name in ("HTTP_BODY_MAX", "QC_GW_SEGMENT_MAX"):
        check(f"{known[name]:,}" in body, f"{name} is {known[name]:,}: {body}")
    check(f"At most {known['HTTP_CONNECTIONS_MAX']} connections" in c.page["info"]["description"], "HTTP_CONNECTIONS_MAX")
    check(f"last {known['QC_GW_REQUESTS_MAX']} names" in c.operations["request"][2]["summary"], "QC_GW_REQUESTS_MAX")
    print(f"{check_routes(c.page)} calls, {len(ids)} ids of errors, {check_limits(c.page, known)} limits agree with the sources")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
