"""The cutoffs of SP 800-90B 4.4 in decimals of 100 digits. The second implementation beside qrng/cutoffs.c.
--make FILE writes the vectors, --check FILE compares."""
import sys
from decimal import Decimal, getcontext
from fractions import Fraction
from math import comb

getcontext().prec = 100
getcontext().Emin = -10 ** 9
BYTES = ["0.1", "0.5", "0.75", "1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5", "5.5", "6", "6.5", "7", "7.25", "7.5",
         "7.75", "7.999", "8"]
BITS = ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]


def cutoffs(H, window, alpha):
    p = Decimal(2) ** -Decimal(H)
    repetition = 1 + -(-alpha // Fraction(H))
    most, tail, k = Decimal(2) ** -alpha, Decimal(0), window
    while True:
        tail += comb(window, k) * p ** k * (1 - p) ** (window - k)
        if tail > most:
            return repetition, 1 + k
        k -= 1


def values(H, block, alpha):
    best = 0
    for d in range(1, 256):
        each = d * Decimal(2) ** -Decimal(H)
        if each >= 1 or comb(256, d) * each ** block > Decimal(2) ** -alpha:
            break
        best = d
    return best


def lines():
    yield "# window alpha mbit repetition proportion; made by qrng_cutoffs.py"
    for window, entropies in ((512, BYTES), (1024, BITS)):
        for alpha in (20, 40):
            for H in entropies:
                yield "%d %d %d %d %d" % (window, alpha, Decimal(H) * 1000, *cutoffs(H, window, alpha))
    for block in (4096, 1024):
        for H in ("1", "4", "6", "7", "8"):
            yield "%d 40 %d 0 %d" % (block, Decimal(H) * 1000, values(H, block, 40))


if sys.argv[1] == "--make":
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.writelines(line + "\n" for line in lines())
else:
    with open(sys.argv[2], encoding="ascii") as f:
        have = f.read().splitlines()
    sys.exit(0 if have == list(lines()) else "qrng_cutoffs.txt is not what qrng_cutoffs.py computes")
