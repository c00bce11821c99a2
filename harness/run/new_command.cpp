#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

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
      "  4. See it fail once: a faulty gateway in harness/selftest/faults, then scripts/faults "
      "NAME.\n",
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
    peer.name = fmt::format("{}-{}-{}", parts[1], peer.point, peer.act);
    peer.hold = peer.point != "quit";
    const std::string ref = peer.point == "body" || peer.point == "dot" ? "SMTP-10" : "SMTP-3";
    const auto requirement = catalogue.requirements.find(ref);
    if (peer.role == Role::kClient && requirement != catalogue.requirements.end()) {
      const std::string text =
          fault_story_text(ref, requirement->second.text, peer.point, peer.act);
      if (!text.empty())
        return write_story(
            common, catalogue,
            {peer.name, folder_for(catalogue, ref, peer.role), ref, text, peer.role});
    }
    return write_peer(common, catalogue, peer);
  }
  fmt::print(stderr, "postern: nothing can be begun for {}: {}; {}\n", gap.id, gap.what,
             kind == "settings" ? "add the values to an axis of a matrix, or rule them out there"
                                : "write the story that sees it: postern new-story");
  return 2;
}

std::vector<Gap> all_gaps(const Loaded& loaded, const std::string& faults) {
  std::vector<Gap> gaps = find_gaps(*loaded.catalogue, loaded.authority->identity_names());
  std::ifstream stream(faults, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  for (Gap& gap : uncaught_faults(text.str())) gaps.push_back(std::move(gap));
  return gaps;
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
  std::size_t widest = 0;
  for (const Gap& gap : gaps) widest = std::max(widest, gap.id.size());
  for (const Gap& gap : gaps) fmt::print("{:<{}}  {}\n", gap.id, widest, gap.what);
  if (gaps.empty()) fmt::print("no gap was found\n");
  if (!gaps.empty())
    fmt::print("{} gaps; `postern gaps --new ID` begins what closes one\n", gaps.size());
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
