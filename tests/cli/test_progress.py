import io

from medseg.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def use(say):
    say.start("one")
    say.announce("one takes long")
    for k in range(3):
        say.update(k + 1, 3)
    say.say("a [bold]result[/bold]")
    say.start("two")
    say.fail("error: bad")


def test_plain_lines_where_there_is_no_terminal(capsys):
    with progress(stream=io.StringIO()) as say:
        use(say)
    assert capsys.readouterr() == ("one takes long\na [bold]result[/bold]\n", "error: bad\n")


def test_quiet_says_errors_only(capsys):
    with progress(quiet=True, stream=Terminal()) as say:
        use(say)
    assert capsys.readouterr() == ("", "error: bad\n")


def test_a_bar_on_a_terminal(capsys):
    with progress(stream=Terminal()) as say:
        use(say)
    out, err = capsys.readouterr()
    assert "a [bold]result[/bold]" in out
    assert "takes long" not in out
    assert err == "error: bad\n"
