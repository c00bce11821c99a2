#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "catalogue/gateway_variables.hpp"
#include "catalogue/loaders.hpp"

namespace postern {
namespace {

/// check_pattern complains of a pattern that does not compile or names an unknown group.
void check_pattern(const Reader& reader, pugi::xml_node node, const char* attribute,
                   const std::string& pattern, const std::vector<std::string>& groups,
                   const char* needed = nullptr) {
  const auto complain = [&](std::string message) {
    attribute ? reader.complain(node, attribute, std::move(message))
              : reader.complain(node, std::move(message));
  };
  const RE2 compiled(pattern, RE2::Quiet);
  if (!compiled.ok()) {
    complain(
        fmt::format("found the pattern \"{}\", which does not compile ({}), allowed: RE2's "
                    "syntax",
                    pattern, compiled.error()));
    return;
  }
  for (const auto& [name, number] : compiled.NamedCapturingGroups()) {
    if (std::find(groups.begin(), groups.end(), name) != groups.end()) continue;
    complain(fmt::format("found the group \"{}\" in a pattern, allowed: {}{}", name,
                         quoted_list(groups), did_you_mean(name, groups)));
  }
  if (needed && compiled.NamedCapturingGroups().count(needed) == 0) {
    complain(fmt::format("found the pattern \"{}\" without the group (?P<{}>…), which it must have",
                         pattern, needed));
  }
}

Source read_source(const Reader& reader, pugi::xml_node node) {
  static const std::vector<std::string> kWords = {"stdout", "stderr", "fd", "file", "socket"};
  return static_cast<Source>(index_of(kWords, reader.text(node, "from", "stdout")));
}

std::chrono::milliseconds read_within(const Reader& reader, pugi::xml_node node) {
  return duration_of(reader.text(node, "within", "10s")).value_or(std::chrono::seconds(10));
}

/// GatewayReader reads one gateway file.
class GatewayReader {
 public:
  GatewayReader(const Reader& reader, const PkiNames& pki)
      : reader_(reader), pki_(pki), root_(reader.root()) {}

  GatewayFile read() {
    file_.place = reader_.place(root_);
    file_.name = reader_.text(root_, "name");
    file_.about = reader_.text(root_, "about");
    file_.grade = reader_.text(root_, "grade", "letter");
    file_.several_next_hops = reader_.text(root_, "next-hops", "several") == "several";
    file_.next_hops_at = reader_.text(root_, "next-hops-at");
    const std::string at_once = reader_.text(root_, "at-once");
    if (is_value(ValueType::kCount, at_once)) file_.at_once = std::stoul(at_once);
    in_addr ignored{};
    if (!file_.next_hops_at.empty() &&
        inet_pton(AF_INET, file_.next_hops_at.c_str(), &ignored) != 1)
      reader_.complain(root_, "next-hops-at",
                       fmt::format("found \"{}\", allowed: an IPv4 address", file_.next_hops_at));
    for (pugi::xml_node node : root_.children("requires")) {
      file_.requires_programs.push_back(reader_.text(node, "program"));
    }
    read_packages();
    read_mounts();
    read_commands();
    read_files();
    read_settings();
    read_remote();
    if (!file_.remote) read_ready();
    read_records();
    check_way();
    if (const pugi::xml_node stop = root_.child("stop")) {
      file_.stop_signal = reader_.text(stop, "signal", "TERM");
      file_.stop_within = read_within(reader_, stop);
    }
    if (const pugi::xml_node apply = root_.child("apply")) {
      file_.apply_signal = reader_.text(apply, "signal");
      if (!tells_of("settings-applied") || !tells_of("settings-refused"))
        reader_.complain(apply,
                         "found <apply>, allowed: only where a <record> has the events "
                         "settings-applied and settings-refused");
    }
    if (!file_.remote)
      file_.second_attempt = reader_.text(root_.child("hasten"), "second-attempt", "yes") == "yes";
    if (!file_.remote || file_.remote->settings.empty()) check_coverage();
    return std::move(file_);
  }

