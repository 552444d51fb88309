//! The two dialects of the one schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use loket::v1::GetTicketRequest;

use crate::support::{Cluster, Database, Desk, draft};

fn migrations_of(dialect: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect)
}

fn migrations(dialect: &str) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(migrations_of(dialect)).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

/// What was dropped at once, since no release had it.
const NEVER_RELEASED: [&str; 2] = ["recent_requesters", "tickets_requester"];

/// Tables with their columns and keys, and indexes, as all the migrations of a dialect leave them.
fn schema(dialect: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in migrations(dialect).into_values() {
        for statement in statements(&fs::read_to_string(path.join("up.sql")).unwrap()) {
            if let Some(gone) = statement.strip_prefix("DROP ") {
                let (kind, name) = gone.split_once(' ').unwrap();
                let gone = all.remove(&format!("{} {name}", kind.to_lowercase()));
                assert!(kind == "INDEX" || NEVER_RELEASED.contains(&name), "{dialect}: {statement}");
                assert!(gone.is_some() || kind == "TRIGGER", "{dialect}: there is nothing for {statement}");
                continue;
            }
            let (name, parts) = declared(&statement).unwrap_or_else(|| panic!("{dialect}: what is this? {statement}"));
            if statement.starts_with("ALTER TABLE") {
                all.get_mut(&name).unwrap_or_else(|| panic!("{dialect}: no {name}")).extend(parts);
                continue;
            }
            assert!(all.insert(name, parts).is_none(), "{dialect}: declared twice: {statement}");
        }
    }
    all
}

fn statements(sql: &str) -> Vec<String> {
    let code: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
    let code = code.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let statements = code.split(';').map(|statement| statement.trim().to_owned());
    // What SQLite's planner should expect is no part of the schema, nor is what fills a table.
    let others = ["ANALYZE", "CREATE TRIGGER", "END", "INSERT INTO", "SELECT"];
    let is_schema = |statement: &String| {
        !statement.contains("sqlite_stat") && !others.iter().any(|other| statement.starts_with(other))
    };
    statements.filter(|statement| !statement.is_empty() && is_schema(statement)).collect()
}

/// What a statement declares, with what differs between the dialects by their nature evened out.
fn declared(statement: &str) -> Option<(String, Vec<String>)> {
    let even = statement.replace(" COLLATE \"C\"", "").replace(" BYTEA", " BLOB").replace(" WITHOUT ROWID", "");
    let words: Vec<_> = even.split(' ').collect();
    match words.as_slice() {
        ["CREATE", "TABLE", name, ..] => {
            let body = even[even.find('(')? + 1..even.rfind(')')?].trim().to_owned();
            let mut parts = Vec::new();
            let mut depth = 0;
            for character in body.chars() {
                match character {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    ',' if depth == 0 => {
                        parts.push(String::new());
                        continue;
                    }
                    _ => {}
                }
                if parts.is_empty() {
                    parts.push(String::new());
                }
                parts.last_mut()?.push(character);
            }
            Some((format!("table {name}"), parts.into_iter().map(|part| part.trim().to_owned()).collect()))
        }
        // A migration only adds, and an older server writes rows without what is new.
        ["ALTER", "TABLE", name, "ADD", "COLUMN", column @ ..] if column.contains(&"DEFAULT") => {
            Some((format!("table {name}"), vec![column.join(" ")]))
        }
        ["CREATE", "INDEX", name, "ON", ..] | ["CREATE", "UNIQUE", "INDEX", name, "ON", ..] => {
            Some((format!("index {name}"), vec![even.clone()]))
        }
        _ => None,
    }
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let names = |dialect| migrations(dialect).into_keys().collect::<BTreeSet<_>>();
    assert_eq!(names("sqlite"), names("postgres"));
    for path in migrations("sqlite").into_values().chain(migrations("postgres").into_values()) {
        assert!(path.join("up.sql").exists() && path.join("down.sql").exists(), "{}", path.display());
    }
}

