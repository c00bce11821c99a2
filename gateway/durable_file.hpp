// Files written so that they are there after a crash, or not at all.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

// write_durably makes the folder of `path` where it is missing and writes the file under another
// name first; it syncs before the file appears. It throws std::runtime_error.
void write_durably(const std::string& path, std::string_view content, int mode = 0644);

}  // namespace gateway
