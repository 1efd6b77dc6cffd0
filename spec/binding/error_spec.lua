local ag = require "argent"
local expect = require "spec.support.expect"

describe("ag.exc", function()
  it("has SQLAlchemy's classes with their inheritance", function()
    local chain = {"IntegrityError", "DatabaseError", "DBAPIError", "StatementError", "Error"}
    local e = ag.exc.IntegrityError("x")
    for _, name in ipairs(chain) do assert.is_true(e:is(ag.exc[name])) end
    assert.is_true(e:is(ag.exc.SQLAlchemyError))
    for _, name in ipairs{"OperationalError", "TimeoutError", "ArgumentError"} do assert.is_false(e:is(ag.exc[name])) end
    assert.equal("IntegrityError", e.name)
    assert.equal(ag.exc.IntegrityError, e.class)
    assert.equal(ag.exc.DatabaseError, ag.exc.IntegrityError.parent)
    for _, name in ipairs{"NoResultFound", "StaleDataError", "DetachedInstanceError", "FlushError", "NoReferencedTableError",
      "CompileError", "DisconnectionError", "PendingRollbackError", "InvalidRequestError", "NoSuchModuleError"} do
      assert.equal(name, ag.exc[name].name)
    end
  end)

  it("raises for a misspelt class, and is(nil) raises", function()
    expect.raises("ArgumentError", {"'IntegritiError'", "did you mean 'IntegrityError'"}, function() return ag.exc.IntegritiError end)
    local e = ag.exc.Error("x")
    expect.raises("ArgumentError", {"error:is", "nil"}, function() return e:is(nil) end)
    expect.raises("ArgumentError", "a table", function() return e:is({}) end)
  end)

  it("classes make errors to raise", function()
    local ok, e = pcall(error, ag.exc.DataError{message = "bad", column = "age"})
    assert.is_false(ok)
    assert.equal("age", e.column)
    assert.equal("DataError: bad", tostring(e))
    assert.equal("argent.exc.DataError", tostring(ag.exc.DataError))
    assert.has_error(function() ag.exc.DataError(5) end)
    assert.is_true(ag.exc.is_error(e))
    assert.is_false(ag.exc.is_error("text"))
    assert.is_false(ag.exc.is_error({message = "x"}))
  end)
end)

describe("ag.try", function()
  it("gives values or nil and the error, whatever it is", function()
    assert.same({1, nil, 3, n = 3}, table.pack(ag.try(function(...) return ... end, 1, nil, 3)))
    local v, e = ag.try(error, "text")
    assert.is_nil(v)
    assert.equal("text", e)
    v, e = ag.try(ag.make_url, 5)
    assert.is_nil(v)
    assert.is_true(e:is(ag.exc.ArgumentError))
  end)
end)

describe("argument errors", function()
  it("name function, position and what was given", function()
    local e = expect.raises("ArgumentError", "bad argument #1 to ag.make_url: expected a URL or its text, got number 5", ag.make_url, 5)
    assert.equal(1, e.argument)
    assert.equal("ag.make_url", e.func)
  end)

  it("say the line of the program", function()
    local ok, e = pcall(function() return ag.make_url(5) end)
    assert.is_false(ok)
    assert.truthy(e.where:find("error_spec.lua:%d+$"))
    assert.truthy(tostring(e):find("^[^\n]*error_spec.lua:%d+: ArgumentError: "))
  end)
end)

describe("the argent table", function()
  it("hints at the nearest name and cannot be changed", function()
    expect.raises("ArgumentError", {"'create_engin'", "did you mean 'create_engine'"}, function() return ag.create_engin end)
    expect.raises("ArgumentError", "cannot be changed", function() ag.x = 1 end)
    expect.raises("ArgumentError", nil, function() return ag[5] end)
    expect.raises("ArgumentError", nil, function() return ag.debug_alloc_fail end)
  end)
end)
