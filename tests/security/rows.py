"""The rows of the threat table, and the tests that prove them."""

from __future__ import annotations

PROOFS = {
    "a web page calls the local server": (
        "test_door_attacks.py::TestPages",
        "test_server_guard.py::test_a_foreign_page_gets_nowhere",
        "browser/test_foreign_pages.py::test_a_foreign_page_changes_and_reads_nothing",
    ),
    "DNS rebinding": (
        "test_door_attacks.py::TestNames",
        "test_server_guard.py::test_a_rebound_name_gets_nowhere",
        "test_server_guard.py::test_no_host_or_two_get_nowhere",
        "browser/test_foreign_pages.py::test_a_rebound_name_shows_nothing",
    ),
    "theft of files through the list of an upload": (
        "test_door_attacks.py::TestFiles",
        "test_off_limits.py",
        "faults/test_pipes.py::test_what_never_ends_by_its_name",
    ),
    "fetching inner addresses": (
        "test_fetch.py::TestAddresses",
        "test_fetch.py::TestFetching::test_redirect_to_an_inner_address",
        "test_picgo.py::TestLinks::test_fetching_is_off",
        "test_picgo.py::TestLinks::test_inner_addresses_are_never_fetched",
    ),
    "path tricks on the file server": (
        "test_server_files.py::test_only_known_names_lead_to_files",
        "test_server_files.py::test_random_paths_find_only_the_stored_image",
        "test_local.py",
    ),
    "decompression bombs": (
        "security/test_bombs.py",
        "test_check.py::test_a_bomb_is_refused_at_once",
        "test_check.py::test_a_huge_photo_needs_little_memory",
        "test_check.py::test_metadata_is_never_unpacked",
    ),
    "bugs of decoders": (
        "security/test_every_way_in.py",
        "test_child.py::test_a_process_killed_in_the_middle_costs_one_image",
        "test_child.py::test_a_process_that_hangs_is_killed_at_the_deadline",
        "test_child.py::test_a_memory_bomb_costs_one_image",
        "test_child.py::test_nothing_of_our_environment_is_handed_on",
    ),
    "polyglots, SVG, HTML in images": (
        "browser/test_polyglots.py",
        "browser/test_gallery_browser.py::test_a_hostile_name_is_only_a_name",
        "test_check.py::test_what_is_no_image_is_called_what_it_is",
        "test_server_files.py::test_a_file_is_given_as_it_is",
    ),
    "places and other metadata in published pictures": (
        "security/test_places.py",
        "security/test_every_way_in.py",
        "test_strip.py",
    ),
    "secrets in logs, tracebacks, the process list, history": (
        "security/test_secrets.py",
        "test_masking.py",
        "test_transport.py::TestSecrets",
        "faults/test_network.py::test_random_replies",
    ),
    "another user of the same machine": (
        "security/test_other_users.py",
        "test_server_guard.py::test_another_user_of_this_machine_gets_nowhere",
        "test_cli.py::test_the_port_in_use_is_told",
    ),
    "files readable by others": (
        "desktop/test_watch_commands.py::test_nobody_else_can_read",
        "security/test_other_users.py",
    ),
    "links and swaps in watched folders": (
        "security/test_swaps.py",
        "faults/test_files.py::test_races",
        "test_file_find.py",
    ),
    "control characters, bidi, newlines in names on a terminal": (
        "security/test_terminal.py",
        "test_text.py",
        "desktop/test_notify.py::test_hidden_characters",
    ),
    "markup injection through alt text or link": (
        "test_links.py::test_markdown_is_one_image_ten_thousand_times",
        "test_links.py::test_html_is_one_image",
        "test_links.py::test_only_web_addresses_are_handed_on",
    ),
    "a screenshot published by mistake": (
        "desktop/test_watch_by_mistake.py",
        "desktop/test_watch_manners.py",
        "desktop/test_watch_commands.py::test_minutes",
        "test_tray.py",
    ),
}
"""By what is threatened; some rows of the table are several threats."""
