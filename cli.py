"""The command line: one function a verb. Options in, one library call, what it returned printed."""

import click


@click.group()
def main(): ...
