"""Writes the golden files of this folder from cases/*.txt with SQLAlchemy 2.1 as the reference.

    PYTHONPATH=<sqlalchemy checkout>/lib python3 spec/golden/generate.py

Each case is a name, the statement in Python and its translation to Lua by the rule of the API page. The files written hold the
Lua and the SQL that SQLAlchemy's pysqlite and psycopg2 dialects give, placeholders folded to `?` and white space to one blank. A dialect
in which SQLAlchemy refuses the statement gets `false`. A case with a `type:` line is an expression, compiled as SELECT of it: `type: ?` is
the type that SQLAlchemy infers, anything else the one that argent infers where that is better. Cases with `sqlite:` / `postgresql:` lines of their own keep that text: argent's
SQL is better there, and the `note:` says why.
"""
import glob, os, re, sys, warnings
from decimal import Decimal
import datetime as dt
import uuid
import sqlalchemy as sa
from sqlalchemy import *  # noqa
from sqlalchemy.dialects import postgresql as pg, sqlite as sq
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import FrameClause, FrameClauseType
from sqlalchemy.sql.expression import aggregate_order_by
from sqlalchemy import types as sqltypes
from sqlalchemy.schema import *  # noqa
warnings.simplefilter("ignore")

here = os.path.dirname(os.path.abspath(__file__))
m = MetaData()
users = Table("users", m, Column("id", Integer, primary_key=True), Column("name", String(50)), Column("fullname", Text),
              Column("age", Integer), Column("score", Float), Column("balance", Numeric(10, 2)), Column("active", Boolean),
              Column("created", DateTime), Column("birthday", Date), Column("data", JSON), Column("blob", LargeBinary))
addresses = Table("addresses", m, Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id")),
                  Column("email", String(100), nullable=False))
orders = Table("orders", m, Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id")),
               Column("address_id", ForeignKey("addresses.id")), Column("total", Numeric(10, 2)), Column("note", Text))
items = Table("items", m, Column("id", Integer, primary_key=True), Column("order_id", ForeignKey("orders.id")), Column("label", String), Column("qty", Integer))
nodes = Table("nodes", m, Column("id", Integer, primary_key=True), Column("parent_id", ForeignKey("nodes.id")), Column("name", String(30)))
mixed = Table("Mixed", m, Column("Id", Integer, primary_key=True), Column("order", Integer), Column("select", String), Column("plain", Integer))
remote = Table("events", m, Column("id", Integer, primary_key=True), Column("kind", String), schema="audit")
arr = Table("arr", m, Column("id", Integer, primary_key=True), Column("tags", pg.ARRAY(Text)), Column("nums", pg.ARRAY(Integer)), Column("doc", pg.JSONB), Column("span", pg.INT4RANGE))
own = Table("own", m, Column("id", Integer, primary_key=True), Column("r", pg.INT4RANGE), Column("mr", pg.INT4MULTIRANGE), Column("h", pg.HSTORE),
            Column("b", pg.BIT(4)), Column("doc", pg.JSONB), Column("ip", pg.INET), Column("ts", pg.TSVECTOR), Column("ci", pg.CITEXT),
            Column("iv", pg.INTERVAL), Column("title", Text), Column("nums", pg.ARRAY(Integer)), Column("day", Date))
kv = Table("kv", m, Column("k", String, primary_key=True), Column("v", Integer, default=5), Column("w", Integer, server_default="3"), Column("u", Integer, onupdate=7))
class Folded(types.TypeDecorator):
    impl, cache_ok = String(20), True
    def bind_expression(self, bind): return func.lower(bind)
    def column_expression(self, column): return func.upper(column)
class Marked(types.UserDefinedType):
    cache_ok = True
    def get_col_spec(self, **kw): return "VARCHAR(20)"
    def bind_expression(self, bind): return func.trim(bind, type_=self)
class Coded(types.TypeDecorator):
    impl, cache_ok = Integer, True
    def coerce_compared_value(self, op, value): return self
wrapped = Table("wrapped", m, Column("id", Integer, primary_key=True), Column("f", Folded), Column("k", Marked), Column("n", Coded))
T = lambda *a, **k: Table("t", MetaData(), *a, **k)
U = lambda: Table("users", MetaData(), Column("id", Integer, primary_key=True), Column("name", String(50)), Column("fullname", Text),
                  Column("age", Integer), Column("score", Float))
env = dict(globals())
PG, SQ = pg.psycopg2.dialect(), sq.pysqlite.dialect() if hasattr(sq, "pysqlite") else sq.dialect()

