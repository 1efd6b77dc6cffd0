--- Everything that can be reached from `ag`, called with everything that should not be passed: no arguments, wrong types, nil,
--- closed objects, too many. Each call succeeds or raises an error object; none crashes, and the objects go on working.
local ag = require "argent"
local core = require "argent.core"
local world = require "spec.support.world"

-- What waits, ends the process's streams or changes how everything is compiled has specs of its own.
local skip = {}
for name in ("_sleep echo echo_pool debug_alloc_fail debug_memory call register schema_attributes inspect "
  .. "compiles register_function GenericFunction compile_hooks func_registry"):gmatch "%S+" do
  skip[name] = true
end

local function nothing() end

local function junk(w)
  local list = {
    true, false, 0, 1, -1, math.maxinteger, math.mininteger, 2 ^ 53, 1.5, 0 / 0, 1 / 0, "", "x", "id", "a\0b", "\xff\xfe",
    ("y"):rep(300), "'; drop table users; --", {}, {1, 2}, {{}}, {{1}}, {x = 1}, {1, x = 2}, {[1] = 1, [3] = 3}, {id = 1},
    setmetatable({}, {__index = function() return 1 end}), setmetatable({}, {__len = function() return -5 end}),
    nothing, print, coroutine.create(nothing), io.stdout, ag.null, ag.Integer, ag.exc.ArgumentError,
  }
  local cycle = {}
  cycle[1], cycle.self = cycle, cycle
  list[#list + 1] = cycle
  for _, object in ipairs(w:list()) do list[#list + 1] = object.value end
  return list
end

-- A small generator of its own: the same calls in every run.
local seed = 42
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return (seed >> 8) % n + 1
end

local failures

local function check(what, ok, e)
  if ok or ag.exc.is_error(e) then return end
  local text = tostring(e):gsub("%(.-%)", ""):gsub("a %l+ value", "a value"):gsub("got .*", ""):gsub("^.-lua/", "")
  failures[text:sub(1, 160)] = what
end

--- Streams of coroutine.wrap would hide an error object's place: plain pcall.
local function call(what, f, ...)
  local packed = table.pack(pcall(f, ...))
  check(what, packed[1], packed[2])
end

local function try_function(what, f, pool, self)
  local n = #pool
  local function go(...)
    if self ~= nil then call(what, f, self, ...) else call(what, f, ...) end
  end
  call(what, f)
  call(what, f, nil)
  go()
  go(nil, nil)
  for i = 1, n do
    go(pool[i])
    if self ~= nil then call(what, f, pool[i]) end
  end
  for _ = 1, 60 do go(pool[random(n)], pool[random(n)]) end
  for _ = 1, 30 do go(pool[random(n)], pool[random(n)], pool[random(n)]) end
  for _ = 1, 10 do
    local many = {}
    for i = 1, 4 + random(20) do many[i] = pool[random(n)] end
    go(table.unpack(many))
  end
  local crowd = {}
  for i = 1, 240 do crowd[i] = pool[i % n + 1] end
  go(table.unpack(crowd))
end

local function report()
  local list = {}
  for text, what in pairs(failures) do list[#list + 1] = text .. " <- " .. what end
  table.sort(list)
  assert(#list == 0, ("%d kinds of errors that are no error objects:\n%s"):format(#list, table.concat(list, "\n", 1, math.min(#list, 40))))
end

--- Every function below a table, by path.
local function functions_of(t, path, into, seen)
  if seen[t] then return into end
  seen[t] = true
  for name, value in pairs(t) do
    local at = path .. "." .. tostring(name)
    if skip[name] or (type(name) == "string" and name:sub(1, 1) == "_") then goto continue end
    if type(value) == "function" then into[#into + 1] = {name = at, f = value}
    elseif type(value) == "table" and value ~= package.loaded and value ~= _G then
      local meta = getmetatable(value)
      if type(meta) == "table" and type(rawget(meta, "__call")) == "function" then into[#into + 1] = {name = at, f = value} end
      functions_of(value, at, into, seen)
    elseif type(value) == "userdata" and core.kind_of(value) then
      into[#into + 1] = {name = at, f = value} -- types and function names are callable
    end
    ::continue::
  end
  return into
end

local function public()
  local t = {}
  for name in pairs(require "argent.names") do
    local ok, value = pcall(function() return ag[name] end)
    if ok then t[name] = value end
  end
  for name, value in pairs(core) do
    if not core.internal[name] then t[name] = value end
  end
  local list = functions_of(t, "ag", {}, {})
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

describe("abuse", function()
  before_each(function() failures = {} end)

  it("of every function of ag", function()
    local list = public()
    assert.is_true(#list > 60)
    local w = world.new()
    local pool = junk(w)
    for i, item in ipairs(list) do
      if i % 20 == 0 then
        w:close()
        w = world.new()
        pool = junk(w)
      end
      try_function(item.name, item.f, pool)
    end
    w:close()
    report()
  end)

  it("of every method of every object", function()
    local first = world.new()
    local tried, names = 0, first:list()
    first:close()
    local done = {}
    for _, object in ipairs(names) do
      local kind = core.kind_of(object.value)
      local ok, methods = pcall(core.methods, kind or "")
      if ok and type(methods) == "table" then
        local list = {}
        for name, f in pairs(methods) do
          local key = kind .. ":" .. tostring(name)
          -- a method is tried once a class, and again on what is closed
          if type(f) == "function" and not skip[name] and (not done[key] or object.name:find("closed") or object.name:find("disposed")) then
            done[key] = true
            list[#list + 1] = {key = key, f = f}
          end
        end
        table.sort(list, function(a, b) return a.key < b.key end)
        for _, method in ipairs(list) do
          local w = world.new()
          try_function(method.key, method.f, junk(w), w[object.name])
          w:close()
          tried = tried + 1
        end
      end
    end
    assert.is_true(tried > 100)
    report()
  end)

  it("of fields, indexes and operators", function()
    local w = world.new()
    local pool = junk(w)
    local operators = {
      index = function(a, b) return a[b] end,
      newindex = function(a, b) a[b] = b end,
      newindex_nil = function(a, b) a[b] = nil end,
      add = function(a, b) return a + b end, sub = function(a, b) return a - b end, mul = function(a, b) return a * b end,
      div = function(a, b) return a / b end, mod = function(a, b) return a % b end, pow = function(a, b) return a ^ b end,
      idiv = function(a, b) return a // b end, band = function(a, b) return a & b end, bor = function(a, b) return a | b end,
      bxor = function(a, b) return a ~ b end, shl = function(a, b) return a << b end, concat = function(a, b) return a .. b end,
      concat_left = function(a, b) return b .. a end, sub_left = function(a, b) return b - a end,
      eq = function(a, b) return a == b end, lt = function(a, b) return a < b end, le = function(a, b) return b <= a end,
      call = function(a, b) return a(b) end, len = function(a) return #a end, neg = function(a) return -a end,
      bnot = function(a) return ~a end, tostring = function(a) return tostring(a) end,
      pairs = function(a)
        for k in pairs(a) do if k == w then break end end
      end,
      ipairs = function(a)
        for _, v in ipairs(a) do if v == w then break end end
      end,
      four = function(a)
        local n = 0
        for _ in a do
          n = n + 1
          if n > 5 then break end
        end
      end,
      metatable = function(a) return type(getmetatable(a)) end,
    }
    local names = {}
    for name in pairs(operators) do names[#names + 1] = name end
    table.sort(names)
    for _, object in ipairs(w:list()) do
      for _, name in ipairs(names) do
        for _, other in ipairs(pool) do
          local ok, e = pcall(operators[name], object.value, other)
          -- Lua's own "attempt to …" is what an operator without a metamethod says
          if not ok and not (type(e) == "string" and (e:find "attempt to" or e:find "table index is" or e:find "bad argument #1 to 'for iterator'"
            or e:find "must return a string" or e:find "bad argument #1 to 'ipairs'" or e:find "for initial")) then
            check(object.name .. " " .. name, ok, e)
          end
        end
      end
    end
    w:close()
    report()
  end)

  it("leaves an engine as it was: another one works", function()
    local w = world.new()
    assert.equal(2, w.conn:exec_driver_sql("SELECT count(*) FROM users"):scalar())
    w:close()
    collectgarbage()
    collectgarbage()
    assert.equal(0, core.debug_memory().deferred)
  end)
end)
