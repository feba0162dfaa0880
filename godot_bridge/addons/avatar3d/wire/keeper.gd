# The face that is shown: the newest that came, held for 250 ms when nothing comes, then eased to neutral within 500.
#
# Runs in Godot 3.2 and in Godot 4. Faces are Wire.Frame; `shown` is always fit to be shown, whatever came: weights within 0
# and 1, turns of unit length.

const Wire = preload("wire_generated.gd")

const HELD_S = 0.25
const EASED_S = 0.5

var shown = Wire.Frame.new()
# How much of what was last seen is still shown, 0 to 1.
var presence = 0.0

var _last = Wire.Frame.new()
var _came_s = -INF


# A frame came.
func took(frame, now_s):
	_came_s = now_s
	_last.flags = frame.flags
	_last.seq = frame.seq
	_last.media_time_s = frame.media_time_s
	for at in range(Wire.SHAPES):
		_last.weights[at] = clamp(frame.weights[at], 0.0, 1.0)
	_turned(frame.head_wxyz, 1.0, _last.head_wxyz)
	_turned(frame.left_eye_wxyz, 1.0, _last.left_eye_wxyz)
	_turned(frame.right_eye_wxyz, 1.0, _last.right_eye_wxyz)


# Brings `shown` to this moment. True while it moves, so that nothing need be set when nobody speaks.
func stepped(now_s):
	var before = presence
	presence = presence_after(now_s - _came_s)
	if before == 0.0 and presence == 0.0:
		return false
	shown.flags = _last.flags
	shown.seq = _last.seq
	shown.media_time_s = _last.media_time_s
	for at in range(Wire.SHAPES):
		shown.weights[at] = _last.weights[at] * presence
	_turned(_last.head_wxyz, presence, shown.head_wxyz)
	_turned(_last.left_eye_wxyz, presence, shown.left_eye_wxyz)
	_turned(_last.right_eye_wxyz, presence, shown.right_eye_wxyz)
	return true


static func presence_after(silent_s):
	var part = clamp((silent_s - HELD_S) / EASED_S, 0.0, 1.0)
	return 1.0 - part * part * (3.0 - 2.0 * part)


# So much of a turn, the shorter way, of unit length; none where there is no turn.
static func _turned(wxyz, share, into):
	var sign_of_w = -1.0 if wxyz[0] < 0.0 else 1.0
	var sum = 0.0
	for at in range(4):
		into[at] = wxyz[at] * sign_of_w * share + (1.0 - share if at == 0 else 0.0)
		sum += into[at] * into[at]
	var length = sqrt(sum)
	for at in range(4):
		if length > 0.000001:
			into[at] = into[at] / length
		else:
			into[at] = 1.0 if at == 0 else 0.0
