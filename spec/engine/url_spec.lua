local ag = require "argent"
local expect = require "spec.support.expect"

describe("URLs", function()
  it("are parsed into parts", function()
    local url = ag.make_url("postgresql+libpq://app:s%40crt@db.example.org:5433/shop?sslmode=require&opt=1&opt=2")
    assert.equal("postgresql+libpq", url.drivername)
    assert.equal("postgresql", url:get_backend_name())
    assert.equal("libpq", url:get_driver_name())
    assert.equal("app", url.username)
    assert.equal("s@crt", url.password)
    assert.equal("db.example.org", url.host)
    assert.equal(5433, url.port)
    assert.equal("shop", url.database)
    assert.same({sslmode = "require", opt = {"1", "2"}}, url.query)
    assert.same({sslmode = {"require"}, opt = {"1", "2"}}, url.normalized_query)
  end)

  it("know a user without a password, also before a port", function()
    for text, port in pairs{["postgresql://ann@db.example.org:5433/shop"] = 5433, ["postgresql://ann@db.example.org/shop"] = false,
      ["postgresql://ann@db.example.org:5433/shop?application_name=a@b"] = 5433} do
      local url = ag.make_url(text)
      assert.equal("ann db.example.org shop", table.concat({url.username, url.host, url.database}, " "))
      assert.equal(port or nil, url.port)
      assert.is_nil(url.password)
      assert.equal(text:gsub("@b", "%%40b"), (tostring(url):gsub("a@b", "a%%40b")))
    end
  end)

  it("have nil where a part is absent", function()
    local url = ag.make_url("sqlite://")
    assert.is_nil(url.username)
    assert.is_nil(url.host)
    assert.is_nil(url.port)
    assert.is_nil(url.database)
    assert.same({}, url.query)
  end)

  it("never show the password unless asked to", function()
    local url = ag.make_url("postgresql://app:secret@h/d")
    assert.equal("postgresql://app:***@h/d", tostring(url))
    assert.equal("postgresql://app:***@h/d", url:render_as_string())
    assert.equal("postgresql://app:secret@h/d", url:render_as_string{hide_password = false})
  end)

  it("are made from parts, with escapes where needed", function()
    local url = ag.URL.create("postgresql", {username = "a/b", password = "p@ss/wörd", host = "h", port = 1, database = "d",
      query = {x = "1 2", y = {"a", "b"}}})
    assert.equal(url, ag.make_url(url:render_as_string{hide_password = false}))
    assert.equal("p@ss/wörd", url.password)
    assert.equal(url, ag.URL.create{drivername = "postgresql", username = "a/b", password = "p@ss/wörd", host = "h", port = 1,
      database = "d", query = {x = "1 2", y = {"a", "b"}}})
  end)

  it("do not change: set and the query methods give new ones", function()
    local url = ag.make_url("postgresql://u:p@h/d?a=1")
    assert.equal("postgresql://u:***@h2/d?a=1", tostring(url:set{host = "h2"}))
    assert.equal("postgresql://u@h/d?a=1", tostring(url:set{password = ag.null}))
    assert.equal("postgresql://u:***@h/d?a=2&b=3", tostring(url:update_query_dict{a = "2", b = "3"}))
    assert.same({a = {"1", "2"}}, url:update_query_dict({a = "2"}, {append = true}).query)
    assert.same({a = "1", c = {"x", "y"}}, url:update_query_pairs{{"c", "x"}, {"c", "y"}}.query)
    assert.same({a = "9"}, url:update_query_string("a=9").query)
    assert.same({}, url:difference_update_query{"a", "zzz"}.query)
    assert.equal("postgresql://u:***@h/d?a=1", tostring(url))
  end)

  it("equal URLs of the same parts", function()
    assert.equal(ag.make_url("sqlite:///a.db"), ag.make_url("sqlite:///a.db"))
    assert.not_equal(ag.make_url("sqlite:///a.db"), ag.make_url("sqlite:///b.db"))
    local url = ag.make_url("sqlite://")
    assert.equal(url, ag.make_url(url))
  end)

  it("that are wrong raise, without showing a password", function()
    for _, text in ipairs{"", "nonsense", "://h", "postgresql://u:secret@h:port/d", "postgresql://h:99999/d"} do
      local e = expect.raises("ArgumentError", nil, ag.make_url, text)
      assert.falsy(tostring(e):find("secret", 1, true))
    end
    expect.raises("ArgumentError", {"argument #1 to ag.make_url", "number 5"}, ag.make_url, 5)
    expect.raises("ArgumentError", "nil", ag.make_url, nil)
    expect.raises("ArgumentError", {"ag.URL.create", "unknown option 'hots'", "did you mean 'host'"}, ag.URL.create, "sqlite", {hots = "x"})
    expect.raises("ArgumentError", "port", ag.URL.create, "postgresql", {port = 0})
    expect.raises("ArgumentError", "port", ag.URL.create, "postgresql", {port = "5432"})
    expect.raises("ArgumentError", "query", ag.URL.create, "postgresql", {query = "a=1"})
    expect.raises("ArgumentError", "query", ag.URL.create, "postgresql", {query = {a = 1}})
    expect.raises("ArgumentError", nil, ag.URL.create, {host = "h"})
    local url = ag.make_url("sqlite://")
    expect.raises("ArgumentError", "a table", url.set, url, 5)
    expect.raises("ArgumentError", nil, url.update_query_pairs, url, {{"a"}})
    expect.raises("ArgumentError", nil, url.difference_update_query, url, {5})
    expect.raises("ArgumentError", "bad self", url.render_as_string, nil)
    expect.raises("ArgumentError", "did you mean 'database'", function() return url.databas end)
  end)
end)

