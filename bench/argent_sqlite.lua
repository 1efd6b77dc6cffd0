-- argent's side of the SQLite rows of the performance table. usage: argent_sqlite.lua BENCH ROWS [FILL]; prints nanoseconds a
-- row (P13: bytes). Data is made before the clock starts, as in raw_sqlite.c. FILL: size of the table that gets and pages read
-- (default ROWS), so that a slope over ROWS counts the reads alone.
local ag = require "argent"

local bench, n = arg[1], math.tointeger(tonumber(arg[2]))
local filled = math.tointeger(tonumber(arg[3])) or n
local clock = os.clock
local engine = ag.create_engine("sqlite://")
local Base = ag.declarative_base and ag.declarative_base()
local User, users
if Base then
  User = Base:model("User", {
    __tablename = "users",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.Text), email = ag.mapped_column(ag.Text),
    age = ag.mapped_column(ag.Integer), score = ag.mapped_column(ag.Float),
  })
  users = User.__table
end
Base.metadata:create_all(engine)

local function rows()
  local out = {}
  for i = 0, filled - 1 do
    out[i + 1] = {name = "user " .. i, email = "user" .. i .. "@example.org", age = i % 90, score = i * 0.5}
  end
  return out
end
--- The table with its rows. What was only needed for that is collected before a clock starts.
local function fill()
  local data = rows()
  engine:begin(function(conn) conn:execute(ag.insert(users), data) end)
  data = nil
  collectgarbage()
end
local function per_row(start) return (clock() - start) * 1e9 / n end

local run = {}

function run.insert() -- P1
  local data = rows()
  local start = clock()
  engine:begin(function(conn) conn:execute(ag.insert(users), data) end)
  return per_row(start)
end

local function orm_insert(flush)
  local objects = {}
  for i, row in ipairs(rows()) do objects[i] = User(row) end
  local session <close> = ag.Session(engine)
  local start = clock()
  flush(session, objects)
  session:commit()
  return per_row(start)
end
function run.orm_insert() -- P2
  return orm_insert(function(session, objects) session:add_all(objects); session:flush() end)
end
function run.orm_bulk() -- P2
  local data = rows()
  local session <close> = ag.Session(engine)
  local start = clock()
  session:execute(ag.insert(User), data)
  session:commit()
  return per_row(start)
end

local function select_with(read)
  fill()
  local conn <close> = engine:connect()
  local start = clock()
  read(conn)
  return per_row(start)
end
function run.select_none() -- P3
  return select_with(function(conn) return conn:execute(ag.select(users)):all() end)
end
function run.select_all()
  return select_with(function(conn)
    local sum = 0
    for _, row in ipairs(conn:execute(ag.select(users)):all()) do
      sum = sum + row.id + #row.name + #row.email + row.age + row.score
    end
    return sum
  end)
end
function run.select_tables()
  return select_with(function(conn) return conn:execute(ag.select(users)):mappings():all() end)
end
--- Not in the table: how much the process has grown at most while a result is streamed, kB (n rows made by the server).
function run.stream_memory()
  local conn <close> = engine:connect()
  local function peak()
    for line in io.lines "/proc/self/status" do
      local kb = line:match "^VmHWM:%s*(%d+)"
      if kb then return tonumber(kb) end
    end
  end
  local before
  local sql = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?) SELECT i, 'row ' || i FROM c"
  local count = 0
  for _ in conn:exec_driver_sql(sql, {n}, {execution_options = {yield_per = 1000}}):rows() do
    count = count + 1
    if count == 10000 then before = peak() end
  end
  assert(count == n)
  return peak() - before
end
function run.select_streamed()
  return select_with(function(conn)
    local count = 0
    for _ in conn:execute(ag.select(users):execution_options{yield_per = 1000}):rows() do count = count + 1 end
    return count
  end)
end

