--- Values that no function should be given, some of which do something when they are looked at: tables whose metamethods raise,
--- yield, collect garbage, answer with nonsense, or call back into what is looking. For spec/support/random_calls.lua.
local ag = require "argent"

local M = {}

--- What hostile functions raise; errors of this kind are the program's own.
M.mine = setmetatable({}, {__name = "mine", __tostring = function() return "mine: a table" end})

local long = ("y"):rep(1 << 20)
local plain = {
  true, false, 0, 1, -1, 2, 7, math.maxinteger, math.mininteger, 1 << 31, 1 << 32, 2 ^ 53, 1.5, -0.0, 1e308, 0 / 0, 1 / 0, -1 / 0, "", "x", "id",
  "name",
  "pets", "owner", "users", "person", "safe", "id desc", "a\0b", "\xff\xfe", "$.a[0]", "{1,2}", "[1,2)", "2024-01-05", "12:30", "1 day",
  "1.50",
  "'; drop table safe; --", "sqlite://", "postgresql://u:p@h/d", "select 1", ":x", "%s", long, ("é"):rep(300),
  "*", ".", "a.b", "sqlite", "postgresql",
  "before_flush", "begin", "after_insert", "set", "append", "load", "all, delete-orphan",
  "select", "joined", "selectin", "1e999", "0x10", "-5",
}

local function cycle()
  local t = {}
  t[1], t.self, t[t] = t, t, t
  return t
end

local function deep(n)
  local t = {}
  for _ = 1, n do t = {t} end
  return t
end

--- Metamethods that are put on a hostile table.
local events = {"__index", "__newindex", "__len", "__eq", "__lt", "__le", "__tostring", "__pairs", "__call", "__add", "__sub", "__mul", "__div",
  "__mod",
  "__pow", "__unm", "__idiv", "__band", "__bor", "__bxor", "__shl", "__shr", "__bnot", "__concat"}

---@param g table a game of random_calls: random, choice, act (does something else in between), alive
local function behaviours(g)
  return {
    function() error(M.mine, 0) end,
    function() error("mine: text", 0) end,
    function() error(nil, 0) end,
    function() error(ag.exc.ArgumentError("mine: an argument error"), 0) end,
    function() return nil end,
    function() return 1 end,
    function() return -5 end,
    function() return math.maxinteger end,
    function() return "x" end,
    function(self) return self end,
    function() return {} end,
    function() return M.any(g) end,
    function() return M.any(g), M.any(g), M.any(g) end,
    function() collectgarbage() return M.any(g) end,
    function() g.act() return M.any(g) end,
    function() g.act() g.act() end,
    function() g.finish() return M.any(g) end,
    function() if coroutine.isyieldable() then coroutine.yield(1) end return 1 end,
    function() coroutine.yield(2) end,
    function() return M.fn(g) end,
  }
end

--- A function that misbehaves, as callbacks of all kinds.
function M.fn(g)
  local run = g.choice(g.behaviours)
  local calls = 0
  return function(...)
    calls = calls + 1
    if not g.alive or calls > 20 then return nil end
    return run(...)
  end
end

--- Something that Lua can index: what `__index` may be (another one is Lua's own error, without a place).
function M.indexable(g)
  local value = M.any(g, 3)
  if type(value) == "table" or type(value) == "userdata" and ag.inspect ~= nil and value ~= ag.null then return value end
  return {}
end

--- A table with hostile metamethods, some of them only.
function M.table(g)
  local meta = {}
  local n = g.random(3)
  for _ = 1, n do meta[g.choice(events)] = M.fn(g) end
  if g.random(8) == 1 then meta.__index = M.indexable(g) end
  if g.random(8) == 1 then meta.__name = g.choice{"Engine", "Row", 1, true, {}} end
  if g.random(8) == 1 then meta.__metatable = g.choice{false, 1, {}, "locked"} end
  if g.random(8) == 1 then meta.__mode = g.choice{"k", "v", "kv"} end
  if g.random(6) == 1 then meta.__gc = M.fn(g) end
  if g.random(6) == 1 then meta.__close = M.fn(g) end
  local t = g.random(2) == 1 and {} or M.list(g, 1)
  return setmetatable(t, meta)
end

--- A plain table of random values: an array, named options, or rows.
function M.list(g, depth)
  local t = {}
  local shape = g.random(4)
  for i = 1, g.random(4) - 1 do
    if shape == 1 then t[i] = M.any(g, depth + 1)
    elseif shape == 2 then t[g.option()] = M.any(g, depth + 1)
    elseif shape == 3 then t[i] = {[g.option()] = M.any(g, depth + 1)}
    else
      local key = M.any(g, depth + 1)
      if key ~= nil and key == key then t[key] = M.any(g, depth + 1) end
    end
  end
  if shape == 2 and g.random(3) == 1 then t[1] = M.any(g, depth + 1) end
  return t
end

local made = {
  function(g) return M.fn(g) end,
  function(g) return M.fn(g) end,
  function(g) return M.table(g) end,
  function(g) return M.table(g) end,
  function() return cycle() end,
  function(g) return deep(g.choice{10, 250, 1000}) end,
  function() return coroutine.create(function() coroutine.yield(1) end) end,
  function(g) return coroutine.wrap(M.fn(g)) end,
  function() return ag.null end,
  function() return ag.Integer end,
  function() return ag.exc.ArgumentError end,
  function() return ag.exc.ArgumentError("mine: made") end,
  function() return type end,
  function() return io.stdout end,
  function() return ag.func end,
  function() return setmetatable({}, {__index = ag.func}) end,
}

--- Any value: nothing, something plain, something hostile, or an object of the game.
function M.any(g, depth)
  depth = depth or 1
  local kind = g.random(20)
  if kind == 1 then return nil end
  if kind <= 5 then return g.choice(plain) end
  if kind <= 8 then return g.choice(made)(g) end
  if kind <= 11 and depth < 4 then return M.list(g, depth) end
  return g.object()
end

function M.prepare(g)
  g.behaviours = behaviours(g)
end

return M
