---@meta
-- Types, collections and sessions, as far as C makes them, for a language server. Nothing here is run.

--- A type of columns and values.
---@class argent.Type
---@field length integer?
---@field precision integer?
---@field scale integer?
---@field class_name string "Integer", "VARCHAR" …, without arguments
local Type = {}

--- Another type on these dialects: `ag.JSON:with_variant(pg.JSONB, "postgresql")`
---@param type argent.Type
---@param ... string
---@return argent.Type
function Type:with_variant(type, ...) end

--- How the type is written in DDL: `ag.String(5):compile("postgresql")` is `VARCHAR(5)`
---@param dialect? string|argent.Dialect|{dialect: string|argent.Dialect}
---@return string
function Type:compile(dialect) end

--- CREATE TYPE or CREATE DOMAIN of an Enum or DOMAIN, unless it is there; nothing where the database has no such types
---@param bind argent.Engine|argent.Connection
---@param options? {checkfirst?: boolean|integer}
function Type:create(bind, options) end

--- DROP TYPE or DROP DOMAIN of an Enum or DOMAIN, if it is there
---@param bind argent.Engine|argent.Connection
---@param options? {checkfirst?: boolean|integer}
function Type:drop(bind, options) end

--- The type that is used there
---@param dialect string
---@return argent.Type
function Type:dialect_impl(dialect) end

--- The generic type that a vendor's type is a kind of: `ag.VARCHAR(5):as_generic()` is `ag.String(5)`.
---@param options? table {allow_nulltype = true}: NullType instead of an error
---@return argent.Type
function Type:as_generic(options) end

--- The same type, whose NULL is written even where a default would stand for an absent value.
---@return argent.Type
function Type:evaluates_none() end

--- A relationship's objects: `#`, index and ipairs work.
---@class argent.Collection
local Collection = {}

--- Add at the end.
---@param object any
function Collection:append(object) end

--- The same.
---@param object any
function Collection:add(object) end

--- Add before a position, from 1.
---@param position integer
---@param object any
function Collection:insert(position, object) end

--- Take a member out; raises when it is none.
---@param object any
function Collection:remove(object) end

--- Take out and give the member (the last one)
---@param position? integer
---@return any
function Collection:pop(position) end

--- Add several at the end.
---@param objects any[]
function Collection:extend(objects) end

--- Is it a member?
---@param object any
---@return boolean
function Collection:contains(object) end

--- Its position
---@param object any
---@return integer?
function Collection:index(object) end

--- Take all out.
function Collection:clear() end

--- A plain array of the members
---@return any[]
function Collection:all() end

--- for post in user.posts:each() do
---@return fun(): any
function Collection:each() end

---@class argent.Session
---@field new any[] pending objects
---@field dirty any[] changed objects
---@field deleted any[] objects to be deleted
---@field info table free data
---@field bind argent.Engine|argent.Connection|nil
---@field is_active boolean
---@field autoflush boolean
---@field expire_on_commit boolean
local Session = {}

--- The object becomes pending, with what its cascades reach.
---@param object any
function Session:add(object) end

--- add() for each.
---@param objects any[]
function Session:add_all(objects) end

--- The object's row is deleted at the next flush.
---@param object any
function Session:delete(object) end

--- The object leaves the session.
---@param object any
function Session:expunge(object) end

--- Its attributes are read again when they are used.
---@param object any
---@param names? string[]
function Session:expire(object, names) end

--- The same for all objects.
function Session:expire_all() end

--- Is it in the session?
---@param object any
---@return boolean
function Session:contains(object) end

--- The object with this primary key; nil when there is none
---@param class argent.Class
---@param ident any
---@param options? {options: argent.LoaderOption[]?, populate_existing: boolean?, with_for_update: boolean|table?, execution_options: table?}
---@return any
function Session:get(class, ident, options) end
