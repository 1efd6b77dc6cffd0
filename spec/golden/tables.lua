-- The tables that the golden cases speak of; the same as in generate.py.
local ag = require "argent"
local pg = ag.postgresql
local m = ag.MetaData()
local C, T = ag.Column, ag.Table
local t = {metadata = m}

t.users = T("users", m, {
  C("id", ag.Integer, {primary_key = true}), C("name", ag.String(50)), C("fullname", ag.Text), C("age", ag.Integer),
  C("score", ag.Float), C("balance", ag.Numeric(10, 2)), C("active", ag.Boolean), C("created", ag.DateTime),
  C("birthday", ag.Date), C("data", ag.JSON), C("blob", ag.LargeBinary),
})
t.addresses = T("addresses", m, {
  C("id", ag.Integer, {primary_key = true}), C("user_id", ag.ForeignKey("users.id")),
  C("email", ag.String(100), {nullable = false}),
})
t.orders = T("orders", m, {
  C("id", ag.Integer, {primary_key = true}), C("user_id", ag.ForeignKey("users.id")),
  C("address_id", ag.ForeignKey("addresses.id")), C("total", ag.Numeric(10, 2)), C("note", ag.Text),
})
t.items = T("items", m, {
  C("id", ag.Integer, {primary_key = true}), C("order_id", ag.ForeignKey("orders.id")), C("label", ag.String),
  C("qty", ag.Integer),
})
t.nodes = T("nodes", m, {
  C("id", ag.Integer, {primary_key = true}), C("parent_id", ag.ForeignKey("nodes.id")), C("name", ag.String(30)),
})
t.mixed = T("Mixed", m, {
  C("Id", ag.Integer, {primary_key = true}), C("order", ag.Integer), C("select", ag.String), C("plain", ag.Integer),
})
t.remote = T("events", m, {C("id", ag.Integer, {primary_key = true}), C("kind", ag.String), schema = "audit"})
t.kv = T("kv", m, {
  C("k", ag.String, {primary_key = true}), C("v", ag.Integer, {default = 5}), C("w", ag.Integer, {server_default = "3"}),
  C("u", ag.Integer, {onupdate = 7}),
})
--- Types with SQL around their values and columns.
local Folded = ag.TypeDecorator{impl = ag.String(20), cache_ok = true,
  bind_expression = function(_, bind) return ag.func.lower(bind) end,
  column_expression = function(_, column) return ag.func.upper(column) end}
local Marked
Marked = ag.UserDefinedType{get_col_spec = "VARCHAR(20)", cache_ok = true,
  bind_expression = function(_, bind) return ag.func.trim(bind, {type = Marked}) end}
local Coded = ag.TypeDecorator{impl = ag.Integer, cache_ok = true, coerce_compared_value = function(self) return self end}
t.wrapped = T("wrapped", m, {C("id", ag.Integer, {primary_key = true}), C("f", Folded), C("k", Marked), C("n", Coded)})
-- PostgreSQL only, so in a catalog of its own.
t.postgresql_metadata = ag.MetaData()
t.arr = T("arr", t.postgresql_metadata, {
  C("id", ag.Integer, {primary_key = true}), C("tags", pg.ARRAY(ag.Text)), C("nums", pg.ARRAY(ag.Integer)),
  C("doc", pg.JSONB), C("span", pg.INT4RANGE),
})
t.own = T("own", t.postgresql_metadata, {
  C("id", ag.Integer, {primary_key = true}), C("r", pg.INT4RANGE), C("mr", pg.INT4MULTIRANGE), C("h", pg.HSTORE),
  C("b", pg.BIT(4)), C("doc", pg.JSONB), C("ip", pg.INET), C("ts", pg.TSVECTOR), C("ci", pg.CITEXT),
  C("iv", pg.INTERVAL), C("title", ag.Text), C("nums", pg.ARRAY(ag.Integer)), C("day", ag.Date),
})
--- A table t in a catalog of its own.
function t.T(body) return ag.Table("t", ag.MetaData(), body) end
--- Users anew, in a catalog of their own.
function t.U()
  return ag.Table("users", ag.MetaData(), {
    C("id", ag.Integer, {primary_key = true}), C("name", ag.String(50)), C("fullname", ag.Text), C("age", ag.Integer), C("score", ag.Float),
  })
end
return t
