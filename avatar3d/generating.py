"""A person from a seed on one page: photo, truth and the avatar that the ordinary pipeline makes of the photo.

seed -> Person -> photo.png -> pipeline.create_files -> DIR/NAME/{all that a photo gives, photo.png, truth.json, truth_*.png}
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from avatar3d.core.errors import FaceUnusableError, InputError
from avatar3d.core.photo import Photo
from avatar3d.people.person import Person, generate_person
from avatar3d.people.truth import photo_bytes, truth_files
from avatar3d.photo.load import decode_photo
from avatar3d.photo.observe import observe_face
from avatar3d.pipeline import CreateParams, Files, Progress, create_files

_PHOTO: Final = "photo.png"
_ATTEMPTS: Final = 8
"""None of 60 seeds needed a second one; a hand may cover a face, or hair the eyes."""


def create_person(seed: int, folder: Path, params: CreateParams, *, progress: Progress = str) -> Files:
    """A person who does not exist, onto disk: all of `folder` or nothing of it.

    A picture that the photo's door refuses is drawn again, as another person; truth.json names the refusals.
    Raises FaceUnusableError (15) when every attempt is refused, which no seed is known for.
    """
    progress("generate")
    with threadpool_limits(1):
        person, photo, refused = sit(seed)
        files = {_PHOTO: photo_bytes(person), **truth_files(person, seed, refused)}
    return create_files(photo, folder, params, beside=files, progress=progress)


def sit(seed: int) -> tuple[Person, Photo, list[str]]:
    """The first attempt that can be used."""
    refused: list[str] = []
    for attempt in range(_ATTEMPTS):
        person = generate_person(seed, attempt)
        photo = replace(decode_photo(photo_bytes(person), _PHOTO), licence=person.licence)
        try:
            observe_face(photo)
        except InputError as error:
            refused.append(error.id)
        else:
            return person, photo, refused
    raise FaceUnusableError(
        f"None of {_ATTEMPTS} people drawn from seed {seed} can be used: {', '.join(refused)}.",
        hint="Choose another seed.",
        id="PERSON_UNUSABLE",
    )
