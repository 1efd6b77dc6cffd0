-- Golden texts that a database refuses, word for word as SQLAlchemy writes them (spec/suite/golden_prepared_spec.lua).
local refused = {
  sqlite = {
    ["functions: packaged function"] = "SQLite has no functions in schemas",
    ["select: literal column"] = "the case names a column of no table",
    ["edges: insert expression value"] = "a column of the row that is not there yet",
    ["edges: bool op"] = "~ is PostgreSQL's operator",
    ["edges: any select"] = "SQLite has no ANY",
    ["more: scalar_table_valued"] = "SQLite has no fields of composite values",
    ["more: known functions"] = "SQLite has no USER and no LOCALTIME",
    ["more: text statement"] = "raw text with PostgreSQL's ::",
    ["more: limit zero and expression"] = "no database takes a column in OFFSET",
    ["select_forms: 40 select func percentile_cont within_group age desc"] = "SQLite has no WITHIN GROUP",
    ["select_forms: 71 select where any_ select user_id scalar_subquery all_ select"] = "SQLite has no ANY",
    ["select_forms: 76 select group_by func rollup func grouping_sets tuple_ tuple_"] = "SQLite has no GROUPING SETS",
    ["select_forms: 87 select func string_agg filter func array_agg func aggregate_"] = "functions of PostgreSQL",
    ["select_forms: 96 select insert values returning cte ins"] = "SQLite has no DML in CTEs",
    ["select_forms: 97 insert from_select user_id select delete where age returning"] = "SQLite has no DML in CTEs",
    ["select_forms: 116 intersect_all select select"] = "SQLite has no INTERSECT ALL",
    ["select_forms: 125 select created timedelta days created created func date_trun"] = "a function of PostgreSQL",
  },
  postgresql = {
    ["expressions: bool_op"] = "GLOB is SQLite's operator",
    ["functions: nested functions"] = "PostgreSQL has no round(double precision, integer)",
    ["functions: table valued named"] = "table_valued(name = …) without render_derived() names columns that the function has not",
    ["functions: with ordinality"] = "the case does not select from the table of its column",
    ["functions: function alias"] = "the case does not select from the table of its column",
    ["select: subquery with expression"] = "an aggregate beside a column that is not grouped",
    ["select: literal column"] = "the case names a column of no table",
    ["edges: insert expression value"] = "a column of the row that is not there yet",
    ["more: not of sum"] = "NOT of a number",
    ["more: limit zero and expression"] = "no database takes a column in OFFSET",
  },
}

for dialect, reasons in pairs(require "spec.support.golden_refused_forms") do
  for _, group in ipairs(reasons) do
    for i = 2, #group do refused[dialect][group[i]] = group[1] end
  end
end
return refused
