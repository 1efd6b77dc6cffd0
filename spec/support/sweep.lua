--- The allocation sweep of specs: a scenario is run again and again while the n-th allocation of the core fails, for
--- growing n, once alone and once with all that follow, until it passes untouched.
---
--- After every failure: what was raised is an error object; nothing is left behind (the core's live blocks and handles are
--- what they were); and the same scenario, run without failure, passes.
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

--- Run once with the n-th allocation failing. → touched, ok, error
local function fail_at(n, forever, scenario)
  local before = core.debug_memory().calls
  core.debug_alloc_fail(n, forever)
  local ok, e = pcall(scenario)
  core.debug_alloc_fail(0)
  return core.debug_memory().calls - before >= n, ok, e
end

local function check_error(what, e)
  if not ag.exc.is_error(e) then error(("%s: not an error object: %s"):format(what, tostring(e)), 0) end
  if type(tostring(e)) ~= "string" then error(what .. ": an error without text", 0) end
end

local function check_memory(what, start, now)
  if now.live > start.live or now.handles > start.handles or now.deferred ~= 0 then
    error(("%s: left behind: %d blocks (%d before), %d handles (%d before), %d deferred"):format(what, now.live, start.live,
      now.handles, start.handles, now.deferred), 0)
  end
end

--- The number of allocations of a scenario once everything is warm.
local function warm_up(scenario)
  for _ = 1, 3 do scenario() end
  local before = core.debug_memory().calls
  scenario()
  return core.debug_memory().calls - before
end

--- Sweep a scenario. It cleans up after itself whatever happens and raises when its result is not right. Options: `points`,
--- about how many values of n to try for each mode (default: all). Raises at the first n after which something is wrong;
--- gives the number of points tried.
function M.run(name, scenario, options)
  local calls = warm_up(scenario)
  local start = memory()
  local step = math.max(1, calls // (options and options.points or calls))
  local points = 0
  for _, forever in ipairs{false, true} do
    local n, touched = 1, true
    while touched do
      local what = ("%s, allocation %d%s"):format(name, n, forever and " and all that follow" or "")
      local ok, e
      touched, ok, e = fail_at(n, forever, scenario)
      if touched then
        points = points + 1
        if not ok then check_error(what, e) end
      elseif not ok then
        error(("%s: failed untouched: %s"):format(what, tostring(e)), 0)
      end
      e = nil -- luacheck: ignore
      local again, why = pcall(scenario)
      if not again then error(("%s: not usable afterwards: %s"):format(what, tostring(why)), 0) end
      check_memory(what, start, memory())
      n = n + step
    end
  end
  if os.getenv "ARGENT_SWEEP_VERBOSE" then
    io.stderr:write(("sweep %-28s %6d allocations %6d points\n"):format(name, calls, points))
  end
  return points, calls
end

return M