 private:
  bool tells_of(std::string_view event) const {
    for (const Record& record : file_.records)
      for (const RecordPattern& pattern : record.patterns)
        if (pattern.event == event) return true;
    return false;
  }

  Command read_command(pugi::xml_node node) {
    Command command;
    command.place = reader_.place(node);
    for (pugi::xml_node argument : node.children("arg")) {
      command.arguments.push_back(reader_.content(argument));
      check_text(argument, command.arguments.back(), Variables::kText);
    }
    if (node && command.arguments.empty()) {
      reader_.complain(node, fmt::format("found <{}> without <arg>, allowed: a program and its "
                                         "arguments",
                                         node.name()));
    }
    return command;
  }

  void read_packages() {
    for (pugi::xml_node node : root_.children("package")) {
      Package package;
      package.name = reader_.text(node, "name");
      package.kind = reader_.text(node, "kind", "debian");
      package.release = reader_.text(node, "release");
      package.version = reader_.text(node, "version");
      const bool npm = package.kind == "npm";
      if (npm == package.version.empty() || (npm && !package.release.empty()))
        reader_.complain(node,
                         "found <package> of this kind with these attributes, allowed: \"release\" "
                         "with debian alone, \"version\" with npm, which must have it");
      file_.packages.push_back(std::move(package));
    }
  }

  void read_mounts() {
    for (pugi::xml_node node : root_.children()) {
      const std::string kind = node.name();
      if (kind != "overlay" && kind != "bind") continue;
      Mount mount;
      mount.place = reader_.place(node);
      mount.kind = kind == "bind" ? Mount::Kind::kBind : Mount::Kind::kOverlay;
      mount.on = reader_.text(node, "on");
      mount.from = reader_.text(node, "from");
      check_text(node, mount.from, Variables::kText);
      if (mount.on.empty() || mount.on[0] != '/')
        reader_.complain(node, "on",
                         fmt::format("found \"{}\", allowed: a path from / on", mount.on));
      if (mount.from.rfind("${dir}/", 0) != 0 && mount.from.rfind("${packages}/", 0) != 0)
        reader_.complain(node, "from",
                         fmt::format("found \"{}\", allowed: a path below ${{dir}} or "
                                     "${{packages}}",
                                     mount.from));
      file_.mounts.push_back(std::move(mount));
    }
  }

  void read_commands() {
    file_.version = read_command(root_.child("version"));
    for (pugi::xml_node node : root_.children("prepare")) {
      file_.prepare.push_back(read_command(node));
    }
    const pugi::xml_node start = root_.child("start");
    file_.start = read_command(start);
    file_.own_pid_namespace = reader_.has(start, "namespace");
    if (const pugi::xml_node queue = root_.child("queue")) {
      file_.queue.push_back(
          {read_command(queue), reader_.text(queue, "line"), reader_.text(queue, "live") == "yes"});
      check_pattern(reader_, queue, "line", file_.queue[0].pattern, {"recipient"}, "recipient");
    }
  }

  void read_files() {
    std::map<std::string, Place> named;
    for (pugi::xml_node node : root_.children("file")) {
      FileTemplate file;
      file.place = reader_.place(node);
      file.name = reader_.text(node, "name");
      const std::string mode = reader_.text(node, "mode", "0600");
      if (is_value(ValueType::kMode, mode)) {
        file.mode = static_cast<unsigned>(std::stoul(mode, nullptr, 8));
      }
      file.text = unindented(reader_.content(node));
      check_text(node, file.text, Variables::kText);
      const auto [entry, is_new] = named.emplace(file.name, file.place);
      if (!is_new) {
        reader_.complain(node, "name",
                         fmt::format("found the file \"{}\" a second time, the first is at {}",
                                     file.name, entry->second.text()));
      }
      file_.files.push_back(std::move(file));
    }
  }

