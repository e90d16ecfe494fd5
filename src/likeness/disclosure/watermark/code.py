"""The payload of the watermark and the code that protects it, the same for pictures and for sound.

32 bits of payload and a CRC-16 make 48 bits. A tail-biting convolutional code of rate 1/4 and constraint
length 11 turns them into 192 (generators 2327, 2353, 2671, 3175 octal, free distance 29: Proakis, "Digital
Communications", 4th ed., table 8.2-3). They are found again with the Viterbi algorithm on soft values, run
three times around the circle, of which the middle round is taken (Ma and Wolf, "On tail biting convolutional
codes", IEEE Trans. Communications 34, 1986).

Any 192 numbers lie close to some code word, and one word in 65,536 has a fitting CRC. So a mark counts as
found only if the CRC fits *and* the soft values point the way of the code word: see `Decoded.is_found`.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import UsageError
from likeness.types import Floats

PAYLOAD_BITS = 32
CODED_BITS = 192

# Noise decodes to a cosine of .44 ± .06, and to more than .58 once in two thousand times.
MIN_CONFIDENCE = 0.58

_INFO_BITS = 48
_RATE = 4
_STATES = 1 << 10  # the ten bits before the present one, the newest of them highest
_GENERATORS = (0o2327, 0o2353, 0o2671, 0o3175)
_CRC_START = 0xA5C3  # not zero, or else the payload 0 would have the CRC 0
_ROUNDS = 3


class Payload(NamedTuple):
    """What the 32 bits mean.

    Attributes:
        version: 0…15, of the tool and of the meaning of the rest.
        act: 0…15, what was done.
        short_id: 0…2²⁴ − 1, points to the manifest.
    """

    version: int
    act: int
    short_id: int

    def pack(self) -> int:
        """As the number that is embedded; raises `UsageError` if a part is out of its range."""
        if not (0 <= self.version < 16 and 0 <= self.act < 16 and 0 <= self.short_id < 1 << 24):
            raise UsageError(
                f"{self} does not fit into 32 bits.", "Use 4 bits for version and act, 24 for the id."
            )
        return self.version << 28 | self.act << 24 | self.short_id

    @classmethod
    def unpack(cls, number: int) -> Payload:
        """The parts of a number that was found."""
        return cls(number >> 28 & 15, number >> 24 & 15, number & 0xFFFFFF)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The code word that fits best to what was measured.

    Attributes:
        payload: 0…2³² − 1, meaningless unless `is_found`.
        confidence: cosine of the angle between the soft values and the code word, −1…1.
        crc_ok: whether the checksum fits.
    """

    payload: int
    confidence: float
    crc_ok: bool

    @property
    def is_found(self) -> bool:
        """Whether this is a mark and not noise."""
        return self.crc_ok and self.confidence > MIN_CONFIDENCE


def encode(payload: int) -> NDArray[np.uint8]:
    """The 192 coded bits, uint8 0 or 1, of a payload of 32 bits.

    Raises:
        UsageError: the payload is negative or needs more than 32 bits.
    """
    if not 0 <= payload < 1 << PAYLOAD_BITS:
        raise UsageError(f"The payload {payload} does not fit into 32 bits.", "Use 0 to 4294967295.")
    return _encode_info(_with_crc(payload))


def signs(payload: int) -> Floats:
    """The coded bits as (192,) float32, −1 for 0 and +1 for 1: what soft values ideally look like."""
    return encode(payload).astype(np.float32) * 2 - 1


def decode(soft: Floats) -> Decoded:
    """The most likely payload, in about 2 ms.

    Args:
        soft: (192,) float32, one number per coded bit: its sign tells the bit (positive: 1), its size how
            sure that is, on any scale. A lost bit is 0.
    """
    soft = np.asarray(soft, np.float32)
    peak = float(np.abs(soft).max())
    if not 0 < peak < np.inf:  # nothing there, or NaN, or infinite
        return Decoded(0, 0.0, False)
    soft = soft / peak  # so that no square under- or overflows
    info = _viterbi(soft)
    number = int("".join(map(str, info)), 2)
    payload = number >> 16
    word = _encode_info(number).astype(np.float32) * 2 - 1
    confidence = float(word @ soft / np.sqrt((soft @ soft) * CODED_BITS))
    return Decoded(payload, confidence, _with_crc(payload) == number)


def _with_crc(payload: int) -> int:
    """48 bits: the payload and its CRC-16 (CCITT polynomial)."""
    return payload << 16 | binascii.crc_hqx(payload.to_bytes(4, "big"), _CRC_START)


def _encode_info(number: int) -> NDArray[np.uint8]:
    """The 192 coded bits of 48; the register starts as it will end, which closes the circle."""
    bits = [number >> shift & 1 for shift in range(_INFO_BITS - 1, -1, -1)]
    register = 0
    for bit in bits[-10:]:
        register = bit << 10 | register >> 1
    coded = []
    for bit in bits:
        register = bit << 10 | register >> 1
        coded += [(register & generator).bit_count() & 1 for generator in _GENERATORS]
    return np.array(coded, np.uint8)


@cache
def _branches() -> Floats:
    """(4, 2048) float32, ±1: what is sent on each branch, ordered by new state, then by the bit dropped."""
    new_state, dropped = np.divmod(np.arange(_STATES * 2), 2)
    register = new_state << 1 | dropped
    rows = [
        [int(value & generator).bit_count() % 2 * 2 - 1 for value in register.tolist()]
        for generator in _GENERATORS
    ]
    branches = np.array(rows, np.float32)
    branches.flags.writeable = False
    return branches


def _viterbi(soft: Floats) -> list[int]:
    """The 48 bits of the best path around the circle.

    The two states that lead to state s are 2s and 2s + 1 (modulo 1024), so that no table of them is needed.
    """
    gains = (soft.reshape(_INFO_BITS, _RATE) @ _branches()).reshape(_INFO_BITS, 2, _STATES // 2, 2)
    score: NDArray[Any] = np.zeros(_STATES, np.float32)
    choices = np.empty((_ROUNDS * _INFO_BITS, _STATES), bool)
    for step in range(_ROUNDS * _INFO_BITS):
        paths = (gains[step % _INFO_BITS] + score.reshape(1, -1, 2)).reshape(_STATES, 2)
        np.greater(paths[:, 1], paths[:, 0], out=choices[step])
        score = np.maximum(paths[:, 0], paths[:, 1])
    state = int(score.argmax())
    bits = []
    for step in range(_ROUNDS * _INFO_BITS - 1, _INFO_BITS - 1, -1):
        bits.append(state >> 9)
        state = state << 1 & _STATES - 1 | int(choices[step, state])
    return bits[::-1][:_INFO_BITS]
