-- Golden SQL: construct × dialect, against what SQLAlchemy 2.1 writes for the same statement (see generate.py).
-- GOLDEN=name runs one file; GOLDEN_ONLY=pattern runs the cases whose name matches.
local ag = require "argent"
local t = require "spec.golden.tables"

local FILES = table.move(require "spec.golden.files", 1, #require "spec.golden.files", 1, {})
for _, name in ipairs{"ddl", "schema", "ddl_options", "ddl_forms"} do FILES[#FILES + 1] = name end

--- Placeholders folded to `?`, white space to one blank: what a golden text is compared after.
local function normalise(sql)
  local out = sql:gsub("%$%d+", "?"):gsub("%s+", " ")
  return (out:gsub("^ ", ""):gsub(" $", ""))
end

--- A case with a type is an expression.
local function statement(case)
  local made = case[2]()
  return case.type and ag.select(made) or made
end

for _, name in ipairs(FILES) do
  if not os.getenv("GOLDEN") or os.getenv("GOLDEN") == name then
    local cases = assert(loadfile("spec/golden/" .. name .. ".lua"))(ag, t)
    describe("golden " .. name, function()
      for _, case in ipairs(cases) do
        for _, dialect in ipairs{"sqlite", "postgresql"} do
          local expected = case[dialect]
          if expected ~= nil and (case[1]):find(os.getenv("GOLDEN_ONLY") or "") then
            it(dialect .. ": " .. case[1], function()
              if expected then
                local compiled = statement(case):compile{dialect = dialect, render_postcompile = true}
                assert.equal(expected, normalise(compiled.string))
                assert.equal(case.type, case.type and tostring(case[2]().type))
              else
                local ok, e = pcall(function() return statement(case):compile{dialect = dialect, render_postcompile = true} end)
                assert.is_false(ok)
                assert.is_true(e:is(ag.exc.SQLAlchemyError))
              end
            end)
          end
        end
      end
    end)
  end
end
