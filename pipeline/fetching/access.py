"""Access: by what right and with what patience files are fetched. Imports nothing that speaks to a network.

https://www.openslr.org/resources/12/dev-clean.tar.gz     fetched
mdc:cminc35no007no707hql26lzk                             fetched, by its id at Mozilla Data Collective
~/Downloads/dev-clean.tar.gz                              here already
"""

from dataclasses import dataclass, field

from ...manifests import UsageError

MDC = "mdc:"
"""Before the id of a dataset at Mozilla Data Collective, as a source."""
MDC_API = "https://mozilladatacollective.com/api"
"""Where it is asked for, by the default of Mozilla's own package datacollective 0.7.0."""


def is_url(source: str) -> bool:
    """Whether a source is a URL to be fetched."""
    return source.lower().startswith(("http://", "https://"))


def is_remote(source: str) -> bool:
    """Whether a source is not on this machine.

    Raises:
        UsageError: it is a URL of a kind that is not fetched.
    """
    if "://" in source and not is_url(source):
        raise UsageError(f"--source {source}: only http and https are fetched; name a file by its path")
    return is_url(source) or source.startswith(MDC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server that gives trouble is borne with."""

    attempts: int = 8
    """Connections in a row that may bring nothing new."""
    pause_seconds: float = 1.0
    """After the first of them; it doubles each time, so that eight bear with two minutes."""
    longest_pause_seconds: float = 600.0
    """A server that asks for a longer one (Retry-After) is given up."""
    timeout_seconds: float = 60.0
    """To connect, and of silence."""
    slowest_bytes_per_second: float = 100.0
    """A connection slower than this over `timeout_seconds` is given up for another."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.pause_seconds < 0 or self.timeout_seconds <= 0:
            raise ValueError(f"{self} allows no attempt")


PATIENCE = Patience()
"""What people wait for; tests wait less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """By what right and with what patience files are fetched."""

    mdc_key: str = field(default="", repr=False)
    """API key of Mozilla Data Collective; sent to `mdc_api` and nowhere else."""
    mdc_api: str = MDC_API
    patience: Patience = PATIENCE


ACCESS = Access()
"""To what is open to all."""
