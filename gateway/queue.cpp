#include "queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "durable_file.hpp"

namespace gateway {
namespace {

// What a lazy job may wait: long enough to meet others under load, too short to be noticed.
constexpr auto kLazyWait = std::chrono::milliseconds(4);

}  // namespace

Queue::Queue(asio::any_io_executor executor, const std::string& folder, std::function<void()> flush)
    : executor_(std::move(executor)), flush_(std::move(flush)) {
  try {
    make_folders(folder);
  } catch (const std::runtime_error& error) {
    throw DatabaseError(error.what());
  }
  lock(folder);
  database_ = std::make_unique<Database>(folder + "/queue.db", Database::Mode::write);
}

void Queue::lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) {
    throw DatabaseError(fmt::format("{}: cannot open it: {}", path, std::strerror(errno)));
  }
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw DatabaseError(fmt::format("{}: another gateway uses this folder", path));
  }
}

Queue::~Queue() {
  close();
  database_.reset();
  ::close(lock_);
}

void Queue::close() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
  }
  work_came_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::vector<Envelope> Queue::load() {
  database_->begin();
  database_->remove_incomplete();
  database_->commit();
  std::vector<Envelope> messages = database_->messages();
  for (const auto& envelope : messages) last_id_ = std::max(last_id_, envelope.id);
  thread_ = std::thread([this] { run(); });
  return messages;
}

std::uint64_t Queue::next_id() {
  const auto micros = static_cast<std::uint64_t>(now().time_since_epoch().count());
  last_id_ = std::max(last_id_ + 1, micros);
  return last_id_;
}

void Queue::post(Job job) {
  ++pending_;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    urgent_ = urgent_ || !job.lazy;
    waiting_.push_back(std::move(job));
  }
  work_came_.notify_one();
}

void Queue::run() {
  for (;;) {
    std::deque<Job> group;
    {
      std::unique_lock<std::mutex> guard(mutex_);
      work_came_.wait(guard, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work_came_.wait_for(guard, kLazyWait, [this] { return stopping_ || urgent_; });
      group.swap(waiting_);
      urgent_ = false;
    }
    auto done = std::make_shared<std::vector<Done>>(run_group(std::move(group)));
    asio::post(executor_, [this, done] { hand_back(std::move(*done)); });
  }
}

std::vector<Queue::Done> Queue::run_group(std::deque<Job> group) {
  std::vector<Done> done;
  done.reserve(group.size());
  for (auto& job : group) done.push_back({std::move(job), {}});
  const auto attempt = [this](auto begin, auto end) -> std::string {
    try {
      database_->begin();
      for (auto it = begin; it != end; ++it) it->job.work(*database_);
      database_->commit();
      ++commits_;
      return {};
    } catch (const std::exception& error) {
      const std::string what = error.what();
      try {
        database_->rollback();
      } catch (const DatabaseError&) {
        // The transaction is gone either way.
      }
      return what;
    }
  };
  if (!attempt(done.begin(), done.end()).empty()) {
    // One bad job must not fail the others: each gets a transaction of its own.
    for (auto it = done.begin(); it != done.end(); ++it) it->error = attempt(it, it + 1);
  }
  return done;
}

void Queue::hand_back(std::vector<Done> done) {
  for (auto& each : done) {
    if (each.job.record) each.job.record(each.error);
  }
  flush_();
  for (auto& each : done) {
    --pending_;
    if (each.job.resume) each.job.resume(each.error);
  }
  if (pending_ == 0 && idle_) idle_();
}

asio::awaitable<std::string> Queue::perform(std::function<void(Database&)> work,
                                            std::function<void(const std::string&)> record,
                                            bool lazy) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  job->record = std::move(record);
  job->lazy = lazy;
  const auto initiation = [this, job](auto handler) {
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    job->resume = [shared](const std::string& error) { std::move (*shared)(error); };
    post(std::move(*job));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::string)>(
      initiation, asio::use_awaitable);
}

asio::awaitable<std::string> Queue::body_piece(std::uint64_t id, std::uint64_t sequence) {
  const auto piece = std::make_shared<std::string>();
  std::function<void(Database&)> work = [piece, id, sequence](Database& database) {
    *piece = database.body_piece(id, sequence);
  };
  const std::string error = co_await perform(std::move(work), nullptr);
  if (!error.empty()) throw DatabaseError(error);
  co_return std::move(*piece);
}

}  // namespace gateway
