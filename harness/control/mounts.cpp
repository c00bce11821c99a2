#include "control/mounts.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace postern {

namespace {

constexpr int kCannotExecute = 126;  // As shells say it.

// escaped_for_overlay escapes what has a meaning among the options of overlayfs.
std::string escaped_for_overlay(const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (c == '\\' || c == ':' || c == ',') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void say(const char* text) {
  const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(written);
}

[[noreturn]] void give_up(const char* what, const char* source, const char* target) {
  const char* why = ::strerrordesc_np(errno);
  for (const char* piece : {"postern: ", what, " ", source, target[0] == '\0' ? "" : " on ", target,
                            ": ", why == nullptr ? "?" : why, "\n"})
    say(piece);
  ::_exit(kCannotExecute);
}

MountCall call_of(const Mount& mount, const std::string& source) {
  if (mount.kind == Mount::Kind::kBind) return {source, mount.on, "", MS_BIND, ""};
  return {"overlay", mount.on, "overlay", MS_RDONLY,
          "lowerdir=" + escaped_for_overlay(source) + ":" + escaped_for_overlay(mount.on)};
}

}  // namespace

std::vector<MountCall> expand_mounts(Template& text, const std::vector<Mount>& mounts,
                                     const std::string& packages) {
  std::vector<MountCall> calls;
  for (const Mount& mount : mounts) {
    if (packages.empty() && mount.from.starts_with("${packages}")) continue;
    const Expansion from = text.expand(mount.from);
    if (!from.error.empty()) throw std::invalid_argument(mount.place.text() + ": " + from.error);
    calls.push_back(call_of(mount, from.text));
  }
  return calls;
}

void enter_own_machine(const std::vector<MountCall>& calls) {
  if (calls.empty()) return;
  if (::unshare(CLONE_NEWNS) != 0) give_up("cannot make", "a mount namespace", "");
  // What is mounted here is to reach nobody else.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    give_up("cannot keep mounts", "private", "");
  for (const MountCall& call : calls) {
    const char* type = call.type.empty() ? nullptr : call.type.c_str();
    if (::mount(call.source.c_str(), call.target.c_str(), type, call.flags, call.data.c_str()) != 0)
      give_up("cannot mount", call.data.empty() ? call.source.c_str() : call.data.c_str(),
              call.target.c_str());
  }
}

}  // namespace postern
