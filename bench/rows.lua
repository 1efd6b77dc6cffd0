-- The rows of the performance table. A row has a name, what raw C does (`raw`: program, arguments), what argent does (`ours`), the
-- limit (`must`) and the goal; `unit`: argent's number is divided by it and no raw C stands beside it; `higher`: raw / ours, more is
-- better; `fill`, `slope`: rows that script/bench --instructions measures (fill: size of the table read); `run`: a row that is
-- measured by a function of its own; `long`: only with --long.
local function sqlite(name, raw, ours, n, must, goal, more)
  local row = {name = name, must = must, goal = goal, ours = {"argent_sqlite", ("%s %d"):format(ours, n)}}
  if raw then row.raw = {"raw_sqlite", ("%s %d"):format(raw, n)} end
  for key, value in pairs(more or {}) do row[key] = value end
  if row.fill then
    row.ours[2] = row.ours[2] .. " " .. row.fill
    if raw then row.raw[2] = row.raw[2] .. " " .. row.fill end
  end
  return row
end
local function postgresql(name, raw, ours, n, must, goal, more)
  local row = {name = "PostgreSQL " .. name, must = must, goal = goal, ours = {"argent_postgresql", ("%s %d"):format(ours, n)}}
  if raw then row.raw = {"raw_postgresql", ("%s %d"):format(raw, n)} end
  for key, value in pairs(more or {}) do row[key] = value end
  return row
end

-- ── both ends on one core ─────────────────────────────────────────────────────────────────────────────────────────────────

local function server_folder()
  return os.getenv "ARGENT_PG_URL":match "host=([^&]+)"
end

--- Run f with the server's new backends and our commands on the first core: a round trip between two idle virtual CPUs costs six
--- times one on the same core, and that is what would be measured.
local function pinned(bench, f)
  local pid = bench.output_of(("head -n 1 %s/data/postmaster.pid"):format(server_folder())):match "^%d+"
  if not pid or bench.output_of("taskset -cp 0 " .. pid):match "failed" then error("taskset cannot pin the server", 0) end
  local ok, problem = pcall(f, function(side, args) return bench.number_of("taskset -c 0 " .. bench.command(side, args)) end)
  bench.output_of(("taskset -cp 0-%d %s"):format((tonumber(bench.output_of "nproc") or 1) - 1, pid))
  if not ok then error(problem, 0) end
end

local function pinned_row(bench)
  local row = bench.row
  pinned(bench, function(number)
    local raws, ours, ratios = {}, {}, {}
    for i = 1, bench.rounds do
      raws[i], ours[i] = number(row.raw[1], row.raw[2]), number(row.ours[1], row.ours[2])
      ratios[i] = ours[i] / raws[i]
    end
    bench.report(row, bench.median(raws), bench.median(ours), bench.median(ratios))
  end)
end

--- P12: milliseconds of one flush, pinned, over those of raw libpq's pipeline (14.3 ms on the machine of the limits, 20 and 14 ms).
local function flush_pinned(bench)
  local row = bench.row
  pinned(bench, function(number)
    local raws, ours, ratios = {}, {}, {}
    for i = 1, bench.rounds do
      raws[i] = number("raw_postgresql", "flush 3000") * 3000 / 1e6
      ours[i] = number("argent_postgresql", "flush_ms 3000")
      ratios[i] = ours[i] / raws[i]
    end
    bench.report(row, bench.median(raws), bench.median(ours), bench.median(ratios))
  end)
end

--- P12 through bench/proxy.c.
local function through_proxy(what, delay)
  return function(bench)
    local folder = bench.output_of("mktemp -d"):match "%S+"
    local proxy = io.popen(("%s/bench/proxy %s %s %s"):format(bench.build, server_folder(), folder, delay), "w")
    local url = os.getenv "ARGENT_PG_URL":gsub("host=[^&]+", "host=" .. folder)
    local numbers = {}
    local ok, problem = pcall(function()
      bench.output_of(("until [ -S %s/.s.PGSQL.5432 ]; do sleep 0.05; done"):format(folder))
      for i = 1, bench.rounds do
        numbers[i] = bench.number_of(("ARGENT_PG_URL='%s' ARGENT_PROXY_COUNT=%s/count %s"):format(url, folder,
          bench.command("argent_postgresql", what .. " 3000")))
      end
    end)
    proxy:close()
    os.execute("rm -rf " .. folder)
    if not ok then error(problem, 0) end
    local ms = bench.median(numbers)
    bench.report(bench.row, nil, ms, ms)
  end
