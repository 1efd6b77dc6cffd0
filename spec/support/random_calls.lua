--- A fuzzer of the whole public surface: random objects, random functions and methods with random arguments, from random places
--- (coroutines, callbacks, metamethods, finalisers), whose results become objects for the calls that follow. Nothing may crash; what is
--- refused is refused by an error object; afterwards nothing is lent and an engine works. spec/suite/calls_spec.lua runs a short
--- one, `script/fuzz api SECONDS` a long one.
---
--- ARGENT_CALLS_TRACE=FILE writes each call before it is made, so that the last line names the one that crashed.
local ag = require "argent"
local core = require "argent.core"
local db = require "spec.support.db"
local hostile = require "spec.support.random_hostile"
local places = require "spec.support.injection"
local fitting = require "spec.support.random_fitting"
local public = require "spec.support.public"
local signatures = require "spec.support.signatures"
local world = require "spec.support.world"

local M = {
  --- Also call what is not public, fake the library's objects and overwrite their fields: then only a crash is a fault, and the process
  --- is of no further use. ARGENT_SPOIL=1 of `script/fuzz api`.
  spoil = os.getenv "ARGENT_SPOIL" ~= nil,
}

--- Functions that wait, write to streams, or change the process for all that follows.
local skip = {}
for key in ([[ag.compiles ag.deregister ag.register_function ag.GenericFunction ag.dialects.register ag.event.register ag.log.set_handler
  ag.event.call ag.URL.create]]):gmatch "%S+" do skip[key] = true end

local trace = os.getenv "ARGENT_CALLS_TRACE"
trace = trace and assert(io.open(trace, "w"))

local function note(...)
  if trace then
    trace:write(table.concat({...}, " "), "\n")
    trace:flush()
  end
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- ── what there is to call ────────────────────────────────────────────────────────────────────────────────────────────

--- "Class:method" → functions by class; and the functions of ag. Taken once: the library does not change.
local functions, methods, free = nil, {}, {}

local function survey()
  if functions then return end
  functions = public.functions()
  for _, key in ipairs(sorted(functions)) do
    if not skip[key] and not key:find(":", 1, true) then free[#free + 1] = {key = key, f = functions[key]} end
  end
end

local function methods_of(kind)
  local list = methods[kind]
  if list then return list end
  list = {}
  local ok, all = pcall(core.methods, kind)
  if ok and type(all) == "table" then
    for _, name in ipairs(sorted(all)) do
      if type(all[name]) == "function" then list[#list + 1] = {key = kind .. ":" .. name, f = all[name]} end
    end
  end
  methods[kind] = list
  return list
end

--- Calls that are right but for one value (spec/support/injection.lua), by key.
local shapes = {}
for _, category in ipairs{"values", "names", "literals", "calls"} do
  for _, key in ipairs(sorted(places[category])) do
    if not skip[key] then shapes[#shapes + 1] = {key = category .. " " .. key, f = places[category][key]} end
  end
end

-- ── a game: one world, its objects, its random numbers ───────────────────────────────────────────────────────────────

local function new_world()
  local w = world.new()
  w.pg = db.postgresql
  w.t = ag.Table("safe", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("day", ag.Date),
    ag.Column("data", ag.JSON)})
  w.one = ag.Table("one", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true})})
  w.one_table, w.victim, w.n = w.one, w.t, w.t.c.name
  local own = ag.Table("own", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("doc", ag.postgresql.JSONB),
    ag.Column("tags", ag.postgresql.ARRAY(ag.Text)), ag.Column("span", ag.postgresql.INT4RANGE)})
  w.doc, w.tags, w.span = own.c.doc, own.c.tags, own.c.span
  w.Person, w.Tag = w.User, w.User
  w.t.metadata:create_all(w.conn)
  return w
end

local Game = {}
Game.__index = Game

