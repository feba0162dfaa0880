# Bytes from the network to a face, and back: the bridge's packets, Live Link Face, VMC. No sockets, no clock. Of other people's
# datagrams a reader reads those of one sender, and holds what has been said.
#
# Runs in Godot 3.2 and in Godot 4: of both languages only what they share is used. Byte arrays are looked at with size() and
# [], and read through a StreamPeerBuffer. Whatever the bytes are, a reader says false (or -1), changes nothing and prints
# nothing: sizes are compared before anything is fetched, and text is ASCII before it becomes a String.
#
# Faces are Wire.Frame: weights, cut to 0..1, in the order of Wire.ARKIT_NAMES, turns as [w, x, y, z] relative to the joint's rest in
# glTF's axes (+Y up, the face looks to +Z, +X is the person's left).

const Wire = preload("wire_generated.gd")

const LIVELINK_VERSION = 6
const LIVELINK_VALUES = 61
const LIVELINK_MOST = 1286
const OSC_MOST = 16384
const OSC_MESSAGES = 512
const OSC_DEPTH = 8
const OSC_ADDRESS = 256
const OSC_ARGUMENTS = 64
const UNIT = 0.01  # a quaternion that is longer or shorter by more is no rotation
const UNIT_VMC = 0.1  # the same where others round
const RESTART_S = 0.5
const JUMP_S = 10.0
const SLOWEST_HZ = 8000
const FASTEST_HZ = 48000
const BUNDLE = [35, 98, 117, 110, 100, 108, 101, 0]  # "#bundle"
const SLASH = 47
const FOREIGN = "?"
const SIZES = {"i": 4, "f": 4, "h": 8, "d": 8, "t": 8, "c": 4, "r": 4, "m": 4}
const BARE = {"T": 1.0, "F": 0.0, "N": null, "I": null}
const VALUE = 0
const JOINT = 1
const JOINTS = {"head": 0, "neck": 1, "lefteye": 2, "righteye": 3}

var _little = StreamPeerBuffer.new()
var _big = StreamPeerBuffer.new()
var _shapes = {}
var _next = 0
var _head = [1.0, 0.0, 0.0, 0.0]  # of VMC: a neck's turn is part of the head's
var _neck = [1.0, 0.0, 0.0, 0.0]
var _newest_s = -INF  # by the sender's clock
var _newer_s = -INF  # when that came


func _init():
	_big.big_endian = true
	for at in range(Wire.SHAPES):
		_shapes[Wire.ARKIT_NAMES[at].to_lower()] = at


# The bridge's own packets ---------------------------------------------------------------------------------------------


# True, and `into` (Wire.Frame) is what the packet says; turns as they came, a hundredth from unit length at most.
func frame(bytes, into):
	if bytes.size() != Wire.FRAME_BYTES or bytes[Wire.FRAME_VERSION_AT] != Wire.VERSION:
		return false
	_little.data_array = bytes
	_little.seek(Wire.FRAME_N_AT)
	if _little.get_u16() != Wire.SHAPES:
		return false
	_little.seek(Wire.FRAME_MEDIA_TIME_S_AT)
	var media_time_s = _little.get_double()
	var values = _floats(_little, Wire.SHAPES + 12)
	if not (_finite(media_time_s) and values.size() and _unit(values, Wire.SHAPES, UNIT)):
		return false
	if not (_unit(values, Wire.SHAPES + 4, UNIT) and _unit(values, Wire.SHAPES + 8, UNIT)):
		return false
	into.flags = bytes[Wire.FRAME_FLAGS_AT]
	_little.seek(Wire.FRAME_SEQ_AT)
	into.seq = _little.get_u32()
	into.media_time_s = media_time_s
	for shape in range(Wire.SHAPES):
		into.weights[shape] = clamp(values[shape], 0.0, 1.0)
	_copy(values, Wire.SHAPES, into.head_wxyz)
	_copy(values, Wire.SHAPES + 4, into.left_eye_wxyz)
	_copy(values, Wire.SHAPES + 8, into.right_eye_wxyz)
	return true


