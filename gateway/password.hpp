// Passwords, kept so that whoever reads the configuration does not learn them: scrypt (RFC 7914).
#pragma once

#include <string>
#include <string_view>

namespace gateway {

// hash_password makes `scrypt$N$r$p$SALT$KEY` of a password, with a salt of its own. It throws
// std::runtime_error where OpenSSL fails.
std::string hash_password(std::string_view password);

// password_hash_error says what is wrong with `hash` and what is allowed; empty where it is one.
std::string password_hash_error(std::string_view hash);

// password_matches tells whether `hash` was made of `password`. The comparison takes as long
// wherever they differ. It takes some 200 ms and 32 MB: not for the thread that serves mail.
bool password_matches(std::string_view password, std::string_view hash);

// random_word is `octets` random octets in hexadecimal. It throws std::runtime_error.
std::string random_word(std::size_t octets);

// same_secret compares in a time that does not depend on where the two differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace gateway
