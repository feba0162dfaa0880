@icon("res://addons/avatar3d/icon.svg")
## Receives a face: from an avatar3d bridge by WebSocket, or from anybody by Live Link Face or VMC (UDP).
##
## Ask [method shown] each frame. When nothing comes the last face is held for 250 ms and eased to neutral within 500; the
## connection comes back by itself. Sound is not received. Godot 4.3 and later.
class_name Avatar3DReceiver
extends Node

## The bridge let us in; [param faces] are its avatars, as dictionaries.
signal connected(faces: Array)
## The connection is lost; it is tried again.
signal disconnected
## A person must act: a wrong token, another version. It is not tried again until [method restart].
signal refused(why: String)
## The bridge gave a token for the pairing code. Keep it somewhere private and give it as [member token] from then on.
signal token_given(token: String)

enum Source { BRIDGE, LIVE_LINK, VMC }

const Wire := preload("wire/wire_generated.gd")
const Reader := preload("wire/reader.gd")
const Session := preload("wire/session.gd")
const Keeper := preload("wire/keeper.gd")

const PORTS: Dictionary = { Source.LIVE_LINK: 11111, Source.VMC: 39539 }
const DATAGRAMS: Dictionary = { Source.LIVE_LINK: 16, Source.VMC: 320 }
const RELEASED_S: float = 5.0
const MESSAGE_BYTES: int = 65536
const INBOUND_BYTES: int = 1 << 19

@export var source: Source = Source.BRIDGE
## The bridge's address, as `avatar3d live` shows it.
@export var url: String = "ws://127.0.0.1:8765/"
## Empty: the environment's AVATAR3D_TOKEN. A token that stands here is saved with the scene, where others may read it.
@export var token: String = ""
## Of a bridge that was started with --lan; once is enough, see [signal token_given].
@export var pairing_code: String = ""
## The certificate of a bridge that was started with --lan. Without it the system's certificate authorities must vouch.
@export var certificate: X509Certificate
## Which of the bridge's faces.
@export_range(0, 31) var face: int = 0
## 0: the usual one, 11111 for Live Link Face and 39539 for VMC.
@export_range(0, 65535) var udp_port: int = 0
## "*" also hears other computers, whoever they are: neither Live Link Face nor VMC knows a password.
@export var bind_address: String = "127.0.0.1"

## True while [method shown] moves.
var moves: bool = false
## Packets of this run that were none of ours.
var ignored: int = 0

var _reader: Reader = Reader.new()
var _keeper: Keeper = Keeper.new()
var _frame: Wire.Frame = Wire.Frame.new()
var _session: Session
var _socket: WebSocketPeer
var _udp: PacketPeerUDP
var _again_s: float = INF
var _told_s: float = -INF
var _sender: String = ""
var _heard_s: float = -INF
# Another sender begins with these: nothing of it has been said.
var _next_reader: Reader = Reader.new()
var _next_frame: Wire.Frame = Wire.Frame.new()


## The face of this moment: weights within 0 and 1 in the order of Wire.ARKIT_NAMES, turns [w, x, y, z] of unit length.
func shown() -> Wire.Frame:
	return _keeper.shown


## Whether the bridge let us in, or somebody has sent within the last seconds.
func is_receiving() -> bool:
	return _session.identified if _session != null else _now_s() - _heard_s < RELEASED_S


## Begin anew, with what is exported now.
func restart() -> void:
	_leave()
	if source == Source.BRIDGE:
		var words: Dictionary = { "name": "godot", "faces": [face], "pairing_code": pairing_code }
		words["token"] = token if token != "" else OS.get_environment("AVATAR3D_TOKEN")
		_session = Session.new(words)
		_dial()
	else:
		_udp = PacketPeerUDP.new()
		var port: int = udp_port if udp_port > 0 else PORTS[source]
		if _udp.bind(port, bind_address) != OK:
			_tell("UDP port %d is taken; is another receiver running?" % port)
			_udp = null


func _ready() -> void:
	restart()


func _exit_tree() -> void:
	_leave()


func _process(_delta: float) -> void:
	var now_s: float = _now_s()
	if _socket != null:
		_poll(now_s)
	elif now_s >= _again_s:
		_dial()
	if _udp != null:
		_hear(now_s)
	moves = _keeper.stepped(now_s)


