# Made by tools/generate_bindings.py of avatar3d/live/schema.py. Do not edit: change the schema.
# For Godot 3.2 and Godot 4 alike.

const VERSION = 1
const FACES = 32
const ACK_EVERY = 4
const CREDIT = 8
const SOUND_KIND = 97
const ACK_KIND = 107
const HELD = 1
const JUMPED = 2
const LAST = 1
const FACE_SHIFT = 3
const SHAPES = 52
const SUBPROTOCOL = "avatar3d.v1.binary"
const CLOSE = {"NOT_IDENTIFIED": 4001, "VERSION": 4002, "TOKEN": 4003, "TOO_MANY_TRIES": 4004, "MALFORMED": 4005, "RATE": 4006, "TOO_SLOW": 4007, "STOPPING": 4008, "REVOKED": 4009}
# After these closing codes a client comes back by itself; after the others a person must act.
const RETURNS = [1001, 1006, 1011, 1012, 1013, 1014, 4001, 4007, 4008]

# Where the fields of a packet stand; little-endian. Frame:
const FRAME_BYTES = 272
const FRAME_VERSION_AT = 0
const FRAME_FLAGS_AT = 1
const FRAME_N_AT = 2
const FRAME_SEQ_AT = 4
const FRAME_MEDIA_TIME_S_AT = 8
const FRAME_WEIGHTS_AT = 16
const FRAME_HEAD_WXYZ_AT = 224
const FRAME_LEFT_EYE_WXYZ_AT = 240
const FRAME_RIGHT_EYE_WXYZ_AT = 256

# Where the fields of a packet stand; little-endian. Sound:
const SOUND_BYTES = 16
const SOUND_KIND_AT = 0
const SOUND_FLAGS_AT = 1
const SOUND_RATE_HZ_AT = 2
const SOUND_SEQ_AT = 4
const SOUND_MEDIA_TIME_S_AT = 8
const SOUND_SAMPLES_AT = 16

# Where the fields of a packet stand; little-endian. Ack:
const ACK_BYTES = 8
const ACK_KIND_AT = 0
const ACK_FLAGS_AT = 1
const ACK_N_AT = 2
const ACK_SEQ_AT = 4

const ARKIT_NAMES = [
	"browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
	"cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
	"eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
	"eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
	"jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
	"mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
	"mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
	"mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
	"mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
]
# Where each of the 52 values of a Live Link Face packet stands in ARKIT_NAMES.
const LIVELINK = [
	8, 10, 12, 14, 16, 18, 20, 9, 11, 13, 15, 17, 19, 21, 22, 23, 25, 24, 26, 31, 37, 32, 38, 43, 44, 29, 30, 27,
	28, 45, 46, 39, 40, 41, 42, 35, 36, 33, 34, 47, 48, 0, 1, 2, 3, 4, 5, 6, 7, 49, 50, 51,
]


# One instant of one face. Make one and read into it for ever: its arrays are kept.
class Frame:
	var flags = 0
	var seq = 0
	var media_time_s = 0.0
	var weights = []
	var head_wxyz = []
	var left_eye_wxyz = []
	var right_eye_wxyz = []

	func _init():
		for _at in range(52):
			weights.append(0.0)
		for _at in range(4):
			head_wxyz.append(1.0 if _at == 0 else 0.0)
		for _at in range(4):
			left_eye_wxyz.append(1.0 if _at == 0 else 0.0)
		for _at in range(4):
			right_eye_wxyz.append(1.0 if _at == 0 else 0.0)

	func face():
		return flags >> FACE_SHIFT


# A piece of mono sound.
class Sound:
	var flags = 0
	var rate_hz = 0
	var seq = 0
	var media_time_s = 0.0
	var samples = []

	func face():
		return flags >> FACE_SHIFT
