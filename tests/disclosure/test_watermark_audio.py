"""The mark in sound, on voice-like sound made here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.disclosure.watermark.audio import AudioMark, find_in_sound
from likeness.disclosure.watermark.audio_search import Match, Search, Warp, look
from likeness.disclosure.watermark.audio_tile import BANDS, ROWS, band_edges_hz, layout
from likeness.disclosure.watermark.audio_view import to_view_rate, view
from likeness.disclosure.watermark.code import Decoded, encode, signs
from likeness.errors import UsageError
from likeness.types import Floats

PAYLOAD = 0x1234ABCD
RATE_HZ = 16000


def mark(sound: Floats, rate_hz: int = RATE_HZ, payload: int = PAYLOAD) -> Floats:
    marker = AudioMark(rate_hz, sound.shape[0], payload)
    return np.concatenate((marker.process(sound), marker.flush()), axis=1)


@cache
def voice(seconds: float = 10, rate_hz: int = RATE_HZ, seed: int = 0) -> Floats:
    """(1, n): syllables of gliding harmonics and hiss, as loud as speech, with a quiet room behind."""
    dice = np.random.default_rng(seed)
    sound = dice.standard_normal(int(seconds * rate_hz)) * 3e-4
    at = 0
    while at < len(sound):
        n = min(int(dice.uniform(0.08, 0.3) * rate_hz), len(sound) - at)
        fade = np.sin(np.pi * np.arange(n) / n) ** 0.5
        hiss = dice.standard_normal(n)
        pitch_hz = dice.uniform(90, 250) * (1 + dice.uniform(-0.3, 0.3) * np.arange(n) / rate_hz)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
        formants_hz = dice.uniform([300, 900, 2200], [800, 2000, 3200])
        for k in range(1, int(3900 / pitch_hz.max())):
            gain = sum(1 / (1 + ((k * pitch_hz.mean() - f) / 120) ** 2) for f in formants_hz)
            sound[at : at + n] += gain * fade * np.sin(k * phase)
        sound[at : at + n] += dice.choice([0.02, 0.3]) * fade * hiss
        at += n
    return np.asarray(sound / np.abs(sound).max() * 0.7, np.float32)[None]


@cache
def marked_voice() -> Floats:
    return mark(voice())


def as_if_faster(sound: Floats, times: float) -> Floats:
    """By Fourier interpolation: played faster, with pitch."""
    return to_view_rate(sound[0], round(8000 * times))[None]


def hurried(sound: Floats, times: float, rate_hz: int) -> Floats:
    """Overlap-add at the places that fit best (WSOLA): faster, with the pitch kept."""
    size, seek = int(0.04 * rate_hz), int(0.01 * rate_hz)
    source = np.pad(sound[0], (seek, size * 2 + seek))
    window = np.hanning(size + 1)[:-1]
    count = int(len(sound[0]) / times / (size // 2))
    result = np.zeros((count + 2) * size // 2)
    follow = source[seek : seek + size]
    for number in range(count):
        ideal = seek + int(number * size // 2 * times)
        area = source[ideal - seek : ideal + seek + size]
        place = ideal - seek + int(np.correlate(area, follow, "valid").argmax())
        result[number * size // 2 : number * size // 2 + size] += source[place : place + size] * window
        follow = source[place + size // 2 : place + size // 2 + size]
    return result[None].astype(np.float32)


def noisy(sound: Floats, snr_db: float) -> Floats:
    noise = np.random.default_rng(1).standard_normal(sound.shape)
    return np.asarray(sound + noise * np.sqrt((sound**2).mean() / 10 ** (snr_db / 10)), np.float32)


def test_every_bit_is_spread_evenly_over_bands_and_the_pilot_over_time() -> None:
    pattern = layout()
    is_data = pattern.data != 0
    assert (is_data ^ (pattern.pilot != 0)).all()
    assert ((pattern.pilot != 0).sum(1) == 16).all()
    assert (np.bincount(pattern.bit[is_data], minlength=192) == 8).all()
    bands = np.nonzero(is_data)[1]
    centres = np.bincount(pattern.bit[is_data], bands) / 8
    assert np.ptp(centres) < BANDS / 8
    assert np.array_equal(np.sign(pattern.soft_bits(pattern.tile(1.0, signs(7)))), signs(7))
    assert ((signs(7) > 0) == encode(7)).all()
    assert pattern.pilot.shape == (ROWS, BANDS)
    assert band_edges_hz()[-1] == pytest.approx(3700, abs=0.1)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (11025, 2), (44100, 1), (48000, 2)])
def test_payload_comes_back_from_any_sampling_rate(rate_hz: int, channels: int) -> None:
    sound = np.repeat(voice(10, rate_hz), channels, axis=0)
    marked = mark(sound, rate_hz)
    assert marked.shape == sound.shape
    assert marked.dtype == np.float32
    assert (marked == marked[:1]).all()
    found = find_in_sound(marked, rate_hz)
    assert found is not None
    assert found.payload == PAYLOAD
    assert (found.speed, found.tempo) == pytest.approx((1, 1), abs=0.002)


def test_what_is_added_is_small_and_in_the_band_of_speech() -> None:
    change = marked_voice() - voice()
    assert 10 * np.log10((voice() ** 2).sum() / (change**2).sum()) > 15
    spectrum = np.abs(np.fft.rfft(change[0])) ** 2
    hz = np.fft.rfftfreq(change.shape[1], 1 / RATE_HZ)
    assert spectrum[(hz < 230) | (hz > 3800)].sum() < 1e-3 * spectrum.sum()


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(0, 30000), max_size=12))
def test_blocks_of_any_size_give_the_same(sizes: list[int]) -> None:
    marker, at, pieces = AudioMark(RATE_HZ, 1, PAYLOAD), 0, []
    for size in [*sizes, voice().shape[1]]:
        pieces.append(marker.process(voice()[:, at : at + size]))
        at = min(at + size, voice().shape[1])
    pieces.append(marker.flush())
    assert np.array_equal(np.concatenate(pieces, axis=1), marked_voice())


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 60000))
def test_length_stays(length: int) -> None:
    assert mark(voice()[:, :length]).shape == (1, length)


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, 5 * RATE_HZ), np.float32)
    assert not mark(silence).any()
    pause = voice().copy()
    pause[:, 40000:60000] = 0
    assert not mark(pause)[:, 40600:59400].any()


@pytest.mark.parametrize("vibrato", [0.0, 2.0])
def test_held_tone_does_not_tremble(vibrato: float) -> None:
    time_s = np.arange(8 * RATE_HZ) / RATE_HZ
    phase = 2 * np.pi * 220 * time_s + vibrato * np.sin(2 * np.pi * 5.5 * time_s)
    tone = sum(np.sin(k * phase) / k for k in range(1, 16))[None].astype(np.float32) / 5
    level_db, before_db = (
        10 * np.log10((sound[0].reshape(-1, 320) ** 2).mean(1))[20:-20] for sound in (mark(tone), tone)
    )
    assert np.sqrt(((level_db - before_db) ** 2).mean()) < 0.3


@pytest.mark.parametrize(
    "treat",
    [
        lambda sound: (noisy(sound, 30), RATE_HZ),
        lambda sound: (to_view_rate(sound[0], RATE_HZ)[None], 8000),
        lambda sound: (sound[:, 21234:], RATE_HZ),
        lambda sound: (-0.2 * sound, RATE_HZ),
        lambda sound: (as_if_faster(to_view_rate(sound[0], RATE_HZ)[None], 1.03), 8000),
        lambda sound: (as_if_faster(to_view_rate(sound[0], RATE_HZ)[None], 0.97), 8000),
        lambda sound: (hurried(sound, 1.03, RATE_HZ), RATE_HZ),
        lambda sound: (hurried(sound, 0.97, RATE_HZ), RATE_HZ),
    ],
    ids=["noise", "8 kHz", "cut", "softer", "faster", "slower", "hurried", "dragged"],
)
def test_payload_survives(treat: Callable[[Floats], tuple[Floats, int]]) -> None:
    found = find_in_sound(*treat(marked_voice()))
    assert found is not None
    assert found.payload == PAYLOAD


def test_speed_and_tempo_are_told() -> None:
    narrow = to_view_rate(marked_voice()[0], RATE_HZ)[None]
    found = find_in_sound(as_if_faster(narrow, 1.03), 8000)
    assert found is not None
    assert (found.speed, found.tempo) == pytest.approx((1.03, 1.03), abs=0.002)
    found = find_in_sound(hurried(narrow, 1.03, 8000), 8000)
    assert found is not None
    assert (found.speed, found.tempo) == pytest.approx((1, 1.03), abs=0.003)


def test_mark_is_found_late_in_a_long_sound() -> None:
    sound = np.concatenate((voice(20, RATE_HZ, 3), mark(voice(14, RATE_HZ, 4))), axis=1)
    found = find_in_sound(sound, RATE_HZ)
    assert found is not None
    assert found.payload == PAYLOAD
    assert found.at_s >= 12


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_nothing_is(seed: int) -> None:
    assert find_in_sound(voice(12, RATE_HZ, 10 + seed), RATE_HZ) is None
    noise = np.random.default_rng(seed).standard_normal((1, 8 * RATE_HZ)).astype(np.float32)
    assert find_in_sound(noise, RATE_HZ) is None


def test_odd_sounds_are_not_found_and_do_no_harm() -> None:
    for sound in (np.zeros((1, 80000)), np.ones((2, 80000)), np.zeros((1, 0)), marked_voice()[:, :24000]):
        assert find_in_sound(sound.astype(np.float32), RATE_HZ) is None


@pytest.mark.parametrize(
    ("z", "crc_ok", "confidence", "expected"),
    [
        (3.0, True, 0.60, PAYLOAD),  # the code word alone convinces
        (6.5, True, 0.50, PAYLOAD),  # pilot and checksum together
        (5.5, True, 0.50, None),
        (6.5, True, 0.40, None),
        (7.5, False, 0.70, None),
        (8.5, False, 0.40, "present"),  # the pilot alone, without a payload
        (8.5, True, 0.50, PAYLOAD),
    ],
)
def test_what_counts_as_found(
    monkeypatch: pytest.MonkeyPatch, z: float, crc_ok: bool, confidence: float, expected: int | str | None
) -> None:
    search = Search(to_view_rate(voice(3)[0], RATE_HZ))
    attempt = (Match(z, Warp(1.0, 1.0), 0), Decoded(PAYLOAD, confidence, crc_ok))
    monkeypatch.setattr(search, "attempts", lambda: iter([attempt]))
    monkeypatch.setattr(search, "z", lambda match: match.score)
    found = search.find(1.5)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.payload == (None if expected == "present" else expected)
        assert (found.z, found.at_s) == (z, 1.5)


@pytest.mark.parametrize("at_s", [2, 3, 4])
def test_mark_is_found_on_either_side_of_a_cut(at_s: int) -> None:
    at, gone = at_s * RATE_HZ, int(0.73 * RATE_HZ)
    sound = np.concatenate((marked_voice()[:, :at], marked_voice()[:, at + gone :]), axis=1)
    searches = list(look(to_view_rate(sound[0, : 6 * RATE_HZ], RATE_HZ)))
    assert [begin_s for begin_s, _ in searches] == [0, 0, 2]
    whole, *parts = (max(search.z(match) for match, _ in search.attempts()) for _, search in searches)
    assert max(parts) > whole
    assert find_in_sound(sound[:, : 6 * RATE_HZ], RATE_HZ) is not None


def test_steady_noise_in_pauses_is_not_listened_to() -> None:
    dice = np.random.default_rng(1)
    sound = 0.03 * dice.standard_normal(80000)
    sound[20000:28000] += dice.standard_normal(8000)
    sound[50000:58000] += dice.standard_normal(8000)
    strength = (view(sound.astype(np.float32)) ** 2).mean(1)
    assert strength[520:680].mean() > 4 * strength[800:1200].mean()


def test_steady_noise_itself_can_be_marked() -> None:
    noise = 0.1 * np.random.default_rng(2).standard_normal((1, 8 * RATE_HZ)).astype(np.float32)
    found = find_in_sound(mark(noise), RATE_HZ)
    assert found is not None
    assert found.payload == PAYLOAD


def test_view_does_not_depend_on_level() -> None:
    narrow = to_view_rate(voice()[0], RATE_HZ)
    assert view(narrow) == pytest.approx(view(narrow * 8), abs=1e-3)


def test_wrong_use_is_told() -> None:
    for rate_hz, channels, payload in ((4000, 1, 0), (48000, 0, 0), (48000, 1, -1), (48000, 1, 1 << 32)):
        with pytest.raises(UsageError):
            AudioMark(rate_hz, channels, payload)
    with pytest.raises(UsageError):
        AudioMark(48000, 2, 0).process(np.zeros((1, 100), np.float32))
    with pytest.raises(UsageError):
        find_in_sound(np.zeros(80000, np.float32), 8000)
