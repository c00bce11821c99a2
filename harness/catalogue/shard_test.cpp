#include "catalogue/shard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>

namespace postern {
namespace {

using ::testing::HasSubstr;

class Sharding : public testing::Test {
 protected:
  std::optional<Shard> find(const std::string& option = "") {
    return find_shard(option, [this](const std::string& name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string problem(const std::string& option = "") {
    try {
      find(option);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  }

  std::map<std::string, std::string> environment_;
};

TEST_F(Sharding, IsFoundWhereverARunnerSaysIt) {
  EXPECT_FALSE(find());
  environment_ = {{"CI_NODE_TOTAL", ""}, {"CI_NODE_INDEX", ""}};
  EXPECT_FALSE(find()) << "what is empty is not set";
  environment_ = {{"CI_NODE_TOTAL", "4"}, {"CI_NODE_INDEX", "4"}};
  EXPECT_EQ(find()->index, 4U);
  EXPECT_EQ(find()->by, "CI_NODE_TOTAL");
  environment_ = {{"TEST_TOTAL_SHARDS", "4"},
                  {"TEST_SHARD_INDEX", "0"},
                  {"TEST_SHARD_STATUS_FILE", "/tmp/status"}};
  EXPECT_EQ(find()->index, 1U);
  EXPECT_EQ(find()->status_file, "/tmp/status");
  environment_["GTEST_TOTAL_SHARDS"] = "2";
  EXPECT_EQ(find()->total, 4U) << "one variable of two says nothing";
  environment_["GTEST_SHARD_INDEX"] = "1";
  EXPECT_EQ(find()->index, 2U);
  EXPECT_EQ(find("3/7")->index, 3U) << "the command line comes first";
}

TEST_F(Sharding, OfNothingIsRefused) {
  for (const char* wrong : {"0/5", "6/5", "1", "1/", "/5", "a/b", "1/5x", "-1/5"})
    EXPECT_THAT(problem(wrong), HasSubstr("allowed: I/N")) << wrong;
  environment_ = {{"CI_NODE_TOTAL", "4"}, {"CI_NODE_INDEX", "0"}};
  EXPECT_THAT(
      problem(),
      HasSubstr("found CI_NODE_INDEX=0 with CI_NODE_TOTAL=4, allowed: a number of shards, and "
                "an index from 1 to it"));
  environment_ = {{"GTEST_TOTAL_SHARDS", "4"}, {"GTEST_SHARD_INDEX", "4"}};
  EXPECT_THAT(problem(), HasSubstr("an index from 0 to one less than it"));
}

TEST_F(Sharding, LosesNothingAndDoublesNothing) {
  Selection whole;
  for (std::size_t size : {7U, 1U, 5U, 3U, 9U, 1U, 1U, 2U}) {
    Configuration configuration;
    configuration.settings.set("server-level", std::to_string(whole.configurations.size()));
    configuration.cases.resize(size);
    configuration.cases.front().control = size > 5;
    whole.configurations.push_back(configuration);
  }
  for (const unsigned total : {1U, 3U, 8U, 12U}) {
    std::set<std::string> seen;
    std::size_t cases = 0;
    for (unsigned index = 1; index <= total; ++index) {
      Selection part = whole;
      keep_shard(part, {index, total, "", ""});
      for (const Configuration& one : part.configurations)
        EXPECT_TRUE(seen.insert(*one.settings.get("server-level")).second);
      cases += part.chosen + part.controls;
      EXPECT_LE(part.chosen + part.controls, 29U / total + 9U);
    }
    EXPECT_EQ(seen.size(), whole.configurations.size());
    EXPECT_EQ(cases, 29U);
  }
}

}  // namespace
}  // namespace postern
