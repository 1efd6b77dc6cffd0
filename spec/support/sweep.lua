--- The allocation sweep of specs: a scenario is run again and again while the n-th allocation fails, for growing n, once
--- alone and once with all that follow, until it passes untouched. Which allocations: the core's (its allocator hook) or
--- Lua's own (lua_Alloc, spec/support/lua_alloc.c).
---
--- After every failure: what was raised is an error object (or Lua's own "not enough memory"); nothing is left behind (the
--- core's live blocks and handles are what they were); and the same scenario, run without failure, passes.
local ag = require "argent"
local core = require "argent.core"

local M = {}

local function collect()
  collectgarbage()
  collectgarbage()
end

local function memory()
  collect()
  return core.debug_memory()
end

--- The two allocators: `fail(n, forever)` arms, `off()` disarms and gives the number of allocations since.
local hooks = {
  core = function()
    local before
    return {
      fail = function(n, forever)
        before = core.debug_memory().calls
        core.debug_alloc_fail(n, forever)
      end,
      off = function()
        core.debug_alloc_fail(0)
        return core.debug_memory().calls - before
      end,
    }
  end,
  lua = function() return require "argent_test_alloc" end,
}

--- Run once with the n-th allocation failing. → touched, ok, error
local function fail_at(hook, n, forever, scenario)
  hook.fail(n, forever)
  local ok, e = pcall(scenario)
  return hook.off() >= n, ok, e
end

--- Does an error come from memory that ran out? A scenario that expects another error raises this one again.
function M.is_memory(e)
  if type(e) == "string" then return e:find("not enough memory", 1, true) ~= nil end
  return ag.exc.is_error(e) and e:is(ag.exc.OutOfMemoryError)
end

local function check_error(what, e)
  if M.is_memory(e) then return end
  if not ag.exc.is_error(e) then error(("%s: not an error object: %s"):format(what, tostring(e)), 0) end
  if type(tostring(e)) ~= "string" then error(what .. ": an error without text", 0) end
end

local function grew(start, now)
  return now.live > start.live or now.handles > start.handles or now.deferred ~= 0
end

local function check_memory(what, start, now)
  if grew(start, now) then
    error(("%s: left behind: %d blocks (%d before), %d handles (%d before), %d deferred"):format(what, now.live, start.live,
      now.handles, start.handles, now.deferred), 0)
  end
end

--- The number of allocations of a scenario once everything is warm.
local function warm_up(hook, scenario)
  for _ = 1, 3 do scenario() end
  hook.fail(0)
  scenario()
  return hook.off()
end

local function once(hook, n, forever, scenario, what)
  local touched, ok, e = fail_at(hook, n, forever, scenario)
  if touched then
    if not ok then check_error(what, e) end
  elseif not ok then
    error(("%s: failed untouched: %s"):format(what, tostring(e)), 0)
  end
  e = nil -- luacheck: ignore
  local again, why = pcall(scenario)
  if not again then error(("%s: not usable afterwards: %s"):format(what, tostring(why)), 0) end
  return touched
end

--- What the first time leaves may be a cache (the prepared ROLLBACK); what the second time adds is lost. → touched, memory
local function try_point(hook, n, forever, scenario, what, start)
  local touched = once(hook, n, forever, scenario, what)
  local now = memory()
  if not grew(start, now) then return touched, start end
  once(hook, n, forever, scenario, what)
  check_memory(what, now, memory())
  return touched, now
end

--- Sweep a scenario. It cleans up after itself whatever happens and raises when its result is not right. Options: `points`,
--- about how many values of n to try for each mode (default: all); `allocator`, "core" (default) or "lua". Raises at the
--- first n after which something is wrong; gives the number of points tried and of allocations.
function M.run(name, scenario, options)
  local allocator = options and options.allocator or "core"
  local hook = hooks[allocator]()
  local calls = warm_up(hook, scenario)
  local start = memory()
  local step = math.max(1, calls // (options and options.points or calls))
  local points = 0
  for _, forever in ipairs{false, true} do
    local n, touched = 1, true
    while touched do
      local what = ("%s, %s allocation %d%s"):format(name, allocator, n, forever and " and all that follow" or "")
      touched, start = try_point(hook, n, forever, scenario, what, start)
      points, n = points + (touched and 1 or 0), n + step
    end
  end
  if os.getenv "ARGENT_SWEEP_VERBOSE" then
    io.stderr:write(("sweep %-28s %-4s %6d allocations %6d points\n"):format(name, allocator, calls, points))
  end
  return points, calls
end

return M
