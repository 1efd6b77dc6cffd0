-- Every method called with every other kind of object where its own should stand, as `a.method(b, …)` can be written: an error object or
-- a result, never a crash. spec/suite/calls_spec.lua plays calls at random; this one leaves no pair out.
local ag = require "argent"
local core = require "argent.core"
local db = require "spec.support.db"
local public = require "spec.support.public"
local worlds = require "spec.support.world"

--- Constructs that a world does not hold; those of one Lua class stand for all nodes of it.
local function constructs()
  local t, f = ag.table("t", ag.column("a")), ag.func.f(1)
  return {
    ag.values(ag.column("n"), {name = "v"}):data{{1}}, t, ag.select(1):cte("c"), ag.select(1):subquery(), f, f:table_valued("x"), f:alias("q"),
    ag.case({ag.true_(), 1}), ag.cast(1, ag.Integer), ag.literal(1), ag.bindparam("p"), ag.text("x"), ag.text("x"):columns(ag.column("y")),
    ag.union(ag.select(1), ag.select(2)), ag.select(1):scalar_subquery(), ag.exists(ag.select(1)), ag.tuple_(1, 2), ag.literal_column("1"),
    f:over(), f:filter(ag.true_()), ag.and_(ag.true_(), ag.column("x")), ag.column("x"):desc(), ag.column("x"):label("l"), ag.null_(),
    ag.insert(t), ag.update(t), ag.delete(t), ag.postgresql.array{1}, ag.Integer, ag.String(5), ag.decimal "1", ag.date "2024-01-01",
    ag.datetime "2024-01-01 00:00:00", ag.time "10:00", ag.interval{days = 1}, ag.null, ag.func, ag.Sequence("s"),
    ag.postgresql.Range(1, 2), io.stdout, {}, setmetatable({}, {__index = function() return 1 end}), function() end, 5, "x", true,
  }
end

--- Methods without those that wait or leave the process changed, each once, in a fixed order.
local function methods(pool)
  local list, seen = {}, {}
  local function add(key, f)
    if type(f) == "function" and not seen[f] and not key:find "wait" and not key:find ":_sleep$" and not key:find "^URL:create" then
      seen[f] = true
      list[#list + 1] = {key = key, f = f}
    end
  end
  for key, f in pairs(public.functions()) do
    if key:find(":", 1, true) then add(key, f) end
  end
  for _, object in ipairs(pool) do
    local kind = core.kind_of(object)
    local ok, all = pcall(core.methods, kind)
    for name, f in pairs(kind and ok and type(all) == "table" and all or {}) do add(kind .. ":" .. name, f) end
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

describe("methods called with another object as their own", function()
  teardown(db.cleanup)

  it("raise error objects or give results", function()
    local world = worlds.new()
    local pool = constructs()
    for _, item in ipairs(world:list()) do pool[#pool + 1] = item.value end
    local called, refused, faults = 0, 0, {}
    local list = methods(pool)
    local function try(method, ...)
      local ok, e = pcall(method.f, ...)
      called, refused = called + 1, refused + (ok and 0 or 1)
      if not ok and not ag.exc.is_error(e) then faults[#faults + 1] = method.key .. ": " .. tostring(e) end
    end
    for i, method in ipairs(list) do
      for k, object in ipairs(pool) do
        try(method, object)
        try(method, object, {{1}})
        try(method, object, "x", {name = "n"})
        try(method, object, pool[(i * 13 + k * 3) % #pool + 1], "x", {name = "n"})
      end
    end
    assert.same({}, faults)
    assert.is_true(#list > 300 and #pool > 90)
    assert.is_true(refused > called / 2 and refused < called)
    assert.equal(1, ag.create_engine(db.url()):connect():scalar(ag.select(1)))
    world:close()
  end)
end)
