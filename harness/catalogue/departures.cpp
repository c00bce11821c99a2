#include "catalogue/departures.hpp"
#include <fmt/format.h>

#include <algorithm>

#include "catalogue/expressible.hpp"
#include "catalogue/loaders.hpp"

namespace postern {
namespace {

bool is_day(const std::string& text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

Departure read_one(const Reader& reader, pugi::xml_node node) {
  Departure made;
  made.place = reader.place(node);
  made.name = reader.text(node, "name");
  made.cases = reader.condition(node, "cases", nullptr);
  made.observed = strings_of(reader.text(node, "observed"));
  made.until = reader.text(node, "until");
  made.source = reader.text(node, "source");
  if (!is_day(made.until))
    reader.complain(node, "until",
                    fmt::format("found \"{}\", allowed: a day as 2027-06-30", made.until));
  for (pugi::xml_node seen : node.children("seen")) made.seen.push_back(reader.content(seen));
  if (made.seen.empty())
    reader.complain(node, "found <deviation> without <seen>, allowed: what is seen in its cases");
  made.why = reader.content(node.child("why"));
  return made;
}

}  // namespace

Departures load_departures(const Reader& reader) {
  Departures made;
  made.place = reader.place(reader.root());
  made.gateway_place = reader.place(reader.root(), "gateway");
  made.gateway = reader.text(reader.root(), "gateway");
  const std::string count = reader.text(reader.root(), "not-asked");
  if (is_value(ValueType::kCount, count)) made.not_asked = std::stoul(count);
  for (pugi::xml_node node : reader.root().children("deviation")) {
    Departure one = read_one(reader, node);
    const auto same = std::find_if(made.all.begin(), made.all.end(),
                                   [&](const Departure& other) { return other.name == one.name; });
    if (same != made.all.end())
      reader.complain(node, "name",
                      fmt::format("found the deviation \"{}\" a second time, the first is at {}",
                                  one.name, same->place.text()));
    made.all.push_back(std::move(one));
  }
  return made;
}

void check_departures(const Catalogue& catalogue, const Departures& departures,
                      Problems& problems) {
  std::vector<std::string> gateways;
  for (const auto& [name, file] : catalogue.gateways) gateways.push_back(name);
  const std::string& name = departures.gateway;
  const auto gateway = catalogue.gateways.find(name);
  if (gateway == catalogue.gateways.end()) {
    problems.add(departures.gateway_place,
                 fmt::format("found the gateway \"{}\", which does not exist, allowed: {}{}", name,
                             quoted_list(gateways), did_you_mean(name, gateways)));
    return;
  }
  const KnownKeys keys = filter_keys(catalogue);
  const std::vector<Chosen> cases = all_cases(catalogue);
  for (const Departure& one : departures.all) {
    const std::string error = unknown_in(one.cases, keys);
    const auto speaks_of = [&, &file = gateway->second](const Chosen& chosen) {
      return holds_for(one.cases, chosen) &&
             why_skipped(catalogue, file, settings_of(chosen), chosen).empty();
    };
    if (!error.empty()) {
      problems.add(one.place, error);
    } else if (std::none_of(cases.begin(), cases.end(), speaks_of)) {
      problems.add(one.place,
                   fmt::format("found the deviation \"{}\" of no case that {} is asked, allowed: "
                               "a condition that holds for some",
                               one.name, name));
    }
  }
}

std::optional<Departures> read_departures(const std::string& file, const Catalogue& catalogue,
                                          Problems& problems) {
  const std::optional<LocatedXml> document = LocatedXml::load(file, problems);
  if (!document) return std::nullopt;
  const ElementEntry* root = check_document(*document, problems);
  if (root == nullptr) return std::nullopt;
  if (root->id != "deviations") {
    problems.add({file, 1, 1}, fmt::format("found <{}>, allowed: <deviations>", root->name));
    return std::nullopt;
  }
  Departures departures = load_departures(Reader(*document, problems));
  if (problems.empty()) check_departures(catalogue, departures, problems);
  if (!problems.empty()) return std::nullopt;
  return departures;
}

}  // namespace postern
