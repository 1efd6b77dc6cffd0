-- What INSERT, UPDATE and DELETE give back, situation by situation as SQLAlchemy's own tests have them: {name, function(connection), its
-- outcome}, or {name, function, raises = class}; `postgresql` is another outcome there (false: not asked, a class's name: raised).
local ag = require "argent"

local m = ag.MetaData()
local C, T = ag.Column, ag.Table
local t1 = T("t1", m, {C("id", ag.Integer, {primary_key = true}), C("foo", ag.String(30))})
local t2 = T("t2", m, {C("id", ag.Integer, {primary_key = true}), C("foo", ag.String(30)), C("bar", ag.String(30), {server_default = "hi"})})
local t3 = T("t3", m, {C("id", ag.String(40), {primary_key = true}), C("foo", ag.String(30), {primary_key = true}), C("bar", ag.String(30))})
local t4 = T("t4", m, {
  C("id", ag.Integer, {primary_key = true}),
  C("foo", ag.String(30), {primary_key = true}),
  C("bar", ag.String(30), {server_default = "hi"})})
local t5 = T("t5", m, {C("id", ag.String(10), {primary_key = true}), C("bar", ag.String(30), {server_default = "hi"})})
local t6 = T("t6", m, {C("mid", ag.Integer, {primary_key = true}), C("foo", ag.Integer, {primary_key = true})})
local made = 0
local dt = T("dt", m, {
  C("id", ag.Integer, {primary_key = true}),
  C("c1", ag.Integer, {default = 3}),
  C("c2", ag.String(20), {default = function()
    made = made + 1
    return "fn" .. made
  end}),
  C("c3", ag.Integer, {default = ag.func.length("abcdef")}),
  C("c4", ag.Integer, {server_default = ag.text "7"}),
  C("c5", ag.String(20), {onupdate = function() return "upd" end}),
  C("c6", ag.Integer, {onupdate = ag.func.length("abc")}),
  C("c7", ag.Integer, {default = function(ctx) return (ctx.current_parameters.c1 or 0) * 10 end})})
local intpk = T("intpk", m, {
  C("id", ag.Integer, {primary_key = true, default = ag.select(ag.func.coalesce(ag.func.max(t1.c.id), 0) + 12)}),
  C("d", ag.String(10))})
local fnpk = T("fnpk", m, {C("id", ag.String(20), {primary_key = true, default = ag.func.lower("ABC")}), C("d", ag.String(10))})
local nopk = T("nopk", m, {C("q", ag.Integer), C("w", ag.String(5))})
local keyed = T("keyed", m, {C("kid", ag.Integer, {primary_key = true, key = "id"}), C("kname", ag.String(9), {key = "name"})})
local uq = T("uq", m, {
  C("id", ag.Integer, {primary_key = true}),
  C("email", ag.String(50), {unique = true}),
  C("name", ag.String(20)),
  C("n", ag.Integer, {onupdate = 9})})


--- One row inserted: its key, and the row that the key finds.
local function ipk(tbl, values)
  return function(c)
    local r = c:execute(tbl:insert(), values)
    local key, crit = r.inserted_primary_key, {}
    for i, col in ipairs(tbl.primary_key.columns) do crit[i] = col:eq(key[i]) end
    return {pk = key, row = c:execute(ag.select(tbl):where(table.unpack(crit))):first(), rowcount = r.rowcount, ret = r.returns_rows,
      isins = r.is_insert}
  end
end

local SITUATIONS = {
  {"inserted_primary_key: unsupported autoinc", ipk(t1, {foo = "hi"}),
    [[{isins=true,pk=row(id=1),ret=false,row=row(foo="hi",id=1),rowcount=1}]]},
  {"inserted_primary_key: given id", ipk(t1, {id = 50, foo = "hi"}),
    [[{isins=true,pk=row(id=50),ret=false,row=row(foo="hi",id=50),rowcount=1}]]},
  {"inserted_primary_key: t2 server default", ipk(t2, {foo = "hi"}),
    [[{isins=true,pk=row(id=1),ret=false,row=row(bar="hi",foo="hi",id=1),rowcount=1}]]},
  {"inserted_primary_key: t3 composite strings", ipk(t3, {id = "hi", foo = "second", bar = "third"}),
    [[{isins=true,pk=row(foo="second",id="hi"),ret=false,row=row(bar="third",foo="second",id="hi"),rowcount=1}]]},
  {"inserted_primary_key: t4 composite", ipk(t4, {id = 1, foo = "hi", bar = "there"}),
    [[{isins=true,pk=row(foo="hi",id=1),ret=false,row=row(bar="there",foo="hi",id=1),rowcount=1}]]},
  {"inserted_primary_key: t4 again", ipk(t4, {id = 2, foo = "hi"}),
    [[{isins=true,pk=row(foo="hi",id=2),ret=false,row=row(bar="hi",foo="hi",id=2),rowcount=1}]]},
  {"inserted_primary_key: t5", ipk(t5, {id = "id1"}),
    [[{isins=true,pk=row(id="id1"),ret=false,row=row(bar="hi",id="id1"),rowcount=1}]]},
  {"inserted_primary_key: t6", ipk(t6, {mid = 3, foo = 4}),
    [[{isins=true,pk=row(foo=4,mid=3),ret=false,row=row(foo=4,mid=3),rowcount=1}]]},
  {"inserted_primary_key: zero", ipk(t1, {id = 0, foo = "z"}),
    [[{isins=true,pk=row(id=0),ret=false,row=row(foo="z",id=0),rowcount=1}]]},
  {"inserted_primary_key: null key", function(c)
    local r = c:execute(t1:insert():values{id = ag.null, foo = "n"})
    return r.inserted_primary_key
  end,
    [[row(id=1)]], postgresql = "IntegrityError"},
  {"inserted_primary_key: null key param", function(c)
    local r = c:execute(t1:insert(), {id = ag.null, foo = "n"})
    return r.inserted_primary_key
  end,
    [[row(id=1)]], postgresql = "IntegrityError"},
  {"inserted_primary_key: select default", function(c)
    local r = c:execute(intpk:insert(), {d = "x"})
    return {r.inserted_primary_key, c:execute(ag.select(intpk)):all()}
  end,
    [[{row(id=12),{row(d="x",id=12)}}]]},
  {"inserted_primary_key: sql fn default str", function(c)
    local r = c:execute(fnpk:insert(), {d = "x"})
    return {r.inserted_primary_key, c:execute(ag.select(fnpk)):all()}
  end,
    [[{row(id="abc"),{row(d="x",id="abc")}}]]},
  {"inserted_primary_key: expr", function(c)
    local r = c:execute(t1:insert():values{id = ag.func.length("one"), foo = "data"})
    return r.inserted_primary_key
  end,
    [[row(id=3)]]},
  {"inserted_primary_key: inline", function(c)
    local r = c:execute(t1:insert():inline():values{id = ag.func.length("one"), foo = "data"})
    return {r.inserted_primary_key, c:execute(ag.select(t1)):all()}
  end,
    [[{row(),{row(foo="data",id=3)}}]]},
  {"inserted_primary_key: returning", function(c)
    local r = c:execute(t1:insert():values{foo = "data"}:returning(t1.c.foo))
    return r.inserted_primary_key
  end,
    raises = "InvalidRequestError"},
  {"inserted_primary_key: from select", function(c)
    local r = c:execute(t1:insert():from_select({"foo"}, ag.select(t2.c.foo)))
    return r.inserted_primary_key
  end,
    [[row()]]},
  {"inserted_primary_key: many", function(c)
    local r = c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return r.inserted_primary_key
  end,
    raises = "InvalidRequestError"},
  {"ipk_rows many", function(c)
    local r = c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return r.inserted_primary_key_rows
  end,
    [[{row(id=1),row(id=2)}]]},
  {"ipk_rows single", function(c)
    local r = c:execute(t1:insert(), {foo = "a"})
    return r.inserted_primary_key_rows
  end,
    [[{row(id=1)}]]},
  {"inserted_primary_key: on select", function(c)
    return c:execute(ag.select(t1)).inserted_primary_key
  end,
    raises = "InvalidRequestError"},
  {"inserted_primary_key: on update", function(c)
    return c:execute(t1:update():values{foo = "x"}).inserted_primary_key
  end,
    raises = "InvalidRequestError"},
  {"inserted_primary_key: on text", function(c)
    return c:execute(ag.text "insert into t1 (foo) values ('x')").inserted_primary_key
  end,
    raises = "InvalidRequestError"},
  {"inserted_primary_key: multi values", function(c)
    return c:execute(t1:insert():values{{foo = "a"}, {foo = "b"}}).inserted_primary_key
  end,
    [[row()]]},
  {"inserted_primary_key: multi values rows", function(c)
    return c:execute(t1:insert():values{{foo = "a"}, {foo = "b"}}).inserted_primary_key_rows
  end,
    [[{}]]},
  {"inserted_primary_key: nopk", function(c)
    return c:execute(nopk:insert():values{q = 1}).inserted_primary_key
  end,
    [[nil]]},
  {"inserted_primary_key: keyed", function(c)
    return c:execute(keyed:insert():values{name = "a"}).inserted_primary_key
  end,
    [[row(id=1)]]},
  {"lastrowid", function(c)
    return c:execute(t1:insert():values{foo = "a"}).lastrowid
  end,
    [[1]], postgresql = false},
  {"defaults insert", function(c)
    c:execute(dt:insert())
    return c:execute(ag.select(dt)):first()
  end,
    [[row(c1=3,c2="fn1",c3=6,c4=7,c7=30,id=1)]]},
  {"defaults insert explicit null", function(c)
    c:execute(dt:insert(), {c1 = ag.null, c2 = ag.null, c3 = ag.null, c4 = ag.null})
    return c:execute(ag.select(dt)):first()
  end,
    [[row(c7=0,id=1)]]},
  {"defaults many", function(c)
    c:execute(dt:insert(), {{c1 = 1}, {c1 = 2}, {c1 = 3}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=1,c2="fn1",c3=6,c4=7,c7=10,id=1),row(c1=2,c2="fn2",c3=6,c4=7,c7=20,id=2),row(c1=3,c2="fn3",c3=6,c4=7,c7=30,id=3)}]]},
  {"defaults empty many", function(c)
    c:execute(dt:insert(), {{}, {}, {}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=3,c2="fn1",c3=6,c4=7,c7=30,id=1),row(c1=3,c2="fn2",c3=6,c4=7,c7=30,id=2),row(c1=3,c2="fn3",c3=6,c4=7,c7=30,id=3)}]]},
  {"defaults several rows of values", function(c)
    c:execute(dt:insert():values{{c1 = 1}, {c1 = 2}, {c1 = 3}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=1,c2="fn1",c3=6,c4=7,c7=10,id=1),row(c1=2,c2="fn2",c3=6,c4=7,c7=20,id=2),row(c1=3,c2="fn3",c3=6,c4=7,c7=30,id=3)}]]},
  {"defaults several rows of values partial", function(c)
    c:execute(dt:insert():values{{c1 = 1, c2 = "a", c3 = 1}, {c1 = 2}, {c1 = 3, c2 = "z"}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=1,c2="a",c3=1,c4=7,c7=10,id=1),row(c1=2,c2="fn1",c3=6,c4=7,c7=20,id=2),row(c1=3,c2="z",c3=6,c4=7,c7=30,id=3)}]]},
  {"missing many", function(c)
    c:execute(dt:insert(), {{c1 = 1, c4 = 5}, {c1 = 2}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=1,c2="fn1",c3=6,c4=5,c7=10,id=1),row(c1=2,c2="fn2",c3=6,c4=7,c7=20,id=2)}]]},
  {"extra many", function(c)
    c:execute(dt:insert(), {{c1 = 1}, {c1 = 2, c4 = 9}})
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=1,c2="fn1",c3=6,c4=7,c7=10,id=1),row(c1=2,c2="fn2",c3=6,c4=9,c7=20,id=2)}]]},
  {"from_select defaults", function(c)
    c:execute(t1:insert(), {{foo = "p"}, {foo = "q"}})
    c:execute(dt:insert():from_select({"c5"}, ag.select(t1.c.foo):order_by(t1.c.id)))
    return c:execute(ag.select(dt):order_by(dt.c.id)):all()
  end,
    [[{row(c1=3,c2="fn1",c3=6,c4=7,c5="p",c7=30,id=1),row(c1=3,c2="fn1",c3=6,c4=7,c5="q",c7=30,id=2)}]]},
  {"update onupdate", function(c)
    c:execute(dt:insert())
    local r = c:execute(dt:update():values{c1 = 5})
    return {r.rowcount, c:execute(ag.select(dt)):first()}
  end,
    [[{1,row(c1=5,c2="fn1",c3=6,c4=7,c5="upd",c6=3,c7=30,id=1)}]]},
  {"update many", function(c)
    c:execute(dt:insert(), {{id = 1}, {id = 2}})
    local r = c:execute(dt:update():where(dt.c.id:eq(ag.bindparam"pk")), {{pk = 1, c1 = 5}, {pk = 2, c1 = 6}})
    return {r.rowcount, c:execute(ag.select(dt.c.c1, dt.c.c5, dt.c.c6):order_by(dt.c.id)):all()}
  end,
    [[{2,{row(c1=5,c5="upd",c6=3),row(c1=6,c5="upd",c6=3)}}]]},
  {"update only onupdate", function(c)
    c:execute(dt:insert())
    local r = c:execute(dt:update():values{})
    return {r.rowcount, c:execute(ag.select(dt.c.c5, dt.c.c6)):first()}
  end,
    [[{1,row(c5="upd",c6=3)}]]},
  {"update bind like column", function(c)
    return c:execute(t1:update():where(t1.c.id:eq(ag.bindparam"id")), {id = 1, foo = "x"}).rowcount
  end,
    raises = "CompileError"},
  {"update bind like column values", function(c)
    return c:execute(t1:update():where(t1.c.foo:eq(ag.bindparam"foo")):values{foo = "x"}, {foo = "y"}).rowcount
  end,
    raises = "CompileError"},
  {"insert bind same as column", function(c)
    c:execute(t1:insert():values{foo = ag.bindparam"id"}, {id = 5})
    return c:execute(ag.select(t1)):all()
  end,
    raises = "CompileError"},
  {"insert values + params", function(c)
    c:execute(t1:insert():values{foo = "a"}, {id = 77})
    return c:execute(ag.select(t1)):all()
  end,
    [[{row(foo="a",id=77)}]]},
  {"insert unknown param", function(c)
    c:execute(t1:insert(), {fo = "b"})
  end,
    raises = "CompileError"},
  {"update unknown param", function(c)
    c:execute(t1:update(), {fo = "b"})
  end,
    raises = "CompileError"},
  {"update rowcount none", function(c)
    return c:execute(t1:update():where(t1.c.id:eq(-1)):values{foo = "q"}).rowcount
  end,
    [[0]]},
  {"delete rowcount", function(c)
    c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return c:execute(t1:delete()).rowcount
  end,
    [[2]]},
  {"delete many rowcount", function(c)
    c:execute(t1:insert(), {{id = 1, foo = "a"}, {id = 2, foo = "b"}})
    return c:execute(t1:delete():where(t1.c.id:eq(ag.bindparam"x")), {{x = 1}, {x = 2}, {x = 3}}).rowcount
  end,
    [[2]]},
  {"select rowcount", function(c)
    c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return c:execute(ag.select(t1)).rowcount
  end,
    [[2]]},
  {"select rowcount preserved", function(c)
    c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return c:execute(ag.select(t1), nil, {execution_options = {preserve_rowcount = true}}).rowcount
  end,
    [[2]]},
  {"insert rowcount", function(c)
    return c:execute(t1:insert(), {foo = "a"}).rowcount
  end,
    [[1]]},
  {"insert many rowcount", function(c)
    return c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}}).rowcount
  end,
    [[2]]},
  {"insert returning rowcount", function(c)
    return c:execute(t1:insert():returning(t1.c.id), {{foo = "a"}, {foo = "b"}}).rowcount
  end,
    [[2]]},
  {"update returning rowcount", function(c)
    c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return c:execute(t1:update():values{foo = "z"}:returning(t1.c.id)).rowcount
  end,
    [[2]]},
  {"text rowcount", function(c)
    c:execute(t1:insert(), {{foo = "a"}, {foo = "b"}})
    return c:execute(ag.text"update t1 set foo='r'").rowcount
  end,
    [[2]]},
  {"returning: insert cols", function(c)
    return c:execute(t1:insert():values{id = 1, foo = "a"}:returning(t1.c.foo, t1.c.id)):all()
  end,
    [[{row(foo="a",id=1)}]]},
  {"returning: insert table", function(c)
    return c:execute(t2:insert():values{id = 1, foo = "a"}:returning(t2)):all()
  end,
    [[{row(bar="hi",foo="a",id=1)}]]},
  {"returning: expr label", function(c)
    return c:execute(t1:insert():values{id = 1, foo = "a"}:returning((t1.c.foo .. "x"):label("lbl"))):first().lbl
  end,
    [["ax"]]},
  {"returning: anon expr keys", function(c)
    return c:execute(t1:insert():values{id = 1, foo = "a"}:returning(ag.func.lower(t1.c.foo), t1.c.id + 2, ag.literal(5))):keys()
  end,
    [[{"lower_1","anon_1","anon_2"}]]},
  {"returning: column targeting", function(c)
    local r = c:execute(t1:insert():values{id = 1, foo = "a"}:returning(t1.c.id, t1.c.foo)):first()
    return {r[t1.c.id], r[t1.c.foo]}
  end,
    [[{1,"a"}]]},
  {"returning: many sorted", function(c)
    return c:execute(t1:insert():returning(t1.c.id, t1.c.foo, {sort_by_parameter_order = true}), {{foo = "a"}, {foo = "b"}, {foo = "c"}}):all()
  end,
    [[{row(foo="a",id=1),row(foo="b",id=2),row(foo="c",id=3)}]]},
  {"returning: several rows of values", function(c)
    return c:execute(t1:insert():values{{id = 1, foo = "a"}, {id = 2, foo = "b"}}:returning(t1.c.id, t1.c.foo)):all()
  end,
    [[{row(foo="a",id=1),row(foo="b",id=2)}]]},
  {"returning: update", function(c)
    c:execute(t1:insert(), {{id = 1, foo = "a"}, {id = 2, foo = "b"}})
    return c:execute(t1:update():where(t1.c.id:gt(1)):values{foo = "u"}:returning(t1.c.id, t1.c.foo)):all()
  end,
    [[{row(foo="u",id=2)}]]},
  {"returning: update expr", function(c)
    c:execute(t1:insert(), {{id = 1, foo = "a"}})
    return c:execute(t1:update():values{foo = "u"}:returning(t1.c.foo .. "!")):scalar()
  end,
    [["u!"]]},
  {"returning: delete", function(c)
    c:execute(t1:insert(), {{id = 1, foo = "a"}, {id = 2, foo = "b"}})
    return {c:execute(t1:delete():where(t1.c.id:eq(1)):returning(t1.c.id, t1.c.foo)):all(), c:execute(ag.select(t1)):all()}
  end,
    [[{{row(foo="a",id=1)},{row(foo="b",id=2)}}]]},
  {"returning: scalars", function(c)
    return c:scalars(t1:insert():returning(t1.c.id, {sort_by_parameter_order = true}), {{foo = "a"}, {foo = "b"}}):all()
  end,
    [[{1,2}]]},
  {"returning: scalar", function(c)
    return c:scalar(t1:insert():values{id = 7}:returning(t1.c.id))
  end,
    [[7]]},
  {"returning: from select", function(c)
    c:execute(t1:insert(), {{id = 1, foo = "a"}})
    return c:execute(t2:insert():from_select({"foo"}, ag.select(t1.c.foo)):returning(t2.c.foo, t2.c.bar)):all()
  end,
    [[{row(bar="hi",foo="a")}]]},
  {"returning: twice", function(c)
    return c:execute(t1:insert():values{id = 1, foo = "a"}:returning(t1.c.id):returning(t1.c.foo)):all()
  end,
    [[{row(foo="a",id=1)}]]},
  {"returning: unconsumed then next", function(c)
    c:execute(t1:insert():values{id = 1, foo = "a"}:returning(t1.c.id))
    return c:execute(ag.select(t1)):all()
  end,
    [[{row(foo="a",id=1)}]]},
  {"returning: many defaults", function(c)
    return c:execute(dt:insert():returning(dt.c.c1, dt.c.c3, dt.c.c4, dt.c.c7, {sort_by_parameter_order = true}), {{c1 = 4}, {c1 = 5}}):all()
  end,
    [[{row(c1=4,c3=6,c4=7,c7=40),row(c1=5,c3=6,c4=7,c7=50)}]]},
  {"return_defaults: insert", function(c)
    local r = c:execute(dt:insert():values{c1 = 1}:return_defaults(dt.c.c4))
    return r.returned_defaults
  end,
    [[row(c4=7,id=1)]]},
  {"return_defaults: insert all", function(c)
    local r = c:execute(t2:insert():values{foo = "x"}:return_defaults())
    return {r.returned_defaults, r.inserted_primary_key}
  end,
    [[{row(bar="hi",id=1),row(id=1)}]]},
  {"return_defaults: insert sql", function(c)
    local r = c:execute(t2:insert():values{foo = ag.func.lower("ABC")}:return_defaults(t2.c.foo))
    return r.returned_defaults
  end,
    [[row(foo="abc",id=1)]]},
  {"return_defaults: update", function(c)
    c:execute(dt:insert():values{c1 = 1})
    local r = c:execute(dt:update():values{c1 = 2}:return_defaults(dt.c.c6))
    return {r.returned_defaults}
  end,
    [[{row(c6=3)}]]},
  {"return_defaults: update sql", function(c)
    c:execute(dt:insert():values{c1 = 1})
    local r = c:execute(dt:update():values{c1 = dt.c.c1+5}:return_defaults(dt.c.c1))
    return {r.returned_defaults}
  end,
    [[{row(c1=6)}]]},
  {"return_defaults: many", function(c)
    local r = c:execute(t2:insert():return_defaults(t2.c.bar), {{foo = "x"}, {foo = "y"}})
    return {#r.returned_defaults_rows, r.returned_defaults_rows[1].bar, #r.inserted_primary_key_rows}
  end,
    [[{2,"hi",2}]]},
  {"return_defaults: twice of result", function(c)
    local r = c:execute(t2:insert():values{foo = "x"}:return_defaults(t2.c.bar))
    return {r.returned_defaults.bar, r.returned_defaults.bar}
  end,
    [[{"hi","hi"}]]},
  {"return_defaults: with returning", function()
    return t1:insert():return_defaults():returning(t1.c.id)
  end,
    raises = "InvalidRequestError"},
  {"returning with rdef", function(c)
    return c:execute(t1:insert():returning(t1.c.id):return_defaults())
  end,
    raises = "CompileError"},
  {"on conflict: nothing", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local r = c:execute(ag.insert(uq):values{id = 2, email = "a", name = "m"}:on_conflict_do_nothing())
    return {r.rowcount, c:execute(ag.select(uq)):all()}
  end,
    [[{0,{row(email="a",id=1,name="n")}}]]},
  {"on conflict: nothing ipk", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local r = c:execute(ag.insert(uq):values{id = 1, email = "a", name = "m"}:on_conflict_do_nothing())
    return r.inserted_primary_key
  end,
    [[row(id=1)]]},
  {"on conflict: nothing ipk auto", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local r = c:execute(ag.insert(uq):values{email = "a", name = "m"}:on_conflict_do_nothing())
    return r.inserted_primary_key
  end,
    [[row()]]},
  {"on conflict: nothing returning", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    return c:execute(ag.insert(uq):values{id = 1, email = "a"}:on_conflict_do_nothing():returning(uq.c.id)):all()
  end,
    [[{}]]},
  {"on conflict: update", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):values{id = 1, email = "b", name = "m"}
    local r = c:execute(i:on_conflict_do_update{index_elements = {uq.c.id}, set = {email = i.excluded.email}})
    return {r.rowcount, r.inserted_primary_key, c:execute(ag.select(uq)):all()}
  end,
    [[{1,row(id=1),{row(email="b",id=1,name="n")}}]]},
  {"on conflict: update by unique", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):values{id = 4, email = "a", name = "m"}
    local r = c:execute(i:on_conflict_do_update{index_elements = {"email"}, set = {name = i.excluded.name, id = i.excluded.id}}
      :returning(uq.c.id, uq.c.name))
    return r:all()
  end,
    [[{row(id=4,name="m")}]]},
  {"on conflict: update where false", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):values{id = 1, email = "b", name = "m"}
    c:execute(i:on_conflict_do_update{index_elements = {uq.c.id}, set = {email = i.excluded.email}, where = uq.c.name:eq("other")})
    return c:execute(ag.select(uq)):all()
  end,
    [[{row(email="a",id=1,name="n")}]]},
  {"on conflict: update many", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq)
    c:execute(i:on_conflict_do_update{index_elements = {uq.c.id}, set = {name = i.excluded.name}},
      {{id = 1, email = "x", name = "u1"}, {id = 2, email = "y", name = "u2"}})
    return c:execute(ag.select(uq):order_by(uq.c.id)):all()
  end,
    [[{row(email="a",id=1,name="u1"),row(email="y",id=2,name="u2")}]]},
  {"on conflict: update many returning", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq)
    return c:execute(i:on_conflict_do_update{index_elements = {uq.c.id}, set = {name = i.excluded.name}}
      :returning(uq.c.id, uq.c.name, {sort_by_parameter_order = true}),
      {{id = 2, email = "y", name = "u2"}, {id = 1, email = "x", name = "u1"}}):all()
  end,
    [[{row(id=2,name="u2"),row(id=1,name="u1")}]]},
  {"on conflict: bad set column", function()
    return ag.insert(uq):values{id = 1}:on_conflict_do_update{index_elements = {"id"}, set = {nope = 1}}
  end,
    raises = "CompileError"},
  {"on conflict: set whole excluded", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):values{id = 1, email = "b", name = "m"}
    c:execute(i:on_conflict_do_update{index_elements = {"id"}, set = i.excluded})
    return c:execute(ag.select(uq)):all()
  end,
    [[{row(email="b",id=1,name="m")}]]},
  {"on conflict: unknown index element", function()
    return ag.insert(uq):values{id = 1}:on_conflict_do_nothing{index_elements = {"nope"}}
  end,
    raises = "CompileError"},
  {"on conflict: multi values", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):values{{id = 1, email = "q", name = "r"}, {id = 3, email = "s", name = "t"}}
    c:execute(i:on_conflict_do_update{index_elements = {"id"}, set = {name = i.excluded.name}})
    return c:execute(ag.select(uq):order_by(uq.c.id)):all()
  end,
    [[{row(email="a",id=1,name="r"),row(email="s",id=3,name="t")}]]},
  {"on conflict: from select", function(c)
    c:execute(uq:insert(), {id = 1, email = "a", name = "n"})
    local i = ag.insert(uq):from_select({"id", "email"}, ag.select(uq.c.id, uq.c.email):where(ag.true_()))
    c:execute(i:on_conflict_do_update{index_elements = {"id"}, set = {name = "fs"}})
    return c:execute(ag.select(uq):order_by(uq.c.id)):all()
  end,
    [[{row(email="a",id=1,name="fs")}]]},
  {"error: integrity unique", function(c)
    c:execute(uq:insert(), {id = 1, email = "a"})
    c:execute(uq:insert(), {id = 2, email = "a"})
  end,
    raises = "IntegrityError"},
  {"error: many integrity", function(c)
    c:execute(uq:insert(), {{id = 1, email = "a"}, {id = 1, email = "b"}})
  end,
    raises = "IntegrityError"},
  {"error: text", function(c)
    c:execute(ag.text"select * from nowhere")
  end,
    raises = "ProgrammingError"},
  {"error: syntax", function(c)
    c:execute(ag.text"selec 1")
  end,
    raises = "ProgrammingError"},
  {"error: missing bind", function(c)
    c:execute(ag.select(t1):where(t1.c.id:eq(ag.bindparam"zz")))
  end,
    raises = "StatementError"},
  {"error: missing bind in many", function(c)
    c:execute(ag.text"insert into t1 (id, foo) values (:a, :b)", {{a = 1, b = "x"}, {a = 2}})
  end,
    raises = "StatementError"},
  {"error: empty list", function(c)
    c:execute(t1:insert(), {})
  end,
    raises = "ArgumentError"},
  {"error: not executable", function(c)
    c:execute(t1)
  end,
    raises = "ObjectNotExecutableError"},
  {"error: string", function(c)
    c:execute("select 1")
  end,
    raises = "ObjectNotExecutableError"},
  {"error: many select", function(c)
    return c:execute(ag.select(t1):where(t1.c.id:eq(ag.bindparam"x")), {{x = 1}, {x = 2}})
  end,
    raises = "InvalidRequestError"},
  {"error: no rows", function(c)
    c:execute(t1:insert(), {foo = "x"}):all()
  end,
    raises = "ResourceClosedError"},
  {"error: no rows first", function(c)
    c:execute(t1:insert(), {foo = "x"}):first()
  end,
    raises = "ResourceClosedError"},
  {"error: no rows keys", function(c)
    return c:execute(t1:insert(), {foo = "x"}):keys()
  end,
    raises = "ResourceClosedError"},
}
return {metadata = m, situations = SITUATIONS, reset = function() made = 0 end}
