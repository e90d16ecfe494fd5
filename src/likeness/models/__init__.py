"""Files that are fetched rather than shipped: face models, and the media of the demo.

path = fetch("face-landmarker")     on this machine, hash checked; fetched on first use
find("face-landmarker")             the same without fetching, or None
info("face-landmarker").licence     what the manifest says of it
converted("x", read, revision=1)    the arrays of a model that comes in another format
"""

from likeness.models.converting import converted
from likeness.models.fetching import Access, fetch, fetch_all, find, ref
from likeness.models.manifest import Address, ModelEntry, WheelMember, all_models, info

__all__ = [
    "Access",
    "Address",
    "ModelEntry",
    "WheelMember",
    "all_models",
    "converted",
    "fetch",
    "fetch_all",
    "find",
    "info",
    "ref",
]
