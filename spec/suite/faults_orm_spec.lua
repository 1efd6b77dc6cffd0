--- Out of memory at every point of a session's work (spec/support/sweep.lua): what was raised is an error object, nothing leaks,
--- nothing of a failed transaction stays in the database, and a new session works.
local ag = require "argent"
local db = require "spec.support.db"
local sweep = require "spec.support.sweep"

local full = os.getenv "ARGENT_SWEEP" == "full"

describe("out of memory in a session", function()
  local engine, Author, Book

  setup(function()
    engine = db.engine()
    local Base = ag.declarative_base()
    Author = Base:model("Author", {
      __tablename = "authors",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text, {nullable = false}),
      books = ag.relationship("Book", {back_populates = "author", cascade = "all, delete-orphan", order_by = "Book.id"}),
    })
    Book = Base:model("Book", {
      __tablename = "books",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      author_id = ag.mapped_column(ag.ForeignKey("authors.id")),
      title = ag.mapped_column(ag.Text),
      author = ag.relationship("Author", {back_populates = "books"}),
    })
    Base.metadata:create_all(engine)
    local session <close> = ag.Session(engine)
    local ann = Author{name = "ann"}
    ann.books = {Book{title = "one"}, Book{title = "two"}}
    session:add(ann)
    session:commit()
    assert(ann.id == 1 and ann.books[1].id == 1)
  end)

  teardown(db.cleanup)

  local function counts()
    local conn <close> = engine:connect()
    return conn:exec_driver_sql("SELECT (SELECT count(*) FROM authors) * 100 + (SELECT count(*) FROM books)"):scalar()
  end

  local function try(name, scenario)
    for allocator, points in pairs{core = 120, lua = 40} do
      it(name .. ": " .. allocator, function()
        local n = sweep.run(name, function()
          local ok, e = pcall(scenario)
          if not ok then error(e, 0) end
          if math.tointeger(tonumber(tostring(counts()))) ~= 102 then error("rows were left: " .. tostring(counts()), 0) end
        end, {points = not full and points or nil, allocator = allocator})
        assert.is_true(n > 0)
      end)
    end
  end

  try("objects made and dropped", function()
    local a = Author{name = "x"}
    a.books:append(Book{title = "y"})
    assert(a.books[1].author == a and #a.books == 1)
  end)

  try("a flush that is rolled back", function()
    local session <close> = ag.Session(engine)
    local a = Author{name = "new"}
    a.books = {Book{title = "x"}, Book{title = "y"}}
    session:add(a)
    session:flush()
    assert(a.id and a.books[2].author_id == a.id)
    session:rollback()
  end)

  try("loading, lazily and at once", function()
    local session <close> = ag.Session(engine)
    local a = session:get(Author, 1)
    assert(a.name == "ann" and #a.books == 2 and a.books[1].title == "one")
    session:expunge_all()
    local b = session:scalars(ag.select(Author):options(ag.selectinload(Author.books))):one()
    assert(#b.books == 2)
    session:expunge_all()
    local c = session:scalars(ag.select(Book):options(ag.joinedload(Book.author)):order_by(Book.id)):first()
    assert(c.author.name == "ann")
  end)

  try("an update committed and put back", function()
    for _, title in ipairs{"changed", "one"} do
      local session <close> = ag.Session(engine)
      local b = session:get(Book, 1)
      b.title = title
      session:commit()
    end
  end)

  try("a flush that the database refuses", function()
    local session <close> = ag.Session(engine)
    session:add(Author{id = 1, name = "again"})
    local ok, e = ag.try(session.flush, session)
    assert(not ok)
    if sweep.is_memory(e) then error(e, 0) end
    assert(e:is(ag.exc.IntegrityError), tostring(e))
    session:rollback()
    assert(session:get(Author, 1).name == "ann")
  end)

  try("deletes with their orphans, undone", function()
    local session <close> = ag.Session(engine)
    local a = session:get(Author, 1)
    a.books:remove(a.books[1])
    session:flush()
    session:delete(a)
    session:flush()
    session:rollback()
    assert(#a.books == 2)
  end)
end)