  void read_settings() {
    const KnownKeys keys = setting_keys();
    for (pugi::xml_node node : root_.children("setting")) {
      SettingText text;
      text.place = reader_.place(node);
      text.name = reader_.text(node, "name");
      text.value = reader_.text(node, "is");
      if (reader_.has(node, "when")) text.when = reader_.condition(node, "when", &keys);
      text.text = unindented(reader_.content(node));
      if (!text.text.empty() && text.text.back() == '\n') text.text.pop_back();
      check_text(node, text.text, Variables::kSettingText);
      const Setting* known = setting(text.name);
      if (known && !text.value.empty() && !known->values.empty() &&
          std::count(known->values.begin(), known->values.end(), text.value) == 0) {
        reader_.complain(
            node, "is",
            fmt::format("found the value \"{}\" of \"{}\", allowed: {}{}", text.value, text.name,
                        quoted_list(known->values), did_you_mean(text.value, known->values)));
      }
      file_.settings.push_back(std::move(text));
    }
    for (pugi::xml_node node : root_.children("cannot")) {
      file_.cannot.push_back(
          {reader_.condition(node, "when", &keys), reader_.text(node, "why"), reader_.place(node)});
    }
  }

  void read_remote() {
    const pugi::xml_node node = root_.child("remote");
    if (!node) return;
    Remote remote;
    remote.place = reader_.place(node);
    remote.at = reader_.text(node, "at");
    remote.next_hop = reader_.text(node, "next-hop");
    remote.settings = reader_.text(node, "settings");
    remote.domain = reader_.text(node, "domain", "case.test");
    for (const std::string* text : {&remote.at, &remote.next_hop, &remote.settings, &remote.domain})
      for (std::size_t at = text->find("${"); at != std::string::npos;
           at = text->find("${", at + 2))
        if (text->compare(at, 6, "${env.") != 0 || text->find('}', at) == std::string::npos)
          reader_.complain(node, fmt::format("found \"{}\", allowed: no variable but ${{env.NAME}}",
                                             text->substr(at)));
    const std::string budget = reader_.text(node, "budget");
    if (is_value(ValueType::kCount, budget)) remote.budget = std::stoul(budget);
    remote.pause = duration_of(reader_.text(node, "pause", "100ms")).value_or(remote.pause);
    remote.settles = duration_of(reader_.text(node, "settles", "2s")).value_or(remote.settles);
    file_.remote = std::move(remote);
    // Its mail has one way, it comes one message after the other, and nobody hastens its retries.
    file_.several_next_hops = file_.second_attempt = false;
    file_.at_once = 1;
  }

  /// check_way holds the file to one of the two: a gateway that is started, or one that is there.
  void check_way() {
    if (!file_.remote) {
      for (const char* needed : {"start", "ready"})
        if (!root_.child(needed))
          reader_.complain(root_, fmt::format("found <gateway> without <{}>, allowed: <start> and "
                                              "<ready>, or <remote>",
                                              needed));
      return;
    }
    for (const char* own : {"start", "ready", "stop", "apply", "hasten", "record", "queue",
                            "version", "requires", "package", "overlay", "bind"})
      if (const pugi::xml_node node = root_.child(own))
        reader_.complain(node,
                         fmt::format("found <{}> beside <remote>, allowed: <file>, <setting>, "
                                     "<cannot>, <prepare>",
                                     own));
    if (file_.remote->settings.empty() && file_.prepare.empty())
      reader_.complain(root_.child("remote"),
                       "found <remote> without \"settings\" and no <prepare>, allowed: one of the "
                       "two, so that it is known how the gateway is set");
  }

  void read_ready() {
    const pugi::xml_node node = root_.child("ready");
    file_.ready.place = reader_.place(node ? node : root_);
    file_.ready.from = read_source(reader_, node);
    file_.ready.pattern = reader_.text(node, "match");
    file_.ready.how = reader_.has(node, "banner") ? Ready::How::kBanner : Ready::How::kLine;
    file_.ready.within = read_within(reader_, node);
    if (node && reader_.has(node, "match") == reader_.has(node, "banner")) {
      reader_.complain(node,
                       "found <ready> with neither or both of \"match\" and \"banner\", "
                       "allowed: one of them");
    }
    check_pattern(reader_, node, "match", file_.ready.pattern, {"address", "port"});
  }

