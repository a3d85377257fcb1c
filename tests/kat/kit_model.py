#!/usr/bin/python3
"""Second implementation of the words of a recovery kit (FORMAT 15), over whole integers; shares no code with vault/.

kit_model.py --make WORDS         print the lines of tests/kat/vault_kit.txt; WORDS: vault/kit_words.c, for its list alone
kit_model.py --check FILE WORDS   the list is BIP-39's, and FILE is what --make prints
Line: shares generation vault seed1 seed2 word..., hexadecimal, "-" for a seed that is not in it.
"""
import hashlib
import re
import sys

LIST = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"    # SHA-256 of english.txt as BIP-39 publishes it


def words_of(source):
    with open(source, encoding="ascii") as f:
        words = re.findall(r'"([a-z]{3,8})",', f.read())
    if hashlib.sha256("".join(w + "\n" for w in words).encode()).hexdigest() != LIST:
        sys.exit("the list of words is another one")
    return words


def enc(*parts):
    return b"".join(len(p).to_bytes(8, "big") + p for p in parts)


def kit(words, shares, generation, vault, seeds):
    body = bytes([0x10 | shares]) + generation.to_bytes(2, "big") + vault + b"".join(seeds)
    count = 64 if shares == 3 else 40
    body += hashlib.sha256(enc(b"kit", body)).digest()[:count * 11 // 8 - len(body)]
    number, out = int.from_bytes(body, "big"), []
    for _ in range(count):
        number, i = divmod(number, 2048)
        out.append(words[i])
    assert number == 0
    return out[::-1]


def make(words):
    lines = []
    for case, (shares, generation) in enumerate([(1, 1), (2, 1), (3, 1), (1, 2), (2, 65535), (3, 258)]):
        def pattern(what, n, case=case):
            return hashlib.shake_256(f"qcloud kit {case} {what}".encode()).digest(n)
        vault, seeds = pattern("vault", 16), [pattern(f"seed {i}", 32) if shares & i else b"" for i in (1, 2)]
        lines.append(" ".join([str(shares), str(generation), vault.hex(), *(s.hex() or "-" for s in seeds),
                               *kit(words, shares, generation, vault, seeds)]))
    for filler in (0, 255):
        seeds = [bytes([filler]) * 32] * 2
        lines.append(" ".join(["3", "1", bytes([filler] * 16).hex(), *(s.hex() for s in seeds), *kit(words, 3, 1, bytes([filler]) * 16, seeds)]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--make":
        print(make(words_of(sys.argv[2])), end="")
    elif len(sys.argv) == 4 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="ascii") as f:
            if f.read() != make(words_of(sys.argv[3])):
                sys.exit("the vectors differ")
        print("the list is BIP-39's, and the vectors agree")
    else:
        sys.exit(__doc__)
