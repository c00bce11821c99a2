// Bounces, read as strictly as RFC 2045, 3464 and 6522 write them.
#include "bounce.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "utf8.hpp"

namespace gateway {
namespace {

// Fields are those of a header or of one group of a status part, unfolded, in their order.
using Fields = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
    lines.push_back(text.substr(begin, end - begin));
    EXPECT_LE(lines.back().size(), 998U);
    EXPECT_EQ(lines.back().find_first_of(std::string("\r\n\0", 3)), std::string::npos);
  }
  EXPECT_EQ(begin, text.size()) << "the last line has no end";
  return lines;
}

Fields fields_of(const std::vector<std::string>& lines) {
  Fields fields;
  for (const auto& line : lines) {
    if (line.front() == ' ' || line.front() == '\t') {
      if (fields.empty()) ADD_FAILURE() << "folded, but the first: " << line;
      fields.back().second += line;
      continue;
    }
    const auto colon = line.find(": ");
    EXPECT_NE(colon, std::string::npos) << line;
    fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return fields;
}

// Entity is a header and what stands behind its empty line.
struct Entity {
  Fields fields;
  std::vector<std::string> body;

  std::string field(const std::string& name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "none";
  }
};

Entity entity_of(const std::vector<std::string>& lines) {
  const auto empty = std::find(lines.begin(), lines.end(), "");
  EXPECT_NE(empty, lines.end());
  return {fields_of({lines.begin(), empty}), {empty + 1, lines.end()}};
}

// parts_of splits a multipart body at its delimiters.
std::vector<Entity> parts_of(const Entity& whole) {
  std::smatch match;
  const std::string type = whole.field("Content-Type");
  const std::regex kType(
      "multipart/report; report-type=delivery-status;\\s+boundary=\"([^\"]{1,70})\"");
  if (!std::regex_match(type, match, kType)) {
    ADD_FAILURE() << type;
    return {};
  }
  const std::string delimiter = "--" + match[1].str();
  std::vector<Entity> parts;
  std::vector<std::string> part;
  bool inside = false;
  bool closed = false;
  for (const auto& line : whole.body) {
    EXPECT_FALSE(closed) << "behind the end: " << line;
    const bool border = line.rfind(delimiter, 0) == 0;
    if (!border) {
      EXPECT_TRUE(inside) << "in front of the first part: " << line;
      part.push_back(line);
      continue;
    }
    // The line ending in front of a delimiter belongs to it, so what a part ends with is its own.
    if (inside) parts.push_back(entity_of(part));
    part.clear();
    inside = true;
    closed = line == delimiter + "--";
    EXPECT_TRUE(closed || line == delimiter) << line;
  }
  EXPECT_TRUE(closed);
  return parts;
}

// groups_of splits a status part at its empty lines.
std::vector<Fields> groups_of(const std::vector<std::string>& lines) {
  std::vector<std::vector<std::string>> groups(1);
  for (const auto& line : lines) {
    if (!line.empty()) {
      groups.back().push_back(line);
    } else if (!groups.back().empty()) {
      groups.emplace_back();
    }
  }
  if (groups.back().empty()) groups.pop_back();
  std::vector<Fields> fields;
  for (const auto& group : groups) fields.push_back(fields_of(group));
  return fields;
}

const char kDate[] = "Thu, 1 Jan 1970 00:00:05 \\+0000";

// expect_group checks names and values, these as regular expressions, in their order.
void expect_group(const Fields& group, const Fields& expected) {
  ASSERT_EQ(group.size(), expected.size()) << ::testing::PrintToString(group);
  for (std::size_t i = 0; i < group.size(); ++i) {
    EXPECT_EQ(group[i].first, expected[i].first);
    EXPECT_TRUE(std::regex_match(group[i].second, std::regex(expected[i].second)))
        << group[i].second << " is not " << expected[i].second;
  }
}

Envelope original_of(const std::string& sender) {
  Envelope original;
  original.id = 40;
  original.sender = sender;
  original.received = TimePoint(std::chrono::seconds(5));
  return original;
}

Envelope envelope_of_bounce() {
  Envelope bounce;
  bounce.id = 41;
  bounce.received = TimePoint(std::chrono::seconds(5));
  return bounce;
}

TEST(Bounce, IsAReportAfterRfc3464) {
  Envelope bounce = envelope_of_bounce();
  const std::string text = make_bounce(
      "gw.test", bounce, original_of("a@a.test"),
      {{"x@b.test", "5.1.1", "550 5.1.1 no (in reply to RCPT)", "550 5.1.1 no\r\nX: evil",
        "mx.b.test"},
       {"y@b.test", "4.4.1", "cannot connect: refused (the lifetime of the message has ended)", "",
        ""},
       {"z@b.test", "5.6.3", "the next hop does not take 8-bit content", "", "192.0.2.7"}},
      "Subject: hello\r\nX: y\r\n");
  const Entity whole = entity_of(lines_of(text));
  EXPECT_EQ(whole.field("From"), "Mail gateway <postmaster@gw.test>");
  EXPECT_EQ(whole.field("To"), "<a@a.test>");
  EXPECT_TRUE(std::regex_match(whole.field("Date"), std::regex(kDate)));
  EXPECT_EQ(whole.field("Message-ID"), "<19@gw.test>");
  EXPECT_EQ(whole.field("Auto-Submitted"), "auto-replied");
  EXPECT_EQ(whole.field("MIME-Version"), "1.0");
  const auto parts = parts_of(whole);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].fields, (Fields{{"Content-Type", "text/plain; charset=us-ascii"}}));
  EXPECT_EQ(parts[1].fields, (Fields{{"Content-Type", "message/delivery-status"}}));
  EXPECT_EQ(parts[2].fields, (Fields{{"Content-Type", "text/rfc822-headers"}}));
  EXPECT_EQ(parts[2].body, (std::vector<std::string>{"Subject: hello", "X: y", ""}));
  const auto groups = groups_of(parts[1].body);
  ASSERT_EQ(groups.size(), 4U);
  expect_group(
      groups[0],
      {{"Reporting-MTA", "dns; gw\\.test"}, {"Arrival-Date", kDate}, {"X-Queue-Id", "18"}});
  expect_group(groups[1], {{"Final-Recipient", "rfc822; x@b\\.test"},
                           {"Action", "failed"},
                           {"Status", "5\\.1\\.1"},
                           {"Remote-MTA", "dns; mx\\.b\\.test"},
                           {"Diagnostic-Code", "smtp; 550 5\\.1\\.1 no\\?\\?X: evil"},
                           {"Last-Attempt-Date", kDate}});
  expect_group(groups[2], {{"Final-Recipient", "rfc822; y@b\\.test"},
                           {"Action", "failed"},
                           {"Status", "4\\.4\\.1"},
                           {"Last-Attempt-Date", kDate}});
  expect_group(groups[3], {{"Final-Recipient", "rfc822; z@b\\.test"},
                           {"Action", "failed"},
                           {"Status", "5\\.6\\.3"},
                           {"Remote-MTA", "dns; \\[192\\.0\\.2\\.7\\]"},
                           {"Last-Attempt-Date", kDate}});
  EXPECT_TRUE(is_ascii(text));
  EXPECT_EQ(bounce.size, text.size());
  EXPECT_FALSE(bounce.eight_bit || bounce.smtputf8);
}

