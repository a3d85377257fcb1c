"""docs/openapi.yaml as a judge of answers. Knows the part of OpenAPI 3.0 that the page uses, and refuses the rest."""
import base64
import copy
import json
import os
import re

import jsonschema
import yaml

from server import check

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
METHODS = ("get", "put", "post", "delete", "head", "patch", "options")
SCHEMA_WORDS = {
    "type", "pattern", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "items", "minItems", "maxItems", "uniqueItems",
    "required", "properties", "additionalProperties", "maxProperties", "nullable", "allOf", "oneOf", "description", "default", "x-limit",
    "x-bytes",
}
# Bodies that are right, of calls that an operator alone may make.
OPERATOR_BODIES = {
    "linksTest": {"cloud": "c1"},
    "logLevel": {"level": "info"},
    "debtsRetry": {},
    "jobAct": {"job": "scrub", "action": "show"},
    "scrubHand": {"paused": False, "cloud": "c1"},
    "cloudTest": {"cloud": "c1"},
    "selftest": {},
    "snapshotCheck": {"generation": "1.1"},
}
formats = jsonschema.FormatChecker(formats=())


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@formats.checks("b64")
def is_b64(text):
    if not isinstance(text, str):
        return True
    return re.fullmatch("[A-Za-z0-9_-]*", text) is not None and len(text) % 4 != 1 and b64(unb64(text)) == text


def error_table():
    """{id: (HTTP status, retry)} of base/err.h."""
    with open(os.path.join(TOP, "base/include/base/err.h"), encoding="utf-8") as f:
        rows = re.findall(r'^\s*X\((\w+), \d+, (\d+), ([01]), "([a-z-]+)",', f.read(), re.M)
    check(len(rows) > 20, "base/err.h: the table of errors was not found")
    return {name: (int(status), retry == "1") for _, status, retry, name in rows}


