-- REGEXP, and functions and collations of Lua, inside SQLite.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

if db.postgresql then
  describe("functions of Lua", function()
    it("are SQLite's", function()
      local raw <close> = db.engine():raw_connection()
      expect.raises("InvalidRequestError", "postgresql", function() raw:create_function("f", 0, function() end) end)
      raw:close()
      db.cleanup()
    end)
  end)
  return
end

describe("REGEXP", function()
  after_each(db.cleanup)
  local function matches(text, pattern)
    local conn <close> = db.engine():connect()
    return conn:exec_driver_sql("SELECT ? REGEXP ?", {text, pattern}):scalar()
  end

  it("searches as Python's re does", function()
    for _, case in ipairs{
      {"hello", "ell", 1}, {"hello", "^ell", 0}, {"hello", "^h.*o$", 1}, {"hello\n", "o$", 1}, {"a\nb", "a.b", 0}, {"a\nb", "(?s)a.b", 1},
      {"a\nb", "^b", 0}, {"a\nb", "(?m)^b", 1}, {"HeLLo", "hello", 0}, {"HeLLo", "(?i)hello", 1}, {"abc", "[^abc]", 0}, {"x]", "[]]", 1},
      {"a-b", "[a\\-]b", 1}, {"2024-01-05", "^\\d{4}-\\d{2}-\\d{2}$", 1}, {"2024-1-5", "^\\d{4}-\\d{2}-\\d{2}$", 0}, {"aaa", "^a{2}$", 0},
      {"aa", "^a{1,3}?$", 1}, {"foobar", "foo(?:bar|baz)", 1}, {"foobaz", "foo(bar|baz)$", 1}, {"", "^$", 1}, {"x", "", 1},
      {"a b", "a\\sb", 1}, {"a_b", "^\\w+$", 1}, {"a.b", "^\\w+$", 0}, {"a word", "\\bword\\b", 1}, {"sword", "\\bword", 0},
      {"Straße", "^Stra.e$", 1}, {"日本", "^..$", 1}, {"日本", "^[日月]", 1}, {"é", "\\w", 1}, {"a{2", "a{2", 1}, {"\t", "\\t", 1},
      {"A", "\\x41", 1}, {"abcabc", "^(abc){2}$", 1}, {"ababx", "^(a|b|ab)*x$", 1}, {"aXb", "(?i)[a-z]x[a-z]", 1},
      {"end", "end\\Z", 1}, {"-end", "\\Aend", 0}, {"$5", "\\$5", 1}, {"(P)", "(?P<name>P)", 1},
    } do
      assert.equal(case[3], matches(case[1], case[2]), case[1] .. " REGEXP " .. case[2])
    end
    assert.is_nil(matches(ag.null, "a"))
    assert.is_nil(matches("a", ag.null))
    assert.equal(1, matches(42, "^4"))
  end)

  it("refuses patterns that are none, and those that would cost too much", function()
    local deep = ("("):rep(1000) .. "a" .. (")"):rep(1000)
    for pattern, why in pairs{
      ["("] = "missing )", [")"] = "unbalanced )", ["*a"] = "nothing to repeat", ["[a"] = "unterminated", ["a\\"] = "backslash",
      ["[b-a]"] = "range", ["(a)\\1"] = "back references", ["(?=a)"] = "not supported", ["a{5,2}"] = "bad repetition", ["a**"] = "multiple repeat",
      ["\\q"] = "unknown escape", [deep] = "too deeply", ["((a{1000}){1000}){1000}"] = "too large",
      ["((((){1000}){1000}){1000}){1000}"] = "too large", ["a{1001}"] = "bad repetition",
    } do
      expect.raises("DBAPIError", why, matches, "aaa", pattern)
    end
  end)

  it("is linear: patterns that make others backtrack do not", function()
    local began = os.clock()
    assert.equal(0, matches(("a"):rep(5000), "(a*)*b"))
    assert.equal(0, matches(("a"):rep(5000), "(a|aa)+$b"))
    assert.equal(1, matches(("a"):rep(5000) .. "b", ("|"):rep(3000) .. "b"))
    assert.is_true(os.clock() - began < 5)
  end)

  it("ends with its statement's deadline", function()
    local conn <close> = db.engine():connect()
    expect.raises("OperationalError", "", function()
      conn:execute(ag.text("SELECT :text REGEXP :pattern"), {text = ("ab"):rep(2000000), pattern = "(" .. ("(a|b)?"):rep(900) .. ")*c"},
        {execution_options = {timeout = 0.2}})
    end)
  end)

  it("is what regexp_match writes", function()
    local conn <close> = db.engine():connect()
    local v = ag.values(ag.column("s", ag.Text), {name = "v"}):data{{"apple"}, {"banana"}, {"cherry"}}
    assert.same({"banana", "cherry"}, conn:execute(ag.select(v.c.s):where(v.c.s:regexp_match("^[bc]")):order_by(v.c.s)):scalars():all())
    assert.same({"apple"}, conn:execute(ag.select(v.c.s):where(~v.c.s:regexp_match("^[bc]"))):scalars():all())
  end)
end)

