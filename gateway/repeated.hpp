// A timer for what is to be done again and again while the gateway runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "values.hpp"

namespace gateway {

namespace asio = boost::asio;

// Repeated calls a function on the executor's thread, `interval` apart, until it is stopped or
// destroyed.
class Repeated {
 public:
  Repeated(const asio::any_io_executor& executor, Duration interval, std::function<void()> call);
  ~Repeated();
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;

  // start has it called for the first time in one interval.
  void start();

  // stop may be called from within the function.
  void stop();

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace gateway
