--- Operators that the type of their left side does not have: taken, as in SQLAlchemy, with a warning.
local ag = require "argent"
local pg = ag.postgresql

--- The warnings that f gives, in order.
local function warnings(f)
  local said, before = {}, _G.warn
  _G.warn = function(text) said[#said + 1] = text end
  local ok, e = pcall(f)
  _G.warn = before
  assert(ok, e)
  return said
end

local methods = {
  ["and_"] = function(c) return c & ag.true_() end,
  bitwise_and = function(c) return c:bitwise_and(ag.column("y")) end,
  add = function(c) return c + ag.column("y") end,
  sub = function(c) return c - ag.column("y") end,
  mul = function(c) return c * ag.column("y") end,
  neg = function(c) return -c end,
  concat = function(c) return c:concat(ag.column("y")) end,
  contains = function(c) return c:contains(ag.column("y")) end,
  like = function(c) return c:like(ag.column("y")) end,
  istartswith = function(c) return c:istartswith(ag.column("y")) end,
  match = function(c) return c:match(ag.column("y")) end,
  regexp_replace = function(c) return c:regexp_replace(ag.column("y"), ag.column("z")) end,
  eq = function(c) return c:eq(ag.column("y")) end,
  in_ = function(c) return c:in_{} end,
  desc = function(c) return c:desc() end,
}

local texts = "like istartswith match regexp_replace"
local odd = {
  {ag.Integer, "and_ contains " .. texts}, {ag.Numeric, "and_ contains " .. texts}, {ag.Float, "and_ contains " .. texts},
  {ag.String, "and_ bitwise_and sub mul neg"}, {ag.Enum{"a", "b"}, "and_ bitwise_and sub mul neg"},
  {pg.CITEXT, "and_ bitwise_and sub mul neg"},
  {ag.Boolean, "bitwise_and add sub mul neg concat contains " .. texts},
  {ag.Date, "and_ bitwise_and mul neg concat contains " .. texts}, {ag.DateTime, "and_ bitwise_and mul neg concat contains " .. texts},
  {ag.LargeBinary, "and_ bitwise_and sub mul neg " .. texts}, {ag.ARRAY(ag.Integer), "and_ bitwise_and sub mul neg " .. texts},
  {ag.JSON, "and_ bitwise_and add sub mul neg concat contains " .. texts},
  {ag.Uuid, "and_ bitwise_and add sub mul neg concat contains " .. texts},
  -- what PostgreSQL has is no reason to warn, though SQLAlchemy does
  {ag.Interval, "and_ bitwise_and concat contains " .. texts}, {pg.JSONB, "and_ bitwise_and " .. texts},
  {pg.INET, ""}, {ag.NullType, ""},
}

describe("operators beside types", function()
  for _, row in ipairs(odd) do
    it("of " .. tostring(ag.column("x", row[1]).type) .. " warn where they make no sense", function()
      local expected = {}
      for name in row[2]:gmatch("%S+") do expected[name] = true end
      local got = {}
      for name, call in pairs(methods) do
        local c = ag.column("x", row[1])
        local said = warnings(function() call(c) end)
        if #said > 0 then
          got[name] = true
          assert.equal(1, #said)
          assert.matches("^argent: the type %u[%w_]* has no operator " .. name .. ": a cast says what is meant$", said[1])
        end
      end
      assert.same(expected, got)
    end)
  end

  it("ask the expression where the value stands on the left", function()
    assert.same({"argent: the type String has no operator sub: a cast says what is meant"},
      warnings(function() return 5 - ag.column("x", ag.String) end))
    assert.same({}, warnings(function() return "a" .. ag.column("x", ag.String) end))
  end)

  it("take types of one's own, operators of one's own, and casts", function()
    assert.same({}, warnings(function()
      local own = ag.column("x", ag.UserDefinedType{get_col_spec = function() return "POINT" end})
      return own:like("a") & (own + 5):eq(own)
    end))
    assert.same({}, warnings(function() return ag.column("x", ag.Integer):op("~~")("a") end))
    assert.same({}, warnings(function() return ag.cast(ag.column("x", ag.Integer), ag.String):like("a") end))
  end)

  it("ask what a decorated type and a variant stand on", function()
    local boxed = ag.TypeDecorator{impl = ag.Integer, cache_ok = true}
    assert.equal(1, #warnings(function() return ag.column("x", boxed):like("a") end))
    assert.equal(0, #warnings(function() return ag.column("x", boxed) + 1 end))
    assert.equal(1, #warnings(function() return ag.column("x", ag.Integer():with_variant(ag.String, "sqlite")):like("a") end))
  end)
end)
