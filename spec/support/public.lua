-- Every public function: names of `ag`, members of its tables (ag.event.listen), methods of all classes (Class:method).
local ag = require "argent"
local core = require "argent.core"
local names = require "argent.names"

local M = {}

local function each_name()
  local set = {}
  for name in pairs(names) do set[name] = true end
  for name in pairs(core) do if not core.internal[name] then set[name] = true end end
  return set
end

local function callable(value)
  local meta = type(value) ~= "function" and debug.getmetatable(value)
  return type(value) == "function" or (meta ~= nil and meta ~= false and meta.__call ~= nil)
end

--- Names of the classes, as the C sources and the Lua modules give them.
local function classes()
  local list, pipe = {}, io.popen [[cat csrc/binding/*.c $(find lua -name '*.lua')]]
  for name in pipe:read("a"):gmatch('%.name = "([^"]+)"') do list[name] = true end
  pipe:close()
  pipe = io.popen [[cat $(find lua -name '*.lua')]]
  for name in pipe:read("a"):gmatch('methods%(?%s*"([^"]+)"') do list[name] = true end
  pipe:close()
  return list
end

--- key → function: "ag.select", "ag.event.listen", "Select:where". A method that a class has from another one is listed once, under
--- the first class in alphabetical order; `also` tells the others.
function M.functions()
  local found, by_value = {}, {}
  local function add(key, fn)
    if by_value[fn] then return end
    by_value[fn] = key
    found[key] = fn
  end
  local tops = {}
  for name in pairs(each_name()) do tops[#tops + 1] = name end
  table.sort(tops)
  for _, name in ipairs(tops) do
    local ok, value = pcall(function() return ag[name] end)
    if ok and type(value) == "function" then add("ag." .. name, value) end
  end
  for _, name in ipairs(tops) do
    local ok, value = pcall(function() return ag[name] end)
    if ok and type(value) == "table" then
      if callable(value) then found["ag." .. name] = value end
      local members = {}
      for key in pairs(value) do if type(key) == "string" and key:sub(1, 1) ~= "_" then members[#members + 1] = key end end
      table.sort(members, function(a, b) return #a < #b or (#a == #b and a < b) end) -- the short name of several
      for _, key in ipairs(members) do
        if type(value[key]) == "function" then add("ag." .. name .. "." .. key, value[key]) end
      end
    elseif ok and type(value) == "userdata" and callable(value) and core.kind_of(value) ~= "type" then
      found["ag." .. name] = value
    end
  end
  local list = {}
  for name in pairs(classes()) do list[#list + 1] = name end
  table.sort(list)
  for _, class in ipairs(list) do
    local ok, methods = pcall(core.methods, class)
    if ok then
      local keys = {}
      for key in pairs(methods) do keys[#keys + 1] = key end
      table.sort(keys)
      for _, key in ipairs(keys) do
        if key:sub(1, 1) ~= "_" then add(class .. ":" .. key, methods[key]) end
      end
    end
  end
  return found
end

return M