func _leave() -> void:
	if _socket != null:
		_socket.close()
	if _udp != null:
		_udp.close()
	_socket = null
	_udp = null
	_session = null
	_again_s = INF
	_sender = ""
	_heard_s = -INF


func _dial() -> void:
	_again_s = INF
	_session.opened()
	_socket = WebSocketPeer.new()
	_socket.supported_protocols = PackedStringArray([Wire.SUBPROTOCOL])
	_socket.inbound_buffer_size = INBOUND_BYTES
	var tls: TLSOptions = null
	if url.begins_with("wss://"):
		tls = TLSOptions.client(certificate) if certificate != null else TLSOptions.client()
	if _socket.connect_to_url(url, tls) != OK:
		_closed(-1)


func _poll(now_s: float) -> void:
	_socket.poll()
	var state: WebSocketPeer.State = _socket.get_ready_state()
	if state == WebSocketPeer.STATE_CLOSED:
		_closed(_socket.get_close_code())
		return
	if state != WebSocketPeer.STATE_OPEN:
		return
	var socket: WebSocketPeer = _socket
	while socket == _socket and socket.get_available_packet_count() > 0:  # whoever hears a signal may restart
		var bytes: PackedByteArray = socket.get_packet()
		if socket.was_string_packet():
			_heed(bytes, now_s)
		elif _reader.frame(bytes, _frame):
			_take(now_s)
		else:
			_ignore()
	if socket != _socket:
		return
	var question: Variant = _session.asks(now_s)
	if question != null:
		_say(question)


func _heed(bytes: PackedByteArray, now_s: float) -> void:
	if bytes.size() > MESSAGE_BYTES:
		_ignore()
		return
	var json: JSON = JSON.new()
	if json.parse(bytes.get_string_from_utf8()) != OK:
		_ignore()
		return
	var before: bool = _session.identified
	for answer: Dictionary in _session.heard(json.data, now_s):
		_say(answer)
	if _session.identified and not before:
		connected.emit(_session.faces)
		if _session.token != "" and _session.token != token:
			token_given.emit(_session.token)


func _take(now_s: float) -> void:
	var seq: int = _session.came(_frame.seq)
	if seq >= 0:
		_socket.put_packet(_reader.ack_bytes(seq))
	if _frame.face() == face and _session.is_new(_frame.media_time_s, now_s):
		_keeper.took(_frame, now_s)


func _closed(code: int) -> void:
	_socket = null
	var pause_s: float = _session.closed(code, randf())
	if pause_s >= 0.0:
		_again_s = _now_s() + pause_s
		disconnected.emit()
	else:
		_tell(_session.refusal)
		refused.emit(_session.refusal)


## UDP knows no password: the first who sends is heard, until it has been silent for five seconds.
func _hear(now_s: float) -> void:
	var count: int = 0
	while _udp.get_available_packet_count() > 0:
		var bytes: PackedByteArray = _udp.get_packet()
		count += 1
		if count > DATAGRAMS[source]:
			continue
		var sender: String = "%s:%d" % [_udp.get_packet_ip(), _udp.get_packet_port()]
		var other: bool = sender != _sender
		if other and now_s - _heard_s < RELEASED_S:
			continue
		var reader: Reader = _next_reader if other else _reader
		var frame: Wire.Frame = _next_frame if other else _frame
		var vmc: bool = source == Source.VMC
		var answer: int = reader.vmc(bytes, frame, now_s) if vmc else reader.livelink(bytes, frame, now_s)
		if answer < 0:
			_ignore()
			continue
		if other:
			_sender = sender
			_reader = reader
			_frame = frame
			_next_reader = Reader.new()
			_next_frame = Wire.Frame.new()
		_heard_s = now_s
		if answer > 0:
			_keeper.took(_frame, now_s)


func _ignore() -> void:
	ignored += 1
	_tell("%d packets were none of ours; is another program sending to this port?" % ignored)


func _say(message: Dictionary) -> void:
	_socket.send_text(JSON.stringify(message))


## At most one line a second, whatever the network brings.
func _tell(text: String) -> void:
	if _now_s() - _told_s >= 1.0:
		_told_s = _now_s()
		push_warning("avatar3d: " + text)


func _now_s() -> float:
	return Time.get_ticks_usec() / 1000000.0
