#!/usr/bin/env python3
"""Writes decimal_cases.def: decimal arithmetic worked out by Python's decimal module, as a table for test_decimal.c.

usage: python3 csrc/test/decimal_cases.py > csrc/test/decimal_cases.def
"""
import random
from decimal import Decimal, ROUND_HALF_UP, getcontext

getcontext().prec = 2000
random.seed(20240105)

EDGES = ["0", "0.0", "1", "-1", "0.1", "-0.1", "9", "9.9", "99.99", "999999999", "1000000000", "1000000001",
         "999999999999999999", "1000000000000000000", "-999999999999999999999999999.999999999", "0.000000001",
         "123456789012345678901234567890.12", "0.00000000000000000000000001"]


def number(digits):
    ints = str(random.randrange(10 ** random.randint(0, digits)))
    scale = random.choice([0, 0, 1, 2, 5, random.randint(0, digits)])
    frac = "." + "".join(random.choice("0123456789" if random.random() < .8 else "09") for _ in range(scale))
    text = ints + (frac if scale else "")
    return "-" + text if random.random() < .4 and Decimal(text) else text


def plain(d):
    text = format(d, "f")
    return text[1:] if text.startswith("-") and not d else text


def rounded(d, scale):
    return plain(d.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP))


def row(op, a, b, scale, want):
    print(f'D({op}, "{a}", "{b}", {scale}, "{want}")')


def pairs(count):
    for a in EDGES:
        yield a, random.choice(EDGES)
    for i in range(count):
        digits = random.choice([3, 10, 20, 30, 60])
        yield number(digits), number(digits)


print("/* Made by decimal_cases.py with Python's decimal module. D(operation, a, b, scale, result) */")
for a, b in pairs(60):
    x, y = Decimal(a), Decimal(b)
    row("add", a, b, 0, plain(x + y))
    row("sub", a, b, 0, plain(x - y))
    row("mul", a, b, 0, plain(x * y))
for a, b in pairs(110):
    if Decimal(b):
        scale = random.choice([0, 1, 2, 9, 18, 40])
        row("div", a, b, scale, rounded(Decimal(a) / Decimal(b), scale))
for a, _ in pairs(60):
    scale = random.choice([0, 1, 2, 3, 9, 20])
    row("round", a, "0", scale, rounded(Decimal(a), scale))
for a in ["0.5", "1.5", "2.5", "-0.5", "-2.5", "0.05", "9.995", "99.95", "0.4999999999", "-0.49", "999999999.5"]:
    for scale in [0, 1, 2]:
        row("round", a, "0", scale, rounded(Decimal(a), scale))
