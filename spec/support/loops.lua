--- The three ways a program may wait: each entry is {name, hook, run(f, …)}; run calls every function in a coroutine of the
--- loop (blocking: one after another) and returns when all have ended. An error in one is raised.
local M = {}

local function all(f)
  local ok, e = pcall(f)
  if not ok then error(e, 0) end
end

M[1] = {name = "blocking", hook = nil, run = function(...)
  for _, f in ipairs{...} do all(f) end
end}

M[2] = {name = "cqueues", hook = require "argent.wait.cqueues", run = function(...)
  local loop = require("cqueues").new()
  local failed
  for _, f in ipairs{...} do
    loop:wrap(function()
      local ok, e = pcall(f)
      if not ok then failed = failed or {e} end
    end)
  end
  assert(loop:loop())
  if failed then error(failed[1], 0) end
end}

M[3] = {name = "luv", hook = require "argent.wait.luv", run = function(...)
  local uv = require "luv"
  local failed
  for _, f in ipairs{...} do
    coroutine.wrap(function()
      local ok, e = pcall(f)
      if not ok then failed = failed or {e} end
    end)()
  end
  uv.run()
  if failed then error(failed[1], 0) end
end}

return M
