#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catalogue/citations.hpp"
#include "catalogue/gaps.hpp"
#include "catalogue/skeleton.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"

// The commands that find what is missing and write the beginnings of it: gaps, new-story.

namespace postern {
namespace {

namespace fs = std::filesystem;

/// NewFile is a file to be written below the scenarios.
struct NewFile {
  fs::path path;
  std::string text;
};

// write puts new files down; none that is there already is touched, and either all or none stay.
// What does not load afterwards is taken away again.
int write(const Catalogue& catalogue, const std::vector<NewFile>& files) {
  for (const NewFile& file : files) {
    if (!fs::exists(file.path)) continue;
    fmt::print(stderr, "postern: {} is there already, allowed: a name that is free\n",
               file.path.string());
    return 2;
  }
  int code = 0;
  for (const NewFile& file : files) {
    std::error_code error;
    fs::create_directories(file.path.parent_path(), error);
    std::ofstream stream(file.path, std::ios::binary);
    stream << file.text;
    stream.close();
    if (stream) continue;
    fmt::print(stderr, "postern: cannot write {}: {}\n", file.path.string(), std::strerror(errno));
    code = 3;
  }
  Loaded again;
  if (code == 0 && !load(catalogue.directory, again)) code = 3;
  for (const NewFile& file : files) {
    std::error_code ignored;
    if (code != 0) fs::remove(file.path, ignored);
    if (code == 0) fmt::print("wrote {}\n", file.path.string());
  }
  return code;
}

std::string named(const CommonOptions& common) {
  return common.scenarios.empty() ? "" : " --scenarios " + common.scenarios;
}

/// NewStory is a story to be written.
struct NewStory {
  std::string name, folder, ref, text;
  Role side = Role::kClient;
};

int write_story(const CommonOptions& common, const Catalogue& catalogue, const NewStory& story) {
  const std::string& name = story.name;
  for (const auto& known : catalogue.stories) {
    if (known->name != name) continue;
    fmt::print(stderr,
               "postern: {}: there is a story \"{}\" already, allowed: a name that is free\n",
               known->place.text(), name);
    return 2;
  }
  const fs::path path = fs::path(catalogue.directory) / "stories" / story.folder / (name + ".xml");
  const int code = write(catalogue, {{path, story.text}});
  if (code != 0) return code;
  fmt::print(
      "It passes as it is; now make it about something:\n"
      "  1. why=\"…\": say what goes wrong where a gateway does not hold to {}.\n"
      "  2. Change the {}'s lines to the dialogue that matters; docs/writing-scenarios.md shows "
      "how.\n"
      "  3. {}{} check && {}{} run stories/{} --transcripts\n"
      "  4. See it fail once: expect what is not due. In a checkout of Postern, keep a faulty\n"
      "     gateway that it catches in harness/selftest/faults; scripts/faults NAME plays it.\n",
      story.ref, story.side == Role::kClient ? "client" : "server", common.program, named(common),
      common.program, named(common), name);
  return 0;
}

bool is_known(const Catalogue& catalogue, const std::string& ref) {
  if (catalogue.requirements.count(ref) > 0) return true;
  std::vector<std::string> known;
  for (const auto& [id, requirement] : catalogue.requirements) known.push_back(id);
  fmt::print(stderr, "postern: found no requirement \"{}\"{}, allowed: {}\n", ref,
             did_you_mean(ref, known), quoted_list(known));
  return false;
}

Role side_of(const std::string& ref) {
  return ref.starts_with("OUT-") || ref.starts_with("LEAK-") ? Role::kServer : Role::kClient;
}

// write_peer begins a peer and the matrix that tries it.
int write_peer(const CommonOptions& common, const Catalogue& catalogue, const PeerSkeleton& peer) {
  const fs::path directory = catalogue.directory;
  const int code =
      write(catalogue, {{directory / "peers" / (peer.name + ".xml"), peer_text(peer)},
                        {directory / "matrices" / (peer.name + ".xml"), matrix_text(peer)}});
  if (code != 0) return code;
  fmt::print(
      "The rule on {0} is a guess: settle from its requirement what is right, then see it played:\n"
      "  {1}{2} run {0} --transcripts\n"
      "A peer for every mode combination belongs on the axis of matrices/tls-modes.xml.\n",
      peer.name, common.program, named(common));
  return 0;
}

// begin_settings begins a story under settings that no case has.
int begin_settings(const CommonOptions& common, const Catalogue& catalogue, const Gap& gap) {
  std::vector<std::string> settings;
  std::string name = "under";
  for (const std::string_view one : split(gap.id, '/')) {
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    settings.emplace_back(one);
    name += "-" + std::string(one.substr(equals + 1));
  }
  const Requirement& first = *in_order(catalogue).front();
  return write_story(common, catalogue,
                     {name, "settings", first.id, settings_story_text(first.id, gap.what, settings),
                      Role::kClient});
}

// begin_uncaught begins a story that names the faulty gateway which it has to catch.
int begin_uncaught(const CommonOptions& common, const Catalogue& catalogue, const Gap& gap) {
  const std::string fault = gap.id.substr(gap.id.find('/') + 1);
  const Requirement& first = *in_order(catalogue).front();
  StorySkeleton story{first.id, first.text, Role::kClient};
  story.note = fault + ": " + gap.what + ". Seen when `scripts/faults " + fault + "` says so.";
  std::string name = "catches-" + fault;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' ? static_cast<char>(std::tolower(c)) : '-';
  });
  return write_story(common, catalogue,
                     {name, folder_for(catalogue, story.ref, story.side), story.ref,
                      story_text(story), story.side});
}

