--- The wait hook for luv (libuv): `ag.create_engine(url, {wait = require "argent.wait.luv"})`. Code that uses the engine runs in
--- coroutines (`coroutine.wrap(function() … end)()`) while `uv.run()` turns the loop. On the main coroutine it blocks.
local uv = require "luv"

---@class argent.WaitHook
local M = {}

--- Suspensions by token.
local parked = {}

-- Handles are kept for the next wait, stopped: a stopped one is not known to the loop, so that it neither keeps uv.run() going nor gets in
-- the way of another use of its descriptor. Making one costs four system calls, starting and stopping it one each.
local polls, timers = {}, {}
local TIMERS_KEPT = 64

--- Seconds on the monotonic clock.
---@return number
function M.now()
  return uv.hrtime() / 1e9
end

local function resume(co)
  local ok, e = coroutine.resume(co)
  -- An error nobody can catch: the coroutine was started with coroutine.resume by someone who is gone.
  if not ok then io.stderr:write("argent.wait.luv: ", debug.traceback(co, tostring(e)), "\n") end
end

-- ── one suspension of a coroutine ───────────────────────────────────────────────────────────────────────────────────────

---@class argent.wait.luv.Suspension
---@field co thread
---@field poll any what it waits for: a poll handle,
---@field token lightuserdata? or wake(token)
---@field timer any and its deadline
---@field done boolean?
local Suspension = {}
Suspension.__index = Suspension

--- Nothing will wake it any more.
function Suspension:stop()
  if self.done then return end
  self.done = true
  if self.poll then self.poll:stop() end
  if self.token ~= nil and parked[self.token] == self then parked[self.token] = nil end
  local timer = self.timer
  if timer then
    timer:stop()
    if #timers < TIMERS_KEPT then timers[#timers + 1] = timer else timer:close() end
  end
end

--- A closed or stray-resumed coroutine must not leave its handles running.
Suspension.__close = Suspension.stop

function Suspension:wake()
  if self.done then return end
  self:stop()
  resume(self.co)
end

local function suspend(self, deadline)
  if deadline then
    self.timer = table.remove(timers) or uv.new_timer()
    uv.update_time()
    self.timer:start(math.max(0, math.ceil((deadline - M.now()) * 1000)), 0, function() self:wake() end)
  end
  local _ <close> = self
  coroutine.yield()
end

-- ── the hook ────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Wait until the descriptor is ready; false: cannot wait on this coroutine.
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param deadline number?
---@return boolean?
function M.wait(fd, mode, deadline)
  local poll = table.remove(polls[fd] or {}) or uv.new_poll(fd)
  if not poll then return false end
  local self = setmetatable({co = coroutine.running(), poll = poll}, Suspension)
  if not poll:start(mode, function() self:wake() end) then
    poll:close()
    return false
  end
  suspend(self, deadline)
  polls[fd] = polls[fd] or {}
  table.insert(polls[fd], poll)
end

--- Wait until `wake(token)` or the deadline.
---@param deadline number?
---@param token lightuserdata?
---@return boolean?
function M.park(deadline, token)
  if token == nil and deadline == nil then return false end
  local self = setmetatable({co = coroutine.running(), token = token}, Suspension)
  if token ~= nil then parked[token] = self end
  suspend(self, deadline)
end

--- Suspensions to wake at the next turn of the loop, and the timer that says it is there.
local soon, turn = {}, nil

local function wake_all()
  local list = soon
  soon = {}
  for _, self in ipairs(list) do self:wake() end
end

--- Let whoever parked with this token go on, soon.
---@param token lightuserdata
function M.wake(token)
  local self = parked[token]
  if not self then return end
  parked[token] = nil
  -- Not at once: whoever frees the resource is in the middle of its own work.
  soon[#soon + 1] = self
  if #soon > 1 then return end
  turn = turn or uv.new_timer()
  turn:start(0, 0, wake_all)
end

return M