end

--- Microseconds that ours takes beyond raw.
local function beyond_raw(bench)
  local row, raws, ours, more = bench.row, {}, {}, {}
  for i = 1, bench.rounds do
    raws[i] = bench.number_of(bench.command(row.raw[1], row.raw[2]))
    ours[i] = bench.number_of(bench.command(row.ours[1], row.ours[2]))
    more[i] = (ours[i] - raws[i]) / 1000
  end
  bench.report(row, bench.median(raws), bench.median(ours), bench.median(more))
end

-- ── P14 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Wall time of whole processes: argent's start over the interpreter alone (2.1 ms on the machine of the limits, 8 and 5 ms).
local function start_time(bench)
  local function seconds(args)
    local text = bench.output_of(("bash -c 'TIMEFORMAT=%%R; time for i in 1 2 3 4 5 6 7 8 9 10; do %s %s; done'"):format(bench.lua, args))
    return (tonumber(text:match "([%d.]+)%s*$") or error(text, 0)) * 100
  end
  local alone, ours, ratios = {}, {}, {}
  for i = 1, bench.rounds do
    alone[i], ours[i] = seconds "-e 0", seconds(bench.root .. "/bench/start.lua")
    ratios[i] = ours[i] / alone[i]
  end
  bench.report(bench.row, bench.median(alone), bench.median(ours), bench.median(ratios))
end
local function start_memory(bench)
  local mb = bench.number_of(("%s %s/bench/start.lua peak"):format(bench.lua, bench.root))
  bench.report(bench.row, nil, mb, mb)
end

