-- What the reflection of SQLite is compared with SQLAlchemy's over (reflection.py): one statement ends with `;` at the end of a line.
ATTACH ':memory:' AS other;
ATTACH ':memory:' AS "odd sch""ema";
create table plain (id integer primary key, a text, b varchar(20) not null default 'x', c numeric(10,2) default 1.5, d datetime default
current_timestamp, e blob default x'01', f boolean default true, g real default -1e5, h int default (1+2), j text default
'it''s', k default null, l text default (lower('A')), m int default +5, n int default - 5);
create table auto (id integer primary key autoincrement, x);
create table wr (a text, b int, primary key (a, b)) without rowid;
create table st (a int primary key, b text, c any, d blob, e real) strict;
create table sw (a int primary key, b text) strict, without rowid;
create table types (a bigint, b bool, c char(5), d character(20), e varying character(255), f nchar(55), g native character(70), h nvarchar(100),
i clob, j double, k double precision, l float, m float(8), n float(8,2), o decimal(10,5), p decimal, q date, r datetime, s time, t timestamp, u
int2, v int8, w tinyint, x mediumint, y unsigned big int, z "weird type",  cc json, dd jsonb, ee uuid, ff xyz(2,1), gg
text(12), hh blob(5), ii numeric(5), jj numeric( 5 , 2 ), kk smallint(3), ll integer(11), mm "varchar(7)", nn datetime(6), oo timestamp(3), pp
string, qq charint, rr floating point, ss time_char, tt money, uu long, vv varbinary(10), ww binary, xx real(3), yy bigint unsigned, zz "", a1
numeric(-5,+2), a2 timestamp with time zone, a3 enum, a4 [bracket type] , a5 `tick type`(4));
create table qq ("a ""q" int, `b ``t` int, [c d] int, 'e str' int, "f.g" int, "h:i" int, "select" int, j$k int, é int, constraint "uq ""x" unique
("a ""q", `b ``t`), constraint [ck x] check ([c d] > 0), constraint `fk y` foreign key ("f.g") references "tab ""le" ("x y"), check ("h:i" in
(')', '(')), unique ([c d]));
create table "tab ""le" ("x y" int primary key, "i(d" int unique, "z)" text);
create table [br ack] (a int references "tab ""le"("i(d"), b int references [br ack](a) , unique (a));
create table `tick` (`id` integer not null primary key);
create table 'single' (a int);
create table comments ( -- first, with ' and " and (
 a int, /* multi ) , line
 */ b int /* x */ default /* y */ 5 -- end
 , constraint -- name
 ck /* c */ check /* d */ (a > 0 -- inner )
 and b < 5), unique -- u
 (a /* ) */ , b), foreign key (a) /* z */ references plain -- p
 (id) on delete cascade);
create table unnamed (a int unique, b int check (b > 1) check (b < 9), c int references plain, d int references plain (id) on delete set null on
update cascade deferrable initially deferred, e text collate nocase unique, f int not null on conflict replace unique on conflict ignore, primary
key (a, b) on conflict abort, unique (c, d) on conflict fail, foreign key (c, d) references wr2, check (c <> d));
create table wr2 (x int, y int, primary key (y, x));
create table named (a int constraint nn not null constraint u1 unique constraint c1 check (a > 0) constraint d1 default 5 constraint f1 references
plain(id), b int constraint pk1 primary key, c int constraint u2 unique constraint c2 check(c>0), constraint u3 unique (a, c), constraint c3 check
(a <> c), constraint f3 foreign key (a, c) references wr2 (x, y) match full not deferrable initially immediate);
create table gen (a int, b int generated always as (a * 2), c int as (a + 1) stored, d text generated always as (a || ',)(') virtual, e text not
null as (coalesce(a, 'x')) , f int default 5, g as (a+f));
create table fks (a int references plain on delete no action on update restrict, b int references plain(id) deferrable, c int references plain(id)
deferrable initially immediate, d int references plain(id) not deferrable, e int references plain(id) not deferrable initially deferred, f int, g
int, h int references gone, i int references PLAIN(ID), j int references v1(a), foreign key (f) references plain(id) on delete set default on
update set null, foreign key (f, g) references wr2 (y, x) , foreign key (g) references gone(zz), foreign key (a) references plain, foreign key (a)
references plain(id));
create table fksn (a int, constraint one foreign key (a) references plain (id), constraint two foreign key (a) references plain (id) on delete
cascade, constraint "th ree" foreign key (a) references "tab ""le" ("i(d"));
create table selfref (id integer primary key, p int references selfref, q int references selfref (id));
create table cyc1 (id integer primary key, c int references cyc2 (id));
create table cyc2 (id integer primary key, c int references cyc1);
create table ixs (a int, b text, c text collate nocase, d int);
create index i1 on ixs (a);
create unique index i2 on ixs (a desc, b asc, c collate binary desc);
create index i3 on ixs (lower(b));
create index i4 on ixs (a, lower(b) desc, c) where a > 5 and b is not null;
create index "i ""5" on ixs (b) where (b = 'x where y');
create unique index i6 on ixs (c collate nocase) WHERE a in (1,2);
create index [i7] on "ixs"([a] , `b`);
create index i8 on ixs (a + d, (a));
create index i9 on ixs (b) -- comment where
 where /* x */ d > 1;
