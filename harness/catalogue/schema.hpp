#pragma once

#include <string>

// What is generated from the vocabulary for people and their editors.

namespace postern {

/// xsd gives the XML schema of all scenario files, checked in as scenarios/postern.xsd. It says
/// what a schema can: elements and their places, attributes, words and forms. What relates one
/// thing to another (names, conditions, proofs) only the loader knows.
std::string xsd();

/// reference_markdown gives the reference page, checked in as docs/scenario-reference.md.
std::string reference_markdown();

}  // namespace postern
