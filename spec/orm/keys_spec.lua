--- Lists of keys that loading makes: one array parameter, one text for any number of objects.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"

describe("key lists of loaders", function()
  after_each(db.cleanup)

  --- The last statement that selectinload sends for the first n objects, and all of them.
  local function eager(session, sent, stmt)
    local list = models.sent(sent, function()
      session:expunge_all()
      return session:scalars(stmt):all()
    end)
    return list[#list], list
  end

  local array = db.postgresql and "= ANY%(%$1%)" or "IN %(SELECT value FROM json_each%(%?%)%)"

  it("give the same text for any number of objects", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    local session <close> = ag.Session(engine)
    for i = 1, 30 do
      local post = m.Post{title = "p" .. i}
      post.tags = {m.Tag{name = "t" .. i}}
      session:add(m.User{name = "u" .. i, posts = {post}})
    end
    session:commit()
    local sent = models.statements(engine)
    local User, Post = m.User, m.Post
    local paths = {
      {User, ag.selectinload(User.posts)}, {Post, ag.selectinload(Post.author)}, {Post, ag.selectinload(Post.tags)},
    }
    for _, path in ipairs(paths) do
      local class = path[1]
      local texts = {}
      for _, n in ipairs{1, 2, 29} do
        local text, all = eager(session, sent, ag.select(class):order_by(class.id):limit(n):options(path[2]))
        assert.equal(2, #all)
        assert.truthy(text:find(array), text)
        texts[text] = true
      end
      assert.is_nil(next(texts, next(texts)))
    end
    local user = session:scalars(ag.select(User):where(User.name:eq("u7")):options(ag.selectinload(User.posts):selectinload(Post.tags))):one()
    assert.equal("p7", user.posts[1].title)
    assert.equal("t7", user.posts[1].tags[1].name)
  end)

  it("in pieces of chunksize", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    local session <close> = ag.Session(engine)
    for i = 1, 10 do session:add(m.User{name = "u" .. i, posts = {m.Post{title = "p" .. i}}}) end
    session:commit()
    local sent = models.statements(engine)
    local _, all = eager(session, sent, ag.select(m.User):options(ag.selectinload(m.User.posts, {chunksize = 4})))
    assert.equal(4, #all)
  end)

  local values = {
    Integer = {ag.Integer, {1, -5, 2 ^ 31 | 0 - 1}}, BigInteger = {ag.BigInteger, {math.maxinteger, math.mininteger, 0}},
    String = {ag.String(80), {"", "it's", "comma, {\"quoted\"}", "back\\slash", "NULL", "ünï"}}, Text = {ag.Text, {"a", "b c", "\n\t"}},
    Uuid = {ag.Uuid, {"12345678-1234-1234-1234-123456789abc", "00000000-0000-0000-0000-000000000000"}},
    Date = {ag.Date, {ag.date "2024-02-29", ag.date "1999-12-31"}},
    DateTime = {ag.DateTime, {ag.datetime "2024-02-29 10:11:12", ag.datetime "1999-12-31 23:59:59.5"}},
    Numeric = {ag.Numeric(10, 2), {ag.decimal "1.50", ag.decimal "-99.99"}},
    Boolean = {ag.Boolean, {true, false}}, LargeBinary = {ag.LargeBinary, {"a\0b", "\xff\xfe"}},
    Enum = {ag.Enum({"red", "green"}, {name = "color"}), {"red", "green"}},
  }
  for name, case in pairs(values) do
    it("of type " .. name, function()
      local Base = ag.declarative_base()
      local Owner = Base:model("Owner", {
        __tablename = "owners",
        id = ag.mapped_column(case[1], {primary_key = true, autoincrement = false}),
        items = ag.relationship("Item", {back_populates = "owner", order_by = "Item.id"}),
      })
      local Item = Base:model("Item", {
        __tablename = "items",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        owner_id = ag.mapped_column(case[1], ag.ForeignKey("owners.id")),
        owner = ag.relationship("Owner", {back_populates = "items"}),
      })
      local engine = models.engine(Base)
      local session <close> = ag.Session(engine)
      for _, value in ipairs(case[2]) do session:add(Owner{id = value, items = {Item{}, Item{}}}) end
      session:commit()
      session:expunge_all()
      local owners = session:scalars(ag.select(Owner):options(ag.selectinload(Owner.items))):all()
      assert.equal(#case[2], #owners)
      for _, owner in ipairs(owners) do
        assert.truthy(ag.inspect(owner).attrs.items.loaded_value)
        assert.equal(2, #owner.items)
      end
      session:expunge_all()
      for _, item in ipairs(session:scalars(ag.select(Item):options(ag.selectinload(Item.owner))):all()) do
        assert.equal(tostring(item.owner_id), tostring(item.owner.id))
      end
    end)
  end

  it("of several columns go as arrays of columns, or of rows", function()
    local Base = ag.declarative_base()
    local Place = Base:model("Place", {
      __tablename = "places",
      country = ag.mapped_column(ag.String(2), {primary_key = true}),
      number = ag.mapped_column(ag.Integer, {primary_key = true, autoincrement = false}),
      day = ag.mapped_column(ag.Date, {primary_key = true}),
      visits = ag.relationship("Visit", {back_populates = "place", order_by = "Visit.id"}),
    })
    local Visit = Base:model("Visit", {
      __tablename = "visits",
      __table_args = {ag.ForeignKeyConstraint({"country", "number", "day"}, {"places.country", "places.number", "places.day"})},
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      country = ag.mapped_column(ag.String(2)),
      number = ag.mapped_column(ag.Integer),
      day = ag.mapped_column(ag.Date),
      place = ag.relationship("Place", {back_populates = "visits"}),
    })
    local engine = models.engine(Base)
    local session <close> = ag.Session(engine)
    for i = 1, 6 do
      local place = Place{country = i % 2 == 0 and "at" or "de", number = i, day = ag.date "2024-01-05"}
      for _ = 1, i % 3 do place.visits:append(Visit{}) end
      session:add(place)
    end
    session:add(Visit{})
    session:commit()
    local sent = models.statements(engine)
    local text, all = eager(session, sent, ag.select(Place):options(ag.selectinload(Place.visits)))
    assert.equal(2, #all)
    assert.truthy(text:find(db.postgresql and "%(visits.country, visits.number, visits.day%) IN %(SELECT %* FROM unnest%(%$1, %$2, %$3%)%)"
      or "IN %(SELECT json_extract%(value, '%$%[0%]'%), json_extract%(value, '%$%[1%]'%), json_extract%(value, '%$%[2%]'%) FROM json_each%(%?%)%)"),
      text)
    local one = eager(session, sent, ag.select(Place):limit(1):options(ag.selectinload(Place.visits)))
    assert.equal(text, one)
    session:expunge_all()
    for _, place in ipairs(session:scalars(ag.select(Place):options(ag.selectinload(Place.visits))):all()) do
      assert.equal(place.number % 3, #place.visits)
    end
    session:expunge_all()
    local visits, found = session:scalars(ag.select(Visit):options(ag.selectinload(Visit.place))):all(), 0
    assert.equal(2, #models.sent(sent, function()
      session:expunge_all()
      visits = session:scalars(ag.select(Visit):options(ag.selectinload(Visit.place))):all()
    end))
    for _, visit in ipairs(visits) do
      if visit.place then
        found = found + 1
        assert.equal(visit.number, visit.place.number)
      end
    end
    assert.equal(6, found)
  end)
end)
