#include "incoming.hpp"

#include "delivery.hpp"

namespace gateway {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

asio::awaitable<std::string> Incoming::absorb(std::string content) {
  if (body_.empty()) {
    body_ = std::move(content);
  } else {
    body_ += content;
  }
  const bool large = chunks_ > 0 || body_.size() > limits_.large_message;
  if (!large || body_.size() < kChunk) co_return std::string();
  co_return co_await spill();
}

asio::awaitable<std::string> Incoming::spill() {
  const auto chunk = std::make_shared<const std::string>(std::move(body_));
  body_.clear();
  std::function<void(Database&)> work = [chunk, id = id_, sequence = chunks_](Database& database) {
    if (sequence == 0) database.insert_incomplete(id);
    database.append_chunk(id, sequence, *chunk);
  };
  ++chunks_;
  co_return co_await services_.queue.perform(std::move(work), nullptr);
}

asio::awaitable<std::string> Incoming::store(Envelope envelope, std::function<void()> record) {
  if (chunks_ > 0 && !body_.empty()) {
    std::string error = co_await spill();
    if (!error.empty()) co_return error;
  }
  const auto shared = std::make_shared<const Envelope>(std::move(envelope));
  BodyInMemory kept;
  std::shared_ptr<const std::string> body;
  if (chunks_ == 0) {
    body = kept = services_.memory.hold(body_, limits_.memory);
    if (!body) body = std::make_shared<const std::string>(std::move(body_));
  }
  std::function<void(Database&)> work = [shared, body](Database& database) {
    if (body) {
      database.insert(*shared, *body);
    } else {
      database.complete(*shared);
    }
  };
  std::function<void(const std::string&)> recorded = [record](const std::string& error) {
    if (error.empty()) record();
  };
  std::string error = co_await services_.queue.perform(std::move(work), std::move(recorded));
  if (error.empty()) {
    services_.delivery->add(*shared, std::move(kept));
  } else {
    discard();
  }
  co_return error;
}

void Incoming::discard() {
  body_.clear();
  if (chunks_ == 0) return;
  chunks_ = 0;
  Job job;
  job.work = [id = id_](Database& database) { database.remove(id); };
  services_.queue.post(std::move(job));
}

}  // namespace gateway
