-- argent's side of the PostgreSQL rows of the performance table. usage: argent_postgresql.lua BENCH ROWS [LOOP], with
-- ARGENT_PG_URL; prints nanoseconds a row. Data is made before the clock starts, as in raw_postgresql.c. The clock is the wall's:
-- the server's work counts.
local ag = require "argent"
local clock = require "bench.clock"

local bench, n = arg[1], math.tointeger(tonumber(arg[2]))
local url = assert(os.getenv "ARGENT_PG_URL", "ARGENT_PG_URL is not set")
local engine = ag.create_engine(url)
local Base = ag.declarative_base()
local User = Base:model("User", {
  __tablename = "users",
  id = ag.mapped_column(ag.Integer, {primary_key = true}),
  name = ag.mapped_column(ag.Text), email = ag.mapped_column(ag.Text),
  age = ag.mapped_column(ag.Integer), score = ag.mapped_column(ag.Float),
})
local users = User.__table
Base.metadata:drop_all(engine)
Base.metadata:create_all(engine)

local function rows(count)
  local out = {}
  for i = 0, count - 1 do
    out[i + 1] = {name = "user " .. i, email = "user" .. i .. "@example.org", age = i % 90, score = i * 0.5}
  end
  return out
end
local function fill(count)
  local data = rows(count)
  engine:begin(function(conn) conn:execute(ag.insert(users), data) end)
  engine:begin(function(conn) conn:exec_driver_sql("ANALYZE users") end)
  data = nil
  collectgarbage()
end
local function per_row(start) return (clock() - start) * 1e9 / n end

local run = {}

function run.insert() -- P9
  local data = rows(n)
  local start = clock()
  engine:begin(function(conn) conn:execute(ag.insert(users), data) end)
  return per_row(start)
end
function run.orm_insert()
  local objects = {}
  for i, row in ipairs(rows(n)) do objects[i] = User(row) end
  local session <close> = ag.Session(engine)
  local start = clock()
  session:add_all(objects)
  session:flush()
  session:commit()
  return per_row(start)
end

--- P10. The statement has run on this connection before, as in any program that runs for a while: the first execution on a
--- connection asks for text where a column's type is not certain.
function run.select()
  fill(n)
  local conn <close> = engine:connect()
  conn:execute(ag.select(users)):first()
  collectgarbage()
  local start = clock()
  local all = conn:execute(ag.select(users)):all()
  local ns = per_row(start)
  assert(#all == n)
  return ns
end
function run.orm_select()
  fill(n)
  local session <close> = ag.Session(engine)
  session:scalars(ag.select(User)):first()
  session:expunge_all()
  collectgarbage()
  local start = clock()
  local all = session:scalars(ag.select(User)):all()
  local ns = per_row(start)
  assert(#all == n)
  return ns
end

function run.get() -- P11
  fill(n)
  local conn <close> = engine:connect()
  local start = clock()
  for i = 0, n - 1 do conn:execute(ag.select(users):where(users.c.id:eq((i * 7919) % n + 1))):one() end
  return per_row(start)
end
function run.orm_get()
  fill(n)
  local session <close> = ag.Session(engine)
  local start = clock()
  for i = 0, n - 1 do
    assert(session:get(User, (i * 7919) % n + 1))
    if i % 1000 == 999 then session:expunge_all() end
  end
  return per_row(start)
end

--- P12: a third updates, a third inserts with given keys, a third deletes, all in one flush. `count`: asked before and after.
local function flush(count)
  local each = n // 3
  fill(3 * each)
  local session <close> = ag.Session(engine)
  local all = session:scalars(ag.select(User):order_by(User.id)):all()
  for i = 1, each do
    all[i].age = 7
    session:delete(all[2 * each + i])
  end
  for i = 0, each - 1 do session:add(User{id = 1000000 + i, age = 7}) end
  local before = count()
  session:flush()
  local between = count()
  session:commit()
  return before, between, count(), 3 * each
end
function run.flush() -- nanoseconds an object, commit included
  local before, _, after, objects = flush(clock)
  return (after - before) * 1e9 / objects
end
function run.flush_ms()
  local before, _, after = flush(clock)
  return (after - before) * 1e3
end
--- Round trips of flush and commit, as the proxy of bench/proxy.c counts them.
function run.flush_trips()
  local path = assert(os.getenv "ARGENT_PROXY_COUNT", "ARGENT_PROXY_COUNT is not set")
  local before, _, after = flush(function()
    local file <close> = assert(io.open(path))
    return file:read("n")
  end)
  return after - before
end

--- P16: 64 coroutines share a pool of 8; each takes a connection, gets a row, gives it back.
local function crowd(loop, options)
  fill(10000)
  options.pool_size, options.max_overflow = 8, 0
  options.wait = require("argent.wait." .. loop)
  local shared = ag.create_engine(url, options)
  local asked = 0
  local function worker()
    while asked < n do
      asked = asked + 1
      local conn <close> = shared:connect()
      conn:execute(ag.select(users):where(users.c.id:eq((asked * 7919) % 10000 + 1))):one()
    end
  end
  local start
  if loop == "cqueues" then
    local queue = require("cqueues").new()
    for _ = 1, 64 do queue:wrap(worker) end
    start = clock()
    assert(queue:loop())
  else
    start = clock()
    for _ = 1, 64 do coroutine.wrap(worker)() end
    require("luv").run()
  end
  local ns = per_row(start)
  shared:dispose()
  return ns
end
function run.crowd() return crowd(arg[3] or "cqueues", {isolation_level = "AUTOCOMMIT"}) end
function run.crowd_begin() return crowd(arg[3] or "cqueues", {}) end

print(("%.1f"):format(run[bench]()))
engine:dispose()
