#include "queue.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "mint.hpp"
#include "tls_context.hpp"

namespace gateway {
namespace {

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-queue-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~QueueTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Queue> open() {
    return std::make_unique<Queue>(context_.get_executor(), folder_, [this] { ++flushes_; });
  }

  static Envelope envelope_of(std::uint64_t id) {
    Envelope envelope;
    envelope.id = id;
    envelope.sender = "a@a.test";
    envelope.received = TimePoint(Duration(5));
    envelope.size = 3;
    envelope.recipients.resize(2);
    envelope.recipients[0].address = "x@b.test";
    envelope.recipients[1].address = "y@b.test";
    envelope.recipients[1].number = 1;
    return envelope;
  }

  std::string folder_;
  boost::asio::io_context context_;
  // Without it a turn with nothing to do would stop the context for good.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  int flushes_ = 0;
};

TEST_F(QueueTest, AGroupIsRecordedFlushedAndThenResumed) {
  const auto queue = open();
  queue->load();
  std::string order;
  for (int i = 1; i <= 2; ++i) {
    Job job;
    job.work = [i](Database& database) {
      database.insert(envelope_of(static_cast<std::uint64_t>(i)), "abc");
    };
    job.record = [&](const std::string& error) { order += error.empty() ? "r" : "!"; };
    job.resume = [&](const std::string&) { order += flushes_ > 0 ? "R" : "?"; };
    queue->post(std::move(job));
  }
  while (queue->pending() > 0) context_.run_one();
  EXPECT_TRUE(order == "rrRR" || order == "rRrR") << order;
}

TEST_F(QueueTest, OneBadJobDoesNotFailItsGroup) {
  const auto queue = open();
  queue->load();
  std::vector<std::string> errors(3);
  for (std::size_t i = 0; i < 3; ++i) {
    Job job;
    job.work = [i](Database& database) {
      database.insert(envelope_of(i + 1), "abc");
      if (i == 1) throw std::runtime_error("bad job");
    };
    job.record = [&errors, i](const std::string& error) { errors[i] = error; };
    queue->post(std::move(job));
  }
  while (queue->pending() > 0) context_.run_one();
  EXPECT_EQ(errors, (std::vector<std::string>{"", "bad job", ""}));
}

TEST_F(QueueTest, WhatIsCompleteSurvivesAndWhatIsNotIsRemoved) {
  {
    Database database(folder_ + "/queue.db", Database::Mode::write);
    database.begin();
    database.insert(envelope_of(7), "abc");
    database.insert_incomplete(8);
    database.append_chunk(8, 0, "lost");
    database.insert_incomplete(9);
    database.append_chunk(9, 0, "one");
    database.append_chunk(9, 1, "two");
    database.complete(envelope_of(9));
    Recipient later = envelope_of(7).recipients[0];
    later.attempts = 3;
    later.reason = "why";
    database.defer_recipient(7, later);
    database.remove_recipient(7, 1);
    database.commit();
  }
  const auto queue = open();
  const auto messages = queue->load();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].id, 7U);
  ASSERT_EQ(messages[0].recipients.size(), 1U);
  EXPECT_EQ(messages[0].recipients[0].attempts, 3U);
  EXPECT_EQ(messages[0].recipients[0].reason, "why");
  EXPECT_EQ(messages[1].recipients.size(), 2U);
  EXPECT_GT(queue->next_id(), 9U);
  std::string text;
  boost::asio::co_spawn(
      context_,
      [](Queue* from, std::string* to) -> boost::asio::awaitable<void> {
        for (std::uint64_t i = 0; i < 3; ++i) *to += co_await from->body_piece(9, i) + "|";
        *to += co_await from->body_piece(7, 0);
        *to += co_await from->body_piece(8, 0);
      }(queue.get(), &text),
      [this](std::exception_ptr) { work_.reset(); });
  context_.run();
  EXPECT_EQ(text, "one|two||abc");
}

// The tables as the first gateways made them, with a message.
constexpr const char* kVersion0 = R"(
CREATE TABLE message(
  id INTEGER PRIMARY KEY, sender TEXT NOT NULL, received INTEGER NOT NULL, size INTEGER NOT NULL,
  eight_bit INTEGER NOT NULL, declared_8bit INTEGER NOT NULL, complete INTEGER NOT NULL, body BLOB);
CREATE TABLE chunk(
  message INTEGER NOT NULL, sequence INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(message, sequence));
