// What the program does with its options, apart from reading them.
#pragma once

#include <optional>
#include <string>

namespace gateway {

struct Options {
  std::string file;  // empty: the simulator
  bool check = false;
  bool list_queue = false;
  bool die_with_parent = false;
  int ready_fd = -1;  // -1: the ready line goes to stdout
  bool hash_password = false;
  std::optional<std::string>
      web;  // ADDRESS:PORT; empty: where the configuration says, or by default
};

// run_program does it and returns the exit code: 0 done, 2 a bad configuration or something it
// names that cannot be used.
int run_program(const Options& options);

}  // namespace gateway
