-- Operators that a type or a database has not raise where they are written, and say what would be right.
local ag = require "argent"
local t = require "spec.golden.tables"
local pg = ag.postgresql
local u, arr, own = t.users.c, t.arr.c, t.own.c

--- The error object of f.
local function refused(f)
  local ok, e = pcall(f)
  assert.is_false(ok)
  return e
end

local function says(class, pattern, f)
  local e = refused(f)
  assert.is_true(e:is(ag.exc[class]), tostring(e))
  assert.matches(pattern, e.message)
end

describe("operators of PostgreSQL's types", function()
  it("are refused on other types", function()
    for _, method in ipairs{"has_key", "has_any", "has_all"} do
      says("ArgumentError", method .. ": works on columns of the types JSONB, HSTORE, not on Integer", function() u.age[method](u.age, "a") end)
    end
    for _, method in ipairs{"path_exists", "path_match", "delete_path"} do
      says("ArgumentError", "works on columns of the types JSONB, not on JSON", function() u.data[method](u.data, "$.a") end)
    end
    for _, method in ipairs{"adjacent_to", "strictly_left_of", "strictly_right_of", "not_extend_right_of", "not_extend_left_of"} do
      says("ArgumentError", "works on columns of the types ranges and multiranges, not on ARRAY", function() arr.nums[method](arr.nums, {1}) end)
    end
    says("ArgumentError", "ARRAY, ranges and multiranges, not on String", function() u.name:overlaps("x") end)
    says("ArgumentError", "ARRAY, JSONB, HSTORE, ranges and multiranges, not on Text", function() u.fullname:contained_by("x") end)
  end)

  it("are taken where the type is not known, or has a variant", function()
    assert.is_not_nil(ag.column("x"):has_key("a"))
    assert.is_not_nil(ag.func.f(u.id):overlaps(arr.nums))
    assert.is_not_nil(ag.column("x", ag.JSON():with_variant(pg.JSONB, "postgresql")):has_key("a"))
  end)
end)

describe("any_ and all_", function()
  local any = ag.any_(arr.nums)

  it("take only comparisons", function()
    says("ArgumentError", "only comparison operators may be used with any_ and all_, not op%('#'%)", function() any:op("#")(1) end)
    says("ArgumentError", "not collate", function() any:collate("C") end)
    says("ArgumentError", "not regexp_replace", function() any:regexp_replace("a", "b") end)
    says("ArgumentError", "in_ does not take any_ and all_: any_%(x%):eq%(y%)", function() any:in_{1, 2} end)
    says("ArgumentError", "not_in does not take any_", function() any:not_in{1, 2} end)
    assert.error(function() return any + 1 end)
  end)

  it("have an older form on arrays", function()
    says("ArgumentError", "any: works on arrays", function() u.age:any(5) end)
    says("ArgumentError", "operator: expected one of eq, ne, lt, le, gt, ge, got 'like'", function() arr.nums:any(5, {operator = "like"}) end)
    says("ArgumentError", "operator", function() arr.nums:all(5, {operatr = "eq"}) end)
  end)
end)

describe("parts", function()
  it("are sliced only of arrays", function()
    says("ArgumentError", "slice%(%) works on arrays, not on JSON", function() u.data:slice(1, 2) end)
    says("ArgumentError", "slice%(%) works on arrays, not on JSONB", function() own.doc:slice(1, 2) end)
  end)

  it("of arrays are not written for SQLite", function()
    says("UnsupportedCompilationError", "SQLite has no arrays", function() ag.select(arr.nums:at(1)):compile{dialect = "sqlite"} end)
    says("UnsupportedCompilationError", "SQLite has no arrays", function() ag.select(arr.nums:slice(1, 2)):compile{dialect = "sqlite"} end)
  end)
end)

describe("tuple_", function()
  it("is compared, but not selected, on SQLite", function()
    local tuple = ag.tuple_(u.id, u.age)
    says("CompileError", "SQLite cannot select a tuple_", function() ag.select(tuple):compile{dialect = "sqlite"} end)
    assert.equal("SELECT (users.id, users.age) AS anon_1 FROM users", ag.select(tuple):compile{dialect = "postgresql"}.string)
    assert.matches("WHERE %(users.id, users.age%) IN", ag.select(u.id):where(tuple:in_{{1, 2}}):compile{dialect = "sqlite"}.string)
  end)
end)

describe("func", function()
  it("knows what is called like a function and is none", function()
    assert.equal("CAST(users.age AS VARCHAR)", ag.func.cast(u.age, ag.String):compile{dialect = "postgresql"}.string)
    says("ArgumentError", "func: expected a Sequence, got", function() ag.func.next_value("my_seq") end)
    says("ArgumentError", "", function() ag.func.cast(u.age) end)
  end)
end)
