--- From the type that a column of SQLite was declared with to a type of argent: by name, else by SQLite's affinity rules
--- (sqlite.org/datatype3.html, section 3.1), as SQLAlchemy does it.
local core = require "argent.core"

local M = {}

--- Declared name → name of the type.
local names = {}
for _, name in ipairs{"BIGINT", "BLOB", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DOUBLE", "DECIMAL", "FLOAT", "INTEGER", "JSON", "JSONB",
  "NUMERIC", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "VARCHAR", "NVARCHAR", "NCHAR"} do
  names[name] = name
end
names.BOOL, names.INT = "BOOLEAN", "INTEGER"
names.DATE_CHAR, names.DATETIME_CHAR, names.TIME_CHAR = "DATE", "DATETIME", "TIME"

--- What may stand in brackets behind it: number of integers.
local arguments = {VARCHAR = 1, CHAR = 1, NVARCHAR = 1, NCHAR = 1, TEXT = 1, BLOB = 1, NUMERIC = 2, DECIMAL = 2, FLOAT = 1}
local collated = {VARCHAR = true, CHAR = true, NVARCHAR = true, NCHAR = true, TEXT = true}

local function by_affinity(declared)
  local function has(...)
    for _, part in ipairs{...} do
      if declared:find(part, 1, true) then return true end
    end
  end
  if has "INT" then return "INTEGER" end
  if has("CHAR", "CLOB", "TEXT") then return "TEXT" end
  if has "BLOB" or declared == "" then return "NullType" end
  if has("REAL", "FLOA", "DOUB") then return "REAL" end
  return "NUMERIC"
end

local function get(name)
  return core[name] or core.postgresql_types[name]
end

--- The type of a column.
---@param declared string as the database gives it
---@param collation? string of the column
---@return argent.Type
function M.resolve(declared, collation)
  local upper = declared:upper()
  local word, brackets = upper:match("^([%w_ \x80-\xff]+)(%b())")
  word = word or upper:match("^[%w_ \x80-\xff]+") or ""
  word = word:gsub("^%s+", ""):gsub("%s+$", "")
  local name = names[word] or by_affinity(word)
  local args, n = {}, arguments[name] or 0
  for digits in (brackets or ""):gmatch("%d+") do
    if #args < n then args[#args + 1] = math.tointeger(tonumber(digits)) end
  end
  if collation and collated[name] then args[#args + 1] = {collation = collation} end
  local type_ = get(name)
  if #args == 0 then return type_ end
  local ok, made = pcall(type_, table.unpack(args))
  return ok and made or type_
end

return M
