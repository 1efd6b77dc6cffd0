--- A small database, and a table of mistakes made on it: {title, function, class, message}. What a newcomer is told must say what was
--- wrong, where (the line of the mistake), and what would be right.
local ag = require "argent"
local engine = ag.create_engine("sqlite://")
local metadata = ag.MetaData()
local users = ag.Table("users", metadata, {
  ag.Column("id", ag.Integer, {primary_key = true}),
  ag.Column("name", ag.String(50), {nullable = false, unique = true}),
  ag.Column("age", ag.Integer), ag.Column("balance", ag.Numeric(10, 2)), ag.Column("created", ag.DateTime),
  ag.Column("active", ag.Boolean), ag.Column("data", ag.JSON),
  ag.CheckConstraint("age >= 0", {name = "age_positive"}),
})
local posts = ag.Table("posts", metadata, {
  ag.Column("id", ag.Integer, {primary_key = true}),
  ag.Column("author_id", ag.ForeignKey("users.id"), {nullable = false}),
  ag.Column("editor_id", ag.ForeignKey("users.id")),
  ag.Column("title", ag.Text),
})
local tags = ag.Table("tags", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
local notes = ag.Table("notes", metadata, {
  ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("user_id", ag.ForeignKey("users.id")), ag.Column("body", ag.Text),
})
metadata:create_all(engine)
local conn = engine:connect()
conn:execute(ag.insert(users), {{name = "ann", age = 31}, {name = "bob", age = 17}})
conn:commit()

local M = {engine = engine, metadata = metadata, conn = conn, users = users, posts = posts, tags = tags, notes = notes}

--- Make one mistake: the class, the whole message (lists of known names apart) and the line are as said.
function M.check(mistake)
  local _, fn, class, message = table.unpack(mistake)
  local ok, e = pcall(fn)
  conn:rollback()
  if ok then error("no error was raised", 0) end
  if not ag.exc.is_error(e) then error("no error of argent's: " .. tostring(e), 0) end
  local said, wanted = e.name .. ": " .. e.message:gsub(" %(known: .*", ""), class .. ": " .. message
  if said ~= wanted then error(("said:   %s\nwanted: %s"):format(said, wanted), 0) end
  local info = debug.getinfo(fn, "S")
  local file, line = tostring(e):match("([%w_]+%.lua):(%d+): ")
  line = tonumber(line)
  if file ~= info.short_src:match("[%w_]+%.lua$") or not line or line < info.linedefined or line > info.lastlinedefined then
    error("the place is wrong: " .. tostring(e), 0)
  end
end

return M