  void read_records() {
    for (pugi::xml_node node : root_.children("record")) {
      Record record;
      record.place = reader_.place(node);
      record.from = read_source(reader_, node);
      record.file = reader_.text(node, "file");
      const bool named = record.from == Source::kFile || record.from == Source::kSocket;
      if (named == record.file.empty()) {
        reader_.complain(node,
                         "found <record> with \"file\" but from neither file nor socket, or "
                         "without it, allowed: both or neither");
      }
      for (pugi::xml_node event : node.children("event")) {
        RecordPattern pattern;
        pattern.place = reader_.place(event);
        pattern.event = reader_.text(event, "kind");
        pattern.pattern = reader_.content(event);
        check_pattern(reader_, event, nullptr, pattern.pattern, event_groups());
        record.patterns.push_back(std::move(pattern));
      }
      file_.records.push_back(std::move(record));
    }
  }

  void check_text(pugi::xml_node node, const std::string& text, Variables where) {
    for (const std::string& problem : unknown_variables(text, where, pki_)) {
      reader_.complain(node, problem);
    }
  }

  /// check_coverage complains of a value that no <setting> tells, or two do. What decides is in the
  /// conditions alone, so that only the settings in them need to be combined.
  void check_coverage() {
    std::map<std::string, int> told;
    for (const Setting& one : settings()) {
      std::set<std::string> names = {one.name};
      bool declared = false;
      for (const SettingText& text : file_.settings) {
        if (text.name != one.name) continue;
        declared = true;
        for (const Term& term : text.when.terms()) names.insert(term.key);
      }
      if (one.extra && !declared) continue;
      for (const Cannot& cannot : file_.cannot)
        for (const Term& term : cannot.when.terms()) names.insert(term.key);
      for (const Assignment& combination : combinations_of(names))
        if (!inexpressible(combination)) check_combination(one.name, names, combination, told);
    }
  }

  bool inexpressible(const Assignment& combination) const {
    return std::any_of(file_.cannot.begin(), file_.cannot.end(),
                       [&](const Cannot& one) { return one.when.holds(combination); });
  }

  void check_combination(const std::string& name, const std::set<std::string>& deciding,
                         const Assignment& combination, std::map<std::string, int>& told) {
    const std::string& value = *combination.get(name);
    std::vector<const SettingText*> texts;
    for (const SettingText& text : file_.settings) {
      if (text.name == name && (text.value.empty() || text.value == value) &&
          text.when.holds(combination)) {
        texts.push_back(&text);
      }
    }
    // One example of each kind of mistake is enough.
    if (texts.size() == 1 || told[name + (texts.empty() ? "" : "+")]++ > 0) return;
    Assignment shown;
    for (const auto& [key, setting_value] : combination.values())
      if (deciding.contains(key)) shown.set(key, setting_value);
    const std::string under = fmt::format("{}=\"{}\" (under {})", name, value, shown.text());
    if (texts.empty()) {
      reader_.complain(root_, fmt::format("found no <setting> for {}, allowed: exactly one, or a "
                                          "<cannot>",
                                          under));
    } else {
      reader_.complain(root_, fmt::format("found <setting> at {} and at {} for {}, allowed: "
                                          "exactly one",
                                          texts[0]->place.text(), texts[1]->place.text(), under));
    }
  }

  const Reader& reader_;
  const PkiNames& pki_;
  pugi::xml_node root_;
  GatewayFile file_;
};

}  // namespace

GatewayFile load_gateway(const Reader& reader, const PkiNames& pki) {
  return GatewayReader(reader, pki).read();
}

}  // namespace postern