CREATE TABLE recipient(
  message INTEGER NOT NULL, number INTEGER NOT NULL, address TEXT NOT NULL,
  attempts INTEGER NOT NULL, next_attempt INTEGER NOT NULL, enhanced TEXT NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY(message, number)) WITHOUT ROWID;
INSERT INTO message VALUES(7,'a@a.test',5,3,1,0,1,x'616263');
INSERT INTO recipient VALUES(7,0,'x@b.test',2,9,'4.2.1','later');
)";

void write_database(const std::string& file, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
}

TEST_F(QueueTest, AQueueOfAnEarlierVersionIsConverted) {
  const std::string file = folder_ + "/queue.db";
  write_database(file, kVersion0);
  EXPECT_THROW(Database(file, Database::Mode::read), DatabaseError);
  Envelope fresh = envelope_of(8);
  fresh.smtputf8 = true;
  fresh.utf8_header = true;
  {
    Database database(file, Database::Mode::write);
    const auto messages = database.messages();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].sender, "a@a.test");
    EXPECT_TRUE(messages[0].eight_bit);
    EXPECT_FALSE(messages[0].smtputf8);
    ASSERT_EQ(messages[0].recipients.size(), 1U);
    EXPECT_EQ(messages[0].recipients[0].attempts, 2U);
    EXPECT_EQ(database.body_piece(7, 0), "abc");
    database.begin();
    database.insert(fresh, "xyz");
    fresh.id = 9;
    database.insert_incomplete(9);
    database.complete(fresh);
    database.commit();
  }
  Database again(file, Database::Mode::read);
  const auto messages = again.messages();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_FALSE(messages[0].utf8_header);
  for (const std::size_t i : {1, 2}) {
    EXPECT_TRUE(messages[i].smtputf8 && messages[i].utf8_header) << i;
  }
}

TEST_F(QueueTest, AQueueOfALaterVersionIsRefused) {
  const std::string file = folder_ + "/queue.db";
  write_database(file, "PRAGMA user_version=2");
  for (const auto mode : {Database::Mode::write, Database::Mode::read}) {
    try {
      Database(file, mode);
      ADD_FAILURE() << "it was opened";
    } catch (const DatabaseError& error) {
      EXPECT_EQ(
          std::string(error.what()),
          file + ": found version 2 of the queue; allowed: up to 1. A later gateway has used it");
    }
  }
}

TEST_F(QueueTest, IdsRiseAndReadWell) {
  const auto queue = open();
  queue->load();
  const auto first = queue->next_id();
  EXPECT_LT(first, queue->next_id());
  EXPECT_EQ(queue_id(32), "10");
}

TEST_F(QueueTest, OneGatewayAtATime) {
  const auto queue = open();
  EXPECT_THROW(open(), DatabaseError);
}

struct DnsId {
  const char* presented;
  const char* host;
  bool matches;
};

TEST(Certificate, DnsIdsAfterRfc9525) {
  const DnsId kTable[] = {
      {"mx.a.test", "mx.a.test", true},
      {"MX.A.TEST", "mx.a.test", true},
      {"*.a.test", "mx.a.test", true},
      {"*.test", "mx.test", true},
      {"*.a.test", "a.test", false},
      {"*.a.test", "x.mx.a.test", false},
      {"m*.a.test", "mx.a.test", false},
      {"*x.a.test", "mx.a.test", false},
      {"mx.*.test", "mx.a.test", false},
      {"*.*.test", "mx.a.test", false},
      {"*", "mx", false},
      {"", "", false},
      {"mx.a.test", "mx.b.test", false},
      {"*.a.test", ".a.test", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(dns_id_matches(row.presented, row.host), row.matches)
        << row.presented << " for " << row.host;
  }
  EXPECT_FALSE(dns_id_matches(std::string_view("mx.a.test\0.evil", 15), "mx.a.test"));
}

TEST(Mint, IssuesWhatTheGatewayAccepts) {
  const Mint mint("CA");
  const PemPair pair = mint.issue("gw.test", "serverAuth");
  EXPECT_NE(pair.certificate.find("BEGIN CERTIFICATE"), std::string::npos);
  EXPECT_NE(pair.key.find("BEGIN PRIVATE KEY"), std::string::npos);
  EXPECT_NE(pair.key, mint.issue("gw.test", "serverAuth").key);
}

}  // namespace
}  // namespace gateway
