--- PostgreSQL's own: types (pg.JSONB, pg.ARRAY …) and constructs (pg.array, pg.aggregate_order_by …).
local check = require "argent.check"
local core = require "argent.core"
local constraints = require "argent.schema.constraints"
local ddl = require "argent.schema.ddl"
local bitstring = require "argent.postgresql.bitstring"
local multirange = require "argent.postgresql.multirange"
local range = require "argent.postgresql.range"

local MIRRORED = {eq = "eq", ne = "ne", lt = "gt", le = "ge", gt = "lt", ge = "le"}

--- pg.Any and pg.All: SQLAlchemy's older functions for any_(array) and all_(array) right of an operator.
local function quantified(name, make)
  return function(other, array, options)
    local operator = check.options(name, 3, options, {operator = "string"}).operator or "eq"
    local method = MIRRORED[operator] or check.unknown(name, "operator", operator, MIRRORED)
    local all = make(array)
    return all[method](all, other)
  end
end

---@class argent.postgresql
local M = {
  --- `INSERT` with `on_conflict_do_update` / `on_conflict_do_nothing`; the same object as `ag.insert`.
  insert = core.insert,
  --- `pg.array{1, 2, 3}`: an ARRAY literal of values or expressions.
  array = core.array,
  --- `pg.aggregate_order_by(expr, order…)` as an argument: `array_agg(expr ORDER BY …)`.
  aggregate_order_by = core.aggregate_order_by,
  --- `pg.Range(1, 5, "[)")`, `pg.MultiRange{r1, r2}`, `pg.BitString("0101")`: values of the columns of these types.
  Range = range.new, MultiRange = multirange.new,
  BitString = setmetatable({from_int = bitstring.from_int, from_bytes = bitstring.from_bytes},
    {__call = function(_, digits) return bitstring.new(digits) end}),
  --- `pg.hstore(keys, values)`, `pg.hstore("key", "value")`, `pg.array_agg(expr)`: functions with the types of their results.
  hstore = core.func.hstore, array_agg = core.func.array_agg,
  --- `pg.Any(5, array)`: `5 = ANY (array)`; `{operator = "lt"}` for another comparison. The older form of `ag.any_(array):eq(5)`.
  Any = quantified("Any", core.any_), All = quantified("All", core.all_),
  ExcludeConstraint = constraints.ExcludeConstraint,
  --- `select:ext(pg.distinct_on(expr, …))`: DISTINCT ON.
  distinct_on = function(...) return require "argent.custom"._distinct_on(...) end,
  --- `CREATE TYPE … AS ENUM`, `CREATE DOMAIN`; create_all does it by itself for the types of its columns.
  CreateType = ddl.CreateType, CreateEnumType = ddl.CreateType, CreateDomainType = ddl.CreateType,
  DropType = ddl.DropType, DropEnumType = ddl.DropType, DropDomainType = ddl.DropType,
}

--- Functions whose first argument may be a regconfig name, as in SQLAlchemy's dialect.
for _, name in ipairs{"to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery", "ts_headline"} do
  M[name] = core.func[name]
end

return setmetatable(M, {
  __index = function(_, name)
    local types = core.postgresql_types
    local value = type(name) == "string" and (types[name] or core[name:match("^%u[%u%d_]*$") or false]) or nil
    if value == nil then
      local known = {}
      for key in pairs(types) do known[#known + 1] = key end
      for key in pairs(M) do known[#known + 1] = key end
      local near = type(name) == "string" and core.nearest(name, known)
      core.exc_raise("ArgumentError", ("argent.postgresql has no '%s'%s"):format(tostring(name),
        near and ("; did you mean '%s'?"):format(near) or ""))
    end
    return value
  end,
})
