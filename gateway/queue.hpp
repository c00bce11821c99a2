// The queue: messages on disk, one storage thread, group commit. A group is whatever waits when
// the last commit ends, so that one sync serves many messages.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "database.hpp"
#include "message.hpp"

namespace gateway {

namespace asio = boost::asio;

// Job is a piece of work for the storage thread. `work` runs there, inside a transaction. Then, on
// the thread of the executor: first the `record` of every job of the group, then one call of the
// queue's `flush`, then `resume` of each. So what a job records is written before anybody acts on
// it. `error` is empty where the job is durably done.
struct Job {
  std::function<void(Database&)> work;
  std::function<void(const std::string& error)> record;
  std::function<void(const std::string& error)> resume;
  // A lazy job waits a moment for others to share their sync: nobody is told before it is done.
  bool lazy = false;
};

// Queue owns the folder `data` (one gateway at a time, by a lock) and the thread.
class Queue {
 public:
  // The constructor opens or makes the folder. It throws DatabaseError when it cannot, or when
  // another gateway uses it.
  Queue(asio::any_io_executor executor, const std::string& folder, std::function<void()> flush);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // set_idle sets what is called whenever the last job waited for is done.
  void set_idle(std::function<void()> idle) { idle_ = std::move(idle); }

  // load returns what an earlier run left. To be called once, before any job.
  std::vector<Envelope> load();

  // next_id makes a new message id.
  std::uint64_t next_id();

  // post hands a job over; it never waits.
  void post(Job job);

  // perform is post and waits until the job is done. It returns the error, empty if there is none.
  asio::awaitable<std::string> perform(std::function<void(Database&)> work,
                                       std::function<void(const std::string&)> record,
                                       bool lazy = false);

  // body_piece reads a piece of a stored body (see Database::body_piece).
  asio::awaitable<std::string> body_piece(std::uint64_t id, std::uint64_t sequence);

  // close writes what waits and ends the thread; jobs posted later are never done.
  void close();

  // pending counts jobs whose resume has not been called yet.
  std::size_t pending() const { return pending_; }

  // commits counts groups committed, for the benchmark.
  std::uint64_t commits() const { return commits_; }

 private:
  struct Done {
    Job job;
    std::string error;
  };

  void lock(const std::string& folder);
  void run();
  std::vector<Done> run_group(std::deque<Job> group);
  void hand_back(std::vector<Done> done);

  asio::any_io_executor executor_;
  std::function<void()> flush_;
  std::function<void()> idle_;
  int lock_ = -1;
  std::unique_ptr<Database> database_;
  std::uint64_t last_id_ = 0;
  std::size_t pending_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::mutex mutex_;
  std::condition_variable work_came_;
  std::deque<Job> waiting_;
  bool urgent_ = false;  // something that waits is not lazy
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gateway
