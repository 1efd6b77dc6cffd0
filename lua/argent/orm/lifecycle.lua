--- Events of objects that enter and leave sessions: before_attach, after_attach, and one for each transition between states. Nothing
--- here runs until somebody listens: then `install` puts itself around the session's methods.
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"

local M = {}

local transitions = {}
for _, name in ipairs(events.transitions) do transitions[name] = true end

--- The state of an object as this session sees it.
local function state_of(session, object)
  local state, owner = core.orm_state(object)
  if owner ~= nil and owner ~= session then return nil end
  return state
end

local function emit_moves(session, list, before)
  for _, object in ipairs(list) do
    local was, is = before[object], state_of(session, object)
    local name = was and is and ("%s_to_%s"):format(was, is)
    if name and transitions[name] then events.emit(session, name, session, object) end
  end
end

local function snapshot(session, list, default)
  local before = {}
  for _, object in ipairs(list) do before[object] = default or state_of(session, object) end
  return before
end

--- Run f and tell what became of these objects. more: a function that lists further ones afterwards, which were persistent.
local function observe(session, list, f, more)
  local before = snapshot(session, list)
  local results = table.pack(f())
  if more then
    list = table.move(list, 1, #list, 1, {})
    for _, object in ipairs(more()) do
      if before[object] == nil then
        list[#list + 1] = object
        before[object] = "persistent"
      end
    end
  end
  emit_moves(session, list, before)
  return table.unpack(results, 1, results.n)
end

--- The objects that adding this one brings into the session: itself and what loaded relationships with save-update reach.
local function reached(session, objects)
  local list, seen = {}, {}
  local function visit(object)
    if core.kind_of(object) ~= "entity" or seen[object] then return end
    seen[object] = true
    local _, owner = core.orm_state(object)
    if owner == session then return end
    list[#list + 1] = object
  end
  for _, object in ipairs(objects) do visit(object) end
  local at = 1
  while list[at] do
    local object = list[at]
    at = at + 1
    local shape = require("argent.orm.query").shape(core.orm_class_of(object))
    for _, key in ipairs(shape.relations) do
      if shape.relations[key].made.cascade["save-update"] and core.orm_is_loaded(object, key) then
        local value = core.orm_get(object, key)
        if core.kind_of(value) == "collection" then
          for _, member in ipairs(value:all()) do visit(member) end
        else
          visit(value)
        end
      end
    end
  end
  return list
end

local function attach(session, objects, f)
  local list = reached(session, objects)
  for _, object in ipairs(list) do events.emit(session, "before_attach", session, object) end
  local before = snapshot(session, list)
  f()
  for _, object in ipairs(list) do
    local _, owner = core.orm_state(object)
    if owner == session then events.emit(session, "after_attach", session, object) end
  end
  emit_moves(session, list, before)
end

local function all_of(session)
  local list = session:_persistent()
  local seen = {}
  for _, object in ipairs(list) do seen[object] = true end
  for _, object in ipairs(session:_tracked()) do
    if not seen[object] then list[#list + 1] = object end
  end
  return list
end

local wrappers = {
  add = function(old) return function(session, object)
    if core.kind_of(object) ~= "entity" then return old(session, object) end
    attach(session, {object}, function() old(session, object) end)
  end end,
  add_all = function(old) return function(session, objects)
    local list = core.kind_of(objects) == "collection" and objects:all() or objects
    if type(list) ~= "table" then return old(session, objects) end
    attach(session, list, function() old(session, objects) end)
  end end,
  delete = function(old) return function(session, object)
    if core.kind_of(object) ~= "entity" then return old(session, object) end
    attach(session, {object}, function() old(session, object) end)
  end end,
  expunge = function(old) return function(session, object)
    return observe(session, all_of(session), function() return old(session, object) end)
  end end,
  _flush = function(old) return function(session, conn)
    local list = session:_tracked()
    local before = snapshot(session, list)
    local results = table.pack(old(session, conn))
    session:_info().moved = function()
      for _, object in ipairs(session:_tracked()) do
        if before[object] == nil then
          list[#list + 1] = object
          before[object] = "persistent"
        end
      end
      emit_moves(session, list, before)
    end
    return table.unpack(results, 1, results.n)
  end end,
}
for _, name in ipairs{"_release", "_rollback", "_committed"} do
  wrappers[name] = function(old) return function(session, ...)
    local args = table.pack(...)
    return observe(session, all_of(session), function() return old(session, table.unpack(args, 1, args.n)) end)
  end end
end
wrappers._gone = function(old) return function(session, object)
  return observe(session, {object}, function() return old(session, object) end)
end end

local installed = false
--- Put the events around the session's methods, once.
function M.install()
  if installed then return end
  installed = true
  local Session = check.methods("Session")
  for name, wrap in pairs(wrappers) do Session[name] = wrap(Session[name]) end
  core.orm_watch()
end

--- Objects that a result brought.
---@param session argent.Session
---@param objects any[]
function M.loaded(session, objects)
  for _, object in ipairs(objects) do events.emit(session, "loaded_as_persistent", session, object) end
end

--- The save-update cascade of an append or assignment.
---@param session argent.Session
---@param object any
function M.attach(session, object) session:add(object) end

return M
