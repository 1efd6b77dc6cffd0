-- types/*.lua tell a language server what C gives to Lua. Here the two are compared by name, both ways: the functions of the table
-- that require "argent.core" returns (`function core.name(…)`), the names of lua/argent/names.lua
-- (types/argent.lua), and the methods of C's classes (`function Class:name(…)`, also of
-- the parents that `---@class argent.Class: argent.Parent` names). Methods that begin with _ are argent's own and need none, those
-- that argent's Lua modules replace are annotated there.

-- C's name of a class → the meta class, where they differ.
local CLASSES = {
  statement = "Statement", ["FROM clause"] = "FromClause", VALUES = "Values", ["table function"] = "TableFunction",
  expression = "Expression", Column = "Expression", ["function"] = "Function", exists = "Exists", text = "Text", type = "Type",
  collection = "Collection", ["DDL element"] = "Statement", Table = "FromClause",
}

--- One line of a meta file: a class begins, its variable is named, or a function of core or of a class is declared.
local function read_line(meta, at, file, number, line)
  local class, parent = line:match("^%-%-%-@class argent%.([%w.]+):?%s*(.*)$")
  if class then
    meta.classes[class] = meta.classes[class] or {methods = {}}
    meta.classes[class].parent = parent:match("argent%.([%w.]+)") or meta.classes[class].parent
    at.class = class
  end
  local variable = line:match("^local (%w+) = {}")
  if variable then at[variable] = at.class end
  local owner, name = line:match("^function%s+(%w+)[.:]([%w_]+)%s*%(")
  if owner == "core" then
    meta.functions[name] = {file, number}
  elseif owner and at[owner] then
    meta.classes[at[owner]].methods[name] = {file, number}
  end
end

local function read_meta(tree)
  local meta = {functions = {}, classes = {}, lua = {}}
  for _, file in ipairs(tree.files("types", "*.lua")) do
    local at = {}
    for number, line in ipairs(tree.lines(file)) do read_line(meta, at, file, number, line) end
  end
  for _, file in ipairs(tree.files("lua/argent", "*.lua")) do
    local at = {}
    for _, line in ipairs(tree.lines(file)) do
      local variable, class = line:match('^local (%w+) = %w+%.methods%(?%s*"([^"]+)"')
      if variable then at[variable] = CLASSES[class] or class end
      local owner, name = line:match("^function%s+(%w+)[.:]([%w_]+)%s*%(")
      if owner and at[owner] then meta.lua[at[owner] .. ":" .. name] = true end
    end
  end
  return meta
end

local function find_method(meta, class, method)
  if meta.lua[class .. ":" .. method] then return true end
  while class and meta.classes[class] do
    if meta.classes[class].methods[method] then return true end
    class = meta.classes[class].parent
  end
  return false
end

--- The classes that csrc/binding defines.
local function kinds(tree)
  local list = {}
  for _, file in ipairs(tree.files("csrc/binding", "*.c")) do
    for _, line in ipairs(tree.lines(file)) do
      for name in line:gmatch('%.name = "([^"]+)"') do list[#list + 1] = name end
    end
  end
  return list
end

local function check_functions(core, meta, fail)
  for name, value in pairs(core) do
    if type(value) == "function" and not meta.functions[name] then fail("types/core.lua", nil, "no annotation of core." .. name) end
  end
  for name, place in pairs(meta.functions) do
    if type(core[name]) ~= "function" then fail(place[1], place[2], "core." .. name .. " is annotated but does not exist") end
  end
end

local function has_method(core, list, class, method)
  for _, kind in ipairs(list) do
    local mine = CLASSES[kind]
    if mine == nil then mine = kind end
    if mine == class or kind == class then
      local ok, methods = pcall(core.methods, kind)
      if ok and methods[method] then return true end
    end
  end
  return false
end

local function check_class(core, meta, kind, fail)
  local ok, methods = pcall(core.methods, kind)
  local class = CLASSES[kind]
  if class == nil then class = kind end
  if not ok or not class then return end
  for method, value in pairs(methods) do
    local known = method:sub(1, 1) == "_" or find_method(meta, class, method) or find_method(meta, kind, method)
    if type(value) == "function" and not known then fail("types", nil, ("no annotation of %s:%s"):format(class, method)) end
  end
end

local function check_methods(core, meta, list, fail)
  for _, kind in ipairs(list) do check_class(core, meta, kind, fail) end
  local names = {}
  for _, kind in ipairs(list) do names[kind], names[CLASSES[kind] or ""] = true, true end
  for class, facts in pairs(meta.classes) do
    for method, place in pairs(names[class] and facts.methods or {}) do
      if not has_method(core, list, class, method) then
        fail(place[1], place[2], ("%s:%s is annotated but does not exist"):format(class, method))
      end
    end
  end
end

--- types/argent.lua has a line for each public name that a Lua module gives.
local function check_names(tree, fail)
  local declared = {}
  for _, line in ipairs(tree.lines("types/argent.lua")) do
    local name, from = line:match('^argent%.([%w_]+) = require%("argent%.([%w_.]+)"%)')
    if name then declared[name] = from end
  end
  for name, from in pairs(dofile "lua/argent/names.lua") do
    local want = from == true and name or from
    if declared[name] ~= want then fail("types/argent.lua", nil, ('no line: argent.%s = require("argent.%s")…'):format(name, want)) end
    declared[name] = nil
  end
  for name in pairs(declared) do fail("types/argent.lua", nil, "argent." .. name .. " is declared but does not exist") end
end

return function(tree, fail)
  check_names(tree, fail)
  package.cpath = tree.build .. "/lua/?.so;" .. package.cpath
  local ok, core = pcall(require, "argent.core")
  if not ok then return fail("types/core.lua", nil, "argent.core does not load: " .. tostring(core)) end
  local meta = read_meta(tree)
  check_functions(core, meta, fail)
  check_methods(core, meta, kinds(tree), fail)
end
