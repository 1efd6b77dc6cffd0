--- The database that specs run on, chosen by ARGENT_TEST_DB: sqlite-memory (default), sqlite-file or postgresql (then
--- ARGENT_PG_URL names a database of this process alone). Engines made here are disposed and files removed by `db.cleanup`.
local ag = require "argent"

local M = {}

M.name = os.getenv "ARGENT_TEST_DB" or "sqlite-memory"
M.postgresql = M.name == "postgresql"
M.sqlite = not M.postgresql
M.memory = M.name == "sqlite-memory"
M.dialect = M.postgresql and "postgresql" or "sqlite"
--- Several connections see one database.
M.shared = not M.memory

local engines, files = {}, {}

--- A URL of an empty database (PostgreSQL: of this process's; SQLite: a new one each time).
function M.url()
  if M.postgresql then return (assert(os.getenv "ARGENT_PG_URL", "ARGENT_PG_URL is not set")) end
  if M.memory then return "sqlite://" end
  local path = os.tmpname()
  os.remove(path)
  files[#files + 1] = path
  return "sqlite:///" .. path
end

--- An engine on a fresh database.
function M.engine(options)
  local engine = ag.create_engine(M.url(), options)
  engines[#engines + 1] = engine
  if M.postgresql then M.empty(engine) end
  return engine
end

--- A second engine on the database of another (never in memory).
function M.other_engine(engine, options)
  local other = ag.create_engine(engine.url, options)
  engines[#engines + 1] = other
  return other
end

--- Drop everything in the PostgreSQL database.
function M.empty(engine)
  local conn <close> = engine:connect()
  conn:execution_options{isolation_level = "AUTOCOMMIT"}
  conn:exec_driver_sql("DROP SCHEMA public CASCADE")
  conn:exec_driver_sql("CREATE SCHEMA public")
end

--- For after_each / teardown.
function M.cleanup()
  for _, engine in ipairs(engines) do engine:dispose() end
  engines = {}
  collectgarbage()
  for _, path in ipairs(files) do
    for _, suffix in ipairs{"", "-wal", "-shm", "-journal"} do os.remove(path .. suffix) end
  end
  files = {}
end

--- The n-th placeholder of driver text.
function M.param(n)
  return M.postgresql and "$" .. n or "?"
end

--- Driver text with `?` placeholders in the database's form (none inside literals).
function M.sql(text)
  if not M.postgresql then return text end
  local n = 0
  return (text:gsub("%?", function()
    n = n + 1
    return "$" .. n
  end))
end

--- What this database can do, for specs that need it.
M.has = {
  two_phase = M.postgresql,
  cancel = true,
  several_connections = M.shared,
}

--- Text that takes long: an endless query, or a sleep.
M.slow = M.postgresql and "SELECT pg_sleep(30)" or
  "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT count(*) FROM a"

return M
