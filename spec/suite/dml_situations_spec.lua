-- Outcomes of INSERT, UPDATE and DELETE: rows, keys, counts, defaults and errors (spec/support/dml_situations.lua).
local ag = require "argent"
local db = require "spec.support.db"
local given = require "spec.support.dml_situations"

local function sorted(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  return keys
end

--- A value as text: rows with their columns by name.
local function dump(v)
  if v == ag.null then return "NULL" end
  if type(v) == "string" then return ("%q"):format(v) end
  local row = type(v) == "userdata"
  local t = row and ag.to_table(v) or v
  if type(t) ~= "table" then return tostring(v) end
  local parts = {}
  for _, k in ipairs(sorted(t)) do parts[#parts + 1] = (type(k) == "number" and "" or k .. "=") .. dump(t[k]) end
  return (row and "row(" or "{") .. table.concat(parts, ",") .. (row and ")" or "}")
end

describe("the outcome of", function()
  local engine
  setup(function()
    engine = db.engine{enable_from_linting = false}
    given.metadata:create_all(engine)
  end)
  teardown(db.cleanup)

  --- Numbers of keys start anew.
  local function fresh()
    given.reset()
    if not db.postgresql then return end
    engine:begin(function(conn)
      for _, t in ipairs(given.metadata.sorted_tables) do conn:exec_driver_sql("TRUNCATE " .. t.name .. " RESTART IDENTITY CASCADE") end
    end)
  end

  for _, situation in ipairs(given.situations) do
    local name, fn, outcome, raises = situation[1], situation[2], situation[3], situation.raises
    if db.postgresql and situation.postgresql then outcome, raises = nil, situation.postgresql end
    if not (db.postgresql and situation.postgresql == false) then
      it(name, function()
        fresh()
        local conn <close> = engine:connect()
        local ok, value = pcall(fn, conn)
        if raises then
          assert.is_false(ok)
          assert.is_true(value:is(ag.exc[raises]), tostring(value))
        else
          if not ok then error(value, 0) end
          assert.equal(outcome, dump(value))
        end
      end)
    end
  end
end)
