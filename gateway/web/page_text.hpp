// The files of page/ and words.xml, made part of the program by CMake.
#pragma once

namespace gateway::web {

extern const char* const kLayout;
extern const char* const kLogin;
extern const char* const kMessage;
extern const char* const kEncryption;
extern const char* const kConsequences;
extern const char* const kQueue;
extern const char* const kQuestion;
extern const char* const kSessions;
extern const char* const kSessionsTable;
extern const char* const kCertificates;
extern const char* const kCertificateRow;
extern const char* const kStyle;
extern const char* const kScript;
extern const char* const kWords;

}  // namespace gateway::web
