-- The functions that argent/core.so gives to Lua and those that types/core.lua declares are the same names. The meta file
-- says `function core.name(…)` for each function of the table that require "argent.core" returns, and
-- `function core.sub.name(…)` for those of its sub-tables.
local META = "types/core.lua"

local function declared(tree)
  local names = {}
  for number, line in ipairs(tree.lines(META)) do
    local name = line:match("^function%s+core[%.:]([%w_%.:]+)%s*%(")
    if name then names[name:gsub(":", ".")] = number end
  end
  return names
end

return function(tree, fail)
  local meta = io.open(META)
  if not meta then return end
  meta:close()
  package.cpath = tree.build .. "/lua/?.so;" .. package.cpath
  local ok, core = pcall(require, "argent.core")
  if not ok then return fail(META, nil, "argent.core does not load: " .. tostring(core)) end
  local names, given = declared(tree), {}
  local function walk(prefix, value, depth)
    for key, member in pairs(value) do
      if type(key) == "string" and key:sub(1, 2) ~= "__" then
        if type(member) == "function" then given[prefix .. key] = true end
        if type(member) == "table" and depth < 2 and key ~= "_G" then walk(prefix .. key .. ".", member, depth + 1) end
      end
    end
  end
  walk("", core, 0)
  for name in pairs(given) do
    if not names[name] then fail(META, nil, "no annotation of core." .. name) end
  end
  for name, number in pairs(names) do
    if not given[name] then fail(META, number, "core." .. name .. " is annotated but does not exist") end
  end
end
