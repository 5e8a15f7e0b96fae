"""The stage that looks at hands: what they did at shelves, and what was in them."""

from __future__ import annotations

from collections.abc import Sequence

from gocv.core import (
    CartEvent,
    FloorTracks,
    GocvError,
    HandEncoder,
    HandLooks,
    Interaction,
    ProductRecogniser,
    Recognition,
)
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.hand_looks import HandLooksWriter, read_hand_looks
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, Recording
from gocv.detect.pacing import at_rate
from gocv.interact.crops import HandPaths, HandTimes, hand_times
from gocv.interact.episodes import Episodes, find_episodes
from gocv.interact.hands import look_at_hands
from gocv.pipeline.config import InteractSettings, PipelineConfig
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.parts import make_part
from gocv.pipeline.perception import footage
from gocv.pipeline.tables import (
    INTERACTIONS,
    RECOGNITIONS,
    interaction_rows,
    interactions_from,
    read_table,
    recognition_rows,
    recognitions_from,
    write_table,
)

GIVEN = ("folder", "products", "encoder")
"""What a recogniser of products is made with: their pictures, their ids, and what looks at pictures of hands."""


def interact(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `hands-CAMERA.parquet` for each calibrated camera with footage, `interactions` and `recognitions`.

    Without `interact` in the settings the two tables are empty, and no footage is looked at.
    """
    for left_by_an_earlier_run in folder.path.glob("hands-*.parquet"):
        left_by_an_earlier_run.unlink()
    report: Report = []
    interactions: list[Interaction] = []
    recognitions: list[Recognition] = []
    settings = config.interact
    if settings is not None:
        shoppers = read_floor_tracks(folder.table("shoppers"))
        report += _look(recording, settings, shoppers, folder)
        looks = looks_of(recording, folder, shoppers)
        model = make_part("interaction_models", "interact.model", settings.model, store=recording.store)
        interactions = model.predict(shoppers, looks)
        if settings.recogniser is not None and recording.pictures is None:
            problem = "there are no pictures of products: nobody looks at what is in hands"
            report.append({"where": "pictures", "problem": problem})
        recogniser = make_recogniser(recording, settings)
        recognitions = recogniser.recognise(looks, interactions) if recogniser is not None else []
    write_table(folder.table("interactions"), interaction_rows(interactions), INTERACTIONS)
    write_table(folder.table("recognitions"), recognition_rows(recognitions), RECOGNITIONS)
    return report


def make_recogniser(recording: Recording, settings: InteractSettings) -> ProductRecogniser | None:
    """What says what was in a hand; None where the settings have nothing, or the recording no pictures of products."""
    if settings.recogniser is None or recording.pictures is None:
        return None
    encoder = make_part("hand_encoders", "interact.encoder", settings.encoder)
    given = dict(zip(GIVEN, (recording.pictures, tuple(recording.store.products), encoder), strict=True))
    recogniser: ProductRecogniser = make_part(
        "product_recognisers", "interact.recogniser", settings.recogniser, **given
    )
    return recogniser


def seen_again(
    recording: Recording, settings: InteractSettings, folder: RunFolder, moves: Sequence[CartEvent]
) -> list[Recognition] | None:
    """What went to shelves, by somebody who has looked at what was taken; None where nothing could be learnt.

    What was taken is not looked at again: it would be judged by itself.

    Args:
        recording: What is run.
        settings: How hands are looked at.
        folder: With the tables of the stage.
        moves: What was taken and put back, as far as it is known without.
    """
    recogniser = make_recogniser(recording, settings)
    if recogniser is None:
        return None
    looks = looks_of(recording, folder, read_floor_tracks(folder.table("shoppers")))
    interactions = interactions_from(read_table(folder.table("interactions")))
    if not recogniser.learn(looks, interactions, moves):
        return None
    before = recognitions_from(read_table(folder.table("recognitions")))
    again = recogniser.recognise(looks, interactions)
    return [*(r for r in before if r.moved != "return"), *(r for r in again if r.moved == "return")]


def looks_of(recording: Recording, folder: RunFolder, shoppers: FloorTracks) -> HandLooks:
    """What this stage saw of hands in all cameras."""
    tables = {camera.name: folder.table(f"hands-{camera.name}") for camera in recording.cameras}
    return read_hand_looks({name: path for name, path in tables.items() if path.is_file()}, shoppers.shoppers)


def _look(recording: Recording, settings: InteractSettings, shoppers: FloorTracks, folder: RunFolder) -> Report:
    report: Report = []
    filmed = [camera for camera in recording.cameras if camera.video is not None]
    blind = [camera.name for camera in filmed if camera.calibration is None]
    if blind:
        problem = "not calibrated: where hands are in their pictures is not known"
        report.append({"where": f"cameras {', '.join(blind)}", "problem": problem})
    able = [camera for camera in filmed if camera.calibration is not None]
    if not able:
        return report
    encoder: HandEncoder = make_part("hand_encoders", "interact.encoder", settings.encoder)
    paths = HandPaths(shoppers)
    times = _worth_a_look(paths, find_episodes(shoppers, recording.store), settings.around_s)
    for camera in able:
        try:
            notes = _look_through(camera, encoder, paths, times, settings, folder)
        except GocvError as error:
            notes = [f"hands are not looked at: {error}"]
        report += [{"where": f"camera {camera.name}", "problem": note} for note in notes]
    return report


def _worth_a_look(paths: HandPaths, episodes: Episodes, around_s: float) -> HandTimes:
    """Hands about the times at which they are at a shelf."""
    names = [episodes.shoppers[i] for i in episodes.shopper.tolist()]
    return hand_times(paths, names, episodes.hand, episodes.start_s - around_s, episodes.end_s + around_s)


def _look_through(
    camera: Camera,
    encoder: HandEncoder,
    paths: HandPaths,
    times: HandTimes,
    settings: InteractSettings,
    folder: RunFolder,
) -> list[str]:
    """One camera's table; what is to be said of its footage."""
    assert camera.calibration is not None
    frames = footage(camera)
    with HandLooksWriter(folder.table(f"hands-{camera.name}")) as table:
        for frame in at_rate(with_progress(frames, f"hands {camera.name}"), settings.rate_hz):
            looks = look_at_hands(frame, camera.calibration, paths, encoder, only=times)
            if len(looks):
                table.write(looks)
    return list(frames.report.notes)
