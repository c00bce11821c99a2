// Files written so that they are there after a crash, or not at all.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

// write_durably makes the folder of `path` where it is missing and writes the file under another
// name first; it syncs before the file appears. It throws std::runtime_error.
void write_durably(const std::string& path, std::string_view content, int mode = 0600);

// make_folders makes `folder` and what is missing above it, for the owner only, and syncs the
// folder that holds each, so that what is stored inside is still found after a crash. It throws
// std::runtime_error.
void make_folders(const std::string& folder);

}  // namespace gateway