def norm(s):
    s = re.sub(r"%\([^)]*\)s", "?", s).replace("%%", "%")
    s = re.sub(r"__\[POSTCOMPILE_[^\]]*\]", "?", s)
    return re.sub(r"\s+", " ", s).strip()

REFUSED = (sa.exc.CompileError, sa.exc.InvalidRequestError, sa.exc.ArgumentError, TypeError, AttributeError, NotImplementedError)

def type_name(t):
    """The type as argent's tostring() writes it."""
    name = type(t).__name__
    if name == "MatchType":
        return "Boolean"
    if isinstance(t, sqltypes.ARRAY):
        return "ARRAY(" + type_name(t.item_type) + (", {dimensions = %d})" % t.dimensions if t.dimensions is not None else ")")
    if isinstance(t, sqltypes.Enum):
        return "Enum({%s}%s)" % (", ".join('"%s"' % x for x in t.enums), ', {name = "%s"}' % t.name if t.name else "")
    if name == "DOMAIN":
        return 'DOMAIN(%s, {name = "%s"})' % (type_name(t.data_type), t.name)
    if (isinstance(t, sqltypes.String) or name == "BIT") and t.length:
        return "%s(%d)" % (name, t.length)
    if isinstance(t, sqltypes.Numeric) and t.precision:
        return "%s(%s%s)" % (name, t.precision, ", %s" % t.scale if getattr(t, "scale", None) is not None else "")
    return name + ("({timezone = true})" if getattr(t, "timezone", False) else "")

def statement(py, expression):
    stmt = eval(compile(py, "case", "eval"), env)
    if not hasattr(stmt, "compile"):
        raise TypeError(type(stmt))
    return select(stmt) if expression else stmt

def sql(py, dialect, expression=False):
    stmt = statement(py, expression)
    return norm(str(stmt.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})))

def lua_str(s):
    eq = ""
    while f"]{eq}]" in s or s.endswith("]"):
        eq += "="
        if f"]{eq}]" not in s and not s.endswith("]" + eq): break
    return f"[{eq}[{s}]{eq}]"

total = 0
for path in sorted(glob.glob(os.path.join(here, "cases", "*.txt"))):
    out, name = [], os.path.basename(path)[:-4]
    for block in re.split(r"(?m)^== ", open(path, encoding="utf-8").read())[1:]:
        lines = block.rstrip().split("\n")
        case, field = {"name": lines[0].strip()}, None
        for line in lines[1:]:
            mm = re.match(r"^(py|lua|sqlite|postgresql|note|only|type): ?(.*)$", line)
            if mm:
                field = mm.group(1); case[field] = mm.group(2)
            elif line.strip() and not line.startswith("#"):
                case[field] += "\n" + line
        row = [f"  {{{lua_str(case['name'])}, function() return {case['lua']} end"]
        if "type" in case:
            found = case["type"] if case["type"] != "?" else type_name(eval(compile(case["py"], "case", "eval"), env).type)
            row.append(f"    type = {lua_str(found)}")
        for dialect, obj in (("sqlite", SQ), ("postgresql", PG)):
            if case.get("only") and case["only"].strip() != dialect:
                continue
            if dialect in case:
                row.append(f"    {dialect} = " + ("false" if case[dialect] == "false" else lua_str(norm(case[dialect])))); total += 1; continue
            try:
                text = sql(case["py"], obj, "type" in case); total += 1
                row.append(f"    {dialect} = {lua_str(text)}")
            except REFUSED as e:
                row.append(f"    {dialect} = false"); print("refused:", name, case["name"], dialect, str(e)[:80])
            except Exception as e:
                print("BAD", name, "/", case["name"], dialect, type(e).__name__, str(e)[:150])
        out.append(",\n".join(row) + "}")
    with open(os.path.join(here, name + ".lua"), "w", encoding="utf-8") as f:
        f.write(f"-- Written by generate.py from cases/{name}.txt; the reference is SQLAlchemy {sa.__version__}. Do not edit.\n"
                "local ag, t = ...\nlocal func, pg, sq = ag.func, ag.postgresql, ag.sqlite\n"
                "local users, addresses, orders, items, nodes = t.users, t.addresses, t.orders, t.items, t.nodes\n"
                "local mixed, remote, arr, kv, own, wrapped = t.mixed, t.remote, t.arr, t.kv, t.own, t.wrapped\n"
                "local u, a, o, it, n = users.c, addresses.c, orders.c, items.c, nodes.c\n"
                "local _ = {func, pg, sq, mixed, remote, arr, kv, own, wrapped, u, a, o, it, n}\nreturn {\n" + ",\n".join(out) + ",\n}\n")
print(total, "rows")
