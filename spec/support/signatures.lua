--- The parameters' names of public functions, as the annotations have them: for callers that want arguments which are nearly right.
local M = {}

local found

local function read(path)
  local file = assert(io.open(path))
  for line in file:lines() do
    local name, params = line:match "^function [%w_]+[.:]([%w_]+)%((.-)%)"
    if not name then name, params = line:match "^methods%.([%w_]+) = function%(self,? ?(.-)%)" end
    if name then
      local list = {}
      for param in params:gmatch "[%w_.]+" do list[#list + 1] = param end
      found[name] = found[name] or {}
      table.insert(found[name], list)
    end
  end
  file:close()
end

--- The lists of parameters of all functions with that name ("Connection:execute" and "ag.event.listen" by their last part), or nil.
---@param key string
function M.of(key)
  if not found then
    found = {}
    local pipe = io.popen "find types lua/argent -name '*.lua' | sort"
    for path in pipe:lines() do read(path) end
    pipe:close()
  end
  return found[key:match "([%w_]+)$"]
end

return M