describe("functions of Lua", function()
  after_each(db.cleanup)

  local function with(setup)
    local engine = db.engine()
    ag.event.listen(engine, "connect", setup)
    return engine:connect()
  end

  it("are called by statements, with every kind of value", function()
    local conn <close> = with(function(raw)
      raw:create_function("describe", 1, function(v) return math.type(v) or type(v) end)
      raw:create_function("same", 1, function(v) return v end, {deterministic = true})
      raw:create_function("count_args", -1, function(...) return select("#", ...) end)
    end)
    local row = conn:exec_driver_sql("SELECT describe(1), describe(1.5), describe('x'), describe(NULL), describe(x'00ff'), count_args(), " ..
      "count_args(1, 2, NULL)"):one()
    assert.same({"integer", "float", "string", "nil", "string", 0, 3}, {ag.unpack(row)})
    row = conn:exec_driver_sql("SELECT same(42), same(0.5), same('ä'), same(NULL), same(x'00ff'), typeof(same(x'00ff')), typeof(same('a'))"):one()
    assert.same({42, 0.5, "ä", nil, "\0\255", "blob", "text"}, {ag.unpack(row)})
    assert.equal(5, conn:scalar(ag.select(ag.func.same(ag.literal(2) + 3))))
    assert.equal(1, conn:exec_driver_sql("SELECT same(1 = 1)"):scalar())
  end)

  it("that raise end the statement with their message", function()
    local conn <close> = with(function(raw)
      raw:create_function("fails", 0, function() error("no such luck", 0) end)
      raw:create_function("odd", 0, function() return {} end)
    end)
    expect.raises("DBAPIError", "no such luck", function() conn:exec_driver_sql("SELECT fails()") end)
    expect.raises("DBAPIError", "SQLite has no kind for", function() conn:exec_driver_sql("SELECT odd()") end)
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("cannot use the connection they run on, nor yield", function()
    local conn
    conn = with(function(raw)
      raw:create_function("again", 0, function() return conn:exec_driver_sql("SELECT 1"):scalar() end)
      raw:create_function("yields", 0, function() coroutine.yield() end)
    end)
    expect.raises("DBAPIError", "", function() conn:exec_driver_sql("SELECT again()") end)
    expect.raises("DBAPIError", "yield", function() conn:exec_driver_sql("SELECT yields()") end)
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    conn:close()
  end)

  it("can be replaced, and go with their connection", function()
    local engine = db.engine()
    local raw <close> = engine:raw_connection()
    local kept = setmetatable({}, {__mode = "v"})
    local function register(n)
      local function f() return n end
      kept[n] = f
      raw:create_function("number", 0, f)
    end
    for i = 1, 10 do register(i) end
    assert.equal(10, raw:execute("SELECT number()")[1][1])
    collectgarbage()
    collectgarbage()
    local alive = 0
    for _ in pairs(kept) do alive = alive + 1 end
    assert.is_true(alive <= 2)
    raw:close()
  end)

  it("order texts as collations", function()
    local conn <close> = with(function(raw)
      raw:create_collation("backwards", function(a, b) return a == b and 0 or (a > b and -1 or 1) end)
    end)
    local v = ag.values(ag.column("s", ag.Text), {name = "v"}):data{{"b"}, {"a"}, {"c"}}
    assert.same({"c", "b", "a"}, conn:execute(ag.select(v.c.s):order_by(v.c.s:collate("backwards"))):scalars():all())
  end)

  it("check their arguments", function()
    local raw <close> = db.engine():raw_connection()
    local function nothing() end
    expect.raises("ArgumentError", "#1", function() raw:create_function("", 0, nothing) end)
    expect.raises("ArgumentError", "#1", function() raw:create_function("a\0b", 0, nothing) end)
    expect.raises("ArgumentError", "#2", function() raw:create_function("f", 200, nothing) end)
    expect.raises("ArgumentError", "#3", function() raw:create_function("f", 0, "x") end)
    expect.raises("ArgumentError", "determinstic", function() raw:create_function("f", 0, nothing, {determinstic = true}) end)
    expect.raises("ArgumentError", "#2", function() raw:create_collation("c") end)
    raw:close()
    expect.raises("ResourceClosedError", "closed", function() raw:create_function("f", 0, nothing) end)
  end)
end)
