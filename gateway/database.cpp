#include "database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdlib>

namespace gateway {
namespace {

// PRAGMA user_version of a queue. 0 is that of the first gateways, and of an empty file.
constexpr int kVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS message(
  id INTEGER PRIMARY KEY, sender TEXT NOT NULL, received INTEGER NOT NULL, size INTEGER NOT NULL,
  eight_bit INTEGER NOT NULL, declared_8bit INTEGER NOT NULL, smtputf8 INTEGER NOT NULL,
  utf8_header INTEGER NOT NULL, complete INTEGER NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS chunk(
  message INTEGER NOT NULL, sequence INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(message, sequence));
CREATE TABLE IF NOT EXISTS recipient(
  message INTEGER NOT NULL, number INTEGER NOT NULL, address TEXT NOT NULL,
  attempts INTEGER NOT NULL, next_attempt INTEGER NOT NULL, enhanced TEXT NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY(message, number)) WITHOUT ROWID;
)";

// What is written in front of a body is read without it, so new columns cannot stand behind.
constexpr const char* kFromVersion0 = R"(
INSERT INTO message SELECT id, sender, received, size, eight_bit, declared_8bit, 0, 0, complete, body
  FROM message_0;
DROP TABLE message_0;
)";

std::int64_t signed_of(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

// Statement is one use of a prepared statement: bound in order, read in order, reset at its end.
class Database::Statement {
 public:
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~Statement() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  Statement& bind(std::string_view text) {
    sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  Statement& bind_blob(std::string_view bytes) {
    sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
    return *this;
  }

  // step returns true while there are rows.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) database_.fail("step");
    return result == SQLITE_ROW;
  }
  std::int64_t number(int column) { return sqlite3_column_int64(statement_, column); }
  std::string bytes(int column) {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data ? std::string(static_cast<const char*>(data), size) : std::string();
  }

 private:
  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

std::string queue_id(std::uint64_t id) {
  constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string text;
  for (; id != 0; id /= 32) text.insert(text.begin(), kDigits[id % 32]);
  return text;
}

Database::Database(const std::string& file, Mode mode) {
  const int flags =
      mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
  if (sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    const std::string reason = sqlite3_errmsg(handle_);
    sqlite3_close(handle_);
    throw DatabaseError(fmt::format("{}: cannot open the queue: {}", file, reason));
  }
  try {
    sqlite3_busy_timeout(handle_, 10'000);
    execute("PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=FULL");
    adopt(file, mode);
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Database::fail(const char* what) {
  throw DatabaseError(fmt::format("queue database: {}: {}", what, sqlite3_errmsg(handle_)));
}

int Database::ask(const char* sql) {
  int answer = 0;
  const auto take = [](void* into, int, char** values, char**) {
    *static_cast<int*>(into) = values[0] ? std::atoi(values[0]) : 0;
    return 0;
  };
  if (sqlite3_exec(handle_, sql, take, &answer, nullptr) != SQLITE_OK) fail(sql);
  return answer;
}

// adopt makes an empty file, or one of an earlier version, one of this version: all of it or
// nothing.
void Database::adopt(const std::string& file, Mode mode) {
  const int version = ask("PRAGMA user_version");
  if (version == kVersion) return;
  if (version > kVersion) {
    throw DatabaseError(fmt::format(
        "{}: found version {} of the queue; allowed: up to {}. A later gateway has used it", file,
        version, kVersion));
  }
  if (mode == Mode::read) {
    throw DatabaseError(fmt::format(
        "{}: found version {} of the queue; allowed: {}. Start the gateway once: it converts it",
        file, version, kVersion));
  }
  execute("BEGIN IMMEDIATE");
  const bool old = ask("SELECT count(*) FROM sqlite_master WHERE name='message'") != 0;
  if (old) execute("ALTER TABLE message RENAME TO message_0");
  execute(kSchema);
  if (old) execute(kFromVersion0);
  execute(fmt::format("PRAGMA user_version={}", kVersion).c_str());
  execute("COMMIT");
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

Database::Statement Database::prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (!statement && sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                                       nullptr) != SQLITE_OK) {
    fail(sql);
  }
  return {*this, statement};
}

void Database::begin() {
  prepare("BEGIN IMMEDIATE").step();
}
void Database::commit() {
  prepare("COMMIT").step();
}
void Database::rollback() {
  if (sqlite3_get_autocommit(handle_) == 0) prepare("ROLLBACK").step();
}

void Database::insert_recipients(const Envelope& envelope) {
  for (const auto& recipient : envelope.recipients) {
    prepare("INSERT INTO recipient VALUES(?,?,?,?,?,?,?)")
        .bind(signed_of(envelope.id))
        .bind(signed_of(recipient.number))
        .bind(recipient.address)
        .bind(static_cast<std::int64_t>(recipient.attempts))
        .bind(recipient.next_attempt.time_since_epoch().count())
        .bind(recipient.enhanced)
        .bind(recipient.reason)
        .step();
  }
}

void Database::insert(const Envelope& envelope, std::string_view body) {
  prepare("INSERT INTO message VALUES(?,?,?,?,?,?,?,?,1,?)")
      .bind(signed_of(envelope.id))
      .bind(envelope.sender)
      .bind(envelope.received.time_since_epoch().count())
      .bind(signed_of(envelope.size))
      .bind(std::int64_t{envelope.eight_bit})
      .bind(std::int64_t{envelope.declared_8bit})
      .bind(std::int64_t{envelope.smtputf8})
      .bind(std::int64_t{envelope.utf8_header})
      .bind_blob(body)
      .step();
  insert_recipients(envelope);
}

void Database::insert_incomplete(std::uint64_t id) {
  prepare("INSERT INTO message VALUES(?,'',0,0,0,0,0,0,0,NULL)").bind(signed_of(id)).step();
}

void Database::append_chunk(std::uint64_t id, std::uint64_t sequence, std::string_view bytes) {
  prepare("INSERT INTO chunk VALUES(?,?,?)")
      .bind(signed_of(id))
      .bind(signed_of(sequence))
      .bind_blob(bytes)
      .step();
}

void Database::complete(const Envelope& envelope) {
  prepare(
      "UPDATE message SET sender=?, received=?, size=?, eight_bit=?, declared_8bit=?, smtputf8=?, "
      "utf8_header=?, complete=1 WHERE id=?")
      .bind(envelope.sender)
      .bind(envelope.received.time_since_epoch().count())
      .bind(signed_of(envelope.size))
      .bind(std::int64_t{envelope.eight_bit})
      .bind(std::int64_t{envelope.declared_8bit})
      .bind(std::int64_t{envelope.smtputf8})
      .bind(std::int64_t{envelope.utf8_header})
      .bind(signed_of(envelope.id))
      .step();
  insert_recipients(envelope);
}

void Database::remove(std::uint64_t id) {
  prepare("DELETE FROM recipient WHERE message=?").bind(signed_of(id)).step();
  prepare("DELETE FROM chunk WHERE message=?").bind(signed_of(id)).step();
  prepare("DELETE FROM message WHERE id=?").bind(signed_of(id)).step();
}

void Database::remove_recipient(std::uint64_t id, std::uint64_t number) {
  prepare("DELETE FROM recipient WHERE message=? AND number=?")
      .bind(signed_of(id))
      .bind(signed_of(number))
      .step();
}

void Database::defer_recipient(std::uint64_t id, const Recipient& recipient) {
  prepare(
      "UPDATE recipient SET attempts=?, next_attempt=?, enhanced=?, reason=? "
      "WHERE message=? AND number=?")
      .bind(static_cast<std::int64_t>(recipient.attempts))
      .bind(recipient.next_attempt.time_since_epoch().count())
      .bind(recipient.enhanced)
      .bind(recipient.reason)
      .bind(signed_of(id))
      .bind(signed_of(recipient.number))
      .step();
}

void Database::remove_incomplete() {
  prepare("DELETE FROM chunk WHERE message IN (SELECT id FROM message WHERE complete=0)").step();
  prepare("DELETE FROM message WHERE complete=0").step();
}

std::vector<Envelope> Database::messages() {
  std::vector<Envelope> found;
  {
    auto rows = prepare(
        "SELECT id, sender, received, size, eight_bit, declared_8bit, smtputf8, utf8_header "
        "FROM message WHERE complete=1 ORDER BY id");
    while (rows.step()) {
      Envelope envelope;
      envelope.id = static_cast<std::uint64_t>(rows.number(0));
      envelope.sender = rows.bytes(1);
      envelope.received = TimePoint(Duration(rows.number(2)));
      envelope.size = static_cast<std::uint64_t>(rows.number(3));
      envelope.eight_bit = rows.number(4) != 0;
      envelope.declared_8bit = rows.number(5) != 0;
      envelope.smtputf8 = rows.number(6) != 0;
      envelope.utf8_header = rows.number(7) != 0;
      found.push_back(std::move(envelope));
    }
  }
  for (auto& envelope : found) {
    auto rows = prepare(
        "SELECT number, address, attempts, next_attempt, enhanced, reason FROM recipient "
        "WHERE message=? ORDER BY number");
    rows.bind(signed_of(envelope.id));
    while (rows.step()) {
      Recipient recipient;
      recipient.number = static_cast<std::uint64_t>(rows.number(0));
      recipient.address = rows.bytes(1);
      recipient.attempts = static_cast<unsigned>(rows.number(2));
      recipient.next_attempt = TimePoint(Duration(rows.number(3)));
      recipient.enhanced = rows.bytes(4);
      recipient.reason = rows.bytes(5);
      envelope.recipients.push_back(std::move(recipient));
    }
  }
  return found;
}

std::string Database::body_piece(std::uint64_t id, std::uint64_t sequence) {
  if (sequence == 0) {
    auto rows = prepare("SELECT body FROM message WHERE id=? AND body IS NOT NULL");
    rows.bind(signed_of(id));
    if (rows.step()) return rows.bytes(0);
  }
  auto rows = prepare("SELECT bytes FROM chunk WHERE message=? AND sequence=?");
  rows.bind(signed_of(id)).bind(signed_of(sequence));
  return rows.step() ? rows.bytes(0) : std::string();
}

}  // namespace gateway
