--- The one public table. Its names come on demand: from the Lua module that `argent.names` gives for a name, else from the C
--- core. An unknown name raises with the nearest one.
local core = require "argent.core"
local names = require "argent.names"

---@class argent
local M = {_VERSION = "argent 0.1"}

--- Every public name, for hints and for tools.
local function known()
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  for name in pairs(core) do
    if names[name] == nil and not core.internal[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

-- Lua asks a SELECT for ext before it calls pg.distinct_on, which brings the extensions.
local select_methods = core.methods "Select"
select_methods.ext = select_methods.ext or function(stmt, extension)
  require "argent.custom"
  return select_methods.ext(stmt, extension)
end

setmetatable(M, {
  __index = function(t, name)
    local from = names[name]
    local value
    if from == true then
      value = require("argent." .. name)
    elseif from then
      value = require("argent." .. from)[name]
    elseif type(name) == "string" and not core.internal[name] then
      value = core[name]
    end
    if value == nil then
      local near = type(name) == "string" and core.nearest(name, known())
      core.exc_raise("ArgumentError", ("argent has no '%s'%s"):format(tostring(name),
        near and ("; did you mean '%s'?"):format(near) or ""))
    end
    rawset(t, name, value)
    return value
  end,
  __newindex = function(_, name)
    core.exc_raise("ArgumentError", ("the argent table cannot be changed (assigning '%s')"):format(tostring(name)))
  end,
})

--- `select:into(name, options)`: written in Lua, loaded when it is called.
for _, kind in ipairs{"Select", "CompoundSelect"} do
  core.methods(kind).into = function(select, name, options)
    return require "argent.schema.view"._into(select, name, options)
  end
end

return M
