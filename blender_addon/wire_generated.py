# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made by tools/generate_bindings.py of avatar3d/live/schema.py. Do not edit: change the schema."""

import struct

VERSION = 1
FACES = 32
ACK_EVERY = 4
CREDIT = 8
SOUND_KIND = 97
ACK_KIND = 107
HELD = 1
JUMPED = 2
LAST = 1
FACE_SHIFT = 3
SUBPROTOCOL = "avatar3d.v1.binary"
SHAPES = 52
# Fields: version, flags, n, seq, media_time_s, 52 weights, 4 head_wxyz, 4 left_eye_wxyz, 4 right_eye_wxyz.
FRAME = struct.Struct("<BBHId52f4f4f4f")
# Fields: kind, flags, rate_hz, seq, media_time_s, all samples.
SOUND = struct.Struct("<BBHId")
# Fields: kind, flags, n, seq.
ACK = struct.Struct("<BBHI")
CLOSE = {
    4001: "NOT_IDENTIFIED",
    4002: "VERSION",
    4003: "TOKEN",
    4004: "TOO_MANY_TRIES",
    4005: "MALFORMED",
    4006: "RATE",
    4007: "TOO_SLOW",
    4008: "STOPPING",
    4009: "REVOKED",
}
"""Closing codes of the bridge."""
RETURNS = (1001, 1006, 1011, 1012, 1013, 1014, 4001, 4007, 4008)
"""After these a client comes back by itself."""
ARKIT_NAMES = (
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
LIVELINK_NAMES = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The order of a Live Link Face packet."""