class Contract:
    def __init__(self):
        with open(os.path.join(TOP, "docs/openapi.yaml"), encoding="utf-8") as f:
            self.page = yaml.safe_load(f)
        self.errors = error_table()
        self.operations = {}                        # operationId: (method, path template, operation, parameters)
        self.seen = {}                              # operationId: statuses that were answered
        for path, item in self.page["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method in item:
                    op = item[method]
                    params = [self.resolve(p) for p in shared + op.get("parameters", [])]
                    check(op["operationId"] not in self.operations, f"{op['operationId']}: twice")
                    self.operations[op["operationId"]] = (method.upper(), path, op, params)
                    self.seen[op["operationId"]] = set()
        self.check_page()

    def resolve(self, node):
        """The node with every reference in it replaced by what it names."""
        if isinstance(node, list):
            return [self.resolve(x) for x in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            check(len(node) == 1, f"$ref with siblings: {node}")
            target = self.page
            for part in node["$ref"].removeprefix("#/").split("/"):
                check(part in target, f"{node['$ref']}: not there")
                target = target[part]
            return self.resolve(target)
        return {k: self.resolve(v) for k, v in node.items()}

    def check_page(self):
        """What this reader relies on; and that nothing of the page is unused."""
        check(self.page["openapi"].startswith("3.0."), "openapi version")
        for name, (_, path, op, params) in self.operations.items():
            inside = set(re.findall(r"{(\w+)}", path))
            declared = {p["name"] for p in params if p["in"] == "path"}
            check(inside == declared, f"{name}: path parameters {inside} and {declared}")
            for status in op["responses"]:
                check(re.fullmatch("[2-4][0-9][0-9]|503|5XX", status) is not None, f"{name}: response {status}")
        text = json.dumps(self.page)
        check(self.page["security"] == [{}, {"bearer": []}] and list(self.page["components"]["securitySchemes"]) == ["bearer"], "security")
        for kind, parts in self.page["components"].items():
            for part, node in parts.items() if kind != "securitySchemes" else ():
                check(f'"#/components/{kind}/{part}"' in text, f"components/{kind}/{part} is used nowhere")
                if kind == "schemas":
                    self.words(part, node)

    def words(self, where, schema):
        unknown = {} if "$ref" in schema else set(schema) - SCHEMA_WORDS
        check(not unknown, f"{where}: {unknown} is not understood here")
        for s in [*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("properties", {}).values()]:
            self.words(where, s)
        if "items" in schema:
            self.words(where, schema["items"])

    def schema(self, node, closed):
        """As JSON schema; closed: members that are not named are wrong."""
        s = self.resolve(copy.deepcopy(node))

        def walk(x):
            if isinstance(x, list):
                return [walk(v) for v in x]
            if not isinstance(x, dict):
                return x
            x = {k: walk(v) for k, v in x.items()}
            if closed and x.get("type") == "object" and "properties" in x:
                x.setdefault("additionalProperties", False)
            if x.pop("nullable", False):
                x = {"anyOf": [{"type": "null"}, x]}
            return x

        return walk(s)

    def wrong(self, schema, value):
        """Why the value does not fit, or None."""
        for e in jsonschema.Draft7Validator(schema, format_checker=formats).iter_errors(value):
            return f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
        return None

    def request_schema(self, name):
        content = self.operations[name][2].get("requestBody", {}).get("content", {})
        return self.schema(content["application/json"]["schema"], False) if "application/json" in content else None

    def url(self, name, ids, query=None):
        _, path, _, params = self.operations[name]
        known = {p["name"] for p in params if p["in"] == "query"}
        check(set(query or {}) <= known, f"{name}: query {query}")
        for k, v in ids.items():
            path = path.replace("{%s}" % k, str(v))
        check("{" not in path, f"{name}: ids {ids}")
        return path + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")

    def judge(self, name, answer, sent=""):
        """The answer is one that the page allows; returns its JSON, where it has some."""
        method, path, op, _ = self.operations[name]
        where = f"{method} {path} {sent}: {answer}"
        status = str(answer.status)
        response = op["responses"].get(status, op["responses"].get("5XX") if status[0] == "5" else None)
        check(response is not None, f"status {status} is not documented: {where}")
        response = self.resolve(response)
        self.seen[name].add("5XX" if status not in op["responses"] else status)
        for header, rule in response.get("headers", {}).items():
            self.judge_header(header, rule, answer, where)
        kind = answer.headers.get("Content-Type")
        check(kind in response["content"], f"Content-Type {kind}: {where}")
        if kind != "application/json":
            return None
        return self.judge_json(response, answer, where)

    def judge_header(self, header, rule, answer, where):
        value = answer.headers.get(header)
        if value is None:
            needed = rule.get("required", False) or (header == "Retry-After" and answer.status in (429, 503))
            check(not needed, f"{header} is missing: {where}")
            return
        schema = self.schema(rule["schema"], True)
        if schema["type"] == "integer":
            check(re.fullmatch("[0-9]+", value) is not None, f"{header}: {value}: {where}")
            value = int(value)
        why = self.wrong(schema, value)
        check(why is None, f"{header}: {why}: {where}")

    def judge_json(self, response, answer, where):
        try:
            value = answer.json()
        except ValueError as e:
            check(False, f"no JSON ({e}): {where}")
        why = self.wrong(self.schema(response["content"]["application/json"]["schema"], True), value)
        check(why is None, f"{why}: {where}")
        if answer.status >= 400:
            error = value["error"]
            check(error["id"] in response["x-errors"], f"{error['id']} is none of {response['x-errors']}: {where}")
            status, retry = self.errors[error["id"]]
            exception = (error["id"], answer.status) in (("format", 400), ("usage", 411), ("usage", 416), ("auth", 401), ("temporary", 429), ("fenced", 503), ("io", 503))
            check(exception or status == answer.status, f"{error['id']} belongs to {status}: {where}")
            check(error["retry"] == retry, f"retry of {error['id']}: {where}")
        return value

    def uncalled(self, exempt):
        """What the page promises and nobody saw: [(operation, status)]."""
        return [(name, status) for name, (_, _, op, _) in self.operations.items() for status in op["responses"]
                if status not in self.seen[name] and (name, status) not in exempt and ("*", status) not in exempt]