-- ── P15 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Cost of a row at the largest size over that at 1,000 rows (small sizes many times: one run of them is noise).
local function growth(side, bench_name)
  return function(bench)
    local sizes = bench.long and {1000, 10000, 100000, 1000000} or {1000, 10000, 100000}
    local cost = {}
    for k, n in ipairs(sizes) do
      local list = {}
      for i = 1, n < 100000 and 2 * bench.rounds + 1 or bench.long and 3 or bench.rounds do
        list[i] = bench.number_of(bench.command(side, ("%s %d"):format(bench_name, n)))
      end
      cost[k] = bench.median(list)
    end
    bench.report(bench.row, cost[1], cost[#cost], cost[#cost] / cost[1])
  end
end
local function growth_row(name, side, bench_name)
  return {name = name, run = growth(side, bench_name), must = 1.3, goal = 1.3}
end

return {
  sqlite("P1 insert, list of tables", "insert", "insert", 100000, 1.7, 1.4, {slope = true}),
  sqlite("P2 add_all + flush", "insert", "orm_insert", 100000, 5, 3.5, {slope = true}),
  sqlite("P2 bulk insert(Model)", "insert", "orm_bulk", 100000, 2, 1.6, {slope = true}),
  sqlite("P3 select, none read", "select", "select_none", 100000, 3.2, 2.4),
  sqlite("P3 select, all 5 read", "select", "select_all", 100000, 8, 6),
  sqlite("P3 select, as tables", "select", "select_tables", 100000, 10, 8.5),
  sqlite("P3 select, streamed", "select", "select_streamed", 100000, 3.2, 2.5),
  sqlite("P4 select objects", "select", "orm_select", 100000, 14, 6),
  sqlite("P4 page of 100, new session", "page", "orm_page", 1000, 8, 5, {fill = 10000}),
  sqlite("P5 build, 3 joins (µs)", nil, "build", 20000, 5, 2.5, {unit = 1000, slope = true}),
  sqlite("P5 build + compile (µs)", nil, "build_compile", 20000, 12, 6, {unit = 1000, slope = true}),
  sqlite("P5 execute, cache hit (µs over raw)", "cached", "cached", 20000, 5, 3, {run = beyond_raw, slope = true}),
  sqlite("P6 get by key, Core", "get", "get", 50000, 5, 3.5, {fill = 10000}),
  sqlite("P6 session:get", "get", "orm_get", 50000, 5, 3, {fill = 10000}),
  sqlite("P6 identity-map hit (µs)", nil, "identity_hit", 200000, 0.2, 0.1, {unit = 1000, fill = 10000}),
  sqlite("P7 update one column", "update", "orm_update", 20000, 2.2, 1.6),
  sqlite("P7 delete", "delete", "orm_delete", 20000, 3.5, 2),
  sqlite("P8 eager load, selectin", "selectin", "selectin", 10000, 12, 8),
  sqlite("P8 eager load, joined", "joined", "joined", 10000, 11, 7),
  postgresql("P9 insert, Core : unnest", "insert", "insert", 100000, 1.35, 1.15),
  postgresql("P9 add_all + flush : unnest", "insert", "orm_insert", 100000, 2, 1.6),
  postgresql("P9 COPY lane of the driver", "copy", "insert", 100000, 1.5, 1.2, {ours = {"driver_rows", "postgresql copy 100000"}}),
  postgresql("P10 select, Core", "select", "select", 100000, 1.6, 1.2),
  postgresql("P10 select objects", "select", "orm_select", 100000, 6, 3.5),
  postgresql("P11 get, Core, pinned", "get", "get", 20000, 1.3, 1.15, {run = pinned_row}),
  postgresql("P11 session:get, pinned", "get", "orm_get", 20000, 1.3, 1.15, {run = pinned_row}),
  postgresql("P12 flush, pinned : pipeline", nil, "flush", 3000, 1.4, 1, {run = flush_pinned}),
  postgresql("P12 flush, 1 ms each way (ms)", nil, "flush", 3000, 55, 30, {run = through_proxy("flush_ms", "1")}),
  postgresql("P12 flush, round trips", nil, "flush", 3000, 10, 2, {run = through_proxy("flush_trips", "0")}),
  sqlite("P13 bytes a Core row", nil, "row_bytes", 100000, 220, 170, {unit = 1}),
  sqlite("P13 bytes an ORM object", nil, "object_bytes", 100000, 560, 300, {unit = 1}),
  {name = "P14 start : Lua alone", run = start_time, must = 3.8, goal = 2.4},
  {name = "P14 start, peak memory (MB)", run = start_memory, must = 6, goal = 5},
  growth_row("P15 growth: insert", "argent_sqlite", "insert"),
  growth_row("P15 growth: add_all + flush", "argent_sqlite", "orm_insert"),
  growth_row("P15 growth: select", "argent_sqlite", "select_none"),
  growth_row("P15 growth: select objects", "argent_sqlite", "orm_select"),
  growth_row("P15 growth: PostgreSQL insert", "argent_postgresql", "insert"),
  growth_row("P15 growth: PostgreSQL select", "argent_postgresql", "select"),
  sqlite("P15 streamed 10^6 rows (kB grown)", nil, "stream_memory", 1000000, 1000, 200, {unit = 1, rounds = 1}),
  sqlite("P15 streamed 10^7 rows (kB grown)", nil, "stream_memory", 10000000, 1000, 200, {unit = 1, rounds = 1, long = true}),
  postgresql("P16 64 on 8, autocommit, cqueues", "loops", "crowd", 20000, 0.6, 0.8, {higher = true}),
  postgresql("P16 64 on 8, autocommit, luv", "loops", "crowd", 20000, 0.6, 0.8,
    {higher = true, ours = {"argent_postgresql", "crowd 20000 luv"}}),
  postgresql("P16 64 on 8, transactions, cqueues", "loops", "crowd_begin", 20000, nil, nil, {higher = true}),
}