// begin writes what closes one gap.
int begin(const CommonOptions& common, const Catalogue& catalogue, const Gap& gap) {
  const auto parts = split(gap.id, '/');
  const std::string kind(parts[0]);
  if (kind == "requirement") {
    const std::string ref(parts[1]);
    StorySkeleton story{ref, catalogue.requirements.at(ref).text, side_of(ref)};
    std::string name = ref;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return write_story(
        common, catalogue,
        {name, folder_for(catalogue, ref, story.side), ref, story_text(story), story.side});
  }
  if (kind == "story") {
    const std::string topic(parts[1]), way(parts[2]);
    for (const auto& model : catalogue.stories) {
      if (topic_of(*model) != topic) continue;
      const bool sending =
          std::any_of(model->scripts.begin(), model->scripts.end(), [](const Script& script) {
            return script.role == Role::kServer && !script.steps.empty();
          });
      StorySkeleton story{model->ref, catalogue.requirements.at(model->ref).text,
                          sending ? Role::kServer : Role::kClient};
      story.tls = way != "clear";
      story.version = way == "tls-1.2" ? TlsVersion::k12 : TlsVersion::k13;
      return write_story(common, catalogue,
                         {topic + "-in-" + way, topic, story.ref, story_text(story), story.side});
    }
  }
  PeerSkeleton peer;
  if (kind == "certificate") {
    peer.name = peer.certificate = std::string(parts[1]);
    peer.role = peer.name.starts_with("client") ? Role::kClient : Role::kServer;
    return write_peer(common, catalogue, peer);
  }
  if (kind == "fault") {
    peer.role = parts[1] == "client" ? Role::kClient : Role::kServer;
    peer.point = std::string(parts[2]);
    peer.act = std::string(parts[3]);
    peer.level = parts.size() > 4 ? std::string(parts[4]) : "";
    peer.name = fmt::format("{}-{}-{}{}{}", parts[1], peer.point, peer.act,
                            peer.level.empty() ? "" : "-under-", peer.level);
    peer.hold = peer.point != "quit";
    const std::string ref = peer.point == "body" || peer.point == "dot" ? "SMTP-10" : "SMTP-3";
    const auto requirement = catalogue.requirements.find(ref);
    if (peer.role == Role::kClient && peer.level.empty() &&
        requirement != catalogue.requirements.end()) {
      const std::string text =
          fault_story_text(ref, requirement->second.text, peer.point, peer.act);
      if (!text.empty())
        return write_story(
            common, catalogue,
            {peer.name, folder_for(catalogue, ref, peer.role), ref, text, peer.role});
    }
    return write_peer(common, catalogue, peer);
  }
  if (kind == "settings") return begin_settings(common, catalogue, gap);
  return begin_uncaught(common, catalogue, gap);
}