# True, and `into` (Wire.Sound) is what the packet says; samples are whole numbers of 16 bits.
func sound(bytes, into):
	if bytes.size() < Wire.SOUND_BYTES or bytes.size() % 2 != 0 or bytes[Wire.SOUND_KIND_AT] != Wire.SOUND_KIND:
		return false
	_little.data_array = bytes
	_little.seek(Wire.SOUND_RATE_HZ_AT)
	var rate_hz = _little.get_u16()
	var seq = _little.get_u32()
	var media_time_s = _little.get_double()
	if rate_hz < SLOWEST_HZ or rate_hz > FASTEST_HZ or is_inf(media_time_s):
		return false
	into.flags = bytes[Wire.SOUND_FLAGS_AT]
	into.rate_hz = rate_hz
	into.seq = seq
	into.media_time_s = media_time_s
	var samples = []
	for _at in range((bytes.size() - Wire.SOUND_BYTES) / 2):
		samples.append(_little.get_16())
	into.samples = samples
	return true


# Everything up to this seq has arrived; -1: no acknowledgement.
func acknowledged(bytes):
	if bytes.size() != Wire.ACK_BYTES or bytes[Wire.ACK_KIND_AT] != Wire.ACK_KIND:
		return -1
	_little.data_array = bytes
	_little.seek(Wire.ACK_SEQ_AT)
	return _little.get_u32()


func frame_bytes(packet):
	_begin([Wire.VERSION, packet.flags], Wire.SHAPES, packet.seq)
	_little.put_double(packet.media_time_s)
	for values in [packet.weights, packet.head_wxyz, packet.left_eye_wxyz, packet.right_eye_wxyz]:
		for value in values:
			_little.put_float(value)
	return _little.data_array


func sound_bytes(packet):
	_begin([Wire.SOUND_KIND, packet.flags], packet.rate_hz, packet.seq)
	_little.put_double(packet.media_time_s)
	for sample in packet.samples:
		_little.put_16(sample)
	return _little.data_array


func ack_bytes(seq):
	_begin([Wire.ACK_KIND, 0], 0, seq)
	return _little.data_array


# Others' datagrams ----------------------------------------------------------------------------------------------------


# Live Link Face, version 6. 1: `into` is the face it shows; 0: the app sees no face, or an older one; -1: not of this kind.
func livelink(bytes, into, now_s):
	if bytes.size() == 0 or bytes.size() > LIVELINK_MOST or bytes[0] != LIVELINK_VERSION:
		return -1
	_big.data_array = bytes
	var at = 1
	for _name in range(2):  # device, subject
		if at + 4 > bytes.size():
			return -1
		_big.seek(at)
		var length = _big.get_32()
		if length < 0 or at + 4 + length > bytes.size():
			return -1
		at += 4 + length
	if at == bytes.size():
		return 0
	if at + 16 > bytes.size():
		return -1
	_big.seek(at)
	var count = _big.get_32()
	var part = _big.get_float()
	var rate = _big.get_32()
	var seconds = _big.get_32()
	if rate <= 0 or seconds <= 0 or not (part >= -1.0 and part <= 1.0):
		return -1
	var values_here = 0
	if bytes.size() > at + 16:
		values_here = bytes[at + 16]
	if bytes.size() <= at + 17 and values_here == 0:
		return 0
	if values_here != LIVELINK_VALUES or bytes.size() != at + 17 + 4 * LIVELINK_VALUES:
		return -1
	_big.seek(at + 17)
	var values = _floats(_big, LIVELINK_VALUES)
	if values.size() == 0:
		return -1
	var told_s = (count + part) * seconds / rate
	if not _in_time(told_s, now_s):
		return 0
	into.media_time_s = told_s
	for shape in range(Wire.SHAPES):
		into.weights[Wire.LIVELINK[shape]] = clamp(values[shape], 0.0, 1.0)
	# Eyes: yaw to the person's right, pitch down. Head: yaw to the person's left, pitch up (avatar3d/core/livelink.py).
	_copy(_turn(values[52], -values[53], values[54]), 0, into.head_wxyz)
	_copy(_turn(-values[55], values[56], values[57]), 0, into.left_eye_wxyz)
	_copy(_turn(-values[58], values[59], values[60]), 0, into.right_eye_wxyz)
	return 1


