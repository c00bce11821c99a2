#include "control/remote.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace postern {
namespace {

using ::testing::HasSubstr;

class FindRemote : public testing::Test {
 protected:
  FindRemote() {
    remote_.at = "${env.AT}";
    remote_.next_hop = "127.0.0.9:2525";
    remote_.settings = "server-level=require ${env.MORE}";
    remote_.domain = "lab.test";
    remote_.place.file = "appliance.xml";
    remote_.place.line = 3;
    remote_.place.column = 4;
  }

  RemotePlace find() {
    return find_remote(remote_, [this](const std::string& name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string problem() {
    try {
      find();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  Remote remote_;
  std::map<std::string, std::string> environment_ = {{"AT", "127.0.0.8:25"},
                                                     {"MORE", "client-level=verify"}};
};

TEST_F(FindRemote, PutsInTheEnvironment) {
  const RemotePlace place = find();
  EXPECT_EQ(place.name, "127.0.0.8:25");
  EXPECT_EQ(place.at.address().to_string(), "127.0.0.8");
  EXPECT_EQ(place.next_hop.port(), 2525);
  EXPECT_EQ(place.settings, "server-level=require client-level=verify");
  Assignment asked;
  asked.set("server-level", "require");
  EXPECT_EQ(place.why_not_under(asked), "");
  asked.set("client-certificate", "request");
  EXPECT_EQ(place.why_not_under(asked), "it is declared to be set client-certificate=none");
}

TEST_F(FindRemote, TakesAnyPlaceButHalfOfOne) {
  environment_["AT"] = "[::1]:2525";
  EXPECT_EQ(find().at.address().to_string(), "::1");
  environment_["AT"] = "localhost:2525";
  EXPECT_TRUE(find().at.address().is_loopback());
  for (const char* half : {"::1:25", "127.0.0.8", "127.0.0.8:", "127.0.0.8:0", "127.0.0.8:65536",
                           "127.0.0.8:25x", ":25"}) {
    environment_["AT"] = half;
    EXPECT_THAT(problem(), HasSubstr("allowed: HOST:PORT")) << half;
  }
  environment_["AT"] = "no.such.host.invalid:25";
  EXPECT_THAT(problem(), HasSubstr("no.such.host.invalid cannot be looked up"));
}

TEST_F(FindRemote, SaysWhereAndWhatIsMissing) {
  environment_.erase("MORE");
  EXPECT_EQ(problem(), "appliance.xml:3:4: MORE is not set in the environment");
  environment_["MORE"] = "client-level=verify|require";
  EXPECT_THAT(problem(), HasSubstr("allowed: one value for each setting"));
  environment_["MORE"] = "client-level!=verify";
  EXPECT_THAT(problem(), HasSubstr("allowed: one value for each setting"));
  environment_["MORE"] = "client-level=vreify";
  EXPECT_THAT(problem(), HasSubstr("vreify"));
  environment_["MORE"] = "client-level=verify";
  remote_.next_hop = "mx.test:25";
  EXPECT_THAT(problem(), HasSubstr("allowed: ADDRESS:PORT of this machine"));
}

TEST_F(FindRemote, DeclaresNothingWhereAPrepareSetsIt) {
  remote_.settings.clear();
  Assignment asked;
  asked.set("server-level", "none");
  EXPECT_EQ(find().why_not_under(asked), "");
}

}  // namespace
}  // namespace postern
