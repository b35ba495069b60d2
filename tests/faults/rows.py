"""The rows of the fault table, and where the tests are that prove them."""

from __future__ import annotations

ROWS = {
    1: "5xx, then fine",
    2: "429 and Retry-After, risk control",
    3: "time limits of connecting, reading, and in all",
    4: "reset in the body, in the reply, after the body",
    5: "a byte now and then, endless headers, endless body",
    6: "broken, empty, deep, compressed and random replies",
    7: "every code of Bilibili",
    8: "the login expires in the middle",
    9: "a link that does not answer, or with other bytes",
    10: "S3: 200 with an error in the body",
    11: "disk full",
    12: "EIO, failed fsync",
    13: "the journal locked by another process",
    14: "a corrupt, truncated, empty or foreign journal",
    15: "kill -9 anywhere",
    16: "power cut",
    17: "clock jumps, long sleep",
    18: "1,000 and 20,000 files",
    19: "files that vanish or are swapped while they are read",
    20: "slow writers, temporary names, half-written files",
    21: "a clipboard owner that dies or stalls",
    22: "500 MB on the clipboard, too many pixels, an endless pipe",
    23: "a clipboard that changes 100 times a second",
    24: "simultaneous starts, a stranger on the port",
    25: "suspend, no network, captive portal, no DNS",
    26: "bad TLS certificates",
    27: "folders deleted or read-only under it",
    28: "SIGTERM in an upload",
}

ELSEWHERE = {
    1: (
        "test_outbox.py::test_a_host_that_recovers_gets_everything",
        "test_outbox.py::test_a_host_that_answers_5xx_gets_everything",
    ),
    2: (
        "test_outbox.py::test_retry_after_is_kept",
        "test_gate.py",
        "test_transport.py::TestRetryAfter",
    ),
    3: ("test_transport.py::TestTime",),
    4: ("test_transport.py::TestErrors",),
    5: ("test_transport.py::TestSize",),
    6: ("test_bilibili.py::TestRandomReplies",),
    7: ("test_bilibili.py::TestAnswers",),
    8: (
        "test_outbox.py::test_an_expired_login_holds_everything",
        "test_daemon.py::test_an_expired_login_is_held_and_flows_after_a_new_one",
        "desktop/test_watch_troubles.py::test_an_expired_login",
    ),
    9: ("test_health.py", "test_daemon.py::test_a_dead_link_is_found"),
    10: ("test_s3.py::TestAnswers",),
    11: ("test_outbox.py::test_a_disk_that_fills_up_in_between_loses_nothing",),
    13: (
        "test_database.py",
        "test_daemon.py::test_a_journal_that_others_keep_does_not_hold_up_the_end",
        "test_journal.py::test_processes_do_not_get_in_each_others_way",
    ),
    14: ("test_recovery.py",),
    15: (
        "test_cli.py::test_a_killed_command_loses_nothing",
        "test_owner.py::test_a_dead_sender_is_reaped_and_a_living_one_is_not",
        "desktop/test_watch_ends.py::test_killed_in_the_middle",
    ),
    18: ("test_folder.py::test_many_files_at_once_are_found_once_each",),
    19: (
        "test_file_find.py",
        "test_folder.py::test_files_that_vanish_in_every_way_do_no_harm",
    ),
    20: (
        "test_settling.py",
        "test_folder.py::test_slow_writers_are_waited_for",
        "desktop/test_watch_folders.py::test_a_browsers_download",
    ),
    21: (
        "desktop/test_clipboard_x11.py::test_who_does_not_hand_it_over",
        "desktop/test_clipboard_wayland.py",
        "desktop/test_watch_manners.py::test_an_owner_that_stalls",
        "desktop/test_watch_manners.py::test_an_owner_that_dies",
    ),
    22: (
        "desktop/test_clipboard_x11.py::test_too_large",
        "desktop/test_watch_troubles.py::test_what_is_no_picture",
        "test_child.py",
    ),
    23: ("desktop/test_clipboard_x11.py::test_a_flood_of_copies",),
    24: (
        "test_cli.py::test_the_port_in_use_is_told",
        "test_cli.py::test_a_killed_server_is_followed_by_another",
        "test_lock.py",
    ),
    25: ("desktop/test_watch_troubles.py::test_a_host_that_is_down",),
    26: ("test_transport.py::TestTls",),
    27: (
        "test_daemon.py::test_a_deleted_data_folder_is_made_again",
        "test_daemon.py::test_a_deleted_state_folder_is_made_again",
        "test_cli.py::test_a_read_only_home_accepts_nothing",
    ),
    28: (
        "test_daemon.py::test_a_signal_in_an_upload_loses_nothing",
        "desktop/test_watch_ends.py::test_ended_in_an_upload",
        "test_server_run.py::test_the_end_does_not_wait_for_clients_that_stand_still",
    ),
}
"""Tests that are beside what they test: by row, below the folder of all tests."""


def rows_of(node_id: str) -> list[int]:
    """The rows that a test elsewhere proves."""
    return [
        row
        for row, names in ELSEWHERE.items()
        if any(f"tests/{name}" in (node_id, *_above(node_id)) for name in names)
    ]


def _above(node_id: str) -> list[str]:
    """The names of what holds a test: without its parameters, its class, its file."""
    name = node_id.partition("[")[0]
    parts = name.split("::")
    return ["::".join(parts[:count]) for count in range(1, len(parts) + 1)]
