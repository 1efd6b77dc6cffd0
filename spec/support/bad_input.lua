--- Calls of every public function with one thing wrong, for spec/binding/bad_input_spec.lua: arguments that fit the parameters' names
--- (spec/support/random_fitting.lua), but for one.
local ag = require "argent"
local core = require "argent.core"
local fitting = require "spec.support.random_fitting"
local public = require "spec.support.public"
local signatures = require "spec.support.signatures"
local world = require "spec.support.world"

local M = {}

--- Functions that change the process.
M.skip = {}
for key in ([[ag.compiles ag.deregister ag.register_function ag.GenericFunction ag.dialects.register ag.event.register ag.log.set_handler
  ag.event.call]]):gmatch "%S+" do M.skip[key] = true end

--- A value that no function takes for an argument.
M.wrong = coroutine.create(function() end)

local Player = {}
Player.__index = Player

function Player:renew()
  if self.world then self.world:close() end
  local w = world.new()
  w.t = ag.Table("safe", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
  w.t.metadata:create_all(w.conn)
  w.n, w.Person = w.t.c.name, w.User
  local pg = ag.postgresql
  local typed = ag.Table("typed", ag.MetaData(), {ag.Column("doc", pg.JSONB), ag.Column("tags", pg.ARRAY(ag.Text)), ag.Column("span", pg.INT4RANGE),
    ag.Column("json", ag.JSON), ag.Column("parts", pg.HSTORE)})
  for _, column in ipairs(typed.c) do w["typed_" .. column.name] = column end
  w.exists = ag.exists(ag.select(w.t.c.id))
  w.values = ag.values(ag.column("a", ag.Integer), {name = "v"}):data{{1}}
  w.table_function = ag.func.json_each("{}"):table_valued("key")
  w.raw = w.conn.connection
  self.world = w
end

--- A source of right arguments, the same ones in each run.
function M.player()
  local state = 7
  local g = setmetatable({alive = true}, Player)
  function g.random(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return (state >> 8) % n + 1
  end
  function g.choice(list) return list[g.random(#list)] end
  function g.option() return "name" end
  g.behaviours = {function() end}
  g:renew()
  return g
end

--- The living objects that have the methods of a class.
function Player:selves(class)
  local list = {}
  for _, item in ipairs(self.world:list()) do
    local ok, all = pcall(core.methods, core.kind_of(item.value) or "")
    if ok and all == core.methods(class) and not item.name:find "closed" and not item.name:find "disposed" and item.name ~= "detached" then
      list[#list + 1] = item.value
    end
  end
  return list
end

--- Call f with right arguments for `params`, after `change(list)`. → ok, what it gave
function Player:call(entry, params, number, change)
  local made, args = pcall(function() return table.pack(fitting.right(self, params)) end)
  if not made then return false, args end
  change(args)
  if not entry.class then return pcall(entry.f, table.unpack(args, 1, args.n)) end
  local selves = self:selves(entry.class)
  if #selves == 0 then return false, ag.exc.ArgumentError("thread: there is no object of this class to try") end
  return pcall(entry.f, selves[number % #selves + 1], table.unpack(args, 1, args.n))
end

--- Functions and methods, sorted: {key, f, class?, name, params = lists of parameters' names}.
function M.entries()
  local functions, list = public.functions(), {}
  for key, f in pairs(functions) do
    if not M.skip[key] then
      list[#list + 1] = {key = key, f = f, class = key:match "^(.-):", name = key:match "[%w_]+$", params = signatures.of(key) or {{"..."}}}
    end
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

return M
