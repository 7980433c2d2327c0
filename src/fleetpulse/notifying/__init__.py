"""The two loops behind the sweeps: the evaluator judges what happened, the dispatcher delivers what was decided."""
