"""`segue demo`: started as a person would, watched until a mail was opened, ended by Ctrl-C."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_the_demo_shows_a_mail_sent_and_opened_and_ends_cleanly_on_ctrl_c() -> None:
    command = [sys.executable, "-u", "-m", "segue", "demo", "--port", "0", "--pace", "0.05"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told: list[str] = []
    try:
        for line in process.stdout:
            told.append(line)
            if "opens" in line:
                break
        process.send_signal(signal.SIGINT)
        told.append(process.stdout.read())
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "Ctrl-C ends it" in "".join(told)
    assert "sends" in "".join(told)
    assert "The demo has ended" in told[-1]
