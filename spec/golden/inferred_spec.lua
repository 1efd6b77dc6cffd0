-- The types of operations, against those that SQLAlchemy 2.1 infers (see inferred.py): every pair of types, every type with a value.
local ag = require "argent"
local data = assert(loadfile("spec/golden/inferred.lua"))(ag, ag.postgresql)

--- A text left of these is sent as their type, so that the database can read it.
local OURS = {}
for _, name in ipairs{"TSVECTOR", "MONEY", "HSTORE"} do
  for _, operation in ipairs{"y - x", "y * x"} do OURS[('pg.%s | %s | "t"'):format(name, operation)] = name end
end

local function inferred(make, x, y)
  local ok, e = pcall(make, x, y)
  if ok then return tostring(e.type) end
  assert(e.is and e:is(ag.exc.SQLAlchemyError), tostring(e))
  return "-"
end

local function compare(operation, rights, operand)
  local different = {}
  for i, left in ipairs(data.types) do
    for j, right in ipairs(rights) do
      local found = inferred(operation[2], ag.column("x", left[2]), operand(right))
      local key = ("%s | %s | %s"):format(left[1], operation[1], right[1])
      local expected = OURS[key] or operation[3][i][j]
      if found ~= expected then different[#different + 1] = ("%s: %s, not %s"):format(key, found, expected) end
    end
  end
  assert.same({}, different)
end

describe("inferred types", function()
  for _, operation in ipairs(data.of_types) do
    it("of " .. operation[1] .. " of two types", function()
      compare(operation, data.types, function(right) return ag.column("y", right[2]) end)
    end)
  end
  for _, operation in ipairs(data.of_values) do
    it("of " .. operation[1] .. " of a type and a value", function()
      compare(operation, data.values, function(right) return right[2] end)
    end)
  end
end)