describe("ag.create_engine", function()
  it("names what is wrong with its arguments", function()
    expect.raises("ArgumentError", "argument #1 to ag.create_engine", ag.create_engine)
    expect.raises("ArgumentError", "argument #2 to ag.create_engine", ag.create_engine, "sqlite://", 5)
    expect.raises("ArgumentError", {"ag.create_engine", "unknown option 'pol_size'", "did you mean 'pool_size'"}, ag.create_engine,
      "sqlite://", {pol_size = 5})
    expect.raises("NoSuchModuleError", "oracle", ag.create_engine, "oracle://h/d")
    expect.raises("NoSuchModuleError", "mxodbc", ag.create_engine, "postgresql+mxodbc://h/d")
    expect.raises("NoSuchModuleError", "argent brings sqlite and postgresql", ag.create_engine, "mysql://h/d")
  end)

  it("checks every option's type", function()
    local bad = {
      {pool_size = "5"}, {pool_size = -1}, {pool_size = 1.5}, {max_overflow = -2}, {pool_timeout = -1}, {pool_recycle = "x"},
      {pool_pre_ping = 1}, {pool_use_lifo = "no"}, {pool_reset_on_return = "maybe"}, {poolclass = "Pool"}, {echo = "loud"},
      {echo_pool = 1}, {logging_name = 5}, {isolation_level = 5}, {execution_options = 5}, {connect_args = 5},
      {connect_args = {x = {}}}, {creator = 5}, {query_cache_size = -1}, {use_insertmanyvalues = 1},
      {insertmanyvalues_page_size = 0}, {hide_parameters = 1}, {max_identifier_length = 0}, {label_length = 1},
      {json_serializer = 5}, {json_deserializer = "x"}, {wait = 5}, {timeout = "5"}, {lock_timeout = -1}, {[1] = 2},
      {connect_timeout = "x"}, {skip_autocommit_rollback = 0}, {pool_logging_name = {}},
    }
    for _, options in ipairs(bad) do
      local e = expect.raises("ArgumentError", "ag.create_engine", ag.create_engine, "sqlite://", options)
      assert.is_string(e.message)
    end
  end)

  it("refuses options that the driver does not know when it connects", function()
    local engine = ag.create_engine("sqlite://", {connect_args = {nonsense = 1}})
    expect.raises("ArgumentError", "nonsense", engine.connect, engine)
  end)

  it("is made from a configuration of texts", function()
    local engine = ag.engine_from_config({["db.url"] = "sqlite://", ["db.pool_pre_ping"] = "true", ["db.timeout"] = "2.5",
      other = 1}, "db.")
    assert.equal("sqlite", engine.name)
    assert.equal(3, ag.engine_from_config({["db.url"] = "sqlite://"}, {prefix = "db.", execution_options = {mine = 3}}):get_execution_options().mine)
    expect.raises("ArgumentError", "db.url", ag.engine_from_config, {}, "db.")
    expect.raises("ArgumentError", "db.url", ag.engine_from_config, {}, {prefix = "db."})
    expect.raises("ArgumentError", {"pool_size", "integer"}, ag.engine_from_config, {["db.url"] = "sqlite://", ["db.pool_size"] = "x"}, "db.")
    expect.raises("ArgumentError", "argument #1", ag.engine_from_config, 5)
  end)
end)
