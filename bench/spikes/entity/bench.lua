-- Spike 2, the measurements. Run by ./run.
local entity = require "entity"
local N = tonumber(arg[1]) or 1000000

local function clean() collectgarbage() collectgarbage() return collectgarbage("count") * 1024 end
local function full_gc()
  local best = math.huge
  for _ = 1, 3 do
    local t = os.clock()
    collectgarbage()
    best = math.min(best, os.clock() - t)
  end
  return best * 1e3
end
local function measure(name, make)
  local base = clean()
  collectgarbage("generational") collectgarbage("incremental")
  local t = os.clock()
  local keep = make()
  t = os.clock() - t
  local bytes = (clean() - base) / N
  print(("%-52s %6.2f us %7.0f B %8.1f ms"):format(name, t / N * 1e6, bytes, full_gc()))
  return keep
end

print(("%-52s %9s %9s %11s"):format(("%d objects"):format(N), "each", "memory", "full GC"))
local function entities(ncols, nrel, with_map, link)
  return function()
    local mt = entity.class(ncols, nrel)
    local list = table.move({}, 1, 0, 1, {})
    local map = with_map and setmetatable({}, {__mode = "v"}) or nil
    entity.load(mt, ncols, nrel, list, map, 1, N)
    for r = 1, link and (link == 2 and 2 or nrel) or 0 do entity.link(list, N, r, link) end
    return {list, map}
  end
end
local function plain(shadow, map)
  return function()
    local list, ids = {}, map and setmetatable({}, {__mode = "v"})
    for i = 1, N do
      local t = {id = i, name = "name-" .. i, email = "user" .. i .. "@example.org", age = i % 90, score = i / 3}
      if shadow then t._old = {id = i, name = t.name, email = t.email, age = t.age, score = t.score} end
      list[i] = t
      if ids then ids[i] = t end
    end
    return {list, ids}
  end
end
measure("entity, 5 columns", entities(5, 0)) clean()
measure("entity, 5 columns, identity map", entities(5, 0, true)) clean()
measure("entity, 8 columns, identity map", entities(8, 0, true)) clean()
measure("entity, 5 columns, 2 relationships (own uservalues)", entities(5, 2, true, 1)) clean()
measure("entity, 5 columns, 2 relationships (one table)", entities(5, 0, true, 2)) clean()
measure("plain table, 5 fields", plain()) clean()
measure("plain table, 5 fields, identity map", plain(false, true)) clean()
measure("plain table with a shadow copy, identity map", plain(true, true)) clean()

-- cycles are garbage, and the weak map lets go
do
  local mt = entity.class(5, 2)
  local list, map = {}, setmetatable({}, {__mode = "v"})
  entity.load(mt, 5, 2, list, map, 1, 1000)
  entity.link(list, 1000, 1, 1)
  entity.link(list, 1000, 2, 1)
  list[1].name = ("long"):rep(20) -- spilled
  assert(list[1].name == ("long"):rep(20) and list[1].r1.id == 2)
  list[1] = nil
  for i in pairs(list) do list[i] = nil end
  clean()
  assert(next(map) == nil, "cycles were not collected")
  print("cycles through relationship uservalues: collected, identity map empty")
end

-- one access
do
  local mt = entity.class(5, 1)
  local list = {}
  entity.load(mt, 5, 1, list, nil, 1, 1000)
  entity.link(list, 1000, 1, 1)
  local M = 20000000
  local function time(name, f)
    local best = math.huge
    for _ = 1, 3 do
      local t = os.clock()
      f()
      best = math.min(best, os.clock() - t)
    end
    print(("%-52s %6.1f ns"):format(name, best / M * 1e9))
  end
  local e, t = list[1], {id = 1, name = "name-1", age = 1, r1 = {}}
  time("empty loop", function() for _ = 1, M do end end)
  time("read integer: entity", function() for _ = 1, M do local _ = e.age end end)
  time("read short string: entity", function() for _ = 1, M do local _ = e.name end end)
  time("read link: entity", function() for _ = 1, M do local _ = e.r1 end end)
  time("write integer: entity", function() for i = 1, M do e.age = i end end)
  time("read integer: table", function() for _ = 1, M do local _ = t.age end end)
  time("write integer: table", function() for i = 1, M do t.age = i end end)
end
