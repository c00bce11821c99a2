#include "peers/tls_records.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(TlsRecords, AreCutOffTheStreamWhenTheyAreWhole) {
  TlsRecords records;
  const std::string alert = record_of(TlsRecord::kAlert, "\x02\x28");
  records.feed(alert.substr(0, 6));
  EXPECT_FALSE(records.next());
  records.feed(alert.substr(6) + "220 hello");
  const auto record = records.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->alert(), 40);
  EXPECT_TRUE(records.foreign());
  EXPECT_FALSE(records.next());
  EXPECT_EQ(records.rest(), "220 hello");
}

TEST(TlsRecords, AnAlertThatIsEncryptedTellsNothing) {
  EXPECT_EQ((TlsRecord{TlsRecord::kAlert, std::string(24, 'x')}).alert(), -1);
  EXPECT_EQ((TlsRecord{TlsRecord::kData, "\x02\x28"}).alert(), -1);
}

TEST(TlsRecords, FlightsAreCutUpToTheFirstRecordThatMayBeEncrypted) {
  const std::string cipher_spec = record_of(TlsRecord::kChangeCipherSpec, "\x01");
  const std::string finished = record_of(TlsRecord::kHandshake, "sealed");
  bool encrypted = false;
  EXPECT_EQ(
      reframed(record_of(TlsRecord::kHandshake, "hello") + cipher_spec + finished, 2, encrypted),
      record_of(TlsRecord::kHandshake, "he") + record_of(TlsRecord::kHandshake, "ll") +
          record_of(TlsRecord::kHandshake, "o") + cipher_spec + finished);
  EXPECT_TRUE(encrypted);
  EXPECT_EQ(reframed(finished, 2, encrypted), finished);
}

}  // namespace
}  // namespace postern
