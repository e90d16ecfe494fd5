"""The code of the watermark: what it corrects, and that it does not see messages in noise."""

from __future__ import annotations

import hashlib

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.disclosure.watermark import code
from likeness.disclosure.watermark.code import Payload, decode, encode, signs
from likeness.errors import UsageError

payloads = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=50)
@given(payloads, st.floats(1e-20, 1e20))
def test_what_was_encoded_is_decoded_at_any_scale(payload: int, scale: float) -> None:
    decoded = decode(signs(payload) * np.float32(scale))
    assert decoded.is_found
    assert decoded.payload == payload
    assert decoded.confidence == pytest.approx(1, abs=1e-5)


def test_the_coded_bits_stay_what_they_are() -> None:
    """Files marked by earlier versions have to be recognised for ever."""
    bits = encode(0xDEADBEEF)
    assert bits.shape == (code.CODED_BITS,)
    assert bits.dtype == np.uint8
    assert set(bits.tolist()) == {0, 1}
    assert hashlib.sha256(bits.tobytes()).hexdigest()[:16] == "90efc74dfbef26fd"


@settings(deadline=None, max_examples=50)
@given(payloads, payloads)
def test_different_payloads_are_far_apart(one: int, other: int) -> None:
    distance = int((encode(one) != encode(other)).sum())
    assert distance == 0 if one == other else distance >= 29


@settings(deadline=None, max_examples=30)
@given(payloads, st.integers(0, 2**32 - 1))
def test_noise_as_strong_as_the_signal_is_corrected(payload: int, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.9, code.CODED_BITS).astype(np.float32)
    decoded = decode(signs(payload) + noise)
    assert decoded.is_found
    assert decoded.payload == payload


def test_a_third_of_the_bits_may_be_lost() -> None:
    for seed in range(20):
        soft = signs(seed * 1234567)
        soft[np.random.default_rng(seed).permutation(code.CODED_BITS)[:64]] = 0
        assert decode(soft).payload == seed * 1234567


def test_noise_is_never_taken_for_a_mark() -> None:
    random = np.random.default_rng(0)
    draws = [random.normal(size=192), random.laplace(size=192), random.uniform(-1, 1, 192)]
    draws += [random.normal(size=192) for _ in range(600)]
    decoded = [decode(draw.astype(np.float32)) for draw in draws]
    assert not any(each.is_found for each in decoded)
    assert np.mean([each.confidence > code.MIN_CONFIDENCE for each in decoded]) < 0.01


@settings(deadline=None, max_examples=150, derandomize=True)
@given(arrays.arrays(np.float32, code.CODED_BITS, elements=st.floats(width=32)))
def test_no_numbers_are_too_odd(soft: np.ndarray) -> None:
    decoded = decode(soft)
    assert 0 <= decoded.payload < 2**32
    assert -1.001 <= decoded.confidence <= 1.001
    assert not decoded.is_found


def test_nothing_gives_nothing() -> None:
    for value in (0, np.nan, np.inf):
        assert decode(np.full(code.CODED_BITS, value, np.float32)) == code.Decoded(0, 0.0, False)


def test_the_checksum_alone_does_not_make_a_mark() -> None:
    random = np.random.default_rng(3)
    soft = signs(99) + random.normal(0, 1.5, code.CODED_BITS).astype(np.float32)
    weak = next(
        decoded
        for scale in np.arange(1.5, 6, 0.02)
        if (decoded := decode(signs(99) + (soft - signs(99)) * np.float32(scale / 1.5))).confidence < 0.58
    )
    assert not weak.is_found


@given(st.builds(Payload, st.integers(0, 15), st.integers(0, 15), st.integers(0, 2**24 - 1)))
def test_the_parts_of_a_payload_come_back(payload: Payload) -> None:
    assert Payload.unpack(payload.pack()) == payload


@pytest.mark.parametrize("payload", [Payload(16, 0, 0), Payload(0, -1, 0), Payload(0, 0, 1 << 24)])
def test_parts_that_do_not_fit_are_refused(payload: Payload) -> None:
    with pytest.raises(UsageError):
        payload.pack()


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_numbers_that_do_not_fit_are_refused(number: int) -> None:
    with pytest.raises(UsageError):
        encode(number)
