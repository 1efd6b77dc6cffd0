--- The Inspector against what SQLAlchemy's answers over the same schemas: reflection_<dialect>.sql, answers by reflection.py.
local ag = require "argent"
local core = require "argent.core"
local db = require "spec.support.db"

--- What argent tells besides.
local more = {sequence = true, column_collations = true, column_collation_schemas = true,
  postgresql_not_valid = true, postgresql_unlogged = true, postgresql_partition_by = true}

local function type_text(type_)
  if type_.class_name == "NullType" then return "NullType" end
  local sql = ag.cast(ag.null_(), type_):compile{dialect = db.dialect}.string
  return (sql:gsub("^CAST%(NULL AS (.*)%)(.-)$", "%1%2"))
end

--- One line of text: `text` of reflection.py.
local function text(v, method)
  if v == ag.null then return "null" end
  if type(v) == "string" then return "'" .. v:gsub("\n", "\\n") .. "'" end
  if type(v) ~= "table" then return core.kind_of(v) == "type" and type_text(v) or tostring(v) end
  local out = {}
  if v[1] ~= nil or next(v) == nil then
    for i, x in ipairs(v) do out[i] = text(x, method) end
    return "[" .. table.concat(out, ", ") .. "]"
  end
  for key, x in pairs(v) do
    local own = more[key] or key == "options" and method == "get_unique_constraints" or key == "options" and method == "get_pk_constraint"
    local t = not own and text(x, method)
    if t and t ~= "[]" and t ~= "{}" then out[#out + 1] = key .. "=" .. t end
  end
  table.sort(out)
  return "{" .. table.concat(out, " ") .. "}"
end

--- An empty answer is the same whatever it is of.
local function whole(answer)
  return answer == "{}" and "[]" or answer
end

describe("golden reflection", function()
  local engine, conn

  setup(function()
    engine = db.engine()
    conn = engine:connect()
    conn:begin()
    if db.postgresql then
      for _, name in ipairs{"hstore", "citext", "btree_gist"} do conn:exec_driver_sql("CREATE EXTENSION IF NOT EXISTS " .. name) end
    end
    local file = assert(io.open("spec/golden/reflection_" .. db.dialect .. ".sql"))
    local sql = file:read("a"):gsub("^[^\n]*\n", "")
    file:close()
    for statement in sql:gmatch "(.-);\n" do
      if statement:find "^%s*ATTACH" then conn:rollback() end
      conn:exec_driver_sql(statement)
    end
  end)
  teardown(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  for _, case in ipairs(assert(loadfile("spec/golden/reflection_" .. db.dialect .. ".lua"))()) do
    local method, name, schema, expected = case[1], case[2], case[3], case[4]
    it(("%s %s %s"):format(method, name or "", schema or ""), function()
      local insp, o = ag.inspect(conn), schema and {schema = schema} or nil
      local answer
      if name then answer = insp[method](insp, name, o) else answer = insp[method](insp, o) end
      if expected then assert.equal(whole(expected), whole(text(answer, method))) else assert.is_table(answer) end
    end)
  end
end)
