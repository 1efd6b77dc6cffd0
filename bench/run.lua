-- The benchmarks of the performance table: raw C and argent, interleaved, medians and ratios of one run.
-- usage: script/bench [--rounds N] [PATTERN …]     PATTERN: rows whose name matches (P3, orm …)
local root = arg[0]:match("^(.*)/bench/run.lua$") or "."
local build = os.getenv("ARGENT_BUILD") or root .. "/build"

-- name, raw bench, argent bench, rows, must, goal, unit
local ROWS = {
  {"P1 insert, list of tables", "insert", "insert", 100000, 1.7, 1.4},
  {"P2 add_all + flush", "insert", "orm_insert", 100000, 5, 3.5},
  {"P2 bulk insert(Model)", "insert", "orm_bulk", 100000, 2, 1.6},
  {"P3 select, none read", "select", "select_none", 100000, 3.2, 2.4},
  {"P3 select, all 5 read", "select", "select_all", 100000, 8, 6},
  {"P3 select, as tables", "select", "select_tables", 100000, 10, 8.5},
  {"P3 select, streamed", "select", "select_streamed", 100000, 3.2, 2.5},
  {"P4 select objects", "select", "orm_select", 100000, 14, 6},
  {"P5 build, 3 joins (µs)", nil, "build", 20000, 5, 2.5, 1000},
  {"P5 build + compile (µs)", nil, "build_compile", 20000, 12, 6, 1000},
  {"P6 get by key, Core", "get", "get", 50000, 5, 3.5},
  {"P6 session:get", "get", "orm_get", 50000, 5, 3},
  {"P6 identity-map hit (µs)", nil, "identity_hit", 200000, 0.2, 0.1, 1000},
  {"P7 update one column", "update", "orm_update", 20000, 2.2, 1.6},
  {"P7 delete", "delete", "orm_delete", 20000, 3.5, 2},
  {"P13 bytes a Core row", nil, "row_bytes", 100000, 220, 170, 1},
  {"P13 bytes an ORM object", nil, "object_bytes", 100000, 560, 300, 1},
}

local rounds, patterns = 5, {}
do
  local i = 1
  while arg[i] do
    if arg[i] == "--rounds" then
      rounds = math.tointeger(tonumber(arg[i + 1])) or error("--rounds wants a number")
      i = i + 1
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

local function number_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  pipe:close()
  return tonumber(text) or nil, text
end
local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

print(("%-28s %12s %12s %8s %8s %8s"):format("bench (" .. rounds .. " rounds)", "raw ns/row", "argent", "ratio", "must", "goal"))
local failed = 0
for _, row in ipairs(ROWS) do
  local name, raw, bench, n, must, goal, unit = table.unpack(row, 1, 7)
  if wanted(name) then
    local raws, ours, ratios, problem = {}, {}, {}, nil
    for _ = 1, rounds do
      local a = raw and number_of(("%s/bench/raw_sqlite %s %d"):format(build, raw, n))
      local b, text = number_of(("%s/script/lua %s/bench/argent_sqlite.lua %s %d"):format(root, root, bench, n))
      if not b then
        problem = text:gsub("%s+", " "):sub(1, 100)
        break
      end
      raws[#raws + 1], ours[#ours + 1] = a, b
      ratios[#ratios + 1] = raw and b / a or b / unit
    end
    if problem then
      failed = failed + 1
      print(("%-28s failed: %s"):format(name, problem))
    else
      local ratio = median(ratios)
      print(("%-28s %12s %12.1f %8.2f %8s %8s%s"):format(name, raw and ("%.1f"):format(median(raws)) or "-", median(ours),
        ratio, must, goal, ratio > must and "  over" or ratio > goal and "" or "  goal"))
    end
  end
end
os.exit(failed == 0)
