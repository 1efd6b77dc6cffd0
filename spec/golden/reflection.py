"""Writes reflection_sqlite.lua and reflection_postgresql.lua: what SQLAlchemy's Inspector answers over the schemas of the .sql files here.

    PYTHONPATH=<sqlalchemy checkout>/lib python3 spec/golden/reflection.py [postgresql+psycopg2://…]

Without a URL only SQLite's. An answer is one line of text (`text` below; reflection_spec.lua has the same in Lua). What argent answers
otherwise because it is better stands in OURS, with the reason: it is not compared.
"""
import os, sys, warnings
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

warnings.simplefilter("ignore")
here = os.path.dirname(os.path.abspath(__file__))
METHODS = ["columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints", "table_comment", "table_options"]
ORDER = "SQLAlchemy orders by what its regular expressions find; argent by the text"
LOST = "SQLAlchemy's regular expressions lose parts of the text"
OURS = {
    "sqlite": {
        "foreign_keys": dict.fromkeys(["br ack", "comments", "fks", "fksn", "named", "qq", "selfref", "unnamed", "UPPER"], ORDER),
        "indexes": {"ixs": "SQLAlchemy skips indexes with expressions and forgets DESC"},
        "unique_constraints": dict.fromkeys(["comments", "kw", "named", "qq", 'tab "le', "unnamed", "uqs", "UPPER"], LOST),
        "check_constraints": dict.fromkeys(["checks", "comments"], LOST),
        "pk_constraint": {"unnamed": LOST},
        "columns": {"gen": LOST, "altered2": LOST, "coll": "collations", "ixs": "collations", "unnamed": "ON CONFLICT of NOT NULL",
                    "long_def": "brackets without which the default could not be written again"},
    },
    "postgresql": {
        "columns": {"more_types": "types that SQLAlchemy does not know: TSQUERY, JSONPATH, REGCONFIG; dimensions of arrays; CITEXT COLLATE",
                    "defaults": "a nextval() within an expression loses a bracket"},
        "foreign_keys": {"ref_part": "one for each partition referred to"},
        "table_options": dict.fromkeys(["part_1", "part_2", "part_2a", "part_d", "part_fk1", "hp0"], "partitions seem to inherit"),
    },
}


def text(v, dialect, key=None):
    if isinstance(v, type) and issubclass(v, TypeEngine):
        v = v()
    if isinstance(v, TypeEngine):
        return "NullType" if isinstance(v, sa.types.NullType) else v.compile(dialect=dialect)
    if isinstance(v, dict):
        items = [(str(k), text(x, dialect, k)) for k, x in sorted(v.items()) if x is not None]
        return "{" + " ".join("%s=%s" % (k, x) for k, x in items if x not in ("[]", "{}")) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(text(x, dialect) for x in v) + "]"
    if key == "unique":
        v = bool(v)
    if v is None or isinstance(v, (bool, int)):
        return {None: "null", True: "true", False: "false"}.get(v if isinstance(v, bool) or v is None else "", str(v))
    return "'" + str(v).replace("\n", "\\n") + "'"


def quote(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


def statements(name):
    body = "\n".join(line for line in open(os.path.join(here, name)).read().split("\n")[1:])
    return [s for s in (part.strip() for part in body.split(";\n")) if s]


def write(name, conn, schemas):
    out = ["-- Written by reflection.py: method, table, schema (false: the default one), answer (false: argent's is better, and why)."]
    out.append("return {")
    for s in statements("reflection_%s.sql" % name):
        conn.connection.cursor().execute(s)
    insp = sa.inspect(conn)
    for schema in schemas:
        lists = {"get_table_names": sorted(insp.get_table_names(schema=schema)), "get_view_names": sorted(insp.get_view_names(schema=schema))}
        if name == "postgresql":
            lists["get_materialized_view_names"] = sorted(insp.get_materialized_view_names(schema=schema))
            lists["get_sequence_names"] = sorted(insp.get_sequence_names(schema=schema))
            lists["get_enums"], lists["get_domains"] = insp.get_enums(schema=schema), insp.get_domains(schema=schema)
            for domain in lists["get_domains"]:
                if domain["name"] == "name_d":
                    domain["type"] += "(20)"  # SQLAlchemy cuts the length off
        for method, answer in lists.items():
            out.append("  {%s, false, %s, %s}," % (quote(method), quote(schema) if schema else "false", quote(text(answer, conn.dialect))))
        tables = sum((v for k, v in lists.items() if k.endswith(("table_names", "view_names"))), [])
        if schema is None:
            tables += sorted(set(insp.get_temp_table_names() + insp.get_temp_view_names()) - set(tables))
        for table in tables:
            for method in METHODS:
                why = OURS[name].get(method, {}).get(table)
                try:
                    answer = quote(text(getattr(insp, "get_" + method)(table, schema=schema), conn.dialect))
                except NotImplementedError:
                    continue
                out.append("  {%s, %s, %s, %s}," % (quote("get_" + method), quote(table), quote(schema) if schema else "false",
                                                    "false, " + quote(why) if why else answer))
    out.append("}")
    open(os.path.join(here, "reflection_%s.lua" % name), "w").write("\n".join(out) + "\n")


if __name__ == "__main__":
    with sa.create_engine("sqlite://").connect() as conn:
        write("sqlite", conn, [None, "other", 'odd sch"ema'])
    if len(sys.argv) > 1:
        with sa.create_engine(sys.argv[1]).connect() as conn:
            for extension in ("hstore", "citext", "btree_gist"):
                conn.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS " + extension)
            write("postgresql", conn, [None, "shore", 'Odd Sch"ema'])
