-- Written by generate.py from cases/sqlite.txt; the reference is SQLAlchemy 2.1.0b4. Do not edit.
local ag, t = ...
local func, pg, sq = ag.func, ag.postgresql, ag.sqlite
local users, addresses, orders, items, nodes = t.users, t.addresses, t.orders, t.items, t.nodes
local mixed, remote, arr, kv, own, wrapped = t.mixed, t.remote, t.arr, t.kv, t.own, t.wrapped
local u, a, o, it, n = users.c, addresses.c, orders.c, items.c, nodes.c
local _ = {func, pg, sq, mixed, remote, arr, kv, own, wrapped, u, a, o, it, n}
return {
  {[[cast date]], function() return ag.select(ag.cast(u.name, ag.Date)) end,
    sqlite = [[SELECT CAST(users.name AS DATE) AS name FROM users]]},
  {[[json in where]], function() return ag.select(u.id):where(u.data:at("a"):at("b"):as_string():eq("x")) end,
    sqlite = [[SELECT users.id FROM users WHERE CAST(JSON_EXTRACT(JSON_QUOTE(JSON_EXTRACT(users.data, ?)), ?) AS VARCHAR) = ?]]},
  {[[glob]], function() return ag.select(u.id):where(u.name:op("GLOB")("a*")) end,
    sqlite = [[SELECT users.id FROM users WHERE users.name GLOB ?]]},
  {[[date function]], function() return ag.select(func.date(u.created), func.strftime("%Y", u.created)) end,
    sqlite = [[SELECT date(users.created) AS date_1, strftime(?, users.created) AS strftime_1 FROM users]]},
  {[[group_concat]], function() return ag.select(func.group_concat(u.name, "-")) end,
    sqlite = [[SELECT group_concat(users.name, ?) AS group_concat_1 FROM users]]},
  {[[extract day of week]], function() return ag.select(ag.extract("dow", u.created), ag.extract("epoch", u.created)) end,
    sqlite = [[SELECT CAST(STRFTIME('%w', users.created) AS INTEGER) AS anon_1, CAST(STRFTIME('%s', users.created) AS INTEGER) AS anon_2 FROM users]]},
  {[[total changes rowid]], function() return ag.select(ag.literal_column("rowid")):select_from(users) end,
    sqlite = [[SELECT rowid FROM users]]},
}
