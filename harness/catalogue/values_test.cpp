#include "catalogue/values.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

using std::chrono::milliseconds;

TEST(Values, ReadDurations) {
  EXPECT_EQ(duration_of("0"), milliseconds(0));
  EXPECT_EQ(duration_of("500ms"), milliseconds(500));
  EXPECT_EQ(duration_of("300s"), milliseconds(300'000));
  EXPECT_EQ(duration_of("2h"), milliseconds(7'200'000));
  EXPECT_EQ(duration_of("5"), std::nullopt);
  EXPECT_EQ(duration_of("-5s"), std::nullopt);
  EXPECT_EQ(duration_of("never"), std::nullopt);
  EXPECT_EQ(duration_of("99999999999999999999d"), std::nullopt);
  EXPECT_EQ(duration_of("1001d"), std::nullopt);
}

TEST(Values, ReadRawBytes) {
  std::string error;
  EXPECT_EQ(bytes_of("a\\r\\n\\t\\\\\\x7f", error), "a\r\n\t\\\x7f");
  EXPECT_EQ(bytes_of("\\0", error), std::string(1, '\0'));
  EXPECT_EQ(error, "");
  EXPECT_EQ(bytes_of("\\q", error), std::nullopt);
  EXPECT_EQ(error, "found the escape \"\\q\", allowed: \\r \\n \\t \\0 \\\\ \\xHH");
  EXPECT_EQ(bytes_of("\\x7", error), std::nullopt);
  EXPECT_EQ(bytes_of("a\\", error), std::nullopt);
}

TEST(Values, RemoveIndentation) {
  EXPECT_EQ(unindented("\n    a\n      b\n\n    c\n  "), "a\n  b\n\nc\n");
  EXPECT_EQ(unindented("one line"), "one line");
  EXPECT_EQ(unindented(""), "");
}

TEST(Values, HaveTheirForms) {
  EXPECT_TRUE(is_value(ValueType::kReplies, "250|5yz"));
  EXPECT_FALSE(is_value(ValueType::kReplies, "250|"));
  EXPECT_TRUE(is_value(ValueType::kDelay, "never"));
  EXPECT_FALSE(is_value(ValueType::kDuration, "never"));
  EXPECT_TRUE(is_value(ValueType::kFileName, "etc/main.cf"));
  EXPECT_FALSE(is_value(ValueType::kFileName, "../main.cf"));
  EXPECT_FALSE(is_value(ValueType::kFileName, "/main.cf"));
  EXPECT_FALSE(is_value(ValueType::kMode, "600"));
}

}  // namespace
}  // namespace postern
