--- The wait hook for luv (libuv): `ag.create_engine(url, {wait = require "argent.wait.luv"})`. Code that uses the engine runs in
--- coroutines (`coroutine.wrap(function() … end)()`) while `uv.run()` turns the loop. On the main coroutine it blocks.
local uv = require "luv"

---@class argent.WaitHook
local M = {}

--- Coroutines parked, by token.
local parked = {}

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

--- Suspend this coroutine until wake() is called once; `start(wake)` arranges for it, `stop()` undoes that.
local function suspend(deadline, start, stop)
  local co = coroutine.running()
  local timer, done = nil, false
  local function wake()
    if done then return end
    done = true
    stop()
    if timer then timer:stop(); timer:close() end
    resume(co)
  end
  if deadline then
    timer = uv.new_timer()
    uv.update_time()
    timer:start(math.max(0, math.ceil((deadline - M.now()) * 1000)), 0, wake)
  end
  start(wake)
  -- A closed or stray-resumed coroutine must not leave its handles behind.
  local _ <close> = setmetatable({}, {__close = function()
    if not done then
      done = true
      stop()
      if timer then timer:stop(); timer:close() end
    end
  end})
  coroutine.yield()
end

--- Wait until the descriptor is ready; false: cannot wait on this coroutine.
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param deadline number?
---@return boolean?
function M.wait(fd, mode, deadline)
  local poll = uv.new_poll(fd)
  if not poll then return false end
  suspend(deadline, function(wake)
    poll:start(mode, wake)
  end, function()
    poll:stop()
    poll:close()
  end)
end

--- Wait until `wake(token)` or the deadline.
---@param deadline number?
---@param token lightuserdata?
---@return boolean?
function M.park(deadline, token)
  if token == nil and deadline == nil then return false end
  suspend(deadline, function(wake)
    if token ~= nil then parked[token] = wake end
  end, function()
    if token ~= nil then parked[token] = nil end
  end)
end

--- Let whoever parked with this token go on, soon.
---@param token lightuserdata
function M.wake(token)
  local wake = parked[token]
  if not wake then return end
  -- Not at once: whoever frees the resource is in the middle of its own work.
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    wake()
  end)
end

return M
