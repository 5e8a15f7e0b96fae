"""Running a recording: stage after stage, each once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gocv.core import ConfigError, Receipt, nearest
from gocv.data.recording import Recording
from gocv.pipeline import decisions, hands, perception
from gocv.pipeline.appearance import needs_appearance
from gocv.pipeline.config import STAGES, PipelineConfig
from gocv.pipeline.folder import RunFolder
from gocv.pipeline.parts import check_part, make_part
from gocv.pipeline.receipts import read_receipts

_RUN = {
    "detect": perception.detect,
    "track": perception.track,
    "multicamera": perception.multicamera,
    "interact": hands.interact,
    "shelf": decisions.shelf,
    "fusion": decisions.fusion,
}


def run(
    recording: Recording,
    output: Path,
    config: PipelineConfig | None = None,
    *,
    restart_from: str | None = None,
) -> tuple[Receipt, ...]:
    """Run `recording` and write the run folder `output`.

    Stages that an earlier run with the same recording and settings finished in that folder are not done again.

    Args:
        recording: What to run.
        output: The run folder; new, empty or an earlier run's.
        config: Settings; the defaults where None.
        restart_from: Do this stage and those after it again in any case.

    Returns:
        The receipts, as written to `output`/receipts.json.

    Raises:
        ConfigError: A setting or `restart_from` will not do.
        DataError: The folder or the recording cannot be used.
    """
    config = config or PipelineConfig()
    if restart_from is not None and restart_from not in STAGES:
        raise ConfigError(f"there is no stage '{restart_from}'", key="from", expected=nearest(restart_from, STAGES))
    _check_parts(config)
    folder = RunFolder(output, recording, config)
    if restart_from is not None:
        folder.forget(STAGES[STAGES.index(restart_from) :])
    for stage in _to_do(folder):
        folder.forget(STAGES[STAGES.index(stage) :])
        folder.finish(stage, _RUN[stage](recording, config, folder))
    return read_receipts(output / "receipts.json")


def _check_parts(config: PipelineConfig) -> None:
    """Refuse wrong settings of parts before any work is done; weights of networks are looked at when needed."""
    if needs_appearance(config) or config.encode != PipelineConfig().encode:
        check_part("encoders", "encode", config.encode)
    make_part("event_detectors", "shelf", config.shelf)
    if config.detect is not None:
        check_part("detectors", "detect", config.detect)
    if config.interact is not None:
        check_part("hand_encoders", "interact.encoder", config.interact.encoder)
        check_part("interaction_models", "interact.model", config.interact.model, ("store",))
        if config.interact.recogniser is not None:
            check_part("product_recognisers", "interact.recogniser", config.interact.recogniser, hands.GIVEN)
    if config.pose is not None:
        check_part("pose_estimators", "pose", config.pose)


def _to_do(folder: RunFolder) -> Sequence[str]:
    """The first stage that is not done, and all after it."""
    for index, stage in enumerate(STAGES):
        if folder.report_of(stage) is None:
            return STAGES[index:]
    return () if (folder.path / "receipts.json").is_file() else STAGES[-1:]
