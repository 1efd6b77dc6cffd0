--- Checks for argent's functions that are written in Lua; their errors look like those of the C functions.
local core = require "argent.core"

local M = {}

--- Raise an ArgumentError: `bad argument #2 to Engine:begin: …`.
---@param func string as users call it
---@param position integer as users count
---@param text string
function M.argument_error(func, position, text)
  core.exc_raise("ArgumentError", ("bad argument #%d to %s: %s"):format(position, func, text),
    {func = func, argument = position})
end

--- Raise unless the value has the type (a Lua type name, or the kind of a box: "Engine").
---@param func string as users call it
---@param position integer as users count
---@param value any
---@param want string
function M.type(func, position, value, want)
  if type(value) == want or core.kind_of(value) == want then return value end
  local article = want:find("^[AEIOUaeiou]") and "an" or "a"
  return M.argument_error(func, position, ("expected %s %s, got %s"):format(article, want, core.describe(value)))
end

--- A function or a callable object.
---@param func string as users call it
---@param position integer as users count
---@param value any
function M.callable(func, position, value)
  local meta = type(value) ~= "function" and debug.getmetatable(value)
  if type(value) == "function" or (meta and meta.__call) then return value end
  return M.argument_error(func, position, "expected a function, got " .. core.describe(value))
end

--- Check an options table: `known` maps each option to a Lua type, a list of them, or true. Returns a table, never nil.
---@param func string as users call it
---@param position integer as users count
---@param options table?
---@param known table
function M.options(func, position, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" or getmetatable(options) ~= nil then
    return M.argument_error(func, position, "expected a plain options table, got " .. core.describe(options))
  end
  for key, value in pairs(options) do
    local want = known[key]
    if want == nil then M.unknown(func, "option", key, known) end
    if type(want) == "string" and type(value) ~= want and core.kind_of(value) ~= want then
      core.exc_raise("ArgumentError", ("%s: option '%s': expected a %s, got %s"):format(func, key, want, core.describe(value)))
    end
  end
  return options
end

--- A field of a table's metatable; nil where there is none to look at. `__metatable` and `__index` of the program's own may be anything.
---@param value any
---@param field string
function M.meta_field(value, field)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, field) or nil
end

--- Raise for a name that is not among the keys of `known`.
---@param func string as users call it
---@param what string "option", "column" …
---@param name any
---@param known table
function M.unknown(func, what, name, known)
  local list = {}
  for key in pairs(known) do list[#list + 1] = key end
  table.sort(list)
  local near = type(name) == "string" and core.nearest(name, list)
  core.exc_raise("ArgumentError", ("%s: unknown %s '%s'%s (known: %s)"):format(func, what, tostring(name),
    near and ("; did you mean '%s'?"):format(near) or "", table.concat(list, ", ")))
end

--- The methods of a class, to add to: a function assigned to a name becomes a method that refuses any other `self`.
---
---     local Engine = check.methods("Engine")
---     function Engine:begin(fn) … end
---@param kind string
---@return table
function M.methods(kind)
  local methods = core.methods(kind)
  return setmetatable({}, {
    __index = methods,
    __newindex = function(_, name, fn)
      local func = kind .. ":" .. name
      methods[name] = function(self, ...)
        if core.kind_of(self) ~= kind then
          core.exc_raise("ArgumentError", ("bad self of %s: expected %s, got %s (call methods with a colon)"):format(func, kind,
            core.describe(self)))
        end
        return fn(self, ...)
      end
    end,
  })
end

return M
