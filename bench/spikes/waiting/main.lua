-- Spike 1: see spike.c. Prints what works where, and what it costs.
local new = require "spike"

local function clock_ns(n, f)
  local t = os.clock()
  for _ = 1, n do f() end
  return (os.clock() - t) / n * 1e9
end

local function drive(name, hook, spawn_and_loop)
  local inner
  local calls = 0
  local op = new(hook, function() calls = calls + 1; if inner then local f = inner; inner = nil; f() end end)
  local ok, err
  spawn_and_loop(function()
    ok, err = pcall(function()
      assert(op.run(2, 2, 100) == 42)                         -- waits, then calls
      inner = function() assert(op.run(1, 1, 100) == 42) end  -- a callback that runs an operation that waits
      assert(op.run(1, 1, 100) == 42)
      local v = op.object.x                                    -- C __index
      assert(v == 42)
      local n = 0
      for _ in op.iterate, nil, 0 do n = n + 1; if n == 3 then break end end -- C iterator
      do local _ <close> = op.object end                       -- scope-exit __close
      assert(select(2, pcall(op.run, 1, 1, 100)) == 42)        -- under pcall
    end)
  end)
  print(("%-10s %s  callbacks %d"):format(name, ok and "ok" or "FAILED: " .. tostring(err), calls))
end

drive("poll", nil, function(f) f() end)

local cq = require "cqueues"
-- cqueues keeps the descriptor registered: without cancel, a closed and reused number is never reported again (it hangs)
local function cq_hook(fd) cq.poll({pollfd = fd, events = "r"}); cq.cancel(fd) end
drive("cqueues", cq_hook, function(f) local loop = cq.new(); loop:wrap(f); assert(loop:loop()) end)

local uv = require "luv"
local function uv_hook(fd)
  local co, main = coroutine.running()
  assert(not main)
  local p = uv.new_poll(fd)
  p:start("r", function() p:stop(); p:close(); assert(coroutine.resume(co)) end)
  coroutine.yield()
end
drive("luv", uv_hook, function(f) assert(coroutine.resume(coroutine.create(f))); uv.run() end)

-- a stray resume is harmless: the operation is stepped and waits again
do
  local op = new(function() coroutine.yield() end, function() end)
  local co = coroutine.wrap(function() return op.run(1, 0, 2000) end)
  local n = 0
  repeat n = n + 1 until co()
  print(("stray      ok  %d resumes before the timer fired"):format(n))
end

-- where it cannot yield it polls: the main thread, table.sort, gsub, coroutine.close
do
  local op = new(function() error "must not be called" end, function() end)
  local co = coroutine.wrap(function()
    local t = {3, 1, 2}
    table.sort(t, function(a, b) assert(op.run(1, 0) == 42); return a < b end)
    assert(("x"):gsub("x", function() return tostring(op.run(1, 0)) end) == "42")
    return true
  end)
  print("no yield   " .. (co() and "ok  polled inside table.sort and gsub" or "FAILED"))
end

-- nesting: callbacks that run operations that call back
do
  local depth, max, op = 0, 0, nil
  op = new(nil, function() depth = depth + 1; max = depth; op.run(0, 1) end)
  local ok, err = pcall(op.run, 0, 1)
  print(("nesting    ends at %d levels: %s"):format(max, tostring(err):match("[^\n]*")), ok and "" or "(an error, not a crash)")
end

-- costs
local op = new(nil, function() end)
local empty = clock_ns(1e6, function() op.run(0, 0) end)
local with100 = clock_ns(2e4, function() op.run(0, 100) end)
print(("cost       op %.0f ns, callback %.0f ns"):format(empty, (with100 - empty) / 100))
local wall = function(f) local t = os.clock(); f(); return (os.clock() - t) * 1e6 end
local N = 20000
local p = wall(function() for _ = 1, N do op.run(1, 0) end end) / N
local opq = new(cq_hook, function() end)
local c = wall(function()
  local loop = cq.new(); loop:wrap(function() for _ = 1, N do opq.run(1, 0) end end); assert(loop:loop())
end) / N
local opu = new(uv_hook, function() end)
local u = wall(function()
  coroutine.wrap(function() for _ = 1, N do opu.run(1, 0) end end)(); uv.run()
end) / N
print(("wait       CPU: poll %.1f us, cqueues %.1f us, luv %.1f us (each with timerfd create, arm, read, close)"):format(p, c, u))
