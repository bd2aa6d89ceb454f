"""Takes protections away, one after the other, in a copy of the project, and sees a test fail.

make mutants
python -m tools.mutants [NAME…]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "data", "build", "node_modules", "__pycache__", ".*_cache", ".hypothesis", "secrets"
)
WITHIN_S = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A protection: in ``file`` the text ``there`` becomes ``instead``, and ``test`` must fail."""

    name: str
    file: str
    there: str
    instead: str
    test: str


def _m(name: str, file: str, there: str, instead: str, test: str) -> Mutant:
    return Mutant(name=name, file=file, there=there, instead=instead, test=f"tests/{test}")


GUARD, ACCESS = "apps/accounts/guard.py", "apps/accounts/middleware.py"
SETTINGS, LIMITS = "heatmon/settings.py", "heatmon/web_limits.py"
ADDRESS, TYPED = "apps/devices/address.py", "apps/devices/typed_address.py"
LOGIN, PROTECTIONS = "accounts/test_login.py", "accounts/test_protections.py"
ADDRESSES, LIMIT_TESTS = "devices/test_address.py", "heatmon/test_web_limits.py"
START = "heatmon/test_start.py"
LINKS = "accounts/test_links.py"

MUTANTS: tuple[Mutant, ...] = (
    _m(
        "guard-name",
        GUARD,
        "return str(UsernameField(required=False).to_python(typed))",
        "return str(typed)",
        f"{LOGIN}::test_a_name_typed_in_another_way_is_the_same_account_to_the_guard",
    ),
    _m(
        "guard-others",
        GUARD,
        "        for attempts in self.filter_user_attempts(request, credentials):",
        "        for attempts in [AccessAttempt.objects.all()]:",
        f"{LOGIN}::test_a_failure_of_another_account_does_not_shorten_the_delay",
    ),
    _m(
        "guard-success",
        GUARD,
        "        _forget_failures(username=user.get_username(),",
        "        dict(username=0,",
        f"{LOGIN}::test_a_success_forgets_the_failures_before_it",
    ),
    _m(
        "setup-code-lock",
        "apps/accounts/setup_code.py",
        "        fcntl.flock(folder, fcntl.LOCK_EX)\n",
        "",
        "accounts/test_setup_code.py::test_tries_at_the_same_moment_are_all_counted",
    ),
    _m(
        "own-services",
        ADDRESS,
        " or (_place(ip), port) in ours",
        "",
        f"{ADDRESSES}::test_heatmons_own_services_are_no_meters_by_whatever_name_or_address",
    ),
    _m(
        "own-port",
        TYPED,
        "found = [settings.BIND]",
        "found = []",
        "heatmon/test_typed_address.py::test_they_are_refused_by_address_where_loopback_is_allowed",
    ),
    _m(
        "own-interfaces",
        ADDRESS,
        "if not here and _may_bind(str(ip)):",
        "if False:",
        f"{ADDRESSES}::test_an_address_of_its_own_interfaces_is_this_machine_as_loopback_is",
    ),
    _m(
        "public-addresses",
        ADDRESS,
        "return any(ip in network for network in HOME_NETWORKS) or _is_neighbour(ip)",
        "return not ip.is_link_local",
        f"{ADDRESSES}::test_an_address_where_no_meter_is_is_refused_however_it_is_reached",
    ),
    _m(
        "address-while-polling",
        "heatmon/collection.py",
        "permitted_typed_ip if typed else None",
        "None",
        "heatmon/test_typed_address.py::test_a_saved_address_of_this_machine_is_not_asked_by_poll_or_memory",
    ),
    _m(
        "proxy-headers",
        "heatmon/wsgi.py",
        '    environ["wsgi.url_scheme"] = "http"\n',
        "",
        "heatmon/test_wsgi.py::test_nobody_else_is_believed_on_loopback_neither",
    ),
    _m(
        "proxy-headers-stripped",
        "heatmon/wsgi.py",
        "environ.pop(name, ",
        "environ.get(name, ",
        "heatmon/test_wsgi.py::test_nobody_else_is_believed_on_loopback_neither",
    ),
    _m(
        "hsts",
        SETTINGS,
        "0 if PLAIN_HTTP else 30 * 24 * 3600",
        "0",
        f"{PROTECTIONS}::test_cookies_travel_by_tls_only_unless_the_owner_chose_otherwise",
    ),
    _m(
        "cookies-secure",
        SETTINGS,
        "CSRF_COOKIE_SECURE = not PLAIN_HTTP",
        "CSRF_COOKIE_SECURE = False",
        f"{PROTECTIONS}::test_cookies_travel_by_tls_only_unless_the_owner_chose_otherwise",
    ),
    _m(
        "cookies-httponly",
        SETTINGS,
        "SESSION_COOKIE_HTTPONLY = True",
        "SESSION_COOKIE_HTTPONLY = False",
        f"{PROTECTIONS}::test_cookies_are_for_the_server_and_this_site_only",
    ),
    _m(
        "cookies-samesite",
        SETTINGS,
        'CSRF_COOKIE_SAMESITE = "Lax"',
        "CSRF_COOKIE_SAMESITE = None",
        f"{PROTECTIONS}::test_cookies_are_for_the_server_and_this_site_only",
    ),
    _m(
        "bind-argument",
        SETTINGS,
        "BIND = bind_of(sys.argv, HEATMON)",
        "BIND = '127.0.0.1:8000'",
        f"{PROTECTIONS}::test_cookies_travel_by_tls_only_unless_the_owner_chose_otherwise",
    ),
    _m(
        "tokens-encrypted",
        "apps/devices/viessmann/tokens.py",
        "return fernet(self.path.parent).encrypt(token.encode()).decode()",
        "return token",
        "devices/viessmann/test_login.py::test_the_tokens_on_disk_are_encrypted",
    ),
    _m(
        "data-directory",
        "heatmon/data_dir.py",
        "            path.chmod(0o700)\n",
        "",
        f"{START}::test_an_old_data_directory_open_to_others_is_closed",
    ),
    _m(
        "userinfo",
        "apps/devices/option_parsers.py",
        'if "@" in parts.netloc:',
        "if False:",
        f"{START}::test_a_setting_that_cannot_be_used_is_named",
    ),
    _m(
        "log-masking",
        "heatmon/log.py",
        "masked(super().format(record))",
        "super().format(record)",
        "heatmon/test_embedded.py::test_the_log_masks_what_passes_through_it",
    ),
    _m(
        "log-headers",
        "heatmon/masking.py",
        '    message = _HEADERS.sub(r"\\1\\2***", message)\n',
        "",
        "heatmon/test_embedded.py::test_secrets_are_masked_in_log_lines",
    ),
    _m(
        "log-userinfo",
        "heatmon/masking.py",
        '    message = _USERINFO.sub(r"\\1***@", message)\n',
        "",
        "heatmon/test_embedded.py::test_secrets_are_masked_in_log_lines",
    ),
    _m(
        "key-length",
        "heatmon/options.py",
        "len(key) < KEY_LENGTH or ",
        "",
        f"{START}::test_a_setting_that_cannot_be_used_is_named",
    ),
    _m(
        "key-signs",
        "heatmon/options.py",
        " or len(set(key)) < KEY_SIGNS",
        "",
        f"{START}::test_a_setting_that_cannot_be_used_is_named",
    ),
    _m(
        "password-name",
        SETTINGS,
        '    {"NAME": "apps.accounts.passwords.NotTheNameRepeated"},\n',
        "",
        "accounts/test_setup.py::test_what_will_not_do_is_said_and_makes_no_account",
    ),
    _m(
        "head-time",
        LIMITS,
        "HEAD_WITHIN_S = 10",
        "HEAD_WITHIN_S = 1000",
        f"{LIMIT_TESTS}::test_a_head_that_drips_is_cut_as_well",
    ),
    _m(
        "body-limit",
        LIMITS,
        "        max_request_body_size=BODY_LIMIT_BYTES + 1,\n",
        "",
        f"{LIMIT_TESTS}::test_under_the_api_the_refusal_has_its_shape",
    ),
    _m(
        "body-limit-of-pages",
        ACCESS,
        "        if _body_bytes(request) > BODY_LIMIT_BYTES:\n",
        "        if False:\n",
        "test_fuzz.py::test_what_once_was_an_error_of_the_server_is_refused",
    ),
    _m(
        "client-share",
        LIMITS,
        "        elif len(theirs) > CONNECTIONS_PER_CLIENT and",
        "        elif False and",
        f"{LIMIT_TESTS}::test_a_client_has_its_share_of_connections_and_the_oldest_waiting_makes_room",
    ),
    _m(
        "answers-taken",
        LIMITS,
        "self.total_outbufs_len > 0 and waited_s > TAKEN_WITHIN_S",
        "False",
        f"{LIMIT_TESTS}::test_an_answer_that_nobody_takes_is_given_up",
    ),
    _m(
        "referrer-policy",
        SETTINGS,
        'SECURE_REFERRER_POLICY = "same-origin"',
        "SECURE_REFERRER_POLICY = None",
        f"{PROTECTIONS}::test_where_one_was_is_told_to_this_site_only",
    ),
    _m(
        "allow-eval",
        "templates/base.html",
        '"allowEval":false,',
        "",
        f"{PROTECTIONS}::test_htmx_runs_nothing_that_a_page_contains",
    ),
    _m(
        "demo-cross-site",
        ACCESS,
        'not in {"none", "same-origin"}',
        'in {"nothing"}',
        f"{PROTECTIONS}::test_in_the_demo_no_other_site_writes_notes",
    ),
    _m(
        "audit-of-exports",
        ACCESS,
        "        audit.record(audit.EXPORT, request=request, detail=address)\n",
        "        pass\n",
        f"{PROTECTIONS}::test_every_export_is_written_down",
    ),
    _m(
        "reader-pages",
        "apps/accounts/roles.py",
        '    "dashboard:settings": OWNER,\n',
        "",
        "accounts/test_roles.py::test_a_reader_sees_no_settings_no_setup_and_no_admin",
    ),
    _m(
        "reader-changes",
        "apps/accounts/roles.py",
        "OWNER if changes else ANYBODY",
        "ANYBODY",
        "accounts/test_roles.py::test_a_reader_changes_nothing_anywhere_but_the_own_session",
    ),
    _m(
        "reader-api",
        ACCESS,
        "    if writes and not may_write_notes(request.user):",
        "    if False:",
        "accounts/test_roles.py::test_the_api_writes_for_a_reader_only_what_the_pages_do",
    ),
    _m(
        "reader-token",
        ACCESS,
        " and (token.user is None or may_write_notes(token.user))",
        "",
        "accounts/test_roles.py::test_the_api_writes_for_a_reader_only_what_the_pages_do",
    ),
    _m(
        "visitor-pages",
        "apps/accounts/roles.py",
        "return address in VISITED and not changes",
        "return not changes",
        f"{LINKS}::test_a_visitor_reads_what_is_listed_and_nothing_else",
    ),
    _m(
        "visitor-api",
        ACCESS,
        "            return _refusal_of_visit(request)\n        admin = _is_admin(request)\n",
        "            return None\n        admin = _is_admin(request)\n",
        f"{LINKS}::test_a_visitor_reads_what_is_listed_and_nothing_else",
    ),
    _m(
        "link-revoked",
        "apps/accounts/links.py",
        ", revoked_at__isnull=True",
        "",
        f"{LINKS}::test_a_running_visit_ends_with_the_next_request_when_the_link_is_revoked",
    ),
    _m(
        "link-expired",
        "apps/accounts/links.py",
        ", expires_at__gt=at",
        "",
        f"{LINKS}::test_a_running_visit_ends_when_the_link_is_over",
    ),
    _m(
        "link-guesses",
        "apps/accounts/visiting.py",
        "    return until if at < until else None",
        "    return None",
        f"{LINKS}::test_five_guesses_close_the_door_of_one_address_even_to_the_right_link_ever_longer",
    ),
    _m(
        "hidden-notes",
        "apps/changelog/models.py",
        "found.exclude(kind=Entry.Kind.NOTE) if notes_hidden() else found",
        "found",
        f"{LINKS}::test_a_hidden_note_is_not_there",
    ),
    _m(
        "hidden-titles",
        "apps/changelog/timeline.py",
        "(not hidden and entry.title) or made_title(",
        "entry.title or made_title(",
        f"{LINKS}::test_no_page_shows_a_visitor_what_people_wrote_unless_the_owner_chose_so",
    ),
    _m(
        "hidden-kept",
        "apps/changelog/timeline.py",
        "return (*state(site), notes_hidden())",
        "return state(site)",
        f"{LINKS}::test_no_page_shows_a_visitor_what_people_wrote_unless_the_owner_chose_so",
    ),
    _m(
        "hidden-search",
        "apps/changelog/timeline.py",
        "    if notes_hidden():\n        written",
        "    if False:\n        written",
        f"{LINKS}::test_a_hidden_note_is_not_there",
    ),
    _m(
        "link-in-logs",
        "heatmon/masking.py",
        'r"\\b(hm_|hv_)',
        'r"\\b(hm_)',
        f"{LINKS}::test_a_log_line_has_no_address_of_a_link",
    ),
    _m(
        "hashes",
        "Dockerfile",
        "  --require-hashes -r requirements.lock",
        "  -r requirements.lock",
        "test_requirements.py::test_whatever_installs_or_downloads_requirements_asks_for_the_hashes",
    ),
)


def is_noticed(mutant: Mutant, copy: Path) -> bool:
    """Return whether the mutant's test fails in the copy with the protection taken away."""
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.there, mutant.instead), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", mutant.test]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environ, capture_output=True, timeout=WITHIN_S, check=False
        )
    finally:
        path.write_text(text, encoding="utf-8")
    return done.returncode == 1  # tests ran, and one failed


def main(names: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = []
    with tempfile.TemporaryDirectory(prefix="heatmon-mutants-") as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for mutant in chosen:
            noticed = is_noticed(mutant, copy)
            missed += [] if noticed else [mutant.name]
            sys.stdout.write(f"{'noticed' if noticed else 'MISSED '} {mutant.name}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} noticed\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
