-- The checks of script/lint. Each lives in a file of script/lint.d and is a function (tree, fail): it looks at the tree and
-- calls fail(file, line or nil, message) for everything that is wrong.
local CHECKS = {"layers", "symbols", "length", "annotations", "types", "paths", "format", "luacheck", "shell", "clang"}

local Tree = {build = os.getenv("ARGENT_BUILD") or "build"}

--- The files under `folders` whose names match the shell pattern `name`, sorted.
---@param folders string paths from the root of the tree, separated by blanks
---@param name string
---@return string[]
function Tree.files(folders, name)
  local list = {}
  local pipe = assert(io.popen(("find %s -type f -name '%s' 2>/dev/null | LC_ALL=C sort"):format(folders, name)))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

--- The lines a shell command prints, and whether it succeeded.
---@param command string
---@return string[] lines, boolean ok
function Tree.run(command)
  local lines = {}
  local pipe = assert(io.popen(command .. " 2>&1"))
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines, (pipe:close()) and true or false
end

--- The lines of a file.
---@param file string
---@return string[]
function Tree.lines(file)
  local lines = {}
  for line in io.lines(file) do lines[#lines + 1] = line end
  return lines
end

--- File names as one shell-quoted string.
---@param list string[]
---@return string
function Tree.quote(list)
  local out = {}
  for i, name in ipairs(list) do out[i] = "'" .. name:gsub("'", "'\\''") .. "'" end
  return table.concat(out, " ")
end

-- Exceptions: check -> list of patterns.
local excluded = {}
for line in io.lines("script/lint.exclude") do
  local check, pattern = line:gsub("%s*#.*", ""):match("^(%S+)%s+(%S+)")
  if check then
    excluded[check] = excluded[check] or {}
    table.insert(excluded[check], "^" .. pattern .. "$")
  end
end

local function is_excluded(check, file)
  for _, pattern in ipairs(excluded[check] or {}) do
    if file:match(pattern) then return true end
  end
  return false
end

local function run(check)
  local failures, known = {}, 0
  local function fail(file, line, message)
    if is_excluded(check, file) then
      known = known + 1
    else
      failures[#failures + 1] = file .. (line and ":" .. line or "") .. ": " .. message
    end
  end
  dofile("script/lint.d/" .. check .. ".lua")(Tree, fail)
  print(("%s %s%s"):format(#failures == 0 and "ok  " or "FAIL", check,
    known > 0 and (" (%d known, see script/lint.exclude)"):format(known) or ""))
  for _, failure in ipairs(failures) do print("     " .. failure) end
  return #failures
end

if arg[1] == "--list" then
  print(table.concat(CHECKS, "\n"))
  os.exit(0)
end
local total = 0
for _, check in ipairs(arg[1] and arg or CHECKS) do total = total + run(check) end
if total > 0 then print(total .. " failure(s)") end
os.exit(total == 0)
