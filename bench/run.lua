-- The benchmarks of the performance table: raw C and argent, interleaved, medians of the ratios of one run.
-- usage: script/bench [--rounds N] [--instructions] [--long] [PATTERN …]     PATTERN: rows whose name matches (P3, PostgreSQL …)
--   --instructions   instead of times, instructions as callgrind counts them (slopes between two sizes, which repeat to the
--                    instruction whatever else the machine does); the SQLite rows with one process only
--   --long           also what takes minutes: P15 up to 10^6 rows, a streamed result of 10^7
local rows = require "bench.rows"
local root = arg[0]:match("^(.*)/bench/run.lua$") or "."
local build = os.getenv("ARGENT_BUILD") or root .. "/build"
if build:sub(1, 1) ~= "/" then build = root .. "/" .. build end
local lua = os.getenv("ARGENT_LUA") or "lua5.4"

local rounds, instructions, long, patterns = 5, false, false, {}
do
  local i = 1
  while arg[i] do
    if arg[i] == "--rounds" then
      rounds = math.tointeger(tonumber(arg[i + 1])) or error("--rounds wants a number")
      i = i + 1
    elseif arg[i] == "--instructions" then
      instructions = true
    elseif arg[i] == "--long" then
      long = true
    elseif arg[i]:sub(1, 2) == "--" then
      error("unknown option " .. arg[i])
    else
      patterns[#patterns + 1] = arg[i]
    end
    i = i + 1
  end
end

local function wanted(name)
  if #patterns == 0 then return true end
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then return true end
  end
  return false
end

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  pipe:close()
  return text
end
local function number_of(command)
  local text = output_of(command)
  return tonumber(text) or error(text:gsub("%s+", " "):sub(1, 160), 0)
end
local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function command(side, args)
  if side == "raw_sqlite" or side == "raw_postgresql" or side == "driver_rows" then
    return ("%s/bench/%s %s"):format(build, side, args)
  end
  return ("%s %s/bench/%s.lua %s"):format(lua, root, side, args)
end

local failed = 0
local function report(row, raw, ours, ratio)
  local verdict = ""
  if row.must then
    local better = row.higher and function(a, b) return a >= b end or function(a, b) return a <= b end
    verdict = not better(ratio, row.must) and "OVER THE LIMIT" or not better(ratio, row.goal) and "met" or "goal met"
  end
  print(("%-38s %12s %12s %9.2f %8s %8s  %s"):format(row.name, raw and ("%.1f"):format(raw) or "-", ("%.1f"):format(ours), ratio,
    row.must or "-", row.goal or "-", verdict))
  io.stdout:flush()
end

--- One row by the clock: raw and ours take turns.
local function time_row(row)
  local raws, ours, ratios = {}, {}, {}
  for _ = 1, row.rounds and math.min(row.rounds, rounds) or rounds do
    local a = row.raw and number_of(command(row.raw[1], row.raw[2]))
    local b = number_of(command(row.ours[1], row.ours[2]))
    raws[#raws + 1], ours[#ours + 1] = a, b
    ratios[#ratios + 1] = row.higher and a / b or a and b / a or b / (row.unit or 1)
  end
  report(row, row.raw and median(raws), median(ours), median(ratios))
end

--- One row by callgrind: the slope between two sizes.
local function slope(side, bench, fill)
  local function count(n)
    local text = output_of(("valgrind --tool=callgrind --callgrind-out-file=/dev/null %s"):format(
      command(side, ("%s %d %s"):format(bench, n, fill or ""))))
    return tonumber(text:match "Collected : (%d+)") or error(text:gsub("%s+", " "):sub(-160), 0)
  end
  return (count(1500) - count(500)) / 1000
end
local function instruction_row(row)
  local raw = row.raw and slope("raw_sqlite", row.raw[2]:match "^%S+", row.fill)
  local ours = slope(row.ours[1], row.ours[2]:match "^%S+", row.fill)
  print(("%-38s %12s %12.0f %9s"):format(row.name, raw and ("%.0f"):format(raw) or "-", ours,
    raw and ("%.2f"):format(ours / raw) or "-"))
  io.stdout:flush()
end

local function run(row)
  if instructions then
    if row.fill or row.slope then instruction_row(row) end
  elseif row.run then
    row.run{row = row, report = report, number_of = number_of, output_of = output_of, command = command, rounds = rounds,
      median = median, long = long, root = root, build = build, lua = lua}
  else
    time_row(row)
  end
end

print(("%-38s %12s %12s %9s %8s %8s"):format(instructions and "instructions an operation" or "bench (" .. rounds .. " rounds)",
  "raw C", "argent", "ratio", "must", "goal"))
for _, row in ipairs(rows) do
  local postgresql = row.name:find "PostgreSQL"
  if wanted(row.name) and (long or not row.long) and (not instructions or row.fill or row.slope) then
    if postgresql and not os.getenv "ARGENT_PG_URL" then
      print(("%-38s left out: no PostgreSQL server (ARGENT_PG_URL)"):format(row.name))
    else
      local ok, problem = pcall(run, row)
      if not ok then
        failed = failed + 1
        print(("%-38s failed: %s"):format(row.name, problem))
      end
    end
  end
end
os.exit(failed == 0)
