"""Writes inferred.lua: the type that SQLAlchemy 2.1 infers for every operation of two types, and of a type and a value.

    PYTHONPATH=<sqlalchemy checkout>/lib python3 spec/golden/inferred.py

A row is a left type, an operator, and the results in the order of the right types (or values); "-" is refused.
"""
import os, sys, warnings
sys.dont_write_bytecode = True
from generate import *  # noqa: the tables, and the names of types
warnings.simplefilter("ignore")

TYPES = [  # python, lua
    ("Integer", "ag.Integer"), ("SmallInteger", "ag.SmallInteger"), ("BigInteger", "ag.BigInteger"), ("Float", "ag.Float"),
    ("Double", "ag.Double"), ("Numeric(10, 2)", "ag.Numeric(10, 2)"), ("REAL", "ag.REAL"), ("String(5)", "ag.String(5)"),
    ("Text", "ag.Text"), ("Unicode(4)", "ag.Unicode(4)"), ("VARCHAR(5)", "ag.VARCHAR(5)"), ("CHAR(3)", "ag.CHAR(3)"),
    ("Boolean", "ag.Boolean"), ("Date", "ag.Date"), ("DateTime", "ag.DateTime"), ("DateTime(timezone=True)", "ag.DateTime{timezone = true}"),
    ("Time", "ag.Time"), ("Interval", "ag.Interval"), ("JSON", "ag.JSON"), ("LargeBinary", "ag.LargeBinary"), ("Uuid", "ag.Uuid"),
    ("ARRAY(Integer)", "ag.ARRAY(ag.Integer)"), ("pg.ARRAY(Text)", "pg.ARRAY(ag.Text)"), ("pg.ARRAY(Integer, dimensions=2)", "pg.ARRAY(ag.Integer, {dimensions = 2})"),
    ("pg.JSONB", "pg.JSONB"), ("pg.HSTORE", "pg.HSTORE"), ("pg.BIT(4)", "pg.BIT(4)"), ("pg.TSVECTOR", "pg.TSVECTOR"), ("pg.MONEY", "pg.MONEY"),
    ("pg.UUID", "pg.UUID"), ("pg.BYTEA", "pg.BYTEA"), ("pg.TIMESTAMP", "pg.TIMESTAMP"), ("sqltypes.NullType", "nil"),
]
VALUES = [
    ("5", "5"), ("5000000000", "5000000000"), ("1.5", "1.5"), ('"t"', '"t"'), ("True", "true"), ("dt.date(2024, 1, 2)", 'ag.date "2024-01-02"'),
    ("dt.datetime(2024, 1, 2)", 'ag.datetime "2024-01-02 00:00:00"'), ("dt.time(3, 4)", 'ag.time "03:04:00"'),
    ("dt.timedelta(days=2)", "ag.interval{days = 2}"), ('Decimal("1.5")', 'ag.decimal "1.5"'),
]
TYPE_OPS = [("x + y", "x + y"), ("x - y", "x - y"), ("x * y", "x * y"), ("x / y", "x / y"), ("x // y", "x // y"), ("x % y", "x % y"),
            ("x.concat(y)", "x:concat(y)"), ("x == y", "x:eq(y)"), ('x.op("@")(y)', 'x:op("@")(y)'), ("func.coalesce(x, y)", "func.coalesce(x, y)"),
            ("case((x == None, x), else_=y)", "ag.case({x:is_(nil), x}, {else_ = y})")]
VALUE_OPS = TYPE_OPS[:7] + [("y - x", "y - x"), ("y * x", "y * x")]

def quoted(s):
    return '"' + s.replace('"', '\\"') + '"'

def result(py, left, right, value):
    x = column("x", eval(left, env))
    y = eval(right, env) if value else column("y", eval(right, env))
    try:
        return type_name(eval(py, dict(env, x=x, y=y)).type)
    except Exception:
        return "-"

env.update(sqltypes=sqltypes)
WIDTH = {"type": TYPES, "value": VALUES}
with open(os.path.join(here, "inferred.lua"), "w", encoding="utf-8") as f:
    f.write(f"-- Written by inferred.py; the reference is SQLAlchemy {sa.__version__}. Do not edit.\nlocal ag, pg = ...\nlocal func = ag.func\nreturn {{\n")
    f.write("  types = {\n" + "".join(f"    {{{lua_str(l)}, {l}}},\n" for _, l in TYPES) + "  },\n")
    f.write("  values = {\n" + "".join(f"    {{{lua_str(l)}, {l}}},\n" for _, l in VALUES) + "  },\n")
    for name, rights, ops in (("of_types", TYPES, TYPE_OPS), ("of_values", VALUES, VALUE_OPS)):
        f.write(f"  {name} = {{\n")
        for py, lua in ops:
            f.write(f"    {{{lua_str(lua)}, function(x, y) return {lua} end, {{\n")
            for left, _ in TYPES:
                f.write("      {" + ", ".join(quoted(result(py, left, r, rights is VALUES)) for r, _ in rights) + "},\n")
            f.write("    }},\n")
        f.write("  },\n")
    f.write("}\n")
