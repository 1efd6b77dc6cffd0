--- The wait hook for cqueues: `ag.create_engine(url, {wait = require "argent.wait.cqueues"})`. Every blocking point of the engine
--- then yields to the cqueues controller that runs the coroutine; outside of one it blocks as without a hook.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

---@class argent.WaitHook
local M = {}

local monotime, poll, cancel, running = cqueues.monotime, cqueues.poll, cqueues.cancel, cqueues.running

--- Condition variables of parked coroutines by token.
local parked = {}

--- True when this coroutine is run by a controller itself, so that its yields reach it (a coroutine made inside a
--- cqueues thread with coroutine.wrap is not).
local function managed()
  local controller, direct = running()
  return controller ~= nil and direct ~= false
end

local function timeout_of(deadline)
  if not deadline then return nil end
  local t = deadline - monotime()
  return t > 0 and t or 0
end

--- Reused: cqueues reads the fields when poll is called.
local function pollable(fd, mode)
  return {pollfd = fd, events = mode}
end

--- Wait until the descriptor is ready; false: cannot wait on this coroutine.
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param deadline number?
---@return boolean?
function M.wait(fd, mode, deadline)
  if not managed() then return false end
  local timeout = timeout_of(deadline)
  if timeout then poll(pollable(fd, mode), timeout) else poll(pollable(fd, mode)) end
  -- cqueues keeps a descriptor registered; closed and reused by another connection it would never be reported again.
  cancel(fd)
end

--- Wait until `wake(token)` or the deadline.
---@param deadline number?
---@param token lightuserdata?
---@return boolean?
function M.park(deadline, token)
  if not managed() then return false end
  if token == nil then
    poll(timeout_of(deadline))
    return
  end
  local cv = condition.new()
  parked[token] = cv
  cv:wait(timeout_of(deadline))
  if parked[token] == cv then parked[token] = nil end
end

--- Let whoever parked with this token go on, soon.
---@param token lightuserdata
function M.wake(token)
  local cv = parked[token]
  if cv then
    parked[token] = nil
    cv:signal()
  end
end

M.now = monotime

return M
