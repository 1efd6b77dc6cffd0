--- Walking and rewriting SQL constructs: ag.visitors.iterate, traverse, replacement_traverse, and ag.ClauseAdapter. Constructs are
--- never changed; what rewrites them returns new ones.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

local function check_node(func, position, element)
  if not core.is_node(element) then
    check.argument_error(func, position, "expected an SQL construct, got " .. core.describe(element))
  end
end

--- All nodes of a construct, breadth first, itself first: `for element in ag.visitors.iterate(expr) do … end`.
---@param element any
---@return fun(): any
function M.iterate(element)
  check_node("ag.visitors.iterate", 1, element)
  local queue, first, last = {element}, 1, 1
  return function()
    local e = queue[first]
    if e == nil then return nil end
    queue[first] = nil
    first = first + 1
    for _, child in ipairs(core.node_children(e)) do
      last = last + 1
      queue[last] = child
    end
    return e
  end
end

--- Call functions by `__visit_name` ("column", "bindparam", "binary" …) for each node.
---
---     ag.visitors.traverse(stmt, {}, {bindparam = function(bind) print(bind.key) end})
---@param element any
---@param options table none are known
---@param functions table<string, fun(element: any)>
---@return any element
function M.traverse(element, options, functions)
  check_node("ag.visitors.traverse", 1, element)
  check.options("ag.visitors.traverse", 2, options, {})
  check.type("ag.visitors.traverse", 3, functions, "table")
  for e in M.iterate(element) do
    local fn = functions[core.node_visit_name(e)]
    if fn then fn(e) end
  end
  return element
end

--- The construct with parts replaced: `replace` is asked for each node before those below it; what it returns stands in the result
--- and is not gone into, nil keeps the node.
---
---     ag.visitors.replacement_traverse(cond, {}, function(e) if e == users.c.id then return other.c.id end end)
---@param element any
---@param options table none are known
---@param replace fun(element: any): any
---@return any
function M.replacement_traverse(element, options, replace)
  check_node("ag.visitors.replacement_traverse", 1, element)
  check.options("ag.visitors.replacement_traverse", 2, options, {})
  check.callable("ag.visitors.replacement_traverse", 3, replace)
  local from, to, seen, queue, first, last = {}, {}, {}, {element}, 1, 1
  while queue[first] ~= nil do
    local e = queue[first]
    queue[first] = nil
    first = first + 1
    local id = core.node_id(e)
    if not seen[id] then
      seen[id] = true
      local new = replace(e)
      if new == nil or new == e then
        for _, child in ipairs(core.node_children(e)) do
          last = last + 1
          queue[last] = child
        end
      elseif core.is_node(new) then
        from[#from + 1], to[#to + 1] = e, new
      else
        core.exc_raise("ArgumentError", "ag.visitors.replacement_traverse: the function returned " .. core.describe(new)
          .. " instead of an SQL construct or nil")
      end
    end
  end
  if #from == 0 then return element end
  if from[1] == element then return to[1] end
  return core.node_replace(element, from, to)
end

---@class argent.ClauseAdapter
---@field selectable any
local ClauseAdapter = {}
ClauseAdapter.__index = ClauseAdapter

--- The construct with columns of the tables behind the FROM replaced by the FROM's own.
---@param element any
---@return any
function ClauseAdapter:traverse(element)
  check_node("ClauseAdapter:traverse", 1, element)
  return core.node_adapt(self.selectable, element, self.adapt_on_names)
end

--- Rewrites columns to those of an alias or subquery that stands for their table.
---
---     local a = users:alias("a")
---     ag.ClauseAdapter(a):traverse(users.c.id:eq(5))     -- a.id = 5
---@param selectable any
---@param options? {adapt_on_names: boolean}
---@return argent.ClauseAdapter
function M.ClauseAdapter(selectable, options)
  check_node("ag.ClauseAdapter", 1, selectable)
  options = check.options("ag.ClauseAdapter", 2, options, {adapt_on_names = "boolean"})
  return setmetatable({selectable = selectable, adapt_on_names = options.adapt_on_names or false}, ClauseAdapter)
end

return M