TEST(Bounce, NamesAnAddressInUtf8AsOne) {
  Envelope bounce = envelope_of_bounce();
  const std::string recipient = "\xc3\xa9@b.test";
  const std::string text =
      make_bounce("::1", bounce, original_of("a@a.test"), {{recipient, "5.6.7", "no", "", ""}}, "");
  const Entity whole = entity_of(lines_of(text));
  EXPECT_EQ(whole.field("From"), "Mail gateway <postmaster@[IPv6:::1]>");
  const auto parts = parts_of(whole);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(parts[0].field("Content-Transfer-Encoding"), "8bit");
  EXPECT_EQ(parts[1].field("Content-Type"), "message/global-delivery-status");
  EXPECT_EQ(parts[1].field("Content-Transfer-Encoding"), "8bit");
  EXPECT_EQ(parts[2].field("Content-Type"), "text/rfc822-headers");
  const auto groups = groups_of(parts[1].body);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].front().second, "dns; [IPv6:::1]");
  EXPECT_EQ(groups[1].front().second, "utf-8; " + recipient);
  // Its own header is ASCII: 8BITMIME will do.
  EXPECT_TRUE(bounce.eight_bit);
  EXPECT_FALSE(bounce.smtputf8);
}

TEST(Bounce, ToASenderInUtf8NeedsSmtputf8) {
  Envelope bounce = envelope_of_bounce();
  const std::string text = make_bounce("gw.test", bounce, original_of("\xc3\xa9@a.test"),
                                       {{"x@b.test", "5.1.1", "no", "", ""}}, "");
  const auto parts = parts_of(entity_of(lines_of(text)));
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[1].field("Content-Type"), "message/delivery-status");
  EXPECT_TRUE(bounce.smtputf8 && bounce.utf8_header && bounce.eight_bit);
}

TEST(Bounce, HasNoLineThatIsTooLong) {
  Envelope bounce = envelope_of_bounce();
  const std::string longest(255, 'n');
  const std::string address = std::string(64, 'l') + "@" + std::string(250, 'd');
  const std::string wild = std::string(5000, 'w') + "\r\n\xff";
  const std::string text =
      make_bounce(longest, bounce, original_of(address), {{address, "5.1.1", wild, wild, longest}},
                  header_of("A: " + std::string(5000, 'a') + "\r\n\r\nbody"));
  EXPECT_EQ(parts_of(entity_of(lines_of(text))).size(), 3U);
  EXPECT_EQ(text.find("body"), std::string::npos);
}

TEST(Bounce, ReturnsAHeaderOfAsciiOnly) {
  EXPECT_EQ(header_of("Subject: \xc3\xa9\r\nX: y\r\n\r\nbody"), "Subject: ??\r\nX: y\r\n");
  EXPECT_EQ(header_of("A: \x01\x7f\t" + std::string(2000, 'a') + "\r\nB: b\r\n\r\n"),
            "A: ??\t" + std::string(992, 'a') + "\r\nB: b\r\n");
}

}  // namespace
}  // namespace gateway
