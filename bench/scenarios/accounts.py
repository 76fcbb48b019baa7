"""Signing in: how fast, and how little it is in the way of everybody else."""

from app.dev.seed import DEMO_PASSWORD
from bench.messages import API, sign_in
from bench.scenarios.stage import Scenario, Stage, get_all
from bench.sides import BesideSide, HashingSide, HttpSide

STORMING = 4


def signin(stage: Stage) -> Scenario:
    """Against the password hasher alone."""
    return Scenario(
        service=stage.writes(stage.surroundings.api, _sign_ins(stage), expected=200),
        floor=HashingSide(stage.surroundings.cores),
    )


def signin_storm(stage: Stage) -> Scenario:
    """Products' pages while four clients sign in without a pause, against the same without them."""
    api, cores = stage.surroundings.api, stage.surroundings.cores
    reads = stage.reads(api, get_all(stage.catalogue.slugs, f"{API}/products/"))
    return Scenario(service=BesideSide(reads, HttpSide(api, cores, STORMING, _sign_ins(stage))), floor=reads)


def _sign_ins(stage: Stage) -> list[str]:
    return [sign_in(email, DEMO_PASSWORD) for email in stage.catalogue.customers]