function run.orm_select() -- P4
  fill()
  local session <close> = ag.Session(engine)
  local start = clock()
  local all = session:scalars(ag.select(User)):all()
  local ns = per_row(start)
  assert(#all == n)
  return ns
end
function run.orm_page() -- P4: a page of 100 with a new session, nanoseconds a page
  fill()
  local start = clock()
  for i = 1, n do
    local session <close> = ag.Session(engine)
    session:scalars(ag.select(User):where(User.id:gt(i * 7 % (filled - 100))):order_by(User.id):limit(100)):all()
  end
  return per_row(start)
end

local addresses, orders, items -- P5's tables, made when asked for
local function make_tables()
  local meta = ag.MetaData()
  users = ag.Table("users", meta, ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text),
    ag.Column("email", ag.Text), ag.Column("age", ag.Integer))
  addresses = ag.Table("addresses", meta, ag.Column("id", ag.Integer, {primary_key = true}),
    ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")), ag.Column("email", ag.Text))
  orders = ag.Table("orders", meta, ag.Column("id", ag.Integer, {primary_key = true}),
    ag.Column("address_id", ag.Integer, ag.ForeignKey("addresses.id")))
  items = ag.Table("items", meta, ag.Column("id", ag.Integer, {primary_key = true}),
    ag.Column("order_id", ag.Integer, ag.ForeignKey("orders.id")), ag.Column("name", ag.Text))
  meta:create_all(engine, {checkfirst = true})
end
--- With LIKE, SQLite prepares anew whenever a parameter is bound: for executing it is left out.
local function join3(operator)
  local named = operator and items.c.name:eq("x") or items.c.name:like("x%")
  return ag.select(users.c.id, addresses.c.email, items.c.name)
    :join_from(users, addresses, users.c.id:eq(addresses.c.user_id))
    :join(orders, addresses.c.id:eq(orders.c.address_id)):join(items, orders.c.id:eq(items.c.order_id))
    :where(users.c.age:gt(18) & named):order_by(users.c.id):limit(10)
end
local function aliases3() -- not in the table: the same with three aliases made anew each time
  local a, b, c = users:alias("a"), users:alias("b"), users:alias("c")
  return ag.select(users.c.id, a.c.name, b.c.email)
    :join_from(users, a, users.c.id:eq(a.c.id)):join(b, a.c.id:eq(b.c.id)):join(c, b.c.id:eq(c.c.id))
    :where(users.c.age:gt(18) & a.c.name:like("x%")):order_by(users.c.id):limit(10)
end
function run.build() -- P5
  make_tables()
  local start = clock()
  for _ = 1, n do join3() end
  return per_row(start)
end
function run.build_aliases()
  local start = clock()
  for _ = 1, n do aliases3() end
  return per_row(start)
end
function run.build_compile()
  make_tables()
  local start = clock()
  for _ = 1, n do join3():compile{dialect = "sqlite", no_cache = true} end
  return per_row(start)
end

function run.cached() -- P5: executing a statement that stands already, on empty tables; raw_sqlite's cached is the prepared step
  make_tables()
  local conn <close> = engine:connect()
  local stmt = join3("=")
  local start = clock()
  for _ = 1, n do conn:execute(stmt):all() end
  return per_row(start)
end

function run.get() -- P6
  fill()
  local conn <close> = engine:connect()
  local start = clock()
  for i = 0, n - 1 do
    conn:execute(ag.select(users):where(users.c.id:eq((i * 7919) % filled + 1))):one()
  end
  return per_row(start)
end
function run.orm_get()
  fill()
  local start
  local sum = 0
  start = clock()
  local session <close> = ag.Session(engine)
  for i = 0, n - 1 do
    sum = sum + session:get(User, (i * 7919) % filled + 1).age
    if i % 1000 == 999 then session:expunge_all() end
  end
  return per_row(start)
end
function run.identity_hit()
  fill()
  local session <close> = ag.Session(engine)
  local user = session:get(User, 1)
  local start = clock()
  for _ = 1, n do assert(session:get(User, 1) == user) end
  return per_row(start)
end

function run.orm_update() -- P7
  fill()
  local session <close> = ag.Session(engine)
  local all = session:scalars(ag.select(User)):all()
  local start = clock()
  for _, user in ipairs(all) do user.age = user.age + 1 end
  session:flush()
  session:commit()
  return per_row(start)
end
function run.orm_delete()
  fill()
  local session <close> = ag.Session(engine)
  local all = session:scalars(ag.select(User)):all()
  local start = clock()
  for _, user in ipairs(all) do session:delete(user) end
  session:flush()
  session:commit()
  return per_row(start)
end

local Author, Post -- P8
local function families()
  local base = ag.declarative_base()
  Author = base:model("Author", {
    __tablename = "users",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.Text), email = ag.mapped_column(ag.Text),
    age = ag.mapped_column(ag.Integer), score = ag.mapped_column(ag.Float),
    posts = ag.relationship("Post"),
  })
  Post = base:model("Post", {
    __tablename = "posts",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    user_id = ag.mapped_column(ag.Integer, ag.ForeignKey("users.id"), {index = true}),
    title = ag.mapped_column(ag.Text), body = ag.mapped_column(ag.Text),
  })
  base.metadata:create_all(engine)
  fill()
  local data = {}
  for i = 0, 5 * n - 1 do data[i + 1] = {user_id = i // 5 + 1, title = "title " .. i, body = "what was to be said"} end
  engine:begin(function(conn) conn:execute(ag.insert(Post.__table), data) end)
  data = nil
  collectgarbage()
end
local function eager(option)
  local session <close> = ag.Session(engine)
  local start = clock()
  local all = session:scalars(ag.select(Author):options(option)):unique():all()
  local ns = per_row(start)
  assert(#all == n and #all[1].posts == 5)
  return ns
end
function run.selectin()
  families()
  return eager(ag.selectinload(Author.posts))
end
function run.joined()
  families()
  return eager(ag.joinedload(Author.posts))
end

local function memory_of(make)
  fill()
  collectgarbage(); collectgarbage()
  local before = collectgarbage("count")
  local kept = make()
  collectgarbage(); collectgarbage()
  local bytes = (collectgarbage("count") - before) * 1024 / n
  assert(#kept == n)
  return bytes - 16 -- the list's own slot
end
function run.row_bytes() -- P13
  local conn <close> = engine:connect()
  return memory_of(function() return conn:execute(ag.select(users)):all() end)
end
function run.object_bytes()
  local session <close> = ag.Session(engine)
  return memory_of(function() return session:scalars(ag.select(User)):all() end)
end

print(("%.1f"):format(run[bench]()))
