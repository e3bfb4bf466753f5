"""The table of models: what it says at 80 columns, and the bar while they learn."""

from __future__ import annotations

import io

from rich.console import Console

from chainrule.cli.scoreboard import Scoreboard


def filled(console, score="accuracy"):
    board = Scoreboard(console, ["one-vs-all", "784-20-20-10", "64-20-10"], score)
    for line, test in zip(board.lines[:2], (0.9634, 0.9767), strict=True):
        line.parameters, line.check, line.steps, line.loss = 15910, 3.21e-9, 200, 0.01234
        line.train, line.test, line.seconds = 1.0, test, 12.345
    return board


def text_of(board, console, what):
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_fits_into_80_columns_without_wrapping():
    console = Console(width=80, file=io.StringIO())
    board = filled(console)
    lines = text_of(board, console, board.table()).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    row = next(line for line in lines if "784-20-20-10" in line)
    assert " ".join(row.split()) == "784-20-20-10 15,910 ✓ 3e-09 200 0.0123 100.0% 97.7% 12.3 s"
    assert "…" not in "".join(lines)


def test_the_best_test_score_stands_out_and_what_waits_is_a_dot():
    console = Console(width=90, file=io.StringIO(), force_terminal=True, color_system="standard")
    board = filled(console)
    text = text_of(board, console, board.table())
    assert "\x1b[1;32m97.7%" in text
    assert "\x1b[1;32m96.3%" not in text
    assert text.count("·") == 7


def test_quantities_have_r2_as_plain_numbers():
    console = Console(width=90, file=io.StringIO())
    board = filled(console, "R²")
    assert "0.977" in text_of(board, console, board.table())


def test_a_wrong_gradient_is_crossed():
    console = Console(width=90, file=io.StringIO())
    board = filled(console)
    board.lines[0].check_passed = False
    text = text_of(board, console, board.table())
    assert "✗ 3e-09" in text
    assert "✓ 3e-09" in text


def test_the_bar_says_how_far_and_which_loss():
    console = Console(width=80, file=io.StringIO())
    board = filled(console)
    board.advance("64-20-10", 50, 200, 0.5)
    assert "64-20-10" in text_of(board, console, board.render()).splitlines()[-1]
    assert "50/200 loss 0.5000" in text_of(board, console, board.render())
    board.announce("64-20-10: checking the gradient")
    last = text_of(board, console, board.render()).splitlines()[-1]
    assert last.strip() == "64-20-10: checking the gradient"


def test_elsewhere_than_on_a_terminal_the_table_is_printed_once():
    stream = io.StringIO()
    with filled(Console(width=90, file=stream)) as board:
        board.advance("64-20-10", 1, 2, 0.1)
    assert stream.getvalue().count("one-vs-all") == 1
    assert "1/2" not in stream.getvalue()
