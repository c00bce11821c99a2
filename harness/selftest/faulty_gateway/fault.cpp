#include "fault.hpp"

#include <utility>

namespace faulty {
namespace {

constexpr std::pair<std::string_view, Fault> kFaults[] = {
    {"none", Fault::kNone},
    {"never-ready", Fault::kNeverReady},
    {"exits-before-ready", Fault::kExitsBeforeReady},
    {"exits-after-ready", Fault::kExitsAfterReady},
    {"closes-its-port", Fault::kClosesItsPort},
    {"crashes-on-third-connection", Fault::kCrashesOnThirdConnection},
    {"hangs-in-session", Fault::kHangsInSession},
    {"hangs-at-stop", Fault::kHangsAtStop},
    {"crashes-at-stop", Fault::kCrashesAtStop},
    {"exits-with-3-at-stop", Fault::kExitsWith3AtStop},
    {"answers-garbage", Fault::kAnswersGarbage},
    {"answers-without-end", Fault::kAnswersWithoutEnd},
    {"is-busy", Fault::kIsBusy},
    {"is-busy-at-greeting", Fault::kIsBusyAtGreeting},
    {"accepts-what-it-must-drop", Fault::kAcceptsWhatItMustDrop},
    {"hangs-up-after-data", Fault::kHangsUpAfterData},
    {"loses-messages", Fault::kLosesMessages},
    {"changes-body", Fault::kChangesBody},
    {"changes-envelope", Fault::kChangesEnvelope},
    {"ends-commands-with-lf", Fault::kEndsCommandsWithLf},
    {"delivers-twice", Fault::kDeliversTwice},
    {"delivers-again-at-stop", Fault::kDeliversAgainAtStop},
    {"delivers-to-another", Fault::kDeliversToAnother},
    {"delivers-held-at-once", Fault::kDeliversHeldAtOnce},
    {"delivers-held-at-stop", Fault::kDeliversHeldAtStop},
    {"delivers-refused-at-stop", Fault::kDeliversRefusedAtStop},
    {"keeps-no-record", Fault::kKeepsNoRecord},
    {"hides-refusals", Fault::kHidesRefusals},
    {"delivers-and-says-held", Fault::kDeliversAndSaysHeld},
    {"says-delivered", Fault::kSaysDelivered},
    {"says-held-and-forgets", Fault::kSaysHeldAndForgets},
    {"says-accepted-without-250", Fault::kSaysAcceptedWithout250},
    {"records-foreign-mail", Fault::kRecordsForeignMail},
    {"queues-foreign-mail", Fault::kQueuesForeignMail},
    {"queues-twice", Fault::kQueuesTwice},
    {"keeps-delivered-in-queue", Fault::kKeepsDeliveredInQueue},
    {"leaks-in-ehlo", Fault::kLeaksInEhlo},
    {"leaks-in-mail", Fault::kLeaksInMail},
    {"leaks-in-rcpt", Fault::kLeaksInRcpt},
    {"leaks-in-header", Fault::kLeaksInHeader},
    {"leaks-at-body-start", Fault::kLeaksAtBodyStart},
    {"leaks-in-body-middle", Fault::kLeaksInBodyMiddle},
    {"leaks-at-body-end", Fault::kLeaksAtBodyEnd},
    {"leaks-in-base64", Fault::kLeaksInBase64},
    {"leaks-in-quoted-printable", Fault::kLeaksInQuotedPrintable},
    {"leaks-across-chunks", Fault::kLeaksAcrossChunks},
    {"leaks-instead-of-hello", Fault::kLeaksInsteadOfHello},
    {"leaks-in-sni", Fault::kLeaksInSni},
    {"leaks-inside-unverified-tls", Fault::kLeaksInsideUnverifiedTls},
    {"leaks-behind-close-notify", Fault::kLeaksBehindCloseNotify},
    {"leaks-in-clear-bounce", Fault::kLeaksInClearBounce},
    {"leaks-in-bounce-to-another", Fault::kLeaksInBounceToAnother},
    {"says-null-mail", Fault::kSaysNullMail},
};

}  // namespace

bool fault_of(std::string_view word, Fault& fault) {
  for (const auto& [name, value] : kFaults) {
    if (name != word) continue;
    fault = value;
    return true;
  }
  return false;
}

std::string fault_words() {
  std::string words;
  for (const auto& [name, value] : kFaults) words += std::string(name) + "\n";
  return words;
}

}  // namespace faulty
