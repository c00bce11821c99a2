#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "judge/traffic.hpp"
#include "result.hpp"

// A folder for each case that somebody will want to look into, with all that is known of it.

namespace postern {

/// Bundles writes them while a run goes on. One thread at a time.
class Bundles {
 public:
  /// kFailing is how many cases that did not pass get a bundle where not all do.
  static constexpr int kFailing = 100;

  /// The constructor makes the folder `path`, or, for a name that ends in ".zip", one beside it
  /// that finish packs. What an earlier run wrote there is replaced. Throws std::runtime_error
  /// where it cannot, or where something else is there.
  Bundles(const std::string& path, bool all, reports::RunHeader header);
  /// The destructor removes the folder of what is packed.
  ~Bundles();
  Bundles(const Bundles&) = delete;
  Bundles& operator=(const Bundles&) = delete;

  /// add writes the bundle of a case, if it is to have one. `traffic` is nullptr, and
  /// `configuration` empty, where the case was not played. Throws
  /// std::runtime_error where a file cannot be written.
  void add(const reports::CaseResult& result, const Traffic* traffic,
           const std::string& configuration, std::int64_t epoch);

  /// finish packs what is to be packed, and says in one line what was written; "" for nothing.
  /// Throws std::runtime_error where it cannot be packed: the folder then stays.
  std::string finish();

  /// give_up has nothing packed any more. It removes the folder and returns true; while finish is
  /// at work it returns false, and finish does so. From any thread, but not during add.
  bool give_up();
  bool given_up() const { return state_ == State::kGivenUp; }
  bool packed() const { return packed_; }

 private:
  enum class State { kOpen, kFinishing, kGivenUp };
  bool pack();
  void remove_packed();
  std::filesystem::path folder_of(const std::string& id);
  std::string about(const reports::CaseResult& result, const Traffic* traffic,
                    bool has_configuration) const;

  std::string path_;
  bool all_, packed_;
  reports::RunHeader header_;
  std::filesystem::path folder_;
  std::map<std::string, int> names_;  ///< How often each was used.
  int written_ = 0, left_out_ = 0;
  std::atomic<State> state_{State::kOpen};
};

}  // namespace postern
