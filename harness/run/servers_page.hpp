#pragma once

namespace postern {

/// kServersPage is page/servers.html, built into the program: a mustache template.
extern const char* const kServersPage;

}  // namespace postern
