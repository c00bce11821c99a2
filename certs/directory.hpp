#pragma once

#include <string>

#include "authority.hpp"

// The PKI as files, for programs that read certificates from files.

namespace postern::certs {

/// write_directory does what Authority::write says. Everything is minted, and every place looked
/// at, before the first file is written; each file appears whole or not at all.
void write_directory(const Authority& authority, const std::string& directory);

}  // namespace postern::certs
