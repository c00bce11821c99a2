#include "judge/words.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

Observation with_words() {
  Observation observation;
  observation.sender = "t@s.test";
  observation.recipient = "t@r.test";
  observation.token = "t";
  observation.captured = {{"id", "4A${token}"}};
  return observation;
}

TEST(Words, PutsInTheCasesOwnAndWhatWasCaptured) {
  const Filled all = filled("<${sender}> <${recipient}> ${token} ${id}", with_words());
  EXPECT_EQ(all.text, "<t@s.test> <t@r.test> t 4A${token}");
  EXPECT_EQ(all.unset, "");
}

TEST(Words, NameWhatNothingHasSet) {
  const Filled some = filled("a ${nix} ${token} ${nought} ${", with_words());
  EXPECT_EQ(some.text, "a ${nix} t ${nought} ${");
  EXPECT_EQ(some.unset, "nix");
}

}  // namespace
}  // namespace postern
