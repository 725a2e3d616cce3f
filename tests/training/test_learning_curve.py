from medseg.training.run_state import draw_learning_curve


def test_loss_of_all_epochs_and_scores_of_those_that_were_validated(tmp_path, figures):
    history = [{"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.5, "v_info": 0.7}, {"epoch": 3, "loss": 0.25}]
    history.append({"epoch": 4, "loss": 0.1, "v_info": 0.8, "dice": 0.6})
    draw_learning_curve(history, tmp_path / "curve.png")
    left, right = figures[0].axes
    assert (left.get_xlabel(), left.get_ylabel(), left.get_yscale()) == ("epoch", "training loss", "log")
    assert (right.get_ylabel(), right.get_yscale()) == ("validation", "linear")
    drawn = {line.get_label(): line.get_xydata().tolist() for line in (*left.lines, *right.lines)}
    assert drawn == {
        "training loss": [[1, 0.9], [2, 0.5], [3, 0.25], [4, 0.1]],
        "dice": [[4, 0.6]],
        "v_info": [[2, 0.7], [4, 0.8]],
    }
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["training loss", "dice", "v_info"]
