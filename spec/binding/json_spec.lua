local ag = require "argent"
local json = require "argent.json"
local expect = require "spec.support.expect"

describe("JSON", function()
  it("is written with exact integers, sorted names and shortest floats", function()
    assert.equal('{"a":9223372036854775807,"b":0.1,"c":1.0,"d":null,"e":true,"f":[1,"x"]}',
      json.encode{f = {1, "x"}, a = math.maxinteger, b = 0.1, c = 1.0, d = ag.null, e = true})
    assert.equal('"a\\"b\\\\\\n\\u0001é"', json.encode('a"b\\\n\1é'))
    assert.equal("12.50", json.encode(ag.decimal("12.50")))
  end)

  it("keeps empty arrays arrays by their mark", function()
    assert.equal("{}", json.encode{})
    assert.equal("[]", json.encode(ag.json_array{}))
    assert.equal("[]", json.encode(json.decode("[]")))
    assert.equal("{}", json.encode(json.decode("{}")))
    assert.equal('{"1":2}', json.encode(ag.json_object{2}))
    assert.equal('[[],{"a":[]}]', json.encode(json.decode('[[],{"a":[]}]')))
  end)

  it("reads null as ag.null and big integers exactly", function()
    local v = json.decode('{"a":null,"n":9007199254740993,"l":[1,null,3]}')
    assert.equal(ag.null, v.a)
    assert.equal(9007199254740993, v.n)
    assert.equal(3, #v.l)
    assert.equal(ag.null, v.l[2])
  end)

  it("refuses what JSON cannot say", function()
    local cycle = {}
    cycle.self = cycle
    expect.raises("DataError", {"contains itself", ".self"}, json.encode, cycle)
    expect.raises("DataError", "holes", json.encode, {1, nil, 3})
    expect.raises("DataError", "both names and numbers", json.encode, {1, a = 2})
    expect.raises("DataError", "NaN", json.encode, {x = 0 / 0})
    expect.raises("DataError", "infinity", json.encode, math.huge)
    expect.raises("DataError", "function", json.encode, {f = print})
    expect.raises("DataError", "UTF-8", json.encode, "\xff")
    expect.raises("DataError", "key", json.encode, {[true] = 1})
    expect.raises("DataError", "JSON", json.decode, "{")
  end)

  it("knows its marks after it is loaded again", function()
    local before = package.loaded["argent.json"]
    package.loaded["argent.json"] = nil
    local again = require "argent.json"
    package.loaded["argent.json"] = before
    assert.are_not.equal(before, again)
    assert.equal(before.NULL, again.NULL)
    assert.equal("[null,[]]", before.encode(again.json_array{again.NULL, again.json_array{}}))
    assert.equal("SELECT 'null' AS anon_1", ag.select(ag.literal(again.NULL, ag.JSON)):compile{dialect = "sqlite", literal_binds = true}.string)
  end)
end)
