--- Whatever a program passes, it gets an error, never a crash: every function and method with every kind of wrong value.
local ag = require "argent"
local core = require "argent.core"
local db = require "spec.support.db"

describe("misuse", function()
  local engine, conn
  setup(function()
    engine = db.engine()
    conn = engine:connect()
  end)
  teardown(function()
    conn:close()
    db.cleanup()
  end)

  local function nothing() end

  local function junk()
    return {
      nil, true, false, 0, -1, 2 ^ 53, 0 / 0, math.mininteger, "", "x", ("y"):rep(300), "a\0b", "\xff", {}, {1}, {{}}, {a = 1},
      {[{}] = {}}, setmetatable({}, {__index = error, __len = error, __pairs = error}), nothing, coroutine.create(nothing), io.stdout,
      ag.null, ag.date("2024-01-05"), ag.interval{days = 1}, ag.decimal("1"), ag.make_url("sqlite://"), engine, conn, engine.pool,
      conn:exec_driver_sql("SELECT 1 AS a"), conn:exec_driver_sql("SELECT 1 AS a"):one(), n = 32,
    }
  end

  --- What ends the engine or waits for long is left out.
  local skip = {close = true, dispose = true, invalidate = true, detach = true, _sleep = true, begin = true, _begin = true,
    run_in_transaction = true, commit = false, raw_connection = true, _raw_connection = true, connect = true}

  local function call(f, ...)
    local ok, e = pcall(f, ...)
    if ok then return true end
    -- Text is Lua's own; a table without class is what a metamethod of the junk raised.
    assert(type(e) == "string" or ag.exc.is_error(e) or type(e) == "table", tostring(e))
  end

  local function objects()
    return {
      Engine = engine, Pool = engine.pool, Connection = conn, URL = ag.make_url("postgresql://u:p@h/d"),
      Result = conn:exec_driver_sql("SELECT 1 AS a, 2 AS b"), date = ag.date("2024-01-05"), time = ag.time("10:00"),
      datetime = ag.datetime("2024-01-05 10:00"), interval = ag.interval{days = 1}, decimal = ag.decimal("1.5"),
    }
  end

  for class, object in pairs{Engine = 1, Pool = 1, Connection = 1, URL = 1, Result = 1, date = 1, time = 1, datetime = 1,
    interval = 1, decimal = 1} do
    it("of the methods of " .. class, function()
      object = objects()[class]
      local values = junk()
      local calls = 0
      for name, method in pairs(core.methods(class)) do
        if not skip[name] then
          for i = 1, values.n do
            call(method, values[i])
            call(method, object, values[i])
            call(method, object, values[i], values[values.n - i + 1])
            call(method, object, "SELECT 1", values[i], values[i])
            calls = calls + 4
          end
        end
      end
      assert.is_true(calls > 0)
      conn:rollback()
      assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    end)
  end

  it("of the functions of ag", function()
    local values = junk()
    for _, name in ipairs{"create_engine", "engine_from_config", "make_url", "date", "time", "datetime", "interval", "decimal",
      "unpack", "to_table", "json_array", "try"} do
      for i = 1, values.n do
        call(ag[name], values[i])
        call(ag[name], values[i], values[values.n - i + 1])
        call(ag[name], "sqlite://", values[i])
      end
    end
    for _, f in pairs(ag.event) do
      if type(f) == "function" then
        for i = 1, values.n do
          call(f, engine, values[i], values[i])
          call(f, engine, "begin", values[i])
        end
      end
    end
  end)

  it("of metamethods: wrong operands and indexes", function()
    local values = junk()
    for _, object in pairs(objects()) do
      for i = 1, values.n do
        local v = values[i]
        call(function() return object[v] end)
        call(function() object[v] = v end)
        call(function() return object + v end)
        call(function() return v - object end)
        call(function() return object * v end)
        call(function() return object / v end)
        call(function() return object < v end)
        call(function() return object == v end)
        call(function() return object(v) end)
        call(function() return #object end)
        call(tostring, object)
        call(pairs, object)
      end
    end
  end)

  it("of metatables moved with the debug library is noticed", function()
    local row = conn:exec_driver_sql("SELECT 1 AS a"):one()
    local meta = {}
    for name, object in pairs(objects()) do meta[name] = debug.getmetatable(object) end
    meta.Row = debug.getmetatable(row)
    for _, mt in pairs(meta) do
      for _, victim in ipairs{io.tmpfile(), row, ag.date("2024-01-05"), ag.make_url("sqlite://")} do
        local before = debug.getmetatable(victim)
        debug.setmetatable(victim, mt)
        for _, event in ipairs{"__index", "__tostring", "__len", "__call", "__close", "__add", "__eq", "__lt", "__pairs", "__gc"} do
          if type(mt[event]) == "function" then pcall(mt[event], victim, 1) end
        end
        for _, method in pairs(type(mt.__index) == "table" and mt.__index or {}) do pcall(method, victim) end
        debug.setmetatable(victim, before)
      end
    end
  end)

  it("of a dead handle raises", function()
    local c = engine:connect()
    local r = c:exec_driver_sql("SELECT 1 AS a")
    local tx = db.shared and c:get_transaction() or nil
    c:close()
    for name, method in pairs(core.methods("Connection")) do
      if name ~= "close" then call(method, c, "SELECT 1") end
    end
    for _, method in pairs(core.methods("Transaction")) do if tx then call(method, tx) end end
    r:close()
    for _, method in pairs(core.methods("Result")) do call(method, r, 1) end
  end)
end)
