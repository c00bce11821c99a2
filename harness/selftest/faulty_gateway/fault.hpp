#pragma once

#include <string>
#include <string_view>

// The faulty gateway: a small store-and-forward relay that is right in what it does, but for the
// one fault that its command line names. It shows that the harness turns red when it must, and
// shares no code with harness or gateway. One thread a connection, blocking sockets: it is small
// before all.

namespace faulty {

/// Fault is what it does wrong.
enum class Fault {
  kNone,

  // The process.
  kNeverReady,
  kExitsBeforeReady,
  kExitsAfterReady,
  kClosesItsPort,
  kCrashesOnThirdConnection,
  kHangsInSession,
  kHangsAtStop,
  kCrashesAtStop,
  kExitsWith3AtStop,

  // Towards the client.
  kAnswersGarbage,
  kAnswersWithoutEnd,
  kIsBusy,
  kIsBusyAtGreeting,
  kAcceptsWhatItMustDrop,
  kHangsUpAfterData,

  // What becomes of messages.
  kLosesMessages,
  kChangesBody,
  kChangesEnvelope,
  kEndsCommandsWithLf,
  kDeliversTwice,
  kDeliversAgainAtStop,
  kDeliversToAnother,
  kDeliversHeldAtOnce,
  kDeliversHeldAtStop,
  kDeliversRefusedAtStop,

  // Its record and its queue.
  kKeepsNoRecord,
  kHidesRefusals,
  kDeliversAndSaysHeld,
  kSaysDelivered,
  kSaysHeldAndForgets,
  kSaysAcceptedWithout250,
  kRecordsForeignMail,
  kQueuesForeignMail,
  kQueuesTwice,
  kKeepsDeliveredInQueue,

  // Where the message's token shows before the gateway gives up.
  kLeaksInEhlo,
  kLeaksInMail,
  kLeaksInRcpt,
  kLeaksInHeader,
  kLeaksAtBodyStart,
  kLeaksInBodyMiddle,
  kLeaksAtBodyEnd,
  kLeaksInBase64,
  kLeaksInQuotedPrintable,
  kLeaksAcrossChunks,
  kLeaksInsteadOfHello,
  kLeaksInSni,
  kLeaksInsideUnverifiedTls,
  kLeaksBehindCloseNotify,
  kLeaksInClearBounce,
  kLeaksInBounceToAnother,
  kSaysNullMail,
};

/// fault_of gives the fault that a word of the command line names; false: none does.
bool fault_of(std::string_view word, Fault& fault);

/// fault_words gives all of them, one a line.
std::string fault_words();

}  // namespace faulty
