--- The options of a dialect that a schema object was given, as SQLAlchemy shows them: `dialect_kwargs` (`kwargs`) with the dialect's
--- prefix, `dialect_options` by dialect. They are read from what was given: to change them changes nothing.
local M = {}

local function copy(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil then return value end
  local out = {}
  for k, v in pairs(value) do out[k] = v end
  return out
end

--- {postgresql_where = …}
---@param list {dialect: string, name: string}[] of util.options
---@param given table the options as they were given
---@return table<string, any>
function M.kwargs(list, given)
  local out = {}
  for _, o in ipairs(list or {}) do
    local key = o.dialect .. "_" .. o.name
    out[key] = copy(given[key])
  end
  return out
end

--- {postgresql = {where = …}, sqlite = {}}
---@param list {dialect: string, name: string}[]
---@param given table
---@return table<string, table<string, any>>
function M.options(list, given)
  local out = {sqlite = {}, postgresql = {}}
  for _, o in ipairs(list or {}) do
    out[o.dialect] = out[o.dialect] or {}
    out[o.dialect][o.name] = copy(given[o.dialect .. "_" .. o.name])
  end
  return out
end

--- Give a class of schema objects the three attributes. `read(object)` returns its list and what was given.
---@param getters table<string, function>
---@param read fun(object: any): table, table
function M.add(getters, read)
  getters.dialect_kwargs = function(object) return M.kwargs(read(object)) end
  getters.kwargs = getters.dialect_kwargs
  getters.dialect_options = function(object) return M.options(read(object)) end
end

--- The same for objects that keep both in `_options` and `_given`.
---@param class table
function M.of_class(class)
  M.add(class.getters, function(object) return object._options, object._given or {} end)
end

return M
