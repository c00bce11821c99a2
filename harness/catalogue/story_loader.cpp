#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <filesystem>

#include "catalogue/loaders.hpp"
#include "catalogue/story_parts.hpp"
#include "catalogue/story_tls.hpp"

namespace postern {
namespace {

/// use puts the steps of a prefix in.
void use(const Reader& reader, pugi::xml_node node, const std::map<std::string, Prefix>& prefixes,
         const std::string& name, Script& script, Lint& lint, TlsLint& tls_lint) {
  std::vector<std::string> known;
  for (const auto& [key, prefix] : prefixes)
    if (prefix.role == script.role) known.push_back(key);
  const auto found = prefixes.find(name);
  if (found == prefixes.end() || found->second.role != script.role) {
    reader.complain(
        node, "prefix",
        fmt::format("found the prefix \"{}\", which no <{}> of a <prefixes> file is "
                    "called, allowed: {}{}",
                    name, script.role == Role::kClient ? "client" : "server",
                    known.empty() ? "none" : quoted_list(known), did_you_mean(name, known)));
    return;
  }
  for (const Step& step : found->second.steps) {
    lint.step(node, step);
    tls_lint.step(node, step);
    script.steps.push_back(step);
  }
}

void read_steps(const Reader& reader, pugi::xml_node node,
                const std::map<std::string, Prefix>& prefixes, Script& script, Lint& lint) {
  TlsLint tls_lint(reader, script.role);
  for (pugi::xml_node child : node.children()) {
    const auto kind = step_kind_of(child.name());
    if (!kind || !holds_here(reader, child)) continue;
    Step step = read_step(reader, child, script.role, *kind);
    if (*kind == StepKind::kUse) {
      use(reader, child, prefixes, step.name, script, lint, tls_lint);
      continue;
    }
    lint.step(child, step);
    tls_lint.step(child, step);
    script.steps.push_back(std::move(step));
  }
}

/// read_way reads where the gateway's route to a server leads.
void read_way(const Reader& reader, pugi::xml_node node, Script& script) {
  script.host = reader.text(node, "host");
  script.level = reader.text(node, "level");
  script.address = reader.text(node, "address");
  if (script.address.empty()) return;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(script.address, error);
  if (!error && address.is_loopback()) return;
  reader.complain(node, "address",
                  fmt::format("found address=\"{}\", allowed: a loopback address, as 127.0.0.1 or "
                              "::1",
                              script.address));
}

Script read_script(const Reader& reader, pugi::xml_node node, Role role,
                   const std::map<std::string, Prefix>& prefixes) {
  Script script;
  script.role = role;
  script.place = reader.place(node);
  script.name = reader.text(node, "name");
  script.peer = reader.text(node, "peer");
  if (role == Role::kServer) read_way(reader, node, script);
  script.elsewhere = reader.text(node, "from") == "elsewhere";
  Lint lint(reader, role);
  read_steps(reader, node, prefixes, script, lint);
  lint.finish();
  lint.leave(node);
  if (script.peer.empty() == script.steps.empty()) {
    reader.complain(node, fmt::format("found <{}> with neither or both of \"peer\" and steps, "
                                      "allowed: one of them",
                                      node.name()));
  }
  return script;
}

/// deciding gives the one <expect> that states `attribute` in this variant. That none does is wrong
/// where others of the story do.
pugi::xml_node deciding(const Reader& reader, const char* attribute) {
  pugi::xml_node found;
  bool elsewhere = false;
  for (pugi::xml_node node : reader.root().children("expect")) {
    if (!reader.has(node, attribute)) continue;
    if (!holds_here(reader, node)) {
      elsewhere = true;
    } else if (found) {
      reader.complain(
          node, attribute,
          fmt::format("found a second <expect> with \"{}\"{}{}, allowed: one", attribute,
                      reader.bound().values().empty() ? "" : " for ", reader.bound().text()));
    } else {
      found = node;
    }
  }
  if (!found && elsewhere)
    reader.complain(reader.root(),
                    fmt::format("found no <expect> with \"{}\" for {}, allowed: one for each "
                                "combination of axes",
                                attribute, reader.bound().text()));
  return found;
}

std::uint64_t octets_of(const std::string& size) {
  if (size.empty()) return 0;
  const std::uint64_t unit = size.back() == 'M' ? 1'048'576 : size.back() == 'k' ? 1024 : 1;
  return std::stoull(size) * unit;
}

/// check_texts complains of texts that a message must have and must not have.
void check_texts(const Reader& reader, const std::vector<MessageCheck>& texts) {
  for (const MessageCheck& has : texts)
    for (const MessageCheck& lacks : texts)
      if (has.bounce == lacks.bounce && rules_out(has.contains, lacks.lacks))
        reader.complain(lacks.place,
                        fmt::format("found lacks=\"{}\" beside contains=\"{}\", allowed: a text "
                                    "that is not in it",
                                    lacks.lacks, has.contains));
}

void read_checks(const Reader& reader, Story& story) {
  const pugi::xml_node root = reader.root();
  for (pugi::xml_node node : root.children()) {
    const std::string_view name = node.name();
    if (!holds_here(reader, node)) continue;
    if (name == "delivered" || name == "bounce") {
      MessageCheck check{name == "bounce", reader.text(node, "contains"),
                         reader.text(node, "lacks"), reader.place(node)};
      const std::string copies = reader.text(node, "messages");
      if (is_value(ValueType::kCount, copies)) story.checks.messages = std::stoi(copies);
      story.checks.by_hand = story.checks.by_hand || reader.has(node, "by-hand");
      story.checks.texts.push_back(std::move(check));
    } else if (name == "record") {
      RecordCheck check{reader.text(node, "event"), std::nullopt, reader.text(node, "contains"),
                        reader.place(node)};
      const std::string count = reader.text(node, "count");
      if (is_value(ValueType::kCount, count)) check.count = std::stoi(count);
      story.checks.record.push_back(std::move(check));
    } else if (name == "memory") {
      const std::string most = reader.text(node, "most");
      if (is_value(ValueType::kSize, most)) story.checks.memory = octets_of(most);
      story.checks.memory_place = reader.place(node);
    }
  }
  check_texts(reader, story.checks.texts);
}

void read_name(const Reader& reader, Story& story) {
  const pugi::xml_node root = reader.root();
  const std::string stem = std::filesystem::path(reader.file()).stem().string();
  story.name = reader.text(root, "name", stem.c_str());
  if (story.name != stem) {
    reader.complain(
        root, "name",
        fmt::format("found name=\"{}\", allowed: \"{}\", as the file is named", story.name, stem));
  } else if (!is_value(ValueType::kName, stem)) {
    reader.complain(root, fmt::format("found a story in a file named \"{}\", allowed: {}", stem,
                                      value_form(ValueType::kName).allowed));
  }
}

void read_settings(const Reader& reader, Story& story) {
  const pugi::xml_node node = reader.root().child("gateway");
  for (pugi::xml_attribute attribute : node.attributes()) {
    const std::string name = attribute.name();
    story.settings.set(name, reader.text(node, name.c_str()));
    if (reader.bound().get(name))
      reader.complain(node, name.c_str(),
                      fmt::format("found \"{}\" in <gateway> and as an <axis>, allowed: one of "
                                  "them",
                                  name));
  }
  for (const auto& [key, value] : reader.bound().values())
    if (setting(key)) story.settings.set(key, value);
}

}  // namespace

bool Story::applies() const {
  return std::any_of(scripts.begin(), scripts.end(), [](const Script& script) {
    return std::any_of(script.steps.begin(), script.steps.end(),
                       [](const Step& step) { return step.kind == StepKind::kApply; });
  });
}

bool Story::has_levels() const {
  return std::any_of(scripts.begin(), scripts.end(),
                     [](const Script& script) { return !script.level.empty(); });
}

std::map<std::string, Prefix> load_prefixes(const Reader& reader) {
  std::map<std::string, Prefix> prefixes;
  for (pugi::xml_node node : reader.root().children()) {
    const Role role = std::string_view(node.name()) == "server" ? Role::kServer : Role::kClient;
    Script script;
    script.role = role;
    Prefix prefix{role, {}, reader.place(node)};
    const std::string name = reader.text(node, "name");
    if (name.empty() || node.attribute("peer") || node.child("use"))
      reader.complain(node, fmt::format("found <{}> of a prefix without \"name\", with \"peer\" or "
                                        "with <use>, allowed: a name and steps of its own",
                                        node.name()));
    Lint lint(reader, role);
    read_steps(reader, node, {}, script, lint);
    lint.finish();
    prefix.steps = std::move(script.steps);
    if (!prefixes.emplace(name, std::move(prefix)).second)
      reader.complain(node, "name",
                      fmt::format("found the prefix \"{}\" a second time, allowed: once", name));
  }
  return prefixes;
}

std::unique_ptr<Story> load_story(const Reader& reader,
                                  const std::map<std::string, Prefix>& prefixes) {
  auto story = std::make_unique<Story>();
  const pugi::xml_node root = reader.root();
  story->place = reader.place(root);
  story->variant = reader.bound();
  read_name(reader, *story);
  story->ref = reader.text(root, "ref");
  story->why = reader.text(root, "why");
  story->grade = reader.text(root, "grade");
  read_settings(reader, *story);
  for (const auto& [name, role] : {std::pair{"client", Role::kClient}, {"server", Role::kServer}})
    for (pugi::xml_node node : root.children(name))
      if (holds_here(reader, node))
        story->scripts.push_back(read_script(reader, node, role, prefixes));
  if (const pugi::xml_node node = root.child("mailbox"); node && holds_here(reader, node)) {
    story->mailbox = reader.text(node, "peer");
    story->mailbox_place = reader.place(node);
  }
  if (scripts_of(*story, Role::kClient).empty())
    reader.complain(root, "found <story> without <client>, which it must have");
  if (const pugi::xml_node node = deciding(reader, "inbound"))
    story->inbound = read_expectation(reader, node, "inbound", LegName::kInbound, *story);
  if (const pugi::xml_node node = deciding(reader, "outbound"))
    story->outbound = read_expectation(reader, node, "outbound", LegName::kOutbound, *story);
  if (const pugi::xml_node node = deciding(reader, "next-hop")) {
    story->discloses = true;
    story->disclosure = read_disclosure(reader, node, *story);
  }
  if (const pugi::xml_node node = deciding(reader, "sender"))
    story->sender = read_places(reader, node, "sender");
  read_checks(reader, *story);
  lint_together(reader, *story);
  story->alone = story->applies() || story->checks.memory > 0 || story->has_levels();
  return story;
}

}  // namespace postern
