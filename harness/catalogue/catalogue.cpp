#include "catalogue/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "catalogue/decide.hpp"
#include "catalogue/loaders.hpp"
#include "catalogue/story_parts.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;

/// files_below lists every .xml file below `directory`, however it is written, in order of path.
std::vector<std::string> files_below(const std::string& directory, Problems& problems) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::string extension = entry->path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".xml") files.push_back(entry->path().string());
    entry.increment(error);
  }
  if (error) {
    problems.add({directory, 0, 0},
                 fmt::format("found no readable directory: {}, allowed: a directory of scenarios",
                             error.message()));
  } else if (files.empty()) {
    problems.add({directory, 0, 0}, "found no .xml file, allowed: a directory of scenarios");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string without_surrounding_blanks(const std::string& text) {
  return fmt::format("{}", fmt::join(words_of(text), " "));
}

/// Loading reads file after file, then checks what they say of each other.
class Loading {
 public:
  Loading(Catalogue& catalogue, PkiNames pki, Problems& problems)
      : catalogue_(catalogue), pki_(std::move(pki)), problems_(problems) {}

  void read(const std::string& file) {
    std::optional<LocatedXml> document = LocatedXml::load(file, problems_);
    if (!document) return;
    // Stories use prefixes, which may stand in files that come later.
    if (std::string_view(document->root().name()) == "story") {
      stories_.push_back(std::move(*document));
      return;
    }
    const ElementEntry* root = check_document(*document, problems_);
    if (!root) return;
    const Reader reader(*document, problems_);
    if (root->id == "requirements") {
      for (Requirement& one : load_requirements(reader)) file_requirement(std::move(one));
    } else if (root->id == "peers") {
      std::vector<PeerDraft> drafts = load_peers(reader);
      std::move(drafts.begin(), drafts.end(), std::back_inserter(drafts_));
    } else if (root->id == "matrix") {
      catalogue_.matrices.push_back(load_matrix(reader));
      unique("matrix", catalogue_.matrices.back()->name, catalogue_.matrices.back()->place);
    } else if (root->id == "prefixes") {
      for (auto& [name, prefix] : load_prefixes(reader)) {
        unique("prefix", name, prefix.place);
        catalogue_.prefixes.emplace(name, std::move(prefix));
      }
    } else if (root->id == "deviations") {
      Departures departures = load_departures(reader);
      unique("deviations of", departures.gateway, departures.place);
      catalogue_.departures.emplace(departures.gateway, std::move(departures));
    } else {
      GatewayFile gateway = load_gateway(reader, pki_);
      unique("gateway", gateway.name, gateway.place);
      catalogue_.gateways.emplace(gateway.name, std::move(gateway));
    }
  }

  /// read_stories reads each story once for every variant of it.
  void read_stories() {
    for (const LocatedXml& document : stories_) {
      for (const Assignment& variant : variants_of(document, problems_)) {
        check_document(document, problems_, variant);
        catalogue_.stories.push_back(
            load_story(Reader(document, problems_, variant), catalogue_.prefixes));
      }
      unique("story", catalogue_.stories.back()->name, catalogue_.stories.back()->place);
    }
  }

  /// relate does what needs all files. It is worth doing only while each is right by itself.
  void relate() {
    if (!problems_.empty()) return;
    resolve_peers(drafts_, catalogue_, problems_);
    if (problems_.empty()) check_references(catalogue_, drafts_, pki_, problems_);
    if (!problems_.empty()) return;
    for (const auto& matrix : catalogue_.matrices) decide(*matrix, catalogue_, problems_);
    for (const auto& [name, departures] : catalogue_.departures)
      if (problems_.empty()) check_departures(catalogue_, departures, problems_);
  }

 private:
  void file_requirement(Requirement requirement) {
    unique("requirement", requirement.id, requirement.place);
    catalogue_.requirements.emplace(requirement.id, std::move(requirement));
  }

  void unique(const std::string& what, const std::string& name, const Place& place) {
    const auto [entry, is_new] = named_.emplace(what + " " + name, place);
    if (is_new) return;
    problems_.add(place, fmt::format("found the {} \"{}\" a second time, the first is at {}", what,
                                     name, entry->second.text()));
  }

  Catalogue& catalogue_;
  PkiNames pki_;
  Problems& problems_;
  std::vector<PeerDraft> drafts_;
  std::vector<LocatedXml> stories_;
  std::map<std::string, Place> named_;
};

const std::string& control_in(const std::map<std::string, Peer>& peers, const std::string& name) {
  const auto peer = peers.find(name);
  return peer == peers.end() || peer->second.control.empty() ? name : peer->second.control;
}

}  // namespace

std::vector<Requirement> load_requirements(const Reader& reader) {
  std::vector<Requirement> requirements;
  for (pugi::xml_node node : reader.root().children("requirement")) {
    requirements.push_back({reader.text(node, "id"), reader.text(node, "source"),
                            reader.text(node, "level"),
                            without_surrounding_blanks(reader.content(node)), reader.place(node)});
  }
  return requirements;
}

const std::string& Catalogue::control_client(const std::string& name) const {
  return control_in(clients, name);
}

const std::string& Catalogue::control_server(const std::string& name) const {
  return control_in(servers, name);
}

std::unique_ptr<Catalogue> load_catalogue(const std::string& directory,
                                          const certs::Authority& authority, Problems& problems) {
  auto catalogue = std::make_unique<Catalogue>();
  catalogue->directory = directory;
  const std::vector<std::string> files = files_below(directory, problems);
  catalogue->files = static_cast<unsigned>(files.size());
  Loading loading(*catalogue,
                  {authority.identity_names(), authority.trust_names(), authority.crl_names()},
                  problems);
  for (const std::string& file : files) loading.read(file);
  loading.read_stories();
  loading.relate();
  if (!problems.empty()) return nullptr;
  return catalogue;
}

}  // namespace postern
