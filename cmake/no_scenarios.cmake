# The one test there is where the scenarios could not be listed: it shows why, and fails.
execute_process(COMMAND "${POSTERN}" check "${SCENARIOS}" RESULT_VARIABLE result)
message(FATAL_ERROR "The scenarios could not be listed (postern check: ${result}), so none were run.")
