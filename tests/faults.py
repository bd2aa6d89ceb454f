"""The catalogue of faults: what each is, and the tests that make it happen. docs/faults.md is made from it by
``python -m tools.faults``; ``test_faults.py`` keeps both in step with the tests there are.
"""

from __future__ import annotations

from typing import NamedTuple


class FaultCase(NamedTuple):
    """``title``: what goes wrong; ``holds``: what must hold all the same; ``simulated``: names of ``simulate
    --list-faults``; ``tests``: path below ``tests/`` and name of each test."""

    title: str
    holds: str
    simulated: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


METER = "devices/shelly/test_connection.py::"
MEMORY = "heatmon/test_backfill.py::"
JOBS = "heatmon/test_jobs.py::"
CARE = "heatmon/test_device_care.py::"
CLOUD = "devices/viessmann/test_client.py::"
LOGIN = "devices/viessmann/test_login.py::"
PAUSES = "devices/viessmann/test_pauses.py::"
BUDGET = "devices/test_budget.py::"
OBSERVE = "changelog/test_observe.py::"
STORED = "heatmon/test_not_stored.py::"
DAMAGED = "heatmon/test_damaged.py::"
CELERY = "production/test_celery.py::"
EMBEDDED = "heatmon/test_embedded.py::"

FAULTS: dict[str, FaultCase] = {
    "M1": FaultCase(
        "The meter refuses or never accepts a connection",
        "A tick is skipped, nothing overlaps, the minutes come back",
        ("meter_unreachable",),
        (
            METER + "test_a_closed_port_does_not_answer",
            "heatmon/test_meter_away.py::test_the_hours_are_fetched_once_the_meter_responds_again",
        ),
    ),
    "M2": FaultCase(
        "The meter drips a byte a second",
        "Cut at the deadline",
        ("meter_slow",),
        (METER + "test_an_answer_that_drips_is_cut_at_the_deadline",),
    ),
    "M3": FaultCase(
        "The meter's answer is cut, no JSON, a web page or 50 MB",
        "Refused with its cause; at most 2 MB are read",
        ("meter_cuts_off", "meter_html", "meter_null", "meter_broken_json", "meter_huge_answer"),
        (
            METER + "test_fifty_megabytes_are_cut_at_two",
            METER + "test_a_body_that_breaks_off_is_no_answer",
            METER + "test_a_body_that_is_no_json_cannot_be_read",
        ),
    ),
    "M4": FaultCase(
        "A value is null, NaN or a text; a phase or em:0 is gone",
        "That field is missing, the rest is kept",
        ("meter_without_values", "meter_without_phase"),
        (
            "devices/shelly/test_parse.py::test_a_value_that_is_no_number_is_missing_and_the_rest_is_kept",
            "devices/shelly/test_parse.py::test_a_missing_phase_is_missing_not_zero",
        ),
    ),
    "M5": FaultCase(
        "A counter falls to 0, by fractions, to -1 or is another store's",
        "A reset is an event, jitter is nothing, no energy is invented",
        ("meter_counter_reset", "meter_counter_negative"),
        (
            JOBS + "test_a_counter_that_was_reset_stands_in_the_changes_once",
            "devices/shelly/test_counter.py::test_a_reset_gives_no_minute",
            "devices/shelly/test_parse.py::test_a_negative_counter_is_no_counter",
        ),
    ),
    "M6": FaultCase(
        "The meter restarts: no clock, rows from before it was set",
        "No row bears a time from before 2001",
        ("meter_reboots", "meter_power_cut"),
        (
            "devices/shelly/test_minutes.py::test_rows_from_before_the_clock_was_set_and_empty_cells_are_left_out",
            "devices/shelly/test_history.py::test_a_meter_without_a_clock_has_no_history_yet",
        ),
    ),
    "M7": FaultCase(
        "The history has holes, was wiped, or its paging stands still",
        "Fetching ends; what is lost stands as lost, its energy as one sum",
        ("meter_memory_fails", "meter_memory_cuts_off"),
        (
            MEMORY + "test_minutes_from_before_an_erased_memory_stand_as_lost_and_their_energy_as_a_lump",
            "devices/shelly/test_history.py::test_paging_always_ends",
        ),
    ),
    "M8": FaultCase(
        "New firmware: fields come and go, another period",
        "The period told is used, the unknown is ignored",
        ("meter_new_firmware",),
        (
            "devices/shelly/test_minutes.py::test_columns_are_found_by_name_in_any_order_and_new_ones_ignored",
            "devices/shelly/test_history.py::test_the_export_takes_the_period_that_the_meter_told",
        ),
    ),
    "M9": FaultCase(
        "Another meter has the address",
        "Nothing of it is stored until the owner says that it is the new one",
        ("meter_other_device",),
        (
            JOBS + "test_of_another_meter_at_the_address_nothing_is_stored_and_the_state_says_so",
            JOBS + "test_a_confirmed_new_meter_is_stored_and_no_energy_reaches_across_the_change",
        ),
    ),
    "M10": FaultCase(
        "The meter's password is wrong, its table of nonces full",
        "Asked twice, then left alone; a new login where that helps",
        ("meter_busy",),
        (
            METER + "test_a_meter_that_stays_busy_is_asked_twice_and_left_until_the_next_poll",
            JOBS + "test_a_corrected_password_is_tried_after_a_reload",
        ),
    ),
    "M11": FaultCase(
        "The meter's clock is off",
        "No minute is filed under a wrong time",
        (),
        (CARE + "test_a_wrong_clock_of_the_meter_files_no_minute_under_a_wrong_time",),
    ),
    "M12": FaultCase(
        "Proxies and logins of the system; a redirect",
        "None is used, none is followed",
        ("meter_redirects",),
        (
            METER + "test_proxies_and_stored_logins_of_the_system_are_not_used",
            METER + "test_a_redirect_is_not_followed",
        ),
    ),
    "C1": FaultCase(
        "The cloud's certificate is not good",
        "Nothing is sent, and the cause is named",
        (),
        (
            "devices/viessmann/test_guards.py::test_no_password_goes_to_a_cloud_whose_certificate_nobody_signed",
            "devices/test_http.py::test_a_certificate_that_nobody_signed_is_refused",
        ),
    ),
    "C2": FaultCase(
        "The token endpoint hangs or fails",
        "The login is kept; the meter is polled as ever",
        ("login_fails", "login_slow"),
        (
            LOGIN + "test_a_fault_of_the_token_endpoint_keeps_the_login",
            JOBS + "test_a_failed_cloud_login_does_not_touch_the_meter",
        ),
    ),
    "C3": FaultCase(
        "The cloud redirects in circles, drips, calls tokens expired",
        "At most three calls a poll, each in the ledger",
        ("cloud_redirects", "cloud_expires_tokens", "cloud_slow", "cloud_huge_answer"),
        (
            CLOUD + "test_a_cloud_that_rejects_every_token_is_asked_three_times_then_once_a_poll",
            CLOUD + "test_a_slow_drip_is_cut_off_at_the_deadline",
            BUDGET + "test_one_poll_may_make_three_requests",
        ),
    ),
    "C4": FaultCase(
        "429 without an end, or with one in the past or in 2099",
        "A pause of ten minutes to a day",
        ("cloud_rate_limited",),
        (
            CLOUD + "test_a_rate_limit_without_a_believable_end_pauses_between_ten_minutes_and_a_day",
            BUDGET + "test_a_pause_is_at_most_a_day",
        ),
    ),
    "C5": FaultCase(
        "The cloud or the gateway is down for a day",
        "One call a poll, no entry, told with its cause",
        ("cloud_offline", "cloud_down"),
        (
            JOBS + "test_a_gateway_that_is_offline_is_recorded_and_cleared_on_recovery",
            CLOUD + "test_each_answer_has_its_own_error_and_costs_one_call",
        ),
    ),
    "C6": FaultCase(
        "402, 403, 410",
        "Asked once an hour",
        ("cloud_not_paid", "cloud_forbidden"),
        (PAUSES + "test_no_right_and_no_interface_are_probed_once_an_hour",),
    ),
    "C7": FaultCase(
        "No data points, a feature missing, a value for one poll",
        "Unknown is not deleted: no entry",
        ("cloud_empty", "cloud_without_list", "cloud_features_missing"),
        (
            OBSERVE + "test_a_setting_that_vanishes_and_returns_is_no_change",
            OBSERVE + "test_a_value_seen_once_is_no_change",
        ),
    ),
    "C8": FaultCase(
        "The cloud repeats one answer for days",
        "The source is silent: neither heat nor COP",
        ("cloud_frozen",),
        ("metrics/test_silence.py::test_a_cloud_frozen_for_200_answers_adds_no_heat",),
    ),
    "C9": FaultCase(
        "Killed between the token's answer and saving it; two refresh at once",
        "One of them asks; a lost login is made anew",
        ("login_revoked",),
        (
            LOGIN + "test_a_login_whose_answer_was_never_saved_is_made_anew",
            "devices/viessmann/test_guards.py::test_who_waits_for_the_login_takes_what_the_other_process_got",
            "devices/viessmann/test_processes.py::test_processes_refresh_the_login_once_and_take_no_more_calls_than_are_left",
        ),
    ),
    "C10": FaultCase(
        "Another gateway, devices in another order, a second heat pump",
        "Found by its role; of several the chosen one",
        (),
        (
            CLOUD + "test_after_a_gateway_was_replaced_the_next_poll_looks_up_again",
            CLOUD + "test_of_several_heat_pumps_the_configured_one_is_read",
        ),
    ),
    "C11": FaultCase(
        "200 degrees, another unit, a modulation of 140 %",
        "Not known, and not summed",
        ("cloud_absurd", "cloud_other_unit"),
        ("devices/viessmann/test_features.py::test_an_impossible_value_is_none_and_flagged",),
    ),
    "S1": FaultCase(
        "A database is locked for a minute",
        "At most 1000 rows wait in memory, then they are written; answers of the cloud, too",
        ("store_locked", "notes_locked"),
        (
            "heatmon/test_live_rows.py::test_six_polls_of_a_locked_minute_are_stored_when_it_is_over",
            "heatmon/test_live_rows.py::test_at_most_a_thousand_rows_wait_and_the_newest_of_them",
            "heatmon/test_replay.py::test_answers_that_the_store_did_not_take_are_stored_with_the_next_one",
        ),
    ),
    "S2": FaultCase(
        "A reader is left open",
        "The write-ahead log is short again afterwards; own reads end",
        ("reader_left_open",),
        (
            "heatmon/test_upkeep.py::test_a_reader_that_held_the_log_up_leaves_it_short",
            "metrics/store/test_sqlite.py::test_a_read_that_takes_too_long_is_given_up",
        ),
    ),
    "S3": FaultCase(
        "The disk is full",
        "Pages, API and sign-in work; errors stay JSON; storing resumes by itself",
        ("disk_full",),
        (
            STORED + "test_a_note_on_a_full_disk_is_unavailable_and_not_internal",
            STORED + "test_a_job_that_cannot_store_is_noted_until_it_can_and_logged_once",
            "accounts/test_login_on_a_full_disk.py::test_everybody_can_sign_in_stays_signed_in_and_can_sign_out",
            "accounts/test_login_on_a_full_disk.py::test_nobody_guesses_more_often_than_otherwise",
        ),
    ),
    "S4": FaultCase(
        "Bytes of a database are flipped",
        "Measured values are set aside, notes are only read; every page says so",
        (),
        (
            DAMAGED + "test_flipped_bytes_in_the_middle_are_told_and_set_aside_by_the_next_start",
            DAMAGED + "test_damaged_notes_can_be_read_and_not_changed",
            DAMAGED + "test_heatmon_starts_on_a_damaged_database_says_so_and_changes_nothing",
        ),
    ),
    "S5": FaultCase(
        "A database is empty or missing",
        "No new installation, no demo, no new store",
        (),
        (
            DAMAGED + "test_a_lost_database_beside_measured_values_is_no_new_installation",
            "heatmon/test_up.py::test_a_lost_store_is_not_begun_anew_in_silence",
        ),
    ),
    "S6": FaultCase(
        "A copy without its write-ahead log",
        "Backups are made by SQLite and read back",
        (),
        (
            "backups/test_archive.py::test_it_holds_both_databases_and_says_what_it_is",
            "backups/test_archive.py::test_what_is_written_while_it_is_made_waits_for_nothing_and_is_in_the_next",
        ),
    ),
    "S7": FaultCase(
        "InfluxDB refuses, hangs or vanishes",
        "What waits is kept in order and stored once",
        (),
        (
            "heatmon/test_influxdb_away.py::test_every_poll_of_an_outage_is_there_afterwards_with_the_numbers_of_an_undisturbed_run",
            "metrics/store/influxdb/test_outbox.py::test_a_failure_that_may_pass_keeps_the_write_until_it_has",
        ),
    ),
    "S8": FaultCase(
        "InfluxDB answers 200 with an error; its bucket forgets",
        "Raised, and found at night",
        (),
        (
            "metrics/store/influxdb/test_strange_answers.py::test_an_answer_that_is_not_whole_is_no_answer",
            "metrics/store/influxdb/test_outbox.py::test_a_bucket_that_forgets_later_is_found_in_the_night",
        ),
    ),
    "S9": FaultCase(
        "Killed in a migration; an older heatmon on a newer schema",
        "The next start finishes it; the older one refuses and says why",
        (),
        (
            "heatmon/test_guards.py::test_a_database_of_a_newer_heatmon_is_refused_before_anything_is_changed",
            "production/test_crash_points.py::test_killed_three_times_at_a_point_nothing_acknowledged_is_missing",
        ),
    ),
    "P1": FaultCase(
        "Killed at any point; stopped while filling gaps",
        "Nothing acknowledged is missing; the end takes seconds",
        ("heatmon_killed",),
        (
            "production/test_crash_points.py::test_killed_three_times_at_a_point_nothing_acknowledged_is_missing",
            MEMORY + "test_filling_stops_between_two_hours_when_told_to",
        ),
    ),
    "P2": FaultCase(
        "Stopped past its turn, then continued",
        "Missed turns are dropped, no burst",
        (),
        (EMBEDDED + "test_after_a_suspension_the_missed_turns_are_dropped", CELERY + "test_redis_frozen"),
    ),
    "P3": FaultCase(
        "Two processes, two beats, two workers",
        "The second does nothing and says so; no call is made twice",
        (),
        (
            EMBEDDED + "test_a_second_process_is_told_who_holds_the_data_directory",
            "heatmon/test_tasks.py::test_of_two_schedulers_one_takes_the_turn",
            CELERY + "test_two_beats_and_two_workers_poll_once_each_time",
        ),
    ),
    "P4": FaultCase(
        "heatmon or its worker is away for an hour; a task hangs",
        "Old turns are dropped, the task is killed, minutes come back",
        ("heatmon_away",),
        (
            "heatmon/test_tasks.py::test_a_turn_that_comes_too_late_is_dropped",
            "heatmon/test_tasks.py::test_a_hung_task_is_killed_after_a_turn_of_its_own_kind",
            CELERY + "test_a_task_that_hangs_is_killed_and_the_log_says_so",
        ),
    ),
    "P5": FaultCase(
        "Redis is emptied, stopped, full",
        "Polls resume by themselves",
        (),
        (
            CELERY + "test_redis_emptied",
            CELERY + "test_redis_stopped_and_started",
            CELERY + "test_redis_full_and_refusing_writes",
        ),
    ),
    "P6": FaultCase(
        "Nobody reads the output",
        "Lines are dropped and counted; polls, pages and the end go on",
        (),
        (
            "heatmon/test_log.py::test_with_a_full_pipe_heatmon_starts_polls_answers_and_ends",
            "heatmon/test_log.py::test_lines_that_nobody_reads_are_dropped_and_counted",
        ),
    ),
    "P7": FaultCase(
        "heatmon dies again and again",
        "The ledger and the refusals outlive it: no call is wasted",
        (),
        (
            "heatmon/test_first_poll.py::test_dying_in_mid_poll_again_and_again_costs_no_calls",
            PAUSES + "test_a_restart_does_not_end_the_pause_but_another_choice_does",
        ),
    ),
    "T1": FaultCase(
        "The clock steps, or the computer sleeps",
        "Polls go on within a period; calls dated ahead count as used",
        (),
        (
            EMBEDDED + "test_a_clock_set_back_one_hour_makes_no_pause_of_an_hour",
            BUDGET + "test_calls_in_the_future_count_as_used",
            CARE + "test_a_jump_of_our_own_clock_costs_no_row_of_the_meter",
        ),
    ),
    "T2": FaultCase(
        "Summer time both ways, week 53, leap years",
        "Hours, days, months and years are equal",
        (),
        (
            "metrics/store/test_contract.py::test_local_days_of_23_24_and_25_hours_sum_exactly",
            "metrics/test_windows.py::test_labels_around_a_new_year_in_week_53",
            "metrics/test_windows.py::test_a_leap_year_has_366_days",
        ),
    ),
    "T3": FaultCase(
        "The home's time zone is changed",
        "Sums are of the days of that zone",
        (),
        ("metrics/store/test_contract.py::test_days_of_odd_zones_sum_exactly",),
    ),
    "T4": FaultCase(
        "The quota is used up at midnight UTC, then a restart",
        "The rolling rule still holds",
        (),
        (
            BUDGET + "test_a_restart_after_midnight_gets_no_fresh_budget",
            BUDGET + "test_whatever_the_clock_does_no_window_ever_holds_more_than_stops_at",
        ),
    ),
    "U1": FaultCase(
        "Two tabs with one note; a double click",
        "409 with both texts; one note",
        (),
        (
            "api/test_changelog.py::test_an_edit_of_a_stale_version_is_answered_with_both_texts",
            "changelog/test_notes.py::test_a_double_click_gives_one_note",
        ),
    ),
}
