"""Fetching: published files onto this machine, resumed where they broke off, proven before they are used."""
