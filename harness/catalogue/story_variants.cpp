#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "catalogue/story_parts.hpp"

// The axes of a story: one text, played under several settings or with several words put in.

namespace postern {
namespace {

constexpr std::size_t kMostVariants = 64;

struct StoryAxis {
  std::string key;
  std::vector<std::string> values;
};

/// AxisReader complains of axes that cannot be combined.
class AxisReader {
 public:
  AxisReader(const LocatedXml& document, Problems& problems)
      : document_(document), problems_(problems) {}

  std::vector<StoryAxis> read() {
    std::vector<StoryAxis> axes;
    std::set<std::string> keys;
    for (pugi::xml_node node : document_.root().children("axis")) {
      StoryAxis axis = read_one(node);
      if (axis.key.empty() || axis.values.empty()) continue;
      if (!keys.insert(axis.key).second) {
        complain(node, fmt::format("found a second <axis> of \"{}\", allowed: one", axis.key));
        continue;
      }
      axes.push_back(std::move(axis));
    }
    return axes;
  }

 private:
  StoryAxis read_one(pugi::xml_node node) {
    const std::string named = node.attribute("setting").as_string();
    const std::string word = node.attribute("name").as_string();
    StoryAxis axis{named.empty() ? word : named, strings_of(node.attribute("values").as_string())};
    if (named.empty() == word.empty()) {
      complain(node,
               "found <axis> with neither or both of \"setting\" and \"name\", allowed: one "
               "of them");
      return {};
    }
    if (std::count(own_words().begin(), own_words().end(), word) > 0 || setting(word)) {
      complain(node,
               fmt::format("found name=\"{}\" in <axis>, allowed: a name that is not taken", word));
      return {};
    }
    const Setting* known = setting(named);
    for (const std::string& value : axis.values) {
      if (!known || known->values.empty() ||
          std::count(known->values.begin(), known->values.end(), value) > 0)
        continue;
      complain(node, fmt::format("found the value \"{}\" of \"{}\", allowed: {}{}", value, named,
                                 quoted_list(known->values), did_you_mean(value, known->values)));
    }
    if (std::set<std::string>(axis.values.begin(), axis.values.end()).size() != axis.values.size())
      complain(node, "found a value twice in <axis>, allowed: once");
    return axis;
  }

  void complain(pugi::xml_node node, std::string message) {
    problems_.add(document_.place(node), std::move(message));
  }

  const LocatedXml& document_;
  Problems& problems_;
};

/// leave_out removes what an <except> names.
void leave_out(const LocatedXml& document, const std::vector<StoryAxis>& axes,
               std::vector<Assignment>& variants, Problems& problems) {
  KnownKeys keys;
  for (const StoryAxis& axis : axes) keys[axis.key] = axis.values;
  const Reader reader(document, problems);
  for (pugi::xml_node node : document.root().children("except")) {
    const Condition when = reader.condition(node, "when", &keys);
    const auto gone = std::remove_if(variants.begin(), variants.end(),
                                     [&](const Assignment& one) { return when.holds(one); });
    if (gone == variants.end() || gone == variants.begin())
      problems.add(document.place(node),
                   fmt::format("found <except> that leaves out {}, allowed: one that leaves out "
                               "some combinations of the axes",
                               gone == variants.end() ? "none" : "all"));
    variants.erase(gone, variants.end());
  }
  if (variants.empty()) variants.emplace_back();
}

}  // namespace

const std::vector<std::string>& own_words() {
  static const std::vector<std::string> kWords = {"recipient", "sender", "token"};
  return kWords;
}

std::vector<Assignment> variants_of(const LocatedXml& document, Problems& problems) {
  std::vector<Assignment> variants(1);
  const std::vector<StoryAxis> axes = AxisReader(document, problems).read();
  for (const StoryAxis& axis : axes) {
    std::vector<Assignment> wider;
    for (const Assignment& variant : variants) {
      for (const std::string& value : axis.values) {
        wider.push_back(variant);
        wider.back().set(axis.key, value);
      }
    }
    variants = std::move(wider);
    if (variants.size() <= kMostVariants) continue;
    problems.add(document.place(document.root()),
                 fmt::format("found {} combinations of axes, allowed: {} at most", variants.size(),
                             kMostVariants));
    return {Assignment()};
  }
  leave_out(document, axes, variants, problems);
  return variants;
}

}  // namespace postern