# VMC: OSC by UDP, a frame in several datagrams, to be given the same `into`. 1: it is whole, show it; 0: read, more will come, or
# it is older than what came; -1: no OSC.
func vmc(bytes, into, now_s):
	var messages = _messages(bytes)
	if messages == null:
		return -1
	var shows = 0
	var told = []
	var told_s = null
	for said in messages:
		var arguments = said[1]
		if said[0] == "/VMC/Ext/Blend/Apply":
			shows = 1
		elif said[0] == "/VMC/Ext/Blend/Val" and _begins(arguments, true, 1):
			if not _finite(arguments[1]):
				return -1
			told.append([VALUE, _shapes.get(arguments[0].to_lower(), -1), clamp(arguments[1], 0.0, 1.0)])
		elif said[0] == "/VMC/Ext/Bone/Pos" and _begins(arguments, true, 0) and JOINTS.has(arguments[0].to_lower()):
			var numbers = []
			for at in range(1, min(arguments.size(), 8)):
				if typeof(arguments[at]) == typeof(0.0):
					numbers.append(arguments[at])
					if not _finite(arguments[at]):
						return -1
			told.append([JOINT, JOINTS[arguments[0].to_lower()], numbers])
		elif said[0] == "/VMC/Ext/T" and _begins(arguments, false, 1):
			if not _finite(arguments[0]):
				return -1
			told_s = arguments[0]
	if told_s != null:
		if not _in_time(told_s, now_s):
			return 0
		into.media_time_s = told_s
	for change in told:
		if change[0] == JOINT:
			_bone(change[1], change[2], into)
		elif change[1] >= 0:
			into.weights[change[1]] = change[2]
	return shows


# Whether what was told at this time of the sender's is no older than what came before. A clock that goes back by more than 10
# seconds, or stays back for half a second, has begun again.
func _in_time(told_s, now_s):
	var behind_s = _newest_s - told_s
	if behind_s > 0.0 and behind_s <= JUMP_S and now_s - _newer_s < RESTART_S:
		return false
	if behind_s != 0.0:
		_newest_s = told_s
		_newer_s = now_s
	return true


# Whether arguments begin with a text, if so asked, and so many numbers.
func _begins(arguments, text, numbers):
	var first = 1 if text else 0
	if arguments.size() < first + numbers or (text and typeof(arguments[0]) != TYPE_STRING):
		return false
	for at in range(first, first + numbers):
		if typeof(arguments[at]) != typeof(0.0):
			return false
	return true


# A bone's turn in Unity's axes: x to the person's right, left-handed.
func _bone(joint, numbers, into):
	if numbers.size() < 7 or not _unit(numbers, 3, UNIT_VMC):
		return
	var turn = _unit_of([numbers[6], numbers[3], -numbers[4], -numbers[5]])
	if joint == JOINTS["lefteye"]:
		_copy(turn, 0, into.left_eye_wxyz)
	elif joint == JOINTS["righteye"]:
		_copy(turn, 0, into.right_eye_wxyz)
	else:
		if joint == JOINTS["head"]:
			_head = turn
		else:
			_neck = turn
		_copy(_times(_neck, _head), 0, into.head_wxyz)


# OSC 1.0 --------------------------------------------------------------------------------------------------------------


# [address, arguments] of each message of VMC, bundles opened; null when anything of the packet is malformed or too much.
func _messages(bytes):
	if bytes.size() > OSC_MOST:
		return null
	_big.data_array = bytes
	var messages = []
	var count = 0
	var waiting = [[0, bytes.size(), 0]]
	while waiting.size() > 0:
		var part = waiting.pop_back()
		if _is_bundle(bytes, part[0], part[1]):
			var elements = _elements(part[0] + 16, part[1], part[2] + 1)
			if elements == null or part[2] >= OSC_DEPTH:
				return null
			for at in range(elements.size()):
				waiting.append(elements[elements.size() - 1 - at])
		else:
			var message = _message(bytes, part[0], part[1])
			if message == null:
				return null
			count += 1
			if message[0].begins_with("/VMC/Ext/"):
				messages.append(message)
		if count + waiting.size() > OSC_MESSAGES:
			return null
	return messages


func _is_bundle(bytes, at, end):
	if end - at < BUNDLE.size():
		return false
	for place in range(BUNDLE.size()):
		if bytes[at + place] != BUNDLE[place]:
			return false
	return true


