#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// TLS records as they stand on the wire (RFC 8446 §5.1), for what no TLS library does.

namespace postern {

/// TlsRecord is one record; its payload may be encrypted.
struct TlsRecord {
  static constexpr int kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kData = 23;
  int type = 0;
  std::string payload;

  /// alert gives the number of an alert in clear text; -1 if this is none.
  int alert() const;
};

/// TlsRecords cuts a stream into records.
class TlsRecords {
 public:
  void feed(std::string_view bytes) { bytes_ += bytes; }

  /// next takes the next whole record off; nothing while it is not whole, or the stream is no TLS.
  std::optional<TlsRecord> next();

  /// foreign tells whether what comes next is no TLS record; rest gives it.
  bool foreign() const;
  const std::string& rest() const { return bytes_; }

 private:
  std::string bytes_;
};

/// whole_record gives the size of the record that `bytes` begin with, header included; 0 where that
/// is none, or not there as a whole.
std::size_t whole_record(std::string_view bytes);

/// record_of writes one record of TLS 1.2's form.
std::string record_of(int type, std::string_view payload);

/// reframed cuts the handshake records of `flight` that are in clear text into records of `size`
/// bytes at most. From the first other record on, and in later flights where `encrypted` is set
/// then, all stays as it is.
std::string reframed(std::string_view flight, std::size_t size, bool& encrypted);

}  // namespace postern