local function new_game(seed)
  local state = seed % 2147483647 + 1
  local g = {alive = true, calls = 0, depth = 0, options = {"name", "x", "id"}, events = {}, threads = {}, faults = {}, refused = 0,
    lenders = setmetatable({}, {__mode = "k"})}
  function g.random(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return (state >> 8) % n + 1
  end
  function g.choice(list) return list[g.random(#list)] end
  function g.option() return g.choice(g.options) end
  function g.object() return g.choice(g.pool) end
  function g.act() if g.depth < 3 then g:step() end end
  function g.finish() g:close_something() end
  g.world = new_world()
  g.pool = {}
  for _, item in ipairs(g.world:list()) do g.pool[#g.pool + 1] = item.value end
  hostile.prepare(g)
  return setmetatable(g, Game)
end

--- What holds a connection. The game's own tables may keep one of these (`mine[raw] = 5`), and so may a function that a TypeDecorator was
--- given, which lives as long as the state: such a connection is not lost.
local lenders = {["raw connection"] = true, Connection = true, Session = true, Result = true, Transaction = true}

--- Objects that calls gave become objects for later ones.
function Game:keep(value)
  local kind = type(value)
  if lenders[core.kind_of(value)] then self.lenders[value] = true end
  if kind == "nil" or kind == "boolean" or kind == "number" or rawequal(value, _G) or rawequal(value, ag) then return end
  if type(value) == "string" and #value > 200 then return end
  if #self.pool < 400 then self.pool[#self.pool + 1] = value
  else self.pool[self.random(400)] = value end
end

--- Ends one of the things that can be ended, wherever that comes.
function Game:close_something()
  local object = self.object()
  local ends = {"close", "dispose", "rollback", "commit", "invalidate", "reset", "expunge_all", "clear"}
  local kind = core.kind_of(object)
  if not kind then return end
  local ok, all = pcall(core.methods, kind)
  local f = ok and type(all) == "table" and all[self.choice(ends)]
  if f then self:call(kind .. ":end", f, object) end
end

--- Names that an error tells are used from then on.
function Game:learn(text)
  local known = text:match "known: ([^)]+)%)"
  if not known or #self.options > 400 then return end
  for name in known:gmatch "[%w_]+" do
    if not self.events[name] then
      self.events[name] = true
      self.options[#self.options + 1] = name
    end
  end
end

--- Texts of errors that are the program's own: of a hostile function, of what this file does with Lua's operators, and Lua's words about
--- its stack or about a metamethod that answers with nonsense.
local own = {"mine:", "^[%w_./]*spec/support/", "stack overflow", "not enough memory", "outside a coroutine", "across a C%-call boundary",
  "error in error handling", "for iterator 'for iterator'", "'__tostring' must return a string", "object length is not an integer"}

local function excused(e)
  if rawequal(e, nil) or rawequal(e, hostile.mine) then return true end
  if type(e) ~= "string" then return false end
  for _, text in ipairs(own) do if e:find(text) then return true end end
  return false
end

function Game:judge(key, e)
  if ag.exc.is_error(e) then
    self.refused = self.refused + 1
    local text = tostring(e)
    self:learn(text)
    if text == "" or (text:find("attempt to ", 1, true) and not text:find("mine:", 1, true) and text:find("lua/argent/", 1, true)) then
      self.faults[text:sub(1, 200)] = key
    end
  elseif not excused(e) then
    local ok, text = pcall(tostring, e)
    self.faults[("%s: %s"):format(type(e), ok and text or "?"):sub(1, 300)] = key
  end
end

function Game:finish_call(key, ok, ...)
  if M.stats then
    local s = M.stats[key] or {n = 0, ok = 0}
    M.stats[key] = s
    s.n, s.ok = s.n + 1, s.ok + (ok and 1 or 0)
  end
  self.depth = self.depth - 1
  if not ok then
    if not key:find(":_", 1, true) then self:judge(key, (...)) end
    return nil
  end
  for i = 1, math.min(select("#", ...), 3) do self:keep((select(i, ...))) end
  return ...
end

function Game:call(key, f, ...)
  self.calls = self.calls + 1
  self.depth = self.depth + 1
  note(self.calls, key, self.depth)
  return self:finish_call(key, pcall(f, ...))
end

--- Arguments for a function: anything, or (more often) what its parameters' names ask for, with one of another kind among them.
function Game:arguments(key)
  local known = signatures.of(key)
  if known and self.random(3) > 1 then return self:call("arguments of " .. key, fitting.arguments, self, self.choice(known)) end
  local list, n = {}, self.random(5) - 1
  if self.random(50) == 1 then n = 230 end
  for i = 1, n do list[i] = hostile.any(self) end
  return table.unpack(list, 1, n)
end

-- ── moves ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local operators = {
  function(a, b) return a[b] end, function(a, b) return a[b] end,
  function(a) return a.c, a.name, a.id, a.pets end,
  function(a, b, c) a[b] = c end, function(a, b) a[b] = nil end, function(a, b) a.name = b end, function(a, b) a.pets = b end,
  function(a, b) return a + b end, function(a, b) return b - a end, function(a, b) return a * b end, function(a, b) return a / b end,
  function(a, b) return a % b end, function(a, b) return a & b end, function(a, b) return a | b end, function(a, b) return a .. b end,
  function(a, b) return a == b end, function(a, b) return a < b end, function(a, b) return a <= b end, function(a, b, c) return a(b, c) end,
  function(a) return #a end, function(a) return -a end, function(a) return ~a end, function(a) return tostring(a) end,
  function(a) for k, v in pairs(a) do if k == v then break end end end,
  function(a) for i = 1, 5 do if a[i] == nil then return a[i + 1] end end end,
  function(a)
    local n = 0
    for x in a do
      n = n + 1
      if n > 5 then return x end
    end
  end,
  function(a) local b <close> = a return b == a end,
  function(a) return tostring(ag.exc.ArgumentError(a)) end,
}

local moves = {}

function moves.free(g)
  local item = g.choice(free)
  g:call(item.key, item.f, g:arguments(item.key))
end

function moves.method(g)
  local object = g.object()
  local kind = core.kind_of(object)
  local list = kind and methods_of(kind)
  if not list or #list == 0 then return moves.free(g) end
  local item = g.choice(list)
  if g.random(12) == 1 then g:call(item.key, item.f, g:arguments(item.key)) else g:call(item.key, item.f, object, g:arguments(item.key)) end
end

function moves.shape(g)
  local item = g.choice(shapes)
  local made = g:call(item.key, item.f, g.world, hostile.any(g))
  if core.kind_of(made) and g.random(2) == 1 then
    local conn = g.random(4) == 1 and g.object() or g.world.conn
    g:call("compile of " .. item.key, function() return made:compile{dialect = g.choice{"sqlite", "postgresql"}} end)
    g:call("execute of " .. item.key, core.methods("Connection").execute, conn, made)
  end
end

function moves.operator(g)
  g:call("operator", g.choice(operators), g.object(), hostile.any(g), hostile.any(g))
end

function moves.thread(g)
  local thread
  if #g.threads > 0 and g.random(3) > 1 then
    local i = g.random(#g.threads)
    thread = g.threads[i]
    if g.random(4) == 1 then -- dropped, or closed
      table.remove(g.threads, i)
      if g.random(2) == 1 and coroutine.status(thread) == "suspended" then g:call("coroutine.close", coroutine.close, thread) end
      return
    end
  else
    thread = coroutine.create(function()
      for _ = 1, g.random(4) do
        g:step()
        coroutine.yield()
      end
    end)
    g.threads[#g.threads + 1] = thread
  end
  if coroutine.status(thread) ~= "suspended" then return end
  local depth = g.depth
  g.depth = depth + 1
  coroutine.resume(thread)
  g.depth = depth
end

function moves.listen(g)
  local target, name = g.object(), g.option()
  g:call("listen " .. name, ag.event.listen, target, name, hostile.fn(g), g.random(3) == 1 and {retval = true} or nil)
end

function moves.callback(g)
  local w = g.world
  local fn = hostile.fn(g)
  g:call("callback", g.choice{
    function() return w.engine:begin(fn) end,
    function() return w.conn:begin_nested(fn) end,
    function() return w.engine:run_in_transaction(fn, {retries = 1, backoff = 0}) end,
    function() return w.session:begin_nested(fn) end,
    function() return w.session:no_autoflush(fn) end,
    function() return ag.try(fn, w.session) end,
    function() return w.conn:execute(ag.insert(w.users), {{name = hostile.table(g)}, {name = "x"}}) end,
    function() return w.conn:exec_driver_sql("SELECT 1 AS a"):unique(fn):all() end,
    function() w.user.name = hostile.any(g) w.session:flush() end,
    function() w.user.pets:append(w.Pet{}) w.session:flush() end,
    function() return w.session:scalars(ag.select(w.User):options(ag.selectinload(w.User.pets))):all() end,
    function() return w.session:merge(w.User{id = 1, name = hostile.any(g)}) end,
    function() return w.session:execute(ag.insert(w.User), {hostile.list(g, 1), {name = "b"}}) end,
  })
end

function moves.collect(g)
  collectgarbage(g.choice{"collect", "step", "collect"})
end

function moves.forget(g)
  if #g.pool > 100 then table.remove(g.pool, g.random(#g.pool)) end
end

-- ── spoiling: the C core called directly, library objects copied and overwritten ─────────────────────────────────────

--- Functions of argent.core that stop the world on purpose.
local deadly = {debug_alloc_fail = true, _sleep = true, methods = true, exc_define = true, log_handler = true, debug_memory = true}
local internals

--- A function that only argent's own Lua calls.
function moves.internal(g)
  if not internals then
    internals = {}
    for _, name in ipairs(sorted(core)) do
      if type(core[name]) == "function" and not deadly[name] then internals[#internals + 1] = {key = "core:_" .. name, f = core[name]} end
    end
  end
  local item = g.choice(internals)
  g:call(item.key, item.f, g:arguments(item.key))
end

--- Something that looks like an object of the library: its metatable on another table.
function moves.fake(g)
  local object = g.object()
  local meta = type(object) == "table" and getmetatable(object)
  if type(meta) ~= "table" then return moves.internal(g) end
  local ok, fake = pcall(setmetatable, hostile.list(g, 1), meta)
  if ok then g:keep(fake) end
end

--- A field of a library's table overwritten.
function moves.overwrite(g)
  local object = g.object()
  if type(object) ~= "table" then return moves.internal(g) end
  local keys = {}
  for key in next, object do if type(key) == "string" then keys[#keys + 1] = key end end
  table.sort(keys)
  if #keys > 0 then rawset(object, g.choice(keys), hostile.any(g)) end
end

local weighted = {}
for name, weight in pairs{free = 8, method = 20, shape = 8, operator = 10, thread = 3, listen = 2, callback = 5, forget = 3, collect = 1} do
  for _ = 1, weight do weighted[#weighted + 1] = name end
end
table.sort(weighted)

local spoiling = {"internal", "internal", "fake", "overwrite"}

function Game:step()
  local move = M.spoil and self.random(3) > 1 and self.choice(spoiling) or self.choice(weighted)
  moves[move](self)
end

-- ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────

--- All is dropped, whatever state it is in; then an engine of the game lends nothing, and lends what works.
function Game:over()
  local engine = ag.create_engine("sqlite://")
  self.alive = false
  for _, thread in ipairs(self.threads) do
    if coroutine.status(thread) == "suspended" then pcall(coroutine.close, thread) end
  end
  local pool = self.world.engine.pool
  self.world:close()
  self.world, self.pool, self.threads = nil, {}, {}
  collectgarbage()
  collectgarbage()
  local alive = {}
  for object in pairs(self.lenders) do alive[#alive + 1] = object end
  for _, object in ipairs(alive) do
    pcall(function() object:rollback() end)
    pcall(function() object:close() end)
  end
  if pool:checkedout() ~= 0 then self.faults["connections are lent: " .. pool:checkedout()] = "over" end
  local conn <close> = engine:connect()
  assert(conn:execute(ag.select(ag.literal(1))):scalar() == 1)
  conn:close()
  engine:dispose()
end

--- What `echo` writes goes nowhere meanwhile.
local function quiet()
  local before = ag.log.set_handler(function() end)
  return setmetatable({}, {__close = function() ag.log.set_handler(before) end})
end

--- Play a number of calls, a new world each 400. → what was wrong (text → call), calls made, calls refused
---@param seed integer
---@param calls integer
function M.play(seed, calls)
  survey()
  local log <close> = quiet() -- luacheck: ignore
  local faults, done, refused = {}, 0, 0
  while done < calls do
    note("game", seed, done)
    local g = new_game(seed + done)
    local stop = math.min(400, calls - done)
    while g.calls < stop do g:step() end
    g:over()
    for text, key in pairs(M.spoil and {} or g.faults) do faults[text] = ("%s (seed %d)"):format(key, seed + done) end
    done, refused = done + g.calls, refused + g.refused
  end
  return faults, done, refused
end

--- For script/fuzz: play for a number of seconds from a seed on, and say what was found; false when something was.
---@param seconds number
---@param seed integer
function M.main(seconds, seed)
  local stop, all, total = os.time() + seconds, {}, 0
  while os.time() < stop do
    local faults, done = M.play(seed + total, 20000)
    total = total + done
    for text, key in pairs(faults) do all[text] = key end
  end
  for _, text in ipairs(sorted(all)) do io.stderr:write(("FAULT %s\n  by %s\n"):format(text, all[text])) end
  io.stderr:write(("%d calls from seed %d: %d faults\n"):format(total, seed, #sorted(all)))
  return next(all) == nil
end

return M
