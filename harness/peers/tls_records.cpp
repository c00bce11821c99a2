#include "peers/tls_records.hpp"

#include <algorithm>

namespace postern {
namespace {

constexpr std::size_t kHeader = 5;

std::size_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

// is_foreign tells whether what begins so is no TLS record.
bool is_foreign(std::string_view bytes) {
  if (bytes.empty()) return false;
  const std::size_t type = byte_at(bytes, 0);
  constexpr std::size_t kMajorVersion = 3;
  return type < TlsRecord::kChangeCipherSpec || type > TlsRecord::kData ||
         (bytes.size() > 1 && byte_at(bytes, 1) != kMajorVersion);
}

}  // namespace

int TlsRecord::alert() const {
  constexpr std::size_t kLevelAndNumber = 2;
  if (type != kAlert || payload.size() != kLevelAndNumber) return -1;
  return static_cast<int>(byte_at(payload, 1));
}

bool TlsRecords::foreign() const {
  return is_foreign(bytes_);
}

std::size_t whole_record(std::string_view bytes) {
  if (is_foreign(bytes) || bytes.size() < kHeader) return 0;
  const std::size_t size = kHeader + byte_at(bytes, 3) * 256 + byte_at(bytes, 4);
  return size <= bytes.size() ? size : 0;
}

std::optional<TlsRecord> TlsRecords::next() {
  const std::size_t size = whole_record(bytes_);
  if (size == 0) return std::nullopt;
  TlsRecord record{static_cast<int>(byte_at(bytes_, 0)), bytes_.substr(kHeader, size - kHeader)};
  bytes_.erase(0, size);
  return record;
}

std::string record_of(int type, std::string_view payload) {
  std::string record = {static_cast<char>(type), 3, 3, static_cast<char>(payload.size() / 256),
                        static_cast<char>(payload.size() % 256)};
  return record.append(payload);
}

std::string reframed(std::string_view flight, std::size_t size, bool& encrypted) {
  std::string cut;
  while (!encrypted && flight.size() >= kHeader &&
         byte_at(flight, 0) == static_cast<std::size_t>(TlsRecord::kHandshake)) {
    const std::size_t length = byte_at(flight, 3) * 256 + byte_at(flight, 4);
    const std::string_view header = flight.substr(0, 3);
    std::string_view payload = flight.substr(kHeader, length);
    flight.remove_prefix(std::min(flight.size(), kHeader + length));
    while (!payload.empty()) {
      const std::string_view piece = payload.substr(0, size);
      cut += header;
      cut += static_cast<char>(piece.size() / 256);
      cut += static_cast<char>(piece.size() % 256);
      cut += piece;
      payload.remove_prefix(piece.size());
    }
  }
  encrypted = encrypted || !flight.empty();
  return cut.append(flight);
}

}  // namespace postern