# Where a bundle's elements begin and end.
func _elements(at, end, depth):
	if at > end:
		return null
	var elements = []
	while at < end:
		if at + 4 > end or elements.size() > OSC_MESSAGES:
			return null
		_big.seek(at)
		var size = _big.get_32()
		if size <= 0 or size % 4 != 0 or at + 4 + size > end:
			return null
		elements.append([at + 4, at + 4 + size, depth])
		at += 4 + size
	return elements


func _message(bytes, begin, end):
	if begin >= end or bytes[begin] != SLASH:
		return null
	var address = _text(bytes, begin, end)
	if address == null or address == FOREIGN or address.length() > OSC_ADDRESS:
		return null
	if _next >= end:
		return [address, []]
	var tags_at = _next
	var tags = _text(bytes, tags_at, end)
	if tags == null or not tags.begins_with(",") or tags.length() > OSC_ARGUMENTS + 1:
		return null
	var at = _next
	var arguments = []
	for place in range(1, tags.length()):
		var tag = tags.substr(place, 1)
		if tag == "s" or tag == "S":
			arguments.append(_text(bytes, at, end))
			if arguments.back() == null:
				return null
			at = _next
		elif tag == "b":
			_big.seek(at)
			var size = _big.get_32() if at + 4 <= end else -1
			if size < 0 or at + 4 + size > end or at + 4 + size + (4 - size % 4) % 4 > end:
				return null
			arguments.append(null)
			at += 4 + size + (4 - size % 4) % 4
		elif BARE.has(tag):
			arguments.append(BARE[tag])
		elif SIZES.has(tag):
			if at + SIZES[tag] > end:
				return null
			_big.seek(at)
			arguments.append(_number(tag))
			at += SIZES[tag]
		elif tag != "[" and tag != "]":
			return null
	return [address, arguments]


func _number(tag):
	match tag:
		"f":
			return _big.get_float()
		"d":
			return _big.get_double()
		"h", "t":
			return float(_big.get_64())
	return float(_big.get_32())


# A text that begins here and ends in 1 to 4 zeros, `_next` being what comes behind them; null when it does not end. What is
# not ASCII is FOREIGN: a String made of it would be told in a line of error.
func _text(bytes, at, end):
	var zero = at
	var ascii = true
	while zero < end and bytes[zero] != 0:
		ascii = ascii and bytes[zero] < 128
		zero += 1
	_next = zero + 4 - (zero - at) % 4
	if zero >= end or _next > end:
		return null
	if zero == at:
		return ""
	_big.seek(at)
	return _big.get_data(zero - at)[1].get_string_from_ascii() if ascii else FOREIGN


# Numbers --------------------------------------------------------------------------------------------------------------


# So many float32 from here on; none when one of them is not finite.
func _floats(buffer, count):
	var values = []
	for _at in range(count):
		var value = buffer.get_float()
		if not _finite(value):
			return []
		values.append(value)
	return values


func _finite(value):
	return not (is_nan(value) or is_inf(value))


# Whether four values from here on are a rotation; squares of large float32 are no infinity in a float of 64 bits.
func _unit(values, at, off):
	var sum = 0.0
	for place in range(at, at + 4):
		sum += values[place] * values[place]
	var length = sqrt(sum)
	return length > 1.0 - off and length < 1.0 + off


func _unit_of(turn):
	var length = sqrt(turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2] + turn[3] * turn[3])
	return [turn[0] / length, turn[1] / length, turn[2] / length, turn[3] / length]


# The rotation x * y * z of angles about +y, +x, +z, radians; nobody promises that they are within one turn.
func _turn(y, x, z):
	return _times(_times(_about(1, x), _about(2, y)), _about(3, z))


func _about(axis, angle):
	var within = fmod(angle, TAU)
	if abs(within) > PI:
		within -= sign(within) * TAU
	var turn = [cos(within / 2.0), 0.0, 0.0, 0.0]
	turn[axis] = sin(within / 2.0)
	return turn


# The quaternion a * b: b first.
func _times(a, b):
	return [
		a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
		a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
		a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
		a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
	]


func _copy(values, from, into):
	for at in range(into.size()):
		into[at] = values[from + at]


func _begin(kind_and_flags, number, seq):
	_little.clear()
	for value in kind_and_flags:
		_little.put_u8(value)
	_little.put_u16(number)
	_little.put_u32(seq)
