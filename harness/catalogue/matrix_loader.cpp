#include <fmt/format.h>

#include <algorithm>

#include "catalogue/loaders.hpp"

namespace postern {
namespace {

/// Keys are what may stand in the conditions of a matrix: the axes, by what they rule.
struct Keys {
  KnownKeys settings, inbound, outbound;
};

void check_axis_value(const Reader& reader, pugi::xml_node node, const Setting& known,
                      const std::string& value) {
  const bool right = known.values.empty()
                         ? is_value(ValueType::kDelay, value)
                         : std::count(known.values.begin(), known.values.end(), value) > 0;
  if (right) return;
  reader.complain(node, "values",
                  fmt::format("found the value \"{}\" of \"{}\", allowed: {}{}", value, known.name,
                              known.values.empty() ? value_form(ValueType::kDelay).allowed
                                                   : quoted_list(known.values),
                              did_you_mean(value, known.values)));
}

/// read_axis returns an axis without a key where the element names none, or two.
Axis read_axis(const Reader& reader, pugi::xml_node node) {
  Axis axis;
  axis.place = reader.place(node);
  axis.values = strings_of(reader.text(node, "values"));
  if (reader.has(node, "setting") == reader.has(node, "peer")) {
    reader.complain(node,
                    "found <axis> with neither or both of \"setting\" and \"peer\", allowed: "
                    "one of them");
    return axis;
  }
  std::vector<std::string> sorted = axis.values;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    reader.complain(node, "values",
                    fmt::format("found \"{}\" twice in the values of an axis", *twice));
  }
  axis.key = reader.text(node, reader.has(node, "peer") ? "peer" : "setting");
  if (reader.has(node, "peer")) {
    axis.kind = axis.key == "client" ? Axis::Kind::kClient : Axis::Kind::kServer;
  } else if (const Setting* known = setting(axis.key)) {
    for (const std::string& value : axis.values) check_axis_value(reader, node, *known, value);
  }
  return axis;
}

Keys read_axes(const Reader& reader, Matrix& matrix) {
  Keys keys;
  for (pugi::xml_node node : reader.root().children("axis")) {
    Axis axis = read_axis(reader, node);
    if (axis.key.empty()) continue;
    const bool twice = keys.settings.count(axis.key) || keys.inbound.count(axis.key) ||
                       keys.outbound.count(axis.key);
    if (twice) {
      reader.complain(node, fmt::format("found a second axis \"{}\", allowed: one", axis.key));
      continue;
    }
    const Setting* known = setting(axis.key);
    const bool receiving =
        known ? known->side == SettingSide::kReceiving : axis.kind == Axis::Kind::kClient;
    (receiving ? keys.inbound : keys.outbound)[axis.key] = axis.values;
    if (known) keys.settings[axis.key] = axis.values;
    matrix.axes.push_back(std::move(axis));
  }
  for (const char* role : {"client", "server"}) {
    if (keys.inbound.count(role) || keys.outbound.count(role)) continue;
    reader.complain(
        reader.root(),
        fmt::format("found <matrix> without <axis peer=\"{}\">, which it must have", role));
  }
  return keys;
}

std::vector<ExpectedOutcome> read_grade(const Reader& reader, pugi::xml_node node,
                                        const char* grade, LegName leg) {
  std::vector<ExpectedOutcome> outcomes = reader.outcomes(node, grade, leg);
  for (const ExpectedOutcome& outcome : outcomes) {
    if (outcome.word != "nothing") continue;
    reader.complain(node, grade,
                    "found \"nothing\" in a rule, allowed: \"redirect\", \"hold\" or \"bounce\"; "
                    "that nothing is sent on follows from the inbound outcome");
  }
  return outcomes;
}

Rule read_rule(const Reader& reader, pugi::xml_node node, LegName leg, const KnownKeys& keys) {
  Rule rule;
  rule.place = reader.place(node);
  rule.ref = reader.text(node, "ref");
  rule.when = reader.condition(node, "when", &keys);
  Expectation& expect = rule.expect;
  expect.form = read_grade(reader, node, "expect", leg);
  expect.letter = read_grade(reader, node, "letter", leg);
  expect.policy = read_grade(reader, node, "policy", leg);
  expect.form_text = reader.text(node, "expect");
  expect.letter_text = reader.text(node, "letter");
  expect.policy_text = reader.text(node, "policy");
  if (expect.letter.empty()) expect.letter = expect.form;
  if (expect.policy.empty()) expect.policy = expect.letter;
  rule.no_control = reader.text(node, "no-control");
  if (!rule.no_control.empty() && !expect.form.empty() && is_positive(expect)) {
    reader.complain(node, "no-control",
                    "found \"no-control\" in a rule that expects a message to pass, allowed: only "
                    "where it expects otherwise");
  }
  return rule;
}

DisclosureRule read_disclosure(const Reader& reader, pugi::xml_node node, const KnownKeys& keys) {
  DisclosureRule rule;
  rule.place = reader.place(node);
  rule.ref = reader.text(node, "ref");
  rule.when = reader.condition(node, "when", &keys);
  rule.next_hop = read_places(reader, node, "next-hop");
  if (reader.has(node, "letter")) rule.letter = read_places(reader, node, "letter");
  rule.sender = read_places(reader, node, "sender");
  return rule;
}

}  // namespace

std::vector<std::string> read_places(const Reader& reader, pugi::xml_node node,
                                     const char* attribute) {
  std::vector<std::string> places = strings_of(reader.text(node, attribute));
  const auto nothing = std::find(places.begin(), places.end(), "nothing");
  if (nothing == places.end()) return places;
  if (places.size() > 1) {
    reader.complain(node, attribute,
                    "found \"nothing\" among other places, allowed: \"nothing\" alone");
  }
  return {};
}

std::unique_ptr<Matrix> load_matrix(const Reader& reader) {
  auto matrix = std::make_unique<Matrix>();
  const pugi::xml_node root = reader.root();
  matrix->place = reader.place(root);
  matrix->name = reader.text(root, "name");
  const Keys keys = read_axes(reader, *matrix);
  for (pugi::xml_node node : root.children("invalid")) {
    matrix->invalid.push_back({reader.text(node, "ref"),
                               reader.condition(node, "when", &keys.settings),
                               reader.text(node, "mentions"), reader.place(node)});
  }
  for (pugi::xml_node node : root.children("warning")) {
    matrix->warnings.push_back({reader.text(node, "ref"),
                                reader.condition(node, "when", &keys.settings),
                                reader.text(node, "mentions"), reader.place(node)});
  }
  const pugi::xml_node inbound = root.child("inbound");
  matrix->inbound_place = reader.place(inbound ? inbound : root);
  for (pugi::xml_node node : inbound.children("rule")) {
    matrix->inbound.push_back(read_rule(reader, node, LegName::kInbound, keys.inbound));
  }
  const pugi::xml_node outbound = root.child("outbound");
  matrix->outbound_place = reader.place(outbound ? outbound : root);
  for (pugi::xml_node node : outbound.children("rule")) {
    matrix->outbound.push_back(read_rule(reader, node, LegName::kOutbound, keys.outbound));
  }
  const pugi::xml_node disclosure = root.child("disclosure");
  matrix->disclosure_place = reader.place(disclosure ? disclosure : root);
  for (pugi::xml_node node : disclosure.children("rule")) {
    matrix->disclosure.push_back(read_disclosure(reader, node, keys.outbound));
  }
  return matrix;
}

}  // namespace postern