create index ia on ixs ("a" DESC);
create table uqs (a int, b int, c int, unique (a, b), unique (b, a), unique (a), constraint x unique (c), constraint "x y" unique (c, a), unique
(A, C));
create unique index uqi on uqs (a, b, c);
create table checks (a int check (a > 0), b text check(b in ('a','b''c', ')')), c int CONSTRAINT col CHECK (c > 0) DEFAULT 5, check (length(b) >
(1 + (2))), constraint n1 check (a between 1 and 5), constraint "n 2" check (b like '%check (x)%'), check
 (a
 <> 5), constraint n3 CHECK(a is not null), constraint [n4] check ((a) or (b)), constraint `n5` check (c), constraint 'n6'
check (1), CONSTRAINT n7 CHECK (case when a then 1 else 0 end));
create table pk1 (a int, b int, constraint mypk primary key (b, a));
create table pk2 (a integer constraint "my pk" primary key asc autoincrement);
create table pk3 (a int primary key desc);
create table pk4 (a, b, primary key (a desc, b collate nocase));
create table pk5 (a text not null primary key);
create table pk6 (a integer, primary key (a autoincrement));
create table nopk (a);
create table ctas as select 1 as a, 'x' as b, id as c, b as "d e" from plain;
create view v1 as select a, b from ixs;
create view v2 (x, "y z") as select 1, 'two';
create temp view tv as select 1 as one;
create view v3 as select cast(a as varchar(10)) as a, a + 1 as b, (select 1) c from ixs;
create temp table tt (id integer primary key, a int references tt, b text unique, check (a > 0));
create temp table plain (zz int);
create index temp.tix on tt (a);
create temp table onlyt (a);
create table other.o1 (id integer primary key, a int references o2 (id), b int unique, constraint oc check (b > 0));
create table other.o2 (id integer primary key autoincrement, x text default 'y');
create index other.oix on o1 (a, b);
create view other.ov as select * from o1;
create table other.plain (only_other int primary key);
create unique index other.oix2 on o2 (x) where x <> 'a';
create table "odd sch""ema"."t 1" (a int primary key, b int references "t 1");
create index "odd sch""ema"."i x" on "t 1" (b);
create table "%pct" ("a%s" int primary key, "b%%c" int references "%pct");
create table UPPER (ID integer primary key, Ref int references upper (id), unique (REF));
create table sqliteish (a);
create table "sqlite""x" (a);
create table if not exists   spaced   (  a   int   ,  b   int   );
create table altered (a int, constraint ac check (a > 0));
alter table altered add column b int references plain (id);
alter table altered add column c text default 'z' check (c <> 'q');
alter table altered rename column a to a2;
alter table altered rename to altered2;
alter table altered2 add column d int generated always as (a2 + 1) virtual;
create table long_def (a text default 'a;b', b text default ('x' || 'y'), c text default (datetime('now', 'localtime')), d int default (case when 1 then 2 end), e text default '--x', f text default '/*', g default 1.0e10, h default .5, i default 0x1F, j default TRUE, k default CURRENT_DATE, l default (null), m text default '', n default ((1)), o text default ( 'sp' ));
create table coll (a text collate nocase, b varchar(5) collate rtrim, c text collate "binary", d int collate nocase, e varchar collate nocase not
null default 'x');
create table kw ("constraint" int, "check" int, "unique" int unique, "primary" int, "references" int, "foreign" int references kw ("unique"),
check ("check" > 0), constraint "constraint" unique ("constraint", "check"));
create table nl (
a
int
not
null
,
b
varchar
(
5
)
);
create table tabs (	a	int	primary	key	,	b	text	);
