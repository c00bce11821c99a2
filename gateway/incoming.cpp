#include "incoming.hpp"

namespace gateway {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

asio::awaitable<std::string> Incoming::absorb(std::string content) {
  const bool paid = services_.memory.grow(share_, content.size(), limits_.memory);
  if (body_.empty()) {
    body_ = std::move(content);
  } else {
    body_ += content;
  }
  if (body_.empty()) co_return std::string();
  // Where no memory is left the disk takes every piece, however small.
  const bool large = chunks_ > 0 || body_.size() > limits_.large_message;
  if (paid && (!large || body_.size() < kChunk)) co_return std::string();
  co_return co_await spill();
}

asio::awaitable<std::string> Incoming::spill() {
  const auto chunk = std::make_shared<const std::string>(std::move(body_));
  body_ = {};
  std::function<void(Database&)> work = [chunk, id = id_, sequence = chunks_](Database& database) {
    if (sequence == 0) database.insert_incomplete(id);
    database.append_chunk(id, sequence, *chunk);
  };
  ++chunks_;
  std::string error = co_await services_.queue.perform(std::move(work), nullptr);
  share_.release();
  co_return error;
}

asio::awaitable<std::string> Incoming::store(std::shared_ptr<const Envelope> envelope,
                                             BodyInMemory& kept, std::function<void()> record) {
  std::string error;
  if (chunks_ > 0 && !body_.empty()) error = co_await spill();
  if (!error.empty()) {
    discard();
    co_return error;
  }
  // What no chunk was written of was paid for in full.
  if (chunks_ == 0) kept = hold_body(std::move(body_), std::move(share_));
  std::function<void(Database&)> work = [envelope, body = kept](Database& database) {
    if (body) {
      database.insert(*envelope, *body);
    } else {
      database.complete(*envelope);
    }
  };
  std::function<void(const std::string&)> recorded = [record](const std::string& failure) {
    if (failure.empty()) record();
  };
  error = co_await services_.queue.perform(std::move(work), std::move(recorded));
  if (!error.empty()) discard();
  co_return error;
}

void Incoming::discard() {
  body_.clear();
  share_.release();
  if (chunks_ == 0) return;
  chunks_ = 0;
  Job job;
  job.work = [id = id_](Database& database) { database.remove(id); };
  services_.queue.post(std::move(job));
}

}  // namespace gateway