std::vector<Gap> all_gaps(const Loaded& loaded, const std::string& faults) {
  std::vector<Gap> gaps = find_gaps(*loaded.catalogue, loaded.authority->identity_names());
  std::ifstream stream(faults, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  for (Gap& gap : uncaught_faults(text.str())) gaps.push_back(std::move(gap));
  return gaps;
}

// fault_lines puts the faults of one point of one role into a line: those that nobody plays, then
// those that are played under some levels only.
std::vector<std::pair<std::string, std::string>> fault_lines(const std::vector<Gap>& gaps) {
  struct Point {
    std::string id;
    std::string never;
    std::vector<std::pair<std::string, std::string>> levels;  ///< By act.
  };
  std::vector<Point> points;
  for (const Gap& gap : gaps) {
    const auto parts = split(gap.id, '/');
    if (parts.size() < 4 || parts[0] != "fault") continue;
    const std::string id = fmt::format("fault/{}/{}", parts[1], parts[2]), act(parts[3]);
    if (points.empty() || points.back().id != id) points.push_back({id, "", {}});
    Point& point = points.back();
    if (parts.size() == 4) {
      point.never += (point.never.empty() ? "nobody plays " : ", ") + act;
    } else if (!point.levels.empty() && point.levels.back().first == act) {
      point.levels.back().second += "|" + std::string(parts[4]);
    } else {
      point.levels.emplace_back(act, parts[4]);
    }
  }
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Point& point : points) {
    std::string text = point.never;
    for (const auto& [act, levels] : point.levels)
      text += fmt::format("{}no {} under {}", text.empty() ? "" : "; ", act, levels);
    lines.emplace_back(point.id, text);
  }
  return lines;
}

// print_gaps prints each gap whose id begins with `which`; without it, those of faults in a line a
// point.
void print_gaps(const std::vector<Gap>& gaps, const std::string& which) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Gap& gap : gaps) {
    const bool folded = which.empty() && gap.id.starts_with("fault/");
    if (!folded && gap.id.starts_with(which)) lines.emplace_back(gap.id, gap.what);
  }
  if (which.empty())
    for (auto& line : fault_lines(gaps)) lines.push_back(std::move(line));
  std::size_t widest = 0;
  for (const auto& [id, what] : lines) widest = std::max(widest, id.size());
  for (const auto& [id, what] : lines) fmt::print("{:<{}}  {}\n", id, widest, what);
}

}  // namespace

int gaps_command(const CommonOptions& common, const GapsOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const std::vector<Gap> gaps = all_gaps(loaded, options.faults);
  if (!options.begin.empty()) {
    std::vector<std::string> ids;
    for (const Gap& gap : gaps) {
      if (gap.id == options.begin) return begin(common, *loaded.catalogue, gap);
      ids.push_back(gap.id);
    }
    fmt::print(stderr, "postern: found no gap \"{}\"{}, allowed: what `postern gaps` lists\n",
               options.begin, did_you_mean(options.begin, ids));
    return 2;
  }
  print_gaps(gaps, options.which);
  if (gaps.empty()) fmt::print("no gap was found\n");
  if (!gaps.empty())
    fmt::print(
        "{} gaps; `postern gaps WHICH` lists those whose id begins so, `postern gaps --new ID` "
        "begins what closes one\n",
        gaps.size());
  return gaps.empty() ? 0 : 1;
}

int new_story_command(const CommonOptions& common, const NewStoryOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const Catalogue& catalogue = *loaded.catalogue;
  if (!is_value(ValueType::kName, options.name)) {
    fmt::print(stderr, "postern: found the name \"{}\", allowed: small letters, digits, '.', '-'\n",
               options.name);
    return 2;
  }
  if (!is_known(catalogue, options.ref)) return 2;
  StorySkeleton story{options.ref, catalogue.requirements.at(options.ref).text,
                      side_of(options.ref)};
  if (!options.side.empty()) story.side = options.side == "server" ? Role::kServer : Role::kClient;
  return write_story(common, catalogue,
                     {options.name, folder_for(catalogue, options.ref, story.side), options.ref,
                      story_text(story), story.side});
}

}  // namespace postern
