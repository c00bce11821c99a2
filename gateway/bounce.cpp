#include "bounce.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "utf8.hpp"

namespace gateway {
namespace {

constexpr std::size_t kLargestHeader = 16 * 1024;

// RFC 5322 section 2.1.1: octets of a line without its CRLF; a reason shares its line with a name.
constexpr std::size_t kLongestLine = 998;
constexpr std::size_t kLongestReason = 512;

// one_line makes foreign text fit for a header field of ASCII.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestReason)) out += c < 0x20 || c >= 0x7f ? '?' : c;
  return out;
}

// mta_name is a name as the type dns wants it (RFC 3464 section 2.1.2): an address stands in
// brackets.
std::string mta_name(const std::string& host) {
  const auto address = IpAddress::parse(host);
  return address ? address->literal() : host;
}

std::string human_part(const std::string& gateway_name, const std::vector<Failure>& failures) {
  std::string text = fmt::format(
      "This is the mail gateway {}.\r\n\r\n"
      "Your message could not be delivered to the recipients below. It has been given up.\r\n",
      gateway_name);
  for (const auto& failure : failures) {
    text += fmt::format("\r\n<{}>: {} {}\r\n", failure.recipient, failure.enhanced,
                        one_line(failure.reason));
  }
  return text;
}

// status_part is RFC 3464 section 2. There is a Remote-MTA only where one was reached, and a
// Diagnostic-Code only where it replied: what the gateway found itself is no SMTP reply, and stands
// in the part for people.
std::string status_part(const std::string& gateway_name, const Envelope& bounce,
                        const Envelope& original, const std::vector<Failure>& failures) {
  std::string text =
      fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\nX-Queue-Id: {}\r\n",
                  mta_name(gateway_name), rfc5322_date(original.received), queue_id(original.id));
  for (const auto& failure : failures) {
    // A 4.x.x that ran out of time is final now, but keeps its code: it says what is known (RFC
    // 3464 section 2.3.4). An address that is not ASCII has a type of its own (RFC 6533 section 3).
    text += fmt::format("\r\nFinal-Recipient: {}; {}\r\nAction: failed\r\nStatus: {}\r\n",
                        is_ascii(failure.recipient) ? "rfc822" : "utf-8", failure.recipient,
                        failure.enhanced);
    if (!failure.next_hop.empty()) {
      text += fmt::format("Remote-MTA: dns; {}\r\n", mta_name(failure.next_hop));
    }
    if (!failure.reply.empty()) {
      text += fmt::format("Diagnostic-Code: smtp; {}\r\n", one_line(failure.reply));
    }
    text += fmt::format("Last-Attempt-Date: {}\r\n", rfc5322_date(bounce.received));
  }
  return text;
}

// part is one of the three. `utf8_type` is its type where there is UTF-8 inside.
std::string part(const std::string& boundary, std::string_view type, const std::string& text,
                 std::string_view utf8_type = {}) {
  const bool ascii = is_ascii(text);
  return fmt::format("--{}\r\nContent-Type: {}\r\n{}\r\n{}\r\n", boundary, ascii ? type : utf8_type,
                     ascii ? "" : "Content-Transfer-Encoding: 8bit\r\n", text);
}

}  // namespace

std::string header_of(std::string_view first_piece) {
  auto end = first_piece.find("\r\n\r\n");
  std::string_view header =
      end == std::string_view::npos ? first_piece : first_piece.substr(0, end + 2);
  if (header.size() > kLargestHeader) {
    end = header.rfind("\r\n", kLargestHeader);
    header = end == std::string_view::npos ? std::string_view() : header.substr(0, end + 2);
  }
  std::string out;
  while (!header.empty()) {
    const std::string_view line = header.substr(0, header.find("\r\n"));
    for (const char c : line.substr(0, kLongestLine)) {
      out += (c < 0x20 && c != '\t') || c >= 0x7f ? '?' : c;
    }
    out += "\r\n";
    header.remove_prefix(std::min(line.size() + 2, header.size()));
  }
  return out;
}

std::string make_bounce(const std::string& gateway_name, Envelope& bounce, const Envelope& original,
                        const std::vector<Failure>& failures, const std::string& original_header) {
  const std::string id = queue_id(bounce.id);
  const std::string boundary = fmt::format("={}/{}=", id, queue_id(original.id));
  const std::string header = fmt::format(
      "Received: by {} id {};\r\n\t{}\r\n"
      "From: Mail gateway <postmaster@{}>\r\n"
      "To: <{}>\r\n"
      "Subject: Your message could not be delivered\r\n"
      "Date: {}\r\n"
      "Message-ID: <{}@{}>\r\n"
      "Auto-Submitted: auto-replied\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
      "\tboundary=\"{}\"\r\n\r\n",
      gateway_name, id, rfc5322_date(bounce.received), mta_name(gateway_name), original.sender,
      rfc5322_date(bounce.received), id, mta_name(gateway_name), boundary);
  std::string content = header;
  content += part(boundary, "text/plain; charset=us-ascii", human_part(gateway_name, failures),
                  "text/plain; charset=utf-8");
  content +=
      part(boundary, "message/delivery-status",
           status_part(gateway_name, bounce, original, failures), "message/global-delivery-status");
  content += part(boundary, "text/rfc822-headers", original_header);
  content += fmt::format("--{}--\r\n", boundary);
  bounce.size = content.size();
  bounce.eight_bit = !is_ascii(content);
  bounce.utf8_header = !is_ascii(header);
  bounce.smtputf8 = bounce.utf8_header;
  return content;
}

}  // namespace gateway