#[test]
fn both_dialects_declare_the_same_tables_columns_keys_and_indexes() {
    let (mut sqlite, postgres) = (schema("sqlite"), schema("postgres"));
    assert!(sqlite.len() > 10);
    // On SQLite one index is made of two parts.
    for part in ["index tickets_with_requester", "table requester_ends", "table requester_tickets"] {
        assert!(sqlite.remove(part).is_some(), "{part}");
    }
    let index = "index tickets_by_requester";
    assert!(sqlite.insert(index.to_owned(), postgres[index].clone()).is_none());
    assert_eq!(sqlite, postgres);
}

/// So that the tables distribute by it: design section 7.
#[test]
fn every_primary_key_and_index_begins_with_the_helpdesk() {
    for (name, parts) in schema("postgres") {
        if name.starts_with("table ") {
            let keyed = parts.iter().any(|part| {
                part.starts_with("PRIMARY KEY (helpdesk")
                    || (part.starts_with("helpdesk ") && part.contains("PRIMARY KEY"))
            });
            assert!(keyed, "{name}: {parts:?}");
        } else {
            assert!(parts[0].contains("(helpdesk"), "{name}: {parts:?}");
        }
    }
}

/// ARCHITECTURE gives the statements that distribute the tables; one that is forgotten stays on one machine.
#[test]
fn every_table_is_in_the_list_that_distributes_them() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let listed = page.lines().filter_map(|line| line.split_once("create_distributed_table('")?.1.split('\'').next());
    let listed: BTreeSet<_> = listed.map(str::to_owned).collect();
    let tables = schema("postgres").into_keys().filter_map(|name| name.strip_prefix("table ").map(str::to_owned));
    assert_eq!(tables.collect::<BTreeSet<_>>(), listed);
}

/// What the texts are ordered by must not depend on where a server was set up.
#[test]
fn every_text_on_postgresql_is_compared_by_code_points() {
    for path in migrations("postgres").into_values() {
        for line in fs::read_to_string(path.join("up.sql")).unwrap().lines() {
            assert!(!line.contains(" TEXT") || line.contains(" TEXT COLLATE \"C\""), "{line}");
        }
    }
}

#[test]
fn what_goes_up_comes_down() {
    for dialect in ["sqlite", "postgres"] {
        for path in migrations(dialect).into_values() {
            let up = statements(&fs::read_to_string(path.join("up.sql")).unwrap());
            let tables: BTreeSet<_> = up
                .iter()
                .filter(|statement| statement.starts_with("CREATE"))
                .filter_map(|statement| declared(statement))
                .map(|(name, _)| name)
                .filter_map(|name| name.strip_prefix("table ").map(str::to_owned))
                .collect();
            let down = statements(&fs::read_to_string(path.join("down.sql")).unwrap());
            let dropped: BTreeSet<_> =
                down.iter().filter_map(|statement| statement.strip_prefix("DROP TABLE ")).map(str::to_owned).collect();
            assert_eq!(tables, dropped, "{}", path.display());
        }
    }
}

#[test]
fn up_down_and_up_again_on_sqlite() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let migrations = FileBasedMigrations::from_path(migrations_of("sqlite")).unwrap();
    let seen = |connection: &mut SqliteConnection| {
        let objects = "SELECT coalesce(group_concat(sql, ';' ORDER BY name), '') AS sql FROM sqlite_master
                       WHERE name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";
        diesel::dsl::sql::<Text>(&format!("SELECT sql FROM ({objects})")).get_result::<String>(connection).unwrap()
    };
    connection.run_pending_migrations(migrations.clone()).unwrap();
    let up = seen(&mut connection);
    assert!(up.contains("CREATE TABLE tickets"));
    connection.revert_all_migrations(migrations.clone()).unwrap();
    assert_eq!(seen(&mut connection), "");
    connection.run_pending_migrations(migrations).unwrap();
    assert_eq!(seen(&mut connection), up);
}

