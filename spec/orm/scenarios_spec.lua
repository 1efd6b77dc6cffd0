--- What a session does to objects and rows, step by step: 45 short programs whose output SQLAlchemy 2.1 gives as well. Where ours is another
--- on purpose, the program says so.
local ag = require "argent"
local db = require "spec.support.db"

local models = require "spec.support.scenario_models"
local Base, User, Note, Post = models.Base, models.User, models.Note, models.Post
local Tag, Node, Ver = models.Tag, models.Node, models.Ver
local sel, text = ag.select, ag.text -- shorter below

--- The state of an object.
local function st(object)
  for _, name in ipairs{"transient", "pending", "persistent", "deleted", "detached"} do
    if ag.inspect(object)[name] then return name end
  end
end

--- What f gives, or the class of its error.
local function t(f)
  local ok, e = pcall(f)
  if ok then return "ok " .. (e == nil and "None" or tostring(e)) end
  return "ERR " .. (tostring(e):match "%w+Error" or tostring(e):match "NoResultFound")
end

describe("a session", function()
  local engine, shown, rows
  before_each(function()
    engine, shown = db.engine(), {}
    Base.metadata:drop_all(engine)
    Base.metadata:create_all(engine)
  end)
  after_each(function()
    Base.metadata:drop_all(engine)
    engine:dispose()
  end)

  local function show(...)
    local list = table.pack(...)
    for i = 1, list.n do list[i] = tostring(list[i]) end
    shown[#shown + 1] = table.concat(list, " | ")
  end

  --- A program, and what it shows.
  local function scenario(name, program, expected)
    it(name, function()
      local session <close> = ag.Session(engine)
      function rows()
        local out, conn = {}, session:connection()
        for _, name_ in ipairs{"users", "notes", "posts", "tags", "pt", "nodes", "vers"} do
          for row in conn:exec_driver_sql("select * from " .. name_ .. " order by 1, 2"):rows() do
            local cells = {}
            for i = 1, #row do cells[i] = tostring(row[i]) end
            out[#out + 1] = name_ .. ":" .. table.concat(cells, ",")
          end
        end
        return table.concat(out, " ")
      end
      program(session)
      assert.same(expected, shown)
    end)
  end

    scenario("delete then re-add before flush", function(s)
      local u = User{name = "a"}
      s:add(u); s:commit(); s:delete(u); s:add(u)
      show(st(u))
      s:flush()
      show(st(u), rows())
    end, {
      "persistent",
      "persistent | users:1,a,7",
    })
    scenario("delete pending", function(s)
      local u = User{name = "a"}
      s:add(u)
      show(t(function() s:delete(u) end), st(u))
    end, {
      "ERR InvalidRequestError | pending",
    })
    scenario("delete transient", function(s)
      local u = User{name = "a"}
      show(t(function() s:delete(u) end))
    end, {
      "ERR InvalidRequestError",
    })
    scenario("get expired gone", function(s)
      local u = User{name = "a"}
      s:add(u); s:commit(); s:execute(text "delete from users")
      show(t(function() return s:get(User, 1) end))
      show(t(function() return u.name end))
    end, {
      "ok None",
      "ERR ObjectDeletedError",
    })
    scenario("rollback of add", function(s)
      local u = User{name = "a"}
      s:add(u); s:flush()
      show(st(u), u.id)
      s:rollback()
      show(st(u), u.id, u.name)
    end, {
      "persistent | 1",
      "transient | 1 | a",
    })
    scenario("rollback of delete", function(s)
      local u = User{name = "a"}
      s:add(u); s:commit(); s:delete(u); s:flush()
      show(st(u))
      s:rollback()
      show(st(u), u.name)
    end, {
      "deleted",
      "persistent | a",
    })
    scenario("commit of delete", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}}}
      s:add(u); s:commit()
      local p = u.posts[1]
      s:delete(u); s:commit()
      show(st(u), st(p), rows())
    end, {
      "detached | detached | ",
    })
    scenario("orphan by remove", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}, Post{title = "q"}}}
      s:add(u); s:commit()
      local p = u.posts[1]
      u.posts:remove(p)
      show(st(p), p.author == nil)
      s:flush()
      show(st(p), rows())
    end, {
      "persistent | true",
      "deleted | users:1,a,7 posts:2,1,q",
    })
    scenario("orphan moved to other parent", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}}}
      local v = User{name = "b"}
      s:add_all{u, v}; s:commit()
      local p = u.posts[1]
      v.posts:append(p)
      show(#u.posts, p.author == v)
      s:commit()
      show(st(p), rows())
    end, {
      "0 | true",
      "persistent | users:1,a,7 users:2,b,7 posts:1,2,p",
    })
    scenario("set parent attribute moves collections", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}}}
      local v = User{name = "b"}
      s:add_all{u, v}; s:flush()
      local p = u.posts[1]
      p.author = v
      show(#u.posts, #v.posts)
      s:commit()
      show(rows())
    end, {
      "0 | 1",
      "users:1,a,7 users:2,b,7 posts:1,2,p",
    })
    scenario("parent None is orphan", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}}}
      s:add(u); s:commit()
      local p = u.posts[1]
      p.author = nil
      s:commit()
      show(st(p), rows())
    end, {
      "detached | users:1,a,7",
    })
    scenario("note: delete parent nulls", function(s)
      local u = User{name = "a", notes = {Note{text = "n"}}}
      s:add(u); s:commit()
      local n = u.notes[1]
      s:delete(u); s:commit()
      show(st(n), n.user_id, rows())
    end, {
      "persistent | nil | notes:1,nil,n",
    })
    scenario("pending orphan", -- SQLAlchemy lets the object go at once
      function(s)
      local p = Post{title = "p"}
      local u = User{name = "a"}
      u.posts:append(p)
      s:add(u)
      u.posts:remove(p)
      show(st(p))
      s:flush()
      show(st(p), rows())
    end, {
      "pending",
      "transient | users:1,a,7",
    })
    scenario("orphan without parent added", function(s)
      local p = Post{title = "p"}
      s:add(p)
      show(t(function() s:flush() end), st(p), rows())
    end, {
      "ok None | persistent | posts:1,nil,p",
    })
    scenario("m2m add remove replace", function(s)
      local a, b, c = Tag{name = "a"}, Tag{name = "b"}, Tag{name = "c"}
      local u = User{name = "u"}
      local p = Post{title = "p", author = u, tags = {a, b}}
      s:add(p); s:commit()
      show(rows())
      p.tags:remove(a)
      p.tags:append(c)
      show(#a.posts, #c.posts)
      s:commit()
      show(rows())
      p.tags = {a}
      s:commit()
      local names = {}
      for i, tag in ipairs(p.tags) do names[i] = tag.name end
      show(rows(), table.concat(names, ", "))
      s:delete(a); s:commit()
      show(rows(), #p.tags)
    end, {
      "users:1,u,7 posts:1,1,p tags:1,a tags:2,b pt:1,1 pt:1,2",
      "0 | 1",
      "users:1,u,7 posts:1,1,p tags:1,a tags:2,b tags:3,c pt:1,2 pt:1,3",
      "users:1,u,7 posts:1,1,p tags:1,a tags:2,b tags:3,c pt:1,1 | a",
      "users:1,u,7 posts:1,1,p tags:2,b tags:3,c | 0",
    })
    scenario("self ref order", function(s)
      local r = Node{name = "r"}
      local c = Node{name = "c", parent = r}
      local g = Node{name = "g", parent = c}
      s:add(g); s:commit()
      show(rows())
      s:delete(r)
      show(t(function() s:commit() end))
      s:rollback()
      show(rows())
    end, {
      "nodes:1,nil,r nodes:2,1,c nodes:3,2,g",
      "ok None",
      "nodes:2,nil,c nodes:3,2,g",
    })
    scenario("unique swap", -- SQLAlchemy's INSERT comes first and fails
      function(s)
      local a, b = User{name = "a"}, User{name = "b"}
      s:add_all{a, b}; s:commit(); s:delete(a); s:add(User{name = "a", age = 1})
      show(t(function() s:commit() end))
      s:rollback()
      show(rows())
    end, {
      "ok None",
      "users:2,b,7 users:3,a,1",
    })
    scenario("same key delete insert", function(s)
      local a = User{id = 5, name = "a"}
      s:add(a); s:commit(); s:delete(a)
      local n = User{id = 5, name = "z"}
      s:add(n); s:commit()
      show(st(a), st(n), rows())
    end, {
      "detached | persistent | users:5,z,7",
    })
    scenario("two with one key", function(s)
      local a = User{id = 5, name = "a"}
      s:add(a); s:commit()
      local b = User{id = 5, name = "b"}
      s:add(b)
      show(t(function() s:flush() end))
      s:rollback()
      show(st(a), st(b))
    end, {
      "ERR IntegrityError",
      "persistent | transient",
    })
    scenario("expire loses change", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      a.name = "zz"
      s:expire(a)
      show(a.name, #s.dirty)
    end, {
      "a | 0",
    })
    scenario("refresh", function(s)
      local a = User{name = "a", age = 3}
      s:add(a); s:commit()
      local
      _ = a.name
      s:execute(text "update users set age=9")
      show(a.age)
      s:refresh(a)
      show(a.age)
      a.age = 50
      s:refresh(a, {"name"})
      show(a.age)
    end, {
      "3",
      "9",
      "50",
    })
    scenario("expunge cascade", function(s)
      local u = User{name = "a", posts = {Post{title = "p"}}}
      s:add(u); s:commit()
      local p = u.posts[1]
      s:expunge(u)
      show(st(u), st(p))
    end, {
      "detached | detached",
    })
    scenario("add cascades backrefs", function(s)
      local u = User{name = "a"}
      s:add(u); s:flush()
      local p = Post{title = "p"}
      p.author = u
      show(st(p))
      local q = Post{title = "q"}
      u.posts:append(q)
      show(st(q))
      s:flush()
      show(rows())
    end, {
      "transient",
      "pending",
      "users:1,a,7 posts:1,1,q",
    })
    scenario("merge new and existing", function(s)
      local a = User{name = "a", age = 3}
      s:add(a); s:commit()
      local m = s:merge(User{id = a.id, name = "b"})
      show(m == a, a.name, a.age, #s.dirty)
      local n = s:merge(User{id = 99, name = "n", posts = {Post{title = "x"}}})
      show(st(n), #n.posts)
      s:commit()
      show(rows())
    end, {
      "true | b | 3 | 1",
      "pending | 1",
      "users:1,b,3 users:99,n,7 posts:1,99,x",
    })
    scenario("merge collection replaces", function(s)
      local a = User{name = "a", posts = {Post{title = "p"}, Post{title = "q"}}}
      s:add(a); s:commit()
      s:merge(User{id = 1, name = "a", posts = {Post{id = 1, title = "pp"}}}); s:commit()
      show(rows())
    end, {
      "users:1,a,7 posts:1,1,pp",
    })
    scenario("flush failure state", function(s)
      s:add(User{name = "a"}); s:commit()
      local b = User{name = "a"}
      local c = User{name = "c"}
      s:add_all{b, c}
      show(t(function() s:flush() end))
      show(t(function() return s:execute(sel(User)):all() end))
      s:rollback()
      show(st(b), st(c), #s.new)
      s:commit()
      show(rows())
    end, {
      "ERR IntegrityError",
      "ERR PendingRollbackError",
      "transient | transient | 0",
      "users:1,a,7",
    })
    scenario("nested rollback", function(s)
      local a = User{name = "a"}
      s:add(a); s:flush()
      local n = s:begin_nested()
      local b = User{name = "b"}
      s:add(b)
      a.name = "changed"
      s:flush()
      n:rollback()
      show(a.name, st(b), st(a))
      s:commit()
      show(rows())
    end, {
      "a | transient | persistent",
      "users:1,a,7",
    })
    scenario("nested delete rollback", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      local n = s:begin_nested()
      s:delete(a); s:flush()
      show(st(a))
      n:rollback()
      show(st(a), a.name)
      s:commit()
      show(rows())
    end, {
      "deleted",
      "persistent | a",
      "users:1,a,7",
    })
    scenario("version stale", function(s)
      local v = Ver{x = "a"}
      s:add(v); s:commit()
      show(v.v)
      v.x = "b"
      s:commit()
      show(v.v)
      local
      _ = v.x
      s:connection():exec_driver_sql("update vers set v=9")
      v.x = "c"
      show(t(function() s:commit() end))
      s:rollback()
      show(v.v, v.x)
    end, {
      "1",
      "2",
      "ERR StaleDataError",
      "2 | b",
    })
    scenario("version delete stale", function(s)
      local v = Ver{x = "a"}
      s:add(v); s:commit()
      local
      _ = v.x
      s:connection():exec_driver_sql("update vers set v=9"); s:delete(v)
      show(t(function() s:commit() end))
    end, {
      "ERR StaleDataError",
    })
    scenario("pk change", function(s)
      local a = Tag{id = 1, name = "a"}
      s:add(a); s:commit()
      a.id = 7
      s:commit()
      show(rows(), s:get(Tag, 7) == a, s:get(Tag, 1))
    end, {
      "tags:7,a | true | nil",
    })
    scenario("autoflush on query", function(s)
      s:add(User{name = "a"})
      show(#s:scalars(sel(User)):all())
      s:no_autoflush(function() s:add(User{name = "b"}) show(#s:scalars(sel(User)):all()) end)
    end, {
      "1",
      "1",
    })
    scenario("dirty no net change", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      a.name = "a"
      show(#s.dirty, s:is_modified(a))
      s:commit()
    end, {
      "1 | true",
    })
    scenario("set None and null default", -- ag.null is an explicit NULL, where None takes the default
      function(s)
      local a = User{name = "a", age = ag.null}
      s:add(a); s:commit()
      show(a.age)
      local b = User{name = "b"}
      show(b.age)
      s:add(b); s:flush()
      show(b.age)
    end, {
      "nil",
      "nil",
      "7",
    })
    scenario("close detaches", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      local
      _ = a.name
      s:close()
      show(st(a), a.name, t(function() return #a.posts end))
    end, {
      "detached | a | ERR DetachedInstanceError",
    })
    scenario("add to other session", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      local s2 = ag.Session(engine)
      show(t(function() s2:add(a) end))
      s2:close()
    end, {
      "ERR InvalidRequestError",
    })
    scenario("detached add back", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit()
      local
      _ = a.name
      s:expunge(a)
      a.name = "q"
      s:add(a)
      show(st(a), #s.dirty)
      s:commit()
      show(rows())
    end, {
      "persistent | 1",
      "users:1,q,7",
    })
    scenario("collection assign", function(s)
      local u = User{name = "a", notes = {Note{text = "1"}, Note{text = "2"}}}
      s:add(u); s:commit()
      local n1, n2 = u.notes[1], u.notes[2]
      u.notes = {n2, Note{text = "3"}}
      show(n1.user == nil)
      s:commit()
      show(rows())
    end, {
      "true",
      "users:1,a,7 notes:1,nil,1 notes:2,1,2 notes:3,1,3",
    })
    scenario("many-to-one get from identity", function(s)
      local u = User{name = "a", notes = {Note{text = "1"}}}
      s:add(u); s:commit()
      local n = s:scalars(sel(Note)):one()
      local c = 0
      ag.event.listen(engine,"before_cursor_execute", function() c = c+1 end)
      local
      _ = u.name
      local k = c
      _ = n.user
      show(c-k)
    end, {
      "0",
    })
    scenario("fk attribute set directly", function(s)
      local u, v = User{name = "a"}, User{name = "b"}
      local n = Note{text = "1", user = u}
      s:add_all{u, v, n}; s:commit()
      local
      _ = n.user
      n.user_id = v.id
      show(n.user.name)
      s:flush()
      show(n.user.name)
      s:commit()
      show(n.user.name, #u.notes, #v.notes)
    end, {
      "a",
      "a",
      "b | 0 | 1",
    })
    scenario("bulk update sync", function(s)
      s:add_all{User{name = "a", age = 1}, User{name = "b", age = 2}}; s:commit()
      local l = s:scalars(sel(User):order_by(User.id)):all()
      local a, b = l[1], l[2]
      s:execute(ag.update(User):where(User.age:gt(1)):values{age = User.age + 10})
      show(a.age, b.age)
      s:execute(ag.delete(User):where(User.name:eq"a"))
      show(st(a), s:contains(a))
      s:commit()
      show(rows(), st(a))
    end, {
      "1 | 12",
      "deleted | false",
      "users:2,b,12 | detached",
    })
    scenario("expire_on_commit false", function()
      local s2 = ag.Session(engine, {expire_on_commit = false})
      local a = User{name = "a"}
      s2:add(a)
      s2:commit()
      s2:close()
      show(a.name, st(a))
    end, {
      "a | detached",
    })
    scenario("rollback restores attrs of persistent", function(s)
      local a = User{name = "a", age = 1}
      s:add(a); s:commit()
      a.age = 5
      s:flush()
      a.name = "zz"
      s:rollback()
      show(a.age, a.name)
    end, {
      "1 | a",
    })
    scenario("delete twice, new after commit", function(s)
      local a = User{name = "a"}
      s:add(a); s:commit(); s:delete(a); s:delete(a); s:commit()
      show(st(a))
      show(t(function() s:add(a) end), st(a))
      ag.make_transient(a)
      s:add(a)
      show(t(function() s:commit() end), rows())
    end, {
      "detached",
      "ERR InvalidRequestError | detached",
      "ok None | users:1,a,7",
    })
    scenario("get_one, identity", function(s)
      show(t(function() return s:get_one(User, 1) end))
      local a = User{name = "a"}
      s:add(a); s:flush()
      show(s:get(User, 1) == a, s:get(User, {1}) == a, s:get(User, {id = 1}) == a)
    end, {
      "ERR NoResultFound",
      "true | true | true",
    })
end)
