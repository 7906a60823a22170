"""What kong.yml promises, each promise a function that says where it is broken; scripts.kong_check asks them all.

They go by what Kong would do with the file, its precedence of routes and of plugins, and not by how it is written.
"""

from kong.promises.api import (
    api_is_protected,
    api_reaches_the_edge,
    callers_are_told_apart,
    events_are_protected_alike,
    strangers_are_limited,
    targets_exist,
)
from kong.promises.credentials import cookie_is_safe, keys_stay_out_of_addresses, users_are_sound
from kong.promises.inside import grpc_is_protected, inside_stays_inside
from kong.promises.surroundings import Promise, Surroundings

__all__ = ["PROMISES", "Promise", "Surroundings"]

PROMISES: tuple[Promise, ...] = (
    targets_exist,
    api_reaches_the_edge,
    callers_are_told_apart,
    strangers_are_limited,
    api_is_protected,
    events_are_protected_alike,
    inside_stays_inside,
    grpc_is_protected,
    keys_stay_out_of_addresses,
    cookie_is_safe,
    users_are_sound,
)
