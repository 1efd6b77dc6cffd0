-- What newcomers get wrong with parameters, inserts, results, connections and schemas, and what they are told.
local ag = require "argent"
local mistakes = require "spec.support.mistakes"
local engine, metadata, conn, users, posts = mistakes.engine, mistakes.metadata, mistakes.conn, mistakes.users, mistakes.posts
local u, p, pg = mistakes.users.c, mistakes.posts.c, ag.postgresql

local list = {
  -- parameters
  {"text missing param", function() return (conn:execute(ag.text "select * from users where id = :id")) end,
    "StatementError", "A value is required for bind parameter 'id'"},
  {"text wrong param name", function() return (conn:execute(ag.text "select * from users where id = :id", {idd = 1})) end,
    "StatementError", "this text() has no parameter 'idd'; did you mean 'id'?"},
  {"text extra param", function() return (conn:execute(ag.text "select 1", {a = 1})) end,
    "StatementError", "this text() has no parameter 'a'"},
  {"text with ?", function() return (conn:execute(ag.text "select * from users where id = ?", {1})) end,
    "ArgumentError",
      "bad argument #2 to Connection:execute: parameters go by name, {name = value} for :name, got key number 1 (exec_driver_sql " ..
      "takes them by place)"},
  {"text with $1", function() return (conn:execute(ag.text "select * from users where id = $1", {1})) end,
    "ArgumentError",
      "bad argument #2 to Connection:execute: parameters go by name, {name = value} for :name, got key number 1 (exec_driver_sql " ..
      "takes them by place)"},
  {"text with %s", function() return (conn:execute(ag.text "select * from users where id = %s", {1})) end,
    "ArgumentError",
      "bad argument #2 to Connection:execute: parameters go by name, {name = value} for :name, got key number 1 (exec_driver_sql " ..
      "takes them by place)"},
  {"text positional params", function() return (conn:execute(ag.text "select * from users where id = :id", {1})) end,
    "ArgumentError",
      "bad argument #2 to Connection:execute: parameters go by name, {name = value} for :name, got key number 1 (exec_driver_sql " ..
      "takes them by place)"},
  {"text scalar param", function() return (conn:execute(ag.text "select * from users where id = :id", 1)) end,
    "ArgumentError", "bad argument #2 to Connection:execute: expected a table of parameters by name, or an array of such tables, got number 1"},
  {"text nil param", function() return (conn:execute(ag.text "select * from users where id = :id", {id = nil})) end,
    "StatementError", "A value is required for bind parameter 'id'"},
  {"text table value", function() return (conn:execute(ag.text "select * from users where id = :id", {id = {1, 2}})) end,
    "DataError",
      "id: a table is no value of a parameter without a type: bindparams(ag.bindparam(name, {type = …})), or {expanding = true} for " ..
      "a list after IN"},
  {"text function value", function() return (conn:execute(ag.text "select * from users where id = :id", {id = print})) end,
    "ArgumentError", "bad argument #2 to Connection:execute: parameter 'id': a function is no value"},
  {"text bindparams wrong", function() return (ag.text("select :a"):bindparams{b = 1}) end,
    "ArgumentError", "this text() doesn't define a bound parameter named 'b'"},
  {"bindparam without value", function() return (conn:execute(ag.select(users):where(u.id:eq(ag.bindparam("x"))))) end,
    "StatementError", "A value is required for bind parameter 'x'"},
  {"bindparam wrong name", function() return (conn:execute(ag.select(users):where(u.id:eq(ag.bindparam("x"))), {y = 1})) end,
    "StatementError", "A value is required for bind parameter 'x'"},
  {"text with list of empty", function() return (conn:execute(ag.text "insert into tags (name) values (:n)", {})) end,
    "StatementError", "A value is required for bind parameter 'n'"},
  {"sql syntax error", function() return (conn:execute(ag.text "selec 1")) end,
    "ProgrammingError", 'near "selec": syntax error'},
  {"two statements", function() return (conn:execute(ag.text "select 1; select 2")) end,
    "ProgrammingError", "one statement per call: there is more after the first ';'"},
  {"exec_driver_sql named", function() return (conn:exec_driver_sql("select :a", {a = 1})) end,
    "ProgrammingError", "the statement has 1 parameters, 0 values were given"},
  {"exec_driver_sql too few", function() return (conn:exec_driver_sql("select ?, ?", {1})) end,
    "ProgrammingError", "the statement has 2 parameters, 1 values were given"},
  {"exec_driver_sql too many", function() return (conn:exec_driver_sql("select ?", {1, 2})) end,
    "ProgrammingError", "the statement has 1 parameters, 2 values were given"},
  {"missing table", function() return (conn:execute(ag.text "select * from nope")) end,
    "ProgrammingError", "no such table: nope"},
  {"missing column", function() return (conn:execute(ag.text "select nope from users")) end,
    "ProgrammingError", "no such column: nope"},
  -- dml
  {"insert unknown column", function() return (ag.insert(users):values{nme = "x"}) end,
    "CompileError", "Unconsumed column names: nme (did you mean 'name'?)"},
  {"insert unknown column in params", function() return (conn:execute(ag.insert(users), {{nme = "x"}})) end,
    "CompileError", "Unconsumed column names: nme (did you mean 'name'?)"},
  {"insert unknown column in 2nd params", function() return (conn:execute(ag.insert(users), {{name = "x"}, {nam = "x"}})) end,
    "CompileError", "Unconsumed column names: nam (did you mean 'name'?)"},
  {"insert keys of other table", function() return (ag.insert(users):values{[p.title] = "x"}) end,
    "CompileError", "Unconsumed column names: title"},
  {"insert wrong type", function() return (conn:execute(ag.insert(users):values{name = "x", age = "12"})) end,
    "DataError", 'age (Integer) takes an integer, not text ("12")'},
  {"insert float into int", function() return (conn:execute(ag.insert(users):values{name = "x", age = 1.5})) end,
    "DataError", "age (Integer) takes an integer (math.tointeger or // makes one), not a float (1.5)"},
  {"insert float into numeric", function() return (conn:execute(ag.insert(users):values{name = "x", balance = 1.5})) end,
    "DataError", 'balance (Numeric(10, 2)) takes a decimal or an integer (ag.decimal("1.50"), or asdecimal = false for floats), not a float (1.5)'},
  {"insert string into datetime", function() return (conn:execute(ag.insert(users):values{name = "x", created = "2024-01-01"})) end,
    "DataError", 'created (DateTime) takes a datetime (ag.datetime("2024-01-31 10:00:00") makes one), not text ("2024-01-01")'},
  {"insert os.time into datetime", function() return (conn:execute(ag.insert(users):values{name = "x", created = 1704445200})) end,
    "DataError", "created (DateTime) takes a datetime, not an integer (1704445200)"},
  {"insert 1 into boolean", function() return (conn:execute(ag.insert(users):values{name = "x", active = 1})) end,
    "DataError", "active (Boolean) takes true or false, not an integer (1)"},
  {"insert number into text", function() return (conn:execute(ag.insert(users):values{name = 5})) end,
    "DataError", "name (String(50)) takes text, not an integer (5)"},
  {"insert table into text", function() return (conn:execute(ag.insert(users):values{name = {}})) end,
    "DataError", "name (String(50)) takes text, not a table (a list of values is for in_)"},
  {"insert function in json", function() return (conn:execute(ag.insert(users):values{name = "x", data = {f = print}})) end,
    "DataError", "data: cannot write JSON: a function at .f"},
  {"insert row 2 wrong type", function() return (conn:execute(ag.insert(users), {{name = "y"}, {name = 5}})) end,
    "DataError", "name (String(50)) takes text, not an integer (5)"},
  {"insert null", function() return (conn:execute(ag.insert(users):values{name = ag.null})) end,
    "IntegrityError", "NOT NULL constraint failed: users.name"},
  {"insert duplicate", function() return (conn:execute(ag.insert(users):values{name = "ann"})) end,
    "IntegrityError", "UNIQUE constraint failed: users.name"},
  {"insert check", function() return (conn:execute(ag.insert(users):values{name = "zz", age = -1})) end,
    "IntegrityError", "CHECK constraint failed: age_positive"},
  {"insert fk", function()
    local c = ag.create_engine("sqlite://"):connect()
    metadata:create_all(c)
    return (c:execute(ag.insert(posts):values{author_id = 99}))
  end,
    "IntegrityError", "FOREIGN KEY constraint failed"},
  {"insert string table", function() return (ag.insert("users")) end,
    "ArgumentError", 'bad argument #1 to ag.insert: expected a table, alias, subquery or join, got string "users"'},
  {"insert values scalar", function() return (ag.insert(users):values("ann")) end,
    "ArgumentError", 'bad argument #1 to Insert:values: expected a table, got string "ann"'},
  {"insert empty list", function() return (conn:execute(ag.insert(users), {})) end,
    "ArgumentError", "bad argument #2 to Connection:execute: an empty list of parameters; {{}} is one row of defaults"},
  {"insert values nil", function() return (ag.insert(users):values(nil)) end,
    "ArgumentError", "bad argument #1 to Insert:values: expected a table, got nil"},
  {"insert expression param", function() return (conn:execute(ag.insert(users), {{name = ag.func.lower("X")}})) end,
    "ArgumentError", "bad argument #2 to Connection:execute: parameter 'name': a SQL function is no value"},
  {"update unknown column", function() return (ag.update(users):values{nme = 1}) end,
    "CompileError", "Unconsumed column names: nme (did you mean 'name'?)"},
  {"update no values", function() return (conn:execute(ag.update(users):where(u.id:eq(1)))) end,
    "CompileError", "this UPDATE sets no column: values{…} or a parameter has to name one"},
  {"update missing table", function() local t = ag.table("nope", ag.column("a")); return (conn:execute(ag.update(t):values{a = 1})) end,
    "ProgrammingError", "no such table: nope"},
  {"delete string", function() return (ag.delete("users")) end,
    "ArgumentError", 'bad argument #1 to ag.delete: expected a table, alias, subquery or join, got string "users"'},
  {"returning string", function() return (ag.insert(users):returning("id")) end,
    "ArgumentError",
      'bad argument #1 to Insert:returning: expected a column, an expression or a table, got string "id" (raw SQL is written as ' ..
      'ag.text or ag.literal_column)'},
  {"upsert no set", function() local i = ag.insert(users):values{name = "ann"}; return (i:on_conflict_do_update{index_elements = {u.name}}) end,
    "ArgumentError", "Insert:on_conflict_do_update: option 'set': expected a table of column = value, got nil"},
  {"upsert unknown set col", function()
    local i = ag.insert(users):values{name = "ann"}
    return (conn:execute(i:on_conflict_do_update{index_elements = {u.name}, set = {agee = 1}}))
  end,
    "CompileError", "Unconsumed column names: agee (did you mean 'age'?)"},
  {"upsert no such unique", function()
    local i = ag.insert(users):values{name = "ann"}
    return (conn:execute(i:on_conflict_do_update{index_elements = {u.age}, set = {age = 1}}))
  end,
    "ProgrammingError", "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"},
  {"upsert misspelt", function()
    local i = ag.insert(users):values{name = "ann"}
    return (i:on_conflict_do_update{index_element = {u.name}, set = {age = 1}})
  end,
    "ArgumentError", "Insert:on_conflict_do_update: unknown option 'index_element'; did you mean 'index_elements'?"},
  {"excluded misspelt", function() local i = ag.insert(users):values{name = "ann"}; return (i.excluded.nme) end,
    "InvalidRequestError", "'excluded' has no column 'nme'; did you mean 'name'? (it has: id, name, age, balance, created, active, data)"},
  {"rows of an update", function() return (conn:execute(ag.update(users):where(u.id:eq(1)):values{age = 1}):all()) end,
    "ResourceClosedError", "This result object does not return rows. It has been closed automatically."},
  {"inserted_primary_key of select", function() return (conn:execute(ag.select(u.id)).inserted_primary_key) end,
    "InvalidRequestError", "Result:inserted_primary_key: the statement is not an INSERT"},
  -- results, connections
  {"ipairs over result", function() for _ in ipairs(conn:execute(ag.select(u.id))) do u.id:label("x") end end,
    "ArgumentError", "Result has no attribute number 1: rows come from all(), first(), one(), or for row in result:rows() do"},
  {"pairs over result", function() for _ in pairs(conn:execute(ag.select(u.id))) do u.id:label("x") end end,
    "ArgumentError", "a Result is no list: rows come from all(), first(), one(), or for row in result:rows() do"},
  {"#result", function() return (#conn:execute(ag.select(u.id))) end,
    "ArgumentError", "a Result is no list: rows come from all(), first(), one(), or for row in result:rows() do"},
  {"result[1]", function() return (conn:execute(ag.select(u.id))[1]) end,
    "ArgumentError", "Result has no attribute number 1: rows come from all(), first(), one(), or for row in result:rows() do"},
  {"result.all()", function() return (conn:execute(ag.select(u.id)).all()) end,
    "ArgumentError", "calling Result:all on a bad self (expected a Result, got nothing); use ':'"},
  {"result after first", function() local r = conn:execute(ag.select(u.id)); r:first(); return (#r:all()) end,
    "ResourceClosedError", "this result is closed (first(), one(), scalar() and close() close it)"},
  {"one of none", function() return (conn:execute(ag.select(u.id):where(u.id:eq(99))):one()) end,
    "NoResultFound", "no row was found when one was required"},
  {"one of many", function() return (conn:execute(ag.select(u.id)):one()) end,
    "MultipleResultsFound", "several rows were found when exactly one was required"},
  {"scalar_one of none", function() return (conn:execute(ag.select(u.id):where(u.id:eq(99))):scalar_one()) end,
    "NoResultFound", "no row was found when one was required"},
  {"set a row field", function() local r = conn:execute(ag.select(u.id)):first(); r.id = 5 end,
    "ArgumentError", "a row cannot be changed; ag.to_table(row) gives a table"},
  {"closed connection", function() local c = engine:connect(); c:close(); return (c:execute(ag.select(u.id))) end,
    "ResourceClosedError", "Connection:execute: this connection is closed"},
  {"used transaction", function() local c <close> = engine:connect(); local t = c:begin(); t:commit(); t:commit() end,
    "InvalidRequestError", "This transaction is inactive"},
  {"begin twice", function() local c <close> = engine:connect(); c:execute(ag.select(u.id)); c:begin() end,
    "InvalidRequestError",
      "This connection has already initialized a Transaction via begin() or autobegin; can't call begin() here unless rollback() or " ..
      "commit() is called first."},
  {"commit inside begin fn", function() return (engine:begin(function(c) c:commit(); c:execute(ag.select(u.id)) end)) end,
    "InvalidRequestError", "Can't operate on closed transaction inside its block.  Please leave the block before sending further commands."},
  {"engine:begin(conn)", function() return (engine:begin("x")) end,
    "ArgumentError", 'bad argument #1 to Engine:begin: expected a function, got string "x"'},
  {"conn from function escapes", function() local k; engine:begin(function(c) k = c end); return (k:execute(ag.select(u.id))) end,
    "ResourceClosedError", "Connection:execute: this connection is closed"},
  {"isolation inside tx", function()
    local c <close> = engine:connect()
    c:execute(ag.select(u.id))
    c:execution_options{isolation_level = "SERIALIZABLE"}
  end,
    "InvalidRequestError",
      "This connection has already initialized a Transaction via begin() or autobegin; isolation_level may not be altered unless " ..
      "rollback() or commit() is called first."},
  {"set unknown engine field", function() engine.foo = 1 end,
    "ArgumentError", "Engine has no attribute 'foo'"},
  {"set col field", function() u.id.foo = 1 end,
    "ArgumentError", "Column has no attribute 'foo'"},
  {"row method", function() return (conn:execute(ag.select(u.id)):first():keys()) end,
    "NoSuchColumnError", "the row has no column 'keys': rows have no methods: pairs(row), #row, row[1], ag.to_table(row), ag.unpack(row)"},
  {"inspect nil", function() return (ag.inspect(nil)) end,
    "NoInspectionAvailable", "No inspection system is available for nil"},
  {"inspect string", function() return (ag.inspect("users")) end,
    "NoInspectionAvailable", 'No inspection system is available for string "users"'},
  -- schema
  {"Column string type", function() return (ag.Column("x", "integer")) end,
    "ArgumentError",
      'ag.Column: argument 2: expected a type, ag.ForeignKey, ag.Sequence, ag.Identity, ag.Computed or a constraint, got string ' ..
      '"integer"'},
  {"Column type misplaced", function() return (ag.Column(ag.Integer, "x")) end,
    "ArgumentError", 'ag.Column: argument 2: expected a type, ag.ForeignKey, ag.Sequence, ag.Identity, ag.Computed or a constraint, got string "x"'},
  {"Column pk positional true", function() return (ag.Column("x", ag.Integer, true)) end,
    "ArgumentError", "ag.Column: argument 3: expected a type, ag.ForeignKey, ag.Sequence, ag.Identity, ag.Computed or a constraint, got true"},
  {"Table no metadata", function() return (ag.Table("x", {ag.Column("id", ag.Integer)})) end,
    "ArgumentError", "ag.Table: table 'x': expected an ag.MetaData as second argument, got a table"},
  {"Table twice", function() return (ag.Table("users", metadata, {ag.Column("id", ag.Integer)})) end,
    "InvalidRequestError",
      "table 'users' is already defined for this MetaData. Give {extend_existing = true} to add to it or {keep_existing = true} to " ..
      "take it as it is"},
  {"duplicate column", function() return (ag.Table("y", ag.MetaData(), {ag.Column("id", ag.Integer), ag.Column("id", ag.Text)})) end,
    "DuplicateColumnError", "table 'y' has a column with key 'id' already"},
  {"column in two tables", function() local c = ag.Column("id", ag.Integer); ag.Table("a", ag.MetaData(), {c}); ag.Table("b", ag.MetaData(), {c}) end,
    "ArgumentError", "ag.Table: column 'id' belongs to table 'a' already"},
  {"fk missing table", function()
    local m = ag.MetaData()
    ag.Table("a", m, {ag.Column("x", ag.ForeignKey("nope.id"))})
    m:create_all(ag.create_engine("sqlite://"))
  end,
    "NoReferencedTableError", "foreign key of column 'a.x' refers to table 'nope', which is not in this MetaData"},
  {"fk missing column", function()
    local m = ag.MetaData()
    ag.Table("b", m, {ag.Column("id", ag.Integer)})
    ag.Table("a", m, {ag.Column("x", ag.ForeignKey("b.idd"))})
    m:create_all(ag.create_engine("sqlite://"))
  end,
    "NoReferencedColumnError", "foreign key of column 'a.x': table 'b' has no column 'idd'; did you mean 'id'?"},
  {"fk without dot", function()
    local m = ag.MetaData()
    ag.Table("a", m, {ag.Column("x", ag.ForeignKey("users"))})
    m:create_all(ag.create_engine("sqlite://"))
  end,
    "NoReferencedTableError", "foreign key of column 'a.x' refers to table 'users', which is not in this MetaData"},
  {"index unknown column", function() return (ag.Table("y", ag.MetaData(), {ag.Column("id", ag.Integer), ag.Index("i", "idd")})) end,
    "ConstraintColumnNotFoundError", "ag.Index: table 'y' has no column 'idd'; did you mean 'id'?"},
  {"unique unknown column", function() return (ag.Table("y", ag.MetaData(), {ag.Column("id", ag.Integer), ag.UniqueConstraint("idd")})) end,
    "ConstraintColumnNotFoundError", "ag.UniqueConstraint: table 'y' has no column 'idd'; did you mean 'id'?"},
  {"type option", function() return (ag.String{len = 5}) end,
    "ArgumentError", "String: unknown option 'len'"},
  {"type bad arg", function() return (ag.String("50")) end,
    "ArgumentError", 'bad argument #1 to String: expected an integer, got string "50"'},
  {"Numeric bad", function() return (ag.Numeric("10,2")) end,
    "ArgumentError", 'bad argument #1 to Numeric: expected an integer, got string "10,2"'},
  {"Enum without name on pg", function()
    local m = ag.MetaData()
    local t = ag.Table("e", m, {ag.Column("c", ag.Enum("a", "b"))})
    return (ag.CreateTable(t):compile{dialect = "postgresql"})
  end,
    "CompileError", "PostgreSQL ENUM type requires a name."},
  {"pg type on sqlite", function()
    local m = ag.MetaData()
    ag.Table("e", m, {ag.Column("c", pg.ARRAY(ag.Text))})
    m:create_all(ag.create_engine("sqlite://"))
  end,
    "UnsupportedCompilationError", "the sqlite dialect has no type ARRAY"},
  {"pg INET on sqlite", function()
    local m = ag.MetaData()
    ag.Table("e", m, {ag.Column("c", pg.INET)})
    m:create_all(ag.create_engine("sqlite://"))
  end,
    "UnsupportedCompilationError", "the sqlite dialect has no type INET"},
  {"pg construct on sqlite", function() return (conn:execute(ag.select(pg.array{1, 2}))) end,
    "UnsupportedCompilationError", "the sqlite dialect has no ARRAY[…] (array)"},
  {"lateral on sqlite", function() return (conn:execute(ag.select(ag.select(u.id):lateral("x")))) end,
    "UnsupportedCompilationError", "the sqlite dialect has no LATERAL"},
  {"create existing table", function() users:create(engine) end,
    "ProgrammingError", "table users already exists"},
  {"drop missing table", function() ag.Table("zz", ag.MetaData(), {ag.Column("id", ag.Integer)}):drop(engine) end,
    "ProgrammingError", "no such table: zz"},
  {"reflect missing table", function() return (ag.Table("nope", ag.MetaData(), {autoload_with = engine})) end,
    "NoSuchTableError", "no such table: nope"},
  {"reflect only missing", function() return (ag.MetaData():reflect(engine, {only = {"nope"}})) end,
    "InvalidRequestError", "Could not reflect: requested table(s) not available: (nope); did you mean 'notes'?"},
  {"insp get_columns missing", function() return (ag.inspect(engine):get_columns("nope")) end,
    "NoSuchTableError", "no such table: nope"},
  {"insp misspelt method", function() return (ag.inspect(engine):get_table_name()) end,
    "ArgumentError", "Inspector has no attribute 'get_table_name'; did you mean 'get_table_names'?"},
  {"create_all without engine", function() metadata:create_all() end,
    "ArgumentError", "MetaData:create_all: expected an Engine or a Connection, got nil"},
  {"create_all with url", function() metadata:create_all("sqlite://") end,
    "ArgumentError", 'MetaData:create_all: expected an Engine or a Connection, got string "sqlite://"'},
  {"reserved nothing; empty name", function() return (ag.Table("", ag.MetaData(), {})) end,
    "ArgumentError", "ag.Table: expected the table's name, got string \"\""},
  {"naming convention bad token", function()
    local m = ag.MetaData{naming_convention = {ix = "ix_%(tabel_name)s"}}
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer, {index = true})})
    return (ag.CreateIndex(t.indexes[1]))
  end,
    "ArgumentError", "naming convention: unknown token '%(tabel_name)s'"},
  {"check without name conv", function()
    local m = ag.MetaData{naming_convention = {ck = "ck_%(table_name)s_%(constraint_name)s"}}
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer), ag.CheckConstraint("a > 1")})
    return (ag.CreateTable(t):compile().string)
  end,
    "InvalidRequestError", "the naming convention of a constraint of table 't' uses %(constraint_name)s, so that the constraint needs a name"},
  {"server_default number", function() return (ag.Column("x", ag.Integer, {server_default = 5})) end,
    "ArgumentError",
      "ag.Column: option 'server_default': expected a string, an expression, ag.FetchedValue, ag.Computed or ag.Identity, got " ..
      "number 5"},
  {"TypeDecorator no impl", function() return (ag.TypeDecorator{process_bind_param = function() end}) end,
    "ArgumentError", "ag.TypeDecorator: option 'impl': expected a type (ag.Text, ag.String(50) …), got nil"},
  {"TypeDecorator misspelt", function() return (ag.TypeDecorator{impl = ag.Text, process_bind_parameter = function() end}) end,
    "ArgumentError", "ag.TypeDecorator: unknown option 'process_bind_parameter'; did you mean 'process_bind_param'?"},
  {"date bad", function() return (ag.date("2024-13-01")) end,
    "DataError", '"2024-13-01" is not a date: the form is YYYY-MM-DD'},
  {"datetime os.time", function() return (ag.datetime(1704445200)) end,
    "ArgumentError", "bad argument #1 to ag.datetime: expected a text YYYY-MM-DD HH:MM:SS or a table {year, month, day, …}, got number 1704445200"},
  {"decimal float", function() return (ag.decimal(1.5)) end,
    "ArgumentError", 'bad argument #1 to ag.decimal: a float is not exact: write it as text, ag.decimal("1.50")'},
  {"decimal bad", function() return (ag.decimal("abc")) end,
    "DataError", '"abc" is not a decimal number'},
  {"interval bad", function() return (ag.interval{day = 1}) end,
    "ArgumentError", "ag.interval: unknown option 'day'; did you mean 'days'?"},
  {"naive vs zoned", function() return (ag.datetime("2024-01-01 00:00:00") < ag.datetime("2024-01-01 00:00:00+00:00")) end,
    "ArgumentError", "a datetime with an offset cannot be compared with one without"},
  {"decimal + float", function() return (ag.decimal("1.5") + 1.5) end,
    "ArgumentError", 'cannot compute a decimal + number 1.5: a float is not exact, write ag.decimal("…")'},
  {"date + number", function() return (ag.date("2024-01-01") + 1) end,
    "ArgumentError", "cannot compute a date + number 1"},
  {"list at the end of a function", function() return (ag.func.percentile_disc({0.25, 0.5})) end,
    "ArgumentError",
      "func.percentile_disc: a table at the end is options: a list as an argument is written ag.literal(list, type), or " ..
      "ag.postgresql.array(list)"},
}

describe("a newcomer's mistakes: parameters, inserts, results, schema", function()
  for _, mistake in ipairs(list) do
    it(mistake[1], function() mistakes.check(mistake) end)
  end
end)
