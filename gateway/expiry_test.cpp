#include "expiry.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>

#include "mint.hpp"
#include "repeated.hpp"

namespace gateway {
namespace {

constexpr std::chrono::hours kDay(24);
const TimePoint kNoon{std::chrono::seconds(1'769'860'800)};  // 2026-01-31T12:00:00Z

std::vector<ExpiryWarning> warned(Duration before) {
  return expiry_warnings({{"gw.pem", "shown to clients", "CN=gw.test", kNoon}}, kNoon - before);
}

TEST(Expiry, IsWarnedAboutFrom21DaysBefore) {
  EXPECT_TRUE(warned(21 * kDay + std::chrono::seconds(1)).empty());
  ASSERT_EQ(warned(21 * kDay).size(), 1U);
  const ExpiryWarning warning = warned(21 * kDay).front();
  EXPECT_EQ(warning.file, "gw.pem");
  EXPECT_EQ(warning.purpose, "shown to clients");
  EXPECT_EQ(warning.expires, "2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(warning.days_left, 21U);
  EXPECT_EQ(warning.reason,
            "gw.pem: the certificate of CN=gw.test, shown to clients, expires in 21 days: "
            "2026-01-31T12:00:00.000000Z");
}

TEST(Expiry, CountsWholeDaysAndKnowsTheEnd) {
  const auto said = [](Duration before) {
    const ExpiryWarning warning = warned(before).at(0);
    return std::to_string(warning.days_left) + warning.reason.substr(warning.reason.rfind(", "));
  };
  const std::string end = ": 2026-01-31T12:00:00.000000Z";
  EXPECT_EQ(said(2 * kDay - std::chrono::seconds(1)), "1, expires in 1 day" + end);
  EXPECT_EQ(said(std::chrono::seconds(1)), "0, expires in less than a day" + end);
  EXPECT_EQ(said(-std::chrono::seconds(1)), "0, has expired" + end);
}

TEST(Expiry, EveryCertificateOfAFileCounts) {
  std::string pattern = std::filesystem::temp_directory_path() / "gateway-expiry-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  const std::string file = folder + "/cas.pem";
  std::ofstream(file) << Mint("First CA").certificate() << Mint("Second CA").certificate();
  const auto certificates = dated_certificates(file, "trusted for clients");
  ASSERT_EQ(certificates.size(), 2U);
  EXPECT_EQ(certificates[1].subject, "CN=Second CA");
  EXPECT_GT(certificates[1].not_after, now() + 29 * kDay);
  EXPECT_LE(certificates[1].not_after, now() + 30 * kDay);
  EXPECT_TRUE(dated_certificates(folder + "/absent.pem", "").empty());
  std::filesystem::remove_all(folder);
}

TEST(Repeated, CallsUntilItIsStopped) {
  asio::io_context context;
  int calls = 0;
  Repeated* self = nullptr;
  Repeated repeated(context.get_executor(), std::chrono::milliseconds(1), [&] {
    if (++calls == 3) self->stop();
  });
  self = &repeated;
  repeated.start();
  context.run();
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace gateway
