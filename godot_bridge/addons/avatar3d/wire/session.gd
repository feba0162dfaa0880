# A client's side of the bridge's protocol: what to say to what it hears, when to acknowledge, when to come back.
#
# Runs in Godot 3.2 and in Godot 4. It has no socket and no clock: messages come as dictionaries, times as seconds.

const Wire = preload("wire_generated.gd")

const OLD_S = 0.25  # a frame older than this is not shown
const CLOCK_EVERY_S = 2.0
const FIRST_PAUSE_S = 0.2
const LONGEST_PAUSE_S = 2.0
const SLEW = 0.1  # of a better look at the bridge's clock so much is taken
const HINTS = {
	"VERSION": "Update whichever of the two is older.",
	"TOKEN": "Copy the address that avatar3d live shows, with its token, or begin anew with the pairing code.",
	"TOO_MANY_TRIES": "Wait a minute; then give the right token.",
	"REVOKED": "Somebody took the token back.",
}

var identified = false
var client = ""
var faces = []
var rate_hz = 0.0
# Given by the bridge when the pairing code was right: keep it, and use it from then on.
var token = ""
# Why it is over, in words; empty while a client may come back.
var refusal = ""

var _identify = {}
var _ack_every = Wire.ACK_EVERY
var _unanswered = 0
var _seq = -1
var _pause_s = FIRST_PAUSE_S
var _offset_s = 0.0
var _quickest_s = INF
var _asked_s = -INF


# Options: token or pairing_code, name, faces (all, if left out). Sound is not asked for.
func _init(options):
	_identify = {"type": "identify", "version": Wire.VERSION, "frames": true, "sound": false}
	for name in ["token", "pairing_code", "name", "faces"]:
		if options.has(name) and options[name]:
			_identify[name] = options[name]


# A connection begins.
func opened():
	identified = false
	_unanswered = 0
	_seq = -1
	_quickest_s = INF
	_asked_s = -INF


# The messages that answer one of the bridge's.
func heard(message, now_s):
	if typeof(message) != TYPE_DICTIONARY:
		return []
	match message.get("type"):
		"hello":
			return [_identify]
		"identified":
			_meet(message, now_s)
		"clock":
			_set_clock(message, now_s)
	return []


# The message that asks for the time, every two seconds; null between.
func asks(now_s):
	if not identified or now_s - _asked_s < CLOCK_EVERY_S:
		return null
	_asked_s = now_s
	return {"type": "clock", "sent_s": now_s}


# A frame came: the seq to be acknowledged, or -1.
func came(seq):
	if seq == _seq:
		return -1
	_seq = seq
	_unanswered += 1
	if _unanswered < _ack_every:
		return -1
	_unanswered = 0
	return seq


# Whether a frame is still worth showing.
func is_new(media_time_s, now_s):
	return media_time_s_at(now_s) - media_time_s <= OLD_S


# The bridge's clock, as well as we know it.
func media_time_s_at(now_s):
	return now_s + _offset_s


# The connection ended, with the code of its close (-1: none came): seconds until another try, or -1: a person must act. `chance`
# is a number from 0 to 1, so that many clients do not come back at once.
func closed(code, chance):
	identified = false
	if code >= 0 and not Wire.RETURNS.has(code):
		refusal = "The bridge closed with %d." % code
		for name in Wire.CLOSE:
			if Wire.CLOSE[name] == code:
				refusal = "The bridge says %s. %s" % [name, HINTS.get(name, "")]
		return -1.0
	var pause_s = _pause_s * (0.5 + 0.5 * chance)
	_pause_s = min(2 * _pause_s, LONGEST_PAUSE_S)
	return pause_s


func _meet(message, now_s):
	identified = true
	refusal = ""
	_pause_s = FIRST_PAUSE_S
	client = str(message.get("client", ""))
	faces = message.get("faces", [])
	rate_hz = _number(message, "rate_hz", 0.0)
	_ack_every = int(max(1, _number(message, "ack_every", Wire.ACK_EVERY)))
	_offset_s = _number(message, "media_time_s", 0.0) - now_s
	if typeof(message.get("token")) == TYPE_STRING:
		token = message["token"]
		_identify.erase("pairing_code")
		_identify["token"] = token


# The four stamps: the middle of ours was the middle of theirs, if both ways took as long. A slow answer says little.
func _set_clock(message, now_s):
	var sent_s = _number(message, "sent_s", now_s)
	var received_s = _number(message, "received_s", 0.0)
	var answered_s = _number(message, "media_time_s", 0.0)
	var took_s = now_s - sent_s - (answered_s - received_s)
	if took_s <= 2.0 * _quickest_s + 0.001:
		var offset_s = (received_s + answered_s) / 2.0 - (sent_s + now_s) / 2.0
		var all_at_once = _quickest_s == INF or abs(offset_s - _offset_s) > OLD_S
		_offset_s += (offset_s - _offset_s) * (1.0 if all_at_once else SLEW)
	_quickest_s = min(_quickest_s, took_s)


func _number(message, name, otherwise):
	var value = message.get(name, otherwise)
	if typeof(value) == TYPE_INT or typeof(value) == typeof(0.0):
		return float(value)
	return float(otherwise)
