--- Methods that an expression has by its type. `override` answers for the `comparator_factory` of TypeDecorator and UserDefinedType,
--- `own` for PostgreSQL's own types. The C core asks for a name; what is not here is a built-in method, or unknown.
local M = {}

--- Which functions of a comparator_factory run now: inside `eq` of a factory, `self:eq(x)` is the built-in operator.
local running = setmetatable({}, {__mode = "k"})

local function finish(factory, name, ok, ...)
  running[factory][name] = nil
  if not ok then error(..., 0) end
  return ...
end

--- The function of a type's comparator_factory, or nil.
---@param spec table what ag.TypeDecorator or ag.UserDefinedType was given
---@param name string
---@return function?
function M.override(spec, name)
  local factory = spec.comparator_factory
  local fn = factory and factory[name]
  if fn == nil or (running[factory] and running[factory][name]) then return nil end
  return function(self, ...)
    running[factory] = running[factory] or {}
    running[factory][name] = true
    return finish(factory, name, pcall(fn, self, ...))
  end
end

--- The method of an own type of PostgreSQL, or nil.
---@param type_name string
---@param name string
---@return function?
function M.own(type_name, name)
  local methods = require("argent.postgresql.methods")[type_name]
  return methods and methods[name]
end

return M
