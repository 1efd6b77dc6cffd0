-- Written by generate.py from cases/documented.txt; the reference is SQLAlchemy 2.1.0b4. Do not edit.
local ag, t = ...
local func, pg, sq = ag.func, ag.postgresql, ag.sqlite
local users, addresses, orders, items, nodes = t.users, t.addresses, t.orders, t.items, t.nodes
local mixed, remote, arr, kv, own, wrapped = t.mixed, t.remote, t.arr, t.kv, t.own, t.wrapped
local u, a, o, it, n = users.c, addresses.c, orders.c, items.c, nodes.c
local _ = {func, pg, sq, mixed, remote, arr, kv, own, wrapped, u, a, o, it, n}
return {
  {[[a field of extract in capitals]], function() return ag.select(ag.extract("YEAR", u.birthday), ag.extract("Month", u.birthday)):where(ag.extract("DAY", u.birthday):eq(3)) end,
    sqlite = [[SELECT CAST(STRFTIME('%Y', users.birthday) AS INTEGER) AS anon_1, CAST(STRFTIME('%m', users.birthday) AS INTEGER) AS anon_2 FROM users WHERE CAST(STRFTIME('%d', users.birthday) AS INTEGER) = ?]],
    postgresql = [[SELECT EXTRACT(YEAR FROM users.birthday) AS anon_1, EXTRACT(Month FROM users.birthday) AS anon_2 FROM users WHERE EXTRACT(DAY FROM users.birthday) = ?]]},
  {[[brackets asked for around a sum]], function() return ag.select((u.age + u.id):self_group():op("||")(u.name), u.age:self_group():op("||")("x")) end,
    sqlite = [[SELECT (users.age + users.id) || users.name AS anon_1, users.age || ? AS anon_2 FROM users]],
    postgresql = [[SELECT (users.age + users.id) || users.name AS anon_1, users.age || ? AS anon_2 FROM users]]},
  {[[brackets asked for around a coerced sum]], function() return ag.select(ag.type_coerce(u.age + 5, ag.String):self_group() + u.name) end,
    sqlite = [[SELECT (users.age + ?) || users.name AS anon_1 FROM users]],
    postgresql = [[SELECT (users.age + ?) || users.name AS anon_1 FROM users]]},
  {[[brackets asked for around conditions]], function() return ag.select(u.id):where(ag.or_(u.age:gt(5), u.id:lt(3)):self_group(), ~ag.and_(u.age:gt(1), u.id:lt(2)):self_group()) end,
    sqlite = [[SELECT users.id FROM users WHERE (users.age > ? OR users.id < ?) AND NOT (users.age > ? AND users.id < ?)]],
    postgresql = [[SELECT users.id FROM users WHERE (users.age > ? OR users.id < ?) AND NOT (users.age > ? AND users.id < ?)]]},
  {[[brackets asked for around a not and a like]], function() return ag.select((~u.active):self_group(), u.name:like("a%"):self_group(), (-u.age):self_group() + 1, u.age:between(1, 2):self_group()):where(u.active:is_(true):self_group()) end,
    sqlite = [[SELECT users.active = 0 AS active, (users.name LIKE ?) AS anon_1, (-users.age) + ? AS anon_2, (users.age BETWEEN ? AND ?) AS anon_3 FROM users WHERE (users.active IS 1)]],
    postgresql = [[SELECT NOT users.active, (users.name LIKE ?) AS anon_1, (-users.age) + ? AS anon_2, (users.age BETWEEN ? AND ?) AS anon_3 FROM users WHERE (users.active IS true)]]},
  {[[DISTINCT ON as an extension]], function() return ag.select(u.id):ext(ag.postgresql.distinct_on(u.name, u.age)):order_by(u.name) end,
    sqlite = false,
    postgresql = [[SELECT DISTINCT ON (users.name, users.age) users.id FROM users ORDER BY users.name]]},
  {[[a frame from its keywords]], function() return ag.select(ag.func.sum(u.age):over{order_by = u.created, range = ag.FrameClause{start = ag.interval{days = 7}, start_frame_type = ag.FrameClauseType.PRECEDING, end_frame_type = ag.FrameClauseType.CURRENT}}) end,
    postgresql = [[SELECT sum(users.age) OVER (ORDER BY users.created RANGE BETWEEN ? PRECEDING AND CURRENT ROW) AS anon_1 FROM users]]},
  {[[powers]], function() return ag.select(u.age ^ 2, 2 ^ u.age, -u.age ^ 2, u.age * u.id ^ 2, u.score ^ u.id ^ 2, (u.age ^ 2):label("q"), (u.age ^ 2):gt(5), ag.func.pow(u.age, 2) + 1) end,
    sqlite = [[SELECT pow(users.age, ?) AS pow_1, pow(?, users.age) AS pow_3, -pow(users.age, ?) AS anon_1, users.age * pow(users.id, ?) AS anon_2, pow(users.score, pow(users.id, ?)) AS pow_7, pow(users.age, ?) AS q, pow(users.age, ?) > ? AS anon_3, pow(users.age, ?) + ? AS anon_4 FROM users]],
    postgresql = [[SELECT power(users.age, ?) AS pow_1, power(?, users.age) AS pow_3, -power(users.age, ?) AS anon_1, users.age * power(users.id, ?) AS anon_2, power(users.score, power(users.id, ?)) AS pow_7, power(users.age, ?) AS q, power(users.age, ?) > ? AS anon_3, power(users.age, ?) + ? AS anon_4 FROM users]]},
  {[[a power, its type]], function() return u.balance ^ 2 + 1 end,
    type = [[Numeric(10, 2)]],
    sqlite = [[SELECT pow(users.balance, ?) + ? AS anon_1 FROM users]],
    postgresql = [[SELECT power(users.balance, ?) + ? AS anon_1 FROM users]]},
}