#[test]
fn up_down_and_up_again_on_postgres() {
    let mut connection = PgConnection::establish(&Cluster::shared().create_database()).unwrap();
    let migrations = FileBasedMigrations::from_path(migrations_of("postgres")).unwrap();
    connection.run_pending_migrations(migrations.clone()).unwrap();
    let up = (postgres_columns(&mut connection), postgres_indexes(&mut connection));
    assert!(up.0.len() > 50);
    connection.revert_all_migrations(migrations.clone()).unwrap();
    assert_eq!(postgres_columns(&mut connection), Vec::<String>::new());
    connection.run_pending_migrations(migrations).unwrap();
    assert_eq!((postgres_columns(&mut connection), postgres_indexes(&mut connection)), up);
}

/// What the databases themselves say of the tables that the migrations made.
#[test]
fn both_databases_report_the_same_columns_keys_and_indexes() {
    let mut postgres = PgConnection::establish(&Cluster::shared().create_database()).unwrap();
    let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
    postgres.run_pending_migrations(FileBasedMigrations::from_path(migrations_of("postgres")).unwrap()).unwrap();
    sqlite.run_pending_migrations(FileBasedMigrations::from_path(migrations_of("sqlite")).unwrap()).unwrap();
    let columns = "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'BLOB' THEN 'bytea' ELSE lower(c.type) END
                       || CASE c.\"notnull\" WHEN 1 THEN ' NO' ELSE ' YES' END AS line
                   FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
                   WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'";
    assert_eq!(shared(postgres_columns(&mut postgres)), shared(lines(&mut sqlite, columns)));
    // Keys have names of their own on each.
    let indexes = "SELECT m.name || ' ' || CASE WHEN l.origin = 'pk' THEN 'key' ELSE l.name END || ' ' || l.\"unique\" || l.partial
                       || (SELECT group_concat(' ' || i.name, '' ORDER BY i.seqno) FROM pragma_index_info(l.name) AS i) AS line
                   FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS l
                   WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'";
    assert_eq!(shared(postgres_indexes(&mut postgres)), shared(lines(&mut sqlite, indexes)));
}

/// Without the index that is made of two parts on SQLite.
fn shared(mut lines: Vec<String>) -> Vec<String> {
    let of_one =
        ["tickets tickets_by_requester", "tickets tickets_with_requester", "requester_ends", "requester_tickets"];
    let before = lines.len();
    lines.retain(|line| !of_one.iter().any(|start| line.starts_with(start)));
    assert!(lines.len() + 6 >= before, "no more than that index is left out");
    lines
}

fn postgres_columns(connection: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
               FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'";
    lines(connection, sql)
}

fn postgres_indexes(connection: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT t.relname || ' ' || CASE WHEN x.indisprimary THEN 'key' ELSE i.relname END || ' '
                   || x.indisunique::int || (x.indpred IS NOT NULL)::int
                   || (SELECT string_agg(' ' || a.attname, '' ORDER BY a.attnum) FROM pg_attribute AS a
                       WHERE a.attrelid = i.oid) AS line
               FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
               WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_\\_diesel%'";
    lines(connection, sql)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines<C>(connection: &mut C, sql: &str) -> Vec<String>
where
    C: diesel::connection::LoadConnection,
    for<'q> diesel::query_builder::SqlQuery: diesel::query_dsl::LoadQuery<'q, C, Line>,
{
    let mut lines: Vec<_> =
        diesel::sql_query(sql).load::<Line>(connection).unwrap().into_iter().map(|line| line.line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_second_server_on_the_same_sqlite_file_refuses_to_start() {
    let desk = Desk::open(Database::Sqlite).await;
    let ticket = desk.admin().create(draft("Printer")).await.unwrap();
    let config = crate::support::Options::from(Database::Sqlite).config(desk.data());
    let clock = std::sync::Arc::new(crate::support::TestClock::new());
    let refused = loket_server::serve::start(config, clock).await.err().expect("it refuses");
    let message = refused.to_string();
    assert!(message.contains("another server uses") && message.contains("loket.db"), "{message}");
    // The first goes on.
    let request = GetTicketRequest { name: ticket.name.clone(), ..GetTicketRequest::default() };
    assert_eq!(desk.admin().get_ticket(request).await.unwrap().uid, ticket.uid);
}
