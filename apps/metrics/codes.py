"""◇ Codes of the stored results: states, reasons and flags, each documented once.

``REASONS`` are also the API's words; their sentences for people are made in the pages.
"""

from __future__ import annotations

METHOD_VERSION = 3
"""Version of all derived numbers. A higher one rebuilds them in the background after an upgrade."""

# States of an interval, metrics §2.
STATE_NONE, STATE_ELEC, STATE_FULL = 0, 1, 2

# Why a result is missing. One per interval: the first that applies, electricity before heat.
NONE = 0
NO_ELECTRICITY = 1
IN_LUMP = 2
RUN_STATE_UNKNOWN = 3
NO_SNAPSHOT = 4
ACTIVE_UNKNOWN = 5
MODULATION_UNKNOWN = 6
RATED_POWER_UNKNOWN = 7
NOT_ACTIVE = 8
ROD_OR_COMPRESSOR = 9
NO_FLOW_RATE = 10
TEMPERATURE_UNKNOWN = 11
NEGATIVE_DELTA_T = 12
NOT_RUNNING = 13
SHORT_RUN = 14
LOW_POWER = 15
SOURCE_SILENT = 16
COOLED = 17

REASONS: dict[int, str] = {
    NONE: "",
    NO_ELECTRICITY: "no_electricity",  # not all of it: neither five minute rows nor counters at both edges
    IN_LUMP: "in_lump",  # electricity is known only together with other intervals, or over a reset
    RUN_STATE_UNKNOWN: "run_state_unknown",  # less than 270 s of known compressor state
    NO_SNAPSHOT: "no_snapshot",  # no answer of the heat pump in these five minutes
    ACTIVE_UNKNOWN: "active_unknown",  # the answer does not say whether the compressor runs
    MODULATION_UNKNOWN: "modulation_unknown",
    RATED_POWER_UNKNOWN: "rated_power_unknown",
    NOT_ACTIVE: "not_active",  # the meter saw it run, the heat pump says no, no neighbour helps
    ROD_OR_COMPRESSOR: "rod_or_compressor",  # the power may have been drawn by the heating rod
    NO_FLOW_RATE: "no_flow_rate",  # delta T needs the flow rate setting
    TEMPERATURE_UNKNOWN: "temperature_unknown",  # secondary supply or return missing
    NEGATIVE_DELTA_T: "negative_delta_t",  # return above supply while running
    NOT_RUNNING: "not_running",  # COP only: the compressor stood
    SHORT_RUN: "short_run",  # COP only: it ran for less than nine tenths of the time
    LOW_POWER: "low_power",  # COP only: it drew less than the off threshold
    SOURCE_SILENT: "source_silent",  # the cloud repeats itself, nothing new came for half an hour
    COOLED: "cooled",  # COP only: no heat was made
}

# How a result came about; a sum of these.
FLAG_CONFLICT = 1  # heat pump says active, the meter saw nothing: stale answer
FLAG_COOLING = 2
FLAG_DEFROST = 4
FLAG_NEIGHBOUR = 8  # modulation of another interval of the same run
FLAG_ASSUMED_FULL = 16  # a unit that only knows 0 and 100 %, taken as 100
FLAG_ROD = 32  # the heating rod's runtime rose
FLAG_LUMP = 64
FLAG_RESET = 128  # a counter started anew inside
FLAG_COUNTER = 256  # energy from counters, minute rows were missing
FLAG_COP_UNUSUAL = 512  # COP below 1 or above 10; still summed
FLAG_MINUTE_MEANS = 1024  # run state from minute means, the 10 s polls were missing
