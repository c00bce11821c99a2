#include "run/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace postern {
namespace {

int wrong(const reports::Tally& tally) {
  return tally.fail + tally.error + tally.inconclusive + tally.invalid;
}

}  // namespace

Progress::Progress(std::size_t cases, bool quiet)
    : cases_(cases),
      terminal_(::isatty(STDERR_FILENO) == 1),
      quiet_(quiet),
      begin_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

void Progress::draw() {
  constexpr int kWidth = 20;  // All of it within 80 columns: what is wider cannot be drawn over.
  const int done = total_.chosen();
  const int filled =
      cases_ == 0
          ? kWidth
          : std::min(kWidth, static_cast<int>(kWidth * static_cast<std::size_t>(done) / cases_));
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  fmt::print(stderr, "\r\x1b[K[{}{}] {} of {} cases, {} not passed, {:.0f} s",
             std::string(static_cast<std::size_t>(filled), '#'),
             std::string(static_cast<std::size_t>(kWidth - filled), ' '), done, cases_,
             wrong(total_), seconds);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::done(const std::string& suite, const reports::Tally& tally, double seconds) {
  total_.pass += tally.pass;
  total_.fail += tally.fail;
  total_.error += tally.error;
  total_.inconclusive += tally.inconclusive;
  total_.invalid += tally.invalid;
  total_.skip += tally.skip;
  if (terminal_) {
    draw();
  } else if (!quiet_) {
    std::fflush(stdout);  // Both may go to one file, and what stands there is told first.
    fmt::print(stderr, "{}: {} {}, {} not passed, {:.1f} s\n", suite, tally.chosen(),
               tally.chosen() == 1 ? "case" : "cases", wrong(tally), seconds);
  }
}

}  // namespace postern
