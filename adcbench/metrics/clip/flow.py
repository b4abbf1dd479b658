"""Optical flows for the temporal metrics: plain callables, see ``frames.Flow``.

DIS (Kroeger et al., ECCV 2016) and Farneback come with OpenCV and need no weights; RAFT (Teed and Deng, ECCV 2020)
is torchvision's network. Its files ``C_T_V1`` are the authors' own raft-things and raft-small, renamed; raft-small is
read as the authors released it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import Inside, WeightFile, file_shown
from adcbench.metrics.clip.frames import Flow
from adcbench.metrics.metric import Metric
from adcbench.metrics.tools import HasFiles, Runtime

if TYPE_CHECKING:
    from torch import Tensor

_TORCHVISION = "https://download.pytorch.org/models"
RAFT_LARGE = WeightFile(
    "raft_large_C_T_V1-22a6c225.pth", f"{_TORCHVISION}/raft_large_C_T_V1-22a6c225.pth", size=21_100_000,
    licence="BSD-3-Clause",
)  # fmt: skip
_PORTED_SMALL = WeightFile(
    "raft_small_C_T_V1-ad48884c.pth", f"{_TORCHVISION}/raft_small_C_T_V1-ad48884c.pth", size=4_010_000,
    licence="BSD-3-Clause",
)  # fmt: skip
RAFT_SMALL = WeightFile(
    "raft-small.pth",
    "https://dl.dropboxusercontent.com/s/4j4z58wuv8o0mfz/models.zip",  # download_models.sh of princeton-vl/RAFT
    sha256="c7d41b9cc88442bb8aa911dbb33086dac55a226394b142937ff22d5578717332",
    size=3_984_814,
    licence="BSD-3-Clause",
    inside=Inside("models.zip", "models/raft-small.pth"),
    instead=(_PORTED_SMALL,),
)
_UPDATES = 20  # of RAFT, as in EvalCrafter
_LEAST = 128  # side in pixels below which RAFT's correlation pyramid is empty


def constant(dx: float, dy: float) -> Flow:
    """A known flow, the same everywhere: (dx, dy) pixels forward and back again. For checks."""

    def flow(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        forward = np.full((*now.shape[:2], 2), (dx, dy), np.float32)
        return forward, -forward

    return flow


def dis(preset: Literal["ultrafast", "fast", "medium"] = "medium") -> Flow:
    """Dense inverse search of OpenCV on 8-bit luma; equal frames give exactly 0.

    Raises:
        Blocked: OpenCV is not installed.
    """
    cv2 = opencv()
    number = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}")

    def one(now: np.ndarray, then: np.ndarray) -> np.ndarray:
        if min(now.shape) < 16:
            raise ValueError(f"DIS needs frames of at least 16x16 pixels, not {now.shape[1]}x{now.shape[0]}")
        flow: np.ndarray = cv2.DISOpticalFlow_create(number).calc(now, then, None)
        return flow

    return _on_luma(one)


def farneback() -> Flow:
    """Farneback's flow of OpenCV with TecoGAN's parameters; equal frames give up to 0.1 pixels, not 0.

    Raises:
        Blocked: OpenCV is not installed.
    """
    return _on_luma(farneback_of_luma)


def farneback_of_luma(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Flow between two (h, w) uint8 images: (h, w, 2) float32 pixels. TecoGAN's call in ``metrics.py``."""
    flow: np.ndarray = opencv().calcOpticalFlowFarneback(now, then, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return flow


def luma(frame: np.ndarray) -> np.ndarray:
    """OpenCV's 8-bit full-range luma of (h, w, 3) uint8 RGB: (h, w) uint8."""
    cv2 = opencv()
    grey: np.ndarray = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    return grey


def _on_luma(one: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Flow:
    """Both flows of two RGB frames by a function of two 8-bit images."""
    opencv()

    def flow(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = (luma(np.rint(frame * 255).astype(np.uint8)) for frame in (now, then))
        return one(a, b), one(b, a)

    return flow


def raft(
    weights: Mapping[str, Path] | None, device: str, *, file: str = RAFT_LARGE.name, updates: int = _UPDATES,
    scaled_twice: bool = False,
) -> Flow:  # fmt: skip
    """RAFT of torchvision; frames are extended to multiples of 8 by their border, and the flow cropped again.

    Args:
        weights: file name -> path; None: deterministic weights, for tests and timing.
        device: where it runs.
        file: ``RAFT_LARGE.name`` or ``RAFT_SMALL.name``.
        updates: of its recurrent part.
        scaled_twice: EvalCrafter's fault: frames in [0, 1] are divided by 255 once more, so that the network sees
            values in [-1, -0.992].

    Raises:
        AdcbenchError: the file is not the one it should be.
    """
    import torch
    from torch.nn import functional
    from torchvision.models import optical_flow  # type: ignore[import-untyped]

    build = optical_flow.raft_small if file == RAFT_SMALL.name else optical_flow.raft_large
    network = _filled(build(weights=None, progress=False), weights[file] if weights else None).to(device).eval()

    @torch.inference_mode()
    def flow(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h, w = now.shape[:2]
        if min(h, w) < _LEAST:
            raise ValueError(f"RAFT needs frames of at least {_LEAST}x{_LEAST} pixels, not {w}x{h}")
        pair = torch.from_numpy(np.stack((now, then)).transpose(0, 3, 1, 2)).to(device, torch.float32)
        top, left = (-h % 8) // 2, (-w % 8) // 2
        pair = functional.pad(pair, (left, -w % 8 - left, top, -h % 8 - top), mode="replicate")
        pair = 2 * (pair / 255 if scaled_twice else pair) - 1
        flows = network(pair, pair.flip(0), num_flow_updates=updates)[-1][:, :, top : top + h, left : left + w]
        forward, backward = flows.permute(0, 2, 3, 1).cpu().numpy()
        return forward, backward

    return flow


def _filled(network: Any, path: Path | None) -> Any:
    """A network with the weights of a file, or deterministic ones."""
    from adcbench.systems.checkpoints.deterministic import fill_deterministic
    from adcbench.systems.checkpoints.weights import load_strict, state_dict

    if path is None:
        fill_deterministic(network)
    else:
        tensors = state_dict(path)
        load_strict(network, ported(tensors) if path.name == RAFT_SMALL.name else tensors, str(path))
    return network


def ported(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of raft-small.pth under torchvision's names; those that it knows no name for keep their own.

    A block's ``conv2`` is torchvision's ``convnormrelu2.0``, an encoder's last ``conv2`` its ``conv``, and so on.
    """
    return {_ported_name(name): tensor for name, tensor in tensors.items()}


def _ported_name(name: str) -> str:
    name = name.removeprefix("module.")
    for old, new in _NAMES:
        name = re.sub(old, new, name)
    return name


_NAMES = (  # in this order
    (r"^fnet\.", "feature_encoder."),
    (r"^cnet\.", "context_encoder."),
    (r"(encoder\.layer\d\.\d)\.conv(\d)\.", r"\1.convnormrelu\2.0."),
    (r"^(\w+_encoder)\.conv1\.", r"\1.convnormrelu.0."),
    (r"^(\w+_encoder)\.conv2\.", r"\1.conv."),
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
    (r"^update_block\.gru\.", "update_block.recurrent_block.convgru1."),
)


def opencv() -> Any:
    """The module cv2.

    Raises:
        Blocked: it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise Blocked(
            "OpenCV, which finds the optical flow, is not installed", "pip install 'adcbench[video]'"
        ) from error
    return cv2


@dataclass(frozen=True)
class FlowSource(HasFiles):
    """A flow by name, with what it needs.

    ``build(weights, device)`` gives the flow; ``weights`` as for ``raft``.
    """

    name: str
    description: str
    build: Callable[[Mapping[str, Path] | None, str], Flow]
    libraries: tuple[str, ...]
    files: tuple[WeightFile, ...] = ()
    locate: Callable[[str], Path | None] | None = None

    modules: tuple[str, ...] = (__name__,)
    networks: tuple[Metric, ...] = ()

    @property
    def text(self) -> str:
        """What a signature says of it."""
        return f"flow={self.description}" + "".join(f" {file_shown(self, file)}" for file in self.files)

    @property
    def key(self) -> str:
        """Changes with the flow."""
        return self.text

    @property
    def is_network(self) -> bool:
        """It runs on a device."""
        return bool(self.files)

    def load_strictly(self) -> bool:
        """Load its files on the CPU, see ``workflows.catalogue.Loadable``."""
        self.build(self.find_weights(), "cpu")
        return True

    def open(self, runtime: Runtime) -> Flow:
        """The flow, ready."""
        return self.build(None if runtime.deterministic else self.find_weights(), runtime.device)

    def check_here(self) -> None:
        """Raise ``Blocked`` where OpenCV or a file that it needs is not here."""
        if "opencv-python-headless" in self.libraries:
            opencv()
        self.find_weights()


def _opencv_flow(build: Callable[[], Flow], weights: object, device: str) -> Flow:
    return build()


_TORCH = ("torch", "torchvision")
_cv2_flow = partial(FlowSource, libraries=("opencv-python-headless",))
FLOWS: dict[str, FlowSource] = {
    source.name: source
    for source in (
        _cv2_flow("dis", "OpenCV DIS medium, 8-bit luma", partial(_opencv_flow, partial(dis, "medium"))),
        _cv2_flow("dis-fast", "OpenCV DIS fast, 8-bit luma", partial(_opencv_flow, partial(dis, "fast"))),
        _cv2_flow("dis-ultrafast", "OpenCV DIS ultrafast, 8-bit luma",
                  partial(_opencv_flow, partial(dis, "ultrafast"))),
        _cv2_flow("farneback", "OpenCV Farneback 0.5 3 15 3 5 1.2 0, 8-bit luma", partial(_opencv_flow, farneback)),
        FlowSource("raft", "RAFT things, 20 updates", raft, _TORCH, (RAFT_LARGE,)),
        FlowSource("raft-small", "RAFT small, 20 updates", partial(raft, file=RAFT_SMALL.name), _TORCH, (RAFT_SMALL,)),
        FlowSource("raft-small:SCALED_TWICE", "RAFT small, 20 updates, input divided by 255 twice",
                   partial(raft, file=RAFT_SMALL.name, scaled_twice=True), _TORCH, (RAFT_SMALL,)),
        FlowSource("raft:SCALED_TWICE", "RAFT things, 20 updates, input divided by 255 twice",
                   partial(raft, scaled_twice=True), _TORCH, (RAFT_LARGE,)),
    )
}  # fmt: skip


def find_flow(name: str) -> FlowSource:
    """The flow of a name in FLOWS.

    Raises:
        AdcbenchError: unknown; the message lists those there are.
    """
    if name not in FLOWS:
        raise AdcbenchError(f"unknown optical flow {name!r}. There are: {', '.join(FLOWS)}")
    return FLOWS[name]
