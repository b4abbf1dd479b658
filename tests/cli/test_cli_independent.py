"""adcbench readings: filters, formats, and a slip met with what there is."""

from __future__ import annotations

from commands import error, run


def test_readings_are_filtered_and_counted() -> None:
    done = run("readings", "--system", "adcsr", "--kind", "speed")
    assert done.exit_code == 0 and "~0.200 s" in done.output and "RTX A5000" in done.output
    assert "None is in a paper's cell or in a verdict." in done.output
    assert run("readings", "--kind", "port", "--format", "csv").output.startswith("who,when,relation,kind,system")
    assert run("readings", "--kind", "port", "--format", "markdown").output.startswith("| system")
    assert error("readings", "--system", "AdcSRR").startswith(
        "no independent reading has system 'AdcSRR'. There are: AdcSR"
    )
