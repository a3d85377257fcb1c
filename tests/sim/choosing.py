#!/usr/bin/python3
"""The tables of docs/choosing.md are what `qcloud-sim --loss` prints."""
import subprocess
import sys

program, page = sys.argv[1:]
printed = subprocess.run([program, "--loss"], check=True, capture_output=True, text=True).stdout
with open(page, encoding="utf-8") as f:
    text = f.read()
tables = printed.split("\n\n")
missing = [line for table in tables for line in table.splitlines() if line not in text.splitlines()]
for line in missing:
    print("not in the page:", line)
sys.exit(1 if missing or len(tables) != 3 else 0)
