#include "incoming.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>

namespace gateway {
namespace {

// IncomingTest has a queue in a temporary folder and room for 1000 octets in memory.
class IncomingTest : public ::testing::Test {
 protected:
  IncomingTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-incoming-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    queue_ = std::make_unique<Queue>(context_.get_executor(), folder_ + "/a/b", [] {});
    queue_->load();
    services_ = std::make_unique<Services>(
        Services{context_.get_executor(), journal_, *queue_, nullptr, nullptr, {}, {}, false, {}});
    limits_.memory = 1000;
  }
  ~IncomingTest() override {
    services_.reset();
    queue_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string run(asio::awaitable<std::string> work) {
    std::string result = "never ended";
    const auto store = [](asio::awaitable<std::string> inner,
                          std::string* into) -> asio::awaitable<void> {
      *into = co_await std::move(inner);
    };
    asio::co_spawn(context_, store(std::move(work), &result), asio::detached);
    context_.restart();
    while (result == "never ended") context_.run_one();
    return result;
  }

  std::string absorb(Incoming& incoming, std::size_t octets) {
    return run(incoming.absorb(std::string(octets, 'x')));
  }

  // piece is what is on disk of a message.
  std::string piece(std::uint64_t id, std::uint64_t sequence) {
    return run(queue_->body_piece(id, sequence));
  }

  std::shared_ptr<const Envelope> envelope(std::uint64_t id) const {
    Envelope made;
    made.id = id;
    made.recipients.resize(1);
    return std::make_shared<const Envelope>(made);
  }

  std::string folder_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  Journal journal_{"/dev/null"};
  Limits limits_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Services> services_;
};

TEST_F(IncomingTest, WhatComesInCountsAndGoesToDiskOnceTheMemoryIsUsedUp) {
  Incoming first(*services_, limits_, 1);
  Incoming second(*services_, limits_, 2);
  EXPECT_EQ(absorb(first, 600), "");
  EXPECT_EQ(absorb(second, 600), "");
  EXPECT_EQ(piece(2, 0).size(), 600U);
  BodyInMemory kept;
  EXPECT_EQ(run(first.store(envelope(1), kept, [] {})), "");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->size(), 600U);
  // The first message still takes its part, now as one to be delivered.
  EXPECT_EQ(absorb(second, 500), "");
  EXPECT_EQ(piece(2, 1).size(), 500U);
  kept = nullptr;
  EXPECT_EQ(run(second.store(envelope(2), kept, [] {})), "");
  EXPECT_EQ(kept, nullptr);
  Incoming third(*services_, limits_, 3);
  EXPECT_EQ(absorb(third, 1000), "");
  EXPECT_EQ(run(third.store(envelope(3), kept, [] {})), "");
  EXPECT_NE(kept, nullptr);
}

TEST_F(IncomingTest, ADiscardedMessageGivesItsMemoryBack) {
  Incoming first(*services_, limits_, 1);
  EXPECT_EQ(absorb(first, 900), "");
  first.discard();
  Incoming second(*services_, limits_, 2);
  EXPECT_EQ(absorb(second, 900), "");
  BodyInMemory kept;
  EXPECT_EQ(run(second.store(envelope(2), kept, [] {})), "");
  EXPECT_NE(kept, nullptr);
}

TEST_F(IncomingTest, NothingIsLeftOnDiskWhenTheLastPieceCannotBeWritten) {
  Incoming incoming(*services_, limits_, 1);
  EXPECT_EQ(absorb(incoming, 1500), "");
  EXPECT_EQ(absorb(incoming, 200), "");
  // Another piece stands where the last one is to go.
  std::function<void(Database&)> squat = [](Database& database) {
    database.append_chunk(1, 1, "squatter");
  };
  EXPECT_EQ(run(queue_->perform(squat, nullptr)), "");
  BodyInMemory kept;
  EXPECT_NE(run(incoming.store(envelope(1), kept, [] {})), "");
  EXPECT_EQ(piece(1, 0), "");
}

}  // namespace
}  // namespace gateway
