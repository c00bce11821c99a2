#pragma once

#include <chrono>
#include <memory>
#include <set>

#include <boost/asio/any_io_executor.hpp>

// Every wait of a peer is bounded here, in one place: a coarse clock that ends waits which have
// lasted too long. It costs nothing on the connections that behave.

namespace postern {

/// Waiting is something that can be ended by the clock.
class Waiting {
 public:
  virtual ~Waiting() = default;
  /// expire ends the wait at once; the waiter sees a timeout.
  virtual void expire() = 0;

  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// Patience watches the waits of one thread. It must outlive them; stop it before its executor.
class Patience {
 public:
  explicit Patience(boost::asio::any_io_executor executor);
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  void add(Waiting& waiting) { waiting_.insert(&waiting); }
  void remove(Waiting& waiting) { waiting_.erase(&waiting); }

  /// expire_all ends every wait now.
  void expire_all();

  /// stop lets the executor run out of work.
  void stop();

 private:
  struct Clock;
  void tick();

  std::set<Waiting*> waiting_;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now();
  std::shared_ptr<Clock> clock_;
};

}  // namespace postern
