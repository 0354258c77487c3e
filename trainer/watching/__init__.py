"""What a person sees of a training run: a line, a log, TensorBoard, curves, a table. None of it changes the run.

watchers = (line, log, board)
for watcher in watchers:
    watcher.on_step(report)
"""
