--- The wait hook for cqueues: `ag.create_engine(url, {wait = require "argent.wait.cqueues"})`. Every blocking point of the engine
--- then yields to the cqueues controller that runs the coroutine; outside of one it blocks as without a hook.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

---@class argent.WaitHook
local M = {}

local monotime, poll, cancel, running = cqueues.monotime, cqueues.poll, cqueues.cancel, cqueues.running

--- Condition variables of parked coroutines by token, and those that are free again.
local parked, spare = {}, {}
local SPARE_KEPT = 64

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

--- What cqueues polls, by descriptor. It reads the fields when poll is called, and a connection has one operation at a time.
local pollables = setmetatable({}, {__index = function(list, fd)
  local one = {pollfd = fd}
  list[fd] = one
  return one
end})

--- Wait until the descriptor is ready; false: cannot wait on this coroutine.
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param deadline number?
---@return boolean?
function M.wait(fd, mode, deadline)
  if not managed() then return false end
  local timeout, it = timeout_of(deadline), pollables[fd]
  it.events = mode
  if timeout then poll(it, timeout) else poll(it) end
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
  local cv = table.remove(spare) or condition.new()
  parked[token] = cv
  cv:wait(timeout_of(deadline))
  if parked[token] == cv then parked[token] = nil end
  if #spare < SPARE_KEPT then spare[#spare + 1] = cv end
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
